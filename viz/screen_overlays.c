/* What lies over the panels: read-out at the mouse, tool tips, search line, notices, list of panels, help. */
#include "viz/screen_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const canvas_font text_font = { .size = 7, .colour = AXIS_INK };
static const canvas_font faint = { .size = 6.5, .colour = AXIS_FAINT };

/* A sheet of paper with a fine edge. */
static void draw_sheet(const screen_frame *s, axis_rect r)
{
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_PAPER, .alpha = 0.97 }, r.x, r.y, r.width, r.height, 3,
                     true);
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = 0xc4cad2, .width = 0.6 }, r.x, r.y, r.width, r.height, 3,
                     false);
}

/* One line on a sheet beside a point, within the window. */
static void draw_tip(const screen_frame *s, double x, double y, const char *text)
{
    double    width = canvas_text_width(s->canvas, text_font, text) + 10;
    axis_rect r = { .width = width, .height = 13 };
    r.x = fmax(fmin(x + 9, s->view->width - width - 2), 2);
    r.y = y + 12 + r.height < s->view->height ? y + 12 : y - 18;
    draw_sheet(s, r);
    canvas_text(s->canvas, text_font, r.x + 5, r.y + 9.1, text);
}

/* ---- under the mouse ------------------------------------------------------------------------------------------- */

static const char *const button_names[N_BUTTONS] = {
    [BUTTON_PAUSE] = "pause, resume (space)",
    [BUTTON_STEP] = "one step ( . )",
    [BUTTON_EVENT] = "to the next spike ( , )",
    [BUTTON_SLOWER] = "slower ( − )",
    [BUTTON_FASTER] = "faster ( + )",
    [BUTTON_FOLLOW] = "follow: the right edge is now (F)",
    [BUTTON_FIT] = "everything that is kept (A)",
    [BUTTON_BIN_SMALLER] = "shorter bins of the rates ( [ )",
    [BUTTON_BIN_LARGER] = "longer bins of the rates ( ] )",
    [BUTTON_PNG] = "save as PNG (P)",
    [BUTTON_VECTOR] = "save as SVG and PDF (S)",
    [BUTTON_RECORD] = "record frames (V)",
    [BUTTON_THEME] = "dark or light (T)",
    [BUTTON_PANELS] = "panels (L)",
    [BUTTON_SEARCH] = "look up a neuron ( / )",
    [BUTTON_HELP] = "keys and mouse (F1)",
    [BUTTON_CLOSE] = "close the window, the run goes on (Q)",
};

/* As many digits as the screen resolves. */
static int write_time(const screen_frame *s, double t_ms, char *text, size_t room)
{
    double pixel = (s->view->to_ms - s->view->from_ms) / fmax(s->layout->time.to - s->layout->time.from, 1);
    int    decimals = (int)fmin(fmax(-floor(log10(pixel)), 0), 4);
    if (s->layout->time.unit > 1) return snprintf(text, room, "%.*f s", decimals + 3, t_ms / 1000);
    return snprintf(text, room, "%.*f ms", decimals, t_ms);
}

static double trace_value(const screen_frame *s, int slot, axis_rect place, double y)
{
    const screen_trace *trace = &s->state->traces[slot];
    return trace->low + (place.y + place.height - y) / place.height * (trace->high - trace->low);
}

static bool write_place(const screen_frame *s, const layout_item *item, char *text, size_t room)
{
    const view *v = s->view;
    view_neuron n;
    int         length = write_time(s, layout_ms_at(s->layout, v->mouse_x), text, room);
    axis_rect   r = item->rect;
    switch (item->kind) {
    case LAYOUT_RASTER:
        if (!layout_neuron_at(s->layout, s->feed, v->mouse_y, &n)) return true;
        snprintf(text + length, room - (size_t)length, "  ·  %.60s %lld", s->feed->population[n.population].name,
                 (long long)n.neuron + 1);
        return true;
    case LAYOUT_NEURON_RATES:
    case LAYOUT_NEURON_AXIS:
        if (!layout_neuron_at(s->layout, s->feed, v->mouse_y, &n)) return false;
        snprintf(text, room, "%.60s %lld", s->feed->population[n.population].name, (long long)n.neuron + 1);
        return true;
    case LAYOUT_RATE:
        snprintf(text + length, room - (size_t)length, "  ·  %.3g spikes/s",
                 (r.y + r.height - v->mouse_y) / r.height * s->state->rate_high);
        return true;
    case LAYOUT_TRACE:
        n = v->traced[item->index];
        snprintf(text + length, room - (size_t)length, "  ·  %.4g %.16s", trace_value(s, item->index, r, v->mouse_y),
                 s->feed->population[n.population].unit);
        return true;
    case LAYOUT_TIME_AXIS: return true;
    default: return false;
    }
}

static void draw_under_mouse(const screen_frame *s)
{
    const layout_item *item = layout_at(s->layout, s->view->mouse_x, s->view->mouse_y);
    char               text[160];
    if (!item || s->view->mouse_x < 0 || s->view->help || s->view->menu) return;
    if (item->kind == LAYOUT_BUTTON) draw_tip(s, s->view->mouse_x, s->view->mouse_y, button_names[item->index]);
    else if (write_place(s, item, text, sizeof text)) draw_tip(s, s->view->mouse_x, s->view->mouse_y, text);
}

/* ---- search line and notice ------------------------------------------------------------------------------------ */

static void draw_search(const screen_frame *s)
{
    const axis_rect *r = layout_find(s->layout, LAYOUT_SEARCH, 0);
    if (!r) return;
    const view *v = s->view;
    double      x = r->x + 7, y = r->y + r->height / 2 + 0.36 * 8;
    canvas_font font = { .size = 8, .colour = v->search[0] ? AXIS_INK : AXIS_FAINT, .longest = r->width - 14 };
    draw_sheet(s, *r);
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_ACCENT, .width = 0.9 }, r->x, r->y, r->width, r->height,
                     3, false);
    if (v->search[0]) canvas_text(s->canvas, font, x, y, v->search);
    else
        screen_text(s, font, x, y, "neuron: 123, or %s 123",
                    s->feed->n_populations > 0 ? s->feed->population[0].name : "E");
    double end = v->search[0] ? x + canvas_text_width(s->canvas, font, v->search) + 1 : x - 1.5;
    canvas_line(s->canvas, (canvas_pen){ .colour = SCREEN_ACCENT, .width = 0.9 }, end, y - 7.5, end, y + 2);
}

/* What has to be said until it is over, else the notice. */
static const char *message(const screen_frame *s)
{
    if (s->feed->state == FEED_FAILED) return s->feed->message;
    if (s->view->notice[0]) return s->view->notice;
    return s->feed->state == FEED_BUILDING ? "the network is being built" : "";
}

static void draw_notice(const screen_frame *s)
{
    const char *text = message(s);
    axis_rect   plot = s->layout->raster;
    canvas_font font = { .size = 8, .colour = AXIS_INK, .align = CANVAS_CENTRE, .longest = fmax(plot.width - 24, 20) };
    if (!text[0]) return;
    double    width = canvas_text_width(s->canvas, font, text) + 18;
    axis_rect r = {
        .x = plot.x + (plot.width - width) / 2, .y = plot.y + fmax(plot.height - 26, 0), .width = width, .height = 18
    };
    draw_sheet(s, r);
    if (s->feed->state == FEED_FAILED) font.colour = SCREEN_ALARM;
    canvas_text(s->canvas, font, r.x + r.width / 2, r.y + 11.9, text);
}

/* ---- list of panels -------------------------------------------------------------------------------------------- */

static void draw_panel_row(const screen_frame *s, int i, axis_rect r)
{
    const layout_panel *panel = &layout_panels[i];
    bool                open = (s->view->panels & panel->panel) != 0;
    bool                over = s->view->mouse_y >= r.y && s->view->mouse_y < r.y + r.height && s->view->mouse_x >= r.x;
    double              y = r.y + 9.6, px[] = { r.x + 7, r.x + 9, r.x + 12.5 }, py[] = { y - 2.5, y - 0.5, y - 5 };
    canvas_font         key = faint;
    key.align = CANVAS_RIGHT;
    if (over && s->view->mouse_x < r.x + r.width)
        canvas_rectangle(s->canvas, (canvas_pen){ .colour = SCREEN_HOVER }, r.x + 2, r.y + 0.5, r.width - 4,
                         r.height - 1, 2, true);
    if (open) canvas_polyline(s->canvas, (canvas_pen){ .colour = SCREEN_ACCENT, .width = 1.2 }, px, py, 3);
    canvas_text(s->canvas, text_font, r.x + 18, y, panel->name);
    screen_text(s, key, r.x + r.width - 8, y, "%c", panel->key - 'a' + 'A');
}

static void draw_panel_list(const screen_frame *s)
{
    const axis_rect *first = layout_find(s->layout, LAYOUT_PANEL, 0);
    if (!first) return;
    draw_sheet(
        s, (axis_rect){
               .x = first->x, .y = first->y - 3, .width = first->width, .height = first->height * LAYOUT_PANELS + 6 });
    for (int i = 0; i < s->layout->n_items; i++)
        if (s->layout->item[i].kind == LAYOUT_PANEL)
            draw_panel_row(s, s->layout->item[i].index, s->layout->item[i].rect);
}

/* ---- help ------------------------------------------------------------------------------------------------------ */

/* Lines that a row of the list takes: a heading has air above it. */
static double row_lines(int i) { return view_keys[i].keys[0] || i == 0 ? 1 : 1.5; }

static double lines_of(int from, int to)
{
    double lines = 0;
    for (int i = from; i < to; i++) lines += i == from ? 1 : row_lines(i);
    return lines;
}

/* Where the second column begins: the heading that leaves both columns about equally long. */
static int column_break(void)
{
    int    best = n_view_keys;
    double shortest = INFINITY;
    for (int i = 1; i < n_view_keys; i++) {
        double length = fmax(lines_of(0, i), lines_of(i, n_view_keys));
        if (!view_keys[i].keys[0] && length < shortest) best = i, shortest = length;
    }
    return best;
}

static void draw_key_column(const screen_frame *s, int from, int to, double x, double y, double keys_width,
                            double pitch)
{
    canvas_font keys = { .size = 0.62 * pitch, .colour = AXIS_INK, .align = CANVAS_RIGHT, .longest = keys_width };
    canvas_font meaning = { .size = 0.62 * pitch, .colour = 0x5c6670 };
    canvas_font heading = { .size = 0.66 * pitch, .colour = SCREEN_ACCENT, .bold = true };
    for (int i = from; i < to; i++) {
        y += pitch * (i == from ? 1 : row_lines(i));
        bool key = view_keys[i].keys[0] != 0;
        canvas_text(s->canvas, keys, x + keys_width, y, view_keys[i].keys);
        canvas_text(s->canvas, key ? meaning : heading, x + keys_width + 10, y, view_keys[i].meaning);
    }
}

/* In two columns as large as the window allows. */
static void draw_help(const screen_frame *s)
{
    if (!layout_find(s->layout, LAYOUT_HELP, 0)) return;
    const view *v = s->view;
    int         second = column_break();
    double      lines = fmax(lines_of(0, second), lines_of(second, n_view_keys)) + 3.2;
    double      pitch = fmin(fmin(14, (v->height - 16) / lines), (v->width - 16) / 47), column = 23 * pitch;
    axis_rect   r = { .width = 2 * column, .height = lines * pitch };
    r.x = (v->width - r.width) / 2, r.y = (v->height - r.height) / 2;
    canvas_rectangle(s->canvas, (canvas_pen){ .colour = 0xffffff, .alpha = 0.72 }, 0, 0, v->width, v->height, 0, true);
    if (pitch < 2) return;
    draw_sheet(s, r);
    draw_key_column(s, 0, second, r.x + pitch, r.y + 0.6 * pitch, 7.6 * pitch, pitch);
    draw_key_column(s, second, n_view_keys, r.x + column, r.y + 0.6 * pitch, 7.6 * pitch, pitch);
    canvas_font font = { .size = 0.55 * pitch, .colour = AXIS_FAINT, .align = CANVAS_CENTRE };
    canvas_text(s->canvas, font, r.x + r.width / 2, r.y + r.height - 0.7 * pitch, "Esc or a click closes this page");
}

void screen_overlays(const screen_frame *s)
{
    draw_search(s);
    draw_notice(s);
    draw_panel_list(s);
    draw_under_mouse(s);
    draw_help(s);
}
