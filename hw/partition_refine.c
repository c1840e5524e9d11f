/* Improving a partition: vertices move to the part where their nets are, or change places; nothing is done that raises
 * the excess, or the cost at equal excess. Small partitions are then annealed (Kirkpatrick et al. 1983,
 * doi:10.1126/science.220.4598.671) and the best state seen is kept. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "hw/partition.h"
#include "sim/error.h"
#include "sim/random.h"

enum { MOST_PASSES = 20, MOST_AT_ONCE = 256, SAMPLED_NETS = 125, CANDIDATES = 3, SWAP_SAMPLES = 4, PROPOSALS_PER_VERTEX = 1000, FEWEST_PER_VERTEX = 50, TINY = 100, TINY_ROUNDS = 5 };
static const double least_gain = 8e-3;   /* of the cost, for another pass */
static const double annealing_work = 1e8; /* entries of nets looked at: two or three seconds */

typedef struct refining {
    partition     *p;
    partition_gain gain;
    int32_t       *order;   /* [n_vertices]                                      */
    bool          *content; /* [n_vertices] wished for nothing when last asked   */
    rv_random      random;
    uint64_t       seed;
    uint64_t       n_asked; /* how many vertices were asked so far               */
} refining;

/* What a vertex would like, as things stand when it is asked. */
typedef struct wish {
    int32_t  vertex;
    int32_t  part[CANDIDATES]; /* the best parts that seem to have room; -1 where there are fewer      */
    int32_t  partner;          /* else: with whom to change places; -1: nobody                         */
} wish;

/* ---- one move --------------------------------------------------------------------------------------------------- */

static bool is_better(const partition *p, int64_t excess, int64_t cost)
{
    return p->excess < excess || (p->excess == excess && p->cost < cost);
}

/* Whether the vertex seems to find room in a part: its place and axons exactly, its memory with half a word for the
 * rounding of each new axon. */
static bool may_enter(const partition *p, const partition_gain *g, int32_t q)
{
    const int64_t     *use = p->state[q].use, *most = p->limits->most;
    const hw_encoding *e = p->limits->encoding;
    int64_t            axons = g->n_vertex_nets - g->pull[q].n_nets, memory = g->memory + (e ? axons * (e->header + e->word / 2) : 0);
    return use[HW_USE_NEURONS] < most[HW_USE_NEURONS] && use[HW_USE_INPUT_AXONS] + axons <= most[HW_USE_INPUT_AXONS] &&
           use[HW_USE_MEMORY] + memory <= most[HW_USE_MEMORY];
}

/* The best parts to go to by cost; -1 where there are fewer. @param limit only changes of the cost below it */
static void find_candidates(const partition *p, const partition_gain *g, int32_t from, int64_t limit, bool must_enter, int32_t *best)
{
    for (int c = 0; c < CANDIDATES; c++) best[c] = -1;
    for (int32_t k = 0; k < g->n_touched; k++) {
        int32_t q = g->touched[k];
        if (q == from || g->base - g->pull[q].weight >= limit || (must_enter && !may_enter(p, g, q))) continue;
        for (int c = 0; c < CANDIDATES && q >= 0; c++) {
            bool better = best[c] < 0 || g->pull[q].weight > g->pull[best[c]].weight ||
                          (g->pull[q].weight == g->pull[best[c]].weight && q < best[c]);
            if (!better) continue;
            int32_t swap = best[c];
            best[c] = q, q = swap;
        }
    }
}

/* Moves there and stays if that is better. */
static bool try_move(partition *p, int32_t v, int32_t q)
{
    int64_t excess = p->excess, cost = p->cost;
    int32_t from = p->part[v];
    if (q == from) return false;
    partition_move(p, v, q);
    if (is_better(p, excess, cost)) return true;
    partition_move(p, v, from);
    return false;
}

static void try_swap(partition *p, int32_t v, int32_t w)
{
    int64_t excess = p->excess, cost = p->cost;
    int32_t from = p->part[v], to = p->part[w];
    if (from == to) return;
    partition_move(p, v, to);
    partition_move(p, w, from);
    if (is_better(p, excess, cost)) return;
    partition_move(p, w, to);
    partition_move(p, v, from);
}

/* Nets of a vertex are many: some of them say nearly as well where it would like to be. */
static int stride_of(const partition *p, int32_t v)
{
    int64_t n = (p->h->begin[v + 1] - p->h->begin[v]) / SAMPLED_NETS;
    return n < 1 ? 1 : (int)n;
}

/* Of some members of q the one that goes most gladly to part `to`; -1 if that costs `most` or more. */
static int32_t find_partner(const partition *p, partition_gain *g, int32_t q, int32_t to, int64_t most, rv_random *random)
{
    const part_state *s = &p->state[q];
    int32_t           best = -1;
    int64_t           least = most;
    for (int k = 0; k < SWAP_SAMPLES && s->n_members > 0; k++) {
        int32_t w = s->member[random_below(random, (uint64_t)s->n_members)];
        partition_gain_of(g, p, w, stride_of(p, w), 0);
        int64_t change = g->base - g->pull[to].weight;
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

/* Asks a vertex what it would like. Changes nothing but the wish. @return whether it is content */
static bool ask(const partition *p, partition_gain *g, rv_random random, wish *w)
{
    int32_t from = p->part[w->vertex], wished[CANDIDATES];
    bool    flee = is_over(p, from);
    int     stride = stride_of(p, w->vertex);
    *w = (wish){ w->vertex, { -1, -1, -1 }, -1 };
    if (stride > 1 && !flee) {
        partition_gain_of(g, p, w->vertex, stride, (int)random_below(&random, (uint64_t)stride));
        find_candidates(p, g, from, 0, false, wished);
        if (wished[0] < 0) return true;
    }
    partition_gain_of(g, p, w->vertex, 1, 0);
    find_candidates(p, g, from, flee ? INT64_MAX : 0, true, w->part);
    find_candidates(p, g, from, 0, false, wished);
    if (wished[0] < 0) return !flee;
    int64_t change = g->base - g->pull[wished[0]].weight;
    if (w->part[0] != wished[0]) w->partner = find_partner(p, g, wished[0], from, -change, &random);
    return false;
}

static void grant(partition *p, const wish *w)
{
    for (int c = 0; c < CANDIDATES && w->part[c] >= 0; c++)
        if (try_move(p, w->vertex, w->part[c])) return;
    if (w->partner >= 0) try_swap(p, w->vertex, w->partner);
}

/* ---- passes ----------------------------------------------------------------------------------------------------- */

static void shuffle(refining *r)
{
    for (int32_t k = r->p->h->n_vertices - 1; k > 0; k--) {
        int32_t other = (int32_t)random_below(&r->random, (uint64_t)k + 1), swap = r->order[k];
        r->order[k] = r->order[other], r->order[other] = swap;
    }
}

/* Some vertices are asked together, on all threads, then granted one after the other: so the result does not depend on
 * the threads. Few enough that those who are granted last have not asked for something else by then. */
static int32_t batch_size(const partition *p)
{
    int32_t n = p->h->n_vertices / 64;
    return n < 1 ? 1 : n > MOST_AT_ONCE ? MOST_AT_ONCE : n;
}

static void ask_and_grant(refining *r, partition_gain *gains, wish *wishes, int n)
{
#pragma omp parallel for schedule(dynamic, 4) if (n >= MOST_AT_ONCE / 4)
    for (int k = 0; k < n; k++) {
        rv_random random = random_stream(r->seed, RANDOM_USER, 3, r->n_asked + (uint64_t)k);
        r->content[wishes[k].vertex] = ask(r->p, &gains[omp_get_thread_num()], random, &wishes[k]);
    }
    r->n_asked += (uint64_t)n;
    for (int k = 0; k < n; k++) grant(r->p, &wishes[k]);
}

/* All vertices once, or those that were not content. */
static void pass(refining *r, partition_gain *gains, bool all)
{
    wish    wishes[MOST_AT_ONCE];
    int32_t n = 0, size = batch_size(r->p);
    shuffle(r);
    for (int32_t k = 0; k < r->p->h->n_vertices; k++) {
        int32_t v = r->order[k];
        if (r->p->part[v] >= 0 && (all || !r->content[v])) wishes[n++].vertex = v;
        if (n == size) ask_and_grant(r, gains, wishes, n), n = 0;
    }
    ask_and_grant(r, gains, wishes, n);
}

/* When asking those who were not content gains little, all are asked; when that gains little too, it is over.
 * @param all whether to begin with all */
static void improve_with(refining *r, partition_gain *gains, bool all)
{
    for (int k = 0; k < MOST_PASSES; k++) {
        int64_t cost = r->p->cost, excess = r->p->excess;
        pass(r, gains, all);
        bool little = excess == r->p->excess && (double)(cost - r->p->cost) < least_gain * (double)cost;
        if (little && all) return;
        all = little;
    }
}

static rv_status improve(refining *r, bool all, rv_error *error)
{
    int             n_threads = omp_get_max_threads();
    partition_gain *gains = calloc((size_t)n_threads, sizeof *gains);
    rv_status       status = gains ? RV_OK : error_memory(error, "the partition", 0);
    for (int t = 0; status == RV_OK && t < n_threads; t++) status = partition_gain_open(&gains[t], r->p, error);
    if (status == RV_OK) improve_with(r, gains, all);
    for (int t = 0; gains && t < n_threads; t++) partition_gain_close(&gains[t]);
    free(gains);
    return status;
}

/* ---- what is still too full ------------------------------------------------------------------------------------- */

typedef struct ranked {
    int64_t key, second;
    int32_t vertex;
} ranked;

static int by_rank(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    if (x->second != y->second) return x->second < y->second ? -1 : 1;
    return (x->vertex > y->vertex) - (x->vertex < y->vertex);
}

/* The members that lose least by leaving go to a new part, if that lowers the excess, until the part is not too full. */
static bool evict(refining *r, int32_t part, int32_t fresh, ranked *list, int32_t n)
{
    partition *p = r->p;
    for (int32_t k = 0; k < n; k++) {
        partition_gain_of(&r->gain, p, list[k].vertex, 1, 0);
        list[k] = (ranked){ r->gain.base, 0, list[k].vertex };
    }
    qsort(list, (size_t)n, sizeof *list, by_rank);
    for (int32_t k = 0; k < n && is_over(p, part); k++) {
        int64_t excess = p->excess;
        partition_move(p, list[k].vertex, fresh);
        if (p->excess >= excess) partition_move(p, list[k].vertex, part);
    }
    return !is_over(p, part);
}

/* Where no single vertex helps (each profile has several users), about half of them go, those alike together. */
static int32_t cut_of(const ranked *list, int32_t n)
{
    for (int32_t away = 0; away < n / 2; away++) /* between two settings, if there are two */
        for (int side = -1; side <= 1; side += 2) {
            int32_t cut = n / 2 + side * away;
            if (cut > 0 && cut < n && list[cut].key >> 32 != list[cut - 1].key >> 32) return cut;
        }
    return n / 2;
}

static void halve(partition *p, int32_t part, int32_t fresh, ranked *list)
{
    const hypergraph *h = p->h;
    int32_t           n = p->state[part].n_members;
    for (int32_t k = 0; k < n; k++) {
        int32_t v = p->state[part].member[k];
        list[k] = (ranked){ (int64_t)(h->setting ? h->setting[v] : 0) << 32 | (h->profile ? h->profile[v] : 0), h->threshold ? h->threshold[v] : 0, v };
    }
    qsort(list, (size_t)n, sizeof *list, by_rank);
    for (int32_t k = cut_of(list, n); k < n; k++) partition_move(p, list[k].vertex, fresh);
}

static rv_status relieve_part(refining *r, int32_t part, ranked *list, rv_error *error)
{
    partition *p = r->p;
    int32_t    n = p->state[part].n_members, fresh = partition_add(p);
    if (p->failed) return error_memory(error, "the partition", 0);
    partition_gain_close(&r->gain); /* it has no room for the new part */
    TRY(partition_gain_open(&r->gain, p, error));
    for (int32_t i = 0; i < n; i++) list[i].vertex = p->state[part].member[i];
    if (!evict(r, part, fresh, list, n) && p->state[part].n_members > 1) halve(p, part, fresh, list);
    return p->failed ? error_memory(error, "the partition", 0) : RV_OK;
}

static rv_status relieve(refining *r, rv_error *error)
{
    partition *p = r->p;
    ranked    *list = malloc((size_t)(p->h->n_vertices + 1) * sizeof *list);
    rv_status  status = list ? RV_OK : error_memory(error, "the partition", 0);
    for (int32_t k = 0; status == RV_OK && k < p->n_parts; k++)
        while (status == RV_OK && is_over(p, k) && p->state[k].n_members > 1) status = relieve_part(r, k, list, error);
    free(list);
    return status;
}

/* ---- emptying parts --------------------------------------------------------------------------------------------- */

static bool rehouse(refining *r, int32_t v)
{
    partition *p = r->p;
    int64_t    excess = p->excess;
    int32_t    from = p->part[v], best[CANDIDATES];
    partition_gain_of(&r->gain, p, v, 1, 0);
    find_candidates(p, &r->gain, from, INT64_MAX, true, best);
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

/* A part that has something to do with the vertex: that of another pin, or the source, of one of its nets. */
static int32_t related_part(refining *r, int32_t v)
{
    const hypergraph *h = r->p->h;
    int64_t           heard = h->begin[v + 1] - h->begin[v], sent = r->p->limits->own_part_is_free ? h->sends[v + 1] - h->sends[v] : 0;
    if (heard + sent == 0) return -1;
    int64_t k = (int64_t)random_below(&r->random, (uint64_t)(heard + sent));
    int32_t net = k < heard ? h->net[h->begin[v] + k] : h->sent[h->sends[v] + k - heard];
    int64_t pins = h->row[net + 1] - h->row[net], source = r->p->limits->own_part_is_free && h->source[net] >= 0;
    if (pins + source == 0) return -1;
    int64_t pin = (int64_t)random_below(&r->random, (uint64_t)(pins + source));
    return r->p->part[pin < pins ? h->pin[h->row[net] + pin] : h->source[net]];
}

static int32_t draw_part(refining *r, int32_t v)
{
    int32_t part = random_below(&r->random, 8) ? related_part(r, v) : -1;
    return part >= 0 ? part : (int32_t)random_below(&r->random, (uint64_t)r->p->n_parts);
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
        propose(r, v, draw_part(r, v), temperature);
        keep_best(r->p, best);
    }
}

static rv_status anneal_small(refining *r, rv_error *error)
{
    partition *p = r->p;
    double     proposals = fmin(annealing_work / work_of(p), PROPOSALS_PER_VERTEX * (double)p->h->n_vertices);
    if (proposals < FEWEST_PER_VERTEX * (double)p->h->n_vertices || p->n_parts < 2) return RV_OK;
    best_state best = { malloc((size_t)(p->h->n_vertices + 1) * sizeof *best.part), INT64_MAX, INT64_MAX };
    if (!best.part) return error_memory(error, "the partition", 0);
    keep_best(p, &best);
    for (int k = 0; k < (p->h->n_vertices <= TINY ? TINY_ROUNDS : 1); k++) anneal(r, (int64_t)proposals, &best);
    for (int32_t v = 0; v < p->h->n_vertices; v++) partition_move(p, v, best.part[v]);
    free(best.part);
    return improve(r, true, error);
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status refine(refining *r, bool may_add, rv_error *error)
{
    TRY(improve(r, true, error));
    if (may_add) {
        TRY(relieve(r, error));
        empty_small_parts(r);
        TRY(improve(r, false, error));
    }
    return anneal_small(r, error);
}

rv_status partition_refine(partition *p, bool may_add, uint64_t seed, rv_error *error)
{
    refining  r = { .p = p, .seed = seed, .random = random_stream(seed, RANDOM_USER, 2, 0) };
    rv_status status = partition_gain_open(&r.gain, p, error);
    r.order = malloc((size_t)(p->h->n_vertices + 1) * sizeof *r.order);
    r.content = calloc((size_t)p->h->n_vertices + 1, sizeof *r.content);
    if (status == RV_OK && (!r.order || !r.content)) status = error_memory(error, "the partition", 0);
    for (int32_t v = 0; status == RV_OK && v < p->h->n_vertices; v++) r.order[v] = v;
    if (status == RV_OK) status = refine(&r, may_add, error);
    partition_gain_close(&r.gain);
    free(r.order);
    free(r.content);
    if (status == RV_OK && may_add) partition_compact(p);
    return status == RV_OK && p->failed ? error_memory(error, "the partition", 0) : status;
}
