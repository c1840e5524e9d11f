/* Lines on the screen without cairo's strokes, which cost a microsecond per point: an image of the panel in which each
 * line is, in each column of pixels, a bar from its lowest to its highest place there, with soft ends. So a trace of
 * thousands of points a frame is drawn in a fraction of a millisecond. Files have true lines (viz/curves.h). */
#include "viz/colours.h"
#include "viz/screen_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(screen_lines *l, int64_t pixels, int columns)
{
    if (pixels > l->room) {
        free(l->pixel);
        l->pixel = malloc((size_t)pixels * sizeof *l->pixel);
        l->room = l->pixel ? pixels : 0;
    }
    if (columns > l->columns_room) {
        free(l->low);
        l->low = malloc(2 * (size_t)columns * sizeof *l->low);
        l->columns_room = l->low ? columns : 0;
    }
    return l->pixel && l->low;
}

rv_status screen_lines_begin(const screen_frame *s, axis_rect place)
{
    screen_lines *l = &s->state->lines;
    uint32_t      page = canvas_colour(s->canvas, 0xffffff);
    l->scale = canvas_scale(s->canvas);
    l->x = round(place.x * l->scale), l->y = floor(place.y * l->scale) - 1;
    l->columns = (int)fmax(round((place.x + place.width) * l->scale) - l->x, 1);
    l->rows = (int)fmax(round((place.y + place.height) * l->scale) - l->y, 1);
    if (!make_room(l, (int64_t)l->columns * l->rows, l->columns)) return RV_OUT_OF_MEMORY;
    for (int64_t k = 0; k < (int64_t)l->columns * l->rows; k++) l->pixel[k] = page;
    return RV_OK;
}

static void extend(screen_lines *l, int column, double y0, double y1)
{
    double *low = &l->low[2 * column], *high = low + 1, lower = y0 < y1 ? y0 : y1, upper = y0 < y1 ? y1 : y0;
    if (lower < *low) *low = lower;
    if (upper > *high) *high = upper;
}

/* The part of the line between two points, pixels from the corner of the image. */
static void add_segment(screen_lines *l, double x0, double y0, double x1, double y1)
{
    if (!(x1 >= 0 && x0 < l->columns)) return;
    double slope = x1 > x0 ? (y1 - y0) / (x1 - x0) : 0;
    int    first = x0 > 0 ? (int)x0 : 0, last = x1 < l->columns ? (int)x1 : l->columns - 1;
    for (int column = first; column <= last; column++) {
        double from = column <= x0 ? y0 : y0 + (column - x0) * slope;
        double to = column + 1 >= x1 ? y1 : y0 + (column + 1 - x0) * slope;
        extend(l, column, from, to);
    }
}

/* A bar of one column over what is there. */
static void paint_bar(screen_lines *l, int column, double low, double high, uint32_t colour)
{
    int first = (int)fmax(floor(low), 0), last = (int)fmin(floor(high), l->rows - 1);
    for (int row = first; row <= last; row++) {
        uint32_t *pixel = &l->pixel[(int64_t)row * l->columns + column];
        double    covered = fmin(high, row + 1) - fmax(low, row);
        *pixel = covered > 0.995 ? colour : colours_mix(*pixel, colour, fmax(covered, 0));
    }
}

void screen_lines_add(const screen_frame *s, const double *x, const double *y, int64_t n, double width, uint32_t colour)
{
    screen_lines *l = &s->state->lines;
    double        half = 0.5 * width * l->scale;
    for (int k = 0; k < l->columns; k++) l->low[2 * k] = INFINITY, l->low[2 * k + 1] = -INFINITY;
    for (int64_t k = 1; k < n; k++) {
        double x0 = x[k - 1] * l->scale - l->x, y0 = y[k - 1] * l->scale - l->y;
        double x1 = x[k] * l->scale - l->x, y1 = y[k] * l->scale - l->y;
        if (axis_usable(y0) && axis_usable(y1) && axis_usable(x0) && axis_usable(x1)) add_segment(l, x0, y0, x1, y1);
    }
    colour = canvas_colour(s->canvas, colour);
    for (int k = 0; k < l->columns; k++)
        if (l->low[2 * k] <= l->low[2 * k + 1]) paint_bar(l, k, l->low[2 * k] - half, l->low[2 * k + 1] + half, colour);
}

void screen_lines_put(const screen_frame *s)
{
    const screen_lines *l = &s->state->lines;
    canvas_patch(s->canvas, l->x / l->scale, l->y / l->scale, l->columns / l->scale, l->rows / l->scale, l->pixel,
                 l->columns, l->rows);
}
