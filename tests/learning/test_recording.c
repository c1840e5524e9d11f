/* What is recorded of synapses: all weights, some, their histogram, a state of the rule; and the numbers of threads, which change
 * no weight. */
#include "tests/support/told.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = MAX_PRE * MAX_POST, BINS = 7 };

static told rewarded(trains *t, rv_timing timing, int threads)
{
    const rv_setting settings[] = { { "Wmax", rv_number(1000) }, { "A_plus", rv_number(2) } };
    *t = random_trains(timing);
    t->threads = threads;
    told n = told_new(t, &(synapse){ "stdp_reward", settings, 2, 50, 2, 1 });
    ENSURE_OK(n.net, rv_reward(n.net, n.projection, 0.05));
    return n;
}

static void test_some_and_histogram(void **state)
{
    (void)state;
    trains            t;
    told              n = rewarded(&t, RV_GRID, 1);
    const int64_t     chosen[] = { 11, 0, 5 };
    rv_synapse_sample some = { .interval_ms = 10, .synapses = chosen, .n_synapses = 3 }, bins = { .variable = "weight", .interval_ms = 10, .low = 40, .high = 60, .bins = BINS },
                      eligibility = { .variable = "c", .interval_ms = 10 };
    rv_probe          all, probe[3];
    rv_probe_info     info;
    double            c[N];
    int64_t           count;
    ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, 10, &all));
    ENSURE_OK(n.net, rv_record_synapses(n.net, n.projection, &some, &probe[0]));
    ENSURE_OK(n.net, rv_record_synapses(n.net, n.projection, &bins, &probe[1]));
    ENSURE_OK(n.net, rv_record_synapses(n.net, n.projection, &eligibility, &probe[2]));
    ENSURE_OK(n.net, rv_run(n.net, TOLD_DURATION));
    reference_list w = reference_samples(n.net, all), part = reference_samples(n.net, probe[0]), counts = reference_samples(n.net, probe[1]), cs = reference_samples(n.net, probe[2]);
    int            rows = TOLD_DURATION / 10;
    assert_int_equal(w.n, rows * N), assert_int_equal(part.n, rows * 3), assert_int_equal(counts.n, rows * BINS), assert_int_equal(cs.n, rows * N);
    for (int r = 0; r < rows; r++) {
        double expected[BINS] = { 0 };
        for (int k = 0; k < 3; k++) ENSURE_NEAR(part.x[3 * r + k], w.x[N * r + chosen[k]], 0, "(weight)");
        for (int k = 0; k < N; k++) expected[(int)fmax(0, fmin(BINS - 1, floor((w.x[N * r + k] - 40) / 20 * BINS)))]++;
        for (int b = 0; b < BINS; b++) ENSURE_NEAR(counts.x[BINS * r + b], expected[b], 0, "synapses");
    }
    ENSURE_OK(n.net, rv_get_learning(n.net, n.projection, "c", c, &count));
    assert_int_equal(count, N);
    for (int k = 0; k < N; k++) ENSURE_NEAR(cs.x[N * (rows - 1) + k], c[k], 0, "1");
    ENSURE_OK(n.net, rv_probe_describe(n.net, probe[1], &info));
    assert_int_equal(info.kind, RV_PROBE_HISTOGRAM);
    assert_true(info.low == 40 && info.high == 60 && info.n_columns == BINS);
    reference_list_free(&w), reference_list_free(&part), reference_list_free(&counts), reference_list_free(&cs);
    rv_net_free(n.net);
    free_trains(&t);
}

static void test_refused(void **state)
{
    (void)state;
    trains                  t;
    told                    n = rewarded(&t, RV_GRID, 1);
    rv_probe                probe;
    const int64_t           beyond[] = { N };
    const rv_synapse_sample wrong[] = {
        { .interval_ms = 1, .synapses = beyond, .n_synapses = 1 }, { .interval_ms = 1, .variable = "x" },           { .interval_ms = 1, .bins = 3, .low = 2, .high = 2 },
        { .interval_ms = 1, .bins = -1 },                          { .interval_ms = 0.07 },                        { .interval_ms = 1, .bins = 2, .low = NAN, .high = 1 },
    };
    for (int k = 0; k < (int)(sizeof wrong / sizeof *wrong); k++) {
        assert_int_not_equal(rv_record_synapses(n.net, n.projection, &wrong[k], &probe), RV_OK);
        print_message("%s\n", rv_net_error(n.net)->text);
    }
    rv_net_free(n.net);
    free_trains(&t);
}

/* A recurrent network that learns: the same weights, bit for bit, for every number of threads. */
static double *weights_of_network(const char *rule, rv_timing timing, int threads, int64_t *n)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1, .timing = timing, .threads = threads, .seed = 3 });
    rv_population neurons = reference_population(net, "neurons", 400, "iaf_psc_delta");
    rv_setting    rate[] = { { "rate", rv_number(12000) }, { "weight", rv_number(0.2) } };
    rv_projection projection;
    rv_connect_def def = { .source = rv_all(neurons), .target = rv_all(neurons), .rule = "fixed_indegree", .degree = 40, .weight = rv_uniform(0.1, 0.3), .delay = rv_uniform(1, 4), .plasticity = rule };
    reference_set_all(net, neurons, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 20.0, "tau_m", 20.0, NULL);
    ENSURE_OK(net, rv_input_new(net, rv_all(neurons), "poisson", rate, 2, NULL));
    ENSURE_OK(net, rv_connect(net, &def, &projection));
    if (strcmp(rule, "stdp_reward") == 0) ENSURE_OK(net, rv_reward_from(net, projection, neurons, 1.5));
    ENSURE_OK(net, rv_run(net, 150));
    ENSURE_OK(net, rv_synapse_count(net, projection, n));
    double *w = malloc((size_t)*n * sizeof *w);
    ENSURE_OK(net, rv_synapses(net, projection, NULL, NULL, w, NULL));
    rv_net_free(net);
    return w;
}

static void test_threads(void **state)
{
    (void)state;
    static const char *const rules[] = { "stdp", "stdp_pl", "stdp_triplet", "stdp_inhibitory", "stdp_reward", "tsodyks" };
    for (int k = 0; k < 12; k++) {
        int64_t   n, m;
        rv_timing timing = k % 2 ? RV_EXACT : RV_GRID;
        double   *one = weights_of_network(rules[k / 2], timing, 1, &n);
        for (int threads = 2; threads <= 5; threads += 3) {
            double *more = weights_of_network(rules[k / 2], timing, threads, &m);
            assert_int_equal(n, m);
            assert_memory_equal(one, more, (size_t)n * sizeof *one);
            free(more);
        }
        free(one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_some_and_histogram), cmocka_unit_test(test_refused), cmocka_unit_test(test_threads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
