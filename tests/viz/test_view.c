/* The view: every key and every action of the mouse, on a feed with a history filled by hand; then a hundred thousand
 * random events, after each of which everything has to be within its limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "viz/layout.h"
#include "viz/view.h"

#define ENSURE_OK(call) assert_int_equal(call, RV_OK)
#define ENSURE_NEAR(got, expected, tolerance, unit)                                                                    \
    do {                                                                                                               \
        double got_ = (got), expected_ = (expected);                                                                   \
        if (!(fabs(got_ - expected_) <= (tolerance)))                                                                  \
            fail_msg("%s = %.10g %s, expected %.10g +- %g", #got, got_, unit, expected_, (double)(tolerance));         \
    } while (0)

/* ---- fixture --------------------------------------------------------------------------------------------------- */

static feed *f;
static view  v;
enum { E = 0, I = 1, N_E = 80, N_I = 20 };

static const double LAST = 3000; /* ms: up to there the run has come, with a spike every 10 ms */

static feed_population population(const char *name, int64_t size, bool inhibitory)
{
    feed_population p = { .size = size, .inhibitory = inhibitory, .variable = "V_m", .unit = "mV" };
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static void open_feed(bool live)
{
    const feed_population populations[] = { population("E", N_E, false), population("I", N_I, true) };
    ENSURE_OK(feed_new(populations, 2, &f));
    f->live = live;
    f->state = live ? FEED_RUNNING : FEED_STORED;
    f->resolution_ms = 0.1;
    f->inject_pA = 400;
    for (int k = 1; k <= LAST / 10; k++) history_add(f->spikes, 10 * k, k % (N_E + N_I));
    f->n_spikes = (int64_t)(LAST / 10);
    f->t_ms = LAST;
    f->end_ms = live ? 10000 : LAST;
}

static int start(bool live)
{
    open_feed(live);
    ENSURE_OK(view_open(&v, f));
    v.width = 900, v.height = 560;
    view_tick(&v, f, 0.016);
    return 0;
}

static int start_live(void **state) { (void)state; return start(true); }
static int start_stored(void **state) { (void)state; return start(false); }

static int end(void **state)
{
    (void)state;
    view_close(&v);
    feed_free(f);
    return 0;
}

/* ---- hands ----------------------------------------------------------------------------------------------------- */

static bool press_key(int key, unsigned modifiers)
{
    return view_handle(&v, f, &(view_event){ .kind = VIEW_KEY, .key = key, .modifiers = modifiers });
}

static void type(const char *text)
{
    for (; *text; text++) view_handle(&v, f, &(view_event){ .kind = VIEW_TEXT, .text = { *text } });
}

static void mouse(view_event_kind kind, double x, double y, int button, unsigned modifiers, int clicks)
{
    view_handle(
        &v, f,
        &(view_event){ .kind = kind, .x = x, .y = y, .button = button, .modifiers = modifiers, .clicks = clicks });
}

static void click(double x, double y, int button, unsigned modifiers)
{
    mouse(VIEW_PRESS, x, y, button, modifiers, 1);
    mouse(VIEW_RELEASE, x, y, button, modifiers, 1);
}

static void double_click(double x, double y, unsigned modifiers)
{
    click(x, y, VIEW_LEFT, modifiers);
    mouse(VIEW_PRESS, x, y, VIEW_LEFT, modifiers, 2);
    mouse(VIEW_RELEASE, x, y, VIEW_LEFT, modifiers, 2);
}

static void drag(double x0, double y0, double x1, double y1, int button, unsigned modifiers)
{
    mouse(VIEW_PRESS, x0, y0, button, modifiers, 1);
    for (int k = 1; k <= 10; k++) mouse(VIEW_MOTION, x0 + k * (x1 - x0) / 10, y0 + k * (y1 - y0) / 10, 0, modifiers, 0);
    mouse(VIEW_RELEASE, x1, y1, button, modifiers, 1);
}

static void wheel(double x, double y, double notches, unsigned modifiers)
{
    view_handle(&v, f, &(view_event){ .kind = VIEW_WHEEL, .x = x, .y = y, .wheel = notches, .modifiers = modifiers });
}

/* ---- eyes ------------------------------------------------------------------------------------------------------ */

static axis_rect place(layout_kind kind, int index)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    const axis_rect *r = layout_find(&l, kind, index);
    if (!r) fail_msg("item %d, index %d is not shown", (int)kind, index);
    axis_rect found = *r;
    layout_free(&l);
    return found;
}

static bool shown(layout_kind kind, int index)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    bool there = layout_find(&l, kind, index) != NULL;
    layout_free(&l);
    return there;
}

static void middle(layout_kind kind, int index, double *x, double *y)
{
    axis_rect r = place(kind, index);
    *x = r.x + r.width / 2, *y = r.y + r.height / 2;
}

static void click_at(layout_kind kind, int index, unsigned modifiers)
{
    double x, y;
    middle(kind, index, &x, &y);
    click(x, y, VIEW_LEFT, modifiers);
}

static void place_of(double ms, int population, double neuron, double *x, double *y)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    *x = axis_at(&l.time, ms);
    *y = raster_neuron_y(l.bands[population], f->population[population].size, neuron);
    layout_free(&l);
}

static double ms_at(double x)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    double ms = layout_ms_at(&l, x);
    layout_free(&l);
    return ms;
}

static bool taken(feed_command *c) { return feed_take(f, c); }

static void ensure_no_command(void)
{
    feed_command c;
    if (taken(&c)) fail_msg("a command of kind %d was sent, expected none", (int)c.kind);
}

static void ensure_command(feed_command_kind kind, int index, int population, int64_t neuron, double value)
{
    feed_command c;
    if (!taken(&c)) fail_msg("no command was sent, expected kind %d", (int)kind);
    assert_int_equal(c.kind, kind);
    assert_int_equal(c.index, index);
    assert_int_equal(c.population, population);
    assert_int_equal(c.neuron, neuron);
    ENSURE_NEAR(c.value, value, 1e-9, "");
}

/* ---- time ------------------------------------------------------------------------------------------------------ */

static void a_run_is_followed(void **state)
{
    (void)state;
    assert_true(v.follow);
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
    ENSURE_NEAR(v.from_ms, LAST - 1000, 1e-9, "ms");
    f->t_ms = 3500;
    assert_true(view_tick(&v, f, 0.016));
    ENSURE_NEAR(v.now_ms, 3500, 0, "ms");
    ENSURE_NEAR(v.to_ms, 3500, 1e-9, "ms");
    assert_false(view_tick(&v, f, 0.016));
}

static void before_the_screen_is_full_time_begins_at_the_left(void **state)
{
    (void)state;
    view w;
    f->t_ms = 100;
    ENSURE_OK(view_open(&w, f));
    view_tick(&w, f, 0.016);
    ENSURE_NEAR(w.from_ms, 0, 0, "ms");
    ENSURE_NEAR(w.to_ms, 1000, 0, "ms");
    ENSURE_NEAR(w.now_ms, 100, 0, "ms");
    view_close(&w);
}

static void space_pauses_and_resumes(void **state)
{
    (void)state;
    press_key(' ', 0);
    assert_true(v.paused && f->paused);
    press_key(' ', 0);
    assert_false(v.paused || f->paused);
    click_at(LAYOUT_BUTTON, BUTTON_PAUSE, 0);
    assert_true(v.paused && f->paused);
}

static void a_step_pauses_first(void **state)
{
    (void)state;
    press_key('.', 0);
    assert_true(f->paused);
    assert_int_equal(f->steps, 1);
    click_at(LAYOUT_BUTTON, BUTTON_STEP, 0);
    assert_int_equal(f->steps, 2);
    f->state = FEED_ENDED;
    press_key('.', 0);
    assert_int_equal(f->steps, 2);
    assert_string_equal(v.notice, "the run is over");
}

static void speed_goes_along_its_ladder(void **state)
{
    (void)state;
    assert_true(isinf(v.speed));
    const double down[] = { 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.001 };
    for (size_t k = 0; k < sizeof down / sizeof *down; k++) {
        press_key('-', 0);
        ENSURE_NEAR(v.speed, down[k], 1e-12, "simulated over wall time");
        ENSURE_NEAR(f->speed, down[k], 1e-12, "simulated over wall time");
    }
    press_key('+', 0);
    ENSURE_NEAR(v.speed, 0.002, 1e-12, "");
    press_key('=', 0);
    ENSURE_NEAR(v.speed, 0.005, 1e-12, "");
    click_at(LAYOUT_BUTTON, BUTTON_FASTER, 0);
    ENSURE_NEAR(v.speed, 0.01, 1e-12, "");
    click_at(LAYOUT_BUTTON, BUTTON_SLOWER, 0);
    ENSURE_NEAR(f->speed, 0.005, 1e-12, "");
    click_at(LAYOUT_SPEED, 0, 0);
    ENSURE_NEAR(f->speed, 1, 0, "");
    for (int k = 0; k < 20; k++) press_key('+', 0);
    assert_true(isinf(f->speed));
}

static void event_stepping_goes_from_spike_to_spike(void **state)
{
    (void)state;
    press_key(',', 0); /* none after now: one step is asked for */
    assert_true(f->paused);
    view_tick(&v, f, 0.016);
    assert_int_equal(f->steps, 1);
    view_tick(&v, f, 0.016); /* the simulation has not answered yet */
    assert_int_equal(f->steps, 1);
    f->steps = 0;
    f->t_ms = 3000.1;
    view_tick(&v, f, 0.016);
    assert_int_equal(f->steps, 1);
    ENSURE_NEAR(v.now_ms, LAST, 0, "ms: nothing has happened");
    history_add(f->spikes, 3000.1234, 5);
    history_add(f->spikes, 3000.1777, 6);
    f->steps = 0;
    f->t_ms = 3000.2;
    view_tick(&v, f, 0.016);
    ENSURE_NEAR(v.now_ms, 3000.1234, 0, "ms: the time of the spike");
    assert_int_equal(f->steps, 0);
    view_tick(&v, f, 0.016);
    ENSURE_NEAR(v.now_ms, 3000.1234, 0, "ms");
    press_key(',', 0);
    ENSURE_NEAR(v.now_ms, 3000.1777, 0, "ms: the second one of the step");
    assert_int_equal(f->steps, 0);
    press_key('.', 0);
    view_tick(&v, f, 0.016);
    ENSURE_NEAR(v.now_ms, 3000.2, 0, "ms");
    assert_int_equal(f->steps, 1);
}

static void event_stepping_ends_with_the_next_action(void **state)
{
    (void)state;
    press_key(',', 0);
    view_tick(&v, f, 0.016);
    press_key(' ', 0);
    f->steps = 0;
    view_tick(&v, f, 0.016);
    assert_int_equal(f->steps, 0);
    assert_false(f->paused);
    click_at(LAYOUT_BUTTON, BUTTON_EVENT, 0);
    assert_true(f->paused);
    view_tick(&v, f, 0.016);
    assert_int_equal(f->steps, 1);
    f->steps = 0;
    press_key('f', 0);
    view_tick(&v, f, 0.016);
    assert_int_equal(f->steps, 0);
}

static void spikes_of_hidden_populations_are_no_events(void **state)
{
    (void)state;
    press_key('1', 0);
    press_key(',', 0);
    history_add(f->spikes, 3000.5, 3);
    history_add(f->spikes, 3000.7, N_E + 3);
    f->t_ms = 3001;
    view_tick(&v, f, 0.016);
    ENSURE_NEAR(v.now_ms, 3000.7, 0, "ms: the spike of I");
}

static void recordings_play(void **state)
{
    (void)state;
    ENSURE_NEAR(v.now_ms, LAST, 0, "ms");
    ENSURE_NEAR(v.from_ms, 0, 0, "ms");
    ENSURE_NEAR(v.to_ms, LAST, 0, "ms");
    assert_true(v.paused);
    press_key(' ', 0); /* from the start once more */
    ENSURE_NEAR(v.now_ms, 0, 0, "ms");
    view_tick(&v, f, 0.5);
    ENSURE_NEAR(v.now_ms, 500, 1e-9, "ms");
    press_key('-', 0);
    view_tick(&v, f, 0.5);
    ENSURE_NEAR(v.now_ms, 750, 1e-9, "ms at half the speed");
    press_key(' ', 0);
    view_tick(&v, f, 0.5);
    ENSURE_NEAR(v.now_ms, 750, 1e-9, "ms");
    press_key('.', 0);
    ENSURE_NEAR(v.now_ms, 750.1, 1e-9, "ms: one step");
    press_key(',', 0);
    ENSURE_NEAR(v.now_ms, 760, 0, "ms: the next spike");
    press_key(' ', 0);
    view_tick(&v, f, 100);
    ENSURE_NEAR(v.now_ms, LAST, 0, "ms");
    assert_true(v.paused);
    press_key(',', 0);
    assert_string_equal(v.notice, "no later spike");
    double x, y;
    place_of(1200, E, 0, &x, &y);
    y = place(LAYOUT_TIME_AXIS, 0).y + 5;
    click(x, y, VIEW_LEFT, 0);
    ENSURE_NEAR(v.now_ms, 1200, 1e-6, "ms: the playhead goes where one clicks");
}

static void keys_move_in_time_and_over_neurons(void **state)
{
    (void)state;
    press_key(VIEW_KEY_LEFT, 0);
    assert_false(v.follow);
    ENSURE_NEAR(v.from_ms, 1900, 1e-9, "ms");
    press_key(VIEW_KEY_RIGHT, 0);
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
    press_key(VIEW_KEY_HOME, 0);
    ENSURE_NEAR(v.from_ms, 0, 1e-9, "ms");
    ENSURE_NEAR(v.to_ms, 1000, 1e-9, "ms");
    press_key(VIEW_KEY_PAGE_UP, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 800, 1e-9, "ms");
    ENSURE_NEAR(v.from_ms + v.to_ms, 1000, 1e-9, "ms: around the middle");
    press_key(VIEW_KEY_PAGE_DOWN, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 1000, 1e-9, "ms");
    press_key(VIEW_KEY_END, 0);
    assert_true(v.follow);
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
    press_key(VIEW_KEY_PAGE_UP, VIEW_SHIFT);
    ENSURE_NEAR(v.high - v.low, 0.8, 1e-9, "of the stack");
    press_key(VIEW_KEY_UP, 0);
    ENSURE_NEAR(v.low, 0.18, 1e-9, "of the stack");
    press_key(VIEW_KEY_UP, 0);
    ENSURE_NEAR(v.high, 1, 1e-9, "of the stack: its upper edge");
    press_key(VIEW_KEY_DOWN, 0);
    ENSURE_NEAR(v.low, 0.12, 1e-9, "of the stack");
    press_key(VIEW_KEY_PAGE_DOWN, VIEW_SHIFT);
    ENSURE_NEAR(v.high - v.low, 1, 1e-9, "of the stack");
    assert_true(v.follow);
    press_key(VIEW_KEY_LEFT, 0);
    click_at(LAYOUT_BUTTON, BUTTON_FOLLOW, 0);
    assert_true(v.follow);
}

static void the_wheel_zooms_time_at_the_cursor(void **state)
{
    (void)state;
    const layout_kind kinds[] = { LAYOUT_RASTER, LAYOUT_RATE, LAYOUT_TIME_AXIS };
    press_key(' ', 0);
    for (int k = 0; k < 3; k++) {
        axis_rect r = place(kinds[k], 0);
        double    x = r.x + 0.3 * r.width, y = r.y + 0.5 * r.height, before = ms_at(x), span = v.to_ms - v.from_ms;
        wheel(x, y, 1, 0);
        ENSURE_NEAR(ms_at(x), before, 1e-6, "ms at the cursor");
        ENSURE_NEAR(v.to_ms - v.from_ms, 0.85 * span, 1e-6, "ms");
        assert_false(v.follow);
        wheel(x, y, -1, 0);
        ENSURE_NEAR(ms_at(x), before, 1e-6, "ms at the cursor");
        ENSURE_NEAR(v.to_ms - v.from_ms, span, 1e-6, "ms");
    }
}

static void in_a_moving_picture_the_right_edge_holds(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RASTER, 0);
    wheel(r.x + 10, r.y + 10, 2, 0);
    assert_true(v.follow);
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
    ENSURE_NEAR(v.from_ms, LAST - 722.5, 1e-6, "ms");
}

static void shift_wheel_zooms_neurons_at_the_cursor(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RASTER, 0);
    double    y = r.y + 0.25 * r.height;
    wheel(r.x + 10, y, 3, VIEW_SHIFT);
    ENSURE_NEAR(v.high - v.low, 0.85 * 0.85 * 0.85, 1e-9, "of the stack");
    ENSURE_NEAR(v.low + 0.75 * (v.high - v.low), 0.75, 1e-9, "of the stack at the cursor");
    ENSURE_NEAR(v.from_ms, 2000, 1e-9, "ms");
    wheel(r.x - 20, y, -3, 0); /* over the numbers of the neurons: without Shift */
    ENSURE_NEAR(v.high - v.low, 1, 1e-9, "of the stack");
    double x;
    middle(LAYOUT_NEURON_RATES, 0, &x, &y);
    wheel(x, y, 1, 0);
    ENSURE_NEAR(v.high - v.low, 0.85, 1e-9, "of the stack");
}

static void ctrl_wheel_moves_in_time(void **state)
{
    (void)state;
    double x, y;
    middle(LAYOUT_RASTER, 0, &x, &y);
    wheel(x, y, 2, VIEW_CTRL);
    ENSURE_NEAR(v.from_ms, 1800, 1e-6, "ms");
    assert_false(v.follow);
}

static void zoom_ends_at_two_steps_and_at_everything(void **state)
{
    (void)state;
    double x, y;
    press_key(' ', 0);
    middle(LAYOUT_RASTER, 0, &x, &y);
    for (int k = 0; k < 100; k++) wheel(x, y, 5, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 0.2, 1e-9, "ms: two steps");
    f->exact = true;
    for (int k = 0; k < 100; k++) wheel(x, y, 5, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 0.01, 1e-9, "ms in exact timing");
    for (int k = 0; k < 100; k++) wheel(x, y, -5, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 3300, 1e-6, "ms: a little more than all");
    for (int k = 0; k < 100; k++) wheel(x, y, 5, VIEW_SHIFT);
    ENSURE_NEAR(v.high - v.low, 0.04, 1e-9, "of the stack: four of 100 neurons");
}

static void dragging_moves(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RASTER, 0);
    press_key(VIEW_KEY_PAGE_UP, VIEW_SHIFT);
    double low = v.low, x = r.x + 0.5 * r.width, y = r.y + 0.5 * r.height;
    drag(x, y, x + 0.2 * r.width, y + 0.05 * r.height, VIEW_LEFT, 0);
    ENSURE_NEAR(v.from_ms, 1800, 1e-6, "ms: earlier");
    ENSURE_NEAR(v.low, low + 0.05 * 0.8, 1e-9, "of the stack: higher neurons");
    assert_false(v.follow);
    drag(x, y, x - 0.1 * r.width, y, VIEW_LEFT, 0);
    ENSURE_NEAR(v.from_ms, 1900, 1e-6, "ms");
    ensure_no_command(); /* a drag is no click */
}

static void dragging_neurons_goes_on_following(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RASTER, 0);
    press_key(VIEW_KEY_PAGE_UP, VIEW_SHIFT);
    double x = r.x + 0.5 * r.width, y = r.y + 0.5 * r.height;
    drag(x, y, x + 2, y + 0.05 * r.height, VIEW_LEFT, 0);
    assert_true(v.follow);
    drag(x, y, x - 0.1 * r.width, y, VIEW_LEFT, 0); /* into the future: now stays at the right edge */
    assert_true(v.follow);
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
}

static void a_double_click_shows_everything(void **state)
{
    (void)state;
    double x, y;
    press_key(VIEW_KEY_PAGE_UP, VIEW_SHIFT);
    press_key(VIEW_KEY_HOME, 0);
    place_of(500, E, 40, &x, &y);
    double_click(x, y, 0);
    ENSURE_NEAR(v.from_ms, 0, 0, "ms");
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
    ENSURE_NEAR(v.high - v.low, 1, 0, "of the stack");
    assert_int_equal(v.traced[0].population, -1); /* what the first click did was taken back */
    ensure_command(FEED_TRACE_ON, 0, E, 40, 0);
    ensure_command(FEED_TRACE_OFF, 0, -1, 0, 0);
    press_key(VIEW_KEY_END, 0);
    press_key(VIEW_KEY_PAGE_UP, 0);
    click_at(LAYOUT_BUTTON, BUTTON_FIT, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, LAST, 1e-9, "ms");
    assert_true(v.follow);
}

static void fitting_shows_what_is_kept(void **state)
{
    (void)state;
    history_free(f->spikes);
    f->spikes = history_new(64);
    for (int k = 1; k <= 300; k++) history_add(f->spikes, 10 * k, k % 100);
    press_key('a', 0);
    double oldest = history_oldest(f->spikes);
    assert_true(oldest > 2000);
    ENSURE_NEAR(v.from_ms, oldest, 1e-9, "ms");
    ENSURE_NEAR(v.to_ms, LAST, 1e-9, "ms");
}

static void the_mini_map_leads_anywhere(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_MAP, 0);
    click(r.x + r.width / 2, r.y + 5, VIEW_LEFT, 0);
    ENSURE_NEAR((v.from_ms + v.to_ms) / 2, 1500, 1e-6, "ms: half of 3 s");
    click(r.x + r.width / 3, r.y + 5, VIEW_MIDDLE, 0);
    ENSURE_NEAR((v.from_ms + v.to_ms) / 2, 1000, 1e-6, "ms");
    assert_false(v.follow);
    drag(r.x + r.width / 3, r.y + 5, r.x + 0.6 * r.width, r.y + 50, VIEW_LEFT, 0);
    ENSURE_NEAR((v.from_ms + v.to_ms) / 2, 1800, 1e-6, "ms");
    drag(r.x + r.width / 3, r.y + 5, r.x + r.width, r.y, VIEW_LEFT, 0);
    assert_true(v.follow); /* at its right edge is now */
    wheel(r.x + 10, r.y + 5, -1, 0);
    ENSURE_NEAR(v.to_ms - v.from_ms, 1000 / 0.85, 1e-6, "ms");
}

static void bins_go_1_2_5(void **state)
{
    (void)state;
    ENSURE_NEAR(v.bin_ms, 5, 0, "ms");
    const double up[] = { 10, 20, 50, 100 }, down[] = { 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.1 };
    for (int k = 0; k < 4; k++) {
        press_key(']', 0);
        ENSURE_NEAR(v.bin_ms, up[k], 1e-9, "ms");
    }
    for (int k = 0; k < 10; k++) {
        press_key('[', 0);
        ENSURE_NEAR(v.bin_ms, down[k], 1e-9, "ms"); /* no shorter than a step */
    }
    click_at(LAYOUT_BUTTON, BUTTON_BIN_LARGER, 0);
    ENSURE_NEAR(v.bin_ms, 0.2, 1e-9, "ms");
    click_at(LAYOUT_BUTTON, BUTTON_BIN_SMALLER, 0);
    ENSURE_NEAR(v.bin_ms, 0.1, 1e-9, "ms");
    f->exact = true;
    for (int k = 0; k < 10; k++) press_key('[', 0);
    ENSURE_NEAR(v.bin_ms, 0.01, 1e-9, "ms");
}

/* ---- neurons --------------------------------------------------------------------------------------------------- */

static void a_click_traces_a_neuron(void **state)
{
    (void)state;
    double x, y;
    place_of(2500, I, 7, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_command(FEED_TRACE_ON, 0, I, 7, 0);
    assert_int_equal(v.last_clicked.population, I);
    assert_int_equal(v.last_clicked.neuron, 7);
    assert_true(shown(LAYOUT_TRACE, 0));
    place_of(2500, I, 7, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_command(FEED_TRACE_OFF, 0, -1, 0, 0);
    assert_false(shown(LAYOUT_TRACE, 0));
    f->population[I].variable[0] = 0;
    place_of(2500, I, 7, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_no_command();
    assert_string_equal(v.notice, "\"I\" has no membrane potential to show");
}

static void the_oldest_trace_gives_way(void **state)
{
    (void)state;
    double x, y;
    for (int k = 0; k < FEED_TRACES + 1; k++) {
        place_of(2500, E, 9 * k, &x, &y);
        click(x, y, VIEW_LEFT, 0);
        ensure_command(FEED_TRACE_ON, k % FEED_TRACES, E, 9 * k, 0);
    }
    place_of(2500, E, 18, &x, &y);
    click(x, y, VIEW_LEFT, 0); /* the third one off: its slot is free, the second one is the oldest */
    ensure_command(FEED_TRACE_OFF, 2, -1, 0, 0);
    place_of(2500, I, 0, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_command(FEED_TRACE_ON, 2, I, 0, 0);
    place_of(2500, I, 1, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_command(FEED_TRACE_ON, 1, I, 1, 0);
}

static void ctrl_click_pokes_alt_click_injects(void **state)
{
    (void)state;
    double x, y;
    place_of(2500, E, 33, &x, &y);
    click(x, y, VIEW_LEFT, VIEW_CTRL);
    ensure_command(FEED_POKE, 0, E, 33, 0);
    assert_string_equal(v.notice, "E 34: one spike");
    double_click(x, y, VIEW_CTRL); /* two quick pokes are two */
    ensure_command(FEED_POKE, 0, E, 33, 0);
    ensure_command(FEED_POKE, 0, E, 33, 0);
    click(x, y, VIEW_LEFT, VIEW_ALT);
    ensure_command(FEED_INJECT, 0, E, 33, 400);
    ensure_no_command();
}

static void recordings_cannot_be_touched(void **state)
{
    (void)state;
    double       x, y;
    feed_command fetch; /* of what may have been before the first spike */
    while (taken(&fetch)) assert_int_equal(fetch.kind, FEED_FETCH);
    place_of(1500, E, 33, &x, &y);
    const unsigned modifiers[] = { VIEW_CTRL, VIEW_ALT };
    for (int k = 0; k < 2; k++) {
        v.notice[0] = 0;
        click(x, y, VIEW_LEFT, modifiers[k]);
        ensure_no_command();
        assert_non_null(strstr(v.notice, "E 34: this is a recording"));
        assert_int_equal(v.last_clicked.neuron, 33);
    }
}

static void recordings_show_the_traces_they_hold(void **state)
{
    (void)state;
    double       x, y;
    feed_command fetch;
    while (taken(&fetch)) assert_int_equal(fetch.kind, FEED_FETCH);
    place_of(1500, E, 33, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_command(FEED_TRACE_ON, 0, E, 33, 0);
    f->population[I].variable[0] = 0;
    place_of(1500, I, 3, &x, &y);
    click(x, y, VIEW_LEFT, 0);
    ensure_no_command();
    assert_string_equal(v.notice, "of \"I\" no states were recorded");
}

static void ensure_seen(int population, int64_t neuron)
{
    axis_rect r = place(LAYOUT_RASTER, 0);
    double    x, y, above;
    place_of(2500, population, (double)neuron, &x, &y);
    place_of(2500, population, (double)neuron + 1, &x, &above);
    if (!(y > r.y && y < r.y + r.height))
        fail_msg("neuron %lld lies at %g, the raster from %g to %g", (long long)neuron, y, r.y, r.y + r.height);
    if (!(y - above > 2)) fail_msg("neurons are %g points apart, expected more than 2", y - above);
}

static void neurons_are_found_by_number(void **state)
{
    (void)state;
    press_key('/', 0);
    assert_true(v.searching && shown(LAYOUT_SEARCH, 0));
    type("/I 7");
    assert_string_equal(v.search, "I 7"); /* the stroke that opened the line is not part of it */
    press_key(VIEW_KEY_RETURN, 0);
    assert_false(v.searching);
    assert_int_equal(v.last_clicked.population, I);
    assert_int_equal(v.last_clicked.neuron, 6);
    ensure_command(FEED_TRACE_ON, 0, I, 6, 0);
    ensure_seen(I, 6);
    press_key('/', 0);
    type("20"); /* in the same population */
    press_key(VIEW_KEY_RETURN, 0);
    assert_int_equal(v.last_clicked.population, I);
    assert_int_equal(v.last_clicked.neuron, 19);
    ensure_command(FEED_TRACE_ON, 1, I, 19, 0);
    press_key('1', 0);
    click_at(LAYOUT_BUTTON, BUTTON_SEARCH, 0);
    type("E:80");
    press_key(VIEW_KEY_RETURN, 0);
    assert_true(v.visible[E]); /* a hidden population is shown */
    ensure_seen(E, 79);
    ensure_command(FEED_TRACE_ON, 2, E, 79, 0);
    press_key('/', 0);
    type("E 80");
    press_key(VIEW_KEY_RETURN, 0);
    ensure_no_command(); /* traced already */
}

static void a_wrong_search_says_what_is_wrong(void **state)
{
    (void)state;
    const char *const searches[][2] = {
        { "E 81", "\"E\" has the neurons 1 to 80" },
        { "0", "\"E\" has the neurons 1 to 80" },
        { "X 3", "no population \"X\"" },
        { "E", "\"E\": expected a neuron, such as 123 or E 123" },
        { "99999999999999999999999", "\"E\" has the neurons 1 to 80" },
    };
    for (size_t k = 0; k < sizeof searches / sizeof *searches; k++) {
        press_key('/', 0);
        type(searches[k][0]);
        press_key(VIEW_KEY_RETURN, 0);
        assert_string_equal(v.notice, searches[k][1]);
        ensure_no_command();
    }
}

static void keys_in_the_search_line_stay_there(void **state)
{
    (void)state;
    press_key('/', 0);
    press_key('q', 0);
    press_key(' ', 0);
    press_key('1', 0);
    type("ab");
    view_handle(&v, f, &(view_event){ .kind = VIEW_TEXT, .text = "µ" });
    assert_int_equal(v.wishes, 0);
    assert_false(v.paused);
    assert_true(v.visible[E]);
    assert_string_equal(v.search, "abµ");
    press_key(VIEW_KEY_BACKSPACE, 0);
    assert_string_equal(v.search, "ab");
    for (int k = 0; k < 100; k++) type("x");
    assert_true(strlen(v.search) < sizeof v.search);
    press_key(VIEW_KEY_ESCAPE, 0);
    assert_false(v.searching);
    assert_string_equal(v.search, "");
    press_key('/', 0);
    press_key(VIEW_KEY_RETURN, 0); /* nothing written: nothing said */
    assert_string_equal(v.notice, "");
}

static void a_rubber_band_selects(void **state)
{
    (void)state;
    for (int way = 0; way < 2; way++) {
        double x0, y0, x1, y1;
        place_of(2200, E, 59.4, &x0, &y0);
        place_of(2600, E, 9.6, &x1, &y1);
        drag(x0, y0, x1, y1, way == 0 ? VIEW_RIGHT : VIEW_LEFT, way == 0 ? 0 : VIEW_SHIFT);
        assert_true(v.selection.there);
        ENSURE_NEAR(v.selection.from_ms, 2200, 1e-6, "ms");
        ENSURE_NEAR(v.selection.to_ms, 2600, 1e-6, "ms");
        assert_int_equal(v.selection.first_row, 10);
        assert_int_equal(v.selection.last_row, 59);
        assert_true(v.panels & VIEW_SELECTION && shown(LAYOUT_SELECTION, 0));
        ENSURE_NEAR(v.from_ms, 2000, 1e-9, "ms: nothing moved");
        press_key(VIEW_KEY_ESCAPE, 0);
        assert_false(v.selection.there);
    }
    ensure_no_command();
}

static void a_rubber_band_over_two_populations(void **state)
{
    (void)state;
    double x0, y0, x1, y1;
    place_of(2200, E, 69.6, &x0, &y0);
    place_of(2600, I, 4.4, &x1, &y1);
    drag(x1, y1, x0, y0, VIEW_RIGHT, 0); /* from the upper right to the lower left */
    assert_int_equal(v.selection.first_row, 70);
    assert_int_equal(v.selection.last_row, N_E + 4);
    press_key('2', 0);
    place_of(2200, E, 69.6, &x0, &y0);
    axis_rect r = place(LAYOUT_RASTER, 0);
    drag(x0, y0, x1, r.y, VIEW_RIGHT, 0); /* hidden neurons are not selected */
    assert_int_equal(v.selection.last_row, N_E - 1);
}

static void a_band_over_the_rates_selects_all_neurons(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RATE, 0);
    drag(r.x + 0.25 * r.width, r.y + 3, r.x + 0.75 * r.width, r.y + 9, VIEW_RIGHT, 0);
    assert_int_equal(v.selection.first_row, 0);
    assert_int_equal(v.selection.last_row, N_E + N_I - 1);
    ENSURE_NEAR(v.selection.from_ms, 2250, 1e-6, "ms");
}

static void return_zooms_into_the_selection(void **state)
{
    (void)state;
    const int keys[] = { VIEW_KEY_RETURN, 'z' };
    for (int k = 0; k < 2; k++) {
        double x0, y0, x1, y1;
        place_of(2200, E, 59.4, &x0, &y0);
        place_of(2600, E, 9.6, &x1, &y1);
        drag(x0, y0, x1, y1, VIEW_RIGHT, 0);
        press_key(keys[k], 0);
        ENSURE_NEAR(v.from_ms, 2200, 1e-6, "ms");
        ENSURE_NEAR(v.to_ms, 2600, 1e-6, "ms");
        axis_rect r = place(LAYOUT_RASTER, 0);
        place_of(2200, E, 59.5, &x0, &y0);
        place_of(2600, E, 9.5, &x1, &y1);
        ENSURE_NEAR(y0, r.y, 1e-6, "points");
        ENSURE_NEAR(y1, r.y + r.height, 1e-6, "points");
        assert_false(v.follow);
        press_key('a', 0);
        press_key(VIEW_KEY_END, 0);
        v.from_ms = 2000, v.to_ms = 3000;
        press_key(VIEW_KEY_ESCAPE, 0);
    }
    press_key('z', 0);
    assert_non_null(strstr(v.notice, "nothing is selected"));
}

/* ---- populations and panels ------------------------------------------------------------------------------------ */

static void digits_and_check_boxes_hide_populations(void **state)
{
    (void)state;
    press_key('1', 0);
    assert_false(v.visible[E]);
    press_key('9', 0);
    press_key('2', 0);
    assert_false(v.visible[I]);
    press_key('0', 0);
    assert_true(v.visible[E] && v.visible[I]);
    assert_false(press_key('1', VIEW_SHIFT)); /* some keyboards' sign for something else */
    click_at(LAYOUT_POPULATION, I, 0);
    assert_false(v.visible[I]);
    click_at(LAYOUT_POPULATION, I, VIEW_CTRL);
    assert_true(v.visible[I] && !v.visible[E]);
}

static void hidden_populations_leave_their_place(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_RASTER, 0);
    double    x, y;
    press_key('1', 0);
    place_of(2500, I, -0.5, &x, &y);
    ENSURE_NEAR(y, r.y + r.height, 1e-6, "points: I fills the raster");
    press_key('2', 0);
    click(x, y - 10, VIEW_LEFT, 0); /* nobody is there */
    ensure_no_command();
}

static void letters_switch_panels(void **state)
{
    (void)state;
    const struct { int key; unsigned panel; layout_kind kind; } panels[] = {
        { 'r', VIEW_RATE, LAYOUT_RATE }, { 'n', VIEW_NEURON_RATES, LAYOUT_NEURON_RATES }, { 'm', VIEW_MAP, LAYOUT_MAP },
        { 'b', VIEW_SIDEBAR, LAYOUT_SIDEBAR }, { 'i', VIEW_SELECTION, LAYOUT_SELECTION },
    };
    for (size_t k = 0; k < sizeof panels / sizeof *panels; k++)
        for (int round = 0; round < 2; round++) {
            bool before = (v.panels & panels[k].panel) != 0;
            press_key(panels[k].key, 0);
            assert_int_equal((v.panels & panels[k].panel) != 0, !before);
            assert_int_equal(shown(panels[k].kind, 0), !before);
        }
    press_key('c', 0);
    assert_string_equal(v.notice, "no population is a camera");
    f->population[E].columns = 10, f->population[E].rows = 8, f->population[E].polarities = 1;
    press_key('c', 0);
    assert_true(shown(LAYOUT_CAMERA, 0));
    assert_true(v.dark);
    press_key('t', 0);
    assert_false(v.dark);
    click_at(LAYOUT_BUTTON, BUTTON_THEME, 0);
    assert_true(v.dark);
}

static void weights_go_through_the_projections(void **state)
{
    (void)state;
    press_key('w', 0);
    assert_string_equal(v.notice, "no projection learns");
    ensure_no_command();
    f->n_learning = 2;
    press_key('w', 0);
    ensure_command(FEED_WEIGHTS, 0, 0, 0, 0);
    assert_true(shown(LAYOUT_WEIGHTS, 0));
    click_at(LAYOUT_WEIGHTS, 0, 0);
    ensure_command(FEED_WEIGHTS, 1, 0, 0, 0);
    assert_int_equal(v.learning, 1);
    press_key('w', 0);
    ensure_command(FEED_WEIGHTS, -1, 0, 0, 0);
    assert_false(v.panels & VIEW_WEIGHTS);
    press_key('w', 0);
    ensure_command(FEED_WEIGHTS, 0, 0, 0, 0);
}

static void the_list_of_panels_reaches_all_of_them(void **state)
{
    (void)state;
    click_at(LAYOUT_BUTTON, BUTTON_PANELS, 0);
    assert_true(v.menu);
    for (int k = 0; k < LAYOUT_PANELS; k++) {
        unsigned panel = layout_panels[k].panel, before = v.panels & panel;
        if (panel == VIEW_WEIGHTS || panel == VIEW_CAMERA) continue; /* there is nothing to show */
        click_at(LAYOUT_PANEL, k, 0);
        assert_int_equal(v.panels & panel, before ^ panel);
        assert_true(v.menu);
    }
    click_at(LAYOUT_BUTTON, BUTTON_PANELS, 0);
    assert_false(v.menu);
    press_key('l', 0);
    assert_true(v.menu);
    click(5, 300, VIEW_LEFT, 0); /* elsewhere */
    assert_false(v.menu);
    press_key('l', 0);
    press_key(VIEW_KEY_ESCAPE, 0);
    assert_false(v.menu);
}

static void help_opens_and_closes(void **state)
{
    (void)state;
    const struct { int key; unsigned modifiers; } openings[] = { { VIEW_KEY_F1, 0 }, { '?', 0 }, { '/', VIEW_SHIFT } };
    for (int k = 0; k < 3; k++) {
        press_key(openings[k].key, openings[k].modifiers);
        assert_true(v.help && shown(LAYOUT_HELP, 0));
        press_key(k == 0 ? VIEW_KEY_ESCAPE : openings[k].key, openings[k].modifiers);
        assert_false(v.help);
    }
    click_at(LAYOUT_BUTTON, BUTTON_HELP, 0);
    assert_true(v.help);
    click(100, 100, VIEW_LEFT, 0);
    assert_false(v.help);
}

static void files_and_the_end_are_wishes(void **state)
{
    (void)state;
    const struct { int key; unsigned modifiers, wishes; } wishes[] = {
        { 'p', 0, VIEW_WISH_PNG }, { 's', 0, VIEW_WISH_VECTOR }, { 'q', 0, VIEW_WISH_CLOSE },
        { 'q', VIEW_SHIFT, VIEW_WISH_CLOSE | VIEW_WISH_END },
    };
    const struct { layout_button button; unsigned wishes; } buttons[] = {
        { BUTTON_PNG, VIEW_WISH_PNG }, { BUTTON_VECTOR, VIEW_WISH_VECTOR }, { BUTTON_CLOSE, VIEW_WISH_CLOSE },
    };
    for (int k = 0; k < 4; k++) {
        v.wishes = 0;
        press_key(wishes[k].key, wishes[k].modifiers);
        assert_int_equal(v.wishes, wishes[k].wishes);
    }
    for (int k = 0; k < 3; k++) {
        v.wishes = 0;
        click_at(LAYOUT_BUTTON, buttons[k].button, 0);
        assert_int_equal(v.wishes, buttons[k].wishes);
    }
    press_key('v', 0);
    assert_true(v.recording);
    click_at(LAYOUT_BUTTON, BUTTON_RECORD, 0);
    assert_false(v.recording);
}

/* ---- knobs ----------------------------------------------------------------------------------------------------- */

static int start_with_knobs(void **state)
{
    (void)state;
    open_feed(true);
    f->n_knobs = 2;
    for (int k = 0; k < 2; k++) {
        snprintf(f->knob[k].label, sizeof f->knob[k].label, "knob %d", k);
        f->knob[k].low = -1, f->knob[k].high = 9, f->knob[k].value = 4;
    }
    ENSURE_OK(view_open(&v, f));
    v.width = 900, v.height = 560;
    view_tick(&v, f, 0.016);
    return 0;
}

static void sliders_are_dragged_and_put_back(void **state)
{
    (void)state;
    axis_rect r = place(LAYOUT_KNOB, 1);
    click(r.x + 0.25 * r.width, r.y + 15, VIEW_LEFT, 0);
    ensure_command(FEED_KNOB, 1, 0, 0, 1.5);
    drag(r.x + 0.25 * r.width, r.y + 15, r.x + 2 * r.width, r.y, VIEW_LEFT, 0);
    feed_command c, last = { 0 };
    while (taken(&c)) last = c;
    assert_int_equal(last.index, 1);
    ENSURE_NEAR(last.value, 9, 1e-9, "its upper end");
    double_click(r.x + 5, r.y + 15, VIEW_CTRL);
    ensure_command(FEED_KNOB, 1, 0, 0, 4);
    ensure_no_command();
}

static void keys_move_sliders(void **state)
{
    (void)state;
    press_key(VIEW_KEY_TAB, 0);
    assert_int_equal(v.focus, 0);
    press_key(VIEW_KEY_RIGHT, 0);
    ensure_command(FEED_KNOB, 0, 0, 0, 4.2);
    press_key(VIEW_KEY_LEFT, VIEW_SHIFT);
    ensure_command(FEED_KNOB, 0, 0, 0, 4.18);
    press_key(VIEW_KEY_BACKSPACE, 0);
    ensure_command(FEED_KNOB, 0, 0, 0, 4);
    press_key(VIEW_KEY_TAB, 0);
    press_key(VIEW_KEY_TAB, 0);
    press_key(VIEW_KEY_LEFT, 0); /* the current that Alt-click injects: 400 of -2000 .. 2000 pA */
    ENSURE_NEAR(v.inject_pA, 320, 1e-9, "pA");
    ENSURE_NEAR(v.from_ms, 2000, 1e-9, "ms: time did not move");
    ensure_no_command();
    press_key(VIEW_KEY_TAB, 0);
    press_key(VIEW_KEY_RETURN, 0); /* after the sliders the populations */
    assert_false(v.visible[E]);
    press_key(VIEW_KEY_TAB, VIEW_SHIFT);
    press_key(VIEW_KEY_TAB, VIEW_SHIFT);
    assert_int_equal(v.focus, 1);
    press_key(VIEW_KEY_ESCAPE, 0);
    assert_int_equal(v.focus, -1);
    press_key(VIEW_KEY_RIGHT, 0);
    assert_true(v.from_ms >= 2000);
}

static void a_full_queue_loses_no_slider(void **state)
{
    (void)state;
    while (feed_send(f, (feed_command){ .kind = FEED_TRACE_OFF })) continue;
    press_key(VIEW_KEY_TAB, 0);
    press_key(VIEW_KEY_RIGHT, 0);
    feed_command c;
    while (taken(&c)) assert_int_equal(c.kind, FEED_TRACE_OFF);
    view_tick(&v, f, 0.016);
    ensure_command(FEED_KNOB, 0, 0, 0, 4.2);
}

static void long_lists_scroll(void **state)
{
    (void)state;
    feed_population many[100];
    feed           *kept = f;
    view            kept_view = v;
    for (int p = 0; p < 100; p++) {
        char name[24];
        snprintf(name, sizeof name, "p%d", p);
        many[p] = population(name, 100, p % 5 == 4);
    }
    ENSURE_OK(feed_new(many, 100, &f));
    f->live = true;
    ENSURE_OK(view_open(&v, f));
    v.width = 900, v.height = 560;
    assert_true(shown(LAYOUT_POPULATION, 0) && !shown(LAYOUT_POPULATION, 99) && shown(LAYOUT_KNOB, FEED_KNOBS));
    axis_rect r = place(LAYOUT_POPULATION, 3);
    for (int k = 0; k < 100; k++) wheel(r.x + 20, r.y + 5, -1, 0);
    assert_true(!shown(LAYOUT_POPULATION, 0) && shown(LAYOUT_POPULATION, 99));
    click_at(LAYOUT_POPULATION, 99, 0);
    assert_false(v.visible[99]);
    for (int k = 0; k < 100; k++) wheel(r.x + 20, r.y + 5, 1, 0);
    assert_true(shown(LAYOUT_POPULATION, 0));
    for (int k = 0; k < 101; k++) press_key(VIEW_KEY_TAB, 0);
    press_key(VIEW_KEY_RETURN, 0);
    assert_true(v.visible[99] && shown(LAYOUT_POPULATION, 99));
    view_close(&v);
    feed_free(f);
    f = kept, v = kept_view;
}

/* ---- time passes ----------------------------------------------------------------------------------------------- */

static void older_spikes_are_fetched_once(void **state)
{
    (void)state;
    history_free(f->spikes);
    f->spikes = history_new(64);
    for (int k = 1; k <= 300; k++) history_add(f->spikes, 10 * k, k % 100);
    double oldest = history_oldest(f->spikes);
    view_tick(&v, f, 0.016);
    feed_command c;
    while (taken(&c)) continue;
    press_key(VIEW_KEY_HOME, 0);
    press_key(VIEW_KEY_PAGE_UP, 0); /* 100 .. 900 ms */
    view_tick(&v, f, 0.016);
    assert_true(taken(&c));
    assert_int_equal(c.kind, FEED_FETCH);
    ENSURE_NEAR(c.from_ms, 0, 1e-9, "ms: a margin, but nothing before the beginning");
    ENSURE_NEAR(c.to_ms, 1700, 1e-9, "ms: a margin");
    for (int k = 0; k < 50; k++) view_tick(&v, f, 0.016);
    ensure_no_command(); /* the answer is on its way */
    f->older_to_ms = 1700;
    for (int k = 0; k < 1000; k++) view_tick(&v, f, 0.016);
    ensure_no_command();
    press_key(VIEW_KEY_RIGHT, 0);
    view_tick(&v, f, 0.016);
    ensure_no_command(); /* within the margin */
    for (int k = 0; k < 14; k++) press_key(VIEW_KEY_RIGHT, 0);
    view_tick(&v, f, 0.016);
    assert_true(taken(&c));
    ENSURE_NEAR(c.to_ms, oldest, 1e-9, "ms: from there on spikes are in memory");
    press_key(VIEW_KEY_END, 0);
    view_tick(&v, f, 0.016);
    ensure_no_command();
}

static void the_start_of_a_run_needs_no_fetch(void **state)
{
    (void)state;
    press_key(VIEW_KEY_HOME, 0); /* the first spike is at 10 ms, but no spike was lost */
    for (int k = 0; k < 300; k++) view_tick(&v, f, 0.016);
    ensure_no_command();
}

static void notices_fade(void **state)
{
    (void)state;
    view_note(&v, "%d spikes", 7);
    assert_string_equal(v.notice, "7 spikes");
    view_tick(&v, f, 1.9);
    assert_string_equal(v.notice, "7 spikes");
    assert_true(view_tick(&v, f, 2.5));
    assert_string_equal(v.notice, "");
    assert_false(view_tick(&v, f, 0.016));
}

static void speed_is_measured(void **state)
{
    (void)state;
    for (int k = 0; k < 60; k++) {
        f->t_ms = LAST + 12.5 * k;
        view_tick(&v, f, 0.025);
    }
    ENSURE_NEAR(v.measured_speed, 0.5, 0.02, "simulated over wall time");
}

static void every_key_of_the_list_does_something(void **state)
{
    (void)state;
    int headings = 0;
    for (int k = 0; k < n_view_keys; k++) {
        assert_true(view_keys[k].meaning[0]);
        headings += !view_keys[k].keys[0];
    }
    assert_in_range(headings, 3, 8);
    f->n_learning = 1;
    const char keys[] = " .,+-faz/rnwimbtlpsv?q[]0123456789c";
    for (size_t k = 0; k + 1 < sizeof keys; k++) {
        if (!press_key(keys[k], 0)) fail_msg("the key '%c' did nothing", keys[k]);
        if (v.searching) press_key(VIEW_KEY_ESCAPE, 0);
    }
    assert_false(press_key('x', 0));
    assert_false(press_key('x', VIEW_ALT));
}

/* ---- everything at once ---------------------------------------------------------------------------------------- */

static uint64_t random_state = 7;

static double random_number(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 11) / 9007199254740992.0;
}

static int random_index(int n) { return (int)(random_number() * n); }

static view_event random_event(void)
{
    static const int         keys[] = { ' ',
                                        '.',
                                        ',',
                                        '+',
                                        '-',
                                        'f',
                                        'a',
                                        'z',
                                        '/',
                                        'r',
                                        'n',
                                        'w',
                                        'i',
                                        'c',
                                        'm',
                                        'b',
                                        't',
                                        'l',
                                        '[',
                                        ']',
                                        '0',
                                        '1',
                                        '2',
                                        '3',
                                        '?',
                                        'v',
                                        'p',
                                        VIEW_KEY_ESCAPE,
                                        VIEW_KEY_RETURN,
                                        VIEW_KEY_BACKSPACE,
                                        VIEW_KEY_TAB,
                                        VIEW_KEY_LEFT,
                                        VIEW_KEY_RIGHT,
                                        VIEW_KEY_UP,
                                        VIEW_KEY_DOWN,
                                        VIEW_KEY_PAGE_UP,
                                        VIEW_KEY_PAGE_DOWN,
                                        VIEW_KEY_HOME,
                                        VIEW_KEY_END,
                                        VIEW_KEY_F1,
                                        0,
                                        -5,
                                        100000 };
    static const char *const texts[] = { "1", "E", " ", ":", "9", "\xc3", "", "\x01", "/" };
    static const double      wheels[] = { 1, -1, 0.3, -7, 1e9, -1e9, NAN, INFINITY };
    static const double      odd[] = { NAN, INFINITY, -INFINITY, 1e308, -1, 0 };
    view_event               e = { .kind = (view_event_kind)random_index(7),
                                   .modifiers = (unsigned)random_index(8),
                                   .button = random_index(5),
                                   .clicks = random_index(4) };
    e.key = keys[random_index(sizeof keys / sizeof *keys)];
    snprintf(e.text, sizeof e.text, "%s", texts[random_index(9)]);
    e.wheel = wheels[random_index(8)];
    e.x = (random_number() * 1.1 - 0.05) * v.width, e.y = (random_number() * 1.1 - 0.05) * v.height;
    if (random_index(200) == 0) e.x = odd[random_index(6)];
    if (random_index(200) == 0) e.y = odd[random_index(6)];
    return e;
}

/* The simulation: goes on, answers, loses old spikes, ends, begins to move backwards. */
static void random_simulation(double *t)
{
    feed_command c;
    if (random_index(3) > 0)
        while (taken(&c)) continue;
    if (random_index(2)) f->steps = 0;
    for (int k = random_index(20); k > 0; k--) {
        *t += random_number();
        history_add(f->spikes, *t, random_index((int)f->n_rows));
        f->n_spikes += 1;
    }
    f->t_ms = *t;
    if (random_index(500) == 0) history_clear(f->spikes);
    if (random_index(100) == 0) f->state = random_index(7);
    if (random_index(100) == 0) f->exact = !f->exact;
    if (random_index(2000) == 0) f->t_ms = random_index(2) ? NAN : 0;
    if (random_index(1000) == 0) f->older_to_ms = *t / 2;
    view_tick(&v, f, random_index(50) ? random_number() / 30 : random_index(2) ? NAN : 1e9);
}

static void ensure_sound(int round, const view_event *e)
{
    bool sound = isfinite(v.from_ms) && isfinite(v.to_ms) && isfinite(v.now_ms) && v.from_ms < v.to_ms && v.low >= 0 &&
                 v.low < v.high && v.high <= 1 && v.bin_ms > 0 && v.bin_ms <= 10000 && v.speed > 0 &&
                 isfinite(v.inject_pA) && v.learning >= 0 && v.learning < 3 && v.scroll_populations >= 0 &&
                 v.scroll_knobs >= 0 && v.focus >= -1 && v.focus < layout_sliders(f) + f->n_populations &&
                 strlen(v.search) < sizeof v.search;
    if (v.selection.there)
        sound = sound && v.selection.from_ms < v.selection.to_ms && v.selection.first_row >= 0 &&
                v.selection.first_row <= v.selection.last_row && v.selection.last_row < f->n_rows;
    for (int k = 0; k < FEED_TRACES; k++)
        sound = sound && v.traced[k].population >= -1 && v.traced[k].population < f->n_populations;
    if (!sound)
        fail_msg("after event %d of kind %d: %g .. %g ms, now %g, stack %g .. %g, bin %g, selection %g .. %g rows %lld "
                 ".. %lld",
                 round, (int)e->kind, v.from_ms, v.to_ms, v.now_ms, v.low, v.high, v.bin_ms, v.selection.from_ms,
                 v.selection.to_ms, (long long)v.selection.first_row, (long long)v.selection.last_row);
}

static void a_hundred_thousand_random_events(void **state)
{
    (void)state;
    const feed_population three[] = { population("E", 800, false), population("I", 1, true),
                                      population("S", 0, false) };
    for (int run = 0; run < 4; run++) {
        double t = run == 3 ? 1e9 : 0;
        ENSURE_OK(feed_new(three, 3, &f));
        history_free(f->spikes);
        f->spikes = history_new(4096);
        f->live = run != 1;
        f->state = f->live ? FEED_RUNNING : FEED_STORED;
        f->begin_ms = f->t_ms = t;
        f->end_ms = t + 5000;
        f->inject_pA = run == 2 ? NAN : 100;
        f->n_learning = 3;
        f->n_knobs = run;
        for (int k = 0; k < run; k++) f->knob[k].high = k; /* the first one has no range */
        ENSURE_OK(view_open(&v, f));
        for (int round = 0; round < 25000; round++) {
            if (random_index(100) == 0)
                v.width = 1 + pow(random_number(), 3) * 4000, v.height = 1 + pow(random_number(), 3) * 3000;
            view_event e = random_event();
            view_handle(&v, f, &e);
            ensure_sound(round, &e);
            if (random_index(5) == 0) random_simulation(&t);
            ensure_sound(round, &e);
        }
        view_close(&v);
        feed_free(f);
    }
}

/* ---- layout ---------------------------------------------------------------------------------------------------- */

static void every_size_has_a_raster_within_the_window(void **state)
{
    (void)state;
    v.panels = 127, v.menu = v.searching = true;
    for (int k = 0; k < FEED_TRACES; k++) v.traced[k] = (view_neuron){ E, k };
    for (double width = 0.7; width < 3000; width *= 1.17)
        for (double height = 0.7; height < 3000; height *= 1.17) {
            layout l;
            v.width = width, v.height = height;
            ENSURE_OK(layout_make(&v, f, &l));
            if (!(l.raster.width > 0 && l.raster.height > 0 && l.time.to > l.time.from))
                fail_msg("%g x %g points: the raster is %g x %g", width, height, l.raster.width, l.raster.height);
            for (int i = 0; i < l.n_items; i++) {
                axis_rect r = l.item[i].rect;
                bool      overlay = l.item[i].kind == LAYOUT_PANEL || l.item[i].kind == LAYOUT_SEARCH;
                if (!overlay && !(r.x >= -1e-9 && r.y >= -1e-9 && r.x + r.width <= fmax(width, 1) + 1 &&
                                  r.y + r.height <= fmax(height, 1) + 1))
                    fail_msg("%g x %g points: item %d from %g, %g is %g x %g", width, height, (int)l.item[i].kind, r.x,
                             r.y, r.width, r.height);
            }
            layout_free(&l);
        }
}

static void panels_do_not_overlap(void **state)
{
    (void)state;
    v.panels = 127;
    for (int k = 0; k < 3; k++) v.traced[k] = (view_neuron){ E, k };
    v.width = 900, v.height = 560;
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    for (int i = 0; i < l.n_items; i++)
        for (int k = 0; k < i; k++) {
            axis_rect a = l.item[i].rect, b = l.item[k].rect;
            bool      inside = l.item[k].kind == LAYOUT_SIDEBAR || l.item[k].kind == LAYOUT_TOOLBAR;
            bool apart = a.x >= b.x + b.width - 1e-6 || b.x >= a.x + a.width - 1e-6 || a.y >= b.y + b.height - 1e-6 ||
                         b.y >= a.y + a.height - 1e-6;
            if (!apart && !inside) fail_msg("items %d and %d overlap", (int)l.item[i].kind, (int)l.item[k].kind);
        }
    layout_free(&l);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start_live, end)
#define STORED(test) cmocka_unit_test_setup_teardown(test, start_stored, end)
#define KNOBS(test) cmocka_unit_test_setup_teardown(test, start_with_knobs, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(a_run_is_followed),
        LIVE(before_the_screen_is_full_time_begins_at_the_left),
        LIVE(space_pauses_and_resumes),
        LIVE(a_step_pauses_first),
        LIVE(speed_goes_along_its_ladder),
        LIVE(event_stepping_goes_from_spike_to_spike),
        LIVE(event_stepping_ends_with_the_next_action),
        LIVE(spikes_of_hidden_populations_are_no_events),
        STORED(recordings_play),
        LIVE(keys_move_in_time_and_over_neurons),
        LIVE(the_wheel_zooms_time_at_the_cursor),
        LIVE(in_a_moving_picture_the_right_edge_holds),
        LIVE(shift_wheel_zooms_neurons_at_the_cursor),
        LIVE(ctrl_wheel_moves_in_time),
        LIVE(zoom_ends_at_two_steps_and_at_everything),
        LIVE(dragging_moves),
        LIVE(dragging_neurons_goes_on_following),
        LIVE(a_double_click_shows_everything),
        LIVE(fitting_shows_what_is_kept),
        LIVE(the_mini_map_leads_anywhere),
        LIVE(bins_go_1_2_5),
        LIVE(a_click_traces_a_neuron),
        LIVE(the_oldest_trace_gives_way),
        LIVE(ctrl_click_pokes_alt_click_injects),
        STORED(recordings_cannot_be_touched),
        STORED(recordings_show_the_traces_they_hold),
        LIVE(neurons_are_found_by_number),
        LIVE(a_wrong_search_says_what_is_wrong),
        LIVE(keys_in_the_search_line_stay_there),
        LIVE(a_rubber_band_selects),
        LIVE(a_rubber_band_over_two_populations),
        LIVE(a_band_over_the_rates_selects_all_neurons),
        LIVE(return_zooms_into_the_selection),
        LIVE(digits_and_check_boxes_hide_populations),
        LIVE(hidden_populations_leave_their_place),
        LIVE(letters_switch_panels),
        LIVE(weights_go_through_the_projections),
        LIVE(the_list_of_panels_reaches_all_of_them),
        LIVE(help_opens_and_closes),
        LIVE(files_and_the_end_are_wishes),
        KNOBS(sliders_are_dragged_and_put_back),
        KNOBS(keys_move_sliders),
        KNOBS(a_full_queue_loses_no_slider),
        LIVE(long_lists_scroll),
        LIVE(older_spikes_are_fetched_once),
        LIVE(the_start_of_a_run_needs_no_fetch),
        LIVE(notices_fade),
        LIVE(speed_is_measured),
        LIVE(every_key_of_the_list_does_something),
        cmocka_unit_test(a_hundred_thousand_random_events),
        LIVE(every_size_has_a_raster_within_the_window),
        LIVE(panels_do_not_overlap),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
