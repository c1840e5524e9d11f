/* A plain second simulator, to compare the engine with. No queue, no segments, no tiles, no threads: every neuron,
 * every step, every synapse, written from the equations of the models and from what the headers promise, as slow and
 * obvious as possible. It shares with the engine the random numbers of sim/random.h and reads what is public:
 * parameters, initial states and synapses; what can only be given (inputs, learning rules, spike times) it is given a
 * second time. */
#ifndef RV_TESTS_TWIN_H
#define RV_TESTS_TWIN_H

#include "sim/ranvier.h"

typedef struct twin_input {
    const char *kind;
    rv_slice    slice;
    double      start, stop;                         /* ms                                    */
    double      rate, weight;                        /* poisson: Hz, unit of the model        */
    double      amplitude, offset, frequency, phase; /* dc and sine: pA, pA, Hz, degrees      */
    double      mean, std, dt;                       /* noise: pA, pA, ms                     */
    double      times[4], amplitudes[4];             /* step: ms, pA                          */
    int         n_steps;
} twin_input;

typedef struct twin_stdp {
    bool   on; /* false: the projection is static */
    double tau_plus, tau_minus, lambda, alpha, mu_plus, mu_minus, Wmax, dendritic_fraction;
} twin_stdp;

/** The spike times of one neuron of a spike_generator, ms. */
typedef struct twin_train {
    rv_population population;
    int64_t       neuron;
    double        times[16];
    int           n;
} twin_train;

/** What cannot be read back from the network. */
typedef struct twin_given {
    twin_input input[8];
    twin_stdp  stdp[16]; /* of the projections, in order */
    twin_train train[64];
    int        n_inputs, n_trains;
} twin_given;

typedef struct twin_spike {
    double  time; /* ms */
    int     population, neuron;
} twin_spike;

typedef struct twin twin;

/** Reads a network that has been compiled but not run. */
twin *twin_read(rv_net *net, const twin_given *given);
void  twin_free(twin *t);

/** Simulates once, from 0 to duration_ms. */
void twin_run(twin *t, double duration_ms);

/** All spikes by (population, neuron, time). @param n result */
const twin_spike *twin_spikes(const twin *t, int *n);

/** A state variable at the end of the run, NAN if the twin does not know it. */
double twin_state(const twin *t, int population, int neuron, const char *name);

/** Weight of the k-th synapse of a projection (from 0): that which a spike arriving at the end of the run would find.
 */
double twin_weight(const twin *t, int projection, int64_t k);

/** The smallest distance from threshold at which a neuron was found to spike or not to spike, mV, until `time_ms`:
 *  below some 1e-11 mV the two simulators may rightly disagree. 0 if, in exact timing, a pre- and a postsynaptic spike
 * met at a synapse at one time to the last digits. */
double twin_margin(const twin *t, double time_ms);

#endif
