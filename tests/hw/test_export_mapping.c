/* Mapping files: random networks of Loihi's neurons on random chips are mapped, written and read. The map, the graph and the network must
 * be equal, and the network that is made from the file alone must give the same spikes, step for step. */
#include "tests/support/fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/export_net.h"
#include "hw/export_words.h"
#include "hw/mapping_file.h"
#include "hw/netx.h"
#include "io/hdf5_file.h"
#include "sim/random.h"

/* ---- random networks ------------------------------------------------------------------------------------------------ */

static rv_random stream;

static int64_t below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }
static double  between(double low, double high) { return low + (double)below((int64_t)(high - low) + 1); }

static rv_population add_input(rv_net *net, int64_t n, int steps)
{
    rv_population p = reference_population(net, "in", n, "spike_generator");
    for (int64_t i = 0; i < n; i++) {
        double  times[400], payloads[400];
        int64_t count = 0;
        for (int t = 1; t < steps && count < 400; t++)
            if (below(5) == 0) payloads[count] = 1 + (double)below(9), times[count++] = t;
        ENSURE_OK(net, rv_set_spike_times(net, p, i, times, count));
        ENSURE_OK(net, rv_set_payloads(net, p, i, payloads, count));
    }
    return p;
}

/* Half of the populations have one number for all neurons, the others a few. */
static rv_population add_neurons(rv_net *net, int k)
{
    rv_population p = reference_population(net, reference_text("p%d", k), 5 + below(60), "loihi_lif");
    int64_t       n = rv_population_size(net, p);
    double       *vth = malloc((size_t)n * sizeof *vth), *du = malloc((size_t)n * sizeof *du), *bias = malloc((size_t)n * sizeof *bias);
    bool          differ = below(2);
    for (int64_t i = 0; i < n; i++) vth[i] = differ && i % 2 ? 300 : 200, du[i] = differ && i % 3 ? 1000 : 400, bias[i] = (double)(below(200) - 100);
    ENSURE_OK(net, rv_set(net, p, "vth", rv_list(vth, n)));
    ENSURE_OK(net, rv_set(net, p, "du", rv_list(du, n)));
    ENSURE_OK(net, rv_set(net, p, "bias_mant", rv_list(bias, n)));
    reference_set_all(net, p, "dv", 128.0, "bias_exp", 3.0, "v", 64.0, NULL);
    free(vth), free(du), free(bias);
    return p;
}

/* Whether exponents are negative decides whether sums are rounded. */
static void connect(rv_net *net, rv_population a, rv_population b)
{
    static const double lows[] = { -256, 0, -255 }, highs[] = { 255, 255, 0 };
    int                 sign = (int)below(3);
    bool                dense = below(3) == 0;
    rv_setting          settings[] = { { "weight_exp", rv_number(between(-3, 1)) }, { "num_weight_bits", rv_number(between(2, 8)) },
                                       { "num_message_bits", rv_number(strcmp(rv_population_name(net, a), "in") == 0 && below(2) ? 8 : 0) } };
    rv_connect_def      def = { .source = rv_all(a), .target = rv_all(b), .rule = dense ? "all_to_all" : "pairwise_bernoulli", .p = rv_number(0.2),
                                .weight = rv_uniform(lows[sign], highs[sign]), .delay = below(2) ? rv_number(1) : rv_uniform(1, 9), .synapse = "loihi",
                                .settings = settings, .n_settings = 3 };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

enum { STEPS = 120 };

static rv_net *random_net(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    rv_population p[5] = { { 0 } };
    stream = random_stream(seed, RANDOM_USER, 11, 0);
    int n = 2 + (int)below(3);
    p[0] = add_input(net, 5 + below(20), STEPS);
    for (int k = 1; k < n; k++) p[k] = add_neurons(net, k);
    for (int k = 1; k < n; k++) connect(net, p[k - 1], p[k]);
    for (int64_t k = below(4); k > 0; k--) connect(net, p[1 + below(n - 1)], p[1 + below(n - 1)]);
    return net;
}

/* A chip of small cores; loihi2 stores compartments as differences. */
static hw_chip random_chip(void)
{
    static const char *const names[] = { "loihi1", "loihi2", "fpga" };
    hw_chip                  chip;
    rv_error                 error = { 0 };
    assert_int_equal(hw_chip_find(names[below(3)], &chip, &error), RV_OK);
    chip.entry[HW_NEURONS].value = 8 + (double)below(150);
    chip.entry[HW_INDEX_BITS].value = 5 + (double)below(4);
    chip.entry[HW_CORES].value = 120, chip.entry[HW_MESH_X].value = 8, chip.entry[HW_MESH_Y].value = 8, chip.entry[HW_DELAY_MAX].value = 63;
    chip.entry[HW_NEURON_PROFILES].value = chip.entry[HW_THRESHOLD_PROFILES].value = chip.entry[HW_SYNAPSE_FORMATS].value = INFINITY;
    return chip;
}

/* ---- comparing -------------------------------------------------------------------------------------------------------- */

static void compare_graphs(const hw_graph *a, const hw_graph *b)
{
    size_t n = (size_t)a->n_neurons, m = (size_t)a->n_synapses;
    assert_int_equal(a->n_groups, b->n_groups);
    assert_int_equal(a->n_formats, b->n_formats);
    assert_int_equal(a->n_neurons, b->n_neurons);
    assert_int_equal(a->n_synapses, b->n_synapses);
    for (int k = 0; k < a->n_groups; k++) {
        assert_string_equal(a->group[k].name, b->group[k].name);
        assert_int_equal(a->group[k].n, b->group[k].n);
        assert_int_equal(a->group[k].input, b->group[k].input);
    }
    for (int k = 0; k < a->n_formats; k++) {
        assert_int_equal(a->format[k].weight_bits, b->format[k].weight_bits);
        assert_int_equal(a->format[k].delay_bits, b->format[k].delay_bits);
        assert_int_equal(a->format[k].sign, b->format[k].sign);
        assert_int_equal(a->format[k].dense, b->format[k].dense);
    }
    assert_memory_equal(a->profile, b->profile, n * sizeof *a->profile);
    assert_memory_equal(a->threshold, b->threshold, n * sizeof *a->threshold);
    assert_memory_equal(a->rate, b->rate, n * sizeof *a->rate);
    assert_memory_equal(a->row, b->row, (n + 1) * sizeof *a->row);
    assert_memory_equal(a->target, b->target, m * sizeof *a->target);
    assert_memory_equal(a->delay, b->delay, m * sizeof *a->delay);
    assert_memory_equal(a->format_of, b->format_of, m * sizeof *a->format_of);
    for (size_t k = 0; k < m; k++) ENSURE_NEAR_IN(b->weight[k], a->weight[k], 0, "", "weight %d", (int)k);
}

static void compare_maps(const hw_map *a, const hw_map *b)
{
    size_t n = (size_t)a->graph->n_neurons;
    assert_int_equal(a->n_cores, b->n_cores);
    assert_int_equal(a->n_chips, b->n_chips);
    assert_int_equal(a->n_tiles, b->n_tiles);
    for (int32_t c = 0; c < a->n_cores; c++) {
        assert_memory_equal(a->core[c].use, b->core[c].use, sizeof a->core[c].use);
        assert_int_equal(a->core[c].place, b->core[c].place);
        assert_int_equal(a->core[c].x, b->core[c].x);
        assert_int_equal(a->core[c].n_neurons, b->core[c].n_neurons);
    }
    assert_memory_equal(a->core_of, b->core_of, n * sizeof *a->core_of);
    assert_memory_equal(a->compartment, b->compartment, n * sizeof *a->compartment);
    assert_memory_equal(a->axon_begin, b->axon_begin, (n + 1) * sizeof *a->axon_begin);
    assert_memory_equal(a->synapse, b->synapse, (size_t)a->graph->n_synapses * sizeof *a->synapse);
    for (int64_t k = 0; k < a->axon_begin[n]; k++) assert_true(a->axon[k].core == b->axon[k].core && a->axon[k].n == b->axon[k].n && a->axon[k].first == b->axon[k].first);
    ENSURE_NEAR(b->messages, a->messages, 0, "messages");
    ENSURE_NEAR(b->hops, a->hops, 0, "hops");
    assert_string_equal(a->chip.name, b->chip.name);
    for (int q = 0; q < HW_N_QUANTITIES; q++) {
        assert_true(a->chip.entry[q].value == b->chip.entry[q].value || (isnan(a->chip.entry[q].value) && isnan(b->chip.entry[q].value)));
        assert_string_equal(a->chip.entry[q].source, b->chip.entry[q].source);
    }
}

static int64_t compare_runs(rv_net *a, rv_net *b, double steps)
{
    rv_net *net[2] = { a, b };
    int64_t spikes = 0;
    for (int k = 0; k < 2; k++) {
        for (int p = 1; p <= rv_population_count(a); p++) ENSURE_OK(net[k], rv_record_spikes(net[k], (rv_population){ p }));
        ENSURE_OK(net[k], rv_run(net[k], steps));
    }
    for (int p = 1; p <= rv_population_count(a); p++) {
        reference_spikes x = reference_spikes_of(a, (rv_population){ p }), y = reference_spikes_of(b, (rv_population){ p });
        assert_int_equal(x.n, y.n);
        assert_memory_equal(x.time_ms, y.time_ms, (size_t)x.n * sizeof *x.time_ms);
        assert_memory_equal(x.neuron, y.neuron, (size_t)x.n * sizeof *x.neuron);
        if (p > 1) spikes += x.n;
        reference_spikes_free(&x), reference_spikes_free(&y);
    }
    return spikes;
}

/* What the cores' memories hold is what mapping counted, unless exponents or gaps split blocks. */
static void compare_memory(const hw_map *map)
{
    hdf5_file  file = { 0 };
    void      *bits;
    hdf5_shape shape;
    assert_int_equal(hdf5_open(reference_file(), &file), RV_OK);
    assert_int_equal(hdf5_load(&file, "/cores/bits", HDF5_I64, &bits, &shape), RV_OK);
    for (int32_t c = 0; c < map->n_cores; c++) assert_true(((int64_t *)bits)[c] >= map->core[c].use[HW_USE_MEMORY]);
    free(bits);
    hdf5_close(&file);
}

static hw_mapping read_mapping(void)
{
    hw_mapping m;
    rv_error   error = { 0 };
    if (hw_mapping_read(reference_file(), &m, &error) != RV_OK) fail_msg("%s", error.text);
    return m;
}

static void test_round_trips(void **state)
{
    (void)state;
    int64_t spikes = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        rv_net    *net = random_net(seed);
        hw_graph  *graph;
        hw_map    *map;
        rv_error   error = { 0 };
        hw_chip    chip = random_chip();
        if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK) fail_msg("%d: %s", (int)seed, error.text);
        if (hw_mapping_write(reference_file(), net, map, &error) != RV_OK) fail_msg("%d: %s", (int)seed, error.text);
        hw_mapping m = read_mapping();
        compare_graphs(graph, m.graph);
        compare_maps(map, m.map);
        compare_memory(map);
        spikes += compare_runs(net, m.net, STEPS);
        hw_mapping_free(&m), hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
    }
    print_message("40 networks written, read and run: equal, %lld spikes\n", (long long)spikes);
    assert_true(spikes > 10000);
}

/* ---- other kinds ---------------------------------------------------------------------------------------------------------- */

/* Maps, writes, reads and runs. */
static int64_t there_and_back(rv_net *net, const char *chip_name, double neurons_per_core, double steps)
{
    hw_chip   chip;
    hw_graph *graph;
    hw_map   *map;
    rv_error  error = { 0 };
    assert_int_equal(hw_chip_find(chip_name, &chip, &error), RV_OK);
    chip.entry[HW_NEURONS].value = neurons_per_core;
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK || hw_mapping_write(reference_file(), net, map, &error) != RV_OK)
        fail_msg("%s", error.text);
    hw_mapping m = read_mapping();
    compare_graphs(graph, m.graph);
    compare_maps(map, m.map);
    int64_t spikes = compare_runs(net, m.net, steps);
    hw_mapping_free(&m), hw_map_free(map), hw_graph_free(graph);
    return spikes;
}

/* The synapses of convolutions, of a file that lava-dl loads. */
static void test_convolution(void **state)
{
    (void)state;
    const char *file = fixture_or_skip("netx/netx_05_conv_flatten_dense.net");
    netx        n;
    rv_error    error = { 0 };
    if (netx_read(file, &(rv_net_def){ .threads = 1 }, &(netx_options){ 0 }, &n, &error) != RV_OK) fail_msg("%s", error.text);
    for (int64_t i = 0; i < n.n_input; i++) ENSURE_OK(n.net, rv_set_spike_times(n.net, n.input, i, (const double[]){ 1 + (double)(i % 5), 9 + (double)(i % 7) }, 2));
    assert_true(there_and_back(n.net, "loihi2", 50, 40) > 100);
    netx_free(&n);
}

/* Loihi 1, whose synapses scale and round each weight for itself: what is stored is the weight in effect. Ternary spikes. */
static void test_loihi1(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 3 });
    rv_population in = reference_population(net, "in", 10, "spike_generator"), a = reference_population(net, "a", 40, "loihi1_lif"), t = reference_population(net, "t", 30, "loihi_ternary");
    for (int64_t i = 0; i < 10; i++) ENSURE_OK(net, rv_set_spike_times(net, in, i, (const double[]){ 1 + (double)i, 14, 20, 22 + (double)i, 50 }, 5));
    reference_set_all(net, a, "vth", 64.0 * 100, "du", 300.0, "refract_delay", 3.0, NULL);
    reference_set_all(net, t, "vth_hi", 60.0, "vth_lo", -40.0, NULL);
    rv_setting     low[] = { { "weight_exp", rv_number(-2) }, { "num_weight_bits", rv_number(6) } }, carried[] = { { "num_message_bits", rv_number(2) } };
    rv_connect_def one = { .source = rv_all(in), .target = rv_all(a), .rule = "pairwise_bernoulli", .p = rv_number(0.6), .weight = rv_uniform(-100, 250), .delay = rv_uniform(1, 8),
                           .synapse = "loihi1", .settings = low, .n_settings = 2 };
    rv_connect_def two = { .source = rv_all(a), .target = rv_all(t), .rule = "all_to_all", .weight = rv_uniform(-60, 60), .synapse = "loihi" }, three = two;
    three.source = rv_all(t), three.weight = rv_uniform(-20, 20), three.settings = carried, three.n_settings = 1;
    ENSURE_OK(net, rv_connect(net, &one, NULL));
    ENSURE_OK(net, rv_connect(net, &two, NULL));
    ENSURE_OK(net, rv_connect(net, &three, NULL));
    assert_true(there_and_back(net, "loihi1", 15, 100) > 100);
    rv_net_free(net);
}

/* ---- by hand ------------------------------------------------------------------------------------------------------------ */

/* Two inputs, three neurons on one core of Loihi 1, mixed weights of 8 bits: 1 axon of 3 synapses and 1 of 1. */
static rv_net *small_net(double weight)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population in = reference_population(net, "in", 2, "spike_generator"), out = reference_population(net, "out", 3, "loihi_lif");
    int64_t       sources[] = { 0, 0, 0, 1 }, targets[] = { 0, 1, 2, 1 };
    double        weights[] = { 254, -256, 2, weight }, delays[] = { 1, 2, 1, 4 };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(out), .rule = "list", .sources = sources, .targets = targets, .n_list = 4,
                                                      .weight = rv_list(weights, 4), .delay = rv_list(delays, 4), .synapse = "loihi" }, NULL));
    return net;
}

static hw_map *map_small(rv_net *net, hw_graph **graph)
{
    hw_chip  chip;
    hw_map  *map;
    rv_error error = { 0 };
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    if (hw_graph_from_net(net, NULL, graph, &error) != RV_OK || hw_map_network(&chip, *graph, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    return map;
}

/* Weights are even: 8 bits of weight / 2, 2 of delay, 10 of index; header: 6 bits of n - 1, 4 of format. */
static void test_words(void **state)
{
    (void)state;
    rv_net   *net = small_net(-6);
    hw_graph *graph;
    hw_map   *map = map_small(net, &graph);
    rv_error  error = { 0 };
    hdf5_file file = { 0 };
    void     *words;
    hdf5_shape shape;
    if (hw_mapping_write(reference_file(), net, map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(hdf5_open(reference_file(), &file), RV_OK);
    assert_int_equal(hdf5_load(&file, "/memory", HDF5_U64, &words, &shape), RV_OK);
    const uint64_t first = 2 | (uint64_t)127 << 10 | (uint64_t)0x80 << 30 | (uint64_t)1 << 38 | (uint64_t)1 << 40 | (uint64_t)1 << 50 | (uint64_t)2 << 60;
    const uint64_t second = (uint64_t)0xfd << 10 | (uint64_t)3 << 18 | (uint64_t)1 << 20;
    const uint64_t *word = words;
    assert_int_equal(shape.count, 3); /* 10 + 3 * 20 = 70 bits: two words */
    assert_true(word[0] == first);
    assert_true(word[1] == 0);
    assert_true(word[2] == second);
    free(words);
    hdf5_close(&file);
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

static void test_codes(void **state)
{
    (void)state;
    for (int sign = -1; sign <= 1; sign++)
        for (int x = -300; x <= 300; x++) {
            uint64_t code;
            bool     fits = export_encode(x, 8, sign, &code), expected = sign ? sign * x >= 0 && sign * x < 256 : x >= -128 && x < 128;
            assert_int_equal(fits, expected);
            if (fits) ENSURE_NEAR_IN(export_decode(code & 255, 8, sign), x, 0, "", "%d, sign %d", x, sign);
        }
}

/* ---- refusals ------------------------------------------------------------------------------------------------------------- */

static void expect_write_refused(rv_net *net, const hw_map *map, const char *sentence)
{
    rv_error error = { 0 };
    if (hw_mapping_write(reference_file(), net, map, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
}

static void test_refused_networks(void **state)
{
    (void)state;
    hw_graph     *graph;
    rv_net       *net = small_net(4), *other = small_net(6);
    hw_map       *map = map_small(net, &graph);
    expect_write_refused(other, map, "the mapping is not one of this network: map it again");
    rv_input input;
    rv_setting rate[] = { { "amplitude", rv_number(1) } };
    ENSURE_OK(net, rv_input_new(net, rv_all(rv_population_find(net, "out")), "dc", rate, 1, &input));
    expect_write_refused(net, map, "population \"out\" has an input of kind \"dc\", but mapping files hold spikes only: give it a population of generators");
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net), rv_net_free(other);

    net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 3, "iaf_psc_exp");
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(0.5) }, NULL));
    map = map_small(net, &graph);
    expect_write_refused(net, map, "projection \"a\" -> \"a\" has a weight of 0.5, but a chip's synapses hold whole numbers: quantise the network first");
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

static void test_refused_learning(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 3, "iaf_psc_exp");
    hw_graph     *graph;
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(1), .plasticity = "stdp" }, NULL));
    hw_map *map = map_small(net, &graph);
    expect_write_refused(net, map, "projection \"a\" -> \"a\": the rule stdp is not in a chip's integers, which alone mapping files hold: quantise the network");
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

/* One number of a good file is changed. */
static void expect_read_refused(const char *dataset, int64_t at, int64_t value, const char *sentence)
{
    hdf5_file  file = { 0 };
    hdf5_shape shape;
    void      *x;
    hw_graph  *graph;
    rv_net    *net = small_net(4);
    hw_map    *map = map_small(net, &graph);
    hw_mapping m;
    rv_error   error = { 0 };
    assert_int_equal(hw_mapping_write(reference_file(), net, map, &error), RV_OK);
    assert_int_equal(hdf5_edit(reference_file(), &file), RV_OK);
    assert_int_equal(hdf5_load(&file, dataset, HDF5_I64, &x, &shape), RV_OK);
    ((int64_t *)x)[at] = value;
    assert_int_equal(hdf5_write(&file, dataset, HDF5_I64, x, shape.count), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    if (hw_mapping_read(reference_file(), &m, &error) == RV_OK) fail_msg("%s accepted, but expected: %s", dataset, sentence);
    if (!strstr(error.text, sentence) || !strstr(error.text, reference_file())) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    free(x), hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

static void test_refused_files(void **state)
{
    (void)state;
    expect_read_refused("/neurons/core", 1, 7, "/neurons/core has the value 7, allowed 0 to 0");
    expect_read_refused("/neurons/compartment", 2, 2, "neuron 2 is on core 0 as compartment 2, but the core's list says otherwise");
    expect_read_refused("/cores/place", 0, 999, "/cores/place has the value 999, allowed 0 to 127");
    expect_read_refused("/cores/first_axon", 1, 1, "/cores/first_axon goes from 0 to 1, allowed is 0 to 2");
    expect_read_refused("/cores/bits", 0, 5000, "/cores/bits says 5000 for core 0, which has fewer");
    expect_read_refused("/blocks/n", 0, 900, "block 0 reaches beyond the memory of core 0");
    expect_read_refused("/blocks/bit", 1, 190, "block 1 reaches beyond the memory");
    expect_read_refused("/blocks/format", 0, 3, "/blocks/format has the value 3, allowed 0 to 0");
    expect_read_refused("/axons/source", 0, 3, "block 0 has format 0, which no projection from \"out\" to \"out\" has");
    expect_read_refused("/projections/target", 0, 0, "which no projection from \"in\" to \"out\" has");
    expect_read_refused("/memory", 2, 1000 << 20, "block 1: a synapse at compartment 1000 of core 0, which has 3");
    hw_mapping m;
    rv_error   error = { 0 };
    hdf5_file  file = { 0 };
    assert_int_equal(hdf5_create(reference_file(), &file), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hw_mapping_read(reference_file(), &m, &error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, "is no mapping file of Ranvier"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips), cmocka_unit_test(test_convolution),      cmocka_unit_test(test_loihi1),           cmocka_unit_test(test_words),
        cmocka_unit_test(test_codes),       cmocka_unit_test(test_refused_networks), cmocka_unit_test(test_refused_learning), cmocka_unit_test(test_refused_files),
    };
    return cmocka_run_group_tests(tests, reference_make_file, reference_remove_file);
}
