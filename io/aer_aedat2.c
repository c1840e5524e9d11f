/* AEDAT 2.0: lines of text that begin with '#', then words of 8 bytes, big-endian: an address and a time, 32 bits each.
 * What an address means depends on the camera, which a line "# AEChip: <class of jAER>" names:
 *
 *   DVS128   bits 14-8 row, 7-1 column, 0 polarity, where 0 is ON; bits 31 and 15: no pixel but a trigger
 *   DAVIS    bit 31 set: a frame's pixel or an inertial sample; else bits 30-22 row, 21-12 column, 11 polarity, where 1
 *            is ON; bit 10: no pixel but a trigger
 *
 * Rows count from below and columns from the right: the cameras look at the world through a lens. This is what jAER
 * (DVS128.java, DavisBaseCamera.java) and libcaer (dvs128.c) do. iniVation's description of the format, and with it
 * some readers, has the DVS128's polarity the other way round and columns from the left; jAER wrote the files.
 *
 * The time counts microseconds in 32 bits and begins again after 71.6 minutes: differences of following words, modulo
 * 2^32, are added up, so that nothing is lost as long as no pause takes half of that. */
#include "io/aer_internal.h"

#include <string.h>

enum { WORD = 8 };

typedef struct aedat2 {
    const aer_camera *camera; /* NULL: not said */
    size_t            data;   /* where the words begin */
} aedat2;

/* ---- the header ------------------------------------------------------------------------------------------------ */

static rv_status name_camera(aer_file *f, size_t at, const char *text, int length, aedat2 *a)
{
    a->camera = aer_camera_named(text, length);
    if (a->camera) return RV_OK;
    return aer_damaged(f, at, "AEDAT 2.0 of the camera \"%.*s\", allowed DVS128, DAVIS128, DAVIS208, DAVIS240, "
                              "DAVIS346 and DAVIS640", length < 80 ? length : 80, text);
}

static rv_status read_header(aer_file *f, aedat2 *a)
{
    const char *text;
    int         length;
    for (size_t at = 0, next; ; at = next) {
        next = aer_header_line(f, at);
        a->data = next;
        if (next == at || aer_header_says(f, at, "#End Of ASCII Header", &text, &length)) return RV_OK;
        if (aer_header_says(f, at, "# AEChip: ", &text, &length)) TRY(name_camera(f, at, text, length, a));
    }
}

/* ---- addresses ------------------------------------------------------------------------------------------------- */

static bool is_event(const aedat2 *a, uint32_t address)
{
    return aer_is_dvs128(a->camera) ? !(address & 0x80008000) : !(address & 0x80000400);
}

static int row(const aedat2 *a, uint32_t address)
{
    return aer_is_dvs128(a->camera) ? address >> 8 & 0x7f : address >> 22 & 0x1ff;
}

static int column(const aedat2 *a, uint32_t address)
{
    return aer_is_dvs128(a->camera) ? address >> 1 & 0x7f : address >> 12 & 0x3ff;
}

static bool is_on(const aedat2 *a, uint32_t address)
{
    return aer_is_dvs128(a->camera) ? !(address & 1) : address >> 11 & 1;
}

/* The smallest of the usual cameras on which all addresses lie. Addresses of the DVS128 have 16 bits; those of others
 * nearly always have more. */
static const aer_camera *guess_camera(const aer_file *f, size_t data)
{
    aedat2 davis = { 0 };
    int    columns = 0, rows = 0;
    bool   short_addresses = true;
    for (size_t at = data; at + WORD <= f->size; at += WORD) {
        uint32_t address = aer_be32(f->bytes + at);
        if (address >> 16) short_addresses = false;
        if (!is_event(&davis, address)) continue;
        if (column(&davis, address) >= columns) columns = column(&davis, address) + 1;
        if (row(&davis, address) >= rows) rows = row(&davis, address) + 1;
    }
    if (short_addresses) return aer_camera_named("DVS128", 6);
    const aer_camera *c = aer_camera_of_size(240, 180);
    while (c->name && (c->width < columns || c->height < rows)) c++;
    return c->name ? c : NULL;
}

/* ---- reading --------------------------------------------------------------------------------------------------- */

static rv_status choose_camera(aer_file *f, aedat2 *a)
{
    if (!a->camera) {
        a->camera = guess_camera(f, a->data);
        if (!a->camera) return aer_damaged(f, a->data, "addresses outside of the largest camera, 640 x 480 pixels");
        aer_warn(f, "the header names no camera; from its addresses it was taken for a %s", a->camera->name);
    }
    f->events->width = a->camera->width, f->events->height = a->camera->height;
    snprintf(f->events->format, sizeof f->events->format, "AEDAT 2.0, %s", a->camera->name);
    return RV_OK;
}

rv_status aer_read_aedat2(aer_file *f)
{
    aedat2 a = { 0 };
    TRY(read_header(f, &a));
    TRY(choose_camera(f, &a));
    int64_t  t = 0;
    uint32_t clock = 0;
    size_t   at = a.data;
    for (; at + WORD <= f->size; at += WORD) {
        uint32_t address = aer_be32(f->bytes + at), now = aer_be32(f->bytes + at + 4);
        t += (int32_t)(now - clock); /* of the first word from 0: jAER's times have a sign */
        clock = now;
        if (!is_event(&a, address)) continue;
        int x = a.camera->width - 1 - column(&a, address), y = a.camera->height - 1 - row(&a, address);
        TRY(aer_add(f, at, t, x, y, is_on(&a, address)));
    }
    if (at < f->size) aer_warn_cut_off(f, f->size - at, "an event");
    return RV_OK;
}
