/* The one door to LZ4 and ZSTD: whole frames, between memory and memory. */
#include "io/aer_internal.h"

#include <lz4frame.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { LEAST_ROOM = 1 << 16 };
static const char *const NO_MEMORY = "there is no memory for it";
static const char *const TOO_LONG = "it becomes more than 1000 times as long";

bool aer_buffer_reserve(aer_buffer *b, size_t room)
{
    if (room <= b->room) return true;
    uint8_t *bytes = realloc(b->bytes, room);
    if (bytes) b->bytes = bytes, b->room = room;
    return bytes;
}

static size_t longest(size_t size) { return LEAST_ROOM + AER_EXPANSION * size; }

/* Twice the room, up to the longest result that is believed. @return NULL, or why not */
static const char *more_room(aer_buffer *b, size_t compressed)
{
    size_t most = longest(compressed), room = b->room < LEAST_ROOM ? LEAST_ROOM : 2 * b->room;
    if (b->room >= most) return TOO_LONG;
    return aer_buffer_reserve(b, room < most ? room : most) ? NULL : NO_MEMORY;
}

static const char *expand_lz4(LZ4F_dctx *context, const uint8_t *bytes, size_t size, aer_buffer *result)
{
    size_t      done = 0, hint = 1;
    const char *problem = NULL;
    while (!problem && hint != 0) {
        if (result->size == result->room && (problem = more_room(result, size))) break;
        size_t in = size - done, out = result->room - result->size;
        hint = LZ4F_decompress(context, result->bytes + result->size, &out, bytes + done, &in, NULL);
        if (LZ4F_isError(hint)) return LZ4F_getErrorName(hint);
        if (in == 0 && out == 0 && result->size < result->room) problem = "the frame is not complete";
        done += in, result->size += out;
    }
    return problem;
}

/* The room is tried out: frames written by streaming do not say how long they become. */
static const char *expand_zstd(const uint8_t *bytes, size_t size, aer_buffer *result)
{
    for (;;) {
        const char *problem = result->room ? NULL : more_room(result, size);
        if (problem) return problem;
        size_t length = ZSTD_decompress(result->bytes, result->room, bytes, size);
        if (!ZSTD_isError(length)) {
            result->size = length;
            return NULL;
        }
        if (ZSTD_getErrorCode(length) != ZSTD_error_dstSize_tooSmall) return ZSTD_getErrorName(length);
        if ((problem = more_room(result, size))) return problem;
    }
}

const char *aer_expand(aer_compression compression, const uint8_t *bytes, size_t size, aer_buffer *result)
{
    result->size = 0;
    if (compression == AER_ZSTD || compression == AER_ZSTD_HIGH) return expand_zstd(bytes, size, result);
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION))) return NO_MEMORY;
    const char *problem = expand_lz4(context, bytes, size, result);
    LZ4F_freeDecompressionContext(context);
    return problem;
}

const char *aer_compress(aer_compression compression, const uint8_t *bytes, size_t size, aer_buffer *result)
{
    bool   lz4 = compression == AER_LZ4 || compression == AER_LZ4_HIGH;
    size_t room = lz4 ? LZ4F_compressFrameBound(size, NULL) : ZSTD_compressBound(size);
    if (!aer_buffer_reserve(result, room)) return NO_MEMORY;
    result->size = lz4 ? LZ4F_compressFrame(result->bytes, result->room, bytes, size, NULL)
                       : ZSTD_compress(result->bytes, result->room, bytes, size, ZSTD_CLEVEL_DEFAULT);
    if (lz4 && LZ4F_isError(result->size)) return LZ4F_getErrorName(result->size);
    if (!lz4 && ZSTD_isError(result->size)) return ZSTD_getErrorName(result->size);
    return NULL;
}
