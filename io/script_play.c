#include "io/script_play.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/clock.h"
#include "sim/error.h"
#include "viz/snapshot.h"

static const double NAP_SECONDS = 0.01;
static const double LOOK_SECONDS = 0.25; /* between two looks at a file that grows */
enum { MOST_FETCHED = FEED_KEPT_SPIKES };

/* The trace of one neuron: a column of a report. */
typedef struct shown_trace {
    int     report; /* -1: none */
    int64_t column, done;
} shown_trace;

struct player {
    results     *results;
    feed        *feed;
    bool         follow;
    int64_t     *handed; /* [n_populations] spikes handed over               */
    shown_trace  trace[FEED_TRACES];
    int          report_of[FEED_LEARNING]; /* reports of weights             */
    int          weights_wanted;           /* index in feed.learning; -1: none */
    int64_t      weights_done;             /* samples handed over              */
    double       look_at;                  /* the file, next                   */
    snapshot     snapshot;
};

feed *player_feed(player *p) { return p->feed; }

/* ---- spikes --------------------------------------------------------------------------------------------------- */

static int64_t find(const results_spikes *s, double t_ms)
{
    int64_t low = 0, high = s->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (s->times_ms[middle] >= t_ms) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* Hands the spikes of all populations to a history in the order of time. @param at, end [n] numbers of spikes */
static int64_t merge(const player *p, int64_t *at, const int64_t *end, history *h)
{
    for (int64_t n = 0;; n++) {
        const results_spikes *first = NULL;
        int                   of = 0;
        for (int k = 0; k < p->feed->n_populations; k++) {
            const results_spikes *s = results_spikes_at(p->results, k);
            if (at[k] < end[k] && (!first || s->times_ms[at[k]] < first->times_ms[at[of]])) first = s, of = k;
        }
        if (!first) return n;
        history_add(h, first->times_ms[at[of]], (double)(p->feed->population[of].first_row + first->neurons[at[of]]));
        at[of]++;
    }
}

static double attribute_number(const results *r, const char *name, double standard)
{
    const char *text = results_attribute(r, name);
    return text ? atof(text) : standard;
}

static double last_time(const player *p)
{
    double last = attribute_number(p->results, "simulated_ms", 0);
    for (int k = 0; k < results_spikes_count(p->results); k++) {
        const results_spikes *s = results_spikes_at(p->results, k);
        if (s->n) last = fmax(last, s->times_ms[s->n - 1]);
    }
    for (int k = 0; k < results_report_count(p->results); k++) {
        const results_report *report = results_report_at(p->results, k);
        last = fmax(last, report->start_ms + (double)(report->n_times - 1) * report->interval_ms);
    }
    return last;
}

/* While a file grows, populations are written one after the other: only what lies before the time that the run had
 * reached when it last wrote is whole. */
static void hand_over(player *p)
{
    feed    *f = p->feed;
    double   until = p->follow ? attribute_number(p->results, "simulated_ms", 0) : last_time(p);
    int64_t *end = malloc(((size_t)f->n_populations + 1) * sizeof *end);
    if (!end) return;
    for (int k = 0; k < f->n_populations; k++) end[k] = find(results_spikes_at(p->results, k), nextafter(until, INFINITY));
    int64_t n = merge(p, p->handed, end, f->spikes);
    free(end);
    atomic_fetch_add(&f->n_spikes, n);
    atomic_store(&f->end_ms, until);
    atomic_store(&f->t_ms, until);
}

/* The numbers of the spikes between two times, fewer if there is no room. */
static void fetch(player *p, double from_ms, double to_ms)
{
    feed    *f = p->feed;
    int64_t *at = malloc(((size_t)f->n_populations + 1) * 2 * sizeof *at), *end = at + f->n_populations, total = 0;
    if (!at) return;
    for (int round = 0; round < 2; round++) {
        total = 0;
        for (int k = 0; k < f->n_populations; k++) {
            at[k] = find(results_spikes_at(p->results, k), from_ms), end[k] = find(results_spikes_at(p->results, k), to_ms);
            total += end[k] - at[k];
        }
        if (total > MOST_FETCHED) from_ms = to_ms - (to_ms - from_ms) * MOST_FETCHED / (double)total;
    }
    atomic_store(&f->older_from_ms, to_ms), atomic_store(&f->older_to_ms, to_ms);
    history_clear(f->older);
    merge(p, at, end, f->older);
    atomic_store(&f->older_from_ms, from_ms);
    free(at);
}

/* ---- traces --------------------------------------------------------------------------------------------------- */

static void hand_over_trace(player *p, int slot)
{
    shown_trace *t = &p->trace[slot];
    if (t->report < 0) return;
    const results_report *report = results_report_at(p->results, t->report);
    for (; t->done < report->n_times; t->done++)
        history_add(p->feed->trace[slot].samples, report->start_ms + (double)t->done * report->interval_ms,
                    (double)report->values[t->done * report->n_columns + t->column]);
}

static void trace_on(player *p, const feed_command *c)
{
    const feed_population *population = &p->feed->population[c->population];
    history_clear(p->feed->trace[c->index].samples);
    p->trace[c->index].report = -1;
    for (int k = 0; k < results_report_count(p->results); k++) {
        const results_report *report = results_report_at(p->results, k);
        if (report->kind != RV_PROBE_STATE || strcmp(report->population, population->name) != 0 || strcmp(report->variable, population->variable) != 0) continue;
        for (int64_t column = 0; column < report->n_columns; column++)
            if (report->columns[column] == c->neuron) p->trace[c->index] = (shown_trace){ k, column, 0 };
    }
    hand_over_trace(p, c->index);
}

/* ---- weights -------------------------------------------------------------------------------------------------- */

/* One snapshot after the other, each when the window has taken the last. */
static void hand_over_weights(player *p)
{
    if (p->weights_wanted < 0 || !feed_weights_taken(p->feed)) return;
    const results_report *report = results_report_at(p->results, p->report_of[p->weights_wanted]);
    if (p->weights_done >= report->n_times || report->n_columns == 0) return;
    const float *w = report->values + p->weights_done * report->n_columns;
    snapshot    *s = &p->snapshot;
    int          source = 0, target = 0;
    for (int k = 0; k < p->feed->n_populations; k++) {
        if (strncmp(report->name, p->feed->population[k].name, strlen(p->feed->population[k].name)) == 0) source = k;
        if (strcmp(report->population, p->feed->population[k].name) == 0) target = k;
    }
    snapshot_shape shape = snapshot_choose(&p->feed->population[source], &p->feed->population[target]);
    snapshot_open(s, &shape);
    for (int64_t k = 0; k < report->n_columns; k++) snapshot_extend(s, w[k]);
    snapshot_limits(s);
    for (int64_t k = 0; k < report->n_columns; k++) snapshot_count(s, report->sources[k], report->columns[k], w[k]);
    snapshot_fill(s, p->weights_wanted, report->start_ms + (double)p->weights_done * report->interval_ms, feed_weights_begin(p->feed));
    feed_weights_end(p->feed);
    p->weights_done++;
}

/* ---- serving -------------------------------------------------------------------------------------------------- */

static void obey(player *p, const feed_command *c)
{
    if (c->kind == FEED_TRACE_ON) trace_on(p, c);
    if (c->kind == FEED_TRACE_OFF) p->trace[c->index].report = -1;
    if (c->kind == FEED_WEIGHTS) p->weights_wanted = c->index, p->weights_done = 0;
    if (c->kind == FEED_FETCH) fetch(p, c->from_ms, c->to_ms);
}

static void look_at_file(player *p)
{
    rv_error error = { 0 };
    bool     grown = false;
    if (!p->follow || clock_seconds() < p->look_at) return;
    p->look_at = clock_seconds() + LOOK_SECONDS;
    if (results_follow(p->results, &grown, &error) != RV_OK) return; /* the next look may succeed */
    hand_over(p);
    for (int slot = 0; slot < FEED_TRACES; slot++) hand_over_trace(p, slot);
    if (attribute_number(p->results, "finished", 1) == 0) return;
    p->follow = false;
    hand_over(p);
    atomic_store(&p->feed->state, FEED_STORED);
}

void player_serve(player *p)
{
    const struct timespec nap = { 0, (long)(NAP_SECONDS * 1e9) };
    while (!atomic_load(&p->feed->closed)) {
        feed_command c;
        while (feed_take(p->feed, &c)) obey(p, &c);
        hand_over_weights(p);
        look_at_file(p);
        nanosleep(&nap, NULL);
    }
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

/* A trace shows the variable of the population's first report of states. */
static void describe_variable(const results *r, feed_population *p)
{
    for (int k = 0; k < results_report_count(r) && !p->variable[0]; k++) {
        const results_report *report = results_report_at(r, k);
        if (report->kind != RV_PROBE_STATE || strcmp(report->population, p->name) != 0) continue;
        snprintf(p->variable, sizeof p->variable, "%.23s", report->variable);
        snprintf(p->unit, sizeof p->unit, "%.15s", report->unit);
    }
}

static rv_status make_feed(player *p)
{
    int              n = results_spikes_count(p->results);
    feed_population *population = calloc((size_t)n + 1, sizeof *population);
    if (!population) return RV_OUT_OF_MEMORY;
    for (int k = 0; k < n; k++) {
        const results_spikes *s = results_spikes_at(p->results, k);
        snprintf(population[k].name, sizeof population[k].name, "%.63s", s->name);
        population[k].size = s->size > 0 ? s->size : 1, population[k].inhibitory = s->inhibitory;
        population[k].columns = s->shape.columns, population[k].rows = s->shape.rows, population[k].polarities = s->shape.polarities;
        describe_variable(p->results, &population[k]);
    }
    rv_status status = feed_new(population, n, &p->feed);
    free(population);
    return status;
}

static void describe_weights(player *p)
{
    feed *f = p->feed;
    for (int k = 0; k < results_report_count(p->results) && f->n_learning < FEED_LEARNING; k++) {
        const results_report *report = results_report_at(p->results, k);
        if (report->kind != RV_PROBE_WEIGHTS) continue;
        p->report_of[f->n_learning] = k;
        snprintf(f->learning[f->n_learning++], sizeof f->learning[0], "%.79s", report->name);
    }
}

rv_status player_open(results *r, const char *title, bool follow, player **result, rv_error *error)
{
    player *p = *result = calloc(1, sizeof *p);
    if (p) p->results = r, p->follow = follow && attribute_number(r, "finished", 1) == 0, p->weights_wanted = -1;
    rv_status status = p ? make_feed(p) : RV_OUT_OF_MEMORY;
    if (status == RV_OK) p->handed = calloc((size_t)p->feed->n_populations + 1, sizeof *p->handed);
    if (status != RV_OK || !p->handed) {
        if (!p) results_free(r);
        player_close(p);
        *result = NULL;
        return error_set(error, RV_OUT_OF_MEMORY, "\"%.200s\": no memory to show it", title);
    }
    for (int slot = 0; slot < FEED_TRACES; slot++) p->trace[slot].report = -1;
    snprintf(p->feed->title, sizeof p->feed->title, "%.127s", title);
    p->feed->resolution_ms = attribute_number(r, "resolution", 0.1);
    const char *timing = results_attribute(r, "timing");
    p->feed->exact = timing && strcmp(timing, "exact") == 0;
    atomic_store(&p->feed->paused, true);
    describe_weights(p);
    hand_over(p);
    atomic_store(&p->feed->state, p->follow ? FEED_GROWING : FEED_STORED);
    return RV_OK;
}

void player_close(player *p)
{
    if (!p) return;
    results_free(p->results);
    feed_free(p->feed);
    free(p->handed);
    free(p);
}
