/* Networks become NIR graphs and networks again: the same spikes. Then what has no counterpart in NIR, and `ranvier run` of a graph
 * with input in every form. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/nir_build.h"
#include "io/nir_data.h"
#include "io/nir_input.h"
#include "io/script_command.h"
#include "tests/support/fixture.h"

static char folder[64], written[80], input[80];

/* ---- there and back ---------------------------------------------------------------------------------------------- */

enum { N_E = 40, N_I = 10, N_X = 20, N_TIMES = 60 };

/* Input spikes of generator i; the same for both networks. */
static void times_of(int i, double *times)
{
    for (int k = 0; k < N_TIMES; k++) times[k] = 0.1 * (1 + (i * 7 + k * (31 + i % 5)) % 1990);
    for (int a = 1; a < N_TIMES; a++)
        for (int b = a; b > 0 && times[b] < times[b - 1]; b--) {
            double t = times[b];
            times[b] = times[b - 1], times[b - 1] = t;
        }
}

static void play(rv_net *net, rv_population x)
{
    double times[N_TIMES];
    for (int i = 0; i < N_X; i++) {
        times_of(i, times);
        ENSURE_OK(net, rv_set_spike_times(net, x, i, times, N_TIMES));
    }
}

static void connect(rv_net *net, rv_population a, rv_population b, double p, double weight, rv_value delay)
{
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(b), .rule = "pairwise_bernoulli", .p = rv_number(p), .weight = rv_normal(weight, fabs(weight) / 4), .delay = delay };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

/* Excitation, inhibition, an input, delays, drive by currents, random beginnings. */
static rv_net *make_net(const char *model)
{
    bool          steps = strcmp(model, "nir_lif") == 0, exponential = strcmp(model, "iaf_psc_exp") == 0;
    rv_net       *net = reference_net((rv_net_def){ .seed = 3 });
    rv_population x = reference_population(net, "X", N_X, "spike_generator"), e = reference_population(net, "E", N_E, model), i = reference_population(net, "I", N_I, model);
    rv_population both[] = { e, i };
    double        unit = exponential ? 100 : 1;
    for (int k = 0; k < 2; k++) {
        if (steps) reference_set_all(net, both[k], "tau_mem", 12.0, "tau_syn", 2.0, "v_threshold", 10.0, "v_reset", -1.0, "w_in", 18.0, "I_e", 0.3, NULL);
        else reference_set_all(net, both[k], "E_L", -65.0, "V_th", -50.0, "V_reset", -66.0, "t_ref", 0.0, "tau_m", 12.0, "C_m", 240.0, "I_e", 250.0, NULL);
        ENSURE_OK(net, rv_set(net, both[k], "V_m", steps ? rv_uniform(-2, 9) : rv_uniform(-66, -52)));
    }
    connect(net, x, e, 0.5, 1.5 * unit, rv_number(1.5)), connect(net, x, i, 0.5, 1.2 * unit, rv_number(0.1));
    connect(net, e, e, 0.2, 0.5 * unit, rv_clip(rv_normal(1, 0.2), 0.5, 1.5)), connect(net, e, i, 0.3, 0.6 * unit, rv_number(1));
    connect(net, i, e, 0.4, -2 * unit, rv_number(0.8)), connect(net, i, i, 0.4, -1 * unit, rv_number(0.8));
    return net;
}

static int64_t compare_population(rv_net *a, rv_net *b, const char *name)
{
    reference_spikes s = reference_spikes_of(a, rv_population_find(a, name)), t = reference_spikes_of(b, rv_population_find(b, name));
    if (s.n != t.n) print_message("%s: %lld spikes, then %lld\n", name, (long long)s.n, (long long)t.n);
    for (int64_t k = 0; k < s.n && k < t.n; k++) {
        ENSURE_NEAR_IN(t.time_ms[k], s.time_ms[k], 1e-9, "ms", "%s: time of spike %d", name, (int)k);
        assert_int_equal(t.neuron[k], s.neuron[k]);
    }
    assert_int_equal(s.n, t.n);
    int64_t n = s.n;
    reference_spikes_free(&s), reference_spikes_free(&t);
    return n;
}

static void record(rv_net *net)
{
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "E")));
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "I")));
}

static void there_and_back(rv_net *net, const nir_from_options *options)
{
    nir_graph graph, read;
    nir_net   n;
    rv_error  error = { 0 };
    record(net);
    if (nir_from_net(net, options, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    assert_non_null(nir_find(&graph, "output_E"));
    if (nir_write(written, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    if (nir_read(written, NULL, &read, &error) != RV_OK) fail_msg("%s", error.text);
    if (nir_build(&read, &(rv_net_def){ .threads = 1 }, NULL, &n, &error) != RV_OK) fail_msg("%s", error.text);
    record(n.net);
    play(net, rv_population_find(net, "X")), play(n.net, rv_population_find(n.net, "X"));
    ENSURE_OK(net, rv_run(net, 200));
    ENSURE_OK(n.net, rv_run(n.net, 200));
    int64_t spikes = compare_population(net, n.net, "E") + compare_population(net, n.net, "I");
    print_message("%s: %lld spikes\n", rv_population_model(net, rv_population_find(net, "E")), (long long)spikes);
    assert_true(spikes > 300);
    nir_net_free(&n), nir_free(&graph), nir_free(&read), rv_net_free(net);
}

static void test_there_and_back(void **state)
{
    (void)state;
    there_and_back(make_net("iaf_psc_delta"), NULL);
    there_and_back(make_net("iaf_psc_exp"), NULL);
    there_and_back(make_net("nir_lif"), NULL);
    rv_net *net = make_net("iaf_psc_delta");
    reference_set(net, rv_population_find(net, "E"), "t_ref", 2);
    there_and_back(net, &(nir_from_options){ .refractory = true });
}

/* Pixels, a convolution with a recurrent one channel by channel, and a dense layer behind them. @param feedback a dense projection back,
 * with which the channels have no shape in NIR */
static rv_net *make_vision(const char *model, bool feedback)
{
    enum { H = 4, W = 5, C = 3 };
    rv_convolution g = { .shape = { 2, H, W }, .kernel = { C, 2, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 2 }, .dilation = { 1, 1 }, .stride = { 1, 1 } },
                   each = { .shape = { C, H, W + 1 }, .kernel = { C, 1, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 }, .groups = C };
    double         kernel[C * 2 * 9], own[C * 9];
    bool           steps = strcmp(model, "nir_lif") == 0;
    if (!feedback) g.padding_end[1] = 1, each.shape[2] = W; /* the same on both sides, as NIR has it */
    for (int k = 0; k < C * 18; k++) kernel[k] = (k * 7 % 11 - 2) * 0.7;
    for (int k = 0; k < C * 9; k++) own[k] = (k * 5 % 9 - 5) * 0.4;
    rv_net       *net = reference_net((rv_net_def){ .seed = 3 });
    rv_population x = reference_population(net, "X", 2 * H * W, "spike_generator"), e = reference_population(net, "E", C * H * each.shape[2], model),
                  i = reference_population(net, "I", N_I, model), both[] = { e, i };
    for (int k = 0; k < 2; k++) {
        if (steps) reference_set_all(net, both[k], "tau_mem", 12.0, "tau_syn", 2.0, "v_threshold", 10.0, "v_reset", -1.0, "w_in", 18.0, "I_e", 0.3, NULL);
        else reference_set_all(net, both[k], "E_L", -65.0, "V_th", -55.0, "V_reset", -66.0, "t_ref", 0.0, "tau_m", 12.0, "C_m", 240.0, NULL);
        ENSURE_OK(net, rv_set(net, both[k], "V_m", steps ? rv_uniform(-2, 9) : rv_uniform(-66, -56)));
    }
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(x), .target = rv_all(e), .rule = "convolution", .convolution = &g, .weight = rv_list(kernel, C * 18),
                                                      .delay = rv_number(0.7) }, NULL));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(e), .target = rv_all(e), .rule = "convolution", .convolution = &each, .weight = rv_list(own, C * 9),
                                                      .delay = rv_number(0.1) }, NULL));
    connect(net, e, i, 0.3, 2, rv_number(1));
    if (feedback) connect(net, i, e, 0.3, -1, rv_number(1));
    return net;
}

static void play_pixels(rv_net *net)
{
    rv_population x = rv_population_find(net, "X");
    for (int64_t i = 0; i < rv_population_size(net, x); i++) {
        double times[N_TIMES];
        times_of((int)i, times);
        ENSURE_OK(net, rv_set_spike_times(net, x, i, times, N_TIMES));
    }
}

static int count_kind(const nir_graph *graph, nir_kind kind)
{
    int n = 0;
    for (int k = 0; k < graph->n_nodes; k++) n += graph->node[k].kind == kind;
    return n;
}

static int count_rule(rv_net *net, const char *rule)
{
    int n = 0;
    for (int id = 1; id <= rv_projection_count(net); id++) n += strcmp(rv_projection_rule(net, (rv_projection){ id }), rule) == 0;
    return n;
}

/* Convolutions are Conv2d in NIR, and convolutions again when they are read. */
static void test_convolutions(void **state)
{
    (void)state;
    static const char *const models[] = { "iaf_psc_delta", "nir_lif", "iaf_psc_delta" };
    for (int k = 0; k < 3; k++) {
        nir_graph graph, read;
        nir_net   n;
        rv_error  error = { 0 };
        bool      feedback = k == 2;
        rv_net   *net = make_vision(models[k], feedback);
        record(net);
        if (nir_from_net(net, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
        assert_int_equal(count_kind(&graph, NIR_CONV2D), feedback ? 0 : 2);
        assert_int_equal(count_kind(&graph, NIR_FLATTEN), feedback ? 0 : 1);
        if (!feedback) assert_int_equal(nir_find(&graph, "E")->input.rank, 3);
        if (nir_write(written, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
        if (nir_read(written, NULL, &read, &error) != RV_OK) fail_msg("%s", error.text);
        if (nir_build(&read, &(rv_net_def){ .threads = 1 }, NULL, &n, &error) != RV_OK) fail_msg("%s", error.text);
        assert_int_equal(count_rule(n.net, "convolution"), feedback ? 0 : 2);
        record(n.net);
        play_pixels(net), play_pixels(n.net);
        ENSURE_OK(net, rv_run(net, 200));
        ENSURE_OK(n.net, rv_run(n.net, 200));
        int64_t spikes = compare_population(net, n.net, "E") + compare_population(net, n.net, "I");
        print_message("%s: %lld spikes\n", models[k], (long long)spikes);
        assert_true(spikes > 100);
        nir_net_free(&n), nir_free(&graph), nir_free(&read), rv_net_free(net);
    }
}

/* Neurons that nothing reaches keep their time; fields as other tools read them. */
static void test_fields(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ 0 });
    rv_population e = reference_population(net, "E", 2, "iaf_psc_delta");
    nir_graph     graph;
    rv_error      error = { 0 };
    reference_set_all(net, e, "E_L", 0.0, "V_m", 0.0, "V_th", 10.0, "V_reset", 0.0, "t_ref", 0.0, "tau_m", 20.0, "C_m", 1.0, NULL);
    if (nir_from_net(net, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    const nir_node *node = nir_find(&graph, "E");
    assert_int_equal(node->kind, NIR_LIF);
    ENSURE_NEAR(nir_number(nir_get(node, "tau"), 0), 0.02, 1e-15, "s");
    ENSURE_NEAR(nir_number(nir_get(node, "r"), 0), 200, 1e-9, "");
    ENSURE_NEAR(nir_number(nir_get(node, "v_threshold"), 0), 10, 1e-14, "mV");
    ENSURE_NEAR(nir_number(nir_get(nir_find(&graph, "input_E.delay"), "delay"), 1), 1e-4, 1e-18, "s");
    ENSURE_NEAR(nir_number(nir_group_get(&graph.metadata, "dt"), 0), 1e-4, 1e-18, "s");
    assert_string_equal(nir_text(nir_group_get(&node->metadata, "discretisation")), "impulse");
    assert_null(nir_group_get(&node->metadata, "V_m"));
    nir_free(&graph), rv_net_free(net);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void refuse(rv_net *net, const char *sentence)
{
    nir_graph graph;
    rv_error  error = { 0 };
    if (nir_from_net(net, NULL, &graph, &error) == RV_OK) fail_msg("accepted; expected: %s", sentence);
    if (strcmp(error.text, sentence) != 0) fail_msg("%s\nexpected: %s", error.text, sentence);
    nir_free(&graph), rv_net_free(net);
}

static rv_net *net_of(const char *model)
{
    rv_net *net = reference_net((rv_net_def){ 0 });
    rv_population e = reference_population(net, "E", 2, model);
    if (strncmp(model, "iaf_psc_", 8) == 0) reference_set(net, e, "t_ref", 0);
    return net;
}

static rv_net *net_with(const char *model, const char *name, double value)
{
    rv_net *net = net_of(model);
    reference_set(net, (rv_population){ 1 }, name, value);
    return net;
}

static void test_refusals(void **state)
{
    (void)state;
    rv_population e = { 1 };
    refuse(net_of("izhikevich"), "population \"E\" (izhikevich) to NIR: NIR has no such neuron; iaf_psc_delta (LIF), iaf_psc_exp (CubaLIF) and nir_lif have a counterpart");
    refuse(net_of("iaf_psc_alpha"), "population \"E\" (iaf_psc_alpha) to NIR: NIR has no alpha-shaped currents; iaf_psc_exp (CubaLIF) comes nearest");
    refuse(net_with("iaf_psc_delta", "t_ref", 2),
           "population \"E\" (iaf_psc_delta) to NIR: NIR's neurons have no refractory period; set t_ref = 0, or have it put into the metadata, which no other tool reads");
    refuse(net_with("iaf_psc_delta", "V_min", -80), "population \"E\" (iaf_psc_delta) to NIR: NIR's neurons have no lower bound V_min; leave it at -inf");
    refuse(net_with("iaf_psc_exp", "tau_syn_in", 5), "population \"E\" (iaf_psc_exp) to NIR: NIR's CubaLIF has one synaptic time constant; make tau_syn_ex and tau_syn_in equal");
    refuse(net_with("iaf_psc_exp", "I_syn_ex", 5), "population \"E\" (iaf_psc_exp) to NIR: NIR holds no state; start with I_syn_ex = 0");
    rv_net *net = net_of("nir_lif");
    reference_set_all(net, e, "tau_syn", 5.0, "tau_mem", 0.0, NULL);
    refuse(net, "population \"E\" (nir_lif) to NIR: NIR has no neuron with a synaptic current and without leak; a long tau_mem comes nearest");
    net = net_of("nir_lif");
    reference_set_all(net, e, "tau_syn", 5.0, "I_e", 1.0, NULL);
    refuse(net, "population \"E\" (nir_lif) to NIR: I_e is the bias of an Affine there, and no projection leads to it; give it one");
    net = net_of("nir_lif");
    ENSURE_OK(net, rv_set(net, e, "tau_syn", rv_list((double[]){ 0, 1 }, 2)));
    refuse(net, "population \"E\" (nir_lif) to NIR: neurons of a node are of one type; those with and without leak, synapse or threshold need populations of their own");
    net = net_of("iaf_psc_delta");
    reference_input(net, e, "poisson", "rate", 10.0, "weight", 1.0, NULL);
    refuse(net, "population \"E\" to NIR: NIR holds no inputs, and this has one of kind poisson; record its spikes, or use a generator, which becomes an Input");
    net = net_of("iaf_psc_delta");
    rv_connect_def def = { .source = rv_all(e), .target = rv_all(e), .rule = "all_to_all", .plasticity = "stdp" };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    refuse(net, "projection \"E\" -> \"E\" to NIR: NIR holds no learning; set its weights and leave the rule out");
    net = net_of("iaf_psc_delta");
    double delays[20 * 20];
    rv_population many = reference_population(net, "M", 20, "spike_generator"), to = reference_population(net, "T", 20, "iaf_psc_delta");
    reference_set(net, to, "t_ref", 0);
    for (int k = 0; k < 400; k++) delays[k] = 0.1 * (1 + k % 17);
    def = (rv_connect_def){ .source = rv_all(many), .target = rv_all(to), .rule = "all_to_all", .delay = rv_list(delays, 400) };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    refuse(net, "projection \"M\" -> \"T\" to NIR: it has more than 16 different delays, and each takes a dense matrix of its own; make them equal, or round them to fewer");
    net = reference_net((rv_net_def){ .timing = RV_EXACT });
    refuse(net, "a network in exact timing to NIR: its tools work in steps; use timing = \"grid\"");
}

/* ---- recordings -------------------------------------------------------------------------------------------------- */

static void test_recording(void **state)
{
    (void)state;
    nir_data data;
    rv_error error = { 0 };
    if (nir_data_read(fixture_or_skip("nir/nirdata_0.nird"), &data, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(data.n_observables, 3);
    const nir_observable *in = nir_data_find(&data, "in", "spikes"), *events = nir_data_find(&data, "lif", "spikes"), *v = nir_data_find(&data, NULL, "v");
    assert_true(in && in->kind == NIR_GRIDDED && in->n_samples == 2 && in->n_steps == 20 && in->n_neurons == 4);
    assert_true(events && events->kind == NIR_EVENTS && events->n_samples == 2 && events->n_events == 10);
    assert_true(v && v->kind == NIR_GRIDDED && v->n_steps == 20);
    double ones = 0;
    for (int64_t k = 0; k < 160; k++) ones += in->values[k];
    assert_true(ones > 0 && ones < 160);
    nir_data_free(&data);
}

/* ---- running a file ---------------------------------------------------------------------------------------------- */

static void write_chain(int64_t n)
{
    nir_graph  g = { 0 };
    nir_node  *node;
    rv_error   error = { 0 };
    hdf5_shape one = nir_vector_shape(1);
    double     values[8];
    assert_int_equal(nir_add(&g, "in", NIR_INPUT, &node, &error), RV_OK);
    assert_int_equal(nir_set(&node->fields, "shape", HDF5_I64, &one, &n, &error), RV_OK);
    assert_int_equal(nir_add(&g, "if", NIR_IF, &node, &error), RV_OK);
    for (int k = 0; k < n; k++) values[k] = 1;
    assert_int_equal(nir_set_vector(&node->fields, "r", values, n, &error), RV_OK);
    for (int k = 0; k < n; k++) values[k] = 0.5;
    assert_int_equal(nir_set_vector(&node->fields, "v_threshold", values, n, &error), RV_OK);
    assert_int_equal(nir_connect(&g, "in", "if", &error), RV_OK);
    if (nir_write(written, NULL, &g, &error) != RV_OK) fail_msg("%s", error.text);
    nir_free(&g);
}

static void write_lines(const char *text)
{
    FILE *file = fopen(input, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void build_chain(nir_net *n)
{
    nir_graph graph;
    rv_error  error = { 0 };
    if (nir_read(written, NULL, &graph, &error) != RV_OK || nir_build(&graph, &(rv_net_def){ .threads = 1 }, NULL, n, &error) != RV_OK) fail_msg("%s", error.text);
    nir_free(&graph);
}

static void expect_spikes(const char *path, int64_t sample, double duration, int64_t spikes, double first_ms)
{
    nir_net  n;
    rv_error error = { 0 };
    double   ms;
    build_chain(&n);
    if (nir_play(&n, path, sample, &ms, &error) != RV_OK) fail_msg("%s", error.text);
    ENSURE_NEAR(ms, duration, 1e-9, "ms");
    rv_population neurons = nir_part_find(&n, "if")->population;
    ENSURE_OK(n.net, rv_record_spikes(n.net, neurons));
    ENSURE_OK(n.net, rv_run(n.net, duration + 1));
    reference_spikes s = reference_spikes_of(n.net, neurons);
    assert_int_equal(s.n, spikes);
    if (spikes) ENSURE_NEAR(s.time_ms[0], first_ms, 1e-9, "ms");
    reference_spikes_free(&s);
    nir_net_free(&n);
}

static void expect_refused(const char *path, int64_t sample, const char *sentence)
{
    nir_net  n;
    rv_error error = { 0 };
    double   ms;
    build_chain(&n);
    if (nir_play(&n, path, sample, &ms, &error) == RV_OK) fail_msg("played; expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("%s\nexpected: ... %s", error.text, sentence);
    nir_net_free(&n);
}

static void write_grid(const char *dataset, double count)
{
    hdf5_file file = { 0 };
    double    x[5 * 4] = { [6] = 1, [9] = count };
    int64_t   n[] = { 5, 2, 2 };
    if (hdf5_create(input, &file) != RV_OK || hdf5_write_array(&file, dataset, HDF5_F64, x, 3, n) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
}

static void test_input(void **state)
{
    (void)state;
    write_chain(4);
    write_lines("step,neuron\n3,1\n5,2\n5,3\n\n# a comment\n9,1\n");
    expect_spikes(input, 0, 0.9, 4, 0.4);
    write_lines("ms,neuron\n1.5,0\n");
    expect_spikes(input, 0, 1.5, 1, 1.6);
    write_lines("3,1,in\n");
    expect_spikes(input, 0, 0.3, 1, 0.4);
    write_grid("/in", 2);
    expect_spikes(input, 0, 0.5, 2, 0.3);
    write_grid("/input", 1);
    expect_spikes(input, 0, 0.5, 2, 0.3);
    expect_refused("/nowhere/x.csv", 0, "cannot read \"/nowhere/x.csv\": No such file or directory");
    write_lines("time_ms,neuron\n1.5,0\n"); /* spikes as io/results.h reads them, of one population */
    expect_spikes(input, 0, 1.5, 1, 1.6);
    write_lines("time_ms,neuron,population\n1.5,0,in\n0.5,9,other\n");
    expect_spikes(input, 0, 1.5, 1, 1.6);
    write_lines("time_ms,neuron\n1.5,4\n"), expect_refused(input, 0, "neuron 4 of Input \"in\", allowed 0 to 3");
    write_lines("time_ms,neuron,population\n1.5,0,x\n1.5,0,y\n"), expect_refused(input, 0, "has no spikes of a population with the name of an Input");
    write_lines("time_ms,neuron\nx,4\n"), expect_refused(input, 0, "line 2: the time is");
    write_lines("3,4\n"), expect_refused(input, 0, "neuron 4 of Input \"in\", allowed 0 to 3");
    write_lines("0,1\n"), expect_refused(input, 0, "line 1: \"0,1\" is not step,neuron with steps from 1");
    write_lines("1,1,out\n"), expect_refused(input, 0, "the graph has no Input out");
    write_grid("/x", 1), expect_refused(input, 0, "has no dataset with the name of an Input");
    write_grid("/in", 0.5), expect_refused(input, 0, "0.5 at step 3, element 1 of Input \"in\": allowed are numbers of spikes, 0 to 1000");
    write_chain(3), write_grid("/in", 1), expect_refused(input, 0, "an array (steps, ...) with 3 elements in a step is needed");
}

static void test_recorded_input(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", fixture_or_skip("nir/nirdata_0.nird"));
    nir_data data;
    rv_error error = { 0 };
    if (nir_data_read(path, &data, &error) != RV_OK) fail_msg("%s", error.text);
    const nir_observable *in = nir_data_find(&data, "in", "spikes");
    int64_t               count = 0, first = -1;
    for (int64_t k = 0; k < 80; k++)
        if (in->values[80 + k] != 0) count++, first = first < 0 ? k / 4 : first;
    double dt = in->dt * 1e3;
    nir_data_free(&data);
    write_chain(4);
    expect_spikes(path, 1, 20 * dt, count, floor((double)first * dt / 0.1 + 1e-9) * 0.1 + 0.2);
    expect_refused(path, 2, "sample 2, allowed 0 to 1");
}

static int run_file(const char *path, int n, const script_argument *arguments)
{
    return command_run_nir(&(command){ 0 }, &(script_options){ .path = path, .arguments = arguments, .n_arguments = n, .quiet = true, .threads = 1 }, false);
}

static void test_command(void **state)
{
    (void)state;
    write_chain(4);
    write_lines("3,1\n");
    assert_int_equal(run_file(written, 1, (script_argument[]){ { "input", input } }), 0);
    assert_int_equal(run_file(written, 3, (script_argument[]){ { "time", "5" }, { "record", "V_m,I_syn" }, { "discretisation", "exponential" } }), 0);
    assert_int_equal(run_file(written, 0, NULL), 1);
    assert_int_equal(run_file(written, 1, (script_argument[]){ { "steps", "5" } }), 2);
    assert_int_equal(run_file(written, 2, (script_argument[]){ { "time", "5" }, { "check", "no" } }), 2);
    assert_int_equal(run_file(written, 2, (script_argument[]){ { "time", "5" }, { "reset", "half" } }), 1);
    assert_int_equal(run_file(input, 0, NULL), 1);
    const char *rockpool = fixture_path("nir_paper/lif_rockpool.nir"); /* an Output of a shape that does not fit */
    if (!rockpool) return;
    assert_int_equal(run_file(rockpool, 1, (script_argument[]){ { "time", "5" } }), 1);
    assert_int_equal(run_file(rockpool, 2, (script_argument[]){ { "time", "5" }, { "check", "off" } }), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_nir_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(written, sizeof written, "%s/a.nir", folder);
    snprintf(input, sizeof input, "%s/input", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(written), unlink(input);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_fields), cmocka_unit_test(test_refusals),       cmocka_unit_test(test_recording),
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_input),          cmocka_unit_test(test_recorded_input), cmocka_unit_test(test_command),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
