/* The annex of the door to HDF5 (io/hdf5_file.h) for what NIR files need beyond it: arrays of texts, the type a
 * dataset has, and protection from libhdf5 itself. Files are opened and closed through the door; failures are told in file->error as there. */
#ifndef RV_IO_NIR_HDF5_H
#define RV_IO_NIR_HDF5_H

#include "io/hdf5_file.h"

/** What kind of values a dataset has. Enumerations (truth values) are numbers of HDF5_U8; numbers of types that hdf5_type has not
 *  are given the next wider one. @param texts whether they are texts; type is then unused */
rv_status nir_hdf5_type(hdf5_file *file, const char *dataset, bool *texts, hdf5_type *type);

/** Bytes that a dataset takes in the file, texts of variable length apart. */
int64_t nir_hdf5_stored(hdf5_file *file, const char *dataset);

/** Bytes of a value. */
size_t nir_hdf5_size(hdf5_type type);

/** Reads texts of fixed or variable length. @param budget bytes they may have in all @param texts result: new memory, each text
 *  and the array of shape->count */
rv_status nir_hdf5_load_texts(hdf5_file *file, const char *dataset, int64_t budget, char ***texts, hdf5_shape *shape);

/** Makes a dataset of this shape; texts are UTF-8 of variable length, as h5py writes them. */
rv_status nir_hdf5_write_texts(hdf5_file *file, const char *dataset, const hdf5_shape *shape, char *const *texts);

/** Whether a file can be read at all: libhdf5 crashes on some damaged files and loops forever on others (a heap of texts whose
 *  objects have no length), and the checks of hdf5_open() do not reach there. A child process reads first, with read(path, user),
 *  whose result does not matter. @return RV_OK, or RV_FILE_ERROR if the child died or took unreasonably long */
rv_status nir_hdf5_try(const char *path, void (*read)(const char *path, void *user), void *user, rv_error *error);

#endif
