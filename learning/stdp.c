#include "sim/exp.h"
#include "sim/plasticity_loop.h"
#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { TAU_PLUS, TAU_MINUS, LAMBDA, ALPHA, MU_PLUS, MU_MINUS, W_MAX, PAIRING, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [TAU_PLUS] = { "tau_plus", "ms", 20, 1e-3, 1e6, "time constant of potentiation (pre before post)" },
    [TAU_MINUS] = { "tau_minus", "ms", 20, 1e-3, 1e6, "time constant of depression (post before pre)" },
    [LAMBDA] = { "lambda", "1", 0.01, 0, 1e6, "learning rate: potentiation of a pair at zero lag and zero weight, in Wmax" },
    [ALPHA] = { "alpha", "1", 1, 0, 1e6, "depression relative to potentiation" },
    [MU_PLUS] = { "mu_plus", "1", 1, 0, 10, "weight dependence of potentiation: 0 additive, 1 multiplicative" },
    [MU_MINUS] = { "mu_minus", "1", 1, 0, 10, "weight dependence of depression: 0 additive, 1 multiplicative" },
    [W_MAX] = { "Wmax", "weight", 100, -1e9, 1e9, "upper bound of the weight (lower bound if negative); the other bound is 0" },
    [PAIRING] = { "pairing", "1", 0, 0, 3, "which spikes form pairs" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { ALL_PAIRS, NN_SYMM, NN_PRE_CENTERED, NN_RESTR };
static const char *const pairings[] = { "all", "nn_symm", "nn_pre_centered", "nn_restr" };
static const rv_words    words[] = { { "pairing", pairings, 4 } };

enum { K_TAU_PLUS, K_TAU_MINUS, POTENTIATION, DEPRESSION, K_MU_PLUS, K_MU_MINUS, K_W_MAX, PER_W_MAX, K_PAIRING, KEEP_PLUS, KEEP_MINUS, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[PAIRING] != rint(p[PAIRING])) return "pairing is 0, 1, 2 or 3: \"all\", \"nn_symm\", \"nn_pre_centered\", \"nn_restr\"";
    return p[W_MAX] == 0 ? "Wmax must not be 0" : NULL;
}

static void prepare(const double *p, double *c)
{
    c[K_TAU_PLUS] = p[TAU_PLUS], c[K_TAU_MINUS] = p[TAU_MINUS], c[POTENTIATION] = p[LAMBDA], c[DEPRESSION] = p[ALPHA] * p[LAMBDA];
    c[K_MU_PLUS] = p[MU_PLUS], c[K_MU_MINUS] = p[MU_MINUS], c[K_W_MAX] = p[W_MAX], c[PER_W_MAX] = 1 / p[W_MAX];
    c[K_PAIRING] = p[PAIRING], c[KEEP_PLUS] = c[KEEP_MINUS] = p[PAIRING] == ALL_PAIRS;
}

static void bounds(const double *p, double *low, double *high) { *low = smaller(0, p[W_MAX]), *high = larger(0, p[W_MAX]); }

/* Both traces: K <- K exp(-since / tau) between spikes; at each K <- K + 1 where all pairs count, K <- 1 where the nearest. */
RV_IN_LOOP void source_decay(const double *c, double since, double *trace) { *trace *= exponential(-since / c[K_TAU_PLUS]); }
static void target_decay(const double *c, double since, double *trace) { *trace *= exponential(-since / c[K_TAU_MINUS]); }
static void source_spike(const double *c, double *trace) { *trace = c[KEEP_PLUS] * *trace + 1; }
static void target_spike(const double *c, double *trace) { *trace = c[KEEP_MINUS] * *trace + 1; }

/* Pre-centred and restricted pairs depend on the order of the spikes of both sides: each synapse keeps what tells it.
 * Pre-centred: the sum of the trace over the presynaptic spikes since the last postsynaptic one, as it was at the last.
 * Restricted: which side spiked last. */
static int n_own(const double *p) { return p[PAIRING] >= NN_PRE_CENTERED; }
enum { NEITHER, PRE, POST };

/* x^mu, straight where mu is 0 or 1: the same bits in both ways. */
RV_IN_LOOP double general(double x, double mu)
{
    double y = power(x, mu);
    y = mu == 1 ? x : y;
    return mu == 0 ? 1 : y;
}

RV_IN_LOOP double straight(double x, double mu) { return (1 - mu) + mu * x; }

typedef double factor(double x, double mu);

RV_IN_LOOP double potentiate(const double *c, double w, double trace, factor *of)
{
    double x = w * c[PER_W_MAX];
    x += c[POTENTIATION] * of(1 - x, c[K_MU_PLUS]) * trace;
    return smaller(x, 1) * c[K_W_MAX];
}

RV_IN_LOOP double depress(const double *c, double w, double trace, factor *of)
{
    double x = w * c[PER_W_MAX];
    x -= c[DEPRESSION] * of(x, c[K_MU_MINUS]) * trace;
    return trace == 0 ? w : larger(x, 0) * c[K_W_MAX];
}

/* Pairs that need no memory of a synapse, in general and where both exponents are 0 or 1 */
#define PAIRS(name, of)                                                                                                  \
    RV_IN_LOOP double name##_post(const double *c, double w, double *own, const double *source, const double *target)      \
    {                                                                                                                  \
        (void)own, (void)target;                                                                                       \
        return potentiate(c, w, *source, of);                                                                          \
    }                                                                                                                  \
    RV_IN_LOOP double name##_pre(const double *c, double w, double *own, const double *target, const double *source)       \
    {                                                                                                                  \
        (void)own, (void)source;                                                                                       \
        return depress(c, w, *target, of);                                                                             \
    }                                                                                                                  \
    RV_LEARNING_LOOP(name##_arrive, 1, 1, source_decay, name##_post, name##_pre)

PAIRS(general, general)
PAIRS(straight, straight)

static double on_post(const double *c, double w, double *own, const double *source, const double *target)
{
    if (c[K_PAIRING] < NN_PRE_CENTERED) return general_post(c, w, own, source, target);
    double before = *own;
    *own = c[K_PAIRING] == NN_PRE_CENTERED ? 0 : POST;
    if (c[K_PAIRING] == NN_PRE_CENTERED) return potentiate(c, w, before * *source, general);
    return before == PRE ? potentiate(c, w, *source, general) : w;
}

static double on_pre(const double *c, double w, double *own, const double *target, const double *source)
{
    if (c[K_PAIRING] < NN_PRE_CENTERED) return general_pre(c, w, own, target, source);
    double before = *own;
    *own = c[K_PAIRING] == NN_PRE_CENTERED ? before * *source + 1 : PRE;
    return c[K_PAIRING] == NN_PRE_CENTERED || before == POST ? depress(c, w, *target, general) : w;
}

static bool is_straight(double mu) { return mu == 0 || mu == 1; }

static void arrive(plastic *p, const presynaptic *spike)
{
    const double *c = p->b->rule_constant;
    if (c[K_PAIRING] >= NN_PRE_CENTERED) plastic_loop(p, spike, (plastic_hooks){ source_decay, on_post, on_pre, NULL, 1, 1 });
    else if (is_straight(c[K_MU_PLUS]) && is_straight(c[K_MU_MINUS])) straight_arrive(p, spike);
    else general_arrive(p, spike);
}

const rv_rule rv_rule_stdp = {
    .table = { .kind = RV_LEARNING, .name = "stdp", .summary = "pair-based spike-timing dependent plasticity",
               .equations = "x = w / Wmax;  each pair of spikes, lag = t_post - t_pre as the synapse sees it\n"
                            "lag > 0:  x <- min(1, x + lambda (1 - x)^mu_plus exp(-lag / tau_plus)), at the postsynaptic spike\n"
                            "lag < 0:  x <- max(0, x - alpha lambda x^mu_minus exp(lag / tau_minus)), at the presynaptic spike\n"
                            "mu = 0: additive (Song 2000), mu = 1: multiplicative (Rubin 2001), between: Guetig 2003; van Rossum 2000: 0, 1\n"
                            "pairing = \"all\": every spike with all before it (stdp_synapse)\n"
                            "  \"nn_symm\": every spike with the last of the other side (stdp_nn_symm_synapse)\n"
                            "  \"nn_pre_centered\": a presynaptic spike with the last postsynaptic one and the next (stdp_nn_pre_centered_synapse)\n"
                            "  \"nn_restr\": neighbours only: no spike of either side between the two (stdp_nn_restr_synapse)",
               .reference = "Guetig, Aharonov, Rotter & Sompolinsky 2003, doi:10.1523/JNEUROSCI.23-09-03697.2003; "
                            "traces and pairings: Morrison, Diesmann & Gerstner 2008, doi:10.1007/s00422-008-0233-1; stdp_synapse in NEST",
               .params = params, .n_params = N_PARAMS, .words = words, .n_words = 1 },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .target_decay = target_decay, .source_spike = source_spike, .target_spike = target_spike,
    .on_post = on_post, .on_pre = on_pre, .arrive = arrive, .n_own = n_own,
};
