#include "sim/spool.h"

#include <stdlib.h>
#include <string.h>

#include "sim/memory.h"

static const size_t memory_limit = 64u << 20; /* bytes per spool */

void spool_open(spool *s, size_t width) { *s = (spool){ .width = width ? width : 1 }; }

void spool_close(spool *s)
{
    free(s->memory);
    if (s->file) fclose(s->file);
    *s = (spool){ .width = s->width };
}

static void move_to_file(spool *s)
{
    int64_t n = s->n - s->n_filed;
    if (!s->file) s->file = tmpfile();
    if (!s->file || fseeko(s->file, (off_t)(s->n_filed * (int64_t)s->width), SEEK_SET) != 0 ||
        fwrite(s->memory, s->width, (size_t)n, s->file) != (size_t)n)
        s->failed = true;
    else s->n_filed = s->n;
}

static void append_some(spool *s, const char *records, int64_t n)
{
    int64_t held = s->n - s->n_filed;
    if (!memory_reserve((void **)&s->memory, &s->capacity, held + n, s->width)) {
        s->failed = true;
        return;
    }
    memcpy(s->memory + held * (int64_t)s->width, records, (size_t)n * s->width);
    s->n += n;
    if ((size_t)(s->n - s->n_filed) * s->width >= memory_limit) move_to_file(s);
}

void spool_append(spool *s, const void *records, int64_t n)
{
    int64_t most = (int64_t)(memory_limit / s->width) + 1;
    for (int64_t done = 0; done < n && !s->failed; done += most)
        append_some(s, (const char *)records + done * (int64_t)s->width, n - done < most ? n - done : most);
}

bool spool_read(spool *s, int64_t first, int64_t n, void *records)
{
    char   *out = records;
    int64_t filed = first < s->n_filed ? (first + n < s->n_filed ? n : s->n_filed - first) : 0;
    if (first < 0 || n < 0 || first + n > s->n) return false;
    if (filed > 0) {
        if (fseeko(s->file, (off_t)(first * (int64_t)s->width), SEEK_SET) != 0) return false;
        if (fread(out, s->width, (size_t)filed, s->file) != (size_t)filed) return false;
    }
    if (n > filed)
        memcpy(out + filed * (int64_t)s->width, s->memory + (first + filed - s->n_filed) * (int64_t)s->width,
               (size_t)(n - filed) * s->width);
    return true;
}
