/* The last line of a checkpoint: how long it is, and a checksum (CRC-32, zlib's) of all before. */
#ifndef RV_IO_CHECKPOINT_SEAL_H
#define RV_IO_CHECKPOINT_SEAL_H

#include "sim/ranvier.h"

/** Adds the line to a finished file and brings everything to the disk. @return 0 or errno */
int checkpoint_seal(const char *path);

/** Reads the whole file and compares. @return RV_OK, or RV_FILE_ERROR with a sentence */
rv_status checkpoint_check_seal(const char *path, rv_error *error);

/** Gives a file on the disk another name, in the same folder, so that a power failure leaves one of the two. @return 0 or errno */
int checkpoint_replace(const char *from, const char *to);

#endif
