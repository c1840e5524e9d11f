/* Networks written as netx files. Every file of the fixtures is read, written back and read again: synapses, neurons and spikes must be
 * the same. Then networks made here, in arithmetic that the loader chooses anew; then what netx cannot say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/netx_write.h"
#include "tests/support/fixture.h"

static char written[] = "/tmp/ranvier_netx_XXXXXX";

static int make_file(void **state)
{
    (void)state;
    int descriptor = mkstemp(written);
    return descriptor < 0 ? -1 : close(descriptor);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(written);
}

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
    if (netx_write(written, n->net, shapes, netx_shapes(n, shapes), &with, &error) != RV_OK) fail_msg("%s", error.text);
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
    netx       n = open_netx(written, with);
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
    netx         again = open_netx(written, with);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_published_files),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
