/* A window beside something that runs in a thread of its own: a script, or a recording that is played. The window stays in
 * the main thread, where some systems insist on having it. */
#ifndef RV_IO_SCRIPT_WINDOW_H
#define RV_IO_SCRIPT_WINDOW_H

#include "viz/feed.h"

typedef struct window_stage window_stage;

/** Runs body(user, stage) in a thread; once it calls window_stage_show() a window opens on the feed, until the user closes it
 *  or the body is over. The body goes on without a window when that was closed (feed.closed says so).
 *  @param busy whether the body may use all processors @return RV_OK, or why there can be no window, before anything ran */
rv_status window_stage_run(void (*body)(void *user, window_stage *stage), void *user, bool busy, rv_error *error);

/** How many threads a simulation beside a window should use if nobody said so: with four processors or more it leaves one to
 *  the window; 0, which means all, with fewer. */
int window_stage_threads(void);

/** Called by the body, once: opens the window. */
void window_stage_show(void *stage, feed *f);

#endif
