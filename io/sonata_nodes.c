/* Nodes: ids and types. What the nodes are, is known by their types (sonata_neurons.c). */
#include "io/sonata_internal.h"

#include "sim/definition.h"

/* ---- ids --------------------------------------------------------------------------------------------------------- */

typedef struct pair {
    int64_t id, row;
} pair;

static int by_id(const void *pa, const void *pb)
{
    const pair *a = pa, *b = pb;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->row > b->row) - (a->row < b->row);
}

int64_t sonata_row(const sonata_nodes *nodes, int64_t id)
{
    if (!nodes->id) return id >= 0 && id < nodes->n ? id : -1;
    int64_t low = 0, high = nodes->n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (nodes->id[nodes->by_id[middle]] < id) low = middle + 1;
        else high = middle;
    }
    return low < nodes->n && nodes->id[nodes->by_id[low]] == id ? nodes->by_id[low] : -1;
}

/* Rows in the order of their ids; a node id is a key, not a row number. */
static rv_status sort_ids(const hdf5_file *file, const char *dataset, sonata_nodes *nodes, rv_error *error)
{
    pair *pairs = malloc(((size_t)nodes->n + 1) * sizeof *pairs);
    nodes->by_id = malloc(((size_t)nodes->n + 1) * sizeof *nodes->by_id);
    if (!pairs || !nodes->by_id) return free(pairs), error_memory(error, "node ids", (double)nodes->n * 24);
    for (int64_t i = 0; i < nodes->n; i++) pairs[i] = (pair){ nodes->id[i], i };
    qsort(pairs, (size_t)nodes->n, sizeof *pairs, by_id);
    rv_status status = RV_OK;
    for (int64_t i = 0; i < nodes->n; i++) {
        nodes->by_id[i] = pairs[i].row;
        if (i > 0 && pairs[i].id == pairs[i - 1].id && status == RV_OK) status = sonata_refuse(file, dataset, error, "node %lld is there twice", (long long)pairs[i].id);
    }
    free(pairs);
    return status;
}

static rv_status read_ids(hdf5_file *file, const char *group, sonata_nodes *nodes, rv_error *error)
{
    hdf5_path at = hdf5_at(group, "node_id");
    if (hdf5_kind_of(file, at.path) == HDF5_NOTHING) return RV_OK;
    TRY(sonata_load(file, at.path, HDF5_I64, nodes->n, (void **)&nodes->id, error));
    bool in_order = true;
    for (int64_t i = 0; i < nodes->n; i++) {
        if (nodes->id[i] < 0) return sonata_refuse(file, at.path, error, "row %lld is node %lld, allowed are ids from 0", (long long)i, (long long)nodes->id[i]);
        in_order &= nodes->id[i] == i;
    }
    if (!in_order) return sort_ids(file, at.path, nodes, error);
    free(nodes->id);
    nodes->id = NULL;
    return RV_OK;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static rv_status match_types(const hdf5_file *file, const char *dataset, sonata_nodes *nodes, const int64_t *type, const sonata_ids *ids, rv_error *error)
{
    int row = -1;
    for (int64_t i = 0; i < nodes->n; i++) {
        if (i == 0 || type[i] != type[i - 1]) row = sonata_ids_find(ids, type[i]);
        if (row < 0 && type[i] != -1)
            return sonata_refuse(file, dataset, error, "row %lld has type %lld, which \"%.150s\" does not have", (long long)i, (long long)type[i], nodes->types.path);
        nodes->type[i] = row;
    }
    return RV_OK;
}

static rv_status read_types(hdf5_file *file, const char *group, sonata_nodes *nodes, rv_error *error)
{
    hdf5_path  at = hdf5_at(group, "node_type_id");
    int64_t   *type = NULL;
    sonata_ids ids = { 0 };
    nodes->type = malloc(((size_t)nodes->n + 1) * sizeof *nodes->type);
    if (!nodes->type) return error_memory(error, "node types", (double)nodes->n * 4);
    for (int64_t i = 0; i < nodes->n; i++) nodes->type[i] = -1;
    if (nodes->types.n_rows == 0) return RV_OK;
    rv_status status = sonata_load(file, at.path, HDF5_I64, nodes->n, (void **)&type, error);
    if (status == RV_OK) status = sonata_ids_read(&nodes->types, "node_type_id", nodes->name, &ids, error);
    if (status == RV_OK) status = match_types(file, at.path, nodes, type, &ids, error);
    free(type), free(ids.of);
    return status;
}

/* ---- populations ------------------------------------------------------------------------------------------------- */

int sonata_nodes_find(const sonata_circuit *c, const char *name)
{
    for (int k = 0; k < c->n_nodes; k++)
        if (strcmp(c->nodes[k].name, name) == 0) return k;
    return -1;
}

static rv_status read_population(sonata_circuit *c, hdf5_file *file, const char *name, const char *types, rv_error *error)
{
    hdf5_path     group = hdf5_at("/nodes", name);
    sonata_nodes *longer = realloc(c->nodes, (size_t)(c->n_nodes + 1) * sizeof *longer);
    if (!longer) return error_memory(error, "populations of nodes", sizeof *longer);
    c->nodes = longer;
    if (sonata_nodes_find(c, name) >= 0) return sonata_refuse(file, group.path, error, "there is a population of this name already");
    sonata_nodes *nodes = &c->nodes[c->n_nodes++];
    *nodes = (sonata_nodes){ .name = strdup(name), .path = strdup(file->path) };
    if (!nodes->name || !nodes->path) return error_memory(error, "a name", 0);
    TRY(sonata_length(file, hdf5_at(group.path, "node_type_id").path, &nodes->n, error));
    if (nodes->n > MAX_NEURONS) return sonata_refuse(file, group.path, error, "%lld nodes, allowed up to %d", (long long)nodes->n, MAX_NEURONS);
    if (types) TRY(sonata_table_read(types, &nodes->types, error));
    TRY(read_ids(file, group.path, nodes, error));
    return read_types(file, group.path, nodes, error);
}

/* @param populations BBP: an object that names those of the file that belong to the circuit; NULL: all of them do */
static rv_status read_file(sonata_circuit *c, const char *path, const char *types, const json_t *populations, rv_error *error)
{
    hdf5_file  file = { 0 };
    hdf5_names names = { 0 };
    TRY(sonata_file_open(path, &file, error));
    rv_status status = hdf5_kind_of(&file, "/nodes") == HDF5_GROUP ? RV_OK : sonata_refuse(&file, "/nodes", error, "there is no such group, so it is no file of nodes");
    if (status == RV_OK && hdf5_list(&file, "/nodes", &names) != RV_OK) status = sonata_file_failed(&file, error);
    for (int k = 0; k < names.n && status == RV_OK; k++)
        if (!populations || json_object_get(populations, names.name[k])) status = read_population(c, &file, names.name[k], types, error);
    hdf5_names_free(&names);
    hdf5_close(&file);
    return status;
}

rv_status sonata_nodes_open(sonata_circuit *c, rv_error *error)
{
    json_t *entry, *list = json_object_get(json_object_get(c->config, "networks"), "nodes");
    size_t  k;
    if (!json_is_array(list)) return error_set(error, RV_WRONG_SHAPE, "\"%.300s\": names no networks with nodes: [ ... ]", c->path);
    json_array_foreach(list, k, entry)
    {
        const char *path = sonata_text(entry, "nodes_file"), *types = sonata_text(entry, "node_types_file");
        if (!path) return error_set(error, RV_WRONG_SHAPE, "\"%.300s\": networks.nodes[%zu] has no nodes_file", c->path, k);
        TRY(read_file(c, path, types, json_object_get(entry, "populations"), error));
    }
    return RV_OK;
}

void sonata_nodes_free(sonata_nodes *nodes)
{
    for (int k = 0; k < nodes->n_parts; k++) free(nodes->part[k].model), free(nodes->part[k].row);
    sonata_table_free(&nodes->types);
    free(nodes->part), free(nodes->part_of), free(nodes->place), free(nodes->type), free(nodes->id), free(nodes->by_id), free(nodes->name), free(nodes->path);
    *nodes = (sonata_nodes){ 0 };
}
