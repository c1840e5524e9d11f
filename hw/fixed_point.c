#include "hw/fixed_point.h"

#include "sim/error.h"

double fixed_shift(double x, int exponent) { return floor(ldexp(x, exponent)); }

/* ---- weights ------------------------------------------------------------------------------------------------ */

const char *const fixed_sign_names[N_FIXED_SIGNS] = { "auto", "mixed", "excitatory", "inhibitory" };
const int         fixed_weight_bits[8] = { 0, 1, 2, 3, 4, 5, 6, 8 };
const int         fixed_index_bits[8] = { 0, 6, 7, 8, 9, 10, 11, 12 };

fixed_sign fixed_sign_of(bool negative, bool positive)
{
    if (!negative) return FIXED_EXCITATORY;
    return positive ? FIXED_MIXED : FIXED_INHIBITORY;
}

double fixed_weight(double w, fixed_sign sign, int num_weight_bits)
{
    double side = sign == FIXED_INHIBITORY ? -1 : 1;
    double clipped = fixed_clip(side * w, sign == FIXED_MIXED ? -256 : 0, 255);
    int    dropped = fixed_dropped_bits(sign, num_weight_bits);
    double kept = dropped > 0 ? side * ldexp(floor(ldexp(clipped, -dropped)), dropped) : side * clipped;
    return kept + 0.0; /* no -0 */
}

double fixed_weight_loihi1(double w, fixed_sign sign, int num_weight_bits, int weight_exp)
{
    double precision = ldexp(1, fixed_dropped_bits(sign, num_weight_bits)), limit = 0x1p21 - FIXED_SHIFT;
    double chip = ldexp(trunc(w / precision) * precision, 6 + weight_exp);
    return fixed_clip(floor(chip / FIXED_SHIFT) * FIXED_SHIFT, -limit, limit) + 0.0;
}

fixed_nengo_weight fixed_weight_nengo(double w, int weight_bits_code, int weight_exp, bool mixed)
{
    int    dropped = 8 - fixed_weight_bits[weight_bits_code] + mixed, shift = dropped + weight_exp;
    double most = ldexp(1, 8 - dropped) - 1, q = fixed_clip(rint(ldexp(w, -dropped)), -most, most);
    if (shift < 0) q = trunc(fixed_clip(ldexp(rint(ldexp(q, shift)), -shift), -most, most)); /* so that the shift right rounds */
    double chip = fixed_shift(q, shift) * FIXED_SHIFT;
    return (fixed_nengo_weight){ chip, fixed_shift(chip, -6 - weight_exp) };
}

/* ---- exponent and bits -------------------------------------------------------------------------------------- */

typedef struct extremes { double low, high; } extremes;

static extremes extremes_of(const double *w, int64_t n)
{
    extremes e = { INFINITY, -INFINITY };
    for (int64_t k = 0; k < n; k++) e.low = smaller(e.low, w[k]), e.high = larger(e.high, w[k]);
    return e;
}

/* The largest k up to 8 such that 2^k divides every weight. */
static int common_zeros(const double *w, int64_t n)
{
    int zeros = 8;
    for (int64_t k = 0; k < n; k++)
        while (zeros > 0 && rint(ldexp(w[k], -zeros)) != ldexp(w[k], -zeros)) zeros--;
    return zeros;
}

/* @param scale by which the weights could be multiplied and still fit */
static void choose_format(const double *w, int64_t n, double scale, fixed_sign sign, fixed_format *format)
{
    int mixed = sign == FIXED_MIXED, shift = (int)floor(log2(scale)) + mixed;
    *format = (fixed_format){ sign, shift, -shift, 8 - shift - (common_zeros(w, n) - mixed) };
}

/* A side without weights limits nothing. */
static double mixed_scale(extremes e)
{
    double up = e.high > 0 ? 127 / e.high : INFINITY, down = e.low < 0 ? -128 / e.low : INFINITY;
    return smaller(up, down);
}

rv_status fixed_optimise_netx(double *w, int64_t n, fixed_format *format, rv_error *error)
{
    extremes e = extremes_of(w, n);
    if (n < 1 || (e.low == 0 && e.high == 0))
        return error_set(error, RV_OUT_OF_RANGE, "all %lld weights are 0, which netx cannot load: at least one must not be", (long long)n);
    if ((e.high > 254 && e.low < 0) || (e.low < -256 && e.high > 0))
        for (int64_t k = 0; k < n; k++) w[k] = fixed_clip(w[k], -256, 254);
    e = extremes_of(w, n);
    fixed_sign sign = e.high < 0 ? FIXED_INHIBITORY : e.low >= 0 ? FIXED_EXCITATORY : FIXED_MIXED;
    double     scale = sign == FIXED_MIXED ? mixed_scale(e) : sign == FIXED_INHIBITORY ? -256 / e.low : 255 / e.high;
    choose_format(w, n, scale, sign, format);
    return RV_OK;
}

rv_status fixed_optimise_lava(const double *w, int64_t n, fixed_sign sign, fixed_format *format, rv_error *error)
{
    extremes e = extremes_of(w, n);
    double   low = sign == FIXED_MIXED ? -256 : sign == FIXED_INHIBITORY ? -255 : 0, high = sign == FIXED_INHIBITORY ? 0 : 255;
    if (e.low < low || e.high > high)
        return error_set(error, RV_OUT_OF_RANGE, "weights from %g to %g, allowed with sign_mode %s are %g to %g", e.low, e.high,
                         fixed_sign_names[sign], low, high);
    double scale = sign == FIXED_MIXED ? mixed_scale(e) : sign == FIXED_INHIBITORY ? -255 / e.low : 255 / e.high;
    if (e.low == 0 && e.high == 0) scale = sign == FIXED_MIXED ? 0.5 : 1; /* exponent 0 */
    choose_format(w, n, scale, sign, format);
    return RV_OK;
}

/* ---- synapse memory ----------------------------------------------------------------------------------------- */

int64_t fixed_axon_bits(const fixed_synapse_layout *l, int64_t n)
{
    enum { FORMAT_BITS = 4, COUNT_BITS = 6, WORD = 64 };
    int64_t each = fixed_weight_bits[l->weight_bits_code] + l->delay_bits + l->tag_bits, total = 0;
    if (l->compression == 0) each += fixed_index_bits[l->index_bits_code];
    for (int64_t left = n, some; left > 0; left -= some) {
        some = left < l->block + 1 ? left : l->block + 1;
        total += (each * some + FORMAT_BITS + COUNT_BITS + WORD - 1) / WORD * WORD;
    }
    return total;
}

/* ---- nengo's compartments ----------------------------------------------------------------------------------- */

double fixed_decay_magnitude(int decay, int offset)
{
    const double loss = 0.494, x0 = 0x1p21;
    double       r = (FIXED_ONE - offset - decay) / FIXED_ONE;
    double       n = -log1p(x0 * (1 - r) / loss) / log(r); /* the estimate reaches 0 after n steps */
    double       sum = (1 - pow(r, n + 1)) / (1 - r);
    return sum - loss / ((1 - r) * x0) * (n + 1 - sum);
}

enum { VTH_MANTISSA = 131071, BIAS_MANTISSA = 4095, BIAS_EXP = 7, LOWEST_EXP = -7, DECAY_MOST = 4095 };
#define VTH_MOST  (VTH_MANTISSA * FIXED_SHIFT)
#define BIAS_MOST (BIAS_MANTISSA * 128.0)

/* What the scaling is chosen from. */
typedef struct scaling {
    double vth, bias;          /* as float32 holds them */
    double u_factor, v_factor; /* 1 / decay magnitude   */
    double v_scale, w_scale, vth_scaled, bias_scaled;
    int    w_exp;
} scaling;

static bool try_v_scale(scaling *s, double v_scale)
{
    s->v_scale = v_scale;
    s->vth_scaled = rint(s->vth * v_scale);
    s->bias_scaled = rint(s->bias * (v_scale * s->v_factor));
    return s->vth_scaled <= VTH_MOST && fabs(s->bias_scaled) <= BIAS_MOST;
}

static double weight_unit(int exponent) { return ldexp(1, 6 + exponent); }

/* The weights use their full range; the exponent comes down until threshold and bias fit. */
static bool scale_by_weights(scaling *s, double w_max)
{
    s->w_scale = 255 / w_max;
    double s_scale = 1 / (s->u_factor * s->v_factor);
    for (s->w_exp = 0; s->w_exp >= LOWEST_EXP; s->w_exp--)
        if (try_v_scale(s, s_scale * s->w_scale * weight_unit(s->w_exp))) return true;
    return false;
}

/* Without weights the bias uses its full range. */
static bool scale_by_bias(scaling *s)
{
    double most = fabs(s->bias);
    for (double b_scale = BIAS_MOST / most; b_scale * most > 1; b_scale /= 2) {
        try_v_scale(s, b_scale / s->v_factor);
        s->bias_scaled = rint(s->bias * b_scale);
        s->w_scale = b_scale * s->u_factor / weight_unit(0);
        if (s->vth_scaled <= VTH_MOST) return true;
    }
    return false;
}

static bool scale_by_threshold(scaling *s)
{
    try_v_scale(s, (0x1p21 - 1) / (s->vth + 1));
    s->w_scale = s->v_scale * s->v_factor * s->u_factor / weight_unit(0);
    return true;
}

static rv_status keep_scaling(const scaling *s, const fixed_lif *lif, fixed_compartment *c, rv_error *error)
{
    double mantissa = rint(s->vth_scaled / FIXED_SHIFT), exponent = ceil(log2(larger(fabs(s->bias_scaled) / BIAS_MANTISSA, 1)));
    if (!(mantissa > 0 && mantissa <= VTH_MANTISSA))
        return error_set(error, RV_OUT_OF_RANGE, "vth = %g becomes %g of the chip's thresholds, allowed 1 to %d", lif->vth, mantissa, VTH_MANTISSA);
    if (exponent > BIAS_EXP || fabs(rint(ldexp(s->bias_scaled, -(int)exponent))) > BIAS_MANTISSA)
        return error_set(error, RV_OUT_OF_RANGE, "bias = %g becomes %g on the chip, allowed -%g to %g", lif->bias, s->bias_scaled, BIAS_MOST, BIAS_MOST);
    c->vth = mantissa * FIXED_SHIFT;
    c->bias = ldexp(rint(ldexp(s->bias_scaled, -(int)exponent)), (int)exponent);
    c->vmin = 1 - ldexp(1, (int)fixed_clip(rint(log2(1 - s->v_scale * lif->min_voltage)), 0, 31));
    c->vmax = FIXED_STATE - 1;
    c->w_exp = s->w_exp, c->v_scale = s->v_scale, c->w_scale = s->w_scale;
    return RV_OK;
}

/* nengo computes the decays in single precision. */
static float decay_of(double tau, double dt) { return tau == 0 ? 1 : (float)-expm1(-dt / tau); }

rv_status fixed_discretise(const fixed_lif *lif, fixed_compartment *c, rv_error *error)
{
    const double least = 1e-8;
    float        decay_u = decay_of(lif->tau_s, lif->dt) * DECAY_MOST - 1, decay_v = decay_of(lif->tau_rc, lif->dt) * DECAY_MOST;
    *c = (fixed_compartment){ .decay_u = (int)rintf(fminf(fmaxf(decay_u, 0), DECAY_MOST)), .decay_v = (int)rintf(decay_v),
                              .refract_delay = (int)rint(lif->tau_ref / lif->dt) + 1 };
    scaling s = { .vth = (float)lif->vth, .bias = (float)lif->bias };
    s.u_factor = 1 / fixed_decay_magnitude(c->decay_u, 1), s.v_factor = 1 / fixed_decay_magnitude(c->decay_v, 0);
    bool found = lif->w_max > least ? scale_by_weights(&s, lif->w_max) : fabs(s.bias) > least ? scale_by_bias(&s) : scale_by_threshold(&s);
    if (!found)
        return error_set(error, RV_OUT_OF_RANGE, "no weight exponent from 0 to %d brings vth = %g and bias = %g into the chip's range", LOWEST_EXP,
                         lif->vth, lif->bias);
    return keep_scaling(&s, lif, c, error);
}
