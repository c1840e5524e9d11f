/* Lines through samples: membrane traces on the time axis of the raster, and curves on axes of their own. */
#ifndef RV_VIZ_CURVES_H
#define RV_VIZ_CURVES_H

#include "viz/axes.h"
#include "viz/figure.h"

/** canvas_polyline() for any number of points: those that follow each other in one column of pixels are replaced by
 *  the first, the lowest, the highest and the last, which look the same. */
void curves_line(canvas *c, canvas_pen pen, const double *x, const double *y, int64_t n);

/** The vertical axis of a trace: its values within from_ms..to_ms, the threshold, and room for the spikes' strokes. */
axis curves_trace_axis(const figure_trace *trace, double from_ms, double to_ms);

/** A trace on axes that are in place. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status curves_draw_trace(canvas *c, const figure_trace *trace, const axis *time, const axis *y);

/** How many curves from the first on share axes. @param n of them  */
int curves_sharing(const figure_curve *first, int n);

/** How many of n curves have a label: the lines of their legend. */
int curves_names(const figure_curve *curves, int n);

/** A panel with n curves that share axes. @param names lines left for the legend, at least curves_names()
 *  @param outer holds legend, axes and labels too */
rv_status curves_panel(canvas *c, const figure_curve *curves, int n, int names, axis_rect outer);

#endif
