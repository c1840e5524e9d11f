#include "viz/multiples.h"

#include <math.h>
#include <stdlib.h>

#include "viz/axes.h"
#include "viz/curves.h"

enum { MARGIN = 10, GAP = 12, TITLE = 14, FOOT = 12, ROW = 84 /* points */ };
#define WIDTH 493.0
#define FIRST 0.78 /* of the height, for the first curve */

static void include(const double *values, int64_t n, double *low, double *high)
{
    for (int64_t k = 0; k < n; k++) {
        if (!axis_usable(values[k])) continue;
        if (!(values[k] >= *low)) *low = values[k];
        if (!(values[k] <= *high)) *high = values[k];
    }
}

/* From the data to the canvas; y grows downwards. */
static rv_status draw_curve(canvas *c, canvas_pen pen, const figure_curve *curve, const axis *x, const axis *y)
{
    double *placed = malloc(((size_t)curve->n * 2 + 1) * sizeof *placed);
    if (!placed) return RV_OUT_OF_MEMORY;
    for (int64_t k = 0; k < curve->n; k++) placed[k] = axis_at(x, curve->x[k]), placed[curve->n + k] = axis_at(y, curve->y[k]);
    curves_line(c, pen, placed, placed + curve->n, curve->n);
    free(placed);
    return RV_OK;
}

static void draw_bar(canvas *c, const multiple *p, const axis *x, double y)
{
    double length = axis_at(x, x->low + p->bar) - x->from;
    if (!(p->bar > 0) || !(length <= x->to - x->from)) return;
    canvas_line(c, (canvas_pen){ .colour = AXIS_INK, .width = 1.0 }, x->to - length, y, x->to, y);
    canvas_text(c, (canvas_font){ .size = 6, .colour = AXIS_INK, .align = CANVAS_RIGHT }, x->to - length - 3, y + 2, p->bar_label);
}

static rv_status draw_panel(canvas *c, const multiple *p, axis_rect place, double low, double high)
{
    axis      x = { .low = NAN, .high = NAN, .from = place.x, .to = place.x + place.width };
    double    top = place.y + TITLE, below = place.y + place.height - FOOT, height = below - top;
    rv_status status = RV_OK;
    for (int k = 0; k < p->n_curves; k++) include(p->curves[k].x, p->curves[k].n, &x.low, &x.high);
    axis_open(&x.low, &x.high);
    canvas_text(c, (canvas_font){ .size = 7.5, .colour = AXIS_INK, .longest = place.width }, place.x, place.y + 8, p->title);
    double bottom = p->n_curves > 1 ? top + FIRST * height : below;
    for (int k = 0; k < p->n_curves && status == RV_OK; k++) {
        double strip = p->n_curves > 1 ? (1 - FIRST) * height / (p->n_curves - 1) : 0;
        axis   y = { .low = low, .high = high, .from = bottom, .to = top };
        if (k > 0) {
            y = (axis){ .low = NAN, .high = NAN, .from = bottom + k * strip, .to = bottom + (k - 1) * strip + 4 };
            include(p->curves[k].y, p->curves[k].n, &y.low, &y.high);
            axis_open(&y.low, &y.high);
        }
        canvas_pen pen = { .colour = k ? AXIS_FAINT : AXIS_INK, .width = k ? 0.8 : 0.7 };
        status = draw_curve(c, pen, &p->curves[k], &x, &y);
    }
    draw_bar(c, p, &x, below + 6);
    return status;
}

static rv_status draw(const multiples *m, canvas *c)
{
    int    columns = m->columns > 0 ? m->columns : 4, rows = (m->n_panels + columns - 1) / columns;
    double low = NAN, high = NAN, top = MARGIN + (m->title ? 16 : 0), foot = MARGIN + (m->note ? 12 : 0);
    double width = (canvas_width(c) - 2 * MARGIN - (columns - 1) * GAP) / columns, height = (canvas_height(c) - top - foot) / rows;
    for (int k = 0; k < m->n_panels; k++)
        if (m->panel[k].n_curves > 0) include(m->panel[k].curves[0].y, m->panel[k].curves[0].n, &low, &high);
    axis_open(&low, &high);
    canvas_text(c, (canvas_font){ .size = 9, .colour = AXIS_INK, .bold = true, .longest = canvas_width(c) - 2 * MARGIN }, MARGIN, MARGIN + 9, m->title);
    canvas_text(c, (canvas_font){ .size = 7, .colour = AXIS_INK, .longest = canvas_width(c) - 2 * MARGIN }, MARGIN, canvas_height(c) - MARGIN, m->note);
    rv_status status = RV_OK;
    for (int k = 0; k < m->n_panels && status == RV_OK; k++) {
        axis_rect place = { .x = MARGIN + k % columns * (width + GAP), .y = top + k / columns * height, .width = fmax(width, 1), .height = fmax(height - 4, 1) };
        status = draw_panel(c, &m->panel[k], place, low, high);
    }
    return status;
}

rv_status multiples_save(const multiples *m, const char *path, rv_error *error)
{
    int       columns = m->columns > 0 ? m->columns : 4, rows = (m->n_panels + columns - 1) / columns;
    double    width = m->width > 0 ? m->width : WIDTH, height = m->height > 0 ? m->height : rows * ROW + 2 * MARGIN + 28;
    canvas   *c = NULL;
    if (!(width >= 100 && width <= 20000 && height >= 60 && height <= 20000) || (m->dpi != 0 && !(m->dpi >= 10 && m->dpi <= 4800)))
        return canvas_fail(error, RV_OUT_OF_RANGE, "figure: %g x %g points at %g dpi, allowed are 100 to 20000, 60 to 20000, 10 to 4800", width, height, m->dpi);
    rv_status status = canvas_open(path, width, height, m->dpi > 0 ? m->dpi : 200, &c, error);
    if (status == RV_OK) status = draw(m, c);
    if (status == RV_OK) return canvas_close(c, error);
    if (status == RV_OUT_OF_MEMORY && c) canvas_fail(error, status, "figure: not enough memory to draw it");
    canvas_free(c);
    return status;
}
