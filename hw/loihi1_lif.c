/* A compartment of Loihi 1 as nengo-loihi's emulator has it. Brian2Loihi's neuron is the same with du = decay_I - 1, whatever
 * the ranges: its x - ceil(x d / 4096) is floor(x (4096 - d) / 4096). All numbers are whole; synapses of the kind loihi1
 * give the multiples of 64 that are added to u. */
#include "hw/fixed_point.h"
#include "sim/model.h"

enum { DU, DV, VTH, BIAS, VMIN, VMAX, REFRACT_DELAY, N_PARAMS };
static const rv_field params[] = {
    [DU] = { "du", "1", 0, -1, 4095, "decay of the current, in 1/4096 a step, to which the chip adds 1; -1: none" },
    [DV] = { "dv", "1", 0, 0, 4096, "decay of v, in 1/4096 a step; 4096: no memory" },
    [VTH] = { "vth", "1", 640, 0, 8388544, "threshold as the chip compares it: mantissa 64" },
    [BIAS] = { "bias", "1", 0, -8388608, 8388607, "constant input: mantissa 2^exponent" },
    [VMIN] = { "vmin", "1", -8388607, -2147483647, 0, "lowest v; 1 - 2^k on the chip; Brian2Loihi knows none" },
    [VMAX] = { "vmax", "1", 8388607, 0, 8388607, "highest v; 2^(9 + 2k) - 1 on the chip" },
    [REFRACT_DELAY] = { "refract_delay", "steps", 1, 1, 64, "v is held at 0 for one step less after a spike" },
};

enum { U, V, HELD, N_STATES };
static const rv_field states[] = {
    [U] = { "u", "1", 0, -8388608, 8388607, "current, with the input of the step" },
    [V] = { "v", "1", 0, -2147483647, 8388607, "voltage" },
    [HELD] = { "refractory", "steps", 0, 0, 64, "what is left of the refractory period" },
};

enum { KEEP_U, KEEP_V, THRESHOLD, DRIVE, FLOOR, CEILING, HOLD, N_CONSTANTS };

#define INPUT_LIMIT 0x1p21

static const char *check(const double *p)
{
    static const char *const whole[N_PARAMS] = { "du must be a whole number", "dv must be a whole number", "vth must be a whole number",
                                                 "bias must be a whole number", "vmin must be a whole number", "vmax must be a whole number",
                                                 "refract_delay must be a whole number" };
    for (int k = 0; k < N_PARAMS; k++)
        if (p[k] != rint(p[k])) return whole[k];
    return NULL;
}

static const char *in_steps_only(const double *p) { return (void)p, "a chip works in steps"; }

static void prepare(const double *p, double h, double *c)
{
    (void)h;
    c[KEEP_U] = FIXED_ONE - 1 - p[DU], c[KEEP_V] = FIXED_ONE - p[DV], c[THRESHOLD] = p[VTH], c[DRIVE] = p[BIAS];
    c[FLOOR] = p[VMIN], c[CEILING] = p[VMAX], c[HOLD] = p[REFRACT_DELAY];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double input = fixed_wrap(trunc(ex + in + current), INPUT_LIMIT);
    s[U] = fixed_wrap(fixed_decay(s[U], c[KEEP_U]) + input, FIXED_STATE);
    double drive = fixed_wrap(s[U] + c[DRIVE], FIXED_STATE);
    double v = fixed_clip(fixed_decay(s[V], c[KEEP_V]) + drive, c[FLOOR], c[CEILING]);
    v = s[HELD] > 0 ? 0 : v;
    bool fired = v > c[THRESHOLD];
    s[V] = fired ? 0 : v;
    double held = fired ? c[HOLD] : s[HELD];
    s[HELD] = held > 0 ? held - 1 : 0;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_loihi1_lif = {
    .table = { .kind = RV_NEURONS, .name = "loihi1_lif", .summary = "Loihi 1: compartment in integers, bit for bit as nengo-loihi's emulator and Brian2Loihi",
               .equations = "u = (u (4096 - du - 1) >> 12) + input, toward zero; input wrapped to 21 bits and a sign, u to 23\n"
                            "v = (v (4096 - dv) >> 12) + (u + bias), clipped to vmin..vmax; 0 while refractory\n"
                            "v > vth:  spike; v = 0 for refract_delay - 1 further steps; a step of the network is a step of the chip",
               .reference = "nengo/nengo-loihi 1.1.0, emulator; sagacitysite/brian2_loihi: Michaelis et al. 2022, doi:10.3389/fninf.2022.1015624",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .adds_inputs = true, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};
