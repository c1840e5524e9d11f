/* A whole file in memory, for readers that look at it from several sides. */
#ifndef RV_IO_FILE_BYTES_H
#define RV_IO_FILE_BYTES_H

#include "sim/ranvier.h"

/** Reads an ordinary file; pipes, folders and devices are refused, so that nothing holds us up.
 *  @param bytes result, to be freed, [*size] and a 0 behind them; NULL after an error @param error may be NULL
 *  @return RV_OK, RV_FILE_ERROR or RV_OUT_OF_MEMORY */
rv_status file_bytes_load(const char *path, uint8_t **bytes, size_t *size, rv_error *error);

/** The first n bytes of a file, without a sentence where there are none. @return how many there are */
size_t file_bytes_begin(const char *path, uint8_t *bytes, size_t n);

#endif
