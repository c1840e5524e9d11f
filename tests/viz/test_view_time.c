/* The view in time: running, stepping, playing, zooming and moving, on a feed with a history filled by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "tests/support/view_fixture.h"

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
    };
    return cmocka_run_group_tests_name("view_time", tests, NULL, NULL);
}
