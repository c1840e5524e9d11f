/* Dividing a hypergraph into parts: neurons into cores, cores into chips. A *net* is a neuron that sends; its pins are the
 * vertices that hear it. What is made small is the number of messages,
 *
 *     cost = sum over nets of  weight * number of distinct parts among its pins
 *
 * (the connectivity objective of hypergraph partitioning, Catalyurek & Aykanat 1999, doi:10.1109/71.780863; a graph cut
 * would count a neuron once for each target), while no part may use more than the limits of hw/chip.h. What is over a
 * limit is summed as *excess*; every step lowers first the excess, then the cost.
 *
 *     partition_start()    METIS on stars, with as many parts as the limits seem to need
 *     partition_refine()   moves and swaps of single vertices; new parts for what is too much, and small ones emptied
 *
 * Everything is a function of the hypergraph, the limits and the seed. */
#ifndef RV_HW_PARTITION_H
#define RV_HW_PARTITION_H

#include "hw/graph.h"

enum { PARTITION_FORMAT_BITS = 8, PARTITION_MOST_PARTS = 1 << 22 };

typedef struct hypergraph {
    int32_t        n_vertices, n_nets;
    const int64_t *row;                 /* [n_nets + 1] first pin of each net                              */
    const int32_t *pin;                 /* [n_pins] vertices, ascending; one for each synapse              */
    const uint8_t *format;              /* [n_pins], or NULL: all are of format 0                          */
    const int32_t *source;              /* [n_nets] the vertex that sends; -1: it is outside               */
    const int64_t *weight;              /* [n_nets] what one part more costs                               */
    const bool    *outside;             /* [n_vertices] in no part; NULL: none                             */
    const int32_t *profile, *threshold, *setting; /* [n_vertices], or NULL: all the same                   */
    /* the same by vertex, made by hypergraph_transpose() */
    int64_t *begin;                     /* [n_vertices + 1] first net of each vertex                       */
    int32_t *net;                       /* [n_pins] ascending                                              */
    uint8_t *net_format;                /* [n_pins] or NULL                                                */
    int64_t *sends;                     /* [n_vertices + 1] first of the nets that each vertex sends ...   */
    int32_t *sent;                      /* [n_nets] ... in this list                                       */
} hypergraph;

rv_status hypergraph_transpose(hypergraph *h, rv_error *error);
void      hypergraph_free(hypergraph *h); /* what was made by transposing */

/** What a part may hold. */
typedef struct part_limits {
    int64_t          most[HW_N_RESOURCES]; /* INT64_MAX: no limit                                       */
    int64_t          fan_out;              /* parts that a net may reach                                */
    int64_t          vertex_memory;        /* bits that each vertex takes                               */
    int64_t          learning_axons;       /* that a learning net takes in each part                    */
    const hw_encoding *encoding;           /* of each format; NULL: memory does not matter              */
    const hw_format   *formats;            /* NULL: none learns                                         */
    bool             own_part_is_free;     /* a net costs nothing in the part of its source; then it has no
                                              pin there */
} part_limits;

/** Synapses of a net in a part, or users of a profile. Sorted by key; keys and counts apart, because most loops
 *  want only the keys. */
typedef struct tally {
    int32_t *key; /* [n] of capacity, then the counts [n] */
    int32_t  n, capacity;
} tally;

static inline int32_t *tally_counts(const tally *t) { return t->key + t->capacity; }

typedef struct part_state {
    int64_t  use[HW_N_RESOURCES];
    tally    profile, threshold, setting, format, trace; /* who uses which */
    int32_t *member;                     /* [n_members] vertices    */
    int32_t  n_members, capacity;
} part_state;

typedef struct partition {
    const hypergraph  *h;
    const part_limits *limits;
    int32_t            n_parts, capacity;
    part_state        *state;   /* [n_parts]                                                        */
    int32_t           *part;    /* [n_vertices]; -1: in none                                        */
    int32_t           *place;   /* [n_vertices] its place among the members                         */
    tally             *net;     /* [n_nets] key: part << PARTITION_FORMAT_BITS | format             */
    int32_t           *fan_out; /* [n_nets] parts it reaches                                        */
    int64_t            cost, excess;
    bool               failed;  /* no memory; what was done since is not to be used                 */
} partition;

/** Everything in its part. @param part [n_vertices], -1: in none */
rv_status partition_open(partition *p, const hypergraph *h, const part_limits *limits, const int32_t *part, int32_t n_parts,
                         rv_error *error);
void      partition_close(partition *p);

/** Moves a vertex; -1 is nowhere. */
void partition_move(partition *p, int32_t vertex, int32_t to);

/** A new part without members. @return its number */
int32_t partition_add(partition *p);

/** Removes parts without members and numbers the others by their first vertex. */
void partition_compact(partition *p);

/** A first partition into n_parts, or (0) into as many as the limits seem to need; some may be too full. */
rv_status partition_start(partition *p, const hypergraph *h, const part_limits *limits, int32_t n_parts, uint64_t seed,
                          rv_error *error);

/** Improves it until little more is gained. @param may_add whether parts may be added where the limits ask for it, and vanish */
rv_status partition_refine(partition *p, bool may_add, uint64_t seed, rv_error *error);

/** What draws a vertex to a part: the weight and the number of its nets that reach the part. */
typedef struct partition_pull {
    int64_t weight;
    int32_t n_nets;
} partition_pull;

/** How the cost would change for a vertex: by base - pull[q].weight if it went to part q (not its own). */
typedef struct partition_gain {
    int64_t         base;
    int64_t         memory;  /* bits of the vertex and its synapses, without what a net takes besides */
    partition_pull *pull;    /* [capacity] 0 but for the touched */
    int32_t        *touched; /* [n_touched] parts                */
    int32_t         n_touched, n_vertex_nets;
} partition_gain;

rv_status partition_gain_open(partition_gain *gain, const partition *p, rv_error *error);
void      partition_gain_close(partition_gain *gain);

/** @param stride looks at every so many nets, from number `first` on, and takes them for all: an estimate, unless it is 1 */
void partition_gain_of(partition_gain *gain, const partition *p, int32_t vertex, int stride, int first);

#endif
