/* Toolbar, sidebar and status line. */
#include "viz/screen_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const canvas_font small = { .size = 7, .colour = AXIS_INK };
static const canvas_font faint = { .size = 6.5, .colour = AXIS_FAINT };

static bool under_mouse(const screen_frame *s, axis_rect r)
{
    double x = s->view->mouse_x, y = s->view->mouse_y;
    return x >= r.x && x < r.x + r.width && y >= r.y && y < r.y + r.height;
}

static void rule(const screen_frame *s, double x0, double y0, double x1, double y1)
{
    canvas_line(s->canvas, (canvas_pen){ .colour = SCREEN_RULE, .width = AXIS_LINE }, x0, y0, x1, y1);
}

/* ---- icons: lines on a grid of 12 x 12, broken where a point has no number ------------------------------------- */

#define BREAK { NAN, NAN }
enum { MOST_POINTS = 24 };

typedef struct icon {
    int    n;
    double at[MOST_POINTS][2];
} icon;

static const icon pause_icon = { 5, { { 4, 2.5 }, { 4, 9.5 }, BREAK, { 8, 2.5 }, { 8, 9.5 } } };
static const icon play_icon = { 4, { { 3.5, 2 }, { 10, 6 }, { 3.5, 10 }, { 3.5, 2 } } };
static const icon icons[N_BUTTONS] = {
    [BUTTON_STEP] = { 7, { { 2, 2.5 }, { 7.5, 6 }, { 2, 9.5 }, { 2, 2.5 }, BREAK, { 10, 2.5 }, { 10, 9.5 } } },
    [BUTTON_EVENT] = { 6, { { 0.5, 8 }, { 4, 8 }, { 5.5, 1.5 }, { 7, 10.5 }, { 8, 8 }, { 11.5, 8 } } },
    [BUTTON_SLOWER] = { 2, { { 3, 6 }, { 9, 6 } } },
    [BUTTON_FASTER] = { 5, { { 3, 6 }, { 9, 6 }, BREAK, { 6, 3 }, { 6, 9 } } },
    [BUTTON_FOLLOW] = { 9, { { 1, 6 }, { 7.5, 6 }, BREAK, { 4.5, 3 }, { 7.5, 6 }, { 4.5, 9 }, BREAK, { 10.5, 1.5 },
                             { 10.5, 10.5 } } },
    [BUTTON_FIT] = { 15, { { 1, 4 }, { 1, 1.5 }, { 3.5, 1.5 }, BREAK, { 8.5, 1.5 }, { 11, 1.5 }, { 11, 4 }, BREAK,
                           { 11, 8 }, { 11, 10.5 }, { 8.5, 10.5 }, BREAK, { 3.5, 10.5 }, { 1, 10.5 }, { 1, 8 } } },
    [BUTTON_BIN_SMALLER] = { 12, { { 1, 10 }, { 1, 7 }, { 3, 7 }, { 3, 3 }, { 5, 3 }, { 5, 5.5 }, { 7, 5.5 },
                                   { 7, 2 }, { 9, 2 }, { 9, 6 }, { 11, 6 }, { 11, 10 } } },
    [BUTTON_BIN_LARGER] = { 8, { { 1, 10 }, { 1, 6.5 }, { 4.3, 6.5 }, { 4.3, 3 }, { 7.6, 3 }, { 7.6, 5 }, { 11, 5 },
                                 { 11, 10 } } },
    [BUTTON_PNG] = { 11, { { 1, 2 }, { 11, 2 }, { 11, 10 }, { 1, 10 }, { 1, 2 }, BREAK, { 1.5, 9.5 }, { 4.5, 5.5 },
                           { 7, 8.2 }, { 8.5, 6.5 }, { 10.7, 9.5 } } },
    [BUTTON_VECTOR] = { 17, { { 2, 9 }, { 2.4, 6.6 }, { 3.7, 4.5 }, { 6, 3 }, { 9, 2 }, BREAK, { 1, 9 }, { 3, 9 },
                              { 3, 11 }, { 1, 11 }, { 1, 9 }, BREAK, { 9, 1 }, { 11, 1 }, { 11, 3 }, { 9, 3 },
                              { 9, 1 } } },
    [BUTTON_PANELS] = { 11, { { 1, 2 }, { 11, 2 }, { 11, 10 }, { 1, 10 }, { 1, 2 }, BREAK, { 4.5, 2 }, { 4.5, 10 },
                              BREAK, { 4.5, 6.5 }, { 11, 6.5 } } },
    [BUTTON_SEARCH] = { 2, { { 7.8, 7.8 }, { 11, 11 } } },
    [BUTTON_CLOSE] = { 5, { { 2.5, 2.5 }, { 9.5, 9.5 }, BREAK, { 9.5, 2.5 }, { 2.5, 9.5 } } },
};

static const double ICON = 11; /* points */

static void draw_icon(const screen_frame *s, const icon *i, double x, double y, uint32_t colour)
{
    double px[MOST_POINTS], py[MOST_POINTS];
    for (int k = 0; k < i->n; k++) px[k] = x + i->at[k][0] * ICON / 12, py[k] = y + i->at[k][1] * ICON / 12;
    canvas_polyline(s->canvas, (canvas_pen){ .colour = colour, .width = i == &pause_icon ? 1.5 : 0.95 }, px, py, i->n);
}

static void draw_circle(const screen_frame *s, double x, double y, double r, uint32_t colour, bool filled)
{
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = colour, .width = 0.95 }, x - r, y - r, 2 * r, 2 * r, r, filled);
}

static void draw_theme_icon(const screen_frame *s, double x, double y, uint32_t colour)
{
    double px[13], py[13];
    for (int k = 0; k < 13; k++) px[k] = x + 4.2 * sin(k * acos(-1) / 12), py[k] = y - 4.2 * cos(k * acos(-1) / 12);
    draw_circle(s, x, y, 4.2, colour, false);
    canvas_polygon(s->canvas, (canvas_pen){ .colour = colour }, px, py, 13);
}

/* ---- toolbar --------------------------------------------------------------------------------------------------- */

static bool is_on(const screen_frame *s, layout_button button)
{
    const view *v = s->view;
    return (button == BUTTON_FOLLOW && v->follow) || (button == BUTTON_RECORD && v->recording) ||
           (button == BUTTON_PANELS && v->menu) || (button == BUTTON_SEARCH && v->searching) ||
           (button == BUTTON_HELP && v->help) || (button == BUTTON_EVENT && v->events);
}

static void draw_button(const screen_frame *s, layout_button button, axis_rect r)
{
    double   x = r.x + r.width / 2, y = r.y + r.height / 2;
    bool     on = is_on(s, button);
    uint32_t colour = on ? SCREEN_ACCENT : AXIS_INK;
    if (under_mouse(s, r) || on)
        canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_HOVER }, r.x + 0.5, r.y + 0.5, r.width - 1,
                         r.height - 1, 3, true);
    const icon *lines = button == BUTTON_PAUSE ? (s->view->paused ? &play_icon : &pause_icon) : &icons[button];
    if (lines->n > 0) draw_icon(s, lines, x - ICON / 2, y - ICON / 2, colour);
    if (button == BUTTON_SEARCH) draw_circle(s, x - 1, y - 1, 3.2, colour, false);
    if (button == BUTTON_RECORD) draw_circle(s, x, y, 4.2, on ? SCREEN_ALARM : AXIS_INK, false);
    if (button == BUTTON_RECORD) draw_circle(s, x, y, 2.2, on ? SCREEN_ALARM : AXIS_INK, true);
    if (button == BUTTON_THEME) draw_theme_icon(s, x, y, colour);
    canvas_font font = { .size = 9, .colour = colour, .align = CANVAS_CENTRE };
    if (button == BUTTON_HELP) canvas_text(s->canvas, font, x, y + 0.36 * font.size, "?");
}

static void write_speed(double speed, char text[32])
{
    if (!(speed < 1e9)) snprintf(text, 32, "× ∞");
    else if (speed >= 1 || speed <= 0) snprintf(text, 32, "× %.3g", speed);
    else snprintf(text, 32, "× 1/%.3g", 1 / speed);
}

static void draw_number(const screen_frame *s, const layout_item *item)
{
    canvas_font font = small;
    char        text[32];
    double      bin = s->view->bin_ms;
    font.align = CANVAS_CENTRE, font.longest = item->rect.width;
    if (item->kind == LAYOUT_SPEED) write_speed(s->view->speed, text);
    else snprintf(text, sizeof text, bin < 1000 ? "%.4g ms" : "%.4g s", bin < 1000 ? bin : bin / 1000);
    canvas_text(s->canvas, font, item->rect.x + item->rect.width / 2,
                item->rect.y + item->rect.height / 2 + 0.36 * font.size, text);
}

/* The name of what is shown, in the middle between the buttons at the left and those at the right. */
static void draw_title(const screen_frame *s)
{
    const axis_rect *left = layout_find(s->layout, LAYOUT_BUTTON, BUTTON_BIN_LARGER);
    const axis_rect *right = layout_find(s->layout, LAYOUT_BUTTON, BUTTON_PNG);
    if (!left || !right || right->x - left->x - left->width < 60) return;
    double      from = left->x + left->width + 10, to = right->x - 10;
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_FAINT, .align = CANVAS_CENTRE, .longest = to - from };
    canvas_text(s->canvas, font, (from + to) / 2, left->y + left->height / 2 + 0.36 * font.size, s->feed->title);
}

void screen_toolbar(const screen_frame *s)
{
    const axis_rect *bar = layout_find(s->layout, LAYOUT_TOOLBAR, 0);
    if (!bar) return;
    rule(s, 0, bar->height, bar->width, bar->height);
    for (int i = 0; i < s->layout->n_items; i++) {
        const layout_item *item = &s->layout->item[i];
        if (item->kind == LAYOUT_BUTTON) draw_button(s, (layout_button)item->index, item->rect);
        if (item->kind == LAYOUT_SPEED || item->kind == LAYOUT_BIN) draw_number(s, item);
    }
    draw_title(s);
}

/* ---- sidebar --------------------------------------------------------------------------------------------------- */

static const double SIZE_COLUMN = 46, RATE_COLUMN = 10; /* points from the right edge to the numbers' ends */

static void draw_check_box(const screen_frame *s, double x, double y, uint32_t colour, bool checked)
{
    double px[] = { x + 1.8, x + 3.3, x + 6 }, py[] = { y + 4, y + 5.6, y + 2.2 };
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = checked ? colour : AXIS_FAINT, .width = 0.8 }, x, y, 7.6, 7.6,
                     1.6, checked);
    if (checked) canvas_polyline(s->canvas, (canvas_pen){ .colour = 0xffffff, .width = 1.1 }, px, py, 3);
}

static void draw_population(const screen_frame *s, int p, axis_rect r)
{
    const feed_population *population = &s->feed->population[p];
    bool                   visible = s->view->visible[p], focused = s->view->focus == layout_sliders(s->feed) + p;
    double                 baseline = r.y + r.height / 2 + 0.36 * small.size, right = r.x + r.width;
    char                   size[AXIS_NUMBER_BYTES];
    canvas_font name = { .size = 7.5, .colour = visible ? AXIS_INK : AXIS_FAINT, .longest = r.width - 24 - 76 };
    canvas_font            number = { .size = 7, .colour = AXIS_FAINT, .align = CANVAS_RIGHT };
    if (under_mouse(s, r) || focused)
        canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_HOVER }, r.x + 3, r.y, r.width - 6, r.height, 3,
                         true);
    draw_check_box(s, r.x + 8, r.y + r.height / 2 - 3.8, view_colour(s->feed, p), visible);
    canvas_text(s->canvas, name, r.x + 21, baseline, population->name);
    axis_write_count(population->size, size);
    canvas_text(s->canvas, number, right - SIZE_COLUMN, baseline, size);
    number.colour = visible ? AXIS_INK : AXIS_FAINT;
    double rate = s->state->present[p];
    if (isfinite(rate)) screen_text(s, number, right - RATE_COLUMN, baseline, "%.*f", rate < 99.95 ? 1 : 0, rate);
    else screen_text(s, number, right - RATE_COLUMN, baseline, "–");
}

static void write_value(double value, char text[AXIS_NUMBER_BYTES])
{
    if (fabs(value) >= 9999.5 && fabs(value) < 1e8) axis_write_count((int64_t)round(value), text);
    else snprintf(text, AXIS_NUMBER_BYTES, "%.4g", value);
}

static void draw_slider(const screen_frame *s, int slider, axis_rect r)
{
    char   text[AXIS_NUMBER_BYTES];
    double low, high, value = view_slider(s->view, slider);
    bool   focused = s->view->focus >= 0 && s->view->focus < layout_sliders(s->feed) &&
                   layout_slider(s->feed, s->view->focus) == slider;
    canvas_font name = { .size = 7, .colour = AXIS_INK, .longest = r.width - 40 }, number = small;
    view_slider_range(s->feed, slider, &low, &high);
    double part = high > low ? fmin(fmax((value - low) / (high - low), 0), 1) : 0;
    double y = r.y + 15.5, x = r.x + part * r.width,
           zero = r.x + (low < 0 && high > 0 ? -low / (high - low) : 0) * r.width;
    number.align = CANVAS_RIGHT;
    canvas_text(s->canvas, name, r.x, r.y + 8.5,
                slider == FEED_KNOBS ? "Alt-click injects (pA)" : s->feed->knob[slider].label);
    write_value(value, text);
    canvas_text(s->canvas, number, r.x + r.width, r.y + 8.5, text);
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_RULE }, r.x, y - 1.2, r.width, 2.4, 1.2, true);
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_ACCENT }, fmin(x, zero), y - 1.2, fabs(x - zero), 2.4,
                     1.2, true);
    if (focused || under_mouse(s, r)) draw_circle(s, x, y, 5.2, SCREEN_HOVER, true);
    draw_circle(s, x, y, 3.4, SCREEN_ACCENT, true);
    if (focused) draw_circle(s, x, y, 5.2, SCREEN_ACCENT, false);
}

static void draw_headings(const screen_frame *s, axis_rect bar)
{
    const axis_rect *slider = NULL;
    double           baseline = bar.y + 12.5, right = bar.x + bar.width;
    canvas_font      number = faint;
    number.align = CANVAS_RIGHT;
    canvas_text(s->canvas, faint, bar.x + 8, baseline, "population");
    canvas_text(s->canvas, number, right - SIZE_COLUMN, baseline, "neurons");
    canvas_text(s->canvas, number, right - RATE_COLUMN + 4, baseline, "spikes/s");
    for (int i = 0; i < s->layout->n_items && !slider; i++)
        if (s->layout->item[i].kind == LAYOUT_KNOB) slider = &s->layout->item[i].rect;
    if (!slider) return;
    rule(s, bar.x + 8, slider->y - 15, right - 8, slider->y - 15);
    canvas_text(s->canvas, faint, bar.x + 8, slider->y - 4, s->feed->n_knobs > 0 ? "knobs" : "current");
}

void screen_sidebar(const screen_frame *s)
{
    const axis_rect *bar = layout_find(s->layout, LAYOUT_SIDEBAR, 0);
    if (!bar) return;
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_PAPER }, bar->x, bar->y + 0.5, bar->width, bar->height,
                     0, true);
    rule(s, bar->width, bar->y, bar->width, bar->y + bar->height);
    draw_headings(s, *bar);
    for (int i = 0; i < s->layout->n_items; i++) {
        const layout_item *item = &s->layout->item[i];
        if (item->kind == LAYOUT_POPULATION) draw_population(s, item->index, item->rect);
        if (item->kind == LAYOUT_KNOB) draw_slider(s, item->index, item->rect);
    }
}

/* ---- status line ----------------------------------------------------------------------------------------------- */

static const char *state_name(const screen_frame *s, uint32_t *colour)
{
    *colour = AXIS_FAINT;
    switch ((feed_state)s->feed->state) {
    case FEED_BUILDING: return "building";
    case FEED_ENDED: return "ended";
    case FEED_FAILED: *colour = SCREEN_ALARM; return "failed";
    case FEED_STORED: return s->view->paused ? "paused" : "playing";
    case FEED_GROWING: return "growing";
    default: break;
    }
    if (s->view->paused) return s->view->sought >= 0 ? "seeking a spike" : "paused";
    *colour = 0x009e73;
    return "running";
}

static void write_time(const feed *f, double t_ms, char text[64])
{
    if (f->exact && fabs(t_ms) < 1e5) snprintf(text, 64, "t = %.4f ms", t_ms);
    else if (fabs(t_ms) < 1e4) snprintf(text, 64, "t = %.1f ms", t_ms);
    else snprintf(text, 64, "t = %.3f s", t_ms / 1000);
}

/* Each number has a place of its own, so that none moves when another one changes its length. @return the next place */
static double status_number(const screen_frame *s, double x, double width, double y, const char *text, const char *unit)
{
    canvas_font number = small, name = faint;
    number.longest = fmax(width - canvas_text_width(s->canvas, faint, unit) - 8, 12);
    if (x + width > s->view->width - 4) return INFINITY;
    double at = x + canvas_text_width(s->canvas, number, text);
    canvas_text(s->canvas, number, x, y, text);
    canvas_text(s->canvas, name, at + 3, y, unit);
    return x + width;
}

/* What goes on per second of wall time. @return the next place */
static double write_pace(const screen_frame *s, double x, double y)
{
    const view *v = s->view;
    char        text[64], large[32], wanted[32], unit[64];
    snprintf(text, sizeof text, "× %.3g", v->measured_speed);
    write_speed(v->speed, wanted);
    snprintf(unit, sizeof unit, "real time, wanted %s", wanted);
    x = status_number(s, x, 142, y, text, unit);
    screen_write_large(s->state->spikes_per_second, large);
    if (s->feed->live) x = status_number(s, x, 78, y, large, "spikes/s");
    screen_write_large(s->state->events_per_second, large);
    if (s->feed->live) x = status_number(s, x, 78, y, large, "events/s");
    return x;
}

static double write_memory(const screen_frame *s, double x, double y)
{
    char   text[32];
    double megabytes = (double)s->feed->n_bytes / 1e6;
    bool   giga = megabytes >= 10000;
    if (megabytes < 10) snprintf(text, sizeof text, "%.1f", megabytes);
    else screen_write_large(giga ? megabytes / 1000 : megabytes, text);
    return status_number(s, x, 54, y, text, giga ? "GB" : "MB");
}

/* A film has no wall time. */
static void write_figures(const screen_frame *s, double x, double y)
{
    const view *v = s->view;
    const feed *f = s->feed;
    char        text[64];
    write_time(f, v->now_ms, text);
    x = status_number(s, x, 92, y, text, "");
    if (!v->film) x = write_pace(s, x, y);
    screen_write_large((double)f->n_spikes, text);
    if (v->film || !f->live) x = status_number(s, x, 78, y, text, "spikes");
    screen_write_large((double)f->n_pending, text);
    if (f->live) x = status_number(s, x, 74, y, text, "pending");
    if (f->live) x = write_memory(s, x, y);
    if (v->film) return;
    snprintf(text, sizeof text, "%.0f", v->frames_per_second);
    x = status_number(s, x, 60, y, text, "frames/s");
    snprintf(text, sizeof text, "%lld", (long long)v->dropped_frames);
    status_number(s, x, 86, y, text, "frames dropped");
}

void screen_status(const screen_frame *s)
{
    const axis_rect *bar = layout_find(s->layout, LAYOUT_STATUS, 0);
    uint32_t         colour;
    if (!bar) return;
    const char *state = state_name(s, &colour);
    double      y = bar->y + bar->height / 2 + 0.36 * small.size;
    rule(s, 0, bar->y, bar->width, bar->y);
    draw_circle(s, 11, bar->y + bar->height / 2, 2.6, colour, true);
    canvas_text(s->canvas, small, 18, y, state);
    write_figures(s, 84, y);
}
