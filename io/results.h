/* Results: one HDF5 file in SONATA's layout, written while the network runs, readable when the run is killed. */
#ifndef RV_IO_RESULTS_H
#define RV_IO_RESULTS_H

#include "sim/ranvier.h"

/* ---- writing ------------------------------------------------------------------------------------------------ */

typedef struct results_writer results_writer;

/** A population that is a sheet of pixels, of a camera for example: neuron = (polarity * rows + row) * columns + column.
 *  columns 0: it is not. */
typedef struct results_shape {
    int columns, rows, polarities;
} results_shape;

typedef enum results_touch_kind { RESULTS_KNOB, RESULTS_POKE, RESULTS_INJECT } results_touch_kind;

/** What a user did to a running network: a knob was set to a value, a neuron made to spike, or given a current. */
typedef struct results_touch {
    double             t_ms;
    results_touch_kind kind;
    int64_t            index;  /* of the knob in order of declaration, or of the population; from 0 */
    int64_t            neuron;
    double             value;  /* of the knob; pA                                                 */
} results_touch;

/** What made the results; written beside them. Any may be NULL. */
typedef struct results_provenance {
    const char          *command_line, *script_path, *script_text;
    const char          *knobs; /* their labels, one a line; with `touches`                                 */
    bool               (*inhibitory)(void *user, rv_population population); /* for the colours of figures; NULL: not said */
    results_shape      (*shape)(void *user, rv_population population);
    const results_touch *(*touches)(void *user, int64_t *n); /* all so far; NULL: nobody can touch the network */
    bool                 from_now; /* what was recorded before stays out of the file: another has it, or a checkpoint */
    void                *user;
} results_provenance;

/** Starts a results file for everything the network records, now and later; from then on it is brought up to date
 *  about every half second of wall time and at the end of every run (rv_on_wall_clock). An existing file at path is
 *  replaced only when the new one has begun successfully. The texts are borrowed during the call, `user` until the
 *  writer is closed. When the disk is full, the run ends with RV_FILE_ERROR; the file holds what it held before.
 *  @param writer result, to be closed before rv_net_free()
 *  @return RV_OK or RV_FILE_ERROR, with its sentence in rv_net_error() */
rv_status results_writer_open(rv_net *net, const char *path, const results_provenance *provenance,
                              results_writer **writer);

/** Writes what is still missing and closes the file. NULL is allowed. */
rv_status results_writer_close(results_writer *writer);

/* ---- reading ------------------------------------------------------------------------------------------------ */

typedef struct results results;

/** Spikes of a population: [n], ascending times. */
typedef struct results_spikes {
    char    name[128];  /* of the population; "spikes" in old files that do not say */
    int64_t size;       /* neurons; the largest id + 1 if the file does not say */
    bool    inhibitory; /* as figures colour it; false if the file does not say */
    results_shape shape;
    int64_t n;
    double  *times_ms; /* [n] */
    int64_t *neurons;  /* [n] */
} results_spikes;

/** A report: samples of a variable over time. */
typedef struct results_report {
    rv_probe_kind kind; /* states of neurons, the rate of a population (one column), or weights of a projection */
    char     name[128], variable[64], unit[32];
    char     population[128]; /* of the neurons; the target's for weights */
    int64_t  n_times, n_columns;
    double   start_ms, interval_ms;
    int64_t *columns; /* [n_columns]          neuron ids; of the targets for weights; 0 for a rate */
    int64_t *sources; /* [n_columns]          of weights: ids of the sources; else NULL            */
    float   *values;  /* [n_times][n_columns]                                                      */
} results_report;

/** Reads a whole file, told apart by what is in it: a results file, also one that is being written or was left by a killed run;
 *  any SONATA spike or report file; NumPy's .npz (io/results_npz.c); columns of text, as CSV or as NEST writes them
 *  (io/results_text.c); a recording of an event camera (io/aer.h). @param error may be NULL */
rv_status results_read(const char *path, results **r, rv_error *error);
void      results_free(results *r);

/** Reads what was added to the file since, by a run that goes on. Pointers to lists of before are no longer valid. What it
 *  holds stays if the file cannot be read at the moment. @param grown result: whether there was anything */
rv_status results_follow(results *r, bool *grown, rv_error *error);

/** What the user did during the run, in the order of time: [*n]. */
const results_touch *results_touches(const results *r, int64_t *n);

int                   results_spikes_count(const results *r);
const results_spikes *results_spikes_at(const results *r, int index);
int                   results_report_count(const results *r);
const results_report *results_report_at(const results *r, int index);

/** What made the results, as text: version, seed, resolution, timing, threads, created, simulated_ms, finished,
 *  command_line, script_path, script, knobs; of other files their root attributes; of an event camera's recording what it
 *  is (recording) and what was wrong with it (warning); of text and arrays what was detected (recording). NULL if absent. */
const char *results_attribute(const results *r, const char *name);

/* ---- converting --------------------------------------------------------------------------------------------- */

/** Writes the spikes, in the format that the ending of path names; what was at path is replaced when all is written.
 *    .h5 .hdf5    SONATA's spikes, with size, shape and inhibitory as results files have them
 *    .npz         NumPy (io/results_npz.c)
 *    .csv .txt    time_ms,neuron,population, neurons numbered from 0; a population without spikes leaves no trace
 *    .dat .gdf    neuron and time_ms, as NEST's files: one population only
 *  Reports are not written. @param error may be NULL
 *  @return RV_OK, RV_FILE_ERROR, RV_UNKNOWN_NAME for another ending, RV_CONFLICT if the format cannot hold it */
rv_status results_write(const results *r, const char *path, rv_error *error);

/** Keeps one population only. @return RV_UNKNOWN_NAME if there is none of this name; the sentence says which there are */
rv_status results_select(results *r, const char *population, rv_error *error);

#endif
