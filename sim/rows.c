/* Building the rows: every bundle's synapses, sorted by (tile, source, delay, target), in three passes.
 *
 *   count   draw every synapse and count it for its tile and source
 *   place   draw the same synapses again and put them where the counts say
 *   sort    order each row by (delay, target) and cut it into segments
 *
 * Drawing twice costs less than keeping what was drawn. Rules that draw by target run in parallel over tiles, rules that
 * draw by source over sources, so no two threads ever write into the same row, and no order depends on them. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "sim/connect.h"
#include "sim/convolution.h"
#include "sim/epoch.h"
#include "sim/error.h"
#include "sim/memory.h"
#include "sim/network.h"

enum { SOURCES_AT_ONCE = 64 };

/* What is needed while one bundle is built. */
typedef struct builder {
    network    *net;
    bundle     *b;
    connector  *connector; /* [b->n_projections]                                                     */
    uint64_t  **delay;     /* [n_tiles][n_synapses] 2^-32 steps; [n_tiles] NULL if all have one      */
    uint64_t    the_delay; /* ... this one                                                           */
    bool        one_delay;
    uint32_t  **cursor;    /* [n_tiles][n_sources + 1] counts, then the next free place of each row  */
    bool        negative, positive;
    bool        failed;
    rv_error   *error;
    int         threads;
} builder;

static int64_t n_sources(const builder *w) { return w->net->def->population[w->b->source].n; }

/* ---- count and place ---------------------------------------------------------------------------------------- */

static void keep_error(builder *w, const rv_error *error)
{
#pragma omp critical(rows_error)
    {
        if (!w->failed && w->error) *w->error = *error;
        w->failed = true;
    }
}

static void place_synapse(builder *w, int t, int64_t source, int local, double weight, uint64_t delay)
{
    rows    *r = &w->b->rows[t];
    uint32_t at = w->cursor[t][source]++;
    r->target[at] = (uint16_t)local;
    if (!w->one_delay) w->delay[t][at] = delay;
    if (r->weight_float) r->weight_float[at] = (float)weight;
    else if (r->weight_double) r->weight_double[at] = weight;
}

static bool all_counts_fit(const builder *w, int t, int64_t source) { return w->cursor[t][source] < UINT32_MAX; }

/* What one thread learns about the synapses it places. */
typedef struct seen {
    bool     negative, positive;
    uint64_t min_delay;
} seen;

static void merge_seen(builder *w, int projection, const seen *s)
{
#pragma omp critical(rows_seen)
    {
        w->negative |= s->negative, w->positive |= s->positive;
        uint64_t *min_delay = &w->net->min_delay[projection];
        if (s->min_delay < *min_delay) *min_delay = s->min_delay;
    }
}

/* One driving neuron: draws its synapses and counts or places them. */
static void run_driver(builder *w, const connector *c, int64_t driver, bool place, synapse_list *list, seen *s)
{
    rv_error error = { 0 };
    if (connector_draw(c, driver, place, list, &error) != RV_OK) {
        keep_error(w, &error);
        return;
    }
    int     target_population = c->projection->target.population, local = 0, t = 0;
    int64_t neuron = connector_driver(c, driver);
    if (c->by_target) t = network_locate(w->net, target_population, neuron, &local);
    for (int64_t k = 0; k < list->n; k++) {
        int64_t source = c->by_target ? list->partner[k] : neuron;
        if (!c->by_target) t = network_locate(w->net, target_population, list->partner[k], &local);
        if (!place) {
            if (all_counts_fit(w, t, source)) w->cursor[t][source]++;
            continue;
        }
        place_synapse(w, t, source, local, list->weight[k], list->delay[k]);
        s->negative |= list->weight[k] < 0, s->positive |= list->weight[k] > 0;
        if (list->delay[k] < s->min_delay) s->min_delay = list->delay[k];
    }
}

/* All driving neurons of a projection; those of one tile, or of one stretch of sources, on one thread. */
static void run_projection(builder *w, const connector *c, bool place)
{
    const network *net = w->net;
    int64_t        n = connector_n_drivers(c);
    int64_t        n_jobs = c->by_target ? net->n_tiles : (n + SOURCES_AT_ONCE - 1) / SOURCES_AT_ONCE;
#pragma omp parallel num_threads(w->threads)
    {
        synapse_list list = { 0 };
        seen         s = { .min_delay = UINT64_MAX };
        int          target_population = c->projection->target.population, local;
#pragma omp for schedule(dynamic, 1)
        for (int64_t job = 0; job < n_jobs; job++) {
            int64_t begin = c->by_target ? 0 : job * SOURCES_AT_ONCE;
            int64_t end = c->by_target || begin + SOURCES_AT_ONCE > n ? n : begin + SOURCES_AT_ONCE;
            for (int64_t i = begin; i < end && !w->failed; i++)
                if (!c->by_target || network_locate(net, target_population, connector_driver(c, i), &local) == job)
                    run_driver(w, c, i, place, &list, &s);
        }
        if (place) merge_seen(w, c->index, &s);
        synapse_list_free(&list);
    }
}

static rv_status run_all(builder *w, bool place)
{
    for (int k = 0; k < w->b->n_projections && !w->failed; k++) run_projection(w, &w->connector[k], place);
    return w->failed ? (w->error ? w->error->status : RV_CONFLICT) : RV_OK;
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

static size_t weight_bytes(const bundle *b) { return b->kind == WEIGHT_FLOAT ? 4 : b->kind == WEIGHT_DOUBLE ? 8 : 0; }

static rv_status check_memory(builder *w, double synapses)
{
    double needed = synapses * (double)(sizeof(uint16_t) + weight_bytes(w->b) + (w->one_delay ? 0 : sizeof(uint64_t))), available = memory_available();
    if (needed < available) return RV_OK;
    return error_set(w->error, RV_OUT_OF_MEMORY, "%.4g synapses of population \"%s\" need %.2f GB to be made, %.2f GB are available",
                     synapses, w->net->def->population[w->b->source].name, needed * 1e-9, available * 1e-9);
}

/* Turns the counts into the first place of each row and allocates the rows. */
static rv_status allocate_rows(builder *w)
{
    int64_t n = n_sources(w);
    double  total = 0;
    for (int t = 0; t < w->net->n_tiles; t++) {
        uint64_t sum = 0;
        for (int64_t s = 0; s <= n; s++) {
            uint32_t count = w->cursor[t][s];
            w->cursor[t][s] = (uint32_t)sum;
            sum += count;
        }
        if (sum >= UINT32_MAX)
            return error_set(w->error, RV_OUT_OF_RANGE, "population \"%s\" has %.4g synapses into one tile, allowed up to %.4g: "
                             "use more threads, or split the population", w->net->def->population[w->b->source].name, (double)sum, 4294967294.0);
        w->b->rows[t].n_synapses = (int64_t)sum;
        total += (double)sum;
    }
    TRY(check_memory(w, total));
    for (int t = 0; t < w->net->n_tiles; t++) {
        rows  *r = &w->b->rows[t];
        size_t m = (size_t)r->n_synapses;
        r->target = memory_new(m * sizeof *r->target);
        if (!w->one_delay) w->delay[t] = memory_new(m * sizeof **w->delay);
        if (w->b->kind == WEIGHT_FLOAT) r->weight_float = memory_new(m * sizeof(float));
        if (w->b->kind == WEIGHT_DOUBLE) r->weight_double = memory_new(m * sizeof(double));
        if (!r->target || (!w->one_delay && !w->delay[t]) || (weight_bytes(w->b) && !r->weight_float && !r->weight_double))
            return error_memory(w->error, "synapses", (double)m * 14);
        w->b->n_synapses += r->n_synapses;
    }
    return RV_OK;
}

static void find_one_delay(builder *w)
{
    uint64_t delay = 0;
    w->one_delay = true;
    for (int k = 0; k < w->b->n_projections; k++) {
        w->one_delay &= connector_one_delay(&w->connector[k], &delay) && (k == 0 || delay == w->the_delay);
        w->the_delay = delay;
    }
}

static rv_status open_builder(builder *w)
{
    size_t tiles = (unsigned)w->net->n_tiles;
    w->connector = calloc((size_t)w->b->n_projections, sizeof *w->connector);
    w->delay = calloc(tiles, sizeof *w->delay);
    w->cursor = calloc(tiles, sizeof *w->cursor);
    if (!w->connector || !w->delay || !w->cursor) return error_memory(w->error, "synapses", 0);
    for (size_t t = 0; t < tiles; t++)
        if (!(w->cursor[t] = calloc((size_t)n_sources(w) + 1, sizeof **w->cursor))) return error_memory(w->error, "synapses", 0);
    for (int k = 0; k < w->b->n_projections; k++) {
        w->net->min_delay[w->b->projection[k]] = UINT64_MAX;
        TRY(connector_open(w->net->def, w->b->projection[k], &w->connector[k], w->error));
    }
    find_one_delay(w);
    return RV_OK;
}

static void close_builder(builder *w)
{
    for (int k = 0; w->connector && k < w->b->n_projections; k++) connector_close(&w->connector[k]);
    for (int t = 0; t < w->net->n_tiles; t++) {
        if (w->delay) memory_free(w->delay[t], (size_t)w->b->rows[t].n_synapses * sizeof(uint64_t));
        if (w->cursor) free(w->cursor[t]);
    }
    free(w->connector);
    free(w->delay);
    free(w->cursor);
}

static bool all_in_a_row(const rows *r)
{
    for (int64_t k = 0; k < r->n_segments; k++)
        for (uint32_t i = r->segment[k].first + 1; i < r->segment[k + 1].first; i++)
            if (r->target[i] != r->target[i - 1] + 1) return false;
    return r->n_segments > 0;
}

void rows_finish(rows *r, int64_t sources)
{
    r->in_a_row = r->target && all_in_a_row(r);
    r->bytes = (sources + 1) * (int64_t)sizeof *r->row + (r->n_segments + 1) * (int64_t)(sizeof *r->segment + (r->source ? sizeof *r->source : 0)) +
               r->n_synapses * (int64_t)((r->target ? sizeof(uint16_t) : 0) + (r->weight_float ? sizeof(float) : 0) + (r->weight_double ? sizeof(double) : 0));
}

void rows_free(rows *r, int64_t sources)
{
    memory_free(r->row, (size_t)(sources + 1) * sizeof *r->row);
    memory_free(r->segment, (size_t)(r->n_segments + 1) * sizeof *r->segment);
    memory_free(r->source, (size_t)(r->n_segments + 1) * sizeof *r->source);
    memory_free(r->target, (size_t)r->n_synapses * sizeof *r->target);
    memory_free(r->weight_float, (size_t)r->n_synapses * sizeof(float));
    memory_free(r->weight_double, (size_t)r->n_synapses * sizeof(double));
    *r = (rows){ 0 };
}

/* ---- sort and cut into segments ----------------------------------------------------------------------------- */

typedef struct entry {
    uint64_t delay;
    double   weight;
    uint16_t target;
} entry;

typedef struct sorter { /* scratch of one thread */
    entry  *a, *b;
    int64_t capacity;
} sorter;

/* One stable pass over 8 bits of the key. */
static void radix_pass(const entry *from, entry *to, uint32_t n, bool by_target, int shift)
{
    uint32_t count[256] = { 0 }, sum = 0;
    for (uint32_t i = 0; i < n; i++) count[(by_target ? from[i].target : from[i].delay) >> shift & 255]++;
    for (int v = 0; v < 256; v++) {
        uint32_t c = count[v];
        count[v] = sum, sum += c;
    }
    for (uint32_t i = 0; i < n; i++) to[count[(by_target ? from[i].target : from[i].delay) >> shift & 255]++] = from[i];
}

static bool ordered(const entry *a, const entry *b) { return a->delay != b->delay ? a->delay < b->delay : a->target <= b->target; }

static void insertion_sort(entry *a, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        entry    e = a[i];
        uint32_t k = i;
        for (; k > 0 && !ordered(&a[k - 1], &e); k--) a[k] = a[k - 1];
        a[k] = e;
    }
}

/* Stable by (delay, target); passes over bytes in which no two keys differ are skipped. */
static void sort_entries(sorter *s, uint32_t n)
{
    uint64_t delays = 0, targets = 0;
    bool     sorted = true;
    for (uint32_t i = 1; i < n; i++) {
        delays |= s->a[i].delay ^ s->a[0].delay, targets |= (uint64_t)(s->a[i].target ^ s->a[0].target);
        sorted = sorted && ordered(&s->a[i - 1], &s->a[i]);
    }
    if (sorted) return;
    if (n < 48) {
        insertion_sort(s->a, n);
        return;
    }
    for (int pass = 0; pass < 10; pass++) {
        bool by_target = pass < 2;
        int  shift = by_target ? 8 * pass : 8 * (pass - 2);
        if (!((by_target ? targets : delays) >> shift & 255)) continue;
        radix_pass(s->a, s->b, n, by_target, shift);
        entry *swap = s->a;
        s->a = s->b, s->b = swap;
    }
}

static uint64_t delay_at(const builder *w, int t, uint32_t i) { return w->one_delay ? w->the_delay : w->delay[t][i]; }

static uint32_t row_begin(const builder *w, int t, int64_t source) { return source > 0 ? w->cursor[t][source - 1] : 0; }

/* Sorts the row of one source. @return the number of its segments, -1 without memory */
static int64_t sort_row(builder *w, int t, int64_t source, sorter *s)
{
    rows    *r = &w->b->rows[t];
    uint32_t begin = row_begin(w, t, source), n = w->cursor[t][source] - begin;
    if (n > s->capacity) {
        int64_t capacity = s->capacity;
        if (!memory_reserve((void **)&s->a, &capacity, n, sizeof(entry)) || !memory_reserve((void **)&s->b, &s->capacity, n, sizeof(entry)))
            return -1;
    }
    for (uint32_t i = 0; i < n; i++) {
        double weight = r->weight_float ? (double)r->weight_float[begin + i] : r->weight_double ? r->weight_double[begin + i] : 0;
        s->a[i] = (entry){ delay_at(w, t, begin + i), weight, r->target[begin + i] };
    }
    sort_entries(s, n);
    int64_t segments = n > 0;
    for (uint32_t i = 0; i < n; i++) {
        if (!w->one_delay) w->delay[t][begin + i] = s->a[i].delay;
        r->target[begin + i] = s->a[i].target;
        if (r->weight_float) r->weight_float[begin + i] = (float)s->a[i].weight;
        if (r->weight_double) r->weight_double[begin + i] = s->a[i].weight;
        segments += i > 0 && s->a[i].delay != s->a[i - 1].delay;
    }
    return segments;
}

static void cut_row(const builder *w, int t, int64_t source)
{
    const rows *r = &w->b->rows[t];
    segment    *next = r->segment + r->row[source];
    uint64_t    delay = UINT64_MAX;
    for (uint32_t i = row_begin(w, t, source); i < w->cursor[t][source]; i++) {
        if (delay_at(w, t, i) == delay) continue;
        delay = delay_at(w, t, i);
        *next++ = (segment){ i, (uint32_t)(delay >> 32), (uint32_t)delay };
    }
}

/* After placing, the cursor of each source stands at the end of its row. */
static rv_status sort_tile(builder *w, int t, sorter *s)
{
    rows   *r = &w->b->rows[t];
    int64_t n = n_sources(w), total = 0;
    r->row = memory_new((size_t)(n + 1) * sizeof *r->row);
    if (!r->row) return RV_OUT_OF_MEMORY;
    for (int64_t source = 0; source < n; source++) {
        int64_t segments = sort_row(w, t, source, s);
        if (segments < 0) return RV_OUT_OF_MEMORY;
        r->row[source] = (uint32_t)total;
        total += segments;
    }
    r->row[n] = (uint32_t)total;
    r->n_segments = total;
    r->segment = memory_new((size_t)(total + 1) * sizeof *r->segment);
    if (!r->segment) return RV_OUT_OF_MEMORY;
    for (int64_t source = 0; source < n; source++) cut_row(w, t, source);
    r->segment[total] = (segment){ .first = (uint32_t)r->n_synapses };
    return RV_OK;
}

static rv_status sort_all(builder *w)
{
    bool failed = false;
#pragma omp parallel num_threads(w->threads)
    {
        sorter s = { 0 };
#pragma omp for schedule(dynamic, 1)
        for (int t = 0; t < w->net->n_tiles; t++)
            if (sort_tile(w, t, &s) != RV_OK) {
#pragma omp atomic write
                failed = true;
            }
        free(s.a);
        free(s.b);
    }
    return failed ? error_memory(w->error, "segments", 0) : RV_OK;
}

/* ---- the weights in effect ---------------------------------------------------------------------------------- */

static void effect_of_tile(builder *w, int t)
{
    const bundle *b = w->b;
    rows         *r = &b->rows[t];
    bool          negative = false, positive = false;
    for (int64_t k = 0; k < r->n_synapses && r->weight_float; k++) {
        double stored = b->factor * b->synapse->weight(b->synapse_param, (double)r->weight_float[k]);
        r->weight_float[k] = (float)stored;
        negative |= stored < 0, positive |= stored > 0;
    }
#pragma omp critical(rows_seen)
    w->negative |= negative, w->positive |= positive;
}

void rows_prepare_synapse(bundle *b)
{
    const rv_synapse *kind = b->synapse;
    double            full[RV_MAX_SYNAPSE_PARAMS];
    if (!kind) return;
    memcpy(full, b->synapse_param, sizeof full);
    if (b->epoch) kind->learn(full, &b->epoch->low[EPOCH_W], &b->epoch->high[EPOCH_W]);
    b->factor = kind->factor ? kind->factor(full) : 1;
    b->graded = !b->counts && kind->graded && kind->graded(full);
    b->summed = !b->counts && kind->summed && kind->summed(full);
}

/* The kind of synapse has its say once all weights are known. Rules that learn at spikes do not go with it, so weights are
 * not doubles. */
static void take_effect(builder *w)
{
    bundle           *b = w->b;
    const rv_synapse *kind = b->synapse;
    if (!kind) return;
    if (kind->settle) kind->settle(b->synapse_param, w->negative || b->epoch, w->positive || b->epoch); /* learning may do both */
    rows_prepare_synapse(b);
    b->weight = b->kind == WEIGHT_CONSTANT ? b->factor * kind->weight(b->synapse_param, b->weight) : 0;
    w->negative = w->positive = false;
    if (b->convolution) {
        convolution_take_effect(b);
        convolution_signs(b->convolution, &w->negative, &w->positive);
        return;
    }
#pragma omp parallel for num_threads(w->threads) schedule(dynamic, 1)
    for (int t = 0; t < w->net->n_tiles; t++) effect_of_tile(w, t);
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

/* Whole weights to neurons that only want the sum: the sum is the same in whatever order, and one array is quicker than two. */
static bool sign_matters(const builder *w)
{
    const definition     *d = w->net->def;
    const projection_def *p = &d->projection[w->b->projection[0]]; /* the only one, with a kind of synapse */
    return !(w->b->synapse && w->b->synapse->whole && d->population[p->target.population].model->adds_inputs);
}

/* Weights that learn may take any sign that their rule allows. */
static void note_bounds(builder *w)
{
    const projection_def *p = &w->net->def->projection[w->b->projection[0]];
    double                low = -INFINITY, high = INFINITY;
    if (p->plasticity->bounds) p->plasticity->bounds(p->param, &low, &high);
    w->negative |= low < 0, w->positive |= high > 0;
}

static void note_sign(builder *w)
{
    bundle *b = w->b;
    if (b->kind == WEIGHT_CONSTANT) w->negative = b->weight < 0, w->positive = b->weight > 0;
    if (b->epoch) w->negative = b->epoch->low[EPOCH_W] < 0, w->positive = b->epoch->high[EPOCH_W] > 0; /* those to come */
    if (b->rule && b->rule->on_post) note_bounds(w);
    b->sign = !sign_matters(w) ? 1 : w->negative && w->positive ? 0 : w->negative ? -1 : 1;
}

void rows_note_size(network *net, const bundle *b)
{
    int64_t n = net->def->population[b->source].n;
    net->n_synapses += b->n_synapses;
    for (int t = 0; t < net->n_tiles; t++) {
        rows *r = &b->rows[t];
        rows_finish(r, n);
        net->bytes += r->bytes;
        net->tile[t].n_synapses += r->n_synapses;
        for (int64_t k = 0; k < r->n_segments; k++) {
            int64_t steps = (int64_t)r->segment[k].steps + 1;
            if (steps > net->max_delay) net->max_delay = steps;
        }
    }
}

static rv_status build_convolution(builder *w)
{
    TRY(convolution_lay_out(w->net, w->b, w->the_delay, w->threads, w->error));
    convolution_signs(w->b->convolution, &w->negative, &w->positive);
    take_effect(w);
    note_sign(w);
    rows_note_size(w->net, w->b);
    return RV_OK;
}

static rv_status build_bundle(builder *w)
{
    TRY(open_builder(w));
    if (w->b->convolution) return build_convolution(w);
    TRY(run_all(w, false));
    TRY(allocate_rows(w));
    TRY(run_all(w, true));
    take_effect(w);
    TRY(sort_all(w));
    note_sign(w);
    rows_note_size(w->net, w->b);
    return RV_OK;
}

rv_status rows_build(network *net, int threads, rv_error *error)
{
    rv_error ignored;
    for (int i = 0; i < net->n_bundles; i++) {
        builder   w = { .net = net, .b = &net->bundle[i], .threads = threads, .error = error ? error : &ignored };
        rv_status status = build_bundle(&w);
        close_builder(&w);
        if (status != RV_OK) return status;
    }
    return RV_OK;
}

rv_status rows_expand_weights(network *net, bundle *b, rv_error *error)
{
    if (b->kind != WEIGHT_CONSTANT) return RV_OK;
    bool exact = net->def->timing == RV_EXACT;
    for (int t = 0; t < net->n_tiles; t++) {
        rows  *r = &b->rows[t];
        size_t m = (size_t)r->n_synapses;
        if (exact) r->weight_double = memory_new(m * sizeof(double));
        else r->weight_float = memory_new(m * sizeof(float));
        if (!r->weight_double && !r->weight_float) return error_memory(error, "weights", (double)m * 8);
        for (size_t k = 0; k < m; k++)
            if (exact) r->weight_double[k] = b->weight;
            else r->weight_float[k] = (float)b->weight;
        r->bytes += (int64_t)(m * (exact ? sizeof(double) : sizeof(float)));
    }
    b->kind = exact ? WEIGHT_DOUBLE : WEIGHT_FLOAT;
    return RV_OK;
}

/* ---- listing ------------------------------------------------------------------------------------------------ */

static int by_source_delay_target(const void *pa, const void *pb)
{
    const synapse_ref *a = pa, *b = pb;
    if (a->source != b->source) return a->source < b->source ? -1 : 1;
    if (a->delay != b->delay) return a->delay < b->delay ? -1 : 1;
    if (a->target != b->target) return a->target < b->target ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void list_segment(const network *net, const rows *r, int t, int64_t source, uint32_t k, int population, synapse_ref *list, int64_t *n)
{
    const part    *p = &net->tile[t].part[population];
    const segment *s = &r->segment[k];
    for (uint32_t i = s[0].first; i < s[1].first; i++) {
        int local = r->target[i] - p->base;
        if (local < 0 || local >= p->n) continue;
        if (list)
            list[*n] = (synapse_ref){ t, i, k, source, p->first + local, segment_delay(s) };
        ++*n;
    }
}

static void list_convolution(const network *net, const bundle *b, synapse_ref *list, int64_t *n)
{
    const convolution *c = b->convolution;
    convolution_block  block;
    for (int t = 0; t < net->n_tiles && list; t++) {
        const part *own = &net->tile[t].part[c->target.population];
        const rows *r = &b->rows[t];
        for (uint32_t k = 0; k < r->n_segments; k++) {
            convolution_walk w;
            convolution_begin_segment(net, b, t, k, &w);
            while (convolution_next(&w, &block))
                for (int64_t row = 0; row < block.n[0]; row++)
                    for (int64_t i = 0; i < block.n[1]; i++)
                        list[(*n)++] = (synapse_ref){ t, convolution_weight(&block, row, i) - c->kernel, k, r->source[k],
                                                      own->first - own->base + convolution_target(&block, row, i), segment_delay(&r->segment[k]) };
        }
    }
    *n = b->n_synapses;
}

static void list_all(const network *net, const bundle *b, int population, synapse_ref *list, int64_t *n)
{
    *n = 0;
    if (b->convolution) {
        list_convolution(net, b, list, n);
        return;
    }
    for (int t = 0; t < net->n_tiles; t++)
        for (int64_t source = 0; source < net->def->population[b->source].n; source++)
            for (uint32_t k = b->rows[t].row[source]; k < b->rows[t].row[source + 1]; k++)
                list_segment(net, &b->rows[t], t, source, k, population, list, n);
}

rv_status network_list_synapses(const network *net, int projection, synapse_ref **list, int64_t *n, rv_error *error)
{
    const bundle *b = &net->bundle[network_bundle_of(net, projection)];
    int           population = net->def->projection[projection].target.population;
    list_all(net, b, population, NULL, n);
    *list = malloc(((size_t)*n + 1) * sizeof **list);
    if (!*list) return error_memory(error, "the list of synapses", (double)*n * sizeof **list);
    list_all(net, b, population, *list, n);
    qsort(*list, (size_t)*n, sizeof **list, by_source_delay_target);
    return RV_OK;
}
