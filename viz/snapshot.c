#include "viz/snapshot.h"

#include <string.h>

snapshot_shape snapshot_choose(const feed_population *source, const feed_population *target)
{
    snapshot_shape s = { .n_sources = source->size, .n_targets = target->size };
    int            side = (int)sqrt(FEED_MATRIX);
    if (source->columns > 0 && source->columns <= side && source->rows <= side && source->polarities <= 1) {
        int across = side / source->columns, down = side / source->rows;
        s.tile_columns = source->columns, s.tile_rows = source->rows;
        s.tiles = (int)fmin((double)target->size, (double)across * down);
        if (s.tiles < across * down) across = (int)fmin(across, ceil(sqrt(s.tiles)));
        s.columns = across * s.tile_columns, s.rows = (s.tiles + across - 1) / across * s.tile_rows;
    } else {
        s.columns = (int)fmin((double)source->size, side), s.rows = (int)fmin((double)target->size, side);
    }
    return s;
}

void snapshot_open(snapshot *s, const snapshot_shape *shape)
{
    memset(s, 0, sizeof *s);
    s->shape = *shape;
    s->low = INFINITY, s->high = -INFINITY;
}

/* Equal weights get a histogram around them. */
void snapshot_limits(snapshot *s)
{
    double margin = s->high > s->low ? 0 : fmax(fabs(s->low), 1) / 2;
    s->low -= margin, s->high += margin;
}

static int64_t cell_of(const snapshot_shape *m, int64_t source, int64_t target)
{
    if (m->tile_columns == 0) return target * m->rows / m->n_targets * m->columns + source * m->columns / m->n_sources;
    if (target >= m->tiles) return -1;
    int across = m->columns / m->tile_columns, x = (int)(source % m->tile_columns), y = (int)(source / m->tile_columns);
    return (target / across * m->tile_rows + y) * m->columns + target % across * m->tile_columns + x;
}

void snapshot_count(snapshot *s, int64_t source, int64_t target, double weight)
{
    int     bin = (int)((weight - s->low) / (s->high - s->low) * FEED_HISTOGRAM);
    int64_t cell = cell_of(&s->shape, source, target);
    s->bins[bin < 0 ? 0 : bin < FEED_HISTOGRAM ? bin : FEED_HISTOGRAM - 1]++;
    if (cell < 0) return;
    s->sum[cell] += weight;
    s->count[cell]++;
}

void snapshot_fill(const snapshot *s, int learning, double t_ms, feed_weights *w)
{
    const snapshot_shape *m = &s->shape;
    w->learning = learning, w->t_ms = t_ms, w->n_synapses = s->n;
    w->low = s->low, w->high = s->high, w->mean = s->sum_all / (double)s->n;
    for (int k = 0; k < FEED_HISTOGRAM; k++) w->histogram[k] = (double)s->bins[k] / (double)s->n;
    w->columns = m->columns, w->rows = m->rows;
    w->tile_columns = m->tile_columns, w->tile_rows = m->tile_rows, w->tiles = m->tiles;
    for (int k = 0; k < m->columns * m->rows; k++) w->cells[k] = s->count[k] ? (float)(s->sum[k] / s->count[k]) : NAN;
}
