/* netx: the HDF5 files in which lava-dl keeps trained networks for Loihi 2, read into a network of Loihi's integer neurons and
 * synapses that runs in the engine, bit for bit as lava-dl's loader would have Lava run it.
 *
 *   netx      n;
 *   netx_read("net.net", &(rv_net_def){ 0 }, &(netx_options){ 0 }, &n, &error);
 *   netx_input input;
 *   netx_input_read("input.h5", &n, &input, &error);
 *   netx_play(&n, &input, &error);
 *   rv_run(n.net, input.n_steps);
 *   netx_input_free(&input), netx_free(&n);
 *
 * A file is a chain of layers. Each layer with neurons becomes a population "layer<number in the file>"; if the first of them
 * has synapses, a spike_generator "input" stands before it. Neurons of a layer (W, H, C) are numbered (x H + y) C + c, as the
 * arrays of Lava's processes are. A step of the chip is a step of the network; a layer hears a spike one step after it.
 *
 * Loaded as netx 0.6.0 (lava-nc/lava-dl) does: weights and biases cut toward zero, exponent and bits of a dense matrix chosen from
 * its weights, delays above 62 clamped, refractory delays ignored. Refused, with the number of the layer and the reason: what
 * netx refuses, what it would skip silently, and what it gets wrong. */
#ifndef RV_HW_NETX_H
#define RV_HW_NETX_H

#include "sim/ranvier.h"

/** What the loader of lava-dl takes beside the file. */
typedef struct netx_options {
    int64_t reset_interval, reset_offset; /* steps; u and v are reset, each layer one step after that before it; 0: never */
    int     input_message_bits;           /* bits of what input spikes carry; 0: a spike is a spike                       */
} netx_options;

enum { NETX_INPUT, NETX_DENSE, NETX_DENSE_REC, NETX_CONV, NETX_FLATTEN, N_NETX_KINDS };
extern const char *const netx_kinds[N_NETX_KINDS];

typedef struct netx_layer {
    int           kind;
    int           rank;       /* 1 or 3                                     */
    int64_t       shape[3];   /* W, H, C; n, 1, 1 if of rank 1              */
    rv_population neurons;    /* null: the layer has none (flatten, input that only gives its shape) */
    rv_projection synapses, recurrent; /* null where there are none         */
    int64_t       clamped;    /* delays above 62 that were made 62          */
} netx_layer;

typedef struct netx {
    rv_net       *net;     /* owned    */
    int           n_layers;
    netx_layer   *layer;   /* [n_layers] of the file */
    rv_population input;   /* spikes go in here; null: the first layer has no synapses but takes input directly */
    int64_t       n_input; /* neurons that take input                                                        */
} netx;

/** @param def its resolution is 1 ms if 0 @return RV_OK, or a status with a sentence that begins with the file's name */
rv_status netx_read(const char *path, const rv_net_def *def, const netx_options *options, netx *n, rv_error *error);
void      netx_free(netx *n);

/** Neurons of a layer. */
static inline int64_t netx_size(const netx_layer *layer) { return layer->shape[0] * layer->shape[1] * layer->shape[2]; }

/* ---- input -------------------------------------------------------------------------------------------------- */

/** What goes in: spikes; or, where the first layer has no synapses, the biases of its neurons and what is added to their input
 *  in single steps. */
typedef struct netx_input {
    int64_t  n_steps, n_events;
    int64_t *step, *neuron; /* [n_events] by neuron, then step; steps from 1, neurons from 0 */
    double  *payload;       /* [n_events] not 0                                             */
    double  *bias;          /* [n_input] or NULL                                            */
    bool     ends_with_event; /* n_steps is the last event, not a length that was given      */
} netx_input;

/** Reads input for a network: an HDF5 file with a dataset input (T, ...), or input_bias_mant (...) for a first layer without
 *  synapses, or both; "file:dataset" for another name of the former; or a text with lines of step,neuron,payload (payload 1 if left out, a first line of names is skipped). */
rv_status netx_input_read(const char *path, const netx *n, netx_input *input, rv_error *error);
void      netx_input_free(netx_input *input);

/** Gives the network its input; once, before it runs. */
rv_status netx_play(netx *n, const netx_input *input, rv_error *error);

#endif
