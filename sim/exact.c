/* Exact timing: spikes have the time at which V_m crosses the threshold, in floating point, and none is missed (Morrison
 * et al. 2007, doi:10.1162/neco.2007.19.1.47; Krishnan et al. 2018, doi:10.3389/fninf.2017.00075). In a window the events
 * of each neuron are sorted by time and the neuron is carried from one to the next; neurons without an event are not
 * touched. What is computed depends on a neuron's events only, never on where windows or runs begin and end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/advance.h"
#include "sim/clock.h"
#include "sim/convolution.h"
#include "sim/foresee.h"
#include "sim/inputs.h"
#include "sim/memory.h"
#include "sim/neuron.h"
#include "sim/probes.h"
#include "sim/touched.h"

enum { ARRIVALS_AT_ONCE = 1 << 14 }; /* 640 kB of them, which a second-level cache holds */

/* ---- collect what arrives ----------------------------------------------------------------------------------- */

static void add_arrival(tile_state *tile, arrival_at a)
{
    if (tile->n_arrivals == tile->arrival_capacity &&
        !memory_reserve((void **)&tile->arrival, &tile->arrival_capacity, tile->n_arrivals + 1, sizeof *tile->arrival))
        tile->queue.out_of_memory = true;
    else tile->arrival[tile->n_arrivals++] = a;
}

static void collect_convolution(state *s, int t, const bundle *b, uint32_t k, double time)
{
    convolution_walk  w;
    convolution_block block;
    convolution_begin_segment(s->net, b, t, k, &w);
    while (convolution_next(&w, &block))
        for (int64_t row = 0; row < block.n[0]; row++)
            for (int64_t i = 0; i < block.n[1]; i++)
                add_arrival(&s->tile[t], (arrival_at){ { time, b->counts ? 1 : *convolution_weight(&block, row, i) }, (uint32_t)convolution_target(&block, row, i) });
}

static void collect_segment(state *s, int t, uint64_t word, double time)
{
    tile_state   *tile = &s->tile[t];
    const bundle *b = &s->net->bundle[event_number(word)];
    const rows   *r = &b->rows[t];
    const segment *segment = &r->segment[event_index(word)];
    for (uint32_t m = event_multiplicity(word); m > 0; m--) {
        if (b->convolution) collect_convolution(s, t, b, event_index(word), time);
        double part = b->rule ? plastic_arrive(&tile->learning[event_number(word)], event_index(word), time) : 1;
        for (uint32_t k = segment[0].first; k < segment[1].first && !b->convolution; k++)
            add_arrival(tile, (arrival_at){ { time, b->counts ? 1 : part * (b->kind == WEIGHT_CONSTANT ? b->weight : r->weight_double[k]) }, r->target[k] });
    }
    tile->n_events += segment_count(segment);
}

static void take_arrival(state *s, int t, uint64_t word, int64_t due)
{
    arrival_at a;
    if (inputs_take_arrival(s, t, word, due, &a)) add_arrival(&s->tile[t], a);
}

static void wake(state *s, int t, uint64_t word, int64_t due)
{
    part_state *ps = &s->tile[t].part[event_number(word)];
    if (floor(ps->wake[event_index(word)]) == (double)due)
        touch_neuron(&s->tile[t], (uint32_t)s->net->tile[t].part[event_number(word)].base + event_index(word));
}

static void collect_step(state *s, int t, int64_t due)
{
    event_queue *q = &s->tile[t].queue;
    for (uint32_t i = event_queue_due(q, due); i; i = q->chunk[i].next)
        for (uint32_t k = 0; k < q->chunk[i].n; k++) {
            uint64_t word = q->chunk[i].item[k];
            if (event_kind_of(word) == EVENT_WAKE) wake(s, t, word, due);
            else if (event_kind_of(word) == EVENT_ARRIVAL) take_arrival(s, t, word, due);
            else {
                double time;
                memcpy(&time, &q->chunk[i].item[++k], sizeof time);
                collect_segment(s, t, word, time);
            }
        }
    event_queue_done(q);
}

/* ---- sort it by neuron and time ----------------------------------------------------------------------------- */

/* Arrivals at populations of later levels wait for their turn. */
static bool is_turn(const tile_state *tile, const arrival_at *a, int level, double to)
{
    return tile->level_of[a->neuron] == level && a->input.time < to;
}

/* Counting sort by neuron over the touched ones, in ascending order; stable. Afterwards n_arriving[] is where the arrivals
 * of a neuron end in `sorted`. */
static bool sort_arrivals(tile_state *tile, int level, double to)
{
    if (!memory_reserve((void **)&tile->sorted, &tile->sorted_capacity, tile->n_arrivals + 1, sizeof *tile->sorted)) return false;
    for (int64_t k = 0; k < tile->n_arrivals; k++) {
        const arrival_at *a = &tile->arrival[k];
        if (!is_turn(tile, a, level, to)) continue;
        touch_neuron(tile, a->neuron);
        tile->n_arriving[a->neuron]++;
    }
    touched_sort(tile);
    uint32_t sum = 0;
    for (int32_t k = 0; k < tile->n_list; k++) {
        uint32_t n = tile->n_arriving[tile->list[k]];
        tile->n_arriving[tile->list[k]] = sum;
        sum += n;
    }
    int64_t kept = 0;
    for (int64_t k = 0; k < tile->n_arrivals; k++) {
        arrival_at a = tile->arrival[k];
        if (is_turn(tile, &a, level, to)) tile->sorted[tile->n_arriving[a.neuron]++] = a.input;
        else tile->arrival[kept++] = a;
    }
    tile->n_arrivals = kept;
    return true;
}

/* The few arrivals of one neuron by time; stable. */
static void sort_by_time(arrival *a, int64_t n)
{
    for (int64_t k = 1; k < n; k++) {
        arrival x = a[k];
        int64_t at = k;
        for (; at > 0 && a[at - 1].time > x.time; at--) a[at] = a[at - 1];
        a[at] = x;
    }
}

/* ---- one neuron --------------------------------------------------------------------------------------------- */

/* One neuron on its way through a window. */
typedef struct voyage {
    state          *s;
    int             t, population, level, i;
    part_state     *ps;
    const rv_model *m;
    double          states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS], current;
    double          span;   /* that of the last spike               */
    int             n_span; /* spikes in it                         */
    bool            ended;  /* nothing more is done with the neuron */
} voyage;

static void emit_spikes(const voyage *v, double time, uint32_t multiplicity)
{
    neuron_spikes(v->s, v->t, v->level, v->population, v->i, time, multiplicity);
}

static void foresee(const voyage *v, double until) { foresee_crossing(v->s, v->t, v->population, v->i, v->states, v->constants, until); }

static void carry_to(voyage *v, double time)
{
    double *last = &v->ps->last[v->i];
    if (v->ps->probed && v->ps->probed[v->i]) {
        neuron_store(v->ps, v->m, v->i, v->states);
        probes_sample_neuron(v->s, v->t, v->population, v->i, time);
    }
    if (time > *last) v->m->carry(v->constants, v->states, v->current, time - *last), *last = time;
}

/* A neuron whose reset does not take it far enough from the threshold fires ever faster, and time would never get past it.
 * Spans begin where steps do, so that what is found does not depend on where stretches end. */
static void count_spike(voyage *v, double time)
{
    tile_state *tile = &v->s->tile[v->t];
    double      step = floor(time), span = floor(time * endless_spans(v->s));
    if (span != v->span) v->span = span, v->n_span = 0;
    v->ended = step >= tile->endless_from; /* what would be found now is not the first */
    if (++v->n_span <= ENDLESS_SPIKES || v->ended) return;
    spike_list *out = &tile->out[tile->parity][v->level];
    if (out->n > 0) out->endless = out->spike[out->n - 1]; /* none: out of memory */
    tile->endless_from = step, v->ended = true;
}

static void fire(voyage *v, double time)
{
    v->m->fire(v->constants, v->states);
    neuron_draw(v->s, v->t, v->population, v->i, v->constants, v->states);
    emit_spikes(v, time, 1);
    count_spike(v, time);
}

/* All crossings up to `time` without input. */
static void cross_until(voyage *v, double time)
{
    double *wake = &v->ps->wake[v->i];
    while (*wake <= time && !v->ended) {
        if (v->ps->certain[v->i]) {
            double crossing = *wake;
            carry_to(v, crossing);
            fire(v, crossing);
        }
        foresee(v, time);
        if (!v->ps->certain[v->i] && *wake <= time) *wake = nextafter(time, INFINITY);
    }
}

static void take_input(voyage *v, double time, double ex, double in)
{
    if (v->m->receive(v->constants, v->states, ex, in)) fire(v, time);
}

/* ---- models without a closed form: from step to step and event to event ------------------------------------- */

static void integrate_to(voyage *v, double time)
{
    double *last = &v->ps->last[v->i], elapsed;
    while (*last < time && !v->ended) {
        double next = smaller(time, floor(*last) + 1);
        bool   crossed = v->m->advance(v->constants, v->states, v->current, next - *last, &elapsed, v->ps->work);
        double reached = crossed ? smaller(next, *last + elapsed) : next;
        *last = reached;
        if (crossed) fire(v, reached);
        else if (reached == floor(reached) && v->ps->probed && v->ps->probed[v->i]) {
            neuron_store(v->ps, v->m, v->i, v->states);
            probes_sample_neuron(v->s, v->t, v->population, v->i, reached);
        }
    }
}

static void go_to(voyage *v, double time)
{
    if (v->m->advance) {
        integrate_to(v, time);
        return;
    }
    cross_until(v, time);
    carry_to(v, time);
}

/* ---- the window --------------------------------------------------------------------------------------------- */

/* Arrivals at the very same time are one input, so their order does not matter. */
static void run_neuron(voyage *v, const arrival *a, int64_t n, double to)
{
    for (int64_t k = 0; k < n && !v->ended;) {
        double time = a[k].time, ex = 0, in = 0;
        for (; k < n && a[k].time == time; k++) *(a[k].weight < 0 ? &in : &ex) += a[k].weight;
        go_to(v, time);
        take_input(v, time, ex, in);
        if (!v->m->advance) foresee(v, k < n ? a[k].time : to);
    }
    if (v->m->advance) integrate_to(v, to);
    else {
        double before_end = nextafter(to, 0);
        cross_until(v, before_end);
        if (!v->ended) foresee_queue(v->s, v->t, v->population, v->i);
    }
}

static void run_parrot(voyage *v, const arrival *a, int64_t n)
{
    for (int64_t k = 0; k < n;) {
        double   time = a[k].time;
        uint32_t multiplicity = 0;
        for (; k < n && a[k].time == time; k++) multiplicity += (uint32_t)v->m->receive(NULL, NULL, a[k].weight, 0);
        emit_spikes(v, time, multiplicity);
    }
}

static void run_generator(voyage *v, double to)
{
    const double *wake = &v->ps->wake[v->i];
    while (*wake < to) {
        emit_spikes(v, *wake, 1);
        foresee_emission(v->s, v->t, v->population, v->i, false);
    }
    foresee_queue(v->s, v->t, v->population, v->i);
}

static void run(state *s, int t, int population, int i, const arrival *a, int64_t n, int level, double to)
{
    part_state *ps = &s->tile[t].part[population];
    voyage      v = { .s = s, .t = t, .population = population, .level = level, .i = i, .ps = ps,
                      .m = model_of(s, population), .current = neuron_current(ps, i) };
    s->tile[t].n_updates++;
    if (v.m->emit) run_generator(&v, to);
    else if (v.m->counts_spikes) run_parrot(&v, a, n);
    else {
        neuron_load(ps, v.m, i, v.states, v.constants);
        run_neuron(&v, a, n, to);
        neuron_store(ps, v.m, i, v.states);
    }
}

static int by_time_and_neuron(const void *pa, const void *pb)
{
    const spike *a = pa, *b = pb;
    if (a->time != b->time) return a->time < b->time ? -1 : 1;
    return a->neuron < b->neuron ? -1 : a->neuron > b->neuron;
}

/* The touched neurons of a level, each with its stretch of the sorted arrivals; they come in the same order. */
static void run_touched(state *s, int t, int level, double to)
{
    tile_state *tile = &s->tile[t];
    uint32_t    begin = 0;
    int         p = 0, kept = 0;
    for (int32_t k = 0; k < tile->n_list; k++) {
        int local = tile->list[k];
        uint32_t end = tile->n_arriving[local];
        tile->n_arriving[local] = 0;
        if (tile->level_of[local] != level) {
            tile->list[kept++] = (uint16_t)local;
            continue;
        }
        while (local >= s->net->tile[t].part[p].base + s->net->tile[t].part[p].n) p++;
        tile->touched[local] = 0;
        sort_by_time(tile->sorted + begin, end - begin);
        run(s, t, p, local - s->net->tile[t].part[p].base, tile->sorted + begin, end - begin, level, to);
        begin = end;
    }
    tile->n_list = kept;
}

/* Models without a closed form are integrated whether or not something arrives. */
static void touch_integrated(state *s, int t, int level)
{
    for (int p = 0; p < s->net->def->n_populations; p++) {
        const part *own = &s->net->tile[t].part[p];
        if (s->net->population[p].level != level || !model_of(s, p)->advance) continue;
        for (int i = 0; i < own->n; i++) touch_neuron(&s->tile[t], (uint32_t)(own->base + i));
    }
}

static void update_currents(state *s, int t, int level, int64_t step)
{
    for (int p = 0; p < s->net->def->n_populations; p++) {
        part_state *ps = &s->tile[t].part[p];
        if (s->net->population[p].level != level || !ps->has_current || !inputs_current_changes(s, p, step)) continue;
        foresee_settle_part(s, t, p, step);
        inputs_update_current(s, t, p, step);
        foresee_part(s, t, p);
    }
}

static bool any_current_changes(const state *s, int t, int64_t step)
{
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (s->tile[t].part[p].has_current && inputs_current_changes(s, p, step)) return true;
    return false;
}

static double stream_arrivals(const state *s, int t, int level)
{
    double sum = 0;
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (s->net->population[p].level == level) sum += inputs_stream_arrivals(s, t, p);
    return sum;
}

/* Collects what arrives from step `from` on, as long as the current is the same and the arrivals fit into the cache. Where
 * a stretch ends has no influence on what the neurons do. @return its end */
static int64_t collect_stretch(state *s, int t, int level, int64_t from, int64_t to)
{
    tile_state *tile = &s->tile[t];
    double      streams = stream_arrivals(s, t, level);
    int64_t     end = from;
    do collect_step(s, t, end++);
    while (end < to && (double)tile->n_arrivals + streams * (double)(end - from) < ARRIVALS_AT_ONCE && !any_current_changes(s, t, end));
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (s->net->population[p].level == level) inputs_draw_streams(s, t, p, (double)end, add_arrival);
    return end;
}

static int64_t advance_stretch(state *s, int t, int level, int64_t from, int64_t to)
{
    tile_state *tile = &s->tile[t];
    stage_clock clock = stage_start(s);
    update_currents(s, t, level, from);
    stage_end(s, t, STAGE_INPUT, &clock);
    int64_t end = collect_stretch(s, t, level, from, to);
    touch_integrated(s, t, level);
    if (!sort_arrivals(tile, level, (double)end)) tile->queue.out_of_memory = true;
    stage_end(s, t, STAGE_DELIVER, &clock);
    if (!tile->queue.out_of_memory) run_touched(s, t, level, (double)end);
    stage_end(s, t, STAGE_ADVANCE, &clock);
    probes_sample_rest(s, t, level, end);
    stage_end(s, t, STAGE_RECORD, &clock);
    return end;
}

void exact_advance(state *s, int t, int level, int64_t from, int64_t to)
{
    spike_list *out = &s->tile[t].out[s->tile[t].parity][level];
    while (from < to) from = advance_stretch(s, t, level, from, to);
    if (out->n > 1) qsort(out->spike, (size_t)out->n, sizeof *out->spike, by_time_and_neuron);
}
