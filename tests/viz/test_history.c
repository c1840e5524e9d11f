/* The history: what is handed out is right while it is overwritten, and the tally counts like a plain loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/clock.h"
#include "tests/support/random_number.h"
#include "viz/history.h"
#include "viz/tally.h"

/* ------------------------------------------------------------------------------------------ one thread --- */

static void pairs_come_out_as_they_went_in(void **state)
{
    (void)state;
    double   t[16], value[16];
    int64_t  first, end, at = 0;
    history *h = history_new(5); /* 8 */
    history_kept(h, &first, &end);
    assert_int_equal(first, 0);
    assert_int_equal(end, 0);
    assert_true(isnan(history_oldest(h)));
    assert_int_equal(history_read(h, &at, 16, t, value), 0);
    for (int k = 0; k < 11; k++) history_add(h, k, 10 * k);
    history_kept(h, &first, &end);
    assert_int_equal(first, 3);
    assert_int_equal(end, 11);
    assert_int_equal(history_read(h, &at, 16, t, value), 8);
    assert_int_equal(at, 3);
    for (int k = 0; k < 8; k++)
        if (t[k] != 3 + k || value[k] != 10 * (3 + k)) fail_msg("pair %d is (%g, %g)", 3 + k, t[k], value[k]);
    at = 9;
    assert_int_equal(history_read(h, &at, 1, t, value), 1);
    assert_true(t[0] == 9 && at == 9 && history_oldest(h) == 3);
    history_free(h);
    history_free(NULL);
}

static void a_time_is_found_by_bisection(void **state)
{
    (void)state;
    history *h = history_new(64);
    assert_int_equal(history_find(h, 0), 0);
    for (int k = 0; k < 100; k++) history_add(h, k / 3, k); /* 0 0 0 1 1 1 ..., kept: 36 .. 99 */
    assert_int_equal(history_find(h, -1), 36);
    assert_int_equal(history_find(h, 12), 36);
    assert_int_equal(history_find(h, 20), 60);
    assert_int_equal(history_find(h, 20.5), 63);
    assert_int_equal(history_find(h, 33), 99);
    assert_int_equal(history_find(h, 34), 100);
    history_free(h);
}

static void what_was_cleared_is_not_handed_out(void **state)
{
    (void)state;
    double   t, value;
    int64_t  first, end, at = 0;
    history *h = history_new(8);
    for (int k = 0; k < 5; k++) history_add(h, k, k);
    history_clear(h);
    assert_int_equal(history_read(h, &at, 1, &t, &value), 0);
    assert_true(isnan(history_oldest(h)));
    history_add(h, 0.5, 7);
    history_kept(h, &first, &end);
    assert_int_equal(first, 5);
    assert_int_equal(end, 6);
    at = 2;
    assert_int_equal(history_read(h, &at, 1, &t, &value), 1);
    assert_true(at == 5 && t == 0.5 && value == 7);
    history_free(h);
}

/* ----------------------------------------------------------------------------------------- two threads --- */

enum { PAIRS = 50000000, SMALL_RING = 1 << 10, BATCH = 500 };

static double value_of(int64_t number) { return (double)(number * 2654435761 % 1000003); }

static void *write_pairs(void *h)
{
    for (int64_t k = 0; k < PAIRS; k++) {
        history_add(h, (double)(k / 2), value_of(k));
        if (k % (PAIRS / 7) == PAIRS / 8) history_clear(h);
    }
    return NULL;
}

static void ensure_right(int64_t number, double t, double value)
{
    if (t == (double)(number / 2) && value == value_of(number)) return;
    fail_msg("pair %lld is (%.17g, %.17g), expected (%lld, %.17g)", (long long)number, t, value,
             (long long)(number / 2), value_of(number));
}

static void every_pair_is_right_while_it_is_overwritten(void **state)
{
    (void)state;
    static double t[BATCH], value[BATCH];
    int64_t       at = 0, read = 0, moved = 0, found = 0;
    pthread_t     writer;
    history      *h = history_new(SMALL_RING);
    assert_int_equal(pthread_create(&writer, NULL, write_pairs, h), 0);
    while (at < PAIRS) {
        int64_t asked = at, n = history_read(h, &at, BATCH, t, value);
        for (int64_t k = 0; k < n; k++) ensure_right(at + k, t[k], value[k]);
        moved += at > asked;
        at += n, read += n;
        int64_t there, end, place = history_find(h, (double)(at / 2));
        history_kept(h, &there, &end);
        found += place <= at || place <= end; /* at the wanted pair, or later ones */
        assert_true(place <= PAIRS && there <= end);
    }
    pthread_join(writer, NULL);
    print_message("[   NOTE   ] %lld of %d pairs read, %lld times some were gone\n", (long long)read, PAIRS,
                  (long long)moved);
    assert_true(read > 0 && found > 0);
    history_free(h);
}

/* ---------------------------------------------------------------------------------------------- speed --- */

static void a_pair_takes_nanoseconds(void **state)
{
    (void)state;
    enum { N = 4000000, ROUNDS = 3 };
    static double t[4096], value[4096];
    double        sum = 0, write = INFINITY, read = INFINITY;
    history      *h = history_new(N);
    for (int round = 0; round < ROUNDS; round++) {
        int64_t at = (int64_t)round * N;
        double  begin = clock_seconds();
        for (int64_t k = 0; k < N; k++) history_add(h, (double)k, 1);
        double written = clock_seconds();
        for (int64_t n; (n = history_read(h, &at, 4096, t, value)) > 0; at += n) sum += value[0] + value[n - 1];
        write = fmin(write, written - begin), read = fmin(read, clock_seconds() - written);
    }
    assert_true(sum > 0);
    print_message("[   NOTE   ] %.2f ns to write a pair, %.2f ns to read one\n", 1e9 * write / N, 1e9 * read / N);
    history_free(h);
}

/* ---------------------------------------------------------------------------------------------- tally --- */

enum { E_SIZE = 80, I_SIZE = 20 };

static feed_population two[] = { { .name = "E", .size = E_SIZE },
                                 { .name = "I", .size = I_SIZE, .first_row = E_SIZE } };

static feed make_feed(int64_t capacity, double resolution_ms)
{
    feed f = { .resolution_ms = resolution_ms, .population = two, .n_populations = 2, .n_rows = E_SIZE + I_SIZE };
    f.spikes = history_new(capacity), f.older = history_new(capacity);
    return f;
}

static void free_histories(feed *f)
{
    history_free(f->spikes);
    history_free(f->older);
}

/* Spikes of all neurons, about one per step, on the grid of steps or between its points. */
static int64_t make_spikes(double duration_ms, double step_ms, bool grid, double **t, double **row)
{
    int64_t n = (int64_t)(duration_ms / step_ms);
    *t = malloc((size_t)n * sizeof **t), *row = malloc((size_t)n * sizeof **row);
    for (int64_t k = 0; k < n; k++) {
        (*t)[k] = grid ? (double)(k + 1 - k % 3) * step_ms : ((double)k + random_number()) * step_ms;
        if (k > 0 && (*t)[k] < (*t)[k - 1]) (*t)[k] = (*t)[k - 1];
        (*row)[k] = floor(random_number() * (E_SIZE + I_SIZE));
    }
    return n;
}

/* As viz/histogram.c counts. */
static double count_rate(const double *t, const double *row, int64_t n, int population, double from_ms, double bin_ms,
                         int bin)
{
    int64_t count = 0, first = two[population].first_row;
    for (int64_t k = 0; k < n; k++)
        count += t[k] >= from_ms - 1e-6 && (int)floor((t[k] - from_ms) / bin_ms + 1e-9) == bin && row[k] >= first &&
                 row[k] < first + two[population].size;
    return (double)count * 1000 / bin_ms / (double)two[population].size;
}

static void ensure_rates(const tally *y, const double *t, const double *row, int64_t n, double from_ms, double bin_ms,
                         int n_bins, double now_ms, double known_ms)
{
    double *rates = malloc((size_t)n_bins * sizeof *rates);
    for (int population = 0; population < 2; population++) {
        tally_rates(y, population, from_ms, bin_ms, n_bins, now_ms, rates);
        for (int k = 0; k < n_bins; k++) {
            double begin = from_ms + k * bin_ms, end = from_ms + (k + 1) * bin_ms;
            double expected = count_rate(t, row, n, population, from_ms, bin_ms, k);
            bool   there = begin >= known_ms - 1e-6 && end <= now_ms + 1e-6 * bin_ms && end > 0;
            if (begin < 0) expected *= bin_ms / end;
            if (there ? fabs(rates[k] - expected) > 1e-6 * (1 + expected) : !isnan(rates[k]))
                fail_msg("population %d, bin %d of %g ms from %.17g on, now %g: %.10g spikes/s, expected %.10g",
                         population, k, bin_ms, from_ms, now_ms, rates[k], there ? expected : NAN);
        }
    }
    free(rates);
}

static void the_tally_counts_like_a_loop(void **state)
{
    (void)state;
    static const double bins[] = { 0.1, 0.3, 0.7, 1, 1.2, 2, 2.5, 5, 10, 24, 31 };
    for (int grid = 0; grid < 2; grid++) {
        double *t, *row;
        int64_t n = make_spikes(1000, 0.1, grid, &t, &row), fed = 0;
        feed    f = make_feed(1 << 20, grid ? 0.1 : 0.3);
        tally  *y = tally_new(&f);
        while (fed < n) {
            int64_t some = fed + (int64_t)(random_number() * 3000);
            for (; fed < n && fed < some; fed++) history_add(f.spikes, t[fed], row[fed]);
            while (!tally_update(y, 0)) continue;
            f.t_ms = fed > 0 ? t[fed - 1] : 0;
        }
        f.t_ms = 1000;
        assert_true(tally_update(y, 1));
        for (int k = 0; k < 120; k++) {
            double bin = bins[(int)(random_number() * 11)], from = floor(random_number() * 120 - 20) * bin;
            double now = k % 3 ? 1000 : random_number() * 1000;
            if (k % 2) from = random_number() * 1100 - 100;
            ensure_rates(y, t, row, n, from, bin, 12, now, -INFINITY);
        }
        tally_free(y);
        free_histories(&f);
        free(t);
        free(row);
    }
}

/* Estimated parts of the tally's bins add up, and are not far off. */
static void long_bins_are_cheap_and_whole(void **state)
{
    (void)state;
    double *t, *row, rates[2000], sum = 0;
    int64_t n = make_spikes(1e6, 0.5, false, &t, &row), all = 0;
    feed    f = make_feed(1 << 22, 0.1);
    tally  *y = tally_new(&f);
    for (int64_t k = 0; k < n; k++) history_add(f.spikes, t[k], row[k]);
    f.t_ms = 1e6;
    assert_true(tally_update(y, INFINITY));
    double begin = clock_seconds();
    tally_rates(y, 0, 0.5, 499.75, 2000, 1e6, rates);
    print_message("[   NOTE   ] %.0f us for 2000 bins over 1e6 ms\n", 1e6 * (clock_seconds() - begin));
    for (int k = 0; k < 2000; k++) sum += rates[k] * 0.49975 * E_SIZE;
    for (int64_t k = 0; k < n; k++) all += row[k] < E_SIZE && t[k] >= 0.5 && t[k] < 0.5 + 2000 * 499.75;
    if (fabs(sum - (double)all) > 2) fail_msg("%.6f spikes in all bins, expected %lld +- 2", sum, (long long)all);
    ensure_rates(y, t, row, n, 999000, 50, 20, 1e6, 0);
    tally_free(y);
    free_histories(&f);
    free(t);
    free(row);
}

static void a_long_run_has_longer_bins(void **state)
{
    (void)state;
    double rates[3];
    feed   f = make_feed(1 << 14, 0.1);
    tally *y = tally_new(&f);
    for (int k = 1; k <= 10000; k++) history_add(f.spikes, k * 1000.0, 0); /* 1e7 ms: more than 2^20 bins of 1 ms */
    f.t_ms = 1e7 + 1;
    assert_true(tally_update(y, INFINITY));
    tally_rates(y, 0, 0, 1e6, 3, 1e7, rates);
    for (int k = 0; k < 3; k++)
        if (fabs(rates[k] - 1.0 / E_SIZE) > 1e-3 / E_SIZE * (k == 0 ? 2 : 1))
            fail_msg("bin %d: %.10g spikes/s, expected %.10g", k, rates[k], 1.0 / E_SIZE);
    tally_rates(y, 0, 9999999, 2, 1, INFINITY, rates); /* shorter than its own */
    if (!isnan(rates[0]) && fabs(rates[0] - 500.0 / E_SIZE) > 1e-9)
        fail_msg("%g spikes/s, expected %g", rates[0], 500.0 / E_SIZE);
    f.t_ms = 1e14; /* and a neuron that spikes again after three thousand years */
    history_add(f.spikes, 1e14, 0);
    assert_true(tally_update(y, INFINITY));
    tally_rates(y, 0, 0, 2e13, 3, INFINITY, rates);
    if (fabs(rates[0] * 2e10 * E_SIZE - 10000) > 1) fail_msg("%g spikes, expected 10000", rates[0] * 2e10 * E_SIZE);
    tally_free(y);
    free_histories(&f);
}

static void what_was_lost_is_taken_from_what_was_fetched(void **state)
{
    (void)state;
    double *t, *row;
    int64_t n = make_spikes(1000, 0.1, true, &t, &row);
    feed    f = make_feed(1 << 11, 0.1); /* the last 204.8 ms */
    for (int64_t k = 0; k < n; k++) history_add(f.spikes, t[k], row[k]);
    tally *y = tally_new(&f);
    f.t_ms = 1000;
    assert_true(tally_update(y, 1));
    double oldest = history_oldest(f.spikes);
    ensure_rates(y, t, row, n, 700, 10, 30, 1000, nextafter(oldest, INFINITY));
    for (int64_t k = 0; k < n; k++)
        if (t[k] >= 650 && t[k] <= 820) history_add(f.older, t[k], row[k]);
    f.older_from_ms = 650;
    f.older_to_ms = 820;
    assert_true(tally_update(y, 1));
    ensure_rates(y, t, row, n, 600, 10, 40, 1000, 650);
    history_clear(f.older);
    for (int64_t k = 0; k < n; k++)
        if (t[k] >= 100 && t[k] <= 300) history_add(f.older, t[k], row[k]);
    f.older_from_ms = 100;
    f.older_to_ms = 300;
    assert_true(tally_update(y, 1));
    ensure_rates(y, t, row, n, 50, 10, 25, 1000, 100);
    tally_free(y);
    free_histories(&f);
    free(t);
    free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_come_out_as_they_went_in),
        cmocka_unit_test(a_time_is_found_by_bisection),
        cmocka_unit_test(what_was_cleared_is_not_handed_out),
        cmocka_unit_test(every_pair_is_right_while_it_is_overwritten),
        cmocka_unit_test(a_pair_takes_nanoseconds),
        cmocka_unit_test(the_tally_counts_like_a_loop),
        cmocka_unit_test(long_bins_are_cheap_and_whole),
        cmocka_unit_test(a_long_run_has_longer_bins),
        cmocka_unit_test(what_was_lost_is_taken_from_what_was_fetched),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
