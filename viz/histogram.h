/* Histograms: the rate over time, the inter-spike intervals, the neurons' mean rates.
 *
 * All of them read the spikes from f->from_ms to f->to_ms, both included: a spike of a simulation on a time grid
 * belongs to the end of its step. A figure given here has its choices made, see figure.c. */
#ifndef RV_VIZ_HISTOGRAM_H
#define RV_VIZ_HISTOGRAM_H

#include "viz/axes.h"
#include "viz/figure.h"

/** n bins of equal width from low on. */
typedef struct histogram {
    double  low, width;
    int     n;
    double *heights; /* [n] owned */
} histogram;

void   histogram_free(histogram *h);
double histogram_peak(const histogram *h);

/** A bin for the rate: a 1-2-5 number of ms, a 400th of the time shown or longer, such that a population
 *  has some five spikes in a bin. */
double histogram_choose_bin(const figure *f);

/** Mean rate per neuron of a population in bins of f->bin_ms, in spikes/s. A last bin that is cut off by to_ms is left
 *  out. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status histogram_rate(const figure *f, int population, histogram *h);

/** Fractions of the inter-spike intervals of single neurons, in ms; intervals beyond the last bin count, but are not
 *  shown. @param width, n the bins, from 0 on */
rv_status histogram_isi(const figure *f, int population, double width, int n, histogram *h);

/** Fractions of the neurons by mean rate, in spikes/s. @param counts_per_bin spikes of one neuron within the time
 *  shown: bins are whole numbers of spikes, others would be unequal  @param n bins, from 0 on */
rv_status histogram_rates(const figure *f, int population, int64_t counts_per_bin, int n, histogram *h);

/** The outline of a histogram, on axes that are in place. */
rv_status histogram_draw(canvas *c, const histogram *h, const axis *x, const axis *y, uint32_t colour, bool filled);

/** Whole panels, all populations together. @param outer holds axes and labels too */
rv_status histogram_isi_panel(canvas *c, const figure *f, axis_rect outer);
rv_status histogram_rates_panel(canvas *c, const figure *f, axis_rect outer);

#endif
