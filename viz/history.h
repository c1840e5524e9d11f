/* A bounded record of (time, value) pairs that one thread writes and another reads without a lock. Spikes are kept so
 * (the value is the neuron's row), and the samples of a membrane trace.
 *
 * The writer never waits: when the record is full the oldest pairs give way. The reader finds out: pairs that were
 * overwritten while it read them are not handed out. Pairs are numbered from 0 on, in the order of writing, for as long
 * as the record lives; times ascend. */
#ifndef RV_VIZ_HISTORY_H
#define RV_VIZ_HISTORY_H

#include <stdatomic.h>

#include "sim/ranvier.h"

typedef struct history history;

/** @param capacity pairs kept, rounded up to a power of two; memory is used as pairs come
 *  @return NULL without memory */
history *history_new(int64_t capacity);
void     history_free(history *h);

/** Takes the memory of the record from the system, which else happens page by page while pairs are added. May run beside
 *  the writer and the reader, in a thread of its own. @param stop ends it early */
void history_warm(history *h, const atomic_bool *stop);

/* ---- the writer ---------------------------------------------------------------------------------------------- */

void history_add(history *h, double t_ms, double value);

/** Forgets everything: what was kept is no longer handed out; numbering goes on. */
void history_clear(history *h);

/* ---- the reader ---------------------------------------------------------------------------------------------- */

/** Pairs *first .. *end - 1 are there now; the oldest of them may go at any moment. */
void history_kept(const history *h, int64_t *first, int64_t *end);

/** Reads up to n pairs from number *first on. Where these are gone, *first moves up to the oldest that is there.
 *  @return how many were read; they are all valid */
int64_t history_read(const history *h, int64_t *first, int64_t n, double *t_ms, double *value);

/** The number of the first pair at or after a time, by bisection; the end if there is none. */
int64_t history_find(const history *h, double t_ms);

/** The time of the oldest pair that is kept; NAN if there is none. */
double history_oldest(const history *h);

#endif
