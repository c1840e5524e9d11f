#include "hw/netx.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/fixed_point.h"
#include "io/hdf5_file.h"
#include "sim/error.h"

const char *const netx_kinds[N_NETX_KINDS] = { "input", "dense", "dense_rec", "conv", "flatten" };

enum { MAX_DELAY = 62, NEVER = 131072, BIAS_EXP = 6, MOST_LAYERS = 10000 };

/* ---- the reader ---------------------------------------------------------------------------------------------- */

/* A file being read, layer by layer. */
typedef struct reader {
    const char  *path;
    hdf5_file    file;
    netx        *n;
    netx_options options;
    rv_error    *error;
    int          number;       /* of the layer at hand                              */
    const char  *type;         /* and what the file calls it                        */
    netx_layer   before;       /* the last layer that has a shape; rank 0: none yet */
    bool         flat;         /* a flatten layer came since                        */
    int          message_bits; /* of its spikes                                     */
    int          n_created;    /* layers with neurons so far                        */
} reader;

static rv_status refuse(const reader *r, rv_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static rv_status refuse(const reader *r, rv_status status, const char *format, ...)
{
    char    text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return error_set(r->error, status, "\"%s\", layer %d%s%s%s: %s", r->path, r->number, r->type ? " (" : "", r->type ? r->type : "", r->type ? ")" : "", text);
}

/* What the engine refuses is the layer's fault. */
static rv_status from_net(const reader *r, rv_status status)
{
    rv_error said = *rv_net_error(r->n->net);
    return status == RV_OK ? RV_OK : refuse(r, status, "%s", said.text);
}

static rv_status from_file(reader *r, rv_status status) { return status == RV_OK ? RV_OK : error_set(r->error, status, "%s", r->file.error.text); }

/* ---- what a layer holds ---------------------------------------------------------------------------------------- */

typedef struct numbers {
    double    *x;
    hdf5_shape shape;
} numbers;

static hdf5_path place(const reader *r, const char *name)
{
    hdf5_path p;
    snprintf(p.path, sizeof p.path, "/layer/%d/%s", r->number, name);
    return p;
}

static bool has(reader *r, const char *name)
{
    hdf5_kind kind = hdf5_kind_of(&r->file, place(r, name).path);
    return kind == HDF5_DATASET || kind == HDF5_GROUP;
}

/* All numbers of a dataset. @param x freed by the caller, whatever happens */
static rv_status load(reader *r, const char *name, numbers *x)
{
    void *values = NULL;
    *x = (numbers){ 0 };
    if (!has(r, name)) return refuse(r, RV_FILE_ERROR, "has no dataset %s", name);
    TRY(from_file(r, hdf5_load(&r->file, place(r, name).path, HDF5_F64, &values, &x->shape)));
    x->x = values;
    for (int64_t k = 0; k < x->shape.count; k++)
        if (!isfinite(x->x[k])) return refuse(r, RV_OUT_OF_RANGE, "%s has a value that is not finite", name);
    return RV_OK;
}

/* 1 to `most` whole numbers; a single one stands for all. */
static rv_status load_integers(reader *r, const char *name, int64_t *values, int most)
{
    numbers   x;
    rv_status status = load(r, name, &x);
    if (status == RV_OK && x.shape.count != 1 && x.shape.count != most)
        status = refuse(r, RV_WRONG_SHAPE, "%s has %lld values, allowed 1%s", name, (long long)x.shape.count, most == 2 ? " or 2" : "");
    for (int k = 0; k < most && status == RV_OK; k++) {
        double value = x.x[x.shape.count == 1 ? 0 : k];
        if (fabs(value) > 1e9 || value != rint(value)) status = refuse(r, RV_OUT_OF_RANGE, "%s = %.10g, allowed are whole numbers up to 1e9", name, value);
        else values[k] = (int64_t)value;
    }
    free(x.x);
    return status;
}

static rv_status integer_or(reader *r, const char *name, int64_t standard, int64_t *value)
{
    *value = standard;
    return has(r, name) ? load_integers(r, name, value, 1) : RV_OK;
}

/* The shape, which the file gives as (n) or (C, H, W). */
static rv_status load_shape(reader *r, netx_layer *layer)
{
    numbers   x;
    rv_status status = load(r, "shape", &x);
    int64_t   n = x.shape.count;
    if (status == RV_OK && n != 1 && n != 3) status = refuse(r, RV_WRONG_SHAPE, "shape has %lld numbers, allowed are 1 (n) and 3 (C, H, W)", (long long)n);
    for (int64_t k = 0; k < n && status == RV_OK; k++)
        if (!(x.x[k] >= 1 && x.x[k] <= 1e9) || x.x[k] != rint(x.x[k])) status = refuse(r, RV_OUT_OF_RANGE, "shape has the number %.10g, allowed 1 to 1e9", x.x[k]);
    layer->rank = (int)n;
    for (int64_t k = 0; k < 3 && status == RV_OK; k++) layer->shape[k] = k < n ? (int64_t)x.x[n - 1 - k] : 1;
    free(x.x);
    if (status == RV_OK && (double)layer->shape[0] * (double)layer->shape[1] * (double)layer->shape[2] > INT32_MAX)
        status = refuse(r, RV_OUT_OF_RANGE, "has %lld x %lld x %lld neurons, allowed are 2^31", (long long)layer->shape[0], (long long)layer->shape[1],
                        (long long)layer->shape[2]);
    return status;
}

/* ---- neurons --------------------------------------------------------------------------------------------------- */

typedef struct neuron {
    int64_t du, dv, vth, message_bits;
} neuron;

static rv_status check_neuron_type(reader *r)
{
    char     *type = NULL;
    rv_status status = from_file(r, hdf5_load_text(&r->file, place(r, "neuron/type").path, &type));
    if (status == RV_OK && strcmp(type, "CUBA") != 0 && strcmp(type, "LOIHI") != 0)
        status = refuse(r, RV_CONFLICT, "neurons of type \"%.40s\", allowed are CUBA and LOIHI%s", type,
                        strstr(type, "SDNN") ? ": sigma-delta neurons do not spike" : strstr(type, "RF") ? ": resonators are not emulated" : "");
    free(type);
    return status;
}

/* The refractory delay is ignored by netx, and here. */
static rv_status load_neuron(reader *r, neuron *c)
{
    TRY(check_neuron_type(r));
    TRY(load_integers(r, "neuron/iDecay", &c->du, 1));
    TRY(load_integers(r, "neuron/vDecay", &c->dv, 1));
    TRY(load_integers(r, "neuron/vThMant", &c->vth, 1));
    TRY(integer_or(r, "neuron/messageBits", 0, &c->message_bits));
    if (c->message_bits < 0 || c->message_bits > 32) return refuse(r, RV_OUT_OF_RANGE, "messageBits = %lld, allowed 0 to 32", (long long)c->message_bits);
    c->du -= 1; /* the neuron adds it */
    if (c->vth > NEVER) c->vth = NEVER;
    return RV_OK;
}

static rv_status set(const reader *r, rv_population p, const char *name, double value) { return from_net(r, rv_set(r->n->net, p, name, rv_number(value))); }

/* Layer after layer is reset one step later. */
static rv_status set_reset(reader *r, rv_population p)
{
    if (r->options.reset_interval == 0) return RV_OK;
    TRY(set(r, p, "reset_interval", (double)r->options.reset_interval));
    return set(r, p, "reset_offset", (double)(r->options.reset_offset + 1 + r->n_created));
}

/* A bias is given for every output, of a convolution for every channel; its exponent is fixed. */
static rv_status set_bias(reader *r, const netx_layer *layer)
{
    numbers bias;
    if (layer->kind == NETX_INPUT || !has(r, "bias")) return RV_OK; /* that of an input layer describes a transform of the data */
    int64_t   channels = layer->kind == NETX_CONV ? layer->shape[2] : netx_size(layer), n = netx_size(layer);
    rv_status status = load(r, "bias", &bias);
    if (status == RV_OK && bias.shape.count != channels && bias.shape.count != 1)
        status = refuse(r, RV_WRONG_SHAPE, "bias has %lld values, allowed are %lld", (long long)bias.shape.count, (long long)channels);
    double *each = status == RV_OK ? malloc((size_t)n * sizeof *each) : NULL;
    if (status == RV_OK && !each) status = error_memory(r->error, "biases", (double)n * sizeof *each);
    for (int64_t i = 0; i < n && each; i++) each[i] = trunc(bias.x[bias.shape.count == 1 ? 0 : i % channels]);
    if (each) status = from_net(r, rv_set(r->n->net, layer->neurons, "bias_mant", rv_list(each, n)));
    free(bias.x);
    free(each);
    return status;
}

static rv_status make_neurons(reader *r, netx_layer *layer, const neuron *c)
{
    char name[40];
    snprintf(name, sizeof name, "layer%d", r->number);
    layer->neurons = rv_population_new(r->n->net, name, netx_size(layer), "loihi_lif");
    if (!layer->neurons.id) return from_net(r, rv_net_error(r->n->net)->status);
    TRY(set(r, layer->neurons, "du", (double)c->du));
    TRY(set(r, layer->neurons, "dv", (double)c->dv));
    TRY(set(r, layer->neurons, "vth", (double)c->vth));
    TRY(set(r, layer->neurons, "bias_exp", BIAS_EXP));
    TRY(set_bias(r, layer));
    TRY(set_reset(r, layer->neurons));
    r->n_created++;
    return RV_OK;
}

/* ---- what comes before ----------------------------------------------------------------------------------------- */

static rv_status make_input(reader *r, int64_t n)
{
    r->n->input = rv_population_new(r->n->net, "input", n, "spike_generator");
    r->n->n_input = n;
    r->before.neurons = r->n->input;
    return r->n->input.id ? RV_OK : from_net(r, rv_net_error(r->n->net)->status);
}

/* The layer before, with neurons; if it only has a shape, or there is none, spikes come in here. @param n inputs of this layer */
static rv_status need_before(reader *r, int64_t n)
{
    if (r->before.rank == 0) r->before = (netx_layer){ .rank = 1, .shape = { n, 1, 1 } };
    if (netx_size(&r->before) != n)
        return refuse(r, RV_WRONG_SHAPE, "weight is for %lld inputs, the layer before has %lld neurons", (long long)n, (long long)netx_size(&r->before));
    return r->before.neurons.id ? RV_OK : make_input(r, n);
}

/* The neuron of the layer before that a column of a dense matrix belongs to: after a flatten layer columns go by channel, row
 * and place, while neurons are numbered by place, row and channel. */
static int64_t neuron_of_column(const reader *r, int64_t column)
{
    const int64_t W = r->before.shape[0], H = r->before.shape[1], C = r->before.shape[2];
    if (!r->flat) return column;
    return (column % W * H + column / W % H) * C + column / (W * H);
}

/* ---- dense layers ---------------------------------------------------------------------------------------------- */

/* A matrix (outputs, inputs), and a list of its values with the targets running faster. */
typedef struct matrix {
    int64_t n_out, n_in;
    double *w; /* [n_out][n_in] */
} matrix;

static rv_status load_matrix(reader *r, const char *name, int64_t n_out, matrix *m)
{
    numbers x;
    *m = (matrix){ 0 };
    if (has(r, "weight/real")) return refuse(r, RV_CONFLICT, "has complex weights: resonators are not emulated");
    rv_status status = load(r, name, &x);
    bool      flat = x.shape.rank == 1, fits = x.shape.count > 0 && x.shape.count % n_out == 0 && (flat || (x.shape.rank == 2 && x.shape.n[0] == n_out));
    if (status == RV_OK && !fits)
        status = refuse(r, RV_WRONG_SHAPE, "%s has %lld values, allowed are %lld rows of one value for each input", name, (long long)x.shape.count, (long long)n_out);
    for (int64_t k = 0; k < x.shape.count && status == RV_OK; k++) x.x[k] = trunc(x.x[k]);
    if (status == RV_OK) *m = (matrix){ n_out, x.shape.count / n_out, x.x };
    else free(x.x);
    return status;
}

static double *list_by_source(const reader *r, const matrix *m, const double *values, bool from_before)
{
    double *list = malloc((size_t)(m->n_out * m->n_in) * sizeof *list);
    for (int64_t o = 0; o < m->n_out && list; o++)
        for (int64_t i = 0; i < m->n_in; i++) list[(from_before ? neuron_of_column(r, i) : i) * m->n_out + o] = values[o * m->n_in + i];
    return list;
}

/* One format for all weights that end at the layer. A shift to the right would destroy what it was meant to save. */
static rv_status choose_format(reader *r, matrix *m, matrix *rec, fixed_format *format)
{
    int64_t  n = m->n_out * m->n_in, n_rec = rec->n_out * rec->n_in;
    rv_error why = { 0 };
    double  *all = malloc((size_t)(n + n_rec + 1) * sizeof *all);
    if (!all) return error_memory(r->error, "weights", (double)n * sizeof *all);
    memcpy(all, m->w, (size_t)n * sizeof *all);
    if (n_rec) memcpy(all + n, rec->w, (size_t)n_rec * sizeof *all);
    rv_status status = fixed_optimise_netx(all, n + n_rec, format, &why);
    if (status != RV_OK) status = refuse(r, status, "%s", why.text);
    else if (format->shift < 0)
        status = refuse(r, RV_OUT_OF_RANGE, "all weights are %s, allowed then are %s: netx would lose their highest bit (lava-dl issue 170)",
                        format->sign == FIXED_INHIBITORY ? "negative and some below -256" : "positive and some above 255",
                        format->sign == FIXED_INHIBITORY ? "-256 to -1" : "0 to 255");
    for (int64_t k = 0; k < n && status == RV_OK; k++) m->w[k] = fixed_shift(all[k], format->shift);
    for (int64_t k = 0; k < n_rec && status == RV_OK; k++) rec->w[k] = fixed_shift(all[n + k], format->shift);
    free(all);
    return status;
}

/* Delays for every synapse, (out, in), in steps: a number, one for each output (tested first), one for each input, or all.
 * @param delay result; NULL: none */
static rv_status load_delays(reader *r, const matrix *m, double **delay, netx_layer *layer)
{
    numbers x;
    *delay = NULL;
    if (!has(r, "delay")) return RV_OK;
    rv_status status = load(r, "delay", &x);
    int64_t   n = x.shape.count, all = m->n_out * m->n_in;
    bool      matrix_like = x.shape.rank == 2 && x.shape.n[0] == m->n_out && x.shape.n[1] == m->n_in;
    if (status == RV_OK && n != 1 && !(x.shape.rank == 1 && (n == m->n_out || n == m->n_in)) && !matrix_like)
        status = refuse(r, RV_WRONG_SHAPE, "delay has %lld values, allowed are 1, %lld (each output), %lld (each input) and %lld x %lld", (long long)n,
                        (long long)m->n_out, (long long)m->n_in, (long long)m->n_out, (long long)m->n_in);
    double *d = status == RV_OK ? malloc((size_t)all * sizeof *d) : NULL;
    if (status == RV_OK && !d) status = error_memory(r->error, "delays", (double)all * sizeof *d);
    for (int64_t k = 0; k < all && status == RV_OK; k++) {
        d[k] = trunc(x.x[matrix_like ? k : n == 1 ? 0 : n == m->n_out ? k / m->n_in : k % m->n_in]);
        if (d[k] < 0) status = refuse(r, RV_OUT_OF_RANGE, "delay has the value %g, allowed 0 to %d steps", d[k], MAX_DELAY);
        if (d[k] > MAX_DELAY) d[k] = MAX_DELAY, layer->clamped++;
    }
    free(x.x);
    *delay = d;
    return status;
}

static rv_status connect_dense(reader *r, const matrix *m, const double *delay, rv_population source, rv_population target, const fixed_format *format,
                               int message_bits, rv_projection *projection)
{
    bool       from_before = source.id != target.id;
    double     h = rv_resolution(r->n->net), *w = list_by_source(r, m, m->w, from_before), *d = delay ? list_by_source(r, m, delay, from_before) : NULL;
    int64_t    n = m->n_out * m->n_in;
    rv_setting settings[] = { { "weight_exp", rv_number(format->weight_exp) }, { "num_weight_bits", rv_number(format->num_weight_bits) },
                              { "sign_mode", rv_number(format->sign) }, { "num_message_bits", rv_number(message_bits) } };
    for (int64_t k = 0; k < n && d; k++) d[k] = (d[k] + 1) * h; /* a delay of d on the chip is one of d + 1 steps */
    rv_connect_def def = { .source = rv_all(source), .target = rv_all(target), .rule = "all_to_all", .weight = rv_list(w, n),
                           .delay = d ? rv_list(d, n) : rv_number(h), .synapse = "loihi", .settings = settings, .n_settings = 4 };
    rv_status      status = w && (d || !delay) ? from_net(r, rv_connect(r->n->net, &def, projection)) : error_memory(r->error, "weights", (double)n * 8);
    free(w), free(d);
    return status;
}

static rv_status make_dense(reader *r, netx_layer *layer, matrix *m, matrix *rec, const double *delay)
{
    fixed_format format;
    neuron       c = { .du = -1, .dv = 4096, .vth = NEVER }; /* without a neuron group: v = u, and no spikes */
    if (rec->w && delay) return refuse(r, RV_CONFLICT, "has delays, with which netx loses the exponent of recurrent weights");
    if (has(r, "neuron")) TRY(load_neuron(r, &c));
    if (r->before.rank == 3 && !r->flat && netx_size(&r->before) > r->before.shape[2])
        return refuse(r, RV_CONFLICT, "follows a layer of %lld x %lld x %lld neurons: a flatten layer is needed between them", (long long)r->before.shape[0],
                      (long long)r->before.shape[1], (long long)r->before.shape[2]);
    TRY(need_before(r, m->n_in));
    TRY(choose_format(r, m, rec, &format));
    TRY(make_neurons(r, layer, &c));
    TRY(connect_dense(r, m, delay, r->before.neurons, layer->neurons, &format, r->message_bits, &layer->synapses));
    r->message_bits = (int)c.message_bits;
    return rec->w ? connect_dense(r, rec, NULL, layer->neurons, layer->neurons, &format, r->message_bits, &layer->recurrent) : RV_OK;
}

static rv_status read_dense(reader *r, netx_layer *layer)
{
    matrix  m = { 0 }, rec = { 0 };
    double *delay = NULL;
    TRY(load_shape(r, layer));
    layer->shape[0] = netx_size(layer), layer->shape[1] = layer->shape[2] = layer->rank = 1;
    rv_status status = load_matrix(r, "weight", layer->shape[0], &m);
    if (status == RV_OK && layer->kind == NETX_DENSE_REC) status = load_matrix(r, "weight_rec", layer->shape[0], &rec);
    if (status == RV_OK && rec.w && rec.n_in != rec.n_out)
        status = refuse(r, RV_WRONG_SHAPE, "weight_rec is %lld x %lld, allowed is one row and one column for each neuron", (long long)rec.n_out, (long long)rec.n_in);
    if (status == RV_OK) status = load_delays(r, &m, &delay, layer);
    if (status == RV_OK) status = make_dense(r, layer, &m, &rec, delay);
    free(m.w), free(rec.w), free(delay);
    return status;
}

/* ---- convolutions ---------------------------------------------------------------------------------------------- */

/* All pairs in the order (H, W), as the file has them. */
typedef struct conv {
    int64_t kernel[2], stride[2], padding[2], dilation[2], groups;
    int64_t in_channels, out_channels; /* of a group: inputs; of all: outputs */
    double *w;                         /* [out_channels][in_channels][kH][kW]  */
} conv;

static rv_status load_pair(reader *r, const char *name, int64_t standard, int64_t least, int64_t *pair)
{
    pair[0] = pair[1] = standard;
    if (has(r, name)) TRY(load_integers(r, name, pair, 2));
    for (int k = 0; k < 2; k++)
        if (pair[k] < least || pair[k] > 1000000) return refuse(r, RV_OUT_OF_RANGE, "%s = %lld, allowed %lld to 1e6", name, (long long)pair[k], (long long)least);
    return RV_OK;
}

static rv_status check_channels(reader *r, const netx_layer *layer, const conv *c, const hdf5_shape *weight)
{
    int64_t C_in = r->before.shape[2], C_out = layer->shape[2];
    if (c->groups < 1 || C_in % c->groups || C_out % c->groups)
        return refuse(r, RV_OUT_OF_RANGE, "groups = %lld, allowed are divisors of the %lld channels before and the %lld of the layer", (long long)c->groups,
                      (long long)C_in, (long long)C_out);
    bool fits = weight->rank >= 4 && weight->n[0] == C_out && weight->n[1] == C_in / c->groups && weight->count == C_out * weight->n[1] * weight->n[2] * weight->n[3];
    if (fits) return RV_OK;
    return refuse(r, RV_WRONG_SHAPE, "weight has %lld values of rank %d, allowed is (%lld, %lld, kernel height, kernel width)", (long long)weight->count, weight->rank,
                  (long long)C_out, (long long)(C_in / c->groups));
}

/* The layer's height and width must be what the kernel leaves of those before. */
static rv_status check_extent(reader *r, const netx_layer *layer, const conv *c)
{
    for (int k = 0; k < 2; k++) {
        int64_t in = r->before.shape[1 - k], out = layer->shape[1 - k], reach = c->dilation[k] * (c->kernel[k] - 1) + 1;
        int64_t possible = in + 2 * c->padding[k] < reach ? 0 : (in + 2 * c->padding[k] - reach) / c->stride[k] + 1;
        if (out != possible)
            return refuse(r, RV_WRONG_SHAPE, "%s = %lld in shape, but %lld before, with this kernel, stride, padding and dilation, give %lld", k ? "width" : "height",
                          (long long)out, (long long)in, (long long)possible);
    }
    return RV_OK;
}

static rv_status load_conv(reader *r, const netx_layer *layer, conv *c)
{
    numbers x;
    if (r->before.rank != 3 || r->flat) return refuse(r, RV_CONFLICT, "needs the shape of its input: a layer of (C, H, W) before it, an input layer for example");
    if (has(r, "delay")) return refuse(r, RV_CONFLICT, "has delays, which netx has for dense layers only");
    TRY(load_pair(r, "stride", 1, 1, c->stride));
    TRY(load_pair(r, "padding", 0, 0, c->padding));
    TRY(load_pair(r, "dilation", 1, 1, c->dilation));
    TRY(integer_or(r, "groups", 1, &c->groups));
    rv_status status = load(r, "weight", &x);
    c->w = x.x; /* freed by the caller */
    if (status == RV_OK) status = check_channels(r, layer, c, &x.shape);
    if (status != RV_OK) return status;
    c->in_channels = x.shape.n[1], c->out_channels = x.shape.n[0], c->kernel[0] = x.shape.n[2], c->kernel[1] = x.shape.n[3];
    return check_extent(r, layer, c);
}

/* The kernel as the engine has it, whose rows are those of x here: neurons are numbered (x H + y) C + c. */
static double *kernel_by_column(const conv *c)
{
    int64_t n = c->out_channels * c->in_channels, h = c->kernel[0], w = c->kernel[1];
    double *turned = malloc((size_t)(n * h * w) * sizeof *turned);
    for (int64_t k = 0; k < n && turned; k++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t x = 0; x < w; x++) turned[(k * w + x) * h + y] = trunc(c->w[(k * h + y) * w + x]);
    return turned;
}

static rv_status connect_conv(reader *r, netx_layer *layer, const conv *c)
{
    double *kernel = kernel_by_column(c);
    if (!kernel) return error_memory(r->error, "a convolution", 0);
    const netx_layer *in = &r->before;
    rv_convolution    g = { .shape = { in->shape[2], in->shape[0], in->shape[1] }, .kernel = { c->out_channels, c->in_channels, c->kernel[1], c->kernel[0] },
                            .stride = { c->stride[1], c->stride[0] }, .dilation = { c->dilation[1], c->dilation[0] }, .padding = { c->padding[1], c->padding[0] },
                            .padding_end = { c->padding[1], c->padding[0] }, .groups = c->groups, .channels_last = true };
    int64_t           n_weights = c->out_channels * c->in_channels * c->kernel[0] * c->kernel[1];
    rv_setting        bits = { "num_message_bits", rv_number(r->message_bits) };
    rv_connect_def    def = { .source = rv_all(in->neurons), .target = rv_all(layer->neurons), .rule = "convolution", .convolution = &g, .weight = rv_list(kernel, n_weights),
                              .delay = rv_number(rv_resolution(r->n->net)), .synapse = "loihi_conv", .settings = &bits, .n_settings = 1 };
    rv_status         status = from_net(r, rv_connect(r->n->net, &def, &layer->synapses));
    free(kernel);
    return status;
}

static rv_status read_conv(reader *r, netx_layer *layer)
{
    conv   c = { 0 };
    neuron each = { 0 };
    TRY(load_shape(r, layer));
    if (layer->rank != 3) return refuse(r, RV_WRONG_SHAPE, "shape has 1 number, allowed are 3 (C, H, W)");
    if (!has(r, "neuron")) return refuse(r, RV_FILE_ERROR, "has no group neuron");
    rv_status status = load_conv(r, layer, &c);
    if (status == RV_OK) status = load_neuron(r, &each);
    if (status == RV_OK) status = need_before(r, netx_size(&r->before));
    if (status == RV_OK) status = make_neurons(r, layer, &each);
    if (status == RV_OK) status = connect_conv(r, layer, &c);
    free(c.w);
    r->message_bits = (int)each.message_bits;
    return status;
}

/* ---- input and flatten ------------------------------------------------------------------------------------------- */

/* With neurons, which the user drives by their biases; without, it only says what shape the input has. */
static rv_status read_input(reader *r, netx_layer *layer)
{
    neuron c;
    TRY(load_shape(r, layer));
    if (r->number > 0) return refuse(r, RV_CONFLICT, "an input layer can only be the first");
    if (!has(r, "neuron")) return RV_OK;
    TRY(load_neuron(r, &c));
    r->n->n_input = netx_size(layer);
    r->message_bits = (int)c.message_bits;
    return make_neurons(r, layer, &c);
}

/* ---- layer by layer ---------------------------------------------------------------------------------------------- */

static rv_status read_kind(reader *r, int kind, netx_layer *layer)
{
    *layer = (netx_layer){ .kind = kind };
    switch (kind) {
    case NETX_INPUT: return read_input(r, layer);
    case NETX_CONV: return read_conv(r, layer);
    case NETX_FLATTEN: return r->flat = true, RV_OK;
    default: return read_dense(r, layer);
    }
}

static rv_status refuse_kind(const reader *r)
{
    static const char *const known[] = { "pool", "average", "convT", "unpool", "concat", "dense_comp" };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (strcmp(r->type, known[k]) == 0)
            return refuse(r, RV_CONFLICT, "netx does not load layers of this type%s", k < 2 ? ": pooling is a conv layer with a constant kernel, stride = kernel, groups = channels" : "");
    return refuse(r, RV_UNKNOWN_NAME, "no such type, which netx would skip silently; allowed are input, dense, dense_rec, conv and flatten");
}

static rv_status read_layer(reader *r, int number)
{
    netx_layer *layer = &r->n->layer[number];
    char       *type = NULL;
    r->number = number, r->type = NULL;
    if (!has(r, "type")) return refuse(r, RV_FILE_ERROR, "has no dataset type");
    TRY(from_file(r, hdf5_load_text(&r->file, place(r, "type").path, &type)));
    r->type = type;
    int kind = 0;
    while (kind < N_NETX_KINDS && strcmp(netx_kinds[kind], type) != 0) kind++;
    rv_status status = kind < N_NETX_KINDS ? read_kind(r, kind, layer) : refuse_kind(r);
    if (status == RV_OK && kind != NETX_FLATTEN) r->before = *layer, r->flat = false;
    r->type = NULL;
    free(type);
    return status;
}

static rv_status count_layers(reader *r)
{
    hdf5_names names = { 0 };
    if (hdf5_kind_of(&r->file, "/layer") != HDF5_GROUP)
        return error_set(r->error, RV_FILE_ERROR, "\"%s\" has no group /layer: it is not a netx network", r->path);
    rv_status status = from_file(r, hdf5_list(&r->file, "/layer", &names));
    int       n = names.n;
    hdf5_names_free(&names);
    if (status == RV_OK && (n < 1 || n > MOST_LAYERS)) status = error_set(r->error, RV_OUT_OF_RANGE, "\"%s\" has %d layers, allowed 1 to %d", r->path, n, MOST_LAYERS);
    if (status != RV_OK) return status;
    r->n->n_layers = n;
    r->n->layer = calloc((size_t)n, sizeof *r->n->layer);
    return r->n->layer ? RV_OK : error_memory(r->error, "layers", (double)n * sizeof *r->n->layer);
}

static rv_status read_all(reader *r)
{
    TRY(count_layers(r));
    for (int k = 0; k < r->n->n_layers; k++) {
        char group[40];
        snprintf(group, sizeof group, "/layer/%d", k);
        if (hdf5_kind_of(&r->file, group) != HDF5_GROUP)
            return error_set(r->error, RV_FILE_ERROR, "\"%s\" has %d layers, but none is called %d: they are numbered without gaps", r->path, r->n->n_layers, k);
        TRY(read_layer(r, k));
    }
    if (r->n_created > 0) return RV_OK;
    return error_set(r->error, RV_FILE_ERROR, "\"%s\" has no layer with neurons", r->path);
}

static rv_status check_options(const netx_options *o, rv_error *error)
{
    if (o->reset_interval < 0 || o->reset_interval > 1000000000)
        return error_set(error, RV_OUT_OF_RANGE, "reset_interval = %lld steps, allowed 0 (never) to 1e9", (long long)o->reset_interval);
    if (o->reset_offset < 0 || o->reset_offset > 900000000)
        return error_set(error, RV_OUT_OF_RANGE, "reset_offset = %lld steps, allowed 0 to 9e8", (long long)o->reset_offset);
    if (o->input_message_bits >= 0 && o->input_message_bits <= 32) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "input_message_bits = %d, allowed 0 to 32", o->input_message_bits);
}

rv_status netx_read(const char *path, const rv_net_def *def, const netx_options *options, netx *n, rv_error *error)
{
    rv_net_def with_steps = *def;
    rv_error   ignored;
    reader     r = { .path = path, .n = n, .options = *options, .error = error ? error : &ignored, .message_bits = options->input_message_bits };
    *n = (netx){ 0 };
    if (with_steps.resolution == 0) with_steps.resolution = 1;
    TRY(check_options(options, error));
    TRY(rv_net_new(&with_steps, &n->net, error));
    rv_status status = from_file(&r, hdf5_open(path, &r.file));
    if (status == RV_OK) status = read_all(&r);
    hdf5_close(&r.file);
    if (status != RV_OK) netx_free(n);
    return status;
}

void netx_free(netx *n)
{
    rv_net_free(n->net);
    free(n->layer);
    *n = (netx){ 0 };
}
