#include "viz/live_image.h"
#include "sim/clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 1024, /* pairs between looks at the clock, some 10 us */
    CHUNK = 32,   /* columns */
    SLACK = 128,  /* columns kept beyond those that are seen */
    STRIP = 16,   /* columns coloured together: a line of the cache */
    CENSUS = 16,  /* frames for one look at all pixels */
    REST = 10,    /* frames without a change until the colours settle */
};
enum { DIRTY = 1, COUNTED = 2 }; /* its colours are old; its counts are in the totals */

static const double APPROACH = 0.1;  /* per frame, of the scale to its target, in logarithms */
static const double STEP = 0.02;     /* the eye does not see the scale change by less */
static const double FARTHEST = 4e15; /* columns from 0: beyond, a double cannot count them */
static const double FAR = 1e8;       /* pixels: nowhere in the image, and a number of type int */

/* ------------------------------------------------------------------------------------------- geometry --- */

rv_status live_geometry_new(live_geometry *g, const feed *f)
{
    *g = (live_geometry){ .bands = calloc((size_t)f->n_populations + 1, sizeof *g->bands),
                          .boxes = calloc((size_t)f->n_populations + 1, sizeof *g->boxes) };
    if (g->bands && g->boxes) return RV_OK;
    live_geometry_free(g);
    return RV_OUT_OF_MEMORY;
}

void live_geometry_free(live_geometry *g)
{
    free(g->bands);
    free(g->boxes);
    *g = (live_geometry){ 0 };
}

void live_geometry_copy(live_geometry *to, const live_geometry *from, const feed *f)
{
    raster_band *bands = to->bands;
    live_box    *boxes = to->boxes;
    memcpy(bands, from->bands, (size_t)f->n_populations * sizeof *bands);
    memcpy(boxes, from->boxes, (size_t)f->n_populations * sizeof *boxes);
    *to = *from;
    to->bands = bands, to->boxes = boxes;
}

bool live_geometry_same(const live_geometry *a, const live_geometry *b, const feed *f, bool boxes)
{
    bool same = a->plot.y == b->plot.y && a->plot.height == b->plot.height && a->scale == b->scale &&
                a->ms_per_column == b->ms_per_column && a->columns == b->columns && a->rows == b->rows;
    for (int i = 0; i < f->n_populations && same; i++) {
        same = a->bands[i].height == b->bands[i].height;
        if (a->bands[i].height > 0) same = same && a->bands[i].y == b->bands[i].y;
        if (boxes && a->bands[i].height > 0)
            same = same && a->boxes[i].half_width == b->boxes[i].half_width && a->boxes[i].height == b->boxes[i].height;
    }
    return same;
}

int64_t live_image_column(const live_image *m, double t_ms)
{
    return (int64_t)fmin(fmax(floor(t_ms * (1 / m->g.ms_per_column)), -FARTHEST), FARTHEST);
}

static double column_ms(const live_image *m, int64_t column) { return (double)column * m->g.ms_per_column; }

int live_image_slot(const live_image *m, int64_t column)
{
    int64_t slot = (column - m->anchor) % m->sum.columns;
    return (int)(slot < 0 ? slot + m->sum.columns : slot);
}

static double within(double pixels) { return pixels > FAR ? FAR : pixels < -FAR ? -FAR : pixels; }

/* ---------------------------------------------------------------------------------------------- lines --- */

/* Neurons that are lower than a line share one, which counts them all. One that is higher has several of its own: its
 * spikes are counted on the middle one that is seen, and the others look there. @return the line, -1: not seen */
static int own_lines(live_image *m, double middle, double pitch)
{
    if (pitch < 1) return middle >= 0 && middle < m->g.rows ? (int)middle : -1;
    int from = (int)fmax(ceil(middle - pitch / 2 - 0.5), 0);
    int to = (int)fmin(ceil(middle + pitch / 2 - 0.5), m->g.rows) - 1;
    if (to < from) return -1;
    int counted = (int)fmin(fmax(floor(middle), from), to);
    for (int line = from; line <= to; line++) m->line_counted[line] = counted;
    return counted;
}

static void place_neurons(live_image *m, int population)
{
    const feed_population *p = &m->feed->population[population];
    raster_band            band = m->g.bands[population];
    double                 height = m->g.boxes[population].height, pitch = band.height * m->g.scale / (double)p->size;
    for (int64_t i = 0; i < p->size; i++) {
        live_place *place = &m->place[p->first_row + i];
        double      middle = (raster_neuron_y(band, p->size, (double)i) - m->g.plot.y) * m->g.scale;
        bool        seen = band.height > 0 && middle + height / 2 > 0 && middle - height / 2 < m->g.rows;
        *place = (live_place){ (float)within(middle - height / 2), -1, (uint16_t)population };
        if (band.height > 0) place->line = (int16_t)own_lines(m, middle, pitch);
        if (!seen && place->line < 0) place->population = LIVE_HIDDEN;
        if (place->line < 0) continue;
        m->line_neurons[place->line]++;
        if (pitch < 1) m->line_counted[place->line] = place->line;
    }
}

static int population_at(const live_image *m, double y)
{
    int    nearest = 0;
    double smallest = INFINITY;
    for (int i = 0; i < m->feed->n_populations; i++) {
        raster_band band = m->g.bands[i];
        double      distance = fmax(fmax(band.y - y, y - band.y - band.height), 0);
        if (band.height > 0 && distance < smallest) smallest = distance, nearest = i;
    }
    return nearest;
}

static void place_all(live_image *m)
{
    memset(m->line_neurons, 0, (size_t)m->g.rows * sizeof *m->line_neurons);
    for (int line = 0; line < m->g.rows; line++) {
        m->line_counted[line] = -1;
        m->line_population[line] = population_at(m, m->g.plot.y + (line + 0.5) / m->g.scale);
    }
    for (int i = 0; i < m->feed->n_populations; i++) place_neurons(m, i);
}

/* --------------------------------------------------------------------------------------------- sources --- */

/* Spikes that the history has lost may be in the one that was fetched. Where that reaches up to the oldest pair kept,
 * pairs of that very time are taken from it, for some of them are lost. */
static void find_sources(live_image *m)
{
    const feed *f = m->feed;
    double oldest = history_oldest(f->spikes), from = atomic_load(&f->older_from_ms), to = atomic_load(&f->older_to_ms);
    int64_t first, end;
    history_kept(f->spikes, &first, &end);
    bool lost = first > 0 && to > from, joined = lost && from < oldest && to >= oldest;
    m->older_from_ms = from, m->older_to_ms = to;
    m->source[0] = (live_source){ f->older, -INFINITY, lost ? (joined ? oldest : to) : -INFINITY, 0 };
    m->source[1] = (live_source){ f->spikes, joined ? oldest : -INFINITY, INFINITY, 0 };
    m->known_ms = INFINITY;
}

/* The first pair of a source that is later than now. */
static int64_t first_later(const live_source *s, double now_ms)
{
    return history_find(s->pairs, nextafter(fmin(now_ms, s->until), INFINITY));
}

/* The time of the pair before the next one, -INFINITY if it is not there. */
static double last_before(const live_source *s)
{
    int64_t at = s->next - 1;
    double  t_ms, row;
    return at >= 0 && history_read(s->pairs, &at, 1, &t_ms, &row) && at == s->next - 1 ? t_ms : -INFINITY;
}

bool live_image_current(const live_image *m, double from_ms)
{
    int64_t first, end;
    history_kept(m->feed->spikes, &first, &end);
    if (m->stale || (first == end && m->last_ms > -INFINITY)) return false; /* the history was cleared */
    double from = atomic_load(&m->feed->older_from_ms), to = atomic_load(&m->feed->older_to_ms);
    if (from == m->older_from_ms && to == m->older_to_ms) return true;
    return from_ms - m->pad * m->g.ms_per_column > fmax(to, m->older_to_ms);
}

/* --------------------------------------------------------------------------------------------- columns --- */

static void leave_totals(live_image *m, int slot)
{
    if (!(m->flags[slot] & COUNTED)) return;
    const uint32_t *counts = m->counts + (size_t)slot * (size_t)m->g.rows;
    for (int line = 0; line < m->g.rows; line++) m->totals[line] -= counts[line];
    m->flags[slot] &= (uint8_t)~COUNTED;
}

static void enter_totals(live_image *m, int slot)
{
    const uint32_t *counts = m->counts + (size_t)slot * (size_t)m->g.rows;
    for (int line = 0; line < m->g.rows; line++) m->totals[line] += counts[line];
    m->flags[slot] |= COUNTED;
}

/* The column a slot holds, if it is one that is done; the others are beyond done_to. */
static int64_t column_in(const live_image *m, int slot)
{
    int64_t column = m->anchor + slot;
    while (column < m->done_from) column += m->sum.columns;
    return column;
}

static bool in_view(const live_image *m, int slot)
{
    int64_t column = column_in(m, slot);
    return column < m->done_to && column >= m->shown_from && column < m->shown_to;
}

static void update_totals(live_image *m)
{
    for (int slot = 0; slot < m->sum.columns; slot++) {
        bool shown = in_view(m, slot);
        if (shown && !(m->flags[slot] & COUNTED)) enter_totals(m, slot);
        if (!shown) leave_totals(m, slot);
    }
}

/* Columns from .. to - 1 that are done are going to change. */
static void touch(live_image *m, int64_t from, int64_t to)
{
    if (from < m->done_from) from = m->done_from;
    if (to > m->done_to) to = m->done_to;
    for (int64_t column = from; column < to; column++) {
        int slot = live_image_slot(m, column);
        leave_totals(m, slot);
        m->flags[slot] |= DIRTY;
    }
}

static void empty_column(live_image *m, int64_t column)
{
    int    slot = live_image_slot(m, column);
    size_t at = (size_t)slot * (size_t)m->g.rows, n = (size_t)m->g.rows;
    leave_totals(m, slot);
    m->flags[slot] |= DIRTY;
    memset(m->sum.covered + at, 0, n * sizeof *m->sum.covered);
    memset(m->counts + at, 0, n * sizeof *m->counts);
}

/* So that the columns from `lowest` on, as many as the ring has, are less than two rings from the anchor. */
static void move_anchor(live_image *m, int64_t lowest)
{
    int64_t rings = (lowest - m->anchor) / m->sum.columns;
    if (lowest - m->anchor - rings * m->sum.columns < 0) rings--;
    m->anchor += rings * m->sum.columns;
}

/* The places of n rows. On its own because they lie all over the memory: here a processor fetches many at a time. */
static void find_places(const live_image *m, const double *row, int64_t n, live_place *place)
{
    double neurons = (double)m->feed->n_rows;
    for (int64_t k = 0; k < n; k++)
        place[k] =
            row[k] >= 0 && row[k] < neurons ? m->place[(int64_t)row[k]] : (live_place){ .population = LIVE_HIDDEN };
}

/* Adds what a pair at x, in pixels from the anchor, puts into columns from .. to - 1. */
static void add_pair(live_image *m, live_place place, double x, int from, int to)
{
    if (place.population == LIVE_HIDDEN) return;
    live_box box = m->g.boxes[place.population];
    double   left = x - box.half_width, right = x + box.half_width;
    if (!(right > from && left < to)) return;
    if (box.disc) coverage_add_disc(&m->sum, from, to, x, place.top + box.half_width, box.half_width);
    else coverage_add(&m->sum, from, to, left, right, place.top, place.top + box.height);
    if (place.line < 0 || x < from || x >= to) return;
    int slot = (int)x < m->sum.columns ? (int)x : (int)x - m->sum.columns;
    m->counts[(size_t)slot * (size_t)m->g.rows + (size_t)place.line]++;
}

/* The same for boxes of one pixel, the usual ones where spikes are many: those that lie within the image and cross no
 * end of the ring touch four pixels, without loops whose lengths a processor had to guess. */
static void add_pixels(live_image *m, const double *x, const live_place *places, int64_t n, int from, int to)
{
    const int columns = m->sum.columns, rows = m->g.rows;
    float    *covered = m->sum.covered;
    uint32_t *counts = m->counts;
    for (int64_t k = 0; k < n; k++) {
        live_place place = places[k];
        double     left = x[k] - 0.5;
        int        column = (int)left, row = (int)place.top, slot = column < columns ? column : column - columns;
        if (!(left >= from && column < to - 1 && place.line >= 0 && place.top >= 0 && row < rows - 1) ||
            slot == columns - 1) {
            add_pair(m, place, x[k], from, to);
            continue;
        }
        int64_t at = (int64_t)slot * rows + row;
        float   far = (float)(left - column), low = place.top - (float)row, near = 1 - far, high = 1 - low;
        covered[at] += near * high, covered[at + 1] += near * low;
        covered[at + rows] += far * high, covered[at + rows + 1] += far * low;
        counts[(int64_t)(slot + (far >= 0.5f)) * rows + place.line]++;
    }
}

/* Adds what n pairs put into columns from .. to - 1. */
static void add_pairs(live_image *m, const double *t_ms, const double *row, int64_t n, int64_t from_column,
                      int64_t to_column)
{
    live_place places[BATCH];
    double     x[BATCH], per_ms = 1 / m->g.ms_per_column, anchor = (double)m->anchor;
    int        from = (int)(from_column - m->anchor), to = (int)(to_column - m->anchor);
    find_places(m, row, n, places);
    for (int64_t k = 0; k < n; k++) x[k] = within(t_ms[k] * per_ms - anchor);
    if (m->pixels) add_pixels(m, x, places, n, from, to);
    else
        for (int64_t k = 0; k < n; k++) add_pair(m, places[k], x[k], from, to);
}

/* How many of n ascending times are at most `last`. */
static int64_t count_until(const double *t_ms, int64_t n, double last)
{
    int64_t low = 0, high = n;
    if (n > 0 && t_ms[n - 1] <= last) return n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (t_ms[middle] <= last) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* ---------------------------------------------------------------------------------------------- chunks --- */

static void begin_chunk(live_image *m, int64_t from, int64_t to)
{
    m->chunk = (live_chunk){ .from = from, .to = to };
    move_anchor(m, from < m->done_from ? from : m->done_from);
    for (int64_t column = from; column < to; column++) empty_column(m, column);
    for (int s = 0; s < 2; s++)
        m->chunk.at[s] = history_find(m->source[s].pairs,
                                      fmax(column_ms(m, from - m->pad), nextafter(m->source[s].after, INFINITY)));
}

/* Reads what reaches into the chunk, up to the pairs that will be fed to it later. @return whether there is no more */
static bool fill_chunk(live_image *m, int s, double deadline)
{
    double t[BATCH], row[BATCH], last = column_ms(m, m->chunk.to + m->pad);
    while (m->chunk.at[s] < m->source[s].next) {
        int64_t wanted = m->source[s].next - m->chunk.at[s];
        int64_t n = history_read(m->source[s].pairs, &m->chunk.at[s], wanted < BATCH ? wanted : BATCH, t, row);
        int64_t within = count_until(t, n, last), left = m->source[s].next - m->chunk.at[s]; /* some may be lost */
        if (within > left) within = left > 0 ? left : 0;
        add_pairs(m, t, row, within, m->chunk.from, m->chunk.to);
        m->chunk.at[s] += within;
        if (within < n || n == 0) return true;
        if (clock_seconds() >= deadline) return false;
    }
    return true;
}

/* From when on the spikes of a chunk that begins at a time are there to be read. */
static double known_from(const live_image *m, double from_ms)
{
    int64_t first, end;
    double  oldest = history_oldest(m->feed->spikes);
    bool    fetched = m->source[0].until > -INFINITY;
    history_kept(m->feed->spikes, &first, &end);
    if (first == 0) return from_ms;
    if (fetched && (from_ms <= m->older_to_ms || m->older_to_ms >= oldest)) return fmax(from_ms, m->older_from_ms);
    return fmax(from_ms, oldest);
}

static void join_chunk(live_image *m)
{
    m->known_ms = fmin(m->known_ms, known_from(m, column_ms(m, m->chunk.from)));
    if (m->done_from == m->done_to) m->done_from = m->chunk.from, m->done_to = m->chunk.to;
    else if (m->chunk.from == m->done_to) m->done_to = m->chunk.to;
    else m->done_from = m->chunk.from;
    touch(m, m->chunk.from, m->chunk.to); /* frames may have passed since it was begun */
    m->chunk = (live_chunk){ 0 };
}

/* One chunk more at the right or the left. @return whether it was completed */
static bool advance_chunk(live_image *m, int64_t wanted_from, int64_t wanted_to, double deadline)
{
    if (m->chunk.from == m->chunk.to) {
        int64_t from = m->done_from - CHUNK - 4 * m->pad, to = m->done_to + CHUNK + 4 * m->pad;
        if (m->done_to < wanted_to) begin_chunk(m, m->done_to, to < wanted_to ? to : wanted_to);
        else begin_chunk(m, from > wanted_from ? from : wanted_from, m->done_from);
    }
    for (int s = 0; s < 2; s++)
        if (!fill_chunk(m, s, deadline)) return false;
    join_chunk(m);
    return true;
}

/* ------------------------------------------------------------------------------------------------ feed --- */

/* Adds the pairs up to now that are new. @return whether there are no more */
static bool feed_source(live_image *m, live_source *s, double now_ms, double deadline)
{
    double t[BATCH], row[BATCH], limit = fmin(now_ms, s->until);
    while (limit > -INFINITY) {
        int64_t n = history_read(s->pairs, &s->next, BATCH, t, row), within = count_until(t, n, limit);
        if (within > 0) {
            if (s == &m->source[1] && t[0] < m->last_ms) m->stale = true; /* time began anew */
            touch(m, live_image_column(m, t[0]) - m->pad, live_image_column(m, t[within - 1]) + m->pad + 1);
            if (m->done_to > m->done_from) add_pairs(m, t, row, within, m->done_from, m->done_to);
            if (s == &m->source[1]) m->last_ms = t[within - 1];
        }
        s->next += within;
        if (within < n || n < BATCH) return true;
        if (clock_seconds() >= deadline) return false;
    }
    return true;
}

/* Pairs that lie before everything that is done need not be looked at. */
static void skip(live_image *m, live_source *s, double now_ms)
{
    int64_t later = first_later(s, now_ms);
    if (later - s->next <= BATCH) return;
    int64_t first = history_find(s->pairs, column_ms(m, m->done_from - m->pad));
    if (m->done_from == m->done_to) first = later;
    if (first > s->next) s->next = first < later ? first : later;
}

/* Now is earlier than it was: what the later pairs reach is not done. */
static void go_back(live_image *m, double now_ms)
{
    for (int s = 0; s < 2; s++) {
        int64_t next = first_later(&m->source[s], now_ms), column = live_image_column(m, now_ms) - m->pad;
        if (next >= m->source[s].next) continue;
        m->source[s].next = next;
        m->last_ms = fmin(m->last_ms, now_ms);
        if (column < m->done_to) m->done_to = column > m->done_from ? column : m->done_from;
        m->chunk = (live_chunk){ 0 };
    }
}

/* Lets columns go that are far from those wanted, and the chunk if it is not beside those that stay. */
static void trim(live_image *m, int64_t from, int64_t to)
{
    if (m->done_from < from - SLACK) m->done_from = from - SLACK;
    if (m->done_to > to + SLACK) m->done_to = to + SLACK;
    if (m->done_to < m->done_from || m->done_from > to || m->done_to < from) m->done_from = m->done_to = to;
    live_chunk c = m->chunk;
    if (c.to != m->done_from && c.from != m->done_to) m->chunk = (live_chunk){ 0 };
    if (c.from < from - SLACK || c.to > to + SLACK) m->chunk = (live_chunk){ 0 };
    move_anchor(m, m->chunk.from < m->chunk.to && m->chunk.from < m->done_from ? m->chunk.from : m->done_from);
}

bool live_image_advance(live_image *m, double from_ms, double to_ms, double now_ms, double deadline)
{
    int64_t from = live_image_column(m, from_ms), to = live_image_column(m, to_ms) + 1;
    int64_t now_column = live_image_column(m, now_ms) + 1;
    bool    fed = true, in_time = true; /* all is fed; there is time left */
    if (to - from > m->g.columns) from = to - m->g.columns;
    if (now_ms < m->now_ms) go_back(m, now_ms);
    m->now_ms = now_ms;
    trim(m, from, to);
    while (in_time && m->done_to > m->done_from && m->done_to < to)
        in_time = advance_chunk(m, from, to, deadline) && (clock_seconds() < deadline || m->done_to >= to);
    for (int s = 0; s < 2 && fed; s++) {
        skip(m, &m->source[s], now_ms);
        fed = in_time && feed_source(m, &m->source[s], now_ms, deadline);
    }
    while (in_time && fed && (m->done_from > from || m->done_to < to))
        in_time = advance_chunk(m, from, to, deadline) && clock_seconds() < deadline;
    bool complete = fed && !m->stale && m->done_from <= from && m->done_to >= to;
    if (now_column < to) to = now_column;
    if (from != m->shown_from || to != m->shown_to) m->idle = 0;
    m->shown_from = from, m->shown_to = to;
    update_totals(m);
    return complete;
}

/* --------------------------------------------------------------------------------------------- colours --- */

/* The scale that is right for the columns shown, at once. */
static void measure_scale(live_image *m)
{
    size_t rows = (size_t)m->g.rows;
    m->census = (coverage_census){ .most = 1 };
    for (int slot = 0; slot < m->sum.columns; slot++)
        if (in_view(m, slot))
            m->census.most = coverage_most(m->sum.covered + (size_t)slot * rows, rows, m->census.most);
    for (int slot = 0; slot < m->sum.columns; slot++)
        if (in_view(m, slot)) coverage_count(&m->census, m->sum.covered + (size_t)slot * rows, rows);
    m->target = m->full = coverage_full(&m->census);
    m->census = (coverage_census){ .most = m->census.most };
    m->census_at = 0, m->census_most = 1;
}

/* Looks at some of the columns; when it has been round, the scale has a new target. */
static void follow_scale(live_image *m)
{
    size_t rows = (size_t)m->g.rows;
    for (int k = 0; k <= m->sum.columns / CENSUS; k++) {
        const float *covered = m->sum.covered + (size_t)m->census_at * rows;
        if (in_view(m, m->census_at)) {
            m->census_most = coverage_most(covered, rows, m->census_most);
            coverage_count(&m->census, covered, rows);
        }
        if (++m->census_at < m->sum.columns) continue;
        m->target = coverage_full(&m->census);
        m->census = (coverage_census){ .most = m->census_most };
        m->census_at = 0, m->census_most = 1;
    }
    m->full *= pow(m->target / m->full, APPROACH);
}

static bool to_be_coloured(const live_image *m, int slot)
{
    return m->flags[slot] & DIRTY && column_in(m, slot) < m->done_to;
}

static void colour_slots(live_image *m, int from, int to)
{
    for (int line = 0; line < m->g.rows; line++) {
        const coverage_shades *shades = &m->shades[m->line_population[line]];
        const float           *covered = m->sum.covered + line;
        uint32_t              *rgb = m->rgb + (size_t)line * (size_t)m->sum.columns;
        for (int slot = from; slot < to; slot++)
            rgb[slot] = coverage_shade(shades, covered[(size_t)slot * (size_t)m->g.rows]);
    }
    for (int slot = from; slot < to; slot++) m->flags[slot] &= (uint8_t)~DIRTY;
}

static void make_shades(live_image *m, const uint32_t *colours, uint32_t background)
{
    for (int i = 0; i < m->feed->n_populations || i == 0; i++) /* the first one is for a raster without any, too */
        if (m->g.bands[i].height > 0 || i == 0)
            coverage_make_shades(&m->shades[i], m->feed->n_populations > 0 ? colours[i] : background, background,
                                 m->full);
    for (int slot = 0; slot < m->sum.columns; slot++) m->flags[slot] |= DIRTY;
    m->recolour = false;
}

void live_image_colour(live_image *m, const uint32_t *colours, uint32_t background, bool at_once)
{
    double coloured = m->shades[m->line_population[0]].full;
    for (int slot = 0; slot < m->sum.columns; slot++)
        if (to_be_coloured(m, slot)) m->idle = 0;
    if (at_once || ++m->idle == REST) measure_scale(m);
    else if (m->idle < REST) follow_scale(m);
    bool far = fabs(log(m->full / coloured)) > STEP || (m->idle >= REST && m->full != coloured);
    if (m->recolour || at_once || far) make_shades(m, colours, background);
    for (int slot = 0; slot < m->sum.columns; slot++) {
        if (!to_be_coloured(m, slot)) continue;
        int to = slot + 1;
        while (to < m->sum.columns && to - slot < STRIP && to_be_coloured(m, to)) to++;
        colour_slots(m, slot, to);
        slot = to - 1;
    }
}

void live_image_rates(live_image *m, double *rates)
{
    int64_t last = m->shown_to < m->done_to ? m->shown_to : m->done_to;
    int64_t first = m->shown_from > m->done_from ? m->shown_from : m->done_from;
    double  begin = fmax(fmax(column_ms(m, first), m->known_ms), atomic_load(&m->feed->begin_ms));
    double  seconds = (fmin(column_ms(m, last), m->now_ms) - begin) / 1000;
    for (int line = 0; line < m->g.rows; line++) {
        int counted = m->line_counted[line];
        rates[line] = NAN;
        if (counted >= 0 && seconds > 0) rates[line] = m->totals[counted] / (seconds * m->line_neurons[counted]);
    }
}

/* ---------------------------------------------------------------------------------------------- making --- */

static void free_pixels(live_image *m)
{
    free(m->sum.covered);
    free(m->counts);
    free(m->rgb);
    free(m->flags);
    free(m->totals);
    free(m->line_counted);
    free(m->line_neurons);
    free(m->line_population);
    m->sum.covered = NULL, m->counts = m->rgb = m->totals = NULL, m->flags = NULL;
    m->line_counted = m->line_neurons = m->line_population = NULL;
    m->room = 0, m->room_columns = m->room_rows = 0;
}

void live_image_free(live_image *m)
{
    free_pixels(m);
    free(m->place);
    free(m->shades);
    live_geometry_free(&m->g);
    *m = (live_image){ 0 };
}

static rv_status make_room(live_image *m, int columns, int rows)
{
    size_t n = (size_t)columns * (size_t)rows;
    if (columns <= m->room_columns && rows <= m->room_rows && n <= m->room) return RV_OK;
    free_pixels(m);
    m->sum.covered = malloc(n * sizeof *m->sum.covered);
    m->counts = malloc(n * sizeof *m->counts);
    m->rgb = malloc(n * sizeof *m->rgb);
    m->flags = malloc((size_t)columns);
    m->totals = malloc((size_t)rows * sizeof *m->totals);
    m->line_counted = malloc((size_t)rows * sizeof *m->line_counted);
    m->line_neurons = malloc((size_t)rows * sizeof *m->line_neurons);
    m->line_population = malloc((size_t)rows * sizeof *m->line_population);
    m->room = n, m->room_columns = columns, m->room_rows = rows;
    bool all = m->sum.covered && m->counts && m->rgb && m->flags && m->totals && m->line_counted && m->line_neurons &&
               m->line_population;
    if (!all) free_pixels(m);
    return all ? RV_OK : RV_OUT_OF_MEMORY;
}

static rv_status make_tables(live_image *m, const feed *f)
{
    rv_status status = m->g.bands ? RV_OK : live_geometry_new(&m->g, f);
    if (!m->place) m->place = malloc((size_t)(f->n_rows + 1) * sizeof *m->place);
    if (!m->shades) m->shades = calloc((size_t)f->n_populations + 1, sizeof *m->shades);
    return m->place && m->shades ? status : RV_OUT_OF_MEMORY;
}

static void look_at_boxes(live_image *m)
{
    double widest = 0;
    m->pixels = true;
    for (int i = 0; i < m->feed->n_populations; i++) {
        live_box box = m->g.boxes[i];
        widest = fmax(widest, box.half_width);
        m->pixels &= !(m->g.bands[i].height > 0) || (box.half_width == 0.5 && box.height == 1);
    }
    m->pad = (int)ceil(widest) + 1;
}

rv_status live_image_start(live_image *m, const feed *f, const live_geometry *g, double now_ms)
{
    int columns = g->columns + 2 * SLACK;
    m->there = false;
    rv_status status = make_tables(m, f);
    if (status == RV_OK) status = make_room(m, columns, g->rows);
    if (status != RV_OK) return status;
    m->feed = f, m->there = true;
    live_geometry_copy(&m->g, g, f);
    m->sum.columns = columns, m->sum.rows = g->rows;
    m->now_ms = now_ms, m->chunk = (live_chunk){ 0 }, m->idle = 0, m->recolour = true;
    m->anchor = 0, m->done_from = m->done_to = INT64_MIN, m->stale = false;
    memset(m->flags, 0, (size_t)columns);
    memset(m->totals, 0, (size_t)g->rows * sizeof *m->totals);
    look_at_boxes(m);
    find_sources(m);
    for (int s = 0; s < 2; s++) m->source[s].next = first_later(&m->source[s], now_ms);
    m->last_ms = last_before(&m->source[1]);
    place_all(m);
    return RV_OK;
}
