/* What the readers of nodes and edges share: opening, lists of a known length, sentences. */
#include "io/sonata_internal.h"

#include <stdarg.h>

enum { MAGIC = 0x0A7A };

rv_status sonata_file_failed(const hdf5_file *file, rv_error *error)
{
    return error_set(error, file->error.status ? file->error.status : RV_FILE_ERROR, "%s", file->error.text);
}

rv_status sonata_refuse(const hdf5_file *file, const char *object, rv_error *error, const char *format, ...)
{
    char    reason[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return error_set(error, RV_FILE_ERROR, "file \"%.200s\", %.120s: %s", file->path ? file->path : "", object, reason);
}

rv_status sonata_file_open(const char *path, hdf5_file *file, rv_error *error)
{
    int64_t magic = MAGIC;
    if (hdf5_open(path, file) != RV_OK) return sonata_file_failed(file, error);
    if (!hdf5_has_attribute(file, "/", "magic")) return RV_OK;
    if (hdf5_get_int(file, "/", "magic", &magic) == RV_OK && magic == MAGIC) return RV_OK;
    sonata_refuse(file, "attribute magic", error, "is %lld, that of a SONATA file is %d", (long long)magic, MAGIC);
    hdf5_close(file);
    return error ? error->status : RV_FILE_ERROR;
}

rv_status sonata_length(hdf5_file *file, const char *dataset, int64_t *n, rv_error *error)
{
    hdf5_shape shape;
    if (hdf5_shape_of(file, dataset, &shape) != RV_OK) return sonata_file_failed(file, error);
    if (shape.rank > 1) return sonata_refuse(file, dataset, error, "has %d axes, allowed is a list", shape.rank);
    *n = shape.rank ? shape.n[0] : shape.count;
    return RV_OK;
}

rv_status sonata_load(hdf5_file *file, const char *dataset, hdf5_type type, int64_t n, void **values, rv_error *error)
{
    int64_t there;
    TRY(sonata_length(file, dataset, &there, error));
    if (there != n) return sonata_refuse(file, dataset, error, "has %lld values, allowed are %lld like its neighbours", (long long)there, (long long)n);
    if (hdf5_load(file, dataset, type, values, NULL) == RV_OK) return RV_OK;
    return sonata_file_failed(file, error);
}
