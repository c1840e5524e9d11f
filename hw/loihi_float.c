/* Lava's floating-point neuron, with a refractory period: what a chip's integers are compared with. It exists on the grid
 * only: a step is Lava's time step, whatever the resolution. */
#include "sim/model.h"

enum { DU, DV, VTH, BIAS, REFRACTORY_PERIOD, N_PARAMS };
static const rv_field params[] = {
    [DU] = { "du", "1", 0, 0, 1, "decay of the current in a step" },
    [DV] = { "dv", "1", 0, 0, 1, "decay of v in a step" },
    [VTH] = { "vth", "1", 10, -1e12, 1e12, "spike threshold" },
    [BIAS] = { "bias", "1", 0, -1e12, 1e12, "constant input of v" },
    [REFRACTORY_PERIOD] = { "refractory_period", "steps", 0, 0, 1e9, "steps for which v stays 0 after a spike; 0: Lava's LIF" },
};

enum { U, V, HELD, N_STATES };
static const rv_field states[] = {
    [U] = { "u", "1", 0, -1e12, 1e12, "current" },
    [V] = { "v", "1", 0, -1e12, 1e12, "voltage" },
    [HELD] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

enum { KEEP_U, KEEP_V, THRESHOLD, DRIVE, HOLD, N_CONSTANTS };

static const char *check(const double *p)
{
    return p[REFRACTORY_PERIOD] == rint(p[REFRACTORY_PERIOD]) ? NULL : "refractory_period must be a whole number";
}

static const char *in_steps_only(const double *p) { return (void)p, "the model is defined in steps"; }

static void prepare(const double *p, double h, double *c)
{
    (void)h;
    c[KEEP_U] = 1 - p[DU], c[KEEP_V] = 1 - p[DV], c[THRESHOLD] = p[VTH], c[DRIVE] = p[BIAS], c[HOLD] = p[REFRACTORY_PERIOD];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    s[U] = s[U] * c[KEEP_U] + (ex + in + current);
    double v = s[V] * c[KEEP_V] + (s[U] + c[DRIVE]); /* in Lava's order */
    v = s[HELD] > 0 ? s[V] : v;
    s[HELD] = s[HELD] > 0 ? s[HELD] - 1 : 0;
    bool fired = v > c[THRESHOLD];
    s[V] = fired ? 0 : v;
    s[HELD] = fired ? c[HOLD] : s[HELD];
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_lava_lif = {
    .table = { .kind = RV_NEURONS, .name = "lava_lif", .summary = "Lava's floating-point LIF and LIFRefractory, to compare the chip's integers with",
               .equations = "u = u (1 - du) + input;  v = v (1 - dv) + u + bias unless refractory\n"
                            "v > vth:  spike; v = 0 for refractory_period further steps",
               .reference = "Lava 0.10.0 (lava-nc/lava), proc/lif, floating point",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};
