/* What the benchmarks share: the clock, the median, and the rows of the table that compare.sh reads. A benchmark prints
 * its tables for people; if BENCH_CSV names a file it appends  bench,case,threads,quantity,unit,value  to it. */
#ifndef RV_BENCH_MEASURE_H
#define RV_BENCH_MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double clock_seconds(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static inline double wall_seconds(void) { return clock_seconds(CLOCK_MONOTONIC); }
static inline double cpu_seconds(void) { return clock_seconds(CLOCK_PROCESS_CPUTIME_ID); }

static inline int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** @param x [n], put into order; n >= 1 */
static inline double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, ascending);
    return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

/** One measured number. @param threads 0 where they play no role */
static inline void note(const char *bench, const char *name, int threads, const char *quantity, const char *unit,
                        double value)
{
    const char *path = getenv("BENCH_CSV");
    FILE       *file = path ? fopen(path, "a") : NULL;
    if (!file) return;
    fprintf(file, "%s,%s,%d,%s,%s,%.6g\n", bench, name, threads, quantity, unit, value);
    fclose(file);
}

/** Whether a case is wanted: all are if the command line names none; a part of the name is enough. */
static inline int is_wanted(const char *name, int argc, char **argv)
{
    for (int k = 1; k < argc; k++)
        if (strstr(name, argv[k])) return 1;
    return argc < 2;
}

#endif
