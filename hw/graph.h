/* What mapping needs to know of a network, whatever it was made from: groups of neurons, the synapses of every neuron,
 * how synapses are stored, which neurons share parameters, how often each spikes. Weights and delays ride along, so that
 * whoever writes a file for a chip finds everything here. Neurons are numbered through, group after group.
 *
 *   hw_graph *graph;
 *   hw_graph_from_net(net, NULL, &graph, &error);         a network of the simulator, or
 *
 *   hw_graph_new(groups, 2, formats, 1, &graph, &error);  anything else: groups and formats,
 *   hw_graph_fill(graph, visit, user, &error);            then the synapses, by a function that goes through them
 *
 * 50 million synapses take 0.6 GB. */
#ifndef RV_HW_GRAPH_H
#define RV_HW_GRAPH_H

#include "hw/chip.h"

enum { HW_MAX_FORMATS = 255, HW_GROUP_TEXT = 64 };

/** Neurons of one kind. */
typedef struct hw_group {
    char    name[HW_GROUP_TEXT];
    int64_t first; /* its first neuron; filled in by hw_graph_new() */
    int64_t n;
    bool    input; /* outside the chip: spikes come from there, no core is taken */
} hw_group;

/** How synapses are stored. Two projections that agree in this share a format on a core. */
typedef struct hw_format {
    int  weight_bits; /* of each synapse                                                     */
    int  delay_bits;  /* of each synapse: enough for the longest delay but one step          */
    int  weight_exp;  /* exponent that the weights share                                     */
    int  sign;        /* 1: no weight is negative, -1: none is positive, 0: mixed            */
    bool dense;       /* every source reaches every neuron of a group: no index is stored    */
    bool learning;
    int  trace;        /* of formats that learn: those of one number share the traces of their sources */
} hw_format;

typedef struct hw_graph {
    int        n_groups, n_formats;
    int64_t    n_neurons, n_synapses;
    hw_group  *group;     /* [n_groups]                                                         */
    hw_format *format;    /* [n_formats]                                                        */
    int32_t   *profile;   /* [n_neurons] neurons of one number have the same decays, ...        */
    int32_t   *threshold; /* [n_neurons] ... or the same threshold                              */
    int32_t   *setting;   /* [n_neurons] ... or the same lowest and highest potential           */
    double    *rate;      /* [n_neurons] spikes per step                                        */
    int64_t   *row;       /* [n_neurons + 1] first synapse of each neuron                       */
    int32_t   *target;    /* [n_synapses] ascending within a row                                */
    float     *weight;    /* [n_synapses]                                                       */
    uint16_t  *delay;     /* [n_synapses] steps; 1: arrives in the next step                    */
    uint8_t   *format_of; /* [n_synapses]                                                       */
    char      *notes;     /* what was assumed, a sentence a line; NULL: nothing                 */
} hw_graph;

/** Groups and formats; profiles and thresholds are numbered by group, settings and rates are 0. */
rv_status hw_graph_new(const hw_group *groups, int n_groups, const hw_format *formats, int n_formats, hw_graph **graph,
                       rv_error *error);
void      hw_graph_free(hw_graph *graph);

/** One synapse, as it is handed over. */
typedef struct hw_synapse {
    int64_t source, target;
    double  weight;
    int64_t delay; /* steps */
    int     format;
} hw_synapse;

/** Takes a synapse. */
typedef void (*hw_synapse_fn)(void *sink, const hw_synapse *synapse);

/** Goes through all synapses in any order, and hands each to take(sink, ...). Called twice with the same outcome: once
 *  to count, once to fill. */
typedef rv_status (*hw_synapse_visit)(void *user, hw_synapse_fn take, void *sink);

/** Fills the rows; they are ordered by target, then format, delay, weight, so that the order of visiting leaves no trace. */
rv_status hw_graph_fill(hw_graph *graph, hw_synapse_visit visit, void *user, rv_error *error);

typedef struct hw_graph_options {
    double rate;        /* Hz, of neurons whose spikes were not recorded; 0 means 10                              */
    int    weight_bits; /* of weights that are no integers; 0 means 8. Integers take what they need               */
} hw_graph_options;

/** The graph of a network. Generators become inputs. Parameters that differ make profiles; those called V_th, vth, vth_hi
 *  or vth_lo make thresholds, vmin settings of the core, and biases (I_e, bias_mant, bias_exp) count for nothing. Rates are those of
 *  the recorded spikes. A Poisson input becomes a group of inputs, one or more for each neuron so that none spikes in more than
 *  half of the steps; constant currents are biases; what other currents there are the graph says in its notes. Compiles the network if need be. Grid timing only. @param options NULL: all defaults */
rv_status hw_graph_from_net(rv_net *net, const hw_graph_options *options, hw_graph **graph, rv_error *error);

/** The group of a neuron. */
const hw_group *hw_graph_group(const hw_graph *graph, int64_t neuron);

static inline int64_t hw_graph_fan_out(const hw_graph *graph, int64_t neuron) { return graph->row[neuron + 1] - graph->row[neuron]; }

/** How a chip stores synapses of a format: blocks of synapses, each with a header, rounded up to words. All in bits, but
 *  for `block`, the synapses of a block. */
typedef struct hw_encoding {
    int64_t each, header, word, block, full_block;
} hw_encoding;

hw_encoding hw_encoding_of(const hw_chip *chip, const hw_format *format);

/** Bits that n synapses of one neuron take on a core. */
static inline int64_t hw_synapse_bits(const hw_encoding *e, int64_t n)
{
    int64_t bits = 0;
    if (n >= e->block) bits = n / e->block * e->full_block, n %= e->block;
    return n > 0 ? bits + (n * e->each + e->header + e->word - 1) / e->word * e->word : bits;
}

#endif
