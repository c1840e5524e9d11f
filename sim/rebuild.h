/* Changing the synapses of a network that has run: they are taken out of the rows of a bundle, tile by tile, changed (delays
 * and weights), dropped or added to, and sorted into new rows, which cost no more memory per synapse than the first ones.
 *
 * What the rows of the old order meant to others goes along:
 *   spikes under way   arrive when they were due when they were sent, once at every synapse that is still there; with a
 *                      synapse that was dropped they are lost, and a new synapse sees those sent after it was made
 *   source traces      of rules that learn at spikes: every synapse keeps those of the segment it was in, a new one starts
 *                      as at the beginning
 *
 * So a source may have several segments of one delay: synapses that came from different ones with spikes still under way
 * or with different traces. They become one again, at the next change, when nothing tells them apart any more. Nothing of this
 * depends on how neurons are dealt out to tiles. */
#ifndef RV_SIM_REBUILD_H
#define RV_SIM_REBUILD_H

#include "sim/state.h"

enum { NO_SEGMENT = UINT32_MAX };

typedef struct loose_synapse {
    uint64_t delay;   /* 2^-32 steps                                               */
    double   weight;  /* as stored; not looked at where the weight is constant     */
    uint32_t source;  /* numbered in its population                                */
    uint32_t segment; /* it was in; NO_SEGMENT: it is new                          */
    uint32_t order;   /* among those of its tile; set by rebuild_rows()            */
    uint16_t target;  /* numbered in the tile                                      */
    bool     dropped;
} loose_synapse;

/** The synapses of a bundle in one tile, in the order of its rows; new ones are put behind them. */
typedef struct loose_synapses {
    loose_synapse *synapse; /* [n] */
    int64_t        n, capacity;
} loose_synapses;

/** Takes a copy of the synapses of one tile, or of all tiles. @param list result; freed by loose_free(), safe after a failure */
rv_status loose_take(const network *net, int bundle, int tile, loose_synapses *list, rv_error *error);
rv_status loose_take_all(const network *net, int bundle, loose_synapses **list, rv_error *error);
bool      loose_add(loose_synapses *list, loose_synapse item);
void      loose_free(loose_synapses *list, int n_tiles); /* the array of lists too */

/** Puts all of them into new rows. Weights must have been caught up, delays must be such as network_choose_window() and the
 *  levels of populations allow. @param list [n_tiles] @return RV_OK, or RV_OUT_OF_MEMORY: then the state is lost */
rv_status rebuild_rows(network *net, state *s, int bundle, loose_synapses *list, int threads, rv_error *error);

#endif
