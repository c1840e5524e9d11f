/* The raster. Up to MOST_MARKS spikes are dots or strokes of the canvas. More are summed into an image in which
 * darkness is their density, see viz/coverage.h. */
#include "viz/raster.h"
#include "viz/coverage.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_MARKS = 20000,
    BATCH      = 512, /* marks per stroke of the canvas */
};

static const double SMALLEST_BAND = 13; /* points: a line of text and air */
static const double LARGEST_GAP = 7;    /* numbers at both sides of it do not touch */

uint32_t raster_colour(const figure *f, int population)
{
    /* Okabe & Ito (2008), then Tol's "muted" wine, indigo, ... (2021); cold for excitation, warm for inhibition */
    static const uint32_t cold[] = { 0x0072b2, 0x56b4e9, 0x009e73, 0x332288, 0x44aa99, 0x117733 };
    static const uint32_t warm[] = { 0xd55e00, 0xe69f00, 0xcc79a7, 0x882255, 0xaa4499, 0x999933 };
    int                   same_kind = 0;
    for (int i = 0; i < population; i++) same_kind += f->spikes[i].inhibitory == f->spikes[population].inhibitory;
    return (f->spikes[population].inhibitory ? warm : cold)[same_kind % 6];
}

/* ---------------------------------------------------------------------------------------------- layout --- */

/* Points per neuron such that all bands fill the height when those that come out too low are lifted to `smallest`.
 * Lifting one lowers the others, so it repeats until no further band needs it. */
static double points_per_neuron(const figure *f, double height, double smallest)
{
    double ratio = INFINITY;
    for (int round = 0; round <= f->n_spikes; round++) {
        double free = height, neurons = 0;
        for (int i = 0; i < f->n_spikes; i++) {
            double size = (double)f->spikes[i].size;
            if (round > 0 && size * ratio < smallest) free -= smallest;
            else neurons += size;
        }
        double next = neurons > 0 ? fmax(free, 0) / neurons : 0;
        if (next >= ratio) break;
        ratio = next;
    }
    return ratio;
}

void raster_stack(const figure *f, double y, double height, raster_band *bands)
{
    if (f->n_spikes == 0) return;
    double gap = f->n_spikes > 1 ? fmin(LARGEST_GAP, 0.15 * height / (f->n_spikes - 1)) : 0;
    double free = height - gap * (f->n_spikes - 1), smallest = fmin(SMALLEST_BAND, free / f->n_spikes);
    double ratio = points_per_neuron(f, free, smallest), bottom = y + height;
    for (int kind = 0; kind < 2; kind++)
        for (int i = 0; i < f->n_spikes; i++) {
            if (f->spikes[i].inhibitory != (kind == 1)) continue;
            bands[i].height = fmax((double)f->spikes[i].size * ratio, smallest);
            bands[i].y = bottom - bands[i].height;
            bottom -= bands[i].height + gap;
        }
}

double raster_neuron_y(raster_band band, int64_t size, double neuron)
{
    return band.y + band.height * (1 - (neuron + 0.5) / (double)(size > 0 ? size : 1));
}

/* ----------------------------------------------------------------------------------------------- labels --- */

static const canvas_font size_font = { .size = 6.5, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
static const canvas_font name_font = { .size = AXIS_LABEL, .align = CANVAS_RIGHT, .longest = 90 };

/* Bands with room for two numbers have an axis; if one is too low for that, all show their size instead. */
static bool have_axes(const figure *f, const raster_band *bands)
{
    for (int i = 0; i < f->n_spikes && f->n_spikes > 1; i++)
        if (bands[i].height < 28) return false;
    return true;
}

/* Where neurons can be told apart, the number of one stands at its line; else 0 is the lower edge. */
static axis band_axis(const figure *f, int i, raster_band band)
{
    double size = (double)(f->spikes[i].size > 0 ? f->spikes[i].size : 1), shift = band.height / size > 1.5 ? 0.5 : 0;
    return (axis){ .low = -shift, .high = size - shift, .from = band.y + band.height, .to = band.y, .whole = true };
}

static double widest_numbers(canvas *c, const figure *f, const raster_band *bands)
{
    double widest = AXIS_TICK;
    for (int i = 0; i < f->n_spikes; i++) {
        axis a = band_axis(f, i, bands[i]);
        char size[AXIS_NUMBER_BYTES];
        axis_write_count(f->spikes[i].size, size);
        if (have_axes(f, bands)) widest = fmax(widest, axis_numbers_width(c, &a));
        else widest = fmax(widest, 4 + canvas_text_width(c, size_font, size));
    }
    return widest;
}

double raster_labels_width(canvas *c, const figure *f, const raster_band *bands)
{
    double widest = 0;
    for (int i = 0; i < f->n_spikes; i++) widest = fmax(widest, canvas_text_width(c, name_font, f->spikes[i].name));
    return widest_numbers(c, f, bands) + (widest > 0 ? widest + 6 : 0);
}

/* A line beside the band, and how many neurons it holds. */
static void draw_size(canvas *c, int64_t size, raster_band band, double x)
{
    char        text[AXIS_NUMBER_BYTES];
    canvas_font font = size_font;
    font.size = fmin(font.size, band.height);
    axis_write_count(size, text);
    canvas_line(c, (canvas_pen){ .colour = AXIS_INK, .width = AXIS_LINE }, x, band.y, x, band.y + band.height);
    if (font.size >= 4) canvas_text(c, font, x - 4, band.y + band.height / 2 + 0.36 * font.size, text);
}

static void draw_labels(canvas *c, const figure *f, const raster_band *bands, axis_rect plot, double label_x)
{
    double names_x = plot.x - widest_numbers(c, f, bands) - 6;
    for (int i = 0; i < f->n_spikes; i++) {
        double      middle = bands[i].y + bands[i].height / 2;
        axis        a = band_axis(f, i, bands[i]);
        canvas_font font = name_font;
        font.colour = raster_colour(f, i);
        font.size = fmin(font.size, bands[i].height);
        if (have_axes(f, bands)) axis_draw_y(c, &a, plot.x, NAN);
        else draw_size(c, f->spikes[i].size, bands[i], plot.x);
        if (font.size >= 4) canvas_text(c, font, names_x, middle + 0.36 * font.size, f->spikes[i].name);
    }
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .align = CANVAS_CENTRE, .upwards = true };
    font.longest = plot.height + 10;
    canvas_text(c, font, label_x, plot.y + plot.height / 2, "neuron");
    if (f->n_spikes > 0) return;
    canvas_line(c, (canvas_pen){ .colour = AXIS_INK, .width = AXIS_LINE }, plot.x, plot.y, plot.x,
                plot.y + plot.height);
}

void raster_names(canvas *c, const figure *f, double from, double to, double baseline)
{
    canvas_font font = { .size = AXIS_DIGIT, .align = CANVAS_RIGHT, .longest = 120 };
    for (int i = f->n_spikes - 1; i >= 0; i--) {
        double width = canvas_text_width(c, font, f->spikes[i].name);
        if (to - width < from) break;
        font.colour = raster_colour(f, i);
        canvas_text(c, font, to, baseline, f->spikes[i].name);
        to -= width + 8;
    }
}

/* ------------------------------------------------------------------------------------------------ marks --- */

static int64_t count_visible(const figure_spikes *spikes, const axis *time)
{
    int64_t n = 0;
    for (int64_t k = 0; k < spikes->n; k++) n += spikes->times_ms[k] >= time->low && spikes->times_ms[k] <= time->high;
    return n;
}

static coverage_mark choose_mark(const figure_spikes *spikes, raster_band band, axis_rect plot, const axis *time,
                                 int64_t n_all)
{
    double size = (double)(spikes->size > 0 ? spikes->size : 1);
    double per_neuron = (double)count_visible(spikes, time) / size;
    return coverage_choose_mark(band.height / size, plot.width, plot.height, per_neuron, (double)n_all);
}

static void flush_marks(canvas *c, coverage_mark m, uint32_t colour, const double *x, const double *y, int n)
{
    canvas_pen pen = { .colour = colour, .width = m.width };
    if (n == 0) return;
    if (m.stroke) canvas_strokes(c, pen, m.height, x, y, n);
    else canvas_dots(c, pen, x, y, n);
}

static void draw_marks(canvas *c, const figure_spikes *spikes, raster_band band, const axis *time, coverage_mark m,
                       uint32_t colour)
{
    double x[BATCH], y[BATCH];
    int    n = 0;
    for (int64_t k = 0; k < spikes->n; k++) {
        double t = spikes->times_ms[k];
        if (!(t >= time->low && t <= time->high)) continue;
        x[n] = axis_at(time, t);
        y[n++] = raster_neuron_y(band, spikes->size, (double)spikes->neurons[k]);
        if (n == BATCH) flush_marks(c, m, colour, x, y, n), n = 0;
    }
    flush_marks(c, m, colour, x, y, n);
}

/* ---------------------------------------------------------------------------------------------- density --- */

static void add_spikes(const coverage *g, const figure_spikes *spikes, raster_band band, axis_rect plot,
                       const axis *time, coverage_mark m, double scale)
{
    double width, height, per_ms = plot.width * scale / (time->high - time->low);
    double bottom = (band.y + band.height - plot.y) * scale;
    double per_neuron = band.height * scale / (double)(spikes->size > 0 ? spikes->size : 1);
    coverage_box(m, scale, &width, &height);
    for (int64_t k = 0; k < spikes->n; k++) {
        double t = spikes->times_ms[k];
        if (!(t >= time->low && t <= time->high)) continue;
        double x = (t - time->low) * per_ms, y = bottom - ((double)spikes->neurons[k] + 0.5) * per_neuron;
        coverage_add(g, 0, g->columns, x - width / 2, x + width / 2, y - height / 2, y + height / 2);
    }
}

/* The population whose band is nearest to a row of pixels, in points from the top of the canvas. */
static int population_at(const figure *f, const raster_band *bands, double y)
{
    int    nearest = 0;
    double smallest = INFINITY;
    for (int i = 0; i < f->n_spikes; i++) {
        double distance = fmax(fmax(bands[i].y - y, y - bands[i].y - bands[i].height), 0);
        if (distance < smallest) smallest = distance, nearest = i;
    }
    return nearest;
}

static double full_coverage(const coverage *g)
{
    size_t          n = (size_t)g->columns * (size_t)g->rows;
    coverage_census census = { .most = coverage_most(g->covered, n, 1) };
    coverage_count(&census, g->covered, n);
    return coverage_full(&census);
}

static void colour_patch(const coverage *g, const figure *f, const raster_band *bands, axis_rect plot, double scale,
                         uint32_t *rgb)
{
    double          full = full_coverage(g);
    coverage_shades shades;
    int             shown = -1;
    for (int row = 0; row < g->rows; row++) {
        int population = population_at(f, bands, plot.y + (row + 0.5) / scale);
        if (population != shown) coverage_make_shades(&shades, raster_colour(f, population), 0xffffff, full);
        shown = population;
        for (int column = 0; column < g->columns; column++)
            *rgb++ = coverage_shade(&shades, coverage_column(g, column)[row]);
    }
}

static rv_status draw_density(canvas *c, const figure *f, const raster_band *bands, axis_rect plot, const axis *time,
                              const coverage_mark *marks)
{
    double   scale = canvas_scale(c);
    coverage g = { .columns = (int)fmax(lround(plot.width * scale), 1),
                   .rows = (int)fmax(lround(plot.height * scale), 1) };
    size_t    n = (size_t)g.columns * (size_t)g.rows;
    uint32_t *rgb = malloc(n * sizeof *rgb);
    g.covered = calloc(n, sizeof *g.covered);
    if (g.covered && rgb) {
        for (int i = 0; i < f->n_spikes; i++) add_spikes(&g, &f->spikes[i], bands[i], plot, time, marks[i], scale);
        colour_patch(&g, f, bands, plot, scale, rgb);
        canvas_patch(c, plot.x, plot.y, g.columns / scale, g.rows / scale, rgb, g.columns, g.rows);
    }
    rv_status status = g.covered && rgb ? RV_OK : RV_OUT_OF_MEMORY;
    free(g.covered);
    free(rgb);
    return status;
}

rv_status raster_draw(canvas *c, const figure *f, const raster_band *bands, axis_rect plot, const axis *time,
                      double label_x)
{
    int64_t   all = 0;
    rv_status status = RV_OK;
    coverage_mark *marks = calloc((size_t)f->n_spikes + 1, sizeof *marks);
    if (!marks) return RV_OUT_OF_MEMORY;
    for (int i = 0; i < f->n_spikes; i++) all += count_visible(&f->spikes[i], time);
    for (int i = 0; i < f->n_spikes; i++) marks[i] = choose_mark(&f->spikes[i], bands[i], plot, time, all);
    if (all > MOST_MARKS) status = draw_density(c, f, bands, plot, time, marks);
    else
        for (int i = 0; i < f->n_spikes; i++)
            draw_marks(c, &f->spikes[i], bands[i], time, marks[i], raster_colour(f, i));
    draw_labels(c, f, bands, plot, label_x);
    free(marks);
    return status;
}
