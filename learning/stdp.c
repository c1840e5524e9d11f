#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { TAU_PLUS, TAU_MINUS, LAMBDA, ALPHA, MU_PLUS, MU_MINUS, W_MAX, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [TAU_PLUS] = { "tau_plus", "ms", 20, 1e-3, 1e6, "time constant of potentiation (pre before post)" },
    [TAU_MINUS] = { "tau_minus", "ms", 20, 1e-3, 1e6, "time constant of depression (post before pre)" },
    [LAMBDA] = { "lambda", "1", 0.01, 0, 1e6, "learning rate: potentiation of a pair at zero lag and zero weight, in Wmax" },
    [ALPHA] = { "alpha", "1", 1, 0, 1e6, "depression relative to potentiation" },
    [MU_PLUS] = { "mu_plus", "1", 1, 0, 10, "weight dependence of potentiation: 0 additive, 1 multiplicative" },
    [MU_MINUS] = { "mu_minus", "1", 1, 0, 10, "weight dependence of depression: 0 additive, 1 multiplicative" },
    [W_MAX] = { "Wmax", "weight", 100, -1e9, 1e9, "upper bound of the weight (lower bound if negative); the other bound is 0" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { K_TAU_PLUS, K_TAU_MINUS, POTENTIATION, DEPRESSION, K_MU_PLUS, K_MU_MINUS, K_W_MAX, PER_W_MAX, N_CONSTANTS };

static const char *check(const double *p) { return p[W_MAX] == 0 ? "Wmax must not be 0" : NULL; }

static void prepare(const double *p, double *c)
{
    c[K_TAU_PLUS] = p[TAU_PLUS], c[K_TAU_MINUS] = p[TAU_MINUS], c[POTENTIATION] = p[LAMBDA], c[DEPRESSION] = p[ALPHA] * p[LAMBDA];
    c[K_MU_PLUS] = p[MU_PLUS], c[K_MU_MINUS] = p[MU_MINUS], c[K_W_MAX] = p[W_MAX], c[PER_W_MAX] = 1 / p[W_MAX];
}

static void bounds(const double *p, double *low, double *high) { *low = smaller(0, p[W_MAX]), *high = larger(0, p[W_MAX]); }

/* Both traces sum over all spikes: K <- K exp(-since / tau) between them, K <- K + 1 at each. */
static void source_decay(const double *c, double since, double *trace) { *trace *= exp(-since / c[K_TAU_PLUS]); }
static void target_decay(const double *c, double since, double *trace) { *trace *= exp(-since / c[K_TAU_MINUS]); }
static void spike(const double *c, double *trace) { (void)c, *trace += 1; }

static double power(double x, double mu) { return mu == 0 ? 1 : mu == 1 ? x : pow(x, mu); }

static double on_post(const double *c, double w, const double *source, const double *target)
{
    (void)target;
    double x = w * c[PER_W_MAX];
    x += c[POTENTIATION] * power(1 - x, c[K_MU_PLUS]) * *source;
    return smaller(x, 1) * c[K_W_MAX];
}

static double on_pre(const double *c, double w, const double *target, const double *source)
{
    (void)source;
    if (*target == 0) return w;
    double x = w * c[PER_W_MAX];
    x -= c[DEPRESSION] * power(x, c[K_MU_MINUS]) * *target;
    return larger(x, 0) * c[K_W_MAX];
}

const rv_rule rv_rule_stdp = {
    .table = { .kind = RV_LEARNING, .name = "stdp", .summary = "pair-based spike-timing dependent plasticity, all pairs",
               .equations = "x = w / Wmax;  each pair of spikes, lag = t_post - t_pre as the synapse sees it\n"
                            "lag > 0:  x <- min(1, x + lambda (1 - x)^mu_plus exp(-lag / tau_plus)), at the postsynaptic spike\n"
                            "lag < 0:  x <- max(0, x - alpha lambda x^mu_minus exp(lag / tau_minus)), at the presynaptic spike\n"
                            "mu = 0: additive (Song 2000), mu = 1: multiplicative (Rubin 2001), between: Guetig 2003; van Rossum 2000: 0, 1",
               .reference = "Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003; "
                            "traces: Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1; stdp_synapse in NEST",
               .params = params, .n_params = N_PARAMS },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .target_decay = target_decay, .source_spike = spike, .target_spike = spike,
    .on_post = on_post, .on_pre = on_pre,
};
