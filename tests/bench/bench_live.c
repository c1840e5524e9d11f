/* What a window costs the simulation beside it: the same run with and without one, on a screen without a monitor. All
 * processors simulate, so the window takes its time from the run; the aim is to stay below 3 %.
 *
 * The run begins when the window is there and has drawn its first pictures, and takes several seconds. The two are run in
 * turn, ROUNDS times, and the shortest of each is compared. */
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/bench/measure.h"
#include "tests/support/display.h"
#include "viz/live.h"
#include "viz/window.h"

enum { ROUNDS = 3, FIRST_PICTURES = 1 };

/* Excitatory and inhibitory neurons, a hundred inputs each, driven by Poisson spikes to some 15 spikes/s. */
static rv_net *make_net(int64_t n)
{
    rv_net *net = NULL;
    rv_net_new(&(rv_net_def){ .seed = 1 }, &net, NULL);
    rv_population all[2] = { rv_population_new(net, "E", n * 4 / 5, "iaf_psc_exp"), rv_population_new(net, "I", n / 5, "iaf_psc_exp") };
    for (int k = 0; k < 4; k++)
        rv_connect(net, &(rv_connect_def){ .source = rv_all(all[k / 2]), .target = rv_all(all[k % 2]), .rule = "fixed_indegree", .degree = k / 2 ? 20 : 80,
                                           .weight = rv_number(k / 2 ? -160 : 20), .delay = rv_number(1.5) }, NULL);
    const rv_setting poisson[] = { { "rate", rv_number(8000) }, { "weight", rv_number(50) } };
    for (int k = 0; k < 2; k++) rv_input_new(net, rv_all(all[k]), "poisson", poisson, 2, NULL);
    return net;
}

typedef struct watched_run {
    rv_net *net;
    live   *live;
    window *window;
    double  ms, seconds;
    int64_t frames;
} watched_run;

static double run_seconds(rv_net *net, double ms)
{
    double begin = wall_seconds();
    rv_run(net, ms);
    return wall_seconds() - begin;
}

static void *run_beside(void *user)
{
    watched_run          *r = user;
    const struct timespec nap = { 0, 5000000 };
    for (int k = 0; k < 200 && window_frames_get(r->window).shown < FIRST_PICTURES; k++) nanosleep(&nap, NULL);
    for (int k = 0; k < 60; k++) nanosleep(&nap, NULL);
    r->frames = window_frames_get(r->window).shown;
    live_expect(r->live, r->ms);
    r->seconds = run_seconds(r->net, r->ms);
    window_stop(r->window);
    return NULL;
}

static void *run_alone(void *user)
{
    watched_run *r = user;
    rv_compile(r->net);
    r->seconds = run_seconds(r->net, r->ms);
    return NULL;
}

/* In a thread of its own like the other: OpenMP's threads belong to the one that starts them. */
static double alone(int64_t n, double ms)
{
    watched_run r = { .net = make_net(n), .ms = ms };
    pthread_t   thread;
    pthread_create(&thread, NULL, run_alone, &r);
    pthread_join(thread, NULL);
    rv_net_free(r.net);
    return r.seconds;
}

/* @param frames result: shown */
static double watched(int64_t n, double ms, int64_t *frames)
{
    watched_run r = { .net = make_net(n), .ms = ms };
    pthread_t   thread;
    live_open(r.net, &(live_options){ .title = "bench" }, &r.live);
    if (window_open(live_feed(r.live), &(window_options){ .busy = true }, &r.window, NULL) != RV_OK) return NAN;
    pthread_create(&thread, NULL, run_beside, &r);
    window_loop(r.window);
    pthread_join(thread, NULL);
    *frames = window_frames_get(r.window).shown - r.frames;
    window_close(r.window);
    live_close(r.live);
    live_free(r.live);
    rv_net_free(r.net);
    return r.seconds;
}

int main(void)
{
    static const struct { int64_t n; double ms; } runs[] = { { 1000, 200000 }, { 10000, 25000 }, { 100000, 1500 } };
    char name[64];
    if (!display_start()) return 0;
    printf("A window beside a run on all processors\n\n%9s %10s %10s %10s %12s\n", "neurons", "alone (s)", "watched", "slower", "frames/s");
    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        double  best[2] = { INFINITY, INFINITY };
        int64_t frames = 0;
        for (int round = 0; round < ROUNDS; round++) {
            best[0] = fmin(best[0], alone(runs[k].n, runs[k].ms));
            best[1] = fmin(best[1], watched(runs[k].n, runs[k].ms, &frames));
        }
        double slower = 100 * (best[1] / best[0] - 1);
        printf("%9lld %10.3f %10.3f %8.1f %% %12.1f\n", (long long)runs[k].n, best[0], best[1], slower, (double)frames / best[1]);
        snprintf(name, sizeof name, "watched %lld", (long long)runs[k].n);
        note("live", name, 0, "slower", "percent", slower);
        note("live", name, 0, "frames", "1/s", (double)frames / best[1]);
    }
    display_stop();
    return 0;
}
