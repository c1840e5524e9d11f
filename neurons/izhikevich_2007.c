#include "neurons/integrate.h"
#include "sim/model.h"

#define LARGEST 1e6  /* pA: what synapses may drive; V_m is then faster than time needs to resolve  */
#define LOWEST -1e10 /* mV: from anywhere below, V_m is back here at once                           */

enum { C_M, K, V_R, V_T, V_PEAK, A, B, C, D, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };
static const rv_field params[] = {
    [C_M] = { "C_m", "pF", 100, 1e-3, 1e6, "membrane capacitance" },
    [K] = { "k", "nS/mV", 0.7, 0, 1e6, "curvature of the current-voltage relation" },
    [V_R] = { "V_r", "mV", -60, -1e4, 1e4, "resting potential" },
    [V_T] = { "V_t", "mV", -40, -1e4, 1e4, "instantaneous threshold" },
    [V_PEAK] = { "V_peak", "mV", 35, -1e4, 1e4, "spike cut-off" },
    [A] = { "a", "1/ms", 0.03, 0, 1e3, "rate of the recovery current" },
    [B] = { "b", "nS", -2, -1e6, 1e6, "sensitivity of U_m to V_m" },
    [C] = { "c", "mV", -50, -1e4, 1e4, "V_m after a spike, below V_peak" },
    [D] = { "d", "pA", 100, -1e6, 1e6, "added to U_m by a spike" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 2, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of inhibitory currents" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, U_M, I_SYN_EX, I_SYN_IN, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -60, -1e6, 1e6, "membrane potential" },
    [U_M] = { "U_m", "pA", 0, -1e9, 1e9, "recovery current" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e6, 1e6, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e6, 1e6, "inhibitory synaptic current" },
};

enum { PER_C, CURVE, REST, THRESHOLD, PEAK, K_A, K_B, K_C, K_D, DC, STEP, HALF_EX, HALF_IN, RATE_EX, RATE_IN, N_CONSTANTS };

static const char *check(const double *p) { return p[C] >= p[V_PEAK] ? "c must be below V_peak" : NULL; }

static void prepare(const double *p, double h, double *c)
{
    c[PER_C] = 1 / p[C_M], c[CURVE] = p[K], c[REST] = p[V_R], c[THRESHOLD] = p[V_T], c[PEAK] = p[V_PEAK];
    c[K_A] = p[A], c[K_B] = p[B], c[K_C] = p[C], c[K_D] = p[D], c[DC] = p[I_E], c[STEP] = h;
    c[RATE_EX] = 1 / p[TAU_SYN_EX], c[RATE_IN] = 1 / p[TAU_SYN_IN];
    c[HALF_EX] = exp(-0.5 * h * c[RATE_EX]), c[HALF_IN] = exp(-0.5 * h * c[RATE_IN]);
}

static inline double slope_V(const double *c, double V, double U, double I)
{
    return (c[CURVE] * (V - c[REST]) * (V - c[THRESHOLD]) - U + I) * c[PER_C];
}

static inline double slope_U(const double *c, double V, double U) { return c[K_A] * (c[K_B] * (V - c[REST]) - U); }

static inline double bounded(double I) { return larger(-LARGEST, smaller(LARGEST, I)); }

/* The classical Runge-Kutta method of order four; V_m counts as V_peak where it is above. */
static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double h = c[STEP], V = s[V_M], U = s[U_M], ex_half = s[I_SYN_EX] * c[HALF_EX], in_half = s[I_SYN_IN] * c[HALF_IN];
    double I0 = c[DC] + current + s[I_SYN_EX] + s[I_SYN_IN], I1 = c[DC] + current + ex_half + in_half,
           I2 = c[DC] + current + ex_half * c[HALF_EX] + in_half * c[HALF_IN];
    double V1 = slope_V(c, V, U, I0), U1 = slope_U(c, V, U), at = smaller(V + 0.5 * h * V1, c[PEAK]);
    double V2 = slope_V(c, at, U + 0.5 * h * U1, I1), U2 = slope_U(c, at, U + 0.5 * h * U1);
    at = smaller(V + 0.5 * h * V2, c[PEAK]);
    double V3 = slope_V(c, at, U + 0.5 * h * U2, I1), U3 = slope_U(c, at, U + 0.5 * h * U2);
    at = smaller(V + h * V3, c[PEAK]);
    double V4 = slope_V(c, at, U + h * U3, I2), U4 = slope_U(c, at, U + h * U3);
    V += h / 6 * (V1 + 2 * (V2 + V3) + V4), U += h / 6 * (U1 + 2 * (U2 + U3) + U4);
    s[I_SYN_EX] = bounded(ex_half * c[HALF_EX] + ex);
    s[I_SYN_IN] = bounded(in_half * c[HALF_IN] + in);
    V = V > LOWEST ? V : LOWEST;
    bool fired = V >= c[PEAK];
    s[V_M] = fired ? c[K_C] : V;
    s[U_M] = fired ? U + c[K_D] : U;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void slope(const flow *f, const double *y, double *dydt)
{
    const double *c = f->c;
    dydt[V_M] = slope_V(c, y[V_M], y[U_M], c[DC] + f->current + y[I_SYN_EX] + y[I_SYN_IN]);
    dydt[U_M] = slope_U(c, y[V_M], y[U_M]);
    dydt[I_SYN_EX] = -c[RATE_EX] * y[I_SYN_EX], dydt[I_SYN_IN] = -c[RATE_IN] * y[I_SYN_IN];
}

static double above(const flow *f, const double *y) { return y[V_M] - f->c[PEAK]; }

static bool advance(const double *c, double *s, double current, double k, double *when, void *work)
{
    flow   f = { .n = N_STATES, .slope = slope, .above = above, .c = c, .current = current };
    double elapsed;
    bool   spikes = integrate(&f, s, k * c[STEP], &elapsed, work);
    *when = spikes ? elapsed / c[STEP] : k;
    return spikes;
}

static void *open_work(void) { return integrate_open(N_STATES); }

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] = bounded(s[I_SYN_EX] + ex), s[I_SYN_IN] = bounded(s[I_SYN_IN] + in);
    return 0;
}

static void fire(const double *c, double *s) { s[V_M] = c[K_C], s[U_M] += c[K_D]; }

const rv_model rv_model_izhikevich_2007 = {
    .table = { .kind = RV_NEURONS, .name = "izhikevich_2007",
               .summary = "two-variable spiking neuron in biophysical units: Izhikevich's nine parameters (CARLsim, NeuroML)",
               .equations = "C_m dV_m/dt = k (V_m - V_r) (V_m - V_t) - U_m + I_syn_ex + I_syn_in + I_e + I\n"
                            "dU_m/dt = a (b (V_m - V_r) - U_m)\n"
                            "dI_syn_x/dt = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in, which\n"
                            "are bounded by 1e6 pA\n"
                            "V_m >= V_peak:  spike; V_m = c, U_m = U_m + d.  On the grid: Runge-Kutta of order four",
               .reference = "Izhikevich 2007, Dynamical Systems in Neuroscience, chapter 8, MIT Press, doi:10.7551/mitpress/2526.001.0001; the "
                            "nine-parameter form of CARLsim, doi:10.1109/IJCNN.2018.8489326",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
