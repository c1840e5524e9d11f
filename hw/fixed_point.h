/* The integer arithmetic of Loihi and of the tools that state it, every rounding rule once: the emulator runs it, the
 * quantiser and the exporters use it. Sources, by the names the comments use:
 *
 *   Lava       lava-nc/lava 0.10.0 (proc/lif, proc/dense, utils/weightutils): Loihi 2 as Lava's fixed-point models have it
 *   netx       lava-nc/lava-dl 0.6.0 (netx/utils): how its loader chooses exponent and bits
 *   nengo      nengo/nengo-loihi 1.1.0 (emulator, builder/discretize, block): Loihi 1
 *   B2L        sagacitysite/brian2_loihi (Michaelis et al. 2022, doi:10.3389/fninf.2022.1015624): Loihi 1
 *
 * Integers are held in doubles, which are exact up to 2^53 and which the compiler vectorises: no product here exceeds 2^38. */
#ifndef RV_HW_FIXED_POINT_H
#define RV_HW_FIXED_POINT_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/ranvier.h"
#include "sim/vector.h"

/* ---- registers ---------------------------------------------------------------------------------------------- */

#define FIXED_STATE    0x1p23 /* u and v have 23 bits and a sign                                             */
#define FIXED_SHIFT    64.0   /* inputs, thresholds and weights stand 6 bits above the states' unit          */
#define FIXED_ONE      4096.0 /* decays are fractions of 12 bits                                            */

/** x (whole) decayed: sign(x) * (|x| keep >> 12), toward zero, so that it reaches 0. @param keep 4096 - decay, of a
 *  current 4096 - 1 - decay: the chip adds one */
static inline double fixed_decay(double x, double keep) { return trunc(x * keep * (1 / FIXED_ONE)); }

/** Lava's wrap of the current: once, into (-2^23, 2^23]; it is not two's complement. */
static inline double fixed_wrap_once(double x)
{
    double up = x <= -FIXED_STATE ? x + 2 * FIXED_STATE : x;
    return x > FIXED_STATE ? x - 2 * FIXED_STATE : up;
}

/** Two's complement of so many bits and a sign: limit = 2^bits, result in [-limit, limit - 1]. */
static inline double fixed_wrap(double x, double limit) { return x - 2 * limit * floor((x + limit) * (0.5 / limit)); }

static inline double fixed_clip(double x, double low, double high) { return smaller(larger(x, low), high); }

/** x 2^exponent; to the right an arithmetic shift, which rounds toward minus infinity. */
double fixed_shift(double x, int exponent);

/* ---- weights ------------------------------------------------------------------------------------------------ */

/** Which signs the weights of a projection may have; what has the other sign becomes 0. */
typedef enum fixed_sign { FIXED_AUTO, FIXED_MIXED, FIXED_EXCITATORY, FIXED_INHIBITORY, N_FIXED_SIGNS } fixed_sign;
extern const char *const fixed_sign_names[N_FIXED_SIGNS];

/** Lava's choice from the data: without negative weights excitatory, else without positive ones inhibitory. */
fixed_sign fixed_sign_of(bool negative, bool positive);

/** How many low bits a weight loses. */
static inline int fixed_dropped_bits(fixed_sign sign, int num_weight_bits) { return 8 - num_weight_bits + (sign == FIXED_MIXED); }

/** The weight in effect in Lava and netx: clipped to the range of the sign mode, then low bits dropped, toward minus
 *  infinity, of inhibitory ones toward zero. The exponent comes later, on the sum of what arrives. @param w whole */
double fixed_weight(double w, fixed_sign sign, int num_weight_bits);

/** B2L: what a spike adds to the current on Loihi 1. Low bits dropped toward zero, shifted by 6 + exponent and floored to a
 *  multiple of 64, here for every synapse; clipped to 21 bits. */
double fixed_weight_loihi1(double w, fixed_sign sign, int num_weight_bits, int weight_exp);

/** Codes of the chip: number of bits of a weight and of an index. */
extern const int fixed_weight_bits[8], fixed_index_bits[8];

/** nengo: a weight in -255..255, rounded to the bits, as the chip adds it (a multiple of 64 where the exponent allows), and
 *  its mantissa. */
typedef struct fixed_nengo_weight { double chip, mantissa; } fixed_nengo_weight;
fixed_nengo_weight fixed_weight_nengo(double w, int weight_bits_code, int weight_exp, bool mixed);

/** How a tool would store a matrix: the weights shifted left, and what undoes it. */
typedef struct fixed_format {
    fixed_sign sign;
    int        shift;           /* weights are stored as w 2^shift */
    int        weight_exp;      /* -shift                          */
    int        num_weight_bits; /* 9 if odd weights of both signs leave nothing to drop */
} fixed_format;

/** netx: chooses the sign mode from the data; a mixed matrix is first clipped to -256..254, in place.
 *  @param w [n] whole @return RV_OUT_OF_RANGE for an all-zero matrix, which netx cannot load, with a sentence */
rv_status fixed_optimise_netx(double *w, int64_t n, fixed_format *format, rv_error *error);

/** Lava: the sign mode is given; weights outside its range are refused. */
rv_status fixed_optimise_lava(const double *w, int64_t n, fixed_sign sign, fixed_format *format, rv_error *error);

/* ---- synapse memory ----------------------------------------------------------------------------------------- */

/** How synapses are laid down in the memory of a Loihi 1 core (nengo, block.py). */
typedef struct fixed_synapse_layout {
    int compression; /* 0: each synapse names its target; 3: dense, none does                    */
    int index_bits_code, weight_bits_code, delay_bits, tag_bits;
    int block;       /* the field n_synapses: blocks hold one more, 63 in practice                */
} fixed_synapse_layout;

/** Bits that one input axon with n synapses takes: blocks of 10 bits of head and the synapses, in words of 64. */
int64_t fixed_axon_bits(const fixed_synapse_layout *layout, int64_t n);

/* ---- nengo's choice of integers for a LIF neuron ------------------------------------------------------------ */

typedef struct fixed_lif {
    double tau_s, tau_rc, tau_ref, dt;    /* s                                                */
    double vth, bias, min_voltage, w_max; /* w_max: the largest |weight| that ends at the block */
} fixed_lif;

typedef struct fixed_compartment {
    int    decay_u, decay_v, refract_delay;
    double vth, bias, vmin, vmax;         /* chip units: mantissas times their exponents      */
    int    w_exp;
    double v_scale, w_scale;              /* chip units of a unit of voltage, of weight       */
} fixed_compartment;

/** nengo's discretize_compartment for one LIF neuron with a low-pass synapse.
 *  @return RV_OUT_OF_RANGE with a sentence if no exponent fits */
rv_status fixed_discretise(const fixed_lif *lif, fixed_compartment *c, rv_error *error);

/** The sum over time of a decaying integer, per unit of x0 = 2^21, with a mean loss of 0.494 per rounding (nengo). */
double fixed_decay_magnitude(int decay, int offset);

#endif
