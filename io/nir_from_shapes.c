#include "io/nir_from_shapes.h"

#include <string.h>

static bool is_whole(const neuron_range *r, const population_def *p) { return r->first == 0 && r->stride == 1 && r->count == p->n; }

/* Whether NIR's Conv2d is the same: channels first, and the same padding on both sides. */
static bool is_conv2d(const definition *d, const projection_def *p)
{
    int64_t        out[3], same[3];
    rv_convolution g = p->convolution;
    if (!projection_is_compact(p) || p->synapse || g.channels_last) return false;
    if (!is_whole(&p->source, &d->population[p->source.population]) || !is_whole(&p->target, &d->population[p->target.population])) return false;
    if (rv_convolution_result(&g, out, NULL) != RV_OK) return false;
    for (int k = 0; k < 2; k++) g.padding_end[k] = g.padding[k];
    return rv_convolution_result(&g, same, NULL) == RV_OK && memcmp(out, same, sizeof out) == 0;
}

/* A constant input of a population with a shape is the bias of a Conv2d, one number for a channel. */
static bool constant_is_per_channel(const population_def *p, const char *constant, int64_t channels)
{
    int64_t each = p->n / channels;
    for (int k = 0; k < p->model->table.n_params; k++)
        if (strcmp(p->model->table.params[k].name, constant) == 0)
            for (int64_t i = 0; i < p->n; i++)
                if (neuron_value(&p->param[k], i) != neuron_value(&p->param[k], i / each * each)) return false;
    return true;
}

/* The shape that a projection gives one of its ends; one row if it is no Conv2d. */
static hdf5_shape shape_from(const definition *d, const projection_def *p, bool source)
{
    const population_def *end = &d->population[source ? p->source.population : p->target.population];
    int64_t               n[3];
    if (!is_conv2d(d, p)) return nir_vector_shape(end->n);
    if (source) memcpy(n, p->convolution.shape, sizeof n);
    else rv_convolution_result(&p->convolution, n, NULL);
    return (hdf5_shape){ .rank = 3, .n = { n[0], n[1], n[2] }, .count = end->n };
}

static bool same_shape(const hdf5_shape *a, const hdf5_shape *b) { return a->rank == b->rank && memcmp(a->n, b->n, (size_t)a->rank * sizeof *a->n) == 0; }

bool nir_shapes_fit(const definition *d, const projection_def *p, const hdf5_shape *shape)
{
    hdf5_shape source = shape_from(d, p, true), target = shape_from(d, p, false);
    return is_conv2d(d, p) && same_shape(&source, &shape[p->source.population]) && same_shape(&target, &shape[p->target.population]);
}

void nir_shapes_find(const definition *d, const char *constant, hdf5_shape *shape)
{
    bool changed = true;
    for (int k = 0; k < d->n_populations; k++) shape[k] = nir_vector_shape(d->population[k].n);
    for (int k = 0; k < d->n_projections; k++) {
        const projection_def *p = &d->projection[k];
        if (!is_conv2d(d, p)) continue;
        shape[p->source.population] = shape_from(d, p, true), shape[p->target.population] = shape_from(d, p, false);
    }
    for (int k = 0; k < d->n_populations; k++)
        if (shape[k].rank == 3 && !constant_is_per_channel(&d->population[k], constant, shape[k].n[0])) shape[k] = nir_vector_shape(d->population[k].n);
    while (changed) {
        changed = false;
        for (int k = 0; k < d->n_projections; k++) {
            const projection_def *p = &d->projection[k];
            if (nir_shapes_fit(d, p, shape)) continue;
            hdf5_shape *ends[2] = { &shape[p->target.population], is_conv2d(d, p) ? &shape[p->source.population] : NULL };
            for (int i = 0; i < 2; i++)
                if (ends[i] && ends[i]->rank == 3) *ends[i] = nir_vector_shape(ends[i]->count), changed = true;
        }
    }
}
