#include "io/nir_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir.h"
#include "io/hdf5_file.h"
#include "sim/error.h"

enum { MOST_OBSERVABLES = 1 << 12 }; /* each may be as large as the file */

typedef struct reader {
    hdf5_file file;
    nir_data *data;
    rv_error *error;
} reader;

void nir_data_free(nir_data *data)
{
    for (int k = 0; k < data->n_observables; k++) {
        nir_observable *o = &data->observable[k];
        free(o->node), free(o->name), free(o->values), free(o->neuron), free(o->time);
    }
    free(data->observable);
    *data = (nir_data){ 0 };
}

const nir_observable *nir_data_find(const nir_data *data, const char *node, const char *name)
{
    for (int k = 0; k < data->n_observables; k++)
        if ((!node || strcmp(data->observable[k].node, node) == 0) && strcmp(data->observable[k].name, name) == 0) return &data->observable[k];
    return NULL;
}

static rv_status pass_error(reader *r, rv_status status) { return status == RV_OK ? RV_OK : error_set(r->error, status, "%s", r->file.error.text); }

static rv_status refuse(reader *r, const char *object, const char *reason)
{
    return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.200s: %s", r->file.path, object, reason);
}

/* ---- observables ------------------------------------------------------------------------------------------------- */

static rv_status load_gridded(reader *r, const char *path, nir_observable *o)
{
    hdf5_shape shape;
    void      *values;
    TRY(pass_error(r, hdf5_get_double(&r->file, path, "dt", &o->dt)));
    TRY(pass_error(r, hdf5_load(&r->file, hdf5_at(path, "data").path, HDF5_F64, &values, &shape)));
    o->values = values;
    if (shape.rank != 3) return refuse(r, path, "data has not the axes samples, steps and neurons");
    if (!(o->dt > 0)) return refuse(r, path, "dt is not above 0");
    o->n_samples = shape.n[0], o->n_steps = shape.n[1], o->n_neurons = shape.n[2], o->t_max = (double)o->n_steps * o->dt;
    return RV_OK;
}

/* Events of a neuron the layer has not, or at a time before 0, are damage; -1 and infinity stand for no event. */
static rv_status check_events(reader *r, const char *path, const nir_observable *o)
{
    for (int64_t k = 0; k < o->n_samples * o->n_events; k++) {
        if (o->neuron[k] < -1 || o->neuron[k] >= o->n_neurons) return refuse(r, path, "idx has a neuron outside 0 to n_neurons - 1");
        if (o->neuron[k] >= 0 && !(o->time[k] >= 0)) return refuse(r, path, "time has an event before 0");
    }
    return RV_OK;
}

static rv_status load_events(reader *r, const char *path, nir_observable *o)
{
    hdf5_shape shape, other;
    void      *values;
    TRY(pass_error(r, hdf5_get_int(&r->file, path, "n_neurons", &o->n_neurons)));
    TRY(pass_error(r, hdf5_get_double(&r->file, path, "t_max", &o->t_max)));
    TRY(pass_error(r, hdf5_load(&r->file, hdf5_at(path, "idx").path, HDF5_I64, &values, &shape)));
    o->neuron = values;
    TRY(pass_error(r, hdf5_load(&r->file, hdf5_at(path, "time").path, HDF5_F64, &values, &other)));
    o->time = values;
    if (shape.rank != 2 || other.rank != 2 || shape.n[0] != other.n[0] || shape.n[1] != other.n[1]) return refuse(r, path, "idx and time have not both the axes samples and events");
    o->n_samples = shape.n[0], o->n_events = shape.n[1];
    if (o->kind == NIR_VALUED_EVENTS) {
        TRY(pass_error(r, hdf5_load(&r->file, hdf5_at(path, "value").path, HDF5_F64, &values, &other)));
        o->values = values;
        if (other.count != shape.count) return refuse(r, path, "value has not as many numbers as idx");
    }
    return check_events(r, path, o);
}

static rv_status load_observable(reader *r, const char *path, const char *node, const char *name)
{
    static const char *const kinds[] = { "TimeGriddedData", "EventData", "ValuedEventData" };
    char                     text[64];
    nir_data                *d = r->data;
    if (d->n_observables == MOST_OBSERVABLES) return refuse(r, path, "more observables than are read");
    TRY(pass_error(r, hdf5_get_text(&r->file, path, "__type__", text, sizeof text)));
    nir_observable  made = { .node = strdup(node), .name = strdup(name) };
    nir_observable *grown = realloc(d->observable, (size_t)(d->n_observables + 1) * sizeof *grown);
    if (!grown || !made.node || !made.name) return free(made.node), free(made.name), d->observable = grown ? grown : d->observable, error_memory(r->error, path, 0);
    d->observable = grown;
    nir_observable *o = &grown[d->n_observables++];
    *o = made;
    while (o->kind < 3 && strcmp(text, kinds[o->kind]) != 0) o->kind++;
    if (o->kind == 3) return o->kind = 0, error_unknown(r->error, path, "type of observable", text, kinds, 3);
    return o->kind == NIR_GRIDDED ? load_gridded(r, path, o) : load_events(r, path, o);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------- */

static rv_status load_nodes(reader *r, const char *path, const char *node, int depth);

/* A node has observables, a nested graph nodes. */
static rv_status load_node(reader *r, const char *path, const char *node, int depth)
{
    hdf5_path  group = hdf5_at(path, "observables");
    hdf5_names names;
    if (hdf5_kind_of(&r->file, group.path) == HDF5_NOTHING) return load_nodes(r, path, node, depth + 1);
    TRY(pass_error(r, hdf5_list(&r->file, group.path, &names)));
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++) status = load_observable(r, hdf5_at(group.path, names.name[k]).path, node, names.name[k]);
    hdf5_names_free(&names);
    return status;
}

static rv_status load_nodes(reader *r, const char *path, const char *node, int depth)
{
    hdf5_path  group = hdf5_at(path, "nodes");
    hdf5_names names;
    if (depth > NIR_MAX_DEPTH || strlen(path) > 900) return refuse(r, path, "graphs nested too deep");
    TRY(pass_error(r, hdf5_list(&r->file, group.path, &names)));
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++) {
        hdf5_path inner;
        snprintf(inner.path, sizeof inner.path, "%.700s%s%.300s", node, *node ? "/" : "", names.name[k]);
        status = load_node(r, hdf5_at(group.path, names.name[k]).path, inner.path, depth);
    }
    hdf5_names_free(&names);
    return status;
}

static rv_status load_file(reader *r)
{
    char text[64];
    if (hdf5_get_text(&r->file, "/", "__type__", text, sizeof text) != RV_OK || strcmp(text, "NIRGraphData") != 0)
        return refuse(r, "/", "is not a NIRData file: its __type__ is not NIRGraphData");
    return load_nodes(r, "/", "", 0);
}

static rv_status read_data(const char *path, nir_data *data, rv_error *error)
{
    reader r = { .data = data, .error = error };
    *data = (nir_data){ 0 };
    rv_status status = pass_error(&r, hdf5_open(path, &r.file));
    if (status == RV_OK) status = load_file(&r);
    hdf5_close(&r.file);
    if (status != RV_OK) nir_data_free(data);
    return status;
}

static void try_data(const char *path, void *data)
{
    rv_error error;
    read_data(path, data, &error);
}

rv_status nir_data_read(const char *path, nir_data *data, rv_error *error)
{
    *data = (nir_data){ 0 };
    TRY(hdf5_try(path, try_data, data, error));
    return read_data(path, data, error);
}
