/* The synapses of Loihi, for the emulator. A delay of d on the chip is one of d + 1 steps here: a spike emitted at step t
 * reaches its target at t + 1 + d. */
#include "hw/fixed_point.h"
#include "hw/loihi_learning.h"
#include "sim/synapse.h"

#define LAVA "Lava 0.10.0 (lava-nc/lava), fixed-point models"

static const rv_words sign_words = { "sign_mode", fixed_sign_names, N_FIXED_SIGNS };

/* ---- loihi: Lava's Dense and Sparse ------------------------------------------------------------------------- */

enum { WEIGHT_EXP, NUM_WEIGHT_BITS, NUM_MESSAGE_BITS, SIGN_MODE, N_PARAMS };
static const rv_field params[] = {
    [WEIGHT_EXP] = { "weight_exp", "1", 0, -8, 7, "the sum of what arrives is shifted left by it; right, and rounded down, if negative" },
    [NUM_WEIGHT_BITS] = { "num_weight_bits", "1", 8, 1, 9, "bits of a weight, with its sign where both signs occur; the low ones are lost" },
    [NUM_MESSAGE_BITS] = { "num_message_bits", "1", 0, 0, 32, "0: a spike is a spike; else the weight is multiplied with what it carries" },
    [SIGN_MODE] = { "sign_mode", "1", FIXED_AUTO, FIXED_AUTO, FIXED_INHIBITORY, "which signs weights may have: mixed, excitatory, inhibitory; auto: from the weights" },
};

static const char *check(const double *p)
{
    static const char *const whole[] = { [WEIGHT_EXP] = "weight_exp must be a whole number", [NUM_WEIGHT_BITS] = "num_weight_bits must be a whole number",
                                         [NUM_MESSAGE_BITS] = "num_message_bits must be a whole number",
                                         [SIGN_MODE] = "sign_mode must be mixed, excitatory, inhibitory or auto" };
    for (int k = 0; k < N_PARAMS; k++)
        if (p[k] != rint(p[k])) return whole[k];
    return NULL;
}

static void settle(double *p, bool negative, bool positive)
{
    if (p[SIGN_MODE] == FIXED_AUTO) p[SIGN_MODE] = fixed_sign_of(negative, positive);
}

static double weight(const double *p, double w) { return fixed_weight(trunc(w), (fixed_sign)p[SIGN_MODE], (int)p[NUM_WEIGHT_BITS]); }

/* A shift right that only drops bits which the weights have lost already need not wait for the sum. */
static bool loses_bits(const double *p) { return p[WEIGHT_EXP] + fixed_dropped_bits((fixed_sign)p[SIGN_MODE], (int)p[NUM_WEIGHT_BITS]) < 0; }

static double factor(const double *p) { return loses_bits(p) ? 1 : ldexp(1, (int)p[WEIGHT_EXP]); }
static bool   graded(const double *p) { return p[NUM_MESSAGE_BITS] > 0; }

RV_VECTORISED
static void shift_sums(const double *p, double *sum, int n)
{
    const double scale = ldexp(1, (int)p[WEIGHT_EXP]);
    for (int i = 0; i < n; i++) sum[i] = floor(sum[i] * scale);
}

/* Learnt weights use all bits, within the range of the sign mode. */
static void learn(double *p, double *low, double *high)
{
    *low = p[SIGN_MODE] == FIXED_MIXED ? -256 : p[SIGN_MODE] == FIXED_INHIBITORY ? -255 : 0;
    *high = p[SIGN_MODE] == FIXED_INHIBITORY ? 0 : 255;
    p[NUM_WEIGHT_BITS] = p[SIGN_MODE] == FIXED_MIXED ? 9 : 8;
}

static const rv_synapse loihi = {
    .table = { .kind = RV_SYNAPSES, .name = "loihi", .summary = "Loihi 2 as Lava's Dense and Sparse: integer weights of few bits with a common exponent",
               .equations = "w clipped to -256..255 (mixed), 0..255 (excitatory), -255..0 (inhibitory), without its low 8 - num_weight_bits (+ 1 if mixed) bits\n"
                            "input = (sum of w over the spikes of one step and delay) 2^weight_exp, rounded down",
               .reference = LAVA, .params = params, .n_params = N_PARAMS, .words = &sign_words, .n_words = 1 },
    .max_delay = 64, .whole = true, .check = check, .settle = settle, .weight = weight, .factor = factor, .graded = graded,
    .summed = loses_bits, .finish = shift_sums, .arithmetic = &loihi_learning, .learn = learn,
};

/* ---- loihi_conv: Lava's Conv -------------------------------------------------------------------------------- */

enum { CONV_MESSAGE_BITS, N_CONV_PARAMS };
static const rv_field conv_params[] = {
    [CONV_MESSAGE_BITS] = { "num_message_bits", "1", 0, 0, 32, "0: a spike is a spike; else the weight is multiplied with what it carries" },
};

static const char *check_conv(const double *p) { return p[CONV_MESSAGE_BITS] != rint(p[CONV_MESSAGE_BITS]) ? "num_message_bits must be a whole number" : NULL; }

static double weight_as_it_is(const double *p, double w) { return (void)p, trunc(w); }
static bool   conv_graded(const double *p) { return p[CONV_MESSAGE_BITS] > 0; }
static bool   always(const double *p) { return (void)p, true; }

RV_VECTORISED
static void wrap_sums(const double *p, double *sum, int n)
{
    (void)p;
    for (int i = 0; i < n; i++) sum[i] = fixed_wrap(sum[i], FIXED_STATE);
}

static const rv_synapse loihi_conv = {
    .table = { .kind = RV_SYNAPSES, .name = "loihi_conv", .summary = "Loihi 2 as Lava's Conv: integer weights as they are, sums of 24 bits",
               .equations = "input = sum of w over the spikes of one step, wrapped to 23 bits and a sign (two's complement)",
               .reference = LAVA, .params = conv_params, .n_params = N_CONV_PARAMS },
    .max_delay = 1, .whole = true, .check = check_conv, .weight = weight_as_it_is, .graded = conv_graded, .summed = always, .finish = wrap_sums,
};

/* ---- loihi1: each synapse rounds for itself ----------------------------------------------------------------- */

enum { ONE_EXP, ONE_BITS, ONE_SIGN, N_ONE_PARAMS };
static const rv_field one_params[] = {
    [ONE_EXP] = { "weight_exp", "1", 0, -8, 7, "weights are multiplied with 2^(6 + weight_exp)" },
    [ONE_BITS] = { "num_weight_bits", "1", 8, 1, 8, "bits of a weight, with its sign where both signs occur; the low ones are lost" },
    [ONE_SIGN] = { "sign_mode", "1", FIXED_AUTO, FIXED_AUTO, FIXED_INHIBITORY, "which signs weights may have: mixed, excitatory, inhibitory; auto: from the weights" },
};

static const char *check_one(const double *p)
{
    if (p[ONE_EXP] != rint(p[ONE_EXP])) return "weight_exp must be a whole number";
    if (p[ONE_BITS] != rint(p[ONE_BITS])) return "num_weight_bits must be a whole number";
    return p[ONE_SIGN] != rint(p[ONE_SIGN]) ? "sign_mode must be mixed, excitatory, inhibitory or auto" : NULL;
}

static void settle_one(double *p, bool negative, bool positive)
{
    if (p[ONE_SIGN] == FIXED_AUTO) p[ONE_SIGN] = fixed_sign_of(negative, positive);
}

static double weight_of_one(const double *p, double w) { return fixed_weight_loihi1(trunc(w), (fixed_sign)p[ONE_SIGN], (int)p[ONE_BITS], (int)p[ONE_EXP]); }

static const rv_synapse loihi1 = {
    .table = { .kind = RV_SYNAPSES, .name = "loihi1", .summary = "Loihi 1: integer weights of few bits, each scaled and rounded for itself, for the neurons loihi1_lif",
               .equations = "w cut to num_weight_bits toward zero;  each spike adds floor(w 2^weight_exp) 64, at most 2^21 - 64",
               .reference = "Brian2Loihi (sagacitysite/brian2_loihi), Michaelis et al. 2022, doi:10.3389/fninf.2022.1015624",
               .params = one_params, .n_params = N_ONE_PARAMS, .words = &sign_words, .n_words = 1 },
    .max_delay = 63, .whole = true, .check = check_one, .settle = settle_one, .weight = weight_of_one,
};

const rv_synapse *const rv_synapse_kinds[] = { &loihi, &loihi_conv, &loihi1, NULL };
