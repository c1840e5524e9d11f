#include "neurons/escape.h"
#include "neurons/membrane.h"
#include "sim/exp.h"
#include "sim/model.h"

/* What NEST gives as lists has a number: q_stc_1 ... q_stc_3. Those not needed stay at q = 0. */
enum { N_STC = 3, N_SFA = 3 };
#define SHORTEST_DEAD_TIME 1e-3 /* ms, in exact timing: there a neuron whose hazard has no bound would never get on */

enum { C_M, T_REF, V_RESET, E_L, G_L, I_E, TAU_SYN_EX, TAU_SYN_IN, DELTA_V, LAMBDA_0, V_T_STAR, Q_STC, TAU_STC = Q_STC + N_STC,
       Q_SFA = TAU_STC + N_STC, TAU_SFA = Q_SFA + N_SFA, N_PARAMS = TAU_SFA + N_SFA };
static const rv_field params[] = {
    [C_M] = { "C_m", "pF", 80, 1e-3, 1e6, "membrane capacitance" },
    [T_REF] = { "t_ref", "ms", 4, 0, 1e4, "refractory period; in grid timing rounded to steps, in exact timing 0.001 at least" },
    [V_RESET] = { "V_reset", "mV", -55, -1e4, 1e4, "potential after a spike" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [G_L] = { "g_L", "nS", 4, 1e-6, 1e6, "leak conductance" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 2, 1e-3, 1e5, "time constant of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of inhibitory currents" },
    [DELTA_V] = { "Delta_V", "mV", 0.5, 1e-6, 1e4, "how unsharp the threshold is" },
    [LAMBDA_0] = { "lambda_0", "Hz", 1, 0, 1e9, "hazard where V_m is at the threshold" },
    [V_T_STAR] = { "V_T_star", "mV", -35, -1e4, 1e4, "resting threshold" },
    [Q_STC] = { "q_stc_1", "pA", 0, -1e9, 1e9, "added to the first spike-triggered current by a spike; positive ones hyperpolarise" },
    { "q_stc_2", "pA", 0, -1e9, 1e9, "to the second" },
    { "q_stc_3", "pA", 0, -1e9, 1e9, "to the third" },
    [TAU_STC] = { "tau_stc_1", "ms", 10, 1e-3, 1e6, "time constant of the first spike-triggered current" },
    { "tau_stc_2", "ms", 100, 1e-3, 1e6, "of the second" },
    { "tau_stc_3", "ms", 1000, 1e-3, 1e6, "of the third" },
    [Q_SFA] = { "q_sfa_1", "mV", 0, -1e6, 1e6, "added to the first moving part of the threshold by a spike" },
    { "q_sfa_2", "mV", 0, -1e6, 1e6, "to the second" },
    { "q_sfa_3", "mV", 0, -1e6, 1e6, "to the third" },
    [TAU_SFA] = { "tau_sfa_1", "ms", 10, 1e-3, 1e6, "time constant of the first moving part of the threshold" },
    { "tau_sfa_2", "ms", 100, 1e-3, 1e6, "of the second" },
    { "tau_sfa_3", "ms", 1000, 1e-3, 1e6, "of the third" },
};

enum { V_M, I_SYN_EX, I_SYN_IN, STC, SFA = STC + N_STC, E_SFA = SFA + N_SFA, I_STC, LEFT, DRAWN, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [STC] = { "stc_1", "pA", 0, -1e12, 1e12, "first spike-triggered current" },
    { "stc_2", "pA", 0, -1e12, 1e12, "second" },
    { "stc_3", "pA", 0, -1e12, 1e12, "third" },
    [SFA] = { "sfa_1", "mV", 0, -1e9, 1e9, "first moving part of the threshold" },
    { "sfa_2", "mV", 0, -1e9, 1e9, "second" },
    { "sfa_3", "mV", 0, -1e9, 1e9, "third" },
    [E_SFA] = { "E_sfa", "mV", -35, -1e9, 1e9, "threshold V_T: V_T_star and the moving parts" },
    [I_STC] = { "I_stc", "pA", 0, -1e12, 1e12, "sum of the spike-triggered currents" },
    [LEFT] = { "hazard_left", "1", 1, 0, 100, "hazard to be gone through until the next spike" },
    [DRAWN] = { "drawn", "1", 0, 0, 2.6e8, "spikes drawn so far" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators over one step, named as in Rotter & Diesmann 1999; the rates are h / tau. */
enum { P33, P31_EX, P31_IN, P30, P11_EX, P11_IN, P31_STC, DECAY_STC = P31_STC + N_STC, RATE_STC = DECAY_STC + N_STC, ADD_STC = RATE_STC + N_STC,
       DECAY_SFA = ADD_STC + N_STC, RATE_SFA = DECAY_SFA + N_SFA, ADD_SFA = RATE_SFA + N_SFA, REST = ADD_SFA + N_SFA, THETA, RESET, HOLD, DC,
       HAZARD, SHARPNESS, RATE_M, RATE_EX, RATE_IN, GAIN, N_CONSTANTS };

static void prepare(const double *p, double h, double *c)
{
    double m = c[RATE_M] = h * p[G_L] / p[C_M];
    c[RATE_EX] = h / p[TAU_SYN_EX], c[RATE_IN] = h / p[TAU_SYN_IN], c[GAIN] = h / p[C_M];
    c[P33] = exp(-m), c[P11_EX] = exp(-c[RATE_EX]), c[P11_IN] = exp(-c[RATE_IN]), c[P30] = -expm1(-m) / p[G_L];
    c[P31_EX] = c[GAIN] * membrane_response_I(m, c[RATE_EX], 1), c[P31_IN] = c[GAIN] * membrane_response_I(m, c[RATE_IN], 1);
    for (int k = 0; k < N_STC; k++) {
        c[RATE_STC + k] = h / p[TAU_STC + k], c[DECAY_STC + k] = exp(-c[RATE_STC + k]), c[ADD_STC + k] = p[Q_STC + k];
        c[P31_STC + k] = c[GAIN] * membrane_response_I(m, c[RATE_STC + k], 1);
    }
    for (int k = 0; k < N_SFA; k++)
        c[RATE_SFA + k] = h / p[TAU_SFA + k], c[DECAY_SFA + k] = exp(-c[RATE_SFA + k]), c[ADD_SFA + k] = p[Q_SFA + k];
    c[REST] = p[E_L], c[THETA] = p[V_T_STAR], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E];
    c[HAZARD] = p[LAMBDA_0] / 1000 * h, c[SHARPNESS] = 1 / p[DELTA_V];
}

static void prepare_exact(const double *p, double h, double *c) { c[HOLD] = larger(p[T_REF], SHORTEST_DEAD_TIME) / h; }

static inline void sum_up(const double *c, double *s)
{
    s[E_SFA] = c[THETA] + s[SFA] + s[SFA + 1] + s[SFA + 2];
    s[I_STC] = s[STC] + s[STC + 1] + s[STC + 2];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0;
    double V = c[REST] + c[P33] * (s[V_M] - c[REST]) + c[P31_EX] * s[I_SYN_EX] + c[P31_IN] * s[I_SYN_IN] + c[P30] * (c[DC] + current);
    for (int k = 0; k < N_STC; k++) V -= c[P31_STC + k] * s[STC + k], s[STC + k] *= c[DECAY_STC + k];
    for (int k = 0; k < N_SFA; k++) s[SFA + k] *= c[DECAY_SFA + k];
    V = refractory ? c[RESET] : V;
    s[I_SYN_EX] = c[P11_EX] * s[I_SYN_EX] + ex;
    s[I_SYN_IN] = c[P11_IN] * s[I_SYN_IN] + in;
    double above = V - (c[THETA] + s[SFA] + s[SFA + 1] + s[SFA + 2]);
    double hazard = smaller(c[HAZARD] * exponential(above * c[SHARPNESS]), ESCAPE_CERTAIN);
    s[LEFT] -= refractory ? 0 : hazard;
    bool fired = s[LEFT] <= 0;
    s[V_M] = fired ? c[RESET] : V;
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    for (int k = 0; k < N_STC; k++) s[STC + k] += fired ? c[ADD_STC + k] : 0;
    for (int k = 0; k < N_SFA; k++) s[SFA + k] += fired ? c[ADD_SFA + k] : 0;
    sum_up(c, s);
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void draw(const double *c, double *s, rv_random *random)
{
    (void)c;
    random_seek(random, (uint32_t)s[DRAWN]);
    s[DRAWN] += 1;
    s[LEFT] = random_exponential(random);
}

/* ---- exact timing ----------------------------------------------------------------------------------------------- */

typedef struct course { /* of V_m and the threshold over the next steps */
    const double *c, *s;
    membrane      m;
} course;

static course course_of(const double *c, const double *s, double current)
{
    course x = { c, s, { .V = s[V_M], .E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), .rate = c[RATE_M], .gain = c[GAIN], .n = 2 + N_STC,
                         .current = { { .I = s[I_SYN_EX], .rate = c[RATE_EX] }, { .I = s[I_SYN_IN], .rate = c[RATE_IN] } } } };
    for (int k = 0; k < N_STC; k++) x.m.current[2 + k] = (membrane_current){ .I = -s[STC + k], .rate = c[RATE_STC + k] };
    return x;
}

static double hazard_at(const void *neuron, double t)
{
    const course *x = neuron;
    double        V_T = x->c[THETA];
    for (int k = 0; k < N_SFA; k++)
        if (x->s[SFA + k] != 0) V_T += x->s[SFA + k] * exp(-x->c[RATE_SFA + k] * t);
    return smaller(x->c[HAZARD] * exp((membrane_V(&x->m, t) - V_T) * x->c[SHARPNESS]), ESCAPE_CERTAIN);
}

/* Everything but the hazard, over t steps. */
static void carry_over(const double *c, double *s, double current, double t)
{
    course x = course_of(c, s, current);
    membrane_carry(&x.m, &s[REFRACTORY], t);
    s[V_M] = x.m.V, s[I_SYN_EX] = x.m.current[0].I, s[I_SYN_IN] = x.m.current[1].I;
    for (int k = 0; k < N_STC; k++) s[STC + k] = -x.m.current[2 + k].I;
    for (int k = 0; k < N_SFA; k++) s[SFA + k] *= exp(-c[RATE_SFA + k] * t);
    sum_up(c, s);
}

static bool advance(const double *c, double *s, double current, double k, double *when, void *work)
{
    (void)work;
    double held = smaller(s[REFRACTORY], k);
    if (held > 0) carry_over(c, s, current, held);
    *when = k;
    if (held >= k) return false;
    course now = course_of(c, s, current);
    bool   fires = escape(hazard_at, &now, k - held, &s[LEFT], when);
    carry_over(c, s, current, *when);
    *when += held;
    return fires;
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[I_SYN_EX] += ex, s[I_SYN_IN] += in;
    return 0;
}

static void fire(const double *c, double *s)
{
    for (int k = 0; k < N_STC; k++) s[STC + k] += c[ADD_STC + k];
    for (int k = 0; k < N_SFA; k++) s[SFA + k] += c[ADD_SFA + k];
    s[V_M] = c[RESET], s[REFRACTORY] = c[HOLD];
    sum_up(c, s);
}

const rv_model rv_model_gif_psc_exp = {
    .table = { .kind = RV_NEURONS, .name = "gif_psc_exp",
               .summary = "generalised integrate-and-fire neuron: escape noise, spike-triggered currents, moving threshold",
               .equations = "C_m dV_m/dt = g_L (E_L - V_m) + I_syn_ex + I_syn_in - sum_j stc_j + I_e + I\n"
                            "dI_syn_x/dt = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, I_syn_in\n"
                            "fires at random, with the hazard lambda_0 exp((V_m - V_T) / Delta_V),  V_T = V_T_star + sum_k sfa_k;\n"
                            "on the grid with probability 1 - exp(-hazard h) at the end of a step\n"
                            "spike:  stc_j = stc_j + q_stc_j, sfa_k = sfa_k + q_sfa_k; V_m = V_reset for t_ref\n"
                            "dstc_j/dt = -stc_j / tau_stc_j,   dsfa_k/dt = -sfa_k / tau_sfa_k\n"
                            "integrated exactly (NEST takes a spike into V_m one step earlier, and stc_j as constant during a step)",
               .reference = "Mensi et al. 2012, doi:10.1152/jn.00408.2011; Pozzorini et al. 2015, doi:10.1371/journal.pcbi.1004275; the model of "
                            "this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .prepare = prepare, .prepare_exact = prepare_exact, .sweep = sweep, .step = step, .draw = draw,
    .advance = advance, .receive = receive, .fire = fire,
};
