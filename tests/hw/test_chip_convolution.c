/* Convolutions on their way to a chip: quantised they stay convolutions with the integers of their unrolled twin, and the graph that
 * is mapped has the twin's synapses, but for those that weigh nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/graph.h"
#include "hw/quantise.h"
#include "sim/random.h"
#include "tests/support/reference.h"

enum { HEIGHT = 7, WIDTH = 9, CHANNELS = 4, N_WEIGHTS = CHANNELS * 2 * 9 };

/* Two channels of pixels to four; every fifth weight is 0. */
static rv_net *make(bool unrolled, rv_projection *p)
{
    rv_net        *net;
    rv_random      r = random_stream(5, RANDOM_USER, 1, 0);
    rv_convolution g = { .shape = { 2, HEIGHT, WIDTH }, .kernel = { CHANNELS, 2, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 }, .unrolled = unrolled };
    double         weights[N_WEIGHTS], times[20];
    for (int k = 0; k < N_WEIGHTS; k++) weights[k] = k % 5 ? -4 + 12 * random_uniform(&r) : 0;
    assert_int_equal(rv_net_new(&(rv_net_def){ .resolution = 1, .threads = 2 }, &net, NULL), RV_OK);
    rv_population a = rv_population_new(net, "a", 2 * HEIGHT * WIDTH, "spike_generator"), b = rv_population_new(net, "b", CHANNELS * HEIGHT * WIDTH, "iaf_psc_delta");
    for (int64_t i = 0; i < 2 * HEIGHT * WIDTH; i++) {
        for (int k = 0; k < 20; k++) times[k] = 1 + 5 * k + (double)random_below(&r, 5);
        ENSURE_OK(net, rv_set_spike_times(net, a, i, times, 20));
    }
    ENSURE_OK(net, rv_set(net, b, "tau_m", rv_number(20)));
    ENSURE_OK(net, rv_record_spikes(net, b));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "convolution", .convolution = &g,
                                                      .weight = rv_list(weights, N_WEIGHTS), .delay = rv_number(2) }, p));
    return net;
}

typedef struct synapses {
    int64_t n, source[20000], target[20000];
    double  weight[20000], delay[20000];
} synapses;

static synapses *read(rv_net *net, rv_projection p)
{
    synapses *s = calloc(1, sizeof *s);
    ENSURE_OK(net, rv_synapse_count(net, p, &s->n));
    assert_true(s->n > 1000 && s->n <= 20000);
    ENSURE_OK(net, rv_synapses(net, p, s->source, s->target, s->weight, s->delay));
    return s;
}

static int64_t spikes_of(rv_net *net)
{
    ENSURE_OK(net, rv_run(net, 110));
    return rv_spike_count(net, rv_population_find(net, "b"));
}

static void test_quantised(void **state)
{
    (void)state;
    static const char *const chips[] = { "loihi1", "loihi2" };
    for (int c = 0; c < 2; c++) {
        rv_net            *net[2], *integers[2];
        hw_quantise_report report[2];
        synapses          *s[2];
        rv_projection      p;
        for (int k = 0; k < 2; k++) {
            rv_error error = { 0 };
            net[k] = make(k, &p);
            if (hw_quantise(net[k], &(hw_quantise_options){ .chip = chips[c] }, &integers[k], &report[k], &error) != RV_OK) fail_msg("%s", error.text);
            ENSURE_OK(integers[k], rv_record_spikes(integers[k], rv_population_find(integers[k], "b")));
            s[k] = read(integers[k], (rv_projection){ 1 });
        }
        assert_string_equal(rv_projection_rule(integers[0], (rv_projection){ 1 }), "convolution");
        assert_string_equal(rv_projection_rule(integers[1], (rv_projection){ 1 }), "list");
        assert_memory_equal(s[0], s[1], sizeof *s[0]);
        int64_t n = spikes_of(integers[0]);
        assert_true(n > 100);
        assert_int_equal(spikes_of(integers[1]), n);
        for (int k = 0; k < 2; k++) rv_net_free(net[k]), rv_net_free(integers[k]), hw_quantise_report_free(&report[k]), free(s[k]);
    }
}

/* Pruned there is no kernel any more. */
static void test_pruned(void **state)
{
    (void)state;
    rv_projection      p;
    rv_error           error = { 0 };
    hw_quantise_report report;
    rv_net            *net = make(false, &p), *integers;
    if (hw_quantise(net, &(hw_quantise_options){ .chip = "loihi2", .prune = 0.3 }, &integers, &report, &error) != RV_OK) fail_msg("%s", error.text);
    assert_string_equal(rv_projection_rule(integers, (rv_projection){ 1 }), "list");
    hw_quantise_report_free(&report), rv_net_free(integers), rv_net_free(net);
}

static void test_graph(void **state)
{
    (void)state;
    rv_projection p;
    rv_error      error = { 0 };
    rv_net       *net = make(false, &p);
    hw_graph     *graph;
    synapses     *s = read(net, p);
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    int64_t at = 0;
    for (int64_t k = 0; k < s->n; k++) {
        if (s->weight[k] == 0) continue;
        assert_true(at >= graph->row[s->source[k]] && at < graph->row[s->source[k] + 1]);
        assert_int_equal(graph->target[at], 2 * HEIGHT * WIDTH + s->target[k]);
        assert_int_equal(graph->delay[at], 2);
        ENSURE_NEAR(graph->weight[at], s->weight[k], 0.05, "mV");
        at++;
    }
    assert_int_equal(at, graph->n_synapses);
    assert_true(at < s->n);
    free(s);
    hw_graph_free(graph), rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_quantised), cmocka_unit_test(test_pruned), cmocka_unit_test(test_graph) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
