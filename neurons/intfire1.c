#include "sim/model.h"

enum { TAU, REFRAC, N_PARAMS };
static const rv_field params[] = {
    [TAU] = { "tau", "ms", 10, 1e-3, 1e6, "time constant of m" },
    [REFRAC] = { "refrac", "ms", 5, 0, 1e6, "refractory period, during which input is lost; in grid timing rounded to steps" },
};

enum { M, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [M] = { "m", "1", 0, -1e12, 1e12, "normalised membrane potential: rests at 0, the threshold is 1" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

enum { RATE, DECAY, HOLD, N_CONSTANTS };

static void prepare(const double *p, double h, double *c)
{
    c[RATE] = h / p[TAU], c[DECAY] = exp(-c[RATE]), c[HOLD] = p[REFRAC] / h;
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    (void)current;
    bool   refractory = s[REFRACTORY] > 0;
    double m = c[DECAY] * s[M] + ex + in;
    m = refractory ? s[M] : m;
    bool fired = m > 1;
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    s[M] = fired ? 0 : m;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void carry(const double *c, double *s, double current, double k)
{
    (void)current;
    double held = smaller(s[REFRACTORY], k);
    if (held > 0) s[REFRACTORY] -= held, k -= held;
    if (k > 0) s[M] *= exp(-c[RATE] * k);
}

/* Without input m only decays: a spike is always the answer to one. */
static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    (void)c, (void)s, (void)current, (void)k;
    *found = false;
    return INFINITY;
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    if (s[REFRACTORY] > 0) return 0;
    s[M] += ex + in;
    return s[M] > 1;
}

static void fire(const double *c, double *s) { s[M] = 0, s[REFRACTORY] = c[HOLD]; }

const rv_model rv_model_intfire1 = {
    .table = { .kind = RV_NEURONS, .name = "intfire1",
               .summary = "leaky integrator of weightless charge that spikes only at its inputs (NEURON's IntFire1)",
               .equations = "tau dm/dt = -m;  an input of weight w adds w to m\n"
                            "m > 1:  spike at that moment; m = 0 and input is lost for refrac",
               .reference = "the artificial cell IntFire1 of NEURON: Hines & Carnevale 2004, J Comput Appl Math 169:391 (events in NEURON)",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .spikes_only = true, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};
