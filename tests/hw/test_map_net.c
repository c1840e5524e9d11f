/* From a network of the simulator to a chip: the graph holds every synapse, rates and profiles; maps and their reports;
 * every refusal. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/cost.h"
#include "hw/floorplan.h"

/* ---- the graph -------------------------------------------------------------------------------------------------- */

static rv_projection connect(rv_net *net, rv_population a, rv_population b, const char *rule, int degree, rv_value weight, rv_value delay,
                             const char *plasticity)
{
    rv_projection projection;
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = rule, .degree = degree, .weight = weight,
                                                      .delay = delay, .plasticity = plasticity },
                              &projection));
    return projection;
}

/* Two populations and a generator; projections of every kind of storage: constant, drawn, learning, dense. */
static rv_net *example(int threads)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 5, .threads = threads });
    rv_population in = reference_population(net, "in", 20, "poisson_generator");
    rv_population E = reference_population(net, "E", 300, "iaf_psc_exp"), I = reference_population(net, "I", 75, "iaf_psc_exp");
    reference_set(net, in, "rate", 40), reference_set(net, I, "tau_m", 7);
    ENSURE_OK(net, rv_set(net, E, "I_e", rv_uniform(0, 100))); /* a bias makes no profile */
    connect(net, in, E, "all_to_all", 0, rv_number(12), rv_number(1), NULL);
    connect(net, E, I, "fixed_indegree", 30, rv_uniform(0, 1), rv_uniform(1, 9), NULL);
    connect(net, E, E, "fixed_indegree", 20, rv_number(0.5), rv_number(2), "stdp");
    connect(net, I, E, "fixed_outdegree", 40, rv_number(-3), rv_number(1), NULL);
    connect(net, I, I, "fixed_indegree", 10, rv_number(-3), rv_number(1), NULL);
    return net;
}

static hw_graph *graph_of(rv_net *net)
{
    hw_graph *graph;
    rv_error  error = { 0 };
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    return graph;
}

static int by_content(const void *a, const void *b)
{
    const hw_synapse *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* What rv_synapses() says of all projections. */
static hw_synapse *list_synapses(rv_net *net, const hw_graph *g, int64_t *n)
{
    hw_synapse *list = calloc((size_t)g->n_synapses + 1, sizeof *list);
    *n = 0;
    for (int p = 1; p <= rv_projection_count(net); p++) {
        int64_t m;
        ENSURE_OK(net, rv_synapse_count(net, (rv_projection){ p }, &m));
        int64_t *source = malloc((size_t)m * 8), *target = malloc((size_t)m * 8);
        double  *weight = malloc((size_t)m * 8), *delay = malloc((size_t)m * 8);
        ENSURE_OK(net, rv_synapses(net, (rv_projection){ p }, source, target, weight, delay));
        assert_true(*n + m <= g->n_synapses);
        int64_t a = g->group[rv_projection_source(net, (rv_projection){ p }).id - 1].first, b = g->group[rv_projection_target(net, (rv_projection){ p }).id - 1].first;
        for (int64_t k = 0; k < m; k++) list[(*n)++] = (hw_synapse){ a + source[k], b + target[k], (double)(float)weight[k], lround(delay[k]), 0 };
        free(source), free(target), free(weight), free(delay);
    }
    qsort(list, (size_t)*n, sizeof *list, by_content);
    return list;
}

static void test_graph_has_every_synapse(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads += 2) {
        rv_net *net = example(threads);
        ENSURE_OK(net, rv_run(net, 200)); /* weights have learnt */
        hw_graph   *g = graph_of(net);
        int64_t     n, k = 0;
        hw_synapse *expected = list_synapses(net, g, &n), *got = calloc((size_t)n + 1, sizeof *got);
        assert_int_equal(g->n_synapses, n);
        for (int64_t j = 0; j < g->n_neurons; j++)
            for (int64_t s = g->row[j]; s < g->row[j + 1]; s++, k++) got[k] = (hw_synapse){ j, g->target[s], (double)g->weight[s], g->delay[s], 0 };
        qsort(got, (size_t)n, sizeof *got, by_content);
        for (k = 0; k < n; k++) assert_int_equal(by_content(&got[k], &expected[k]), 0);
        free(got), free(expected);
        hw_graph_free(g);
        rv_net_free(net);
    }
}

static const hw_format *format_between(const hw_graph *g, int64_t source, int group)
{
    for (int64_t s = g->row[source]; s < g->row[source + 1]; s++)
        if (hw_graph_group(g, g->target[s]) == &g->group[group]) return &g->format[g->format_of[s]];
    fail_msg("no synapse from %d to group %d", (int)source, group);
    return NULL;
}

static void test_formats(void **state)
{
    (void)state;
    rv_net          *net = example(1);
    hw_graph        *g = graph_of(net);
    const hw_format *in_E = format_between(g, 0, 1), *E_I = format_between(g, 20, 2), *E_E = format_between(g, 20, 1), *I_E = format_between(g, 320, 1);
    assert_true(in_E->dense && !E_I->dense && !I_E->dense);
    assert_int_equal(in_E->weight_bits, 2); /* 12 = 3 * 2^2 */
    assert_int_equal(in_E->delay_bits, 0);
    assert_int_equal(E_I->weight_bits, 8); /* no integers: what quantising gives */
    assert_int_equal(E_I->delay_bits, 4);  /* 1 to 9 steps */
    assert_true(E_E->learning && !E_I->learning);
    assert_int_equal(E_E->delay_bits, 1);
    assert_int_equal(I_E->sign, -1);
    assert_ptr_equal(I_E, format_between(g, 320, 2)); /* stored alike */
    hw_graph_free(g);
    rv_net_free(net);
}

static void test_profiles_and_rates(void **state)
{
    (void)state;
    rv_net   *net = example(1);
    hw_graph *g = graph_of(net);
    assert_true(g->group[0].input && !g->group[1].input);
    for (int64_t j = 21; j < 320; j++) assert_int_equal(g->profile[j], g->profile[20]);
    assert_int_not_equal(g->profile[320], g->profile[20]);     /* tau_m */
    assert_int_equal(g->threshold[320], g->threshold[20]);     /* V_th */
    ENSURE_NEAR(g->rate[0], 0.040, 1e-12, "spikes per step");  /* of the generator */
    ENSURE_NEAR(g->rate[20], 0.010, 1e-12, "spikes per step"); /* 10 Hz by default */
    hw_graph_free(g);
    rv_population E = rv_population_find(net, "E");
    ENSURE_OK(net, rv_record_spikes(net, E));
    reference_set(net, E, "I_e", 1000);
    ENSURE_OK(net, rv_run(net, 250));
    g = graph_of(net);
    double sum = 0;
    for (int64_t j = 20; j < 320; j++) sum += g->rate[j];
    assert_true(rv_spike_count(net, E) > 0);
    ENSURE_NEAR(sum * 250, (double)rv_spike_count(net, E), 1e-6, "spikes");
    hw_graph_free(g);
    rv_net_free(net);
}

/* ---- maps and reports ------------------------------------------------------------------------------------------- */

static hw_chip chip_named(const char *name)
{
    hw_chip  chip;
    rv_error error = { 0 };
    if (hw_chip_find(name, &chip, &error) != RV_OK) fail_msg("%s", error.text);
    return chip;
}

static void ensure_contains(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("no \"%s\" in\n%s", part, text);
}

static void test_report(void **state)
{
    (void)state;
    rv_net   *net = example(1);
    hw_graph *g = graph_of(net);
    hw_chip   chip = chip_named("loihi1");
    hw_map   *map;
    rv_error  error = { 0 };
    char     *text;
    chip.entry[HW_NEURONS].value = 64;
    if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(hw_map_report(map, 4, &text), RV_OK);
    print_message("%s", text);
    ensure_contains(text, "375 neurons and 18000 synapses on");
    ensure_contains(text, "20 inputs");
    ensure_contains(text, "The tightest limit: ");
    ensure_contains(text, "SANA output axon");
    ensure_contains(text, "I ");
    free(text);
    hw_map_free(map);
    hw_graph_free(g);
    rv_net_free(net);
}

static void test_floorplan(void **state)
{
    (void)state;
    rv_net     *net = example(1);
    hw_graph   *g = graph_of(net);
    hw_chip     chip = chip_named("loihi1");
    hw_map     *map;
    rv_error    error = { 0 };
    const char *path = "build_floorplan_test.svg";
    chip.entry[HW_NEURONS].value = 8, chip.entry[HW_CORES].value = 30;
    if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    if (hw_floorplan_write(map, path, &error) != RV_OK) fail_msg("%s", error.text);
    FILE *file = fopen(path, "r");
    char  line[512];
    int   n_cores = 0, n_places = 0;
    while (fgets(line, sizeof line, file)) n_cores += strstr(line, "<title>core ") != NULL, n_places += strstr(line, "fill=\"#eee\"") != NULL;
    fclose(file);
    remove(path);
    assert_int_equal(n_cores, map->n_cores);
    assert_int_equal(n_places, 128 * map->n_chips);
    assert_true(map->n_chips == 2);
    assert_int_equal(hw_floorplan_write(map, "no/such/folder.svg", &error), RV_FILE_ERROR);
    assert_string_equal(error.text, "\"no/such/folder.svg\" cannot be written: No such file or directory");
    hw_map_free(map);
    hw_graph_free(g);
    rv_net_free(net);
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void refuse(const hw_chip *chip, const hw_graph *g, rv_status status, const char *sentence)
{
    hw_map  *map;
    rv_error error = { 0 };
    assert_int_equal(hw_map_network(chip, g, NULL, &map, &error), status);
    assert_null(map);
    if (!strstr(error.text, sentence)) fail_msg("got:      %s\nexpected: %s", error.text, sentence);
}

static void refuse_with(const hw_graph *g, hw_quantity q, double value, const char *sentence)
{
    hw_chip chip = chip_named("loihi1");
    chip.entry[q].value = value;
    refuse(&chip, g, RV_OUT_OF_RANGE, sentence);
}

static void test_refusals(void **state)
{
    (void)state;
    rv_net   *net = example(1);
    hw_graph *g = graph_of(net);
    hw_chip   speck = chip_named("speck"), xylo = chip_named("xylo");
    refuse(&speck, g, RV_CONFLICT, "speck computes convolutions and cannot store single synapses");
    refuse(&xylo, g, RV_OUT_OF_RANGE, "the network has 20 input neurons, xylo hears 16");
    refuse_with(g, HW_DELAY_MAX, 4, "steps to neuron");
    refuse_with(g, HW_DELAY_MAX, 4, "loihi1 allows 1 to 4: shorten it, or use a longer time step");
    refuse_with(g, HW_WEIGHT_BITS, 4, "population \"E\": neuron 0: its weights take 8 bits, loihi1 stores up to 4: quantise the network first");
    refuse_with(g, HW_FAN_IN, 30, "synapses, a neuron of loihi1 can have 30: lower its fan-in");
    refuse_with(g, HW_INPUT_AXONS, 30, "input axons, a core of loihi1 has 30: lower its fan-in, or gather sources in relay neurons");
    refuse_with(g, HW_MEMORY, 64, "bits of synaptic memory for");
    hw_chip small = chip_named("loihi1");
    small.entry[HW_NEURONS].value = 64, small.entry[HW_FAN_OUT].value = 1;
    refuse(&small, g, RV_OUT_OF_RANGE, "a neuron of loihi1 can reach 1 cores, and to hold that a core would have 375 of 64 neurons");
    hw_graph_free(g);
    rv_net_free(net);
}

static void test_too_many_cores(void **state)
{
    (void)state;
    rv_net   *net = example(1);
    hw_graph *g = graph_of(net);
    hw_chip   chip = chip_named("loihi1");
    chip.entry[HW_NEURONS].value = 1, chip.entry[HW_CHIPS].value = 2;
    refuse(&chip, g, RV_OUT_OF_RANGE, "the network takes 375 cores (3 chips) of loihi1, allowed are 256: a core holds 1.0 neurons and then has 1 of 1 neurons; use more cores");
    hw_graph_free(g);
    rv_net_free(net);
}

static void test_exact_timing(void **state)
{
    (void)state;
    rv_net   *net = reference_net((rv_net_def){ .timing = RV_EXACT });
    hw_graph *g;
    rv_error  error = { 0 };
    assert_int_equal(hw_graph_from_net(net, NULL, &g, &error), RV_CONFLICT);
    ensure_contains(error.text, "a network in exact timing cannot be mapped");
    rv_net_free(net);
}

/* Ten neurons on a chip with few of everything, all given to one core. */
static rv_status ring(void *user, hw_synapse_fn take, void *sink)
{
    const hw_synapse *odd = user;
    for (int64_t j = 0; j < 10; j++) take(sink, &(hw_synapse){ j, (j + 1) % 10, 1, 1, 0 });
    if (odd) take(sink, odd);
    return RV_OK;
}

static hw_graph *ring_graph(const hw_synapse *odd, rv_status status, const char *sentence)
{
    const hw_group  groups[] = { { .name = "in", .n = 1, .input = true }, { .name = "ring", .n = 9 } };
    const hw_format format = { .weight_bits = 8 };
    hw_graph       *g;
    rv_error        error = { 0 };
    assert_int_equal(hw_graph_new(groups, 2, &format, 1, &g, &error), RV_OK);
    assert_int_equal(hw_graph_fill(g, ring, (void *)odd, &error), status);
    if (sentence) assert_string_equal(error.text, sentence);
    return g;
}

static void test_graph_refusals(void **state)
{
    (void)state;
    hw_graph_free(ring_graph(&(hw_synapse){ 3, 10, 1, 1, 0 }, RV_OUT_OF_RANGE, "synapse 3 -> 10: there are neurons 0 to 9"));
    hw_graph_free(ring_graph(&(hw_synapse){ 3, 4, 1, 0, 0 }, RV_OUT_OF_RANGE, "synapse 3 -> 4: delay = 0 steps, allowed 1 to 65535"));
    hw_graph_free(ring_graph(&(hw_synapse){ 3, 4, 1, 1, 7 }, RV_OUT_OF_RANGE, "synapse 3 -> 4: format 7 of 1"));
    hw_chip   chip = chip_named("loihi1");
    hw_graph *g = ring_graph(NULL, RV_OK, NULL); /* neuron 9 -> 0, which is the input */
    refuse(&chip, g, RV_CONFLICT, "population \"in\": neuron 0 is an input and cannot be the target of synapses");
    hw_graph_free(g);
}

static rv_status chain(void *user, hw_synapse_fn take, void *sink)
{
    (void)user;
    for (int64_t j = 0; j < 9; j++) take(sink, &(hw_synapse){ j, j + 1, 1, 1, 0 });
    return RV_OK;
}

static void test_given_map_that_does_not_fit(void **state)
{
    (void)state;
    const hw_group  group = { .name = "chain", .n = 10 };
    const hw_format format = { .weight_bits = 8 };
    hw_chip         chip = chip_named("loihi1");
    hw_graph       *g;
    hw_map         *map;
    rv_error        error = { 0 };
    char           *text;
    int32_t         place[10] = { 0 };
    assert_int_equal(hw_graph_new(&group, 1, &format, 1, &g, &error), RV_OK);
    assert_int_equal(hw_graph_fill(g, chain, NULL, &error), RV_OK);
    chip.entry[HW_NEURONS].value = 8;
    place[9] = 127;
    assert_int_equal(hw_map_given(&chip, g, place, &map, &error), RV_OK);
    assert_int_equal(hw_map_violations(map, &text), RV_OK);
    assert_string_equal(text, "core 0: 9 of 8 neurons: population \"chain\" (9 of 9 neurons), mean fan-in 1; use more cores, or a chip whose cores hold more\n");
    free(text);
    assert_int_equal(map->n_cores, 2);
    assert_int_equal(hw_map_hops(map, 0, 1), 7 + 3);
    hw_map_free(map);
    place[3] = 128 * 32;
    assert_int_equal(hw_map_given(&chip, g, place, &map, &error), RV_OUT_OF_RANGE);
    assert_string_equal(error.text, "population \"chain\": neuron 3 is mapped to place 4096, allowed 0 to 4095");
    hw_graph_free(g);
}

/* ---- what comes from outside, and what a core has once ------------------------------------------------------------ */

/* Poisson inputs take axons and synapses, so many that none of their sources spikes in more than half of the steps. */
static void test_inputs(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 50, "loihi1_lif");
    reference_input(net, a, "poisson", "rate", 1200.0, "weight", 6400.0, NULL); /* 1.2 a step: three sources */
    reference_input(net, a, "dc", "amplitude", 64.0, NULL);
    reference_input(net, a, "sine", "amplitude", 64.0, "frequency", 10.0, NULL);
    hw_graph *g = graph_of(net);
    hw_map   *map;
    hw_chip   chip;
    rv_error  error = { 0 };
    char     *text;
    assert_int_equal(g->n_neurons, 200);
    assert_int_equal(g->n_synapses, 150);
    assert_true(g->group[1].input && g->group[1].n == 150 && g->group[2].n == 0 && g->group[3].n == 0);
    for (int64_t j = 50; j < 200; j++) {
        ENSURE_NEAR(g->rate[j], 0.4, 1e-12, "spikes per step");
        assert_int_equal(hw_graph_fan_out(g, j), 1);
        assert_int_equal(g->target[g->row[j]], (j - 50) / 3);
        ENSURE_NEAR(g->weight[g->row[j]], 6400, 0, "");
    }
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(map->core[0].use[HW_USE_INPUT_AXONS], 150);
    ENSURE_NEAR(map->messages, 60, 1e-9, "per step");
    assert_int_equal(hw_map_report(map, 0, &text), RV_OK);
    assert_non_null(strstr(text, "rates estimated: 10 Hz for every neuron, since no run was recorded\n"));
    assert_non_null(strstr(text, "poisson input to \"a\": 150 sources outside the chip, 3 for each neuron, with an axon and a synapse each; they spike 0.4 times a step\n"));
    assert_non_null(strstr(text, "dc input to \"a\": taken for a part of the bias, which costs nothing\n"));
    assert_non_null(strstr(text, "sine input to \"a\": a current that changes has no place on a chip and is not counted\n"));
    free(text), hw_map_free(map), hw_graph_free(g), rv_net_free(net);
}

/* Neurons with different lowest potentials cannot share a core of Loihi, whatever they have to say to each other. */
static void test_core_settings(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 3 });
    rv_population a = reference_population(net, "a", 400, "loihi1_lif");
    double        vmin[400];
    for (int i = 0; i < 400; i++) vmin[i] = i % 3 == 0 ? -1023 : 0;
    ENSURE_OK(net, rv_set(net, a, "vmin", rv_list(vmin, 400)));
    connect(net, a, a, "fixed_indegree", 20, rv_number(3), rv_number(1), NULL);
    hw_graph *g = graph_of(net);
    hw_map   *map;
    hw_chip   chip;
    rv_error  error = { 0 };
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    for (int k = 0; k < 2; k++) {
        if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
        if (k == 0) assert_int_equal(map->n_cores, 2); /* 1024 would fit on one */
        for (int64_t j = 1; j < 400; j++)
            if (k == 0) assert_int_equal(map->core_of[j] == map->core_of[0], vmin[j] == vmin[0]);
        hw_map_free(map);
        chip.entry[HW_NEURONS].value = 60; /* and on many cores */
    }
    hw_graph_free(g), rv_net_free(net);
}

/* Projections with the same traces of their sources share a profile of a core. */
static void test_trace_profiles(void **state)
{
    (void)state;
    for (int n = 3; n <= 4; n++) {
        rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 3 });
        rv_population a = reference_population(net, "a", 20, "loihi_lif");
        for (int k = 0; k < n + 1; k++) { /* the last is like the first */
            rv_population b = reference_population(net, reference_text("b%d", k), 5, "loihi_lif");
            rv_setting    settings[] = { { "dw", rv_text("2^-2*x1*y0") }, { "x1_impulse", rv_number(16) }, { "x1_tau", rv_number(10 + k % n) } };
            ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "all_to_all", .weight = rv_number(8), .plasticity = "loihi_rule", .synapse = "loihi",
                                                              .settings = settings, .n_settings = 3 }, NULL));
        }
        hw_graph *g = graph_of(net);
        hw_map   *map;
        hw_chip   chip;
        rv_error  error = { 0 };
        assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
        if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
        assert_int_equal(map->n_cores, n == 3 ? 1 : 2); /* three are allowed */
        for (int32_t c = 0; c < map->n_cores; c++) assert_true(map->core[c].use[HW_USE_TRACES] <= 3);
        if (n == 3) assert_int_equal(map->core[0].use[HW_USE_TRACES], 3);
        hw_map_free(map), hw_graph_free(g), rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_has_every_synapse), cmocka_unit_test(test_formats),        cmocka_unit_test(test_profiles_and_rates),
        cmocka_unit_test(test_report),                  cmocka_unit_test(test_floorplan),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_too_many_cores),          cmocka_unit_test(test_exact_timing),   cmocka_unit_test(test_graph_refusals),
        cmocka_unit_test(test_given_map_that_does_not_fit),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_core_settings),
        cmocka_unit_test(test_trace_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
