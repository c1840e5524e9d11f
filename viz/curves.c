/* Lines through samples. A run of ten million samples and a figure of two thousand pixels meet in curves_line(). */
#include "viz/curves.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 512 };

/* ------------------------------------------------------------------------------------------------ lines --- */

/* The points of one column of pixels, as far as they can be told apart in it. */
typedef struct column {
    int64_t first, lowest, highest, last; /* indices; y grows downwards, but either order does */
} column;

/* Appends the (up to four) points in the order they have in the data. @return their number */
static int column_points(const column *col, const double *x, const double *y, double *px, double *py)
{
    int64_t one = col->lowest < col->highest ? col->lowest : col->highest;
    int64_t two = col->lowest < col->highest ? col->highest : col->lowest;
    int64_t order[4] = { col->first, one, two, col->last };
    int     n = 0;
    for (int i = 0; i < 4; i++) {
        if (i > 0 && order[i] == order[i - 1]) continue;
        px[n] = x[order[i]];
        py[n++] = y[order[i]];
    }
    return n;
}

void curves_line(canvas *c, canvas_pen pen, const double *x, const double *y, int64_t n)
{
    double px[BATCH + 5], py[BATCH + 5], scale = canvas_scale(c);
    int    filled = 0;
    for (int64_t k = 0; k < n;) {
        column col = { k, k, k, k };
        double place = floor(x[k] * scale);
        bool   point = isfinite(x[k]) && isfinite(y[k]);
        for (k++; point && k < n && isfinite(y[k]) && floor(x[k] * scale) == place; k++) {
            if (y[k] < y[col.lowest]) col.lowest = k;
            if (y[k] > y[col.highest]) col.highest = k;
            col.last = k;
        }
        if (point) filled += column_points(&col, x, y, px + filled, py + filled);
        else px[filled] = py[filled] = NAN, filled++;
        if (filled < BATCH && k < n) continue;
        canvas_polyline(c, pen, px, py, filled);
        px[0] = px[filled - 1], py[0] = py[filled - 1]; /* the next batch goes on from here */
        filled = 1;
    }
}

/* --------------------------------------------------------------------------------------------- the data --- */

static void include(double value, double *low, double *high)
{
    if (!axis_usable(value)) return;
    if (!(value >= *low)) *low = value;
    if (!(value <= *high)) *high = value;
}

/* Far outside the canvas all places are equal, and cairo's fixed-point numbers end. */
static double within_reach(double points) { return fmin(fmax(points, -1e5), 1e5); }

/* Canvas positions of n data; what cannot be drawn becomes NaN. @return [2][n] x, then y; NULL without memory */
static double *place(const axis *x_axis, const axis *y_axis, const double *x, const double *y, int64_t n)
{
    double *placed = malloc((size_t)(n > 0 ? n : 1) * 2 * sizeof *placed);
    for (int64_t k = 0; placed && k < n; k++) {
        bool usable = axis_usable(x[k]) && axis_usable(y[k]);
        placed[k] = usable ? within_reach(axis_at(x_axis, x[k])) : NAN;
        placed[n + k] = usable ? within_reach(axis_at(y_axis, y[k])) : NAN;
    }
    return placed;
}

/* ----------------------------------------------------------------------------------------------- traces --- */

axis curves_trace_axis(const figure_trace *trace, double from_ms, double to_ms)
{
    double low = NAN, high = NAN;
    for (int64_t k = 0; k < trace->n; k++)
        if (trace->times_ms[k] >= from_ms && trace->times_ms[k] <= to_ms) include(trace->values[k], &low, &high);
    include(trace->threshold, &low, &high);
    axis_open(&low, &high);
    double room = 0.06 * (high - low);
    low -= room;
    high += trace->n_spikes > 0 && trace->spikes_ms ? 8 * room : room;
    return (axis){ .low = low, .high = high, .name = trace->label, .unit_name = trace->unit };
}

/* In integrate-and-fire models the spike itself is not in V_m; a stroke from the threshold up stands for it. */
static void draw_spikes(canvas *c, const figure_trace *trace, const axis *time, const axis *y)
{
    double data_high = y->high - (y->high - y->low) * 8 * 0.06 / (1 + 9 * 0.06);
    double bottom = axis_usable(trace->threshold) ? trace->threshold : data_high, top = y->to;
    double from = axis_at(y, bottom);
    for (int64_t k = 0; trace->spikes_ms && k < trace->n_spikes; k++) {
        double t = trace->spikes_ms[k];
        if (!(t >= time->low && t <= time->high)) continue;
        canvas_line(c, (canvas_pen){ .colour = AXIS_INK, .width = 0.7 }, axis_at(time, t), from, axis_at(time, t), top);
    }
}

rv_status curves_draw_trace(canvas *c, const figure_trace *trace, const axis *time, const axis *y)
{
    double *placed = place(time, y, trace->times_ms, trace->values, trace->n);
    if (!placed) return RV_OUT_OF_MEMORY;
    canvas_clip(c, time->from, fmin(y->from, y->to) - 1, time->to - time->from, fabs(y->to - y->from) + 2);
    if (axis_usable(trace->threshold)) {
        double level = axis_at(y, trace->threshold);
        canvas_line(c, (canvas_pen){ .colour = AXIS_FAINT, .width = 0.7, .dashed = true }, time->from, level, time->to,
                    level);
    }
    curves_line(c, (canvas_pen){ .colour = AXIS_INK, .width = 0.7 }, placed, placed + trace->n, trace->n);
    draw_spikes(c, trace, time, y);
    canvas_unclip(c);
    free(placed);
    return RV_OK;
}

/* ----------------------------------------------------------------------------------------------- curves --- */

static bool same(const char *a, const char *b) { return !strcmp(a ? a : "", b ? b : ""); }

int curves_sharing(const figure_curve *first, int n)
{
    int sharing = 1;
    while (sharing < n && same(first[sharing].x_label, first->x_label) && same(first[sharing].y_label, first->y_label))
        sharing++;
    return sharing;
}

int curves_names(const figure_curve *curves, int n)
{
    int names = 0;
    for (int i = 0; i < n; i++) names += curves[i].label && curves[i].label[0];
    return names;
}

static uint32_t curve_colour(int i)
{
    static const uint32_t colours[] = { 0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7, 0xe69f00, 0x56b4e9 };
    return colours[i % 6];
}

static rv_status draw_curve(canvas *c, const figure_curve *curve, const axis *x, const axis *y, uint32_t colour)
{
    double *px = place(x, y, curve->x, curve->y, curve->n);
    if (!px) return RV_OUT_OF_MEMORY;
    double *py = px + curve->n;
    if (!curve->points) curves_line(c, (canvas_pen){ .colour = colour, .width = 1.1 }, px, py, curve->n);
    double diameter = curve->n > 2000 ? 1 : curve->n > 200 ? 1.8 : 3;
    for (int64_t k = 0; curve->points && k < curve->n; k++)
        if (isfinite(px[k])) canvas_dots(c, (canvas_pen){ .colour = colour, .width = diameter }, px + k, py + k, 1);
    free(px);
    return RV_OK;
}

static void curves_axes(const figure_curve *curves, int n, axis *x, axis *y)
{
    bool points = false;
    *x = (axis){ .low = NAN, .high = NAN, .name = curves->x_label };
    *y = (axis){ .low = NAN, .high = NAN, .name = curves->y_label };
    for (int i = 0; i < n; i++) {
        for (int64_t k = 0; k < curves[i].n; k++) {
            if (!axis_usable(curves[i].x[k]) || !axis_usable(curves[i].y[k])) continue;
            include(curves[i].x[k], &x->low, &x->high);
            include(curves[i].y[k], &y->low, &y->high);
        }
        points |= curves[i].points;
    }
    axis_open(&x->low, &x->high);
    double room = points && x->low != 0 ? 0.03 * (x->high - x->low) : 0;
    x->low -= room;
    x->high += points ? 0.03 * (x->high - x->low) : 0;
    axis_widen(&y->low, &y->high, 5);
}

/* Where both signs occur, zero is what one looks for: the STDP window, a current and its reversal. */
static void draw_zeros(canvas *c, const axis *x, const axis *y)
{
    canvas_pen pen = { .colour = 0xc8c8c8, .width = 0.5 };
    if (y->low < 0 && y->high > 0) canvas_line(c, pen, x->from, axis_at(y, 0), x->to, axis_at(y, 0));
    if (x->low < 0 && x->high > 0) canvas_line(c, pen, axis_at(x, 0), y->from, axis_at(x, 0), y->to);
}

rv_status curves_panel(canvas *c, const figure_curve *curves, int n, int names, axis_rect outer)
{
    axis      x, y;
    rv_status status = RV_OK;
    curves_axes(curves, n, &x, &y);
    double legend = fmin(1.3 * AXIS_DIGIT * names, outer.height / 3);
    outer.y += legend;
    outer.height -= legend;
    axis_frame(c, outer, &x, &y);
    draw_zeros(c, &x, &y);
    double baseline = outer.y - 2 - 1.3 * AXIS_DIGIT * (curves_names(curves, n) - 1);
    for (int i = 0; i < n && status == RV_OK; i++) {
        status = draw_curve(c, &curves[i], &x, &y, curve_colour(i));
        baseline = axis_legend(c, x.to, baseline, curve_colour(i), curves[i].label, x.to - x.from);
    }
    return status;
}
