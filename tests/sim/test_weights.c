/* Weights read, set and recorded: setting them makes the network that had them from the beginning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/ranvier.h"

enum { N = 60 };

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

/* Driven neurons, all to all: the order of rv_synapses() is that of a list, source by source. */
static rv_net *new_net(rv_timing timing, const char *model, rv_value weight, const char *plasticity, rv_projection *projection)
{
    rv_net          *net;
    const rv_setting settings[] = { { "Wmax", rv_number(60) } };
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 3, .timing = timing, .threads = 2 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "n", N, model);
    accept(net, rv_set(net, p, "I_e", rv_uniform(370, 450)));
    accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "all_to_all", .weight = weight, .delay = rv_number(1.5),
                                                   .plasticity = plasticity, .settings = settings, .n_settings = plasticity ? 1 : 0 }, projection));
    accept(net, rv_record_spikes(net, p));
    return net;
}

/* Weights of both signs, exact in float32. */
static double *mixed_weights(void)
{
    double *w = malloc(N * N * sizeof *w);
    for (int k = 0; k < N * N; k++) w[k] = (k * 37 % 101 - 50) * 0.25;
    return w;
}

static void expect_same(rv_net *a, rv_net *b)
{
    rv_population p = { 1 };
    int64_t       n = rv_spike_count(a, p);
    double       *ta = malloc((size_t)(n + 1) * sizeof *ta), *tb = malloc((size_t)(n + 1) * sizeof *tb);
    assert_true(n > 100);
    assert_int_equal(rv_spike_count(b, p), n);
    accept(a, rv_spike_read(a, p, 0, n, ta, NULL)), accept(b, rv_spike_read(b, p, 0, n, tb, NULL));
    assert_memory_equal(ta, tb, (size_t)n * sizeof *ta);
    free(ta), free(tb);
}

static void set_is_as_if_given(void **state)
{
    (void)state;
    static const char *const models[] = { "iaf_psc_exp", "iaf_psc_delta", "iaf_psc_alpha" };
    double                  *w = mixed_weights(), *read = malloc(N * N * sizeof *read);
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (int m = 0; m < 3; m++) {
            rv_projection j;
            rv_net       *given = new_net((rv_timing)timing, models[m], rv_list(w, N * N), NULL, &j);
            rv_net       *set = new_net((rv_timing)timing, models[m], rv_number(1), NULL, &j); /* constant, of one sign */
            accept(set, rv_set_weights(set, j, rv_list(w, N * N)));
            accept(set, rv_synapses(set, j, NULL, NULL, read, NULL));
            assert_memory_equal(read, w, N * N * sizeof *w);
            accept(given, rv_run(given, 150)), accept(set, rv_run(set, 150));
            expect_same(given, set);
            rv_net_free(given), rv_net_free(set);
        }
    free(w), free(read);
}

static void synapses_are_in_their_order(void **state)
{
    (void)state;
    rv_projection j;
    rv_net       *net = new_net(RV_GRID, "iaf_psc_exp", rv_uniform(1, 2), NULL, &j);
    int64_t       n, sources[N * N], targets[N * N];
    double        weights[N * N], delays[N * N];
    accept(net, rv_synapse_count(net, j, &n));
    assert_int_equal(n, N * N);
    accept(net, rv_synapses(net, j, sources, targets, weights, delays));
    for (int k = 0; k < N * N; k++) {
        assert_int_equal(sources[k], k / N), assert_int_equal(targets[k], k % N);
        assert_true(weights[k] >= 1 && weights[k] <= 2 && fabs(delays[k] - 1.5) < 1e-12);
    }
    rv_net_free(net);
}

static void refuse(rv_net *net, rv_status status, const char *sentence)
{
    if (status == RV_OK || !strstr(rv_net_error(net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(net)->text);
}

static void bad_weights_are_refused(void **state)
{
    (void)state;
    rv_projection j;
    rv_net       *net = new_net(RV_GRID, "iaf_psc_exp", rv_number(30), "stdp", &j);
    const double  five[5] = { 1, 2, 3, 4, 5 };
    refuse(net, rv_set_weights(net, j, rv_number(61)), "weight = 61, allowed 0 to 60");
    refuse(net, rv_set_weights(net, j, rv_number(NAN)), "weight = nan");
    refuse(net, rv_set_weights(net, j, rv_list(five, 5)), "a list of 5 values for 3600 synapses");
    refuse(net, rv_set_weights(net, j, (rv_value){ .kind = RV_DISTANCE_LINEAR, .a = 1 }), "functions of distance");
    refuse(net, rv_set_weights(net, (rv_projection){ 7 }, rv_number(1)), "not a projection");
    rv_net_free(net);
}

/* A recorded sample is what rv_synapses() reads at that time, and reading does not change what is learnt. */
static void recorded_weights_are_those_read(void **state)
{
    (void)state;
    rv_projection j;
    rv_probe      probe;
    rv_net       *recorded = new_net(RV_GRID, "iaf_psc_exp", rv_number(30), "stdp", &j), *read = new_net(RV_GRID, "iaf_psc_exp", rv_number(30), "stdp", &j),
           *left_alone = new_net(RV_GRID, "iaf_psc_exp", rv_number(30), "stdp", &j);
    static double sample[N * N], now[N * N];
    double        time;
    accept(recorded, rv_record_weights(recorded, j, 50, &probe));
    accept(recorded, rv_run(recorded, 200));
    accept(left_alone, rv_run(left_alone, 200));
    for (int k = 0; k < 4; k++) {
        accept(read, rv_run(read, 50));
        accept(read, rv_synapses(read, j, NULL, NULL, now, NULL));
        accept(recorded, rv_probe_read(recorded, probe, k, 1, &time, sample));
        assert_true(fabs(time - 50 * (k + 1)) < 1e-9);
        assert_memory_equal(sample, now, sizeof now);
    }
    assert_true(now[1] != 30); /* something was learnt */
    accept(left_alone, rv_synapses(left_alone, j, NULL, NULL, sample, NULL));
    assert_memory_equal(sample, now, sizeof now);
    rv_net_free(recorded), rv_net_free(read), rv_net_free(left_alone);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(set_is_as_if_given), cmocka_unit_test(synapses_are_in_their_order),
                                        cmocka_unit_test(bad_weights_are_refused), cmocka_unit_test(recorded_weights_are_those_read) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
