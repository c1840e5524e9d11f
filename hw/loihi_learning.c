#include "hw/loihi_learning.h"

#include <math.h>
#include <stdlib.h>

#include "hw/fixed_point.h"

/* Bits without the sign (Lava, magma/core/learning/constants.py) */
enum { TRACE_BITS = 7, FRACTION_BITS = 8, MANTISSA_BITS = 4, ACCUMULATOR_BITS = 15, VARIABLE_SHIFT = 7, EXPONENT_OFFSET = 7 };
static const int factor_bits[N_RULE_SYMBOLS] = { [SYMBOL_X0] = 1, [SYMBOL_Y0] = 1, [SYMBOL_X1] = TRACE_BITS, [SYMBOL_X2] = TRACE_BITS,
                                                 [SYMBOL_Y1] = TRACE_BITS, [SYMBOL_Y2] = TRACE_BITS, [SYMBOL_Y3] = TRACE_BITS,
                                                 [SYMBOL_W] = 9, [SYMBOL_T] = 9, [SYMBOL_D] = 9 };

#define HIGHEST_TRACE ((1 << TRACE_BITS) - 1)

/* ---- scales ------------------------------------------------------------------------------------------------------- */

/* Even mantissas that are too large are halved, as Lava does; fractions of powers of two are made whole. */
bool loihi_scale(const rule_product *p, int *mantissa, int *exponent)
{
    double m = p->mantissa;
    int    e = p->exponent;
    while (fabs(m) > 7 && m == 2 * rint(m / 2) && e < 8) m /= 2, e++;
    while (m != rint(m) && e > -EXPONENT_OFFSET) m *= 2, e--;
    if (m != rint(m) || m < -8 || m > 7 || e < -EXPONENT_OFFSET || e > 8) return false;
    *mantissa = (int)m, *exponent = e;
    return true;
}

static const char *check_product(const rule_product *p)
{
    int mantissa, exponent;
    if (loihi_scale(p, &mantissa, &exponent)) return NULL;
    return "its scale must be m 2^e with a whole m of -8 to 7 and e of -7 to 8 on the chip";
}

static const char *check(const rv_epochs *e)
{
    for (int k = 0; k < N_EPOCH_TRACES; k++)
        if (e->impulse[k] > HIGHEST_TRACE) return "impulses of traces are 0 to 127 on the chip";
    if (e->w_min > -NO_WEIGHT_BOUND || e->w_max < NO_WEIGHT_BOUND) return "w_min and w_max: on the chip weights are bounded by the sign_mode of the synapse";
    return NULL;
}

/* ---- traces ------------------------------------------------------------------------------------------------------- */

double loihi_decay_trace(double keep, double random, double trace)
{
    double z = keep * trace, whole = floor(z);
    return whole + (random < z - whole);
}

double loihi_add_impulse(double impulse, double random, double trace)
{
    double whole = floor(impulse), fraction = rint(ldexp(impulse - whole, FRACTION_BITS));
    return fixed_clip(trace + whole + (random < fraction), 0, HIGHEST_TRACE);
}

/* Lava keeps payloads and sums in 8 bits without a sign, which wrap; a half is rounded to the even number. */
static double byte_of(double x) { return x - 256 * floor(x / 256); }

double loihi_take_payload(rv_graded_mode mode, double payload, double trace, bool *counts)
{
    double half = byte_of(rint(payload / 2)), sum = byte_of(trace + half);
    if (mode == GRADED_OVERWRITE) return half;
    if (mode == GRADED_ADD) return fixed_clip(sum, 0, HIGHEST_TRACE);
    *counts = sum > HIGHEST_TRACE;
    return *counts ? sum - HIGHEST_TRACE : sum;
}

RV_VECTORISED
static void decay(double keep, double random, double *trace, int n)
{
    for (int i = 0; i < n; i++) trace[i] = loihi_decay_trace(keep, random, trace[i]);
}

/* ---- sums --------------------------------------------------------------------------------------------------------- */

static void begin(const double *variable, double *sum, int n)
{
    for (int i = 0; i < n; i++) sum[i] = ldexp(1, VARIABLE_SHIFT) * variable[i];
}

double loihi_factor_limit(rule_symbol symbol) { return ldexp(1, factor_bits[symbol]); }

int loihi_product_shift(const rule_product *p)
{
    int bits = MANTISSA_BITS;
    for (int k = 0; k < p->n_factors; k++) bits += factor_bits[p->factor[k].symbol];
    return bits > ACCUMULATOR_BITS ? bits - ACCUMULATOR_BITS : 0;
}

/* A constant that is not whole is cut with what it is added to. */
RV_VECTORISED
static void limit_factor(rule_symbol symbol, double *value, int n)
{
    double limit = loihi_factor_limit(symbol);
    for (int i = 0; i < n; i++) value[i] = trunc(fixed_clip(value[i], -limit, limit - 1));
}

static double clip_accumulator(double x) { return fixed_clip(x, -(1 << ACCUMULATOR_BITS) - 1, (1 << ACCUMULATOR_BITS) - 1); }

/* The product has 32 bits in Lava; wrapped once at its end, since it is exact in a double until then. */
RV_VECTORISED
static void add_product(const rule_product *p, const double *value, double *sum, int n)
{
    int mantissa = 0, exponent = 0;
    loihi_scale(p, &mantissa, &exponent);
    double right = ldexp(1, -loihi_product_shift(p)), left = ldexp(1, exponent + EXPONENT_OFFSET);
    for (int i = 0; i < n; i++) {
        double product = floor(fixed_wrap(value[i] * mantissa, 0x1p31) * right) * left;
        sum[i] = clip_accumulator(sum[i] + clip_accumulator(product));
    }
}

RV_VECTORISED
static void end(const double *sum, double low, double high, double random, double *variable, int n)
{
    for (int i = 0; i < n; i++) {
        double z = ldexp(1, -VARIABLE_SHIFT) * fixed_clip(sum[i], low >= 0 ? 0 : -INFINITY, high <= 0 ? 0 : INFINITY), whole = floor(z);
        variable[i] = fixed_clip(whole + (random < z - whole), low, high);
    }
}

const rv_arithmetic loihi_learning = {
    .low = { [EPOCH_W] = -256, [EPOCH_T] = -257, [EPOCH_D] = 0 }, .high = { 255, 255, 255 }, .highest_trace = HIGHEST_TRACE, .whole = true,
    .check = check, .check_product = check_product, .decay = decay, .add_impulse = loihi_add_impulse, .take_payload = loihi_take_payload, .begin = begin,
    .limit_factor = limit_factor, .add_product = add_product, .end = end,
};
