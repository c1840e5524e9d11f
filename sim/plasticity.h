/* Learning without a reverse index. A segment shares its source and its delay, so the time of the last presynaptic spike
 * and its trace exist once per segment; postsynaptic spikes wait in a history per neuron until the next presynaptic one
 * arrives. When a segment is delivered every synapse first catches up with the history, then gets the presynaptic part.
 *
 * Times are in steps. A presynaptic spike that arrives at t reaches the synapse at t - dendritic, a postsynaptic spike at
 * s reaches it at s + dendritic. Equal times: the postsynaptic spike comes first, and counts as before the presynaptic one
 * without changing what that one sees (as in NEST). With no dendritic delay, in grid timing, a postsynaptic spike in the
 * very step of an arrival comes after it.
 *
 * Where a rule has a reward, a synapse also changes between spikes. Its weight and what it keeps are stored as they were at
 * its last event: a spike of either side, or the moment up to which all synapses of its segment were carried. From there
 * they are carried from reward to reward, so that carrying them as far as some reward changes no bit of what follows. */
#ifndef RV_SIM_PLASTICITY_H
#define RV_SIM_PLASTICITY_H

#include "sim/network.h"
#include "sim/voltage.h"

/** What a segment remembers of its source. */
typedef struct source_trace {
    double last;      /* the last presynaptic spike, as the synapse saw it; -INFINITY if none */
    double caught_up; /* postsynaptic spikes up to here, as they were emitted, are in the weights */
    double carried;   /* rules with a reward: no synapse is older than this; time of the synapse */
    double trace[RV_MAX_TRACES];
} source_trace;

/** The spikes of one neuron that some synapse may still have to see: time and traces after it, ascending. */
typedef struct history {
    int32_t n, capacity;
    double *entry; /* [n][1 + n_target_traces] */
} history;

/** What many presynaptic spikes ask of one neuron: when it last spiked, and its trace at one moment. */
typedef struct target_trace {
    double last;   /* spike; -INFINITY: none */
    double moment; /* as a postsynaptic spike would have to be emitted, to be seen then; NAN: none yet */
    double trace[RV_MAX_TRACES];
} target_trace;

/** A reward: when the synapses feel it, and how much of it there is then. */
typedef struct reward {
    double time, n;
} reward;

/** The learning of one bundle in one tile. */
typedef struct plastic {
    const bundle *b;
    rows         *r;
    double        h; /* ms per step */
    const part   *target;
    int           width;         /* of a history entry   */
    int           n_own;
    double       *own;           /* [n_synapses][n_own]  */
    double       *dendritic;     /* [n_segments]         */
    double        max_dendritic;
    source_trace *source;        /* [n_segments]         */
    history      *history;       /* [target->n]          */
    target_trace *latest;        /* [target->n]          */
    int64_t       n_entries;     /* in all histories     */
    reward       *reward;        /* [n_rewards] ascending; the first may be long ago */
    int64_t       n_rewards, reward_capacity;
    voltage       voltage;       /* of the targets; empty unless the rule depends on it */
    bool          out_of_memory;
} plastic;

rv_status plastic_open(plastic *p, const network *net, int bundle, int tile, rv_error *error);
void      plastic_close(plastic *p);

/** A presynaptic spike arrives: brings the weights of the segment up to date.
 *  @return the part of them that is delivered, 1 for most rules */
double plastic_arrive(plastic *p, int64_t segment, double arrival);

/** A neuron of the target part spikes. */
void plastic_post_spike(plastic *p, int neuron, double time);

/** More reward from `time` on, which no synapse has reached yet. */
void plastic_reward(plastic *p, double time, double amount);

/** Grid timing, the end of a step of rules that depend on the membrane potential. @param V_m [target->n] */
void plastic_see_voltage(plastic *p, const double *V_m, int64_t step);

/** Applies all postsynaptic spikes that no presynaptic spike still on its way could precede, and forgets them.
 *  Whether and when it is called does not change any weight that is ever delivered. */
void plastic_catch_up(plastic *p, double now);

/** Brings weights of rules with a reward to this very moment, after plastic_catch_up(), so that they can be set. */
void plastic_settle(plastic *p, double now);

/** One synapse as it is now, after plastic_catch_up(). */
typedef struct plastic_synapse {
    double weight, own[RV_MAX_OWN], trace[RV_MAX_TRACES], reward;
} plastic_synapse;
plastic_synapse plastic_read(const plastic *p, int64_t segment, int64_t synapse, double now);

/** Takes over new rows of the same tile, before the old ones go. A new segment has the traces of an old one, its parent, and a
 *  synapse keeps what is its own from where it was, its origin; UINT32_MAX: it is new and begins to learn now.
 *  @param parent [fresh->n_segments] @param origin [fresh->n_synapses] @return whether there was memory */
bool plastic_move(plastic *p, const network *net, const rows *fresh, const uint32_t *parent, const uint32_t *origin, double now);

/** Room for the depression of as many steps as the longest dendritic part asks for. @return whether there was memory */
bool plastic_reserve_voltage(plastic *p);

/** The traces of a segment that begins to learn now. */
source_trace plastic_new_source(double now);

/** Whether the histories have grown enough for a catch-up to pay. */
bool plastic_is_long(const plastic *p);

#endif
