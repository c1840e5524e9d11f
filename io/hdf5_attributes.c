/* Attributes, see io/hdf5_file.h. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_internal.h"

enum { MAX_ATTRIBUTE = 64000 }; /* bytes: HDF5 stops at 64 KB */

/* ---- attributes: writing ------------------------------------------------------------------------------------- */

/* Sets an attribute; one of another type or size is replaced, which a live file does not allow. */
static rv_status set_attribute(hdf5_file *f, const char *object, const char *name, hid_t stored, hid_t type,
                               hid_t space, const void *values)
{
    rv_status status = hdf5_reserve(f, object, 0);
    if (status != RV_OK) return status;
    hid_t owner = H5Oopen((hid_t)f->id, object, H5P_DEFAULT);
    if (owner < 0) return hdf5_library_error(f, object, "be opened");
    bool  exists = H5Aexists(owner, name) > 0;
    hid_t id = -1;
    assert(exists || f->mode != HDF5_LIVE);
    if (exists && f->mode != HDF5_LIVE) H5Adelete(owner, name), exists = false;
    id = exists ? H5Aopen(owner, name, H5P_DEFAULT) : H5Acreate2(owner, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, type, values) < 0) status = hdf5_library_error(f, object, "set an attribute");
    if (id >= 0) H5Aclose(id);
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Oflush(owner) < 0)
        status = hdf5_library_error(f, object, "be written");
    H5Oclose(owner);
    return status;
}

rv_status hdf5_set_text(hdf5_file *file, const char *object, const char *name, const char *text)
{
    size_t n = strlen(text);
    if (n > MAX_ATTRIBUTE)
        return hdf5_refuse(file, RV_OUT_OF_RANGE, object, "attribute %s has %zu bytes, allowed are %d", name, n,
                      MAX_ATTRIBUTE);
    hid_t     type = hdf5_string_type(n), space = H5Screate(H5S_SCALAR);
    rv_status status = set_attribute(file, object, name, type, type, space, text);
    H5Sclose(space), H5Tclose(type);
    return status;
}

rv_status hdf5_set_numbers(hdf5_file *file, const char *object, const char *name, hdf5_type type, const void *values,
                           int n)
{
    hsize_t   length = (hsize_t)n;
    hid_t     space = n ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_SCALAR);
    rv_status status = set_attribute(file, object, name, hdf5_stored_type(type), hdf5_memory_type(type), space, values);
    H5Sclose(space);
    return status;
}

rv_status hdf5_set_int(hdf5_file *file, const char *object, const char *name, int64_t value)
{
    return hdf5_set_numbers(file, object, name, HDF5_I64, &value, 0);
}

rv_status hdf5_set_double(hdf5_file *file, const char *object, const char *name, double value)
{
    return hdf5_set_numbers(file, object, name, HDF5_F64, &value, 0);
}

rv_status hdf5_set_enum(hdf5_file *file, const char *object, const char *name, const char *const *names, int n,
                        int value)
{
    hid_t type = H5Tenum_create(H5T_STD_U8LE), space = H5Screate(H5S_SCALAR);
    for (uint8_t i = 0; i < n; i++) H5Tenum_insert(type, names[i], &i);
    uint8_t   chosen = (uint8_t)value;
    rv_status status = set_attribute(file, object, name, type, type, space, &chosen);
    H5Sclose(space), H5Tclose(type);
    return status;
}

/* ---- attributes: reading ------------------------------------------------------------------------------------- */

enum { MAX_TEXT = 64 << 20 }; /* bytes of the strings of an attribute, or of a text */

char *hdf5_load_string(hid_t id, bool attribute)
{
    hid_t    type = attribute ? H5Aget_type(id) : H5Dget_type(id);
    hid_t    space = attribute ? H5Aget_space(id) : H5Dget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    bool     variable = H5Tis_variable_str(type) > 0;
    size_t   each = variable ? sizeof(char *) : H5Tget_size(type);
    char    *text = n == 0 ? strdup("") : NULL;
    void    *values = n > 0 && (double)n * (double)each < MAX_TEXT ? calloc((size_t)n, each) : NULL;
    hid_t    memory = H5Tcopy(type);
    if (values && (attribute ? H5Aread(id, memory, values)
                             : H5Dread(id, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, values)) >= 0) {
        if (!variable) text = strndup(values, each);
        else text = strdup(*(char **)values ? *(char **)values : "");
        if (variable) H5Dvlen_reclaim(memory, space, H5P_DEFAULT, values);
    }
    free(values);
    H5Tclose(memory), H5Sclose(space), H5Tclose(type);
    return text;
}

enum { MAX_LIST = 16 }; /* numbers of an attribute that are put into a text */

static bool numbers_as_text(hid_t id, hid_t type, char *text, size_t size)
{
    hid_t    space = H5Aget_space(id);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    H5Sclose(space);
    if (n < 0 || n > MAX_LIST) return false;
    bool     real = H5Tget_class(type) == H5T_FLOAT, is_signed = H5Tget_sign(type) == H5T_SGN_2;
    double   x[MAX_LIST];
    uint64_t u[MAX_LIST];
    hid_t    memory = real ? H5T_NATIVE_DOUBLE : is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64;
    if (H5Aread(id, memory, real ? (void *)x : (void *)u) < 0) return false;
    size_t at = 0;
    for (int i = 0; i < n && at < size; i++) {
        const char *gap = i ? " " : "";
        if (real) at += (size_t)snprintf(text + at, size - at, "%s%.15g", gap, x[i]);
        else if (is_signed) at += (size_t)snprintf(text + at, size - at, "%s%lld", gap, (long long)u[i]);
        else at += (size_t)snprintf(text + at, size - at, "%s%llu", gap, (unsigned long long)u[i]);
    }
    return true;
}

static bool enum_as_text(hid_t id, hid_t type, char *text, size_t size)
{
    uint64_t value[MAX_LIST] = {0};
    hid_t    space = H5Aget_space(id);
    bool     one = H5Sget_simple_extent_npoints(space) == 1 && H5Tget_size(type) <= sizeof value;
    H5Sclose(space);
    return one && H5Aread(id, type, value) >= 0 && H5Tenum_nameof(type, value, text, size) >= 0;
}

bool hdf5_attribute_text(hid_t id, char *text, size_t size)
{
    hid_t type = H5Aget_type(id);
    bool  done = false;
    char *string;
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        string = hdf5_load_string(id, true);
        if (string) snprintf(text, size, "%s", string), done = true;
        free(string);
        break;
    case H5T_INTEGER:
    case H5T_FLOAT: done = numbers_as_text(id, type, text, size); break;
    case H5T_ENUM: done = enum_as_text(id, type, text, size); break;
    default: break;
    }
    H5Tclose(type);
    return done;
}

static rv_status no_attribute(hdf5_file *f, const char *object, const char *name)
{
    return hdf5_refuse(f, RV_UNKNOWN_NAME, object, "has no attribute \"%s\"", name);
}

rv_status hdf5_get_text(hdf5_file *file, const char *object, const char *name, char *text, size_t size)
{
    text[0] = 0;
    hid_t id = H5Aopen_by_name((hid_t)file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) return no_attribute(file, object, name);
    bool done = hdf5_attribute_text(id, text, size);
    H5Aclose(id);
    return done ? RV_OK : hdf5_refuse(file, RV_FILE_ERROR, object, "attribute \"%s\" cannot be read", name);
}

static rv_status get_number(hdf5_file *f, const char *object, const char *name, hid_t type, void *value)
{
    hid_t id = H5Aopen_by_name((hid_t)f->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) return no_attribute(f, object, name);
    hid_t space = H5Aget_space(id);
    bool  done = H5Sget_simple_extent_npoints(space) == 1 && H5Aread(id, type, value) >= 0;
    H5Sclose(space), H5Aclose(id);
    return done ? RV_OK : hdf5_refuse(f, RV_FILE_ERROR, object, "attribute \"%s\" is not a number", name);
}

rv_status hdf5_get_int(hdf5_file *file, const char *object, const char *name, int64_t *value)
{
    return get_number(file, object, name, H5T_NATIVE_INT64, value);
}

rv_status hdf5_get_double(hdf5_file *file, const char *object, const char *name, double *value)
{
    return get_number(file, object, name, H5T_NATIVE_DOUBLE, value);
}
