/* The live raster: whatever was looked at before, the image is the one a fresh raster would show, and the rates are
 * those of a plain count. */
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
#include <unistd.h>

#include "tests/support/random_number.h"
#include "viz/live_raster.h"

__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\n"; }

enum { MOST_POPULATIONS = 3, PAPER = 0xffffff };

static const uint32_t colours[] = { 0x0072b2, 0xd55e00, 0x009e73 };

/* ---------------------------------------------------------------------------------------------- a world --- */

/* Populations, spikes of which some have been handed over, and a view of them. */
typedef struct world {
    feed             f;
    feed_population  populations[MOST_POPULATIONS];
    int64_t          n, fed;
    double          *t, *row;
    raster_band      bands[MOST_POPULATIONS];
    live_raster_view view;
    double           columns;   /* pixels: width of the plot */
    double           low, high; /* of the stack */
    bool             hidden[MOST_POPULATIONS];
} world;

static void make_world(world *w, const int64_t *sizes, int n_populations, int64_t n, double duration_ms, double scale,
                       int64_t capacity)
{
    *w = (world){ .n = n, .columns = 240, .high = 1 };
    w->f = (feed){ .resolution_ms = 0.1, .population = w->populations, .n_populations = n_populations };
    for (int i = 0; i < n_populations; i++) {
        w->populations[i] = (feed_population){ .size = sizes[i], .first_row = w->f.n_rows };
        w->f.n_rows += sizes[i];
    }
    w->f.spikes = history_new(capacity), w->f.older = history_new(n);
    w->t = malloc((size_t)n * sizeof *w->t), w->row = malloc((size_t)n * sizeof *w->row);
    for (int64_t k = 0; k < n; k++) {
        w->t[k] = round(10 * duration_ms * (double)(k + 1) / (double)n) / 10;
        w->row[k] = floor(random_number() * (double)w->f.n_rows);
    }
    w->view = (live_raster_view){ .plot = { 12, 8, w->columns / scale, 130 / scale, 0 },
                                  .bands = w->bands,
                                  .colours = colours,
                                  .scale = scale,
                                  .background = PAPER };
}

static void free_world(world *w)
{
    history_free(w->f.spikes);
    history_free(w->f.older);
    free(w->t);
    free(w->row);
}

static void hand_over(world *w, double until_ms)
{
    for (; w->fed < w->n && w->t[w->fed] <= until_ms; w->fed++) history_add(w->f.spikes, w->t[w->fed], w->row[w->fed]);
}

/* Bands as figures stack them, of which low..high fills the plot. */
static void stack_bands(world *w)
{
    axis_rect plot = w->view.plot;
    double    all = plot.height / (w->high - w->low), bottom = plot.y + plot.height + w->low * all, sizes = 0, gap = 0;
    for (int i = 0; i < w->f.n_populations; i++)
        if (!w->hidden[i]) sizes += sqrt((double)w->populations[i].size);
    for (int i = 0; i < w->f.n_populations; i++) {
        w->bands[i] = (raster_band){ 0 };
        if (w->hidden[i]) continue;
        bottom -= gap;
        w->bands[i].height = (all - 2 * 0.02 * all) * sqrt((double)w->populations[i].size) / sizes;
        w->bands[i].y = bottom -= w->bands[i].height;
        gap = 0.02 * all;
    }
}

/* Scales with few binary digits, so that the test knows the columns. */
static void look_at(world *w, double from_ms, double ms_per_column)
{
    w->view.from_ms = floor(from_ms * 1024) / 1024;
    w->view.to_ms = w->view.from_ms + ms_per_column * w->columns;
}

static double ms_per_column(const world *w) { return (w->view.to_ms - w->view.from_ms) / w->columns; }

/* ------------------------------------------------------------------------------------------- comparison --- */

static void finish(live_raster *r, const world *w, int more)
{
    rv_status status = RV_OK;
    int       rounds = 0;
    while (!live_raster_update(r, &w->view, 1e-3, &status) && status == RV_OK)
        if (++rounds > 20000) fail_msg("not complete after %d updates", rounds);
    for (int k = 0; k < more; k++) assert_true(live_raster_update(r, &w->view, 1e-3, &status));
    assert_int_equal(status, RV_OK);
}

static canvas *draw(const live_raster *r, const world *w)
{
    canvas *c;
    double  scale = w->view.scale;
    assert_int_equal(canvas_new((int)(w->columns + 24 * scale), (int)(130 + 16 * scale), scale, &c, NULL), RV_OK);
    live_raster_draw(r, c);
    return c;
}

static int difference(uint32_t a, uint32_t b)
{
    int largest = 0;
    for (int shift = 0; shift < 24; shift += 8) {
        int d = abs((int)(a >> shift & 255) - (int)(b >> shift & 255));
        if (d > largest) largest = d;
    }
    return largest;
}

static void ensure_same_picture(const live_raster *a, const live_raster *b, const world *w)
{
    int             width, height, stride, different = 0, largest = 0;
    canvas         *ca = draw(a, w), *cb = draw(b, w);
    const uint32_t *pa = canvas_pixels(ca, &width, &height, &stride), *pb = canvas_pixels(cb, &width, &height, &stride);
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            int d = difference(pa[y * stride + x], pb[y * stride + x]);
            different += d > 1;
            if (d > largest) largest = d;
        }
    if (different)
        fail_msg("%d pixels differ by up to %d from a fresh raster, view %.10g..%.10g now %.10g", different, largest,
                 w->view.from_ms, w->view.to_ms, w->view.now_ms);
    canvas_free(ca);
    canvas_free(cb);
}

/* Spikes of a neuron in the columns shown, by looking at all that are known. */
static double count_spikes(const world *w, int64_t row, double from_ms, double end_ms, double known_ms)
{
    int64_t n = 0;
    for (int64_t k = 0; k < w->fed; k++)
        n += w->row[k] == (double)row && w->t[k] >= from_ms && w->t[k] < end_ms && w->t[k] <= w->view.now_ms &&
             w->t[k] >= known_ms;
    return (double)n;
}

/* Compares the rates of some neurons that have lines of their own, and the sum of all counts. */
static void ensure_rates(const live_raster *r, const world *w, double known_ms)
{
    int           lines;
    const double *rates = live_raster_rates(r, &lines);
    double        column = ms_per_column(w), from = floor(w->view.from_ms / column) * column;
    double        last = fmin(w->view.to_ms, w->view.now_ms), end = (floor(last / column) + 1) * column;
    double        begin = fmax(fmax(from, 0), known_ms), seconds = (fmin(end, w->view.now_ms) - begin) / 1000;
    assert_int_equal(lines, lround(w->view.plot.height * w->view.scale));
    for (int i = 0; i < w->f.n_populations && seconds > 0; i++) {
        double pitch = w->bands[i].height * w->view.scale / (double)w->populations[i].size;
        for (int round = 0; round < 4 && pitch >= 1; round++) {
            int64_t neuron = random_index((int)w->populations[i].size);
            int     line =
                (int)floor((raster_neuron_y(w->bands[i], w->populations[i].size, (double)neuron) - w->view.plot.y) *
                           w->view.scale);
            double expected = count_spikes(w, w->populations[i].first_row + neuron, from, end, known_ms) / seconds;
            if (line >= 0 && line < lines && !(fabs(rates[line] - expected) <= 1e-6 * (1 + expected)))
                fail_msg(
                    "population %d, neuron %d at line %d: %.10g spikes/s, expected %.10g; view %.10g..%.10g now %.10g",
                    i, (int)neuron, line, rates[line], expected, w->view.from_ms, w->view.to_ms, w->view.now_ms);
        }
    }
}

/* For bands lower than a line per neuron: the spikes of all lines are all the spikes. */
static void ensure_all_counted(const live_raster *r, const world *w)
{
    int           lines;
    const double *rates = live_raster_rates(r, &lines);
    double        column = ms_per_column(w), from = floor(w->view.from_ms / column) * column, sum = 0, expected = 0;
    double        end = (floor(fmin(w->view.to_ms, w->view.now_ms) / column) + 1) * column;
    double        seconds = (fmin(end, w->view.now_ms) - fmax(from, 0)) / 1000;
    for (int line = 0; line < lines && seconds > 0; line++) {
        int neurons = 0;
        for (int64_t i = 0; i < w->populations[0].size; i++) {
            double y =
                (raster_neuron_y(w->bands[0], w->populations[0].size, (double)i) - w->view.plot.y) * w->view.scale;
            neurons += y >= line && y < line + 1;
        }
        if (neurons > 0) sum += rates[line] * seconds * neurons;
    }
    for (int64_t k = 0; k < w->fed; k++)
        expected +=
            w->t[k] >= from && w->t[k] < end && w->t[k] <= w->view.now_ms && w->row[k] < (double)w->populations[0].size;
    if (seconds > 0 && fabs(sum - expected) > 1e-6 * (1 + expected))
        fail_msg("%.6f spikes on all lines, expected %.0f", sum, expected);
}

/* -------------------------------------------------------------------------------------- random sequences --- */

static void hide_or_show(world *w)
{
    int i = random_index(w->f.n_populations), shown = 0;
    w->hidden[i] = !w->hidden[i];
    for (int k = 0; k < w->f.n_populations; k++) shown += !w->hidden[k];
    if (shown == 0) w->hidden[i] = false;
}

/* One action of a user, or a step of time. @param follows later spikes are handed over as now advances */
static void act(world *w, double duration_ms, double finest, double coarsest, bool follows)
{
    double span = w->view.to_ms - w->view.from_ms, column = ms_per_column(w), at = random_number();
    switch (random_index(10)) {
    case 0: /* zoom at the cursor */
    case 1: {
        double next = fmin(fmax(floor(column * 1024 * pow(2, 4 * random_number() - 2)) / 1024, finest), coarsest);
        look_at(w, w->view.from_ms + at * span - at * next * w->columns, next);
        break;
    }
    case 2:
        look_at(w, w->view.from_ms + (random_number() - 0.5) * span, column);
        break; /* pan */
    case 3:
        look_at(w, w->view.from_ms + 40 * column * (random_number() - 0.5), column);
        break;
    case 4:
        look_at(w, random_number() * duration_ms - span / 2, column);
        break; /* jump */
    case 5:
        hide_or_show(w);
        break;
    case 6: /* zoom into neurons */
        w->low = random_index(2) ? 0 : 0.7 * random_number();
        w->high = w->low == 0 ? 1 : w->low + 0.3;
        break;
    case 7: /* seek */
        if (!follows) w->view.now_ms = random_number() * duration_ms;
        break;
    default: /* time goes on, the view follows */
        w->view.now_ms = fmin(w->view.now_ms + random_number() * 30 * column, duration_ms);
        look_at(w, w->view.now_ms - span, column);
    }
    if (follows) hand_over(w, w->view.now_ms);
    stack_bands(w);
}

/* Marks change their size a little later than they would in a fresh raster; not where they are largest or a pixel. */
static bool marks_are_certain(const world *w)
{
    double last = fmin(w->view.to_ms, w->view.now_ms), n = 0, area = w->view.plot.width * w->view.plot.height;
    for (int64_t k = 0; k < w->fed; k++) n += w->t[k] >= w->view.from_ms && w->t[k] <= last;
    return n < area / 4 / 1.8 / 1.8 / 2 || (w->view.scale == 1 && n > 2 * area);
}

static void compare_with_fresh(live_raster *r, const world *w, double known_ms)
{
    live_raster *fresh = live_raster_new(&w->f);
    finish(fresh, w, 0);
    finish(r, w, 15);
    if (marks_are_certain(w)) ensure_same_picture(r, fresh, w);
    ensure_rates(r, w, known_ms);
    if (known_ms < 0 && !w->hidden[0] && w->low == 0 && w->high == 1 && w->populations[0].size > 200)
        ensure_all_counted(r, w);
    live_raster_free(fresh);
}

static void run_sequences(world *w, int sequences, double duration_ms, double finest, double coarsest, bool follows)
{
    live_raster *r = live_raster_new(&w->f);
    rv_status    status;
    if (!follows) hand_over(w, duration_ms);
    w->view.now_ms = follows ? 0 : duration_ms;
    look_at(w, 0, coarsest);
    stack_bands(w);
    for (int k = 0; k < sequences; k++) {
        int steps = 1 + random_index(12);
        for (int step = 0; step < steps; step++) {
            act(w, duration_ms, finest, coarsest, follows);
            live_raster_update(r, &w->view, random_index(3) * 1e-4, &status);
        }
        compare_with_fresh(r, w, -INFINITY);
    }
    live_raster_free(r);
}

static const int64_t mixed[] = { 300, 60, 9 };

static void few_spikes_look_the_same_on_every_way(void **state)
{
    (void)state;
    static const double scales[] = { 1, 2, 1.37 };
    for (int k = 0; k < 6; k++) {
        world w;
        make_world(&w, mixed, 3, 900, 1000, scales[k % 3], 1 << 12);
        w.columns = 240 * scales[k % 3], w.view.plot.width = 240;
        if (k % 3 == 2) w.columns = 329, w.view.plot.width = 329 / 1.37;
        run_sequences(&w, 60, 1000, 1.0 / 128, 2.5, k < 3);
        free_world(&w);
    }
}

static void many_spikes_look_the_same_on_every_way(void **state)
{
    (void)state;
    static const int64_t large[] = { 4000, 900, 9 };
    for (int k = 0; k < 2; k++) {
        world w;
        make_world(&w, large, 3, 300000, 1000, 1, 1 << 19);
        run_sequences(&w, 60, 1000, 0.75, 4, k == 0);
        free_world(&w);
    }
}

/* ------------------------------------------------------------------------------------------ older spikes --- */

/* The history keeps the last part only; the rest is asked for as the window does, a stretch at a time. */
static void what_was_lost_is_shown_when_it_is_fetched(void **state)
{
    (void)state;
    world w;
    make_world(&w, mixed, 3, 2400, 1000, 1, 1 << 9);
    hand_over(&w, 1000);
    w.view.now_ms = 1000;
    stack_bands(&w);
    double       oldest = history_oldest(w.f.spikes);
    live_raster *r = live_raster_new(&w.f);
    for (int k = 0; k < 60; k++) {
        double from = random_number() * 800, older_from = floor(from - random_number() * 50);
        look_at(&w, from, 0.25 + random_index(3) / 8.0);
        if (k % 4 < 2) {
            double older_to = random_index(2) ? oldest : fmin(w.view.to_ms + 20, oldest + 30);
            history_clear(w.f.older);
            for (int64_t i = 0; i < w.n; i++)
                if (w.t[i] >= older_from && w.t[i] <= older_to) history_add(w.f.older, w.t[i], w.row[i]);
            w.f.older_from_ms = older_from;
            w.f.older_to_ms = older_to;
        }
        live_raster *fresh = live_raster_new(&w.f);
        finish(fresh, &w, 0);
        finish(r, &w, 15);
        ensure_same_picture(r, fresh, &w);
        if (k % 4 < 2 && older_from < from - 1) ensure_rates(r, &w, -INFINITY);
        live_raster_free(fresh);
    }
    live_raster_free(r);
    free_world(&w);
}

static void a_cleared_history_is_shown_anew(void **state)
{
    (void)state;
    world w;
    make_world(&w, mixed, 3, 5000, 1000, 1, 1 << 14);
    hand_over(&w, 1000);
    w.view.now_ms = 1000;
    look_at(&w, 0, 4);
    stack_bands(&w);
    live_raster *r = live_raster_new(&w.f);
    finish(r, &w, 0);
    history_clear(w.f.spikes);
    w.fed = w.n / 3; /* the first third does not come again */
    w.view.now_ms = 900;
    hand_over(&w, 900);
    compare_with_fresh(r, &w, w.t[w.n / 3]);
    live_raster_free(r);
    free_world(&w);
}

/* --------------------------------------------------------------------------------------------- appearance --- */

static uint32_t pixel(canvas *c, double x, double y)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    return pixels[(int)(y * canvas_scale(c)) * stride + (int)(x * canvas_scale(c))] & 0xffffff;
}

static void a_spike_is_where_its_axes_say(void **state)
{
    (void)state;
    static const int64_t eight[] = { 8 };
    world                w;
    make_world(&w, eight, 1, 1, 10, 2, 16);
    w.columns = 480, w.view.plot.width = 240;
    w.f.n_rows = 8, w.t[0] = 20, w.row[0] = 5;
    w.view.now_ms = 50;
    hand_over(&w, 50);
    look_at(&w, 0, 0.125);
    stack_bands(&w);
    live_raster *r = live_raster_new(&w.f);
    finish(r, &w, 0);
    canvas *c = draw(r, &w);
    double  x = w.view.plot.x + 240 * 20 / 60.0, y = raster_neuron_y(w.bands[0], 8, 5);
    assert_true(difference(pixel(c, x, y), colours[0]) < 64);
    assert_true(difference(pixel(c, x, y + 2), colours[0]) < 64); /* an upright stroke */
    assert_int_equal(pixel(c, x + 2, y), PAPER);
    assert_int_equal(pixel(c, x, raster_neuron_y(w.bands[0], 8, 4)), PAPER);
    w.view.now_ms = 19.9; /* later spikes are not shown */
    finish(r, &w, 0);
    canvas_free(c);
    c = draw(r, &w);
    assert_int_equal(pixel(c, x, y), PAPER);
    canvas_free(c);
    live_raster_free(r);
    free_world(&w);
}

/* While the image for a new view is being made, the former one is there, in its place on the new axes. */
static void the_former_image_is_stretched_meanwhile(void **state)
{
    (void)state;
    world     w;
    rv_status status;
    make_world(&w, mixed, 3, 300000, 1000, 1, 1 << 19);
    for (int64_t k = 0; k < w.n; k++) w.row[k] = fmod(w.row[k], 100); /* the lower third of population 0 */
    hand_over(&w, 1000);
    w.view.now_ms = 1000;
    look_at(&w, 0, 4);
    stack_bands(&w);
    live_raster *r = live_raster_new(&w.f);
    finish(r, &w, 0);
    look_at(&w, 100, 3);
    w.high = 0.5;
    stack_bands(&w);
    if (live_raster_update(r, &w.view, 0, &status)) fail_msg("300000 spikes were drawn in no time");
    canvas *c = draw(r, &w);
    double  busy = raster_neuron_y(w.bands[0], 300, 50), silent = raster_neuron_y(w.bands[0], 300, 130);
    for (double x = 20; x < 240; x += 7) {
        assert_true(difference(pixel(c, x, busy), PAPER) > 40);
        if (silent > w.view.plot.y) assert_int_equal(pixel(c, x, silent), PAPER);
    }
    canvas_free(c);
    live_raster_free(r);
    free_world(&w);
}

static void any_size_and_any_view_is_survived(void **state)
{
    (void)state;
    static const double spans[] = { 1e-6, 1, 1000, 1e12 };
    world               w;
    rv_status           status;
    make_world(&w, mixed, 3, 5000, 1000, 1, 1 << 13);
    hand_over(&w, 1000);
    live_raster *r = live_raster_new(&w.f);
    for (int k = 0; k < 400; k++) {
        double from = (random_number() - 0.5) * pow(10, 9 * random_number());
        w.view.plot =
            (axis_rect){ 0, 0, random_index(2) ? 0.7 : 700 * random_number(), random_index(2) ? 0.4 : 300, 0 };
        w.view.scale = 0.5 + random_index(4) / 2.0;
        w.view.from_ms = from, w.view.to_ms = from + spans[random_index(4)], w.view.now_ms = random_index(3) * 500;
        for (int i = 0; i < 3; i++) w.hidden[i] = random_index(2);
        w.low = random_number(), w.high = w.low + pow(10, -6 * random_number());
        stack_bands(&w);
        if (random_index(10) == 0) w.view.to_ms = random_index(2) ? from : NAN;
        live_raster_update(r, &w.view, 1e-4, &status);
        assert_int_equal(status, RV_OK);
        canvas *c = draw(r, &w);
        canvas_free(c);
    }
    live_raster_free(r);
    free_world(&w);
}

/* The page that is saved: one image of what is seen, the same each time. */
static void it_is_embedded_in_a_vector_file(void **state)
{
    (void)state;
    static char bytes[2][1000000];
    size_t      n[2];
    world       w;
    make_world(&w, mixed, 3, 20000, 1000, 300.0 / 72, 1 << 15);
    w.columns = 1000, w.view.plot = (axis_rect){ 12, 9.6, 240, 130, 0 };
    hand_over(&w, 1000);
    w.view.now_ms = 1000;
    look_at(&w, 100, 0.5);
    stack_bands(&w);
    for (int k = 0; k < 2; k++) {
        canvas      *c;
        rv_status    status;
        char         path[] = "/tmp/ranvier_raster_XXXXXX.pdf";
        live_raster *r = live_raster_new(&w.f);
        assert_true(mkstemps(path, 4) >= 0);
        assert_true(live_raster_update(r, &w.view, INFINITY, &status));
        assert_int_equal(canvas_open(path, 260, 150, 300, &c, NULL), RV_OK);
        live_raster_draw(r, c);
        assert_int_equal(canvas_close(c, NULL), RV_OK);
        live_raster_free(r);
        FILE *file = fopen(path, "rb");
        n[k] = fread(bytes[k], 1, sizeof *bytes, file);
        fclose(file);
        remove(path);
    }
    assert_true(n[0] > 10000 && n[0] < sizeof *bytes);
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(bytes[0], bytes[1], n[0]);
    free_world(&w);
}

static void no_populations_no_spikes(void **state)
{
    (void)state;
    world w;
    make_world(&w, mixed, 0, 1, 1000, 1, 16);
    look_at(&w, 0, 1);
    live_raster *r = live_raster_new(&w.f);
    finish(r, &w, 12);
    canvas *c = draw(r, &w);
    assert_int_equal(pixel(c, 60, 60), PAPER);
    canvas_free(c);
    live_raster_free(r);
    free_world(&w);
}

/* --------------------------------------------------------------------------------------------- two threads --- */

static _Atomic bool stop;

static void *simulate(void *world_)
{
    world *w = world_;
    for (int round = 0; !stop; round++) {
        for (w->fed = 0; w->fed < w->n && !stop; w->fed++) {
            double t = w->t[w->fed] + 1000.0 * round;
            history_add(w->f.spikes, t, w->row[w->fed]);
            atomic_store(&w->f.t_ms, t);
            if (w->fed % 40000 == 0) {
                atomic_store(&w->f.older_to_ms, 0);
                history_clear(w->f.older);
                for (int k = 0; k < 1000; k++) history_add(w->f.older, 0.1 * k, k % 300);
                atomic_store(&w->f.older_to_ms, 100);
            }
        }
    }
    return NULL;
}

static void it_follows_a_thread_that_writes(void **state)
{
    (void)state;
    world     w;
    pthread_t writer;
    rv_status status;
    make_world(&w, mixed, 3, 200000, 1000, 1, 1 << 14);
    live_raster *r = live_raster_new(&w.f);
    stack_bands(&w);
    stop = false;
    assert_int_equal(pthread_create(&writer, NULL, simulate, &w), 0);
    for (int k = 0; k < 300; k++) {
        w.view.now_ms = atomic_load(&w.f.t_ms);
        look_at(&w, k % 50 < 40 ? w.view.now_ms - 240 : 0, 1);
        live_raster_update(r, &w.view, 1e-3, &status);
        assert_int_equal(status, RV_OK);
    }
    stop = true;
    pthread_join(writer, NULL);
    live_raster_free(r);
    free_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_spikes_look_the_same_on_every_way),
        cmocka_unit_test(many_spikes_look_the_same_on_every_way),
        cmocka_unit_test(what_was_lost_is_shown_when_it_is_fetched),
        cmocka_unit_test(a_cleared_history_is_shown_anew),
        cmocka_unit_test(a_spike_is_where_its_axes_say),
        cmocka_unit_test(the_former_image_is_stretched_meanwhile),
        cmocka_unit_test(any_size_and_any_view_is_survived),
        cmocka_unit_test(it_is_embedded_in_a_vector_file),
        cmocka_unit_test(no_populations_no_spikes),
        cmocka_unit_test(it_follows_a_thread_that_writes),
    };
    return cmocka_run_group_tests_name("live raster", tests, NULL, NULL);
}
