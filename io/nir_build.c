#include "io/nir_build.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir_flat.h"
#include "io/nir_levels.h"
#include "io/nir_neurons.h"
#include "sim/error.h"

static const double standard_dt = 0.1; /* ms */

typedef struct building {
    const nir_graph         *graph;
    const nir_build_options *options;
    nir_flat                 flat;
    nir_net                 *n;
    int                     *level;      /* [n_nodes] of the flat graph */
    rv_population           *population; /* [n_nodes]                   */
    double                 **gain;       /* [n_nodes][neurons] NULL where there is none */
    rv_error                *error;
} building;

static rv_status pass_error(building *b, rv_status status) { return status == RV_OK ? RV_OK : error_set(b->error, status, "%s", rv_net_error(b->n->net)->text); }

/* ---- what an Output is ------------------------------------------------------------------------------------------- */

/* The one source that an Output is another name for; -1: it is a sum. */
static int named_by(const nir_flat_node *output)
{
    if (output->node->kind != NIR_OUTPUT || output->in.bias || output->in.n_shares != 1) return -1;
    return nir_map_is_identity(&output->in.share[0].map) ? output->in.share[0].source : -1;
}

static bool is_neurons(const nir_flat_node *node) { return node->sink && node->node->kind != NIR_INPUT && named_by(node) < 0; }

static bool is_continuous(const nir_flat_node *node) { return nir_is_neuron(node->node->kind) && !nir_spikes(node->node->kind); }

/* What LI, I and CubaLI give is no spike train. */
static rv_status check_sources(const building *b, const nir_flat_node *node)
{
    for (int k = 0; k < node->in.n_shares; k++) {
        const nir_flat_node *source = &b->flat.node[node->in.share[k].source];
        if (is_continuous(source))
            return error_set(b->error, RV_CONFLICT, "node \"%s\": takes the continuous output of the %s \"%s\"; only an Output can, directly: between neurons go spikes", node->path,
                             nir_kind_names[source->node->kind], source->path);
    }
    return RV_OK;
}

/* ---- levels ------------------------------------------------------------------------------------------------------ */

static int shortest_delay(const nir_map *map)
{
    int shortest = map->kernel ? map->kernel->delay : INT32_MAX;
    for (int64_t k = 0; !map->kernel && k < map->row[map->n_out]; k++)
        if (map->entry[k].delay < shortest) shortest = map->entry[k].delay;
    return shortest;
}

/* @param visit called for each pair of populations with synapses between them */
typedef rv_status (*pair_fn)(building *b, int source, int target, nir_map *map, void *user);

static rv_status each_pair(building *b, pair_fn visit, void *user)
{
    for (int k = 0; k < b->flat.n_nodes; k++) {
        nir_flat_node *node = &b->flat.node[k];
        if (!is_neurons(node)) continue;
        for (int s = 0; s < node->in.n_shares; s++)
            if (!nir_map_is_empty(&node->in.share[s].map)) TRY(visit(b, node->in.share[s].source, k, &node->in.share[s].map, user));
    }
    return RV_OK;
}

typedef struct links {
    nir_link *link; /* NULL: only counted */
    int       n;
} links;

static rv_status note_link(building *b, int source, int target, nir_map *map, void *user)
{
    links *l = user;
    (void)b;
    if (l->link) l->link[l->n] = (nir_link){ source, target, shortest_delay(map), false };
    l->n++;
    return RV_OK;
}

static rv_status find_levels(building *b, links *l)
{
    TRY(each_pair(b, note_link, l));
    l->link = malloc(((size_t)l->n + 1) * sizeof *l->link);
    if (!l->link) return error_memory(b->error, "a NIR graph", (double)l->n * sizeof *l->link);
    l->n = 0;
    TRY(each_pair(b, note_link, l));
    return nir_find_levels(b->flat.n_nodes, l->link, l->n, b->level, b->error);
}

/* ---- populations ------------------------------------------------------------------------------------------------- */

/* "rnn/lif" becomes "rnn.lif", with a number behind it if that is taken. */
static void name_population(const building *b, const char *path, char name[NIR_PATH])
{
    char plain[NIR_PATH];
    snprintf(plain, sizeof plain, "%.200s", path);
    for (char *c = plain; *c; c++) *c = *c == '/' ? '.' : *c;
    snprintf(name, NIR_PATH, "%s", plain);
    for (int k = 2; rv_population_find(b->n->net, name).id; k++) snprintf(name, NIR_PATH, "%.200s_%d", plain, k);
}

static rv_status make_input(building *b, int k, const char *name)
{
    b->population[k] = rv_population_new(b->n->net, name, nir_size(&b->flat.node[k].node->output), "spike_generator");
    return b->population[k].id ? RV_OK : pass_error(b, rv_net_error(b->n->net)->status);
}

static rv_status make_population(building *b, int k)
{
    const nir_flat_node *node = &b->flat.node[k];
    char                 name[NIR_PATH];
    name_population(b, node->path, name);
    if (node->node->kind == NIR_INPUT) return make_input(b, k, name);
    nir_neurons neurons = { .node = node->node, .path = node->path, .how = { .h = rv_resolution(b->n->net) }, .bias = node->in.bias, .level = b->level[k],
                            .n = nir_size(&node->node->input) };
    TRY(check_sources(b, node));
    TRY(nir_conventions_of(b->options, &node->node->metadata, &b->graph->metadata, node->path, &neurons.how, b->error));
    return nir_neurons_make(b->n->net, name, &neurons, &b->population[k], &b->gain[k], b->error);
}

static rv_status add_part(building *b, int k)
{
    const nir_flat_node *node = &b->flat.node[k];
    int                  of = named_by(node);
    if (of >= 0) b->population[k] = b->population[of], b->level[k] = b->level[of];
    nir_part part = { .name = strdup(node->path), .population = b->population[k], .shape = node->node->input, .level = b->level[k] };
    part.role = node->node->kind == NIR_INPUT ? NIR_IS_INPUT : node->node->kind == NIR_OUTPUT ? NIR_IS_OUTPUT : NIR_IS_NEURONS;
    part.spikes = part.role == NIR_IS_OUTPUT ? of >= 0 && !is_continuous(&b->flat.node[of]) : part.role == NIR_IS_INPUT || nir_spikes(node->node->kind);
    if (!part.name) return error_memory(b->error, "a NIR graph", 0);
    b->n->part[b->n->n_parts++] = part;
    return RV_OK;
}

/* Populations in the order of the nodes, then what Outputs are names for. */
static rv_status make_populations(building *b)
{
    b->n->part = calloc((size_t)b->flat.n_nodes + 1, sizeof *b->n->part);
    if (!b->n->part) return error_memory(b->error, "a NIR graph", (double)b->flat.n_nodes * sizeof *b->n->part);
    for (int k = 0; k < b->flat.n_nodes; k++)
        if (b->flat.node[k].sink && named_by(&b->flat.node[k]) < 0) TRY(make_population(b, k));
    for (int k = 0; k < b->flat.n_nodes; k++)
        if (b->flat.node[k].sink) TRY(add_part(b, k));
    return RV_OK;
}

/* ---- synapses ---------------------------------------------------------------------------------------------------- */

typedef struct synapses {
    int64_t *source, *target;
    double  *weight, *delay;
} synapses;

static rv_status connect(building *b, int source, int target, int64_t n, const synapses *s)
{
    bool same = true;
    for (int64_t k = 1; k < n && same; k++) same = s->delay[k] == s->delay[0];
    rv_connect_def def = { .source = rv_all(b->population[source]), .target = rv_all(b->population[target]), .rule = "list", .sources = s->source, .targets = s->target,
                           .n_list = n, .weight = rv_list(s->weight, n), .delay = same ? rv_number(s->delay[0]) : rv_list(s->delay, n) };
    return pass_error(b, rv_connect(b->n->net, &def, NULL));
}

/* Whether the neurons of each channel take their input alike, so that they can share a kernel. */
static bool gain_is_per_channel(const double *gain, int64_t channels, int64_t n)
{
    int64_t each = n / channels;
    for (int64_t i = 0; i < n; i++)
        if (gain[i] != gain[i / each * each]) return false;
    return true;
}

static rv_status make_convolution(building *b, int source, int target, const nir_map *map, int delay)
{
    const nir_kernel *k = map->kernel;
    int64_t           each = k->n / k->shape.kernel[0], neurons = map->n_out / k->shape.kernel[0];
    double           *weight = malloc((size_t)k->n * sizeof *weight);
    if (!weight) return error_memory(b->error, "a kernel", (double)k->n * sizeof *weight);
    for (int64_t i = 0; i < k->n; i++) weight[i] = b->gain[target][i / each * neurons] * k->weight[i];
    rv_connect_def def = { .source = rv_all(b->population[source]), .target = rv_all(b->population[target]), .rule = "convolution", .convolution = &k->shape,
                           .weight = rv_list(weight, k->n), .delay = rv_number(delay * rv_resolution(b->n->net)) };
    rv_status status = pass_error(b, rv_connect(b->n->net, &def, NULL));
    free(weight);
    return status;
}

/* @param user the links, in the order of the pairs */
static rv_status make_synapses(building *b, int source, int target, nir_map *map, void *user)
{
    links   *l = user;
    int      shift = b->level[target] - b->level[source], least = l->link[l->n++].cyclic;
    if (map->kernel && gain_is_per_channel(b->gain[target], map->kernel->shape.kernel[0], map->n_out))
        return make_convolution(b, source, target, map, (map->kernel->delay < least ? least : map->kernel->delay) + shift);
    TRY(nir_map_list(map, b->error));
    int64_t  n = map->row[map->n_out];
    double   h = rv_resolution(b->n->net);
    synapses s = { malloc((size_t)n * 8), malloc((size_t)n * 8), malloc((size_t)n * 8), malloc((size_t)n * 8) };
    bool     memory = s.source && s.target && s.weight && s.delay;
    for (int64_t i = 0; i < map->n_out && memory; i++)
        for (int64_t k = map->row[i]; k < map->row[i + 1]; k++) {
            const nir_entry *e = &map->entry[k];
            int              delay = e->delay < least ? least : e->delay;
            s.source[k] = e->in, s.target[k] = i, s.weight[k] = b->gain[target][i] * e->weight, s.delay[k] = (delay + shift) * h;
        }
    rv_status status = memory ? connect(b, source, target, n, &s) : error_memory(b->error, "synapses", (double)n * 32);
    free(s.source), free(s.target), free(s.weight), free(s.delay);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

void nir_net_free(nir_net *n)
{
    for (int k = 0; k < n->n_parts; k++) free(n->part[k].name);
    free(n->part);
    rv_net_free(n->net);
    *n = (nir_net){ 0 };
}

const nir_part *nir_part_find(const nir_net *n, const char *name)
{
    for (int k = 0; k < n->n_parts; k++)
        if (strcmp(n->part[k].name, name) == 0) return &n->part[k];
    return NULL;
}

static rv_status open_net(building *b, const rv_net_def *given)
{
    rv_net_def       def = *given;
    const nir_value *dt = nir_group_get(&b->graph->metadata, "dt");
    if (def.timing == RV_EXACT) return error_set(b->error, RV_CONFLICT, "a NIR graph runs in steps; use timing = \"grid\"");
    if (def.resolution == 0) def.resolution = dt && nir_number(dt, 0) > 0 ? rint(nir_number(dt, 0) * 1e12) / 1e9 : standard_dt; /* 1e-4 s is 0.1 ms, to the bit */
    return rv_net_new(&def, &b->n->net, b->error);
}

static rv_status build(building *b)
{
    size_t n = (size_t)b->flat.n_nodes + 1;
    links  l = { 0 };
    b->level = calloc(n, sizeof *b->level), b->population = calloc(n, sizeof *b->population), b->gain = calloc(n, sizeof *b->gain);
    rv_status status = b->level && b->population && b->gain ? find_levels(b, &l) : error_memory(b->error, "a NIR graph", (double)n * 16);
    if (status == RV_OK) status = make_populations(b);
    l.n = 0;
    if (status == RV_OK) status = each_pair(b, make_synapses, &l);
    for (int k = 0; b->gain && k < b->flat.n_nodes; k++) free(b->gain[k]);
    free(l.link), free(b->level), free(b->population), free(b->gain);
    return status;
}

rv_status nir_build(nir_graph *graph, const rv_net_def *def, const nir_build_options *options, nir_net *n, rv_error *error)
{
    building b = { .graph = graph, .options = options, .n = n, .error = error };
    *n = (nir_net){ 0 };
    rv_status status = nir_complete(graph, error);
    if (status == RV_OK) status = open_net(&b, def);
    if (status == RV_OK) status = nir_flatten(graph, rv_resolution(n->net) * 1e-3, &b.flat, error);
    if (status == RV_OK) status = build(&b);
    n->largest_rounding = b.flat.rounded * 1e3;
    nir_flat_free(&b.flat);
    if (status != RV_OK) nir_net_free(n);
    return status;
}
