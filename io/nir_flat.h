/* A NIR graph without inner graphs, and what arrives at its neurons in terms of spikes: the step before the network. */
#ifndef RV_IO_NIR_FLAT_H
#define RV_IO_NIR_FLAT_H

#include "io/nir_linear.h"

/** What of one source arrives. */
typedef struct nir_share {
    int     source; /* number of the node */
    nir_map map;
} nir_share;

/** What arrives at a node, or leaves it: a sum over sources, and a constant. */
typedef struct nir_form {
    int        n_shares;
    nir_share *share; /* [n_shares] by source           */
    double    *bias;  /* NULL: none, else one per element */
} nir_form;

typedef struct nir_flat_node {
    char           *path;
    const nir_node *node;      /* of the graph, borrowed                                       */
    bool            source;    /* spikes begin here: neurons, Threshold, Inputs of the graph   */
    bool            sink;      /* they, and Outputs of the graph, have a form `in`             */
    nir_form        in, out;   /* out: of nodes between neurons                                */
} nir_flat_node;

typedef struct nir_flat {
    int            n_nodes, n_edges;
    nir_flat_node *node;       /* [n_nodes] by depth, then name */
    int           *from, *to;  /* [n_edges]                     */
    double         rounded;    /* seconds: the largest rounding of a delay */
} nir_flat;

/** @param graph checked @param step seconds */
rv_status nir_flatten(const nir_graph *graph, double step, nir_flat *flat, rv_error *error);
void      nir_flat_free(nir_flat *flat);

#endif
