#include "hw/export_net.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"

/* ---- reading ------------------------------------------------------------------------------------------------- */

static rv_status check_population(const export_net *e, const char *format, int k, rv_error *error)
{
    const input_def *input = NULL;
    for (int i = 0; i < e->def->n_inputs; i++)
        if (e->def->input[i].target.population == k) input = &e->def->input[i];
    if (!input || !format) return RV_OK;
    return error_set(error, RV_CONFLICT, "%s has an input of kind \"%s\", but %s files hold spikes only: give it a population of generators", export_population_name(e, k),
                     input_tables[input->kind].name, format);
}

static rv_status check_projection(const export_net *e, const char *format, const projection_def *p, bool learning, rv_error *error)
{
    char text[OBJECT_TEXT];
    if (!p->plasticity) return RV_OK;
    definition_projection_label(e->def, p, text);
    if (learning && p->plasticity->epochs && p->synapse && p->synapse->arithmetic) return RV_OK;
    if (learning)
        return error_set(error, RV_CONFLICT, "%s: the rule %s is not in a chip's integers, which alone %s files hold: quantise the network, or connect with loihi_rule, stdp_loihi or rstdp_loihi with synapse = \"loihi\"", text,
                         p->plasticity->table.name, format);
    return error_set(error, RV_CONFLICT, "%s: %s files hold no learning rule (%s); quantise with the option freeze, or connect it without plasticity, with the weights learnt",
                     text, format, p->plasticity->table.name);
}

static rv_status allocate(export_synapses *s, rv_error *error)
{
    size_t n = (size_t)s->n + 1;
    s->from = malloc(n * sizeof *s->from), s->to = malloc(n * sizeof *s->to);
    s->weight = malloc(n * sizeof *s->weight), s->delay = malloc(n * sizeof *s->delay);
    return s->from && s->to && s->weight && s->delay ? RV_OK : error_memory(error, "synapses", (double)n * 32);
}

static void describe(const export_net *e, int k, export_synapses *s)
{
    const projection_def *p = &e->def->projection[k];
    const bundle         *b = &e->net->net->bundle[network_bundle_of(e->net->net, k)];
    *s = (export_synapses){ .source = p->source.population, .target = p->target.population, .kind = p->synapse, .factor = b->factor,
                            .summed = b->summed, .graded = b->graded };
    if (p->synapse) memcpy(s->param, b->synapse_param, sizeof s->param);
    if (!p->plasticity) return;
    export_rule *rule = &e->rule[k];
    rule->rule = p->plasticity;
    memcpy(rule->param, p->param, sizeof rule->param), memcpy(rule->text, p->text, sizeof rule->text);
    s->learning = rule;
}

/* Places of a kernel that weigh nothing need no synapse on a chip, see hw/graph_net.c. */
static void leave_out_nothing(export_synapses *s)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < s->n; k++) {
        s->from[kept] = s->from[k], s->to[kept] = s->to[k], s->weight[kept] = s->weight[k], s->delay[kept] = s->delay[k];
        kept += s->weight[k] != 0;
    }
    s->n = kept;
}

static rv_status read_projection(const export_net *e, int k, export_synapses *s, rv_error *error)
{
    rv_projection handle = { k + 1 };
    double       *delay_ms = NULL;
    describe(e, k, s);
    rv_status status = rv_synapse_count(e->net, handle, &s->n);
    if (status == RV_OK) status = allocate(s, error);
    else error_set(error, status, "%s", rv_net_error(e->net)->text);
    if (status == RV_OK && !(delay_ms = malloc((size_t)(s->n + 1) * sizeof *delay_ms))) status = error_memory(error, "delays", (double)s->n * 8);
    if (status == RV_OK && (status = rv_synapses(e->net, handle, s->from, s->to, s->weight, delay_ms)) != RV_OK)
        error_set(error, status, "%s", rv_net_error(e->net)->text);
    for (int64_t i = 0; i < s->n && status == RV_OK; i++) s->delay[i] = (int64_t)rint(delay_ms[i] / e->def->resolution);
    free(delay_ms);
    if (status == RV_OK && projection_is_compact(&e->def->projection[k])) leave_out_nothing(s);
    return status;
}

static rv_status read_net(export_net *e, const char *format, bool learning, rv_error *error)
{
    if (rv_net_timing(e->net) == RV_EXACT) return error_set(error, RV_CONFLICT, "a network in exact timing cannot be a %s file: chips step on a grid; use timing = \"grid\"", format);
    for (int k = 0; k < e->def->n_populations; k++) TRY(check_population(e, format, k, error));
    for (int k = 0; k < e->def->n_projections; k++) TRY(check_projection(e, format, &e->def->projection[k], learning, error));
    if (rv_compile(e->net) != RV_OK) return error_set(error, rv_net_error(e->net)->status, "%s", rv_net_error(e->net)->text);
    e->projection = calloc((size_t)e->def->n_projections + 1, sizeof *e->projection);
    e->rule = calloc((size_t)e->def->n_projections + 1, sizeof *e->rule);
    if (!e->projection || !e->rule) return error_memory(error, "projections", (double)e->def->n_projections * sizeof *e->projection);
    for (e->n_projections = 0; e->n_projections < e->def->n_projections;) {
        int k = e->n_projections++; /* counted first, so that it is freed */
        TRY(read_projection(e, k, &e->projection[k], error));
    }
    return RV_OK;
}

static rv_status open_net(rv_net *net, const char *format, bool learning, export_net *e, rv_error *error)
{
    *e = (export_net){ .net = net, .def = &net->def };
    rv_status status = read_net(e, format, learning, error);
    if (status != RV_OK) export_net_close(e);
    return status;
}

rv_status export_net_open(rv_net *net, const char *format, export_net *e, rv_error *error) { return open_net(net, format, false, e, error); }
rv_status export_net_open_learning(rv_net *net, const char *format, export_net *e, rv_error *error) { return open_net(net, format, true, e, error); }

bool export_learns(const rv_net *net)
{
    bool learns = false;
    for (int k = 0; k < net->def.n_projections; k++) learns |= net->def.projection[k].plasticity != NULL;
    return learns;
}

void export_net_close(export_net *e)
{
    for (int k = 0; k < e->n_projections; k++) {
        free(e->projection[k].from), free(e->projection[k].to);
        free(e->projection[k].weight), free(e->projection[k].delay);
    }
    free(e->projection), free(e->rule);
    *e = (export_net){ 0 };
}

/* ---- names and numbers --------------------------------------------------------------------------------------- */

static char *next_text(void)
{
    static _Thread_local char text[4][OBJECT_TEXT];
    static _Thread_local int  next;
    return text[next++ % 4];
}

const char *export_population_name(const export_net *e, int population)
{
    char *text = next_text();
    snprintf(text, OBJECT_TEXT, "population \"%.100s\"", e->def->population[population].name);
    return text;
}

const char *export_projection_name(const export_net *e, const export_synapses *s)
{
    return definition_projection_label(e->def, &e->def->projection[s - e->projection], next_text());
}

static int place_of(const rv_field *fields, int n, const char *name)
{
    for (int k = 0; k < n; k++)
        if (strcmp(fields[k].name, name) == 0) return k;
    return -1;
}

double export_param(const population_def *p, const char *name, int64_t neuron)
{
    return neuron_value(&p->param[place_of(p->model->table.params, p->model->table.n_params, name)], neuron);
}

double export_initial(const population_def *p, const char *name, int64_t neuron)
{
    return neuron_value(&p->initial[place_of(p->model->table.states, p->model->table.n_states, name)], neuron);
}

int64_t export_differs(const population_def *p, const char *name)
{
    for (int64_t i = 1; i < p->n; i++)
        if (export_param(p, name, i) != export_param(p, name, 0)) return i;
    return -1;
}

double export_synapse_param(const export_synapses *s, const char *name, double standard)
{
    int k = s->kind ? place_of(s->kind->table.params, s->kind->table.n_params, name) : -1;
    return k < 0 ? standard : s->param[k];
}

double export_bias(const population_def *p, int64_t neuron)
{
    return floor(ldexp(export_param(p, "bias_mant", neuron), (int)export_param(p, "bias_exp", neuron)));
}

/* ---- the way back -------------------------------------------------------------------------------------------- */

enum { LEAST_GIVEN = -256, MOST_GIVEN = 255 }; /* weights that kinds of synapses take */

/* A weight that has this effect: itself, but for kinds that scale it. */
static double given_weight(const export_synapses *s, double effect)
{
    if (!s->kind || s->kind->weight(s->param, effect) == effect) return effect;
    for (int w = LEAST_GIVEN; w <= MOST_GIVEN; w++)
        if (s->kind->weight(s->param, w) == effect) return w;
    return effect;
}

static void given_weights(const export_synapses *s, double h, double *weight, double *delay_ms)
{
    for (int64_t i = 0; i < s->n; i++) {
        weight[i] = i > 0 && s->weight[i] == s->weight[i - 1] ? weight[i - 1] : given_weight(s, s->weight[i]);
        delay_ms[i] = (double)s->delay[i] * h;
    }
}

int export_rule_settings(const rv_rule *rule, const double *param, char *const *text, rv_setting *settings, int n)
{
    for (int k = 0; k < rule->table.n_params; k++) settings[n++] = (rv_setting){ rule->table.params[k].name, rv_number(param[k]) };
    for (int k = 0; k < rule->table.n_texts; k++)
        if (text[k]) settings[n++] = (rv_setting){ rule->table.texts[k].name, rv_text(text[k]) };
    return n;
}

rv_status export_connect(rv_net *net, const export_synapses *s, rv_projection *projection)
{
    double    *weight = malloc((size_t)(s->n + 1) * sizeof *weight), *delay_ms = malloc((size_t)(s->n + 1) * sizeof *delay_ms);
    rv_setting setting[EXPORT_MOST_SETTINGS];
    int        n_settings = s->kind ? s->kind->table.n_params : 0;
    rv_status  status = weight && delay_ms ? RV_OK : rv_fail(net, RV_OUT_OF_MEMORY, "no memory for %lld synapses", (long long)s->n);
    for (int k = 0; k < n_settings; k++) setting[k] = (rv_setting){ s->kind->table.params[k].name, rv_number(s->param[k]) };
    if (s->learning) n_settings = export_rule_settings(s->learning->rule, s->learning->param, s->learning->text, setting, n_settings);
    if (status == RV_OK) {
        given_weights(s, rv_resolution(net), weight, delay_ms);
        rv_connect_def def = { .source = rv_all((rv_population){ s->source + 1 }), .target = rv_all((rv_population){ s->target + 1 }), .rule = "list",
                               .sources = s->from, .targets = s->to, .n_list = s->n, .weight = s->n ? rv_list(weight, s->n) : rv_number(1),
                               .delay = s->n ? rv_list(delay_ms, s->n) : rv_number(rv_resolution(net)), .synapse = s->kind ? s->kind->table.name : NULL,
                               .plasticity = s->learning ? s->learning->rule->table.name : NULL, .settings = setting, .n_settings = n_settings };
        status = rv_connect(net, &def, projection);
    }
    free(weight), free(delay_ms);
    return status;
}

static rv_status copy_values(rv_net *net, rv_population p, const rv_field *fields, const neuron_values *values, int n_fields, int64_t n)
{
    for (int k = 0; k < n_fields; k++) TRY(rv_set(net, p, fields[k].name, values[k].list ? rv_list(values[k].list, n) : rv_number(values[k].value)));
    return RV_OK;
}

static rv_status copy_population(rv_net *net, const population_def *p)
{
    rv_population handle = rv_population_new(net, p->name, p->n, p->model->table.name);
    if (!handle.id) return rv_net_error(net)->status;
    TRY(copy_values(net, handle, p->model->table.params, p->param, p->model->table.n_params, p->n));
    return copy_values(net, handle, p->model->table.states, p->initial, p->model->table.n_states, p->n);
}

rv_status export_net_copy_populations(const export_net *e, rv_net *net)
{
    for (int k = 0; k < e->def->n_populations; k++) TRY(copy_population(net, &e->def->population[k]));
    return RV_OK;
}

static rv_status copy_all(const export_net *e, rv_net *net)
{
    TRY(export_net_copy_populations(e, net));
    for (int k = 0; k < e->n_projections; k++) TRY(export_connect(net, &e->projection[k], NULL));
    return RV_OK;
}

rv_status export_net_copy(const export_net *e, rv_net **copy, rv_error *error)
{
    *copy = NULL;
    TRY(rv_net_new(&(rv_net_def){ .resolution = e->def->resolution, .seed = e->def->seed, .threads = 1 }, copy, error));
    rv_status status = copy_all(e, *copy);
    if (status == RV_OK) return RV_OK;
    error_set(error, status, "%s", rv_net_error(*copy)->text);
    rv_net_free(*copy);
    *copy = NULL;
    return status;
}
