/* The screen: brings what is kept up to date, then draws part after part, from below upwards. */
#include "viz/screen.h"
#include "viz/camera.h"
#include "viz/screen_parts.h"
#include "viz/selection.h"
#include "viz/weights.h"
#include "sim/clock.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double PAGE_DPI = 200;
static const double LEAST_PAGE_WIDTH = 260, LEAST_PAGE_HEIGHT = 160; /* points */
static const double COUNT_SECONDS = 0.5;
static const double MOST_BINS = 40000; /* of all populations on one screen */

struct screen {
    feed        *feed;
    screen_state state;
    selection   *selection;
    weights     *weights;
    camera      *camera;
    double       drawn_at; /* seconds */
};

/* ---- open and close -------------------------------------------------------------------------------------------- */

void screen_free(screen *s)
{
    if (!s) return;
    live_raster_free(s->state.raster);
    tally_free(s->state.tally);
    selection_free(s->selection);
    weights_free(s->weights);
    camera_free(s->camera);
    for (int k = 0; s->state.traces && k < FEED_TRACES; k++) free(s->state.traces[k].spikes_ms);
    free(s->state.traces);
    free(s->state.colours);
    free(s->state.scratch);
    free(s->state.lines.pixel);
    free(s->state.lines.low);
    free(s->state.present);
    free(s->state.map);
    free(s);
}

static bool open_parts(screen *s, feed *f)
{
    size_t n = (size_t)f->n_populations + 1;
    return (s->state.raster = live_raster_new(f)) && (s->state.tally = tally_new(f)) &&
           (s->selection = selection_new(f)) && (s->weights = weights_new(f)) && (s->camera = camera_new(f)) &&
           (s->state.traces = calloc(FEED_TRACES, sizeof *s->state.traces)) &&
           (s->state.colours = calloc(n, sizeof *s->state.colours)) &&
           (s->state.present = calloc(n, sizeof *s->state.present));
}

screen *screen_new(feed *f)
{
    screen *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->feed = f;
    s->state.rate_high = s->state.neuron_high = NAN;
    s->state.counted_at = s->drawn_at = NAN;
    if (open_parts(s, f)) {
        for (int k = 0; k < FEED_TRACES; k++) s->state.traces[k].neuron.population = -1;
        return s;
    }
    screen_free(s);
    return NULL;
}

/* ---- what the parts share -------------------------------------------------------------------------------------- */

double *screen_scratch(screen_state *s, int64_t n)
{
    if (n > s->scratch_room) {
        free(s->scratch);
        s->scratch_room = n;
        s->scratch = malloc(2 * (size_t)n * sizeof *s->scratch);
        if (!s->scratch) s->scratch_room = 0;
    }
    return s->scratch;
}

void screen_text(const screen_frame *s, canvas_font font, double x, double y, const char *format, ...)
{
    char    text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    canvas_text(s->canvas, font, x, y, text);
}

double screen_axis_end(double present, double peak, double ticks)
{
    double low = 0, high = peak > 0 && axis_usable(peak) ? peak : 1;
    axis_widen(&low, &high, ticks);
    return high > present || high < 0.5 * present || !axis_usable(present) ? high : present;
}

void screen_write_large(double value, char text[32])
{
    static const char *const prefix[] = { "", " k", " M", " G", " T" };
    int                      k = 0;
    if (!axis_usable(value)) value = 0;
    while (k < 4 && fabs(value) >= 9999.5) value /= 1000, k++;
    snprintf(text, 32, "%.*f%s", k > 0 && fabs(value) < 99.95 ? 1 : 0, value, prefix[k]);
}

double screen_bin(const screen_frame *s)
{
    const view *v = s->view;
    const axis *time = &s->layout->time;
    double      bin = v->bin_ms, most = fmax((time->to - time->from) * canvas_scale(s->canvas), 1);
    most = fmin(most, fmax(MOST_BINS / (s->feed->n_populations + 1), 20));
    if ((v->to_ms - v->from_ms) / bin > most) bin = axis_nice_step(v->to_ms - v->from_ms, most);
    if (s->feed->exact || !(s->feed->resolution_ms > 0)) return bin;
    return fmax(round(bin / s->feed->resolution_ms), 1) * s->feed->resolution_ms;
}

/* ---- up to date ------------------------------------------------------------------------------------------------ */

/* The present rates: over a tenth of what is shown, in whole bins of the tally, which has them counted. */
static void count_rates(const screen_frame *s)
{
    const view *v = s->view;
    double      bin = fmax(v->bin_ms, 1), window = bin * ceil(fmax(0.1 * (v->to_ms - v->from_ms), bin) / bin);
    double      from_ms = bin * floor(v->now_ms / bin) - window;
    for (int p = 0; p < s->feed->n_populations; p++) tally_rates(s->state->tally, p, from_ms, window, 1, v->now_ms, &s->state->present[p]);
}

/* Figures that people read, not curves: a few times a second, else nobody could read them. */
static void count(const screen_frame *s, double now)
{
    feed         *f = s->feed;
    screen_state *state = s->state;
    double        seconds = now - state->counted_at;
    if (seconds < COUNT_SECONDS) return;
    if (seconds > 0) {
        state->spikes_per_second = (double)(f->n_spikes - state->counted_spikes) / seconds;
        state->events_per_second = (double)(f->n_events - state->counted_events) / seconds;
    }
    count_rates(s);
    state->counted_at = now;
    state->counted_spikes = f->n_spikes, state->counted_events = f->n_events;
    state->map_n = 0;
}

static void collect_colours(const screen_frame *s)
{
    for (int p = 0; p < s->feed->n_populations; p++)
        s->state->colours[p] = canvas_colour(s->canvas, view_colour(s->feed, p));
}

static rv_status update(screen *s, const screen_frame *frame, double budget, bool *complete)
{
    const view      *v = frame->view;
    double           now = clock_seconds(), passed = now - s->drawn_at;
    rv_status        status = RV_OK;
    bool             traces = true;
    live_raster_view raster = { .plot = frame->layout->raster,
                                .from_ms = v->from_ms,
                                .to_ms = v->to_ms,
                                .now_ms = v->now_ms,
                                .bands = frame->layout->bands,
                                .colours = frame->state->colours,
                                .scale = canvas_scale(frame->canvas),
                                .background = canvas_colour(frame->canvas, 0xffffff) };
    collect_colours(frame);
    *complete = live_raster_update(frame->state->raster, &raster, budget, &status);
    *complete &= tally_update(frame->state->tally, budget);
    if (status == RV_OK) status = screen_traces_update(frame, &traces);
    *complete &= traces;
    if (v->panels & VIEW_SELECTION) {
        selection_update(s->selection, v, passed > 0 ? passed : 1);
        *complete &= !selection_is_late(s->selection, v);
    }
    if (v->panels & VIEW_WEIGHTS) weights_update(s->weights, v);
    count(frame, now);
    s->drawn_at = now;
    return status;
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */

static rv_status draw_column(screen *s, const screen_frame *frame)
{
    const axis_rect *weights = layout_find(frame->layout, LAYOUT_WEIGHTS, 0);
    const axis_rect *selection = layout_find(frame->layout, LAYOUT_SELECTION, 0);
    const axis_rect *camera = layout_find(frame->layout, LAYOUT_CAMERA, 0);
    rv_status        status = RV_OK;
    if (weights) status = weights_draw(s->weights, frame->view, frame->canvas, *weights);
    if (selection && status == RV_OK) status = selection_draw(s->selection, frame->view, frame->canvas, *selection);
    if (camera && status == RV_OK) status = camera_draw(s->camera, frame->view, frame->canvas, *camera);
    return status;
}

static rv_status draw_plots(screen *s, const screen_frame *frame)
{
    live_raster_draw(frame->state->raster, frame->canvas);
    screen_neuron_axis(frame);
    rv_status status = screen_rates(frame);
    if (status == RV_OK) status = screen_neuron_rates(frame);
    if (status == RV_OK) status = screen_traces_draw(frame);
    if (status == RV_OK) status = screen_map(frame);
    screen_time_axis(frame);
    screen_marks(frame);
    return status == RV_OK ? draw_column(s, frame) : status;
}

static rv_status draw(screen *s, const view *v, canvas *c, double budget, bool *complete)
{
    layout       l;
    screen_frame frame = { s->feed, v, &l, c, &s->state };
    rv_status    status = layout_make(v, s->feed, &l);
    *complete = true;
    if (status == RV_OK) status = update(s, &frame, budget, complete);
    if (status == RV_OK) status = draw_plots(s, &frame);
    if (status == RV_OK && !v->paper) {
        screen_toolbar(&frame);
        screen_sidebar(&frame);
        screen_status(&frame);
        screen_overlays(&frame);
    }
    layout_free(&l);
    return status;
}

rv_status screen_draw(screen *s, const view *v, canvas *c, double budget_seconds, bool *complete)
{
    bool whole;
    view shown = *v;
    shown.width = canvas_width(c), shown.height = canvas_height(c), shown.scale = canvas_scale(c);
    canvas_dark(c, v->dark);
    return draw(s, &shown, c, budget_seconds, complete ? complete : &whole);
}

/* The page is drawn with a raster of its own: the window's keeps its resolution and what it has scrolled. */
rv_status screen_save(screen *s, const view *v, const char *path, rv_error *error)
{
    canvas      *c;
    bool         complete;
    live_raster *kept = s->state.raster;
    view         page = *v;
    page.paper = true, page.dark = page.help = page.menu = page.searching = page.drag_band = false;
    page.panels &= ~(unsigned)(VIEW_MAP | VIEW_SIDEBAR);
    page.mouse_x = page.mouse_y = -1;
    page.width = fmax(v->width, LEAST_PAGE_WIDTH), page.height = fmax(v->height, LEAST_PAGE_HEIGHT);
    rv_status status = canvas_open(path, page.width, page.height, PAGE_DPI, &c, error);
    if (status != RV_OK) return status;
    page.scale = canvas_scale(c);
    s->state.raster = live_raster_new(s->feed);
    status = s->state.raster ? draw(s, &page, c, INFINITY, &complete) : RV_OUT_OF_MEMORY;
    live_raster_free(s->state.raster);
    s->state.raster = kept;
    if (status == RV_OK) return canvas_close(c, error);
    canvas_free(c);
    return canvas_fail(error, status, "figure \"%s\": no memory for it", path);
}
