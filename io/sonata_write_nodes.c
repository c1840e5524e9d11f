/* Nodes: parameters that all share go to the components, those that differ to dynamics_params of the nodes. Generators of spikes are
 * virtual nodes. */
#include "io/sonata_write.h"

#include <errno.h>

static const char *template_of(const rv_model *m, char text[SONATA_TEXT])
{
    if (strcmp(m->table.name, "spike_generator") == 0) return "NULL";
    if (strcmp(m->table.name, "intfire1") == 0) return "nrn:IntFire1";
    snprintf(text, SONATA_TEXT, "nest:%s", m->table.name);
    return text;
}

/* NEURON's artificial cells have their times in s. */
static double unit_of(const rv_model *m, const rv_field *f) { return strcmp(m->table.name, "intfire1") == 0 && strcmp(f->unit, "ms") == 0 ? 1e-3 : 1; }

/* What is here tau_syn_1, tau_syn_2, ... is a list tau_syn in NEST. @return its number from 1; 0: it is no such */
static int number_in(const rv_field *f, char stem[64])
{
    const char *digits = strrchr(f->name, '_');
    char       *end;
    long        n = digits ? strtol(digits + 1, &end, 10) : 0;
    if (n < 1 || n > 99 || *end) return 0;
    snprintf(stem, 64, "%.*s", (int)(digits - f->name), f->name);
    if (strcmp(stem, "ASCurrents") == 0) snprintf(stem, 64, "asc_init");
    return (int)n;
}

static void put(json_t *params, const rv_field *f, double x)
{
    char    stem[64];
    int     n = number_in(f, stem);
    json_t *list = n ? json_object_get(params, stem) : NULL;
    if (n == 0 || (int)json_array_size(list) != n - 1) { /* the first of a list comes first, or it is none */
        if (n != 1) return (void)json_object_set_new(params, f->name, json_real(x));
        json_object_set_new(params, stem, list = json_array());
    }
    json_array_append_new(list, json_real(x));
}

/* ---- parameters -------------------------------------------------------------------------------------------------- */

typedef struct writer {
    saver                *s;
    const population_def *p;
    hdf5_file             file;
    hdf5_path             group; /* /nodes/<population>/0 */
    json_t               *params;
} writer;

static rv_status failed(const writer *w) { return sonata_file_failed(&w->file, w->s->error); }

static rv_status write_list(writer *w, const char *name, const double *x)
{
    hdf5_path at = hdf5_at(hdf5_at(w->group.path, "dynamics_params").path, name);
    return hdf5_write(&w->file, at.path, HDF5_F64, x, w->p->n) == RV_OK ? RV_OK : failed(w);
}

static rv_status save_value(writer *w, const rv_field *f, const neuron_values *v)
{
    double unit = unit_of(w->p->model, f);
    if (!v->list && isfinite(v->value)) return put(w->params, f, unit * v->value), RV_OK;
    if (!v->list) return RV_OK; /* a bound that is none */
    double *x = malloc(((size_t)w->p->n + 1) * sizeof *x);
    if (!x) return error_memory(w->s->error, "parameters", (double)w->p->n * 8);
    for (int64_t i = 0; i < w->p->n; i++) x[i] = unit * v->list[i];
    rv_status status = write_list(w, f->name, x);
    free(x);
    return status;
}

/* Initial states are said where they are not what the model has. V_m always: others begin elsewhere. */
static rv_status save_parameters(writer *w)
{
    const rv_table *t = &w->p->model->table;
    for (int k = 0; k < t->n_params; k++) TRY(save_value(w, &t->params[k], &w->p->param[k]));
    for (int k = 0; k < t->n_states; k++)
        if (w->p->initial[k].list || w->p->initial[k].value != t->states[k].standard || (strcmp(t->states[k].name, "V_m") == 0)) TRY(save_value(w, &t->states[k], &w->p->initial[k]));
    return RV_OK;
}

/* ---- structure --------------------------------------------------------------------------------------------------- */

static rv_status write_numbers(writer *w, const char *population, const char *name, hdf5_type type, int64_t *x)
{
    return hdf5_write(&w->file, hdf5_at(population, name).path, type, x, w->p->n) == RV_OK ? RV_OK : failed(w);
}

static rv_status save_ids(writer *w, const char *population, int64_t *x)
{
    for (int64_t i = 0; i < w->p->n; i++) x[i] = i;
    TRY(write_numbers(w, population, "node_id", HDF5_U64, x));
    TRY(write_numbers(w, population, "node_group_index", HDF5_U64, x));
    memset(x, 0, (size_t)w->p->n * sizeof *x);
    TRY(write_numbers(w, population, "node_group_id", HDF5_U64, x));
    for (int64_t i = 0; i < w->p->n; i++) x[i] = 100;
    return write_numbers(w, population, "node_type_id", HDF5_U64, x);
}

static rv_status save_positions(writer *w, double *x)
{
    static const char *const axes[] = { "x", "y", "z" };
    for (int k = 0; k < 3 && w->p->xyz; k++) {
        for (int64_t i = 0; i < w->p->n; i++) x[i] = w->p->xyz[3 * i + k];
        if (hdf5_write(&w->file, hdf5_at(w->group.path, axes[k]).path, HDF5_F64, x, w->p->n) != RV_OK) return failed(w);
    }
    return RV_OK;
}

static rv_status save_file(writer *w, const char *path)
{
    hdf5_path population = hdf5_at("/nodes", w->p->name);
    void     *scratch = malloc(((size_t)w->p->n + 1) * 8);
    w->group = hdf5_at(population.path, "0");
    rv_status status = scratch ? RV_OK : error_memory(w->s->error, w->p->name, (double)w->p->n * 8);
    if (status == RV_OK && (hdf5_create(path, &w->file) != RV_OK || report_file_begin(&w->file) != RV_OK || hdf5_make_group(&w->file, w->group.path) != RV_OK)) status = failed(w);
    if (status == RV_OK) status = save_ids(w, population.path, scratch);
    if (status == RV_OK) status = save_positions(w, scratch);
    if (status == RV_OK) status = save_parameters(w);
    free(scratch);
    rv_status closed = hdf5_close(&w->file);
    return status == RV_OK && closed != RV_OK ? failed(w) : status;
}

static rv_status save_types(const writer *w, const char *path)
{
    char  text[SONATA_TEXT];
    FILE *file = fopen(path, "w");
    if (!file) return error_set(w->s->error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
    bool  is_virtual = w->p->model->emit != NULL, has_params = json_object_size(w->params) > 0;
    char *params = sonata_save_path("", w->p->name, ".json");
    fprintf(file, "node_type_id pop_name model_type model_template dynamics_params\n100 \"%s\" %s %s %s\n", w->p->name, is_virtual ? "virtual" : "point_neuron", template_of(w->p->model, text), has_params && params ? params : "NULL");
    free(params);
    return fclose(file) == 0 ? RV_OK : error_set(w->s->error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
}

/* ---- spikes of generators ---------------------------------------------------------------------------------------- */

static rv_status write_spikes(const writer *w, hdf5_file *f, int64_t n, double *times, int64_t *ids)
{
    static const char *const sortings[] = { "none", "by_id", "by_time" };
    hdf5_path                group = hdf5_at("/spikes", w->p->name), at = hdf5_at(group.path, "timestamps");
    int64_t                  k = 0;
    for (int64_t i = 0; i < w->p->n; i++)
        for (int64_t j = 0; j < w->p->n_spike_times[i]; j++) times[k] = w->p->spike_times[i][j], ids[k++] = i;
    if (hdf5_make_group(f, group.path) == RV_OK && hdf5_set_enum(f, group.path, "sorting", sortings, 3, 1) == RV_OK && hdf5_write(f, at.path, HDF5_F64, times, n) == RV_OK &&
        hdf5_set_text(f, at.path, "units", "ms") == RV_OK && hdf5_write(f, hdf5_at(group.path, "node_ids").path, HDF5_U64, ids, n) == RV_OK)
        return RV_OK;
    return sonata_file_failed(f, w->s->error);
}

static rv_status save_spikes(const writer *w)
{
    int64_t n = 0;
    if (!w->p->spike_times) return RV_OK;
    for (int64_t i = 0; i < w->p->n; i++) n += w->p->n_spike_times[i];
    char      *folder = sonata_join(w->s->dir, "inputs"), *path = folder ? sonata_save_path(folder, w->p->name, "_spikes.h5") : NULL, *named = sonata_save_path("$INPUT_DIR", w->p->name, "_spikes.h5");
    double    *times = malloc(((size_t)n + 1) * sizeof *times);
    int64_t   *ids = malloc(((size_t)n + 1) * sizeof *ids);
    hdf5_file  file = { 0 };
    rv_status  status = path && named && times && ids ? RV_OK : error_memory(w->s->error, "spikes", 16.0 * (double)n);
    if (status == RV_OK && (hdf5_create(path, &file) != RV_OK || report_file_begin(&file) != RV_OK)) status = sonata_file_failed(&file, w->s->error);
    if (status == RV_OK) status = write_spikes(w, &file, n, times, ids);
    if (hdf5_close(&file) != RV_OK && status == RV_OK) status = sonata_file_failed(&file, w->s->error);
    if (status == RV_OK) json_object_set_new(w->s->inputs, w->p->name, json_pack("{ssssssss}", "input_type", "spikes", "module", "h5", "input_file", named, "node_set", w->p->name));
    free(folder), free(path), free(named), free(times), free(ids);
    return status;
}

rv_status sonata_save_nodes(saver *s, int population)
{
    writer w = { .s = s, .p = &s->net->def.population[population], .params = json_object() };
    char  *folder = sonata_join(s->dir, "network"), *path = sonata_save_path(folder, w.p->name, "_nodes.h5"), *types = sonata_save_path(folder, w.p->name, "_node_types.csv");
    char  *path_named = sonata_save_path("$NETWORK_DIR", w.p->name, "_nodes.h5"), *types_named = sonata_save_path("$NETWORK_DIR", w.p->name, "_node_types.csv");
    rv_status status = w.p->payloads ? error_set(s->error, RV_CONFLICT, "population \"%.200s\": spikes that carry numbers have no place in SONATA", w.p->name) : RV_OK;
    if (status == RV_OK) status = save_file(&w, path);
    if (status == RV_OK) status = save_types(&w, types);
    if (status == RV_OK && json_object_size(w.params)) status = sonata_save_json(s, "components/point_neuron_models", w.p->name, ".json", w.params);
    if (status == RV_OK) status = save_spikes(&w);
    if (status == RV_OK) json_array_append_new(s->nodes, json_pack("{ssss}", "nodes_file", path_named, "node_types_file", types_named));
    json_decref(w.params);
    free(folder), free(path), free(types), free(path_named), free(types_named);
    return status;
}
