/* A spool: records are appended and read back in any part. Memory stays bounded: what exceeds it waits in an unnamed
 * temporary file. */
#ifndef RV_SIM_SPOOL_H
#define RV_SIM_SPOOL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct spool {
    size_t  width;             /* bytes of a record                           */
    char   *memory;            /* the last n - n_filed records                */
    int64_t capacity, n_filed; /* records                                     */
    int64_t n;
    FILE   *file;              /* NULL until needed                           */
    bool    failed;            /* a record was lost: no memory, no disk space */
} spool;

void spool_open(spool *s, size_t width);
void spool_close(spool *s);
void spool_append(spool *s, const void *records, int64_t n);

/** @return whether all n records from `first` on could be read */
bool spool_read(spool *s, int64_t first, int64_t n, void *records);

#endif
