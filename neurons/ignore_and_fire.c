#include "sim/model.h"

enum { RATE, N_PARAMS };
static const rv_field params[] = {
    [RATE] = { "rate", "Hz", 10, 0, 1e6, "of its spikes; in grid timing the period is rounded to steps" },
};

enum { PHASE, N_STATES };
static const rv_field states[] = {
    [PHASE] = { "phase", "1", 1, 0, 1, "time to the next spike in periods" },
};

/* On the grid a spike comes in the step in whose second half the phase would reach 0, so that its rounding does not matter. */
enum { PERIOD, PER_STEP, EARLY, N_CONSTANTS };

static void prepare_exact(const double *p, double h, double *c)
{
    c[PERIOD] = p[RATE] > 0 ? 1000 / (p[RATE] * h) : INFINITY, c[PER_STEP] = 1 / c[PERIOD], c[EARLY] = 0;
}

static void prepare(const double *p, double h, double *c)
{
    prepare_exact(p, h, c);
    c[PERIOD] = larger(1, rint(c[PERIOD])), c[PER_STEP] = 1 / c[PERIOD], c[EARLY] = 0.5;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    (void)current, (void)ex, (void)in;
    double phase = s[PHASE] - c[PER_STEP];
    bool   fired = phase < c[EARLY] * c[PER_STEP];
    s[PHASE] = fired ? 1 : phase;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void carry(const double *c, double *s, double current, double k)
{
    (void)current;
    s[PHASE] = larger(0, s[PHASE] - k * c[PER_STEP]);
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    (void)current, (void)k;
    *found = c[PERIOD] < INFINITY;
    return *found ? larger(0, s[PHASE] * c[PERIOD] - c[EARLY]) : INFINITY;
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c, (void)s, (void)ex, (void)in;
    return 0;
}

static void fire(const double *c, double *s)
{
    (void)c;
    s[PHASE] = 1;
}

const rv_model rv_model_ignore_and_fire = {
    .table = { .kind = RV_NEURONS, .name = "ignore_and_fire",
               .summary = "spikes at a fixed rate, whatever comes: for benchmarks of everything but the neurons",
               .equations = "dphase/dt = -rate / 1000;  phase = 0:  spike; phase = 1.  Input is delivered and ignored.",
               .reference = "the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .prepare = prepare, .prepare_exact = prepare_exact, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
