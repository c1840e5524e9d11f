#include "sim/rule.h"
#include "sim/vector.h"

#include <math.h>

enum { A_LTP, A_LTD, THETA_PLUS, THETA_MINUS, TAU_U_BAR_PLUS, TAU_U_BAR_MINUS, TAU_U_BAR_BAR, DELAY_U_BARS, A_LTD_CONST, U_REF_SQUARED, TAU_X, W_MIN, W_MAX, DENDRITIC_FRACTION, N_PARAMS };
static const rv_field params[] = {
    [A_LTP] = { "A_LTP", "weight/mV^2", 8e-5, 0, 1e6, "amplitude of potentiation" },
    [A_LTD] = { "A_LTD", "weight/mV", 14e-5, 0, 1e6, "amplitude of depression" },
    [THETA_PLUS] = { "theta_plus", "mV", -45.3, -1e4, 1e4, "V_m above which there is potentiation" },
    [THETA_MINUS] = { "theta_minus", "mV", -70.6, -1e4, 1e4, "filtered V_m above which there are both; the resting potential" },
    [TAU_U_BAR_PLUS] = { "tau_u_bar_plus", "ms", 7, 1e-3, 1e6, "time constant of u_bar_plus" },
    [TAU_U_BAR_MINUS] = { "tau_u_bar_minus", "ms", 10, 1e-3, 1e6, "time constant of u_bar_minus" },
    [TAU_U_BAR_BAR] = { "tau_u_bar_bar", "ms", 500, 1e-3, 1e9, "time constant of u_bar_bar" },
    [DELAY_U_BARS] = { "delay_u_bars", "ms", 5, 0, 1000, "u_bar_plus and u_bar_minus count so late, rounded to steps" },
    [A_LTD_CONST] = { "A_LTD_const", "1", 1, 0, 1, "1: A_LTD is constant; 0: it is multiplied with u_bar_bar^2 / u_ref_squared (homeostasis)" },
    [U_REF_SQUARED] = { "u_ref_squared", "mV^2", 60, 1e-9, 1e9, "square of the mean depolarisation that is aimed at" },
    [TAU_X] = { "tau_x", "ms", 15, 1e-3, 1e6, "time constant of the presynaptic trace" },
    [W_MIN] = { "Wmin", "weight", 0, -1e9, 1e9, "lower bound of the weight" },
    [W_MAX] = { "Wmax", "weight", 100, -1e9, 1e9, "upper bound of the weight" },
    [DENDRITIC_FRACTION] = { "dendritic_fraction", "1", 1, 0, 1, "part of the delay that is dendritic; the rest is axonal" },
};

enum { K_LTP, K_LTD, ABOVE, REST, K_PLUS, K_MINUS, K_BAR, LATE, PER_U_REF, K_X, LOW, HIGH, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[W_MIN] > p[W_MAX]) return "Wmin must not be above Wmax";
    return p[A_LTD_CONST] != 0 && p[A_LTD_CONST] != 1 ? "A_LTD_const must be 0 or 1" : NULL;
}

static void prepare(const double *p, double *c)
{
    c[K_LTP] = p[A_LTP], c[K_LTD] = p[A_LTD], c[ABOVE] = p[THETA_PLUS], c[REST] = p[THETA_MINUS];
    c[K_PLUS] = p[TAU_U_BAR_PLUS], c[K_MINUS] = p[TAU_U_BAR_MINUS], c[K_BAR] = p[TAU_U_BAR_BAR], c[LATE] = p[DELAY_U_BARS];
    c[PER_U_REF] = p[A_LTD_CONST] == 1 ? 0 : 1 / p[U_REF_SQUARED], c[K_X] = p[TAU_X], c[LOW] = p[W_MIN], c[HIGH] = p[W_MAX];
}

static void bounds(const double *p, double *low, double *high) { *low = p[W_MIN], *high = p[W_MAX]; }

/* x <- x exp(-since / tau_x) between presynaptic spikes, x <- x + 1 / tau_x at each */
static void source_decay(const double *c, double since, double *trace) { *trace *= exp(-since / c[K_X]); }
static void source_spike(const double *c, double *trace) { *trace += 1 / c[K_X]; }

/* ---- the membrane potential ----------------------------------------------------------------------------------------- */

enum { U_BAR_PLUS, U_BAR_MINUS, U_BAR_BAR };

static double voltage_delay(const double *c) { return c[LATE]; }

static void voltage_begin(const double *c, int n, const double *V_m, double *const u[])
{
    for (int i = 0; i < n; i++) u[U_BAR_PLUS][i] = u[U_BAR_MINUS][i] = V_m[i], u[U_BAR_BAR][i] = V_m[i] - c[REST];
}

/* tau du_bar/dt = V_m - u_bar over a step in which V_m stays as it was at its beginning; u_bar_bar follows u_bar_minus. */
RV_VECTORISED
static void voltage_filter(const double *c, double h, int n, const double *V_m, double *const u[])
{
    double *restrict plus = u[U_BAR_PLUS], *restrict minus = u[U_BAR_MINUS], *restrict bar = u[U_BAR_BAR];
    double  to_plus = -expm1(-h / c[K_PLUS]), to_minus = -expm1(-h / c[K_MINUS]), to_bar = -expm1(-h / c[K_BAR]), rest = c[REST];
    for (int i = 0; i < n; i++) {
        bar[i] += to_bar * (minus[i] - rest - bar[i]);
        plus[i] += to_plus * (V_m[i] - plus[i]);
        minus[i] += to_minus * (V_m[i] - minus[i]);
    }
}

RV_VECTORISED
static void voltage_change(const double *c, double h, int n, const double *V_m, double *const now[], double *const late[], double *ltp, double *ltd)
{
    const double *restrict plus = late[U_BAR_PLUS], *restrict minus = late[U_BAR_MINUS], *restrict bar = now[U_BAR_BAR];
    for (int i = 0; i < n; i++) {
        double homeostasis = c[PER_U_REF] == 0 ? 1 : bar[i] * bar[i] * c[PER_U_REF];
        ltp[i] = h * c[K_LTP] * larger(0, V_m[i] - c[ABOVE]) * larger(0, plus[i] - c[REST]);
        ltd[i] = homeostasis * c[K_LTD] * larger(0, minus[i] - c[REST]);
    }
}

/* ---- the weight ----------------------------------------------------------------------------------------------------- */

static double on_post(const double *c, double w, double *own, const double *source, const double *potentiation)
{
    (void)own;
    return smaller(w + *potentiation * *source, c[HIGH]);
}

static double on_pre(const double *c, double w, double *own, const double *depression, const double *source)
{
    (void)own, (void)source;
    return larger(w - *depression, c[LOW]);
}

const rv_rule rv_rule_stdp_voltage = {
    .table = { .kind = RV_LEARNING, .name = "stdp_voltage", .summary = "plasticity that depends on the target's membrane potential; clopath_synapse in NEST; grid timing",
               .equations = "tau_x dx/dt = -x + S_pre;  tau_u_bar du_bar/dt = V_m - u_bar for u_bar_plus, u_bar_minus;  [y]+ = max(0, y)\n"
                            "dw/dt = A_LTP x [V_m - theta_plus]+ [u_bar_plus - theta_minus]+ - A_LTD S_pre [u_bar_minus - theta_minus]+,  Wmin <= w <= Wmax\n"
                            "with u_bar_plus and u_bar_minus as they were delay_u_bars ago (as in the authors' program and NEST)\n"
                            "homeostasis: A_LTD u_bar_bar^2 / u_ref_squared,  tau_u_bar_bar du_bar_bar/dt = u_bar_minus - theta_minus - u_bar_bar\n"
                            "all of it belongs to the synapse: NEST keeps all but tau_x, Wmin and Wmax at the neuron",
               .reference = "Clopath, Buesing, Vasilaki & Gerstner 2010, doi:10.1038/nn.2479; ModelDB 144566",
               .params = params, .n_params = N_PARAMS },
    .n_constants = N_CONSTANTS, .n_source_traces = 1, .n_target_traces = 1, .check = check, .prepare = prepare, .bounds = bounds,
    .source_decay = source_decay, .source_spike = source_spike, .on_post = on_post, .on_pre = on_pre,
    .voltage_delay = voltage_delay, .voltage_begin = voltage_begin, .voltage_filter = voltage_filter, .voltage_change = voltage_change,
};
