/* The barrier between windows. Threads that wait spin for some microseconds, since that is how long windows take, then
 * offer their processor, and at last sleep: a waiting thread that kept its processor would hold up the very one it waits for, which the system can move to a
 * processor only if that is idle. A thread whose spinning was in vain spins less the next time. */
#ifndef RV_SIM_BARRIER_H
#define RV_SIM_BARRIER_H

#include <pthread.h>
#include <stdatomic.h>

typedef struct barrier {
    atomic_int      arrived;
    atomic_uint     round;
    atomic_int      asleep;
    pthread_mutex_t lock;
    pthread_cond_t  next_round;
} barrier;

#define BARRIER_INIT { .lock = PTHREAD_MUTEX_INITIALIZER, .next_round = PTHREAD_COND_INITIALIZER }

/** Returns when n threads have called it.
 *  @param patience of the calling thread, kept by it; starts at 0 */
void barrier_wait(barrier *b, int n, int *patience);

#endif
