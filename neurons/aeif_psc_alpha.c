enum { I_SYN_EX = 2, DI_SYN_EX, I_SYN_IN, DI_SYN_IN, REFRACTORY, N_STATES };
#define AEIF_CONDUCTANCES false
#include "neurons/aeif.h"

static const rv_field params[] = {
    AEIF_PARAMS("synaptic current"),
};

static const rv_field states[] = {
    AEIF_STATES,
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, 0, 1e9, "excitatory synaptic current" },
    [DI_SYN_EX] = { "dI_syn_ex", "pA/ms", 0, 0, 1e12, "its auxiliary variable, dI/dt + I/tau_syn_ex" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, 0, 1e9, "inhibitory synaptic current" },
    [DI_SYN_IN] = { "dI_syn_in", "pA/ms", 0, 0, 1e12, "its auxiliary variable, dI/dt + I/tau_syn_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c) { aeif_prepare(p, h, c, true, NULL); }

AEIF_HOOKS(true)

const rv_model rv_model_aeif_psc_alpha = {
    .table = { .kind = RV_NEURONS, .name = "aeif_psc_alpha",
               .summary = "adaptive exponential integrate-and-fire neuron with alpha-shaped synaptic currents",
               .equations = AEIF_EQUATIONS("+ I_syn_ex - I_syn_in")
                            "I_syn_x(t) = w (e t / tau_syn_x) exp(-t / tau_syn_x) after a spike of weight w: peaks at w (pA) after tau_syn_x;\n"
                            "             w > 0 goes to I_syn_ex, w < 0 goes to I_syn_in as |w|\n"
                            AEIF_SPIKE,
               .reference = AEIF_REFERENCE,
               .params = params, .n_params = N_AEIF, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = aeif_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
