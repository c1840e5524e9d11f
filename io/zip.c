#include "io/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { END_BYTES = 22, LOCATOR_BYTES = 20, END64_BYTES = 56, ENTRY_BYTES = 46, LOCAL_BYTES = 30 };
enum { STORED = 0, DEFLATED = 8, VERSION = 20, DATE = (1980 - 1980) << 9 | 1 << 5 | 1 }; /* a date, so that equal contents are equal files */
enum { EXPANSION = 1040 }; /* deflate cannot do better than 1032 */
#define MOST_BYTES UINT64_C(0xfffffffe) /* without ZIP64 */

static uint64_t get(const uint8_t *b, int n)
{
    uint64_t x = 0;
    for (int i = 0; i < n; i++) x |= (uint64_t)b[i] << 8 * i;
    return x;
}

static uint8_t *put(uint8_t *b, uint64_t x, int n)
{
    for (int i = 0; i < n; i++) b[i] = (uint8_t)(x >> 8 * i);
    return b + n;
}

static bool is(const uint8_t *b, const char *magic) { return memcmp(b, magic, 4) == 0; }

/* ---- reading ---------------------------------------------------------------------------------------------------- */

/* The end of the directory: the last 22 bytes, before a comment of up to 65535. @return its place, -1 if there is none */
static int64_t find_end(const uint8_t *b, size_t size)
{
    if (size < END_BYTES) return -1;
    size_t last = size - END_BYTES, first = last > 65535 ? last - 65535 : 0;
    for (size_t at = last + 1; at-- > first;)
        if (is(b + at, "PK\5\6")) return (int64_t)at;
    return -1;
}

const char *zip_open(const uint8_t *bytes, size_t size, zip_archive *a)
{
    int64_t end = find_end(bytes, size);
    if (end < 0) return "it is no ZIP archive, or one that was cut off: it has no directory";
    uint64_t length = get(bytes + end + 12, 4), begin = get(bytes + end + 16, 4);
    if ((begin == UINT32_MAX || length == UINT32_MAX) && end >= LOCATOR_BYTES && is(bytes + end - LOCATOR_BYTES, "PK\6\7")) {
        uint64_t far = get(bytes + end - LOCATOR_BYTES + 8, 8);
        if (size < END64_BYTES || far > size - END64_BYTES || !is(bytes + far, "PK\6\6")) return "its directory is damaged";
        length = get(bytes + far + 40, 8), begin = get(bytes + far + 48, 8);
    }
    if (begin > size || length > size - begin) return "its directory is outside of the file";
    *a = (zip_archive){ bytes, size, (size_t)begin, (size_t)(begin + length) };
    return NULL;
}

/* The numbers that did not fit 32 bits, in the order of the fields that say so. */
static bool read_extra(const uint8_t *extra, size_t n, uint64_t *size, uint64_t *data_size, uint64_t *offset)
{
    uint64_t *const fields[] = { size, data_size, offset };
    for (size_t at = 0; at + 4 <= n;) {
        size_t length = (size_t)get(extra + at + 2, 2), begin = at + 4;
        if (length > n - begin) return false;
        size_t used = 0;
        for (int k = 0; k < 3 && get(extra + at, 2) == 1; k++) {
            if (*fields[k] != UINT32_MAX) continue;
            if (used + 8 > length) return false;
            *fields[k] = get(extra + begin + used, 8), used += 8;
        }
        at = begin + length;
    }
    return true;
}

static const char *find_data(const zip_archive *a, uint64_t offset, zip_entry *e)
{
    if (a->size < LOCAL_BYTES || offset > a->size - LOCAL_BYTES || !is(a->bytes + offset, "PK\3\4")) return "an entry is not where its directory says";
    uint64_t begin = offset + LOCAL_BYTES + get(a->bytes + offset + 26, 2) + get(a->bytes + offset + 28, 2);
    if (begin > a->size || e->data_size > a->size - begin) return "an entry goes beyond the end of the file";
    e->data = a->bytes + begin;
    return NULL;
}

const char *zip_next(zip_archive *a, zip_entry *e)
{
    *e = (zip_entry){ 0 };
    if (a->at == a->end) return NULL;
    const uint8_t *b = a->bytes + a->at;
    if (a->end - a->at < ENTRY_BYTES || !is(b, "PK\1\2")) return "its directory is damaged";
    size_t name = (size_t)get(b + 28, 2), extra = (size_t)get(b + 30, 2), comment = (size_t)get(b + 32, 2);
    if (name + extra + comment > a->end - a->at - ENTRY_BYTES || name == 0) return "its directory is damaged";
    uint64_t offset = get(b + 42, 4);
    snprintf(e->name, sizeof e->name, "%.*s", (int)name, (const char *)b + ENTRY_BYTES);
    if (!e->name[0]) return "an entry has no name";
    e->method = (int)get(b + 10, 2), e->crc = (uint32_t)get(b + 16, 4);
    e->data_size = get(b + 20, 4), e->size = get(b + 24, 4);
    if (get(b + 8, 2) & 1) return "an entry is encrypted";
    if (!read_extra(b + ENTRY_BYTES + name, extra, &e->size, &e->data_size, &offset)) return "its directory is damaged";
    a->at += ENTRY_BYTES + name + extra + comment;
    return find_data(a, offset, e);
}

static const char *inflate_into(const zip_entry *e, uint8_t *content)
{
    z_stream z = { .next_in = (Bytef *)e->data, .next_out = content };
    int      result = Z_OK;
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK) return "no memory";
    for (uint64_t in = e->data_size, out = e->size; result == Z_OK;) { /* zlib counts in 32 bits */
        uInt in_now = (uInt)(in < UINT32_MAX ? in : UINT32_MAX), out_now = (uInt)(out < UINT32_MAX ? out : UINT32_MAX);
        z.avail_in = in_now, z.avail_out = out_now;
        result = inflate(&z, Z_NO_FLUSH);
        in -= in_now - z.avail_in, out -= out_now - z.avail_out;
        if (result == Z_OK && in_now == z.avail_in && out_now == z.avail_out) result = Z_BUF_ERROR;
    }
    bool whole = result == Z_STREAM_END && z.total_out == e->size;
    inflateEnd(&z);
    return whole ? NULL : "an entry is damaged";
}

static uint32_t checksum(const uint8_t *bytes, uint64_t size)
{
    return (uint32_t)crc32_z(0, bytes, (z_size_t)size);
}

const char *zip_load(const zip_entry *e, uint8_t **content)
{
    *content = NULL;
    if (e->method != STORED && e->method != DEFLATED) return "an entry is compressed in a way that is neither stored nor deflated";
    if (e->method == STORED ? e->size != e->data_size : e->size / EXPANSION > e->data_size) return "an entry claims to be longer than it can be";
    uint8_t *bytes = malloc((size_t)e->size + 1);
    if (!bytes) return "no memory";
    const char *reason = NULL;
    if (e->method == STORED) memcpy(bytes, e->data, (size_t)e->size);
    else reason = inflate_into(e, bytes);
    bytes[e->size] = 0;
    if (!reason && checksum(bytes, e->size) != e->crc) reason = "an entry is damaged: its checksum does not fit";
    if (reason) free(bytes);
    else *content = bytes;
    return reason;
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/* Compresses into new memory. @return NULL without memory */
static uint8_t *deflated(const uint8_t *content, size_t size, size_t *result)
{
    z_stream z = { .next_in = (Bytef *)content, .avail_in = (uInt)size };
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) return NULL;
    size_t   room = deflateBound(&z, (uLong)size);
    uint8_t *bytes = malloc(room + 1);
    z.next_out = bytes, z.avail_out = (uInt)room;
    if (bytes && deflate(&z, Z_FINISH) != Z_STREAM_END) free(bytes), bytes = NULL;
    *result = z.total_out;
    deflateEnd(&z);
    return bytes;
}

/* What a local header and the directory have in common: version to name length. */
static uint8_t *put_common(uint8_t *b, uint32_t crc, size_t data_size, size_t size, size_t name)
{
    b = put(put(put(b, VERSION, 2), 0, 2), DEFLATED, 2);
    b = put(put(b, 0, 2), DATE, 2);
    return put(put(put(put(b, crc, 4), data_size, 4), size, 4), name, 2);
}

static const char *note_entry(zip_writer *w, const char *name, uint32_t crc, size_t data_size, size_t size)
{
    size_t   length = strlen(name);
    uint8_t *longer = realloc(w->directory, w->directory_size + ENTRY_BYTES + length);
    if (!longer) return "no memory";
    w->directory = longer;
    uint8_t *b = put(put(longer + w->directory_size, 0x02014b50, 4), VERSION, 2);
    b = put_common(b, crc, data_size, size, length);
    b = put(put(put(put(put(b, 0, 2), 0, 2), 0, 2), 0, 2), 0, 4);
    b = put(b, w->at, 4);
    memcpy(b, name, length);
    w->directory_size += ENTRY_BYTES + length;
    return NULL;
}

const char *zip_add(zip_writer *w, const char *name, const uint8_t *content, size_t size)
{
    uint8_t  header[LOCAL_BYTES];
    uint32_t crc = checksum(content, size);
    size_t   data_size = 0;
    uint8_t *data = size <= MOST_BYTES / 2 ? deflated(content, size, &data_size) : NULL;
    if (!data) return size > MOST_BYTES / 2 ? "an array of more than 2 GiB is not written" : "no memory";
    const char *reason = w->at + data_size > MOST_BYTES - (1 << 20) ? "archives of more than 4 GiB are not written" : note_entry(w, name, crc, data_size, size);
    if (!reason) {
        put(put_common(put(header, 0x04034b50, 4), crc, data_size, size, strlen(name)), 0, 2);
        fwrite(header, 1, sizeof header, w->file);
        fwrite(name, 1, strlen(name), w->file);
        fwrite(data, 1, data_size, w->file);
        w->at += sizeof header + strlen(name) + data_size, w->n++;
    }
    free(data);
    return reason;
}

void zip_finish(zip_writer *w)
{
    uint8_t end[END_BYTES], *b = put(put(end, 0x06054b50, 4), 0, 4);
    b = put(put(b, (uint64_t)w->n, 2), (uint64_t)w->n, 2);
    put(put(put(b, w->directory_size, 4), w->at, 4), 0, 2);
    fwrite(w->directory, 1, w->directory_size, w->file);
    fwrite(end, 1, sizeof end, w->file);
    free(w->directory);
    *w = (zip_writer){ 0 };
}
