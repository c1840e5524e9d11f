#include "sim/distance.h"

#include <math.h>
#include <stdlib.h>

/* ---- van Rossum ------------------------------------------------------------------------------------------------ */

/* Between two events f - g is one exponential, d exp(-t/tau), of which the square's integral is
 *   d^2 (1 - exp(-2 interval/tau)) / 2      (in units of tau),
 * so one walk along both trains keeps d alone: the markage of Houghton and Kreuz, with a sign. All terms are positive,
 * hence nothing cancels where trains are nearly the same, as it would in the sum over pairs. */
double rv_van_rossum(const double *a, int64_t n_a, const double *b, int64_t n_b, double tau_ms)
{
    double  d = 0, twice = 0;
    int64_t i = 0, j = 0;
    while (i < n_a || j < n_b) {
        double t = j == n_b || (i < n_a && a[i] <= b[j]) ? a[i] : b[j];
        for (; i < n_a && a[i] <= t; i++) d++;
        for (; j < n_b && b[j] <= t; j++) d--;
        double next = fmin(i < n_a ? a[i] : INFINITY, j < n_b ? b[j] : INFINITY);
        double lost = expm1(-(next - t) / tau_ms); /* exp() - 1: exact for short intervals too */
        twice += d * d * -lost * (2 + lost);
        d *= 1 + lost;
    }
    return sqrt(twice / 2);
}

/* ---- Victor and Purpura ---------------------------------------------------------------------------------------- */

/* The spikes of b within reach of t: begin .. end - 1. Both move on as t does. */
static void move_reach(const double *b, int64_t n_b, double t, double cost, int64_t *begin, int64_t *end)
{
    while (*begin < n_b && b[*begin] < t && cost * (t - b[*begin]) >= 2) (*begin)++;
    if (*end < *begin) *end = *begin;
    while (*end < n_b && (b[*end] <= t || cost * (b[*end] - t) < 2)) (*end)++;
}

double rv_victor_purpura_pairs(const double *a, int64_t n_a, const double *b, int64_t n_b, double cost_per_ms)
{
    int64_t begin = 0, end = 0;
    double  pairs = 0;
    if (cost_per_ms == 0) return 0;
    for (int64_t i = 0; i < n_a; i++) {
        move_reach(b, n_b, a[i], cost_per_ms, &begin, &end);
        pairs += (double)(end - begin);
    }
    return pairs;
}

/* The paper's recursion G(i, j) for the first i and j spikes, in terms of what shifts save against deleting and inserting,
 * S = i + j - G:
 *   S(i, j) = max( S(i-1, j), S(i, j-1), S(i-1, j-1) + 2 - cost |a_i - b_j| )
 * Row i differs from row i - 1 only from the first spike of b within reach of a_i on, and is flat behind the last. Hence
 * the array holds S(i, .) up to `known`, behind which it would repeat saved[known].
 * @param saved [n_b + 1] */
static double most_saved(const double *a, int64_t n_a, const double *b, int64_t n_b, double cost, double *saved)
{
    int64_t begin = 0, end = 0, known = 0;
    saved[0] = 0;
    for (int64_t i = 0; i < n_a; i++) {
        move_reach(b, n_b, a[i], cost, &begin, &end);
        for (; known < end; known++) saved[known + 1] = saved[known];
        double diagonal = saved[begin];
        for (int64_t j = begin; j < end; j++) {
            double shifted = diagonal + 2 - cost * fabs(a[i] - b[j]);
            diagonal = saved[j + 1];
            saved[j + 1] = fmax(fmax(diagonal, saved[j]), shifted);
        }
    }
    return saved[known];
}

rv_status rv_victor_purpura(const double *a, int64_t n_a, const double *b, int64_t n_b, double cost_per_ms,
                            double *distance)
{
    *distance = fabs((double)(n_a - n_b));
    if (cost_per_ms == 0) return RV_OK;
    if (rv_victor_purpura_pairs(a, n_a, b, n_b, cost_per_ms) > RV_VICTOR_PURPURA_PAIRS) return RV_OUT_OF_RANGE;
    double *saved = malloc(((size_t)n_b + 1) * sizeof *saved);
    if (!saved) return RV_OUT_OF_MEMORY;
    *distance = (double)(n_a + n_b) - most_saved(a, n_a, b, n_b, cost_per_ms, saved);
    free(saved);
    return RV_OK;
}

/* ---- counterparts ---------------------------------------------------------------------------------------------- */

/* Pairs what is still free, the earliest with the earliest: no other choice makes more pairs. */
static int64_t match_free(const double *a, int64_t n_a, const double *b, int64_t n_b, double within_ms, bool *in_b,
                          bool *in_a)
{
    int64_t i = 0, j = 0, n = 0;
    while (i < n_a && j < n_b) {
        if (in_b[i]) i++;
        else if (in_a[j]) j++;
        else if (fabs(a[i] - b[j]) <= within_ms) in_b[i++] = in_a[j++] = true, n++;
        else if (a[i] < b[j]) i++;
        else j++;
    }
    return n;
}

int64_t rv_match_spikes(const double *a, int64_t n_a, const double *b, int64_t n_b, double within_ms, bool *in_b,
                        bool *in_a)
{
    for (int64_t i = 0; i < n_a; i++) in_b[i] = false;
    for (int64_t j = 0; j < n_b; j++) in_a[j] = false;
    int64_t same = match_free(a, n_a, b, n_b, RV_SAME_MS, in_b, in_a);
    return same + match_free(a, n_a, b, n_b, within_ms, in_b, in_a);
}

/* ---- populations ----------------------------------------------------------------------------------------------- */

static int64_t larger(int64_t x, int64_t y) { return x > y ? x : y; }

/* The spikes of neuron i, from index `first` on; none if there is no such neuron. */
typedef struct span {
    int64_t       first, n;
    const double *times_ms; /* [n] */
} span;

static span span_of(const rv_trains *trains, int64_t i)
{
    int64_t last = trains->n_neurons, first = trains->begin[i < last ? i : last];
    return (span){ first, i < last ? trains->begin[i + 1] - first : 0, trains->times_ms + first };
}

static double time_of(span s, int64_t k) { return k < s.n ? s.times_ms[k] : INFINITY; }

rv_divergence rv_first_divergence(const rv_trains *a, const rv_trains *b)
{
    rv_divergence first = { .t_ms = NAN };
    for (int64_t i = 0; i < larger(a->n_neurons, b->n_neurons); i++) {
        span    in_a = span_of(a, i), in_b = span_of(b, i);
        int64_t k = 0;
        for (; k < in_a.n && k < in_b.n; k++) {
            double shift = fabs(in_a.times_ms[k] - in_b.times_ms[k]);
            if (shift > RV_SAME_MS) break;
            first.largest_shift_ms = fmax(first.largest_shift_ms, shift);
        }
        double t = fmin(time_of(in_a, k), time_of(in_b, k));
        if (t == INFINITY || t >= first.t_ms) continue; /* never >= NAN */
        first.t_ms = t, first.neuron = i, first.in_a = time_of(in_a, k) == t;
    }
    return first;
}

static void include(rv_distances *d, double distance)
{
    if (d->n++ == 0) d->mean = 0;
    d->mean += distance; /* the sum, until all are in */
    d->largest = fmax(d->largest, distance);
}

static rv_status measure_neuron(span a, span b, const rv_nearness *near, rv_comparison *result)
{
    double n = (double)(a.n + b.n), changes;
    if (n == 0) return RV_OK;
    include(&result->van_rossum, rv_van_rossum(a.times_ms, a.n, b.times_ms, b.n, near->tau_ms) / sqrt(n / 2));
    rv_status status = rv_victor_purpura(a.times_ms, a.n, b.times_ms, b.n, near->cost_per_ms, &changes);
    if (status == RV_OK) include(&result->victor_purpura, changes / n);
    return status == RV_OUT_OF_RANGE ? RV_OK : status;
}

/* How many neurons apart those are that together take no more than one neuron may. */
static int64_t choose_every(const rv_trains *a, const rv_trains *b, int64_t n_neurons, double cost_per_ms)
{
    double pairs = 0;
    for (int64_t i = 0; i < n_neurons; i++) {
        span in_a = span_of(a, i), in_b = span_of(b, i);
        pairs += rv_victor_purpura_pairs(in_a.times_ms, in_a.n, in_b.times_ms, in_b.n, cost_per_ms);
    }
    return (int64_t)fmax(fmin(ceil(pairs / RV_VICTOR_PURPURA_PAIRS), (double)n_neurons), 1);
}

static rv_status measure_distances(const rv_trains *a, const rv_trains *b, const rv_nearness *near, rv_comparison *result)
{
    rv_status status = RV_OK;
    result->van_rossum = result->victor_purpura = (rv_distances){ .mean = NAN, .largest = NAN };
    result->every = choose_every(a, b, result->n_neurons, near->cost_per_ms);
    for (int64_t i = 0; i < result->n_neurons && status == RV_OK; i += result->every)
        status = measure_neuron(span_of(a, i), span_of(b, i), near, result);
    result->van_rossum.mean /= (double)result->van_rossum.n;
    result->victor_purpura.mean /= (double)result->victor_purpura.n;
    return status;
}

static void match_neurons(const rv_trains *a, const rv_trains *b, double within_ms, rv_comparison *result)
{
    for (int64_t i = 0; i < result->n_neurons; i++) {
        span in_a = span_of(a, i), in_b = span_of(b, i);
        result->n_matched += rv_match_spikes(in_a.times_ms, in_a.n, in_b.times_ms, in_b.n, within_ms,
                                             result->in_b + in_a.first, result->in_a + in_b.first);
    }
    double n = (double)(a->begin[a->n_neurons] + b->begin[b->n_neurons]);
    result->coincident = n > 0 ? 2 * (double)result->n_matched / n : NAN;
}

rv_status rv_compare(const rv_trains *a, const rv_trains *b, const rv_nearness *near, rv_comparison *result)
{
    *result = (rv_comparison){ .n_neurons = larger(a->n_neurons, b->n_neurons) };
    result->in_b = malloc((size_t)a->begin[a->n_neurons] + 1);
    result->in_a = malloc((size_t)b->begin[b->n_neurons] + 1);
    rv_status status = result->in_b && result->in_a ? RV_OK : RV_OUT_OF_MEMORY;
    if (status == RV_OK) {
        match_neurons(a, b, near->within_ms, result);
        result->first = rv_first_divergence(a, b);
        status = measure_distances(a, b, near, result);
    }
    if (status != RV_OK) rv_comparison_free(result);
    return status;
}

void rv_comparison_free(rv_comparison *comparison)
{
    free(comparison->in_b);
    free(comparison->in_a);
    *comparison = (rv_comparison){ 0 };
}
