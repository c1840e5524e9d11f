/* A kind of synapse is a table and a few functions, like a neuron model: what becomes of the weight it is given, whether it
 * is multiplied with the number a spike carries, and what becomes of the sum of all that arrives at a neuron in a step from
 * one projection with one delay. Chips differ in this; the plain synapse, without a kind, adds weights. The list is in
 * hw/loihi_synapses.c. Grid timing only.
 *
 * The engine works on what is stored: the weight in effect times a constant factor, a power of two. So a shift of the sum
 * costs nothing where it loses no bit. */
#ifndef RV_SIM_SYNAPSE_H
#define RV_SIM_SYNAPSE_H

#include "sim/ranvier.h"
#include "sim/rule.h"

enum { RV_MAX_SYNAPSE_PARAMS = 8 };

typedef struct rv_synapse {
    rv_table table;      /* name, equations, reference, parameters                                            */
    int64_t  max_delay;  /* steps                                                                             */
    bool     whole;      /* weights are whole numbers: those given must be, drawn ones are cut toward zero     */

    /** A sentence if the parameters contradict each other, else NULL. */
    const char *(*check)(const double *p);

    /** Completes the parameters when the weights are known. @param negative, positive: whether there are such weights */
    void (*settle)(double *p, bool negative, bool positive);

    /** The weight in effect, from the one given. */
    double (*weight)(const double *p, double w);

    /** What the engine stores of an effective weight of 1; NULL: 1. */
    double (*factor)(const double *p);

    /** Whether a spike's weight is multiplied with the number the spike carries; NULL: no, a spike is a spike. */
    bool (*graded)(const double *p);

    /** Whether sums of stored weights need to be finished; then finish() turns [n] sums into input. NULL: no. */
    bool (*summed)(const double *p);
    void (*finish)(const double *p, double *sum, int n);

    /** How rules of epochs compute with this kind of synapse; NULL: it does not learn. learn() gives the range of what is
     *  learnt, and the parameters as they were if no bit of the weights given had been lost. */
    const rv_arithmetic *arithmetic;
    void (*learn)(double *p, double *low, double *high);
} rv_synapse;

/** All kinds, NULL at the end. */
extern const rv_synapse *const rv_synapse_kinds[];
const rv_synapse              *rv_synapse_find(const char *name);

#endif
