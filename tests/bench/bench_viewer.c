/* The live view: how long a frame of 1280 x 800 pixels takes on one core without a graphics card, which leaves 16.7 ms
 * at 60 frames/s. Ten million spikes are kept; every neuron fires at 10 spikes/s, in waves.
 *
 *   follow   the last second is shown while the network runs in real time: each frame scrolls by 1/60 s
 *   all      all that is kept is shown, and the run goes on
 *   zoom     in and out again by a quarter with every third frame: nothing of the picture before can be used
 *   complete from the change of a view to the last of its spikes on the screen, over the frames in between
 *
 * Times are wall times; "cpu" is the processor's, which on a machine with other work is the fairer one.
 *
 * What a window costs the simulation beside it is measured by bench_networks; the time to bring a frame to the screen,
 * about 2 ms, is the display's. */
#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/bench/measure.h"
#include "viz/screen.h"

enum { WIDTH = 1280, HEIGHT = 800, N_FRAMES = 300, SPIKES_KEPT = 10000000 };
static const double PIXELS_PER_POINT = 1.4, RATE = 10 /* spikes/s */, FRAME_MS = 1000.0 / 60, BUDGET_SECONDS = 0.006;

static uint64_t mixed(uint64_t x) /* the finaliser of splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195) */
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* Spikes of all neurons at random up to a time; the rate waves with a period of 200 ms. */
static void run_until(feed *f, double t_ms)
{
    static uint64_t n;
    const double    pi = acos(-1);
    for (double t = f->t_ms; t < t_ms;) {
        double wave = 1 + 0.6 * sin(2 * pi * t / 200);
        t += 1000 / (RATE * wave * (double)f->n_rows);
        if (t < t_ms) history_add(f->spikes, t, (double)(mixed(++n) % (uint64_t)f->n_rows));
        atomic_store_explicit(&f->n_spikes, f->n_spikes + 1, memory_order_relaxed);
    }
    f->t_ms = t_ms;
}

static feed *make_feed(int64_t neurons)
{
    feed           *f;
    feed_population populations[] = { { .name = "E", .size = neurons * 4 / 5 },
                                      { .name = "I", .size = neurons / 5, .inhibitory = true } };
    if (feed_new(populations, 2, &f) != RV_OK) exit(1);
    f->live = true;
    f->state = FEED_RUNNING;
    run_until(f, 1e3 * SPIKES_KEPT / (RATE * (double)neurons));
    return f;
}

typedef struct stage {
    feed   *feed;
    view    view;
    screen *screen;
    canvas *canvas;
    double  ms[N_FRAMES], cpu_ms[N_FRAMES]; /* of the frames                                      */
    double  complete_ms;                    /* the sum of those until the picture was complete    */
} stage;

static void open_stage(stage *s, feed *f)
{
    *s = (stage){ .feed = f, .screen = screen_new(f) };
    if (!s->screen || view_open(&s->view, f) != RV_OK) exit(1);
    if (canvas_new(WIDTH, HEIGHT, PIXELS_PER_POINT, &s->canvas, NULL) != RV_OK) exit(1);
    s->view.width = canvas_width(s->canvas), s->view.height = canvas_height(s->canvas),
    s->view.scale = PIXELS_PER_POINT;
}

static void close_stage(stage *s)
{
    canvas_free(s->canvas);
    screen_free(s->screen);
    view_close(&s->view);
}

/* @return whether the picture is complete */
static bool draw_frame(stage *s, double *ms, double *cpu_ms)
{
    bool complete = true;
    view_tick(&s->view, s->feed, FRAME_MS / 1000);
    double began = wall_seconds(), cpu = cpu_seconds();
    if (screen_draw(s->screen, &s->view, s->canvas, BUDGET_SECONDS, &complete) != RV_OK) exit(1);
    *ms = 1e3 * (wall_seconds() - began);
    *cpu_ms = 1e3 * (cpu_seconds() - cpu);
    return complete;
}

static void draw_until_complete(stage *s)
{
    double ms, cpu_ms;
    bool   complete = false;
    s->complete_ms = 0;
    for (int k = 0; k < 10000 && !complete; k++) {
        complete = draw_frame(s, &ms, &cpu_ms);
        s->complete_ms += ms;
    }
}

/* ---- what is measured ---------------------------------------------------------------------------------------- */

static void follow(stage *s)
{
    draw_until_complete(s);
    for (int k = 0; k < N_FRAMES; k++) {
        run_until(s->feed, s->feed->t_ms + FRAME_MS);
        draw_frame(s, &s->ms[k], &s->cpu_ms[k]);
    }
}

static void show_all(stage *s)
{
    view_handle(&s->view, s->feed, &(view_event){ .kind = VIEW_KEY, .key = 'a' });
    follow(s);
}

static void zoom(stage *s)
{
    draw_until_complete(s);
    for (int k = 0; k < N_FRAMES; k++) {
        int key = k % 6 == 0 ? VIEW_KEY_PAGE_UP : VIEW_KEY_PAGE_DOWN;
        if (k % 3 == 0) view_handle(&s->view, s->feed, &(view_event){ .kind = VIEW_KEY, .key = key });
        draw_frame(s, &s->ms[k], &s->cpu_ms[k]);
    }
}

static const struct scene {
    const char *name;
    void (*draw)(stage *);
} scenes[] = { { "follow", follow }, { "all", show_all }, { "zoom", zoom } };

static double mean_of(const double *x)
{
    double sum = 0;
    for (int k = 0; k < N_FRAMES; k++) sum += x[k];
    return sum / N_FRAMES;
}

static double late_of(double *x)
{
    qsort(x, N_FRAMES, sizeof *x, ascending);
    return x[N_FRAMES * 99 / 100];
}

static void report(const struct scene *scene, stage *s)
{
    char   name[64];
    double mean = mean_of(s->ms), late = late_of(s->ms), cpu = mean_of(s->cpu_ms), late_cpu = late_of(s->cpu_ms);
    printf("%9lld %-8s %8.2f %8.2f %8.2f %8.2f %10.0f\n", (long long)s->feed->n_rows, scene->name, mean, late, cpu,
           late_cpu, s->complete_ms);
    snprintf(name, sizeof name, "%s %lld", scene->name, (long long)s->feed->n_rows);
    note("viewer", name, 1, "frame mean", "ms", mean);
    note("viewer", name, 1, "frame 99th percentile", "ms", late);
    note("viewer", name, 1, "frame cpu mean", "ms", cpu);
    note("viewer", name, 1, "frame cpu 99th percentile", "ms", late_cpu);
    note("viewer", name, 1, "complete", "ms", s->complete_ms);
}

int main(void)
{
    static stage s;
    printf("Live view, %d x %d pixels, %d million spikes kept: ms per frame (16.7 for 60 frames/s)\n\n", WIDTH, HEIGHT,
           SPIKES_KEPT / 1000000);
    printf("%9s %-8s %8s %8s %8s %8s %10s\n", "neurons", "", "mean", "99 %", "cpu", "cpu 99 %", "complete");
    for (int64_t neurons = 1000; neurons <= 100000; neurons *= 10) {
        feed *f = make_feed(neurons);
        for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) {
            open_stage(&s, f);
            scenes[k].draw(&s);
            report(&scenes[k], &s);
            close_stage(&s);
        }
        feed_free(f);
    }
    return 0;
}
