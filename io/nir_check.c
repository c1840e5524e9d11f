/* Shapes: those that a node's fields say, those that follow from what is before it, and whether both ends of an edge agree; as
 * NIRGraph.infer_types() and check_types() of NIR's library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir_internal.h"
#include "sim/error.h"

#define MOST_ELEMENTS INT32_MAX /* of a shape: neurons are numbered in 31 bits */

/* ---- windows ---------------------------------------------------------------------------------------------------- */

/* The k-th of the two numbers of a geometry field; a single number stands for both. */
static int64_t geometry(const nir_node *node, const char *field, int k)
{
    const nir_value *v = nir_get(node, field);
    return (int64_t)nir_number(v, k);
}

static rv_status check_count(const nir_node *node, const char *field, int axes, const char *path, rv_error *error)
{
    const nir_value *v = nir_get(node, field);
    if (!v || v->text || v->shape.count == 1 || v->shape.count == axes) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "node \"%s\": %s has %lld numbers, allowed %s", path, field, (long long)v->shape.count, axes == 1 ? "is one" : "are one or two");
}

static rv_status check_range(const char *path, const char *field, int64_t x, int64_t least, rv_error *error)
{
    if (x >= least && x <= (1 << 24)) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "node \"%s\": %s = %lld, allowed %lld to %d", path, field, (long long)x, (long long)least, 1 << 24);
}

static rv_status read_axis(const nir_node *node, int k, const char *path, nir_axis *a, rv_error *error)
{
    const char *same = nir_text(nir_get(node, "padding"));
    bool        pooling = node->kind == NIR_SUMPOOL2D || node->kind == NIR_AVGPOOL2D;
    a->stride = geometry(node, "stride", k);
    a->dilation = pooling ? 1 : geometry(node, "dilation", k);
    if (pooling) a->kernel = geometry(node, "kernel_size", k);
    TRY(check_range(path, "kernel size", a->kernel, 1, error));
    TRY(check_range(path, "stride", a->stride, 1, error));
    TRY(check_range(path, "dilation", a->dilation, 1, error));
    a->padding = same ? 0 : geometry(node, "padding", k);
    TRY(check_range(path, "padding", a->padding, 0, error));
    int64_t reach = a->dilation * (a->kernel - 1);
    if (same && strcmp(same, "same") == 0) {
        if (a->stride != 1) return error_set(error, RV_CONFLICT, "node \"%s\": padding = \"same\" with stride = %lld, allowed is 1", path, (long long)a->stride);
        a->padding = reach / 2, a->after = a->size; /* PyTorch: the odd one is put behind */
    } else
        a->after = a->size + 2 * a->padding < reach + 1 ? 0 : (a->size + 2 * a->padding - reach - 1) / a->stride + 1;
    if (a->after > 0) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "node \"%s\": a window of %lld in %lld leaves nothing", path, (long long)reach + 1, (long long)(a->size + 2 * a->padding));
}

static rv_status read_groups(const nir_node *node, const char *path, nir_window *w, rv_error *error)
{
    const nir_value *weight = nir_get(node, "weight"), *bias = nir_get(node, "bias");
    w->groups = geometry(node, "groups", 0);
    TRY(check_count(node, "groups", 1, path, error));
    TRY(check_range(path, "groups", w->groups, 1, error));
    w->channels_out = weight->shape.n[0];
    if (w->channels_out % w->groups || weight->shape.n[1] * w->groups != w->channels_in)
        return error_set(error, RV_WRONG_SHAPE, "node \"%s\": weight is for %lld channels to %lld in %lld groups, its input has %lld channels", path,
                         (long long)(weight->shape.n[1] * w->groups), (long long)w->channels_out, (long long)w->groups, (long long)w->channels_in);
    if (bias->shape.count == w->channels_out) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "node \"%s\": bias has %lld numbers for %lld channels", path, (long long)bias->shape.count, (long long)w->channels_out);
}

rv_status nir_window_of(const nir_node *node, const nir_shape *input, const char *path, nir_window *w, rv_error *error)
{
    static const char *const fields[] = { "stride", "padding", "dilation", "kernel_size" };
    const nir_value         *weight = nir_get(node, "weight");
    int                      axes = node->kind == NIR_CONV1D ? 1 : 2;
    char                     text[NIR_PATH];
    if (input->rank != axes + 1)
        return error_set(error, RV_WRONG_SHAPE, "node \"%s\": a %s takes an input of %d axes, not %s", path, nir_kind_names[node->kind], axes + 1, nir_shape_text(text, input));
    for (int k = 0; k < 4; k++) TRY(check_count(node, fields[k], axes, path, error));
    *w = (nir_window){ .channels_in = input->n[0], .channels_out = input->n[0], .groups = input->n[0] };
    w->axis[0] = (nir_axis){ 1, 1, 1, 0, 1, 1 }; /* the height of a Conv1d */
    if (weight) TRY(read_groups(node, path, w, error));
    for (int k = 0; k < axes; k++) {
        nir_axis *a = &w->axis[2 - axes + k];
        *a = (nir_axis){ .size = input->n[1 + k], .kernel = weight ? weight->shape.n[2 + k] : 0 };
        TRY(read_axis(node, k, path, a, error));
    }
    return RV_OK;
}

/* ---- shapes of nodes -------------------------------------------------------------------------------------------- */

static rv_status check_size(const nir_shape *shape, const char *path, rv_error *error)
{
    int64_t size = 1;
    for (int k = 0; k < shape->rank; k++)
        if (shape->n[k] < 1 || (size *= shape->n[k]) > MOST_ELEMENTS) {
            char text[NIR_PATH];
            return error_set(error, RV_OUT_OF_RANGE, "node \"%s\": a shape of %s, allowed are lengths from 1 and %d elements in all", path, nir_shape_text(text, shape), MOST_ELEMENTS);
        }
    return RV_OK;
}

static nir_shape shape_of_axes(const hdf5_shape *from)
{
    nir_shape shape = { .known = true, .rank = from->rank };
    memcpy(shape.n, from->n, sizeof shape.n);
    return shape;
}

/* The numbers of a field as a shape. */
static rv_status shape_of_numbers(const nir_value *v, const char *path, nir_shape *shape, rv_error *error)
{
    if (v->shape.count > HDF5_MAX_RANK) return error_set(error, RV_WRONG_SHAPE, "node \"%s\": %s has %lld axes, at most %d are read", path, v->name, (long long)v->shape.count, HDF5_MAX_RANK);
    *shape = (nir_shape){ .known = true, .rank = (int)v->shape.count };
    for (int k = 0; k < shape->rank; k++) shape->n[k] = (int64_t)nir_number(v, k);
    return check_size(shape, path, error);
}

/* Axes first to last become one, row-major; negative ones count from the end. */
static rv_status flatten(const nir_node *node, const char *path, nir_shape *out, rv_error *error)
{
    const nir_value *start = nir_get(node, "start_dim"), *end = nir_get(node, "end_dim");
    const nir_shape *in = &node->input;
    int64_t          from = start ? (int64_t)nir_number(start, 0) : 1, to = end ? (int64_t)nir_number(end, 0) : -1;
    int64_t          first = from < 0 ? from + in->rank : from, last = to < 0 ? to + in->rank : to;
    if (first < 0 || last < first || last >= in->rank)
        return error_set(error, RV_OUT_OF_RANGE, "node \"%s\": start_dim = %lld and end_dim = %lld of an input of %d axes", path, (long long)from, (long long)to, in->rank);
    *out = (nir_shape){ .known = true, .rank = in->rank - (int)(last - first) };
    for (int k = 0, axis = 0; k < in->rank; k++) {
        bool joined = k > first && k <= last;
        if (joined) out->n[axis - 1] *= in->n[k];
        else out->n[axis++] = in->n[k];
    }
    return RV_OK;
}

/* What leaves the node, from what enters it. */
static rv_status find_output(nir_node *node, const char *path, rv_error *error)
{
    nir_window w;
    if (node->kind == NIR_FLATTEN) return flatten(node, path, &node->output, error);
    TRY(nir_window_of(node, &node->input, path, &w, error));
    node->output = (nir_shape){ .known = true, .rank = node->kind == NIR_CONV1D ? 2 : 3, .n = { w.channels_out, w.axis[0].after, w.axis[1].after } };
    if (node->kind == NIR_CONV1D) node->output.n[1] = w.axis[1].after, node->output.n[2] = 0;
    return check_size(&node->output, path, error);
}

static rv_status matrix_shapes(nir_node *node, const char *path, rv_error *error)
{
    const nir_value *weight = nir_get(node, "weight"), *bias = nir_get(node, "bias");
    int              rank = weight->shape.rank - 1;
    node->input = node->output = shape_of_axes(&weight->shape);
    node->input.rank = node->output.rank = rank;
    node->input.n[rank - 1] = weight->shape.n[rank], node->output.n[rank - 1] = weight->shape.n[rank - 1];
    TRY(check_size(&node->input, path, error));
    TRY(check_size(&node->output, path, error));
    if (!bias || bias->shape.count == nir_size(&node->output)) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "node \"%s\": bias has %lld numbers, weight gives %lld", path, (long long)bias->shape.count, (long long)nir_size(&node->output));
}

static rv_status conv_input(nir_node *node, const char *path, rv_error *error)
{
    const nir_value *given = nir_get(node, "input_shape"), *weight = nir_get(node, "weight"), *groups = nir_get(node, "groups");
    int              axes = node->kind == NIR_CONV1D ? 1 : 2;
    if (!given) return RV_OK;
    TRY(check_count(node, "input_shape", axes, path, error));
    node->input = (nir_shape){ .known = true, .rank = axes + 1, .n = { weight->shape.n[1] * (int64_t)nir_number(groups, 0) } };
    for (int k = 0; k < axes; k++) node->input.n[1 + k] = (int64_t)nir_number(given, k);
    return check_size(&node->input, path, error);
}

static rv_status check_graph(nir_graph *graph, const char *parent, rv_error *error);

/* A graph within the graph has the shapes of its one Input and its one Output. */
static rv_status graph_shapes(nir_node *node, const char *path, rv_error *error)
{
    int count[2] = { 0 };
    TRY(check_graph(node->graph, path, error));
    for (int k = 0; k < node->graph->n_nodes; k++) {
        const nir_node *inner = &node->graph->node[k];
        if (inner->kind == NIR_INPUT) node->input = inner->input, count[0]++;
        if (inner->kind == NIR_OUTPUT) node->output = inner->output, count[1]++;
    }
    if (count[0] <= 1 && count[1] <= 1) return RV_OK;
    return error_set(error, RV_CONFLICT, "node \"%s\": a graph within a graph has one Input and one Output, this one has %d and %d", path, count[0], count[1]);
}

/* What the node's own fields say; geometry without a given shape waits for its input. */
static rv_status own_shapes(nir_node *node, const char *path, rv_error *error)
{
    node->input = node->output = (nir_shape){ 0 };
    switch (node->kind) {
    case NIR_INPUT:
    case NIR_OUTPUT: TRY(shape_of_numbers(nir_get(node, "shape"), path, &node->input, error)); break;
    case NIR_AFFINE:
    case NIR_LINEAR: return matrix_shapes(node, path, error);
    case NIR_CONV1D:
    case NIR_CONV2D: TRY(conv_input(node, path, error)); break;
    case NIR_FLATTEN:
        if (nir_get(node, "input_type")) TRY(shape_of_numbers(nir_get(node, "input_type"), path, &node->input, error));
        break;
    case NIR_SUMPOOL2D:
    case NIR_AVGPOOL2D: break;
    case NIR_GRAPH: return graph_shapes(node, path, error);
    default:
        node->input = shape_of_axes(nir_get(node, "r") ? &nir_get(node, "r")->shape : &node->fields.value[0].shape);
        TRY(check_size(&node->input, path, error));
    }
    if (!node->input.known) return RV_OK;
    if (node->kind >= NIR_CONV1D && node->kind <= NIR_FLATTEN) return find_output(node, path, error);
    node->output = node->input;
    return RV_OK;
}

/* ---- along edges ------------------------------------------------------------------------------------------------ */

/* The edges of a graph by the numbers of their nodes, in the order of where they begin. */
typedef struct wires {
    int *from, *to; /* [n_edges]     */
    int *begin;     /* [n_nodes + 1] */
    int *entering;  /* [n_nodes] how many enter a node */
    int *queue;     /* [n_nodes]     */
} wires;

static void free_wires(wires *w) { free(w->from), free(w->to), free(w->begin), free(w->entering), free(w->queue); }

static rv_status number_edges(const nir_graph *g, const char *parent, wires *w, int *from, int *to, rv_error *error)
{
    char path[NIR_PATH];
    for (int k = 0; k < g->n_edges; k++) {
        const nir_node *a = nir_find(g, g->edge[k].from), *b = nir_find(g, g->edge[k].to);
        if (!a || !b)
            return error_set(error, RV_UNKNOWN_NAME, "edge \"%.80s\" -> \"%.80s\"%s%s: there is no node \"%.80s\"", g->edge[k].from, g->edge[k].to, *parent ? " of " : "",
                             nir_path(path, "", parent), a ? g->edge[k].to : g->edge[k].from);
        from[k] = (int)(a - g->node), to[k] = (int)(b - g->node);
        w->begin[from[k] + 1]++, w->entering[to[k]]++;
    }
    for (int k = 0; k < g->n_nodes; k++) w->begin[k + 1] += w->begin[k];
    return RV_OK;
}

static rv_status open_wires(const nir_graph *g, const char *parent, wires *w, rv_error *error)
{
    size_t edges = (size_t)g->n_edges + 1, nodes = (size_t)g->n_nodes + 2;
    int   *from = malloc(edges * sizeof *from), *to = malloc(edges * sizeof *to), *place = calloc(nodes, sizeof *place);
    *w = (wires){ malloc(edges * sizeof(int)), malloc(edges * sizeof(int)), calloc(nodes, sizeof(int)), calloc(nodes, sizeof(int)), malloc(nodes * sizeof(int)) };
    bool      memory = from && to && place && w->from && w->to && w->begin && w->entering && w->queue;
    rv_status status = memory ? number_edges(g, parent, w, from, to, error) : error_memory(error, "edges", (double)edges * 16);
    for (int k = 0; status == RV_OK && k < g->n_edges; k++) {
        int at = w->begin[from[k]] + place[from[k]]++;
        w->from[at] = from[k], w->to[at] = to[k];
    }
    free(from), free(to), free(place);
    return status;
}

/* Hands shapes on from nodes whose output is known to those that wait for one. Each node is taken once. */
static rv_status infer(nir_graph *g, const char *parent, wires *w, rv_error *error)
{
    int head = 0, tail = 0;
    for (int k = 0; k < g->n_nodes; k++)
        if (g->node[k].output.known) w->queue[tail++] = k;
    for (; head < tail; head++)
        for (int e = w->begin[w->queue[head]]; e < w->begin[w->queue[head] + 1]; e++) {
            char      path[NIR_PATH];
            nir_node *to = &g->node[w->to[e]];
            if (to->input.known || to->kind == NIR_GRAPH) continue;
            to->input = g->node[w->queue[head]].output;
            TRY(find_output(to, nir_path(path, parent, to->name), error));
            w->queue[tail++] = w->to[e];
        }
    return RV_OK;
}

static bool same_shape(const nir_shape *a, const nir_shape *b)
{
    bool same = a->rank == b->rank;
    for (int k = 0; same && k < a->rank; k++) same = a->n[k] == b->n[k];
    return same;
}

static rv_status check_edge(const nir_graph *g, const char *parent, const nir_node *a, const nir_node *b, rv_error *error)
{
    char given[NIR_PATH], taken[NIR_PATH], path[NIR_PATH];
    if (!a->output.known || !b->input.known) {
        const nir_node *vague = a->output.known ? b : a;
        return error_set(error, RV_WRONG_SHAPE, "node \"%s\": its shape follows neither from its fields nor from what is before it", nir_path(path, parent, vague->name));
    }
    if (same_shape(&a->output, &b->input) || (g->loose && nir_size(&a->output) == nir_size(&b->input))) return RV_OK;
    return error_set(error, RV_WRONG_SHAPE, "edge \"%.60s\" -> \"%.60s\"%s%.60s: gives %s, %s is taken", a->name, b->name, *parent ? " of " : "", parent,
                     nir_shape_text(given, &a->output), nir_shape_text(taken, &b->input));
}

/* The library adds an Input before what has none and an Output behind what leads nowhere: both need a known shape, and a graph
 * that is one ring has neither. */
static rv_status check_ends(const nir_graph *g, const char *parent, const wires *w, rv_error *error)
{
    char path[NIR_PATH];
    int  begins = 0, ends = 0;
    for (int k = 0; k < g->n_nodes; k++) {
        const nir_node *node = &g->node[k];
        bool            first = w->entering[k] == 0, last = w->begin[k + 1] == w->begin[k];
        if ((first && !node->input.known) || (last && !node->output.known))
            return error_set(error, RV_WRONG_SHAPE, "node \"%s\": its shape follows neither from its fields nor from what is before it", nir_path(path, parent, node->name));
        begins += first || (node->kind == NIR_INPUT && !last), ends += last;
    }
    if (g->n_nodes == 0 || (begins && ends)) return RV_OK;
    return error_set(error, RV_CONFLICT, "graph \"%s\": nothing %s it: all nodes lie on cycles; an %s node is needed", nir_path(path, "", parent), begins ? "leaves" : "enters",
                     begins ? "Output" : "Input");
}

static rv_status check_graph(nir_graph *graph, const char *parent, rv_error *error)
{
    char path[NIR_PATH];
    for (int k = 0; k < graph->n_nodes; k++) TRY(own_shapes(&graph->node[k], nir_path(path, parent, graph->node[k].name), error));
    wires     w;
    rv_status status = open_wires(graph, parent, &w, error);
    if (status == RV_OK) status = infer(graph, parent, &w, error);
    for (int e = 0; e < graph->n_edges && status == RV_OK; e++) status = check_edge(graph, parent, &graph->node[w.from[e]], &graph->node[w.to[e]], error);
    if (status == RV_OK) status = check_ends(graph, parent, &w, error);
    free_wires(&w);
    return status;
}

rv_status nir_check(nir_graph *graph, rv_error *error)
{
    TRY(nir_check_fields(graph, "", NULL, error));
    return check_graph(graph, "", error);
}

/* ---- completing ------------------------------------------------------------------------------------------------- */

/* "input_NAME", or "input_NAME_0" and so on if that is taken. */
static rv_status add_end(nir_graph *graph, const char *prefix, const char *name, const nir_shape *shape, rv_error *error)
{
    char      made[300];
    bool      input = prefix[0] == 'i';
    nir_node *node;
    snprintf(made, sizeof made, "%s_%.180s", prefix, name);
    for (int k = 0; nir_find(graph, made); k++) snprintf(made, sizeof made, "%s_%.180s_%d", prefix, name, k);
    TRY(nir_connect(graph, input ? made : name, input ? name : made, error));
    TRY(nir_add(graph, made, input ? NIR_INPUT : NIR_OUTPUT, &node, error));
    hdf5_shape vector = nir_vector_shape(shape->rank);
    return nir_set(&node->fields, "shape", HDF5_I64, &vector, shape->n, error);
}

/* Nodes without an edge on one side, as lists of names: adding nodes moves nodes. */
static rv_status add_ends(nir_graph *graph, const wires *w, rv_error *error)
{
    int       n = graph->n_nodes;
    nir_node *nodes = malloc((size_t)n * sizeof *nodes + 1); /* as they are now; their names live on */
    if (!nodes) return error_memory(error, "nodes", (double)n * sizeof *nodes);
    memcpy(nodes, graph->node, (size_t)n * sizeof *nodes);
    rv_status status = RV_OK;
    for (int k = 0; k < n && status == RV_OK; k++) {
        if (w->entering[k] == 0 && nodes[k].kind != NIR_INPUT) status = add_end(graph, "input", nodes[k].name, &nodes[k].input, error);
        if (status == RV_OK && w->begin[k + 1] == w->begin[k] && nodes[k].kind != NIR_OUTPUT)
            status = add_end(graph, "output", nodes[k].name, &nodes[k].output, error);
    }
    free(nodes);
    return status;
}

static rv_status complete(nir_graph *graph, const char *parent, rv_error *error)
{
    char      path[NIR_PATH];
    rv_status status = RV_OK;
    for (int k = 0; k < graph->n_nodes && status == RV_OK; k++)
        if (graph->node[k].kind == NIR_GRAPH) status = complete(graph->node[k].graph, nir_path(path, parent, graph->node[k].name), error);
    if (status != RV_OK) return status;
    wires w;
    status = check_graph(graph, parent, error);
    if (status != RV_OK) return status;
    status = open_wires(graph, parent, &w, error);
    if (status == RV_OK) status = add_ends(graph, &w, error);
    free_wires(&w);
    return status;
}

rv_status nir_complete(nir_graph *graph, rv_error *error)
{
    TRY(nir_check_fields(graph, "", NULL, error));
    TRY(complete(graph, "", error));
    return nir_check(graph, error);
}
