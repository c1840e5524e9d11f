/* Learning rules on spikes that are given: a network whose neurons spike when they are told to, random trains for it, and
 * the walk of a plain twin over the spikes of one synapse. */
#ifndef RV_TESTS_TOLD_H
#define RV_TESTS_TOLD_H

#include "tests/support/reference.h"

enum { MAX_PRE = 3, MAX_POST = 4, TOLD_DURATION = 320 /* ms, of random trains */ };

typedef struct trains {
    double         h; /* ms */
    rv_timing      timing;
    int            threads; /* 0: one */
    int            n_pre, n_post;
    reference_list pre[MAX_PRE], post[MAX_POST]; /* ms */
} trains;

/** Random trains on multiples of 1/1024 ms, so that equal times are equal: on average one spike each 6 ms, half of them on
 *  whole ms so that many coincide; sources also spike twice at once. Resolution 1/8 ms. */
trains random_trains(rv_timing timing);
void   free_trains(trains *t);

/** All sources to all targets with one rule. */
typedef struct synapse {
    const char       *rule;
    const rv_setting *settings; /* [n_settings], dendritic_fraction not among them */
    int               n_settings;
    double            w0, delay, dendritic_fraction; /* weight, ms, 1; a negative fraction: the rule has none */
} synapse;

typedef struct told {
    rv_net       *net;
    rv_population pre, post;
    rv_projection projection;
} told;

/** The membrane of the targets forgets within a step, so that V_m is what has just been delivered. */
told told_new(const trains *t, const synapse *s);

/** The weight of the first synapse when each presynaptic spike arrives. @param weights result [presynaptic spikes] */
void told_weights_on_arrival(const trains *t, const synapse *s, double duration_ms, double *weights);

/** One synapse of a twin, its spikes in the time of the synapse: those of the source come after the axonal, those of the
 *  target after the dendritic part of the delay. */
typedef struct twin_synapse {
    double         axonal, dendritic; /* ms */
    reference_list pre, post;         /* ms, as emitted */
    int64_t        n_pre, n_post;     /* so far, this spike not included */
    double         w;
    const void    *rule;              /* what the two functions want */
    void (*on_pre)(struct twin_synapse *s, double now);
    void (*on_post)(struct twin_synapse *s, double now);
    void (*until)(struct twin_synapse *s, double now); /* NULL: nothing happens between spikes */
} twin_synapse;

double twin_pre(const twin_synapse *s, int64_t k);  /* time at the synapse, ms */
double twin_post(const twin_synapse *s, int64_t k);

/** Lives until `now`, a time at the synapse. At equal times the postsynaptic spike comes first, unless it has no way to go.
 *  In exact timing an arrival at `now` is still to come. @return the weight */
double twin_live(twin_synapse *s, double now, rv_timing timing);

/** Compares every weight each ms and at the end with that of a twin. @param rule, on_pre, on_post, until of the twin
 *  @param tolerance of a weight @param prepare called with the network before it runs; may be NULL
 *  @return the largest deviation */
double told_compare(const trains *t, const synapse *s, const twin_synapse *twin, double tolerance, void (*prepare)(told *n), const char *name);

/** The same on the grid and in exact timing, for all places of the delay, delays of one step, and one and three threads. */
void told_compare_all(synapse s, const twin_synapse *twin, double tolerance, const char *name);

#endif
