/* The list of neurons of a tile that have an event in the step or window at hand, each once. */
#ifndef RV_SIM_TOUCHED_H
#define RV_SIM_TOUCHED_H

#include "sim/state.h"

static inline void touch_neuron(tile_state *tile, uint32_t local)
{
    tile->list[tile->n_list] = (uint16_t)local;
    tile->n_list += !tile->touched[local];
    tile->touched[local] = 1;
}

/** Puts the listed neurons into ascending order. */
void touched_sort(tile_state *tile);

#endif
