#include "sim/event_queue.h"

#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"

bool event_queue_open(event_queue *q, int64_t horizon, int64_t back)
{
    *q = (event_queue){ .n_buckets = 16, .n_chunks = 1, .capacity = 64 };
    while (q->n_buckets < horizon + back + 2) q->n_buckets *= 2;
    q->reach = q->n_buckets - back;
    q->bucket = calloc((size_t)q->n_buckets, sizeof *q->bucket);
    q->chunk = malloc(q->capacity * sizeof *q->chunk);
    return q->bucket && q->chunk;
}

void event_queue_close(event_queue *q)
{
    free(q->bucket);
    free(q->chunk);
    free(q->heap);
    *q = (event_queue){ 0 };
}

/* ---- the calendar ------------------------------------------------------------------------------------------- */

static event_bucket *bucket_of(const event_queue *q, int64_t step) { return &q->bucket[step & (q->n_buckets - 1)]; }

static uint32_t new_chunk(event_queue *q)
{
    if (q->free) {
        uint32_t i = q->free;
        q->free = q->chunk[i].next;
        return i;
    }
    if (q->n_chunks == q->capacity) {
        event_chunk *grown = q->capacity < UINT32_MAX / 2 ? realloc(q->chunk, 2 * (size_t)q->capacity * sizeof *grown) : NULL;
        if (!grown) return 0;
        q->chunk = grown, q->capacity *= 2;
    }
    return q->n_chunks++;
}

/* The chunk at the end of the bucket, with room for n words; NULL without memory. */
static event_chunk *room_for(event_queue *q, event_bucket *b, uint32_t n)
{
    if (b->last && q->chunk[b->last].n + n <= EVENT_CHUNK_ITEMS) return &q->chunk[b->last];
    uint32_t i = new_chunk(q);
    if (!i) {
        q->out_of_memory = true;
        return NULL;
    }
    q->chunk[i].n = 0, q->chunk[i].next = 0;
    if (b->last) q->chunk[b->last].next = i;
    else b->first = i;
    b->last = i;
    return &q->chunk[i];
}

static void push_near(event_queue *q, int64_t step, uint64_t item)
{
    event_chunk *c = room_for(q, bucket_of(q, step), 1);
    if (c) c->item[c->n++] = item;
}

void event_queue_push_pair(event_queue *q, int64_t step, uint64_t item, uint64_t second)
{
    event_chunk *c = room_for(q, bucket_of(q, step), 2);
    if (!c) return;
    c->item[c->n] = item, c->item[c->n + 1] = second;
    c->n += 2, q->pending += 2;
}

void event_queue_done(event_queue *q)
{
    event_bucket *b = bucket_of(q, q->now);
    if (!b->first) return;
    for (uint32_t i = b->first; i; i = q->chunk[i].next) q->pending -= q->chunk[i].n;
    q->chunk[b->last].next = q->free;
    q->free = b->first;
    *b = (event_bucket){ 0 };
}

/* ---- the heap ----------------------------------------------------------------------------------------------- */

static bool before(const far_event *a, const far_event *b)
{
    return a->step != b->step ? a->step < b->step : a->sequence < b->sequence;
}

static void push_far(event_queue *q, far_event event)
{
    if (!memory_reserve((void **)&q->heap, &q->far_capacity, q->n_far + 1, sizeof *q->heap)) {
        q->out_of_memory = true;
        return;
    }
    int64_t i = q->n_far++;
    for (; i > 0 && before(&event, &q->heap[(i - 1) / 2]); i = (i - 1) / 2) q->heap[i] = q->heap[(i - 1) / 2];
    q->heap[i] = event;
}

static far_event pop_far(event_queue *q)
{
    far_event top = q->heap[0], last = q->heap[--q->n_far];
    int64_t   i = 0;
    for (int64_t child = 1; child < q->n_far; child = 2 * i + 1) {
        if (child + 1 < q->n_far && before(&q->heap[child + 1], &q->heap[child])) child++;
        if (!before(&q->heap[child], &last)) break;
        q->heap[i] = q->heap[child];
        i = child;
    }
    q->heap[i] = last;
    return top;
}

/* ---- both --------------------------------------------------------------------------------------------------- */

void event_queue_push(event_queue *q, int64_t step, uint64_t item)
{
    q->pending++;
    if (step - q->now < q->reach) push_near(q, step, item);
    else push_far(q, (far_event){ step, q->sequence++, item });
}

uint32_t event_queue_due(event_queue *q, int64_t step)
{
    q->now = step;
    while (q->n_far > 0 && q->heap[0].step - step < q->reach) {
        far_event event = pop_far(q);
        push_near(q, event.step, event.item);
    }
    return bucket_of(q, step)->first;
}

event_walk event_queue_walk(const event_queue *q, int64_t step) { return (event_walk){ bucket_of(q, step)->first, 0 }; }

int64_t event_queue_skip(event_queue *q, int64_t from, int64_t to)
{
    for (int64_t step = from; step < to; step++)
        if (event_queue_due(q, step)) return step;
    return to;
}

/* ---- taking everything out ------------------------------------------------------------------------------------ */

static int by_step_and_sequence(const void *pa, const void *pb) { return before(pa, pb) ? -1 : before(pb, pa); }

bool event_queue_list(const event_queue *q, far_event **list, int64_t *n)
{
    *n = 0;
    *list = malloc(((size_t)q->pending + 1) * sizeof **list);
    if (!*list) return false;
    for (int64_t step = q->now; step < q->now + q->reach; step++)
        for (uint32_t i = bucket_of(q, step)->first; i; i = q->chunk[i].next)
            for (uint32_t k = 0; k < q->chunk[i].n; k++) (*list)[(*n)++] = (far_event){ step, 0, q->chunk[i].item[k] };
    if (q->n_far > 0) memcpy(*list + *n, q->heap, (size_t)q->n_far * sizeof **list);
    qsort(*list + *n, (size_t)q->n_far, sizeof **list, by_step_and_sequence);
    *n += q->n_far;
    return true;
}

bool event_queue_restart(event_queue *q, int64_t horizon, int64_t back)
{
    event_queue fresh;
    int64_t     covered = q->reach - 2;
    if (!event_queue_open(&fresh, horizon > covered ? horizon : covered, back)) {
        event_queue_close(&fresh);
        return false;
    }
    fresh.now = q->now, fresh.out_of_memory = q->out_of_memory;
    event_queue_close(q);
    *q = fresh;
    return true;
}
