/* By how many steps each population's clock is late, see io/nir_build.h. */
#ifndef RV_IO_NIR_LEVELS_H
#define RV_IO_NIR_LEVELS_H

#include "sim/ranvier.h"

/** What one population sends to another. */
typedef struct nir_link {
    int  from, to;
    int  delay;  /* steps: the shortest of its Delays                */
    bool cyclic; /* result: lies on a cycle, so it takes a step at least */
} nir_link;

/** @param link [n_links] @param level result [n] */
rv_status nir_find_levels(int n, nir_link *link, int n_links, int *level, rv_error *error);

#endif
