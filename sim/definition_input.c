/* Inputs: the table of their kinds, and how one is checked and kept. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/definition.h"
#include "sim/error.h"
#include "sim/tables.h"
#include "sim/value.h"

#define START_AND_STOP                                                                                                 \
    [INPUT_START] = { "start", "ms", 0, 0, INFINITY, "when it begins" },                                               \
    [INPUT_STOP] = { "stop", "ms", INFINITY, 0, INFINITY, "when it ends" }
#define N_FIELDS(fields) (int)(sizeof fields / sizeof fields[0])
#define CURRENT -1e12, 1e12

static const rv_field poisson_fields[] = {
    START_AND_STOP,
    [POISSON_RATE] = { "rate", "Hz", 0, 0, 1e9, "of the spikes of each neuron" },
    [POISSON_WEIGHT] = { "weight", "weight", 1, CURRENT, "of each spike, in the model's unit of weights" },
};

static const rv_field dc_fields[] = {
    START_AND_STOP,
    [DC_AMPLITUDE] = { "amplitude", "pA", 0, CURRENT, "of the current" },
};

static const rv_field step_fields[] = {
    START_AND_STOP,
    [STEP_TIMES] = { "times", "ms", 0, 0, 1e15, "list: when the current changes, ascending" },
    [STEP_AMPLITUDES] = { "amplitudes", "pA", 0, CURRENT, "list: the current from then on" },
};

static const rv_field sine_fields[] = {
    START_AND_STOP,
    [SINE_AMPLITUDE] = { "amplitude", "pA", 0, CURRENT, "of the oscillation" },
    [SINE_OFFSET] = { "offset", "pA", 0, CURRENT, "constant part" },
    [SINE_FREQUENCY] = { "frequency", "Hz", 0, 0, 1e9, "of the oscillation" },
    [SINE_PHASE] = { "phase", "degrees", 0, -1e6, 1e6, "at time 0" },
};

static const rv_field noise_fields[] = {
    START_AND_STOP,
    [NOISE_MEAN] = { "mean", "pA", 0, CURRENT, "of the current" },
    [NOISE_STD] = { "std", "pA", 0, 0, 1e12, "standard deviation of the current" },
    [NOISE_DT] = { "dt", "ms", 1, 1e-6, 1e9, "how long each drawn current lasts; a multiple of the resolution" },
};

static const rv_field inhomogeneous_fields[] = {
    START_AND_STOP,
    [RATE_VALUES] = { "rate_values", "Hz", 0, 0, 1e9, "list: the rate from then on" },
    [POISSON_WEIGHT] = { "weight", "weight", 1, CURRENT, "of each spike, in the model's unit of weights" },
    [RATE_TIMES] = { "rate_times", "ms", 0, 0, 1e15, "list: when the rate changes, ascending" },
};

static const rv_field renewal_fields[] = {
    START_AND_STOP,
    [POISSON_RATE] = { "rate", "Hz", 0, 0, 1e9, "of the spikes of each neuron" },
    [POISSON_WEIGHT] = { "weight", "weight", 1, CURRENT, "of each spike, in the model's unit of weights" },
    [RENEWAL_SHAPE] = { "shape", "1", 1, 1e-3, 1e6, "of the gamma distribution; 1: exponential" },
    [RENEWAL_DEAD_TIME] = { "dead_time", "ms", 0, 0, 1e9, "no interval is shorter; below 1000 / rate" },
};

const rv_table input_tables[N_INPUT_KINDS] = {
    [INPUT_POISSON] = { .kind = RV_INPUTS, .name = "poisson", .summary = "independent Poisson spikes for every neuron",
                        .equations = "spikes per step ~ Poisson(rate dt), each adds weight",
                        .reference = "poisson_generator in NEST, where every target gets a train of its own; for one train to all targets give it to "
                                     "a parrot_neuron, or use the model poisson_generator",
                        .params = poisson_fields, .n_params = N_FIELDS(poisson_fields) },
    [INPUT_DC] = { .kind = RV_INPUTS, .name = "dc", .summary = "a constant current", .equations = "I(t) = amplitude",
                   .reference = "dc_generator in NEST",
                   .params = dc_fields, .n_params = N_FIELDS(dc_fields) },
    [INPUT_STEP] = { .kind = RV_INPUTS, .name = "step", .summary = "a current that changes in steps",
                     .equations = "I(t) = amplitudes[k] for times[k] <= t < times[k + 1], 0 before times[0]",
                     .reference = "step_current_generator in NEST (amplitude_times, amplitude_values)",
                     .params = step_fields, .n_params = N_FIELDS(step_fields) },
    [INPUT_SINE] = { .kind = RV_INPUTS, .name = "sine", .summary = "a sinusoidal current",
                     .equations = "I(t) = offset + amplitude sin(2 pi frequency t + phase), constant during a step: its value at the beginning, in\n"
                                  "exact timing too",
                     .reference = "ac_generator in NEST",
                     .params = sine_fields, .n_params = N_FIELDS(sine_fields) },
    [INPUT_NOISE] = { .kind = RV_INPUTS, .name = "noise", .summary = "independent Gaussian currents for every neuron",
                      .equations = "I(t) = mean + std N(0, 1), drawn again every dt",
                      .reference = "noise_generator in NEST",
                      .params = noise_fields, .n_params = N_FIELDS(noise_fields) },
    [INPUT_INHOMOGENEOUS] = { .kind = RV_INPUTS, .name = "inhomogeneous_poisson",
                              .summary = "independent Poisson spikes for every neuron, with a rate that changes in steps",
                              .equations = "rate(t) = rate_values[k] for rate_times[k] <= t < rate_times[k + 1], 0 before rate_times[0]",
                              .reference = "Cinlar 1975, Introduction to Stochastic Processes, chapter 4; inhomogeneous_poisson_generator in NEST",
                              .params = inhomogeneous_fields, .n_params = N_FIELDS(inhomogeneous_fields) },
    [INPUT_RENEWAL] = { .kind = RV_INPUTS, .name = "renewal", .summary = "independent spikes for every neuron, more or less regular",
                        .equations = "intervals = dead_time + gamma(shape), mean 1000 / rate (ms); stationary from start on\n"
                                     "CV = (1 - dead_time rate / 1000) / sqrt(shape)",
                        .reference = "Cox 1962, Renewal Theory; gamma_sup_generator (n_proc = 1) and ppd_sup_generator (n_proc = 1) in NEST",
                        .params = renewal_fields, .n_params = N_FIELDS(renewal_fields) },
};

/* ---- one parameter --------------------------------------------------------------------------------------------- */

/* `poisson input to "E"` */
static const char *label(const definition *d, const input_def *in, char text[OBJECT_TEXT])
{
    snprintf(text, OBJECT_TEXT, "%s input to \"%s\"", input_tables[in->kind].name,
             d->population[in->target.population].name);
    return text;
}

static void input_free(input_def *in)
{
    free(in->times);
    free(in->amplitudes);
}

static bool is_times(const input_def *in, int k)
{
    return (in->kind == INPUT_STEP && k == STEP_TIMES) || (in->kind == INPUT_INHOMOGENEOUS && k == RATE_TIMES);
}

static double **list_of(input_def *in, int k) { return is_times(in, k) ? &in->times : &in->amplitudes; }

/* Keeps a list (or one number) of a step current or a rate; its length is checked when both lists are there. */
static rv_status set_list(input_def *in, int k, const rv_value *value, const char *what, rv_error *error)
{
    int64_t n = value->kind == RV_LIST ? value->n : 1;
    double *copy = malloc((size_t)(n ? n : 1) * sizeof *copy);
    if (!copy) return error_memory(error, what, (double)n * sizeof *copy);
    for (int64_t i = 0; i < n; i++) copy[i] = value_bounded(value, value->kind == RV_LIST ? value->list[i] : value->a);
    free(*list_of(in, k));
    *list_of(in, k) = copy;
    return RV_OK;
}

static bool is_list(const input_def *in, int k)
{
    return is_times(in, k) || (in->kind == INPUT_STEP && k == STEP_AMPLITUDES) || (in->kind == INPUT_INHOMOGENEOUS && k == RATE_VALUES);
}

double **definition_input_list(input_def *in, int k) { return is_list(in, k) ? list_of(in, k) : NULL; }

/* @param length of the list if it is one */
static rv_status set_param(input_def *in, const char *object, const char *name, const rv_value *value, int64_t *length,
                           rv_error *error)
{
    const rv_table *table = &input_tables[in->kind];
    int             k = table_param(table, name);
    if (k < 0) return table_unknown_param(table, object, name, error);
    const rv_field *field = &table->params[k];
    char            what[OBJECT_TEXT + 40];
    snprintf(what, sizeof what, "%s: %s", object, field->name);
    if (value->kind != RV_NUMBER && !(is_list(in, k) && value->kind == RV_LIST))
        return error_set(error, RV_WRONG_SHAPE, "%s takes %s", what,
                         is_list(in, k) ? "a list of numbers" : "one number");
    TRY(value_check(value, field->low, field->high, what, field->unit, error));
    *length = value->kind == RV_LIST ? value->n : 1;
    if (is_list(in, k)) return set_list(in, k, value, what, error);
    in->param[k] = value_bounded(value, value->a);
    return RV_OK;
}

/* ---- the parameters together ----------------------------------------------------------------------------------- */

static rv_status check_times(const input_def *in, const char *object, rv_error *error)
{
    for (int64_t k = 1; k < in->n_steps; k++)
        if (in->times[k] <= in->times[k - 1])
            return error_set(error, RV_CONFLICT, "%s: %stimes[%lld] = %s ms after %s ms, allowed are ascending times",
                             object, in->kind == INPUT_STEP ? "" : "rate_", (long long)k, NUMBER_TEXT(in->times[k]), NUMBER_TEXT(in->times[k - 1]));
    return RV_OK;
}

static rv_status check_redraw_interval(const definition *d, const input_def *in, const char *object, rv_error *error)
{
    double steps = in->param[NOISE_DT] / d->resolution, nearest = rint(steps);
    if (nearest >= 1 && fabs(steps - nearest) <= GRID_TOLERANCE * nearest) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "%s: dt = %s ms, allowed are multiples of the resolution, %s ms", object,
                     NUMBER_TEXT(in->param[NOISE_DT]), NUMBER_TEXT(d->resolution));
}

/* Generators take no input, and what only counts spikes takes no currents. */
static rv_status check_target(const definition *d, const input_def *in, const char *object, rv_error *error)
{
    const rv_model *m = d->population[in->target.population].model;
    if (m->emit) return error_set(error, RV_CONFLICT, "%s: %s takes no input", object, m->table.name);
    if ((m->counts_spikes || m->spikes_only) && !input_is_spikes(in->kind))
        return error_set(error, RV_CONFLICT, "%s: %s takes spikes only, no currents", object, m->table.name);
    return RV_OK;
}

static rv_status check_together(const definition *d, const input_def *in, const char *object, rv_error *error)
{
    TRY(check_target(d, in, object, error));
    if (in->param[INPUT_STOP] < in->param[INPUT_START])
        return error_set(error, RV_CONFLICT, "%s: stop = %s ms, allowed not before start = %s ms", object,
                         NUMBER_TEXT(in->param[INPUT_STOP]), NUMBER_TEXT(in->param[INPUT_START]));
    if (in->kind == INPUT_STEP || in->kind == INPUT_INHOMOGENEOUS) return check_times(in, object, error);
    if (in->kind == INPUT_RENEWAL && in->param[RENEWAL_DEAD_TIME] * in->param[POISSON_RATE] >= 1000)
        return error_set(error, RV_CONFLICT, "%s: dead_time = %s ms, allowed is less than 1000 / rate, %s ms", object,
                         NUMBER_TEXT(in->param[RENEWAL_DEAD_TIME]), NUMBER_TEXT(1000 / in->param[POISSON_RATE]));
    if (in->kind == INPUT_NOISE) return check_redraw_interval(d, in, object, error);
    return RV_OK;
}

static rv_status fill_input(const definition *d, const rv_setting *settings, int n, input_def *in, rv_error *error)
{
    char    text[OBJECT_TEXT];
    int64_t length = 0, n_times = 0, n_amplitudes = 0;
    label(d, in, text);
    for (int k = 0; k < n; k++) {
        TRY(set_param(in, text, settings[k].name, &settings[k].value, &length, error));
        int param = table_param(&input_tables[in->kind], settings[k].name);
        if (is_list(in, param)) *(is_times(in, param) ? &n_times : &n_amplitudes) = length;
    }
    if (n_times != n_amplitudes)
        return error_set(error, RV_WRONG_SHAPE, "%s: %lld times and %lld %s, allowed are equal numbers", text,
                         (long long)n_times, (long long)n_amplitudes, in->kind == INPUT_STEP ? "amplitudes" : "rates");
    in->n_steps = n_times;
    return check_together(d, in, text, error);
}

rv_status definition_add_input(definition *d, const neuron_range *target, const char *kind, const rv_setting *settings,
                               int n_settings, rv_error *error)
{
    char object[OBJECT_TEXT];
    snprintf(object, sizeof object, "input to \"%s\"", d->population[target->population].name);
    int found = 0;
    while (found < N_INPUT_KINDS && (!kind || strcmp(input_tables[found].name, kind) != 0)) found++;
    if (found == N_INPUT_KINDS) return table_unknown(RV_INPUTS, object, kind, error);

    input_def *grown = realloc(d->input, (size_t)(d->n_inputs + 1) * sizeof *grown);
    if (!grown) return error_memory(error, object, sizeof *grown);
    d->input = grown;
    input_def in = { .target = *target, .kind = (input_kind)found };
    for (int k = 0; k < input_tables[found].n_params; k++) in.param[k] = input_tables[found].params[k].standard;
    rv_status status = fill_input(d, settings, n_settings, &in, error);
    if (status == RV_OK) d->input[d->n_inputs++] = in;
    else input_free(&in);
    return status;
}

static rv_status check_length(const input_def *in, const char *object, const char *name, int64_t length,
                              rv_error *error)
{
    if (length == in->n_steps) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "%s: %s has %lld values, allowed %lld as before", object, name,
                     (long long)length, (long long)in->n_steps);
}

/* Works on a copy, so that a refused value leaves the input as it was. */
rv_status definition_set_input(definition *d, int input, const char *name, rv_value value, rv_error *error)
{
    input_def *in = &d->input[input], changed = *in;
    char       text[OBJECT_TEXT];
    int64_t    length = 0;
    int        k = table_param(&input_tables[in->kind], name);
    bool       list = is_list(in, k);
    label(d, in, text);
    if (list) *list_of(&changed, k) = NULL;
    rv_status status = set_param(&changed, text, name, &value, &length, error);
    if (status == RV_OK && list) status = check_length(in, text, name, length, error);
    if (status == RV_OK) status = check_together(d, &changed, text, error);
    if (list) free(*list_of(status == RV_OK ? in : &changed, k));
    if (status == RV_OK) *in = changed;
    return status;
}
