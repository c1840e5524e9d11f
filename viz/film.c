#include "viz/film.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "viz/frames.h"
#include "viz/screen.h"

enum { WIDTH = 1280, HEIGHT = 800 };
static const double PIXELS_PER_POINT = 1.4; /* as in a window */

struct film {
    feed   *feed;
    view    view;
    screen *screen;
    canvas *canvas;
    frames *frames;
    double  last_ms;
};

static rv_status open_parts(film *m, const char *folder, rv_error *error)
{
    rv_status status = frames_open(folder, &m->frames, error);
    if (status == RV_OK) status = canvas_new(WIDTH, HEIGHT, PIXELS_PER_POINT, &m->canvas, error);
    if (status != RV_OK) return status;
    m->screen = screen_new(m->feed);
    status = m->screen ? view_open(&m->view, m->feed) : RV_OUT_OF_MEMORY;
    if (status != RV_OK) return canvas_fail(error, status, "frames: no memory for the view");
    m->view.film = true;
    m->view.width = canvas_width(m->canvas), m->view.height = canvas_height(m->canvas);
    return RV_OK;
}

rv_status film_open(feed *f, const char *folder, film **result, rv_error *error)
{
    film *m = *result = calloc(1, sizeof *m);
    if (!m) return canvas_fail(error, RV_OUT_OF_MEMORY, "frames: no memory for them");
    m->feed = f;
    rv_status status = open_parts(m, folder, error);
    if (status == RV_OK) return RV_OK;
    film_close(m);
    *result = NULL;
    return status;
}

/* Nobody waits for a film: every picture is complete. */
rv_status film_shoot(film *m, double t_ms, rv_error *error)
{
    bool complete = false;
    view_tick(&m->view, m->feed, (t_ms - m->last_ms) / 1000);
    m->last_ms = t_ms;
    while (!complete) {
        rv_status status = screen_draw(m->screen, &m->view, m->canvas, 1, &complete);
        if (status != RV_OK) return canvas_fail(error, status, "frames: no memory to draw them");
    }
    return frames_add(m->frames, m->canvas, error);
}

void film_close(film *m)
{
    if (!m) return;
    frames_close(m->frames, NULL);
    canvas_free(m->canvas);
    screen_free(m->screen);
    view_close(&m->view);
    free(m);
}
