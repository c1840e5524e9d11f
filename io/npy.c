#include "io/npy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HEADER = 1 << 16 };

/* What stands behind 'key': in the header, a literal of a Python dictionary; NULL if the key is not there. */
static const char *value_of(const char *header, const char *key)
{
    char        quoted[32];
    const char *at = NULL;
    for (int k = 0; k < 2 && !at; k++) {
        snprintf(quoted, sizeof quoted, k ? "\"%s\"" : "'%s'", key);
        at = strstr(header, quoted);
    }
    if (!at) return NULL;
    at += strlen(quoted);
    at += strspn(at, " \t");
    if (*at != ':') return NULL;
    return at + 1 + strspn(at + 1, " \t");
}

/* "<f8" */
static const char *read_type(const char *text, npy_array *a)
{
    if (!text || (*text != '\'' && *text != '"')) return "an array of records is not read";
    a->big_endian = text[1] == '>';
    if (!strchr("<>|=", text[1] ? text[1] : '?') || !text[2]) return "its type is not known";
    a->kind = text[2], a->item = (int)strtol(text + 3, NULL, 10);
    bool power = a->item == 1 || a->item == 2 || a->item == 4 || a->item == 8;
    if (a->kind == 'U' && a->item >= 0 && a->item <= 1 << 16) return a->item *= 4, NULL;
    if (a->kind == 'S' && a->item >= 0 && a->item <= 1 << 16) return NULL;
    if (a->kind == 'f' && (a->item == 4 || a->item == 8)) return NULL;
    if ((a->kind == 'i' || a->kind == 'u') && power) return NULL;
    if (a->kind == 'b' && a->item == 1) return NULL;
    return "its type is none of float32, float64, integers, truth values and texts";
}

/* "(3,)", "()"; an array of several axes must have one that is longer than 1. */
static const char *read_shape(const char *text, npy_array *a)
{
    int long_axes = 0;
    if (!text || *text != '(') return "it has no shape";
    a->n = 1;
    for (text++; *text && *text != ')';) {
        char     *end;
        long long axis = strtoll(text, &end, 10);
        if (end == text || axis < 0) return "its shape is damaged";
        long_axes += axis != 1;
        if (__builtin_mul_overflow(a->n, (int64_t)axis, &a->n)) return "its shape is damaged";
        text = end + strspn(end, "L, \t");
    }
    if (*text != ')') return "its shape is damaged";
    return long_axes > 1 ? "it has several axes; a list is needed" : NULL;
}

const char *npy_open(const uint8_t *bytes, uint64_t size, npy_array *a)
{
    *a = (npy_array){ 0 };
    if (size < 12 || memcmp(bytes, "\x93NUMPY", 6) != 0) return "it is no NumPy array";
    bool     wide = bytes[6] >= 2;
    uint64_t length = bytes[8] | bytes[9] << 8, begin = wide ? 12 : 10;
    if (wide) length |= (uint64_t)bytes[10] << 16 | (uint64_t)bytes[11] << 24;
    if (bytes[6] < 1 || bytes[6] > 3) return "its version is not 1, 2 or 3";
    if (length > MOST_HEADER || length > size - begin) return "its header goes beyond its end";
    char *header = malloc((size_t)length + 1);
    if (!header) return "no memory";
    memcpy(header, bytes + begin, (size_t)length), header[length] = 0;
    const char *reason = read_type(value_of(header, "descr"), a);
    if (!reason) reason = read_shape(value_of(header, "shape"), a);
    free(header);
    if (reason) return reason;
    uint64_t rest = size - begin - length;
    if (a->item > 0 && (uint64_t)a->n > rest / (uint64_t)a->item) return "it is shorter than its shape says";
    if (a->item == 0 && a->n > MOST_HEADER) return "it is shorter than its shape says";
    a->data = bytes + begin + length;
    return NULL;
}

static uint64_t bits_of(const npy_array *a, int64_t i)
{
    const uint8_t *b = a->data + i * a->item;
    uint64_t       x = 0;
    for (int k = 0; k < a->item; k++) x |= (uint64_t)b[a->big_endian ? a->item - 1 - k : k] << 8 * k;
    return x;
}

/* An integer with sign, of fewer than 8 bytes perhaps. */
static int64_t signed_of(const npy_array *a, uint64_t x)
{
    int shift = 64 - 8 * a->item;
    return (int64_t)(x << shift) >> shift;
}

double npy_number(const npy_array *a, int64_t i)
{
    uint64_t x = bits_of(a, i);
    uint32_t half = (uint32_t)x;
    double   d;
    float    f;
    if (a->kind == 'f' && a->item == 8) return memcpy(&d, &x, sizeof d), d;
    if (a->kind == 'f') return memcpy(&f, &half, sizeof f), f;
    return a->kind == 'i' ? (double)signed_of(a, x) : (double)x;
}

bool npy_integer(const npy_array *a, int64_t i, int64_t *value)
{
    if (a->kind == 'f') {
        double x = npy_number(a, i);
        bool   whole = x == rint(x) && fabs(x) < 0x1p53;
        *value = whole ? (int64_t)x : 0;
        return whole;
    }
    uint64_t x = bits_of(a, i);
    *value = a->kind == 'i' ? signed_of(a, x) : (int64_t)x;
    return (a->kind == 'i' || a->kind == 'u' || a->kind == 'b') && (a->kind == 'i' || x <= INT64_MAX);
}

/* A character as UTF-8. @return how many bytes */
static size_t put_utf8(uint32_t c, char b[4])
{
    if (c < 0x80) return b[0] = (char)c, 1;
    int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int k = n - 1; k > 0; k--, c >>= 6) b[k] = (char)(0x80 | (c & 0x3f));
    b[0] = (char)((0xf00 >> n & 0xff) | c);
    return (size_t)n;
}

void npy_text(const npy_array *a, int64_t i, char *text, size_t size)
{
    const uint8_t *b = a->data + i * a->item;
    size_t         at = 0;
    if (a->kind == 'S') snprintf(text, size, "%.*s", a->item, (const char *)b);
    if (a->kind == 'S') return;
    for (int k = 0; k + 4 <= a->item; k += 4) {
        char     utf8[4];
        uint32_t c = a->big_endian ? (uint32_t)b[k] << 24 | (uint32_t)b[k + 1] << 16 | (uint32_t)b[k + 2] << 8 | b[k + 3]
                                   : (uint32_t)b[k + 3] << 24 | (uint32_t)b[k + 2] << 16 | (uint32_t)b[k + 1] << 8 | b[k];
        if (c == 0) break;
        size_t n = put_utf8(c & 0x1fffff, utf8);
        if (at + n >= size) break;
        memcpy(text + at, utf8, n), at += n;
    }
    text[at] = 0;
}

size_t npy_header(uint8_t header[NPY_HEADER], const char *type, int64_t n)
{
    int length = snprintf((char *)header + 10, NPY_HEADER - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%lld,), }", type, (long long)n);
    memcpy(header, "\x93NUMPY\1", 8);
    memset(header + 10 + length, ' ', (size_t)(NPY_HEADER - 10 - length));
    header[NPY_HEADER - 1] = '\n';
    header[8] = NPY_HEADER - 10, header[9] = 0;
    return NPY_HEADER;
}
