/* Finding the convolution in a list of synapses: the kernel, stride, padding and groups that give these synapses and no others. */
#ifndef RV_HW_EXPORT_CONV_H
#define RV_HW_EXPORT_CONV_H

#include "hw/export_net.h"

/** Width, height and channels of a population; neuron (x, y, c) has the number (x height + y) channels + c. */
typedef struct export_shape {
    int64_t w, h, c;
} export_shape;

static inline int64_t export_shape_size(const export_shape *s) { return s->w * s->h * s->c; }

/** Pairs in the order (height, width), as lava-dl has them. */
typedef struct export_conv {
    int64_t kernel[2], stride[2], padding[2], groups;
    double *weight; /* [out channels][in channels / groups][kernel height][kernel width]; malloc'ed */
} export_conv;

/** Dilation is 1: kernels with holes have zeros there. Of the strides and groups that fit it takes the largest.
 *  @return RV_OK, RV_CONFLICT without a sentence if the synapses are no convolution, RV_OUT_OF_MEMORY */
rv_status export_find_conv(const export_synapses *s, const export_shape *in, const export_shape *out, export_conv *conv);

#endif
