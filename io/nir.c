/* The graph in memory. Nodes are kept in the order of their names, so that they are found by bisection. */
#include "io/nir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_file.h"
#include "io/nir_internal.h"
#include "sim/error.h"

const char *const nir_kind_names[N_NIR_KINDS] = {
    [NIR_INPUT] = "Input",       [NIR_OUTPUT] = "Output",       [NIR_AFFINE] = "Affine",       [NIR_LINEAR] = "Linear",   [NIR_SCALE] = "Scale",
    [NIR_THRESHOLD] = "Threshold", [NIR_DELAY] = "Delay",       [NIR_I] = "I",                 [NIR_IF] = "IF",           [NIR_LI] = "LI",
    [NIR_LIF] = "LIF",           [NIR_CUBALI] = "CubaLI",       [NIR_CUBALIF] = "CubaLIF",     [NIR_CONV1D] = "Conv1d",   [NIR_CONV2D] = "Conv2d",
    [NIR_SUMPOOL2D] = "SumPool2d", [NIR_AVGPOOL2D] = "AvgPool2d", [NIR_FLATTEN] = "Flatten",   [NIR_GRAPH] = "NIRGraph",
};

/* ---- freeing ---------------------------------------------------------------------------------------------------- */

static void free_value(nir_value *v)
{
    for (int64_t k = 0; v->text && k < v->shape.count; k++) free(v->text[k]);
    free(v->name), free(v->text), free(v->data);
}

void nir_group_free(nir_group *g)
{
    for (int k = 0; k < g->n_values; k++) free_value(&g->value[k]);
    for (int k = 0; k < g->n_groups; k++) nir_group_free(&g->group[k]);
    free(g->name), free(g->value), free(g->group);
}

void nir_free(nir_graph *graph)
{
    for (int k = 0; k < graph->n_nodes; k++) {
        nir_node *node = &graph->node[k];
        nir_group_free(&node->fields), nir_group_free(&node->metadata);
        if (node->graph) nir_free(node->graph);
        free(node->graph), free(node->name);
    }
    for (int k = 0; k < graph->n_edges; k++) free(graph->edge[k].from), free(graph->edge[k].to);
    nir_group_free(&graph->metadata);
    free(graph->node), free(graph->edge), free(graph->version);
    *graph = (nir_graph){ 0 };
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

/* The first place whose node's name is not before this one. */
static int place_of(const nir_graph *graph, const char *name)
{
    int low = 0, high = graph->n_nodes;
    while (low < high) {
        int middle = (low + high) / 2;
        if (strcmp(graph->node[middle].name, name) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

nir_node *nir_find(const nir_graph *graph, const char *name)
{
    int k = place_of(graph, name);
    return k < graph->n_nodes && strcmp(graph->node[k].name, name) == 0 ? &graph->node[k] : NULL;
}

const nir_value *nir_group_get(const nir_group *group, const char *name)
{
    for (int k = 0; k < group->n_values; k++)
        if (strcmp(group->value[k].name, name) == 0) return &group->value[k];
    return NULL;
}

const nir_value *nir_get(const nir_node *node, const char *field) { return nir_group_get(&node->fields, field); }

double nir_number(const nir_value *value, int64_t i)
{
    if (value->shape.count == 1) i = 0;
    if (!value->data || i < 0 || i >= value->shape.count) return NAN;
    switch (value->type) {
    case HDF5_U8: return ((const uint8_t *)value->data)[i];
    case HDF5_U16: return ((const uint16_t *)value->data)[i];
    case HDF5_I32: return ((const int32_t *)value->data)[i];
    case HDF5_U32: return ((const uint32_t *)value->data)[i];
    case HDF5_I64: return (double)((const int64_t *)value->data)[i];
    case HDF5_U64: return (double)((const uint64_t *)value->data)[i];
    case HDF5_F32: return ((const float *)value->data)[i];
    case HDF5_F64: return ((const double *)value->data)[i];
    }
    return NAN;
}

const char *nir_text(const nir_value *value) { return value && value->text && value->shape.count == 1 ? value->text[0] : NULL; }

int64_t nir_size(const nir_shape *shape)
{
    int64_t size = shape->known;
    for (int k = 0; k < shape->rank; k++) size *= shape->n[k];
    return size;
}

/* ---- making ----------------------------------------------------------------------------------------------------- */

static rv_status check_name(const char *what, const char *name, rv_error *error)
{
    if (!name[0] || strcmp(name, ".") == 0)
        return error_set(error, RV_OUT_OF_RANGE, "%s \"%s\": a name must not be empty or a dot", what, name);
    if (strlen(name) <= 200 && !strchr(name, '/')) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "%s \"%.60s%s\": a name has up to 200 characters and no slash", what, name, strlen(name) > 60 ? "..." : "");
}

rv_status nir_add(nir_graph *graph, const char *name, nir_kind kind, nir_node **node, rv_error *error)
{
    TRY(check_name("node", name, error));
    if (nir_find(graph, name)) return error_set(error, RV_CONFLICT, "node \"%s\": there is one of this name already", name);
    if ((graph->n_nodes & (graph->n_nodes - 1)) == 0) { /* full: doubled at every power of two */
        nir_node *grown = realloc(graph->node, (size_t)(graph->n_nodes ? 2 * graph->n_nodes : 1) * sizeof *grown);
        if (!grown) return error_memory(error, "nodes", (double)graph->n_nodes * sizeof *grown);
        graph->node = grown;
    }
    nir_node made = { .name = strdup(name), .kind = kind, .graph = kind == NIR_GRAPH ? calloc(1, sizeof *made.graph) : NULL };
    if (!made.name || (kind == NIR_GRAPH && !made.graph)) return free(made.name), error_memory(error, "nodes", sizeof made);
    int k = place_of(graph, name);
    memmove(graph->node + k + 1, graph->node + k, (size_t)(graph->n_nodes++ - k) * sizeof made);
    graph->node[k] = made;
    if (node) *node = &graph->node[k];
    return RV_OK;
}

rv_status nir_connect(nir_graph *graph, const char *from, const char *to, rv_error *error)
{
    if ((graph->n_edges & (graph->n_edges - 1)) == 0) {
        nir_edge *grown = realloc(graph->edge, (size_t)(graph->n_edges ? 2 * graph->n_edges : 1) * sizeof *grown);
        if (!grown) return error_memory(error, "edges", (double)graph->n_edges * sizeof *grown);
        graph->edge = grown;
    }
    nir_edge made = { strdup(from), strdup(to) };
    if (!made.from || !made.to) return free(made.from), free(made.to), error_memory(error, "edges", 0);
    graph->edge[graph->n_edges++] = made;
    return RV_OK;
}

/* The value of this name, emptied, or a new one. */
static nir_value *place_value(nir_group *group, const char *name)
{
    nir_value *there = (nir_value *)nir_group_get(group, name);
    char      *copy = strdup(name);
    nir_value *grown = there || !copy ? NULL : realloc(group->value, (size_t)(group->n_values + 1) * sizeof *grown);
    if (grown) group->value = grown, there = &grown[group->n_values++];
    else if (there && copy) free_value(there);
    else return free(copy), NULL;
    *there = (nir_value){ .name = copy };
    return there;
}

rv_status nir_set(nir_group *group, const char *name, hdf5_type type, const hdf5_shape *shape, const void *values, rv_error *error)
{
    size_t     bytes = (size_t)shape->count * hdf5_type_size(type);
    void      *data = malloc(bytes + 1);
    nir_value *value = data ? place_value(group, name) : NULL;
    if (!value) return free(data), error_memory(error, name, (double)bytes);
    if (bytes) memcpy(data, values, bytes);
    value->type = type, value->shape = *shape, value->data = data;
    return RV_OK;
}

rv_status nir_set_text(nir_group *group, const char *name, const char *text, rv_error *error)
{
    char     **texts = calloc(1, sizeof *texts);
    char      *copy = strdup(text);
    nir_value *value = texts && copy ? place_value(group, name) : NULL;
    if (!value) return free(texts), free(copy), error_memory(error, name, (double)strlen(text));
    texts[0] = copy;
    value->shape = (hdf5_shape){ .count = 1 }, value->text = texts;
    return RV_OK;
}

rv_status nir_set_vector(nir_group *group, const char *name, const double *values, int64_t n, rv_error *error)
{
    hdf5_shape shape = nir_vector_shape(n);
    return nir_set(group, name, HDF5_F64, &shape, values, error);
}

rv_status nir_set_number(nir_group *group, const char *name, double value, rv_error *error)
{
    return nir_set(group, name, HDF5_F64, &(hdf5_shape){ .count = 1 }, &value, error);
}
