/* What a mapped network costs: SANA-FE's model of Loihi in closed form (Boyle et al. 2025, doi:10.1109/TCAD.2025.3537971;
 * sanafe.md section 5), with the constants of the chip's profile. In one step
 *
 *     messages   one for every neuron that spikes and every core it reaches, its own included
 *     energy     neurons * energy_neuron + updated * energy_update + fired * energy_spike
 *                + synaptic events * energy_synapse + messages * energy_message + hops * energy_hop_x or _y
 *     time       the slower of the busiest sender and the busiest receiver, and the barrier:
 *                sender    its neurons (time_neuron, time_update, time_spike), time_message_out for each message
 *                receiver  time_message_in for each message, time_synapse for each synaptic event
 *
 * Input neurons cost only the messages they send. What depends on a constant that the profile does not know is NAN. */
#ifndef RV_HW_COST_H
#define RV_HW_COST_H

#include "hw/map.h"

/** Of one step. Energies in pJ, time in ns. */
typedef struct hw_cost {
    double fired, updated; /* neurons; inputs that spike are counted in both, as SANA-FE does */
    double messages, hops_x, hops_y, events;
    double energy_synapses, energy_neurons, energy_network, energy;
    double time;
} hw_cost;

/** One step whose spikes are known. @param fired [n_neurons] @param updated [n_neurons] neurons whose potential was not 0
 *  before the step, that have a bias, get input or spike; not looked at for inputs */
rv_status hw_cost_of_step(const hw_map *map, const bool *fired, const bool *updated, hw_cost *cost);

/** The mean step at the rates of the graph, every neuron counted as updated. The time is that of a step in which every core
 *  has its mean load: steps with bursts take longer. */
rv_status hw_cost_estimate(const hw_map *map, hw_cost *cost);

/** The wait at the end of a step, ns. */
double hw_barrier(const hw_chip *chip, int32_t n_tiles);

#endif
