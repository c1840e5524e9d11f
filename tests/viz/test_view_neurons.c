/* What the view does with neurons: traces, pokes, the search, the rubber band. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "tests/support/view_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests_name("view_neurons", tests, NULL, NULL);
}
