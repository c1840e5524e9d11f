/* Counting is a job in stages, advanced a little at every frame:
 *
 *   GATHER   the spikes of the drawn neurons, from the history; a few calls if it is long
 *   SORT     by neuron
 *   CV, FANO, CORRELATE, INTERVALS
 *
 * A job is started when what is selected differs from what was counted last, at most MOST_PER_SECOND. What it counts is
 * fixed then: `target`. Should too many spikes come together, every second neuron is dropped. */
#include "viz/selection.h"

#include "sim/statistics.h"
#include "viz/histogram.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_NEURONS    = 1000,
    MOST_SPIKES     = 1 << 18, /* kept for counting                                       */
    MOST_PER_CALL   = 200000,  /* spikes looked at, some 3 ms                             */
    CHUNK           = 8192,    /* spikes read from the history at once                    */
    MOST_COUNTS     = 500000,  /* neurons times windows of the Fano factor                 */
    MOST_BINS       = 200000,  /* of the correlation                                       */
    FEWEST_WINDOWS  = 10,
    MOST_PER_SECOND = 3,
    MOST_NAMED      = 2,       /* populations in the title                                */
    TEXT            = 256,
};

static const double FANO_MS = 100, CORRELATION_MS = 2; /* as in `ranvier stats` */

static const selection_numbers no_numbers = { .rate = NAN, .cv = NAN, .fano = NAN, .correlation = NAN };

typedef enum stage { IDLE, GATHER, SORT, CV, FANO, CORRELATE, INTERVALS } stage;

/* What is to be counted. */
typedef struct target {
    bool     there;
    int64_t  first_row, last_row;
    double   from_ms, to_ms; /* as selected                                      */
    uint64_t visible;        /* a hash of the populations that are               */
    int64_t  end, older_end; /* of the histories: more spikes, another target    */
} target;

/* A part of a history that is to be read. */
typedef struct stretch {
    const history *spikes;
    int64_t        next;
    double         to_ms;
} stretch;

/* A part of the title in the colour of a population; -1: ink. */
typedef struct part {
    char text[TEXT];
    int  population;
} part;

struct selection {
    const feed       *f;
    /* what is shown */
    selection_numbers numbers;
    target            counted;   /* what they are of                                                */
    histogram        *intervals; /* [n_populations]; n == 0: none                                   */
    part              title[MOST_NAMED];
    int               n_parts;
    /* the job */
    stage             stage;
    target            target;
    double            waited_s;  /* since it was started                                           */
    selection_numbers found;
    int64_t          *first, *last; /* [n_populations] neurons selected; first > last: none         */
    int32_t          *drawn;     /* [n_rows] number of the neuron among those drawn, -1: not drawn  */
    stretch           stretch[2];
    int               n_stretches;
    double           *times_ms;  /* [MOST_SPIKES]                                                   */
    int64_t          *neurons;   /* [MOST_SPIKES] their numbers among the drawn                     */
    rv_trains         trains;
    double           *read_ms, *read_row; /* [CHUNK]                                                */
};

selection *selection_new(const feed *f)
{
    selection *s = calloc(1, sizeof *s);
    size_t     n = (size_t)f->n_populations + 1;
    if (!s) return NULL;
    s->f = f;
    s->intervals = calloc(n, sizeof *s->intervals);
    s->first = calloc(2 * n, sizeof *s->first);
    s->drawn = malloc(((size_t)f->n_rows + 1) * sizeof *s->drawn);
    s->times_ms = malloc(MOST_SPIKES * sizeof *s->times_ms);
    s->neurons = malloc(MOST_SPIKES * sizeof *s->neurons);
    s->read_ms = malloc(2 * CHUNK * sizeof *s->read_ms);
    if (s->intervals && s->first && s->drawn && s->times_ms && s->neurons && s->read_ms) {
        s->last = s->first + n;
        s->read_row = s->read_ms + CHUNK;
        s->waited_s = INFINITY;
        s->numbers = no_numbers;
        s->counted.last_row = -1;
        return s;
    }
    selection_free(s);
    return NULL;
}

static void forget_intervals(selection *s)
{
    for (int p = 0; p < s->f->n_populations; p++) histogram_free(&s->intervals[p]);
}

void selection_free(selection *s)
{
    if (!s) return;
    if (s->intervals) forget_intervals(s);
    rv_trains_free(&s->trains);
    free(s->intervals);
    free(s->first);
    free(s->drawn);
    free(s->times_ms);
    free(s->neurons);
    free(s->read_ms);
    free(s);
}

selection_numbers selection_get(const selection *s) { return s->numbers; }

/* ---- the target ------------------------------------------------------------------------------------------------- */

static int64_t end_of(const history *h)
{
    int64_t first, end;
    history_kept(h, &first, &end);
    return end;
}

static target target_of_band(const view *v)
{
    const view_selection *band = &v->selection;
    return (target){ .there = true, .first_row = band->first_row, .last_row = band->last_row,
                     .from_ms = band->from_ms, .to_ms = band->to_ms };
}

static target target_of_click(const feed *f, const view *v)
{
    int     p = v->last_clicked.population;
    int64_t row = f->population[p].first_row + v->last_clicked.neuron;
    return (target){ .there = true, .first_row = row, .last_row = row, .from_ms = v->from_ms, .to_ms = v->to_ms };
}

static target target_of(const feed *f, const view *v)
{
    target t = { .last_row = -1 };
    if (v->selection.there) t = target_of_band(v);
    else if (v->last_clicked.population >= 0 && v->last_clicked.population < f->n_populations) t = target_of_click(f, v);
    if (!t.there) return t;
    t.to_ms = fmin(t.to_ms, v->now_ms);
    for (int p = 0; p < f->n_populations; p++) t.visible = 31 * t.visible + v->visible[p];
    /* spikes after the selection do not concern it, and the simulation writes more all the time */
    t.end = history_find(f->spikes, nextafter(t.to_ms, INFINITY)), t.older_end = end_of(f->older);
    return t;
}

static bool same_neurons(const target *a, const target *b)
{
    return a->there == b->there && a->first_row == b->first_row && a->last_row == b->last_row &&
           a->visible == b->visible;
}

static bool same_target(const target *a, const target *b)
{
    return same_neurons(a, b) && a->from_ms == b->from_ms && a->to_ms == b->to_ms && a->end == b->end &&
           a->older_end == b->older_end;
}

/* ---- beginning -------------------------------------------------------------------------------------------------- */

/* Finds the neurons of each population between the rows. @return how many */
static int64_t find_neurons(selection *s, const view *v)
{
    int64_t n = 0;
    for (int p = 0; p < s->f->n_populations; p++) {
        const feed_population *population = &s->f->population[p];
        int64_t                first = s->target.first_row - population->first_row;
        int64_t                last = s->target.last_row - population->first_row;
        s->first[p] = first > 0 ? first : 0;
        s->last[p] = last < population->size - 1 ? last : population->size - 1;
        if (v->selection.there && !v->visible[p]) s->last[p] = s->first[p] - 1;
        if (s->last[p] >= s->first[p]) n += s->last[p] - s->first[p] + 1;
    }
    return n;
}

/* Of n neurons the k-th is drawn if it is the first to reach the next n-th part: evenly, and all if n are drawn. */
static void draw_neurons(selection *s)
{
    int64_t k = 0, n = s->found.neurons, wanted = n < MOST_NEURONS ? n : MOST_NEURONS;
    memset(s->drawn, -1, (size_t)s->f->n_rows * sizeof *s->drawn);
    for (int p = 0; p < s->f->n_populations; p++)
        for (int64_t i = s->first[p]; i <= s->last[p]; i++, k++)
            if (k * wanted / n != (k - 1) * wanted / n || k == 0)
                s->drawn[s->f->population[p].first_row + i] = (int32_t)(k * wanted / n);
    s->found.drawn = wanted;
}

static void add_stretch(selection *s, const history *spikes, double from_ms, double to_ms)
{
    s->stretch[s->n_stretches++] = (stretch){ spikes, history_find(spikes, from_ms), to_ms };
}

/* Where the spikes are: among the latest; or, as far as they go, among older ones that were fetched. */
static void find_spikes(selection *s)
{
    const feed *f = s->f;
    int64_t     first, end;
    double      from = fmax(s->target.from_ms, f->begin_ms), to = s->target.to_ms;
    double      older_from = f->older_from_ms, older_to = f->older_to_ms, kept = -INFINITY;
    history_kept(f->spikes, &first, &end);
    if (first > 0) kept = history_oldest(f->spikes);
    s->n_stretches = 0;
    if (from < kept && older_from <= from && older_to >= fmin(to, kept))
        add_stretch(s, f->older, from, fmin(to, nextafter(kept, -INFINITY)));
    else from = fmax(from, kept);
    add_stretch(s, f->spikes, fmax(from, kept), to);
    s->found.from_ms = from, s->found.to_ms = fmax(to, from);
}

static void start(selection *s, const view *v, const target *t)
{
    rv_trains_free(&s->trains);
    s->target = *t;
    s->waited_s = 0;
    s->found = no_numbers;
    s->stage = GATHER;
    s->found.neurons = find_neurons(s, v);
    draw_neurons(s);
    find_spikes(s);
}

/* ---- stages ----------------------------------------------------------------------------------------------------- */

/* Drops every second of the drawn neurons, and their spikes. */
static void drop_half(selection *s)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < s->found.spikes; k++) {
        if (s->neurons[k] % 2) continue;
        s->times_ms[kept] = s->times_ms[k];
        s->neurons[kept++] = s->neurons[k] / 2;
    }
    for (int64_t row = 0; row < s->f->n_rows; row++)
        if (s->drawn[row] >= 0) s->drawn[row] = s->drawn[row] % 2 ? -1 : s->drawn[row] / 2;
    s->found.spikes = kept;
    s->found.drawn = (s->found.drawn + 1) / 2;
}

/* Takes up what was read. @return whether the stretch goes on */
static bool take_up(selection *s, int64_t n, double to_ms)
{
    for (int64_t k = 0; k < n; k++) {
        if (s->read_ms[k] > to_ms) return false;
        int64_t row = (int64_t)s->read_row[k];
        if (s->drawn[row] < 0 || s->read_ms[k] <= s->found.from_ms) continue;
        if (s->found.spikes == MOST_SPIKES && s->found.drawn == 1) {
            s->found.to_ms = s->times_ms[MOST_SPIKES - 1];
            return false;
        }
        if (s->found.spikes == MOST_SPIKES) drop_half(s);
        if (s->drawn[row] < 0) continue;
        s->times_ms[s->found.spikes] = s->read_ms[k];
        s->neurons[s->found.spikes++] = s->drawn[row];
    }
    return true;
}

/* @return how many spikes were looked at */
static int64_t gather(selection *s)
{
    if (s->n_stretches == 0) {
        s->stage = SORT;
        return 0;
    }
    stretch *from = &s->stretch[0];
    int64_t  wanted = from->next, n = history_read(from->spikes, &from->next, CHUNK, s->read_ms, s->read_row);
    if (n > 0 && from->next > wanted) { /* what lay between has been overwritten meanwhile */
        s->found.from_ms = s->read_ms[0];
        s->found.spikes = 0;
    }
    from->next += n;
    if (n > 0 && take_up(s, n, from->to_ms)) return n;
    s->stretch[0] = s->stretch[1];
    s->n_stretches--;
    return n;
}

static void sort(selection *s)
{
    selection_numbers *found = &s->found;
    if (rv_trains_new(s->times_ms, s->neurons, found->spikes, found->drawn, found->from_ms, found->to_ms, &s->trains) !=
        RV_OK)
        s->trains = (rv_trains){ 0 }; /* no memory: all numbers stay unknown */
    if (s->trains.begin && found->to_ms > found->from_ms && found->drawn > 0) found->rate = rv_mean_rate(&s->trains);
}

static double duration(const selection *s) { return s->found.to_ms - s->found.from_ms; }

/* Windows of FANO_MS; longer ones where they were too many to count, shorter ones where they were too few. */
static void fano(selection *s)
{
    double most = fmax(MOST_COUNTS / (double)s->found.drawn, 2 * FEWEST_WINDOWS);
    double ms = fmax(FANO_MS, axis_nice_step(duration(s), most));
    if (ms > duration(s) / FEWEST_WINDOWS)
        ms = fmax(axis_nice_step(duration(s), 2 * FEWEST_WINDOWS), s->f->resolution_ms);
    s->found.fano_ms = ms;
    s->found.fano = rv_fano_factor(&s->trains, ms);
}

static void correlate(selection *s)
{
    s->found.correlation_ms = fmax(CORRELATION_MS, axis_nice_step(duration(s), MOST_BINS));
    s->found.correlation = rv_mean_correlation(&s->trains, s->found.correlation_ms);
}

/* Bins for all of them, up to four times the mean interval, no narrower than the grid of times, about two for each cube
 * root of their number (Rice). @return false if there is no interval */
static bool choose_bins(const selection *s, double *width, int *n)
{
    const rv_trains *t = &s->trains;
    double           sum = 0, intervals = 0, longest = 0;
    for (int64_t i = 0; i < t->n_neurons; i++)
        for (int64_t k = t->begin[i] + 1; k < t->begin[i + 1]; k++) {
            double isi = t->times_ms[k] - t->times_ms[k - 1];
            sum += isi, intervals++, longest = fmax(longest, isi);
        }
    if (!(sum > 0)) return false;
    longest = fmin(longest, 4 * sum / intervals);
    *width = fmax(axis_nice_step(longest, fmin(fmax(2 * cbrt(intervals), 10), 60)), s->f->resolution_ms);
    *n = (int)floor(longest / *width + 1e-9) + 1;
    return true;
}

/* The histogram of one population, whose neurons are number first .. end - 1 of those drawn. */
static void count_intervals(selection *s, int p, int64_t first, int64_t end, double width, int n)
{
    const rv_trains *t = &s->trains;
    for (int64_t i = first; i < end; i++)
        for (int64_t k = t->begin[i]; k < t->begin[i + 1]; k++) s->neurons[k] = i - first;
    figure_spikes spikes = { .size = end - first, .n = t->begin[end] - t->begin[first],
                             .times_ms = t->times_ms + t->begin[first], .neurons = s->neurons + t->begin[first] };
    figure        f = { .spikes = &spikes, .n_spikes = 1, .from_ms = t->from_ms, .to_ms = t->to_ms };
    if (histogram_isi(&f, 0, width, n, &s->intervals[p]) != RV_OK) histogram_free(&s->intervals[p]);
}

static void find_intervals(selection *s)
{
    int64_t first = 0;
    double  width;
    int     n;
    forget_intervals(s);
    if (!s->trains.begin || !choose_bins(s, &width, &n)) return;
    for (int p = 0; p < s->f->n_populations; p++) {
        int64_t end = first;
        for (int64_t i = s->first[p]; i <= s->last[p]; i++) end += s->drawn[s->f->population[p].first_row + i] >= 0;
        if (end > first) count_intervals(s, p, first, end, width, n);
        first = end;
    }
}

/* @return what it cost, in spikes */
static int64_t advance(selection *s)
{
    if (s->stage == GATHER) return gather(s);
    switch (s->stage) {
    case SORT: sort(s); break;
    case CV: s->found.cv = rv_mean_isi_cv(&s->trains); break;
    case FANO: if (s->found.rate > 0) fano(s); break;
    case CORRELATE: if (s->found.rate > 0) correlate(s); break;
    default: find_intervals(s);
    }
    s->stage = s->stage == INTERVALS ? IDLE : s->stage + 1;
    return s->found.spikes;
}

/* ---- the title -------------------------------------------------------------------------------------------------- */

static void write_neurons(const selection *s, int p, bool first_part, part *part)
{
    char    from[AXIS_NUMBER_BYTES], to[AXIS_NUMBER_BYTES];
    int64_t first = s->first[p], last = s->last[p];
    axis_write_count(first + 1, from); /* numbered from 1, as in scripts */
    axis_write_count(last + 1, to);
    snprintf(part->text, TEXT, "%s%.64s %s%s%s", first_part ? "" : ", ", s->f->population[p].name, from,
             last > first ? "–" : "", last > first ? to : "");
    part->population = p;
}

/* "E 120–340, I 0–20" or "4 populations" */
static void write_title(selection *s)
{
    int n = 0;
    for (int p = 0; p < s->f->n_populations; p++) {
        if (s->last[p] < s->first[p]) continue;
        if (++n <= MOST_NAMED) write_neurons(s, p, n == 1, &s->title[n - 1]);
    }
    s->n_parts = n;
    if (n <= MOST_NAMED) return;
    s->n_parts = 1, s->title[0].population = -1;
    snprintf(s->title[0].text, TEXT, "%d populations", n);
}

bool selection_is_late(const selection *s, const view *v)
{
    target t = target_of(s->f, v);
    return s->stage != IDLE || !same_target(&t, &s->counted);
}

bool selection_update(selection *s, const view *v, double seconds)
{
    target t = target_of(s->f, v);
    bool   other = s->stage == IDLE ? !same_target(&t, &s->counted) : !same_neurons(&t, &s->target);
    s->waited_s += seconds;
    if (other && s->waited_s >= 1.0 / MOST_PER_SECOND) start(s, v, &t);
    if (s->stage == IDLE) return false;
    for (int64_t cost = 0; cost < MOST_PER_CALL && s->stage != IDLE;) cost += advance(s);
    if (s->stage != IDLE) return false;
    rv_trains_free(&s->trains);
    s->numbers = s->found;
    s->counted = s->target;
    write_title(s);
    return true;
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

static const double LINE = 11, TABLE_WIDTH = 172, LOWEST_HISTOGRAM = 52, WIDEST_HISTOGRAM = 300; /* points */

/* Times are written in the unit of the time axis, with three digits of the length. */
static void write_time(const selection_numbers *n, const view *v, char text[TEXT])
{
    bool   seconds = v->to_ms - v->from_ms > 5000;
    double unit = seconds ? 1000 : 1, length = (n->to_ms - n->from_ms) / unit;
    int    decimals = length >= 100 || !(length > 0) ? 0 : length >= 10 ? 1 : 2;
    snprintf(text, TEXT, " · %.*f–%.*f %s", decimals, n->from_ms / unit, decimals, n->to_ms / unit,
             seconds ? "s" : "ms");
}

static void draw_title(const selection *s, const view *v, canvas *c, axis_rect place)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .bold = true };
    double      x = place.x, end = place.x + place.width;
    char        time[TEXT];
    for (int i = 0; i < s->n_parts && x < end; i++) {
        int p = s->title[i].population;
        if (p >= 0) font.colour = view_colour(s->f, p);
        font.longest = end - x;
        canvas_text(c, font, x, place.y + AXIS_LABEL, s->title[i].text);
        x += canvas_text_width(c, font, s->title[i].text);
    }
    write_time(&s->numbers, v, time);
    font.bold = false, font.colour = AXIS_INK, font.longest = end - x;
    if (font.longest > 0) canvas_text(c, font, x, place.y + AXIS_LABEL, time);
}

/* Three significant digits; a dash for what is not defined. */
static void write_number(double value, char text[TEXT])
{
    double size = fabs(value);
    int    decimals = !(size >= 0.01) ? 4 : size < 0.1 ? 3 : size < 10 ? 2 : size < 100 ? 1 : 0;
    snprintf(text, TEXT, "%s%.*f", value < 0 ? "−" : "", size == 0 ? 0 : decimals, size);
    if (!isfinite(value)) strcpy(text, "–");
}

static void draw_row(canvas *c, double x, double y, double width, const char *name, const char *number, const char *unit)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK };
    double      middle = x + fmin(0.58 * width, 100);
    canvas_text(c, font, x, y, name);
    font.align = CANVAS_RIGHT;
    canvas_text(c, font, middle, y, number);
    font = (canvas_font){ .size = AXIS_DIGIT, .colour = AXIS_FAINT, .longest = fmax(x + width - middle - 5, 1) };
    canvas_text(c, font, middle + 5, y, unit);
}

/* @return the height of the table */
static double draw_table(const selection *s, canvas *c, axis_rect place)
{
    const selection_numbers *n = &s->numbers;
    const double             values[] = { n->rate, n->cv, n->fano, n->correlation };
    static const char *const names[] = { "rate", "CV of intervals", "Fano factor", "correlation" };
    char                     number[TEXT], unit[4][TEXT] = { "spikes/s" }, count[AXIS_NUMBER_BYTES];
    double                   y = place.y + AXIS_LABEL;
    if (n->fano_ms > 0) snprintf(unit[2], TEXT, "windows of %g ms", n->fano_ms);
    if (n->correlation_ms > 0) snprintf(unit[3], TEXT, "bins of %g ms", n->correlation_ms);
    for (int i = 0; i < 4; i++, y += LINE) {
        write_number(values[i], number);
        draw_row(c, place.x, y, place.width, names[i], number, isfinite(values[i]) ? unit[i] : "");
    }
    axis_write_count(n->spikes, number);
    axis_write_count(n->drawn, count);
    snprintf(unit[0], TEXT, "of %s %s%s", count, n->drawn == 1 ? "neuron" : "neurons",
             n->drawn < n->neurons ? " drawn evenly" : "");
    draw_row(c, place.x, y, place.width, "spikes", number, unit[0]);
    return y + 0.4 * LINE - place.y;
}

static rv_status draw_intervals(const selection *s, canvas *c, axis_rect outer)
{
    axis      x = { .name = "inter-spike interval", .unit_name = "ms" }, y = { .name = "fraction" };
    rv_status status = RV_OK;
    int       populations = 0;
    for (int p = 0; p < s->f->n_populations; p++) {
        const histogram *h = &s->intervals[p];
        x.high = fmax(x.high, h->n * h->width), y.high = fmax(y.high, histogram_peak(h));
        populations += h->n > 0;
    }
    if (populations == 0) return RV_OK;
    axis_widen(&y.low, &y.high, 4);
    if (x.high > 5000) x.unit = 1000, x.unit_name = "s";
    axis_frame(c, outer, &x, &y);
    double baseline = outer.y + AXIS_DIGIT;
    for (int p = 0; p < s->f->n_populations && status == RV_OK; p++) {
        uint32_t colour = view_colour(s->f, p);
        if (s->intervals[p].n == 0) continue;
        status = histogram_draw(c, &s->intervals[p], &x, &y, colour, populations <= 3);
        if (populations > 1) baseline = axis_legend(c, x.to, baseline, colour, s->f->population[p].name, 90);
    }
    return status;
}

static void draw_hint(canvas *c, axis_rect place)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_FAINT, .align = CANVAS_CENTRE, .longest = place.width };
    canvas_text(c, font, place.x + place.width / 2, place.y + place.height / 2 + 0.36 * AXIS_LABEL,
                "no neurons selected");
}

rv_status selection_draw(const selection *s, const view *v, canvas *c, axis_rect place)
{
    rv_status status = RV_OK;
    canvas_clip(c, place.x, place.y, place.width, place.height);
    if (s->numbers.neurons == 0) draw_hint(c, place);
    else {
        draw_title(s, v, c, place);
        place.y += 1.4 * LINE, place.height -= 1.4 * LINE;
        bool beside = place.width >= 2 * TABLE_WIDTH;
        axis_rect table = place, rest = place;
        table.width = fmin(place.width, TABLE_WIDTH);
        double used = draw_table(s, c, table);
        if (beside) rest.x += TABLE_WIDTH + 12, rest.width = fmin(place.width - TABLE_WIDTH - 12, WIDEST_HISTOGRAM);
        else rest.y += used + 4, rest.height -= used + 4;
        if (rest.height >= LOWEST_HISTOGRAM) status = draw_intervals(s, c, rest);
    }
    canvas_unclip(c);
    return status;
}
