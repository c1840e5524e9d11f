/* Writing recordings: checks, the file, and the formats of few bytes per event. The layouts stand where they are read:
 * aer_aedat2.c, aer_aedat3.c, aer_stream.c. */
#define _GNU_SOURCE
#include "io/aer_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- checks ---------------------------------------------------------------------------------------------------- */

/* What a format can hold. */
typedef struct limits {
    const char *name;
    int         width, height;
    int64_t     last_us;    /* times from 0 to this are kept                                */
    int64_t     longest_us; /* other recordings are written from begin_us on, up to so long */
    int64_t     pause_us;   /* between two events, and before the first                     */
} limits;

static limits limits_of(aer_format format)
{
    static const int64_t day = 86400000000, wrap = (int64_t)1 << 53, mnist = (1 << 23) - 1, most = AER_MAX_TIME_US;
    switch (format) {
    case AER_AEDAT_2: return (limits){ "AEDAT 2.0", 640, 480, INT32_MAX, 365 * day, INT32_MAX };
    case AER_AEDAT_3: return (limits){ "AEDAT 3.1", 32768, 32768, wrap - 1, wrap - 1, wrap };
    case AER_EVENT_STREAM: return (limits){ "Event Stream", 65535, 65535, -1, day, day };
    case AER_N_MNIST: return (limits){ "N-MNIST", 256, 240, -1, mnist, mnist };
    default: return (limits){ "AEDAT 4.0", 32767, 32767, most, 2 * most, 2 * most };
    }
}

static rv_status check_grid(const limits *l, aer_format format, const aer_events *e, rv_error *error)
{
    if (e->width < 1 || e->height < 1 || e->width > l->width || e->height > l->height)
        return error_set(error, RV_OUT_OF_RANGE, "writing %s: %d x %d pixels, allowed 1 x 1 to %d x %d", l->name,
                         e->width, e->height, l->width, l->height);
    if (format == AER_N_MNIST && e->n == 0)
        return error_set(error, RV_OUT_OF_RANGE, "writing N-MNIST: no event, allowed 1 or more");
    if (format == AER_AEDAT_2 && !aer_camera_of_size(e->width, e->height))
        return error_set(error, RV_OUT_OF_RANGE, "writing AEDAT 2.0: %d x %d pixels, allowed are those of a camera: "
                         "128 x 128, 208 x 192, 240 x 180, 346 x 260 and 640 x 480", e->width, e->height);
    return RV_OK;
}

static rv_status check_event(const limits *l, const aer_events *e, int64_t i, rv_error *error)
{
    if (e->x[i] >= e->width || e->y[i] >= e->height)
        return error_set(error, RV_OUT_OF_RANGE, "writing %s: event %" PRId64 " at (%d, %d), allowed %d x %d pixels",
                         l->name, i, e->x[i], e->y[i], e->width, e->height);
    int64_t     least = i ? e->t_us[i - 1] : e->begin_us, t = e->t_us[i];
    const char *whose = i ? "the event before" : "the begin";
    if (t < least || t > AER_MAX_TIME_US || t - least > l->pause_us)
        return error_set(error, RV_OUT_OF_RANGE, "writing %s: event %" PRId64 " at %" PRId64 " us, allowed from %"
                         PRId64 " us (%s) to %" PRId64 " us later", l->name, i, t, least, whose, l->pause_us);
    return RV_OK;
}

/* @param origin the time that is written as 0 */
static rv_status check(const limits *l, aer_format format, const aer_events *e, int64_t *origin, rv_error *error)
{
    TRY(check_grid(l, format, e, error));
    if (e->begin_us < -AER_MAX_TIME_US)
        return error_set(error, RV_OUT_OF_RANGE, "writing %s: the begin at %" PRId64 " us, allowed -2^60 to 2^60",
                         l->name, e->begin_us);
    for (int64_t i = 0; i < e->n; i++) TRY(check_event(l, e, i, error));
    int64_t last = e->n ? e->t_us[e->n - 1] : 0, first = e->n ? e->t_us[0] : 0;
    *origin = first >= 0 && last <= l->last_us ? 0 : e->begin_us;
    if (e->n && last - *origin > l->longest_us)
        return error_set(error, RV_OUT_OF_RANGE, "writing %s: a recording of %.7g s, allowed 0 to %.7g s", l->name,
                         1e-6 * (double)(last - *origin), 1e-6 * (double)l->longest_us);
    return RV_OK;
}

/* ---- AEDAT 2.0 and 3.1 ----------------------------------------------------------------------------------------- */

static void write_aedat2(FILE *file, const aer_events *e, int64_t origin)
{
    const aer_camera *camera = aer_camera_of_size(e->width, e->height);
    fprintf(file, "#!AER-DAT2.0\r\n# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each "
                  "event\r\n# Timestamps tick: 1 us\r\n# AEChip: %s\r\n#End Of ASCII Header\r\n", camera->name);
    for (int64_t i = 0; i < e->n; i++) {
        uint8_t  word[8];
        uint32_t row = (uint32_t)(e->height - 1 - e->y[i]), column = (uint32_t)(e->width - 1 - e->x[i]);
        uint32_t address = aer_is_dvs128(camera) ? row << 8 | column << 1 | !e->polarity[i]
                                                 : row << 22 | column << 12 | (uint32_t)(e->polarity[i] != 0) << 11;
        aer_put_be32(word, address);
        aer_put_be32(word + 4, (uint32_t)(e->t_us[i] - origin));
        fwrite(word, sizeof word, 1, file);
    }
}

enum { PACKET_EVENTS = 4096 };

/* Events of one packet share the high bits of the time. */
static int64_t packet_end(const aer_events *e, int64_t origin, int64_t first)
{
    int64_t end = first + 1, overflow = (e->t_us[first] - origin) >> 31;
    while (end < e->n && end < first + PACKET_EVENTS && (e->t_us[end] - origin) >> 31 == overflow) end++;
    return end;
}

static void write_packet(FILE *file, const aer_events *e, int64_t origin, int64_t first, int64_t end)
{
    uint8_t  header[28];
    uint64_t n = (uint64_t)(end - first), overflow = (uint64_t)((e->t_us[first] - origin) >> 31);
    const uint64_t values[] = { 1 | 1 << 16, 8, 4, overflow, n, n, n }; /* type and source 1; capacity, number, valid */
    for (int k = 0; k < 7; k++) aer_put_le(header + 4 * k, values[k], 4);
    fwrite(header, sizeof header, 1, file);
    for (int64_t i = first; i < end; i++) {
        uint8_t event[8];
        uint32_t on = e->polarity[i] != 0;
        aer_put_le(event, (uint32_t)e->x[i] << 17 | (uint32_t)e->y[i] << 2 | on << 1 | 1, 4);
        aer_put_le(event + 4, (uint64_t)(e->t_us[i] - origin) & INT32_MAX, 4);
        fwrite(event, sizeof event, 1, file);
    }
}

static void write_aedat3(FILE *file, const aer_events *e, int64_t origin)
{
    const aer_camera *camera = aer_camera_of_size(e->width, e->height);
    fprintf(file, "#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: %s\r\n#Start-Time: 1970-01-01 00:00:00 (TZ+0000)\r\n"
                  "#!END-HEADER\r\n", camera ? camera->name : "File");
    for (int64_t i = 0, end; i < e->n; i = end) {
        end = packet_end(e, origin, i);
        write_packet(file, e, origin, i, end);
    }
}

/* ---- Event Stream, N-MNIST --------------------------------------------------------------------------------------- */

static void write_event_stream(FILE *file, const aer_events *e, int64_t origin)
{
    uint8_t header[20] = "Event Stream\2\0\0\1";
    int64_t last = origin;
    aer_put_le(header + 16, (uint64_t)e->width, 2);
    aer_put_le(header + 18, (uint64_t)e->height, 2);
    fwrite(header, sizeof header, 1, file);
    for (int64_t i = 0; i < e->n; i++) {
        uint8_t event[5];
        int64_t wait = e->t_us[i] - last;
        for (; wait >= 127; wait -= 127) putc(0xff, file);
        event[0] = (uint8_t)(wait << 1 | (e->polarity[i] != 0));
        aer_put_le(event + 1, e->x[i], 2);
        aer_put_le(event + 3, (uint64_t)(e->height - 1 - e->y[i]), 2);
        fwrite(event, sizeof event, 1, file);
        last = e->t_us[i];
    }
}

static void write_n_mnist(FILE *file, const aer_events *e, int64_t origin)
{
    for (int64_t i = 0; i < e->n; i++) {
        uint32_t t = (uint32_t)(e->t_us[i] - origin) | (uint32_t)(e->polarity[i] != 0) << 23;
        uint8_t  event[5] = { (uint8_t)e->x[i], (uint8_t)e->y[i], (uint8_t)(t >> 16), (uint8_t)(t >> 8), (uint8_t)t };
        fwrite(event, sizeof event, 1, file);
    }
}

/* ---- the file -------------------------------------------------------------------------------------------------- */

static rv_status write_format(FILE *file, aer_format format, const aer_events *e, int64_t origin, rv_error *error)
{
    switch (format) {
    case AER_AEDAT_2: write_aedat2(file, e, origin); return RV_OK;
    case AER_AEDAT_3: write_aedat3(file, e, origin); return RV_OK;
    case AER_AEDAT_4: return aer_write_aedat4(file, e, AER_PLAIN, error);
    case AER_AEDAT_4_LZ4: return aer_write_aedat4(file, e, AER_LZ4, error);
    case AER_AEDAT_4_ZSTD: return aer_write_aedat4(file, e, AER_ZSTD, error);
    case AER_EVENT_STREAM: write_event_stream(file, e, origin); return RV_OK;
    case AER_N_MNIST: write_n_mnist(file, e, origin); return RV_OK;
    }
    return error_set(error, RV_OUT_OF_RANGE, "writing a recording: format %d, allowed 0 to %d", format, AER_N_MNIST);
}

static rv_status cannot_write(const char *path, rv_error *error)
{
    return error_set(error, RV_FILE_ERROR, "file \"%.150s\" cannot be written: %s", path, strerror(errno));
}

/* Under another name first: what is at path stays until the new file is whole. */
static rv_status write_beside(const char *path, char *part, aer_format format, const aer_events *e, int64_t origin,
                              rv_error *error)
{
    FILE *file = fopen(part, "wb");
    if (!file) return cannot_write(path, error);
    rv_status status = write_format(file, format, e, origin, error);
    bool      written = !ferror(file);
    if (fclose(file) != 0) written = false;
    if (status == RV_OK && !written) status = cannot_write(path, error);
    if (status == RV_OK && rename(part, path) != 0) status = cannot_write(path, error);
    if (status != RV_OK) unlink(part);
    return status;
}

rv_status aer_write(const char *path, aer_format format, const aer_events *events, rv_error *error)
{
    limits  l = limits_of(format);
    int64_t origin = 0;
    char   *part;
    TRY(check(&l, format, events, &origin, error));
    if (asprintf(&part, "%s.part", path) < 0) return error_memory(error, "the name of a file", (double)strlen(path));
    rv_status status = write_beside(path, part, format, events, origin, error);
    free(part);
    return status;
}
