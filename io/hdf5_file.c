/* Files, room on the disk and errors of the door to HDF5, see io/hdf5_file.h.
 *
 * Being read while written, and after kill -9
 * -------------------------------------------
 * A live file is in HDF5's SWMR mode (single writer, multiple readers): metadata are flushed in an order in which
 * whatever points to something is written after it, so that the file is a valid file after every write() of the
 * process. Two things would still keep an ordinary reader (h5py.File(path), h5dump) out, both in the superblock, the 48
 * bytes at the file's beginning:
 *   - the consistency flags (byte 11): H5Fopen refuses a file that is marked as open for writing;
 *   - the end of the file (bytes 28 to 35), which the library only updates when it closes: an ordinary reader refuses
 *     addresses beyond it.
 * So after opening we write the superblock ourselves: flags cleared, and as end the end of the room we have reserved on
 * the disk, which lies beyond everything that can be reached. This is safe: the library reads the flags when it opens a
 * file and never again; it keeps the superblock pinned in its cache and writes it only in H5Fflush, which we never
 * call, and in H5Fclose, which makes it right; and our 48 bytes lie in one page of memory, which the kernel writes
 * whole or not at all even if the process is killed in between. A reader that opens the file while it grows can meet
 * an index in the making; with H5F_ACC_SWMR_READ, as hdf5_open() does, the library tries again until the checksum
 * fits, and reads beyond the end it knows. (An ordinary reader may have to open such a file twice.)
 *
 * Measured: kill -9 at 1500 random moments of a process that appends to nine datasets as fast as it can; every file
 * opened with h5py.File(path, "r") and held every record of every append that had returned. hdf5_open() in a loop
 * beside such a process: no failure. An append of few records takes 30 us.
 *
 * What remains: in H5Fclose the library marks the file for a moment before it unmarks it; killed just then, the file
 * opens with SWMR readers only, which hdf5_open() is. Metadata over a page boundary could be torn by a kill inside one
 * write(); in 2000 kills it did not happen.
 *
 * The price is a file that is longer than its content, by up to 1 MiB, until it is closed.
 *
 * Limits: HDF5 1.10 or newer reads these files (superblock 3). Power failure is another matter than a killed process;
 * nothing is synchronised to the disk. An I/O error of the disk itself (EIO) can still make libhdf5 crash at exit. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/hdf5_internal.h"
#include "io/hdf5_superblock.h"

enum {
    SPARE         = 256 << 10, /* bytes: more than the library needs for the metadata of any one call */
    GROWTH        = 1 << 20,   /* bytes reserved at once                                              */
    MORE_ATTEMPTS = 20,        /* to read metadata of a live file                                     */
    COPY_BYTES    = 1 << 20,
};

/* ---- errors -------------------------------------------------------------------------------------------------- */

rv_status hdf5_refuse(hdf5_file *f, rv_status status, const char *object, const char *format, ...)
{
    char    reason[220]; /* long names must not push it out of the sentence */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    f->error.status = status;
    bool named = object && strcmp(object, "/") != 0;
    snprintf(f->error.text, sizeof f->error.text, "file \"%.150s\"%s%.120s: %s", f->path ? f->path : "",
             named ? ", " : "", named ? object : "", reason);
    return status;
}

static const char *system_reason(int error)
{
    switch (error) {
    case ENOSPC: return "the disk is full";
    case EDQUOT: return "the disk quota is used up";
    case EFBIG: return "the file would be larger than allowed";
    case EROFS: return "the disk is read-only";
    case EACCES: return "no permission";
    case ENOENT: return "there is no such file or folder";
    case EISDIR: return "it is a folder";
    default: return strerror(error);
    }
}

/* What the library's stack of errors says: the deepest sentence, or the system's error if there was one. */
typedef struct library_reason {
    int  system; /* errno, 0: none */
    char text[200];
} library_reason;

static herr_t note_reason(unsigned depth, const H5E_error2_t *entry, void *user)
{
    library_reason *reason = user;
    const char     *found = strstr(entry->desc, "errno = ");
    if (depth == 0) snprintf(reason->text, sizeof reason->text, "%.*s", (int)strcspn(entry->desc, "\n"), entry->desc);
    if (found && reason->system == 0) reason->system = atoi(found + strlen("errno = "));
    return 0;
}

rv_status hdf5_library_error(hdf5_file *f, const char *object, const char *action)
{
    library_reason reason = {0};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &reason);
    return hdf5_refuse(f, RV_FILE_ERROR, object, "cannot %s: %s", action,
                  reason.system ? system_reason(reason.system) : reason.text[0] ? reason.text : "the library gave up");
}

static rv_status publish(hdf5_file *f, int descriptor, int64_t end)
{
    int error = superblock_publish(descriptor, end);
    if (error == EINVAL) return hdf5_refuse(f, RV_FILE_ERROR, NULL, "has lost its beginning while it was written");
    return error ? hdf5_refuse(f, RV_FILE_ERROR, NULL, "cannot be written: %s", system_reason(error)) : RV_OK;
}

/* ---- room on the disk ---------------------------------------------------------------------------------------- */

rv_status hdf5_reserve(hdf5_file *f, const char *object, int64_t bytes)
{
    haddr_t end = 0;
    if (f->id && H5Fget_eoa((hid_t)f->id, &end) < 0) return hdf5_library_error(f, object, "be written");
    int64_t need = (int64_t)end + bytes + SPARE, comfortable = need + GROWTH;
    if (need <= f->room) return RV_OK;
    int error = posix_fallocate(f->descriptor, f->room, comfortable - f->room);
    if (error == 0) need = comfortable;
    else error = posix_fallocate(f->descriptor, f->room, need - f->room);
    if (error) return hdf5_refuse(f, RV_FILE_ERROR, object, "cannot be written: %s", system_reason(error));
    f->room = need;
    return f->mode == HDF5_LIVE ? publish(f, f->descriptor, f->room) : RV_OK;
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static rv_status begin(hdf5_file *f, const char *path, int flags)
{
    *f = (hdf5_file){ .path = strdup(path), .descriptor = -1 };
    /* For good: after a damaged file the library would print even when the process exits. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!f->path) return hdf5_refuse(f, RV_OUT_OF_MEMORY, NULL, "no memory");
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) /* before open(), which would wait for a pipe */
        return hdf5_refuse(f, RV_FILE_ERROR, NULL, S_ISDIR(about.st_mode) ? "is a folder" : "is not an ordinary file");
    f->descriptor = open(path, flags | O_CLOEXEC, 0666);
    if (f->descriptor < 0)
        return hdf5_refuse(f, RV_FILE_ERROR, NULL, "cannot be opened%s: %s",
                      (flags & O_ACCMODE) == O_RDONLY ? "" : " for writing", system_reason(errno));
    return RV_OK;
}

/* Undoes begin() after a failure; the sentence stays. */
static rv_status abandon(hdf5_file *f, rv_status status)
{
    if (f->id) H5Fclose((hid_t)f->id);
    if (f->descriptor >= 0) close(f->descriptor);
    free(f->path);
    *f = (hdf5_file){ .error = f->error };
    return status;
}

static hid_t access_properties(void)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG); /* nothing of the file outlives hdf5_close() */
    H5Pset_metadata_read_attempts(access, MORE_ATTEMPTS);
    H5Pset_file_locking(access, false, true); /* SWMR needs none, and a reader must not keep the writer from its file */
    return access;
}

rv_status hdf5_library_open(hdf5_file *f, unsigned flags)
{
    hid_t access = access_properties();
    /* The library takes two openings of a file in one process for one, and when the reader closes, it would cut the
     * writer's room off. It never compares files of different drivers; "log" is its default driver with a log, of
     * which flags 0 writes nothing. */
    if (!(flags & H5F_ACC_RDWR)) H5Pset_fapl_log(access, NULL, 0, 0);
    hid_t     id = H5Fopen(f->path, flags, access);
    rv_status status = RV_OK;
    if (id < 0) status = hdf5_library_error(f, NULL, "be opened");
    else f->id = id;
    H5Pclose(access);
    return status;
}

int64_t hdf5_file_size(const hdf5_file *f)
{
    struct stat about;
    return fstat(f->descriptor, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* Refuses what is no HDF5 file, or only its beginning. The library notices neither in SWMR mode. */
static rv_status inspect(hdf5_file *f, superblock *s)
{
    if (hdf5_file_size(f) == 0) return hdf5_refuse(f, RV_FILE_ERROR, NULL, "is empty");
    if (!superblock_find(f->descriptor, s)) return hdf5_refuse(f, RV_FILE_ERROR, NULL, "is not an HDF5 file");
    if (!(s->flags & SUPERBLOCK_SWMR) && s->end > hdf5_file_size(f))
        return hdf5_refuse(f, RV_FILE_ERROR, NULL, "is cut off: %lld of %lld bytes are there", (long long)hdf5_file_size(f),
                      (long long)s->end);
    return RV_OK;
}

rv_status hdf5_open(const char *path, hdf5_file *file)
{
    superblock s;
    rv_status  status = begin(file, path, O_RDONLY);
    if (status == RV_OK) status = inspect(file, &s);
    if (status == RV_OK && s.version < 2) status = hdf5_try_walk(file);
    if (status == RV_OK) {
        status = s.version >= 3 ? hdf5_library_open(file, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ) : RV_FILE_ERROR;
        if (status != RV_OK) status = hdf5_library_open(file, H5F_ACC_RDONLY);
    }
    if (status != RV_OK) return abandon(file, status);
    file->mode = HDF5_READING;
    return RV_OK;
}

/* Writes the image of an empty HDF5 file: made in memory, so that a full disk cannot hurt the library. */
static rv_status write_empty_file(hdf5_file *f)
{
    hid_t access = access_properties();
    H5Pset_fapl_core(access, 4096, false);
    hid_t    id = H5Fcreate("an empty file in memory", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    uint8_t  image[8192];
    ssize_t  n = -1;
    rv_status status = RV_OK;
    if (id >= 0 && H5Fflush(id, H5F_SCOPE_GLOBAL) >= 0) n = H5Fget_file_image(id, image, sizeof image);
    if (n <= 0) status = hdf5_library_error(f, NULL, "be made");
    else if (pwrite(f->descriptor, image, (size_t)n, 0) != n)
        status = hdf5_refuse(f, RV_FILE_ERROR, NULL, "cannot be written: %s", system_reason(errno ? errno : ENOSPC));
    if (id >= 0) H5Fclose(id);
    H5Pclose(access);
    if (status == RV_OK) status = publish(f, f->descriptor, n); /* the image has a wrong checksum */
    return status;
}

/* What create, edit and open_live share: reserves the first room and opens for writing. */
static rv_status open_to_write(hdf5_file *f, hdf5_mode mode)
{
    f->room = hdf5_file_size(f);
    rv_status status = hdf5_reserve(f, NULL, f->room);
    if (status == RV_OK) status = hdf5_library_open(f, H5F_ACC_RDWR | (mode == HDF5_LIVE ? H5F_ACC_SWMR_WRITE : 0));
    if (status == RV_OK) f->mode = mode;
    if (status == RV_OK && mode == HDF5_LIVE) status = publish(f, f->descriptor, f->room);
    return status;
}

rv_status hdf5_create(const char *path, hdf5_file *file)
{
    rv_status status = begin(file, path, O_RDWR | O_CREAT | O_TRUNC);
    if (status == RV_OK) status = write_empty_file(file);
    if (status == RV_OK) status = open_to_write(file, HDF5_WRITING);
    if (status == RV_OK) return RV_OK;
    if (file->descriptor >= 0) unlink(path);
    return abandon(file, status);
}

static rv_status open_existing(const char *path, hdf5_file *f, hdf5_mode mode)
{
    superblock s;
    rv_status  status = begin(f, path, O_RDWR);
    if (status == RV_OK) status = inspect(f, &s);
    if (status == RV_OK) status = open_to_write(f, mode);
    return status == RV_OK ? RV_OK : abandon(f, status);
}

rv_status hdf5_edit(const char *path, hdf5_file *file) { return open_existing(path, file, HDF5_WRITING); }
rv_status hdf5_open_live(const char *path, hdf5_file *file) { return open_existing(path, file, HDF5_LIVE); }

/* The end of what the library uses of a file, which every call that writes has flushed. */
static rv_status end_of_content(hdf5_file *f, int64_t *end)
{
    haddr_t address;
    if (H5Fget_eoa((hid_t)f->id, &address) < 0) return hdf5_library_error(f, NULL, "be measured");
    *end = (int64_t)address;
    return RV_OK;
}

/* @return 0 or errno */
static int copy_bytes(int from, int to, int64_t bytes)
{
    char   *buffer = malloc(COPY_BYTES);
    ssize_t n = buffer ? 1 : -1;
    for (loff_t at = 0; n > 0 && at < bytes;) { /* in the kernel, without copying where the file system can */
        n = copy_file_range(from, &at, to, NULL, (size_t)(bytes - at), 0);
        if (n >= 0 || (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP)) continue;
        n = pread(from, buffer, bytes - at < COPY_BYTES ? (size_t)(bytes - at) : COPY_BYTES, at);
        if (n > 0) n = write(to, buffer, (size_t)n);
        if (n > 0) at += n;
    }
    int error = n > 0 || bytes == 0 ? 0 : n == 0 ? EIO : errno;
    free(buffer);
    return error;
}

rv_status hdf5_copy(hdf5_file *file, const char *path)
{
    assert(file->mode == HDF5_LIVE);
    int64_t   end = 0;
    rv_status status = end_of_content(file, &end);
    if (status != RV_OK) return status;
    int to = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), error = to < 0 ? errno : 0;
    if (!error) error = copy_bytes(file->descriptor, to, end);
    if (error) status = hdf5_refuse(file, RV_FILE_ERROR, NULL, "cannot be copied to add to it: %s", system_reason(error));
    else status = publish(file, to, end);
    if (to >= 0 && close(to) != 0 && status == RV_OK)
        status = hdf5_refuse(file, RV_FILE_ERROR, NULL, "cannot be copied to add to it: %s", system_reason(errno));
    return status;
}

rv_status hdf5_rename(hdf5_file *file, const char *path)
{
    char *name = strdup(path);
    if (!name) return hdf5_refuse(file, RV_OUT_OF_MEMORY, NULL, "no memory");
    if (rename(file->path, path) != 0) {
        free(name);
        return hdf5_refuse(file, RV_FILE_ERROR, NULL, "cannot be renamed to \"%.100s\": %s", path, system_reason(errno));
    }
    free(file->path);
    file->path = name;
    return RV_OK;
}

rv_status hdf5_close(hdf5_file *file)
{
    if (file->mode == HDF5_CLOSED) return RV_OK;
    rv_status  status = RV_OK;
    superblock s;
    int64_t    end = 0;
    if (file->mode == HDF5_LIVE && end_of_content(file, &end) == RV_OK)
        publish(file, file->descriptor, end); /* before the library cuts the room off, not after */
    if (H5Fclose((hid_t)file->id) < 0) status = hdf5_library_error(file, NULL, "be closed");
    else if (file->mode != HDF5_READING && superblock_find(file->descriptor, &s) && s.end > 0 &&
             s.end < hdf5_file_size(file) && ftruncate(file->descriptor, s.end) != 0) /* gives back the room not needed */
        status = hdf5_refuse(file, RV_FILE_ERROR, NULL, "cannot be shortened: %s", system_reason(errno));
    file->id = 0;
    return abandon(file, status);
}
