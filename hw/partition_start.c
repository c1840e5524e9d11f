/* A first partition by METIS (Karypis & Kumar 1998, doi:10.1137/S1064827595287997).
 *
 * METIS divides graphs. A net with d pins would be a clique of d^2/2 edges; here each pin draws a few partners
 * from its net, with the weights of the whole clique, which for nets that overlap says as much. How many parts are needed
 * depends on how well it goes, because vertices of one part share input axons: so the number of parts is tried, and
 * what is still too full is split. */
#include <math.h>
#include <metis.h>
#include <stdlib.h>
#include <string.h>

#include "hw/partition.h"
#include "sim/error.h"
#include "sim/random.h"

enum { MOST_PAIRS = 4000000, PAIRS_PER_PIN = 16, TRIALS = 4, WEIGHT_UNITS = 1000 };
static const double wanted_fill = 0.97; /* of the parts' limits, on average, in the first trial */

/* Vertices that hear the same nets, as METIS wants it. */
typedef struct pair_graph {
    idx_t    n;
    idx_t   *vertex;                           /* [n] number in the hypergraph          */
    idx_t   *number;                           /* [n_vertices] and back; -1: outside    */
    idx_t   *xadj, *adjncy, *weight, *size;    /* [n + 1], [edges], [edges], [n]        */
} pair_graph;

/* ---- drawing pairs ---------------------------------------------------------------------------------------------- */

typedef struct pair {
    idx_t a, b;
    float weight;
} pair;

typedef struct pair_list {
    pair   *pair;
    int64_t n, capacity;
} pair_list;

/* Pairs of a net with d pins: all there are, if they are not too many. */
static int64_t pairs_of(int64_t d, double per_pin)
{
    double all = 0.5 * (double)d * (double)(d - 1), some = ceil(per_pin * (double)d);
    return (int64_t)fmin(all, some);
}

static void add_pair(pair_list *list, const pair_graph *g, int32_t v, int32_t w, double weight)
{
    idx_t a = g->number[v], b = g->number[w];
    if (a < 0 || b < 0 || a == b) return;
    list->pair[list->n++] = (pair){ a, b, (float)weight };
    list->pair[list->n++] = (pair){ b, a, (float)weight };
}

/* The vertices of a net; where its own part is free, its source belongs to them. */
static int32_t net_vertex(const hypergraph *h, int32_t net, int64_t k)
{
    return h->row[net] + k < h->row[net + 1] ? h->pin[h->row[net] + k] : h->source[net];
}

static int64_t net_size(const hypergraph *h, const part_limits *limits, int32_t net)
{
    return h->row[net + 1] - h->row[net] + (limits->own_part_is_free && h->source[net] >= 0);
}

static void draw_pairs(pair_list *list, const pair_graph *g, const hypergraph *h, int32_t net, int64_t d, double per_pin, uint64_t seed)
{
    int64_t   n = pairs_of(d, per_pin);
    double    weight = 0.5 * (double)h->weight[net] * (double)d / (double)n;
    rv_random random = random_stream(seed, RANDOM_USER, 1, (uint64_t)net);
    if (2 * n >= d * (d - 1)) {
        for (int64_t i = 0; i < d; i++)
            for (int64_t k = 0; k < i; k++) add_pair(list, g, net_vertex(h, net, i), net_vertex(h, net, k), weight);
        return;
    }
    for (int64_t k = 0; k < n; k++)
        add_pair(list, g, net_vertex(h, net, (int64_t)random_below(&random, (uint64_t)d)),
                 net_vertex(h, net, (int64_t)random_below(&random, (uint64_t)d)), weight);
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
static void fill_edges(pair_graph *g, const pair_list *list)
{
    double total = 0;
    for (int64_t k = 0; k < list->n; k++) total += (double)list->pair[k].weight;
    double scale = total > 0 ? 0x1p29 / total : 1;
    for (int64_t k = 0; k < list->n; k++) {
        g->adjncy[k] = list->pair[k].b;
        g->weight[k] = 1 + (idx_t)(scale * (double)list->pair[k].weight);
    }
}

static bool merge_pairs(pair_graph *g, pair_list *list)
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

static bool number_vertices(pair_graph *g, const hypergraph *h, const part_limits *limits)
{
    size_t n = (size_t)h->n_vertices;
    g->vertex = malloc((n + 1) * sizeof *g->vertex);
    g->number = malloc((n + 1) * sizeof *g->number);
    g->xadj = calloc(n + 2, sizeof *g->xadj);
    g->size = malloc((n + 1) * sizeof *g->size);
    if (!g->vertex || !g->number || !g->xadj || !g->size) return false;
    double largest = 0;
    for (int32_t v = 0; v < h->n_vertices; v++) largest = fmax(largest, share_of(h, limits, v));
    for (int32_t v = 0; v < h->n_vertices; v++) {
        g->number[v] = -1;
        if (h->outside && h->outside[v]) continue;
        g->size[g->n] = 1 + (idx_t)(WEIGHT_UNITS * share_of(h, limits, v) / (largest > 0 ? largest : 1));
        g->number[v] = g->n, g->vertex[g->n++] = v;
    }
    return true;
}

static bool pair_graph_make(pair_graph *g, const hypergraph *h, const part_limits *limits, uint64_t seed)
{
    double  pins = 0;
    int64_t n_pairs = 0;
    for (int32_t j = 0; j < h->n_nets; j++) pins += (double)net_size(h, limits, j);
    double per_pin = fmin(PAIRS_PER_PIN, MOST_PAIRS / fmax(pins, 1));
    for (int32_t j = 0; j < h->n_nets; j++) n_pairs += pairs_of(net_size(h, limits, j), per_pin);
    pair_list list = { malloc((size_t)(2 * n_pairs + 1) * sizeof(pair)), 0, 2 * n_pairs };
    bool      done = list.pair && number_vertices(g, h, limits);
    for (int32_t j = 0; done && j < h->n_nets; j++)
        if (net_size(h, limits, j) > 1) draw_pairs(&list, g, h, j, net_size(h, limits, j), per_pin, seed);
    done = done && merge_pairs(g, &list);
    free(list.pair);
    return done;
}

static void pair_graph_free(pair_graph *g)
{
    free(g->vertex), free(g->number), free(g->xadj), free(g->adjncy), free(g->weight), free(g->size);
}

/* ---- METIS ------------------------------------------------------------------------------------------------------ */

static bool divide(pair_graph *g, idx_t n_parts, uint64_t seed, idx_t *part)
{
    idx_t options[METIS_NOPTIONS], constraints = 1, cut;
    if (n_parts < 2 || g->n < 2) return memset(part, 0, (size_t)g->n * sizeof *part), true;
    if (n_parts >= g->n) {
        for (idx_t v = 0; v < g->n; v++) part[v] = v;
        return true;
    }
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = (idx_t)(seed % 1000000);
    return METIS_PartGraphKway(&g->n, &constraints, g->xadj, g->adjncy, g->size, NULL, g->weight, &n_parts, NULL, NULL, options, &cut, part) ==
           METIS_OK;
}

/* The members of a part alone. Shares nothing with the whole but is freed like it. */
static bool subgraph(const pair_graph *whole, const partition *p, int32_t part, pair_graph *g)
{
    const part_state *s = &p->state[part];
    size_t            n_edges = 0, n = (size_t)s->n_members;
    for (int32_t k = 0; k < s->n_members; k++) {
        idx_t v = whole->number[s->member[k]];
        n_edges += (size_t)(whole->xadj[v + 1] - whole->xadj[v]);
    }
    *g = (pair_graph){ .n = (idx_t)n, .vertex = malloc((n + 1) * sizeof(idx_t)), .xadj = calloc(n + 2, sizeof(idx_t)),
                       .adjncy = malloc((n_edges + 1) * sizeof(idx_t)), .weight = malloc((n_edges + 1) * sizeof(idx_t)),
                       .size = malloc((n + 1) * sizeof(idx_t)) };
    if (!g->vertex || !g->xadj || !g->adjncy || !g->weight || !g->size) return false;
    idx_t to = 0;
    for (idx_t k = 0; k < g->n; k++) {
        idx_t v = whole->number[g->vertex[k] = s->member[k]];
        g->size[k] = whole->size[v];
        for (idx_t e = whole->xadj[v]; e < whole->xadj[v + 1]; e++) {
            int32_t other = whole->vertex[whole->adjncy[e]];
            if (p->part[other] == part) g->adjncy[to] = p->place[other], g->weight[to++] = whole->weight[e];
        }
        g->xadj[k + 1] = to;
    }
    return true;
}

static bool is_over(const partition *p, int32_t part)
{
    for (int r = 0; r < HW_N_RESOURCES; r++)
        if (p->state[part].use[r] > p->limits->most[r]) return true;
    return false;
}

/* Moves about half of a part into a new one. */
static bool split(partition *p, const pair_graph *whole, int32_t part, uint64_t seed)
{
    pair_graph g = { 0 };
    idx_t     *half = malloc((size_t)(p->state[part].n_members + 1) * sizeof *half);
    bool       done = half && subgraph(whole, p, part, &g) && divide(&g, 2, seed, half);
    int32_t    fresh = done ? partition_add(p) : 0;
    idx_t      n_moved = 0;
    for (idx_t k = 0; done && k < g.n; k++) n_moved += half[k] == 1;
    for (idx_t k = 0; done && k < g.n; k++)
        if (n_moved == 0 || n_moved == g.n ? k % 2 == 1 : half[k] == 1) partition_move(p, g.vertex[k], fresh);
    pair_graph_free(&g);
    free(half);
    return done && !p->failed;
}

static bool split_what_is_over(partition *p, const pair_graph *g, uint64_t seed)
{
    for (int32_t k = 0; k < p->n_parts; k++)
        while (is_over(p, k) && p->state[k].n_members > 1)
            if (!split(p, g, k, seed)) return false;
    return true;
}

/* ---- how many parts --------------------------------------------------------------------------------------------- */

static double fullness(const partition *p, int32_t part)
{
    double full = 0;
    for (int r = 0; r < HW_N_RESOURCES; r++) full = fmax(full, (double)p->state[part].use[r] / (double)p->limits->most[r]);
    return full;
}

static int32_t fewest_parts(const hypergraph *h, const part_limits *limits)
{
    double shares = 0;
    for (int32_t v = 0; v < h->n_vertices; v++)
        if (!h->outside || !h->outside[v]) shares += share_of(h, limits, v);
    return shares > 1 ? (int32_t)ceil(shares / wanted_fill) : 1;
}

static rv_status open_divided(partition *p, const hypergraph *h, const part_limits *limits, pair_graph *g, int32_t n_parts, uint64_t seed,
                              rv_error *error)
{
    int32_t *part = malloc((size_t)(h->n_vertices + 1) * sizeof *part);
    idx_t   *divided = malloc((size_t)(g->n + 1) * sizeof *divided);
    bool     have = part && divided && divide(g, n_parts, seed, divided);
    for (int32_t v = 0; have && v < h->n_vertices; v++) part[v] = g->number[v] < 0 ? -1 : divided[g->number[v]];
    rv_status status = have ? partition_open(p, h, limits, part, n_parts < g->n ? n_parts : g->n, error)
                            : error_memory(error, "METIS", (double)g->n * 100);
    free(part);
    free(divided);
    return status;
}

/* How many times more parts there should be, and what part of them is too full. */
static double judge(const partition *p, double *n_over)
{
    double sum = 0;
    *n_over = 0;
    for (int32_t k = 0; k < p->n_parts; k++) sum += fullness(p, k), *n_over += is_over(p, k);
    *n_over /= p->n_parts;
    return sum / p->n_parts / wanted_fill;
}

/* Tries numbers of parts until few are too full. */
static rv_status try_numbers(partition *p, const hypergraph *h, const part_limits *limits, pair_graph *g, uint64_t seed, rv_error *error)
{
    double n = fewest_parts(h, limits), n_over;
    for (int trial = 0;; trial++) {
        TRY(open_divided(p, h, limits, g, (int32_t)n, seed, error));
        double more = judge(p, &n_over);
        if (n_over < 0.2 || trial == TRIALS || (int32_t)n >= g->n) return RV_OK;
        n = ceil(fmin(n * fmax(more, 1.03), (double)g->n));
        partition_close(p);
    }
}

rv_status partition_start(partition *p, const hypergraph *h, const part_limits *limits, int32_t n_parts, uint64_t seed, rv_error *error)
{
    pair_graph g = { 0 };
    *p = (partition){ 0 };
    if (!pair_graph_make(&g, h, limits, seed)) return pair_graph_free(&g), error_memory(error, "the graph for METIS", MOST_PAIRS * 24.0);
    rv_status status = n_parts > 0 ? open_divided(p, h, limits, &g, n_parts, seed, error) : try_numbers(p, h, limits, &g, seed, error);
    if (status == RV_OK && n_parts == 0 && !split_what_is_over(p, &g, seed)) status = error_memory(error, "METIS", (double)g.n * 100);
    pair_graph_free(&g);
    return status;
}
