/* The neuron of RISP, the reduced-instruction spiking processor of TENNLab, which runs in steps and on FPGAs. It only looks at a neuron when
 * something arrives there. Whole numbers are exact; of others, weights have single precision. */
#include "sim/model.h"

enum { THRESHOLD, MARGIN, LEAK, MIN_POTENTIAL, N_PARAMS };
static const rv_field params[] = {
    [THRESHOLD] = { "threshold", "1", 1, -1e9, 1e9, "charge at which the neuron fires" },
    [MARGIN] = { "margin", "1", 0, 0, 1, "by how much the charge must lie above: 0 inclusive; 1 (whole numbers) or 1e-7 exclusive" },
    [LEAK] = { "leak", "1", 0, 0, 1, "1: the charge is lost before new charge arrives; 0: it is kept" },
    [MIN_POTENTIAL] = { "min_potential", "1", -1e9, -1e9, 0, "the charge is raised to this before new charge arrives" },
};

enum { CHARGE, N_STATES };
static const rv_field states[] = { [CHARGE] = { "charge", "1", 0, -1e12, 1e12, "charge" } };

enum { FIRES_AT, KEEP, LOWEST, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[LEAK] != 0 && p[LEAK] != 1) return "leak must be 0 or 1";
    return NULL;
}

static const char *in_steps_only(const double *p) { return (void)p, "the processor works in steps"; }

static void prepare(const double *p, double h, double *c)
{
    (void)h;
    c[FIRES_AT] = p[THRESHOLD] + p[MARGIN], c[KEEP] = 1 - p[LEAK], c[LOWEST] = p[MIN_POTENTIAL];
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   arrived = (ex != 0) | (in != 0) | (current != 0);
    double charge = larger(c[KEEP] * s[CHARGE], c[LOWEST]) + (ex + in + current);
    charge = arrived ? charge : s[CHARGE];
    bool fired = arrived & (charge >= c[FIRES_AT]);
    s[CHARGE] = fired ? 0 : charge;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

const rv_model rv_model_risp = {
    .table = { .kind = RV_NEURONS, .name = "risp", .summary = "neuron of TENNLab's RISP: integrates charge, fires at a threshold",
               .equations = "where charge arrives:  charge = leak ? 0 : charge, at least min_potential;  charge = charge + what arrives\n"
                            "charge >= threshold + margin:  spike; charge = 0",
               .reference = "TENNLab-UTK/framework-open, src/risp.cpp; Plank et al. 2022, The case for RISP, arXiv:2206.14016",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = in_steps_only, .prepare = prepare, .sweep = sweep, .step = step,
};
