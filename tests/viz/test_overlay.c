/* The figure of a comparison: colours where they belong, counted in pictures drawn in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/ensure.h"
#include "viz/canvas.h"
#include "viz/overlay.h"

enum { WHITE = 0xffffff, BLUE = 0x0072b2, VERMILION = 0xd55e00, WIDTH = 1370, HEIGHT = 1200 };

DRAWING_LEAKS

static const rv_nearness usual = { .tau_ms = 10, .cost_per_ms = 0.1, .within_ms = 2 };

/* ---------------------------------------------------------------------------------------------- fixture --- */

/* Two recordings of one population. */
typedef struct recordings {
    rv_trains          a, b;
    rv_comparison      comparison;
    overlay_population population;
} recordings;

/* n spikes at equal intervals over 1000 ms, the neurons taking turns; those from_ms < t <= to_ms of them, shifted. */
static rv_trains regular(int64_t size, int64_t n, double shift_ms, double from_ms, double to_ms)
{
    double   *times = malloc(((size_t)n + 1) * sizeof *times);
    int64_t  *neurons = malloc(((size_t)n + 1) * sizeof *neurons), kept = 0;
    rv_trains trains;
    for (int64_t k = 0; k < n; k++) {
        double t = 1000 * (double)(k + 1) / (double)n;
        if (t > from_ms && t <= to_ms) times[kept] = fmin(t + shift_ms, 1000), neurons[kept++] = k % size;
    }
    ENSURE_OK(rv_trains_new(times, neurons, kept, size, 0, 1000, &trains));
    free(times);
    free(neurons);
    return trains;
}

static void pair_up(recordings *r, rv_trains a, rv_trains b, const char *name, bool inhibitory)
{
    *r = (recordings){ .a = a, .b = b };
    ENSURE_OK(rv_compare(&r->a, &r->b, &usual, &r->comparison));
    r->population = (overlay_population){ name, inhibitory, &r->a, &r->b, &r->comparison };
}

static void free_recordings(recordings *r)
{
    rv_trains_free(&r->a);
    rv_trains_free(&r->b);
    rv_comparison_free(&r->comparison);
}

static overlay overlay_of(const overlay_population *populations, int n)
{
    return (overlay){ "a.h5", "b.h5", populations, n, usual.within_ms };
}

static canvas *draw(const overlay *o)
{
    canvas *c;
    ENSURE_OK(canvas_new(WIDTH, HEIGHT, 200.0 / 72, &c, NULL));
    ENSURE_OK(overlay_draw(o, c));
    return c;
}

/* How many pixels have exactly this colour in a part of the picture; the legend, above, is left out. */
static int count_pixels(canvas *c, uint32_t colour, double left, double right)
{
    int             width, height, stride, n = 0;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    for (int y = 60; y < height; y++)
        for (int x = (int)(left * width); x < (int)(right * width); x++)
            n += (pixels[y * stride + x] & 0xffffff) == colour;
    return n;
}

static void ensure_unclipped(canvas *c)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    for (int x = 0; x < width; x++)
        assert_true((pixels[x] & pixels[(height - 1) * stride + x] & 0xffffff) == WHITE);
    for (int y = 0; y < height; y++)
        assert_true((pixels[y * stride] & pixels[y * stride + width - 1] & 0xffffff) == WHITE);
}

/* ----------------------------------------------------------------------------------------------- colours --- */

static void ensure_colours(rv_trains a, rv_trains b, bool blue, bool vermilion)
{
    recordings r;
    pair_up(&r, a, b, "E", false);
    overlay o = overlay_of(&r.population, 1);
    canvas *c = draw(&o);
    int     n_blue = count_pixels(c, BLUE, 0, 1), n_vermilion = count_pixels(c, VERMILION, 0, 1);
    if ((n_blue > 20) != blue || (n_vermilion > 20) != vermilion)
        fail_msg("%d pixels blue, expected %s; %d vermilion, expected %s", n_blue, blue ? "many" : "none", n_vermilion,
                 vermilion ? "many" : "none");
    canvas_free(c);
    free_recordings(&r);
}

static void colours_say_who_has_a_spike(void **state)
{
    (void)state;
    ensure_colours(regular(40, 400, 0, 0, 1000), regular(40, 400, 0, 0, 1000), false, false);
    ensure_colours(regular(40, 400, 0, 0, 1000), regular(40, 400, 0, 0, 500), true, false);
    ensure_colours(regular(40, 400, 0, 0, 500), regular(40, 400, 0, 0, 1000), false, true);
    ensure_colours(regular(40, 400, 0, 0, 500), regular(40, 400, 0, 500, 1000), true, true);
    ensure_colours(regular(40, 400, 0, 0, 0), regular(40, 400, 0, 0, 0), false, false);
}

/* 1.5 ms later is a counterpart, 2.5 ms is not. All spikes are drawn in the raster: 40 lines have room. */
static void counterparts_may_be_somewhat_apart(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        recordings r;
        pair_up(&r, regular(40, 400, 0, 0, 1000), regular(40, 400, late ? 2.5 : 1.5, 0, 1000), "E", false);
        assert_int_equal(r.comparison.n_matched, late ? 1 : 400); /* the last one is held back at 1000 ms */
        overlay o = overlay_of(&r.population, 1);
        canvas *c = draw(&o);
        if (late) assert_true(count_pixels(c, BLUE, 0, 1) > 1500 && count_pixels(c, VERMILION, 0, 1) > 1500);
        else assert_true(count_pixels(c, BLUE, 0, 1) < 1500); /* some at edges of rates' bins */
        canvas_free(c);
        free_recordings(&r);
    }
}

/* B ends in the middle: only the right half of the page holds colour, raster, rate and all. */
static void differences_are_drawn_when_they_are(void **state)
{
    (void)state;
    recordings r;
    pair_up(&r, regular(100, 5000, 0, 0, 1000), regular(100, 5000, 0, 0, 500), "E", false);
    overlay o = overlay_of(&r.population, 1);
    canvas *c = draw(&o);
    assert_int_equal(count_pixels(c, BLUE, 0, 0.5), 0);
    assert_true(count_pixels(c, BLUE, 0.55, 0.97) > 20000); /* the rate is a solid area */
    canvas_free(c);
    free_recordings(&r);
}

/* Of 10 000 neurons one lacks one spike: it is among the some 70 that are drawn. */
static void the_first_difference_is_among_what_is_drawn(void **state)
{
    (void)state;
    for (int64_t neuron = 0; neuron < 10000; neuron += 1234) {
        enum { SIZE = 10000 };
        double    times[SIZE];
        int64_t   all[SIZE], fewer[SIZE - 1];
        rv_trains a, b;
        for (int64_t k = 0, kept = 0; k < SIZE; k++) {
            times[k] = 700, all[k] = k;
            if (k != neuron) fewer[kept++] = k;
        }
        ENSURE_OK(rv_trains_new(times, all, SIZE, SIZE, 0, 1000, &a));
        ENSURE_OK(rv_trains_new(times, fewer, SIZE - 1, SIZE, 0, 1000, &b));
        recordings r;
        pair_up(&r, a, b, "E", false);
        overlay o = overlay_of(&r.population, 1);
        canvas *c = draw(&o);
        int     n = count_pixels(c, BLUE, 0, 1);
        if (n < 2 || n > 100) fail_msg("neuron %d: %d pixels blue, expected those of one spike", (int)neuron, n);
        canvas_free(c);
        free_recordings(&r);
    }
}

/* ------------------------------------------------------------------------------------------------- pages --- */

static void many_populations_and_odd_names_fit(void **state)
{
    (void)state;
    static const char *const names[] = { "E", "a population whose name is far too long for any margin, and then some",
                                         "", "Größe µ", "line\nbreak", "\xff\xfe no UTF-8" };
    recordings         r[6];
    overlay_population populations[6];
    for (int i = 0; i < 6; i++) {
        rv_trains a = regular(1 + 300 * i, 2000 * i, 0, 0, 1000), b = regular(1 + 200 * i, 1000 * i, 1, 100, 700);
        pair_up(&r[i], a, b, names[i], i & 1);
        populations[i] = r[i].population;
    }
    for (int n = 1; n <= 6; n++) {
        overlay o = overlay_of(populations, n);
        o.name_a = "a/recording/in/a/folder/with/many/names/above/it/and/a/long/one.h5", o.name_b = names[1];
        canvas *c = draw(&o);
        ensure_unclipped(c);
        canvas_free(c);
    }
    for (int width = 20; width < 900; width += 150) { /* no page for print, but nothing breaks */
        overlay o = overlay_of(populations, 6);
        canvas *c;
        ENSURE_OK(canvas_new(width, width / 2, 1, &c, NULL));
        ENSURE_OK(overlay_draw(&o, c));
        ENSURE_OK(canvas_close(c, NULL));
    }
    for (int i = 0; i < 6; i++) free_recordings(&r[i]);
}

static void nobody_spikes_and_nobody_is_there(void **state)
{
    (void)state;
    for (int64_t size = 0; size < 3; size++) {
        rv_trains a, b;
        ENSURE_OK(rv_trains_new(NULL, NULL, 0, size, 0, 1000, &a));
        ENSURE_OK(rv_trains_new(NULL, NULL, 0, size, 0, 1000, &b));
        recordings r;
        pair_up(&r, a, b, "E", false);
        overlay o = overlay_of(&r.population, 1);
        canvas *c = draw(&o);
        ensure_unclipped(c);
        assert_true(count_pixels(c, WHITE, 0, 1) < WIDTH * (HEIGHT - 60)); /* there are axes */
        canvas_free(c);
        free_recordings(&r);
    }
}

/* 40 neurons with a million spikes: as many marks as there are columns of pixels, and a file of that size. */
static void files_are_written_whole_and_small(void **state)
{
    (void)state;
    static const char *const endings[] = { "png", "svg", "pdf" }, *const starts[] = { "\x89PNG", "<?xml", "%PDF" };
    char                     folder[] = "/tmp/ranvier_overlay_XXXXXX", path[100], start[5];
    recordings               r;
    rv_error                 error = { 0 };
    assert_non_null(mkdtemp(folder));
    pair_up(&r, regular(40, 1000000, 0, 0, 1000), regular(40, 1000000, 5, 300, 1000), "E", false);
    overlay o = overlay_of(&r.population, 1);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/figure.%s", folder, endings[i]);
        if (overlay_save(&o, path, &error) != RV_OK) fail_msg("%s", error.text);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        assert_non_null(fgets(start, sizeof start, file));
        assert_memory_equal(start, starts[i], strlen(starts[i]) < 4 ? strlen(starts[i]) : 4);
        fseek(file, 0, SEEK_END);
        if (ftell(file) > 20000000) fail_msg("%s: %ld bytes, expected some million at most", path, ftell(file));
        fclose(file);
        unlink(path);
    }
    assert_int_equal(overlay_save(&o, "figure.jpg", &error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, "the ending must be .png, .svg or .pdf"));
    free_recordings(&r);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_say_who_has_a_spike),
        cmocka_unit_test(counterparts_may_be_somewhat_apart),
        cmocka_unit_test(differences_are_drawn_when_they_are),
        cmocka_unit_test(the_first_difference_is_among_what_is_drawn),
        cmocka_unit_test(many_populations_and_odd_names_fit),
        cmocka_unit_test(nobody_spikes_and_nobody_is_there),
        cmocka_unit_test(files_are_written_whole_and_small),
    };
    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
