/* Every part of the window that takes the mouse does what the view does with it, and the picture follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/window_fixture.h"

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
    SEE(was_sent(FEED_TRACE_ON));
    feed_command c = last_command(FEED_TRACE_ON);
    assert_int_equal(c.population, E);
    assert_in_range(c.neuron, 39, 41);
    pixel_of(I, 10, &x, &y);
    display_click(x, y, 1, "ctrl", 1);
    SEE(was_sent(FEED_POKE));
    c = last_command(FEED_POKE);
    assert_int_equal(c.population, I);
    assert_in_range(c.neuron, 9, 11);
    display_click(x + 40, y, 1, "alt", 1);
    SEE(was_sent(FEED_INJECT));
    c = last_command(FEED_INJECT);
    assert_true(c.population == I && c.value == 100);
    place trace = place_of(LAYOUT_TRACE, 0);
    pixel_of(E, seen.traced[0].neuron, &x, &y);
    display_click(x + 80, y, 1, NULL, 1);
    SEE(was_sent(FEED_TRACE_OFF) && !is_shown(LAYOUT_TRACE, 0));
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
        SEE(condition);                                                                                           \
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
    SEE(!seen.help);
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
    SEE(seen.paused);
    place axis = place_of(LAYOUT_TIME_AXIS, 0);
    DO(display_click(axis.x + axis.width / 2, axis.y + axis.height / 2, 1, NULL, 1),
       fabs(seen.now_ms - 15 * calm_ms) < 1000, LAYOUT_RASTER, 0);
    double now = seen.now_ms;
    PRESS_ONLY("period", fabs(seen.now_ms - now - f->resolution_ms) < 1e-6);
    now = seen.now_ms;
    PRESS_ONLY("comma", seen.now_ms > now);
    now = seen.now_ms;
    PRESS("space", !seen.paused && seen.now_ms > now + 50, LAYOUT_RASTER, 0);
    SEE(seen.measured_speed > 0.5);
    PRESS_ONLY("space", seen.paused);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wheel),
        TEST(test_drag),
        TEST(test_clicks_on_neurons),
        TEST(test_map),
        TEST(test_sidebar),
        TEST(test_buttons),
        TEST(test_recording),
    };
    return RUN_TESTS(tests);
}
