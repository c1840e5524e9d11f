/* The window, used as a person uses it: a real window on a screen without a monitor, real keys and a real mouse. What
 * each action does to the view is tested headless in test_view.c; here, that every key and every part of the window
 * that takes the mouse arrives there, that the picture follows, and that window and simulation share the feed without
 * harm. The simulation is a thread that makes spikes up and obeys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/display.h"
#include "viz/layout.h"
#include "viz/window.h"

/* fontconfig hides pointers from the leak checker in its cache of patterns, about 1 kB in all, however many figures;
 * Xlib forgets the name of the input method, 18 bytes, with every display that is opened */
__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libX11\n"; }

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { SLOWED_DOWN = true };
#else
enum { SLOWED_DOWN = false };
#endif
enum { PATIENCE_S = 30, MOST_COMMANDS = 4096 };
enum { E = 0, I = 1, RETINA = 2, N_POPULATIONS = 3 };
static const double calm_ms = 2000; /* simulated before a window opens */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double wall_seconds(void) { return seconds_of(CLOCK_MONOTONIC); }

static void nap(void) { nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL); }

/* Waits until something comes true, patiently: the machine may be busy. The view is looked at anew each time. */
#define WAIT_FOR(condition)                                                                                            \
    do {                                                                                                               \
        double until_ = wall_seconds() + PATIENCE_S;                                                                   \
        while (look(), !(condition)) {                                                                                 \
            if (wall_seconds() > until_) fail_msg("%s: not true after %d s", #condition, PATIENCE_S);                  \
            nap();                                                                                                     \
        }                                                                                                              \
    } while (0)

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

static uint64_t mixed(uint64_t x) /* the finaliser of splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195) */
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void advance(double by_ms)
{
    double  t = atomic_load(&f->t_ms);
    int64_t n = (int64_t)ceil(by_ms * (double)simulation.rows_per_ms);
    for (int64_t k = 0; k < n; k++) {
        uint64_t random = mixed((uint64_t)llround(1e3 * t) * 1000003u + (uint64_t)k);
        history_add(f->spikes, t + by_ms * (double)(k + 1) / (double)n, (double)(random % (uint64_t)f->n_rows));
    }
    for (int k = 0; k < FEED_TRACES; k++) history_add(f->trace[k].samples, t + by_ms, -60 + 10 * sin(t / 20 + k));
    atomic_store(&f->n_spikes, atomic_load(&f->n_spikes) + n);
    atomic_store(&f->n_events, atomic_load(&f->n_events) + 100 * n);
    atomic_store(&f->t_ms, t + by_ms);
}

static void hand_weights_over(int learning)
{
    feed_weights *w = feed_weights_begin(f);
    *w = (feed_weights){
        .learning = learning, .t_ms = f->t_ms, .n_synapses = 64, .high = 1, .mean = 0.5, .columns = 8, .rows = 8
    };
    for (int k = 0; k < FEED_HISTOGRAM; k++) w->histogram[k] = 1.0 / FEED_HISTOGRAM;
    for (int k = 0; k < 64; k++) w->cells[k] = (float)(k + learning) / 64;
    feed_weights_end(f);
}

static void obey(feed_command c)
{
    pthread_mutex_lock(&simulation.lock);
    if (simulation.n_commands < MOST_COMMANDS) simulation.command[simulation.n_commands++] = c;
    pthread_mutex_unlock(&simulation.lock);
    if (c.kind == FEED_KNOB) atomic_store(&f->knob[c.index].value, c.value);
    if (c.kind == FEED_WEIGHTS && c.index >= 0) hand_weights_over(c.index);
    if (c.kind == FEED_FINISH) atomic_store(&f->state, FEED_ENDED);
}

static bool may_advance(void)
{
    if (!f->live || atomic_load(&f->state) == FEED_ENDED) return false;
    atomic_store(&f->state, atomic_load(&f->paused) ? FEED_PAUSED : FEED_RUNNING);
    if (!atomic_load(&f->paused)) return true;
    return atomic_load(&f->steps) > 0 && atomic_fetch_sub(&f->steps, 1) > 0;
}

static void *simulate(void *unused)
{
    (void)unused;
    while (!atomic_load(&simulation.over)) {
        feed_command c;
        while (feed_take(f, &c)) obey(c);
        if (may_advance()) advance(atomic_load(&f->paused) ? f->resolution_ms : simulation.step_ms);
        nap();
    }
    return NULL;
}

/* The last command of a kind; kind -1 if there was none. */
static feed_command last_command(int kind)
{
    feed_command c = { .kind = (feed_command_kind)-1 };
    pthread_mutex_lock(&simulation.lock);
    for (int k = 0; k < simulation.n_commands; k++)
        if ((int)simulation.command[k].kind == kind) c = simulation.command[k];
    pthread_mutex_unlock(&simulation.lock);
    return c;
}

static bool was_sent(int kind) { return (int)last_command(kind).kind == kind; }

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

static void *show(void *unused)
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
    while (!atomic_load(&window_done)) nap();
    window_close(w);
    return NULL;
}

static void look(void)
{
    if (atomic_load(&window_state) != 1 && atomic_load(&window_state) != 2) return;
    view_close(&seen);
    assert_int_equal(window_view(w, &seen), RV_OK);
}

static int64_t frames_shown(void) { return window_frames_get(w).shown; }

static void make_feed(void)
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
static int make_calm(void **state)
{
    (void)state;
    simulation.n_commands = 0, simulation.step_ms = 1, simulation.rows_per_ms = 3, simulation.over = false;
    make_feed();
    while (f->t_ms < calm_ms) advance(1);
    options = (window_options){ .folder = folder };
    return 0;
}

static void start_simulation(void)
{
    assert_int_equal(pthread_create(&simulation.thread, NULL, simulate, NULL), 0);
    simulation.runs = true;
}

static void start(void)
{
    if (!there_is_a_screen) skip();
    start_simulation();
    window_state = 0;
    window_done = false;
    assert_int_equal(pthread_create(&window_thread, NULL, show, NULL), 0);
    window_runs = true;
    WAIT_FOR(window_state != 0);
    assert_int_equal(window_state, 1);
    assert_true(display_find("Ranvier"));
    WAIT_FOR(frames_shown() > 0);
}

/* A window that was left open is closed, as after a test that failed. */
static int stop(void **state)
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

static layout layout_now(void)
{
    layout l;
    look();
    assert_int_equal(layout_make(&seen, f, &l), RV_OK);
    return l;
}

/* Where an item is; the test fails if it is not shown. */
static place place_of(layout_kind kind, int index)
{
    layout           l = layout_now();
    const axis_rect *r = layout_find(&l, kind, index);
    if (!r) fail_msg("item %d, %d is not in the window", kind, index);
    double s = seen.scale;
    place p = { (int)ceil(r->x * s), (int)ceil(r->y * s), (int)floor(r->width * s) - 1, (int)floor(r->height * s) - 1 };
    layout_free(&l);
    return p;
}

static bool is_shown(layout_kind kind, int index)
{
    layout l = layout_now();
    bool   shown = layout_find(&l, kind, index);
    layout_free(&l);
    return shown;
}

static uint64_t picture(place p) { return display_hash(p.x, p.y, p.width, p.height); }

/* The picture there when it has come to rest: it stayed the same while a new frame was shown, or none came. */
static uint64_t calm_picture(place p)
{
    for (double until = wall_seconds() + PATIENCE_S; wall_seconds() < until;) {
        uint64_t hash = picture(p);
        int64_t  frames = frames_shown();
        double   began = wall_seconds();
        while (frames_shown() < frames + 2 && wall_seconds() < began + 0.1) nap();
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
        WAIT_FOR(condition);                                                                                           \
        WAIT_FOR(picture(place_) != before_);                                                                          \
    } while (0)

#define PRESS(keys, condition, kind, index) DO(display_key(keys), condition, kind, index)

/* The same for what is seen nowhere or everywhere. */
#define PRESS_ONLY(keys, condition)                                                                                    \
    do {                                                                                                               \
        display_key(keys);                                                                                             \
        WAIT_FOR(condition);                                                                                           \
    } while (0)

static void click(layout_kind kind, int index, int button, const char *modifier, int times)
{
    place p = place_of(kind, index);
    display_click(p.x + p.width / 2, p.y + p.height / 2, button, modifier, times);
}

/* A pixel of the raster in the middle of the line of a neuron. */
static void pixel_of(int population, int64_t neuron, int *x, int *y)
{
    layout l = layout_now();
    double line = raster_neuron_y(l.bands[population], f->population[population].size, (double)neuron);
    *x = (int)((l.raster.x + l.raster.width / 3) * seen.scale);
    *y = (int)(line * seen.scale);
    layout_free(&l);
}

/* ------------------------------------------------------------------------------------------------ opening --- */

static void test_without_display(void **state)
{
    rv_error error = { 0 };
    (void)state;
    if (!there_is_a_screen) skip();
    char *display = strdup(getenv("DISPLAY"));
    unsetenv("DISPLAY");
    assert_int_equal(window_check(&error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, "DISPLAY is not set"));
    assert_int_equal(window_open(f, &options, &w, &error), RV_FILE_ERROR);
    assert_null(w);
    setenv("DISPLAY", ":4711", 1);
    assert_int_equal(window_open(f, &options, &w, &error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, ":4711"));
    assert_non_null(strstr(error.text, "--frames"));
    setenv("DISPLAY", display, 1);
    assert_int_equal(window_check(&error), RV_OK);
    free(display);
}

/* 1280 x 800 pixels, all of them drawn, dark; the title names the script. */
static void test_opens(void **state)
{
    (void)state;
    start();
    assert_true(display_find("test.lua"));
    WAIT_FOR(fabs(seen.width * seen.scale - 1280) < 1 && fabs(seen.height * seen.scale - 800) < 1);
    place    raster = place_of(LAYOUT_RASTER, 0);
    uint32_t corner = display_pixel(1279, 799), paper = display_pixel(raster.x + 2, raster.y + 2);
    assert_true(seen.dark);
    assert_true(corner != 0 && (corner & 0xff) < 0x40 && (paper & 0xff) < 0x40);
    int marks = 0;
    for (int y = raster.y; y < raster.y + raster.height; y++)
        for (int x = raster.x; x < raster.x + raster.width; x++) marks += (display_pixel(x, y) & 0xff) > 0x60;
    if (marks < 1000) fail_msg("%d pixels of the raster are marked, expected thousands", marks);
}

static void test_light(void **state)
{
    (void)state;
    options.light = true, options.width = 700, options.height = 500;
    start();
    WAIT_FOR((display_pixel(690, 490) & 0xff) > 0xc0);
    assert_false(seen.dark);
    assert_true(fabs(seen.width * seen.scale - 700) < 1);
}

/* The first line of a file of one of this process's threads. */
static bool read_task(const char *task, const char *file, char line[100])
{
    char path[320];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", task, file);
    FILE *text = fopen(path, "r");
    bool  got = text && fgets(line, 100, text);
    if (text) fclose(text);
    return got;
}

/* Processor time of the threads with a name, ns (proc(5): schedstat). */
static long long time_of_threads(const char *name)
{
    long long sum = 0;
    DIR      *tasks = opendir("/proc/self/task");
    char      line[100];
    for (struct dirent *task; tasks && (task = readdir(tasks));)
        if (read_task(task->d_name, "comm", line) && !strncmp(line, name, strlen(name)) &&
            read_task(task->d_name, "schedstat", line))
            sum += atoll(line);
    if (tasks) closedir(tasks);
    return sum;
}

/* Where OpenGL has no card it is not used: its threads would take the processors from the simulation. */
static void test_without_graphics_card(void **state)
{
    (void)state;
    if (SLOWED_DOWN) skip(); /* the driver's own races and leaks */
    unsetenv("SDL_RENDER_DRIVER");
    f->paused = false;
    start();
    setenv("SDL_RENDER_DRIVER", "software", 1);
    WAIT_FOR(display_pixel(1279, 799) != 0 && frames_shown() > 5);
    int64_t   frames = frames_shown();
    long long before = time_of_threads("llvmpipe");
    WAIT_FOR(frames_shown() > frames + 10);
    assert_int_equal(time_of_threads("llvmpipe") - before, 0);
}

/* Nothing happens: no frame is drawn, no time is used. A change of the feed is noticed all the same. */
static void test_idle(void **state)
{
    clockid_t clock;
    int64_t   frames = -1;
    (void)state;
    start();
    assert_int_equal(pthread_getcpuclockid(window_thread, &clock), 0);
    double began = wall_seconds(), used = 0;
    for (double until = began + PATIENCE_S; wall_seconds() < fmin(until, began + 1); nap())
        if (frames_shown() != frames) /* not yet at rest */
            frames = frames_shown(), began = wall_seconds(), used = seconds_of(clock);
    double share = (seconds_of(clock) - used) / (wall_seconds() - began);
    assert_int_equal(frames_shown(), frames);
    if (!SLOWED_DOWN && share > 0.03)
        fail_msg("an idle window uses %.2f %% of a processor, expected next to nothing", 100 * share);
    f->n_bytes = 12345678;
    WAIT_FOR(frames_shown() > frames);
}

/* --------------------------------------------------------------------------------------------------- keys --- */

static void test_keys_of_time(void **state)
{
    (void)state;
    start();
    double t = f->t_ms;
    PRESS("space", !seen.paused && f->t_ms > t + 20, LAYOUT_RASTER, 0);
    PRESS_ONLY("space", seen.paused && f->state == FEED_PAUSED);
    t = f->t_ms;
    PRESS_ONLY("period", f->t_ms > t + 0.05 && f->t_ms < t + 0.15);
    t = seen.now_ms;
    PRESS_ONLY("comma", seen.now_ms > t && seen.events);
    PRESS("minus", seen.speed == 10 && f->speed == 10, LAYOUT_SPEED, 0);
    PRESS("minus minus minus", seen.speed == 1, LAYOUT_SPEED, 0);
    PRESS("plus", seen.speed == 2 && f->speed == 2, LAYOUT_SPEED, 0);
    PRESS("a", fabs(seen.from_ms) < 1, LAYOUT_RASTER, 0);
    PRESS("Page_Up", seen.to_ms - seen.from_ms < 0.9 * f->t_ms, LAYOUT_RASTER, 0);
    PRESS("Home", seen.from_ms == 0 && !seen.follow, LAYOUT_RASTER, 0);
    PRESS("f", seen.follow && seen.to_ms == seen.now_ms, LAYOUT_RASTER, 0);
    PRESS("Home", !seen.follow, LAYOUT_RASTER, 0);
    PRESS("End", seen.follow, LAYOUT_RASTER, 0);
}

static void test_keys_that_move(void **state)
{
    (void)state;
    start();
    double from = seen.from_ms, span = seen.to_ms - seen.from_ms;
    PRESS("Left", fabs(seen.from_ms - (from - 0.1 * span)) < 1e-6, LAYOUT_RASTER, 0);
    PRESS("Right", fabs(seen.from_ms - from) < 1e-6, LAYOUT_TIME_AXIS, 0);
    PRESS("Page_Up", seen.to_ms - seen.from_ms < 0.9 * span, LAYOUT_RASTER, 0);
    PRESS("Page_Down", fabs(seen.to_ms - seen.from_ms - span) < 1e-6, LAYOUT_RASTER, 0);
    PRESS("shift+Page_Up", fabs(seen.high - seen.low - 0.8) < 1e-6, LAYOUT_NEURON_AXIS, 0);
    double low = seen.low;
    PRESS("Up", seen.low > low, LAYOUT_RASTER, 0);
    PRESS("Down", fabs(seen.low - low) < 1e-9, LAYOUT_RASTER, 0);
    PRESS("shift+Page_Down", seen.low < 1e-9 && seen.high > 1 - 1e-9, LAYOUT_RASTER, 0);
}

static void test_keys_of_panels(void **state)
{
    (void)state;
    start();
    double bin = seen.bin_ms;
    PRESS("bracketright", seen.bin_ms > bin, LAYOUT_RATE, 0);
    PRESS("bracketleft", seen.bin_ms == bin, LAYOUT_RATE, 0);
    PRESS("n", !is_shown(LAYOUT_NEURON_RATES, 0), LAYOUT_NEURON_RATES, 0);
    PRESS("r", !is_shown(LAYOUT_RATE, 0), LAYOUT_RATE, 0);
    PRESS("m", !is_shown(LAYOUT_MAP, 0), LAYOUT_MAP, 0);
    PRESS("b", !is_shown(LAYOUT_SIDEBAR, 0), LAYOUT_SIDEBAR, 0);
    PRESS("b", is_shown(LAYOUT_SIDEBAR, 0), LAYOUT_RASTER, 0);
    PRESS("i", is_shown(LAYOUT_SELECTION, 0), LAYOUT_RASTER, 0);
    PRESS("i", !is_shown(LAYOUT_SELECTION, 0), LAYOUT_SELECTION, 0);
    PRESS("c", is_shown(LAYOUT_CAMERA, 0), LAYOUT_RASTER, 0);
    PRESS("c", !is_shown(LAYOUT_CAMERA, 0), LAYOUT_CAMERA, 0);
    PRESS("2", !seen.visible[I], LAYOUT_RASTER, 0);
    PRESS("3", !seen.visible[RETINA], LAYOUT_RASTER, 0);
    PRESS("0", seen.visible[I] && seen.visible[RETINA], LAYOUT_RASTER, 0);
    PRESS("t", !seen.dark, LAYOUT_RASTER, 0);
    PRESS("l", is_shown(LAYOUT_PANEL, 0), LAYOUT_RASTER, 0);
    PRESS("Escape", !seen.menu, LAYOUT_PANEL, 0);
    PRESS("question", seen.help, LAYOUT_RASTER, 0);
    PRESS("F1", !seen.help, LAYOUT_RASTER, 0);
}

/* A new snapshot of a paused simulation reaches the screen. */
static void test_weights(void **state)
{
    (void)state;
    start();
    PRESS("w", last_command(FEED_WEIGHTS).index == 0 && is_shown(LAYOUT_WEIGHTS, 0), LAYOUT_RASTER, 0);
    PRESS("w", seen.learning == 1 && last_command(FEED_WEIGHTS).index == 1, LAYOUT_WEIGHTS, 0);
    PRESS("w", !is_shown(LAYOUT_WEIGHTS, 0) && last_command(FEED_WEIGHTS).index == -1, LAYOUT_WEIGHTS, 0);
}

static void test_keys_of_sliders(void **state)
{
    (void)state;
    start();
    PRESS("Tab", seen.focus == 0, LAYOUT_KNOB, 0);
    PRESS("Right", seen.knob[0] > 5, LAYOUT_KNOB, 0);
    WAIT_FOR(fabs(f->knob[0].value - 5.2) < 1e-9);
    PRESS("Left Left", fabs(f->knob[0].value - 4.8) < 1e-9, LAYOUT_KNOB, 0);
    PRESS("BackSpace", f->knob[0].value == 5, LAYOUT_KNOB, 0);
    PRESS("Tab", seen.focus == 1, LAYOUT_KNOB, 1);
    PRESS("shift+Tab", seen.focus == 0, LAYOUT_KNOB, 1);
    PRESS("Tab Tab Tab", seen.focus == 3, LAYOUT_POPULATION, E);
    PRESS("Return", !seen.visible[E], LAYOUT_POPULATION, E);
    PRESS("Escape", seen.focus == -1, LAYOUT_POPULATION, E);
}

/* In the search line characters are text: q does not close the window, the space does not resume. */
static void test_search(void **state)
{
    (void)state;
    start();
    PRESS("slash", seen.searching && seen.search[0] == 0, LAYOUT_RASTER, 0);
    DO(display_type("q"), !strcmp(seen.search, "q"), LAYOUT_SEARCH, 0);
    display_key("space question plus Q BackSpace");
    WAIT_FOR(!strcmp(seen.search, "q ?+"));
    display_key("BackSpace BackSpace BackSpace BackSpace");
    WAIT_FOR(seen.search[0] == 0);
    display_key("shift+i space 1 2");
    WAIT_FOR(!strcmp(seen.search, "I 12"));
    PRESS("Return", !seen.searching && seen.last_clicked.population == I && seen.last_clicked.neuron == 11,
          LAYOUT_RASTER, 0);
    WAIT_FOR(was_sent(FEED_TRACE_ON));
    assert_int_equal(last_command(FEED_TRACE_ON).neuron, 11);
    PRESS_ONLY("slash", seen.searching);
    PRESS_ONLY("Escape", !seen.searching && seen.paused && window_state == 1);
}

/* A key that is held down pauses once, and steps again and again. */
static void test_key_held_down(void **state)
{
    (void)state;
    start();
    double t = f->t_ms, began = wall_seconds();
    display_hold("period", true);
    WAIT_FOR(f->t_ms > t + 0.45);
    display_hold("period", false);
    double took = wall_seconds() - began;
    began = wall_seconds();
    display_hold("space", true);
    WAIT_FOR(!seen.paused);
    while (wall_seconds() < began + took) {
        look();
        assert_false(seen.paused);
        nap();
    }
    display_hold("space", false);
    PRESS_ONLY("space", seen.paused);
}

/* The same characters where they lie on other keys: on a German keyboard ? is Shift with ß, [ is AltGr with 8, and +
 * has a key of its own. Capitals by Caps Lock are not Shift: Q closes, and does not end the run. */
static void test_keyboard_layout(void **state)
{
    (void)state;
    start();
    double bin = seen.bin_ms;
    bool   german = display_layout("de");
    if (!german) printf("setxkbmap is missing: only one keyboard layout was tested\n");
    PRESS_ONLY("question", seen.help);
    PRESS_ONLY("question", !seen.help);
    PRESS_ONLY("minus minus plus", seen.speed == 10);
    PRESS_ONLY("bracketright", seen.bin_ms > bin);
    PRESS_ONLY("bracketleft", seen.bin_ms == bin);
    PRESS_ONLY("slash", seen.searching);
    PRESS_ONLY("Escape", !seen.searching);
    if (german) display_layout("us");
    PRESS_ONLY("Caps_Lock q", window_state == 2);
    display_key("Caps_Lock");
    assert_false(was_sent(FEED_FINISH));
}

/* Ctrl with plus, minus and 0 changes the size of everything, not the speed. */
static void test_text_size(void **state)
{
    (void)state;
    start();
    double scale = seen.scale;
    PRESS("ctrl+plus ctrl+plus", fabs(seen.scale / scale - 1.21) < 1e-9, LAYOUT_RASTER, 0);
    assert_true(fabs(seen.width * seen.scale - 1280) < 1);
    PRESS("ctrl+minus", fabs(seen.scale / scale - 1.1) < 1e-9, LAYOUT_RASTER, 0);
    PRESS("ctrl+0", seen.scale == scale, LAYOUT_RASTER, 0);
    assert_true(isinf(seen.speed) && seen.visible[E]);
}

/* -------------------------------------------------------------------------------------------------- files --- */

static bool in_folder(const char *name)
{
    char        path[600];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return stat(path, &about) == 0 && about.st_size > 0;
}

static int n_files(const char *name, const char *begin)
{
    char path[600];
    int  n = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *entries = opendir(path);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        n += !strncmp(entry->d_name, begin, strlen(begin));
    if (entries) closedir(entries);
    return n;
}

/* Files get numbers of their own, and the user is told their names. */
static void test_saves(void **state)
{
    (void)state;
    start();
    PRESS_ONLY("p", in_folder("ranvier-0001.png"));
    WAIT_FOR(strstr(seen.notice, "ranvier-0001.png"));
    PRESS_ONLY("s", in_folder("ranvier-0002.svg") && in_folder("ranvier-0002.pdf"));
    WAIT_FOR(strstr(seen.notice, "ranvier-0002.svg"));
    click(LAYOUT_BUTTON, BUTTON_PNG, 1, NULL, 1);
    WAIT_FOR(in_folder("ranvier-0003.png"));
    assert_int_equal(n_files(".", "ranvier-"), 4);
}

static void test_saves_nowhere(void **state)
{
    (void)state;
    options.folder = "/proc/no/such/folder";
    start();
    PRESS_ONLY("p", strstr(seen.notice, "cannot be written"));
    PRESS_ONLY("v", strstr(seen.notice, "cannot be made"));
    assert_false(seen.recording);
}

static void test_records(void **state)
{
    (void)state;
    start();
    PRESS_ONLY("space v", seen.recording && strstr(seen.notice, "frames-0001"));
    WAIT_FOR(in_folder("frames-0001/frame-00005.png"));
    PRESS_ONLY("v", !seen.recording && strstr(seen.notice, "frames in"));
    int frames = atoi(seen.notice);
    assert_int_equal(n_files("frames-0001", "frame-"), frames);
    PRESS_ONLY("v", in_folder("frames-0002/frame-00001.png"));
    PRESS_ONLY("q", window_state == 2);
    int  n = n_files("frames-0002", "frame-");
    char last[60];
    snprintf(last, sizeof last, "frames-0002/frame-%05d.png", n);
    assert_true(in_folder(last)); /* all of them, without gaps */
}

/* -------------------------------------------------------------------------------------------------- mouse --- */

static void test_wheel(void **state)
{
    (void)state;
    start();
    PRESS_ONLY("a", fabs(seen.from_ms) < 1);
    place  raster = place_of(LAYOUT_RASTER, 0);
    layout l = layout_now();
    int    x = raster.x + raster.width / 4, y = raster.y + raster.height / 2;
    double at = layout_ms_at(&l, x / seen.scale), span = seen.to_ms - seen.from_ms;
    layout_free(&l);
    DO(display_wheel(x, y, 2, NULL), fabs((seen.to_ms - seen.from_ms) / span - 0.85 * 0.85) < 1e-6, LAYOUT_RASTER, 0);
    l = layout_now();
    double still = layout_ms_at(&l, x / seen.scale);
    layout_free(&l);
    if (fabs(still - at) > 1e-6 * span) fail_msg("under the cursor is %g ms, expected %g ms", still, at);
    DO(display_wheel(x, y, 1, "shift"), fabs(seen.high - seen.low - 0.85) < 1e-9, LAYOUT_NEURON_AXIS, 0);
    double from = seen.from_ms;
    DO(display_wheel(x, y, 1, "ctrl"), seen.from_ms < from, LAYOUT_TIME_AXIS, 0);
    place axis = place_of(LAYOUT_NEURON_AXIS, 0);
    DO(display_wheel(axis.x + 5, y, -3, NULL), seen.low == 0 && seen.high == 1, LAYOUT_RASTER, 0);
    place speed = place_of(LAYOUT_SPEED, 0);
    DO(display_wheel(speed.x + 5, speed.y + 5, -1, NULL), seen.speed == 10, LAYOUT_SPEED, 0);
    place  bins = place_of(LAYOUT_BIN, 0);
    double bin = seen.bin_ms;
    DO(display_wheel(bins.x + 5, bins.y + 5, 1, NULL), seen.bin_ms > bin, LAYOUT_BIN, 0);
}

static void test_drag(void **state)
{
    (void)state;
    start();
    place  raster = place_of(LAYOUT_RASTER, 0);
    int    x = raster.x + raster.width / 4, y = raster.y + raster.height / 2;
    double from = seen.from_ms;
    DO(display_drag(x, y, x + 100, y, 1, NULL), seen.from_ms < from - 50 && seen.dragging == 0, LAYOUT_RASTER, 0);
    DO(display_drag(x, y - 50, x + 200, y + 50, 3, NULL), seen.selection.there && is_shown(LAYOUT_SELECTION, 0),
       LAYOUT_RASTER, 0);
    int64_t rows = seen.selection.last_row - seen.selection.first_row;
    DO(display_drag(x, y - 20, x + 100, y + 20, 1, "shift"), seen.selection.last_row - seen.selection.first_row < rows,
       LAYOUT_SELECTION, 0);
    view_selection s = seen.selection;
    PRESS("z", seen.from_ms == s.from_ms && seen.to_ms == s.to_ms && seen.high - seen.low < 0.9, LAYOUT_RASTER, 0);
    PRESS("Escape", !seen.selection.there, LAYOUT_SELECTION, 0);
    x = raster.x + raster.width / 4;
    DO(display_click(x, y, 1, NULL, 2), fabs(seen.from_ms) < 1 && seen.high == 1, LAYOUT_RASTER, 0);
}

static void test_clicks_on_neurons(void **state)
{
    int x, y;
    (void)state;
    start();
    pixel_of(E, 40, &x, &y);
    DO(display_click(x, y, 1, NULL, 1), is_shown(LAYOUT_TRACE, 0), LAYOUT_RASTER, 0);
    WAIT_FOR(was_sent(FEED_TRACE_ON));
    feed_command c = last_command(FEED_TRACE_ON);
    assert_int_equal(c.population, E);
    assert_in_range(c.neuron, 39, 41);
    pixel_of(I, 10, &x, &y);
    display_click(x, y, 1, "ctrl", 1);
    WAIT_FOR(was_sent(FEED_POKE));
    c = last_command(FEED_POKE);
    assert_int_equal(c.population, I);
    assert_in_range(c.neuron, 9, 11);
    display_click(x + 40, y, 1, "alt", 1);
    WAIT_FOR(was_sent(FEED_INJECT));
    c = last_command(FEED_INJECT);
    assert_true(c.population == I && c.value == 100);
    place trace = place_of(LAYOUT_TRACE, 0);
    pixel_of(E, seen.traced[0].neuron, &x, &y);
    display_click(x + 80, y, 1, NULL, 1);
    WAIT_FOR(was_sent(FEED_TRACE_OFF) && !is_shown(LAYOUT_TRACE, 0));
    (void)trace;
}

static void test_map(void **state)
{
    (void)state;
    start();
    place map = place_of(LAYOUT_MAP, 0);
    DO(display_click(map.x + map.width / 3, map.y + map.height / 2, 1, NULL, 1),
       !seen.follow && seen.from_ms < 0.3 * calm_ms, LAYOUT_RASTER, 0);
    DO(display_drag(map.x + map.width / 3, map.y + map.height / 2, map.x + map.width - 1, map.y + map.height / 2, 1,
                    NULL),
       seen.follow, LAYOUT_RASTER, 0);
}

static void test_sidebar(void **state)
{
    (void)state;
    start();
    place slider = place_of(LAYOUT_KNOB, 0);
    int   y = slider.y + slider.height * 2 / 3;
    DO(display_drag(slider.x + slider.width / 2, y, slider.x + slider.width * 9 / 10, y, 1, NULL),
       fabs(f->knob[0].value - 9) < 0.2, LAYOUT_KNOB, 0);
    DO(display_click(slider.x + slider.width / 2, y, 1, "ctrl", 2), f->knob[0].value == 5, LAYOUT_KNOB, 0);
    place inject = place_of(LAYOUT_KNOB, FEED_KNOBS);
    DO(display_click(inject.x + inject.width - 1, inject.y + inject.height * 2 / 3, 1, NULL, 1), seen.inject_pA > 450,
       LAYOUT_KNOB, FEED_KNOBS);
    DO(click(LAYOUT_POPULATION, I, 1, NULL, 1), !seen.visible[I], LAYOUT_RASTER, 0);
    DO(click(LAYOUT_POPULATION, I, 1, "ctrl", 1), seen.visible[I] && !seen.visible[E] && !seen.visible[RETINA],
       LAYOUT_RASTER, 0);
}

/* What keys do, the mouse does too. */
static void test_buttons(void **state)
{
    (void)state;
    start();
    double t = f->t_ms;
#define CLICK(button, condition) DO(click(LAYOUT_BUTTON, button, 1, NULL, 1), condition, LAYOUT_BUTTON, BUTTON_PAUSE)
#define CLICK_ONLY(button, condition)                                                                                  \
    do {                                                                                                               \
        click(LAYOUT_BUTTON, button, 1, NULL, 1);                                                                      \
        WAIT_FOR(condition);                                                                                           \
    } while (0)
    CLICK(BUTTON_PAUSE, !seen.paused);
    CLICK(BUTTON_PAUSE, seen.paused && f->state == FEED_PAUSED);
    t = f->t_ms;
    CLICK_ONLY(BUTTON_STEP, f->t_ms > t);
    CLICK_ONLY(BUTTON_EVENT, seen.events);
    CLICK_ONLY(BUTTON_SLOWER, seen.speed == 10);
    CLICK_ONLY(BUTTON_FASTER, isinf(seen.speed));
    CLICK_ONLY(BUTTON_FIT, fabs(seen.from_ms) < 1);
    PRESS_ONLY("Page_Up Home", !seen.follow);
    CLICK_ONLY(BUTTON_FOLLOW, seen.follow);
    double bin = seen.bin_ms;
    CLICK_ONLY(BUTTON_BIN_LARGER, seen.bin_ms > bin);
    CLICK_ONLY(BUTTON_BIN_SMALLER, seen.bin_ms == bin);
    CLICK_ONLY(BUTTON_VECTOR, strstr(seen.notice, "saved"));
    CLICK_ONLY(BUTTON_RECORD, seen.recording);
    CLICK_ONLY(BUTTON_RECORD, !seen.recording);
    CLICK_ONLY(BUTTON_THEME, !seen.dark);
    CLICK_ONLY(BUTTON_SEARCH, seen.searching);
    PRESS_ONLY("Escape", !seen.searching);
    CLICK_ONLY(BUTTON_PANELS, seen.menu);
    DO(click(LAYOUT_PANEL, 1, 1, NULL, 1), !is_shown(LAYOUT_RATE, 0), LAYOUT_RASTER, 0);
    CLICK_ONLY(BUTTON_PANELS, !seen.menu);
    CLICK_ONLY(BUTTON_HELP, seen.help);
    display_click(300, 300, 1, NULL, 1);
    WAIT_FOR(!seen.help);
    CLICK_ONLY(BUTTON_CLOSE, window_state == 2);
}

/* A recording: the space plays it, a click into the time axis moves the playhead. */
static void test_recording(void **state)
{
    (void)state;
    while (f->t_ms < 30 * calm_ms) advance(1);
    f->live = false;
    f->state = FEED_STORED;
    f->end_ms = f->t_ms;
    start();
    WAIT_FOR(seen.paused);
    place axis = place_of(LAYOUT_TIME_AXIS, 0);
    DO(display_click(axis.x + axis.width / 2, axis.y + axis.height / 2, 1, NULL, 1),
       fabs(seen.now_ms - 15 * calm_ms) < 1000, LAYOUT_RASTER, 0);
    double now = seen.now_ms;
    PRESS_ONLY("period", fabs(seen.now_ms - now - f->resolution_ms) < 1e-6);
    now = seen.now_ms;
    PRESS_ONLY("comma", seen.now_ms > now);
    now = seen.now_ms;
    PRESS("space", !seen.paused && seen.now_ms > now + 50, LAYOUT_RASTER, 0);
    WAIT_FOR(seen.measured_speed > 0.5);
    PRESS_ONLY("space", seen.paused);
}

/* ------------------------------------------------------------------------------------------ while it runs --- */

/* Every size, and no frames while the window is not seen. */
static void test_sizes(void **state)
{
    (void)state;
    simulation.rows_per_ms = 100;
    f->paused = false;
    start();
    for (int round = 0; round < 2; round++) {
        display_resize(1, 1);
        WAIT_FOR(seen.width * seen.scale < 2 && seen.height * seen.scale < 2);
        int64_t frames = frames_shown();
        WAIT_FOR(frames_shown() > frames + 3);
        display_resize(4000, 3000);
        WAIT_FOR(fabs(seen.width * seen.scale - 4000) < 1 && fabs(seen.height * seen.scale - 3000) < 1);
        WAIT_FOR(display_pixel(3998, 2998) != 0);
        display_resize(300 + 100 * round, 200);
        WAIT_FOR(fabs(seen.height * seen.scale - 200) < 1);
    }
    display_hide();
    int64_t frames = -1;
    double  t = f->t_ms, since = wall_seconds();
    while (wall_seconds() < since + 0.3) { /* none for so long */
        if (frames_shown() != frames) frames = frames_shown(), since = wall_seconds();
        nap();
    }
    WAIT_FOR(f->t_ms > t + 100);
    assert_int_equal(frames_shown(), frames);
    int64_t dropped = window_frames_get(w).dropped;
    display_show();
    WAIT_FOR(frames_shown() > frames + 3);
    if (window_frames_get(w).dropped > dropped + 60)
        fail_msg("%lld frames count as dropped while nobody saw the window",
                 (long long)(window_frames_get(w).dropped - dropped));
}

/* A simulation that wants all processors gets them: the window keeps to its part, and says what it gave up. */
static void test_gives_way(void **state)
{
    clockid_t clock;
    (void)state;
    options.busy = true, options.width = 2000, options.height = 1500;
    simulation.rows_per_ms = 300;
    f->paused = false;
    start();
    assert_int_equal(pthread_getcpuclockid(window_thread, &clock), 0);
    WAIT_FOR(seen.frames_per_second > 0);
    double  began = wall_seconds(), used = seconds_of(clock);
    int64_t frames = frames_shown();
    WAIT_FOR(wall_seconds() > began + 1.5 && frames_shown() > frames + 3);
    double share = (seconds_of(clock) - used) / (wall_seconds() - began);
    if (!SLOWED_DOWN && share > 0.04)
        fail_msg("the window uses %.2f %% of a processor, expected 1.5 %%", 100 * share);
    WAIT_FOR(seen.dropped_frames > 0);
    PRESS_ONLY("space", f->state == FEED_PAUSED); /* the user is heard all the same */
}

/* Keys, mouse and sizes at random while spikes come in: nothing hangs, nothing crashes. */
static void test_any_order(void **state)
{
    static const char *const keys[] = { "space", "comma", "period", "plus",  "minus",  "bracketleft", "bracketright",
                                        "w",     "i",     "r",      "n",     "m",      "b",           "c",
                                        "t",     "a",     "f",      "Home",  "z",      "Tab",         "Left",
                                        "Up",    "2",     "0",      "slash", "Escape", "Return",      "Page_Up",
                                        "l",     "F1" };
    uint64_t                 random = 1;
    (void)state;
    simulation.rows_per_ms = 200;
    f->paused = false;
    start();
    for (int k = 0; k < 120; k++) {
        random = mixed(random + 0x9e3779b97f4a7c15u);
        int x = (int)(random >> 8 & 1023), y = (int)(random >> 20 & 511), what = (int)(random & 15);
        if (what < 10) display_key(keys[(random >> 32) % (sizeof keys / sizeof *keys)]);
        else if (what < 12) display_drag(x, y, y, x / 2, what == 10 ? 1 : 3, NULL);
        else if (what < 14) display_wheel(x, y, what == 12 ? 2 : -2, x & 1 ? "shift" : NULL);
        else if (what == 14) display_click(x, y, 1, x & 1 ? "ctrl" : NULL, 1 + (y & 1));
        else display_resize(200 + x, 150 + y);
    }
    display_key("Escape Escape Escape");
    WAIT_FOR(!seen.searching || window_state == 2);
    int64_t frames = frames_shown();
    f->n_bytes = 1;
    WAIT_FOR(frames_shown() > frames || window_state == 2);
}

/* ------------------------------------------------------------------------------------------------ the end --- */

static void ensure_left_alone(void) { WAIT_FOR(window_state == 2 && f->closed && !f->paused && isinf(f->speed)); }

static void test_q_closes(void **state)
{
    (void)state;
    start();
    PRESS_ONLY("minus", f->speed == 10);
    display_key("q");
    ensure_left_alone();
    assert_false(was_sent(FEED_FINISH));
    double t = f->t_ms;
    WAIT_FOR(f->t_ms > t);
}

static void test_shift_q_ends_the_run(void **state)
{
    (void)state;
    start();
    display_key("shift+q");
    ensure_left_alone();
    WAIT_FOR(was_sent(FEED_FINISH) && f->state == FEED_ENDED);
}

static void test_window_manager_closes(void **state)
{
    (void)state;
    start();
    display_close();
    ensure_left_alone();
    assert_false(was_sent(FEED_FINISH));
}

static void test_stop_from_elsewhere(void **state)
{
    (void)state;
    start();
    window_stop(w);
    ensure_left_alone();
}

/* --------------------------------------------------------------------------------------------------- main --- */

static int make_folder(void **state)
{
    (void)state;
    setenv("SDL_RENDER_DRIVER", "software", 1);         /* neither graphics drivers   */
    setenv("DBUS_SESSION_BUS_ADDRESS", "disabled:", 1); /* nor desktops are tested */
    there_is_a_screen = display_start();
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[200];
    (void)state;
    display_stop();
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_calm, stop)

/* A pattern on the command line chooses tests: test_window 'test_key*'. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_display),
        TEST(test_opens),
        TEST(test_without_graphics_card),
        TEST(test_light),
        TEST(test_idle),
        TEST(test_keys_of_time),
        TEST(test_keys_that_move),
        TEST(test_keys_of_panels),
        TEST(test_weights),
        TEST(test_keys_of_sliders),
        TEST(test_search),
        TEST(test_key_held_down),
        TEST(test_keyboard_layout),
        TEST(test_text_size),
        TEST(test_saves),
        TEST(test_saves_nowhere),
        TEST(test_records),
        TEST(test_wheel),
        TEST(test_drag),
        TEST(test_clicks_on_neurons),
        TEST(test_map),
        TEST(test_sidebar),
        TEST(test_buttons),
        TEST(test_recording),
        TEST(test_sizes),
        TEST(test_gives_way),
        TEST(test_any_order),
        TEST(test_q_closes),
        TEST(test_shift_q_ends_the_run),
        TEST(test_window_manager_closes),
        TEST(test_stop_from_elsewhere),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
