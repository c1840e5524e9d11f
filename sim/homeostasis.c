/* Homeostasis of weights: the sum of what a neuron gets is kept, or all of it is scaled until the neuron fires as it should. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/net.h"
#include "sim/value.h"

/* The rows of a projection in one tile, and the factor by which each target's weights are multiplied. */
typedef struct scaled {
    rv_net     *net;
    int         projection, bundle, tile, population;
    const part *own;
    double     *factor; /* [own->n] first the sum of the absolute weights */
} scaled;

static double weight_at(const scaled *w, int64_t i)
{
    const bundle *b = &w->net->net->bundle[w->bundle];
    if (b->epoch) return w->net->state->tile[w->tile].epoch[w->bundle].variable[EPOCH_W][i];
    return b->rows[w->tile].weight_float ? (double)b->rows[w->tile].weight_float[i] : b->rows[w->tile].weight_double[i];
}

static void sum_weights(scaled *w)
{
    const rows *r = &w->net->net->bundle[w->bundle].rows[w->tile];
    for (int64_t i = 0; i < r->n_synapses; i++)
        if (is_target_of(w->net->net, w->tile, w->population, r->target[i])) w->factor[r->target[i] - w->own->base] += fabs(weight_at(w, i));
}

static void multiply_weights(scaled *w)
{
    const rows *r = &w->net->net->bundle[w->bundle].rows[w->tile];
    double      low, high;
    net_weight_bounds(w->net, w->projection, &low, &high);
    for (int64_t i = 0; i < r->n_synapses; i++)
        if (is_target_of(w->net->net, w->tile, w->population, r->target[i]))
            structure_set_weight(w->net, w->bundle, w->tile, i, smaller(larger(weight_at(w, i) * w->factor[r->target[i] - w->own->base], low), high));
}

/* Every target's factor from the sum of its weights. */
typedef double factor_fn(const void *how, int64_t neuron, double sum);

static rv_status scale_targets(rv_net *net, int p, factor_fn *f, const void *how)
{
    int  b = network_bundle_of(net->net, p);
    bool failed = false;
    net_settle(net, b);
    TRY(rows_expand_weights(net->net, &net->net->bundle[b], &net->error));
#pragma omp parallel for num_threads(net->threads) schedule(dynamic, 1)
    for (int t = 0; t < net->net->n_tiles; t++) {
        scaled w = { .net = net, .projection = p, .bundle = b, .tile = t, .population = net->def.projection[p].target.population };
        w.own = &net->net->tile[t].part[w.population];
        w.factor = calloc((size_t)w.own->n + 1, sizeof *w.factor);
        if (w.factor) {
            sum_weights(&w);
            for (int i = 0; i < w.own->n; i++) w.factor[i] = f(how, w.own->first + i, w.factor[i]);
            multiply_weights(&w);
            free(w.factor);
        } else {
#pragma omp atomic write
            failed = true;
        }
    }
    return failed ? error_memory(&net->error, "scaled weights", 0) : RV_OK;
}

/* ---- a total that is kept --------------------------------------------------------------------------------------- */

static double to_total(const void *how, int64_t neuron, double sum) { return (void)neuron, sum > 0 ? *(const double *)how / sum : 1; }

rv_status homeostasis_normalise(rv_net *net, int projection, double total) { return scale_targets(net, projection, to_total, &total); }

rv_status rv_normalise(rv_net *net, rv_projection projection, double total, double interval_ms)
{
    int  p;
    char object[OBJECT_TEXT], what[OBJECT_TEXT + 40];
    TRY(structure_projection(net, projection, false, "normalise", &p));
    snprintf(what, sizeof what, "%s: normalise: total", definition_projection_label(&net->def, &net->def.projection[p], object));
    if (!(total > 0 && total < 1e300)) return value_out_of_range(what, total, "", 1e-300, 1e300, &net->error);
    if (interval_ms == 0) return homeostasis_normalise(net, p, total);
    structure_task task = { .kind = TASK_NORMALISE, .projection = p, .total = total };
    return structure_schedule(net, &task, interval_ms, "normalise");
}

/* ---- a rate that is aimed at ------------------------------------------------------------------------------------ */

static double to_rate(const void *how, int64_t i, double sum)
{
    const structure_task *task = how;
    double                seconds = (double)task->interval * task->h / 1000, now = (double)(task->next - task->interval);
    double                activity = task->activity[i] * exp(-(now - task->last[i]) * task->h / task->scaling.tau), error = task->scaling.rate - activity;
    (void)sum;
    task->integral[i] += error * seconds;
    return larger(0, 1 + seconds * (task->scaling.beta * error + task->scaling.gamma * task->integral[i]));
}

rv_status homeostasis_scale(rv_net *net, structure_task *task) { return scale_targets(net, task->projection, to_rate, task); }

static rv_status check_scaling(rv_net *net, int p, const rv_scaling *how)
{
    const struct {
        const char *name, *unit;
        double      x, low, high;
    } field[] = { { "rate", "Hz", how->rate, 0, 1e6 }, { "tau", "ms", how->tau, 1e-3, 1e12 }, { "beta", "1/(s Hz)", how->beta, 0, 1e6 }, { "gamma", "1/(s^2 Hz)", how->gamma, 0, 1e6 } };
    for (int k = 0; k < 4; k++) {
        char object[OBJECT_TEXT], what[OBJECT_TEXT + 40];
        snprintf(what, sizeof what, "%s: scale: %s", definition_projection_label(&net->def, &net->def.projection[p], object), field[k].name);
        if (!(field[k].x >= field[k].low && field[k].x <= field[k].high)) return value_out_of_range(what, field[k].x, field[k].unit, field[k].low, field[k].high, &net->error);
    }
    return RV_OK;
}

rv_status rv_scale(rv_net *net, rv_projection projection, const rv_scaling *how)
{
    int p;
    TRY(structure_projection(net, projection, false, "scale", &p));
    TRY(check_scaling(net, p, how));
    structure_task task = { .kind = TASK_SCALE, .projection = p, .scaling = *how };
    task.n = net->def.population[net->def.projection[p].target.population].n;
    task.activity = calloc((size_t)task.n + 1, sizeof(double)), task.last = calloc((size_t)task.n + 1, sizeof(double));
    task.integral = calloc((size_t)task.n + 1, sizeof(double));
    if (!task.activity || !task.last || !task.integral) {
        free(task.activity), free(task.last), free(task.integral);
        return error_memory(&net->error, "scaled weights", (double)task.n * 24);
    }
    for (int64_t i = 0; i < task.n; i++) task.activity[i] = how->rate, task.last[i] = (double)net->state->step; /* as if all had been well */
    return structure_schedule(net, &task, how->interval_ms, "scale");
}
