/* Ranvier's mapping file: everything about a network on a chip in one HDF5 file. Core by core what its registers and its synaptic memory
 * hold, which axons lead where, what the chip's limits are and how much of them is used; and the numbers a simulator needs beside it, so
 * that the network can be made again from the file alone and gives the same spikes.
 *
 *   hw_mapping_write("net.map.h5", net, map, &error);
 *   hw_mapping m;
 *   hw_mapping_read("net.map.h5", &m, &error);        m.net runs, m.map equals the map that was written
 *   hw_mapping_free(&m);
 *
 * Numbers count from 0. Neurons are numbered through, group after group; "compartment" is a neuron's number on its core.
 *
 *   /                    attributes: content = "ranvier mapping", version = 1, made_by, resolution (ms a step), seed
 *
 *   /chip                attributes: name, title; for every quantity of `ranvier chips NAME` its value (unlimited: inf, unknown: nan),
 *                        <quantity>.source and <quantity>.trust (0 not stated, 1 stated, 2 unsure)
 *
 *   /groups/<k>          a population. attributes: name, model, n, first (number of its first neuron), input (1: outside the chip)
 *     param/<name>       a parameter of the model: one number, or one for each neuron
 *     state/<name>       an initial state: the same
 *     spikes/neuron, spikes/time_ms, spikes/payload
 *                        of a spike_generator: its spikes by neuron, then time; payload only if spikes carry numbers
 *
 *   /formats/<f>         how synapses are stored. attributes:
 *     weight_bits, delay_bits, index_bits   bits of the fields of a synapse, see /memory
 *     weight_shift       a weight is its field 2^weight_shift
 *     sign               1: the field is the weight, 0: in two's complement, -1: it is minus the weight
 *     dense              1: no index is stored, the compartments follow each other
 *     synapse            kind of synapse, and each of its parameters as an attribute (weight_exp, num_weight_bits, ...); "" if plain
 *     factor             what a spike adds is weight * factor, if no bit is lost by it (a power of two)
 *     mapper_format      number in /mapper_formats
 *     rule               number in /rules: every synapse of this format learns by it, and the field is the weight to begin with; -1: none does
 *   /mapper_formats      formats as mapping counts them: weight_bits, delay_bits, weight_exp, sign, dense, learning, trace  [n] each;
 *                        those that learn with the same trace share the traces of their sources, and each of their sources takes
 *                        learning_axons of the chip's input axons, though it stands in /axons once
 *
 *   /rules/<r>           a learning rule. attributes: name (ranvier models NAME), its parameters by name, its texts by name (dw, dt, dd)
 *                        and what the chip's learning engine makes of them (sim/epoch.h says when what happens):
 *     t_epoch            attribute: steps of an epoch, at the end of which synapses learn
 *     low, high          attributes, three numbers each: ranges of w, t (tag), d of a synapse; t, d and all traces are 0 at the beginning
 *     traces             [5][2] of x1 x2 y1 y2 y3: impulse, and time constant in steps; values are 0 to 127
 *     products           [n][7] summands: variable (0 w, 1 t, 2 d), dependency (0 x0, 1 y0, 2 u), k of u, mantissa -8..7, exponent -7..8, by how
 *                        many bits the product of the factors is shifted right before it is scaled, number of its first factor
 *     factors            [m][3] symbol (0 x0, 1 y0, 2 x1, 3 x2, 4 y1, 5 y2, 6 y3, 7 w, 8 t, 9 d), constant added to it, 1: its sign is taken
 *                        graded_spike_cfg (attribute): what payloads do to x1, as ranvier models loihi_rule says
 *                        Rounding is random. The numbers are Philox's (Salmon et al. 2011), from the seed of the file, the number of the
 *                        projection and the step, as in sim/epoch.c; one set for all synapses of a projection and step
 *   /projections         source, target (groups), format  [n] each. In a projection no two formats, and no format twice between two groups
 *
 *   /neurons             of every neuron [n_neurons]:
 *     core               where it is; of an input: where its spikes enter the chip
 *     compartment        its number there; -1: an input
 *     profile, threshold, setting
 *                        which neurons share the same decays, which the same threshold, which the same lowest potential
 *     rate               spikes per step that the mapping was made for
 *
 *   /cores               of every core in use [n_cores]:
 *     chip, place, x, y  place = tile * tile_cores + core of the tile; x, y: of the tile in the mesh of all chips
 *     first_neuron       [n_cores + 1] in neuron: the neurons of the core by compartment
 *     neuron             [...]
 *     first_axon         [n_cores + 1] in /axons: its input axons
 *     first_format       [n_cores + 1] in format: its table of formats, which headers in /memory point into
 *     format             [...] number in /formats
 *     first_word, bits   [n_cores + 1], [n_cores] where its memory begins in /memory (64-bit numbers), and how many bits of it are used
 *     use                [n_cores][resources], attributes: resources (names), limits
 *
 *   /axons               input axons by core, then source:
 *     source             [n] neuron whose spikes arrive here
 *     first_block        [n + 1] in /blocks
 *   /blocks              synapses of an axon that are stored together: format, n, compartment (of its first synapse),
 *     bit                where it begins in the memory of the core
 *   /memory              [n] 64-bit numbers, the first bit is the lowest. A block is a header of memory_block_header bits (as many bits as
 *                        count the synapses of a full block: n - 1; the rest: place in the core's table of formats), then for each synapse
 *                        weight, delay - 1, index (lowest bit first); it begins at a multiple of memory_word bits. The index is the
 *                        compartment if the field can hold those of the core, else what the compartment is beyond the one before
 *   /routes              output axons: row [n_neurons + 1], and for each of a neuron: core, axon (number on that core), hops_x, hops_y
 *
 *   /estimate            attributes: messages, hops, events, between_chips a step at these rates
 *
 * Written are networks of whole weights; of those that learn the ones whose rules run in the chip's integers, with the weights of now. Anything
 * else is refused with what to do. */
#ifndef RV_HW_MAPPING_FILE_H
#define RV_HW_MAPPING_FILE_H

#include "hw/map.h"

rv_status hw_mapping_write(const char *path, rv_net *net, const hw_map *map, rv_error *error);

typedef struct hw_mapping {
    rv_net   *net;
    hw_graph *graph;
    hw_map   *map; /* of the graph */
} hw_mapping;

/** @return RV_FILE_ERROR, RV_OUT_OF_RANGE, ... with a sentence that begins with the path, if the file contradicts itself */
rv_status hw_mapping_read(const char *path, hw_mapping *m, rv_error *error);
void      hw_mapping_free(hw_mapping *m);

#endif
