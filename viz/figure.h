/* Figures: spikes and samples drawn on a canvas, saved as .png, .svg or .pdf.
 *
 * A figure is a description: what was recorded, and which panels to draw. Zero means "choose": with only the spikes
 * given one gets a raster and the rates, 174 mm wide. All arrays are borrowed. NaN and infinite values are skipped.
 *
 *   figure f = { .spikes = populations, .n_spikes = 2, .title = "asynchronous irregular" };
 *   if (figure_save(&f, "brunel.pdf", &error) != RV_OK) puts(error.text);
 *
 * Conventions. Time runs to the right, in ms, or in s if more than 5 s are shown. Populations are stacked in the order
 * given, excitatory ones from below in cold colours (the first is blue), inhibitory ones above them in warm colours
 * (vermilion); all of these are told apart by colour-blind people (Okabe & Ito 2008). Heights are proportional to
 * sizes, but a small population stays readable. Few spikes are drawn as dots or strokes; many as an image in which
 * darkness is the density of spikes, in vector files too, so that ten million spikes make a small file. */
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
    int64_t       n_spikes;
    const double *spikes_ms;    /* [n_spikes] of this neuron, drawn as strokes from the threshold up; may be NULL */
} figure_trace;

/** A curve or a set of points y over x on its own axes, for scripts: f-I curves, the STDP window. Neighbours with
 *  the same x_label and y_label share their axes, and their labels become the legend. A label of an axis holds its
 *  unit: "I_e (pA)". */
typedef struct figure_curve {
    const char   *label, *x_label, *y_label;
    int64_t       n;
    const double *x, *y; /* [n] */
    bool          points;
} figure_curve;

typedef enum figure_panels {
    FIGURE_RASTER = 1,
    FIGURE_RATE   = 2,  /* below the raster, sharing its time axis; unit spikes/s, mean per neuron           */
    FIGURE_TRACES = 4,  /* below the rate, one strip each, same time axis                                    */
    FIGURE_ISI    = 8,  /* histogram of the inter-spike intervals up to four times their mean                */
    FIGURE_RATES  = 16, /* histogram of the neurons' mean rates                                              */
    FIGURE_CURVES = 32,
} figure_panels;

typedef struct figure {
    const char          *title; /* NULL: none */
    const figure_spikes *spikes;
    int                  n_spikes; /* populations */
    const figure_trace  *traces;
    int                  n_traces;
    const figure_curve  *curves;
    int                  n_curves;
    unsigned             panels;         /* 0: raster and rate if there are spikes, traces and curves if any */
    double               from_ms, to_ms; /* both 0: all                            */
    double               bin_ms;         /* of the rate; 0: chosen from the data   */
    double               width, height;  /* in points (1/72 inch); 0: chosen       */
    double               dpi;            /* of a PNG; 0: 200                       */
} figure;

/** Draws the figure into a file; the ending of path decides the format. The file appears whole or not at all.
 *  @return RV_OK, RV_FILE_ERROR, RV_OUT_OF_MEMORY, or RV_OUT_OF_RANGE with a sentence in error (may be NULL) */
rv_status figure_save(const figure *f, const char *path, rv_error *error);

typedef struct canvas canvas; /* viz/canvas.h */

/** Draws the figure on a canvas, for a window; width and height are the canvas's. */
rv_status figure_draw(const figure *f, canvas *c, rv_error *error);

/** Where figure_draw() puts a datum, in points on the canvas.
 *  @param panel FIGURE_RASTER (index: population, value: neuron), FIGURE_RATE (value: spikes/s) or FIGURE_TRACES
 *               (index: trace, value in the trace's unit)
 *  @return RV_OUT_OF_RANGE if the figure has no such panel */
rv_status figure_locate(const figure *f, canvas *c, figure_panels panel, int index, double t_ms, double value,
                        double *x, double *y);

#endif
