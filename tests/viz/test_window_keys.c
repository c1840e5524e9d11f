/* Every key arrives in the window, and the picture follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/window_fixture.h"

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
    SEE(fabs(f->knob[0].value - 5.2) < 1e-9);
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
    SEE(!strcmp(seen.search, "q ?+"));
    display_key("BackSpace BackSpace BackSpace BackSpace");
    SEE(seen.search[0] == 0);
    display_key("shift+i space 1 2");
    SEE(!strcmp(seen.search, "I 12"));
    PRESS("Return", !seen.searching && seen.last_clicked.population == I && seen.last_clicked.neuron == 11,
          LAYOUT_RASTER, 0);
    SEE(was_sent(FEED_TRACE_ON));
    assert_int_equal(last_command(FEED_TRACE_ON).neuron, 11);
    PRESS_ONLY("slash", seen.searching);
    PRESS_ONLY("Escape", !seen.searching && seen.paused && window_state == 1);
}

/* A key that is held down pauses once, and steps again and again. */
static void test_key_held_down(void **state)
{
    (void)state;
    start();
    double t = f->t_ms, began = clock_seconds();
    display_hold("period", true);
    SEE(f->t_ms > t + 0.45);
    display_hold("period", false);
    double took = clock_seconds() - began;
    began = clock_seconds();
    display_hold("space", true);
    SEE(!seen.paused);
    while (clock_seconds() < began + took) {
        look();
        assert_false(seen.paused);
        nap(0.001);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(test_keys_of_time),
        TEST(test_keys_that_move),
        TEST(test_keys_of_panels),
        TEST(test_weights),
        TEST(test_keys_of_sliders),
        TEST(test_search),
        TEST(test_key_held_down),
        TEST(test_keyboard_layout),
        TEST(test_text_size),
    };
    return RUN_TESTS(tests);
}
