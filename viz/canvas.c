/* The one door to cairo. A canvas is a cairo surface scaled to points, and for files a stream into a temporary. */
#include "viz/canvas.h"

#include <cairo.h>
#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

typedef enum format { MEMORY, PNG, SVG, PDF } format;

enum {
    LARGEST_SIDE     = 32767, /* pixels: cairo's coordinates are 16.16 fixed point */
    PATCH_DPI        = 300,   /* of images in vector files: what journals ask of halftones */
    PNG_HEADER_BYTES = 33,    /* signature and IHDR; the chunk with the resolution follows */
    TEXT_BYTES       = 512,
    COLOURS          = 64,    /* remembered of a theme */
};

struct canvas {
    format           format;
    cairo_surface_t *surface;
    cairo_t         *cr;
    double           width, height; /* points */
    double           scale;         /* pixels per point */
    double           dpi;
    bool             dark;
    uint32_t         mapped[COLOURS][2]; /* colours used with this theme: given, drawn; by hash; free: 0xffffffff */
    FILE            *file;
    char            *path, *temporary;
    int              write_error; /* errno of the first failed write */
    size_t           written;
};

rv_status canvas_fail(rv_error *error, rv_status status, const char *pattern, ...)
{
    if (!error) return status;
    va_list arguments;
    va_start(arguments, pattern);
    error->status = status;
    vsnprintf(error->text, sizeof error->text, pattern, arguments);
    va_end(arguments);
    return status;
}

/* ---------------------------------------------------------------------------------------------- files --- */

static bool format_of(const char *path, format *result)
{
    const char *ending = strrchr(path, '.');
    if (!ending || ending == path || ending[-1] == '/') return false;
    if (!strcasecmp(ending, ".png")) *result = PNG;
    else if (!strcasecmp(ending, ".svg")) *result = SVG;
    else if (!strcasecmp(ending, ".pdf")) *result = PDF;
    else return false;
    return true;
}

/* CRC-32 of PNG's chunks (ISO 3309, W3C PNG specification, annex D), bit by bit: it sees 13 bytes. */
static uint32_t crc32_of(const uint8_t *bytes, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static void put_big_endian(uint8_t *bytes, uint32_t value)
{
    for (int i = 0; i < 4; i++) bytes[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* cairo writes no pHYs chunk, and without it a text program places the picture at 72 dpi. */
static void png_resolution(double dpi, uint8_t chunk[21])
{
    uint32_t per_metre = (uint32_t)lround(dpi / 0.0254);
    put_big_endian(chunk, 9);
    memcpy(chunk + 4, "pHYs", 4);
    put_big_endian(chunk + 8, per_metre);
    put_big_endian(chunk + 12, per_metre);
    chunk[16] = 1; /* the unit is the metre */
    put_big_endian(chunk + 17, crc32_of(chunk + 4, 13));
}

static bool put(canvas *c, const void *bytes, size_t n)
{
    if (fwrite(bytes, 1, n, c->file) == n) return true;
    if (!c->write_error) c->write_error = errno ? errno : EIO;
    return false;
}

static cairo_status_t write_bytes(void *closure, const unsigned char *bytes, unsigned n)
{
    canvas *c = closure;
    size_t  header = 0;
    bool    done = true;
    if (c->format == PNG && c->written < PNG_HEADER_BYTES && c->written + n >= PNG_HEADER_BYTES) {
        uint8_t chunk[21];
        header = PNG_HEADER_BYTES - c->written;
        png_resolution(c->dpi, chunk);
        done = put(c, bytes, header) && put(c, chunk, sizeof chunk);
    }
    c->written += n;
    return done && put(c, bytes + header, n - header) ? CAIRO_STATUS_SUCCESS : CAIRO_STATUS_WRITE_ERROR;
}

/* A new file beside the path, so that the rename stays within the file system; made like any other file, with the
 * permissions the user's umask gives. */
static rv_status open_temporary(canvas *c, const char *path, rv_error *error)
{
    size_t room = strlen(path) + 40;
    c->path = strdup(path);
    c->temporary = malloc(room);
    if (!c->path || !c->temporary) return canvas_fail(error, RV_OUT_OF_MEMORY, "figure \"%s\": no memory for it", path);
    for (int i = 0; i < 100 && !c->file; i++) {
        snprintf(c->temporary, room, "%s.%ld-%d.part", path, (long)getpid(), i);
        c->file = fopen(c->temporary, "wbx");
        if (!c->file && errno != EEXIST) break;
    }
    if (c->file) return RV_OK;
    return canvas_fail(error, RV_FILE_ERROR, "figure \"%s\": cannot be written: %s", path, strerror(errno));
}

static rv_status check_size(const char *name, double width, double height, double scale, rv_error *error)
{
    double side = fmax(width, height) * scale;
    if (width * scale >= 1 && height * scale >= 1 && side <= LARGEST_SIDE) return RV_OK;
    return canvas_fail(error, RV_OUT_OF_RANGE,
                       "figure \"%s\": %.0f x %.0f pixels, allowed are 1 to %d in each direction", name, width * scale,
                       height * scale, LARGEST_SIDE);
}

/* --------------------------------------------------------------------------------------------- colours --- */

/* A colour in OKLab (Ottosson 2020, https://bottosson.github.io/posts/oklab): lightness 0..1 and two opponent axes, in
 * which equal steps look equal, so that "lighter by so much" means the same for blue and for vermilion. */
typedef struct oklab {
    double l, a, b;
} oklab;

static double to_linear(double s) { return s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4); }
static double from_linear(double x) { return x <= 0.0031308 ? 12.92 * x : 1.055 * pow(x, 1 / 2.4) - 0.055; }

static oklab oklab_of(uint32_t rgb)
{
    double red = to_linear((rgb >> 16 & 255) / 255.0), green = to_linear((rgb >> 8 & 255) / 255.0);
    double blue = to_linear((rgb & 255) / 255.0);
    double l = cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
    double m = cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
    double s = cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
    return (oklab){ 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
                    1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
                    0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s };
}

/* @return whether it is a colour of the screen */
static bool oklab_to_rgb(oklab c, uint32_t *rgb)
{
    double l = pow(c.l + 0.3963377774 * c.a + 0.2158037573 * c.b, 3);
    double m = pow(c.l - 0.1055613458 * c.a - 0.0638541728 * c.b, 3);
    double s = pow(c.l - 0.0894841775 * c.a - 1.2914855480 * c.b, 3);
    double linear[3] = { 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
                         -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
                         -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s };
    *rgb = 0;
    for (int i = 0; i < 3; i++) {
        if (linear[i] < -2e-3 || linear[i] > 1.002) return false;
        *rgb = *rgb << 8 | (uint32_t)lround(255 * fmin(fmax(from_linear(linear[i]), 0), 1));
    }
    return true;
}

static const uint32_t PAPER = 0x14171c, INK = 0xd8dce2; /* on a dark page; ... */
static const uint32_t PRINTED_INK = 0x262626;           /* ... the ink of a white one */
static const double   DARK_STEPS = 0.85;                /* near black, steps have to be larger to be seen */

/* The grey that takes the place of one of this lightness, between paper and ink and beyond. */
static oklab dark_grey(double lightness)
{
    oklab  paper = oklab_of(PAPER), ink = oklab_of(INK);
    double part = pow(fmax(1 - lightness, 0) / (1 - oklab_of(PRINTED_INK).l), DARK_STEPS);
    return (oklab){ paper.l + part * (ink.l - paper.l), paper.a + part * (ink.a - paper.a),
                    paper.b + part * (ink.b - paper.b) };
}

/* Greys and pale colours change places, strong ones are lifted. Where the screen has no such colour it loses chroma. */
static uint32_t to_dark(uint32_t rgb)
{
    oklab    given = oklab_of(rgb), drawn = dark_grey(given.l);
    double   strong = fmin(fmax((hypot(given.a, given.b) - 0.03) / 0.06, 0), 1);
    uint32_t result = rgb;
    double   lifted = fmax(0.42 + 0.52 * given.l, 0.61); /* so that the darkest, 0x332288, has a contrast of 4.5 */
    drawn.l = fmin(drawn.l + strong * (lifted - drawn.l), 1);
    drawn.a = (1 - strong) * drawn.a + given.a, drawn.b = (1 - strong) * drawn.b + given.b;
    while (!oklab_to_rgb(drawn, &result) && hypot(drawn.a, drawn.b) > 1e-4) drawn.a *= 0.95, drawn.b *= 0.95;
    return result;
}

uint32_t canvas_colour(const canvas *c, uint32_t rgb) { return c->dark ? to_dark(rgb) : rgb; }

void canvas_dark(canvas *c, bool dark)
{
    if (c->dark != dark) memset(c->mapped, 0xff, sizeof c->mapped);
    c->dark = dark;
    canvas_clear(c);
}

static void set_colour(canvas *c, uint32_t rgb, double alpha)
{
    uint32_t *known = c->mapped[(rgb * 0x9e3779b1u) >> 26];
    if (known[0] != rgb) known[0] = rgb, known[1] = canvas_colour(c, rgb);
    cairo_set_source_rgba(c->cr, (known[1] >> 16 & 255) / 255.0, (known[1] >> 8 & 255) / 255.0, (known[1] & 255) / 255.0,
                          alpha > 0 ? alpha : 1);
}

void canvas_clear(canvas *c)
{
    cairo_reset_clip(c->cr);
    cairo_new_path(c->cr);
    set_colour(c, 0xffffff, 1);
    cairo_paint(c->cr);
}

/* ---------------------------------------------------------------------------------- opening and closing --- */

static cairo_surface_t *make_surface(canvas *c)
{
    int columns = (int)ceil(c->width * c->scale - 1e-6), rows = (int)ceil(c->height * c->scale - 1e-6);
    if (c->format == MEMORY) return cairo_image_surface_create(CAIRO_FORMAT_ARGB32, columns, rows);
    if (c->format == PNG) return cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns, rows);
    if (c->format == SVG) return cairo_svg_surface_create_for_stream(write_bytes, c, c->width, c->height);
    cairo_surface_t *pdf = cairo_pdf_surface_create_for_stream(write_bytes, c, c->width, c->height);
    /* without a date the same figure is the same file */
    cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATE_DATE, "");
    return pdf;
}

static bool has_pixels(const canvas *c) { return c->format == MEMORY || c->format == PNG; }

/* Unhinted text has the same widths on screen, in a PNG and in a PDF, so the layout is the same. */
static void choose_text_rendering(cairo_t *cr)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
}

static rv_status start_drawing(canvas *c, const char *name, rv_error *error)
{
    c->surface = make_surface(c);
    c->cr = cairo_create(c->surface);
    if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS)
        return canvas_fail(error, RV_OUT_OF_MEMORY, "figure \"%s\": %s", name,
                           cairo_status_to_string(cairo_status(c->cr)));
    if (has_pixels(c)) cairo_scale(c->cr, c->scale, c->scale);
    choose_text_rendering(c->cr);
    memset(c->mapped, 0xff, sizeof c->mapped);
    canvas_clear(c);
    return RV_OK;
}

rv_status canvas_open(const char *path, double width, double height, double dpi, canvas **result, rv_error *error)
{
    format format;
    *result = NULL;
    if (!format_of(path, &format))
        return canvas_fail(error, RV_FILE_ERROR, "figure \"%s\": the ending must be .png, .svg or .pdf", path);
    double    scale = (format == PNG ? dpi : PATCH_DPI) / 72;
    rv_status status = check_size(path, width, height, scale, error);
    if (status != RV_OK) return status;
    canvas *c = calloc(1, sizeof *c);
    if (!c) return canvas_fail(error, RV_OUT_OF_MEMORY, "figure \"%s\": no memory for it", path);
    c->format = format, c->width = width, c->height = height, c->scale = scale, c->dpi = dpi;
    status = open_temporary(c, path, error);
    if (status == RV_OK) status = start_drawing(c, path, error);
    if (status == RV_OK) *result = c;
    else canvas_free(c);
    return status;
}

rv_status canvas_new(int width, int height, double scale, canvas **result, rv_error *error)
{
    *result = NULL;
    rv_status status = check_size("image", width, height, 1, error);
    if (status != RV_OK) return status;
    if (!(scale > 0)) return canvas_fail(error, RV_OUT_OF_RANGE, "image: %g pixels per point, allowed above 0", scale);
    canvas *c = calloc(1, sizeof *c);
    if (!c) return canvas_fail(error, RV_OUT_OF_MEMORY, "image: no memory for it");
    c->format = MEMORY, c->width = width / scale, c->height = height / scale, c->scale = scale, c->dpi = 72 * scale;
    status = start_drawing(c, "image", error);
    if (status == RV_OK) *result = c;
    else canvas_free(c);
    return status;
}

/* Ends the drawing; for files, sends the last bytes. */
static cairo_status_t finish(canvas *c)
{
    cairo_status_t status = cairo_status(c->cr);
    if (status == CAIRO_STATUS_SUCCESS && c->format == PNG)
        status = cairo_surface_write_to_png_stream(c->surface, write_bytes, c);
    cairo_surface_finish(c->surface);
    return status == CAIRO_STATUS_SUCCESS ? cairo_surface_status(c->surface) : status;
}

rv_status canvas_close(canvas *c, rv_error *error)
{
    rv_status      status = RV_OK;
    cairo_status_t drawn = finish(c);
    if (c->file) {
        if (fclose(c->file) && !c->write_error) c->write_error = errno;
        c->file = NULL;
        bool whole = drawn == CAIRO_STATUS_SUCCESS && !c->write_error;
        if (whole && rename(c->temporary, c->path)) c->write_error = errno;
        if (!whole || c->write_error) remove(c->temporary);
    }
    const char *path = c->path ? c->path : "image";
    if (c->write_error)
        status =
            canvas_fail(error, RV_FILE_ERROR, "figure \"%s\": cannot be written: %s", path, strerror(c->write_error));
    else if (drawn != CAIRO_STATUS_SUCCESS)
        status = canvas_fail(error, drawn == CAIRO_STATUS_NO_MEMORY ? RV_OUT_OF_MEMORY : RV_FILE_ERROR,
                             "figure \"%s\": %s", path, cairo_status_to_string(drawn));
    canvas_free(c);
    return status;
}

void canvas_free(canvas *c)
{
    if (!c) return;
    cairo_destroy(c->cr);
    cairo_surface_destroy(c->surface); /* a vector surface writes its end here, so the file closes after it */
    if (c->file) {
        fclose(c->file);
        remove(c->temporary);
    }
    free(c->path);
    free(c->temporary);
    free(c);
}

double canvas_width(const canvas *c) { return c->width; }
double canvas_height(const canvas *c) { return c->height; }
double canvas_scale(const canvas *c) { return c->scale; }
double canvas_snap(const canvas *c, double x) { return round(x * c->scale) / c->scale; }

const uint32_t *canvas_pixels(canvas *c, int *width, int *height, int *stride)
{
    if (!has_pixels(c)) return NULL;
    cairo_surface_flush(c->surface);
    *width = cairo_image_surface_get_width(c->surface);
    *height = cairo_image_surface_get_height(c->surface);
    *stride = cairo_image_surface_get_stride(c->surface) / (int)sizeof(uint32_t);
    return (const uint32_t *)(const void *)cairo_image_surface_get_data(c->surface);
}

/* --------------------------------------------------------------------------------------------- drawing --- */

static void stroke(canvas *c, canvas_pen pen, cairo_line_cap_t cap)
{
    double dashes[2] = { 3 * pen.width, 2 * pen.width };
    set_colour(c, pen.colour, pen.alpha);
    cairo_set_line_width(c->cr, pen.width);
    cairo_set_line_cap(c->cr, cap);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(c->cr, dashes, pen.dashed ? 2 : 0, 0);
    cairo_stroke(c->cr);
}

void canvas_line(canvas *c, canvas_pen pen, double x0, double y0, double x1, double y1)
{
    cairo_move_to(c->cr, x0, y0);
    cairo_line_to(c->cr, x1, y1);
    stroke(c, pen, pen.dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_SQUARE);
}

void canvas_polyline(canvas *c, canvas_pen pen, const double *x, const double *y, int n)
{
    bool down = false;
    for (int i = 0; i < n; i++) {
        bool point = isfinite(x[i]) && isfinite(y[i]);
        if (point && down) cairo_line_to(c->cr, x[i], y[i]);
        else if (point) cairo_move_to(c->cr, x[i], y[i]);
        down = point;
    }
    stroke(c, pen, CAIRO_LINE_CAP_ROUND);
}

void canvas_polygon(canvas *c, canvas_pen pen, const double *x, const double *y, int n)
{
    cairo_new_path(c->cr); /* text leaves a current point */
    for (int i = 0; i < n; i++) cairo_line_to(c->cr, x[i], y[i]);
    cairo_close_path(c->cr);
    set_colour(c, pen.colour, pen.alpha);
    cairo_fill(c->cr);
}

void canvas_rectangle(canvas *c, canvas_pen pen, double x, double y, double width, double height, double radius,
                      bool filled)
{
    double r = fmax(fmin(radius, fmin(width, height) / 2), 0), right = acos(-1) / 2;
    cairo_new_path(c->cr);
    if (r > 0) {
        cairo_arc(c->cr, x + width - r, y + r, r, -right, 0);
        cairo_arc(c->cr, x + width - r, y + height - r, r, 0, right);
        cairo_arc(c->cr, x + r, y + height - r, r, right, 2 * right);
        cairo_arc(c->cr, x + r, y + r, r, 2 * right, 3 * right);
        cairo_close_path(c->cr);
    } else cairo_rectangle(c->cr, x, y, width, height);
    if (!filled) return stroke(c, pen, CAIRO_LINE_CAP_BUTT);
    set_colour(c, pen.colour, pen.alpha);
    cairo_fill(c->cr);
}

/* A line of no length with round ends is a dot, and the shortest way to say one in SVG and PDF. */
void canvas_dots(canvas *c, canvas_pen pen, const double *x, const double *y, int n)
{
    for (int i = 0; i < n; i++) {
        cairo_move_to(c->cr, x[i], y[i]);
        cairo_line_to(c->cr, x[i], y[i]);
    }
    stroke(c, pen, CAIRO_LINE_CAP_ROUND);
}

void canvas_strokes(canvas *c, canvas_pen pen, double height, const double *x, const double *y, int n)
{
    for (int i = 0; i < n; i++) {
        cairo_move_to(c->cr, x[i], y[i] - height / 2);
        cairo_line_to(c->cr, x[i], y[i] + height / 2);
    }
    stroke(c, pen, CAIRO_LINE_CAP_BUTT);
}

void canvas_patch(canvas *c, double x, double y, double width, double height, const uint32_t *rgb, int columns,
                  int rows)
{
    cairo_surface_t *image = cairo_image_surface_create_for_data((unsigned char *)(uintptr_t)rgb, CAIRO_FORMAT_RGB24,
                                                                 columns, rows, columns * (int)sizeof *rgb);
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    cairo_scale(c->cr, width / columns, height / rows);
    cairo_set_source_surface(c->cr, image, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr), CAIRO_FILTER_NEAREST);
    cairo_rectangle(c->cr, 0, 0, columns, rows);
    cairo_fill(c->cr);
    cairo_restore(c->cr);
    cairo_surface_finish(image); /* vector surfaces have taken a copy; rgb goes back to its owner */
    cairo_surface_destroy(image);
}

void canvas_clip(canvas *c, double x, double y, double width, double height)
{
    cairo_rectangle(c->cr, x, y, width, height);
    cairo_clip(c->cr);
}

void canvas_unclip(canvas *c) { cairo_reset_clip(c->cr); }

/* ------------------------------------------------------------------------------------------------ text --- */

/* Length of the UTF-8 sequence at s, 0 if it is none. */
static int utf8_length(const unsigned char *s)
{
    int length = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2 : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
               : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80) return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool no_character = (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf4 && s[1] > 0x8f); /* surrogates, > U+10FFFF */
    return overlong || no_character ? 0 : length;
}

/* cairo gives up a whole drawing on one wrong byte, and names come from files. */
static void copy_clean(char clean[TEXT_BYTES], const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int                  n = 0;
    while (*s && n < TEXT_BYTES - 5) {
        int length = utf8_length(s);
        if (length > 1) memcpy(clean + n, s, (size_t)length);
        else clean[n] = length == 0 ? '?' : iscntrl(*s) ? ' ' : (char)*s;
        n += length > 1 ? length : 1;
        s += length > 1 ? length : 1;
    }
    clean[n] = 0;
}

/* Is s the underscore of a symbol like V_m? One letter stands before it, so names like pop_1 stay as they are. */
static bool starts_subscript(const char *text, const char *s)
{
    if (s[0] != '_' || !isalnum((unsigned char)s[1]) || s == text || !isalpha((unsigned char)s[-1])) return false;
    return s - 1 == text || (!isalnum((unsigned char)s[-2]) && s[-2] != '_' && !(s[-2] & 0x80));
}

/* Draws n bytes of text from `at` on the current line, or only measures them. */
static double show_run(canvas *c, const char *s, size_t n, double size, double at, double lower, bool draw)
{
    char                 run[TEXT_BYTES];
    cairo_text_extents_t extents;
    memcpy(run, s, n);
    run[n] = 0;
    cairo_set_font_size(c->cr, size);
    cairo_text_extents(c->cr, run, &extents);
    if (draw) cairo_move_to(c->cr, at, lower);
    if (draw) cairo_show_text(c->cr, run);
    return extents.x_advance;
}

/* The whole text, subscripts at 70 % of the size and a fifth of it lower. @return its width */
static double show_text(canvas *c, const char *text, double size, bool draw)
{
    double width = 0;
    for (const char *s = text, *end; *s; s = end) {
        bool subscript = starts_subscript(text, s);
        if (subscript) s++;
        end = s + 1;
        while (*end && (subscript ? isalnum((unsigned char)*end) : !starts_subscript(text, end))) end++;
        width += show_run(c, s, (size_t)(end - s), subscript ? 0.7 * size : size, width, subscript ? 0.2 * size : 0,
                          draw);
    }
    return width;
}

static void cut_last_character(char *text)
{
    size_t n = strlen(text), mark = strlen("…");
    if (n >= mark && !strcmp(text + n - mark, "…")) n -= mark;
    while (n > 0 && (text[n - 1] & 0xc0) == 0x80) n--;
    if (n > 0) n--;
    strcpy(text + n, n ? "…" : "");
}

static void select_font(canvas *c, canvas_font font)
{
    cairo_select_font_face(c->cr, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                           font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
}

void canvas_text(canvas *c, canvas_font font, double x, double y, const char *text)
{
    char clean[TEXT_BYTES];
    if (!text) return;
    copy_clean(clean, text);
    select_font(c, font);
    double width = show_text(c, clean, font.size, false);
    if (font.longest > 0 && width > font.longest) {
        font.size *= fmax(font.longest / width, 0.8);
        while (clean[0] && (width = show_text(c, clean, font.size, false)) > font.longest + 1e-6)
            cut_last_character(clean);
    }
    cairo_save(c->cr);
    cairo_translate(c->cr, x, y);
    if (font.upwards) cairo_rotate(c->cr, -acos(-1) / 2);
    cairo_translate(c->cr, font.align == CANVAS_LEFT ? 0 : font.align == CANVAS_CENTRE ? -width / 2 : -width, 0);
    set_colour(c, font.colour, 1);
    show_text(c, clean, font.size, true);
    cairo_restore(c->cr);
}

double canvas_text_width(canvas *c, canvas_font font, const char *text)
{
    char clean[TEXT_BYTES];
    if (!text) return 0;
    copy_clean(clean, text);
    select_font(c, font);
    double width = show_text(c, clean, font.size, false);
    return font.longest > 0 ? fmin(width, font.longest) : width;
}
