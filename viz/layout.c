/* The window from outside inwards: toolbar, status line, sidebar, the column of extra panels; what is left holds the
 * panels that share the time axis. Widths of text are estimated: without a canvas none can be measured, and a layout
 * that does not depend on numbers does not tremble while they change.
 *
 *   toolbar
 *   sidebar │ raster          │ rates of │ weights
 *           │                 │ neurons  │ statistics
 *           │ rate            │          │ camera
 *           │ traces          │          │
 *           │ time axis       │          │
 *           │ mini-map        │          │
 *   status line                                        */
#include "viz/layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points. */
static const double TOOLBAR = 23, STATUS = 15, SIDEBAR = 142, COLUMN = 216;
static const double MARGIN = 8;
static const double GAP = 11;         /* between panels that share the time axis */
static const double LEAST_WIDTH = 250, LEAST_HEIGHT = 130; /* of the panels before others have to go */
static const double NEURON_RATES = 58;
static const double MAP = 22, MAP_GAP = 7;
static const double LABEL = 14, NUMBERS = 34, LETTER = 5.2, LONGEST_NAME = 66;
static const double LEAST_NAME = 6;     /* points of a band that is named */
static const double NEURON_PITCH = 14;  /* points, enough for each of a few neurons */
static const double LARGEST_TRACE = 120;
static const double LATE_MS = 20000;    /* from then on times are in seconds */
static const double BUTTON = 19, NUMBER = 38; /* widths in the toolbar */
static const double POPULATION_ROW = 13.5, SLIDER_ROW = 23, HEADING = 19;
static const double PANEL_ROW = 14, PANEL_LIST = 128;

const layout_panel layout_panels[LAYOUT_PANELS] = {
    { VIEW_SIDEBAR, 'b', "populations and knobs" }, { VIEW_RATE, 'r', "rates" },
    { VIEW_NEURON_RATES, 'n', "rates of neurons" }, { VIEW_MAP, 'm', "mini-map" },
    { VIEW_WEIGHTS, 'w', "weights" },               { VIEW_SELECTION, 'i', "statistics" },
    { VIEW_CAMERA, 'c', "event camera" },
};

static double snap(const view *v, double x) { return v->scale > 0 ? round(x * v->scale) / v->scale : x; }

static void add(layout *l, layout_kind kind, int index, axis_rect rect)
{
    if (l->n_items == LAYOUT_MOST_ITEMS || !(rect.width > 0 && rect.height > 0)) return;
    l->item[l->n_items++] = (layout_item){ kind, index, rect };
}

/* ---- toolbar --------------------------------------------------------------------------------------------------- */

/* From left to right; numbers stand between the buttons that change them. */
typedef struct tool {
    layout_kind   kind;
    layout_button button;
    double        gap; /* before it */
} tool;

static const tool left_tools[] = {
    { LAYOUT_BUTTON, BUTTON_PAUSE, 0 },       { LAYOUT_BUTTON, BUTTON_STEP, 0 },
    { LAYOUT_BUTTON, BUTTON_EVENT, 0 },       { LAYOUT_BUTTON, BUTTON_SLOWER, 8 },
    { LAYOUT_SPEED, 0, 0 },                   { LAYOUT_BUTTON, BUTTON_FASTER, 0 },
    { LAYOUT_BUTTON, BUTTON_FOLLOW, 8 },      { LAYOUT_BUTTON, BUTTON_FIT, 0 },
    { LAYOUT_BUTTON, BUTTON_BIN_SMALLER, 8 }, { LAYOUT_BIN, 0, 0 },
    { LAYOUT_BUTTON, BUTTON_BIN_LARGER, 0 },
};
static const tool right_tools[] = { /* from the right edge on */
    { LAYOUT_BUTTON, BUTTON_CLOSE, 0 },  { LAYOUT_BUTTON, BUTTON_HELP, 0 },  { LAYOUT_BUTTON, BUTTON_THEME, 0 },
    { LAYOUT_BUTTON, BUTTON_PANELS, 0 }, { LAYOUT_BUTTON, BUTTON_SEARCH, 0 }, { LAYOUT_BUTTON, BUTTON_RECORD, 8 },
    { LAYOUT_BUTTON, BUTTON_VECTOR, 0 }, { LAYOUT_BUTTON, BUTTON_PNG, 0 },
};

static void place_toolbar(const view *v, layout *l)
{
    double left = 5, right = v->width - 5;
    axis_rect rect = { .y = 2, .height = TOOLBAR - 4 };
    add(l, LAYOUT_TOOLBAR, 0, (axis_rect){ .width = v->width, .height = TOOLBAR });
    for (size_t i = 0; i < sizeof left_tools / sizeof *left_tools; i++) {
        rect.width = left_tools[i].kind == LAYOUT_BUTTON ? BUTTON : NUMBER;
        rect.x = left + left_tools[i].gap;
        if (rect.x + rect.width > right) return;
        add(l, left_tools[i].kind, (int)left_tools[i].button, rect);
        left = rect.x + rect.width;
    }
    for (size_t i = 0; i < sizeof right_tools / sizeof *right_tools; i++) {
        rect.width = BUTTON;
        rect.x = right - right_tools[i].gap - rect.width;
        if (rect.x < left + 6) return;
        add(l, right_tools[i].kind, (int)right_tools[i].button, rect);
        right = rect.x;
    }
}

static void place_panel_list(const view *v, layout *l)
{
    const axis_rect *button = layout_find(l, LAYOUT_BUTTON, BUTTON_PANELS);
    double right = fmin(button ? button->x + button->width + 20 : v->width, v->width - 2);
    for (int i = 0; i < LAYOUT_PANELS; i++)
        add(l, LAYOUT_PANEL, i,
            (axis_rect){ .x = right - PANEL_LIST, .y = TOOLBAR + 4 + i * PANEL_ROW, .width = PANEL_LIST,
                         .height = PANEL_ROW });
}

/* ---- sidebar --------------------------------------------------------------------------------------------------- */

int layout_sliders(const feed *f) { return f->live ? f->n_knobs + 1 : f->n_knobs; }
int layout_slider(const feed *f, int row) { return row < f->n_knobs ? row : FEED_KNOBS; }

static int rows_that_fit(double height, double row) { return (int)fmax(floor(height / row + 1e-6), 0); }

/* No row stays empty while some are hidden above. */
static int first_row(int hidden, int n, int shown) { return hidden + shown <= n ? hidden : n > shown ? n - shown : 0; }

/* Populations above, sliders below; where both need more than there is, each has at least two fifths. */
static void place_sidebar(const view *v, const feed *f, layout *l, axis_rect place)
{
    int    n = f->n_populations, sliders = layout_sliders(f);
    double wanted = sliders > 0 ? HEADING + sliders * SLIDER_ROW + 4 : 0;
    double above = fmin(HEADING + n * POPULATION_ROW + 4, fmax(0.4 * place.height, place.height - wanted));
    add(l, LAYOUT_SIDEBAR, 0, place);
    int shown = rows_that_fit(above - HEADING, POPULATION_ROW), first = first_row(v->scroll_populations, n, shown);
    for (int i = 0; first + i < n && i < shown; i++)
        add(l, LAYOUT_POPULATION, first + i,
            (axis_rect){ .x = place.x, .y = place.y + HEADING + i * POPULATION_ROW, .width = place.width,
                         .height = POPULATION_ROW });
    double y = place.y + above + HEADING;
    shown = rows_that_fit(place.y + place.height - y, SLIDER_ROW), first = first_row(v->scroll_knobs, sliders, shown);
    for (int i = 0; first + i < sliders && i < shown; i++)
        add(l, LAYOUT_KNOB, layout_slider(f, first + i),
            (axis_rect){ .x = place.x + MARGIN, .y = y + i * SLIDER_ROW, .width = place.width - 2 * MARGIN,
                         .height = SLIDER_ROW });
}

/* ---- the panels ------------------------------------------------------------------------------------------------ */

static void place_column(const view *v, layout *l, axis_rect place)
{
    const struct { unsigned panel; layout_kind kind; double height; } panels[] = { /* for a width of 1 */
        { VIEW_WEIGHTS, LAYOUT_WEIGHTS, 1.8 }, { VIEW_SELECTION, LAYOUT_SELECTION, 1.15 },
        { VIEW_CAMERA, LAYOUT_CAMERA, 1.1 },
    };
    double wanted = 0;
    for (int i = 0; i < 3; i++) wanted += v->panels & panels[i].panel ? panels[i].height * place.width : 0;
    for (int i = 0; i < 3; i++) {
        if (!(v->panels & panels[i].panel)) continue;
        double height = panels[i].height * place.width * fmin(1, place.height / wanted);
        add(l, panels[i].kind, 0,
            (axis_rect){ .x = place.x, .y = place.y, .width = place.width, .height = height - 6 });
        place.y += height;
    }
}

/* What names and numbers need to the left of the plots. */
static double labels_width(const view *v, const feed *f, double height)
{
    size_t longest = 0;
    int    n = 0;
    for (int p = 0; p < f->n_populations; p++) {
        n += v->visible[p];
        if (v->visible[p] && strlen(f->population[p].name) > longest) longest = strlen(f->population[p].name);
    }
    if (n * LEAST_NAME > height) return LABEL + NUMBERS;
    return LABEL + NUMBERS + fmin(fmax((double)longest * LETTER, 10), LONGEST_NAME);
}

static int traces_shown(const view *v)
{
    int n = 0;
    for (int k = 0; k < FEED_TRACES; k++) n += v->traced[k].population >= 0;
    return n;
}

/* The visible populations, stacked over the whole height and enlarged so that low..high fills the raster. */
static rv_status stack_bands(const view *v, const feed *f, layout *l)
{
    int            n = 0;
    figure_spikes *shown = calloc((size_t)f->n_populations + 1, sizeof *shown);
    raster_band   *bands = calloc((size_t)f->n_populations + 1, sizeof *bands);
    l->bands = calloc((size_t)f->n_populations + 1, sizeof *l->bands);
    for (int p = 0; shown && p < f->n_populations; p++)
        if (v->visible[p])
            shown[n++] = (figure_spikes){ .size = f->population[p].size, .inhibitory = f->population[p].inhibitory };
    rv_status status = shown && bands && l->bands ? RV_OK : RV_OUT_OF_MEMORY;
    if (status == RV_OK) {
        double enlarged = l->raster.height / (v->high - v->low);
        raster_stack(&(figure){ .spikes = shown, .n_spikes = n }, 0, l->raster.height, bands);
        n = 0;
        for (int p = 0; p < f->n_populations; p++) {
            if (!v->visible[p]) continue;
            raster_band band = bands[n++];
            double      top = 1 - band.y / l->raster.height; /* part of the stack */
            l->bands[p].y = l->raster.y + (v->high - top) * enlarged;
            l->bands[p].height = band.height / (v->high - v->low);
        }
    }
    free(shown);
    free(bands);
    return status;
}

/* Heights of what shares the time axis. The raster has what the others leave; these go first. */
typedef struct heights {
    double raster, rate, trace, foot, map;
    int    traces;
} heights;

/* A few neurons leave some of the raster's height to the traces. */
static void give_to_traces(const view *v, const feed *f, heights *h)
{
    double neurons = 0;
    for (int p = 0; p < f->n_populations; p++) neurons += v->visible[p] ? (double)f->population[p].size : 0;
    double spare = (h->raster - fmax(NEURON_PITCH * neurons, LEAST_HEIGHT)) / h->traces;
    spare = fmin(spare, LARGEST_TRACE - h->trace);
    if (spare > 0) h->trace += spare, h->raster -= spare * h->traces;
}

static heights share_height(const view *v, const feed *f, double height)
{
    heights h = { .traces = traces_shown(v), .foot = height >= 70 ? AXIS_FOOT : 0 };
    h.map = v->panels & VIEW_MAP && height > 2 * LEAST_HEIGHT ? MAP + MAP_GAP : 0;
    double free = height - h.foot - h.map;
    h.rate = v->panels & VIEW_RATE && free >= LEAST_HEIGHT ? fmin(fmax(0.19 * free, 36), 120) : 0;
    free -= h.rate > 0 ? h.rate + GAP : 0;
    double least_raster = fmax(0.38 * free, 70);
    h.trace = h.traces > 0 ? fmin(fmin(0.16 * free, 74), (free - least_raster) / h.traces - GAP) : 0;
    while (h.traces > 0 && h.trace < 20) {
        h.traces--;
        h.trace = h.traces > 0 ? (free - least_raster) / h.traces - GAP : 0;
    }
    h.raster = fmax(free - h.traces * (h.trace + GAP), 1);
    if (h.traces > 0) give_to_traces(v, f, &h);
    return h;
}

static void place_below_raster(const view *v, layout *l, heights h, double y)
{
    axis_rect plot = l->raster;
    if (h.rate > 0) {
        double bottom = snap(v, y + GAP + h.rate);
        add(l, LAYOUT_RATE, 0,
            (axis_rect){ .x = plot.x, .y = y + GAP, .width = plot.width, .height = bottom - y - GAP });
        y = bottom;
    }
    for (int k = 0; k < FEED_TRACES && h.traces > 0; k++) {
        if (v->traced[k].population < 0) continue;
        double bottom = snap(v, y + GAP + h.trace);
        add(l, LAYOUT_TRACE, k,
            (axis_rect){ .x = plot.x, .y = y + GAP, .width = plot.width, .height = bottom - y - GAP });
        y = bottom;
        h.traces--;
    }
    add(l, LAYOUT_TIME_AXIS, 0, (axis_rect){ .x = plot.x, .y = y, .width = plot.width, .height = h.foot });
    if (h.map > 0)
        add(l, LAYOUT_MAP, 0,
            (axis_rect){ .x = plot.x, .y = y + h.foot + MAP_GAP, .width = plot.width, .height = MAP });
}

static rv_status place_plots(const view *v, const feed *f, layout *l, axis_rect place)
{
    heights h = share_height(v, f, place.height);
    double  labels = place.width >= 150 && h.foot > 0 ? labels_width(v, f, h.raster) : 0, right = labels > 0 ? 12 : 0;
    bool    rates = v->panels & VIEW_NEURON_RATES && place.width >= labels + LEAST_WIDTH && place.height >= 2 * LEAST_HEIGHT;
    double  from = snap(v, place.x + labels);
    double  to = snap(v, fmax(place.x + place.width - right - (rates ? NEURON_RATES : 0), from + 1));
    double  top = snap(v, place.y), bottom = fmax(snap(v, place.y + h.raster), top + 1);
    l->raster = (axis_rect){ .x = from, .y = top, .width = to - from, .height = bottom - top };
    add(l, LAYOUT_NEURON_AXIS, 0,
        (axis_rect){ .x = place.x, .y = top, .width = from - place.x, .height = bottom - top });
    add(l, LAYOUT_RASTER, 0, l->raster);
    if (rates)
        add(l, LAYOUT_NEURON_RATES, 0,
            (axis_rect){ .x = snap(v, to + 10), .y = top, .width = NEURON_RATES - 10, .height = bottom - top });
    double span = v->to_ms - v->from_ms;
    bool   seconds = span > 5000 || (v->to_ms > LATE_MS && span >= 100); /* no long numbers, nor many decimals */
    l->time = (axis){ .low = v->from_ms, .high = v->to_ms, .from = from, .to = to, .unit = seconds ? 1000 : 1,
                      .name = "time", .unit_name = seconds ? "s" : "ms" };
    place_below_raster(v, l, h, bottom);
    return stack_bands(v, f, l);
}

static void place_overlays(const view *v, layout *l)
{
    axis_rect r = l->raster;
    if (v->searching)
        add(l, LAYOUT_SEARCH, 0, (axis_rect){ .x = r.x + fmax(r.width - 190, 0) / 2, .y = r.y + 8,
                                              .width = fmin(190, fmax(r.width, 60)), .height = 20 });
    if (v->menu) place_panel_list(v, l);
    if (v->help) add(l, LAYOUT_HELP, 0, (axis_rect){ .width = v->width, .height = v->height });
}

rv_status layout_make(const view *v, const feed *f, layout *l)
{
    double left = 0, right = v->width, top = 0, bottom = v->height;
    l->n_items = 0, l->bands = NULL;
    if (!v->paper && v->width >= 140 && v->height >= 130) {
        place_toolbar(v, l);
        top = TOOLBAR;
    }
    if (!v->paper && v->width >= 200 && v->height >= 170) {
        bottom -= STATUS;
        add(l, LAYOUT_STATUS, 0, (axis_rect){ .y = bottom, .width = v->width, .height = STATUS });
    }
    if (!v->paper && v->panels & VIEW_SIDEBAR && v->width >= SIDEBAR + LEAST_WIDTH && v->height >= 170) {
        place_sidebar(v, f, l, (axis_rect){ .y = top, .width = SIDEBAR, .height = bottom - top });
        left = SIDEBAR;
    }
    bool   large = v->height >= 100;
    double air = large ? MARGIN : 0;
    bool   extra = (v->panels & (VIEW_WEIGHTS | VIEW_SELECTION | VIEW_CAMERA)) != 0;
    if (extra && large && right - left >= COLUMN + LEAST_WIDTH) {
        double width = fmin(fmax(COLUMN, 0.27 * (right - left)), 330);
        right -= width + MARGIN;
        place_column(v, l, (axis_rect){ .x = right, .y = top + air, .width = width, .height = bottom - top - 2 * air });
    }
    axis_rect plots = { .x = left + fmin(air, (right - left) / 4), .y = top + air, .height = bottom - top - 2 * air };
    plots.width = fmax(right - plots.x, 1);
    plots.height = fmax(plots.height, 1);
    rv_status status = place_plots(v, f, l, plots);
    place_overlays(v, l);
    return status;
}

void layout_free(layout *l) { free(l->bands); }

/* ---- questions ------------------------------------------------------------------------------------------------- */

double layout_ms_at(const layout *l, double x)
{
    return l->time.low + (x - l->time.from) / (l->time.to - l->time.from) * (l->time.high - l->time.low);
}

double layout_stack_at(const layout *l, const view *v, double y)
{
    return v->low + (l->raster.y + l->raster.height - y) / l->raster.height * (v->high - v->low);
}

const layout_item *layout_at(const layout *l, double x, double y)
{
    for (int i = l->n_items - 1; i >= 0; i--) {
        const axis_rect *r = &l->item[i].rect;
        if (x >= r->x && x < r->x + r->width && y >= r->y && y < r->y + r->height) return &l->item[i];
    }
    return NULL;
}

const axis_rect *layout_find(const layout *l, layout_kind kind, int index)
{
    for (int i = 0; i < l->n_items; i++)
        if (l->item[i].kind == kind && l->item[i].index == index) return &l->item[i].rect;
    return NULL;
}

bool layout_neuron_at(const layout *l, const feed *f, double y, view_neuron *neuron)
{
    if (!(y >= l->raster.y && y <= l->raster.y + l->raster.height)) return false;
    for (int p = 0; p < f->n_populations; p++) {
        raster_band band = l->bands[p];
        int64_t     size = f->population[p].size;
        if (!(band.height > 0 && size > 0 && y >= band.y && y < band.y + band.height)) continue;
        double from_below = (1 - (y - band.y) / band.height) * (double)size;
        *neuron = (view_neuron){ p, (int64_t)fmin(fmax(floor(from_below), 0), (double)size - 1) };
        return true;
    }
    return false;
}
