/* The history is a ring. Two counters make it safe: `claimed` runs ahead of the slots that are written, `end` behind
 * them.
 *
 *   writer: claimed = n + 1;  slot = (t, value);  end = n + 1      pair n has replaced pair n - capacity
 *   reader: copies slots below `end`;  reads `claimed`;  a pair n' is right if n' >= claimed - capacity
 *
 * The slots are stored with release and loaded with acquire, so whoever saw one of the new numbers also sees that its
 * slot was claimed. (Boehm 2012, "Can seqlocks get along with programming language memory models?",
 * doi:10.1145/2247684.2247688.) On the usual processors all of this is plain loads and stores. */
#include "viz/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"

typedef struct pair {
    _Atomic double t_ms, value;
} pair;

struct history {
    int64_t         capacity;  /* a power of two */
    pair           *ring;      /* [capacity]; huge pages, taken from the system when they are first written */
    _Atomic int64_t claimed;   /* pairs whose slots may have been written */
    _Atomic int64_t end;       /* pairs that can be read                  */
    _Atomic int64_t forgotten; /* pairs below were cleared                */
};

history *history_new(int64_t capacity)
{
    history *h = calloc(1, sizeof *h);
    if (!h) return NULL;
    for (h->capacity = 1; h->capacity < capacity; h->capacity *= 2) continue;
    h->ring = memory_new((size_t)h->capacity * sizeof *h->ring);
    if (h->ring) return h;
    free(h);
    return NULL;
}

void history_free(history *h)
{
    if (h) memory_free(h->ring, (size_t)h->capacity * sizeof *h->ring);
    free(h);
}

void history_warm(history *h, const atomic_bool *stop)
{
    const size_t step = 2u << 20, bytes = (size_t)h->capacity * sizeof *h->ring;
    for (size_t begin = 0; begin + step <= bytes && !atomic_load_explicit(stop, memory_order_relaxed); begin += step)
        memory_warm(h->ring, begin, step);
}

void history_add(history *h, double t_ms, double value)
{
    int64_t n = atomic_load_explicit(&h->end, memory_order_relaxed);
    pair   *slot = &h->ring[n & (h->capacity - 1)];
    atomic_store_explicit(&h->claimed, n + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->t_ms, t_ms, memory_order_release);
    atomic_store_explicit(&slot->value, value, memory_order_release);
    atomic_store_explicit(&h->end, n + 1, memory_order_release);
}

void history_clear(history *h)
{
    atomic_store_explicit(&h->forgotten, atomic_load_explicit(&h->end, memory_order_relaxed), memory_order_release);
}

/* The oldest pair whose slot has not been claimed for another one. */
static int64_t oldest(const history *h)
{
    int64_t lost = atomic_load_explicit(&h->claimed, memory_order_relaxed) - h->capacity;
    int64_t forgotten = atomic_load_explicit(&h->forgotten, memory_order_acquire);
    return lost > forgotten ? lost : forgotten;
}

void history_kept(const history *h, int64_t *first, int64_t *end)
{
    *end = atomic_load_explicit(&h->end,
                                memory_order_acquire); /* before `forgotten`: what was written after it is newer */
    *first = oldest(h);
    if (*end < *first) *end = *first;
}

/* One attempt. The pairs that were overwritten meanwhile are the first ones of those copied. */
static int64_t copy_pairs(const history *h, int64_t first, int64_t n, double *t_ms, double *value, int64_t *gone)
{
    for (int64_t k = 0; k < n; k++) {
        const pair *slot = &h->ring[(first + k) & (h->capacity - 1)];
        t_ms[k] = atomic_load_explicit(&slot->t_ms, memory_order_acquire);
        value[k] = atomic_load_explicit(&slot->value, memory_order_acquire);
    }
    *gone = oldest(h) - first;
    if (*gone < 0) *gone = 0;
    return *gone < n ? n - *gone : 0;
}

int64_t history_read(const history *h, int64_t *first, int64_t n, double *t_ms, double *value)
{
    for (;;) {
        int64_t there, end, gone;
        history_kept(h, &there, &end);
        if (*first < there) *first = there;
        int64_t wanted = end - *first < n ? end - *first : n;
        if (wanted <= 0) return 0;
        int64_t valid = copy_pairs(h, *first, wanted, t_ms, value, &gone);
        if (valid == 0) continue;
        if (gone > 0) memmove(t_ms, t_ms + gone, (size_t)valid * sizeof *t_ms);
        if (gone > 0) memmove(value, value + gone, (size_t)valid * sizeof *value);
        *first += gone;
        return valid;
    }
}

int64_t history_find(const history *h, double t_ms)
{
    int64_t low, high;
    history_kept(h, &low, &high);
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        double  t = atomic_load_explicit(&h->ring[middle & (h->capacity - 1)].t_ms, memory_order_acquire);
        int64_t there = oldest(h);
        if (middle < there) low = there;
        else if (t < t_ms) low = middle + 1;
        else high = middle;
    }
    return low;
}

double history_oldest(const history *h)
{
    int64_t first = 0;
    double  t_ms, value;
    return history_read(h, &first, 1, &t_ms, &value) ? t_ms : NAN;
}
