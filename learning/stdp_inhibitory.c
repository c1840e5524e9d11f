#include "sim/exp.h"
#include "sim/plasticity_loop.h"
#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { TAU, ALPHA, ETA, W_MAX, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [TAU] = { "tau", "ms", 20, 1e-3, 1e6, "time constant of both traces" },
    [ALPHA] = { "alpha", "1", 0.12, -1e6, 1e6, "depression by each presynaptic spike, in eta: 2 tau times the rate that the target is to have" },
    [ETA] = { "eta", "weight", 0.001, 0, 1e6, "learning rate: what a pair at zero lag adds" },
    [W_MAX] = { "Wmax", "weight", 1, -1e9, 1e9, "largest weight, with its sign: negative for inhibitory synapses; the other bound is 0" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { K_TAU, K_ETA, DEPRESSION, SIGN, HIGHEST, N_CONSTANTS };

static const char *check(const double *p) { return p[W_MAX] == 0 ? "Wmax must not be 0" : NULL; }

static void prepare(const double *p, double *c)
{
    c[K_TAU] = p[TAU], c[K_ETA] = p[ETA], c[DEPRESSION] = p[ALPHA] * p[ETA];
    c[SIGN] = copysign(1, p[W_MAX]), c[HIGHEST] = fabs(p[W_MAX]);
}

static void bounds(const double *p, double *low, double *high) { *low = smaller(0, p[W_MAX]), *high = larger(0, p[W_MAX]); }

RV_IN_LOOP void decay(const double *c, double since, double *trace) { *trace *= exponential(-since / c[K_TAU]); }
static void spike(const double *c, double *trace) { (void)c, *trace += 1; }

RV_IN_LOOP double on_post(const double *c, double w, double *own, const double *source, const double *target)
{
    (void)own, (void)target;
    return c[SIGN] * smaller(c[SIGN] * w + c[K_ETA] * *source, c[HIGHEST]);
}

/* First up to the bound, then down, as NEST does */
RV_IN_LOOP double on_pre(const double *c, double w, double *own, const double *target, const double *source)
{
    (void)own, (void)source;
    return c[SIGN] * larger(smaller(c[SIGN] * w + c[K_ETA] * *target, c[HIGHEST]) - c[DEPRESSION], 0);
}

RV_LEARNING_LOOP(arrive, 1, 1, decay, on_post, on_pre)

const rv_rule rv_rule_stdp_inhibitory = {
    .table = { .kind = RV_LEARNING, .name = "stdp_inhibitory", .summary = "inhibitory plasticity that balances excitation: symmetric STDP and a constant depression",
               .equations = "dx/dt = -x / tau for both sides, + 1 at a spike\n"
                            "post:  |w| <- min(|Wmax|, |w| + eta x_pre)\n"
                            "pre:   |w| <- max(0, min(|Wmax|, |w| + eta x_post) - alpha eta)\n"
                            "the weights rest where the target's rate is alpha / (2 tau);  w has the sign of Wmax",
               .reference = "Vogels, Sprekeler, Zenke, Clopath & Gerstner 2011, doi:10.1126/science.1211095; vogels_sprekeler_synapse in NEST",
               .params = params, .n_params = N_PARAMS },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = decay, .target_decay = decay, .source_spike = spike, .target_spike = spike, .on_post = on_post, .on_pre = on_pre, .arrive = arrive,
};
