/* Populations and their values; projections and inputs are in definition_projection.c and definition_input.c. */
#include "sim/definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/tables.h"
#include "sim/value.h"

enum { MAX_NAME = 100, FIELD_TEXT = 300 };

/* ---- freeing --------------------------------------------------------------------------------------------------- */

static void population_free(population_def *p)
{
    for (int k = 0; k < RV_MAX_PARAMS; k++) free(p->param[k].list);
    for (int k = 0; k < RV_MAX_STATES; k++) free(p->initial[k].list);
    for (int64_t i = 0; p->spike_times && i < p->n; i++) free(p->spike_times[i]);
    free(p->spike_times);
    for (int64_t i = 0; p->payloads && i < p->n; i++) free(p->payloads[i]);
    free(p->payloads);
    free(p->n_spike_times);
    free(p->xyz);
    free(p->name);
}

void definition_projection_free(projection_def *p)
{
    value_free(&p->p);
    value_free(&p->weight);
    value_free(&p->delay);
    free(p->sources);
    free(p->targets);
    for (int k = 0; k < RV_MAX_TEXTS; k++) free(p->text[k]);
}

void definition_free(definition *d)
{
    for (int k = 0; k < d->n_populations; k++) population_free(&d->population[k]);
    for (int k = 0; k < d->n_projections; k++) definition_projection_free(&d->projection[k]);
    for (int k = 0; k < d->n_inputs; k++) free(d->input[k].times), free(d->input[k].amplitudes);
    free(d->population);
    free(d->projection);
    free(d->input);
    *d = (definition){ 0 };
}

/* ---- populations ----------------------------------------------------------------------------------------------- */

/* Names are keys in files and words in sentences: no slash (HDF5), nothing invisible. */
static rv_status check_name(const definition *d, const char *name, rv_error *error)
{
    size_t length = name ? strlen(name) : 0;
    if (length < 1 || length > MAX_NAME)
        return error_set(error, RV_OUT_OF_RANGE, "population \"%.20s%s\": a name of %zu characters, allowed 1 to %d",
                         name ? name : "", length > 20 ? "..." : "", length, MAX_NAME);
    for (const char *c = name; *c; c++)
        if (*c == '/' || *c == '"' || (unsigned char)*c < ' ')
            return error_set(error, RV_OUT_OF_RANGE,
                             "population \"%s\": a name must not contain slashes, quotes or control characters", name);
    if (strcmp(name, ".") == 0) return error_set(error, RV_OUT_OF_RANGE, "population \".\": a name must not be a dot");
    for (int k = 0; k < d->n_populations; k++)
        if (strcmp(d->population[k].name, name) == 0)
            return error_set(error, RV_CONFLICT, "population \"%s\": there is one of this name already", name);
    return RV_OK;
}

rv_status definition_add_population(definition *d, const char *name, int64_t n, const char *model, rv_error *error)
{
    TRY(check_name(d, name, error));
    char object[OBJECT_TEXT];
    snprintf(object, sizeof object, "population \"%s\"", name);
    const rv_model *found = rv_model_find(model);
    if (!found) return table_unknown(RV_NEURONS, object, model, error);
    int64_t room = MAX_NEURONS - d->n_neurons;
    if (n < 1 || n > room)
        return error_set(error, RV_OUT_OF_RANGE, "%s: n = %lld neurons, allowed 1 to %lld%s", object, (long long)n,
                         (long long)room, d->n_neurons ? " beside those there are" : "");

    population_def *grown = realloc(d->population, (size_t)(d->n_populations + 1) * sizeof *grown);
    if (!grown) return error_memory(error, object, sizeof *grown);
    d->population = grown;
    population_def p = { .name = strdup(name), .model = found, .n = n, .first_id = d->n_neurons,
                         .graded = found->carries && !found->emit };
    if (!p.name) return error_memory(error, object, (double)strlen(name));
    for (int k = 0; k < found->table.n_params; k++) p.param[k].value = found->table.params[k].standard;
    for (int k = 0; k < found->table.n_states; k++) p.initial[k].value = found->table.states[k].standard;
    d->population[d->n_populations++] = p;
    d->n_neurons += n;
    return RV_OK;
}

void definition_neuron_params(const population_def *population, int64_t neuron, double *p)
{
    for (int k = 0; k < population->model->table.n_params; k++) p[k] = neuron_value(&population->param[k], neuron);
}

/* ---- ranges ---------------------------------------------------------------------------------------------------- */

rv_status definition_range(const definition *d, rv_slice slice, neuron_range *range, rv_error *error)
{
    if (slice.population.id < 1 || slice.population.id > d->n_populations)
        return error_set(error, RV_UNKNOWN_NAME, "no population with handle %d, there are %d", (int)slice.population.id,
                         d->n_populations);
    const population_def *p = &d->population[slice.population.id - 1];
    int64_t               stride = slice.stride == 0 ? 1 : slice.stride;
    if (stride < 1)
        return error_set(error, RV_OUT_OF_RANGE, "slice of population \"%s\": stride = %lld, allowed 1 or more",
                         p->name, (long long)stride);
    if (slice.first < 0 || slice.first > p->n)
        return error_set(error, RV_WRONG_SHAPE, "slice of population \"%s\": first = %lld, allowed 0 to %lld", p->name,
                         (long long)slice.first, (long long)p->n - 1);
    int64_t there = slice.first == p->n ? 0 : (p->n - 1 - slice.first) / stride + 1;
    int64_t count = slice.count == -1 ? there : slice.count;
    if (count < 0 || count > there)
        return error_set(
            error, RV_WRONG_SHAPE, "slice of population \"%s\": count = %lld, allowed 0 to %lld from %lld on%s",
            p->name, (long long)count, (long long)there, (long long)slice.first, stride > 1 ? " with this stride" : "");
    *range = (neuron_range){ slice.population.id - 1, slice.first, count, stride };
    return RV_OK;
}

/* ---- values of neurons ----------------------------------------------------------------------------------------- */

static rv_status check_values(const neuron_range *range, const rv_field *field, const rv_value *value, const char *what,
                              rv_error *error)
{
    if (value_needs_distance(value))
        return error_set(error, RV_CONFLICT, "%s: functions of distance are for synapses, neurons have none", what);
    if (value->kind == RV_LIST && value->n != range->count)
        return error_set(error, RV_WRONG_SHAPE, "%s: %lld values for %lld neurons", what, (long long)value->n,
                         (long long)range->count);
    return value_check(value, field->low, field->high, what, field->unit, error);
}

/* Fills the range's places of list. Every neuron draws from its own stream: the same whatever else is drawn. */
static rv_status fill_values(const definition *d, const neuron_range *range, const rv_field *field, uint32_t stream,
                             const rv_value *value, const char *what, double *list, rv_error *error)
{
    for (int64_t k = 0; k < range->count; k++) {
        int64_t neuron = range_neuron(range, k);
        if (!value_is_random(value)) {
            list[neuron] = value_bounded(value, value->kind == RV_LIST ? value->list[k] : value->a);
            continue;
        }
        rv_random random = random_stream(d->seed, RANDOM_PARAMETER, (uint32_t)range->population,
                                         (uint64_t)stream << 40 | (uint64_t)neuron);
        gsl_rng   rng = random_gsl(&random);
        double    x = value_draw(value, &rng, 0);
        if (!(x >= field->low && x <= field->high)) {
            char drawn[FIELD_TEXT + 40];
            snprintf(drawn, sizeof drawn, "%s drawn for neuron %lld", what, (long long)neuron);
            return value_out_of_range(drawn, x, field->unit, field->low, field->high, error);
        }
        list[neuron] = x;
    }
    return RV_OK;
}

rv_status definition_set_values(const definition *d, const neuron_range *range, const rv_field *field, uint32_t stream,
                                rv_value value, neuron_values *v, rv_error *error)
{
    const population_def *population = &d->population[range->population];
    char                  what[FIELD_TEXT];
    snprintf(what, sizeof what, "population \"%s\": %s", population->name, field->name);
    TRY(check_values(range, field, &value, what, error));

    if (value.kind == RV_NUMBER && range->count == population->n) {
        free(v->list);
        *v = (neuron_values){ .value = value_bounded(&value, value.a) };
        return RV_OK;
    }
    double *list = malloc((size_t)population->n * sizeof *list);
    if (!list) return error_memory(error, what, (double)population->n * sizeof *list);
    for (int64_t i = 0; i < population->n; i++) list[i] = neuron_value(v, i);
    rv_status status = fill_values(d, range, field, stream, &value, what, list, error);
    if (status != RV_OK) {
        free(list);
        return status;
    }
    free(v->list);
    v->list = list;
    return RV_OK;
}
