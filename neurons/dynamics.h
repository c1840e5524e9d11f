/* Neurons without a closed form, on the grid. Shared by iaf_cond_*, aeif_* and hh_*.
 *
 * Their states are, in this order: V_m and what else has to be integrated; what synapses have left behind (conductances or
 * currents), which decays in closed form; what is left of the refractory period. One step of the resolution h is one step of
 * Butcher's method of order five (Butcher 1964, doi:10.1017/S1446788700023387), whose six slopes lie on quarters of the
 * step, so that five values of the synapses serve it. Weighted as in the composite rule of Simpson the same slopes give a
 * result of order three; the difference of the two is taken as the error, which it exceeds by orders of magnitude.
 *
 * The sweep does that for all neurons at once (RV_SWEEP_CHECKED in sim/model.h). Where the difference is above TOLERANCE, in
 * the upswing of a spike or under a violent input, the neuron is done again in halves, quarters, ... of the step. Nothing
 * depends on other neurons or on the vector unit. */
#ifndef RV_NEURONS_DYNAMICS_H
#define RV_NEURONS_DYNAMICS_H

#include "neurons/integrate.h"
#include "neurons/membrane.h"
#include "sim/exp.h"
#include "sim/model.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* mV between the two results of a step, at most; relative to 100 mV where V_m is larger. */
#define TOLERANCE 1e-4

/* Membranes faster than this are slowed down to it: conductances per C_m, 1/ms. */
#define FASTEST 5e3
#define LARGEST_CURRENT 1e9 /* pA */
#define DYNAMICS_TOO_FAST "conductances may be 5000 C_m / ms at most"

enum { MOST_INTEGRATED = 4, MOST_SYNAPTIC = 4 };

/** The dynamics of a model; a compile-time constant where the sweep uses it. */
typedef struct dynamics {
    int    n;         /* integrated states, V_m first                                          */
    bool   two_stage; /* a synapse has the states x and dx (it rises and decays), or x alone    */
    bool   clamps;    /* V_m rests while refractory                                             */
    double weight[MOST_INTEGRATED]; /* mV per unit: how much an error of each state counts     */
    double divided;   /* tolerance of divided steps, mV                                         */
    /** dx/dt of the integrated states. @param ex, in what the synapses of each kind have left */
    void (*slope)(const double *c, const double *x, double ex, double in, double current, double *dx);
} dynamics;

/* ---- synapses ------------------------------------------------------------------------------------------------- */

/* x decays with tau_rise and is fed by dx, which decays with tau_decay:  dx/dt = dx - x / tau_rise. The first constants of
 * every model: rates, what a unit of weight adds, the largest x, and the propagators over a quarter of a step. */
enum { RISE_EX, RISE_IN, DECAY_EX, DECAY_IN, JUMP_EX, JUMP_IN, LIMIT, STEP, DC, HOLD,
       KEEP_EX, KEEP_IN, FEED_EX, FEED_IN, FADE_EX, FADE_IN, N_KINETICS };

typedef struct synapses {
    double x[2], dx[2]; /* excitatory, inhibitory */
} synapses;

/** Propagators over dt ms into c[KEEP_EX] ... c[FADE_IN]. */
static inline void synapses_prepare_quarter(double *c, double dt)
{
    for (int k = 0; k < 2; k++) {
        c[KEEP_EX + k] = exponential(-dt * c[RISE_EX + k]);
        c[FADE_EX + k] = exponential(-dt * c[DECAY_EX + k]);
        c[FEED_EX + k] = membrane_response_I(c[RISE_EX + k], c[DECAY_EX + k], dt);
    }
}

/** The peak of x after a unit step of dx, inverted: a weight of w then peaks at w. */
static inline double synapses_unit_peak(double tau_rise, double tau_decay)
{
    if (fabs(tau_decay - tau_rise) < 1e-6 * tau_rise) return M_E / sqrt(tau_rise * tau_decay);
    double at = tau_rise * tau_decay / (tau_decay - tau_rise) * log(tau_decay / tau_rise);
    return 1 / membrane_response_I(1 / tau_rise, 1 / tau_decay, at);
}

/** @param tau rise and decay, excitatory then inhibitory, ms; {tau, tau} if there is one
 *  @param sign of what inhibition leaves behind @param limit of x */
static inline void synapses_prepare(double *c, double h, const double tau[2][2], bool two_stage, double sign, double limit)
{
    for (int k = 0; k < 2; k++) {
        c[RISE_EX + k] = 1 / tau[k][0], c[DECAY_EX + k] = 1 / tau[k][1];
        c[JUMP_EX + k] = (k ? sign : 1) * (two_stage ? synapses_unit_peak(tau[k][0], tau[k][1]) : 1);
    }
    c[LIMIT] = limit, c[STEP] = h;
    synapses_prepare_quarter(c, h / 4);
}

ALWAYS_INLINE synapses synapses_load(const dynamics *m, const double *s)
{
    const double *x = s + m->n;
    return m->two_stage ? (synapses){ { x[0], x[2] }, { x[1], x[3] } } : (synapses){ { x[0], x[1] }, { 0, 0 } };
}

ALWAYS_INLINE void synapses_store(const dynamics *m, double *s, const synapses *y)
{
    double *x = s + m->n;
    if (m->two_stage) x[0] = y->x[0], x[1] = y->dx[0], x[2] = y->x[1], x[3] = y->dx[1];
    else x[0] = y->x[0], x[1] = y->x[1];
}

ALWAYS_INLINE void synapses_pass_quarter(const dynamics *m, const double *c, synapses *y)
{
    _Pragma("GCC unroll 2") for (int k = 0; k < 2; k++) {
        y->x[k] = c[KEEP_EX + k] * y->x[k];
        if (m->two_stage) y->x[k] += c[FEED_EX + k] * y->dx[k], y->dx[k] *= c[FADE_EX + k];
    }
}

ALWAYS_INLINE void synapses_receive(const dynamics *m, const double *c, synapses *y, double ex, double in)
{
    double *to = m->two_stage ? y->dx : y->x;
    to[0] += c[JUMP_EX] * ex, to[1] += c[JUMP_IN] * in;
}

/* Beyond the limit V_m follows faster than time resolves. Only where steps are divided: elsewhere nothing is so large. */
static inline void synapses_limit(const double *c, synapses *y)
{
    for (int k = 0; k < 2; k++) {
        double limit = c[LIMIT], slope_limit = limit * c[DECAY_EX + k] * M_E;
        y->x[k] = larger(-limit, smaller(limit, y->x[k]));
        y->dx[k] = larger(-slope_limit, smaller(slope_limit, y->dx[k]));
    }
}

/* ---- one step of Butcher's method ----------------------------------------------------------------------------- */

#define EACH(i, n) _Pragma("GCC unroll 4") for (int i = 0; i < (n); i++)

ALWAYS_INLINE void dynamics_slope(const dynamics *m, const double *c, const double *x, const synapses *y, double current, bool held, double *dx)
{
    m->slope(c, x, y->x[0], y->x[1], current, dx);
    if (m->clamps) dx[0] = held ? 0 : dx[0];
}

/** Carries x and the synapses over h ms; c has the propagators over h/4. @return the error, mV */
ALWAYS_INLINE double dynamics_step(const dynamics *m, const double *c, double h, double current, bool held, double *x, synapses *y)
{
    double    k1[MOST_INTEGRATED], k2[MOST_INTEGRATED], k3[MOST_INTEGRATED], k4[MOST_INTEGRATED], k5[MOST_INTEGRATED],
        k6[MOST_INTEGRATED], at[MOST_INTEGRATED], error = 0;
    const int n = m->n;
    dynamics_slope(m, c, x, y, current, held, k1);
    synapses_pass_quarter(m, c, y);
    EACH(i, n) at[i] = x[i] + h * (0.25 * k1[i]);
    dynamics_slope(m, c, at, y, current, held, k2);
    EACH(i, n) at[i] = x[i] + h * (0.125 * (k1[i] + k2[i]));
    dynamics_slope(m, c, at, y, current, held, k3);
    synapses_pass_quarter(m, c, y);
    EACH(i, n) at[i] = x[i] + h * (k3[i] - 0.5 * k2[i]);
    dynamics_slope(m, c, at, y, current, held, k4);
    synapses_pass_quarter(m, c, y);
    EACH(i, n) at[i] = x[i] + h * (0.1875 * k1[i] + 0.5625 * k4[i]);
    dynamics_slope(m, c, at, y, current, held, k5);
    synapses_pass_quarter(m, c, y);
    EACH(i, n) at[i] = x[i] + h * ((2 * k2[i] - 3 * k1[i] + 12 * (k3[i] - k4[i]) + 8 * k5[i]) * (1.0 / 7));
    dynamics_slope(m, c, at, y, current, held, k6);
    EACH(i, n) {
        x[i] += h * ((7 * (k1[i] + k6[i]) + 32 * (k3[i] + k5[i]) + 12 * k4[i]) * (1.0 / 90));
        if (m->weight[i] != 0) error += m->weight[i] * fabs(k1[i] - 4 * k3[i] + 6 * k4[i] - 4 * k5[i] + k6[i]);
    }
    return h * error * (1.0 / 180);
}

/** Whether an error will do; NaN will not. */
ALWAYS_INLINE bool dynamics_accurate(double error, double V, double tolerance) { return error <= tolerance * larger(1, 0.01 * fabs(V)); }

/* ---- in divided steps ----------------------------------------------------------------------------------------- */

/** A stretch of time inside a step, of one neuron. */
typedef struct stretch {
    const dynamics *m;
    double          c[RV_MAX_CONSTANTS]; /* with the propagators of the current division                             */
    double          current;
    double          x[MOST_INTEGRATED], before[MOST_INTEGRATED]; /* now, and before the last division                 */
    synapses        y, y_before;
    double          division; /* ms: how long that was                                                                  */
} stretch;

/** Carries a stretch over `length` ms, or to the first division at whose end V_m is at or above `stop`.
 *  @return ms that have passed */
double dynamics_pass(stretch *s, double length, bool held, double stop);

/** After dynamics_pass() has stopped: goes back to where V_m is at `stop`. @return ms to go back */
double dynamics_step_back(stretch *s, double stop);

stretch dynamics_stretch(const dynamics *m, const double *c, int n_constants, const double *s, double current);

/** The end of a divided step: stores the states, but for the refractory period; the synapses take their input. */
void dynamics_finish(const stretch *s, const double *c, double *states, double ex, double in);

/* ---- states --------------------------------------------------------------------------------------------------- */

/** The place of the refractory period, the last state. */
#define REFRACTORY_OF(m) ((m)->n + ((m)->two_stage ? 4 : 2))

/** Stores what an undivided step has led to, or leaves all as it was if that is not good. */
ALWAYS_INLINE void dynamics_keep(const dynamics *m, double *s, bool good, const double *x, const synapses *y, double refractory)
{
    double after[MOST_INTEGRATED + MOST_SYNAPTIC + 1];
    EACH(i, m->n) after[i] = x[i];
    synapses_store(m, after, y);
    after[REFRACTORY_OF(m)] = refractory;
    const int n = REFRACTORY_OF(m) + 1;
    _Pragma("GCC unroll 9") for (int i = 0; i < n; i++) s[i] = good ? after[i] : s[i];
}

/* ---- exact timing ----------------------------------------------------------------------------------------------- */

/* ms: in exact timing spikes of one neuron are so far apart at least, whatever drives it, so that time goes on. Within t_ref V_m may
 * be held; where t_ref is shorter than this it is not, the neuron only does not spike. */
#define SHORTEST_INTERVAL 0.01

/** The refractory period begins, in exact timing. Negative: what is left of the shortest interval. */
static inline void dynamics_fire(const dynamics *m, const double *c, double *s)
{
    double shortest = SHORTEST_INTERVAL / c[STEP];
    s[REFRACTORY_OF(m)] = c[HOLD] >= shortest ? c[HOLD] : -shortest;
}

/** The hook of the name; refractory steps pass first. */
bool dynamics_advance(const dynamics *m, double (*above)(const flow *, const double *), const double *c, double *s,
                      double current, double k, double *when, void *work);

/** The hooks advance, open_work and receive of a model whose dynamics are `own`. */
#define DYNAMICS_EXACT_HOOKS(above)                                                                                    \
    static bool advance(const double *c, double *s, double current, double k, double *when, void *work)                \
    {                                                                                                                  \
        return dynamics_advance(&own, above, c, s, current, k, when, work);                                            \
    }                                                                                                                  \
    static void *open_work(void) { return integrate_open(REFRACTORY_OF(&own)); }                                       \
    static int   receive(const double *c, double *s, double ex, double in)                                             \
    {                                                                                                                  \
        synapses y = synapses_load(&own, s);                                                                           \
        synapses_receive(&own, c, &y, ex, in);                                                                         \
        synapses_store(&own, s, &y);                                                                                   \
        return 0;                                                                                                      \
    }

#endif
