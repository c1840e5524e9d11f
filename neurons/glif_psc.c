#include "neurons/membrane.h"
#include "sim/model.h"

/* What NEST gives as lists has a number: asc_amps_1, asc_amps_2; tau_syn_1 ... tau_syn_4. */
enum { N_ASC = 2, N_PORTS = 4 };

enum { V_TH, G, E_L, C_M, T_REF, V_RESET, WITH_TH_SPIKE, WITH_ASC, WITH_TH_VOLTAGE, TH_SPIKE_ADD, TH_SPIKE_DECAY, RESET_FRACTION, RESET_ADD,
       TH_VOLTAGE_INDEX, TH_VOLTAGE_DECAY, ASC_DECAY, ASC_AMPS = ASC_DECAY + N_ASC, ASC_R = ASC_AMPS + N_ASC, TAU_SYN = ASC_R + N_ASC,
       I_E = TAU_SYN + N_PORTS, N_PARAMS };
static const rv_field params[] = {
    [V_TH] = { "V_th", "mV", -51.68, -1e4, 1e4, "spike threshold without its moving parts" },
    [G] = { "g", "nS", 9.43, 1e-6, 1e6, "membrane conductance" },
    [E_L] = { "E_L", "mV", -78.85, -1e4, 1e4, "leak (resting) potential" },
    [C_M] = { "C_m", "pF", 58.72, 1e-3, 1e6, "membrane capacitance" },
    [T_REF] = { "t_ref", "ms", 3.75, 1e-3, 1e4, "refractory period; in grid timing rounded to steps" },
    [V_RESET] = { "V_reset", "mV", -78.85, -1e4, 1e4, "potential after a spike, below V_th; GLIF1 and GLIF3" },
    [WITH_TH_SPIKE] = { "spike_dependent_threshold", "1", 0, 0, 1, "1: the threshold jumps at spikes, and the reset depends on V_m" },
    [WITH_ASC] = { "after_spike_currents", "1", 0, 0, 1, "1: spikes start currents" },
    [WITH_TH_VOLTAGE] = { "adapting_threshold", "1", 0, 0, 1, "1: the threshold follows V_m; with both others only" },
    [TH_SPIKE_ADD] = { "th_spike_add", "mV", 0.37, -1e4, 1e4, "added to the threshold by a spike" },
    [TH_SPIKE_DECAY] = { "th_spike_decay", "1/ms", 0.009, 1e-9, 1e3, "decay rate of that part" },
    [RESET_FRACTION] = { "voltage_reset_fraction", "1", 0.2, 0, 1, "of V_m - E_L before the spike that is kept" },
    [RESET_ADD] = { "voltage_reset_add", "mV", 18.51, -1e4, 1e4, "and added to it" },
    [TH_VOLTAGE_INDEX] = { "th_voltage_index", "1/ms", 0.005, -1e3, 1e3, "how fast the threshold follows V_m" },
    [TH_VOLTAGE_DECAY] = { "th_voltage_decay", "1/ms", 0.09, 1e-9, 1e3, "decay rate of that part" },
    [ASC_DECAY] = { "asc_decay_1", "1/ms", 0.003, 1e-9, 1e3, "decay rate of the first after-spike current" },
    { "asc_decay_2", "1/ms", 0.1, 1e-9, 1e3, "of the second" },
    [ASC_AMPS] = { "asc_amps_1", "pA", -9.18, -1e9, 1e9, "added to the first after-spike current by a spike" },
    { "asc_amps_2", "pA", -198.94, -1e9, 1e9, "to the second" },
    [ASC_R] = { "asc_r_1", "1", 1, 0, 1, "fraction of the first that outlives a spike" },
    { "asc_r_2", "1", 1, 0, 1, "of the second" },
    [TAU_SYN] = { "tau_syn_1", "ms", 2, 1e-3, 1e5, "rise time of the current of receptor 1" },
    { "tau_syn_2", "ms", 2, 1e-3, 1e5, "of receptor 2" },
    { "tau_syn_3", "ms", 2, 1e-3, 1e5, "of receptor 3" },
    { "tau_syn_4", "ms", 2, 1e-3, 1e5, "of receptor 4" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, THRESHOLD, TH_SPIKE, TH_VOLTAGE, ASC, I_SYN = ASC + N_ASC, DI_SYN = I_SYN + N_PORTS, ARRIVED = DI_SYN + N_PORTS,
       REFRACTORY = ARRIVED + N_PORTS - 1, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -78.85, -1e4, 1e4, "membrane potential" },
    [THRESHOLD] = { "threshold", "mV", -51.68, -1e6, 1e6, "V_th + threshold_spike + threshold_voltage" },
    [TH_SPIKE] = { "threshold_spike", "mV", 0, -1e6, 1e6, "its part that spikes move" },
    [TH_VOLTAGE] = { "threshold_voltage", "mV", 0, -1e6, 1e6, "its part that follows V_m" },
    [ASC] = { "ASCurrents_1", "pA", 0, -1e9, 1e9, "first after-spike current; its initial value is NEST's asc_init" },
    { "ASCurrents_2", "pA", 0, -1e9, 1e9, "second after-spike current" },
    [I_SYN] = { "I_syn_1", "pA", 0, -1e9, 1e9, "synaptic current of receptor 1" },
    { "I_syn_2", "pA", 0, -1e9, 1e9, "of receptor 2" },
    { "I_syn_3", "pA", 0, -1e9, 1e9, "of receptor 3" },
    { "I_syn_4", "pA", 0, -1e9, 1e9, "of receptor 4" },
    [DI_SYN] = { "dI_syn_1", "pA/ms", 0, -1e9, 1e9, "auxiliary variable of I_syn_1, dI/dt + I/tau_syn" },
    { "dI_syn_2", "pA/ms", 0, -1e9, 1e9, "of I_syn_2" },
    { "dI_syn_3", "pA/ms", 0, -1e9, 1e9, "of I_syn_3" },
    { "dI_syn_4", "pA/ms", 0, -1e9, 1e9, "of I_syn_4" },
    [ARRIVED] = { "arrived_2", "pA", 0, -1e9, 1e9, "weights that arrive at receptor 2 at the end of the step" },
    { "arrived_3", "pA", 0, -1e9, 1e9, "at receptor 3" },
    { "arrived_4", "pA", 0, -1e9, 1e9, "at receptor 4" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* Propagators of the alpha-shaped currents are named as in Rotter & Diesmann 1999. The after-spike currents act by their
 * mean over a step, ASC_MEAN times the value at its beginning; ASC_EFFECT of it, decaying exponentially, would do the same. */
enum { P33, P30, P31, P32 = P31 + N_PORTS, P11 = P32 + N_PORTS, PEAK = P11 + N_PORTS, RATE_SYN = PEAK + N_PORTS,
       ASC_STEP = RATE_SYN + N_PORTS, ASC_MEAN = ASC_STEP + N_ASC, ASC_KEPT = ASC_MEAN + N_ASC, ASC_ADD = ASC_KEPT + N_ASC,
       ASC_RATE = ASC_ADD + N_ASC, ASC_EFFECT = ASC_RATE + N_ASC, SPIKE_STEP = ASC_EFFECT + N_ASC, SPIKE_KEPT, SPIKE_ADD, SPIKE_RATE, FRACTION,
       ADD, PHI, VOLTAGE_STEP, VOLTAGE_RATIO, HAS_SPIKE, HAS_ASC, HAS_VOLTAGE, CONDUCTANCE, STEP, GAIN, RATE_M, REST, THETA, RESET, HOLD, DC,
       N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[V_RESET] >= p[V_TH]) return "V_reset must be below V_th";
    bool spike = p[WITH_TH_SPIKE] != 0, asc = p[WITH_ASC] != 0, voltage = p[WITH_TH_VOLTAGE] != 0;
    return voltage && !(spike && asc) ? "adapting_threshold needs spike_dependent_threshold and after_spike_currents (GLIF5)" : NULL;
}

static const char *no_closed_form(const double *p)
{
    return p[WITH_TH_VOLTAGE] != 0 ? "a threshold that follows V_m (adapting_threshold) is defined in steps" : NULL;
}

static void prepare_threshold(const double *p, double h, double *c)
{
    double b = p[TH_VOLTAGE_DECAY], m = p[G] / p[C_M];
    c[SPIKE_RATE] = h * p[TH_SPIKE_DECAY], c[SPIKE_STEP] = exp(-c[SPIKE_RATE]), c[SPIKE_KEPT] = exp(-p[TH_SPIKE_DECAY] * p[T_REF]);
    c[SPIKE_ADD] = p[TH_SPIKE_ADD], c[FRACTION] = p[RESET_FRACTION], c[ADD] = p[RESET_ADD];
    c[VOLTAGE_STEP] = exp(-b * h), c[VOLTAGE_RATIO] = p[TH_VOLTAGE_INDEX] / b;
    c[PHI] = p[TH_VOLTAGE_INDEX] * h * membrane_response_I(b * h, m * h, 1); /* of the threshold to V_m - beta over a step */
}

static void prepare(const double *p, double h, double *c)
{
    double m = c[RATE_M] = h * p[G] / p[C_M];
    c[GAIN] = h / p[C_M], c[STEP] = h, c[CONDUCTANCE] = p[G];
    c[P33] = exp(-m), c[P30] = -expm1(-m) / p[G];
    for (int k = 0; k < N_PORTS; k++) {
        double rate = c[RATE_SYN + k] = h / p[TAU_SYN + k];
        c[P11 + k] = exp(-rate), c[PEAK + k] = M_E / p[TAU_SYN + k];
        c[P32 + k] = c[GAIN] * membrane_response_I(m, rate, 1), c[P31 + k] = c[GAIN] * h * membrane_response_dI(m, rate, 1);
    }
    for (int k = 0; k < N_ASC; k++) {
        double rate = c[ASC_RATE + k] = h * p[ASC_DECAY + k];
        c[ASC_STEP + k] = exp(-rate), c[ASC_MEAN + k] = -expm1(-rate) / rate;
        c[ASC_ADD + k] = p[ASC_AMPS + k], c[ASC_KEPT + k] = p[ASC_R + k] * exp(-p[ASC_DECAY + k] * p[T_REF]);
        c[ASC_EFFECT + k] = c[P30] * c[ASC_MEAN + k] / (c[GAIN] * membrane_response_I(m, rate, 1));
    }
    prepare_threshold(p, h, c);
    c[HAS_SPIKE] = p[WITH_TH_SPIKE] != 0, c[HAS_ASC] = p[WITH_ASC] != 0, c[HAS_VOLTAGE] = p[WITH_TH_VOLTAGE] != 0;
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h, c[DC] = p[I_E];
}

/* Unrolled and inlined: constants and states stay in registers. */
#define EACH(k, n) _Pragma("GCC unroll 4") for (int k = 0; k < (n); k++)

/* What a spike does; V is the potential a fraction of which is kept. */
static inline __attribute__((always_inline)) void spike(const double *c, double *s, double V, bool fired)
{
    bool   moving = c[HAS_SPIKE] != 0, asc = c[HAS_ASC] != 0;
    double V_reset = moving ? c[REST] + c[FRACTION] * (V - c[REST]) + c[ADD] : c[RESET];
    s[V_M] = fired ? V_reset : s[V_M];
    s[TH_SPIKE] = fired && moving ? s[TH_SPIKE] * c[SPIKE_KEPT] + c[SPIKE_ADD] : s[TH_SPIKE];
    EACH(k, N_ASC) s[ASC + k] = fired && asc ? s[ASC + k] * c[ASC_KEPT + k] + c[ASC_ADD + k] : s[ASC + k];
}

static inline __attribute__((always_inline)) bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0, asc = c[HAS_ASC] != 0, voltage = c[HAS_VOLTAGE] != 0, moving = c[HAS_SPIKE] != 0;
    double before = s[V_M], U = before - c[REST], I = c[DC] + current;
    EACH(k, N_ASC) {
        I += asc ? c[ASC_MEAN + k] * s[ASC + k] : 0;
        s[ASC + k] = asc && !refractory ? s[ASC + k] * c[ASC_STEP + k] : s[ASC + k];
    }
    double V = c[REST] + c[P33] * U + c[P30] * I, beta = I / c[CONDUCTANCE];
    EACH(k, N_PORTS) V += c[P31 + k] * s[DI_SYN + k] + c[P32 + k] * s[I_SYN + k];
    double followed = c[VOLTAGE_STEP] * s[TH_VOLTAGE] + c[PHI] * (U - beta) + (1 - c[VOLTAGE_STEP]) * c[VOLTAGE_RATIO] * beta;
    s[TH_SPIKE] = moving && !refractory ? s[TH_SPIKE] * c[SPIKE_STEP] : s[TH_SPIKE];
    s[TH_VOLTAGE] = voltage && !refractory ? followed : s[TH_VOLTAGE];
    bool fired = !refractory && V > c[THETA] + s[TH_SPIKE] + s[TH_VOLTAGE];
    s[V_M] = refractory ? before : V;
    spike(c, s, before, fired);
    s[THRESHOLD] = c[THETA] + s[TH_SPIKE] + s[TH_VOLTAGE];
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    EACH(k, N_PORTS) {
        double arrived = k == 0 ? ex + in : s[ARRIVED + k - 1];
        s[I_SYN + k] = c[P11 + k] * (s[I_SYN + k] + c[STEP] * s[DI_SYN + k]);
        s[DI_SYN + k] = c[P11 + k] * s[DI_SYN + k] + c[PEAK + k] * arrived;
        if (k > 0) s[ARRIVED + k - 1] = 0;
    }
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

/* In exact timing the after-spike currents act as they are. */
static void prepare_exact(const double *p, double h, double *c)
{
    (void)p, (void)h;
    for (int k = 0; k < N_ASC; k++) c[ASC_EFFECT + k] = 1;
}

/* The membrane outside the refractory period. */
static membrane membrane_of(const double *c, const double *s, double current)
{
    membrane m = { .V = s[V_M], .E = c[REST] + c[GAIN] / c[RATE_M] * (c[DC] + current), .rate = c[RATE_M], .gain = c[GAIN], .n = N_PORTS };
    for (int k = 0; k < N_PORTS; k++) m.current[k] = (membrane_current){ s[I_SYN + k], c[STEP] * s[DI_SYN + k], c[RATE_SYN + k] };
    for (int k = 0; k < N_ASC && c[HAS_ASC] != 0; k++) m.current[m.n++] = (membrane_current){ s[ASC + k] * c[ASC_EFFECT + k], 0, c[ASC_RATE + k] };
    return m;
}

/* In the refractory period V_m, threshold and after-spike currents are held; synaptic currents go on. */
static void hold(const double *c, double *s, double t)
{
    for (int k = 0; k < N_PORTS; k++) {
        double decay = exp(-c[RATE_SYN + k] * t);
        s[I_SYN + k] = (s[I_SYN + k] + c[STEP] * s[DI_SYN + k] * t) * decay;
        s[DI_SYN + k] *= decay;
    }
    s[REFRACTORY] -= t;
}

static void carry(const double *c, double *s, double current, double k)
{
    double held = smaller(s[REFRACTORY], k), none = 0, rest = k - held;
    if (held > 0) hold(c, s, held);
    if (rest <= 0) return;
    membrane m = membrane_of(c, s, current);
    membrane_carry(&m, &none, rest);
    s[V_M] = m.V;
    for (int p = 0; p < N_PORTS; p++) s[I_SYN + p] = m.current[p].I, s[DI_SYN + p] = m.current[p].dI / c[STEP];
    for (int a = 0; a < N_ASC && c[HAS_ASC] != 0; a++) s[ASC + a] *= exp(-c[ASC_RATE + a] * rest);
    if (c[HAS_SPIKE] != 0) s[TH_SPIKE] *= exp(-c[SPIKE_RATE] * rest);
    s[THRESHOLD] = c[THETA] + s[TH_SPIKE] + s[TH_VOLTAGE];
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    double after[N_STATES], held = s[REFRACTORY];
    for (int x = 0; x < N_STATES; x++) after[x] = s[x];
    if (held > 0) hold(c, after, held);
    membrane m = membrane_of(c, after, current);
    if (c[HAS_SPIKE] != 0) membrane_decaying_threshold(&m, s[TH_SPIKE], c[SPIKE_RATE]);
    return held + membrane_crossing(&m, 0, c[THETA], k - held, found);
}

static int receive(const double *c, double *s, double ex, double in)
{
    s[DI_SYN] += c[PEAK] * (ex + in);
    return 0;
}

static void fire(const double *c, double *s)
{
    spike(c, s, s[V_M], true);
    s[THRESHOLD] = c[THETA] + s[TH_SPIKE] + s[TH_VOLTAGE], s[REFRACTORY] = c[HOLD];
}

const rv_model rv_model_glif_psc = {
    .table = { .kind = RV_NEURONS, .name = "glif_psc",
               .summary = "generalised leaky integrate-and-fire neuron of the Allen Institute, GLIF1 to GLIF5, four receptors",
               .equations = "C_m dV_m/dt = g (E_L - V_m) + sum_k I_syn_k + sum_j ASCurrents_j + I_e + I\n"
                            "I_syn_k(t)  = w (e t / tau_syn_k) exp(-t / tau_syn_k) after a spike of weight w at receptor k (receptor_type)\n"
                            "V_m > V_th + threshold_spike + threshold_voltage:  spike; V_m is held for t_ref, with threshold and ASCurrents\n"
                            "after_spike_currents:       dASCurrents_j/dt = -asc_decay_j ASCurrents_j;\n"
                            "    spike: ASCurrents_j = asc_amps_j + asc_r_j exp(-asc_decay_j t_ref) ASCurrents_j\n"
                            "spike_dependent_threshold:  dthreshold_spike/dt = -th_spike_decay threshold_spike;\n"
                            "    spike: V_m = E_L + voltage_reset_fraction (V_m - E_L) + voltage_reset_add, else V_m = V_reset;\n"
                            "           threshold_spike = th_spike_add + exp(-th_spike_decay t_ref) threshold_spike\n"
                            "adapting_threshold:         dthreshold_voltage/dt = th_voltage_index (V_m - E_L) - th_voltage_decay threshold_voltage\n"
                            "GLIF1: no switch, GLIF2: spike_dependent_threshold, GLIF3: after_spike_currents, GLIF4: both, GLIF5: all three;\n"
                            "on the grid as in NEST: the mean of ASCurrents over a step, V_m at the beginning of the step where the reset\n"
                            "has it, threshold_voltage without the synaptic currents' part of the step",
               .reference = "Teeter et al. 2018, doi:10.1038/s41467-017-02717-4; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .n_receptors = N_PORTS, .receptor_state = ARRIVED, .check = check, .no_closed_form = no_closed_form,
    .prepare = prepare, .prepare_exact = prepare_exact, .sweep = sweep, .step = step, .carry = carry, .crossing = crossing,
    .receive = receive, .fire = fire,
};
