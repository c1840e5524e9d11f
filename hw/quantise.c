#include "hw/quantise.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/prune.h"
#include "hw/quantise_internal.h"
#include "sim/tables.h"
#include "sim/value.h"

enum { MOST_SAMPLES = 256, STANDARD_BITS = 8 };

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

static bool states(const hw_chip *chip, hw_quantity q, double value) { return chip->entry[q].trust != HW_NOT_STATED && hw_value(chip, q) == value; }

/* Both arithmetics decay in 12 bits and hold 24; only Loihi 1's knows a refractory period. */
static rv_status open_chip(plan *q)
{
    TRY(hw_chip_open(q->options.chip ? q->options.chip : "loihi2", &q->chip, q->error));
    q->loihi1 = q->chip.entry[HW_REFRACTORY_MAX].trust != HW_NOT_STATED;
    if (states(&q->chip, HW_DECAY_BITS, 12) && states(&q->chip, HW_STATE_BITS, 24)) return RV_OK;
    return error_set(q->error, RV_CONFLICT,
                     "chip \"%s\": its arithmetic is not known here; allowed are loihi1, loihi2, and profiles with decay_bits = 12 and state_bits = 24", q->chip.name);
}

static rv_status out_of_range(const plan *q, const char *what, double x, const char *unit, double low, double high)
{
    return value_out_of_range(what, x, unit, low, high, q->error);
}

static rv_status check_options(plan *q)
{
    hw_quantise_options *o = &q->options;
    int                  most = q->loihi1 ? 8 : 9;
    if (o->bits == 0) o->bits = STANDARD_BITS;
    if (o->bits < 1 || o->bits > most) return out_of_range(q, "quantise: bits", o->bits, "", 1, most);
    if (!(o->step_ms == 0 || (o->step_ms >= 1e-6 && o->step_ms <= 1000))) return out_of_range(q, "quantise: step", o->step_ms, "ms", 1e-6, 1000);
    if (!(o->prune >= 0 && o->prune <= 1)) return out_of_range(q, "quantise: prune", o->prune, "", 0, 1);
    if (!(o->prune_below >= 0)) return out_of_range(q, "quantise: prune_below", o->prune_below, "", 0, INFINITY);
    if (!(o->measure_ms >= 0 && o->measure_ms <= 1e9)) return out_of_range(q, "quantise: measure", o->measure_ms, "ms", 0, 1e9);
    if (o->netx && q->loihi1) return error_set(q->error, RV_CONFLICT, "quantise: netx files are for Loihi 2, not for %s", q->chip.name);
    q->h = o->step_ms > 0 ? o->step_ms : rv_resolution(q->net);
    return RV_OK;
}

/* ---- inputs ----------------------------------------------------------------------------------------------------- */

static rv_status refuse_input(const plan *q, const input_def *in, const char *why)
{
    return error_set(q->error, RV_CONFLICT, "%s input to \"%s\": %s", input_tables[in->kind].name, q->d->population[in->target.population].name, why);
}

static rv_status check_inputs(const plan *q)
{
    for (int k = 0; k < q->d->n_inputs; k++) {
        const input_def *in = &q->d->input[k];
        if (in->kind == INPUT_DC && (in->param[INPUT_START] > 0 || in->param[INPUT_STOP] < INFINITY))
            return refuse_input(q, in, "a chip's bias is constant; allowed is a dc without start and stop, or spikes of a spike_generator");
        if (in->kind == INPUT_STEP || in->kind == INPUT_SINE)
            return refuse_input(q, in, "a chip's neurons take spikes and a constant bias, no currents that change; the nearest is a spike_generator or "
                                       "poisson_generator whose spikes bring the same charge");
        if (in->kind == INPUT_INHOMOGENEOUS || in->kind == INPUT_RENEWAL)
            return refuse_input(q, in, "allowed are poisson inputs and spikes of a population; give it to a parrot_neuron population that is connected here");
        if (in->kind == INPUT_NOISE) return refuse_input(q, in, "a chip's neurons take spikes and a constant bias, no noisy currents; the nearest are two poisson inputs of weights w and -w "
                                                                "with the same variance");
    }
    return RV_OK;
}

static void add_dc(const plan *q, int population, double *dc)
{
    for (int k = 0; k < q->d->n_inputs; k++) {
        const input_def *in = &q->d->input[k];
        if (in->kind != INPUT_DC || in->target.population != population) continue;
        for (int64_t i = 0; i < in->target.count; i++) dc[range_neuron(&in->target, i)] += in->param[DC_AMPLITUDE];
    }
}

static rv_status read_cells(plan *q)
{
    for (int p = 0; p < q->d->n_populations; p++) {
        q->population[p] = (population_plan){ .def = &q->d->population[p], .rate = NAN };
        double *dc = calloc((size_t)q->d->population[p].n + 1, sizeof *dc);
        if (!dc) return error_memory(q->error, "neurons", (double)q->d->population[p].n * sizeof *dc);
        add_dc(q, p, dc);
        rv_status status = quantise_cells(q, &q->population[p], dc);
        free(dc);
        TRY(status);
    }
    return RV_OK;
}

/* ---- synapses --------------------------------------------------------------------------------------------------- */

static const char *label_of(const plan *q, const projection_plan *j, char text[OBJECT_TEXT])
{
    if (j->def) return definition_projection_label(q->d, j->def, text);
    snprintf(text, OBJECT_TEXT, "poisson input to \"%s\"", q->d->population[j->input->target.population].name);
    return text;
}

static rv_status check_projection(const plan *q, const projection_plan *j)
{
    char                  text[OBJECT_TEXT];
    const projection_def *p = j->def;
    label_of(q, j, text);
    if (p->synapse) return error_set(q->error, RV_CONFLICT, "%s: synapse \"%s\" is a chip's already; a network is quantised as a whole", text, p->synapse->table.name);
    return RV_OK;
}

/* Weights set after compiling are not in the definition; those drawn or computed one by one are not all the same. */
static bool drawn_again(const plan *q, const projection_plan *j)
{
    const projection_def *p = j->def;
    bool                  alike = !j->integers || q->population[p->target.population].alike;
    bool                  pruned = j->integers && (q->options.prune > 0 || q->options.prune_below > 0);
    return p->weight.kind == RV_NUMBER && p->delay.kind == RV_NUMBER && !value_needs_distance(&p->p) && !p->plasticity && alike && !pruned && !q->changed[j->index];
}

static rv_status net_failed(const plan *q) { return error_set(q->error, rv_net_error(q->net)->status, "%s", rv_net_error(q->net)->text); }

static rv_status allocate_synapses(const plan *q, projection_plan *j, int64_t n, bool listed)
{
    size_t room = (size_t)(listed ? n : 1) + 1;
    j->n = n, j->weight = malloc(room * sizeof *j->weight), j->delay = malloc(room * sizeof *j->delay);
    if (listed) j->source = malloc(room * sizeof *j->source), j->target = malloc(room * sizeof *j->target);
    if (j->weight && j->delay && (!listed || (j->source && j->target))) return RV_OK;
    return error_memory(q->error, "synapses", 32.0 * (double)n);
}

static rv_status read_projection(const plan *q, projection_plan *j)
{
    int64_t n;
    TRY(check_projection(q, j));
    j->again = drawn_again(q, j);
    if (rv_synapse_count(q->net, (rv_projection){ j->index + 1 }, &n) != RV_OK) return net_failed(q);
    TRY(allocate_synapses(q, j, n, !j->again));
    j->weight[0] = value_bounded(&j->def->weight, j->def->weight.a), j->delay[0] = value_bounded(&j->def->delay, j->def->delay.a);
    if (j->again) return RV_OK;
    if (rv_synapses(q->net, (rv_projection){ j->index + 1 }, j->source, j->target, j->weight, j->delay) != RV_OK) return net_failed(q);
    return j->def->plasticity && !q->options.freeze ? quantise_read_rule(q, j) : RV_OK;
}

static rv_status read_input(const plan *q, projection_plan *j)
{
    TRY(allocate_synapses(q, j, 0, false));
    j->again = true, j->weight[0] = j->input->param[POISSON_WEIGHT], j->delay[0] = 0, j->rate = j->input->param[POISSON_RATE];
    return RV_OK;
}

static void note_sides(plan *q, const projection_plan *j)
{
    population_plan *p = &q->population[quantise_target(j)->population];
    int64_t          n = j->again ? 1 : j->n;
    for (int64_t k = 0; k < n; k++) p->used[j->weight[k] < 0 ? IN : EX] |= j->weight[k] != 0;
    if (j->learning) p->used[EX] |= j->sign != FIXED_INHIBITORY, p->used[IN] |= j->sign != FIXED_EXCITATORY;
}

/* Whether a projection's weights are stored one by one and have been changed since it was compiled. */
static rv_status weights_changed(const plan *q, int k, bool *changed)
{
    const bundle *b = &q->net->net->bundle[network_bundle_of(q->net->net, k)];
    double        number = value_bounded(&q->d->projection[k].weight, q->d->projection[k].weight.a);
    int64_t       n;
    if (b->n_synapses == 0 || b->kind == WEIGHT_CONSTANT || q->d->projection[k].weight.kind != RV_NUMBER) return RV_OK;
    if (rv_synapse_count(q->net, (rv_projection){ k + 1 }, &n) != RV_OK) return net_failed(q);
    double *weights = malloc(((size_t)n + 1) * sizeof *weights);
    if (!weights) return error_memory(q->error, "weights", (double)n * sizeof *weights);
    rv_status status = rv_synapses(q->net, (rv_projection){ k + 1 }, NULL, NULL, weights, NULL) == RV_OK ? RV_OK : net_failed(q);
    for (int64_t i = 0; i < n && status == RV_OK; i++) *changed |= weights[i] != number && weights[i] != (float)number;
    free(weights);
    return status;
}

static rv_status note_changed(plan *q)
{
    if (rv_compile(q->net) != RV_OK) return net_failed(q);
    for (int k = 0; k < q->d->n_projections; k++) TRY(weights_changed(q, k, &q->changed[k]));
    return RV_OK;
}

static int count_poisson(const plan *q)
{
    int n = 0;
    for (int k = 0; k < q->d->n_inputs; k++) n += q->d->input[k].kind == INPUT_POISSON;
    return n;
}

static rv_status read_projections(plan *q)
{
    q->projection = calloc((size_t)(q->d->n_projections + count_poisson(q)) + 1, sizeof *q->projection);
    if (!q->projection) return error_memory(q->error, "projections", 0);
    for (int k = 0; k < q->d->n_projections; k++)
        q->projection[q->n_projections++] = (projection_plan){ .index = k, .def = &q->d->projection[k] };
    for (int k = 0; k < q->d->n_inputs; k++)
        if (q->d->input[k].kind == INPUT_POISSON) q->projection[q->n_projections++] = (projection_plan){ .index = k, .input = &q->d->input[k] };
    for (int k = 0; k < q->n_projections; k++) {
        projection_plan *j = &q->projection[k];
        j->integers = q->population[quantise_target(j)->population].cell != NULL;
        j->bits = q->options.bits;
        TRY(j->def ? read_projection(q, j) : read_input(q, j));
        note_sides(q, j);
    }
    return RV_OK;
}

/* ---- delays ----------------------------------------------------------------------------------------------------- */

double quantise_delay(const plan *q, const projection_plan *j, double ms)
{
    return larger(rint(ms / q->h) + q->population[j->def->target.population].late, 1);
}

static rv_status check_delays(const plan *q, const projection_plan *j)
{
    double longest = 0, most = hw_value(&q->chip, HW_DELAY_MAX);
    for (int64_t k = 0; k < (j->again ? 1 : j->n); k++) longest = larger(longest, j->delay[k]);
    double steps = quantise_delay(q, j, longest);
    if (j->n == 0 || steps <= most) return RV_OK;
    char text[OBJECT_TEXT];
    bool late = q->population[j->def->target.population].late;
    return error_set(q->error, RV_OUT_OF_RANGE, "%s: delay = %.6g ms takes %g steps of %g ms, %s allows %g; steps of %.3g ms or more would do",
                     label_of(q, j, text), longest, steps, q->h, q->chip.name, most, longest / (most - late));
}

/* ---- pruning ---------------------------------------------------------------------------------------------------- */

static rv_status prune(const plan *q, projection_plan *j)
{
    bool *keep = malloc((size_t)j->n + 1);
    if (!keep) return error_memory(q->error, "synapses", (double)j->n);
    j->pruned = prune_select(j->weight, j->n, q->options.prune, q->options.prune_below, rv_seed(q->net) + (uint64_t)j->index, keep);
    int64_t kept = 0;
    for (int64_t k = 0; k < j->n && j->pruned >= 0; k++) {
        j->source[kept] = j->source[k], j->target[kept] = j->target[k], j->weight[kept] = j->weight[k], j->delay[kept] = j->delay[k];
        kept += keep[k];
    }
    free(keep);
    j->n = kept;
    return j->pruned >= 0 ? RV_OK : error_memory(q->error, "synapses", (double)j->n * 24);
}

/* ---- samples ---------------------------------------------------------------------------------------------------- */

static double potential(const plan *q, const projection_plan *j, int64_t k)
{
    const population_plan *p = &q->population[quantise_target(j)->population];
    int64_t                target = j->again ? quantise_target(j)->first : j->target[k];
    return quantise_target(j)->count == 0 ? 0 : j->weight[k] * p->gain[j->weight[k] < 0 ? IN : EX][target];
}

/* Weights that learn may become as large as their bounds; half of that is what is expected of all. */
static void note_growth(const plan *q, projection_plan *j)
{
    const neuron_range *to = &j->def->target;
    if (to->count == 0 || j->n == 0) return;
    double gain = q->population[to->population].gain[j->sign == FIXED_INHIBITORY ? IN : EX][to->first], now = j->biggest / gain;
    j->biggest = gain * quantise_highest(j, now > 0 ? now : 1);
    j->total = larger(j->total, j->biggest / 2 * (double)j->n);
}

static rv_status take_sample(const plan *q, projection_plan *j)
{
    char    text[OBJECT_TEXT];
    int64_t n = j->again ? 1 : j->n, stride = n / MOST_SAMPLES + 1;
    bool    negative = false, positive = false;
    j->y = malloc((MOST_SAMPLES + 1) * sizeof *j->y);
    if (!j->y) return error_memory(q->error, "synapses", 0);
    for (int64_t k = 0; k < n; k++) {
        double y = potential(q, j, k);
        negative |= y < 0, positive |= y > 0;
        j->biggest = larger(j->biggest, fabs(y)), j->total += fabs(y);
        if (k % stride == 0) j->y[j->n_sample++] = y;
    }
    if (j->learning) note_growth(q, j);
    if (j->again && j->def) j->total *= (double)j->n;
    else if (j->again) j->total *= (double)j->input->target.count;
    if (!j->learning) j->sign = fixed_sign_of(negative, positive);
    if (j->sign != FIXED_MIXED || j->bits > 1) return RV_OK;
    return error_set(q->error, RV_CONFLICT, "%s: weights of both signs, which 1 bit cannot hold; allowed are 2 bits or more, or a projection for each sign", label_of(q, j, text));
}

/* ---- measuring -------------------------------------------------------------------------------------------------- */

static rv_status run_failed(const plan *q, rv_net *net) { return error_set(q->error, rv_net_error(net)->status, "%s", rv_net_error(net)->text); }

/* Largest |u| of every population of integers, looked at in every step. */
typedef struct watch_u {
    const plan *q;
    double     *highest; /* [n_populations] */
    double     *u;       /* room            */
} watch_u;

static rv_status look_at_u(rv_net *net, double t_ms, void *user)
{
    watch_u *w = user;
    (void)t_ms;
    for (int p = 0; p < w->q->d->n_populations; p++) {
        if (!w->q->population[p].cell) continue;
        TRY(rv_get(net, rv_all((rv_population){ p + 1 }), "u", w->u));
        for (int64_t i = 0; i < w->q->d->population[p].n; i++) w->highest[p] = larger(w->highest[p], fabs(w->u[i]));
    }
    return RV_OK;
}

/* Runs a network from its beginning. @param rate result, [n_populations] Hz */
static rv_status measure(const plan *q, rv_net *net, double *rate)
{
    double steps = larger(rint(q->options.measure_ms / rv_resolution(net)), 1), ms = steps * rv_resolution(net);
    for (int p = 0; p < q->d->n_populations; p++)
        if (rv_record_spikes(net, (rv_population){ p + 1 }) != RV_OK) return run_failed(q, net);
    if (rv_run(net, ms) != RV_OK) return run_failed(q, net);
    for (int p = 0; p < q->d->n_populations; p++) {
        double neuron_seconds = (double)q->d->population[p].n * ms * 1e-3;
        rate[p] = neuron_seconds > 0 ? (double)rv_spike_count(net, (rv_population){ p + 1 }) / neuron_seconds : 0;
    }
    return RV_OK;
}

static rv_status measure_given(plan *q)
{
    rv_net   *copy;
    double   *rate = calloc((size_t)q->d->n_populations + 1, sizeof *rate);
    rv_status status = rate ? quantise_copy(q, &copy) : error_memory(q->error, "rates", 0);
    if (status == RV_OK) {
        status = measure(q, copy, rate);
        rv_net_free(copy);
    }
    for (int p = 0; p < q->d->n_populations && status == RV_OK; p++) q->population[p].rate = rate[p];
    free(rate);
    return status;
}

static rv_status measure_quantised(const plan *q, hw_quantise_report *report)
{
    rv_net   *net;
    int       n = q->d->n_populations;
    double   *rate = calloc(2 * (size_t)n + 1, sizeof *rate), *u = calloc((size_t)q->d->n_neurons + 1, sizeof *u);
    rv_status status = rate && u ? quantise_build(q, &net) : error_memory(q->error, "rates", 0);
    if (status == RV_OK) {
        watch_u w = { q, rate + n, u };
        status = rv_every(net, q->h, look_at_u, &w) == RV_OK ? measure(q, net, rate) : run_failed(q, net);
        rv_net_free(net);
    }
    for (int p = 0; p < n && status == RV_OK; p++) {
        report->population[p].rate[1] = rate[p];
        if (q->population[p].cell) report->population[p].highest_u = rate[n + p] / FIXED_STATE;
    }
    free(rate), free(u);
    return status;
}

/* Rates of sources: measured, or known, or 0 for unknown. */
static void note_rates(plan *q)
{
    for (int k = 0; k < q->d->n_projections; k++) {
        double rate = q->population[q->d->projection[k].source.population].rate;
        q->projection[k].rate = isnan(rate) ? 0 : rate;
    }
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status choose(plan *q)
{
    for (int p = 0; p < q->d->n_populations; p++)
        if (q->population[p].cell) TRY(quantise_decays(q, &q->population[p]));
    for (int k = 0; k < q->n_projections; k++) {
        projection_plan *j = &q->projection[k];
        if (j->def) TRY(check_delays(q, j));
        if (!j->integers) continue;
        if (j->def && !j->again && (q->options.prune > 0 || q->options.prune_below > 0)) TRY(prune(q, j));
        TRY(take_sample(q, j));
    }
    for (int p = 0; p < q->d->n_populations; p++) TRY(quantise_scale(q, p));
    for (int k = 0; k < q->n_projections; k++)
        if (q->projection[k].learning) TRY(quantise_rule(q, &q->projection[k]));
    return RV_OK;
}

static rv_status make_plan(plan *q)
{
    q->population = calloc((size_t)q->d->n_populations + 1, sizeof *q->population);
    q->changed = calloc((size_t)q->d->n_projections + 1, sizeof *q->changed);
    if (!q->population || !q->changed) return error_memory(q->error, "populations", 0);
    TRY(check_inputs(q));
    TRY(read_cells(q));
    TRY(note_changed(q));
    TRY(read_projections(q));
    if (q->options.measure_ms > 0) TRY(measure_given(q));
    note_rates(q);
    return choose(q);
}

static void free_plan(plan *q)
{
    for (int p = 0; q->population && p < q->d->n_populations; p++) {
        population_plan *x = &q->population[p];
        free(x->cell), free(x->keep_u), free(x->keep_v), free(x->gain[EX]), free(x->gain[IN]), free(x->bound), free(x->bound_step);
    }
    for (int k = 0; k < q->n_projections; k++) {
        projection_plan *j = &q->projection[k];
        free(j->source), free(j->target), free(j->weight), free(j->delay), free(j->y), quantise_free_rule(j->learning);
    }
    free(q->population), free(q->projection), free(q->changed);
}

static rv_status finish(const plan *q, rv_net **quantised, hw_quantise_report *report)
{
    TRY(quantise_build(q, quantised));
    if (!report) return RV_OK;
    TRY(quantise_report(q, report));
    return q->options.measure_ms > 0 ? measure_quantised(q, report) : RV_OK;
}

rv_status hw_quantise(rv_net *net, const hw_quantise_options *options, rv_net **quantised, hw_quantise_report *report, rv_error *error)
{
    plan q = { .net = net, .d = &net->def, .options = options ? *options : (hw_quantise_options){ 0 }, .error = error };
    *quantised = NULL;
    if (report) *report = (hw_quantise_report){ 0 };
    rv_status status = open_chip(&q);
    if (status == RV_OK) status = check_options(&q);
    if (status == RV_OK) status = make_plan(&q);
    if (status == RV_OK) status = finish(&q, quantised, report);
    if (status != RV_OK) {
        rv_net_free(*quantised);
        *quantised = NULL;
        if (report) hw_quantise_report_free(report);
    }
    free_plan(&q);
    return status;
}
