/* An independent neuron for tests: equations as written, integrated by GSL's Runge-Kutta (8, 9) at a tolerance of 1e-12 between
 * events; threshold crossings by bisection of the last step. Slow and plain. */
#ifndef RV_TESTS_ODE_TWIN_H
#define RV_TESTS_ODE_TWIN_H

#include <stdbool.h>

enum { ODE_TWIN_MOST = 16 };

typedef struct ode_twin {
    int n; /* variables */
    /** dy/dt, while refractory or not. */
    void (*slope)(const double *y, double *dydt, bool refractory, const void *p);
    /** Reaches 0 from below at a spike; not asked while refractory. */
    double (*above)(const double *y, const void *p);
    void (*spike)(double *y, const void *p);
    /** What input k does. */
    void (*input)(double *y, int k, const void *p);
    double        t_ref; /* ms */
    const void   *p;
    const double *times; /* [n_times] of the inputs, ms, ascending */
    int           n_times;
    double        y[ODE_TWIN_MOST];
} ode_twin;

/** Runs to t_end (ms) from 0. @param spikes result, [most] @return their number */
int ode_twin_run(ode_twin *twin, double t_end, double *spikes, int most);

#endif
