/* The one door to HDF5, see hdf5_file.h.
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
#include "io/hdf5_file.h"
#include "io/hdf5_superblock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    SPARE       = 256 << 10, /* bytes: more than the library needs for the metadata of any one call           */
    GROWTH      = 1 << 20,   /* bytes reserved at once                                                        */
    CHUNK_BYTES = 64 << 10,  /* of a dataset that grows: read or written as one piece                         */
    MAX_CHUNK_COLUMNS = 1 << 16,
    MAX_ATTRIBUTE     = 64000, /* bytes: HDF5 stops at 64 KB                                                  */
    MAX_RATIO         = 1100,  /* of compression: deflate cannot do better than 1032                          */
    ALWAYS_PLAUSIBLE  = 1 << 20, /* bytes that a dataset may claim whatever the file holds (values never set) */
    MORE_ATTEMPTS     = 20,    /* to read metadata of a live file                                             */
    COPY_BYTES        = 1 << 20,
    TRIAL_SECONDS     = 10,    /* of CPU time that looking through a file's structure may take                */
};

/* ---- errors -------------------------------------------------------------------------------------------------- */

static rv_status __attribute__((format(printf, 4, 5)))
refuse(hdf5_file *f, rv_status status, const char *object, const char *format, ...)
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

/* To be called right after the call that failed: the library forgets its errors at the next one. */
static rv_status library_error(hdf5_file *f, const char *object, const char *action)
{
    library_reason reason = {0};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, note_reason, &reason);
    return refuse(f, RV_FILE_ERROR, object, "cannot %s: %s", action,
                  reason.system ? system_reason(reason.system) : reason.text[0] ? reason.text : "the library gave up");
}

static rv_status out_of_memory(hdf5_file *f, const char *object, int64_t bytes)
{
    return refuse(f, RV_OUT_OF_MEMORY, object, "no memory for its %.1f MB", (double)bytes / 1e6);
}

static rv_status publish(hdf5_file *f, int descriptor, int64_t end)
{
    int error = superblock_publish(descriptor, end);
    if (error == EINVAL) return refuse(f, RV_FILE_ERROR, NULL, "has lost its beginning while it was written");
    return error ? refuse(f, RV_FILE_ERROR, NULL, "cannot be written: %s", system_reason(error)) : RV_OK;
}

/* ---- room on the disk ---------------------------------------------------------------------------------------- */

/* Has the disk grant room for so many more bytes, and for the library's own needs, before anything is written. */
static rv_status reserve(hdf5_file *f, const char *object, int64_t bytes)
{
    haddr_t end = 0;
    if (f->id && H5Fget_eoa((hid_t)f->id, &end) < 0) return library_error(f, object, "be written");
    int64_t need = (int64_t)end + bytes + SPARE, comfortable = need + GROWTH;
    if (need <= f->room) return RV_OK;
    int error = posix_fallocate(f->descriptor, f->room, comfortable - f->room);
    if (error == 0) need = comfortable;
    else error = posix_fallocate(f->descriptor, f->room, need - f->room);
    if (error) return refuse(f, RV_FILE_ERROR, object, "cannot be written: %s", system_reason(error));
    f->room = need;
    return f->mode == HDF5_LIVE ? publish(f, f->descriptor, f->room) : RV_OK;
}

/* ---- files --------------------------------------------------------------------------------------------------- */

static rv_status begin(hdf5_file *f, const char *path, int flags)
{
    *f = (hdf5_file){ .path = strdup(path), .descriptor = -1 };
    /* For good: after a damaged file the library would print even when the process exits. */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (!f->path) return refuse(f, RV_OUT_OF_MEMORY, NULL, "no memory");
    struct stat about;
    if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) /* before open(), which would wait for a pipe */
        return refuse(f, RV_FILE_ERROR, NULL, S_ISDIR(about.st_mode) ? "is a folder" : "is not an ordinary file");
    f->descriptor = open(path, flags | O_CLOEXEC, 0666);
    if (f->descriptor < 0)
        return refuse(f, RV_FILE_ERROR, NULL, "cannot be opened%s: %s",
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

static rv_status library_open(hdf5_file *f, unsigned flags)
{
    hid_t access = access_properties();
    /* The library takes two openings of a file in one process for one, and when the reader closes, it would cut the
     * writer's room off. It never compares files of different drivers; "log" is its default driver with a log, of
     * which flags 0 writes nothing. */
    if (!(flags & H5F_ACC_RDWR)) H5Pset_fapl_log(access, NULL, 0, 0);
    hid_t     id = H5Fopen(f->path, flags, access);
    rv_status status = RV_OK;
    if (id < 0) status = library_error(f, NULL, "be opened");
    else f->id = id;
    H5Pclose(access);
    return status;
}

static int64_t file_size(const hdf5_file *f)
{
    struct stat about;
    return fstat(f->descriptor, &about) == 0 ? (int64_t)about.st_size : 0;
}

/* Refuses what is no HDF5 file, or only its beginning. The library notices neither in SWMR mode. */
static rv_status inspect(hdf5_file *f, superblock *s)
{
    if (file_size(f) == 0) return refuse(f, RV_FILE_ERROR, NULL, "is empty");
    if (!superblock_find(f->descriptor, s)) return refuse(f, RV_FILE_ERROR, NULL, "is not an HDF5 file");
    if (!(s->flags & SUPERBLOCK_SWMR) && s->end > file_size(f))
        return refuse(f, RV_FILE_ERROR, NULL, "is cut off: %lld of %lld bytes are there", (long long)file_size(f),
                      (long long)s->end);
    return RV_OK;
}

static bool attribute_as_text(hid_t id, char *text, size_t size); /* below, with the attributes */

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *about, void *user)
{
    (void)about, (void)user;
    char  text[64];
    hid_t id = H5Aopen(object, name, H5P_DEFAULT);
    if (id >= 0) attribute_as_text(id, text, sizeof text), H5Aclose(id);
    return 0;
}

static herr_t visit_object(hid_t root, const char *name, const H5O_info_t *about, void *user)
{
    (void)about, (void)user;
    hid_t id = H5Oopen(root, name, H5P_DEFAULT);
    if (id < 0) return 0;
    if (H5Iget_type(id) == H5I_DATASET) H5Dget_storage_size(id); /* walks the index of its pieces */
    H5Aiterate2(id, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, NULL);
    H5Oclose(id);
    return 0;
}

static void visit_everything(hdf5_file *f)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    setrlimit(RLIMIT_CPU, &(struct rlimit){ TRIAL_SECONDS, TRIAL_SECONDS });
    if (library_open(f, H5F_ACC_RDONLY) == RV_OK)
        H5Ovisit2((hid_t)f->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, NULL, H5O_INFO_BASIC);
    _exit(0);
}

/* libhdf5 1.10 crashes on some damaged files (about one in 300 with a few wrong bits in their structure). In files of
 * the newer formats checksums protect it. Files of the old ones, which most of the field writes, are first walked
 * through by a child process: better that dies than we. */
static rv_status try_in_child(hdf5_file *f)
{
    int   how = 0;
    pid_t child = fork();
    if (child == 0) visit_everything(f);
    while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR) {}
    if (child < 0 || !WIFSIGNALED(how)) return RV_OK;
    return refuse(f, RV_FILE_ERROR, NULL, "is damaged: the HDF5 library crashes or never ends");
}

rv_status hdf5_open(const char *path, hdf5_file *file)
{
    superblock s;
    rv_status  status = begin(file, path, O_RDONLY);
    if (status == RV_OK) status = inspect(file, &s);
    if (status == RV_OK && s.version < 2) status = try_in_child(file);
    if (status == RV_OK) {
        status = s.version >= 3 ? library_open(file, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ) : RV_FILE_ERROR;
        if (status != RV_OK) status = library_open(file, H5F_ACC_RDONLY);
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
    if (n <= 0) status = library_error(f, NULL, "be made");
    else if (pwrite(f->descriptor, image, (size_t)n, 0) != n)
        status = refuse(f, RV_FILE_ERROR, NULL, "cannot be written: %s", system_reason(errno ? errno : ENOSPC));
    if (id >= 0) H5Fclose(id);
    H5Pclose(access);
    if (status == RV_OK) status = publish(f, f->descriptor, n); /* the image has a wrong checksum */
    return status;
}

/* What create, edit and open_live share: reserves the first room and opens for writing. */
static rv_status open_to_write(hdf5_file *f, hdf5_mode mode)
{
    f->room = file_size(f);
    rv_status status = reserve(f, NULL, f->room);
    if (status == RV_OK) status = library_open(f, H5F_ACC_RDWR | (mode == HDF5_LIVE ? H5F_ACC_SWMR_WRITE : 0));
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
    if (H5Fget_eoa((hid_t)f->id, &address) < 0) return library_error(f, NULL, "be measured");
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
    if (error) status = refuse(file, RV_FILE_ERROR, NULL, "cannot be copied to add to it: %s", system_reason(error));
    else status = publish(file, to, end);
    if (to >= 0 && close(to) != 0 && status == RV_OK)
        status = refuse(file, RV_FILE_ERROR, NULL, "cannot be copied to add to it: %s", system_reason(errno));
    return status;
}

rv_status hdf5_rename(hdf5_file *file, const char *path)
{
    char *name = strdup(path);
    if (!name) return refuse(file, RV_OUT_OF_MEMORY, NULL, "no memory");
    if (rename(file->path, path) != 0) {
        free(name);
        return refuse(file, RV_FILE_ERROR, NULL, "cannot be renamed to \"%.100s\": %s", path, system_reason(errno));
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
    if (H5Fclose((hid_t)file->id) < 0) status = library_error(file, NULL, "be closed");
    else if (file->mode != HDF5_READING && superblock_find(file->descriptor, &s) && s.end > 0 &&
             s.end < file_size(file) && ftruncate(file->descriptor, s.end) != 0) /* gives back the room not needed */
        status = refuse(file, RV_FILE_ERROR, NULL, "cannot be shortened: %s", system_reason(errno));
    file->id = 0;
    return abandon(file, status);
}

/* ---- what is there ------------------------------------------------------------------------------------------- */

/* Whether the file denies that there is such a thing, step by step from the root: what is damaged may be there. */
static bool is_absent(hdf5_file *f, const char *object)
{
    hdf5_path at;
    snprintf(at.path, sizeof at.path, "%s", object);
    for (char *slash = strchr(at.path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        htri_t exists = H5Lexists((hid_t)f->id, at.path, H5P_DEFAULT);
        *slash = '/';
        if (exists <= 0) return exists == 0;
    }
    return H5Lexists((hid_t)f->id, at.path, H5P_DEFAULT) == 0;
}

hdf5_kind hdf5_kind_of(hdf5_file *file, const char *object)
{
    H5O_info_t about;
    if (H5Oget_info_by_name2((hid_t)file->id, object, &about, H5O_INFO_BASIC, H5P_DEFAULT) < 0)
        return is_absent(file, object) ? HDF5_NOTHING : HDF5_OTHER;
    return about.type == H5O_TYPE_GROUP ? HDF5_GROUP : about.type == H5O_TYPE_DATASET ? HDF5_DATASET : HDF5_OTHER;
}

bool hdf5_has_attribute(hdf5_file *file, const char *object, const char *name)
{
    return H5Aexists_by_name((hid_t)file->id, object, name, H5P_DEFAULT) > 0;
}

static herr_t add_name(hdf5_names *names, const char *name)
{
    char **longer = realloc(names->name, (size_t)(names->n + 1) * sizeof *longer);
    if (!longer) return -1;
    names->name = longer;
    names->name[names->n] = strdup(name);
    return names->name[names->n] ? (names->n++, 0) : -1;
}

static herr_t add_link(hid_t group, const char *name, const H5L_info_t *about, void *names)
{
    (void)group, (void)about;
    return add_name(names, name);
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *about, void *names)
{
    (void)object, (void)about;
    return add_name(names, name);
}

rv_status hdf5_list(hdf5_file *file, const char *group, hdf5_names *names)
{
    *names = (hdf5_names){0};
    rv_status status = RV_OK;
    unsigned  order = 0;
    hid_t     id = H5Gopen2((hid_t)file->id, group, H5P_DEFAULT);
    if (id < 0) return library_error(file, group, "be opened");
    hid_t made = H5Gget_create_plist(id);
    if (made >= 0) H5Pget_link_creation_order(made, &order), H5Pclose(made);
    H5_index_t by = order & H5P_CRT_ORDER_INDEXED ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    if (H5Literate(id, by, H5_ITER_INC, NULL, add_link, names) < 0) status = library_error(file, group, "be listed");
    H5Gclose(id);
    if (status != RV_OK) hdf5_names_free(names);
    return status;
}

rv_status hdf5_list_attributes(hdf5_file *file, const char *object, hdf5_names *names)
{
    *names = (hdf5_names){0};
    if (H5Aiterate_by_name((hid_t)file->id, object, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, names,
                           H5P_DEFAULT) >= 0)
        return RV_OK;
    rv_status status = library_error(file, object, "list its attributes");
    hdf5_names_free(names);
    return status;
}

void hdf5_names_free(hdf5_names *names)
{
    for (int i = 0; i < names->n; i++) free(names->name[i]);
    free(names->name);
    *names = (hdf5_names){0};
}

hdf5_path hdf5_at(const char *group, const char *name)
{
    hdf5_path at;
    snprintf(at.path, sizeof at.path, "%s/%s", strcmp(group, "/") == 0 ? "" : group, name);
    return at;
}

/* ---- types --------------------------------------------------------------------------------------------------- */

static hid_t memory_type(hdf5_type type)
{
    switch (type) {
    case HDF5_U8: return H5T_NATIVE_UINT8;
    case HDF5_U16: return H5T_NATIVE_UINT16;
    case HDF5_I32: return H5T_NATIVE_INT32;
    case HDF5_U32: return H5T_NATIVE_UINT32;
    case HDF5_I64: return H5T_NATIVE_INT64;
    case HDF5_U64: return H5T_NATIVE_UINT64;
    case HDF5_F32: return H5T_NATIVE_FLOAT;
    case HDF5_F64: return H5T_NATIVE_DOUBLE;
    }
    assert(!"a type");
    return -1;
}

static hid_t file_type(hdf5_type type)
{
    switch (type) {
    case HDF5_U8: return H5T_STD_U8LE;
    case HDF5_U16: return H5T_STD_U16LE;
    case HDF5_I32: return H5T_STD_I32LE;
    case HDF5_U32: return H5T_STD_U32LE;
    case HDF5_I64: return H5T_STD_I64LE;
    case HDF5_U64: return H5T_STD_U64LE;
    case HDF5_F32: return H5T_IEEE_F32LE;
    case HDF5_F64: return H5T_IEEE_F64LE;
    }
    assert(!"a type");
    return -1;
}

static int64_t size_of(hdf5_type type)
{
    static const int8_t bytes[] = { [HDF5_U8] = 1,  [HDF5_U16] = 2, [HDF5_I32] = 4, [HDF5_U32] = 4,
                                    [HDF5_I64] = 8, [HDF5_U64] = 8, [HDF5_F32] = 4, [HDF5_F64] = 8 };
    return bytes[type];
}

/* A UTF-8 string of so many bytes. */
static hid_t string_type(size_t bytes)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, bytes ? bytes : 1);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* ---- structure ----------------------------------------------------------------------------------------------- */

static hid_t link_properties(void)
{
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    H5Pset_create_intermediate_group(links, 1);
    H5Pset_char_encoding(links, H5T_CSET_UTF8);
    return links;
}

rv_status hdf5_make_group(hdf5_file *file, const char *group)
{
    if (hdf5_kind_of(file, group) == HDF5_GROUP) return RV_OK;
    rv_status status = reserve(file, group, 0);
    if (status != RV_OK) return status;
    hid_t links = link_properties(), how = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(how, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    hid_t id = H5Gcreate2((hid_t)file->id, group, links, how, H5P_DEFAULT);
    if (id < 0) status = library_error(file, group, "be made");
    else H5Gclose(id);
    H5Pclose(how), H5Pclose(links);
    return status;
}

rv_status hdf5_link(hdf5_file *file, const char *object, const char *name)
{
    rv_status status = reserve(file, name, 0);
    if (status != RV_OK) return status;
    hid_t links = link_properties();
    if (H5Lcreate_hard((hid_t)file->id, object, H5L_SAME_LOC, name, links, H5P_DEFAULT) < 0)
        status = library_error(file, name, "be made");
    H5Pclose(links);
    return status;
}

/* ---- attributes: writing ------------------------------------------------------------------------------------- */

/* Sets an attribute; one of another type or size is replaced, which a live file does not allow. */
static rv_status set_attribute(hdf5_file *f, const char *object, const char *name, hid_t stored, hid_t type,
                               hid_t space, const void *values)
{
    rv_status status = reserve(f, object, 0);
    if (status != RV_OK) return status;
    hid_t owner = H5Oopen((hid_t)f->id, object, H5P_DEFAULT);
    if (owner < 0) return library_error(f, object, "be opened");
    bool  exists = H5Aexists(owner, name) > 0;
    hid_t id = -1;
    assert(exists || f->mode != HDF5_LIVE);
    if (exists && f->mode != HDF5_LIVE) H5Adelete(owner, name), exists = false;
    id = exists ? H5Aopen(owner, name, H5P_DEFAULT) : H5Acreate2(owner, name, stored, space, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0 || H5Awrite(id, type, values) < 0) status = library_error(f, object, "set an attribute");
    if (id >= 0) H5Aclose(id);
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Oflush(owner) < 0)
        status = library_error(f, object, "be written");
    H5Oclose(owner);
    return status;
}

rv_status hdf5_set_text(hdf5_file *file, const char *object, const char *name, const char *text)
{
    size_t n = strlen(text);
    if (n > MAX_ATTRIBUTE)
        return refuse(file, RV_OUT_OF_RANGE, object, "attribute %s has %zu bytes, allowed are %d", name, n,
                      MAX_ATTRIBUTE);
    hid_t     type = string_type(n), space = H5Screate(H5S_SCALAR);
    rv_status status = set_attribute(file, object, name, type, type, space, text);
    H5Sclose(space), H5Tclose(type);
    return status;
}

rv_status hdf5_set_numbers(hdf5_file *file, const char *object, const char *name, hdf5_type type, const void *values,
                           int n)
{
    hsize_t   length = (hsize_t)n;
    hid_t     space = n ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_SCALAR);
    rv_status status = set_attribute(file, object, name, file_type(type), memory_type(type), space, values);
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

/* The first string of an attribute or dataset, in new memory; NULL if it cannot be read. */
static char *load_string(hid_t id, bool attribute)
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

static bool attribute_as_text(hid_t id, char *text, size_t size)
{
    hid_t type = H5Aget_type(id);
    bool  done = false;
    char *string;
    switch (H5Tget_class(type)) {
    case H5T_STRING:
        string = load_string(id, true);
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
    return refuse(f, RV_UNKNOWN_NAME, object, "has no attribute \"%s\"", name);
}

rv_status hdf5_get_text(hdf5_file *file, const char *object, const char *name, char *text, size_t size)
{
    text[0] = 0;
    hid_t id = H5Aopen_by_name((hid_t)file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) return no_attribute(file, object, name);
    bool done = attribute_as_text(id, text, size);
    H5Aclose(id);
    return done ? RV_OK : refuse(file, RV_FILE_ERROR, object, "attribute \"%s\" cannot be read", name);
}

static rv_status get_number(hdf5_file *f, const char *object, const char *name, hid_t type, void *value)
{
    hid_t id = H5Aopen_by_name((hid_t)f->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (id < 0) return no_attribute(f, object, name);
    hid_t space = H5Aget_space(id);
    bool  done = H5Sget_simple_extent_npoints(space) == 1 && H5Aread(id, type, value) >= 0;
    H5Sclose(space), H5Aclose(id);
    return done ? RV_OK : refuse(f, RV_FILE_ERROR, object, "attribute \"%s\" is not a number", name);
}

rv_status hdf5_get_int(hdf5_file *file, const char *object, const char *name, int64_t *value)
{
    return get_number(file, object, name, H5T_NATIVE_INT64, value);
}

rv_status hdf5_get_double(hdf5_file *file, const char *object, const char *name, double *value)
{
    return get_number(file, object, name, H5T_NATIVE_DOUBLE, value);
}

/* ---- datasets: reading --------------------------------------------------------------------------------------- */

static rv_status open_dataset(hdf5_file *f, const char *dataset, hid_t *id)
{
    *id = H5Dopen2((hid_t)f->id, dataset, H5P_DEFAULT);
    if (*id >= 0) return RV_OK;
    rv_status status = library_error(f, dataset, "be opened");
    return is_absent(f, dataset) ? refuse(f, RV_FILE_ERROR, dataset, "there is no such dataset") : status;
}

static rv_status read_extent(hdf5_file *f, const char *dataset, hid_t id, hdf5_shape *shape)
{
    *shape = (hdf5_shape){0};
    hid_t   space = H5Dget_space(id);
    hsize_t n[H5S_MAX_RANK] = {0};
    int     rank = H5Sget_simple_extent_ndims(space);
    bool    null = H5Sget_simple_extent_type(space) == H5S_NULL;
    if (rank > 0 && rank <= HDF5_MAX_RANK) H5Sget_simple_extent_dims(space, n, NULL);
    H5Sclose(space);
    if (rank < 0 || rank > HDF5_MAX_RANK)
        return refuse(f, RV_FILE_ERROR, dataset, "has %d axes, at most %d are read", rank, HDF5_MAX_RANK);
    shape->rank = rank;
    shape->count = null ? 0 : 1;
    for (int i = 0; i < rank; i++) {
        shape->n[i] = (int64_t)n[i];
        if (n[i] > INT64_MAX || __builtin_mul_overflow(shape->count, shape->n[i], &shape->count))
            return refuse(f, RV_FILE_ERROR, dataset, "claims more values than there are numbers");
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
    if (stored <= (double)file_size(f) && bytes <= ALWAYS_PLAUSIBLE + stored * (filtered ? MAX_RATIO : 1)) return RV_OK;
    return refuse(f, RV_FILE_ERROR, dataset, "is damaged: it claims %lld values and holds %.0f bytes",
                  (long long)count, stored);
}

static rv_status shape_of(hdf5_file *f, const char *dataset, hid_t id, hdf5_shape *shape)
{
    rv_status status = read_extent(f, dataset, id, shape);
    return status == RV_OK ? check_plausible(f, dataset, id, shape->count) : status;
}

rv_status hdf5_shape_of(hdf5_file *file, const char *dataset, hdf5_shape *shape)
{
    hid_t     id;
    rv_status status = open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, shape);
    if (id >= 0) H5Dclose(id);
    return status;
}

/* The part of a dataset's space that rows first .. first + rows - 1 take; -1 if it has not so many. */
static hid_t select_rows(hid_t id, const hdf5_shape *shape, int64_t first, int64_t rows)
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
    hid_t space = select_rows(id, shape, first, rows);
    if (space < 0)
        return refuse(f, RV_OUT_OF_RANGE, dataset, "has no rows %lld to %lld", (long long)first,
                      (long long)(first + rows - 1));
    rv_status status = RV_OK;
    hsize_t   n = (hsize_t)H5Sget_select_npoints(space);
    if (shape->count > 0 && n > 0) {
        hid_t memory = H5Screate_simple(1, &n, NULL);
        if (H5Dread(id, memory_type(type), memory, space, H5P_DEFAULT, values) < 0)
            status = library_error(f, dataset, "be read");
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
    rv_status  status = open_dataset(file, dataset, &id);
    if (status == RV_OK) status = read_extent(file, dataset, id, &shape);
    if (status == RV_OK) status = read_rows(file, dataset, id, &shape, type, first, rows, values);
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_load(hdf5_file *file, const char *dataset, hdf5_type type, void **values, hdf5_shape *shape)
{
    *values = NULL;
    hid_t      id;
    hdf5_shape found = {0};
    rv_status  status = open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, &found);
    if (status == RV_OK) {
        *values = calloc((size_t)found.count + 1, (size_t)size_of(type));
        if (!*values) status = out_of_memory(file, dataset, found.count * size_of(type));
    }
    if (status == RV_OK)
        status = read_rows(file, dataset, id, &found, type, 0, found.rank ? found.n[0] : found.count, *values);
    if (id >= 0) H5Dclose(id);
    if (status != RV_OK) free(*values), *values = NULL;
    if (shape) *shape = found;
    return status;
}

rv_status hdf5_load_text(hdf5_file *file, const char *dataset, char **text)
{
    *text = NULL;
    hid_t      id;
    hdf5_shape shape;
    rv_status  status = open_dataset(file, dataset, &id);
    if (status == RV_OK) status = shape_of(file, dataset, id, &shape);
    if (status == RV_OK) {
        hid_t type = H5Dget_type(id);
        if (H5Tget_class(type) == H5T_STRING) *text = load_string(id, false);
        if (!*text) status = refuse(file, RV_FILE_ERROR, dataset, "is not a text that can be read");
        H5Tclose(type);
    }
    if (id >= 0) H5Dclose(id);
    return status;
}

/* ---- datasets: writing --------------------------------------------------------------------------------------- */

static rv_status make_dataset(hdf5_file *f, const char *dataset, hid_t type, hid_t space, hid_t how, hid_t *id)
{
    hid_t links = link_properties();
    *id = H5Dcreate2((hid_t)f->id, dataset, type, space, links, how, H5P_DEFAULT);
    rv_status status = *id < 0 ? library_error(f, dataset, "be made") : RV_OK;
    H5Pclose(links);
    return status;
}

/* A dataset [0] or [0][columns] that grows, in pieces of about CHUNK_BYTES: all columns of some rows, or, if a row is
 * very long, equal parts of it. */
static rv_status make_growing(hdf5_file *f, const char *dataset, hdf5_type type, int rank, int64_t columns)
{
    assert(f->mode == HDF5_WRITING);
    rv_status status = reserve(f, dataset, 0);
    if (status != RV_OK) return status;
    int64_t width = columns > 0 ? columns : 1, parts = (width + MAX_CHUNK_COLUMNS - 1) / MAX_CHUNK_COLUMNS;
    int64_t part = (width + parts - 1) / parts, rows = CHUNK_BYTES / (part * size_of(type));
    hsize_t n[2] = { 0, (hsize_t)columns }, most[2] = { H5S_UNLIMITED, (hsize_t)width };
    hsize_t chunk[2] = { (hsize_t)(rows > 0 ? rows : 1), (hsize_t)part };
    hid_t   space = H5Screate_simple(rank, n, most), how = H5Pcreate(H5P_DATASET_CREATE), id = -1;
    H5Pset_chunk(how, rank, chunk);
    status = make_dataset(f, dataset, file_type(type), space, how, &id);
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
    rv_status  status = read_extent(f, dataset, id, &shape);
    if (status != RV_OK) return status;
    assert(shape.rank > 0);
    status = reserve(f, dataset, bytes_of_rows(id, &shape, rows));
    if (status != RV_OK) return status;
    hsize_t n[HDF5_MAX_RANK];
    int64_t first = shape.n[0];
    shape.n[0] += rows;
    for (int i = 0; i < shape.rank; i++) n[i] = (hsize_t)shape.n[i];
    if (H5Dset_extent(id, n) < 0) return library_error(f, dataset, "grow");
    hid_t   space = select_rows(id, &shape, first, rows);
    hsize_t count = (hsize_t)H5Sget_select_npoints(space);
    hid_t   memory = H5Screate_simple(1, &count, NULL);
    if (count > 0 && H5Dwrite(id, memory_type(type), memory, space, H5P_DEFAULT, values) < 0)
        status = library_error(f, dataset, "be written");
    H5Sclose(memory), H5Sclose(space);
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Dflush(id) < 0) status = library_error(f, dataset, "be written");
    return status;
}

rv_status hdf5_append(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int64_t rows)
{
    hid_t     id;
    rv_status status = open_dataset(file, dataset, &id);
    if (status == RV_OK && rows > 0) status = append_rows(file, dataset, id, type, values, rows);
    if (id >= 0) H5Dclose(id);
    return status;
}

/* Opens or makes the dataset that hdf5_write() and hdf5_write_text() fill. */
static rv_status open_to_fill(hdf5_file *f, const char *dataset, hid_t type, hid_t space, hid_t *id)
{
    if (hdf5_kind_of(f, dataset) != HDF5_NOTHING) return open_dataset(f, dataset, id);
    assert(f->mode == HDF5_WRITING);
    return make_dataset(f, dataset, type, space, H5P_DEFAULT, id);
}

static rv_status fill_dataset(hdf5_file *f, const char *dataset, hid_t stored, hid_t type, hid_t space,
                              const void *values)
{
    hid_t     id = -1;
    int64_t   count = H5Sget_simple_extent_npoints(space);
    rv_status status = reserve(f, dataset, count * (int64_t)H5Tget_size(stored));
    if (status == RV_OK) status = open_to_fill(f, dataset, stored, space, &id);
    hdf5_shape shape;
    if (status == RV_OK) status = read_extent(f, dataset, id, &shape);
    if (status == RV_OK && shape.count != count)
        status = refuse(f, RV_WRONG_SHAPE, dataset, "has %lld values, not %lld", (long long)shape.count,
                        (long long)count);
    if (status == RV_OK && count > 0 && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        status = library_error(f, dataset, "be written");
    if (status == RV_OK && f->mode == HDF5_LIVE && H5Dflush(id) < 0) status = library_error(f, dataset, "be written");
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_write_array(hdf5_file *file, const char *dataset, hdf5_type type, const void *values, int rank, const int64_t *n)
{
    hsize_t length[HDF5_MAX_RANK];
    assert(rank <= HDF5_MAX_RANK);
    for (int k = 0; k < rank; k++) length[k] = (hsize_t)n[k];
    hid_t     space = rank ? H5Screate_simple(rank, length, NULL) : H5Screate(H5S_SCALAR);
    rv_status status = fill_dataset(file, dataset, file_type(type), memory_type(type), space, values);
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
    rv_status status = reserve(file, dataset, n * size_of(type));
    if (status != RV_OK) return status;
    hsize_t length = (hsize_t)n;
    hid_t   space = H5Screate_simple(1, &length, NULL), id = -1;
    status = make_dataset(file, dataset, file_type(type), space, H5P_DEFAULT, &id);
    if (id >= 0) H5Dclose(id);
    H5Sclose(space);
    return status;
}

rv_status hdf5_write_rows(hdf5_file *file, const char *dataset, hdf5_type type, int64_t first, int64_t rows, const void *values)
{
    hid_t      id;
    hdf5_shape shape;
    rv_status  status = open_dataset(file, dataset, &id);
    if (status == RV_OK) status = read_extent(file, dataset, id, &shape);
    if (status == RV_OK) status = reserve(file, dataset, shape.count * size_of(type)); /* the first piece takes the place of all */
    hid_t space = status == RV_OK ? select_rows(id, &shape, first, rows) : -1;
    if (status == RV_OK && space < 0)
        status = refuse(file, RV_OUT_OF_RANGE, dataset, "has no rows %lld to %lld", (long long)first, (long long)(first + rows - 1));
    if (status == RV_OK && rows > 0) {
        hsize_t count = (hsize_t)H5Sget_select_npoints(space);
        hid_t   memory = H5Screate_simple(1, &count, NULL);
        if (H5Dwrite(id, memory_type(type), memory, space, H5P_DEFAULT, values) < 0) status = library_error(file, dataset, "be written");
        H5Sclose(memory);
    }
    if (space >= 0) H5Sclose(space);
    if (id >= 0) H5Dclose(id);
    return status;
}

rv_status hdf5_write_text(hdf5_file *file, const char *dataset, const char *text)
{
    hid_t     type = string_type(strlen(text)), space = H5Screate(H5S_SCALAR);
    rv_status status = fill_dataset(file, dataset, type, type, space, text);
    H5Sclose(space), H5Tclose(type);
    return status;
}
