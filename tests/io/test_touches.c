/* What a user does to a running network is recorded, and can be done again. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/results.h"
#include "io/script.h"
#include "sim/statistics.h"
#include "viz/feed.h"

static const char model[] =
    "local rv = require 'ranvier'\n"
    "local net = rv.network { seed = 4, threads = 2 }\n"
    "local E = net:population('E', 400, 'iaf_psc_exp')\n"
    "local I = net:population('I', 100, 'iaf_psc_exp', {}, { inhibitory = true })\n"
    "net:connect(E, { E, I }, { rule = 'fixed_indegree', indegree = 40 }, { weight = 40, delay = 1.5 })\n"
    "net:connect(I, { E, I }, { rule = 'fixed_indegree', indegree = 10 }, { weight = -200, delay = 1.5 })\n"
    "local drive = net:poisson({ E, I }, { rate = 8000, weight = 50 })\n"
    "net:knob('drive (Hz)', 0, 20000, 8000, function(x) drive:set('rate', x) end)\n"
    "net:knob('threshold (mV)', -60, -50, -55, function(x) E:set('V_th', x) end)\n"
    "net:record({ E, I }, 'spikes')\n"
    "net:run(400)\n"
    "net:run(200)\n";

typedef struct window {
    feed     *feed;
    pthread_t thread;
    bool      touches;
} window;

static void wait_until(const feed *f, double t_ms)
{
    const struct timespec nap = { 0, 200000 };
    while (atomic_load(&f->t_ms) < t_ms && !atomic_load(&f->closed)) nanosleep(&nap, NULL);
}

/* The user: turns knobs, pokes and injects at times that depend on the machine. */
static void *act(void *user)
{
    window *w = user;
    feed   *f = w->feed;
    atomic_store(&f->speed, 2);
    if (w->touches) {
        for (int k = 0; k < 5; k++) {
            wait_until(f, 20 + 60 * k);
            feed_send(f, (feed_command){ .kind = FEED_KNOB, .index = k % 2, .value = k % 2 ? -56 - k : 6000 + 3000 * k });
            feed_send(f, (feed_command){ .kind = FEED_POKE, .population = 0, .neuron = 17 + k });
            feed_send(f, (feed_command){ .kind = FEED_INJECT, .population = 1, .neuron = k, .value = 900 });
        }
    }
    wait_until(f, 600);
    atomic_store(&f->closed, true);
    return NULL;
}

static void show(void *user, feed *f)
{
    window *w = user;
    w->feed = f;
    pthread_create(&w->thread, NULL, act, w);
}

static void run(const char *text, const char *out, const char *replay, window *w, const char *expected_error)
{
    script_options options = { .path = "model.lua", .text = text, .text_length = strlen(text), .out = out, .replay = replay, .quiet = true };
    script        *s;
    if (w) options.show = show, options.show_user = w;
    rv_status status = script_open(&options, &s);
    if (status == RV_OK) status = script_run(s);
    script_linger(s);
    if (w && w->feed) pthread_join(w->thread, NULL);
    if (expected_error) assert_non_null(strstr(script_message(s), expected_error));
    else if (status != RV_OK) fail_msg("%s", script_message(s));
    script_close(s);
}

static uint64_t hash_of(const char *path, int64_t *n_spikes, int64_t *n_touches)
{
    results *r;
    rv_error error = { 0 };
    uint64_t hash = 0;
    if (results_read(path, &r, &error) != RV_OK) fail_msg("%s", error.text);
    *n_spikes = 0;
    for (int k = 0; k < results_spikes_count(r); k++) {
        const results_spikes *s = results_spikes_at(r, k);
        hash += rv_spike_hash(s->name, s->times_ms, s->neurons, s->n);
        *n_spikes += s->n;
    }
    const results_touch *touch = results_touches(r, n_touches);
    for (int64_t k = 1; k < *n_touches; k++) assert_true(touch[k - 1].t_ms <= touch[k].t_ms);
    results_free(r);
    return hash;
}

static void touched_runs_can_be_had_again(void **state)
{
    (void)state;
    window   w = { .touches = true };
    int64_t  spikes, again, none, touches, touches_again, no_touches;
    run(model, "touched.h5", NULL, &w, NULL);
    run(model, "replayed.h5", "touched.h5", NULL, NULL);
    run(model, "untouched.h5", NULL, NULL, NULL);
    uint64_t hash = hash_of("touched.h5", &spikes, &touches), replayed = hash_of("replayed.h5", &again, &touches_again);
    uint64_t untouched = hash_of("untouched.h5", &none, &no_touches);
    printf("touched %lld times: %lld spikes; replayed %lld; untouched %lld\n", (long long)touches, (long long)spikes, (long long)again, (long long)none);
    assert_int_equal(touches, 15);
    assert_int_equal(touches_again, 15);
    assert_int_equal(no_touches, 0);
    assert_true(hash == replayed);
    assert_true(hash != untouched);
    remove("touched.h5"), remove("replayed.h5"), remove("untouched.h5");
}

static void a_window_nobody_touches_changes_nothing(void **state)
{
    (void)state;
    window  w = { .touches = false };
    int64_t spikes, alone, touches;
    run(model, "watched.h5", NULL, &w, NULL);
    run(model, "alone.h5", NULL, NULL, NULL);
    uint64_t hash = hash_of("watched.h5", &spikes, &touches);
    assert_int_equal(touches, 0);
    assert_true(hash == hash_of("alone.h5", &alone, &touches));
    assert_true(spikes > 1000);
    remove("watched.h5"), remove("alone.h5");
}

static void what_cannot_be_replayed_is_said(void **state)
{
    (void)state;
    static const char other[] = "local rv = require 'ranvier'\nlocal net = rv.network {}\nnet:population('E', 2, 'lif')\n"
                                "net:knob('gain', 0, 1, 0, function() end)\nnet:run(1)\n";
    static const char plain[] = "local rv = require 'ranvier'\nlocal net = rv.network {}\nlocal E = net:population('E', 2, 'lif')\nnet:record(E, 'spikes')\nnet:run(1)\n";
    run(model, "knobs.h5", NULL, NULL, NULL);
    run(plain, "plain.h5", NULL, NULL, NULL);
    run(other, NULL, "knobs.h5", NULL, "\"knobs.h5\" has other knobs than this network");
    run(model, NULL, "plain.h5", NULL, "\"plain.h5\" does not say what a user did");
    run(model, NULL, "nothing.h5", NULL, "nothing.h5");
    remove("knobs.h5"), remove("plain.h5");
}

static void wrong_knobs_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        { "net:knob('x', 1, 0, 0, print)", "knob \"x\": from 1 to 0; finite numbers are needed, the lower one first" },
        { "net:knob('x', 0, 1, 2, print)", "knob \"x\": begins at 2, allowed are 0 to 1" },
        { "net:knob('x', 0, 1, 1)", "the fifth argument is nil; a function is needed" },
        { "net:knob('x', 0, 1, 1, print) net:knob('x', 0, 1, 1, print)", "there is a knob \"x\" already" },
        { "net:population('E', 1, 'lif') net:run(1) net:knob('x', 0, 1, 1, print)", "comes after the first net:run" },
        { "for i = 1, 33 do net:knob('x' .. i, 0, 1, 1, function() end) end", "32 knobs at most" },
        { "net:population('E', {3}, 'lif')", "{columns, rows[, channels]} is needed" },
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        char text[512];
        snprintf(text, sizeof text, "local rv = require 'ranvier'\nlocal net = rv.network {}\n%s\n", wrong[k][0]);
        run(text, NULL, NULL, NULL, wrong[k][1]);
    }
}

/* The function is called when the knob is declared, with what it begins with. */
static void a_knob_begins_with_its_value(void **state)
{
    (void)state;
    run("local rv = require 'ranvier'\nlocal net = rv.network {}\nlocal got\nnet:knob('x', 0, 1, 0.25, function(x) got = x end)\nassert(got == 0.25)\n", NULL, NULL, NULL, NULL);
}

int main(void)
{
    char folder[] = "/tmp/ranvier-touches-XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(touched_runs_can_be_had_again),
        cmocka_unit_test(a_window_nobody_touches_changes_nothing),
        cmocka_unit_test(what_cannot_be_replayed_is_said),
        cmocka_unit_test(wrong_knobs_are_refused),
        cmocka_unit_test(a_knob_begins_with_its_value),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
