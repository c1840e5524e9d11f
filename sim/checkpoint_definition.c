/* The definition in a checkpoint. It is loaded through the calls that users define networks with, which check everything. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_visit.h"
#include "sim/value.h"

enum { MOST_OBJECTS = 1 << 24, MOST_SETTINGS = 2 * RV_MAX_PARAMS };

/* ---- populations -------------------------------------------------------------------------------------------------- */

/* One number, or one for each neuron. */
static rv_status save_field(visitor *v, const char *path, neuron_values *values, int64_t n)
{
    return values->list ? visit_values(v, path, CHECKPOINT_F64, values->list, n) : visit_double(v, path, &values->value);
}

static rv_status load_field(visitor *v, const char *path, const definition *d, const rv_field *field, neuron_values *values)
{
    double      *list;
    int64_t      n;
    neuron_range range;
    TRY(definition_range(d, rv_all((rv_population){ d->n_populations }), &range, v->error));
    TRY(visit_list(v, path, CHECKPOINT_F64, &list, &n, range.count));
    rv_status status = n == 1 || n == range.count ? RV_OK : visit_damaged(v, path, "has %lld values for %lld neurons", (long long)n, (long long)range.count);
    if (status == RV_OK) status = definition_set_values(d, &range, field, 0, n == 1 ? rv_number(*list) : rv_list(list, n), values, v->error);
    free(list);
    return status;
}

static rv_status visit_fields(visitor *v, int p, const definition *d)
{
    population_def *def = &d->population[p];
    const rv_table *table = &def->model->table;
    for (int k = 0; k < table->n_params; k++) {
        visit_at at = visit_path("definition/populations/%d/parameters/%s", p, table->params[k].name);
        TRY(v->loading ? load_field(v, at.path, d, &table->params[k], &def->param[k]) : save_field(v, at.path, &def->param[k], def->n));
    }
    for (int k = 0; k < table->n_states; k++) {
        visit_at at = visit_path("definition/populations/%d/initial/%s", p, table->states[k].name);
        TRY(v->loading ? load_field(v, at.path, d, &table->states[k], &def->initial[k]) : save_field(v, at.path, &def->initial[k], def->n));
    }
    return RV_OK;
}

static rv_status visit_positions(visitor *v, int p, population_def *def)
{
    int64_t n = def->xyz ? 3 * def->n : 0;
    TRY(visit_list(v, AT("definition/populations/%d/positions", p), CHECKPOINT_F64, &def->xyz, &n, 3 * def->n));
    if (v->loading && n == 0) free(def->xyz), def->xyz = NULL;
    if (v->loading && n != 0 && n != 3 * def->n) return visit_damaged(v, AT("definition/populations/%d/positions", p), "has %lld values", (long long)n);
    TRY(visit_values(v, AT("definition/populations/%d/period", p), CHECKPOINT_F64, def->period, 3));
    for (int64_t i = 0; v->loading && i < n; i++)
        if (!isfinite(def->xyz[i])) return visit_damaged(v, AT("definition/populations/%d/positions", p), "holds what is no number");
    for (int k = 0; k < 3; k++)
        if (!(def->period[k] >= 0 && isfinite(def->period[k]))) return visit_damaged(v, AT("definition/populations/%d/period", p), "is %g", def->period[k]);
    return RV_OK;
}

/* Lists of the neurons of a generator, one behind the other. */
static rv_status visit_lists(visitor *v, const char *path, double **list, const int64_t *length, int64_t n)
{
    int64_t total = 0;
    for (int64_t i = 0; i < n; i++) total += !v->loading && !list[i] ? 0 : length[i];
    TRY(visit_begin(v, path, CHECKPOINT_F64, &total));
    for (int64_t i = 0; i < n; i++) {
        if (v->loading && !(list[i] = malloc(((size_t)length[i] + 1) * sizeof **list))) return error_memory(v->error, path, (double)length[i] * 8);
        if (list[i]) TRY(visit_next(v, list[i], length[i]));
    }
    return visit_end(v);
}

static rv_status check_lengths(visitor *v, const char *path, const int64_t *length, int64_t n, int64_t *total)
{
    *total = 0;
    for (int64_t i = 0; i < n; i++)
        if (length[i] < 0 || __builtin_add_overflow(*total, length[i], total)) return visit_damaged(v, path, "holds %lld for neuron %lld", (long long)length[i], (long long)i);
    return RV_OK;
}

static rv_status check_spike_times(visitor *v, const char *path, const population_def *def, rv_timing timing)
{
    for (int64_t i = 0; i < def->n; i++)
        for (int64_t k = 0; k < def->n_spike_times[i]; k++) {
            double t = def->spike_times[i][k];
            bool   in_order = k == 0 || t >= def->spike_times[i][k - 1];
            if (!isfinite(t) || !in_order || (timing == RV_GRID ? t <= 0 : t < 0)) return visit_damaged(v, path, "are not ascending times above 0 (neuron %lld)", (long long)i);
        }
    return RV_OK;
}

/* Payloads: those neurons that have none have a length of 0 here. */
static rv_status visit_payloads(visitor *v, int p, population_def *def)
{
    rv_status status = RV_OK;
    int64_t  *length = calloc((size_t)def->n + 1, sizeof *length), total;
    visit_at  lengths = visit_path("definition/populations/%d/n_payloads", p), values = visit_path("definition/populations/%d/payloads", p);
    if (!length || (v->loading && !(def->payloads = calloc((size_t)def->n, sizeof *def->payloads)))) status = error_memory(v->error, "payloads", (double)def->n * 8);
    for (int64_t i = 0; i < def->n && status == RV_OK; i++) length[i] = def->payloads[i] ? def->n_spike_times[i] : 0;
    if (status == RV_OK) status = visit_values(v, lengths.path, CHECKPOINT_I64, length, def->n);
    if (status == RV_OK) status = check_lengths(v, lengths.path, length, def->n, &total);
    for (int64_t i = 0; i < def->n && status == RV_OK; i++)
        if (length[i] != 0 && length[i] != def->n_spike_times[i]) status = visit_damaged(v, lengths.path, "holds %lld for neuron %lld", (long long)length[i], (long long)i);
    if (status == RV_OK) status = visit_lists(v, values.path, def->payloads, length, def->n);
    for (int64_t i = 0; v->loading && i < def->n && status == RV_OK; i++) {
        for (int64_t k = 0; k < length[i]; k++)
            if (!(fabs(def->payloads[i][k]) <= 0x1p31) || def->payloads[i][k] != rint(def->payloads[i][k]) || def->payloads[i][k] == 0x1p31)
                status = visit_damaged(v, values.path, "holds %g for neuron %lld", def->payloads[i][k], (long long)i);
        if (length[i] == 0) free(def->payloads[i]), def->payloads[i] = NULL;
    }
    free(length);
    return status;
}

static rv_status visit_spike_times(visitor *v, int p, population_def *def, rv_timing timing)
{
    visit_at lengths = visit_path("definition/populations/%d/n_spike_times", p), times = visit_path("definition/populations/%d/spike_times", p);
    bool     has = def->spike_times != NULL, graded = def->payloads != NULL;
    int64_t  total;
    TRY(visit_bool(v, AT("definition/populations/%d/has_spike_times", p), &has));
    TRY(visit_bool(v, AT("definition/populations/%d/has_payloads", p), &graded));
    if (v->loading && ((has && (!def->model->emit || def->model->table.n_params > 0)) || (graded && (!has || !def->model->carries || timing == RV_EXACT))))
        return visit_damaged(v, times.path, "do not belong to %s", def->model->table.name);
    if (!has) return RV_OK;
    if (v->loading) {
        def->spike_times = calloc((size_t)def->n, sizeof *def->spike_times), def->n_spike_times = calloc((size_t)def->n, sizeof *def->n_spike_times);
        if (!def->spike_times || !def->n_spike_times) return error_memory(v->error, "spike times", (double)def->n * 16);
    }
    TRY(visit_values(v, lengths.path, CHECKPOINT_I64, def->n_spike_times, def->n));
    TRY(check_lengths(v, lengths.path, def->n_spike_times, def->n, &total));
    TRY(visit_lists(v, times.path, def->spike_times, def->n_spike_times, def->n));
    if (v->loading) TRY(check_spike_times(v, times.path, def, timing));
    def->graded |= graded;
    return graded ? visit_payloads(v, p, def) : RV_OK;
}

static rv_status visit_population(visitor *v, definition *d, int p)
{
    population_def *def = v->loading ? NULL : &d->population[p];
    char           *name = def ? def->name : NULL, *model = def ? (char *)def->model->table.name : NULL;
    int64_t         n = def ? def->n : 0;
    TRY(visit_int64(v, AT("definition/populations/%d/n", p), &n, 1, MAX_NEURONS));
    rv_status status = visit_text(v, AT("definition/populations/%d/name", p), &name);
    if (status == RV_OK) status = visit_text(v, AT("definition/populations/%d/model", p), &model);
    if (status == RV_OK && v->loading && !rv_model_find(model))
        status = visit_damaged(v, AT("definition/populations/%d/model", p), "is \"%.60s\", a neuron model that there is not here; if it came from a plug-in, that is loaded first", model);
    if (status == RV_OK && v->loading) status = definition_add_population(d, name, n, model, v->error);
    if (v->loading) free(name), free(model);
    TRY(status);
    def = &d->population[p];
    TRY(visit_fields(v, p, d));
    TRY(visit_positions(v, p, def));
    return visit_spike_times(v, p, def, d->timing);
}

/* ---- values and settings ------------------------------------------------------------------------------------------ */

static rv_status visit_range(visitor *v, const char *path, const definition *d, neuron_range *range)
{
    int64_t number[4] = { range->population, range->first, range->count, range->stride };
    TRY(visit_values(v, path, CHECKPOINT_I64, number, 4));
    if (!v->loading) return RV_OK;
    if (number[0] < 0 || number[0] >= d->n_populations) return visit_damaged(v, path, "names population %lld of %d", (long long)number[0], d->n_populations);
    return definition_range(d, (rv_slice){ { (int32_t)number[0] + 1 }, number[1], number[2], number[3] }, range, v->error);
}

static rv_slice slice_of(const neuron_range *r) { return (rv_slice){ { r->population + 1 }, r->first, r->count, r->stride }; }

rv_status visit_value(visitor *v, const char *path, rv_value *value)
{
    int64_t kind[2] = { value->kind, value->bounds };
    double  number[5] = { value->a, value->b, value->c, value->low, value->high };
    TRY(visit_values(v, AT("%s/kind", path), CHECKPOINT_I64, kind, 2));
    TRY(visit_values(v, AT("%s/numbers", path), CHECKPOINT_F64, number, 5));
    if (!v->loading) return kind[0] == RV_LIST ? visit_list(v, AT("%s/list", path), CHECKPOINT_F64, &value->list, &value->n, INT64_MAX) : RV_OK;
    if (kind[0] < RV_UNSET || kind[0] > RV_FUNCTION || kind[1] < RV_UNBOUNDED || kind[1] > RV_REDRAW) return visit_damaged(v, AT("%s/kind", path), "is %lld", (long long)kind[0]);
    *value = (rv_value){ .kind = (rv_value_kind)kind[0], .bounds = (rv_bounds)kind[1], .a = number[0], .b = number[1], .c = number[2], .low = number[3], .high = number[4] };
    if (value->kind == RV_FUNCTION) value->function = value_lost_function;
    return value->kind == RV_LIST ? visit_list(v, AT("%s/list", path), CHECKPOINT_F64, &value->list, &value->n, INT64_MAX / 8) : RV_OK;
}

/* Settings as they are given to rv_connect(). Texts, loaded, are the caller's to free. */
typedef struct settings {
    rv_setting setting[MOST_SETTINGS];
    int        n;
} settings;

static rv_status visit_params(visitor *v, const char *path, const rv_table *table, double *param, settings *all)
{
    for (int k = 0; k < table->n_params; k++) {
        double x = param ? param[k] : 0;
        TRY(visit_double(v, AT("%s/%s", path, table->params[k].name), &x));
        if (all->n < MOST_SETTINGS) all->setting[all->n++] = (rv_setting){ table->params[k].name, rv_number(x) };
    }
    return RV_OK;
}

static rv_status visit_texts(visitor *v, const char *path, const rv_table *table, char **text, settings *all)
{
    for (int k = 0; k < table->n_texts; k++) {
        char *one = text ? text[k] : NULL;
        bool  given = one != NULL;
        TRY(visit_bool(v, AT("%s/%s_given", path, table->texts[k].name), &given));
        if (!given) continue;
        TRY(visit_text(v, AT("%s/%s", path, table->texts[k].name), &one));
        if (v->loading && all->n == MOST_SETTINGS) free(one);
        else all->setting[all->n++] = (rv_setting){ table->texts[k].name, rv_text(one) };
    }
    return RV_OK;
}

/* ---- projections -------------------------------------------------------------------------------------------------- */

/* What is loaded of a projection, until the definition has its own. */
typedef struct draft {
    projection_def p;
    char          *rule, *plasticity, *synapse;
    settings       settings;
} draft;

static void draft_free(draft *f)
{
    for (int k = 0; k < f->settings.n; k++) free((char *)f->settings.setting[k].value.text);
    free((double *)f->p.weight.list), free((double *)f->p.delay.list);
    free(f->p.sources), free(f->p.targets);
    free(f->rule), free(f->plasticity), free(f->synapse);
}

static rv_status visit_kinds(visitor *v, const char *path, draft *f)
{
    const projection_def *p = v->loading ? NULL : &f->p;
    TRY(visit_text(v, AT("%s/plasticity", path), &f->plasticity));
    TRY(visit_text(v, AT("%s/synapse", path), &f->synapse));
    const rv_rule    *rule = f->plasticity && *f->plasticity ? rv_rule_find(f->plasticity) : NULL;
    const rv_synapse *synapse = f->synapse && *f->synapse ? rv_synapse_find(f->synapse) : NULL;
    if (f->plasticity && *f->plasticity && !rule) return visit_damaged(v, AT("%s/plasticity", path), "is \"%.60s\", a learning rule that there is not here; if it came from a plug-in, that is loaded first", f->plasticity);
    if (f->synapse && *f->synapse && !synapse) return visit_damaged(v, AT("%s/synapse", path), "is \"%.60s\", a kind of synapse this version does not have", f->synapse);
    if (rule) TRY(visit_params(v, AT("%s/learning", path), &rule->table, p ? f->p.param : NULL, &f->settings));
    if (rule) TRY(visit_texts(v, AT("%s/learning", path), &rule->table, p ? f->p.text : NULL, &f->settings));
    return synapse ? visit_params(v, AT("%s/kind", path), &synapse->table, p ? f->p.synapse_param : NULL, &f->settings) : RV_OK;
}

/* Checked with the rest when the projection is added. */
static rv_status visit_convolution(visitor *v, const char *path, rv_convolution *g)
{
    TRY(visit_values(v, AT("%s/shape", path), CHECKPOINT_I64, g->shape, 3));
    TRY(visit_values(v, AT("%s/kernel", path), CHECKPOINT_I64, g->kernel, 4));
    TRY(visit_values(v, AT("%s/stride", path), CHECKPOINT_I64, g->stride, 2));
    TRY(visit_values(v, AT("%s/dilation", path), CHECKPOINT_I64, g->dilation, 2));
    TRY(visit_values(v, AT("%s/padding", path), CHECKPOINT_I64, g->padding, 2));
    TRY(visit_values(v, AT("%s/padding_end", path), CHECKPOINT_I64, g->padding_end, 2));
    TRY(visit_int64(v, AT("%s/groups", path), &g->groups, 1, MAX_NEURONS));
    TRY(visit_bool(v, AT("%s/channels_last", path), &g->channels_last));
    return visit_bool(v, AT("%s/unrolled", path), &g->unrolled);
}

static rv_status visit_draft(visitor *v, const char *path, const definition *d, draft *f)
{
    projection_def *p = &f->p;
    TRY(visit_range(v, AT("%s/source", path), d, &p->source));
    TRY(visit_range(v, AT("%s/target", path), d, &p->target));
    TRY(visit_text(v, AT("%s/rule", path), &f->rule));
    TRY(visit_int64(v, AT("%s/degree", path), &p->degree, INT64_MIN, INT64_MAX));
    TRY(visit_int64(v, AT("%s/total", path), &p->total, INT64_MIN, INT64_MAX));
    TRY(visit_int(v, AT("%s/receptor_type", path), &p->receptor_type, 0, RV_MAX_STATES));
    TRY(visit_int(v, AT("%s/rewarding", path), &p->rewarding, 0, d->n_populations));
    TRY(visit_double(v, AT("%s/reward_delay", path), &p->reward_delay));
    TRY(visit_bool(v, AT("%s/autapses", path), &p->autapses));
    TRY(visit_bool(v, AT("%s/multapses", path), &p->multapses));
    if (strcmp(f->rule, "convolution") == 0) TRY(visit_convolution(v, AT("%s/convolution", path), &p->convolution));
    TRY(visit_value(v, AT("%s/p", path), &p->p));
    TRY(visit_value(v, AT("%s/weight", path), &p->weight));
    TRY(visit_value(v, AT("%s/delay", path), &p->delay));
    int64_t n = p->n_list;
    TRY(visit_list(v, AT("%s/sources", path), CHECKPOINT_I32, &p->sources, &n, INT64_MAX / 8));
    p->n_list = n;
    TRY(visit_list(v, AT("%s/targets", path), CHECKPOINT_I32, &p->targets, &n, INT64_MAX / 8));
    if (n != p->n_list) return visit_damaged(v, AT("%s/targets", path), "has %lld values for %lld sources", (long long)n, (long long)p->n_list);
    return visit_kinds(v, path, f);
}

/* Lists of synapses are large, and become the definition's own without a copy. */
static rv_status adopt_lists(visitor *v, const char *path, definition *d, draft *f)
{
    projection_def *own = &d->projection[d->n_projections - 1], *p = &f->p;
    double          least = d->timing == RV_GRID ? d->resolution * (1 - 1e-12) : 0, most = own->max_delay * d->resolution;
    for (int64_t k = 0; k < p->n_list; k++)
        if (p->sources[k] < 0 || p->sources[k] >= p->source.count || p->targets[k] < 0 || p->targets[k] >= p->target.count)
            return visit_damaged(v, AT("%s/sources", path), "or targets name a neuron that there is not: synapse %lld", (long long)k);
    if ((p->weight.kind == RV_LIST && p->weight.n != p->n_list) || (p->delay.kind == RV_LIST && p->delay.n != p->n_list))
        return visit_damaged(v, AT("%s/weight", path), "or delay has not one value for each of %lld synapses", (long long)p->n_list);
    TRY(value_check(&p->weight, -INFINITY, INFINITY, AT("%s/weight", path), "", v->error));
    TRY(value_check(&p->delay, p->delay.kind == RV_LIST ? least : 0, most, AT("%s/delay", path), "ms", v->error));
    value_free(&own->weight), value_free(&own->delay);
    free(own->sources), free(own->targets);
    own->weight = p->weight, own->delay = p->delay, own->n_list = p->n_list, own->sources = p->sources, own->targets = p->targets;
    p->weight.list = p->delay.list = NULL, p->sources = p->targets = NULL;
    return RV_OK;
}

static rv_status take_reward(visitor *v, const char *path, definition *d, const projection_def *p)
{
    projection_def *own = &d->projection[d->n_projections - 1];
    bool            whole = d->timing == RV_EXACT || p->reward_delay == rint(p->reward_delay);
    if (!p->rewarding) return RV_OK;
    if (!own->plasticity || !own->plasticity->reward_decay) return visit_damaged(v, AT("%s/rewarding", path), "is %d, where nothing has a reward", p->rewarding);
    if (!(p->reward_delay >= 1 - 1e-9 && p->reward_delay <= 1e9 + 1) || !whole) return visit_damaged(v, AT("%s/reward_delay", path), "is %g steps", p->reward_delay);
    own->rewarding = p->rewarding, own->reward_delay = p->reward_delay;
    return RV_OK;
}

static rv_status take_draft(visitor *v, const char *path, definition *d, draft *f)
{
    const projection_def *p = &f->p;
    bool                  list = strcmp(f->rule, "list") == 0;
    rv_connect_def        def = { .source = slice_of(&p->source), .target = slice_of(&p->target), .rule = f->rule, .degree = p->degree,
                                  .total = p->total, .p = p->p, .no_autapses = !p->autapses, .no_multapses = !p->multapses,
                                  .convolution = &p->convolution, .weight = p->weight, .delay = p->delay, .receptor_type = p->receptor_type,
                                  .plasticity = *f->plasticity ? f->plasticity : NULL, .synapse = *f->synapse ? f->synapse : NULL,
                                  .settings = f->settings.setting, .n_settings = f->settings.n };
    double nothing = 0;
    if (list && p->weight.kind == RV_LIST) def.weight = rv_list(&nothing, 0);
    if (list && p->delay.kind == RV_LIST) def.delay = rv_list(&nothing, 0);
    TRY(definition_add_projection(d, &def, v->error));
    TRY(take_reward(v, path, d, p));
    return list ? adopt_lists(v, path, d, f) : RV_OK;
}

static rv_status visit_projection(visitor *v, definition *d, int k)
{
    visit_at at = visit_path("definition/projections/%d", k);
    if (v->loading) {
        draft     f = { 0 };
        rv_status status = visit_draft(v, at.path, d, &f);
        if (status == RV_OK) status = take_draft(v, at.path, d, &f);
        draft_free(&f);
        return status;
    }
    const projection_def *p = &d->projection[k];
    draft f = { .p = *p, .rule = (char *)connect_rule_names[p->rule], .plasticity = (char *)(p->plasticity ? p->plasticity->table.name : ""),
                .synapse = (char *)(p->synapse ? p->synapse->table.name : "") };
    return visit_draft(v, at.path, d, &f);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------- */

static rv_status visit_settings_of_input(visitor *v, const char *path, input_def *in, settings *all)
{
    const rv_table *table = &input_tables[in->kind];
    for (int k = 0; k < table->n_params; k++) {
        visit_at at = visit_path("%s/%s", path, table->params[k].name);
        double **list = definition_input_list(in, k);
        int64_t  n = in->n_steps;
        if (list) TRY(visit_list(v, at.path, CHECKPOINT_F64, list, &n, INT64_MAX / 8));
        else TRY(visit_double(v, at.path, &in->param[k]));
        all->setting[all->n++] = (rv_setting){ table->params[k].name, list ? rv_list(*list, n) : rv_number(in->param[k]) };
    }
    return RV_OK;
}

static rv_status load_input(visitor *v, const char *path, definition *d)
{
    input_def in = { 0 };
    settings  all = { 0 };
    char     *kind;
    int       k = 0;
    TRY(visit_range(v, AT("%s/target", path), d, &in.target));
    TRY(visit_text(v, AT("%s/kind", path), &kind));
    while (k < N_INPUT_KINDS && strcmp(input_tables[k].name, kind) != 0) k++;
    rv_status status = k < N_INPUT_KINDS ? RV_OK : visit_damaged(v, AT("%s/kind", path), "is \"%.60s\", a kind of input this version does not have", kind);
    free(kind);
    TRY(status);
    in.kind = (input_kind)k;
    status = visit_settings_of_input(v, path, &in, &all);
    if (status == RV_OK) status = definition_add_input(d, &in.target, input_tables[k].name, all.setting, all.n, v->error);
    free(in.times), free(in.amplitudes);
    return status;
}

static rv_status visit_input(visitor *v, definition *d, int i)
{
    visit_at at = visit_path("definition/inputs/%d", i);
    if (v->loading) return load_input(v, at.path, d);
    settings  all = { 0 };
    input_def in = d->input[i];
    char     *kind = (char *)input_tables[in.kind].name;
    TRY(visit_range(v, AT("%s/target", at.path), d, &in.target));
    TRY(visit_text(v, AT("%s/kind", at.path), &kind));
    return visit_settings_of_input(v, at.path, &in, &all);
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

rv_status visit_definition(visitor *v, definition *d)
{
    int n_populations = d->n_populations, n_projections = d->n_projections, n_inputs = d->n_inputs;
    TRY(visit_int(v, "definition/n_populations", &n_populations, 0, MOST_OBJECTS));
    TRY(visit_int(v, "definition/n_projections", &n_projections, 0, MOST_OBJECTS));
    TRY(visit_int(v, "definition/n_inputs", &n_inputs, 0, MOST_OBJECTS));
    for (int p = 0; p < n_populations; p++) TRY(visit_population(v, d, p));
    for (int k = 0; k < n_projections; k++) TRY(visit_projection(v, d, k));
    for (int i = 0; i < n_inputs; i++) TRY(visit_input(v, d, i));
    return RV_OK;
}
