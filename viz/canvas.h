/* The canvas: lines, dots, image patches and text on a page or in memory. canvas.c is the one door to cairo.
 *
 * The same drawing makes a PNG, an SVG, a PDF, and the image that a window shows:
 *
 *   canvas *c;
 *   canvas_open("raster.pdf", 493, 300, 200, &c, error);    or    canvas_new(1280, 720, 2.0, &c, error);
 *   canvas_line(c, (canvas_pen){ .colour = 0x333333, .width = 0.6 }, 10, 20, 100, 20);
 *   canvas_close(c, error);                                  or    canvas_pixels(c, ...), canvas_free(c);
 *
 * Lengths are in points (1/72 inch) from the upper left corner, y grows downwards. Colours are 0xRRGGBB. Drawing
 * functions cannot fail: the first error of cairo is kept and canvas_close() reports it. */
#ifndef RV_VIZ_CANVAS_H
#define RV_VIZ_CANVAS_H

#include "sim/ranvier.h"

typedef struct canvas canvas;

/** Leaves a sentence in error, which may be NULL. @return status */
rv_status canvas_fail(rv_error *error, rv_status status, const char *pattern, ...)
    __attribute__((format(printf, 3, 4)));

/** A white page for a file; the ending of path (.png, .svg, .pdf) decides the format. It is written to a temporary
 *  beside path, which canvas_close() renames, so an existing file is whole until the new one is. The same drawing gives
 *  the same bytes, but for the ids in an SVG, which cairo counts through the process.
 *  @param width, height in points  @param dpi pixels per inch of a PNG
 *  @return RV_OK, RV_FILE_ERROR, RV_OUT_OF_RANGE (too large an image) or RV_OUT_OF_MEMORY */
rv_status canvas_open(const char *path, double width, double height, double dpi, canvas **c, rv_error *error);

/** A white image in memory. @param width, height in pixels  @param scale pixels per point */
rv_status canvas_new(int width, int height, double scale, canvas **c, rv_error *error);

/** Begins an image anew: nothing drawn, nothing clipped. A window draws each of its frames on the same canvas. */
void canvas_clear(canvas *c);

/** A dark page instead of a white one, and back; clears the canvas. The same colours are given to the drawing
 *  functions: greys change places (white paper becomes 0x14171c, ink 0xd8dce2), strong colours keep their hue and become
 *  a little lighter, pale ones dark. */
void canvas_dark(canvas *c, bool dark);

/** What a colour is drawn as on this canvas, for those who make patches; 0xffffff is the page. */
uint32_t canvas_colour(const canvas *c, uint32_t rgb);

/** Finishes and writes the file, if there is one, and frees the canvas in any case. */
rv_status canvas_close(canvas *c, rv_error *error);

/** Frees the canvas and leaves no file behind. NULL is allowed. */
void canvas_free(canvas *c);

double canvas_width(const canvas *c);  /* points */
double canvas_height(const canvas *c); /* points */

/** Pixels per point: of the image, or for vector files of the patches that are worth embedding (300 per inch). */
double canvas_scale(const canvas *c);

/** The nearest pixel boundary, in points: patches and thin lines that lie on it stay sharp. */
double canvas_snap(const canvas *c, double x);

/** The image of canvas_new(), rows of 0xAARRGGBB; borrowed, valid until the next drawing. @param stride pixels per
 *  row  @return NULL for a vector file */
const uint32_t *canvas_pixels(canvas *c, int *width, int *height, int *stride);

typedef struct canvas_pen {
    uint32_t colour;
    double   alpha; /* 0 means opaque */
    double   width; /* points */
    bool     dashed;
} canvas_pen;

void canvas_line(canvas *c, canvas_pen pen, double x0, double y0, double x1, double y1);

/** A line through n points, interrupted where x or y is NaN. */
void canvas_polyline(canvas *c, canvas_pen pen, const double *x, const double *y, int n);

/** The area within n points; pen.width is not used. */
void canvas_polygon(canvas *c, canvas_pen pen, const double *x, const double *y, int n);

/** A rectangle with corners rounded by a radius (0: none), filled, or an outline of pen.width centred on its edges. */
void canvas_rectangle(canvas *c, canvas_pen pen, double x, double y, double width, double height, double radius,
                      bool filled);

/** Round dots of diameter pen.width. */
void canvas_dots(canvas *c, canvas_pen pen, const double *x, const double *y, int n);

/** Upright strokes of the given height, centred at x, y. */
void canvas_strokes(canvas *c, canvas_pen pen, double height, const double *x, const double *y, int n);

/** An opaque image [rows][columns] of 0xRRGGBB, stretched over a rectangle. Its colours are drawn as they are, see
 *  canvas_colour(). */
void canvas_patch(canvas *c, double x, double y, double width, double height, const uint32_t *rgb, int columns,
                  int rows);

/** Nothing outside the rectangle is drawn until canvas_unclip(). Clips do not nest. */
void canvas_clip(canvas *c, double x, double y, double width, double height);
void canvas_unclip(canvas *c);

typedef enum canvas_align { CANVAS_LEFT, CANVAS_CENTRE, CANVAS_RIGHT } canvas_align;

typedef struct canvas_font {
    double       size; /* points */
    uint32_t     colour;
    canvas_align align;
    bool         bold;
    bool         upwards; /* turned by 90 degrees, to be read from below              */
    double       longest; /* points; longer text is shrunk, then cut with …; 0: any   */
} canvas_font;

/** One line of UTF-8 (anything else is replaced by ?), its baseline starting, centred or ending at x, y. A letter,
 *  an underscore and a word make a subscript: V_m, I_syn. NULL draws nothing. */
void   canvas_text(canvas *c, canvas_font font, double x, double y, const char *text);
double canvas_text_width(canvas *c, canvas_font font, const char *text); /* points */

#endif
