/* SONATA circuits of our own making: saved and read back, in all dialects, damaged, and refused. */
#include "io/hdf5_file.h"
#include "tests/support/circuit.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libhdf5 loses a little memory of its own when a file is damaged */
__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static int open_folder(void **state)
{
    (void)state;
    return folder_make("ranvier-sonata-files") == NULL;
}

static int close_folder(void **state)
{
    (void)state;
    folder_remove();
    return 0;
}

/* ---- a network with a bit of everything ------------------------------------------------------------------------------ */

enum { N_E = 60, N_I = 15, N_IN = 8, N_EDGES = 397 };

static void connect(rv_net *net, rv_population from, rv_population to, rv_connect_def def)
{
    def.source = rv_all(from), def.target = rv_all(to);
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

static rv_net *make_net(rv_timing timing)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1, .seed = 3, .timing = timing });
    rv_population E = reference_population(net, "E cells", N_E, "iaf_psc_exp"), I = reference_population(net, "I-1.2", N_I, "iaf_psc_alpha"), in = reference_population(net, "in", N_IN, "spike_generator");
    rv_setting    dc[] = { { "amplitude", rv_number(120) }, { "start", rv_number(10) }, { "stop", rv_number(40.5) } }, poisson[] = { { "rate", rv_number(4000) }, { "weight", rv_number(30) } };
    rv_setting    stdp[] = { { "Wmax", rv_number(90) }, { "lambda", rv_number(0.05) } };
    double        xyz[3 * N_E];
    ENSURE_OK(net, rv_set(net, E, "V_m", rv_uniform(-70, -56)));
    ENSURE_OK(net, rv_set(net, E, "tau_m", rv_normal(15, 0.5)));
    ENSURE_OK(net, rv_set(net, I, "I_e", rv_number(390.5)));
    for (int k = 0; k < 3 * N_E; k++) xyz[k] = 0.37 * k;
    ENSURE_OK(net, rv_set_positions(net, E, xyz, NULL));
    for (int i = 0; i < N_IN; i++) {
        double times[12];
        for (int k = 0; k < 12; k++) times[k] = timing == RV_GRID ? 0.1 * (7 + 3 * i + 61 * k) : 0.71 + 0.313 * i + 6.1234 * k;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, 12));
    }
    connect(net, in, E, (rv_connect_def){ .rule = "fixed_total_number", .total = N_EDGES, .weight = rv_uniform(40, 90), .delay = rv_uniform(1, 3) });
    connect(net, E, I, (rv_connect_def){ .rule = "fixed_indegree", .degree = 8, .weight = rv_number(35), .delay = rv_number(1.5) });
    connect(net, I, E, (rv_connect_def){ .rule = "pairwise_bernoulli", .p = rv_number(0.3), .weight = rv_normal(-40, 2), .delay = rv_number(0.8) });
    connect(net, E, E, (rv_connect_def){ .rule = "fixed_outdegree", .degree = 5, .weight = rv_number(30), .delay = rv_number(2), .plasticity = "stdp", .settings = stdp, .n_settings = 2 });
    ENSURE_OK(net, rv_input_new(net, (rv_slice){ I, 1, 5, 3 }, "dc", dc, 3, NULL));
    ENSURE_OK(net, rv_input_new(net, rv_all(E), "poisson", poisson, 2, NULL));
    return net;
}

static void save(rv_net *net, const char *name, double tstop)
{
    rv_error error = { 0 };
    if (sonata_save(net, folder_path("%s", name), tstop, &error) != RV_OK) fail_msg("%s", error.text);
}

static sonata_circuit open_built(const char *config)
{
    sonata_circuit c;
    rv_error       error = { 0 };
    if (sonata_open(&config, 1, &(sonata_options){ .threads = 1 }, &c, &error) != RV_OK || sonata_build(&c, &error) != RV_OK) fail_msg("%s: %s", config, error.text);
    return c;
}

/* ---- saved and read back ----------------------------------------------------------------------------------------------- */

static void compare_spikes(rv_net *a, rv_net *b, int population)
{
    reference_spikes x = reference_spikes_of(a, (rv_population){ population }), y = reference_spikes_of(b, (rv_population){ population });
    assert_true(x.n > 20);
    assert_int_equal(x.n, y.n);
    for (int64_t k = 0; k < x.n; k++) {
        assert_int_equal(x.neuron[k], y.neuron[k]);
        if (x.time_ms[k] != y.time_ms[k]) fail_msg("spike %lld at %.17g and %.17g ms", (long long)k, x.time_ms[k], y.time_ms[k]);
    }
    reference_spikes_free(&x), reference_spikes_free(&y);
}

static void compare_synapses(rv_net *a, rv_net *b, int projection)
{
    int64_t n, m;
    ENSURE_OK(a, rv_synapse_count(a, (rv_projection){ projection }, &n));
    ENSURE_OK(b, rv_synapse_count(b, (rv_projection){ projection }, &m));
    assert_int_equal(n, m);
    int64_t *ends = malloc(4 * (size_t)n * sizeof *ends);
    double  *values = malloc(4 * (size_t)n * sizeof *values);
    ENSURE_OK(a, rv_synapses(a, (rv_projection){ projection }, ends, ends + n, values, values + n));
    ENSURE_OK(b, rv_synapses(b, (rv_projection){ projection }, ends + 2 * n, ends + 3 * n, values + 2 * n, values + 3 * n));
    assert_memory_equal(ends, ends + 2 * n, 2 * (size_t)n * sizeof *ends);
    assert_memory_equal(values, values + 2 * n, 2 * (size_t)n * sizeof *values);
    free(ends), free(values);
}

static void go_round(rv_timing timing)
{
    rv_net *net = make_net(timing);
    save(net, "round", 80);
    sonata_circuit c = open_built(folder_path("round/config.json"));
    assert_int_equal(c.n_warnings, 0);
    assert_int_equal(rv_net_timing(c.net), timing);
    assert_int_equal(rv_population_count(c.net), 3);
    for (int p = 1; p <= 2; p++) {
        assert_string_equal(rv_population_name(c.net, (rv_population){ p }), rv_population_name(net, (rv_population){ p }));
        ENSURE_OK(net, rv_record_spikes(net, (rv_population){ p }));
    }
    for (int k = 1; k <= 4; k++) compare_synapses(net, c.net, k);
    ENSURE_OK(net, rv_run(net, 80));
    ENSURE_OK(c.net, rv_run(c.net, c.tstop));
    for (int p = 1; p <= 2; p++) compare_spikes(net, c.net, p);
    compare_synapses(net, c.net, 4); /* learnt */
    sonata_close(&c);
    rv_net_free(net);
}

static void test_round_on_the_grid(void **state)
{
    (void)state;
    go_round(RV_GRID);
}

static void test_round_exactly(void **state)
{
    (void)state;
    go_round(RV_EXACT);
}

/* Indices lead to the edges of their node; names of files are made safe. */
static void test_layout(void **state)
{
    (void)state;
    rv_net *net = make_net(RV_GRID);
    save(net, "layout", 10);
    rv_net_free(net);
    hdf5_file  file = { 0 };
    hdf5_shape shape;
    int64_t   *ends, *node, *range, seen = 0;
    DIR *folder = opendir(folder_path("layout/network"));
    char name[256] = "";
    for (struct dirent *d; (d = readdir(folder));)
        if (strncmp(d->d_name, "in_to_E_cells", 13) == 0 && strstr(d->d_name, "_edges.h5")) snprintf(name, sizeof name, "%s", d->d_name);
    closedir(folder);
    assert_int_equal(hdf5_open(folder_path("layout/network/%s", name), &file), RV_OK);
    assert_int_equal(hdf5_load(&file, "/edges/in_to_E cells/source_node_id", HDF5_I64, (void **)&ends, &shape), RV_OK);
    assert_int_equal(shape.count, N_EDGES);
    assert_int_equal(hdf5_load(&file, "/edges/in_to_E cells/indices/source_to_target/node_id_to_range", HDF5_I64, (void **)&node, &shape), RV_OK);
    assert_int_equal(shape.n[0], N_IN);
    assert_int_equal(hdf5_load(&file, "/edges/in_to_E cells/indices/source_to_target/range_to_edge_id", HDF5_I64, (void **)&range, NULL), RV_OK);
    for (int64_t i = 0; i < N_IN; i++)
        for (int64_t r = node[2 * i]; r < node[2 * i + 1]; r++)
            for (int64_t e = range[2 * r]; e < range[2 * r + 1]; e++, seen++) assert_int_equal(ends[e], i);
    assert_int_equal(seen, N_EDGES);
    free(ends), free(node), free(range);
    hdf5_close(&file);
}

/* ---- dialects ---------------------------------------------------------------------------------------------------------- */

/* Two cells, five virtual nodes, and edges by hand. */
static void write_pair(const char *node_types, const char *edge_types, const char *cell, const char *simulation)
{
    hdf5_file     file = { 0 };
    const int64_t type[5] = { 100, 101, 101, 101, 101 }, first[5] = { 100, 100, 100, 100, 100 }, id[5] = { 4, 3, 2, 1, 0 }, source[3] = { 0, 1, 4 }, target[3] = { 0, 0, 1 }, zero[3] = { 0 }, order[3] = { 2, 0, 1 };
    const int64_t nsyns[3] = { 7, 3, 2 };
    const double  angle[2] = { 10, 160 };
    assert_int_equal(hdf5_create(folder_path("pair/nodes.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/node_type_id", HDF5_I64, type, 2), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/0/tuning_angle", HDF5_F64, angle, 2), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hdf5_create(folder_path("pair/virtual.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/virtual-1/node_type_id", HDF5_I64, first, 5), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/virtual-1/node_id", HDF5_I64, id, 5), RV_OK); /* ids are keys, not rows */
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hdf5_create(folder_path("pair/edges.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/source_node_id", HDF5_U64, source, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/target_node_id", HDF5_U64, target, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/edge_type_id", HDF5_I64, first, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/edge_group_id", HDF5_I64, zero, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/edge_group_index", HDF5_I64, order, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/edges/e/0/nsyns", HDF5_I64, nsyns, 3), RV_OK);
    assert_int_equal(hdf5_set_text(&file, "/edges/e/source_node_id", "node_population", "virtual-1"), RV_OK);
    assert_int_equal(hdf5_set_text(&file, "/edges/e/target_node_id", "node_population", "cells"), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    folder_write("pair/node_types.csv", node_types);
    folder_write("pair/virtual_types.csv", "node_type_id   model_type\r\n100 \"virtual\"");
    folder_write("pair/edge_types.csv", edge_types);
    folder_write("pair/models/cell.json", cell);
    folder_write("pair/circuit.json",
                 "{ \"manifest\": { \"$B\": \"${A}/x/..\", \"A\": \".\" }, \"components\": { \"point_neuron_models_dir\": \"$B/models\", \"synaptic_models_dir\": \"${B}/models\" }, \"networks\": { \"nodes\": ["
                 " { \"nodes_file\": \"nodes.h5\", \"node_types_file\": \"$A/node_types.csv\" }, { \"nodes_file\": \"virtual.h5\", \"node_types_file\": \"virtual_types.csv\" } ],"
                 " \"edges\": [ { \"edges_file\": \"not there\", \"enabled\": false }, { \"edges_file\": \"edges.h5\", \"edge_types_file\": \"edge_types.csv\" } ] } }");
    folder_path("pair/x/");
    folder_write("pair/sets.json", "{ \"some\": [ \"one\", \"cells\" ], \"one\": { \"node_id\": [ 1 ], \"population\": \"cells\" }, \"kind\": { \"ei\": { \"$regex\": \"^[ei]$\" }, \"tuning_angle\": { \"$gt\": 100 } }, \"round\": [ \"round\" ], \"none\": {} }");
    folder_write("pair/simulation.json", simulation);
}

#define NODE_TYPES "node_type_id ei model_type model_template dynamics_params\n100 e point_process nest:iaf_psc_delta cell.json\n101 i point_neuron nest:iaf_psc_delta NULL\n"
#define EDGE_TYPES "edge_type_id target_query syn_weight delay dynamics_params\n100 \"ei=='e' & x\" 2.5 1.26 NULL\n"
#define SIMULATION(inputs) "{ \"network\": \"circuit.json\", \"node_sets_file\": \"sets.json\", \"run\": { \"tstop\": 50, \"dt\": 0.1 }, \"inputs\": {" inputs "}, \"output\": { \"output_dir\": \"out\" } }"

static void weights_of_pair(double weights[3], double *delay)
{
    sonata_circuit c = open_built(folder_path("pair/simulation.json"));
    int64_t        sources[3], targets[3], n;
    double         delays[3];
    ENSURE_OK(c.net, rv_synapse_count(c.net, (rv_projection){ 1 }, &n));
    assert_int_equal(n, 3);
    ENSURE_OK(c.net, rv_synapses(c.net, (rv_projection){ 1 }, sources, targets, weights, delays));
    assert_int_equal(sources[0], 0), assert_int_equal(sources[1], 3), assert_int_equal(sources[2], 4); /* rows of the ids 4, 1, 0 */
    assert_int_equal(targets[0], 1), assert_int_equal(targets[1], 0), assert_int_equal(targets[2], 0);
    if (delay) *delay = delays[0];
    sonata_close(&c);
}

static void test_weights(void **state)
{
    (void)state;
    double w[3], delay;
    write_pair(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 12, \"type\": \"x\" }", SIMULATION());
    weights_of_pair(w, &delay); /* of the edges 4 -> 1, 1 -> 0, 0 -> 0, whose nsyns are in places 1, 0 and 2 of their group */
    ENSURE_NEAR(w[0], 3 * 2.5, 1e-6, "mV"), ENSURE_NEAR(w[1], 7 * 2.5, 1e-6, "mV"), ENSURE_NEAR(w[2], 2 * 2.5, 1e-6, "mV");
    ENSURE_NEAR(delay, 1.3, 1e-9, "ms"); /* to the nearest step */
    write_pair("node_type_id model_type model_template\n100 point_neuron nest:iaf_psc_delta\n101 point_neuron nest:iaf_psc_delta", "edge_type_id syn_weight dynamics_params\n100 2.5 cell.json", "{ \"sign\": -1 }", SIMULATION());
    weights_of_pair(w, &delay);
    ENSURE_NEAR(w[0], -3 * 2.5, 1e-6, "mV");
    ENSURE_NEAR(delay, 1, 1e-9, "ms"); /* nobody says */
    write_pair("node_type_id model_type model_template\n100 point_neuron pynn:IF_curr_exp\n101 point_neuron pynn:IF_curr_exp\n", "edge_type_id syn_weight receptor_type\n100 0.5 inhibitory", "{}", SIMULATION());
    weights_of_pair(w, NULL);
    ENSURE_NEAR(w[0], -3 * 500, 1e-3, "pA"); /* nA in PyNN */
    write_pair(NODE_TYPES, EDGE_TYPES, "{}", "{ \"network\": \"circuit.json\", \"node_sets_file\": \"sets.json\", \"run\": { \"tstop\": 50, \"dt\": 0.1 }, \"connection_overrides\": [ { \"name\": \"a\", \"source\": \"virtual-1\", \"target\": \"one\", \"weight\": 4 } ] }");
    weights_of_pair(w, NULL);
    ENSURE_NEAR(w[0], 4 * 3 * 2.5, 1e-6, "mV"), ENSURE_NEAR(w[1], 7 * 2.5, 1e-6, "mV");
}

static double number_of(const sonata_circuit *c, const char *name, int64_t neuron)
{
    double x;
    ENSURE_OK(c->net, rv_get(c->net, (rv_slice){ c->nodes[0].part[0].population, neuron, 1, 1 }, name, &x));
    return x;
}

static void test_parameters(void **state)
{
    (void)state;
    write_pair(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 12, \"C_m\": 200, \"refractory_input\": true }", SIMULATION());
    sonata_circuit c = open_built(folder_path("pair/simulation.json"));
    ENSURE_NEAR(number_of(&c, "tau_m", 0), 12, 0, "ms"), ENSURE_NEAR(number_of(&c, "tau_m", 1), 10, 0, "ms");
    ENSURE_NEAR(number_of(&c, "C_m", 0), 200, 0, "pF"), ENSURE_NEAR(number_of(&c, "refractory_input", 0), 1, 0, "");
    sonata_close(&c);
    hdf5_file    file = { 0 }; /* HDF5 over csv over the file */
    const double tau[2] = { 30, NAN };
    write_pair("node_type_id model_type model_template dynamics_params tau_m C_m\n100 point_neuron nest:iaf_psc_delta cell.json 20 NULL\n101 point_neuron nest:iaf_psc_delta NULL 21 150\n", EDGE_TYPES, "{ \"tau_m\": 12, \"C_m\": 200 }", SIMULATION());
    assert_int_equal(hdf5_edit(folder_path("pair/nodes.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/0/dynamics_params/tau_m", HDF5_F64, tau, 2), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    c = open_built(folder_path("pair/simulation.json"));
    ENSURE_NEAR(number_of(&c, "tau_m", 0), 30, 0, "ms"), ENSURE_NEAR(number_of(&c, "tau_m", 1), 21, 0, "ms");
    ENSURE_NEAR(number_of(&c, "C_m", 0), 200, 0, "pF"), ENSURE_NEAR(number_of(&c, "C_m", 1), 150, 0, "pF");
    sonata_close(&c);
    write_pair("node_type_id model_type model_template dynamics_params\n100 point_neuron pynn:IF_cond_exp cell.json\n101 point_neuron pynn:IF_cond_exp NULL\n", EDGE_TYPES, "{ \"cm\": 0.5, \"tau_m\": 10, \"v_rest\": -60 }", SIMULATION());
    c = open_built(folder_path("pair/simulation.json"));
    ENSURE_NEAR(number_of(&c, "C_m", 0), 500, 1e-9, "pF"), ENSURE_NEAR(number_of(&c, "g_L", 0), 50, 1e-9, "nS"), ENSURE_NEAR(number_of(&c, "V_m", 0), -60, 0, "mV");
    ENSURE_NEAR(number_of(&c, "C_m", 1), 1000, 1e-9, "pF"), ENSURE_NEAR(number_of(&c, "g_L", 1), 50, 1e-9, "nS"), ENSURE_NEAR(number_of(&c, "V_th", 1), -50, 0, "mV");
    sonata_close(&c);
}

/* BBP's files have no types: what nodes are is in the HDF5 file, as texts or as numbers of texts. */
static void test_texts_of_nodes(void **state)
{
    (void)state;
    hdf5_file   file = { 0 };
    char *const templates[] = { "nest:iaf_psc_delta", "nest:iaf_psc_exp" }, *const library[] = { "virtual", "point_neuron" };
    hdf5_shape  two = { .rank = 1, .n = { 2 }, .count = 2 };
    write_pair(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION());
    assert_int_equal(hdf5_edit(folder_path("pair/nodes.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/node_type_id", HDF5_I64, (int64_t[]){ -1, -1 }, 2), RV_OK);
    assert_int_equal(hdf5_write_texts(&file, "/nodes/cells/0/model_template", &two, templates), RV_OK);
    assert_int_equal(hdf5_write_texts(&file, "/nodes/cells/0/@library/model_type", &two, library), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/0/model_type", HDF5_U32, (uint32_t[]){ 1, 1 }, 2), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/0/dynamics_params/tau_m", HDF5_F64, (double[]){ 11, 12 }, 2), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    folder_write("pair/circuit.json", "{ \"networks\": { \"nodes\": [ { \"nodes_file\": \"nodes.h5\" }, { \"nodes_file\": \"virtual.h5\", \"node_types_file\": \"virtual_types.csv\" } ] } }");
    sonata_circuit c = open_built(folder_path("pair/simulation.json"));
    double         tau[2];
    assert_int_equal(c.nodes[0].n_parts, 2);
    for (int k = 0; k < 2; k++) {
        assert_string_equal(c.nodes[0].part[k].model, templates[k] + 5);
        ENSURE_OK(c.net, rv_get(c.net, rv_all(c.nodes[0].part[k].population), "tau_m", &tau[k]));
        ENSURE_NEAR(tau[k], 11 + k, 0, "ms");
    }
    sonata_close(&c);
    assert_int_equal(hdf5_edit(folder_path("pair/nodes.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/nodes/cells/0/model_type", HDF5_U32, (uint32_t[]){ 1, 2 }, 2), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_non_null(strstr(circuit_refused(folder_path("pair/simulation.json")), "row 1 is 2, its @library has 2 texts"));
}

/* The same three spikes in every format. */
static void test_spike_inputs(void **state)
{
    (void)state;
    static const char *const inputs[] = { "\"module\": \"csv\", \"input_file\": \"a.csv\"", "\"module\": \"csv\", \"input_file\": \"b.csv\"", "\"module\": \"h5\", \"input_file\": \"old.h5\"", "\"module\": \"sonata\", \"input_file\": \"new.h5\"",
                                          "\"module\": \"nwb\", \"input_file\": \"two.nwb\"", "\"module\": \"nwb\", \"input_file\": \"one.nwb\", \"trial\": \"trial_3\"" };
    hdf5_file     file = { 0 };
    const double  ms[3] = { 30.2, 3.5, 10 }, s[3] = { 0.0035, 0.01, 0.0302 };
    const int64_t id[3] = { 0, 4, 1 }, index[2] = { 1, 3 }, units[2] = { 4, 1 };
    write_pair(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION());
    folder_write("pair/a.csv", "timestamps population node_ids\n30.2 virtual-1 0\n3.5 virtual-1 4\n10 virtual-1 1\n7 others 3\n9 virtual-1 77\n");
    folder_write("pair/b.csv", "30.2 0\n3.5 4\n10 1");
    assert_int_equal(hdf5_create(folder_path("pair/old.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/spikes/timestamps", HDF5_F64, ms, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/spikes/gids", HDF5_I32, (int32_t[]){ 0, 4, 1 }, 3), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hdf5_create(folder_path("pair/new.h5"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/spikes/virtual-1/timestamps", HDF5_F64, (double[]){ 0.0302, 0.0035, 0.01 }, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/spikes/virtual-1/node_ids", HDF5_U64, id, 3), RV_OK);
    assert_int_equal(hdf5_set_text(&file, "/spikes/virtual-1", "sorting", "by_time"), RV_OK); /* it is not */
    assert_int_equal(hdf5_set_text(&file, "/spikes/virtual-1/timestamps", "units", "s"), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hdf5_create(folder_path("pair/two.nwb"), &file), RV_OK);
    assert_int_equal(hdf5_write(&file, "/units/spike_times", HDF5_F64, s, 3), RV_OK);
    assert_int_equal(hdf5_write(&file, "/units/spike_times_index", HDF5_I64, index, 2), RV_OK);
    assert_int_equal(hdf5_write(&file, "/units/id", HDF5_I64, units, 2), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_int_equal(hdf5_create(folder_path("pair/one.nwb"), &file), RV_OK);
    for (int k = 0; k < 3; k++) {
        char name[64];
        snprintf(name, sizeof name, "/processing/trial_3/spike_train/%d/data", (int)id[k]);
        assert_int_equal(hdf5_write(&file, name, HDF5_F64, &ms[k], 1), RV_OK);
    }
    assert_int_equal(hdf5_close(&file), RV_OK);
    for (int k = 0; k < 6; k++) {
        char text[1024];
        snprintf(text, sizeof text, SIMULATION("\"in\": { \"input_type\": \"spikes\", \"node_set\": \"virtual-1\", %s }"), inputs[k]);
        folder_write("pair/simulation.json", text);
        sonata_circuit c = open_built(folder_path("pair/simulation.json"));
        ENSURE_OK(c.net, rv_record_spikes(c.net, c.nodes[1].part[0].population));
        ENSURE_OK(c.net, rv_run(c.net, c.tstop));
        reference_spikes got = reference_spikes_of(c.net, c.nodes[1].part[0].population);
        bool last = k != 4; /* the table of units has no spike of node 0 */
        assert_int_equal(got.n, 3);
        ENSURE_NEAR_IN(got.time_ms[0], 3.5, 1e-9, "ms", "%s", inputs[k]), ENSURE_NEAR_IN(got.time_ms[1], 10, 1e-9, "ms", "%s", inputs[k]), ENSURE_NEAR_IN(got.time_ms[2], 30.2, 1e-9, "ms", "%s", inputs[k]);
        assert_int_equal(sonata_node(&c.nodes[1], 0, got.neuron[0]), 4), assert_int_equal(sonata_node(&c.nodes[1], 0, got.neuron[2]), last ? 0 : 1);
        assert_int_equal(c.n_warnings, k == 0);
        if (k == 0) assert_non_null(strstr(c.warning[0], "has 1 spikes of nodes that the circuit does not have"));
        reference_spikes_free(&got);
        sonata_close(&c);
    }
}

static void test_node_sets_and_reports(void **state)
{
    (void)state;
    write_pair(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 12 }",
               "{ \"network\": \"circuit.json\", \"node_sets_file\": \"sets.json\", \"run\": { \"tstop\": 50, \"dt\": 0.1 }, \"inputs\": { \"I\": { \"input_type\": \"current_clamp\", \"module\": \"IClamp\", \"node_set\": \"kind\", \"amp\": [ 300, 450 ], \"delay\": [ 5, 20 ], \"duration\": [ 10, 30 ] } },"
               " \"reports\": { \"v\": { \"cells\": \"some\", \"variable_name\": \"v\", \"type\": \"compartment\", \"sections\": \"soma\", \"dt\": 0.5, \"start_time\": 10, \"end_time\": 20, \"colour\": 1 } },"
               " \"output\": { \"output_dir\": \"out\", \"spikes_file\": \"out/s.h5\", \"spikes_file_csv\": \"s.csv\", \"spikes_sort_order\": \"id\" } }");
    sonata_circuit c = circuit_run(folder_path("pair/simulation.json"), NULL, (sonata_options){ .output_dir = folder_path("pair/out") });
    results       *r = circuit_spikes(&c), *v;
    rv_error       error = { 0 };
    assert_true(results_spikes_at(r, 0)->n > 0);
    for (int64_t k = 0; k < results_spikes_at(r, 0)->n; k++) assert_int_equal(results_spikes_at(r, 0)->neurons[k], 1); /* the only one of `kind` */
    assert_int_equal(results_read(folder_path("pair/out/v.h5"), &v, &error), RV_OK);
    const results_report *report = results_report_at(v, 0);
    assert_int_equal(report->n_columns, 2);
    assert_int_equal(report->n_times, 21);
    ENSURE_NEAR(report->start_ms, 10, 1e-9, "ms"), ENSURE_NEAR(report->interval_ms, 0.5, 1e-12, "ms");
    ENSURE_NEAR(report->values[0], -70, 1e-6, "mV"); /* node 0 got nothing */
    ENSURE_NEAR(report->values[1], -70 + 10.0 / 250 * 300 * (1 - exp(-(10 - 5.1) / 10)), 1e-4, "mV"); /* in force one step late */
    assert_int_equal(c.n_warnings, 1);
    assert_non_null(strstr(c.warning[0], "\"colour\" is unknown here"));
    results_free(v), results_free(r);
    sonata_close(&c);
}

/* ---- refused ------------------------------------------------------------------------------------------------------------- */

static void refuse(const char *node_types, const char *edge_types, const char *cell, const char *simulation, const char *sentence)
{
    write_pair(node_types, edge_types, cell, simulation);
    const char *text = circuit_refused(folder_path("pair/simulation.json"));
    if (!strstr(text, sentence)) fail_msg("\"%s\" instead of \"%s\"", text, sentence);
}

static void test_sentences(void **state)
{
    (void)state;
    refuse("node_type_id model_type\n100 point_neuron\n", EDGE_TYPES, "{}", SIMULATION(), "row 1 has type 101, which \"");
    refuse("node_type_id model_type model_template\n100 point_neuron nest:iaf_psc_dleta\n101 virtual NULL\n", EDGE_TYPES, "{}", SIMULATION(), "population \"cells\": nest:iaf_psc_dleta: no neuron model \"iaf_psc_dleta\"; did you mean \"iaf_psc_delta\"?");
    refuse("node_type_id model_type model_template\n100 point_neuron pynn:IF_curr\n101 virtual NULL\n", EDGE_TYPES, "{}", SIMULATION(), "no cell \"IF_curr\"");
    refuse("node_type_id model_type model_template\n100 point_neuron nml:x.nml\n101 virtual NULL\n", EDGE_TYPES, "{}", SIMULATION(), "template \"nml:x.nml\": of the schemas nest:, pynn: and nrn:, not of nml:");
    refuse("node_type_id model_type model_template\n100 single_compartment hoc:HH\n101 virtual NULL\n", EDGE_TYPES, "{}", SIMULATION(), "node 0 of type 100 is single_compartment (hoc:HH); what can be simulated are point neurons");
    refuse("node_type_id \"model_type\n100 a\n", EDGE_TYPES, "{}", SIMULATION(), "node_types.csv\", line 1: a quote has no end");
    refuse("node_type_id model_type\n100\n", EDGE_TYPES, "{}", SIMULATION(), "line 2: 1 cells, the first line has 2");
    refuse("node_type_id model_type\n1x0 a\n", EDGE_TYPES, "{}", SIMULATION(), "node_type_id \"1x0\" is not a whole number");
    refuse(NODE_TYPES, EDGE_TYPES, "{ \"tau_mm\": 3 }", SIMULATION(), "\"cell.json\": no parameter or state \"tau_mm\" of iaf_psc_delta; did you mean \"tau_m\"?");
    refuse(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": -3 }", SIMULATION(), "tau_m[0] = -3 ms, allowed");
    refuse(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 3", SIMULATION(), "cell.json\", line 1: ");
    refuse(NODE_TYPES, "edge_type_id delay\n100 1.5\n", "{}", SIMULATION(), "edge 0 has no weight: syn_weight is neither a column of the file nor of the table of types");
    refuse(NODE_TYPES, "edge_type_id syn_weight\n100 x1\n", "{}", SIMULATION(), "edges \"e\", type 100: syn_weight is \"x1\"; a number is needed");
    refuse(NODE_TYPES, "edge_type_id syn_weight\n100 nan\n", "{}", SIMULATION(), "edges \"e\", type 100: syn_weight is \"nan\"; a number is needed");
    refuse(NODE_TYPES, "edge_type_id syn_weight delay\n100 1 0.01\n", "{}", SIMULATION(), "has a delay of 0.01 ms, allowed is dt = 0.1 ms or more");
    refuse(NODE_TYPES, "edge_type_id syn_weight model_template\n100 1 stpd_synapse\n", "{}", SIMULATION(), "model_template is \"stpd_synapse\"; known are static_synapse and the learning rules");
    refuse(NODE_TYPES, "edge_type_id syn_weight weight_function\n100 1 mine\n", "{}", SIMULATION(), "weight_function is \"mine\"; known of these functions in Python are wmax and gaussianLL");
    refuse(NODE_TYPES, "edge_type_id syn_weight weight_function weight_sigma\n100 1 gaussianLL 50\n", "{}", SIMULATION(), "gaussianLL needs a column tuning_angle of nodes \"virtual-1\"");
    refuse(NODE_TYPES, "edge_type_id syn_weight\n101 1\n", "{}", SIMULATION(), "edge 0 has type 100, which \"");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", "{ \"network\": \"circuit.json\", \"run\": { \"tstop\": 50, \"dt\": 0 } }", "run: dt = 0 ms, allowed is more than 0");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", "{ \"network\": \"circuit.json\", \"run\": { \"tstop\": \"soon\" } }", "run: tstop is not a number");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", "{ \"network\": \"simulation.json\" }", "files that name each other in a circle");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", "{ \"manifest\": { \"$A\": \"$B/a\", \"$B\": \"$A/b\" }, \"network\": \"$A/circuit.json\" }", "go round in a circle");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", "{ \"manifest\": { \"A\": \"$B$B\", \"B\": \"$C$C$C$C\", \"C\": \"$D$D$D$D$D$D$D$D\", \"D\": \"$A$A\" }, \"network\": \"$A\" }", "a manifest that goes round in a circle?");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"spikes\", \"module\": \"csv\", \"input_file\": \"no.csv\", \"node_set\": \"vitrual-1\" }"), "no node set or population \"vitrual-1\"; did you mean \"virtual-1\"?");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"spikes\", \"module\": \"csv\", \"input_file\": \"no.csv\", \"node_set\": \"round\" }"), "sets that name each other more than 10 deep, or in a circle");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"spikes\", \"module\": \"csv\", \"input_file\": \"no.csv\", \"node_set\": \"cells\" }"), "pair/no.csv\": No such file or directory");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"spikes\", \"module\": \"tape\", \"input_file\": \"no.csv\", \"node_set\": \"cells\" }"), "spikes from module \"tape\"");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"current_clamp\", \"module\": \"shot_noise\", \"node_set\": \"cells\" }"), "no module \"shot_noise\" of a current");
    refuse(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"current_clamp\", \"module\": \"IClamp\", \"amp\": [1, 2], \"delay\": 3, \"duration\": 1, \"node_set\": \"cells\" }"), "1 values of delay and 2 of amp");
    refuse("node_type_id model_type model_template\n100 point_neuron nrn:IntFire1\n101 point_neuron nrn:IntFire1\n", EDGE_TYPES, "{}", SIMULATION("\"in\": { \"input_type\": \"current_clamp\", \"module\": \"IClamp\", \"amp\": 1, \"delay\": 3, \"duration\": 1, \"node_set\": \"cells\" }"), "intfire1 takes spikes only, no currents");
}

/* Numbers that are wrong in the HDF5 files. */
static void break_dataset(const char *name, const char *dataset, hdf5_type type, const void *values, int64_t n, const char *sentence)
{
    hdf5_file file = { 0 };
    write_pair(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION());
    assert_int_equal(hdf5_edit(folder_path("pair/%s", name), &file), RV_OK);
    if (hdf5_write(&file, dataset, type, values, n) != RV_OK) fail_msg("%s", file.error.text);
    assert_int_equal(hdf5_close(&file), RV_OK);
    const char *text = circuit_refused(folder_path("pair/simulation.json"));
    if (!strstr(text, sentence)) fail_msg("\"%s\" instead of \"%s\"", text, sentence);
}

static void test_wrong_numbers(void **state)
{
    (void)state;
    break_dataset("edges.h5", "/edges/e/source_node_id", HDF5_U64, (uint64_t[]){ 0, 5, 1 }, 3, "edge 1 has source node 5, which population \"virtual-1\" of 5 nodes does not have");
    break_dataset("edges.h5", "/edges/e/target_node_id", HDF5_U64, (uint64_t[]){ 0, UINT64_MAX, 1 }, 3, "edge 1 has target node -1, which population \"cells\" of 2 nodes does not have");
    break_dataset("edges.h5", "/edges/e/edge_group_index", HDF5_I64, (int64_t[]){ 0, 1, 3 }, 3, "edge 2 has place 3 of group 0, allowed 0 to 2");
    break_dataset("edges.h5", "/edges/e/edge_group_id", HDF5_I64, (int64_t[]){ 0, 0, 1 }, 3, "edge 2 is in group 1, which there is not");
    break_dataset("edges.h5", "/edges/e/0/syn_weight", HDF5_F64, (double[]){ 1, 2 }, 2, "has 3 values, its neighbours 2");
    break_dataset("edges.h5", "/edges/e/0/syn_weight", HDF5_F64, (double[]){ 1, INFINITY, 2 }, 3, "edge 2 has no weight: syn_weight is not a number in the file");
    break_dataset("edges.h5", "/edges/e/0/delay", HDF5_F64, (double[]){ 1, -1, 2 }, 3, "edge 2 has a delay of -1 ms, allowed is dt = 0.1 ms or more");
    break_dataset("virtual.h5", "/nodes/virtual-1/node_id", HDF5_I64, (int64_t[]){ 4, 3, 2, 3, 0 }, 5, "/nodes/virtual-1/node_id: node 3 is there twice");
    break_dataset("virtual.h5", "/nodes/virtual-1/node_id", HDF5_I64, (int64_t[]){ 4, 3, -2, 1, 0 }, 5, "row 2 is node -2, allowed are ids from 0");
    break_dataset("nodes.h5", "/nodes/cells/node_type_id", HDF5_I64, (int64_t[]){ 100, -1 }, 2, "node 1 has no model_type");
    hdf5_file file = { 0 };
    write_pair(NODE_TYPES, EDGE_TYPES, "{}", SIMULATION());
    assert_int_equal(hdf5_edit(folder_path("pair/nodes.h5"), &file), RV_OK);
    assert_int_equal(hdf5_set_int(&file, "/", "magic", 7), RV_OK);
    assert_int_equal(hdf5_close(&file), RV_OK);
    assert_non_null(strstr(circuit_refused(folder_path("pair/simulation.json")), "attribute magic: is 7, that of a SONATA file is 2682"));
}

/* ---- damaged ------------------------------------------------------------------------------------------------------------- */

static unsigned char *load(const char *path, long *n)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot read %s", path);
    fseek(file, 0, SEEK_END);
    *n = ftell(file);
    rewind(file);
    unsigned char *bytes = malloc((size_t)*n + 1);
    assert_int_equal(fread(bytes, 1, (size_t)*n, file), *n);
    fclose(file);
    return bytes;
}

static void store(const char *path, const unsigned char *bytes, long n)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, (size_t)n, file) != (size_t)n || fclose(file) != 0) fail_msg("cannot write %s", path);
}

static const char *const pair_files[] = { "pair/nodes.h5", "pair/virtual.h5", "pair/edges.h5", "pair/node_types.csv", "pair/edge_types.csv", "pair/circuit.json", "pair/simulation.json", "pair/sets.json", "pair/models/cell.json" };

/* Whatever is cut off: a sentence, or a circuit that does not need it. */
static void test_truncated(void **state)
{
    (void)state;
    int refused = 0, all = 0;
    write_pair(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 12 }", SIMULATION());
    assert_string_equal(circuit_refused(folder_path("pair/simulation.json")), "");
    for (size_t k = 0; k < sizeof pair_files / sizeof *pair_files; k++) {
        char path[512];
        long n;
        snprintf(path, sizeof path, "%s", folder_path("%s", pair_files[k]));
        unsigned char *bytes = load(path, &n);
        long           block = strstr(path, ".h5") ? 512 : n / 8 + 1;
        for (long cut = 0; cut < n; cut += block, all++) {
            store(path, bytes, cut);
            const char *text = circuit_refused(folder_path("pair/simulation.json"));
            refused += text[0] != 0;
            assert_null(strchr(text, '\n'));
        }
        store(path, bytes, n);
        free(bytes);
    }
    assert_true(refused > all / 2);
}

/* Every length in the file of edges says 10^12. */
static void test_enormous(void **state)
{
    (void)state;
    rv_net *net = make_net(RV_GRID);
    save(net, "enormous", 10);
    rv_net_free(net);
    DIR *folder = opendir(folder_path("enormous/network"));
    char path[512] = "";
    for (struct dirent *d; (d = readdir(folder));)
        if (strncmp(d->d_name, "in_to_E_cells", 13) == 0 && strstr(d->d_name, "_edges.h5")) snprintf(path, sizeof path, "%s", folder_path("enormous/network/%s", d->d_name));
    closedir(folder);
    long           n;
    int            found = 0;
    const uint64_t here = N_EDGES, claimed = 1000000000000;
    unsigned char *bytes = load(path, &n);
    for (long at = 0; at + 8 <= n; at++)
        if (memcmp(bytes + at, &here, 8) == 0) memcpy(bytes + at, &claimed, 8), found++;
    store(path, bytes, n);
    free(bytes);
    assert_true(found >= 5);
    const char *text = circuit_refused(folder_path("enormous/config.json"));
    if (!strstr(text, "is damaged: it claims 1000000000000 values") && !strstr(text, "cannot")) fail_msg("\"%s\"", text);
}

/* Single bytes, here and there. */
static void test_flipped(void **state)
{
    (void)state;
    write_pair(NODE_TYPES, EDGE_TYPES, "{ \"tau_m\": 12 }", SIMULATION());
    srand(11);
    for (int k = 0; k < 3; k++) {
        char path[512];
        long n;
        snprintf(path, sizeof path, "%s", folder_path("%s", pair_files[k]));
        unsigned char *bytes = load(path, &n);
        for (int round = 0; round < 60; round++) {
            long          at = rand() % n;
            unsigned char was = bytes[at];
            bytes[at] = (unsigned char)rand();
            store(path, bytes, n);
            assert_null(strchr(circuit_refused(folder_path("pair/simulation.json")), '\n'));
            bytes[at] = was;
        }
        store(path, bytes, n);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_on_the_grid), cmocka_unit_test(test_round_exactly), cmocka_unit_test(test_layout),        cmocka_unit_test(test_weights),
        cmocka_unit_test(test_parameters),        cmocka_unit_test(test_texts_of_nodes), cmocka_unit_test(test_spike_inputs),  cmocka_unit_test(test_node_sets_and_reports), cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_wrong_numbers),     cmocka_unit_test(test_truncated),     cmocka_unit_test(test_enormous),      cmocka_unit_test(test_flipped),
    };
    return cmocka_run_group_tests_name("sonata files", tests, open_folder, close_folder);
}
