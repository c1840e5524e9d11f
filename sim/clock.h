/* Wall time, for the profile and for calls by the clock. Nothing that is simulated may depend on it. */
#ifndef RV_SIM_CLOCK_H
#define RV_SIM_CLOCK_H

#include "sim/state.h"

/** Seconds since some moment. */
double clock_seconds(void);

/** A lap timer over the stages of the step. Nothing is measured, and nothing lost, unless profiling is on. */
typedef struct stage_clock {
    double last; /* seconds */
} stage_clock;

static inline stage_clock stage_start(const state *s) { return (stage_clock){ s->profiling ? clock_seconds() : 0 }; }

static inline void stage_end(state *s, int t, stage stage, stage_clock *clock)
{
    if (!s->profiling) return;
    double now = clock_seconds();
    s->tile[t].seconds[stage] += now - clock->last;
    clock->last = now;
}

#endif
