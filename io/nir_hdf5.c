/* The only file beside io/hdf5_file.c that includes hdf5.h: what is here may move there when others need it. */
#define _GNU_SOURCE
#include "io/nir_hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/error.h"

enum { AT_ONCE = 64 };  /* texts read by one call: few, as each may be as long as the file */
enum { SPARE = 1 << 18 }; /* bytes: more than the library needs for the metadata of any one call */

static rv_status refuse(hdf5_file *f, rv_status status, const char *object, const char *reason)
{
    f->error.status = status;
    snprintf(f->error.text, sizeof f->error.text, "file \"%.150s\", %.200s: %s", f->path, object, reason);
    return status;
}

size_t nir_hdf5_size(hdf5_type type)
{
    static const int8_t bytes[] = { [HDF5_U8] = 1, [HDF5_U16] = 2, [HDF5_I32] = 4, [HDF5_U32] = 4, [HDF5_I64] = 8, [HDF5_U64] = 8, [HDF5_F32] = 4, [HDF5_F64] = 8 };
    return (size_t)bytes[type];
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

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

rv_status nir_hdf5_type(hdf5_file *file, const char *dataset, bool *texts, hdf5_type *type)
{
    hid_t id = H5Dopen2((hid_t)file->id, dataset, H5P_DEFAULT);
    if (id < 0) return refuse(file, RV_FILE_ERROR, dataset, "cannot be opened");
    hid_t stored = H5Dget_type(id);
    *texts = H5Tget_class(stored) == H5T_STRING;
    bool known = *texts || number_type(stored, type);
    H5Tclose(stored), H5Dclose(id);
    return known ? RV_OK : refuse(file, RV_FILE_ERROR, dataset, "holds neither numbers nor texts");
}

int64_t nir_hdf5_stored(hdf5_file *file, const char *dataset)
{
    hid_t   id = H5Dopen2((hid_t)file->id, dataset, H5P_DEFAULT);
    int64_t bytes = id >= 0 ? (int64_t)H5Dget_storage_size(id) : 0;
    if (id >= 0) H5Dclose(id);
    return bytes;
}

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

rv_status nir_hdf5_load_texts(hdf5_file *file, const char *dataset, int64_t budget, char ***texts, hdf5_shape *shape)
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
    return *texts ? RV_OK : refuse(file, RV_FILE_ERROR, dataset, "does not hold texts that can be read");
}

/* ---- trying ----------------------------------------------------------------------------------------------------- */

enum { TRIAL_SECONDS = 2, TRIAL_BYTES = 10 << 20 }; /* of CPU time for any file, and a second more for so many bytes */

static void read_in_child(const char *path, void (*read)(const char *path, void *user), void *user)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU };
    struct stat      about = { 0 };
    stat(path, &about);
    rlim_t seconds = TRIAL_SECONDS + (rlim_t)about.st_size / TRIAL_BYTES;
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++) signal(signals[k], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    setrlimit(RLIMIT_CPU, &(struct rlimit){ seconds, seconds });
    read(path, user);
    _exit(0);
}

rv_status nir_hdf5_try(const char *path, void (*read)(const char *path, void *user), void *user, rv_error *error)
{
    int   how = 0;
    pid_t child = fork();
    if (child == 0) read_in_child(path, read, user);
    while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR) {}
    if (child < 0 || (WIFEXITED(how) && WEXITSTATUS(how) == 0)) return RV_OK;
    return error_set(error, RV_FILE_ERROR, "file \"%.150s\": is damaged: the HDF5 library crashes or never ends", path);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Has the disk grant room before anything is written, for the reason given in io/hdf5_file.h. */
static rv_status reserve(hdf5_file *f, const char *object, int64_t bytes)
{
    haddr_t end = 0;
    H5Fget_eoa((hid_t)f->id, &end);
    int64_t need = (int64_t)end + bytes + SPARE;
    if (need <= f->room) return RV_OK;
    if (posix_fallocate(f->descriptor, f->room, need - f->room)) return refuse(f, RV_FILE_ERROR, object, "cannot be written: the disk has no room");
    f->room = need;
    return RV_OK;
}

rv_status nir_hdf5_write_texts(hdf5_file *file, const char *dataset, const hdf5_shape *shape, char *const *texts)
{
    int64_t bytes = 0;
    hsize_t n[HDF5_MAX_RANK];
    for (int64_t k = 0; k < shape->count; k++) bytes += (int64_t)strlen(texts[k]) + 64; /* with its place in the heap */
    for (int k = 0; k < shape->rank; k++) n[k] = (hsize_t)shape->n[k];
    rv_status status = reserve(file, dataset, bytes);
    if (status != RV_OK) return status;
    hid_t type = H5Tcopy(H5T_C_S1), links = H5Pcreate(H5P_LINK_CREATE), space = shape->rank ? H5Screate_simple(shape->rank, n, NULL) : H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_char_encoding(links, H5T_CSET_UTF8);
    hid_t id = H5Dcreate2((hid_t)file->id, dataset, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || (shape->count > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) < 0))
        status = refuse(file, RV_FILE_ERROR, dataset, "cannot be made");
    if (id >= 0) H5Dclose(id);
    H5Sclose(space), H5Pclose(links), H5Tclose(type);
    return status;
}
