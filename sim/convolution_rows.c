/* Convolutions in a network: their rows, which have segments and nothing behind them, and the delivery of a segment. */
#include <omp.h>

#include "sim/convolution.h"
#include "sim/error.h"
#include "sim/memory.h"
#include "sim/network.h"
#include "sim/vector.h"

/* ---- rows ----------------------------------------------------------------------------------------------------------- */

static const part *target_part(const network *net, const bundle *b, int t) { return &net->tile[t].part[b->convolution->target.population]; }

static void begin_in_tile(const network *net, const bundle *b, int t, int64_t neuron, convolution_walk *w)
{
    const part *own = target_part(net, b, t);
    convolution_begin(b->convolution, neuron, own->first, own->first + own->n, own->base, w);
}

static int64_t count_in_tile(const network *net, const bundle *b, int t, int64_t neuron)
{
    convolution_walk  w;
    convolution_block block;
    int64_t           n = 0;
    begin_in_tile(net, b, t, neuron, &w);
    while (convolution_next(&w, &block)) n += block.n[0] * block.n[1];
    return n;
}

static void count_tile(const network *net, const bundle *b, int t)
{
    rows               *r = &b->rows[t];
    const neuron_range *source = &b->convolution->source;
    for (int64_t i = 0; i < source->count && target_part(net, b, t)->n > 0; i++) {
        int64_t n = count_in_tile(net, b, t, range_neuron(source, i));
        r->n_synapses += n, r->n_segments += n > 0;
    }
}

static void cut_tile(const network *net, const bundle *b, int t, uint64_t delay)
{
    rows   *r = &b->rows[t];
    int64_t n_sources = net->def->population[b->source].n, segments = 0, synapses = 0;
    for (int64_t i = 0; i < n_sources; i++) {
        int64_t n = r->n_segments > 0 ? count_in_tile(net, b, t, i) : 0;
        r->row[i] = (uint32_t)segments;
        if (n == 0) continue;
        r->segment[segments] = (segment){ (uint32_t)synapses, (uint32_t)(delay >> 32), (uint32_t)delay };
        r->source[segments++] = (uint32_t)i;
        synapses += n;
    }
    r->row[n_sources] = (uint32_t)segments;
    r->segment[segments] = (segment){ .first = (uint32_t)synapses };
}

static rv_status allocate(const network *net, const bundle *b, rows *r, rv_error *error)
{
    const char *name = net->def->population[b->source].name;
    if (r->n_synapses >= UINT32_MAX)
        return error_set(error, RV_OUT_OF_RANGE, "population \"%s\" has %.4g synapses into one tile, allowed up to %.4g: use more threads, or split the population", name,
                         (double)r->n_synapses, 4294967294.0);
    r->row = memory_new((size_t)(net->def->population[b->source].n + 1) * sizeof *r->row);
    r->segment = memory_new((size_t)(r->n_segments + 1) * sizeof *r->segment);
    r->source = memory_new((size_t)(r->n_segments + 1) * sizeof *r->source);
    return r->row && r->segment && r->source ? RV_OK : error_memory(error, "a convolution", (double)r->n_segments * (sizeof *r->segment + sizeof *r->source));
}

rv_status convolution_lay_out(network *net, bundle *b, uint64_t delay, int threads, rv_error *error)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int t = 0; t < net->n_tiles; t++) count_tile(net, b, t);
    for (int t = 0; t < net->n_tiles; t++) {
        TRY(allocate(net, b, &b->rows[t], error));
        b->n_synapses += b->rows[t].n_synapses;
    }
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int t = 0; t < net->n_tiles; t++) cut_tile(net, b, t, delay);
    net->min_delay[b->projection[0]] = b->n_synapses > 0 ? delay : UINT64_MAX;
    return RV_OK;
}

void convolution_take_effect(bundle *b)
{
    convolution *c = b->convolution;
    for (int64_t k = 0; k < c->n_kernel; k++) {
        double stored = b->factor * b->synapse->weight(b->synapse_param, c->kernel[k]);
        c->kernel[k] = b->kind == WEIGHT_FLOAT ? (double)(float)stored : stored;
    }
}

/* ---- delivery ------------------------------------------------------------------------------------------------------- */

void convolution_begin_segment(const network *net, const bundle *b, int t, uint32_t segment, convolution_walk *w)
{
    begin_in_tile(net, b, t, b->rows[t].source[segment], w);
}

enum { MANY = 16 }; /* in a row: worth vectors */

RV_VECTORISED
static void add_row(double *restrict input, const double *restrict weight, int64_t n, double factor)
{
    for (int64_t k = 0; k < n; k++) input[k] += factor * weight[k];
}

static void add_block(double *restrict input, const convolution_block *b, double factor)
{
    bool in_a_row = b->step[1] == 1 && b->weight_step[1] == 1 && b->n[1] >= MANY;
    for (int64_t row = 0; row < b->n[0]; row++) {
        double *restrict       to = input + b->target + row * b->step[0];
        const double *restrict weight = b->weight + row * b->weight_step[0];
        if (in_a_row) add_row(to, weight, b->n[1], factor);
        else
            for (int64_t k = 0; k < b->n[1]; k++, to += b->step[1], weight += b->weight_step[1]) *to += factor * *weight;
    }
}

RV_VECTORISED
static void add_mixed_row(double *restrict ex, double *restrict in, const double *restrict weight, int64_t n, double factor)
{
    for (int64_t k = 0; k < n; k++) {
        double w = factor * weight[k];
        ex[k] += larger(w, 0);
        in[k] += smaller(w, 0);
    }
}

static void add_mixed_block(double *restrict ex, double *restrict in, const convolution_block *b, double factor)
{
    bool in_a_row = b->step[1] == 1 && b->weight_step[1] == 1;
    for (int64_t row = 0; row < b->n[0]; row++) {
        int64_t       to = b->target + row * b->step[0];
        const double *weight = b->weight + row * b->weight_step[0];
        if (in_a_row && b->n[1] >= MANY) add_mixed_row(ex + to, in + to, weight, b->n[1], factor);
        else
            for (int64_t k = 0; k < b->n[1]; k++) {
                double w = factor * weight[k * b->weight_step[1]];
                (w < 0 ? in : ex)[to + k * b->step[1]] += w;
            }
    }
}

void convolution_add(const convolution_block *block, double *ex, double *in, double factor)
{
    if (ex == in) add_block(ex, block, factor);
    else add_mixed_block(ex, in, block, factor);
}

void convolution_count(const convolution_block *block, double *input)
{
    for (int64_t i = 0; i < block->n[0]; i++)
        for (int64_t k = 0; k < block->n[1]; k++) input[convolution_target(block, i, k)] += 1;
}
