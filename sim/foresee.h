/* Looking ahead, so that silence costs nothing: when a neuron that is not swept will next need attention without further
 * input (its threshold crossing, the emission of a generator), and bringing such neurons to the present when what drives
 * them is about to change. */
#ifndef RV_SIM_FORESEE_H
#define RV_SIM_FORESEE_H

#include "sim/state.h"

/** The activity (events per neuron and step) below which a swept population is jumped over, and above which one that
 *  jumps is swept again; apart, so that it does not flutter. A visit costs as much as sweeping some 50 neurons. */
#define JUMP_BELOW  (1.0 / 80)
#define SWEEP_ABOVE (1.0 / 40)

enum {
    DECISION_STEPS = 128, /* how often that is decided; windows end there            */
    FORESEE_STEPS = 64,   /* how far is looked ahead on the grid; then looked again */
};

/** Finds a neuron's next crossing after ps->last and notes it in ps->wake; the search may end at `until`, then wake is a
 *  time before which there is none. */
void foresee_crossing(state *s, int t, int population, int i, const double *states, const double *constants, double until);

/** Queues the event at ps->wake, if there is one. */
void foresee_queue(state *s, int t, int population, int i);

/** The next emission of a generator's neuron goes into ps->wake. @param restart forget what was foreseen */
void foresee_emission(state *s, int t, int population, int i, bool restart);

/** Brings the neurons of a part that are not swept to a step, before what drives them changes; and foresees anew what is
 *  next for them afterwards. */
void foresee_settle_part(state *s, int t, int population, int64_t step);
void foresee_part(state *s, int t, int population);

/** The same for a population, between runs. */
void foresee_settle(state *s, int population);
void foresee_population(state *s, int population);

/** Decides for every population of a tile whether it is swept or jumps, from the spikes since the last decision: the same
 *  on all tiles, and never from the clock. */
void foresee_choose(state *s, int t, int64_t step);

#endif
