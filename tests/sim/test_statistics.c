/* Spike statistics against closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/statistics.h"
#include "tests/support/pairs.h"

/* Prints what was expected, what came, and the unit. */
static void near(const char *what, double got, double expected, double tolerance, const char *unit)
{
    if (fabs(got - expected) <= tolerance || (isnan(got) && isnan(expected))) return;
    fail_msg("%s: expected %.12g, got %.12g %s (tolerance %g)", what, expected, got, unit, tolerance);
}

/* A uniform random number in (0, 1] (Lehmer's generator with Park & Miller's constants). */
static double uniform(uint64_t *state)
{
    *state = *state * 48271 % 2147483647;
    return (double)*state / 2147483647;
}

typedef struct spikes {
    double  times[200000];
    int64_t neurons[200000], n;
} spikes;

static spikes list;

static void add(double t, int64_t neuron) { list.times[list.n] = t, list.neurons[list.n++] = neuron; }

static rv_trains trains_of(int64_t n_neurons, double from, double to)
{
    rv_trains trains;
    assert_int_equal(rv_trains_new(list.times, list.neurons, list.n, n_neurons, from, to, &trains), RV_OK);
    list.n = 0;
    return trains;
}

static void windows_and_order(void **state)
{
    (void)state;
    for (int k = 1; k <= 10; k++) add(k, k % 3);
    rv_trains trains = trains_of(3, 2, 8); /* (2, 8]: 3 .. 8 */
    double    rates[3], isi[6];
    assert_int_equal(trains.begin[3], 6);
    near("first of neuron 0", trains.times_ms[0], 3, 0, "ms");
    near("last of neuron 2", trains.times_ms[5], 8, 0, "ms");
    near("rate", rv_mean_rate(&trains), 6 / 3.0 / 6e-3, 1e-9, "Hz");
    rv_rates(&trains, rates);
    for (int i = 0; i < 3; i++) near("rate of a neuron", rates[i], 2 / 6e-3, 1e-9, "Hz");
    assert_int_equal(rv_isi(&trains, isi), 3);
    for (int i = 0; i < 3; i++) near("interval", isi[i], 3, 1e-12, "ms");
    rv_trains_free(&trains);

    const double  times[] = { 2, 1 };
    const int64_t neurons[] = { 0, 0 }, outside[] = { 0, 3 };
    assert_int_equal(rv_trains_new(times, neurons, 2, 1, 0, 9, &trains), RV_OUT_OF_RANGE);
    assert_int_equal(rv_trains_new(times, outside, 2, 3, 0, 9, &trains), RV_OUT_OF_RANGE);
    assert_int_equal(rv_trains_new(NULL, NULL, 0, 0, 0, 0, &trains), RV_OK);
    near("rate of nothing", rv_mean_rate(&trains), 0, 0, "Hz");
    rv_trains_free(&trains);
}

/* Intervals a, b, a, b, ...: mean (a + b)/2, standard deviation |a - b|/2. */
static void cv_of_alternating_intervals(void **state)
{
    (void)state;
    double times[101] = { 0 }, cv, a = 3, b = 11;
    for (int k = 1; k <= 100; k++) times[k] = times[k - 1] + (k % 2 ? a : b);
    assert_int_equal(rv_isi_cv(times, 101, &cv), RV_OK);
    near("CV", cv, (b - a) / (a + b), 1e-12, "");
    for (int k = 1; k <= 100; k++) times[k] = 7.5 * k;
    rv_isi_cv(times, 101, &cv);
    near("CV of a clock", cv, 0, 1e-12, "");
    rv_isi_cv(times, 2, &cv);
    near("CV of two spikes", cv, NAN, 0, "");
    times[50] = 0;
    assert_int_equal(rv_isi_cv(times, 101, &cv), RV_OUT_OF_RANGE);
}

/* Gamma trains of order k have a CV of 1/sqrt(k) and, in long windows, a Fano factor of 1/k. */
static void gamma_trains(void **state)
{
    (void)state;
    for (int order = 1; order <= 4; order *= 4) {
        uint64_t seed = 12345;
        double   t = 0;
        for (int k = 0; k < 100000; k++) {
            for (int i = 0; i < order; i++) t -= 10.0 / order * log(uniform(&seed));
            add(t, 0);
        }
        rv_trains trains = trains_of(1, 0, t);
        near("CV", rv_mean_isi_cv(&trains), 1 / sqrt(order), 0.01, "");
        near("Fano factor", rv_fano_factor(&trains, 1000), 1.0 / order, 0.1, "");
        near("rate", rv_mean_rate(&trains), 100, 1.5, "Hz");
        rv_trains_free(&trains);
    }
}

/* Counts 2, 0, 2, 0, ... in n windows: mean 1, unbiased variance n/(n - 1). */
static void fano_of_alternating_counts(void **state)
{
    (void)state;
    int n = 40;
    for (int k = 0; k < n; k += 2) add(k * 10 + 2, 0), add(k * 10 + 10, 0); /* the second on the window's edge */
    rv_trains trains = trains_of(2, 0, n * 10);
    near("Fano factor", rv_fano_factor(&trains, 10), n / (n - 1.0), 1e-12, "");
    near("one window", rv_fano_factor(&trains, n * 10), NAN, 0, "");
    rv_trains_free(&trains);
    for (int k = 1; k <= 3000; k++) add(0.1 * k, 0); /* a clock of one spike per 0.1 ms on the grid's floating point */
    trains = trains_of(1, 0, 300);
    near("Fano factor of a clock", rv_fano_factor(&trains, 0.3), 0, 1e-12, "");
    rv_trains_free(&trains);
}

/* Neurons 0 and 1 spike together, 2 when they do not: correlations 1, -1, -1; chi^2 = (1/9)/1. */
static void correlation_and_synchrony(void **state)
{
    (void)state;
    for (int k = 0; k < 1000; k++) {
        if (k % 2) add(k + 0.5, 0), add(k + 0.5, 1);
        else add(k + 0.5, 2);
    }
    rv_trains trains = trains_of(3, 0, 1000);
    near("mean correlation", rv_mean_correlation(&trains, 1), -1.0 / 3, 1e-9, "");
    near("chi", rv_synchrony(&trains, 1), 1.0 / 3, 1e-9, "");
    near("chi when every bin has a spike", rv_synchrony(&trains, 1000), NAN, 0, "");
    rv_trains_free(&trains);
    for (int k = 1; k < 100; k += 2)
        for (int i = 0; i < 16; i++) add(k, i);
    trains = trains_of(64, 0, 100); /* 16 of 64 together, the rest silent: chi = sqrt(16/64) */
    near("chi", rv_synchrony(&trains, 1), 0.5, 1e-9, "");
    near("mean correlation", rv_mean_correlation(&trains, 1), 1, 1e-9, ""); /* the silent have none */
    rv_trains_free(&trains);
}

/* The number found in one walk along the trains is that of the formula for pairs. Neuron 3 is silent and neuron 7 spikes
 * once in every bin: neither has a correlation. The last bin is cut off by the window. */
static void mean_correlation_is_over_all_pairs(void **state)
{
    (void)state;
    enum { N = 30 };
    uint64_t seed = 4;
    for (int k = 0; k < 3001; k++)
        for (int i = 0; i < N; i++) {
            double p = k > 1000 && k % 100 < 20 ? 0.15 : 0.01; /* together in bursts */
            if (i == 7 ? k % 2 : i != 3 && uniform(&seed) < p) add(k, i);
        }
    rv_trains trains = trains_of(N, 0, 3001);
    double    pairs = mean_over_pairs(&trains, 2);
    assert_true(pairs > 0.05);
    near("mean correlation", rv_mean_correlation(&trains, 2), pairs, 1e-12, "");
    near("one bin", rv_mean_correlation(&trains, 3001), NAN, 0, "");
    rv_trains_free(&trains);
    for (int k = 0; k < 50; k++) add(k + 1, 0);
    trains = trains_of(2, 0, 100);
    near("one neuron is no pair", rv_mean_correlation(&trains, 1), NAN, 0, "");
    rv_trains_free(&trains);
}

static void independent_neurons(void **state)
{
    (void)state;
    enum { N = 100 };
    uint64_t seed = 99;
    for (int k = 1; k <= 20000; k++)
        for (int i = 0; i < N; i++)
            if (uniform(&seed) < 0.05) add(k, i);
    rv_trains trains = trains_of(N, 0, 20000);
    near("chi", rv_synchrony(&trains, 1), 1 / sqrt(N), 0.003, "");
    near("mean correlation", rv_mean_correlation(&trains, 1), 0, 3 * sqrt(2.0 / 20000) / N, "");
    rv_trains_free(&trains);
}

static void nothing_recorded(void **state)
{
    (void)state;
    rv_trains trains = trains_of(10, 0, 1000);
    near("rate", rv_mean_rate(&trains), 0, 0, "Hz");
    near("CV", rv_mean_isi_cv(&trains), NAN, 0, "");
    near("Fano factor", rv_fano_factor(&trains, 100), NAN, 0, "");
    near("mean correlation", rv_mean_correlation(&trains, 1), NAN, 0, "");
    near("chi", rv_synchrony(&trains, 1), NAN, 0, "");
    rv_trains_free(&trains);
}

static void hash_depends_on_everything(void **state)
{
    (void)state;
    double   times[] = { 1, 2, 3 }, later[] = { 1, 2, nextafter(3, 4) };
    int64_t  neurons[] = { 0, 1, 0 }, others[] = { 0, 1, 1 }, swapped[] = { 1, 0, 0 };
    uint64_t hash = rv_spike_hash("E", times, neurons, 3);
    assert_true(hash == rv_spike_hash("E", times, neurons, 3));
    assert_true(hash != rv_spike_hash("I", times, neurons, 3));
    assert_true(hash != rv_spike_hash("E", later, neurons, 3));
    assert_true(hash != rv_spike_hash("E", times, others, 3));
    assert_true(hash != rv_spike_hash("E", times, swapped, 3));
    assert_true(hash != rv_spike_hash("E", times, neurons, 2));
    assert_true(rv_spike_hash("E", NULL, NULL, 0) != rv_spike_hash("I", NULL, NULL, 0));
}

static void lists(void **state)
{
    (void)state;
    const double x[] = { 1, 2, 3, 4 };
    near("mean", rv_mean(x, 4), 2.5, 1e-15, "");
    near("standard deviation", rv_sd(x, 4), sqrt(5.0 / 3), 1e-15, "");
    near("mean of nothing", rv_mean(x, 0), NAN, 0, "");
    near("standard deviation of one", rv_sd(x, 1), NAN, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_and_order),
        cmocka_unit_test(cv_of_alternating_intervals),
        cmocka_unit_test(gamma_trains),
        cmocka_unit_test(fano_of_alternating_counts),
        cmocka_unit_test(correlation_and_synchrony),
        cmocka_unit_test(mean_correlation_is_over_all_pairs),
        cmocka_unit_test(independent_neurons),
        cmocka_unit_test(nothing_recorded),
        cmocka_unit_test(hash_depends_on_everything),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
