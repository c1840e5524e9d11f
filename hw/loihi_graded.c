/* Loihi 2's neuron without dynamics, which passes on what it hears as the number that its spike carries: Lava's GradedVec in
 * its fixed-point arithmetic. It is what gathers the inputs of a neuron that hears more than a core can (hw/split.h). */
#include "hw/fixed_point.h"
#include "sim/model.h"

enum { VTH, N_PARAMS };
static const rv_field params[] = { [VTH] = { "vth", "1", 1, 0, 2147483647, "sums of this magnitude and less are not sent" } };

enum { SENT, N_STATES };
static const rv_field states[] = { [SENT] = { "s", "1", 0, -2147483648.0, 2147483647, "what the spike of the last step carried; 0: there was none" } };

enum { THRESHOLD, N_CONSTANTS };

static const char *check(const double *p) { return p[VTH] == rint(p[VTH]) ? NULL : "vth must be a whole number"; }

static const char *in_steps_only(const double *p) { return (void)p, "a chip works in steps"; }

static void prepare(const double *p, double h, double *c) { (void)h, c[THRESHOLD] = p[VTH]; }

/* Lava's sums have 32 bits and wrap. */
static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double sum = fixed_wrap(trunc(ex + in + current), 0x1p31);
    bool   fired = fabs(sum) > c[THRESHOLD];
    s[SENT] = fired ? sum : 0;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_loihi_graded = {
    .table = { .kind = RV_NEURONS, .name = "loihi_graded", .summary = "Loihi 2: neuron that sends what it hears as a graded spike, bit for bit as Lava's GradedVec",
               .equations = "s = input, a whole number of 32 bits\n|s| > vth:  spike that carries s; else s = 0",
               .reference = "Lava 0.10.0 (lava-nc/lava), proc/graded, fixed point",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .adds_inputs = true, .carries = 1 + SENT, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};
