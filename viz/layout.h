/* Where everything of the window is: one function from the view to rectangles, for drawing and for the mouse alike. */
#ifndef RV_VIZ_LAYOUT_H
#define RV_VIZ_LAYOUT_H

#include "viz/view.h"

typedef enum layout_kind {
    LAYOUT_NOTHING,
    LAYOUT_RASTER, LAYOUT_NEURON_AXIS /* names and numbers beside it */, LAYOUT_TIME_AXIS, LAYOUT_RATE,
    LAYOUT_TRACE /* index: slot */, LAYOUT_MAP, LAYOUT_NEURON_RATES, LAYOUT_WEIGHTS, LAYOUT_SELECTION, LAYOUT_CAMERA,
    LAYOUT_STATUS, LAYOUT_SEARCH, LAYOUT_BUTTON /* index: layout_button */,
    LAYOUT_POPULATION /* index: population; its check box and name */,
    LAYOUT_KNOB /* index: knob; FEED_KNOBS is the current Alt-click injects */,
    LAYOUT_SIDEBAR, LAYOUT_TOOLBAR, LAYOUT_SPEED, LAYOUT_BIN /* numbers between buttons */,
    LAYOUT_PANEL /* index: an entry of the list of panels */, LAYOUT_HELP,
} layout_kind;

/** Buttons for what keys do, so that the mouse reaches everything. */
typedef enum layout_button {
    BUTTON_PAUSE, BUTTON_STEP, BUTTON_EVENT, BUTTON_SLOWER, BUTTON_FASTER, BUTTON_FOLLOW, BUTTON_FIT,
    BUTTON_BIN_SMALLER, BUTTON_BIN_LARGER, BUTTON_PNG, BUTTON_VECTOR, BUTTON_RECORD, BUTTON_THEME, BUTTON_PANELS,
    BUTTON_SEARCH, BUTTON_HELP, BUTTON_CLOSE, N_BUTTONS
} layout_button;

typedef struct layout_item {
    layout_kind kind;
    int         index;
    axis_rect   rect;
} layout_item;

/** The list of panels that opens below BUTTON_PANELS. */
typedef struct layout_panel {
    unsigned    panel; /* view_panels */
    int         key;   /* that switches it */
    const char *name;
} layout_panel;
enum { LAYOUT_PANELS = 7 };
extern const layout_panel layout_panels[LAYOUT_PANELS];

enum { LAYOUT_MOST_ITEMS = 512 };

/** Panels that do not fit into a small window are left out, the raster last: every size from 1 x 1 on works. */
typedef struct layout {
    layout_item item[LAYOUT_MOST_ITEMS];
    int         n_items;
    axis_rect   raster;      /* the plot area of the spikes */
    axis        time;        /* along it                    */
    raster_band *bands;      /* [n_populations] of the whole stack, also beyond the plot; height 0: hidden */
} layout;

rv_status layout_make(const view *v, const feed *f, layout *l);
void      layout_free(layout *l);

/** How many sliders there are: the script's knobs, and in a simulation the current that Alt-click injects. */
int layout_sliders(const feed *f);

/** The slider of a row: index of a knob, FEED_KNOBS for the injected current. */
int layout_slider(const feed *f, int row);

/** Time at a horizontal place, and a height as a part of the stack (see viz/view.h). */
double layout_ms_at(const layout *l, double x);
double layout_stack_at(const layout *l, const view *v, double y);

/** What lies at a point; the topmost. */
const layout_item *layout_at(const layout *l, double x, double y);

/** The place of an item, NULL if it is not shown. */
const axis_rect *layout_find(const layout *l, layout_kind kind, int index);

/** The neuron at a height of the raster. @return false between bands */
bool layout_neuron_at(const layout *l, const feed *f, double y, view_neuron *neuron);

#endif
