/* Edges of a file block by block: ends, types, and the columns that weights and delays are made of. */
#ifndef RV_IO_SONATA_BLOCKS_H
#define RV_IO_SONATA_BLOCKS_H

#include "io/sonata_internal.h"

/** What single edges may say, instead of their types. */
enum { EDGE_WEIGHT, EDGE_DELAY, EDGE_NSYNS, N_EDGE_COLUMNS };
extern const char *const sonata_edge_columns[N_EDGE_COLUMNS];

/** The columns of one group of edges. */
typedef struct sonata_edge_group {
    int64_t number, n;
    bool    there[N_EDGE_COLUMNS];
    double *column[N_EDGE_COLUMNS]; /* [n] loaded if edges are not in the order of the group, else NULL */
} sonata_edge_group;

typedef struct sonata_blocks {
    const sonata_edges *edges;
    hdf5_file           file;
    hdf5_path           group;   /* /edges/<population>                                    */
    sonata_edge_group  *groups;  /* [n_groups]                                             */
    int                 n_groups;
    bool                member;  /* edge_group_id and edge_group_index are there           */
    int64_t             first, n; /* of this block                                         */
    int64_t            *source, *target, *type; /* [n] type: of the file                    */
    double             *value[N_EDGE_COLUMNS];  /* [n] NAN: the edge does not say; NULL: none does */
    int64_t            *id, *index;             /* [n] scratch: group, place in it          */
    rv_error           *error;
} sonata_blocks;

/** Safe to close after a failure. */
rv_status sonata_blocks_open(const sonata_edges *edges, sonata_blocks *b, rv_error *error);
void      sonata_blocks_close(sonata_blocks *b);

/** Reads the next block; n is 0 after the last one. @param again begin at the beginning @param columns whether value[] is wanted */
rv_status sonata_blocks_next(sonata_blocks *b, bool again, bool columns);

#endif
