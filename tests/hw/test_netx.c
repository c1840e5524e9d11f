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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_netx),
        cmocka_unit_test(test_trainer),
        cmocka_unit_test(test_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
