/* Big arrays: zeroed, aligned to pages, on huge pages where the system has them (fewer TLB misses when spikes scatter). */
#ifndef RV_SIM_MEMORY_H
#define RV_SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** @return zeroed memory, NULL if there is none */
void *memory_new(size_t bytes);
void  memory_free(void *memory, size_t bytes);

/** Has the system hand over the pages of a stretch of such memory now, not when they are first written; a good that may be
 *  denied. @param begin, bytes multiples of 2 MiB */
void memory_warm(void *memory, size_t begin, size_t bytes);

/** Bytes that can still be used without swapping. */
double memory_available(void);

/** Grows *array so that it holds n items; doubles. @return whether there was memory */
int memory_reserve(void **array, int64_t *capacity, int64_t n, size_t item);

#endif
