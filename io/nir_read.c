/* Reading .nir files: /version, and /node with type, nodes, edges, metadata; each node a group of its own. What a file can make
 * the reader do is bounded: nodes, depth, and the bytes of all values by what a file of its size can hold: arrays under many names would be read many times. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/nir.h"
#include "io/hdf5_file.h"
#include "io/nir_internal.h"
#include "sim/error.h"

enum { BEST_COMPRESSION = 1100, ALWAYS = 1 << 20, REPEATS = 16 }; /* deflate cannot do better than 1032; bytes that are always fine */
enum { MOST_VALUES = 1 << 20 };                     /* of all nodes                                                   */

typedef struct reader {
    hdf5_file file;
    int64_t   stored;              /* bytes of datasets that may still be read: together they take no more than the file */
    int64_t   budget;              /* bytes of what is not stored as such: texts, which may share a place, and values never written */
    int       n_nodes, n_values;   /* so far                                 */
    bool      loose;
    rv_error *error;
} reader;

static rv_status pass_error(reader *r, rv_status status) { return status == RV_OK ? RV_OK : error_set(r->error, status, "%s", r->file.error.text); }

/* group/name; refused where it is too long to be told whole. */
static rv_status join(reader *r, const char *group, const char *name, hdf5_path *path)
{
    *path = hdf5_at(group, name);
    if (strlen(group) + strlen(name) + 2 <= sizeof path->path) return RV_OK;
    return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.100s...: names and depth of more than %zu characters", r->file.path, group, sizeof path->path);
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static rv_status spend(reader *r, const char *dataset, int64_t bytes, int64_t stored)
{
    int64_t beyond = bytes > stored * BEST_COMPRESSION ? bytes : 0;
    if (stored <= r->stored && beyond <= r->budget && r->n_values++ < MOST_VALUES) return r->stored -= stored, r->budget -= beyond, RV_OK;
    return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.200s: is damaged: more values than a file of this size can hold", r->file.path, dataset);
}

static rv_status load_numbers(reader *r, const char *dataset, nir_value *value)
{
    hdf5_shape shape;
    rv_status  status = pass_error(r, hdf5_shape_of(&r->file, dataset, &shape));
    if (status == RV_OK) status = spend(r, dataset, shape.count * (int64_t)hdf5_type_size(value->type), hdf5_stored_bytes(&r->file, dataset));
    return status == RV_OK ? pass_error(r, hdf5_load(&r->file, dataset, value->type, &value->data, &value->shape)) : status;
}

static rv_status load_texts(reader *r, const char *dataset, nir_value *value)
{
    rv_status status = pass_error(r, hdf5_load_texts(&r->file, dataset, r->budget, &value->text, &value->shape));
    int64_t   bytes = 0;
    for (int64_t k = 0; status == RV_OK && k < value->shape.count; k++) bytes += (int64_t)strlen(value->text[k]) + 1;
    return status == RV_OK ? spend(r, dataset, bytes, 0) : status;
}

/* Adds what was read to the group, also after a failure, so that it is freed with it. */
static rv_status load_value(reader *r, const char *dataset, const char *name, nir_group *group)
{
    bool       texts;
    nir_value *grown = realloc(group->value, (size_t)(group->n_values + 1) * sizeof *grown);
    if (!grown) return error_memory(r->error, dataset, sizeof *grown);
    group->value = grown;
    nir_value *value = &grown[group->n_values];
    *value = (nir_value){ .name = strdup(name) };
    if (!value->name) return error_memory(r->error, dataset, 0);
    group->n_values++;
    rv_status status = pass_error(r, hdf5_type_of(&r->file, dataset, &texts, &value->type));
    if (status != RV_OK) return status;
    return texts ? load_texts(r, dataset, value) : load_numbers(r, dataset, value);
}

static rv_status load_metadata(reader *r, const char *path, int depth, nir_group *group);

static rv_status load_subgroup(reader *r, const char *path, const char *name, int depth, nir_group *group)
{
    nir_group *grown = realloc(group->group, (size_t)(group->n_groups + 1) * sizeof *grown);
    if (!grown) return error_memory(r->error, path, sizeof *grown);
    group->group = grown;
    grown[group->n_groups] = (nir_group){ .name = strdup(name) };
    return load_metadata(r, path, depth + 1, &grown[group->n_groups++]);
}

/* Free key and value, nested; what is neither number nor text is left out: no tool reads it. */
static rv_status load_metadata(reader *r, const char *path, int depth, nir_group *group)
{
    hdf5_names names;
    hdf5_path  at;
    if (depth > NIR_MAX_DEPTH) return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.200s: metadata nested more than %d times", r->file.path, path, NIR_MAX_DEPTH);
    TRY(spend(r, path, 0, 0));
    TRY(pass_error(r, hdf5_list(&r->file, path, &names)));
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++) {
        status = join(r, path, names.name[k], &at);
        if (status != RV_OK) break;
        hdf5_kind kind = hdf5_kind_of(&r->file, at.path);
        if (kind == HDF5_GROUP) status = load_subgroup(r, at.path, names.name[k], depth, group);
        else if (kind == HDF5_DATASET) status = load_value(r, at.path, names.name[k], group);
    }
    hdf5_names_free(&names);
    return status;
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

static rv_status load_graph(reader *r, const char *path, int depth, nir_graph *graph);

static rv_status load_kind(reader *r, const char *path, nir_kind *kind)
{
    hdf5_path at;
    char     *text;
    TRY(join(r, path, "type", &at));
    TRY(pass_error(r, hdf5_load_text(&r->file, at.path, &text)));
    for (*kind = 0; *kind < N_NIR_KINDS && strcmp(text, nir_kind_names[*kind]) != 0;) (*kind)++;
    rv_status status = RV_OK;
    if (*kind == N_NIR_KINDS) {
        char object[400];
        snprintf(object, sizeof object, "file \"%.150s\", %.200s", r->file.path, path);
        status = error_unknown(r->error, object, "node type", text, nir_kind_names, N_NIR_KINDS);
    }
    free(text);
    return status;
}

static rv_status load_field(reader *r, const char *path, const char *name, nir_node *node)
{
    hdf5_path at;
    TRY(join(r, path, name, &at));
    hdf5_kind kind = hdf5_kind_of(&r->file, at.path);
    if (strcmp(name, "metadata") == 0 && kind == HDF5_GROUP) return load_metadata(r, at.path, 0, &node->metadata);
    if (kind == HDF5_DATASET) return load_value(r, at.path, name, &node->fields);
    return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.200s: is not a field: fields of nodes are datasets", r->file.path, at.path);
}

static rv_status load_fields(reader *r, const char *path, nir_node *node)
{
    hdf5_names names;
    TRY(pass_error(r, hdf5_list(&r->file, path, &names)));
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++)
        if (strcmp(names.name[k], "type") != 0) status = load_field(r, path, names.name[k], node);
    hdf5_names_free(&names);
    return status;
}

static rv_status load_node(reader *r, const char *path, const char *name, int depth, nir_graph *graph)
{
    nir_kind  kind;
    nir_node *node;
    if (r->n_nodes++ >= NIR_MAX_NODES) return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\": more than %d nodes", r->file.path, NIR_MAX_NODES);
    TRY(load_kind(r, path, &kind));
    rv_error reason;
    rv_status status = nir_add(graph, name, kind, &node, &reason);
    if (status != RV_OK) return error_set(r->error, status, "file \"%.150s\", %.100s: %.200s", r->file.path, path, reason.text);
    return kind == NIR_GRAPH ? load_graph(r, path, depth + 1, node->graph) : load_fields(r, path, node);
}

static rv_status load_nodes(reader *r, const char *path, int depth, nir_graph *graph)
{
    hdf5_names names;
    hdf5_path  at;
    TRY(pass_error(r, hdf5_list(&r->file, path, &names)));
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++) {
        status = join(r, path, names.name[k], &at);
        if (status == RV_OK) status = load_node(r, at.path, names.name[k], depth, graph);
    }
    hdf5_names_free(&names);
    return status;
}

/* (E, 2) names; a list without edges is written as an empty one of numbers. */
static rv_status load_edges(reader *r, const char *path, nir_graph *graph)
{
    nir_group holder = { 0 };
    rv_status status = load_value(r, path, "edges", &holder);
    nir_value *edges = holder.value;
    if (status == RV_OK && edges->shape.count > 0 && (!edges->text || edges->shape.rank != 2 || edges->shape.n[1] != 2))
        status = error_set(r->error, RV_WRONG_SHAPE, "file \"%.150s\", %.200s: edges are an array of texts with two columns, from and to", r->file.path, path);
    for (int64_t k = 0; status == RV_OK && k + 1 < edges->shape.count; k += 2)
        status = nir_connect(graph, edges->text[k], edges->text[k + 1], r->error);
    nir_group_free(&holder);
    return status;
}

static rv_status load_graph(reader *r, const char *path, int depth, nir_graph *graph)
{
    hdf5_path at;
    graph->loose = r->loose;
    if (depth > NIR_MAX_DEPTH) return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\", %.100s...: graphs nested more than %d times", r->file.path, path, NIR_MAX_DEPTH);
    TRY(join(r, path, "nodes", &at));
    TRY(load_nodes(r, at.path, depth, graph));
    TRY(join(r, path, "edges", &at));
    TRY(load_edges(r, at.path, graph));
    TRY(join(r, path, "metadata", &at));
    return hdf5_kind_of(&r->file, at.path) == HDF5_GROUP ? load_metadata(r, at.path, 0, &graph->metadata) : RV_OK;
}

/* ---- the file --------------------------------------------------------------------------------------------------- */

static rv_status load_file(reader *r, nir_graph *graph)
{
    nir_kind kind;
    if (hdf5_kind_of(&r->file, "/node") != HDF5_GROUP)
        return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\": is not a NIR file: it has no group \"node\"", r->file.path);
    TRY(load_kind(r, "/node", &kind));
    if (kind != NIR_GRAPH) return error_set(r->error, RV_FILE_ERROR, "file \"%.150s\": its root is a %s, a NIRGraph is needed", r->file.path, nir_kind_names[kind]);
    if (hdf5_kind_of(&r->file, "/version") == HDF5_DATASET) TRY(pass_error(r, hdf5_load_text(&r->file, "/version", &graph->version)));
    return load_graph(r, "/node", 0, graph);
}

/* The sentence of a check, with the file's name before it. */
static rv_status check_file(const char *path, nir_graph *graph, rv_error *error)
{
    rv_error  reason;
    rv_status status = nir_check(graph, &reason);
    return status == RV_OK ? RV_OK : error_set(error, status, "file \"%.120s\": %.380s", path, reason.text);
}

static rv_status read_graph(const char *path, bool loose, nir_graph *graph, rv_error *error)
{
    struct stat about = { 0 };
    reader      r = { .loose = loose, .error = error };
    *graph = (nir_graph){ 0 };
    stat(path, &about);
    r.stored = about.st_size, r.budget = ALWAYS + (int64_t)about.st_size * REPEATS;
    rv_status status = pass_error(&r, hdf5_open(path, &r.file));
    if (status == RV_OK) status = load_file(&r, graph);
    hdf5_close(&r.file);
    if (status != RV_OK) nir_free(graph);
    return status;
}

static void try_graph(const char *path, void *graph)
{
    rv_error error;
    read_graph(path, false, graph, &error);
}

rv_status nir_read(const char *path, const nir_options *options, nir_graph *graph, rv_error *error)
{
    *graph = (nir_graph){ 0 };
    TRY(hdf5_try(path, try_graph, graph, error));
    bool unchecked = options && options->unchecked;
    TRY(read_graph(path, unchecked, graph, error));
    rv_status status = nir_check_fields(graph, "", path, error);
    if (status == RV_OK && !unchecked) status = check_file(path, graph, error);
    if (status != RV_OK) nir_free(graph);
    return status;
}
