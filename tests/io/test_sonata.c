/* SONATA circuits: the public ones with the numbers that NEST, NEURON and an independent reference give (in ../shared, else
 * skipped), and circuits of our own making, which are always there. */
#include "tests/support/circuit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libhdf5 loses a little memory of its own when a file is damaged */
__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static int open_folder(void **state)
{
    (void)state;
    return folder_make("ranvier-sonata") == NULL;
}

static int close_folder(void **state)
{
    (void)state;
    folder_remove();
    return 0;
}

/* A public file; without it the test is skipped. */
static const char *needs(const char *path)
{
    const char *full = circuit_shared(path);
    if (full) return full;
    print_message("skipped: ../shared/reference/data/sonata is not there\n");
    skip();
    return NULL;
}

#define INTFIRE "aibs/examples/sim_tests/intfire/"
#define CELLS120 "bmtk/examples/point_120cells/"

static const results_spikes *spikes_of(const results *r, const char *population)
{
    for (int k = 0; k < results_spikes_count(r); k++)
        if (strcmp(results_spikes_at(r, k)->name, population) == 0) return results_spikes_at(r, k);
    fail_msg("no spikes of %s", population);
    return NULL;
}

/* ---- the public circuits ------------------------------------------------------------------------------------------ */

/* NEST's own test asserts 18828 spikes; the list is that of an independent reference with the same number. */
static void test_300_pointneurons(void **state)
{
    (void)state;
    static const int of_type[] = { 1350, 2780, 7755, 1738, 5205 };
    sonata_circuit   c = circuit_run(needs("aibs/examples/300_pointneurons/config.json"), NULL, (sonata_options){ 0 });
    results         *r = circuit_spikes(&c);
    circuit_list     list = circuit_read_list(needs("expected/300_pointneurons.nest_dt0.01.spikes.csv"), "internal", 1500);
    int64_t          count[5] = { 0 };
    assert_int_equal(list.n, 18828);
    assert_int_equal(rv_profile_get(c.net).n_synapses, 48432);
    circuit_compare(r, "internal", &list, 1500, 1e-6);
    const sonata_nodes   *nodes = &c.nodes[0];
    const results_spikes *s = spikes_of(r, "internal");
    for (int64_t k = 0; k < s->n; k++) count[atoi(sonata_table_cell(&nodes->types, nodes->type[s->neurons[k]], "node_type_id")) - 100]++;
    for (int k = 0; k < 5; k++) assert_int_equal(count[k], of_type[k]);
    circuit_list_free(&list);
    results_free(r);
    sonata_close(&c);
}

/* The config in two files, and other numbers of threads: the same spikes. */
static void test_300_pointneurons_again(void **state)
{
    (void)state;
    const char    *circuit = needs("aibs/examples/300_pointneurons/circuit_config.json");
    sonata_circuit c = circuit_run(circuit, needs("aibs/examples/300_pointneurons/simulation_config.json"), (sonata_options){ .threads = 2, .tstop = 200 });
    results       *r = circuit_spikes(&c);
    circuit_list   list = circuit_read_list(needs("expected/300_pointneurons.nest_dt0.01.spikes.csv"), "internal", 200);
    circuit_compare(r, "internal", &list, 200, 1e-6);
    circuit_list_free(&list);
    results_free(r);
    sonata_close(&c);
}

/* In exact timing spikes are not those of a grid, but as many: within 0.5 %. */
static void test_300_pointneurons_exactly(void **state)
{
    (void)state;
    rv_timing      exact = RV_EXACT;
    sonata_circuit c = circuit_run(needs("aibs/examples/300_pointneurons/config.json"), NULL, (sonata_options){ .timing = &exact });
    ENSURE_NEAR((double)rv_spike_count(c.net, c.nodes[0].part[0].population), 18828, 0.005 * 18828, "spikes");
    sonata_close(&c);
}

/* NEURON's 4322 spikes, to the microsecond, in exact timing, which such circuits get by themselves. */
static void test_300_intfire(void **state)
{
    (void)state;
    sonata_circuit c = circuit_run(needs("aibs/examples/300_intfire/config.json"), NULL, (sonata_options){ 0 });
    results       *r = circuit_spikes(&c), *neuron = NULL;
    rv_error       error = { 0 };
    assert_int_equal(rv_net_timing(c.net), RV_EXACT);
    if (results_read(needs("aibs/examples/300_intfire/output/spikes.h5"), &neuron, &error) != RV_OK) fail_msg("%s", error.text);
    const results_spikes *s = results_spikes_at(neuron, 0);
    circuit_list          list = { .n = s->n, .ms = s->times_ms, .node = s->neurons };
    assert_int_equal(s->n, 4322);
    circuit_compare(r, "v1", &list, 3000, 1e-3);
    results_free(neuron), results_free(r);
    sonata_close(&c);
}

static void test_iclamp(void **state)
{
    (void)state;
    sonata_circuit c = circuit_run(needs(INTFIRE "one_cell_iclamp_nest/input/config.json"), NULL, (sonata_options){ 0 });
    results       *r = circuit_spikes(&c);
    const results_spikes *s = spikes_of(r, "one_cell_iclamp");
    assert_int_equal(s->n, 56);
    for (int64_t k = 0; k < s->n; k++) ENSURE_NEAR_IN(s->times_ms[k], 144.02 + 13.58 * (double)k, 1e-6, "ms", "spike %d", (int)k);
    ENSURE_NEAR(circuit_sample("membrane_potential.h5", "one_cell_iclamp", 0, 50), -77.16723, 1.5e-5, "mV");
    ENSURE_NEAR(circuit_sample("membrane_potential.h5", "one_cell_iclamp", 0, 140), -47.97321, 1.5e-5, "mV");
    results_free(r);
    sonata_close(&c);
}

static void test_ten_cells_iclamp(void **state)
{
    (void)state;
    sonata_circuit c = circuit_run(needs(INTFIRE "ten_cells_iclamp_nest/input/config.json"), NULL, (sonata_options){ 0 });
    results       *r = circuit_spikes(&c);
    circuit_list   list = circuit_read_list(needs("expected/ten_cells_iclamp_nest.spikes.csv"), "ten_cells_iclamp", 1000);
    assert_int_equal(list.n, 45);
    circuit_compare(r, "ten_cells_iclamp", &list, 1000, 1e-6);
    circuit_list_free(&list);
    results_free(r);
    sonata_close(&c);
}

static void test_ten_cells_spikes(void **state)
{
    (void)state;
    static const double V_m[2][2] = { { -76.7408, -77.0130 }, { -76.3879, -77.3379 } };
    sonata_circuit      c = circuit_run(needs(INTFIRE "ten_cells_spikes_nest/input/config.json"), NULL, (sonata_options){ .tstop = 201 });
    assert_int_equal(rv_spike_count(c.net, c.nodes[1].part[0].population), 0);
    for (int t = 0; t < 2; t++)
        for (int node = 0; node < 2; node++) ENSURE_NEAR_IN(circuit_sample("membrane_potential.h5", "post", node, 100 * (t + 1)), V_m[t][node], 1e-4, "mV", "node %d at %d ms", node, 100 * (t + 1));
    sonata_close(&c);
}

/* A delay of 0: source and target spike at the same time. */
static void test_no_delay(void **state)
{
    (void)state;
    static const int64_t of_node[] = { 45, 45, 33, 35, 33 };
    int64_t              count[5] = { 0 };
    sonata_circuit       c = circuit_run(needs(INTFIRE "ten_cells_spikes_nrn/input/config.json"), NULL, (sonata_options){ 0 });
    results             *r = circuit_spikes(&c);
    const results_spikes *s = spikes_of(r, "post");
    assert_int_equal(s->n, 191);
    ENSURE_NEAR(s->times_ms[0], 28.141, 1e-9, "ms");
    for (int64_t k = 0; k < s->n; k++) count[s->neurons[k]]++;
    for (int k = 0; k < 5; k++) assert_int_equal(count[k], of_node[k]);
    results_free(r);
    sonata_close(&c);
    rv_timing grid = RV_GRID;
    rv_error  error = { 0 };
    const char *path = needs(INTFIRE "ten_cells_spikes_nrn/input/config.json");
    assert_int_equal(sonata_open(&path, 1, &(sonata_options){ .timing = &grid }, &c, &error), RV_OK);
    assert_int_not_equal(sonata_build(&c, &error), RV_OK);
    assert_non_null(strstr(error.text, "has a delay of 0 ms, allowed is dt = 0.1 ms or more; exact timing takes shorter ones"));
    sonata_close(&c);
}

static void test_120_cells(void **state)
{
    (void)state;
    sonata_circuit c = circuit_run(needs(CELLS120 "config.simulation.json"), NULL, (sonata_options){ 0 });
    results       *r = circuit_spikes(&c);
    circuit_list   list = circuit_read_list(needs("expected/point_120cells.dt0.001.spikes.csv"), "cortex", 3000);
    assert_int_equal(list.n, 1197);
    circuit_compare(r, "cortex", &list, 3000, 1e-6);
    circuit_list_free(&list);
    circuit_list csv = circuit_read_list(folder_path("output/spikes.csv"), "cortex", 3000);
    circuit_compare(r, "cortex", &csv, 3000, 1e-6);
    circuit_list_free(&csv);
    results_free(r);
    sonata_close(&c);
}

/* The same steps of current as numbers, as lists, and from a csv file. */
static void test_steps_of_current(void **state)
{
    (void)state;
    static const char *const configs[] = { "config.simulation_iclamp.json", "config.simulation_iclamp.aslist.json", "config.simulation_iclamp.csv.json" };
    static const double      V_m[] = { -69.994, -69.993, -69.992 };
    for (int k = 0; k < 3; k++) {
        sonata_circuit c = circuit_run(needs(reference_text(CELLS120 "%s", configs[k])), NULL, (sonata_options){ 0 });
        for (int step = 0; step < 3; step++) ENSURE_NEAR_IN(circuit_sample("membrane_potential.h5", "cortex", 0, 990 + 1000 * step), V_m[step], 1e-5, "mV", "%s, step %d", configs[k], step);
        ENSURE_NEAR(circuit_sample("membrane_potential.h5", "cortex", 0, 499), -70, 1e-6, "mV");
        assert_int_equal(rv_spike_count(c.net, c.nodes[0].part[0].population), 0);
        sonata_close(&c);
    }
}

/* Two models in one population, two groups with different columns, receptors named in the synapses' files. */
static void test_450_glifs(void **state)
{
    (void)state;
    sonata_circuit c = circuit_run(needs("bmtk/examples/point_450glifs/config.simulation.json"), NULL, (sonata_options){ .tstop = 500 });
    results       *r = circuit_spikes(&c);
    circuit_list   list = circuit_read_list(needs("expected/point_450glifs.dt0.001.first500ms.spikes.csv"), "v1", 500);
    assert_int_equal(c.nodes[0].n_parts, 2);
    circuit_compare(r, "v1", &list, 500, 1e-6);
    circuit_list_free(&list);
    results_free(r);
    sonata_close(&c);
}

/* ---- what must load, what must be refused --------------------------------------------------------------------------- */

static void write_config(const char *name, const char *network, const char *files)
{
    char        text[16384], here[4096];
    const char *shared = circuit_shared(network);
    if (!realpath(shared, here)) fail_msg("no %s", network);
    snprintf(text, sizeof text,
             "{ \"manifest\": { \"$N\": \"%s\" }, \"components\": { \"point_neuron_models_dir\": \"%s/../../point_components/cell_models\", \"synaptic_models_dir\": \"%s/../../point_components/synaptic_models\" }, %s }", here, here, here, files);
    folder_write(name, text);
}

#define NODES(name) "{ \"nodes_file\": \"$N/" name "_nodes.h5\", \"node_types_file\": \"$N/" name "_node_types.csv\" }"
#define EDGES(name) "{ \"edges_file\": \"$N/" name "_edges.h5\", \"edge_types_file\": \"$N/" name "_edge_types.csv\" }"

static void test_neuropixels(void **state)
{
    (void)state;
    static const int64_t nodes[] = { 450, 100, 256, 78 }, edges[] = { 19141, 928, 38400, 10568 };
    sonata_circuit       c;
    rv_error             error = { 0 };
    (void)needs("bmtk/examples/point_neuropixels/network");
    write_config("neuropixels.json", "bmtk/examples/point_neuropixels/network",
                 "\"networks\": { \"nodes\": [" NODES("VISp") "," NODES("LGN") "," NODES("VISl") "," NODES("hippocampus") "], \"edges\": [" EDGES("VISp_VISp") "," EDGES("LGN_VISp") "," EDGES("VISl_VISp") "," EDGES("hippocampus_VISp") "] }, \"run\": { \"dt\": 0.1 }");
    const char *path = folder_path("neuropixels.json");
    if (sonata_open(&path, 1, &(sonata_options){ 0 }, &c, &error) != RV_OK || sonata_build(&c, &error) != RV_OK) fail_msg("%s", error.text);
    int64_t n_nodes = 0, n_edges = 0, expected_nodes = 0, expected_edges = 0;
    assert_int_equal(c.n_nodes, 4), assert_int_equal(c.n_edges, 4);
    for (int k = 0; k < 4; k++) n_nodes += c.nodes[k].n, n_edges += c.edges[k].n, expected_nodes += nodes[k], expected_edges += edges[k];
    assert_int_equal(n_nodes, expected_nodes), assert_int_equal(n_edges, expected_edges);
    ENSURE_OK(c.net, rv_compile(c.net));
    assert_int_equal(rv_profile_get(c.net).n_synapses, expected_edges);
    sonata_close(&c);
}

/* An early version of the format: positions as one dataset, misspelt indices, 449 biophysical cells and IntFires. */
static void test_early_circuit(void **state)
{
    (void)state;
    sonata_circuit c;
    rv_error       error = { 0 };
    (void)needs("aibs/reader_tests/circuit");
    write_config("early.json", "aibs/reader_tests/circuit", "\"networks\": { \"nodes\": [" NODES("v1") "," NODES("lgn") "], \"edges\": [" EDGES("v1_v1") "," EDGES("lgn_v1") "] }");
    const char *path = folder_path("early.json");
    if (sonata_open(&path, 1, &(sonata_options){ 0 }, &c, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(c.nodes[0].n, 449), assert_int_equal(c.nodes[1].n, 9000);
    assert_int_equal(c.edges[0].n, 48286), assert_int_equal(c.edges[1].n, 9034);
    sonata_close(&c);
    assert_string_equal(circuit_refused(path), "population \"v1\": node 0 of type 395830185 is biophysical (ctdb:Biophys1.hoc); what can be simulated are point neurons (point_neuron, point_process) and virtual nodes");
}

static void test_refused(void **state)
{
    (void)state;
    (void)needs(CELLS120 "config.simulation.json");
    assert_non_null(strstr(circuit_refused(circuit_shared(CELLS120 "config.simulation_perturbations.json")), "thalamus_spikes.csv\": No such file or directory"));
    assert_non_null(strstr(circuit_refused(circuit_shared(CELLS120 "config.simulation_iclamp.nwb.json")), "cannot read \"/local1/Downloads/483111427_ephys.nwb\": No such file or directory"));
    assert_non_null(strstr(circuit_refused(circuit_shared("libsonata/tests_data/config/circuit_config.json")), "/nodes/nodes-B/node_type_id: there is no such dataset"));
    write_config("bbp.json", "libsonata/tests_data", "\"networks\": { \"nodes\": [ { \"nodes_file\": \"$N/nodes1.h5\", \"node_types_file\": null, \"populations\": { \"nodes-A\": {} } } ] }");
    assert_non_null(strstr(circuit_refused(folder_path("bbp.json")), "population \"nodes-A\": node 0 has no model_type"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_300_pointneurons), cmocka_unit_test(test_300_pointneurons_again), cmocka_unit_test(test_300_pointneurons_exactly), cmocka_unit_test(test_300_intfire),
        cmocka_unit_test(test_iclamp),           cmocka_unit_test(test_ten_cells_iclamp),       cmocka_unit_test(test_ten_cells_spikes),         cmocka_unit_test(test_no_delay),
        cmocka_unit_test(test_120_cells),        cmocka_unit_test(test_steps_of_current),       cmocka_unit_test(test_450_glifs),                cmocka_unit_test(test_neuropixels),
        cmocka_unit_test(test_early_circuit),    cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests_name("sonata", tests, open_folder, close_folder);
}
