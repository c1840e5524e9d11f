/* Spikes of each population in bins of time, counted as they come: the rates over any span, without looking at spikes
 * again. The tally's own bins are 1 ms (a whole number of steps), and twice as long whenever there are too many.
 * Shorter ones, and parts of one, are counted from the history; where bins are more than 32 of the tally's own, parts
 * are estimated instead. It is cheapest with bins that are multiples of its own and begin at multiples of themselves.
 *
 * What was counted stays known when the history has lost the spikes. */
#ifndef RV_VIZ_TALLY_H
#define RV_VIZ_TALLY_H

#include "viz/feed.h"

typedef struct tally tally;

tally *tally_new(const feed *f);
void   tally_free(tally *t);

/** Counts what is new in the history. @return whether it is up to date (it stops after budget_seconds) */
bool tally_update(tally *t, double budget_seconds);

/** Mean rate per neuron of a population in n bins of bin_ms from from_ms on, spikes/s; NAN where spikes are not known,
 * and in a bin that is not over by now_ms. A spike at an edge belongs to the bin that begins there, as in
 * viz/histogram.h; a bin in which the recording begins is taken from there. @param rates result [n] */
void tally_rates(const tally *t, int population, double from_ms, double bin_ms, int n, double now_ms, double *rates);

#endif
