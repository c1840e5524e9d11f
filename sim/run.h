/* Running: windows of the shortest delay, in which tiles work alone, with an exchange of spikes between them. */
#ifndef RV_SIM_RUN_H
#define RV_SIM_RUN_H

#include "sim/probes.h"
#include "sim/state.h"
#include "sim/structure.h"

/** What the one thread that watches over a run needs to know: where to put what was recorded, and when to come up. */
typedef struct run_watch {
    int           threads;
    spike_probe  *spikes;  /* [n_populations]                                         */
    probe       **probe;   /* [n_probes] all of them                                  */
    int           n_probes;
    bool          one_window; /* come up after every window: someone wants each spike    */
    double        come_up_at; /* or when the wall clock (clock_seconds()) reaches this time  */
    volatile const int *stop; /* or when this is set                                     */
    spike        *heard;      /* [n_heard] the spikes of the last window, if one_window  */
    int64_t       n_heard, heard_capacity;
    int64_t      *n_spikes;   /* [n_populations] running total                           */
    rv_watch_fn   watch;      /* a display that sees every spike, or NULL                */
    void         *watch_user;
    probe       **watched;    /* [n_watched] neurons whose states a display sees         */
    int           n_watched;
    structure_task *task;    /* [n_tasks] what changes synapses at intervals, and listens for it */
    int           n_tasks;
} run_watch;

/** Prepares the inputs of a new state and foresees its first events. */
rv_status run_start(state *s, rv_error *error);

/** Advances the state up to step `until`, or less: to the end of a window if there is a reason to come up.
 *  @return RV_OK, or RV_OUT_OF_MEMORY with a sentence */
rv_status run_until(state *s, int64_t until, run_watch *w, rv_error *error);

#endif
