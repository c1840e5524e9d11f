/* Random networks of everything that the tables list: every neuron model, learning rule, input and kind of synapse there is, also
 * those added later. Nobody says what they should do: they are for tests that compare a network with itself. */
#ifndef RV_TESTS_ANY_NET_H
#define RV_TESTS_ANY_NET_H

#include "sim/ranvier.h"

/** A network of a few populations, everything recorded, compiled. The same for a seed, whatever the threads. Never NULL: fails the
 *  test instead. @param duration_ms result: for how long it is worth running */
rv_net *any_net(uint64_t seed, int threads, double *duration_ms);

/** All models, rules, inputs and kinds of synapse that have been used so far, by name, and "rewards", "receptors", "normalise", "scale",
 *  "rewire", "learn_delays", "set_delays", "histogram", "chosen synapses"; for tests that want to have seen everything. */
bool any_net_has_used(const char *name);

#endif
