#include "sim/model.h"

enum { RATE, AMPLITUDE, FREQUENCY, PHASE, START, STOP, N_PARAMS };
static const rv_field params[] = {
    [RATE] = { "rate", "Hz", 0, 0, 1e7, "mean rate of every neuron" },
    [AMPLITUDE] = { "amplitude", "Hz", 0, 0, 1e7, "of its modulation, at most the rate" },
    [FREQUENCY] = { "frequency", "Hz", 0, 0, 1e6, "of the modulation" },
    [PHASE] = { "phase", "degrees", 0, -1e6, 1e6, "of the modulation at time 0" },
    [START] = { "start", "ms", 0, 0, INFINITY, "spikes come after this time" },
    [STOP] = { "stop", "ms", INFINITY, 0, INFINITY, "and not after this" },
};

enum { DRAWN, TIME, N_STATES };
static const rv_field states[] = {
    [DRAWN] = { "drawn", "1", 0, 0, 4e9, "intervals drawn so far" },
    [TIME] = { "time", "steps", 0, 0, 9e15, "of the last spike drawn" },
};

enum { MEAN, SWING, OMEGA, PHI, FIRST, LAST, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[AMPLITUDE] > p[RATE]) return "amplitude must not be above rate: rates are not negative";
    return p[STOP] < p[START] ? "stop must not be before start" : NULL;
}

/* Per step; without a frequency the rate is that at time 0 all the time. */
static void prepare(const double *p, double h, double *c)
{
    double phi = fmod(p[PHASE], 360) * (M_PI / 180), still = p[FREQUENCY] > 0 ? 0 : p[AMPLITUDE] * sin(phi);
    c[MEAN] = (p[RATE] + still) * h / 1000, c[SWING] = p[FREQUENCY] > 0 ? p[AMPLITUDE] * h / 1000 : 0;
    c[OMEGA] = 2 * M_PI * p[FREQUENCY] * h / 1000, c[PHI] = phi;
    c[FIRST] = p[START] / h, c[LAST] = p[STOP] / h;
}

/* Expected spikes in (from, from + t]: the difference of two cosines as a product, so that nothing cancels. */
static double expected(const double *c, double from, double t)
{
    double swing = c[SWING] > 0 ? 2 * c[SWING] / c[OMEGA] * sin(0.5 * c[OMEGA] * t) * sin(c[OMEGA] * (from + 0.5 * t) + c[PHI]) : 0;
    return c[MEAN] * t + swing;
}

/* The next spike comes when an exponential amount of spikes was to be expected (Cinlar 1975). The modulation adds or takes at most
 * 2 SWING / OMEGA, and SWING t, so the time lies in an interval, which is halved down to its last digit. */
static double emit(const double *c, double *s, rv_emission *emission)
{
    if (emission->restart) s[TIME] = larger(0, emission->after);
    if (!(c[MEAN] > 0)) return INFINITY;
    random_seek(&emission->random, (uint32_t)s[DRAWN]);
    s[DRAWN] += 1;
    double from = larger(s[TIME], c[FIRST]), amount = random_exponential(&emission->random), most = c[SWING] > 0 ? 2 * c[SWING] / c[OMEGA] : 0;
    double low = larger((amount - most) / c[MEAN], amount / (c[MEAN] + c[SWING])), high = (amount + most) / c[MEAN];
    for (int k = 0; k < 200 && c[SWING] > 0; k++) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high) break;
        *(expected(c, from, middle) < amount ? &low : &high) = middle;
    }
    s[TIME] = from + high;
    return s[TIME] <= c[LAST] ? s[TIME] : INFINITY;
}

const rv_model rv_model_sinusoidal_poisson_generator = {
    .table = { .kind = RV_NEURONS, .name = "sinusoidal_poisson_generator",
               .summary = "emits spikes at random, with a rate that rises and falls; all targets of a neuron get the same train",
               .equations = "rate(t) = rate + amplitude sin(2 pi frequency t + phase), t from the beginning of the simulation",
               .reference = "Cinlar 1975, Introduction to Stochastic Processes, chapter 4; the model of this name in NEST with individual_spike_trains = false",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .emit = emit,
};
