#include "tests/support/ode_twin.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <string.h>

#include "tests/support/reference.h"

#define LONGEST_STEP 0.05 /* ms: no neuron of the tests crosses its threshold twice in one */

typedef struct run {
    ode_twin          *twin;
    double             t, refractory_until;
    gsl_odeiv2_driver *driver;
    bool               refractory;
} run;

static int slope(double t, const double *y, double *dydt, void *user)
{
    run *r = user;
    (void)t;
    r->twin->slope(y, dydt, r->refractory, r->twin->p);
    return GSL_SUCCESS;
}

static void integrate(run *r, double to)
{
    gsl_odeiv2_driver_reset(r->driver);
    while (r->t < to)
        if (gsl_odeiv2_driver_apply(r->driver, &r->t, to, r->twin->y) != GSL_SUCCESS) fail_msg("the independent integration failed at %g ms", r->t);
}

/* The state is above threshold at the end of the step that began at `begin` in the state y: goes to where it is reached. */
static void go_to_crossing(run *r, double begin, const double *y)
{
    double low = begin, high = r->t;
    for (int k = 0; k < 60 && high - low > 1e-14 * high; k++) {
        double middle = (low + high) / 2;
        memcpy(r->twin->y, y, sizeof r->twin->y);
        r->t = begin;
        integrate(r, middle);
        if (r->twin->above(r->twin->y, r->twin->p) >= 0) high = middle;
        else low = middle;
    }
    memcpy(r->twin->y, y, sizeof r->twin->y);
    r->t = begin;
    integrate(r, high);
}

/* @return whether it stopped at a spike */
static bool go(run *r, double to)
{
    while (r->t < to) {
        double begin = r->t, y[ODE_TWIN_MOST], next = r->t + LONGEST_STEP < to ? r->t + LONGEST_STEP : to;
        r->refractory = r->t < r->refractory_until;
        if (r->refractory && next > r->refractory_until) next = r->refractory_until;
        memcpy(y, r->twin->y, sizeof y);
        integrate(r, next);
        if (r->t < r->refractory_until || r->twin->above(r->twin->y, r->twin->p) < 0) continue;
        if (!r->refractory) go_to_crossing(r, begin, y);
        return true;
    }
    return false;
}

int ode_twin_run(ode_twin *twin, double t_end, double *spikes, int most)
{
    run               r = { .twin = twin, .refractory_until = -1 };
    gsl_odeiv2_system system = { slope, NULL, (size_t)twin->n, &r };
    int               n = 0;
    r.driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd, 1e-3, 1e-12, 1e-12);
    for (int k = 0; k <= twin->n_times; k++) {
        double to = k < twin->n_times ? twin->times[k] : t_end;
        while (go(&r, to)) {
            if (n == most) fail_msg("the independent integration has more than %d spikes", most);
            spikes[n++] = r.t;
            twin->spike(twin->y, twin->p);
            r.refractory_until = r.t + twin->t_ref;
        }
        if (k < twin->n_times) twin->input(twin->y, k, twin->p);
    }
    gsl_odeiv2_driver_free(r.driver);
    return n;
}
