/* Same definition and seed, same spikes: for any number of threads, however a run is cut into pieces, whichever way the
 * neurons are advanced, and whoever watches. Two networks of up to 1900 neurons with all models, learning and all
 * kinds of input, one in each timing; their spikes are compared by one hash over (time, population, neuron), bit for
 * bit, their potentials at the end too, but for sweep against jump, which may differ in rounding: 1e-9 relative. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/ranvier.h"

enum { N_POPULATIONS = 8, SPIKING = 5, MAX_SIZE = 700 };
#define GRID_MS  250.0
#define EXACT_MS 40.0

static const struct {
    const char *name, *model;
    int         size, size_exact;
} populations[N_POPULATIONS] = {
    { "delta", "iaf_psc_delta", 700, 260 },     { "quiet", "iaf_psc_delta", 300, 130 },
    { "exp", "iaf_psc_exp", 400, 200 },         { "alpha", "iaf_psc_alpha", 200, 100 },
    { "izhikevich", "izhikevich", 150, 10 },    { "parrot", "parrot_neuron", 90, 70 },
    { "poisson", "poisson_generator", 40, 40 }, { "train", "spike_generator", 10, 10 },
};

typedef struct outcome {
    uint64_t hash;
    int64_t  n_spikes;
    double   V_m[SPIKING][MAX_SIZE];
} outcome;

typedef struct variant {
    rv_timing  timing;
    rv_advance advance;
    int        threads, pieces;
    bool       probes;
} variant;

static int size_of(const variant *v, int p)
{
    return v->timing == RV_EXACT ? populations[p].size_exact : populations[p].size;
}

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

static rv_population find(const rv_net *net, const char *name) { return rv_population_find(net, name); }
static void set(rv_net *net, const char *population, const char *name, rv_value value)
{
    accept(net, rv_set(net, find(net, population), name, value));
}

/* ---- the network -------------------------------------------------------------------------------------------- */

static void add_populations(rv_net *net, const variant *v)
{
    for (int p = 0; p < N_POPULATIONS; p++)
        if (rv_population_new(net, populations[p].name, size_of(v, p), populations[p].model).id != p + 1)
            accept(net, RV_CONFLICT);
    set(net, "delta", "V_m", rv_uniform(-70, -56)), set(net, "delta", "V_min", rv_number(-85));
    set(net, "delta", "refractory_input", rv_number(1)), set(net, "delta", "t_ref", rv_uniform(0.5, 3));
    set(net, "quiet", "V_m", rv_uniform(-70, -56)), set(net, "quiet", "refractory_input", rv_number(1));
    set(net, "exp", "I_e", rv_uniform(150, 400)), set(net, "exp", "tau_syn_ex", rv_uniform(0.5, 10));
    set(net, "alpha", "I_e", rv_uniform(450, 650)), set(net, "alpha", "tau_m", rv_number(8));
    set(net, "alpha", "tau_syn_in", rv_number(8));
    set(net, "izhikevich", "I_e", rv_uniform(2, 8)), set(net, "poisson", "rate", rv_uniform(5, 60));
    for (int i = 0; i < size_of(v, 7); i++)
        accept(net,
               rv_set_spike_times(net, find(net, "train"), i, (const double[]){ 1 + 0.37 * i, 9.4, 9.4, 20 + i }, 4));
}

static void connect(rv_net *net, const char *source, const char *target, int degree, rv_value weight, rv_value delay)
{
    accept(net, rv_connect(net,
                           &(rv_connect_def){ .source = rv_all(find(net, source)),
                                              .target = rv_all(find(net, target)),
                                              .rule = "fixed_indegree",
                                              .degree = degree,
                                              .weight = weight,
                                              .delay = delay },
                           NULL));
}

static void connect_learning(rv_net *net, const char *source, const char *target, double w, double dendritic_fraction)
{
    rv_setting settings[] = { { "Wmax", rv_number(2 * w) },
                              { "lambda", rv_number(0.05) },
                              { "mu_plus", rv_number(0.4) },
                              { "dendritic_fraction", rv_number(dendritic_fraction) } };
    accept(net, rv_connect(net,
                           &(rv_connect_def){ .source = rv_all(find(net, source)),
                                              .target = rv_all(find(net, target)),
                                              .rule = "pairwise_bernoulli",
                                              .p = rv_number(0.02),
                                              .weight = rv_uniform(fmin(0, 2 * w), fmax(0, 2 * w)),
                                              .delay = rv_uniform(0.5, 4),
                                              .plasticity = "stdp",
                                              .settings = settings,
                                              .n_settings = 4 },
                           NULL));
}

static void add_projections(rv_net *net, const variant *v)
{
    rv_value near = rv_number(v->timing == RV_EXACT ? 0.03 : 0.1); /* exact: less than a step */
    connect(net, "poisson", "parrot", 2, rv_number(1), near);
    connect(net, "train", "parrot", 1, rv_number(1), rv_number(0.5));
    connect(net, "parrot", "delta", 6, rv_number(1.5), near);
    connect(net, "parrot", "quiet", 1, rv_normal(2, 4), rv_number(1.5));
    connect(net, "delta", "delta", 8, rv_normal(-0.8, 1), rv_uniform(0.2, 3));
    connect(net, "delta", "exp", 6, rv_normal(0, 120), rv_number(1.5));
    connect(net, "exp", "delta", 6, rv_lognormal(-1, 0.5), rv_number(0.8));
    connect(net, "exp", "alpha", 5, rv_number(-60), rv_uniform(0.3, 2));
    connect(net, "alpha", "izhikevich", 6, rv_uniform(-1, 2), rv_number(1));
    connect(net, "izhikevich", "quiet", 1, rv_number(3), rv_number(2));
    connect(net, "quiet", "exp", 2, rv_number(-200), rv_number(0.5));
    connect_learning(net, "parrot", "exp", 100, 1), connect_learning(net, "delta", "delta", 0.7, 0.6);
    connect_learning(net, "exp", "alpha", -40, v->timing == RV_EXACT ? 0.55 : 0);
}

static void add_input(rv_net *net, rv_slice slice, const char *kind, int n, const rv_setting *settings)
{
    accept(net, rv_input_new(net, slice, kind, settings, n, NULL));
}

static void add_inputs(rv_net *net)
{
    rv_slice some = { find(net, "exp"), 10, 60, 2 };
    add_input(net, rv_all(find(net, "delta")), "poisson", 2,
              (rv_setting[]){ { "rate", rv_number(1500) }, { "weight", rv_number(0.8) } });
    add_input(net, rv_all(find(net, "quiet")), "poisson", 2,
              (rv_setting[]){ { "rate", rv_number(6) }, { "weight", rv_number(12) } });
    add_input(net, rv_all(find(net, "quiet")), "step", 2,
              (rv_setting[]){ { "times", rv_list((const double[]){ 5, 30 }, 2) },
                              { "amplitudes", rv_list((const double[]){ 380, 50 }, 2) } });
    add_input(net, some, "noise", 4,
              (rv_setting[]){ { "mean", rv_number(50) },
                              { "std", rv_number(100) },
                              { "dt", rv_number(0.5) },
                              { "stop", rv_number(33) } });
    add_input(
        net, rv_all(find(net, "alpha")), "sine", 3,
        (rv_setting[]){ { "amplitude", rv_number(80) }, { "frequency", rv_number(40) }, { "start", rv_number(7.3) } });
    add_input(net, rv_all(find(net, "izhikevich")), "dc", 2,
              (rv_setting[]){ { "amplitude", rv_number(6) }, { "start", rv_number(4) } });
}

static void add_probes(rv_net *net)
{
    accept(net, rv_record_state(net, rv_all(find(net, "quiet")), "V_m", 0.5, NULL));
    accept(net, rv_record_state(net, rv_all(find(net, "delta")), "V_m", 0.1, NULL));
    accept(net, rv_record_state(net, rv_all(find(net, "izhikevich")), "U_m", 1, NULL));
    accept(net, rv_record_rate(net, find(net, "exp"), 5, NULL));
    accept(net, rv_record_weights(net, (rv_projection){ rv_projection_count(net) }, 7.5, NULL));
}

/* ---- running and hashing ------------------------------------------------------------------------------------ */

static void hash_word(uint64_t *hash, const void *word)
{
    uint64_t bits;
    memcpy(&bits, word, 8);
    for (int byte = 0; byte < 8; byte++) *hash = (*hash ^ (bits >> 8 * byte & 255)) * 0x100000001b3; /* FNV-1a */
}

static void hash_population(rv_net *net, rv_population p, outcome *o)
{
    int64_t n = rv_spike_count(net, p), *neurons = malloc(((size_t)n + 1) * sizeof *neurons);
    double *times = malloc(((size_t)n + 1) * sizeof *times);
    accept(net, rv_spike_read(net, p, 0, n, times, neurons));
    for (int64_t k = 0; k < n; k++) hash_word(&o->hash, &times[k]), hash_word(&o->hash, &neurons[k]);
    hash_word(&o->hash, &n);
    o->n_spikes += n;
    if (n == 0) fail_msg("%s: expected spikes, got none; this test shows nothing", rv_population_name(net, p));
    free(times), free(neurons);
}

static void hash_weights(rv_net *net, outcome *o)
{
    for (int p = 1; p <= rv_projection_count(net); p++) {
        int64_t n;
        if (!rv_projection_plasticity(net, (rv_projection){ p })) continue;
        accept(net, rv_synapse_count(net, (rv_projection){ p }, &n));
        double *w = malloc(((size_t)n + 1) * sizeof *w);
        accept(net, rv_synapses(net, (rv_projection){ p }, NULL, NULL, w, NULL));
        for (int64_t k = 0; k < n; k++) hash_word(&o->hash, &w[k]);
        free(w);
    }
}

static void run_pieces(rv_net *net, double duration, int pieces)
{
    int steps = (int)rint(duration / 0.1), done = 0;
    for (int k = 1; k <= pieces; k++) { /* of unequal lengths */
        int end = k == pieces ? steps : (int)((double)steps * k * k / (pieces * pieces));
        accept(net, rv_run(net, (end - done) * 0.1));
        done = end;
    }
}

static outcome *run_variant(const variant *v)
{
    outcome *o = calloc(1, sizeof *o);
    rv_net  *net;
    assert_int_equal(
        rv_net_new(
            &(rv_net_def){
                .resolution = 0.1, .seed = 2024, .timing = v->timing, .threads = v->threads, .advance = v->advance },
            &net, NULL),
        RV_OK);
    add_populations(net, v);
    add_projections(net, v);
    add_inputs(net);
    for (int p = 1; p <= N_POPULATIONS; p++) rv_record_spikes(net, (rv_population){ p });
    if (v->probes) add_probes(net);
    run_pieces(net, v->timing == RV_EXACT ? EXACT_MS : GRID_MS, v->pieces);
    o->hash = 0xcbf29ce484222325;
    for (int p = 1; p <= N_POPULATIONS; p++) hash_population(net, (rv_population){ p }, o);
    hash_weights(net, o);
    for (int p = 0; p < SPIKING; p++) accept(net, rv_get(net, rv_all((rv_population){ p + 1 }), "V_m", o->V_m[p]));
    rv_net_free(net);
    return o;
}

/* ---- comparing ---------------------------------------------------------------------------------------------- */

static void expect_same_states(const variant *v, const outcome *o, const outcome *expected, double relative)
{
    for (int p = 0; p < SPIKING; p++)
        for (int i = 0; i < size_of(v, p); i++) {
            double V = o->V_m[p][i], right = expected->V_m[p][i];
            if (!(fabs(V - right) <= relative * fabs(right)))
                fail_msg("%s, neuron %d: V_m at the end: expected %.17g mV, got %.17g mV", populations[p].name, i,
                         right, V);
        }
}

static void expect_same(variant v, const outcome *expected, double relative)
{
    outcome *o = run_variant(&v);
    if (o->hash != expected->hash)
        fail_msg("%s timing, %d threads, %d pieces, advance %d, probes %d: expected hash %016llx (%lld spikes), got "
                 "%016llx (%lld spikes)",
                 v.timing == RV_EXACT ? "exact" : "grid", v.threads, v.pieces, (int)v.advance, v.probes,
                 (unsigned long long)expected->hash, (long long)expected->n_spikes, (unsigned long long)o->hash,
                 (long long)o->n_spikes);
    expect_same_states(&v, o, expected, relative);
    free(o);
}

/* What one thread makes of it in one piece, nobody watching; run once for all tests. */
static const outcome *reference(rv_timing timing)
{
    static outcome *kept[2];
    if (!kept[timing]) kept[timing] = run_variant(&(variant){ .timing = timing, .threads = 1, .pieces = 1 });
    return kept[timing];
}

static void threads_do_not_matter(rv_timing timing)
{
    static const int threads[] = { 2, 3, 4, 8 };
    const outcome *expected = reference(timing);
    printf("%s timing: %lld spikes, hash %016llx\n", timing == RV_EXACT ? "exact" : "grid",
           (long long)expected->n_spikes, (unsigned long long)expected->hash);
    for (int k = 0; k < 4; k++)
        expect_same((variant){ .timing = timing, .threads = threads[k], .pieces = 1 }, expected, 0);
}

static void pieces_do_not_matter(rv_timing timing)
{
    const outcome *expected = reference(timing);
    expect_same((variant){ .timing = timing, .threads = 1, .pieces = 7 }, expected, timing == RV_EXACT ? 1e-9 : 0);
    expect_same((variant){ .timing = timing, .threads = 2, .pieces = 40 }, expected, timing == RV_EXACT ? 1e-9 : 0);
}

static void probes_do_not_matter(rv_timing timing)
{
    const outcome *expected = reference(timing);
    expect_same((variant){ .timing = timing, .threads = 2, .pieces = 1, .probes = true }, expected,
                timing == RV_EXACT ? 1e-9 : 0);
}

static void grid_threads(void **state) { (void)state, threads_do_not_matter(RV_GRID); }
static void grid_pieces(void **state) { (void)state, pieces_do_not_matter(RV_GRID); }
static void grid_probes(void **state) { (void)state, probes_do_not_matter(RV_GRID); }
static void exact_threads(void **state) { (void)state, threads_do_not_matter(RV_EXACT); }
static void exact_pieces(void **state) { (void)state, pieces_do_not_matter(RV_EXACT); }
static void exact_probes(void **state) { (void)state, probes_do_not_matter(RV_EXACT); }

static void sweep_and_jump_agree(void **state)
{
    (void)state;
    const outcome *expected = reference(RV_GRID);
    expect_same((variant){ .threads = 1, .pieces = 1, .advance = RV_SWEEP }, expected, 1e-9);
    expect_same((variant){ .threads = 1, .pieces = 1, .advance = RV_JUMP }, expected, 1e-9);
    expect_same((variant){ .threads = 2, .pieces = 5, .advance = RV_JUMP }, expected, 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grid_threads),         cmocka_unit_test(grid_pieces),   cmocka_unit_test(grid_probes),
        cmocka_unit_test(sweep_and_jump_agree), cmocka_unit_test(exact_threads), cmocka_unit_test(exact_pieces),
        cmocka_unit_test(exact_probes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
