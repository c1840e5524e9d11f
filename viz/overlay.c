/* The page, from above: legend, raster, rates, coincident fraction, time axis. Bands and their axes are those of raster.c,
 * given populations without spikes and names: those are drawn here, since colours mean recordings and not populations. */
#include "viz/overlay.h"
#include "viz/coverage.h"
#include "viz/histogram.h"
#include "viz/raster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH  = 512,
    TEXT   = 256,
    ENOUGH = 24, /* spikes of both recordings on a line */
};

/* Points. */
static const double PAGE_WIDTH = 174 / 25.4 * 72; /* a journal's page */
static const double MARGIN = 7, RIGHT_MARGIN = 14;
static const double LABEL_ROOM = 13;
static const double LEGEND = 11, MARKER = 10; /* a line of text each; the second only where there is a difference */
static const double KEY = 14;                 /* between entries of the legend */
static const double GAP = 11, STRIP_GAP = 6;
static const double LEAST_PITCH = 3;          /* of the lines of neurons: halves can still be told apart */
static const double COINCIDENT = 46;
static const double DPI = 200;

/* ---- layout ----------------------------------------------------------------------------------------------------- */

/* Rates of one population; `both` is the smaller of the two. */
typedef struct strip {
    histogram a, b, both;
    axis      y;
} strip;

typedef struct layout {
    figure         frame;     /* populations without spikes and names */
    figure_spikes *spikes;    /* [n_populations] of frame             */
    raster_band   *bands;     /* [n_populations]                      */
    strip         *strips;    /* [n_populations]                      */
    histogram      fractions; /* coincident, NAN in bins without spikes */
    axis_rect      raster;
    axis           time, coincident;
    double         rates_top, rates_bottom;
    double         label_x, names_x;
} layout;

static void layout_free(const overlay *o, layout *l)
{
    for (int i = 0; l->strips && i < o->n_populations; i++) {
        histogram_free(&l->strips[i].a);
        histogram_free(&l->strips[i].b);
        histogram_free(&l->strips[i].both);
    }
    histogram_free(&l->fractions);
    free(l->spikes);
    free(l->bands);
    free(l->strips);
}

static double raster_height(const overlay *o)
{
    double neurons = 0;
    for (int i = 0; i < o->n_populations; i++) neurons += (double)o->populations[i].comparison->n_neurons;
    return fmax(fmin(fmax(14 * neurons, 30), 230), fmin(26.0 * o->n_populations, 400));
}

static double strip_height(const overlay *o) { return fmax(fmin(46, 150.0 / o->n_populations), 18); }

static bool differ(const overlay *o)
{
    for (int i = 0; i < o->n_populations; i++)
        if (!isnan(o->populations[i].comparison->first.t_ms)) return true;
    return false;
}

static double head_height(const overlay *o) { return MARGIN + LEGEND + (differ(o) ? MARKER : 0); }

static double page_height(const overlay *o)
{
    double strips = o->n_populations * strip_height(o) + (o->n_populations - 1) * STRIP_GAP;
    return head_height(o) + raster_height(o) + GAP + strips + GAP + COINCIDENT + AXIS_FOOT + MARGIN;
}

/* ---- counting --------------------------------------------------------------------------------------------------- */

static int64_t spikes_of(const rv_trains *trains) { return trains->begin[trains->n_neurons]; }

/* One recording as histogram.h takes it, which needs no neurons for a rate. */
static figure_spikes spikes_as(const rv_trains *trains, int64_t size)
{
    return (figure_spikes){ .size = size, .n = spikes_of(trains), .times_ms = trains->times_ms };
}

/* One width of bins for all populations and both recordings. */
static rv_status choose_bin(const overlay *o, figure *f)
{
    figure_spikes *all = malloc(2 * (size_t)o->n_populations * sizeof *all);
    if (!all) return RV_OUT_OF_MEMORY;
    for (int i = 0; i < o->n_populations; i++) {
        const overlay_population *p = &o->populations[i];
        all[2 * i] = spikes_as(p->a, p->a->n_neurons), all[2 * i + 1] = spikes_as(p->b, p->b->n_neurons);
    }
    figure together = *f;
    together.spikes = all, together.n_spikes = 2 * o->n_populations;
    f->bin_ms = histogram_choose_bin(&together);
    free(all);
    return RV_OK;
}

static rv_status count_rates(const overlay_population *p, const figure *frame, strip *s)
{
    figure_spikes both[] = { spikes_as(p->a, p->comparison->n_neurons), spikes_as(p->b, p->comparison->n_neurons) };
    figure        f = *frame;
    f.spikes = both, f.n_spikes = 2;
    rv_status status = histogram_rate(&f, 0, &s->a);
    if (status == RV_OK) status = histogram_rate(&f, 1, &s->b);
    if (status == RV_OK) status = histogram_rate(&f, 0, &s->both);
    for (int k = 0; status == RV_OK && k < s->both.n; k++) s->both.heights[k] = fmin(s->a.heights[k], s->b.heights[k]);
    s->y = (axis){ .high = fmax(histogram_peak(&s->a), histogram_peak(&s->b)) };
    if (s->y.high == 0) s->y.high = 1;
    axis_widen(&s->y.low, &s->y.high, 3);
    return status;
}

/* Adds spikes, and those of them that have counterparts, to bins. */
static void count_coincident(const rv_trains *trains, const bool *matched, const histogram *h, double *all)
{
    for (int64_t k = 0; k < spikes_of(trains); k++) {
        int bin = (int)((trains->times_ms[k] - h->low) / h->width);
        bin = bin < h->n ? bin : h->n - 1;
        h->heights[bin] += matched[k];
        all[bin]++;
    }
}

/* Up to 100 bins over the whole window, with some twenty spikes in each. */
static rv_status count_fractions(const overlay *o, const figure *f, histogram *h)
{
    double n = 0;
    for (int i = 0; i < o->n_populations; i++)
        n += (double)(spikes_of(o->populations[i].a) + spikes_of(o->populations[i].b));
    h->low = f->from_ms;
    h->n = (int)fmin(fmax(n / 20, 10), 100);
    h->width = (f->to_ms - f->from_ms) / h->n;
    h->heights = calloc((size_t)h->n, sizeof *h->heights);
    double *all = calloc((size_t)h->n, sizeof *all);
    if (h->heights && all)
        for (int i = 0; i < o->n_populations; i++) {
            const overlay_population *p = &o->populations[i];
            count_coincident(p->a, p->comparison->in_b, h, all);
            count_coincident(p->b, p->comparison->in_a, h, all);
        }
    rv_status status = h->heights && all ? RV_OK : RV_OUT_OF_MEMORY;
    for (int k = 0; status == RV_OK && k < h->n; k++) h->heights[k] = all[k] > 0 ? h->heights[k] / all[k] : NAN;
    free(all);
    return status;
}

/* ---- placing ---------------------------------------------------------------------------------------------------- */

static rv_status count(const overlay *o, layout *l)
{
    const rv_trains *window = o->populations[0].a;
    size_t           n = (size_t)o->n_populations;
    l->spikes = calloc(n, sizeof *l->spikes);
    l->bands = calloc(n, sizeof *l->bands);
    l->strips = calloc(n, sizeof *l->strips);
    if (!l->spikes || !l->bands || !l->strips) return RV_OUT_OF_MEMORY;
    l->frame = (figure){ .spikes = l->spikes, .n_spikes = o->n_populations, .from_ms = window->from_ms,
                         .to_ms = window->to_ms };
    rv_status status = choose_bin(o, &l->frame);
    for (int i = 0; i < o->n_populations && status == RV_OK; i++) {
        const overlay_population *p = &o->populations[i];
        l->spikes[i] = (figure_spikes){ .size = p->comparison->n_neurons, .inhibitory = p->inhibitory };
        status = count_rates(p, &l->frame, &l->strips[i]);
    }
    return status == RV_OK ? count_fractions(o, &l->frame, &l->fractions) : status;
}

/* The strips are in the order of the bands, of which the last excitatory population is below the first inhibitory one. */
static void place_strips(const overlay *o, canvas *c, double y, double height, layout *l)
{
    l->rates_top = y;
    for (int inhibitory = 1; inhibitory >= 0; inhibitory--)
        for (int i = o->n_populations - 1; i >= 0; i--) {
            if (o->populations[i].inhibitory != (inhibitory == 1)) continue;
            axis *a = &l->strips[i].y;
            a->to = y, a->from = l->rates_bottom = canvas_snap(c, y + height);
            y = a->from + STRIP_GAP;
        }
}

/* From above to below; what is left of the height is shared by the raster and the strips as on a page of natural height. */
static void place_down(const overlay *o, canvas *c, layout *l)
{
    double flexible = raster_height(o) + o->n_populations * strip_height(o), fixed = page_height(o) - flexible;
    double factor = fmax((canvas_height(c) - fixed) / flexible, 0.05), y = canvas_snap(c, head_height(o));
    l->raster.y = y, l->raster.height = canvas_snap(c, raster_height(o) * factor);
    raster_stack(&l->frame, y, l->raster.height, l->bands);
    place_strips(o, c, y + l->raster.height + GAP, strip_height(o) * factor, l);
    y = l->rates_bottom + GAP;
    l->coincident = (axis){ .low = 0, .high = 1, .to = y, .from = canvas_snap(c, y + COINCIDENT), .name = "coincident" };
}

static canvas_font name_font(void)
{
    return (canvas_font){ .size = AXIS_LABEL, .colour = AXIS_INK, .align = CANVAS_RIGHT, .longest = 90 };
}

/* Names stand left of the widest numbers, and the labels that are read from below left of them. */
static void place_across(const overlay *o, canvas *c, layout *l)
{
    double numbers = fmax(raster_labels_width(c, &l->frame, l->bands), axis_numbers_width(c, &l->coincident)), names = 0;
    for (int i = 0; i < o->n_populations; i++) {
        numbers = fmax(numbers, axis_numbers_width(c, &l->strips[i].y));
        names = fmax(names, fmin(canvas_text_width(c, name_font(), o->populations[i].name), name_font().longest));
    }
    double left = canvas_snap(c, MARGIN + LABEL_ROOM + names + 6 + numbers);
    double right = fmax(canvas_snap(c, canvas_width(c) - RIGHT_MARGIN), left + 10);
    bool   seconds = l->frame.to_ms - l->frame.from_ms > 5000;
    l->label_x = MARGIN + 0.75 * AXIS_LABEL;
    l->names_x = left - numbers - 6;
    l->time = (axis){ .low = l->frame.from_ms, .high = l->frame.to_ms, .from = left, .to = right,
                      .unit = seconds ? 1000 : 1, .name = "time", .unit_name = seconds ? "s" : "ms" };
    l->raster.x = left, l->raster.width = right - left;
}

/* ---- the raster ------------------------------------------------------------------------------------------------- */

typedef enum kind { IN_BOTH, ONLY_A, ONLY_B } kind;

static const uint32_t colours[] = { [IN_BOTH] = AXIS_INK, [ONLY_A] = 0x0072b2, [ONLY_B] = 0xd55e00 };

/* The lines of a population's raster: one for each neuron, or for each stretch of neurons. */
typedef struct lines {
    int64_t       n, every, size;
    coverage_mark mark;
} lines;

static lines choose_lines(const overlay_population *p, raster_band band, double width)
{
    double size = (double)p->comparison->n_neurons, room = fmax(floor(band.height / LEAST_PITCH), 1);
    lines  l = { .size = p->comparison->n_neurons, .every = (int64_t)fmax(ceil(size / room), 1) };
    l.n = (l.size + l.every - 1) / l.every;
    double pitch = band.height / fmax(size, 1) * (double)l.every;
    l.mark = coverage_choose_mark(fmax(pitch, 3), width, band.height, (double)spikes_of(p->a) / fmax(size, 1), 0);
    l.mark.height = fmin(0.84 * pitch, 9);
    return l;
}

static int64_t spikes_in(const rv_trains *trains, int64_t neuron)
{
    return neuron < trains->n_neurons ? trains->begin[neuron + 1] - trains->begin[neuron] : 0;
}

/* The neurons on a line, begin .. end - 1: from the first of its stretch, or from the one in which the recordings part, as
 * many as it takes to have something to see. */
static void neurons_on(const overlay_population *p, const lines *l, int64_t line, int64_t *begin, int64_t *end)
{
    const rv_divergence *first = &p->comparison->first;
    int64_t              last = (line + 1) * l->every < l->size ? (line + 1) * l->every : l->size, n = 0;
    *begin = line * l->every;
    if (!isnan(first->t_ms) && first->neuron / l->every == line) *begin = first->neuron;
    for (*end = *begin; *end < last && n < ENOUGH; ++*end) n += spikes_in(p->a, *end) + spikes_in(p->b, *end);
}

static double line_y(const lines *l, raster_band band, int64_t line)
{
    int64_t begin = line * l->every, end = begin + l->every < l->size ? begin + l->every : l->size;
    return raster_neuron_y(band, l->size, 0.5 * (double)(begin + end - 1));
}

static void draw_mark(canvas *c, kind kind, coverage_mark mark, const double *x, double y, int n)
{
    static const double shift[] = { [IN_BOTH] = 0, [ONLY_A] = -0.2, [ONLY_B] = 0.2 };
    double              ys[BATCH], height = kind == IN_BOTH ? mark.height : 0.6 * mark.height;
    canvas_pen          pen = { .colour = colours[kind], .width = kind == IN_BOTH ? mark.width : 1.4 * mark.width };
    for (int k = 0; k < n; k++) ys[k] = y + shift[kind] * mark.height;
    if (n > 0) canvas_strokes(c, pen, height, x, ys, n);
}

/* The spikes of one neuron with (or without) counterparts; no more than one in a column of pixels. */
static void draw_neuron(canvas *c, const layout *l, coverage_mark mark, double y, const rv_trains *trains,
                        const bool *matched, int64_t neuron, kind kind)
{
    double x[BATCH], column = NAN;
    int    filled = 0;
    if (neuron >= trains->n_neurons) return;
    for (int64_t k = trains->begin[neuron]; k < trains->begin[neuron + 1]; k++) {
        double at = axis_at(&l->time, trains->times_ms[k]), here = floor(at * canvas_scale(c));
        if (matched[k] != (kind == IN_BOTH) || here == column) continue;
        column = here, x[filled++] = at;
        if (filled == BATCH) draw_mark(c, kind, mark, x, y, filled), filled = 0;
    }
    draw_mark(c, kind, mark, x, y, filled);
}

/* All lines of one population. */
static void draw_lines(const overlay_population *p, canvas *c, const layout *l, raster_band band, kind kind)
{
    lines            drawn = choose_lines(p, band, l->raster.width);
    const rv_trains *trains = kind == ONLY_B ? p->b : p->a;
    const bool      *matched = kind == ONLY_B ? p->comparison->in_a : p->comparison->in_b;
    for (int64_t line = 0, neuron, end; line < drawn.n; line++)
        for (neurons_on(p, &drawn, line, &neuron, &end); neuron < end; neuron++)
            draw_neuron(c, l, drawn.mark, line_y(&drawn, band, line), trains, matched, neuron, kind);
}

static void draw_name(canvas *c, const layout *l, const char *name, double top, double height)
{
    canvas_font font = name_font();
    font.size = fmin(font.size, height);
    canvas_text(c, font, l->names_x, top + height / 2 + 0.36 * font.size, name);
}

static rv_status draw_raster(const overlay *o, canvas *c, const layout *l)
{
    rv_status status = raster_draw(c, &l->frame, l->bands, l->raster, &l->time, l->label_x);
    for (int i = 0; i < o->n_populations; i++)
        draw_name(c, l, o->populations[i].name, l->bands[i].y, l->bands[i].height);
    for (kind kind = IN_BOTH; kind <= ONLY_B; kind++)
        for (int i = 0; i < o->n_populations; i++) draw_lines(&o->populations[i], c, l, l->bands[i], kind);
    return status;
}

/* ---- above the raster ------------------------------------------------------------------------------------------- */

/* "52 of 10 000 neurons"; empty if all are drawn. */
static void write_drawn(const overlay *o, const layout *l, char text[TEXT])
{
    int64_t all = 0, drawn = 0;
    char    drawn_text[AXIS_NUMBER_BYTES], all_text[AXIS_NUMBER_BYTES];
    for (int i = 0; i < o->n_populations; i++) {
        lines chosen = choose_lines(&o->populations[i], l->bands[i], l->raster.width);
        all += chosen.size;
        for (int64_t line = 0, begin, end; line < chosen.n; line++) {
            neurons_on(&o->populations[i], &chosen, line, &begin, &end);
            drawn += end - begin;
        }
    }
    axis_write_count(drawn, drawn_text);
    axis_write_count(all, all_text);
    snprintf(text, TEXT, "%s of %s neurons", drawn_text, all_text);
    if (drawn == all) text[0] = 0;
}

/* A mark as in the raster and what it means. @return where the next one begins */
static double draw_key(canvas *c, double x, double baseline, double longest, kind kind, const char *text)
{
    canvas_font   font = { .size = AXIS_DIGIT, .colour = colours[kind], .longest = longest };
    coverage_mark mark = { .width = 1.2, .height = 7 };
    draw_mark(c, kind, mark, &x, baseline - 0.36 * AXIS_DIGIT, 1);
    canvas_text(c, font, x + 4, baseline, text);
    return x + 4 + fmin(canvas_text_width(c, font, text), longest) + KEY;
}

static void draw_legend(const overlay *o, canvas *c, const layout *l)
{
    char        both[TEXT], only_a[TEXT], only_b[TEXT], drawn[TEXT];
    canvas_font note = { .size = 6, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
    double      x = l->time.from + 1, y = MARGIN + AXIS_DIGIT;
    write_drawn(o, l, drawn);
    snprintf(both, TEXT, "in both (± %g ms)", o->within_ms);
    snprintf(only_a, TEXT, "only in %.200s", o->name_a);
    snprintf(only_b, TEXT, "only in %.200s", o->name_b);
    double end = l->time.to - canvas_text_width(c, note, drawn);
    x = draw_key(c, x, y, fmax(end - x, 20), IN_BOTH, both);
    x = draw_key(c, x, y, fmax((end - x) / 2, 20) - KEY, ONLY_A, only_a);
    draw_key(c, x, y, fmax(end - x, 20) - KEY, ONLY_B, only_b);
    canvas_text(c, note, l->time.to, y, drawn);
}

/* When the recordings part first, through all panels. */
static void draw_first_difference(const overlay *o, canvas *c, const layout *l)
{
    const overlay_population *at = NULL;
    char                      text[TEXT];
    canvas_font               font = { .size = AXIS_DIGIT, .colour = AXIS_INK };
    for (int i = 0; i < o->n_populations; i++) {
        double t = o->populations[i].comparison->first.t_ms;
        if (!isnan(t) && (!at || t < at->comparison->first.t_ms)) at = &o->populations[i];
    }
    if (!at) return;
    double x = axis_at(&l->time, at->comparison->first.t_ms), top = l->raster.y - 2;
    snprintf(text, TEXT, "first difference: in %.100s at %.10g ms", at->name, at->comparison->first.t_ms);
    bool fits = x + canvas_text_width(c, font, text) < l->time.to;
    if (!fits) font.align = CANVAS_RIGHT;
    canvas_line(c, (canvas_pen){ .colour = AXIS_FAINT, .width = 0.7, .dashed = true }, x, top, x, l->coincident.from);
    canvas_text(c, font, x + (fits ? -1 : 1), top - 1.5, text);
}

/* ---- below the raster ------------------------------------------------------------------------------------------- */

/* The area between the outlines of two histograms with the same bins. */
static rv_status draw_between(canvas *c, const histogram *low, const histogram *high, const axis *x, const axis *y,
                              uint32_t colour)
{
    int     n = 4 * low->n;
    double *px = malloc(2 * (size_t)n * sizeof *px);
    if (!px) return RV_OUT_OF_MEMORY;
    double *py = px + n;
    for (int k = 0; k < low->n; k++) {
        int there = 2 * k, back = n - 1 - 2 * k;
        px[there] = px[back] = axis_at(x, fmin(low->low + k * low->width, x->high));
        px[there + 1] = px[back - 1] = axis_at(x, fmin(low->low + (k + 1) * low->width, x->high));
        py[there] = py[there + 1] = axis_at(y, high->heights[k]);
        py[back] = py[back - 1] = axis_at(y, low->heights[k]);
    }
    canvas_polygon(c, (canvas_pen){ .colour = colour }, px, py, n);
    free(px);
    return RV_OK;
}

static void draw_upwards(canvas *c, const layout *l, double top, double bottom, const char *text)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .align = CANVAS_CENTRE, .upwards = true };
    font.longest = bottom - top + 10;
    canvas_text(c, font, l->label_x, (top + bottom) / 2, text);
}

static rv_status draw_rates(const overlay *o, canvas *c, const layout *l)
{
    rv_status   status = RV_OK;
    char        bins[TEXT];
    canvas_font note = { .size = 6, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
    for (int i = 0; i < o->n_populations && status == RV_OK; i++) {
        const strip *s = &l->strips[i];
        status = draw_between(c, &s->both, &s->a, &l->time, &s->y, colours[ONLY_A]);
        if (status == RV_OK) status = draw_between(c, &s->both, &s->b, &l->time, &s->y, colours[ONLY_B]);
        if (status == RV_OK) status = histogram_draw(c, &s->both, &l->time, &s->y, AXIS_INK, true);
        axis_draw_y(c, &s->y, l->time.from, NAN);
        draw_name(c, l, o->populations[i].name, s->y.to, s->y.from - s->y.to);
    }
    draw_upwards(c, l, l->rates_top, l->rates_bottom, "rate (spikes/s)");
    snprintf(bins, TEXT, "%g ms bins", l->frame.bin_ms);
    canvas_text(c, note, l->time.to, l->rates_top - 2.5, bins);
    return status;
}

static rv_status draw_coincident(canvas *c, const layout *l)
{
    axis_draw_y(c, &l->coincident, l->time.from, l->label_x);
    axis_draw_x(c, &l->time, l->coincident.from, true);
    return histogram_draw(c, &l->fractions, &l->time, &l->coincident, AXIS_INK, false);
}

rv_status overlay_draw(const overlay *o, canvas *c)
{
    layout    l = { 0 };
    rv_status status = count(o, &l);
    if (status == RV_OK) {
        place_down(o, c, &l);
        place_across(o, c, &l);
        draw_legend(o, c, &l);
        draw_first_difference(o, c, &l);
        status = draw_raster(o, c, &l);
    }
    if (status == RV_OK) status = draw_rates(o, c, &l);
    if (status == RV_OK) status = draw_coincident(c, &l);
    layout_free(o, &l);
    return status;
}

rv_status overlay_save(const overlay *o, const char *path, rv_error *error)
{
    canvas   *c = NULL;
    rv_status status = canvas_open(path, PAGE_WIDTH, page_height(o), DPI, &c, error);
    if (status != RV_OK) return status;
    if (overlay_draw(o, c) == RV_OK) return canvas_close(c, error);
    canvas_free(c);
    return canvas_fail(error, RV_OUT_OF_MEMORY, "figure \"%s\": not enough memory to draw it", path);
}
