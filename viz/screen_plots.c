/* What stands around the raster: its labels, the rates below and beside it, the mini-map, the marks. */
#include "viz/colours.h"
#include "viz/curves.h"
#include "viz/histogram.h"
#include "viz/screen_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double ROOM_FOR_AXIS = 26;    /* points of a band that has numbers     */
static const double ROOM_FOR_NAME = 5;
static const double NAMES_OFFSET = 34;     /* of the names from the plot            */
static const canvas_pen line = { .colour = AXIS_INK, .width = AXIS_LINE };

static double bottom_of(axis_rect r) { return r.y + r.height; }
static double right_of(axis_rect r) { return r.x + r.width; }

/* Where labels that are read from below are centred; NAN where there is no room for any. */
static double label_x(const screen_frame *s)
{
    const axis_rect *labels = layout_find(s->layout, LAYOUT_NEURON_AXIS, 0);
    return labels ? labels->x + 0.75 * AXIS_LABEL : NAN;
}

/* ---- beside the raster ----------------------------------------------------------------------------------------- */

/* The part of a band that is seen. @return false if it is nothing to speak of */
static bool seen(const screen_frame *s, int population, double *top, double *bottom)
{
    raster_band band = s->layout->bands[population];
    axis_rect   plot = s->layout->raster;
    *top = fmax(band.y, plot.y), *bottom = fmin(band.y + band.height, bottom_of(plot));
    return band.height > 0 && *bottom - *top > 0.5;
}

/* Neurons are counted from 1. Where they can be told apart the number of one stands at its line, else 0 at the edge. */
static axis numbers_of(const screen_frame *s, int population, double top, double bottom)
{
    raster_band band = s->layout->bands[population];
    double      size = (double)(s->feed->population[population].size > 0 ? s->feed->population[population].size : 1);
    double      shift = band.height / size > 1.5 ? 0.5 : 0;
    return (axis){ .low = size * (1 - (bottom - band.y) / band.height) + shift,
                   .from = bottom,
                   .to = top,
                   .whole = true,
                   .high = size * (1 - (top - band.y) / band.height) + shift };
}

static void label_band(const screen_frame *s, int p, double x)
{
    double      top, bottom;
    canvas_font font = { .size = AXIS_LABEL, .colour = view_colour(s->feed, p), .align = CANVAS_RIGHT, .bold = true };
    if (!seen(s, p, &top, &bottom)) return;
    axis numbers = numbers_of(s, p, top, bottom);
    if (bottom - top >= ROOM_FOR_AXIS && numbers.high - numbers.low > 1e-6) axis_draw_y(s->canvas, &numbers, x, NAN);
    else canvas_line(s->canvas, line, x, top, x, bottom);
    font.size = fmin(font.size, bottom - top);
    font.longest = fmax(x - NAMES_OFFSET - label_x(s) - 8, 8);
    if (bottom - top >= ROOM_FOR_NAME)
        canvas_text(s->canvas, font, x - NAMES_OFFSET, (top + bottom) / 2 + 0.36 * font.size,
                    s->feed->population[p].name);
}

void screen_neuron_axis(const screen_frame *s)
{
    axis_rect plot = s->layout->raster;
    if (isnan(label_x(s))) return;
    for (int p = 0; p < s->feed->n_populations; p++) label_band(s, p, plot.x);
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .align = CANVAS_CENTRE, .upwards = true };
    font.longest = plot.height;
    canvas_text(s->canvas, font, label_x(s), plot.y + plot.height / 2, "neuron");
}

void screen_time_axis(const screen_frame *s)
{
    const axis_rect *place = layout_find(s->layout, LAYOUT_TIME_AXIS, 0);
    if (place && place->height > 0) axis_draw_x(s->canvas, &s->layout->time, place->y, true);
}

/* ---- rates of populations -------------------------------------------------------------------------------------- */

/* Bins begin at multiples of their width, so that the curve moves with time instead of changing its shape. */
static histogram bins_on_screen(const screen_frame *s)
{
    histogram h = { .width = screen_bin(s) };
    h.low = h.width * floor(s->view->from_ms / h.width);
    h.n = (int)ceil((s->view->to_ms - h.low) / h.width);
    return h;
}

static double count_rates(const screen_frame *s, histogram h, double *rates)
{
    double peak = 0;
    for (int p = 0; p < s->feed->n_populations; p++) {
        double *mine = rates + (int64_t)p * h.n;
        if (!s->view->visible[p]) continue;
        tally_rates(s->state->tally, p, h.low, h.width, h.n, s->view->now_ms, mine);
        for (int k = 0; k < h.n; k++) peak = mine[k] > peak ? mine[k] : peak;
    }
    return peak;
}

static void write_bin(const screen_frame *s, axis_rect place)
{
    canvas_font note = { .size = 6.5, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
    double      bin = screen_bin(s);
    if (bin < 1000) screen_text(s, note, right_of(place) - 4, place.y - 2.5, "%.4g ms bins", bin);
    else screen_text(s, note, right_of(place) - 4, place.y - 2.5, "%.4g s bins", bin / 1000);
}

/* The outlines as lines of the canvas. */
static rv_status draw_outlines(const screen_frame *s, histogram h, double *rates, const axis *y, axis_rect place)
{
    rv_status status = RV_OK;
    canvas_clip(s->canvas, place.x, place.y - 1, place.width, place.height + 2);
    for (int p = 0; p < s->feed->n_populations && status == RV_OK; p++) {
        h.heights = rates + (int64_t)p * h.n;
        if (s->view->visible[p])
            status = histogram_draw(s->canvas, &h, &s->layout->time, y, view_colour(s->feed, p), false);
    }
    canvas_unclip(s->canvas);
    return status;
}

/* The same as an image. @param room [4][n] */
static rv_status paint_outlines(const screen_frame *s, histogram h, const double *rates, double *room, const axis *y,
                                axis_rect place)
{
    double   *px = room, *py = room + 2 * h.n;
    rv_status status = screen_lines_begin(s, place);
    if (status != RV_OK) return status;
    for (int k = 0; k < h.n; k++) {
        px[2 * k] = axis_at(&s->layout->time, h.low + k * h.width);
        px[2 * k + 1] = axis_at(&s->layout->time, h.low + (k + 1) * h.width);
    }
    for (int p = 0; p < s->feed->n_populations; p++) {
        if (!s->view->visible[p]) continue;
        for (int k = 0; k < h.n; k++) py[2 * k] = py[2 * k + 1] = axis_at(y, rates[(int64_t)p * h.n + k]);
        screen_lines_add(s, px, py, 2 * h.n, 0.75, view_colour(s->feed, p));
    }
    screen_lines_put(s);
    return RV_OK;
}

rv_status screen_rates(const screen_frame *s)
{
    const axis_rect *place = layout_find(s->layout, LAYOUT_RATE, 0);
    if (!place) return RV_OK;
    histogram h = bins_on_screen(s);
    int64_t   all = (int64_t)s->feed->n_populations * h.n;
    double   *rates = screen_scratch(s->state, all / 2 + 2 * h.n + 1);
    if (!rates) return RV_OUT_OF_MEMORY;
    s->state->rate_high = screen_axis_end(s->state->rate_high, count_rates(s, h, rates), 4);
    axis y = { .low = 0, .high = s->state->rate_high, .from = bottom_of(*place), .to = place->y, .name = "rate",
               .unit_name = "spikes/s" };
    rv_status status = s->view->paper ? draw_outlines(s, h, rates, &y, *place)
                                      : paint_outlines(s, h, rates, rates + all, &y, *place);
    if (!isnan(label_x(s))) axis_draw_y(s->canvas, &y, place->x, label_x(s));
    write_bin(s, *place);
    return status;
}

/* ---- rates of neurons ------------------------------------------------------------------------------------------ */

/* The population on a line of pixels, -1 between bands. */
static int population_at(const screen_frame *s, double y)
{
    for (int p = 0; p < s->feed->n_populations; p++) {
        raster_band band = s->layout->bands[p];
        if (band.height > 0 && y >= band.y && y < band.y + band.height) return p;
    }
    return -1;
}

/* A bar per line of pixels, as long as the mean rate of the neurons on it. */
static void paint_bars(const screen_frame *s, const double *rates, int rows, double high)
{
    screen_lines *image = &s->state->lines;
    uint32_t      page = canvas_colour(s->canvas, 0xffffff);
    double        pitch = s->layout->raster.height / rows;
    for (int row = 0; row < image->rows; row++) {
        double    y = (image->y + row + 0.5) / image->scale;
        int       p = population_at(s, y), at = (int)floor((y - s->layout->raster.y) / pitch);
        uint32_t *pixel = image->pixel + (int64_t)row * image->columns;
        if (p < 0 || at < 0 || at >= rows) continue;
        uint32_t colour = colours_mix(page, s->state->colours[p], 0.8);
        double   length = rates[at] > 0 ? rates[at] / high * image->columns : 0;
        for (int k = 0; k < image->columns && k < length; k++)
            pixel[k] = k + 1 <= length ? colour : colours_mix(page, colour, length - k);
    }
}

rv_status screen_neuron_rates(const screen_frame *s)
{
    const axis_rect *place = layout_find(s->layout, LAYOUT_NEURON_RATES, 0);
    int              rows = 0;
    const double    *rates = place ? live_raster_rates(s->state->raster, &rows) : NULL;
    if (!place) return RV_OK;
    double peak = 0;
    for (int k = 0; k < rows; k++) peak = rates[k] > peak ? rates[k] : peak;
    s->state->neuron_high = screen_axis_end(s->state->neuron_high, peak, 1);
    if (rows > 0) {
        if (screen_lines_begin(s, *place) != RV_OK) return RV_OUT_OF_MEMORY;
        paint_bars(s, rates, rows, s->state->neuron_high);
        screen_lines_put(s);
    }
    axis x = { .low = 0, .high = s->state->neuron_high, .from = place->x, .to = right_of(*place), .name = "spikes/s" };
    canvas_line(s->canvas, (canvas_pen){ .colour = SCREEN_RULE, .width = AXIS_LINE }, place->x, place->y, place->x,
                bottom_of(*place));
    axis_draw_x(s->canvas, &x, bottom_of(*place), true);
    return RV_OK;
}

/* ---- the mini-map ---------------------------------------------------------------------------------------------- */

/* Some n bins over everything; of whole ms, aligned, which the tally has counted, unless they are few and short. */
static int choose_map_bins(screen_state *state, int n)
{
    double span = state->map_to_ms - state->map_from_ms, bin = span / n;
    if (bin > 1) bin = ceil(bin);
    state->map_bin_ms = bin;
    state->map_begin_ms = bin > 1 ? floor(state->map_from_ms / bin) * bin : state->map_from_ms;
    return bin > 1 ? (int)ceil((state->map_to_ms - state->map_begin_ms) / bin) : n;
}

/* Counts the total rate of everything that is kept, a few times a second, see screen.c. @param most bins */
static rv_status count_map(const screen_frame *s, int most)
{
    screen_state *state = s->state;
    double       *rates = screen_scratch(state, most + 2), neurons = fmax((double)s->feed->n_rows, 1);
    if (state->map_n > 0 && state->map_most == most) return RV_OK;
    if (most + 2 > state->map_room) {
        free(state->map);
        state->map = malloc((size_t)(most + 2) * sizeof *state->map);
        state->map_room = state->map ? most + 2 : 0;
    }
    if (!state->map || !rates) return RV_OUT_OF_MEMORY;
    view_map_span(s->view, s->feed, &state->map_from_ms, &state->map_to_ms);
    int n = choose_map_bins(state, most);
    for (int k = 0; k < n; k++) state->map[k] = 0;
    for (int p = 0; p < s->feed->n_populations; p++) {
        double weight = (double)s->feed->population[p].size / neurons;
        tally_rates(state->tally, p, state->map_begin_ms, state->map_bin_ms, n, INFINITY, rates);
        for (int k = 0; k < n; k++) state->map[k] += weight * rates[k];
    }
    state->map_n = n, state->map_most = most;
    return RV_OK;
}

/* The rate at a column of the image. */
static double map_rate(const screen_state *state, double part)
{
    double t = state->map_from_ms + part * (state->map_to_ms - state->map_from_ms);
    int    k = (int)((t - state->map_begin_ms) / state->map_bin_ms);
    return state->map[k < 0 ? 0 : k < state->map_n ? k : state->map_n - 1];
}

/* Bars below the rates, scaled to their maximum. */
static void fill_map(const screen_frame *s)
{
    screen_lines *image = &s->state->lines;
    double        peak = 0;
    uint32_t      colour = colours_mix(canvas_colour(s->canvas, 0xffffff), canvas_colour(s->canvas, AXIS_FAINT), 0.55);
    for (int k = 0; k < s->state->map_n; k++) peak = fmax(s->state->map[k], peak);
    for (int x = 0; x < image->columns && peak > 0; x++) {
        double part = map_rate(s->state, (x + 0.5) / image->columns) / peak;
        for (int y = (int)((1 - fmax(part, 0)) * (image->rows - 3)) + 3; y < image->rows; y++)
            image->pixel[(int64_t)y * image->columns + x] = colour;
    }
}

static void frame_view(const screen_frame *s, axis_rect place)
{
    double per_ms = place.width / (s->state->map_to_ms - s->state->map_from_ms);
    double from = place.x + (s->view->from_ms - s->state->map_from_ms) * per_ms;
    double to = place.x + (s->view->to_ms - s->state->map_from_ms) * per_ms;
    from = fmin(fmax(from, place.x), right_of(place) - 2), to = fmax(fmin(to, right_of(place)), from + 2);
    canvas_pen pen = { .colour = SCREEN_ACCENT, .alpha = 0.14, .width = 0.9 };
    canvas_rectangle(s->canvas, pen, from, place.y, to - from, place.height, 0, true);
    pen.alpha = 0.9;
    canvas_rectangle(s->canvas, pen, from, place.y, to - from, place.height, 0, false);
}

static void write_map_end(const screen_frame *s, double x, double y, canvas_align align, double t_ms)
{
    canvas_font font = { .size = 6.5, .colour = AXIS_FAINT, .align = align };
    if (fabs(t_ms) < 5000) screen_text(s, font, x, y, "%.0f ms", t_ms);
    else screen_text(s, font, x, y, "%.*f s", fabs(t_ms) < 1e5 ? 1 : 0, t_ms / 1000);
}

rv_status screen_map(const screen_frame *s)
{
    const axis_rect *place = layout_find(s->layout, LAYOUT_MAP, 0);
    if (!place) return RV_OK;
    rv_status status = screen_lines_begin(s, *place);
    if (status == RV_OK) status = count_map(s, (s->state->lines.columns + 1) / 2);
    if (status != RV_OK) return status;
    fill_map(s);
    screen_lines_put(s);
    canvas_line(s->canvas, (canvas_pen){ .colour = AXIS_FAINT, .width = AXIS_LINE }, place->x, bottom_of(*place),
                right_of(*place), bottom_of(*place));
    frame_view(s, *place);
    write_map_end(s, place->x - 5, bottom_of(*place) - 1, CANVAS_RIGHT, s->state->map_from_ms);
    if (layout_find(s->layout, LAYOUT_NEURON_RATES, 0))
        write_map_end(s, right_of(*place) + 5, bottom_of(*place) - 1, CANVAS_LEFT, s->state->map_to_ms);
    return RV_OK;
}

/* ---- marks ----------------------------------------------------------------------------------------------------- */

/* From the top of the raster to the time axis. */
static double last_plot_bottom(const screen_frame *s)
{
    const axis_rect *axis = layout_find(s->layout, LAYOUT_TIME_AXIS, 0);
    return axis ? axis->y : bottom_of(s->layout->raster);
}

static void mark_now(const screen_frame *s)
{
    axis_rect plot = s->layout->raster;
    double    x = canvas_snap(s->canvas, axis_at(&s->layout->time, s->view->now_ms));
    bool      playhead = s->view->events || (!s->feed->live && !s->view->paused);
    if (s->view->paper || !(x >= plot.x && x <= right_of(plot) + 0.5)) return;
    canvas_pen pen = { .colour = playhead ? SCREEN_ALARM : AXIS_FAINT, .width = 0.8 };
    canvas_line(s->canvas, pen, x, plot.y - 3, x, last_plot_bottom(s));
    double px[] = { x - 2.8, x + 2.8, x }, py[] = { plot.y - 6, plot.y - 6, plot.y - 1.5 };
    canvas_polygon(s->canvas, pen, px, py, 3);
}

/* A triangle at the right edge points at each neuron that is traced, a hair line runs along the last one clicked. */
static void mark_neuron(const screen_frame *s, view_neuron n, bool clicked)
{
    axis_rect plot = s->layout->raster;
    if (n.population < 0 || s->layout->bands[n.population].height <= 0) return;
    double y =
        raster_neuron_y(s->layout->bands[n.population], s->feed->population[n.population].size, (double)n.neuron);
    if (!(y >= plot.y && y <= bottom_of(plot))) return;
    canvas_pen pen = { .colour = AXIS_INK, .width = 0.5, .alpha = clicked ? 0.45 : 1 };
    double     x = right_of(plot), px[] = { x + 1.5, x + 6.5, x + 6.5 }, py[] = { y, y - 2.5, y + 2.5 };
    if (clicked) canvas_line(s->canvas, pen, plot.x, y, x, y);
    else canvas_polygon(s->canvas, pen, px, py, 3);
}

/* Heights of the selected neurons in the raster. */
static bool selected_heights(const screen_frame *s, double *top, double *bottom)
{
    axis_rect plot = s->layout->raster;
    *top = INFINITY, *bottom = -INFINITY;
    for (int p = 0; p < s->feed->n_populations; p++) {
        const feed_population *population = &s->feed->population[p];
        double first = fmax((double)(s->view->selection.first_row - population->first_row), 0);
        double last = fmin((double)(s->view->selection.last_row - population->first_row), (double)population->size - 1);
        if (s->layout->bands[p].height <= 0 || first > last) continue;
        *top = fmin(*top, raster_neuron_y(s->layout->bands[p], population->size, last + 0.5));
        *bottom = fmax(*bottom, raster_neuron_y(s->layout->bands[p], population->size, first - 0.5));
    }
    *top = fmax(*top, plot.y), *bottom = fmin(*bottom, bottom_of(plot));
    return *top < *bottom;
}

static void shade(const screen_frame *s, double x0, double x1, double y0, double y1)
{
    axis_rect plot = s->layout->raster;
    double    left = fmax(fmin(x0, x1), plot.x), right = fmin(fmax(x0, x1), right_of(plot));
    canvas_pen pen = { .colour = SCREEN_ACCENT, .alpha = 0.13, .width = 0.8 };
    if (!(left < right)) return;
    canvas_rectangle(s->canvas, pen, left, fmin(y0, y1), right - left, fabs(y1 - y0), 0, true);
    pen.alpha = 0.8;
    canvas_rectangle(s->canvas, pen, left, fmin(y0, y1), right - left, fabs(y1 - y0), 0, false);
}

static void mark_selection(const screen_frame *s)
{
    const view *v = s->view;
    double      top, bottom;
    if (v->drag_band && v->drag_moved) {
        bool raster = v->dragging == LAYOUT_RASTER;
        shade(s, v->drag_x, v->mouse_x, raster ? v->drag_y : s->layout->raster.y,
              raster ? v->mouse_y : last_plot_bottom(s));
    } else if (v->selection.there && selected_heights(s, &top, &bottom))
        shade(s, axis_at(&s->layout->time, v->selection.from_ms), axis_at(&s->layout->time, v->selection.to_ms), top,
              bottom);
}

void screen_marks(const screen_frame *s)
{
    mark_selection(s);
    mark_neuron(s, s->view->last_clicked, true);
    for (int k = 0; k < FEED_TRACES; k++) mark_neuron(s, s->view->traced[k], false);
    mark_now(s);
}
