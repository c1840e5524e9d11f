/* What the Hodgkin-Huxley neurons share: hh_psc_alpha and hh_cond_exp_traub. They differ in the rates of their channels.
 *
 *   C_m dV_m/dt = -g_Na m^3 h (V_m - E_Na) - g_K n^4 (V_m - E_K) - g_L (V_m - E_L) + I_syn + I_e + I
 *   dx/dt = alpha_x (1 - x) - beta_x x   for x = m, h, n (Act_m, Inact_h, Act_n)
 *
 * There is no reset: a spike is a maximum of V_m at or above the threshold, outside of t_ref after the spike before. On the
 * grid: a step at whose end V_m is above it and lower than at its beginning. In exact timing: the maximum itself.
 *
 * The rates grow exponentially with V_m and have left all sense by +-150 mV; beyond, they stay what they are there.
 *
 * A file that includes this defines N_STATES first, HH_CONDUCTANCES as true or false, and hh_rates(), HH_THRESHOLD(p). */
#include "neurons/dynamics.h"

enum { T_REF, G_NA, G_K, G_L, C_M, E_NA, E_K, E_L, TAU_SYN_EX, TAU_SYN_IN, I_E, N_HH };

enum { V_M, ACT_M, INACT_H, ACT_N };
#define HH_STATES(V, m, h, n)                                                                                          \
    [V_M] = { "V_m", "mV", V, -1e4, 1e4, "membrane potential" },                                                       \
    [ACT_M] = { "Act_m", "1", m, 0, 1, "activation m of sodium" },                                                     \
    [INACT_H] = { "Inact_h", "1", h, 0, 1, "inactivation h of sodium: 0 where it is inactive" },                       \
    [ACT_N] = { "Act_n", "1", n, 0, 1, "activation n of potassium" }

#define HH_EQUATIONS(I_syn)                                                                                            \
    "C_m dV_m/dt = -g_Na m^3 h (V_m - E_Na) - g_K n^4 (V_m - E_K) - g_L (V_m - E_L) " I_syn " + I_e + I\n"             \
    "dx/dt = alpha_x (1 - x) - beta_x x  for x = m, h, n (Act_m, Inact_h, Act_n)\n"

enum { THETA = N_KINETICS, OFFSET, MAX_NA, MAX_K, MAX_L, REV_NA, REV_K, REV_L, REV_EX, REV_IN, PER_C, N_CONSTANTS };

static inline const char *hh_check(const double *p)
{
    return p[G_NA] + p[G_K] + p[G_L] > FASTEST * p[C_M] ? "g_Na, g_K and g_L together: " DYNAMICS_TOO_FAST : NULL;
}

/** @param sign of what inhibition leaves behind @param reversal of conductances, NULL: currents @param offset of the rates */
static inline void hh_prepare(const double *p, double h, double *c, bool two_stage, double sign, const double *reversal,
                              double threshold, double offset)
{
    const double tau[2][2] = { { p[TAU_SYN_EX], p[TAU_SYN_EX] }, { p[TAU_SYN_IN], p[TAU_SYN_IN] } };
    synapses_prepare(c, h, tau, two_stage, sign, reversal ? FASTEST * p[C_M] : LARGEST_CURRENT);
    c[DC] = p[I_E], c[HOLD] = p[T_REF] / h, c[THETA] = threshold, c[OFFSET] = offset;
    c[MAX_NA] = p[G_NA], c[MAX_K] = p[G_K], c[MAX_L] = p[G_L], c[REV_NA] = p[E_NA], c[REV_K] = p[E_K], c[REV_L] = p[E_L];
    c[REV_EX] = reversal ? reversal[0] : 0, c[REV_IN] = reversal ? reversal[1] : 0, c[PER_C] = 1 / p[C_M];
}

/* x / (1 - exp(-x)) from x and exp(-x); 1 + x/2 + x^2/12 at 0 */
ALWAYS_INLINE double hh_linoid(double x, double exp_minus_x)
{
    double ratio = x / (1 - exp_minus_x);
    return fabs(x) < 1e-3 ? 1 + x * (0.5 + x * (1.0 / 12)) : ratio;
}

typedef struct hh_rate {
    double alpha[3], beta[3]; /* 1/ms: of m, h, n */
} hh_rate;

ALWAYS_INLINE hh_rate hh_rates(double V);

ALWAYS_INLINE void hh_slope(const double *c, const double *x, double ex, double in, double current, double *dx)
{
    double  V = x[V_M], m = x[ACT_M], h = x[INACT_H], n = x[ACT_N], n2 = n * n;
    double  synaptic = HH_CONDUCTANCES ? ex * (c[REV_EX] - V) + in * (c[REV_IN] - V) : ex + in;
    double  ionic = c[MAX_NA] * (m * m * m * h) * (c[REV_NA] - V) + c[MAX_K] * (n2 * n2) * (c[REV_K] - V) + c[MAX_L] * (c[REV_L] - V);
    hh_rate r = hh_rates(larger(-150, smaller(150, V - c[OFFSET])));
    dx[V_M] = (ionic + synaptic + c[DC] + current) * c[PER_C];
    _Pragma("GCC unroll 3") for (int k = 0; k < 3; k++) dx[ACT_M + k] = r.alpha[k] - (r.alpha[k] + r.beta[k]) * x[ACT_M + k];
}

ALWAYS_INLINE int64_t hh_quick(const dynamics *m, const double *c, double *s, double current, double ex, double in)
{
    const int R = REFRACTORY_OF(m);
    double    x[4] = { s[V_M], s[ACT_M], s[INACT_H], s[ACT_N] };
    synapses  y = synapses_load(m, s);
    double    error = dynamics_step(m, c, c[STEP], current, false, x, &y);
    bool      good = dynamics_accurate(error, s[V_M], TOLERANCE), refractory = s[R] > 0;
    bool      spikes = !refractory && x[V_M] >= c[THETA] && x[V_M] < s[V_M];
    synapses_receive(m, c, &y, good ? ex : 0, good ? in : 0);
    dynamics_keep(m, s, good, x, &y, spikes ? rint(c[HOLD]) : refractory ? s[R] - 1 : 0);
    return good ? (spikes ? 1 : 0) : 2;
}

static inline bool hh_careful(const dynamics *m, const double *c, double *s, double current, double ex, double in)
{
    const int R = REFRACTORY_OF(m);
    double    before = s[V_M];
    stretch   whole = dynamics_stretch(m, c, N_CONSTANTS, s, current);
    dynamics_pass(&whole, c[STEP], false, INFINITY);
    bool refractory = s[R] > 0, spikes = !refractory && whole.x[V_M] >= c[THETA] && whole.x[V_M] < before;
    dynamics_finish(&whole, c, s, ex, in);
    s[R] = spikes ? rint(c[HOLD]) : refractory ? s[R] - 1 : 0;
    return spikes;
}

/* At a maximum above the threshold both are positive from then on. */
static inline double hh_above(const flow *f, const double *y)
{
    double dydt[MOST_FLOWING];
    f->slope(f, y, dydt);
    return smaller(y[V_M] - f->c[THETA], -dydt[V_M]);
}

#define HH_HOOKS(TWO_STAGE)                                                                                            \
    static const dynamics own = { .n = 4, .two_stage = TWO_STAGE, .weight = { 1, 100, 100, 100 }, .divided = TOLERANCE, .slope = hh_slope }; \
    ALWAYS_INLINE int64_t quick(const double *c, double *s, double current, double ex, double in)                      \
    {                                                                                                                  \
        return hh_quick(&own, c, s, current, ex, in);                                                                  \
    }                                                                                                                  \
    static bool careful(const double *c, double *s, double current, double ex, double in)                              \
    {                                                                                                                  \
        return hh_careful(&own, c, s, current, ex, in);                                                                \
    }                                                                                                                  \
    RV_SWEEP_CHECKED(sweep, quick, careful, N_STATES, N_CONSTANTS)                                                     \
    DYNAMICS_EXACT_HOOKS(hh_above)                                                                                     \
    static void fire(const double *c, double *s) { dynamics_fire(&own, c, s); }
