#include "neurons/integrate.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct workspace {
    gsl_odeiv2_step    *step;
    gsl_odeiv2_control *control;
    gsl_odeiv2_evolve  *evolve;
    gsl_root_fsolver   *root;
} workspace;

/* A step of the integrator, which can be made again with another length. */
typedef struct leap {
    const flow *f;
    workspace  *work;
    double      from[MOST_FLOWING];
} leap;

static int derivative(double t, const double *y, double *dydt, void *parameters)
{
    (void)t;
    const flow *f = parameters;
    f->slope(f, y, dydt);
    for (int i = 0; i < f->n; i++)
        if (!isfinite(dydt[i])) return GSL_EFAILED; /* then a shorter step is tried */
    return GSL_SUCCESS;
}

static void leap_over(const leap *l, double length, double *y)
{
    gsl_odeiv2_system system = { derivative, NULL, (size_t)l->f->n, (void *)l->f };
    double            error[MOST_FLOWING];
    memcpy(y, l->from, (size_t)l->f->n * sizeof *y);
    gsl_odeiv2_step_reset(l->work->step);
    if (length > 0) gsl_odeiv2_step_apply(l->work->step, 0, length, y, error, NULL, NULL, &system);
}

static double above_after(double length, void *parameters)
{
    const leap *l = parameters;
    double      y[MOST_FLOWING];
    leap_over(l, length, y);
    return l->f->above(l->f, y);
}

/* dV/dt, whose root is an extremum of V */
static double slope_after(double length, void *parameters)
{
    const leap *l = parameters;
    double      y[MOST_FLOWING], dydt[MOST_FLOWING];
    leap_over(l, length, y);
    l->f->slope(l->f, y, dydt);
    return dydt[0];
}

/* The length in (0, longest] at whose end the function is zero. */
static double locate(leap *l, double (*of)(double, void *), double longest)
{
    gsl_function function = { of, l };
    if (gsl_root_fsolver_set(l->work->root, &function, 0, longest) != GSL_SUCCESS) return longest;
    for (int i = 0; i < 100; i++) {
        gsl_root_fsolver_iterate(l->work->root);
        double low = gsl_root_fsolver_x_lower(l->work->root), high = gsl_root_fsolver_x_upper(l->work->root);
        if (gsl_root_test_interval(low, high, 1e-13, 1e-14) == GSL_SUCCESS) break;
    }
    return gsl_root_fsolver_root(l->work->root);
}

/* Whether a step that ended below the threshold has been above it: then *length is that of a step to the maximum. */
static bool peaked(leap *l, const double *y, double *length)
{
    if (!(slope_after(0, l) > 0)) return false;
    double dydt[MOST_FLOWING];
    l->f->slope(l->f, y, dydt);
    if (!(dydt[0] < 0)) return false;
    double to_peak = locate(l, slope_after, *length);
    if (above_after(to_peak, l) < 0) return false;
    *length = to_peak;
    return true;
}

bool integrate(const flow *f, double *y, double duration, double *elapsed, void *work)
{
    leap              l = { .f = f, .work = work };
    gsl_odeiv2_system system = { derivative, NULL, (size_t)f->n, (void *)f };
    double            t = 0, h = duration, begin;
    gsl_odeiv2_evolve_reset(l.work->evolve);
    gsl_odeiv2_step_reset(l.work->step);
    *elapsed = 0;
    if (!f->silent && f->above(f, y) >= 0) return true;
    while (t < duration) {
        begin = t;
        memcpy(l.from, y, (size_t)f->n * sizeof *y);
        if (gsl_odeiv2_evolve_apply(l.work->evolve, l.work->control, l.work->step, &system, &t, duration, &h, y) != GSL_SUCCESS) break;
        double length = t - begin;
        if (f->silent || length <= 0 || (f->above(f, y) < 0 && !peaked(&l, y, &length))) continue;
        length = locate(&l, above_after, length);
        leap_over(&l, length, y);
        *elapsed = begin + length;
        return true;
    }
    *elapsed = duration;
    return false;
}

void integrate_close(void *work)
{
    workspace *w = work;
    if (!w) return;
    gsl_odeiv2_evolve_free(w->evolve);
    gsl_odeiv2_control_free(w->control);
    gsl_odeiv2_step_free(w->step);
    gsl_root_fsolver_free(w->root);
    free(w);
}

void *integrate_open(int n)
{
    workspace *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->step = gsl_odeiv2_step_alloc(gsl_odeiv2_step_rk8pd, (size_t)n);
    w->control = gsl_odeiv2_control_y_new(1e-12, 1e-12);
    w->evolve = gsl_odeiv2_evolve_alloc((size_t)n);
    w->root = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (w->step && w->control && w->evolve && w->root) return w;
    integrate_close(w);
    return NULL;
}
