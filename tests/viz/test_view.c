/* The view under a hundred thousand random events, after each of which everything has to be within its limits; and its layout
 * in every size. What each key and each action of the mouse does is in test_view_time.c, _neurons.c and _panels.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "tests/support/random_number.h"
#include "tests/support/view_fixture.h"

/* ---- everything at once ---------------------------------------------------------------------------------------- */

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_thousand_random_events),
        LIVE(every_size_has_a_raster_within_the_window),
        LIVE(panels_do_not_overlap),
    };
    return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
