/* Statistics of spike trains, over plain arrays.
 *
 * Times are in ms, ascending within a neuron; rates are in Hz. A window [from, to] counts the spikes with
 * from < t <= to: on a grid a spike belongs to the step at whose end it lies, so a run of 0 to T has its spikes in
 * (0, T]. What is not defined (the variability of one spike) is NAN. */
#ifndef RV_SIM_STATISTICS_H
#define RV_SIM_STATISTICS_H

#include "sim/ranvier.h"

/** Spikes of a population sorted by neuron: those of neuron i are times_ms[begin[i] .. begin[i + 1]). */
typedef struct rv_trains {
    int64_t  n_neurons;
    int64_t *begin;    /* [n_neurons + 1]     */
    double  *times_ms; /* [begin[n_neurons]]  */
    double   from_ms, to_ms;
} rv_trains;

/** Sorts spikes by neuron, keeping those of the window.
 *  @param times_ms [n] ascending  @param neurons [n], 0..n_neurons-1
 *  @param trains result, for rv_trains_free()
 *  @return RV_OK; RV_OUT_OF_RANGE if a neuron is outside 0..n_neurons-1 or times descend; RV_OUT_OF_MEMORY */
rv_status rv_trains_new(const double *times_ms, const int64_t *neurons, int64_t n, int64_t n_neurons, double from_ms,
                        double to_ms, rv_trains *trains);
void      rv_trains_free(rv_trains *trains);

/** Spikes per neuron and second. 0 for a window of no length. */
double rv_mean_rate(const rv_trains *trains);

/** The rate of each neuron. @param rates [n_neurons] result, Hz */
void rv_rates(const rv_trains *trains, double *rates);

/** All inter-spike intervals, neuron by neuron. @param isi_ms [spikes] result @return their number */
int64_t rv_isi(const rv_trains *trains, double *isi_ms);

/** Coefficient of variation of the inter-spike intervals, std(ISI)/mean(ISI); 1 for a Poisson train. The standard
 *  deviation is that of the intervals themselves (divided by their number, not one less), as elephant's.
 *  @param times_ms [n] spike times of one neuron, ascending; borrowed
 *  @param cv result, dimensionless; NAN if n < 3
 *  @return RV_OK, or RV_OUT_OF_RANGE if the times are not ascending
 *  See Softky & Koch 1993, doi:10.1523/JNEUROSCI.13-01-00334.1993. */
rv_status rv_isi_cv(const double *times_ms, int64_t n, double *cv);

/** Mean of rv_isi_cv() over the neurons with three spikes or more; NAN if there are none. */
double rv_mean_isi_cv(const rv_trains *trains);

/** Fano factor, variance/mean of the spike counts in windows of window_ms that fill from..to; mean over the neurons
 *  that spike in them. 1 for Poisson trains. The variance is the unbiased one. NAN with fewer than two windows. */
double rv_fano_factor(const rv_trains *trains, double window_ms);

/** Mean correlation coefficient (Pearson) of the spike counts in bins of bin_ms over all pairs of neurons whose counts vary;
 *  exact, and its time grows with spikes + bins, not with pairs. NAN without a pair. */
double rv_mean_correlation(const rv_trains *trains, double bin_ms);

/** Synchrony chi of the spike counts in bins of bin_ms: chi^2 = Var(mean over neurons) / mean over neurons of Var.
 *  1 if all neurons spike together, about 1/sqrt(n_neurons) if they are independent (Golomb 2007,
 *  doi:10.4249/scholarpedia.1347). NAN if nothing varies. */
double rv_synchrony(const rv_trains *trains, double bin_ms);

/** A hash of the spikes of a population: its name, and neuron and the bits of the time of each spike in order. The
 *  hash of several populations is the sum of theirs, so that their order does not matter.
 *  @param times_ms [n] @param neurons [n] */
uint64_t rv_spike_hash(const char *population, const double *times_ms, const int64_t *neurons, int64_t n);

/** Mean, and standard deviation (divided by n - 1), of a list; NAN for too few. */
double rv_mean(const double *x, int64_t n);
double rv_sd(const double *x, int64_t n);

#endif
