#include "io/hdf5_superblock.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Bytes of versions 2 and 3: signature 8, version 1, size of offsets 1, size of lengths 1, flags 1, base 8, extension
 * 8, end of file 8, root group 8, checksum 4; little-endian. Of versions 0 and 1 we only need the end of the file. */
enum {
    SB_VERSION = 8, SB_OFFSETS = 9, SB_FLAGS = 11, SB_END = 28, SB_CHECKSUM = 44,
    SB_OLD_OFFSETS = 13, SB_OLD_END = 40,
};

static uint64_t little_endian(const uint8_t *b, int n)
{
    uint64_t x = 0;
    for (int i = 0; i < n; i++) x |= (uint64_t)b[i] << 8 * i;
    return x;
}

bool superblock_find(int descriptor, superblock *s)
{
    static const uint8_t signature[8] = "\211HDF\r\n\032\n";
    memset(s, 0, sizeof *s);
    for (s->at = 0; pread(descriptor, s->bytes, SUPERBLOCK_BYTES, s->at) == SUPERBLOCK_BYTES; s->at = s->at ? 2 * s->at : 512) {
        if (memcmp(s->bytes, signature, sizeof signature) != 0) continue;
        s->version = s->bytes[SB_VERSION], s->end = -1;
        if (s->version >= 2) s->flags = s->bytes[SB_FLAGS];
        if (s->version >= 2 && s->bytes[SB_OFFSETS] == 8) s->end = (int64_t)little_endian(s->bytes + SB_END, 8);
        if (s->version < 2 && s->bytes[SB_OLD_OFFSETS] == 8)
            s->end = (int64_t)little_endian(s->bytes + SB_OLD_END + 4 * (s->version == 1), 8);
        return true;
    }
    return false;
}

/* Bob Jenkins' lookup3 (2006, public domain), which HDF5 uses for its checksums; initial value 0. */
static uint32_t lookup3(const uint8_t *key, size_t n)
{
#define ROT(x, k) ((x) << (k) | (x) >> (32 - (k)))
    uint32_t a = 0xdeadbeef + (uint32_t)n, b = a, c = a;
    for (; n > 12; n -= 12, key += 12) {
        a += (uint32_t)little_endian(key, 4);
        b += (uint32_t)little_endian(key + 4, 4);
        c += (uint32_t)little_endian(key + 8, 4);
        a -= c, a ^= ROT(c, 4), c += b, b -= a, b ^= ROT(a, 6), a += c, c -= b, c ^= ROT(b, 8), b += a;
        a -= c, a ^= ROT(c, 16), c += b, b -= a, b ^= ROT(a, 19), a += c, c -= b, c ^= ROT(b, 4), b += a;
    }
    uint8_t last[12] = {0};
    memcpy(last, key, n);
    a += (uint32_t)little_endian(last, 4);
    b += (uint32_t)little_endian(last + 4, 4);
    c += (uint32_t)little_endian(last + 8, 4);
    c ^= b, c -= ROT(b, 14), a ^= c, a -= ROT(c, 11), b ^= a, b -= ROT(a, 25), c ^= b, c -= ROT(b, 16);
    a ^= c, a -= ROT(c, 4), b ^= a, b -= ROT(a, 14), c ^= b, c -= ROT(b, 24);
    return c;
#undef ROT
}

int superblock_publish(int descriptor, int64_t end)
{
    superblock s;
    if (!superblock_find(descriptor, &s) || s.at != 0 || s.version != 3) return EINVAL;
    s.bytes[SB_FLAGS] = 0;
    for (int i = 0; i < 8; i++) s.bytes[SB_END + i] = (uint8_t)((uint64_t)end >> 8 * i);
    uint32_t checksum = lookup3(s.bytes, SB_CHECKSUM);
    for (int i = 0; i < 4; i++) s.bytes[SB_CHECKSUM + i] = (uint8_t)(checksum >> 8 * i);
    return pwrite(descriptor, s.bytes, SUPERBLOCK_BYTES, 0) == SUPERBLOCK_BYTES ? 0 : errno;
}
