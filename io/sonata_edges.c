/* Edges: which populations of them there are, between which nodes. The edges themselves are read when they are connected, block
 * by block (sonata_connect.c). Indices are not needed, since all edges are read. */
#include "io/sonata_internal.h"

static rv_status find_ends(sonata_circuit *c, hdf5_file *file, const char *group, const char *which, int *nodes, int64_t *n, rv_error *error)
{
    char      name[256], dataset[64];
    snprintf(dataset, sizeof dataset, "%s_node_id", which);
    hdf5_path at = hdf5_at(group, dataset);
    TRY(sonata_length(file, at.path, n, error));
    if (hdf5_get_text(file, at.path, "node_population", name, sizeof name) != RV_OK) return sonata_file_failed(file, error);
    *nodes = sonata_nodes_find(c, name);
    if (*nodes >= 0) return RV_OK;
    const char **names = calloc((size_t)c->n_nodes + 1, sizeof *names);
    if (!names) return error_memory(error, group, 0);
    for (int k = 0; k < c->n_nodes; k++) names[k] = c->nodes[k].name;
    char object[SONATA_TEXT];
    snprintf(object, sizeof object, "file \"%.200s\", %.150s", file->path, at.path);
    error_unknown(error, object, "population of nodes", name, names, c->n_nodes);
    free(names);
    return error->status;
}

static rv_status read_population(sonata_circuit *c, hdf5_file *file, const char *name, const char *types, rv_error *error)
{
    hdf5_path     group = hdf5_at("/edges", name);
    int64_t       n;
    sonata_edges *longer = realloc(c->edges, (size_t)(c->n_edges + 1) * sizeof *longer);
    if (!longer) return error_memory(error, "populations of edges", sizeof *longer);
    c->edges = longer;
    sonata_edges *edges = &c->edges[c->n_edges++];
    *edges = (sonata_edges){ .name = strdup(name), .path = strdup(file->path) };
    if (!edges->name || !edges->path) return error_memory(error, name, 0);
    TRY(find_ends(c, file, group.path, "source", &edges->source, &edges->n, error));
    TRY(find_ends(c, file, group.path, "target", &edges->target, &n, error));
    if (n != edges->n) return sonata_refuse(file, group.path, error, "%lld sources and %lld targets", (long long)edges->n, (long long)n);
    return types ? sonata_table_read(types, &edges->types, error) : RV_OK;
}

/* @param populations BBP: an object that names those of the file that belong to the circuit; NULL: all of them do */
static rv_status read_file(sonata_circuit *c, const char *path, const char *types, const json_t *populations, rv_error *error)
{
    hdf5_file  file = { 0 };
    hdf5_names names = { 0 };
    TRY(sonata_file_open(path, &file, error));
    rv_status status = hdf5_kind_of(&file, "/edges") == HDF5_GROUP ? RV_OK : sonata_refuse(&file, "/edges", error, "there is no such group, so it is no file of edges");
    if (status == RV_OK && hdf5_list(&file, "/edges", &names) != RV_OK) status = sonata_file_failed(&file, error);
    for (int k = 0; k < names.n && status == RV_OK; k++)
        if (!populations || json_object_get(populations, names.name[k])) status = read_population(c, &file, names.name[k], types, error);
    hdf5_names_free(&names);
    hdf5_close(&file);
    return status;
}

rv_status sonata_edges_open(sonata_circuit *c, rv_error *error)
{
    json_t *entry, *list = json_object_get(json_object_get(c->config, "networks"), "edges");
    size_t  k;
    json_array_foreach(list, k, entry)
    {
        const char *path = sonata_text(entry, "edges_file"), *types = sonata_text(entry, "edge_types_file");
        if (!sonata_enabled(entry, "enabled")) continue;
        if (!path) return error_set(error, RV_WRONG_SHAPE, "\"%.300s\": networks.edges[%zu] has no edges_file", c->path, k);
        TRY(read_file(c, path, types, json_object_get(entry, "populations"), error));
    }
    return RV_OK;
}

void sonata_edges_free(sonata_edges *edges)
{
    sonata_table_free(&edges->types);
    free(edges->name), free(edges->path);
    *edges = (sonata_edges){ 0 };
}
