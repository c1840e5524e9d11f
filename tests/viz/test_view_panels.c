/* Populations, panels and sliders of the view, and what happens while time passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tests/support/view_fixture.h"

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

#define KNOBS(test) cmocka_unit_test_setup_teardown(test, start_with_knobs, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    return cmocka_run_group_tests_name("view_panels", tests, NULL, NULL);
}
