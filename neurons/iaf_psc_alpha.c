#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF, TAU_SYN_EX, TAU_SYN_IN, I_E, V_MIN, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },
    [V_RESET] = { "V_reset", "mV", -70, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "refractory period; in grid timing rounded to steps" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 2, 1e-3, 1e5, "rise time of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "rise time of inhibitory currents" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
    [V_MIN] = { "V_min", "mV", -INFINITY, -INFINITY, 1e4, "lowest membrane potential" },
};

enum { V_M, I_SYN_EX, DI_SYN_EX, I_SYN_IN, DI_SYN_IN, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [DI_SYN_EX] = { "dI_syn_ex", "pA/ms", 0, -1e9, 1e9, "its auxiliary variable, dI/dt + I/tau_syn_ex" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [DI_SYN_IN] = { "dI_syn_in", "pA/ms", 0, -1e9, 1e9, "its auxiliary variable, dI/dt + I/tau_syn_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999; the rates are h / tau. */
enum { P33, P32_EX, P31_EX, P32_IN, P31_IN, P30, P11_EX, P11_IN, PEAK_EX, PEAK_IN, STEP, REST, THETA, RESET, HOLD, DC,
       FLOOR, RATE_M, RATE_EX, RATE_IN, GAIN, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[V_RESET] >= p[V_TH]) return "V_reset must be below V_th";
    return p[V_MIN] > p[V_RESET] ? "V_min must not be above V_reset" : NULL;
}

static const char *no_closed_form(const double *p)
{
    return p[V_MIN] > -INFINITY ? "a lower bound V_min has no closed form between events" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    double m = c[RATE_M] = h / p[TAU_M], ex = c[RATE_EX] = h / p[TAU_SYN_EX], in = c[RATE_IN] = h / p[TAU_SYN_IN];
    c[GAIN] = h / p[C_M], c[STEP] = h;
    c[P33] = exp(-m), c[P11_EX] = exp(-ex), c[P11_IN] = exp(-in);
    c[P32_EX] = c[GAIN] * membrane_response_I(m, ex, 1), c[P31_EX] = c[GAIN] * h * membrane_response_dI(m, ex, 1);
    c[P32_IN] = c[GAIN] * membrane_response_I(m, in, 1), c[P31_IN] = c[GAIN] * h * membrane_response_dI(m, in, 1);
    c[P30] = -expm1(-m) * p[TAU_M] / p[C_M];
    c[PEAK_EX] = M_E / p[TAU_SYN_EX], c[PEAK_IN] = M_E / p[TAU_SYN_IN]; /* a weight of w peaks at w pA */
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E], c[FLOOR] = p[V_MIN];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0;
    double V = c[REST] + c[P33] * (s[V_M] - c[REST]) + c[P30] * (c[DC] + current) + c[P31_EX] * s[DI_SYN_EX] +
               c[P32_EX] * s[I_SYN_EX] + c[P31_IN] * s[DI_SYN_IN] + c[P32_IN] * s[I_SYN_IN];
    V = V < c[FLOOR] ? c[FLOOR] : V;
    V = refractory ? s[V_M] : V;
    s[I_SYN_EX] = c[P11_EX] * (s[I_SYN_EX] + c[STEP] * s[DI_SYN_EX]);
    s[I_SYN_IN] = c[P11_IN] * (s[I_SYN_IN] + c[STEP] * s[DI_SYN_IN]);
    s[DI_SYN_EX] = c[P11_EX] * s[DI_SYN_EX] + c[PEAK_EX] * ex;
    s[DI_SYN_IN] = c[P11_IN] * s[DI_SYN_IN] + c[PEAK_IN] * in;
    bool fired = V >= c[THETA];
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    s[V_M] = fired ? c[RESET] : V;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void set_membrane(membrane *m, const double *c, const double *s, double current)
{
    m->V = s[V_M], m->E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), m->rate = c[RATE_M], m->gain = c[GAIN];
    m->n = 2;
    m->current[0] = (membrane_current){ s[I_SYN_EX], c[STEP] * s[DI_SYN_EX], c[RATE_EX] };
    m->current[1] = (membrane_current){ s[I_SYN_IN], c[STEP] * s[DI_SYN_IN], c[RATE_IN] };
}

static void carry(const double *c, double *s, double current, double k)
{
    membrane m;
    set_membrane(&m, c, s, current);
    membrane_carry(&m, &s[REFRACTORY], k);
    s[V_M] = m.V;
    s[I_SYN_EX] = m.current[0].I, s[DI_SYN_EX] = m.current[0].dI / c[STEP];
    s[I_SYN_IN] = m.current[1].I, s[DI_SYN_IN] = m.current[1].dI / c[STEP];
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    membrane m;
    set_membrane(&m, c, s, current);
    return membrane_crossing(&m, s[REFRACTORY], c[THETA], k, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    s[DI_SYN_EX] += c[PEAK_EX] * ex, s[DI_SYN_IN] += c[PEAK_IN] * in;
    return 0;
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[REFRACTORY] = c[HOLD]; }

const rv_model rv_model_iaf_psc_alpha = {
    .table = { .kind = RV_NEURONS, .name = "iaf_psc_alpha",
               .summary = "leaky integrate-and-fire neuron with alpha-shaped synaptic currents",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_syn_ex + I_syn_in + I_e + I)\n"
                            "I_syn_x(t)   = w (e t / tau_syn_x) exp(-t / tau_syn_x) after a spike of weight w: peaks at w (pA) after tau_syn_x;\n"
                            "               w > 0 goes to I_syn_ex, w < 0 to I_syn_in\n"
                            "V_m >= V_th:  spike; V_m = V_reset for t_ref",
               .reference = "Rotter & Diesmann 1999, doi:10.1007/s004220050570; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = no_closed_form, .prepare = prepare, .sweep = sweep,
    .step = step, .carry = carry, .crossing = crossing, .receive = receive, .fire = fire,
};
