/* From a network to a map, with neurons split that hear more than a core can hold.
 *
 *   hw_placement p;
 *   hw_place(&chip, net, NULL, NULL, &p, &error);      p.map; p.net if the network had to be changed for it
 *   hw_placement_free(&p);
 *
 * A neuron whose synapses need more input axons, synaptic memory or fan-in than a core has gets its input through neurons that
 * gather it: a loihi_graded hears a part of the sources, with the same weights, and sends the sum as the number that its spike
 * carries; the neuron adds what it gets with a weight of 1 and the exponent that the projection had. What it adds in a step is the
 * same whole number as before, so all spikes are the same. Gathering takes a step, which is taken off the delays: synapses with a
 * delay of 2 steps and more can be gathered, others stay where they are. Where an exponent rounds sums down, the chip does so for every
 * delay by itself, and so each delay is gathered by neurons of its own.
 *
 * The chip must have graded spikes (payload_bits), and the network its integers (synapses of the kind loihi). Where a neuron cannot be
 * split, the sentence of hw_map_network() says what does not fit, and then why. */
#ifndef RV_HW_SPLIT_H
#define RV_HW_SPLIT_H

#include "hw/map.h"

typedef struct hw_placement {
    rv_net   *net;   /* what was mapped instead of the given network: its populations come first, those that gather behind; NULL: as given */
    hw_graph *graph; /* its notes say what was split */
    hw_map   *map;   /* of the graph                 */
} hw_placement;

/** hw_graph_from_net() and hw_map_network(), and splitting between the two if it is needed. @param p result; free it in any case */
rv_status hw_place(const hw_chip *chip, rv_net *net, const hw_graph_options *reading, const hw_map_options *mapping, hw_placement *p, rv_error *error);
void      hw_placement_free(hw_placement *p);

#endif
