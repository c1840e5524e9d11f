/* Pruning: which synapses of a projection can be left out. */
#ifndef RV_HW_PRUNE_H
#define RV_HW_PRUNE_H

#include <stdbool.h>
#include <stdint.h>

/** Marks the synapses to keep: leaves out those with |w| < below, then the weakest until a fraction of all is gone. Among
 *  equal weights, chance decides, a function of the seed.
 *  @param weights [n] @param keep result, [n] @return how many are left out, -1 without memory */
int64_t prune_select(const double *weights, int64_t n, double fraction, double below, uint64_t seed, bool *keep);

#endif
