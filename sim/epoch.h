/* Learning in epochs of t_epoch steps, as Loihi does (Davies et al. 2018) and Lava describes (magma/core/model/py/connection.py).
 *
 * During an epoch only spikes are noted: in which of its steps, 1 .. t_epoch, a neuron has spiked last. If it spikes again, the
 * impulse of the spike before is added to its trace at once. At the end of the epoch
 *   1. the traces are carried through its steps once more, in each of them first the decay, then the impulse of the last spike;
 *   2. the products (sim/products.h) of every synapse are summed. With x0 all traces are those of the step in which the
 *      source spiked last (its own impulse included), with y0 those of the target's, with u those at the end of the epoch.
 *      w, t and d are those before the epoch;
 *   3. w, t and d get the sums.
 *
 * Where spikes carry numbers for x1 (rv_graded_mode), what a payload does to x1 is done at once, and x1 has no impulse.
 *
 * A spike emitted at step s takes part in the epoch of s, on both sides: the delay of a synapse is wholly dendritic. What was
 * learnt in the epoch that ends at step s weighs the spikes that arrive from step s + 2 on; with a delay of one step these are
 * those emitted after the epoch, as in Lava. So the network learns w, and delivers a copy that follows. Several spikes of
 * one neuron in one step count as one. The tiles must hear of spikes before the epoch ends: windows are one step long.
 *
 * Everything that is learnt is a function of the spikes and of one set of random numbers per step and projection, so it does
 * not depend on threads. */
#ifndef RV_SIM_EPOCH_H
#define RV_SIM_EPOCH_H

#include "sim/network.h"

/** The random numbers of one step; those of traces and rounding are used at the end of an epoch. */
typedef struct epoch_draws {
    double x_decay, x_impulse, y_decay, y_impulse, y_impulse_repeat, round;
} epoch_draws;

/** A rule ready to run; part of a bundle. */
typedef struct epoch_rule {
    const rv_arithmetic *arithmetic;
    int                  t_epoch, k; /* of u; -1: there is none                                            */
    rv_graded_mode       graded;
    bool                 on_y0;      /* whether there is a product with this dependency                    */
    rule_products        sum[N_EPOCH_VARIABLES];
    double               low[N_EPOCH_VARIABLES], high[N_EPOCH_VARIABLES];
    double               keep[N_EPOCH_TRACES], impulse[N_EPOCH_TRACES];
    const epoch_draws   *replay; /* [n_replay] from step 1 on, borrowed: instead of our own random numbers */
    int64_t              n_replay;
} epoch_rule;

/** Reads the texts and checks everything. @param object begins the sentences @param result freed by epoch_rule_free() */
rv_status epoch_rule_new(const projection_def *p, const char *object, epoch_rule **result, rv_error *error);
void      epoch_rule_free(epoch_rule *rule);

/** The learning of one bundle in one tile. */
typedef struct epoch {
    const epoch_rule *rule;
    rows             *r;
    const part       *target;
    double            factor;    /* of the copy that is delivered                         */
    uint64_t          seed;
    uint32_t          object;    /* projection                                            */
    int64_t           n_sources;
    double           *variable[N_EPOCH_VARIABLES]; /* [n_synapses] as learnt              */
    double           *x[N_EPOCH_X];     /* [n_sources] traces                             */
    double           *y[N_EPOCH_Y];     /* [target->n]                                    */
    uint8_t          *x_step, *y_step;  /* [n_sources], [target->n] step of the epoch of the last spike; 0: none */
    double           *y_history;        /* [t_epoch + 1][N_EPOCH_Y][target->n]            */
    bool              delivered[N_EPOCH_Y]; /* set from outside                           */
    bool              any_y;            /* whether a target has spiked in this epoch      */
    int32_t          *changed_row;      /* [n_changed_rows] sources whose copy is to follow           */
    uint32_t         *changed_synapse;  /* [n_changed_synapses] and single synapses, up to most_changed */
    int32_t           n_changed_rows;
    int64_t           n_changed_synapses, most_changed;
    int64_t           bytes;
} epoch;

rv_status epoch_open(epoch *e, const network *net, int bundle, int tile, rv_error *error);
void      epoch_close(epoch *e);

/** A source (numbered in its population), a neuron of the target part spikes at a step. @param payload what the spike carries, 1 if nothing */
void epoch_source_spike(epoch *e, int64_t source, int64_t step, double payload);
void epoch_target_spike(epoch *e, int neuron, int64_t step);

/** All spikes of the step are known: what was learnt before it is delivered from now on; learns if an epoch ends. */
void epoch_end_step(epoch *e, int64_t step);

/** Sets the weight of a synapse, stored as the rows do. */
void epoch_set_weight(epoch *e, int64_t synapse, double stored);

/** For tests: takes the random numbers of a tool. @param draws [n] of the steps from 1 on, borrowed */
rv_status epoch_replay(rv_net *net, rv_projection projection, const epoch_draws *draws, int64_t n);

#endif
