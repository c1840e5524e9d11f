/* Reports: probes on the neurons they want, and their files. A sample is a row, a neuron a column, whichever part it is of; the
 * first sample comes after one interval, as NEST's multimeter has it. */
#define _GNU_SOURCE
#include "io/sonata_output.h"

enum { VALUES_AT_ONCE = 1 << 20 };

/* ---- planning ---------------------------------------------------------------------------------------------------- */

typedef struct planner {
    sonata_circuit *c;
    const char     *what;
    const json_t   *entry;
    uint8_t       **selected;
    sonata_report  *report;
    int             population, part;
    rv_error       *error;
} planner;

/* NEURON and BBP call the membrane potential v. */
static const char *variable_here(const char *name) { return strcmp(name, "v") == 0 ? "V_m" : name; }

static rv_status add_probe(void *user, rv_slice slice)
{
    planner       *p = user;
    sonata_report *r = p->report;
    size_t         n = (size_t)r->n_probes + 1;
    rv_probe      *probe = realloc(r->probe, n * sizeof *probe);
    if (probe) r->probe = probe;
    int *population = realloc(r->population, n * sizeof *population);
    if (population) r->population = population;
    int *part = realloc(r->part, n * sizeof *part);
    if (part) r->part = part;
    if (!probe || !population || !part) return error_memory(p->error, p->what, 0);
    if (rv_record_state(p->c->net, slice, r->variable, r->interval_ms, &probe[n - 1]) != RV_OK)
        return error_set(p->error, rv_net_error(p->c->net)->status, "%.100s: %.380s", p->what, rv_net_error(p->c->net)->text);
    population[n - 1] = p->population, part[n - 1] = p->part;
    r->n_probes++;
    return RV_OK;
}

static rv_status add_probes(planner *p)
{
    for (p->population = 0; p->population < p->c->n_nodes; p->population++) {
        const sonata_nodes *nodes = &p->c->nodes[p->population];
        for (p->part = 0; p->part < nodes->n_parts; p->part++)
            if (!nodes->part[p->part].is_virtual) TRY(sonata_stretches(nodes, p->selected[p->population], p->part, add_probe, p));
    }
    if (p->report->n_probes == 0) sonata_warn(p->c, "%s: has no simulated nodes", p->what);
    return RV_OK;
}

/* Two names for a number: that of the guide and that of bmtk. */
static rv_status either(const planner *p, const char *a, const char *b, double standard, double *x)
{
    TRY(sonata_number(p->entry, p->what, b, standard, x, p->error));
    return sonata_number(p->entry, p->what, a, *x, x, p->error);
}

/* <name>.h5, or the file_name; with the variable in it if there are several. */
static char *path_of(const planner *p, const char *name, const char *variable, bool several)
{
    const char *file = sonata_text(p->entry, "file_name");
    char       *text = NULL;
    file = file ? file : name;
    size_t stem = strlen(file);
    if (stem > 3 && strcmp(file + stem - 3, ".h5") == 0) stem -= 3;
    if (asprintf(&text, "%.*s%s%s.h5", (int)stem, file, several ? "." : "", several ? variable : "") < 0) return NULL;
    char *path = sonata_output_path(p->c, text);
    free(text);
    return path;
}

static rv_status plan_variable(planner *p, const char *name, const char *variable, bool several)
{
    sonata_circuit *c = p->c;
    double          end = isnan(c->tstop) ? INFINITY : c->tstop;
    sonata_report  *longer = realloc(c->report, (size_t)(c->n_reports + 1) * sizeof *longer);
    if (!longer) return error_memory(p->error, p->what, sizeof *longer);
    c->report = longer;
    sonata_report *r = p->report = &c->report[c->n_reports++];
    *r = (sonata_report){ .path = path_of(p, name, variable, several), .variable = strdup(variable_here(variable)) };
    if (!r->path || !r->variable) return error_memory(p->error, p->what, 0);
    TRY(either(p, "start_time", "tstart", 0, &r->from_ms));
    TRY(either(p, "end_time", "tstop", end, &r->to_ms));
    TRY(either(p, "dt", "interval", c->dt, &r->interval_ms));
    return add_probes(p);
}

/* One name, several with commas, or a list of names. */
static rv_status plan_variables(planner *p, const char *name)
{
    const json_t *variable = json_object_get(p->entry, "variable_name");
    char          words[SONATA_TEXT] = "", *rest = words;
    size_t        n = 0;
    if (json_is_string(variable)) snprintf(words, sizeof words, "%s", json_string_value(variable));
    for (size_t k = 0; k < json_array_size(variable); k++) {
        const char *word = json_string_value(json_array_get(variable, k));
        n = strlen(words);
        snprintf(words + n, sizeof words - n, "%s%s", n ? "," : "", word ? word : "");
    }
    bool several = strchr(words, ',') != NULL;
    for (char *word; (word = strtok_r(NULL, ", ", &rest)); n++) TRY(plan_variable(p, name, word, several));
    return words[0] ? RV_OK : error_set(p->error, RV_WRONG_SHAPE, "%s: has no variable_name", p->what);
}

static rv_status plan(planner *p, const char *name)
{
    static const char *const known[] = { "cells", "variable_name", "module", "type", "sections", "start_time", "end_time", "tstart", "tstop", "dt", "interval", "file_name", "unit", "enabled",
                                         "buffer", "transform", "scaling", "compartments", "node_set", "nest_model", "model_template", "input_type", "buffer_data", "to_h5", NULL };
    static const char *const modules[] = { "membrane_report", "multimeter_report", "multimeter", "compartment", "summation" };
    const char              *module = sonata_text(p->entry, "module") ? sonata_text(p->entry, "module") : sonata_text(p->entry, "type");
    const json_t            *cells = json_object_get(p->entry, "cells");
    int                      k = 0;
    sonata_known_keys(p->c, p->entry, p->what, known);
    while (module && k < COUNT(modules) && strcmp(modules[k], module) != 0) k++;
    if (k == COUNT(modules)) return sonata_warn(p->c, "%s: module \"%s\" is not written; membrane_report and multimeter_report are", p->what, module), RV_OK;
    if (!cells) cells = json_object_get(p->entry, "node_set");
    json_t   *all = cells ? NULL : json_array();
    for (int n = 0; all && n < p->c->n_nodes; n++) json_array_append_new(all, json_string(p->c->nodes[n].name));
    rv_status status = sonata_select(p->c, cells ? cells : all, p->what, &p->selected, p->error);
    json_decref(all);
    return status == RV_OK ? plan_variables(p, name) : status;
}

rv_status sonata_plan_reports(sonata_circuit *c, rv_error *error)
{
    const char *key;
    json_t     *entry;
    rv_status   status = RV_OK;
    json_object_foreach(json_object_get(c->config, "reports"), key, entry)
    {
        char    what[SONATA_TEXT];
        planner p = { .c = c, .what = what, .entry = entry, .error = error };
        snprintf(what, sizeof what, "report \"%.100s\"", key);
        if (status != RV_OK || !sonata_enabled(entry, "enabled")) continue;
        status = plan(&p, key);
        sonata_selection_free(c, p.selected);
    }
    return status;
}

void sonata_reports_free(sonata_circuit *c)
{
    for (int k = 0; k < c->n_reports; k++) free(c->report[k].path), free(c->report[k].variable), free(c->report[k].probe), free(c->report[k].population), free(c->report[k].part);
    free(c->report);
    c->report = NULL, c->n_reports = 0;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* The samples of one population: its probes side by side. */
typedef struct table {
    const sonata_circuit *c;
    const sonata_report  *report;
    int                   population;
    int64_t               columns, first, n; /* samples from start_time to end_time */
    const char           *unit;
    rv_error             *error;
} table;

static rv_status measure(table *t)
{
    double h = t->report->interval_ms > 0 ? t->report->interval_ms : rv_resolution(t->c->net);
    for (int k = 0; k < t->report->n_probes; k++) {
        rv_probe_info info;
        if (t->report->population[k] != t->population) continue;
        if (rv_probe_describe(t->c->net, t->report->probe[k], &info) != RV_OK) return sonata_net_failed(t->c, t->error);
        double first = fmax(0, ceil(t->report->from_ms / h - 1e-6) - 1), end = floor(fmin(t->report->to_ms / h, 9e15) + 1e-6);
        t->columns += info.n_columns, t->unit = info.unit;
        t->first = (int64_t)fmin(first, (double)info.n_samples), t->n = (int64_t)fmin(end, (double)info.n_samples) - t->first;
    }
    t->n = t->n < 0 ? 0 : t->n;
    return RV_OK;
}

static void list_nodes(const table *t, int64_t *ids)
{
    for (int k = 0; k < t->report->n_probes; k++) {
        rv_probe_info info;
        if (t->report->population[k] != t->population || rv_probe_describe(t->c->net, t->report->probe[k], &info) != RV_OK) continue;
        for (int64_t i = 0; i < info.n_columns; i++) *ids++ = sonata_node(&t->c->nodes[t->population], t->report->part[k], info.slice.first + i * (info.slice.stride ? info.slice.stride : 1));
    }
}

/* Some samples of all probes. @param own scratch, as large as rows @param rows result, [n][columns] */
static rv_status read_rows(const table *t, int64_t first, int64_t n, double *own, double *rows)
{
    int64_t column = 0;
    for (int k = 0; k < t->report->n_probes; k++) {
        rv_probe_info info;
        if (t->report->population[k] != t->population) continue;
        if (rv_probe_describe(t->c->net, t->report->probe[k], &info) != RV_OK || rv_probe_read(t->c->net, t->report->probe[k], first, n, NULL, own) != RV_OK) return sonata_net_failed(t->c, t->error);
        for (int64_t i = 0; i < n; i++) memcpy(rows + i * t->columns + column, own + i * info.n_columns, (size_t)info.n_columns * sizeof *rows);
        column += info.n_columns;
    }
    return RV_OK;
}

static rv_status write_data(const table *t, hdf5_file *file, const char *data)
{
    int64_t   batch = VALUES_AT_ONCE / t->columns + 1;
    double   *own = malloc((size_t)(2 * batch * t->columns) * sizeof *own);
    rv_status status = own ? RV_OK : error_memory(t->error, "a report", 16.0 * (double)(batch * t->columns));
    for (int64_t k = 0, n; k < t->n && status == RV_OK; k += n) {
        n = t->n - k < batch ? t->n - k : batch;
        status = read_rows(t, t->first + k, n, own, own + batch * t->columns);
        if (status == RV_OK && hdf5_append(file, data, HDF5_F64, own + batch * t->columns, n) != RV_OK) status = sonata_file_failed(file, t->error);
    }
    free(own);
    return status;
}

static rv_status write_structure(const table *t, hdf5_file *file, const char *group, int64_t *ids)
{
    hdf5_path mapping = hdf5_at(group, "mapping"), data = hdf5_at(group, "data"), at = hdf5_at(mapping.path, "time");
    double    h = t->report->interval_ms > 0 ? t->report->interval_ms : rv_resolution(t->c->net), time[3] = { (double)(t->first + 1) * h, (double)(t->first + t->n + 1) * h, h };
    if (hdf5_make_table(file, data.path, HDF5_F32, t->columns) == RV_OK && hdf5_set_text(file, data.path, "units", t->unit ? t->unit : "1") == RV_OK &&
        hdf5_set_text(file, data.path, "variable", t->report->variable) == RV_OK && report_file_mapping(file, mapping.path, ids, t->columns) == RV_OK &&
        hdf5_write(file, at.path, HDF5_F64, time, 3) == RV_OK && hdf5_set_text(file, at.path, "units", "ms") == RV_OK)
        return RV_OK;
    return sonata_file_failed(file, t->error);
}

static rv_status write_population(table *t, hdf5_file *file)
{
    TRY(measure(t));
    if (t->columns == 0) return RV_OK;
    hdf5_path group = hdf5_at("/report", t->c->nodes[t->population].name);
    int64_t  *ids = malloc(((size_t)t->columns + 1) * sizeof *ids);
    if (!ids) return error_memory(t->error, "a report", (double)t->columns * 8);
    list_nodes(t, ids);
    rv_status status = write_structure(t, file, group.path, ids);
    free(ids);
    return status == RV_OK ? write_data(t, file, hdf5_at(group.path, "data").path) : status;
}

rv_status sonata_report_write(const sonata_circuit *c, const sonata_report *report, rv_error *error)
{
    hdf5_file file = { 0 };
    if (report->n_probes == 0) return RV_OK;
    rv_status status = hdf5_create(report->path, &file);
    if (status == RV_OK) status = report_file_begin(&file);
    if (status != RV_OK) sonata_file_failed(&file, error);
    for (int p = 0; p < c->n_nodes && status == RV_OK; p++) {
        table t = { .c = c, .report = report, .population = p, .error = error };
        status = write_population(&t, &file);
    }
    rv_status closed = hdf5_close(&file);
    return status == RV_OK && closed != RV_OK ? sonata_file_failed(&file, error) : status;
}
