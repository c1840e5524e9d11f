/* One neuron of the models without a closed form, integrated apart from Ranvier: the equations as NEST's documentation prints them,
 * GSL's Runge-Kutta (8, 9) with errors below 1e-11, crossings bisected. Slow and plain. */
#ifndef RV_TESTS_INTEGRATED_TWIN_H
#define RV_TESTS_INTEGRATED_TWIN_H

#include "sim/ranvier.h"

typedef struct twin_arrival {
    double time, weight; /* ms; nS or pA */
} twin_arrival;

typedef struct integrated_twin {
    int     n_spikes, n_samples;
    double *spike;     /* [n_spikes] ms                                      */
    double *V, *slope; /* [n_samples] V_m at the end of every step, its slope, mV/ms */
} integrated_twin;

/** Runs neuron 0 of a population that has not run, with its parameters, in the timing and resolution of its network.
 *  @param arrival [n] in any order */
integrated_twin *integrated_twin_run(rv_net *net, rv_population population, const twin_arrival *arrival, int n, double duration);
void             integrated_twin_free(integrated_twin *twin);

#endif
