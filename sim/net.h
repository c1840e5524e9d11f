/* What is behind an rv_net: the three nouns of the sentence, and who listens. */
#ifndef RV_SIM_NET_H
#define RV_SIM_NET_H

#include "sim/error.h"
#include "sim/probes.h"
#include "sim/run.h"
#include "sim/structure.h"

typedef struct timer {
    int64_t     next, interval; /* steps; interval 0: once   */
    rv_timer_fn f;
    void       *user;
} timer;

typedef struct spike_listener {
    int         population;
    rv_spike_fn f;
    void       *user;
} spike_listener;

typedef struct clock_listener {
    double      interval, next; /* seconds */
    rv_timer_fn f;
    void       *user;
} clock_listener;

struct rv_net {
    definition   def;
    network     *net;   /* NULL until compiled */
    state       *state; /* likewise            */
    rv_advance   advance;
    int          threads;
    rv_error     error;
    volatile int stop;
    bool         running, profiling;

    spike_probe    *spikes; /* [n_populations] */
    int64_t        *n_spikes;
    probe         **probe;  /* [n_probes]      */
    int             n_probes;
    timer          *timer;
    int             n_timers;
    spike_listener *spike_listener;
    int             n_spike_listeners;
    clock_listener *clock_listener;
    int             n_clock_listeners;
    rv_watch_fn     watch; /* a display */
    void           *watch_user;
    probe         **watched; /* [n_watched] states it sees */
    int             n_watched;
    structure_task *task; /* homeostasis and structural plasticity at intervals, in the order given */
    int             n_tasks;
    turnover       *turnover; /* [n_projections] or NULL */

    double compile_seconds, run_seconds;
};

/** Room for one more item at the end of an array of n. @return the item, NULL without memory */
void *net_append(rv_net *net, void *array, int n, size_t item);

/** The index behind a handle, -1 with a sentence if it is none of this network's. */
int net_population(const rv_net *net, rv_population population);
int net_projection(const rv_net *net, rv_projection projection);

/** Brings the weights of a bundle, if they learn, up to now. */
void net_catch_up(rv_net *net, int bundle);

/** One weight of a bundle as it is now, after net_catch_up(). */
double net_weight_of(const rv_net *net, int bundle, const synapse_ref *synapse);

/** The same before they are changed from outside: what is kept beside them is brought up to now, too. */
void net_settle(rv_net *net, int bundle);

/** Lowest and highest weight of a projection: the learning rule's; without one any finite number. */
void net_weight_bounds(const rv_net *net, int projection, double *low, double *high);

/** All weights of a projection, caught up to now, in the order of rv_synapses(). */
rv_status net_weights(rv_net *net, int projection, double *weights);

/** Samples what a probe wants of the synapses of a projection. */
rv_status net_sample_synapses(rv_net *net, probe *p);

/** The number of a state of a projection's learning rule by its name, -1 with a sentence if there is none. */
int net_state_of_rule(rv_net *net, int projection, const char *variable);

/** The k-th state of a projection's rule, for every synapse in the order of rv_synapses(). */
rv_status net_learning_state(rv_net *net, int projection, int k, double *values);

/** A duration in whole steps. @param what for the sentence */
rv_status net_steps(rv_net *net, double ms, const char *what, int64_t least, int64_t *steps);

#endif
