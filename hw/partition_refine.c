/* Improving a partition: vertices move to the part where their nets are, or change places; nothing is done that raises
 * the excess, or the cost at equal excess. Small partitions are then annealed (Kirkpatrick et al. 1983,
 * doi:10.1126/science.220.4598.671) and the best state seen is kept. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/partition.h"
#include "sim/error.h"
#include "sim/random.h"

enum { MOST_PASSES = 12, CANDIDATES = 3, SWAP_SAMPLES = 4, MOST_PROPOSALS = 400000 };
static const double annealing_work = 3e8; /* entries of nets looked at: about a second */

typedef struct refining {
    partition     *p;
    partition_gain gain;
    int32_t       *order; /* [n_vertices] */
    rv_random      random;
} refining;

/* ---- one move --------------------------------------------------------------------------------------------------- */

static bool is_better(const partition *p, int64_t excess, int64_t cost)
{
    return p->excess < excess || (p->excess == excess && p->cost < cost);
}

/* Whether the numbers that can be told beforehand let the vertex in. */
static bool may_enter(const refining *r, int32_t q)
{
    const partition *p = r->p;
    const int64_t   *use = p->state[q].use, *most = p->limits->most;
    return use[HW_USE_NEURONS] < most[HW_USE_NEURONS] &&
           use[HW_USE_INPUT_AXONS] + r->gain.n_vertex_nets - r->gain.n_nets[q] <= most[HW_USE_INPUT_AXONS];
}

/* The best parts to go to by cost, from the last gain; -1 where there are fewer.
 *  @param limit only changes of the cost below it */
static void find_candidates(const refining *r, int32_t from, int64_t limit, bool must_enter, int32_t *best)
{
    const partition_gain *g = &r->gain;
    for (int c = 0; c < CANDIDATES; c++) best[c] = -1;
    for (int32_t k = 0; k < g->n_touched; k++) {
        int32_t q = g->touched[k];
        if (q == from || g->base - g->conn[q] >= limit || (must_enter && !may_enter(r, q))) continue;
        for (int c = 0; c < CANDIDATES; c++) {
            bool better = best[c] < 0 || g->conn[q] > g->conn[best[c]] || (g->conn[q] == g->conn[best[c]] && q < best[c]);
            if (!better) continue;
            int32_t swap = best[c];
            best[c] = q, q = swap;
            if (q < 0) break;
        }
    }
}

/* Moves there and stays if that is better. */
static bool try_move(partition *p, int32_t v, int32_t q)
{
    int64_t excess = p->excess, cost = p->cost;
    int32_t from = p->part[v];
    partition_move(p, v, q);
    if (is_better(p, excess, cost)) return true;
    partition_move(p, v, from);
    return false;
}

static bool try_swap(partition *p, int32_t v, int32_t w)
{
    int64_t excess = p->excess, cost = p->cost;
    int32_t from = p->part[v], to = p->part[w];
    partition_move(p, v, to);
    partition_move(p, w, from);
    if (is_better(p, excess, cost)) return true;
    partition_move(p, w, to);
    partition_move(p, v, from);
    return false;
}

/* Of some members of q the one that goes most gladly to part `to`. */
static int32_t find_partner(refining *r, int32_t q, int32_t to)
{
    const part_state *s = &r->p->state[q];
    int32_t           best = -1;
    int64_t           least = INT64_MAX;
    for (int k = 0; k < SWAP_SAMPLES && s->n_members > 0; k++) {
        int32_t w = s->member[random_below(&r->random, (uint64_t)s->n_members)];
        partition_gain_of(&r->gain, r->p, w);
        int64_t change = r->gain.base - r->gain.conn[to];
        if (change < least) least = change, best = w;
    }
    return best;
}

static bool is_over(const partition *p, int32_t part)
{
    for (int u = 0; u < HW_N_RESOURCES; u++)
        if (p->state[part].use[u] > p->limits->most[u]) return true;
    return false;
}

/* @return whether something got better */
static bool improve_vertex(refining *r, int32_t v)
{
    partition *p = r->p;
    int32_t    from = p->part[v], best[CANDIDATES], wished[CANDIDATES];
    bool       flee = is_over(p, from);
    partition_gain_of(&r->gain, p, v);
    find_candidates(r, from, flee ? INT64_MAX : 0, true, best);
    find_candidates(r, from, 0, false, wished);
    int64_t change = wished[0] >= 0 ? r->gain.base - r->gain.conn[wished[0]] : 0;
    for (int c = 0; c < CANDIDATES && best[c] >= 0; c++)
        if (try_move(p, v, best[c])) return true;
    if (change >= 0) return false;
    int32_t w = find_partner(r, wished[0], from);
    return w >= 0 && try_swap(p, v, w);
}

/* ---- passes ----------------------------------------------------------------------------------------------------- */

static void shuffle(refining *r)
{
    for (int32_t k = r->p->h->n_vertices - 1; k > 0; k--) {
        int32_t other = (int32_t)random_below(&r->random, (uint64_t)k + 1), swap = r->order[k];
        r->order[k] = r->order[other], r->order[other] = swap;
    }
}

/* All vertices once. @return how many found something better */
static int64_t pass(refining *r)
{
    int64_t n = 0;
    shuffle(r);
    for (int32_t k = 0; k < r->p->h->n_vertices; k++)
        if (r->p->part[r->order[k]] >= 0) n += improve_vertex(r, r->order[k]);
    return n;
}

static void improve(refining *r)
{
    for (int k = 0; k < MOST_PASSES; k++) {
        int64_t cost = r->p->cost, excess = r->p->excess;
        if (pass(r) == 0 || (excess == r->p->excess && (double)(cost - r->p->cost) < 1e-4 * (double)cost)) return;
    }
}

/* ---- emptying parts --------------------------------------------------------------------------------------------- */

static bool rehouse(refining *r, int32_t v)
{
    partition *p = r->p;
    int64_t    excess = p->excess;
    int32_t    from = p->part[v], best[CANDIDATES];
    partition_gain_of(&r->gain, p, v);
    find_candidates(r, from, INT64_MAX, true, best);
    for (int c = 0; c < CANDIDATES && best[c] >= 0; c++) {
        partition_move(p, v, best[c]);
        if (p->excess <= excess) return true;
        partition_move(p, v, from);
    }
    return false;
}

/* Moves all members elsewhere, or none. */
static void try_to_empty(refining *r, int32_t part)
{
    partition *p = r->p;
    int64_t    cost = p->cost;
    int32_t    n = p->state[part].n_members, moved = 0;
    int32_t   *member = malloc((size_t)(n + 1) * sizeof *member);
    if (!member || n == 0) {
        free(member);
        return;
    }
    memcpy(member, p->state[part].member, (size_t)n * sizeof *member);
    while (moved < n && rehouse(r, member[moved])) moved++;
    if (moved < n || p->cost > cost)
        while (moved > 0) partition_move(p, member[--moved], part);
    free(member);
}

typedef struct sized_part {
    int64_t size;
    int32_t part;
} sized_part;

static int by_size(const void *a, const void *b)
{
    const sized_part *x = a, *y = b;
    if (x->size != y->size) return x->size < y->size ? -1 : 1;
    return (x->part > y->part) - (x->part < y->part);
}

static void empty_small_parts(refining *r)
{
    partition  *p = r->p;
    sized_part *list = malloc((size_t)(p->n_parts + 1) * sizeof *list);
    if (!list) return;
    for (int32_t k = 0; k < p->n_parts; k++) list[k] = (sized_part){ p->state[k].n_members, k };
    qsort(list, (size_t)p->n_parts, sizeof *list, by_size);
    for (int32_t k = 0; k < p->n_parts; k++) try_to_empty(r, list[k].part);
    free(list);
}

/* ---- annealing -------------------------------------------------------------------------------------------------- */

typedef struct best_state {
    int32_t *part; /* [n_vertices] */
    int64_t  excess, cost;
} best_state;

static void keep_best(const partition *p, best_state *best)
{
    if (!is_better(p, best->excess, best->cost)) return;
    memcpy(best->part, p->part, (size_t)p->h->n_vertices * sizeof *best->part);
    best->excess = p->excess, best->cost = p->cost;
}

static bool accepted(refining *r, int64_t excess, int64_t cost, double temperature)
{
    const partition *p = r->p;
    if (p->excess != excess) return p->excess < excess;
    return p->cost <= cost || random_uniform(&r->random) < exp((double)(cost - p->cost) / temperature);
}

/* Proposes to move v to q; if it does not fit there, to change places with a member. */
static void propose(refining *r, int32_t v, int32_t q, double temperature)
{
    partition *p = r->p;
    int64_t    excess = p->excess, cost = p->cost;
    int32_t    from = p->part[v], w = -1;
    if (q == from) return;
    if (p->state[q].n_members > 0) w = p->state[q].member[random_below(&r->random, (uint64_t)p->state[q].n_members)];
    partition_move(p, v, q);
    if (p->excess > excess && w >= 0) partition_move(p, w, from);
    else w = -1;
    if (accepted(r, excess, cost, temperature)) return;
    if (w >= 0) partition_move(p, w, q);
    partition_move(p, v, from);
}

static double mean_pins(const hypergraph *h) { return (double)h->row[h->n_nets] / (h->n_vertices + 1.0); }

/* What one proposal looks at. */
static double work_of(const partition *p)
{
    double entries = 0;
    for (int32_t j = 0; j < p->h->n_nets; j++) entries += p->net[j].n;
    return 8 * (4 + mean_pins(p->h)) * log2(2 + entries / (p->h->n_nets + 1.0));
}

/* Cools from the cost of a typical net of a vertex to a fraction of one. */
static void anneal(refining *r, int64_t n_proposals, best_state *best)
{
    const hypergraph *h = r->p->h;
    double            weight = 0;
    for (int32_t j = 0; j < h->n_nets; j++) weight += (double)h->weight[j];
    double hot = weight / (h->n_nets + 1.0) * (1 + mean_pins(h) / 8), cold = 0.02 * hot;
    for (int64_t k = 0; k < n_proposals; k++) {
        double  temperature = hot * pow(cold / hot, (double)k / (double)n_proposals);
        int32_t v = (int32_t)random_below(&r->random, (uint64_t)h->n_vertices);
        if (r->p->part[v] < 0) continue;
        propose(r, v, (int32_t)random_below(&r->random, (uint64_t)r->p->n_parts), temperature);
        keep_best(r->p, best);
    }
}

static rv_status anneal_small(refining *r, rv_error *error)
{
    partition *p = r->p;
    double     proposals = fmin(annealing_work / work_of(p), MOST_PROPOSALS);
    if (proposals < 200.0 * p->h->n_vertices || p->n_parts < 2) return RV_OK;
    best_state best = { malloc((size_t)(p->h->n_vertices + 1) * sizeof *best.part), INT64_MAX, INT64_MAX };
    if (!best.part) return error_memory(error, "the partition", 0);
    keep_best(p, &best);
    anneal(r, (int64_t)proposals, &best);
    for (int32_t v = 0; v < p->h->n_vertices; v++) partition_move(p, v, best.part[v]);
    free(best.part);
    return RV_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

rv_status partition_refine(partition *p, bool may_empty, uint64_t seed, rv_error *error)
{
    refining  r = { .p = p, .random = random_stream(seed, RANDOM_USER, 2, 0) };
    rv_status status = partition_gain_open(&r.gain, p, error);
    r.order = malloc((size_t)(p->h->n_vertices + 1) * sizeof *r.order);
    if (status == RV_OK && !r.order) status = error_memory(error, "the partition", 0);
    for (int32_t v = 0; status == RV_OK && v < p->h->n_vertices; v++) r.order[v] = v;
    if (status == RV_OK) improve(&r);
    if (status == RV_OK && may_empty) empty_small_parts(&r), improve(&r);
    if (status == RV_OK) status = anneal_small(&r, error);
    if (status == RV_OK) improve(&r);
    partition_gain_close(&r.gain);
    free(r.order);
    if (status == RV_OK && may_empty) partition_compact(p);
    return status == RV_OK && p->failed ? error_memory(error, "the partition", 0) : status;
}
