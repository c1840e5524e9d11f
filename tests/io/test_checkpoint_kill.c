/* kill -9 at random moments while a network records and saves itself: the results file always reads and holds what it held, the
 * checkpoint always loads and goes on to the spikes of a run that nobody killed. Runs that were killed are taken up from
 * their checkpoint, are killed again, and in the end come to the same end.
 *
 *   RV_CHECKPOINT_KILLS=200 build/tests/io/test_checkpoint_kill      as often as one likes; 12 by default
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "sim/random.h"

#define DURATION_MS 1000.0
#define INTERVAL_MS 4.0 /* between checkpoints */

static const char *program; /* this one */
static char        folder[] = "/tmp/ranvier_kill_XXXXXX", saved[64], out[64];

static void must(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

/* Learning, noise, events near and far. */
static rv_net *make(void)
{
    rv_net *net;
    if (rv_net_new(&(rv_net_def){ .seed = 12, .threads = 1 }, &net, NULL) != RV_OK) return NULL;
    rv_population E = rv_population_new(net, "E", 150, "iaf_psc_exp"), G = rv_population_new(net, "G", 30, "poisson_generator");
    rv_set(net, G, "rate", rv_number(15));
    rv_set(net, E, "V_m", rv_uniform(-70, -55));
    rv_setting top = { "Wmax", rv_number(900) };
    rv_connect(net, &(rv_connect_def){ .source = rv_all(E), .target = rv_all(E), .rule = "fixed_indegree", .degree = 10, .weight = rv_uniform(20, 90),
                                       .delay = rv_uniform(0.5, 8), .plasticity = "stdp", .settings = &top, .n_settings = 1 }, NULL);
    rv_connect(net, &(rv_connect_def){ .source = rv_all(G), .target = rv_all(E), .rule = "fixed_indegree", .degree = 5, .weight = rv_number(300) }, NULL);
    rv_input_new(net, rv_all(E), "poisson", (rv_setting[]){ { "rate", rv_number(4000) }, { "weight", rv_number(45) } }, 2, NULL);
    rv_record_spikes(net, E);
    return net;
}

/* ---- the one that is killed ------------------------------------------------------------------------------------------ */

static rv_status save(rv_net *net, double t_ms, void *user)
{
    (void)t_ms;
    return checkpoint_save(net, user, NULL);
}

static rv_net *begin(char *path, bool *loaded)
{
    rv_net *net;
    *loaded = access(path, F_OK) == 0;
    if (!*loaded) return make();
    return checkpoint_load(path, 1, &net, NULL, NULL) == RV_OK ? net : NULL;
}

static int run_until_killed(char *path, const char *results)
{
    bool            loaded;
    results_writer *writer;
    rv_net         *net = begin(path, &loaded);
    if (!net || results_writer_open(net, results, &(results_provenance){ .from_now = loaded }, &writer) != RV_OK) return 1;
    if (rv_every(net, INTERVAL_MS, save, path) != RV_OK || rv_run(net, DURATION_MS - rv_time(net)) != RV_OK) return 1;
    return results_writer_close(writer) == RV_OK && checkpoint_save(net, path, NULL) == RV_OK ? 0 : 1;
}

/* ---- the one that kills ---------------------------------------------------------------------------------------------- */

typedef struct spikes {
    int64_t  n;
    double  *times;
    int64_t *neurons;
} spikes;

static spikes read_spikes(rv_net *net)
{
    spikes s = { .n = rv_spike_count(net, (rv_population){ 1 }) };
    s.times = malloc(((size_t)s.n + 1) * sizeof *s.times), s.neurons = malloc(((size_t)s.n + 1) * sizeof *s.neurons);
    must(net, rv_spike_read(net, (rv_population){ 1 }, 0, s.n, s.times, s.neurons));
    return s;
}

static void free_spikes(spikes *s) { free(s->times), free(s->neurons); }

static void must_be_equal(const spikes *a, const spikes *b, const char *what)
{
    if (a->n != b->n || memcmp(a->times, b->times, (size_t)a->n * sizeof(double)) != 0 || memcmp(a->neurons, b->neurons, (size_t)a->n * sizeof(int64_t)) != 0)
        fail_msg("%s: %lld spikes are not the %lld of the run that nobody killed", what, (long long)a->n, (long long)b->n);
}

/* What a results file holds is what the whole run has from start_ms on, as far as it goes. @return its spikes; -1: no file yet */
static int64_t check_results(const spikes *whole, double start_ms)
{
    results *r;
    rv_error error;
    if (access(out, F_OK) != 0) return -1;
    if (results_read(out, &r, &error) != RV_OK) fail_msg("%s", error.text);
    const results_spikes *s = results_spikes_count(r) > 0 ? results_spikes_at(r, 0) : NULL;
    int64_t               first = 0, n = s ? s->n : 0;
    while (first < whole->n && whole->times[first] <= start_ms) first++;
    if (first + n > whole->n) fail_msg("the results have %lld spikes after %g ms, there are %lld", (long long)n, start_ms, (long long)(whole->n - first));
    for (int64_t k = 0; k < n; k++)
        if (s->times_ms[k] != whole->times[first + k] || s->neurons[k] != whole->neurons[first + k]) fail_msg("spike %lld of the results is not that of the whole run", (long long)k);
    results_free(r);
    return n;
}

/* The checkpoint goes on to the same end. @return the time it was made, ms; 0: there is none yet */
static double check_checkpoint(const spikes *whole, double before_ms)
{
    rv_net  *net;
    rv_error error;
    if (access(saved, F_OK) != 0) {
        assert_true(before_ms == 0); /* what has been there stays */
        return 0;
    }
    if (checkpoint_load(saved, 1, &net, NULL, &error) != RV_OK) fail_msg("%s", error.text);
    double time_ms = rv_time(net);
    if (time_ms < before_ms) fail_msg("the checkpoint is of %g ms, there was one of %g ms", time_ms, before_ms);
    must(net, rv_run(net, DURATION_MS - time_ms));
    spikes s = read_spikes(net);
    must_be_equal(&s, whole, "continued");
    free_spikes(&s);
    rv_net_free(net);
    return time_ms;
}

static void nap(double seconds)
{
    struct timespec t = { (time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds)) };
    nanosleep(&t, NULL);
}

static pid_t start(void)
{
    pid_t child = fork();
    if (child == 0) execl(program, program, "--run", saved, out, (char *)NULL), _exit(127);
    assert_true(child > 0);
    return child;
}

/* @return whether it had come to its end before */
static bool kill_it(pid_t child)
{
    int how;
    kill(child, SIGKILL);
    waitpid(child, &how, 0);
    if (WIFEXITED(how) && WEXITSTATUS(how) != 0) fail_msg("the run failed by itself");
    return WIFEXITED(how);
}

static void test_killed(void **state)
{
    (void)state;
    int       n = getenv("RV_CHECKPOINT_KILLS") ? atoi(getenv("RV_CHECKPOINT_KILLS")) : 12, finished = 0, with_checkpoint = 0, with_results = 0, in_part = 0;
    rv_random random = random_stream((uint64_t)getpid(), RANDOM_USER, 11, 0);
    rv_net   *net = make();
    must(net, rv_run(net, DURATION_MS));
    spikes whole = read_spikes(net);
    rv_net_free(net);
    assert_true(whole.n > 1000);
    double time_ms = 0;
    char   part[80];
    snprintf(part, sizeof part, "%s.part", saved);
    for (int k = 0; k < n; k++) {
        unlink(out);
        pid_t child = start();
        nap(0.01 + 1.2 * random_uniform(&random));
        int64_t flushed = check_results(&whole, time_ms);
        nap(0.05 * random_uniform(&random));
        bool    done = kill_it(child);
        int64_t kept = check_results(&whole, time_ms);
        if (kept < flushed) fail_msg("kill %d: %lld of %lld spikes are left in the results", k, (long long)kept, (long long)flushed);
        in_part += access(part, F_OK) == 0;
        time_ms = check_checkpoint(&whole, time_ms);
        with_checkpoint += time_ms > 0, with_results += kept > 0;
        if (!done) continue;
        if (time_ms != DURATION_MS) fail_msg("it came to its end, but its checkpoint is of %g ms", time_ms);
        finished++, time_ms = 0;
        unlink(saved);
    }
    printf("%d kills: %d came to their end before, %d found a checkpoint, %d results with spikes, %d in the middle of writing a checkpoint\n", n, finished,
           with_checkpoint, with_results, in_part);
    free_spikes(&whole);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return 1;
    snprintf(saved, sizeof saved, "%s/x.checkpoint.h5", folder), snprintf(out, sizeof out, "%s/x.h5", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_killed) };
    program = argv[0];
    if (argc == 4 && strcmp(argv[1], "--run") == 0) return run_until_killed(argv[2], argv[3]);
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
