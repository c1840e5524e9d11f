/* Loihi's leaky integrate-and-fire neuron with a current, in Lava's fixed-point arithmetic, and its ternary sister. All numbers
 * are whole; the order of a step is Lava's (proc/lif/models.py). */
#include "hw/fixed_point.h"
#include "sim/model.h"

/* ---- what both share ---------------------------------------------------------------------------------------- */

enum { U, V, LAST, N_SHARED = LAST }; /* states */
enum { KEEP_U, KEEP_V, BIAS, THRESHOLD, OTHER, N_CONSTANTS = OTHER + 2 };

#define DECAYS                                                                                                        \
    [DU] = { "du", "1", 0, -1, 4095, "decay of the current, in 1/4096 a step, to which the chip adds 1; -1: none" },  \
    [DV] = { "dv", "1", 0, 0, 4096, "decay of v, in 1/4096 a step; 4096: no memory" }
#define BIASES                                                                                                        \
    [BIAS_MANT] = { "bias_mant", "1", 0, -8388607, 8388607, "constant input of v, mantissa; 13 bits on the chip" },   \
    [BIAS_EXP] = { "bias_exp", "1", 0, -24, 24, "and exponent: the bias is bias_mant 2^bias_exp, rounded down; 0 to 7 on the chip" }
#define CURRENT_AND_VOLTAGE                                                                                           \
    [U] = { "u", "1", 0, -8388608, 8388608, "current" }, [V] = { "v", "1", 0, -8388607, 8388607, "voltage" }

#define LAVA_LIF "u = (u (4096 - du - 1) >> 12) + (input << 6), toward zero, wrapped once into (-2^23, 2^23]\n"       \
                 "v = (v (4096 - dv) >> 12) + u + bias, toward zero, at most +-(2^23 - 1)\n"

static void prepare_decays(double du, double dv, double mantissa, double exponent, double *c)
{
    c[KEEP_U] = FIXED_ONE - du - 1, c[KEEP_V] = FIXED_ONE - dv, c[BIAS] = fixed_shift(mantissa, (int)exponent);
}

/* Input that is not whole, of plain synapses or currents, is cut toward zero. */
static inline void integrate(const double *c, double *s, double input)
{
    s[U] = fixed_wrap_once(fixed_decay(s[U], c[KEEP_U]) + trunc(input) * FIXED_SHIFT);
    s[V] = fixed_clip(fixed_decay(s[V], c[KEEP_V]) + s[U] + c[BIAS], -(FIXED_STATE - 1), FIXED_STATE - 1);
}

static const char *in_steps_only(const double *p) { return (void)p, "a chip works in steps"; }

/* ---- loihi_lif ---------------------------------------------------------------------------------------------- */

enum { DU, DV, VTH, BIAS_MANT, BIAS_EXP, RESET_INTERVAL, RESET_OFFSET, N_PARAMS };
static const rv_field params[] = {
    DECAYS,
    [VTH] = { "vth", "1", 10, 0, 16777216, "threshold in units of 64; 131072 and more is never reached" },
    BIASES,
    [RESET_INTERVAL] = { "reset_interval", "steps", 0, 0, 1e9, "u and v are set to 0 before every step t = reset_offset, modulo this; 0: never" },
    [RESET_OFFSET] = { "reset_offset", "steps", 0, 0, 1e9, "see reset_interval; the first step is t = 1" },
};
static const char *const whole[N_PARAMS] = {
    [DU] = "du must be a whole number", [DV] = "dv must be a whole number", [VTH] = "vth must be a whole number",
    [BIAS_MANT] = "bias_mant must be a whole number", [BIAS_EXP] = "bias_exp must be a whole number",
    [RESET_INTERVAL] = "reset_interval must be a whole number", [RESET_OFFSET] = "reset_offset must be a whole number",
};

enum { PHASE = LAST, N_STATES };
static const rv_field states[] = { CURRENT_AND_VOLTAGE, [PHASE] = { "phase", "steps", 0, 0, 1e9, "steps done, modulo reset_interval" } };

enum { INTERVAL = OTHER, RESET_AT };

static const char *check(const double *p)
{
    for (int k = 0; k < N_PARAMS; k++)
        if (p[k] != rint(p[k])) return whole[k];
    return NULL;
}

static void prepare(const double *p, double h, double *c)
{
    (void)h;
    prepare_decays(p[DU], p[DV], p[BIAS_MANT], p[BIAS_EXP], c);
    c[THRESHOLD] = p[VTH] * FIXED_SHIFT, c[INTERVAL] = p[RESET_INTERVAL];
    c[RESET_AT] = p[RESET_INTERVAL] > 0 ? fmod(p[RESET_OFFSET], p[RESET_INTERVAL]) : 0;
}

static inline bool step_without_reset(const double *c, double *s, double current, double ex, double in)
{
    integrate(c, s, ex + in + current);
    bool fired = s[V] > c[THRESHOLD];
    s[V] = fired ? 0 : s[V];
    return fired;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double phase = s[PHASE] + 1;
    s[PHASE] = phase >= c[INTERVAL] ? 0 : phase;
    bool reset = c[INTERVAL] > 0 && s[PHASE] == c[RESET_AT];
    s[U] = reset ? 0 : s[U];
    s[V] = reset ? 0 : s[V];
    return step_without_reset(c, s, current, ex, in);
}
RV_SWEEP(sweep_with_reset, step, N_STATES, N_CONSTANTS)
RV_SWEEP(sweep_without_reset, step_without_reset, N_SHARED, OTHER)

static void sweep(const rv_part *part)
{
    bool resets = false;
    for (int i = 0; i < (part->shared[INTERVAL] ? 1 : part->n); i++) resets |= part->constant[INTERVAL][i] > 0;
    if (resets) sweep_with_reset(part);
    else sweep_without_reset(part);
}

const rv_model rv_model_loihi_lif = {
    .table = { .kind = RV_NEURONS, .name = "loihi_lif", .summary = "Loihi 2: leaky integrate-and-fire neuron with a current, in integers, bit for bit as Lava's LIF and LIFReset",
               .equations = LAVA_LIF "v > vth << 6:  spike; v = 0\nbias = bias_mant << bias_exp; a step of the network is a step of the chip",
               .reference = "Lava 0.10.0 (lava-nc/lava), proc/lif, fixed point; Davies et al. 2018, doi:10.1109/MM.2018.112130359",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .adds_inputs = true, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};

/* ---- loihi_ternary ------------------------------------------------------------------------------------------ */

enum { VTH_HI = VTH, VTH_LO = BIAS_EXP + 1, N_TERNARY_PARAMS };
static const rv_field ternary_params[] = {
    DECAYS,
    [VTH_HI] = { "vth_hi", "1", 10, -16777216, 16777216, "upper threshold in units of 64" },
    BIASES,
    [VTH_LO] = { "vth_lo", "1", -10, -16777216, 16777216, "lower threshold in units of 64" },
};

enum { SPIKE = LAST, N_TERNARY_STATES };
static const rv_field ternary_states[] = { CURRENT_AND_VOLTAGE, [SPIKE] = { "s", "1", 0, -1, 1, "spike of the last step: -1, 0 or 1" } };

enum { UPPER = THRESHOLD, LOWER = OTHER };

static const char *check_ternary(const double *p)
{
    for (int k = DU; k <= BIAS_EXP; k++)
        if (k != VTH_HI && p[k] != rint(p[k])) return whole[k];
    if (p[VTH_HI] != rint(p[VTH_HI])) return "vth_hi must be a whole number";
    if (p[VTH_LO] != rint(p[VTH_LO])) return "vth_lo must be a whole number";
    return p[VTH_LO] > p[VTH_HI] ? "vth_lo must not be above vth_hi" : NULL;
}

static void prepare_ternary(const double *p, double h, double *c)
{
    (void)h;
    prepare_decays(p[DU], p[DV], p[BIAS_MANT], p[BIAS_EXP], c);
    c[UPPER] = p[VTH_HI] * FIXED_SHIFT, c[LOWER] = p[VTH_LO] * FIXED_SHIFT;
}

static inline bool step_ternary(const double *c, double *s, double current, double ex, double in)
{
    integrate(c, s, ex + in + current);
    double below = s[V] < c[LOWER] ? -1 : 0;
    s[SPIKE] = s[V] > c[UPPER] ? 1 : below;
    s[V] = s[SPIKE] != 0 ? 0 : s[V];
    return s[SPIKE] != 0;
}
RV_SWEEP(sweep_ternary, step_ternary, N_TERNARY_STATES, OTHER + 1)

const rv_model rv_model_loihi_ternary = {
    .table = { .kind = RV_NEURONS, .name = "loihi_ternary", .summary = "Loihi 2: neuron with spikes of both signs, bit for bit as Lava's TernaryLIF",
               .equations = LAVA_LIF "v > vth_hi << 6:  spike that carries 1; v = 0\nv < vth_lo << 6:  spike that carries -1; v = 0",
               .reference = "Lava 0.10.0 (lava-nc/lava), proc/lif, fixed point",
               .params = ternary_params, .n_params = N_TERNARY_PARAMS, .states = ternary_states, .n_states = N_TERNARY_STATES },
    .n_constants = OTHER + 1, .adds_inputs = true, .carries = 1 + SPIKE, .check = check_ternary, .no_closed_form = in_steps_only, .prepare = prepare_ternary,
    .sweep = sweep_ternary, .step = step_ternary,
};
