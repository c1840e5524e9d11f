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

/* Generators emit by themselves. */
static rv_net *generators(const char *model, rv_timing timing, int threads, rv_population *p)
{
    rv_net *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing, .threads = threads });
    *p = reference_population(net, "generators", N, model);
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

static void check_renewal(rv_timing timing, double rate, double shape, double dead, bool generator)
{
    enum { BIN = 5 /* ms */ };
    rv_population p;
    rv_net       *net = generator ? generators("gamma_generator", timing, 1, &p) : parrots(timing, 1, &p);
    double        mean = 1000 / rate, cv = (1 - dead / mean) / sqrt(shape), last[N] = { 0 }, before[N] = { 0 }, sum = 0, squares = 0, serial = 0, shortest = INFINITY;
    int           n = 0, pairs = 0;
    if (generator) reference_set_all(net, p, "rate", rate, "shape", shape, "dead_time", dead, "start", 20.0, NULL);
    else reference_input(net, p, "renewal", "rate", rate, "shape", shape, "dead_time", dead, "start", 20.0, NULL);
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
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (int generator = 0; generator < 2; generator++) {
            check_renewal(timing, 40, 4, 0, generator);
            check_renewal(timing, 80, 0.5, 0, generator);
            check_renewal(timing, 50, 2, 6, generator);
            check_renewal(timing, 25, 1, 0, generator); /* Poisson */
        }
}

/* ---- a rate that rises and falls --------------------------------------------------------------------------------------- */

enum { SINE_DURATION = 2000 /* ms */ };
static const double sine_rate = 60, sine_amplitude = 45, sine_frequency = 8, sine_phase = 30; /* Hz, Hz, Hz, degrees */

static void set_sine(rv_net *net, rv_population p)
{
    reference_set_all(net, p, "rate", sine_rate, "amplitude", sine_amplitude, "frequency", sine_frequency, "phase", sine_phase, NULL);
}

static double sine_expected(double t)
{
    double omega = 2 * M_PI * sine_frequency / 1000, phi = sine_phase * M_PI / 180;
    return sine_rate / 1000 * t + sine_amplitude / 1000 / omega * (cos(phi) - cos(omega * t + phi));
}

/* Intervals in rescaled time are exponential; the twelve parts of a period have their shares. Counts of neighbours are
 * independent. On the grid the end of a step counts for all of it. */
static void check_sine(rv_timing timing)
{
    enum { PARTS = 12, FIRST = 80 /* so many intervals every neuron has: no long one is missing because the run ends */ };
    static double interval[N * FIRST];
    rv_population p;
    rv_net       *net = generators("sinusoidal_poisson_generator", timing, 1, &p);
    double        last[N] = { 0 }, share[PARTS] = { 0 }, period = 1000 / sine_frequency;
    int           n = 0, counted[N] = { 0 };
    set_sine(net, p);
    ENSURE_OK(net, rv_run(net, SINE_DURATION));
    reference_spikes got = reference_spikes_of(net, p);
    ENSURE_NEAR((double)got.n, N * sine_expected(SINE_DURATION), 4 * sqrt(N * sine_expected(SINE_DURATION)), "spikes");
    for (int64_t k = 0; k < got.n; k++) {
        double  at = sine_expected(got.time_ms[k]);
        int64_t i = got.neuron[k];
        if (counted[i]++ < FIRST) interval[n++] = at - last[i];
        last[i] = at;
        share[(int)(fmod(got.time_ms[k] - (timing == RV_GRID ? 0.05 : 0), period) / period * PARTS)]++;
    }
    for (int k = 0; k < PARTS; k++) {
        double expected = N * SINE_DURATION / period * (sine_expected((k + 1) * period / PARTS) - sine_expected(k * period / PARTS));
        ENSURE_NEAR_IN(share[k], expected, 4 * sqrt(expected) + (timing == RV_GRID ? 0.01 * expected : 0), "spikes", "part %d of a period", k);
    }
    double distance = distance_from_exponential(interval, n);
    print_message("sine, %s: %d intervals, sqrt(n) times their distance from an exponential distribution: %.2f\n", timing == RV_GRID ? "grid" : "exact", n, distance);
    assert_int_equal(n, N * FIRST);
    if (timing == RV_EXACT && !(distance < 1.63)) fail_msg("distance %g, 1 %% of samples are above 1.63", distance); /* those of the grid are whole steps */
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_sine(void **state)
{
    (void)state;
    check_sine(RV_GRID);
    check_sine(RV_EXACT);
}

/* Without a frequency it is a Poisson process with the rate of time 0; where that is none, there are no spikes. */
static void test_sine_that_stands_still(void **state)
{
    (void)state;
    for (int k = -1; k <= 1; k++) {
        rv_population p;
        rv_net       *net = generators("sinusoidal_poisson_generator", RV_GRID, 1, &p);
        reference_set_all(net, p, "rate", 40.0, "amplitude", 40.0, "phase", 90.0 * k, "start", 100.0, "stop", 1100.0, NULL);
        ENSURE_OK(net, rv_run(net, 1300));
        reference_spikes got = reference_spikes_of(net, p);
        ENSURE_NEAR_IN((double)got.n, N * 40.0 * (1 + k), 4 * sqrt(N * 40.0 * (1 + k)), "spikes", "phase %d degrees", 90 * k);
        ENSURE_NEAR(count_between(&got, 100, 1100.05), (double)got.n, 0, "spikes");
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

/* Two neurons go different ways, two runs of a network the same; a parameter that changes holds from then on. */
static void test_generators_on_threads(void **state)
{
    (void)state;
    static const char *const models[] = { "gamma_generator", "sinusoidal_poisson_generator" };
    for (int m = 0; m < 4; m++) {
        reference_spikes got[2];
        for (int k = 0; k < 2; k++) {
            rv_population p;
            rv_net       *net = generators(models[m % 2], m < 2 ? RV_GRID : RV_EXACT, 1 + 2 * k, &p);
            reference_set(net, p, "rate", 50);
            ENSURE_OK(net, rv_run(net, 200));
            reference_set(net, p, "rate", 0);
            ENSURE_OK(net, rv_run(net, 200));
            reference_set(net, p, "rate", 100);
            ENSURE_OK(net, rv_run(net, 200));
            got[k] = reference_spikes_of(net, p);
            rv_net_free(net);
        }
        ENSURE_NEAR_IN(count_between(&got[0], 0, 200), N * 10, 4 * sqrt(N * 10), "spikes", "%s", models[m % 2]);
        ENSURE_NEAR_IN(count_between(&got[0], 200.05, 400), 0, 0, "spikes", "%s", models[m % 2]);
        ENSURE_NEAR_IN(count_between(&got[0], 400, 600), N * 20, 4 * sqrt(N * 20), "spikes", "%s", models[m % 2]);
        assert_int_equal(got[0].n, got[1].n);
        for (int64_t k = 0; k < got[0].n; k++) assert_true(got[0].neuron[k] == got[1].neuron[k] && got[0].time_ms[k] == got[1].time_ms[k]);
        reference_spikes_free(&got[0]), reference_spikes_free(&got[1]);
    }
}

static void refuse_generator(const char *model, const char *name, double a, const char *other, double b, const char *sentence)
{
    rv_population p;
    rv_net       *net = generators(model, RV_GRID, 1, &p);
    reference_set_all(net, p, name, a, other, b, NULL);
    assert_int_not_equal(rv_run(net, 1), RV_OK);
    if (!strstr(rv_net_error(net)->text, sentence)) fail_msg("expected \"%s\" in: %s", sentence, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_generators_refuse(void **state)
{
    (void)state;
    refuse_generator("gamma_generator", "rate", 100, "dead_time", 10, "dead_time must be below 1000 / rate");
    refuse_generator("gamma_generator", "start", 100, "stop", 10, "stop must not be before start");
    refuse_generator("sinusoidal_poisson_generator", "rate", 10, "amplitude", 11, "amplitude must not be above rate");
    refuse_generator("sinusoidal_poisson_generator", "start", 100, "stop", 10, "stop must not be before start");
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
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_inhomogeneous), cmocka_unit_test(test_new_rates), cmocka_unit_test(test_renewal), cmocka_unit_test(test_sine), cmocka_unit_test(test_sine_that_stands_still),
                                        cmocka_unit_test(test_generators_on_threads), cmocka_unit_test(test_generators_refuse),
                                        cmocka_unit_test(test_threads), cmocka_unit_test(test_sentences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
