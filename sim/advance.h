/* The ways to advance neurons over a window: on the grid (sweep or jump) and in exact timing. */
#ifndef RV_SIM_ADVANCE_H
#define RV_SIM_ADVANCE_H

#include <math.h>

#include "sim/state.h"

/** More spikes of a neuron in exact timing than this in a span, a part of a step that lasts so many ms at most, are taken for
 *  firing without end. The shortest refractory period of any model but zero, 1 us, leaves room for a hundred. */
#define ENDLESS_SPAN 0.1
enum { ENDLESS_SPIKES = 10000 };

/** How many spans a step has. */
static inline double endless_spans(const state *s) { return ceil(s->net->def->resolution / ENDLESS_SPAN - 1e-9); }

/** Advances a tile over the steps from..to-1. */
void grid_advance(state *s, int t, int64_t from, int64_t to);

/** Advances the populations of one level of a tile over the window from..to. */
void exact_advance(state *s, int t, int level, int64_t from, int64_t to);

#endif
