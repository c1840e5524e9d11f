#include "sim/model.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <gsl/gsl_roots.h>
#include <stdlib.h>

enum { A, B, C, D, V_TH, V_MIN, I_E, CONSISTENT, N_PARAMS };
static const rv_field params[] = {
    [A] = { "a", "1/ms", 0.02, 0, 1e3, "rate of the recovery variable" },
    [B] = { "b", "1/ms", 0.2, -1e3, 1e3, "sensitivity of U_m to V_m" },
    [C] = { "c", "mV", -65, -1e4, 1e4, "V_m after a spike, below V_th" },
    [D] = { "d", "mV/ms", 8, -1e4, 1e4, "added to U_m by a spike" },
    [V_TH] = { "V_th", "mV", 30, -1e4, 1e4, "spike cut-off" },
    [V_MIN] = { "V_min", "mV", -INFINITY, -INFINITY, 1e4, "lowest V_m" },
    [I_E] = { "I_e", "mV/ms", 0, -1e6, 1e6, "constant input (pA in NEST; one unit is 1 mV/ms)" },
    [CONSISTENT] = { "consistent_integration", "1", 1, 0, 1, "grid timing: 1: forward Euler, input is a jump of V_m; "
                                                             "0: as published: two half steps of V_m, input is a current of one step" },
};

enum { V_M, U_M, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -65, -1e6, 1e6, "membrane potential" },
    [U_M] = { "U_m", "mV/ms", -13, -1e6, 1e6, "recovery variable" },
};

enum { K_A, K_B, K_C, K_D, THETA, FLOOR, DC, STEP, EULER, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[C] >= p[V_TH]) return "c must be below V_th";
    return p[V_MIN] > p[C] ? "V_min must not be above c" : NULL;
}

static const char *no_closed_form(const double *p)
{
    return p[V_MIN] > -INFINITY ? "a lower bound V_min is not defined between events" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    c[K_A] = p[A], c[K_B] = p[B], c[K_C] = p[C], c[K_D] = p[D], c[THETA] = p[V_TH], c[FLOOR] = p[V_MIN];
    c[DC] = p[I_E], c[STEP] = h, c[EULER] = p[CONSISTENT] != 0;
}

static inline double slope_V(double V, double U, double I) { return 0.04 * V * V + 5 * V + 140 - U + I; }

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double h = c[STEP], V = s[V_M], U = s[U_M], I = c[DC] + current, input = ex + in;
    double V_euler = V + h * slope_V(V, U, I) + input, U_euler = U + h * c[K_A] * (c[K_B] * V - U);
    double V_half = V + 0.5 * h * slope_V(V, U, I + input);
    double V_published = V_half + 0.5 * h * slope_V(V_half, U, I + input);
    double U_published = U + h * c[K_A] * (c[K_B] * V_published - U);
    bool   euler = c[EULER] != 0;
    V = euler ? V_euler : V_published, U = euler ? U_euler : U_published;
    V = V < c[FLOOR] ? c[FLOOR] : V;
    bool fired = V >= c[THETA];
    s[V_M] = fired ? c[K_C] : V;
    s[U_M] = fired ? U + c[K_D] : U;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

/* ---- exact timing: GSL's adaptive Runge-Kutta (8, 9) between events, Brent's method on the crossing ---------- */

typedef struct workspace {
    gsl_odeiv2_step    *step;
    gsl_odeiv2_control *control;
    gsl_odeiv2_evolve  *evolve;
    gsl_root_fsolver   *root;
} workspace;

typedef struct flow { /* the equations with their constants; time in ms */
    const double *c;
    double        current;
    workspace    *work;
    double        from[N_STATES];
} flow;

static int derivative(double t, const double *y, double *dydt, void *parameters)
{
    (void)t;
    const flow *f = parameters;
    dydt[V_M] = slope_V(y[V_M], y[U_M], f->c[DC] + f->current);
    dydt[U_M] = f->c[K_A] * (f->c[K_B] * y[V_M] - y[U_M]);
    return isfinite(dydt[V_M]) && isfinite(dydt[U_M]) ? GSL_SUCCESS : GSL_EFAILED; /* then a shorter step is tried */
}

/* Integrates y up to `duration` ms, or until a step of the integrator passes the cut-off; that step began at *begin in
 * the state *before. @return the time reached */
static double integrate(flow *f, double *y, double duration, double *before, double *begin)
{
    gsl_odeiv2_system system = { derivative, NULL, N_STATES, f };
    double            t = 0, h = duration;
    gsl_odeiv2_evolve_reset(f->work->evolve);
    gsl_odeiv2_step_reset(f->work->step);
    while (t < duration && y[V_M] < f->c[THETA]) {
        *begin = t, before[V_M] = y[V_M], before[U_M] = y[U_M];
        if (gsl_odeiv2_evolve_apply(f->work->evolve, f->work->control, f->work->step, &system, &t, duration, &h, y) != GSL_SUCCESS)
            break;
    }
    return t;
}

/* One step of the integrator from f->from; V_m after it, relative to the cut-off. */
static double single_step(flow *f, double length, double *y)
{
    gsl_odeiv2_system system = { derivative, NULL, N_STATES, f };
    double            error[N_STATES];
    y[V_M] = f->from[V_M], y[U_M] = f->from[U_M];
    gsl_odeiv2_step_reset(f->work->step);
    if (length > 0) gsl_odeiv2_step_apply(f->work->step, 0, length, y, error, NULL, NULL, &system);
    return y[V_M] - f->c[THETA];
}

static double above_threshold(double length, void *parameters)
{
    double y[N_STATES];
    return single_step(parameters, length, y);
}

/* The length of the step at whose end V_m is at the cut-off. */
static double locate(flow *f, double longest)
{
    gsl_function function = { above_threshold, f };
    if (gsl_root_fsolver_set(f->work->root, &function, 0, longest) != GSL_SUCCESS) return longest;
    for (int i = 0; i < 100; i++) {
        gsl_root_fsolver_iterate(f->work->root);
        double low = gsl_root_fsolver_x_lower(f->work->root), high = gsl_root_fsolver_x_upper(f->work->root);
        if (gsl_root_test_interval(low, high, 1e-13, 1e-14) == GSL_SUCCESS) break;
    }
    return gsl_root_fsolver_root(f->work->root);
}

static bool advance(const double *c, double *s, double current, double k, double *when, void *work)
{
    flow   f = { .c = c, .current = current, .work = work };
    double begin = 0;
    *when = k;
    double reached = integrate(&f, s, k * c[STEP], f.from, &begin);
    if (s[V_M] < c[THETA]) return false;
    double length = reached > begin ? locate(&f, reached - begin) : 0;
    if (length > 0) single_step(&f, length, s);
    *when = (begin + length) / c[STEP];
    return true;
}

static void close_work(void *work)
{
    workspace *w = work;
    if (!w) return;
    gsl_odeiv2_evolve_free(w->evolve);
    gsl_odeiv2_control_free(w->control);
    gsl_odeiv2_step_free(w->step);
    gsl_root_fsolver_free(w->root);
    free(w);
}

static void *open_work(void)
{
    workspace *w = calloc(1, sizeof *w);
    if (!w) return NULL;
    w->step = gsl_odeiv2_step_alloc(gsl_odeiv2_step_rk8pd, N_STATES);
    w->control = gsl_odeiv2_control_y_new(1e-12, 1e-12);
    w->evolve = gsl_odeiv2_evolve_alloc(N_STATES);
    w->root = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    if (w->step && w->control && w->evolve && w->root) return w;
    close_work(w);
    return NULL;
}

/* Where the flow is faster than time resolves: from anywhere below, V_m is back here within 2.5e-9 ms. */
static const double lowest = -1e10; /* mV */

static int receive(const double *c, double *s, double ex, double in)
{
    s[V_M] = larger(lowest, s[V_M] + ex + in);
    return s[V_M] >= c[THETA];
}

static void fire(const double *c, double *s) { s[V_M] = c[K_C], s[U_M] += c[K_D]; }

const rv_model rv_model_izhikevich = {
    .table = { .kind = RV_NEURONS, .name = "izhikevich", .summary = "two-variable spiking neuron with many firing patterns",
               .equations = "dV_m/dt = 0.04 V_m^2 + 5 V_m + 140 - U_m + I_e + I;  a spike of weight w adds w (mV) to V_m\n"
                            "dU_m/dt = a (b V_m - U_m)\n"
                            "V_m >= V_th:  spike; V_m = c, U_m = U_m + d",
               .reference = "Izhikevich 2003, doi:10.1109/TNN.2003.820440; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = no_closed_form, .prepare = prepare, .sweep = sweep,
    .step = step, .advance = advance, .open_work = open_work, .close_work = close_work, .receive = receive, .fire = fire,
};
