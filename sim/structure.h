/* What changes synapses between windows, once or at intervals: normalised and scaled weights (sim/homeostasis.c), delays that
 * learn (sim/delay_learning.c), synapses that come and go (sim/rewire.c), and delays that are set (sim/structure.c). */
#ifndef RV_SIM_STRUCTURE_H
#define RV_SIM_STRUCTURE_H

#include "sim/ranvier.h"
#include "sim/rebuild.h"

typedef enum task_kind { TASK_NORMALISE, TASK_SCALE, TASK_REWIRE, TASK_DELAYS } task_kind;

/** A spike that delays learn from. */
typedef struct heard_spike {
    double  time;   /* steps */
    int64_t neuron; /* of its population */
} heard_spike;

typedef struct heard_spikes {
    heard_spike *spike; /* [n] by time, then neuron */
    int64_t      n, capacity;
} heard_spikes;

/** One kind of change of one projection at every multiple of an interval. What it remembers are the arrays below. */
typedef struct structure_task {
    task_kind      kind;
    int            projection;
    int            source, target;  /* populations                          */
    int64_t        next, interval;  /* steps                                */
    double         h;               /* ms per step                          */
    double         total;           /* TASK_NORMALISE                       */
    rv_scaling     scaling;         /* TASK_SCALE                           */
    rv_rewiring    rewiring;        /* TASK_REWIRE                          */
    rv_delay_rule  delay_rule;      /* TASK_DELAYS                          */
    int64_t        n;               /* neurons of the target population     */
    double        *activity;        /* [n] TASK_SCALE: Hz, at the time of the last spike */
    double        *last;            /* [n] that time, steps                 */
    double        *integral;        /* [n] of rate - activity, Hz s         */
    heard_spikes   pre, post;       /* TASK_DELAYS                          */
    bool           out_of_memory;
} structure_task;

/** How many synapses of a projection have gone and come. */
typedef struct turnover {
    int64_t pruned, grown;
} turnover;

/** Every spike of the network is shown to every task, in the order of time, then neuron. */
void structure_hear(structure_task *task, int population, int64_t neuron, double time, uint32_t count);

/** Does what is due at the present step, and sets the next time. */
rv_status structure_run_due(rv_net *net);
void      structure_close(rv_net *net);

/** Begins a task, which replaces one of the same kind on the same projection; with an interval of INFINITY only ends that one.
 *  Whatever the task remembers has been allocated. @param task taken over, also after a failure */
rv_status structure_schedule(rv_net *net, structure_task *task, double interval_ms, const char *what);

/** The projection behind a handle, compiled, if its synapses may change so: not those that learn in epochs or of a chip.
 *  @param moving whether synapses come, go or change their delays, so that none may be recorded
 *  @param what "rv_rewire", say: begins the sentence after the projection @param index result */
rv_status structure_projection(rv_net *net, rv_projection projection, bool moving, const char *what, int *index);

/** The shortest and longest delay that a projection may have now, in steps. */
void structure_delay_range(const rv_net *net, int projection, double *low, double *high);

/** Whether delays (ms) may be those of the projection. @param what begins the sentence, as in: projection "a" -> "b": delay */
rv_status structure_check_delays(rv_net *net, int projection, const rv_value *delays, const char *what);

/** Whether a delay that was drawn lies within the range, in steps. */
bool structure_delay_fits(const rv_net *net, double ms, double low, double high);

/** A delay as the engine keeps it, 2^-32 steps: on the grid it is rounded, as when synapses are made. @param low steps */
uint64_t structure_delay_key(const rv_net *net, double ms, double low);

/** One change, now. */
rv_status homeostasis_normalise(rv_net *net, int projection, double total);
rv_status homeostasis_scale(rv_net *net, structure_task *task);
rv_status delay_learning_step(rv_net *net, structure_task *task);
rv_status rewire_now(rv_net *net, int projection, const rv_rewiring *how);

/** Gives a synapse its weight, as stored, wherever it is kept. */
void structure_set_weight(rv_net *net, int bundle, int tile, int64_t synapse, double weight);

/** Whether a synapse of a bundle that lies in a tile belongs to the projection with that target population. */
static inline bool is_target_of(const network *net, int tile, int population, uint16_t target)
{
    const part *p = &net->tile[tile].part[population];
    return target >= p->base && target < p->base + p->n;
}

#endif
