/* ZIP archives, as far as NumPy's .npz files need them (PKWARE APPNOTE 6.3): entries stored or deflated, names as they are, no
 * encryption, no spanning; archives of more than 4 GiB are read (ZIP64) and not written.
 *
 * Whatever the bytes are, reading ends with an entry or a reason: every position is checked against the archive, and no entry
 * becomes longer than its compressed bytes allow. */
#ifndef RV_IO_ZIP_H
#define RV_IO_ZIP_H

#include <stdio.h>

#include "sim/ranvier.h"

/** An archive in memory, borrowed; set by zip_open(), moved on by zip_next(). */
typedef struct zip_archive {
    const uint8_t *bytes; /* [size] */
    size_t         size, at, end; /* at..end: what is left of the directory */
} zip_archive;

typedef struct zip_entry {
    char           name[256];
    int            method; /* 0 stored, 8 deflated */
    uint32_t       crc;
    uint64_t       size;   /* of the content */
    const uint8_t *data;   /* [data_size] as it is in the archive */
    uint64_t       data_size;
} zip_entry;

/** @return NULL, or why this is no archive */
const char *zip_open(const uint8_t *bytes, size_t size, zip_archive *archive);

/** The next entry of the directory. @return NULL, or why it cannot be read; entry->name is empty behind the last */
const char *zip_next(zip_archive *archive, zip_entry *entry);

/** The content of an entry in new memory, [entry->size] and a 0 behind it. @return NULL, or why it cannot be read */
const char *zip_load(const zip_entry *entry, uint8_t **content);

/** An archive that is written: zip_add() for each entry, then zip_finish(). Whether all was written is asked of the file. */
typedef struct zip_writer {
    FILE    *file;
    uint64_t at;        /* bytes written so far */
    uint8_t *directory; /* [directory_size] */
    size_t   directory_size;
    int      n;
} zip_writer;

/** Adds an entry, deflated. @return NULL, or why not */
const char *zip_add(zip_writer *w, const char *name, const uint8_t *content, size_t size);
void zip_finish(zip_writer *w); /* also after a failure: frees */

#endif
