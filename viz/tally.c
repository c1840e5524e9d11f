/* A book for each of the two histories: how many spikes of each population there were before each edge of its bins.
 * Rates are differences of two entries, whatever the span. When a book is full its bins become twice as long. */
#include "viz/tally.h"
#include "sim/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 4096,           /* pairs between looks at the clock */
    MOST_BINS = 1 << 20,    /* of a book, */
    MOST_ENTRIES = 1 << 26, /* of all populations: 256 MB */
};

static const double OWN_BIN = 1; /* ms */
static const double ROUNDING =
    1e-9; /* bins, as in viz/histogram.c: 0.3 / 0.1 is less than 3, and must fall into bin 3 */
static const double ALIGNED = 1e-6; /* bins: an edge that is nearer to one of ours is ours */
static const double LONG = 32;      /* of our bins: in longer ones a part of one of ours may be estimated */

typedef struct book {
    const history *pairs;
    int64_t        next;                 /* pair not yet counted                        */
    double         known_ms, counted_ms; /* all spikes from .. to are counted; NAN: none */
    double         bin_ms;
    int64_t        first, n, room; /* edge k is at (first + k) * bin_ms, k = 0..n; the last bin is being filled */
    uint32_t      *before;         /* [room][populations] spikes before edge k; may wrap, for differences count */
} book;

struct tally {
    const feed *feed;
    book        book[2]; /* older, spikes */
    double      older_from_ms, older_to_ms;
    double      own_ms;
};

/* The shortest bin: a whole number of steps, so that none holds a step more than its neighbours. */
static double own_bin(const feed *f)
{
    double step = f->resolution_ms;
    return step > 0 ? step * ceil(OWN_BIN / step - ROUNDING) : OWN_BIN;
}

static size_t    row_bytes(const tally *t) { return (size_t)t->feed->n_populations * sizeof(uint32_t); }
static uint32_t *entry(const tally *t, const book *b, int64_t k) { return b->before + k * t->feed->n_populations; }

static void begin_book(const tally *t, book *b, const history *pairs, double known_ms)
{
    int64_t end;
    b->pairs = pairs, b->n = 0, b->bin_ms = t->own_ms, b->known_ms = b->counted_ms = known_ms;
    history_kept(pairs, &b->next, &end);
}

tally *tally_new(const feed *f)
{
    tally *t = calloc(1, sizeof *t);
    if (!t) return NULL;
    t->feed = f, t->own_ms = own_bin(f);
    begin_book(t, &t->book[1], f->spikes, NAN);
    return t;
}

void tally_free(tally *t)
{
    if (!t) return;
    for (int i = 0; i < 2; i++) free(t->book[i].before);
    free(t);
}

/* --------------------------------------------------------------------------------------------- counting --- */

/* Bins of twice the length: every second edge stays. Edges are numbered from time 0, so the first may have to move
 * down, where there is nothing. */
static void halve(const tally *t, book *b)
{
    int64_t first = b->first >= 0 ? b->first / 2 : -((1 - b->first) / 2), last = b->first + b->n;
    int64_t n = (last >= 0 ? (last + 1) / 2 : -(-last / 2)) - first;
    for (int64_t k = 0; k <= n; k++) {
        int64_t old = 2 * (first + k) - b->first;
        memmove(entry(t, b, k), entry(t, b, old < 0 ? 0 : old < b->n ? old : b->n), row_bytes(t));
    }
    b->first = first, b->n = n, b->bin_ms *= 2;
}

static bool grow(const tally *t, book *b, int64_t n)
{
    int64_t most = MOST_ENTRIES / (t->feed->n_populations + 1);
    if (most > MOST_BINS) most = MOST_BINS;
    if (n + 1 <= b->room) return true;
    if (n + 1 > most) return false;
    int64_t   room = 2 * n + 1000 < most ? 2 * n + 1000 : most;
    uint32_t *before = realloc(b->before, (size_t)room * row_bytes(t) + 1);
    if (before) b->before = before, b->room = room;
    return before;
}

/* Makes the bin of a time the last one. @return whether there is one */
static bool open_bin(const tally *t, book *b, double t_ms)
{
    for (;;) {
        double bin = floor(t_ms / b->bin_ms + ROUNDING);
        if (!(fabs(bin) < 1e15)) return false;
        if (b->n == 0) {
            if (!grow(t, b, 1)) return false;
            b->first = (int64_t)bin, b->n = 1;
            memset(b->before, 0, 2 * row_bytes(t));
        }
        int64_t n = (int64_t)bin - b->first + 1;
        if (n <= b->n) return n >= 1;
        bool fits = grow(t, b, n);
        if (!fits && n < 4) return false; /* no memory for anything */
        for (; fits && b->n < n; b->n++) memcpy(entry(t, b, b->n + 1), entry(t, b, b->n), row_bytes(t));
        if (fits) return true;
        halve(t, b);
    }
}

static void count_batch(const tally *t, book *b, const double *t_ms, const double *row, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        int64_t neuron;
        double  end = (double)(b->first + b->n) - ROUNDING, begin = end - 1;
        double  at = t_ms[k] / b->bin_ms;
        bool    open = b->n > 0 && at >= begin && at < end;
        if (!open && !open_bin(t, b, t_ms[k])) continue;
        int population = feed_population_of(t->feed, (int64_t)row[k], &neuron);
        if (population >= 0 && population < t->feed->n_populations) entry(t, b, b->n)[population]++;
    }
}

/* @return whether everything there is has been counted */
static bool count_new(const tally *t, book *b, double deadline)
{
    double t_ms[BATCH], row[BATCH];
    for (;;) {
        int64_t wanted = b->next, n = history_read(b->pairs, &b->next, BATCH, t_ms, row);
        if (n == 0) return true;
        if (isnan(b->known_ms) || b->next > wanted || t_ms[0] < b->counted_ms) { /* the first, or some were lost */
            b->n = 0, b->bin_ms = t->own_ms;
            b->known_ms = b->next == 0 ? -INFINITY : nextafter(t_ms[0], INFINITY);
        }
        count_batch(t, b, t_ms, row, n);
        b->next += n;
        b->counted_ms = t_ms[n - 1];
        if (n < BATCH) return true;
        if (clock_seconds() >= deadline) return false;
    }
}

static void count_older(tally *t)
{
    double from = atomic_load(&t->feed->older_from_ms), to = atomic_load(&t->feed->older_to_ms);
    if (from == t->older_from_ms && to == t->older_to_ms) return;
    t->older_from_ms = from, t->older_to_ms = to;
    begin_book(t, &t->book[0], t->feed->older, from);
}

bool tally_update(tally *t, double budget_seconds)
{
    double deadline = clock_seconds() + budget_seconds, handed_over = atomic_load(&t->feed->t_ms);
    book  *older = &t->book[0], *spikes = &t->book[1];
    bool   complete = count_new(t, spikes, deadline);
    if (complete && handed_over > spikes->counted_ms) spikes->counted_ms = handed_over;
    count_older(t);
    if (!(t->older_to_ms > t->older_from_ms)) return complete;
    bool all = complete && count_new(t, older, deadline);
    if (all) older->counted_ms = t->older_to_ms;
    return all;
}

/* ----------------------------------------------------------------------------------------------- rates --- */

typedef struct bins {
    double from_ms, bin_ms;
    int    first, end; /* those of a book */
} bins;

/* A spike at an edge belongs to the bin that begins there. */
static double edge_ms(bins b, int k) { return b.from_ms + (k - ROUNDING) * b.bin_ms; }

static int population_of(const tally *t, double row)
{
    int64_t neuron;
    return feed_population_of(t->feed, (int64_t)row, &neuron);
}

/* Counts a population's spikes, looking at each of those in the bins. @param counts [bins.end], those of the book */
static void count_from_history(const tally *t, const book *b, int population, bins w, double *counts)
{
    double  t_ms[BATCH], row[BATCH], end_ms = edge_ms(w, w.end);
    int64_t at = history_find(b->pairs, edge_ms(w, w.first));
    for (int64_t n = BATCH; n == BATCH; at += n) {
        n = history_read(b->pairs, &at, BATCH, t_ms, row);
        for (int64_t k = 0; k < n; k++) {
            if (t_ms[k] >= end_ms) return;
            int bin = (int)((t_ms[k] - w.from_ms) / w.bin_ms + ROUNDING);
            if (bin >= w.first && bin < w.end && population_of(t, row[k]) == population) counts[bin]++;
        }
    }
}

/* Are all spikes from a time on still in the history, and not in the book only? */
static bool kept(const book *b, double from_ms)
{
    int64_t first, end;
    history_kept(b->pairs, &first, &end);
    return first == 0 || history_oldest(b->pairs) < from_ms;
}

static uint32_t count_before_edge(const tally *t, const book *b, int population, double edge)
{
    double k = fmin(fmax(edge - (double)b->first, 0), (double)b->n);
    return b->n > 0 ? entry(t, b, (int64_t)k)[population] : 0;
}

/* A population's spikes before a time, counted from edge `base` of the book on. */
static double count_before(const tally *t, const book *b, int population, double t_ms, uint32_t base, bool exactly)
{
    double at = t_ms / b->bin_ms, edge = fabs(at - round(at)) < ALIGNED ? round(at) : floor(at), part = 0;
    double before = (uint32_t)(count_before_edge(t, b, population, edge) - base);
    if (edge == round(at) && fabs(at - edge) < ALIGNED) return before;
    uint32_t within = count_before_edge(t, b, population, edge + 1) - (uint32_t)before - base;
    bins     one = { edge * b->bin_ms, t_ms - edge * b->bin_ms, 0, 1 };
    if (within > 0 && exactly && kept(b, one.from_ms)) count_from_history(t, b, population, one, &part);
    else part = within * (at - edge);
    return before + part;
}

static void count_from_book(const tally *t, const book *b, int population, bins w, double *counts)
{
    bool     exactly = w.bin_ms < LONG * b->bin_ms;
    uint32_t base = count_before_edge(t, b, population, floor(edge_ms(w, w.first) / b->bin_ms));
    double   last = count_before(t, b, population, edge_ms(w, w.first), base, exactly);
    for (int k = w.first; k < w.end; k++) {
        double next = count_before(t, b, population, edge_ms(w, k + 1), base, exactly);
        counts[k] = next - last;
        last = next;
    }
}

/* Bins from the first that begins at from_ms or later to the last that ends by to_ms. */
static bins bins_within(double from_ms, double to_ms, double low_ms, double bin_ms, int n)
{
    double first = ceil((from_ms - low_ms) / bin_ms - ALIGNED), end = floor((to_ms - low_ms) / bin_ms + ALIGNED);
    return (bins){ low_ms, bin_ms, (int)fmin(fmax(first, 0), n), (int)fmin(fmax(end, 0), n) };
}

static void rates_of_book(const tally *t, const book *b, int population, bins w, double *rates)
{
    double size = fmax((double)t->feed->population[population].size, 1), begin_ms = atomic_load(&t->feed->begin_ms);
    if (w.bin_ms < b->bin_ms * (1 - ALIGNED) && !kept(b, edge_ms(w, w.first))) return;
    for (int k = w.first; k < w.end; k++) rates[k] = 0;
    if (w.bin_ms < b->bin_ms * (1 - ALIGNED)) count_from_history(t, b, population, w, rates);
    else count_from_book(t, b, population, w, rates);
    for (int k = w.first; k < w.end; k++) {
        double end_ms = w.from_ms + (k + 1) * w.bin_ms, ms = fmin(end_ms - begin_ms, w.bin_ms);
        rates[k] = ms > 0 ? rates[k] * 1000 / ms / size : NAN;
    }
}

void tally_rates(const tally *t, int population, double from_ms, double bin_ms, int n, double now_ms, double *rates)
{
    for (int k = 0; k < n; k++) rates[k] = NAN;
    for (int i = 0; i < 2; i++) {
        const book *b = &t->book[i];
        bins        w = bins_within(b->known_ms, fmin(b->counted_ms, now_ms), from_ms, bin_ms, n);
        if (b->pairs && !isnan(b->known_ms) && w.first < w.end) rates_of_book(t, b, population, w, rates);
    }
}
