#include "io/nir_linear.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

#define MOST_DELAY 1e6 /* steps */

/* ---- making maps row after row ---------------------------------------------------------------------------------- */

typedef struct builder {
    nir_map  *map;
    int64_t   capacity, at, next; /* entries; the row that is being filled */
    rv_error *error;
} builder;

static rv_status open_map(builder *b, nir_map *map, int64_t n_out, int64_t n_in, int64_t expected, rv_error *error)
{
    double bytes = (double)expected * sizeof *map->entry + (double)n_out * sizeof *map->row;
    *b = (builder){ .map = map, .capacity = expected, .error = error };
    *map = (nir_map){ .n_out = n_out, .n_in = n_in };
    if (bytes > memory_available() / 2) return error_memory(error, "the synapses of a NIR graph", bytes);
    map->row = calloc((size_t)n_out + 1, sizeof *map->row);
    map->entry = malloc(((size_t)expected + 1) * sizeof *map->entry);
    return map->row && map->entry ? RV_OK : error_memory(error, "the synapses of a NIR graph", bytes);
}

static rv_status add_entry(builder *b, int64_t in, int32_t delay, double weight)
{
    if (weight == 0) return RV_OK;
    if (b->at == b->capacity && !memory_reserve((void **)&b->map->entry, &b->capacity, b->at + 1, sizeof *b->map->entry))
        return error_memory(b->error, "the synapses of a NIR graph", (double)b->at * 2 * sizeof *b->map->entry);
    b->map->entry[b->at++] = (nir_entry){ (int32_t)in, delay, weight };
    return RV_OK;
}

/* By weight in the end, so that the order in which equal ones are added up is defined. */
static int by_input_and_delay(const void *pa, const void *pb)
{
    const nir_entry *a = pa, *b = pb;
    if (a->in != b->in) return a->in < b->in ? -1 : 1;
    if (a->delay != b->delay) return a->delay < b->delay ? -1 : 1;
    return a->weight < b->weight ? -1 : a->weight > b->weight;
}

/* Entries of one input and delay become one. */
static void end_row(builder *b)
{
    nir_map *m = b->map;
    int64_t  begin = m->row[b->next], kept = begin;
    bool     sorted = true;
    for (int64_t k = begin + 1; k < b->at && sorted; k++) sorted = by_input_and_delay(&m->entry[k - 1], &m->entry[k]) <= 0;
    if (!sorted) qsort(m->entry + begin, (size_t)(b->at - begin), sizeof *m->entry, by_input_and_delay);
    for (int64_t k = begin; k < b->at; k++) {
        nir_entry *last = kept > begin ? &m->entry[kept - 1] : NULL;
        if (last && last->in == m->entry[k].in && last->delay == m->entry[k].delay) last->weight += m->entry[k].weight;
        else m->entry[kept++] = m->entry[k];
    }
    b->at = kept;
    m->row[++b->next] = kept;
}

static void free_kernel(nir_kernel *kernel)
{
    if (kernel) free(kernel->weight);
    free(kernel);
}

void nir_map_free(nir_map *map)
{
    free(map->row), free(map->entry);
    free_kernel(map->kernel);
    *map = (nir_map){ 0 };
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

rv_status nir_map_identity(int64_t n, nir_map *map, rv_error *error)
{
    builder b;
    TRY(open_map(&b, map, n, n, n, error));
    for (int64_t i = 0; i < n; i++) {
        TRY(add_entry(&b, i, 0, 1));
        end_row(&b);
    }
    return RV_OK;
}

static rv_status check_finite(double x, const char *path, const char *field, rv_error *error)
{
    return isfinite(x) ? RV_OK : error_set(error, RV_OUT_OF_RANGE, "node \"%s\": %s has the value %g, allowed are finite numbers", path, field, x);
}

/* A matrix (out, in), or one for each of the leading axes. */
static rv_status matrix_map(const nir_node *node, const char *path, nir_map *map, rv_error *error)
{
    const nir_value *w = nir_get(node, "weight");
    int64_t          in = w->shape.n[w->shape.rank - 1], out = w->shape.n[w->shape.rank - 2];
    builder          b;
    TRY(open_map(&b, map, nir_size(&node->output), nir_size(&node->input), w->shape.count, error));
    for (int64_t i = 0; i < map->n_out; i++) {
        for (int64_t j = 0; j < in; j++) {
            double x = nir_number(w, i * in + j);
            TRY(check_finite(x, path, "weight", error));
            TRY(add_entry(&b, i / out * in + j, 0, x));
        }
        end_row(&b);
    }
    return RV_OK;
}

static rv_status scale_map(const nir_node *node, const char *path, nir_map *map, rv_error *error)
{
    builder b;
    TRY(open_map(&b, map, nir_size(&node->output), nir_size(&node->input), nir_size(&node->input), error));
    for (int64_t i = 0; i < map->n_out; i++) {
        double x = nir_number(nir_get(node, "scale"), i);
        TRY(check_finite(x, path, "scale", error));
        TRY(add_entry(&b, i, 0, x));
        end_row(&b);
    }
    return RV_OK;
}

static rv_status delay_map(const nir_node *node, const char *path, double step, double *rounded, nir_map *map, rv_error *error)
{
    builder b;
    TRY(open_map(&b, map, nir_size(&node->output), nir_size(&node->input), nir_size(&node->input), error));
    for (int64_t i = 0; i < map->n_out; i++) {
        double delay = nir_number(nir_get(node, "delay"), i), steps = rint(delay / step);
        if (!(delay >= 0 && steps <= MOST_DELAY))
            return error_set(error, RV_OUT_OF_RANGE, "node \"%s\": delay = %.10g s, allowed 0 to %.10g s (%g steps)", path, delay, MOST_DELAY * step, MOST_DELAY);
        *rounded = fmax(*rounded, fabs(delay - steps * step));
        TRY(add_entry(&b, i, (int32_t)steps, 1));
        end_row(&b);
    }
    return RV_OK;
}

/* ---- windows ---------------------------------------------------------------------------------------------------- */

static nir_kernel *new_kernel(const rv_convolution *shape)
{
    nir_kernel *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->shape = *shape, k->n = shape->kernel[0] * shape->kernel[1] * shape->kernel[2] * shape->kernel[3];
    k->weight = malloc((size_t)k->n * sizeof *k->weight);
    if (k->weight) return k;
    free(k);
    return NULL;
}

/* The result's size is known; what is needed behind the last place follows from it. */
static rv_convolution shape_of_window(const nir_window *w)
{
    rv_convolution g = { .shape = { w->channels_in, w->axis[0].size, w->axis[1].size }, .groups = w->groups,
                         .kernel = { w->channels_out, w->channels_in / w->groups, w->axis[0].kernel, w->axis[1].kernel } };
    for (int k = 0; k < 2; k++) {
        const nir_axis *a = &w->axis[k];
        int64_t         behind = (a->after - 1) * a->stride + (a->kernel - 1) * a->dilation + 1 - a->size - a->padding;
        g.stride[k] = a->stride, g.dilation[k] = a->dilation, g.padding[k] = a->padding, g.padding_end[k] = behind > 0 ? behind : 0;
    }
    return g;
}

static bool all_zero(const nir_kernel *k)
{
    for (int64_t i = 0; i < k->n; i++)
        if (k->weight[i] != 0) return false;
    return true;
}

static rv_status window_map(const nir_node *node, const char *path, nir_map *map, rv_error *error)
{
    nir_window       w;
    const nir_value *weight = nir_get(node, "weight");
    TRY(nir_window_of(node, &node->input, path, &w, error));
    for (int64_t k = 0; weight && k < weight->shape.count; k++) TRY(check_finite(nir_number(weight, k), path, "weight", error));
    rv_convolution shape = shape_of_window(&w);
    double         area = (double)(w.axis[0].kernel * w.axis[1].kernel), pooled = node->kind == NIR_AVGPOOL2D ? 1 / area : 1;
    *map = (nir_map){ .n_out = nir_size(&node->output), .n_in = nir_size(&node->input), .kernel = new_kernel(&shape) };
    if (!map->kernel) return error_memory(error, "the synapses of a NIR graph", area * 8);
    for (int64_t k = 0; k < map->kernel->n; k++) map->kernel->weight[k] = weight ? nir_number(weight, k) : pooled;
    return all_zero(map->kernel) ? nir_map_list(map, error) : RV_OK;
}

/* One output: cross-correlation as in PyTorch; what lies beyond the edge is 0. */
static rv_status list_window(const nir_kernel *kernel, builder *b, int64_t c, int64_t oy, int64_t ox)
{
    const rv_convolution *g = &kernel->shape;
    int64_t               first = c / (g->kernel[0] / g->groups) * g->kernel[1];
    for (int64_t k = 0; k < g->kernel[1]; k++)
        for (int64_t y = 0; y < g->kernel[2]; y++) {
            int64_t iy = oy * g->stride[0] - g->padding[0] + y * g->dilation[0];
            if (iy < 0 || iy >= g->shape[1]) continue;
            for (int64_t x = 0; x < g->kernel[3]; x++) {
                int64_t ix = ox * g->stride[1] - g->padding[1] + x * g->dilation[1];
                if (ix < 0 || ix >= g->shape[2]) continue;
                TRY(add_entry(b, ((first + k) * g->shape[1] + iy) * g->shape[2] + ix, kernel->delay, kernel->weight[((c * g->kernel[1] + k) * g->kernel[2] + y) * g->kernel[3] + x]));
            }
        }
    end_row(b);
    return RV_OK;
}

rv_status nir_map_list(nir_map *map, rv_error *error)
{
    nir_map listed = { 0 };
    builder b;
    int64_t out[3];
    if (!map->kernel) return RV_OK;
    rv_status status = rv_convolution_result(&map->kernel->shape, out, error);
    if (status == RV_OK) status = open_map(&b, &listed, map->n_out, map->n_in, map->n_out, error);
    for (int64_t i = 0; i < map->n_out && status == RV_OK; i++) status = list_window(map->kernel, &b, i / out[2] / out[1], i / out[2] % out[1], i % out[2]);
    if (status != RV_OK) {
        nir_map_free(&listed);
        return status;
    }
    nir_map_free(map);
    *map = listed;
    return RV_OK;
}

static rv_status copy_kernel(const nir_map *from, int32_t delay, nir_map *map, rv_error *error)
{
    *map = (nir_map){ .n_out = from->n_out, .n_in = from->n_in, .kernel = new_kernel(&from->kernel->shape) };
    if (!map->kernel) return error_memory(error, "the synapses of a NIR graph", (double)from->kernel->n * 8);
    map->kernel->delay = from->kernel->delay + delay;
    memcpy(map->kernel->weight, from->kernel->weight, (size_t)from->kernel->n * sizeof *map->kernel->weight);
    return RV_OK;
}

rv_status nir_map_of_node(const nir_node *node, const char *path, double step, double *rounded, nir_map *map, rv_error *error)
{
    rv_status status;
    switch (node->kind) {
    case NIR_AFFINE:
    case NIR_LINEAR: status = matrix_map(node, path, map, error); break;
    case NIR_SCALE: status = scale_map(node, path, map, error); break;
    case NIR_DELAY: status = delay_map(node, path, step, rounded, map, error); break;
    case NIR_CONV1D:
    case NIR_CONV2D:
    case NIR_SUMPOOL2D:
    case NIR_AVGPOOL2D: status = window_map(node, path, map, error); break;
    default: status = nir_map_identity(nir_size(&node->output), map, error); /* Flatten; ends of a graph within */
    }
    if (status != RV_OK) nir_map_free(map);
    return status;
}

rv_status nir_bias_of_node(const nir_node *node, double **bias, rv_error *error)
{
    const nir_value *b = nir_get(node, "bias");
    int64_t          n = nir_size(&node->output);
    *bias = NULL;
    if (!b) return RV_OK;
    *bias = malloc(((size_t)n + 1) * sizeof **bias);
    if (!*bias) return error_memory(error, "biases", (double)n * sizeof **bias);
    int64_t each = n / b->shape.count; /* of a convolution: one for all places of a channel */
    for (int64_t i = 0; i < n; i++) (*bias)[i] = nir_number(b, i / each);
    return RV_OK;
}

/* ---- composition ------------------------------------------------------------------------------------------------ */

/* One tap for each channel. */
static bool is_identical_kernel(const nir_kernel *k)
{
    const rv_convolution *g = &k->shape;
    bool                  identity = g->groups == g->shape[0] && g->kernel[0] == g->shape[0];
    for (int i = 0; i < 2; i++) identity &= g->kernel[2 + i] == 1 && g->stride[i] == 1 && g->padding[i] == 0 && g->padding_end[i] == 0;
    for (int64_t i = 0; i < k->n && identity; i++) identity = k->weight[i] == 1;
    return identity;
}

/* Whether each output is the input of the same number, all with one delay. */
static bool only_delays(const nir_map *map, int32_t *delay)
{
    *delay = map->kernel ? map->kernel->delay : map->n_out > 0 && map->row[map->n_out] > 0 ? map->entry[0].delay : 0;
    if (map->kernel) return is_identical_kernel(map->kernel);
    bool identity = map->n_out == map->n_in && map->row[map->n_out] == map->n_out;
    for (int64_t i = 0; i < map->n_out && identity; i++) {
        const nir_entry *e = &map->entry[map->row[i]];
        identity = map->row[i + 1] == i + 1 && e->in == i && e->delay == *delay && e->weight == 1;
    }
    return identity;
}

bool nir_map_is_identity(const nir_map *map)
{
    int32_t delay;
    return only_delays(map, &delay) && delay == 0;
}

bool nir_map_is_empty(const nir_map *map) { return !map->kernel && map->row[map->n_out] == 0; } /* kernels have a weight */

rv_status nir_map_compose(nir_map *outer, nir_map *inner, nir_map *map, rv_error *error)
{
    int32_t delay;
    if (outer->kernel && only_delays(inner, &delay)) return copy_kernel(outer, delay, map, error);
    if (inner->kernel && only_delays(outer, &delay)) return copy_kernel(inner, delay, map, error);
    TRY(nir_map_list(outer, error));
    TRY(nir_map_list(inner, error));
    builder   b;
    rv_status status = open_map(&b, map, outer->n_out, inner->n_in, outer->row[outer->n_out], error);
    for (int64_t i = 0; i < outer->n_out && status == RV_OK; i++) {
        for (const nir_entry *o = outer->entry + outer->row[i]; o < outer->entry + outer->row[i + 1] && status == RV_OK; o++)
            for (const nir_entry *e = inner->entry + inner->row[o->in]; e < inner->entry + inner->row[o->in + 1] && status == RV_OK; e++)
                status = add_entry(&b, e->in, o->delay + e->delay, o->weight * e->weight);
        end_row(&b);
    }
    if (status != RV_OK) nir_map_free(map);
    return status;
}

rv_status nir_map_add(nir_map *sum, nir_map *addend, rv_error *error)
{
    if (!sum->row && !sum->kernel) return *sum = *addend, *addend = (nir_map){ 0 }, RV_OK;
    nir_map   made;
    if (nir_map_list(sum, error) != RV_OK || nir_map_list(addend, error) != RV_OK) return nir_map_free(addend), RV_OUT_OF_MEMORY;
    builder   b;
    rv_status status = open_map(&b, &made, sum->n_out, sum->n_in, sum->row[sum->n_out] + addend->row[sum->n_out], error);
    for (int64_t i = 0; i < sum->n_out && status == RV_OK; i++) {
        const nir_map *both[] = { sum, addend };
        for (int k = 0; k < 2; k++)
            for (const nir_entry *e = both[k]->entry + both[k]->row[i]; e < both[k]->entry + both[k]->row[i + 1] && status == RV_OK; e++)
                status = add_entry(&b, e->in, e->delay, e->weight);
        end_row(&b);
    }
    nir_map_free(addend);
    if (status != RV_OK) return nir_map_free(&made), status;
    nir_map_free(sum);
    *sum = made;
    return RV_OK;
}

void nir_map_apply(const nir_map *map, const double *x, double *y)
{
    for (int64_t i = 0; i < map->n_out; i++)
        for (const nir_entry *e = map->entry + map->row[i]; e < map->entry + map->row[i + 1]; e++) y[i] += e->weight * x[e->in];
}
