#include "tests/support/pairs.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

/* Pearson's coefficient of the counts; not a number where they do not vary. */
double mean_over_pairs(const rv_trains *trains, double bin_ms)
{
    int64_t n = trains->n_neurons, n_bins = (int64_t)floor((trains->to_ms - trains->from_ms) / bin_ms), pairs = 0;
    double *counts = calloc((size_t)(n * n_bins), sizeof *counts), sum = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = trains->begin[i]; k < trains->begin[i + 1]; k++) {
            int64_t bin = (int64_t)ceil((trains->times_ms[k] - trains->from_ms) / bin_ms) - 1;
            if (bin < n_bins) counts[i * n_bins + bin]++;
        }
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < i; j++) {
            double r = gsl_stats_correlation(counts + i * n_bins, 1, counts + j * n_bins, 1, (size_t)n_bins);
            if (!isnan(r)) sum += r, pairs++;
        }
    free(counts);
    return sum / (double)pairs;
}
