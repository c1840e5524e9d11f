/* The window, used as a person uses it: a real window on a screen without a monitor, real keys and a real mouse. What
 * each action does to the view is tested headless in test_view*.c; here, that the window opens and closes, that it writes its
 * files, and that window and simulation share the feed without harm; keys and mouse are in test_window_keys.c and _mouse.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <sys/stat.h>
#include <time.h>

#include "tests/support/window_fixture.h"

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
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
    SEE(fabs(seen.width * seen.scale - 1280) < 1 && fabs(seen.height * seen.scale - 800) < 1);
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
    SEE((display_pixel(690, 490) & 0xff) > 0xc0);
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
    SEE(display_pixel(1279, 799) != 0 && frames_shown() > 5);
    int64_t   frames = frames_shown();
    long long before = time_of_threads("llvmpipe");
    SEE(frames_shown() > frames + 10);
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
    double began = clock_seconds(), used = 0;
    for (double until = began + PATIENCE_S; clock_seconds() < fmin(until, began + 1); nap(0.001))
        if (frames_shown() != frames) /* not yet at rest */
            frames = frames_shown(), began = clock_seconds(), used = seconds_of(clock);
    double share = (seconds_of(clock) - used) / (clock_seconds() - began);
    assert_int_equal(frames_shown(), frames);
    if (!SLOWED_DOWN && share > 0.03)
        fail_msg("an idle window uses %.2f %% of a processor, expected next to nothing", 100 * share);
    f->n_bytes = 12345678;
    SEE(frames_shown() > frames);
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
    SEE(strstr(seen.notice, "ranvier-0001.png"));
    PRESS_ONLY("s", in_folder("ranvier-0002.svg") && in_folder("ranvier-0002.pdf"));
    SEE(strstr(seen.notice, "ranvier-0002.svg"));
    click(LAYOUT_BUTTON, BUTTON_PNG, 1, NULL, 1);
    SEE(in_folder("ranvier-0003.png"));
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
    SEE(in_folder("frames-0001/frame-00005.png"));
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
        SEE(seen.width * seen.scale < 2 && seen.height * seen.scale < 2);
        int64_t frames = frames_shown();
        SEE(frames_shown() > frames + 3);
        display_resize(4000, 3000);
        SEE(fabs(seen.width * seen.scale - 4000) < 1 && fabs(seen.height * seen.scale - 3000) < 1);
        SEE(display_pixel(3998, 2998) != 0);
        display_resize(300 + 100 * round, 200);
        SEE(fabs(seen.height * seen.scale - 200) < 1);
    }
    display_hide();
    int64_t frames = -1;
    double  t = f->t_ms, since = clock_seconds();
    while (clock_seconds() < since + 0.3) { /* none for so long */
        if (frames_shown() != frames) frames = frames_shown(), since = clock_seconds();
        nap(0.001);
    }
    SEE(f->t_ms > t + 100);
    assert_int_equal(frames_shown(), frames);
    int64_t dropped = window_frames_get(w).dropped;
    display_show();
    SEE(frames_shown() > frames + 3);
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
    SEE(seen.frames_per_second > 0);
    double  began = clock_seconds(), used = seconds_of(clock);
    int64_t frames = frames_shown();
    SEE(clock_seconds() > began + 1.5 && frames_shown() > frames + 3);
    double share = (seconds_of(clock) - used) / (clock_seconds() - began);
    if (!SLOWED_DOWN && share > 0.04)
        fail_msg("the window uses %.2f %% of a processor, expected 1.5 %%", 100 * share);
    SEE(seen.dropped_frames > 0);
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
        random = random_mixed(random + 0x9e3779b97f4a7c15u);
        int x = (int)(random >> 8 & 1023), y = (int)(random >> 20 & 511), what = (int)(random & 15);
        if (what < 10) display_key(keys[(random >> 32) % (sizeof keys / sizeof *keys)]);
        else if (what < 12) display_drag(x, y, y, x / 2, what == 10 ? 1 : 3, NULL);
        else if (what < 14) display_wheel(x, y, what == 12 ? 2 : -2, x & 1 ? "shift" : NULL);
        else if (what == 14) display_click(x, y, 1, x & 1 ? "ctrl" : NULL, 1 + (y & 1));
        else display_resize(200 + x, 150 + y);
    }
    display_key("Escape Escape Escape");
    SEE(!seen.searching || window_state == 2);
    int64_t frames = frames_shown();
    f->n_bytes = 1;
    SEE(frames_shown() > frames || window_state == 2);
}

/* ------------------------------------------------------------------------------------------------ the end --- */

static void ensure_left_alone(void) { SEE(window_state == 2 && f->closed && !f->paused && isinf(f->speed)); }

static void test_q_closes(void **state)
{
    (void)state;
    start();
    PRESS_ONLY("minus", f->speed == 10);
    display_key("q");
    ensure_left_alone();
    assert_false(was_sent(FEED_FINISH));
    double t = f->t_ms;
    SEE(f->t_ms > t);
}

static void test_shift_q_ends_the_run(void **state)
{
    (void)state;
    start();
    display_key("shift+q");
    ensure_left_alone();
    SEE(was_sent(FEED_FINISH) && f->state == FEED_ENDED);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_without_display),
        TEST(test_opens),
        TEST(test_without_graphics_card),
        TEST(test_light),
        TEST(test_idle),
        TEST(test_saves),
        TEST(test_saves_nowhere),
        TEST(test_records),
        TEST(test_sizes),
        TEST(test_gives_way),
        TEST(test_any_order),
        TEST(test_q_closes),
        TEST(test_shift_q_ends_the_run),
        TEST(test_window_manager_closes),
        TEST(test_stop_from_elsewhere),
    };
    return RUN_TESTS(tests);
}
