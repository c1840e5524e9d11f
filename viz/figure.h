/* Figures: spikes and samples drawn on a canvas, saved as .png, .svg or .pdf. */
#ifndef RV_VIZ_FIGURE_H
#define RV_VIZ_FIGURE_H

#include "sim/ranvier.h"

typedef struct figure_spikes {
    const char    *name;
    int64_t        size;       /* neurons                               */
    bool           inhibitory; /* red and above; else blue and below    */
    int64_t        n;
    const double  *times_ms;   /* [n] ascending                         */
    const int64_t *neurons;    /* [n] 0..size-1                         */
} figure_spikes;

typedef struct figure_trace {
    const char   *label, *unit; /* "V_m", "mV"                          */
    int64_t       n;
    const double *times_ms;     /* [n] */
    const double *values;       /* [n] */
    double        threshold;    /* a dashed line; NAN for none          */
} figure_trace;

/** A curve or a set of points y over x on its own axes, for scripts: f-I curves, the STDP window. */
typedef struct figure_curve {
    const char   *label, *x_label, *y_label;
    int64_t       n;
    const double *x, *y; /* [n] */
    bool          points;
} figure_curve;

typedef enum figure_panels {
    FIGURE_RASTER = 1,
    FIGURE_RATE   = 2,  /* below the raster, sharing its time axis; unit spikes/s */
    FIGURE_TRACES = 4,
    FIGURE_ISI    = 8,  /* histogram of the inter-spike intervals                 */
    FIGURE_RATES  = 16, /* histogram of the neurons' mean rates                   */
    FIGURE_CURVES = 32,
} figure_panels;

typedef struct figure {
    const char          *title; /* NULL: none */
    const figure_spikes *spikes;
    int                  n_spikes;
    const figure_trace  *traces;
    int                  n_traces;
    const figure_curve  *curves;
    int                  n_curves;
    unsigned             panels;         /* 0: raster and rate if there are spikes, traces and curves if there are any */
    double               from_ms, to_ms; /* both 0: all                            */
    double               bin_ms;         /* of the rate; 0: chosen from the data   */
    double               width, height;  /* in points (1/72 inch); 0: chosen       */
    double               dpi;            /* of a PNG; 0: 200                       */
} figure;

/** Draws the figure into a file; the ending of path decides the format.
 *  @return RV_OK, RV_FILE_ERROR, or RV_OUT_OF_RANGE with a sentence in error (may be NULL) */
rv_status figure_save(const figure *f, const char *path, rv_error *error);

#endif
