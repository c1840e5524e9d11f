/* A snapshot of weights for the feed: limits, histogram, and the matrix or the receptive fields. Made in two passes, as the
 * limits come first:
 *
 *   snapshot_open(&s);     for all synapses  snapshot_extend(&s, w);
 *   snapshot_limits(&s);   for all synapses  snapshot_count(&s, source, target, w);
 *   snapshot_fill(&s, feed_weights_begin(f));  feed_weights_end(f); */
#ifndef RV_VIZ_SNAPSHOT_H
#define RV_VIZ_SNAPSHOT_H

#include <math.h>

#include "viz/feed.h"

/** How a projection is shown: cells of neighbouring neurons, or tiles, one for each target. */
typedef struct snapshot_shape {
    int64_t n_sources, n_targets;
    int     columns, rows, tile_columns, tile_rows, tiles; /* as in feed_weights */
} snapshot_shape;

typedef struct snapshot {
    snapshot_shape shape;
    int64_t        n;
    double         low, high, sum_all;
    int64_t        bins[FEED_HISTOGRAM];
    double         sum[FEED_MATRIX];
    int32_t        count[FEED_MATRIX];
} snapshot;

/** Sources that are a sheet of pixels are shown as receptive fields, of as many targets as there is room for. */
snapshot_shape snapshot_choose(const feed_population *source, const feed_population *target);

void snapshot_open(snapshot *s, const snapshot_shape *shape);

static inline void snapshot_extend(snapshot *s, double weight)
{
    s->low = fmin(s->low, weight), s->high = fmax(s->high, weight);
    s->sum_all += weight, s->n++;
}

void snapshot_limits(snapshot *s);
void snapshot_count(snapshot *s, int64_t source, int64_t target, double weight);

/** @param learning which projection of the feed  @param t_ms when the weights were so */
void snapshot_fill(const snapshot *s, int learning, double t_ms, feed_weights *w);

#endif
