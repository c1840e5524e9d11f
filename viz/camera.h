/* The event image: the spikes of a camera's pixels before `now`, ON and OFF in two colours, fading with age. */
#ifndef RV_VIZ_CAMERA_H
#define RV_VIZ_CAMERA_H

#include "viz/canvas.h"
#include "viz/view.h"

typedef struct camera camera;

/** @return NULL without memory */
camera *camera_new(const feed *f);
void    camera_free(camera *k);

/** Is there a population with a shape that is visible? */
bool camera_there(const feed *f, const view *v);

/** Draws the first of them: its events of the last 30 ms that are shown, or of a tenth of the time shown if that is less.
 *  Of each pixel the latest event is seen.  @return RV_OK or RV_OUT_OF_MEMORY */
rv_status camera_draw(camera *k, const view *v, canvas *c, axis_rect place);

#endif
