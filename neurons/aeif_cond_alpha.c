enum { G_EX = 2, DG_EX, G_IN, DG_IN, REFRACTORY, N_STATES };
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
    [DG_EX] = { "dg_ex", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_syn_ex" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [DG_IN] = { "dg_in", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_syn_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c) { aeif_prepare(p, h, c, true, &p[E_EX]); }

AEIF_HOOKS(true)

const rv_model rv_model_aeif_cond_alpha = {
    .table = { .kind = RV_NEURONS, .name = "aeif_cond_alpha",
               .summary = "adaptive exponential integrate-and-fire neuron with alpha-shaped conductances",
               .equations = AEIF_EQUATIONS("- g_ex (V_m - E_ex) - g_in (V_m - E_in)")
                            "g_x(t) = w (e t / tau_syn_x) exp(-t / tau_syn_x) after a spike of weight w: peaks at w (nS) after tau_syn_x;\n"
                            "             w > 0 goes to g_ex, w < 0 goes to g_in as |w|\n"
                            AEIF_SPIKE,
               .reference = AEIF_REFERENCE,
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = aeif_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
