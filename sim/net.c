/* The public calls that define a network, and read and set what it is made of. */
#include "sim/net.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/convolution.h"
#include "sim/foresee.h"
#include "sim/inputs.h"
#include "sim/tables.h"
#include "sim/value.h"

enum { MAX_THREADS = 256 };

/* ---- the network -------------------------------------------------------------------------------------------- */

static int default_threads(void)
{
    int cores = omp_get_num_procs();
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : cores;
}

static rv_status check_threads(int threads, rv_error *error)
{
    if (threads >= 0 && threads <= MAX_THREADS) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "network: threads = %d, allowed 1 to %d (0: all cores)", threads, MAX_THREADS);
}

/* GSL's default error handler ends the process; a handler of the program's own stays. */
static void keep_gsl_from_aborting(void)
{
    gsl_error_handler_t *handler = gsl_set_error_handler_off();
    if (handler) gsl_set_error_handler(handler);
}

rv_status rv_net_new(const rv_net_def *def, rv_net **result, rv_error *error)
{
    double resolution = def->resolution == 0 ? 0.1 : def->resolution;
    *result = NULL;
    if (!(resolution >= 1e-6 && resolution <= 1000)) return value_out_of_range("network: resolution", resolution, "ms", 1e-6, 1000, error);
    if (def->timing != RV_GRID && def->timing != RV_EXACT)
        return error_set(error, RV_OUT_OF_RANGE, "network: timing = %d, allowed RV_GRID and RV_EXACT", (int)def->timing);
    TRY(check_threads(def->threads, error));
    rv_net *net = calloc(1, sizeof *net);
    if (!net) return error_memory(error, "the network", sizeof *net);
    keep_gsl_from_aborting();
    net->def = (definition){ .resolution = resolution, .seed = def->seed, .timing = def->timing };
    net->advance = def->advance;
    net->threads = def->threads ? def->threads : default_threads();
    *result = net;
    return RV_OK;
}

void rv_net_free(rv_net *net)
{
    if (!net) return;
    int n_tiles = net->net ? net->net->n_tiles : 0;
    for (int k = 0; k < net->n_probes; k++) probe_close(net->probe[k], n_tiles), free(net->probe[k]);
    for (int k = 0; k < net->n_watched; k++) probe_close(net->watched[k], n_tiles), free(net->watched[k]);
    for (int p = 0; p < net->def.n_populations; p++) spool_close(&net->spikes[p].spool);
    state_free(net->state);
    network_free(net->net);
    definition_free(&net->def);
    free(net->spikes), free(net->n_spikes), free(net->probe), free(net->watched);
    structure_close(net);
    free(net->timer), free(net->spike_listener), free(net->clock_listener);
    free(net);
}

const rv_error *rv_net_error(const rv_net *net) { return &net->error; }

rv_status rv_fail(rv_net *net, rv_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(net->error.text, sizeof net->error.text, format, arguments);
    va_end(arguments);
    return net->error.status = status;
}

double     rv_time(const rv_net *net) { return net->state ? (double)net->state->step * net->def.resolution : 0; }
double     rv_resolution(const rv_net *net) { return net->def.resolution; }
uint64_t   rv_seed(const rv_net *net) { return net->def.seed; }
rv_timing  rv_net_timing(const rv_net *net) { return net->def.timing; }
int        rv_threads(const rv_net *net) { return net->threads; }

void *net_append(rv_net *net, void *array, int n, size_t item)
{
    void **at = array;
    char  *grown = realloc(*at, ((size_t)n + 1) * item);
    if (!grown) {
        error_memory(&net->error, "the network", (double)n * (double)item);
        return NULL;
    }
    *at = grown;
    return memset(grown + (size_t)n * item, 0, item);
}

rv_status net_steps(rv_net *net, double ms, const char *what, int64_t least, int64_t *steps)
{
    double h = net->def.resolution, whole = rint(ms / h);
    if (!(ms >= 0 && whole <= 9e15)) return value_out_of_range(what, ms, "ms", (double)least * h, 9e15 * h, &net->error);
    if (fabs(ms / h - whole) > GRID_TOLERANCE * fmax(1, whole) || whole < (double)least)
        return rv_fail(net, RV_OUT_OF_RANGE, "%s = %.10g ms, allowed are multiples of the resolution (%g ms) from %g ms", what, ms, h, (double)least * h);
    *steps = (int64_t)whole;
    return RV_OK;
}

/* What has been compiled cannot grow. */
static rv_status still_open(rv_net *net, const char *what)
{
    if (!net->net) return RV_OK;
    return rv_fail(net, RV_CONFLICT, "network: %s can be added before the first run only", what);
}

/* ---- populations -------------------------------------------------------------------------------------------- */

int net_population(const rv_net *net, rv_population population)
{
    return population.id >= 1 && population.id <= net->def.n_populations ? population.id - 1 : -1;
}

static rv_status no_population(const rv_net *net) { return rv_fail((rv_net *)net, RV_UNKNOWN_NAME, "this is not a population of this network"); }

rv_population rv_population_new(rv_net *net, const char *name, int64_t n, const char *model)
{
    const rv_population none = { 0 };
    int                 count = net->def.n_populations;
    if (still_open(net, "populations") != RV_OK) return none;
    if (!net_append(net, &net->spikes, count, sizeof *net->spikes) || !net_append(net, &net->n_spikes, count, sizeof *net->n_spikes)) return none;
    if (definition_add_population(&net->def, name, n, model, &net->error) != RV_OK) return none;
    spool_open(&net->spikes[count].spool, sizeof(spike_record));
    return (rv_population){ count + 1 };
}

rv_population rv_population_find(const rv_net *net, const char *name)
{
    for (int p = 0; p < net->def.n_populations; p++)
        if (strcmp(net->def.population[p].name, name) == 0) return (rv_population){ p + 1 };
    return (rv_population){ 0 };
}

int rv_population_count(const rv_net *net) { return net->def.n_populations; }

const char *rv_population_name(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    return p < 0 ? NULL : net->def.population[p].name;
}

const char *rv_population_model(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    return p < 0 ? NULL : net->def.population[p].model->table.name;
}

int64_t rv_population_size(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    return p < 0 ? 0 : net->def.population[p].n;
}

/* ---- setting ------------------------------------------------------------------------------------------------ */

static void copy_values(neuron_values *to, const neuron_values *from, int64_t n)
{
    *to = *from;
    if (!from->list) return;
    to->list = malloc((size_t)n * sizeof *to->list);
    if (to->list) memcpy(to->list, from->list, (size_t)n * sizeof *to->list);
}

/* Parameters and states draw their random values from streams of their own, 24 of each; the parameters beyond come behind. */
enum { STREAMS = 24 };
static uint32_t param_stream(int k) { return (uint32_t)(k < STREAMS ? k : k + RV_MAX_STATES); }
static uint32_t state_stream(int k) { return (uint32_t)(STREAMS + k); }

/* A parameter of a compiled network: refused as a whole if the new values contradict the others. */
static rv_status set_live_param(rv_net *net, const neuron_range *range, int k, rv_value value)
{
    population_def *def = &net->def.population[range->population];
    neuron_values   before;
    copy_values(&before, &def->param[k], def->n);
    foresee_settle(net->state, range->population);
    rv_status status = definition_set_values(&net->def, range, &def->model->table.params[k], param_stream(k), value, &def->param[k], &net->error);
    if (status == RV_OK) status = network_prepare_population(net->net, range->population, &net->error);
    if (status != RV_OK) {
        free(def->param[k].list);
        def->param[k] = before;
        network_prepare_population(net->net, range->population, NULL);
    } else free(before.list);
    state_relink(net->state, range->population);
    foresee_population(net->state, range->population);
    return status;
}

/* The values a state is drawn into are those it is set to; they are not the initial ones any more. */
static rv_status set_live_state(rv_net *net, const neuron_range *range, int k, rv_value value)
{
    population_def *def = &net->def.population[range->population];
    neuron_values   values = { 0 };
    TRY(definition_set_values(&net->def, range, &def->model->table.states[k], state_stream(k), value, &values, &net->error));
    foresee_settle(net->state, range->population);
    for (int64_t i = 0; i < range->count; i++) {
        int64_t neuron = range_neuron(range, i);
        state_write(net->state, range->population, neuron, k, neuron_value(&values, neuron));
    }
    free(values.list);
    foresee_population(net->state, range->population);
    return RV_OK;
}

rv_status rv_set_slice(rv_net *net, rv_slice slice, const char *name, rv_value value)
{
    neuron_range range;
    TRY(definition_range(&net->def, slice, &range, &net->error));
    population_def *def = &net->def.population[range.population];
    const rv_table *table = &def->model->table;
    int             param = table_param(table, name), variable = table_state(table, name);
    if (param >= 0 && net->net) return set_live_param(net, &range, param, value);
    if (param >= 0) return definition_set_values(&net->def, &range, &table->params[param], param_stream(param), value, &def->param[param], &net->error);
    if (variable >= 0 && net->net) return set_live_state(net, &range, variable, value);
    if (variable >= 0)
        return definition_set_values(&net->def, &range, &table->states[variable], state_stream(variable), value, &def->initial[variable], &net->error);
    char object[160];
    snprintf(object, sizeof object, "population \"%.100s\"", def->name);
    return table_unknown_field(table, object, name, &net->error);
}

rv_status rv_set(rv_net *net, rv_population population, const char *name, rv_value value) { return rv_set_slice(net, rv_all(population), name, value); }

rv_status rv_get(const rv_net *constant, rv_slice slice, const char *name, double *values)
{
    rv_net      *net = (rv_net *)constant; /* for the sentence alone */
    neuron_range range;
    TRY(definition_range(&net->def, slice, &range, &net->error));
    const population_def *def = &net->def.population[range.population];
    int                   param = table_param(&def->model->table, name), variable = table_state(&def->model->table, name);
    if (param < 0 && variable < 0) {
        char object[160];
        snprintf(object, sizeof object, "population \"%.100s\"", def->name);
        return table_unknown_field(&def->model->table, object, name, &net->error);
    }
    for (int64_t i = 0; i < range.count; i++) {
        int64_t neuron = range_neuron(&range, i);
        double  states[RV_MAX_STATES];
        if (param >= 0) values[i] = neuron_value(&def->param[param], neuron);
        else if (!net->state) values[i] = neuron_value(&def->initial[variable], neuron);
        else {
            state_read(net->state, range.population, neuron, states);
            values[i] = states[variable];
        }
    }
    return RV_OK;
}

static rv_status check_times(rv_net *net, const population_def *def, int64_t neuron, const double *times, int64_t n)
{
    double least = net->def.timing == RV_GRID ? 0 : -1e-300;
    if (def->model->emit == NULL || def->model->table.n_params > 0)
        return rv_fail(net, RV_CONFLICT, "population \"%s\": spike times belong to a spike_generator, not to %s", def->name, def->model->table.name);
    if (neuron < 0 || neuron >= def->n)
        return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": neuron %lld, allowed 0 to %lld", def->name, (long long)neuron, (long long)def->n - 1);
    for (int64_t k = 0; k < n; k++) {
        if (!(times[k] > least) || !isfinite(times[k]))
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": spike time %lld of neuron %lld = %.10g ms, allowed are finite times %s 0 ms", def->name,
                           (long long)k, (long long)neuron, times[k], net->def.timing == RV_GRID ? "above" : "from");
        if (k > 0 && times[k] < times[k - 1])
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": spike times of neuron %lld must be ascending, but %.10g ms follows %.10g ms", def->name,
                           (long long)neuron, times[k], times[k - 1]);
    }
    return RV_OK;
}

static rv_status reload_times(rv_net *net, int population)
{
    if (!net->state) return RV_OK;
    TRY(state_load_times(net->state, population, &net->error));
    foresee_population(net->state, population);
    return RV_OK;
}

rv_status rv_set_spike_times(rv_net *net, rv_population population, int64_t neuron, const double *times_ms, int64_t n)
{
    int p = net_population(net, population);
    if (p < 0) return no_population(net);
    population_def *def = &net->def.population[p];
    TRY(check_times(net, def, neuron, times_ms, n));
    if (!def->spike_times) def->spike_times = calloc((size_t)def->n, sizeof *def->spike_times);
    if (!def->n_spike_times) def->n_spike_times = calloc((size_t)def->n, sizeof *def->n_spike_times);
    double *copy = malloc(((size_t)n + 1) * sizeof *copy);
    if (!def->spike_times || !def->n_spike_times || !copy) {
        free(copy);
        return error_memory(&net->error, "spike times", (double)n * sizeof *copy);
    }
    if (n > 0) memcpy(copy, times_ms, (size_t)n * sizeof *copy);
    free(def->spike_times[neuron]);
    def->spike_times[neuron] = copy, def->n_spike_times[neuron] = n;
    if (def->payloads) free(def->payloads[neuron]), def->payloads[neuron] = NULL; /* they were of the old times */
    return reload_times(net, p);
}

typedef struct added_spike {
    int64_t neuron;
    double  t_ms;
} added_spike;

static int by_neuron_and_time(const void *a, const void *b)
{
    const added_spike *x = a, *y = b;
    if (x->neuron != y->neuron) return x->neuron < y->neuron ? -1 : 1;
    return (x->t_ms > y->t_ms) - (x->t_ms < y->t_ms);
}

/* Merges n spikes of one neuron into its list, from which those that have passed go. */
static rv_status merge_times(rv_net *net, population_def *def, const added_spike *spikes, int64_t n)
{
    int64_t neuron = spikes[0].neuron, n_old = def->n_spike_times[neuron], i = 0, k = 0, to = 0;
    double *old = def->spike_times[neuron], *merged = malloc((size_t)(n_old + n) * sizeof *merged), now = rv_time(net);
    if (!merged) return error_memory(&net->error, "spike times", (double)(n_old + n) * sizeof *merged);
    while (net->state && i < n_old && old[i] < now) i++;
    while (i < n_old || k < n) merged[to++] = k == n || (i < n_old && old[i] <= spikes[k].t_ms) ? old[i++] : spikes[k++].t_ms;
    free(old);
    def->spike_times[neuron] = merged, def->n_spike_times[neuron] = to;
    return RV_OK;
}

rv_status rv_add_spikes(rv_net *net, rv_population population, const int64_t *neurons, const double *times_ms, int64_t n)
{
    int p = net_population(net, population);
    if (p < 0) return no_population(net);
    population_def *def = &net->def.population[p];
    for (int64_t k = 0; k < n; k++) {
        TRY(check_times(net, def, neurons[k], &times_ms[k], 1));
        if (net->state && times_ms[k] <= rv_time(net))
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": a spike of neuron %lld at %.10g ms is added at %.10g ms, when it has passed", def->name, (long long)neurons[k], times_ms[k], rv_time(net));
    }
    if (n <= 0) return RV_OK;
    if (def->payloads) return rv_fail(net, RV_CONFLICT, "population \"%s\": its spikes carry payloads; spikes without cannot be added", def->name);
    if (!def->spike_times) def->spike_times = calloc((size_t)def->n, sizeof *def->spike_times);
    if (!def->n_spike_times) def->n_spike_times = calloc((size_t)def->n, sizeof *def->n_spike_times);
    added_spike *spikes = malloc((size_t)n * sizeof *spikes);
    rv_status    status = def->spike_times && def->n_spike_times && spikes ? RV_OK : error_memory(&net->error, "spike times", (double)n * sizeof *spikes);
    for (int64_t k = 0; k < n && status == RV_OK; k++) spikes[k] = (added_spike){ neurons[k], times_ms[k] };
    if (status == RV_OK) qsort(spikes, (size_t)n, sizeof *spikes, by_neuron_and_time);
    for (int64_t k = 0, end; k < n && status == RV_OK; k = end) {
        for (end = k + 1; end < n && spikes[end].neuron == spikes[k].neuron;) end++;
        status = merge_times(net, def, spikes + k, end - k);
    }
    free(spikes);
    return status == RV_OK ? reload_times(net, p) : status;
}

static rv_status check_payloads(rv_net *net, const population_def *def, int64_t neuron, const double *payloads, int64_t n)
{
    int64_t there = def->n_spike_times && neuron >= 0 && neuron < def->n ? def->n_spike_times[neuron] : 0;
    if (!def->model->emit || !def->model->carries)
        return rv_fail(net, RV_CONFLICT, "population \"%s\": payloads belong to a spike_generator, not to %s", def->name, def->model->table.name);
    if (net->def.timing == RV_EXACT)
        return rv_fail(net, RV_CONFLICT, "population \"%s\": exact timing: payloads are for chips, which work in steps", def->name);
    if (n != there)
        return rv_fail(net, RV_WRONG_SHAPE, "population \"%s\": %lld payloads for %lld spike times of neuron %lld; the times are given first", def->name,
                       (long long)n, (long long)there, (long long)neuron);
    for (int64_t k = 0; k < n; k++)
        if (!(payloads[k] >= INT32_MIN && payloads[k] <= INT32_MAX) || payloads[k] != rint(payloads[k]) || payloads[k] == 0)
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": payload %lld of neuron %lld = %.10g, allowed are whole numbers from -2^31 to 2^31 - 1, but not 0",
                           def->name, (long long)k, (long long)neuron, payloads[k]);
    return RV_OK;
}

rv_status rv_set_payloads(rv_net *net, rv_population population, int64_t neuron, const double *payloads, int64_t n)
{
    int p = net_population(net, population);
    if (p < 0) return no_population(net);
    population_def *def = &net->def.population[p];
    TRY(check_payloads(net, def, neuron, payloads, n));
    if (!def->payloads) def->payloads = calloc((size_t)def->n, sizeof *def->payloads);
    double *copy = malloc(((size_t)n + 1) * sizeof *copy);
    if (!def->payloads || !copy) {
        free(copy);
        return error_memory(&net->error, "payloads", (double)n * sizeof *copy);
    }
    if (n > 0) memcpy(copy, payloads, (size_t)n * sizeof *copy);
    free(def->payloads[neuron]);
    def->payloads[neuron] = copy, def->graded = true;
    return reload_times(net, p);
}

rv_status rv_set_positions(rv_net *net, rv_population population, const double *xyz, const double *period)
{
    int p = net_population(net, population);
    if (p < 0) return no_population(net);
    TRY(still_open(net, "positions"));
    population_def *def = &net->def.population[p];
    for (int64_t i = 0; i < 3 * def->n; i++)
        if (!isfinite(xyz[i])) return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": position of neuron %lld is not finite", def->name, (long long)i / 3);
    for (int k = 0; period && k < 3; k++)
        if (!(period[k] >= 0 && isfinite(period[k])))
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": period = %g, allowed 0 (not periodic) or more", def->name, period[k]);
    double *copy = malloc(((size_t)def->n * 3 + 1) * sizeof *copy);
    if (!copy) return error_memory(&net->error, "positions", (double)def->n * 24);
    memcpy(copy, xyz, (size_t)def->n * 3 * sizeof *copy);
    free(def->xyz);
    def->xyz = copy;
    for (int k = 0; k < 3; k++) def->period[k] = period ? period[k] : 0;
    return RV_OK;
}

/* ---- projections -------------------------------------------------------------------------------------------- */

int net_projection(const rv_net *net, rv_projection projection)
{
    if (projection.id >= 1 && projection.id <= net->def.n_projections) return projection.id - 1;
    rv_fail((rv_net *)net, RV_UNKNOWN_NAME, "this is not a projection of this network");
    return -1;
}

rv_status rv_connect(rv_net *net, const rv_connect_def *def, rv_projection *projection)
{
    if (projection) projection->id = 0;
    TRY(still_open(net, "projections"));
    TRY(definition_add_projection(&net->def, def, &net->error));
    if (projection) projection->id = net->def.n_projections;
    return RV_OK;
}

int rv_projection_count(const rv_net *net) { return net->def.n_projections; }

rv_population rv_projection_source(const rv_net *net, rv_projection projection)
{
    int p = net_projection(net, projection);
    return (rv_population){ p < 0 ? 0 : net->def.projection[p].source.population + 1 };
}

rv_population rv_projection_target(const rv_net *net, rv_projection projection)
{
    int p = net_projection(net, projection);
    return (rv_population){ p < 0 ? 0 : net->def.projection[p].target.population + 1 };
}

const char *rv_projection_rule(const rv_net *net, rv_projection projection)
{
    int p = net_projection(net, projection);
    return p < 0 ? NULL : connect_rule_names[net->def.projection[p].rule];
}

const char *rv_projection_plasticity(const rv_net *net, rv_projection projection)
{
    int p = net_projection(net, projection);
    return p < 0 || !net->def.projection[p].plasticity ? NULL : net->def.projection[p].plasticity->table.name;
}

const char *rv_projection_synapse(const rv_net *net, rv_projection projection)
{
    int p = net_projection(net, projection);
    return p < 0 || !net->def.projection[p].synapse ? NULL : net->def.projection[p].synapse->table.name;
}

rv_status rv_synapse_param(rv_net *net, rv_projection projection, const char *name, double *value)
{
    int p = net_projection(net, projection);
    if (p < 0) return RV_UNKNOWN_NAME;
    const projection_def *def = &net->def.projection[p];
    char                  object[OBJECT_TEXT];
    definition_projection_label(&net->def, def, object);
    if (!def->synapse) return rv_fail(net, RV_CONFLICT, "%s: plain synapses have no parameter \"%.60s\"", object, name);
    int k = table_param(&def->synapse->table, name);
    if (k < 0) return table_unknown_param(&def->synapse->table, object, name, &net->error);
    *value = net->net ? net->net->bundle[network_bundle_of(net->net, p)].synapse_param[k] : def->synapse_param[k];
    return RV_OK;
}

void net_catch_up(rv_net *net, int b)
{
    for (int t = 0; t < net->net->n_tiles && net->net->bundle[b].rule; t++) plastic_catch_up(&net->state->tile[t].learning[b], (double)net->state->step);
}

double net_weight_of(const rv_net *net, int index, const synapse_ref *ref)
{
    const bundle *b = &net->net->bundle[index];
    const rows   *r = &b->rows[ref->tile];
    if (b->epoch) return net->state->tile[ref->tile].epoch[index].variable[EPOCH_W][ref->index];
    if (b->rule && b->rule->carry) return plastic_read(&net->state->tile[ref->tile].learning[index], ref->segment, ref->index, (double)net->state->step).weight;
    double      stored = b->convolution ? b->convolution->kernel[ref->index] : r->weight_float ? (double)r->weight_float[ref->index] : r->weight_double ? r->weight_double[ref->index] : b->weight;
    return b->factor == 1 ? stored : stored / b->factor;
}

rv_status rv_synapses(rv_net *net, rv_projection projection, int64_t *sources, int64_t *targets, double *weights, double *delays_ms)
{
    int          p = net_projection(net, projection);
    synapse_ref *list;
    int64_t      n;
    if (p < 0) return RV_UNKNOWN_NAME;
    TRY(rv_compile(net));
    int b = network_bundle_of(net->net, p);
    net_catch_up(net, b);
    TRY(network_list_synapses(net->net, p, &list, &n, &net->error));
    for (int64_t k = 0; k < n; k++) {
        if (sources) sources[k] = list[k].source;
        if (targets) targets[k] = list[k].target;
        if (weights) weights[k] = net_weight_of(net, b, &list[k]);
        if (delays_ms) delays_ms[k] = (double)list[k].delay * 0x1p-32 * net->def.resolution;
    }
    free(list);
    return RV_OK;
}

rv_status rv_synapse_count(rv_net *net, rv_projection projection, int64_t *n_synapses)
{
    int          p = net_projection(net, projection);
    synapse_ref *list;
    *n_synapses = 0;
    if (p < 0) return RV_UNKNOWN_NAME;
    TRY(rv_compile(net));
    const bundle *b = &net->net->bundle[network_bundle_of(net->net, p)];
    if (b->n_projections == 1) {
        *n_synapses = b->n_synapses;
        return RV_OK;
    }
    TRY(network_list_synapses(net->net, p, &list, n_synapses, &net->error));
    free(list);
    return RV_OK;
}

rv_status net_weights(rv_net *net, int projection, double *weights)
{
    return rv_synapses(net, (rv_projection){ projection + 1 }, NULL, NULL, weights, NULL);
}

void net_weight_bounds(const rv_net *net, int p, double *low, double *high)
{
    const projection_def *def = &net->def.projection[p];
    *low = -1e300, *high = 1e300;
    if (def->plasticity && def->plasticity->bounds) def->plasticity->bounds(def->param, low, high);
}

static rv_status set_weights(rv_net *net, int p, const synapse_ref *list, int64_t n, const rv_value *value, const char *what)
{
    int     index = network_bundle_of(net->net, p);
    bundle *b = &net->net->bundle[index];
    double  low, high;
    net_weight_bounds(net, p, &low, &high);
    TRY(value_check(value, low, high, what, "", &net->error));
    if (b->synapse && b->synapse->whole) TRY(value_check_whole(value, what, &net->error));
    if (value->kind == RV_LIST && value->n != n)
        return rv_fail(net, RV_WRONG_SHAPE, "%s: a list of %lld values for %lld synapses", what, (long long)value->n, (long long)n);
    if (value_needs_distance(value)) return rv_fail(net, RV_CONFLICT, "%s: functions of distance are for net:connect only", what);
    TRY(rows_expand_weights(net->net, b, &net->error));
    for (int64_t k = 0; k < n; k++) {
        rv_random stream = random_stream(net->def.seed, RANDOM_WEIGHTS, (uint32_t)p, (uint64_t)k);
        gsl_rng   rng = random_gsl(&stream);
        double    w = value->kind == RV_LIST ? value->list[k] : value_draw(value, &rng, 0);
        if (!(w >= low && w <= high)) return value_out_of_range(what, w, "", low, high, &net->error);
        rows *r = &b->rows[list[k].tile];
        if (b->synapse) w = b->factor * b->synapse->weight(b->synapse_param, w);
        if (r->weight_float) r->weight_float[list[k].index] = (float)w;
        else r->weight_double[list[k].index] = w;
        if (b->epoch) epoch_set_weight(&net->state->tile[list[k].tile].epoch[index], list[k].index, w);
        if ((w < 0 && b->sign > 0) || (w > 0 && b->sign < 0)) b->sign = 0; /* mixed from now on */
    }
    return RV_OK;
}

void net_settle(rv_net *net, int b)
{
    net_catch_up(net, b);
    for (int t = 0; t < net->net->n_tiles && net->net->bundle[b].rule; t++) plastic_settle(&net->state->tile[t].learning[b], (double)net->state->step);
}

rv_status rv_set_weights(rv_net *net, rv_projection projection, rv_value weights)
{
    int          p = net_projection(net, projection);
    synapse_ref *list;
    int64_t      n;
    char         what[320];
    if (p < 0) return RV_UNKNOWN_NAME;
    TRY(rv_compile(net));
    snprintf(what, sizeof what, "projection \"%.100s\" -> \"%.100s\": weight", net->def.population[net->def.projection[p].source.population].name,
             net->def.population[net->def.projection[p].target.population].name);
    int b = network_bundle_of(net->net, p);
    if (net->net->bundle[b].convolution) return rv_fail(net, RV_CONFLICT, "%s: the synapses of a convolution share their weights; unrolled (compact = false) each has its own", what);
    net_settle(net, b);
    TRY(network_list_synapses(net->net, p, &list, &n, &net->error));
    rv_status status = set_weights(net, p, list, n, &weights, what);
    free(list);
    return status;
}

/* ---- inputs ------------------------------------------------------------------------------------------------- */

/* Takes an input of a running network up, new or changed; the neurons have been settled. */
static rv_status take_up_input(rv_net *net, int i)
{
    state    *s = net->state;
    rv_status status = inputs_prepare(s, i, &net->error);
    for (int t = 0; t < net->net->n_tiles && status == RV_OK; t++) {
        if (input_is_spikes(net->def.input[i].kind) && s->input[i].way != POISSON_TABLE) status = inputs_restart(s, t, i, &net->error);
        inputs_update_current(s, t, net->def.input[i].target.population, s->step);
    }
    return status;
}

static rv_status add_live_input(rv_net *net)
{
    int i = net->def.n_inputs - 1, population = net->def.input[i].target.population;
    foresee_settle(net->state, population);
    rv_status status = state_add_input(net->state, &net->error);
    if (status == RV_OK) status = take_up_input(net, i);
    foresee_population(net->state, population);
    return status;
}

rv_status rv_input_new(rv_net *net, rv_slice target, const char *kind, const rv_setting *settings, int n_settings, rv_input *input)
{
    neuron_range range;
    if (input) input->id = 0;
    TRY(definition_range(&net->def, target, &range, &net->error));
    TRY(definition_add_input(&net->def, &range, kind, settings, n_settings, &net->error));
    if (net->state) TRY(add_live_input(net));
    if (input) input->id = net->def.n_inputs;
    return RV_OK;
}

rv_status rv_input_set(rv_net *net, rv_input input, const char *name, rv_value value)
{
    if (input.id < 1 || input.id > net->def.n_inputs) return rv_fail(net, RV_UNKNOWN_NAME, "this is not an input of this network");
    int i = input.id - 1, population = net->def.input[i].target.population;
    if (!net->state) return definition_set_input(&net->def, i, name, value, &net->error);
    foresee_settle(net->state, population);
    rv_status status = definition_set_input(&net->def, i, name, value, &net->error);
    if (status == RV_OK) status = take_up_input(net, i);
    foresee_population(net->state, population);
    return status;
}
