/* A network from a NIR graph (io/nir.h), and a NIR graph from a network.
 *
 *   nir_net n;
 *   nir_build(&graph, &(rv_net_def){ 0 }, NULL, &n, &error);
 *   rv_record_spikes(n.net, nir_part_find(&n, "output")->population);
 *   rv_run(n.net, 100);
 *   nir_net_free(&n);
 *
 * Neurons become populations named by their path ("rnn/lif" is "rnn.lif"), Inputs become spike_generators, an Output that one
 * population feeds directly is another name for it; any other Output becomes a population of nir_lif that does not spike and whose
 * V_m is the sum of what arrives in a step. What lies between neurons (Linear, Affine, Conv, pools, Flatten, Scale, Delay, ends of
 * inner graphs) is composed into one list of synapses for each pair of populations, zeros left out; biases become constant input.
 * Delays are rounded to steps. What LI, I and CubaLI give is no spike train, so only an Output can follow them.
 *
 * What NIR leaves open (its equations are continuous, files have no step) is an option, or an entry of the metadata of the graph or
 * the node ("dt" in seconds, "discretisation", "reset", "spikes"; the node's wins over the graph's, the option over both):
 *
 *   discretisation  "euler"       I += dt/tau_syn (w_in x - I), V += dt/tau (v_leak - V + r I)   as Norse, snnTorch, Spyx
 *                   "exponential" 1 - exp(-dt/tau) for dt/tau: exact while x is constant during the step
 *                   "impulse"     exact between spikes; a spike is an impulse of one step's area: as Rockpool and Sinabs
 *   reset           "value"       to v_reset;  "subtract": V - v_threshold
 *   spikes          "step"        x is the sum of the weights that arrive in a step and the biases, as one current during it; neurons
 *                                 without leak (IF, I) add r x: their dt counts as 1, as importers have it
 *                   "impulse"     the equations word for word in seconds: a spike of weight w is an impulse w, a bias a current
 *
 * Time. In the tools a layer hears what the layer before it emits in the same step; here a spike takes at least one. So the clock
 * of each population runs `level` steps late: it starts that much later, and its spike of step t + level is the tools' spike of
 * step t. Within a cycle every edge takes a step and all neurons have the same level; other edges take none. An input spike of
 * step t is emitted at t dt. A Delay of at least a step makes a difference of levels unnecessary.
 *
 * Models. LIF with reset to a value is iaf_psc_delta with tau_m so that exp(-dt/tau_m) is the leak of the discretisation (euler:
 * 1 - dt/tau), weights times r and the gain of a step, C_m = tau_m (currents in units of V). CubaLIF with impulses and without bias
 * is iaf_psc_exp, the closed form of its equations: V_m hears of a spike from the step after. All other neurons, and those with values
 * beyond what these models allow, are nir_lif. V_m starts at v_leak, unless the node's metadata say "V_m" (and
 * "refractory": steps for which it does not change). The threshold is to be
 * exceeded: V_th of a model that spikes at V_m = V_th is the next number above. */
#ifndef RV_IO_NIR_BUILD_H
#define RV_IO_NIR_BUILD_H

#include "io/nir.h"

typedef struct nir_build_options {
    const char *discretisation, *reset, *spikes; /* NULL: as the metadata say, else the first of those above */
} nir_build_options;

typedef enum nir_role { NIR_IS_INPUT, NIR_IS_NEURONS, NIR_IS_OUTPUT } nir_role;

typedef struct nir_part {
    char         *name;       /* of the node, by its path */
    nir_role      role;
    rv_population population;
    nir_shape     shape;
    int           level;      /* steps by which its clock is late */
    bool          spikes;     /* false: V_m is what it gives      */
} nir_part;

typedef struct nir_net {
    rv_net   *net;  /* owned */
    nir_part *part; /* [n_parts] Inputs, neurons and Outputs of the graph, by path */
    int       n_parts;
    double    largest_rounding; /* ms, of a delay to steps */
} nir_net;

/** @param graph completed as nir_complete() does @param def resolution 0: what the metadata say, else 0.1 ms; grid timing
 *  @param options NULL: all defaults @param n result, for nir_net_free() */
rv_status nir_build(nir_graph *graph, const rv_net_def *def, const nir_build_options *options, nir_net *n, rv_error *error);
void      nir_net_free(nir_net *n);

/** The part of this path, NULL if there is none. */
const nir_part *nir_part_find(const nir_net *n, const char *name);

typedef struct nir_from_options {
    bool refractory;   /* refractory periods go into the metadata ("t_ref", seconds), which no other tool reads; else they are refused */
    int  most_delays;  /* different delays of a projection, each of which takes a matrix of its own; 0: 16                           */
} nir_from_options;

/** The graph of a network: iaf_psc_delta and nir_lif become LIF (IF, LI ...), iaf_psc_exp CubaLIF, generators Inputs; each projection
 *  a Linear (dense; float32 where that loses nothing) behind a Delay for each of its delays; populations whose spikes are recorded
 *  get an Output "output_NAME", all if none is. Scaled as snnTorch does it, with a gain of 1: r = tau/dt, w_in = tau_syn/dt, so that
 *  weights are those of the network. Metadata say dt, discretisation, reset and V_m at the start; nir_build() then makes a
 *  network with the same spikes. Refused, with the reason and what comes nearest: other models, learning, kinds of synapse of
 *  chips, inputs (poisson, currents), exact timing, different tau_syn_ex and tau_syn_in, V_min. Compiles the network.
 *  @param options NULL: all defaults @param graph result, for nir_free() */
rv_status nir_from_net(rv_net *net, const nir_from_options *options, nir_graph *graph, rv_error *error);

#endif
