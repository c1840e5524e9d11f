/* The visitor of a checkpoint: each call writes what it is given, or, when loading, reads it from there and checks it. */
#ifndef RV_SIM_CHECKPOINT_VISIT_H
#define RV_SIM_CHECKPOINT_VISIT_H

#include "sim/checkpoint.h"
#include "sim/error.h"
#include "sim/net.h"

typedef struct visit_at { char path[200]; } visit_at;

typedef struct visitor {
    const checkpoint_port *port;
    bool                   loading;
    rv_error              *error;
    /* the array that is visited in pieces */
    visit_at        at;
    checkpoint_type type;
    int64_t         total, moved; /* values; moved: those that the file has written or given */
    char           *buffer;       /* small pieces gather here                                */
    int64_t         held, taken;  /* values in the buffer, and those of them already given   */
} visitor;

/** A path, as printf: visit_path("populations/%d/n", p).path lives until the end of the statement. */
visit_at visit_path(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define AT(...) visit_path(__VA_ARGS__).path

/** "checkpoint: <path> ...": what was loaded cannot be. @return RV_FILE_ERROR */
rv_status visit_damaged(const visitor *v, const char *path, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** An array of n values. */
rv_status visit_values(visitor *v, const char *path, checkpoint_type type, void *values, int64_t n);

/** An array of which the file knows the length: loading allocates it, with malloc() and room for one value more.
 *  @param n in and out, 0 to `most` */
rv_status visit_list(visitor *v, const char *path, checkpoint_type type, void *values, int64_t *n, int64_t most);

/** Later than any step. */
#define VISIT_LAST_STEP INT64_C(9000000000000000)

/** Single numbers, of low..high when loaded. What only counts ends far below where it would overflow. */
#define VISIT_MOST INT64_C(4000000000000000000)
rv_status visit_int64(visitor *v, const char *path, int64_t *x, int64_t low, int64_t high);
rv_status visit_int(visitor *v, const char *path, int *x, int low, int high);
rv_status visit_counts(visitor *v, const char *path, int64_t *counts, int64_t n); /* 0 to VISIT_MOST each */
rv_status visit_bool(visitor *v, const char *path, bool *x);
rv_status visit_double(visitor *v, const char *path, double *x);

/** A text; loaded ones are malloc'ed. */
rv_status visit_text(visitor *v, const char *path, char **text);

/** Whether the file has an array of this name. Only when loading. */
rv_status visit_has(visitor *v, const char *path, bool *has);

/** An array in pieces, so that what lies in several places needs no copy: begin with its whole length (when loading: with what
 *  it must be; -1 takes any), then all pieces in order, then the end. One at a time. */
rv_status visit_begin(visitor *v, const char *path, checkpoint_type type, int64_t *total);
rv_status visit_next(visitor *v, void *values, int64_t n);
rv_status visit_end(visitor *v);

/** Bytes of a value. */
size_t checkpoint_type_size(checkpoint_type type);

/* ---- the parts ---------------------------------------------------------------------------------------------------- */

/** checkpoint_definition.c: populations, projections, inputs. */
rv_status visit_definition(visitor *v, definition *d);

/** checkpoint_network.c: the synapses, and what was derived from them. Loading fills the rows of a network that has its
 *  bundles, for network_restore(). */
rv_status visit_network(visitor *v, network *net);

/** What a value is drawn from; a loaded list is the caller's to free. Functions are lost: see value_lost_function(). */
rv_status visit_value(visitor *v, const char *path, rv_value *value);

/** checkpoint_state.c: everything that changes during a run; checkpoint_learning.c: what learning keeps. */
rv_status visit_state(visitor *v, state *s);
rv_status visit_learning(visitor *v, state *s, int bundle);

/** checkpoint_queue.c: the pending events of a tile. */
rv_status visit_queue(visitor *v, state *s, int tile);

/** checkpoint_structure.c: what changes synapses at intervals. */
rv_status visit_structure(visitor *v, rv_net *net);

/** checkpoint_record.c: what is recorded, and was. */
rv_status visit_recording(visitor *v, rv_net *net);

/** Parts of a population in the order of its neurons: that of `neuron`, where the next begins. */
static inline int visit_tile_of(const network *net, int population, int64_t neuron) { return net->population[population].tile_of_block[neuron / NEURON_BLOCK]; }

#define EACH_PART(network_, p_, t, own)                                                                                      \
    for (int64_t neuron_ = 0; neuron_ < (network_)->def->population[p_].n && (t = visit_tile_of(network_, p_, neuron_), own = &(network_)->tile[t].part[p_], true); \
         neuron_ += own->n)

#endif
