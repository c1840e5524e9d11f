/* Recordings in the place of a simulation: what the window is given of a file, also of one that grows. */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/script.h"
#include "io/script_play.h"
#include "tests/support/wait.h"

static const char model[] =
    "local rv = require 'ranvier'\n"
    "local net = rv.network { seed = 4, threads = 1 }\n"
    "local E = net:population('E', 400, 'iaf_psc_exp')\n"
    "local I = net:population('I', { 10, 10 }, 'iaf_psc_exp', {}, { inhibitory = true })\n"
    "local J = net:connect(I, E, { rule = 'fixed_indegree', indegree = 10 }, { weight = 20, delay = 1.5, plasticity = 'stdp' })\n"
    "net:poisson({ E, I }, { rate = 8000, weight = 50 })\n"
    "net:record({ E, I }, 'spikes')\n"
    "net:record(E:slice(3, 5), 'V_m', { interval = 1 })\n"
    "net:record(J, 'weights', { interval = 10 })\n"
    "net:run(rv.arg.time or 100)\n";

static void record(const char *out)
{
    script_options options = { .path = "model.lua", .text = model, .text_length = strlen(model), .out = out, .quiet = true };
    script        *s;
    rv_status      status = script_open(&options, &s);
    if (status == RV_OK) status = script_run(s);
    if (status != RV_OK) fail_msg("%s", script_message(s));
    script_close(s);
}

static player *open_player(const char *path, bool follow)
{
    results *r;
    player  *p;
    rv_error error = { 0 };
    if (results_read(path, &r, &error) != RV_OK || player_open(r, path, follow, &p, &error) != RV_OK) fail_msg("%s", error.text);
    return p;
}

static void *serve(void *p)
{
    player_serve(p);
    return NULL;
}

static void end_serving(player *p, pthread_t thread)
{
    atomic_store(&player_feed(p)->closed, true);
    pthread_join(thread, NULL);
    player_close(p);
}

static int64_t spikes_kept(const feed *f)
{
    int64_t first, end;
    history_kept(f->spikes, &first, &end);
    return end - first;
}

static int64_t spikes_in_file(const char *path)
{
    results *r;
    int64_t  n = 0;
    if (results_read(path, &r, NULL) != RV_OK) return -1;
    for (int k = 0; k < results_spikes_count(r); k++) n += results_spikes_at(r, k)->n;
    results_free(r);
    return n;
}

static void a_recording_is_handed_over(void **state)
{
    (void)state;
    record("whole.h5");
    player *p = open_player("whole.h5", false);
    feed   *f = player_feed(p);
    assert_int_equal(f->n_populations, 2);
    assert_true(!f->live && f->population[1].inhibitory && !f->population[0].inhibitory);
    assert_int_equal(f->population[1].columns, 10);
    assert_int_equal(f->population[1].rows, 10);
    assert_string_equal(f->population[0].variable, "V_m");
    assert_int_equal(f->population[1].variable[0], 0);
    assert_int_equal(f->n_learning, 1);
    assert_int_equal(atomic_load(&f->state), FEED_STORED);
    assert_true(atomic_load(&f->end_ms) == 100 && f->resolution_ms == 0.1);
    assert_int_equal(spikes_kept(f), spikes_in_file("whole.h5"));
    double t, row, before = -1;
    for (int64_t k = 0; k < spikes_kept(f); k++) {
        int64_t at = k;
        history_read(f->spikes, &at, 1, &t, &row);
        assert_true(t >= before && row >= 0 && row < f->n_rows);
        before = t;
    }
    player_close(p);
    remove("whole.h5");
}

static void traces_weights_and_older_spikes_are_answered(void **state)
{
    (void)state;
    record("asked.h5");
    player   *p = open_player("asked.h5", false);
    feed     *f = player_feed(p);
    pthread_t thread;
    int64_t   first, end;
    pthread_create(&thread, NULL, serve, p);
    feed_send(f, (feed_command){ .kind = FEED_TRACE_ON, .index = 1, .population = 0, .neuron = 3 }); /* the second of 3..5 */
    feed_send(f, (feed_command){ .kind = FEED_TRACE_ON, .index = 2, .population = 0, .neuron = 9 }); /* not recorded */
    feed_send(f, (feed_command){ .kind = FEED_FETCH, .from_ms = 20, .to_ms = 40 });
    feed_send(f, (feed_command){ .kind = FEED_WEIGHTS, .index = 0 });
    WAIT_FOR(atomic_load(&f->older_from_ms) == 20 && atomic_load(&f->older_to_ms) == 40);
    history_kept(f->older, &first, &end);
    assert_int_equal(end - first, history_find(f->spikes, 40) - history_find(f->spikes, 20));
    history_kept(f->trace[1].samples, &first, &end);
    assert_int_equal(end - first, 100);
    history_kept(f->trace[2].samples, &first, &end);
    assert_int_equal(end - first, 0);
    double t_ms = 0;
    int    n = 0;
    while (t_ms < 100) { /* one snapshot after the other */
        const feed_weights *w = NULL;
        WAIT_FOR((w = feed_weights_latest(f)) && w->t_ms > t_ms);
        t_ms = w->t_ms, n++;
        assert_int_equal(w->n_synapses, 4000);
        assert_true(w->tile_columns == 10 && w->tile_rows == 10 && w->tiles > 0);
    }
    assert_int_equal(n, 10);
    end_serving(p, thread);
    remove("asked.h5");
}

/* ---- a file that grows ----------------------------------------------------------------------------------------- */

static pid_t run_elsewhere(const char *time)
{
    FILE *file = fopen("grow.lua", "w");
    fputs(model, file);
    fclose(file);
    pid_t pid = fork();
    if (pid == 0) {
        execl(getenv("RANVIER"), "ranvier", "run", "grow.lua", time, "--out", "grow.h5", "--quiet", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool there(const char *path)
{
    results *r;
    if (results_read(path, &r, NULL) != RV_OK) return false;
    bool spikes = results_spikes_count(r) > 0;
    results_free(r);
    return spikes;
}

static void a_growing_file_is_followed_to_its_end(void **state)
{
    (void)state;
    if (!getenv("RANVIER")) skip();
    pid_t     pid = run_elsewhere("time=20000");
    pthread_t thread;
    WAIT_FOR(there("grow.h5"));
    player *p = open_player("grow.h5", true);
    feed   *f = player_feed(p);
    printf("opened at %.0f ms\n", atomic_load(&f->t_ms));
    pthread_create(&thread, NULL, serve, p);
    WAIT_FOR(atomic_load(&f->state) == FEED_STORED);
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    printf("at the end %.0f ms, %lld spikes\n", atomic_load(&f->t_ms), (long long)spikes_kept(f));
    assert_true(atomic_load(&f->t_ms) == 20000);
    assert_int_equal(spikes_kept(f), spikes_in_file("grow.h5"));
    end_serving(p, thread);
    remove("grow.h5"), remove("grow.lua");
}

static void the_crash_of_the_writer_leaves_what_was_there(void **state)
{
    (void)state;
    if (!getenv("RANVIER")) skip();
    pid_t     pid = run_elsewhere("time=1e9");
    pthread_t thread;
    WAIT_FOR(there("grow.h5"));
    player *p = open_player("grow.h5", true);
    feed   *f = player_feed(p);
    pthread_create(&thread, NULL, serve, p);
    double before = atomic_load(&f->t_ms);
    WAIT_FOR(atomic_load(&f->t_ms) > before); /* it goes on */
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    nanosleep(&(struct timespec){ 0, 600000000 }, NULL); /* two more looks */
    assert_int_equal(atomic_load(&f->state), FEED_GROWING);
    assert_true(spikes_kept(f) > 0);
    assert_true(atomic_load(&f->t_ms) > before);
    end_serving(p, thread);
    remove("grow.h5"), remove("grow.lua"), remove("grow.h5.part");
}

static void a_camera_is_a_recording_too(void **state)
{
    (void)state;
    char     path[1100];
    results *r;
    snprintf(path, sizeof path, "%s/tests/reference/aer/bar_dvs.es", getenv("OLDPWD") ? getenv("OLDPWD") : ".");
    if (results_read(path, &r, NULL) != RV_OK) skip();
    assert_non_null(results_attribute(r, "recording"));
    player     *p;
    rv_error    error = { 0 };
    assert_int_equal(player_open(r, "bar", true, &p, &error), RV_OK);
    const feed *f = player_feed(p);
    assert_int_equal(f->n_populations, 1);
    assert_true(f->population[0].columns > 0 && f->population[0].polarities == 2);
    assert_int_equal(atomic_load(&((feed *)f)->state), FEED_STORED);
    assert_true(spikes_kept(f) > 0);
    player_close(p);
}

int main(void)
{
    char folder[] = "/tmp/ranvier-play-XXXXXX", here[1000], program[2100];
    if (!getcwd(here, sizeof here) || !mkdtemp(folder) || chdir(folder) != 0) return 1;
    setenv("OLDPWD", here, 1);
    const char *ranvier = getenv("RANVIER");
    if (ranvier && ranvier[0] != '/') {
        snprintf(program, sizeof program, "%s/%s", here, ranvier);
        setenv("RANVIER", program, 1);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recording_is_handed_over),
        cmocka_unit_test(traces_weights_and_older_spikes_are_answered),
        cmocka_unit_test(a_growing_file_is_followed_to_its_end),
        cmocka_unit_test(the_crash_of_the_writer_leaves_what_was_there),
        cmocka_unit_test(a_camera_is_a_recording_too),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
