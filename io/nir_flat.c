#include "io/nir_flat.h"

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"

/* ---- forms ------------------------------------------------------------------------------------------------------ */

static void free_form(nir_form *f)
{
    for (int k = 0; k < f->n_shares; k++) nir_map_free(&f->share[k].map);
    free(f->share), free(f->bias);
    *f = (nir_form){ 0 };
}

void nir_flat_free(nir_flat *flat)
{
    for (int k = 0; k < flat->n_nodes; k++) {
        free_form(&flat->node[k].in), free_form(&flat->node[k].out);
        free(flat->node[k].path);
    }
    free(flat->node), free(flat->from), free(flat->to);
    *flat = (nir_flat){ 0 };
}

/* The share of this source, made if there is none; kept in the order of sources. */
static nir_share *share_of(nir_form *f, int source)
{
    int k = 0;
    while (k < f->n_shares && f->share[k].source < source) k++;
    if (k < f->n_shares && f->share[k].source == source) return &f->share[k];
    nir_share *grown = realloc(f->share, (size_t)(f->n_shares + 1) * sizeof *grown);
    if (!grown) return NULL;
    f->share = grown;
    memmove(grown + k + 1, grown + k, (size_t)(f->n_shares++ - k) * sizeof *grown);
    grown[k] = (nir_share){ .source = source };
    return &grown[k];
}

/* Takes the map, whatever happens. */
static rv_status add_share(nir_form *f, int source, nir_map *map, rv_error *error)
{
    nir_share *share = share_of(f, source);
    if (share) return nir_map_add(&share->map, map, error);
    nir_map_free(map);
    return error_memory(error, "a NIR graph", sizeof *share);
}

static rv_status add_bias(nir_form *f, const double *bias, int64_t n, rv_error *error)
{
    if (!bias) return RV_OK;
    if (!f->bias) f->bias = calloc((size_t)n + 1, sizeof *f->bias);
    if (!f->bias) return error_memory(error, "biases", (double)n * sizeof *bias);
    for (int64_t i = 0; i < n; i++) f->bias[i] += bias[i];
    return RV_OK;
}

/* Adds what leaves a node to what arrives at another: itself if it is a source. */
static rv_status add_form(const nir_flat *flat, int from, nir_form *to, rv_error *error)
{
    const nir_flat_node *a = &flat->node[from];
    int64_t              n = nir_size(&a->node->output);
    nir_map              identity = { 0 }, copy;
    rv_status            status = nir_map_identity(n, &identity, error);
    if (status == RV_OK && a->source) return add_share(to, from, &identity, error);
    for (int k = 0; k < a->out.n_shares && status == RV_OK; k++) {
        status = nir_map_compose(&identity, &a->out.share[k].map, &copy, error);
        if (status == RV_OK) status = add_share(to, a->out.share[k].source, &copy, error);
    }
    nir_map_free(&identity);
    return status == RV_OK ? add_bias(to, a->out.bias, n, error) : status;
}

/* What leaves a node between neurons. */
static rv_status pass_through(nir_flat *flat, nir_flat_node *node, double step, rv_error *error)
{
    nir_map own = { 0 }, made;
    double *bias = NULL;
    int64_t n = nir_size(&node->node->output);
    rv_status status = nir_map_of_node(node->node, node->path, step, &flat->rounded, &own, error);
    for (int k = 0; k < node->in.n_shares && status == RV_OK; k++) {
        status = nir_map_compose(&own, &node->in.share[k].map, &made, error);
        if (status == RV_OK) status = add_share(&node->out, node->in.share[k].source, &made, error);
    }
    if (status == RV_OK) status = nir_bias_of_node(node->node, &bias, error);
    if (status == RV_OK) status = add_bias(&node->out, bias, n, error);
    if (status == RV_OK && node->in.bias) {
        double *zero = calloc((size_t)n + 1, sizeof *zero);
        status = nir_map_list(&own, error);
        if (zero && status == RV_OK) nir_map_apply(&own, node->in.bias, zero);
        if (status == RV_OK) status = zero ? add_bias(&node->out, zero, n, error) : error_memory(error, "biases", (double)n * sizeof *zero);
        free(zero);
    }
    nir_map_free(&own);
    free(bias);
    free_form(&node->in);
    return status;
}

/* ---- without inner graphs ---------------------------------------------------------------------------------------- */

typedef struct flattening {
    nir_flat *flat;
    int64_t   capacity[3];
    rv_error *error;
} flattening;

static rv_status add_node(flattening *f, const char *path, const nir_node *node, bool outermost, int *number)
{
    nir_flat *flat = f->flat;
    if (!memory_reserve((void **)&flat->node, &f->capacity[0], flat->n_nodes + 1, sizeof *flat->node)) return error_memory(f->error, "a NIR graph", 0);
    bool source = nir_is_neuron(node->kind) || node->kind == NIR_THRESHOLD || (outermost && node->kind == NIR_INPUT);
    flat->node[flat->n_nodes] = (nir_flat_node){ .path = strdup(path), .node = node, .source = source, .sink = source || (outermost && node->kind == NIR_OUTPUT) };
    if (!flat->node[flat->n_nodes].path) return error_memory(f->error, "a NIR graph", 0);
    *number = flat->n_nodes++;
    return RV_OK;
}

static rv_status add_edge(flattening *f, int from, int to)
{
    nir_flat *flat = f->flat;
    if (!memory_reserve((void **)&flat->from, &f->capacity[1], flat->n_edges + 1, sizeof *flat->from) ||
        !memory_reserve((void **)&flat->to, &f->capacity[2], flat->n_edges + 1, sizeof *flat->to))
        return error_memory(f->error, "a NIR graph", 0);
    flat->from[flat->n_edges] = from, flat->to[flat->n_edges++] = to;
    return RV_OK;
}

/* The numbers under which edges reach and leave a node: those of the Input and Output of an inner graph. */
typedef struct ports {
    int in, out;
} ports;

static rv_status add_graph(flattening *f, const nir_graph *graph, const char *parent, ports *own);

static rv_status add_nodes(flattening *f, const nir_graph *graph, const char *parent, ports *own, ports *port)
{
    for (int k = 0; k < graph->n_nodes; k++) {
        const nir_node *node = &graph->node[k];
        char            path[NIR_PATH];
        int             number = 0;
        nir_path(path, parent, node->name);
        if (node->kind == NIR_GRAPH) {
            TRY(add_graph(f, node->graph, path, &port[k]));
            continue;
        }
        TRY(add_node(f, path, node, !*parent, &number));
        port[k] = (ports){ number, number };
        if (node->kind == NIR_INPUT) own->in = number;
        if (node->kind == NIR_OUTPUT) own->out = number;
    }
    for (int k = 0; k < graph->n_edges; k++) {
        const nir_node *a = nir_find(graph, graph->edge[k].from), *b = nir_find(graph, graph->edge[k].to);
        TRY(add_edge(f, port[a - graph->node].out, port[b - graph->node].in));
    }
    return RV_OK;
}

static rv_status add_graph(flattening *f, const nir_graph *graph, const char *parent, ports *own)
{
    ports    *port = calloc((size_t)graph->n_nodes + 1, sizeof *port);
    rv_status status = port ? add_nodes(f, graph, parent, own, port) : error_memory(f->error, "a NIR graph", 0);
    free(port);
    return status;
}

/* ---- in order ---------------------------------------------------------------------------------------------------- */

/* Edges by where they begin, and how many of what a node waits for is still missing. */
typedef struct order {
    int *begin, *to, *missing, *queue;
} order;

static rv_status open_order(const nir_flat *flat, order *o, rv_error *error)
{
    size_t n = (size_t)flat->n_nodes + 2, m = (size_t)flat->n_edges + 1;
    *o = (order){ calloc(n, sizeof(int)), malloc(m * sizeof(int)), calloc(n, sizeof(int)), malloc(n * sizeof(int)) };
    if (!o->begin || !o->to || !o->missing || !o->queue) return error_memory(error, "a NIR graph", (double)(n + m) * 12);
    for (int e = 0; e < flat->n_edges; e++) o->begin[flat->from[e] + 2]++, o->missing[flat->to[e]]++;
    for (int k = 2; k < flat->n_nodes + 2; k++) o->begin[k] += o->begin[k - 1];
    for (int e = 0; e < flat->n_edges; e++) o->to[o->begin[flat->from[e] + 1]++] = flat->to[e];
    return RV_OK;
}

static void close_order(order *o) { free(o->begin), free(o->to), free(o->missing), free(o->queue); }

/* What leaves a node is known: hands it on; those who then know all that arrives pass it on in turn. */
static rv_status hand_on(nir_flat *flat, order *o, int from, int *tail, rv_error *error)
{
    for (int e = o->begin[from]; e < o->begin[from + 1]; e++) {
        TRY(add_form(flat, from, &flat->node[o->to[e]].in, error));
        if (--o->missing[o->to[e]] == 0 && !flat->node[o->to[e]].sink) o->queue[(*tail)++] = o->to[e];
    }
    return RV_OK;
}

static rv_status find_forms(nir_flat *flat, order *o, double step, rv_error *error)
{
    int tail = 0;
    for (int k = 0; k < flat->n_nodes; k++)
        if (flat->node[k].source || (!flat->node[k].sink && o->missing[k] == 0)) o->queue[tail++] = k;
    for (int head = 0; head < tail; head++) {
        nir_flat_node *node = &flat->node[o->queue[head]];
        if (!node->source) TRY(pass_through(flat, node, step, error));
        TRY(hand_on(flat, o, o->queue[head], &tail, error));
        if (!node->source) free_form(&node->out); /* has been handed on */
    }
    for (int k = 0; k < flat->n_nodes; k++)
        if (o->missing[k] > 0 && !flat->node[k].sink)
            return error_set(error, RV_CONFLICT, "node \"%s\": lies on or behind a cycle without a neuron; every cycle needs one", flat->node[k].path);
    return RV_OK;
}

rv_status nir_flatten(const nir_graph *graph, double step, nir_flat *flat, rv_error *error)
{
    order o = { 0 };
    ports own;
    *flat = (nir_flat){ 0 };
    rv_status status = add_graph(&(flattening){ .flat = flat, .error = error }, graph, "", &own);
    if (status == RV_OK) status = open_order(flat, &o, error);
    if (status == RV_OK) status = find_forms(flat, &o, step, error);
    close_order(&o);
    if (status != RV_OK) nir_flat_free(flat);
    return status;
}
