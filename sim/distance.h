/* How far two recordings of the same neurons are from each other: a network against its quantised self, one simulator
 * against another.
 *
 * First for two trains, over plain arrays: the distances of van Rossum and of Victor and Purpura, and which spikes have a
 * counterpart. Then for populations, neuron by neuron. Times are in ms and ascending. Nothing here is random. */
#ifndef RV_SIM_DISTANCE_H
#define RV_SIM_DISTANCE_H

#include "sim/statistics.h"

/** Times that differ by no more are the same time: a nanosecond is far below the step of any simulator, and far above what
 *  is lost when times are written in s, or as decimal numbers. */
#define RV_SAME_MS 1e-6

/* ---- two trains ------------------------------------------------------------------------------------------------ */

/** Van Rossum's distance D. Each spike becomes a step that decays, f(t) = sum_i H(t - a_i) exp(-(t - a_i)/tau), and
 *      D^2 = 1/tau  integral (f - g)^2 dt.
 *  One spike against none: D^2 = 1/2. One spike against one d later: D^2 = 1 - exp(-d/tau). Takes O(n_a + n_b).
 *  @param a [n_a] ascending, ms  @param b [n_b] ascending, ms  @param tau_ms above 0; small: coincidences count, large:
 *  numbers of spikes  @return D, dimensionless
 *  See van Rossum 2001, doi:10.1162/089976601300014321; Houghton & Kreuz 2012, doi:10.3109/0954898X.2012.673048. */
double rv_van_rossum(const double *a, int64_t n_a, const double *b, int64_t n_b, double tau_ms);

/** The distance of Victor and Purpura: the least cost of making b out of a by deleting a spike (1), inserting one (1), and
 *  shifting one (cost_per_ms for each ms). A cost of 0 compares the numbers of spikes; the larger it is, the nearer the
 *  distance comes to the number of spikes without one at the same time in the other train.
 *
 *  Shifting is worth it over less than 2/cost_per_ms only; the dynamic programme visits the pairs of spikes within that
 *  reach, some 5 ns each, and no others, and keeps one row. The result is exact.
 *  @param cost_per_ms 0 or more, finite  @param distance result, dimensionless
 *  @return RV_OK; RV_OUT_OF_RANGE with more than RV_VICTOR_PURPURA_PAIRS within reach; RV_OUT_OF_MEMORY
 *  See Victor & Purpura 1996, doi:10.1152/jn.1996.76.2.1310. */
rv_status rv_victor_purpura(const double *a, int64_t n_a, const double *b, int64_t n_b, double cost_per_ms,
                            double *distance);

#define RV_VICTOR_PURPURA_PAIRS 1e8

/** How many pairs of spikes are within reach of each other: what rv_victor_purpura() takes. */
double rv_victor_purpura_pairs(const double *a, int64_t n_a, const double *b, int64_t n_b, double cost_per_ms);

/** Which spikes of one train have a counterpart in the other, at most within_ms away. A spike is the counterpart of one
 *  spike only. Those at the same time (RV_SAME_MS) are each other's; of the others as many as possible find one, in the
 *  order of time.
 *  @param in_b [n_a] result  @param in_a [n_b] result  @return how many pairs */
int64_t rv_match_spikes(const double *a, int64_t n_a, const double *b, int64_t n_b, double within_ms, bool *in_b,
                        bool *in_a);

/* ---- populations ----------------------------------------------------------------------------------------------- */

/** Where two recordings of a population part: the earliest spike that one of them has and the other has not at the same
 *  time (RV_SAME_MS) in the same neuron; of several at once, that of the neuron with the lowest number. */
typedef struct rv_divergence {
    double  t_ms; /* NAN: the spikes are the same                        */
    int64_t neuron;
    bool    in_a; /* a has that spike and b lacks it; else the other way */
    double  largest_shift_ms; /* of spikes taken as the same             */
} rv_divergence;

/** @param a, b neurons that only one of them has are silent in the other */
rv_divergence rv_first_divergence(const rv_trains *a, const rv_trains *b);

/** What counts as near. */
typedef struct rv_nearness {
    double tau_ms;      /* of van Rossum's distance           */
    double cost_per_ms; /* of Victor and Purpura's            */
    double within_ms;   /* how far apart counterparts may lie */
} rv_nearness;

/** A distance over the neurons that spike in a or b. */
typedef struct rv_distances {
    double  mean, largest; /* NAN: no neuron could be measured */
    int64_t n;             /* neurons measured                 */
} rv_distances;

/** Both distances are normalised, so that neurons of different rates can be compared:
 *      van Rossum        D / sqrt((n_a + n_b)/2)
 *      Victor, Purpura   D / (n_a + n_b)
 *  0: the same spikes; 1: as far apart as trains in which no spike is near another one. Van Rossum's exceeds 1 where only
 *  one train has bursts. */
typedef struct rv_comparison {
    int64_t       n_neurons;       /* the larger number of a and b                        */
    int64_t       n_matched;       /* pairs of counterparts                               */
    double        coincident;      /* fraction of the spikes that have one; NAN: none     */
    rv_divergence first;
    rv_distances  van_rossum, victor_purpura;
    int64_t       every;           /* distances are of every this-th neuron, from 0 on    */
    bool         *in_b;            /* [spikes of a] has a counterpart, in a's order       */
    bool         *in_a;            /* [spikes of b]                                       */
} rv_comparison;

/** Compares two recordings of a population. If Victor and Purpura's distance of all neurons took more than
 *  RV_VICTOR_PURPURA_PAIRS pairs, both distances are of some neurons, drawn evenly; a neuron that alone takes more is left
 *  out of that distance.
 *  @param a, b in the same window  @param result for rv_comparison_free()  @return RV_OK or RV_OUT_OF_MEMORY */
rv_status rv_compare(const rv_trains *a, const rv_trains *b, const rv_nearness *near, rv_comparison *result);
void      rv_comparison_free(rv_comparison *comparison);

#endif
