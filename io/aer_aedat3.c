/* AEDAT 3.1: lines of text up to "#!END-HEADER", then packets, little-endian. A packet has a header of 28 bytes
 *
 *   type 2   source 2   event size 4   offset of the time in an event 4   overflow 4   capacity 4   number 4   valid 4
 *
 * and capacity x event size bytes. Type 1 are polarity events: bits 31-17 column, 16-2 row, 1 polarity (1 ON), 0 valid;
 * then the low 31 bits of the time, whose high bits are the packet's overflow. Row 0 is on top. Special events (type 0)
 * matter where they say that the clock was reset: times go on from where they were. */
#include "io/aer_internal.h"

#include <inttypes.h>
#include <string.h>

enum { HEADER = 28, SPECIAL = 0, POLARITY = 1, TIMESTAMP_RESET = 1, MAX_OVERFLOW = 1 << 22 };

typedef struct packet {
    size_t  at;              /* of its header */
    int     type, source;
    int64_t event_size, time_offset, overflow, capacity, number;
} packet;

typedef struct aedat3 {
    int     source;          /* that is read; -1 before the first polarity packet              */
    bool    others;          /* other sources sent polarity events too                         */
    int64_t origin;          /* time at which the clock was last reset                         */
    int     resets;          /* after the first event                                          */
} aedat3;

/* ---- the header ------------------------------------------------------------------------------------------------ */

static void name_camera(aer_file *f, const char *text, int length)
{
    const aer_camera *camera = aer_camera_named(text, length);
    if (camera && f->events->width == 0) {
        f->events->width = camera->width, f->events->height = camera->height;
        snprintf(f->events->format, sizeof f->events->format, "AEDAT 3.1, %s", camera->name);
    }
}

static rv_status read_header(aer_file *f, size_t *data)
{
    const char *text;
    int         length;
    snprintf(f->events->format, sizeof f->events->format, "AEDAT 3.1");
    for (size_t at = 0, next; (next = aer_header_line(f, at)) > at; at = next) {
        *data = next;
        if (aer_header_says(f, at, "#!END-HEADER", &text, &length)) return RV_OK;
        if (aer_header_says(f, at, "#Source ", &text, &length)) name_camera(f, text, length);
        if (aer_header_says(f, at, "#Format: ", &text, &length) && (length != 3 || memcmp(text, "RAW", 3) != 0))
            return aer_damaged(f, at, "format \"%.*s\" of AEDAT 3.1, allowed RAW", length < 40 ? length : 40, text);
    }
    return aer_damaged(f, *data, "the header has no line \"#!END-HEADER\"");
}

/* ---- packets --------------------------------------------------------------------------------------------------- */

static int32_t signed32(const uint8_t *b) { return (int32_t)aer_le32(b); }

static rv_status read_packet_header(aer_file *f, size_t at, packet *p)
{
    const uint8_t *b = f->bytes + at;
    *p = (packet){ .at = at, .type = (int16_t)aer_le16(b), .source = (int16_t)aer_le16(b + 2),
                   .event_size = signed32(b + 4), .time_offset = signed32(b + 8), .overflow = signed32(b + 12),
                   .capacity = signed32(b + 16), .number = signed32(b + 20) };
    int64_t least = p->type == POLARITY || p->type == SPECIAL ? 8 : 1;
    if (p->event_size < least)
        return aer_damaged(f, at + 4, "a packet of events of %" PRId64 " bytes, allowed %" PRId64 " or more",
                           p->event_size, least);
    if (p->time_offset < 0 || p->time_offset > p->event_size - 4)
        return aer_damaged(f, at + 8, "a packet with times at byte %" PRId64 " of its events, allowed 0 to %" PRId64,
                           p->time_offset, p->event_size - 4);
    if (p->overflow < 0 || p->overflow > MAX_OVERFLOW)
        return aer_damaged(f, at + 12, "a packet with %" PRId64 " overflows of the clock, allowed 0 to %d", p->overflow,
                           MAX_OVERFLOW);
    if (p->number < 0 || p->number > p->capacity)
        return aer_damaged(f, at + 20, "a packet of %" PRId64 " events, allowed 0 to its capacity of %" PRId64,
                           p->number, p->capacity);
    return RV_OK;
}

static int64_t time_of(const aedat3 *a, const packet *p, const uint8_t *event)
{
    return a->origin + (p->overflow << 31) + (aer_le32(event + p->time_offset) & INT32_MAX);
}

/* The first `whole` events of a packet. */
static rv_status read_polarity(aer_file *f, aedat3 *a, const packet *p, int64_t whole)
{
    if (a->source < 0) a->source = p->source;
    if (a->source != p->source) a->others = true;
    if (a->source != p->source) return RV_OK;
    for (int64_t i = 0; i < whole; i++) {
        size_t         at = p->at + HEADER + (size_t)(i * p->event_size);
        const uint8_t *event = f->bytes + at;
        uint32_t       address = aer_le32(event);
        if (!(address & 1)) continue; /* a filter of the recording's software took it out */
        TRY(aer_add(f, at, time_of(a, p, event), address >> 17 & 0x7fff, address >> 2 & 0x7fff, address >> 1 & 1));
    }
    return RV_OK;
}

static void read_special(aer_file *f, aedat3 *a, const packet *p, int64_t whole)
{
    if (p->source != a->source) return; /* before the first event there is nothing to go on from */
    for (int64_t i = 0; i < whole; i++) {
        uint32_t data = aer_le32(f->bytes + p->at + HEADER + (size_t)(i * p->event_size));
        if (!(data & 1) || (data >> 1 & 0x7f) != TIMESTAMP_RESET || f->latest == INT64_MIN) continue;
        a->origin = f->latest, a->resets += 1;
    }
}

/* @param next where the next packet begins */
static rv_status read_packet(aer_file *f, aedat3 *a, size_t at, size_t *next)
{
    packet p;
    TRY(read_packet_header(f, at, &p));
    int64_t left = (int64_t)(f->size - at) - HEADER, bytes = p.capacity * p.event_size, whole = p.number;
    *next = f->size;
    if (bytes <= left) *next = at + HEADER + (size_t)bytes;
    else if (whole > left / p.event_size) whole = left / p.event_size;
    if (bytes > left) aer_warn_cut_off(f, (size_t)left, "a packet");
    if (p.type == POLARITY) TRY(read_polarity(f, a, &p, whole));
    if (p.type == SPECIAL) read_special(f, a, &p, whole);
    return RV_OK;
}

rv_status aer_read_aedat3(aer_file *f)
{
    aedat3 a = { .source = -1 };
    size_t at = 0;
    TRY(read_header(f, &at));
    while (f->size - at >= HEADER) TRY(read_packet(f, &a, at, &at));
    if (at < f->size) aer_warn_cut_off(f, f->size - at, "a packet");
    if (a.others) aer_warn(f, "events of other cameras than source %d were left out", a.source);
    if (a.resets) aer_warn(f, "the camera's clock was reset %d times; times go on from there", a.resets);
    return RV_OK;
}
