#include "sim/model.h"

enum { C_M, G_L, E_L, DELTA_T, V_PEAK, V_RESET, T_REF, A, B, TAU_W, I_SP, TAU_Z, V_TH_REST, V_TH_MAX, TAU_V_TH, V_CLAMP, T_CLAMP, I_E, N_PARAMS };
static const rv_field params[] = {
    [C_M] = { "C_m", "pF", 281, 1e-3, 1e9, "membrane capacitance" },
    [G_L] = { "g_L", "nS", 30, 1e-6, 1e9, "leak conductance" },
    [E_L] = { "E_L", "mV", -70.6, -1e4, 1e4, "leak potential" },
    [DELTA_T] = { "Delta_T", "mV", 2, 1e-3, 1e3, "slope factor" },
    [V_PEAK] = { "V_peak", "mV", 33, -1e4, 1e4, "V_m at which a spike is emitted" },
    [V_RESET] = { "V_reset", "mV", -60, -1e4, 1e4, "V_m after a spike" },
    [T_REF] = { "t_ref", "ms", 0, 0, 1e6, "V_m stays at V_reset" },
    [A] = { "a", "nS", 4, -1e6, 1e6, "subthreshold adaptation" },
    [B] = { "b", "pA", 80.5, -1e9, 1e9, "added to w by a spike" },
    [TAU_W] = { "tau_w", "ms", 144, 1e-2, 1e9, "time constant of w" },
    [I_SP] = { "I_sp", "pA", 400, -1e9, 1e9, "z after a spike" },
    [TAU_Z] = { "tau_z", "ms", 40, 1e-2, 1e9, "time constant of z" },
    [V_TH_REST] = { "V_th_rest", "mV", -50.4, -1e4, 1e4, "V_th at rest" },
    [V_TH_MAX] = { "V_th_max", "mV", 30.4, -1e4, 1e4, "V_th after a spike" },
    [TAU_V_TH] = { "tau_V_th", "ms", 50, 1e-2, 1e9, "time constant of V_th" },
    [V_CLAMP] = { "V_clamp", "mV", 33, -1e4, 1e4, "V_m during a spike" },
    [T_CLAMP] = { "t_clamp", "ms", 2, 0, 1e3, "how long a spike lasts" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant current" },
};

enum { V_M, W, Z, V_TH, CLAMPED, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70.6, -1e6, 1e6, "membrane potential" },
    [W] = { "w", "pA", 0, -1e9, 1e9, "adaptation current" },
    [Z] = { "z", "pA", 0, -1e9, 1e9, "depolarising current after a spike" },
    [V_TH] = { "V_th", "mV", -50.4, -1e4, 1e4, "threshold" },
    [CLAMPED] = { "clamped", "steps", 0, 0, 1e9, "steps of the spike still to come" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "refractory steps still to come" },
};

enum { K_G, K_E_L, K_DELTA_T, PEAK, RESET, REF_STEPS, K_A, K_B, K_TAU_W, JUMP_Z, K_TAU_Z, REST, JUMP_TH, K_TAU_TH, CLAMP, CLAMP_STEPS, DC, CAPACITY, STEP, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[C_M] / p[G_L] < 1e-2) return "C_m / g_L must not be below 0.01 ms, the parts in which it is integrated";
    if (p[V_RESET] >= p[V_PEAK]) return "V_reset must be below V_peak";
    if (p[V_TH_MAX] < p[V_TH_REST]) return "V_th_max must not be below V_th_rest";
    if (p[V_PEAK] < p[V_TH_REST]) return "V_peak must not be below V_th_rest";
    return (p[V_PEAK] - p[V_TH_REST]) / p[DELTA_T] > 600 ? "V_peak - V_th_rest must not be above 600 Delta_T: the exponential overflows" : NULL;
}

static const char *no_closed_form(const double *p) { return (void)p, "aeif_psc_delta_clopath has no closed form: it is integrated on the grid"; }

static void prepare(const double *p, double h, double *c)
{
    c[K_G] = p[G_L], c[K_E_L] = p[E_L], c[K_DELTA_T] = p[DELTA_T], c[PEAK] = p[V_PEAK], c[RESET] = p[V_RESET], c[REF_STEPS] = rint(p[T_REF] / h);
    c[K_A] = p[A], c[K_B] = p[B], c[K_TAU_W] = p[TAU_W], c[JUMP_Z] = p[I_SP], c[K_TAU_Z] = p[TAU_Z];
    c[REST] = p[V_TH_REST], c[JUMP_TH] = p[V_TH_MAX], c[K_TAU_TH] = p[TAU_V_TH];
    c[CLAMP] = p[V_CLAMP], c[CLAMP_STEPS] = rint(p[T_CLAMP] / h), c[DC] = p[I_E], c[CAPACITY] = p[C_M], c[STEP] = h;
}

/* ---- between two events --------------------------------------------------------------------------------------------- */

enum { N_FLOWING = V_TH + 1 };

static void slopes(const double *c, const double *s, bool clamped, bool held, double current, double *f)
{
    double V = clamped ? c[CLAMP] : held ? c[RESET] : s[V_M] < c[PEAK] ? s[V_M] : c[PEAK];
    double I_spike = c[K_G] * c[K_DELTA_T] * exp((V - s[V_TH]) / c[K_DELTA_T]);
    f[V_M] = clamped || held ? 0 : (-c[K_G] * (V - c[K_E_L]) + I_spike - s[W] + s[Z] + current) / c[CAPACITY];
    f[W] = clamped ? 0 : (c[K_A] * (V - c[K_E_L]) - s[W]) / c[K_TAU_W];
    f[Z] = -s[Z] / c[K_TAU_Z];
    f[V_TH] = -(s[V_TH] - c[REST]) / c[K_TAU_TH];
}

/* The classical Runge-Kutta method of order four over d ms. */
static void integrate(const double *c, double *s, double current, double d)
{
    static const double at[4] = { 0, 0.5, 0.5, 1 }, weight[4] = { 1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6 };
    bool                clamped = s[CLAMPED] > 0, held = s[REFRACTORY] > 0;
    double              f[N_FLOWING] = { 0 }, sum[N_FLOWING] = { 0 }, x[N_FLOWING];
    for (int stage = 0; stage < 4; stage++) {
        for (int k = 0; k < N_FLOWING; k++) x[k] = s[k] + at[stage] * d * f[k];
        slopes(c, x, clamped, held, current, f);
        for (int k = 0; k < N_FLOWING; k++) sum[k] += weight[stage] * f[k];
    }
    for (int k = 0; k < N_FLOWING; k++) s[k] += d * sum[k];
}

/* A spike begins: V_m is held at V_clamp, then falls to V_reset. The step in which this is counts as one more. */
static bool begin_spike(const double *c, double *s)
{
    if (s[V_M] < c[PEAK] || s[CLAMPED] > 0) return false;
    s[V_M] = c[CLAMP_STEPS] > 0 ? c[CLAMP] : c[RESET];
    s[W] += c[K_B], s[Z] = c[JUMP_Z], s[V_TH] = c[JUMP_TH];
    s[CLAMPED] = c[CLAMP_STEPS] > 0 ? c[CLAMP_STEPS] + 1 : 0;
    s[REFRACTORY] = c[CLAMP_STEPS] == 0 && c[REF_STEPS] > 0 ? c[REF_STEPS] + 1 : 0;
    return true;
}

static void end_step(const double *c, double *s)
{
    if (s[CLAMPED] == 1) s[V_M] = c[RESET], s[REFRACTORY] = c[REF_STEPS] > 0 ? c[REF_STEPS] + 1 : 0;
    if (s[CLAMPED] > 0) s[CLAMPED]--;
    if (s[REFRACTORY] > 0) s[V_M] = c[RESET], s[REFRACTORY]--;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    enum { PARTS_PER_MS = 100 };
    int  n = (int)ceil(c[STEP] * PARTS_PER_MS - 1e-9);
    bool fired = false;
    for (int k = 0; k < n; k++) {
        integrate(c, s, c[DC] + current, c[STEP] / n);
        fired = begin_spike(c, s) || fired;
    }
    if (s[CLAMPED] == 0 && s[REFRACTORY] == 0) s[V_M] += ex + in;
    fired = begin_spike(c, s) || fired;
    end_step(c, s);
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_aeif_psc_delta_clopath = {
    .table = { .kind = RV_NEURONS, .name = "aeif_psc_delta_clopath", .summary = "adaptive exponential integrate-and-fire with the shape of a spike, for plasticity that depends on V_m; input is a jump of V_m; grid timing",
               .equations = "C_m dV_m/dt = -g_L (V_m - E_L) + g_L Delta_T exp((V_m - V_th)/Delta_T) - w + z + I_e + I\n"
                            "tau_w dw/dt = a (V_m - E_L) - w;  tau_z dz/dt = -z;  tau_V_th dV_th/dt = -(V_th - V_th_rest)\n"
                            "V_m >= V_peak: spike, V_m = V_clamp for t_clamp (w, if not for the jump, stands still), then V_reset, held for t_ref;\n"
                            "w <- w + b, z <- I_sp, V_th <- V_th_max; input during spike and t_ref is lost\n"
                            "integrated by Runge-Kutta of order four in parts of 0.01 ms; the filtered potentials are kept by the rule (stdp_voltage)",
               .reference = "Brette & Gerstner 2005, doi:10.1152/jn.00686.2005; Badel et al. 2008, doi:10.1152/jn.01107.2007; Clopath et al. 2010, doi:10.1038/nn.2479",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .no_closed_form = no_closed_form, .sweep = sweep, .step = step,
};
