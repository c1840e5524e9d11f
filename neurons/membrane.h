/* The passive membrane under exponentially decaying currents, solved in closed form. Shared by the linear models.
 *
 *   tau_m dV/dt = E - V + (tau_m / C_m) sum_x I_x(t),   I_x(t) = (I_x + dI_x t) exp(-t / tau_x)
 *
 * E is the steady state under the constant currents. Time t is counted in steps of the resolution. The solution and its
 * removable singularities at tau_x = tau_m: Rotter & Diesmann 1999, doi:10.1007/s004220050570. */
#ifndef RV_NEURONS_MEMBRANE_H
#define RV_NEURONS_MEMBRANE_H

#include <stdbool.h>

typedef struct membrane_current {
    double I;    /* pA          */
    double dI;   /* pA per step */
    double rate; /* h / tau_x   */
} membrane_current;

enum { MEMBRANE_CURRENTS = 8 };

typedef struct membrane {
    double           V;             /* mV at t = 0                                              */
    double           E;             /* mV, steady state                                         */
    double           rate;          /* h / tau_m                                                */
    double           gain;          /* h / C_m, mV per pA and step                              */
    int              n;             /* currents                                                 */
    membrane_current current[MEMBRANE_CURRENTS];
} membrane;

/** The response of V to unit I and to unit dI after t steps, in units of the gain; stable for all pairs of rates. */
double membrane_response_I(double rate_m, double rate_x, double t);
double membrane_response_dI(double rate_m, double rate_x, double t);

/** A threshold V_th + theta exp(-rate t): seen from it, W = V - theta exp(-rate t), the threshold V_th stands still, and its decay is
 *  one more exponential current. V becomes W, for membrane_crossing(). */
void membrane_decaying_threshold(membrane *m, double theta, double rate);

double membrane_V(const membrane *m, double t);

/** Carries the membrane over t steps: V and both parts of the currents become those at t. V is held for what is left of
 *  the refractory period, in steps, which passes meanwhile. */
void membrane_carry(membrane *m, double *refractory, double t);

/** The first time in (0, t_end] at which V reaches V_th, after the refractory period. None is missed: the search advances
 *  only over times within which even the largest drive could not lift V to the threshold, and converges quadratically onto
 *  a crossing. The result does not depend on t_end, which only cuts the search short.
 *  @param found whether a crossing was found @return its time; else a time before which there is none, INFINITY if never */
double membrane_crossing(const membrane *m, double refractory, double V_th, double t_end, bool *found);

#endif
