/* The feed: a ring of commands in one direction, three buffers of weights in the other. */
#include "viz/feed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMMANDS = 1024, FRESH = 4 /* flag beside the number of a buffer: not yet seen by the window */ };

/* The three buffers change hands: the simulation fills one, the window reads one, the third waits in `middle`. */
struct feed_private {
    feed_command    command[COMMANDS];
    _Atomic int64_t sent, taken;
    feed_weights    buffer[3];
    int             filling, reading;
    _Atomic int     middle;
    bool            any; /* the window has seen a snapshot */
};

/* ---- beginning and end ----------------------------------------------------------------------------------------- */

static bool open_histories(feed *f)
{
    bool whole = (f->spikes = history_new(FEED_KEPT_SPIKES)) && (f->older = history_new(FEED_KEPT_SPIKES));
    for (int k = 0; k < FEED_TRACES && whole; k++) {
        whole = (f->trace[k].samples = history_new(FEED_KEPT_SAMPLES));
        f->trace[k].threshold = NAN;
    }
    return whole;
}

static bool copy_populations(feed *f, const feed_population *population, int n)
{
    f->population = malloc(((size_t)n + 1) * sizeof *f->population);
    if (!f->population) return false;
    f->n_populations = n;
    for (int p = 0; p < n; p++) {
        f->population[p] = population[p];
        f->population[p].first_row = f->n_rows;
        f->n_rows += population[p].size;
    }
    return true;
}

rv_status feed_new(const feed_population *population, int n, feed **result)
{
    feed *f = calloc(1, sizeof *f);
    *result = NULL;
    if (!f) return RV_OUT_OF_MEMORY;
    f->private = calloc(1, sizeof *f->private);
    if (!f->private || !copy_populations(f, population, n) || !open_histories(f)) {
        feed_free(f);
        return RV_OUT_OF_MEMORY;
    }
    f->private->reading = 1, f->private->middle = 2;
    f->speed = INFINITY;
    f->resolution_ms = 0.1;
    *result = f;
    return RV_OK;
}

void feed_free(feed *f)
{
    if (!f) return;
    history_free(f->spikes);
    history_free(f->older);
    for (int k = 0; k < FEED_TRACES; k++) history_free(f->trace[k].samples);
    free(f->population);
    free(f->private);
    free(f);
}

int feed_population_of(const feed *f, int64_t row, int64_t *neuron)
{
    int low = 0, high = f->n_populations - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (f->population[middle].first_row <= row) low = middle;
        else high = middle - 1;
    }
    *neuron = row - f->population[low].first_row;
    return low;
}

/* ---- commands -------------------------------------------------------------------------------------------------- */

bool feed_send(feed *f, feed_command command)
{
    struct feed_private *p = f->private;
    int64_t              sent = atomic_load_explicit(&p->sent, memory_order_relaxed);
    if (sent - atomic_load_explicit(&p->taken, memory_order_acquire) >= COMMANDS) return false;
    p->command[sent % COMMANDS] = command;
    atomic_store_explicit(&p->sent, sent + 1, memory_order_release);
    return true;
}

bool feed_take(feed *f, feed_command *command)
{
    struct feed_private *p = f->private;
    int64_t              taken = atomic_load_explicit(&p->taken, memory_order_relaxed);
    if (taken == atomic_load_explicit(&p->sent, memory_order_acquire)) return false;
    *command = p->command[taken % COMMANDS];
    atomic_store_explicit(&p->taken, taken + 1, memory_order_release);
    return true;
}

/* ---- weights --------------------------------------------------------------------------------------------------- */

feed_weights *feed_weights_begin(feed *f) { return &f->private->buffer[f->private->filling]; }

void feed_weights_end(feed *f)
{
    struct feed_private *p = f->private;
    p->filling = atomic_exchange_explicit(&p->middle, p->filling | FRESH, memory_order_acq_rel) & ~FRESH;
}

bool feed_weights_taken(const feed *f) { return !(atomic_load_explicit(&f->private->middle, memory_order_relaxed) & FRESH); }

const feed_weights *feed_weights_latest(feed *f)
{
    struct feed_private *p = f->private;
    if (atomic_load_explicit(&p->middle, memory_order_relaxed) & FRESH) {
        p->reading = atomic_exchange_explicit(&p->middle, p->reading, memory_order_acq_rel) & ~FRESH;
        p->any = true;
    }
    return p->any ? &p->buffer[p->reading] : NULL;
}
