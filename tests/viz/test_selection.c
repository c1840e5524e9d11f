/* Statistics of a selection: each number against a closed form or a count by brute force, what is selected, what it costs,
 * and the panel in every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/statistics.h"
#include "tests/support/ensure.h"
#include "tests/support/pairs.h"
#include "tests/support/random_number.h"
#include "viz/selection.h"

DRAWING_LEAKS

/* ---------------------------------------------------------------------------------------------- fixture --- */

enum { N_E = 800, N_I = 200, N_HIDDEN = 50, N_ROWS = N_E + N_HIDDEN + N_I };

typedef struct bench {
    feed      *f;
    view       v;
    bool       visible[3];
    selection *s;
} bench;

static bench make_bench(void)
{
    static const feed_population populations[] = { { .name = "E", .size = N_E },
                                                   { .name = "hidden", .size = N_HIDDEN },
                                                   { .name = "I", .size = N_I, .inhibitory = true } };
    bench b = { .visible = { true, false, true } };
    ENSURE_OK(feed_new(populations, 3, &b.f));
    b.v = (view){ .to_ms = 1000, .now_ms = 1000, .last_clicked = { .population = -1 } };
    assert_non_null(b.s = selection_new(b.f));
    return b;
}

static void free_bench(bench *b)
{
    selection_free(b->s);
    feed_free(b->f);
}

static void select_rows(bench *b, int64_t first, int64_t last, double from_ms, double to_ms)
{
    b->v.selection = (view_selection){ true, from_ms, to_ms, first, last };
    b->v.to_ms = b->v.now_ms = fmax(b->v.to_ms, to_ms);
}

/* Lets time pass until the numbers are there. */
static selection_numbers numbers(bench *b)
{
    b->v.visible = b->visible; /* the bench may have moved */
    assert_true(selection_is_late(b->s, &b->v));
    for (int calls = 0; !selection_update(b->s, &b->v, 0.4); calls++)
        if (calls > 1000) fail_msg("no numbers after %d calls", calls);
    assert_false(selection_is_late(b->s, &b->v));
    return selection_get(b->s);
}

/* Independent Poisson trains of all rows: the times of their sum, shared out at random. */
static void add_poisson(bench *b, double rate, double to_ms)
{
    for (double t = 0;;) {
        t -= log(1 - random_number()) * 1000 / (rate * N_ROWS);
        if (t > to_ms) return;
        history_add(b->f->spikes, t, floor(random_number() * N_ROWS));
    }
}

/* Every neuron of the rows at the same times. */
static void add_regular(bench *b, int64_t first, int64_t last, double interval_ms, double to_ms)
{
    for (int k = 1; k * interval_ms <= to_ms; k++)
        for (int64_t row = first; row <= last; row++) history_add(b->f->spikes, k * interval_ms, (double)row);
}

/* ---------------------------------------------------------------------------------------------- numbers --- */

static void regular_trains(void **state)
{
    (void)state;
    bench b = make_bench();
    add_regular(&b, 0, 9, 20, 2000);
    select_rows(&b, 0, 9, 0, 2000);
    selection_numbers n = numbers(&b);
    assert_int_equal(n.neurons, 10);
    assert_int_equal(n.drawn, 10);
    assert_int_equal(n.spikes, 1000);
    ENSURE_NEAR(n.rate, 50, 1e-9, "spikes/s");
    ENSURE_NEAR(n.cv, 0, 1e-9, "");
    ENSURE_NEAR(n.fano_ms, 100, 0, "ms");
    ENSURE_NEAR(n.fano, 0, 1e-12, ""); /* five in every window */
    ENSURE_NEAR(n.correlation, 1, 1e-9, "");
    free_bench(&b);
}

static void poisson_trains(void **state)
{
    (void)state;
    bench b = make_bench();
    add_poisson(&b, 20, 10000);
    select_rows(&b, 0, N_E - 1, 0, 10000);
    selection_numbers n = numbers(&b);
    /* five standard errors: of a count, of the CV (about 1/sqrt(2 n) a neuron and -1/n bias), of the variance, of r */
    ENSURE_NEAR(n.rate, 20, 5 * sqrt(20.0 / 10 / N_E), "spikes/s");
    ENSURE_NEAR(n.cv, 1, 5 / sqrt(200.0 * N_E) + 0.01, "");
    ENSURE_NEAR(n.fano, 1, 5 * sqrt(2.0 / 100 / N_E), "");
    ENSURE_NEAR(n.correlation, 0, 5 * sqrt(1.0 / 5000) / N_E, "");
    free_bench(&b);
}

/* The same number from the formula for pairs, which walks along every pair. */
static void correlation_is_the_mean_over_all_pairs(void **state)
{
    (void)state;
    enum { N = 30, MOST = 20000 };
    bench          b = make_bench();
    static double  times[MOST];
    static int64_t neurons[MOST];
    int64_t        n = 0;
    for (double t = 0; t < 3000; t += 1) {
        double rate = t > 1000 && fmod(t, 100) < 20 ? 0.15 : 0.01; /* together in bursts, neuron 3 and 7 never */
        for (int i = 0; i < N; i++) {
            if (i == 3 || i == 7 || random_number() > rate) continue;
            times[n] = t, neurons[n++] = i;
            history_add(b.f->spikes, t, i);
        }
    }
    rv_trains trains;
    ENSURE_OK(rv_trains_new(times, neurons, n, N, 0, 3000, &trains));
    select_rows(&b, 0, N - 1, 0, 3000);
    selection_numbers got = numbers(&b);
    double            expected = mean_over_pairs(&trains, got.correlation_ms);
    assert_true(expected > 0.05);
    ENSURE_NEAR(got.correlation, expected, 1e-12, "");
    ENSURE_NEAR(got.cv, rv_mean_isi_cv(&trains), 1e-12, "");
    ENSURE_NEAR(got.fano, rv_fano_factor(&trains, got.fano_ms), 1e-12, "");
    rv_trains_free(&trains);
    free_bench(&b);
}

static void opposite_trains_are_anticorrelated(void **state)
{
    (void)state;
    bench b = make_bench();
    for (int t = 1; t < 1000; t += 2) history_add(b.f->spikes, t, t % 4 == 1); /* bins of 2 ms: one or the other */
    select_rows(&b, 0, 1, 0, 1000);
    ENSURE_NEAR(numbers(&b).correlation, -1, 1e-9, "");
    free_bench(&b);
}

static void what_is_not_defined_is_nan(void **state)
{
    (void)state;
    bench b = make_bench();
    select_rows(&b, 0, 9, 0, 1000);
    selection_numbers n = numbers(&b); /* silence */
    ENSURE_NEAR(n.rate, 0, 0, "spikes/s");
    assert_true(isnan(n.cv) && isnan(n.fano) && isnan(n.correlation));
    history_add(b.f->spikes, 5, 1);
    history_add(b.f->spikes, 7, 1);
    n = numbers(&b);
    ENSURE_NEAR(n.rate, 0.2, 1e-12, "spikes/s");
    assert_true(isnan(n.cv)); /* one interval does not vary */
    assert_true(isnan(n.correlation)); /* one neuron is no pair */
    select_rows(&b, 0, 9, 500, 500);
    n = numbers(&b); /* no time */
    assert_int_equal(n.spikes, 0);
    assert_true(isnan(n.rate) && isnan(n.cv) && isnan(n.fano) && isnan(n.correlation));
    free_bench(&b);
}

/* --------------------------------------------------------------------------------------------- selecting --- */

static void only_what_is_under_the_band(void **state)
{
    (void)state;
    bench b = make_bench();
    add_regular(&b, 0, N_ROWS - 1, 10, 1000);
    select_rows(&b, 790, N_E + N_HIDDEN + 4, 200, 300); /* the last ten of E, five of I; what lies between is hidden */
    selection_numbers n = numbers(&b);
    assert_int_equal(n.neurons, 15);
    assert_int_equal(n.spikes, 15 * 10); /* 210, 220, ... 300: a spike belongs to the end of its step */
    ENSURE_NEAR(n.rate, 100, 1e-9, "spikes/s");
    b.visible[1] = true;
    assert_int_equal(numbers(&b).neurons, 15 + N_HIDDEN);
    free_bench(&b);
}

static void a_clicked_neuron_over_the_time_shown(void **state)
{
    (void)state;
    bench b = make_bench();
    add_regular(&b, N_E + N_HIDDEN + 17, N_E + N_HIDDEN + 17, 10, 1000);
    b.v.last_clicked = (view_neuron){ 2, 17 };
    b.v.from_ms = 500;
    selection_numbers n = numbers(&b);
    assert_int_equal(n.neurons, 1);
    assert_int_equal(n.spikes, 50);
    b.v.now_ms = 750; /* a playhead: later spikes are not shown */
    assert_int_equal(numbers(&b).spikes, 25);
    b.v.last_clicked.population = -1;
    assert_int_equal(numbers(&b).neurons, 0);
    free_bench(&b);
}

static void nothing_is_done_without_need_or_too_often(void **state)
{
    (void)state;
    bench b = make_bench();
    add_regular(&b, 0, 9, 10, 1000);
    select_rows(&b, 0, 9, 0, 1000);
    numbers(&b);
    assert_false(selection_update(b.s, &b.v, 10)); /* nothing new */
    int updates = 0;
    for (int frame = 0; frame < 60; frame++) { /* one second, a spike every frame */
        history_add(b.f->spikes, 1000 + frame, 1);
        select_rows(&b, 0, 9, 0, 1000 + frame);
        updates += selection_update(b.s, &b.v, 1 / 60.0);
    }
    assert_in_range(updates, 2, 4);
    free_bench(&b);
}

static void older_spikes_that_were_fetched_count(void **state)
{
    (void)state;
    enum { KEPT = 1 << 10 };
    bench b = make_bench();
    history_free(b.f->spikes);
    assert_non_null(b.f->spikes = history_new(KEPT));
    for (int k = 0; k < 2 * KEPT; k++) history_add(b.f->spikes, k, 0); /* every ms; the first half has gone */
    select_rows(&b, 0, 0, 499.5, 1999.5);
    selection_numbers n = numbers(&b);
    ENSURE_NEAR(n.from_ms, KEPT, 1, "ms"); /* what is known begins there */
    ENSURE_NEAR(n.rate, 1000, 1, "spikes/s");
    for (int k = 400; k < 1100; k++) history_add(b.f->older, k, 0);
    b.f->older_from_ms = 400;
    b.f->older_to_ms = 1100;
    n = numbers(&b);
    ENSURE_NEAR(n.from_ms, 499.5, 0, "ms");
    assert_int_equal(n.spikes, 1500); /* 500 .. 1999, each once */
    free_bench(&b);
}

/* ------------------------------------------------------------------------------------------------- cost --- */

static void many_spikes_are_counted_in_parts(void **state)
{
    (void)state;
    enum { SPIKES = 3000000 };
    bench b = make_bench();
    for (int64_t k = 0; k < SPIKES; k++) /* all of them in turn: each is regular */
        history_add(b.f->spikes, (double)(k / N_ROWS) * 7, (double)(k % N_ROWS));
    double to = (double)SPIKES / N_ROWS * 7 - 7;
    select_rows(&b, 0, N_ROWS - 1, 0, to);
    b.v.visible = b.visible;
    int calls = 1;
    while (!selection_update(b.s, &b.v, 1 / 60.0)) calls++;
    assert_in_range(calls, SPIKES / 400000, 100);
    selection_numbers n = selection_get(b.s);
    assert_int_equal(n.neurons, N_E + N_I);
    assert_in_range(n.drawn, 50, N_E + N_I - 1);
    assert_in_range(n.spikes, 1 << 16, 1 << 18);
    ENSURE_NEAR(n.rate, 1000.0 / 7, 0.01, "spikes/s"); /* drawn neurons, all of the time */
    ENSURE_NEAR(n.cv, 0, 1e-9, "");
    ENSURE_NEAR(n.to_ms, to, 0, "ms");
    select_rows(&b, 5, 5, 0, to); /* a new selection does not wait for the old one */
    assert_int_equal(numbers(&b).neurons, 1);
    free_bench(&b);
}

static void spikes_may_go_while_they_are_counted(void **state)
{
    (void)state;
    enum { KEPT = 1 << 19 };
    bench b = make_bench();
    history_free(b.f->spikes);
    assert_non_null(b.f->spikes = history_new(KEPT));
    for (int k = 0; k < KEPT; k++) history_add(b.f->spikes, k, k % 4);
    select_rows(&b, 0, 3, 0, KEPT - 1);
    b.v.visible = b.visible;
    assert_false(selection_update(b.s, &b.v, 1));
    for (int k = KEPT; k < KEPT + 300000; k++) history_add(b.f->spikes, k, k % 4); /* more than was read until now */
    while (!selection_update(b.s, &b.v, 1 / 60.0)) continue;
    selection_numbers n = selection_get(b.s);
    ENSURE_NEAR(n.from_ms, 300000, 1, "ms");
    ENSURE_NEAR(n.rate, 250, 0.1, "spikes/s");
    ENSURE_NEAR(n.cv, 0, 1e-9, "");
    free_bench(&b);
}

static void a_thousand_neurons_are_drawn_evenly(void **state)
{
    (void)state;
    static const feed_population crowd = { .name = "crowd", .size = 100000 };
    bench                        b = make_bench();
    free_bench(&b);
    ENSURE_OK(feed_new(&crowd, 1, &b.f));
    assert_non_null(b.s = selection_new(b.f));
    for (int64_t row = 0; row < crowd.size; row++) history_add(b.f->spikes, 1, (double)row);
    for (int64_t row = 0; row < crowd.size / 2; row++) history_add(b.f->spikes, 2, (double)row);
    select_rows(&b, 0, crowd.size - 1, 0, 1000);
    selection_numbers n = numbers(&b);
    assert_int_equal(n.neurons, 100000);
    assert_int_equal(n.drawn, 1000);
    assert_int_equal(n.spikes, 1500); /* half of the drawn ones are among the first half */
    free_bench(&b);
}

/* -------------------------------------------------------------------------------------------------- panel --- */

static void count_colours(canvas *c, int *blue, int *vermilion)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    *blue = *vermilion = 0;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int red = pixels[y * stride + x] >> 16 & 255, b = pixels[y * stride + x] & 255;
            *blue += b > red + 80;
            *vermilion += red > b + 80;
        }
}

static void intervals_have_the_colours_of_their_populations(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        bench   b = make_bench();
        canvas *c;
        int     blue, vermilion;
        add_poisson(&b, 20, 2000);
        ENSURE_OK(canvas_new(300, 300, 1, &c, NULL));
        canvas_dark(c, dark);
        select_rows(&b, 0, 99, 0, 2000);
        numbers(&b);
        ENSURE_OK(selection_draw(b.s, &b.v, c, (axis_rect){ 10, 10, 280, 280, 0 }));
        count_colours(c, &blue, &vermilion);
        assert_true(blue > 300 && vermilion == 0);
        canvas_clear(c);
        select_rows(&b, N_E + N_HIDDEN, N_ROWS - 1, 0, 2000);
        numbers(&b);
        ENSURE_OK(selection_draw(b.s, &b.v, c, (axis_rect){ 10, 10, 280, 280, 0 }));
        count_colours(c, &blue, &vermilion);
        assert_true(vermilion > 300 && blue == 0);
        canvas_free(c);
        free_bench(&b);
    }
}

static bool untouched_outside(canvas *c, int x0, int y0, int x1, int y1)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            if ((x < x0 || x >= x1 || y < y0 || y >= y1) && pixels[y * stride + x] != pixels[0]) return false;
    return true;
}

static void every_size_is_drawn_within_its_place(void **state)
{
    (void)state;
    static const double sizes[] = { 1, 3, 10, 25, 60, 111, 200, 400, 800 };
    enum { N = sizeof sizes / sizeof *sizes };
    bench b = make_bench();
    add_poisson(&b, 20, 2000);
    for (int selected = 0; selected < 3; selected++) {
        b.v.selection.there = false;
        if (selected) select_rows(&b, 0, selected == 1 ? 9 : N_ROWS - 1, 0, 2000);
        if (selected) numbers(&b);
        for (int i = 0; i < N * N * 2; i++) {
            double  width = sizes[i % N], height = sizes[i / N % N];
            canvas *c;
            ENSURE_OK(canvas_new((int)width + 20, (int)height + 20, 1, &c, NULL));
            canvas_dark(c, i / N / N);
            ENSURE_OK(selection_draw(b.s, &b.v, c, (axis_rect){ 10, 10, width, height, 0 }));
            assert_true(untouched_outside(c, 10, 10, 10 + (int)width, 10 + (int)height));
            ENSURE_OK(canvas_close(c, NULL));
        }
    }
    free_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_trains),
        cmocka_unit_test(poisson_trains),
        cmocka_unit_test(correlation_is_the_mean_over_all_pairs),
        cmocka_unit_test(opposite_trains_are_anticorrelated),
        cmocka_unit_test(what_is_not_defined_is_nan),
        cmocka_unit_test(only_what_is_under_the_band),
        cmocka_unit_test(a_clicked_neuron_over_the_time_shown),
        cmocka_unit_test(nothing_is_done_without_need_or_too_often),
        cmocka_unit_test(older_spikes_that_were_fetched_count),
        cmocka_unit_test(many_spikes_are_counted_in_parts),
        cmocka_unit_test(spikes_may_go_while_they_are_counted),
        cmocka_unit_test(a_thousand_neurons_are_drawn_evenly),
        cmocka_unit_test(intervals_have_the_colours_of_their_populations),
        cmocka_unit_test(every_size_is_drawn_within_its_place),
    };
    return cmocka_run_group_tests_name("selection", tests, NULL, NULL);
}
