/* Neurons: which model each node has, so which part it belongs to, and its parameters. Precedence of a parameter, highest first
 * (SONATA's guide: HDF5 over csv): dynamics_params/<name> of a node, attribute <name> of a node, column <name> of its type,
 * member <name> of its type's dynamics_params file, what the template says, what the model says. */
#include "io/sonata_internal.h"

#include "sim/model.h"
#include "sim/tables.h"

/* ---- parts ------------------------------------------------------------------------------------------------------- */

static rv_status refuse_node(const sonata_nodes *nodes, int64_t row, rv_error *error, const char *type, const char *template)
{
    const char *of = sonata_table_cell(&nodes->types, nodes->type[row], "node_type_id");
    return error_set(error, RV_CONFLICT, "population \"%.80s\": node %lld%s%.40s is %.60s%s%.80s%s; what can be simulated are point neurons (point_neuron, point_process) and virtual nodes", nodes->name,
                     (long long)sonata_id(nodes, row), of ? " of type " : "", of ? of : "", type, template ? " (" : "", template ? template : "", template ? ")" : "");
}

/* Virtual nodes emit the spikes they are given; those of a saved network may be another generator. */
static rv_status find_generator(const char *template, const sonata_model **kind, const char **native)
{
    const sonata_model *model;
    const char         *name;
    rv_error            ignored;
    if (!template || sonata_model_find(template, &model, &name, &ignored) != RV_OK || !rv_model_find(name)->emit || strcmp(name, *native) == 0) return RV_OK;
    *kind = model, *native = name;
    return RV_OK;
}

/* The part for a node; a new one if it is the first of its model. */
static rv_status find_part(sonata_nodes *nodes, int64_t row, const char *type, const char *template, int *part, rv_error *error)
{
    static const char *const points[] = { "point_process", "point_neuron", "point_soma", NULL };
    const sonata_model      *kind = NULL;
    const char              *native = "spike_generator";
    bool                     is_virtual = type && strcmp(type, "virtual") == 0;
    if (!type) return error_set(error, RV_UNKNOWN_NAME, "population \"%.100s\": node %lld has no model_type, neither in \"%.150s\" nor in a table of types", nodes->name, (long long)sonata_id(nodes, row), nodes->path);
    if (!is_virtual && !sonata_is_one_of(type, points)) return refuse_node(nodes, row, error, type, template);
    if (!is_virtual && !template) return refuse_node(nodes, row, error, type, "without a model_template");
    rv_status status = is_virtual ? find_generator(template, &kind, &native) : sonata_model_find(template, &kind, &native, error);
    if (status != RV_OK) {
        rv_error why = *error;
        return error_set(error, status, "population \"%.80s\": %.400s", nodes->name, why.text);
    }
    for (*part = 0; *part < nodes->n_parts; (*part)++)
        if (nodes->part[*part].kind == kind && strcmp(nodes->part[*part].model, native) == 0) return RV_OK;
    sonata_part *longer = realloc(nodes->part, (size_t)(nodes->n_parts + 1) * sizeof *longer);
    if (!longer) return error_memory(error, nodes->name, sizeof *longer);
    nodes->part = longer;
    nodes->part[nodes->n_parts++] = (sonata_part){ .model = strdup(native), .kind = kind, .is_virtual = is_virtual, .tau_minus = NAN };
    return RV_OK;
}

static rv_status number_parts(sonata_nodes *nodes, rv_error *error)
{
    if (nodes->n_parts == 1) {
        nodes->part[0].n = nodes->n;
        free(nodes->part_of);
        nodes->part_of = NULL;
        return RV_OK;
    }
    nodes->place = malloc(((size_t)nodes->n + 1) * sizeof *nodes->place);
    if (!nodes->place) return error_memory(error, nodes->name, (double)nodes->n * 4);
    for (int64_t i = 0; i < nodes->n; i++) nodes->place[i] = (int32_t)nodes->part[nodes->part_of[i]].n++;
    for (int k = 0; k < nodes->n_parts; k++)
        if (!(nodes->part[k].row = malloc(((size_t)nodes->part[k].n + 1) * sizeof(int32_t)))) return error_memory(error, nodes->name, (double)nodes->n * 4);
    for (int64_t i = 0; i < nodes->n; i++) nodes->part[nodes->part_of[i]].row[nodes->place[i]] = (int32_t)i;
    return RV_OK;
}

static rv_status split(sonata_nodes *nodes, rv_error *error)
{
    sonata_column type, template;
    TRY(sonata_column_read(nodes, "model_type", &type, error));
    rv_status status = sonata_column_read(nodes, "model_template", &template, error);
    if (status != RV_OK) return sonata_column_free(&type), status;
    nodes->part_of = calloc((size_t)nodes->n + 1, sizeof *nodes->part_of);
    if (!nodes->part_of) status = error_memory(error, nodes->name, (double)nodes->n * 4);
    const char *last_type = NULL, *last_template = NULL;
    int         part = 0;
    for (int64_t i = 0; i < nodes->n && status == RV_OK; i++) {
        const char *t = type.text ? type.text[i] : NULL, *m = template.text ? template.text[i] : NULL;
        if (i == 0 || t != last_type || m != last_template) status = find_part(nodes, i, t, m, &part, error);
        nodes->part_of[i] = part, last_type = t, last_template = m;
    }
    sonata_column_free(&type), sonata_column_free(&template);
    return status == RV_OK ? number_parts(nodes, error) : status;
}

rv_status sonata_split(sonata_circuit *c, rv_error *error)
{
    for (int k = 0; k < c->n_nodes; k++) TRY(split(&c->nodes[k], error));
    return RV_OK;
}

/* ---- parameters of a type ---------------------------------------------------------------------------------------- */

rv_status sonata_params_read(const sonata_circuit *c, const char *component, const sonata_table *types, int row, json_t **params, rv_error *error)
{
    const char *file = sonata_table_cell(types, row, "dynamics_params"), *dir = sonata_text(json_object_get(c->config, "components"), component);
    *params = NULL;
    if (!file) return (*params = json_object()) ? RV_OK : error_memory(error, "parameters", 0);
    if (!dir && file[0] != '/') return error_set(error, RV_UNKNOWN_NAME, "\"%.200s\" names the parameters \"%.80s\", but components has no %s to look in", types->path, file, component);
    char *path = sonata_join(dir ? dir : "", file);
    if (!path) return error_memory(error, file, 0);
    *params = sonata_json_read(path, error);
    if (*params && !json_is_object(*params)) {
        error_set(error, RV_WRONG_SHAPE, "\"%.300s\": is not an object { name: value }", path);
        json_decref(*params), *params = NULL;
    }
    free(path);
    return *params ? RV_OK : error->status;
}

/* What neurons of a type share. */
typedef struct typed {
    bool          ready;
    sonata_values values;
} typed;

typedef struct maker {
    sonata_circuit *c;
    sonata_nodes   *nodes;
    int             part;
    typed          *typed;  /* [n_rows of the types + 1] the last for nodes without a type */
    double         *x;      /* [n_params + n_states][n] */
    rv_error       *error;
} maker;

static rv_status set_value(const maker *m, typed *t, const char *name, const json_t *value, const char *path, bool *known)
{
    sonata_part        *part = &m->nodes->part[m->part];
    const sonata_model *kind = part->kind;
    double              x = json_is_true(value) ? 1 : json_is_number(value) ? json_number_value(value) : 0;
    *known = true;
    if (strcmp(name, "tau_minus") == 0) return part->tau_minus = isnan(part->tau_minus) || part->tau_minus == x ? x : INFINITY, RV_OK;
    if (json_is_number(value) || json_is_boolean(value)) return *known = sonata_model_set(kind, &t->values, name, x), RV_OK;
    if (!json_is_array(value)) return *known = false, RV_OK;
    for (size_t k = 0; k < json_array_size(value); k++) {
        char numbered[128];
        snprintf(numbered, sizeof numbered, "%.100s_%zu", name, k + 1);
        const json_t *each = json_array_get(value, k);
        if (!json_is_number(each) || !sonata_model_set(kind, &t->values, numbered, json_number_value(each)))
            return error_set(m->error, RV_OUT_OF_RANGE, "\"%.200s\": %s of %s has %zu values, value %zu is no number or one too many", path, name, m->nodes->part[m->part].model, json_array_size(value), k + 1);
    }
    return RV_OK;
}

/* Members that are no parameters of ours, and do no harm. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = { "type", "name", "tau_minus_triplet", "level_of_detail", "comment", NULL };
    return sonata_is_one_of(name, names);
}

static rv_status read_file(const maker *m, int row, typed *t)
{
    json_t     *params, *value;
    const char *name, *file = sonata_table_cell(&m->nodes->types, row, "dynamics_params");
    TRY(sonata_params_read(m->c, "point_neuron_models_dir", &m->nodes->types, row, &params, m->error));
    rv_status status = RV_OK;
    json_object_foreach(params, name, value)
    {
        bool known = true;
        if (status == RV_OK) status = set_value(m, t, name, value, file, &known);
        if (status == RV_OK && !known && !is_harmless(name)) {
            char object[SONATA_TEXT];
            snprintf(object, sizeof object, "\"%.200s\"", file);
            status = table_unknown_field(&t->values.table, object, name, m->error);
        }
    }
    json_decref(params);
    return status;
}

/* Cells of the types table that are named like parameters. */
static rv_status read_cells(const maker *m, int row, typed *t)
{
    const sonata_table *types = &m->nodes->types;
    for (int k = 0; k < types->n_columns; k++) {
        char       *end = NULL;
        const char *cell = types->cell[(int64_t)row * types->n_columns + k];
        if (!cell || !sonata_model_is_param(m->nodes->part[m->part].kind, &t->values, types->column[k])) continue;
        double x = strtod(cell, &end);
        if (*end) return error_set(m->error, RV_FILE_ERROR, "\"%.200s\": %s is \"%.60s\", a number is needed", types->path, types->column[k], cell);
        sonata_model_set(m->nodes->part[m->part].kind, &t->values, types->column[k], x);
    }
    return RV_OK;
}

static rv_status values_of_type(const maker *m, int row, typed **of)
{
    const sonata_part *part = &m->nodes->part[m->part];
    typed             *t = *of = &m->typed[row < 0 ? m->nodes->types.n_rows : row];
    if (t->ready) return RV_OK;
    t->ready = true;
    sonata_model_defaults(part->kind, part->model, &t->values);
    if (row < 0) return RV_OK;
    TRY(read_file(m, row, t));
    return read_cells(m, row, t);
}

/* ---- parameters of nodes ----------------------------------------------------------------------------------------- */

typedef struct override {
    const char   *name; /* as the template calls it */
    sonata_column column;
} override;

/* The columns of nodes that are parameters: attributes first, dynamics_params over them. */
static rv_status read_overrides(const maker *m, override **list, int *n, hdf5_names names[2])
{
    static const char *const inside[] = { "", "dynamics_params" };
    sonata_values            values;
    const sonata_part       *part = &m->nodes->part[m->part];
    sonata_model_defaults(part->kind, part->model, &values);
    for (int g = 0; g < 2; g++) TRY(sonata_column_names(m->nodes, inside[g], &names[g], m->error));
    *list = calloc((size_t)(names[0].n + names[1].n) + 1, sizeof **list);
    if (!*list) return error_memory(m->error, m->nodes->name, 0);
    for (int g = 0; g < 2; g++)
        for (int k = 0; k < names[g].n; k++) {
            const char *name = names[g].name[k];
            bool        wanted = g == 1 || sonata_model_is_param(part->kind, &values, name);
            if (!wanted) continue;
            override *o = &(*list)[(*n)++];
            o->name = name;
            TRY(sonata_column_read(m->nodes, g ? hdf5_at(inside[g], name).path : name, &o->column, m->error));
            if (g == 1 && o->column.number && !sonata_model_set(part->kind, &values, name, 0) && !is_harmless(name) && m->nodes->n_parts == 1)
                return error_set(m->error, RV_UNKNOWN_NAME, "population \"%.100s\": dynamics_params has \"%.60s\", which is no parameter of %s", m->nodes->name, name, part->model);
        }
    return RV_OK;
}

static rv_status fill(maker *m, const override *list, int n)
{
    const sonata_part *part = &m->nodes->part[m->part];
    for (int64_t i = 0; i < part->n; i++) {
        int64_t row = part->row ? part->row[i] : i;
        typed  *t;
        TRY(values_of_type(m, m->nodes->type[row], &t));
        sonata_values v = t->values;
        for (int k = 0; k < n; k++)
            if (list[k].column.number && !isnan(list[k].column.number[row])) sonata_model_set(part->kind, &v, list[k].name, list[k].column.number[row]);
        sonata_model_finish(part->kind, &v);
        for (int k = 0; k < v.table.n_params + v.table.n_states; k++) m->x[k * part->n + i] = v.x[k];
    }
    return RV_OK;
}

/* One parameter of all neurons: not given, a number, or a list. */
static rv_status give(const maker *m, const rv_field *field, double *x)
{
    const sonata_part *part = &m->nodes->part[m->part];
    bool               given = false, equal = true;
    for (int64_t i = 0; i < part->n; i++) given |= !isnan(x[i]), equal &= x[i] == x[0];
    if (!given) return RV_OK;
    for (int64_t i = 0; i < part->n; i++) x[i] = isnan(x[i]) ? field->standard : x[i];
    if (rv_set(m->c->net, part->population, field->name, equal ? rv_number(x[0]) : rv_list(x, part->n)) == RV_OK) return RV_OK;
    return sonata_net_failed(m->c, m->error);
}

static rv_status give_all(maker *m)
{
    const sonata_part *part = &m->nodes->part[m->part];
    rv_table           table;
    rv_table_find(RV_NEURONS, part->model, &table);
    for (int k = 0; k < table.n_params; k++) TRY(give(m, &table.params[k], m->x + k * part->n));
    for (int k = 0; k < table.n_states; k++) TRY(give(m, &table.states[k], m->x + (table.n_params + k) * part->n));
    return RV_OK;
}

static rv_status make_parameters(sonata_circuit *c, sonata_nodes *nodes, int part, rv_error *error)
{
    maker      m = { .c = c, .nodes = nodes, .part = part, .error = error };
    override  *list = NULL;
    int        n = 0;
    hdf5_names names[2] = { 0 };
    rv_table   table;
    rv_table_find(RV_NEURONS, nodes->part[part].model, &table);
    size_t rows = (size_t)table.n_params + (size_t)table.n_states;
    m.typed = calloc((size_t)nodes->types.n_rows + 1, sizeof *m.typed);
    m.x = malloc((rows * (size_t)nodes->part[part].n + 1) * sizeof *m.x);
    rv_status status = m.typed && m.x ? RV_OK : error_memory(error, nodes->name, (double)rows * (double)nodes->part[part].n * 8);
    if (status == RV_OK) status = read_overrides(&m, &list, &n, names);
    if (status == RV_OK) status = fill(&m, list, n);
    if (status == RV_OK) status = give_all(&m);
    for (int k = 0; k < n; k++) sonata_column_free(&list[k].column);
    for (int g = 0; g < 2; g++) hdf5_names_free(&names[g]);
    free(list), free(m.typed), free(m.x);
    return status;
}

/* ---- positions --------------------------------------------------------------------------------------------------- */

static rv_status place_nodes(const sonata_circuit *c, const sonata_nodes *nodes, const sonata_column axis[3], rv_error *error)
{
    double *xyz = malloc(((size_t)nodes->n + 1) * 3 * sizeof *xyz);
    if (!xyz) return error_memory(error, "positions", (double)nodes->n * 24);
    rv_status status = RV_OK;
    for (int p = 0; p < nodes->n_parts && status == RV_OK; p++) {
        const sonata_part *part = &nodes->part[p];
        bool               whole = true;
        for (int64_t i = 0; i < part->n; i++)
            for (int k = 0; k < 3; k++) {
                double x = axis[k].number ? axis[k].number[part->row ? part->row[i] : i] : 0;
                whole &= isfinite(x), xyz[3 * i + k] = x;
            }
        if (whole && rv_set_positions(c->net, part->population, xyz, NULL) != RV_OK) status = sonata_net_failed(c, error);
    }
    free(xyz);
    return status;
}

static rv_status read_positions(const sonata_circuit *c, const sonata_nodes *nodes, rv_error *error)
{
    static const char *const names[] = { "x", "y", "z" };
    sonata_column            axis[3] = { 0 };
    rv_status                status = RV_OK;
    for (int k = 0; k < 3 && status == RV_OK; k++) status = sonata_column_read(nodes, names[k], &axis[k], error);
    if (status == RV_OK && axis[0].number && axis[1].number) status = place_nodes(c, nodes, axis, error);
    for (int k = 0; k < 3; k++) sonata_column_free(&axis[k]);
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static rv_status make_part(sonata_circuit *c, sonata_nodes *nodes, int p, rv_error *error)
{
    sonata_part *part = &nodes->part[p];
    char         name[SONATA_TEXT];
    snprintf(name, sizeof name, nodes->n_parts > 1 ? "%.200s.%.60s" : "%.200s", nodes->name, part->model);
    for (int k = 2; rv_population_find(c->net, name).id; k++) snprintf(name, sizeof name, "%.200s.%.60s.%d", nodes->name, part->model, k);
    part->population = rv_population_new(c->net, name, part->n, part->model);
    if (!part->population.id) return sonata_net_failed(c, error);
    return part->kind ? make_parameters(c, nodes, p, error) : RV_OK;
}

rv_status sonata_make_neurons(sonata_circuit *c, rv_error *error)
{
    for (int k = 0; k < c->n_nodes; k++) {
        for (int p = 0; p < c->nodes[k].n_parts; p++) TRY(make_part(c, &c->nodes[k], p, error));
        TRY(read_positions(c, &c->nodes[k], error));
    }
    return RV_OK;
}
