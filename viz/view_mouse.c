/* The mouse: what a press does is decided by what lies under it; a click is a press and a release at one place. */
#include "viz/view_actions.h"

#include <math.h>
#include <string.h>

static const double WHEEL_ZOOM = 0.85, WHEEL_PAN = 0.1; /* per notch */
static const double TREMBLE = 3;                        /* points a click may move */
static const double HOLD = 6;                           /* points a drag may move sideways before following ends */

static bool shares_time(layout_kind kind)
{
    return kind == LAYOUT_RASTER || kind == LAYOUT_RATE || kind == LAYOUT_TRACE || kind == LAYOUT_TIME_AXIS;
}

static bool shares_neurons(layout_kind kind)
{
    return kind == LAYOUT_RASTER || kind == LAYOUT_NEURON_AXIS || kind == LAYOUT_NEURON_RATES;
}

/* ---- buttons --------------------------------------------------------------------------------------------------- */

/* A button does what its key does. */
static const int button_keys[N_BUTTONS] = {
    [BUTTON_PAUSE] = ' ',      [BUTTON_STEP] = '.',       [BUTTON_EVENT] = ',', [BUTTON_SLOWER] = '-',
    [BUTTON_FASTER] = '+',     [BUTTON_FOLLOW] = 'f',     [BUTTON_FIT] = 'a',   [BUTTON_BIN_SMALLER] = '[',
    [BUTTON_BIN_LARGER] = ']', [BUTTON_PNG] = 'p',        [BUTTON_VECTOR] = 's', [BUTTON_RECORD] = 'v',
    [BUTTON_THEME] = 't',      [BUTTON_PANELS] = 'l',     [BUTTON_SEARCH] = '/', [BUTTON_HELP] = VIEW_KEY_F1,
    [BUTTON_CLOSE] = 'q',
};

static void press_button(view *v, feed *f, layout_button button)
{
    if (v->searching) view_open_search(v, false);
    view_handle_key(v, f, button_keys[button], 0);
}

static void press_population(view *v, const feed *f, int population, unsigned modifiers)
{
    if (!(modifiers & VIEW_CTRL)) view_toggle_population(v, f, population);
    else for (int p = 0; p < f->n_populations; p++) v->visible[p] = p == population;
}

/* ---- dragging -------------------------------------------------------------------------------------------------- */

static void start_drag(view *v, const layout_item *item, const view_event *e)
{
    v->dragging = (int)item->kind, v->drag_index = item->index;
    v->drag_modifiers = e->modifiers;
    v->drag_moved = false;
    v->drag_band = shares_time(item->kind) && (e->button == VIEW_RIGHT || e->modifiers & VIEW_SHIFT);
    v->drag_follow = v->follow;
    v->drag_x = e->x, v->drag_y = e->y;
    v->drag_from_ms = v->from_ms, v->drag_to_ms = v->to_ms;
    v->drag_low = v->low, v->drag_high = v->high;
}

static void drag_time(view *v, const feed *f, const layout *l, double x)
{
    double by = (x - v->drag_x) / (l->time.to - l->time.from) * (v->drag_to_ms - v->drag_from_ms);
    v->follow = v->drag_follow;
    if (v->follow && fabs(x - v->drag_x) < HOLD) view_limit(v, f);
    else view_show(v, f, v->drag_from_ms - by, v->drag_to_ms - by);
}

static void drag_neurons(view *v, const layout *l, double y)
{
    double by = (y - v->drag_y) / l->raster.height * (v->drag_high - v->drag_low);
    v->low = v->drag_low + by, v->high = v->drag_high + by;
}

/* The map shows what screen.c draws there: everything kept, and the view if it reaches beyond. */
static void drag_map(view *v, const feed *f, const layout *l, double x)
{
    double           from, to, span = v->to_ms - v->from_ms;
    const axis_rect *map = layout_find(l, LAYOUT_MAP, 0);
    if (!map) return;
    view_map_span(v, f, &from, &to);
    double at = from + (x - map->x) / map->width * (to - from);
    view_show(v, f, at - span / 2, at + span / 2);
    double first, last;
    view_extent(f, &first, &last);
    if (f->live && at + span / 2 >= last) v->follow = true;
}

static void drag_slider(view *v, feed *f, const layout *l, double x)
{
    double           low, high;
    const axis_rect *r = layout_find(l, LAYOUT_KNOB, v->drag_index);
    if (!r) return;
    view_slider_range(f, v->drag_index, &low, &high);
    view_move_slider(v, f, v->drag_index, low + fmin(fmax((x - r->x) / r->width, 0), 1) * (high - low));
}

static void drag(view *v, feed *f, const layout *l, const view_event *e)
{
    v->drag_moved |= hypot(e->x - v->drag_x, e->y - v->drag_y) > TREMBLE;
    if (v->dragging == LAYOUT_KNOB) drag_slider(v, f, l, e->x);
    else if (v->dragging == LAYOUT_MAP) drag_map(v, f, l, e->x);
    if (v->drag_band || !v->drag_moved) return;
    if (shares_time((layout_kind)v->dragging)) drag_time(v, f, l, e->x);
    if (shares_neurons((layout_kind)v->dragging)) drag_neurons(v, l, e->y);
}

/* ---- press ----------------------------------------------------------------------------------------------------- */

/* The second press of a double click: what the first one did to a trace is taken back. @return false if it is just
 * another press */
static bool double_click(view *v, feed *f, const layout_item *item, const view_event *e)
{
    bool plot = shares_time(item->kind) || shares_neurons(item->kind);
    if (e->clicks < 2 || e->button != VIEW_LEFT) return false;
    if (item->kind == LAYOUT_KNOB && e->modifiers & VIEW_CTRL) {
        view_reset_slider(v, f, item->index);
        return true;
    }
    if (!plot || e->modifiers) return false;
    if (v->undo_slot >= 0) view_set_trace(v, f, v->undo_slot, v->undo_neuron);
    v->undo_slot = -1;
    view_fit(v, f);
    return true;
}

/* @return false if there is nothing to press */
static bool press_control(view *v, feed *f, const layout_item *item, const view_event *e)
{
    bool menu = v->menu;
    v->menu = false;
    switch (item->kind) {
    case LAYOUT_HELP: v->help = false; return true;
    case LAYOUT_BUTTON:
        v->menu = menu && item->index == BUTTON_PANELS; /* a second press closes it */
        press_button(v, f, (layout_button)item->index);
        return true;
    case LAYOUT_PANEL:
        v->menu = true;
        view_handle_key(v, f, layout_panels[item->index].key, 0);
        return true;
    case LAYOUT_POPULATION: press_population(v, f, item->index, e->modifiers); return true;
    case LAYOUT_WEIGHTS:
        if (f->n_learning > 1) view_show_weights(v, f, (v->learning + 1) % f->n_learning);
        return true;
    case LAYOUT_SPEED: view_set_speed(v, f, 1); return true;
    case LAYOUT_SEARCH: return true;
    default: return false;
    }
}

static bool press(view *v, feed *f, const layout *l, const view_event *e)
{
    const layout_item *item = layout_at(l, e->x, e->y);
    if (!item) {
        v->menu = false;
        return true;
    }
    if (e->button == VIEW_LEFT && press_control(v, f, item, e)) return true;
    if (e->button == VIEW_MIDDLE && item->kind != LAYOUT_MAP) return false;
    if (e->button == VIEW_RIGHT && !shares_time(item->kind)) return false;
    if (double_click(v, f, item, e)) return true;
    start_drag(v, item, e);
    if (v->dragging == LAYOUT_KNOB) {
        v->focus = item->index == FEED_KNOBS ? f->n_knobs : item->index;
        if (!(e->modifiers & VIEW_CTRL)) drag_slider(v, f, l, e->x);
        else v->dragging = LAYOUT_NOTHING;
    }
    if (v->dragging == LAYOUT_MAP) drag_map(v, f, l, e->x);
    return true;
}

/* ---- release --------------------------------------------------------------------------------------------------- */

static void click(view *v, feed *f, const layout *l, const view_event *e)
{
    view_neuron n;
    if (v->dragging == LAYOUT_TIME_AXIS && !f->live) v->now_ms = layout_ms_at(l, e->x);
    bool raster = v->dragging == LAYOUT_RASTER || v->dragging == LAYOUT_NEURON_RATES;
    if (!raster || !layout_neuron_at(l, f, e->y, &n)) return;
    if (v->drag_modifiers & VIEW_CTRL) view_poke(v, f, n);
    else if (v->drag_modifiers & VIEW_ALT) view_inject(v, f, n);
    else view_toggle_trace(v, f, n);
}

static bool release(view *v, feed *f, const layout *l, const view_event *e)
{
    if (v->dragging == LAYOUT_NOTHING) return false;
    if (v->drag_band && v->drag_moved)
        view_select(v, f, l, (layout_kind)v->dragging, v->drag_x, v->drag_y, e->x, e->y);
    else if (!v->drag_band && !v->drag_moved) click(v, f, l, e);
    v->dragging = LAYOUT_NOTHING;
    v->drag_band = false;
    return true;
}

/* ---- wheel ----------------------------------------------------------------------------------------------------- */

/* Over the raster, and over what shares its rows or its time. */
static void wheel_plot(view *v, feed *f, const layout *l, layout_kind kind, const view_event *e)
{
    double factor = pow(WHEEL_ZOOM, e->wheel), by = -WHEEL_PAN * e->wheel * (v->to_ms - v->from_ms);
    bool   neurons = shares_neurons(kind) && (!shares_time(kind) || e->modifiers & VIEW_SHIFT);
    if (neurons) view_zoom_stack(v, f, layout_stack_at(l, v, e->y), factor);
    else if (e->modifiers & VIEW_CTRL) view_show(v, f, v->from_ms + by, v->to_ms + by);
    else view_zoom_time(v, f, layout_ms_at(l, e->x), factor);
}

/* A list of n rows in the sidebar scrolls as far as there are rows below those shown. */
static void scroll(const layout *l, layout_kind kind, int n, double notches, int *hidden)
{
    int shown = 0;
    for (int i = 0; i < l->n_items; i++) shown += l->item[i].kind == kind;
    int most = n > shown ? n - shown : 0;
    *hidden = (int)fmin(fmax((*hidden < most ? *hidden : most) - lround(2 * notches), 0), most);
}

static bool wheel(view *v, feed *f, const layout *l, const view_event *e)
{
    const layout_item *item = layout_at(l, e->x, e->y);
    if (!item || !isfinite(e->wheel)) return false;
    view_event one = *e;
    one.wheel = fmin(fmax(e->wheel, -20), 20);
    if (shares_time(item->kind) || shares_neurons(item->kind)) wheel_plot(v, f, l, item->kind, &one);
    else if (item->kind == LAYOUT_MAP) view_zoom_time(v, f, (v->from_ms + v->to_ms) / 2, pow(WHEEL_ZOOM, one.wheel));
    else if (item->kind == LAYOUT_KNOB) scroll(l, LAYOUT_KNOB, layout_sliders(f), one.wheel, &v->scroll_knobs);
    else if (item->kind == LAYOUT_POPULATION || item->kind == LAYOUT_SIDEBAR)
        scroll(l, LAYOUT_POPULATION, f->n_populations, one.wheel, &v->scroll_populations);
    else if (item->kind == LAYOUT_SPEED) view_handle_key(v, f, one.wheel > 0 ? '+' : '-', 0);
    else if (item->kind == LAYOUT_BIN) view_handle_key(v, f, one.wheel > 0 ? ']' : '[', 0);
    else return false;
    return true;
}

bool view_handle_mouse(view *v, feed *f, const view_event *e)
{
    layout l;
    bool   changed = false;
    if (e->kind == VIEW_LEAVE || !axis_usable(e->x) || !axis_usable(e->y)) {
        v->mouse_x = v->mouse_y = -1;
        return true;
    }
    v->mouse_x = e->x, v->mouse_y = e->y;
    if (layout_make(v, f, &l) == RV_OK) {
        if (e->kind == VIEW_PRESS) changed = press(v, f, &l, e);
        else if (e->kind == VIEW_RELEASE) changed = release(v, f, &l, e);
        else if (e->kind == VIEW_WHEEL) changed = wheel(v, f, &l, e);
        else if (e->kind == VIEW_MOTION && v->dragging) drag(v, f, &l, e);
    }
    layout_free(&l);
    return changed || e->kind == VIEW_MOTION;
}
