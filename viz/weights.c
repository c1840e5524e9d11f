/* The development of each projection is kept as at most MOST_MOMENTS histograms. When they are full neighbours are merged,
 * and from then on twice as many snapshots make a moment: the whole run stays visible, evenly. */
#include "viz/weights.h"

#include "viz/colours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_MOMENTS = 512, BINS = FEED_HISTOGRAM, SHADES = 1024, PAGE = 0xffffff, MEAN = 0xd55e00, TEXT = 192 };

/* The histogram of one snapshot, or of several that follow each other. */
typedef struct moment {
    double t_ms, mean, low, high;
    int    snapshots;
    float  fraction[BINS];
} moment;

typedef struct development {
    moment *moment;         /* [MOST_MOMENTS], NULL before the first */
    int     n, snapshots;   /* in a moment that is complete          */
    double  from_ms, to_ms; /* the first and the last snapshot       */
} development;

struct weights {
    feed        *f;
    bool         any;
    feed_weights latest;
    development  of[FEED_LEARNING];
};

weights *weights_new(feed *f)
{
    weights *w = calloc(1, sizeof *w);
    if (w) w->f = f;
    return w;
}

void weights_free(weights *w)
{
    if (!w) return;
    for (int i = 0; i < FEED_LEARNING; i++) free(w->of[i].moment);
    free(w);
}

/* ---- development ------------------------------------------------------------------------------------------------ */

/* Adds a histogram, times a factor, to n bins between low and high; a bin is shared among those it overlaps. */
static void add_histogram(const moment *m, double factor, double low, double high, int n, double *sum)
{
    double per_bin = (m->high - m->low) / BINS, scale = n / (high - low);
    for (int k = 0; k < BINS; k++) {
        double from = fmin(fmax((m->low + k * per_bin - low) * scale, 0), n - 1e-6);
        double to = fmin(fmax((m->low + (k + 1) * per_bin - low) * scale, from + 1e-9), n);
        if (!(m->fraction[k] > 0)) continue;
        for (int i = (int)from; i < to; i++)
            sum[i] += factor * (double)m->fraction[k] * (fmin(to, i + 1) - fmax(from, i)) / (to - from);
    }
}

static moment merged(const moment *a, const moment *b)
{
    double sum[BINS] = { 0 }, part = (double)a->snapshots / (a->snapshots + b->snapshots);
    moment m = { .t_ms = part * a->t_ms + (1 - part) * b->t_ms, .mean = part * a->mean + (1 - part) * b->mean,
                 .low = fmin(a->low, b->low), .high = fmax(a->high, b->high), .snapshots = a->snapshots + b->snapshots };
    add_histogram(a, part, m.low, m.high, BINS, sum);
    add_histogram(b, 1 - part, m.low, m.high, BINS, sum);
    for (int k = 0; k < BINS; k++) m.fraction[k] = (float)sum[k];
    return m;
}

static void make_room(development *d)
{
    if (d->n < MOST_MOMENTS) return;
    for (int i = 0; i < MOST_MOMENTS / 2; i++) d->moment[i] = merged(&d->moment[2 * i], &d->moment[2 * i + 1]);
    d->n = MOST_MOMENTS / 2;
    d->snapshots *= 2;
}

static void add_snapshot(development *d, const feed_weights *snapshot)
{
    moment m = { .t_ms = snapshot->t_ms, .mean = snapshot->mean, .low = snapshot->low, .high = snapshot->high,
                 .snapshots = 1 };
    for (int k = 0; k < BINS; k++) m.fraction[k] = (float)snapshot->histogram[k];
    if (!d->moment) d->moment = malloc(MOST_MOMENTS * sizeof *d->moment), d->n = 0, d->snapshots = 1;
    if (!d->moment || !axis_usable(m.low) || !axis_usable(m.high) || !(m.high > m.low)) return;
    while (d->n > 0 && d->moment[d->n - 1].t_ms >= m.t_ms) d->n--; /* a recording that is played from earlier on */
    if (d->n == 0) d->from_ms = m.t_ms;
    d->to_ms = m.t_ms;
    moment *last = d->n > 0 ? &d->moment[d->n - 1] : NULL;
    if (last && last->snapshots < d->snapshots) {
        *last = merged(last, &m);
        return;
    }
    make_room(d);
    d->moment[d->n++] = m;
}

bool weights_update(weights *w, const view *v)
{
    const feed_weights *latest = feed_weights_latest(w->f);
    if (!latest || latest->learning < 0 || latest->learning >= FEED_LEARNING) return false;
    if (w->any && latest->learning == w->latest.learning && latest->t_ms == w->latest.t_ms) return false;
    w->latest = *latest;
    w->any = true;
    add_snapshot(&w->of[latest->learning], latest);
    return latest->learning == v->learning;
}

/* ---- colours ---------------------------------------------------------------------------------------------------- */

/* The common scale of all cells. */
typedef struct colour_scale {
    double   low, high;
    bool     any, two_signs;
    uint32_t page, shade[SHADES];
} colour_scale;

/* From 0 to the strongest weight; both signs alike where there are both; only what occurs where that is a narrow range. */
static void choose_limits(colour_scale *s, const feed_weights *w)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < w->columns * w->rows; i++)
        if (axis_usable((double)w->cells[i])) low = fmin(low, (double)w->cells[i]), high = fmax(high, (double)w->cells[i]);
    s->any = low <= high;
    s->two_signs = low < 0 && high > 0;
    if (s->two_signs) low = -fmax(-low, high), high = -low;
    else if (low >= 0 && low < 0.6 * high) low = 0;
    else if (high <= 0 && high > 0.6 * low) high = 0;
    axis_widen(&low, &high, s->two_signs ? 20 : 10);
    s->low = low, s->high = high;
}

static colour_scale make_scale(const canvas *c, const feed_weights *w)
{
    colour_scale s = { .page = canvas_colour(c, PAGE) };
    choose_limits(&s, w);
    bool negative = !s.two_signs && s.high <= 0; /* strong inhibition is the strong colour */
    for (int i = 0; i < SHADES; i++) {
        double x = (double)i / (SHADES - 1);
        s.shade[i] = colours_scale(s.two_signs, colours_is_dark(s.page), negative ? 1 - x : x);
    }
    return s;
}

static uint32_t colour_of(const colour_scale *s, double weight)
{
    if (!axis_usable(weight)) return s->page;
    return s->shade[(int)lround(fmin(fmax((weight - s->low) / (s->high - s->low), 0), 1) * (SHADES - 1))];
}

/* ---- the distribution over time --------------------------------------------------------------------------------- */

static void find_limits(const development *d, axis *time, axis *weight)
{
    time->low = d->from_ms < 0.05 * d->to_ms && d->from_ms > 0 ? 0 : d->from_ms; /* most begin at the beginning */
    time->high = d->to_ms;
    weight->low = INFINITY, weight->high = -INFINITY;
    for (int i = 0; i < d->n; i++) {
        weight->low = fmin(weight->low, d->moment[i].low);
        weight->high = fmax(weight->high, d->moment[i].high);
    }
    if (!(time->high > time->low)) time->high = time->low + 1;
    axis_open(&weight->low, &weight->high);
    if (time->high - time->low > 5000) time->unit = 1000, time->unit_name = "s";
}

/* The moment nearest to a time, from the i-th on. */
static int nearest(const development *d, double t_ms, int i)
{
    while (i + 1 < d->n && fabs(d->moment[i + 1].t_ms - t_ms) <= fabs(d->moment[i].t_ms - t_ms)) i++;
    return i;
}

/* Logarithmic: weights all alike, of which a bin holds everything, and a broad distribution show in one picture. */
static double darkness(double part)
{
    static const double steepness = 60;
    return log1p(steepness * part) / log1p(steepness);
}

/* @param fraction [n][BINS] of the moments, on common limits  @return the largest */
static double rebin(const development *d, const axis *weight, double *fraction)
{
    double peak = 0;
    memset(fraction, 0, (size_t)d->n * BINS * sizeof *fraction);
    for (int i = 0; i < d->n; i++) {
        add_histogram(&d->moment[i], 1, weight->low, weight->high, BINS, fraction + i * BINS);
        for (int k = 0; k < BINS; k++) peak = fmax(peak, fraction[i * BINS + k]);
    }
    return peak > 0 ? peak : 1;
}

static void paint_image(const canvas *c, const development *d, const axis *time, const axis *weight, double *fraction,
                        uint32_t *rgb, int columns)
{
    double   peak = rebin(d, weight, fraction);
    uint32_t shade[SHADES], page = canvas_colour(c, PAGE), ink = canvas_colour(c, AXIS_INK);
    for (int i = 0; i < SHADES; i++) shade[i] = colours_mix(page, ink, darkness((double)i / (SHADES - 1)));
    for (int column = 0, at = 0; column < columns; column++) {
        at = nearest(d, time->low + (column + 0.5) / columns * (time->high - time->low), at);
        for (int k = 0; k < BINS; k++)
            rgb[(BINS - 1 - k) * columns + column] = shade[(int)(fraction[at * BINS + k] / peak * (SHADES - 1) + 0.5)];
    }
}

static rv_status draw_image(canvas *c, const development *d, const axis *time, const axis *weight)
{
    double    x = time->from + AXIS_LINE / 2, width = time->to - x, height = weight->from - AXIS_LINE / 2 - weight->to;
    int       columns = (int)fmin(fmax(width * canvas_scale(c), 1), 2 * MOST_MOMENTS);
    uint32_t *rgb = malloc((size_t)columns * BINS * sizeof *rgb);
    double   *fraction = malloc((size_t)d->n * BINS * sizeof *fraction);
    if (rgb && fraction) {
        paint_image(c, d, time, weight, fraction, rgb, columns);
        canvas_patch(c, x, weight->to, width, height, rgb, columns, BINS);
    }
    rv_status status = rgb && fraction ? RV_OK : RV_OUT_OF_MEMORY;
    free(rgb);
    free(fraction);
    return status;
}

static void draw_mean(canvas *c, const development *d, const axis *time, const axis *weight)
{
    double x[MOST_MOMENTS + 1], y[MOST_MOMENTS + 1];
    for (int i = 0; i < d->n; i++) {
        x[i] = axis_at(time, d->moment[i].t_ms);
        y[i] = axis_at(weight, d->moment[i].mean);
    }
    int n = d->n;
    if (n == 1) x[n] = time->to, y[n++] = y[0];
    canvas_polyline(c, (canvas_pen){ .colour = MEAN, .width = 1 }, x, y, n);
}

static rv_status draw_development(canvas *c, const development *d, axis_rect outer, axis *time)
{
    axis weight = { .name = "weight" };
    *time = (axis){ .name = "time", .unit_name = "ms" };
    find_limits(d, time, &weight);
    outer.y += AXIS_DIGIT, outer.height -= AXIS_DIGIT;
    axis_frame(c, outer, time, &weight);
    rv_status status = draw_image(c, d, time, &weight);
    draw_mean(c, d, time, &weight);
    axis_legend(c, time->to, outer.y, MEAN, "mean", 60);
    return status;
}

/* ---- matrix and receptive fields -------------------------------------------------------------------------------- */

/* Where cells lie. A matrix is one tile. */
typedef struct sheet {
    int    tile_columns, tile_rows, across, down, tiles;
    double x, y, cell_width, cell_height, gap; /* points */
} sheet;

static double sheet_width(const sheet *s) { return s->across * (s->tile_columns * s->cell_width + s->gap) - s->gap; }
static double sheet_height(const sheet *s) { return s->down * (s->tile_rows * s->cell_height + s->gap) - s->gap; }

/* Pixels of the screen are whole where that costs little. */
static double whole_pixels(const canvas *c, double size)
{
    double scale = canvas_scale(c);
    return size * scale >= 4 ? floor(size * scale) / scale : size;
}

/* Cells as large as fit into a place: squares, but for a matrix that would leave more than half of it empty. */
static sheet place_cells(const canvas *c, const feed_weights *w, axis_rect place)
{
    sheet s = { .tile_columns = w->columns, .tile_rows = w->rows, .across = 1, .down = 1, .tiles = 1 };
    s.x = canvas_snap(c, place.x), s.y = canvas_snap(c, place.y);
    if (w->tile_columns > 0) {
        s.tile_columns = w->tile_columns, s.tile_rows = w->tile_rows, s.tiles = w->tiles;
        s.across = w->columns / w->tile_columns, s.down = w->rows / w->tile_rows;
        s.gap = fmax(canvas_snap(c, 1.5), 1 / canvas_scale(c));
    }
    s.cell_width = fmax(place.width - s.gap * (s.across - 1), 0) / (s.across * s.tile_columns);
    s.cell_height = fmax(place.height - s.gap * (s.down - 1), 0) / (s.down * s.tile_rows);
    double smaller = fmin(s.cell_width, s.cell_height);
    if (w->tile_columns > 0 || smaller > 0.5 * fmax(s.cell_width, s.cell_height)) s.cell_width = s.cell_height = smaller;
    s.cell_width = whole_pixels(c, s.cell_width), s.cell_height = whole_pixels(c, s.cell_height);
    return s;
}

static void draw_cells(canvas *c, const feed_weights *w, const colour_scale *colours, const sheet *s)
{
    double   width = s->tile_columns * s->cell_width, height = s->tile_rows * s->cell_height;
    uint32_t rgb[FEED_MATRIX];
    for (int k = 0; k < s->tiles && k < s->across * s->down; k++) {
        int          column = k % s->across, row = k / s->across;
        const float *cell = w->cells + row * s->tile_rows * w->columns + column * s->tile_columns;
        for (int i = 0; i < s->tile_columns * s->tile_rows; i++)
            rgb[i] = colour_of(colours, (double)cell[i / s->tile_columns * w->columns + i % s->tile_columns]);
        canvas_patch(c, s->x + column * (width + s->gap), s->y + row * (height + s->gap), width, height, rgb,
                     s->tile_columns, s->tile_rows);
    }
}

static void draw_matrix_labels(canvas *c, const sheet *s)
{
    canvas_font font = { .size = AXIS_DIGIT, .colour = AXIS_INK, .align = CANVAS_CENTRE };
    double      width = sheet_width(s), height = sheet_height(s);
    canvas_rectangle(c, (canvas_pen){ .colour = AXIS_FAINT, .width = AXIS_LINE }, s->x, s->y, width, height, 0, false);
    font.longest = width;
    canvas_text(c, font, s->x + width / 2, s->y + height + AXIS_LABEL, "source");
    font.upwards = true, font.longest = height;
    canvas_text(c, font, s->x - 4, s->y + height / 2, "target");
}

static void draw_scale(canvas *c, const colour_scale *s, const char *name, axis_rect place)
{
    axis a = { .low = s->low, .high = s->high, .from = place.x, .to = place.x + place.width, .name = name };
    canvas_patch(c, place.x, place.y, place.width, place.height, s->shade, SHADES, 1);
    axis_draw_x(c, &a, place.y + place.height, true);
}

/* The cells, and the scale below them, or at their right where that leaves them larger. */
static void draw_sheet(canvas *c, const feed_weights *w, axis_rect place)
{
    static const double bar_height = 5, bar_width = 70, air = 14;
    colour_scale        colours = make_scale(c, w);
    char                name[TEXT];
    bool                tiled = w->tile_columns > 0;
    double              label = tiled ? 0 : AXIS_LABEL + 3, foot = bar_height + AXIS_FOOT;
    axis_rect           above = place, left = place;
    above.height -= label + 5 + foot, left.height -= label, left.width -= air + bar_width;
    sheet s = place_cells(c, w, above), narrow = place_cells(c, w, left);
    bool  beside = narrow.cell_width * narrow.cell_height > 1.1 * s.cell_width * s.cell_height && left.height > foot;
    if (beside) s = narrow;
    if (!colours.any || !(s.cell_width > 0) || !(s.cell_height > 0)) return;
    draw_cells(c, w, &colours, &s);
    if (!tiled) draw_matrix_labels(c, &s);
    axis_rect bar = { .x = s.x, .y = s.y + sheet_height(&s) + label + 5, .height = bar_height };
    bar.width = fmin(fmax(sheet_width(&s), 60), place.width);
    if (beside) bar.x += sheet_width(&s) + air, bar.y = s.y + sheet_height(&s) - foot, bar.width = bar_width;
    snprintf(name, sizeof name, "weight; %d receptive fields, one scale", s.tiles);
    bool fits = canvas_text_width(c, (canvas_font){ .size = AXIS_LABEL }, name) < bar.width;
    draw_scale(c, &colours, !tiled ? "weight" : fits ? name : "weight, one scale", bar);
}

/* ---- the panel -------------------------------------------------------------------------------------------------- */

static const double LINE = 11; /* points */

static void draw_title(canvas *c, const char *label, const feed_weights *w, axis_rect place)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .bold = true, .longest = fmax(place.width, 1) };
    char        count[AXIS_NUMBER_BYTES], text[TEXT];
    canvas_text(c, font, place.x, place.y + AXIS_LABEL, label);
    if (!w) return;
    axis_write_count(w->n_synapses, count);
    snprintf(text, sizeof text, "%s synapses, mean weight %s%.3g", count, w->mean < 0 ? "−" : "", fabs(w->mean));
    font = (canvas_font){ .size = AXIS_DIGIT, .colour = AXIS_FAINT, .longest = font.longest };
    canvas_text(c, font, place.x, place.y + AXIS_LABEL + LINE, text);
}

static void draw_waiting(canvas *c, axis_rect place)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_FAINT, .align = CANVAS_CENTRE, .longest = place.width };
    if (place.width < 1) return;
    canvas_text(c, font, place.x + place.width / 2, place.y + place.height / 2 + 0.36 * AXIS_LABEL,
                "waiting for weights");
}

/* Development above and sheet below, or beside each other in a wide place. What is too small is left out. */
static rv_status draw_parts(canvas *c, const weights *w, const development *d, axis_rect place)
{
    static const double lowest = 60;
    axis_rect           upper = place, lower = place;
    axis                time;
    bool                beside = place.width > 1.6 * place.height, sheet = w->latest.columns > 0 && w->latest.rows > 0;
    if (place.height < lowest || place.width < lowest) return RV_OK;
    if (sheet && beside) upper.width = 0.5 * place.width;
    else if (sheet && place.height > 2 * lowest + 20) upper.height = fmin(fmax(0.4 * place.height, lowest), 150);
    else if (!beside) upper.height = fmin(place.height, 0.8 * place.width);
    rv_status status = draw_development(c, d, upper, &time);
    if (!sheet || status != RV_OK) return status;
    lower.y += beside ? 0 : upper.height + 8, lower.height -= beside ? 0 : upper.height + 8;
    lower.x = beside ? upper.x + upper.width + 16 : time.from, lower.width = place.x + place.width - 7 - lower.x;
    draw_sheet(c, &w->latest, lower);
    return RV_OK;
}

rv_status weights_draw(const weights *w, const view *v, canvas *c, axis_rect place)
{
    rv_status status = RV_OK;
    bool      there = v->learning >= 0 && v->learning < w->f->n_learning;
    bool      known = there && w->any && w->latest.learning == v->learning && w->of[v->learning].n > 0;
    canvas_clip(c, place.x, place.y, place.width, place.height);
    if (there) draw_title(c, w->f->learning[v->learning], known ? &w->latest : NULL, place);
    place.y += 2.4 * LINE, place.height -= 2.4 * LINE;
    if (known) status = draw_parts(c, w, &w->of[v->learning], place);
    else draw_waiting(c, place);
    canvas_unclip(c);
    return status;
}
