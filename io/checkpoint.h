/* Checkpoints as files: a network, with everything that influences what it does next, in one HDF5 file (sim/checkpoint.h says
 * what that is). What is continued from it is bit-identical to a run that never stopped.
 *
 * The file is written beside the old one and takes its place when it is whole and on the disk, so that whenever the process or
 * the machine dies there is a checkpoint, the old or the new one. Its last line holds a checksum of all before it; a file that was
 * cut off or changed is refused, before anything in it is looked at. To HDF5 the line is not part of the file. */
#ifndef RV_IO_CHECKPOINT_H
#define RV_IO_CHECKPOINT_H

#include "io/results.h"

/** What scripts and figures know of a population beyond the engine. */
typedef struct checkpoint_note {
    double        record_start_ms; /* when its spikes began to be recorded; NAN: they are not */
    int           inhibitory;      /* for colours: 1 yes, 0 no, -1 nobody said                */
    double        outgoing;        /* sum of the signs of its projections' weights            */
    results_shape shape;
} checkpoint_note;

typedef struct checkpoint_notes {
    char            *command_line, *script_path, *script; /* what made the network; may be NULL                       */
    char            *left_out;      /* functions of the script that are not in the file, as text; NULL: there are none */
    checkpoint_note *population;    /* [n_populations] or NULL                                                         */
    int              n_populations;
} checkpoint_notes;

/** Saves a network; what was at path is replaced. Between runs and in callbacks; the network stays as it is.
 *  @param notes may be NULL @return RV_OK, or a status with its sentence in rv_net_error() */
rv_status checkpoint_save(rv_net *net, const char *path, const checkpoint_notes *notes);

/** Loads a network, ready to go on. @param threads 0: all cores, see checkpoint_read() @param notes result, for
 *  checkpoint_notes_free(); may be NULL @param error may be NULL */
rv_status checkpoint_load(const char *path, int threads, rv_net **net, checkpoint_notes *notes, rv_error *error);
void      checkpoint_notes_free(checkpoint_notes *notes);

/** Whether the file ends as a checkpoint does. It may still be damaged. */
bool checkpoint_is_file(const char *path);

/** What is in a checkpoint, as lines of text. @param script the script that made it instead @param text result, malloc'ed; NULL:
 *  there is no script in it */
rv_status checkpoint_describe(const char *path, bool script, char **text, rv_error *error);

/** x.checkpoint.h5 for x.h5 or x.lua; a name that ends so stays. @param text filled and returned */
const char *checkpoint_name(const char *path, char *text, size_t size);

#endif
