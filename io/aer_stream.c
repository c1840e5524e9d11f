/* The two formats of few bytes per event.
 *
 * Event Stream (neuromorphic-paris/event_stream, version 2): "Event Stream", version 3, type 1, width 2, height 2, then
 * bytes that a small machine reads. DVS (type 1): 0xff adds 127 us, 0xfe nothing; another byte begins an event: bits
 * 7-1 us since the last one, 0 polarity, then x 2 and y 2. ATIS (type 2): 0xfc to 0xff add 0 to 3 times 63 us; another
 * byte begins an event: bits 7-2 us, 1 polarity, 0 an exposure measurement (left out), then x 2 and y 2. Little-endian;
 * y = 0 is the lowest row.
 *
 * N-MNIST and N-Caltech101 (Orchard et al. 2015, doi:10.3389/fnins.2015.00437): 5 bytes, big-endian: x 8, y 8, polarity
 * 1 (1 ON), time 23 bits in us. y = 240 is no pixel but an overflow that adds 2^13 us to all times after it. y = 0 is
 * the top row. */
#include "io/aer_internal.h"

#include <string.h>

/* ---- Event Stream ---------------------------------------------------------------------------------------------- */

enum { ES_VERSION = 12, ES_TYPE = 15, ES_WIDTH = 16, ES_HEIGHT = 18, ES_DATA = 20, ES_EVENT = 5 };
enum { ES_DVS = 1, ES_ATIS = 2 };

static rv_status read_es_header(aer_file *f)
{
    static const char *const types[] = { "generic", "DVS", "ATIS", "display", "colour" };
    const uint8_t *b = f->bytes;
    if (f->size < ES_DATA && (f->size <= ES_TYPE || b[ES_TYPE] == ES_DVS || b[ES_TYPE] == ES_ATIS))
        return aer_damaged(f, f->size, "the file ends inside of the header of an Event Stream, 20 bytes");
    if (b[ES_VERSION] != 2)
        return aer_damaged(f, ES_VERSION, "Event Stream of version %d.%d, allowed 2", b[ES_VERSION], b[ES_VERSION + 1]);
    if (b[ES_TYPE] != ES_DVS && b[ES_TYPE] != ES_ATIS)
        return aer_damaged(f, ES_TYPE, "Event Stream of type %d (%s), allowed 1 (DVS) and 2 (ATIS)", b[ES_TYPE],
                           b[ES_TYPE] < 5 ? types[b[ES_TYPE]] : "unknown");
    aer_events *e = f->events;
    e->width = aer_le16(b + ES_WIDTH), e->height = aer_le16(b + ES_HEIGHT);
    if (e->width == 0 || e->height == 0)
        return aer_damaged(f, ES_WIDTH, "a camera of %d x %d pixels, allowed 1 to 65535", e->width, e->height);
    snprintf(e->format, sizeof e->format, "Event Stream 2.%d, %s", b[ES_VERSION + 1], types[b[ES_TYPE]]);
    return RV_OK;
}

/* How a byte between events changes the time, us; -1 if it begins an event. */
static int waiting(bool atis, uint8_t byte)
{
    if (atis) return byte >= 0xfc ? 63 * (byte & 3) : -1;
    return byte == 0xff ? 127 : byte == 0xfe ? 0 : -1;
}

/* An address outside means that the machine is out of step, so that nothing after it can be believed. */
static rv_status add_es_event(aer_file *f, bool atis, size_t at, int64_t t)
{
    const uint8_t *b = f->bytes + at;
    int            x = aer_le16(b + 1), y = aer_le16(b + 3);
    if (x >= f->events->width || y >= f->events->height)
        return aer_damaged(f, at, "an event at (%d, %d), allowed are %d x %d pixels", x, y, f->events->width,
                           f->events->height);
    if (atis && (b[0] & 1)) return RV_OK;
    return aer_add(f, at, t, x, f->events->height - 1 - y, atis ? b[0] >> 1 & 1 : b[0] & 1);
}

rv_status aer_read_event_stream(aer_file *f)
{
    TRY(read_es_header(f));
    bool    atis = f->bytes[ES_TYPE] == ES_ATIS;
    int64_t t = 0;
    size_t  at = ES_DATA;
    while (at < f->size) {
        int wait = waiting(atis, f->bytes[at]);
        if (wait < 0 && f->size - at < ES_EVENT) break;
        t += wait >= 0 ? wait : f->bytes[at] >> (atis ? 2 : 1);
        if (wait < 0) TRY(add_es_event(f, atis, at, t));
        at += wait < 0 ? ES_EVENT : 1;
    }
    if (at < f->size) aer_warn_cut_off(f, f->size - at, "an event");
    return RV_OK;
}

/* ---- N-MNIST --------------------------------------------------------------------------------------------------- */

enum { NM_EVENT = 5, NM_SIDE = 34, NM_OVERFLOW_ROW = 240, NM_OVERFLOW_US = 1 << 13, NM_LOOK_AT = 4096 };

static int64_t nm_time(const uint8_t *b) { return (int64_t)(b[2] & 0x7f) << 16 | b[3] << 8 | b[4]; }

/* All rows exist, and of the first times hardly any goes back: of arbitrary bytes every second one would. */
bool aer_looks_like_n_mnist(const aer_file *f)
{
    size_t  n = f->size / NM_EVENT, backward = 0;
    int64_t last = 0, overflow = 0;
    if (n > NM_LOOK_AT) n = NM_LOOK_AT;
    for (size_t i = 0; i < n; i++) {
        const uint8_t *b = f->bytes + NM_EVENT * i;
        if (b[1] > NM_OVERFLOW_ROW) return false;
        if (b[1] == NM_OVERFLOW_ROW) {
            overflow += NM_OVERFLOW_US;
            continue;
        }
        backward += nm_time(b) + overflow < last;
        last = nm_time(b) + overflow;
    }
    return n > 0 && 20 * backward <= n && (n == 1 || last > 0); /* zeros only are no recording */
}

rv_status aer_read_n_mnist(aer_file *f)
{
    int64_t overflow = 0;
    size_t  at = 0;
    for (; at + NM_EVENT <= f->size; at += NM_EVENT) {
        const uint8_t *b = f->bytes + at;
        if (b[1] == NM_OVERFLOW_ROW) overflow += NM_OVERFLOW_US;
        else TRY(aer_add(f, at, nm_time(b) + overflow, b[0], b[1], b[2] >> 7));
    }
    if (at < f->size) aer_warn_cut_off(f, f->size - at, "an event");
    bool digit = f->max_x < NM_SIDE && f->max_y < NM_SIDE; /* images of N-Caltech101 are of many sizes */
    if (digit) f->events->width = f->events->height = NM_SIDE;
    snprintf(f->events->format, sizeof f->events->format, digit ? "N-MNIST" : "N-Caltech101");
    return RV_OK;
}
