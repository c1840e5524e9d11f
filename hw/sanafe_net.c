/* From a mapped network to SANA-FE's terms, and from those to a map. */
#include "hw/sanafe.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_net.h"
#include "hw/place.h"
#include "sim/error.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Letters, digits and "_", because "." and "->" have meanings; different names stay different. */
static void plain_name(const sanafe_net *s, int k, const char *name)
{
    char *to = s->group[k].name;
    snprintf(to, SANAFE_NAME - 12, "%s", name);
    for (; *to; to++)
        if (!isalnum((unsigned char)*to)) *to = '_';
    for (int i = 0; i < k; i++)
        if (strcmp(s->group[i].name, s->group[k].name) == 0) {
            snprintf(to, 12, "_%d", k);
            return;
        }
}

/* ---- neurons ------------------------------------------------------------------------------------------------------ */

static rv_status check_population(const export_net *e, int k, rv_error *error)
{
    const population_def *p = export_population(e, k);
    if (export_is_input(p)) return RV_OK;
    if (strcmp(p->model->table.name, "loihi_lif") != 0)
        return error_set(error, RV_CONFLICT, "%s: its model is %s, but SANA-FE's Loihi has one kind of neuron: the nearest is loihi_lif", export_population_name(e, k), p->model->table.name);
    for (int64_t i = 0; i < p->n; i++)
        if (export_param(p, "reset_interval", i) != 0)
            return error_set(error, RV_CONFLICT, "%s: reset_interval = %g for neuron %lld, but SANA-FE never resets neurons by the clock: set it to 0", export_population_name(e, k),
                             export_param(p, "reset_interval", i), (long long)i);
    return RV_OK;
}

static void place_neuron(const hw_map *map, int64_t j, sanafe_neuron *n)
{
    mesh           m = mesh_of(&map->chip, map->n_chips);
    const hw_core *core = &map->core[map->core_of[j]];
    int32_t        rows = (m.n_chips + m.chips_x - 1) / m.chips_x;
    n->tile = core->x * m.y * rows + core->y, n->core = core->place % m.tile_cores;
}

static sanafe_neuron neuron_of(const population_def *p, int64_t i)
{
    if (export_is_input(p)) return (sanafe_neuron){ .input = true, .leak_decay = 1 }; /* what files leave out */
    return (sanafe_neuron){ .threshold = export_param(p, "vth", i), .leak_decay = (4096 - export_param(p, "dv", i)) / 4096,
                            .input_decay = (4095 - export_param(p, "du", i)) / 4096, .bias = export_bias(p, i) / 64 };
}

/* The steps at which a generator spikes, each once. */
static rv_status add_spikes(const export_net *e, const population_def *p, int64_t i, sanafe_net *s, sanafe_neuron *n, rv_error *error)
{
    int64_t  count = p->spike_times ? p->n_spike_times[i] : 0;
    int64_t *spike = realloc(s->spike, (size_t)(s->n_spikes + count + 1) * sizeof *spike);
    if (!spike) return error_memory(error, "spikes", (double)(s->n_spikes + count) * sizeof *spike);
    s->spike = spike, n->first_spike = s->n_spikes;
    for (int64_t k = 0; k < count; k++) {
        int64_t step = (int64_t)ceil(p->spike_times[i][k] / e->def->resolution - GRID_TOLERANCE);
        if (step >= 1 && step <= s->n_steps && (s->n_spikes == n->first_spike || spike[s->n_spikes - 1] != step)) spike[s->n_spikes++] = step;
    }
    n->n_spikes = s->n_spikes - n->first_spike;
    return RV_OK;
}

static rv_status add_population(const export_net *e, const hw_map *map, int k, sanafe_net *s, rv_error *error)
{
    const population_def *p = export_population(e, k);
    TRY(check_population(e, k, error));
    s->group[k] = (sanafe_group){ .first = map->graph->group[k].first, .n = p->n };
    plain_name(s, k, p->name);
    for (int64_t i = 0; i < p->n; i++) {
        sanafe_neuron *n = &s->neuron[s->group[k].first + i];
        *n = neuron_of(p, i);
        place_neuron(map, s->group[k].first + i, n);
        if (n->input) TRY(add_spikes(e, p, i, s, n, error));
    }
    return RV_OK;
}

/* ---- edges -------------------------------------------------------------------------------------------------------- */

static rv_status check_synapses(const export_net *e, const export_synapses *s, rv_error *error)
{
    if (s->graded)
        return error_set(error, RV_CONFLICT, "%s: num_message_bits = %g, but SANA-FE's spikes carry nothing: set it to 0", export_projection_name(e, s), export_synapse_param(s, "num_message_bits", 0));
    for (int64_t k = 0; k < s->n; k++)
        if (s->delay[k] - 1 > SANAFE_LONGEST_DELAY)
            return error_set(error, RV_CONFLICT, "%s: a delay of %d steps, but SANA-FE's Loihi delays by up to %d", export_projection_name(e, s), (int)s->delay[k], SANAFE_LONGEST_DELAY + 1);
    return RV_OK;
}

static int by_source(const void *a, const void *b)
{
    const sanafe_edge *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

void sanafe_sort_edges(sanafe_net *s)
{
    if (s->n_edges) qsort(s->edge, (size_t)s->n_edges, sizeof *s->edge, by_source);
}

static rv_status add_edges(const export_net *e, sanafe_net *s, rv_error *error)
{
    int64_t n = 0;
    for (int k = 0; k < e->n_projections; k++) n += e->projection[k].n;
    s->edge = malloc((size_t)(n + 1) * sizeof *s->edge);
    if (!s->edge) return error_memory(error, "edges", (double)n * sizeof *s->edge);
    for (int k = 0; k < e->n_projections; k++) {
        const export_synapses *p = &e->projection[k];
        double                 unit = ldexp(1, (int)export_synapse_param(p, "weight_exp", 0));
        TRY(check_synapses(e, p, error));
        for (int64_t i = 0; i < p->n; i++)
            s->edge[s->n_edges++] = (sanafe_edge){ (int32_t)(s->group[p->source].first + p->from[i]), (int32_t)(s->group[p->target].first + p->to[i]), (int32_t)p->delay[i] - 1, p->weight[i] * unit };
    }
    sanafe_sort_edges(s);
    return RV_OK;
}

static rv_status convert(const export_net *e, const hw_map *map, sanafe_net *s, rv_error *error)
{
    const hw_graph *g = map->graph;
    if (g->n_groups != e->def->n_populations || g->n_neurons != e->def->n_neurons) return error_set(error, RV_CONFLICT, "the mapping is not one of this network: map it again");
    s->n_groups = g->n_groups, s->n_neurons = g->n_neurons;
    s->group = calloc((size_t)s->n_groups + 1, sizeof *s->group), s->neuron = calloc((size_t)s->n_neurons + 1, sizeof *s->neuron);
    if (!s->group || !s->neuron) return error_memory(error, "neurons", (double)s->n_neurons * sizeof *s->neuron);
    for (int k = 0; k < s->n_groups; k++) TRY(add_population(e, map, k, s, error));
    return add_edges(e, s, error);
}

rv_status sanafe_from_net(rv_net *net, const hw_map *map, int64_t steps, sanafe_net *s, rv_error *error)
{
    export_net e;
    *s = (sanafe_net){ .n_steps = steps };
    TRY(export_net_open(net, "SANA-FE", &e, error));
    rv_status status = convert(&e, map, s, error);
    export_net_close(&e);
    if (status != RV_OK) sanafe_free(s);
    return status;
}

void sanafe_free(sanafe_net *s)
{
    free(s->group), free(s->neuron), free(s->edge), free(s->spike);
    *s = (sanafe_net){ 0 };
}

/* ---- whether the spikes are those of the chip ----------------------------------------------------------------------- */

static bool is_exact(const export_net *e, rv_error *why)
{
    for (int k = 0; k < e->n_projections; k++) {
        const export_synapses *s = &e->projection[k];
        if (s->summed) return error_set(why, RV_CONFLICT, "%s: the chip rounds the sum of what arrives, SANA-FE does not", export_projection_name(e, s)), false;
        for (int64_t i = 0; i < s->n; i++)
            if (s->delay[i] > 1)
                return error_set(why, RV_CONFLICT, "%s: a delay of %d steps, but what is delayed reaches SANA-FE's neurons only when another spike does", export_projection_name(e, s), (int)s->delay[i]), false;
    }
    for (int k = 0; k < e->def->n_populations; k++) {
        const population_def *p = export_population(e, k);
        for (int64_t i = 0; i < p->n && !export_is_input(p); i++) {
            double du = export_param(p, "du", i);
            if (du != 4095 && du != -1) return error_set(why, RV_CONFLICT, "%s: with du = %g the chip cuts the current to whole numbers at every step, SANA-FE does not", export_population_name(e, k), du), false;
            if (export_initial(p, "u", i) != 0 || export_initial(p, "v", i) != 0) return error_set(why, RV_CONFLICT, "%s: SANA-FE's neurons begin at 0", export_population_name(e, k)), false;
        }
    }
    return true;
}

bool sanafe_exact(rv_net *net, rv_error *why)
{
    export_net e;
    if (export_net_open(net, "SANA-FE", &e, why) != RV_OK) return false;
    bool exact = is_exact(&e, why);
    export_net_close(&e);
    return exact;
}

/* ---- the map of a file ------------------------------------------------------------------------------------------------ */

static rv_status visit_edges(void *user, hw_synapse_fn take, void *sink)
{
    const sanafe_net *s = user;
    for (int64_t k = 0; k < s->n_edges; k++) take(sink, &(hw_synapse){ s->edge[k].source, s->edge[k].target, s->edge[k].weight, s->edge[k].delay + 1, 0 });
    return RV_OK;
}

static rv_status make_graph(const sanafe_net *s, hw_graph **graph, rv_error *error)
{
    hw_group *groups = calloc((size_t)s->n_groups + 1, sizeof *groups);
    if (!groups) return error_memory(error, "groups", 0);
    for (int k = 0; k < s->n_groups; k++) {
        groups[k] = (hw_group){ .n = s->group[k].n, .input = s->neuron[s->group[k].first].input };
        memcpy(groups[k].name, s->group[k].name, SANAFE_NAME);
    }
    hw_format format = { .weight_bits = 8, .delay_bits = 3 };
    rv_status status = hw_graph_new(groups, s->n_groups, &format, 1, graph, error);
    if (status == RV_OK) status = hw_graph_fill(*graph, visit_edges, (void *)s, error);
    free(groups);
    return status;
}

static int32_t place_of(const mesh *m, const sanafe_neuron *n)
{
    int32_t height = m->y * ((m->n_chips + m->chips_x - 1) / m->chips_x), x = n->tile / height, y = n->tile % height;
    int32_t chip = y / m->y * m->chips_x + x / m->x;
    return chip * mesh_places(m) + (x % m->x * m->y + y % m->y) * m->tile_cores + n->core;
}

rv_status sanafe_map(const sanafe_net *s, const hw_chip *chip, int n_chips, hw_graph **graph, hw_map **map, rv_error *error)
{
    mesh     m = mesh_of(chip, n_chips);
    int32_t *place = malloc((size_t)(s->n_neurons + 1) * sizeof *place);
    *graph = NULL, *map = NULL;
    rv_status status = place ? make_graph(s, graph, error) : error_memory(error, "the map", 0);
    for (int64_t j = 0; j < s->n_neurons && status == RV_OK; j++) place[j] = place_of(&m, &s->neuron[j]);
    if (status == RV_OK) status = hw_map_given(chip, *graph, place, map, error);
    free(place);
    if (status != RV_OK) hw_graph_free(*graph), *graph = NULL;
    return status;
}
