/* Precedence for a type of edges: its columns, then its dynamics_params file. What single edges say comes before both. */
#include "io/sonata_synapses.h"

#include "sim/tables.h"

typedef struct reader {
    sonata_circuit     *c;
    const sonata_edges *edges;
    sonata_synapses    *synapses;
    int                 row;
    const json_t       *params; /* of the row's file */
    rv_error           *error;
} reader;

static rv_status refuse(const reader *r, const char *what, const char *value, const char *allowed)
{
    const char *id = sonata_table_cell(&r->edges->types, r->row, "edge_type_id");
    return error_set(r->error, RV_CONFLICT, "edges \"%.80s\", type %.30s: %s is \"%.80s\"; %s", r->edges->name, id ? id : "?", what, value, allowed);
}

/* A number from the columns, or from the file; NAN if neither has it. */
static rv_status number(const reader *r, const char *name, double *x)
{
    const char   *cell = sonata_table_cell(&r->edges->types, r->row, name);
    const json_t *member = json_object_get(r->params, name);
    char         *end;
    *x = json_is_number(member) ? json_number_value(member) : NAN;
    if (!cell) return RV_OK;
    *x = strtod(cell, &end);
    return *end || end == cell || !isfinite(*x) ? refuse(r, name, cell, "a number is needed") : RV_OK;
}

static const char *text(const reader *r, const char *name)
{
    const char *cell = sonata_table_cell(&r->edges->types, r->row, name);
    return cell ? cell : sonata_text(r->params, name);
}

/* ---- which synapse ----------------------------------------------------------------------------------------------- */

/* bmtk's weight recorders give a synapse a name of their own. */
static const char *unrecorded(const reader *r, const char *name)
{
    const char *key;
    json_t     *report;
    json_object_foreach(json_object_get(r->c->config, "reports"), key, report)
    {
        const char *module = sonata_text(report, "module"), *own = sonata_text(report, "model_template"), *of = sonata_text(report, "nest_model");
        if (module && own && of && strcmp(module, "weight_recorder") == 0 && strcmp(own, name) == 0) return of;
    }
    return name;
}

static rv_status find_rule(const reader *r, const char **plasticity)
{
    static const char *const plain[] = { "static_synapse", "static_synapse_hom_w", "Exp2Syn", "exp2syn", "instanteneous" };
    const char              *name = text(r, "model_template"), *colon;
    char                     stem[64];
    rv_table                 table;
    *plasticity = NULL;
    if (!name) name = text(r, "template");
    if (!name) return RV_OK;
    if ((colon = strchr(name, ':'))) name = colon + 1;
    name = unrecorded(r, name);
    for (int k = 0; k < COUNT(plain); k++)
        if (strcmp(name, plain[k]) == 0) return RV_OK;
    size_t length = strlen(name), cut = length > 8 && strcmp(name + length - 8, "_synapse") == 0 ? length - 8 : length;
    snprintf(stem, sizeof stem, "%.*s", (int)cut, name);
    if (!rv_table_find(RV_LEARNING, name, &table) && !rv_table_find(RV_LEARNING, stem, &table)) return refuse(r, "model_template", name, "known are static_synapse and the learning rules that `ranvier models` lists");
    *plasticity = table.name;
    return RV_OK;
}

static rv_status read_settings(const reader *r, sonata_class *class)
{
    rv_table table;
    if (!class->plasticity) return RV_OK;
    rv_table_find(RV_LEARNING, class->plasticity, &table);
    for (int k = 0; k < table.n_params; k++) {
        double x;
        TRY(number(r, table.params[k].name, &x));
        if (!isnan(x) && class->n_settings < MOST_SYNAPSE_SETTINGS) class->setting[class->n_settings++] = (rv_setting){ table.params[k].name, rv_number(x) };
    }
    return RV_OK;
}

static bool equal(const sonata_class *a, const sonata_class *b)
{
    if (a->plasticity != b->plasticity || a->n_settings != b->n_settings || a->receptor != b->receptor) return false;
    for (int k = 0; k < a->n_settings; k++)
        if (a->setting[k].name != b->setting[k].name || a->setting[k].value.a != b->setting[k].value.a) return false;
    return true;
}

static rv_status find_class(const reader *r, const sonata_class *class, int *index)
{
    sonata_synapses *s = r->synapses;
    for (*index = 0; *index < s->n_classes; ++*index)
        if (equal(&s->classes[*index], class)) return RV_OK;
    sonata_class *longer = realloc(s->classes, (size_t)(s->n_classes + 1) * sizeof *longer);
    if (!longer) return error_memory(r->error, r->edges->name, sizeof *longer);
    s->classes = longer;
    s->classes[s->n_classes++] = *class;
    return RV_OK;
}

/* A number names a port of the model, a word the sign of the weight. */
static rv_status read_receptor(const reader *r, sonata_class *class, sonata_synapse *t)
{
    const char *name = text(r, "receptor_type");
    double      port = NAN;
    if (name && strcmp(name, "excitatory") == 0) return RV_OK;
    if (name && strcmp(name, "inhibitory") == 0) return t->sign = -fabs(t->sign), RV_OK;
    TRY(number(r, "receptor_type", &port));
    if (isnan(port)) return RV_OK;
    if (port != rint(port) || port < 0 || port > 1000) return refuse(r, "receptor_type", name ? name : "", "a whole number from 0 is needed");
    class->receptor = (int)port;
    return RV_OK;
}

/* ---- weights ----------------------------------------------------------------------------------------------------- */

static rv_status read_function(const reader *r, sonata_synapse *t)
{
    const char *function = text(r, "weight_function");
    if (!function || strcmp(function, "wmax") == 0 || strcmp(function, "default_weight_fnc") == 0) return RV_OK;
    if (strcmp(function, "gaussianLL") != 0) return refuse(r, "weight_function", function, "known of these functions in Python are wmax and gaussianLL");
    t->tuned = true;
    TRY(number(r, "weight_sigma", &t->sigma));
    return t->sigma > 0 ? RV_OK : refuse(r, "weight_sigma", "NULL", "gaussianLL needs a number above 0");
}

static rv_status read_row(reader *r)
{
    sonata_synapse *t = &r->synapses->type[r->row < 0 ? r->edges->types.n_rows : r->row];
    sonata_class    class = { 0 };
    const json_t   *sign = json_object_get(r->params, "sign");
    *t = (sonata_synapse){ .sign = json_is_number(sign) ? json_number_value(sign) : 1 };
    TRY(number(r, "syn_weight", &t->weight));
    TRY(number(r, "delay", &t->delay));
    TRY(number(r, "nsyns", &t->nsyns));
    TRY(read_function(r, t));
    TRY(find_rule(r, &class.plasticity));
    TRY(read_receptor(r, &class, t));
    TRY(read_settings(r, &class));
    return find_class(r, &class, &t->class);
}

/* Files of parameters are often named and, for point neurons, empty: what cannot be found is a warning. */
static rv_status read_params(reader *r, json_t **params)
{
    rv_error *error = r->error, missing = { 0 };
    *params = NULL;
    if (r->row < 0) return RV_OK;
    if (sonata_params_read(r->c, "synaptic_models_dir", &r->edges->types, r->row, params, &missing) == RV_OK) return RV_OK;
    if (strncmp(missing.text, "cannot read", 11) != 0 && missing.status != RV_UNKNOWN_NAME) return *error = missing, missing.status;
    sonata_warn(r->c, "edges \"%s\": %s; its synapses have no parameters of their own", r->edges->name, missing.text);
    return RV_OK;
}

rv_status sonata_synapses_read(sonata_circuit *c, const sonata_edges *edges, sonata_synapses *s, rv_error *error)
{
    reader r = { .c = c, .edges = edges, .synapses = s, .error = error };
    *s = (sonata_synapses){ .type = calloc((size_t)edges->types.n_rows + 1, sizeof *s->type) };
    if (!s->type) return error_memory(error, edges->name, edges->types.n_rows * (double)sizeof *s->type);
    rv_status status = RV_OK;
    for (r.row = edges->types.n_rows ? 0 : -1; r.row < edges->types.n_rows && status == RV_OK; r.row++) {
        json_t *params;
        status = read_params(&r, &params);
        r.params = params;
        if (status == RV_OK) status = read_row(&r);
        json_decref(params);
    }
    return status;
}

void sonata_synapses_free(sonata_synapses *s)
{
    free(s->type), free(s->classes);
    *s = (sonata_synapses){ 0 };
}
