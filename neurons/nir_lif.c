/* The neurons of NIR graphs, in the discrete form in which the tools that exchange such graphs run them. It exists on the
 * grid only: each step is one update, and what arrives in a step acts in that step. One recurrence serves all types:
 * NIR's LIF has no synapse (tau_syn = 0), its IF and I no leak (tau_mem = 0), its LI, CubaLI and I no threshold. */
#include "sim/model.h"

enum { TAU_MEM, TAU_SYN, R, V_LEAK, V_THRESHOLD, V_RESET, W_IN, I_E, DISCRETISATION, RESET, N_PARAMS };
static const rv_field params[] = {
    [TAU_MEM] = { "tau_mem", "ms", 10, 0, 1e12, "membrane time constant; 0: no leak, V_m is the sum of its input" },
    [TAU_SYN] = { "tau_syn", "ms", 0, 0, 1e12, "time constant of the synaptic current; 0: input is a current of one step" },
    [R] = { "r", "1", 1, -1e12, 1e12, "resistance" },
    [V_LEAK] = { "v_leak", "1", 0, -1e12, 1e12, "leak potential" },
    [V_THRESHOLD] = { "v_threshold", "1", 1, -1e12, INFINITY, "spike threshold, to be exceeded; inf: the neuron never spikes" },
    [V_RESET] = { "v_reset", "1", 0, -1e12, 1e12, "potential after a spike" },
    [W_IN] = { "w_in", "1", 1, -1e12, 1e12, "factor of the input" },
    [I_E] = { "I_e", "1", 0, -1e12, 1e12, "constant input of every step" },
    [DISCRETISATION] = { "discretisation", "1", 0, 0, 2, "of the equations; impulse: as exponential, but input jumps V_m (or the current) at once" },
    [RESET] = { "reset", "1", 0, 0, 1, "to v_reset, or by subtracting v_threshold" },
};

static const char *const discretisations[] = { "euler", "exponential", "impulse" };
static const char *const resets[] = { "value", "subtract" };
static const rv_words    words[] = { { "discretisation", discretisations, 3 }, { "reset", resets, 2 } };

enum { V_M, I_SYN, HELD, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "1", 0, -1e12, 1e12, "membrane potential" },
    [I_SYN] = { "I_syn", "1", 0, -1e12, 1e12, "synaptic current, or the input of the last step" },
    [HELD] = { "refractory", "steps", 0, 0, 1e9, "steps for which the neuron does not change: it starts that much later" },
};

/* I <- I + FADE (-I) + GAIN_I (spikes + DRIVE currents);  V <- V + LEAK (REST - V) + GAIN_V I;  after a spike V <- V_KEPT V + V_AFTER */
enum { FADE, GAIN_I, DRIVE, LEAK, REST, GAIN_V, THETA, V_KEPT, V_AFTER, DC, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[DISCRETISATION] != rint(p[DISCRETISATION])) return "discretisation must be \"euler\", \"exponential\" or \"impulse\"";
    return p[RESET] == rint(p[RESET]) ? NULL : "reset must be \"value\" or \"subtract\"";
}

static const char *in_steps_only(const double *p) { return (void)p, "the model is defined in steps"; }

/* How far a variable moves in a step toward where it is driven, and how far its input moves it. */
static void relax(double tau, double h, int discretisation, double *leak, double *gain)
{
    *leak = tau <= 0 ? 1 : discretisation == 0 ? h / tau : -expm1(-h / tau);
    *gain = tau > 0 && discretisation == 2 ? h / tau : *leak;
}

static void prepare(const double *p, double h, double *c)
{
    double leak, gain, fade, gain_I;
    int    discretisation = (int)p[DISCRETISATION];
    relax(p[TAU_SYN], h, discretisation, &fade, &gain_I);
    /* behind a synapse, the membrane is driven by a current, not by impulses */
    relax(p[TAU_MEM], h, p[TAU_SYN] > 0 && discretisation == 2 ? 1 : discretisation, &leak, &gain);
    c[FADE] = fade, c[GAIN_I] = gain_I * p[W_IN], c[LEAK] = p[TAU_MEM] > 0 ? leak : 0, c[GAIN_V] = gain * p[R];
    c[DRIVE] = p[TAU_SYN] > 0 ? fade / gain_I : leak / gain; /* 1, but for currents beside impulses */
    c[REST] = p[V_LEAK], c[THETA] = p[V_THRESHOLD], c[DC] = p[I_E];
    c[V_KEPT] = p[RESET], c[V_AFTER] = p[RESET] != 0 ? -p[V_THRESHOLD] : p[V_RESET];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   held = s[HELD] > 0;
    double I = s[I_SYN] + c[FADE] * -s[I_SYN] + c[GAIN_I] * (ex + in + c[DRIVE] * (c[DC] + current));
    double V = s[V_M] + c[LEAK] * (c[REST] - s[V_M]) + c[GAIN_V] * I;
    I = held ? s[I_SYN] : I, V = held ? s[V_M] : V;
    bool   fired = V > c[THETA] && !held;
    s[HELD] = held ? s[HELD] - 1 : 0;
    s[I_SYN] = I;
    s[V_M] = fired ? c[V_KEPT] * V + c[V_AFTER] : V;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_nir_lif = {
    .table = { .kind = RV_NEURONS, .name = "nir_lif", .summary = "the neurons of NIR graphs (LIF, IF, LI, I, CubaLIF, CubaLI), step by step",
               .equations = "tau_syn dI_syn/dt = -I_syn + w_in x;  x: the weights that arrive in a step and I_e\n"
                            "tau_mem dV_m/dt   = v_leak - V_m + r I_syn;  without tau_mem: V_m = V_m + r I_syn in every step\n"
                            "euler: I_syn = I_syn + h/tau_syn (w_in x - I_syn), then V_m = V_m + h/tau_mem (v_leak - V_m + r I_syn)\n"
                            "exponential: 1 - exp(-h/tau) instead of h/tau\n"
                            "V_m > v_threshold:  spike; V_m = v_reset, or V_m - v_threshold",
               .reference = "Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9; the primitives of NIR 1.0.7 (neuromorphs/NIR)",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES, .words = words, .n_words = 2 },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};
