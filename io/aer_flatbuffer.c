/* Reading flatbuffers without trusting them. Positions are offsets from where they stand, little-endian:
 *
 *   buffer   length 4, root table 4, identifier 4, ...
 *   table    distance back to its vtable 4 (signed), fields ...
 *   vtable   its own length 2, the table's length 2, then for each field its place in the table 2, 0 if absent
 *   vector   n 4, elements ... */
#include "io/aer_internal.h"

#include <string.h>

enum { PREFIX = 4, MAX_FLAT = 0x7fffffff };

static bool table_at(const uint8_t *bytes, size_t size, size_t at, aer_table *t)
{
    if (at > size || size - at < 4) return false;
    int64_t vtable = (int64_t)at - (int32_t)aer_le32(bytes + at);
    if (vtable < 0 || vtable > (int64_t)size - 4) return false;
    size_t vtable_length = aer_le16(bytes + vtable), length = aer_le16(bytes + vtable + 2);
    if (vtable_length < 4 || vtable_length % 2 || vtable_length > size - (size_t)vtable) return false;
    if (length < 4 || length > size - at) return false;
    *t = (aer_table){ bytes, size, at, length, (size_t)vtable + 4, (int)(vtable_length - 4) / 2 };
    return true;
}

bool aer_flat_root(const uint8_t *bytes, size_t size, const char identifier[4], aer_table *root)
{
    if (size < PREFIX + 8) return false;
    size_t length = aer_le32(bytes);
    if (length < 8 || length > size - PREFIX || length > MAX_FLAT) return false;
    if (memcmp(bytes + PREFIX + 4, identifier, 4) != 0) return false;
    return table_at(bytes + PREFIX, length, aer_le32(bytes + PREFIX), root);
}

/* Where a field of so many bytes is; 0 if it is absent, which no field can be at. */
static bool find(const aer_table *t, int field, size_t bytes, size_t *at)
{
    size_t place = field < t->fields ? aer_le16(t->bytes + t->offsets + 2 * (size_t)field) : 0;
    *at = place ? t->at + place : 0;
    return place == 0 || (place >= 4 && place <= t->length && bytes <= t->length - place);
}

bool aer_flat_integer(const aer_table *t, int field, int bytes, int64_t *value)
{
    size_t   at;
    uint64_t bits = 0;
    if (!find(t, field, (size_t)bytes, &at)) return false;
    if (!at) return true;
    for (int i = 0; i < bytes; i++) bits |= (uint64_t)t->bytes[at + (size_t)i] << 8 * i;
    int spare = 64 - 8 * bytes;
    *value = (int64_t)(bits << spare) >> spare;
    return true;
}

bool aer_flat_vector(const aer_table *t, int field, int bytes, const uint8_t **elements, size_t *n)
{
    size_t at;
    *n = 0, *elements = t->bytes;
    if (!find(t, field, 4, &at)) return false;
    if (!at) return true;
    size_t offset = aer_le32(t->bytes + at);
    if (offset > t->size - at || t->size - at - offset < 4) return false;
    size_t start = at + offset, room = t->size - start - 4;
    *n = aer_le32(t->bytes + start), *elements = t->bytes + start + 4;
    return *n <= room / (size_t)bytes;
}

bool aer_flat_element(const aer_table *t, const uint8_t *elements, size_t i, aer_table *element)
{
    size_t at = (size_t)(elements - t->bytes) + 4 * i, offset = aer_le32(t->bytes + at);
    return offset <= t->size - at && table_at(t->bytes, t->size, at + offset, element);
}
