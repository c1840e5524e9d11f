/* The screen: synthetic feeds drawn in memory, in both themes and all sizes; pixels change where they should.
 * RANVIER_PICTURES=folder keeps the pictures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/ensure.h"
#include "tests/support/random_number.h"
#include "viz/layout.h"
#include "viz/screen.h"

DRAWING_LEAKS

static const double SCALE = 1.4; /* pixels per point, as in the window */

/* ---- feeds ----------------------------------------------------------------------------------------------------- */

static feed_population population(const char *name, int64_t size, bool inhibitory)
{
    feed_population p = { .size = size, .inhibitory = inhibitory, .variable = "V_m", .unit = "mV" };
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

/* n spikes over `ms`, with an oscillation in which the first neurons take part more than others. */
static void add_spikes(feed *f, int64_t n, double ms)
{
    double t = 0;
    for (int64_t k = 0; k < n; k++) {
        double strength = 1 + 0.75 * sin(t / 1000 * 2 * acos(-1) * 18) * (0.4 + 0.6 * sin(t / 400));
        t += -log(1 - random_number()) * ms / (double)n / fmax(strength, 0.1);
        double at = f->exact ? t : ceil(t / f->resolution_ms) * f->resolution_ms;
        if (at > ms) break;
        history_add(f->spikes, at, floor((double)f->n_rows * pow(random_number(), 1.15)));
        f->n_spikes += 1;
    }
    f->n_events = f->n_spikes * 1000;
    f->t_ms = ms;
}

static feed *make_feed(const feed_population *populations, int n, int64_t spikes, double ms)
{
    feed *f;
    ENSURE_OK(feed_new(populations, n, &f));
    snprintf(f->title, sizeof f->title, "examples/brunel_2000.lua");
    f->live = true;
    f->state = FEED_RUNNING;
    f->inject_pA = 400;
    f->end_ms = 2 * ms;
    f->n_pending = 18234;
    f->n_bytes = 345678901;
    if (f->n_rows > 0) add_spikes(f, spikes, ms);
    f->t_ms = ms;
    return f;
}

static feed *two_populations(int64_t spikes, double ms)
{
    const feed_population populations[] = { population("E", 10000, false), population("I", 2500, true) };
    return make_feed(populations, 2, spikes, ms);
}

static void add_knob(feed *f, const char *label, double low, double high, double value)
{
    feed_knob *k = &f->knob[f->n_knobs++];
    snprintf(k->label, sizeof k->label, "%s", label);
    k->low = low, k->high = high;
    k->value = value;
}

/* A membrane potential that drifts to threshold and is reset. */
static void add_trace(feed *f, view *v, int slot, int population, int64_t neuron, double ms)
{
    double V_m = -60 - slot;
    for (double t = 0.1; t < ms; t += 0.1) {
        V_m += (-58 - V_m) * 0.005 + (random_number() - 0.46) * 1.1;
        if (V_m >= -50) V_m = -65;
        history_add(f->trace[slot].samples, t, V_m);
    }
    f->trace[slot].threshold = -50;
    v->traced[slot] = (view_neuron){ population, neuron };
}

/* ---- pictures -------------------------------------------------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static canvas *draw(screen *s, view *v, int width, int height)
{
    canvas *c;
    bool    complete = false;
    ENSURE_OK(canvas_new(width, height, SCALE, &c, NULL));
    v->width = width / SCALE, v->height = height / SCALE;
    for (int frame = 0; frame < 1000 && !complete; frame++) ENSURE_OK(screen_draw(s, v, c, 0.1, &complete));
    assert_true(complete);
    return c;
}

static void keep(canvas *c, const char *name)
{
    const char *folder = getenv("RANVIER_PICTURES");
    char        path[300];
    int         width, height, stride;
    if (!folder) return;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    canvas         *file;
    uint32_t       *rgb = malloc((size_t)width * (size_t)height * sizeof *rgb);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) rgb[y * width + x] = pixels[y * stride + x] & 0xffffff;
    snprintf(path, sizeof path, "%s/%s.png", folder, name);
    ENSURE_OK(canvas_open(path, width, height, 72, &file, NULL));
    canvas_patch(file, 0, 0, width, height, rgb, width, height);
    ENSURE_OK(canvas_close(file, NULL));
    free(rgb);
}

static uint32_t pixel_at(canvas *c, double x, double y)
{
    int             width, height, stride, column = (int)(x * SCALE), row = (int)(y * SCALE);
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    assert_in_range(column, 0, width - 1);
    assert_in_range(row, 0, height - 1);
    return pixels[row * stride + column] & 0xffffff;
}

/* Pixels that differ between two pictures within a rectangle, as a part of it. */
static double changed(canvas *a, canvas *b, axis_rect r)
{
    int64_t n = 0, all = 0;
    for (double y = r.y + 0.5; y < r.y + r.height - 0.5; y += 0.5)
        for (double x = r.x + 0.5; x < r.x + r.width - 0.5; x += 0.5, all++)
            n += pixel_at(a, x, y) != pixel_at(b, x, y);
    return all > 0 ? (double)n / (double)all : 0;
}

/* Pixels that are not the page, as a part of a rectangle. */
static double ink(canvas *c, axis_rect r, bool dark)
{
    int64_t  n = 0, all = 0;
    uint32_t page = dark ? 0x14171c : 0xffffff;
    for (double y = r.y + 0.5; y < r.y + r.height - 0.5; y += 0.5)
        for (double x = r.x + 0.5; x < r.x + r.width - 0.5; x += 0.5, all++) n += pixel_at(c, x, y) != page;
    return all > 0 ? (double)n / (double)all : 0;
}

static axis_rect place(const view *v, const feed *f, layout_kind kind, int index)
{
    layout l;
    view   scaled = *v;
    scaled.scale = SCALE;
    ENSURE_OK(layout_make(&scaled, f, &l));
    const axis_rect *r = layout_find(&l, kind, index);
    if (!r) fail_msg("item %d, index %d is not shown", (int)kind, index);
    axis_rect found = *r;
    layout_free(&l);
    return found;
}

/* ---- fixture --------------------------------------------------------------------------------------------------- */

static feed   *f;
static view    v;
static screen *s;

static void open_screen(feed *opened)
{
    f = opened;
    ENSURE_OK(view_open(&v, f));
    s = screen_new(f);
    assert_non_null(s);
    v.width = 1280 / SCALE, v.height = 800 / SCALE;
    view_tick(&v, f, 0.01);
    v.measured_speed = 0.83, v.frames_per_second = 60;
    v.mouse_x = v.mouse_y = -1;
}

static void close_screen(void)
{
    screen_free(s);
    view_close(&v);
    feed_free(f);
}

static void draw_and_keep(int width, int height, const char *name)
{
    canvas *c = draw(s, &v, width, height);
    keep(c, name);
    canvas_free(c);
}

/* ---- what is shown --------------------------------------------------------------------------------------------- */

static void the_usual_network(void **state)
{
    (void)state;
    open_screen(two_populations(1000000, 4000));
    add_knob(f, "external rate (spikes/s)", 0, 20, 12.5);
    add_knob(f, "inhibition g", 0, 8, 5);
    v.knob[0] = 12.5, v.knob[1] = 5;
    for (int k = 0; k < 2; k++) add_trace(f, &v, k, k, 100 + 777 * k, 4000);
    for (int dark = 0; dark < 2; dark++) {
        v.dark = dark;
        canvas *c = draw(s, &v, 1280, 800);
        keep(c, dark ? "usual_dark" : "usual_light");
        assert_in_range(1000 * ink(c, place(&v, f, LAYOUT_RASTER, 0), dark), 300, 950);
        assert_in_range(1000 * ink(c, place(&v, f, LAYOUT_RATE, 0), dark), 20, 300);
        assert_in_range(1000 * ink(c, place(&v, f, LAYOUT_TRACE, 1), dark), 20, 400);
        assert_in_range(1000 * ink(c, place(&v, f, LAYOUT_NEURON_RATES, 0), dark), 50, 900);
        assert_in_range(1000 * ink(c, place(&v, f, LAYOUT_MAP, 0), dark), 100, 990);
        canvas_free(c);
    }
    close_screen();
}

static void frames_take_milliseconds(void **state)
{
    (void)state;
    open_screen(two_populations(1000000, 4000));
    add_trace(f, &v, 0, 0, 100, 4000);
    canvas *c = draw(s, &v, 1280, 800);
    double  shortest = INFINITY;
    for (int round = 0; round < 5; round++) {
        double start = seconds_now();
        for (int k = 0; k < 10; k++) ENSURE_OK(screen_draw(s, &v, c, 0.005, NULL));
        shortest = fmin(shortest, (seconds_now() - start) / 10);
    }
    print_message("a frame of 1280 x 800 without new spikes: %.2f ms\n", 1000 * shortest);
    canvas_free(c);
    close_screen();
}

static void a_hidden_population_is_not_drawn(void **state)
{
    (void)state;
    open_screen(two_populations(100000, 4000));
    canvas   *both = draw(s, &v, 1280, 800);
    axis_rect raster = place(&v, f, LAYOUT_RASTER, 0), rate = place(&v, f, LAYOUT_RATE, 0);
    v.visible[1] = false;
    canvas *one = draw(s, &v, 1280, 800);
    assert_true(changed(both, one, raster) > 0.2);
    assert_true(changed(both, one, rate) > 0.005);
    assert_true(changed(both, one, place(&v, f, LAYOUT_POPULATION, 1)) > 0.02);
    assert_true(changed(both, one, place(&v, f, LAYOUT_POPULATION, 0)) == 0);
    v.visible[0] = false;
    canvas *none = draw(s, &v, 1280, 800);
    assert_true(ink(none, raster, true) == 0);
    canvas_free(both);
    canvas_free(one);
    canvas_free(none);
    close_screen();
}

static void the_line_of_now_moves_and_nothing_is_after_it(void **state)
{
    (void)state;
    open_screen(two_populations(400000, 4000));
    f->live = v.follow = false;
    f->state = FEED_STORED;
    v.from_ms = 3000, v.to_ms = 4000, v.now_ms = 3400;
    canvas   *c = draw(s, &v, 1280, 800);
    axis_rect raster = place(&v, f, LAYOUT_RASTER, 0);
    axis_rect left = raster, right = raster;
    left.width *= 0.39;
    right.x += 0.41 * raster.width, right.width *= 0.59;
    assert_true(ink(c, left, true) > 0.05);
    assert_true(ink(c, right, true) == 0);
    axis_rect rate = place(&v, f, LAYOUT_RATE, 0);
    rate.x += 0.42 * rate.width, rate.width *= 0.57;
    assert_true(ink(c, rate, true) == 0);
    v.now_ms = 3700;
    canvas *later = draw(s, &v, 1280, 800);
    right.width *= 0.4;
    assert_true(changed(c, later, right) > 0.05);
    canvas_free(c);
    canvas_free(later);
    close_screen();
}

static void what_the_mouse_does_is_seen(void **state)
{
    (void)state;
    open_screen(two_populations(100000, 4000));
    canvas   *before = draw(s, &v, 1280, 800);
    axis_rect raster = place(&v, f, LAYOUT_RASTER, 0);
    v.selection = (view_selection){ true, 3300, 3600, 2000, 6000 };
    canvas *selected = draw(s, &v, 1280, 800);
    assert_in_range(1000 * changed(before, selected, raster), 80, 130); /* 4000 of 12 500 neurons, 0.3 of the time */
    v.selection.there = false;
    v.mouse_x = raster.x + 100, v.mouse_y = raster.y + 60;
    canvas *hovered = draw(s, &v, 1280, 800);
    axis_rect tip = { .x = v.mouse_x + 9, .y = v.mouse_y + 12, .width = 60, .height = 13 };
    assert_true(changed(before, hovered, tip) > 0.5);
    v.mouse_x = 10, v.mouse_y = 10;
    canvas *button = draw(s, &v, 1280, 800);
    assert_true(changed(before, button, place(&v, f, LAYOUT_BUTTON, BUTTON_PAUSE)) > 0.5);
    canvas_free(before);
    canvas_free(selected);
    canvas_free(hovered);
    canvas_free(button);
    close_screen();
}

static void overlays_are_drawn(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        open_screen(two_populations(100000, 4000));
        v.dark = dark;
        v.help = true;
        draw_and_keep(1280, 800, dark ? "help_dark" : "help_light");
        v.help = false, v.menu = v.searching = true;
        snprintf(v.search, sizeof v.search, "E 123");
        v.selection = (view_selection){ true, 3300, 3600, 2000, 11000 };
        v.panels |= VIEW_SELECTION;
        v.last_clicked = (view_neuron){ 0, 7000 };
        v.mouse_x = 740, v.mouse_y = 60;
        view_note(&v, "ranvier-0001.png is written");
        draw_and_keep(1280, 800, dark ? "overlays_dark" : "overlays_light");
        f->state = FEED_FAILED;
        snprintf(f->message, sizeof f->message, "population \"E\": V_m is no longer a number at 4000 ms");
        v.menu = v.searching = false;
        draw_and_keep(1280, 800, dark ? "failed_dark" : "failed_light");
        close_screen();
    }
}

static void a_moment_in_exact_timing(void **state)
{
    (void)state;
    const feed_population populations[] = { population("E", 40, false), population("I", 10, true) };
    open_screen(make_feed(populations, 2, 3000, 4000));
    f->exact = true;
    for (int k = 0; k < 2; k++) add_trace(f, &v, k, k, 5, 4000);
    v.paused = f->paused = true;
    v.events = true, v.follow = false;
    v.from_ms = 3900, v.to_ms = 4010, v.now_ms = 3973.1234;
    v.speed = 0.01, v.bin_ms = 1;
    draw_and_keep(1280, 800, "moment_dark");
    v.dark = false;
    draw_and_keep(1280, 800, "moment_light");
    close_screen();
}

/* The eight populations of Potjans & Diesmann (2014). */
static feed *microcircuit(int64_t spikes)
{
    const feed_population populations[] = {
        population("L23E", 20683, false), population("L23I", 5834, true), population("L4E", 21915, false),
        population("L4I", 5479, true),    population("L5E", 4850, false), population("L5I", 1065, true),
        population("L6E", 14395, false),  population("L6I", 2948, true),
    };
    return make_feed(populations, 8, spikes, 2000);
}

static void eight_populations(void **state)
{
    (void)state;
    open_screen(microcircuit(600000));
    v.panels |= VIEW_SELECTION;
    draw_and_keep(1280, 800, "eight_dark");
    v.dark = false;
    draw_and_keep(1280, 800, "eight_light");
    close_screen();
}

static void a_hundred_populations(void **state)
{
    (void)state;
    feed_population many[100];
    for (int p = 0; p < 100; p++) {
        char name[24];
        snprintf(name, sizeof name, "column %d", p + 1);
        many[p] = population(name, 20 + p, p % 4 == 3);
    }
    open_screen(make_feed(many, 100, 50000, 2000));
    draw_and_keep(1280, 800, "hundred_dark");
    close_screen();
}

static void nothing_and_one_neuron(void **state)
{
    (void)state;
    open_screen(make_feed(NULL, 0, 0, 0));
    f->state = FEED_BUILDING;
    draw_and_keep(1280, 800, "nothing_dark");
    close_screen();
    const feed_population one = population("neuron", 1, false);
    open_screen(make_feed(&one, 1, 40, 1000));
    add_trace(f, &v, 0, 0, 0, 1000);
    draw_and_keep(1280, 800, "one_dark");
    close_screen();
}

static void odd_names_and_numbers(void **state)
{
    (void)state;
    feed_population odd[] = { population("a population whose name is too long for any margin, and more", 10, false),
                              population("\xff\xfe \xc3", 0, true), population("", 3, true) };
    open_screen(make_feed(odd, 3, 100, 10));
    f->n_pending = -5;
    f->n_events = f->n_bytes = INT64_MAX;
    f->n_knobs = 1;
    snprintf(f->title, sizeof f->title, "%0127d", 1);
    v.measured_speed = 1e12, v.frames_per_second = NAN;
    v.last_clicked = (view_neuron){ 0, 9 };
    history_add(f->trace[0].samples, 1, NAN);
    history_add(f->trace[0].samples, 2, INFINITY);
    history_add(f->trace[0].samples, 3, -70);
    v.traced[0] = v.last_clicked;
    draw_and_keep(1280, 800, "odd_dark");
    close_screen();
}

/* ---- sizes ----------------------------------------------------------------------------------------------------- */

static void every_size_is_drawn(void **state)
{
    (void)state;
    const int sizes[][2] = { { 1, 1 },    { 2, 3 },     { 40, 25 },   { 300, 200 },   { 120, 900 },
                             { 900, 60 }, { 640, 400 }, { 700, 500 }, { 1920, 1080 }, { 4000, 3000 } };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        char name[64];
        open_screen(microcircuit(30000));
        for (int trace = 0; trace < 3; trace++) add_trace(f, &v, trace, trace, 10, 2000);
        v.dark = k % 2;
        v.panels |= VIEW_SELECTION;
        v.last_clicked = v.traced[0];
        snprintf(name, sizeof name, "size_%dx%d", sizes[k][0], sizes[k][1]);
        draw_and_keep(sizes[k][0], sizes[k][1], name);
        v.panels = 127, v.help = v.menu = v.searching = true;
        draw_and_keep(sizes[k][0], sizes[k][1], "size_all");
        close_screen();
    }
}

static void many_views_are_drawn(void **state)
{
    (void)state;
    open_screen(two_populations(200000, 4000));
    for (int k = 0; k < FEED_TRACES; k++) add_trace(f, &v, k, k % 2, k, 4000);
    v.follow = false;
    canvas *c;
    ENSURE_OK(canvas_new(640, 480, SCALE, &c, NULL));
    for (int round = 0; round < 150; round++) {
        double span = pow(10, random_number() * 6 - 2), low = random_number();
        v.from_ms = random_number() * 4000 - 100, v.to_ms = v.from_ms + span;
        v.low = low, v.high = low + (1 - low) * fmax(pow(random_number(), 3), 1e-4);
        v.now_ms = random_number() * 4000;
        v.bin_ms = pow(10, random_number() * 6 - 2);
        v.panels = (unsigned)(random_number() * 128);
        v.dark = random_number() < 0.5;
        v.mouse_x = random_number() * 460, v.mouse_y = random_number() * 340;
        ENSURE_OK(screen_draw(s, &v, c, 0.002, NULL));
    }
    ENSURE_OK(canvas_close(c, NULL)); /* cairo had nothing to complain about */
    close_screen();
}

/* ---- files ----------------------------------------------------------------------------------------------------- */

static void files_are_pages(void **state)
{
    (void)state;
    const char *endings[] = { "png", "svg", "pdf" }, *folder = getenv("RANVIER_PICTURES");
    char        path[300];
    open_screen(two_populations(200000, 4000));
    for (int k = 0; k < 2; k++) add_trace(f, &v, k, k, 100, 4000);
    canvas *before = draw(s, &v, 1280, 800);
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "%s/ranvier_test_page_%d.%s", folder ? folder : "/tmp", (int)getpid(), endings[k]);
        rv_error error = { 0 };
        if (screen_save(s, &v, path, &error) != RV_OK) fail_msg("%s", error.text);
        assert_int_equal(access(path, R_OK), 0);
        if (!folder) remove(path);
    }
    assert_int_equal(screen_save(s, &v, "/nowhere/page.png", NULL), RV_FILE_ERROR);
    assert_int_equal(screen_save(s, &v, "/tmp/page.doc", NULL), RV_FILE_ERROR);
    canvas *after = draw(s, &v, 1280, 800); /* the window's picture is as it was */
    assert_true(changed(before, after, place(&v, f, LAYOUT_RASTER, 0)) == 0);
    assert_true(changed(before, after, place(&v, f, LAYOUT_RATE, 0)) == 0);
    canvas_free(before);
    canvas_free(after);
    close_screen();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_network),
        cmocka_unit_test(frames_take_milliseconds),
        cmocka_unit_test(a_hidden_population_is_not_drawn),
        cmocka_unit_test(the_line_of_now_moves_and_nothing_is_after_it),
        cmocka_unit_test(what_the_mouse_does_is_seen),
        cmocka_unit_test(overlays_are_drawn),
        cmocka_unit_test(a_moment_in_exact_timing),
        cmocka_unit_test(eight_populations),
        cmocka_unit_test(a_hundred_populations),
        cmocka_unit_test(nothing_and_one_neuron),
        cmocka_unit_test(odd_names_and_numbers),
        cmocka_unit_test(every_size_is_drawn),
        cmocka_unit_test(many_views_are_drawn),
        cmocka_unit_test(files_are_pages),
    };
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
