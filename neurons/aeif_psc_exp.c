enum { I_SYN_EX = 2, I_SYN_IN, REFRACTORY, N_STATES };
#define AEIF_CONDUCTANCES false
#include "neurons/aeif.h"

static const rv_field params[] = {
    AEIF_PARAMS("synaptic current"),
};

static const rv_field states[] = {
    AEIF_STATES,
    [I_SYN_EX] = { "I_syn_ex", "pA", 0, 0, 1e9, "excitatory synaptic current" },
    [I_SYN_IN] = { "I_syn_in", "pA", 0, 0, 1e9, "inhibitory synaptic current" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c) { aeif_prepare(p, h, c, false, NULL); }

AEIF_HOOKS(false)

const rv_model rv_model_aeif_psc_exp = {
    .table = { .kind = RV_NEURONS, .name = "aeif_psc_exp",
               .summary = "adaptive exponential integrate-and-fire neuron with exponentially decaying synaptic currents",
               .equations = AEIF_EQUATIONS("+ I_syn_ex - I_syn_in")
                            "dI_syn_x/dt = -I_syn_x / tau_syn_x;  a spike of weight w adds w (pA) to I_syn_ex or, if negative, |w| to I_syn_in\n"
                            AEIF_SPIKE,
               .reference = AEIF_REFERENCE,
               .params = params, .n_params = N_AEIF, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = aeif_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
