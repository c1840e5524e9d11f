/* A first partition by METIS (Karypis & Kumar 1998, doi:10.1137/S1064827595287997).
 *
 * METIS divides graphs. A net becomes a star: a centre that weighs nothing, tied to its pins, which then lie where the
 * centre lies; of large networks a sample of the ties, drawn evenly along the net. How many parts are needed depends on how
 * well it goes, because vertices of one part share input axons: so the number of parts is tried, and what is too full
 * is left to the refinement. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/metis_divide.h"
#include "hw/partition.h"
#include "sim/error.h"
#include "sim/random.h"

enum { MOST_TIES = 8000000, TIES_PER_VERTEX = 64, TRIALS = 3, WEIGHT_UNITS = 1000 };
static const double wanted_fill = 0.97; /* of what is known beforehand, in the first trial             */
static const double enough_fill = 1.03; /* of the tightest limit, on average: refining lowers it by some more */

/* The stars as METIS wants them: first the vertices, then the centres of all nets. */
typedef struct star_graph {
    idx_t    n, n_vertices;                    /* of both, of vertices                  */
    idx_t   *vertex;                           /* [n_vertices] number in the hypergraph */
    idx_t   *number;                           /* and back; -1: outside                 */
    idx_t   *xadj, *adjncy, *weight, *size;    /* [n + 1], [edges], [edges], [n]        */
} star_graph;

/* ---- drawing ties ----------------------------------------------------------------------------------------------- */

typedef struct pair {
    idx_t a, b;
    float weight;
} pair;

typedef struct pair_list {
    pair   *pair;
    int64_t n;
} pair_list;

static void add_tie(pair_list *list, idx_t vertex, idx_t centre, double weight)
{
    if (vertex < 0) return;
    list->pair[list->n++] = (pair){ vertex, centre, (float)weight };
    list->pair[list->n++] = (pair){ centre, vertex, (float)weight };
}

/* How many of d pins are tied. */
static int64_t ties_of(int64_t d, double share) { return (int64_t)ceil(share * (double)d); }

static void draw_ties(pair_list *list, const star_graph *g, const hypergraph *h, int32_t net, double share, bool tie_source, uint64_t seed)
{
    rv_random random = random_stream(seed, RANDOM_USER, 1, (uint64_t)net);
    int64_t   d = h->row[net + 1] - h->row[net], n = ties_of(d, share);
    double    weight = (double)h->weight[net] * (double)d / (double)(n > 0 ? n : 1);
    idx_t     centre = g->n_vertices + net;
    for (int64_t k = 0; k < n; k++) {
        int64_t first = k * d / n, end = (k + 1) * d / n;
        int64_t pin = first + (n < d ? (int64_t)random_below(&random, (uint64_t)(end - first)) : 0);
        add_tie(list, g->number[h->pin[h->row[net] + pin]], centre, weight);
    }
    if (tie_source && h->source[net] >= 0) add_tie(list, g->number[h->source[net]], centre, (double)h->weight[net]);
}

static int by_ends(const void *x, const void *y)
{
    const pair *p = x, *q = y;
    if (p->a != q->a) return p->a < q->a ? -1 : 1;
    return (p->b > q->b) - (p->b < q->b);
}

/* ---- the graph -------------------------------------------------------------------------------------------------- */

/* Sorts the pairs by their first end, without comparing. */
static bool bucket_pairs(pair_list *list, idx_t n)
{
    int64_t *next = calloc((size_t)n + 2, sizeof *next);
    pair    *sorted = malloc((size_t)(list->n + 1) * sizeof *sorted);
    if (next && sorted) {
        for (int64_t k = 0; k < list->n; k++) next[list->pair[k].a + 1]++;
        for (idx_t v = 0; v < n; v++) next[v + 1] += next[v];
        for (int64_t k = 0; k < list->n; k++) sorted[next[list->pair[k].a]++] = list->pair[k];
        free(list->pair);
        list->pair = sorted;
    } else free(sorted);
    bool done = next && list->pair == sorted;
    free(next);
    return done;
}

/* Sorts the pairs of one vertex and adds up equal ones. @return the place behind them */
static int64_t merge_row(pair_list *list, int64_t begin, int64_t end, int64_t to)
{
    int64_t first = to;
    qsort(list->pair + begin, (size_t)(end - begin), sizeof(pair), by_ends);
    for (int64_t k = begin; k < end; k++)
        if (to > first && list->pair[to - 1].b == list->pair[k].b) list->pair[to - 1].weight += list->pair[k].weight;
        else list->pair[to++] = list->pair[k];
    return to;
}

/* METIS adds weights up in 32 bits. */
static void fill_edges(star_graph *g, const pair_list *list)
{
    double total = 0;
    for (int64_t k = 0; k < list->n; k++) total += (double)list->pair[k].weight;
    double scale = total > 0 ? 0x1p29 / total : 1;
    for (int64_t k = 0; k < list->n; k++) {
        g->adjncy[k] = list->pair[k].b;
        g->weight[k] = 1 + (idx_t)(scale * (double)list->pair[k].weight);
    }
}

static bool merge_pairs(star_graph *g, pair_list *list)
{
    if (!bucket_pairs(list, g->n)) return false;
    int64_t to = 0, k = 0;
    for (idx_t v = 0; v < g->n; v++) {
        int64_t begin = k;
        while (k < list->n && list->pair[k].a == v) k++;
        g->xadj[v] = (idx_t)to;
        to = merge_row(list, begin, k, to);
    }
    g->xadj[g->n] = (idx_t)to;
    list->n = to;
    g->adjncy = malloc((size_t)(to + 1) * sizeof *g->adjncy);
    g->weight = malloc((size_t)(to + 1) * sizeof *g->weight);
    if (!g->adjncy || !g->weight) return false;
    fill_edges(g, list);
    return true;
}

/* The part of a core that a vertex takes at least: its place, and its synapses without what they share. */
static double share_of(const hypergraph *h, const part_limits *limits, int32_t v)
{
    double memory = (double)limits->vertex_memory, share = 1 / (double)limits->most[HW_USE_NEURONS];
    for (int64_t k = h->begin[v]; limits->encoding && k < h->begin[v + 1]; k++)
        memory += (double)limits->encoding[h->net_format ? h->net_format[k] : 0].each;
    return fmax(share, memory / (double)limits->most[HW_USE_MEMORY]);
}

static bool number_vertices(star_graph *g, const hypergraph *h, const part_limits *limits)
{
    size_t n = (size_t)h->n_vertices, all = n + (size_t)h->n_nets;
    g->vertex = malloc((n + 1) * sizeof *g->vertex);
    g->number = malloc((n + 1) * sizeof *g->number);
    g->xadj = calloc(all + 2, sizeof *g->xadj);
    g->size = calloc(all + 1, sizeof *g->size);
    if (!g->vertex || !g->number || !g->xadj || !g->size) return false;
    double largest = 0;
    for (int32_t v = 0; v < h->n_vertices; v++) largest = fmax(largest, share_of(h, limits, v));
    for (int32_t v = 0; v < h->n_vertices; v++) {
        g->number[v] = -1;
        if (h->outside && h->outside[v]) continue;
        g->size[g->n_vertices] = 1 + (idx_t)(WEIGHT_UNITS * share_of(h, limits, v) / (largest > 0 ? largest : 1));
        g->number[v] = g->n_vertices, g->vertex[g->n_vertices++] = v;
    }
    g->n = g->n_vertices + h->n_nets;
    return true;
}

static bool star_graph_make(star_graph *g, const hypergraph *h, const part_limits *limits, uint64_t seed)
{
    double  pins = (double)h->row[h->n_nets], most = fmin(MOST_TIES, TIES_PER_VERTEX * (double)h->n_vertices);
    double  share = fmin(1, most / fmax(pins, 1));
    int64_t n_ties = h->n_nets;
    for (int32_t j = 0; j < h->n_nets; j++) n_ties += ties_of(h->row[j + 1] - h->row[j], share);
    pair_list list = { malloc((size_t)(2 * n_ties + 1) * sizeof(pair)), 0 };
    bool      done = list.pair && number_vertices(g, h, limits);
    for (int32_t j = 0; done && j < h->n_nets; j++) draw_ties(&list, g, h, j, share, limits->own_part_is_free, seed);
    done = done && merge_pairs(g, &list);
    free(list.pair);
    return done;
}

static void star_graph_free(star_graph *g)
{
    free(g->vertex), free(g->number), free(g->xadj), free(g->adjncy), free(g->weight), free(g->size);
}

/* ---- METIS ------------------------------------------------------------------------------------------------------ */

static rv_status divide(star_graph *g, idx_t n_parts, uint64_t seed, idx_t *part, rv_error *error)
{
    if (n_parts < 2 || g->n_vertices < 2) return memset(part, 0, (size_t)g->n * sizeof *part), RV_OK;
    if (n_parts < g->n_vertices) return metis_divide(&(metis_graph){ g->n, g->xadj, g->adjncy, g->size, g->weight }, n_parts, seed, part, error);
    for (idx_t v = 0; v < g->n_vertices; v++) part[v] = v;
    return RV_OK;
}

/* ---- how many parts --------------------------------------------------------------------------------------------- */

static double fullness(const partition *p, int32_t part)
{
    double full = 0;
    for (int r = 0; r < HW_N_RESOURCES; r++) full = fmax(full, r == HW_USE_SETTINGS ? 0 : (double)p->state[part].use[r] / (double)p->limits->most[r]); /* more parts do not help */
    return full;
}

static int32_t fewest_parts(const hypergraph *h, const part_limits *limits)
{
    double shares = 0;
    for (int32_t v = 0; v < h->n_vertices; v++)
        if (!h->outside || !h->outside[v]) shares += share_of(h, limits, v);
    return shares > 1 ? (int32_t)ceil(shares / wanted_fill) : 1;
}

static rv_status open_divided(partition *p, const hypergraph *h, const part_limits *limits, star_graph *g, int32_t n_parts, uint64_t seed,
                              rv_error *error)
{
    int32_t *part = malloc((size_t)(h->n_vertices + 1) * sizeof *part);
    idx_t   *divided = malloc((size_t)(g->n + 1) * sizeof *divided);
    rv_status status = part && divided ? divide(g, n_parts, seed, divided, error) : error_memory(error, "the partition", (double)g->n * 8);
    for (int32_t v = 0; status == RV_OK && v < h->n_vertices; v++) part[v] = g->number[v] < 0 ? -1 : divided[g->number[v]];
    if (status == RV_OK) status = partition_open(p, h, limits, part, n_parts < g->n_vertices ? n_parts : g->n_vertices, error);
    free(part);
    free(divided);
    return status;
}

static double mean_fullness(const partition *p)
{
    double sum = 0;
    for (int32_t k = 0; k < p->n_parts; k++) sum += fullness(p, k);
    return sum / p->n_parts;
}

/* Tries numbers of parts until they are full and not much more. What a part uses falls more slowly than the number
 * of parts rises, because input axons are shared: about with its 0.8th power. */
static rv_status try_numbers(partition *p, const hypergraph *h, const part_limits *limits, star_graph *g, uint64_t seed, rv_error *error)
{
    double n = fewest_parts(h, limits);
    for (int trial = 1;; trial++) {
        TRY(open_divided(p, h, limits, g, (int32_t)n, seed, error));
        double full = mean_fullness(p);
        if (full < enough_fill || trial == TRIALS || (int32_t)n >= g->n_vertices) return RV_OK;
        n = ceil(fmin(n * pow(full, 1 / 0.8), (double)g->n_vertices));
        partition_close(p);
    }
}

rv_status partition_start(partition *p, const hypergraph *h, const part_limits *limits, int32_t n_parts, uint64_t seed, rv_error *error)
{
    star_graph g = { 0 };
    *p = (partition){ 0 };
    if (!star_graph_make(&g, h, limits, seed)) return star_graph_free(&g), error_memory(error, "the graph for METIS", MOST_TIES * 24.0);
    rv_status status = n_parts > 0 ? open_divided(p, h, limits, &g, n_parts, seed, error) : try_numbers(p, h, limits, &g, seed, error);
    star_graph_free(&g);
    return status;
}
