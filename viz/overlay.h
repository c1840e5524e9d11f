/* The figure of a comparison: two recordings of the same neurons on one time axis, saved as .png, .svg or .pdf.
 *
 *   raster         spikes in both: ink, the whole height of a neuron's line; only in A: blue, its upper half; only in B:
 *                  vermilion, its lower half. Where neurons are too many for lines of their own, a line is that of a
 *                  neuron in every so many, or of a few if they hardly spike, evenly; the one in which the recordings part
 *                  first is among them. A dashed line marks when that is.
 *   rates          one strip for each population: what both have in grey, what only one has in its colour
 *   coincident     fraction of all spikes that have a counterpart, over time
 *
 * Colours are those of Okabe & Ito (2008); the halves of the lines tell the recordings apart without them. */
#ifndef RV_VIZ_OVERLAY_H
#define RV_VIZ_OVERLAY_H

#include "sim/distance.h"

typedef struct overlay_population {
    const char          *name;
    bool                 inhibitory; /* above the others, as in every raster */
    const rv_trains     *a, *b;      /* in the same window                   */
    const rv_comparison *comparison; /* of them                              */
} overlay_population;

typedef struct overlay {
    const char               *name_a, *name_b; /* of the recordings                    */
    const overlay_population *populations;     /* [n_populations] all in the same window */
    int                       n_populations;   /* 1 or more                            */
    double                    within_ms;       /* how far apart counterparts may lie   */
} overlay;

/** Draws the figure into a file, as wide as a journal's page; the ending of path decides the format. The file appears whole
 *  or not at all.  @return RV_OK, RV_FILE_ERROR or RV_OUT_OF_MEMORY, with a sentence in error (may be NULL) */
rv_status overlay_save(const overlay *o, const char *path, rv_error *error);

typedef struct canvas canvas; /* viz/canvas.h */

/** Draws the figure over a canvas. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status overlay_draw(const overlay *o, canvas *c);

#endif
