/* METIS's recursive bisection (Karypis & Kumar 1998, doi:10.1137/S1064827595287997). It runs with handlers of its own for SIGTERM and
 * SIGABRT, by which it also finds its way out of its own failures; here the caller's are put back, whatever happens. */
#ifndef RV_HW_METIS_DIVIDE_H
#define RV_HW_METIS_DIVIDE_H

#include <metis.h>

#include "sim/ranvier.h"

/** A graph as METIS has it: neighbours of vertex v are adjncy[xadj[v]] ... */
typedef struct metis_graph {
    idx_t  n;
    idx_t *xadj, *adjncy; /* [n + 1], [edges]                         */
    idx_t *size, *weight; /* [n] or NULL: 1 each; [edges] of the edges */
} metis_graph;

/** @param part result [n], 0 to n_parts - 1 @return RV_OK; RV_OUT_OF_MEMORY; RV_STOPPED if METIS failed or a SIGTERM ended it */
rv_status metis_divide(const metis_graph *graph, idx_t n_parts, uint64_t seed, idx_t *part, rv_error *error);

#endif
