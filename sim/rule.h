/* A learning rule is a table and a few functions. One file in learning/, one line in learning/registry.c. The engine
 * (sim/plasticity.c) keeps the traces and calls the hooks in the order of time as the synapse sees it: a presynaptic
 * spike after its axonal, a postsynaptic spike after the dendritic part of the delay.
 *
 *   source trace   once per row segment (one source, one delay)
 *   target trace   once per postsynaptic neuron
 *   weight         float64 for every synapse */
#ifndef RV_SIM_RULE_H
#define RV_SIM_RULE_H

#include "sim/ranvier.h"

enum { RV_MAX_TRACES = 2, RV_MAX_RULE_CONSTANTS = 16 };

struct rv_rule {
    rv_table table; /* name, equations, reference, parameters */
    int      n_constants;
    int      n_source_traces, n_target_traces; /* up to RV_MAX_TRACES each */

    /** A sentence if the parameters contradict each other, else NULL. */
    const char *(*check)(const double *p);
    void (*prepare)(const double *p, double *c);

    /** Lowest and highest weight the rule allows. */
    void (*bounds)(const double *p, double *low, double *high);

    /** Traces between spikes: what becomes of one in `since` ms (INFINITY before the first spike). */
    void (*source_decay)(const double *c, double since, double *trace);
    void (*target_decay)(const double *c, double since, double *trace);

    /** What a presynaptic (postsynaptic) spike does to its trace, after the decay. */
    void (*source_spike)(const double *c, double *trace);
    void (*target_spike)(const double *c, double *trace);

    /** The postsynaptic spike of a pair: weight before -> weight after. @param source trace at this moment
     *  @param target trace just after this spike */
    double (*on_post)(const double *c, double w, const double *source, const double *target);

    /** The presynaptic spike: weight before -> weight after, before it is delivered. @param target trace at this moment, of
     *  the spikes strictly before @param source trace just before this spike */
    double (*on_pre)(const double *c, double w, const double *target, const double *source);
};

/** All rules, NULL at the end; the list is in learning/registry.c. */
extern const rv_rule *const rv_rules[];
const rv_rule              *rv_rule_find(const char *name);

#endif
