#include "sim/model.h"
#include "sim/renewal.h"

enum { RATE, SHAPE, DEAD_TIME, START, STOP, N_PARAMS };
static const rv_field params[] = {
    [RATE] = { "rate", "Hz", 0, 0, 1e7, "mean rate of every neuron" },
    [SHAPE] = { "shape", "1", 1, 1e-3, 1e6, "of the gamma distribution; 1: exponential, larger: more regular" },
    [DEAD_TIME] = { "dead_time", "ms", 0, 0, 1e9, "no interval is shorter; below 1000 / rate" },
    [START] = { "start", "ms", 0, 0, INFINITY, "spikes come after this time" },
    [STOP] = { "stop", "ms", INFINITY, 0, INFINITY, "and not after this" },
};

enum { DRAWN, TIME, N_STATES };
static const rv_field states[] = {
    [DRAWN] = { "drawn", "1", 0, 0, 4e9, "intervals drawn so far" },
    [TIME] = { "time", "steps", 0, 0, 9e15, "of the last spike drawn" },
};

enum { MEAN_INTERVAL, DEAD, K_SHAPE, FIRST, LAST, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[STOP] < p[START]) return "stop must not be before start";
    return p[DEAD_TIME] > 0 && p[DEAD_TIME] * p[RATE] >= 1000 ? "dead_time must be below 1000 / rate" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    c[MEAN_INTERVAL] = p[RATE] > 0 ? 1000 / (p[RATE] * h) : INFINITY;
    c[DEAD] = p[DEAD_TIME] * p[RATE] / 1000, c[K_SHAPE] = p[SHAPE];
    c[FIRST] = p[START] / h, c[LAST] = p[STOP] / h;
}

/* From the start on, and from where the parameters change, the process is stationary: what comes first is what is left of an
 * interval. */
static double emit(const double *c, double *s, rv_emission *emission)
{
    if (emission->restart) s[TIME] = larger(0, emission->after);
    if (isinf(c[MEAN_INTERVAL])) return INFINITY;
    bool first = emission->restart || s[DRAWN] == 0;
    random_seek(&emission->random, (uint32_t)s[DRAWN] * RENEWAL_BLOCKS);
    s[DRAWN] += 1;
    s[TIME] = larger(s[TIME], c[FIRST]) + renewal_interval(&emission->random, c[DEAD], c[K_SHAPE], first) * c[MEAN_INTERVAL];
    return s[TIME] <= c[LAST] ? s[TIME] : INFINITY;
}

const rv_model rv_model_gamma_generator = {
    .table = { .kind = RV_NEURONS, .name = "gamma_generator",
               .summary = "emits spikes more or less regularly (a renewal process); all targets of a neuron get the same train",
               .equations = "intervals = dead_time + gamma(shape), mean 1000 / rate (ms); stationary from start on\n"
                            "CV = (1 - dead_time rate / 1000) / sqrt(shape)",
               .reference = "Cox 1962, Renewal Theory; gamma_sup_generator (n_proc = 1) and ppd_sup_generator (n_proc = 1) in NEST; for independent "
                            "trains in every target use the input of kind renewal",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .emit = emit,
};
