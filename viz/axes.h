/* Axes: from data to points on the canvas, ticks at 1-2-5 positions, labels with units. */
#ifndef RV_VIZ_AXES_H
#define RV_VIZ_AXES_H

#include "viz/canvas.h"

enum { AXIS_MAX_TICKS = 32 };

/* One look for all panels. Sizes in points. */
#define AXIS_INK   0x262626
#define AXIS_FAINT 0x8c8c8c
#define AXIS_LINE  0.6
#define AXIS_TICK  3.0
#define AXIS_LABEL 8.0 /* text size */
#define AXIS_DIGIT 7.0 /* text size */

/** A linear axis. `low` lies at `from` and `high` at `to` on the canvas. */
typedef struct axis {
    double      low, high; /* data                                                                */
    double      from, to;  /* points                                                              */
    double      unit;      /* data per number shown: 1000 writes ms as s; 0 means 1               */
    bool        whole;     /* numbers at integers only                                            */
    const char *name;      /* "time"                                                              */
    const char *unit_name; /* "ms"; NULL, "" or "1": none                                         */
} axis;

/** A place on the canvas. For axis_frame(), `inset` is the least distance of the vertical axis from x, so that panels
 *  below each other can begin at the same place. */
typedef struct axis_rect {
    double x, y, width, height, inset; /* points */
} axis_rect;

/** A value that can be drawn: finite, and not so large that differences overflow. */
bool axis_usable(double value);

/** Is this a unit to write? Tables of models say "1" where there is none. */
bool axis_has_unit(const char *unit_name);

/** Where a value lies on the canvas, in points. */
double axis_at(const axis *a, double value);

/** The smallest of 1, 2, 5 times a power of ten with range / step <= most. */
double axis_nice_step(double range, double most);

/** low..high made fit for an axis: of a positive length even if all values are equal (or there are none). */
void axis_open(double *low, double *high);

/** Moves low and high outwards to the next tick, with about `most` ticks between them. */
void axis_widen(double *low, double *high, double most);

/** Tick positions, in data units. @param spacing shortest distance of two ticks in points  @return how many */
int axis_ticks(const axis *a, double spacing, double ticks[AXIS_MAX_TICKS]);

/** A horizontal axis at height y, ticks and numbers below it; `labelled` adds its name. */
void axis_draw_x(canvas *c, const axis *a, double y, bool labelled);

/** A vertical axis at x, ticks and numbers to the left; its name is centred on it, read from below, at label_x,
 *  or only the unit if there is no room for the name. Neither if label_x is NAN. */
void axis_draw_y(canvas *c, const axis *a, double x, double label_x);

enum { AXIS_NUMBER_BYTES = 80 };

/** A count with thin spaces between thousands from five digits on: 8000, 20 683. */
void axis_write_count(int64_t count, char text[AXIS_NUMBER_BYTES]);

/** The space in points that ticks and numbers of a vertical axis need to the left. */
double axis_numbers_width(canvas *c, const axis *a);

/** Places and draws both axes within a rectangle that holds their numbers and labels too. */
void axis_frame(canvas *c, axis_rect outer, axis *x, axis *y);

/** One line of a legend: a name in its colour, ending at x. @return the baseline of the next line,
 *  the same if there is no name */
double axis_legend(canvas *c, double x, double baseline, uint32_t colour, const char *name, double longest);

/** What lies below the line of a labelled horizontal axis, in points. */
#define AXIS_FOOT 25.0

#endif
