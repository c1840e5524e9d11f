/* Random input against theory, with fixed seeds: Poisson background and noise current on the free membrane (Campbell's
 * theorem), and the statistics of Poisson spikes themselves. Means and variances must lie within three standard errors.
 */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

enum { SEED = 20001, N = 500 };
#define TAU_M 10.0 /* ms */
#define C_M 250.0  /* pF */
#define R (TAU_M / C_M)
#define TAU_S 2.0    /* ms */
#define LEAST_P 1e-4 /* of a chi-square test */

/* Neurons that never spike, at rest at 0 mV. */
static rv_population add_free(rv_net *net, const char *model)
{
    rv_population neurons = reference_population(net, "neurons", N, model);
    reference_set_all(net, neurons, "E_L", 0.0, "V_m", 0.0, "V_th", 1e4, "V_reset", 0.0, "tau_m", TAU_M, "C_m", C_M,
                      NULL);
    if (strcmp(model, "iaf_psc_delta") != 0)
        reference_set_all(net, neurons, "tau_syn_ex", TAU_S, "tau_syn_in", TAU_S, NULL);
    return neurons;
}

/* Mean and variance (its error grows with the excess kurtosis) over all neurons and times from 100 ms on; samples lie
 * 50 ms = 5 tau_m apart, all but independent. */
static void check_moments(rv_net *net, rv_probe probe, double mean, double variance, double kurtosis, const char *what)
{
    reference_list V = reference_samples(net, probe);
    int64_t        n = V.n - 2 * N;
    double         got_mean = 0, got_variance = 0;
    for (int64_t k = 2 * N; k < V.n; k++) got_mean += V.x[k] / (double)n;
    for (int64_t k = 2 * N; k < V.n; k++) got_variance += (V.x[k] - got_mean) * (V.x[k] - got_mean) / (double)(n - 1);
    ENSURE_NEAR_IN(got_mean, mean, 3 * sqrt(variance / (double)n), "mV", "%s: mean of V_m, seed %d", what, SEED);
    ENSURE_NEAR_IN(got_variance, variance, 3 * variance * sqrt((2 + kurtosis) / (double)n), "mV^2",
                   "%s: variance of V_m, seed %d", what, SEED);
    reference_list_free(&V);
}

/* ---- Campbell's theorem ----------------------------------------------------------------------------------------- */

/* V_m at t after a spike of weight 1. mV */
static double psp(const char *model, double t)
{
    double a = exp(-t / TAU_M), b = exp(-t / TAU_S), gap = 1 / TAU_S - 1 / TAU_M;
    if (strcmp(model, "iaf_psc_delta") == 0) return a;
    if (strcmp(model, "iaf_psc_exp") == 0) return (a - b) / gap / C_M;
    return M_E / TAU_S / C_M * (a - b * (1 + gap * t)) / (gap * gap);
}

/* Sum of psp, psp^2, psp^4 over times h apart, times h: on the grid the arrivals are steps h apart; for small h the
 * integral. */
static void campbell(const char *model, double h, double *first, double *second, double *fourth)
{
    *first = *second = *fourth = 0;
    for (double t = strcmp(model, "iaf_psc_delta") == 0 ? 0 : h; t < 20 * TAU_M; t += h) {
        double V = psp(model, t);
        *first += h * V, *second += h * V * V, *fourth += h * V * V * V * V;
    }
}

static void check_background(const char *model, rv_timing timing, double rate, double weight)
{
    rv_net       *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing });
    rv_population neurons = add_free(net, model);
    rv_probe      probe = reference_record(net, neurons, "V_m", 50);
    double        first, second, fourth, per_ms = rate / 1000;
    reference_input(net, neurons, "poisson", "rate", rate, "weight", weight, NULL);
    ENSURE_OK(net, rv_run(net, timing == RV_GRID ? 2000 : 600));
    campbell(model, timing == RV_GRID ? 0.1 : 1e-3, &first, &second, &fourth);
    check_moments(net, probe, per_ms * weight * first, per_ms * weight * weight * second,
                  fourth / (per_ms * second * second),
                  reference_text("%s, %s, %g Hz x %g", model, timing == RV_GRID ? "grid" : "exact", rate, weight));
    rv_net_free(net);
}

static void test_background(void **state)
{
    (void)state;
    const char *const models[] = { "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha" };
    const double      weight[] = { 0.1, 30, 20 };
    for (int m = 0; m < 3; m++) {
        check_background(models[m], RV_GRID, 20000, weight[m]); /* dense: counts drawn each step  */
        check_background(models[m], RV_GRID, 3000, -weight[m]);
        check_background(models[m], RV_GRID, 150, -weight[m]); /* sparse: arrivals               */
        check_background(models[m], RV_EXACT, 2000, weight[m]);
    }
}

/* ---- noise current ---------------------------------------------------------------------------------------------- */

/* A current redrawn each dt: V <- a V + R (1 - a) I, a = exp(-dt / tau_m), so Var V = R^2 std^2 (1 - a) / (1 + a) when
 * redrawn. */
static void check_noise(const char *model, rv_timing timing, double dt)
{
    const double  mean = 70, std = 400; /* pA */
    rv_net       *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing });
    rv_population neurons = add_free(net, model);
    rv_probe      probe = reference_record(net, neurons, "V_m", 50);
    double        a = exp(-dt / TAU_M);
    reference_input(net, neurons, "noise", "mean", mean, "std", std, "dt", dt, NULL);
    ENSURE_OK(net, rv_run(net, timing == RV_GRID ? 2000 : 600));
    check_moments(net, probe, R * mean, R * R * std * std * (1 - a) / (1 + a), 0,
                  reference_text("%s, %s, noise each %g ms", model, timing == RV_GRID ? "grid" : "exact", dt));
    rv_net_free(net);
}

static void test_noise_current(void **state)
{
    (void)state;
    const double dt[] = { 0.1, 1, 5 };
    for (int k = 0; k < 3; k++) {
        check_noise("iaf_psc_delta", RV_GRID, dt[k]);
        check_noise("iaf_psc_exp", RV_GRID, dt[k]);
        check_noise("iaf_psc_alpha", RV_EXACT, dt[k]);
    }
}

/* ---- the spikes themselves -------------------------------------------------------------------------------------- */

/* Chi-square of counts against Poisson numbers; bins with small expectation are joined at the ends. */
static void check_counts(const int64_t *count, int64_t n, double mean, const char *what)
{
    int low = (int)fmax(0, mean - 3.5 * sqrt(mean)), high = (int)(mean + 3.5 * sqrt(mean) + 1), bins = high - low + 1;
    double *seen = calloc((size_t)bins, sizeof *seen), chi2 = 0;
    for (int64_t k = 0; k < n; k++) seen[count[k] < low ? 0 : count[k] > high ? bins - 1 : count[k] - low]++;
    for (int k = 0; k < bins; k++) {
        double p = k == 0          ? gsl_cdf_poisson_P((unsigned)low, mean)
                   : k == bins - 1 ? gsl_cdf_poisson_Q((unsigned)high - 1, mean)
                                   : gsl_ran_poisson_pdf((unsigned)(low + k), mean);
        chi2 += (seen[k] - (double)n * p) * (seen[k] - (double)n * p) / ((double)n * p);
    }
    free(seen);
    double p = gsl_cdf_chisq_Q(chi2, bins - 1);
    if (!(p > LEAST_P))
        fail_msg("%s: chi-square of counts %g in %d bins, expected p above %g, got %g (seed %d)", what, chi2, bins,
                 LEAST_P, p, SEED);
}

/* Few counts with a large mean: their index of dispersion, sum (x - mean)^2 / mean, is chi-square with as many degrees.
 */
static void check_dispersion(const int64_t *count, int64_t n, double mean, const char *what)
{
    double chi2 = 0;
    for (int64_t k = 0; k < n; k++) chi2 += ((double)count[k] - mean) * ((double)count[k] - mean) / mean;
    ENSURE_NEAR_IN(chi2 / (double)n, 1, 3 * sqrt(2.0 / (double)n), "(variance / mean)",
                   "%s: counts of all neurons together, seed %d", what, SEED);
}

/* Counts in windows of each neuron, and of all together, which would show neurons that are not independent. */
static void check_poisson_counts(const reference_spikes *s, int n, double rate, double window, double duration,
                                 const char *what)
{
    int64_t  windows = (int64_t)rint(duration / window);
    int64_t *count = calloc((size_t)(windows * n), sizeof *count), *sum = calloc((size_t)windows, sizeof *sum);
    for (int64_t k = 0; k < s->n; k++) {
        int64_t w = (int64_t)ceil(s->time_ms[k] / window - 1e-9) - 1; /* (begin, end] */
        assert_in_range(w, 0, windows - 1);
        count[s->neuron[k] * windows + w]++, sum[w]++;
    }
    check_counts(count, windows * n, rate * window / 1000, what);
    check_dispersion(sum, windows, n * rate * window / 1000, what);
    free(count), free(sum);
}

/* The first intervals of each neuron: exponential, CV = 1; in ten classes of equal probability. All that fit into the
 * time would not do: long ones fit less often. */
static void check_intervals(const reference_spikes *s, int n, double rate, const char *what)
{
    enum { FIRST = 100 };
    int     had[N] = { 0 };
    double  last[N], seen[10] = { 0 }, sum = 0, squares = 0, chi2 = 0;
    int64_t intervals = 0;
    for (int i = 0; i < n; i++) last[i] = NAN;
    for (int64_t k = 0; k < s->n; k++) {
        double isi = s->time_ms[k] - last[s->neuron[k]];
        last[s->neuron[k]] = s->time_ms[k];
        if (isnan(isi) || had[s->neuron[k]]++ >= FIRST) continue;
        seen[(int)fmin(9, 10 * -expm1(-isi * rate / 1000))]++;
        sum += isi, squares += isi * isi, intervals++;
    }
    double m = (double)intervals, mean = sum / m, cv = sqrt(squares / m - mean * mean) / mean;
    for (int k = 0; k < 10; k++) chi2 += (seen[k] - m / 10) * (seen[k] - m / 10) / (m / 10);
    ENSURE_NEAR_IN(mean, 1000 / rate, 3 * 1000 / rate / sqrt(m), "ms", "%s: mean interval, seed %d", what, SEED);
    ENSURE_NEAR_IN(cv, 1, 3 / sqrt(m), "(CV)", "%s: of the intervals, seed %d", what,
                   SEED); /* the error of the CV is 1 / sqrt(m) */
    if (!(gsl_cdf_chisq_Q(chi2, 9) > LEAST_P))
        fail_msg("%s: chi-square of intervals %g in 10 classes (seed %d)", what, chi2, SEED);
}

/* Parrots repeat what arrives. */
static reference_spikes background_spikes(rv_timing timing, double rate, double duration)
{
    rv_net       *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing });
    rv_population parrots = reference_population(net, "parrots", N, "parrot_neuron");
    ENSURE_OK(net, rv_record_spikes(net, parrots));
    reference_input(net, parrots, "poisson", "rate", rate, NULL);
    ENSURE_OK(net, rv_run(net, duration));
    reference_spikes s = reference_spikes_of(net, parrots);
    double           expected = rate * N * duration / 1000;
    ENSURE_NEAR_IN((double)s.n, expected, 3 * sqrt(expected), "spikes", "%g Hz, seed %d", rate, SEED);
    rv_net_free(net);
    return s;
}

static void test_dense_background(void **state)
{
    (void)state;
    const double rate[] = { 20000, 3000 };
    for (int k = 0; k < 2; k++) {
        reference_spikes s = background_spikes(RV_GRID, rate[k], 100);
        check_poisson_counts(&s, N, rate[k], 0.1, 100,
                             reference_text("%g Hz, steps", rate[k])); /* each step by itself       */
        check_poisson_counts(&s, N, rate[k], 5, 100,
                             reference_text("%g Hz, 5 ms", rate[k])); /* successive steps together */
        reference_spikes_free(&s);
    }
}

static void test_sparse_background(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        const char      *what = timing == RV_GRID ? "sparse, grid" : "sparse, exact";
        reference_spikes s = background_spikes(timing, 100, 2000);
        check_poisson_counts(&s, N, 100, 40, 2000, what);
        if (timing == RV_EXACT) check_intervals(&s, N, 100, what); /* those of the grid are whole steps */
        reference_spikes_free(&s);
    }
}

/* One train for all targets, only between start and stop. */
static void test_poisson_generator(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        const char   *what = timing == RV_GRID ? "generator, grid" : "generator, exact";
        rv_net       *net = reference_net((rv_net_def){ .seed = SEED, .timing = timing });
        rv_population generators = reference_population(net, "generators", N, "poisson_generator");
        rv_population targets[2];
        reference_set_all(net, generators, "rate", 150.0, "start", 100.0, "stop", 1300.0, NULL);
        ENSURE_OK(net, rv_record_spikes(net, generators));
        for (int k = 0; k < 2; k++) {
            targets[k] = reference_population(net, k ? "b" : "a", N, "parrot_neuron");
            ENSURE_OK(net, rv_connect(net,
                                      &(rv_connect_def){ .source = rv_all(generators),
                                                         .target = rv_all(targets[k]),
                                                         .rule = "one_to_one",
                                                         .delay = rv_number(1.0) },
                                      NULL));
            ENSURE_OK(net, rv_record_spikes(net, targets[k]));
        }
        ENSURE_OK(net, rv_run(net, 1400));
        reference_spikes s = reference_spikes_of(net, generators), a = reference_spikes_of(net, targets[0]),
                         b = reference_spikes_of(net, targets[1]);
        ENSURE_NEAR_IN((double)s.n, N * 180, 3 * sqrt(N * 180), "spikes", "%s, seed %d", what, SEED);
        for (int64_t k = 0; k < s.n; k++) assert_true(s.time_ms[k] > 100 && s.time_ms[k] <= 1300.05);
        assert_int_equal(a.n, s.n);
        assert_int_equal(b.n, s.n);
        for (int64_t k = 0; k < s.n; k++) {
            ENSURE_NEAR_IN(a.time_ms[k], s.time_ms[k] + 1, 1e-9, "ms", "%s: spike %d at its target", what, (int)k);
            assert_true(a.time_ms[k] == b.time_ms[k] && a.neuron[k] == b.neuron[k]);
            s.time_ms[k] -= 100;
        }
        check_poisson_counts(&s, N, 150, 30, 1200, what);
        if (timing == RV_EXACT) check_intervals(&s, N, 150, what);
        reference_spikes_free(&s), reference_spikes_free(&a), reference_spikes_free(&b);
        rv_net_free(net);
    }
}

/* start and stop of the background: spikes in (start, stop], none elsewhere. */
static void test_background_between_start_and_stop(void **state)
{
    (void)state;
    for (int k = 0; k < 3; k++) {
        double        rate = k == 0 ? 20000 : 200;
        rv_net       *net = reference_net((rv_net_def){ .seed = SEED, .timing = k == 2 ? RV_EXACT : RV_GRID });
        rv_population parrots = reference_population(net, "parrots", N, "parrot_neuron");
        ENSURE_OK(net, rv_record_spikes(net, parrots));
        reference_input(net, parrots, "poisson", "rate", rate, "start", 20.0, "stop", 80.0, NULL);
        ENSURE_OK(net, rv_run(net, 100));
        reference_spikes s = reference_spikes_of(net, parrots);
        double           expected = rate * N * 0.06, first = s.time_ms[0], last = s.time_ms[s.n - 1];
        ENSURE_NEAR_IN((double)s.n, expected, 3 * sqrt(expected), "spikes", "%g Hz for 60 ms, seed %d", rate, SEED);
        if (!(first > 20 && last <= 80 + 1e-9))
            fail_msg("%g Hz: expected spikes in (20, 80] ms, got %.17g to %.17g ms", rate, first, last);
        reference_spikes_free(&s);
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_background),        cmocka_unit_test(test_noise_current),
        cmocka_unit_test(test_dense_background),  cmocka_unit_test(test_sparse_background),
        cmocka_unit_test(test_poisson_generator), cmocka_unit_test(test_background_between_start_and_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
