/* A real window on a screen without a monitor, and a simulation beside it: a thread that makes spikes up and obeys. A suite
 * includes it once, after cmocka. */
#ifndef RV_TESTS_WINDOW_FIXTURE_H
#define RV_TESTS_WINDOW_FIXTURE_H

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/display.h"
#include "tests/support/ensure.h"
#include "tests/support/random_number.h"
#include "tests/support/wait.h"
#include "viz/layout.h"
#include "viz/window.h"

DRAWING_LEAKS

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { SLOWED_DOWN = true };
#else
enum { SLOWED_DOWN = false };
#endif
enum { MOST_COMMANDS = 4096 };
enum { E = 0, I = 1, RETINA = 2, N_POPULATIONS = 3 };
static const double calm_ms = 2000; /* simulated before a window opens */

/* The view is looked at anew each time that something is waited for. */
#define SEE(condition) WAIT_OR((look(), (condition)), fail_msg("%s: not true after %d s", #condition, PATIENCE_S))

/* ------------------------------------------------------------------------------------------- simulation --- */

static feed *f;

static struct {
    pthread_t       thread;
    bool            runs;
    _Atomic bool    over;
    double          step_ms;
    int64_t         rows_per_ms; /* spikes */
    pthread_mutex_t lock;        /* over the commands it got */
    feed_command    command[MOST_COMMANDS];
    int             n_commands;
} simulation = { .lock = PTHREAD_MUTEX_INITIALIZER };

static inline void advance(double by_ms)
{
    double  t = atomic_load(&f->t_ms);
    int64_t n = (int64_t)ceil(by_ms * (double)simulation.rows_per_ms);
    for (int64_t k = 0; k < n; k++) {
        uint64_t random = random_mixed((uint64_t)llround(1e3 * t) * 1000003u + (uint64_t)k);
        history_add(f->spikes, t + by_ms * (double)(k + 1) / (double)n, (double)(random % (uint64_t)f->n_rows));
    }
    for (int k = 0; k < FEED_TRACES; k++) history_add(f->trace[k].samples, t + by_ms, -60 + 10 * sin(t / 20 + k));
    atomic_store(&f->n_spikes, atomic_load(&f->n_spikes) + n);
    atomic_store(&f->n_events, atomic_load(&f->n_events) + 100 * n);
    atomic_store(&f->t_ms, t + by_ms);
}

static inline void hand_weights_over(int learning)
{
    feed_weights *w = feed_weights_begin(f);
    *w = (feed_weights){
        .learning = learning, .t_ms = f->t_ms, .n_synapses = 64, .high = 1, .mean = 0.5, .columns = 8, .rows = 8
    };
    for (int k = 0; k < FEED_HISTOGRAM; k++) w->histogram[k] = 1.0 / FEED_HISTOGRAM;
    for (int k = 0; k < 64; k++) w->cells[k] = (float)(k + learning) / 64;
    feed_weights_end(f);
}

static inline void obey(feed_command c)
{
    pthread_mutex_lock(&simulation.lock);
    if (simulation.n_commands < MOST_COMMANDS) simulation.command[simulation.n_commands++] = c;
    pthread_mutex_unlock(&simulation.lock);
    if (c.kind == FEED_KNOB) atomic_store(&f->knob[c.index].value, c.value);
    if (c.kind == FEED_WEIGHTS && c.index >= 0) hand_weights_over(c.index);
    if (c.kind == FEED_FINISH) atomic_store(&f->state, FEED_ENDED);
}

static inline bool may_advance(void)
{
    if (!f->live || atomic_load(&f->state) == FEED_ENDED) return false;
    atomic_store(&f->state, atomic_load(&f->paused) ? FEED_PAUSED : FEED_RUNNING);
    if (!atomic_load(&f->paused)) return true;
    return atomic_load(&f->steps) > 0 && atomic_fetch_sub(&f->steps, 1) > 0;
}

static inline void *simulate(void *unused)
{
    (void)unused;
    while (!atomic_load(&simulation.over)) {
        feed_command c;
        while (feed_take(f, &c)) obey(c);
        if (may_advance()) advance(atomic_load(&f->paused) ? f->resolution_ms : simulation.step_ms);
        nap(0.001);
    }
    return NULL;
}

/* The last command of a kind; kind -1 if there was none. */
static inline feed_command last_command(int kind)
{
    feed_command c = { .kind = (feed_command_kind)-1 };
    pthread_mutex_lock(&simulation.lock);
    for (int k = 0; k < simulation.n_commands; k++)
        if ((int)simulation.command[k].kind == kind) c = simulation.command[k];
    pthread_mutex_unlock(&simulation.lock);
    return c;
}

static inline bool was_sent(int kind) { return (int)last_command(kind).kind == kind; }

/* ----------------------------------------------------------------------------------------------- window --- */

static window        *w;
static window_options options;
static pthread_t      window_thread;
static _Atomic int    window_state; /* 1 open, 2 gone, 3 refused */
static _Atomic bool   window_done;  /* the test is over: nobody looks at the view any more */
static bool           window_runs;
static view           seen; /* the view when it was last looked at */
static char           folder[] = "/tmp/ranvier_window_XXXXXX";
static bool           there_is_a_screen;

static inline void *show(void *unused)
{
    (void)unused;
    rv_error error = { 0 };
    if (window_open(f, &options, &w, &error) != RV_OK) {
        printf("%s\n", error.text);
        atomic_store(&window_state, 3);
        return NULL;
    }
    atomic_store(&window_state, 1);
    window_loop(w);
    atomic_store(&window_state, 2);
    while (!atomic_load(&window_done)) nap(0.001);
    window_close(w);
    return NULL;
}

static inline void look(void)
{
    if (atomic_load(&window_state) != 1 && atomic_load(&window_state) != 2) return;
    view_close(&seen);
    assert_int_equal(window_view(w, &seen), RV_OK);
}

static inline int64_t frames_shown(void) { return window_frames_get(w).shown; }

static inline void make_feed(void)
{
    feed_population populations[N_POPULATIONS] = {
        { .name = "E", .model = "iaf_psc_exp", .size = 80, .variable = "V_m", .unit = "mV" },
        { .name = "I", .model = "iaf_psc_exp", .size = 20, .inhibitory = true, .variable = "V_m", .unit = "mV" },
        { .name = "retina", .model = "spike_source", .size = 64, .columns = 8, .rows = 8, .polarities = 1 },
    };
    assert_int_equal(feed_new(populations, N_POPULATIONS, &f), RV_OK);
    strcpy(f->title, "test.lua");
    f->live = true, f->inject_pA = 100;
    f->end_ms = 1e6;
    f->state = FEED_PAUSED;
    f->paused = true;
    f->n_learning = 2, f->n_knobs = 2;
    strcpy(f->learning[0], "E to E, stdp");
    strcpy(f->learning[1], "E to I, stdp");
    f->knob[0] = (feed_knob){ .label = "rate", .low = 0, .high = 10, .value = 5 };
    f->knob[1] = (feed_knob){ .label = "g", .low = -1, .high = 1, .value = 0 };
    for (int k = 0; k < FEED_TRACES; k++) f->trace[k].threshold = -50;
}

/* A paused network with two seconds of spikes. */
static inline int make_calm(void **state)
{
    (void)state;
    simulation.n_commands = 0, simulation.step_ms = 1, simulation.rows_per_ms = 3, simulation.over = false;
    make_feed();
    while (f->t_ms < calm_ms) advance(1);
    options = (window_options){ .folder = folder };
    return 0;
}

static inline void start_simulation(void)
{
    assert_int_equal(pthread_create(&simulation.thread, NULL, simulate, NULL), 0);
    simulation.runs = true;
}

static inline void start(void)
{
    if (!there_is_a_screen) skip();
    start_simulation();
    window_state = 0;
    window_done = false;
    assert_int_equal(pthread_create(&window_thread, NULL, show, NULL), 0);
    window_runs = true;
    SEE(window_state != 0);
    assert_int_equal(window_state, 1);
    assert_true(display_find("Ranvier"));
    SEE(frames_shown() > 0);
}

/* A window that was left open is closed, as after a test that failed. */
static inline int stop(void **state)
{
    (void)state;
    if (window_runs && window_state == 1) window_stop(w);
    atomic_store(&window_done, true);
    if (window_runs) pthread_join(window_thread, NULL);
    atomic_store(&simulation.over, true);
    if (simulation.runs) pthread_join(simulation.thread, NULL);
    view_close(&seen);
    feed_free(f);
    window_runs = simulation.runs = false;
    w = NULL, f = NULL, window_state = 0;
    return 0;
}

/* ---------------------------------------------------------------------------------------------- picture --- */

typedef struct place {
    int x, y, width, height; /* pixels of the window */
} place;

static inline layout layout_now(void)
{
    layout l;
    look();
    assert_int_equal(layout_make(&seen, f, &l), RV_OK);
    return l;
}

/* Where an item is; the test fails if it is not shown. */
static inline place place_of(layout_kind kind, int index)
{
    layout           l = layout_now();
    const axis_rect *r = layout_find(&l, kind, index);
    if (!r) fail_msg("item %d, %d is not in the window", kind, index);
    double s = seen.scale;
    place p = { (int)ceil(r->x * s), (int)ceil(r->y * s), (int)floor(r->width * s) - 1, (int)floor(r->height * s) - 1 };
    layout_free(&l);
    return p;
}

static inline bool is_shown(layout_kind kind, int index)
{
    layout l = layout_now();
    bool   shown = layout_find(&l, kind, index);
    layout_free(&l);
    return shown;
}

static inline uint64_t picture(place p) { return display_hash(p.x, p.y, p.width, p.height); }

/* The picture there when it has come to rest: it stayed the same while a new frame was shown, or none came. */
static inline uint64_t calm_picture(place p)
{
    for (double until = clock_seconds() + PATIENCE_S; clock_seconds() < until;) {
        uint64_t hash = picture(p);
        int64_t  frames = frames_shown();
        double   began = clock_seconds();
        while (frames_shown() < frames + 2 && clock_seconds() < began + 0.1) nap(0.001);
        if (picture(p) == hash) return hash;
    }
    fail_msg("the picture does not come to rest");
    return 0;
}

/* Does something to the window: then the condition comes true, and the picture of a panel changes. */
#define DO(action, condition, kind, index)                                                                             \
    do {                                                                                                               \
        place    place_ = place_of(kind, index);                                                                       \
        uint64_t before_ = calm_picture(place_);                                                                       \
        action;                                                                                                        \
        SEE(condition);                                                                                           \
        SEE(picture(place_) != before_);                                                                          \
    } while (0)

#define PRESS(keys, condition, kind, index) DO(display_key(keys), condition, kind, index)

/* The same for what is seen nowhere or everywhere. */
#define PRESS_ONLY(keys, condition)                                                                                    \
    do {                                                                                                               \
        display_key(keys);                                                                                             \
        SEE(condition);                                                                                           \
    } while (0)

static inline void click(layout_kind kind, int index, int button, const char *modifier, int times)
{
    place p = place_of(kind, index);
    display_click(p.x + p.width / 2, p.y + p.height / 2, button, modifier, times);
}

/* A pixel of the raster in the middle of the line of a neuron. */
static inline void pixel_of(int population, int64_t neuron, int *x, int *y)
{
    layout l = layout_now();
    double line = raster_neuron_y(l.bands[population], f->population[population].size, (double)neuron);
    *x = (int)((l.raster.x + l.raster.width / 3) * seen.scale);
    *y = (int)(line * seen.scale);
    layout_free(&l);
}

/* ------------------------------------------------------------------------------------------------ group --- */

static inline int make_folder(void **state)
{
    (void)state;
    setenv("SDL_RENDER_DRIVER", "software", 1);         /* neither graphics drivers   */
    setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1); /* nor desktops are tested */
    there_is_a_screen = display_start();
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_folder(void **state)
{
    char command[200];
    (void)state;
    display_stop();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_calm, stop)

/** A pattern on the command line chooses tests: test_window 'test_key*'. */
#define RUN_TESTS(tests) (argc > 1 ? cmocka_set_test_filter(argv[1]) : (void)0, cmocka_run_group_tests(tests, make_folder, remove_folder))

#endif
