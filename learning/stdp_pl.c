#include "sim/exp.h"
#include "sim/plasticity_loop.h"
#include "sim/rule.h"
#include "sim/vector.h"

enum { TAU_PLUS, TAU_MINUS, LAMBDA, ALPHA, MU, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [TAU_PLUS] = { "tau_plus", "ms", 20, 1e-3, 1e6, "time constant of potentiation (pre before post)" },
    [TAU_MINUS] = { "tau_minus", "ms", 20, 1e-3, 1e6, "time constant of depression (post before pre)" },
    [LAMBDA] = { "lambda", "1", 0.1, 0, 1e6, "learning rate: potentiation of a pair at zero lag and weight 1, in units of the weight" },
    [ALPHA] = { "alpha", "1", 1, 0, 1e6, "depression relative to potentiation, at weight 1" },
    [MU] = { "mu", "1", 0.4, 0, 10, "exponent of the weight in potentiation" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { K_TAU_PLUS, K_TAU_MINUS, POTENTIATION, DEPRESSION, K_MU, N_CONSTANTS };

static void prepare(const double *p, double *c)
{
    c[K_TAU_PLUS] = p[TAU_PLUS], c[K_TAU_MINUS] = p[TAU_MINUS], c[K_MU] = p[MU];
    c[POTENTIATION] = p[LAMBDA], c[DEPRESSION] = p[LAMBDA] * p[ALPHA];
}

static void bounds(const double *p, double *low, double *high) { (void)p, *low = 0, *high = 1e9; }

RV_IN_LOOP void source_decay(const double *c, double since, double *trace) { *trace *= exponential(-since / c[K_TAU_PLUS]); }
static void target_decay(const double *c, double since, double *trace) { *trace *= exponential(-since / c[K_TAU_MINUS]); }
static void spike(const double *c, double *trace) { (void)c, *trace += 1; }

RV_IN_LOOP double on_post(const double *c, double w, double *own, const double *source, const double *target)
{
    (void)own, (void)target;
    return w + c[POTENTIATION] * power(w, c[K_MU]) * *source;
}

RV_IN_LOOP double on_pre(const double *c, double w, double *own, const double *target, const double *source)
{
    (void)own, (void)source;
    return larger(w - c[DEPRESSION] * w * *target, 0);
}

RV_LEARNING_LOOP(arrive, 1, 1, source_decay, on_post, on_pre)

const rv_rule rv_rule_stdp_pl = {
    .table = { .kind = RV_LEARNING, .name = "stdp_pl", .summary = "spike-timing dependent plasticity with power-law potentiation",
               .equations = "each pair of spikes, lag = t_post - t_pre as the synapse sees it; all pairs\n"
                            "lag > 0:  w <- w + lambda w^mu exp(-lag / tau_plus), at the postsynaptic spike\n"
                            "lag < 0:  w <- max(0, w - lambda alpha w exp(lag / tau_minus)), at the presynaptic spike\n"
                            "weights are not negative and have no upper bound; Morrison's lambda w_0^(1 - mu) is lambda here, with w_0 = 1",
               .reference = "Morrison, Aertsen & Diesmann 2007, doi:10.1162/neco.2007.19.6.1437; stdp_pl_synapse_hom in NEST",
               .params = params, .n_params = N_PARAMS },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .target_decay = target_decay, .source_spike = spike, .target_spike = spike,
    .on_post = on_post, .on_pre = on_pre, .arrive = arrive,
};
