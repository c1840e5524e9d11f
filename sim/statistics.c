#include "sim/statistics.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double rv_mean(const double *x, int64_t n) { return n < 1 ? NAN : gsl_stats_mean(x, 1, (size_t)n); }
double rv_sd(const double *x, int64_t n) { return n < 2 ? NAN : gsl_stats_sd(x, 1, (size_t)n); }

/* ---- trains --------------------------------------------------------------------------------------------------- */

static bool inside(const rv_trains *trains, double t) { return t > trains->from_ms && t <= trains->to_ms; }

/* Counts in begin[i + 1], so that the sums are the beginnings. */
static rv_status count_spikes(const double *times_ms, const int64_t *neurons, int64_t n, rv_trains *trains)
{
    for (int64_t k = 0; k < n; k++) {
        if (neurons[k] < 0 || neurons[k] >= trains->n_neurons) return RV_OUT_OF_RANGE;
        if (k > 0 && times_ms[k] < times_ms[k - 1]) return RV_OUT_OF_RANGE;
        if (inside(trains, times_ms[k])) trains->begin[neurons[k] + 1]++;
    }
    for (int64_t i = 0; i < trains->n_neurons; i++) trains->begin[i + 1] += trains->begin[i];
    return RV_OK;
}

rv_status rv_trains_new(const double *times_ms, const int64_t *neurons, int64_t n, int64_t n_neurons, double from_ms,
                        double to_ms, rv_trains *trains)
{
    *trains = (rv_trains){ .n_neurons = n_neurons, .from_ms = from_ms, .to_ms = to_ms };
    trains->begin = calloc((size_t)n_neurons + 1, sizeof *trains->begin);
    if (!trains->begin) return RV_OUT_OF_MEMORY;
    rv_status status = count_spikes(times_ms, neurons, n, trains);
    int64_t   kept = trains->begin[n_neurons];
    int64_t  *next = malloc(((size_t)n_neurons + 1) * sizeof *next);
    trains->times_ms = malloc(((size_t)kept + 1) * sizeof *trains->times_ms);
    if (status == RV_OK && (!next || !trains->times_ms)) status = RV_OUT_OF_MEMORY;
    if (status == RV_OK) {
        memcpy(next, trains->begin, (size_t)n_neurons * sizeof *next);
        for (int64_t k = 0; k < n; k++)
            if (inside(trains, times_ms[k])) trains->times_ms[next[neurons[k]]++] = times_ms[k];
    } else {
        rv_trains_free(trains);
    }
    free(next);
    return status;
}

void rv_trains_free(rv_trains *trains)
{
    free(trains->begin);
    free(trains->times_ms);
    *trains = (rv_trains){ 0 };
}

static int64_t train_length(const rv_trains *trains, int64_t i) { return trains->begin[i + 1] - trains->begin[i]; }
static const double *train(const rv_trains *trains, int64_t i) { return trains->times_ms + trains->begin[i]; }

/* ---- rates and intervals -------------------------------------------------------------------------------------- */

static double seconds(const rv_trains *trains) { return 1e-3 * (trains->to_ms - trains->from_ms); }

double rv_mean_rate(const rv_trains *trains)
{
    double neuron_seconds = seconds(trains) * (double)trains->n_neurons;
    return neuron_seconds > 0 ? (double)trains->begin[trains->n_neurons] / neuron_seconds : 0;
}

void rv_rates(const rv_trains *trains, double *rates)
{
    double s = seconds(trains);
    for (int64_t i = 0; i < trains->n_neurons; i++) rates[i] = s > 0 ? (double)train_length(trains, i) / s : 0;
}

int64_t rv_isi(const rv_trains *trains, double *isi_ms)
{
    int64_t n = 0;
    for (int64_t i = 0; i < trains->n_neurons; i++)
        for (int64_t k = 1; k < train_length(trains, i); k++)
            isi_ms[n++] = train(trains, i)[k] - train(trains, i)[k - 1];
    return n;
}

rv_status rv_isi_cv(const double *times_ms, int64_t n, double *cv)
{
    *cv = NAN;
    for (int64_t k = 1; k < n; k++)
        if (times_ms[k] < times_ms[k - 1]) return RV_OUT_OF_RANGE;
    if (n < 3) return RV_OK;
    double mean = (times_ms[n - 1] - times_ms[0]) / (double)(n - 1), squares = 0;
    for (int64_t k = 1; k < n; k++) {
        double deviation = times_ms[k] - times_ms[k - 1] - mean;
        squares += deviation * deviation;
    }
    *cv = sqrt(squares / (double)(n - 1)) / mean;
    return RV_OK;
}

double rv_mean_isi_cv(const rv_trains *trains)
{
    double  sum = 0, cv;
    int64_t n = 0;
    for (int64_t i = 0; i < trains->n_neurons; i++) {
        rv_isi_cv(train(trains, i), train_length(trains, i), &cv);
        if (!isnan(cv)) sum += cv, n++;
    }
    return n ? sum / (double)n : NAN;
}

/* ---- counts in bins ------------------------------------------------------------------------------------------- */

/* Whole bins that fill the window; a remainder shorter than a bin is left out. The tolerance is for lengths such as
 * 0.3 ms in bins of 0.1 ms, which is 2.9999999999999996 in floating point. */
static int64_t bins_in_window(const rv_trains *trains, double bin_ms)
{
    if (!(bin_ms > 0) || !(trains->to_ms > trains->from_ms)) return 0;
    return (int64_t)floor((trains->to_ms - trains->from_ms) / bin_ms * (1 + 1e-12) + 1e-9);
}

/* The bin (from + k bin, from + (k + 1) bin] of a time; a spike on the edge belongs to the bin it ends. */
static int64_t bin_of(const rv_trains *trains, double t, double bin_ms)
{
    int64_t k = (int64_t)ceil((t - trains->from_ms) / bin_ms - 1e-9) - 1;
    return k < 0 ? 0 : k;
}

static void count_in_bins(const rv_trains *trains, int64_t i, double bin_ms, double *counts, int64_t n_bins)
{
    memset(counts, 0, (size_t)n_bins * sizeof *counts);
    for (int64_t k = 0; k < train_length(trains, i); k++) {
        int64_t bin = bin_of(trains, train(trains, i)[k], bin_ms);
        if (bin < n_bins) counts[bin]++;
    }
}

double rv_fano_factor(const rv_trains *trains, double window_ms)
{
    int64_t n_bins = bins_in_window(trains, window_ms), n = 0;
    double *counts = n_bins > 1 ? malloc((size_t)n_bins * sizeof *counts) : NULL, sum = 0;
    for (int64_t i = 0; counts && i < trains->n_neurons; i++) {
        count_in_bins(trains, i, window_ms, counts, n_bins);
        double mean = rv_mean(counts, n_bins);
        if (mean > 0) sum += gsl_stats_variance_m(counts, 1, (size_t)n_bins, mean) / mean, n++;
    }
    free(counts);
    return n ? sum / (double)n : NAN;
}

/* A random 64-bit number as a function of seed and counter (splitmix64, Steele et al. 2014). */
static uint64_t mixed(uint64_t seed, uint64_t counter)
{
    uint64_t z = seed + 0x9e3779b97f4a7c15u * (counter + 1);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Mean and variance of a neuron's counts. They need the counts only where they are not zero: sum and sum of squares, found
 * by walking along the ascending train. */
static void count_moments(const rv_trains *trains, int64_t i, double bin_ms, int64_t n_bins, double *mean,
                          double *variance)
{
    double  sum = 0, squares = 0, here = 0;
    int64_t last = -1;
    for (int64_t k = 0; k < train_length(trains, i); k++) {
        int64_t bin = bin_of(trains, train(trains, i)[k], bin_ms);
        if (bin >= n_bins) break;
        if (bin != last) squares += here * here, here = 0, last = bin;
        here++, sum++;
    }
    squares += here * here;
    *mean = sum / (double)n_bins;
    *variance = squares / (double)n_bins - *mean * *mean;
}

/* Adds a neuron's counts, times a weight, to those of others. */
static void add_counts(const rv_trains *trains, int64_t i, double bin_ms, double weight, double *total, int64_t n_bins)
{
    for (int64_t k = 0; k < train_length(trains, i); k++) {
        int64_t bin = bin_of(trains, train(trains, i)[k], bin_ms);
        if (bin < n_bins) total[bin] += weight;
    }
}

/* From the variance of the sum of the neurons' standardised counts z_i in T bins:
 *   sum_t (sum_i z_i(t))^2 / T = sum_ij r_ij = N + N (N - 1) mean(r_ij, i != j)
 * which costs one walk along the trains, not one for each pair. */
double rv_mean_correlation(const rv_trains *trains, double bin_ms)
{
    int64_t n_bins = bins_in_window(trains, bin_ms);
    double *sum = n_bins > 1 ? calloc((size_t)n_bins, sizeof *sum) : NULL, offset = 0, n = 0, mean, variance;
    if (!sum) return NAN;
    for (int64_t i = 0; i < trains->n_neurons; i++) {
        count_moments(trains, i, bin_ms, n_bins, &mean, &variance);
        if (!(variance > 1e-12 * mean * mean)) continue; /* does not vary, but for rounding */
        add_counts(trains, i, bin_ms, 1 / sqrt(variance), sum, n_bins);
        offset += mean / sqrt(variance);
        n++;
    }
    double together = gsl_stats_variance_with_fixed_mean(sum, 1, (size_t)n_bins, offset);
    free(sum);
    return n > 1 ? (together - n) / (n * (n - 1)) : NAN;
}

double rv_synchrony(const rv_trains *trains, double bin_ms)
{
    int64_t n_bins = bins_in_window(trains, bin_ms);
    double *total = n_bins > 1 ? calloc((size_t)n_bins, sizeof *total) : NULL, single = 0,
           n = (double)trains->n_neurons;
    if (!total) return NAN;
    for (int64_t i = 0; i < trains->n_neurons; i++) {
        double mean, variance;
        count_moments(trains, i, bin_ms, n_bins, &mean, &variance);
        add_counts(trains, i, bin_ms, 1, total, n_bins);
        single += variance / n;
    }
    double mean = rv_mean(total, n_bins),
           together = gsl_stats_variance_with_fixed_mean(total, 1, (size_t)n_bins, mean) / (n * n);
    free(total);
    return single > 0 ? sqrt(together / single) : NAN;
}

/* ---- hash ----------------------------------------------------------------------------------------------------- */

/* FNV-1a over words instead of bytes, with a shift that brings the high bits back down. */
static uint64_t add_word(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x100000001b3u;
    return hash ^ (hash >> 32);
}

uint64_t rv_spike_hash(const char *population, const double *times_ms, const int64_t *neurons, int64_t n)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = population; *c; c++) hash = add_word(hash, (unsigned char)*c);
    for (int64_t k = 0; k < n; k++) {
        uint64_t bits;
        memcpy(&bits, &times_ms[k], sizeof bits);
        hash = add_word(add_word(hash, (uint64_t)neurons[k]), bits);
    }
    return mixed(hash, (uint64_t)n);
}
