#include "hw/graph.h"

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

/* ---- making one ------------------------------------------------------------------------------------------------- */

static rv_status allocate_neurons(hw_graph *g, rv_error *error)
{
    size_t n = (size_t)g->n_neurons;
    g->profile = calloc(n + 1, sizeof *g->profile);
    g->threshold = calloc(n + 1, sizeof *g->threshold);
    g->setting = calloc(n + 1, sizeof *g->setting);
    g->rate = calloc(n + 1, sizeof *g->rate);
    g->row = calloc(n + 2, sizeof *g->row);
    if (!g->profile || !g->threshold || !g->setting || !g->rate || !g->row) return error_memory(error, "the graph of the network", (double)n * 36);
    for (int k = 0; k < g->n_groups; k++)
        for (int64_t i = 0; i < g->group[k].n; i++) g->profile[g->group[k].first + i] = g->threshold[g->group[k].first + i] = k;
    return RV_OK;
}

rv_status hw_graph_new(const hw_group *groups, int n_groups, const hw_format *formats, int n_formats, hw_graph **result,
                       rv_error *error)
{
    *result = NULL;
    if (n_formats > HW_MAX_FORMATS)
        return error_set(error, RV_OUT_OF_RANGE, "%d synapse formats, allowed up to %d", n_formats, HW_MAX_FORMATS);
    hw_graph *g = calloc(1, sizeof *g);
    if (g) {
        g->group = calloc((size_t)n_groups + 1, sizeof *g->group);
        g->format = calloc((size_t)n_formats + 1, sizeof *g->format);
        g->n_groups = n_groups, g->n_formats = n_formats;
    }
    if (!g || !g->group || !g->format) return hw_graph_free(g), error_memory(error, "the graph of the network", 0);
    if (n_formats) memcpy(g->format, formats, (size_t)n_formats * sizeof *formats);
    for (int k = 0; k < n_groups; k++) {
        g->group[k] = groups[k];
        g->group[k].first = g->n_neurons;
        g->n_neurons += groups[k].n;
    }
    rv_status status = g->n_neurons < INT32_MAX ? allocate_neurons(g, error)
                                                : error_set(error, RV_OUT_OF_RANGE, "%.4g neurons, allowed up to %d",
                                                            (double)g->n_neurons, INT32_MAX - 1);
    if (status == RV_OK) *result = g;
    else hw_graph_free(g);
    return status;
}

void hw_graph_free(hw_graph *g)
{
    if (!g) return;
    size_t m = (size_t)g->n_synapses;
    memory_free(g->target, m * sizeof *g->target);
    memory_free(g->weight, m * sizeof *g->weight);
    memory_free(g->delay, m * sizeof *g->delay);
    memory_free(g->format_of, m);
    free(g->group), free(g->format), free(g->profile), free(g->threshold), free(g->setting), free(g->notes), free(g->rate), free(g->row);
    free(g);
}

/* ---- filling the rows ------------------------------------------------------------------------------------------- */

typedef struct filler {
    hw_graph *graph;
    int64_t  *next; /* [n_neurons] where the next synapse of each goes */
    rv_error *error;
    rv_status status;
} filler;

static void count_synapse(void *sink, const hw_synapse *s)
{
    filler   *f = sink;
    hw_graph *g = f->graph;
    if (f->status != RV_OK) return;
    if (s->source < 0 || s->source >= g->n_neurons || s->target < 0 || s->target >= g->n_neurons)
        f->status = error_set(f->error, RV_OUT_OF_RANGE, "synapse %lld -> %lld: there are neurons 0 to %lld", (long long)s->source,
                              (long long)s->target, (long long)g->n_neurons - 1);
    else if (s->delay < 1 || s->delay > UINT16_MAX)
        f->status = error_set(f->error, RV_OUT_OF_RANGE, "synapse %lld -> %lld: delay = %lld steps, allowed 1 to %d", (long long)s->source,
                              (long long)s->target, (long long)s->delay, UINT16_MAX);
    else if (s->format < 0 || s->format >= g->n_formats)
        f->status = error_set(f->error, RV_OUT_OF_RANGE, "synapse %lld -> %lld: format %d of %d", (long long)s->source,
                              (long long)s->target, s->format, g->n_formats);
    else g->row[s->source + 1]++;
}

static void place_synapse(void *sink, const hw_synapse *s)
{
    filler   *f = sink;
    hw_graph *g = f->graph;
    int64_t   at = f->next[s->source]++;
    g->target[at] = (int32_t)s->target;
    g->weight[at] = (float)s->weight;
    g->delay[at] = (uint16_t)s->delay;
    g->format_of[at] = (uint8_t)s->format;
}

static rv_status allocate_synapses(hw_graph *g, rv_error *error)
{
    for (int64_t j = 0; j < g->n_neurons; j++) g->row[j + 1] += g->row[j];
    g->n_synapses = g->row[g->n_neurons];
    size_t m = (size_t)g->n_synapses;
    g->target = memory_new(m * sizeof *g->target);
    g->weight = memory_new(m * sizeof *g->weight);
    g->delay = memory_new(m * sizeof *g->delay);
    g->format_of = memory_new(m);
    bool have = g->target && g->weight && g->delay && g->format_of;
    return have ? RV_OK : error_memory(error, "the synapses of the graph", (double)m * 11);
}

/* A synapse while its row is sorted; the first four fields in one word order all but the weight. */
typedef struct sorted_synapse {
    uint64_t key; /* target 31 bits, format 8, delay 16 */
    float    weight;
} sorted_synapse;

static int by_key(const void *a, const void *b)
{
    const sorted_synapse *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static void sort_row(hw_graph *g, int64_t begin, int64_t n, sorted_synapse *s)
{
    bool sorted = true;
    for (int64_t k = 0; k < n; k++) {
        int64_t i = begin + k;
        s[k] = (sorted_synapse){ (uint64_t)g->target[i] << 24 | (uint64_t)g->format_of[i] << 16 | g->delay[i], g->weight[i] };
        sorted = sorted && (k == 0 || by_key(&s[k - 1], &s[k]) <= 0);
    }
    if (sorted) return;
    qsort(s, (size_t)n, sizeof *s, by_key);
    for (int64_t k = 0; k < n; k++) {
        int64_t i = begin + k;
        g->target[i] = (int32_t)(s[k].key >> 24), g->format_of[i] = (uint8_t)(s[k].key >> 16), g->delay[i] = (uint16_t)s[k].key;
        g->weight[i] = s[k].weight;
    }
}

static rv_status sort_rows(hw_graph *g, rv_error *error)
{
    int64_t longest = 0;
    bool    failed = false;
    for (int64_t j = 0; j < g->n_neurons; j++)
        if (hw_graph_fan_out(g, j) > longest) longest = hw_graph_fan_out(g, j);
#pragma omp parallel
    {
        sorted_synapse *s = malloc((size_t)(longest + 1) * sizeof *s);
#pragma omp for schedule(dynamic, 64)
        for (int64_t j = 0; j < g->n_neurons; j++)
            if (s) sort_row(g, g->row[j], hw_graph_fan_out(g, j), s);
#pragma omp critical(graph_sorted)
        failed = failed || !s;
        free(s);
    }
    return failed ? error_memory(error, "sorting synapses", (double)longest * sizeof(sorted_synapse)) : RV_OK;
}

rv_status hw_graph_fill(hw_graph *g, hw_synapse_visit visit, void *user, rv_error *error)
{
    filler f = { g, NULL, error, RV_OK };
    TRY(visit(user, count_synapse, &f));
    TRY(f.status);
    TRY(allocate_synapses(g, error));
    f.next = malloc((size_t)(g->n_neurons + 1) * sizeof *f.next);
    if (!f.next) return error_memory(error, "the graph of the network", 0);
    memcpy(f.next, g->row, (size_t)g->n_neurons * sizeof *f.next);
    rv_status status = visit(user, place_synapse, &f);
    free(f.next);
    return status == RV_OK ? sort_rows(g, error) : status;
}

/* ---- reading it ------------------------------------------------------------------------------------------------- */

const hw_group *hw_graph_group(const hw_graph *g, int64_t neuron)
{
    int k = 0;
    while (k + 1 < g->n_groups && (g->group[k + 1].first <= neuron || g->group[k].n == 0)) k++;
    return &g->group[k];
}

hw_encoding hw_encoding_of(const hw_chip *chip, const hw_format *format)
{
    int64_t     index = format->dense ? 0 : (int64_t)hw_value(chip, HW_INDEX_BITS);
    hw_encoding e = { .each = format->weight_bits + format->delay_bits + index, .header = (int64_t)hw_value(chip, HW_BLOCK_HEADER),
                      .word = (int64_t)hw_value(chip, HW_MEMORY_WORD), .block = INT64_MAX };
    int64_t block = hw_limit(chip, HW_BLOCK);
    if (block < INT64_MAX) e.full_block = hw_synapse_bits(&e, block), e.block = block;
    return e;
}
