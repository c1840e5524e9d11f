/* Learning rules of Loihi's kind in floating point: any sum of products (sim/products.h), and two of Lava's that have names. With
 * synapse = "loihi" the same rules run in the integers of the chip (hw/loihi_learning.c). */
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "sim/rule.h"
#include "sim/vector.h"

/* ---- floating point ------------------------------------------------------------------------------------------------ */

static void decay(double keep, double random, double *trace, int n)
{
    (void)random;
    for (int i = 0; i < n; i++) trace[i] = keep * trace[i];
}

static double add_impulse(double impulse, double random, double trace) { return (void)random, trace + impulse; }

static double take_payload(rv_graded_mode mode, double payload, double trace, bool *counts)
{
    (void)counts;
    return mode == GRADED_OVERWRITE ? payload / 2 : trace + payload / 2;
}

static void begin(const double *variable, double *sum, int n)
{
    (void)variable;
    for (int i = 0; i < n; i++) sum[i] = 0;
}

RV_VECTORISED
static void add_product(const rule_product *p, const double *value, double *sum, int n)
{
    double scale = ldexp(p->mantissa, p->exponent);
    for (int i = 0; i < n; i++) sum[i] += scale * value[i];
}

RV_VECTORISED
static void end(const double *sum, double low, double high, double random, double *variable, int n)
{
    (void)random;
    for (int i = 0; i < n; i++) variable[i] = smaller(larger(variable[i] + sum[i], low), high);
}

static const rv_arithmetic floating_point = {
    .low = { [EPOCH_W] = -INFINITY, [EPOCH_T] = -INFINITY, [EPOCH_D] = 0 }, .high = { INFINITY, INFINITY, INFINITY },
    .lowest_trace = -DBL_MAX, .highest_trace = DBL_MAX, .decay = decay, .add_impulse = add_impulse, .take_payload = take_payload, .begin = begin, .add_product = add_product, .end = end,
};

/* ---- any rule ------------------------------------------------------------------------------------------------------ */

#define IMPULSE(name, spike) { name "_impulse", "1", 0, 0, 1e9, "what a spike of the " spike " adds to the trace " name "; 0 to 127 on the chip" }
#define TAU(name)            { name "_tau", "steps", 0, 0, 1e9, "time constant of " name "; 0: forgotten within a step" }
#define T_EPOCH { "t_epoch", "steps", 1, 1, MAX_EPOCH, "length of an epoch, at the end of which the synapses learn" }
#define W_MIN   { "w_min", "weight", -NO_WEIGHT_BOUND, -NO_WEIGHT_BOUND, NO_WEIGHT_BOUND, "lower bound of the weight; the standard means none" }
#define W_MAX   { "w_max", "weight", NO_WEIGHT_BOUND, -NO_WEIGHT_BOUND, NO_WEIGHT_BOUND, "upper bound of the weight; the standard means none" }
#define REFERENCE "Davies et al. 2018, doi:10.1109/MM.2018.112130359; Lava 0.10.0 (lava-nc/lava), magma/core/learning and model/py/connection.py"

enum { EPOCH, LOW, HIGH, X1_IMPULSE, GRADED = X1_IMPULSE + 2 * N_EPOCH_TRACES, N_PARAMS }; /* of each trace impulse, then tau */
static const rv_field params[N_PARAMS] = {
    [EPOCH] = T_EPOCH, [LOW] = W_MIN, [HIGH] = W_MAX,
    [X1_IMPULSE] = IMPULSE("x1", "source"), TAU("x1"), IMPULSE("x2", "source"), TAU("x2"),
    IMPULSE("y1", "target"), TAU("y1"), IMPULSE("y2", "target"), TAU("y2"), IMPULSE("y3", "target"), TAU("y3"),
    [GRADED] = { "graded_spike_cfg", "1", GRADED_IMPULSE, GRADED_IMPULSE, N_GRADED_MODES - 1,
                 "what spikes that carry numbers (num_message_bits) do to x1: 0 add the impulse; half of the number 1 overwrites it, 2 is added, 3 is added, and what exceeds 127 stays and makes the spike count" },
};

static const rv_text_field texts[N_EPOCH_VARIABLES] = {
    [EPOCH_W] = { "dw", "what is added to the weight, as in \"2^-2*x1*y0 - 2^-2*y1*x0\"" },
    [EPOCH_T] = { "dt", "to the tag, a number that each synapse keeps for the rule, as in \"x1*y0 - u0*t*2^-3\"" },
    [EPOCH_D] = { "dd", "to the delay variable; it does not delay anything" },
};

/* The first three parameters of all rules here */
static void take_common(const double *p, rv_epochs *e) { e->t_epoch = (int)p[EPOCH], e->w_min = p[LOW], e->w_max = p[HIGH]; }

static const char *check(const double *p)
{
    if (p[EPOCH] != rint(p[EPOCH])) return "t_epoch must be a whole number";
    return p[LOW] > p[HIGH] ? "w_min must not be above w_max" : NULL;
}

static const char *check_any(const double *p)
{
    if (p[GRADED] != rint(p[GRADED])) return "graded_spike_cfg must be 0, 1, 2 or 3";
    return check(p);
}

static void bounds(const double *p, double *low, double *high)
{
    if (p[LOW] > -NO_WEIGHT_BOUND) *low = p[LOW];
    if (p[HIGH] < NO_WEIGHT_BOUND) *high = p[HIGH];
}

static void epochs(const double *p, char *const *text, rv_epochs *e)
{
    take_common(p, e);
    e->graded = (int)p[GRADED];
    for (int v = 0; v < N_EPOCH_VARIABLES; v++) e->text[v] = text[v];
    for (int k = 0; k < N_EPOCH_TRACES; k++) e->impulse[k] = p[X1_IMPULSE + 2 * k], e->tau[k] = p[X1_IMPULSE + 2 * k + 1];
}

const rv_rule rv_rule_loihi_rule = {
    .table = { .kind = RV_LEARNING, .name = "loihi_rule", .summary = "any rule of Loihi's learning engine: sums of products, evaluated in epochs",
               .equations = "dw, dt, dd: sums of products of one dependency and factors\n"
                            "  x0, y0: source, target has spiked in this epoch;  u0 to u9: in every 2^k-th epoch\n"
                            "  x1 x2 (source), y1 y2 y3 (target): traces;  w t d: weight, tag, delay of the synapse;  numbers\n"
                            "  (y2 + 3): with a constant;  sgn(w - 4): the sign, of w, t and d\n"
                            "traces: z <- z exp(-1 / tau) in every step, then z <- z + impulse at a spike\n"
                            "every t_epoch steps: (w, t, d) <- (w, t, d) + sums, traces as they were at the last spike that x0 or y0 stands for\n"
                            "w stays in w_min..w_max, d >= 0;  projection:get and projection:set read and set t, d and the traces;\n"
                            "a y that has been set is not a trace any more but what was set, such as a reward; with tau 0 it does not decay\n"
                            "synapse = \"loihi\": in the chip's integers: traces 0..127, scales m 2^e with m = -8..7, e = -7..8",
               .reference = REFERENCE, .params = params, .n_params = N_PARAMS, .texts = texts, .n_texts = N_EPOCH_VARIABLES },
    .epochs = epochs, .arithmetic = &floating_point, .check = check_any, .bounds = bounds,
};

/* ---- Lava's rules with names --------------------------------------------------------------------------------------- */

/* A number as Lava writes it into a rule: whole, times a power of two that brings it near (utils.float_to_literal). */
static const char *literal(double x, char text[48])
{
    double mantissa = larger(floor(fabs(x)), 1), exponent = x == 0 ? 0 : rint(log2(fabs(x) / mantissa));
    snprintf(text, 48, "(%.0f)*2^%.0f", x == 0 ? 0 : copysign(mantissa, x), exponent);
    return text;
}
#define LITERAL(x) literal(x, (char[48]){ 0 })

enum { RATE = HIGH + 1, A_PLUS, A_MINUS, TAU_PLUS, TAU_MINUS, X_IMPULSE, Y_IMPULSE, N_STDP_PARAMS, TAG_DECAY = N_STDP_PARAMS, N_REWARD_PARAMS };
#define STDP_PARAMS                                                                                                   \
    [EPOCH] = T_EPOCH, [LOW] = W_MIN, [HIGH] = W_MAX,                                                                 \
    [RATE] = { "learning_rate", "1", 1, 0, 1e6, "scale of all changes" },                                             \
    [A_PLUS] = { "A_plus", "1", 1, -1e6, 1e6, "change at a spike of the target, times x1" },                          \
    [A_MINUS] = { "A_minus", "1", -1, -1e6, 1e6, "change at a spike of the source, times y1" },                       \
    [TAU_PLUS] = { "tau_plus", "steps", 10, 0, 1e9, "time constant of x1" },                                          \
    [TAU_MINUS] = { "tau_minus", "steps", 10, 0, 1e9, "time constant of y1" },                                        \
    [X_IMPULSE] = { "x1_impulse", "1", 16, 0, 1e9, "what a spike of the source adds to x1" },                         \
    [Y_IMPULSE] = { "y1_impulse", "1", 16, 0, 1e9, "what a spike of the target adds to y1" }

static const rv_field stdp_params[N_STDP_PARAMS] = { STDP_PARAMS };
static const rv_field reward_params[N_REWARD_PARAMS] = {
    STDP_PARAMS, [TAG_DECAY] = { "tag_decay", "1", 0.5, 0, 1, "part of the tag that is lost in every epoch (Lava's eligibility_trace_decay_tau)" }
};

/* The two products of STDP */
static void write_stdp(const double *p, rv_epochs *e, char text[RULE_TEXT])
{
    take_common(p, e);
    e->tau[EPOCH_X1] = p[TAU_PLUS], e->tau[EPOCH_Y1] = p[TAU_MINUS];
    e->impulse[EPOCH_X1] = p[X_IMPULSE], e->impulse[EPOCH_Y1] = p[Y_IMPULSE];
    const char *rate = LITERAL(p[RATE]);
    snprintf(text, RULE_TEXT, "%s*%s*x0*y1 + %s*%s*y0*x1", rate, LITERAL(p[A_MINUS]), rate, LITERAL(p[A_PLUS]));
}

static void stdp_epochs(const double *p, char *const *text, rv_epochs *e)
{
    (void)text;
    write_stdp(p, e, e->written[EPOCH_W]);
    e->text[EPOCH_W] = e->written[EPOCH_W];
}

static void reward_epochs(const double *p, char *const *text, rv_epochs *e)
{
    char pairs[RULE_TEXT];
    (void)text;
    write_stdp(p, e, pairs);
    snprintf(e->written[EPOCH_T], RULE_TEXT, "%.160s - u0*t*%s", pairs, LITERAL(p[TAG_DECAY]));
    e->text[EPOCH_T] = e->written[EPOCH_T];
    e->text[EPOCH_W] = "u0*t*y2";
}

#define LITERALS "numbers are rounded to a whole one times a power of two, as Lava does: 0.3 becomes 2^-2, 2.5 becomes 2"

const rv_rule rv_rule_stdp_loihi = {
    .table = { .kind = RV_LEARNING, .name = "stdp_loihi", .summary = "Loihi's learning engine: pair-based STDP (Lava's STDPLoihi)",
               .equations = "dw = learning_rate A_minus x0 y1 + learning_rate A_plus y0 x1, as a loihi_rule\n" LITERALS, .reference = REFERENCE,
               .params = stdp_params, .n_params = N_STDP_PARAMS },
    .epochs = stdp_epochs, .arithmetic = &floating_point, .check = check, .bounds = bounds,
};

const rv_rule rv_rule_rstdp_loihi = {
    .table = { .kind = RV_LEARNING, .name = "rstdp_loihi", .summary = "Loihi's learning engine: STDP gated by a reward (Lava's RewardModulatedSTDP)",
               .equations = "dt = learning_rate A_minus x0 y1 + learning_rate A_plus y0 x1 - u0 t tag_decay,  dw = u0 t y2, as a loihi_rule\n"
                            "the reward y2 comes from projection:set(\"y2\", reward), for all targets or a list; y1 is that trace unless it is set, too\n" LITERALS,
               .reference = "Fremaux & Gerstner 2016, doi:10.3389/fncir.2015.00085; " REFERENCE, .params = reward_params, .n_params = N_REWARD_PARAMS },
    .epochs = reward_epochs, .arithmetic = &floating_point, .check = check, .bounds = bounds,
};
