enum { G_EX = 2, G_IN, REFRACTORY, N_STATES };
#define AEIF_CONDUCTANCES true
#include "neurons/aeif.h"

enum { E_EX = N_AEIF, E_IN, N_PARAMS };
static const rv_field params[] = {
    AEIF_PARAMS("conductance"),
    [E_EX] = { "E_ex", "mV", 0, -1e4, 1e4, "excitatory reversal potential" },
    [E_IN] = { "E_in", "mV", -85, -1e4, 1e4, "inhibitory reversal potential" },
};

static const rv_field states[] = {
    AEIF_STATES,
    [G_EX] = { "g_ex", "nS", 0, 0, 1e9, "excitatory conductance" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c) { aeif_prepare(p, h, c, false, &p[E_EX]); }

AEIF_HOOKS(false)

const rv_model rv_model_aeif_cond_exp = {
    .table = { .kind = RV_NEURONS, .name = "aeif_cond_exp",
               .summary = "adaptive exponential integrate-and-fire neuron with exponentially decaying conductances",
               .equations = AEIF_EQUATIONS("- g_ex (V_m - E_ex) - g_in (V_m - E_in)")
                            "dg_x/dt = -g_x / tau_syn_x;  a spike of weight w adds w (nS) to g_ex or, if negative, |w| to g_in\n"
                            AEIF_SPIKE,
               .reference = AEIF_REFERENCE,
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = aeif_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
