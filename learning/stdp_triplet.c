#include "sim/exp.h"
#include "sim/plasticity_loop.h"
#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { TAU_PLUS, TAU_PLUS_TRIPLET, TAU_MINUS, TAU_MINUS_TRIPLET, A_PLUS, A_MINUS, A_PLUS_TRIPLET, A_MINUS_TRIPLET, W_MAX, PAIRING, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [TAU_PLUS] = { "tau_plus", "ms", 16.8, 1e-3, 1e6, "time constant of the presynaptic trace r1" },
    [TAU_PLUS_TRIPLET] = { "tau_plus_triplet", "ms", 101, 1e-3, 1e6, "time constant of the slow presynaptic trace r2" },
    [TAU_MINUS] = { "tau_minus", "ms", 20, 1e-3, 1e6, "time constant of the postsynaptic trace o1" },
    [TAU_MINUS_TRIPLET] = { "tau_minus_triplet", "ms", 110, 1e-3, 1e6, "time constant of the slow postsynaptic trace o2" },
    [A_PLUS] = { "Aplus", "weight", 5e-10, -1e9, 1e9, "potentiation by a pair" },
    [A_MINUS] = { "Aminus", "weight", 7e-3, -1e9, 1e9, "depression by a pair" },
    [A_PLUS_TRIPLET] = { "Aplus_triplet", "weight", 6.2e-3, -1e9, 1e9, "potentiation by a triplet post-pre-post" },
    [A_MINUS_TRIPLET] = { "Aminus_triplet", "weight", 2.3e-4, -1e9, 1e9, "depression by a triplet pre-post-pre" },
    [W_MAX] = { "Wmax", "weight", 100, -1e9, 1e9, "upper bound of the weight (lower bound if negative); the other bound is 0" },
    [PAIRING] = { "pairing", "1", 0, 0, 1, "which spikes form pairs and triplets" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

static const char *const pairings[] = { "all", "nearest" };
static const rv_words    words[] = { { "pairing", pairings, 2 } };

enum { K_TAU_R1, K_TAU_R2, K_TAU_O1, K_TAU_O2, K_PLUS, K_MINUS, K_PLUS_TRIPLET, K_MINUS_TRIPLET, SIGN, HIGHEST, KEEP, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[PAIRING] != rint(p[PAIRING])) return "pairing is 0 or 1: \"all\" or \"nearest\"";
    return p[W_MAX] == 0 ? "Wmax must not be 0" : NULL;
}

static void prepare(const double *p, double *c)
{
    c[K_TAU_R1] = p[TAU_PLUS], c[K_TAU_R2] = p[TAU_PLUS_TRIPLET], c[K_TAU_O1] = p[TAU_MINUS], c[K_TAU_O2] = p[TAU_MINUS_TRIPLET];
    c[K_PLUS] = p[A_PLUS], c[K_MINUS] = p[A_MINUS], c[K_PLUS_TRIPLET] = p[A_PLUS_TRIPLET], c[K_MINUS_TRIPLET] = p[A_MINUS_TRIPLET];
    c[SIGN] = copysign(1, p[W_MAX]), c[HIGHEST] = fabs(p[W_MAX]), c[KEEP] = p[PAIRING] == 0;
}

static void bounds(const double *p, double *low, double *high) { *low = smaller(0, p[W_MAX]), *high = larger(0, p[W_MAX]); }

/* What a triplet reads of o2 and r2 is their value before the spike: the target keeps it beside o1 and o2. */
enum { R1, R2 };
enum { O1, O2, O2_BEFORE };

RV_IN_LOOP void source_decay(const double *c, double since, double *r)
{
    r[R1] *= exponential(-since / c[K_TAU_R1]);
    r[R2] *= exponential(-since / c[K_TAU_R2]);
}

static void target_decay(const double *c, double since, double *o)
{
    o[O1] *= exponential(-since / c[K_TAU_O1]);
    o[O2] *= exponential(-since / c[K_TAU_O2]);
}

static void source_spike(const double *c, double *r) { r[R1] = c[KEEP] * r[R1] + 1, r[R2] = c[KEEP] * r[R2] + 1; }

static void target_spike(const double *c, double *o)
{
    o[O2_BEFORE] = o[O2];
    o[O1] = c[KEEP] * o[O1] + 1, o[O2] = c[KEEP] * o[O2] + 1;
}

RV_IN_LOOP double on_post(const double *c, double w, double *own, const double *r, const double *o)
{
    (void)own;
    double size = c[SIGN] * w + r[R1] * (c[K_PLUS] + c[K_PLUS_TRIPLET] * o[O2_BEFORE]);
    return c[SIGN] * larger(smaller(size, c[HIGHEST]), 0);
}

RV_IN_LOOP double on_pre(const double *c, double w, double *own, const double *o, const double *r)
{
    (void)own;
    double size = c[SIGN] * w - o[O1] * (c[K_MINUS] + c[K_MINUS_TRIPLET] * r[R2]);
    return c[SIGN] * larger(smaller(size, c[HIGHEST]), 0);
}

RV_LEARNING_LOOP(arrive, 2, 3, source_decay, on_post, on_pre)

const rv_rule rv_rule_stdp_triplet = {
    .table = { .kind = RV_LEARNING, .name = "stdp_triplet", .summary = "triplet rule: what a pair does depends on the spike before it",
               .equations = "dr1/dt = -r1 / tau_plus, dr2/dt = -r2 / tau_plus_triplet, both + 1 at a presynaptic spike\n"
                            "do1/dt = -o1 / tau_minus, do2/dt = -o2 / tau_minus_triplet, both + 1 at a postsynaptic spike (pairing = \"nearest\": set to 1)\n"
                            "post:  |w| <- min(|Wmax|, |w| + r1 (Aplus + Aplus_triplet o2)), o2 just before the spike\n"
                            "pre:   |w| <- max(0, |w| - o1 (Aminus + Aminus_triplet r2)), r2 just before the spike\n"
                            "the standard values are those of the minimal model for visual cortex, and NEST's; w has the sign of Wmax",
               .reference = "Pfister & Gerstner 2006, doi:10.1523/JNEUROSCI.1425-06.2006; stdp_triplet_synapse in NEST",
               .params = params, .n_params = N_PARAMS, .words = words, .n_words = 1 },
    .n_constants = N_CONSTANTS, .n_source_traces = 2, .n_target_traces = 3, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .target_decay = target_decay, .source_spike = source_spike, .target_spike = target_spike,
    .on_post = on_post, .on_pre = on_pre, .arrive = arrive,
};
