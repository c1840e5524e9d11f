/* Convolutions: a projection that is kept as its kernel and its geometry. Which targets a neuron has, and with which weights, is
 * worked out when its spike arrives.
 *
 * Along an axis (height, width) the place s of a source and the place o of a target meet at the tap k of the kernel with
 *
 *   s + padding = o stride + k dilation          0 <= k < kernel,   0 <= o < size of the result
 *
 * The taps of one source place are those of one residue modulo stride / gcd(stride, dilation): their targets lie a constant step
 * apart. The kernel is stored so that taps of one residue follow one another, the last first; so the synapses of a source are
 * three nested loops, over channels, height and width, with constant steps both in targets and in weights. They are walked in
 * ascending order of targets, the innermost loop over what is adjacent in memory: places of a row, or channels of a place. */
#ifndef RV_SIM_CONVOLUTION_H
#define RV_SIM_CONVOLUTION_H

#include "sim/definition.h"

struct network;
struct bundle;

/** The taps that a place reaches along an axis. */
typedef struct convolution_reach {
    int32_t target, tap, n; /* the first target place and the tap, as stored, by which it is met; how many */
} convolution_reach;

typedef struct convolution {
    rv_convolution     shape;       /* completed                                                     */
    neuron_range       source, target;
    int64_t            out[3];      /* channels, height, width of the target                         */
    convolution_reach *reach[2];    /* [height], [width] of the source                               */
    int64_t            step[2];     /* target places from a tap to the next                          */
    double            *kernel;      /* [channels of the source][block] as the walk meets them        */
    int64_t            n_kernel, block, group_out; /* group_out: channels of the target in a group   */
} convolution;

/** Checks what rv_connect() was given and completes it. @param weight for its number of values @param object for sentences */
rv_status convolution_check(const rv_convolution *given, const neuron_range *source, const neuron_range *target, const rv_value *weight,
                            const char *object, rv_convolution *completed, rv_error *error);

/** @param p of rule convolution, checked; its weights go into the kernel, rounded to float32 if rows would hold them so */
rv_status convolution_new(const definition *d, const projection_def *p, convolution **c, rv_error *error);
void      convolution_free(convolution *c);

/** Which of the kernel's weights, as they were given, a synapse has. @param source, target neurons of the projection that it connects */
int64_t convolution_weight_of(const projection_def *p, int64_t source, int64_t target);

/* ---- the synapses of a neuron --------------------------------------------------------------------------------------- */

/** Some of them: n[0] times n[1], with constant steps in targets and weights. */
typedef struct convolution_block {
    int64_t       target;         /* the first */
    int64_t       n[2], step[2];
    const double *weight;         /* of the first */
    int64_t       weight_step[2];
} convolution_block;

/** One synapse of a block. */
static inline int64_t       convolution_target(const convolution_block *b, int64_t i, int64_t k) { return b->target + i * b->step[0] + k * b->step[1]; }
static inline const double *convolution_weight(const convolution_block *b, int64_t i, int64_t k) { return b->weight + i * b->weight_step[0] + k * b->weight_step[1]; }

typedef struct convolution_walk {
    const double *weight;
    int64_t       first, n[3], step[3], weight_step[3]; /* the three loops, the outermost first */
    int64_t       span[2];                              /* targets from the first to the last of a block, of a row of it */
    int64_t       from, to, shift, block, row;
} convolution_walk;

/** Begins the walk over the synapses of a neuron (numbered in its population) to targets from..to-1; what is then found is
 *  numbered from shift on. */
void convolution_begin(const convolution *c, int64_t neuron, int64_t from, int64_t to, int64_t shift, convolution_walk *w);

/** @return false: there are no more */
bool convolution_next(convolution_walk *w, convolution_block *block);

/* ---- in a network ----------------------------------------------------------------------------------------------------- */

/** Lays out the rows of a bundle that is a convolution: a segment for each source that has targets in a tile, and which source
 *  that is; no targets and no weights. @param delay of all its synapses, 2^-32 steps */
rv_status convolution_lay_out(struct network *net, struct bundle *b, uint64_t delay, int threads, rv_error *error);

/** The kernel becomes the weights in effect of the bundle's kind of synapse, if it has one. */
void convolution_take_effect(struct bundle *b);

/** Whether some weights are negative, and some positive. */
void convolution_signs(const convolution *c, bool *negative, bool *positive);

/** The synapses of a segment of such a bundle in a tile; targets are numbered in the tile. */
void convolution_begin_segment(const struct network *net, const struct bundle *b, int tile, uint32_t segment, convolution_walk *w);

/** Adds the weights of a block times a factor to the inputs of its targets: those below 0 to `in`, others to `ex`. */
void convolution_add(const convolution_block *block, double *ex, double *in, double factor);

/** Adds 1 for every synapse. */
void convolution_count(const convolution_block *block, double *input);

#endif
