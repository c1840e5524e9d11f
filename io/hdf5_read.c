/* Reading datasets, see io/hdf5_file.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_internal.h"

enum {
    MAX_RATIO        = 1100,    /* of compression: deflate cannot do better than 1032                           */
    ALWAYS_PLAUSIBLE = 1 << 20, /* bytes that a dataset may claim whatever the file holds (values never set)    */
    AT_ONCE          = 64,      /* texts read by one call: few, as each may be as long as the file              */
};

/* ---- shapes and numbers --------------------------------------------------------------------------------------- */

rv_status hdf5_open_dataset(hdf5_file *f, const char *dataset, hid_t *id)
{
    *id = H5Dopen2((hid_t)f->id, dataset, H5P_DEFAULT);
    if (*id >= 0) return RV_OK;
    rv_status status = hdf5_library_error(f, dataset, "be opened");
    return hdf5_is_absent(f, dataset) ? hdf5_refuse(f, RV_FILE_ERROR, dataset, "there is no such dataset") : status;
}

rv_status hdf5_read_extent(hdf5_file *f, const char *dataset, hid_t id, hdf5_shape *shape)
{
    *shape = (hdf5_shape){0};
    hid_t   space = H5Dget_space(id);
    hsize_t n[H5S_MAX_RANK] = {0};
    int     rank = H5Sget_simple_extent_ndims(space);
    bool    null = H5Sget_simple_extent_type(space) == H5S_NULL;
    if (rank > 0 && rank <= HDF5_MAX_RANK) H5Sget_simple_extent_dims(space, n, NULL);
    H5Sclose(space);
    if (rank < 0 || rank > HDF5_MAX_RANK)
        return hdf5_refuse(f, RV_FILE_ERROR, dataset, "has %d axes, at most %d are read", rank, HDF5_MAX_RANK);
    shape->rank = rank;
    shape->count = null ? 0 : 1;
    for (int i = 0; i < rank; i++) {
        shape->n[i] = (int64_t)n[i];
        if (n[i] > INT64_MAX || __builtin_mul_overflow(shape->count, shape->n[i], &shape->count))
            return hdf5_refuse(f, RV_FILE_ERROR, dataset, "claims more values than there are numbers");
    }
    return RV_OK;
}

/* Values take space in the file, at least what the best compression leaves of them; what claims more is damaged. */
static rv_status check_plausible(hdf5_file *f, const char *dataset, hid_t id, int64_t count)
{
    hid_t  type = H5Dget_type(id), made = H5Dget_create_plist(id);
    double bytes = (double)count * (double)H5Tget_size(type), stored = (double)H5Dget_storage_size(id);
    bool   filtered = made >= 0 && H5Pget_nfilters(made) > 0;
    if (made >= 0) H5Pclose(made);
    H5Tclose(type);
    if (stored <= (double)hdf5_file_size(f) && bytes <= ALWAYS_PLAUSIBLE + stored * (filtered ? MAX_RATIO : 1)) return RV_OK;
    return hdf5_refuse(f, RV_FILE_ERROR, dataset, "is damaged: it claims %lld values and holds %.0f bytes",
                  (long long)count, stored);
}

static rv_status shape_of(hdf5_file *f, const char *dataset, hid_t id, hdf5_shape *shape)
{
    rv_status status = hdf5_read_extent(f, dataset, id, shape);
    return status == RV_OK ? check_plausible(f, dataset, id, shape->count) : status;
}

rv_status hdf5_shape_of(hdf5_file *file, const char *dataset, hdf5_shape *shape)
{
    hid_t     id;
    rv_status status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, shape);
    if (id >= 0) H5Dclose(id);
    return status;
}

hid_t hdf5_select_rows(hid_t id, const hdf5_shape *shape, int64_t first, int64_t rows)
{
    if (first < 0 || rows < 0 || (shape->rank == 0 && (first || rows > shape->count)) ||
        (shape->rank > 0 && first > shape->n[0] - rows))
        return -1;
    hid_t   space = H5Dget_space(id);
    hsize_t start[HDF5_MAX_RANK] = { (hsize_t)first }, count[HDF5_MAX_RANK];
    for (int i = 0; i < shape->rank; i++) count[i] = (hsize_t)(i ? shape->n[i] : rows);
    if (shape->rank > 0) H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, count, NULL);
    return space;
}

static rv_status read_rows(hdf5_file *f, const char *dataset, hid_t id, const hdf5_shape *shape, hdf5_type type,
                           int64_t first, int64_t rows, void *values)
{
    hid_t space = hdf5_select_rows(id, shape, first, rows);
    if (space < 0)
        return hdf5_refuse(f, RV_OUT_OF_RANGE, dataset, "has no rows %lld to %lld", (long long)first,
                      (long long)(first + rows - 1));
    rv_status status = RV_OK;
    hsize_t   n = (hsize_t)H5Sget_select_npoints(space);
    if (shape->count > 0 && n > 0) {
        hid_t memory = H5Screate_simple(1, &n, NULL);
        if (H5Dread(id, hdf5_memory_type(type), memory, space, H5P_DEFAULT, values) < 0)
            status = hdf5_library_error(f, dataset, "be read");
        H5Sclose(memory);
    }
    H5Sclose(space);
    return status;
}

rv_status hdf5_read_rows(hdf5_file *file, const char *dataset, hdf5_type type, int64_t first, int64_t rows,
                         void *values)
{
    hid_t      id;
    hdf5_shape shape;
    rv_status  status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK) status = hdf5_read_extent(file, dataset, id, &shape);
    if (status == RV_OK) status = read_rows(file, dataset, id, &shape, type, first, rows, values);
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_load(hdf5_file *file, const char *dataset, hdf5_type type, void **values, hdf5_shape *shape)
{
    *values = NULL;
    hid_t      id;
    hdf5_shape found = {0};
    rv_status  status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, &found);
    if (status == RV_OK) {
        *values = calloc((size_t)found.count + 1, hdf5_type_size(type));
        if (!*values)
            status = hdf5_refuse(file, RV_OUT_OF_MEMORY, dataset, "no memory for its %.1f MB", (double)found.count * (double)hdf5_type_size(type) / 1e6);
    }
    if (status == RV_OK)
        status = read_rows(file, dataset, id, &found, type, 0, found.rank ? found.n[0] : found.count, *values);
    if (id >= 0) H5Dclose(id);
    if (status != RV_OK) free(*values), *values = NULL;
    if (shape) *shape = found;
    return status;
}

/* ---- what a dataset holds --------------------------------------------------------------------------------------- */

static bool number_type(hid_t type, hdf5_type *found)
{
    size_t size = H5Tget_size(type);
    bool   unsigned_ = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE;
    switch (H5Tget_class(type)) {
    case H5T_ENUM: *found = HDF5_U8; return true;
    case H5T_FLOAT: *found = size <= 4 ? HDF5_F32 : HDF5_F64; return true;
    case H5T_INTEGER:
        if (size == 1 && unsigned_) *found = HDF5_U8;
        else *found = size <= 4 ? (unsigned_ ? HDF5_U32 : HDF5_I32) : unsigned_ ? HDF5_U64 : HDF5_I64;
        return true;
    default: return false;
    }
}

rv_status hdf5_type_of(hdf5_file *file, const char *dataset, bool *texts, hdf5_type *type)
{
    hid_t id = H5Dopen2((hid_t)file->id, dataset, H5P_DEFAULT);
    if (id < 0) return hdf5_library_error(file, dataset, "be opened");
    hid_t stored = H5Dget_type(id);
    *texts = H5Tget_class(stored) == H5T_STRING;
    bool known = *texts || number_type(stored, type);
    H5Tclose(stored), H5Dclose(id);
    return known ? RV_OK : hdf5_refuse(file, RV_FILE_ERROR, dataset, "holds neither numbers nor texts");
}

int64_t hdf5_stored_bytes(hdf5_file *file, const char *dataset)
{
    hid_t   id = H5Dopen2((hid_t)file->id, dataset, H5P_DEFAULT);
    int64_t bytes = id >= 0 ? (int64_t)H5Dget_storage_size(id) : 0;
    if (id >= 0) H5Dclose(id);
    return bytes;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

static void free_texts(char **texts, int64_t n)
{
    for (int64_t k = 0; texts && k < n; k++) free(texts[k]);
    free(texts);
}

/* Texts first .. first + n - 1 of the dataset in row-major order, by way of a selection of points. */
static bool read_some(hid_t id, hid_t type, const hdf5_shape *shape, int64_t first, int64_t n, char **texts, int64_t *budget)
{
    hsize_t points[AT_ONCE * HDF5_MAX_RANK], count = (hsize_t)n;
    for (int64_t k = 0; k < n; k++) {
        int64_t rest = first + k;
        for (int axis = shape->rank - 1; axis >= 0; rest /= shape->n[axis], axis--) points[k * shape->rank + axis] = (hsize_t)(rest % shape->n[axis]);
    }
    hid_t  space = H5Dget_space(id), memory = H5Screate_simple(1, &count, NULL);
    bool   variable = H5Tis_variable_str(type) > 0;
    size_t each = variable ? sizeof(char *) : H5Tget_size(type);
    char  *values = calloc((size_t)n, each);
    if (shape->rank > 0) H5Sselect_elements(space, H5S_SELECT_SET, (size_t)n, points);
    bool done = values && H5Dread(id, type, memory, space, H5P_DEFAULT, values) >= 0;
    for (int64_t k = 0; done && k < n; k++) {
        const char *text = variable ? ((char **)(void *)values)[k] : values + (size_t)k * each;
        size_t      length = text ? strnlen(text, variable ? SIZE_MAX : each) : 0;
        if ((*budget -= (int64_t)length + 1) >= 0) texts[first + k] = strndup(text ? text : "", length);
        done = *budget >= 0 && texts[first + k];
    }
    if (values && variable) H5Dvlen_reclaim(type, memory, H5P_DEFAULT, values);
    free(values);
    H5Sclose(memory), H5Sclose(space);
    return done;
}

rv_status hdf5_load_texts(hdf5_file *file, const char *dataset, int64_t budget, char ***texts, hdf5_shape *shape)
{
    *texts = NULL;
    rv_status status = hdf5_shape_of(file, dataset, shape);
    if (status != RV_OK) return status;
    hid_t id = H5Dopen2((hid_t)file->id, dataset, H5P_DEFAULT), type = id >= 0 ? H5Dget_type(id) : -1;
    bool  done = type >= 0 && H5Tget_class(type) == H5T_STRING && shape->count <= budget &&
                (H5Tis_variable_str(type) > 0 || H5Tget_size(type) <= (size_t)budget / AT_ONCE);
    char **found = done ? calloc((size_t)shape->count + 1, sizeof *found) : NULL;
    for (int64_t k = 0, n; found && done && k < shape->count; k += n) {
        n = shape->count - k < AT_ONCE ? shape->count - k : AT_ONCE;
        done = read_some(id, type, shape, k, n, found, &budget);
    }
    if (type >= 0) H5Tclose(type);
    if (id >= 0) H5Dclose(id);
    if (done && found) *texts = found;
    else free_texts(found, shape->count);
    return *texts ? RV_OK : hdf5_refuse(file, RV_FILE_ERROR, dataset, "does not hold texts that can be read");
}

rv_status hdf5_load_text(hdf5_file *file, const char *dataset, char **text)
{
    *text = NULL;
    hid_t      id;
    hdf5_shape shape;
    rv_status  status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, &shape);
    if (status == RV_OK) {
        hid_t type = H5Dget_type(id);
        if (H5Tget_class(type) == H5T_STRING) *text = hdf5_load_string(id, false);
        if (!*text) status = hdf5_refuse(file, RV_FILE_ERROR, dataset, "is not a text that can be read");
        H5Tclose(type);
    }
    if (id >= 0) H5Dclose(id);
    return status;
}
