/* The event queue: a calendar of one bucket per step over the longest delay, and a heap behind it for what is further
 * away. Push and pop are O(1) however many events are pending (R. Brown 1988, doi:10.1145/63039.63045, with the width of
 * a day fixed to the step). An event is one 64-bit word or a pair of them; what it means is its owner's business. Events
 * of one step come out in the order in which they were pushed. */
#ifndef RV_SIM_EVENT_QUEUE_H
#define RV_SIM_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENT_CHUNK_ITEMS = 62 };

/** A piece of a bucket; buckets are chains of chunks from one pool. */
typedef struct event_chunk {
    uint64_t item[EVENT_CHUNK_ITEMS];
    uint32_t n, next; /* next: index in the pool; 0 is none */
} event_chunk;

typedef struct event_bucket {
    uint32_t first, last; /* chunks; 0: empty */
} event_bucket;

typedef struct far_event {
    int64_t  step;
    uint64_t sequence; /* order of pushing among equal steps */
    uint64_t item;
} far_event;

typedef struct event_queue {
    int64_t       now;       /* every pending event is due at this step or later      */
    int64_t       n_buckets; /* a power of two                                        */
    int64_t       reach;     /* steps from the present that the calendar takes        */
    event_bucket *bucket;    /* [n_buckets] step s lives in s mod n_buckets           */
    event_chunk  *chunk;     /* [n_chunks] the pool; number 0 is never used           */
    uint32_t      n_chunks, capacity, free;
    far_event    *heap;      /* [n_far] binary min-heap by (step, sequence)           */
    int64_t       n_far, far_capacity;
    uint64_t      sequence;
    int64_t       pending;   /* words in buckets and heap                             */
    bool          out_of_memory; /* an event was lost; checked once per window        */
} event_queue;

/** An empty queue whose calendar covers horizon steps. The present may be taken back by up to `back` steps, to go through
 *  the same steps again. @return whether there was memory */
bool event_queue_open(event_queue *q, int64_t horizon, int64_t back);
void event_queue_close(event_queue *q);

/** @param step q->now or later */
void event_queue_push(event_queue *q, int64_t step, uint64_t item);

/** Two words that stay together; within the horizon only. */
void event_queue_push_pair(event_queue *q, int64_t step, uint64_t item, uint64_t second);

/** Makes `step` the present and returns the number of the first chunk of its events, 0 if there are none:
 *    for (uint32_t i = event_queue_due(q, step); i; i = q->chunk[i].next) ... q->chunk[i].item[0 .. n-1] ... */
uint32_t event_queue_due(event_queue *q, int64_t step);

/** A walk through the words of a step within the horizon, for those who look ahead. */
typedef struct event_walk {
    uint32_t chunk, k;
} event_walk;

event_walk event_queue_walk(const event_queue *q, int64_t step);

/** The next word; NULL if there is none yet. */
static inline const uint64_t *event_walk_on(const event_queue *q, event_walk *walk)
{
    if (walk->chunk && walk->k == q->chunk[walk->chunk].n && q->chunk[walk->chunk].next) *walk = (event_walk){ q->chunk[walk->chunk].next, 0 };
    if (!walk->chunk || walk->k == q->chunk[walk->chunk].n) return NULL;
    return &q->chunk[walk->chunk].item[walk->k++];
}

/** Empties the bucket of the present; events pushed into it later start it anew. */
void event_queue_done(event_queue *q);

/** Makes the first step from..to-1 that has an event the present; without one the present becomes to - 1.
 *  @return that step, or `to` if there is none */
int64_t event_queue_skip(event_queue *q, int64_t from, int64_t to);

/** All words that are pending: those of one step in the order in which they come out, pairs side by side. Only between two
 *  steps, when what is due now has been done. @param list result, [n], freed by the caller @return whether there was memory */
bool event_queue_list(const event_queue *q, far_event **list, int64_t *n);

/** Forgets everything; the present stays. The calendar covers `horizon` steps from now on if it covered fewer.
 *  @return whether there was memory */
bool event_queue_restart(event_queue *q, int64_t horizon, int64_t back);

#endif
