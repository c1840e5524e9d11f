#define _GNU_SOURCE
#include "tests/support/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[128];

const char *folder_make(const char *stem)
{
    snprintf(folder, sizeof folder, "/tmp/%.80s-XXXXXX", stem);
    if (!mkdtemp(folder)) fail_msg("cannot make %s: %s", folder, strerror(errno));
    return folder;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

void folder_remove(void)
{
    if (folder[0]) nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = 0;
}

const char *folder_path(const char *format, ...)
{
    static char texts[8][512];
    static int  turn;
    char       *text = texts[turn++ % 8];
    int         n = snprintf(text, sizeof texts[0], "%s/", folder);
    va_list     arguments;
    va_start(arguments, format);
    vsnprintf(text + n, sizeof texts[0] - (size_t)n, format, arguments);
    va_end(arguments);
    for (char *slash = strchr(text + n, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(text, 0777);
        *slash = '/';
    }
    return text;
}

void folder_write(const char *name, const char *text)
{
    FILE *file = fopen(folder_path("%s", name), "wb");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) fail_msg("cannot write %s: %s", name, strerror(errno));
}

void folder_copy(const char *from, const char *name, long n)
{
    FILE *in = fopen(from, "rb"), *out = fopen(folder_path("%s", name), "wb");
    if (!in || !out) fail_msg("cannot copy %s to %s: %s", from, name, strerror(errno));
    for (int byte; n != 0 && (byte = getc(in)) != EOF; n--) putc(byte, out);
    fclose(in), fclose(out);
}
