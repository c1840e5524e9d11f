/* What learning keeps, in a checkpoint: traces and histories of rules that learn at spikes, and of those that learn in epochs. The
 * weights are with the rows. */
#include <math.h>
#include <stdlib.h>

#include "sim/checkpoint_visit.h"

/* ---- rules at spikes ---------------------------------------------------------------------------------------------- */

enum { SOURCE_DOUBLES = sizeof(source_trace) / sizeof(double), TARGET_DOUBLES = sizeof(target_trace) / sizeof(double) };

static plastic *plastic_of(const state *s, int t, int b) { return &s->tile[t].learning[b]; }

static rv_status visit_traces(visitor *v, state *s, int b)
{
    int64_t sources = 0, targets = 0;
    for (int t = 0; t < s->net->n_tiles; t++)
        sources += SOURCE_DOUBLES * plastic_of(s, t, b)->r->n_segments, targets += TARGET_DOUBLES * (int64_t)plastic_of(s, t, b)->target->n;
    TRY(visit_begin(v, AT("bundles/%d/source_trace", b), CHECKPOINT_F64, &sources));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_next(v, plastic_of(s, t, b)->source, SOURCE_DOUBLES * plastic_of(s, t, b)->r->n_segments));
    TRY(visit_end(v));
    TRY(visit_begin(v, AT("bundles/%d/target_trace", b), CHECKPOINT_F64, &targets));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_next(v, plastic_of(s, t, b)->latest, TARGET_DOUBLES * (int64_t)plastic_of(s, t, b)->target->n));
    return visit_end(v);
}

static rv_status visit_lengths(visitor *v, state *s, int b, int64_t *total)
{
    int64_t n = 0;
    *total = 0;
    for (int t = 0; t < s->net->n_tiles; t++) n += plastic_of(s, t, b)->target->n;
    TRY(visit_begin(v, AT("bundles/%d/history_length", b), CHECKPOINT_U32, &n));
    for (int t = 0; t < s->net->n_tiles; t++)
        for (int i = 0; i < plastic_of(s, t, b)->target->n; i++) {
            plastic *p = plastic_of(s, t, b);
            uint32_t length = (uint32_t)p->history[i].n;
            TRY(visit_next(v, &length, 1));
            if (length > INT32_MAX / 8) return visit_damaged(v, v->at.path, "is %u", length);
            p->history[i].n = (int32_t)length;
            *total += (int64_t)length * p->width;
        }
    return visit_end(v);
}

static rv_status visit_history(visitor *v, plastic *p, history *past)
{
    int64_t n = (int64_t)past->n * p->width;
    if (v->loading && n > 0) {
        past->entry = malloc((size_t)n * sizeof *past->entry), past->capacity = past->n, p->n_entries += past->n;
        if (!past->entry) return error_memory(v->error, "learning", (double)n * 8);
    }
    TRY(visit_next(v, past->entry, n));
    for (int32_t k = 0; v->loading && k < past->n; k++) {
        double time = past->entry[k * p->width];
        if (!isfinite(time) || (k > 0 && time < past->entry[(k - 1) * p->width])) return visit_damaged(v, v->at.path, "is not ascending");
    }
    return RV_OK;
}

static rv_status visit_histories(visitor *v, state *s, int b)
{
    int64_t total;
    for (int t = 0; t < s->net->n_tiles && v->loading; t++) /* what is there was made by plastic_open(): nothing */
        for (int i = 0; i < plastic_of(s, t, b)->target->n; i++) plastic_of(s, t, b)->history[i].n = 0;
    TRY(visit_lengths(v, s, b, &total));
    rv_status status = visit_begin(v, AT("bundles/%d/history", b), CHECKPOINT_F64, &total);
    for (int t = 0; t < s->net->n_tiles && status == RV_OK; t++) {
        plastic *p = plastic_of(s, t, b);
        for (int i = 0; i < p->target->n && status == RV_OK; i++) status = visit_history(v, p, &p->history[i]);
    }
    return status == RV_OK ? visit_end(v) : status;
}

/* What synapses keep beside their weights; the rewards that they have felt, or will. */
static rv_status visit_own(visitor *v, state *s, int b)
{
    int64_t total = 0;
    for (int t = 0; t < s->net->n_tiles; t++) total += plastic_of(s, t, b)->n_own * plastic_of(s, t, b)->r->n_synapses;
    TRY(visit_begin(v, AT("bundles/%d/own", b), CHECKPOINT_F64, &total));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_next(v, plastic_of(s, t, b)->own, plastic_of(s, t, b)->n_own * plastic_of(s, t, b)->r->n_synapses));
    return visit_end(v);
}

static rv_status visit_rewards(visitor *v, plastic *p, int b, int t)
{
    enum { DOUBLES = sizeof(reward) / sizeof(double) };
    visit_at at = visit_path("bundles/%d/rewards_%d", b, t);
    int64_t  n = p->n_rewards * DOUBLES;
    TRY(visit_list(v, at.path, CHECKPOINT_F64, &p->reward, &n, INT64_MAX / 16));
    if (!v->loading) return RV_OK;
    if (n % DOUBLES) return visit_damaged(v, at.path, "has %lld values, not pairs", (long long)n);
    p->n_rewards = p->reward_capacity = n / DOUBLES;
    for (int64_t k = 0; k < p->n_rewards; k++)
        if (!isfinite(p->reward[k].time) || (k > 0 && p->reward[k].time < p->reward[k - 1].time)) return visit_damaged(v, at.path, "are not ascending");
    return RV_OK;
}

/* The longest dendritic part there ever was, which says how long histories are kept. */
static rv_status visit_dendritic(visitor *v, plastic *p, int b, int t)
{
    double   least = p->max_dendritic;
    visit_at at = visit_path("bundles/%d/max_dendritic_%d", b, t);
    TRY(visit_double(v, at.path, &p->max_dendritic));
    if (!(p->max_dendritic >= least && p->max_dendritic <= MAX_DELAY_STEPS)) return visit_damaged(v, at.path, "is %g", p->max_dendritic);
    return RV_OK;
}

static rv_status visit_voltage(visitor *v, plastic *p, const state *s, int b, int t)
{
    voltage *u = &p->voltage;
    visit_at at = visit_path("bundles/%d/voltage/%d", b, t);
    if (v->loading && !plastic_reserve_voltage(p)) return error_memory(v->error, "membrane potentials to learn from", (double)u->n * 8 * p->max_dendritic);
    TRY(visit_int64(v, AT("%s/step", at.path), &u->step, -1, s->step));
    TRY(visit_values(v, AT("%s/V_m", at.path), CHECKPOINT_F64, u->V_m, u->n));
    TRY(visit_values(v, AT("%s/filtered", at.path), CHECKPOINT_F64, u->filtered, (u->delay + 1) * RV_MAX_FILTERED * u->n));
    return visit_values(v, AT("%s/ltd", at.path), CHECKPOINT_F64, u->ltd, u->n_steps * u->n);
}

static rv_status visit_rule(visitor *v, state *s, int b)
{
    const rv_rule *rule = s->net->bundle[b].rule;
    TRY(visit_traces(v, s, b));
    TRY(visit_own(v, s, b));
    for (int t = 0; t < s->net->n_tiles; t++) {
        plastic *p = plastic_of(s, t, b);
        TRY(visit_dendritic(v, p, b, t));
        if (rule->reward_decay) TRY(visit_rewards(v, p, b, t));
        if (rule->voltage_change) TRY(visit_voltage(v, p, s, b, t));
    }
    return visit_histories(v, s, b);
}

/* ---- rules of epochs ---------------------------------------------------------------------------------------------- */

static epoch *epoch_of(const state *s, int t, int b) { return &s->tile[t].epoch[b]; }

/* The arrays of an epoch by number: w, t, d, x1, x2, y1, y2, y3. */
enum { FIRST_X = N_EPOCH_VARIABLES, FIRST_Y = FIRST_X + N_EPOCH_X, N_ARRAYS = FIRST_Y + N_EPOCH_Y };
static const char *const array_names[N_ARRAYS] = { "w", "t", "d", "x1", "x2", "y1", "y2", "y3" };

static double *array_of(const epoch *e, int k, int64_t *n)
{
    *n = k < FIRST_X ? e->r->n_synapses : k < FIRST_Y ? e->n_sources : e->target->n;
    return k < FIRST_X ? e->variable[k] : k < FIRST_Y ? e->x[k - FIRST_X] : e->y[k - FIRST_Y];
}

static rv_status visit_epoch_array(visitor *v, state *s, int b, int k)
{
    int64_t total = 0, n;
    if (!array_of(epoch_of(s, 0, b), k, &n)) return RV_OK; /* a tag or a delay that no product speaks of */
    for (int t = 0; t < s->net->n_tiles; t++) array_of(epoch_of(s, t, b), k, &n), total += n;
    TRY(visit_begin(v, AT("bundles/%d/epoch/%s", b, array_names[k]), CHECKPOINT_F64, &total));
    for (int t = 0; t < s->net->n_tiles; t++) {
        double *values = array_of(epoch_of(s, t, b), k, &n);
        TRY(visit_next(v, values, n));
    }
    return visit_end(v);
}

/* In which step of the epoch sources and targets have spiked. */
static rv_status visit_epoch_steps(visitor *v, state *s, int b, bool of_sources)
{
    int64_t total = 0;
    for (int t = 0; t < s->net->n_tiles; t++) total += of_sources ? epoch_of(s, t, b)->n_sources : epoch_of(s, t, b)->target->n;
    TRY(visit_begin(v, AT("bundles/%d/epoch/%s", b, of_sources ? "x_step" : "y_step"), CHECKPOINT_U8, &total));
    for (int t = 0; t < s->net->n_tiles; t++) {
        epoch   *e = epoch_of(s, t, b);
        uint8_t *step = of_sources ? e->x_step : e->y_step;
        int64_t  n = of_sources ? e->n_sources : e->target->n;
        TRY(visit_next(v, step, n));
        for (int64_t i = 0; v->loading && i < n; i++)
            if (step[i] > e->rule->t_epoch) return visit_damaged(v, v->at.path, "is %d in epochs of %d steps", step[i], e->rule->t_epoch);
    }
    return visit_end(v);
}

/* What has been learnt and is not yet delivered. */
static rv_status visit_changes(visitor *v, epoch *e, int b, int t)
{
    int64_t  rows = e->n_changed_rows;
    visit_at at = visit_path("bundles/%d/epoch/changed_%d", b, t);
    TRY(visit_int64(v, AT("%s/n_rows", at.path), &rows, 0, e->n_sources));
    TRY(visit_int64(v, AT("%s/n_synapses", at.path), &e->n_changed_synapses, 0, e->most_changed));
    e->n_changed_rows = (int32_t)rows;
    TRY(visit_values(v, AT("%s/rows", at.path), CHECKPOINT_U32, e->changed_row, rows));
    TRY(visit_values(v, AT("%s/synapses", at.path), CHECKPOINT_U32, e->changed_synapse, e->n_changed_synapses));
    for (int64_t i = 0; v->loading && i < rows; i++)
        if (e->changed_row[i] < 0 || e->changed_row[i] >= e->n_sources) return visit_damaged(v, AT("%s/rows", at.path), "names source %d", (int)e->changed_row[i]);
    for (int64_t i = 0; v->loading && i < e->n_changed_synapses; i++)
        if (e->changed_synapse[i] >= e->r->n_synapses) return visit_damaged(v, AT("%s/synapses", at.path), "names synapse %u", e->changed_synapse[i]);
    return RV_OK;
}

static rv_status visit_epoch(visitor *v, state *s, int b)
{
    for (int k = 0; k < N_ARRAYS; k++) TRY(visit_epoch_array(v, s, b, k));
    TRY(visit_epoch_steps(v, s, b, true));
    TRY(visit_epoch_steps(v, s, b, false));
    for (int t = 0; t < s->net->n_tiles; t++) {
        epoch *e = epoch_of(s, t, b);
        for (int k = 0; k < N_EPOCH_Y; k++) TRY(visit_bool(v, AT("bundles/%d/epoch/delivered_%d_y%d", b, t, k + 1), &e->delivered[k]));
        TRY(visit_bool(v, AT("bundles/%d/epoch/any_y_%d", b, t), &e->any_y));
        TRY(visit_changes(v, e, b, t));
    }
    return RV_OK;
}

/* ---- both --------------------------------------------------------------------------------------------------------- */

rv_status visit_learning(visitor *v, state *s, int b)
{
    const bundle *bundle = &s->net->bundle[b];
    if (bundle->rule) TRY(visit_rule(v, s, b));
    return bundle->epoch ? visit_epoch(v, s, b) : RV_OK;
}
