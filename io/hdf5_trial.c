/* Protection from libhdf5 itself, which crashes on some damaged files and never ends on others: a child process reads first;
 * better that dies than we. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hdf5_internal.h"
#include "sim/error.h"

enum { WALK_SECONDS = 10 };                             /* of CPU time that looking through a file's structure may take */
enum { READ_SECONDS = 2, READ_BYTES_A_SECOND = 10 << 20 }; /* of CPU time for any file, and a second more for so many bytes */

static void run_child(void (*body)(const char *path, void *user), const char *path, void *user, rlim_t seconds)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGXCPU };
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) signal(signals[i], SIG_DFL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    setrlimit(RLIMIT_CPU, &(struct rlimit){ seconds, seconds });
    body(path, user);
    _exit(0);
}

/* Whether body() comes to its end in a process of its own; true also where none can be had. */
static bool survives(void (*body)(const char *path, void *user), const char *path, void *user, rlim_t seconds)
{
    int   how = 0;
    pid_t child = fork();
    if (child == 0) run_child(body, path, user, seconds);
    while (child > 0 && waitpid(child, &how, 0) < 0 && errno == EINTR) {}
    return child < 0 || (WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static const char damaged[] = "is damaged: the HDF5 library crashes or never ends";

rv_status hdf5_try(const char *path, void (*read)(const char *path, void *user), void *user, rv_error *error)
{
    struct stat about = { 0 };
    stat(path, &about);
    if (survives(read, path, user, READ_SECONDS + (rlim_t)about.st_size / READ_BYTES_A_SECOND)) return RV_OK;
    return error_set(error, RV_FILE_ERROR, "file \"%.150s\": %s", path, damaged);
}

/* ---- the structure ---------------------------------------------------------------------------------------------- */

static herr_t visit_attribute(hid_t object, const char *name, const H5A_info_t *about, void *user)
{
    (void)about, (void)user;
    char  text[64];
    hid_t id = H5Aopen(object, name, H5P_DEFAULT);
    if (id >= 0) hdf5_attribute_text(id, text, sizeof text), H5Aclose(id);
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

static void visit_everything(const char *path, void *file)
{
    hdf5_file *f = file;
    (void)path;
    if (hdf5_library_open(f, H5F_ACC_RDONLY) == RV_OK) H5Ovisit2((hid_t)f->id, H5_INDEX_NAME, H5_ITER_INC, visit_object, NULL, H5O_INFO_BASIC);
}

/* libhdf5 1.10 crashes on about one in 300 files with a few wrong bits in their structure. In files of the newer formats
 * checksums protect it; those of the old ones, which most of the field writes, are tried. */
rv_status hdf5_try_walk(hdf5_file *f)
{
    return survives(visit_everything, f->path, f, WALK_SECONDS) ? RV_OK : hdf5_refuse(f, RV_FILE_ERROR, NULL, "%s", damaged);
}
