/* What the readers of results share: a reader fills a `results` with lists of spikes, reports and notes. */
#ifndef RV_IO_RESULTS_INTERNAL_H
#define RV_IO_RESULTS_INTERNAL_H

#include <stdio.h>

#include "io/hdf5_file.h"
#include "io/results.h"
#include "sim/error.h"

typedef struct results_note {
    char *name, *text;
} results_note;

struct results {
    results_spikes *spikes;     /* [n_spikes]     */
    results_report *reports;    /* [n_reports]    */
    results_note   *attributes; /* [n_attributes] */
    hdf5_path      *spike_groups, *report_groups; /* [n_spikes], [n_reports] where they are in an HDF5 file */
    results_touch  *touches;    /* [n_touches]    */
    int64_t         n_touches;
    int             n_spikes, n_reports, n_attributes;
    bool            unfinished; /* ours, and being written or left by a killed run */
    char           *path;
    hdf5_file       file;
};

enum { RESULTS_MOST_POPULATIONS = 1 << 16 };                  /* of a file that names them spike by spike                */
#define RESULTS_MOST_NEURONS ((int64_t)1 << 40)               /* more than anybody has; guards later arithmetic          */

/** RV_FILE_ERROR: `file "...", object: ` and the reason. */
rv_status results_damaged(results *r, const char *object, const char *format, ...) __attribute__((format(printf, 3, 4)));
rv_status results_no_memory(results *r, double bytes);

/** One more element at the end of an array, cleared. @return the element, NULL without memory */
void *results_one_more(void *array, int *n, size_t size);

rv_status results_note_text(results *r, const char *name, const char *text);

/** Lengthens the lists to n spikes; what is in them stays. */
rv_status results_reserve(results *r, results_spikes *s, int64_t n);

/** Sorts by time and keeps the file's order of equal times. */
rv_status results_sort(results *r, results_spikes *s);

/** Checks spikes from `first` on, whose times are in units of unit_ms: times are numbers, neurons are from 0 on; the
 *  population is as large as its largest neuron asks for. */
rv_status results_check(results *r, const char *object, results_spikes *s, int64_t first, double unit_ms);

/* ---- spikes in columns ------------------------------------------------------------------------------------------ */

/** Spikes of several populations as a table has them, in any order. */
typedef struct results_table {
    int64_t  n, room_times, room_neurons, room_populations;
    double  *times_ms;   /* [n] */
    int64_t *neurons;    /* [n] */
    int32_t *population; /* [n] place in names; NULL: all are of the first */
    int      n_names;
    char   (*names)[128]; /* [n_names] */
    int64_t *sizes;       /* [n_names] neurons, 0: not said; NULL: none is */
} results_table;

/** The place of a name in the table, which is added if it is new. @return -1: there are too many, or is no memory */
int results_table_name(results_table *t, const char *name, size_t length);

/** One population of the results for each of the table's; the table's lists stay the caller's. */
rv_status results_take_table(results *r, const results_table *t);
void      results_table_free(results_table *t);

/* ---- readers, each of a whole file ------------------------------------------------------------------------------ */

rv_status results_read_hdf5(results *r);                                    /* results_read.c  */
rv_status results_read_npz(results *r, const uint8_t *bytes, size_t n);     /* results_npz.c   */
rv_status results_read_text(results *r, const char *text, size_t n);        /* results_text.c; text[n] is 0 */

/* ---- writers, into a file that is open -------------------------------------------------------------------------- */

/** @return NULL, or why it cannot be written; whether the disk took it is asked of the file */
const char *results_put_npz(const results *r, FILE *file);
const char *results_put_text(const results *r, FILE *file);    /* columns with names   */
const char *results_put_columns(const results *r, FILE *file); /* two columns, as NEST */

#endif
