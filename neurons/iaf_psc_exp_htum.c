#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF_ABS, T_REF_TOT, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },
    [V_RESET] = { "V_reset", "mV", -70, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF_ABS] = { "t_ref_abs", "ms", 2, 0, 1e4, "V_m is held for so long; in grid timing rounded to steps" },
    [T_REF_TOT] = { "t_ref_tot", "ms", 2, 1e-3, 1e4, "no spike for so long, not below t_ref_abs; likewise" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 2, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of inhibitory currents" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, I_SYN_EX, I_SYN_IN, HELD, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [HELD] = { "held", "steps", 0, 0, 1e9, "what is left of the absolute refractory period" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the total refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999; the rates are h / tau. */
enum { P22, P21_EX, P21_IN, P20, P11_EX, P11_IN, REST, THETA, RESET, HOLD, HOLD_ALL, DC, RATE_M, RATE_EX, RATE_IN, GAIN, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[V_RESET] >= p[V_TH]) return "V_reset must be below V_th";
    return p[T_REF_ABS] > p[T_REF_TOT] ? "t_ref_abs must not be above t_ref_tot" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[RATE_EX] = h / p[TAU_SYN_EX], c[RATE_IN] = h / p[TAU_SYN_IN], c[GAIN] = h / p[C_M];
    c[P22] = exp(-c[RATE_M]), c[P11_EX] = exp(-c[RATE_EX]), c[P11_IN] = exp(-c[RATE_IN]);
    c[P21_EX] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_EX], 1);
    c[P21_IN] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_IN], 1);
    c[P20] = -expm1(-c[RATE_M]) * p[TAU_M] / p[C_M];
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[DC] = p[I_E];
    c[HOLD] = p[T_REF_ABS] / h, c[HOLD_ALL] = p[T_REF_TOT] / h;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   held = s[HELD] > 0, refractory = s[REFRACTORY] > 0;
    double V = c[REST] + c[P22] * (s[V_M] - c[REST]) + c[P21_EX] * s[I_SYN_EX] + c[P21_IN] * s[I_SYN_IN] + c[P20] * (c[DC] + current);
    V = held ? s[V_M] : V;
    s[I_SYN_EX] = c[P11_EX] * s[I_SYN_EX] + ex;
    s[I_SYN_IN] = c[P11_IN] * s[I_SYN_IN] + in;
    bool fired = !refractory && V >= c[THETA];
    s[HELD] = fired ? rint(c[HOLD]) : held ? s[HELD] - 1 : 0;
    s[REFRACTORY] = fired ? rint(c[HOLD_ALL]) : refractory ? s[REFRACTORY] - 1 : 0;
    s[V_M] = fired ? c[RESET] : V;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static membrane membrane_of(const double *c, const double *s, double current)
{
    return (membrane){ .V = s[V_M], .E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), .rate = c[RATE_M], .gain = c[GAIN], .n = 2,
                       .current = { { .I = s[I_SYN_EX], .rate = c[RATE_EX] }, { .I = s[I_SYN_IN], .rate = c[RATE_IN] } } };
}

static void carry(const double *c, double *s, double current, double k)
{
    membrane m = membrane_of(c, s, current);
    membrane_carry(&m, &s[HELD], k);
    s[V_M] = m.V, s[I_SYN_EX] = m.current[0].I, s[I_SYN_IN] = m.current[1].I;
    s[REFRACTORY] = larger(0, s[REFRACTORY] - k);
}

/* V_m may be above threshold when the total refractory period ends: then it fires at once. */
static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    membrane m = membrane_of(c, s, current);
    double   held = s[HELD], passed = s[REFRACTORY];
    if (passed > 0) membrane_carry(&m, &held, passed);
    return passed + membrane_crossing(&m, 0, c[THETA], k - passed, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return 0;
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[HELD] = c[HOLD], s[REFRACTORY] = c[HOLD_ALL]; }

const rv_model rv_model_iaf_psc_exp_htum = {
    .table = { .kind = RV_NEURONS, .name = "iaf_psc_exp_htum",
               .summary = "iaf_psc_exp with an absolute and a total refractory period",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_syn_ex + I_syn_in + I_e + I)\n"
                            "dI_syn_x/dt  = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in\n"
                            "V_m >= V_th:  spike; V_m = V_reset for t_ref_abs; no other spike for t_ref_tot",
               .reference = "Tsodyks, Uziel & Markram 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000; Hill & Tononi 2005, "
                            "doi:10.1152/jn.00915.2004; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
