/* The barrier between windows. Threads that wait spin for some microseconds, since that is how long windows take, and then
 * give the processor away: on a machine with other work a spinning thread would hold up the very one it waits for. */
#ifndef RV_SIM_BARRIER_H
#define RV_SIM_BARRIER_H

#include <stdatomic.h>

typedef struct barrier {
    atomic_int  arrived;
    atomic_uint round;
} barrier;

/** Returns when n threads have called it. */
void barrier_wait(barrier *b, int n);

#endif
