/* The pending events of a tile in a checkpoint: all words in the order in which they come out, whether they wait in the calendar or
 * in the heap behind it. Pushed in this order they come out in it again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_visit.h"
#include "sim/neuron.h"

/* Whether the tile knows what the word speaks of. */
static bool is_event(const state *s, int t, uint64_t word)
{
    const network *net = s->net;
    uint32_t       number = event_number(word), index = event_index(word);
    switch (event_kind_of(word)) {
    case EVENT_SEGMENT: return number < (uint32_t)net->n_bundles && index < net->bundle[number].rows[t].n_segments && (event_multiplicity(word) > 0);
    case EVENT_WAKE: return number < (uint32_t)net->def->n_populations && index < (uint32_t)net->tile[t].part[number].n;
    case EVENT_ARRIVAL:
        return number < (uint32_t)net->def->n_inputs && input_is_spikes(net->def->input[number].kind) &&
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

/* Words by their steps. */
typedef struct pending {
    int64_t  *step, *count; /* [n_steps] */
    uint64_t *word;         /* [n]       */
    int64_t   n_steps, n;
} pending;

static void pending_free(pending *all)
{
    free(all->step);
    free(all->count);
    free(all->word);
}

static rv_status take_words(const event_queue *q, pending *all, rv_error *error)
{
    far_event *list = NULL;
    int64_t    n;
    bool       good = event_queue_list(q, &list, &n);
    size_t     room = good ? (size_t)n + 1 : 1;
    all->step = malloc(room * sizeof *all->step), all->count = malloc(room * sizeof *all->count), all->word = malloc(room * sizeof *all->word);
    good = good && all->step && all->count && all->word;
    for (int64_t k = 0; k < n && good; k++) {
        if (k == 0 || list[k].step != list[k - 1].step) all->step[all->n_steps] = list[k].step, all->count[all->n_steps++] = 0;
        all->count[all->n_steps - 1]++;
        all->word[all->n++] = list[k].item;
    }
    free(list);
    return good ? RV_OK : error_memory(error, "pending events", (double)q->pending * 24);
}

/* Arrivals must be within the calendar; those sent when delays were longer than they are now may not be. */
static bool reserve(state *s, int t, const pending *all)
{
    event_queue *q = &s->tile[t].queue;
    int64_t      far = 0, at = 0;
    for (int64_t k = 0; k < all->n_steps && is_exact(s); k++)
        for (int64_t i = 0; i < all->count[k] && at < all->n; i++, at++)
            if (is_pair(s, all->word[at])) far = all->step[k], i++, at++;
    far = far > q->now && far <= VISIT_LAST_STEP ? far - q->now : 0; /* other steps are refused below */
    return far < q->reach || far > (int64_t)MAX_DELAY_STEPS || event_queue_restart(q, far + 1, s->net->longest_window);
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
        if (k + 1 == n || !is_time_of(word[k + 1], step) || step - q->now >= q->reach)
            return visit_damaged(v, AT("tiles/%d/events", t), "holds an arrival at another time than its step %lld", (long long)step);
        event_queue_push_pair(q, step, word[k], word[k + 1]);
        k++;
    }
    return RV_OK;
}

static rv_status push_all(visitor *v, state *s, int t, const pending *all)
{
    event_queue *q = &s->tile[t].queue;
    int64_t      at = 0;
    if (!reserve(s, t, all)) return error_memory(v->error, "pending events", 0);
    for (int64_t k = 0; k < all->n_steps; k++) {
        bool in_order = all->step[k] >= q->now && all->step[k] <= VISIT_LAST_STEP && (k == 0 || all->step[k] > all->step[k - 1]);
        if (!in_order || all->count[k] < 0 || all->count[k] > all->n - at)
            return visit_damaged(v, AT("tiles/%d/event_steps", t), "and event_counts do not fit the events: step %lld", (long long)all->step[k]);
        TRY(push_step(v, s, t, all->step[k], all->word + at, all->count[k]));
        at += all->count[k];
    }
    if (q->out_of_memory) return error_memory(v->error, "pending events", (double)all->n * 8);
    return at == all->n ? RV_OK : visit_damaged(v, AT("tiles/%d/event_counts", t), "do not count all events");
}

rv_status visit_queue(visitor *v, state *s, int t)
{
    event_queue *q = &s->tile[t].queue;
    pending      all = { 0 };
    int64_t      n_counts, back = s->net->longest_window + 1;
    /* the present of a queue is that of the last window, or of the one before it was opened */
    TRY(visit_int64(v, AT("tiles/%d/now", t), &q->now, v->loading && s->step >= back ? s->step - back : 0, s->step + 1));
    rv_status status = v->loading ? RV_OK : take_words(q, &all, v->error);
    n_counts = all.n_steps;
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/event_steps", t), CHECKPOINT_I64, &all.step, &all.n_steps, INT64_MAX / 8);
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/event_counts", t), CHECKPOINT_I64, &all.count, &n_counts, all.n_steps);
    if (status == RV_OK) status = visit_list(v, AT("tiles/%d/events", t), CHECKPOINT_U64, &all.word, &all.n, INT64_MAX / 8);
    if (status == RV_OK && n_counts != all.n_steps) status = visit_damaged(v, AT("tiles/%d/event_counts", t), "has %lld values for %lld steps", (long long)n_counts, (long long)all.n_steps);
    if (status == RV_OK && v->loading) status = push_all(v, s, t, &all);
    pending_free(&all);
    return status;
}
