/* The ways to advance neurons over a window: on the grid (sweep or jump) and in exact timing. */
#ifndef RV_SIM_ADVANCE_H
#define RV_SIM_ADVANCE_H

#include "sim/state.h"

/** Advances a tile over the steps from..to-1. */
void grid_advance(state *s, int t, int64_t from, int64_t to);

/** Advances the populations of one level of a tile over the window from..to. */
void exact_advance(state *s, int t, int level, int64_t from, int64_t to);

#endif
