/* The raster of the window: an image of the spikes that is kept from frame to frame. When time goes on the image
 * scrolls and only new spikes are added; when the view changes it is made anew from the history, as much per frame as
 * the budget allows. Where spikes are few they are marks (dots, strokes), where more than one falls on a pixel darkness
 * is density, as in viz/raster.c. */
#ifndef RV_VIZ_LIVE_RASTER_H
#define RV_VIZ_LIVE_RASTER_H

#include "viz/feed.h"
#include "viz/raster.h"

typedef struct live_raster live_raster;

live_raster *live_raster_new(const feed *f);
void         live_raster_free(live_raster *r);

typedef struct live_raster_view {
    axis_rect          plot;
    double             from_ms, to_ms, now_ms; /* no spike after now_ms is drawn                          */
    const raster_band *bands;                  /* [n_populations], height 0: hidden; may reach beyond plot */
    const uint32_t    *colours;                /* [n_populations]                                         */
    double             scale;                  /* pixels per point                                        */
    uint32_t           background;
} live_raster_view;

/** Brings the image up to date. @return whether it is complete, or RV_OUT_OF_MEMORY in *status */
bool live_raster_update(live_raster *r, const live_raster_view *view, double budget_seconds, rv_status *status);

/** Draws the image; ends a clip. */
void live_raster_draw(const live_raster *r, canvas *c);

/** Mean rate of the neurons on each line of pixels of the image in what is shown, spikes/s per neuron. @param n lines
 */
const double *live_raster_rates(const live_raster *r, int *n);

#endif
