/* What iaf_cond_exp, iaf_cond_alpha and iaf_cond_beta share: all but the time course of their conductances.
 *
 *   C_m dV_m/dt = -g_L (V_m - E_L) - g_ex (V_m - E_ex) - g_in (V_m - E_in) + I_e + I
 *   V_m >= V_th at the end of a step (in exact timing: when it gets there):  spike; V_m = V_reset for t_ref
 *
 * A file that includes this defines N_STATES first. */
#include "neurons/dynamics.h"
#include "neurons/integrate.h"

enum { V_TH, V_RESET, T_REF, C_M, G_L, E_L, E_EX, E_IN, I_E, N_IAF_COND };
#define IAF_COND_PARAMS                                                                                                \
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },                                                      \
    [V_RESET] = { "V_reset", "mV", -60, -1e4, 1e4, "potential after a spike, below V_th" },                            \
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "refractory period; in grid timing rounded to steps" },                      \
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },                                                   \
    [G_L] = { "g_L", "nS", 16.6667, 0, 1e6, "leak conductance" },                                                      \
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },                                               \
    [E_EX] = { "E_ex", "mV", 0, -1e4, 1e4, "excitatory reversal potential" },                                          \
    [E_IN] = { "E_in", "mV", -85, -1e4, 1e4, "inhibitory reversal potential" },                                        \
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" }

#define IAF_COND_EQUATIONS                                                                                             \
    "C_m dV_m/dt = -g_L (V_m - E_L) - g_ex (V_m - E_ex) - g_in (V_m - E_in) + I_e + I\n"
#define IAF_COND_SPIKE "V_m >= V_th:  spike; V_m = V_reset for t_ref"

enum { V_M };

enum { THETA = N_KINETICS, RESET, RATE_L, DRIVE_L, PER_C, REV_EX, REV_IN, N_CONSTANTS };

static inline const char *iaf_cond_check(const double *p)
{
    if (p[V_RESET] >= p[V_TH]) return "V_reset must be below V_th";
    return p[G_L] > FASTEST * p[C_M] ? DYNAMICS_TOO_FAST : NULL;
}

static inline void iaf_cond_prepare(const double *p, double h, double *c, const double tau[2][2], bool two_stage)
{
    synapses_prepare(c, h, tau, two_stage, -1, FASTEST * p[C_M]);
    c[DC] = p[I_E], c[HOLD] = p[T_REF] / h, c[THETA] = p[V_TH], c[RESET] = p[V_RESET];
    c[PER_C] = 1 / p[C_M], c[RATE_L] = p[G_L] / p[C_M], c[DRIVE_L] = p[G_L] * p[E_L], c[REV_EX] = p[E_EX], c[REV_IN] = p[E_IN];
}

/* V_m counts as V_th where it is above, as in NEST: what comes after a crossing inside a step is the spike's. */
ALWAYS_INLINE void iaf_cond_slope(const double *c, const double *x, double g_ex, double g_in, double current, double *dx)
{
    double V = smaller(x[V_M], c[THETA]);
    dx[V_M] = (c[DRIVE_L] + c[DC] + current - g_ex * (V - c[REV_EX]) - g_in * (V - c[REV_IN])) * c[PER_C] - c[RATE_L] * V;
}

ALWAYS_INLINE int64_t iaf_cond_quick(const dynamics *m, const double *c, double *s, double current, double ex, double in)
{
    const int R = REFRACTORY_OF(m);
    bool      refractory = s[R] > 0;
    double    x[1] = { s[V_M] };
    synapses  y = synapses_load(m, s);
    double    error = dynamics_step(m, c, c[STEP], current, false, x, &y);
    bool      good = dynamics_accurate(error, s[V_M], TOLERANCE) || refractory;
    double    V = refractory ? c[RESET] : x[V_M];
    bool      fired = V >= c[THETA];
    synapses_receive(m, c, &y, good ? ex : 0, good ? in : 0);
    double left = fired ? rint(c[HOLD]) : refractory ? s[R] - 1 : 0;
    V = fired ? c[RESET] : V;
    dynamics_keep(m, s, good, &V, &y, left);
    return good ? (fired ? 1 : 0) : 2;
}

static inline bool iaf_cond_careful(const dynamics *m, const double *c, double *s, double current, double ex, double in)
{
    const int R = REFRACTORY_OF(m);
    stretch   whole = dynamics_stretch(m, c, N_CONSTANTS, s, current);
    dynamics_pass(&whole, c[STEP], false, INFINITY);
    bool fired = !(whole.x[V_M] < c[THETA]);
    if (fired) whole.x[V_M] = c[RESET];
    dynamics_finish(&whole, c, s, ex, in);
    s[R] = fired ? rint(c[HOLD]) : 0;
    return fired;
}

static inline double iaf_cond_above(const flow *f, const double *y) { return y[V_M] - f->c[THETA]; }

#define IAF_COND_HOOKS(TWO_STAGE)                                                                                      \
    static const dynamics own = { .n = 1, .two_stage = TWO_STAGE, .clamps = true, .weight = { 1 }, .divided = TOLERANCE, .slope = iaf_cond_slope }; \
    ALWAYS_INLINE int64_t quick(const double *c, double *s, double current, double ex, double in)                      \
    {                                                                                                                  \
        return iaf_cond_quick(&own, c, s, current, ex, in);                                                            \
    }                                                                                                                  \
    static bool careful(const double *c, double *s, double current, double ex, double in)                              \
    {                                                                                                                  \
        return iaf_cond_careful(&own, c, s, current, ex, in);                                                          \
    }                                                                                                                  \
    RV_SWEEP_CHECKED(sweep, quick, careful, N_STATES, N_CONSTANTS)                                                     \
    DYNAMICS_EXACT_HOOKS(iaf_cond_above)                                                                               \
    static void fire(const double *c, double *s) { s[V_M] = c[RESET], dynamics_fire(&own, c, s); }
