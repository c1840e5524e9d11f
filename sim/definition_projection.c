/* Projections: what a connection definition may say, and the copy of it that is kept. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/connect.h"
#include "sim/convolution.h"
#include "sim/definition.h"
#include "sim/epoch.h"
#include "sim/error.h"
#include "sim/tables.h"
#include "sim/value.h"

enum { WHAT_TEXT = OBJECT_TEXT + 40 };
#define MAX_TOTAL ((int64_t)1 << 40) /* synapses of a projection: more fit no machine */

const char *const connect_rule_names[N_CONNECT_RULES] = {
    [CONNECT_ALL_TO_ALL] = "all_to_all",
    [CONNECT_ONE_TO_ONE] = "one_to_one",
    [CONNECT_FIXED_INDEGREE] = "fixed_indegree",
    [CONNECT_FIXED_OUTDEGREE] = "fixed_outdegree",
    [CONNECT_FIXED_TOTAL] = "fixed_total_number",
    [CONNECT_BERNOULLI] = "pairwise_bernoulli",
    [CONNECT_POISSON] = "pairwise_poisson",
    [CONNECT_LIST] = "list",
    [CONNECT_CONVOLUTION] = "convolution",
};

const char *definition_projection_label(const definition *d, const projection_def *p, char text[OBJECT_TEXT])
{
    snprintf(text, OBJECT_TEXT, "projection \"%s\" -> \"%s\"", d->population[p->source.population].name,
             d->population[p->target.population].name);
    return text;
}

/* What all checks of one projection speak about. */
typedef struct checked {
    const definition *d;
    projection_def   *p;
    char              object[OBJECT_TEXT];
    rv_error         *error;
} checked;

static rv_status out_of_range(const checked *c, const char *field, int64_t x, int64_t high, const char *why)
{
    return error_set(c->error, RV_OUT_OF_RANGE, "%s: %s = %lld, allowed 0 to %lld%s", c->object, field, (long long)x,
                     (long long)high, why);
}

/* ---- how many partners and pairs there are --------------------------------------------------------------------- */

/* Neurons that two ranges of one population share. */
static int64_t count_common(const neuron_range *a, const neuron_range *b)
{
    int64_t common = 0;
    for (int64_t i = 0; i < a->count; i++) common += range_index(b, range_neuron(a, i)) >= 0;
    return common;
}

/* How many synapses of a neuron with itself the slices of a projection allow for (one_to_one: in equal places). */
static int64_t n_autapses(const projection_def *p)
{
    if (p->source.population != p->target.population) return 0;
    if (p->rule != CONNECT_ONE_TO_ONE) return count_common(&p->source, &p->target);
    int64_t n = 0;
    for (int64_t i = 0; i < p->source.count; i++) n += range_neuron(&p->source, i) == range_neuron(&p->target, i);
    return n;
}

/* Pairs a synapse may have. */
static int64_t count_pairs(const projection_def *p)
{
    int64_t all = p->rule == CONNECT_ONE_TO_ONE ? p->source.count : p->source.count * p->target.count;
    return projection_excludes_autapses(p) ? all - n_autapses(p) : all;
}

/* Partners that every driving neuron has: one less if it is itself among them and must not be. */
static int64_t fewest_partners(const projection_def *p, const neuron_range *partners, const neuron_range *drivers)
{
    bool one_less = projection_excludes_autapses(p) && count_common(drivers, partners) > 0;
    return partners->count - one_less;
}

/* ---- rules ----------------------------------------------------------------------------------------------------- */

static rv_status check_degree(const checked *c, const char *field, const neuron_range *partners,
                              const neuron_range *drivers)
{
    const projection_def *p = c->p;
    int64_t               there = fewest_partners(p, partners, drivers), high = p->multapses ? INT32_MAX : there;
    const char           *why = p->multapses ? "" : " without multapses";
    if (there <= 0) high = 0, why = ": there are no partners";
    if (drivers->count == 0) return RV_OK;
    return p->degree >= 0 && p->degree <= high ? RV_OK : out_of_range(c, field, p->degree, high, why);
}

static rv_status check_total(const checked *c)
{
    const projection_def *p = c->p;
    int64_t               pairs = count_pairs(p), high = p->multapses ? MAX_TOTAL : pairs;
    const char           *why = p->multapses ? "" : " without multapses";
    if (high > MAX_TOTAL) high = MAX_TOTAL;
    if (pairs == 0) high = 0, why = ": there are no pairs";
    return p->total >= 0 && p->total <= high ? RV_OK : out_of_range(c, "total", p->total, high, why);
}

static rv_status take_probability(const checked *c, const rv_value *value)
{
    char what[WHAT_TEXT];
    snprintf(what, sizeof what, "%s: p", c->object);
    projection_def *p = c->p;
    if (value->kind != RV_NUMBER && !value_needs_distance(value))
        return error_set(c->error, RV_WRONG_SHAPE, "%s takes a number or a function of distance", what);
    double high = 1;
    if (p->rule == CONNECT_POISSON) {
        if (!p->multapses)
            return error_set(c->error, RV_CONFLICT, "%s: pairwise_poisson makes multapses, they cannot be excluded",
                             c->object);
        high = fmin(MAX_PAIR_MEAN, INT32_MAX / fmax(1, (double)p->source.count)); /* 2^31 synapses of a neuron */
    }
    p->p = *value;
    return value_check(value, 0, high, what, "", c->error);
}

static rv_status check_one_to_one(const checked *c)
{
    const projection_def *p = c->p;
    if (p->source.count == p->target.count) return RV_OK;
    return error_set(c->error, RV_WRONG_SHAPE,
                     "%s: one_to_one with %lld sources and %lld targets, allowed are equal numbers", c->object,
                     (long long)p->source.count, (long long)p->target.count);
}

/* ---- rule list ------------------------------------------------------------------------------------------------- */

static rv_status check_numbers(const checked *c, const char *field, const int64_t *numbers, int64_t count)
{
    for (int64_t k = 0; k < c->p->n_list; k++) {
        if (numbers[k] >= 0 && numbers[k] < count) continue;
        char element[40];
        snprintf(element, sizeof element, "%s[%lld]", field, (long long)k);
        return out_of_range(c, element, numbers[k], count - 1, "");
    }
    return RV_OK;
}

static rv_status check_no_autapse(const checked *c)
{
    const projection_def *p = c->p;
    for (int64_t k = 0; k < p->n_list; k++)
        if (range_neuron(&p->source, p->sources[k]) == range_neuron(&p->target, p->targets[k]))
            return error_set(c->error, RV_CONFLICT, "%s: entry %lld of the list is an autapse, which are excluded",
                             c->object, (long long)k);
    return RV_OK;
}

static int compare_pairs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static rv_status check_no_multapse(const checked *c)
{
    const projection_def *p = c->p;
    uint64_t             *pair = malloc((size_t)(p->n_list + 1) * sizeof *pair);
    if (!pair) return error_memory(c->error, c->object, (double)p->n_list * sizeof *pair);
    for (int64_t k = 0; k < p->n_list; k++) pair[k] = (uint64_t)p->sources[k] << 32 | (uint64_t)p->targets[k];
    qsort(pair, (size_t)p->n_list, sizeof *pair, compare_pairs);
    rv_status status = RV_OK;
    for (int64_t k = 1; k < p->n_list && status == RV_OK; k++)
        if (pair[k] == pair[k - 1])
            status = error_set(c->error, RV_CONFLICT, "%s: the list has %lld -> %lld twice, multapses are excluded",
                               c->object, (long long)(pair[k] >> 32), (long long)(pair[k] & UINT32_MAX));
    free(pair);
    return status;
}

static rv_status copy_numbers(const int64_t *from, int64_t n, int32_t **copy, rv_error *error)
{
    *copy = malloc((size_t)(n + 1) * sizeof **copy);
    if (!*copy) return error_memory(error, "a list of synapses", (double)n * sizeof **copy);
    for (int64_t k = 0; k < n; k++) (*copy)[k] = (int32_t)from[k];
    return RV_OK;
}

static rv_status take_arrays(const checked *c, const rv_connect_def *def)
{
    projection_def *p = c->p;
    if (def->n_list < 0 || def->n_list > MAX_TOTAL || (def->n_list > 0 && (!def->sources || !def->targets)))
        return error_set(c->error, RV_WRONG_SHAPE, "%s: a list of %lld pairs without sources or targets", c->object,
                         (long long)def->n_list);
    p->n_list = def->n_list;
    TRY(check_numbers(c, "sources", def->sources, p->source.count));
    TRY(check_numbers(c, "targets", def->targets, p->target.count));
    TRY(copy_numbers(def->sources, p->n_list, &p->sources, c->error));
    return copy_numbers(def->targets, p->n_list, &p->targets, c->error);
}

static rv_status take_list(const checked *c, const rv_connect_def *def)
{
    const projection_def *p = c->p;
    TRY(def->pairs ? definition_take_pairs(def, c->p, c->object, c->error) : take_arrays(c, def));
    if (projection_excludes_autapses(p)) TRY(check_no_autapse(c));
    return p->multapses ? RV_OK : check_no_multapse(c);
}

/* ---- rule convolution ------------------------------------------------------------------------------------------ */

static rv_status take_convolution(const checked *c, const rv_connect_def *def)
{
    projection_def *p = c->p;
    rv_value        weight = value_is_null(&def->weight) ? rv_number(1) : def->weight;
    TRY(convolution_check(def->convolution, &p->source, &p->target, &weight, c->object, &p->convolution, c->error));
    if (def->no_autapses) return error_set(c->error, RV_CONFLICT, "%s: a convolution has the synapses of its kernel; autapses cannot be excluded", c->object);
    if (!projection_is_compact(p)) return RV_OK;
    if (def->plasticity)
        return error_set(c->error, RV_CONFLICT, "%s: plasticity \"%s\": the synapses of a convolution share their weights; unrolled (compact = false) each has its own", c->object,
                         def->plasticity);
    if (value_is_null(&def->delay) || def->delay.kind == RV_NUMBER) return RV_OK;
    return error_set(c->error, RV_CONFLICT, "%s: delay: a convolution has one; unrolled (compact = false) each synapse has its own", c->object);
}

/* ---- each rule with its fields ----------------------------------------------------------------------------------- */

static rv_status take_rule_fields(const checked *c, const rv_connect_def *def)
{
    const projection_def *p = c->p;
    switch (p->rule) {
    case CONNECT_ONE_TO_ONE: return check_one_to_one(c);
    case CONNECT_FIXED_INDEGREE: return check_degree(c, "indegree", &p->source, &p->target);
    case CONNECT_FIXED_OUTDEGREE: return check_degree(c, "outdegree", &p->target, &p->source);
    case CONNECT_FIXED_TOTAL: return check_total(c);
    case CONNECT_BERNOULLI:
    case CONNECT_POISSON: return take_probability(c, &def->p);
    case CONNECT_LIST: return take_list(c, def);
    case CONNECT_CONVOLUTION: return take_convolution(c, def);
    default: return RV_OK;
    }
}

/* ---- weights and delays ---------------------------------------------------------------------------------------- */

static rv_status check_list_length(const checked *c, const char *field, const rv_value *value)
{
    const projection_def *p = c->p;
    if (value->kind != RV_LIST) return RV_OK;
    if (p->rule != CONNECT_LIST && p->rule != CONNECT_ONE_TO_ONE && p->rule != CONNECT_ALL_TO_ALL)
        return error_set(c->error, RV_CONFLICT, "%s: %s is a list, allowed with list, one_to_one and all_to_all",
                         c->object, field);
    int64_t synapses = p->rule == CONNECT_LIST ? p->n_list : count_pairs(p);
    if (value->n == synapses) return RV_OK;
    return error_set(c->error, RV_WRONG_SHAPE, "%s: %lld values of %s for %lld synapses", c->object,
                     (long long)value->n, field, (long long)synapses);
}

static rv_status take_weight(const checked *c, const rv_value *weight)
{
    char   what[WHAT_TEXT];
    double low = -DBL_MAX, high = DBL_MAX;
    snprintf(what, sizeof what, "%s: weight", c->object);
    if (c->p->plasticity && c->p->plasticity->bounds) c->p->plasticity->bounds(c->p->param, &low, &high);
    if (c->p->rule != CONNECT_CONVOLUTION) TRY(check_list_length(c, "weight", weight)); /* that of the kernel has been checked */
    TRY(value_check(weight, low, high, what, "", c->error));
    if (c->p->synapse && c->p->synapse->whole) TRY(value_check_whole(weight, what, c->error));
    return weight == &c->p->weight ? RV_OK : value_copy(weight, &c->p->weight, c->error);
}

/* A given delay is kept or refused, never rounded silently; drawn ones are rounded to the grid when drawn. */
static rv_status check_on_grid(const checked *c, const char *what, double x)
{
    double h = c->d->resolution, steps = x / h, nearest = rint(steps);
    if (fabs(steps - nearest) <= GRID_TOLERANCE * nearest) return RV_OK;
    double below = floor(steps);
    return error_set(c->error, RV_OUT_OF_RANGE,
                     "%s = %s ms, allowed are multiples of the resolution, %s ms: the nearest are %s and %s ms", what,
                     NUMBER_TEXT(x), NUMBER_TEXT(h), NUMBER_TEXT(below * h), NUMBER_TEXT((below + 1) * h));
}

static rv_status take_delay(const checked *c, const rv_value *delay)
{
    char   what[WHAT_TEXT];
    double h = c->d->resolution;
    bool   grid = c->d->timing == RV_GRID, given = delay->kind == RV_NUMBER || delay->kind == RV_LIST;
    double low = grid && given ? h * (1 - 1e-12) : 0; /* what is drawn below one step is rounded up to it */
    snprintf(what, sizeof what, "%s: delay", c->object);
    TRY(check_list_length(c, "delay", delay));
    TRY(value_check(delay, low, c->p->max_delay * h, what, "ms", c->error));
    if (grid && delay->kind == RV_NUMBER) TRY(check_on_grid(c, what, value_bounded(delay, delay->a)));
    if (grid && delay->kind == RV_LIST)
        for (int64_t k = 0; k < delay->n; k++) TRY(check_on_grid(c, what, value_bounded(delay, delay->list[k])));
    return delay == &c->p->delay ? RV_OK : value_copy(delay, &c->p->delay, c->error);
}

/* ---- plasticity and kinds of synapse ---------------------------------------------------------------------------- */

static rv_status set_param(const checked *c, const rv_field *field, const rv_value *value, double *param)
{
    char what[WHAT_TEXT];
    snprintf(what, sizeof what, "%s: %s", c->object, field->name);
    if (value->kind != RV_NUMBER) return error_set(c->error, RV_WRONG_SHAPE, "%s takes one number", what);
    TRY(value_check(value, field->low, field->high, what, field->unit, c->error));
    *param = value_bounded(value, value->a);
    return RV_OK;
}

static rv_status set_text(const checked *c, const rv_setting *setting, char **text)
{
    if (setting->value.kind != RV_TEXT || !setting->value.text) return error_set(c->error, RV_WRONG_SHAPE, "%s: %s takes a text", c->object, setting->name);
    free(*text);
    *text = strdup(setting->value.text);
    return *text ? RV_OK : error_memory(c->error, c->object, (double)strlen(setting->value.text));
}

/* A setting is the learning rule's, or the kind of synapse's. */
static rv_status take_setting(const checked *c, const rv_setting *setting)
{
    const rv_table *rule = c->p->plasticity ? &c->p->plasticity->table : NULL, *synapse = c->p->synapse ? &c->p->synapse->table : NULL;
    int             k = rule ? table_text(rule, setting->name) : -1;
    if (k >= 0) return set_text(c, setting, &c->p->text[k]);
    k = rule ? table_param(rule, setting->name) : -1;
    if (k >= 0) return set_param(c, &rule->params[k], &setting->value, &c->p->param[k]);
    k = synapse ? table_param(synapse, setting->name) : -1;
    if (k >= 0) return set_param(c, &synapse->params[k], &setting->value, &c->p->synapse_param[k]);
    if (rule || synapse) return table_unknown_param(rule ? rule : synapse, c->object, setting->name, c->error);
    return error_set(c->error, RV_CONFLICT, "%s: %s is given without plasticity; static synapses have no parameters", c->object,
                     setting->name);
}

static rv_status check_synapse(const checked *c)
{
    const projection_def *p = c->p;
    const char           *wrong = p->synapse->check ? p->synapse->check(p->synapse_param) : NULL;
    if (wrong) return error_set(c->error, RV_CONFLICT, "%s: %s", c->object, wrong);
    if (c->d->timing == RV_EXACT)
        return error_set(c->error, RV_CONFLICT, "%s: exact timing: synapse \"%s\" is of a chip that works in steps", c->object, p->synapse->table.name);
    if (!p->plasticity || (p->plasticity->epochs && p->synapse->arithmetic)) return RV_OK;
    return error_set(c->error, RV_CONFLICT, "%s: plasticity \"%s\" does not know synapse \"%s\"", c->object, p->plasticity->table.name,
                     p->synapse->table.name);
}

/* Rules that depend on the membrane potential. */
static rv_status check_voltage(const checked *c)
{
    const population_def *target = &c->d->population[c->p->target.population];
    const char           *rule = c->p->plasticity->table.name;
    if (table_state(&target->model->table, "V_m") < 0)
        return error_set(c->error, RV_CONFLICT, "%s: plasticity \"%s\" depends on the membrane potential, and %s has no V_m", c->object, rule, target->model->table.name);
    if (c->d->timing == RV_GRID) return RV_OK;
    return error_set(c->error, RV_CONFLICT, "%s: exact timing: plasticity \"%s\" needs the membrane potential at every step, and neurons are only visited at events", c->object, rule);
}

static rv_status check_rule(const checked *c)
{
    const projection_def *p = c->p;
    const char           *wrong = p->plasticity->check ? p->plasticity->check(p->param) : NULL;
    epoch_rule           *epochs;
    if (wrong) return error_set(c->error, RV_CONFLICT, "%s: %s", c->object, wrong);
    if (p->plasticity->voltage_change) return check_voltage(c);
    if (!p->plasticity->epochs) return RV_OK;
    if (c->d->timing == RV_EXACT)
        return error_set(c->error, RV_CONFLICT, "%s: exact timing: plasticity \"%s\" works in steps", c->object, p->plasticity->table.name);
    rv_status status = epoch_rule_new(p, c->object, &epochs, c->error);
    epoch_rule_free(epochs);
    return status;
}

static rv_status take_receptor(const checked *c, const rv_connect_def *def)
{
    const rv_model *m = c->d->population[c->p->target.population].model;
    if (def->receptor_type < 0 || def->receptor_type > m->n_receptors)
        return error_set(c->error, RV_OUT_OF_RANGE, "%s: receptor_type = %d, allowed is 0%s%.0d for %s", c->object, def->receptor_type,
                         m->n_receptors ? " to " : "", m->n_receptors, m->table.name);
    if (def->receptor_type > 1 && c->d->timing == RV_EXACT)
        return error_set(c->error, RV_CONFLICT, "%s: receptor_type = %d, exact timing has receptor 1 only", c->object, def->receptor_type);
    if (def->receptor_type > 1 && c->p->synapse)
        return error_set(c->error, RV_CONFLICT, "%s: receptor_type = %d, synapse \"%s\" has receptor 1 only", c->object, def->receptor_type,
                         c->p->synapse->table.name);
    c->p->receptor_type = def->receptor_type;
    return RV_OK;
}

static rv_status take_kinds(const checked *c, const rv_connect_def *def)
{
    projection_def *p = c->p;
    p->max_delay = MAX_DELAY_STEPS;
    if (def->plasticity && !(p->plasticity = rv_rule_find(def->plasticity))) return table_unknown(RV_LEARNING, c->object, def->plasticity, c->error);
    if (def->synapse && !(p->synapse = rv_synapse_find(def->synapse))) return table_unknown(RV_SYNAPSES, c->object, def->synapse, c->error);
    for (int k = 0; p->plasticity && k < p->plasticity->table.n_params; k++) p->param[k] = p->plasticity->table.params[k].standard;
    for (int k = 0; p->synapse && k < p->synapse->table.n_params; k++) p->synapse_param[k] = p->synapse->table.params[k].standard;
    for (int k = 0; k < def->n_settings; k++) TRY(take_setting(c, &def->settings[k]));
    TRY(take_receptor(c, def));
    if (p->synapse) {
        p->max_delay = (double)p->synapse->max_delay;
        TRY(check_synapse(c));
    }
    return p->plasticity ? check_rule(c) : RV_OK;
}

/* ---- all together ---------------------------------------------------------------------------------------------- */

static rv_status take_rule(const checked *c, const rv_connect_def *def)
{
    int k = 0;
    while (k < N_CONNECT_RULES && (!def->rule || strcmp(connect_rule_names[k], def->rule) != 0)) k++;
    if (k == N_CONNECT_RULES)
        return error_unknown(c->error, c->object, "connection rule", def->rule, connect_rule_names, N_CONNECT_RULES);
    projection_def *p = c->p;
    p->rule = (connect_rule)k;
    p->degree = def->degree;
    p->total = def->total;
    p->autapses = !def->no_autapses;
    p->multapses = !def->no_multapses;
    return take_rule_fields(c, def);
}

static rv_status check_target(const checked *c)
{
    const rv_model *m = c->d->population[c->p->target.population].model;
    return m->emit ? error_set(c->error, RV_CONFLICT, "%s: %s takes no input", c->object, m->table.name) : RV_OK;
}

static rv_status take(definition *d, const rv_connect_def *def, projection_def *p, rv_error *error)
{
    checked c = { .d = d, .p = p, .error = error };
    TRY(definition_range(d, def->source, &p->source, error));
    TRY(definition_range(d, def->target, &p->target, error));
    definition_projection_label(d, p, c.object);
    TRY(check_target(&c));
    rv_value weight = value_is_null(&def->weight) ? rv_number(1) : def->weight;
    rv_value delay = value_is_null(&def->delay) ? rv_number(1) : def->delay;
    TRY(take_rule(&c, def));
    TRY(take_kinds(&c, def));
    TRY(take_weight(&c, value_is_null(&p->weight) ? &weight : &p->weight)); /* those that came with the pairs are there already */
    return take_delay(&c, value_is_null(&p->delay) ? &delay : &p->delay);
}

rv_status definition_add_projection(definition *d, const rv_connect_def *def, rv_error *error)
{
    projection_def *grown = realloc(d->projection, (size_t)(d->n_projections + 1) * sizeof *grown);
    if (!grown) return error_memory(error, "a projection", sizeof *grown);
    d->projection = grown;
    projection_def p = { 0 };
    rv_status      status = take(d, def, &p, error);
    if (status == RV_OK) d->projection[d->n_projections++] = p;
    else definition_projection_free(&p);
    return status;
}
