/* Checkpoints: a network as it is at this moment, complete. What is continued from one is bit-identical to what would have
 * been without stopping, on any number of threads.
 *
 * This side knows what a network consists of and says it as arrays and texts with names (paths); it knows nothing of files.
 * One visitor goes both ways: what saves a structure loads it, so the two cannot part. Models and rules are visited by their
 * tables, so new ones need no code here; whoever changes a structure of the engine looks at its visit_...() function, and
 * tests/sim/test_checkpoint.c fails until he does.
 *
 * Whatever is loaded is checked: every number that is used as an index, a length or a time. */
#ifndef RV_SIM_CHECKPOINT_H
#define RV_SIM_CHECKPOINT_H

#include "sim/ranvier.h"

/** Raised when what is written changes its meaning or gets parts that older versions do not write. */
enum { CHECKPOINT_VERSION = 2 };

typedef enum checkpoint_type {
    CHECKPOINT_U8, CHECKPOINT_U16, CHECKPOINT_I32, CHECKPOINT_U32, CHECKPOINT_I64, CHECKPOINT_U64, CHECKPOINT_F32, CHECKPOINT_F64, N_CHECKPOINT_TYPES
} checkpoint_type;

/** Where arrays and texts go to or come from: the file. Paths are like "populations/0/state/V_m". All return RV_OK, or a
 *  status with its sentence in error. */
typedef struct checkpoint_port {
    void *user;

    /** Values first .. first + n - 1 of an array of `total`. The pieces of an array come in their order, without gaps. */
    rv_status (*write)(void *user, const char *path, checkpoint_type type, int64_t total, int64_t first, int64_t n, const void *values, rv_error *error);
    rv_status (*read)(void *user, const char *path, checkpoint_type type, int64_t first, int64_t n, void *values, rv_error *error);

    /** How many values an array has; -1: there is none. */
    rv_status (*count)(void *user, const char *path, int64_t *n, rv_error *error);

    rv_status (*write_text)(void *user, const char *path, const char *text, rv_error *error);
    rv_status (*read_text)(void *user, const char *path, char **text, rv_error *error); /* malloc'ed */
} checkpoint_port;

/** Writes a network; one that has not run yet is compiled. Between runs and in callbacks. The network stays as it is.
 *  Callbacks (rv_at, rv_every, rv_on_spike, ...) are not part of it. */
rv_status checkpoint_write(rv_net *net, const checkpoint_port *port);

/** Makes a network of what was written.
 *  @param threads 0: all cores. The spikes do not depend on it; more threads than the network has tiles, which is at least the
 *                 number of threads it was built on, are not used.
 *  @param error   may be NULL */
rv_status checkpoint_read(const checkpoint_port *port, int threads, rv_net **net, rv_error *error);

#endif
