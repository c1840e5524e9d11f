/* netx files against what lava-dl's loader and Lava's fixed-point models made of them (netx/, slayer_*, netx_upstream/): format of the
 * weights, u, v and spikes of every layer at every step, bit for bit. Then what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/netx.h"
#include "io/hdf5_file.h"
#include "tests/support/fixture.h"

enum { MOST_LAYERS = 16 };

/* One network and its expected layers; those without neurons do not count. */
typedef struct loaded {
    char         net_path[256], expected_path[256];
    netx         n;
    netx_input   input;
    int          n_layers;
    const netx_layer *layer[MOST_LAYERS];
    rv_probe     u[MOST_LAYERS], v[MOST_LAYERS];
} loaded;

static const char *layer_path(int k, const char *name) { return reference_text("/layer/%d%s%s", k, *name ? "/" : "", name); }

static void open_net(loaded *l, const char *net_path, const char *expected_path, netx_options options, int threads)
{
    rv_error error = { 0 };
    *l = (loaded){ 0 };
    snprintf(l->net_path, sizeof l->net_path, "%s", net_path);
    snprintf(l->expected_path, sizeof l->expected_path, "%s", expected_path);
    if (netx_read(l->net_path, &(rv_net_def){ .threads = threads }, &options, &l->n, &error) != RV_OK) fail_msg("%s", error.text);
    if (netx_input_read(l->expected_path, &l->n, &l->input, &error) != RV_OK) fail_msg("%s", error.text);
    if (netx_play(&l->n, &l->input, &error) != RV_OK) fail_msg("%s", error.text);
    for (int k = 0; k < l->n.n_layers; k++)
        if (l->n.layer[k].neurons.id) l->layer[l->n_layers++] = &l->n.layer[k];
    for (int k = 0; k < l->n_layers; k++) {
        l->u[k] = reference_record(l->n.net, l->layer[k]->neurons, "u", 0);
        l->v[k] = reference_record(l->n.net, l->layer[k]->neurons, "v", 0);
        ENSURE_OK(l->n.net, rv_record_spikes(l->n.net, l->layer[k]->neurons));
    }
}

static void close_net(loaded *l)
{
    netx_input_free(&l->input);
    netx_free(&l->n);
}

static void compare_format(loaded *l, int k)
{
    rv_projection j = l->layer[k]->synapses;
    const char   *kind = j.id ? rv_projection_synapse(l->n.net, j) : "none";
    if (strcmp(kind, "loihi") != 0) return;
    static const char *const params[] = { "weight_exp", "num_weight_bits" };
    for (int i = 0; i < 2; i++) {
        double got;
        ENSURE_OK(l->n.net, rv_synapse_param(l->n.net, j, params[i], &got));
        ENSURE_NEAR_IN(got, fixture_attribute(l->expected_path, layer_path(k, ""), params[i]), 0, "", "%s, layer %d: %s", l->net_path, k, params[i]);
    }
}

static void compare_state(loaded *l, int k, rv_probe probe, const char *variable)
{
    if (!fixture_has_array(l->expected_path, layer_path(k, variable))) return;
    fixture_array  expected = fixture_open_array(l->expected_path, layer_path(k, variable));
    reference_list got = reference_samples(l->n.net, probe);
    int64_t        n = netx_size(l->layer[k]);
    assert_int_equal(got.n, expected.count);
    for (int64_t i = 0; i < got.n; i++)
        ENSURE_NEAR_IN(got.x[i], expected.x[i], 0, "", "%s: %s of layer %d, neuron %d at step %d", l->net_path, variable, k, (int)(i % n), (int)(i / n) + 1);
    reference_list_free(&got);
    fixture_close_array(&expected);
}

/* Large layers come with sums over the neurons at each step. */
static void compare_sums(loaded *l, int k, rv_probe probe, const char *variable)
{
    const char *name = reference_text("%s_sum", variable), *abs_name = reference_text("%s_abs_sum", variable);
    if (!fixture_has_array(l->expected_path, layer_path(k, name))) return;
    fixture_array  sum = fixture_open_array(l->expected_path, layer_path(k, name)), abs_sum = fixture_open_array(l->expected_path, layer_path(k, abs_name));
    reference_list got = reference_samples(l->n.net, probe);
    int64_t        n = netx_size(l->layer[k]);
    for (int64_t t = 0; t < sum.count; t++) {
        double x = 0, magnitude = 0;
        for (int64_t i = 0; i < n; i++) x += got.x[t * n + i], magnitude += fabs(got.x[t * n + i]);
        ENSURE_NEAR_IN(x, sum.x[t], 0, "", "%s: sum of %s of layer %d at step %d", l->net_path, variable, k, (int)t + 1);
        ENSURE_NEAR_IN(magnitude, abs_sum.x[t], 0, "", "%s: sum of |%s| of layer %d at step %d", l->net_path, variable, k, (int)t + 1);
    }
    reference_list_free(&got);
    fixture_close_array(&sum), fixture_close_array(&abs_sum);
}

static int64_t compare_spikes(loaded *l, int k)
{
    fixture_array    expected = fixture_open_array(l->expected_path, layer_path(k, "s"));
    reference_spikes got = reference_spikes_of(l->n.net, l->layer[k]->neurons);
    int64_t          at = 0, n = netx_size(l->layer[k]);
    for (int64_t i = 0; i < expected.count; i++) {
        if (expected.x[i] == 0) continue;
        if (at >= got.n || got.time_ms[at] != (double)(i / n + 1) || got.neuron[at] != i % n)
            fail_msg("%s: no spike of layer %d, neuron %d at step %d", l->net_path, k, (int)(i % n), (int)(i / n) + 1);
        at++;
    }
    assert_int_equal(at, got.n);
    reference_spikes_free(&got);
    fixture_close_array(&expected);
    return at;
}

static void run_net(const char *net_path, const char *expected_path, netx_options options, int threads)
{
    loaded l;
    open_net(&l, net_path, expected_path, options, threads);
    fixture_array first = fixture_open_array(l.expected_path, "/layer/0/s");
    int64_t       steps = first.n[0];
    fixture_close_array(&first);
    ENSURE_OK(l.n.net, rv_run(l.n.net, (double)steps));
    if (threads == 1) print_message("%s:", l.net_path);
    for (int k = 0; k < l.n_layers; k++) {
        compare_format(&l, k);
        compare_state(&l, k, l.u[k], "u");
        compare_state(&l, k, l.v[k], "v");
        compare_sums(&l, k, l.u[k], "u");
        compare_sums(&l, k, l.v[k], "v");
        int64_t spikes = compare_spikes(&l, k);
        if (threads == 1) print_message(" %lld", (long long)spikes);
    }
    if (threads == 1) print_message(" spikes\n");
    close_net(&l);
}

static int64_t option_of(const char *options, const char *name)
{
    const char *at = strstr(options, name);
    return at ? (int64_t)strtol(strchr(at, ':') + 1, NULL, 10) : 0;
}

/* A name without its ending. */
static const char *stem(const char *file) { return reference_text("%.*s", (int)(strlen(file) - strlen(".net")), file); }

static void run_file(const char *folder, const char *file)
{
    char        net_path[256], expected_path[256], options[200];
    const char *found = fixture_path(reference_text("%s/%s", folder, file));
    if (!found) return;
    snprintf(net_path, sizeof net_path, "%s", found);
    snprintf(expected_path, sizeof expected_path, "%s_expected.h5", stem(net_path));
    bool upstream = strcmp(folder, "netx_upstream") == 0;
    snprintf(options, sizeof options, "%s", upstream ? "" : fixture_attribute_text(expected_path, "/", "options"));
    netx_options o = { .reset_interval = option_of(options, "reset_interval"), .reset_offset = option_of(options, "reset_offset") };
    for (int threads = 1; threads <= 2; threads++) run_net(net_path, expected_path, o, threads);
}

static void run_index(const char *index)
{
    fixture_table t = fixture_open_table(fixture_or_skip(index));
    for (int row = 0; row < t.n_rows; row++) run_file("netx", fixture_text(&t, row, "net_file"));
    fixture_close_table(&t);
}

static void test_netx(void **state)
{
    (void)state;
    run_index("netx/netx_index.csv");
}

static void test_trainer(void **state)
{
    (void)state;
    run_index("netx/slayer_index.csv");
}

static void test_published(void **state)
{
    (void)state;
    fixture_or_skip("netx_upstream/tinynet.net");
    run_file("netx_upstream", "tinynet.net");
    run_file("netx_upstream", "oxford.net");
}

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

static char folder[64], small[80], lines[80];

/* A dataset of a small network that differs from the good one; a count of 0 leaves it out, a text stands instead of numbers. */
typedef struct change {
    const char *dataset, *text;
    int         n;
    double      x[40];
} change;

static const change dense[] = {
    { "/layer/0/type", "dense", 0, { 0 } },
    { "/layer/0/shape", NULL, 1, { 2 } },
    { "/layer/0/weight", NULL, 6, { 1, 2, 3, -4, 5, 6 } },
    { "/layer/0/neuron/type", "CUBA", 0, { 0 } },
    { "/layer/0/neuron/iDecay", NULL, 1, { 100 } },
    { "/layer/0/neuron/vDecay", NULL, 1, { 100 } },
    { "/layer/0/neuron/vThMant", NULL, 1, { 100 } },
    { NULL, NULL, 0, { 0 } },
};

static const change shaped[] = { /* an input layer and something behind it */
    { "/layer/0/type", "input", 0, { 0 } },
    { "/layer/0/shape", NULL, 3, { 2, 4, 4 } },
    { "/layer/1/type", "conv", 0, { 0 } },
    { "/layer/1/shape", NULL, 3, { 2, 3, 3 } },
    { "/layer/1/weight", NULL, 8, { 1 } },
    { "/layer/1/neuron/type", "CUBA", 0, { 0 } },
    { "/layer/1/neuron/iDecay", NULL, 1, { 100 } },
    { "/layer/1/neuron/vDecay", NULL, 1, { 100 } },
    { "/layer/1/neuron/vThMant", NULL, 1, { 100 } },
    { NULL, NULL, 0, { 0 } },
};

static void write_one(hdf5_file *file, const change *c)
{
    rv_status status = c->text ? hdf5_write_text(file, c->dataset, c->text) : c->n ? hdf5_write(file, c->dataset, HDF5_F64, c->x, c->n) : RV_OK;
    if (status != RV_OK) fail_msg("%s", file->error.text);
}

static const change *changed(const change *good, const change *changes)
{
    for (; changes->dataset; changes++)
        if (strcmp(changes->dataset, good->dataset) == 0) return changes;
    return good;
}

static bool is_in(const change *list, const char *dataset)
{
    for (; list->dataset; list++)
        if (strcmp(list->dataset, dataset) == 0) return true;
    return false;
}

static void write_net(const change *good, const change *changes)
{
    hdf5_file file = { 0 };
    if (hdf5_create(small, &file) != RV_OK) fail_msg("%s", file.error.text);
    for (const change *c = good; c->dataset; c++) write_one(&file, changed(c, changes));
    for (const change *c = changes; c->dataset; c++)
        if (!is_in(good, c->dataset)) write_one(&file, c);
    if (hdf5_close(&file) != RV_OK) fail_msg("%s", file.error.text);
}

static rv_status read_small(netx *n, netx_options options, rv_error *error)
{
    return netx_read(small, &(rv_net_def){ .threads = 1 }, &options, n, error);
}

static void expect_refusal(const change *good, const change *changes, const char *sentence)
{
    netx     n;
    rv_error error = { 0 };
    write_net(good, changes);
    if (read_small(&n, (netx_options){ 0 }, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
}

#define REFUSED(good, sentence, ...) expect_refusal(good, (const change[]){ __VA_ARGS__, { NULL, NULL, 0, { 0 } } }, sentence)
#define ABSENT(dataset)      { dataset, NULL, 0, { 0 } }
#define TEXT(dataset, word)  { dataset, word, 0, { 0 } }
#define ONE(dataset, number) { dataset, NULL, 1, { number } }

static void test_refused_types(void **state)
{
    (void)state;
    REFUSED(dense, "layer 0: has no dataset type", ABSENT("/layer/0/type"));
    REFUSED(dense, "layer 0 (pool): netx does not load layers of this type: pooling is a conv layer", TEXT("/layer/0/type", "pool"));
    REFUSED(dense, "layer 0 (concat): netx does not load layers of this type", TEXT("/layer/0/type", "concat"));
    REFUSED(dense, "layer 0 (dens): no such type, which netx would skip silently", TEXT("/layer/0/type", "dens"));
    REFUSED(dense, "layer 0 (conv): shape has 1 number, allowed are 3", TEXT("/layer/0/type", "conv"));
    REFUSED(dense, "has 2 layers, but none is called 1", TEXT("/layer/2/type", "dense"));
    REFUSED(shaped, "layer 1 (input): an input layer can only be the first", TEXT("/layer/1/type", "input"));
    REFUSED(shaped, "has no layer with neurons", TEXT("/layer/1/type", "flatten"));
    expect_refusal((const change[]){ ONE("/x", 1), { NULL, NULL, 0, { 0 } } }, (const change[]){ { NULL, NULL, 0, { 0 } } }, "has no group /layer");
}

static void test_refused_neurons(void **state)
{
    (void)state;
    REFUSED(dense, "layer 0 (dense): neurons of type \"SDNN\", allowed are CUBA and LOIHI: sigma-delta neurons do not spike", TEXT("/layer/0/neuron/type", "SDNN"));
    REFUSED(dense, "neurons of type \"RF_PHASE\", allowed are CUBA and LOIHI: resonators are not emulated", TEXT("/layer/0/neuron/type", "RF_PHASE"));
    REFUSED(dense, "layer 0 (dense): has no dataset neuron/iDecay", ABSENT("/layer/0/neuron/iDecay"));
    REFUSED(dense, "layer 0 (dense): neuron/vDecay = 1.5, allowed are whole numbers", ONE("/layer/0/neuron/vDecay", 1.5));
    REFUSED(dense, "layer 0 (dense): population \"layer0\": du = 4999, allowed -1 to 4095", ONE("/layer/0/neuron/iDecay", 5000));
    REFUSED(dense, "messageBits = 33, allowed 0 to 32", ONE("/layer/0/neuron/messageBits", 33));
    REFUSED(dense, "bias has 3 values, allowed are 2", { "/layer/0/bias", NULL, 3, { 1, 2, 3 } });
    REFUSED(shaped, "layer 1 (conv): has no group neuron", ABSENT("/layer/1/neuron/type"), ABSENT("/layer/1/neuron/iDecay"), ABSENT("/layer/1/neuron/vDecay"),
            ABSENT("/layer/1/neuron/vThMant"));
}

static void test_refused_weights(void **state)
{
    (void)state;
    REFUSED(dense, "shape has 2 numbers, allowed are 1 (n) and 3 (C, H, W)", { "/layer/0/shape", NULL, 2, { 1, 2 } });
    REFUSED(dense, "shape has the number 0, allowed 1 to 1e9", ONE("/layer/0/shape", 0));
    REFUSED(dense, "neurons, allowed are 2^31", { "/layer/0/shape", NULL, 3, { 1e6, 1e6, 1e6 } });
    REFUSED(dense, "weight has 6 values, allowed are 4 rows of one value for each input", ONE("/layer/0/shape", 4));
    REFUSED(dense, "weight has a value that is not finite", { "/layer/0/weight", NULL, 2, { 1, NAN } });
    REFUSED(dense, "has no dataset weight", ABSENT("/layer/0/weight"));
    REFUSED(dense, "has complex weights", ABSENT("/layer/0/weight"), { "/layer/0/weight/real", NULL, 2, { 1, 1 } });
    REFUSED(dense, "all 2 weights are 0, which netx cannot load", { "/layer/0/weight", NULL, 2, { 0, 0.5 } });
    REFUSED(dense, "all weights are negative and some below -256, allowed then are -256 to -1", { "/layer/0/weight", NULL, 2, { -300, -5 } });
    REFUSED(dense, "all weights are positive and some above 255, allowed then are 0 to 255", { "/layer/0/weight", NULL, 2, { 300, 5 } });
    REFUSED(dense, "delay has 4 values, allowed are 1, 2 (each output), 3 (each input) and 2 x 3", { "/layer/0/delay", NULL, 4, { 1 } });
    REFUSED(dense, "delay has the value -1, allowed 0 to 62 steps", ONE("/layer/0/delay", -1));
    REFUSED(dense, "weight_rec is 2 x 3, allowed is one row and one column for each neuron", TEXT("/layer/0/type", "dense_rec"), { "/layer/0/weight_rec", NULL, 6, { 1 } });
    REFUSED(dense, "has delays, with which netx loses the exponent of recurrent weights", TEXT("/layer/0/type", "dense_rec"), ONE("/layer/0/delay", 1),
            { "/layer/0/weight_rec", NULL, 4, { 1 } });
    REFUSED(shaped, "layer 1 (dense): follows a layer of 4 x 4 x 2 neurons: a flatten layer is needed between them", TEXT("/layer/1/type", "dense"),
            ONE("/layer/1/shape", 1), { "/layer/1/weight", NULL, 32, { 1 } });
    REFUSED(shaped, "layer 1 (conv): weight has 8 values of rank 1, allowed is (2, 2, kernel height, kernel width)", ABSENT("/x"));
    REFUSED(shaped, "layer 1 (conv): stride = 0, allowed 1 to 1e6", ONE("/layer/1/stride", 0));
    REFUSED(shaped, "layer 1 (conv): groups = 3, allowed are divisors of the 2 channels before and the 2 of the layer", ONE("/layer/1/groups", 3));
    REFUSED(shaped, "layer 1 (conv): has delays, which netx has for dense layers only", ONE("/layer/1/delay", 1));
    REFUSED(shaped, "layer 1 (conv): needs the shape of its input", ONE("/layer/0/shape", 32));
}

/* A file of the fixtures with one number changed. */
static void test_refused_geometry(void **state)
{
    (void)state;
    const char *found = fixture_or_skip("netx/netx_05_conv_flatten_dense.net");
    char        copy[400];
    hdf5_file   file = { 0 };
    netx        n;
    rv_error    error = { 0 };
    snprintf(copy, sizeof copy, "cp %s %s && chmod u+w %s", found, small, small);
    assert_int_equal(system(copy), 0);
    if (hdf5_edit(small, &file) != RV_OK || hdf5_write(&file, "/layer/1/padding", HDF5_I64, (const int64_t[]){ 0, 1 }, 2) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
    assert_int_equal(read_small(&n, (netx_options){ 0 }, &error), RV_WRONG_SHAPE);
    assert_non_null(strstr(error.text, "layer 1 (conv): width = 6 in shape, but 8 before, with this kernel, stride, padding and dilation, give 8"));
}

static void test_refused_options(void **state)
{
    (void)state;
    const struct { netx_options options; const char *sentence; } cases[] = {
        { { .reset_interval = -1 }, "reset_interval = -1 steps, allowed 0 (never) to 1e9" },
        { { .reset_offset = -1 }, "reset_offset = -1 steps, allowed 0 to 9e8" },
        { { .input_message_bits = 33 }, "input_message_bits = 33, allowed 0 to 32" },
    };
    write_net(dense, (const change[]){ { NULL, NULL, 0, { 0 } } });
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        netx     n;
        rv_error error = { 0 };
        assert_int_equal(read_small(&n, cases[k].options, &error), RV_OUT_OF_RANGE);
        assert_string_equal(error.text, cases[k].sentence);
    }
}

/* ---- input as text ---------------------------------------------------------------------------------------------------- */

static void write_lines(const char *text)
{
    FILE *file = fopen(lines, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_input(const netx *n, const char *text, const char *sentence)
{
    netx_input input;
    rv_error   error = { 0 };
    write_lines(text);
    rv_status status = netx_input_read(lines, n, &input, &error);
    if (status == RV_OK || !strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
}

/* The small layer has du = 99: a payload p at step 1 through a weight of 1 gives u = 64 p at step 2. */
static void test_text_input(void **state)
{
    (void)state;
    netx       n;
    netx_input input;
    rv_error   error = { 0 };
    write_net(dense, (const change[]){ { NULL, NULL, 0, { 0 } } });
    if (read_small(&n, (netx_options){ .input_message_bits = 8 }, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(n.n_input, 3);
    expect_input(&n, "0,1,1\n", "line 1: \"0,1,1\" is not step,neuron,payload with steps from 1");
    expect_input(&n, "1,0\n1;0\n", "line 2: \"1;0\" is not step,neuron,payload");
    expect_input(&n, "1,3,1\n", "line 1: neuron 3, allowed 0 to 2");
    expect_input(&n, "1,1,1.5\n", "step 1, neuron 1: a spike that carries 1.5, allowed are whole numbers of 32 bits");
    expect_input(&n, "5,1,2\n5,1,3\n", "neuron 1 gets two numbers at step 5, allowed is one");
    write_lines("step,neuron,payload\n2,1\n1,0,-3\n1,1,0\n");
    if (netx_input_read(lines, &n, &input, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(input.n_events, 2);
    assert_int_equal(input.n_steps, 2);
    assert_int_equal(netx_play(&n, &input, &error), RV_OK);
    rv_probe u = reference_record(n.net, n.layer[0].neurons, "u", 0);
    ENSURE_OK(n.net, rv_run(n.net, 3));
    reference_list got = reference_samples(n.net, u);
    const double   expected[] = { 0, 0, -3 * 64, 12 * 64, -187 + 2 * 64, 749 + 5 * 64 }; /* 192 * 3996 >> 12 = 187, 768 * 3996 >> 12 = 749 */
    for (int k = 0; k < 6; k++) ENSURE_NEAR_IN(got.x[k], expected[k], 0, "", "u of neuron %d at step %d", k % 2, k / 2 + 1);
    reference_list_free(&got);
    netx_input_free(&input);
    netx_free(&n);
}

/* A first layer without synapses takes its input in the very step: du = 99, so u = 64 x, and less by a 4096th of 100 after. */
static void test_direct_input(void **state)
{
    (void)state;
    netx         n;
    netx_input   input;
    rv_error     error = { 0 };
    const change neurons[] = { ABSENT("/layer/1/type"), ABSENT("/layer/1/shape"), ABSENT("/layer/1/weight"), ABSENT("/layer/1/neuron/type"),
                               ABSENT("/layer/1/neuron/iDecay"), ABSENT("/layer/1/neuron/vDecay"), ABSENT("/layer/1/neuron/vThMant"),
                               TEXT("/layer/0/neuron/type", "LOIHI"), ONE("/layer/0/neuron/iDecay", 100), ONE("/layer/0/neuron/vDecay", 0),
                               ONE("/layer/0/neuron/vThMant", 131072), { NULL, NULL, 0, { 0 } } };
    write_net(shaped, neurons);
    if (read_small(&n, (netx_options){ 0 }, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(n.n_input, 32);
    write_lines("1,0,5\n2,0,-7\n4,0,1\n3,31,2\n");
    if (netx_input_read(lines, &n, &input, &error) != RV_OK || netx_play(&n, &input, &error) != RV_OK) fail_msg("%s", error.text);
    rv_probe u = reference_record(n.net, n.layer[0].neurons, "u", 0);
    ENSURE_OK(n.net, rv_run(n.net, 4));
    reference_list got = reference_samples(n.net, u);
    const double   expected[][2] = { { 320, 0 }, { 312 - 448, 0 }, { -132, 128 }, { -128 + 64, 124 } };
    for (int t = 0; t < 4; t++)
        for (int k = 0; k < 2; k++) ENSURE_NEAR_IN(got.x[t * 32 + 31 * k], expected[t][k], 0, "", "u of neuron %d at step %d", 31 * k, t + 1);
    reference_list_free(&got);
    netx_input_free(&input);
    netx_free(&n);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_netx_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(small, sizeof small, "%s/small.net", folder);
    snprintf(lines, sizeof lines, "%s/input.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove(small), remove(lines);
    return remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netx),
        cmocka_unit_test(test_trainer),
        cmocka_unit_test(test_published),
        cmocka_unit_test(test_refused_types),
        cmocka_unit_test(test_refused_neurons),
        cmocka_unit_test(test_refused_weights),
        cmocka_unit_test(test_refused_geometry),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_text_input),
        cmocka_unit_test(test_direct_input),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
