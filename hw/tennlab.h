/* TENNLab's network files (JSON, TENNLab-UTK/framework-open) for the RISP processor: read into a network that runs in the engine, written from
 * one.
 *
 *   tennlab_net t;
 *   tennlab_read("net.json", &t, &error);
 *   tennlab_build(&t, &(rv_net_def){ 0 }, &net, &error);     populations "inputs" (spike_generator) and "neurons" (risp)
 *   tennlab_free(&t);
 *
 * Time. RISP's first step is 0, and a spike that is applied at step t acts at t. In the engine a spike of "inputs" at (t + 1) ms acts at
 * (t + 2) ms, and so does everything else: step t of RISP is step t + TENNLAB_FIRST_STEP of the engine. With fire_like_ravens RISP tells of a
 * spike one step after it happened, tells of none in the last step, and is otherwise the same.
 *
 * Refused: noise, weights by number (`weights`, `stds`), other processors than risp. */
#ifndef RV_HW_TENNLAB_H
#define RV_HW_TENNLAB_H

#include "sim/ranvier.h"

enum { TENNLAB_FIRST_STEP = 2 };

typedef struct tennlab_node {
    int64_t id;
    double  threshold;
    bool    leak;
} tennlab_node;

typedef struct tennlab_edge {
    int64_t from, to; /* places in node */
    double  weight;
    int64_t delay;    /* steps, 1 or more */
} tennlab_edge;

typedef struct tennlab_net {
    int64_t       n_nodes, n_edges, n_inputs, n_outputs;
    tennlab_node *node;           /* [n_nodes] by id                                            */
    tennlab_edge *edge;           /* [n_edges] in the order of the file                         */
    int64_t      *input, *output; /* [n_inputs], [n_outputs] places in node                     */
    bool          discrete;       /* weights and thresholds are whole                           */
    bool          threshold_inclusive, fire_like_ravens, run_time_inclusive;
    char          leak_mode;      /* 'n'one, 'a'll, 'c'onfigurable: by the nodes                */
    double        min_potential, spike_value_factor; /* an applied spike of value 1 brings so much */
    double        min_weight, max_weight, min_threshold, max_threshold;
    int64_t       max_delay;
} tennlab_net;

rv_status tennlab_read(const char *path, tennlab_net *t, rv_error *error);
rv_status tennlab_write(const tennlab_net *t, const char *path, rv_error *error);
void      tennlab_free(tennlab_net *t);

/** The charge that a neuron must reach to fire. */
double tennlab_margin(const tennlab_net *t);

rv_status tennlab_build(const tennlab_net *t, const rv_net_def *def, rv_net **net, rv_error *error);

/** From a network whose neurons are of the model risp, with plain synapses, and of whose generators each reaches one neuron. Neurons without
 *  synapses of their own are its outputs, or all, if there are none such. */
rv_status tennlab_from_net(rv_net *net, tennlab_net *t, rv_error *error);

#endif
