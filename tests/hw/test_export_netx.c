/* Networks written as netx files. Every file of the fixtures is read, written back and read again: synapses, neurons and spikes must be
 * the same. Then networks made here, in arithmetic that the loader chooses anew; then what netx cannot say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/netx_write.h"
#include "sim/random.h"
#include "tests/support/fixture.h"

/* ---- there and back ------------------------------------------------------------------------------------------------ */

static netx open_netx(const char *path, netx_options options)
{
    netx     n;
    rv_error error = { 0 };
    if (netx_read(path, &(rv_net_def){ .threads = 1 }, &options, &n, &error) != RV_OK) fail_msg("%s", error.text);
    return n;
}

static netx_options write_back(const netx *n)
{
    netx_shape   shapes[32];
    netx_options with;
    rv_error     error = { 0 };
    assert_in_range(n->n_layers, 1, 31);
    if (netx_write(reference_file(), n->net, shapes, netx_shapes(n, shapes), &with, &error) != RV_OK) fail_msg("%s", error.text);
    return with;
}

/* The synapses of both, without those of weight 0, which a file may or may not hold. */
static void compare_synapses(const char *what, rv_net *a, rv_net *b, int projection)
{
    rv_net  *net[2] = { a, b };
    int64_t *from[2], *to[2], n[2];
    double  *weight[2], *delay[2];
    for (int k = 0; k < 2; k++) {
        rv_projection p = { projection };
        ENSURE_OK(net[k], rv_synapse_count(net[k], p, &n[k]));
        from[k] = malloc((size_t)n[k] * 8 + 8), to[k] = malloc((size_t)n[k] * 8 + 8), weight[k] = malloc((size_t)n[k] * 8 + 8), delay[k] = malloc((size_t)n[k] * 8 + 8);
        ENSURE_OK(net[k], rv_synapses(net[k], p, from[k], to[k], weight[k], delay[k]));
        int64_t kept = 0;
        for (int64_t i = 0; i < n[k]; i++)
            if (weight[k][i] != 0) from[k][kept] = from[k][i], to[k][kept] = to[k][i], weight[k][kept] = weight[k][i], delay[k][kept++] = delay[k][i];
        n[k] = kept;
    }
    if (n[0] != n[1]) fail_msg("%s, projection %d: %lld synapses were written, %lld read", what, projection, (long long)n[0], (long long)n[1]);
    for (int64_t i = 0; i < n[0]; i++)
        if (from[0][i] != from[1][i] || to[0][i] != to[1][i] || weight[0][i] != weight[1][i] || delay[0][i] != delay[1][i])
            fail_msg("%s, projection %d: synapse %lld -> %lld of %g, %g ms became %lld -> %lld of %g, %g ms", what, projection, (long long)from[0][i], (long long)to[0][i],
                     weight[0][i], delay[0][i], (long long)from[1][i], (long long)to[1][i], weight[1][i], delay[1][i]);
    for (int k = 0; k < 2; k++) free(from[k]), free(to[k]), free(weight[k]), free(delay[k]);
}

static void compare_kinds(rv_net *a, rv_net *b, int projection)
{
    static const char *const params[] = { "weight_exp", "num_weight_bits", "sign_mode", "num_message_bits" };
    rv_projection            p = { projection };
    assert_string_equal(rv_projection_synapse(a, p), rv_projection_synapse(b, p));
    for (int k = 0; k < 4 && strcmp(rv_projection_synapse(a, p), "loihi") == 0; k++) {
        double x, y;
        ENSURE_OK(a, rv_synapse_param(a, p, params[k], &x));
        ENSURE_OK(b, rv_synapse_param(b, p, params[k], &y));
        ENSURE_NEAR_IN(y, x, 0, "", "%s of projection %d", params[k], projection);
    }
}

static void compare_neurons(rv_net *a, rv_net *b, int population)
{
    static const char *const params[] = { "du", "dv", "vth", "bias_mant", "bias_exp", "reset_interval", "reset_offset" };
    rv_population            p = { population };
    int64_t                  n = rv_population_size(a, p);
    assert_int_equal(n, rv_population_size(b, p));
    assert_string_equal(rv_population_model(a, p), rv_population_model(b, p));
    if (strcmp(rv_population_model(a, p), "loihi_lif") != 0) return;
    double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)n * sizeof *y);
    for (int k = 0; k < 7; k++) {
        ENSURE_OK(a, rv_get(a, rv_all(p), params[k], x));
        ENSURE_OK(b, rv_get(b, rv_all(p), params[k], y));
        for (int64_t i = 0; i < n; i++) ENSURE_NEAR_IN(y[i], x[i], 0, "", "%s of neuron %d", params[k], (int)i);
    }
    free(x), free(y);
}

static void compare_nets(const char *what, rv_net *a, rv_net *b)
{
    assert_int_equal(rv_population_count(a), rv_population_count(b));
    assert_int_equal(rv_projection_count(a), rv_projection_count(b));
    for (int k = 1; k <= rv_population_count(a); k++) compare_neurons(a, b, k);
    for (int k = 1; k <= rv_projection_count(a); k++) compare_synapses(what, a, b, k), compare_kinds(a, b, k);
}

/* Runs the file that was written on the input of the fixture, and compares with the spikes that the real loader's network gave. */
static int64_t run_written(const netx *before, netx_options with, const char *expected_path)
{
    rv_error   error = { 0 };
    netx       n = open_netx(reference_file(), with);
    netx_input input;
    int64_t    spikes = 0;
    if (netx_input_read(expected_path, &n, &input, &error) != RV_OK || netx_play(&n, &input, &error) != RV_OK) fail_msg("%s", error.text);
    for (int k = 0; k < n.n_layers; k++)
        if (n.layer[k].neurons.id) ENSURE_OK(n.net, rv_record_spikes(n.net, n.layer[k].neurons));
    fixture_array first = fixture_open_array(expected_path, "/layer/0/s");
    ENSURE_OK(n.net, rv_run(n.net, (double)first.n[0]));
    fixture_close_array(&first);
    assert_int_equal(n.n_layers, before->n_layers);
    for (int k = 0, block = 0; k < n.n_layers; k++) {
        if (!n.layer[k].neurons.id) continue;
        fixture_array    expected = fixture_open_array(expected_path, reference_text("/layer/%d/s", block++));
        reference_spikes got = reference_spikes_of(n.net, n.layer[k].neurons);
        int64_t          at = 0, size = netx_size(&n.layer[k]);
        for (int64_t i = 0; i < expected.count; i++)
            if (expected.x[i] != 0 && (at >= got.n || got.time_ms[at] != (double)(i / size + 1) || got.neuron[at++] != i % size))
                fail_msg("%s, written: no spike of layer %d, neuron %d at step %d", expected_path, k, (int)(i % size), (int)(i / size) + 1);
        assert_int_equal(at, got.n);
        spikes += at;
        reference_spikes_free(&got);
        fixture_close_array(&expected);
    }
    netx_input_free(&input), netx_free(&n);
    return spikes;
}

static int64_t option_of(const char *options, const char *name)
{
    const char *at = strstr(options, name);
    return at ? (int64_t)strtol(strchr(at, ':') + 1, NULL, 10) : 0;
}

static void round_trip(const char *folder, const char *file)
{
    char        net_path[256], expected_path[256], options[200] = "";
    const char *found = fixture_path(reference_text("%s/%s", folder, file));
    if (!found) return;
    snprintf(net_path, sizeof net_path, "%s", found);
    snprintf(expected_path, sizeof expected_path, "%.*s_expected.h5", (int)(strlen(net_path) - 4), net_path);
    if (strcmp(folder, "netx") == 0) snprintf(options, sizeof options, "%s", fixture_attribute_text(expected_path, "/", "options"));
    netx_options o = { .reset_interval = option_of(options, "reset_interval"), .reset_offset = option_of(options, "reset_offset") };
    netx         n = open_netx(net_path, o);
    netx_options with = write_back(&n);
    netx         again = open_netx(reference_file(), with);
    compare_nets(file, n.net, again.net);
    print_message("%s: written, read, equal; %lld spikes\n", file, (long long)run_written(&n, with, expected_path));
    netx_free(&n), netx_free(&again);
}

static void test_files(void **state)
{
    (void)state;
    static const char *const index[] = { "netx/netx_index.csv", "netx/slayer_index.csv" };
    for (int k = 0; k < 2; k++) {
        fixture_table t = fixture_open_table(fixture_or_skip(index[k]));
        for (int row = 0; row < t.n_rows; row++) round_trip("netx", fixture_text(&t, row, "net_file"));
        fixture_close_table(&t);
    }
}

static void test_published_files(void **state)
{
    (void)state;
    fixture_or_skip("netx_upstream/tinynet.net");
    round_trip("netx_upstream", "tinynet.net");
    round_trip("netx_upstream", "oxford.net");
}

/* ---- networks made here ------------------------------------------------------------------------------------------------ */

static rv_random stream;
static int64_t   below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }

enum { STEPS = 100 };

/* Weights that lie apart by 2^-weight_exp: an exponent that loses no bits. */
static void connect(rv_net *net, rv_population a, rv_population b, double low, double high, double longest)
{
    enum { MOST = 20000 };
    static int64_t from[MOST], to[MOST];
    static double  weight[MOST], delay[MOST];
    int64_t        n = 0, n_in = rv_population_size(net, a), n_out = rv_population_size(net, b);
    int            exponent = -(int)below(3);
    for (int64_t j = 0; j < n_in; j++)
        for (int64_t i = 0; i < n_out; i++)
            if (below(3)) from[n] = j, to[n] = i, weight[n] = (low + (double)below((int64_t)(high - low) + 1)) * (1 << -exponent), delay[n++] = 1 + (double)below((int64_t)longest);
    rv_setting settings[] = { { "weight_exp", rv_number(exponent) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "list", .sources = from, .targets = to, .n_list = n, .weight = rv_list(weight, n),
                                                      .delay = rv_list(delay, n), .synapse = "loihi", .settings = settings, .n_settings = 1 }, NULL));
}

static rv_population add_layer(rv_net *net, const char *name, int64_t n)
{
    rv_population p = reference_population(net, name, n, "loihi_lif");
    double        bias[64];
    for (int64_t i = 0; i < n; i++) bias[i] = (double)(4 * (below(40) - 20));
    ENSURE_OK(net, rv_set(net, p, "bias_mant", rv_list(bias, n)));
    reference_set_all(net, p, "bias_exp", 4.0, "du", (double)below(4096) , "dv", (double)below(4097), "vth", 40.0 + (double)below(100), NULL);
    return p;
}

/* Two projections that make one matrix, a layer that hears itself, delays. */
static rv_net *random_chain(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    stream = random_stream(seed, RANDOM_USER, 23, 0);
    rv_population out = add_layer(net, "last", 10 + below(20)), in = reference_population(net, "in", 10 + below(10), "spike_generator"), hidden = add_layer(net, "hidden", 10 + below(30));
    for (int64_t i = 0; i < rv_population_size(net, in); i++) {
        double  times[STEPS];
        int64_t n = 0;
        for (int t = 1; t <= STEPS; t++)
            if (below(4) == 0) times[n++] = t;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, n));
    }
    bool recurrent = seed % 2;
    connect(net, in, hidden, -20, 20, recurrent ? 1 : 60), connect(net, hidden, out, 1, 60, 5);
    if (recurrent) connect(net, hidden, hidden, -10, 3, 1), connect(net, in, hidden, -40, 10, 1);
    return net;
}

static reference_spikes run(rv_net *net, rv_population p)
{
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_run(net, STEPS));
    return reference_spikes_of(net, p);
}

static int64_t compare_chain(rv_net *net, netx *n)
{
    int64_t spikes = 0;
    reference_copy_spikes(net, rv_population_find(net, "in"), n->net, n->input);
    ENSURE_OK(n->net, rv_record_spikes(n->net, n->layer[0].neurons));
    reference_spikes got = run(n->net, n->layer[1].neurons), first = reference_spikes_of(n->net, n->layer[0].neurons);
    reference_spikes expected = reference_spikes_of(net, rv_population_find(net, "last")), hidden = reference_spikes_of(net, rv_population_find(net, "hidden"));
    spikes = first.n + got.n;
    assert_int_equal(first.n, hidden.n);
    assert_int_equal(got.n, expected.n);
    assert_memory_equal(first.neuron, hidden.neuron, (size_t)first.n * sizeof *first.neuron);
    assert_memory_equal(got.neuron, expected.neuron, (size_t)got.n * sizeof *got.neuron);
    assert_memory_equal(first.time_ms, hidden.time_ms, (size_t)first.n * sizeof *first.time_ms);
    assert_memory_equal(got.time_ms, expected.time_ms, (size_t)got.n * sizeof *got.time_ms);
    reference_spikes_free(&got), reference_spikes_free(&first), reference_spikes_free(&expected), reference_spikes_free(&hidden);
    return spikes;
}

static void test_chains(void **state)
{
    (void)state;
    int64_t spikes = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rv_net      *net = random_chain(seed);
        netx_options with;
        rv_error     error = { 0 };
        if (netx_write(reference_file(), net, NULL, 0, &with, &error) != RV_OK) fail_msg("%d: %s", (int)seed, error.text);
        netx n = open_netx(reference_file(), with);
        assert_int_equal(n.n_layers, 2);
        assert_int_equal(n.layer[0].kind, seed % 2 ? NETX_DENSE_REC : NETX_DENSE);
        ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "hidden")));
        ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "in")));
        reference_spikes s = run(net, rv_population_find(net, "last"));
        reference_spikes_free(&s);
        spikes += compare_chain(net, &n);
        netx_free(&n), rv_net_free(net);
    }
    print_message("20 chains, written, read and run: %lld spikes equal\n", (long long)spikes);
    assert_true(spikes > 5000);
}

/* Without shapes a convolution is written as what it does. */
static void test_conv_as_dense(void **state)
{
    (void)state;
    const char  *found = fixture_or_skip("netx/netx_05_conv_flatten_dense.net");
    netx         n = open_netx(found, (netx_options){ 0 });
    netx_options with;
    rv_error     error = { 0 };
    if (netx_write(reference_file(), n.net, NULL, 0, &with, &error) != RV_OK) fail_msg("%s", error.text);
    netx dense = open_netx(reference_file(), with);
    assert_int_equal(dense.layer[0].kind, NETX_DENSE);
    assert_int_equal(dense.n_layers, 2);
    for (int k = 0; k < 2; k++) {
        rv_net       *net = k ? dense.net : n.net;
        rv_population in = k ? dense.input : n.input;
        for (int64_t i = 0; i < n.n_input; i += 3) ENSURE_OK(net, rv_set_spike_times(net, in, i, (const double[]){ 1 + (double)(i % 5), 9 + (double)(i % 7) }, 2));
    }
    reference_spikes a = run(n.net, n.layer[n.n_layers - 1].neurons), b = run(dense.net, dense.layer[1].neurons);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.neuron, b.neuron, (size_t)a.n * sizeof *a.neuron);
    assert_true(a.n > 0);
    reference_spikes_free(&a), reference_spikes_free(&b), netx_free(&n), netx_free(&dense);
}

/* ---- what netx cannot say ------------------------------------------------------------------------------------------------ */

static rv_net *small(void)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population in = reference_population(net, "in", 3, "spike_generator"), a = reference_population(net, "a", 4, "loihi_lif"), b = reference_population(net, "b", 2, "loihi_lif");
    rv_connect_def one = { .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(4), .synapse = "loihi" }, two = one;
    two.source = rv_all(a), two.target = rv_all(b);
    ENSURE_OK(net, rv_connect(net, &one, NULL));
    ENSURE_OK(net, rv_connect(net, &two, NULL));
    return net;
}

static rv_population named(rv_net *net, const char *name) { return rv_population_find(net, name); }

/* Adds synapses of one weight. */
static void add(rv_net *net, const char *source, const char *target, double weight, double weight_exp, double delay, const char *synapse)
{
    rv_setting     exponent[] = { { "weight_exp", rv_number(weight_exp) } };
    rv_connect_def def = { .source = rv_all(named(net, source)), .target = rv_all(named(net, target)), .rule = "all_to_all", .weight = rv_number(weight), .delay = rv_number(delay), .synapse = synapse,
                           .settings = exponent, .n_settings = synapse && weight_exp != 0 };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

static void expect_refused(rv_net *net, const char *sentence)
{
    rv_error error = { 0 };
    if (netx_write(reference_file(), net, NULL, 0, NULL, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    rv_net_free(net);
}

/* The small network after a statement. */
#define REFUSED(sentence, ...)     \
    do {                           \
        rv_net *net = small();     \
        __VA_ARGS__;               \
        expect_refused(net, sentence); \
    } while (0)

static void test_refused_graphs(void **state)
{
    (void)state;
    REFUSED("population \"b\": it hears \"a\" and \"in\", but a netx file is a chain in which a layer hears the one before it: make one population of the two",
            add(net, "in", "b", 2, 0, 1, "loihi"));
    REFUSED("population \"a\": it is heard by \"b\" and \"c\", but a netx file is a chain without branches", reference_population(net, "c", 2, "loihi_lif"), add(net, "a", "c", 2, 0, 1, "loihi"));
    REFUSED("population \"c\": it hears nobody, as does \"in\", but a netx file has one input", reference_population(net, "c", 2, "loihi_lif"));
    REFUSED("some populations form a ring, but a netx file is a chain: only a population may hear itself", reference_population(net, "c", 2, "loihi_lif"),
            reference_population(net, "d", 2, "loihi_lif"), add(net, "c", "d", 2, 0, 1, "loihi"), add(net, "d", "c", 2, 0, 1, "loihi"));
    expect_refused(reference_net((rv_net_def){ .resolution = 1 }), "the network is empty");
    rv_net *net = reference_net((rv_net_def){ .resolution = 1 });
    reference_population(net, "c", 2, "loihi_lif"), reference_population(net, "d", 2, "loihi_lif");
    add(net, "c", "d", 2, 0, 1, "loihi"), add(net, "d", "c", 2, 0, 1, "loihi");
    expect_refused(net, "the populations form a ring, but a netx file is a chain");
    net = reference_net((rv_net_def){ .resolution = 1 });
    reference_population(net, "c", 2, "loihi_lif"), add(net, "c", "c", 2, 0, 1, "loihi");
    expect_refused(net, "population \"c\": it hears itself and nobody else, which netx cannot load: connect a silent spike_generator to it");
}

static void test_refused_neurons(void **state)
{
    (void)state;
    REFUSED("population \"b\": vth is 10 for neuron 0 and 11 for neuron 1, but a netx layer has one for all",
            ENSURE_OK(net, rv_set(net, named(net, "b"), "vth", rv_list((const double[]){ 10, 11 }, 2))));
    REFUSED("population \"a\": neuron 0 begins with u = 0, v = 5, but netx networks begin at 0", reference_set(net, named(net, "a"), "v", 5));
    REFUSED("population \"a\": the bias of neuron 0 is 100, but netx keeps multiples of 64: the nearest is 128", reference_set(net, named(net, "a"), "bias_mant", 100));
    REFUSED("population \"a\": the bias of neuron 0 is 137438953472, but netx keeps up to +-2^30", reference_set_all(net, named(net, "a"), "bias_mant", 8192.0, "bias_exp", 24.0, NULL));
    REFUSED("population \"b\": reset_interval is 0, that of the layer before 8, but netx resets all layers alike", reference_set(net, named(net, "a"), "reset_interval", 8));
    REFUSED("population \"b\": reset_offset is 1, but netx resets each layer one step after that before it: 2", reference_set_all(net, named(net, "a"), "reset_interval", 8.0, "reset_offset", 1.0, NULL),
            reference_set_all(net, named(net, "b"), "reset_interval", 8.0, "reset_offset", 1.0, NULL));
    rv_net *net = reference_net((rv_net_def){ .resolution = 1 });
    reference_population(net, "in", 3, "spike_generator"), reference_population(net, "t", 2, "loihi_ternary"), add(net, "in", "t", 2, 0, 1, "loihi");
    expect_refused(net, "population \"t\": its model is loihi_ternary, but netx layers have the neuron of Loihi 2: the nearest is loihi_lif");
    net = reference_net((rv_net_def){ .resolution = 1 });
    reference_population(net, "x", 2, "iaf_psc_exp");
    expect_refused(net, "population \"x\": its model is iaf_psc_exp, but netx layers have the neuron of Loihi 2: the nearest is loihi_lif; quantise the network first");
    net = reference_net((rv_net_def){ .resolution = 1 });
    reference_set(net, reference_population(net, "x", 2, "loihi_lif"), "bias_mant", 64);
    expect_refused(net, "population \"x\": neuron 0 has a bias and no synapses, but netx leaves biases of input neurons to the user");
    net = small();
    rv_setting amplitude[] = { { "amplitude", rv_number(3) } };
    rv_input   input;
    ENSURE_OK(net, rv_input_new(net, rv_all(named(net, "a")), "dc", amplitude, 1, &input));
    expect_refused(net, "population \"a\" has an input of kind \"dc\", but netx files hold spikes only: give it a population of generators");
}

static void test_refused_synapses(void **state)
{
    (void)state;
    REFUSED("projection \"a\" -> \"b\": its synapses are plain, but netx layers have those of Loihi 2: the nearest are synapse = \"loihi\"", add(net, "a", "b", 2, 0, 1, NULL));
    REFUSED("projection \"a\" -> \"b\": a weight of 3 with weight_exp = -1 adds 1.5, but netx keeps whole numbers: multiply weights, biases and thresholds by 2", add(net, "a", "b", 3, -1, 1, "loihi"));
    REFUSED("population \"b\": a spike adds from 804 to 804 to its input, but netx keeps -256 to 254 of both signs, 0 to 255 or -255 to -1: divide weights, biases and thresholds by 4",
            add(net, "a", "b", 200, 2, 1, "loihi"));
    REFUSED("population \"b\": all its synapses have the weight 0, which netx cannot load: at least one must not be 0", add(net, "a", "b", -4, 0, 1, "loihi"));
    REFUSED("projection \"in\" -> \"a\": neuron 0 reaches neuron 0 with delays of 1 and 5 steps, but netx has one synapse for a pair: give both the same delay", add(net, "in", "a", 2, 0, 5, "loihi"));
    REFUSED("projection \"b\" -> \"c\": a delay of 64 steps, but netx makes all above 63 be 63", reference_population(net, "c", 2, "loihi_lif"), add(net, "b", "c", 2, 0, 64, "loihi"));
    REFUSED("population \"a\": it hears itself, and has delays above 1 step, with which netx loses the exponent of recurrent weights", add(net, "a", "a", 2, 0, 3, "loihi"));
    rv_net    *net = small();
    rv_setting bits[] = { { "num_message_bits", rv_number(8) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(named(net, "in")), .target = rv_all(named(net, "a")), .rule = "all_to_all", .synapse = "loihi", .settings = bits, .n_settings = 1 }, NULL));
    expect_refused(net, "projection \"in\" -> \"a\": num_message_bits is 8, and 0 in another projection from there, but netx has one for a layer");
    net = small();
    rv_error error = { 0 };
    assert_int_equal(netx_write(reference_file(), net, &(netx_shape){ named(net, "a"), { 2, 3, 1 }, false }, 1, NULL, &error), RV_CONFLICT);
    assert_string_equal(error.text, "population \"a\": its shape 2 x 3 x 1 is not that of 4 neurons");
    assert_int_equal(netx_write("/nowhere/x.net", net, NULL, 0, NULL, &error), RV_FILE_ERROR);
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_published_files),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_conv_as_dense),
        cmocka_unit_test(test_refused_graphs),
        cmocka_unit_test(test_refused_neurons),
        cmocka_unit_test(test_refused_synapses),
    };
    return cmocka_run_group_tests(tests, reference_make_file, reference_remove_file);
}
