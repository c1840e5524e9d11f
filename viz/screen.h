/* The screen: the whole window drawn on a canvas, from a feed and a view. What is costly to draw is kept from frame to
 * frame; a frame with ten million kept spikes takes a few milliseconds. */
#ifndef RV_VIZ_SCREEN_H
#define RV_VIZ_SCREEN_H

#include "viz/canvas.h"
#include "viz/view.h"

typedef struct screen screen;

/** @return NULL without memory */
screen *screen_new(feed *f);
void    screen_free(screen *s);

/** Draws everything.
 *  @param budget_seconds for spikes that have to be drawn anew (after a zoom); what does not fit comes with the next
 *  frames  @param complete result, may be NULL: whether everything is there
 *  @return RV_OK or RV_OUT_OF_MEMORY */
rv_status screen_draw(screen *s, const view *v, canvas *c, double budget_seconds, bool *complete);

/** The view as a file, .png, .svg or .pdf: white, without buttons and status line, complete. */
rv_status screen_save(screen *s, const view *v, const char *path, rv_error *error);

#endif
