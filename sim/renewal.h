/* Renewal processes: independent intervals, each a dead time and a part with a gamma distribution. */
#ifndef RV_SIM_RENEWAL_H
#define RV_SIM_RENEWAL_H

#include <stdbool.h>

#include "sim/random.h"

/** So many blocks of random numbers belong to one interval; few draw more than two. */
enum { RENEWAL_BLOCKS = 64 };

/** An interval in units of its mean. @param dead of it, 0 to 1 @param shape of the gamma distribution; 1: exponential
 *  @param first what a stationary process has left of the interval that is under way: a uniform part of one drawn in proportion
 *  to its length (Cox 1962, Renewal Theory, chapter 5) */
double renewal_interval(rv_random *random, double dead, double shape, bool first);

#endif
