#include "sim/rebuild.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

/* ---- taking synapses out ------------------------------------------------------------------------------------- */

bool loose_add(loose_synapses *list, loose_synapse item)
{
    if (!memory_reserve((void **)&list->synapse, &list->capacity, list->n + 1, sizeof item)) return false;
    list->synapse[list->n++] = item;
    return true;
}

rv_status loose_take(const network *net, int bundle_index, int t, loose_synapses *list, rv_error *error)
{
    const bundle *b = &net->bundle[bundle_index];
    const rows   *r = &b->rows[t];
    if (!memory_reserve((void **)&list->synapse, &list->capacity, r->n_synapses + 1, sizeof *list->synapse))
        return error_memory(error, "synapses that change", (double)r->n_synapses * sizeof *list->synapse);
    list->n = 0;
    for (int64_t source = 0; source < net->def->population[b->source].n; source++)
        for (uint32_t k = r->row[source]; k < r->row[source + 1]; k++)
            for (uint32_t i = r->segment[k].first; i < r->segment[k + 1].first; i++) {
                double weight = r->weight_float ? (double)r->weight_float[i] : r->weight_double ? r->weight_double[i] : b->weight;
                list->synapse[list->n++] = (loose_synapse){ .delay = segment_delay(&r->segment[k]), .weight = weight, .source = (uint32_t)source,
                                                            .segment = k, .target = r->target[i] };
            }
    return RV_OK;
}

rv_status loose_take_all(const network *net, int bundle, loose_synapses **list, rv_error *error)
{
    *list = calloc((unsigned)net->n_tiles, sizeof **list);
    if (!*list) return error_memory(error, "synapses that change", 0);
    for (int t = 0; t < net->n_tiles; t++) TRY(loose_take(net, bundle, t, &(*list)[t], error));
    return RV_OK;
}

void loose_free(loose_synapses *list, int n_tiles)
{
    for (int t = 0; list && t < n_tiles; t++) free(list[t].synapse);
    free(list);
}

/* ---- one tile ------------------------------------------------------------------------------------------------- */

/* What tells the segments of one source apart. */
typedef struct past {
    uint32_t      segment; /* NO_SEGMENT: that of new synapses       */
    bool          busy;    /* spikes are under way on it             */
    const source_trace *trace; /* NULL: the bundle does not learn    */
} past;

/* One tile of a bundle while it changes. */
typedef struct rebuild {
    network        *net;
    state          *s;
    int             bundle, t;
    bundle         *b;
    rows           *old;
    rows            fresh;
    loose_synapses *list;
    far_event      *event;   /* [n_events] all that is pending                                    */
    int64_t         n_events;
    bool           *busy;    /* [old n_segments]                                                  */
    uint32_t       *rank;    /* [old n_segments + 1] order among the segments of its source; equal: may be one */
    uint32_t       *origin;  /* [fresh n_synapses] where each synapse was                         */
    uint32_t       *parent;  /* [fresh n_segments] the segment whose past it has                  */
    uint32_t       *child;   /* [fresh n_segments] those of each old segment that is busy ...     */
    uint32_t       *children; /* [old n_segments + 1] ... from here on                            */
} rebuild;

static bool is_exact_net(const rebuild *w) { return w->net->def->timing == RV_EXACT; }

static bool is_ours(const rebuild *w, uint64_t word) { return event_kind_of(word) == EVENT_SEGMENT && (int)event_number(word) == w->bundle; }

/* In exact timing the word of a segment is followed by a time. */
static int64_t words_of(const rebuild *w, uint64_t word) { return is_exact_net(w) && event_kind_of(word) == EVENT_SEGMENT ? 2 : 1; }

static void find_busy(rebuild *w)
{
    for (int64_t i = 0; i < w->n_events; i += words_of(w, w->event[i].item))
        if (is_ours(w, w->event[i].item)) w->busy[event_index(w->event[i].item)] = true;
}

static int compare_numbers(double a, double b) { return a < b ? -1 : a > b; }

/* The past of idle segments by what they remember, so that its order is the same on all tiles; busy ones in their order. */
static int compare_pasts(const void *pa, const void *pb)
{
    const past *a = pa, *b = pb;
    if (a->busy != b->busy) return a->busy ? 1 : -1;
    if (a->busy) return a->segment < b->segment ? -1 : a->segment > b->segment;
    if (!a->trace) return 0;
    int order = compare_numbers(a->trace->last, b->trace->last);
    if (order == 0) order = compare_numbers(a->trace->caught_up, b->trace->caught_up);
    if (order == 0) order = compare_numbers(a->trace->carried, b->trace->carried);
    for (int k = 0; k < RV_MAX_TRACES && order == 0; k++) order = compare_numbers(a->trace->trace[k], b->trace->trace[k]);
    return order;
}

/* @return the rank of new synapses of the source */
static uint32_t rank_segments(rebuild *w, uint32_t source, past *some)
{
    const source_trace *trace = w->b->rule ? w->s->tile[w->t].learning[w->bundle].source : NULL;
    uint32_t      begin = w->old->row[source], n = w->old->row[source + 1] - begin, rank = 0, of_new = 0;
    for (uint32_t k = 0; k < n; k++) some[k] = (past){ begin + k, w->busy[begin + k], trace ? &trace[begin + k] : NULL };
    source_trace new = plastic_new_source((double)w->s->step);
    some[n] = (past){ NO_SEGMENT, false, trace ? &new : NULL };
    qsort(some, n + 1, sizeof *some, compare_pasts);
    for (uint32_t k = 0; k <= n; k++) {
        rank += k > 0 && compare_pasts(&some[k - 1], &some[k]) != 0;
        if (some[k].segment == NO_SEGMENT) of_new = rank;
        else w->rank[some[k].segment] = rank;
    }
    return of_new;
}

/* A synapse with its rank, to be sorted. */
typedef struct ranked {
    const loose_synapse *synapse;
    uint32_t             rank;
} ranked;

static int by_delay_rank_target(const void *pa, const void *pb)
{
    const ranked        *ra = pa, *rb = pb;
    const loose_synapse *a = ra->synapse, *b = rb->synapse;
    if (a->delay != b->delay) return a->delay < b->delay ? -1 : 1;
    if (ra->rank != rb->rank) return ra->rank < rb->rank ? -1 : 1;
    if (a->target != b->target) return a->target < b->target ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Puts the sorted synapses of one source behind those of the sources before. */
static void lay_row(rebuild *w, const ranked *row, int64_t n)
{
    rows *r = &w->fresh;
    for (int64_t i = 0; i < n; i++) {
        const loose_synapse *s = row[i].synapse;
        if (i == 0 || s->delay != row[i - 1].synapse->delay || row[i].rank != row[i - 1].rank) {
            w->parent[r->n_segments] = s->segment;
            r->segment[r->n_segments++] = (segment){ (uint32_t)r->n_synapses, (uint32_t)(s->delay >> 32), (uint32_t)s->delay };
        }
        w->origin[r->n_synapses] = s->segment == NO_SEGMENT ? NO_SEGMENT : s->order;
        r->target[r->n_synapses] = s->target;
        if (r->weight_float) r->weight_float[r->n_synapses] = (float)s->weight;
        if (r->weight_double) r->weight_double[r->n_synapses] = s->weight;
        r->n_synapses++;
    }
}

static int64_t n_sources(const rebuild *w) { return w->net->def->population[w->b->source].n; }

/* Groups what is left by source. @param begin result, [n_sources + 1] @param sorted result, [n] */
static void group_by_source(const rebuild *w, int64_t *begin, const loose_synapse **sorted)
{
    const loose_synapses *list = w->list;
    int64_t               sum = 0;
    for (int64_t i = 0; i < list->n; i++) list->synapse[i].order = (uint32_t)i, begin[list->synapse[i].source] += !list->synapse[i].dropped;
    for (int64_t source = 0; source <= n_sources(w); source++) {
        int64_t n = begin[source];
        begin[source] = sum, sum += n;
    }
    for (int64_t i = 0; i < list->n; i++)
        if (!list->synapse[i].dropped) sorted[begin[list->synapse[i].source]++] = &list->synapse[i];
    for (int64_t source = n_sources(w); source > 0; source--) begin[source] = begin[source - 1];
    begin[0] = 0;
}

static int64_t largest(const uint32_t *begin, int64_t n)
{
    int64_t most = 0;
    for (int64_t k = 0; k < n; k++)
        if (begin[k + 1] - begin[k] > most) most = begin[k + 1] - begin[k];
    return most;
}

static bool lay_rows(rebuild *w)
{
    int64_t               n = n_sources(w), kept, longest = 0;
    int64_t              *begin = calloc((size_t)n + 2, sizeof *begin);
    const loose_synapse **sorted = malloc(((size_t)w->list->n + 1) * sizeof *sorted);
    past                 *some = malloc(((size_t)largest(w->old->row, n) + 1) * sizeof *some);
    ranked               *row = NULL;
    bool                  good = begin && sorted && some;
    if (good) {
        group_by_source(w, begin, sorted);
        for (int64_t source = 0; source < n; source++)
            if (begin[source + 1] - begin[source] > longest) longest = begin[source + 1] - begin[source];
        good = (row = malloc(((size_t)longest + 1) * sizeof *row)) != NULL;
    }
    for (int64_t source = 0; source < n && good; source++) {
        uint32_t of_new = rank_segments(w, (uint32_t)source, some);
        kept = begin[source + 1] - begin[source];
        for (int64_t i = 0; i < kept; i++) {
            const loose_synapse *s = sorted[begin[source] + i];
            row[i] = (ranked){ s, s->segment == NO_SEGMENT ? of_new : w->rank[s->segment] };
        }
        qsort(row, (size_t)kept, sizeof *row, by_delay_rank_target);
        w->fresh.row[source] = (uint32_t)w->fresh.n_segments;
        lay_row(w, row, kept);
    }
    free(begin), free(sorted), free(some), free(row);
    return good;
}

/* Segments are laid where there is room for one per synapse; then they move to where they fit. */
static bool fit_segments(rebuild *w)
{
    rows    *r = &w->fresh;
    segment *wide = r->segment;
    r->row[n_sources(w)] = (uint32_t)r->n_segments;
    r->segment = memory_new((size_t)(r->n_segments + 1) * sizeof *r->segment);
    if (r->segment) {
        memcpy(r->segment, wide, (size_t)r->n_segments * sizeof *r->segment);
        r->segment[r->n_segments] = (segment){ .first = (uint32_t)r->n_synapses };
    }
    free(wide);
    return r->segment != NULL;
}

static bool make_rows(rebuild *w)
{
    rows   *r = &w->fresh;
    int64_t left = 0;
    for (int64_t i = 0; i < w->list->n; i++) left += !w->list->synapse[i].dropped;
    if (left >= UINT32_MAX) return false; /* that many are more than a tile can number */
    size_t m = (size_t)left;
    r->row = memory_new((size_t)(n_sources(w) + 1) * sizeof *r->row);
    r->segment = malloc((m + 1) * sizeof *r->segment);
    r->target = memory_new(m * sizeof *r->target);
    if (w->b->kind == WEIGHT_FLOAT) r->weight_float = memory_new(m * sizeof(float));
    if (w->b->kind == WEIGHT_DOUBLE) r->weight_double = memory_new(m * sizeof(double));
    w->parent = malloc((m + 1) * sizeof *w->parent), w->origin = malloc((m + 1) * sizeof *w->origin);
    if (!r->row || !r->segment || !r->target || !w->parent || !w->origin || (w->b->kind != WEIGHT_CONSTANT && !r->weight_float && !r->weight_double)) return false;
    if (!lay_rows(w) || !fit_segments(w)) return false;
    rows_count_bytes(r, n_sources(w));
    return true;
}

/* ---- spikes under way ----------------------------------------------------------------------------------------- */

/* The new segments of every old one on which spikes are under way: they share it with no other. */
static bool find_children(rebuild *w)
{
    int64_t n = w->old->n_segments, m = w->fresh.n_segments;
    w->children = calloc((size_t)n + 2, sizeof *w->children);
    w->child = malloc(((size_t)m + 1) * sizeof *w->child);
    if (!w->children || !w->child) return false;
    for (int64_t k = 0; k < m; k++)
        if (w->parent[k] != NO_SEGMENT && w->busy[w->parent[k]]) w->children[w->parent[k] + 2]++;
    for (int64_t k = 2; k <= n + 1; k++) w->children[k] += w->children[k - 1];
    for (int64_t k = 0; k < m; k++)
        if (w->parent[k] != NO_SEGMENT && w->busy[w->parent[k]]) w->child[w->children[w->parent[k] + 1]++] = (uint32_t)k;
    return true;
}

static void push_words(rebuild *w, int64_t i, uint64_t word)
{
    event_queue *q = &w->s->tile[w->t].queue;
    if (words_of(w, word) == 2) event_queue_push_pair(q, w->event[i].step, word, w->event[i + 1].item);
    else event_queue_push(q, w->event[i].step, word);
}

static bool requeue(rebuild *w)
{
    event_queue *q = &w->s->tile[w->t].queue;
    if (!event_queue_restart(q, w->net->max_delay + w->net->longest_window + 2, w->net->longest_window)) return false;
    for (int64_t i = 0; i < w->n_events; i += words_of(w, w->event[i].item)) {
        uint64_t word = w->event[i].item;
        uint32_t old = event_index(word);
        if (!is_ours(w, word)) push_words(w, i, word);
        else
            for (uint32_t k = w->children[old]; k < w->children[old + 1]; k++)
                push_words(w, i, event_word(EVENT_SEGMENT, event_multiplicity(word), event_number(word), w->child[k]));
    }
    return !q->out_of_memory;
}

/* ---- one tile, all tiles ---------------------------------------------------------------------------------------- */

static bool rebuild_tile(rebuild *w)
{
    int64_t n = w->old->n_segments;
    w->busy = calloc((size_t)n + 1, sizeof *w->busy);
    w->rank = malloc(((size_t)n + 1) * sizeof *w->rank);
    if (!w->busy || !w->rank || !event_queue_list(&w->s->tile[w->t].queue, &w->event, &w->n_events)) return false;
    find_busy(w);
    if (!make_rows(w) || !find_children(w)) return false;
    if (w->b->rule && !plastic_move(&w->s->tile[w->t].learning[w->bundle], w->net, &w->fresh, w->parent, w->origin, (double)w->s->step)) return false;
    rows_free(w->old, n_sources(w));
    *w->old = w->fresh;
    w->fresh = (rows){ 0 };
    return true;
}

static void close_tile(rebuild *w)
{
    if (w->fresh.row) {
        free(w->fresh.segment);
        w->fresh.segment = NULL;
        rows_free(&w->fresh, n_sources(w));
    }
    free(w->busy), free(w->rank), free(w->parent), free(w->origin), free(w->child), free(w->children), free(w->event);
}

/* Sums and extremes over the bundle, as when it was built. */
static void count_bundle(network *net, int index)
{
    bundle *b = &net->bundle[index];
    bool    negative = false, positive = false;
    for (int k = 0; k < b->n_projections; k++) net->min_delay[b->projection[k]] = UINT64_MAX;
    for (int t = 0; t < net->n_tiles; t++) {
        rows *r = &b->rows[t];
        net->n_synapses += r->n_synapses, b->n_synapses += r->n_synapses, net->tile[t].n_synapses += r->n_synapses, net->bytes += r->bytes;
        for (int64_t i = 0; i < r->n_synapses && b->kind != WEIGHT_CONSTANT; i++) {
            double weight = r->weight_float ? (double)r->weight_float[i] : r->weight_double[i];
            negative |= weight < 0, positive |= weight > 0;
        }
        for (int64_t k = 0; k < r->n_segments; k++) {
            uint64_t delay = segment_delay(&r->segment[k]);
            if ((int64_t)r->segment[k].steps + 1 > net->max_delay) net->max_delay = (int64_t)r->segment[k].steps + 1;
            for (int j = 0; j < b->n_projections; j++) {
                const part *p = &net->tile[t].part[net->def->projection[b->projection[j]].target.population];
                if (delay >= net->min_delay[b->projection[j]]) continue;
                for (uint32_t i = r->segment[k].first; i < r->segment[k + 1].first; i++)
                    if (r->target[i] >= p->base && r->target[i] < p->base + p->n) net->min_delay[b->projection[j]] = delay;
            }
        }
    }
    if ((negative && b->sign > 0) || (positive && b->sign < 0)) b->sign = 0;
}

static void uncount_bundle(network *net, int index)
{
    bundle *b = &net->bundle[index];
    for (int t = 0; t < net->n_tiles; t++) net->tile[t].n_synapses -= b->rows[t].n_synapses, net->bytes -= b->rows[t].bytes;
    net->n_synapses -= b->n_synapses;
    b->n_synapses = 0;
}

rv_status rebuild_rows(network *net, state *s, int bundle, loose_synapses *list, int threads, rv_error *error)
{
    rebuild *tile = calloc((unsigned)net->n_tiles, sizeof *tile);
    bool     failed = !tile;
    if (failed) return error_memory(error, "synapses that change", 0);
    uncount_bundle(net, bundle);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (int t = 0; t < net->n_tiles; t++) {
        tile[t] = (rebuild){ .net = net, .s = s, .bundle = bundle, .t = t, .b = &net->bundle[bundle], .old = &net->bundle[bundle].rows[t], .list = &list[t] };
        if (!rebuild_tile(&tile[t])) {
#pragma omp atomic write
            failed = true;
        }
    }
    if (!failed) count_bundle(net, bundle);
    for (int t = 0; t < net->n_tiles; t++) {
        failed = failed || !requeue(&tile[t]);
        close_tile(&tile[t]);
    }
    free(tile);
    if (failed) return error_memory(error, "synapses that change; the state is lost", 0);
    return network_choose_window(net, error);
}
