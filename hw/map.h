/* Mapping: which neuron goes to which core, so that every limit of the chip holds and few messages are sent.
 *
 *   hw_map *map;
 *   hw_map_network(&chip, graph, NULL, &map, &error);    places everything, or says what does not fit and what would help
 *   hw_map_report(map, &text);                           cores, tightest limits, messages, hops; energy and time
 *   hw_floorplan_write(map, "chip.svg", &error);         hw/floorplan.h
 *   hw_map_free(map);
 *
 * A neuron that spikes sends one *message* to every core that holds a target of it, its own core included (as SANA-FE
 * counts, sanafe.md section 5). On that core the message finds the *input axon* of the neuron and, behind it, its synapses
 * there. The result is the same for the same graph, chip and seed, whatever the number of threads. */
#ifndef RV_HW_MAP_H
#define RV_HW_MAP_H

#include "hw/graph.h"

typedef struct hw_map_options {
    uint64_t seed;
    int      chips; /* use at most so many; 0: as many as the profile allows */
} hw_map_options;

/** A core that is in use. Cores are numbered from 0 over all chips, in order of their place. */
typedef struct hw_core {
    int32_t  chip, place;              /* place: tile * tile_cores + core of the tile                    */
    int32_t  x, y;                     /* of its tile in the mesh of all chips, which lie side by side   */
    int64_t  use[HW_N_RESOURCES];
    int32_t  first_neuron, n_neurons;  /* in hw_map.neuron                                               */
    double   sent, received, events;   /* messages and synaptic events per step                          */
} hw_core;

/** The synapses of one neuron on one core: an input axon there, an output axon where the neuron is. */
typedef struct hw_axon {
    int32_t core;
    int32_t n;     /* synapses            */
    int64_t first; /* in hw_map.synapse   */
} hw_axon;

typedef struct hw_map {
    hw_chip         chip;
    const hw_graph *graph;       /* borrowed                                                                      */
    int32_t         n_cores, n_chips, n_tiles;
    hw_core        *core;        /* [n_cores]                                                                     */
    int32_t        *core_of;     /* [n_neurons] of an input: the core where it enters                             */
    int32_t        *compartment; /* [n_neurons] its number on the core, by group, then neuron; -1: an input       */
    int32_t        *neuron;      /* the neurons of each core, in the order of compartments                        */
    int64_t        *axon_begin;  /* [n_neurons + 1] first axon of each neuron                                     */
    hw_axon        *axon;        /* of each neuron by core                                                        */
    uint32_t       *synapse;     /* [n_synapses] place in the neuron's row; of each axon by format, compartment, delay */
    double          messages, hops, events, between_chips; /* per step, at the rates of the graph                */
} hw_map;

/** @param options NULL: all defaults */
rv_status hw_map_network(const hw_chip *chip, const hw_graph *graph, const hw_map_options *options, hw_map **map,
                         rv_error *error);
void      hw_map_free(hw_map *map);

/** Neurons that would not fit on a core of their own: their fan-in is too large for its input axons, its memory or the limit.
 *  @param large result, [n_neurons], to be freed; NULL if there are none for sure @param n how many @param why the sentence of the first */
rv_status hw_map_large(const hw_chip *chip, const hw_graph *graph, bool **large, int64_t *n, rv_error *why, rv_error *error);

/** The map with every neuron on a core that is given: a mapping from elsewhere. Limits are not enforced; what is exceeded
 *  stands in the report. @param place [n_neurons] chip * places of a chip + place in it; inputs: where they enter */
rv_status hw_map_given(const hw_chip *chip, const hw_graph *graph, const int32_t *place, hw_map **map, rv_error *error);

/** Sentences about what is exceeded, one a line, each with core, use, limit, and what to change. @param text result, to be freed by
 *  free(); empty if everything fits @return RV_OK or RV_OUT_OF_MEMORY */
rv_status hw_map_violations(const hw_map *map, char **text);

/** The report: totals, energy and time, how full the cores are, the tightest limit and what to change, and a line for
 *  every core (the first `most_cores`). @param text result, to be freed by free() */
rv_status hw_map_report(const hw_map *map, int most_cores, char **text);

/** Hops of a message from core to core: |dx| + |dy| of their tiles. */
int hw_map_hops(const hw_map *map, int32_t from, int32_t to);

/** How full a core is: the largest part used of any limit, and of which. @param tightest result; may be NULL */
double hw_map_fullness(const hw_map *map, int32_t core, hw_resource *tightest);

/** What to change where a resource is too scarce. */
const char *hw_map_advice(hw_resource resource);

#endif
