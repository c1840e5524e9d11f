/* The image behind the raster of the window: columns of pixels that stand for stretches of time, filled from the
 * histories of a feed.
 *
 * Column c holds the time from c to c + 1 times ms_per_column, whatever is shown, so that a column that has been filled
 * stays right while the view moves along. The columns that are kept are a ring. What always holds:
 *
 *   columns done_from .. done_to - 1 are complete: they contain what every spike before `next` puts there
 *
 * where `next` is the number of the first pair of a history that has not been looked at; later pairs are added to the
 * columns that are done as they come. More columns become done in chunks at either side, read from the history anew. */
#ifndef RV_VIZ_LIVE_IMAGE_H
#define RV_VIZ_LIVE_IMAGE_H

#include "viz/coverage.h"
#include "viz/feed.h"
#include "viz/raster.h"

/** What the spikes of a population cover, in pixels. */
typedef struct live_box {
    double half_width, height;
    bool   disc; /* of diameter height */
} live_box;

/** What an image is made for; with another one it is made anew. */
typedef struct live_geometry {
    axis_rect    plot;
    double       scale; /* pixels per point */
    double       ms_per_column;
    int          columns, rows; /* pixels seen, at most */
    raster_band *bands;         /* [n_populations] owned */
    live_box    *boxes;         /* [n_populations] owned */
    int          level;         /* about 4^level spikes are seen */
} live_geometry;

rv_status live_geometry_new(live_geometry *g, const feed *f);
void      live_geometry_free(live_geometry *g);
void      live_geometry_copy(live_geometry *to, const live_geometry *from, const feed *f);
/** @param boxes the size of the marks counts too */
bool live_geometry_same(const live_geometry *a, const live_geometry *b, const feed *f, bool boxes);

typedef struct live_source {
    const history *pairs;
    double         after, until; /* ms: pairs after < t <= until are taken from this history */
    int64_t        next;
} live_source;

/** Columns that are being filled. */
typedef struct live_chunk {
    int64_t from, to; /* columns; equal: none */
    int64_t at[2];    /* pair to be read next, of each source */
} live_chunk;

/** Where the spikes of a neuron go. */
typedef struct live_place {
    float    top;        /* pixels: upper edge of the box */
    int16_t  line;       /* that counts its spikes; -1: none */
    uint16_t population; /* LIVE_HIDDEN: nowhere */
} live_place;
enum { LIVE_HIDDEN = 0xffff };

typedef struct live_image {
    const feed   *feed;
    live_geometry g;
    bool          there;     /* started */
    bool          stale;     /* the history was cleared meanwhile */
    live_source   source[2]; /* older, spikes */
    double        older_from_ms, older_to_ms;
    double        now_ms, last_ms, known_ms; /* fed up to; the last pair fed; nothing is known before */
    bool          pixels;                    /* all boxes are one pixel */
    int           pad;                       /* columns that a box may reach beyond its own */
    live_place   *place;                     /* [n_rows] */
    int          *line_counted;              /* [rows] the line that counts for this one; -1: none */
    int          *line_neurons;              /* [rows] neurons that are counted there */
    int          *line_population;           /* [rows] nearest, for the colours */
    int64_t       anchor; /* column at slot 0 of the ring; done_from is one of the `columns` from there on */
    int64_t       done_from, done_to;
    int64_t       shown_from, shown_to;
    live_chunk    chunk;
    coverage      sum;    /* [columns][rows] a ring */
    uint32_t     *counts; /* [columns][rows] spikes */
    uint32_t     *rgb;    /* [rows][columns] */
    uint8_t      *flags;  /* [columns] */
    uint32_t     *totals; /* [rows] of the columns shown */
    size_t        room;   /* pixels there is memory for */
    int           room_columns, room_rows;
    /* colours */
    coverage_shades *shades; /* [n_populations] */
    coverage_census  census; /* being taken, some columns per frame */
    int              census_at;
    float            census_most;
    double           target, full; /* coverage of full colour: wanted; approaching it */
    int              idle;         /* frames without a change */
    bool             recolour;
} live_image;

void live_image_free(live_image *m);

/** Begins anew, with nothing done. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status live_image_start(live_image *m, const feed *f, const live_geometry *g, double now_ms);

/** Whether what it was made from is still what there is to show. */
bool live_image_current(const live_image *m, double from_ms);

/** Fills columns until from_ms..to_ms is complete, or clock_seconds() reaches the deadline. @return whether it is */
bool live_image_advance(live_image *m, double from_ms, double to_ms, double now_ms, double deadline);

/** Colours what changed. @param at_once the scale is what these columns need; else it follows them slowly */
void live_image_colour(live_image *m, const uint32_t *colours, uint32_t background, bool at_once);

/** Mean rates of the lines over the columns shown, spikes/s per neuron; NAN between bands. @param rates [rows] */
void live_image_rates(live_image *m, double *rates);

/** The slot of the ring where a column that is done lies. */
int live_image_slot(const live_image *m, int64_t column);

int64_t live_image_column(const live_image *m, double t_ms);

#endif
