#include "hw/netx_write.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/fixed_point.h"
#include "io/hdf5_file.h"
#include "sim/error.h"

enum { MOST_DELAY = 62, NEVER = 131072, BIAS_UNIT = 64 };

/* ---- the plan --------------------------------------------------------------------------------------------------- */

/* A layer, checked and ready to be written; also the generators at the front, which are one if they have a shape. */
typedef struct layer {
    int          population, before; /* before: the population it hears, -1: none               */
    bool         shaped;
    netx_shape   order;
    export_shape shape;
    double      *weight, *recurrent; /* [n_out][n_in] and [n_out][n_out] or NULL                 */
    double      *delay;              /* [n_out][n_in] or NULL: none                              */
    bool         is_conv;
    export_conv  conv;
    int          message_bits;       /* of its own spikes                                        */
} layer;

typedef struct writer {
    const char   *path;
    export_net    e;
    layer        *layer;  /* [n_layers] in the order of the chain */
    int           n_layers;
    netx_options  with;
    hdf5_file     file;
    rv_error     *error;
} writer;

static const population_def *population_of(const writer *w, const layer *l) { return export_population(&w->e, l->population); }

static rv_status refuse(const writer *w, int population, const char *format, ...) __attribute__((format(printf, 3, 4)));
static rv_status refuse(const writer *w, int population, const char *format, ...)
{
    char    text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(w->error, RV_CONFLICT, "%s: %s", export_population_name(&w->e, population), text);
}

static rv_status refuse_synapses(const writer *w, const export_synapses *s, const char *format, ...) __attribute__((format(printf, 3, 4)));
static rv_status refuse_synapses(const writer *w, const export_synapses *s, const char *format, ...)
{
    char    text[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(w->error, RV_CONFLICT, "%s: %s", export_projection_name(&w->e, s), text);
}

/* ---- the chain -------------------------------------------------------------------------------------------------- */

/* Who hears whom. @param before, after [n_populations] -1: nobody */
static rv_status link_populations(const writer *w, int *before, int *after)
{
    for (int k = 0; k < w->e.def->n_populations; k++) before[k] = after[k] = -1;
    for (int k = 0; k < w->e.n_projections; k++) {
        const export_synapses *s = &w->e.projection[k];
        if (s->n == 0 || s->source == s->target) continue;
        if (before[s->target] >= 0 && before[s->target] != s->source)
            return refuse(w, s->target, "it hears \"%.60s\" and \"%.60s\", but a netx file is a chain in which a layer hears the one before it: make one population of the two",
                          export_population(&w->e, before[s->target])->name, export_population(&w->e, s->source)->name);
        if (after[s->source] >= 0 && after[s->source] != s->target)
            return refuse(w, s->source, "it is heard by \"%.60s\" and \"%.60s\", but a netx file is a chain without branches: make one population of the two",
                          export_population(&w->e, after[s->source])->name, export_population(&w->e, s->target)->name);
        before[s->target] = s->source, after[s->source] = s->target;
    }
    return RV_OK;
}

static rv_status find_first(const writer *w, const int *before, int *first)
{
    *first = -1;
    for (int k = 0; k < w->e.def->n_populations; k++) {
        if (before[k] >= 0 && export_is_input(export_population(&w->e, k))) return refuse(w, k, "it is a generator, and can only be the first of the chain");
        if (before[k] >= 0) continue;
        if (*first >= 0)
            return refuse(w, k, "it hears nobody, as does \"%.60s\", but a netx file has one input: make one population of the two", export_population(&w->e, *first)->name);
        *first = k;
    }
    if (*first >= 0) return RV_OK;
    return error_set(w->error, RV_CONFLICT, w->e.def->n_populations ? "the populations form a ring, but a netx file is a chain: only a population may hear itself" : "the network is empty");
}

static rv_status find_chain(writer *w)
{
    int  n = w->e.def->n_populations, first;
    int *before = malloc((size_t)(2 * n + 1) * sizeof *before), *after = before + n;
    w->layer = calloc((size_t)n + 1, sizeof *w->layer);
    if (!before || !w->layer) return free(before), error_memory(w->error, "layers", (double)n * sizeof *w->layer);
    rv_status status = link_populations(w, before, after);
    if (status == RV_OK) status = find_first(w, before, &first);
    for (int k = status == RV_OK ? first : -1; k >= 0 && w->n_layers < n; k = after[k]) w->layer[w->n_layers++] = (layer){ .population = k, .before = before[k] };
    if (status == RV_OK && w->n_layers < n) status = error_set(w->error, RV_CONFLICT, "some populations form a ring, but a netx file is a chain: only a population may hear itself");
    free(before);
    return status;
}

static rv_status take_shapes(writer *w, const netx_shape *shapes, int n_shapes)
{
    for (int k = 0; k < n_shapes; k++)
        for (int i = 0; i < w->n_layers; i++) {
            layer *l = &w->layer[i];
            if (l->population + 1 != shapes[k].population.id) continue;
            l->shaped = true, l->order = shapes[k], l->shape = shapes[k].shape;
            if (export_shape_size(&l->shape) != population_of(w, l)->n)
                return refuse(w, l->population, "its shape %lld x %lld x %lld is not that of %lld neurons", (long long)l->shape.w, (long long)l->shape.h, (long long)l->shape.c,
                              (long long)population_of(w, l)->n);
        }
    return RV_OK;
}

/* ---- neurons ---------------------------------------------------------------------------------------------------- */

static rv_status check_model(const writer *w, const layer *l)
{
    const char *model = population_of(w, l)->model->table.name;
    if (strcmp(model, "loihi_lif") == 0) return RV_OK;
    return refuse(w, l->population, "its model is %s, but netx layers have the neuron of Loihi 2: the nearest is loihi_lif%s", model,
                  strncmp(model, "loihi", 5) == 0 || strcmp(model, "lava_lif") == 0 ? "" : "; quantise the network first");
}

/* One number for the whole layer. */
static rv_status check_uniform(const writer *w, const layer *l)
{
    static const char *const names[] = { "du", "dv", "vth", "reset_interval", "reset_offset" };
    const population_def    *p = population_of(w, l);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        int64_t i = export_differs(p, names[k]);
        if (i >= 0)
            return refuse(w, l->population, "%s is %g for neuron 0 and %g for neuron %lld, but a netx layer has one for all: make populations of them that follow each other, or set one value",
                          names[k], export_param(p, names[k], 0), export_param(p, names[k], i), (long long)i);
    }
    return RV_OK;
}

static rv_status check_each(const writer *w, const layer *l)
{
    const population_def *p = population_of(w, l);
    for (int64_t i = 0; i < p->n; i++) {
        double bias = export_bias(p, i), u = export_initial(p, "u", i), v = export_initial(p, "v", i);
        if (u != 0 || v != 0) return refuse(w, l->population, "neuron %lld begins with u = %g, v = %g, but netx networks begin at 0", (long long)i, u, v);
        if (bias != 0 && l->before < 0)
            return refuse(w, l->population, "neuron %lld has a bias and no synapses, but netx leaves biases of input neurons to the user: let one silent spike_generator be connected to the "
                                            "population, and it becomes a dense layer",
                          (long long)i);
        if (fmod(bias, BIAS_UNIT) != 0)
            return refuse(w, l->population, "the bias of neuron %lld is %.15g, but netx keeps multiples of 64: the nearest is %.15g", (long long)i, bias, BIAS_UNIT * rint(bias / BIAS_UNIT));
        if (fabs(bias) > BIAS_UNIT * 0x1p24) return refuse(w, l->population, "the bias of neuron %lld is %.15g, but netx keeps up to +-2^30", (long long)i, bias);
    }
    return RV_OK;
}

/* The loader takes reset times beside the file, and moves them on by one step with each layer. @param k number of the layer with neurons */
static rv_status check_reset(writer *w, const layer *l, int k)
{
    const population_def *p = population_of(w, l);
    int64_t               interval = (int64_t)export_param(p, "reset_interval", 0), offset = (int64_t)export_param(p, "reset_offset", 0);
    if (k == 0) w->with.reset_interval = interval, w->with.reset_offset = interval ? (offset + interval - 1) % interval : 0;
    if (interval != w->with.reset_interval)
        return refuse(w, l->population, "reset_interval is %lld, that of the layer before %lld, but netx resets all layers alike", (long long)interval, (long long)w->with.reset_interval);
    int64_t expected = interval ? (w->with.reset_offset + 1 + k) % interval : 0;
    if (interval == 0 || offset % interval == expected) return RV_OK;
    return refuse(w, l->population, "reset_offset is %lld, but netx resets each layer one step after that before it: %lld", (long long)offset, (long long)expected);
}

static rv_status check_neurons(writer *w)
{
    for (int k = 0, n = 0; k < w->n_layers; k++) {
        if (export_is_input(population_of(w, &w->layer[k]))) continue;
        TRY(check_model(w, &w->layer[k]));
        TRY(check_uniform(w, &w->layer[k]));
        TRY(check_each(w, &w->layer[k]));
        TRY(check_reset(w, &w->layer[k], n++));
    }
    return RV_OK;
}

/* ---- matrices --------------------------------------------------------------------------------------------------- */

static bool is_kind(const export_synapses *s, const char *name) { return s->kind && strcmp(s->kind->table.name, name) == 0; }

/* The neuron of the layer before that a column belongs to: behind a flatten layer columns go by channel, row and place. */
static int64_t column_of_neuron(const layer *before, int64_t neuron)
{
    const export_shape *s = &before->shape;
    if (!before->shaped || before->order.channels_first) return neuron;
    return (neuron % s->c * s->h + neuron / s->c % s->h) * s->w + neuron / s->c / s->h;
}

static bool needs_flatten(const layer *l) { return l->shaped && l->shape.w * l->shape.h > 1; }

static rv_status check_kind(const writer *w, const export_synapses *s)
{
    if (is_kind(s, "loihi") || is_kind(s, "loihi_conv")) return RV_OK;
    return refuse_synapses(w, s, "its synapses are %s, but netx layers have those of Loihi 2: the nearest are synapse = \"loihi\"", s->kind ? s->kind->table.name : "plain");
}

/* What a spike adds to the input. */
static rv_status effect_of(const writer *w, const export_synapses *s, int64_t k, double *effect)
{
    int exponent = (int)export_synapse_param(s, "weight_exp", 0);
    *effect = ldexp(s->weight[k], exponent);
    if (*effect == rint(*effect)) return RV_OK;
    return refuse_synapses(w, s, "a weight of %g with weight_exp = %d adds %g, but netx keeps whole numbers: multiply weights, biases and thresholds by %g", s->weight[k], exponent, *effect,
                           ldexp(1, -exponent));
}

static rv_status add_synapse(const writer *w, const export_synapses *s, int64_t k, int64_t column, int64_t n_in, double *weight, double *delay)
{
    int64_t at = s->to[k] * n_in + column;
    double  effect, steps = (double)s->delay[k] - 1;
    TRY(effect_of(w, s, k, &effect));
    if (effect == 0) return RV_OK;
    if (steps > MOST_DELAY) return refuse_synapses(w, s, "a delay of %d steps, but netx makes all above %d be %d", (int)steps + 1, MOST_DELAY + 1, MOST_DELAY + 1);
    if (weight[at] != 0 && delay[at] != steps)
        return refuse_synapses(w, s, "neuron %lld reaches neuron %lld with delays of %d and %d steps, but netx has one synapse for a pair: give both the same delay", (long long)s->from[k],
                               (long long)s->to[k], (int)delay[at] + 1, (int)steps + 1);
    weight[at] += effect, delay[at] = steps;
    return RV_OK;
}

/* All synapses from population `source` to the layer. @param weight, delay [n_out][n_in] all 0 */
static rv_status fill_matrix(const writer *w, const layer *l, const layer *before, double *weight, double *delay)
{
    int64_t n_in = population_of(w, before)->n;
    for (int k = 0; k < w->e.n_projections; k++) {
        const export_synapses *s = &w->e.projection[k];
        if (s->n == 0 || s->source != before->population || s->target != l->population) continue;
        TRY(check_kind(w, s));
        for (int64_t i = 0; i < s->n; i++) TRY(add_synapse(w, s, i, l == before ? s->from[i] : column_of_neuron(before, s->from[i]), n_in, weight, delay));
    }
    return RV_OK;
}

static bool any_above_zero(const double *x, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        if (x[k] > 0) return true;
    return false;
}

/* @param matrix, delay result; owned by the caller whatever happens */
static rv_status make_matrix(const writer *w, const layer *l, const layer *before, double **matrix, double **delay)
{
    int64_t n = population_of(w, l)->n * population_of(w, before)->n;
    *matrix = calloc((size_t)n, sizeof **matrix), *delay = calloc((size_t)n, sizeof **delay);
    if (!*matrix || !*delay) return error_memory(w->error, "weights", (double)n * 16);
    TRY(fill_matrix(w, l, before, *matrix, *delay));
    if (!any_above_zero(*delay, n)) free(*delay), *delay = NULL;
    return RV_OK;
}

static bool has_recurrent(const writer *w, const layer *l)
{
    for (int k = 0; k < w->e.n_projections; k++)
        if (w->e.projection[k].n > 0 && w->e.projection[k].source == l->population && w->e.projection[k].target == l->population) return true;
    return false;
}

static rv_status make_recurrent(const writer *w, layer *l)
{
    double *delay = NULL;
    if (!has_recurrent(w, l)) return RV_OK;
    if (l->before < 0) return refuse(w, l->population, "it hears itself and nobody else, which netx cannot load: connect a silent spike_generator to it");
    rv_status status = make_matrix(w, l, l, &l->recurrent, &delay);
    bool      delayed = delay || l->delay;
    free(delay);
    if (status != RV_OK || !delayed) return status;
    return refuse(w, l->population, "it hears itself, and has delays above 1 step, with which netx loses the exponent of recurrent weights: make all delays 1 step");
}

/* Whether the loader's own choice of exponent and bits leaves all weights as they are. @param all [n]; changed */
static bool survives(double *all, int64_t n)
{
    fixed_format format;
    double      *before = malloc((size_t)n * sizeof *before);
    bool         same = before != NULL;
    if (same) memcpy(before, all, (size_t)n * sizeof *before);
    same = same && fixed_optimise_netx(all, n, &format, NULL) == RV_OK && format.shift >= 0;
    for (int64_t k = 0; k < n && same; k++) same = ldexp(fixed_weight(ldexp(all[k], format.shift), format.sign, format.num_weight_bits), format.weight_exp) == before[k];
    free(before);
    return same;
}

static rv_status check_weights(const writer *w, const layer *l)
{
    int64_t n = population_of(w, l)->n, n_in = export_population(&w->e, l->before)->n, n_all = n * (n_in + (l->recurrent ? n : 0));
    double  low = INFINITY, high = -INFINITY, *all = malloc((size_t)n_all * sizeof *all);
    if (!all) return error_memory(w->error, "weights", (double)n_all * sizeof *all);
    memcpy(all, l->weight, (size_t)(n * n_in) * sizeof *all);
    if (l->recurrent) memcpy(all + n * n_in, l->recurrent, (size_t)(n * n) * sizeof *all);
    for (int64_t k = 0; k < n_all; k++) low = fmin(low, all[k]), high = fmax(high, all[k]);
    bool fine = survives(all, n_all);
    free(all);
    if (fine) return RV_OK;
    if (low == 0 && high == 0) return refuse(w, l->population, "all its synapses have the weight 0, which netx cannot load: at least one must not be 0");
    return refuse(w, l->population, "a spike adds from %g to %g to its input, but netx keeps -256 to 254 of both signs, 0 to 255 or -255 to -1: divide weights, biases and thresholds by %g", low, high,
                  ldexp(1, (int)ceil(fmax(log2(fmax(high / 254, -low / 255)), 1))));
}

/* ---- convolutions ------------------------------------------------------------------------------------------------ */

int64_t netx_neuron(const netx_shape *shape, int64_t neuron)
{
    const export_shape *s = &shape->shape;
    int64_t             x = neuron % s->w, y = neuron / s->w % s->h, c = neuron / s->w / s->h;
    return shape->channels_first ? (x * s->h + y) * s->c + c : neuron;
}

/* The only projection from the layer before, if it could be a convolution; else NULL. */
static const export_synapses *conv_synapses(const writer *w, const layer *l)
{
    const export_synapses *found = NULL;
    for (int k = 0; k < w->e.n_projections; k++) {
        const export_synapses *s = &w->e.projection[k];
        if (s->n == 0 || s->target != l->population) continue;
        if (found || !(is_kind(s, "loihi_conv") || is_kind(s, "loihi")) || s->source != l->before) return NULL;
        found = s;
    }
    return found;
}

/* The first neuron of a channel. */
static int64_t neuron_of_channel(const layer *l, int64_t channel) { return l->order.channels_first ? channel * l->shape.w * l->shape.h : channel; }

static int64_t channel_of(const layer *l, int64_t neuron) { return netx_neuron(&l->order, neuron) % l->shape.c; }

static bool bias_is_per_channel(const population_def *p, const layer *l)
{
    for (int64_t i = 0; i < p->n; i++)
        if (export_bias(p, i) != export_bias(p, neuron_of_channel(l, channel_of(l, i)))) return false;
    return true;
}

/* The synapses with their neurons numbered as in the file, and weights as what a spike adds: kernels have no exponent. What is not
 * whole, is delayed, or could exceed the sum's 24 bits is no convolution of netx. @param total room, [n_out] */
static bool as_kernel(const export_synapses *s, const layer *before, const layer *l, export_synapses *k, double *total)
{
    double scale = ldexp(1, (int)export_synapse_param(s, "weight_exp", 0));
    for (int64_t i = 0; i < s->n; i++) {
        k->from[i] = netx_neuron(&before->order, s->from[i]), k->to[i] = netx_neuron(&l->order, s->to[i]);
        k->weight[i] = s->weight[i] * scale, k->delay[i] = s->delay[i];
        total[s->to[i]] += fabs(k->weight[i]);
        if (k->weight[i] != rint(k->weight[i]) || s->delay[i] != 1 || (total[s->to[i]] >= FIXED_STATE && is_kind(s, "loihi"))) return false;
    }
    return true;
}

static rv_status find_kernel(const writer *w, const export_synapses *s, layer *l, const layer *before)
{
    size_t          n = (size_t)s->n + 1;
    export_synapses k = *s;
    double         *total = calloc((size_t)population_of(w, l)->n + 1, sizeof *total);
    k.from = malloc(n * sizeof *k.from), k.to = malloc(n * sizeof *k.to), k.weight = malloc(n * sizeof *k.weight), k.delay = malloc(n * sizeof *k.delay);
    rv_status status = total && k.from && k.to && k.weight && k.delay ? RV_OK : RV_OUT_OF_MEMORY;
    if (status == RV_OK) status = as_kernel(s, before, l, &k, total) ? export_find_conv(&k, &before->shape, &l->shape, &l->conv) : RV_CONFLICT;
    free(total), free(k.from), free(k.to), free(k.weight), free(k.delay);
    return status;
}

/* @return whether the layer is one */
static rv_status try_conv(const writer *w, layer *l, const layer *before)
{
    const export_synapses *s = conv_synapses(w, l);
    if (!s || !l->shaped || !before->shaped || !bias_is_per_channel(population_of(w, l), l)) return RV_OK;
    rv_status status = find_kernel(w, s, l, before);
    if (status == RV_OUT_OF_MEMORY) return error_memory(w->error, "a convolution", (double)s->n * 8);
    l->is_conv = status == RV_OK;
    return RV_OK;
}

/* ---- the bits of messages ----------------------------------------------------------------------------------------- */

/* What the synapses behind a layer take its spikes for; all must agree. */
static rv_status find_message_bits(writer *w, layer *l)
{
    const export_synapses *first = NULL;
    for (int k = 0; k < w->e.n_projections; k++) {
        const export_synapses *s = &w->e.projection[k];
        if (s->n == 0 || s->source != l->population) continue;
        if (first && export_synapse_param(s, "num_message_bits", 0) != export_synapse_param(first, "num_message_bits", 0))
            return refuse_synapses(w, s, "num_message_bits is %g, and %g in another projection from there, but netx has one for a layer", export_synapse_param(s, "num_message_bits", 0),
                                   export_synapse_param(first, "num_message_bits", 0));
        first = s;
    }
    l->message_bits = first ? (int)export_synapse_param(first, "num_message_bits", 0) : 0;
    if (export_is_input(population_of(w, l))) w->with.input_message_bits = l->message_bits;
    return RV_OK;
}

static rv_status plan_synapses(writer *w)
{
    for (int k = 0; k < w->n_layers; k++) {
        layer *l = &w->layer[k];
        TRY(find_message_bits(w, l));
        if (l->before >= 0) TRY(try_conv(w, l, l - 1));
        if (l->before >= 0 && !l->is_conv) l->shaped = false; /* a dense layer has its neurons in one row */
        if (l->before >= 0 && !l->is_conv) TRY(make_matrix(w, l, l - 1, &l->weight, &l->delay));
        TRY(make_recurrent(w, l));
        if (l->weight) TRY(check_weights(w, l));
    }
    return RV_OK;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static hdf5_path place(int number, const char *name)
{
    hdf5_path p;
    snprintf(p.path, sizeof p.path, "/layer/%d/%s", number, name);
    return p;
}

static rv_status write_integers(writer *w, int number, const char *name, const int64_t *values, int rank, int64_t n)
{
    return hdf5_write_array(&w->file, place(number, name).path, HDF5_I64, values, rank, &n);
}

static rv_status write_integer(writer *w, int number, const char *name, int64_t value) { return write_integers(w, number, name, &value, 0, 0); }
static rv_status write_pair(writer *w, int number, const char *name, const int64_t *pair) { return write_integers(w, number, name, pair, 1, 2); }

/* As float32, which holds all integers that are allowed here. */
static rv_status write_floats(writer *w, int number, const char *name, const double *values, int rank, const int64_t *n)
{
    int64_t count = 1;
    for (int k = 0; k < rank; k++) count *= n[k];
    float *x = malloc((size_t)(count + 1) * sizeof *x);
    if (!x) return error_memory(&w->file.error, name, (double)count * sizeof *x);
    for (int64_t k = 0; k < count; k++) x[k] = (float)values[k];
    rv_status status = hdf5_write_array(&w->file, place(number, name).path, HDF5_F32, x, rank, n);
    free(x);
    return status;
}

static rv_status write_shape(writer *w, int number, const layer *l)
{
    const int64_t shape[] = { l->shape.c, l->shape.h, l->shape.w }, n = population_of(w, l)->n;
    return l->shaped && (l->is_conv || l->before < 0) ? write_integers(w, number, "shape", shape, 1, 3) : write_integers(w, number, "shape", &n, 1, 1);
}

static rv_status write_neuron(writer *w, int number, const layer *l)
{
    const population_def *p = population_of(w, l);
    TRY(hdf5_write_text(&w->file, place(number, "neuron/type").path, "CUBA"));
    TRY(write_integer(w, number, "neuron/iDecay", (int64_t)export_param(p, "du", 0) + 1));
    TRY(write_integer(w, number, "neuron/vDecay", (int64_t)export_param(p, "dv", 0)));
    TRY(write_integer(w, number, "neuron/vThMant", (int64_t)fmin(export_param(p, "vth", 0), NEVER)));
    TRY(write_integer(w, number, "neuron/refDelay", 1));
    return l->message_bits ? write_integer(w, number, "neuron/messageBits", l->message_bits) : RV_OK;
}

static rv_status write_bias(writer *w, int number, const layer *l)
{
    const population_def *p = population_of(w, l);
    int64_t               n = l->is_conv ? l->shape.c : p->n;
    bool                  any = false;
    double               *bias = malloc((size_t)n * sizeof *bias);
    if (!bias) return error_memory(&w->file.error, "biases", (double)n * sizeof *bias);
    for (int64_t i = 0; i < n; i++) bias[i] = export_bias(p, l->is_conv ? neuron_of_channel(l, i) : i) / BIAS_UNIT, any |= bias[i] != 0;
    rv_status status = any ? write_floats(w, number, "bias", bias, 1, &n) : RV_OK;
    free(bias);
    return status;
}

/* One number if all are the same: the synapses that are not there have delay 0 and do not count. */
static rv_status write_delays(writer *w, int number, const layer *l, const int64_t *n)
{
    double first = -1;
    bool   same = true;
    if (!l->delay) return RV_OK;
    for (int64_t k = 0; k < n[0] * n[1]; k++) {
        if (l->weight[k] == 0) continue;
        if (first < 0) first = l->delay[k];
        same &= l->delay[k] == first;
    }
    return same ? write_floats(w, number, "delay", &first, 0, NULL) : write_floats(w, number, "delay", l->delay, 2, n);
}

static rv_status write_dense(writer *w, int number, const layer *l)
{
    int64_t n[] = { population_of(w, l)->n, export_population(&w->e, l->before)->n };
    TRY(hdf5_write_text(&w->file, place(number, "type").path, l->recurrent ? "dense_rec" : "dense"));
    TRY(write_shape(w, number, l));
    TRY(write_integer(w, number, "inFeatures", n[1]));
    TRY(write_integer(w, number, "outFeatures", n[0]));
    TRY(write_floats(w, number, "weight", l->weight, 2, n));
    if (l->recurrent) TRY(write_floats(w, number, "weight_rec", l->recurrent, 2, (const int64_t[]){ n[0], n[0] }));
    return write_delays(w, number, l, n);
}

static rv_status write_conv(writer *w, int number, const layer *l, const layer *before)
{
    const export_conv *c = &l->conv;
    TRY(hdf5_write_text(&w->file, place(number, "type").path, "conv"));
    TRY(write_shape(w, number, l));
    TRY(write_integer(w, number, "inChannels", before->shape.c));
    TRY(write_integer(w, number, "outChannels", l->shape.c));
    TRY(write_pair(w, number, "kernelSize", c->kernel));
    TRY(write_pair(w, number, "stride", c->stride));
    TRY(write_pair(w, number, "padding", c->padding));
    TRY(write_pair(w, number, "dilation", (const int64_t[]){ 1, 1 }));
    TRY(write_integer(w, number, "groups", c->groups));
    return write_floats(w, number, "weight", c->weight, 4, (const int64_t[]){ l->shape.c, before->shape.c / c->groups, c->kernel[0], c->kernel[1] });
}

/* The first: neurons without synapses, or generators whose shape matters. */
static rv_status write_input(writer *w, int number, const layer *l)
{
    TRY(hdf5_write_text(&w->file, place(number, "type").path, "input"));
    return write_shape(w, number, l);
}

static rv_status write_layer(writer *w, const layer *l, int *number)
{
    bool generator = export_is_input(population_of(w, l));
    if (generator && !needs_flatten(l)) return RV_OK;
    if (l->weight && needs_flatten(l - 1)) TRY(hdf5_write_text(&w->file, place((*number)++, "type").path, "flatten"));
    int k = (*number)++;
    TRY(l->before < 0 ? write_input(w, k, l) : l->is_conv ? write_conv(w, k, l, l - 1) : write_dense(w, k, l));
    if (generator) return RV_OK;
    if (l->before >= 0) TRY(write_bias(w, k, l));
    return write_neuron(w, k, l);
}

static rv_status write_file(writer *w)
{
    int       number = 0;
    rv_status status = hdf5_create(w->path, &w->file);
    for (int k = 0; k < w->n_layers && status == RV_OK; k++) status = write_layer(w, &w->layer[k], &number);
    rv_status closed = hdf5_close(&w->file);
    if (status == RV_OK) status = closed;
    return status == RV_OK ? RV_OK : error_set(w->error, status, "%s", w->file.error.text);
}

static void close_writer(writer *w)
{
    for (int k = 0; k < w->n_layers; k++) {
        free(w->layer[k].weight), free(w->layer[k].recurrent), free(w->layer[k].delay);
        free(w->layer[k].conv.weight);
    }
    free(w->layer);
    export_net_close(&w->e);
}

rv_status netx_write(const char *path, rv_net *net, const netx_shape *shapes, int n_shapes, netx_options *with, rv_error *error)
{
    writer w = { .path = path, .error = error };
    TRY(export_net_open(net, "netx", &w.e, error));
    rv_status status = find_chain(&w);
    if (status == RV_OK) status = take_shapes(&w, shapes, n_shapes);
    if (status == RV_OK) status = check_neurons(&w);
    if (status == RV_OK) status = plan_synapses(&w);
    if (status == RV_OK) status = write_file(&w);
    if (status == RV_OK && with) *with = w.with;
    close_writer(&w);
    return status;
}

int netx_shapes(const netx *n, netx_shape *shapes)
{
    int found = 0;
    for (int k = 0; k < n->n_layers; k++) {
        const netx_layer *l = &n->layer[k];
        rv_population     p = l->neurons.id ? l->neurons : k == 0 ? n->input : (rv_population){ 0 };
        if (p.id && l->rank == 3) shapes[found++] = (netx_shape){ p, { l->shape[0], l->shape[1], l->shape[2] }, false };
    }
    return found;
}
