/* The network of integers, and the copy of the given network it is compared with. Both are made object by object in the order
 * of the given one, with its seed: what is drawn by the same rule is drawn alike. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_net.h"
#include "hw/quantise_internal.h"
#include "sim/convolution.h"
#include "sim/tables.h"

/* A network being made. */
typedef struct building {
    const plan *q;
    rv_net     *net;
    bool        integers; /* else the copy */
} building;

static rv_status checked(const building *b, rv_status status)
{
    return status == RV_OK ? RV_OK : error_set(b->q->error, status, "%s", rv_net_error(b->net)->text);
}

static rv_status set_values(const building *b, int population, const char *name, const double *x, int64_t n)
{
    bool alike = true;
    for (int64_t i = 1; i < n && alike; i++) alike = x[i] == x[0];
    if (n == 0) return RV_OK;
    return checked(b, rv_set(b->net, (rv_population){ population + 1 }, name, alike ? rv_number(x[0]) : rv_list(x, n)));
}

/* ---- populations as they are ------------------------------------------------------------------------------------ */

/* Fills x with what f says of every neuron, and sets it. */
typedef double (*neuron_fn)(const population_plan *p, int64_t i, int field);

static double given_param(const population_plan *p, int64_t i, int field) { return neuron_value(&p->def->param[field], i); }
static double given_state(const population_plan *p, int64_t i, int field) { return neuron_value(&p->def->initial[field], i); }

static rv_status set_all(const building *b, int population, const char *name, neuron_fn f, int field)
{
    const population_plan *p = &b->q->population[population];
    double                *x = malloc(((size_t)p->def->n + 1) * sizeof *x);
    if (!x) return error_memory(b->q->error, "neurons", (double)p->def->n * sizeof *x);
    for (int64_t i = 0; i < p->def->n; i++) x[i] = f(p, i, field);
    rv_status status = set_values(b, population, name, x, p->def->n);
    free(x);
    return status;
}

/* Spike times go to the nearest step, not to the next one. */
static rv_status copy_times(const building *b, int population)
{
    const population_def *def = b->q->population[population].def;
    double                h = rv_resolution(b->net);
    rv_status             status = RV_OK;
    for (int64_t i = 0; def->spike_times && i < def->n && status == RV_OK; i++) {
        int64_t n = def->n_spike_times[i];
        double *times = malloc(((size_t)n + 1) * sizeof *times);
        if (!times) return error_memory(b->q->error, "spike times", (double)n * sizeof *times);
        for (int64_t k = 0; k < n; k++) times[k] = b->integers ? larger(rint(def->spike_times[i][k] / h), 1) * h : def->spike_times[i][k];
        if (n > 0) status = checked(b, rv_set_spike_times(b->net, (rv_population){ population + 1 }, i, times, n));
        if (n > 0 && status == RV_OK && def->payloads && def->payloads[i])
            status = checked(b, rv_set_payloads(b->net, (rv_population){ population + 1 }, i, def->payloads[i], n));
        free(times);
    }
    return status;
}

static rv_status copy_population(const building *b, int population)
{
    const rv_table *table = &b->q->population[population].def->model->table;
    for (int k = 0; k < table->n_params; k++) TRY(set_all(b, population, table->params[k].name, given_param, k));
    for (int k = 0; k < table->n_states; k++) TRY(set_all(b, population, table->states[k].name, given_state, k));
    return copy_times(b, population);
}

/* ---- populations of integers ------------------------------------------------------------------------------------ */

static double clip_state(double x) { return fixed_clip(rint(x), -(FIXED_STATE - 1), FIXED_STATE - 1); }

static double chip_du(const population_plan *p, int64_t i, int field) { return (void)field, FIXED_ONE - 1 - p->keep_u[i]; }
static double chip_dv(const population_plan *p, int64_t i, int field) { return (void)field, FIXED_ONE - p->keep_v[i]; }
static double chip_vth(const population_plan *p, int64_t i, int unit) { return quantise_threshold(p, i) * unit; }
static double chip_mantissa(const population_plan *p, int64_t i, int field) { return (void)field, rint(ldexp(quantise_bias(p, i), -p->bias_exp)); }
static double chip_exponent(const population_plan *p, int64_t i, int field) { return (void)i, (void)field, p->bias_exp; }
static double chip_bias(const population_plan *p, int64_t i, int field) { return ldexp(chip_mantissa(p, i, field), p->bias_exp); }
static double chip_v(const population_plan *p, int64_t i, int field) { return (void)field, clip_state(p->scale * p->cell[i].v0); }
static double chip_hold(const population_plan *p, int64_t i, int field) { return (void)field, p->cell[i].hold + 1; }

static double chip_u(const population_plan *p, int64_t i, int field)
{
    const lif_cell *c = &p->cell[i];
    double          u = 0;
    for (int side = EX; side <= IN; side++)
        if (c->jump[side] != 0) u += p->gain[side][i] / c->jump[side] * c->u0[side];
    return (void)field, clip_state(p->scale * u);
}

/* vmin is 1 - 2^k. */
static double chip_vmin(const population_plan *p, int64_t i, int field)
{
    double floor = -p->scale * p->cell[i].floor;
    return (void)field, 1 - exp2(fixed_clip(rint(log2(1 + floor)), 0, 23));
}

typedef struct chip_field {
    const char *name;
    neuron_fn   value;
    int         unit;
} chip_field;

static const chip_field loihi2_fields[] = { { "du", chip_du, 0 },  { "dv", chip_dv, 0 }, { "vth", chip_vth, 1 }, { "bias_mant", chip_mantissa, 0 },
                                            { "bias_exp", chip_exponent, 0 }, { "v", chip_v, 0 }, { "u", chip_u, 0 }, { NULL, NULL, 0 } };
static const chip_field loihi1_fields[] = { { "du", chip_du, 0 },     { "dv", chip_dv, 0 }, { "vth", chip_vth, 64 }, { "bias", chip_bias, 0 }, { "vmin", chip_vmin, 0 },
                                            { "refract_delay", chip_hold, 0 }, { "v", chip_v, 0 }, { "u", chip_u, 0 }, { NULL, NULL, 0 } };

static rv_status fill_integers(const building *b, int population)
{
    for (const chip_field *f = b->q->loihi1 ? loihi1_fields : loihi2_fields; f->name; f++) {
        bool state = f->value == chip_v || f->value == chip_u;
        if (!(state && b->q->options.netx)) TRY(set_all(b, population, f->name, f->value, f->unit));
    }
    return RV_OK;
}

/* ---- all populations -------------------------------------------------------------------------------------------- */

static const char *integer_model(const plan *q) { return q->loihi1 ? "loihi1_lif" : "loihi_lif"; }

static rv_status make_populations(const building *b)
{
    for (int p = 0; p < b->q->d->n_populations; p++) {
        const population_def *def = &b->q->d->population[p];
        bool                  chip = b->integers && b->q->population[p].cell;
        rv_population         made = rv_population_new(b->net, def->name, def->n, chip ? integer_model(b->q) : def->model->table.name);
        if (!made.id) return checked(b, rv_net_error(b->net)->status);
        if (def->xyz) TRY(checked(b, rv_set_positions(b->net, made, def->xyz, def->period)));
        TRY(chip ? fill_integers(b, p) : copy_population(b, p));
    }
    return RV_OK;
}

/* ---- projections ------------------------------------------------------------------------------------------------ */

static rv_slice slice_of(const neuron_range *r) { return (rv_slice){ { r->population + 1 }, r->first, r->count, r->stride }; }

/* The same pairs: by the same rule. */
static rv_connect_def rule_of(definition_pairs *pairs)
{
    const projection_def *p = pairs->of;
    return (rv_connect_def){ .source = slice_of(&p->source), .target = slice_of(&p->target), .rule = connect_rule_names[p->rule], .degree = p->degree, .total = p->total,
                             .p = p->p, .no_autapses = !p->autapses, .no_multapses = !p->multapses,
                             .pairs = p->rule == CONNECT_LIST ? definition_next_pairs : NULL, .pairs_user = pairs, .convolution = &p->convolution, .weight = p->weight, .delay = p->delay };
}

/* A list keeps the shape of its projection where that has a place for every synapse: chips store dense ones better. */
static int64_t place_of(const projection_def *p, int64_t source, int64_t target)
{
    int64_t s = range_index(&p->source, source), t = range_index(&p->target, target);
    if (p->rule == CONNECT_ONE_TO_ONE) return s;
    return s * p->target.count + t;
}

static bool keeps_shape(const projection_plan *j)
{
    const projection_def *p = j->def;
    int64_t               all = p->rule == CONNECT_ONE_TO_ONE ? p->source.count : p->rule == CONNECT_ALL_TO_ALL ? p->source.count * p->target.count : -1;
    return j->n == all && !projection_excludes_autapses(p);
}

/* A convolution stays one if all synapses of a place of its kernel still have one weight, and all one delay.
 * @return whether the kernel has been filled */
static bool find_kernel(const projection_plan *j, const double *weights, const double *delays, int64_t all, double *kernel, int64_t n_kernel)
{
    bool same = projection_is_compact(j->def) && j->n == all;
    for (int64_t k = 0; k < n_kernel && same; k++) kernel[k] = NAN;
    for (int64_t k = 0; k < j->n && same; k++) {
        double *w = &kernel[convolution_weight_of(j->def, j->source[k], j->target[k])];
        same = (isnan(*w) || *w == weights[k]) && delays[k] == delays[0];
        *w = weights[k];
    }
    for (int64_t k = 0; k < n_kernel && same; k++) kernel[k] = isnan(kernel[k]) ? 0 : kernel[k]; /* taps that meet nothing */
    return same;
}

/* @param done result: whether it was one */
static rv_status connect_kernel(const building *b, const projection_plan *j, rv_connect_def *def, const double *weights, const double *delays, bool *done)
{
    const int64_t *size = j->def->convolution.kernel;
    int64_t        n = size[0] * size[1] * size[2] * size[3], all = 0;
    *done = false;
    if (!projection_is_compact(j->def) || j->n == 0 || rv_synapse_count(b->q->net, (rv_projection){ j->index + 1 }, &all) != RV_OK) return RV_OK;
    double *kernel = malloc((size_t)n * sizeof *kernel);
    if (!kernel) return error_memory(b->q->error, "a kernel", (double)n * sizeof *kernel);
    rv_status status = RV_OK;
    if (find_kernel(j, weights, delays, all, kernel, n)) {
        *done = true, def->weight = rv_list(kernel, n), def->delay = rv_number(delays[0]);
        status = checked(b, rv_connect(b->net, def, NULL));
    }
    free(kernel);
    return status;
}

static rv_status connect_list(const building *b, const projection_plan *j, rv_connect_def *def, const double *weights, const double *delays)
{
    int64_t n = j->n;
    bool    done;
    TRY(connect_kernel(b, j, def, weights, delays, &done));
    if (done) return RV_OK;
    double *list = malloc(2 * ((size_t)n + 1) * sizeof *list);
    if (!list) return error_memory(b->q->error, "synapses", 2.0 * (double)n * sizeof *list);
    if (keeps_shape(j)) {
        for (int64_t k = 0; k < n; k++) {
            int64_t place = place_of(j->def, j->source[k], j->target[k]);
            list[place] = weights[k], list[n + place] = delays[k];
        }
    } else {
        memcpy(list, weights, (size_t)n * sizeof *list), memcpy(list + n, delays, (size_t)n * sizeof *list);
        def->rule = "list", def->pairs = NULL, def->sources = j->source, def->targets = j->target, def->n_list = n, def->no_autapses = def->no_multapses = false;
        def->source = rv_all((rv_population){ j->def->source.population + 1 }), def->target = rv_all((rv_population){ j->def->target.population + 1 });
    }
    def->weight = rv_list(list, n), def->delay = rv_list(list + n, n);
    rv_status status = checked(b, rv_connect(b->net, def, NULL));
    free(list);
    return status;
}

/* ---- learning --------------------------------------------------------------------------------------------------- */

enum { MOST_SETTINGS = 3 + N_EPOCH_VARIABLES + RV_MAX_PARAMS };

/* The rule as the chip's sums of products. @param settings room; those of the synapse are in it */
static void learn_products(const learning_plan *l, rv_connect_def *def, rv_setting *settings)
{
    static const char *const texts[] = { "dw", "dt", "dd" }, *const impulses[] = { "x1_impulse", "x2_impulse", "y1_impulse", "y2_impulse", "y3_impulse" },
                      *const taus[] = { "x1_tau", "x2_tau", "y1_tau", "y2_tau", "y3_tau" };
    def->plasticity = "loihi_rule";
    settings[def->n_settings++] = (rv_setting){ "t_epoch", rv_number(l->e.t_epoch) };
    for (int v = 0; v < N_EPOCH_VARIABLES; v++)
        if (l->text[v]) settings[def->n_settings++] = (rv_setting){ texts[v], rv_text(l->text[v]) };
    for (int k = 0; k < N_EPOCH_TRACES; k++) {
        settings[def->n_settings++] = (rv_setting){ impulses[k], rv_number(l->impulse[k]) };
        settings[def->n_settings++] = (rv_setting){ taus[k], rv_number(l->e.tau[k]) };
    }
}

/* The rule as it was given. */
static void learn_as_given(const projection_def *p, rv_connect_def *def, rv_setting *settings)
{
    def->plasticity = p->plasticity->table.name, def->settings = settings;
    def->n_settings = export_rule_settings(p->plasticity, p->param, p->text, settings, 0);
}

/* Weights and delays of the chip. */
static rv_status connect_integers(const building *b, const projection_plan *j, rv_connect_def *def)
{
    const plan            *q = b->q;
    const population_plan *p = &q->population[j->def->target.population];
    int64_t                n = j->again ? 1 : j->n;
    double                *m = malloc(2 * ((size_t)n + 1) * sizeof *m), *delay = m + n;
    if (!m) return error_memory(q->error, "synapses", 2.0 * (double)n * sizeof *m);
    for (int64_t k = 0; k < n; k++) {
        int64_t target = j->again ? j->def->target.first : j->target[k];
        double  gain = j->def->target.count > 0 ? p->gain[j->weight[k] < 0 ? IN : EX][target] : 0;
        m[k] = ldexp(quantise_weight(j, p->scale, gain * j->weight[k], NULL), -j->exponent);
        delay[k] = quantise_delay(q, j, j->delay[k]) * q->h;
    }
    rv_setting settings[MOST_SETTINGS] = { { "weight_exp", rv_number(j->exponent) }, { "num_weight_bits", rv_number(j->bits) }, { "sign_mode", rv_number(j->sign) } };
    def->synapse = q->loihi1 ? "loihi1" : "loihi", def->settings = settings, def->n_settings = 3;
    if (j->learning) learn_products(j->learning, def, settings);
    def->weight = rv_number(m[0]), def->delay = rv_number(delay[0]);
    rv_status status = j->again ? checked(b, rv_connect(b->net, def, NULL)) : connect_list(b, j, def, m, delay);
    free(m);
    return status;
}

/* What ends at parrots, which count spikes: delays alone matter. */
static rv_status connect_plain(const building *b, const projection_plan *j, rv_connect_def *def)
{
    const plan *q = b->q;
    def->delay = rv_number(quantise_delay(q, j, j->delay[0]) * q->h), def->weight = rv_number(j->weight[0]);
    if (j->again) return checked(b, rv_connect(b->net, def, NULL));
    double *delay = malloc(((size_t)j->n + 1) * sizeof *delay);
    if (!delay) return error_memory(q->error, "synapses", (double)j->n * sizeof *delay);
    for (int64_t k = 0; k < j->n; k++) delay[k] = quantise_delay(q, j, j->delay[k]) * q->h;
    rv_status status = connect_list(b, j, def, j->weight, delay);
    free(delay);
    return status;
}

static rv_status make_projections(const building *b)
{
    for (int k = 0; k < b->q->d->n_projections; k++) {
        const projection_plan *j = &b->q->projection[k];
        definition_pairs       pairs = { .of = j->def };
        rv_connect_def         def = rule_of(&pairs);
        rv_setting             given[MOST_SETTINGS];
        if (!b->integers && j->learning) learn_as_given(j->def, &def, given);
        if (!b->integers) TRY(j->again ? checked(b, rv_connect(b->net, &def, NULL)) : connect_list(b, j, &def, j->weight, j->delay));
        else TRY(j->integers ? connect_integers(b, j, &def) : connect_plain(b, j, &def));
    }
    return RV_OK;
}

/* ---- inputs ----------------------------------------------------------------------------------------------------- */

static const projection_plan *plan_of_input(const plan *q, int input)
{
    for (int k = q->d->n_projections; k < q->n_projections; k++)
        if (q->projection[k].index == input) return &q->projection[k];
    return NULL;
}

/* Input of the engine goes into u as it is: Loihi 2 multiplies it with 64, Loihi 1 gets it so. */
static double input_weight(const plan *q, const projection_plan *j)
{
    const population_plan *p = &q->population[j->input->target.population];
    if (!j->integers || j->input->target.count == 0) return j->weight[0];
    double gain = 0;
    for (int64_t i = 0; i < j->input->target.count; i++) gain += p->gain[j->weight[0] < 0 ? IN : EX][range_neuron(&j->input->target, i)];
    double y = j->weight[0] * gain / (double)j->input->target.count; /* one weight for all, though gains may differ */
    return quantise_weight(j, p->scale, y, NULL) * (q->loihi1 ? FIXED_SHIFT : 1);
}

static rv_status make_inputs(const building *b)
{
    for (int k = 0; k < b->q->d->n_inputs; k++) {
        const input_def       *in = &b->q->d->input[k];
        const projection_plan *j = plan_of_input(b->q, k);
        const rv_table        *table = &input_tables[in->kind];
        rv_setting             settings[MAX_INPUT_PARAMS];
        if (b->integers && !j) continue; /* a constant current: in the bias */
        for (int f = 0; f < table->n_params; f++) settings[f] = (rv_setting){ table->params[f].name, rv_number(in->param[f]) };
        if (b->integers) settings[POISSON_WEIGHT].value = rv_number(input_weight(b->q, j));
        TRY(checked(b, rv_input_new(b->net, slice_of(&in->target), table->name, settings, table->n_params, NULL)));
    }
    return RV_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status make(const plan *q, rv_net_def def, bool integers, rv_net **net)
{
    TRY(rv_net_new(&def, net, q->error));
    building  b = { q, *net, integers };
    rv_status status = make_populations(&b);
    if (status == RV_OK) status = make_inputs(&b);
    if (status == RV_OK) status = make_projections(&b);
    if (status == RV_OK) return RV_OK;
    rv_net_free(*net);
    *net = NULL;
    return status;
}

rv_status quantise_build(const plan *q, rv_net **net)
{
    return make(q, (rv_net_def){ .resolution = q->h, .seed = rv_seed(q->net), .threads = rv_threads(q->net) }, true, net);
}

rv_status quantise_copy(const plan *q, rv_net **net)
{
    rv_net_def def = { .resolution = rv_resolution(q->net), .seed = rv_seed(q->net), .timing = rv_net_timing(q->net), .threads = rv_threads(q->net) };
    return make(q, def, false, net);
}
