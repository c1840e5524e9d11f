#include "io/file_bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/error.h"

static rv_status cannot_read(rv_error *error, const char *path, const char *reason)
{
    return error_set(error, RV_FILE_ERROR, "file \"%.150s\" cannot be read: %s", path, reason);
}

static rv_status load_from(int descriptor, const char *path, uint8_t **bytes, size_t *size, rv_error *error)
{
    struct stat about;
    if (fstat(descriptor, &about) != 0) return cannot_read(error, path, strerror(errno));
    if (!S_ISREG(about.st_mode)) return cannot_read(error, path, "it is not an ordinary file");
    if (!(*bytes = malloc((size_t)about.st_size + 1))) return error_memory(error, path, (double)about.st_size);
    while (*size < (size_t)about.st_size) {
        ssize_t got = read(descriptor, *bytes + *size, (size_t)about.st_size - *size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cannot_read(error, path, strerror(errno));
        if (got == 0) break; /* somebody made it shorter meanwhile */
        *size += (size_t)got;
    }
    (*bytes)[*size] = 0;
    return RV_OK;
}

rv_status file_bytes_load(const char *path, uint8_t **bytes, size_t *size, rv_error *error)
{
    *bytes = NULL, *size = 0;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe without a writer does not hold us up */
    if (descriptor < 0) return cannot_read(error, path, strerror(errno));
    rv_status status = load_from(descriptor, path, bytes, size, error);
    close(descriptor);
    if (status != RV_OK) free(*bytes), *bytes = NULL;
    return status;
}

size_t file_bytes_begin(const char *path, uint8_t *bytes, size_t n)
{
    int     descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t got = descriptor >= 0 ? read(descriptor, bytes, n) : 0;
    if (descriptor >= 0) close(descriptor);
    return got > 0 ? (size_t)got : 0;
}
