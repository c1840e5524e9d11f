/* A fuzzer is one file: it includes this and defines fuzz_file(), which reads the file at path as its reader would, and frees what
 * it got. libFuzzer gives the bytes (`make fuzz`). Seeds are made by tests/fuzz/make_seeds.sh, in a folder of the fuzzer's name. */
#ifndef RV_TESTS_FUZZ_H
#define RV_TESTS_FUZZ_H

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/ranvier.h"

static void fuzz_file(const char *path);

/** A refusal is one sentence; nothing else is. */
static inline void fuzz_refused(rv_status status, const rv_error *error)
{
    if (status != RV_OK && !error->text[0]) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1; /* in memory, the same for all inputs */
    char       path[64];
    if (file < 0) file = memfd_create("fuzz", 0);
    if (file < 0 || ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size) abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    fuzz_file(path);
    return 0;
}

#endif
