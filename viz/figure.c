/* The page: what is checked and chosen before drawing, where each panel goes, and the order in which they are drawn.
 *
 *   title
 *   raster     ┐
 *   rate       │ one time axis, below the last of them
 *   traces     ┘
 *   histograms   side by side
 *   curves       up to three side by side */
#include "viz/figure.h"
#include "viz/axes.h"
#include "viz/curves.h"
#include "viz/histogram.h"
#include "viz/raster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TIME_PANELS = FIGURE_RASTER | FIGURE_RATE | FIGURE_TRACES,
    HISTOGRAMS  = FIGURE_ISI | FIGURE_RATES,
    MOST_BINS   = 1000000,
};

/* Points. */
static const double TWO_COLUMNS = 174 / 25.4 * 72; /* the width of a journal's page, */
static const double ONE_COLUMN = 85 / 25.4 * 72;   /* and of one of its two columns  */
static const double PAGE_HEIGHT = 680;
static const double MARGIN = 7;
static const double RIGHT_MARGIN = 14; /* half of the last number of the time axis */
static const double TITLE_HEIGHT = 17;
static const double GAP = 11;      /* between panels that share the time axis */
static const double ROW_GAP = 14;  /* between panels that do not              */
static const double CELL_GAP = 12; /* between panels side by side             */
static const double LABEL_ROOM = 13;

/* ----------------------------------------------------------------------------- what is given: checks --- */

static rv_status check_neurons(const figure_spikes *s, rv_error *error)
{
    const char *name = s->name ? s->name : "";
    if (s->size < 0 || s->n < 0)
        return canvas_fail(error, RV_OUT_OF_RANGE,
                           "figure: population \"%s\": %lld neurons and %lld spikes, allowed from 0", name,
                           (long long)s->size, (long long)s->n);
    for (int64_t k = 0; k < s->n; k++)
        if (s->neurons[k] < 0 || s->neurons[k] >= s->size)
            return canvas_fail(error, RV_OUT_OF_RANGE,
                               "figure: population \"%s\": spike %lld is of neuron %lld, allowed 0 to %lld", name,
                               (long long)k, (long long)s->neurons[k], (long long)s->size - 1);
    return RV_OK;
}

static rv_status check(const figure *f, rv_error *error)
{
    const struct { const char *name; double value, low, high; } numbers[] = {
        { "width", f->width, 100, 20000 }, { "height", f->height, 60, 20000 }, { "dpi", f->dpi, 10, 4800 },
        { "bin_ms", f->bin_ms, 1e-6, 1e12 },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].value != 0 && !(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high))
            return canvas_fail(error, RV_OUT_OF_RANGE, "figure: %s = %g, allowed %g to %g, or 0 to have it chosen",
                               numbers[i].name, numbers[i].value, numbers[i].low, numbers[i].high);
    bool all = f->from_ms == 0 && f->to_ms == 0;
    if (!all && !(axis_usable(f->from_ms) && axis_usable(f->to_ms) && f->to_ms > f->from_ms))
        return canvas_fail(error, RV_OUT_OF_RANGE,
                           "figure: from_ms = %g, to_ms = %g, the end must be after the beginning", f->from_ms,
                           f->to_ms);
    rv_status status = RV_OK;
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) status = check_neurons(&f->spikes[i], error);
    return status;
}

/* ---------------------------------------------------------------------------- what is open: choices --- */

static unsigned choose_panels(const figure *f)
{
    unsigned panels = f->panels;
    if (panels == 0)
        panels = (f->n_spikes > 0 ? FIGURE_RASTER | FIGURE_RATE : 0) | FIGURE_TRACES | FIGURE_CURVES;
    if (f->n_traces <= 0) panels &= ~(unsigned)FIGURE_TRACES;
    if (f->n_curves <= 0) panels &= ~(unsigned)FIGURE_CURVES;
    return panels ? panels : FIGURE_RASTER;
}

static void include_times(const double *times_ms, int64_t n, double *low, double *high)
{
    for (int64_t k = 0; k < n; k++) {
        if (!axis_usable(times_ms[k])) continue;
        if (!(times_ms[k] >= *low)) *low = times_ms[k];
        if (!(times_ms[k] <= *high)) *high = times_ms[k];
    }
}

/* All that was recorded, from 0 unless that would leave much empty, to a round number. */
static void choose_time(figure *f)
{
    double low = NAN, high = NAN;
    if (f->from_ms != 0 || f->to_ms != 0) return;
    for (int i = 0; i < f->n_spikes; i++) include_times(f->spikes[i].times_ms, f->spikes[i].n, &low, &high);
    for (int i = 0; i < f->n_traces; i++) include_times(f->traces[i].times_ms, f->traces[i].n, &low, &high);
    if (isnan(low)) low = 0, high = 1000;
    if (low > 0 && (low < 0.25 * high || low == high)) low = 0;
    axis_widen(&low, &high, 50);
    f->from_ms = low;
    f->to_ms = high;
}

static int curve_groups(const figure *f)
{
    int groups = 0;
    for (int i = 0; i < f->n_curves; i += curves_sharing(f->curves + i, f->n_curves - i)) groups++;
    return groups;
}

static int histogram_count(const figure *f)
{
    return ((f->panels & FIGURE_ISI) != 0) + ((f->panels & FIGURE_RATES) != 0);
}

static int curve_columns(const figure *f)
{
    int groups = curve_groups(f);
    return groups == 4 ? 2 : groups < 3 ? groups : 3;
}

static int curve_rows(const figure *f) { return (curve_groups(f) + curve_columns(f) - 1) / curve_columns(f); }

/* Heights of the panels that can grow and shrink, in points. */
typedef struct heights {
    double raster, rate, trace, histogram, curve;
} heights;

static heights preferred_heights(const figure *f)
{
    double neurons = 0;
    for (int i = 0; i < f->n_spikes; i++) neurons += (double)f->spikes[i].size;
    heights h = { .rate = 58, .trace = 54, .histogram = 125, .curve = 160 };
    h.raster = fmax(fmin(fmax(14 * neurons, 42), 190), fmin(18.0 * f->n_spikes, 400));
    if (f->n_spikes == 0) h.raster = 120;
    if (!(f->panels & FIGURE_RASTER)) h.rate = 110, h.trace = f->n_traces == 1 ? 110 : 70;
    return h;
}

/* Without a raster above it, names and bin width need a line of their own. */
static double rate_head(const figure *f) { return f->panels & FIGURE_RASTER ? 0 : 10; }

static double page_height(const figure *f, heights h)
{
    double height = 2 * MARGIN + (f->title && f->title[0] ? TITLE_HEIGHT : 0);
    int    n_time = ((f->panels & FIGURE_RASTER) != 0) + ((f->panels & FIGURE_RATE) != 0) +
                 (f->panels & FIGURE_TRACES ? f->n_traces : 0);
    if (f->panels & FIGURE_RASTER) height += h.raster;
    if (f->panels & FIGURE_RATE) height += h.rate + rate_head(f);
    if (f->panels & FIGURE_TRACES) height += f->n_traces * h.trace;
    if (n_time > 0) height += (n_time - 1) * GAP + AXIS_FOOT;
    if (f->panels & HISTOGRAMS) height += h.histogram + (n_time > 0 ? ROW_GAP : 0);
    if (f->panels & FIGURE_CURVES)
        height += curve_rows(f) * (h.curve + ROW_GAP) - (f->panels & ~FIGURE_CURVES ? 0 : ROW_GAP);
    return height;
}

static heights scaled(heights h, double factor)
{
    return (heights){ h.raster * factor, h.rate * factor, h.trace * factor, h.histogram * factor, h.curve * factor };
}

static void choose_size(figure *f)
{
    heights h = preferred_heights(f);
    bool    one_cell = !(f->panels & TIME_PANELS) && ((f->panels & FIGURE_CURVES) ? curve_groups(f) == 1 : 1) &&
                    histogram_count(f) + ((f->panels & FIGURE_CURVES) != 0) == 1;
    double  natural = page_height(f, h), least = page_height(f, scaled(h, 0.6));
    if (f->width == 0) f->width = one_cell ? ONE_COLUMN : TWO_COLUMNS;
    if (f->height == 0) f->height = fmin(fmax(fmin(natural, PAGE_HEIGHT), least), 20000);
    if (f->dpi == 0) f->dpi = 200;
}

/* The figure with everything that was left open chosen. @return RV_OK or RV_OUT_OF_RANGE */
static rv_status resolve(const figure *given, figure *f, rv_error *error)
{
    rv_status status = check(given, error);
    if (status != RV_OK) return status;
    *f = *given;
    f->panels = choose_panels(f);
    choose_time(f);
    if (f->bin_ms == 0) f->bin_ms = histogram_choose_bin(f);
    if ((f->to_ms - f->from_ms) / f->bin_ms > MOST_BINS)
        return canvas_fail(error, RV_OUT_OF_RANGE, "figure: bin_ms = %g, allowed %g to %g for %g ms", f->bin_ms,
                           (f->to_ms - f->from_ms) / MOST_BINS, f->to_ms - f->from_ms, f->to_ms - f->from_ms);
    choose_size(f);
    return RV_OK;
}

/* ----------------------------------------------------------------------------------------------- layout --- */

/* Where everything is. Made once per drawing from a resolved figure; what the panels show is counted here, since the
 * numbers at their axes decide the left margin they share. */
typedef struct layout {
    heights      heights;
    axis         time;
    double       label_x; /* centre of the labels that are read from below */
    axis_rect    raster;
    raster_band *bands;   /* [n_spikes] */
    axis         rate;
    histogram   *rates;   /* [n_spikes] */
    axis        *traces;  /* [n_traces] */
    double       time_y;  /* of the time axis       */
    double       cells_y; /* top of the histograms  */
} layout;

static void layout_free(const figure *f, layout *l)
{
    for (int i = 0; l->rates && i < f->n_spikes; i++) histogram_free(&l->rates[i]);
    free(l->bands);
    free(l->rates);
    free(l->traces);
}

static heights fit_heights(const figure *f, double height)
{
    heights h = preferred_heights(f);
    double  fixed = page_height(f, (heights){ 0 }), natural = page_height(f, h);
    return scaled(h, fmax((height - fixed) / (natural - fixed), 0.03));
}

static rv_status count_rates(const figure *f, layout *l)
{
    rv_status status = RV_OK;
    l->rate = (axis){ .low = 0, .high = 0, .name = "rate", .unit_name = "spikes/s" };
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) {
        status = histogram_rate(f, i, &l->rates[i]);
        if (status == RV_OK) l->rate.high = fmax(l->rate.high, histogram_peak(&l->rates[i]));
    }
    if (l->rate.high == 0) l->rate.high = 1;
    axis_widen(&l->rate.low, &l->rate.high, l->heights.rate < 75 ? 4 : 5);
    return status;
}

/* From above: each panel its vertical place. */
static void stack_panels(const figure *f, canvas *c, layout *l)
{
    double y = MARGIN + (f->title && f->title[0] ? TITLE_HEIGHT : 0);
    if (f->panels & FIGURE_RASTER) {
        double bottom = canvas_snap(c, y + l->heights.raster);
        l->raster.y = canvas_snap(c, y), l->raster.height = bottom - l->raster.y;
        raster_stack(f, l->raster.y, l->raster.height, l->bands);
        y = bottom + GAP;
    }
    if (f->panels & FIGURE_RATE) {
        l->rate.to = y + rate_head(f), l->rate.from = canvas_snap(c, l->rate.to + l->heights.rate);
        y = l->rate.from + GAP;
    }
    for (int i = 0; f->panels & FIGURE_TRACES && i < f->n_traces; i++) {
        l->traces[i] = curves_trace_axis(&f->traces[i], f->from_ms, f->to_ms);
        l->traces[i].to = y, l->traces[i].from = canvas_snap(c, y + l->heights.trace);
        y = l->traces[i].from + GAP;
    }
    l->time_y = y - GAP;
    l->cells_y = f->panels & TIME_PANELS ? l->time_y + AXIS_FOOT + ROW_GAP : y;
}

/* The widest numbers decide where the panels begin. */
static void set_time_axis(const figure *f, canvas *c, layout *l)
{
    double numbers = 0, right = canvas_width(c) - RIGHT_MARGIN;
    if (f->panels & FIGURE_RASTER) numbers = raster_labels_width(c, f, l->bands);
    if (f->panels & FIGURE_RATE) numbers = fmax(numbers, axis_numbers_width(c, &l->rate));
    for (int i = 0; f->panels & FIGURE_TRACES && i < f->n_traces; i++)
        numbers = fmax(numbers, axis_numbers_width(c, &l->traces[i]));
    double left = canvas_snap(c, MARGIN + LABEL_ROOM + numbers);
    bool   seconds = f->to_ms - f->from_ms > 5000;
    l->label_x = MARGIN + 0.75 * AXIS_LABEL;
    l->time = (axis){ .low = f->from_ms, .high = f->to_ms, .from = left, .to = fmax(canvas_snap(c, right), left + 10),
                      .unit = seconds ? 1000 : 1, .name = "time", .unit_name = seconds ? "s" : "ms" };
    l->raster.x = l->time.from, l->raster.width = l->time.to - l->time.from;
}

static rv_status layout_make(const figure *f, canvas *c, layout *l)
{
    *l = (layout){ .heights = fit_heights(f, canvas_height(c)) };
    l->bands = calloc((size_t)f->n_spikes + 1, sizeof *l->bands);
    l->rates = calloc((size_t)f->n_spikes + 1, sizeof *l->rates);
    l->traces = calloc((size_t)(f->n_traces > 0 ? f->n_traces : 1), sizeof *l->traces);
    rv_status status = l->bands && l->rates && l->traces ? RV_OK : RV_OUT_OF_MEMORY;
    if (status == RV_OK && f->panels & FIGURE_RATE) status = count_rates(f, l);
    if (status != RV_OK) return status;
    stack_panels(f, c, l);
    set_time_axis(f, c, l);
    return RV_OK;
}

/* ---------------------------------------------------------------------------------------------- drawing --- */

/* The bin width, and where no raster names the populations, their names: a line above the rates. */
static void draw_rate_head(const figure *f, canvas *c, const layout *l)
{
    char        bins[64];
    canvas_font note = { .size = 6, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
    snprintf(bins, sizeof bins, "%g ms bins", f->bin_ms);
    canvas_text(c, note, l->time.to, l->rate.to - 2.5, bins);
    if (f->panels & FIGURE_RASTER) return;
    raster_names(c, f, l->time.from, l->time.to - canvas_text_width(c, note, bins) - 8, l->rate.to - 2.5);
}

static rv_status draw_rate(const figure *f, canvas *c, const layout *l)
{
    rv_status status = RV_OK;
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++)
        status = histogram_draw(c, &l->rates[i], &l->time, &l->rate, raster_colour(f, i), false);
    draw_rate_head(f, c, l);
    axis_draw_y(c, &l->rate, l->time.from, l->label_x);
    return status;
}

/* A label too long for its strip stands above it, and only the unit beside it. */
static rv_status draw_trace(canvas *c, const figure_trace *trace, axis y, const layout *l)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK };
    char        label[200];
    bool        unit = axis_has_unit(trace->unit);
    snprintf(label, sizeof label, "%.120s%s%.40s%s", trace->label ? trace->label : "", unit ? " (" : "",
             unit ? trace->unit : "", unit ? ")" : "");
    bool fits = canvas_text_width(c, font, label) <= y.from - y.to + GAP - 2;
    if (!fits) y.name = unit ? trace->unit : NULL, y.unit_name = NULL;
    font.size = AXIS_DIGIT, font.longest = l->time.to - l->time.from;
    if (!fits) canvas_text(c, font, l->time.from + 3, y.to - 2, trace->label);
    axis_draw_y(c, &y, l->time.from, l->label_x);
    return curves_draw_trace(c, trace, &l->time, &y);
}

static rv_status draw_time_panels(const figure *f, canvas *c, const layout *l)
{
    rv_status status = RV_OK;
    if (f->panels & FIGURE_RASTER) status = raster_draw(c, f, l->bands, l->raster, &l->time, l->label_x);
    if (f->panels & FIGURE_RATE && status == RV_OK) status = draw_rate(f, c, l);
    for (int i = 0; f->panels & FIGURE_TRACES && i < f->n_traces && status == RV_OK; i++)
        status = draw_trace(c, &f->traces[i], l->traces[i], l);
    if (f->panels & TIME_PANELS) axis_draw_x(c, &l->time, l->time_y, true);
    return status;
}

/* The i-th of n places of equal width in a row; their axes begin below that of time if it is not far to the right. */
static axis_rect cell(const figure *f, const canvas *c, const layout *l, double y, double height, int i, int n)
{
    double width = (canvas_width(c) - 2 * MARGIN - (n - 1) * CELL_GAP) / n;
    double inset = l->time.from - MARGIN;
    return (axis_rect){ .x = MARGIN + i * (width + CELL_GAP), .y = y, .width = fmax(width, 10), .height = height,
                        .inset = f->panels & TIME_PANELS && inset < width / 4 ? inset : 0 };
}

static rv_status draw_histograms(const figure *f, canvas *c, const layout *l)
{
    int       n = histogram_count(f), i = 0;
    rv_status status = RV_OK;
    if (f->panels & FIGURE_ISI)
        status = histogram_isi_panel(c, f, cell(f, c, l, l->cells_y, l->heights.histogram, i++, n));
    if (f->panels & FIGURE_RATES && status == RV_OK)
        status = histogram_rates_panel(c, f, cell(f, c, l, l->cells_y, l->heights.histogram, i, n));
    return status;
}

/* Lines of the longest legend: all panels leave as much room, so that their axes are level. */
static int most_names(const figure *f)
{
    int most = 0;
    for (int i = 0, n; i < f->n_curves; i += n) {
        n = curves_sharing(f->curves + i, f->n_curves - i);
        if (curves_names(f->curves + i, n) > most) most = curves_names(f->curves + i, n);
    }
    return most;
}

static rv_status draw_curves(const figure *f, canvas *c, const layout *l)
{
    double    y = l->cells_y + (f->panels & HISTOGRAMS ? l->heights.histogram + ROW_GAP : 0);
    int       columns = curve_columns(f), at = 0, names = most_names(f);
    rv_status status = RV_OK;
    for (int i = 0; i < f->n_curves && status == RV_OK; at++) {
        int       n = curves_sharing(f->curves + i, f->n_curves - i);
        axis_rect place =
            cell(f, c, l, y + at / columns * (l->heights.curve + ROW_GAP), l->heights.curve, at % columns, columns);
        status = curves_panel(c, f->curves + i, n, names, place);
        i += n;
    }
    return status;
}

static rv_status draw(const figure *f, canvas *c)
{
    layout      l;
    canvas_font title = { .size = 9, .colour = AXIS_INK, .bold = true };
    rv_status   status = layout_make(f, c, &l);
    if (status == RV_OK) status = draw_time_panels(f, c, &l);
    if (status == RV_OK) status = draw_histograms(f, c, &l);
    if (status == RV_OK && f->panels & FIGURE_CURVES) status = draw_curves(f, c, &l);
    double x = f->panels & TIME_PANELS ? l.time.from : MARGIN;
    title.longest = canvas_width(c) - MARGIN - x;
    canvas_text(c, title, x, MARGIN + title.size, f->title);
    layout_free(f, &l);
    return status;
}

static rv_status draw_or_say(const figure *f, canvas *c, rv_error *error)
{
    rv_status status = draw(f, c);
    if (status == RV_OUT_OF_MEMORY) return canvas_fail(error, status, "figure: not enough memory to draw it");
    return status;
}

rv_status figure_draw(const figure *given, canvas *c, rv_error *error)
{
    figure    f;
    rv_status status = resolve(given, &f, error);
    return status == RV_OK ? draw_or_say(&f, c, error) : status;
}

rv_status figure_save(const figure *given, const char *path, rv_error *error)
{
    figure    f;
    canvas   *c = NULL;
    rv_status status = resolve(given, &f, error);
    if (status == RV_OK) status = canvas_open(path, f.width, f.height, f.dpi, &c, error);
    if (status == RV_OK) status = draw_or_say(&f, c, error);
    if (status == RV_OK) return canvas_close(c, error);
    canvas_free(c);
    return status;
}

rv_status figure_locate(const figure *given, canvas *c, figure_panels panel, int index, double t_ms, double value,
                        double *x, double *y)
{
    figure    f;
    layout    l;
    rv_status status = resolve(given, &f, NULL);
    if (status != RV_OK) return status;
    int n = panel == FIGURE_RATE ? 1 : panel == FIGURE_RASTER ? f.n_spikes : panel == FIGURE_TRACES ? f.n_traces : 0;
    if (!(f.panels & panel) || index < 0 || index >= n) return RV_OUT_OF_RANGE;
    status = layout_make(&f, c, &l);
    if (status == RV_OK) {
        *x = axis_at(&l.time, t_ms);
        if (panel == FIGURE_RASTER) *y = raster_neuron_y(l.bands[index], f.spikes[index].size, value);
        else *y = axis_at(panel == FIGURE_RATE ? &l.rate : &l.traces[index], value);
    }
    layout_free(&f, &l);
    return status;
}
