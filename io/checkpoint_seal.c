#include "io/checkpoint_seal.h"
#include "io/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "sim/error.h"

enum { LINE = 64, BLOCK = 1 << 20 };

static void make_line(char line[LINE + 1], uint32_t sum, int64_t bytes)
{
    char text[2 * LINE];
    snprintf(text, sizeof text, "\nranvier checkpoint, crc32 %08x, %lld bytes", sum, (long long)bytes);
    snprintf(line, LINE + 1, "%-*.*s\n", LINE - 1, LINE - 1, text);
}

/* @return 0 or errno; EIO if the file is shorter */
static int sum_bytes(int file, int64_t bytes, uint32_t *sum)
{
    unsigned char *block = malloc(BLOCK);
    uLong          crc = crc32(0, NULL, 0);
    int            error = block ? 0 : ENOMEM;
    for (int64_t at = 0; at < bytes && !error;) {
        ssize_t n = pread(file, block, bytes - at < BLOCK ? (size_t)(bytes - at) : BLOCK, at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) error = n < 0 ? errno : EIO;
        else crc = crc32(crc, block, (uInt)n), at += n;
    }
    free(block);
    *sum = (uint32_t)crc;
    return error;
}

static int add_line(int file)
{
    struct stat about;
    uint32_t    sum;
    char        line[LINE + 1];
    if (fstat(file, &about) != 0) return errno;
    int error = sum_bytes(file, about.st_size, &sum);
    if (error) return error;
    make_line(line, sum, about.st_size);
    ssize_t n = pwrite(file, line, LINE, about.st_size);
    if (n != LINE) return n < 0 ? errno : ENOSPC;
    return fsync(file) == 0 ? 0 : errno;
}

int checkpoint_seal(const char *path)
{
    int file = open(path, O_RDWR | O_CLOEXEC), error = file < 0 ? errno : add_line(file);
    if (file >= 0 && close(file) != 0 && !error) error = errno;
    return error;
}

/* A file system that cannot bring a folder to the disk says so; then it is as good as it gets. */
static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = 0;
    if (folder < 0) return errno == EACCES ? 0 : errno;
    if (fsync(folder) != 0 && errno != EINVAL && errno != EROFS && errno != ENOTSUP) error = errno;
    close(folder);
    return error;
}

int checkpoint_replace(const char *from, const char *to) { return rename(from, to) == 0 ? sync_folder_of(to) : errno; }

/* ---- looking ------------------------------------------------------------------------------------------------------ */

/* @return whether the file ends with such a line, with any numbers */
static bool read_line(int file, char line[LINE + 1], int64_t *bytes)
{
    struct stat about;
    line[LINE] = 0;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size < LINE || pread(file, line, LINE, about.st_size - LINE) != LINE) return false;
    *bytes = about.st_size - LINE;
    return strncmp(line, "\nranvier checkpoint, ", strlen("\nranvier checkpoint, ")) == 0;
}

static int open_file(const char *path) { return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); }

bool checkpoint_is_file(const char *path)
{
    char    line[LINE + 1];
    int64_t bytes;
    int     file = open_file(path);
    bool    is = file >= 0 && read_line(file, line, &bytes);
    if (file >= 0) close(file);
    return is;
}

static rv_status check_open(int file, const char *path, rv_error *error)
{
    char     line[LINE + 1], expected[LINE + 1];
    int64_t  bytes;
    uint32_t sum;
    if (!read_line(file, line, &bytes))
        return error_set(error, RV_FILE_ERROR, "\"%s\" is not a checkpoint, or one that was cut off: it does not end with the line that checkpoints end with", path);
    int why = sum_bytes(file, bytes, &sum);
    if (why) return error_set(error, RV_FILE_ERROR, "\"%s\" cannot be read: %s", path, strerror(why));
    make_line(expected, sum, bytes);
    if (memcmp(line, expected, LINE) == 0) return RV_OK;
    return error_set(error, RV_FILE_ERROR, "\"%s\" is damaged: its contents do not have the checksum that its last line says", path);
}

rv_status checkpoint_check_seal(const char *path, rv_error *error)
{
    int file = open_file(path);
    if (file < 0) return error_set(error, RV_FILE_ERROR, "cannot read \"%s\": %s", path, strerror(errno));
    rv_status status = check_open(file, path, error);
    close(file);
    return status;
}
