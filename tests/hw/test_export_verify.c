/* Proving exports: each format is written, read back and run on random input; a file of a network that differs in one synapse is found
 * out; headers that are damaged are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/export_header.h"
#include "hw/export_verify.h"
#include "hw/mapping_file.h"
#include "hw/netx_write.h"
#include "hw/sanafe.h"
#include "hw/tennlab.h"
#include "tests/support/reference.h"

/* ---- networks ---------------------------------------------------------------------------------------------------- */

enum { N_IN = 12, N_A = 20, N_B = 15 };

/* A chain of layers, with neurons that SANA-FE computes exactly. @param change added to one weight */
static void connect(rv_net *net, rv_population a, rv_population b, const char *synapse, double change)
{
    static int64_t from[400], to[400];
    static double  weight[400];
    int64_t        n = 0, n_in = rv_population_size(net, a), n_out = rv_population_size(net, b);
    for (int64_t j = 0; j < n_in; j++)
        for (int64_t i = 0; i < n_out; i++)
            if ((7 * j + 5 * i) % 3) from[n] = j, to[n] = i, weight[n++] = (double)((13 * j + 17 * i) % 60 - 18);
    weight[0] += change;
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "list", .sources = from, .targets = to, .n_list = n, .weight = rv_list(weight, n), .delay = rv_number(1),
                                                      .synapse = synapse }, NULL));
}

static rv_net *chain(double change)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population in = reference_population(net, "in", N_IN, "spike_generator"), a = reference_population(net, "a", N_A, "loihi_lif"), b = reference_population(net, "b", N_B, "loihi_lif");
    reference_set_all(net, a, "du", 4095.0, "dv", 200.0, "vth", 60.0, "bias_mant", 3.0, "bias_exp", 6.0, NULL);
    reference_set_all(net, b, "du", 4095.0, "dv", 400.0, "vth", 50.0, NULL);
    connect(net, in, a, "loihi", change), connect(net, a, b, "loihi", 0);
    return net;
}

static rv_net *risp(double change)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", N_A, "risp"), in = reference_population(net, "in", N_IN, "spike_generator"), b = reference_population(net, "b", N_B, "risp");
    reference_set_all(net, a, "threshold", 60.0, "min_potential", -50.0, NULL), reference_set_all(net, b, "threshold", 150.0, "min_potential", -50.0, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = (rv_slice){ a, 0, N_IN, 1 }, .rule = "one_to_one", .weight = rv_number(25) }, NULL));
    connect(net, a, b, NULL, change), connect(net, b, a, NULL, 0);
    return net;
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

static void write_file(const char *format, rv_net *net, netx_options *with)
{
    hw_chip     chip;
    hw_graph   *graph;
    hw_map     *map;
    tennlab_net t;
    sanafe_net  s;
    rv_error    error = { 0 };
    rv_status   status;
    if (strcmp(format, "tennlab") == 0) {
        if ((status = tennlab_from_net(net, &t, &error)) == RV_OK) status = tennlab_write(&t, reference_file(), &error), tennlab_free(&t);
        if (status != RV_OK) fail_msg("%s", error.text);
        return;
    }
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    if (strcmp(format, "netx") == 0) status = netx_write(reference_file(), net, NULL, 0, with, &error);
    else if (strcmp(format, "ranvier") == 0) status = hw_mapping_write(reference_file(), net, map, &error);
    else if (strcmp(format, "header") == 0) status = hw_header_write(reference_file(), net, map, &error);
    else if ((status = sanafe_from_net(net, map, 10, &s, &error)) == RV_OK) status = sanafe_write(&s, reference_file(), &error), sanafe_free(&s);
    if (status != RV_OK) fail_msg("%s: %s", format, error.text);
    hw_map_free(map), hw_graph_free(graph);
}

static void test_formats(void **state)
{
    (void)state;
    static const char *const formats[] = { "netx", "ranvier", "header", "sanafe", "tennlab" };
    for (int k = 0; k < 5; k++) {
        bool              is_risp = strcmp(formats[k], "tennlab") == 0;
        rv_net           *net = is_risp ? risp(0) : chain(0), *other = is_risp ? risp(40) : chain(40);
        hw_verify_options o = { .seed = 3, .steps = 120, .rate = 0.3 };
        char              note[VERIFY_NOTE] = "";
        rv_error          error = { 0 };
        write_file(formats[k], net, &o.netx);
        if (hw_export_verify(formats[k], reference_file(), net, &o, note, &error) != RV_OK) fail_msg("%s: %s", formats[k], error.text);
        assert_non_null(strstr(note, "was read back and run for 120 steps: the same "));
        assert_non_null(strstr(note, " spikes, on random input"));
        print_message("%s: %s\n", formats[k], strrchr(note, ':') + 2);
        assert_true(atoi(strstr(note, "the same ") + 9) > 600);
        assert_int_equal(rv_time(net), 0);
        write_file(formats[k], other, &o.netx);
        assert_int_equal(hw_export_verify(formats[k], reference_file(), net, &o, NULL, &error), RV_CONFLICT);
        assert_non_null(strstr(error.text, "read back and run, gives other spikes: spike "));
        rv_net_free(net), rv_net_free(other);
    }
}

/* ---- convolutions --------------------------------------------------------------------------------------------------- */

enum { IN_C = 2, IN_H = 6, IN_W = 5, OUT_C = 3, OUT_H = 4, OUT_W = 3, KERNEL = 3, STRIDE = 1 };

/* Channels, height, width, as NIR numbers neurons; all kernels are different. */
static rv_net *convolution(bool channels_first)
{
    static int64_t from[4000], to[4000];
    static double  weight[4000];
    int64_t        n = 0;
    rv_net        *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population  in = reference_population(net, "in", IN_C * IN_H * IN_W, "spike_generator"), a = reference_population(net, "a", OUT_C * OUT_H * OUT_W, "loihi_lif"), b = reference_population(net, "b", 4, "loihi_lif");
    for (int o = 0; o < OUT_C; o++)
        for (int y = 0; y < OUT_H; y++)
            for (int x = 0; x < OUT_W; x++)
                for (int i = 0; i < IN_C; i++)
                    for (int ky = 0; ky < KERNEL; ky++)
                        for (int kx = 0; kx < KERNEL; kx++, n++) {
                            from[n] = channels_first ? (i * IN_H + y + ky) * IN_W + x + kx : ((x + kx) * IN_H + y + ky) * IN_C + i;
                            to[n] = channels_first ? (o * OUT_H + y) * OUT_W + x : (x * OUT_H + y) * OUT_C + o;
                            weight[n] = (double)((o * 31 + i * 17 + ky * 7 + kx * 3) % 41 - 16) * 4;
                        }
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "list", .sources = from, .targets = to, .n_list = n, .weight = rv_list(weight, n), .delay = rv_number(1),
                                                      .synapse = "loihi" }, NULL));
    connect(net, a, b, "loihi", 0);
    reference_set_all(net, a, "du", 4095.0, "dv", 300.0, "vth", 80.0, NULL), reference_set_all(net, b, "du", 3000.0, "dv", 400.0, "vth", 50.0, NULL);
    double bias[OUT_C * OUT_H * OUT_W];
    for (int k = 0; k < OUT_C * OUT_H * OUT_W; k++) bias[k] = 10 * (channels_first ? k / (OUT_H * OUT_W) : k % OUT_C);
    ENSURE_OK(net, rv_set(net, a, "bias_mant", rv_list(bias, OUT_C * OUT_H * OUT_W)));
    reference_set(net, a, "bias_exp", 6);
    return net;
}

static void test_convolution(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        rv_net           *net = convolution(k == 0);
        const netx_shape  shapes[] = { { { 1 }, { IN_W, IN_H, IN_C }, k == 0 }, { { 2 }, { OUT_W, OUT_H, OUT_C }, k == 0 } };
        netx_options      with;
        netx              n;
        rv_error          error = { 0 };
        char              note[VERIFY_NOTE];
        if (netx_write(reference_file(), net, shapes, 2, &with, &error) != RV_OK || netx_read(reference_file(), &(rv_net_def){ 0 }, &with, &n, &error) != RV_OK) fail_msg("%s", error.text);
        static const int kinds[] = { NETX_INPUT, NETX_CONV, NETX_FLATTEN, NETX_DENSE };
        assert_int_equal(n.n_layers, 4);
        for (int i = 0; i < 4; i++) assert_int_equal(n.layer[i].kind, kinds[i]);
        netx_free(&n);
        hw_verify_options o = { .netx = with, .shapes = shapes, .n_shapes = 2, .rate = 0.2 };
        if (hw_export_verify("netx", reference_file(), net, &o, note, &error) != RV_OK) fail_msg("%s", error.text);
        print_message("%s\n", strstr(note, "the same"));
        if (k == 0) o.n_shapes = 0, assert_int_equal(hw_export_verify("netx", reference_file(), net, &o, note, &error), RV_CONFLICT); /* numbered otherwise */
        rv_net_free(net);
    }
}

/* What mapping files play by themselves, too. */
static void test_options(void **state)
{
    (void)state;
    rv_net  *net = chain(0);
    rv_error error = { 0 };
    write_file("ranvier", net, NULL);
    assert_int_equal(hw_export_verify("ranvier", reference_file(), net, NULL, NULL, &error), RV_OK);
    assert_int_equal(hw_export_verify("ranvierr", reference_file(), net, NULL, NULL, &error), RV_UNKNOWN_NAME);
    assert_string_equal(error.text, "no format \"ranvierr\"; did you mean \"ranvier\"?");
    assert_int_equal(hw_export_verify("ranvier", reference_file(), net, &(hw_verify_options){ .rate = 2 }, NULL, &error), RV_OUT_OF_RANGE);
    assert_int_equal(hw_export_verify("ranvier", "/nowhere/x.h5", net, NULL, NULL, &error), RV_FILE_ERROR);
    rv_net_free(net);
}

/* ---- damaged headers ---------------------------------------------------------------------------------------------- */

static char *read_all(size_t *length)
{
    FILE *f = fopen(reference_file(), "rb");
    fseek(f, 0, SEEK_END), *length = (size_t)ftell(f), rewind(f);
    char *text = malloc(*length + 1);
    *length = fread(text, 1, *length, f), text[*length] = '\0';
    fclose(f);
    return text;
}

static void write_text(const char *text, size_t length)
{
    FILE *f = fopen(reference_file(), "wb");
    fwrite(text, 1, length, f);
    fclose(f);
}

/* A part of the text is replaced by another as long. */
static void expect_refused(const char *text, size_t length, const char *from, const char *to, const char *sentence)
{
    char    *copy = strdup(text), *at = strstr(copy, from);
    rv_net  *net;
    rv_error error = { 0 };
    assert_non_null(at);
    memcpy(at, to, strlen(to));
    write_text(copy, length);
    if (hw_header_read(reference_file(), &(rv_net_def){ 0 }, &net, &error) != RV_FILE_ERROR || !strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    assert_null(net);
    free(copy);
}

static void test_damaged_headers(void **state)
{
    (void)state;
    size_t  length;
    rv_net *net = chain(0), *read;
    write_file("header", net, NULL);
    char *text = read_all(&length);
    expect_refused(text, length, "static const network_population ", "extern const network_populatio  ", "has no network_populations: it is not a header that Ranvier wrote");
    expect_refused(text, length, "\"a\", 12", "\"a\", 13", "population \"a\" does not begin where the one before it ends");
    expect_refused(text, length, "core0_weight[", "core0_wieght[", "there is no array core0_weight");
    expect_refused(text, length, "core0_du[] = { /* decays of u, in 4096ths */\n    4095,", "core0_du[] = { /* decays of u, in 4096ths */\n    x095,", "a whole number is needed, not \"x095");
    expect_refused(text, length, "core0_neuron[] = { /* their numbers in the network */\n    12", "core0_neuron[] = { /* their numbers in the network */\n    13", "is not one, or is on two cores");
    expect_refused(text, length, "core0_delay[] = { /* delays in steps, 1: the next step */\n    1", "core0_delay[] = { /* delays in steps, 1: the next step */\n    0", "has a neuron, a delay or a sum that there is not");
    for (size_t n = 0; n < length; n += 97) { /* cut anywhere, it is refused or whole, and nothing breaks */
        rv_error error = { 0 };
        write_text(text, n);
        rv_status status = hw_header_read(reference_file(), &(rv_net_def){ 0 }, &read, &error);
        assert_true(status == RV_OK || error.text[0]);
        rv_net_free(read);
    }
    free(text), rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_formats), cmocka_unit_test(test_convolution), cmocka_unit_test(test_options), cmocka_unit_test(test_damaged_headers) };
    return cmocka_run_group_tests(tests, reference_make_file, reference_remove_file);
}
