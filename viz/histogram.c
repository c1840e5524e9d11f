/* Counting spikes into bins, and drawing the outlines of the counts. */
#include "viz/histogram.h"
#include "viz/curves.h"
#include "viz/raster.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_FILLED = 3, FEWEST_BINS = 5 };

static const double SHORTEST_BIN = 0.1; /* ms; the usual resolution: shorter bins would show the grid of steps */
static const double NAMES_HEIGHT = 8; /* points */
static const double ROUNDING = 1e-9;    /* bins: 0.3 / 0.1 is less than 3, and must fall into bin 3 */

static rv_status histogram_new(double low, double width, int n, histogram *h)
{
    *h = (histogram){ .low = low, .width = width, .n = n, .heights = calloc((size_t)n, sizeof(double)) };
    return h->heights ? RV_OK : RV_OUT_OF_MEMORY;
}

void histogram_free(histogram *h)
{
    free(h->heights);
    *h = (histogram){ 0 };
}

double histogram_peak(const histogram *h)
{
    double peak = 0;
    for (int i = 0; i < h->n; i++) peak = fmax(peak, h->heights[i]);
    return peak;
}

static bool visible(const figure *f, double t) { return t >= f->from_ms && t <= f->to_ms; }

/* ------------------------------------------------------------------------------------------ rate over time --- */

double histogram_choose_bin(const figure *f)
{
    double  shown = f->to_ms - f->from_ms;
    int64_t n = 0;
    for (int i = 0; i < f->n_spikes; i++)
        for (int64_t k = 0; k < f->spikes[i].n; k++) n += visible(f, f->spikes[i].times_ms[k]);
    double bins = fmin(fmax((double)n / fmax(f->n_spikes, 1) / 5, 20), 400);
    return fmin(fmax(axis_nice_step(shown, bins), SHORTEST_BIN), shown);
}

rv_status histogram_rate(const figure *f, int population, histogram *h)
{
    const figure_spikes *s = &f->spikes[population];
    double               bins = (f->to_ms - f->from_ms) / f->bin_ms;
    rv_status            status = histogram_new(f->from_ms, f->bin_ms, (int)fmax(floor(bins + 1e-6), 1), h);
    if (status != RV_OK) return status;
    for (int64_t k = 0; k < s->n; k++) {
        if (!visible(f, s->times_ms[k])) continue;
        int bin = (int)((s->times_ms[k] - f->from_ms) / f->bin_ms + ROUNDING);
        if (bin == h->n && bins < h->n + 1e-6) bin--; /* the spikes at to_ms */
        if (bin < h->n) h->heights[bin]++;
    }
    double per_count = 1000 / f->bin_ms / (double)(s->size > 0 ? s->size : 1);
    for (int i = 0; i < h->n; i++) h->heights[i] *= per_count;
    return RV_OK;
}

/* --------------------------------------------------------------------------------------------- intervals --- */

typedef struct intervals {
    int64_t n;
    double  sum, longest; /* ms */
} intervals;

/* Goes through the intervals of all neurons, which lie between spikes of others. @param h bins, may be NULL */
static rv_status scan_intervals(const figure_spikes *s, const figure *f, intervals *found, histogram *h)
{
    double *last = malloc((size_t)(s->size > 0 ? s->size : 1) * sizeof *last);
    *found = (intervals){ 0 };
    if (!last) return RV_OUT_OF_MEMORY;
    for (int64_t i = 0; i < s->size; i++) last[i] = NAN;
    for (int64_t k = 0; k < s->n; k++) {
        double t = s->times_ms[k], isi = t - last[s->neurons[k]];
        if (!visible(f, t)) continue;
        last[s->neurons[k]] = t;
        if (!(isi >= 0)) continue; /* the first spike of a neuron */
        found->n++;
        found->sum += isi;
        found->longest = fmax(found->longest, isi);
        if (h && isi / h->width + ROUNDING < h->n) h->heights[(int)(isi / h->width + ROUNDING)]++;
    }
    free(last);
    return RV_OK;
}

rv_status histogram_isi(const figure *f, int population, double width, int n, histogram *h)
{
    intervals found;
    rv_status status = histogram_new(0, width, n, h);
    if (status == RV_OK) status = scan_intervals(&f->spikes[population], f, &found, h);
    if (status != RV_OK) return status;
    for (int i = 0; i < n && found.n > 0; i++) h->heights[i] /= (double)found.n;
    return RV_OK;
}

/* ------------------------------------------------------------------------------------------- mean rates --- */

static rv_status count_per_neuron(const figure *f, const figure_spikes *s, int64_t **counts)
{
    *counts = calloc((size_t)(s->size > 0 ? s->size : 1), sizeof **counts);
    if (!*counts) return RV_OUT_OF_MEMORY;
    for (int64_t k = 0; k < s->n; k++)
        if (visible(f, s->times_ms[k])) (*counts)[s->neurons[k]]++;
    return RV_OK;
}

rv_status histogram_rates(const figure *f, int population, int64_t counts_per_bin, int n, histogram *h)
{
    const figure_spikes *s = &f->spikes[population];
    int64_t             *counts = NULL;
    rv_status status = histogram_new(0, (double)counts_per_bin * 1000 / (f->to_ms - f->from_ms), n, h);
    if (status == RV_OK) status = count_per_neuron(f, s, &counts);
    for (int64_t i = 0; status == RV_OK && i < s->size; i++)
        if (counts[i] / counts_per_bin < n) h->heights[counts[i] / counts_per_bin] += 1.0 / (double)s->size;
    free(counts);
    return status;
}

/* ---------------------------------------------------------------------------------------------- drawing --- */

rv_status histogram_draw(canvas *c, const histogram *h, const axis *x, const axis *y, uint32_t colour, bool filled)
{
    int     n = 2 * h->n + 2;
    double *px = malloc(2 * (size_t)n * sizeof *px);
    if (!px) return RV_OUT_OF_MEMORY;
    double *py = px + n;
    for (int i = 0; i <= h->n; i++) {
        px[2 * i] = px[2 * i + 1] = axis_at(x, fmin(h->low + i * h->width, x->high));
        py[2 * i] = axis_at(y, i > 0 ? h->heights[i - 1] : 0);
        py[2 * i + 1] = axis_at(y, i < h->n ? h->heights[i] : 0);
    }
    if (filled) canvas_polygon(c, (canvas_pen){ .colour = colour, .alpha = 0.18 }, px, py, n);
    curves_line(c, (canvas_pen){ .colour = colour, .width = h->n > 200 ? 0.6 : 0.8 }, px + 1, py + 1, n - 2);
    free(px);
    return RV_OK;
}

/* All populations on common axes. @param x its range is set, the bins lie within it */
static rv_status draw_panel(canvas *c, const figure *f, axis_rect outer, const histogram *all, axis x, const char *name)
{
    rv_status status = RV_OK;
    axis      y = { .low = 0, .high = 0, .name = name };
    for (int i = 0; i < f->n_spikes; i++) y.high = fmax(y.high, histogram_peak(&all[i]));
    if (y.high == 0) y.high = 1;
    axis_widen(&y.low, &y.high, 5);
    outer.y += NAMES_HEIGHT, outer.height -= NAMES_HEIGHT;
    axis_frame(c, outer, &x, &y);
    raster_names(c, f, x.from, x.to, outer.y - 2);
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++)
        status = histogram_draw(c, &all[i], &x, &y, raster_colour(f, i), f->n_spikes <= MOST_FILLED);
    return status;
}

static void free_all(histogram *all, int n)
{
    for (int i = 0; all && i < n; i++) histogram_free(&all[i]);
    free(all);
}

/* Rice's rule: 2 n^(1/3) bins. */
static double rice(double n, double least, double most) { return fmin(fmax(2 * cbrt(n), least), most); }

rv_status histogram_isi_panel(canvas *c, const figure *f, axis_rect outer)
{
    double     longest = 0, n = 0;
    rv_status  status = RV_OK;
    histogram *all = calloc((size_t)f->n_spikes + 1, sizeof *all);
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) {
        intervals found;
        status = scan_intervals(&f->spikes[i], f, &found, NULL);
        if (found.n > 0) longest = fmax(longest, fmin(found.longest, 4 * found.sum / (double)found.n));
        n = fmax(n, (double)found.n);
    }
    if (!all) status = RV_OUT_OF_MEMORY;
    if (!(longest > 0)) longest = 100;
    double width = axis_nice_step(longest, rice(n, 10, 80));
    int    bins = (int)floor(longest / width + ROUNDING) + 1;
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) status = histogram_isi(f, i, width, bins, &all[i]);
    axis x = { .low = 0, .high = bins * width, .name = "inter-spike interval", .unit_name = "ms" };
    if (x.high > 5000) x.unit = 1000, x.unit_name = "s";
    if (status == RV_OK) status = draw_panel(c, f, outer, all, x, "fraction of intervals");
    free_all(all, f->n_spikes);
    return status;
}

rv_status histogram_rates_panel(canvas *c, const figure *f, axis_rect outer)
{
    int64_t    most = 0, neurons = 0;
    rv_status  status = RV_OK;
    histogram *all = calloc((size_t)f->n_spikes + 1, sizeof *all);
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) {
        int64_t *counts = NULL;
        status = count_per_neuron(f, &f->spikes[i], &counts);
        for (int64_t k = 0; counts && k < f->spikes[i].size; k++)
            if (counts[k] > most) most = counts[k];
        if (f->spikes[i].size > neurons) neurons = f->spikes[i].size;
        free(counts);
    }
    if (!all) status = RV_OUT_OF_MEMORY;
    int64_t per_bin = (int64_t)ceil((double)(most + 1) / rice((double)neurons, 8, 50));
    int     bins = (int)fmax((double)(most / per_bin + 1), FEWEST_BINS);
    for (int i = 0; i < f->n_spikes && status == RV_OK; i++) status = histogram_rates(f, i, per_bin, bins, &all[i]);
    axis x = { .low = 0, .high = bins * (double)per_bin * 1000 / (f->to_ms - f->from_ms), .name = "rate" };
    x.unit_name = "spikes/s";
    if (status == RV_OK) status = draw_panel(c, f, outer, all, x, "fraction of neurons");
    free_all(all, f->n_spikes);
    return status;
}
