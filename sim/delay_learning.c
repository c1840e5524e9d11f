/* Delays that learn: each spike of the target pulls the delays of what arrived shortly before or after it, so that spikes
 * which belong together come to arrive together.
 *
 *   shift(lag) = rate lag/tau exp(1 - |lag|/tau),  lag = t_post - (t_pre + delay),  for all pairs with |lag| <= window
 *
 * an odd window as in Huening, Gluender & Palm 1998, doi:10.1162/089976698300017665, and Eurich et al. 1999,
 * doi:10.1103/PhysRevLett.82.1594: what came too early is delayed, what came too late is hastened. Both have smooth odd
 * windows of finite width; this one has its extremes, +- rate, at lags of +- tau.
 *
 * The shifts of an interval are added up with the delays as they are, and take effect at its end for the spikes sent from
 * then on. In grid timing the sum is rounded to whole steps at random, up as often as makes it right on average. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"
#include "sim/value.h"

/* The spikes of one population by neuron. */
typedef struct trains {
    int64_t *begin; /* [n_neurons + 1] */
    double  *time;  /* steps, ascending */
} trains;

static bool sort_trains(const heard_spikes *list, int64_t n_neurons, trains *result)
{
    result->begin = calloc((size_t)n_neurons + 2, sizeof *result->begin);
    result->time = malloc(((size_t)list->n + 1) * sizeof *result->time);
    if (!result->begin || !result->time) return false;
    for (int64_t k = 0; k < list->n; k++) result->begin[list->spike[k].neuron + 2]++;
    for (int64_t i = 2; i <= n_neurons + 1; i++) result->begin[i] += result->begin[i - 1];
    for (int64_t k = 0; k < list->n; k++) result->time[result->begin[list->spike[k].neuron + 1]++] = list->spike[k].time;
    return true;
}

/* A moment of learning. Pairs are counted in the interval in which their later spike lies: (from, to]. */
typedef struct lesson {
    rv_net              *net;
    const structure_task *task;
    trains               pre, post;
    double               from, to, window, tau; /* steps */
    double               low, high;             /* of delays, steps */
} lesson;

static double shift_of(const lesson *l, double delay, int64_t source, int64_t target)
{
    double  sum = 0;
    int64_t end = l->post.begin[target + 1], near = l->post.begin[target];
    for (int64_t k = l->pre.begin[source]; k < l->pre.begin[source + 1]; k++) {
        double arrival = l->pre.time[k] + delay;
        while (near < end && l->post.time[near] < arrival - l->window) near++;
        for (int64_t i = near; i < end && l->post.time[i] <= arrival + l->window; i++) {
            double later = fmax(arrival, l->post.time[i]), lag = (l->post.time[i] - arrival) / l->tau;
            if (later > l->from && later <= l->to) sum += lag * exp(1 - fabs(lag));
        }
    }
    return sum * l->task->delay_rule.rate / l->net->def.resolution;
}

/* @return whether some delay has changed */
static bool learn_tile(const lesson *l, int t, loose_synapses *list)
{
    const network *net = l->net->net;
    const part    *own = &net->tile[t].part[l->task->target];
    bool           changed = false;
    rv_random     *stream = calloc((size_t)own->n + 1, sizeof *stream); /* of each target */
    for (int i = 0; i < own->n && stream; i++)
        stream[i] = random_stream(l->net->def.seed, RANDOM_DELAYS, (uint32_t)l->task->projection, (uint64_t)1 << 63 | (uint64_t)l->net->state->step << 31 | (uint64_t)(own->first + i));
    for (int64_t k = 0; k < list->n && stream; k++) {
        loose_synapse *s = &list->synapse[k];
        if (!is_target_of(net, t, l->task->target, s->target)) continue;
        double steps = (double)s->delay * 0x1p-32, shift = shift_of(l, steps, s->source, own->first + s->target - own->base);
        if (shift == 0) continue;
        if (l->net->def.timing == RV_GRID) shift = floor(shift + random_uniform(&stream[s->target - own->base]));
        uint64_t delay = (uint64_t)rint(smaller(larger(steps + shift, l->low), l->high) * 0x1p32);
        changed |= delay != s->delay;
        s->delay = delay;
    }
    free(stream);
    return changed;
}

/* Spikes that no later interval can pair are forgotten. */
static void forget(heard_spikes *list, double before)
{
    int64_t drop = 0;
    while (drop < list->n && list->spike[drop].time < before) drop++;
    if (drop == 0) return;
    memmove(list->spike, list->spike + drop, (size_t)(list->n - drop) * sizeof *list->spike);
    list->n -= drop;
}

static rv_status learn(lesson *l)
{
    rv_net         *net = l->net;
    int             b = network_bundle_of(net->net, l->task->projection);
    loose_synapses *loose = NULL;
    bool            changed = false;
    net_settle(net, b);
    rv_status status = loose_take_all(net->net, b, &loose, &net->error);
    if (status == RV_OK) {
#pragma omp parallel for num_threads(net->threads) schedule(dynamic, 1) reduction(|| : changed)
        for (int t = 0; t < net->net->n_tiles; t++) changed = learn_tile(l, t, &loose[t]) || changed;
    }
    if (status == RV_OK && changed) status = rebuild_rows(net->net, net->state, b, loose, net->threads, &net->error);
    loose_free(loose, net->net->n_tiles);
    return status;
}

rv_status delay_learning_step(rv_net *net, structure_task *task)
{
    lesson l = { .net = net, .task = task, .to = (double)net->state->step, .window = task->delay_rule.window / task->h, .tau = task->delay_rule.tau / task->h,
                 .low = task->delay_rule.delay_min / task->h, .high = task->delay_rule.delay_max / task->h };
    l.from = l.to - (double)task->interval;
    bool      sorted = sort_trains(&task->pre, net->def.population[task->source].n, &l.pre) && sort_trains(&task->post, net->def.population[task->target].n, &l.post);
    rv_status status = sorted ? learn(&l) : error_memory(&net->error, "delays that learn", 0);
    free(l.pre.begin), free(l.pre.time), free(l.post.begin), free(l.post.time);
    forget(&task->pre, l.to - l.window - l.high);
    forget(&task->post, l.to - l.window);
    return status;
}

/* ---- what is asked for ------------------------------------------------------------------------------------------ */

static rv_status check_rule(rv_net *net, int p, const rv_delay_rule *r)
{
    double low, high, h = net->def.resolution;
    structure_delay_range(net, p, &low, &high);
    const struct {
        const char *name;
        double      x, low, high;
    } field[] = { { "rate", r->rate, 0, 1e6 }, { "tau", r->tau, 1e-6, 1e6 }, { "window", r->window, 1e-6, 1e6 },
                  { "delay_min", r->delay_min, low * h, high * h }, { "delay_max", r->delay_max, r->delay_min, high * h } };
    for (int k = 0; k < 5; k++) {
        char object[OBJECT_TEXT], what[OBJECT_TEXT + 40];
        snprintf(what, sizeof what, "%s: learn_delays: %s", definition_projection_label(&net->def, &net->def.projection[p], object), field[k].name);
        if (!(field[k].x >= field[k].low * (1 - 1e-12) && field[k].x <= field[k].high)) return value_out_of_range(what, field[k].x, "ms", field[k].low, field[k].high, &net->error);
        double steps = field[k].x / h;
        if (k >= 3 && net->def.timing == RV_GRID && fabs(steps - rint(steps)) > GRID_TOLERANCE * steps)
            return rv_fail(net, RV_OUT_OF_RANGE, "%s = %.10g ms, allowed are multiples of the resolution (%g ms)", what, field[k].x, h);
    }
    return RV_OK;
}

rv_status rv_learn_delays(rv_net *net, rv_projection projection, const rv_delay_rule *given)
{
    int           p;
    rv_delay_rule r = *given;
    TRY(structure_projection(net, projection, true, "learn_delays", &p));
    if (r.window == 0) r.window = 5 * r.tau;
    TRY(check_rule(net, p, &r));
    structure_task task = { .kind = TASK_DELAYS, .projection = p, .delay_rule = r };
    return structure_schedule(net, &task, r.interval_ms, "learn_delays");
}
