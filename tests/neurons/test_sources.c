/* Spikes from outside with a rate that changes, and more or less regular ones, against theory: counts, CVs, stationarity from the start,
 * the time rescaling theorem; what is refused. Means must lie within four standard errors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/reference.h"

enum { N = 500, SEED = 20002 };

/* Parrots hand on what the input brings. */
static rv_net *parrots(rv_timing timing, int threads, rv_population *p)
{
    rv_net *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing, .threads = threads });
    *p = reference_population(net, "parrots", N, "parrot_neuron");
    ENSURE_OK(net, rv_record_spikes(net, *p));
    return net;
}

static double count_between(const reference_spikes *s, double from, double to)
{
    double n = 0;
    for (int64_t k = 0; k < s->n; k++) n += s->time_ms[k] > from && s->time_ms[k] <= to;
    return n;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double distance_from_exponential(double *x, int n)
{
    double worst = 0;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (int k = 0; k < n; k++) worst = fmax(worst, fmax((k + 1.0) / n + expm1(-x[k]), -expm1(-x[k]) - (double)k / n));
    return worst * sqrt(n);
}

/* ---- a rate that changes -------------------------------------------------------------------------------------------- */

static const double rate_times[] = { 50, 200, 400, 450 }, rate_values[] = { 30, 0, 400, 12 }; /* ms, Hz */

static double expected_until(double t)
{
    double sum = 0;
    for (int k = 0; k < 4; k++) sum += rate_values[k] / 1000 * fmax(0, fmin(t, k < 3 ? rate_times[k + 1] : INFINITY) - rate_times[k]);
    return sum;
}

static rv_input add_inhomogeneous(rv_net *net, rv_population p)
{
    const rv_setting settings[] = { { "rate_times", rv_list(rate_times, 4) }, { "rate_values", rv_list(rate_values, 4) } };
    rv_input         input;
    ENSURE_OK(net, rv_input_new(net, rv_all(p), "inhomogeneous_poisson", settings, 2, &input));
    return input;
}

static void test_inhomogeneous(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        rv_population p;
        rv_net       *net = parrots(exact ? RV_EXACT : RV_GRID, 1, &p);
        add_inhomogeneous(net, p);
        ENSURE_OK(net, rv_run(net, 1000));
        reference_spikes got = reference_spikes_of(net, p);
        const double     ends[] = { 0, 50, 200, 400, 450, 1000 };
        for (int k = 0; k < 5; k++) {
            double expected = N * (expected_until(ends[k + 1]) - expected_until(ends[k]));
            ENSURE_NEAR_IN(count_between(&got, ends[k], ends[k + 1]), expected, 4 * sqrt(expected), "spikes", "from %g to %g ms", ends[k], ends[k + 1]);
        }
        /* the trains one behind the other are one Poisson train in rescaled time */
        double *rescaled = malloc((size_t)got.n * sizeof *rescaled), before = 0;
        int     n = 0;
        for (int64_t i = 0; i < N; i++)
            for (int64_t k = 0; k < got.n; k++) {
                if (got.neuron[k] != i) continue;
                double now = (double)i * expected_until(1000) + expected_until(got.time_ms[k] - (exact ? 0 : 0.05));
                rescaled[n++] = now - before, before = now;
            }
        double distance = distance_from_exponential(rescaled, n);
        print_message("%s: %d spikes, distance from the exponential distribution %.2f (2 is rare)\n", exact ? "exact" : "grid", n, distance);
        ENSURE_NEAR(distance, 0, 2, "1");
        free(rescaled);
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

/* The rates change while it runs. */
static void test_new_rates(void **state)
{
    (void)state;
    rv_population p;
    rv_net       *net = parrots(RV_GRID, 1, &p);
    rv_input      input = add_inhomogeneous(net, p);
    const double  others[] = { 0, 0, 0, 100 };
    ENSURE_OK(net, rv_run(net, 300));
    ENSURE_OK(net, rv_input_set(net, input, "rate_values", rv_list(others, 4)));
    ENSURE_OK(net, rv_run(net, 400));
    reference_spikes got = reference_spikes_of(net, p);
    ENSURE_NEAR(count_between(&got, 300, 450), 0, 0, "spikes");
    ENSURE_NEAR(count_between(&got, 450, 700), N * 25.0, 4 * sqrt(N * 25.0), "spikes");
    reference_spikes_free(&got);
    rv_net_free(net);
}

/* ---- renewal processes ----------------------------------------------------------------------------------------------- */

static void check_renewal(rv_timing timing, double rate, double shape, double dead)
{
    enum { BIN = 5 /* ms */ };
    rv_population p;
    rv_net       *net = parrots(timing, 1, &p);
    double        mean = 1000 / rate, cv = (1 - dead / mean) / sqrt(shape), last[N] = { 0 }, before[N] = { 0 }, sum = 0, squares = 0, serial = 0, shortest = INFINITY;
    int           n = 0, pairs = 0;
    reference_input(net, p, "renewal", "rate", rate, "shape", shape, "dead_time", dead, "start", 20.0, NULL);
    ENSURE_OK(net, rv_run(net, 4020));
    reference_spikes got = reference_spikes_of(net, p);
    for (int64_t k = 0; k < got.n; k++) {
        int64_t i = got.neuron[k];
        double  interval = got.time_ms[k] - last[i];
        if (last[i] > 0) {
            sum += interval, squares += (interval - mean) * (interval - mean), n++, shortest = fmin(shortest, interval);
            if (before[i] > 0) serial += (interval - mean) * (before[i] - mean), pairs++;
            before[i] = interval;
        }
        last[i] = got.time_ms[k];
    }
    double got_cv = sqrt(squares / n) / (sum / n), variance = cv * cv * mean * mean;
    print_message("%g Hz, shape %g, dead time %g ms, %s: CV %.4f (%.4f), rate %.3f Hz\n", rate, shape, dead, timing == RV_GRID ? "grid" : "exact", got_cv, cv,
                  (double)got.n / N / 4);
    /* long intervals are cut off at the end: 1 % of them */
    ENSURE_NEAR(got_cv, cv, 0.02 * cv + 4 * cv / sqrt(n), "1");
    ENSURE_NEAR(serial / pairs / variance, 0, 4 / sqrt(pairs), "1");
    assert_true(shortest > dead - (timing == RV_GRID ? 0.11 : 1e-9));
    ENSURE_NEAR(count_between(&got, 0, 20), 0, 0, "spikes");
    for (int k = 0; k < 6; k++) /* stationary from the start: one bin is like the other */
        ENSURE_NEAR_IN(count_between(&got, 20 + k * BIN, 20 + (k + 1) * BIN), N * BIN / mean, 4 * sqrt(N * BIN / mean), "spikes", "bin %d", k);
    ENSURE_NEAR((double)got.n, N * 4000 / mean, 4 * sqrt(N * 4000 / mean) * fmax(1, cv), "spikes");
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_renewal(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        check_renewal(timing, 40, 4, 0);
        check_renewal(timing, 80, 0.5, 0);
        check_renewal(timing, 50, 2, 6);
        check_renewal(timing, 25, 1, 0); /* Poisson */
    }
}

/* ---- determinism and what is refused ---------------------------------------------------------------------------------- */

static void test_threads(void **state)
{
    (void)state;
    reference_spikes got[2];
    for (int k = 0; k < 2; k++) {
        rv_population p;
        rv_net       *net = parrots(RV_GRID, 1 + 2 * k, &p);
        add_inhomogeneous(net, p);
        reference_input(net, p, "renewal", "rate", 30.0, "shape", 3.0, NULL);
        ENSURE_OK(net, rv_run(net, 500));
        got[k] = reference_spikes_of(net, p);
        rv_net_free(net);
    }
    assert_int_equal(got[0].n, got[1].n);
    for (int64_t k = 0; k < got[0].n; k++) assert_true(got[0].neuron[k] == got[1].neuron[k] && got[0].time_ms[k] == got[1].time_ms[k]);
    reference_spikes_free(&got[0]), reference_spikes_free(&got[1]);
}

static void test_sentences(void **state)
{
    (void)state;
    rv_population    p;
    rv_net          *net = parrots(RV_GRID, 1, &p);
    const double     down[] = { 20, 10 };
    const rv_setting unequal[] = { { "rate_times", rv_list(rate_times, 4) }, { "rate_values", rv_list(rate_values, 3) } },
                     backwards[] = { { "rate_times", rv_list(down, 2) }, { "rate_values", rv_list(rate_values, 2) } },
                     dead[] = { { "rate", rv_number(100) }, { "dead_time", rv_number(10) } };
    assert_int_equal(rv_input_new(net, rv_all(p), "inhomogeneous_poisson", unequal, 2, NULL), RV_WRONG_SHAPE);
    assert_non_null(strstr(rv_net_error(net)->text, "4 times and 3 rates"));
    assert_int_equal(rv_input_new(net, rv_all(p), "inhomogeneous_poisson", backwards, 2, NULL), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "rate_times[1] = 10 ms after 20 ms"));
    assert_int_equal(rv_input_new(net, rv_all(p), "renewal", dead, 2, NULL), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "dead_time = 10 ms, allowed is less than 1000 / rate, 10 ms"));
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_inhomogeneous), cmocka_unit_test(test_new_rates), cmocka_unit_test(test_renewal),
                                        cmocka_unit_test(test_threads), cmocka_unit_test(test_sentences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
