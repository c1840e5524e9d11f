/* Exact timing without a closed form: GSL's adaptive Runge-Kutta (8, 9) between events, Brent's method on a crossing.
 * Time in ms. */
#ifndef RV_NEURONS_INTEGRATE_H
#define RV_NEURONS_INTEGRATE_H

#include <stdbool.h>

enum { MOST_FLOWING = 10 };

/** The equations of one neuron with their constants. */
typedef struct flow flow;
struct flow {
    int n; /* variables */
    void (*slope)(const flow *f, const double *y, double *dydt);

    /** Continuous, and negative until the neuron spikes. */
    double (*above)(const flow *f, const double *y);

    const double *c;
    double        current;
    const void   *model; /* what slope() may want besides */
    bool          silent; /* above() is not asked */
    bool          held;   /* for slope(): y[0] rests */
};

void *integrate_open(int n);
void  integrate_close(void *work);

/** Integrates y up to `duration` ms, or to the first time at which above() reaches zero, found to 1e-13 ms. A crossing that is
 *  left again within a step of the integrator is found where y[0] has one maximum in it.
 *  @param work of integrate_open(n) @return whether it stopped there; after *elapsed ms */
bool integrate(const flow *f, double *y, double duration, double *elapsed, void *work);

#endif
