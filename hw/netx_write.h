/* Writes a network of Loihi's integer neurons as a netx file, the HDF5 file that lava-dl loads onto Loihi 2.
 *
 *   netx_options with;
 *   netx_write("net.net", net, NULL, 0, &with, &error);
 *
 * The network must be a chain: generators (what comes in), then populations of loihi_lif, each with synapses from the one before it
 * and perhaps from itself. Synapses that several projections make between the same populations become one matrix.
 *
 * netx chooses exponent and bits from the weights in the file. So weights are written as what a spike adds to the input, weight
 * 2^weight_exp, and the loader's own choice is computed and checked to have the same effect; where it has not, the sentence says which
 * weight and what is possible. Refused likewise: what netx cannot say (netx.md section 4), and what it would lose. */
#ifndef RV_HW_NETX_WRITE_H
#define RV_HW_NETX_WRITE_H

#include "hw/export_conv.h"
#include "hw/netx.h"

/** What population has which shape. Where both ends of a projection have one and its synapses are those of a kernel, it is written as a
 *  convolution; all others become dense layers, of the same effect. */
typedef struct netx_shape {
    rv_population population;
    export_shape  shape;
    bool          channels_first; /* neuron (x, y, c) has the number (c height + y) width + x, as in NIR, and in the file that of netx */
} netx_shape;

/** The number in a netx file of a neuron of a population with a shape. */
int64_t netx_neuron(const netx_shape *shape, int64_t neuron);

/** @param shapes [n_shapes] may be NULL @param with result, may be NULL: the options to load the file with, for what lava-dl does not
 *  keep in it (reset intervals, bits of the input's messages) */
rv_status netx_write(const char *path, rv_net *net, const netx_shape *shapes, int n_shapes, netx_options *with, rv_error *error);

/** The shapes of a network that was read from a netx file. @param shapes result [n_layers + 1] @return how many */
int netx_shapes(const netx *n, netx_shape *shapes);

#endif
