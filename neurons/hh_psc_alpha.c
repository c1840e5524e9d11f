enum { I_SYN_EX = 4, DI_SYN_EX, I_SYN_IN, DI_SYN_IN, REFRACTORY, N_STATES };
#define HH_CONDUCTANCES false
#include "neurons/hh.h"

static const rv_field params[] = {
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "no other spike this long after a spike; in grid timing rounded to steps" },
    [G_NA] = { "g_Na", "nS", 12000, 0, 1e9, "largest sodium conductance" },
    [G_K] = { "g_K", "nS", 3600, 0, 1e9, "largest potassium conductance" },
    [G_L] = { "g_L", "nS", 30, 0, 1e6, "leak conductance" },
    [C_M] = { "C_m", "pF", 100, 1e-3, 1e6, "membrane capacitance" },
    [E_NA] = { "E_Na", "mV", 50, -1e4, 1e4, "sodium reversal potential" },
    [E_K] = { "E_K", "mV", -77, -1e4, 1e4, "potassium reversal potential" },
    [E_L] = { "E_L", "mV", -54.402, -1e4, 1e4, "leak reversal potential" },
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 0.2, 1e-3, 1e5, "rise time of excitatory currents" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "rise time of inhibitory currents" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

static const rv_field states[] = {
    HH_STATES(-65, 0.05293248525724958, 0.5961207535084603, 0.3176769140606974),
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, -1e9, 1e9, "excitatory synaptic current" },
    [DI_SYN_EX] = { "dI_syn_ex", "pA/ms", 0, -1e12, 1e12, "its auxiliary variable, dI/dt + I/tau_syn_ex" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, -1e9, 1e9, "inhibitory synaptic current" },
    [DI_SYN_IN] = { "dI_syn_in", "pA/ms", 0, -1e12, 1e12, "its auxiliary variable, dI/dt + I/tau_syn_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of t_ref" },
};

/* Hodgkin & Huxley 1952, with rest at -65 mV. All exponents but one are multiples of V_m / 80 mV. */
ALWAYS_INLINE hh_rate hh_rates(double V)
{
    double e80 = exponential(-(V + 65) * (1.0 / 80)), e40 = e80 * e80, e20 = e40 * e40, e10 = e20 * e20;
    return (hh_rate){
        .alpha = { hh_linoid((V + 40) * 0.1, e10 * 12.182493960703473 /* exp(2.5) */),
                   0.07 * e20, 0.1 * hh_linoid((V + 55) * 0.1, e10 * M_E) },
        .beta = { 4 * exponential(-(V + 65) * (1.0 / 18)), 1 / (1 + e10 * 20.085536923187668 /* exp(3) */), 0.125 * e80 },
    };
}

static void prepare(const double *p, double h, double *c) { hh_prepare(p, h, c, true, 1, NULL, 0, 0); }

HH_HOOKS(true)

const rv_model rv_model_hh_psc_alpha = {
    .table = { .kind = RV_NEURONS, .name = "hh_psc_alpha",
               .summary = "Hodgkin-Huxley neuron with alpha-shaped synaptic currents",
               .equations = HH_EQUATIONS("+ I_syn_ex + I_syn_in")
                            "alpha_m = 0.1 (V_m + 40) / (1 - exp(-(V_m + 40) / 10)),   beta_m = 4 exp(-(V_m + 65) / 18)\n"
                            "alpha_h = 0.07 exp(-(V_m + 65) / 20),                     beta_h = 1 / (1 + exp(-(V_m + 35) / 10))\n"
                            "alpha_n = 0.01 (V_m + 55) / (1 - exp(-(V_m + 55) / 10)),  beta_n = 0.125 exp(-(V_m + 65) / 80)\n"
                            "I_syn_x(t) = w (e t / tau_syn_x) exp(-t / tau_syn_x) after a spike of weight w: peaks at w (pA) after tau_syn_x;\n"
                            "             w > 0 goes to I_syn_ex, w < 0 to I_syn_in\n"
                            "A maximum of V_m at or above 0 mV, not within t_ref after a spike:  spike",
               .reference = "Hodgkin & Huxley 1952, doi:10.1113/jphysiol.1952.sp004764; the model of this name in NEST",
               .params = params, .n_params = N_HH, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = hh_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
