/* What the adaptive exponential integrate-and-fire neurons share: aeif_cond_exp, aeif_cond_alpha, aeif_psc_exp,
 * aeif_psc_alpha (Brette & Gerstner 2005, doi:10.1152/jn.00686.2005).
 *
 *   C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th) / Delta_T) + I_syn - w + I_e + I
 *   tau_w dw/dt = a (V_m - E_L) - w
 *   V_m >= V_peak:  spike; V_m = V_reset for t_ref, w = w + b
 *
 * Above V_th, V_m goes to infinity in less than a step, so its reset cannot wait for the step's end: on the grid too the
 * neuron is reset when it gets to V_peak and goes on from there, though its spike counts at the end of the step. There is
 * one spike in a step at most (NEST sends several): if V_m gets to V_peak again it stays there and fires in the next.
 * Delta_T = 0 is the limit of an integrate-and-fire neuron: the exponential term is gone and the spike is at V_th, on the grid at
 * the end of the step.
 *
 * Near the peak the exponential term is all there is, and dV_m/dt grows to 1e10 mV/ms and more. There
 *   u = exp(-(V_m - V_th) / Delta_T)   with   du/dt = -g_L / C_m - u F / (C_m Delta_T),   F the other currents,
 * goes to zero almost on a straight line; so it is u that is integrated for the last part of the way.
 *
 * A file that includes this defines N_STATES first, and AEIF_CONDUCTANCES as true or false. */
#include "neurons/dynamics.h"

enum { V_PEAK, V_TH, V_RESET, T_REF, DELTA_T, A, B, TAU_W, C_M, G_L, E_L, I_E, TAU_SYN_EX, TAU_SYN_IN, N_AEIF };
#define AEIF_PARAMS(kind)                                                                                              \
    [V_PEAK] = { "V_peak", "mV", 0, -1e4, 1e4, "where V_m is reset; not below V_th" },                                 \
    [V_TH] = { "V_th", "mV", -50.4, -1e4, 1e4, "threshold of the upswing" },                                           \
    [V_RESET] = { "V_reset", "mV", -60, -1e4, 1e4, "potential after a spike, below V_peak" },                          \
    [T_REF] = { "t_ref", "ms", 0, 0, 1e4, "refractory period; in grid timing rounded to steps" },                      \
    [DELTA_T] = { "Delta_T", "mV", 2, 0, 1e4, "slope factor; 0: a sharp threshold at V_th" },                          \
    [A] = { "a", "nS", 4, -1e6, 1e6, "adaptation below threshold" },                                                   \
    [B] = { "b", "pA", 80.5, -1e9, 1e9, "added to w by a spike" },                                                     \
    [TAU_W] = { "tau_w", "ms", 144, 1e-2, 1e7, "time constant of adaptation" },                                        \
    [C_M] = { "C_m", "pF", 281, 1e-3, 1e6, "membrane capacitance" },                                                   \
    [G_L] = { "g_L", "nS", 30, 1e-6, 1e6, "leak conductance" },                                                        \
    [E_L] = { "E_L", "mV", -70.6, -1e4, 1e4, "leak (resting) potential" },                                             \
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },                                                   \
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 0.2, 1e-3, 1e5, "time constant of the excitatory " kind },                    \
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of the inhibitory " kind }

enum { V_M, W };
#define AEIF_STATES                                                                                                    \
    [V_M] = { "V_m", "mV", -70.6, -1e4, 1e4, "membrane potential" }, [W] = { "w", "pA", 0, -1e9, 1e9, "adaptation current" }

#define AEIF_EQUATIONS(I_syn)                                                                                          \
    "C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th) / Delta_T) " I_syn " - w + I_e + I\n"               \
    "tau_w dw/dt = a (V_m - E_L) - w\n"
#define AEIF_SPIKE                                                                                                     \
    "V_m >= V_peak (V_th if Delta_T = 0):  spike; V_m = V_reset for t_ref, w = w + b\n"                                \
    "On the grid the reset happens inside the step; one spike in a step, in exact timing one in 0.01 ms, at most"
#define AEIF_REFERENCE                                                                                                 \
    "Brette & Gerstner 2005, doi:10.1152/jn.00686.2005; the model of this name in NEST"

enum { THETA = N_KINETICS, CEILING, PEAK, RESET, SHARPNESS, UPSWING, RATE_L, REST, PER_C, REV_EX, REV_IN, COUPLING, RATE_W,
       KICK, N_CONSTANTS };

static inline const char *aeif_check(const double *p)
{
    if (p[V_PEAK] < p[V_TH]) return "V_peak must not be below V_th";
    if (p[V_RESET] >= p[V_PEAK]) return "V_reset must be below V_peak";
    if (p[DELTA_T] == 0 && p[V_RESET] >= p[V_TH]) return "with Delta_T = 0 V_reset must be below V_th";
    if (p[DELTA_T] > 0 && (p[V_PEAK] - p[V_TH]) / p[DELTA_T] > 600) /* NEST: 663 */
        return "(V_peak - V_th) / Delta_T may be 600 at most: the upswing overflows; use a lower V_peak or a larger Delta_T";
    if (fabs(p[A]) > FASTEST * p[C_M]) return "a may be 5000 C_m / ms at most";
    return p[G_L] > FASTEST * p[C_M] ? DYNAMICS_TOO_FAST : NULL;
}

/** @param reversal of the conductances, excitatory and inhibitory; NULL: the synapses are currents */
static inline void aeif_prepare(const double *p, double h, double *c, bool two_stage, const double *reversal)
{
    const double tau[2][2] = { { p[TAU_SYN_EX], p[TAU_SYN_EX] }, { p[TAU_SYN_IN], p[TAU_SYN_IN] } };
    synapses_prepare(c, h, tau, two_stage, -1, reversal ? FASTEST * p[C_M] : LARGEST_CURRENT);
    c[DC] = p[I_E], c[HOLD] = p[T_REF] / h, c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[CEILING] = p[V_PEAK];
    c[PEAK] = p[DELTA_T] > 0 ? p[V_PEAK] : p[V_TH];
    c[SHARPNESS] = p[DELTA_T] > 0 ? 1 / p[DELTA_T] : 0, c[UPSWING] = p[G_L] * p[DELTA_T];
    c[PER_C] = 1 / p[C_M], c[RATE_L] = p[G_L], c[REST] = p[E_L];
    c[REV_EX] = reversal ? reversal[0] : 0, c[REV_IN] = reversal ? reversal[1] : 0;
    c[COUPLING] = p[A], c[RATE_W] = 1 / p[TAU_W], c[KICK] = p[B];
}

/* All currents but that of the upswing, pA */
ALWAYS_INLINE double aeif_current(const double *c, double V, double w, double ex, double in, double current)
{
    double synaptic = AEIF_CONDUCTANCES ? ex * (c[REV_EX] - V) + in * (c[REV_IN] - V) : ex - in;
    return c[RATE_L] * (c[REST] - V) + synaptic - w + c[DC] + current;
}

ALWAYS_INLINE double aeif_slope_w(const double *c, double V, double w)
{
    return (c[COUPLING] * (V - c[REST]) - w) * c[RATE_W];
}

/* V_m counts as V_peak where it is above, as in NEST. */
ALWAYS_INLINE void aeif_slope(const double *c, const double *x, double ex, double in, double current, double *dx)
{
    double V = smaller(x[V_M], c[CEILING]);
    double upswing = c[UPSWING] * exponential((V - c[THETA]) * c[SHARPNESS]);
    dx[V_M] = (aeif_current(c, V, x[W], ex, in, current) + upswing) * c[PER_C];
    dx[W] = aeif_slope_w(c, V, x[W]);
}

ALWAYS_INLINE int64_t aeif_quick(const dynamics *m, const double *c, double *s, double current, double ex, double in)
{
    const int R = REFRACTORY_OF(m);
    bool      refractory = s[R] > 0, sharp = c[SHARPNESS] == 0;
    double    x[2] = { refractory ? c[RESET] : s[V_M], s[W] };
    synapses  y = synapses_load(m, s);
    double    error = dynamics_step(m, c, c[STEP], current, refractory, x, &y);
    bool      spikes = x[V_M] >= c[PEAK];
    bool      good = dynamics_accurate(error, s[V_M], TOLERANCE) && (sharp || !spikes);
    synapses_receive(m, c, &y, good ? ex : 0, good ? in : 0);
    x[V_M] = spikes ? c[RESET] : x[V_M];
    x[W] = spikes ? x[W] + c[KICK] : x[W];
    dynamics_keep(m, s, good, x, &y, spikes ? rint(c[HOLD]) : refractory ? s[R] - 1 : 0);
    return good ? (spikes ? 1 : 0) : 2;
}

/* ---- the upswing ------------------------------------------------------------------------------------------------ */

/* x[V_M] is u. */
static void aeif_slope_u(const double *c, const double *x, double ex, double in, double current, double *dx)
{
    double lowest = exponential((c[THETA] - c[PEAK]) * c[SHARPNESS]), u = larger(x[V_M], 0.5 * lowest);
    double V = c[THETA] - log(u) / c[SHARPNESS];
    dx[V_M] = -(c[RATE_L] + u * c[SHARPNESS] * aeif_current(c, V, x[W], ex, in, current)) * c[PER_C];
    dx[W] = aeif_slope_w(c, V, x[W]);
}

/* Whether the exponential term is so large that u goes down straight. */
static inline bool aeif_straight(const stretch *s, double V)
{
    const double *c = s->c;
    double        others = fabs(c[RATE_L] * (c[REST] - V)) + fabs(s->x[W]) + fabs(c[DC] + s->current);
    for (int k = 0; k < 2; k++) others += s->y.x[k] * (AEIF_CONDUCTANCES ? fabs(c[REV_EX + k] - V) : 1);
    return c[UPSWING] * exponential((V - c[THETA]) * c[SHARPNESS]) > 1000 * others;
}

/* From somewhere on that line to V_peak, or `length` ms if that comes first. @return ms that have passed */
static inline double aeif_climb(stretch *s, const dynamics *rising, double length, bool *at_peak)
{
    const double *c = s->c;
    double        w = s->x[W], u = exponential((c[THETA] - s->x[V_M]) * c[SHARPNESS]),
           u_peak = exponential((c[THETA] - c[PEAK]) * c[SHARPNESS]), speed = c[RATE_L] * c[PER_C], t = (u - u_peak) / speed;
    synapses y = s->y;
    for (int i = 0; i < 20; i++) { /* Newton's method with the slope of the line; within 1 % of the true one */
        t = larger(0, smaller(t, length));
        s->x[V_M] = u, s->x[W] = w, s->y = y;
        synapses_prepare_quarter(s->c, t / 4);
        dynamics_step(rising, s->c, t, s->current, false, s->x, &s->y);
        double further = (s->x[V_M] - u_peak) / speed;
        *at_peak = t < length || further <= 0;
        if (fabs(further) < 1e-13 || (t >= length && further > 0) || (t <= 0 && further < 0)) break;
        t += further;
    }
    s->x[V_M] = *at_peak ? c[PEAK] : c[THETA] - log(larger(s->x[V_M], u_peak)) / c[SHARPNESS];
    return t;
}

/* To V_peak or over `length` ms. @return ms that have passed */
static inline double aeif_rise(stretch *s, const dynamics *rising, double length, bool *at_peak)
{
    double t = 0, peak = s->c[PEAK], bend = 1 / s->c[SHARPNESS], stop = s->c[THETA] + 10 * bend;
    *at_peak = s->x[V_M] >= peak;
    while (t < length && !*at_peak) {
        stop = smaller(stop, peak);
        t += dynamics_pass(s, length - t, false, stop);
        if (s->x[V_M] >= peak) t -= dynamics_step_back(s, peak), *at_peak = true;
        else if (!(s->x[V_M] >= stop)) break; /* what is no number does not rise */
        else if (aeif_straight(s, s->x[V_M])) t += aeif_climb(s, rising, length - t, at_peak);
        else stop = s->x[V_M] + 2 * bend;
    }
    return smaller(t, length);
}

static inline bool aeif_careful(const dynamics *m, const dynamics *rising, const double *c, double *s, double current, double ex, double in)
{
    double  h = c[STEP], *left = &s[REFRACTORY_OF(m)];
    stretch way = dynamics_stretch(m, c, N_CONSTANTS, s, current);
    bool    spikes = false, again = false;
    if (*left > 0) {
        way.x[V_M] = c[RESET];
        dynamics_pass(&way, h, true, INFINITY);
        *left -= 1;
    } else if (c[SHARPNESS] == 0) {
        dynamics_pass(&way, h, false, INFINITY);
        spikes = way.x[V_M] >= c[PEAK];
        if (spikes) way.x[V_M] = c[RESET], way.x[W] += c[KICK], *left = rint(c[HOLD]);
    } else {
        double t = aeif_rise(&way, rising, h, &spikes);
        if (spikes) {
            way.x[V_M] = c[RESET], way.x[W] += c[KICK], *left = rint(c[HOLD]);
            if (*left > 0) dynamics_pass(&way, h - t, true, INFINITY);
            else t += aeif_rise(&way, rising, h - t, &again);
            if (again) dynamics_pass(&way, h - t, true, INFINITY);
        }
    }
    dynamics_finish(&way, c, s, ex, in);
    return spikes;
}

static inline double aeif_above(const flow *f, const double *y) { return y[V_M] - f->c[PEAK]; }

#define AEIF_HOOKS(TWO_STAGE)                                                                                          \
    static const dynamics own = { .n = 2, .two_stage = TWO_STAGE, .clamps = true, .weight = { 1, 0 }, .divided = 1e-6, .slope = aeif_slope }; \
    static const dynamics rising = { .n = 2, .two_stage = TWO_STAGE, .weight = { 1, 0 }, .slope = aeif_slope_u };      \
    ALWAYS_INLINE int64_t quick(const double *c, double *s, double current, double ex, double in)                      \
    {                                                                                                                  \
        return aeif_quick(&own, c, s, current, ex, in);                                                                \
    }                                                                                                                  \
    static bool careful(const double *c, double *s, double current, double ex, double in)                              \
    {                                                                                                                  \
        return aeif_careful(&own, &rising, c, s, current, ex, in);                                                     \
    }                                                                                                                  \
    RV_SWEEP_CHECKED(sweep, quick, careful, N_STATES, N_CONSTANTS)                                                     \
    DYNAMICS_EXACT_HOOKS(aeif_above)                                                                                   \
    static void fire(const double *c, double *s)                                                                       \
    {                                                                                                                  \
        s[V_M] = c[RESET], s[W] += c[KICK], dynamics_fire(&own, c, s);                                          \
    }
