/* The public calls that record, and that read what was recorded. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"
#include "sim/tables.h"

/* ---- spikes ------------------------------------------------------------------------------------------------- */

static int population_or_fail(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    if (p < 0) rv_fail((rv_net *)net, RV_UNKNOWN_NAME, "this is not a population of this network");
    return p;
}

rv_status rv_record_spikes(rv_net *net, rv_population population)
{
    int p = population_or_fail(net, population);
    if (p < 0) return RV_UNKNOWN_NAME;
    net->spikes[p].on = true;
    return RV_OK;
}

bool rv_spikes_recorded(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    return p >= 0 && net->spikes[p].on;
}

int64_t rv_spike_count(const rv_net *net, rv_population population)
{
    int p = net_population(net, population);
    return p < 0 ? 0 : net->spikes[p].spool.n;
}

rv_status rv_spike_read(rv_net *net, rv_population population, int64_t first, int64_t n, double *times_ms, int64_t *neurons)
{
    enum { AT_ONCE = 4096 };
    spike_record some[AT_ONCE];
    int          p = population_or_fail(net, population);
    if (p < 0) return RV_UNKNOWN_NAME;
    for (int64_t done = 0, m; done < n; done += m) {
        m = n - done < AT_ONCE ? n - done : AT_ONCE;
        if (!spool_read(&net->spikes[p].spool, first + done, m, some))
            return rv_fail(net, RV_OUT_OF_RANGE, "population \"%s\": spikes %lld to %lld, there are %lld", net->def.population[p].name,
                           (long long)first, (long long)(first + n), (long long)net->spikes[p].spool.n);
        for (int64_t k = 0; k < m; k++) {
            if (times_ms) times_ms[done + k] = some[k].time * net->def.resolution;
            if (neurons) neurons[done + k] = some[k].neuron;
        }
    }
    return RV_OK;
}

/* ---- probes ------------------------------------------------------------------------------------------------- */

/* Takes the probe over; it is freed if it cannot be kept. */
static rv_status keep_probe(rv_net *net, probe *p, rv_probe *handle)
{
    spool_open(&p->times, sizeof(double));
    spool_open(&p->values, sizeof(double) * (size_t)p->n_columns);
    rv_status status = RV_OK;
    if (p->kind == RV_PROBE_STATE && net->state) status = probe_open(p, net->state, &net->error);
    if (status == RV_OK && !net_append(net, &net->probe, net->n_probes, sizeof *net->probe)) status = RV_OUT_OF_MEMORY;
    if (status != RV_OK) {
        probe_close(p, net->net ? net->net->n_tiles : 0);
        free(p);
        return status;
    }
    net->probe[net->n_probes++] = p;
    if (handle) handle->id = net->n_probes;
    return RV_OK;
}

static rv_status new_probe(rv_net *net, rv_probe_kind kind, double interval_ms, const char *what, probe **p)
{
    int64_t interval = 1;
    if (interval_ms != 0) TRY(net_steps(net, interval_ms, what, 1, &interval));
    *p = calloc(1, sizeof **p);
    if (!*p) return error_memory(&net->error, "a probe", sizeof **p);
    (*p)->kind = kind, (*p)->interval = interval, (*p)->projection = -1, (*p)->n_columns = 1;
    return RV_OK;
}

rv_status rv_record_state(rv_net *net, rv_slice slice, const char *variable, double interval_ms, rv_probe *handle)
{
    neuron_range range;
    probe       *p;
    if (handle) handle->id = 0;
    TRY(definition_range(&net->def, slice, &range, &net->error));
    const population_def *def = &net->def.population[range.population];
    int                   k = table_state(&def->model->table, variable);
    if (k < 0) {
        const char *names[RV_MAX_STATES];
        char        object[160];
        for (int v = 0; v < def->model->table.n_states; v++) names[v] = def->model->table.states[v].name;
        snprintf(object, sizeof object, "population \"%.100s\"", def->name);
        return error_unknown(&net->error, object, "state variable", variable, names, def->model->table.n_states);
    }
    TRY(new_probe(net, RV_PROBE_STATE, interval_ms, "the interval of a probe", &p));
    p->range = range, p->variable = k, p->n_columns = range.count;
    return keep_probe(net, p, handle);
}

rv_status rv_record_rate(rv_net *net, rv_population population, double bin_ms, rv_probe *handle)
{
    probe *p;
    int    index = population_or_fail(net, population);
    if (handle) handle->id = 0;
    if (index < 0) return RV_UNKNOWN_NAME;
    TRY(new_probe(net, RV_PROBE_RATE, bin_ms, "the bin of a rate", &p));
    TRY(definition_range(&net->def, rv_all(population), &p->range, &net->error));
    p->bin_end = ((net->state ? net->state->step : 0) / p->interval + 1) * p->interval;
    return keep_probe(net, p, handle);
}

/* ---- synapses ----------------------------------------------------------------------------------------------- */

static rv_status check_sample(rv_net *net, const char *object, const rv_synapse_sample *sample, int64_t n)
{
    if (sample->bins < 0 || sample->bins > 1000000) return rv_fail(net, RV_OUT_OF_RANGE, "%s: %d bins, allowed 1 to 1000000", object, sample->bins);
    if (sample->bins > 0 && !(sample->low < sample->high && isfinite(sample->high - sample->low)))
        return rv_fail(net, RV_OUT_OF_RANGE, "%s: a histogram from %g to %g; the first must be less than the second", object, sample->low, sample->high);
    if (sample->bins > 0 && sample->synapses) return rv_fail(net, RV_CONFLICT, "%s: a histogram is of all synapses, not of some", object);
    for (int64_t k = 0; k < sample->n_synapses && sample->synapses; k++)
        if (sample->synapses[k] < 0 || sample->synapses[k] >= n)
            return rv_fail(net, RV_OUT_OF_RANGE, "%s: synapse %lld, there are %lld (the first is 0)", object, (long long)sample->synapses[k], (long long)n);
    return RV_OK;
}

/* What is sampled goes into the probe. */
static rv_status describe_sample(rv_net *net, int index, const rv_synapse_sample *sample, int64_t n, probe *p)
{
    p->projection = index, p->variable = -1;
    p->range.population = net->def.projection[index].target.population;
    p->first = (net->state->step / p->interval + 1) * p->interval;
    p->n_columns = sample->bins > 0 ? sample->bins : sample->synapses ? sample->n_synapses : n;
    p->low = sample->low, p->high = sample->high;
    if (sample->variable && strcmp(sample->variable, "weight") != 0 && (p->variable = net_state_of_rule(net, index, sample->variable)) < 0) return net->error.status;
    if (!sample->synapses) return RV_OK;
    p->synapses = malloc((size_t)(p->n_columns + 1) * sizeof *p->synapses);
    if (!p->synapses) return error_memory(&net->error, "a probe", (double)p->n_columns * 8);
    memcpy(p->synapses, sample->synapses, (size_t)p->n_columns * sizeof *p->synapses);
    return RV_OK;
}

rv_status rv_record_synapses(rv_net *net, rv_projection projection, const rv_synapse_sample *sample, rv_probe *handle)
{
    probe  *p;
    char    object[OBJECT_TEXT];
    int     index = net_projection(net, projection);
    int64_t n;
    if (handle) handle->id = 0;
    if (index < 0) return RV_UNKNOWN_NAME;
    for (int k = 0; k < net->n_tasks; k++)
        if (net->task[k].projection == index && (net->task[k].kind == TASK_REWIRE || net->task[k].kind == TASK_DELAYS))
            return rv_fail(net, RV_CONFLICT, "projection \"%s\" -> \"%s\": its synapses come and go, or change their delays, and cannot be recorded one by one",
                           net->def.population[net->task[k].source].name, net->def.population[net->task[k].target].name);
    definition_projection_label(&net->def, &net->def.projection[index], object);
    TRY(rv_synapse_count(net, projection, &n));
    TRY(check_sample(net, object, sample, n));
    TRY(new_probe(net, sample->bins > 0 ? RV_PROBE_HISTOGRAM : RV_PROBE_WEIGHTS, sample->interval_ms, "the interval of a probe", &p));
    rv_status status = describe_sample(net, index, sample, n, p);
    if (status == RV_OK) return keep_probe(net, p, handle);
    free(p->synapses);
    free(p);
    return status;
}

rv_status rv_record_weights(rv_net *net, rv_projection projection, double interval_ms, rv_probe *handle)
{
    return rv_record_synapses(net, projection, &(rv_synapse_sample){ .interval_ms = interval_ms }, handle);
}

static int bin_of(const probe *p, double value)
{
    double at = (value - p->low) / (p->high - p->low) * (double)p->n_columns;
    return at >= 0 ? at < (double)p->n_columns ? (int)at : (int)p->n_columns - 1 : 0; /* NaN: the first */
}

/* The values of all synapses become those of the columns, in place; there is room for both. */
static void fill_columns(const probe *p, double *values, int64_t n)
{
    double *columns = values + n;
    for (int64_t c = 0; c < p->n_columns; c++) columns[c] = p->kind == RV_PROBE_HISTOGRAM ? 0 : values[p->synapses ? p->synapses[c] : c];
    for (int64_t k = 0; k < n && p->kind == RV_PROBE_HISTOGRAM; k++) columns[bin_of(p, values[k])]++;
}

rv_status net_sample_synapses(rv_net *net, probe *p)
{
    int64_t n;
    TRY(rv_synapse_count(net, (rv_projection){ p->projection + 1 }, &n));
    double *values = malloc((size_t)(n + p->n_columns + 1) * sizeof *values);
    if (!values) return error_memory(&net->error, "recorded weights", (double)(n + p->n_columns) * sizeof *values);
    rv_status status = p->variable < 0 ? net_weights(net, p->projection, values) : net_learning_state(net, p->projection, p->variable, values);
    if (status == RV_OK) {
        fill_columns(p, values, n);
        status = probe_keep_weights(p, values + n, rv_time(net));
    }
    free(values);
    p->first += p->interval;
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

static probe *probe_of(rv_net *net, rv_probe handle)
{
    if (handle.id >= 1 && handle.id <= net->n_probes) return net->probe[handle.id - 1];
    rv_fail(net, RV_UNKNOWN_NAME, "this is not a probe of this network");
    return NULL;
}

int rv_probe_count(const rv_net *net) { return net->n_probes; }

rv_status rv_probe_describe(rv_net *net, rv_probe handle, rv_probe_info *info)
{
    const probe *p = probe_of(net, handle);
    if (!p) return RV_UNKNOWN_NAME;
    const rv_table *table = p->projection < 0 ? &net->def.population[p->range.population].model->table : net->def.projection[p->projection].plasticity ? &net->def.projection[p->projection].plasticity->table : NULL;
    bool            rate = p->kind == RV_PROBE_RATE, weight = p->projection >= 0 && p->variable < 0;
    *info = (rv_probe_info){ .kind = p->kind, .population = { p->range.population + 1 }, .projection = { p->projection + 1 },
                             .slice = { { p->range.population + 1 }, p->range.first, p->range.count, p->range.stride },
                             .variable = rate ? "rate" : weight ? "weight" : table->states[p->variable].name,
                             .unit = rate ? "Hz" : weight ? "1" : table->states[p->variable].unit, .synapses = p->synapses, .low = p->low, .high = p->high,
                             .interval_ms = (double)p->interval * net->def.resolution, .n_columns = p->n_columns, .n_samples = p->times.n };
    return RV_OK;
}

rv_status rv_probe_read(rv_net *net, rv_probe handle, int64_t first, int64_t n, double *times_ms, double *values)
{
    probe *p = probe_of(net, handle);
    if (!p) return RV_UNKNOWN_NAME;
    bool good = (!times_ms || spool_read(&p->times, first, n, times_ms)) && (!values || spool_read(&p->values, first, n, values));
    if (good) return RV_OK;
    return rv_fail(net, RV_OUT_OF_RANGE, "probe %d: samples %lld to %lld, there are %lld", handle.id, (long long)first, (long long)(first + n),
                   (long long)p->times.n);
}
