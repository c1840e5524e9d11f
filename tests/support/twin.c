#include "tests/support/twin.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

/* Times are in steps of the resolution, real numbers, unless their name says ms. */

typedef enum model { DELTA, EXP, ALPHA, IZHIKEVICH, PARROT, TRAIN, POISSON, N_MODELS } model;
static const char *const model_names[N_MODELS] = { "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha", "izhikevich",
                                                   "parrot_neuron", "spike_generator", "poisson_generator" };

enum { EX, IN };

typedef struct neuron {
    model  model;
    int    population, index;
    double tau_m, C_m, E_L, V_th, V_reset, t_ref, tau_syn[2], I_e, V_min; /* as named in NEST */
    bool   keeps;                                                        /* refractory_input */
    double a, b, d;                                                      /* Izhikevich's; his c is V_reset */
    bool   consistent;
    double rate, start, stop; /* of a poisson_generator */

    double V, U, I[2], dI[2], kept;
    double held;    /* grid: refractory steps left */
    double now;     /* exact: time of this state */
    double free;    /* exact: end of the refractory period */
    double crosses; /* exact: when it will spike without further input, INFINITY if not in this step */
    double current; /* external, pA */
    double input[2];
    int    arrivals;

    double *spike; /* [n_spikes] */
    int     n_spikes;
} neuron;

typedef struct synapse {
    int              source, target; /* of all neurons */
    double           weight, delay, dendritic;
    const twin_stdp *stdp;
    double          *pre; /* [n_pre] presynaptic spikes as the synapse saw them */
    int              n_pre, posts_seen;
} synapse;

/* Exact timing: a spike on its way; synapse -1: from an input, or the emission of a generator itself. */
typedef struct arrival {
    double time, weight;
    int    target, synapse;
} arrival;

typedef struct margin {
    double time, distance;
} margin;

struct twin {
    double      h; /* ms */
    uint64_t    seed;
    bool        exact;
    int         n_populations, n_neurons, n_synapses, n_steps;
    int        *first;      /* [n_populations + 1] neuron */
    int        *depth;      /* [n_populations] place in a chain of projections without delay */
    int        *projection; /* [n_projections + 1] first synapse */
    neuron     *neuron;
    synapse    *synapse;
    int        *count; /* grid: [n_neurons][n_steps + 1] spikes with that stamp */
    arrival    *arrival;
    int         n_arrivals;
    twin_given  given;
    twin_spike *spikes;
    int         n_spikes;
    margin     *margin;
    int         n_margins;
};

static void *append(void *array, int n, size_t item)
{
    if (n & (n - 1)) return array; /* room for the next power of two */
    return realloc(array, (size_t)(n ? 2 * n : 1) * item);
}

/* ---- reading the network ------------------------------------------------------------------------------------ */

static double number(rv_net *net, const neuron *n, const char *name)
{
    double   x = 0;
    rv_table table;
    rv_table_find(RV_NEURONS, model_names[n->model], &table);
    for (int k = 0; k < table.n_params + table.n_states; k++) {
        const rv_field *field = k < table.n_params ? &table.params[k] : &table.states[k - table.n_params];
        if (strcmp(field->name, name) != 0) continue;
        rv_get(net, (rv_slice){ { n->population + 1 }, n->index, 1, 1 }, name, &x);
        return x;
    }
    return strcmp(name, "V_min") == 0 ? -INFINITY : 0;
}

static void read_neuron(rv_net *net, neuron *n)
{
#define READ(field) n->field = number(net, n, #field)
    READ(tau_m), READ(C_m), READ(E_L), READ(V_th), READ(V_reset), READ(t_ref), READ(I_e), READ(V_min), READ(a), READ(b),
        READ(d);
    READ(rate), READ(start), READ(stop);
#undef READ
    if (n->model == IZHIKEVICH) n->V_reset = number(net, n, "c");
    n->tau_syn[EX] = number(net, n, "tau_syn_ex"), n->tau_syn[IN] = number(net, n, "tau_syn_in");
    n->keeps = number(net, n, "refractory_input") != 0, n->consistent = number(net, n, "consistent_integration") != 0;
    n->V = number(net, n, "V_m"), n->U = number(net, n, "U_m");
    n->I[EX] = number(net, n, "I_syn_ex"), n->I[IN] = number(net, n, "I_syn_in");
    n->dI[EX] = number(net, n, "dI_syn_ex"), n->dI[IN] = number(net, n, "dI_syn_in");
    n->crosses = INFINITY;
}

static void read_neurons(rv_net *net, twin *t)
{
    t->n_populations = rv_population_count(net);
    t->first = calloc((size_t)t->n_populations + 1, sizeof *t->first);
    t->depth = calloc((size_t)t->n_populations + 1, sizeof *t->depth);
    for (int p = 0; p < t->n_populations; p++)
        t->first[p + 1] = t->first[p] + (int)rv_population_size(net, (rv_population){ p + 1 });
    t->n_neurons = t->first[t->n_populations];
    t->neuron = calloc((size_t)t->n_neurons + 1, sizeof *t->neuron);
    for (int p = 0; p < t->n_populations; p++)
        for (int i = t->first[p]; i < t->first[p + 1]; i++) {
            neuron *n = &t->neuron[i];
            n->population = p, n->index = i - t->first[p];
            while (strcmp(model_names[n->model], rv_population_model(net, (rv_population){ p + 1 })) != 0) n->model++;
            read_neuron(net, n);
        }
}

static double in_steps(double ms, double h)
{
    double steps = ms / h, whole = rint(steps);
    return fabs(steps - whole) < 1e-9 * fmax(1, whole) ? whole : steps;
}

/* The dendritic part of a delay is whole steps on the grid. */
static double dendritic_part(const twin *t, const twin_stdp *stdp, double delay)
{
    double part = stdp->dendritic_fraction * delay;
    return t->exact ? part : rint(part);
}

static void read_projection(rv_net *net, twin *t, int index)
{
    rv_projection p = { index + 1 };
    int source = t->first[rv_projection_source(net, p).id - 1], target = t->first[rv_projection_target(net, p).id - 1];
    int64_t       n;
    rv_synapse_count(net, p, &n);
    size_t   size = (size_t)n + 1;
    int64_t *sources = malloc(size * sizeof *sources), *targets = malloc(size * sizeof *targets);
    double  *weights = malloc(size * sizeof *weights), *delays = malloc(size * sizeof *delays);
    rv_synapses(net, p, sources, targets, weights, delays);
    t->synapse = realloc(t->synapse, ((size_t)t->n_synapses + size) * sizeof *t->synapse);
    for (int64_t k = 0; k < n; k++) {
        double delay = rint(delays[k] / t->h * 0x1p32) * 0x1p-32;
        t->synapse[t->n_synapses] = (synapse){ .source = source + (int)sources[k], .target = target + (int)targets[k],
                                               .weight = weights[k], .delay = delay };
        if (t->given.stdp[index].on) {
            t->synapse[t->n_synapses].stdp = &t->given.stdp[index];
            t->synapse[t->n_synapses].dendritic = dendritic_part(t, &t->given.stdp[index], delay);
        }
        t->n_synapses++;
    }
    t->projection[index + 1] = t->n_synapses;
    free(sources), free(targets), free(weights), free(delays);
}

/* A population whose spikes reach another without delay has its turn before it. */
static void order_populations(twin *t)
{
    for (int round = 0; round < t->n_populations; round++)
        for (int k = 0; k < t->n_synapses; k++) {
            int *source = &t->depth[t->neuron[t->synapse[k].source].population];
            int *target = &t->depth[t->neuron[t->synapse[k].target].population];
            if (t->synapse[k].delay == 0 && *target <= *source) *target = *source + 1;
        }
}

twin *twin_read(rv_net *net, const twin_given *given)
{
    twin *t = calloc(1, sizeof *t);
    int   n_projections = rv_projection_count(net);
    t->h = rv_resolution(net), t->seed = rv_seed(net), t->exact = rv_net_timing(net) == RV_EXACT, t->given = *given;
    t->projection = calloc((size_t)n_projections + 1, sizeof *t->projection);
    read_neurons(net, t);
    for (int p = 0; p < n_projections; p++) read_projection(net, t, p);
    order_populations(t);
    return t;
}

void twin_free(twin *t)
{
    if (!t) return;
    for (int i = 0; i < t->n_neurons; i++) free(t->neuron[i].spike);
    for (int k = 0; k < t->n_synapses; k++) free(t->synapse[k].pre);
    free(t->first), free(t->depth), free(t->projection), free(t->neuron), free(t->synapse), free(t->count),
        free(t->arrival);
    free(t->spikes), free(t->margin), free(t);
}

/* ---- what goes in ------------------------------------------------------------------------------------------- */

static bool is_target(const twin_input *in, const neuron *n)
{
    int64_t stride = in->slice.stride ? in->slice.stride : 1, offset = n->index - in->slice.first;
    return in->slice.population.id == n->population + 1 && offset >= 0 && offset % stride == 0 &&
           (in->slice.count < 0 || offset / stride < in->slice.count);
}

/* The first step that begins at or after a time. */
static double step_from(const twin *t, double ms) { return ceil(ms / t->h - 1e-6); }

static bool is_on(const twin *t, const twin_input *in, int step)
{
    return step >= step_from(t, in->start) && step < step_from(t, in->stop);
}

/* A neuron's word at a step: see random_words() in sim/random.h. */
static uint32_t word_of(const twin *t, random_purpose purpose, int input, uint64_t step, int i)
{
    rv_random stream = random_stream(t->seed, purpose, (uint32_t)input, step);
    random_seek(&stream, (uint32_t)(i / 64 * 16 + i % 16));
    uint32_t word = 0;
    for (int k = 0; k <= i % 64 / 16; k++) word = random_u32(&stream);
    return word;
}

/* The word behind a neuron's number of spikes: the upper half is that of random_halves(), the lower one is from a stream of
 * its own. */
static uint32_t background_word_of(const twin *t, int input, uint64_t step, int i)
{
    rv_random high = random_stream(t->seed, RANDOM_BACKGROUND, (uint32_t)input, step), low = random_stream(t->seed, RANDOM_BACKGROUND_LOW, (uint32_t)input, step);
    random_seek(&high, (uint32_t)(i / 64 * 8 + i % 16 / 2));
    random_seek(&low, (uint32_t)i);
    uint32_t word = 0;
    for (int k = 0; k <= i % 64 / 16; k++) word = random_u32(&high);
    return (i % 2 ? word >> 16 : word & 0xffff) << 16 | (random_u32(&low) & 0xffff);
}

static double current_of(const twin *t, int k, const neuron *n, int step)
{
    const twin_input *in = &t->given.input[k];
    if (!is_target(in, n) || !is_on(t, in, step)) return 0;
    if (strcmp(in->kind, "dc") == 0) return in->amplitude;
    if (strcmp(in->kind, "sine") == 0)
        return in->offset + in->amplitude * sin(2 * M_PI * (in->frequency * step * t->h / 1000 + in->phase / 360));
    if (strcmp(in->kind, "noise") == 0) {
        int begin = (int)step_from(t, in->start), lasts = (int)rint(in->dt / t->h),
            drawn = begin + (step - begin) / lasts * lasts;
        return in->mean + in->std * gsl_cdf_ugaussian_Pinv(
                                        (word_of(t, RANDOM_NOISE, k, (uint64_t)drawn, n->index) + 0.5) / 0x1p32);
    }
    double amplitude = 0;
    if (strcmp(in->kind, "step") == 0)
        for (int i = 0; i < in->n_steps; i++)
            if (step >= step_from(t, in->times[i])) amplitude = in->amplitudes[i];
    return amplitude;
}

static void set_currents(twin *t, int step)
{
    for (int i = 0; i < t->n_neurons; i++) {
        t->neuron[i].current = 0;
        for (int k = 0; k < t->given.n_inputs; k++) t->neuron[i].current += current_of(t, k, &t->neuron[i], step);
    }
}

static bool is_poisson(const twin_input *in) { return strcmp(in->kind, "poisson") == 0; }
static double mean_per_step(const twin *t, const twin_input *in) { return in->rate * t->h / 1000; }
static bool is_sparse(const twin *t, const twin_input *in) { return t->exact || mean_per_step(t, in) < 1.0 / 64; }

/* Inverse of the cumulative distribution. */
static int poisson_of(uint32_t word, double mean)
{
    int k = 0;
    while (gsl_cdf_poisson_P((unsigned)k, mean) < (word + 1.0) / 0x1p32) k++;
    return k;
}

static void add_input(neuron *n, double weight)
{
    n->input[weight < 0 ? IN : EX] += weight;
    n->arrivals++;
}

static void draw_dense_poisson(twin *t, int step)
{
    for (int k = 0; k < t->given.n_inputs; k++) {
        const twin_input *in = &t->given.input[k];
        if (!is_poisson(in) || is_sparse(t, in) || in->rate == 0 || !is_on(t, in, step)) continue;
        for (int i = 0; i < t->n_neurons; i++) {
            neuron *n = &t->neuron[i];
            if (!is_target(in, n)) continue;
            int count = poisson_of(background_word_of(t, k, (uint64_t)step, n->index), mean_per_step(t, in));
            for (int c = 0; c < count; c++) add_input(n, in->weight);
        }
    }
}

static void add_arrival(twin *t, double time, int target, double weight, int from)
{
    t->arrival = append(t->arrival, t->n_arrivals, sizeof *t->arrival);
    t->arrival[t->n_arrivals++] = (arrival){ t->exact ? time : ceil(time), weight, target, from };
}

/* A train of exponential intervals, one from each block of the stream; `add` gets each time. */
static void draw_train(twin *t, rv_random stream, double per_step, double start_ms, double stop_ms, int target,
                       double weight)
{
    double time = start_ms / t->h;
    for (uint32_t block = 0; per_step > 0; block++) {
        random_seek(&stream, block);
        time += random_exponential(&stream) / per_step;
        if (time > stop_ms / t->h || time > t->n_steps) return;
        add_arrival(t, time, target, weight, -1);
    }
}

/* All that is known beforehand: sparse Poisson input and the emissions of generators. */
static void foresee_arrivals(twin *t)
{
    for (int i = 0; i < t->n_neurons; i++) {
        neuron *n = &t->neuron[i];
        for (int k = 0; k < t->given.n_inputs; k++) {
            const twin_input *in = &t->given.input[k];
            if (!is_poisson(in) || !is_sparse(t, in) || !is_target(in, n)) continue;
            draw_train(t, random_stream(t->seed, RANDOM_ARRIVAL, (uint32_t)k, (uint64_t)n->index), mean_per_step(t, in),
                       in->start, in->stop, i, in->weight);
        }
        if (n->model == POISSON)
            draw_train(t, random_stream(t->seed, RANDOM_EMISSION, (uint32_t)n->population, (uint64_t)n->index),
                       n->rate * t->h / 1000, n->start, n->stop, i, 0);
        for (int k = 0; k < t->given.n_trains && n->model == TRAIN; k++) {
            const twin_train *train = &t->given.train[k];
            if (train->population.id != n->population + 1 || train->neuron != n->index) continue;
            for (int s = 0; s < train->n; s++) add_arrival(t, in_steps(train->times[s], t->h), i, 0, -1);
        }
    }
}

/* ---- the equations ------------------------------------------------------------------------------------------ */

/* int_0^t exp(-(t - u) / tau_m) u^power exp(-u / tau_s) du; where the closed form would cancel, Gauss and Legendre's
 * six points do it to all digits. */
static double response(double ms, double tau_m, double tau_s, int power)
{
    static const double node[3] = { 0.2386191860831969086, 0.6612093864662645137, 0.9324695142031520278 };
    static const double share[3] = { 0.4679139345726910473, 0.3607615730481386076, 0.1713244923791703450 };
    double a = 1 / tau_s - 1 / tau_m;
    if (fabs(a * ms) > 0.3)
        return power == 0 ? (exp(-ms / tau_m) - exp(-ms / tau_s)) / a
                          : (exp(-ms / tau_m) - exp(-ms / tau_s) * (1 + a * ms)) / (a * a);
    double sum = 0;
    for (int k = 0; k < 6; k++) {
        double u = 0.5 * ms * (1 + (k < 3 ? node[k] : -node[k - 3]));
        sum += share[k % 3] * (power ? u : 1) * exp(-a * u);
    }
    return exp(-ms / tau_m) * 0.5 * ms * sum;
}

/* tau_m dV/dt = E_L - V + tau_m / C_m (I_e + current + I(u)),  I(u) = (I + dI u) exp(-u / tau_syn), after some ms */
static double linear_V(const neuron *n, double ms)
{
    double E = n->E_L + n->tau_m / n->C_m * (n->I_e + n->current), V = E + (n->V - E) * exp(-ms / n->tau_m);
    for (int x = EX; x <= IN && n->model != DELTA; x++) {
        if (n->I[x] != 0) V += n->I[x] / n->C_m * response(ms, n->tau_m, n->tau_syn[x], 0);
        if (n->dI[x] != 0) V += n->dI[x] / n->C_m * response(ms, n->tau_m, n->tau_syn[x], 1);
    }
    return V;
}

static void decay_currents(neuron *n, double ms)
{
    for (int x = EX; x <= IN && n->model != DELTA; x++) {
        n->I[x] = (n->I[x] + n->dI[x] * ms) * exp(-ms / n->tau_syn[x]);
        n->dI[x] *= exp(-ms / n->tau_syn[x]);
    }
}

static void take_current(neuron *n, const double input[2])
{
    for (int x = EX; x <= IN; x++) {
        if (n->model == EXP) n->I[x] += input[x];
        if (n->model == ALPHA) n->dI[x] += input[x] * M_E / n->tau_syn[x];
    }
}

static double izhikevich_slope(double V, double U, double I) { return 0.04 * V * V + 5 * V + 140 - U + I; }

static void note_margin(twin *t, double time, double distance)
{
    if (!(fabs(distance) < 1e-8)) return;
    t->margin = append(t->margin, t->n_margins, sizeof *t->margin);
    t->margin[t->n_margins++] = (margin){ time * t->h, fabs(distance) };
}

/* ---- learning, pair by pair --------------------------------------------------------------------------------- */

static double power_of(double x, double mu) { return mu == 0 ? 1 : pow(x, mu); }

/* A postsynaptic spike: every presynaptic one the synapse saw before. One that arrives in the very step counts as
 * before where no dendrite lies between, on the grid. */
static void see_post(const twin *t, synapse *s, double post)
{
    const twin_stdp *r = s->stdp;
    double           at = post + s->dendritic, K = 0, x = s->weight / r->Wmax;
    bool             ties = s->dendritic == 0 && !t->exact;
    for (int k = 0; k < s->n_pre; k++)
        if (s->pre[k] < at || (ties && s->pre[k] == at)) K += exp(-(at - s->pre[k]) * t->h / r->tau_plus);
    if (K > 0) s->weight = fmin(1, x + r->lambda * power_of(1 - x, r->mu_plus) * K) * r->Wmax;
}

/* What has happened at the synapse until what arrives at `time` passed it. */
static void see_posts_until(const twin *t, synapse *s, double time)
{
    const neuron *n = &t->neuron[s->target];
    while (s->posts_seen < n->n_spikes && n->spike[s->posts_seen] + s->dendritic <= time - s->dendritic)
        see_post(t, s, n->spike[s->posts_seen++]);
}

/* A presynaptic spike that arrives: every postsynaptic one the synapse saw before. */
static void see_pre(twin *t, synapse *s, double arrives)
{
    const neuron    *n = &t->neuron[s->target];
    const twin_stdp *r = s->stdp;
    see_posts_until(t, s, arrives);
    double at = arrives - s->dendritic, K = 0, x = s->weight / r->Wmax;
    for (int k = 0; k < n->n_spikes; k++) {
        double since = at - n->spike[k] - s->dendritic;
        if (n->spike[k] + s->dendritic < at) K += exp(-since * t->h / r->tau_minus);
        if (t->exact && fabs(since) < 1e-9) note_margin(t, arrives, 0); /* which came first only rounding knows */
    }
    if (K > 0) s->weight = fmax(0, x - r->alpha * r->lambda * power_of(x, r->mu_minus) * K) * r->Wmax;
    s->pre = append(s->pre, s->n_pre, sizeof *s->pre);
    s->pre[s->n_pre++] = at;
}

/* ---- both timings ------------------------------------------------------------------------------------------- */

static void spike_at(twin *t, int i, double time)
{
    neuron *n = &t->neuron[i];
    n->spike = append(n->spike, n->n_spikes, sizeof *n->spike);
    n->spike[n->n_spikes++] = time;
    if (!t->exact) t->count[i * (t->n_steps + 1) + (int)time]++;
}

/* ---- the grid ----------------------------------------------------------------------------------------------- */

static void collect_input(twin *t, int stamp)
{
    for (int k = 0; k < t->n_arrivals; k++)
        if (t->arrival[k].time == stamp) add_input(&t->neuron[t->arrival[k].target], t->arrival[k].weight);
    for (int k = 0; k < t->n_synapses; k++) {
        synapse *s = &t->synapse[k];
        int      sent = stamp - (int)s->delay, count = sent > 0 ? t->count[s->source * (t->n_steps + 1) + sent] : 0;
        for (; count > 0; count--) {
            if (s->stdp) see_pre(t, s, stamp);
            add_input(&t->neuron[s->target], s->weight);
        }
    }
}

static bool step_linear(twin *t, neuron *n)
{
    double jump = n->model == DELTA ? n->input[EX] + n->input[IN] : 0;
    if (n->held == 0) n->V = fmax(n->V + n->kept, n->V_min), n->kept = 0; /* at the end of the refractory period */
    double V = linear_V(n, t->h);
    decay_currents(n, t->h);
    take_current(n, n->input);
    if (n->held > 0) {
        if (n->keeps) n->kept += jump * exp(-(n->held - 1) * t->h / n->tau_m);
        n->held--;
        return false;
    }
    n->V = fmax(V + jump, n->V_min);
    if (n->V < n->V_th) return false;
    n->held = rint(n->t_ref / t->h);
    return true;
}

static bool step_izhikevich(twin *t, neuron *n)
{
    double I = n->I_e + n->current, input = n->input[EX] + n->input[IN], V = n->V, h = t->h;
    if (n->consistent) {
        n->V += h * izhikevich_slope(V, n->U, I) + input;
        n->U += h * n->a * (n->b * V - n->U);
    } else {
        for (int half = 0; half < 2; half++) n->V += h / 2 * izhikevich_slope(n->V, n->U, I + input);
        n->U += h * n->a * (n->b * n->V - n->U);
    }
    n->V = fmax(n->V, n->V_min);
    return n->V >= n->V_th;
}

static void step_neuron(twin *t, int i, int step)
{
    neuron *n = &t->neuron[i];
    if (n->model >= PARROT)
        for (int k = 0; k < n->arrivals; k++) spike_at(t, i, step + 1);
    else {
        bool spikes = n->model == IZHIKEVICH ? step_izhikevich(t, n) : step_linear(t, n);
        note_margin(t, step + 1, n->V - n->V_th);
        if (spikes) n->V = n->V_reset, n->U += n->d, spike_at(t, i, step + 1);
    }
    n->input[EX] = n->input[IN] = 0;
    n->arrivals = 0;
}

static void run_grid(twin *t)
{
    t->count = calloc((size_t)t->n_neurons * (size_t)(t->n_steps + 1) + 1, sizeof *t->count);
    for (int step = 0; step < t->n_steps; step++) {
        set_currents(t, step);
        draw_dense_poisson(t, step);
        collect_input(t, step + 1);
        for (int i = 0; i < t->n_neurons; i++) step_neuron(t, i, step);
    }
}

/* ---- exact timing ------------------------------------------------------------------------------------------- */

static void runge_kutta(neuron *n, double ms)
{
    double I = n->I_e + n->current, V = n->V, U = n->U, kV[4], kU[4];
    for (int k = 0; k < 4; k++) {
        double f = k == 0 ? 0 : k == 3 ? ms : ms / 2, v = k ? V + f * kV[k - 1] : V, u = k ? U + f * kU[k - 1] : U;
        kV[k] = izhikevich_slope(v, u, I), kU[k] = n->a * (n->b * v - u);
    }
    n->V += ms / 6 * (kV[0] + 2 * kV[1] + 2 * kV[2] + kV[3]);
    n->U += ms / 6 * (kU[0] + 2 * kU[1] + 2 * kU[2] + kU[3]);
}

/* Brings a neuron to a time up to which it does not spike. */
static void evolve(const twin *t, neuron *n, double to)
{
    double ms = (to - n->now) * t->h;
    if (n->model == IZHIKEVICH) {
        int pieces = (int)ceil(ms / 5e-4);
        for (int k = 0; k < pieces; k++) runge_kutta(n, ms / pieces);
    } else if (n->now < n->free) {
        double until = fmin(to, n->free);
        decay_currents(n, (until - n->now) * t->h);
        n->now = until;
        if (until == n->free) n->V = fmax(n->V + n->kept, n->V_min), n->kept = 0;
        if (until < to) evolve(t, n, to);
    } else if (ms > 0) {
        n->V = fmax(linear_V(n, ms), n->V_min);
        decay_currents(n, ms);
    }
    n->now = to;
}

/* Bisection between a time before the threshold is reached and one after. */
static double bisect(const twin *t, const neuron *n, double before, double after)
{
    for (int k = 0; k < 60; k++) {
        double middle = 0.5 * (before + after);
        neuron there = *n;
        evolve(t, &there, middle);
        *(there.V < n->V_th ? &before : &after) = middle;
    }
    return after;
}

static double V_after(const twin *t, const neuron *n, double time) { return linear_V(n, (time - n->now) * t->h); }

/* Golden section: where V is highest between two times. */
static double highest(const twin *t, const neuron *n, double a, double b)
{
    const double golden = 0.5 * (sqrt(5) - 1);
    double       x = b - golden * (b - a), y = a + golden * (b - a), Vx = V_after(t, n, x), Vy = V_after(t, n, y);
    for (int k = 0; k < 50; k++)
        if (Vx > Vy) b = y, y = x, Vy = Vx, x = b - golden * (b - a), Vx = V_after(t, n, x);
        else a = x, x = y, Vx = Vy, y = a + golden * (b - a), Vy = V_after(t, n, y);
    return Vx > Vy ? x : y;
}

/* The first crossing of a linear model in (n->now, end]: by looking, at many points and at every peak between them. */
static double search_linear(twin *t, const neuron *n, double end)
{
    enum { POINTS = 10 };
    double at[POINTS + 1], V[POINTS + 1];
    for (int k = 0; k <= POINTS; k++) at[k] = n->now + (end - n->now) * k / POINTS, V[k] = V_after(t, n, at[k]);
    for (int k = 0; k <= POINTS; k++) {
        if (V[k] >= n->V_th) return k ? bisect(t, n, at[k - 1], at[k]) : n->now;
        if ((k > 0 && V[k - 1] > V[k]) || (k < POINTS && V[k + 1] > V[k])) continue; /* no peak near */
        double from = at[k ? k - 1 : 0], peak = highest(t, n, from, at[k < POINTS ? k + 1 : POINTS]),
               top = V_after(t, n, peak);
        if (peak > at[0] && peak < end) note_margin(t, peak, top - n->V_th);
        if (top >= n->V_th) return bisect(t, n, from, peak);
    }
    return INFINITY;
}

static double search_izhikevich(const twin *t, const neuron *n, double end)
{
    neuron there = *n;
    if (there.V >= n->V_th) return n->now;
    for (double piece = 5e-4 / t->h; there.now < end;) {
        neuron before = there;
        evolve(t, &there, fmin(end, there.now + piece));
        if (there.V >= n->V_th) return bisect(t, &before, before.now, there.now);
    }
    return INFINITY;
}

static void search(twin *t, neuron *n, double end)
{
    n->crosses = INFINITY;
    if (n->model >= PARROT || n->free >= end) return;
    if (n->model == IZHIKEVICH) {
        n->crosses = search_izhikevich(t, n, end);
        return;
    }
    neuron there = *n;
    if (n->now < n->free) evolve(t, &there, n->free);
    n->crosses = search_linear(t, &there, end);
}

static void send(twin *t, int i, double time)
{
    spike_at(t, i, time);
    for (int k = 0; k < t->n_synapses; k++)
        if (t->synapse[k].source == i)
            add_arrival(t, time + t->synapse[k].delay, t->synapse[k].target, t->synapse[k].weight, k);
}

static void fire(twin *t, int i, double time, double end)
{
    neuron *n = &t->neuron[i];
    n->V = n->V_reset, n->U += n->d, n->kept = 0, n->free = time + n->t_ref / t->h;
    if (n->model == IZHIKEVICH) n->free = time;
    send(t, i, time);
    search(t, n, end);
}

static bool has_turn(const twin *t, const arrival *a, const arrival *b)
{
    if (a->time != b->time) return a->time < b->time;
    int depth_a = t->depth[t->neuron[a->target].population], depth_b = t->depth[t->neuron[b->target].population];
    return depth_a != depth_b ? depth_a < depth_b : a->target < b->target;
}

static const arrival *next_arrival(const twin *t, double end)
{
    const arrival *next = NULL;
    for (int k = 0; k < t->n_arrivals; k++)
        if (t->arrival[k].time < end && (!next || has_turn(t, &t->arrival[k], next))) next = &t->arrival[k];
    return next;
}

static void receive(twin *t, int i, double time, double end)
{
    neuron *n = &t->neuron[i];
    double  jump = n->input[EX] + n->input[IN];
    evolve(t, n, time);
    take_current(n, n->input);
    bool spikes = false;
    if (n->model == DELTA || n->model == IZHIKEVICH) {
        if (time < n->free) n->kept += n->keeps ? jump * exp(-(n->free - time) * t->h / n->tau_m) : 0;
        else {
            n->V = fmax(n->V + jump, n->V_min), spikes = n->V >= n->V_th;
            note_margin(t, time, n->V - n->V_th);
        }
    }
    if (spikes) fire(t, i, time, end);
    else search(t, n, end);
}

/* Everything that arrives at one neuron at one time is one input. */
static void take_arrivals(twin *t, double time, int i, double end)
{
    int     kept = 0;
    neuron *n = &t->neuron[i];
    n->input[EX] = n->input[IN] = 0, n->arrivals = 0;
    for (int k = 0; k < t->n_arrivals; k++) {
        arrival a = t->arrival[k];
        if (a.time != time || a.target != i) {
            t->arrival[kept++] = a;
            continue;
        }
        synapse *s = a.synapse < 0 ? NULL : &t->synapse[a.synapse];
        if (s && s->stdp) see_pre(t, s, time), a.weight = s->weight;
        add_input(n, a.weight);
    }
    t->n_arrivals = kept;
    if (n->model < PARROT) receive(t, i, time, end);
    else
        for (int k = 0; k < n->arrivals; k++) send(t, i, time);
}

/* From event to event until the end of a step, in which the external currents are constant. */
static void run_exact_step(twin *t, double end)
{
    for (int i = 0; i < t->n_neurons; i++) search(t, &t->neuron[i], end);
    for (;;) {
        const arrival *a = next_arrival(t, end);
        int            first = -1;
        for (int i = 0; i < t->n_neurons; i++)
            if (t->neuron[i].crosses < (first < 0 ? end : t->neuron[first].crosses)) first = i;
        if (first >= 0 && (!a || t->neuron[first].crosses <= a->time)) {
            double time = t->neuron[first].crosses;
            evolve(t, &t->neuron[first], time);
            fire(t, first, time, end);
        } else if (a) take_arrivals(t, a->time, a->target, end);
        else break;
    }
    for (int i = 0; i < t->n_neurons; i++)
        if (t->neuron[i].model < PARROT) evolve(t, &t->neuron[i], end);
}

static void run_exact(twin *t)
{
    for (int step = 0; step < t->n_steps; step++) {
        set_currents(t, step);
        run_exact_step(t, step + 1);
    }
}

/* ---- results ------------------------------------------------------------------------------------------------ */

void twin_run(twin *t, double duration_ms)
{
    t->n_steps = (int)rint(duration_ms / t->h);
    foresee_arrivals(t);
    if (t->exact) run_exact(t);
    else run_grid(t);
    for (int k = 0; k < t->n_synapses; k++)
        if (t->synapse[k].stdp) see_posts_until(t, &t->synapse[k], t->n_steps);
    for (int i = 0; i < t->n_neurons; i++)
        for (int k = 0; k < t->neuron[i].n_spikes; k++) {
            t->spikes = append(t->spikes, t->n_spikes, sizeof *t->spikes);
            t->spikes[t->n_spikes++] =
                (twin_spike){ t->neuron[i].spike[k] * t->h, t->neuron[i].population, t->neuron[i].index };
        }
}

const twin_spike *twin_spikes(const twin *t, int *n)
{
    *n = t->n_spikes;
    return t->spikes;
}

double twin_state(const twin *t, int population, int neuron_index, const char *name)
{
    const neuron *n = &t->neuron[t->first[population] + neuron_index];
    const struct {
        const char *name;
        double x;
    } states[] = { { "V_m", n->V },
                   { "U_m", n->U },
                   { "I_syn_ex", n->I[EX] },
                   { "I_syn_in", n->I[IN] },
                   { "dI_syn_ex", n->dI[EX] },
                   { "dI_syn_in", n->dI[IN] } };
    for (size_t k = 0; k < sizeof states / sizeof *states && n->model < PARROT; k++)
        if (strcmp(states[k].name, name) == 0) return states[k].x;
    return NAN;
}

double twin_weight(const twin *t, int projection, int64_t k)
{
    return t->synapse[t->projection[projection] + k].weight;
}

double twin_margin(const twin *t, double time_ms)
{
    double least = INFINITY;
    for (int k = 0; k < t->n_margins; k++)
        if (t->margin[k].time <= time_ms && t->margin[k].distance < least) least = t->margin[k].distance;
    return least;
}
