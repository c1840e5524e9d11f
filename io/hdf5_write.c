/* Writing datasets, see io/hdf5_file.h. */
#include <assert.h>
#include <string.h>

#include "io/hdf5_internal.h"

enum {
    CHUNK_BYTES       = 64 << 10, /* of a dataset that grows: read or written as one piece */
    MAX_CHUNK_COLUMNS = 1 << 16,
};

static rv_status make_dataset(hdf5_file *f, const char *dataset, hid_t type, hid_t space, hid_t how, hid_t *id)
{
    hid_t links = hdf5_link_properties();
    *id = H5Dcreate2((hid_t)f->id, dataset, type, space, links, how, H5P_DEFAULT);
    rv_status status = *id < 0 ? hdf5_library_error(f, dataset, "be made") : RV_OK;
    H5Pclose(links);
    return status;
}

/* A dataset [0] or [0][columns] that grows, in pieces of about CHUNK_BYTES: all columns of some rows, or, if a row is
 * very long, equal parts of it. */
static rv_status make_growing(hdf5_file *f, const char *dataset, hdf5_type type, int rank, int64_t columns)
{
    assert(f->mode == HDF5_WRITING);
    rv_status status = hdf5_reserve(f, dataset, 0);
    if (status != RV_OK) return status;
    int64_t width = columns > 0 ? columns : 1, parts = (width + MAX_CHUNK_COLUMNS - 1) / MAX_CHUNK_COLUMNS;
    int64_t part = (width + parts - 1) / parts, rows = CHUNK_BYTES / (part * (int64_t)hdf5_type_size(type));
    hsize_t n[2] = { 0, (hsize_t)columns }, most[2] = { H5S_UNLIMITED, (hsize_t)width };
    hsize_t chunk[2] = { (hsize_t)(rows > 0 ? rows : 1), (hsize_t)part };
    hid_t   space = H5Screate_simple(rank, n, most), how = H5Pcreate(H5P_DATASET_CREATE), id = -1;
    H5Pset_chunk(how, rank, chunk);
    status = make_dataset(f, dataset, hdf5_stored_type(type), space, how, &id);
    if (id >= 0) H5Dclose(id);
    H5Pclose(how), H5Sclose(space);
    return status;
}

rv_status hdf5_make_series(hdf5_file *file, const char *dataset, hdf5_type type)
{
    return make_growing(file, dataset, type, 1, 1);
}

rv_status hdf5_make_table(hdf5_file *file, const char *dataset, hdf5_type type, int64_t columns)
{
    return make_growing(file, dataset, type, 2, columns);
}

/* An upper bound of what so many more rows of a chunked dataset take on the disk. */
static int64_t bytes_of_rows(hid_t id, const hdf5_shape *shape, int64_t rows)
{
    hsize_t chunk[HDF5_MAX_RANK] = { 1, 1, 1, 1 };
    hid_t   how = H5Dget_create_plist(id), type = H5Dget_type(id);
    H5Pget_chunk(how, HDF5_MAX_RANK, chunk);
    int64_t bytes = (rows / (int64_t)chunk[0] + 2) * (int64_t)chunk[0] * (int64_t)H5Tget_size(type);
    for (int i = 1; i < shape->rank; i++)
        bytes *= (shape->n[i] + (int64_t)chunk[i] - 1) / (int64_t)chunk[i] * (int64_t)chunk[i];
    H5Pclose(how), H5Tclose(type);
    return bytes + bytes / 64; /* the index of the pieces */
}

static rv_status append_rows(hdf5_file *f, const char *dataset, hid_t id, hdf5_type type, const void *values,
                             int64_t rows)
{
    hdf5_shape shape;
    rv_status  status = hdf5_read_extent(f, dataset, id, &shape);
    if (status != RV_OK) return status;
    assert(shape.rank > 0);
    status = hdf5_reserve(f, dataset, bytes_of_rows(id, &shape, rows));
    if (status != RV_OK) return status;
    hsize_t n[HDF5_MAX_RANK];
    int64_t first = shape.n[0];
    shape.n[0] += rows;
    for (int i = 0; i < shape.rank; i++) n[i] = (hsize_t)shape.n[i];
    if (H5Dset_extent(id, n) < 0) return hdf5_library_error(f, dataset, "grow");
    hid_t   space = hdf5_select_rows(id, &shape, first, rows);
    hsize_t count = (hsize_t)H5Sget_select_npoints(space);
    hid_t   memory = H5Screate_simple(1, &count, NULL);
    if (count > 0 && H5Dwrite(id, hdf5_memory_type(type), memory, space, H5P_DEFAULT, values) < 0)
        status = hdf5_library_error(f, dataset, "be written");
    H5Sclose(memory), H5Sclose(space);
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Dflush(id) < 0) status = hdf5_library_error(f, dataset, "be written");
    return status;
}

rv_status hdf5_append(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int64_t rows)
{
    hid_t     id;
    rv_status status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK && rows > 0) status = append_rows(file, dataset, id, type, values, rows);
    if (id >= 0) H5Dclose(id);
    return status;
}

/* Opens or makes the dataset that hdf5_write() and hdf5_write_text() fill. */
static rv_status open_to_fill(hdf5_file *f, const char *dataset, hid_t type, hid_t space, hid_t *id)
{
    if (hdf5_kind_of(f, dataset) != HDF5_NOTHING) return hdf5_open_dataset(f, dataset, id);
    assert(f->mode == HDF5_WRITING);
    return make_dataset(f, dataset, type, space, H5P_DEFAULT, id);
}

static rv_status fill_dataset(hdf5_file *f, const char *dataset, hid_t stored, hid_t type, hid_t space,
                              const void *values)
{
    hid_t     id = -1;
    int64_t   count = H5Sget_simple_extent_npoints(space);
    rv_status status = hdf5_reserve(f, dataset, count * (int64_t)H5Tget_size(stored));
    if (status == RV_OK) status = open_to_fill(f, dataset, stored, space, &id);
    hdf5_shape shape;
    if (status == RV_OK) status = hdf5_read_extent(f, dataset, id, &shape);
    if (status == RV_OK && shape.count != count)
        status = hdf5_refuse(f, RV_WRONG_SHAPE, dataset, "has %lld values, not %lld", (long long)shape.count,
                        (long long)count);
    if (status == RV_OK && count > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = hdf5_library_error(f, dataset, "be written");
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Dflush(id) < 0) status = hdf5_library_error(f, dataset, "be written");
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_write_array(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int rank, const int64_t *n)
{
    hsize_t length[HDF5_MAX_RANK];
    assert(rank <= HDF5_MAX_RANK);
    for (int k = 0; k < rank; k++) length[k] = (hsize_t)n[k];
    hid_t     space = rank ? H5Screate_simple(rank, length, NULL) : H5Screate(H5S_SCALAR);
    rv_status status = fill_dataset(file, dataset, hdf5_stored_type(type), hdf5_memory_type(type), space, values);
    H5Sclose(space);
    return status;
}

rv_status hdf5_write(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int64_t n)
{
    return hdf5_write_array(file, dataset, type, values, 1, &n);
}

rv_status hdf5_make_list(hdf5_file *file, const char *dataset, hdf5_type type, int64_t n)
{
    assert(file->mode == HDF5_WRITING);
    rv_status status = hdf5_reserve(file, dataset, n * (int64_t)hdf5_type_size(type));
    if (status != RV_OK) return status;
    hsize_t length = (hsize_t)n;
    hid_t   space = H5Screate_simple(1, &length, NULL), id = -1;
    status = make_dataset(file, dataset, hdf5_stored_type(type), space, H5P_DEFAULT, &id);
    if (id >= 0) H5Dclose(id);
    H5Sclose(space);
    return status;
}

rv_status hdf5_write_rows(hdf5_file *file, const char *dataset, hdf5_type type, int64_t first, int64_t rows, const void *values)
{
    hid_t      id;
    hdf5_shape shape;
    rv_status  status = hdf5_open_dataset(file, dataset, &id);
    if (status == RV_OK) status = hdf5_read_extent(file, dataset, id, &shape);
    if (status == RV_OK) status = hdf5_reserve(file, dataset, shape.count * (int64_t)hdf5_type_size(type)); /* the first piece takes the place of all */
    hid_t space = status == RV_OK ? hdf5_select_rows(id, &shape, first, rows) : -1;
    if (status == RV_OK && space < 0)
        status = hdf5_refuse(file, RV_OUT_OF_RANGE, dataset, "has no rows %lld to %lld", (long long)first, (long long)(first + rows - 1));
    if (status == RV_OK && rows > 0) {
        hsize_t count = (hsize_t)H5Sget_select_npoints(space);
        hid_t   memory = H5Screate_simple(1, &count, NULL);
        if (H5Dwrite(id, hdf5_memory_type(type), memory, space, H5P_DEFAULT, values) < 0) status = hdf5_library_error(file, dataset, "be written");
        H5Sclose(memory);
    }
    if (space >= 0) H5Sclose(space);
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_write_text(hdf5_file *file, const char *dataset, const char *text)
{
    hid_t     type = hdf5_string_type(strlen(text)), space = H5Screate(H5S_SCALAR);
    rv_status status = fill_dataset(file, dataset, type, type, space, text);
    H5Sclose(space), H5Tclose(type);
    return status;
}

rv_status hdf5_write_texts(hdf5_file *file, const char *dataset, const hdf5_shape *shape, char *const *texts)
{
    int64_t bytes = 0;
    hsize_t n[HDF5_MAX_RANK];
    for (int64_t k = 0; k < shape->count; k++) bytes += (int64_t)strlen(texts[k]) + 64; /* with its place in the heap */
    for (int k = 0; k < shape->rank; k++) n[k] = (hsize_t)shape->n[k];
    rv_status status = hdf5_reserve(file, dataset, bytes);
    if (status != RV_OK) return status;
    hid_t type = hdf5_string_type(H5T_VARIABLE), space = shape->rank ? H5Screate_simple(shape->rank, n, NULL) : H5Screate(H5S_SCALAR);
    status = fill_dataset(file, dataset, type, type, space, texts);
    H5Sclose(space), H5Tclose(type);
    return status;
}
