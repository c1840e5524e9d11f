/* Linear maps with delays: what the nodes between neurons of a NIR graph do to signals, and their composition and sum. A map is a
 * list of entries by output: output i is the sum over its entries of weight x input[in](t - delay). Delays are in steps. A
 * convolution or pool is kept as its kernel, also with one delay before or behind it, until it is composed with another map or added
 * to one. */
#ifndef RV_IO_NIR_LINEAR_H
#define RV_IO_NIR_LINEAR_H

#include "io/nir_internal.h"

typedef struct nir_entry {
    int32_t in;
    int32_t delay; /* steps */
    double  weight;
} nir_entry;

/** As rv_connect() takes it. */
typedef struct nir_kernel {
    rv_convolution shape;
    int32_t        delay;  /* steps */
    int64_t        n;
    double        *weight; /* [n] */
} nir_kernel;

typedef struct nir_map {
    int64_t     n_out, n_in;
    nir_kernel *kernel; /* owned; NULL: the entries are listed; else they are not, see nir_map_list() */
    int64_t   *row;   /* [n_out + 1] first entry of each output                */
    nir_entry *entry; /* [row[n_out]] by input, then delay; none twice, none 0 */
} nir_map;

/** What a node does, its bias apart. @param step seconds of a step, for delays @param rounded the largest rounding of a delay to
 *  steps so far, in seconds; grows @param path of the node, for sentences */
rv_status nir_map_of_node(const nir_node *node, const char *path, double step, double *rounded, nir_map *map, rv_error *error);

/** The bias of every output, NULL if the node has none. @param bias result, new memory [n_out] */
rv_status nir_bias_of_node(const nir_node *node, double **bias, rv_error *error);

rv_status nir_map_identity(int64_t n, nir_map *map, rv_error *error);

/** outer after inner; either may be listed meanwhile. */
rv_status nir_map_compose(nir_map *outer, nir_map *inner, nir_map *map, rv_error *error);

/** Adds to a sum; the addend is freed. A sum without rows takes it as it is. */
rv_status nir_map_add(nir_map *sum, nir_map *addend, rv_error *error);

/** Whether each output is the input of the same number, at once. */
bool nir_map_is_identity(const nir_map *map);

/** Lists the entries of what is kept as a kernel. */
rv_status nir_map_list(nir_map *map, rv_error *error);

/** Whether there is no entry. */
bool nir_map_is_empty(const nir_map *map);

/** y = map x, with constant x: delays do not matter. @param y [n_out] is added to */
void nir_map_apply(const nir_map *map, const double *x, double *y); /* listed */

void nir_map_free(nir_map *map);

#endif
