#include "hw/cost.h"

#include <math.h>
#include <stdlib.h>

/* What happened on one core. */
typedef struct core_load {
    double updated, fired, sent, received, events;
} core_load;

double hw_barrier(const hw_chip *chip, int32_t n_tiles)
{
    hw_quantity q = n_tiles >= 29 ? HW_BARRIER_29 : n_tiles >= 4 ? HW_BARRIER_4 : n_tiles >= 2 ? HW_BARRIER_2 : HW_BARRIER_1;
    return hw_value(chip, q);
}

/* `spikes` messages of a neuron to each core it reaches. */
static void send(const hw_map *map, int64_t neuron, double spikes, core_load *load, hw_cost *cost)
{
    const hw_core *from = &map->core[map->core_of[neuron]];
    for (int64_t k = map->axon_begin[neuron]; k < map->axon_begin[neuron + 1]; k++) {
        const hw_axon *axon = &map->axon[k];
        const hw_core *to = &map->core[axon->core];
        cost->messages += spikes, cost->events += spikes * axon->n;
        cost->hops_x += spikes * abs(from->x - to->x), cost->hops_y += spikes * abs(from->y - to->y);
        load[map->core_of[neuron]].sent += spikes;
        load[axon->core].received += spikes, load[axon->core].events += spikes * axon->n;
    }
}

static void add_neuron(const hw_map *map, int64_t neuron, double fired, double updated, core_load *load, hw_cost *cost)
{
    bool input = map->compartment[neuron] < 0;
    cost->fired += fired, cost->updated += input ? fired : updated;
    if (!input) load[map->core_of[neuron]].updated += updated, load[map->core_of[neuron]].fired += fired;
    if (fired > 0) send(map, neuron, fired, load, cost);
}

static void add_energy(const hw_map *map, const core_load *load, hw_cost *cost)
{
    const hw_chip *c = &map->chip;
    double         neurons = 0, updated = 0, fired = 0;
    for (int32_t k = 0; k < map->n_cores; k++) neurons += map->core[k].n_neurons, updated += load[k].updated, fired += load[k].fired;
    cost->energy_synapses = cost->events * hw_value(c, HW_ENERGY_SYNAPSE);
    cost->energy_neurons = neurons * hw_value(c, HW_ENERGY_NEURON) + updated * hw_value(c, HW_ENERGY_UPDATE) + fired * hw_value(c, HW_ENERGY_SPIKE);
    cost->energy_network = cost->messages * hw_value(c, HW_ENERGY_MESSAGE) + cost->hops_x * hw_value(c, HW_ENERGY_HOP_X) +
                           cost->hops_y * hw_value(c, HW_ENERGY_HOP_Y);
    cost->energy = cost->energy_synapses + cost->energy_neurons + cost->energy_network;
}

static void add_time(const hw_map *map, const core_load *load, hw_cost *cost)
{
    const hw_chip *c = &map->chip;
    double         busiest = 0;
    for (int32_t k = 0; k < map->n_cores; k++) {
        double sending = map->core[k].n_neurons * hw_value(c, HW_TIME_NEURON) + load[k].updated * hw_value(c, HW_TIME_UPDATE) +
                         load[k].fired * hw_value(c, HW_TIME_SPIKE) + load[k].sent * hw_value(c, HW_TIME_MESSAGE_OUT);
        double receiving = load[k].received * hw_value(c, HW_TIME_MESSAGE_IN) + load[k].events * hw_value(c, HW_TIME_SYNAPSE);
        busiest = isnan(sending + receiving) ? NAN : fmax(busiest, fmax(sending, receiving));
        if (isnan(busiest)) break;
    }
    cost->time = busiest + hw_barrier(c, map->n_tiles);
}

rv_status hw_cost_of_step(const hw_map *map, const bool *fired, const bool *updated, hw_cost *cost)
{
    core_load *load = calloc((size_t)map->n_cores + 1, sizeof *load);
    *cost = (hw_cost){ 0 };
    if (!load) return RV_OUT_OF_MEMORY;
    for (int64_t j = 0; j < map->graph->n_neurons; j++) add_neuron(map, j, fired[j], updated[j], load, cost);
    add_energy(map, load, cost), add_time(map, load, cost);
    free(load);
    return RV_OK;
}

rv_status hw_cost_estimate(const hw_map *map, hw_cost *cost)
{
    core_load *load = calloc((size_t)map->n_cores + 1, sizeof *load);
    *cost = (hw_cost){ 0 };
    if (!load) return RV_OUT_OF_MEMORY;
    for (int64_t j = 0; j < map->graph->n_neurons; j++) add_neuron(map, j, map->graph->rate[j], 1, load, cost);
    add_energy(map, load, cost), add_time(map, load, cost);
    free(load);
    return RV_OK;
}
