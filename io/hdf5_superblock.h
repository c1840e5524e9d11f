/* The superblock: the first bytes of an HDF5 file, which say where it ends and whether someone is writing it. HDF5 has no
 * call to publish a file that is still written to ordinary readers; io/hdf5_file.c says why and how we do. */
#ifndef RV_IO_HDF5_SUPERBLOCK_H
#define RV_IO_HDF5_SUPERBLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { SUPERBLOCK_BYTES = 48 };
enum { SUPERBLOCK_WRITING = 1, SUPERBLOCK_SWMR = 4 }; /* flags */

typedef struct superblock {
    int64_t at;                      /* where it is: 0, or after a user block of 512, 1024, ... bytes */
    int     version, flags;
    int64_t end;                     /* of the file, as it says; -1 if it is of an unusual kind       */
    uint8_t bytes[SUPERBLOCK_BYTES];
} superblock;

/** Finds the superblock of an open file. @return whether it is an HDF5 file */
bool superblock_find(int descriptor, superblock *s);

/** Makes the superblock (version 3, at the file's beginning) one that everybody reads: not being written, and of the given
 *  length. @return 0, else an errno; EINVAL if there is no such superblock */
int superblock_publish(int descriptor, int64_t end);

#endif
