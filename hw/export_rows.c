/* The graph's rows are ordered by target, format, delay and weight. The synapses of the network are dealt into rows as well and ordered
 * alike; then the two must agree one by one. The format of a projection is the one that all its synapses are found with. */
#include "hw/export_rows.h"

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

enum { FORMAT_WORDS = (HW_MAX_FORMATS + 64) / 64 };

typedef struct entry {
    int32_t target, format, delay, projection;
    float   weight;
} entry;

typedef struct format_set {
    uint64_t word[FORMAT_WORDS];
} format_set;

typedef struct matching {
    const export_net *e;
    const hw_graph   *g;
    entry            *entry; /* [n_synapses] by row */
    format_set       *possible; /* [n_projections] */
    rv_error         *error;
} matching;

static rv_status mismatch(const matching *m) { return error_set(m->error, RV_CONFLICT, "the mapping is not one of this network: map it again"); }

static rv_status check_groups(const matching *m)
{
    bool same = m->g->n_groups == m->e->def->n_populations;
    for (int k = 0; k < m->g->n_groups && same; k++) same = m->g->group[k].n == m->e->def->population[k].n;
    return same ? RV_OK : mismatch(m);
}

static rv_status deal_out(matching *m)
{
    int64_t *next = malloc((size_t)(m->g->n_neurons + 1) * sizeof *next);
    if (!next) return error_memory(m->error, "rows", (double)m->g->n_neurons * sizeof *next);
    memcpy(next, m->g->row, (size_t)m->g->n_neurons * sizeof *next);
    bool fits = true;
    for (int p = 0; p < m->e->n_projections && fits; p++) {
        const export_synapses *s = &m->e->projection[p];
        for (int64_t k = 0; k < s->n && fits; k++) {
            int64_t source = m->g->group[s->source].first + s->from[k];
            fits = next[source] < m->g->row[source + 1];
            if (fits)
                m->entry[next[source]++] = (entry){ (int32_t)(m->g->group[s->target].first + s->to[k]), 0, (int32_t)s->delay[k], p, (float)(s->weight[k] * s->factor) };
        }
    }
    for (int64_t j = 0; j < m->g->n_neurons && fits; j++) fits = next[j] == m->g->row[j + 1];
    free(next);
    return fits ? RV_OK : mismatch(m);
}

static int by_order(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    if (x->format != y->format) return x->format < y->format ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    if (x->weight != y->weight) return x->weight < y->weight ? -1 : 1;
    return (x->projection > y->projection) - (x->projection < y->projection);
}

static void sort_rows(matching *m)
{
    for (int64_t j = 0; j < m->g->n_neurons; j++) qsort(m->entry + m->g->row[j], (size_t)hw_graph_fan_out(m->g, j), sizeof *m->entry, by_order);
}

/* The formats with which the graph has this synapse. @param first where its targets begin in the row */
static format_set formats_of(const matching *m, const entry *x, int64_t first, int64_t end)
{
    format_set found = { { 0 } };
    for (int64_t k = first; k < end && m->g->target[k] == x->target; k++)
        if (m->g->delay[k] == x->delay && m->g->weight[k] == x->weight) found.word[m->g->format_of[k] / 64] |= (uint64_t)1 << m->g->format_of[k] % 64;
    return found;
}

static void narrow_row(matching *m, int64_t begin, int64_t end)
{
    for (int64_t k = begin, first = begin; k < end; k++) {
        while (first < end && m->g->target[first] < m->entry[k].target) first++;
        format_set found = formats_of(m, &m->entry[k], first, end);
        for (int i = 0; i < FORMAT_WORDS; i++) m->possible[m->entry[k].projection].word[i] &= found.word[i];
    }
}

static int lowest_format(const format_set *set)
{
    for (int f = 0; f < HW_MAX_FORMATS; f++)
        if (set->word[f / 64] >> f % 64 & 1) return f;
    return -1;
}

static rv_status find_formats(matching *m, int *format)
{
    memset(m->possible, 0xff, (size_t)m->e->n_projections * sizeof *m->possible);
    for (int64_t j = 0; j < m->g->n_neurons; j++) narrow_row(m, m->g->row[j], m->g->row[j + 1]);
    for (int p = 0; p < m->e->n_projections; p++) {
        format[p] = m->e->projection[p].n ? lowest_format(&m->possible[p]) : -1;
        if (m->e->projection[p].n && format[p] < 0) return mismatch(m);
    }
    for (int64_t k = 0; k < m->g->n_synapses; k++) m->entry[k].format = format[m->entry[k].projection];
    return RV_OK;
}

static rv_status take_projections(const matching *m, int32_t *projection)
{
    for (int64_t k = 0; k < m->g->n_synapses; k++) {
        const entry *x = &m->entry[k];
        if (x->target != m->g->target[k] || x->format != m->g->format_of[k] || x->delay != m->g->delay[k] || x->weight != m->g->weight[k]) return mismatch(m);
        projection[k] = x->projection;
    }
    return RV_OK;
}

rv_status export_rows_open(const export_net *e, const hw_graph *graph, export_rows *rows, rv_error *error)
{
    size_t   n = (size_t)graph->n_synapses + 1;
    matching m = { e, graph, malloc(n * sizeof *m.entry), calloc((size_t)e->n_projections + 1, sizeof *m.possible), error };
    *rows = (export_rows){ malloc(n * sizeof *rows->projection), calloc((size_t)e->n_projections + 1, sizeof *rows->format) };
    rv_status status = m.entry && m.possible && rows->projection && rows->format ? RV_OK : error_memory(error, "rows", (double)n * sizeof *m.entry);
    if (status == RV_OK) status = check_groups(&m);
    if (status == RV_OK) status = deal_out(&m);
    if (status == RV_OK) {
        sort_rows(&m);
        status = find_formats(&m, rows->format);
    }
    if (status == RV_OK) {
        sort_rows(&m);
        status = take_projections(&m, rows->projection);
    }
    free(m.entry), free(m.possible);
    if (status != RV_OK) export_rows_close(rows);
    return status;
}

void export_rows_close(export_rows *rows)
{
    free(rows->projection), free(rows->format);
    *rows = (export_rows){ 0 };
}
