/* Neurons that hear more than a core can: the split network gives the same spikes, step by step; every synapse is in it once, direct
 * or gathered, with its weight and delay; no core exceeds its limits; and what cannot be split is refused with the reason. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_verify.h"
#include "hw/mapping_file.h"
#include "hw/split.h"
#include "sim/random.h"
#include "tests/support/reference.h"

static rv_random stream;

static int64_t below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }
static int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }

static hw_chip chip_named(const char *name)
{
    hw_chip  chip;
    rv_error error = { 0 };
    if (hw_chip_find(name, &chip, &error) != RV_OK) fail_msg("%s", error.text);
    return chip;
}

/* ---- networks --------------------------------------------------------------------------------------------------------- */

enum { STEPS = 80 };

static rv_population add_input(rv_net *net, int64_t n, double rate)
{
    rv_population in = reference_population(net, "in", n, "spike_generator");
    for (int64_t i = 0; i < n; i++) {
        double  times[STEPS];
        int64_t m = 0;
        for (int step = 1; step <= STEPS; step++)
            if (random_uniform(&stream) < rate) times[m++] = step;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, m));
    }
    return in;
}

static rv_population add_neurons(rv_net *net, const char *name, int64_t n, const char *model)
{
    rv_population p = reference_population(net, name, n, model);
    reference_set_all(net, p, "du", (double)between(0, 4095), "dv", (double)between(0, 2000), "bias_mant", (double)between(-50, 400), NULL);
    if (strcmp(model, "loihi_lif") == 0) reference_set(net, p, "vth", (double)between(50, 3000));
    else reference_set_all(net, p, "vth_hi", (double)between(50, 3000), "vth_lo", (double)-between(50, 3000), NULL);
    return p;
}

static void connect(rv_net *net, rv_population a, rv_population b, int shortest, int longest)
{
    static const double lows[] = { 0, -255, -250 }, highs[] = { 255, 0, 250 };
    int64_t             sign = below(3);
    rv_setting          settings[] = { { "weight_exp", rv_number((double)between(-7, 2)) }, { "num_weight_bits", rv_number((double)between(3, 8)) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = below(3) ? "pairwise_bernoulli" : "all_to_all", .p = rv_number(0.8),
                                                      .weight = rv_uniform(lows[sign], highs[sign]), .delay = rv_uniform(shortest - 0.4, longest + 0.4),
                                                      .synapse = "loihi", .settings = settings, .n_settings = 2 }, NULL));
}

static rv_net *random_net(uint64_t seed)
{
    stream = random_stream(seed, RANDOM_USER, 21, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed, .threads = 1 + seed % 2 });
    rv_population in = add_input(net, between(60, 200), 0.1), a = add_neurons(net, "a", between(5, 40), below(4) ? "loihi_lif" : "loihi_ternary"), b = add_neurons(net, "b", between(5, 40), "loihi_lif");
    reference_input(net, b, "poisson", "rate", 300.0, "weight", 40.0, NULL); /* stays as it is, with the same random numbers */
    connect(net, in, a, 2, below(2) ? 2 : 7);
    connect(net, in, b, 2, 3);
    connect(net, a, b, below(3) ? 2 : 1, 4);
    connect(net, b, a, 1, 1);
    if (below(2)) connect(net, in, a, 3, 5);
    return net;
}

/* A chip with little of everything that a fan-in takes. */
static hw_chip small_chip(void)
{
    hw_chip chip = chip_named("loihi2");
    chip.entry[HW_NEURONS].value = 64, chip.entry[HW_INPUT_AXONS].value = 110, chip.entry[HW_CORES].value = 1000, chip.entry[HW_MESH_X].value = 25, chip.entry[HW_MESH_Y].value = 10;
    chip.entry[HW_NEURON_PROFILES].value = INFINITY, chip.entry[HW_CHIPS].value = 4;
    if (below(2)) chip.entry[HW_MEMORY].value = 64 * 200;
    if (below(3) == 0) chip.entry[HW_FAN_IN].value = 100;
    return chip;
}

/* ---- the same spikes ---------------------------------------------------------------------------------------------------- */

static void record_and_run(rv_net *net, int n_populations)
{
    for (int id = 1; id <= n_populations; id++) ENSURE_OK(net, rv_record_spikes(net, (rv_population){ id }));
    ENSURE_OK(net, rv_run(net, STEPS));
}

static int64_t compare_spikes(rv_net *a, rv_net *b, uint64_t seed)
{
    int64_t all = 0;
    for (int id = 1; id <= rv_population_count(a); id++) {
        reference_spikes x = reference_spikes_of(a, (rv_population){ id }), y = reference_spikes_of(b, (rv_population){ id });
        for (int64_t k = 0; k < x.n && k < y.n; k++)
            if (x.time_ms[k] != y.time_ms[k] || x.neuron[k] != y.neuron[k])
                fail_msg("seed %d: \"%s\" differs at step %g", (int)seed, rv_population_name(a, (rv_population){ id }), x.time_ms[k]);
        assert_int_equal(x.n, y.n);
        all += x.n;
        reference_spikes_free(&x), reference_spikes_free(&y);
    }
    return all;
}

/* ---- every synapse once -------------------------------------------------------------------------------------------------- */

typedef struct path {
    int     from, to; /* populations */
    int64_t source, target, delay;
    double  weight;   /* with its exponent */
} path;

typedef struct path_list {
    path   *path;
    int64_t n;
} path_list;

static int by_content(const void *a, const void *b)
{
    const path *x = a, *y = b;
    int64_t     first[] = { x->from, x->to, x->source, x->target, x->delay }, second[] = { y->from, y->to, y->source, y->target, y->delay };
    for (int k = 0; k < 5; k++)
        if (first[k] != second[k]) return first[k] < second[k] ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

typedef struct raw {
    int64_t n, *source, *target;
    double *weight, *delay, exponent;
    int     from, to;
} raw;

static raw read_raw(rv_net *net, int projection)
{
    raw r = { .from = rv_projection_source(net, (rv_projection){ projection }).id, .to = rv_projection_target(net, (rv_projection){ projection }).id };
    ENSURE_OK(net, rv_synapse_count(net, (rv_projection){ projection }, &r.n));
    size_t size = ((size_t)r.n + 1) * 8;
    r.source = malloc(size), r.target = malloc(size), r.weight = malloc(size), r.delay = malloc(size);
    ENSURE_OK(net, rv_synapses(net, (rv_projection){ projection }, r.source, r.target, r.weight, r.delay));
    ENSURE_OK(net, rv_synapse_param(net, (rv_projection){ projection }, "weight_exp", &r.exponent));
    return r;
}

static void free_raw(raw *r) { free(r->source), free(r->target), free(r->weight), free(r->delay); }

static void add(path_list *l, path p)
{
    l->path = realloc(l->path, ((size_t)l->n + 1) * sizeof *l->path);
    l->path[l->n++] = p;
}

/* Synapses between populations of the given network; those that end at neurons that gather go on to the one neuron these reach. */
static path_list list_paths(rv_net *net, int n_given)
{
    path_list l = { 0 };
    int       n = rv_projection_count(net);
    raw      *all = calloc((size_t)n + 1, sizeof *all);
    for (int p = 0; p < n; p++) all[p] = read_raw(net, p + 1);
    for (int p = 0; p < n; p++)
        for (int64_t k = 0; k < all[p].n; k++) {
            const raw *r = &all[p];
            path       one = { r->from, r->to, r->source[k], r->target[k], llround(r->delay[k]), r->weight[k] };
            int        found = 0;
            if (r->from > n_given) continue;
            if (r->to <= n_given) {
                one.weight = ldexp(one.weight, (int)r->exponent);
                add(&l, one);
                continue;
            }
            ENSURE_NEAR(r->exponent, 0, 0, "of what is gathered");
            for (int q = 0; q < n; q++)
                for (int64_t m = 0; all[q].from == r->to && m < all[q].n; m++) {
                    if (all[q].source[m] != r->target[k]) continue;
                    ENSURE_NEAR(all[q].weight[m], 1, 0, "of a sum");
                    add(&l, (path){ r->from, all[q].to, r->source[k], all[q].target[m], one.delay + llround(all[q].delay[m]), ldexp(one.weight, (int)all[q].exponent) });
                    found++;
                }
            assert_int_equal(found, 1);
        }
    for (int p = 0; p < n; p++) free_raw(&all[p]);
    free(all);
    qsort(l.path, (size_t)l.n, sizeof *l.path, by_content);
    return l;
}

static void compare_synapses(rv_net *given, rv_net *split)
{
    path_list a = list_paths(given, rv_population_count(given)), b = list_paths(split, rv_population_count(given));
    assert_int_equal(a.n, b.n);
    for (int64_t k = 0; k < a.n; k++) assert_int_equal(by_content(&a.path[k], &b.path[k]), 0);
    free(a.path), free(b.path);
}

/* ---- limits -------------------------------------------------------------------------------------------------------------- */

/* Axons, synapses of a neuron and neurons are counted anew, from the places of the neurons. */
static void check_limits(const hw_map *map)
{
    const hw_graph *g = map->graph;
    int64_t        *axons = calloc((size_t)map->n_cores + 1, sizeof *axons), *fan_in = calloc((size_t)g->n_neurons + 1, sizeof *fan_in);
    for (int64_t j = 0; j < g->n_neurons; j++) {
        char *seen = calloc((size_t)map->n_cores + 1, 1);
        for (int64_t k = g->row[j]; k < g->row[j + 1]; k++) {
            int32_t core = map->core_of[g->target[k]];
            axons[core] += !seen[core], seen[core] = 1;
            fan_in[g->target[k]]++;
        }
        free(seen);
    }
    for (int32_t c = 0; c < map->n_cores; c++) {
        assert_true((double)axons[c] <= hw_value(&map->chip, HW_INPUT_AXONS));
        assert_true((double)map->core[c].use[HW_USE_MEMORY] <= hw_value(&map->chip, HW_MEMORY));
        assert_true((double)map->core[c].n_neurons <= hw_value(&map->chip, HW_NEURONS));
    }
    for (int64_t j = 0; j < g->n_neurons; j++) assert_true((double)fan_in[j] <= hw_value(&map->chip, HW_FAN_IN));
    free(axons), free(fan_in);
}

/* ---- tests --------------------------------------------------------------------------------------------------------------- */

static void test_random_networks(void **state)
{
    (void)state;
    int     n_split = 0, n_refused = 0, n_fit = 0;
    int64_t spikes = 0, gatherers = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        rv_net      *net = random_net(seed);
        hw_chip      chip = small_chip();
        hw_placement p;
        rv_error     error = { 0 };
        if (hw_place(&chip, net, NULL, NULL, &p, &error) != RV_OK) n_refused++;
        else if (!p.net) n_fit++, check_limits(p.map);
        else {
            n_split++;
            for (int id = rv_population_count(net) + 1; id <= rv_population_count(p.net); id++) gatherers += rv_population_size(p.net, (rv_population){ id });
            check_limits(p.map);
            compare_synapses(net, p.net);
            record_and_run(net, rv_population_count(net)), record_and_run(p.net, rv_population_count(net));
            spikes += compare_spikes(net, p.net, seed);
        }
        if (p.map == NULL && !strstr(error.text, "gathered")) fail_msg("%s", error.text);
        hw_placement_free(&p);
        rv_net_free(net);
    }
    print_message("%d split with %lld neurons, %d fit, %d refused; %lld spikes\n", n_split, (long long)gatherers, n_fit, n_refused, (long long)spikes);
    assert_true(n_split > 20 && spikes > 10000);
}

/* 20 000 inputs do not fit on a core of Loihi 2, which has 12 000 words. */
static void test_loihi2(void **state)
{
    (void)state;
    stream = random_stream(3, RANDOM_USER, 22, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 4 });
    rv_population in = add_input(net, 20000, 0.02), a = add_neurons(net, "a", 3, "loihi_lif");
    rv_setting    exponent = { "weight_exp", rv_number(-4) };
    reference_set_all(net, a, "du", 500.0, "dv", 100.0, "vth", 3000.0, "bias_mant", 0.0, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_uniform(-100, 110), .delay = rv_number(2), .synapse = "loihi",
                                                      .settings = &exponent, .n_settings = 1 }, NULL));
    hw_chip      chip = chip_named("loihi2");
    hw_placement p;
    rv_error     error = { 0 };
    char        *text;
    if (hw_place(&chip, net, NULL, NULL, &p, &error) != RV_OK) fail_msg("%s", error.text);
    assert_non_null(p.net);
    assert_int_equal(hw_map_report(p.map, 10, &text), RV_OK);
    print_message("%s", text);
    assert_non_null(strstr(text, "3 neurons that a core of loihi2 cannot hold (the first: population \"a\": neuron 0 hears 20000 neurons and takes 20000 input axons, a core of loihi2 has 16000)"));
    assert_non_null(strstr(text, "60000 of their synapses are gathered by 21 neurons more"));
    free(text);
    check_limits(p.map);
    record_and_run(net, 2), record_and_run(p.net, 2);
    assert_true(compare_spikes(net, p.net, 0) > 20000 && rv_spike_count(net, a) > 3);
    /* into a mapping file and back: what it says gives the spikes of the network before it was split */
    char   path[] = "build_split_test.h5", note[VERIFY_NOTE];
    verify v = { .path = path, .net = net, .steps = STEPS, .note = note, .error = &error };
    if (hw_mapping_write(path, p.net, p.map, &error) != RV_OK) fail_msg("%s", error.text);
    if (verify_format("ranvier")->verify(&v) != RV_OK) fail_msg("%s", error.text);
    remove(path);
    hw_placement_free(&p);
    rv_net_free(net);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------------ */

static rv_net *fan(int delay, const char *synapse, const char *plasticity)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population in = reference_population(net, "in", 120, "spike_generator"), a = reference_population(net, "a", 2, "loihi_lif");
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(3), .delay = rv_number(delay), .synapse = synapse, .plasticity = plasticity }, NULL));
    return net;
}

static void expect_refused(rv_net *net, const char *name, const char *sentence)
{
    hw_chip      chip = chip_named(name);
    hw_placement p;
    rv_error     error = { 0 };
    chip.entry[HW_INPUT_AXONS].value = 100;
    assert_int_equal(hw_place(&chip, net, NULL, NULL, &p, &error), RV_OUT_OF_RANGE);
    if (!strstr(error.text, sentence)) fail_msg("got:      %s\nexpected: %s", error.text, sentence);
    hw_placement_free(&p);
    rv_net_free(net);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refused(fan(2, "loihi", NULL), "loihi1", "population \"a\": neuron 0 hears 120 neurons and takes 120 input axons, a core of loihi1 has 100: lower its fan-in, or gather sources in relay neurons; "
                   "its input cannot be gathered by further neurons, because that takes spikes that carry sums of 24 bits, and those of loihi1 carry 0: loihi2's can");
    expect_refused(fan(1, "loihi", NULL), "loihi2", "because that takes a step, and its synapses have delays of one step: delays of 2 steps and more can be gathered");
    expect_refused(fan(2, NULL, NULL), "loihi2", "because that takes synapses of the kind loihi, in whole numbers: quantise the network first");
    expect_refused(fan(2, "loihi", "stdp_loihi"), "loihi2", "because the network learns: freeze its weights first");
    rv_net *net = fan(1, "loihi", NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all((rv_population){ 1 }), .target = rv_all((rv_population){ 2 }), .rule = "all_to_all", .weight = rv_number(3), .delay = rv_number(2), .synapse = "loihi" }, NULL));
    expect_refused(net, "loihi2", "240 synapses were gathered by further neurons, 240 were not, because that takes a step of their delay, which must be 2 steps and more");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_random_networks), cmocka_unit_test(test_loihi2), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
