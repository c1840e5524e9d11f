/* What is known about cameras, and the lines of text before the data of AEDAT 2 and 3. */
#define _GNU_SOURCE
#include "io/aer_internal.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Pixels as in jAER (SensorsINI/jaer, chips/davis) and the list of devices of iniVation's description of AEDAT. A
 * DVXplorer is missing: its Lite model has the same name and other pixels; so is the CDAVIS, whose events are on half
 * of its pixels. */
static const aer_camera cameras[] = {
    { "DVS128", "Tmpdiff128", 128, 128 },
    { "DAVIS128", NULL, 128, 128 },
    { "DAVIS208", "PixelParade", 208, 192 },
    { "DAVIS240", "SBret", 240, 180 },
    { "DVS240", NULL, 240, 180 },
    { "DAVIS346", NULL, 346, 260 },
    { "DAVIS640", NULL, 640, 480 },
    { NULL, NULL, 0, 0 },
};

bool aer_is_dvs128(const aer_camera *camera) { return camera == &cameras[0]; }

static bool occurs(const char *text, int length, const char *name)
{
    int n = name ? (int)strlen(name) : length + 1;
    for (int i = 0; i + n <= length; i++)
        if (strncasecmp(text + i, name, (size_t)n) == 0) return true;
    return false;
}

const aer_camera *aer_camera_named(const char *text, int length)
{
    for (const aer_camera *c = cameras; c->name; c++)
        if (occurs(text, length, c->name) || occurs(text, length, c->alias)) return c;
    return NULL;
}

const aer_camera *aer_camera_of_size(int width, int height)
{
    for (const aer_camera *c = cameras; c->name; c++)
        if (c->width == width && c->height == height) return c;
    return NULL;
}

size_t aer_header_line(const aer_file *f, size_t at)
{
    if (at >= f->size || f->bytes[at] != '#') return at;
    for (size_t i = at + 1; i < f->size; i++) {
        uint8_t c = f->bytes[i];
        if (c == '\n') return i + 1;
        if (c < ' ' && c != '\t' && c != '\r') return at; /* data that happen to begin with the byte of '#' */
    }
    return at;
}

bool aer_header_says(const aer_file *f, size_t at, const char *text, const char **rest, int *length)
{
    size_t end = aer_header_line(f, at), n = strlen(text);
    while (end > at && (f->bytes[end - 1] == '\n' || f->bytes[end - 1] == '\r')) end--;
    if (end - at < n || strncasecmp((const char *)f->bytes + at, text, n) != 0) return false;
    *rest = (const char *)f->bytes + at + n;
    *length = end - at - n < 200 ? (int)(end - at - n) : 200;
    return true;
}
