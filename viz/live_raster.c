/* Two images (viz/live_image.h). The front one is shown and follows time; when another scale of time, another height of
 * the bands or another size of the marks is wanted, the back one is made while the front one is shown stretched to the
 * new axes, and then they change places. What was begun for a view that has changed again meanwhile is finished as long
 * as it resembles what is wanted, so that somebody who keeps turning the wheel sees sharp images too. */
#include "viz/live_raster.h"
#include "sim/clock.h"
#include "viz/live_image.h"

#include <stdlib.h>
#include <string.h>

static const double SAME_SCALE = 1e-5; /* relative: less is rounding of from_ms and to_ms, a tenth of a pixel at most */
static const double SAME_LEVEL = 0.75; /* in powers of four: the marks keep their size for a while */
static const double LARGEST_BOX = 2;   /* pixels: a larger dot is a disc */
static const double MOST_STRETCH = 200; /* beyond, an image says nothing */
static const double FOR_SPIKES = 0.6;   /* of the time there is, while an image is made; the rest is for its colours */
static const int    MOST_PIXELS = INT16_MAX; /* of a side */

struct live_raster {
    const feed      *feed;
    live_image       image[2];
    int              front;
    bool             building; /* the other image */
    bool             fresh;    /* it, or the first one, has not been complete yet */
    int64_t          measured; /* columns its colours were chosen for             */
    live_raster_view view;     /* the latest; bands and colours are copies */
    raster_band     *bands;
    uint32_t        *colours;
    double           back_from_ms, back_to_ms; /* what the back image is made for */
    live_geometry    wanted;
    double          *rates; /* [wanted.rows] */
    int              n_rates;
};

live_raster *live_raster_new(const feed *f)
{
    live_raster *r = calloc(1, sizeof *r);
    if (!r) return NULL;
    r->feed = f;
    r->bands = calloc((size_t)f->n_populations + 1, sizeof *r->bands);
    r->colours = calloc((size_t)f->n_populations + 1, sizeof *r->colours);
    if (live_geometry_new(&r->wanted, f) == RV_OK && r->bands && r->colours) return r;
    live_raster_free(r);
    return NULL;
}

void live_raster_free(live_raster *r)
{
    if (!r) return;
    for (int i = 0; i < 2; i++) live_image_free(&r->image[i]);
    live_geometry_free(&r->wanted);
    free(r->bands);
    free(r->colours);
    free(r->rates);
    free(r);
}

/* ------------------------------------------------------------------------------------- what is wanted --- */

/* The scale in 20 binary digits, or the former one if it is nearly that: in follow mode from_ms and to_ms are rounded
 * differently in each frame, and the image should not be made anew for that. */
static double choose_scale(double ms_per_column, double former)
{
    int exponent;
    if (fabs(ms_per_column - former) <= SAME_SCALE * former) return former;
    double mantissa = frexp(ms_per_column, &exponent);
    return ldexp(round(mantissa * 0x1p20), exponent - 20);
}

static double count_between(const history *h, double from_ms, double to_ms)
{
    return h ? (double)(history_find(h, to_ms) - history_find(h, from_ms)) : 0;
}

/* About how many spikes are on the whole raster, as a power of four. */
static int choose_level(const live_raster *r, int former)
{
    double to_ms = fmin(r->view.to_ms, r->view.now_ms);
    double n =
        count_between(r->feed->spikes, r->view.from_ms, to_ms) + count_between(r->feed->older, r->view.from_ms, to_ms);
    double level = log(fmax(n, 1)) / log(4);
    return fabs(level - former) < SAME_LEVEL ? former : (int)lround(level);
}

static live_box choose_box(const live_raster *r, int population, int level)
{
    double        n = pow(4, level), size = fmax((double)r->feed->population[population].size, 1), width, height;
    double        per_neuron = n / fmax((double)r->feed->n_rows, 1), pitch = r->bands[population].height / size;
    coverage_mark mark = coverage_choose_mark(pitch, r->view.plot.width, r->view.plot.height, per_neuron, n);
    coverage_box(mark, r->view.scale, &width, &height);
    if (!mark.stroke && mark.width * r->view.scale > LARGEST_BOX)
        return (live_box){ mark.width * r->view.scale / 2, mark.width * r->view.scale, true };
    return (live_box){ width / 2, height, false };
}

static int pixels(double points, double scale) { return (int)fmin(fmax(lround(points * scale), 1), MOST_PIXELS); }

static void choose_geometry(live_raster *r)
{
    const live_raster_view *v = &r->view;
    live_geometry          *g = &r->wanted;
    g->plot = v->plot, g->scale = v->scale;
    g->columns = pixels(v->plot.width, v->scale) + 2, g->rows = pixels(v->plot.height, v->scale);
    g->ms_per_column = choose_scale((v->to_ms - v->from_ms) / (v->plot.width * v->scale), g->ms_per_column);
    g->level = choose_level(r, g->level);
    for (int i = 0; i < r->feed->n_populations; i++) {
        g->bands[i] = r->bands[i];
        g->boxes[i] = choose_box(r, i, g->level);
    }
}

static void keep_view(live_raster *r, const live_raster_view *view)
{
    size_t n = (size_t)r->feed->n_populations;
    bool   same = view->background == r->view.background && !memcmp(r->colours, view->colours, n * sizeof *r->colours);
    for (int i = 0; i < 2 && !same; i++) r->image[i].recolour = true;
    memcpy(r->bands, view->bands, n * sizeof *r->bands);
    memcpy(r->colours, view->colours, n * sizeof *r->colours);
    r->view = *view;
    r->view.bands = r->bands, r->view.colours = r->colours;
}

static bool can_be_drawn(const live_raster_view *v)
{
    return isfinite(v->from_ms) && isfinite(v->to_ms) && v->to_ms > v->from_ms && v->plot.width > 0 &&
           v->plot.height > 0 && v->scale > 0 && !isnan(v->now_ms);
}

/* ------------------------------------------------------------------------------------------- the images --- */

/* Would an image of from..to, stretched, be a fair picture of what is wanted? */
static bool resembles(const live_raster *r, const live_image *m, double from_ms, double to_ms)
{
    double common = fmin(to_ms, r->view.to_ms) - fmax(from_ms, r->view.from_ms),
           shown = r->view.to_ms - r->view.from_ms;
    double stretch = m->g.ms_per_column / r->wanted.ms_per_column;
    return common > 0.3 * fmin(shown, to_ms - from_ms) && stretch < MOST_STRETCH && stretch > 1 / MOST_STRETCH;
}

static double done_ms(const live_image *m, int64_t column) { return (double)column * m->g.ms_per_column; }

/* The image to show: the front one, the back one as far as it is, or NULL. */
static live_image *shown_image(const live_raster *r)
{
    live_image *front = (live_image *)&r->image[r->front], *back = (live_image *)&r->image[!r->front];
    if (!can_be_drawn(&r->view)) return NULL;
    if (!r->building) return front->there ? front : NULL;
    bool fits = front->there && live_geometry_same(&front->g, &r->wanted, r->feed, false);
    if (front->there && !fits)
        fits = resembles(r, front, done_ms(front, front->done_from), done_ms(front, front->done_to));
    return fits ? front : back;
}

static rv_status begin(live_raster *r)
{
    live_image *back = &r->image[!r->front];
    rv_status   status = live_image_start(back, r->feed, &r->wanted, r->view.now_ms);
    r->building = r->fresh = status == RV_OK;
    r->measured = 0;
    return status;
}

/* Finishes what is right for the view, begins what is not. @return RV_OK or RV_OUT_OF_MEMORY */
static rv_status choose_images(live_raster *r)
{
    live_image *front = &r->image[r->front], *back = &r->image[!r->front];
    live_image *latest = r->building ? back : front;
    bool        right = latest->there && live_geometry_same(&latest->g, &r->wanted, r->feed, true) &&
                 live_image_current(latest, r->view.from_ms);
    bool      useful = right || (r->building && resembles(r, back, r->back_from_ms, r->back_to_ms) && !back->stale);
    rv_status status = useful ? RV_OK : begin(r);
    if (right || !useful) r->back_from_ms = r->view.from_ms, r->back_to_ms = r->view.to_ms;
    return status;
}

/* Makes the back image, while the front one goes on if it can. @return whether all is done */
static bool build(live_raster *r, double deadline)
{
    live_image *front = &r->image[r->front], *back = &r->image[!r->front];
    double      begin = clock_seconds(), half = begin + (deadline - begin) / 2 * FOR_SPIKES, now_ms = r->view.now_ms;
    if (front->there && live_geometry_same(&front->g, &r->wanted, r->feed, false))
        live_image_advance(front, r->view.from_ms, r->view.to_ms, now_ms, half);
    deadline = begin + (deadline - begin) * FOR_SPIKES;
    if (!live_image_advance(back, r->back_from_ms, r->back_to_ms, now_ms, deadline)) return false;
    r->front = !r->front;
    r->building = false;
    return live_geometry_same(&back->g, &r->wanted, r->feed, true);
}

/* ---------------------------------------------------------------------------------------------- rates --- */

/* The line of an image that shows what a line of the view shows, -1: none. */
static int line_of(const live_raster *r, const live_image *m, int line)
{
    double y = r->view.plot.y + (line + 0.5) / r->view.scale;
    for (int i = 0; i < r->feed->n_populations; i++) {
        raster_band from = m->g.bands[i], to = r->bands[i];
        if (!(y >= to.y && y < to.y + to.height) || !(from.height > 0)) continue;
        double at = ((y - to.y) / to.height * from.height + from.y - m->g.plot.y) * m->g.scale;
        return at >= 0 && at < m->g.rows ? (int)at : -1;
    }
    return -1;
}

static rv_status update_rates(live_raster *r, live_image *m)
{
    int     n = r->wanted.rows, rows = m->g.rows > n ? m->g.rows : n;
    double *rates = realloc(r->rates, 2 * (size_t)rows * sizeof *rates);
    if (!rates) return RV_OUT_OF_MEMORY;
    double *own = rates + rows;
    r->rates = rates, r->n_rates = n;
    if (live_geometry_same(&m->g, &r->wanted, r->feed, false)) return live_image_rates(m, rates), RV_OK;
    live_image_rates(m, own);
    for (int line = 0; line < n; line++) {
        int at = line_of(r, m, line);
        rates[line] = at >= 0 ? own[at] : NAN;
    }
    return RV_OK;
}

const double *live_raster_rates(const live_raster *r, int *n)
{
    *n = r->n_rates;
    return r->rates;
}

/* -------------------------------------------------------------------------------------------- the whole --- */

/* An image that has just been completed has its own scale; so does one that is shown while it is made, and its scale
 * changes when there is a good deal more of it. */
static bool scale_at_once(live_raster *r, const live_image *shown)
{
    int64_t done = shown->done_to - shown->done_from;
    if (!r->fresh || (r->building && shown == &r->image[r->front])) return false;
    if (r->building && 2 * done < 3 * r->measured) return false;
    r->measured = done;
    return true;
}

bool live_raster_update(live_raster *r, const live_raster_view *view, double budget_seconds, rv_status *status)
{
    double deadline = clock_seconds() + budget_seconds;
    *status = RV_OK;
    keep_view(r, view);
    r->n_rates = 0;
    if (!can_be_drawn(view)) return true;
    choose_geometry(r);
    *status = choose_images(r);
    if (*status != RV_OK) return false;
    bool complete;
    if (r->building) complete = build(r, deadline);
    else complete = live_image_advance(&r->image[r->front], view->from_ms, view->to_ms, view->now_ms, deadline);
    live_image *shown = shown_image(r);
    live_image_colour(shown, r->colours, view->background, scale_at_once(r, shown));
    if (!r->building) r->fresh = false;
    *status = update_rates(r, shown);
    return complete && *status == RV_OK;
}

/* Columns of an image, in its ring. */
typedef struct columns {
    int64_t from, to;
} columns;

/* Those that are seen and done. */
static columns seen_columns(const live_raster *r, const live_image *m)
{
    columns seen = { live_image_column(m, r->view.from_ms), live_image_column(m, r->view.to_ms) + 1 };
    if (seen.from < m->done_from) seen.from = m->done_from;
    if (seen.to > m->done_to) seen.to = m->done_to;
    return seen;
}

/* Columns that lie together in the ring, with line 0 at `top` on the canvas. */
static void draw_piece(const live_raster *r, const live_image *m, canvas *c, columns piece, axis_rect clip, double top,
                       double stretch)
{
    const live_raster_view *v = &r->view;
    double                  per_ms = v->plot.width / (v->to_ms - v->from_ms), width = m->g.ms_per_column * per_ms;
    double x = v->plot.x + (done_ms(m, piece.from) - v->from_ms) * per_ms, height = stretch / m->g.scale;
    if (live_geometry_same(&m->g, &r->wanted, r->feed, false)) x = canvas_snap(c, x), width = 1 / v->scale;
    double left = fmax(x, clip.x), right = fmin(x + (double)(piece.to - piece.from) * width, clip.x + clip.width);
    if (right <= left || clip.height <= 0) return;
    canvas_clip(c, left, clip.y, right - left, clip.height);
    canvas_patch(c, x - live_image_slot(m, piece.from) * width, top, m->sum.columns * width, m->sum.rows * height,
                 m->rgb, m->sum.columns, m->sum.rows);
    canvas_unclip(c);
}

static void draw_columns(const live_raster *r, const live_image *m, canvas *c, axis_rect clip, double top,
                         double stretch)
{
    columns seen = seen_columns(r, m);
    if (seen.from >= seen.to) return;
    int64_t turn = seen.from + m->sum.columns - live_image_slot(m, seen.from); /* where the ring begins again */
    draw_piece(r, m, c, (columns){ seen.from, seen.to < turn ? seen.to : turn }, clip, top, stretch);
    if (seen.to > turn) draw_piece(r, m, c, (columns){ turn, seen.to }, clip, top, stretch);
}

/* A vector file would hold all of the ring, twice; it gets an image of what is seen. @return false without memory */
static bool draw_embedded(const live_raster *r, const live_image *m, canvas *c)
{
    const live_raster_view *v = &r->view;
    columns                 seen = seen_columns(r, m);
    int                     n = seen.to > seen.from ? (int)(seen.to - seen.from) : 0, rows = m->sum.rows;
    uint32_t               *rgb = malloc(((size_t)n * (size_t)rows + 1) * sizeof *rgb);
    double x = v->plot.x + (done_ms(m, seen.from) - v->from_ms) * v->plot.width / (v->to_ms - v->from_ms);
    if (!rgb) return false;
    for (int k = 0; k < n; k++) {
        int slot = live_image_slot(m, seen.from + k);
        for (int line = 0; line < rows; line++)
            rgb[(size_t)line * (size_t)n + (size_t)k] = m->rgb[(size_t)line * (size_t)m->sum.columns + slot];
    }
    canvas_clip(c, v->plot.x, v->plot.y, v->plot.width, v->plot.height);
    if (n > 0)
        canvas_patch(c, canvas_snap(c, x), canvas_snap(c, v->plot.y), n / v->scale, rows / v->scale, rgb, n, rows);
    canvas_unclip(c);
    free(rgb);
    return true;
}

/* Each band of an image for other axes, stretched to where the band is now. */
static void draw_stretched(const live_raster *r, const live_image *m, canvas *c)
{
    axis_rect plot = r->view.plot;
    for (int i = 0; i < r->feed->n_populations; i++) {
        raster_band from = m->g.bands[i], to = r->bands[i];
        if (!(from.height > 0 && to.height > 0)) continue;
        double stretch = to.height / from.height, top = to.y + (m->g.plot.y - from.y) * stretch;
        double upper = fmax(to.y, plot.y), lower = fmin(to.y + to.height, plot.y + plot.height);
        if (stretch > MOST_STRETCH) continue;
        draw_columns(r, m, c, (axis_rect){ plot.x, upper, plot.width, lower - upper, 0 }, top, stretch);
    }
}

void live_raster_draw(const live_raster *r, canvas *c)
{
    const live_image *m = shown_image(r);
    axis_rect         plot = r->view.plot;
    int               width, height, stride;
    if (!m) return;
    bool same = live_geometry_same(&m->g, &r->wanted, r->feed, false);
    if (same && !canvas_pixels(c, &width, &height, &stride) && draw_embedded(r, m, c)) return;
    if (same) draw_columns(r, m, c, plot, canvas_snap(c, plot.y), 1);
    else draw_stretched(r, m, c);
}
