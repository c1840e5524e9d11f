enum { G_EX = 4, G_IN, REFRACTORY, N_STATES };
#define HH_CONDUCTANCES true
#include "neurons/hh.h"

enum { V_T = N_HH, E_EX, E_IN, N_PARAMS };
static const rv_field params[] = {
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "no other spike this long after a spike; in grid timing rounded to steps" },
    [G_NA] = { "g_Na", "nS", 20000, 0, 1e9, "largest sodium conductance" },
    [G_K] = { "g_K", "nS", 6000, 0, 1e9, "largest potassium conductance" },
    [G_L] = { "g_L", "nS", 10, 0, 1e6, "leak conductance" },
    [C_M] = { "C_m", "pF", 200, 1e-3, 1e6, "membrane capacitance" },
    [E_NA] = { "E_Na", "mV", 50, -1e4, 1e4, "sodium reversal potential" },
    [E_K] = { "E_K", "mV", -90, -1e4, 1e4, "potassium reversal potential" },
    [E_L] = { "E_L", "mV", -60, -1e4, 1e4, "leak reversal potential" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 5, 1e-3, 1e5, "time constant of the excitatory conductance" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 10, 1e-3, 1e5, "time constant of the inhibitory conductance" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
    [V_T] = { "V_T", "mV", -63, -1e4, 1e4, "shifts all rates; -63 makes a threshold of about -50 mV" },
    [E_EX] = { "E_ex", "mV", 0, -1e4, 1e4, "excitatory reversal potential" },
    [E_IN] = { "E_in", "mV", -80, -1e4, 1e4, "inhibitory reversal potential" },
};

/* m, h, n begin as in NEST, which takes -60 mV for V: at rest for V_m = V_T - 60 mV. */
static const rv_field states[] = {
    HH_STATES(-60, 9.895563096746586e-09, 0.999999999106396, 2.551577051602551e-07),
    [G_EX] = { "g_ex", "nS", 0, 0, 1e9, "excitatory conductance" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of t_ref" },
};

/* V is V_m - V_T. All exponents but one are multiples of V / 40 mV. */
ALWAYS_INLINE hh_rate hh_rates(double V)
{
    double e40 = exponential(-V * (1.0 / 40)), e20 = e40 * e40, e10 = e20 * e20, e5 = e10 * e10, e4 = e5 * e20;
    double z = (V - 40) * 0.2, at_40 = e5 * 2980.9579870417283; /* exp(8) */
    return (hh_rate){
        .alpha = { 1.28 * hh_linoid((V - 13) * 0.25, e4 * 25.790339917193062 /* exp(13/4) */), 0.128 * exponential((17 - V) * (1.0 / 18)),
                   0.16 * hh_linoid((V - 15) * 0.2, e5 * 20.085536923187668 /* exp(3) */) },
        .beta = { 1.4 * (hh_linoid(z, at_40) - z), 4 / (1 + at_40), 0.5 * 1.2840254166877414 /* exp(1/4) */ * e40 },
    };
}

static void prepare(const double *p, double h, double *c) { hh_prepare(p, h, c, false, -1, &p[E_EX], p[V_T] + 30, p[V_T]); }

HH_HOOKS(false)

const rv_model rv_model_hh_cond_exp_traub = {
    .table = { .kind = RV_NEURONS, .name = "hh_cond_exp_traub",
               .summary = "Hodgkin-Huxley neuron of Traub & Miles, as in Brette et al. 2007, with exponentially decaying conductances",
               .equations = HH_EQUATIONS("- g_ex (V_m - E_ex) - g_in (V_m - E_in)")
                            "with V = V_m - V_T:\n"
                            "alpha_m = 0.32 (13 - V) / (exp((13 - V) / 4) - 1),    beta_m = 0.28 (V - 40) / (exp((V - 40) / 5) - 1)\n"
                            "alpha_h = 0.128 exp((17 - V) / 18),                   beta_h = 4 / (1 + exp((40 - V) / 5))\n"
                            "alpha_n = 0.032 (15 - V) / (exp((15 - V) / 5) - 1),   beta_n = 0.5 exp((10 - V) / 40)\n"
                            "dg_x/dt = -g_x / tau_syn_x;  a spike of weight w adds w (nS) to g_ex or, if negative, |w| to g_in\n"
                            "A maximum of V_m at or above V_T + 30 mV, not within t_ref after a spike:  spike",
               .reference = "Traub & Miles 1991, Neuronal Networks of the Hippocampus, doi:10.1017/CBO9780511895401; "
                            "Brette et al. 2007, doi:10.1007/s10827-007-0038-6; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = hh_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
