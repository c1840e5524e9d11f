/* From the place of every neuron: cores, compartments, axons, loads and totals. */
#include "hw/map_build.h"

#include <stdlib.h>
#include <string.h>

#include "hw/place.h"
#include "sim/error.h"
#include "sim/memory.h"

/* ---- cores ------------------------------------------------------------------------------------------------------ */

static rv_status allocate(hw_map *map, rv_error *error)
{
    size_t n = (size_t)map->graph->n_neurons;
    map->core_of = malloc((n + 1) * sizeof *map->core_of);
    map->compartment = malloc((n + 1) * sizeof *map->compartment);
    map->neuron = malloc((n + 1) * sizeof *map->neuron);
    map->axon_begin = calloc(n + 2, sizeof *map->axon_begin);
    map->synapse = memory_new((size_t)map->graph->n_synapses * sizeof *map->synapse);
    bool have = map->core_of && map->compartment && map->neuron && map->axon_begin && map->synapse;
    return have ? RV_OK : error_memory(error, "the map", (double)n * 20 + (double)map->graph->n_synapses * 4);
}

/* Cores are the places that hold neurons, or where inputs enter, in order. @param core_at [all places] result, -1: no core */
static rv_status number_cores(hw_map *map, const int32_t *place, const mesh *m, int32_t *core_at, rv_error *error)
{
    int32_t all = m->n_chips * mesh_places(m);
    for (int32_t k = 0; k < all; k++) core_at[k] = -1;
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        if (place[j] >= 0) core_at[place[j]] = 0;
    for (int32_t k = 0; k < all; k++)
        if (core_at[k] == 0) core_at[k] = map->n_cores++;
    map->core = calloc((size_t)map->n_cores + 1, sizeof *map->core);
    if (!map->core) return error_memory(error, "the map", 0);
    for (int32_t k = 0; k < all; k++) {
        if (core_at[k] < 0) continue;
        hw_core *core = &map->core[core_at[k]];
        core->chip = k / mesh_places(m), core->place = k % mesh_places(m);
        mesh_position(m, k, &core->x, &core->y);
    }
    return RV_OK;
}

static void list_neurons(hw_map *map, const map_problem *w)
{
    int32_t at = 0;
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        if (!w->outside[j]) map->core[map->core_of[j]].n_neurons++;
    for (int32_t c = 0; c < map->n_cores; c++) {
        map->core[c].first_neuron = at;
        at += map->core[c].n_neurons, map->core[c].n_neurons = 0;
    }
    for (int64_t j = 0; j < map->graph->n_neurons; j++) {
        map->compartment[j] = -1;
        if (w->outside[j]) continue;
        hw_core *core = &map->core[map->core_of[j]];
        map->compartment[j] = core->n_neurons;
        map->neuron[core->first_neuron + core->n_neurons++] = (int32_t)j;
    }
}

/* ---- axons ------------------------------------------------------------------------------------------------------ */

/* The synapses of one neuron, counted by core and format. */
typedef struct sorting {
    uint32_t *count; /* [n_cores << PARTITION_FORMAT_BITS] zero between neurons */
    int32_t  *key;   /* [n_keys] core and format                                 */
    int32_t   n_keys;
} sorting;

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static int32_t key_of(const hw_map *map, int64_t synapse)
{
    return map->core_of[map->graph->target[synapse]] << PARTITION_FORMAT_BITS | map->graph->format_of[synapse];
}

static void count_row(const hw_map *map, int64_t j, sorting *s)
{
    s->n_keys = 0;
    for (int64_t k = map->graph->row[j]; k < map->graph->row[j + 1]; k++) {
        int32_t key = key_of(map, k);
        if (s->count[key]++ == 0) s->key[s->n_keys++] = key;
    }
    qsort(s->key, (size_t)s->n_keys, sizeof *s->key, ascending);
}

static void clear(sorting *s)
{
    for (int32_t k = 0; k < s->n_keys; k++) s->count[s->key[k]] = 0;
}

static int64_t count_axons(const sorting *s)
{
    int64_t n = 0;
    for (int32_t k = 0; k < s->n_keys; k++) n += k == 0 || s->key[k] >> PARTITION_FORMAT_BITS != s->key[k - 1] >> PARTITION_FORMAT_BITS;
    return n;
}

/* A row is in the order of targets, and compartments are in the order of neurons: so dealing the synapses out by core
 * and format leaves each axon's in the order of compartments. */
static void fill_row(hw_map *map, int64_t j, sorting *s)
{
    int64_t  begin = map->graph->row[j];
    uint32_t next = 0;
    hw_axon *axon = map->axon + map->axon_begin[j] - 1;
    for (int32_t k = 0; k < s->n_keys; k++) {
        uint32_t n = s->count[s->key[k]];
        if (k == 0 || axon->core != s->key[k] >> PARTITION_FORMAT_BITS)
            *++axon = (hw_axon){ s->key[k] >> PARTITION_FORMAT_BITS, 0, begin + next };
        axon->n += (int32_t)n;
        s->count[s->key[k]] = next;
        next += n;
    }
    for (int64_t k = begin; k < map->graph->row[j + 1]; k++) map->synapse[begin + s->count[key_of(map, k)]++] = (uint32_t)(k - begin);
}

static rv_status sorting_open(sorting *s, const hw_map *map, rv_error *error)
{
    size_t longest = 0;
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        if ((size_t)hw_graph_fan_out(map->graph, j) > longest) longest = (size_t)hw_graph_fan_out(map->graph, j);
    s->count = calloc(((size_t)map->n_cores + 1) << PARTITION_FORMAT_BITS, sizeof *s->count);
    s->key = malloc((longest + 1) * sizeof *s->key);
    return s->count && s->key ? RV_OK : error_memory(error, "the axons of the map", 0);
}

static rv_status make_axons(hw_map *map, rv_error *error)
{
    sorting   s = { 0 };
    int64_t   n = map->graph->n_neurons;
    rv_status status = sorting_open(&s, map, error);
    for (int64_t j = 0; status == RV_OK && j < n; j++) {
        count_row(map, j, &s);
        map->axon_begin[j + 1] = map->axon_begin[j] + count_axons(&s);
        clear(&s);
    }
    if (status == RV_OK) map->axon = malloc((size_t)(map->axon_begin[n] + 1) * sizeof *map->axon);
    if (status == RV_OK && !map->axon) status = error_memory(error, "the axons of the map", (double)map->axon_begin[n] * sizeof(hw_axon));
    for (int64_t j = 0; status == RV_OK && j < n; j++) {
        count_row(map, j, &s);
        fill_row(map, j, &s);
        clear(&s);
    }
    free(s.count);
    free(s.key);
    return status;
}

/* ---- inputs ----------------------------------------------------------------------------------------------------- */

/* Inputs without a place enter at the core where most of their synapses are. */
static void enter_inputs(hw_map *map)
{
    for (int64_t j = 0; j < map->graph->n_neurons; j++) {
        if (map->core_of[j] >= 0) continue;
        int32_t most = 0;
        map->core_of[j] = 0;
        for (int64_t a = map->axon_begin[j]; a < map->axon_begin[j + 1]; a++)
            if (map->axon[a].n > most) most = map->axon[a].n, map->core_of[j] = map->axon[a].core;
    }
}

/* ---- loads and totals ------------------------------------------------------------------------------------------- */

static rv_status load_cores(hw_map *map, const map_problem *w, rv_error *error)
{
    partition p = { 0 };
    int32_t  *part = malloc((size_t)(map->graph->n_neurons + 1) * sizeof *part);
    if (!part) return error_memory(error, "the map", 0);
    for (int64_t j = 0; j < map->graph->n_neurons; j++) part[j] = w->outside[j] ? -1 : map->core_of[j];
    rv_status status = partition_open(&p, &w->h, &w->limits, part, map->n_cores, error);
    for (int32_t c = 0; status == RV_OK && c < map->n_cores; c++) memcpy(map->core[c].use, p.state[c].use, sizeof p.state[c].use);
    partition_close(&p);
    free(part);
    return status;
}

int hw_map_hops(const hw_map *map, int32_t from, int32_t to)
{
    const hw_core *a = &map->core[from], *b = &map->core[to];
    return abs(a->x - b->x) + abs(a->y - b->y);
}

static void sum_messages(hw_map *map)
{
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        for (int64_t k = map->axon_begin[j]; k < map->axon_begin[j + 1]; k++) {
            const hw_axon *axon = &map->axon[k];
            double         rate = map->graph->rate[j];
            map->messages += rate, map->events += rate * axon->n;
            map->hops += rate * hw_map_hops(map, map->core_of[j], axon->core);
            if (map->core[map->core_of[j]].chip != map->core[axon->core].chip) map->between_chips += rate;
            map->core[map->core_of[j]].sent += rate;
            map->core[axon->core].received += rate, map->core[axon->core].events += rate * axon->n;
        }
}

static rv_status count_tiles(hw_map *map, rv_error *error)
{
    int32_t *tile = malloc((size_t)(map->n_cores + 1) * sizeof *tile), tile_cores = (int32_t)hw_value(&map->chip, HW_TILE_CORES);
    if (!tile) return error_memory(error, "the map", 0);
    mesh m = mesh_of(&map->chip, 1);
    for (int32_t c = 0; c < map->n_cores; c++) tile[c] = (map->core[c].chip * mesh_places(&m) + map->core[c].place) / tile_cores;
    qsort(tile, (size_t)map->n_cores, sizeof *tile, ascending);
    for (int32_t c = 0; c < map->n_cores; c++) map->n_tiles += c == 0 || tile[c] != tile[c - 1];
    free(tile);
    return RV_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status fill(hw_map *map, const map_problem *w, const int32_t *place, rv_error *error)
{
    mesh     m = mesh_of(&map->chip, map->n_chips);
    int32_t *core_at = malloc(((size_t)m.n_chips * (size_t)mesh_places(&m) + 1) * sizeof *core_at);
    if (!core_at) return error_memory(error, "the map", 0);
    rv_status status = allocate(map, error);
    if (status == RV_OK) status = number_cores(map, place, &m, core_at, error);
    for (int64_t j = 0; status == RV_OK && j < map->graph->n_neurons; j++) map->core_of[j] = place[j] >= 0 ? core_at[place[j]] : -1;
    free(core_at);
    TRY(status);
    list_neurons(map, w);
    TRY(make_axons(map, error));
    enter_inputs(map);
    TRY(load_cores(map, w, error));
    TRY(count_tiles(map, error));
    sum_messages(map);
    return RV_OK;
}

rv_status map_build(const map_problem *w, const int32_t *place, int32_t n_chips, hw_map **result, rv_error *error)
{
    hw_map *map = calloc(1, sizeof *map);
    if (!map) return error_memory(error, "the map", sizeof *map);
    map->chip = *w->chip, map->graph = w->graph, map->n_chips = n_chips;
    rv_status status = fill(map, w, place, error);
    if (status == RV_OK) *result = map;
    else hw_map_free(map);
    return status;
}

void hw_map_free(hw_map *map)
{
    if (!map) return;
    memory_free(map->synapse, (size_t)map->graph->n_synapses * sizeof *map->synapse);
    free(map->core), free(map->core_of), free(map->compartment), free(map->neuron), free(map->axon_begin), free(map->axon);
    free(map);
}
