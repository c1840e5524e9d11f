/* Reading a recording: the file is loaded, its format is found out, the format's reader hands over the events, which
 * are then sorted, described and selected. */
#define _GNU_SOURCE
#include "io/aer_internal.h"
#include "io/file_bytes.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1024 };

static rv_status out_of_memory(aer_file *f, double bytes) { return error_memory(f->error, "a recording", bytes); }

/* ---- what was wrong ------------------------------------------------------------------------------------------- */

rv_status aer_damaged(aer_file *f, size_t offset, const char *format, ...)
{
    char    reason[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    return error_set(f->error, RV_FILE_ERROR, "file \"%.150s\", byte %zu: %s", f->path, offset, reason);
}

void aer_warn(aer_file *f, const char *format, ...)
{
    char   *warning = f->events->warning;
    size_t  used = strlen(warning), size = sizeof f->events->warning;
    va_list arguments;
    if (used) used += (size_t)snprintf(warning + used, size - used, "; ");
    if (used >= size) return;
    va_start(arguments, format);
    vsnprintf(warning + used, size - used, format, arguments);
    va_end(arguments);
}

void aer_warn_cut_off(aer_file *f, size_t left, const char *what)
{
    aer_warn(f, "the file is cut off at byte %zu, %zu bytes into %s; what is whole was read", f->size, left, what);
}

/* ---- collecting events ---------------------------------------------------------------------------------------- */

static bool grow(void *array, int64_t n, size_t size)
{
    void **p = array, *grown = realloc(*p, (size_t)n * size);
    if (grown) *p = grown;
    return grown;
}

static rv_status resize(aer_file *f, int64_t room)
{
    aer_events *e = f->events;
    bool        grown = grow(&e->t_us, room, sizeof *e->t_us) && grow(&e->x, room, sizeof *e->x) &&
                 grow(&e->y, room, sizeof *e->y) && grow(&e->polarity, room, sizeof *e->polarity);
    if (!grown) return out_of_memory(f, 13.0 * (double)room);
    f->room = room;
    return RV_OK;
}

static bool on_camera(const aer_file *f, int x, int y)
{
    if (f->events->width == 0) return x >= 0 && y >= 0 && x < UINT16_MAX && y < UINT16_MAX;
    return x >= 0 && y >= 0 && x < f->events->width && y < f->events->height;
}

rv_status aer_add(aer_file *f, size_t offset, int64_t t_us, int x, int y, bool on)
{
    aer_events *e = f->events;
    if (t_us < -AER_MAX_TIME_US || t_us > AER_MAX_TIME_US)
        return aer_damaged(f, offset, "an event at %" PRId64 " us, allowed -2^60 to 2^60", t_us);
    if (!on_camera(f, x, y)) {
        f->outside += 1;
        return RV_OK;
    }
    if (e->n == f->room) TRY(resize(f, f->room ? 2 * f->room : FIRST_ROOM));
    f->backward += e->n > 0 && t_us < f->previous;
    f->previous = t_us;
    if (t_us > f->latest) f->latest = t_us;
    if (x > f->max_x) f->max_x = x;
    if (y > f->max_y) f->max_y = y;
    e->t_us[e->n] = t_us, e->x[e->n] = (uint16_t)x, e->y[e->n] = (uint16_t)y, e->polarity[e->n] = on;
    e->n += 1;
    return RV_OK;
}

/* ---- sorting -------------------------------------------------------------------------------------------------- */

/* Merges two ascending runs of `from`, [low, middle) and [middle, high), into `to`; of equal times the left one comes
 * first. */
static void merge(const int64_t *t, const int64_t *from, int64_t *to, int64_t low, int64_t middle, int64_t high)
{
    int64_t i = low, j = middle;
    for (int64_t k = low; k < high; k++) {
        bool left = j == high || (i < middle && t[from[i]] <= t[from[j]]);
        to[k] = left ? from[i++] : from[j++];
    }
}

static inline int64_t at_most(int64_t i, int64_t n) { return i < n ? i : n; }

/* The events' order in time, from the bottom up; of the two arrays of length n the one that holds it is returned. */
static int64_t *order_in_time(const int64_t *t, int64_t n, int64_t *order, int64_t *spare)
{
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t run = 1; run < n; run *= 2) {
        for (int64_t low = 0; low < n; low += 2 * run)
            merge(t, order, spare, low, at_most(low + run, n), at_most(low + 2 * run, n));
        int64_t *merged = spare;
        spare = order, order = merged;
    }
    return order;
}

/* array <- array[order] */
static void reorder(void *array, size_t size, const int64_t *order, int64_t n, void *spare)
{
    char *from = array, *to = spare;
    for (int64_t i = 0; i < n; i++) memcpy(to + (size_t)i * size, from + (size_t)order[i] * size, size);
    memcpy(array, spare, (size_t)n * size);
}

static rv_status sort(aer_file *f)
{
    aer_events *e = f->events;
    int64_t    *a = malloc((size_t)e->n * sizeof *a), *b = malloc((size_t)e->n * sizeof *b);
    if (a && b) {
        int64_t *order = order_in_time(e->t_us, e->n, a, b), *spare = order == a ? b : a;
        reorder(e->t_us, sizeof *e->t_us, order, e->n, spare);
        reorder(e->x, sizeof *e->x, order, e->n, spare);
        reorder(e->y, sizeof *e->y, order, e->n, spare);
        reorder(e->polarity, sizeof *e->polarity, order, e->n, spare);
        aer_warn(f, "%" PRId64 " events were earlier than the one before them; all were sorted by time", f->backward);
    }
    rv_status status = a && b ? RV_OK : out_of_memory(f, 16.0 * (double)e->n);
    free(a), free(b);
    return status;
}

/* ---- describing ----------------------------------------------------------------------------------------------- */

/* 1234567 as "1 234 567". */
static void group_digits(int64_t n, char *text, size_t size)
{
    char digits[24];
    int  length = snprintf(digits, sizeof digits, "%" PRId64, n), k = 0;
    for (int i = 0; i < length && (size_t)k + 2 < size; i++) {
        if (i > 0 && (length - i) % 3 == 0) text[k++] = ' ';
        text[k++] = digits[i];
    }
    text[k] = 0;
}

static void summarise(aer_events *e)
{
    char   count[40], version[sizeof e->format];
    double ms = e->n ? 1e-3 * (double)(e->t_us[e->n - 1] - e->t_us[0]) : 0;
    group_digits(e->n, count, sizeof count);
    snprintf(version, sizeof version, "%.*s", (int)strcspn(e->format, ","), e->format);
    snprintf(e->summary, sizeof e->summary, "%s, %d x %d, %s events, %.1f %s", version, e->width, e->height, count,
             ms < 1000 ? ms : 1e-3 * ms, ms < 1000 ? "ms" : "s");
}

static rv_status finish(aer_file *f)
{
    aer_events *e = f->events;
    if (e->n == 0) TRY(resize(f, 1)); /* so that the arrays are there */
    if (e->width == 0) e->width = f->max_x + 1, e->height = f->max_y + 1;
    if (f->outside)
        aer_warn(f, "%" PRId64 " events outside of the %d x %d pixels were left out", f->outside, e->width, e->height);
    if (f->backward) TRY(sort(f));
    if (e->n) e->begin_us = e->t_us[0];
    summarise(e);
    return RV_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static bool begins_with(const aer_file *f, const char *text)
{
    return f->size >= strlen(text) && memcmp(f->bytes, text, strlen(text)) == 0;
}

static rv_status unknown_version(aer_file *f)
{
    char version[12] = "";
    for (size_t i = 9, k = 0; i < f->size && k + 1 < sizeof version && isgraph(f->bytes[i]); i++)
        version[k++] = (char)f->bytes[i], version[k] = 0;
    return aer_damaged(f, 9, "version \"%s\" of AEDAT, allowed 2.0, 3.1 and 4.0", version);
}

static rv_status read_format(aer_file *f)
{
    if (f->size == 0) return aer_damaged(f, 0, "the file is empty");
    if (begins_with(f, "#!AER-DAT2.0")) return aer_read_aedat2(f);
    if (begins_with(f, "#!AER-DAT3.1")) return aer_read_aedat3(f);
    if (begins_with(f, "#!AER-DAT4.0")) return aer_read_aedat4(f);
    if (begins_with(f, "Event Stream")) return aer_read_event_stream(f);
    if (begins_with(f, "#!AER-DAT")) return unknown_version(f);
    if (aer_looks_like_n_mnist(f)) return aer_read_n_mnist(f);
    return aer_damaged(f, 0, "this begins no recording known here: AEDAT 2.0, 3.1, 4.0, Event Stream 2 (.es), "
                             "N-MNIST (.bin)");
}

static rv_status read_all(aer_file *f)
{
    uint8_t  *bytes = NULL;
    rv_status status = file_bytes_load(f->path, &bytes, &f->size, f->error);
    f->bytes = bytes;
    if (status == RV_OK) status = read_format(f);
    free(bytes);
    return status == RV_OK ? finish(f) : status;
}

rv_status aer_read(const char *path, const aer_options *options, aer_events **events, rv_error *error)
{
    aer_options all = { 0 };
    *events = NULL;
    aer_file f = { .path = path, .events = calloc(1, sizeof *f.events), .latest = INT64_MIN, .error = error };
    if (!f.events) return out_of_memory(&f, sizeof *f.events);
    rv_status status = aer_check_options(options ? options : &all, error);
    if (status == RV_OK) status = read_all(&f);
    if (status == RV_OK) status = aer_select(f.events, options ? options : &all, error);
    if (status == RV_OK) *events = f.events;
    else aer_free(f.events);
    return status;
}

void aer_free(aer_events *events)
{
    if (!events) return;
    free(events->t_us), free(events->x), free(events->y), free(events->polarity);
    free(events);
}
