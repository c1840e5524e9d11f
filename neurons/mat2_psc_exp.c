#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, OMEGA, T_REF, TAU_SYN_EX, TAU_SYN_IN, TAU_1, TAU_2, ALPHA_1, ALPHA_2, I_E, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 5, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 100, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [OMEGA] = { "omega", "mV", -51, -1e4, 1e4, "resting threshold" },
    [T_REF] = { "t_ref", "ms", 2, 1e-3, 1e4, "no spike for so long; in grid timing rounded to steps" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 1, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 3, 1e-3, 1e5, "time constant of inhibitory currents" },
    [TAU_1] = { "tau_1", "ms", 10, 1e-3, 1e6, "short time constant of the threshold" },
    [TAU_2] = { "tau_2", "ms", 200, 1e-3, 1e6, "long time constant of the threshold" },
    [ALPHA_1] = { "alpha_1", "mV", 37, -1e4, 1e4, "added to the fast part of the threshold by a spike" },
    [ALPHA_2] = { "alpha_2", "mV", 2, -1e4, 1e4, "added to its slow part" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, I_SYN_EX, I_SYN_IN, V_TH, V_TH_1, V_TH_2, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential, never reset" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [V_TH] = { "V_th", "mV", -51, -1e9, 1e9, "threshold: omega + V_th_1 + V_th_2" },
    [V_TH_1] = { "V_th_1", "mV", 0, -1e9, 1e9, "its fast part" },
    [V_TH_2] = { "V_th_2", "mV", 0, -1e9, 1e9, "its slow part" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999; the rates are h / tau. */
enum { P22, P21_EX, P21_IN, P20, P11_EX, P11_IN, DECAY_1, DECAY_2, ADD_1, ADD_2, REST, THETA, HOLD, DC, RATE_M, RATE_EX, RATE_IN, RATE_1,
       RATE_2, GAIN, N_CONSTANTS };

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[RATE_EX] = h / p[TAU_SYN_EX], c[RATE_IN] = h / p[TAU_SYN_IN], c[GAIN] = h / p[C_M];
    c[RATE_1] = h / p[TAU_1], c[RATE_2] = h / p[TAU_2], c[DECAY_1] = exp(-c[RATE_1]), c[DECAY_2] = exp(-c[RATE_2]);
    c[P22] = exp(-c[RATE_M]), c[P11_EX] = exp(-c[RATE_EX]), c[P11_IN] = exp(-c[RATE_IN]);
    c[P21_EX] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_EX], 1);
    c[P21_IN] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_IN], 1);
    c[P20] = -expm1(-c[RATE_M]) * p[TAU_M] / p[C_M];
    c[REST] = p[E_L], c[THETA] = p[OMEGA], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E], c[ADD_1] = p[ALPHA_1], c[ADD_2] = p[ALPHA_2];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool refractory = s[REFRACTORY] > 0;
    s[V_M] = c[REST] + c[P22] * (s[V_M] - c[REST]) + c[P21_EX] * s[I_SYN_EX] + c[P21_IN] * s[I_SYN_IN] + c[P20] * (c[DC] + current);
    s[I_SYN_EX] = c[P11_EX] * s[I_SYN_EX] + ex;
    s[I_SYN_IN] = c[P11_IN] * s[I_SYN_IN] + in;
    double fast = c[DECAY_1] * s[V_TH_1], slow = c[DECAY_2] * s[V_TH_2];
    bool   fired = !refractory && s[V_M] >= c[THETA] + fast + slow;
    s[V_TH_1] = fired ? fast + c[ADD_1] : fast;
    s[V_TH_2] = fired ? slow + c[ADD_2] : slow;
    s[V_TH] = c[THETA] + s[V_TH_1] + s[V_TH_2];
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
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
    double   none = 0;
    membrane_carry(&m, &none, k);
    s[V_M] = m.V, s[I_SYN_EX] = m.current[0].I, s[I_SYN_IN] = m.current[1].I;
    s[V_TH_1] *= exp(-c[RATE_1] * k), s[V_TH_2] *= exp(-c[RATE_2] * k);
    s[V_TH] = c[THETA] + s[V_TH_1] + s[V_TH_2];
    s[REFRACTORY] = larger(0, s[REFRACTORY] - k);
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    double after[N_STATES], passed = s[REFRACTORY];
    for (int x = 0; x < N_STATES; x++) after[x] = s[x];
    if (passed > 0) carry(c, after, current, passed);
    membrane m = membrane_of(c, after, current);
    membrane_decaying_threshold(&m, after[V_TH_1], c[RATE_1]);
    membrane_decaying_threshold(&m, after[V_TH_2], c[RATE_2]);
    return passed + membrane_crossing(&m, 0, c[THETA], k - passed, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return 0;
}

static void fire(const double *c, double *s)
{
    s[V_TH_1] += c[ADD_1], s[V_TH_2] += c[ADD_2], s[V_TH] = c[THETA] + s[V_TH_1] + s[V_TH_2], s[REFRACTORY] = c[HOLD];
}

const rv_model rv_model_mat2_psc_exp = {
    .table = { .kind = RV_NEURONS, .name = "mat2_psc_exp",
               .summary = "leaky integrator without reset and with a threshold that adapts on two time scales",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_syn_ex + I_syn_in + I_e + I)\n"
                            "dI_syn_x/dt  = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in\n"
                            "V_th = omega + V_th_1 + V_th_2,   dV_th_k/dt = -V_th_k / tau_k\n"
                            "V_m >= V_th:  spike; V_th_k = V_th_k + alpha_k; no other spike for t_ref, V_m goes on",
               .reference = "Kobayashi, Tsubo & Shinomoto 2009, doi:10.3389/neuro.10.009.2009; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
