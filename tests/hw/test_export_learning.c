/* Networks that learn on the chip, in Ranvier's mapping file: read back they give the same spikes and learn the same weights; what stands
 * in the file are the registers that the sheets of the learning engine name. Other files refuse them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_verify.h"
#include "hw/mapping_file.h"
#include "hw/netx_write.h"
#include "hw/export_header.h"
#include "sim/random.h"
#include "tests/support/fixture.h"

enum { STEPS = 300 };

static rv_random stream;

static int64_t below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }

/* ---- networks ------------------------------------------------------------------------------------------------------ */

static rv_population add_input(rv_net *net, const char *name, int64_t n)
{
    rv_population in = reference_population(net, name, n, "spike_generator");
    for (int64_t i = 0; i < n; i++) {
        double  times[STEPS];
        int64_t m = 0;
        for (int step = 1; step <= STEPS; step++)
            if (random_uniform(&stream) < 0.12) times[m++] = step;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, m));
    }
    return in;
}

static void learn(rv_net *net, rv_population a, rv_population b, const char *rule, const rv_setting *settings, int n, double low, double high)
{
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = below(2) ? "all_to_all" : "pairwise_bernoulli", .p = rv_number(0.6), .weight = rv_uniform(low, high),
                                                      .delay = rv_uniform(1, 4), .synapse = "loihi", .plasticity = rule, .settings = settings, .n_settings = n }, NULL));
}

/* Rules of every name, two projections of one rule, and one that does not learn. */
static rv_net *random_net(uint64_t seed)
{
    stream = random_stream(seed, RANDOM_USER, 31, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed, .threads = 1 + seed % 2 });
    rv_population in = add_input(net, "in", 8 + below(20)), a = reference_population(net, "a", 3 + below(20), "loihi_lif"), b = reference_population(net, "b", 3 + below(10), "loihi_lif");
    reference_set_all(net, a, "du", 900.0, "dv", 300.0, "vth", 700.0, NULL), reference_set_all(net, b, "du", 1500.0, "dv", 200.0, "vth", 500.0, NULL);
    double           epoch = 1 + (double)below(6);
    const rv_setting any[] = { { "dw", rv_text("2^-3*x1*y0 - 2^-3*(y1 + 2)*x0 + 2^-2*u1*sgn(t - 4)*x2*x0") }, { "dt", rv_text("2^-2*x1*y0 - u1*2^-4*t") }, { "t_epoch", rv_number(epoch) },
                               { "x1_impulse", rv_number(12.3) }, { "x1_tau", rv_number(7) }, { "x2_impulse", rv_number(5) }, { "y1_impulse", rv_number(16) }, { "y1_tau", rv_number(11) } };
    const rv_setting pairs[] = { { "t_epoch", rv_number(epoch) }, { "learning_rate", rv_number(0.25) }, { "A_minus", rv_number(-1) }, { "weight_exp", rv_number(1) } };
    const rv_setting reward[] = { { "tag_decay", rv_number(0.25) }, { "sign_mode", rv_number(1) } };
    learn(net, in, a, "loihi_rule", any, 8, 0, 200);
    learn(net, in, b, "loihi_rule", any, 8, -100, 120);
    learn(net, a, b, "stdp_loihi", pairs, 4, 10, 90);
    learn(net, b, a, "rstdp_loihi", reward, 2, 0, 60);
    learn(net, a, a, NULL, NULL, 0, -40, 30);
    return net;
}

/* ---- there and back ------------------------------------------------------------------------------------------------- */

static void write_file(rv_net *net, const char *chip_name)
{
    hw_chip   chip;
    hw_graph *graph = NULL;
    hw_map   *map = NULL;
    rv_error  error = { 0 };
    assert_int_equal(hw_chip_find(chip_name, &chip, &error), RV_OK);
    chip.entry[HW_NEURONS].value = 12, chip.entry[HW_SYNAPSE_FORMATS].value = chip.entry[HW_TRACE_PROFILES].value = INFINITY;
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK || hw_mapping_write(reference_file(), net, map, &error) != RV_OK)
        fail_msg("%s", error.text);
    hw_map_free(map), hw_graph_free(graph);
}

static void run(rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++) ENSURE_OK(net, rv_record_spikes(net, (rv_population){ id }));
    ENSURE_OK(net, rv_run(net, STEPS));
}

static double *weights_of(rv_net *net, int id, int64_t *n)
{
    ENSURE_OK(net, rv_synapse_count(net, (rv_projection){ id }, n));
    double *w = malloc(((size_t)*n + 1) * sizeof *w);
    ENSURE_OK(net, rv_synapses(net, (rv_projection){ id }, NULL, NULL, w, NULL));
    return w;
}

/* @return how many weights are not what they were */
static int64_t compare_weights(rv_net *a, rv_net *b, rv_net *before)
{
    int64_t changed = 0;
    for (int id = 1; id <= rv_projection_count(a); id++) {
        int64_t n, m, l;
        double *x = weights_of(a, id, &n), *y = weights_of(b, id, &m), *z = weights_of(before, id, &l);
        assert_int_equal(n, m);
        for (int64_t k = 0; k < n; k++) {
            ENSURE_NEAR_IN(y[k], x[k], 0, "", "weight %d of projection %d", (int)k, id);
            changed += x[k] != z[k];
        }
        free(x), free(y), free(z);
    }
    return changed;
}

static int64_t compare_spikes(rv_net *a, rv_net *b)
{
    int64_t all = 0;
    for (int id = 1; id <= rv_population_count(a); id++) {
        reference_spikes x = reference_spikes_of(a, (rv_population){ id }), y = reference_spikes_of(b, (rv_population){ id });
        assert_int_equal(x.n, y.n);
        assert_memory_equal(x.time_ms, y.time_ms, (size_t)x.n * sizeof *x.time_ms);
        assert_memory_equal(x.neuron, y.neuron, (size_t)x.n * sizeof *x.neuron);
        if (id > 1) all += x.n;
        reference_spikes_free(&x), reference_spikes_free(&y);
    }
    return all;
}

static void test_there_and_back(void **state)
{
    (void)state;
    int64_t spikes = 0, changed = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        rv_net    *net = random_net(seed), *before = random_net(seed);
        hw_mapping m;
        rv_error   error = { 0 };
        write_file(net, seed % 2 ? "loihi1" : "loihi2");
        if (hw_mapping_read(reference_file(), &m, &error) != RV_OK) fail_msg("%s", error.text);
        for (int f = 0; f < m.graph->n_formats; f++) assert_true(!m.graph->format[f].learning || m.graph->format[f].weight_bits == 8);
        run(net), run(m.net);
        spikes += compare_spikes(net, m.net), changed += compare_weights(net, m.net, before);
        hw_mapping_free(&m), rv_net_free(net), rv_net_free(before);
    }
    print_message("20 networks: equal, %lld spikes, %lld weights learnt\n", (long long)spikes, (long long)changed);
    assert_true(spikes > 5000 && changed > 2000);
}

/* A network that has learnt is written with the weights of now, and proved on random input. */
static void test_after_learning(void **state)
{
    (void)state;
    stream = random_stream(9, RANDOM_USER, 32, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 5 });
    rv_population in = add_input(net, "in", 30), a = reference_population(net, "a", 10, "loihi_lif");
    rv_error      error = { 0 };
    char          note[VERIFY_NOTE];
    reference_set_all(net, a, "du", 900.0, "dv", 300.0, "vth", 700.0, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(20), .synapse = "loihi", .plasticity = "stdp_loihi",
                                                      .settings = &(rv_setting){ "learning_rate", rv_number(0.25) }, .n_settings = 1 }, NULL));
    run(net);
    write_file(net, "loihi2");
    if (hw_export_verify("ranvier", reference_file(), net, &(hw_verify_options){ .steps = 200 }, note, &error) != RV_OK) fail_msg("%s", error.text);
    print_message("%s\n", note);
    assert_non_null(strstr(note, "and the same weights learnt, on random input"));
    /* a file that says another weight is found out */
    ENSURE_OK(net, rv_set_weights(net, (rv_projection){ 1 }, rv_number(21)));
    assert_int_equal(hw_export_verify("ranvier", reference_file(), net, NULL, note, &error), RV_CONFLICT);
    rv_net_free(net);
}

/* ---- the registers --------------------------------------------------------------------------------------------------- */

static void expect_rows(const char *dataset, const double *expected, int n, int columns)
{
    fixture_array a = fixture_open_array(reference_file(), dataset);
    assert_int_equal(a.count, n * columns);
    for (int k = 0; k < n * columns; k++) ENSURE_NEAR_IN(a.x[k], expected[k], 0, "", "%s, row %d, column %d", dataset, k / columns, k % columns);
    fixture_close_array(&a);
}

/* dw = 2^-2 x1 y0 - 3 2^-1 y1 (w + 5) x0,  dt = u3 sgn(t - 4): 7 bits of a trace, 9 of w, 1 of x0 and 4 of the mantissa are 20 of the
 * accumulator's 15 at most. */
static void test_registers(void **state)
{
    (void)state;
    rv_net           *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population     a = reference_population(net, "a", 2, "loihi_lif");
    const rv_setting settings[] = { { "dw", rv_text("2^-2*x1*y0 - 3*2^-1*y1*(w + 5)*x0") }, { "dt", rv_text("u3*sgn(t - 4)") }, { "t_epoch", rv_number(4) }, { "x1_impulse", rv_number(16) },
                                    { "x1_tau", rv_number(10) }, { "y1_impulse", rv_number(8.5) }, { "y1_tau", rv_number(20) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(8), .synapse = "loihi", .plasticity = "loihi_rule",
                                                      .settings = settings, .n_settings = 7 }, NULL));
    write_file(net, "loihi2");
    assert_string_equal(fixture_attribute_text(reference_file(), "/rules/0", "name"), "loihi_rule");
    assert_string_equal(fixture_attribute_text(reference_file(), "/rules/0", "dw"), "2^-2*x1*y0 - 3*2^-1*y1*(w + 5)*x0");
    ENSURE_NEAR(fixture_attribute(reference_file(), "/rules/0", "t_epoch"), 4, 0, "steps");
    ENSURE_NEAR(fixture_attribute(reference_file(), "/formats/0", "rule"), 0, 0, "");
    const double products[] = { 0, 1, 0, 1, -2, 0, 0, /**/ 0, 0, 0, -3, -1, 5, 1, /**/ 1, 2, 3, 1, 0, 0, 3 };
    const double factors[] = { 2, 0, 0, /**/ 4, 0, 0, 7, 5, 0, /**/ 8, -4, 1 };
    const double traces[] = { 16, 10, 0, 0, 8.5, 20, 0, 0, 0, 0 };
    expect_rows("/rules/0/products", products, 3, 7);
    expect_rows("/rules/0/factors", factors, 4, 3);
    expect_rows("/rules/0/traces", traces, 5, 2);
    rv_net_free(net);
}

/* ---- refusals -------------------------------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    (void)state;
    rv_net  *net = random_net(3);
    rv_error error = { 0 };
    assert_int_equal(netx_write("build_learning_test.net", net, NULL, 0, NULL, &error), RV_CONFLICT);
    assert_string_equal(error.text, "projection \"in\" -> \"a\": netx files hold no learning rule (loihi_rule); quantise with the option freeze, or connect it without plasticity, with the weights learnt");
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_after_learning), cmocka_unit_test(test_registers), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, reference_make_file, reference_remove_file);
}
