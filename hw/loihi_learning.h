/* The integers of Loihi's learning engine, as Lava's fixed-point model has them (tag "fixed_pt", which Lava itself calls
 * bit-approximate): the rules of epochs (sim/epoch.h) run in them where a projection has synapse = "loihi". */
#ifndef RV_HW_LOIHI_LEARNING_H
#define RV_HW_LOIHI_LEARNING_H

#include "sim/rule.h"

extern const rv_arithmetic loihi_learning;

/** A scale mantissa 2^exponent in the registers of the chip: a whole mantissa -8..7, an exponent -7..8.
 *  @return whether there is one */
bool loihi_scale(const rule_product *p, int *mantissa, int *exponent);

/** By how many bits the chip shifts the value of a product right before it is scaled: products of many factors are so many
 *  powers of two smaller than written. And the limit of what a factor and its constant can be together. */
int    loihi_product_shift(const rule_product *p);
double loihi_factor_limit(rule_symbol symbol);

/** A trace (0..127) over one step, rounded up with the probability of the fraction. @param keep the part that is left
 *  @param random in [0, 1) */
double loihi_decay_trace(double keep, double random, double trace);

/** A trace after a spike. The fraction of the impulse has 8 bits, the random number 7 (whole, 0..127): fractions of one half
 *  and more always round up. */
double loihi_add_impulse(double impulse, double random, double trace);

/** x1 after a spike that carries a number, by Lava's GradedSpikeCfg. @param counts set to false where the spike does not count */
double loihi_take_payload(rv_graded_mode mode, double payload, double trace, bool *counts);

#endif
