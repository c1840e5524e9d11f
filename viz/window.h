/* The window: SDL shows the screen and brings keys and mouse. window.c is the one door to SDL.
 *
 * It belongs to the thread that opens it, the main one where the system insists. The simulation runs in another; the
 * two share the feed only. */
#ifndef RV_VIZ_WINDOW_H
#define RV_VIZ_WINDOW_H

#include "viz/screen.h"

typedef struct window window;

typedef struct window_options {
    int         width, height; /* logical pixels; 0: 1280 x 800                                        */
    bool        light;         /* light theme; dark by default                                         */
    const char *folder;        /* where P, S and V write; NULL: here                                   */
    bool        busy;          /* the simulation uses all cores: frames give way to it                 */
} window_options;

/** Whether a window can be opened: asked before something long begins. @return RV_OK, or RV_FILE_ERROR with a sentence
 */
rv_status window_check(rv_error *error);

/** @return RV_OK, RV_OUT_OF_MEMORY, or RV_FILE_ERROR with a sentence where there is no display */
rv_status window_open(feed *f, const window_options *options, window **w, rv_error *error);

/** Shows frames and obeys the user until the window is closed, or window_stop(). Then the window is hidden, feed.closed
 * is set, and a paused or slow simulation goes on as fast as it can. */
void window_loop(window *w);

/** Ends the loop, from any thread. */
void window_stop(window *w);

void window_close(window *w);

/** For tests: a copy of the view as it is now (its arrays included, see view_close()), from any thread. */
rv_status window_view(window *w, view *copy);

/** For tests and measurements. Seconds of the last frames: mean and longest; how many were shown. */
typedef struct window_frames {
    int64_t shown, dropped;
    double  mean_seconds, longest_seconds;
} window_frames;
window_frames window_frames_get(window *w);

#endif
