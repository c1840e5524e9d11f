/* Grid timing: every spike lies at the end of a step. A part is swept (every neuron, every step) or jumps (a neuron is
 * visited when it has an event); both run the model's step, so they differ in the rounding of the silent steps alone. */
#include <math.h>
#include <string.h>

#include "sim/advance.h"
#include "sim/clock.h"
#include "sim/foresee.h"
#include "sim/inputs.h"
#include "sim/neuron.h"
#include "sim/probes.h"
#include "sim/tables.h"
#include "sim/touched.h"

/* ---- deliver ------------------------------------------------------------------------------------------------ */

/* The kernel of the simulator: the weights of a segment are added to the inputs of its targets. */
static void add_constant(double *restrict input, const uint16_t *restrict target, uint32_t n, double weight)
{
    for (uint32_t k = 0; k < n; k++) input[target[k]] += weight;
}

static void add_floats(double *restrict input, const uint16_t *restrict target, const float *restrict weight, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) input[target[k]] += (double)weight[k];
}

static void add_doubles(double *restrict input, const uint16_t *restrict target, const double *restrict weight, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) input[target[k]] += weight[k];
}

/* Where excitatory and inhibitory weights go, numbered like the tile. */
typedef struct target_input {
    double *ex, *in;
} target_input;

/* Where targets follow one another their list need not be read, and the additions are vectorised. */
RV_VECTORISED
static void add_floats_in_a_row(double *restrict input, const float *restrict weight, uint32_t n, double factor)
{
    for (uint32_t k = 0; k < n; k++) input[k] += factor * (double)weight[k];
}

RV_VECTORISED
static void add_constant_in_a_row(double *restrict input, uint32_t n, double weight)
{
    for (uint32_t k = 0; k < n; k++) input[k] += weight;
}

RV_VECTORISED
static void add_mixed_in_a_row(double *restrict ex, double *restrict in, const float *restrict weight, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        double w = (double)weight[k];
        ex[k] += larger(w, 0);
        in[k] += smaller(w, 0);
    }
}

/* @return whether it was done */
static bool add_in_a_row(target_input to, const bundle *b, const rows *r, uint32_t first, uint32_t n)
{
    double *input = b->sign < 0 ? to.in : to.ex;
    if (!r->in_a_row || b->counts) return false;
    if (b->kind == WEIGHT_CONSTANT) add_constant_in_a_row(input + r->target[first], n, b->weight);
    else if (b->kind == WEIGHT_FLOAT && b->sign != 0) add_floats_in_a_row(input + r->target[first], r->weight_float + first, n, 1);
    else if (b->kind == WEIGHT_FLOAT && to.ex != to.in) add_mixed_in_a_row(to.ex + r->target[first], to.in + r->target[first], r->weight_float + first, n);
    else return false;
    return true;
}

/* Excitatory and inhibitory weights in one segment */
static void add_mixed(double *ex, double *in, const rows *r, uint32_t first, uint32_t n)
{
    for (uint32_t k = first; k < first + n; k++) {
        double weight = r->weight_float ? (double)r->weight_float[k] : r->weight_double[k];
        (weight < 0 ? in : ex)[r->target[k]] += weight;
    }
}

/* A receptor of the target population takes what arrives into one of its states. */
static target_input input_of(const state *s, int t, const bundle *b)
{
    if (!b->receptor) return (target_input){ s->tile[t].input_ex, s->tile[t].input_in };
    int     population = s->net->def->projection[b->projection[0]].target.population;
    double *receptor = s->tile[t].part[population].view.state[b->receptor - 1] - s->net->tile[t].part[population].base;
    return (target_input){ receptor, receptor };
}

static void add_weights(state *s, int t, const bundle *b, const segment *segment)
{
    const rows     *r = &b->rows[t];
    uint32_t        first = segment->first, n = segment_count(segment);
    const uint16_t *target = r->target + first;
    target_input    to = input_of(s, t, b);
    double         *input = b->sign < 0 ? to.in : to.ex;
    if (add_in_a_row(to, b, r, first, n)) return;
    if (b->counts) add_constant(to.ex, target, n, 1);
    else if (b->kind == WEIGHT_CONSTANT) add_constant(input, target, n, b->weight);
    else if (b->sign == 0) add_mixed(to.ex, to.in, r, first, n);
    else if (b->kind == WEIGHT_FLOAT) add_floats(input, target, r->weight_float + first, n);
    else add_doubles(input, target, r->weight_double + first, n);
}

static void add_floats_scaled(double *restrict input, const rows *r, uint32_t first, uint32_t n, double factor)
{
    const uint16_t *restrict target = r->target + first;
    const float *restrict weight = r->weight_float + first;
    if (r->in_a_row) add_floats_in_a_row(input + target[0], weight, n, factor);
    else
        for (uint32_t k = 0; k < n; k++) input[target[k]] += factor * (double)weight[k];
}

/* The weights are multiplied with what the spike carries, or with the part of them that it delivers. */
static void add_graded(double *ex, double *in, const bundle *b, const rows *r, const segment *segment, double payload)
{
    if (ex == in && r->weight_float) {
        add_floats_scaled(ex, r, segment->first, segment_count(segment), payload);
        return;
    }
    for (uint32_t k = segment[0].first; k < segment[1].first; k++) {
        double weight = payload * (r->weight_float ? (double)r->weight_float[k] : b->weight);
        (weight < 0 ? in : ex)[r->target[k]] += weight;
    }
}

/* A parrot repeats a spike however little of the weight it delivers. */
static void add_scaled(state *s, int t, const bundle *b, const segment *segment, double part)
{
    const rows  *r = &b->rows[t];
    target_input to = input_of(s, t, b);
    if (b->counts) add_constant(to.ex, r->target + segment->first, segment_count(segment), 1);
    else add_graded(to.ex, to.in, b, r, segment, part);
}

/* ---- sums that are finished ---------------------------------------------------------------------------------- */

/* What a kind of synapse makes of the sum is input. */
static void close_sum(state *s, int t, int index)
{
    tile_state   *tile = &s->tile[t];
    const bundle *b = &s->net->bundle[index];
    open_sum     *sum = &tile->sum[index];
    const part   *own = &s->net->tile[t].part[s->net->def->projection[b->projection[0]].target.population];
    double *restrict value = sum->value + own->base, *restrict ex = tile->input_ex + own->base, *restrict in = tile->input_in + own->base;
    b->synapse->finish(b->synapse_param, value, own->n);
    for (int i = 0; i < own->n; i++) {
        ex[i] += larger(value[i], 0);
        in[i] += smaller(value[i], 0);
        value[i] = 0;
    }
    sum->open = false, tile->n_open--;
}

static void close_sums(state *s, int t)
{
    for (int b = 0; b < s->net->n_bundles && s->tile[t].n_open > 0; b++)
        if (s->tile[t].sum[b].open) close_sum(s, t, b);
}

/* The sum a segment goes into: that of its delay; spikes with another delay have their sum behind them. */
static double *sum_for(state *s, int t, int index, uint32_t steps)
{
    open_sum *sum = &s->tile[t].sum[index];
    if (sum->open && sum->steps != steps) close_sum(s, t, index);
    s->tile[t].n_open += !sum->open;
    sum->open = true, sum->steps = steps;
    return sum->value;
}

/* The kinds of synapse that do more than add their weight. */
static void deliver_special(state *s, int t, int index, const segment *segment, int32_t payload)
{
    const bundle *b = &s->net->bundle[index];
    double       *ex = s->tile[t].input_ex, *in = s->tile[t].input_in;
    if (b->summed) ex = in = sum_for(s, t, index, segment->steps);
    add_graded(ex, in, b, &b->rows[t], segment, b->graded ? payload : 1);
}

static void deliver_segment(state *s, int t, uint64_t word, int64_t due, int32_t payload)
{
    tile_state    *tile = &s->tile[t];
    const bundle  *b = &s->net->bundle[event_number(word)];
    const rows    *r = &b->rows[t];
    const segment *segment = &r->segment[event_index(word)];
    for (uint32_t m = event_multiplicity(word); m > 0; m--) {
        double part = b->rule ? plastic_arrive(&tile->learning[event_number(word)], event_index(word), (double)due) : 1;
        if (b->rule && b->rule->release) add_scaled(s, t, b, segment, part);
        else if (b->graded || b->summed) deliver_special(s, t, (int)event_number(word), segment, payload);
        else add_weights(s, t, b, segment);
    }
    tile->n_events += segment_count(segment);
    if (tile->touches[event_number(word)])
        for (uint32_t k = segment[0].first; k < segment[1].first; k++) touch_neuron(tile, r->target[k]);
}

/* What is due soon is on its way from memory while this is added: first the record of the segment, then its row. */
enum { SEGMENTS_AHEAD = 16, ROWS_AHEAD = 6, MOST_LINES = 16, LINE = 64 /* bytes */ };

static void prefetch_lines(const void *begin, size_t bytes)
{
    if (bytes > MOST_LINES * LINE) bytes = MOST_LINES * LINE;
    for (size_t at = 0; at < bytes; at += LINE) __builtin_prefetch((const char *)begin + at);
}

static void prefetch_segment(const state *s, int t, uint64_t word)
{
    if (event_kind_of(word) == EVENT_SEGMENT) __builtin_prefetch(&s->net->bundle[event_number(word)].rows[t].segment[event_index(word)]);
}

static void prefetch_row(const state *s, int t, uint64_t word)
{
    if (event_kind_of(word) != EVENT_SEGMENT) return;
    const rows    *r = &s->net->bundle[event_number(word)].rows[t];
    const segment *segment = &r->segment[event_index(word)];
    size_t         n = segment_count(segment);
    prefetch_lines(r->target + segment->first, (r->in_a_row ? 1 : n) * sizeof *r->target);
    if (r->weight_float) prefetch_lines(r->weight_float + segment->first, n * sizeof *r->weight_float);
    if (r->weight_double) prefetch_lines(r->weight_double + segment->first, n * sizeof *r->weight_double);
}

static void prefetch_ahead(const state *s, int t, const event_chunk *chunk, uint32_t k)
{
    if (k + SEGMENTS_AHEAD < chunk->n) prefetch_segment(s, t, chunk->item[k + SEGMENTS_AHEAD]);
    if (k + ROWS_AHEAD < chunk->n) prefetch_row(s, t, chunk->item[k + ROWS_AHEAD]);
}

static void wake(state *s, int t, uint64_t word, int64_t due)
{
    tile_state *tile = &s->tile[t];
    part_state *ps = &tile->part[event_number(word)];
    if (ps->wake && ceil(ps->wake[event_index(word)]) == (double)due)
        touch_neuron(tile, (uint32_t)s->net->tile[t].part[event_number(word)].base + event_index(word));
}

static void take_arrival(state *s, int t, uint64_t word, int64_t due)
{
    tile_state *tile = &s->tile[t];
    arrival_at  a;
    if (!inputs_take_arrival(s, t, word, due, &a)) return;
    (a.input.weight < 0 ? tile->input_in : tile->input_ex)[a.neuron] += a.input.weight;
    if (tile->part[s->net->def->input[event_number(word)].target.population].jumping) touch_neuron(tile, a.neuron);
}

static void deliver_due_events(state *s, int t, int64_t due)
{
    event_queue *q = &s->tile[t].queue;
    int32_t      payload = 1; /* of the next segment, if its bundle is graded */
    for (uint32_t i = event_queue_due(q, due); i; i = q->chunk[i].next)
        for (uint32_t k = 0; k < q->chunk[i].n; k++) { /* an event may add another to this bucket */
            uint64_t word = q->chunk[i].item[k];
            prefetch_ahead(s, t, &q->chunk[i], k);
            if (event_kind_of(word) == EVENT_SEGMENT) deliver_segment(s, t, word, due, payload);
            else if (event_kind_of(word) == EVENT_WAKE) wake(s, t, word, due);
            else if (event_kind_of(word) == EVENT_ARRIVAL) take_arrival(s, t, word, due);
            else payload = (int32_t)event_index(word);
        }
    event_queue_done(q);
    close_sums(s, t);
}

/* ---- advance: sweep ----------------------------------------------------------------------------------------- */

/* Whether none of a block of neurons fired; the flags behind the last neuron of a part are there, whatever they say. */
static bool is_silent(const uint8_t *fired)
{
    uint64_t word[NEURON_BLOCK / 8], any = 0;
    memcpy(word, fired, sizeof word);
    for (int k = 0; k < NEURON_BLOCK / 8; k++) any |= word[k];
    return !any;
}

static void collect_fired(state *s, int t, int population, int64_t step)
{
    const part_state *ps = &s->tile[t].part[population];
    const uint8_t    *fired = ps->view.fired;
    int               n = ps->view.n;
    bool              graded = s->net->def->population[population].graded;
    for (int begin = 0; begin < n; begin += 8) {
        uint64_t eight;
        if (begin % NEURON_BLOCK == 0 && is_silent(fired + begin)) {
            begin += NEURON_BLOCK - 8;
            continue;
        }
        memcpy(&eight, fired + begin, 8);
        for (; eight; eight &= eight - 1) {
            int i = begin + __builtin_ctzll(eight) / 8;
            if (i >= n) continue;
            neuron_spikes(s, t, 0, population, i, (double)(step + 1), graded ? neuron_payload(s, ps, population, i) : 1);
            neuron_draw_in_place(s, t, population, i);
        }
    }
}

/* ---- advance: jump ------------------------------------------------------------------------------------------ */

static uint32_t visit_generator(state *s, int t, int population, int i, int64_t step)
{
    const part_state *ps = &s->tile[t].part[population];
    bool              graded = s->net->def->population[population].graded;
    uint32_t          multiplicity = 0;
    for (; ceil(ps->wake[i]) <= (double)(step + 1); multiplicity += !graded) {
        if (graded) neuron_spikes(s, t, 0, population, i, (double)(step + 1), neuron_payload(s, ps, population, i));
        foresee_emission(s, t, population, i, false);
    }
    foresee_queue(s, t, population, i);
    return multiplicity;
}

static uint32_t visit_neuron(state *s, int t, int population, int i, int64_t step, double ex, double in)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    double          states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS], current = neuron_current(ps, i);
    neuron_load(ps, m, i, states, constants);
    if ((double)step > ps->last[i]) m->carry(constants, states, current, (double)step - ps->last[i]);
    bool fired = m->step(constants, states, current, ex, in);
    neuron_store(ps, m, i, states);
    ps->last[i] = (double)(step + 1);
    foresee_crossing(s, t, population, i, states, constants, ps->last[i] + FORESEE_STEPS);
    foresee_queue(s, t, population, i);
    return fired;
}

static uint32_t visit(state *s, int t, int population, int i, int64_t step)
{
    tile_state     *tile = &s->tile[t];
    const rv_model *m = model_of(s, population);
    int             local = s->net->tile[t].part[population].base + i;
    double          ex = tile->input_ex[local], in = tile->input_in[local];
    tile->input_ex[local] = tile->input_in[local] = 0;
    tile->n_updates++;
    if (m->emit) return visit_generator(s, t, population, i, step);
    if (m->counts_spikes) return (uint32_t)m->receive(NULL, NULL, ex, in);
    return visit_neuron(s, t, population, i, step, ex, in);
}

/* ---- the step ----------------------------------------------------------------------------------------------- */

/* Currents that change at this step: neurons that jump are first brought here under the old one. */
static void update_currents(state *s, int t, int64_t step)
{
    for (int p = 0; p < s->net->def->n_populations; p++) {
        part_state *ps = &s->tile[t].part[p];
        if (!ps->has_current || !inputs_current_changes(s, p, step)) continue;
        if (ps->jumping) foresee_settle_part(s, t, p, step);
        inputs_update_current(s, t, p, step);
        if (ps->jumping) foresee_part(s, t, p);
    }
}

/* The states of a neuron that is visited soon are on their way while this one is worked on. */
static void prefetch_neuron(const part_state *ps, const rv_model *m, int i)
{
    for (int k = 0; k < m->table.n_states; k++) __builtin_prefetch(ps->view.state[k] + i, 1);
    __builtin_prefetch(ps->view.input_ex + i, 1);
    __builtin_prefetch(ps->view.input_in + i, 1);
    if (ps->last) __builtin_prefetch(ps->last + i, 1);
    if (ps->wake) __builtin_prefetch(ps->wake + i, 1);
}

static void sweep_part(state *s, int t, int population)
{
    part_state *ps = &s->tile[t].part[population];
    if (ps->jumping || ps->view.n == 0) return;
    model_of(s, population)->sweep(&ps->view);
    s->tile[t].n_updates += ps->view.n;
}

static void advance_part(state *s, int t, int population, int64_t step, int32_t *next)
{
    tile_state *tile = &s->tile[t];
    part_state *ps = &tile->part[population];
    const part *own = &s->net->tile[t].part[population];
    int32_t     k = *next;
    for (; k < tile->n_list && tile->list[k] < own->base + own->n; k++) {
        int i = tile->list[k] - own->base;
        if (i < 0) continue;
        if (ps->jumping && k + 4 < tile->n_list && tile->list[k + 4] < own->base + own->n)
            prefetch_neuron(ps, model_of(s, population), tile->list[k + 4] - own->base);
        tile->touched[tile->list[k]] = 0;
        uint32_t multiplicity = ps->jumping ? visit(s, t, population, i, step) : 0;
        if (multiplicity > 0) neuron_spikes(s, t, 0, population, i, (double)(step + 1), multiplicity);
    }
    *next = k;
    if (ps->jumping || own->n == 0) return;
    if (!state_takes_directly(s, population)) sweep_part(s, t, population);
    collect_fired(s, t, population, step);
}

static void advance_neurons(state *s, int t, int64_t step)
{
    int32_t next = 0;
    touched_sort(&s->tile[t]); /* so that spikes come out in order */
    for (int p = 0; p < s->net->def->n_populations; p++) advance_part(s, t, p, step, &next);
    s->tile[t].n_list = 0;
}

/* Neurons to whose states the input of this step is only added are carried over it before: then what arrives is delivered right
 * into the states. */
static void advance_before_input(state *s, int t)
{
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (state_takes_directly(s, p)) sweep_part(s, t, p);
}

/* Rules that depend on the membrane potential see it now. */
static void show_voltages(state *s, int t, int64_t step)
{
    for (int b = 0; b < s->net->n_bundles && s->net->n_voltage_rules > 0; b++) {
        const bundle *bundle = &s->net->bundle[b];
        if (!bundle->rule || !bundle->rule->voltage_change || s->tile[t].learning[b].target->n == 0) continue;
        int population = s->net->def->projection[bundle->projection[0]].target.population;
        plastic_see_voltage(&s->tile[t].learning[b], s->tile[t].part[population].view.state[table_state(&model_of(s, population)->table, "V_m")], step);
    }
}

/* One step of one tile, in the order in which things happen: what arrives at the end of the step is collected first,
 * since the neurons' update covers the whole step and takes it in at its end; where it is only added then, the update comes first. */
static void advance_one_step(state *s, int t, int64_t step)
{
    stage_clock clock = stage_start(s);
    update_currents(s, t, step);         /* external currents of this step                                    */
    stage_end(s, t, STAGE_INPUT, &clock);
    advance_before_input(s, t);          /* V_m(t) -> V_m(t + h) where that does not depend on what arrives   */
    stage_end(s, t, STAGE_ADVANCE, &clock);
    inputs_draw_poisson(s, t, step);     /* Poisson background that arrives at its end                        */
    stage_end(s, t, STAGE_INPUT, &clock);
    deliver_due_events(s, t, step + 1);  /* delay elapsed: weights are added to the targets' input            */
    stage_end(s, t, STAGE_DELIVER, &clock);
    advance_neurons(s, t, step);         /* V_m of the others; spikes are listed, and told to the synapses    */
    show_voltages(s, t, step + 1);       /* V_m(t + h) is told to the synapses whose rule depends on it       */
    stage_end(s, t, STAGE_ADVANCE, &clock);
    probes_sample(s, t, step + 1);
    stage_end(s, t, STAGE_RECORD, &clock);
}

/* Whether nothing happens in the tile between events: every part jumps, and nothing is drawn or sampled step by step. */
static bool is_quiet(const state *s, int t)
{
    if (s->n_probes > 0) return false;
    for (int p = 0; p < s->net->def->n_populations; p++)
        if (s->net->tile[t].part[p].n > 0 && (!s->tile[t].part[p].jumping || s->tile[t].part[p].has_current)) return false;
    return !inputs_draw_each_step(s);
}

void grid_advance(state *s, int t, int64_t from, int64_t to)
{
    bool quiet = is_quiet(s, t);
    for (int64_t step = from; step < to; step++) {
        if (quiet) step = event_queue_skip(&s->tile[t].queue, step + 1, to + 1) - 1;
        if (step < to) advance_one_step(s, t, step);
    }
}
