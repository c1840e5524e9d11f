#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF, TAU_SYN_EX, TAU_SYN_IN, THETA_PLUS, TAU_THETA, I_E, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 100, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 100, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -65, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -52, -1e4, 1e4, "spike threshold where theta is 0" },
    [V_RESET] = { "V_reset", "mV", -65, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF] = { "t_ref", "ms", 5, 0, 1e4, "refractory period; in grid timing rounded to steps" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 1, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of inhibitory currents" },
    [THETA_PLUS] = { "theta_plus", "mV", 0.05, 0, 1e4, "added to theta by a spike" },
    [TAU_THETA] = { "tau_theta", "ms", 1e7, 1e-3, 1e12, "time constant of theta" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, I_SYN_EX, I_SYN_IN, THETA, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -65, -1e4, 1e4, "membrane potential" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [THETA] = { "theta", "mV", 0, 0, 1e9, "what the threshold has risen above V_th" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999; the rates are h / tau. */
enum { P22, P21_EX, P21_IN, P20, P11_EX, P11_IN, DECAY, ADD, REST, LOWEST, RESET, HOLD, DC, RATE_M, RATE_EX, RATE_IN, RATE_THETA, GAIN, N_CONSTANTS };

static const char *check(const double *p) { return p[V_RESET] >= p[V_TH] ? "V_reset must be below V_th" : NULL; }

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[RATE_EX] = h / p[TAU_SYN_EX], c[RATE_IN] = h / p[TAU_SYN_IN], c[RATE_THETA] = h / p[TAU_THETA], c[GAIN] = h / p[C_M];
    c[P22] = exp(-c[RATE_M]), c[P11_EX] = exp(-c[RATE_EX]), c[P11_IN] = exp(-c[RATE_IN]), c[DECAY] = exp(-c[RATE_THETA]);
    c[P21_EX] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_EX], 1);
    c[P21_IN] = c[GAIN] * membrane_response_I(c[RATE_M], c[RATE_IN], 1);
    c[P20] = -expm1(-c[RATE_M]) * p[TAU_M] / p[C_M];
    c[REST] = p[E_L], c[LOWEST] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E], c[ADD] = p[THETA_PLUS];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0;
    double V = c[REST] + c[P22] * (s[V_M] - c[REST]) + c[P21_EX] * s[I_SYN_EX] + c[P21_IN] * s[I_SYN_IN] + c[P20] * (c[DC] + current);
    double theta = c[DECAY] * s[THETA];
    s[I_SYN_EX] = c[P11_EX] * s[I_SYN_EX] + ex;
    s[I_SYN_IN] = c[P11_IN] * s[I_SYN_IN] + in;
    bool fired = !refractory && V >= c[LOWEST] + theta;
    s[THETA] = fired ? theta + c[ADD] : theta;
    s[V_M] = fired ? c[RESET] : refractory ? s[V_M] : V;
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void set_membrane(membrane *m, const double *c, const double *s, double current)
{
    m->V = s[V_M], m->E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), m->rate = c[RATE_M], m->gain = c[GAIN];
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
    s[THETA] *= exp(-c[RATE_THETA] * k);
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    membrane m;
    set_membrane(&m, c, s, current);
    double   held = s[REFRACTORY], passed = held;
    if (passed > 0) membrane_carry(&m, &held, passed);
    membrane_decaying_threshold(&m, s[THETA] * exp(-c[RATE_THETA] * passed), c[RATE_THETA]);
    return passed + membrane_crossing(&m, 0, c[LOWEST], k - passed, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return 0;
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[THETA] += c[ADD], s[REFRACTORY] = c[HOLD]; }

const rv_model rv_model_iaf_psc_exp_adaptive = {
    .table = { .kind = RV_NEURONS, .name = "iaf_psc_exp_adaptive",
               .summary = "iaf_psc_exp with a threshold that every spike raises: homeostasis of the rate",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_syn_ex + I_syn_in + I_e + I)\n"
                            "dI_syn_x/dt  = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in\n"
                            "dtheta/dt    = -theta / tau_theta\n"
                            "V_m >= V_th + theta:  spike; V_m = V_reset for t_ref, theta = theta + theta_plus",
               .reference = "the threshold of Diehl & Cook 2015, doi:10.3389/fncom.2015.00099, whose neurons have conductances; "
                            "without theta the model iaf_psc_exp of NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
