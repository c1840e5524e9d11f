/* The loop over the synapses of a segment when a presynaptic spike arrives. A rule compiles it with its own arithmetic inside
 * (RV_LEARNING_LOOP); for the others sim/plasticity.c compiles it once, with calls. The results are the same. */
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

/** Compiles the loop for a rule without a reward, from the functions of its file. */
#define RV_LEARNING_LOOP(arrive, source_decay, on_post, on_pre)                                                       \
    static void arrive(plastic *p, const presynaptic *spike) { plastic_loop(p, spike, (plastic_hooks){ source_decay, on_post, on_pre, NULL }); }

#endif
