#include "viz/live.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/clock.h"
#include "viz/snapshot.h"

static const double LOOK_SECONDS = 0.03;   /* between two looks at what the user wants            */
static const double TICK_SECONDS = 0.01;   /* between two stops of a run that keeps a speed       */
static const double NAP_SECONDS = 0.002;   /* while waiting                                       */
static const double BEHIND_SECONDS = 0.05; /* between two stops of a run that is too slow         */
static const double PATIENCE_SECONDS = 0.2; /* how far behind it may catch up                      */
static const double WEIGHTS_SHARE = 0.01;  /* of the wall time may go into snapshots of weights   */
static const double WEIGHTS_SECONDS = 0.1; /* between two of them at least                        */
enum { MOST_FETCHED = 2000000, FETCH_BATCH = 4096 };

struct live {
    rv_net      *net;
    feed        *feed;
    live_options options;
    /* pace */
    double       anchor_seconds, anchor_ms, anchor_speed; /* wall and simulated time when this speed began */
    int64_t      halt_step;                               /* a halt is set for then                        */
    int64_t      stepping_to;                             /* a single step leads there                     */
    bool         detached;
    rv_status    status; /* of what the user's touches called */
    /* weights */
    struct {
        rv_projection  projection;
        snapshot_shape shape;
    } learning[FEED_LEARNING];
    int      weights_wanted; /* -1: none */
    double   weights_due;    /* wall     */
    snapshot snapshot;
    /* the memory of the history is taken while the window opens */
    pthread_t    warming;
    bool         is_warming;
    atomic_bool  warm_enough;
};

feed *live_feed(live *l) { return l->feed; }

/* ---- what comes --------------------------------------------------------------------------------------------- */

static void on_spikes(void *user, const rv_seen_spike *spikes, int n, double up_to_ms)
{
    feed *f = ((live *)user)->feed;
    for (int k = 0; k < n; k++) history_add(f->spikes, spikes[k].t_ms, (double)(f->population[spikes[k].population.id - 1].first_row + spikes[k].neuron));
    atomic_fetch_add_explicit(&f->n_spikes, n, memory_order_relaxed);
    atomic_store_explicit(&f->t_ms, up_to_ms, memory_order_release);
}

static void on_sample(void *user, double t_ms, double value) { history_add(((feed_trace *)user)->samples, t_ms, value); }

static void publish(live *l)
{
    rv_profile p = rv_profile_get(l->net);
    atomic_store_explicit(&l->feed->n_events, p.synaptic_events, memory_order_relaxed);
    atomic_store_explicit(&l->feed->n_pending, p.pending_events, memory_order_relaxed);
    atomic_store_explicit(&l->feed->n_bytes, p.bytes_synapses + p.bytes_states + p.bytes_queue, memory_order_relaxed);
}

/* ---- traces ------------------------------------------------------------------------------------------------- */

static double threshold_of(live *l, rv_slice one)
{
    static const char *const names[] = { "V_peak", "V_th" };
    double                   value;
    rv_table                 table;
    rv_table_find(RV_NEURONS, rv_population_model(l->net, one.population), &table);
    for (int k = 0; k < 2; k++)
        for (int p = 0; p < table.n_params; p++)
            if (strcmp(table.params[p].name, names[k]) == 0 && rv_get(l->net, one, names[k], &value) == RV_OK) return value;
    return NAN;
}

static void trace_off(live *l, int slot)
{
    rv_unwatch_state(l->net, on_sample, &l->feed->trace[slot]);
    history_clear(l->feed->trace[slot].samples);
}

static void trace_on(live *l, const feed_command *c)
{
    feed_trace            *trace = &l->feed->trace[c->index];
    const feed_population *p = &l->feed->population[c->population];
    rv_slice               one = { { c->population + 1 }, c->neuron, 1, 1 };
    trace_off(l, c->index);
    if (!p->variable[0]) return;
    atomic_store_explicit(&trace->threshold, strcmp(p->variable, "V_m") == 0 ? threshold_of(l, one) : NAN, memory_order_relaxed);
    rv_watch_state(l->net, one.population, c->neuron, p->variable, on_sample, trace);
}

/* ---- weights ------------------------------------------------------------------------------------------------ */

static void extend(void *user, int64_t source, int64_t target, double weight)
{
    (void)source, (void)target;
    snapshot_extend(user, weight);
}

static void count(void *user, int64_t source, int64_t target, double weight) { snapshot_count(user, source, target, weight); }

static void take_weights(live *l)
{
    snapshot     *s = &l->snapshot;
    rv_projection projection = l->learning[l->weights_wanted].projection;
    snapshot_open(s, &l->learning[l->weights_wanted].shape);
    if (rv_visit_weights(l->net, projection, extend, s) != RV_OK || s->n == 0) return;
    snapshot_limits(s);
    rv_visit_weights(l->net, projection, count, s);
    snapshot_fill(s, l->weights_wanted, rv_time(l->net), feed_weights_begin(l->feed));
    feed_weights_end(l->feed);
}

static void weights_when_due(live *l)
{
    double begin = clock_seconds();
    if (l->weights_wanted < 0 || begin < l->weights_due) return;
    take_weights(l);
    l->weights_due = begin + fmax(WEIGHTS_SECONDS, (clock_seconds() - begin) / WEIGHTS_SHARE);
}

/* ---- spikes of before --------------------------------------------------------------------------------------- */

/* The number of the first recorded spike of a population at or after t. */
static int64_t find_recorded(rv_net *net, rv_population population, double t_ms)
{
    int64_t low = 0, high = rv_spike_count(net, population);
    while (low < high) {
        int64_t middle = (low + high) / 2;
        double  time;
        if (rv_spike_read(net, population, middle, 1, &time, NULL) == RV_OK && time >= t_ms) high = middle;
        else low = middle + 1;
    }
    return low;
}

/* The recorded spikes of one population, a batch at a time. */
typedef struct reader {
    rv_population population;
    int64_t       first_row, next, end;
    int           at, n;
    double        t_ms[FETCH_BATCH];
    int64_t       neuron[FETCH_BATCH];
} reader;

static bool refill(rv_net *net, reader *r)
{
    int64_t n = r->end - r->next < FETCH_BATCH ? r->end - r->next : FETCH_BATCH;
    if (n <= 0 || rv_spike_read(net, r->population, r->next, n, r->t_ms, r->neuron) != RV_OK) n = 0;
    r->next += n, r->at = 0, r->n = (int)n;
    return n > 0;
}

static reader *earliest(rv_net *net, reader *r, int n)
{
    reader *first = NULL;
    for (int k = 0; k < n; k++)
        if ((r[k].at < r[k].n || refill(net, &r[k])) && (!first || r[k].t_ms[r[k].at] < first->t_ms[first->at])) first = &r[k];
    return first;
}

/* Reads what was recorded between two times into feed.older, as far back from the end as there is room for. */
static void fetch(live *l, double from_ms, double to_ms)
{
    feed   *f = l->feed;
    int64_t total = 0;
    reader *readers = calloc((size_t)f->n_populations + 1, sizeof *readers);
    if (!readers) return;
    for (int p = 0; p < f->n_populations; p++) {
        rv_population population = { p + 1 };
        readers[p] = (reader){ .population = population, .first_row = f->population[p].first_row,
                               .next = find_recorded(l->net, population, from_ms), .end = find_recorded(l->net, population, to_ms) };
        total += readers[p].end - readers[p].next;
    }
    if (total > MOST_FETCHED) { /* the rate is taken as even */
        from_ms = to_ms - (to_ms - from_ms) * MOST_FETCHED / (double)total;
        for (int p = 0; p < f->n_populations; p++) readers[p].next = find_recorded(l->net, readers[p].population, from_ms);
    }
    atomic_store(&f->older_from_ms, to_ms), atomic_store(&f->older_to_ms, to_ms);
    history_clear(f->older);
    for (reader *r; (r = earliest(l->net, readers, f->n_populations)); r->at++)
        history_add(f->older, r->t_ms[r->at], (double)(r->first_row + r->neuron[r->at]));
    atomic_store(&f->older_from_ms, from_ms);
    free(readers);
}

/* ---- obeying ------------------------------------------------------------------------------------------------ */

static void obey(live *l, const feed_command *c)
{
    switch (c->kind) {
    case FEED_KNOB:
    case FEED_POKE:
    case FEED_INJECT:
        if (l->options.touch && l->status == RV_OK) l->status = l->options.touch(l->options.user, c);
        if (c->kind == FEED_KNOB) atomic_store(&l->feed->knob[c->index].value, c->value);
        break;
    case FEED_TRACE_ON: trace_on(l, c); break;
    case FEED_TRACE_OFF: trace_off(l, c->index); break;
    case FEED_WEIGHTS: l->weights_wanted = c->index, l->weights_due = 0; break;
    case FEED_FETCH: fetch(l, c->from_ms, c->to_ms); break;
    case FEED_FINISH: rv_stop(l->net); break;
    }
}

static bool is_touch(const feed_command *c) { return c->kind == FEED_KNOB || c->kind == FEED_POKE || c->kind == FEED_INJECT; }

/* @param touchable whether the network still runs */
static void obey_all(live *l, bool touchable)
{
    feed_command c;
    while (feed_take(l->feed, &c))
        if (l->net && (touchable || !is_touch(&c))) obey(l, &c);
    if (l->net) weights_when_due(l);
}

static bool leaving(const live *l) { return l->status != RV_OK || atomic_load(&l->feed->closed) || (l->options.leaving && l->options.leaving(l->options.user)); }

static void nap(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)((seconds - floor(seconds)) * 1e9) };
    nanosleep(&t, NULL);
}

/* ---- pace --------------------------------------------------------------------------------------------------- */

static rv_status tick(rv_net *net, double t_ms, void *user);

static int64_t present(const live *l) { return llround(rv_time(l->net) / rv_resolution(l->net)); }

/* A visit after some steps, unless there is an earlier one. */
static void halt_after(live *l, int64_t steps)
{
    int64_t now = present(l);
    if (l->halt_step > now && l->halt_step <= now + steps) return;
    l->halt_step = now + steps;
    rv_at(l->net, (double)l->halt_step * rv_resolution(l->net), tick, l);
}

/* @return whether a single step is to be done; else the pause is over */
static bool wait_while_paused(live *l)
{
    feed *f = l->feed;
    bool  waited = false;
    while (atomic_load(&f->paused) && !leaving(l)) {
        if (l->stepping_to > present(l)) return true;
        if (atomic_load(&f->steps) > 0) {
            atomic_fetch_sub(&f->steps, 1);
            l->stepping_to = present(l) + 1;
            return true;
        }
        atomic_store(&f->state, FEED_PAUSED);
        if (!waited) publish(l);
        waited = true;
        nap(NAP_SECONDS);
        obey_all(l, true);
    }
    if (waited) l->anchor_speed = NAN;
    return false;
}

/* Sleeps until simulated time is no longer ahead of wall time times speed. Who falls behind on a busy machine stops less
 * often, and catches up for a while; not for long, or a slow stretch would be followed by a rush. */
static void wait_for_time(live *l, double t_ms)
{
    double speed = atomic_load(&l->feed->speed), now = clock_seconds();
    if (!(speed == l->anchor_speed)) l->anchor_speed = speed, l->anchor_seconds = now, l->anchor_ms = t_ms;
    if (!isfinite(speed)) return;
    double due = l->anchor_seconds + (t_ms - l->anchor_ms) / 1000 / speed;
    double chunk = due < now - TICK_SECONDS ? BEHIND_SECONDS : TICK_SECONDS;
    if (due < now - PATIENCE_SECONDS) l->anchor_seconds = now, l->anchor_ms = t_ms;
    while ((now = clock_seconds()) < due && !leaving(l) && !atomic_load(&l->feed->paused) && atomic_load(&l->feed->speed) == speed) {
        nap(fmin(due - now, NAP_SECONDS));
        obey_all(l, true);
    }
    int64_t steps = (int64_t)(speed * chunk * 1000 / l->feed->resolution_ms);
    halt_after(l, steps > 1 ? steps : 1);
}

static void detach(live *l)
{
    if (l->detached) return;
    l->detached = true;
    rv_watch_spikes(l->net, NULL, NULL);
    for (int k = 0; k < FEED_TRACES; k++) trace_off(l, k);
}

/* Between two windows, some thirty times a second and where a halt was set. */
static rv_status tick(rv_net *net, double t_ms, void *user)
{
    live *l = user;
    (void)net;
    if (l->detached) return RV_OK;
    if (atomic_load(&l->feed->closed)) {
        detach(l);
        return RV_OK;
    }
    obey_all(l, true);
    publish(l);
    if (t_ms < atomic_load(&l->feed->end_ms)) {
        do {
            if (wait_while_paused(l)) {
                halt_after(l, 1);
                return l->status;
            }
            wait_for_time(l, t_ms);
        } while (atomic_load(&l->feed->paused) && !leaving(l));
        atomic_store(&l->feed->state, FEED_RUNNING);
    }
    return l->status;
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

/* What a click on a neuron shows: the membrane potential, which chips call v; generators have none. */
static void choose_variable(const rv_table *table, feed_population *p)
{
    int chosen = -1;
    for (int k = 0; k < table->n_states; k++)
        if (strcmp(table->states[k].name, "V_m") == 0 || strcmp(table->states[k].name, "v") == 0) chosen = k;
    if (chosen < 0) return;
    snprintf(p->variable, sizeof p->variable, "%s", table->states[chosen].name);
    snprintf(p->unit, sizeof p->unit, "%s", table->states[chosen].unit);
}

static void describe_population(const live *l, rv_population population, feed_population *p)
{
    rv_table table;
    snprintf(p->name, sizeof p->name, "%s", rv_population_name(l->net, population));
    snprintf(p->model, sizeof p->model, "%s", rv_population_model(l->net, population));
    p->size = rv_population_size(l->net, population);
    if (l->options.inhibitory) p->inhibitory = l->options.inhibitory(l->options.user, population);
    live_shape shape = l->options.shape ? l->options.shape(l->options.user, population) : (live_shape){ 0 };
    p->columns = shape.columns, p->rows = shape.rows, p->polarities = shape.polarities;
    if (rv_table_find(RV_NEURONS, p->model, &table)) choose_variable(&table, p);
}

static rv_status open_feed(live *l)
{
    int              n = rv_population_count(l->net);
    feed_population *p = calloc((size_t)n + 1, sizeof *p);
    if (!p) return RV_OUT_OF_MEMORY;
    for (int k = 0; k < n; k++) describe_population(l, (rv_population){ k + 1 }, &p[k]);
    rv_status status = feed_new(p, n, &l->feed);
    free(p);
    return status;
}

static void describe_learning(live *l)
{
    feed *f = l->feed;
    for (int k = 1; k <= rv_projection_count(l->net) && f->n_learning < FEED_LEARNING; k++) {
        rv_projection projection = { k };
        const char   *rule = rv_projection_plasticity(l->net, projection);
        if (!rule) continue;
        const feed_population *source = &f->population[rv_projection_source(l->net, projection).id - 1];
        const feed_population *target = &f->population[rv_projection_target(l->net, projection).id - 1];
        l->learning[f->n_learning].projection = projection;
        l->learning[f->n_learning].shape = snapshot_choose(source, target);
        snprintf(f->learning[f->n_learning++], sizeof f->learning[0], "%.30s to %.30s, %.12s", source->name, target->name, rule);
    }
}

static void describe_knobs(live *l)
{
    for (int k = 0; k < l->options.n_knobs && k < FEED_KNOBS; k++) {
        feed_knob *knob = &l->feed->knob[l->feed->n_knobs++];
        snprintf(knob->label, sizeof knob->label, "%s", l->options.knobs[k].label);
        knob->low = l->options.knobs[k].low, knob->high = l->options.knobs[k].high;
        knob->value = l->options.knobs[k].value;
    }
}

/* Twice what brings the first neuron with a membrane from E_L to V_th, as a first guess; 10 where that is unknown. */
static double choose_current(live *l)
{
    static const char *const names[] = { "C_m", "tau_m", "E_L", "V_th" };
    for (int k = 0; k < l->feed->n_populations; k++) {
        double   v[4];
        int      known = 0;
        rv_table table;
        if (!rv_table_find(RV_NEURONS, l->feed->population[k].model, &table)) continue;
        for (int n = 0; n < 4; n++)
            for (int p = 0; p < table.n_params; p++)
                if (strcmp(table.params[p].name, names[n]) == 0)
                    known += rv_get(l->net, (rv_slice){ { k + 1 }, 0, 1, 1 }, names[n], &v[n]) == RV_OK;
        if (known == 4) return 2 * v[0] / v[1] * (v[3] - v[2]);
    }
    return 10;
}

static void *warm(void *user)
{
    live *l = user;
    history_warm(l->feed->spikes, &l->warm_enough);
    return NULL;
}

static rv_status attach(live *l)
{
    feed *f = l->feed;
    snprintf(f->title, sizeof f->title, "%s", l->options.title ? l->options.title : "");
    f->resolution_ms = rv_resolution(l->net), f->exact = rv_net_timing(l->net) == RV_EXACT, f->live = true;
    atomic_store(&f->paused, l->options.paused);
    atomic_store(&f->t_ms, rv_time(l->net));
    f->inject_pA = choose_current(l);
    describe_learning(l);
    describe_knobs(l);
    rv_watch_spikes(l->net, on_spikes, l);
    l->is_warming = pthread_create(&l->warming, NULL, warm, l) == 0;
    return rv_on_wall_clock(l->net, LOOK_SECONDS, tick, l);
}

rv_status live_open(rv_net *net, const live_options *options, live **result)
{
    *result = NULL;
    rv_status status = rv_compile(net);
    if (status != RV_OK) return status;
    live *l = calloc(1, sizeof *l);
    if (!l) return rv_fail(net, RV_OUT_OF_MEMORY, "no memory for the window");
    l->net = net, l->options = *options, l->weights_wanted = -1, l->anchor_speed = NAN;
    status = open_feed(l);
    if (status == RV_OK) status = attach(l);
    else rv_fail(net, status, "no memory for the window");
    if (status == RV_OK) *result = l;
    else live_free(l);
    return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

void live_expect(live *l, double end_ms)
{
    atomic_store(&l->feed->end_ms, end_ms);
    atomic_store(&l->feed->state, FEED_RUNNING);
    tick(l->net, rv_time(l->net), l);
}

void live_linger(live *l, const char *failure)
{
    if (failure) snprintf(l->feed->message, sizeof l->feed->message, "%s", failure);
    atomic_store(&l->feed->state, failure ? FEED_FAILED : FEED_ENDED);
    while (!leaving(l)) {
        obey_all(l, false);
        nap(NAP_SECONDS);
    }
}

void live_close(live *l)
{
    detach(l);
    rv_off_wall_clock(l->net, tick, l);
    l->net = NULL;
    atomic_store(&l->feed->state, FEED_ENDED);
}

void live_free(live *l)
{
    if (!l) return;
    atomic_store(&l->warm_enough, true);
    if (l->is_warming) pthread_join(l->warming, NULL);
    feed_free(l->feed);
    free(l);
}
