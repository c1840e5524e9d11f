#include "sim/convolution.h"

#include <math.h>
#include <stdlib.h>

#include "sim/error.h"
#include "sim/memory.h"
#include "sim/value.h"

/* ---- what was given --------------------------------------------------------------------------------------------- */

enum { MOST_STEP = 1000000 }; /* of strides, dilations, paddings and the sides of a kernel */

typedef struct checking {
    const char *object;
    rv_error   *error;
} checking;

static rv_status check_number(const checking *c, const char *field, int64_t x, int64_t low, int64_t high)
{
    if (x >= low && x <= high) return RV_OK;
    return error_set(c->error, RV_OUT_OF_RANGE, "%s: convolution: %s = %lld, allowed %lld to %lld", c->object, field, (long long)x, (long long)low, (long long)high);
}

/* In floating point, where nothing overflows; what is compared with it is below 2^53. */
static double product(const int64_t *n, int count)
{
    double all = 1;
    for (int k = 0; k < count; k++) all *= (double)n[k];
    return all;
}

static rv_status check_numbers(const checking *c, const rv_convolution *g)
{
    static const char *const shape[] = { "channels", "height", "width" }, *const axis[] = { "height", "width" };
    char                     field[60];
    for (int k = 0; k < 3; k++) TRY(check_number(c, shape[k], g->shape[k], 1, MAX_NEURONS));
    TRY(check_number(c, "output channels of the kernel", g->kernel[0], 1, MAX_NEURONS));
    TRY(check_number(c, "input channels of the kernel", g->kernel[1], 1, MAX_NEURONS));
    for (int k = 0; k < 2; k++) {
        const struct { const char *name; int64_t x, low; } number[] = { { "kernel", g->kernel[2 + k], 1 }, { "stride", g->stride[k], 1 },
                                                                        { "dilation", g->dilation[k], 1 }, { "padding before the first place", g->padding[k], 0 },
                                                                        { "padding behind the last place", g->padding_end[k], 0 } };
        for (size_t i = 0; i < sizeof number / sizeof *number; i++) {
            snprintf(field, sizeof field, "%s in %s", number[i].name, axis[k]);
            TRY(check_number(c, field, number[i].x, number[i].low, MOST_STEP));
        }
    }
    return check_number(c, "groups", g->groups, 1, MAX_NEURONS);
}

static rv_status check_channels(const checking *c, const rv_convolution *g)
{
    if (g->shape[0] % g->groups || g->kernel[0] % g->groups)
        return error_set(c->error, RV_OUT_OF_RANGE, "%s: convolution: groups = %lld, allowed are divisors of the %lld input and the %lld output channels", c->object,
                         (long long)g->groups, (long long)g->shape[0], (long long)g->kernel[0]);
    if (g->kernel[1] == g->shape[0] / g->groups) return RV_OK;
    return error_set(c->error, RV_WRONG_SHAPE, "%s: convolution: the kernel has %lld input channels, allowed are the %lld of the source / groups", c->object,
                     (long long)g->kernel[1], (long long)(g->shape[0] / g->groups));
}

static int64_t reach_of(const rv_convolution *g, int axis) { return g->dilation[axis] * (g->kernel[2 + axis] - 1) + 1; }

static int64_t padded(const rv_convolution *g, int axis) { return g->shape[1 + axis] + g->padding[axis] + g->padding_end[axis]; }

static rv_status check_reach(const checking *c, const rv_convolution *g)
{
    for (int k = 0; k < 2; k++)
        if (reach_of(g, k) > padded(g, k))
            return error_set(c->error, RV_OUT_OF_RANGE, "%s: convolution: the kernel reaches over %lld places in %s, which with padding has %lld", c->object,
                             (long long)reach_of(g, k), k ? "width" : "height", (long long)padded(g, k));
    return RV_OK;
}

static void result_shape(const rv_convolution *g, int64_t out[3])
{
    out[0] = g->kernel[0];
    for (int k = 0; k < 2; k++) out[1 + k] = (padded(g, k) - reach_of(g, k)) / g->stride[k] + 1;
}

static rv_status check_counts(const checking *c, const rv_convolution *g, const neuron_range *source, const neuron_range *target, const rv_value *weight)
{
    int64_t out[3];
    result_shape(g, out);
    if (product(g->shape, 3) != (double)source->count)
        return error_set(c->error, RV_WRONG_SHAPE, "%s: convolution: a shape of %lld x %lld x %lld for %lld source neurons", c->object, (long long)g->shape[0],
                         (long long)g->shape[1], (long long)g->shape[2], (long long)source->count);
    if (product(out, 3) != (double)target->count)
        return error_set(c->error, RV_WRONG_SHAPE, "%s: convolution: its result is of %lld x %lld x %lld (channels, height, width), the target has %lld neurons", c->object,
                         (long long)out[0], (long long)out[1], (long long)out[2], (long long)target->count);
    if (product(g->kernel, 4) > MAX_NEURONS)
        return error_set(c->error, RV_OUT_OF_RANGE, "%s: convolution: a kernel of %.0f weights, allowed up to %d", c->object, product(g->kernel, 4), MAX_NEURONS);
    if (weight->kind == RV_NUMBER || (weight->kind == RV_LIST && (double)weight->n == product(g->kernel, 4))) return RV_OK;
    if (weight->kind != RV_LIST) return error_set(c->error, RV_CONFLICT, "%s: convolution: weight is a number or the list of the kernel's weights", c->object);
    return error_set(c->error, RV_WRONG_SHAPE, "%s: convolution: %lld values of weight for a kernel of %lld x %lld x %lld x %lld", c->object, (long long)weight->n,
                     (long long)g->kernel[0], (long long)g->kernel[1], (long long)g->kernel[2], (long long)g->kernel[3]);
}

static void complete(const rv_convolution *given, rv_convolution *g)
{
    *g = *given;
    g->groups = g->groups == 0 ? 1 : g->groups;
    for (int k = 0; k < 2; k++) {
        g->stride[k] = g->stride[k] == 0 ? 1 : g->stride[k];
        g->dilation[k] = g->dilation[k] == 0 ? 1 : g->dilation[k];
    }
}

rv_status convolution_check(const rv_convolution *given, const neuron_range *source, const neuron_range *target, const rv_value *weight,
                            const char *object, rv_convolution *g, rv_error *error)
{
    checking c = { object, error };
    if (!given) return error_set(error, RV_WRONG_SHAPE, "%s: convolution: it needs the shape of the source and a kernel", object);
    complete(given, g);
    TRY(check_numbers(&c, g));
    TRY(check_channels(&c, g));
    TRY(check_reach(&c, g));
    return check_counts(&c, g, source, target, weight);
}

rv_status rv_convolution_result(const rv_convolution *given, int64_t shape[3], rv_error *error)
{
    checking       c = { "rv_convolution_result", error };
    rv_convolution g;
    complete(given, &g);
    TRY(check_numbers(&c, &g));
    TRY(check_channels(&c, &g));
    TRY(check_reach(&c, &g));
    result_shape(&g, shape);
    return RV_OK;
}

/* ---- taps --------------------------------------------------------------------------------------------------------- */

static int64_t greatest_common_divisor(int64_t a, int64_t b)
{
    while (b) {
        int64_t rest = a % b;
        a = b, b = rest;
    }
    return a;
}

/* The residues of taps modulo q, and where the taps of each begin in the stored kernel. */
typedef struct residues {
    int64_t  q;
    int32_t *of_place; /* [stride] of (place + padding) modulo stride: that of its taps, -1 if there are none */
    int64_t *begin;    /* [q] */
} residues;

static bool find_residues(const rv_convolution *g, int axis, residues *r)
{
    int64_t stride = g->stride[axis], size = g->kernel[2 + axis], at = 0;
    r->q = stride / greatest_common_divisor(stride, g->dilation[axis]);
    r->of_place = malloc((size_t)stride * sizeof *r->of_place);
    r->begin = malloc((size_t)r->q * sizeof *r->begin);
    if (!r->of_place || !r->begin) return false;
    for (int64_t k = 0; k < stride; k++) r->of_place[k] = -1;
    for (int64_t k = 0; k < r->q; k++) {
        r->of_place[k * g->dilation[axis] % stride] = (int32_t)k;
        r->begin[k] = at;
        if (k < size) at += (size - 1 - k) / r->q + 1;
    }
    return true;
}

/* Where a tap is stored: those of a residue together, the last first. */
static int64_t place_of_tap(const residues *r, int64_t size, int64_t tap)
{
    int64_t residue = tap % r->q;
    return r->begin[residue] + (size - 1 - residue) / r->q - tap / r->q;
}

static convolution_reach reach_from(const convolution *c, int axis, const residues *r, int64_t place)
{
    const rv_convolution *g = &c->shape;
    int64_t stride = g->stride[axis], dilation = g->dilation[axis], size = g->kernel[2 + axis], at = place + g->padding[axis], residue = r->of_place[at % stride];
    if (residue < 0) return (convolution_reach){ 0 };
    int64_t before = at - (c->out[1 + axis] - 1) * stride;                /* the least k dilation that meets the last target */
    int64_t low = before > 0 ? (before + dilation - 1) / dilation : 0, high = at / dilation < size - 1 ? at / dilation : size - 1;
    low += ((residue - low) % r->q + r->q) % r->q;
    high -= ((high - residue) % r->q + r->q) % r->q;
    if (high < low) return (convolution_reach){ 0 };
    return (convolution_reach){ (int32_t)((at - high * dilation) / stride), (int32_t)place_of_tap(r, size, high), (int32_t)((high - low) / r->q + 1) };
}

/* ---- the kernel --------------------------------------------------------------------------------------------------- */

/* Steps of the walk in the stored kernel: channel, height, width. */
static void kernel_steps(const rv_convolution *g, int64_t group_out, int64_t step[3])
{
    int64_t width = g->kernel[3];
    if (g->channels_last) step[0] = 1, step[1] = width * group_out, step[2] = group_out;
    else step[0] = g->kernel[2] * width, step[1] = width, step[2] = 1;
}

static void store_kernel(convolution *c, const rv_value *weight, bool rounded, const residues r[2])
{
    const rv_convolution *g = &c->shape;
    int64_t               step[3], n = 0, group_out = c->group_out;
    kernel_steps(g, c->group_out, step);
    for (int64_t o = 0; o < g->kernel[0]; o++)
        for (int64_t i = 0; i < g->kernel[1]; i++)
            for (int64_t y = 0; y < g->kernel[2]; y++)
                for (int64_t x = 0; x < g->kernel[3]; x++, n++) {
                    double  w = value_bounded(weight, weight->kind == RV_LIST ? weight->list[n] : weight->a);
                    int64_t at = (o / group_out * g->kernel[1] + i) * c->block + o % group_out * step[0] + place_of_tap(&r[0], g->kernel[2], y) * step[1] +
                                 place_of_tap(&r[1], g->kernel[3], x) * step[2];
                    c->kernel[at] = rounded && weight->kind == RV_LIST ? (double)(float)w : w;
                }
}

static bool fill(const definition *d, const projection_def *p, convolution *c)
{
    residues r[2] = { 0 };
    bool     good = true;
    for (int axis = 0; axis < 2 && good; axis++) {
        int64_t n = c->shape.shape[1 + axis];
        c->step[axis] = c->shape.dilation[axis] / greatest_common_divisor(c->shape.stride[axis], c->shape.dilation[axis]);
        c->reach[axis] = malloc((size_t)n * sizeof *c->reach[axis]);
        good = c->reach[axis] && find_residues(&c->shape, axis, &r[axis]);
        for (int64_t k = 0; k < n && good; k++) c->reach[axis][k] = reach_from(c, axis, &r[axis], k);
    }
    if (good) store_kernel(c, &p->weight, d->timing == RV_GRID && projection_is_compact(p), r);
    for (int axis = 0; axis < 2; axis++) free(r[axis].of_place), free(r[axis].begin);
    return good;
}

rv_status convolution_new(const definition *d, const projection_def *p, convolution **result, rv_error *error)
{
    double       bytes = product(p->convolution.kernel, 4) * sizeof(double);
    convolution *c = *result = bytes < memory_available() ? calloc(1, sizeof *c) : NULL;
    if (!c) return error_memory(error, "the kernel of a convolution", bytes);
    c->shape = p->convolution, c->source = p->source, c->target = p->target;
    c->group_out = c->shape.kernel[0] / c->shape.groups;
    c->n_kernel = (int64_t)product(c->shape.kernel, 4), c->block = c->n_kernel / c->shape.shape[0];
    result_shape(&c->shape, c->out);
    c->kernel = malloc((size_t)c->n_kernel * sizeof *c->kernel);
    if (c->kernel && fill(d, p, c)) return RV_OK;
    convolution_free(c);
    *result = NULL;
    return error_memory(error, "the kernel of a convolution", bytes);
}

void convolution_free(convolution *c)
{
    if (!c) return;
    free(c->reach[0]), free(c->reach[1]);
    free(c->kernel);
    free(c);
}

void convolution_signs(const convolution *c, bool *negative, bool *positive)
{
    *negative = *positive = false;
    for (int64_t k = 0; k < c->n_kernel; k++) *negative |= c->kernel[k] < 0, *positive |= c->kernel[k] > 0;
}

/* ---- the walk ------------------------------------------------------------------------------------------------------- */

/* Channel, row and column of a place. @param n how many there are */
static void coordinates(const int64_t n[3], bool channels_last, int64_t place, int64_t at[3])
{
    uint32_t channels = (uint32_t)n[0], height = (uint32_t)n[1], width = (uint32_t)n[2], i = (uint32_t)place; /* of 31 bits, which divide faster */
    if (channels_last) at[0] = i % channels, at[1] = i / channels / width, at[2] = i / channels % width;
    else at[0] = i / width / height, at[1] = i / width % height, at[2] = i % width;
}

int64_t convolution_weight_of(const projection_def *p, int64_t source, int64_t target)
{
    const rv_convolution *g = &p->convolution;
    int64_t               out[3], from[3], to[3], tap[2];
    result_shape(g, out);
    coordinates(g->shape, g->channels_last, range_index(&p->source, source), from);
    coordinates(out, g->channels_last, range_index(&p->target, target), to);
    for (int k = 0; k < 2; k++) tap[k] = (from[1 + k] + g->padding[k] - to[1 + k] * g->stride[k]) / g->dilation[k];
    return ((to[0] * g->kernel[1] + from[0] % g->kernel[1]) * g->kernel[2] + tap[0]) * g->kernel[3] + tap[1];
}

void convolution_begin(const convolution *c, int64_t neuron, int64_t from, int64_t to, int64_t shift, convolution_walk *w)
{
    const rv_convolution *g = &c->shape;
    int64_t               place = range_index(&c->source, neuron), at[3], kernel[3], step[3], stride = c->target.stride;
    w->n[0] = w->block = w->row = 0;
    if (place < 0) return;
    coordinates(g->shape, g->channels_last, place, at);
    kernel_steps(g, c->group_out, kernel);
    if (g->channels_last) step[0] = stride, step[1] = c->out[2] * c->out[0] * stride, step[2] = c->out[0] * stride;
    else step[0] = c->out[1] * c->out[2] * stride, step[1] = c->out[2] * stride, step[2] = stride;
    convolution_reach reach[2] = { c->reach[0][at[1]], c->reach[1][at[2]] };
    int64_t           group_out = c->group_out, group = g->groups > 1 ? at[0] / g->kernel[1] : 0;
    w->first = c->target.first + group * group_out * step[0] + reach[0].target * step[1] + reach[1].target * step[2];
    w->weight = c->kernel + at[0] * c->block + reach[0].tap * kernel[1] + reach[1].tap * kernel[2];
    for (int k = 0; k < 3; k++) {
        int axis = g->channels_last ? (k + 1) % 3 : k; /* the k-th loop */
        w->n[k] = axis == 0 ? group_out : reach[axis - 1].n;
        w->step[k] = axis == 0 ? step[0] : step[axis] * c->step[axis - 1];
        w->weight_step[k] = kernel[axis];
    }
    if (w->n[1] == 0 || w->n[2] == 0) w->n[0] = 0;
    w->span[1] = (w->n[2] - 1) * w->step[2];
    w->span[0] = (w->n[1] - 1) * w->step[1] + w->span[1];
    w->from = from, w->to = to, w->shift = shift - from;
    if (w->first + w->span[0] < from) w->block = (from - w->first - w->span[0] + w->step[0] - 1) / w->step[0];
}

/* The part of a row that lies within from..to-1. */
static bool clip_row(const convolution_walk *w, int64_t first, const double *weight, convolution_block *b)
{
    int64_t begin = first < w->from ? (w->from - first + w->step[2] - 1) / w->step[2] : 0;
    int64_t end = first + w->span[1] < w->to ? w->n[2] : first < w->to ? (w->to - first + w->step[2] - 1) / w->step[2] : 0;
    if (begin >= end) return false;
    *b = (convolution_block){ .target = first + begin * w->step[2] + w->shift, .n = { 1, end - begin }, .step = { 0, w->step[2] },
                              .weight = weight + begin * w->weight_step[2], .weight_step = { 0, w->weight_step[2] } };
    return true;
}

bool convolution_next(convolution_walk *w, convolution_block *b)
{
    for (; w->block < w->n[0]; w->block++, w->row = 0) {
        int64_t       first = w->first + w->block * w->step[0];
        const double *weight = w->weight + w->block * w->weight_step[0];
        if (first >= w->to) return false;
        if (first >= w->from && first + w->span[0] < w->to) {
            *b = (convolution_block){ .target = first + w->shift, .n = { w->n[1], w->n[2] }, .step = { w->step[1], w->step[2] },
                                      .weight = weight, .weight_step = { w->weight_step[1], w->weight_step[2] } };
            w->block++;
            return true;
        }
        while (w->row < w->n[1]) {
            int64_t row = w->row++;
            if (clip_row(w, first + row * w->step[1], weight + row * w->weight_step[1], b)) return true;
        }
    }
    return false;
}
