/* The annex of the door to HDF5 (io/hdf5_file.h) for what NIR files need beyond it: arrays of any shape and of texts, and the
 * type a dataset has. Files are opened and closed through the door; failures are told in file->error as there. */
#ifndef RV_IO_NIR_HDF5_H
#define RV_IO_NIR_HDF5_H

#include "io/hdf5_file.h"

enum { NIR_HDF5_RANK = HDF5_MAX_RANK };

/** What kind of values a dataset has. Enumerations (truth values) are numbers of HDF5_U8; numbers of types that hdf5_type has not
 *  are given the next wider one. @param texts whether they are texts; type is then unused */
rv_status nir_hdf5_type(hdf5_file *file, const char *dataset, bool *texts, hdf5_type *type);

/** Bytes of a value. */
size_t nir_hdf5_size(hdf5_type type);

/** Reads texts of fixed or variable length. @param budget bytes they may have in all @param texts result: new memory, each text
 *  and the array of shape->count */
rv_status nir_hdf5_load_texts(hdf5_file *file, const char *dataset, int64_t budget, char ***texts, hdf5_shape *shape);

/** Makes a dataset of this shape. Texts are UTF-8 of variable length. */
rv_status nir_hdf5_write_numbers(hdf5_file *file, const char *dataset, hdf5_type type, const hdf5_shape *shape, const void *values);
rv_status nir_hdf5_write_texts(hdf5_file *file, const char *dataset, const hdf5_shape *shape, char *const *texts);

#endif
