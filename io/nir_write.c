/* Writing .nir files, as NIR's library does: texts of variable length, arrays in their own type, single numbers as such. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/nir.h"
#include "io/hdf5_file.h"
#include "io/nir_internal.h"
#include "sim/error.h"

typedef struct writer {
    hdf5_file file;
    rv_error *error;
} writer;

static rv_status pass_error(writer *w, rv_status status) { return status == RV_OK ? RV_OK : error_set(w->error, status, "%s", w->file.error.text); }

static rv_status join(writer *w, const char *group, const char *name, hdf5_path *path)
{
    *path = hdf5_at(group, name);
    if (*name && !strchr(name, '/') && strlen(group) + strlen(name) + 2 <= sizeof path->path) return RV_OK;
    return error_set(w->error, RV_OUT_OF_RANGE, "file \"%.150s\", %.100s: \"%.60s\" cannot be a name there: not empty, no slash, and %zu characters with its path", w->file.path,
                     group, name, sizeof path->path);
}

static rv_status write_text(writer *w, const char *group, const char *name, const char *text)
{
    hdf5_path at;
    TRY(join(w, group, name, &at));
    return pass_error(w, hdf5_write_texts(&w->file, at.path, &(hdf5_shape){ .count = 1 }, (char *const[]){ (char *)text }));
}

static rv_status write_value(writer *w, const char *group, const nir_value *v)
{
    hdf5_path at;
    TRY(join(w, group, v->name, &at));
    if (v->text) return pass_error(w, hdf5_write_texts(&w->file, at.path, &v->shape, v->text));
    return pass_error(w, hdf5_write_array(&w->file, at.path, v->type, v->data, v->shape.rank, v->shape.n));
}

static rv_status write_group(writer *w, const char *parent, const char *name, const nir_group *group)
{
    hdf5_path at;
    TRY(join(w, parent, name, &at));
    TRY(pass_error(w, hdf5_make_group(&w->file, at.path)));
    for (int k = 0; k < group->n_values; k++) TRY(write_value(w, at.path, &group->value[k]));
    for (int k = 0; k < group->n_groups; k++) TRY(write_group(w, at.path, group->group[k].name, &group->group[k]));
    return RV_OK;
}

static rv_status write_metadata(writer *w, const char *path, const nir_group *metadata)
{
    return metadata->n_values + metadata->n_groups ? write_group(w, path, "metadata", metadata) : RV_OK;
}

/* Shapes that were left to inference: who reads the file need not infer them, and NIR's library refuses a convolution without. */
static rv_status write_inferred(writer *w, const char *path, const nir_node *node)
{
    bool        conv = node->kind == NIR_CONV1D || node->kind == NIR_CONV2D;
    const char *name = conv ? "input_shape" : "input_type";
    hdf5_path   at;
    if ((!conv && node->kind != NIR_FLATTEN) || nir_get(node, name) || !node->input.known) return RV_OK;
    hdf5_shape shape = nir_vector_shape(node->input.rank - conv);
    if (node->kind == NIR_CONV1D) shape = (hdf5_shape){ .count = 1 };
    TRY(join(w, path, name, &at));
    return pass_error(w, hdf5_write_array(&w->file, at.path, HDF5_I64, node->input.n + conv, shape.rank, shape.n));
}

static rv_status write_graph(writer *w, const char *path, const nir_graph *graph);

static rv_status write_node(writer *w, const char *parent, const nir_node *node)
{
    hdf5_path at;
    TRY(join(w, parent, node->name, &at));
    TRY(pass_error(w, hdf5_make_group(&w->file, at.path)));
    if (node->kind == NIR_GRAPH) return write_graph(w, at.path, node->graph);
    TRY(write_text(w, at.path, "type", nir_kind_names[node->kind]));
    for (int k = 0; k < node->fields.n_values; k++) TRY(write_value(w, at.path, &node->fields.value[k]));
    TRY(write_inferred(w, at.path, node));
    return write_metadata(w, at.path, &node->metadata);
}

static rv_status write_edges(writer *w, const char *path, const nir_graph *graph)
{
    hdf5_path  at;
    hdf5_shape shape = nir_matrix_shape(graph->n_edges, 2);
    TRY(join(w, path, "edges", &at));
    if (graph->n_edges == 0) return pass_error(w, hdf5_write(&w->file, at.path, HDF5_F64, NULL, 0)); /* as the library does */
    return pass_error(w, hdf5_write_texts(&w->file, at.path, &shape, &graph->edge[0].from));
}

static rv_status write_graph(writer *w, const char *path, const nir_graph *graph)
{
    hdf5_path at;
    TRY(write_text(w, path, "type", nir_kind_names[NIR_GRAPH]));
    TRY(join(w, path, "nodes", &at));
    TRY(pass_error(w, hdf5_make_group(&w->file, at.path)));
    for (int k = 0; k < graph->n_nodes; k++) TRY(write_node(w, at.path, &graph->node[k]));
    TRY(write_edges(w, path, graph));
    return write_metadata(w, path, &graph->metadata);
}

static rv_status write_file(writer *w, const nir_graph *graph)
{
    TRY(write_text(w, "/", "version", graph->version ? graph->version : NIR_VERSION));
    TRY(pass_error(w, hdf5_make_group(&w->file, "/node")));
    return write_graph(w, "/node", graph);
}

rv_status nir_write(const char *path, const nir_options *options, nir_graph *graph, rv_error *error)
{
    writer w = { .error = error };
    TRY(options && options->unchecked ? nir_check_fields(graph, "", NULL, error) : nir_check(graph, error));
    TRY(pass_error(&w, hdf5_create(path, &w.file)));
    rv_status status = write_file(&w, graph), closed = hdf5_close(&w.file);
    if (status == RV_OK) status = pass_error(&w, closed);
    if (status != RV_OK) unlink(path); /* half a graph is of no use */
    return status;
}
