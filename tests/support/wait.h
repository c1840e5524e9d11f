/* Waiting in tests until something comes true, patiently: the machine may be busy. */
#ifndef RV_TESTS_WAIT_H
#define RV_TESTS_WAIT_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/clock.h"

enum { PATIENCE_S = 60 };

static inline void nap(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)(fmod(seconds, 1) * 1e9) };
    nanosleep(&t, NULL);
}

/** Waits until the condition holds; otherwise does what is to be done then. */
#define WAIT_OR(condition, otherwise)                                                                                  \
    do {                                                                                                               \
        double begin_ = clock_seconds();                                                                               \
        while (!(condition)) {                                                                                         \
            if (clock_seconds() - begin_ > PATIENCE_S) otherwise;                                                      \
            nap(0.001);                                                                                                \
        }                                                                                                              \
    } while (0)

/** Otherwise the suite ends at once, for other threads may go on using what a failing test frees. */
#define WAIT_FOR(condition)                                                                                            \
    WAIT_OR(condition, (fprintf(stderr, "%s, line %d: waited in vain for %s\n", __FILE__, __LINE__, #condition), abort()))

#endif
