/* AEDAT 4.0: the line "#!AER-DAT4.0", a flatbuffer that describes the file, packets, and a table of the packets. The
 * schemas, from iniVation's dv-runtime (a field's number is its place here):
 *
 *   IOHeader (IOHE)       compression 4, dataTablePosition 8 (-1), infoNode text: XML about the streams
 *   EventPacket (EVTS)    elements: [ timestamp 8, x 2, y 2, polarity 1, padding 3 ]
 *   FileDataTable (FTAB)  table: [ FileDataDefinition ]
 *   FileDataDefinition    ByteOffset 8, PacketInfo (stream 4, size 4), NumElements 8, TimestampStart 8, TimestampEnd 8
 *
 * A packet is the number of its stream, its size, 4 bytes each, and a flatbuffer with its length in front, compressed
 * as one frame. Times are Unix time in us. Row 0 is on top, except in files by jAER, which keeps its own: row 0 below.
 *
 * The packets are read one after the other, so that a recording that broke off without its table is read too; the table
 * then serves to check that none is missing. */
#include "io/aer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAGIC = 14, PACKET_HEADER = 8, EVENT = 16, MAX_SIDE = 32767 };

/* ---- the streams: XML ------------------------------------------------------------------------------------------- */

/*   <dv><node name="outInfo"><node name="0">
 *       <attr key="typeIdentifier" type="string">EVTS</attr>
 *       <node name="info"><attr key="sizeX" type="int">346</attr> ... */

typedef struct span {
    const char *text;
    size_t      n;
} span;

typedef struct stream {
    long id;
    char type[16], module[32]; /* "EVTS"; what wrote it */
    long width, height;
} stream;

typedef struct streams {
    char   names[4][32]; /* of the nodes we are inside of    */
    int    depth;
    stream current, events; /* events: the one to be read      */
    int    n_events;     /* streams of events                */
    char   others[80];   /* types of the streams without any */
} streams;

static span until(span s, char c)
{
    const char *end = memchr(s.text, c, s.n);
    return (span){ s.text, end ? (size_t)(end - s.text) : s.n };
}

static span behind(span s, size_t n) { return n < s.n ? (span){ s.text + n, s.n - n } : (span){ s.text + s.n, 0 }; }

static bool starts(span s, const char *word) { return s.n >= strlen(word) && memcmp(s.text, word, strlen(word)) == 0; }

static void copy(span s, char *text, size_t size)
{
    size_t n = s.n < size - 1 ? s.n : size - 1;
    for (size_t i = 0; i < n; i++) text[i] = s.text[i] < ' ' ? '?' : s.text[i]; /* it may get into a sentence */
    text[n] = 0;
}

/* The value of ` key="value"` in a tag; "" if it has none. */
static void tag_value(span tag, const char *key, char *value, size_t size)
{
    *value = 0;
    for (; tag.n; tag = behind(tag, 1)) {
        span rest = behind(tag, 1 + strlen(key) + 1);
        if (tag.text[0] != ' ' || !starts(behind(tag, 1), key) || rest.n == 0) continue;
        if (rest.text[-1] != '=' || (*rest.text != '"' && *rest.text != '\'')) continue;
        copy(until(behind(rest, 1), *rest.text), value, size);
        return;
    }
}

static void enter_node(streams *s, span tag)
{
    char name[32];
    tag_value(tag, "name", name, sizeof name);
    if (s->depth < 4) memcpy(s->names[s->depth], name, sizeof name);
    s->depth += 1;
    if (s->depth == 2) s->current = (stream){ .id = strtol(name, NULL, 10) };
}

static void leave_node(streams *s)
{
    if (s->depth == 2 && strcmp(s->names[0], "outInfo") == 0) {
        size_t used = strlen(s->others);
        bool   events = strcmp(s->current.type, "EVTS") == 0;
        if (events && (s->n_events == 0 || s->current.id < s->events.id)) s->events = s->current;
        if (!events) snprintf(s->others + used, sizeof s->others - used, "%s%.8s", used ? ", " : "", s->current.type);
        s->n_events += events;
    }
    if (s->depth > 0) s->depth -= 1;
}

static void set_attribute(streams *s, span tag, span text)
{
    char key[32], value[32];
    bool info = s->depth == 3 && strcmp(s->names[2], "info") == 0;
    tag_value(tag, "key", key, sizeof key);
    copy(text, value, sizeof value);
    if (s->depth == 2 && strcmp(key, "typeIdentifier") == 0) copy(text, s->current.type, sizeof s->current.type);
    if (s->depth == 2 && strcmp(key, "originalModuleName") == 0)
        copy(text, s->current.module, sizeof s->current.module);
    if (info && strcmp(key, "sizeX") == 0) s->current.width = strtol(value, NULL, 10);
    if (info && strcmp(key, "sizeY") == 0) s->current.height = strtol(value, NULL, 10);
}

static void read_streams(span xml, streams *s)
{
    while (xml = behind(xml, until(xml, '<').n + 1), xml.n) {
        span tag = until(xml, '>'), text = until(behind(xml, tag.n + 1), '<');
        bool empty = tag.n && tag.text[tag.n - 1] == '/';
        if (starts(tag, "node ")) enter_node(s, tag);
        if (starts(tag, "/node") || (starts(tag, "node ") && empty)) leave_node(s);
        if (starts(tag, "attr ") && !empty) set_attribute(s, tag, text);
    }
}

/* ---- the header ------------------------------------------------------------------------------------------------ */

typedef struct aedat4 {
    aer_compression compression;
    size_t          data, end; /* of the packets                          */
    int64_t         table;     /* position of the data table, -1 if none  */
    stream          stream;
    bool            upside_down;
    int64_t         found;     /* events in the packets of the stream     */
    aer_buffer      content;   /* of a compressed packet                  */
} aedat4;

static rv_status choose_stream(aer_file *f, aedat4 *a, span xml)
{
    static const char *const compressions[] = { "not compressed", "LZ4", "LZ4", "ZSTD", "ZSTD" };
    streams s = { .others = "" };
    read_streams(xml, &s);
    if (s.n_events == 0)
        return aer_damaged(f, MAGIC, "no stream of polarity events (EVTS) in this AEDAT 4.0, there is: %s",
                           s.others[0] ? s.others : "none");
    a->stream = s.events;
    if (a->stream.width < 1 || a->stream.width > MAX_SIDE || a->stream.height < 1 || a->stream.height > MAX_SIDE)
        return aer_damaged(f, MAGIC, "stream %ld of events is of %ld x %ld pixels, allowed 1 to %d", a->stream.id,
                           a->stream.width, a->stream.height, MAX_SIDE);
    a->upside_down = strcasecmp(a->stream.module, "jAER") == 0;
    f->events->width = (int)a->stream.width, f->events->height = (int)a->stream.height;
    snprintf(f->events->format, sizeof f->events->format, "AEDAT 4.0, %s", compressions[a->compression]);
    if (s.n_events > 1) aer_warn(f, "of %d streams of events stream %ld was read", s.n_events, a->stream.id);
    return RV_OK;
}

static rv_status read_header(aer_file *f, aedat4 *a)
{
    if (f->size < MAGIC + 4) return aer_damaged(f, f->size, "the file ends inside of the header of an AEDAT 4.0");
    const uint8_t *header = f->bytes + MAGIC, *text;
    size_t         length = aer_le32(header), room = f->size - MAGIC - 4, n;
    int64_t        compression = 0;
    aer_table      root;
    a->table = -1;
    if (length > room)
        return aer_damaged(f, MAGIC, "a header of %zu bytes, of which %zu are there", length, room);
    if (!aer_flat_root(header, length + 4, "IOHE", &root) || !aer_flat_integer(&root, 0, 4, &compression) ||
        !aer_flat_integer(&root, 1, 8, &a->table) || !aer_flat_vector(&root, 2, 1, &text, &n))
        return aer_damaged(f, MAGIC, "the header is not a sound flatbuffer \"IOHE\"");
    if (compression < AER_PLAIN || compression > AER_ZSTD_HIGH)
        return aer_damaged(f, MAGIC, "compression %" PRId64 ", allowed 0 (none) to 4 (ZSTD)", compression);
    a->compression = (aer_compression)compression;
    a->data = MAGIC + 4 + length;
    return choose_stream(f, a, (span){ (const char *)text, n });
}

/* Where the packets end. Programs that could not finish a file leave a table position of -1 or -2. */
static rv_status find_end(aer_file *f, aedat4 *a)
{
    a->end = f->size;
    if (a->table < 0) return RV_OK;
    if (a->table < (int64_t)a->data)
        return aer_damaged(f, MAGIC, "a data table at byte %" PRId64 ", allowed %zu or later", a->table, a->data);
    if (a->table < (int64_t)f->size) a->end = (size_t)a->table;
    else aer_warn(f, "the file is cut off at byte %zu, its data table would be at byte %" PRId64, f->size, a->table);
    return RV_OK;
}

/* ---- packets --------------------------------------------------------------------------------------------------- */

/* The flatbuffer of bytes that may be compressed. */
static rv_status expand(aer_file *f, aedat4 *a, size_t at, size_t size, const uint8_t **content, size_t *length)
{
    *content = f->bytes + at, *length = size;
    if (a->compression == AER_PLAIN) return RV_OK;
    const char *problem = aer_expand(a->compression, f->bytes + at, size, &a->content);
    if (problem) return aer_damaged(f, at, "a packet of %zu bytes cannot be decompressed: %s", size, problem);
    *content = a->content.bytes, *length = a->content.size;
    return RV_OK;
}

static rv_status add_event(aer_file *f, const aedat4 *a, size_t at, const uint8_t *event)
{
    int y = (int16_t)aer_le16(event + 10);
    if (a->upside_down) y = f->events->height - 1 - y;
    return aer_add(f, at, (int64_t)aer_le64(event), (int16_t)aer_le16(event + 8), y, event[12] != 0);
}

static rv_status read_packet(aer_file *f, aedat4 *a, size_t at, size_t size)
{
    const uint8_t *content, *events;
    size_t         length, n;
    aer_table      root;
    TRY(expand(f, a, at, size, &content, &length));
    if (!aer_flat_root(content, length, "EVTS", &root) || !aer_flat_vector(&root, 0, EVENT, &events, &n))
        return aer_damaged(f, at, "a packet of stream %ld is not a sound flatbuffer \"EVTS\"", a->stream.id);
    for (size_t i = 0; i < n; i++) TRY(add_event(f, a, at, events + EVENT * i));
    a->found += (int64_t)n;
    return RV_OK;
}

static rv_status read_packets(aer_file *f, aedat4 *a)
{
    size_t at = a->data;
    while (a->end - at >= PACKET_HEADER) {
        int32_t id = (int32_t)aer_le32(f->bytes + at);
        size_t  size = aer_le32(f->bytes + at + 4), room = a->end - at - PACKET_HEADER;
        if (size > room) break;
        if (id == a->stream.id) TRY(read_packet(f, a, at + PACKET_HEADER, size));
        at += PACKET_HEADER + size;
    }
    if (at == a->end) return RV_OK;
    if (a->end < f->size) return aer_damaged(f, at, "a packet that goes on into the data table at byte %zu", a->end);
    if (a->table < (int64_t)f->size) aer_warn_cut_off(f, f->size - at, "a packet");
    return RV_OK;
}

/* ---- the data table -------------------------------------------------------------------------------------------- */

/* The events of the stream that a line of the table promises. */
static bool promised_by(const aer_table *table, const uint8_t *lines, size_t i, long id, int64_t *promised)
{
    aer_table line;
    int64_t   info = -1, events = 0;
    if (!aer_flat_element(table, lines, i, &line) || !aer_flat_integer(&line, 1, 8, &info) ||
        !aer_flat_integer(&line, 2, 8, &events) || events < 0 || events > UINT32_MAX)
        return false;
    if ((int32_t)info == id) *promised += events;
    return true;
}

/* DV compresses its table like the packets; jAER does not. */
static bool read_table(aer_file *f, aedat4 *a, int64_t *promised)
{
    const uint8_t *content = f->bytes + a->end, *lines;
    size_t         length = f->size - a->end, n;
    aer_table      table;
    if (!aer_flat_root(content, length, "FTAB", &table)) {
        if (a->compression == AER_PLAIN || aer_expand(a->compression, content, length, &a->content)) return false;
        if (!aer_flat_root(a->content.bytes, a->content.size, "FTAB", &table)) return false;
    }
    if (!aer_flat_vector(&table, 0, 4, &lines, &n)) return false;
    for (size_t i = 0; i < n; i++)
        if (!promised_by(&table, lines, i, a->stream.id, promised)) return false;
    return true;
}

static void check_table(aer_file *f, aedat4 *a)
{
    int64_t promised = 0;
    if (a->end == f->size) return;
    if (!read_table(f, a, &promised)) aer_warn(f, "the data table at byte %zu is damaged; the packets are not", a->end);
    else if (promised != a->found)
        aer_warn(f, "the data table promises %" PRId64 " events, the packets hold %" PRId64, promised, a->found);
}

rv_status aer_read_aedat4(aer_file *f)
{
    aedat4    a = { 0 };
    rv_status status = read_header(f, &a);
    if (status == RV_OK) status = find_end(f, &a);
    if (status == RV_OK) status = read_packets(f, &a);
    if (status == RV_OK) check_table(f, &a);
    free(a.content.bytes);
    return status;
}
