/* The weight panel, the event image and the colours they use: pictures are drawn in memory and looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "viz/camera.h"
#include "viz/colours.h"
#include "viz/weights.h"

enum { WHITE = 0xffffff, BLUE = 0x0072b2, VERMILION = 0xd55e00 };

DRAWING_LEAKS

/* ---------------------------------------------------------------------------------------------- pictures --- */

static canvas *new_canvas(int width, int height, double scale, bool dark)
{
    canvas *c;
    ENSURE_OK(canvas_new(width, height, scale, &c, NULL));
    canvas_dark(c, dark);
    return c;
}

static uint32_t pixel(canvas *c, int x, int y)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    assert_in_range(x, 0, width - 1);
    assert_in_range(y, 0, height - 1);
    return pixels[y * stride + x] & 0xffffff;
}

typedef struct box {
    int x0, y0, x1, y1, n; /* pixels, both ends included; how many are of the colour */
} box;

static int distance(uint32_t a, uint32_t b)
{
    int d = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int part = abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
        d = part > d ? part : d;
    }
    return d;
}

/* The pixels of a colour, at most `tolerance` of 255 away, in rows y0 .. y1 - 1. */
static box find_colour(canvas *c, uint32_t colour, int tolerance, int y0, int y1)
{
    box b = { 1 << 30, 1 << 30, -1, -1, 0 };
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < (int)(canvas_width(c) * canvas_scale(c)); x++) {
            if (distance(pixel(c, x, y), colour) > tolerance) continue;
            b.x0 = x < b.x0 ? x : b.x0, b.x1 = x > b.x1 ? x : b.x1;
            b.y0 = y < b.y0 ? y : b.y0, b.y1 = y > b.y1 ? y : b.y1;
            b.n++;
        }
    return b;
}

static box find_all(canvas *c, uint32_t colour)
{
    return find_colour(c, colour, 2, 0, (int)(canvas_height(c) * canvas_scale(c)));
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

static const double sizes[] = { 1, 3, 10, 25, 60, 111, 200, 400, 800 };
enum { N_SIZES = sizeof sizes / sizeof *sizes };

/* ----------------------------------------------------------------------------------------------- colours --- */

/* CIE 1976 lightness of an sRGB colour, 0..100. */
static double lightness(uint32_t rgb)
{
    static const double weight[] = { 0.0722, 0.7152, 0.2126 };
    double              y = 0;
    for (int i = 0; i < 3; i++) {
        double s = (rgb >> 8 * i & 255) / 255.0;
        y += weight[i] * (s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
    }
    return y > 0.008856 ? 116 * cbrt(y) - 16 : 903.3 * y;
}

static void lightness_tells_the_number(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        double sign = dark ? 1 : -1, smallest = INFINITY, largest = 0;
        for (int i = 0; i < 20; i++) { /* equal steps of the number, about equal steps of lightness */
            double step = sign * (lightness(colours_scale(false, dark, (i + 1) / 20.0)) -
                                  lightness(colours_scale(false, dark, i / 20.0)));
            smallest = fmin(smallest, step), largest = fmax(largest, step);
        }
        assert_true(smallest > 2 && largest < 7);
        for (int i = 0; i < 20; i++) { /* both arms of the scale for two signs */
            double here = lightness(colours_scale(true, dark, 0.5 - i / 40.0));
            double there = lightness(colours_scale(true, dark, 0.5 - (i + 1) / 40.0));
            assert_true(sign * (there - here) > 0.4);
            ENSURE_NEAR(there, lightness(colours_scale(true, dark, 0.5 + (i + 1) / 40.0)), 8, "of 100");
        }
    }
    assert_true(colours_is_dark(0x14171c) && !colours_is_dark(WHITE));
    assert_int_equal(colours_mix(0x102030, 0x302010, 0.5), 0x202020);
}

/* ----------------------------------------------------------------------------------------------- weights --- */

static feed *learning_feed(void)
{
    feed *f;
    ENSURE_OK(feed_new(NULL, 0, &f));
    strcpy(f->learning[0], "E to E, stdp");
    strcpy(f->learning[1], "retina to E, stdp");
    f->n_learning = 2;
    return f;
}

/* All weights alike, within the limits. */
static feed_weights *begin_snapshot(feed *f, int learning, double t_ms, double weight, double low, double high)
{
    feed_weights *w = feed_weights_begin(f);
    memset(w, 0, sizeof *w);
    w->learning = learning, w->t_ms = t_ms, w->n_synapses = 1000;
    w->low = low, w->high = high, w->mean = weight;
    w->histogram[(int)fmin((weight - low) / (high - low) * FEED_HISTOGRAM, FEED_HISTOGRAM - 1)] = 1;
    return w;
}

static void send_snapshot(weights *w, feed *f, const view *v)
{
    feed_weights_end(f);
    assert_true(weights_update(w, v));
    assert_false(weights_update(w, v)); /* each is taken once */
}

static const axis_rect panel = { 10, 10, 380, 230, 0 };
enum { BELOW_LEGEND = 96, ABOVE_AXIS = 420 }; /* rows of pixels of the development, which has the whole panel */

static canvas *draw_panel(const weights *w, const view *v)
{
    canvas *c = new_canvas(800, 500, 2, false);
    ENSURE_OK(weights_draw(w, v, c, panel));
    return c;
}

/* The height of the mean's line at a column of pixels, -1: it is not there. */
static int mean_at(canvas *c, int x)
{
    for (int y = BELOW_LEGEND; y < ABOVE_AXIS; y++)
        if (distance(pixel(c, x, y), VERMILION) < 60) return y;
    return -1;
}

static bool dark_around(canvas *c, int x, int y)
{
    return lightness(pixel(c, x, y - 4)) < 60 || lightness(pixel(c, x, y + 4)) < 60;
}

static void without_a_snapshot_the_panel_waits(void **state)
{
    (void)state;
    feed    *f = learning_feed();
    weights *w = weights_new(f);
    view     v = { .learning = 0 };
    canvas  *c = draw_panel(w, &v);
    assert_false(weights_update(w, &v));
    assert_int_equal(find_colour(c, VERMILION, 60, 0, 500).n, 0);
    assert_true(find_colour(c, AXIS_FAINT, 60, 200, 320).n > 100); /* a line that says so */
    canvas_free(c);
    feed_weights *s = begin_snapshot(f, 1, 0, 0.5, 0, 1);
    (void)s;
    feed_weights_end(f);
    assert_false(weights_update(w, &v)); /* of another projection than the one shown */
    c = draw_panel(w, &v);
    assert_int_equal(find_colour(c, VERMILION, 60, 0, 500).n, 0);
    canvas_free(c);
    v.learning = 1;
    c = draw_panel(w, &v);
    assert_true(find_colour(c, VERMILION, 60, 0, 500).n > 100);
    canvas_free(c);
    weights_free(w);
    feed_free(f);
}

/* Ten times more snapshots than moments are kept: the weight steps in the middle of the run, and is seen there. */
static void the_whole_run_stays_visible(void **state)
{
    (void)state;
    static const int counts[] = { 2, 10, 511, 512, 513, 5120, 6001 };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        feed    *f = learning_feed();
        weights *w = weights_new(f);
        view     v = { .learning = 0 };
        for (int k = 0; k < counts[i]; k++) {
            begin_snapshot(f, 0, k, 2 * k < counts[i] ? 0.25 : 0.75, 0, 1);
            send_snapshot(w, f, &v);
        }
        canvas *c = draw_panel(w, &v);
        box     line = find_colour(c, VERMILION, 60, BELOW_LEGEND, ABOVE_AXIS);
        assert_true(line.x1 - line.x0 > 600);
        int early = mean_at(c, line.x0 + 3), late = mean_at(c, line.x1 - 3), middle = (line.x0 + line.x1) / 2;
        assert_true(early - late > 100); /* weight grows upwards */
        assert_true(dark_around(c, line.x0 + 3, early) && dark_around(c, line.x1 - 3, late));
        assert_true(lightness(pixel(c, line.x0 + 3, late)) > 95 && lightness(pixel(c, line.x1 - 3, early)) > 95);
        if (counts[i] > 10) {
            assert_int_equal(mean_at(c, middle - 12), early);
            ENSURE_NEAR(mean_at(c, middle + 12), late, 1, "pixels");
        }
        canvas_free(c);
        weights_free(w);
        feed_free(f);
    }
}

static void limits_may_change(void **state)
{
    (void)state;
    feed    *f = learning_feed();
    weights *w = weights_new(f);
    view     v = { .learning = 0 };
    for (int k = 0; k < 1000; k++) {
        double r = k < 500 ? 1 : 2 + k % 3;
        begin_snapshot(f, 0, k, 0.5, 0.5 - r, 0.5 + 1.3 * r);
        send_snapshot(w, f, &v);
    }
    canvas *c = draw_panel(w, &v);
    box     line = find_colour(c, VERMILION, 60, BELOW_LEGEND, ABOVE_AXIS);
    assert_in_range(line.y1 - line.y0, 0, 4); /* it is straight */
    for (int x = line.x0 + 3; x < line.x1 - 3; x++) assert_true(dark_around(c, x, mean_at(c, x)));
    for (int x = line.x0 + 3; x < line.x1 - 3; x++) /* and all weights lie around it */
        assert_true(lightness(pixel(c, x, line.y0 - 32)) > 95 && lightness(pixel(c, x, line.y1 + 32)) > 95);
    canvas_free(c);
    weights_free(w);
    feed_free(f);
}

static void a_recording_played_again_begins_again(void **state)
{
    (void)state;
    feed    *f = learning_feed();
    weights *w = weights_new(f);
    view     v = { .learning = 0 };
    for (int k = 0; k < 100; k++) {
        begin_snapshot(f, 0, 10 * k, 0.25, 0, 1);
        send_snapshot(w, f, &v);
    }
    for (int k = 0; k < 100; k++) {
        begin_snapshot(f, 0, k, 0.75, 0, 1);
        send_snapshot(w, f, &v);
    }
    canvas *c = draw_panel(w, &v);
    box     line = find_colour(c, VERMILION, 60, BELOW_LEGEND, ABOVE_AXIS);
    assert_true(mean_at(c, line.x0 + 20) < BELOW_LEGEND + 120 && line.x1 - line.x0 > 600);
    canvas_free(c);
    weights_free(w);
    feed_free(f);
}

/* A matrix of n x n cells in the lower part of a tall panel. */
static canvas *draw_matrix(int n, const float *cells)
{
    feed         *f = learning_feed();
    weights      *w = weights_new(f);
    view          v = { .learning = 0 };
    canvas       *c = new_canvas(300, 500, 1, false);
    feed_weights *s = begin_snapshot(f, 0, 0, 0.5, 0, 1);
    s->columns = s->rows = n;
    memcpy(s->cells, cells, (size_t)(n * n) * sizeof *cells);
    send_snapshot(w, f, &v);
    ENSURE_OK(weights_draw(w, &v, c, (axis_rect){ 10, 10, 280, 480, 0 }));
    weights_free(w);
    feed_free(f);
    return c;
}

enum { SHEET = 200, SHEET_END = 430 }; /* rows of pixels in which there are cells, and no colour scale */

static void rows_are_targets_from_above_and_columns_sources(void **state)
{
    (void)state;
    float   cells[16] = { [0 * 4 + 3] = 1, [2 * 4 + 0] = NAN }; /* target 0 from source 3; none to 2 from 0 */
    canvas *c = draw_matrix(4, cells);
    box strong = find_colour(c, colours_scale(false, false, 1), 3, SHEET - 20, SHEET_END);
    box weak = find_colour(c, colours_scale(false, false, 0), 3, SHEET - 20, SHEET_END);
    int cell = strong.x1 - strong.x0 + 1;
    assert_true(cell > 30);
    ENSURE_NEAR(strong.y1 - strong.y0 + 1, cell, 1, "pixels"); /* square */
    ENSURE_NEAR(strong.y0, weak.y0, 1, "pixels");              /* on top */
    ENSURE_NEAR(weak.x1 - weak.x0 + 1, 4 * cell, 2, "pixels"); /* at the right */
    ENSURE_NEAR(strong.x1, weak.x1, 1, "pixels");
    assert_int_equal(pixel(c, weak.x0 + cell / 2, weak.y0 + 2 * cell + cell / 2), WHITE); /* no synapse */
    assert_int_equal(find_colour(c, colours_scale(true, false, 1), 3, 0, 500).n, 0);
    canvas_free(c);
}

static void both_signs_have_their_colours(void **state)
{
    (void)state;
    float   cells[4] = { 2, -2, 0, 1 }, inhibitory[4] = { -2, -1, 0, -1 };
    canvas *c = draw_matrix(2, cells);
    int     strong = find_colour(c, colours_scale(true, false, 1), 3, SHEET, SHEET_END).n;
    assert_true(strong > 900);
    ENSURE_NEAR(find_colour(c, colours_scale(true, false, 0), 3, SHEET, SHEET_END).n, strong, 200, "pixels");
    canvas_free(c);
    c = draw_matrix(2, inhibitory); /* the strongest is the one furthest from 0 */
    box b = find_colour(c, colours_scale(false, false, 1), 3, SHEET, SHEET_END);
    assert_true(b.n > 900 && b.x0 < 100);
    canvas_free(c);
}

static void receptive_fields_are_tiles_with_gaps(void **state)
{
    (void)state;
    enum { ACROSS = 4, TILE = 5, TILES = 10, COLUMNS = ACROSS * TILE, ROWS = 3 * TILE };
    feed         *f = learning_feed();
    weights      *w = weights_new(f);
    view          v = { .learning = 1 };
    canvas       *c = new_canvas(300, 500, 1, false);
    feed_weights *s = begin_snapshot(f, 1, 0, 0.5, 0, 1);
    s->columns = COLUMNS, s->rows = ROWS, s->tile_columns = s->tile_rows = TILE, s->tiles = TILES;
    for (int i = 0; i < COLUMNS * ROWS; i++) s->cells[i] = 1;
    s->cells[0] = 0;
    send_snapshot(w, f, &v);
    ENSURE_OK(weights_draw(w, &v, c, (axis_rect){ 10, 10, 280, 480, 0 }));
    uint32_t full = colours_scale(false, false, 1);
    box      all = find_colour(c, full, 3, SHEET - 20, SHEET_END);
    int      pitch = (all.x1 - all.x0 + 2) / ACROSS, y = all.y0 + pitch + pitch / 2, gaps = 0, cells = 0;
    for (int x = all.x0; x < all.x1; x++) {
        gaps += pixel(c, x, y) == full && pixel(c, x + 1, y) == WHITE;
        cells += pixel(c, x, y) == full;
    }
    assert_int_equal(gaps, ACROSS - 1);
    assert_true(cells > 0.9 * (all.x1 - all.x0)); /* thin ones */
    y += pitch;
    assert_int_equal(pixel(c, all.x0 + pitch / 2, y), full);
    assert_int_equal(pixel(c, all.x0 + pitch + pitch / 2, y), full);
    assert_int_equal(pixel(c, all.x1 - pitch / 2, y), WHITE); /* tiles 11 and 12 are not there */
    canvas_free(c);
    weights_free(w);
    feed_free(f);
}

static void any_snapshot_is_drawn_within_any_place(void **state)
{
    (void)state;
    static const float odd[] = { 0, 1, -1, NAN, INFINITY, 1e30f, -1e-30f, 3 };
    feed              *f = learning_feed();
    weights           *w = weights_new(f);
    view               v = { .learning = 0 };
    for (int i = 0; i < N_SIZES * N_SIZES * 8; i++) {
        int           kind = i / N_SIZES / N_SIZES % 4;
        double        width = sizes[i % N_SIZES], height = sizes[i / N_SIZES % N_SIZES];
        canvas       *c = new_canvas((int)width + 20, (int)height + 20, 1, i / N_SIZES / N_SIZES >= 4);
        feed_weights *s = begin_snapshot(f, 0, i * 100, 0.5, 0, 1);
        if (kind == 0) s->columns = 128, s->rows = 128;
        if (kind == 1) s->columns = 128, s->rows = 3, s->tile_columns = 128, s->tile_rows = 1, s->tiles = 3;
        if (kind == 2) s->columns = 120, s->rows = 120, s->tile_columns = s->tile_rows = 5, s->tiles = 570;
        if (i % 7 == 0) s->low = s->high = NAN, s->mean = NAN;
        if (i % 11 == 0) s->low = -1e9, s->high = 1e9;
        for (int k = 0; k < s->columns * s->rows; k++) s->cells[k] = odd[i % 5 == 0 ? 3 : k % (i % 8 + 1)];
        feed_weights_end(f);
        weights_update(w, &v);
        ENSURE_OK(weights_draw(w, &v, c, (axis_rect){ 10, 10, width, height, 0 }));
        assert_true(untouched_outside(c, 10, 10, 10 + (int)width, 10 + (int)height));
        ENSURE_OK(canvas_close(c, NULL));
    }
    v.learning = -1;
    canvas *c = draw_panel(w, &v);
    canvas_free(c);
    weights_free(w);
    feed_free(f);
}

/* ------------------------------------------------------------------------------------------------ camera --- */

enum { COLUMNS = 8, ROWS = 6, PIXELS = COLUMNS * ROWS, FIRST_ROW = 10 };

typedef struct scene {
    feed   *f;
    view    v;
    camera *k;
    bool    visible[3];
} scene;

static void make_scene(scene *s)
{
    static const feed_population populations[] = {
        { .name = "E", .size = FIRST_ROW },
        { .name = "retina", .size = 2 * PIXELS, .columns = COLUMNS, .rows = ROWS, .polarities = 2 },
        { .name = "large", .size = 640 * 480, .columns = 640, .rows = 480, .polarities = 1 },
    };
    *s = (scene){ .visible = { true, true, true } };
    ENSURE_OK(feed_new(populations, 3, &s->f));
    assert_non_null(s->k = camera_new(s->f));
    s->v = (view){ .visible = s->visible, .to_ms = 1000, .now_ms = 1000 };
}

static void free_scene(scene *s)
{
    camera_free(s->k);
    feed_free(s->f);
}

static void add_event(scene *s, double t_ms, int column, int row, int polarity)
{
    history_add(s->f->spikes, t_ms, FIRST_ROW + (polarity * ROWS + row) * COLUMNS + column);
}

static canvas *draw_scene(scene *s, bool dark)
{
    canvas *c = new_canvas(200, 200, 1, dark);
    ENSURE_OK(camera_draw(s->k, &s->v, c, (axis_rect){ 10, 10, 180, 180, 0 }));
    return c;
}

/* Of the events, not of the names above. */
static box find_events(canvas *c, uint32_t colour) { return find_colour(c, colour, 4, 21, 170); }

static void row_0_is_on_top_and_polarities_have_colours(void **state)
{
    (void)state;
    for (int dark = 0; dark < 2; dark++) {
        scene s;
        make_scene(&s);
        history_add(s.f->spikes, 999.999, 3); /* not of the camera */
        add_event(&s, 1000, 0, 0, 0);
        add_event(&s, 1000, 0, ROWS - 1, 0);
        add_event(&s, 1000, COLUMNS - 1, 1, 1);
        canvas *c = draw_scene(&s, dark);
        box     on = find_events(c, canvas_colour(c, BLUE)), off = find_events(c, canvas_colour(c, VERMILION));
        int     size = on.x1 - on.x0 + 1; /* of a pixel of the camera */
        assert_in_range(size, 15, 24);
        assert_int_equal(on.n, 2 * size * size);
        assert_int_equal(on.y1 - on.y0 + 1, ROWS * size); /* square pixels: the image is 8 by 6 */
        assert_int_equal(off.n, size * size);
        assert_int_equal(off.x0 - on.x0, (COLUMNS - 1) * size);
        assert_int_equal(off.y0 - on.y0, size);
        assert_int_equal(pixel(c, on.x0 + size + 3, on.y0 + 3), canvas_colour(c, WHITE));
        canvas_free(c);
        free_scene(&s);
    }
}

static void events_fade_with_age(void **state)
{
    (void)state;
    scene s;
    make_scene(&s);
    add_event(&s, 969, 7, 5, 0); /* before the window of 30 ms */
    add_event(&s, 971, 0, 0, 0);
    add_event(&s, 980, 1, 0, 0);
    add_event(&s, 990, 2, 0, 0);
    add_event(&s, 990, 4, 0, 0);
    add_event(&s, 995, 4, 0, 1); /* the latest of a pixel is seen */
    add_event(&s, 1000, 3, 0, 0);
    add_event(&s, 1001, 7, 5, 0); /* after now */
    canvas *c = draw_scene(&s, false);
    box     latest = find_events(c, BLUE);
    int     size = latest.x1 - latest.x0 + 1, x = latest.x0 + size / 2, y = latest.y0 + size / 2;
    double  last = 100;
    assert_int_equal(latest.n, size * size);
    for (int i = -3; i <= 0; i++) {
        double here = lightness(pixel(c, x + i * size, y));
        assert_true(here < last - 1); /* darker than the older one */
        last = here;
    }
    uint32_t aged = colours_mix(WHITE, BLUE, exp(-3 * 10.0 / 30)); /* the window is three time constants */
    assert_in_range(distance(pixel(c, x - size, y), aged), 0, 8);
    assert_true((pixel(c, x + size, y) >> 16) > (pixel(c, x + size, y) & 255) + 50); /* OFF */
    assert_int_equal(pixel(c, x + 4 * size, y + 5 * size), WHITE);
    canvas_free(c);
    s.v.from_ms = 900; /* zoomed in: a tenth of the time shown */
    c = draw_scene(&s, false);
    assert_int_equal(pixel(c, x - 2 * size, y), WHITE);
    assert_true(pixel(c, x, y) != WHITE);
    canvas_free(c);
    free_scene(&s);
}

static void the_first_visible_camera_is_shown(void **state)
{
    (void)state;
    scene s;
    make_scene(&s);
    assert_true(camera_there(s.f, &s.v));
    s.visible[1] = false;
    assert_true(camera_there(s.f, &s.v));
    /* many more pixels than the screen has: an event of one of them is seen nevertheless */
    for (int neuron = 0; neuron < 640 * 480; neuron += 640 * 37 + 101)
        history_add(s.f->spikes, 999.99, FIRST_ROW + 2 * PIXELS + neuron);
    canvas *c = draw_scene(&s, false);
    assert_in_range(find_events(c, BLUE).n, 13, 4 * 13);
    canvas_free(c);
    s.visible[2] = false;
    assert_false(camera_there(s.f, &s.v));
    c = draw_scene(&s, false);
    assert_int_equal(find_all(c, WHITE).n, 200 * 200); /* nothing */
    canvas_free(c);
    free_scene(&s);
}

static void older_events_that_were_fetched_are_shown(void **state)
{
    (void)state;
    scene s;
    make_scene(&s);
    for (int k = 0; k < 100; k++) add_event(&s, 1000 + k, 0, 0, 0);
    history_add(s.f->older, 499, FIRST_ROW + 1);
    s.f->older_from_ms = 400;
    s.f->older_to_ms = 600;
    s.v.to_ms = 500, s.v.now_ms = 1100;
    canvas *c = draw_scene(&s, false);
    assert_true(find_colour(c, BLUE, 40, 21, 170).n > 200);
    canvas_free(c);
    free_scene(&s);
}

static void every_size_of_the_image_is_drawn_within_its_place(void **state)
{
    (void)state;
    scene s;
    make_scene(&s);
    for (int64_t k = 0; k < 20000; k++)
        history_add(s.f->spikes, 970 + (double)k * 0.0015, (double)(k * 7919 % s.f->n_rows));
    for (int i = 0; i < N_SIZES * N_SIZES * 4; i++) {
        double  width = sizes[i % N_SIZES], height = sizes[i / N_SIZES % N_SIZES];
        canvas *c = new_canvas((int)width + 20, (int)height + 20, 1, i / N_SIZES / N_SIZES % 2);
        s.visible[1] = i / N_SIZES / N_SIZES < 2;
        ENSURE_OK(camera_draw(s.k, &s.v, c, (axis_rect){ 10, 10, width, height, 0 }));
        assert_true(untouched_outside(c, 10, 10, 10 + (int)width, 10 + (int)height));
        ENSURE_OK(canvas_close(c, NULL));
    }
    s.v.to_ms = s.v.from_ms; /* no time, and no number */
    canvas *c = draw_scene(&s, false);
    canvas_free(c);
    s.v.to_ms = NAN;
    c = draw_scene(&s, false);
    canvas_free(c);
    free_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lightness_tells_the_number),
        cmocka_unit_test(without_a_snapshot_the_panel_waits),
        cmocka_unit_test(the_whole_run_stays_visible),
        cmocka_unit_test(limits_may_change),
        cmocka_unit_test(a_recording_played_again_begins_again),
        cmocka_unit_test(rows_are_targets_from_above_and_columns_sources),
        cmocka_unit_test(both_signs_have_their_colours),
        cmocka_unit_test(receptive_fields_are_tiles_with_gaps),
        cmocka_unit_test(any_snapshot_is_drawn_within_any_place),
        cmocka_unit_test(row_0_is_on_top_and_polarities_have_colours),
        cmocka_unit_test(events_fade_with_age),
        cmocka_unit_test(the_first_visible_camera_is_shown),
        cmocka_unit_test(older_events_that_were_fetched_are_shown),
        cmocka_unit_test(every_size_of_the_image_is_drawn_within_its_place),
    };
    return cmocka_run_group_tests_name("panels", tests, NULL, NULL);
}
