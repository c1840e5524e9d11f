#include "sim/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const size_t huge_page = 2u << 20;

void *memory_new(size_t bytes)
{
    if (bytes < huge_page) return calloc(1, bytes ? bytes : 1);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    madvise(memory, bytes, MADV_HUGEPAGE); /* advice: refused where there are no huge pages, and no harm done */
    return memory;
}

void memory_free(void *memory, size_t bytes)
{
    if (!memory) return;
    if (bytes < huge_page) free(memory);
    else munmap(memory, bytes);
}

void memory_warm(void *memory, size_t begin, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
    madvise((char *)memory + begin, bytes, MADV_POPULATE_WRITE);
#else
    (void)memory, (void)begin, (void)bytes;
#endif
}

double memory_available(void)
{
    double bytes = (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    FILE  *info = fopen("/proc/meminfo", "r");
    if (!info) return bytes;
    char line[128];
    while (fgets(line, sizeof line, info)) {
        double kilobytes;
        if (sscanf(line, "MemAvailable: %lf kB", &kilobytes) == 1) bytes = 1024 * kilobytes;
    }
    fclose(info);
    return bytes;
}

int memory_reserve(void **array, int64_t *capacity, int64_t n, size_t item)
{
    if (n <= *capacity) return 1;
    int64_t wanted = *capacity > 8 ? 2 * *capacity : 16;
    if (wanted < n) wanted = n;
    void *grown = realloc(*array, (size_t)wanted * item);
    if (!grown) return 0;
    *array = grown, *capacity = wanted;
    return 1;
}
