#include "sim/barrier.h"

#include <sched.h>
#include <stdbool.h>

enum { MOST_SPINS = 2000, FEWEST_SPINS = 20 /* of 40 to 140 cycles */, YIELDS = 500 /* of half a microsecond */ };

static inline void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static bool is_over(const barrier *b, unsigned round) { return atomic_load_explicit(&b->round, memory_order_acquire) != round; }

static bool spin(const barrier *b, unsigned round, int spins)
{
    for (int k = 0; k < spins && !is_over(b, round); k++) pause_briefly();
    return is_over(b, round);
}

/* Where the thread that is waited for wants this very processor, this is the quickest way to hand it over. */
static bool yield(const barrier *b, unsigned round)
{
    for (int k = 0; k < YIELDS && !is_over(b, round); k++) sched_yield();
    return is_over(b, round);
}

static void open_next_round(barrier *b)
{
    atomic_store_explicit(&b->arrived, 0, memory_order_relaxed);
    atomic_fetch_add(&b->round, 1);
    if (atomic_load(&b->asleep) == 0) return;
    pthread_mutex_lock(&b->lock);
    pthread_cond_broadcast(&b->next_round);
    pthread_mutex_unlock(&b->lock);
}

/* Either this thread sees the new round here, or the one that opened it sees this one asleep. */
static void sleep_until_next(barrier *b, unsigned round)
{
    pthread_mutex_lock(&b->lock);
    atomic_fetch_add(&b->asleep, 1);
    while (atomic_load(&b->round) == round) pthread_cond_wait(&b->next_round, &b->lock);
    atomic_fetch_sub(&b->asleep, 1);
    pthread_mutex_unlock(&b->lock);
}

void barrier_wait(barrier *b, int n, int *patience)
{
    unsigned round = atomic_load_explicit(&b->round, memory_order_acquire);
    if (atomic_fetch_add_explicit(&b->arrived, 1, memory_order_acq_rel) + 1 == n) {
        open_next_round(b);
        return;
    }
    int spins = *patience > 0 ? *patience : MOST_SPINS;
    if (spin(b, round, spins)) {
        *patience = 2 * spins < MOST_SPINS ? 2 * spins : MOST_SPINS;
        return;
    }
    *patience = spins / 2 > FEWEST_SPINS ? spins / 2 : FEWEST_SPINS;
    if (!yield(b, round)) sleep_until_next(b, round);
}
