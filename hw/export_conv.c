/* An output neuron at x sees inputs at x stride + offset. For a given stride the offsets of all synapses are known, and with them
 * the smallest kernel that covers them; it is the convolution if every weight depends on offset and channels alone, and every
 * place of the kernel that lies inside the input is taken. */
#include "hw/export_conv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { HEIGHT, WIDTH };

static int64_t extent(const export_shape *s, int axis) { return axis == HEIGHT ? s->h : s->w; }
static int64_t place(const export_shape *s, int64_t neuron, int axis) { return axis == HEIGHT ? neuron / s->c % s->h : neuron / s->c / s->h; }

typedef struct search {
    const export_synapses *s;
    const export_shape    *in, *out;
    export_conv           *conv;
} search;

static int64_t offset_of(const search *f, int64_t synapse, int axis, int64_t stride)
{
    return place(f->in, f->s->from[synapse], axis) - stride * place(f->out, f->s->to[synapse], axis);
}

/* The least kernel and padding that cover the offsets low..high and leave the right number of outputs. */
static bool fit_kernel(const search *f, int axis, int64_t stride, int64_t low, int64_t high)
{
    int64_t in = extent(f->in, axis), out = extent(f->out, axis), least = low < 0 ? -low : 0;
    for (int64_t padding = least; padding < least + in + stride; padding++)
        for (int64_t kernel = high + padding + 1 > 1 ? high + padding + 1 : 1; kernel <= in + 2 * padding; kernel++)
            if ((in + 2 * padding - kernel) / stride + 1 == out) {
                f->conv->padding[axis] = padding, f->conv->kernel[axis] = kernel, f->conv->stride[axis] = stride;
                return true;
            }
    return false;
}

/* Along one axis. The stride is that with the smallest kernel: with a wrong one the offsets drift. */
static bool find_axis(const search *f, int axis)
{
    int64_t best = INT64_MAX, n = f->s->n, in = extent(f->in, axis);
    for (int64_t stride = 1; stride <= in; stride++) {
        int64_t     low = INT64_MAX, high = INT64_MIN;
        export_conv before = *f->conv;
        for (int64_t k = 0; k < n; k++) {
            int64_t offset = offset_of(f, k, axis, stride);
            if (offset < low) low = offset;
            if (offset > high) high = offset;
        }
        if (high - low < best && fit_kernel(f, axis, stride, low, high)) best = high - low;
        else *f->conv = before;
    }
    return best < INT64_MAX;
}

static int64_t channels_of_group(const search *f) { return f->in->c / f->conv->groups; }

static bool keeps_to_groups(const search *f, int64_t groups)
{
    for (int64_t k = 0; k < f->s->n; k++)
        if (f->s->from[k] % f->in->c / (f->in->c / groups) != f->s->to[k] % f->out->c / (f->out->c / groups)) return false;
    return true;
}

static void find_groups(const search *f)
{
    for (f->conv->groups = f->in->c; f->conv->groups > 1; f->conv->groups--)
        if (f->in->c % f->conv->groups == 0 && f->out->c % f->conv->groups == 0 && keeps_to_groups(f, f->conv->groups)) return;
}

/* Where the kernel has the weight of this synapse. */
static int64_t kernel_place(const search *f, int64_t k)
{
    const export_conv *c = f->conv;
    int64_t            o = f->s->to[k] % f->out->c, i = f->s->from[k] % f->in->c % channels_of_group(f);
    int64_t            y = offset_of(f, k, HEIGHT, c->stride[HEIGHT]) + c->padding[HEIGHT], x = offset_of(f, k, WIDTH, c->stride[WIDTH]) + c->padding[WIDTH];
    return ((o * channels_of_group(f) + i) * c->kernel[HEIGHT] + y) * c->kernel[WIDTH] + x;
}

static int64_t kernel_size(const search *f) { return f->out->c * channels_of_group(f) * f->conv->kernel[HEIGHT] * f->conv->kernel[WIDTH]; }

/* How many outputs along an axis have this place of the kernel inside the input. */
static int64_t times_inside(const search *f, int axis, int64_t place_in_kernel)
{
    int64_t n = 0;
    for (int64_t x = 0; x < extent(f->out, axis); x++) {
        int64_t from = x * f->conv->stride[axis] - f->conv->padding[axis] + place_in_kernel;
        n += from >= 0 && from < extent(f->in, axis);
    }
    return n;
}

/* Every weight of the kernel must stand at all its places once. @param times [kernel_size] */
static bool is_everywhere(const search *f, const int64_t *times)
{
    const export_conv *c = f->conv;
    for (int64_t k = 0; k < kernel_size(f); k++) {
        int64_t x = k % c->kernel[WIDTH], y = k / c->kernel[WIDTH] % c->kernel[HEIGHT];
        if (c->weight[k] != 0 && times[k] != times_inside(f, HEIGHT, y) * times_inside(f, WIDTH, x)) return false;
    }
    return true;
}

static bool fill_kernel(const search *f, int64_t *times)
{
    for (int64_t k = 0; k < f->s->n; k++) {
        int64_t at = kernel_place(f, k);
        if (times[at]++ > 0 && f->conv->weight[at] != f->s->weight[k]) return false;
        f->conv->weight[at] = f->s->weight[k];
    }
    return is_everywhere(f, times);
}

rv_status export_find_conv(const export_synapses *s, const export_shape *in, const export_shape *out, export_conv *conv)
{
    search f = { s, in, out, conv };
    *conv = (export_conv){ .groups = 1 };
    if (s->n == 0 || !find_axis(&f, HEIGHT) || !find_axis(&f, WIDTH)) return RV_CONFLICT;
    find_groups(&f);
    int64_t *times = calloc((size_t)kernel_size(&f), sizeof *times);
    conv->weight = calloc((size_t)kernel_size(&f), sizeof *conv->weight);
    rv_status status = !times || !conv->weight ? RV_OUT_OF_MEMORY : fill_kernel(&f, times) ? RV_OK : RV_CONFLICT;
    free(times);
    if (status == RV_OK) return RV_OK;
    free(conv->weight);
    conv->weight = NULL;
    return status;
}
