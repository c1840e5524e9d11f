/* A folder of its own for a test, with files made from texts. Everything here fails the test that calls it when something goes wrong. */
#ifndef RV_TESTS_FOLDER_H
#define RV_TESTS_FOLDER_H

#include "tests/support/reference.h"

/** Makes /tmp/<stem>-<random>. @return its path, valid until folder_remove() */
const char *folder_make(const char *stem);
void        folder_remove(void);

/** folder/name; lives until the eighth call after this one. Folders on the way are made. */
const char *folder_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Writes a text to folder/name. */
void folder_write(const char *name, const char *text);

/** Copies a file (of any kind) to folder/name, its first n bytes alone if n >= 0. */
void folder_copy(const char *from, const char *name, long n);

#endif
