/* The simulation's side of the live view: a thread stands for the window. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/support/wait.h"
#include "viz/live.h"

enum { N_E = 800, N_I = 200 };

/* The thread sanitizer does not see how libgomp's threads wait for each other; what is tested here is the window's. */
#ifdef __SANITIZE_THREAD__
enum { THREADS = 1 };
#else
enum { THREADS = 2 };
#endif

static void done(const rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

typedef struct rig {
    rv_net       *net;
    rv_population exc, inh, source;
    live         *live;
    feed         *feed;
    int           touches;
    double        run_ms;
    rv_status     status;
    pthread_t     thread;
} rig;

static bool inhibitory(void *user, rv_population p) { return p.id == ((rig *)user)->inh.id; }

static rv_status touch(void *user, const feed_command *c)
{
    rig *r = user;
    r->touches++;
    return c->kind == FEED_POKE ? rv_poke(r->net, (rv_population){ c->population + 1 }, c->neuron) : RV_OK;
}

static void make_net(rig *r, rv_timing timing)
{
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 3, .timing = timing, .threads = THREADS }, &r->net, NULL), RV_OK);
    r->exc = rv_population_new(r->net, "E", N_E, "iaf_psc_exp"), r->inh = rv_population_new(r->net, "I", N_I, "iaf_psc_exp");
    rv_population all[2] = { r->exc, r->inh };
    for (int k = 0; k < 4; k++)
        done(r->net, rv_connect(r->net, &(rv_connect_def){ .source = rv_all(all[k / 2]), .target = rv_all(all[k % 2]), .rule = "fixed_indegree", .degree = 50,
                                                           .weight = rv_number(k / 2 ? -150 : 30), .delay = rv_number(1.5),
                                                           .plasticity = k == 0 ? "stdp" : NULL }, NULL));
    for (int k = 0; k < 2; k++) {
        const rv_setting poisson[] = { { "rate", rv_number(9000) }, { "weight", rv_number(50) } };
        done(r->net, rv_input_new(r->net, rv_all(all[k]), "poisson", poisson, 2, NULL));
        done(r->net, rv_record_spikes(r->net, all[k]));
    }
}

static void open_rig(rig *r, rv_timing timing, bool paused)
{
    *r = (rig){ 0 };
    make_net(r, timing);
    const live_knob    knobs[] = { { "background (Hz)", 0, 100, 50 } };
    const live_options options = { .title = "test", .inhibitory = inhibitory, .touch = touch, .knobs = knobs, .n_knobs = 1, .paused = paused, .user = r };
    done(r->net, live_open(r->net, &options, &r->live));
    r->feed = live_feed(r->live);
}

static void *run_thread(void *user)
{
    rig *r = user;
    live_expect(r->live, rv_time(r->net) + r->run_ms);
    r->status = rv_run(r->net, r->run_ms);
    live_linger(r->live, NULL);
    return NULL;
}

static void start(rig *r, double run_ms)
{
    r->run_ms = run_ms;
    pthread_create(&r->thread, NULL, run_thread, r);
}

static void finish(rig *r)
{
    atomic_store(&r->feed->closed, true);
    pthread_join(r->thread, NULL);
    done(r->net, r->status);
}

static void close_rig(rig *r)
{
    live_close(r->live);
    live_free(r->live);
    rv_net_free(r->net);
}

static double now_ms(const rig *r) { return atomic_load(&r->feed->t_ms); }
static int    state_of(const rig *r) { return atomic_load(&r->feed->state); }

static uint64_t hash_of(rv_net *net, rv_population p)
{
    uint64_t hash = 1469598103934665603u;
    for (int64_t k = 0; k < rv_spike_count(net, p); k++) {
        double  t;
        int64_t neuron;
        done(net, rv_spike_read(net, p, k, 1, &t, &neuron));
        uint64_t bits;
        memcpy(&bits, &t, sizeof bits);
        hash = (hash ^ bits ^ (uint64_t)neuron << 1) * 1099511628211u;
    }
    return hash;
}

/* ---- what the feed says ---------------------------------------------------------------------------------------- */

static void the_feed_describes_the_network(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, false);
    const feed *f = r.feed;
    assert_int_equal(f->n_populations, 2);
    assert_string_equal(f->population[0].name, "E");
    assert_string_equal(f->population[0].variable, "V_m");
    assert_string_equal(f->population[0].unit, "mV");
    assert_false(f->population[0].inhibitory);
    assert_true(f->population[1].inhibitory);
    assert_int_equal(f->population[1].first_row, N_E);
    assert_int_equal(f->n_rows, N_E + N_I);
    assert_int_equal(f->n_learning, 1);
    assert_string_equal(f->learning[0], "E to E, stdp");
    assert_int_equal(f->n_knobs, 1);
    assert_string_equal(f->knob[0].label, "background (Hz)");
    assert_true(f->inject_pA > 0);
    int64_t neuron;
    assert_int_equal(feed_population_of(f, N_E + 7, &neuron), 1);
    assert_int_equal(neuron, 7);
    close_rig(&r);
}

/* ---- spikes ---------------------------------------------------------------------------------------------------- */

/* A run that is paused, stepped, slowed down and watched has the spikes of one that nobody looks at. */
static void watched_runs_have_the_same_spikes(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rig alone = { 0 }, r;
        make_net(&alone, (rv_timing)timing);
        done(alone.net, rv_run(alone.net, 300));
        open_rig(&r, (rv_timing)timing, true);
        start(&r, 300);
        WAIT_FOR(state_of(&r) == FEED_PAUSED);
        feed_send(r.feed, (feed_command){ .kind = FEED_TRACE_ON, .index = 2, .population = 0, .neuron = 5 });
        feed_send(r.feed, (feed_command){ .kind = FEED_WEIGHTS, .index = 0 });
        atomic_store(&r.feed->steps, 7);
        WAIT_FOR(now_ms(&r) > 0.65);
        atomic_store(&r.feed->speed, 0.05);
        atomic_store(&r.feed->paused, false);
        WAIT_FOR(now_ms(&r) > 3);
        atomic_store(&r.feed->speed, INFINITY);
        WAIT_FOR(state_of(&r) == FEED_ENDED);
        finish(&r);
        printf("%s: E %lld spikes, I %lld; alone %lld and %lld\n", timing == RV_EXACT ? "exact" : "grid", (long long)rv_spike_count(r.net, r.exc),
               (long long)rv_spike_count(r.net, r.inh), (long long)rv_spike_count(alone.net, alone.exc), (long long)rv_spike_count(alone.net, alone.inh));
        assert_true(rv_spike_count(r.net, r.exc) > 1000);
        assert_true(hash_of(r.net, r.exc) == hash_of(alone.net, alone.exc));
        assert_true(hash_of(r.net, r.inh) == hash_of(alone.net, alone.inh));
        int64_t first, end;
        history_kept(r.feed->spikes, &first, &end);
        assert_int_equal(end - first, rv_spike_count(r.net, r.exc) + rv_spike_count(r.net, r.inh));
        rv_net_free(alone.net);
        close_rig(&r);
    }
}

/* ---- pause, steps, speed --------------------------------------------------------------------------------------- */

static void a_paused_run_stands_still_and_goes_step_by_step(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, true);
    start(&r, 100);
    WAIT_FOR(state_of(&r) == FEED_PAUSED);
    assert_true(now_ms(&r) == 0);
    for (int k = 1; k <= 5; k++) { /* the shortest delay is 15 steps: a window is cut */
        atomic_fetch_add(&r.feed->steps, 1);
        WAIT_FOR(now_ms(&r) > 0.1 * k - 0.05);
        nap(0.02);
        if (fabs(now_ms(&r) - 0.1 * k) > 1e-9) fail_msg("after %d steps: expected %.1f ms, got %.10g ms", k, 0.1 * k, now_ms(&r));
    }
    atomic_store(&r.feed->paused, false);
    WAIT_FOR(state_of(&r) == FEED_ENDED);
    assert_true(fabs(now_ms(&r) - 100) < 1e-9);
    finish(&r);
    close_rig(&r);
}

static void the_speed_is_kept(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, true);
    start(&r, 1e6);
    WAIT_FOR(state_of(&r) == FEED_PAUSED);
    atomic_store(&r.feed->speed, 0.1);
    double begin = clock_seconds();
    atomic_store(&r.feed->paused, false);
    WAIT_FOR(now_ms(&r) >= 50);
    double seconds = clock_seconds() - begin;
    printf("50 ms at a tenth of life: %.3f s, expected 0.5\n", seconds);
    assert_true(seconds >= 0.47); /* never faster; how much slower depends on the machine */
    atomic_store(&r.feed->speed, 0.001); /* a step in 0.1 s: also single steps are paced */
    nap(0.05); /* the stretch that is under way was measured for the speed of before */
    double before = now_ms(&r);
    begin = clock_seconds();
    WAIT_FOR(now_ms(&r) >= before + 0.35);
    seconds = clock_seconds() - begin;
    printf("%.1f ms at a thousandth: %.3f s\n", now_ms(&r) - before, seconds);
    assert_true(seconds >= 0.2);
    feed_send(r.feed, (feed_command){ .kind = FEED_FINISH });
    WAIT_FOR(state_of(&r) == FEED_ENDED);
    assert_int_equal(r.status, RV_STOPPED);
    r.status = RV_OK;
    finish(&r);
    close_rig(&r);
}

static void a_closed_window_does_not_end_the_run(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, true);
    start(&r, 50);
    WAIT_FOR(state_of(&r) == FEED_PAUSED);
    finish(&r); /* while paused */
    assert_true(fabs(rv_time(r.net) - 50) < 1e-9);
    close_rig(&r);
}

/* ---- traces, touches, weights ---------------------------------------------------------------------------------- */

static void a_trace_has_every_step_and_a_poke_is_seen(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, true);
    start(&r, 1000);
    WAIT_FOR(state_of(&r) == FEED_PAUSED);
    feed_send(r.feed, (feed_command){ .kind = FEED_TRACE_ON, .index = 0, .population = 1, .neuron = 3 });
    feed_send(r.feed, (feed_command){ .kind = FEED_POKE, .population = 1, .neuron = 3 });
    feed_send(r.feed, (feed_command){ .kind = FEED_KNOB, .index = 0, .value = 80 });
    WAIT_FOR(atomic_load(&r.feed->knob[0].value) == 80);
    assert_int_equal(r.touches, 2);
    atomic_fetch_add(&r.feed->steps, 3);
    WAIT_FOR(now_ms(&r) > 0.25);
    double  t_ms[8], value[8];
    int64_t first = 0, n = history_read(r.feed->trace[0].samples, &first, 8, t_ms, value);
    assert_int_equal(n, 3);
    for (int k = 0; k < 3; k++) assert_true(fabs(t_ms[k] - 0.1 * (k + 1)) < 1e-9);
    assert_true(atomic_load(&r.feed->trace[0].threshold) == -55);
    first = 0, n = history_read(r.feed->spikes, &first, 8, t_ms, value);
    assert_int_equal(n, 1);
    assert_true(fabs(t_ms[0] - 0.1) < 1e-9);
    assert_true(value[0] == N_E + 3);
    finish(&r);
    close_rig(&r);
}

static void weights_come_as_histogram_and_matrix(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, false);
    feed_send(r.feed, (feed_command){ .kind = FEED_WEIGHTS, .index = 0 });
    start(&r, 200);
    const feed_weights *w;
    WAIT_FOR((w = feed_weights_latest(r.feed)) != NULL);
    double sum = 0;
    for (int k = 0; k < FEED_HISTOGRAM; k++) sum += w->histogram[k];
    assert_true(fabs(sum - 1) < 1e-12);
    assert_int_equal(w->n_synapses, N_E * 50);
    assert_true(w->columns == 128 && w->rows == 128 && w->tile_columns == 0);
    assert_true(w->low < w->mean && w->mean < w->high);
    finish(&r);
    close_rig(&r);
}

/* ---- spikes of before ------------------------------------------------------------------------------------------ */

static void spikes_that_are_no_longer_kept_are_fetched(void **state)
{
    (void)state;
    rig r;
    open_rig(&r, RV_GRID, false);
    start(&r, 300);
    WAIT_FOR(state_of(&r) == FEED_ENDED);
    feed_send(r.feed, (feed_command){ .kind = FEED_FETCH, .from_ms = 100, .to_ms = 150 });
    WAIT_FOR(atomic_load(&r.feed->older_from_ms) == 100 && atomic_load(&r.feed->older_to_ms) == 150);
    int64_t first, end, begin = history_find(r.feed->spikes, 100), stop = history_find(r.feed->spikes, 150);
    history_kept(r.feed->older, &first, &end);
    printf("between 100 and 150 ms: fetched %lld spikes, kept were %lld\n", (long long)(end - first), (long long)(stop - begin));
    assert_int_equal(end - first, stop - begin);
    assert_true(end - first > 100);
    double t[2], v[2], sum[2] = { 0 };
    for (int64_t k = 0; k < end - first; k++) { /* equal times may come in another order */
        int64_t a = first + k, b = begin + k;
        history_read(r.feed->older, &a, 1, &t[0], &v[0]), history_read(r.feed->spikes, &b, 1, &t[1], &v[1]);
        assert_true(t[0] == t[1]);
        sum[0] += v[0], sum[1] += v[1];
    }
    assert_true(sum[0] == sum[1]);
    finish(&r);
    close_rig(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_feed_describes_the_network),
        cmocka_unit_test(watched_runs_have_the_same_spikes),
        cmocka_unit_test(a_paused_run_stands_still_and_goes_step_by_step),
        cmocka_unit_test(the_speed_is_kept),
        cmocka_unit_test(a_closed_window_does_not_end_the_run),
        cmocka_unit_test(a_trace_has_every_step_and_a_poke_is_seen),
        cmocka_unit_test(weights_come_as_histogram_and_matrix),
        cmocka_unit_test(spikes_that_are_no_longer_kept_are_fetched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
