enum { G_EX = 1, DG_EX, G_IN, DG_IN, REFRACTORY, N_STATES };
#include "neurons/iaf_cond.h"

enum { TAU_RISE_EX = N_IAF_COND, TAU_DECAY_EX, TAU_RISE_IN, TAU_DECAY_IN, N_PARAMS };
static const rv_field params[] = {
    IAF_COND_PARAMS,
    [TAU_RISE_EX] = { "tau_rise_ex", "ms", 0.2, 1e-3, 1e5, "rise time of the excitatory conductance" },
    [TAU_DECAY_EX] = { "tau_decay_ex", "ms", 0.2, 1e-3, 1e5, "decay time of the excitatory conductance" },
    [TAU_RISE_IN] = { "tau_rise_in", "ms", 2, 1e-3, 1e5, "rise time of the inhibitory conductance" },
    [TAU_DECAY_IN] = { "tau_decay_in", "ms", 2, 1e-3, 1e5, "decay time of the inhibitory conductance" },
};

static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [G_EX] = { "g_ex", "nS", 0, 0, 1e9, "excitatory conductance" },
    [DG_EX] = { "dg_ex", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_rise_ex" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [DG_IN] = { "dg_in", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_rise_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c)
{
    const double tau[2][2] = { { p[TAU_RISE_EX], p[TAU_DECAY_EX] }, { p[TAU_RISE_IN], p[TAU_DECAY_IN] } };
    iaf_cond_prepare(p, h, c, tau, true);
}

IAF_COND_HOOKS(true)

const rv_model rv_model_iaf_cond_beta = {
    .table = { .kind = RV_NEURONS, .name = "iaf_cond_beta",
               .summary = "leaky integrate-and-fire neuron with conductances that rise and decay",
               .equations = IAF_COND_EQUATIONS
                            "g_x(t) ~ exp(-t / tau_decay_x) - exp(-t / tau_rise_x) after a spike of weight w, with a peak of |w| (nS);\n"
                            "         w > 0 goes to g_ex, w < 0 to g_in; equal times: the alpha function\n"
                            IAF_COND_SPIKE,
               .reference = "Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81; Rotter & Diesmann 1999, "
                            "doi:10.1007/s004220050570; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = iaf_cond_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
