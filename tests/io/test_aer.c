/* Recordings of event cameras: files made by other programs, bytes written down by hand, round trips, what of a
 * recording is wanted, and files that are cut off, damaged, or arbitrary. */
#define _GNU_SOURCE
#include "io/aer.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#define REFERENCE "tests/reference/aer/"

static char folder[64]; /* of this run of the tests */

/* A path that lives until the call after the next. */
static const char *in_folder(const char *name)
{
    static char paths[2][128];
    static int  turn;
    turn = !turn;
    snprintf(paths[turn], sizeof paths[turn], "%s/%s", folder, name);
    return paths[turn];
}

static int begin(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test_aer_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    char command[96];
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command);
}

/* ---- files and events ------------------------------------------------------------------------------------------ */

typedef struct event {
    int64_t t;
    int     x, y, on;
} event;

static const char *file_of(const void *bytes, size_t size)
{
    const char *path = in_folder("file");
    unlink(path); /* some file systems wait for the disk when a file is overwritten */
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) fail_msg("cannot write %s", path);
    return path;
}

static uint8_t *bytes_of(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("cannot open %s", path);
    uint8_t *bytes = malloc(1 << 16);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static aer_events *read_with(const char *path, const aer_options *options)
{
    aer_events *e;
    rv_error    error = { 0 };
    if (aer_read(path, options, &e, &error) != RV_OK) fail_msg("%s", error.text);
    return e;
}

static aer_events *read_all(const char *path) { return read_with(path, NULL); }

static void ensure_text(const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0) fail_msg("expected the text \"%s\", got \"%s\"", expected, got);
}

/* A text that contains the other. */
static void ensure_says(const char *got, const char *expected)
{
    if (!strstr(got, expected)) fail_msg("expected a text with \"%s\", got \"%s\"", expected, got);
}

static void ensure_events(const aer_events *got, const event *expected, int64_t n)
{
    if (got->n != n) fail_msg("%s: expected %" PRId64 " events, got %" PRId64, got->format, n, got->n);
    for (int64_t i = 0; i < n; i++) {
        event g = { got->t_us[i], got->x[i], got->y[i], got->polarity[i] }, e = expected[i];
        if (g.t != e.t || g.x != e.x || g.y != e.y || g.on != e.on)
            fail_msg("%s, event %" PRId64 ": expected (%d, %d) %s at %" PRId64 " us, got (%d, %d) %s at %" PRId64 " us",
                     got->format, i, e.x, e.y, e.on ? "ON" : "OFF", e.t, g.x, g.y, g.on ? "ON" : "OFF", g.t);
        if (g.x >= got->width || g.y >= got->height)
            fail_msg("%s, event %" PRId64 " at (%d, %d) of %d x %d pixels", got->format, i, g.x, g.y, got->width, got->height);
    }
}

static void ensure_refused(const char *path, const aer_options *options, rv_status expected, const char *text)
{
    aer_events *e;
    rv_error    error = { 0 };
    rv_status   status = aer_read(path, options, &e, &error);
    if (status != expected) fail_msg("expected status %d, got %d: %s", expected, status, error.text);
    assert_null(e);
    ensure_says(error.text, text);
}

/* Reads bytes that must be these events, then forgets them. */
static void ensure_bytes(const void *bytes, size_t size, const event *expected, int64_t n, const char *warning)
{
    aer_events *e = read_all(file_of(bytes, size));
    ensure_events(e, expected, n);
    ensure_text(e->warning, warning);
    aer_free(e);
}

/* Changes one text of a file, the first behind another text; its length stays. @return the bytes, to be freed */
static uint8_t *changed(const char *path, const char *behind, const char *from, const char *to, size_t *size)
{
    uint8_t *bytes = bytes_of(path, size), *start = memmem(bytes, *size, behind, strlen(behind));
    uint8_t *at = start ? memmem(start, *size - (size_t)(start - bytes), from, strlen(from)) : NULL;
    if (!at) fail_msg("no \"%s\" in %s", from, path);
    memcpy(at, to, strlen(to));
    return bytes;
}

/* ---- files made by other programs ------------------------------------------------------------------------------- */

enum { STEPS = 12, ROWS = 10, BAR = 2 * STEPS * ROWS };

/* A bar of 4 x 10 pixels that goes to the right, one column per ms; its right edge is ON, its left edge OFF. All
 * reference files show it (README there). */
static void bar(int64_t t0, event e[BAR])
{
    for (int step = 0, k = 0; step < STEPS; step++) {
        for (int row = 0; row < ROWS; row++) {
            int64_t t = t0 + 1000 * step + 90 * row;
            e[k++] = (event){ t, 8 + step, 5 + row, 1 };
            e[k++] = (event){ t + 40, 4 + step, 5 + row, 0 };
        }
    }
}

static const struct reference {
    const char *path, *format, *summary;
    int64_t     t0;
    int         width, height;
} references[] = {
    { REFERENCE "bar_dvs128.aedat", "AEDAT 2.0, DVS128", "AEDAT 2.0, 128 x 128, 240 events, 11.8 ms", 5000000, 128, 128 },
    { REFERENCE "bar_davis346.aedat", "AEDAT 2.0, DAVIS346", "AEDAT 2.0, 346 x 260, 240 events, 11.8 ms", 2147477648, 346, 260 },
    { REFERENCE "bar.aedat", "AEDAT 3.1, DAVIS346", "AEDAT 3.1, 346 x 260, 240 events, 11.8 ms", 2147477648, 346, 260 },
    { REFERENCE "bar.aedat4", "AEDAT 4.0, not compressed", "AEDAT 4.0, 346 x 260, 240 events, 11.8 ms", 1600000000000000, 346, 260 },
    { REFERENCE "bar_lz4.aedat4", "AEDAT 4.0, LZ4", "AEDAT 4.0, 346 x 260, 240 events, 11.8 ms", 1600000000000000, 346, 260 },
    { REFERENCE "bar_zstd.aedat4", "AEDAT 4.0, ZSTD", "AEDAT 4.0, 346 x 260, 240 events, 11.8 ms", 1600000000000000, 346, 260 },
    { REFERENCE "bar_dvs.es", "Event Stream 2.0, DVS", "Event Stream 2.0, 320 x 240, 240 events, 11.8 ms", 300, 320, 240 },
    { REFERENCE "bar_atis.es", "Event Stream 2.0, ATIS", "Event Stream 2.0, 304 x 240, 240 events, 11.8 ms", 300, 304, 240 },
    { REFERENCE "bar.bin", "N-MNIST", "N-MNIST, 34 x 34, 240 events, 11.8 ms", 2000, 34, 34 },
};
enum { REFERENCES = sizeof references / sizeof *references };

static void test_files_of_other_programs(void **state)
{
    (void)state;
    for (int i = 0; i < REFERENCES; i++) {
        const struct reference *r = &references[i];
        event                   expected[BAR];
        aer_events             *e = read_all(r->path);
        bar(r->t0, expected);
        ensure_events(e, expected, BAR);
        ensure_text(e->format, r->format);
        ensure_text(e->summary, r->summary);
        ensure_text(e->warning, "");
        assert_int_equal(e->begin_us, r->t0);
        assert_int_equal(e->width, r->width);
        assert_int_equal(e->height, r->height);
        aer_free(e);
    }
}

/* ---- bytes by hand ---------------------------------------------------------------------------------------------- */

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Text and data in one array; the text's terminator is not written. */
static const char *file_with_header(const char *text, const uint8_t *data, size_t size)
{
    uint8_t bytes[4096];
    size_t  n = strlen(text);
    memcpy(bytes, text, n);
    memcpy(bytes + n, data, size);
    return file_of(bytes, n + size);
}

static void ensure_text_and_bytes(const char *text, const uint8_t *data, size_t size, const event *expected, int64_t n,
                                  const char *warning)
{
    aer_events *e = read_all(file_with_header(text, data, size));
    ensure_events(e, expected, n);
    ensure_text(e->warning, warning);
    aer_free(e);
}

static void test_dvs128_bytes(void **state)
{
    (void)state;
    const char *header = "#!AER-DAT2.0\r\n# a line\r\n# AEChip: ch.unizh.ini.jaer.chip.retina.DVS128\r\n";
    /* row bits 14-8 from below, column bits 7-1 from the right, bit 0: 0 is ON */
    ensure_text_and_bytes(header, BYTES(0, 0, 0, 0, 0, 0, 0, 10,            /* raw (0, 0), ON               */
                                        0, 0, 0x7f, 0xff, 0, 0, 1, 0,       /* raw (127, 127), OFF          */
                                        0, 0, 0x80, 0, 0, 0, 1, 1,          /* bit 15: a pulse, not a pixel */
                                        0x80, 0, 0, 0, 0, 0, 1, 1,          /* bit 31: special              */
                                        0, 0, 0x02, 0x06, 0, 0, 1, 2),      /* row 2, column 3, ON          */
                          (event[]){ { 10, 127, 127, 1 }, { 256, 0, 0, 0 }, { 258, 124, 125, 1 } }, 3, "");
}

static void test_davis_bytes(void **state)
{
    (void)state;
    const char *header = "#!AER-DAT2.0\n# AEChip: eu.seebetter.ini.chips.davis.DAVIS240C\n#End Of ASCII Header\n";
    /* raw (1, 2) with polarity 1 is 2 << 22 | 1 << 12 | 1 << 11; the first byte of row 140 is that of '#' */
    ensure_text_and_bytes(header, BYTES(0x00, 0x80, 0x18, 0x00, 0, 0, 0, 5, 0x23, 0x00, 0x00, 0x00, 0, 0, 0, 6,
                                        0x80, 0x80, 0x18, 0x00, 0, 0, 0, 7,  /* a frame's pixel             */
                                        0x90, 0x12, 0x3c, 0x00, 0, 0, 0, 7,  /* an inertial sample          */
                                        0x00, 0x00, 0x04, 0x00, 0, 0, 0, 8), /* a pulse                     */
                          (event[]){ { 5, 238, 177, 1 }, { 6, 239, 39, 0 } }, 2, "");
    /* without the line that ends the header, data that begin with '#' are still data: they hold control characters */
    ensure_text_and_bytes("#!AER-DAT2.0\r\n# AEChip: DAVIS240C\r\n", BYTES(0x23, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 10),
                          (event[]){ { 6, 239, 39, 0 }, { 10, 239, 179, 0 } }, 2, "");
}

/* The clock of 32 bits begins again; jAER takes it as a number with a sign. */
static void test_aedat2_clock(void **state)
{
    (void)state;
    const char *header = "#!AER-DAT2.0\r\n# AEChip: DVS128\r\n";
    ensure_text_and_bytes(header, BYTES(0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 1),
                          (event[]){ { -2, 127, 127, 1 }, { 1, 127, 127, 1 } }, 2, "");
    ensure_text_and_bytes(header, BYTES(0, 0, 0, 0, 0x7f, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
                          (event[]){ { 0x7f000000, 127, 127, 1 }, { 0xf0000000, 127, 127, 1 }, { 0x100000001, 127, 127, 1 } },
                          3, "");
}

static void test_aedat2_without_camera(void **state)
{
    (void)state;
    ensure_text_and_bytes("#!AER-DAT2.0\r\n", BYTES(0, 0, 0, 0, 0, 0, 0, 1), (event[]){ { 1, 127, 127, 1 } }, 1,
                          "the header names no camera; from its addresses it was taken for a DVS128");
    /* raw (1, 2) fits on a DAVIS240, raw (300, 2) no more */
    ensure_text_and_bytes("#!AER-DAT2.0\r\n", BYTES(0, 0x80, 0x18, 0, 0, 0, 0, 1), (event[]){ { 1, 238, 177, 1 } }, 1,
                          "the header names no camera; from its addresses it was taken for a DAVIS240");
    ensure_text_and_bytes("#!AER-DAT2.0\r\n", BYTES(0, 0x92, 0xc8, 0, 0, 0, 0, 1), (event[]){ { 1, 45, 257, 1 } }, 1,
                          "the header names no camera; from its addresses it was taken for a DAVIS346");
}

#define HEADER_31 "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS240C\r\n#Start-Time: 2020-01-01 00:00:00 (TZ+0000)\r\n#!END-HEADER\r\n"
#define LE32(x) (x) & 0xff, (x) >> 8 & 0xff, (x) >> 16 & 0xff, (x) >> 24 & 0xff
#define PACKET_31(type, source, size, overflow, n) type, 0, source, 0, LE32(size), LE32(4), LE32(overflow), LE32(n), LE32(n), LE32(n)
#define EVENT_31(x, y, on, valid, t) LE32((unsigned)(x) << 17 | (y) << 2 | (on) << 1 | (valid)), LE32(t)

static void test_aedat3_bytes(void **state)
{
    (void)state;
    ensure_text_and_bytes(HEADER_31,
                          BYTES(PACKET_31(1, 1, 8, 0, 2), 0x03, 0x00, 0x02, 0x00, 0x07, 0, 0, 0, /* (1, 0) ON at 7         */
                                0x09, 0x00, 0x04, 0x00, 0x08, 0, 0, 0,                           /* (2, 2) OFF at 8        */
                                PACKET_31(1, 1, 8, 3, 2), EVENT_31(4, 5, 1, 0, 1), EVENT_31(6, 7, 0, 1, 2)),
                          (event[]){ { 7, 1, 0, 1 }, { 8, 2, 2, 0 }, { (3LL << 31) + 2, 6, 7, 0 } }, 3, "");
}

static void test_aedat3_reset_and_sources(void **state)
{
    (void)state;
    ensure_text_and_bytes(HEADER_31,
                          BYTES(PACKET_31(1, 1, 8, 0, 1), EVENT_31(1, 1, 1, 1, 1000), PACKET_31(0, 1, 8, 0, 1),
                                LE32(1 | 1 << 1), LE32(0x7fffffff), PACKET_31(1, 1, 8, 0, 1), EVENT_31(1, 1, 1, 1, 5)),
                          (event[]){ { 1000, 1, 1, 1 }, { 1005, 1, 1, 1 } }, 2,
                          "the camera's clock was reset 1 times; times go on from there");
    ensure_text_and_bytes(HEADER_31,
                          BYTES(PACKET_31(1, 2, 8, 0, 1), EVENT_31(1, 1, 1, 1, 1000), PACKET_31(1, 1, 8, 0, 1),
                                EVENT_31(2, 2, 1, 1, 2000)),
                          (event[]){ { 1000, 1, 1, 1 } }, 1, "events of other cameras than source 2 were left out");
}

static void test_aedat3_unknown_camera(void **state)
{
    (void)state;
    aer_events *e = read_all(file_with_header("#!AER-DAT3.1\r\n#Source 1: DVXplorer\r\n#!END-HEADER\r\n",
                                              BYTES(PACKET_31(1, 1, 8, 0, 1), EVENT_31(319, 99, 1, 1, 1000))));
    assert_int_equal(e->width, 320);
    assert_int_equal(e->height, 100);
    ensure_text(e->summary, "AEDAT 3.1, 320 x 100, 1 events, 0.0 ms");
    aer_free(e);
}

static void test_event_stream_bytes(void **state)
{
    (void)state;
    const char *header = "Event Stream";
    ensure_text_and_bytes(header,
                          BYTES(2, 0, 0, 1, 10, 0, 20, 0,    /* DVS of 10 x 20 pixels                  */
                                0x03, 1, 0, 2, 0,            /* 1 us, ON at (1, 2) from below          */
                                0xff, 0xff, 0x04, 9, 0, 19, 0, /* 2 x 127 + 2 us, OFF                  */
                                0xfe, 0xfe, 0x01, 0, 0, 0, 0), /* resets; 0 us                         */
                          (event[]){ { 1, 1, 17, 1 }, { 257, 9, 0, 0 }, { 257, 0, 19, 1 } }, 3, "");
    ensure_text_and_bytes(header,
                          BYTES(2, 3, 1, 2, 0, 1, 20, 0,     /* ATIS of 256 x 20 pixels, version 2.3   */
                                0x06, 1, 0, 2, 0,            /* 1 us, bit 1: ON                        */
                                0xff, 0xfd, 0x08, 9, 0, 19, 0, /* 4 x 63 + 2 us, OFF                   */
                                0x0b, 3, 0, 3, 0,            /* 2 us later an exposure measurement     */
                                0xfc, 0x06, 255, 0, 0, 0),   /* 1 us after that                        */
                          (event[]){ { 1, 1, 17, 1 }, { 255, 9, 0, 0 }, { 258, 255, 19, 1 } }, 3, "");
}

static void test_n_mnist_bytes(void **state)
{
    (void)state;
    ensure_bytes(BYTES(1, 2, 0x80, 0x01, 0x02, 33, 3, 0x01, 0x00, 0x00, 0, 240, 0, 0, 0, 5, 6, 0x81, 0, 1),
                 (event[]){ { 258, 1, 2, 1 }, { 65536, 33, 3, 0 }, { 65537 + 8192, 5, 6, 1 } }, 3, "");
    aer_events *e = read_all(file_of(BYTES(100, 179, 0, 0, 1, 3, 3, 0, 0, 2)));
    ensure_text(e->summary, "N-Caltech101, 101 x 180, 2 events, 0.0 ms");
    aer_free(e);
}

/* jAER counts rows from below in AEDAT 4.0 too. */
static void test_aedat4_by_jaer(void **state)
{
    (void)state;
    size_t   size;
    uint8_t *bytes = changed(REFERENCE "bar.aedat4", ">TRIG<", ">capture</attr>", ">jAER</attr>   ", &size);
    event    expected[BAR];
    bar(1600000000000000, expected);
    for (int i = 0; i < BAR; i++) expected[i].y = 259 - expected[i].y;
    ensure_bytes(bytes, size, expected, BAR, "");
    free(bytes);
}

static void test_aedat4_streams(void **state)
{
    (void)state;
    size_t   size;
    event    expected[BAR];
    uint8_t *bytes = changed(REFERENCE "bar.aedat4", "AER", ">TRIG<", ">EVTS<", &size);
    ensure_refused(file_of(bytes, size), NULL, RV_FILE_ERROR, "stream 0 of events is of 0 x 0 pixels"); /* the smallest */
    memcpy(memmem(bytes, size, "name=\"0\"", 8), "name=\"7\"", 8);
    bar(1600000000000000, expected);
    ensure_bytes(bytes, size, expected, BAR, "of 2 streams of events stream 1 was read");
    free(bytes);

    bytes = bytes_of(REFERENCE "bar.aedat4", &size); /* the first packet is given to another stream */
    size_t first = 18 + (size_t)(bytes[14] | bytes[15] << 8);
    assert_int_equal(bytes[first], 1);
    bytes[first] = 5;
    ensure_bytes(bytes, size, expected + 100, BAR - 100, "the data table promises 240 events, the packets hold 140");
    free(bytes);
}

/* What is written is what the format's description says. */
static void ensure_written(aer_format format, int width, int height, const char *text, const uint8_t *expected, size_t size)
{
    int64_t    t[] = { 100, 300 };
    uint16_t   x[] = { 1, 0 }, y[] = { 2, 0 };
    uint8_t    on[] = { 1, 0 };
    aer_events e = { .width = width, .height = height, .begin_us = 100, .n = 2, .t_us = t, .x = x, .y = y, .polarity = on };
    rv_error   error = { 0 };
    if (aer_write(in_folder("written"), format, &e, &error) != RV_OK) fail_msg("%s", error.text);
    size_t   got_size, n = strlen(text);
    uint8_t *got = bytes_of(in_folder("written"), &got_size);
    if (got_size != n + size || memcmp(got, text, n) != 0) fail_msg("format %d: expected %zu bytes, got %zu", format, n + size, got_size);
    for (size_t i = 0; i < size; i++)
        if (got[n + i] != expected[i]) fail_msg("format %d, byte %zu: expected %d, got %d", format, n + i, expected[i], got[n + i]);
    free(got);
}

static void test_written_bytes(void **state)
{
    (void)state;
    ensure_written(AER_EVENT_STREAM, 10, 20, "Event Stream", BYTES(2, 0, 0, 1, 10, 0, 20, 0, 0x01, 1, 0, 17, 0, 0xff, 73 << 1, 0, 0, 19, 0));
    ensure_written(AER_N_MNIST, 34, 34, "", BYTES(1, 2, 0x80, 0, 0, 0, 0, 0, 0, 200));
    ensure_written(AER_AEDAT_2, 128, 128,
                   "#!AER-DAT2.0\r\n# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n"
                   "# Timestamps tick: 1 us\r\n# AEChip: DVS128\r\n#End Of ASCII Header\r\n",
                   BYTES(0, 0, 0x7d, 0xfc, 0, 0, 0, 100, 0, 0, 0x7f, 0xff, 0, 0, 1, 0x2c));
    ensure_written(AER_AEDAT_3, 240, 180,
                   "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DAVIS240\r\n#Start-Time: 1970-01-01 00:00:00 (TZ+0000)\r\n"
                   "#!END-HEADER\r\n",
                   BYTES(PACKET_31(1, 1, 8, 0, 2), EVENT_31(1, 2, 1, 1, 100), EVENT_31(0, 0, 0, 1, 300)));
}

/* ---- round trips ------------------------------------------------------------------------------------------------ */

/* Numbers without pattern (Marsaglia 2003, xorshift32). */
static uint32_t draw(uint32_t *seed)
{
    *seed ^= *seed << 13, *seed ^= *seed >> 17, *seed ^= *seed << 5;
    return *seed;
}

static aer_events *random_events(int width, int height, int64_t n, int64_t t0, uint32_t pause, uint32_t seed)
{
    aer_events *e = calloc(1, sizeof *e);
    e->width = width, e->height = height, e->n = n, e->begin_us = t0;
    e->t_us = malloc((size_t)n * sizeof *e->t_us), e->polarity = malloc((size_t)n);
    e->x = malloc((size_t)n * sizeof *e->x), e->y = malloc((size_t)n * sizeof *e->y);
    for (int64_t i = 0; i < n; i++) {
        e->t_us[i] = t0 += i ? draw(&seed) % pause : 0;
        e->x[i] = (uint16_t)(draw(&seed) % (uint32_t)width), e->y[i] = (uint16_t)(draw(&seed) % (uint32_t)height);
        e->polarity[i] = draw(&seed) >> 7 & 1;
    }
    return e;
}

/* @param shift what is missing of the times when they come back */
static void ensure_round_trip(aer_format format, aer_events *e, int64_t shift)
{
    rv_error error = { 0 };
    if (aer_write(in_folder("round"), format, e, &error) != RV_OK) fail_msg("%s", error.text);
    aer_events *got = read_all(in_folder("round"));
    event      *expected = malloc((size_t)e->n * sizeof *expected);
    for (int64_t i = 0; i < e->n; i++) expected[i] = (event){ e->t_us[i] - shift, e->x[i], e->y[i], e->polarity[i] };
    ensure_events(got, expected, e->n);
    ensure_text(got->warning, "");
    assert_int_equal(got->width, e->width);
    assert_int_equal(got->height, e->height);
    free(expected);
    aer_free(e), aer_free(got);
}

static void test_round_trips(void **state)
{
    (void)state;
    enum { N = 10000 };
    const int64_t unix_us = 1750000000000000, hour = 3600000000;
    ensure_round_trip(AER_AEDAT_2, random_events(128, 128, N, 77, 200, 1), 0);
    ensure_round_trip(AER_AEDAT_2, random_events(208, 192, N, 77, 200, 1), 0);
    ensure_round_trip(AER_AEDAT_2, random_events(240, 180, N, 0, 200, 2), 0);
    ensure_round_trip(AER_AEDAT_2, random_events(346, 260, N, unix_us, 20000000, 3), unix_us); /* 27 hours */
    ensure_round_trip(AER_AEDAT_2, random_events(640, 480, N, -hour, 200, 4), -hour);
    ensure_round_trip(AER_AEDAT_3, random_events(346, 260, N, 3 * hour, 1000000, 5), 0);
    ensure_round_trip(AER_AEDAT_3, random_events(240, 180, N, -hour, 200, 6), -hour);
    ensure_round_trip(AER_AEDAT_3, random_events(128, 128, N, unix_us, 200, 7), 0);
    for (aer_format format = AER_AEDAT_4; format <= AER_AEDAT_4_ZSTD; format++) {
        ensure_round_trip(format, random_events(1280, 720, N, unix_us, 200, 8), 0);
        ensure_round_trip(format, random_events(3, 32767, 1, -hour, 200, 9), 0);
        ensure_round_trip(format, random_events(640, 480, 0, 0, 200, 10), 0);
    }
    ensure_round_trip(AER_EVENT_STREAM, random_events(1280, 720, N, 0, 500, 11), 0);
    ensure_round_trip(AER_EVENT_STREAM, random_events(65535, 1, N, unix_us, 500, 12), unix_us);
    ensure_round_trip(AER_N_MNIST, random_events(34, 34, N, 100, 60, 13), 100);
}

static void ensure_not_written(aer_format format, aer_events *e, const char *text)
{
    rv_error error = { 0 };
    remove(in_folder("refused"));
    assert_int_equal(aer_write(in_folder("refused"), format, e, &error), RV_OUT_OF_RANGE);
    ensure_says(error.text, text);
    assert_int_not_equal(access(in_folder("refused"), F_OK), 0);
    aer_free(e);
}

static void test_writing_refused(void **state)
{
    (void)state;
    ensure_not_written(AER_AEDAT_2, random_events(100, 100, 3, 0, 10, 1), "100 x 100 pixels, allowed are those of a camera");
    ensure_not_written(AER_AEDAT_2, random_events(128, 128, 9, 0, UINT32_MAX, 1), "allowed from");
    ensure_not_written(AER_N_MNIST, random_events(300, 34, 3, 0, 10, 1), "300 x 34 pixels, allowed 1 x 1 to 256 x 240");
    ensure_not_written(AER_N_MNIST, random_events(34, 34, 100, 0, 200000, 1), "s, allowed 0 to 8.388607 s");
    ensure_not_written(AER_N_MNIST, random_events(34, 34, 0, 0, 10, 1), "no event, allowed 1 or more");
    ensure_not_written(AER_AEDAT_4, random_events(0, 34, 0, 0, 10, 1), "0 x 34 pixels");
    ensure_not_written((aer_format)99, random_events(3, 3, 3, 0, 10, 1), "format 99, allowed 0 to 6");

    aer_events *e = random_events(8, 8, 3, 0, 10, 1);
    e->t_us[1] = e->t_us[0] - 1;
    ensure_not_written(AER_EVENT_STREAM, e, "event 1 at -1 us, allowed from 0 us (the event before)");
    e = random_events(8, 8, 3, 0, 10, 1);
    e->x[2] = 8;
    ensure_not_written(AER_EVENT_STREAM, e, "event 2 at (8,");
    e = random_events(8, 8, 3, 0, 10, 1);
    e->begin_us = INT64_MIN;
    ensure_not_written(AER_EVENT_STREAM, e, "the begin at -9223372036854775808 us");

    rv_error error = { 0 };
    e = random_events(8, 8, 3, 0, 10, 1);
    assert_int_equal(aer_write("/nowhere/at/all.es", AER_EVENT_STREAM, e, &error), RV_FILE_ERROR);
    ensure_text(error.text, "file \"/nowhere/at/all.es\" cannot be written: No such file or directory");
    if (access("/dev/full", W_OK) == 0) { /* whether a full disk is noticed, also behind the second header */
        assert_int_equal(symlink("/dev/full", in_folder("full.part")), 0);
        for (aer_format format = AER_AEDAT_4; format <= AER_EVENT_STREAM; format++) {
            assert_int_equal(aer_write(in_folder("full"), format, e, &error), RV_FILE_ERROR);
            ensure_says(error.text, "No space left on device");
            assert_int_equal(access(in_folder("full"), F_OK), -1);
            assert_int_equal(symlink("/dev/full", in_folder("full.part")), 0);
        }
    }
    aer_free(e);
}

/* ---- what of a recording is wanted ------------------------------------------------------------------------------ */

/* The bar again, as a predicate would select it. */
static void ensure_selected(const aer_options *options, bool (*wanted)(const event *), int dx, int dy, int width, int height)
{
    event       all[BAR], expected[BAR];
    int64_t     n = 0;
    aer_events *e = read_with(REFERENCE "bar_lz4.aedat4", options);
    bar(1600000000000000, all);
    for (int i = 0; i < BAR; i++)
        if (wanted(&all[i])) expected[n++] = (event){ all[i].t, all[i].x - dx, all[i].y - dy, all[i].on };
    ensure_events(e, expected, n);
    assert_int_equal(e->width, width);
    assert_int_equal(e->height, height);
    assert_int_equal(e->begin_us, 1600000000000000);
    ensure_text(e->summary, "AEDAT 4.0, 346 x 260, 240 events, 11.8 ms");
    aer_free(e);
}

static bool is_on(const event *e) { return e->on; }
static bool is_off(const event *e) { return !e->on; }
static bool is_between(const event *e) { return e->t >= 1600000000002000 && e->t < 1600000000004040; }
static bool is_late(const event *e) { return e->t >= 1600000000005000; }
static bool is_in_crop(const event *e) { return e->x >= 10 && e->x < 15 && e->y >= 7 && e->y < 10; }
static bool is_right_of(const event *e) { return e->x >= 10 && e->y >= 7; }

static void test_selection(void **state)
{
    (void)state;
    ensure_selected(&(aer_options){ .polarity = AER_ON }, is_on, 0, 0, 346, 260);
    ensure_selected(&(aer_options){ .polarity = AER_OFF }, is_off, 0, 0, 346, 260);
    ensure_selected(&(aer_options){ .from_ms = 2, .to_ms = 4.04 }, is_between, 0, 0, 346, 260);
    ensure_selected(&(aer_options){ .from_ms = 5 }, is_late, 0, 0, 346, 260);
    ensure_selected(&(aer_options){ .crop_x = 10, .crop_y = 7, .crop_width = 5, .crop_height = 3 }, is_in_crop, 10, 7, 5, 3);
    ensure_selected(&(aer_options){ .crop_x = 10, .crop_y = 7 }, is_right_of, 10, 7, 336, 253);

    aer_events *e = read_with(REFERENCE "bar.bin", &(aer_options){ .polarity = AER_MERGED, .max_events = 33 });
    assert_int_equal(e->n, 33);
    for (int64_t i = 0; i < e->n; i++) assert_int_equal(e->polarity[i], 1);
    aer_free(e);
}

static void test_downsampling(void **state)
{
    (void)state;
    event all[BAR];
    bar(2000, all);
    aer_events *e = read_with(REFERENCE "bar.bin", &(aer_options){ .block = 4 });
    for (int i = 0; i < BAR; i++) all[i].x /= 4, all[i].y /= 4;
    ensure_events(e, all, BAR);
    assert_int_equal(e->width, 9); /* 34 / 4, the last block of two columns */
    assert_int_equal(e->height, 9);
    aer_free(e);
}

/* Of the events of a block and polarity the third, sixth, ... stay, each with its own time. */
static void test_thinning(void **state)
{
    (void)state;
    event   all[BAR], expected[BAR];
    int     counts[9][9][2] = { 0 };
    int64_t n = 0;
    bar(2000, all);
    for (int i = 0; i < BAR; i++) {
        event *v = &all[i];
        v->x /= 4, v->y /= 4;
        if (++counts[v->y][v->x][v->on] % 3 == 0) expected[n++] = *v;
    }
    aer_events *e = read_with(REFERENCE "bar.bin", &(aer_options){ .block = 4, .every = 3 });
    ensure_events(e, expected, n);
    aer_free(e);

    e = read_with(REFERENCE "bar.bin", &(aer_options){ .block = 34, .every = 7, .polarity = AER_MERGED });
    assert_int_equal(e->n, BAR / 7); /* one pixel, ON and OFF together */
    aer_free(e);
}

static void test_options_refused(void **state)
{
    (void)state;
    const char *path = REFERENCE "bar.bin";
    ensure_refused(path, &(aer_options){ .polarity = 9 }, RV_OUT_OF_RANGE, "polarity = 9, allowed 0 to 3 (merged)");
    ensure_refused(path, &(aer_options){ .from_ms = -1 }, RV_OUT_OF_RANGE, "the begin of the time window = -1 ms");
    ensure_refused(path, &(aer_options){ .from_ms = 0.0 / 0.0 }, RV_OUT_OF_RANGE, "the begin of the time window");
    ensure_refused(path, &(aer_options){ .from_ms = 5, .to_ms = 5 }, RV_OUT_OF_RANGE, "the end of the time window = 5 ms");
    ensure_refused(path, &(aer_options){ .crop_x = 34 }, RV_OUT_OF_RANGE, "columns from pixel 34, allowed 0 to 33");
    ensure_refused(path, &(aer_options){ .crop_y = -1 }, RV_OUT_OF_RANGE, "rows from pixel -1, allowed 0 to 33");
    ensure_refused(path, &(aer_options){ .crop_x = 30, .crop_width = 5 }, RV_OUT_OF_RANGE,
                   "columns of 5 pixels from pixel 30, allowed 1 to 4");
    ensure_refused(path, &(aer_options){ .block = 1025 }, RV_OUT_OF_RANGE, "block = 1025 pixels, allowed 1 to 1024 pixels");
    ensure_refused(path, &(aer_options){ .every = -2 }, RV_OUT_OF_RANGE, "every = -2");
    ensure_refused(path, &(aer_options){ .max_events = -1 }, RV_OUT_OF_RANGE, "max_events = -1");
    const uint8_t huge[] = "Event Stream\2\0\0\1\xff\xff\xff\xff\1\0\0\0";
    ensure_refused(file_of(huge, sizeof huge), &(aer_options){ .every = 2 }, RV_OUT_OF_RANGE, "65535 x 65535 pixels, allowed 16777216");
}

/* ---- what is put up with ---------------------------------------------------------------------------------------- */

static void test_times_are_sorted(void **state)
{
    (void)state;
    ensure_text_and_bytes(HEADER_31,
                          BYTES(PACKET_31(1, 1, 8, 0, 6), EVENT_31(1, 0, 1, 1, 50), EVENT_31(2, 0, 1, 1, 40),
                                EVENT_31(3, 0, 1, 1, 60), EVENT_31(4, 0, 1, 1, 40), EVENT_31(5, 0, 1, 1, 50),
                                EVENT_31(6, 0, 1, 1, 10)),
                          (event[]){ { 10, 6, 0, 1 }, { 40, 2, 0, 1 }, { 40, 4, 0, 1 }, { 50, 1, 0, 1 }, { 50, 5, 0, 1 },
                                     { 60, 3, 0, 1 } }, 6,
                          "3 events were earlier than the one before them; all were sorted by time");
}

/* A long one, so that the runs that are merged have all lengths: x says where an event stood among its equals. */
static void test_sorting_is_stable(void **state)
{
    (void)state;
    enum { N = 5000, TIMES = 50 };
    static uint8_t bytes[28 + 8 * N] = { PACKET_31(1, 1, 8, 0, N) };
    uint32_t       seed = 3;
    int            counts[TIMES] = { 0 };
    for (int i = 0; i < N; i++) {
        uint32_t t = draw(&seed) % TIMES;
        memcpy(bytes + 28 + 8 * i, (uint8_t[]){ EVENT_31(counts[t], 0, 1, 1, t) }, 8);
        counts[t]++;
    }
    char *whole = malloc(200 + sizeof bytes);
    int   n = sprintf(whole, "#!AER-DAT3.1\r\n#!END-HEADER\r\n");
    memcpy(whole + n, bytes, sizeof bytes);
    aer_events *e = read_all(file_of(whole, (size_t)n + sizeof bytes));
    assert_int_equal(e->n, N);
    for (int i = 0, t = 0, k = 0; i < N; i++, k++) {
        if (k == counts[t]) t++, k = 0;
        if (e->t_us[i] != t || e->x[i] != k)
            fail_msg("event %d: expected number %d at %d us, got %d at %" PRId64 " us", i, k, t, e->x[i], e->t_us[i]);
    }
    aer_free(e);
    free(whole);
}

static void test_outside_is_left_out(void **state)
{
    (void)state;
    ensure_text_and_bytes(HEADER_31, BYTES(PACKET_31(1, 1, 8, 0, 3), EVENT_31(240, 0, 1, 1, 1), EVENT_31(239, 179, 1, 1, 2),
                                           EVENT_31(0, 180, 1, 1, 3)),
                          (event[]){ { 2, 239, 179, 1 } }, 1, "2 events outside of the 240 x 180 pixels were left out");
}

/* Every prefix of every file: what comes is the beginning of the recording, or a sentence. */
static void test_cut_off(void **state)
{
    (void)state;
    for (int i = 0; i < REFERENCES; i++) {
        size_t   size;
        uint8_t *bytes = bytes_of(references[i].path, &size);
        event    expected[BAR];
        int      partly = 0;
        bar(references[i].t0, expected);
        for (size_t n = 0; n < size; n++) {
            aer_events *e;
            rv_error    error = { 0 };
            if (aer_read(file_of(bytes, n), NULL, &e, &error) != RV_OK) {
                ensure_says(error.text, "byte ");
                continue;
            }
            if (e->n > BAR) fail_msg("%s, %zu bytes: %" PRId64 " events", references[i].path, n, e->n);
            if (strcmp(e->format, references[i].format) == 0 && references[i].width == e->width) ensure_events(e, expected, e->n);
            partly += e->n > 0 && e->warning[0];
            aer_free(e);
        }
        if (partly < 200) fail_msg("%s: expected to read hundreds of prefixes with a warning, got %d", references[i].path, partly);
        free(bytes);
    }
}

static void test_cut_off_is_said(void **state)
{
    (void)state;
    size_t   size;
    uint8_t *bytes = bytes_of(REFERENCE "bar.aedat", &size);
    aer_events *e = read_all(file_of(bytes, size - 13));
    ensure_says(e->warning, "the file is cut off at byte 2419, ");
    assert_int_equal(e->n, BAR - 1); /* and one event that is not valid */
    aer_free(e);
    free(bytes);

    bytes = bytes_of(REFERENCE "bar_zstd.aedat4", &size);
    e = read_all(file_of(bytes, size / 2 + 500));
    ensure_says(e->warning, "its data table would be at byte ");
    aer_free(e);
    bytes[size - 30] ^= 0x55;
    e = read_all(file_of(bytes, size));
    ensure_says(e->warning, "the data table at byte");
    assert_int_equal(e->n, BAR);
    aer_free(e);
    free(bytes);
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void ensure_bytes_refused(const void *bytes, size_t size, const char *text)
{
    ensure_refused(file_of(bytes, size), NULL, RV_FILE_ERROR, text);
}

static void ensure_text_refused(const char *header, const char *text) { ensure_bytes_refused(header, strlen(header), text); }

static void test_files_refused(void **state)
{
    (void)state;
    ensure_refused("/nowhere/at/all", NULL, RV_FILE_ERROR, "file \"/nowhere/at/all\" cannot be read: No such file or directory");
    ensure_refused("/tmp", NULL, RV_FILE_ERROR, "it is not an ordinary file");
    assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
    ensure_refused(in_folder("pipe"), NULL, RV_FILE_ERROR, "it is not an ordinary file");
    ensure_text_refused("", "byte 0: the file is empty");
    ensure_bytes_refused((uint8_t[100]){ 0 }, 100, "byte 0: this begins no recording known here");
    ensure_text_refused("Lorem ipsum dolor sit amet, consectetur adipiscing elit", "byte 0: this begins no recording known here");
    ensure_text_refused("#!AER-DAT1.0\r\n", "byte 9: version \"1.0\" of AEDAT, allowed 2.0, 3.1 and 4.0");
    ensure_text_refused("#!AER-DAT2.0\r\n# AEChip: ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c\r\n",
                        "byte 14: AEDAT 2.0 of the camera \"ch.unizh.ini.jaer.chip.cochlea.CochleaAMS1c\", allowed DVS128");
    ensure_text_refused("#!AER-DAT3.1\r\n#Format: PNG\r\n#!END-HEADER\r\n", "byte 14: format \"PNG\" of AEDAT 3.1, allowed RAW");
    ensure_text_refused("#!AER-DAT3.1\r\n#Format: RAW\r\n", "the header has no line \"#!END-HEADER\"");
    ensure_text_refused("Event Stream\1", "the file ends inside of the header");
    ensure_bytes_refused("Event Stream\1\0\0\1\4\0\4\0", 20, "byte 12: Event Stream of version 1.0, allowed 2");
    ensure_bytes_refused("Event Stream\2\0\0\0\4\0\4\0", 20, "byte 15: Event Stream of type 0 (generic), allowed 1 (DVS) and 2 (ATIS)");
    ensure_bytes_refused("Event Stream\2\0\0\0", 16, "type 0 (generic)");
    ensure_bytes_refused("Event Stream\2\0\0\1\0\0\4\0", 20, "byte 16: a camera of 0 x 4 pixels");
    ensure_bytes_refused("Event Stream\2\0\0\1\4\0\4\0\2\4\0\0\0", 25, "byte 20: an event at (4, 0), allowed are 4 x 4 pixels");
}

static void ensure_packet_refused(const uint8_t *data, size_t size, const char *text)
{
    ensure_refused(file_with_header(HEADER_31, data, size), NULL, RV_FILE_ERROR, text);
}

static void test_aedat3_refused(void **state)
{
    (void)state;
    ensure_packet_refused(BYTES(PACKET_31(1, 1, 4, 0, 1), 0, 0, 0, 0), "a packet of events of 4 bytes, allowed 8 or more");
    ensure_packet_refused(BYTES(PACKET_31(2, 1, -1, 0, 1), 0, 0, 0, 0), "a packet of events of -1 bytes, allowed 1 or more");
    ensure_packet_refused(BYTES(PACKET_31(1, 1, 8, -1, 0)), "a packet with -1 overflows of the clock, allowed 0 to 4194304");
    ensure_packet_refused(BYTES(1, 0, 1, 0, LE32(8), LE32(5), LE32(0), LE32(0), LE32(0), LE32(0)),
                          "a packet with times at byte 5 of its events, allowed 0 to 4");
    ensure_packet_refused(BYTES(1, 0, 1, 0, LE32(8), LE32(4), LE32(0), LE32(1), LE32(2), LE32(0)),
                          "a packet of 2 events, allowed 0 to its capacity of 1");
}

static void ensure_changed_refused(const char *behind, const char *from, const char *to, const char *text)
{
    size_t   size;
    uint8_t *bytes = changed(REFERENCE "bar.aedat4", behind, from, to, &size);
    ensure_bytes_refused(bytes, size, text);
    free(bytes);
}

static void test_aedat4_refused(void **state)
{
    (void)state;
    ensure_changed_refused("AER", "IOHE", "ABCD", "byte 14: the header is not a sound flatbuffer \"IOHE\"");
    ensure_changed_refused("AER", ">EVTS<", ">FRME<", "no stream of polarity events (EVTS) in this AEDAT 4.0, there is: TRIG, FRME");
    ensure_changed_refused("AER", ">346<", ">000<", "stream 1 of events is of 0 x 260 pixels, allowed 1 to 32767");
    ensure_changed_refused("</dv>", "EVTS", "EVTX", "a packet of stream 1 is not a sound flatbuffer \"EVTS\"");
    ensure_text_refused("#!AER-DAT4.0\r\n", "the file ends inside of the header");
    ensure_text_refused("#!AER-DAT4.0\r\n\xff\xff\xff\xff", "a header of 4294967295 bytes, of which 0 are there");
}

/* A packet whose few bytes would become 8 MB. */
static void test_expansion_is_limited(void **state)
{
    (void)state;
    size_t      size, zeros = 8 << 20;
    uint8_t    *bytes = bytes_of(REFERENCE "bar_zstd.aedat4", &size), *bomb = malloc(1 << 16), *nothing = calloc(1, zeros);
    const char *frame = "\x28\xb5\x2f\xfd"; /* how ZSTD frames begin */
    uint8_t    *at = memmem(bytes, size, frame, 4);
    size_t      header = (size_t)(at - bytes), length = ZSTD_compress(bomb + header, (1 << 16) - header, nothing, zeros, 3);
    assert_false(ZSTD_isError(length));
    memcpy(bomb, bytes, header);
    memcpy(bomb + header - 4, (uint8_t[]){ LE32(length) }, 4);
    ensure_bytes_refused(bomb, header + length, "cannot be decompressed: it becomes more than 1000 times as long");
    free(bytes), free(bomb), free(nothing);
}

/* ---- arbitrary files -------------------------------------------------------------------------------------------- */

enum { MUTANTS = 3000 }; /* of each file */

/* A few bytes changed, or a piece cut out, doubled or filled. */
static size_t mutate(uint8_t *bytes, size_t size, size_t room, uint32_t *seed)
{
    size_t at = draw(seed) % size, n = draw(seed) % 64;
    if (n > size - at) n = size - at;
    switch (draw(seed) % 6) {
    case 0: memmove(bytes + at, bytes + at + n, size - at - n); return size - n;
    case 1:
        if (n > room - size) n = room - size;
        memmove(bytes + at + n, bytes + at, size - at);
        return size + n;
    case 2: memset(bytes + at, (int)draw(seed), n); return size;
    case 3: return at + 1;
    default:
        for (uint32_t k = draw(seed) % 8 + 1; k > 0; k--) bytes[draw(seed) % size] = (uint8_t)(draw(seed) >> 11);
        return size;
    }
}

/* Whatever came, it keeps its promises. */
static void ensure_sound(const aer_events *e)
{
    for (int64_t i = 0; i < e->n; i++)
        if (e->x[i] >= e->width || e->y[i] >= e->height || e->polarity[i] > 1 || (i && e->t_us[i] < e->t_us[i - 1]))
            fail_msg("%s: event %" PRId64 " is not sound", e->summary, i);
}

static void try_mutant(const uint8_t *bytes, size_t size, uint32_t *seed, int counts[2])
{
    aer_options o = { .polarity = draw(seed) % 4, .block = (int)(draw(seed) % 5), .every = (int)(draw(seed) % 3) };
    aer_events *e;
    rv_error    error = { 0 };
    rv_status   status = aer_read(file_of(bytes, size), draw(seed) % 2 ? &o : NULL, &e, &error);
    if (status == RV_OK) ensure_sound(e);
    else if (!error.text[0]) fail_msg("status %d without a sentence", status);
    counts[status == RV_OK] += 1;
    aer_free(e);
}

static long most_memory_kB(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void test_mutants(void **state)
{
    (void)state;
    enum { ROOM = 1 << 13 };
    uint32_t seed = 2026;
    long     before = most_memory_kB();
    for (int i = 0; i < REFERENCES; i++) {
        size_t   size;
        uint8_t *original = bytes_of(references[i].path, &size), *mutant = malloc(ROOM);
        int      counts[2] = { 0 };
        for (int k = 0; k < MUTANTS; k++) {
            memcpy(mutant, original, size);
            size_t n = mutate(mutant, size, ROOM, &seed);
            if (k % 3 == 0 && n > 0) n = mutate(mutant, n, ROOM, &seed);
            try_mutant(mutant, n, &seed, counts);
        }
        printf("%-40s %d mutants read, %d refused\n", references[i].path, counts[1], counts[0]);
        free(original), free(mutant);
    }
    printf("memory: %ld kB more than before\n", most_memory_kB() - before);
#ifndef __SANITIZE_ADDRESS__ /* which keeps what was freed */
    if (most_memory_kB() - before > 200000) fail_msg("files of some kB took %ld kB", most_memory_kB() - before);
#endif
}

/* Nothing but noise behind a beginning that is right. */
static void test_noise(void **state)
{
    (void)state;
    static const char *const beginnings[] = { "", "#!AER-DAT2.0\r\n", "#!AER-DAT2.0\r\n# AEChip: DAVIS346\r\n", HEADER_31,
                                              "#!AER-DAT4.0\r\n", "Event Stream\2", "#!AER-DAT3.1\r\n#!END-HEADER\r\n" };
    uint32_t seed = 9;
    int      counts[2] = { 0 };
    for (int k = 0; k < MUTANTS; k++) {
        uint8_t     bytes[2048];
        const char *begin = beginnings[(unsigned)k % (sizeof beginnings / sizeof *beginnings)];
        size_t      n = strlen(begin), size = n + draw(&seed) % 1500;
        memcpy(bytes, begin, n);
        for (size_t i = n; i < size; i++) bytes[i] = (uint8_t)(draw(&seed) >> (k % 25));
        try_mutant(bytes, size, &seed, counts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_other_programs), cmocka_unit_test(test_dvs128_bytes),
        cmocka_unit_test(test_davis_bytes), cmocka_unit_test(test_aedat2_clock),
        cmocka_unit_test(test_aedat2_without_camera), cmocka_unit_test(test_aedat3_bytes),
        cmocka_unit_test(test_aedat3_reset_and_sources), cmocka_unit_test(test_aedat3_unknown_camera),
        cmocka_unit_test(test_event_stream_bytes), cmocka_unit_test(test_n_mnist_bytes),
        cmocka_unit_test(test_aedat4_by_jaer), cmocka_unit_test(test_aedat4_streams),
        cmocka_unit_test(test_written_bytes), cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_writing_refused), cmocka_unit_test(test_selection),
        cmocka_unit_test(test_downsampling), cmocka_unit_test(test_thinning),
        cmocka_unit_test(test_options_refused), cmocka_unit_test(test_times_are_sorted),
        cmocka_unit_test(test_sorting_is_stable), cmocka_unit_test(test_outside_is_left_out),
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_cut_off_is_said),
        cmocka_unit_test(test_files_refused), cmocka_unit_test(test_aedat3_refused),
        cmocka_unit_test(test_aedat4_refused), cmocka_unit_test(test_expansion_is_limited),
        cmocka_unit_test(test_mutants), cmocka_unit_test(test_noise),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
