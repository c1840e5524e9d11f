/* Which projection each synapse of a graph belongs to: the mapper's graph forgets it, files for chips need it, because a projection says
 * how its weights are meant. */
#ifndef RV_HW_EXPORT_ROWS_H
#define RV_HW_EXPORT_ROWS_H

#include "hw/export_net.h"
#include "hw/graph.h"

typedef struct export_rows {
    int32_t *projection; /* [graph->n_synapses] in the order of the graph            */
    int     *format;     /* [n_projections] of the graph; -1: it has no synapses     */
} export_rows;

/** @return RV_CONFLICT if the graph is not one of this network */
rv_status export_rows_open(const export_net *e, const hw_graph *graph, export_rows *rows, rv_error *error);
void      export_rows_close(export_rows *rows);

/** The weight in effect of a synapse of the graph, which holds what the engine adds. */
static inline double export_rows_weight(const export_net *e, const hw_graph *g, const export_rows *rows, int64_t synapse)
{
    return (double)g->weight[synapse] / e->projection[rows->projection[synapse]].factor;
}

#endif
