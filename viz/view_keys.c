/* Keys: one line each. The list behind the help page is at the end, beside the mouse's part of it. */
#include "viz/view_actions.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PAN = 0.1, ZOOM = 0.8; /* parts of the span per key */
static const double SHORTEST_BIN_MS = 0.01, LONGEST_BIN_MS = 10000;
static const double SLIDER_STEP = 0.02;
static const double INJECT_UNKNOWN_PA = 200;

typedef void (*action)(view *v, feed *f);

/* ---- time ------------------------------------------------------------------------------------------------------ */

static const double speeds[] = { 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, INFINITY };
enum { SPEEDS = sizeof speeds / sizeof *speeds };

void view_set_speed(view *v, feed *f, double speed)
{
    v->speed = speed;
    f->speed = speed;
}

static void faster(view *v, feed *f)
{
    int i = 0;
    while (i < SPEEDS - 1 && speeds[i] <= v->speed * (1 + 1e-9)) i++;
    view_set_speed(v, f, speeds[i]);
}

static void slower(view *v, feed *f)
{
    int i = SPEEDS - 1;
    while (i > 0 && speeds[i] >= v->speed * (1 - 1e-9)) i--;
    view_set_speed(v, f, speeds[i]);
}

static void follow(view *v, feed *f)
{
    (void)f;
    v->follow = true;
    v->events = false;
    v->sought = -1;
}

static void to_beginning(view *v, feed *f)
{
    double first, last;
    view_extent(f, &first, &last);
    view_show(v, f, first, first + v->to_ms - v->from_ms);
}

static void pan_time(view *v, feed *f, double parts)
{
    double by = parts * (v->to_ms - v->from_ms);
    view_show(v, f, v->from_ms + by, v->to_ms + by);
}

static void pan_stack(view *v, double parts)
{
    double by = parts * (v->high - v->low);
    v->low += by, v->high += by;
}

static void zoom_in(view *v, feed *f) { view_zoom_time(v, f, (v->from_ms + v->to_ms) / 2, ZOOM); }
static void zoom_out(view *v, feed *f) { view_zoom_time(v, f, (v->from_ms + v->to_ms) / 2, 1 / ZOOM); }
static void zoom_neurons_in(view *v, feed *f) { view_zoom_stack(v, f, (v->low + v->high) / 2, ZOOM); }
static void zoom_neurons_out(view *v, feed *f) { view_zoom_stack(v, f, (v->low + v->high) / 2, 1 / ZOOM); }

/* 1-2-5; on a time grid a bin is no shorter than a step. */
static void set_bin(view *v, const feed *f, double bin_ms)
{
    double shortest = fmax(f->exact ? 0 : f->resolution_ms, SHORTEST_BIN_MS);
    v->bin_ms = fmin(fmax(axis_nice_step(bin_ms, 1), shortest), LONGEST_BIN_MS);
}

static void shorter_bins(view *v, feed *f) { set_bin(v, f, v->bin_ms / 2.6); }
static void longer_bins(view *v, feed *f) { set_bin(v, f, v->bin_ms * 1.5); }

/* ---- what is seen ---------------------------------------------------------------------------------------------- */

void view_toggle_population(view *v, const feed *f, int population)
{
    if (population < f->n_populations) v->visible[population] = !v->visible[population];
}

static void show_all_populations(view *v, feed *f)
{
    memset(v->visible, true, (size_t)f->n_populations);
}

static void toggle_rates(view *v, feed *f) { (void)f, v->panels ^= VIEW_RATE; }
static void toggle_neuron_rates(view *v, feed *f) { (void)f, v->panels ^= VIEW_NEURON_RATES; }
static void toggle_selection(view *v, feed *f) { (void)f, v->panels ^= VIEW_SELECTION; }
static void toggle_map(view *v, feed *f) { (void)f, v->panels ^= VIEW_MAP; }
static void toggle_sidebar(view *v, feed *f) { (void)f, v->panels ^= VIEW_SIDEBAR; }
static void toggle_theme(view *v, feed *f) { (void)f, v->dark = !v->dark; }
static void toggle_help(view *v, feed *f) { (void)f, v->help = !v->help, v->menu = false; }
static void toggle_menu(view *v, feed *f) { (void)f, v->menu = !v->menu; }

static void toggle_camera(view *v, feed *f)
{
    bool camera = false;
    for (int p = 0; p < f->n_populations; p++) camera |= f->population[p].columns > 0;
    if (camera) v->panels ^= VIEW_CAMERA;
    else view_note(v, "no population is a camera");
}

void view_show_weights(view *v, feed *f, int learning)
{
    v->learning = learning < 0 ? 0 : learning;
    v->panels = learning < 0 ? v->panels & ~(unsigned)VIEW_WEIGHTS : v->panels | VIEW_WEIGHTS;
    if (!feed_send(f, (feed_command){ .kind = FEED_WEIGHTS, .index = learning }))
        view_note(v, "the simulation is busy and did not take that");
}

/* Off, then one projection that learns after the other. */
static void cycle_weights(view *v, feed *f)
{
    int next = v->panels & VIEW_WEIGHTS ? v->learning + 1 : 0;
    if (f->n_learning == 0) view_note(v, "no projection learns");
    else view_show_weights(v, f, next < f->n_learning ? next : -1);
}

/* Closes what lies on top, then lets go of what is selected. */
static void escape(view *v, feed *f)
{
    (void)f;
    if (v->help) v->help = false;
    else if (v->menu) v->menu = false;
    else if (v->drag_band) v->drag_band = false, v->dragging = LAYOUT_NOTHING;
    else if (v->focus >= 0) v->focus = -1;
    else if (v->selection.there) v->selection.there = false;
    else v->last_clicked.population = -1;
}

/* ---- wishes ---------------------------------------------------------------------------------------------------- */

static void save_png(view *v, feed *f) { (void)f, v->wishes |= VIEW_WISH_PNG; }
static void save_vector(view *v, feed *f) { (void)f, v->wishes |= VIEW_WISH_VECTOR; }
static void close_window(view *v, feed *f) { (void)f, v->wishes |= VIEW_WISH_CLOSE; }
static void end_run(view *v, feed *f) { (void)f, v->wishes |= VIEW_WISH_CLOSE | VIEW_WISH_END; }

static void toggle_recording(view *v, feed *f)
{
    (void)f;
    v->recording = !v->recording;
    view_note(v, v->recording ? "frames are recorded" : "no more frames are recorded");
}

/* ---- sliders and focus ----------------------------------------------------------------------------------------- */

double view_slider(const view *v, int slider) { return slider == FEED_KNOBS ? v->inject_pA : v->knob[slider]; }

void view_slider_range(const feed *f, int slider, double *low, double *high)
{
    double usual = fabs(axis_usable(f->inject_pA) ? f->inject_pA : 0);
    *high = slider == FEED_KNOBS ? 5 * (usual > 0 ? usual : INJECT_UNKNOWN_PA) : f->knob[slider].high;
    *low = slider == FEED_KNOBS ? -*high : f->knob[slider].low;
}

void view_move_slider(view *v, feed *f, int slider, double value)
{
    double low, high;
    view_slider_range(f, slider, &low, &high);
    value = fmin(fmax(value, low), high);
    if (slider == FEED_KNOBS) v->inject_pA = value;
    else v->knob[slider] = value;
    view_send_knobs(v, f);
}

void view_reset_slider(view *v, feed *f, int slider)
{
    view_move_slider(v, f, slider, slider == FEED_KNOBS ? f->inject_pA : v->knob_start[slider]);
}

/* What the simulation had no room for is sent with the next frame. */
void view_send_knobs(view *v, feed *f)
{
    for (int k = 0; k < f->n_knobs; k++)
        if (v->knob[k] != v->knob_sent[k] &&
            feed_send(f, (feed_command){ .kind = FEED_KNOB, .index = k, .value = v->knob[k] }))
            v->knob_sent[k] = v->knob[k];
}

static void move_focus(view *v, const feed *f, int by)
{
    int n = layout_sliders(f) + f->n_populations;
    v->focus = n == 0 ? -1 : v->focus < 0 ? (by > 0 ? 0 : n - 1) : v->focus + by;
    if (v->focus >= n) v->focus = -1;
    if (!(v->panels & VIEW_SIDEBAR)) v->panels |= VIEW_SIDEBAR;
    if (v->focus < 0) return;
    if (v->focus < layout_sliders(f)) v->scroll_knobs = v->focus > 3 ? v->focus - 3 : 0;
    else v->scroll_populations = (int)fmax(v->focus - layout_sliders(f) - 7, 0);
}

/* @return false if the focus is not on a slider */
static bool move_focused_slider(view *v, feed *f, double steps)
{
    double low, high;
    if (v->focus < 0 || v->focus >= layout_sliders(f)) return false;
    int slider = layout_slider(f, v->focus);
    view_slider_range(f, slider, &low, &high);
    view_move_slider(v, f, slider, view_slider(v, slider) + steps * SLIDER_STEP * (high - low));
    return true;
}

/* ---- the search line ------------------------------------------------------------------------------------------- */

void view_open_search(view *v, bool open)
{
    v->searching = open;
    v->search[0] = 0;
}

static void open_search(view *v, feed *f) { (void)f, view_open_search(v, true); }

static bool search_key(view *v, feed *f, int key)
{
    size_t n = strlen(v->search);
    if (key == VIEW_KEY_ESCAPE) view_open_search(v, false);
    else if (key == VIEW_KEY_RETURN) {
        if (n > 0) view_find(v, f, v->search);
        view_open_search(v, false);
    } else if (key == VIEW_KEY_BACKSPACE && n > 0) {
        while (n > 1 && (v->search[n - 1] & 0xc0) == 0x80) n--; /* a whole character of UTF-8 */
        v->search[n - 1] = 0;
    } else return false;
    return true;
}

/* The stroke that opens the line comes as a key and as a text. */
bool view_handle_text(view *v, const char *text)
{
    size_t n = strlen(v->search), more = strnlen(text, sizeof((view_event *)0)->text);
    if (!v->searching || more == 0 || (n == 0 && text[0] == '/') || iscntrl((unsigned char)text[0])) return false;
    if (n + more >= sizeof v->search) return false;
    memcpy(v->search + n, text, more);
    v->search[n + more] = 0;
    return true;
}

/* ---- from keys to actions -------------------------------------------------------------------------------------- */

static const struct { int key; action act; } actions[] = {
    { ' ', view_toggle_pause }, { '.', view_step },         { ',', view_next_event },
    { '+', faster },            { '=', faster },            { '-', slower },          { '_', slower },
    { 'f', follow },            { VIEW_KEY_END, follow },   { VIEW_KEY_HOME, to_beginning },
    { 'a', view_fit },          { '[', shorter_bins },      { ']', longer_bins },
    { VIEW_KEY_RETURN, view_zoom_into_selection },          { 'z', view_zoom_into_selection },
    { VIEW_KEY_ESCAPE, escape }, { '/', open_search },      { '0', show_all_populations },
    { 'r', toggle_rates },      { 'n', toggle_neuron_rates }, { 'w', cycle_weights }, { 'i', toggle_selection },
    { 'c', toggle_camera },     { 'm', toggle_map },        { 'b', toggle_sidebar },  { 't', toggle_theme },
    { 'l', toggle_menu },       { 'p', save_png },          { 's', save_vector },     { 'v', toggle_recording },
    { '?', toggle_help },       { VIEW_KEY_F1, toggle_help }, { 'q', close_window },
};

/* With Shift: the neurons' part of what the key does to time, or the second meaning. */
static bool shifted(view *v, feed *f, int key)
{
    switch (key) {
    case '/': toggle_help(v, f); return true;
    case 'q': end_run(v, f); return true;
    case VIEW_KEY_TAB: move_focus(v, f, -1); return true;
    case VIEW_KEY_PAGE_UP: zoom_neurons_in(v, f); return true;
    case VIEW_KEY_PAGE_DOWN: zoom_neurons_out(v, f); return true;
    case VIEW_KEY_LEFT: return move_focused_slider(v, f, -0.1);
    case VIEW_KEY_RIGHT: return move_focused_slider(v, f, 0.1);
    default: return false;
    }
}

static bool moved(view *v, feed *f, int key)
{
    switch (key) {
    case VIEW_KEY_TAB: move_focus(v, f, 1); return true;
    case VIEW_KEY_LEFT: if (!move_focused_slider(v, f, -1)) pan_time(v, f, -PAN); return true;
    case VIEW_KEY_RIGHT: if (!move_focused_slider(v, f, 1)) pan_time(v, f, PAN); return true;
    case VIEW_KEY_UP: pan_stack(v, PAN); return true;
    case VIEW_KEY_DOWN: pan_stack(v, -PAN); return true;
    case VIEW_KEY_PAGE_UP: zoom_in(v, f); return true;
    case VIEW_KEY_PAGE_DOWN: zoom_out(v, f); return true;
    case VIEW_KEY_BACKSPACE:
        if (v->focus >= 0 && v->focus < layout_sliders(f)) view_reset_slider(v, f, layout_slider(f, v->focus));
        return true;
    default: return false;
    }
}

bool view_handle_key(view *v, feed *f, int key, unsigned modifiers)
{
    int population = v->focus - layout_sliders(f);
    if (v->searching) return search_key(v, f, key);
    if (modifiers & VIEW_ALT) return false;
    if (modifiers & VIEW_SHIFT && shifted(v, f, key)) return true;
    if (key >= '0' && key <= '9' && modifiers & VIEW_SHIFT) return false; /* a sign of some keyboard */
    if (key == VIEW_KEY_RETURN && v->focus >= 0 && population >= 0) {
        view_toggle_population(v, f, population);
        return true;
    }
    if (key >= '1' && key <= '9') {
        view_toggle_population(v, f, key - '1');
        return true;
    }
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (actions[i].key == key) {
            actions[i].act(v, f);
            return true;
        }
    return moved(v, f, key);
}

/* ---- the list -------------------------------------------------------------------------------------------------- */

const view_key view_keys[] = {
    { "", "Time" },
    { "space", "pause, resume" },
    { ".", "one step" },
    { ",", "to the next spike" },
    { "+  −", "faster, slower" },
    { "F  End", "follow: the right edge is now" },
    { "Home", "to the beginning" },
    { "A", "everything that is kept" },
    { "", "Move and zoom" },
    { "← →  ↑ ↓", "move in time, over neurons" },
    { "PgUp PgDn", "zoom time; with Shift: neurons" },
    { "Return  Z", "zoom into the selection" },
    { "Esc", "close, forget the selection" },
    { "/", "look up a neuron: 123, E 123" },
    { "", "Panels" },
    { "1 – 9  0", "a population, all of them" },
    { "R  N", "rates, rates of single neurons" },
    { "[  ]", "bins of the rates" },
    { "W", "weights: each projection that learns, off" },
    { "I", "statistics of the selection" },
    { "C  M  B", "event camera, mini-map, sidebar" },
    { "L  T", "list of panels, dark or light" },
    { "Tab", "next slider, then populations" },
    { "← →  Return", "move the slider, switch the population" },
    { "Backspace", "slider back to its start" },
    { "", "Files and window" },
    { "P", "save as PNG" },
    { "S", "save as SVG and PDF" },
    { "V", "record frames" },
    { "Ctrl + − 0", "size of everything" },
    { "F1  ?", "this page" },
    { "Q", "close the window, the run goes on" },
    { "Shift Q", "close the window and end the run" },
    { "", "Mouse" },
    { "wheel", "zoom time at the cursor" },
    { "Shift wheel", "zoom neurons; also at their axis" },
    { "Ctrl wheel", "move in time" },
    { "drag", "move in time and over neurons" },
    { "right drag, Shift drag", "select neurons and time" },
    { "double click", "everything that is kept" },
    { "click", "membrane trace of a neuron" },
    { "Ctrl click", "make a neuron spike" },
    { "Alt click", "inject a current" },
    { "mini-map", "click or drag: go there" },
    { "time axis", "click: playhead of a recording" },
    { "slider", "drag; Ctrl double click: back" },
    { "population", "click: show or hide; Ctrl click: only it" },
};
const int n_view_keys = sizeof view_keys / sizeof *view_keys;
