/* What the files of io/nir share. */
#ifndef RV_IO_NIR_INTERNAL_H
#define RV_IO_NIR_INTERNAL_H

#include "io/nir.h"

void nir_group_free(nir_group *group);

/** Whether all nodes have the fields of their types and these fit together; what nir_check() does first.
 *  @param parent path of the graph, "" for the outermost @param file for the sentence, may be NULL */
rv_status nir_check_fields(const nir_graph *graph, const char *parent, const char *file, rv_error *error);

/** Types of nodes: neurons, and those that emit spikes. */
static inline bool nir_is_neuron(nir_kind kind) { return kind >= NIR_I && kind <= NIR_CUBALIF; }
static inline bool nir_spikes(nir_kind kind) { return kind == NIR_IF || kind == NIR_LIF || kind == NIR_CUBALIF || kind == NIR_THRESHOLD; }

/** How a window moves along an axis. */
typedef struct nir_axis {
    int64_t size, kernel, stride, padding, dilation, after; /* padding in front; after: size of the result */
} nir_axis;

/** The geometry of a convolution or pooling in (height, width); a Conv1d has height 1. @param input its shape, known */
typedef struct nir_window {
    int64_t  channels_in, channels_out, groups; /* of pooling: groups = channels */
    nir_axis axis[2];
} nir_window;

rv_status nir_window_of(const nir_node *node, const nir_shape *input, const char *path, nir_window *window, rv_error *error);

/** Path of a node: "parent/name". */
enum { NIR_PATH = 256 };
const char *nir_path(char text[NIR_PATH], const char *parent, const char *name);

/** "2x6x8" */
const char *nir_shape_text(char text[NIR_PATH], const nir_shape *shape);

#endif
