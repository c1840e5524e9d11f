/* What a presynaptic spike does to the synapses of a segment. A rule compiles it with its own arithmetic inside
 * (RV_LEARNING_LOOP); for the others sim/plasticity.c compiles it once, with calls. The results are the same.
 *
 * Rules that keep nothing beside the weight are worked out in blocks of synapses, so that the arithmetic runs over arrays and is
 * vectorised. The postsynaptic spikes that are news to a block come in rounds, the first of every target, the second, ...:
 *
 *   collect   the runs (synapses of one target) that have a postsynaptic spike left, and the traces at its time
 *   spread    traces and weights over their synapses, side by side
 *   compute   on_post() for all of them; the weights go back, and the next round begins
 *
 * At last on_pre() is computed for the whole block. Synapses do not see one another, so the order among them is free. */
#ifndef RV_SIM_PLASTICITY_LOOP_H
#define RV_SIM_PLASTICITY_LOOP_H

#include <stddef.h>
#include <string.h>

#include "sim/plasticity.h"
#include "sim/vector.h"

/** What the loop calls; the last is NULL where there is no reward. */
typedef struct plastic_hooks {
    void (*source_decay)(const double *c, double since, double *trace);
    double (*on_post)(const double *c, double w, double *own, const double *source, const double *target);
    double (*on_pre)(const double *c, double w, double *own, const double *target, const double *source);
    double (*carry)(const double *c, double w, double *own, double n, double since);
    int n_source, n_target; /* traces */
} plastic_hooks;

/** A presynaptic spike on one segment. */
typedef struct presynaptic {
    int64_t segment;
    double  time;   /* at the synapse                                                            */
    double  moment; /* a postsynaptic spike emitted then would meet it there                     */
    double  seen;   /* those up to here come before it                                           */
    double  before[RV_MAX_TRACES];
} presynaptic;

/** The trace of one neuron's spikes emitted before a moment, as it is then; kept for others that ask the same. */
const double *plastic_look_up_target(plastic *p, int neuron, double moment);

/** One weight from one moment to another, through the rewards between them. */
double plastic_carry(const plastic *p, double w, double *own, double from, double to);

/** The first entry later than `time`; searched from the end, where the news are. */
static inline int32_t plastic_first_after(const plastic *p, const history *past, double time)
{
    int32_t k = past->n;
    while (k > 0 && past->entry[(k - 1) * p->width] > time) k--;
    return k;
}

/** The postsynaptic spikes of one neuron in (caught_up, to] act on its synapses begin..end of a segment. What does not change in
 *  it is held in locals: the compiler cannot know that a weight is no part of all this.
 *  @return when these synapses had their last event */
static inline __attribute__((always_inline)) double plastic_catch_up_run(const plastic *p, const source_trace *source, double dendritic, uint32_t begin, uint32_t end, double to,
                                                                         const plastic_hooks f)
{
    const history *past = &p->history[p->r->target[begin] - p->target->base];
    const int      width = p->width, n_own = p->n_own;
    const double  *c = p->b->rule_constant, *news = past->entry + (ptrdiff_t)past->n * width, *last = news, h = p->h;
    double        *w = p->r->weight_double, *own = p->own, from = source->carried;
    for (; news > past->entry && news[-width] > source->caught_up; news -= width) {}
    if (f.carry && news > past->entry && news[-width] + dendritic > from) from = news[-width] + dendritic;
    for (; news < last && news[0] <= to; news += width) {
        double time = news[0] + dendritic, trace[RV_MAX_TRACES];
        memcpy(trace, source->trace, sizeof trace);
        f.source_decay(c, larger(0, time - source->last) * h, trace); /* not before it, where a delay has changed on the way */
        for (uint32_t i = begin; i < end; i++) {
            if (f.carry) w[i] = plastic_carry(p, w[i], own + (size_t)i * n_own, from, time);
            w[i] = f.on_post(c, w[i], own + (size_t)i * n_own, trace, news + 1);
        }
        from = time;
    }
    return from;
}

/** Synapses of one segment and one target lie side by side. */
static inline uint32_t plastic_run_end(const rows *r, uint32_t begin, uint32_t end)
{
    uint32_t i = begin + 1;
    while (i < end && r->target[i] == r->target[begin]) i++;
    return i;
}

static inline __attribute__((always_inline)) void plastic_loop(plastic *p, const presynaptic *arriving, const plastic_hooks f)
{
    const rows        *r = p->r;
    const presynaptic  spike = *arriving;
    const source_trace source = p->source[spike.segment];
    const double      *c = p->b->rule_constant, dendritic = p->dendritic[spike.segment];
    const uint16_t    *targets = r->target;
    target_trace      *latest = p->latest;
    double            *w = r->weight_double, *own = p->own;
    const int          n_own = p->n_own, base = p->target->base;
    const uint32_t     end = r->segment[spike.segment + 1].first;
    for (uint32_t begin = r->segment[spike.segment].first, stop; begin < end; begin = stop) {
        int    neuron = targets[begin] - base;
        double from = 0;
        stop = plastic_run_end(r, begin, end);
        if (f.carry || latest[neuron].last > source.caught_up) from = plastic_catch_up_run(p, &source, dendritic, begin, stop, spike.seen, f);
        const double *target = latest[neuron].moment == spike.moment ? latest[neuron].trace : plastic_look_up_target(p, neuron, spike.moment);
        for (uint32_t i = begin; i < stop; i++) {
            if (f.carry) w[i] = plastic_carry(p, w[i], own + (size_t)i * n_own, from, spike.time);
            w[i] = f.on_pre(c, w[i], own + (size_t)i * n_own, target, spike.before);
        }
    }
}

/* ---- in blocks -------------------------------------------------------------------------------------------------- */

enum { BLOCK = 512 /* synapses */, FEW = 16 /* synapses, are faster one by one */, AT_ONCE = 8 /* numbers written, whether or not so many are needed */ };

/** Synapses of one target in a block, and what they still have to see of its spikes. */
typedef struct plastic_run {
    const double *news, *last; /* entries of its history */
    uint32_t      first, n, neuron;
} plastic_run;

/** A number for each synapse of a block, or for each run. */
typedef double plastic_row[BLOCK + AT_ONCE];

static inline __attribute__((always_inline)) void plastic_spread(double *row, uint32_t n, double value)
{
    uint32_t k = 0;
    do
        for (uint32_t i = 0; i < AT_ONCE; i++) row[k + i] = value;
    while ((k += AT_ONCE) < n);
}

static inline __attribute__((always_inline)) void plastic_count_up(uint32_t *row, uint32_t n, uint32_t first)
{
    uint32_t k = 0;
    do
        for (uint32_t i = 0; i < AT_ONCE; i++) row[k + i] = first + k + i;
    while ((k += AT_ONCE) < n);
}

/** Where the runs of a block begin; without a branch that depends on where. @param first [runs + 1], result @return runs */
static inline uint32_t plastic_find_runs(const uint16_t *target, uint32_t begin, uint32_t end, uint32_t *first)
{
    uint32_t n = 1;
    first[0] = begin;
    for (uint32_t i = begin + 1; i < end; i++) {
        first[n] = i;
        n += target[i] != target[i - 1];
    }
    first[n] = end;
    return n;
}

/** The runs of a block whose target has spiked since; and the target traces that the presynaptic spike meets.
 *  @param before [f.n_target] rows, result @return how many runs */
static inline __attribute__((always_inline)) int plastic_collect(plastic *p, const presynaptic *spike, const source_trace *source, uint32_t begin, uint32_t end,
                                                                 plastic_run *run, plastic_row *before, const plastic_hooks f)
{
    const uint16_t *target = p->r->target;
    target_trace   *latest = p->latest;
    uint32_t        first[BLOCK + 2], n_runs = plastic_find_runs(target, begin, end, first);
    int             n = 0;
    for (uint32_t k = 0; k < n_runs; k++) {
        uint32_t      neuron = target[first[k]] - (uint32_t)p->target->base, count = first[k + 1] - first[k];
        const double *trace = latest[neuron].moment == spike->moment ? latest[neuron].trace : plastic_look_up_target(p, (int)neuron, spike->moment);
        for (int v = 0; v < f.n_target; v++) plastic_spread(before[v] + (first[k] - begin), count, trace[v]);
        run[n] = (plastic_run){ .first = first[k], .n = count, .neuron = neuron };
        n += latest[neuron].last > source->caught_up;
    }
    return n;
}

/** The first of the entries before `end` that is later than a time: most of all one of the last four, found without a branch. */
static inline const double *plastic_first_after_in(const history *past, const double *end, int width, double time)
{
    enum { GUESS = 4 };
    if (end - past->entry >= GUESS * width) {
        int later = 0;
        for (int k = 1; k <= GUESS; k++) later += end[-k * width] > time;
        end -= later * width;
        if (later < GUESS) return end;
    }
    while (end > past->entry && end[-width] > time) end -= width;
    return end;
}

/** What is news to the runs; those to which nothing is are left out. */
static inline int plastic_find_news(const plastic *p, const presynaptic *spike, const source_trace *source, plastic_run *run, int n)
{
    const int width = p->width;
    int       left = 0;
    for (int k = 0; k < n; k++) {
        const history *past = &p->history[run[k].neuron];
        const double  *end = plastic_first_after_in(past, past->entry + (ptrdiff_t)past->n * width, width, spike->seen);
        const double  *news = plastic_first_after_in(past, end, width, source->caught_up);
        run[left] = (plastic_run){ news, end, run[k].first, run[k].n, run[k].neuron };
        left += news < end;
    }
    return left;
}

/** The next postsynaptic spike of each run acts on its synapses. */
static inline __attribute__((always_inline)) void plastic_round(const plastic *p, const presynaptic *spike, const source_trace *source, const double *c,
                                                                const plastic_run *run, int n, const plastic_hooks f)
{
    plastic_row  since, at_source[RV_MAX_TRACES], of_source[RV_MAX_TRACES], of_target[RV_MAX_TRACES], x;
    uint32_t     synapse[BLOCK + AT_ONCE], m = 0;
    const double dendritic = p->dendritic[spike->segment], last = source->last, h = p->h;
    double      *w = p->r->weight_double;
    for (int k = 0; k < n; k++) since[k] = larger(0, run[k].news[0] + dendritic - last) * h; /* not before it, where a delay has changed on the way */
    for (int k = 0; k < n; k++) {
        double trace[RV_MAX_TRACES] = { source->trace[0], source->trace[1], source->trace[2] };
        f.source_decay(c, since[k], trace);
        for (int v = 0; v < f.n_source; v++) at_source[v][k] = trace[v];
    }
    for (int k = 0; k < n; m += run[k++].n) {
        for (int v = 0; v < f.n_source; v++) plastic_spread(of_source[v] + m, run[k].n, at_source[v][k]);
        for (int v = 0; v < f.n_target; v++) plastic_spread(of_target[v] + m, run[k].n, run[k].news[1 + v]);
        plastic_count_up(synapse + m, run[k].n, run[k].first);
    }
    for (int i = 0; i < (int)m; i++) {
        double s[RV_MAX_TRACES], t[RV_MAX_TRACES];
        for (int v = 0; v < f.n_source; v++) s[v] = of_source[v][i];
        for (int v = 0; v < f.n_target; v++) t[v] = of_target[v][i];
        x[i] = f.on_post(c, w[synapse[i]], NULL, s, t);
    }
    for (int i = 0; i < (int)m; i++) w[synapse[i]] = x[i];
}

static inline __attribute__((always_inline)) void plastic_block(plastic *p, const presynaptic *spike, const source_trace *source, const double *c, uint32_t begin, uint32_t end,
                                                                const plastic_hooks f)
{
    plastic_run run[BLOCK + 1];
    plastic_row before[RV_MAX_TRACES];
    double *restrict w = p->r->weight_double + begin;
    int n = plastic_collect(p, spike, source, begin, end, run, before, f), left;
    for (n = plastic_find_news(p, spike, source, run, n); n > 0; n = left) {
        plastic_round(p, spike, source, c, run, n, f);
        left = 0;
        for (int k = 0; k < n; k++) {
            run[left] = run[k], run[left].news += p->width;
            left += run[left].news < run[left].last;
        }
    }
    for (int i = 0; i < (int)(end - begin); i++) {
        double t[RV_MAX_TRACES];
        for (int v = 0; v < f.n_target; v++) t[v] = before[v][i];
        w[i] = f.on_pre(c, w[i], NULL, t, spike->before);
    }
}

/** The next block is on its way from memory while this one is worked out. */
static inline void plastic_prefetch(const rows *r, uint32_t begin, uint32_t end)
{
    enum { LINE = 64 /* bytes */ };
    for (uint32_t i = begin; i < end; i += LINE / sizeof *r->weight_double) __builtin_prefetch(r->weight_double + i, 1);
    for (uint32_t i = begin; i < end; i += LINE / sizeof *r->target) __builtin_prefetch(r->target + i);
}

static inline __attribute__((always_inline)) void plastic_blocks(plastic *p, const presynaptic *arriving, const plastic_hooks f)
{
    const presynaptic  spike = *arriving; /* locals: the compiler cannot know that a weight is no part of all this */
    const source_trace source = p->source[spike.segment];
    const uint32_t     end = p->r->segment[spike.segment + 1].first;
    double             c[RV_MAX_RULE_CONSTANTS];
    memcpy(c, p->b->rule_constant, sizeof c);
    for (uint32_t begin = p->r->segment[spike.segment].first, stop; begin < end; begin = stop) {
        stop = end - begin > BLOCK ? begin + BLOCK : end;
        plastic_prefetch(p->r, stop, end - stop > BLOCK ? stop + BLOCK : end);
        plastic_block(p, &spike, &source, c, begin, stop, f);
    }
}

/** How the functions of a rule are declared that are worked into the loop. */
#define RV_IN_LOOP static inline __attribute__((always_inline))

/** Compiles both for a rule without a reward that keeps nothing beside the weight, from the functions of its file. */
#define RV_LEARNING_LOOP(arrive, n_source_traces, n_target_traces, source_decay, on_post, on_pre)                     \
    RV_VECTORISED static void arrive(plastic *p, const presynaptic *spike)                                            \
    {                                                                                                                 \
        plastic_hooks  f = { source_decay, on_post, on_pre, NULL, n_source_traces, n_target_traces };                 \
        const segment *s = &p->r->segment[spike->segment];                                                            \
        if (segment_count(s) < FEW) plastic_loop(p, spike, f);                                                        \
        else plastic_blocks(p, spike, f);                                                                             \
    }

#endif
