/* A plain twin of rv_mean_correlation(): every pair, one after the other. */
#ifndef RV_TESTS_PAIRS_H
#define RV_TESTS_PAIRS_H

#include "sim/statistics.h"

double mean_over_pairs(const rv_trains *trains, double bin_ms);

#endif
