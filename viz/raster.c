/* The raster. Up to MOST_MARKS spikes are dots or strokes of the canvas. More are summed into an image: every spike
 * covers a box of the mark's size, shared among the pixels it touches (so that rows of neurons and steps of time that
 * are no multiples of a pixel make no moiré), and darkness follows the logarithm of the coverage (so that single
 * spikes and population bursts show in one picture). */
#include "viz/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_MARKS = 20000,
    BATCH      = 512,  /* marks per stroke of the canvas */
    LEVELS     = 4096, /* of the coverage when its high quantile is sought */
};

static const double SMALLEST_BAND = 13; /* points: a line of text and air */
static const double LARGEST_GAP = 7;    /* numbers at both sides of it do not touch */
static const double FULL_QUANTILE = 0.99; /* of the covered pixels have less than full colour */
static const double ABOVE_MEAN = 2.5;     /* headroom for bursts where most pixels hold several spikes */

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

/* What a spike of one population looks like, in points. */
typedef struct mark {
    double width, height;
    bool   stroke; /* else a dot of diameter width */
} mark;

static int64_t count_visible(const figure_spikes *spikes, const axis *time)
{
    int64_t n = 0;
    for (int64_t k = 0; k < spikes->n; k++) n += spikes->times_ms[k] >= time->low && spikes->times_ms[k] <= time->high;
    return n;
}

/* Dots shrink with the number of spikes on the whole raster, such that a raster without overlaps would be a quarter
 * ink; where every neuron has three points of its own, strokes are easier to read than dots. */
static mark choose_mark(const figure_spikes *spikes, raster_band band, axis_rect plot, const axis *time, int64_t n_all)
{
    double size = (double)(spikes->size > 0 ? spikes->size : 1), pitch = band.height / size;
    if (pitch >= 3) {
        double per_neuron = (double)count_visible(spikes, time) / size;
        double width = fmin(fmax(0.4 * plot.width / fmax(per_neuron, 1), 0.3), 0.8);
        return (mark){ .width = width, .height = fmin(0.8 * pitch, 9), .stroke = true };
    }
    double diameter = fmin(fmax(sqrt(plot.width * plot.height / 4 / fmax((double)n_all, 1)), 0.2), 1.8);
    return (mark){ .width = diameter, .height = diameter };
}

static void flush_marks(canvas *c, mark m, uint32_t colour, const double *x, const double *y, int n)
{
    canvas_pen pen = { .colour = colour, .width = m.width };
    if (n == 0) return;
    if (m.stroke) canvas_strokes(c, pen, m.height, x, y, n);
    else canvas_dots(c, pen, x, y, n);
}

static void draw_marks(canvas *c, const figure_spikes *spikes, raster_band band, const axis *time, mark m,
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

/* How often each pixel is covered by a spike. Columns lie together because spikes come in the order of time. */
typedef struct coverage {
    int    columns, rows;
    double scale;   /* pixels per point */
    float *covered; /* [columns][rows] */
} coverage;

/* Adds a box, in pixels; each pixel gets the part of its area that the box covers. */
static inline void add_box(coverage *g, double x, double y, double width, double height)
{
    double x0 = x - width / 2, x1 = x + width / 2, y0 = y - height / 2, y1 = y + height / 2;
    int    column0 = x0 > 0 ? (int)x0 : 0, row0 = y0 > 0 ? (int)y0 : 0;
    for (int column = column0; column < x1 && column < g->columns; column++) {
        float *covered = g->covered + (size_t)column * (size_t)g->rows;
        double wide = (x1 < column + 1 ? x1 : column + 1) - (x0 > column ? x0 : column);
        for (int row = row0; row < y1 && row < g->rows; row++)
            covered[row] += (float)(wide * ((y1 < row + 1 ? y1 : row + 1) - (y0 > row ? y0 : row)));
    }
}

static void add_spikes(coverage *g, const figure_spikes *spikes, raster_band band, axis_rect plot, const axis *time,
                       mark m)
{
    double width = fmax(m.width * (m.stroke ? 1 : sqrt(acos(-1) / 4)) * g->scale, 1); /* the area of the dot */
    double height = fmax(m.stroke ? m.height * g->scale : width, 1);
    double per_ms = plot.width * g->scale / (time->high - time->low);
    double bottom = (band.y + band.height - plot.y) * g->scale;
    double per_neuron = band.height * g->scale / (double)(spikes->size > 0 ? spikes->size : 1);
    for (int64_t k = 0; k < spikes->n; k++) {
        double t = spikes->times_ms[k];
        if (!(t >= time->low && t <= time->high)) continue;
        add_box(g, (t - time->low) * per_ms, bottom - ((double)spikes->neurons[k] + 0.5) * per_neuron, width, height);
    }
}

/* The coverage that gets full colour: the quantile FULL_QUANTILE of the pixels that hold a spike, but well above their
 * mean, so that even activity is not a block of solid colour; at least 1. */
static double full_coverage(const coverage *g)
{
    size_t n = (size_t)g->columns * (size_t)g->rows, holding = 0, below = 0;
    float  most = 1;
    double sum = 0;
    int    counts[LEVELS] = { 0 };
    for (size_t i = 0; i < n; i++) most = fmaxf(most, g->covered[i]);
    for (size_t i = 0; i < n; i++) {
        if (g->covered[i] < 0.5f) continue;
        counts[(int)(g->covered[i] / most * (LEVELS - 1))]++;
        holding++;
        sum += g->covered[i];
    }
    double mean = sum / fmax((double)holding, 1), least = fmax(1 + ABOVE_MEAN * (mean - 1), 1);
    for (int level = 0; level < LEVELS; level++) {
        below += (size_t)counts[level];
        if ((double)below >= FULL_QUANTILE * (double)holding) return fmax((level + 1.0) / LEVELS * most, least);
    }
    return most;
}

static uint32_t mix_with_white(uint32_t colour, double part)
{
    uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8)
        mixed |= (uint32_t)lround(255 - part * (255 - (double)(colour >> shift & 255))) << shift;
    return mixed;
}

/* Linear up to one spike's coverage, so that an edge of a dot is antialiased; logarithmic above. */
static double darkness(double covered, double full)
{
    double one = 1 / (1 + 0.6 * log(full));
    if (covered <= 1) return covered * one;
    return fmin(one + (1 - one) * log(covered) / log(full), 1);
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

static void colour_patch(const coverage *g, const figure *f, const raster_band *bands, axis_rect plot, uint32_t *rgb)
{
    enum { SHADES = 1024 };
    double   full = full_coverage(g);
    uint32_t shades[SHADES + 1]; /* by the square root of the coverage, finer where it is low */
    int      shown = -1;
    for (int row = 0; row < g->rows; row++) {
        int population = population_at(f, bands, plot.y + (row + 0.5) / g->scale);
        for (int i = 0; i <= SHADES && population != shown; i++)
            shades[i] = mix_with_white(raster_colour(f, population),
                                       darkness(full * i / SHADES * i / SHADES, full * (1 + 1e-9)));
        shown = population;
        for (int column = 0; column < g->columns; column++) {
            double covered = g->covered[(size_t)column * (size_t)g->rows + (size_t)row];
            int    shade = (int)lround(sqrt(fmin(covered / full, 1)) * SHADES);
            rgb[(size_t)row * (size_t)g->columns + (size_t)column] = shades[shade];
        }
    }
}

static rv_status draw_density(canvas *c, const figure *f, const raster_band *bands, axis_rect plot, const axis *time,
                              const mark *marks)
{
    double   scale = canvas_scale(c);
    coverage g = { .scale = scale };
    g.columns = (int)fmax(lround(plot.width * scale), 1), g.rows = (int)fmax(lround(plot.height * scale), 1);
    size_t    n = (size_t)g.columns * (size_t)g.rows;
    uint32_t *rgb = malloc(n * sizeof *rgb);
    g.covered = calloc(n, sizeof *g.covered);
    if (g.covered && rgb) {
        for (int i = 0; i < f->n_spikes; i++) add_spikes(&g, &f->spikes[i], bands[i], plot, time, marks[i]);
        colour_patch(&g, f, bands, plot, rgb);
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
    mark     *marks = calloc((size_t)f->n_spikes + 1, sizeof *marks);
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
