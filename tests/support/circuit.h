/* SONATA circuits in tests: run with one call, asked for their numbers. Everything here fails the test that calls it when something is
 * refused. */
#ifndef RV_TESTS_CIRCUIT_H
#define RV_TESTS_CIRCUIT_H

#include "io/results.h"
#include "io/sonata.h"
#include "tests/support/folder.h"

/** The public circuits beside the project where it is developed; NULL if they are not there. */
const char *circuit_shared(const char *path);

/** Reads, builds and runs a config, and writes its output into the folder of the test. @param more a second config or NULL */
sonata_circuit circuit_run(const char *config, const char *more, sonata_options options);

/** Opens and builds without running. @return the sentence it is refused with, "" if it is not; lives until the next call */
const char *circuit_refused(const char *config);

/** Spikes of the file that a run wrote. */
results *circuit_spikes(const sonata_circuit *c);

/** A sample of a written report. @param file name in the output folder */
double circuit_sample(const char *file, const char *population, int64_t node, double ms);

/** The network of a circuit against a list of spikes: time ms, population, node id. */
typedef struct circuit_list {
    int64_t n, *node;
    double *ms;
} circuit_list;

circuit_list circuit_read_list(const char *csv, const char *population, double until_ms);
void         circuit_list_free(circuit_list *list);

/** Whether the spikes of a population are the same, to tolerance_ms. */
void circuit_compare(const results *r, const char *population, const circuit_list *expected, double until_ms, double tolerance_ms);

#endif
