/* The parts of the screen, for screen*.c only. Each draws itself from what the frame holds. */
#ifndef RV_VIZ_SCREEN_PARTS_H
#define RV_VIZ_SCREEN_PARTS_H

#include "viz/layout.h"
#include "viz/live_raster.h"
#include "viz/tally.h"

/* Colours beside those of the axes; the canvas turns them dark. */
#define SCREEN_PAPER 0xf2f4f7 /* sidebar, tool tips        */
#define SCREEN_RULE 0xdfe3e8  /* hairlines, empty sliders  */
#define SCREEN_HOVER 0xe6eaef /* what the mouse is over    */
#define SCREEN_ACCENT 0x0072b2
#define SCREEN_ALARM 0xd55e00

enum { SCREEN_BLOCK = 16, SCREEN_BLOCKS = FEED_KEPT_SAMPLES / SCREEN_BLOCK + 1 };

/** A trace as it is kept for drawing. Samples do not change once they are there, so blocks of them are summed up by
 *  their lowest and highest one where the screen shows more of them than it has pixels. */
typedef struct screen_trace {
    view_neuron neuron;
    int64_t     blocks;               /* completed; block b holds samples b * SCREEN_BLOCK ... and is kept in turn */
    double      t_ms[SCREEN_BLOCKS][2], value[SCREEN_BLOCKS][2];
    double      low, high;            /* of its axis                                                               */
    int64_t     scanned;              /* spikes of the feed that were looked at for this neuron's                   */
    double     *spikes_ms;            /* [n_spikes] of this neuron, ascending                                       */
    int64_t     n_spikes, room;
} screen_trace;

/** The image of a panel with lines. */
typedef struct screen_lines {
    double    x, y, scale;            /* its upper left corner, pixels; pixels per point */
    int       columns, rows, columns_room;
    int64_t   room;
    uint32_t *pixel;                  /* [rows][columns]                                 */
    double   *low;                    /* [columns][2] lowest and highest place of a line */
} screen_lines;

/** What stays from frame to frame. */
typedef struct screen_state {
    live_raster *raster;
    tally       *tally;
    uint32_t    *colours;             /* [n_populations]                                   */
    double       rate_high, neuron_high; /* ends of axes; they follow with hesitation        */
    screen_trace *traces;             /* [FEED_TRACES]                                     */
    double      *scratch;             /* [2][scratch_room]                                 */
    int64_t      scratch_room;
    screen_lines lines;
    double      *present;             /* [n_populations] spikes/s, in the list             */
    double      *map;                 /* [map_n] total rate; no longer so: map_n is 0      */
    int          map_n, map_most, map_room; /* map_most: bins that were asked for         */
    double       map_from_ms, map_to_ms, map_begin_ms, map_bin_ms;
    double       counted_at;          /* seconds: when figures that change slowly were made */
    int64_t      counted_spikes, counted_events;
    double       spikes_per_second, events_per_second; /* of wall time                     */
} screen_state;

typedef struct screen_frame {
    feed         *feed;
    const view   *view;
    const layout *layout;
    canvas       *canvas;
    screen_state *state;
} screen_frame;

/* ---- screen.c -------------------------------------------------------------------------------------------------- */

/** [2][n] numbers until the next call; NULL without memory. */
double *screen_scratch(screen_state *s, int64_t n);

/** Text of the frame's canvas, written like printf. */
void screen_text(const screen_frame *s, canvas_font font, double x, double y, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** The end of an axis from 0 that holds `peak`: it grows at once and shrinks only if half of it is empty.
 *  @param ticks about so many */
double screen_axis_end(double present, double peak, double ticks);

/** 12 300 as "12.3 k". */
void screen_write_large(double value, char text[32]);

/** The bins the rates have on this screen: the view's, in whole steps, or longer if there were more of them than
 *  pixels, or than can be drawn for that many populations. */
double screen_bin(const screen_frame *s);

/* ---- screen_lines.c -------------------------------------------------------------------------------------------- */

/** An empty image for a panel, the size of its pixels. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status screen_lines_begin(const screen_frame *s, axis_rect place);

/** A line through n points, x ascending, interrupted where one is NaN. */
void screen_lines_add(const screen_frame *s, const double *x, const double *y, int64_t n, double width,
                      uint32_t colour);
void screen_lines_put(const screen_frame *s);

/* ---- screen_plots.c -------------------------------------------------------------------------------------------- */

void      screen_neuron_axis(const screen_frame *s);
rv_status screen_rates(const screen_frame *s);
rv_status screen_neuron_rates(const screen_frame *s);
rv_status screen_map(const screen_frame *s);
void      screen_time_axis(const screen_frame *s);
void      screen_marks(const screen_frame *s); /* now, selection, the neurons that are traced */

/* ---- screen_traces.c ------------------------------------------------------------------------------------------- */

/** @param complete result: all spikes were looked at */
rv_status screen_traces_update(const screen_frame *s, bool *complete);
rv_status screen_traces_draw(const screen_frame *s);

/* ---- screen_controls.c, screen_overlays.c ---------------------------------------------------------------------- */

void screen_toolbar(const screen_frame *s);
void screen_sidebar(const screen_frame *s);
void screen_status(const screen_frame *s);
void screen_overlays(const screen_frame *s); /* read-out, tool tips, search, notice, list of panels, help */

#endif
