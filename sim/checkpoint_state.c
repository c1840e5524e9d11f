/* The state in a checkpoint: neurons, queues, inputs. Arrays of neurons are stored whole, in the order of the neurons; queues and
 * what synapses learn as the tiles have them. Between windows the lists of spikes are empty, everything has been exchanged. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_visit.h"
#include "sim/inputs.h"
#include "sim/neuron.h"

static const int64_t last_step = INT64_C(9000000000000000);

/* ---- neurons ------------------------------------------------------------------------------------------------------ */

static double *states_of(const part_state *ps, int k) { return ps->view.state[k]; }

/* One array of doubles for each part: `which` counts the states; then come these. */
enum { PART_LAST = -1, PART_WAKE = -2, PART_CURRENTS = -3 };

static double *doubles_of(const part_state *ps, int which)
{
    return which >= 0 ? states_of(ps, which) : which == PART_LAST ? ps->last : which == PART_WAKE ? ps->wake : ps->currents;
}

static rv_status visit_doubles(visitor *v, state *s, int p, const char *path, int which)
{
    const part *own;
    int64_t     n = s->net->def->population[p].n;
    int         t;
    TRY(visit_begin(v, path, CHECKPOINT_F64, &n));
    EACH_PART(s->net, p, t, own) TRY(visit_next(v, doubles_of(&s->tile[t].part[p], which), own->n));
    return visit_end(v);
}

/* Whether the tiles that hold neurons of a population have an array; they all have it or none has. */
static bool has_doubles(const state *s, int p, int which)
{
    return doubles_of(&s->tile[visit_tile_of(s->net, p, 0)].part[p], which) != NULL;
}

static rv_status visit_times(visitor *v, state *s, int p)
{
    const part *own;
    int         t;
    for (int which = PART_LAST; which >= PART_WAKE; which--)
        if (has_doubles(s, p, which)) TRY(visit_doubles(v, s, p, AT("populations/%d/%s", p, which == PART_LAST ? "last" : "wake"), which));
    EACH_PART(s->net, p, t, own)
        for (int i = 0; v->loading && s->tile[t].part[p].last && i < own->n; i++)
            if (!(s->tile[t].part[p].last[i] >= 0 && s->tile[t].part[p].last[i] <= (double)s->step + MAX_DELAY_STEPS) || isnan(s->tile[t].part[p].wake[i]))
                return visit_damaged(v, AT("populations/%d/last", p), "and wake are %g and %g for neuron %lld", s->tile[t].part[p].last[i], s->tile[t].part[p].wake[i],
                                     (long long)(own->first + i));
    if (!is_exact(s)) return RV_OK;
    int64_t n = s->net->def->population[p].n;
    TRY(visit_begin(v, AT("populations/%d/certain", p), CHECKPOINT_U8, &n));
    EACH_PART(s->net, p, t, own)
    {
        bool *certain = s->tile[t].part[p].certain;
        TRY(visit_next(v, certain, own->n));
        for (int i = 0; v->loading && i < own->n; i++)
            if (((uint8_t *)certain)[i] > 1) return visit_damaged(v, AT("populations/%d/certain", p), "is neither 0 nor 1");
    }
    return visit_end(v);
}

/* The choice between sweep and jump, and the current, of every tile: also of those without neurons of the population. */
static rv_status visit_tiles_of(visitor *v, state *s, int p)
{
    const population_net *net = &s->net->population[p];
    const rv_model       *m = model_of(s, p);
    int64_t               n = s->net->n_tiles, also = n;
    TRY(visit_begin(v, AT("populations/%d/jumping", p), CHECKPOINT_U8, &n));
    for (int t = 0; t < s->net->n_tiles; t++) {
        uint8_t jumping = s->tile[t].part[p].jumping;
        TRY(visit_next(v, &jumping, 1));
        bool can_jump = net->closed_form || m->emit || m->counts_spikes;
        if (jumping > 1 || (jumping ? !can_jump : !m->sweep)) return visit_damaged(v, v->at.path, "is %d for neurons that cannot", jumping);
        s->tile[t].part[p].jumping = jumping;
    }
    TRY(visit_end(v));
    TRY(visit_begin(v, AT("populations/%d/current", p), CHECKPOINT_F64, &also));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_next(v, &s->tile[t].part[p].view.current, 1));
    return visit_end(v);
}

/* What generators keep are places in lists and counters; other neurons may be anywhere. */
static rv_status check_generator(const visitor *v, const state *s, int p)
{
    const rv_table *table = &model_of(s, p)->table;
    const part     *own;
    int             t;
    EACH_PART(s->net, p, t, own)
        for (int k = 0; k < table->n_states; k++)
            for (int i = 0; i < own->n; i++) {
                double x = states_of(&s->tile[t].part[p], k)[i];
                if (!(x >= table->states[k].low && x <= table->states[k].high))
                    return visit_damaged(v, AT("populations/%d/state/%s", p, table->states[k].name), "is %g for neuron %lld", x, (long long)(own->first + i));
            }
    return RV_OK;
}

static rv_status visit_population(visitor *v, state *s, int p)
{
    const rv_table *table = &model_of(s, p)->table;
    for (int k = 0; k < table->n_states; k++) TRY(visit_doubles(v, s, p, AT("populations/%d/state/%s", p, table->states[k].name), k));
    if (v->loading && model_of(s, p)->emit) TRY(check_generator(v, s, p));
    TRY(visit_tiles_of(v, s, p));
    TRY(visit_times(v, s, p));
    return has_doubles(s, p, PART_CURRENTS) ? visit_doubles(v, s, p, AT("populations/%d/currents", p), PART_CURRENTS) : RV_OK;
}

/* ---- queues ------------------------------------------------------------------------------------------------------- */

/* Whether the tile knows what the word speaks of. */
static bool is_event(const state *s, int t, uint64_t word)
{
    const network *net = s->net;
    uint32_t       number = event_number(word), index = event_index(word);
    switch (event_kind_of(word)) {
    case EVENT_SEGMENT: return number < (uint32_t)net->n_bundles && index < net->bundle[number].rows[t].n_segments && (event_multiplicity(word) > 0);
    case EVENT_WAKE: return number < (uint32_t)net->def->n_populations && index < (uint32_t)net->tile[t].part[number].n;
    case EVENT_ARRIVAL:
        return number < (uint32_t)net->def->n_inputs && net->def->input[number].kind == INPUT_POISSON &&
               index < (uint32_t)net->tile[t].part[net->def->input[number].target.population].n;
    default: return !is_exact(s);
    }
}

/* In exact timing the word of a segment is one of a pair. */
static bool is_pair(const state *s, uint64_t word) { return is_exact(s) && event_kind_of(word) == EVENT_SEGMENT; }

static bool is_time_of(uint64_t bits, int64_t step)
{
    double time;
    memcpy(&time, &bits, sizeof time);
    return time >= (double)step && time < (double)step + 1;
}

/* The words of the calendar, one step after the other. */
typedef struct calendar {
    int64_t  *step, *count; /* [n_steps] */
    uint64_t *word;         /* [n]       */
    int64_t   n_steps, n;
} calendar;

static void calendar_free(calendar *c)
{
    free(c->step);
    free(c->count);
    free(c->word);
}

static const event_bucket *bucket_at(const event_queue *q, int64_t step) { return &q->bucket[step & (q->n_buckets - 1)]; }

static rv_status read_calendar(const event_queue *q, calendar *c, rv_error *error)
{
    int64_t words = q->pending - q->n_far;
    c->step = malloc(((size_t)q->n_buckets + 1) * sizeof *c->step), c->count = malloc(((size_t)q->n_buckets + 1) * sizeof *c->count);
    c->word = malloc(((size_t)words + 1) * sizeof *c->word);
    if (!c->step || !c->count || !c->word) return error_memory(error, "pending events", (double)words * 8);
    for (int64_t step = q->now; step < q->now + q->reach; step++) {
        int64_t before = c->n;
        for (uint32_t i = bucket_at(q, step)->first; i; i = q->chunk[i].next) {
            assert(c->n + q->chunk[i].n <= words);
            memcpy(c->word + c->n, q->chunk[i].item, q->chunk[i].n * sizeof *c->word);
            c->n += q->chunk[i].n;
        }
        if (c->n > before) c->step[c->n_steps] = step, c->count[c->n_steps++] = c->n - before;
    }
    assert(c->n == words);
    return RV_OK;
}

static rv_status push_step(visitor *v, state *s, int t, int64_t step, const uint64_t *word, int64_t n)
{
    event_queue *q = &s->tile[t].queue;
    for (int64_t k = 0; k < n; k++) {
        if (!is_event(s, t, word[k])) return visit_damaged(v, AT("tiles/%d/events", t), "holds an event %llx of something that there is not", (unsigned long long)word[k]);
        if (!is_pair(s, word[k])) {
            event_queue_push(q, step, word[k]);
            continue;
        }
        if (k + 1 == n || !is_time_of(word[k + 1], step)) return visit_damaged(v, AT("tiles/%d/events", t), "holds an arrival at another time than its step %lld", (long long)step);
        event_queue_push_pair(q, step, word[k], word[k + 1]);
        k++;
    }
    return RV_OK;
}

static rv_status fill_calendar(visitor *v, state *s, int t, const calendar *c)
{
    event_queue *q = &s->tile[t].queue;
    int64_t      at = 0;
    for (int64_t k = 0; k < c->n_steps; k++) {
        bool in_order = c->step[k] >= q->now && c->step[k] - q->now < q->reach && (k == 0 || c->step[k] > c->step[k - 1]);
        if (!in_order || c->count[k] < 0 || c->count[k] > c->n - at) return visit_damaged(v, AT("tiles/%d/event_steps", t), "and event_counts do not fit the events: step %lld", (long long)c->step[k]);
        TRY(push_step(v, s, t, c->step[k], c->word + at, c->count[k]));
        at += c->count[k];
    }
    return at == c->n ? RV_OK : visit_damaged(v, AT("tiles/%d/event_counts", t), "do not count all events");
}

static rv_status visit_calendar(visitor *v, state *s, int t)
{
    calendar  c = { 0 };
    int64_t   n_counts;
    rv_status status = v->loading ? RV_OK : read_calendar(&s->tile[t].queue, &c, v->error);
    n_counts = c.n_steps;
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/event_steps", t), CHECKPOINT_I64, &c.step, &c.n_steps, INT64_MAX / 8);
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/event_counts", t), CHECKPOINT_I64, &c.count, &n_counts, c.n_steps);
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/events", t), CHECKPOINT_U64, &c.word, &c.n, INT64_MAX / 8);
    if (status == RV_OK && n_counts != c.n_steps) status = visit_damaged(v, AT("tiles/%d/event_counts", t), "has %lld values for %lld steps", (long long)n_counts, (long long)c.n_steps);
    if (status == RV_OK && v->loading) status = fill_calendar(v, s, t, &c);
    calendar_free(&c);
    return status;
}

/* The heap behind the calendar, in the order it has. */
static rv_status visit_heap(visitor *v, state *s, int t)
{
    enum { WORDS = sizeof(far_event) / sizeof(uint64_t) };
    event_queue *q = &s->tile[t].queue;
    int64_t      n = q->n_far * WORDS;
    visit_at     at = visit_path("tiles/%d/far_events", t);
    TRY(visit_list(v, at.path, CHECKPOINT_I64, &q->heap, &n, INT64_MAX / 8));
    if (!v->loading) return RV_OK;
    if (n % WORDS) return visit_damaged(v, at.path, "has %lld values, not a multiple of %d", (long long)n, WORDS);
    q->n_far = q->far_capacity = n / WORDS, q->pending += q->n_far;
    for (int64_t k = 0; k < q->n_far; k++) {
        const far_event *f = &q->heap[k], *above = &q->heap[(k - 1) / 2];
        bool             below = k == 0 || above->step < f->step || (above->step == f->step && above->sequence <= f->sequence);
        if (!below || f->step < q->now || f->step > last_step || !is_event(s, t, f->item) || is_pair(s, f->item))
            return visit_damaged(v, at.path, "holds an event %llx at step %lld that cannot be", (unsigned long long)f->item, (long long)f->step);
    }
    return RV_OK;
}

static rv_status visit_queue(visitor *v, state *s, int t)
{
    event_queue *q = &s->tile[t].queue;
    int64_t      sequence = (int64_t)q->sequence;
    /* the present of a queue is that of the last window, or of the one before it was opened */
    TRY(visit_int64(v, AT("tiles/%d/now", t), &q->now, v->loading && s->step > s->net->window ? s->step - s->net->window - 1 : 0, s->step + 1));
    TRY(visit_int64(v, AT("tiles/%d/sequence", t), &sequence, 0, VISIT_MOST));
    q->sequence = (uint64_t)sequence;
    TRY(visit_calendar(v, s, t));
    return visit_heap(v, s, t);
}

/* ---- tiles -------------------------------------------------------------------------------------------------------- */

static rv_status visit_tile(visitor *v, state *s, int t)
{
    tile_state *tile = &s->tile[t];
    int64_t     n = s->net->tile[t].n;
    assert(tile->n_arrivals == 0 && tile->n_open == 0 && tile->n_list == 0);
    TRY(visit_values(v, AT("tiles/%d/input_ex", t), CHECKPOINT_F64, tile->input_ex, n));
    TRY(visit_values(v, AT("tiles/%d/input_in", t), CHECKPOINT_F64, tile->input_in, n));
    TRY(visit_counts(v, AT("tiles/%d/n_spikes", t), tile->n_spikes, s->net->def->n_populations));
    TRY(visit_int64(v, AT("tiles/%d/n_events", t), &tile->n_events, 0, VISIT_MOST));
    TRY(visit_int64(v, AT("tiles/%d/n_updates", t), &tile->n_updates, 0, VISIT_MOST));
    return visit_queue(v, s, t);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------- */

static rv_status open_arrivals(visitor *v, state *s, int i)
{
    int population = s->net->def->input[i].target.population;
    for (int t = 0; t < s->net->n_tiles; t++) {
        arrivals *a = &s->tile[t].arrivals[i];
        size_t    n = (size_t)s->net->tile[t].part[population].n;
        a->next = malloc((n + 1) * sizeof *a->next), a->drawn = calloc(n + 1, sizeof *a->drawn);
        if (!a->next || !a->drawn) return error_memory(v->error, "an input", (double)n * 12);
    }
    return RV_OK;
}

/* Poisson input with a time for each spike: when the next ones come, and how many have been drawn. */
static rv_status visit_arrivals(visitor *v, state *s, int i)
{
    int         population = s->net->def->input[i].target.population, t;
    int64_t     n = s->net->def->population[population].n, also = n;
    const part *own;
    bool        drawn = s->tile[0].arrivals[i].next != NULL;
    TRY(visit_bool(v, AT("inputs/%d/drawn_one_by_one", i), &drawn));
    if (v->loading && !drawn && s->net->def->input[i].kind == INPUT_POISSON && s->input[i].way != POISSON_TABLE)
        return visit_damaged(v, AT("inputs/%d/drawn_one_by_one", i), "is 0 for an input that is");
    if (!drawn) return RV_OK;
    if (v->loading) TRY(open_arrivals(v, s, i));
    TRY(visit_begin(v, AT("inputs/%d/next", i), CHECKPOINT_F64, &n));
    EACH_PART(s->net, population, t, own)
    {
        TRY(visit_next(v, s->tile[t].arrivals[i].next, own->n));
        for (int64_t k = 0; v->loading && k < own->n; k++)
            if (!(s->tile[t].arrivals[i].next[k] >= 0)) return visit_damaged(v, AT("inputs/%d/next", i), "is no time for neuron %lld", (long long)(own->first + k));
    }
    TRY(visit_end(v));
    TRY(visit_begin(v, AT("inputs/%d/drawn", i), CHECKPOINT_U32, &also));
    EACH_PART(s->net, population, t, own) TRY(visit_next(v, s->tile[t].arrivals[i].drawn, own->n));
    return visit_end(v);
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

rv_status visit_state(visitor *v, state *s)
{
    int64_t n = s->net->def->n_populations;
    TRY(visit_int64(v, "step", &s->step, 0, last_step));
    TRY(visit_values(v, "fan_out", CHECKPOINT_F64, s->fan_out, n * n));
    for (int p = 0; p < n; p++) TRY(visit_population(v, s, p));
    for (int i = 0; i < s->net->def->n_inputs; i++) TRY(visit_arrivals(v, s, i));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_tile(v, s, t));
    for (int b = 0; b < s->net->n_bundles; b++) TRY(visit_learning(v, s, b));
    for (int t = 0; t < s->net->n_tiles && v->loading; t++) state_note_touches(s, t);
    return RV_OK;
}
