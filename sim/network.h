/* The network: the definition compiled for running. Constant during a run but for what its comments say.
 *
 * Neurons live in tiles of at most 65 536; a tile holds a part of every population, its own event queue and its own
 * input arrays, and is advanced by one thread at a time. Where neurons live has no influence on what they do.
 *
 * The synapses of one source population that are stored the same way form a bundle. In each tile the synapses of a
 * source are sorted by (delay, target); those with the same delay form a segment, the unit in which spikes travel. */
#ifndef RV_SIM_NETWORK_H
#define RV_SIM_NETWORK_H

#include "sim/definition.h"

enum { MAX_TILE = 65536, NEURON_BLOCK = 64, MAX_SPIKE_LISTS = 1024 /* tiles x levels */ };
enum { LONGEST_WINDOW = 128 }; /* steps; without synapses windows would be endless */

/** A stretch of one population in one tile. Parts begin at multiples of NEURON_BLOCK in the population and the tile. */
typedef struct part {
    int32_t first; /* its first neuron, numbered in the population */
    int32_t n;
    int32_t base;  /* its first neuron, numbered in the tile       */
} part;

typedef struct segment {
    uint32_t first;    /* its first synapse; it ends where the next segment begins */
    uint32_t steps;    /* delay, whole steps                                       */
    uint32_t fraction; /* and 2^-32 steps; 0 in grid timing                        */
} segment;

typedef enum weight_kind {
    WEIGHT_CONSTANT, /* one weight for the bundle: 2 bytes a synapse                                      */
    WEIGHT_FLOAT,    /* float32: 6 bytes, grid timing                                                     */
    WEIGHT_DOUBLE,   /* float64: 10 bytes; exact timing, where the digits show, and everything that learns */
} weight_kind;

/** The synapses of a bundle in one tile. */
typedef struct rows {
    uint32_t *row;     /* [n_sources + 1]  first segment of each source                        */
    segment  *segment; /* [n_segments + 1]                                                     */
    uint32_t *source;  /* [n_segments]     of a convolution, which has none of the next three; else NULL */
    uint16_t *target;  /* [n_synapses]     numbered in the tile                                */
    float    *weight_float;  /* [n_synapses] or NULL; changed by rv_set_weights() alone        */
    double   *weight_double; /* [n_synapses] or NULL; changed by learning too                  */
    int64_t   n_synapses, n_segments;
    int64_t   bytes; /* of all these arrays */
    bool      in_a_row; /* the targets of every segment follow one another, as in dense projections */
} rows;

typedef struct bundle {
    int            source;      /* population                                                   */
    int            n_projections;
    int           *projection;  /* [n_projections]                                              */
    weight_kind    kind;
    double         weight;      /* if constant; as stored, see factor                           */
    int            sign;        /* 1: no weight is negative, -1: none is positive, 0: mixed     */
    int            receptor;    /* 0: by sign; else 1 + the state of the target (one population) that takes what arrives */
    bool           counts;      /* targets count spikes, whatever the weights                   */
    const rv_rule *rule;        /* NULL: no learning at spikes; else the bundle is this one projection */
    double         rule_constant[RV_MAX_RULE_CONSTANTS];
    struct epoch_rule *epoch;   /* NULL: no learning in epochs; likewise; owned                 */
    const rv_synapse *synapse;  /* NULL: plain; else the bundle is this one projection          */
    double         synapse_param[RV_MAX_SYNAPSE_PARAMS]; /* completed                            */
    double         factor;      /* of the weights stored to those in effect                     */
    bool           graded;      /* weights are multiplied with what a spike carries             */
    bool           summed;      /* sums of one delay and step are finished before they are added */
    double         dendritic_fraction;
    struct convolution *convolution; /* NULL: the rows hold every synapse; else the bundle is this one projection; owned */
    int64_t        n_synapses;
    rows          *rows;        /* [n_tiles]                                                    */
} bundle;

typedef struct tile {
    int32_t n;    /* neurons, the gaps between parts included */
    part   *part; /* [n_populations]                          */
    int64_t n_synapses; /* that end here; without any it need not hear of spikes */
} tile;

typedef struct population_net {
    double *constant[RV_MAX_CONSTANTS]; /* [n] each, or [1]                              */
    bool    per_neuron;                 /* [n]: some parameter differs                   */
    bool    shared[RV_MAX_CONSTANTS];   /* whether all neurons have the same nevertheless */
    bool    closed_form;                /* can be carried over silent steps              */
    uint16_t *tile_of_block;            /* [n / NEURON_BLOCK rounded up]                 */
    int     n_bundles;
    int    *bundle;                     /* [n_bundles] those that begin here             */
    int     n_learning;
    int    *learning;                   /* [n_learning] plastic bundles that end here    */
    int     n_rewarded;
    int    *rewarded;                   /* [n_rewarded] bundles for which spikes from here are rewards */
    int     level;                      /* in a window, populations advance level by level: 0 for all
                                           but the targets of delays shorter than a step */
} population_net;

typedef struct network {
    const definition *def;
    int               n_tiles, n_bundles, n_levels;
    int               layout; /* the number of threads for which neurons were dealt out to tiles */
    int               n_epochs;   /* bundles that learn in epochs */
    int               n_voltage_rules; /* bundles whose rule depends on the membrane potential of the target */
    tile             *tile;       /* [n_tiles]       */
    population_net   *population; /* [n_populations] */
    bundle           *bundle;     /* [n_bundles]     */
    uint64_t         *min_delay;  /* [n_projections] 2^-32 steps; UINT64_MAX if it has no synapse          */
    int64_t           n_synapses, bytes;
    int64_t           max_delay;  /* steps           */
    int64_t           window;     /* steps that tiles run without talking: the shortest delay, 1 at least */
    int64_t           longest_window; /* what memory was made for: the window at first */
} network;

/** Checks the definition completely and builds everything, on the given number of threads, always the same. */
rv_status network_compile(const definition *d, int threads, network **net, rv_error *error);
void      network_free(network *net);

/** The same for synapses that are there already: fill() fills the rows of all bundles and min_delay instead of making them.
 *  @param layout of the network that they come from: so the tiles are the same */
typedef rv_status (*network_fill_fn)(network *net, void *user, rv_error *error);
rv_status network_restore(const definition *d, int layout, network_fill_fn fill, void *user, network **net, rv_error *error);

/** Recomputes the constants of a population after parameters changed. */
rv_status network_prepare_population(network *net, int population, rv_error *error);

/** Builds the rows of all bundles, and min_delay; called by network_compile(). */
rv_status rows_build(network *net, int threads, rv_error *error);
void      rows_free(rows *r, int64_t n_sources);

/** Notes what follows from the finished arrays: their size, and whether targets follow one another. */
void rows_finish(rows *r, int64_t n_sources);

/** What follows from the completed parameters of a bundle's kind of synapse: factor, graded, summed, the range of what is learnt. */
void rows_prepare_synapse(bundle *b);

/** Adds a bundle whose rows are there to the sums of its network: synapses, bytes, the longest delay. */
void rows_note_size(network *net, const bundle *b);

/** Gives every synapse of a bundle of constant weight its own weight, so that they can be set one by one. */
rv_status rows_expand_weights(network *net, bundle *b, rv_error *error);

/** Chooses the window anew after delays have changed, never longer than at first. */
rv_status network_choose_window(network *net, rv_error *error);

/** Which bundle holds a projection. */
int network_bundle_of(const network *net, int projection);

/** One synapse: where it is stored, and what it connects (numbers within the populations). */
typedef struct synapse_ref {
    int      tile;
    int64_t  index, segment; /* in the rows of that tile; of a convolution the index in its kernel */
    int64_t  source, target;
    uint64_t delay;          /* 2^-32 steps              */
} synapse_ref;

/** The synapses of a projection by source, then delay, then target; the order does not depend on the tiles.
 *  @param list result, [n], freed by the caller */
rv_status network_list_synapses(const network *net, int projection, synapse_ref **list, int64_t *n, rv_error *error);

static inline uint64_t segment_delay(const segment *s) { return (uint64_t)s->steps << 32 | s->fraction; }
static inline uint32_t segment_count(const segment *s) { return s[1].first - s[0].first; }

/** Tile of a neuron and its number in it. */
int network_locate(const network *net, int population, int64_t neuron, int *local);

#endif
