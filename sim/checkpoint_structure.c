/* What changes synapses at intervals, in a checkpoint: the tasks, what they remember, and how many synapses have come and gone. */
#include <math.h>
#include <stdlib.h>

#include "sim/checkpoint_visit.h"
#include "sim/value.h"

/* ---- what is asked for -------------------------------------------------------------------------------------------- */

static bool grows(const rv_rewiring *how) { return how->indegree > 0 || how->density > 0; }

/* What new synapses are like; where nothing grows nobody has looked at it. */
static rv_status visit_new_synapses(visitor *v, const char *path, rv_rewiring *how)
{
    rv_value weight = how->weight, delay = how->delay;
    if (!grows(how)) return RV_OK;
    rv_status status = visit_value(v, AT("%s/weight", path), &weight);
    if (status == RV_OK) status = visit_value(v, AT("%s/delay", path), &delay);
    if (!v->loading) return status;
    free((double *)weight.list), free((double *)delay.list);
    TRY(status);
    bool drawn = (weight.kind == RV_NUMBER || value_is_random(&weight)) && (delay.kind == RV_NUMBER || value_is_random(&delay));
    if (!drawn) return visit_damaged(v, path, "has a weight or delay of new synapses that is no number and no distribution");
    TRY(value_check(&weight, -INFINITY, INFINITY, AT("%s/weight", path), "", v->error));
    TRY(value_check(&delay, 0, INFINITY, AT("%s/delay", path), "ms", v->error));
    how->weight = weight, how->delay = delay;
    return RV_OK;
}

static rv_status visit_rewiring(visitor *v, const char *path, rv_rewiring *how)
{
    TRY(visit_double(v, AT("%s/prune_below", path), &how->prune_below));
    TRY(visit_int64(v, AT("%s/indegree", path), &how->indegree, 0, INT32_MAX));
    TRY(visit_double(v, AT("%s/density", path), &how->density));
    if (!(how->prune_below >= 0 && how->density >= 0 && how->density <= 1)) return visit_damaged(v, AT("%s/density", path), "or prune_below is %g, %g", how->density, how->prune_below);
    return visit_new_synapses(v, path, how);
}

enum { SCALING_NUMBERS = 4, DELAY_RULE_NUMBERS = 5 };

static rv_status visit_scaling(visitor *v, const char *path, rv_scaling *how)
{
    double x[SCALING_NUMBERS] = { how->rate, how->tau, how->beta, how->gamma };
    TRY(visit_values(v, AT("%s/scaling", path), CHECKPOINT_F64, x, SCALING_NUMBERS));
    for (int k = 0; k < SCALING_NUMBERS; k++)
        if (!(x[k] >= 0 && x[k] <= 1e12) || x[1] < 1e-3) return visit_damaged(v, AT("%s/scaling", path), "holds %g", x[k]);
    how->rate = x[0], how->tau = x[1], how->beta = x[2], how->gamma = x[3];
    return RV_OK;
}

/* Delays may become as short as those that were there at the start. */
static double shortest_delay(const rv_net *net, int projection)
{
    const projection_def *def = &net->def.projection[projection];
    const bundle         *b = &net->net->bundle[network_bundle_of(net->net, projection)];
    bool   may_be_short = net->def.timing == RV_EXACT && net->net->population[def->source.population].level < net->net->population[def->target.population].level;
    double low = may_be_short ? 0 : 1;
    return net->def.timing == RV_EXACT && b->rule && b->rule->on_post ? fmax(low, 0.5 / b->dendritic_fraction) : low;
}

static rv_status visit_delay_rule(visitor *v, const char *path, const rv_net *net, structure_task *task)
{
    rv_delay_rule *r = &task->delay_rule;
    double         h = net->def.resolution, x[DELAY_RULE_NUMBERS] = { r->rate, r->tau, r->window, r->delay_min, r->delay_max };
    TRY(visit_values(v, AT("%s/delay_rule", path), CHECKPOINT_F64, x, DELAY_RULE_NUMBERS));
    if (!v->loading) return RV_OK;
    for (int k = 0; k < DELAY_RULE_NUMBERS; k++)
        if (!(x[k] >= 0) || (k < 3 && x[k] > 1e6)) return visit_damaged(v, AT("%s/delay_rule", path), "holds %g", x[k]);
    *r = (rv_delay_rule){ (double)task->interval * h, x[0], x[1], x[2], x[3], x[4] };
    double low = shortest_delay(net, task->projection) * h * (1 - 1e-12), high = net->def.projection[task->projection].max_delay * h;
    bool   on_grid = net->def.timing == RV_EXACT || (fabs(x[3] / h - rint(x[3] / h)) < 1e-6 * x[3] / h && fabs(x[4] / h - rint(x[4] / h)) < 1e-6 * x[4] / h);
    if (r->tau < 1e-6 * (1 - 1e-9) || r->delay_min < low || r->delay_max < r->delay_min || r->delay_max > high || !on_grid)
        return visit_damaged(v, AT("%s/delay_rule", path), "has delays from %g to %g ms, tau %g ms", r->delay_min, r->delay_max, r->tau);
    return RV_OK;
}

/* ---- what tasks remember ------------------------------------------------------------------------------------------ */

static rv_status visit_sensors(visitor *v, const char *path, structure_task *task)
{
    struct {
        const char *name;
        double    **values;
    } list[] = { { "activity", &task->activity }, { "last", &task->last }, { "integral", &task->integral } };
    for (int k = 0; k < 3; k++) {
        if (v->loading && !(*list[k].values = malloc(((size_t)task->n + 1) * sizeof(double)))) return error_memory(v->error, "scaled weights", (double)task->n * 8);
        TRY(visit_values(v, AT("%s/%s", path, list[k].name), CHECKPOINT_F64, *list[k].values, task->n));
    }
    return RV_OK;
}

static rv_status visit_heard(visitor *v, const char *path, heard_spikes *list, int64_t n_neurons)
{
    double   *time = malloc(((size_t)list->n + 1) * sizeof *time);
    int64_t  *neuron = malloc(((size_t)list->n + 1) * sizeof *neuron), n = list->n, also = n;
    rv_status status = time && neuron ? RV_OK : error_memory(v->error, "spikes that delays learn from", (double)list->n * 16);
    for (int64_t k = 0; k < list->n && status == RV_OK; k++) time[k] = list->spike[k].time, neuron[k] = list->spike[k].neuron;
    if (v->loading) free(time), free(neuron), time = NULL, neuron = NULL;
    if (status == RV_OK) status = visit_list(v, AT("%s/times", path), CHECKPOINT_F64, &time, &n, INT64_MAX / 16);
    if (status == RV_OK) status = visit_list(v, AT("%s/neurons", path), CHECKPOINT_I64, &neuron, &also, n);
    if (status == RV_OK && also != n) status = visit_damaged(v, path, "has %lld neurons for %lld times", (long long)also, (long long)n);
    if (v->loading && status == RV_OK && !(list->spike = malloc(((size_t)n + 1) * sizeof *list->spike))) status = error_memory(v->error, "spikes that delays learn from", (double)n * 16);
    if (v->loading && status == RV_OK) list->capacity = n + 1;
    for (int64_t k = 0; k < n && v->loading && status == RV_OK; k++) {
        if (!isfinite(time[k]) || (k > 0 && time[k] < time[k - 1]) || neuron[k] < 0 || neuron[k] >= n_neurons)
            status = visit_damaged(v, path, "holds neuron %lld at step %g", (long long)neuron[k], time[k]);
        else list->spike[list->n++] = (heard_spike){ time[k], neuron[k] };
    }
    free(time), free(neuron);
    return status;
}

/* ---- tasks -------------------------------------------------------------------------------------------------------- */

static rv_status visit_kind(visitor *v, const char *path, const rv_net *net, structure_task *task)
{
    switch (task->kind) {
    case TASK_NORMALISE:
        TRY(visit_double(v, AT("%s/total", path), &task->total));
        return task->total > 0 && task->total < 1e300 ? RV_OK : visit_damaged(v, AT("%s/total", path), "is %g", task->total);
    case TASK_SCALE:
        TRY(visit_scaling(v, path, &task->scaling));
        return visit_sensors(v, path, task);
    case TASK_REWIRE: return visit_rewiring(v, path, &task->rewiring);
    case TASK_DELAYS:
        TRY(visit_delay_rule(v, path, net, task));
        TRY(visit_heard(v, AT("%s/pre", path), &task->pre, net->def.population[task->source].n));
        return visit_heard(v, AT("%s/post", path), &task->post, net->def.population[task->target].n);
    }
    return RV_OK;
}

/* What its projection must be; see structure_projection(). */
static rv_status place_task(visitor *v, const char *path, const rv_net *net, structure_task *task)
{
    const projection_def *def = &net->def.projection[task->projection];
    bool                  moving = task->kind == TASK_REWIRE || task->kind == TASK_DELAYS;
    if (def->synapse || (moving && def->plasticity && def->plasticity->epochs)) return visit_damaged(v, AT("%s/projection", path), "is %d, whose synapses stay as they are", task->projection);
    task->source = def->source.population, task->target = def->target.population, task->h = net->def.resolution;
    task->n = task->kind == TASK_SCALE ? net->def.population[task->target].n : 0;
    task->scaling.interval_ms = task->rewiring.interval_ms = (double)task->interval * task->h;
    return RV_OK;
}

static rv_status visit_task(visitor *v, rv_net *net, int k)
{
    structure_task *task = &net->task[k];
    visit_at        at = visit_path("tasks/%d", k);
    int             kind = (int)task->kind;
    int64_t         step = net->state->step;
    TRY(visit_int(v, AT("%s/kind", at.path), &kind, TASK_NORMALISE, TASK_DELAYS));
    TRY(visit_int(v, AT("%s/projection", at.path), &task->projection, 0, net->def.n_projections - 1));
    TRY(visit_int64(v, AT("%s/interval", at.path), &task->interval, 1, VISIT_LAST_STEP));
    TRY(visit_int64(v, AT("%s/next", at.path), &task->next, step + 1, step + VISIT_LAST_STEP));
    task->kind = (task_kind)kind;
    if (v->loading) TRY(place_task(v, at.path, net, task));
    return visit_kind(v, at.path, net, task);
}

static rv_status visit_turnover(visitor *v, rv_net *net)
{
    enum { WORDS = sizeof(turnover) / sizeof(int64_t) };
    bool rewired = net->turnover != NULL;
    TRY(visit_bool(v, "rewired", &rewired));
    if (!rewired) return RV_OK;
    if (v->loading && !(net->turnover = calloc((size_t)net->def.n_projections + 1, sizeof *net->turnover))) return error_memory(v->error, "synapses that change", 0);
    return visit_counts(v, "turnover", (int64_t *)net->turnover, WORDS * (int64_t)net->def.n_projections);
}

rv_status visit_structure(visitor *v, rv_net *net)
{
    int n = net->n_tasks;
    TRY(visit_turnover(v, net));
    TRY(visit_int(v, "n_tasks", &n, 0, 4 * net->def.n_projections));
    for (int k = 0; k < n; k++) {
        if (v->loading && !net_append(net, &net->task, net->n_tasks, sizeof *net->task)) return error_memory(v->error, "tasks", 0);
        if (v->loading) net->task[net->n_tasks++] = (structure_task){ 0 };
        TRY(visit_task(v, net, k));
    }
    return RV_OK;
}
