/* What may change, delays that are set, and the calendar of what changes synapses at intervals. */
#include "sim/structure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"
#include "sim/value.h"

enum { WHAT_TEXT = OBJECT_TEXT + 60 };

/* ---- what may change -------------------------------------------------------------------------------------------- */

static rv_status check_unrecorded(rv_net *net, int p, const char *object, const char *what)
{
    for (int k = 0; k < net->n_probes; k++)
        if (net->probe[k]->projection == p)
            return rv_fail(net, RV_CONFLICT, "%s: %s: its weights are being recorded, and a probe needs the same synapses in the same order all the time", object, what);
    return RV_OK;
}

rv_status structure_projection(rv_net *net, rv_projection projection, bool moving, const char *what, int *index)
{
    char object[OBJECT_TEXT];
    int  p = *index = net_projection(net, projection);
    if (p < 0) return RV_UNKNOWN_NAME;
    const projection_def *def = &net->def.projection[p];
    definition_projection_label(&net->def, def, object);
    if (projection_is_compact(def)) return rv_fail(net, RV_CONFLICT, "%s: %s: the synapses of a convolution share their weights; unrolled (compact = false) each has its own", object, what);
    if (def->synapse) return rv_fail(net, RV_CONFLICT, "%s: %s: synapses of kind \"%s\" are of a chip and stay as they are", object, what, def->synapse->table.name);
    if (moving && def->plasticity && def->plasticity->epochs)
        return rv_fail(net, RV_CONFLICT, "%s: %s: plasticity \"%s\" learns in epochs, and its synapses stay where they are", object, what, def->plasticity->table.name);
    if (moving) TRY(check_unrecorded(net, p, object, what));
    return rv_compile(net);
}

/* In exact timing the order in which populations take turns in a window, and when a weight may be learnt, were settled by the
 * shortest delays at the start. */
void structure_delay_range(const rv_net *net, int projection, double *low, double *high)
{
    const projection_def *def = &net->def.projection[projection];
    const bundle         *b = &net->net->bundle[network_bundle_of(net->net, projection)];
    uint64_t              shortest = net->net->min_delay[projection];
    *low = 1, *high = def->max_delay;
    if (net->def.timing == RV_EXACT && shortest >> 32 == 0) *low = 0;
    if (net->def.timing == RV_EXACT && b->rule && b->rule->on_post) *low = fmax(*low, 0.5 / b->dendritic_fraction);
}

/* A delay in ms as the engine keeps it: drawn ones on the grid, as when they are made. */
uint64_t structure_delay_key(const rv_net *net, double ms, double low)
{
    double steps = ms / net->def.resolution;
    if (net->def.timing == RV_GRID) steps = rint(steps);
    return (uint64_t)rint(fmax(steps, low) * 0x1p32);
}

bool structure_delay_fits(const rv_net *net, double ms, double low, double high)
{
    double steps = ms / net->def.resolution, least = net->def.timing == RV_GRID ? 0 : low * (1 - 1e-12); /* on the grid rounded up to a step */
    return steps >= least && steps <= high;
}

static rv_status check_on_grid(rv_net *net, const rv_value *value, const char *what)
{
    double h = net->def.resolution;
    if (net->def.timing != RV_GRID) return RV_OK;
    for (int64_t k = 0; k < (value->kind == RV_LIST ? value->n : value->kind == RV_NUMBER); k++) {
        double steps = (value->kind == RV_LIST ? value->list[k] : value->a) / h;
        if (fabs(steps - rint(steps)) > GRID_TOLERANCE * rint(steps))
            return rv_fail(net, RV_OUT_OF_RANGE, "%s = %.10g ms, allowed are multiples of the resolution (%g ms)", what, steps * h, h);
    }
    return RV_OK;
}

rv_status structure_check_delays(rv_net *net, int p, const rv_value *value, const char *what)
{
    double low, high, h = net->def.resolution;
    bool   given = value->kind == RV_NUMBER || value->kind == RV_LIST;
    structure_delay_range(net, p, &low, &high);
    TRY(value_check(value, given || net->def.timing == RV_EXACT ? low * h * (1 - 1e-12) : 0, high * h, what, "ms", &net->error));
    if (value_needs_distance(value)) return rv_fail(net, RV_CONFLICT, "%s: functions of distance are for rv_connect() only", what);
    return check_on_grid(net, value, what);
}

void structure_set_weight(rv_net *net, int index, int t, int64_t synapse, double weight)
{
    bundle *b = &net->net->bundle[index];
    rows   *r = &b->rows[t];
    if (r->weight_float) r->weight_float[synapse] = (float)weight;
    else r->weight_double[synapse] = weight;
    if (b->epoch) epoch_set_weight(&net->state->tile[t].epoch[index], synapse, weight);
}

/* ---- delays that are set ---------------------------------------------------------------------------------------- */

static rv_status draw_delays(rv_net *net, int p, const rv_value *value, const char *what, const synapse_ref *list, int64_t n, loose_synapses *loose)
{
    double low, high;
    structure_delay_range(net, p, &low, &high);
    for (int64_t k = 0; k < n; k++) {
        rv_random stream = random_stream(net->def.seed, RANDOM_DELAYS, (uint32_t)p, (uint64_t)k);
        gsl_rng   rng = random_gsl(&stream);
        double    ms = value->kind == RV_LIST ? value_bounded(value, value->list[k]) : value_draw(value, &rng, 0);
        if (!structure_delay_fits(net, ms, low, high)) return value_out_of_range(what, ms, "ms", low * net->def.resolution, high * net->def.resolution, &net->error);
        loose[list[k].tile].synapse[list[k].index].delay = structure_delay_key(net, ms, low);
    }
    return RV_OK;
}

rv_status rv_set_delays(rv_net *net, rv_projection projection, rv_value delays)
{
    int             p;
    char            object[OBJECT_TEXT], what[WHAT_TEXT];
    synapse_ref    *list;
    int64_t         n;
    loose_synapses *loose = NULL;
    TRY(structure_projection(net, projection, true, "delay", &p));
    snprintf(what, sizeof what, "%s: delay", definition_projection_label(&net->def, &net->def.projection[p], object));
    TRY(structure_check_delays(net, p, &delays, what));
    int b = network_bundle_of(net->net, p);
    net_settle(net, b);
    TRY(network_list_synapses(net->net, p, &list, &n, &net->error));
    rv_status status = RV_OK;
    if (delays.kind == RV_LIST && delays.n != n)
        status = rv_fail(net, RV_WRONG_SHAPE, "%s: a list of %lld values for %lld synapses", what, (long long)delays.n, (long long)n);
    if (status == RV_OK) status = loose_take_all(net->net, b, &loose, &net->error);
    if (status == RV_OK) status = draw_delays(net, p, &delays, what, list, n, loose);
    if (status == RV_OK) status = rebuild_rows(net->net, net->state, b, loose, net->threads, &net->error);
    loose_free(loose, net->net->n_tiles);
    free(list);
    return status;
}

/* ---- at intervals ----------------------------------------------------------------------------------------------- */

static void close_task(structure_task *task)
{
    free(task->activity), free(task->last), free(task->integral);
    free(task->pre.spike), free(task->post.spike);
    *task = (structure_task){ 0 };
}

void structure_close(rv_net *net)
{
    for (int k = 0; k < net->n_tasks; k++) close_task(&net->task[k]);
    free(net->task), free(net->turnover);
}

/* @return its place, or that behind the last */
static int find_task(const rv_net *net, task_kind kind, int projection)
{
    int k = 0;
    while (k < net->n_tasks && (net->task[k].kind != kind || net->task[k].projection != projection)) k++;
    return k;
}

static void end_task(rv_net *net, int k)
{
    if (k == net->n_tasks) return;
    close_task(&net->task[k]);
    memmove(&net->task[k], &net->task[k + 1], (size_t)(--net->n_tasks - k) * sizeof *net->task);
}

static rv_status begin_task(rv_net *net, structure_task *task, double interval_ms, const char *what)
{
    char                  object[OBJECT_TEXT], sentence[WHAT_TEXT];
    const projection_def *def = &net->def.projection[task->projection];
    snprintf(sentence, sizeof sentence, "%s: %s: interval", definition_projection_label(&net->def, def, object), what);
    TRY(net_steps(net, interval_ms, sentence, 1, &task->interval));
    task->next = (net->state->step / task->interval + 1) * task->interval;
    task->source = def->source.population, task->target = def->target.population, task->h = net->def.resolution;
    int place = find_task(net, task->kind, task->projection);
    if (place == net->n_tasks) {
        if (!net_append(net, &net->task, net->n_tasks, sizeof *net->task)) return RV_OUT_OF_MEMORY;
        net->n_tasks++;
    } else close_task(&net->task[place]);
    net->task[place] = *task;
    return RV_OK;
}

rv_status structure_schedule(rv_net *net, structure_task *task, double interval_ms, const char *what)
{
    rv_status status = RV_OK;
    if (interval_ms == INFINITY) end_task(net, find_task(net, task->kind, task->projection));
    else status = begin_task(net, task, interval_ms, what);
    if (status != RV_OK || interval_ms == INFINITY) close_task(task);
    return status;
}

static void keep_spike(structure_task *task, heard_spikes *list, heard_spike item)
{
    if (memory_reserve((void **)&list->spike, &list->capacity, list->n + 1, sizeof item)) list->spike[list->n++] = item;
    else task->out_of_memory = true;
}

void structure_hear(structure_task *task, int population, int64_t neuron, double time, uint32_t count)
{
    if (task->kind == TASK_SCALE && population == task->target) {
        double tau = task->scaling.tau / task->h;
        task->activity[neuron] = task->activity[neuron] * exp(-(time - task->last[neuron]) / tau) + count * 1000 / task->scaling.tau;
        task->last[neuron] = time;
    }
    for (uint32_t m = 0; m < count && task->kind == TASK_DELAYS; m++) {
        if (population == task->source) keep_spike(task, &task->pre, (heard_spike){ time, neuron });
        if (population == task->target) keep_spike(task, &task->post, (heard_spike){ time, neuron });
    }
}

static rv_status run_task(rv_net *net, structure_task *task)
{
    if (task->out_of_memory) return error_memory(&net->error, "spikes that delays learn from", 0);
    switch (task->kind) {
    case TASK_NORMALISE: return homeostasis_normalise(net, task->projection, task->total);
    case TASK_SCALE: return homeostasis_scale(net, task);
    case TASK_REWIRE: return rewire_now(net, task->projection, &task->rewiring);
    case TASK_DELAYS: return delay_learning_step(net, task);
    }
    return RV_OK;
}

rv_status structure_run_due(rv_net *net)
{
    for (int k = 0; k < net->n_tasks; k++) {
        structure_task *task = &net->task[k];
        if (task->next != net->state->step) continue;
        task->next += task->interval;
        TRY(run_task(net, task));
    }
    return RV_OK;
}
