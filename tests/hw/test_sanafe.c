/* SANA-FE's files. Its own networks are read in both formats, run, and cost what it says, step by step; they are written and read again.
 * Then networks of Loihi's neurons: mapped, written, read; the map, the costs and, where SANA-FE's arithmetic allows, the spikes are
 * those of the engine. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/cost.h"
#include "hw/sanafe.h"
#include "sim/random.h"
#include "tests/support/fixture.h"

static char folder[] = "/tmp/ranvier_sanafe_XXXXXX", yaml[64], netlist[64], arch[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(yaml, sizeof yaml, "%s/net.yaml", folder);
    snprintf(netlist, sizeof netlist, "%s/net.net", folder);
    snprintf(arch, sizeof arch, "%s/arch.yaml", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(yaml), unlink(netlist), unlink(arch);
    return rmdir(folder);
}

static sanafe_net open_net(const char *path)
{
    sanafe_net s;
    rv_error   error = { 0 };
    if (sanafe_read(path, &s, &error) != RV_OK) fail_msg("%s", error.text);
    return s;
}

/* A netlist has no names, and every input is a group there. */
static void compare_nets(const char *what, const sanafe_net *a, const sanafe_net *b)
{
    assert_int_equal(a->n_neurons, b->n_neurons);
    assert_int_equal(a->n_edges, b->n_edges);
    assert_int_equal(a->n_spikes, b->n_spikes);
    for (int64_t j = 0; j < a->n_neurons; j++) {
        const sanafe_neuron *x = &a->neuron[j], *y = &b->neuron[j];
        if (x->input != y->input || x->threshold != y->threshold || x->reset != y->reset || x->leak_decay != y->leak_decay || x->input_decay != y->input_decay || x->bias != y->bias ||
            x->tile != y->tile || x->core != y->core || x->n_spikes != y->n_spikes)
            fail_msg("%s: neuron %d differs", what, (int)j);
        if (x->n_spikes) assert_memory_equal(a->spike + x->first_spike, b->spike + y->first_spike, (size_t)x->n_spikes * sizeof *a->spike);
    }
    for (int64_t k = 0; k < a->n_edges; k++) {
        const sanafe_edge *x = &a->edge[k], *y = &b->edge[k];
        if (x->source != y->source || x->target != y->target || x->delay != y->delay || x->weight != y->weight) fail_msg("%s: edge %d differs", what, (int)k);
    }
}

/* Both formats, there and back. */
static void round_trip(const char *what, const sanafe_net *s)
{
    const char *const paths[] = { yaml, netlist };
    for (int k = 0; k < 2; k++) {
        rv_error error = { 0 };
        if (sanafe_write(s, paths[k], &error) != RV_OK) fail_msg("%s", error.text);
        sanafe_net again = open_net(paths[k]);
        compare_nets(what, s, &again);
        sanafe_free(&again);
    }
}

/* ---- SANA-FE's networks ------------------------------------------------------------------------------------------- */

/* What a run must give. */
typedef struct expected {
    const sanafe_net *s;
    const hw_map     *map;
    fixture_table     perf, spikes;
    int               n_spikes;
} expected;

static const char *name_of(const sanafe_net *s, int64_t j)
{
    int k = 0;
    while (k + 1 < s->n_groups && s->group[k + 1].first <= j) k++;
    return reference_text("%s.%lld", s->group[k].name, (long long)(j - s->group[k].first));
}

static bool is_listed(const fixture_table *t, const char *neuron, int64_t step)
{
    for (int row = 0; row < t->n_rows; row++)
        if (fixture_number(t, row, "timestep") == (double)step && strcmp(fixture_text(t, row, "neuron"), neuron) == 0) return true;
    return false;
}

static void check_number(const expected *x, int64_t step, const char *column, double got)
{
    double expected = fixture_number(&x->perf, (int)step - 1, column);
    ENSURE_NEAR_IN(got, expected, 1e-6 * fabs(expected), "", "%s at step %d", column, (int)step);
}

static void check_step(void *user, int64_t step, const bool *fired, const bool *updated)
{
    expected *x = user;
    hw_cost   cost;
    for (int64_t j = 0; j < x->s->n_neurons; j++) {
        if (fired[j] != is_listed(&x->spikes, name_of(x->s, j), step)) fail_msg("%s at step %d", name_of(x->s, j), (int)step);
        x->n_spikes += fired[j];
    }
    assert_int_equal(hw_cost_of_step(x->map, fired, updated, &cost), RV_OK);
    check_number(x, step, "fired", cost.fired);
    check_number(x, step, "updated", cost.updated);
    check_number(x, step, "packets", cost.messages);
    check_number(x, step, "hops", cost.hops_x + cost.hops_y);
    check_number(x, step, "spikes", cost.events);
    check_number(x, step, "sim_time", cost.time * 1e-9);
    check_number(x, step, "synapse_energy", cost.energy_synapses * 1e-12);
    check_number(x, step, "soma_energy", cost.energy_neurons * 1e-12);
    check_number(x, step, "network_energy", cost.energy_network * 1e-12);
}

static void run_fixture(const char *stem)
{
    char        path[256];
    const char *found = fixture_path(reference_text("sanafe/%s.yaml", stem));
    if (!found) return;
    snprintf(path, sizeof path, "%s", found);
    sanafe_net s = open_net(path), same = open_net(fixture_path(reference_text("sanafe/%s.net", stem)));
    hw_chip    chip;
    hw_graph  *graph;
    rv_error   error = { 0 };
    expected   x = { .s = &s, .perf = fixture_open_table(fixture_path(reference_text("sanafe/%s_perf.csv", stem))),
                     .spikes = fixture_open_table(fixture_path(reference_text("sanafe/%s_spikes.csv", stem))) };
    compare_nets(stem, &s, &same);
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    if (sanafe_map(&s, &chip, 1, &graph, (hw_map **)&x.map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(sanafe_run(&s, x.perf.n_rows, check_step, &x, &error), RV_OK);
    assert_int_equal(x.n_spikes, x.spikes.n_rows);
    round_trip(stem, &s);
    print_message("%s: %d steps, %d spikes; both formats, spikes and costs equal\n", stem, x.perf.n_rows, x.n_spikes);
    fixture_close_table(&x.perf), fixture_close_table(&x.spikes);
    hw_map_free((hw_map *)x.map), hw_graph_free(graph), sanafe_free(&s), sanafe_free(&same);
}

static void test_its_networks(void **state)
{
    (void)state;
    fixture_or_skip("sanafe/sanafe_2_spread_blocks.yaml");
    run_fixture("sanafe_0_one_core");
    run_fixture("sanafe_1_four_cores_one_tile");
    run_fixture("sanafe_2_spread_blocks");
    run_fixture("sanafe_3_corners");
}

/* ---- Loihi's networks ----------------------------------------------------------------------------------------------- */

enum { STEPS = 100 };

static rv_random stream;
static int64_t   below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }

/* Weights are small where the current does not decay, so that it stays in its register. */
static void connect(rv_net *net, rv_population a, rv_population b, double weight_exp, double longest)
{
    double du;
    ENSURE_OK(net, rv_get(net, (rv_slice){ b, 0, 1, 1 }, "du", &du));
    double most = du == -1 ? 20 : 200;
    rv_setting     settings[] = { { "weight_exp", rv_number(weight_exp) } };
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(b), .rule = "pairwise_bernoulli", .p = rv_number(0.3), .weight = rv_uniform(-most, most), .delay = rv_uniform(1, longest),
                           .synapse = "loihi", .settings = settings, .n_settings = 1 };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

/* @param du 4095 and -1 are those with which SANA-FE is exact. v decays fast enough to stay in its register. */
static rv_net *random_net(uint64_t seed, double du)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    rv_population in = reference_population(net, "the input", 12, "spike_generator"), a = reference_population(net, "a", 30, "loihi_lif"), b = reference_population(net, "b.c", 40, "loihi_lif");
    double        vth[40];
    stream = random_stream(seed, RANDOM_USER, 13, 0);
    for (int64_t i = 0; i < 12; i++) {
        double  times[STEPS];
        int64_t n = 0;
        for (int t = 1; t <= STEPS; t++)
            if (below(4) == 0) times[n++] = t;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, n));
    }
    for (int i = 0; i < 40; i++) vth[i] = 300 + 50 * (i % 3);
    reference_set_all(net, a, "du", du, "dv", 2400.0, "vth", 250.0, "bias_mant", 3.0, "bias_exp", 4.0, NULL);
    reference_set_all(net, b, "du", du, "dv", 1500.0, NULL);
    ENSURE_OK(net, rv_set(net, b, "vth", rv_list(vth, 40)));
    connect(net, in, a, 0, 1), connect(net, a, b, -1, seed % 3 ? 1 : 6), connect(net, b, a, 1, seed % 3 ? 1 : 3), connect(net, b, b, 0, 1);
    for (int p = 1; p <= 3; p++) ENSURE_OK(net, rv_record_spikes(net, (rv_population){ p }));
    return net;
}

typedef struct mapped {
    rv_net     *net;
    hw_graph   *graph;
    hw_map     *map;
    sanafe_net  s;
} mapped;

static mapped map_net(rv_net *net, double neurons_per_core, int64_t steps)
{
    mapped   m = { .net = net };
    hw_chip  chip;
    rv_error error = { 0 };
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    chip.entry[HW_NEURONS].value = neurons_per_core;
    if (hw_graph_from_net(net, NULL, &m.graph, &error) != RV_OK || hw_map_network(&chip, m.graph, NULL, &m.map, &error) != RV_OK) fail_msg("%s", error.text);
    if (sanafe_from_net(net, m.map, steps, &m.s, &error) != RV_OK) fail_msg("%s", error.text);
    return m;
}

static void free_mapped(mapped *m) { sanafe_free(&m->s), hw_map_free(m->map), hw_graph_free(m->graph), rv_net_free(m->net); }

/* The spikes of the engine by step. */
typedef struct raster {
    bool   *fired; /* [STEPS + 1][n] */
    int64_t n, n_spikes;
    double  energy, time;
    const hw_map *map;
} raster;

static raster raster_of(const mapped *m)
{
    raster r = { .n = m->graph->n_neurons, .map = m->map };
    r.fired = calloc((size_t)(STEPS + 1) * (size_t)r.n, sizeof *r.fired);
    for (int p = 1; p <= 3; p++) {
        reference_spikes s = reference_spikes_of(m->net, (rv_population){ p });
        for (int64_t k = 0; k < s.n; k++) r.fired[(int64_t)s.time_ms[k] * r.n + m->graph->group[p - 1].first + s.neuron[k]] = true;
        reference_spikes_free(&s);
    }
    return r;
}

static void compare_step(void *user, int64_t step, const bool *fired, const bool *updated)
{
    raster *r = user;
    hw_cost cost;
    for (int64_t j = 0; j < r->n; j++) {
        if (fired[j] != r->fired[step * r->n + j]) fail_msg("neuron %d of %d at step %d: SANA-FE %d, the engine %d", (int)j, (int)r->n, (int)step, fired[j], r->fired[step * r->n + j]);
        r->n_spikes += fired[j];
    }
    assert_int_equal(hw_cost_of_step(r->map, fired, updated, &cost), RV_OK);
    r->energy += cost.energy, r->time += cost.time;
}

static void compare_costs(const hw_map *a, const hw_map *b)
{
    hw_cost x, y;
    assert_int_equal(hw_cost_estimate(a, &x), RV_OK);
    assert_int_equal(hw_cost_estimate(b, &y), RV_OK);
    ENSURE_NEAR(y.energy, x.energy, 1e-9 * x.energy, "pJ");
    ENSURE_NEAR(y.time, x.time, 1e-9 * x.time, "ns");
    ENSURE_NEAR(y.hops_x, x.hops_x, 1e-9, "hops");
    ENSURE_NEAR(y.messages, x.messages, 1e-9, "messages");
}

/* What is written is read, and gives the same map, with the same places and costs at the same rates. */
static void compare_files(const mapped *m)
{
    rv_error  error = { 0 };
    hw_graph *graph;
    hw_map   *map;
    round_trip("a random network", &m->s);
    sanafe_net s = open_net(yaml);
    if (sanafe_map(&s, &m->map->chip, m->map->n_chips, &graph, &map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(map->n_cores, m->map->n_cores);
    assert_memory_equal(map->core_of, m->map->core_of, (size_t)graph->n_neurons * sizeof *map->core_of);
    memcpy(graph->rate, m->graph->rate, (size_t)graph->n_neurons * sizeof *graph->rate);
    compare_costs(m->map, map);
    hw_map_free(map), hw_graph_free(graph), sanafe_free(&s);
}

static void test_mapped(void **state)
{
    (void)state;
    int64_t spikes = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rv_error error = { 0 };
        mapped   m = map_net(random_net(seed, seed % 2 ? 4095 : -1), 8 + (double)(seed * 7 % 60), STEPS);
        if (sanafe_exact(m.net, &error) != (seed % 3 > 0)) fail_msg("seed %d: %s", (int)seed, error.text);
        ENSURE_OK(m.net, rv_run(m.net, STEPS));
        raster r = raster_of(&m);
        compare_files(&m);
        sanafe_net read = open_net(netlist);
        assert_int_equal(sanafe_run(&read, STEPS, compare_step, &r, &error), RV_OK);
        spikes += r.n_spikes;
        assert_true(r.energy > 0 && r.time > 0);
        free(r.fired), sanafe_free(&read), free_mapped(&m);
    }
    print_message("20 networks: files, maps, costs and %lld spikes equal\n", (long long)spikes);
    assert_true(spikes > 5000);
}

static void test_architecture(void **state)
{
    (void)state;
    rv_error error = { 0 };
    char     text[4096] = "";
    mapped   m = map_net(random_net(1, 4095), 20, STEPS);
    if (sanafe_write_architecture(m.map, arch, &error) != RV_OK) fail_msg("%s", error.text);
    FILE *f = fopen(arch, "r");
    assert_true(fread(text, 1, sizeof text - 1, f) > 1000);
    fclose(f);
    static const char *const lines[] = { "width: 8\n    height: 4\n", "latency_sync: {1: 600e-9, 2: 1000e-9, 4: 1400e-9, 29: 1800e-9}", "- name: loihi_tile[0..31]", "energy_north_hop: 4.2e-12",
                                         "energy_east_hop: 3e-12", "- name: loihi_core[0..3]", "energy_process_spike: 35.5e-12", "latency_spike_out: 30e-9", "max_neurons_supported: " };
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
        if (!strstr(text, lines[k])) fail_msg("%s is not in\n%s", lines[k], text);
    m.map->chip.entry[HW_TIME_SPIKE].value = NAN;
    assert_int_equal(sanafe_write_architecture(m.map, arch, &error), RV_CONFLICT);
    assert_string_equal(error.text, "chip loihi1: time_spike is not known, without which SANA-FE cannot state costs: map to loihi1, or give it in a profile of your own");
    free_mapped(&m);
}

/* ---- refusals --------------------------------------------------------------------------------------------------------------- */

static void expect_text(const char *got, const char *sentence)
{
    if (!strstr(got, sentence)) fail_msg("expected: %s\n     got: %s", sentence, got);
}

static void test_not_exact(void **state)
{
    (void)state;
    rv_error error = { 0 };
    rv_net  *net = random_net(1, 400);
    assert_false(sanafe_exact(net, &error));
    expect_text(error.text, "population \"a\": with du = 400 the chip cuts the current to whole numbers at every step, SANA-FE does not");
    rv_net_free(net);
    net = random_net(1, 4095);
    connect(net, (rv_population){ 2 }, (rv_population){ 3 }, -4, 1);
    assert_false(sanafe_exact(net, &error));
    expect_text(error.text, "projection \"a\" -> \"b.c\": the chip rounds the sum of what arrives, SANA-FE does not");
    rv_net_free(net);
    net = random_net(3, 4095);
    assert_false(sanafe_exact(net, &error));
    expect_text(error.text, "steps, but what is delayed reaches SANA-FE's neurons only when another spike does");
    rv_net_free(net);
}

static void expect_refused(rv_net *net, const char *sentence)
{
    hw_chip    chip;
    hw_graph  *graph;
    hw_map    *map;
    sanafe_net s;
    rv_error   error = { 0 };
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(sanafe_from_net(net, map, 10, &s, &error), RV_CONFLICT);
    expect_text(error.text, sentence);
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

static void test_refused_networks(void **state)
{
    (void)state;
    rv_net *net = random_net(1, 4095);
    connect(net, (rv_population){ 2 }, (rv_population){ 3 }, 0, 20);
    expect_refused(net, "projection \"a\" -> \"b.c\": a delay of ");
    net = random_net(1, 4095);
    reference_set(net, (rv_population){ 2 }, "reset_interval", 10);
    expect_refused(net, "population \"a\": reset_interval = 10 for neuron 0, but SANA-FE never resets neurons by the clock: set it to 0");
    net = random_net(1, 4095);
    reference_population(net, "t", 2, "loihi_ternary");
    expect_refused(net, "population \"t\": its model is loihi_ternary, but SANA-FE's Loihi has one kind of neuron: the nearest is loihi_lif");
    net = random_net(1, 4095);
    rv_setting bits[] = { { "num_message_bits", rv_number(8) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all((rv_population){ 1 }), .target = rv_all((rv_population){ 2 }), .rule = "all_to_all", .synapse = "loihi", .settings = bits, .n_settings = 1 }, NULL));
    expect_refused(net, "projection \"the input\" -> \"a\": num_message_bits = 8, but SANA-FE's spikes carry nothing: set it to 0");
}

static void expect_file_refused(const char *path, const char *text, const char *sentence)
{
    sanafe_net s;
    rv_error   error = { 0 };
    FILE      *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    if (sanafe_read(path, &s, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    expect_text(error.text, sentence);
}

static void test_refused_files(void **state)
{
    (void)state;
    expect_file_refused(netlist, "g 0 a=1\n", "line 1: a group begins with its number of neurons");
    expect_file_refused(netlist, "g 2 threshold=3\nn 0.2 bias=1\n", "line 2: neuron 2 of 0, allowed 0 to 1");
    expect_file_refused(netlist, "g 2 threshold=3\nx\n", "line 2: \"x\" begins with none of g, n, e and &");
    expect_file_refused(netlist, "g 2 threshold=3\ne 0.0-0.1 weight=2\n", "line 2: an edge is source -> target");
    expect_file_refused(netlist, "g 2 threshold=3\ne 0.0->1.1 weight=2\n", "line 2: \"1.1 weight=2\" is not a neuron of a group");
    expect_file_refused(netlist, "g 2 threshold=3\ne 0.0->0.1 weight=2 delay=6\n", "line 2: delay = 6, allowed 0 to 5");
    expect_file_refused(netlist, "g 2 threshold=3\n& 0.0@1\n", "is not a core: tile.core");
    expect_file_refused(netlist, "g 2 threshold=3\n& 0.0@1.0\n", "neuron 1 is not mapped to a core");
    expect_file_refused(netlist, "g 2 refractory_delay=3\n", "line 1: the attribute refractory_delay is not one of Ranvier's networks");
    expect_file_refused(netlist, "g 1 soma_hw_name=loihi_inputs[0]\nn 0.0 [spikes: [0,2]]\n", "line 2: spikes must be a list of 0 and 1");
    expect_file_refused(netlist, "", "holds no neurons");
    expect_file_refused(yaml, "network:\n  groups:\n    - name: a\n      neurons:\n        - 1: {bias: 1}\n", "line 5: neurons are numbered from 0 without gaps");
    expect_file_refused(yaml, "network:\n  - a: 1\n", "line 2: an item before groups, edges or mappings");
    expect_file_refused(yaml, "weights:\n", "line 1: \"weights:\" is not of a form that is read");
    expect_file_refused(yaml, "network:\n  groups:\n    - name: a\n      neurons:\n        - 0..3: {bias: 1}\nmappings:\n  - a.0..4: {core: 0.0}\n", "line 7: neuron 4 of a, allowed 0 to 3");
    sanafe_net s;
    rv_error   error = { 0 };
    assert_int_equal(sanafe_read("/nowhere/x.yaml", &s, &error), RV_FILE_ERROR);
    expect_text(error.text, "file \"/nowhere/x.yaml\" cannot be opened");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_its_networks), cmocka_unit_test(test_mapped),           cmocka_unit_test(test_architecture),
        cmocka_unit_test(test_not_exact),    cmocka_unit_test(test_refused_networks), cmocka_unit_test(test_refused_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
