/* Figures: files, pixels, counts. Pictures are drawn in memory and looked at where figure_locate() says a datum lies;
 * that the places themselves are right is tested against the layout (time to the right, neuron 0 at the bottom). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/ensure.h"
#include "tests/support/random_number.h"
#include "viz/axes.h"
#include "viz/canvas.h"
#include "viz/figure.h"
#include "viz/histogram.h"
#include "viz/raster.h"

enum { BLUE = 0x0072b2, VERMILION = 0xd55e00, WHITE = 0xffffff };

DRAWING_LEAKS

/* ---------------------------------------------------------------------------------------------- fixture --- */

static char folder[] = "/tmp/ranvier_figure_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[200];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static uint8_t *read_file(const char *path, size_t *n)
{
    FILE    *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    *n = 0;
    assert_non_null(file);
    for (size_t room = 1 << 16, got = 1; got > 0; room *= 2) {
        bytes = realloc(bytes, room);
        got = fread(bytes + *n, 1, room - *n, file);
        *n += got;
    }
    fclose(file);
    return bytes;
}

static uint32_t big_endian(const uint8_t *b) { return (uint32_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3]; }

static canvas *draw(const figure *f)
{
    canvas  *c;
    rv_error error = { 0 };
    ENSURE_OK(canvas_new(1370, 900, 200.0 / 72, &c, &error));
    if (figure_draw(f, c, &error) != RV_OK) fail_msg("%s", error.text);
    return c;
}

static uint32_t pixel(canvas *c, double x, double y)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    int             column = (int)(x * canvas_scale(c)), row = (int)(y * canvas_scale(c));
    assert_in_range(column, 0, width - 1);
    assert_in_range(row, 0, height - 1);
    return pixels[row * stride + column] & 0xffffff;
}

static uint32_t pixel_at(const figure *f, canvas *c, figure_panels panel, int index, double t_ms, double value)
{
    double x, y;
    ENSURE_OK(figure_locate(f, c, panel, index, t_ms, value, &x, &y));
    return pixel(c, x, y);
}

/* 0 white .. 1 the full colour, by the channel in which the colour is darkest */
static double ink(uint32_t rgb, uint32_t colour)
{
    int shift = colour == BLUE ? 16 : 0;
    return (255.0 - (rgb >> shift & 255)) / (255.0 - (colour >> shift & 255));
}

/* Nothing may touch the border: a label that did would be cut. */
static void ensure_unclipped(canvas *c)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    for (int x = 0; x < width; x++)
        assert_true((pixels[x] & pixels[(height - 1) * stride + x] & 0xffffff) == WHITE);
    for (int y = 0; y < height; y++)
        assert_true((pixels[y * stride] & pixels[y * stride + width - 1] & 0xffffff) == WHITE);
}

static figure_spikes random_spikes(const char *name, int64_t size, bool inhibitory, int64_t n, double duration_ms)
{
    double  *times = malloc((size_t)n * sizeof *times);
    int64_t *neurons = malloc((size_t)n * sizeof *neurons);
    for (int64_t k = 0; k < n; k++) {
        times[k] = duration_ms * (double)(k + 1) / (double)n;
        neurons[k] = (int64_t)(random_number() * (double)size);
    }
    return (figure_spikes){ name, size, inhibitory, n, times, neurons };
}

static void free_spikes(figure_spikes s)
{
    free((void *)(uintptr_t)s.times_ms);
    free((void *)(uintptr_t)s.neurons);
}

/* A small figure with everything in it. */
static const double        some_times[] = { 10, 20, 30, 40 };
static const int64_t       some_neurons[] = { 0, 7, 3, 0 };
static const double        some_values[] = { -70, -60, NAN, -65 };
static const figure_spikes two[] = { { "E", 8, false, 4, some_times, some_neurons },
                                     { "I", 8, true, 4, some_times, some_neurons } };
static const figure_trace  some_trace = { "V_m", "mV", 4, some_times, some_values, -55, 1, some_times };
static const figure_curve  some_curve = { "theory", "I_e (pA)", "rate (spikes/s)", 4, some_times, some_values, false };
static const figure        full = { .title = "all panels", .spikes = two, .n_spikes = 2, .traces = &some_trace,
                                    .n_traces = 1, .curves = &some_curve, .n_curves = 1, .panels = 63,
                                    .from_ms = 0, .to_ms = 50 };

/* ------------------------------------------------------------------------------------------------ files --- */

static void png_has_signature_size_and_resolution(void **state)
{
    (void)state;
    size_t   n;
    figure   f = full;
    rv_error error = { 0 };
    f.width = 360, f.height = 288, f.dpi = 100;
    ENSURE_OK(figure_save(&f, in_folder("size.png"), &error));
    uint8_t *png = read_file(in_folder("size.png"), &n);
    assert_memory_equal(png, "\x89PNG\r\n\x1a\n", 8);
    assert_int_equal(big_endian(png + 16), 500); /* pixels: 360 pt = 5 inch */
    assert_int_equal(big_endian(png + 20), 400);
    assert_memory_equal(png + 37, "pHYs", 4);
    assert_int_equal(big_endian(png + 41), 3937); /* pixels per metre */
    free(png);
}

/* cairo numbers the surfaces of a process, and SVG shows the numbers as ids; drops the digits after "surface", "image".
 * @return the bytes that are left */
static size_t drop_ids(uint8_t *bytes, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        bytes[kept++] = bytes[i];
        bool id = (kept >= 7 && !memcmp(bytes + kept - 7, "surface", 7)) ||
                  (kept >= 5 && !memcmp(bytes + kept - 5, "image", 5));
        while (id && i + 1 < n && bytes[i + 1] >= '0' && bytes[i + 1] <= '9') i++;
    }
    return kept;
}

static void every_format_is_written_and_repeats_byte_by_byte(void **state)
{
    (void)state;
    static const char *endings[] = { "png", "svg", "pdf", "PNG" };
    static const char *starts[] = { "\x89PNG", "<?xml", "%PDF", "\x89PNG" };
    for (int i = 0; i < 4; i++) {
        size_t n[2];
        uint8_t *bytes[2];
        for (int k = 0; k < 2; k++) {
            char name[20];
            snprintf(name, sizeof name, "%d.%s", k, endings[i]);
            ENSURE_OK(figure_save(&full, in_folder(name), NULL));
            bytes[k] = read_file(in_folder(name), &n[k]);
            if (i == 1) n[k] = drop_ids(bytes[k], n[k]);
        }
        assert_memory_equal(bytes[0], starts[i], strlen(starts[i]));
        if (n[0] != n[1] || memcmp(bytes[0], bytes[1], n[0])) fail_msg(".%s differs between two runs", endings[i]);
        free(bytes[0]);
        free(bytes[1]);
    }
}

static void chosen_size_is_a_journal_page(void **state)
{
    (void)state;
    size_t n;
    figure f = { .spikes = two, .n_spikes = 2 };
    ENSURE_OK(figure_save(&f, in_folder("page.png"), NULL));
    uint8_t *png = read_file(in_folder("page.png"), &n);
    ENSURE_NEAR(big_endian(png + 16), 174 / 25.4 * 200, 1.0 /* pixels */, "");
    free(png);
}

/* ----------------------------------------------------------------------------------------------- errors --- */

static void ensure_refused(const figure *f, const char *path, rv_status status, const char *part)
{
    rv_error error = { 0 };
    assert_int_equal(figure_save(f, path, &error), status);
    assert_int_equal(error.status, status);
    if (!strstr(error.text, part)) fail_msg("\"%s\" does not say \"%s\"", error.text, part);
    assert_int_equal(figure_save(f, path, NULL), status);
}

static void wrong_figures_are_refused_with_a_sentence(void **state)
{
    (void)state;
    figure        f = full;
    figure_spikes wrong = two[0];
    ensure_refused(&f, "x.jpg", RV_FILE_ERROR, "figure \"x.jpg\": the ending must be .png, .svg or .pdf");
    ensure_refused(&f, "/tmp/.png", RV_FILE_ERROR, "the ending must be");
    ensure_refused(&f, "png", RV_FILE_ERROR, "the ending must be");
    ensure_refused(&f, "/nonexistent/x.png", RV_FILE_ERROR, "No such file or directory");
    f.to_ms = -1;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "to_ms = -1");
    f = full, f.to_ms = NAN;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "to_ms");
    f = full, f.dpi = NAN;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "dpi");
    f = full, f.width = 5000, f.dpi = 4000;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "pixels");
    f = full, f.bin_ms = 1e-6;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "bin_ms");
    f = full, f.spikes = &wrong, f.n_spikes = 1, wrong.size = 7;
    ensure_refused(&f, in_folder("x.png"), RV_OUT_OF_RANGE, "population \"E\": spike 1 is of neuron 7, allowed 0 to 6");
    assert_int_equal(access(in_folder("x.png"), F_OK), -1);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    static const char *names[] = { "old.png", "old.svg", "old.pdf" };
    struct rlimit      before, small = { 3000, 3000 };
    for (int i = 0; i < 3; i++) {
        size_t      n;
        rv_error    error = { 0 };
        const char *path = in_folder(names[i]);
        FILE       *old = fopen(path, "w");
        fputs("precious", old);
        fclose(old);
        signal(SIGXFSZ, SIG_IGN); /* so that a full disk is an error of write(), as it is in life */
        getrlimit(RLIMIT_FSIZE, &before);
        small.rlim_max = before.rlim_max;
        setrlimit(RLIMIT_FSIZE, &small);
        rv_status status = figure_save(&full, path, &error);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(status, RV_FILE_ERROR);
        assert_non_null(strstr(error.text, "cannot be written: File too large"));
        uint8_t *bytes = read_file(path, &n);
        assert_int_equal(n, 8);
        assert_memory_equal(bytes, "precious", 8);
        free(bytes);
    }
    char command[200];
    snprintf(command, sizeof command, "! ls '%s' | grep -q part", folder);
    assert_int_equal(system(command), 0);
}

/* ----------------------------------------------------------------------------------------------- raster --- */

static void a_spike_lights_its_pixel(void **state)
{
    (void)state;
    canvas *c = draw(&full);
    assert_int_equal(pixel_at(&full, c, FIGURE_RASTER, 0, 20, 7), BLUE);
    assert_int_equal(pixel_at(&full, c, FIGURE_RASTER, 1, 30, 3), VERMILION);
    assert_int_equal(pixel_at(&full, c, FIGURE_RASTER, 0, 20, 3), WHITE);
    assert_int_equal(pixel_at(&full, c, FIGURE_RASTER, 0, 25, 7), WHITE);
    canvas_free(c);
}

static void time_runs_right_neurons_up_inhibition_on_top(void **state)
{
    (void)state;
    canvas *c = draw(&full);
    double  x0, x1, x2, y0, y7, inhibitory0, unused;
    ENSURE_OK(figure_locate(&full, c, FIGURE_RASTER, 0, 0, 0, &x0, &y0));
    ENSURE_OK(figure_locate(&full, c, FIGURE_RASTER, 0, 25, 7, &x1, &y7));
    ENSURE_OK(figure_locate(&full, c, FIGURE_RASTER, 1, 50, 0, &x2, &inhibitory0));
    ENSURE_NEAR(x1, (x0 + x2) / 2, 1e-9 /* pt */, "");
    assert_true(x2 > x0 + 400);
    assert_true(y0 > y7 && y7 > inhibitory0);
    double rate_x;
    ENSURE_OK(figure_locate(&full, c, FIGURE_RATE, 0, 25, 0, &rate_x, &unused));
    ENSURE_NEAR(rate_x, x1, 0 /* pt: one time axis */, "");
    assert_int_equal(figure_locate(&full, c, FIGURE_RASTER, 2, 0, 0, &x0, &y0), RV_OUT_OF_RANGE);
    assert_int_equal(figure_locate(&full, c, FIGURE_ISI, 0, 0, 0, &x0, &y0), RV_OUT_OF_RANGE);
    canvas_free(c);
}

static void bands_are_proportional_but_never_unreadable(void **state)
{
    (void)state;
    raster_band         bands[3];
    const figure_spikes sizes[] = { { .size = 80000 }, { .size = 20000 }, { .size = 3, .inhibitory = true } };
    figure              f = { .spikes = sizes, .n_spikes = 3 };
    raster_stack(&f, 10, 200, bands);
    ENSURE_NEAR(bands[0].height / bands[1].height, 4, 1e-9, "");
    assert_true(bands[2].height >= 12); /* pt: a line of text */
    ENSURE_NEAR(bands[2].y, 10, 1e-9, "");  /* on top, */
    ENSURE_NEAR(bands[0].y + bands[0].height, 210, 1e-9, "");
    assert_true(bands[1].y + bands[1].height < bands[0].y);
    raster_stack(&f, 10, 9, bands); /* hardly any room: equal and positive */
    for (int i = 0; i < 3; i++) assert_true(bands[i].height > 0);
}

/* 1e6 spikes, two thirds of them within 500..510 ms of the second. */
static figure_spikes million_with_burst(void)
{
    figure_spikes s = random_spikes("E", 10000, false, 1000000, 1000);
    double       *times = (double *)(uintptr_t)s.times_ms;
    for (int64_t k = 0; k < s.n; k++) times[k] = k < 333333 ? times[k] * 3 : 500 + 10 * random_number();
    return s;
}

static double mean_ink(const figure *f, canvas *c, double t_ms, double neuron)
{
    double x, y, sum = 0;
    ENSURE_OK(figure_locate(f, c, FIGURE_RASTER, 0, t_ms, neuron, &x, &y));
    for (int row = -20; row < 20; row++) sum += ink(pixel(c, x, y + row / canvas_scale(c)), BLUE) / 40;
    return sum;
}

static void density_of_a_million_spikes(void **state)
{
    (void)state;
    figure_spikes s = million_with_burst();
    figure        f = { .spikes = &s, .n_spikes = 1, .from_ms = 0, .to_ms = 2000 };
    canvas       *c = draw(&f);
    double        base = mean_ink(&f, c, 200, 5000), burst = mean_ink(&f, c, 505, 5000);
    assert_true(base > 0.05 && base < 0.7);
    assert_true(burst > 0.9);
    ENSURE_NEAR(mean_ink(&f, c, 1500, 5000), 0, 1e-9, ""); /* silence stays white */
    ENSURE_NEAR(mean_ink(&f, c, 200, 1000), base, 0.15, ""); /* the same rate is the same darkness */
    canvas_free(c);
    size_t n;
    ENSURE_OK(figure_save(&f, in_folder("million.svg"), NULL));
    free(read_file(in_folder("million.svg"), &n));
    assert_true(n < 4000000); /* bytes: an image, not a million dots */
    free_spikes(s);
}

static void a_single_spike_is_seen_beside_a_million(void **state)
{
    (void)state;
    figure_spikes s = million_with_burst();
    ((double *)(uintptr_t)s.times_ms)[s.n - 1] = 1500;
    ((int64_t *)(uintptr_t)s.neurons)[s.n - 1] = 5000;
    figure  f = { .spikes = &s, .n_spikes = 1, .from_ms = 0, .to_ms = 2000 };
    canvas *c = draw(&f);
    double  x, y, darkest = 0;
    ENSURE_OK(figure_locate(&f, c, FIGURE_RASTER, 0, 1500, 5000, &x, &y));
    for (int dx = -1; dx <= 1; dx++)
        for (int dy = -1; dy <= 1; dy++)
            darkest = fmax(darkest, ink(pixel(c, x + dx / canvas_scale(c), y + dy / canvas_scale(c)), BLUE));
    assert_true(darkest > 0.08);
    canvas_free(c);
    free_spikes(s);
}

/* Neurons that are no multiple of the pixels, on a time grid: every row and column must come out alike. */
static void a_regular_pattern_has_no_moire(void **state)
{
    (void)state;
    enum { NEURONS = 1777, STEPS = 2000 };
    int64_t  n = 0;
    double  *times = malloc(NEURONS * STEPS * sizeof *times);
    int64_t *neurons = malloc(NEURONS * STEPS * sizeof *neurons);
    for (int step = 1; step <= STEPS; step++)
        for (int i = 0; i < NEURONS; i++) times[n] = step * 0.1, neurons[n++] = i;
    figure_spikes s = { "E", NEURONS, false, n, times, neurons };
    figure        f = { .spikes = &s, .n_spikes = 1, .panels = FIGURE_RASTER, .from_ms = 0, .to_ms = 200 };
    canvas       *c = draw(&f);
    double        x, y, lightest = 1, darkest = 0;
    ENSURE_OK(figure_locate(&f, c, FIGURE_RASTER, 0, 100, NEURONS / 2, &x, &y));
    for (int k = -100; k < 100; k++) {
        double along = ink(pixel(c, x + k / canvas_scale(c), y), BLUE);
        double across = ink(pixel(c, x, y + k / canvas_scale(c)), BLUE);
        lightest = fmin(lightest, fmin(along, across));
        darkest = fmax(darkest, fmax(along, across));
    }
    assert_true(lightest > 0.5 && darkest - lightest < 0.1);
    canvas_free(c);
    free(times);
    free(neurons);
}

/* ------------------------------------------------------------------------------------------------- counts --- */

static void the_rate_is_spikes_per_neuron_and_second(void **state)
{
    (void)state;
    enum { N = 10 };
    double  times[N];
    int64_t neurons[N];
    for (int i = 0; i < N; i++) times[i] = 50.3, neurons[i] = i;
    figure_spikes s = { "E", N, false, N, times, neurons };
    figure        f = { .spikes = &s, .n_spikes = 1, .from_ms = 0, .to_ms = 100, .bin_ms = 10 };
    histogram     h;
    ENSURE_OK(histogram_rate(&f, 0, &h));
    assert_int_equal(h.n, 10);
    ENSURE_NEAR(h.heights[5], 100, 1e-9 /* spikes/s: each neuron once in 10 ms */, "");
    ENSURE_NEAR(histogram_peak(&h), 100, 1e-9 /* spikes/s */, "");
    ENSURE_NEAR(h.heights[4] + h.heights[6], 0, 0, "");
    histogram_free(&h);
    canvas *c = draw(&f);
    assert_true(ink(pixel_at(&f, c, FIGURE_RATE, 0, 55, 100), BLUE) > 0.5);
    assert_int_equal(pixel_at(&f, c, FIGURE_RATE, 0, 55, 50), WHITE);
    assert_int_equal(pixel_at(&f, c, FIGURE_RATE, 0, 45, 100), WHITE);
    canvas_free(c);
}

/* A spike of a grid simulation lies on a bin's edge, as nearly as binary numbers can: it starts the bin. */
static void spikes_on_the_edges_of_bins(void **state)
{
    (void)state;
    double  times[21];
    int64_t neurons[21] = { 0 };
    for (int i = 0; i <= 20; i++) times[i] = i / 10.0; /* 0.3 / 0.1 < 3 */
    figure_spikes s = { "E", 1, false, 21, times, neurons };
    figure        f = { .spikes = &s, .n_spikes = 1, .from_ms = 0, .to_ms = 2, .bin_ms = 0.1 };
    histogram     h;
    ENSURE_OK(histogram_rate(&f, 0, &h));
    assert_int_equal(h.n, 20);
    for (int i = 0; i < 19; i++) ENSURE_NEAR(h.heights[i], 1e4, 1e-6 /* spikes/s */, "");
    ENSURE_NEAR(h.heights[19], 2e4, 1e-6 /* spikes/s: the one at to_ms counts too */, "");
    histogram_free(&h);
    f.bin_ms = 0.15; /* 13 bins, and the rest of a bin is left out */
    ENSURE_OK(histogram_rate(&f, 0, &h));
    assert_int_equal(h.n, 13);
    histogram_free(&h);
}

static void intervals_are_those_of_single_neurons(void **state)
{
    (void)state;
    double  times[100];
    int64_t neurons[100];
    for (int i = 0; i < 100; i++) times[i] = i * 2.5, neurons[i] = i % 4; /* each neuron every 10 ms */
    figure_spikes s = { "E", 4, false, 100, times, neurons };
    figure        f = { .spikes = &s, .n_spikes = 1, .from_ms = 0, .to_ms = 1000 };
    histogram     h;
    ENSURE_OK(histogram_isi(&f, 0, 1, 20, &h));
    ENSURE_NEAR(h.heights[10], 1, 1e-12, "");
    histogram_free(&h);
    ENSURE_OK(histogram_rates(&f, 0, 5, 10, &h)); /* 25 spikes each: the sixth bin of 5 */
    ENSURE_NEAR(h.heights[5], 1, 1e-12, "");
    ENSURE_NEAR(h.width, 5, 1e-12 /* spikes/s: 5 spikes in 1 s */, "");
    histogram_free(&h);
}

/* --------------------------------------------------------------------------------------------- samples --- */

static void traces_show_peaks_thresholds_and_spikes(void **state)
{
    (void)state;
    enum { N = 1000000 };
    double *times = malloc(N * sizeof *times), *values = malloc(N * sizeof *values);
    for (int k = 0; k < N; k++) times[k] = k * 0.01, values[k] = k == 400000 ? -56 : -70;
    double       spike = 7000;
    figure_trace trace = { "V_m", "mV", N, times, values, -50, 1, &spike };
    figure       f = { .traces = &trace, .n_traces = 1, .from_ms = 0, .to_ms = 10000 };
    canvas      *c = draw(&f);
    assert_true(ink(pixel_at(&f, c, FIGURE_TRACES, 0, 4000, -60), BLUE) > 0.5); /* one sample among a thousand */
    assert_int_equal(pixel_at(&f, c, FIGURE_TRACES, 0, 5000, -60), WHITE);
    assert_true(ink(pixel_at(&f, c, FIGURE_TRACES, 0, 7000, -49), BLUE) > 0.5);
    assert_int_equal(pixel_at(&f, c, FIGURE_TRACES, 0, 4000, -49), WHITE);
    int dashes = 0;
    for (int t = 1000; t < 3000; t++) dashes += pixel_at(&f, c, FIGURE_TRACES, 0, t, -50) != WHITE;
    assert_in_range(dashes, 600, 1900); /* dashed: neither empty nor full */
    canvas_free(c);
    free(times);
    free(values);
}

static void values_that_are_no_numbers_are_skipped(void **state)
{
    (void)state;
    const double  times[] = { NAN, 10, INFINITY, 20, -INFINITY, 30, DBL_MAX };
    const double  values[] = { 1, NAN, 2, -INFINITY, DBL_MAX, 1, -DBL_MAX };
    const int64_t neurons[] = { 0, 1, 2, 3, 4, 5, 6 };
    figure_spikes s = { "E", 7, false, 7, times, neurons };
    figure_trace  trace = { "V_m", "mV", 7, times, values, INFINITY, 7, times };
    figure_curve  curve = { "a", "x", "y", 7, times, values, true };
    figure        f = { .spikes = &s, .n_spikes = 1, .traces = &trace, .n_traces = 1, .curves = &curve,
                        .n_curves = 1, .panels = 63 };
    canvas *c = draw(&f);
    double  x0, x1, y;
    ENSURE_OK(figure_locate(&f, c, FIGURE_RASTER, 0, 0, 0, &x0, &y));
    ENSURE_OK(figure_locate(&f, c, FIGURE_RASTER, 0, 30, 0, &x1, &y));
    assert_true(x1 - x0 > 350); /* pt: 30 ms fill the axis, though one time is infinite */
    assert_int_equal(pixel_at(&f, c, FIGURE_RASTER, 0, 20, 3), BLUE);
    canvas_free(c);
}

static void a_gap_in_a_trace_is_a_gap(void **state)
{
    (void)state;
    const double times[] = { 0, 10, 20, 30, 40, 50 }, values[] = { 1, 1, NAN, NAN, 1, 1 };
    figure_trace trace = { "V_m", "mV", 6, times, values, NAN, 0, NULL };
    figure       f = { .traces = &trace, .n_traces = 1 };
    canvas      *c = draw(&f);
    assert_true(pixel_at(&f, c, FIGURE_TRACES, 0, 5, 1) != WHITE);
    assert_int_equal(pixel_at(&f, c, FIGURE_TRACES, 0, 25, 1), WHITE);
    assert_true(pixel_at(&f, c, FIGURE_TRACES, 0, 45, 1) != WHITE);
    canvas_free(c);
}

/* ----------------------------------------------------------------------------------------- empty and odd --- */

static void nothing_recorded_still_has_axes(void **state)
{
    (void)state;
    const figure_spikes silent[] = { { "E", 80, false, 0, NULL, NULL }, { NULL, 0, true, 0, NULL, NULL } };
    const figure_trace  no_trace = { NULL, NULL, 0, NULL, NULL, NAN, 0, NULL };
    const figure_curve  no_curve = { NULL, NULL, NULL, 0, NULL, NULL, false };
    for (unsigned panels = 0; panels < 64; panels++)
        for (int with = 0; with < 8; with++) {
            figure f = { .spikes = silent, .n_spikes = with & 1 ? 2 : 0, .traces = &no_trace, .n_traces = with >> 1 & 1,
                         .curves = &no_curve, .n_curves = with >> 2, .panels = panels };
            canvas *c;
            ENSURE_OK(canvas_new(200, 160, 0.5, &c, NULL));
            ENSURE_OK(figure_draw(&f, c, NULL));
            canvas_free(c);
        }
    figure  f = { .spikes = silent, .n_spikes = 2 };
    canvas *c = draw(&f);
    assert_true(pixel_at(&f, c, FIGURE_RATE, 0, 500, 0) != WHITE); /* the time axis */
    canvas_free(c);
}

static void labels_are_never_cut_at_the_border(void **state)
{
    (void)state;
    static const char *names[] = { "E", "a population whose name is far too long for any margin, and then some",
                                   "\xff\xfe no UTF-8 \xc3", "Größe µ → ∞", "line\nbreak", "" };
    figure_spikes      populations[6];
    for (int i = 0; i < 6; i++) populations[i] = random_spikes(names[i], i == 0 ? 123456 : 3 + i, i & 1, 500, 1e5);
    for (int n = 1; n <= 6; n++) {
        figure f = { .spikes = populations, .n_spikes = n, .panels = 31, .title = names[n - 1], .traces = &some_trace,
                     .n_traces = 1 };
        canvas *c = draw(&f);
        ensure_unclipped(c);
        canvas_free(c);
        ENSURE_OK(figure_save(&f, in_folder("names.pdf"), NULL));
    }
    figure_spikes late = populations[0];
    for (int64_t k = 0; k < late.n; k++) ((double *)(uintptr_t)late.times_ms)[k] = 1e9 + (double)k * 0.003;
    figure  f = { .spikes = &late, .n_spikes = 1 };
    canvas *c = draw(&f);
    ensure_unclipped(c);
    canvas_free(c);
    for (int i = 0; i < 6; i++) free_spikes(populations[i]);
}

static void odd_figures_are_drawn(void **state)
{
    (void)state;
    double  times[50], values[50];
    int64_t neurons[50];
    for (int round = 0; round < 150; round++) {
        double scale = pow(10, floor(random_number() * 40 - 20));
        for (int k = 0; k < 50; k++) {
            times[k] = (random_number() - 0.3) * scale;
            values[k] = (random_number() - 0.5) * pow(10, floor(random_number() * 600 - 300));
            neurons[k] = (int64_t)(random_number() * 3);
        }
        figure_spikes s[9];
        figure_trace  t = { "V_m", "1", 50, times, values, values[0], 50, times };
        figure_curve  u[3];
        for (int i = 0; i < 9; i++)
            s[i] = (figure_spikes){ "p", 3 + (int64_t)(pow(10, i)), i % 2, 50, times, neurons };
        for (int i = 0; i < 3; i++) u[i] = (figure_curve){ "c", i ? "x" : "z", "y", 50, times, values, i == 2 };
        figure f = { .title = "odd", .spikes = s, .n_spikes = (int)(random_number() * 6), .traces = &t, .n_traces = 1,
                     .curves = u, .n_curves = 3, .panels = (unsigned)(random_number() * 64) };
        canvas *c;
        ENSURE_OK(canvas_new((int)(20 + random_number() * 600), (int)(20 + random_number() * 600), 1, &c, NULL));
        ENSURE_OK(figure_draw(&f, c, NULL));
        ENSURE_OK(canvas_close(c, NULL)); /* cairo had nothing to complain about */
    }
}

/* ----------------------------------------------------------------------------------------- axes and text --- */

static void steps_are_1_2_5(void **state)
{
    (void)state;
    const double cases[][3] = { { 1000, 10, 100 }, { 1000, 9, 200 }, { 1000, 4, 500 }, { 0.7, 8, 0.1 },
                                { 80000, 5, 20000 }, { 1e-12, 3, 5e-13 }, { 3, 1, 5 } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ENSURE_NEAR(axis_nice_step(cases[i][0], cases[i][1]) / cases[i][2], 1, 1e-12, "");
}

static void ticks_include_both_ends_of_a_round_range(void **state)
{
    (void)state;
    double ticks[AXIS_MAX_TICKS];
    axis   a = { .low = 0.1, .high = 0.7, .from = 0, .to = 300 };
    int    n = axis_ticks(&a, 40, ticks);
    assert_int_equal(n, 7);
    ENSURE_NEAR(ticks[0], 0.1, 1e-12, "");
    ENSURE_NEAR(ticks[6], 0.7, 1e-12, "");
    a = (axis){ .low = 0, .high = 1, .from = 100, .to = 0, .whole = true };
    assert_int_equal(axis_ticks(&a, 10, ticks), 2); /* neurons have no halves */
    a = (axis){ .low = 0, .high = 10000, .from = 0, .to = 400, .unit = 1000 };
    assert_int_equal(axis_ticks(&a, 40, ticks), 11); /* 0 s to 10 s */
}

static void text_fits_where_it_must(void **state)
{
    (void)state;
    canvas     *c;
    canvas_font font = { .size = 8 };
    ENSURE_OK(canvas_new(300, 50, 1, &c, NULL));
    double normal = canvas_text_width(c, font, "Vm"), lowered = canvas_text_width(c, font, "V_m");
    assert_true(lowered < normal && lowered > 0.6 * normal); /* the m is a subscript, the underscore is gone */
    assert_true(canvas_text_width(c, font, "pop_1") > canvas_text_width(c, font, "pop1"));
    font.longest = 50;
    canvas_text(c, font, 10, 30, "a text that is longer than fifty points by far");
    for (int x = 62; x < 300; x++)
        for (int y = 0; y < 50; y++) assert_int_equal(pixel(c, x, y), WHITE);
    canvas_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(png_has_signature_size_and_resolution),
        cmocka_unit_test(every_format_is_written_and_repeats_byte_by_byte),
        cmocka_unit_test(chosen_size_is_a_journal_page),
        cmocka_unit_test(wrong_figures_are_refused_with_a_sentence),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(a_spike_lights_its_pixel),
        cmocka_unit_test(time_runs_right_neurons_up_inhibition_on_top),
        cmocka_unit_test(bands_are_proportional_but_never_unreadable),
        cmocka_unit_test(density_of_a_million_spikes),
        cmocka_unit_test(a_single_spike_is_seen_beside_a_million),
        cmocka_unit_test(a_regular_pattern_has_no_moire),
        cmocka_unit_test(the_rate_is_spikes_per_neuron_and_second),
        cmocka_unit_test(spikes_on_the_edges_of_bins),
        cmocka_unit_test(intervals_are_those_of_single_neurons),
        cmocka_unit_test(traces_show_peaks_thresholds_and_spikes),
        cmocka_unit_test(values_that_are_no_numbers_are_skipped),
        cmocka_unit_test(a_gap_in_a_trace_is_a_gap),
        cmocka_unit_test(nothing_recorded_still_has_axes),
        cmocka_unit_test(labels_are_never_cut_at_the_border),
        cmocka_unit_test(odd_figures_are_drawn),
        cmocka_unit_test(steps_are_1_2_5),
        cmocka_unit_test(ticks_include_both_ends_of_a_round_range),
        cmocka_unit_test(text_fits_where_it_must),
    };
    return cmocka_run_group_tests_name("figure", tests, make_folder, remove_folder);
}
