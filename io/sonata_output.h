/* Between sonata_output.c and sonata_reports.c. */
#ifndef RV_IO_SONATA_OUTPUT_H
#define RV_IO_SONATA_OUTPUT_H

#include "io/report_file.h"
#include "io/sonata_internal.h"

/** One variable of a report: one file. */
typedef struct sonata_report {
    char     *path, *variable;
    double    from_ms, to_ms, interval_ms;
    rv_probe *probe;       /* [n_probes] */
    int      *population;  /* [n_probes] */
    int      *part;        /* [n_probes] */
    int       n_probes;
} sonata_report;

rv_status sonata_report_write(const sonata_circuit *c, const sonata_report *report, rv_error *error);

/** output_dir/name, or name if it is absolute; a name that begins with the output_dir again is fine. Freed by the caller. */
char *sonata_output_path(const sonata_circuit *c, const char *name);

#endif
