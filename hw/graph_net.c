/* The graph of a network of the simulator. Static synapses are read straight from the rows of sim/network.h, because a
 * list of 50 million would take gigabytes; those that learn come through the list, caught up to now. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/graph.h"
#include "sim/convolution.h"
#include "sim/net.h"

enum { STANDARD_BITS = 8 };
static const double standard_rate = 10; /* Hz */

static double estimated_rate(const hw_graph_options *options) { return options && options->rate > 0 ? options->rate : standard_rate; }

typedef struct reading {
    rv_net    *net;
    hw_graph  *graph;
    rv_error  *error;
    int       *format;          /* [n_projections], then of inputs [n_inputs]             */
    int32_t  **tile_neuron;     /* [n_tiles][neurons of the tile] numbered in the network */
    int16_t  **tile_population; /* [n_tiles][neurons of the tile]                         */
} reading;

static const definition *def_of(const reading *r) { return &r->net->def; }

/* ---- going through the synapses --------------------------------------------------------------------------------- */

static rv_status number_tiles(reading *r)
{
    const network *net = r->net->net;
    r->tile_neuron = calloc((size_t)net->n_tiles + 1, sizeof *r->tile_neuron);
    r->tile_population = calloc((size_t)net->n_tiles + 1, sizeof *r->tile_population);
    if (!r->tile_neuron || !r->tile_population) return error_memory(r->error, "the graph of the network", 0);
    for (int t = 0; t < net->n_tiles; t++) {
        const tile *tile = &net->tile[t];
        r->tile_neuron[t] = calloc((size_t)tile->n + 1, sizeof(int32_t));
        r->tile_population[t] = calloc((size_t)tile->n + 1, sizeof(int16_t));
        if (!r->tile_neuron[t] || !r->tile_population[t]) return error_memory(r->error, "the graph of the network", 0);
        for (int p = 0; p < def_of(r)->n_populations; p++)
            for (int i = 0; i < tile->part[p].n; i++) {
                r->tile_neuron[t][tile->part[p].base + i] = (int32_t)(r->graph->group[p].first + tile->part[p].first + i);
                r->tile_population[t][tile->part[p].base + i] = (int16_t)p;
            }
    }
    return RV_OK;
}

/* What is handed over for each synapse of a projection: besides the synapse, which projection it is of. */
typedef void (*projection_fn)(void *user, int projection, hw_synapse *synapse);

static double weight_at(const bundle *b, const rows *rows, int64_t k)
{
    return rows->weight_float ? (double)rows->weight_float[k] : rows->weight_double ? rows->weight_double[k] : b->weight;
}

/* @param by_target [n_populations] the projection of the bundle that ends there */
static void visit_tile(const reading *r, const bundle *b, int t, const int *by_target, projection_fn f, void *user)
{
    const rows *rows = &b->rows[t];
    int64_t     first = r->graph->group[b->source].first, n = r->graph->group[b->source].n;
    for (int64_t j = 0; j < n; j++)
        for (uint32_t s = rows->row[j]; s < rows->row[j + 1]; s++)
            for (uint32_t k = rows->segment[s].first; k < rows->segment[s + 1].first; k++) {
                int        local = rows->target[k];
                hw_synapse synapse = { first + j, r->tile_neuron[t][local], weight_at(b, rows, k), rows->segment[s].steps, 0 };
                f(user, by_target[r->tile_population[t][local]], &synapse);
            }
}

/* Places of a kernel that weigh nothing need no synapse on a chip. */
static void visit_convolution(const reading *r, const bundle *b, int t, projection_fn f, void *user)
{
    int64_t           first = r->graph->group[b->source].first;
    convolution_walk  w;
    convolution_block block;
    for (uint32_t s = 0; s < b->rows[t].n_segments; s++) {
        convolution_begin_segment(r->net->net, b, t, s, &w);
        while (convolution_next(&w, &block))
            for (int64_t i = 0; i < block.n[0]; i++)
                for (int64_t k = 0; k < block.n[1]; k++) {
                    hw_synapse synapse = { first + b->rows[t].source[s], r->tile_neuron[t][convolution_target(&block, i, k)], *convolution_weight(&block, i, k),
                                           b->rows[t].segment[s].steps, 0 };
                    if (synapse.weight != 0) f(user, b->projection[0], &synapse);
                }
    }
}

static rv_status visit_static(const reading *r, const bundle *b, projection_fn f, void *user)
{
    int *by_target = calloc((size_t)def_of(r)->n_populations + 1, sizeof *by_target);
    if (!by_target) return error_memory(r->error, "the graph of the network", 0);
    for (int k = 0; k < b->n_projections; k++) by_target[def_of(r)->projection[b->projection[k]].target.population] = b->projection[k];
    for (int t = 0; t < r->net->net->n_tiles; t++)
        if (b->convolution) visit_convolution(r, b, t, f, user);
        else visit_tile(r, b, t, by_target, f, user);
    free(by_target);
    return RV_OK;
}

/* Weights as the engine adds them, like those that do not learn. */
static rv_status visit_learning(const reading *r, int projection, double factor, projection_fn f, void *user)
{
    synapse_ref          *list;
    int64_t               n;
    const projection_def *p = &def_of(r)->projection[projection];
    TRY(network_list_synapses(r->net->net, projection, &list, &n, r->error));
    double   *weights = malloc((size_t)(n + 1) * sizeof *weights);
    rv_status status = weights ? net_weights(r->net, projection, weights) : error_memory(r->error, "weights", (double)n * 8);
    for (int64_t k = 0; k < n && status == RV_OK; k++) {
        hw_synapse synapse = { r->graph->group[p->source.population].first + list[k].source,
                               r->graph->group[p->target.population].first + list[k].target, weights[k] * factor, (int64_t)(list[k].delay >> 32), 0 };
        f(user, projection, &synapse);
    }
    free(list);
    free(weights);
    return status;
}

static rv_status visit_projections(const reading *r, projection_fn f, void *user)
{
    const network *net = r->net->net;
    for (int i = 0; i < net->n_bundles; i++)
        if (net->bundle[i].rule || net->bundle[i].epoch) TRY(visit_learning(r, net->bundle[i].projection[0], net->bundle[i].factor, f, user));
        else TRY(visit_static(r, &net->bundle[i], f, user));
    return RV_OK;
}

/* ---- Poisson inputs --------------------------------------------------------------------------------------------- */

/* Each neuron hears sources of its own outside the chip, of which none spikes twice in a step, or in every other. */
#define MOST_IN_A_STEP 0.5

static double poisson_mean(const definition *d, const input_def *in) { return in->param[POISSON_RATE] * d->resolution * 1e-3; }

static int64_t sources_of_each(const definition *d, const input_def *in)
{
    if (in->kind != INPUT_POISSON || in->param[POISSON_RATE] <= 0 || in->param[POISSON_WEIGHT] == 0) return 0;
    return (int64_t)fmax(ceil(poisson_mean(d, in) / MOST_IN_A_STEP), 1);
}

/* Groups behind those of the populations, one for each input. */
static const hw_group *input_group(const reading *r, int input) { return &r->graph->group[def_of(r)->n_populations + input]; }

static void visit_input(const reading *r, int k, hw_synapse_fn take, void *sink)
{
    const input_def *in = &def_of(r)->input[k];
    int64_t          each = sources_of_each(def_of(r), in), source = input_group(r, k)->first;
    for (int64_t i = 0; i < in->target.count; i++)
        for (int64_t m = 0; m < each; m++, source++) {
            int64_t target = r->graph->group[in->target.population].first + range_neuron(&in->target, i);
            take(sink, &(hw_synapse){ source, target, in->param[POISSON_WEIGHT], 1, r->format[def_of(r)->n_projections + k] });
        }
}

static void note_input(const reading *r, int k, FILE *out)
{
    const definition *d = def_of(r);
    const input_def  *in = &d->input[k];
    int64_t           each = sources_of_each(d, in);
    fprintf(out, "  %s input to \"%s\": ", input_tables[in->kind].name, d->population[in->target.population].name);
    if (in->kind == INPUT_POISSON && each == 0) fputs("silent\n", out);
    else if (in->kind == INPUT_POISSON)
        fprintf(out, "%lld sources outside the chip, %lld for each neuron, with an axon and a synapse each; they spike %.3g times a step\n", (long long)(each * in->target.count), (long long)each,
                poisson_mean(d, in) / (double)each);
    else if (in->kind == INPUT_DC) fputs("taken for a part of the bias, which costs nothing\n", out);
    else fputs("a current that changes has no place on a chip and is not counted\n", out);
}

/* How much of the traffic is known. */
static void note_rates(const reading *r, double hertz, FILE *out)
{
    int known = 0, n = def_of(r)->n_populations;
    for (int p = 0; p < n; p++) known += rv_time(r->net) > 0 && rv_spikes_recorded(r->net, (rv_population){ p + 1 });
    if (known == n) fprintf(out, "  rates measured in a run of %.6g ms\n", rv_time(r->net));
    else if (known) fprintf(out, "  rates of %d of %d populations measured in a run of %.6g ms, else estimated: %g Hz for every neuron\n", known, n, rv_time(r->net), hertz);
    else fprintf(out, "  rates estimated: %g Hz for every neuron, since no run was recorded\n", hertz);
}

static rv_status write_notes(const reading *r, double hertz)
{
    size_t size;
    FILE  *out = open_memstream(&r->graph->notes, &size);
    if (out) note_rates(r, hertz, out);
    for (int k = 0; out && k < def_of(r)->n_inputs; k++) note_input(r, k, out);
    if (out) fputc('\n', out);
    return out && fclose(out) == 0 ? RV_OK : error_memory(r->error, "the graph of the network", 0);
}

/* ---- formats ---------------------------------------------------------------------------------------------------- */

/* What one pass over its synapses tells of a projection. */
typedef struct summary {
    bool     negative, positive, fraction;
    double   highest, lowest;
    uint64_t bits;    /* of all magnitudes together */
    int64_t  longest; /* delay, steps               */
} summary;

static void summarise(void *user, int projection, hw_synapse *synapse)
{
    summary *s = (summary *)user + projection;
    double   w = synapse->weight;
    s->negative |= w < 0, s->positive |= w > 0;
    s->fraction |= w != floor(w) || fabs(w) > 0x1p31;
    if (!s->fraction) s->bits |= (uint64_t)fabs(w);
    if (w > s->highest) s->highest = w;
    if (w < s->lowest) s->lowest = w;
    if (synapse->delay > s->longest) s->longest = synapse->delay;
}

/* Bits that hold 0 .. n-1. */
static int bits_of(double n) { return n > 1 ? (int)ceil(log2(n)) : 0; }

/* Whole weights take what they need beyond the zeros that all of them end with, mixed ones a bit for the sign. Loihi has
 * no 7 bits, and other chips do not care. */
static int weight_bits(const summary *s, const hw_graph_options *options)
{
    if (s->fraction) return options && options->weight_bits ? options->weight_bits : STANDARD_BITS;
    double unit = s->bits ? (double)(s->bits & -s->bits) : 1;
    int    bits = bits_of(fmax(s->highest / unit + 1, -s->lowest / unit)) + (s->negative && s->positive);
    return bits == 7 ? 8 : bits < 1 ? 1 : bits;
}

/* Which projection before, or this one, has the same traces of its sources. */
typedef struct source_traces {
    const rv_rule *rule; /* NULL: rules of epochs share one kind of trace */
    double         impulse[N_EPOCH_X], tau[N_EPOCH_X];
} source_traces;

static source_traces traces_of(const projection_def *p)
{
    source_traces t = { .rule = p->plasticity };
    rv_epochs     e = { .t_epoch = 1 };
    if (!p->plasticity->epochs) { /* rules at spikes: all their parameters */
        for (int k = 0; k < p->plasticity->table.n_params; k++) t.tau[k % N_EPOCH_X] += (k + 1) * p->param[k];
        return t;
    }
    p->plasticity->epochs(p->param, p->text, &e);
    t.rule = NULL;
    for (int k = 0; k < N_EPOCH_X; k++) t.impulse[k] = e.impulse[k], t.tau[k] = e.impulse[k] > 0 ? e.tau[k] : 0;
    return t;
}

static int number_of_traces(const definition *d, const projection_def *p)
{
    int           k = 0;
    source_traces mine, other;
    if (!p->plasticity) return 0;
    for (mine = traces_of(p); &d->projection[k] != p; k++) {
        if (!d->projection[k].plasticity) continue;
        other = traces_of(&d->projection[k]);
        if (other.rule == mine.rule && memcmp(other.impulse, mine.impulse, sizeof mine.impulse) == 0 && memcmp(other.tau, mine.tau, sizeof mine.tau) == 0) break;
    }
    return k;
}

static hw_format format_of(const definition *d, const projection_def *p, const population_def *target, const summary *s, const hw_graph_options *options)
{
    bool whole = p->target.first == 0 && p->target.stride == 1 && p->target.count == target->n;
    int  bits = weight_bits(s, options);
    if (p->plasticity && bits < STANDARD_BITS) bits = STANDARD_BITS; /* whatever the weights may become */
    return (hw_format){ .weight_bits = bits,
                        .delay_bits = bits_of((double)s->longest),
                        .sign = s->negative && s->positive ? 0 : s->negative ? -1 : 1,
                        .dense = p->rule == CONNECT_ALL_TO_ALL && whole && !projection_excludes_autapses(p),
                        .learning = p->plasticity != NULL,
                        .trace = number_of_traces(d, p) };
}

static bool same_format(const hw_format *a, const hw_format *b)
{
    return a->weight_bits == b->weight_bits && a->delay_bits == b->delay_bits && a->sign == b->sign && a->dense == b->dense &&
           a->learning == b->learning && a->trace == b->trace && a->weight_exp == b->weight_exp;
}

/* A row is dense as long as one format's synapses on a core are those of one population: projections that are dense
 * and leave the same population do not share a format. */
static bool would_mix(const definition *d, const int *format, int projection, int f)
{
    for (int k = 0; k < projection; k++)
        if (format[k] == f && d->projection[k].source.population == d->projection[projection].source.population) return true;
    return false;
}

/* @param k projection, or behind the last of them an input */
static rv_status take_format(reading *r, int k, const hw_format *format)
{
    hw_graph *g = r->graph;
    int       f = 0;
    while (f < g->n_formats && !(same_format(&g->format[f], format) && !(format->dense && would_mix(def_of(r), r->format, k, f)))) f++;
    if (f == HW_MAX_FORMATS)
        return error_set(r->error, RV_OUT_OF_RANGE, "the projections differ in bits, delays and signs in more than %d ways", HW_MAX_FORMATS);
    if (f == g->n_formats) g->format[g->n_formats++] = *format;
    r->format[k] = f;
    return RV_OK;
}

/* Weights that learn may get every sign that their kind of synapse allows. */
static summary with_learnt_signs(const reading *r, int projection, summary s)
{
    const projection_def *p = &def_of(r)->projection[projection];
    double                param[RV_MAX_SYNAPSE_PARAMS], low = 0, high = 0;
    if (!p->plasticity || !p->synapse || !p->synapse->learn) return s;
    memcpy(param, r->net->net->bundle[network_bundle_of(r->net->net, projection)].synapse_param, sizeof param);
    p->synapse->learn(param, &low, &high);
    s.negative |= low < 0, s.positive |= high > 0;
    return s;
}

static rv_status choose_formats(reading *r, const summary *seen, const hw_graph_options *options)
{
    const definition *d = def_of(r);
    for (int k = 0; k < d->n_projections; k++) {
        summary   all = with_learnt_signs(r, k, seen[k]);
        hw_format format = format_of(d, &d->projection[k], &d->population[d->projection[k].target.population], &all, options);
        TRY(take_format(r, k, &format));
    }
    for (int k = 0; k < d->n_inputs; k++) {
        summary    one = { 0 };
        hw_synapse synapse = { .weight = d->input[k].param[POISSON_WEIGHT], .delay = 1 };
        if (sources_of_each(d, &d->input[k]) == 0) continue;
        summarise(&one, 0, &synapse);
        TRY(take_format(r, d->n_projections + k, &(hw_format){ .weight_bits = weight_bits(&one, options), .sign = one.negative ? -1 : 1 }));
    }
    return RV_OK;
}

/* Passes a synapse on with the format of its projection. */
typedef struct passing {
    const reading *r;
    hw_synapse_fn  take;
    void          *sink;
} passing;

static void pass_on(void *user, int projection, hw_synapse *synapse)
{
    const passing *p = user;
    synapse->format = p->r->format[projection];
    p->take(p->sink, synapse);
}

static rv_status visit_all(void *user, hw_synapse_fn take, void *sink)
{
    passing        p = { user, take, sink };
    const reading *r = user;
    for (int k = 0; k < def_of(r)->n_inputs; k++) visit_input(r, k, take, sink);
    return visit_projections(r, pass_on, &p);
}

static rv_status read_synapses(reading *r, const hw_graph_options *options)
{
    summary *seen = calloc((size_t)def_of(r)->n_projections + 1, sizeof *seen);
    r->format = calloc((size_t)(def_of(r)->n_projections + def_of(r)->n_inputs) + 1, sizeof *r->format);
    rv_status status = seen && r->format ? number_tiles(r) : error_memory(r->error, "the graph of the network", 0);
    if (status == RV_OK) status = visit_projections(r, summarise, seen);
    if (status == RV_OK) status = choose_formats(r, seen, options);
    free(seen);
    return status == RV_OK ? hw_graph_fill(r->graph, visit_all, r, r->error) : status;
}

/* ---- profiles: which neurons share parameters ------------------------------------------------------------------- */

typedef struct labelled {
    uint64_t hash;
    int32_t  neuron;
} labelled;

static int by_hash(const void *a, const void *b)
{
    const labelled *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->neuron > y->neuron) - (x->neuron < y->neuron);
}

/* FNV-1a; that two of the few profiles of a network collide in 64 bits is not to be expected. */
static uint64_t hashed(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t k = 0; k < n; k++) hash = (hash ^ ((const uint8_t *)bytes)[k]) * 0x100000001b3u;
    return hash;
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0) names++;
    return *names != NULL;
}

static bool is_threshold(const char *name) { return is_one_of(name, (const char *const[]){ "V_th", "vth", "vth_hi", "vth_lo", NULL }); }
static bool is_setting(const char *name) { return is_one_of(name, (const char *const[]){ "vmin", "V_min", NULL }); }
static bool is_bias(const char *name) { return is_one_of(name, (const char *const[]){ "I_e", "bias_mant", "bias_exp", NULL }); }

typedef enum shared { SHARED_PROFILE, SHARED_THRESHOLD, SHARED_SETTING } shared;

static shared shared_by(const char *name) { return is_threshold(name) ? SHARED_THRESHOLD : is_setting(name) ? SHARED_SETTING : SHARED_PROFILE; }

static uint64_t hash_neuron(const population_def *p, int64_t i, shared what)
{
    uint64_t hash = 0xcbf29ce484222325u;
    if (what != SHARED_SETTING) hash = hashed(hash, p->model->table.name, strlen(p->model->table.name));
    for (int k = 0; k < p->model->table.n_params; k++) {
        const char *name = p->model->table.params[k].name;
        double      value = neuron_value(&p->param[k], i) + 0.0; /* -0 is 0 */
        if (!is_bias(name) && shared_by(name) == what) hash = hashed(hash, &value, sizeof value);
    }
    return hash;
}

static rv_status number_profiles(const reading *r, shared what, int32_t *number)
{
    const definition *d = def_of(r);
    int64_t           n = r->graph->n_neurons, at = 0;
    labelled         *list = malloc((size_t)(n + 1) * sizeof *list);
    if (!list) return error_memory(r->error, "profiles", (double)n * sizeof *list);
    for (int p = 0; p < d->n_populations; p++)
        for (int64_t i = 0; i < d->population[p].n; i++, at++)
            list[at] = (labelled){ hash_neuron(&d->population[p], i, what), (int32_t)at };
    for (; at < n; at++) list[at] = (labelled){ 0, (int32_t)at }; /* sources outside */
    qsort(list, (size_t)n, sizeof *list, by_hash);
    int32_t last = 0;
    for (int64_t k = 0; k < n; k++) {
        if (k > 0 && list[k].hash != list[k - 1].hash) last++;
        number[list[k].neuron] = last;
    }
    free(list);
    return RV_OK;
}

/* ---- rates ------------------------------------------------------------------------------------------------------ */

static rv_status measure_rates(const reading *r, int p, double steps)
{
    enum { AT_ONCE = 4096 };
    int64_t       neuron[AT_ONCE];
    rv_population population = { p + 1 };
    double       *rate = r->graph->rate + r->graph->group[p].first;
    int64_t       n = rv_spike_count(r->net, population);
    for (int64_t i = 0; i < r->graph->group[p].n; i++) rate[i] = 0;
    for (int64_t first = 0, m; first < n; first += m) {
        m = n - first < AT_ONCE ? n - first : AT_ONCE;
        TRY(rv_spike_read(r->net, population, first, m, NULL, neuron));
        for (int64_t k = 0; k < m; k++) rate[neuron[k]] += 1 / steps;
    }
    return RV_OK;
}

/* The rate of a poisson_generator is its parameter; of others a guess. */
static void estimate_rates(const reading *r, int p, double hertz)
{
    const population_def *population = &def_of(r)->population[p];
    const neuron_values  *known = NULL;
    if (population->model->emit)
        for (int k = 0; k < population->model->table.n_params; k++)
            if (strcmp(population->model->table.params[k].name, "rate") == 0) known = &population->param[k];
    for (int64_t i = 0; i < population->n; i++)
        r->graph->rate[r->graph->group[p].first + i] = (known ? neuron_value(known, i) : hertz) * def_of(r)->resolution * 1e-3;
}

static rv_status read_rates(const reading *r, const hw_graph_options *options)
{
    double steps = rv_time(r->net) / def_of(r)->resolution, hertz = estimated_rate(options);
    for (int p = 0; p < def_of(r)->n_populations; p++)
        if (steps > 0 && rv_spikes_recorded(r->net, (rv_population){ p + 1 })) TRY(measure_rates(r, p, steps));
        else estimate_rates(r, p, hertz);
    for (int k = 0; k < def_of(r)->n_inputs; k++)
        for (int64_t i = 0; i < input_group(r, k)->n; i++)
            r->graph->rate[input_group(r, k)->first + i] = poisson_mean(def_of(r), &def_of(r)->input[k]) / (double)sources_of_each(def_of(r), &def_of(r)->input[k]);
    return RV_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status make_groups(reading *r)
{
    const definition *d = def_of(r);
    hw_group         *groups = calloc((size_t)(d->n_populations + d->n_inputs) + 1, sizeof *groups);
    if (!groups) return error_memory(r->error, "the graph of the network", 0);
    for (int p = 0; p < d->n_populations; p++) {
        size_t length = strlen(d->population[p].name);
        groups[p].n = d->population[p].n, groups[p].input = d->population[p].model->emit != NULL;
        memcpy(groups[p].name, d->population[p].name, length < HW_GROUP_TEXT ? length : HW_GROUP_TEXT - 1);
    }
    for (int k = 0; k < d->n_inputs; k++) {
        hw_group *g = &groups[d->n_populations + k];
        snprintf(g->name, HW_GROUP_TEXT, "%s input to %.40s", input_tables[d->input[k].kind].name, d->population[d->input[k].target.population].name);
        g->n = d->input[k].target.count * sources_of_each(d, &d->input[k]), g->input = true;
    }
    hw_format *formats = calloc(HW_MAX_FORMATS, sizeof *formats); /* room for those that are found */
    rv_status  status = formats ? hw_graph_new(groups, d->n_populations + d->n_inputs, formats, HW_MAX_FORMATS, &r->graph, r->error)
                                : error_memory(r->error, "the graph of the network", 0);
    if (status == RV_OK) r->graph->n_formats = 0;
    free(groups);
    free(formats);
    return status;
}

static void close_reading(reading *r)
{
    for (int t = 0; r->net->net && t < r->net->net->n_tiles; t++) {
        if (r->tile_neuron) free(r->tile_neuron[t]);
        if (r->tile_population) free(r->tile_population[t]);
    }
    free(r->tile_neuron);
    free(r->tile_population);
    free(r->format);
}

rv_status hw_graph_from_net(rv_net *net, const hw_graph_options *options, hw_graph **graph, rv_error *error)
{
    reading r = { .net = net, .error = error };
    *graph = NULL;
    if (rv_net_timing(net) == RV_EXACT)
        return error_set(error, RV_CONFLICT, "a network in exact timing cannot be mapped: chips step on a grid; use timing = \"grid\"");
    if (rv_compile(net) != RV_OK) return error_set(error, rv_net_error(net)->status, "%s", rv_net_error(net)->text);
    rv_status status = make_groups(&r);
    if (status == RV_OK) status = read_synapses(&r, options);
    if (status == RV_OK) status = number_profiles(&r, SHARED_PROFILE, r.graph->profile);
    if (status == RV_OK) status = number_profiles(&r, SHARED_THRESHOLD, r.graph->threshold);
    if (status == RV_OK) status = number_profiles(&r, SHARED_SETTING, r.graph->setting);
    if (status == RV_OK) status = write_notes(&r, estimated_rate(options));
    if (status == RV_OK) status = read_rates(&r, options);
    if (status == RV_OK) *graph = r.graph;
    else hw_graph_free(r.graph);
    close_reading(&r);
    return status;
}
