#include "neurons/membrane.h"
#include "sim/model.h"

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF, I_E, V_MIN, REFRACTORY_INPUT, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },
    [V_RESET] = { "V_reset", "mV", -70, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "refractory period; in grid timing rounded to steps" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
    [V_MIN] = { "V_min", "mV", -INFINITY, -INFINITY, 1e4, "lowest membrane potential" },
    [REFRACTORY_INPUT] = { "refractory_input", "1", 0, 0, 1, "1: input during the refractory period is kept, decaying, "
                                                             "and added at its end; 0: it is lost" },
};

enum { V_M, REFRACTORY, KEPT, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
    [KEPT] = { "kept_input", "mV", 0, -1e9, 1e9, "input kept during the refractory period, as it will be at its end" },
};

enum { P33, P30, REST, THETA, RESET, HOLD, DC, FLOOR, KEEPS, RATE_M, GAIN, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[V_RESET] >= p[V_TH]) return "V_reset must be below V_th";
    return p[V_MIN] > p[V_RESET] ? "V_min must not be above V_reset" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[GAIN] = h / p[C_M];
    c[P33] = exp(-c[RATE_M]), c[P30] = -expm1(-c[RATE_M]) * p[TAU_M] / p[C_M];
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E];
    c[FLOOR] = p[V_MIN], c[KEEPS] = p[REFRACTORY_INPUT] != 0;
}

static inline bool step_with(const double *c, double *s, double current, double input, double kept)
{
    bool   refractory = s[REFRACTORY] > 0;
    double from = s[V_M] + s[KEPT];
    from = from < c[FLOOR] ? c[FLOOR] : from;
    double V = c[REST] + c[P33] * (from - c[REST]) + c[P30] * (c[DC] + current) + input;
    V = V < c[FLOOR] ? c[FLOOR] : V;
    V = refractory ? s[V_M] : V;
    s[KEPT] = refractory ? s[KEPT] + kept : 0;
    bool fired = V >= c[THETA];
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    s[V_M] = fired ? c[RESET] : V;
    return fired;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double input = ex + in;
    double held = s[REFRACTORY] - 1; /* when it arrives, at the end of this step */
    return step_with(c, s, current, input, c[KEEPS] != 0 && input != 0 ? input * exp(-c[RATE_M] * held) : 0);
}

/* The sweep without an exponential in the loop: neurons that lose refractory input are the rule. */
static inline bool step_losing(const double *c, double *s, double current, double ex, double in)
{
    return step_with(c, s, current, ex + in, 0);
}
RV_SWEEP(sweep_losing, step_losing, N_STATES, N_CONSTANTS)
RV_SWEEP(sweep_keeping, step, N_STATES, N_CONSTANTS)

static void sweep(const rv_part *part)
{
    bool keeps = false;
    for (int i = 0; i < (part->per_neuron ? part->n : 1); i++) keeps |= part->constant[KEEPS][i] != 0;
    if (keeps) sweep_keeping(part);
    else sweep_losing(part);
}

static void set_membrane(membrane *m, const double *c, const double *s, double current)
{
    m->V = s[V_M], m->E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), m->rate = c[RATE_M], m->gain = c[GAIN];
    m->n = 0;
}

/* Between events V_m approaches its steady state monotonically, so the lower bound can be applied at the end. */
static void carry(const double *c, double *s, double current, double k)
{
    double held = smaller(s[REFRACTORY], k);
    if (held > 0) s[REFRACTORY] -= held, k -= held;
    if (k <= 0) return;
    s[V_M] = larger(c[FLOOR], s[V_M] + s[KEPT]), s[KEPT] = 0;
    membrane m;
    set_membrane(&m, c, s, current);
    s[V_M] = larger(c[FLOOR], membrane_V(&m, k));
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    membrane m;
    set_membrane(&m, c, s, current);
    m.V = larger(c[FLOOR], m.V + s[KEPT]);
    return membrane_crossing(&m, s[REFRACTORY], c[THETA], k, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    if (s[REFRACTORY] > 0) {
        if (c[KEEPS] != 0) s[KEPT] += (ex + in) * exp(-c[RATE_M] * s[REFRACTORY]);
        return 0;
    }
    s[V_M] = larger(c[FLOOR], larger(c[FLOOR], s[V_M] + s[KEPT]) + ex + in), s[KEPT] = 0;
    return s[V_M] >= c[THETA];
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[REFRACTORY] = c[HOLD], s[KEPT] = 0; }

const rv_model rv_model_iaf_psc_delta = {
    .table = { .kind = RV_NEURONS, .name = "iaf_psc_delta",
               .summary = "leaky integrate-and-fire neuron whose potential jumps at each input spike",
               .equations = "tau_m dV_m/dt = E_L - V_m + (tau_m / C_m) (I_e + I);  a spike of weight w adds w (mV) to V_m\n"
                            "V_m >= V_th:  spike; V_m = V_reset for t_ref",
               .reference = "Stein 1965; integrated exactly: Rotter & Diesmann 1999, doi:10.1007/s004220050570; "
                            "the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
