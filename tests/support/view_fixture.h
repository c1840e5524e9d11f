/* A view on a feed with a history filled by hand, and the hands and eyes of a user. A suite includes it once, after cmocka. */
#ifndef RV_TESTS_VIEW_FIXTURE_H
#define RV_TESTS_VIEW_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "viz/layout.h"
#include "viz/view.h"

static feed *f;
static view  v;
enum { E = 0, I = 1, N_E = 80, N_I = 20 };

static const double LAST = 3000; /* ms: up to there the run has come, with a spike every 10 ms */

static inline feed_population population(const char *name, int64_t size, bool inhibitory)
{
    feed_population p = { .size = size, .inhibitory = inhibitory, .variable = "V_m", .unit = "mV" };
    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static inline void open_feed(bool live)
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

static inline int start(bool live)
{
    open_feed(live);
    ENSURE_OK(view_open(&v, f));
    v.width = 900, v.height = 560;
    view_tick(&v, f, 0.016);
    return 0;
}

static inline int start_live(void **state) { (void)state; return start(true); }
static inline int start_stored(void **state) { (void)state; return start(false); }

static inline int end(void **state)
{
    (void)state;
    view_close(&v);
    feed_free(f);
    return 0;
}

/* ---- hands ----------------------------------------------------------------------------------------------------- */

static inline bool press_key(int key, unsigned modifiers)
{
    return view_handle(&v, f, &(view_event){ .kind = VIEW_KEY, .key = key, .modifiers = modifiers });
}

static inline void type(const char *text)
{
    for (; *text; text++) view_handle(&v, f, &(view_event){ .kind = VIEW_TEXT, .text = { *text } });
}

static inline void mouse(view_event_kind kind, double x, double y, int button, unsigned modifiers, int clicks)
{
    view_handle(
        &v, f,
        &(view_event){ .kind = kind, .x = x, .y = y, .button = button, .modifiers = modifiers, .clicks = clicks });
}

static inline void click(double x, double y, int button, unsigned modifiers)
{
    mouse(VIEW_PRESS, x, y, button, modifiers, 1);
    mouse(VIEW_RELEASE, x, y, button, modifiers, 1);
}

static inline void double_click(double x, double y, unsigned modifiers)
{
    click(x, y, VIEW_LEFT, modifiers);
    mouse(VIEW_PRESS, x, y, VIEW_LEFT, modifiers, 2);
    mouse(VIEW_RELEASE, x, y, VIEW_LEFT, modifiers, 2);
}

static inline void drag(double x0, double y0, double x1, double y1, int button, unsigned modifiers)
{
    mouse(VIEW_PRESS, x0, y0, button, modifiers, 1);
    for (int k = 1; k <= 10; k++) mouse(VIEW_MOTION, x0 + k * (x1 - x0) / 10, y0 + k * (y1 - y0) / 10, 0, modifiers, 0);
    mouse(VIEW_RELEASE, x1, y1, button, modifiers, 1);
}

static inline void wheel(double x, double y, double notches, unsigned modifiers)
{
    view_handle(&v, f, &(view_event){ .kind = VIEW_WHEEL, .x = x, .y = y, .wheel = notches, .modifiers = modifiers });
}

/* ---- eyes ------------------------------------------------------------------------------------------------------ */

static inline axis_rect place(layout_kind kind, int index)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    const axis_rect *r = layout_find(&l, kind, index);
    if (!r) fail_msg("item %d, index %d is not shown", (int)kind, index);
    axis_rect found = *r;
    layout_free(&l);
    return found;
}

static inline bool shown(layout_kind kind, int index)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    bool there = layout_find(&l, kind, index) != NULL;
    layout_free(&l);
    return there;
}

static inline void middle(layout_kind kind, int index, double *x, double *y)
{
    axis_rect r = place(kind, index);
    *x = r.x + r.width / 2, *y = r.y + r.height / 2;
}

static inline void click_at(layout_kind kind, int index, unsigned modifiers)
{
    double x, y;
    middle(kind, index, &x, &y);
    click(x, y, VIEW_LEFT, modifiers);
}

static inline void place_of(double ms, int population, double neuron, double *x, double *y)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    *x = axis_at(&l.time, ms);
    *y = raster_neuron_y(l.bands[population], f->population[population].size, neuron);
    layout_free(&l);
}

static inline double ms_at(double x)
{
    layout l;
    ENSURE_OK(layout_make(&v, f, &l));
    double ms = layout_ms_at(&l, x);
    layout_free(&l);
    return ms;
}

static inline bool taken(feed_command *c) { return feed_take(f, c); }

static inline void ensure_no_command(void)
{
    feed_command c;
    if (taken(&c)) fail_msg("a command of kind %d was sent, expected none", (int)c.kind);
}

static inline void ensure_command(feed_command_kind kind, int index, int population, int64_t neuron, double value)
{
    feed_command c;
    if (!taken(&c)) fail_msg("no command was sent, expected kind %d", (int)kind);
    assert_int_equal(c.kind, kind);
    assert_int_equal(c.index, index);
    assert_int_equal(c.population, population);
    assert_int_equal(c.neuron, neuron);
    ENSURE_NEAR(c.value, value, 1e-9, "");
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start_live, end)
#define STORED(test) cmocka_unit_test_setup_teardown(test, start_stored, end)

#endif
