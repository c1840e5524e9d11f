/* Distances between trains against closed forms and against plain twins that follow the papers' definitions word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/distance.h"
#include "tests/support/random_number.h"

enum { MOST = 64 };

static const rv_nearness usual = { .tau_ms = 10, .cost_per_ms = 0.1, .within_ms = 2 };

/* Prints what was expected, what came, and the unit. */
static void near(const char *what, double got, double expected, double tolerance, const char *unit)
{
    if (fabs(got - expected) <= tolerance || (isnan(got) && isnan(expected))) return;
    fail_msg("%s: expected %.15g, got %.15g %s (tolerance %g)", what, expected, got, unit, tolerance);
}

typedef struct train {
    int64_t n;
    double  t[MOST]; /* ms */
} train;

static int ascending(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

/* 0 to `most` spikes in 0..100 ms, half of them on a grid of 1 ms, where trains meet and a train meets itself. */
static train random_train(int most)
{
    train a = { .n = (int64_t)(random_number() * (most + 1)) };
    for (int64_t k = 0; k < a.n; k++) {
        a.t[k] = 100 * random_number();
        if (random_number() < 0.5) a.t[k] = floor(a.t[k]);
    }
    qsort(a.t, (size_t)a.n, sizeof *a.t, ascending);
    return a;
}

static double rossum(const train *a, const train *b, double tau) { return rv_van_rossum(a->t, a->n, b->t, b->n, tau); }

static double purpura(const train *a, const train *b, double cost)
{
    double distance = NAN;
    assert_int_equal(rv_victor_purpura(a->t, a->n, b->t, b->n, cost, &distance), RV_OK);
    return distance;
}

/* ---- van Rossum ------------------------------------------------------------------------------------------------ */

static void van_rossum_in_closed_form(void **state)
{
    (void)state;
    const train none = { 0 }, one = { 1, { 7 } }, twice = { 2, { 7, 7 } };
    near("nothing", rossum(&none, &none, 10), 0, 0, "");
    near("one spike against none", rossum(&one, &none, 10), sqrt(0.5), 1e-15, "");
    near("none against one spike", rossum(&none, &one, 10), sqrt(0.5), 1e-15, "");
    near("two at once against none", rossum(&twice, &none, 10), sqrt(2), 1e-15, ""); /* (2 f)^2 / 2 */
    near("two at once against one", rossum(&twice, &one, 10), sqrt(0.5), 1e-15, "");
    for (double d = 1e-9; d < 1e5; d *= 10) {
        const train later = { 1, { 7 + d } }, pair = { 2, { 7, 7 + d } };
        double      apart = later.t[0] - 7; /* d, but for what 7 + d rounds */
        near("a spike against one d later", rossum(&one, &later, 10), sqrt(-expm1(-apart / 10)), 1e-14, "");
        near("two spikes against none", rossum(&pair, &none, 10), sqrt(1 + exp(-apart / 10)), 1e-14, "");
    }
}

/* D^2 = sum over all pairs of 1/2 s_k s_l exp(-|t_k - t_l|/tau), s = 1 in a and -1 in b (van Rossum 2001). */
static double van_rossum_of_pairs(const train *a, const train *b, double tau)
{
    double sum = 0;
    for (int64_t k = 0; k < a->n; k++)
        for (int64_t l = 0; l < a->n; l++) sum += exp(-fabs(a->t[k] - a->t[l]) / tau) / 2;
    for (int64_t k = 0; k < b->n; k++)
        for (int64_t l = 0; l < b->n; l++) sum += exp(-fabs(b->t[k] - b->t[l]) / tau) / 2;
    for (int64_t k = 0; k < a->n; k++)
        for (int64_t l = 0; l < b->n; l++) sum -= exp(-fabs(a->t[k] - b->t[l]) / tau);
    return sqrt(fmax(sum, 0));
}

static void van_rossum_beside_its_twin(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        train  a = random_train(20), b = random_train(20);
        double tau = pow(10, 4 * random_number() - 1), got = rossum(&a, &b, tau);
        near("van Rossum", got * got, pow(van_rossum_of_pairs(&a, &b, tau), 2), 1e-10, "");
    }
}

/* tau -> 0: each spike without one at the same time is 1/2; tau -> infinity: (n_a - n_b)^2 / 2. */
static void van_rossum_between_its_limits(void **state)
{
    (void)state;
    const train a = { 4, { 1, 2, 3, 4 } }, b = { 3, { 2, 3, 3.5 } }; /* 1, 4 and 3.5 are alone */
    near("small tau", rossum(&a, &b, 1e-6), sqrt(1.5), 1e-12, "");
    near("large tau", rossum(&a, &b, 1e12), sqrt(0.5), 1e-9, "");
}

/* A million spikes, one of them shifted: the sum over pairs would have lost the difference in rounding. */
static void nearly_the_same_is_nearly_zero(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *a = malloc(2 * N * sizeof *a), *b = a + N;
    for (int k = 0; k < N; k++) a[k] = b[k] = 0.1 * (k + 1);
    near("the same", rv_van_rossum(a, N, b, N, 10), 0, 0, "");
    b[N / 2] += 1e-3;
    near("one shifted by 1 µs", rv_van_rossum(a, N, b, N, 10), sqrt(-expm1(-1e-4)), 1e-9, "");
    free(a);
}

/* ---- Victor and Purpura ---------------------------------------------------------------------------------------- */

static void victor_purpura_in_closed_form(void **state)
{
    (void)state;
    const train none = { 0 }, one = { 1, { 7 } }, twice = { 2, { 7, 7 } };
    near("nothing", purpura(&none, &none, 0.1), 0, 0, "");
    near("one spike against none", purpura(&one, &none, 0.1), 1, 0, "");
    near("none against two", purpura(&none, &twice, 0.1), 2, 0, "");
    near("two at once against one", purpura(&twice, &one, 1e9), 1, 0, "");
    for (double d = 0.5; d < 100; d *= 1.7) {
        const train later = { 1, { 7 + d } };
        near("a spike against one d later", purpura(&one, &later, 0.1), fmin(0.1 * d, 2), 1e-14, "");
    }
}

static void victor_purpura_between_its_limits(void **state)
{
    (void)state;
    const train a = { 4, { 1, 2, 3, 4 } }, b = { 3, { 2, 3, 3.5 } };
    near("cost 0", purpura(&a, &b, 0), 1, 0, "");
    near("a small cost", purpura(&a, &b, 1e-9), 1, 1e-8, "");
    near("a large cost", purpura(&a, &b, 1e9), 3, 0, "");
}

/* G(i, j) = min( G(i-1, j) + 1, G(i, j-1) + 1, G(i-1, j-1) + cost |a_i - b_j| ), all of it (Victor & Purpura 1996). */
static double victor_purpura_of_all(const train *a, const train *b, double cost)
{
    double G[MOST + 1][MOST + 1];
    for (int64_t i = 0; i <= a->n; i++)
        for (int64_t j = 0; j <= b->n; j++) {
            G[i][j] = (double)(i + j); /* right where one of them is 0 */
            if (i == 0 || j == 0) continue;
            G[i][j] = fmin(G[i - 1][j], G[i][j - 1]) + 1;
            G[i][j] = fmin(G[i][j], G[i - 1][j - 1] + cost * fabs(a->t[i - 1] - b->t[j - 1]));
        }
    return G[a->n][b->n];
}

/* Every way to pair spikes without crossing, for trains of a few spikes. */
static double least_cost(const train *a, int64_t i, const train *b, int64_t j, double cost)
{
    if (i == a->n || j == b->n) return (double)(a->n - i + b->n - j);
    double least = least_cost(a, i + 1, b, j, cost) + 1; /* a_i is deleted */
    for (int64_t k = j; k < b->n; k++)                   /* or shifted to b_k, and what lies between is inserted */
        least = fmin(least, (double)(k - j) + cost * fabs(a->t[i] - b->t[k]) + least_cost(a, i + 1, b, k + 1, cost));
    return least;
}

static void victor_purpura_beside_its_twins(void **state)
{
    (void)state;
    for (int round = 0; round < 3000; round++) {
        train  a = random_train(round % 2 ? 40 : 5), b = random_train(round % 2 ? 40 : 5);
        double cost = pow(10, 4 * random_number() - 3);
        near("Victor-Purpura", purpura(&a, &b, cost), victor_purpura_of_all(&a, &b, cost), 1e-10, "");
        if (round % 2 == 0) near("of all ways", purpura(&a, &b, cost), least_cost(&a, 0, &b, 0, cost), 1e-10, "");
    }
}

static void too_many_pairs_are_refused(void **state)
{
    (void)state;
    enum { N = 10001 };
    double *a = malloc(N * sizeof *a), distance;
    for (int k = 0; k < N; k++) a[k] = 0.1 * k;
    near("pairs in reach", rv_victor_purpura_pairs(a, N, a, N, 2 / 0.35), 7.0 * N - 12, 0, ""); /* 3 before, 3 after */
    near("pairs, cost 0", rv_victor_purpura_pairs(a, N, a, N, 0), 0, 0, "");
    near("all pairs", rv_victor_purpura_pairs(a, N, a, N, 1e-9), (double)N * N, 0, "");
    assert_int_equal(rv_victor_purpura(a, N, a, N, 1e-9, &distance), RV_OUT_OF_RANGE);
    assert_int_equal(rv_victor_purpura(a, N, a, N, 0, &distance), RV_OK);
    assert_int_equal(rv_victor_purpura(a, N, a, N, 1, &distance), RV_OK);
    near("the same", distance, 0, 0, "");
    free(a);
}

/* ---- both ------------------------------------------------------------------------------------------------------ */

static void both_are_metrics(void **state)
{
    (void)state;
    for (int round = 0; round < 2000; round++) {
        train  a = random_train(15), b = random_train(15), c = random_train(15);
        double x = pow(10, 3 * random_number() - 1);
        double (*const distances[])(const train *, const train *, double) = { rossum, purpura };
        for (int k = 0; k < 2; k++) {
            double ab = distances[k](&a, &b, x), bc = distances[k](&b, &c, x), ac = distances[k](&a, &c, x);
            near("to itself", distances[k](&a, &a, x), 0, 0, "");
            near("there and back", distances[k](&b, &a, x), ab, 1e-12, "");
            if (ac > ab + bc + 1e-9) fail_msg("%.12g > %.12g + %.12g: no triangle", ac, ab, bc);
        }
    }
}

/* ---- counterparts ---------------------------------------------------------------------------------------------- */

static void ensure_matches(const train *a, const train *b, double within, const char *in_b, const char *in_a)
{
    bool    a_found[MOST], b_found[MOST];
    char    a_text[MOST + 1] = "", b_text[MOST + 1] = "";
    int64_t n = rv_match_spikes(a->t, a->n, b->t, b->n, within, a_found, b_found), counted = 0;
    for (int64_t i = 0; i < a->n; i++) a_text[i] = a_found[i] ? 'x' : '.', counted += a_found[i];
    for (int64_t j = 0; j < b->n; j++) b_text[j] = b_found[j] ? 'x' : '.';
    assert_int_equal(n, counted);
    assert_string_equal(a_text, in_b);
    assert_string_equal(b_text, in_a);
}

static void spikes_find_their_counterparts(void **state)
{
    (void)state;
    const train none = { 0 }, a = { 3, { 10, 11, 30 } }, b = { 2, { 11, 32 } }, c = { 3, { 10, 10, 10 } },
                d = { 2, { 10, 10 + 5e-7 } }, e = { 2, { 0, 2 } }, f = { 2, { 2, 4 } };
    ensure_matches(&none, &a, 2, "", "...");
    ensure_matches(&a, &a, 0, "xxx", "xxx");
    ensure_matches(&a, &b, 0, ".x.", "x.");
    ensure_matches(&a, &b, 2, ".xx", "xx"); /* 11 is 11's, though 10 comes first */
    ensure_matches(&a, &b, 1.99, ".x.", "x.");
    ensure_matches(&c, &d, 0, "xx.", "xx");
    ensure_matches(&e, &f, 2, ".x", "x."); /* the same time before the larger number */
    ensure_matches(&e, &f, 4, "xx", "xx");
}

/* Without equal times the number is the largest possible, found by trying all. */
static int64_t most_pairs(const train *a, int64_t i, const train *b, int64_t j, double within)
{
    if (i == a->n || j == b->n) return 0;
    int64_t most = most_pairs(a, i + 1, b, j, within);
    for (int64_t k = j; k < b->n; k++) {
        if (fabs(a->t[i] - b->t[k]) > within) continue;
        int64_t n = 1 + most_pairs(a, i + 1, b, k + 1, within);
        most = n > most ? n : most;
    }
    return most;
}

static void as_many_counterparts_as_possible(void **state)
{
    (void)state;
    bool in_a[MOST], in_b[MOST];
    for (int round = 0; round < 1000; round++) {
        train a = random_train(7), b = random_train(7);
        for (int64_t k = 0; k < a.n; k++) a.t[k] = floor(a.t[k]) + 0.25;
        for (int64_t k = 0; k < b.n; k++) b.t[k] = floor(b.t[k]);
        assert_int_equal(rv_match_spikes(a.t, a.n, b.t, b.n, 12, in_b, in_a), most_pairs(&a, 0, &b, 0, 12));
    }
}

/* ---- populations ----------------------------------------------------------------------------------------------- */

static rv_trains trains_of(const double *times, const int64_t *neurons, int64_t n, int64_t n_neurons)
{
    rv_trains trains;
    assert_int_equal(rv_trains_new(times, neurons, n, n_neurons, 0, 100, &trains), RV_OK);
    return trains;
}

static void ensure_divergence(const rv_trains *a, const rv_trains *b, double t, int64_t neuron, bool in_a)
{
    rv_divergence there = rv_first_divergence(a, b), back = rv_first_divergence(b, a);
    near("first divergence", there.t_ms, t, 0, "ms");
    near("first divergence, back", back.t_ms, t, 0, "ms");
    if (isnan(t)) return;
    assert_int_equal(there.neuron, neuron);
    assert_int_equal(there.in_a, in_a);
    assert_int_equal(back.in_a, !in_a);
}

static void where_recordings_part(void **state)
{
    (void)state;
    const double  at[] = { 10, 10, 20, 30, 30, 40 }, shifted[] = { 10, 10, 20, 30, 30.5, 40 };
    const double  rounded[] = { 10, 10, 20, 30 + 4e-7, 30 + 4e-7, 40 };
    const int64_t of[] = { 0, 1, 2, 0, 1, 2 }, swapped[] = { 1, 0, 2, 1, 0, 2 }, other[] = { 0, 1, 2, 0, 2, 2 };
    rv_trains     a = trains_of(at, of, 6, 3), same = trains_of(at, swapped, 6, 3), late = trains_of(shifted, of, 6, 3),
              elsewhere = trains_of(at, other, 6, 3), fewer = trains_of(at, of, 5, 3), near_by = trains_of(rounded, of, 6, 3),
              larger = trains_of(at, of, 6, 9), nothing = trains_of(NULL, NULL, 0, 0);
    ensure_divergence(&a, &a, NAN, 0, false);
    ensure_divergence(&a, &same, NAN, 0, false); /* the order of equal times does not matter */
    ensure_divergence(&a, &larger, NAN, 0, false);
    ensure_divergence(&nothing, &nothing, NAN, 0, false);
    ensure_divergence(&a, &late, 30, 1, true);
    ensure_divergence(&a, &elsewhere, 30, 1, true); /* 1 lost it, 2 has it in return: the lower number is named */
    ensure_divergence(&a, &fewer, 40, 2, true);
    ensure_divergence(&nothing, &a, 10, 0, false);
    ensure_divergence(&a, &near_by, NAN, 0, false);
    near("largest shift", rv_first_divergence(&a, &near_by).largest_shift_ms, 4e-7, 1e-14, "ms");
    rv_trains *const all[] = { &a, &same, &late, &elsewhere, &fewer, &near_by, &larger, &nothing };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) rv_trains_free(all[k]);
}

/* Neuron 0 the same; 1 only in a; 2 shifted by 5 ms; 3 silent in both; 4 only in b, where a has no such neuron. */
static void distances_of_a_population(void **state)
{
    (void)state;
    const double  in_a[] = { 5, 10, 20, 60 }, in_b[] = { 5, 25, 50, 60, 80 };
    const int64_t a_of[] = { 0, 1, 2, 0 }, b_of[] = { 0, 2, 4, 0, 4 };
    rv_trains     a = trains_of(in_a, a_of, 4, 4), b = trains_of(in_b, b_of, 5, 5);
    rv_comparison c;
    assert_int_equal(rv_compare(&a, &b, &usual, &c), RV_OK);
    assert_int_equal(c.n_neurons, 5);
    assert_int_equal(c.n_matched, 2);
    near("coincident", c.coincident, 4 / 9.0, 1e-15, "");
    near("first divergence", c.first.t_ms, 10, 0, "ms");
    assert_int_equal(c.first.neuron, 1);
    assert_int_equal(c.every, 1);
    assert_int_equal(c.van_rossum.n, 4);
    near("van Rossum, largest", c.van_rossum.largest, sqrt(1 + exp(-3)), 1e-14, ""); /* 4: (1 + e^(-30/10)) / 1 */
    near("van Rossum, mean", c.van_rossum.mean, (0 + 1 + sqrt(-expm1(-0.5)) + sqrt(1 + exp(-3))) / 4, 1e-14, "");
    near("Victor-Purpura, largest", c.victor_purpura.largest, 1, 0, "");
    near("Victor-Purpura, mean", c.victor_purpura.mean, (0 + 1 + 0.5 / 2 + 1) / 4, 1e-15, "");
    assert_memory_equal(c.in_b, ((bool[]){ true, true, false, false }), 4);
    assert_memory_equal(c.in_a, ((bool[]){ true, true, false, false, false }), 5);
    rv_comparison_free(&c);
    rv_trains_free(&a);
    rv_trains_free(&b);
}

static void populations_without_spikes(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 3; n++) {
        rv_trains     none = trains_of(NULL, NULL, 0, n);
        rv_comparison c;
        assert_int_equal(rv_compare(&none, &none, &usual, &c), RV_OK);
        assert_int_equal(c.n_matched, 0);
        assert_true(isnan(c.coincident) && isnan(c.first.t_ms) && isnan(c.van_rossum.mean));
        assert_true(isnan(c.van_rossum.largest) && isnan(c.victor_purpura.mean));
        rv_comparison_free(&c);
        rv_trains_free(&none);
    }
}

/* 200 neurons of 1000 spikes, all in reach of each other: 2e8 pairs, so every second neuron is measured; and one neuron
 * that is too much alone. */
static void too_much_is_measured_in_part(void **state)
{
    (void)state;
    enum { N = 200000 };
    double       *times = malloc(N * sizeof *times);
    int64_t      *neurons = malloc(N * sizeof *neurons);
    rv_nearness   far = usual;
    rv_comparison c;
    far.cost_per_ms = 1e-6;
    for (int64_t k = 0; k < N; k++) times[k] = 100 * (double)(k + 1) / N, neurons[k] = k % 200;
    rv_trains all = trains_of(times, neurons, N, 200);
    assert_int_equal(rv_compare(&all, &all, &far, &c), RV_OK);
    assert_int_equal(c.every, 2);
    assert_int_equal(c.van_rossum.n, 100);
    near("the same", c.victor_purpura.mean, 0, 0, "");
    near("coincident", c.coincident, 1, 0, ""); /* is of all neurons */
    rv_comparison_free(&c);
    memset(neurons, 0, N * sizeof *neurons);
    rv_trains one = trains_of(times, neurons, N, 1);
    assert_int_equal(rv_compare(&one, &one, &far, &c), RV_OK);
    assert_int_equal(c.victor_purpura.n, 0);
    assert_true(isnan(c.victor_purpura.mean));
    near("van Rossum", c.van_rossum.mean, 0, 0, "");
    rv_comparison_free(&c);
    rv_trains_free(&all);
    rv_trains_free(&one);
    free(times);
    free(neurons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(van_rossum_in_closed_form),
        cmocka_unit_test(van_rossum_beside_its_twin),
        cmocka_unit_test(van_rossum_between_its_limits),
        cmocka_unit_test(nearly_the_same_is_nearly_zero),
        cmocka_unit_test(victor_purpura_in_closed_form),
        cmocka_unit_test(victor_purpura_between_its_limits),
        cmocka_unit_test(victor_purpura_beside_its_twins),
        cmocka_unit_test(too_many_pairs_are_refused),
        cmocka_unit_test(both_are_metrics),
        cmocka_unit_test(spikes_find_their_counterparts),
        cmocka_unit_test(as_many_counterparts_as_possible),
        cmocka_unit_test(where_recordings_part),
        cmocka_unit_test(distances_of_a_population),
        cmocka_unit_test(populations_without_spikes),
        cmocka_unit_test(too_much_is_measured_in_part),
    };
    return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
