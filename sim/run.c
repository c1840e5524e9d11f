#include "sim/run.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "sim/advance.h"
#include "sim/barrier.h"
#include "sim/clock.h"
#include "sim/error.h"
#include "sim/foresee.h"
#include "sim/inputs.h"
#include "sim/memory.h"

/* ---- the spikes of all tiles in one order ------------------------------------------------------------------- */

static bool earlier(const spike *a, const spike *b) { return a->time != b->time ? a->time < b->time : a->neuron < b->neuron; }

/* A walk over the sorted lists of all tiles (and levels) by (time, neuron), the total order of spikes. */
typedef struct merge {
    int               n;
    const spike_list *list[MAX_SPIKE_LISTS];
    int64_t           at[MAX_SPIKE_LISTS];
} merge;

static void merge_add(merge *m, const spike_list *list)
{
    if (list->n > 0 && m->n < MAX_SPIKE_LISTS) m->list[m->n] = list, m->at[m->n++] = 0;
}

static const spike *merge_next(merge *m)
{
    int best = -1;
    for (int k = 0; k < m->n; k++)
        if (m->at[k] < m->list[k]->n && (best < 0 || earlier(&m->list[k]->spike[m->at[k]], &m->list[best]->spike[m->at[best]]))) best = k;
    return best < 0 ? NULL : &m->list[best]->spike[m->at[best]++];
}

static void merge_level(merge *m, const state *s, int parity, int level)
{
    for (int t = 0; t < s->net->n_tiles; t++) merge_add(m, &s->tile[t].out[parity][level]);
}

static int population_of(const definition *d, uint32_t neuron)
{
    int low = 0, high = d->n_populations - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (d->population[middle].first_id <= neuron) low = middle;
        else high = middle - 1;
    }
    return low;
}

/* ---- exchange: every tile queues what concerns it ----------------------------------------------------------- */

static void queue_segment(event_queue *q, const segment *segment, double time, bool exact, uint64_t word)
{
    if (!exact) {
        event_queue_push(q, (int64_t)time + segment->steps, word);
        return;
    }
    double   arrival = time + (segment->steps + segment->fraction * 0x1p-32);
    uint64_t bits;
    memcpy(&bits, &arrival, sizeof bits);
    event_queue_push_pair(q, (int64_t)floor(arrival), word, bits);
}

/* In a graded bundle several ordinary spikes weigh as one that carries their number. */
static void queue_graded(state *s, int t, int b, int64_t source, const spike *sp)
{
    const rows  *r = &s->net->bundle[b].rows[t];
    event_queue *q = &s->tile[t].queue;
    for (uint32_t k = r->row[source]; k < r->row[source + 1]; k++) {
        queue_segment(q, &r->segment[k], sp->time, false, event_word(EVENT_PAYLOAD, 0, 0, sp->number));
        queue_segment(q, &r->segment[k], sp->time, false, event_word(EVENT_SEGMENT, 1, (uint32_t)b, k));
    }
}

/* An event holds up to MAX_MULTIPLICITY spikes; more of them, which parrots can emit in one step, take several. */
static void queue_bundle(state *s, int t, int b, int64_t source, const spike *sp, uint32_t count)
{
    const rows *r = &s->net->bundle[b].rows[t];
    bool        exact = s->net->def->timing == RV_EXACT;
    for (uint32_t left = count, some; left > 0; left -= some) {
        some = left < MAX_MULTIPLICITY ? left : MAX_MULTIPLICITY;
        for (uint32_t k = r->row[source]; k < r->row[source + 1]; k++)
            queue_segment(&s->tile[t].queue, &r->segment[k], sp->time, exact, event_word(EVENT_SEGMENT, some, (uint32_t)b, k));
    }
}

/* Rows lie anywhere in memory: the index of one spike and the segments of another are fetched while a third is queued. */
static void prefetch_rows(const state *s, int t, const spike *sp, bool segments)
{
    int                   p = population_of(s->net->def, sp->neuron);
    const population_net *source = &s->net->population[p];
    int64_t               neuron = sp->neuron - s->net->def->population[p].first_id;
    for (int k = 0; k < source->n_bundles; k++) {
        const rows *r = &s->net->bundle[source->bundle[k]].rows[t];
        if (!segments) __builtin_prefetch(&r->row[neuron]);
        else
            for (uint32_t i = r->row[neuron]; i < r->row[neuron + 1]; i += 5) __builtin_prefetch(&r->segment[i]); /* 5 to a line */
    }
}

/* The spike of a population that rewards a bundle. */
static void feel_reward(state *s, int t, int b, const spike *sp, uint32_t count)
{
    const bundle *rewarded = &s->net->bundle[b];
    double        time = sp->time + s->net->def->projection[rewarded->projection[0]].reward_delay;
    plastic_reward(&s->tile[t].learning[b], time, count * rewarded->rule->reward_spike(rewarded->rule_constant));
}

/* What a spike carries for a bundle that looks at it. */
static double payload_of(const state *s, int population, int bundle, const spike *sp)
{
    return s->net->bundle[bundle].graded && s->net->def->population[population].graded ? (double)(int32_t)sp->number : 1;
}

static void queue_spike(state *s, int t, const spike *sp)
{
    int                   p = population_of(s->net->def, sp->neuron);
    const population_net *source = &s->net->population[p];
    int64_t               neuron = sp->neuron - s->net->def->population[p].first_id;
    uint32_t              count = spike_count(&s->net->def->population[p], sp);
    s->tile[t].n_spikes[p] += count;
    for (int k = 0; k < source->n_rewarded; k++) feel_reward(s, t, source->rewarded[k], sp, count);
    for (int k = 0; k < source->n_bundles && s->net->n_epochs > 0; k++)
        if (s->net->bundle[source->bundle[k]].epoch) epoch_source_spike(&s->tile[t].epoch[source->bundle[k]], neuron, (int64_t)sp->time, payload_of(s, p, source->bundle[k], sp));
    for (int k = 0; k < source->n_bundles; k++)
        if (s->net->bundle[source->bundle[k]].graded) queue_graded(s, t, source->bundle[k], neuron, sp);
        else queue_bundle(s, t, source->bundle[k], neuron, sp, count);
}

static void exchange(state *s, int t, int parity, int level)
{
    enum { INDEX_AHEAD = 4, SEGMENTS_AHEAD = 2 };
    if (s->net->tile[t].n_synapses == 0) return;
    stage_clock clock = stage_start(s);
    const spike *ahead[INDEX_AHEAD];
    merge        m;
    m.n = 0;
    merge_level(&m, s, parity, level);
    for (int k = 0; k < INDEX_AHEAD; k++)
        if ((ahead[k] = merge_next(&m))) prefetch_rows(s, t, ahead[k], false);
    for (int64_t i = 0; ahead[i % INDEX_AHEAD]; i++) {
        const spike *now = ahead[i % INDEX_AHEAD], *soon = ahead[(i + SEGMENTS_AHEAD) % INDEX_AHEAD];
        if (soon) prefetch_rows(s, t, soon, true);
        if ((ahead[i % INDEX_AHEAD] = merge_next(&m))) prefetch_rows(s, t, ahead[i % INDEX_AHEAD], false);
        queue_spike(s, t, now);
    }
    stage_end(s, t, STAGE_EXCHANGE, &clock);
}

/* The spikes of all sources up to `step` have been exchanged. */
static void learn(state *s, int t, int64_t step)
{
    stage_clock clock = stage_start(s);
    for (int b = 0; b < s->net->n_bundles; b++) epoch_end_step(&s->tile[t].epoch[b], step);
    stage_end(s, t, STAGE_DELIVER, &clock);
}

/* ---- what is recorded --------------------------------------------------------------------------------------- */

static void keep_spike(const state *s, run_watch *w, const spike *sp, int p)
{
    spike_record record = { sp->time, sp->neuron - s->net->def->population[p].first_id };
    uint32_t     count = spike_count(&s->net->def->population[p], sp);
    w->n_spikes[p] += count;
    for (int k = 0; k < w->n_tasks; k++) structure_hear(&w->task[k], p, record.neuron, sp->time, count);
    for (uint32_t m = 0; m < count && w->spikes[p].on; m++) spool_append(&w->spikes[p].spool, &record, 1);
    for (int k = 0; k < w->n_probes; k++)
        if (w->probe[k]->kind == RV_PROBE_RATE && w->probe[k]->range.population == p) probe_count_spike(w->probe[k], s, sp->time, count);
    if (w->one_window && memory_reserve((void **)&w->heard, &w->heard_capacity, w->n_heard + 1, sizeof *sp)) w->heard[w->n_heard++] = *sp;
}

/* Spikes on their way to a display. */
typedef struct shown {
    int           n;
    double        up_to_ms;
    rv_seen_spike spike[256];
} shown;

static void show(run_watch *w, shown *sh)
{
    w->watch(w->watch_user, sh->spike, sh->n, sh->up_to_ms);
    sh->n = 0;
}

static void show_spike(const state *s, run_watch *w, const spike *sp, int p, shown *sh)
{
    rv_seen_spike seen = { sp->time * s->net->def->resolution, { p + 1 }, sp->neuron - s->net->def->population[p].first_id };
    for (uint32_t m = spike_count(&s->net->def->population[p], sp); m > 0; m--) {
        sh->spike[sh->n++] = seen;
        if (sh->n == (int)(sizeof sh->spike / sizeof sh->spike[0])) show(w, sh);
    }
}

static void keep_window(state *s, run_watch *w, int parity, int64_t from, int64_t to)
{
    merge m;
    shown sh;
    m.n = 0;
    sh.n = 0, sh.up_to_ms = (double)to * s->net->def->resolution;
    for (int level = 0; level < s->net->n_levels; level++) merge_level(&m, s, parity, level);
    for (const spike *sp; (sp = merge_next(&m));) {
        int p = population_of(s->net->def, sp->neuron);
        keep_spike(s, w, sp, p);
        if (w->watch) show_spike(s, w, sp, p, &sh);
    }
    for (int k = 0; k < w->n_watched; k++) probe_keep(w->watched[k], s, parity, from, to);
    if (w->watch) show(w, &sh);
    for (int k = 0; k < w->n_probes; k++) {
        if (w->probe[k]->kind == RV_PROBE_STATE) probe_keep(w->probe[k], s, parity, from, to);
        if (w->probe[k]->kind == RV_PROBE_RATE) probe_keep_rates(w->probe[k], s, to);
    }
}

/* ---- windows ------------------------------------------------------------------------------------------------ */

/* Windows also end where the choice between sweep and jump is due, at fixed steps, however runs are cut. */
static int64_t window_end(const state *s, int64_t from, int64_t until)
{
    int64_t end = from + s->net->window, decision = (from / DECISION_STEPS + 1) * DECISION_STEPS;
    if (end > decision) end = decision;
    return end < until ? end : until;
}

static void begin_window(state *s, int t, int parity, int64_t from)
{
    tile_state *tile = &s->tile[t];
    tile->parity = parity, tile->window_begin = from;
    for (int level = 0; level < s->net->n_levels; level++) tile->out[parity][level].n = 0;
    if (from % DECISION_STEPS == 0 && s->net->def->timing == RV_GRID) foresee_choose(s, t, from);
}

static void advance_tile(state *s, int t, int level, int64_t from, int64_t to)
{
    if (s->net->def->timing == RV_GRID) grid_advance(s, t, from, to);
    else exact_advance(s, t, level, from, to);
    for (int b = 0; b < s->net->n_bundles; b++)
        if (s->net->bundle[b].rule && plastic_is_long(&s->tile[t].learning[b])) plastic_catch_up(&s->tile[t].learning[b], (double)to);
}

static bool wants_up(const run_watch *w) { return w->one_window || *w->stop || clock_seconds() >= w->come_up_at; }

static bool sooner(const spike *a, const spike *b)
{
    double step_a = floor(a->time), step_b = floor(b->time);
    return step_a != step_b ? step_a < step_b : a->neuron < b->neuron;
}

/* The first neuron that was found to fire without end, by step, level and number; NULL: none. */
static const spike *endless_spike(const state *s, int parity)
{
    const spike *first = NULL;
    for (int level = 0; level < s->net->n_levels; level++) {
        const spike *of_level = NULL;
        for (int t = 0; t < s->net->n_tiles; t++) {
            const spike *found = &s->tile[t].out[parity][level].endless;
            if (found->number > 0 && (!of_level || sooner(found, of_level))) of_level = found;
        }
        if (of_level && (!first || floor(of_level->time) < floor(first->time))) first = of_level;
    }
    return first;
}

/* What each thread does: its tiles are t = thread, thread + threads, ... */
static void work(state *s, int thread, int threads, int64_t until, run_watch *w, barrier *meeting, int64_t *reached, bool up[2])
{
    int parity = 0, patience = 0;
    for (int64_t from = s->step, to; from < until; from = to, parity ^= 1) {
        to = window_end(s, from, until);
        for (int t = thread; t < s->net->n_tiles; t += threads) begin_window(s, t, parity, from);
        for (int level = 0; level < s->net->n_levels; level++) {
            for (int t = thread; t < s->net->n_tiles; t += threads) advance_tile(s, t, level, from, to);
            barrier_wait(meeting, threads, &patience);
            for (int t = thread; t < s->net->n_tiles; t += threads) exchange(s, t, parity, level);
        }
        for (int t = thread; t < s->net->n_tiles && s->net->n_epochs > 0; t += threads) learn(s, t, to);
        if (thread == 0) { /* meanwhile the others go on with the next window; they hear of `up` at its end */
            keep_window(s, w, parity, from, to);
            up[parity ^ 1] = up[parity ^ 1] || wants_up(w) || endless_spike(s, parity);
            *reached = to;
        }
        if (w->one_window || up[parity]) return;
    }
}

/* What keeps a neuron from firing without end, if its model has it */
static const char *brake_of(const rv_table *model)
{
    static const char *const brakes[] = { "t_ref", "t_ref_tot", "dead_time", "refrac", "d" };
    for (int k = 0; k < (int)(sizeof brakes / sizeof *brakes); k++)
        for (int p = 0; p < model->n_params; p++)
            if (strcmp(model->params[p].name, brakes[k]) == 0) return brakes[k];
    return "refractory period";
}

static rv_status check_endless(const state *s, rv_error *error)
{
    const spike *even = endless_spike(s, 0), *odd = endless_spike(s, 1), *first = even && odd ? (even->time < odd->time ? even : odd) : even ? even : odd;
    if (!first) return RV_OK;
    double                h = s->net->def->resolution;
    const population_def *def = &s->net->def->population[population_of(s->net->def, first->neuron)];
    return error_set(error, RV_CONFLICT,
                     "population \"%s\": neuron %lld (counted from 0) fires more than %d times in %.4g ms at %.10g ms, which is taken for firing without end: give its %s "
                     "a larger %s or less input; the state is lost",
                     def->name, (long long)first->neuron - (long long)def->first_id, ENDLESS_SPIKES, h / endless_spans(s), floor(first->time) * h,
                     def->model->table.name, brake_of(&def->model->table));
}

static rv_status check_run(const state *s, const run_watch *w, rv_error *error)
{
    bool lost = false;
    for (int t = 0; t < s->net->n_tiles; t++) {
        lost |= s->tile[t].queue.out_of_memory;
        for (int k = 0; k < 2; k++)
            for (int level = 0; level < s->net->n_levels; level++) lost |= s->tile[t].out[k][level].out_of_memory;
        for (int b = 0; b < s->net->n_bundles; b++) lost |= s->tile[t].learning[b].out_of_memory;
    }
    if (lost) return error_set(error, RV_OUT_OF_MEMORY, "out of memory for the events of this network; the state is lost");
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (w->spikes[p].spool.failed)
            return error_set(error, RV_OUT_OF_MEMORY, "population \"%s\": no memory and no disk space for recorded spikes", s->net->def->population[p].name);
    for (int k = 0; k < w->n_probes; k++)
        if (w->probe[k]->values.failed || w->probe[k]->times.failed)
            return error_set(error, RV_OUT_OF_MEMORY, "population \"%s\": no memory and no disk space for recorded samples",
                             s->net->def->population[w->probe[k]->range.population].name);
    return check_endless(s, error);
}

rv_status run_start(state *s, rv_error *error)
{
    for (int i = 0; i < s->net->def->n_inputs; i++) TRY(inputs_prepare(s, i, error));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(inputs_start(s, t, error));
    for (int p = 0; p < s->net->def->n_populations; p++) foresee_population(s, p);
    return RV_OK;
}

rv_status run_until(state *s, int64_t until, run_watch *w, rv_error *error)
{
    int64_t reached = s->step;
    bool    up[2] = { false, false };
    barrier meeting = BARRIER_INIT;
    w->n_heard = 0;
#pragma omp parallel num_threads(w->threads)
    work(s, omp_get_thread_num(), omp_get_num_threads(), until, w, &meeting, &reached, up);
    s->step = reached;
    return check_run(s, w, error);
}
