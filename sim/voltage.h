/* Membrane potentials for rules that depend on them: filtered values of V_m of every target neuron, and what they were some
 * time ago. Grid timing: the target population is swept, and V_m is read at the end of every step, after a reset; during the
 * next step it counts as constant. What a rule makes of it goes two ways: potentiation is put into the histories of the
 * neurons, like postsynaptic spikes, and synapses meet it when they catch up; depression is kept for every step of the
 * last two longest delays, for the presynaptic spikes that arrive. */
#ifndef RV_SIM_VOLTAGE_H
#define RV_SIM_VOLTAGE_H

#include "sim/rule.h"

typedef struct voltage {
    int64_t step;     /* of the last V_m; -1: none yet                                        */
    int     n;        /* neurons of the part                                                  */
    int64_t delay;    /* steps by which the filtered values are late                          */
    int64_t n_steps;  /* for which depression is kept                                         */
    double *V_m;      /* [n] as it was last                                                   */
    double *filtered; /* [delay + 1][RV_MAX_FILTERED][n] of the last steps: step modulo delay + 1 */
    double *ltp;      /* [n] scratch                                                          */
    double *ltd;      /* [n_steps][n] step modulo n_steps                                     */
} voltage;

/** @param h ms per step @param n_steps depression is kept for @return whether there was memory */
bool voltage_open(voltage *v, const rv_rule *rule, const double *c, double h, int n, int64_t n_steps);
void voltage_close(voltage *v);

/** Keeps depression for more steps from now on. @return whether there was memory */
bool voltage_reserve(voltage *v, int64_t n_steps);

/** The end of a step. @param V_m [n] @return [n] potentiation, 0 where there is none; until the next call */
const double *voltage_step(voltage *v, const rv_rule *rule, const double *c, double h, const double *V_m, int64_t step);

/** The depression of a neuron at a step, that of the last one if it lies ahead, 0 before the first. */
double voltage_depression(const voltage *v, int neuron, double step);

#endif
