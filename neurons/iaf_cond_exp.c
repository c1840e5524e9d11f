enum { G_EX = 1, G_IN, REFRACTORY, N_STATES };
#include "neurons/iaf_cond.h"

enum { TAU_SYN_EX = N_IAF_COND, TAU_SYN_IN, N_PARAMS };
static const rv_field params[] = {
    IAF_COND_PARAMS,
    [TAU_SYN_EX] = { "tau_syn_ex", "ms", 0.2, 1e-3, 1e5, "time constant of the excitatory conductance" },
    [TAU_SYN_IN] = { "tau_syn_in", "ms", 2, 1e-3, 1e5, "time constant of the inhibitory conductance" },
};

static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [G_EX] = { "g_ex", "nS", 0, 0, 1e9, "excitatory conductance" },
    [G_IN] = { "g_in", "nS", 0, 0, 1e9, "inhibitory conductance" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

static void prepare(const double *p, double h, double *c)
{
    const double tau[2][2] = { { p[TAU_SYN_EX], p[TAU_SYN_EX] }, { p[TAU_SYN_IN], p[TAU_SYN_IN] } };
    iaf_cond_prepare(p, h, c, tau, false);
}

IAF_COND_HOOKS(false)

const rv_model rv_model_iaf_cond_exp = {
    .table = { .kind = RV_NEURONS, .name = "iaf_cond_exp",
               .summary = "leaky integrate-and-fire neuron with exponentially decaying conductances",
               .equations = IAF_COND_EQUATIONS
                            "dg_x/dt = -g_x / tau_syn_x;  a spike of weight w adds w (nS) to g_ex or, if negative, |w| to g_in\n"
                            IAF_COND_SPIKE,
               .reference = "Meffin, Burkitt & Grayden 2004, doi:10.1023/B:JCNS.0000014108.03012.81; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = iaf_cond_check, .prepare = prepare, .sweep = sweep, .advance = advance,
    .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
