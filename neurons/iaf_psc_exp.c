#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF, TAU_SYN_EX, TAU_SYN_IN, I_E, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },
    [V_RESET] = { "V_reset", "mV", -70, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "refractory period; in grid timing rounded to steps" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 2, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of inhibitory currents" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, I_SYN_EX, I_SYN_IN, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999, LEAK = 1 - P22; the rates are h / tau. */
enum { LEAK, P21_EX, P21_IN, P11_EX, P11_IN, REST, THETA, RESET, HOLD, HOLD_STEPS, DC, RATE_M, RATE_EX, RATE_IN, GAIN, R_M, N_CONSTANTS };

static const char *check(const double *p) { return p[V_RESET] >= p[V_TH] ? "V_reset must be below V_th" : NULL; }

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[RATE_EX] = h / p[TAU_SYN_EX], c[RATE_IN] = h / p[TAU_SYN_IN], c[GAIN] = h / p[C_M];
    c[LEAK] = -expm1(-c[RATE_M]), c[P11_EX] = exp(-c[RATE_EX]), c[P11_IN] = exp(-c[RATE_IN]);
    c[P21_EX] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_EX], 1);
    c[P21_IN] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_IN], 1);
    c[R_M] = p[TAU_M] / p[C_M];
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[HOLD_STEPS] = rint(c[HOLD]), c[DC] = p[I_E];
}

/* What arrives at the end of the step is added to the currents after it: see input_state. */
static inline bool step_without_input(const double *c, double *s, double current)
{
    bool   refractory = s[REFRACTORY] > 0;
    double steady = c[REST] + c[R_M] * (c[DC] + current);
    double V = s[V_M] + (c[LEAK] * (steady - s[V_M]) + (c[P21_EX] * s[I_SYN_EX] + c[P21_IN] * s[I_SYN_IN]));
    V = refractory ? s[V_M] : V;
    s[I_SYN_EX] *= c[P11_EX];
    s[I_SYN_IN] *= c[P11_IN];
    bool   fired = V >= c[THETA];
    double rest = larger(s[REFRACTORY] - 1, 0);
    s[REFRACTORY] = fired ? c[HOLD_STEPS] : rest;
    s[V_M] = fired ? c[RESET] : V;
    return fired;
}
RV_SWEEP_WITHOUT_INPUT(sweep, step_without_input, N_STATES, N_CONSTANTS)

static bool step(const double *c, double *s, double current, double ex, double in)
{
    bool fired = step_without_input(c, s, current);
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return fired;
}

static void set_membrane(membrane *m, const double *c, const double *s, double current)
{
    m->V = s[V_M], m->E = c[REST] + c[R_M] * (c[DC] + current), m->rate = c[RATE_M], m->gain = c[GAIN];
    m->n = 2;
    m->current[0] = (membrane_current){ .I = s[I_SYN_EX], .rate = c[RATE_EX] };
    m->current[1] = (membrane_current){ .I = s[I_SYN_IN], .rate = c[RATE_IN] };
}

static void carry(const double *c, double *s, double current, double k)
{
    membrane m;
    set_membrane(&m, c, s, current);
    membrane_carry(&m, &s[REFRACTORY], k);
    s[V_M] = m.V, s[I_SYN_EX] = m.current[0].I, s[I_SYN_IN] = m.current[1].I;
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    membrane m;
    set_membrane(&m, c, s, current);
    return membrane_crossing(&m, s[REFRACTORY], c[THETA], k, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return 0;
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[REFRACTORY] = c[HOLD]; }

const rv_model rv_model_iaf_psc_exp = {
    .table = { .kind = RV_NEURONS, .name = "iaf_psc_exp",
               .summary = "leaky integrate-and-fire neuron with exponentially decaying synaptic currents",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_syn_ex + I_syn_in + I_e + I)\n"
                            "dI_syn_x/dt  = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in\n"
                            "V_m >= V_th:  spike; V_m = V_reset for t_ref",
               .reference = "Tsodyks, Uziel & Markram 2000; integrated exactly: Rotter & Diesmann 1999, doi:10.1007/s004220050570; "
                            "the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .input_state = { 1 + I_SYN_EX, 1 + I_SYN_IN }, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
