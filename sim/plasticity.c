#include "sim/plasticity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"
#include "sim/plasticity_loop.h"

/* ---- memory ------------------------------------------------------------------------------------------------- */

/* In grid timing the two parts of a delay are whole steps, like the delay. */
static double dendritic_part(const network *net, const bundle *b, const segment *s)
{
    double part = b->dendritic_fraction * (s->steps + s->fraction * 0x1p-32);
    return net->def->timing == RV_GRID ? rint(part) : part;
}

/* Everything is as large as it is at the end of the first run, but for histories and rewards. */
static bool allocate(plastic *p)
{
    int64_t n = p->r->n_segments;
    p->dendritic = memory_new((size_t)n * sizeof *p->dendritic);
    p->source = memory_new((size_t)n * sizeof *p->source);
    p->history = calloc((size_t)p->target->n + 1, sizeof *p->history);
    p->latest = calloc((size_t)p->target->n + 1, sizeof *p->latest);
    if (p->n_own > 0) p->own = memory_new((size_t)(p->r->n_synapses * p->n_own) * sizeof *p->own);
    return p->dendritic && p->source && p->history && p->latest && (p->own || p->n_own == 0);
}

/* How long ago a moment can lie that a presynaptic spike asks for. */
static int64_t voltage_steps(const plastic *p) { return (int64_t)(2 * p->max_dendritic) + 2; }

rv_status plastic_open(plastic *p, const network *net, int bundle_index, int tile, rv_error *error)
{
    const bundle         *b = &net->bundle[bundle_index];
    const projection_def *def = &net->def->projection[b->projection[0]];
    *p = (plastic){ .b = b, .r = &b->rows[tile], .h = net->def->resolution, .target = &net->tile[tile].part[def->target.population],
                    .width = 1 + b->rule->n_target_traces, .n_own = b->rule->n_own ? b->rule->n_own(def->param) : 0 };
    int64_t n = p->r->n_segments;
    if (!allocate(p)) return error_memory(error, "learning", (double)n * sizeof *p->source + (double)(p->r->n_synapses * p->n_own) * sizeof *p->own);
    for (int i = 0; i < p->target->n; i++) p->latest[i] = (target_trace){ .last = -INFINITY, .moment = NAN };
    for (int64_t k = 0; k < n; k++) {
        p->dendritic[k] = dendritic_part(net, b, &p->r->segment[k]);
        p->source[k].last = p->source[k].caught_up = p->source[k].carried = -INFINITY;
        if (p->dendritic[k] > p->max_dendritic) p->max_dendritic = p->dendritic[k];
    }
    if (b->rule->voltage_change && !voltage_open(&p->voltage, b->rule, b->rule_constant, p->h, p->target->n, voltage_steps(p)))
        return error_memory(error, "membrane potentials to learn from", (double)(p->target->n * voltage_steps(p)) * 8);
    return RV_OK;
}

static void close_rows(plastic *p, const rows *r)
{
    memory_free(p->dendritic, (size_t)r->n_segments * sizeof *p->dendritic);
    memory_free(p->source, (size_t)r->n_segments * sizeof *p->source);
    memory_free(p->own, (size_t)(r->n_synapses * p->n_own) * sizeof *p->own);
}

void plastic_close(plastic *p)
{
    if (!p->b) return;
    for (int i = 0; p->history && i < p->target->n; i++) free(p->history[i].entry);
    free(p->history);
    free(p->latest);
    free(p->reward);
    voltage_close(&p->voltage);
    close_rows(p, p->r);
    *p = (plastic){ 0 };
}

bool plastic_reserve_voltage(plastic *p) { return voltage_reserve(&p->voltage, voltage_steps(p)); }

/* ---- synapses that change ----------------------------------------------------------------------------------- */

source_trace plastic_new_source(double now) { return (source_trace){ .last = -INFINITY, .caught_up = now, .carried = -INFINITY }; }

bool plastic_move(plastic *p, const network *net, const rows *fresh, const uint32_t *parent, const uint32_t *origin, double now)
{
    plastic moved = *p;
    moved.dendritic = memory_new((size_t)fresh->n_segments * sizeof *p->dendritic);
    moved.source = memory_new((size_t)fresh->n_segments * sizeof *p->source);
    moved.own = p->n_own > 0 ? memory_new((size_t)(fresh->n_synapses * p->n_own) * sizeof *p->own) : NULL;
    if (!moved.dendritic || !moved.source || (p->n_own > 0 && !moved.own)) {
        close_rows(&moved, fresh);
        return false;
    }
    for (int64_t k = 0; k < fresh->n_segments; k++) {
        moved.dendritic[k] = dendritic_part(net, p->b, &fresh->segment[k]);
        moved.source[k] = parent[k] == UINT32_MAX ? plastic_new_source(now) : p->source[parent[k]];
        if (moved.dendritic[k] > moved.max_dendritic) moved.max_dendritic = moved.dendritic[k];
    }
    for (int64_t i = 0; i < fresh->n_synapses && p->n_own > 0; i++)
        if (origin[i] != UINT32_MAX) memcpy(moved.own + i * p->n_own, p->own + (int64_t)origin[i] * p->n_own, (size_t)p->n_own * sizeof *p->own);
    if (p->b->rule->voltage_change && !plastic_reserve_voltage(&moved)) {
        close_rows(&moved, fresh);
        return false;
    }
    close_rows(p, p->r);
    *p = moved;
    return true;
}

/* ---- postsynaptic spikes ------------------------------------------------------------------------------------ */

/* Room for one more entry behind those of a neuron, NULL without memory. */
static double *new_entry(plastic *p, int neuron)
{
    history *past = &p->history[neuron];
    if (past->n == past->capacity) {
        int32_t capacity = past->capacity ? 2 * past->capacity : 4;
        double *grown = realloc(past->entry, (size_t)(capacity * p->width) * sizeof *grown);
        if (!grown) {
            p->out_of_memory = true;
            return NULL;
        }
        past->entry = grown, past->capacity = capacity;
    }
    p->n_entries++;
    return past->entry + past->n++ * p->width;
}

void plastic_post_spike(plastic *p, int neuron, double time)
{
    double *entry = p->b->rule->voltage_change ? NULL : new_entry(p, neuron);
    if (!entry) return;
    const double *before = p->history[neuron].n > 1 ? entry - p->width : NULL;
    double        trace[RV_MAX_TRACES] = { 0 };
    if (before) memcpy(trace, before + 1, (size_t)(p->width - 1) * sizeof *trace);
    p->b->rule->target_decay(p->b->rule_constant, before ? (time - before[0]) * p->h : INFINITY, trace);
    p->b->rule->target_spike(p->b->rule_constant, trace);
    entry[0] = time;
    memcpy(entry + 1, trace, (size_t)(p->width - 1) * sizeof *trace);
    p->latest[neuron].last = time;
}

void plastic_see_voltage(plastic *p, const double *V_m, int64_t step)
{
    const double *ltp = voltage_step(&p->voltage, p->b->rule, p->b->rule_constant, p->h, V_m, step);
    for (int i = 0; i < p->target->n; i++) {
        double *entry = ltp[i] > 0 ? new_entry(p, i) : NULL;
        if (!entry) continue;
        entry[0] = (double)step, entry[1] = ltp[i];
        p->latest[i].last = (double)step;
    }
}

/* Times that differ by less than this are equal: sums of times and delays round differently, and in recurrent networks of
 * exact timing spikes that should meet at a synapse are common (an autapse, two neurons with one delay). */
static const double tie = 1e-7; /* steps */

const double *plastic_look_up_target(plastic *p, int neuron, double moment)
{
    target_trace *latest = &p->latest[neuron];
    if (p->b->rule->voltage_change) {
        latest->trace[0] = voltage_depression(&p->voltage, neuron, moment);
        latest->moment = moment;
        return latest->trace;
    }
    const history *past = &p->history[neuron];
    int32_t        k = past->n;
    while (k > 0 && past->entry[(k - 1) * p->width] >= moment - tie) k--;
    const double *entry = k > 0 ? past->entry + (k - 1) * p->width : NULL;
    for (int v = 0; v < RV_MAX_TRACES; v++) latest->trace[v] = entry && v < p->width - 1 ? entry[1 + v] : 0;
    p->b->rule->target_decay(p->b->rule_constant, entry ? (moment - entry[0]) * p->h : INFINITY, latest->trace);
    latest->moment = moment;
    return latest->trace;
}

/* ---- rewards ------------------------------------------------------------------------------------------------ */

/* How many rewards have been felt by a time. */
static int64_t rewards_until(const plastic *p, double time)
{
    int64_t k = p->n_rewards;
    while (k > 0 && p->reward[k - 1].time > time) k--;
    return k;
}

static double reward_at(const plastic *p, double time)
{
    int64_t k = rewards_until(p, time);
    return k == 0 ? 0 : p->b->rule->reward_decay(p->b->rule_constant, (time - p->reward[k - 1].time) * p->h, p->reward[k - 1].n);
}

void plastic_reward(plastic *p, double time, double amount)
{
    if (!memory_reserve((void **)&p->reward, &p->reward_capacity, p->n_rewards + 1, sizeof *p->reward)) {
        p->out_of_memory = true;
        return;
    }
    int64_t k = rewards_until(p, time);
    double  before = reward_at(p, time);
    memmove(&p->reward[k + 1], &p->reward[k], (size_t)(p->n_rewards - k) * sizeof *p->reward);
    p->reward[k] = (reward){ time, before + amount };
    p->n_rewards++;
    for (int64_t later = k + 1; later < p->n_rewards; later++) /* spikes that are still on their way */
        p->reward[later].n += p->b->rule->reward_decay(p->b->rule_constant, (p->reward[later].time - time) * p->h, amount);
}

double plastic_carry(const plastic *p, double w, double *own, double from, double to)
{
    const rv_rule *rule = p->b->rule;
    const double  *c = p->b->rule_constant;
    if (from == -INFINITY || !(to > from)) return w; /* nothing has happened to it yet */
    int64_t k = rewards_until(p, from);
    double  n = k == 0 ? 0 : rule->reward_decay(c, (from - p->reward[k - 1].time) * p->h, p->reward[k - 1].n);
    for (; k < p->n_rewards && p->reward[k].time <= to; k++) {
        w = rule->carry(c, w, own, n, (p->reward[k].time - from) * p->h);
        n = p->reward[k].n, from = p->reward[k].time;
    }
    return to > from ? rule->carry(c, w, own, n, (to - from) * p->h) : w;
}

/* ---- presynaptic spikes ------------------------------------------------------------------------------------- */

static plastic_hooks hooks_of(const rv_rule *rule) { return (plastic_hooks){ rule->source_decay, rule->on_post, rule->on_pre, rule->carry, rule->n_source_traces, rule->n_target_traces }; }

/* The presynaptic trace at a moment after the last spike; where a delay has changed on the way, not before it. */
static void source_trace_at(const plastic *p, const source_trace *source, double time, double *trace)
{
    memcpy(trace, source->trace, sizeof source->trace);
    p->b->rule->source_decay(p->b->rule_constant, fmax(0, time - source->last) * p->h, trace);
}

double plastic_arrive(plastic *p, int64_t segment, double arrival)
{
    const rv_rule *rule = p->b->rule;
    source_trace  *source = &p->source[segment];
    double         dendritic = p->dendritic[segment], part = 1;
    presynaptic    spike = { .segment = segment, .time = arrival - dendritic, .moment = arrival - dendritic - dendritic };
    spike.seen = dendritic > 0 ? spike.moment + tie : spike.moment - 0.5; /* if 0, spikes of this very step come after it */
    source_trace_at(p, source, spike.time, spike.before);
    if (rule->arrive) rule->arrive(p, &spike);
    else if (rule->on_pre) plastic_loop(p, &spike, hooks_of(rule));
    memcpy(source->trace, spike.before, sizeof spike.before);
    if (rule->release) part = rule->release(p->b->rule_constant, source->trace);
    else rule->source_spike(p->b->rule_constant, source->trace);
    source->last = source->carried = fmax(source->last, spike.time);
    source->caught_up = fmax(source->caught_up, spike.seen);
    return part;
}

/* ---- reading and forgetting --------------------------------------------------------------------------------- */

/* Keeps the entries after `time` and one before them, which carries the trace on. */
static void forget(plastic *p, history *past, double time)
{
    int32_t drop = plastic_first_after(p, past, time) - 1;
    if (drop <= 0) return;
    memmove(past->entry, past->entry + drop * p->width, (size_t)((past->n - drop) * p->width) * sizeof *past->entry);
    past->n -= drop, p->n_entries -= drop;
}

static void forget_rewards(plastic *p, double time)
{
    int64_t drop = rewards_until(p, time) - 1;
    if (drop <= 0) return;
    memmove(p->reward, p->reward + drop, (size_t)(p->n_rewards - drop) * sizeof *p->reward);
    p->n_rewards -= drop;
}

/* The weights of a segment see the postsynaptic spikes up to `seen` and are carried to a time. */
static void catch_up_segment(plastic *p, int64_t k, double seen, double carry_to)
{
    source_trace       *source = &p->source[k];
    const plastic_hooks hooks = hooks_of(p->b->rule);
    uint32_t            end = p->r->segment[k + 1].first;
    for (uint32_t begin = p->r->segment[k].first, stop; begin < end; begin = stop) {
        stop = plastic_run_end(p->r, begin, end);
        double from = plastic_catch_up_run(p, source, p->dendritic[k], begin, stop, seen, hooks);
        for (uint32_t i = begin; i < stop && p->b->rule->carry; i++)
            p->r->weight_double[i] = plastic_carry(p, p->r->weight_double[i], p->own + (size_t)i * p->n_own, from, carry_to);
    }
    source->caught_up = fmax(source->caught_up, seen);
    source->carried = fmax(source->carried, carry_to);
}

void plastic_catch_up(plastic *p, double now)
{
    if (!p->b->rule->on_post) return;
    for (int64_t k = 0; k < p->r->n_segments; k++) {
        double  seen = now - 2 * p->dendritic[k];
        int64_t n = rewards_until(p, now - p->dendritic[k]);
        if (seen > p->source[k].caught_up) catch_up_segment(p, k, seen, n > 0 ? p->reward[n - 1].time : -INFINITY);
    }
    for (int i = 0; i < p->target->n; i++) forget(p, &p->history[i], now - 2 * p->max_dendritic - 1);
    forget_rewards(p, now - p->max_dendritic);
}

void plastic_settle(plastic *p, double now)
{
    for (int64_t k = 0; k < p->r->n_segments && p->b->rule->carry; k++) catch_up_segment(p, k, p->source[k].caught_up, now - p->dendritic[k]);
}

plastic_synapse plastic_read(const plastic *p, int64_t segment, int64_t synapse, double now)
{
    const source_trace *source = &p->source[segment];
    const history      *past = &p->history[p->r->target[synapse] - p->target->base];
    double              dendritic = p->dendritic[segment], time = now - dendritic, from = source->carried;
    plastic_synapse     s = { .weight = p->r->weight_double ? p->r->weight_double[synapse] : p->r->weight_float ? (double)p->r->weight_float[synapse] : p->b->weight };
    if (p->n_own > 0) memcpy(s.own, p->own + synapse * p->n_own, (size_t)p->n_own * sizeof *s.own);
    source_trace_at(p, source, time, s.trace);
    if (!p->b->rule->carry) return s;
    int32_t k = plastic_first_after(p, past, source->caught_up);
    if (k > 0) from = fmax(from, past->entry[(k - 1) * p->width] + dendritic);
    s.weight = plastic_carry(p, s.weight, s.own, from, time);
    s.reward = reward_at(p, now);
    return s;
}

bool plastic_is_long(const plastic *p)
{
    return p->n_entries > 64 * (int64_t)p->target->n + p->r->n_synapses / 8 + 1000 || p->n_rewards > 4096;
}
