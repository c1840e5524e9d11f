/* The engine against a plain second simulator (tests/support/twin.h): hundreds of small random networks of everything
 * there is, then the nasty cases by hand. To see one network again:
 *
 *   RV_TWIN_SEED=1234 RV_TWIN_N=1 build/tests/sim/test_twin
 *
 * Grid timing: the same spikes to the step, states and weights to 1e-9 relative. Exact timing: spike times to 1e-9 ms
 * (to 1e-6 ms in networks with izhikevich neurons, which both sides integrate). A small error may grow from spike to
 * spike, so exact networks are run for 12 to 35 ms. Where a potential came nearer to its threshold than rounding can
 * tell, or in exact timing a pre- and a postsynaptic spike met at a synapse at one time, both outcomes are right: if
 * the two differ from there on, the network counts as undecided, and only a few may be. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"
#include "tests/support/twin.h"

enum { N_NETWORKS = 300, FIRST_SEED = 1000, MAX_POPULATIONS = 6 };
#define EXACT_MS      1e-9
#define INTEGRATED_MS 1e-6
#define UNDECIDED_MV  1e-11

typedef enum kind { DELTA, EXP, ALPHA, IZHIKEVICH, PARROT, TRAIN, POISSON } kind;
static const char *const models[] = { "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha", "izhikevich", "parrot_neuron",
                                      "spike_generator", "poisson_generator" };

typedef struct scene {
    uint64_t   seed;
    rv_random  random;
    rv_net_def def;
    rv_net    *net;
    double     h, duration;
    int        n_populations, size[MAX_POPULATIONS + 1]; /* populations from 1, as their handles */
    kind       kind[MAX_POPULATIONS + 1];
    bool       integrates; /* exact timing: an izhikevich population */
    twin_given given;
} scene;

/* ---- drawing ------------------------------------------------------------------------------------------------ */

static double uniform(scene *s, double low, double high) { return low + (high - low) * random_uniform(&s->random); }
static int    below(scene *s, int n) { return (int)random_below(&s->random, (uint64_t)n); }
static bool   chance(scene *s, double p) { return random_uniform(&s->random) < p; }
static bool   exact(const scene *s) { return s->def.timing == RV_EXACT; }
static double on_grid(const scene *s, double ms) { return fmax(1, rint(ms / s->h)) * s->h; }

static void must(const scene *s, rv_status status, const char *what)
{
    if (status != RV_OK)
        fail_msg("network %llu: %s: expected it to be accepted, got: %s", (unsigned long long)s->seed, what,
                 rv_net_error(s->net)->text);
}

static void set(scene *s, int p, const char *name, rv_value value)
{
    must(s, rv_set(s->net, (rv_population){ p }, name, value), name);
}

/* One value for all, a list, or a distribution; low and high included. */
static void set_between(scene *s, int p, const char *name, double low, double high)
{
    double list[256];
    switch (below(s, 3)) {
    case 0: set(s, p, name, rv_number(uniform(s, low, high))); break;
    case 1: set(s, p, name, rv_uniform(low, high)); break;
    default:
        for (int i = 0; i < s->size[p]; i++) list[i] = uniform(s, low, high);
        set(s, p, name, rv_list(list, s->size[p]));
    }
}

/* ---- populations -------------------------------------------------------------------------------------------- */

static void set_time_constants(scene *s, int p)
{
    double tau = uniform(s, 3, 20), near = tau * (1 + 1e-7);
    set(s, p, "tau_m", rv_number(tau));
    if (s->kind[p] == DELTA) return;
    for (int x = 0; x < 2; x++) {
        const char *name = x ? "tau_syn_in" : "tau_syn_ex";
        switch (below(s, 4)) {
        case 0: set(s, p, name, rv_number(tau)); break;
        case 1: set(s, p, name, rv_number(near)); break;
        default: set_between(s, p, name, 0.3, 8);
        }
    }
    if (chance(s, 0.3)) set_between(s, p, "tau_m", 2, 20);
}

static void set_refractory(scene *s, int p)
{
    int choice = below(s, 4);
    if (choice == 0) set(s, p, "t_ref", rv_number(exact(s) ? 0.2371 : 0));
    else if (choice == 1 && !exact(s)) set(s, p, "t_ref", rv_number(on_grid(s, 2)));
    else set_between(s, p, "t_ref", 0.2, 3);
}

static void set_integrate_and_fire(scene *s, int p)
{
    bool bound = s->kind[p] == DELTA || (s->kind[p] == ALPHA && !exact(s));
    set_time_constants(s, p);
    set_refractory(s, p);
    set_between(s, p, "C_m", 100, 300);
    set_between(s, p, "E_L", -72, -68);
    set_between(s, p, "V_th", -66, -58);
    set_between(s, p, "V_reset", -73, -69);
    set_between(s, p, "V_m", -75, -60);
    if (chance(s, 0.5)) set_between(s, p, "I_e", 0, 350);
    if (bound && chance(s, 0.4)) set_between(s, p, "V_min", -78, -76);
    if (s->kind[p] == DELTA) set(s, p, "refractory_input", rv_number(chance(s, 0.5)));
    else if (chance(s, 0.3)) set_between(s, p, "I_syn_ex", 0, 200), set_between(s, p, "I_syn_in", -200, 0);
    if (s->kind[p] == ALPHA && chance(s, 0.3)) set_between(s, p, "dI_syn_ex", 0, 100);
}

static void set_izhikevich(scene *s, int p)
{
    set_between(s, p, "a", 0.02, 0.1);
    set_between(s, p, "b", 0.2, 0.25);
    set_between(s, p, "c", -65, -50);
    set_between(s, p, "d", 0.1, 8);
    set_between(s, p, "V_m", -70, -60);
    set_between(s, p, "U_m", -16, -12);
    if (chance(s, 0.7)) set_between(s, p, "I_e", 0, 15);
    if (!exact(s) && chance(s, 0.3)) set_between(s, p, "V_min", -80, -70);
    if (chance(s, 0.5)) set(s, p, "consistent_integration", rv_number(0));
    s->integrates |= exact(s);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void set_train(scene *s, int p)
{
    for (int i = 0; i < s->size[p] && s->given.n_trains < 64; i++) {
        twin_train *t = &s->given.train[s->given.n_trains++];
        *t = (twin_train){ .population = { p }, .neuron = i, .n = below(s, 12) };
        for (int k = 0; k < t->n; k++)
            t->times[k] = chance(s, 0.4) ? on_grid(s, uniform(s, 0, s->duration)) : uniform(s, 0, 1.1 * s->duration);
        qsort(t->times, (size_t)t->n, sizeof *t->times, by_value);
        if (t->n > 1 && chance(s, 0.3)) t->times[1] = t->times[0]; /* two at once */
        must(s, rv_set_spike_times(s->net, t->population, i, t->times, t->n), "spike times");
    }
}

static void set_generator(scene *s, int p)
{
    set_between(s, p, "rate", 0, 600);
    if (chance(s, 0.3)) set(s, p, "start", rv_number(uniform(s, 0, 0.3 * s->duration)));
    if (chance(s, 0.3)) set(s, p, "stop", rv_number(uniform(s, 0.5, 1) * s->duration));
}

static void add_population(scene *s, int p)
{
    char name[8];
    s->kind[p] = (kind)below(s, 7);
    if (p == s->n_populations && s->kind[p] >= TRAIN) s->kind[p] = (kind)below(s, 4);
    if (s->kind[p] == IZHIKEVICH && exact(s) && chance(s, 0.6)) s->kind[p] = EXP;
    s->size[p] = s->kind[p] == TRAIN ? 2 + below(s, 6) : 2 + below(s, exact(s) ? 8 : 14);
    if (!exact(s) && s->kind[p] < PARROT && chance(s, 0.06)) s->size[p] = 66 + below(s, 90);
    snprintf(name, sizeof name, "P%d", p);
    if (rv_population_new(s->net, name, s->size[p], models[s->kind[p]]).id != p) must(s, RV_CONFLICT, "a population");
    if (s->kind[p] <= ALPHA) set_integrate_and_fire(s, p);
    if (s->kind[p] == IZHIKEVICH) set_izhikevich(s, p);
    if (s->kind[p] == TRAIN) set_train(s, p);
    if (s->kind[p] == POISSON) set_generator(s, p);
}

static rv_slice some_of(scene *s, int p)
{
    rv_slice all = rv_all((rv_population){ p });
    if (s->size[p] < 5 || chance(s, 0.6)) return all;
    all.first = below(s, 2), all.stride = 1 + below(s, 2);
    all.count = 2 + below(s, (s->size[p] - 1 - (int)all.first) / (int)all.stride - 1);
    return all;
}

static int count_of(const scene *s, const rv_slice *slice)
{
    return slice->count < 0 ? s->size[slice->population.id] : (int)slice->count;
}

/* ---- projections -------------------------------------------------------------------------------------------- */

/* What a projection is drawn into; lists live as long as it is being made. */
typedef struct draft {
    rv_connect_def def;
    double         weights[2500], delays[2500];
    int64_t        sources[60], targets[60];
    rv_setting     setting[8];
    int            n_listed; /* synapses if weights and delays may be lists, else 0 */
} draft;

static double typical_weight(const scene *s, int target)
{
    static const double typical[] = { [DELTA] = 2, [EXP] = 150, [ALPHA] = 90, [IZHIKEVICH] = 2.5, [PARROT] = 1 };
    return typical[s->kind[target]];
}

static void draw_rule(scene *s, draft *d)
{
    static const char *const rules[] = { "all_to_all",         "one_to_one",
                                         "fixed_indegree",     "fixed_outdegree",
                                         "fixed_total_number", "pairwise_bernoulli",
                                         "pairwise_poisson",   "list" };
    int rule = below(s, 8), n = count_of(s, &d->def.source), m = count_of(s, &d->def.target);
    if (rule == 0 && n * m > 160) rule = 5;
    if (rule == 1 && n != m) rule = 7;
    d->def.rule = rules[rule], d->n_listed = rule == 0 ? n * m : rule == 1 ? n : 0;
    d->def.no_autapses = rule != 7 && d->n_listed == 0 && chance(s, 0.3);
    d->def.no_multapses = rule != 7 && rule != 6 && chance(s, 0.3);
    int fewest = (rule == 3 ? m : n) - d->def.no_autapses;
    d->def.degree = 1 + below(s, fewest < 5 ? fewest : 5);
    int pairs = n * m - (n < m ? n : m);
    d->def.total = 1 + below(s, n + m < pairs ? n + m : pairs);
    d->def.p = rv_number(uniform(s, 0.02, fmin(0.5, 6.0 / n)));
    if (rule != 7) return;
    d->n_listed = 1 + below(s, 60), d->def.n_list = d->n_listed, d->def.sources = d->sources,
    d->def.targets = d->targets;
    for (int k = 0; k < d->n_listed; k++) d->sources[k] = below(s, n), d->targets[k] = below(s, m);
}

static void draw_weight(scene *s, draft *d, double w)
{
    double sign = chance(s, 0.4) ? -1 : 1;
    switch (below(s, d->n_listed ? 7 : 6)) {
    case 0:
    case 1: d->def.weight = rv_number(sign * w * uniform(s, 0.3, 1.5)); break;
    case 2: d->def.weight = rv_uniform(-w, 1.3 * w); break;
    case 3: d->def.weight = rv_normal(sign * w, 0.7 * w); break;
    case 4: d->def.weight = rv_lognormal(log(0.7 * w), 0.5); break;
    case 5: d->def.weight = rv_clip(rv_normal(-w, w), -2 * w, 0); break;
    default:
        for (int k = 0; k < d->n_listed; k++) d->weights[k] = w * uniform(s, -1, 1.3);
        d->def.weight = rv_list(d->weights, d->n_listed);
    }
}

static void draw_delay(scene *s, draft *d, bool may_be_short)
{
    double h = s->h, low = may_be_short ? 0 : h, high = uniform(s, 2 * h, 5);
    switch (below(s, d->n_listed ? 4 : 3)) {
    case 0: d->def.delay = rv_number(may_be_short && chance(s, 0.5) ? 0 : on_grid(s, uniform(s, low, high))); break;
    case 1: d->def.delay = rv_uniform(low, high); break;
    case 2: d->def.delay = exact(s) ? rv_number(uniform(s, low, high)) : rv_number(h); break;
    default:
        for (int k = 0; k < d->n_listed; k++)
            d->delays[k] = exact(s) ? uniform(s, low, high) : on_grid(s, uniform(s, h, high));
        d->def.delay = rv_list(d->delays, d->n_listed);
    }
}

static double exponent(scene *s) { return chance(s, 0.3) ? 0 : chance(s, 0.3) ? 1 : uniform(s, 0.1, 2); }

/* Weights within the bounds; in exact timing the dendritic part is half a step at least. */
static void draw_learning(scene *s, draft *d, double w)
{
    int         projection = rv_projection_count(s->net);
    double top = w * uniform(s, 1, 3) * (chance(s, 0.3) ? -1 : 1), least = exact(s) ? 0.52 : 0; /* 0.5: autapses tie */
    twin_stdp  *r = &s->given.stdp[projection];
    *r = (twin_stdp){ .on = true,
                      .tau_plus = uniform(s, 3, 30),
                      .tau_minus = uniform(s, 3, 30),
                      .lambda = uniform(s, 0.001, 0.3),
                      .alpha = uniform(s, 0.2, 2),
                      .mu_plus = exponent(s),
                      .mu_minus = exponent(s),
                      .Wmax = top,
                      .dendritic_fraction = chance(s, 0.3)   ? 1
                                            : chance(s, 0.3) ? least
                                                             : uniform(s, least, 1) };
    const struct {
        const char *name;
        double x;
    } settings[8] = { { "tau_plus", r->tau_plus }, { "tau_minus", r->tau_minus },
                      { "lambda", r->lambda },     { "alpha", r->alpha },
                      { "mu_plus", r->mu_plus },   { "mu_minus", r->mu_minus },
                      { "Wmax", r->Wmax },         { "dendritic_fraction", r->dendritic_fraction } };
    for (int k = 0; k < 8; k++) d->setting[k] = (rv_setting){ settings[k].name, rv_number(settings[k].x) };
    d->def.plasticity = "stdp", d->def.settings = d->setting, d->def.n_settings = 8;
    d->def.weight = chance(s, 0.4) ? rv_number(top * uniform(s, 0, 1)) : rv_uniform(fmin(0, top), fmax(0, top));
}

/* Parrots repeat what comes from populations before them, so that no loop of them multiplies spikes for ever. */
static void add_projection(scene *s, draft *d)
{
    int target, source;
    do target = 1 + below(s, s->n_populations), source = 1 + below(s, s->n_populations);
    while (s->kind[target] >= TRAIN || (s->kind[target] == PARROT && source >= target));
    memset(d, 0, sizeof *d);
    d->def.source = some_of(s, source), d->def.target = some_of(s, target);
    double w = typical_weight(s, target);
    bool   learns = chance(s, 0.35);
    draw_rule(s, d);
    draw_weight(s, d, w);
    if (learns) draw_learning(s, d, w);
    draw_delay(s, d, exact(s) && source < target && !learns);
    must(s, rv_connect(s->net, &d->def, NULL), d->def.rule);
}

static bool has_target(const scene *s)
{
    for (int p = 1; p <= s->n_populations; p++)
        if (s->kind[p] < PARROT) return true;
    return false;
}

/* ---- inputs ------------------------------------------------------------------------------------------------- */

static void add_input(scene *s)
{
    static const char *const kinds[] = { "poisson", "dc", "step", "sine", "noise" };
    int p;
    do p = 1 + below(s, s->n_populations);
    while (s->kind[p] >= TRAIN);
    int         k = s->kind[p] == PARROT || chance(s, 0.4) ? 0 : 1 + below(s, 4);
    bool        pulse = s->kind[p] == DELTA || s->kind[p] == IZHIKEVICH;
    double      I = s->kind[p] == IZHIKEVICH ? 8 : 200, w = typical_weight(s, p) * (chance(s, 0.3) ? -1 : 1);
    twin_input *in = &s->given.input[s->given.n_inputs++];
    *in = (twin_input){ .kind = kinds[k],
                        .slice = some_of(s, p),
                        .start = chance(s, 0.4) ? uniform(s, 0, 0.4 * s->duration) : 0,
                        .stop = chance(s, 0.4) ? uniform(s, 0.5, 1) * s->duration : INFINITY,
                        .rate = chance(s, 0.5) ? uniform(s, 0, 150) : uniform(s, 500, pulse ? 3000 : 8000),
                        .weight = w * uniform(s, 0.1, 1),
                        .amplitude = uniform(s, -0.5, 1.5) * I,
                        .offset = uniform(s, 0, 1) * I,
                        .frequency = uniform(s, 5, 200),
                        .phase = uniform(s, -180, 180),
                        .mean = uniform(s, 0, 1) * I,
                        .std = uniform(s, 0, 1) * I,
                        .dt = s->h * (1 + below(s, 12)),
                        .n_steps = 4 };
    if (s->kind[p] == PARROT) in->rate = uniform(s, 0, 300);
    for (int i = 0; i < 4; i++)
        in->times[i] = (i + uniform(s, 0, 0.9)) * s->duration / 4, in->amplitudes[i] = uniform(s, -0.5, 1.5) * I;
    rv_setting both[2] = { { "start", rv_number(in->start) }, { "stop", rv_number(in->stop) } }, own[6];
    rv_setting all[5][4] = {
        { { "rate", rv_number(in->rate) }, { "weight", rv_number(in->weight) } },
        { { "amplitude", rv_number(in->amplitude) } },
        { { "times", rv_list(in->times, 4) }, { "amplitudes", rv_list(in->amplitudes, 4) } },
        { { "amplitude", rv_number(in->amplitude) },
          { "offset", rv_number(in->offset) },
          { "frequency", rv_number(in->frequency) },
          { "phase", rv_number(in->phase) } },
        { { "mean", rv_number(in->mean) }, { "std", rv_number(in->std) }, { "dt", rv_number(in->dt) } }
    };
    const int  n_own[5] = { 2, 1, 2, 4, 3 };
    memcpy(own, both, sizeof both);
    memcpy(own + 2, all[k], (size_t)n_own[k] * sizeof *own);
    must(s, rv_input_new(s->net, in->slice, in->kind, own, 2 + n_own[k], NULL), in->kind);
}

/* ---- the network -------------------------------------------------------------------------------------------- */

static void choose_resolution(scene *s)
{
    static const double resolutions[] = { 0.1, 0.05, 0.125, 0.1, 0.2, 0.25 };
    s->h = resolutions[below(s, 6)];
    double steps = floor(exact(s) ? uniform(s, 12, 35) / s->h : uniform(s, 20, 90) / s->h);
    s->duration = steps * s->h;
}

static scene *new_scene(uint64_t seed)
{
    scene   *s = calloc(1, sizeof *s);
    draft   *d = calloc(1, sizeof *d);
    rv_error error;
    s->seed = seed, s->random = random_stream(seed, RANDOM_USER, 0, 0);
    s->def = (rv_net_def){ .seed = random_u32(&s->random),
                           .timing = chance(s, 0.4) ? RV_EXACT : RV_GRID,
                           .threads = 1 + below(s, 4),
                           .advance = (rv_advance)below(s, 3) };
    choose_resolution(s);
    s->def.resolution = s->h;
    if (rv_net_new(&s->def, &s->net, &error) != RV_OK)
        fail_msg("network %llu: %s", (unsigned long long)seed, error.text);
    s->n_populations = 2 + below(s, MAX_POPULATIONS - 1);
    for (int p = 1; p <= s->n_populations; p++) add_population(s, p), rv_record_spikes(s->net, (rv_population){ p });
    for (int k = 1 + below(s, 7); k > 0 && has_target(s); k--) add_projection(s, d);
    for (int k = 1 + below(s, 4); k > 0 && has_target(s); k--) add_input(s);
    must(s, rv_compile(s->net), "the network");
    free(d);
    return s;
}

static void free_scene(scene *s)
{
    rv_net_free(s->net);
    free(s);
}

/* Several rv_run() of random lengths; reading weights between them must not change anything. */
static void run_in_pieces(scene *s)
{
    int64_t steps = llrint(s->duration / s->h);
    while (steps > 0) {
        int64_t piece = chance(s, 0.4) ? steps : 1 + below(s, (int)steps);
        must(s, rv_run(s->net, (double)piece * s->h), "a run");
        steps -= piece;
        for (int p = 1; p <= rv_projection_count(s->net) && chance(s, 0.5); p++)
            must(s, rv_synapses(s->net, (rv_projection){ p }, NULL, NULL, NULL, NULL), "reading synapses");
    }
}

/* What the network is made of, for RV_TWIN_SHOW=1. */
static void show_scene(const scene *s)
{
    printf("network %llu: %g ms, h = %g ms, %d threads, seed %llu\n", (unsigned long long)s->seed, s->duration, s->h,
           s->def.threads, (unsigned long long)s->def.seed);
    for (int p = 1; p <= s->n_populations; p++) printf("  P%d: %d %s\n", p, s->size[p], models[s->kind[p]]);
    for (int p = 1; p <= rv_projection_count(s->net); p++) {
        const twin_stdp *r = &s->given.stdp[p - 1];
        int64_t          n;
        double           delays[20000] = { 0 }, weights[20000] = { 0 }, least = INFINITY;
        rv_synapse_count(s->net, (rv_projection){ p }, &n);
        rv_synapses(s->net, (rv_projection){ p }, NULL, NULL, weights, delays);
        for (int64_t k = 0; k < n; k++) least = fmin(least, delays[k]);
        printf("  P%d -> P%d %s: %lld synapses, weight %g .., delay from %g ms",
               rv_projection_source(s->net, (rv_projection){ p }).id,
               rv_projection_target(s->net, (rv_projection){ p }).id, rv_projection_rule(s->net, (rv_projection){ p }),
               (long long)n, weights[0], least);
        printf(r->on ? ", stdp: dendritic_fraction %g, Wmax %g, lambda %g, mu %g %g\n" : "\n", r->dendritic_fraction,
               r->Wmax, r->lambda, r->mu_plus, r->mu_minus);
    }
    for (int k = 0; k < s->given.n_inputs; k++) {
        const twin_input *in = &s->given.input[k];
        printf("  %s to P%d [%lld, %lld, %lld], %g to %g ms, rate %g Hz, weight %g, amplitude %g pA, dt %g ms\n",
               in->kind, in->slice.population.id, (long long)in->slice.first, (long long)in->slice.count,
               (long long)in->slice.stride, in->start, in->stop, in->rate, in->weight, in->amplitude, in->dt);
    }
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

typedef struct comparison {
    int     networks, undecided;
    int64_t spikes, weights, changed;
    double  worst_ms;
} comparison;

static int by_neuron_and_time(const void *a, const void *b)
{
    const twin_spike *x = a, *y = b;
    if (x->population != y->population) return x->population - y->population;
    if (x->neuron != y->neuron) return x->neuron - y->neuron;
    return (x->time > y->time) - (x->time < y->time);
}

static twin_spike *engine_spikes(const scene *s, int *n)
{
    int64_t total = 0;
    for (int p = 1; p <= s->n_populations; p++) total += rv_spike_count(s->net, (rv_population){ p });
    twin_spike *spikes = malloc(((size_t)total + 1) * sizeof *spikes);
    *n = 0;
    for (int p = 1; p <= s->n_populations; p++) {
        int64_t count = rv_spike_count(s->net, (rv_population){ p }),
                *neurons = malloc(((size_t)count + 1) * sizeof *neurons);
        double *times = malloc(((size_t)count + 1) * sizeof *times);
        must(s, rv_spike_read(s->net, (rv_population){ p }, 0, count, times, neurons), "reading spikes");
        for (int64_t k = 0; k < count; k++) spikes[(*n)++] = (twin_spike){ times[k], p - 1, (int)neurons[k] };
        free(times), free(neurons);
    }
    qsort(spikes, (size_t)*n, sizeof *spikes, by_neuron_and_time);
    return spikes;
}

static double tolerance(const scene *s)
{
    return exact(s) && !s->integrates ? EXACT_MS : exact(s) ? INTEGRATED_MS : 1e-9;
}

/* The earliest spike that only one side has; false if there is none. Both lists are sorted by neuron and time. */
static bool first_difference(const scene *s, const twin_spike *a, int n, const twin_spike *b, int m, twin_spike *first,
                             bool *expected, double *worst)
{
    bool   found = false;
    double near = tolerance(s);
    first->time = INFINITY;
    for (int i = 0, k = 0; i < n || k < m;) {
        bool same = i < n && k < m && a[i].population == b[k].population && a[i].neuron == b[k].neuron &&
                    fabs(a[i].time - b[k].time) <= near;
        if (same) {
            *worst = fmax(*worst, fabs(a[i].time - b[k].time));
            i++, k++;
            continue;
        }
        bool engine_only = k == m || (i < n && by_neuron_and_time(&a[i], &b[k]) < 0);
        twin_spike one = engine_only ? a[i++] : b[k++];
        if (one.time < first->time) *first = one, *expected = !engine_only, found = true;
    }
    return found;
}

static const char *timing_text(const scene *s)
{
    return exact(s)                     ? "exact"
           : s->def.advance == RV_JUMP  ? "grid, jump"
           : s->def.advance == RV_SWEEP ? "grid, sweep"
                                        : "grid, adaptive";
}

/* @return whether the two agree to the end; false if they parted where rounding decides */
static bool compare_spikes(const scene *s, const twin *t, comparison *sum)
{
    int               n, m;
    twin_spike       *got = engine_spikes(s, &n), first;
    const twin_spike *expected = twin_spikes(t, &m);
    bool missing = false, differ = first_difference(s, got, n, expected, m, &first, &missing, &sum->worst_ms);
    free(got);
    sum->spikes += m;
    if (!differ) return true;
    if (twin_margin(t, first.time) < UNDECIDED_MV) return false;
    fail_msg("network %llu (%s, h = %g ms, %d threads): neuron %d of P%d (%s): expected %s spike at %.12g ms, got %s "
             "(%d of %d spikes in "
             "all; margin %g mV)",
             (unsigned long long)s->seed, timing_text(s), s->h, s->def.threads, first.neuron, first.population + 1,
             models[s->kind[first.population + 1]], missing ? "a" : "no", first.time, missing ? "none" : "one", n, m,
             twin_margin(t, first.time));
    return false;
}

static bool is_decided(const scene *s, const twin *t) { return twin_margin(t, s->duration) >= UNDECIDED_MV; }

static bool compare_weights(const scene *s, const twin *t, comparison *sum)
{
    double near = s->integrates ? 1e-6 : exact(s) ? 1e-8 : 1e-9;
    for (int p = 0; p < rv_projection_count(s->net); p++) {
        int64_t n;
        if (!s->given.stdp[p].on) continue;
        rv_synapse_count(s->net, (rv_projection){ p + 1 }, &n);
        double *w = malloc(((size_t)n + 1) * sizeof *w);
        must(s, rv_synapses(s->net, (rv_projection){ p + 1 }, NULL, NULL, w, NULL), "weights");
        bool same = true;
        for (int64_t k = 0; k < n; k++) {
            bool agree = fabs(w[k] - twin_weight(t, p, k)) <= near * fabs(s->given.stdp[p].Wmax);
            same = same && agree;
            if (!agree && is_decided(s, t))
                fail_msg("network %llu (%s): synapse %lld of projection %d, dendritic_fraction %g: expected weight "
                         "%.12g, got %.12g (Wmax %g)",
                         (unsigned long long)s->seed, timing_text(s), (long long)k, p + 1,
                         s->given.stdp[p].dendritic_fraction, twin_weight(t, p, k), w[k], s->given.stdp[p].Wmax);
        }
        sum->weights += n;
        free(w);
        if (!same) return false;
    }
    return true;
}

static bool compare_states(const scene *s, const twin *t)
{
    static const char *const names[] = { "V_m", "U_m", "I_syn_ex", "I_syn_in", "dI_syn_ex", "dI_syn_in" };
    double near = s->integrates ? 1e-5 : exact(s) ? 1e-7 : 1e-9, got[256];
    for (int p = 1; p <= s->n_populations; p++)
        for (int v = 0; v < 6; v++) {
            if (s->kind[p] >= PARROT || rv_get(s->net, rv_all((rv_population){ p }), names[v], got) != RV_OK) continue;
            for (int i = 0; i < s->size[p]; i++) {
                double expected = twin_state(t, p - 1, i, names[v]);
                if (fabs(got[i] - expected) <= near * fmax(1, fabs(expected))) continue;
                if (!is_decided(s, t)) return false;
                fail_msg("network %llu (%s): %s of neuron %d of P%d (%s) at %g ms: expected %.12g, got %.12g",
                         (unsigned long long)s->seed, timing_text(s), names[v], i, p, models[s->kind[p]], s->duration,
                         expected, got[i]);
            }
        }
    return true;
}

static void compare_network(uint64_t seed, comparison *sum)
{
    scene *s = new_scene(seed);
    twin  *t = twin_read(s->net, &s->given);
    if (getenv("RV_TWIN_SHOW")) show_scene(s);
    run_in_pieces(s);
    twin_run(t, s->duration);
    sum->networks++;
    if (!compare_spikes(s, t, sum) || !compare_weights(s, t, sum) || !compare_states(s, t)) sum->undecided++;
    twin_free(t);
    free_scene(s);
}

static int64_t from_environment(const char *name, int64_t standard)
{
    return getenv(name) ? atoll(getenv(name)) : standard;
}

static void random_networks_agree(void **state)
{
    (void)state;
    comparison sum = { 0 };
    int64_t    first = from_environment("RV_TWIN_SEED", FIRST_SEED), n = from_environment("RV_TWIN_N", N_NETWORKS);
    for (int64_t k = 0; k < n; k++) compare_network((uint64_t)(first + k), &sum);
    printf("%d networks from seed %lld: %lld spikes, %lld learnt weights agree; exact times differ by %.2g ms at most; "
           "%d undecided\n",
           sum.networks, (long long)first, (long long)sum.spikes, (long long)sum.weights, sum.worst_ms, sum.undecided);
    assert_true(sum.undecided <= 1 + sum.networks / 50);
}

/* ---- by hand ------------------------------------------------------------------------------------------------ */

/* Sizes are powers of two where times must be equal to the bit. */
enum { N_HAND = 8 };
#define HAND_H 0.125 /* ms */

static rv_net *hand_net(rv_timing timing)
{
    rv_net *net = NULL;
    assert_int_equal(
        rv_net_new(&(rv_net_def){ .resolution = HAND_H, .seed = 1, .timing = timing, .threads = 1 }, &net, NULL),
        RV_OK);
    return net;
}

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

static rv_population hand_population(rv_net *net, const char *name, const char *model)
{
    rv_population p = rv_population_new(net, name, 1, model);
    if (p.id == 0) accept(net, RV_CONFLICT);
    rv_record_spikes(net, p);
    return p;
}

static rv_population hand_train(rv_net *net, const char *name, int n, const double *times)
{
    rv_population p = hand_population(net, name, "spike_generator");
    accept(net, rv_set_spike_times(net, p, 0, times, n));
    return p;
}

/* Rests at 0 mV, threshold 5 mV; weights are the jumps in mV. */
static rv_population hand_delta(rv_net *net, const char *name, double t_ref)
{
    const struct {
        const char *name;
        double x;
    } values[] = { { "E_L", 0 }, { "V_m", 0 }, { "V_th", 5 }, { "V_reset", 0 }, { "t_ref", t_ref } };
    rv_population p = hand_population(net, name, "iaf_psc_delta");
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
        accept(net, rv_set(net, p, values[k].name, rv_number(values[k].x)));
    return p;
}

static void hand_connect(rv_net *net, rv_population from, rv_population to, double weight, double delay)
{
    accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(from), .target = rv_all(to), .rule = "all_to_all",
                                                   .weight = rv_number(weight), .delay = rv_number(delay) }, NULL));
}

/* Expects these spike times, in ms. */
static void expect_times(rv_net *net, rv_population p, int n, const double *expected, double near)
{
    double  times[N_HAND];
    int64_t count = rv_spike_count(net, p), neurons[N_HAND];
    if (count != n) fail_msg("%s: expected %d spikes, got %lld", rv_population_name(net, p), n, (long long)count);
    accept(net, rv_spike_read(net, p, 0, n, times, neurons));
    for (int k = 0; k < n; k++)
        if (!(fabs(times[k] - expected[k]) <= near))
            fail_msg("%s: spike %d: expected at %.12g ms, got %.12g ms", rv_population_name(net, p), k, expected[k],
                     times[k]);
}

#define TIMES(...) (int)(sizeof (double[]){ __VA_ARGS__ } / sizeof(double)), (const double[]){ __VA_ARGS__ }

/* V of an iaf_psc_exp peaks at w / C_m exp(-t / tau_m) (1 - exp(-a t)) / a, a = 1/tau_syn - 1/tau_m, at t = log(tau_m /
 * tau_syn) / a. There V'' = -V / (tau_m tau_syn): a threshold `relative` below the peak is passed for 2 sqrt(2 relative
 * tau_m tau_syn). */
static void expect_touch(double half_width, bool above, rv_timing timing)
{
    const double tau_m = 0.2, tau_syn = 0.05, a = 1 / tau_syn - 1 / tau_m, peak = log(tau_m / tau_syn) / a;
    double V = 100 / 10.0 * exp(-peak / tau_m) * -expm1(-a * peak) / a,
           relative = half_width * half_width / (2 * tau_m * tau_syn);
    rv_net      *net = hand_net(timing);
    bool         exact_timing = timing == RV_EXACT;
    rv_population g = hand_train(net, "g", TIMES(1)), n = hand_population(net, "n", "iaf_psc_exp");
    const struct {
        const char *name;
        double x;
    } values[] = { { "E_L", 0 },
                   { "V_m", 0 },
                   { "V_reset", -1 },
                   { "C_m", 10 },
                   { "tau_m", tau_m },
                   { "tau_syn_ex", tau_syn },
                   { "V_th", V * (above ? 1 + relative : 1 - relative) } };
    for (size_t k = 0; k < sizeof values / sizeof *values; k++)
        accept(net, rv_set(net, n, values[k].name, rv_number(values[k].x)));
    hand_connect(net, g, n, 100, exact_timing ? 0 : HAND_H);
    accept(net, rv_run(net, 3));
    expect_times(net, n, exact_timing && !above, (const double[]){ 1 + peak - half_width }, EXACT_MS);
    rv_net_free(net);
}

/* Between two grid points V passes the threshold for 1e-7 ms, or stays as little below it. */
static void threshold_is_just_touched(void **state)
{
    (void)state;
    const double half_widths[] = { 1e-5, 1e-6, 0.5e-7 };
    for (int k = 0; k < 3; k++) {
        expect_touch(half_widths[k], false, RV_EXACT);
        expect_touch(half_widths[k], true, RV_EXACT);
        expect_touch(half_widths[k], false, RV_GRID);
    }
}

/* +8 and -4 mV at one time are +4 mV: no spike; +8 and -2 are one. */
static void simultaneous_arrivals_are_one_input(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_net       *net = hand_net((rv_timing)timing);
        rv_population g = hand_train(net, "g", TIMES(1)), four = hand_delta(net, "four", 1),
                      six = hand_delta(net, "six", 1);
        hand_connect(net, g, four, 8, 0.5), hand_connect(net, g, four, -4, 0.5);
        hand_connect(net, g, six, 8, 0.5), hand_connect(net, g, six, -2, 0.5);
        accept(net, rv_run(net, 4));
        expect_times(net, four, 0, NULL, 0);
        expect_times(net, six, TIMES(1.5), 0);
        rv_net_free(net);
    }
}

/* A spike on the last step of a run arrives in the first step of the next. */
static void shortest_delay_and_last_step(void **state)
{
    (void)state;
    rv_net       *net = hand_net(RV_GRID);
    rv_population g = hand_train(net, "g", TIMES(2)), n = hand_delta(net, "n", 1), m = hand_delta(net, "m", 1);
    hand_connect(net, g, n, 8, HAND_H);
    hand_connect(net, n, m, 8, HAND_H);
    accept(net, rv_run(net, 2));
    expect_times(net, g, TIMES(2), 0);
    expect_times(net, n, 0, NULL, 0);
    accept(net, rv_run(net, HAND_H));
    expect_times(net, n, TIMES(2 + HAND_H), 0);
    accept(net, rv_run(net, HAND_H));
    expect_times(net, m, TIMES(2 + 2 * HAND_H), 0);
    rv_net_free(net);
}

static void no_refractory_period(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_net       *net = hand_net((rv_timing)timing);
        rv_population g = hand_train(net, "g", TIMES(1, 1 + HAND_H, 1 + 2 * HAND_H)), n = hand_delta(net, "n", 0);
        hand_connect(net, g, n, 8, 1);
        accept(net, rv_run(net, 4));
        expect_times(net, n, TIMES(2, 2 + HAND_H, 2 + 2 * HAND_H), 0);
        rv_net_free(net);
    }
}

/* t_ref = 1 ms after a spike at 2 ms. Exact: what arrives at 3 ms is taken. On the grid V_m is frozen during all eight
 * updates, the last of which ends at 3 ms: as in NEST, what arrives with it is lost. */
static void arrival_at_the_end_of_refractoriness(void **state)
{
    (void)state;
    const struct {
        rv_timing timing;
        double second;
        int n;
    } cases[] = { { RV_EXACT, 2, 2 }, { RV_EXACT, 2 - 0x1p-20, 1 }, { RV_GRID, 2, 1 }, { RV_GRID, 2 + HAND_H, 2 } };
    for (int k = 0; k < 4; k++) {
        rv_net       *net = hand_net(cases[k].timing);
        rv_population g = hand_train(net, "g", TIMES(1, cases[k].second)), n = hand_delta(net, "n", 1);
        hand_connect(net, g, n, 8, 1);
        accept(net, rv_run(net, 5));
        expect_times(net, n, cases[k].n, (const double[]){ 2, cases[k].second + 1 }, 0);
        rv_net_free(net);
    }
}

/* Generator, parrot, parrot, neuron: all at one time; the second parrot gets two synapses and the generator's own. */
static void chains_without_delay(void **state)
{
    (void)state;
    rv_net       *net = hand_net(RV_EXACT);
    rv_population g = hand_train(net, "g", TIMES(0, 1.2345)), a = hand_population(net, "a", "parrot_neuron");
    rv_population b = hand_population(net, "b", "parrot_neuron"), n = hand_delta(net, "n", 1);
    hand_connect(net, b, n, 2, 0), hand_connect(net, a, b, 1, 0), hand_connect(net, a, b, 1, 0);
    hand_connect(net, g, b, 1, 0), hand_connect(net, g, a, 1, 0);
    accept(net, rv_run(net, 3));
    expect_times(net, a, TIMES(0, 1.2345), EXACT_MS);
    expect_times(net, b, TIMES(0, 0, 0, 1.2345, 1.2345, 1.2345), EXACT_MS);
    expect_times(net, n, TIMES(0, 1.2345), EXACT_MS);
    rv_net_free(net);
}

static void loops_without_delay_are_refused(void **state)
{
    (void)state;
    rv_net       *net = hand_net(RV_EXACT);
    rv_population a = hand_delta(net, "a", 1), b = hand_delta(net, "b", 1);
    hand_connect(net, a, b, 1, 0), hand_connect(net, b, a, 1, 0);
    assert_int_equal(rv_run(net, 1), RV_CONFLICT);
    if (!strstr(rv_net_error(net)->text, "loop"))
        fail_msg("expected a sentence about a loop, got: %s", rv_net_error(net)->text);
    rv_net_free(net);
    net = hand_net(RV_EXACT);
    a = hand_delta(net, "a", 1);
    hand_connect(net, a, a, 1, 0);
    assert_int_equal(rv_run(net, 1), RV_CONFLICT);
    rv_net_free(net);
}

/* -40 mV arrive during the refractory period and would end below V_min: the lower bound holds from its end on, so V_m
 * is the same however it is advanced: -75 mV at 4 ms, then back to E_L = -70 mV. */
static void kept_input_is_bounded(void **state)
{
    (void)state;
    static const char *const names[] = { "sweep", "jump", "exact" };
    static const rv_net_def  ways[] = { { .resolution = HAND_H, .threads = 1, .advance = RV_SWEEP },
                                        { .resolution = HAND_H, .threads = 1, .advance = RV_JUMP },
                                        { .resolution = HAND_H, .threads = 1, .timing = RV_EXACT } };
    for (int k = 0; k < 3; k++) {
        rv_net *net;
        double  V, expected = -70 - 5 * exp(-6 / 10.0);
        assert_int_equal(rv_net_new(&ways[k], &net, NULL), RV_OK);
        rv_population g = hand_train(net, "g", TIMES(1)), late = hand_train(net, "late", TIMES(2));
        rv_population n = hand_population(net, "n", "iaf_psc_delta");
        accept(net, rv_set(net, n, "V_min", rv_number(-75)));
        accept(net, rv_set(net, n, "refractory_input", rv_number(1)));
        hand_connect(net, g, n, 40, 1);
        hand_connect(net, late, n, -40, 1);
        accept(net, rv_run(net, 10));
        accept(net, rv_get(net, rv_all(n), "V_m", &V));
        if (!(fabs(V - expected) < 1e-9))
            fail_msg("%s: V_m at 10 ms: expected %.12g mV, got %.12g mV", names[k], expected, V);
        rv_net_free(net);
    }
}

/* Populations advance one after the other within a window if a delay is shorter than a step, each through the same
 * steps of the calendar: what is foreseen for any distance must outlive that. Generator i spikes at 5 ms and i steps
 * later. */
static void what_is_far_ahead_is_not_lost(void **state)
{
    (void)state;
    enum { FARTHEST = 2100 };
    rv_net       *net = hand_net(RV_EXACT);
    rv_population g = rv_population_new(net, "g", FARTHEST, "spike_generator"),
                  p = hand_population(net, "p", "parrot_neuron"), n = hand_delta(net, "n", 1);
    for (int i = 0; i < FARTHEST; i++)
        accept(net, rv_set_spike_times(net, g, i, (const double[]){ 5, 5 + i * HAND_H }, 2));
    accept(net, rv_record_spikes(net, g));
    hand_connect(net, g, p, 1, 0);
    hand_connect(net, p, n, 0, 1);
    accept(net, rv_run(net, 5 + (FARTHEST + 10) * HAND_H));
    if (rv_spike_count(net, g) != 2 * FARTHEST || rv_spike_count(net, p) != 2 * FARTHEST)
        fail_msg("expected %d spikes of the generators and of the parrot, got %lld and %lld", 2 * FARTHEST,
                 (long long)rv_spike_count(net, g), (long long)rv_spike_count(net, p));
    rv_net_free(net);
}

/* pre arrives at 2 ms, post at `post` ms; the weight at the end, of Wmax = 1, lambda = 0.1, tau = 10 ms, additive. */
static double weight_after(double dendritic_fraction, double post)
{
    rv_net       *net = hand_net(RV_GRID);
    rv_population pre = hand_train(net, "pre", TIMES(1)), force = hand_train(net, "force", TIMES(post - HAND_H)),
                  n = hand_delta(net, "n", 0);
    rv_setting settings[] = { { "Wmax", rv_number(1) },
                              { "lambda", rv_number(0.1) },
                              { "tau_plus", rv_number(10) },
                              { "tau_minus", rv_number(10) },
                              { "mu_plus", rv_number(0) },
                              { "mu_minus", rv_number(0) },
                              { "dendritic_fraction", rv_number(dendritic_fraction) } };
    rv_projection learning;
    double        w;
    hand_connect(net, force, n, 8, HAND_H);
    accept(net, rv_connect(net,
                           &(rv_connect_def){ .source = rv_all(pre),
                                              .target = rv_all(n),
                                              .rule = "one_to_one",
                                              .weight = rv_number(0.5),
                                              .delay = rv_number(1),
                                              .plasticity = "stdp",
                                              .settings = settings,
                                              .n_settings = 7 },
                           &learning));
    accept(net, rv_run(net, 10));
    accept(net, rv_synapses(net, learning, NULL, NULL, &w, NULL));
    rv_net_free(net);
    return w;
}

static void expect_weight(double dendritic_fraction, double post, double expected)
{
    double w = weight_after(dendritic_fraction, post);
    if (!(fabs(w - expected) < 1e-12))
        fail_msg("dendritic_fraction %g, presynaptic spike arrives at 2 ms, postsynaptic spike at %g ms: expected "
                 "weight %.12g, got %.12g",
                 dendritic_fraction, post, expected, w);
}

/* A purely dendritic delay moves the postsynaptic spike by 1 ms and leaves the presynaptic one at 1 ms. */
static void pairs_of_spikes(void **state)
{
    (void)state;
    expect_weight(1, 4, 0.5 + 0.1 * exp(-0.4));
    expect_weight(1, 1.5, 0.5 + 0.1 * exp(-0.15));
    expect_weight(0, 4, 0.5 + 0.1 * exp(-0.2));
    expect_weight(0, 1.5, 0.5 - 0.1 * exp(-0.05));
    expect_weight(0.5, 2.5, 0.5 + 0.1 * exp(-0.15));
    expect_weight(0.5, 1, 0.5); /* both reach the synapse at 1.5 ms: no lag, no change */
    expect_weight(0, 2, 0.6);   /* no dendrite: the neuron spikes in the step of the arrival, after it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threshold_is_just_touched),           cmocka_unit_test(simultaneous_arrivals_are_one_input),
        cmocka_unit_test(shortest_delay_and_last_step),        cmocka_unit_test(no_refractory_period),
        cmocka_unit_test(arrival_at_the_end_of_refractoriness), cmocka_unit_test(chains_without_delay),
        cmocka_unit_test(loops_without_delay_are_refused),     cmocka_unit_test(what_is_far_ahead_is_not_lost),
        cmocka_unit_test(pairs_of_spikes),                     cmocka_unit_test(kept_input_is_bounded),
        cmocka_unit_test(random_networks_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
