#include "sim/model.h"

enum { RATE, START, STOP, N_PARAMS };
static const rv_field params[] = {
    [RATE] = { "rate", "Hz", 0, 0, 1e7, "mean rate of every neuron" },
    [START] = { "start", "ms", 0, 0, INFINITY, "spikes come after this time" },
    [STOP] = { "stop", "ms", INFINITY, 0, INFINITY, "and not after this" },
};

enum { DRAWN, TIME, N_STATES };
static const rv_field states[] = {
    [DRAWN] = { "drawn", "1", 0, 0, 4e9, "intervals drawn so far" },
    [TIME] = { "time", "steps", 0, 0, 9e15, "of the last spike drawn" },
};

enum { MEAN_INTERVAL, FIRST, LAST, N_CONSTANTS };

static const char *check(const double *p) { return p[STOP] < p[START] ? "stop must not be before start" : NULL; }

static void prepare(const double *p, double h, double *c)
{
    c[MEAN_INTERVAL] = p[RATE] > 0 ? 1000 / (p[RATE] * h) : INFINITY;
    c[FIRST] = p[START] / h, c[LAST] = p[STOP] / h;
}

static double emit(const double *c, double *s, rv_emission *emission)
{
    if (emission->restart) s[TIME] = larger(0, emission->after);
    if (isinf(c[MEAN_INTERVAL])) return INFINITY;
    random_seek(&emission->random, (uint32_t)s[DRAWN]);
    s[DRAWN] += 1;
    s[TIME] = larger(s[TIME], c[FIRST]) + random_exponential(&emission->random) * c[MEAN_INTERVAL];
    return s[TIME] <= c[LAST] ? s[TIME] : INFINITY;
}

const rv_model rv_model_poisson_generator = {
    .table = { .kind = RV_NEURONS, .name = "poisson_generator",
               .summary = "emits spikes at random; all targets of a neuron get the same train",
               .equations = "intervals between spikes are exponential with mean 1000 / rate (ms)",
               .reference = "Devroye 1986, Non-Uniform Random Variate Generation, chapter VI; for independent trains in every "
                            "target use the input of kind poisson",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .emit = emit,
};
