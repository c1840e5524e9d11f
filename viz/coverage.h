/* Coverage: how often each pixel of a raster is covered by a spike, and the colours that shows it in. Every spike
 * covers a box of the size of its mark, shared among the pixels it touches (so that rows of neurons and steps of time
 * that are no multiples of a pixel make no moiré), and darkness follows the logarithm of the coverage (so that single
 * spikes and population bursts show in one picture). Figures (raster.c) and the window (live_raster.c) are made with
 * it. */
#ifndef RV_VIZ_COVERAGE_H
#define RV_VIZ_COVERAGE_H

#include <math.h>

#include "sim/ranvier.h"

/* ---- marks ----------------------------------------------------------------------------------------------------- */

/** What a spike of one population looks like, in points. */
typedef struct coverage_mark {
    double width, height;
    bool   stroke; /* else a dot of diameter width */
} coverage_mark;

/** Dots shrink with the number of spikes on the whole raster, such that a raster without overlaps would be a quarter
 *  ink; where every neuron has three points of its own, strokes are easier to read than dots.
 *  @param pitch points per neuron  @param width, height of the raster, points  @param per_neuron spikes of a neuron
 *  @param n_all spikes on the whole raster */
coverage_mark coverage_choose_mark(double pitch, double width, double height, double per_neuron, double n_all);

/** The box a mark covers, in pixels, at least one each way: a dot's has its area. */
void coverage_box(coverage_mark mark, double scale, double *width, double *height);

/* ---- the sum --------------------------------------------------------------------------------------------------- */

/** Columns lie together because spikes come in the order of time. They may be used as a ring: after the last one the
 *  first one comes again. */
typedef struct coverage {
    int    columns, rows;
    float *covered; /* [columns][rows] */
} coverage;

/** @param column 0 .. 2 * columns - 1 */
static inline float *coverage_column(const coverage *g, int column)
{
    return g->covered + (size_t)(column < g->columns ? column : column - g->columns) * (size_t)g->rows;
}

/** Adds a box of which x0..x1 and y0..y1 are the edges, in pixels, to columns from .. to - 1; each pixel gets the part
 * of its area that the box covers. */
static inline void coverage_add(const coverage *g, int from, int to, double x0, double x1, double y0, double y1)
{
    int column0 = x0 > from ? (int)x0 : from, row0 = y0 > 0 ? (int)y0 : 0;
    for (int column = column0; column < x1 && column < to; column++) {
        float *covered = coverage_column(g, column);
        double wide = (x1 < column + 1 ? x1 : column + 1) - (x0 > column ? x0 : column);
        for (int row = row0; row < y1 && row < g->rows; row++)
            covered[row] += (float)(wide * ((y1 < row + 1 ? y1 : row + 1) - (y0 > row ? y0 : row)));
    }
}

/** Adds a disc, as slices a pixel high: where dots are larger than two pixels one sees that boxes are none. */
static inline void coverage_add_disc(const coverage *g, int from, int to, double x, double y, double radius)
{
    double low = y - radius > 0 ? y - radius : 0, high = y + radius < g->rows ? y + radius : g->rows;
    while (low < high) {
        double next = floor(low) + 1 < high ? floor(low) + 1 : high, middle = (low + next) / 2 - y;
        double half = sqrt(fmax(radius * radius - middle * middle, 0));
        coverage_add(g, from, to, x - half, x + half, low, next);
        low = next;
    }
}

/* ---- its colours ----------------------------------------------------------------------------------------------- */

enum { COVERAGE_LEVELS = 4096, COVERAGE_SHADES = 1024 };

/** How many pixels hold how much, counted in levels up to `most`. */
typedef struct coverage_census {
    float  most;
    size_t holding; /* pixels with half a spike or more */
    double sum;     /* of what these hold               */
    int    counts[COVERAGE_LEVELS];
} coverage_census;

/** The largest of n values, at least `most`. */
float coverage_most(const float *covered, size_t n, float most);

/** Counts n pixels; census->most is given, what is above counts as the highest level. */
void coverage_count(coverage_census *census, const float *covered, size_t n);

/** The coverage that gets full colour: a high quantile of the pixels that hold a spike, but well above their mean, so
 *  that even activity is not a block of solid colour; at least 1. */
double coverage_full(const coverage_census *census);

/** The colours of a population's pixels, from the background to its own, by the square root of the coverage: finer
 * where it is low. */
typedef struct coverage_shades {
    double   full;
    uint32_t rgb[COVERAGE_SHADES + 1];
} coverage_shades;

void coverage_make_shades(coverage_shades *s, uint32_t colour, uint32_t background, double full);

static inline uint32_t coverage_shade(const coverage_shades *s, double covered)
{
    double part = covered / s->full;
    return s->rgb[(int)(sqrt(part < 1 ? part : 1) * COVERAGE_SHADES + 0.5)];
}

#endif
