/* The spike raster: populations stacked as bands, spikes as dots, strokes, or an image of their density. */
#ifndef RV_VIZ_RASTER_H
#define RV_VIZ_RASTER_H

#include "viz/axes.h"
#include "viz/figure.h"

/** The part of the raster that shows one population; its neuron 0 is at the bottom. */
typedef struct raster_band {
    double y, height; /* points; y is the upper edge */
} raster_band;

/** The colour of a population, the same in every panel. */
uint32_t raster_colour(const figure *f, int population);

/** Stacks the populations between y and y + height. @param bands result, [f->n_spikes], by population */
void raster_stack(const figure *f, double y, double height, raster_band *bands);

/** The middle of a neuron's line, in points. */
double raster_neuron_y(raster_band band, int64_t size, double neuron);

/** What names and numbers need to the left of the axis, in points. */
double raster_labels_width(canvas *c, const figure *f, const raster_band *bands);

/** The names of the populations in a row that ends at `to`, as many as fit: the legend of panels without a raster. */
void raster_names(canvas *c, const figure *f, double from, double to, double baseline);

/** Draws spikes within time->low .. time->high, names and axes.
 *  @param plot the area of the spikes  @param label_x where the label "neuron" is centred  @return RV_OK or
 *  RV_OUT_OF_MEMORY */
rv_status raster_draw(canvas *c, const figure *f, const raster_band *bands, axis_rect plot, const axis *time,
                      double label_x);

#endif
