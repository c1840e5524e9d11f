/* The view: what the window shows and how keys and mouse change it. No window is needed: events are structs, lengths
 * are points of the canvas, so that every action can be tested headless. What concerns the simulation is sent to the
 * feed; what concerns files and the window is left as a wish, which window.c fulfils.
 *
 * Vertical positions: the visible populations are stacked as in figures (viz/raster.h). Zooming into neurons enlarges
 * the whole stack: `low..high` is the part of it that is seen, 0 is its lower edge and 1 its upper one.
 *
 * Whatever happens: from_ms < to_ms and 0 <= low < high <= 1, all finite.
 *
 * view.c: time, limits. view_neurons.c: what is done to neurons. view_keys.c, view_mouse.c: keys and mouse. */
#ifndef RV_VIZ_VIEW_H
#define RV_VIZ_VIEW_H

#include "viz/axes.h"
#include "viz/feed.h"
#include "viz/raster.h"

/* ---- events ---------------------------------------------------------------------------------------------------- */

typedef enum view_event_kind {
    VIEW_KEY, VIEW_TEXT, VIEW_PRESS, VIEW_RELEASE, VIEW_MOTION, VIEW_WHEEL, VIEW_LEAVE
} view_event_kind;

/** Keys that are no characters; a character is its own code, letters in lower case. */
enum {
    VIEW_KEY_ESCAPE = 0x100, VIEW_KEY_RETURN, VIEW_KEY_BACKSPACE, VIEW_KEY_TAB, VIEW_KEY_LEFT, VIEW_KEY_RIGHT,
    VIEW_KEY_UP, VIEW_KEY_DOWN, VIEW_KEY_PAGE_UP, VIEW_KEY_PAGE_DOWN, VIEW_KEY_HOME, VIEW_KEY_END, VIEW_KEY_F1,
};
enum { VIEW_SHIFT = 1, VIEW_CTRL = 2, VIEW_ALT = 4 };
enum { VIEW_LEFT = 1, VIEW_MIDDLE = 2, VIEW_RIGHT = 3 };

typedef struct view_event {
    view_event_kind kind;
    int             key;       /* VIEW_KEY                                                       */
    unsigned        modifiers; /* VIEW_SHIFT | ...                                               */
    char            text[8];   /* VIEW_TEXT: one character of UTF-8                              */
    int             button, clicks; /* VIEW_PRESS, VIEW_RELEASE; clicks 2: double                */
    double          x, y;      /* points                                                         */
    double          wheel;     /* VIEW_WHEEL: notches, up is positive                            */
} view_event;

/* ---- state ----------------------------------------------------------------------------------------------------- */

typedef enum view_panels {
    VIEW_SIDEBAR = 1,      /* populations, knobs                 */
    VIEW_RATE = 2,         /* below the raster                   */
    VIEW_NEURON_RATES = 4, /* at its right                       */
    VIEW_WEIGHTS = 8,
    VIEW_SELECTION = 16,   /* statistics of what is selected     */
    VIEW_CAMERA = 32,      /* two-dimensional event image        */
    VIEW_MAP = 64,         /* the mini-map                       */
} view_panels;

typedef struct view_neuron {
    int     population; /* -1: none */
    int64_t neuron;
} view_neuron;

/** Neurons and time under a rubber band. */
typedef struct view_selection {
    bool    there;
    double  from_ms, to_ms;
    int64_t first_row, last_row; /* rows of the feed, both included; of the visible populations between them */
} view_selection;

typedef enum view_wish { VIEW_WISH_PNG = 1, VIEW_WISH_VECTOR = 2, VIEW_WISH_CLOSE = 4, VIEW_WISH_END = 8 } view_wish;

typedef struct view {
    double         width, height; /* of the canvas, points                                      */
    double         scale;         /* pixels per point, to place edges on pixels; 0: unknown     */
    double         from_ms, to_ms; /* shown                                                     */
    bool           follow;        /* the right edge is `now_ms`; at the start of a run, before the
                                     screen is full, the left edge is its beginning             */
    double         now_ms;        /* nothing later is shown: simulated time, or the playhead    */
    double         low, high;     /* part of the stack that is seen, 0..1                       */
    bool          *visible;       /* [n_populations]                                            */
    double         bin_ms;        /* of the rates                                               */
    bool           paused;
    double         speed;         /* wanted; INFINITY: unlimited                                */
    unsigned       panels;
    bool           dark, help;
    bool           paper;         /* drawn for a file: the panels only                          */
    bool           menu;          /* the list of panels is open                                 */
    int            focus;         /* -1: none; else a knob, then the populations: what Left and
                                     Right move and Return switches                             */
    int            scroll_populations, scroll_knobs; /* rows of the sidebar that are out of view */
    view_neuron    traced[FEED_TRACES]; /* population -1: free                                  */
    int64_t        traced_since[FEED_TRACES]; /* their order                                    */
    view_neuron    last_clicked;
    view_selection selection;
    int            learning;      /* whose weights are shown                                    */
    double         inject_pA;
    double         knob[FEED_KNOBS]; /* where the sliders are                                   */
    bool           searching;     /* the search line is open                                    */
    char           search[64];
    char           notice[256];   /* one line about the last action, or what was wrong; fades   */
    double         notice_seconds; /* left                                                      */
    bool           recording;     /* frames are written                                         */
    unsigned       wishes;        /* view_wish; cleared by who fulfils them                     */
    /* the mouse */
    double         mouse_x, mouse_y;
    int            dragging;      /* layout_kind of what is being dragged, 0: nothing           */
    int            drag_index;
    unsigned       drag_modifiers;
    bool           drag_moved;    /* further than a click trembles                              */
    bool           drag_follow;
    bool           drag_band;     /* a rubber band from drag_x, drag_y to the mouse             */
    double         drag_x, drag_y, drag_from_ms, drag_to_ms, drag_low, drag_high;
    int            undo_slot;     /* a double click takes back what its first click did: -1, or */
    view_neuron    undo_neuron;   /* the slot, and what it showed before                        */
    /* from event to event: `,` */
    bool           events;        /* now_ms is a spike's time, the simulation may be further    */
    int64_t        sought;        /* frames in which steps were asked for; -1: none are         */
    /* what was said to the feed */
    double         knob_sent[FEED_KNOBS], knob_start[FEED_KNOBS];
    double         asked_from_ms, asked_to_ms, asked_seconds; /* the last fetch, and how long ago */
    bool           film;          /* pictures without a window, so without wall time             */
    /* measured: the speed by view_tick(), the frames by the window */
    double         measured_speed, measured_ms, measured_seconds;
    double         frames_per_second;
    int64_t        dropped_frames;
    double         drawn_ms;      /* for view_tick(): time and spikes of its last call          */
    int64_t        drawn_spikes;
    int            drawn_state;
} view;

/** The view at the start: follows a simulation, shows all of a recording. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status view_open(view *v, const feed *f);
void      view_close(view *v);

/** Changes the view, sends commands to the feed. @return whether something on the screen changed */
bool view_handle(view *v, feed *f, const view_event *event);

/** Time passes: follows, plays recordings, asks the feed for older spikes where the view shows some that are not kept,
 *  lets notices fade. @return whether something on the screen changed */
bool view_tick(view *v, feed *f, double seconds);

/** One line about what happened, for the user to see. */
void view_note(view *v, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The time the mini-map spans: all spikes that can be shown. */
void view_map_span(const view *v, const feed *f, double *from_ms, double *to_ms);

/** The colour of a population: the same whatever is hidden, and as in figures. */
uint32_t view_colour(const feed *f, int population);

/** Where a slider stands, and its range: a knob of the script, or the current that Alt-click injects (FEED_KNOBS). */
double view_slider(const view *v, int slider);
void   view_slider_range(const feed *f, int slider, double *low, double *high);

/* ---- the list of keys, for the help page, the tests and the README --------------------------------------------- */

/** A heading has no keys: "". */
typedef struct view_key {
    const char *keys, *meaning;
} view_key;
extern const view_key view_keys[];
extern const int      n_view_keys;

#endif
