#include "sim/plasticity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

/* ---- memory ------------------------------------------------------------------------------------------------- */

/* In grid timing the two parts of a delay are whole steps, like the delay. */
static double dendritic_part(const network *net, const bundle *b, const segment *s)
{
    double part = b->dendritic_fraction * (s->steps + s->fraction * 0x1p-32);
    return net->def->timing == RV_GRID ? rint(part) : part;
}

rv_status plastic_open(plastic *p, const network *net, int bundle_index, int tile, rv_error *error)
{
    const bundle *b = &net->bundle[bundle_index];
    int           population = net->def->projection[b->projection[0]].target.population;
    *p = (plastic){ .b = b, .r = &b->rows[tile], .h = net->def->resolution, .target = &net->tile[tile].part[population],
                    .width = 1 + b->rule->n_target_traces };
    int64_t n = p->r->n_segments;
    p->dendritic = memory_new((size_t)n * sizeof *p->dendritic);
    p->source = memory_new((size_t)n * sizeof *p->source);
    p->history = calloc((size_t)p->target->n + 1, sizeof *p->history);
    p->latest = calloc((size_t)p->target->n + 1, sizeof *p->latest);
    if (!p->dendritic || !p->source || !p->history || !p->latest) return error_memory(error, "learning", (double)n * sizeof *p->source);
    for (int i = 0; i < p->target->n; i++) p->latest[i] = (target_trace){ .last = -INFINITY, .moment = NAN };
    for (int64_t k = 0; k < n; k++) {
        p->dendritic[k] = dendritic_part(net, b, &p->r->segment[k]);
        p->source[k].last = p->source[k].caught_up = -INFINITY;
        if (p->dendritic[k] > p->max_dendritic) p->max_dendritic = p->dendritic[k];
    }
    return RV_OK;
}

static void close_segments(plastic *p, int64_t n)
{
    memory_free(p->dendritic, (size_t)n * sizeof *p->dendritic);
    memory_free(p->source, (size_t)n * sizeof *p->source);
}

void plastic_close(plastic *p)
{
    if (!p->b) return;
    for (int i = 0; p->history && i < p->target->n; i++) free(p->history[i].entry);
    free(p->history);
    free(p->latest);
    close_segments(p, p->r->n_segments);
    *p = (plastic){ 0 };
}

source_trace plastic_new_source(double now) { return (source_trace){ .last = -INFINITY, .caught_up = now }; }

bool plastic_move(plastic *p, const network *net, const rows *fresh, const uint32_t *parent, double now)
{
    plastic moved = *p;
    int64_t n = fresh->n_segments;
    moved.dendritic = memory_new((size_t)n * sizeof *p->dendritic);
    moved.source = memory_new((size_t)n * sizeof *p->source);
    if (!moved.dendritic || !moved.source) {
        close_segments(&moved, n);
        return false;
    }
    for (int64_t k = 0; k < n; k++) {
        moved.dendritic[k] = dendritic_part(net, p->b, &fresh->segment[k]);
        moved.source[k] = parent[k] == UINT32_MAX ? plastic_new_source(now) : p->source[parent[k]];
        if (moved.dendritic[k] > moved.max_dendritic) moved.max_dendritic = moved.dendritic[k];
    }
    close_segments(p, p->r->n_segments);
    *p = moved;
    return true;
}

/* ---- postsynaptic spikes ------------------------------------------------------------------------------------ */

void plastic_post_spike(plastic *p, int neuron, double time)
{
    history *past = &p->history[neuron];
    if (past->n == past->capacity) {
        int32_t capacity = past->capacity ? 2 * past->capacity : 4;
        double *grown = realloc(past->entry, (size_t)(capacity * p->width) * sizeof *grown);
        if (!grown) {
            p->out_of_memory = true;
            return;
        }
        past->entry = grown, past->capacity = capacity;
    }
    double       *entry = past->entry + past->n * p->width;
    const double *before = past->n > 0 ? entry - p->width : NULL;
    double        trace[RV_MAX_TRACES] = { 0 };
    if (before) memcpy(trace, before + 1, (size_t)(p->width - 1) * sizeof *trace);
    p->b->rule->target_decay(p->b->rule_constant, before ? (time - before[0]) * p->h : INFINITY, trace);
    p->b->rule->target_spike(p->b->rule_constant, trace);
    entry[0] = time;
    memcpy(entry + 1, trace, (size_t)(p->width - 1) * sizeof *trace);
    past->n++, p->n_entries++;
    p->latest[neuron].last = time;
}

/* The first entry later than `time`; searched from the end, where the news are. */
static int32_t first_after(const plastic *p, const history *past, double time)
{
    int32_t k = past->n;
    while (k > 0 && past->entry[(k - 1) * p->width] > time) k--;
    return k;
}

/* Times that differ by less than this are equal: sums of times and delays round differently, and in recurrent networks of
 * exact timing spikes that should meet at a synapse are common (an autapse, two neurons with one delay). */
static const double tie = 1e-7; /* steps */

/* ---- presynaptic spikes ------------------------------------------------------------------------------------- */

/* The presynaptic trace at a moment after the last spike; where a delay has changed on the way, not before it. */
static void source_trace_at(const plastic *p, const source_trace *source, double time, double *trace)
{
    memcpy(trace, source->trace, sizeof source->trace);
    p->b->rule->source_decay(p->b->rule_constant, fmax(0, time - source->last) * p->h, trace);
}

/* The postsynaptic spikes of one neuron in (from, to] act on one weight. */
static double catch_up_weight(const plastic *p, double w, const history *past, const source_trace *source, double dendritic,
                              double from, double to)
{
    for (int32_t k = first_after(p, past, from); k < past->n && past->entry[k * p->width] <= to; k++) {
        const double *entry = past->entry + k * p->width;
        double        trace[RV_MAX_TRACES];
        source_trace_at(p, source, entry[0] + dendritic, trace);
        w = p->b->rule->on_post(p->b->rule_constant, w, trace, entry + 1);
    }
    return w;
}

/* The postsynaptic trace of the spikes emitted before a moment, as it is then. */
static const double *target_trace_at(plastic *p, int neuron, double moment)
{
    target_trace *latest = &p->latest[neuron];
    if (latest->moment == moment) return latest->trace;
    const history *past = &p->history[neuron];
    int32_t        k = past->n;
    while (k > 0 && past->entry[(k - 1) * p->width] >= moment - tie) k--;
    const double *entry = k > 0 ? past->entry + (k - 1) * p->width : NULL;
    for (int v = 0; v < RV_MAX_TRACES; v++) latest->trace[v] = entry && v < p->width - 1 ? entry[1 + v] : 0;
    p->b->rule->target_decay(p->b->rule_constant, entry ? (moment - entry[0]) * p->h : INFINITY, latest->trace);
    latest->moment = moment;
    return latest->trace;
}

void plastic_arrive(plastic *p, int64_t segment, double arrival)
{
    source_trace *source = &p->source[segment];
    double        dendritic = p->dendritic[segment], time = arrival - dendritic, moment = time - dendritic;
    double        seen = dendritic > 0 ? moment + tie : moment - 0.5; /* if 0, spikes of this very step come after it */
    double        before[RV_MAX_TRACES];
    source_trace_at(p, source, time, before);
    for (uint32_t i = p->r->segment[segment].first; i < p->r->segment[segment + 1].first; i++) {
        int    neuron = p->r->target[i] - p->target->base;
        double w = p->r->weight_double[i];
        if (p->latest[neuron].last > source->caught_up)
            w = catch_up_weight(p, w, &p->history[neuron], source, dendritic, source->caught_up, seen);
        p->r->weight_double[i] = p->b->rule->on_pre(p->b->rule_constant, w, target_trace_at(p, neuron, moment), before);
    }
    memcpy(source->trace, before, sizeof before);
    p->b->rule->source_spike(p->b->rule_constant, source->trace);
    source->last = fmax(source->last, time);
    source->caught_up = fmax(source->caught_up, seen);
}

/* ---- reading and forgetting --------------------------------------------------------------------------------- */

/* Keeps the entries after `time` and one before them, which carries the trace on. */
static void forget(plastic *p, history *past, double time)
{
    int32_t drop = first_after(p, past, time) - 1;
    if (drop <= 0) return;
    memmove(past->entry, past->entry + drop * p->width, (size_t)((past->n - drop) * p->width) * sizeof *past->entry);
    past->n -= drop, p->n_entries -= drop;
}

void plastic_catch_up(plastic *p, double now)
{
    for (int64_t k = 0; k < p->r->n_segments; k++) {
        source_trace *source = &p->source[k];
        double        seen = now - 2 * p->dendritic[k];
        if (seen <= source->caught_up) continue;
        for (uint32_t i = p->r->segment[k].first; i < p->r->segment[k + 1].first; i++) {
            const history *past = &p->history[p->r->target[i] - p->target->base];
            p->r->weight_double[i] = catch_up_weight(p, p->r->weight_double[i], past, source, p->dendritic[k], source->caught_up, seen);
        }
        source->caught_up = seen;
    }
    for (int i = 0; i < p->target->n; i++) forget(p, &p->history[i], now - 2 * p->max_dendritic - 1);
}

bool plastic_is_long(const plastic *p) { return p->n_entries > 64 * (int64_t)p->target->n + p->r->n_synapses / 8 + 1000; }
