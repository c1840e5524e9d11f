/* The weight panel: the histogram of a projection's weights as it changes over time, and its matrix or receptive fields. */
#ifndef RV_VIZ_WEIGHTS_H
#define RV_VIZ_WEIGHTS_H

#include "viz/canvas.h"
#include "viz/view.h"

typedef struct weights weights;

weights *weights_new(feed *f);
void     weights_free(weights *w);

/** Takes a new snapshot from the feed, if there is one; each projection keeps its own development, of the whole run.
 *  @return whether there was one of the projection that is shown */
bool weights_update(weights *w, const view *v);

/** Title and two parts. Upper part: the distribution over time as an image (time to the right, weight upwards, darkness
 *  the logarithm of the fraction) and the mean; lower part, or at the right in a wide place: matrix or tiles with their
 *  scale of colours, no synapse is no colour. What is too small is left out.  @return RV_OK or RV_OUT_OF_MEMORY */
rv_status weights_draw(const weights *w, const view *v, canvas *c, axis_rect place);

#endif
