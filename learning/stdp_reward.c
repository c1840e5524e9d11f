#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, TAU_C, TAU_N, B, W_MIN, W_MAX, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [A_PLUS] = { "A_plus", "1", 1, -1e9, 1e9, "what a pair pre before post at zero lag adds to the eligibility c" },
    [A_MINUS] = { "A_minus", "1", 1.5, -1e9, 1e9, "what a pair post before pre at zero lag takes from it" },
    [TAU_PLUS] = { "tau_plus", "ms", 20, 1e-3, 1e6, "time constant of pairs pre before post" },
    [TAU_MINUS] = { "tau_minus", "ms", 20, 1e-3, 1e6, "time constant of pairs post before pre" },
    [TAU_C] = { "tau_c", "ms", 1000, 1e-3, 1e9, "time constant of the eligibility" },
    [TAU_N] = { "tau_n", "ms", 200, 1e-3, 1e9, "time constant of the reward" },
    [B] = { "b", "1", 0, -1e9, 1e9, "baseline of the reward" },
    [W_MIN] = { "Wmin", "weight", 0, -1e9, 1e9, "lower bound of the weight" },
    [W_MAX] = { "Wmax", "weight", 200, -1e9, 1e9, "upper bound of the weight" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { C, N, N_STATES };
static const rv_field states[] = {
    [C] = { "c", "1", 0, -INFINITY, INFINITY, "eligibility: what the pairs of the last tau_c would change, were there a reward" },
    [N] = { "n", "1", 0, -INFINITY, INFINITY, "reward (dopamine), the same for all synapses" },
};

enum { K_PLUS, K_MINUS, K_TAU_PLUS, K_TAU_MINUS, K_TAU_C, K_TAU_N, BOTH /* 1/tau_c + 1/tau_n */, K_B, K_W_MIN, K_W_MAX, N_CONSTANTS };

static const char *check(const double *p) { return p[W_MIN] > p[W_MAX] ? "Wmin must not be above Wmax" : NULL; }

static void prepare(const double *p, double *c)
{
    c[K_PLUS] = p[A_PLUS], c[K_MINUS] = p[A_MINUS], c[K_TAU_PLUS] = p[TAU_PLUS], c[K_TAU_MINUS] = p[TAU_MINUS];
    c[K_TAU_C] = p[TAU_C], c[K_TAU_N] = p[TAU_N], c[BOTH] = 1 / p[TAU_C] + 1 / p[TAU_N], c[K_B] = p[B];
    c[K_W_MIN] = p[W_MIN], c[K_W_MAX] = p[W_MAX];
}

static void bounds(const double *p, double *low, double *high) { *low = p[W_MIN], *high = p[W_MAX]; }
static int  n_own(const double *p) { return (void)p, 1; }

static void source_decay(const double *c, double since, double *trace) { *trace *= exp(-since / c[K_TAU_PLUS]); }
static void target_decay(const double *c, double since, double *trace) { *trace *= exp(-since / c[K_TAU_MINUS]); }
static void spike(const double *c, double *trace) { (void)c, *trace += 1; }

static double on_post(const double *c, double w, double *own, const double *source, const double *target)
{
    (void)target;
    own[C] += c[K_PLUS] * *source;
    return w;
}

static double on_pre(const double *c, double w, double *own, const double *target, const double *source)
{
    (void)source;
    own[C] -= c[K_MINUS] * *target;
    return w;
}

static double reward_decay(const double *c, double since, double n) { return n * exp(-since / c[K_TAU_N]); }
static double reward_spike(const double *c) { return 1 / c[K_TAU_N]; }

/* c(s) = c exp(-s / tau_c), n(s) = n exp(-s / tau_n): the integral of c (n - b) has a closed form. The bounds are applied at
 * its end, as in NEST; between two rewards it only crosses them and comes back if n crosses b. */
static double carry(const double *c, double w, double *own, double n, double since)
{
    double fading = -expm1(-since / c[K_TAU_C]);
    w += own[C] * (n / c[BOTH] * -expm1(-since * c[BOTH]) - c[K_B] * c[K_TAU_C] * fading);
    own[C] *= 1 - fading;
    return larger(smaller(w, c[K_W_MAX]), c[K_W_MIN]);
}

static double state(const double *c, int k, const double *source, const double *own, double n)
{
    (void)c, (void)source;
    return k == C ? own[C] : n;
}

const rv_rule rv_rule_stdp_reward = {
    .table = { .kind = RV_LEARNING, .name = "stdp_reward", .summary = "STDP gated by a reward (dopamine) that comes later",
               .equations = "dc/dt = -c / tau_c + A_plus exp(-lag / tau_plus) for pairs with lag = t_post - t_pre > 0, at the postsynaptic spike\n"
                            "                   - A_minus exp(lag / tau_minus) for pairs with lag < 0, at the presynaptic spike; all pairs\n"
                            "dn/dt = -n / tau_n + 1 / tau_n at each spike of the population given by projection:reward_from(population, delay)\n"
                            "                   + x at projection:reward(x)\n"
                            "dw/dt = c (n - b), within Wmin..Wmax",
               .reference = "Izhikevich 2007, doi:10.1093/cercor/bhl152; exact between events: Potjans, Morrison & Diesmann 2010, "
                            "doi:10.3389/fncom.2010.00141; stdp_dopamine_synapse in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .target_decay = target_decay, .source_spike = spike, .target_spike = spike, .on_post = on_post, .on_pre = on_pre,
    .n_own = n_own, .reward_decay = reward_decay, .reward_spike = reward_spike, .carry = carry, .state = state,
};
