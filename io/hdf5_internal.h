/* What the files of the door to HDF5 (io/hdf5_*.c) share; they alone include hdf5.h. See io/hdf5_file.h. */
#ifndef RV_IO_HDF5_INTERNAL_H
#define RV_IO_HDF5_INTERNAL_H

#include <hdf5.h>

#include "io/hdf5_file.h"

/* ---- hdf5_file.c ------------------------------------------------------------------------------------------------ */

/** Leaves a sentence in f->error: file, object, reason. @param object NULL or "/": the file as such @return status */
rv_status hdf5_refuse(hdf5_file *f, rv_status status, const char *object, const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The same with what the library says. Right after the call that failed: the library forgets its errors at the next one. */
rv_status hdf5_library_error(hdf5_file *f, const char *object, const char *action);

/** Has the disk grant room for so many more bytes, and for the library's own needs, before anything is written. */
rv_status hdf5_reserve(hdf5_file *f, const char *object, int64_t bytes);

/** Opens f->path with the library. */
rv_status hdf5_library_open(hdf5_file *f, unsigned flags);
int64_t   hdf5_file_size(const hdf5_file *f);

/* ---- hdf5_trial.c ----------------------------------------------------------------------------------------------- */

/** Walks through the structure of a file in a child process: it may be one that the library crashes on. */
rv_status hdf5_try_walk(hdf5_file *f);

/* ---- hdf5_objects.c --------------------------------------------------------------------------------------------- */

/** Whether the file denies that there is such a thing, step by step from the root: what is damaged may be there. */
bool  hdf5_is_absent(hdf5_file *f, const char *object);
hid_t hdf5_memory_type(hdf5_type type);
hid_t hdf5_stored_type(hdf5_type type);
hid_t hdf5_string_type(size_t bytes); /* UTF-8, of so many bytes or of H5T_VARIABLE; to be closed */
hid_t hdf5_link_properties(void);     /* to be closed                                             */

/* ---- hdf5_attributes.c ------------------------------------------------------------------------------------------ */

/** The first string of an attribute or dataset, in new memory; NULL if it cannot be read. */
char *hdf5_load_string(hid_t id, bool attribute);
bool  hdf5_attribute_text(hid_t id, char *text, size_t size);

/* ---- hdf5_read.c ------------------------------------------------------------------------------------------------ */

rv_status hdf5_open_dataset(hdf5_file *f, const char *dataset, hid_t *id);
rv_status hdf5_read_extent(hdf5_file *f, const char *dataset, hid_t id, hdf5_shape *shape);

/** The part of a dataset's space that rows first .. first + rows - 1 take; -1 if it has not so many. */
hid_t hdf5_select_rows(hid_t id, const hdf5_shape *shape, int64_t first, int64_t rows);

#endif
