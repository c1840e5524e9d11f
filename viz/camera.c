/* The event image. Spikes ascend in time, so each paints its pixel over what was there: one pass leaves the latest event
 * of every pixel, in the shade of its age. */
#include "viz/camera.h"

#include "viz/colours.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHUNK       = 8192,    /* spikes read at once                             */
    MOST_SPIKES = 1000000, /* of all populations, looked at for an image      */
    SHADES      = 64,      /* from the oldest to the latest event             */
    ON          = 0x0072b2,
    OFF         = 0xd55e00,
    PAGE        = 0xffffff,
    TEXT        = 192,
};

static const double WINDOW_MS = 30, WINDOW_OF_VIEW = 0.1;
static const double TAUS = 3;       /* the window is that many time constants of fading long */
static const double CRISP = 4;      /* pixels of the screen a pixel of the camera has when it is rounded to whole ones */
static const double LINE = 11;      /* points */

struct camera {
    const feed *f;
    uint32_t   *image;
    size_t      room; /* pixels of it */
    double     *t_ms, *row; /* [CHUNK] */
};

camera *camera_new(const feed *f)
{
    camera *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    k->f = f;
    k->t_ms = malloc(2 * CHUNK * sizeof *k->t_ms);
    if (!k->t_ms) {
        camera_free(k);
        return NULL;
    }
    k->row = k->t_ms + CHUNK;
    return k;
}

void camera_free(camera *k)
{
    if (!k) return;
    free(k->image);
    free(k->t_ms);
    free(k);
}

static const feed_population *find_camera(const feed *f, const view *v)
{
    for (int p = 0; p < f->n_populations; p++)
        if (f->population[p].columns > 0 && f->population[p].rows > 0 && v->visible[p]) return &f->population[p];
    return NULL;
}

bool camera_there(const feed *f, const view *v) { return find_camera(f, v) != NULL; }

/* ---- the image -------------------------------------------------------------------------------------------------- */

/* The image of a camera: its pixels, or squares of `step` x `step` of them where the screen has fewer. */
typedef struct event_image {
    const feed_population *camera;
    uint32_t              *rgb;
    int                    step, columns, rows;
    double                 from_ms, to_ms; /* events shown: from < t <= to           */
    double                 known_ms;       /* of it, the length in which all are known */
    uint32_t               shade[2][SHADES]; /* by polarity and age, the latest last */
    int64_t                events;
} event_image;

static void make_shades(const canvas *c, event_image *image)
{
    uint32_t page = canvas_colour(c, PAGE), colours[] = { canvas_colour(c, ON), canvas_colour(c, OFF) };
    for (int i = 0; i < SHADES; i++) {
        double age = TAUS * (1 - (i + 1.0) / SHADES);
        for (int polarity = 0; polarity < 2; polarity++)
            image->shade[polarity][i] = colours_mix(page, colours[polarity], exp(-age));
    }
    for (int i = 0; i < image->columns * image->rows; i++) image->rgb[i] = page;
}

static void paint(event_image *image, const double *t_ms, const double *row, int64_t n)
{
    const feed_population *p = image->camera;
    int32_t                pixels = p->columns * p->rows;
    double                 per_ms = SHADES / (image->to_ms - image->from_ms);
    for (int64_t k = 0; k < n; k++) {
        int64_t neuron = (int64_t)row[k] - p->first_row;
        if (neuron < 0 || neuron >= p->size || neuron >= (int64_t)pixels * 2 || !(t_ms[k] > image->from_ms)) continue;
        int     polarity = neuron >= pixels, shade = (int)((t_ms[k] - image->from_ms) * per_ms);
        int32_t pixel = (int32_t)neuron - polarity * pixels, y = pixel / p->columns, x = pixel - y * p->columns;
        if (image->step > 1) x /= image->step, y /= image->step;
        image->rgb[y * image->columns + x] = image->shade[polarity][shade < SHADES ? shade : SHADES - 1];
        image->events++;
    }
}

/* The latest spikes that are kept; or older ones that were fetched, if that is where the window looks. */
static const history *spikes_at(const feed *f, double t_ms)
{
    bool older = history_oldest(f->spikes) > t_ms && f->older_from_ms <= t_ms && f->older_to_ms > t_ms;
    return older ? f->older : f->spikes;
}

static void paint_events(camera *k, event_image *image)
{
    const history *spikes = spikes_at(k->f, image->from_ms);
    int64_t        next = history_find(spikes, image->from_ms);
    int64_t        end = history_find(spikes, nextafter(image->to_ms, INFINITY));
    int64_t wanted = next;
    if (end - next > MOST_SPIKES) next = end - MOST_SPIKES;
    while (next < end) {
        int64_t n = history_read(spikes, &next, end - next < CHUNK ? end - next : CHUNK, k->t_ms, k->row);
        if (n == 0) return;
        if (next > wanted) image->known_ms = image->to_ms - k->t_ms[0];
        wanted = next += n;
        while (n > 0 && k->t_ms[n - 1] > image->to_ms) n--; /* pairs that went moved `next` on */
        paint(image, k->t_ms, k->row, n);
    }
}

/* ---- drawing ---------------------------------------------------------------------------------------------------- */

/* The largest rectangle of square pixels within a place; of whole pixels of the screen if that costs little. */
static axis_rect fit(const canvas *c, int columns, int rows, axis_rect place)
{
    double pixel = fmin(place.width / columns, place.height / rows), scale = canvas_scale(c);
    if (pixel * scale >= CRISP) pixel = floor(pixel * scale) / scale;
    axis_rect r = { .width = columns * pixel, .height = rows * pixel };
    r.x = canvas_snap(c, place.x), r.y = canvas_snap(c, place.y);
    return r;
}

static bool make_image(camera *k, const canvas *c, axis_rect at, event_image *image)
{
    const feed_population *p = image->camera;
    image->step = (int)fmax(ceil(p->columns / (at.width * canvas_scale(c)) - 1e-6), 1);
    image->columns = (p->columns + image->step - 1) / image->step, image->rows = (p->rows + image->step - 1) / image->step;
    size_t pixels = (size_t)image->columns * (size_t)image->rows;
    if (pixels > k->room) {
        free(k->image);
        k->image = malloc(pixels * sizeof *k->image);
        k->room = k->image ? pixels : 0;
    }
    image->rgb = k->image;
    return k->image;
}

static void draw_names(canvas *c, const feed_population *p, axis_rect place)
{
    canvas_font font = { .size = AXIS_LABEL, .colour = AXIS_INK, .bold = true };
    char        text[TEXT];
    double      y = place.y + AXIS_LABEL, x = place.x + place.width, names = 0;
    if (p->polarities > 1) {
        canvas_font name = { .size = AXIS_LABEL, .colour = OFF, .align = CANVAS_RIGHT };
        canvas_text(c, name, x, y, "OFF");
        name.colour = ON;
        canvas_text(c, name, x - canvas_text_width(c, name, "OFF") - 5, y, "ON");
        names = canvas_text_width(c, name, "OFF ON") + 8;
    }
    font.longest = place.width - names;
    if (font.longest <= 0) return;
    canvas_text(c, font, place.x, y, p->name);
    double used = canvas_text_width(c, font, p->name) + 6;
    snprintf(text, sizeof text, "%d × %d", p->columns, p->rows);
    double left = font.longest - used;
    font = (canvas_font){ .size = AXIS_DIGIT, .colour = AXIS_FAINT };
    if (canvas_text_width(c, font, text) <= left) canvas_text(c, font, place.x + used, y, text);
}

static void draw_counts(canvas *c, const event_image *image, axis_rect place, double y)
{
    canvas_font font = { .size = AXIS_DIGIT, .colour = AXIS_INK, .longest = place.width };
    char        count[AXIS_NUMBER_BYTES], text[TEXT];
    double      window = image->to_ms - image->from_ms;
    axis_write_count(llround((double)image->events / image->known_ms * 1000), count);
    snprintf(text, sizeof text, "last %.3g ms · %s events/s", window, count);
    canvas_text(c, font, place.x, y, text);
}

static void draw_frame(canvas *c, axis_rect r)
{
    double half = AXIS_LINE / 2;
    canvas_rectangle(c, (canvas_pen){ .colour = AXIS_FAINT, .width = AXIS_LINE }, r.x - half, r.y - half,
                     r.width + 2 * half, r.height + 2 * half, 0, false);
}

rv_status camera_draw(camera *k, const view *v, canvas *c, axis_rect place)
{
    event_image image = { .camera = find_camera(k->f, v), .to_ms = fmin(v->to_ms, v->now_ms) };
    double      window = fmin(WINDOW_MS, WINDOW_OF_VIEW * (v->to_ms - v->from_ms));
    axis_rect   room = { place.x + 1, place.y + LINE + 1, place.width - 2, place.height - 2 * LINE - 3, 0 };
    if (!image.camera || room.width < 1 || room.height < 1 || !(window > 0) || !isfinite(image.to_ms)) return RV_OK;
    image.from_ms = image.to_ms - window;
    image.known_ms = fmin(window, fmax(image.to_ms - k->f->begin_ms, k->f->resolution_ms));
    axis_rect at = fit(c, image.camera->columns, image.camera->rows, room);
    if (!make_image(k, c, at, &image)) return RV_OUT_OF_MEMORY;
    make_shades(c, &image);
    paint_events(k, &image);
    canvas_clip(c, place.x, place.y, place.width, place.height);
    canvas_patch(c, at.x, at.y, at.width, at.height, image.rgb, image.columns, image.rows);
    draw_frame(c, at);
    draw_names(c, image.camera, (axis_rect){ at.x, place.y, at.width, LINE, 0 });
    draw_counts(c, &image, at, at.y + at.height + 2 + AXIS_LABEL);
    canvas_unclip(c);
    return RV_OK;
}
