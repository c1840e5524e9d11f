enum { G_EX = 1, DG_EX, G_IN, DG_IN, REFRACTORY, N_STATES };
#include "neurons/iaf_cond.h"

enum { TAU_SYN_EX = N_IAF_COND, TAU_SYN_IN, N_PARAMS };
static const rv_field params[] = {
    IAF_COND_PARAMS,
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 0.2, 1e-3, 1e5, "rise time of the excitatory conductance" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "rise time of the inhibitory conductance" },
};

static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [G_EX] = { "g_ex", "nS", 0, 0, 1e9, "excitatory conductance" },
    [DG_EX] = { "dg_ex", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_syn_ex" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [DG_IN] = { "dg_in", "nS/ms", 0, 0, 1e12, "its auxiliary variable, dg/dt + g/tau_syn_in" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c)
{
    const double tau[2][2] = { { p[TAU_SYN_EX], p[TAU_SYN_EX] }, { p[TAU_SYN_IN], p[TAU_SYN_IN] } };
    iaf_cond_prepare(p, h, c, tau, true);
}

IAF_COND_HOOKS(true)

const rv_model rv_model_iaf_cond_alpha = {
    .table = { .kind = RV_NEURONS, .name = "iaf_cond_alpha",
               .summary = "leaky integrate-and-fire neuron with alpha-shaped conductances",
               .equations = IAF_COND_EQUATIONS
                            "g_x(t) = w (e t / tau_syn_x) exp(-t / tau_syn_x) after a spike of weight w: peaks at w (nS) after tau_syn_x;\n"
                            "         w > 0 goes to g_ex, w < 0 goes to g_in as |w|\n"
                            IAF_COND_SPIKE,
               .reference = "Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = iaf_cond_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
