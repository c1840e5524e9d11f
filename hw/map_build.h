/* The steps of mapping behind hw/map.h. */
#ifndef RV_HW_MAP_BUILD_H
#define RV_HW_MAP_BUILD_H

#include "hw/map.h"
#include "hw/partition.h"

/** The graph as a hypergraph and the chip's limits as a partition wants them; both borrow from the graph and the chip. */
typedef struct map_problem {
    const hw_chip  *chip;
    const hw_graph *graph;
    hypergraph      h;
    part_limits     limits;
    hw_encoding     encoding[HW_MAX_FORMATS];
    int32_t        *source;  /* [n_neurons] */
    int64_t        *weight;  /* [n_neurons] */
    bool           *outside; /* [n_neurons] */
} map_problem;

rv_status map_problem_open(map_problem *problem, const hw_chip *chip, const hw_graph *graph, rv_error *error);
void      map_problem_close(map_problem *problem);

/** Whether all synapses end at neurons, not at inputs. */
rv_status map_check_targets(const map_problem *problem, rv_error *error);

/** Whether each neuron by itself could be on the chip: delays, weights, fan-in, inputs. The sentence says what would help. */
rv_status map_check(const map_problem *problem, rv_error *error);

/** Why a partition still exceeds a limit. */
rv_status map_explain_excess(const map_problem *problem, const partition *p, rv_error *error);

/** The sentence for too many cores. */
rv_status map_explain_cores(const map_problem *problem, const partition *p, int64_t cores, rv_error *error);

/** Everything of the map that follows from where the neurons are.
 *  @param place [n_neurons] chip * places of a chip + place in it; of inputs -1: where most of their targets are */
rv_status map_build(const map_problem *problem, const int32_t *place, int32_t n_chips, hw_map **map, rv_error *error);

#endif
