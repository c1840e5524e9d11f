/* Writing AEDAT 4.0 as DV does: the flatbuffers of aer_aedat4.c with every table at a place chosen once, so that
 * building one is filling in numbers. Positions count from behind the length that each buffer begins with; numbers of 8
 * bytes then lie on multiples of 8 of the whole. */
#include "io/aer_internal.h"

#include <stdlib.h>
#include <string.h>

enum { PREFIX = 4, EVENT = 16, PACKET_EVENTS = 4096 };

/* A flatbuffer with the identifier, a vtable of n fields, and its root table. */
typedef struct frame {
    const char *identifier;
    int         table;     /* position of the root table      */
    int         n, length; /* of its fields; of the table     */
    int         places[3]; /* of the fields in the table      */
} frame;

static const frame HEADER = { "IOHE", 20, 3, 20, { 4, 8, 16 } }; /* compression, data table, text at position 40 */
static const frame PACKET = { "EVTS", 16, 1, 8, { 4 } };         /* a vector at position 24                      */
static const frame TABLE  = { "FTAB", 16, 1, 8, { 4 } };         /* a vector at position 24                      */
enum { TEXT_AT = 40, VECTOR_AT = 24, LINE_FIELDS = 5, LINE_VTABLE = 14, LINE = 48, LINE_LENGTH = 44 };

/* One line of the data table. */
typedef struct line {
    uint64_t at;                /* of the packet's content in the file */
    uint64_t size, n, from, to; /* bytes, events, us                   */
} line;

typedef struct writer {
    FILE             *file;
    const aer_events *events;
    aer_compression   compression;
    aer_buffer        flat, compressed;
    line             *lines;    /* [n_lines] */
    uint64_t          n_lines, at;
    rv_error         *error;
} writer;

static rv_status reserve(writer *w, size_t size)
{
    if (!aer_buffer_reserve(&w->flat, size)) return error_memory(w->error, "writing a recording", (double)size);
    memset(w->flat.bytes, 0, size);
    w->flat.size = size;
    return RV_OK;
}

/* The part of a flatbuffer that is the same for all of its kind. */
static void put_frame(writer *w, const frame *r)
{
    uint8_t *b = w->flat.bytes + PREFIX, *vtable = b + 8;
    aer_put_le(w->flat.bytes, w->flat.size - PREFIX, 4);
    aer_put_le(b, (uint64_t)r->table, 4);
    memcpy(b + 4, r->identifier, 4);
    aer_put_le(vtable, (uint64_t)(4 + 2 * r->n), 2);
    aer_put_le(vtable + 2, (uint64_t)r->length, 2);
    for (int i = 0; i < r->n; i++) aer_put_le(vtable + 4 + 2 * i, (uint64_t)r->places[i], 2);
    aer_put_le(b + r->table, (uint64_t)(r->table - 8), 4);
}

static void put(writer *w, const void *bytes, size_t size)
{
    fwrite(bytes, size, 1, w->file);
    w->at += size;
}

/* ---- the header ------------------------------------------------------------------------------------------------ */

static rv_status write_header(writer *w, uint64_t table)
{
    static const char *const names[] = { "NONE", "LZ4", "LZ4_HIGH", "ZSTD", "ZSTD_HIGH" };
    char xml[1024];
    int  n = snprintf(xml, sizeof xml,
                      "<dv version=\"2.0\">\n    <node name=\"outInfo\" path=\"/mainloop/Recorder/outInfo/\">\n"
                      "        <node name=\"0\" path=\"/mainloop/Recorder/outInfo/0/\">\n"
                      "            <attr key=\"compression\" type=\"string\">%s</attr>\n"
                      "            <attr key=\"originalModuleName\" type=\"string\">ranvier</attr>\n"
                      "            <attr key=\"originalOutputName\" type=\"string\">events</attr>\n"
                      "            <attr key=\"typeDescription\" type=\"string\">Array of events (polarity ON/OFF)."
                      "</attr>\n"
                      "            <attr key=\"typeIdentifier\" type=\"string\">EVTS</attr>\n"
                      "            <node name=\"info\" path=\"/mainloop/Recorder/outInfo/0/info/\">\n"
                      "                <attr key=\"sizeX\" type=\"int\">%d</attr>\n"
                      "                <attr key=\"sizeY\" type=\"int\">%d</attr>\n"
                      "                <attr key=\"source\" type=\"string\">ranvier</attr>\n"
                      "            </node>\n        </node>\n    </node>\n</dv>\n",
                      names[w->compression], w->events->width, w->events->height);
    TRY(reserve(w, PREFIX + TEXT_AT + 4 + (size_t)n + 1));
    put_frame(w, &HEADER);
    uint8_t *b = w->flat.bytes + PREFIX;
    aer_put_le(b + 24, w->compression, 4);
    aer_put_le(b + 28, table, 8);
    aer_put_le(b + 36, 4, 4);
    aer_put_le(b + TEXT_AT, (uint64_t)n, 4);
    memcpy(b + TEXT_AT + 4, xml, (size_t)n);
    fputs("#!AER-DAT4.0\r\n", w->file);
    w->at = 14;
    put(w, w->flat.bytes, w->flat.size);
    return RV_OK;
}

/* ---- packets --------------------------------------------------------------------------------------------------- */

/* The flatbuffer that was built, compressed if wanted. */
static rv_status pack(writer *w, const aer_buffer **packed)
{
    *packed = &w->flat;
    if (w->compression == AER_PLAIN) return RV_OK;
    const char *problem = aer_compress(w->compression, w->flat.bytes, w->flat.size, &w->compressed);
    *packed = &w->compressed;
    return problem ? error_set(w->error, RV_OUT_OF_MEMORY, "writing a recording: compressing: %s", problem) : RV_OK;
}

static void put_events(writer *w, int64_t first, int64_t n)
{
    const aer_events *e = w->events;
    uint8_t          *b = w->flat.bytes + PREFIX, *event = b + VECTOR_AT + 4;
    aer_put_le(b + 20, 4, 4);
    aer_put_le(b + VECTOR_AT, (uint64_t)n, 4);
    for (int64_t i = first; i < first + n; i++, event += EVENT) {
        aer_put_le(event, (uint64_t)e->t_us[i], 8);
        aer_put_le(event + 8, e->x[i], 2);
        aer_put_le(event + 10, e->y[i], 2);
        event[12] = e->polarity[i] != 0;
    }
}

static rv_status write_packet(writer *w, int64_t first, int64_t n)
{
    const aer_buffer *packed;
    uint8_t           header[8] = { 0 }; /* stream 0 */
    TRY(reserve(w, PREFIX + VECTOR_AT + 4 + EVENT * (size_t)n));
    put_frame(w, &PACKET);
    put_events(w, first, n);
    TRY(pack(w, &packed));
    aer_put_le(header + 4, packed->size, 4);
    put(w, header, sizeof header);
    w->lines[w->n_lines++] = (line){ w->at, packed->size, (uint64_t)n, (uint64_t)w->events->t_us[first],
                                     (uint64_t)w->events->t_us[first + n - 1] };
    put(w, packed->bytes, packed->size);
    return RV_OK;
}

static rv_status write_packets(writer *w)
{
    int64_t n = w->events->n;
    w->lines = malloc((size_t)(n / PACKET_EVENTS + 1) * sizeof *w->lines);
    if (!w->lines) return error_memory(w->error, "writing a recording", (double)n / PACKET_EVENTS * sizeof *w->lines);
    for (int64_t i = 0; i < n; i += PACKET_EVENTS)
        TRY(write_packet(w, i, n - i < PACKET_EVENTS ? n - i : PACKET_EVENTS));
    return RV_OK;
}

/* ---- the data table -------------------------------------------------------------------------------------------- */

static void put_line(uint8_t *b, uint64_t at, uint64_t vtable, const line *l)
{
    uint8_t *t = b + at;
    aer_put_le(t, at - vtable, 4);
    aer_put_le(t + 8, l->size, 4); /* behind stream 0 */
    aer_put_le(t + 12, l->at, 8);
    aer_put_le(t + 20, l->n, 8);
    aer_put_le(t + 28, l->from, 8);
    aer_put_le(t + 36, l->to, 8);
}

static rv_status write_table(writer *w)
{
    static const int places[LINE_FIELDS] = { 12, 4, 20, 28, 36 };
    const aer_buffer *packed;
    uint64_t n = w->n_lines, vtable = VECTOR_AT + 4 + 4 * n, lines = (vtable + LINE_VTABLE + 7) / 8 * 8;
    TRY(reserve(w, PREFIX + lines + LINE * n));
    put_frame(w, &TABLE);
    uint8_t *b = w->flat.bytes + PREFIX;
    aer_put_le(b + 20, 4, 4);
    aer_put_le(b + VECTOR_AT, n, 4);
    aer_put_le(b + vtable, LINE_VTABLE, 2);
    aer_put_le(b + vtable + 2, LINE_LENGTH, 2);
    for (uint64_t i = 0; i < LINE_FIELDS; i++) aer_put_le(b + vtable + 4 + 2 * i, (uint64_t)places[i], 2);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t entry = VECTOR_AT + 4 + 4 * i, at = lines + LINE * i;
        aer_put_le(b + entry, at - entry, 4);
        put_line(b, at, vtable, &w->lines[i]);
    }
    TRY(pack(w, &packed));
    put(w, packed->bytes, packed->size);
    return RV_OK;
}

/* The header comes twice: the place of the table is known when the packets are written. */
static rv_status write_all(writer *w)
{
    TRY(write_header(w, 0));
    TRY(write_packets(w));
    uint64_t table = w->at;
    TRY(write_table(w));
    fseek(w->file, 0, SEEK_SET); /* unlike rewind() it keeps what ferror() will say */
    return write_header(w, table);
}

rv_status aer_write_aedat4(FILE *file, const aer_events *e, aer_compression compression, rv_error *error)
{
    writer    w = { .file = file, .events = e, .compression = compression, .error = error };
    rv_status status = write_all(&w);
    free(w.flat.bytes), free(w.compressed.bytes), free(w.lines);
    return status;
}
