/* Results files: written while a network runs, read back, also after kill -9, a full disk, and damage. */
#define _GNU_SOURCE
#include "io/hdf5_file.h"
#include "io/results.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define SHARED "../shared/reference/data/sonata/"

/* libhdf5 loses a little memory of its own when a file is damaged */
__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static char folder[64]; /* of this run of the tests */

static hdf5_path in_folder(const char *name) { return hdf5_at(folder, name); }

#define ENSURE_OK(net, call)                                                        \
    do {                                                                            \
        if ((call) != RV_OK) fail_msg("%s: %s", #call, rv_net_error(net)->text);    \
    } while (0)

static results *read_or_fail(const char *path)
{
    results *r;
    rv_error error = {0};
    if (results_read(path, &r, &error) != RV_OK) fail_msg("%s", error.text);
    return r;
}

static double wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- a network whose spikes are known ------------------------------------------------------------------------- */

enum { N = 50, PERIOD = 10 }; /* neuron i spikes at 1 + i % 10 ms and every 10 ms from then on */

/* Spike k of the whole population, in the order of time, then neuron: five neurons share each ms. */
static double  spike_time(int64_t k) { return 1 + (double)(k / (N / PERIOD)); }
static int64_t spike_neuron(int64_t k) { return (k / (N / PERIOD)) % PERIOD + k % (N / PERIOD) * PERIOD; }
static int64_t spikes_until(double t_ms) { return (int64_t)floor(t_ms + 1e-9) * (N / PERIOD); }

static rv_population add_generators(rv_net *net, const char *name, double until_ms)
{
    rv_population generators = rv_population_new(net, name, N, "spike_generator");
    if (!generators.id) fail_msg("%s", rv_net_error(net)->text);
    int     n = (int)(until_ms / PERIOD);
    double *times = malloc((size_t)n * sizeof *times);
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < n; k++) times[k] = 1 + i % PERIOD + k * PERIOD;
        ENSURE_OK(net, rv_set_spike_times(net, generators, i, times, n));
    }
    free(times);
    return generators;
}

static rv_net *make_net(double until_ms, rv_population *generators)
{
    rv_net *net;
    rv_error error = {0};
    if (rv_net_new(&(rv_net_def){ .resolution = 0.1, .seed = 7, .threads = 1 }, &net, &error) != RV_OK)
        fail_msg("%s", error.text);
    *generators = add_generators(net, "E", until_ms);
    ENSURE_OK(net, rv_record_spikes(net, *generators));
    return net;
}

/* Whether the spikes are the first n of the known ones. */
static void ensure_prefix(const results_spikes *s, int64_t at_least, const char *when)
{
    for (int64_t k = 0; k < s->n; k++)
        if (fabs(s->times_ms[k] - spike_time(k)) > 1e-9 || s->neurons[k] != spike_neuron(k))
            fail_msg("%s: spike %lld is (%.3f ms, %lld), expected (%.3f ms, %lld)", when, (long long)k, s->times_ms[k],
                     (long long)s->neurons[k], spike_time(k), (long long)spike_neuron(k));
    if (s->n < at_least)
        fail_msg("%s: %lld spikes, at least %lld were due", when, (long long)s->n, (long long)at_least);
}

static void ensure_all_spikes(const char *path, double t_ms)
{
    results *r = read_or_fail(path);
    assert_true(results_spikes_count(r) >= 1);
    ensure_prefix(results_spikes_at(r, 0), spikes_until(t_ms), path);
    assert_int_equal(results_spikes_at(r, 0)->n, spikes_until(t_ms));
    results_free(r);
}

/* ---- round trip ---------------------------------------------------------------------------------------------- */

static bool say_inhibitory(void *user, rv_population population) { return population.id == *(int32_t *)user; }

static void write_round_trip(const char *path, float *first_sample)
{
    rv_population  E;
    rv_net        *net = make_net(200, &E);
    rv_population  I = rv_population_new(net, "I", 4, "iaf_psc_delta");
    rv_projection  EI;
    rv_probe       V_m;
    results_writer *writer;
    results_provenance made_by = { .command_line = "ranvier run x.lua", .script_path = "x.lua", .script_text = "-- a script\n",
                                   .inhibitory = say_inhibitory, .user = &I.id };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(E), .target = rv_all(I), .rule = "all_to_all",
                                                      .weight = rv_number(0.1), .delay = rv_number(1) }, &EI));
    ENSURE_OK(net, rv_record_spikes(net, I));
    ENSURE_OK(net, rv_record_state(net, (rv_slice){ I, 1, 3, 1 }, "V_m", 0.5, &V_m));
    ENSURE_OK(net, results_writer_open(net, path, &made_by, &writer));
    ENSURE_OK(net, rv_run(net, 100));
    ENSURE_OK(net, rv_record_rate(net, E, 10, NULL)); /* the structure changes with data in the file */
    ENSURE_OK(net, rv_record_weights(net, EI, 50, NULL));
    ENSURE_OK(net, rv_record_state(net, rv_all(I), "V_m", 1, NULL));
    ENSURE_OK(net, rv_run(net, 100));
    double sample[3];
    ENSURE_OK(net, rv_probe_read(net, V_m, 0, 1, NULL, sample));
    for (int i = 0; i < 3; i++) first_sample[i] = (float)sample[i];
    ENSURE_OK(net, results_writer_close(writer));
    rv_net_free(net);
}

static void ensure_spikes_came_back(const results *r)
{
    assert_int_equal(results_spikes_count(r), 2);
    const results_spikes *E = results_spikes_at(r, 0), *I = results_spikes_at(r, 1);
    assert_string_equal(E->name, "E");
    assert_string_equal(I->name, "I");
    assert_int_equal(E->size, N);
    assert_int_equal(I->size, 4);
    assert_false(E->inhibitory);
    assert_true(I->inhibitory);
    ensure_prefix(E, spikes_until(200), "round trip");
    assert_int_equal(E->n, spikes_until(200));
    assert_null(results_spikes_at(r, 2));
}

static void ensure_reports_came_back(const results *r, const float *first_sample)
{
    assert_int_equal(results_report_count(r), 4);
    const results_report *V_m = results_report_at(r, 0), *more = results_report_at(r, 1);
    const results_report *rate = results_report_at(r, 2), *weights = results_report_at(r, 3);
    assert_string_equal(V_m->name, "I");
    assert_string_equal(V_m->variable, "V_m");
    assert_string_equal(V_m->unit, "mV");
    assert_int_equal(V_m->n_times, 400);
    assert_int_equal(V_m->n_columns, 3);
    assert_true(fabs(V_m->start_ms - 0.5) < 1e-9 && V_m->interval_ms == 0.5);
    for (int i = 0; i < 3; i++) assert_int_equal(V_m->columns[i], 1 + i);
    assert_memory_equal(V_m->values, first_sample, 3 * sizeof *first_sample);
    assert_string_equal(more->name, "I.V_m");
    assert_string_equal(more->population, "I");
    assert_int_equal(more->n_times, 100);
    assert_true(more->start_ms > 100);
    assert_int_equal(rate->kind, RV_PROBE_RATE);
    assert_string_equal(rate->population, "E");
    assert_int_equal(rate->n_times, 10);
    assert_int_equal(weights->kind, RV_PROBE_WEIGHTS);
    assert_int_equal(weights->n_columns, N * 4);
    assert_int_equal(weights->n_times, 2);
    for (int k = 0; k < N * 4; k++) assert_true(weights->sources[k] < N && weights->columns[k] < 4);
}

static void test_round_trip(void **state)
{
    (void)state;
    float     first_sample[3];
    hdf5_path path = in_folder("round_trip.h5");
    write_round_trip(path.path, first_sample);
    results *r = read_or_fail(path.path);
    ensure_spikes_came_back(r);
    ensure_reports_came_back(r, first_sample);
    assert_string_equal(results_attribute(r, "version"), RV_VERSION);
    assert_string_equal(results_attribute(r, "seed"), "7");
    assert_string_equal(results_attribute(r, "resolution"), "0.1");
    assert_string_equal(results_attribute(r, "timing"), "grid");
    assert_string_equal(results_attribute(r, "simulated_ms"), "200");
    assert_string_equal(results_attribute(r, "finished"), "1");
    assert_string_equal(results_attribute(r, "command_line"), "ranvier run x.lua");
    assert_string_equal(results_attribute(r, "script"), "-- a script\n");
    assert_null(results_attribute(r, "no such thing"));
    results_free(r);
    assert_int_equal(access(in_folder("round_trip.h5.part").path, F_OK), -1);
}

/* Another program's view: SONATA's names, types and attributes, by h5py. */
static void test_h5py_reads_it(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import h5py' 2>/dev/null") != 0) {
        print_message("h5py is not there, skipped\n");
        skip();
    }
    float     first_sample[3];
    char      command[2048];
    hdf5_path path = in_folder("h5py.h5");
    write_round_trip(path.path, first_sample);
    snprintf(command, sizeof command,
             "/usr/bin/python3 - %s <<'END'\n"
             "import sys, h5py\n"
             "f = h5py.File(sys.argv[1], 'r')\n"
             "assert f.attrs['magic'] == 0x0A7A and list(f.attrs['version']) == [0, 1]\n"
             "s = f['spikes/E']\n"
             "assert s['timestamps'].dtype == 'f8' and s['node_ids'].dtype == 'u8'\n"
             "assert s['timestamps'].attrs['units'].decode() == 'ms' and len(s['timestamps']) == %d\n"
             "t = s.attrs.get_id('sorting').dtype\n"
             "assert h5py.check_enum_dtype(t) == dict(none=0, by_id=1, by_time=2) and s.attrs['sorting'] == 2\n"
             "d = f['report/I/data']; m = f['report/I/mapping']\n"
             "assert d.shape == (400, 3) and d.dtype == 'f4' and d.attrs['units'].decode() == 'mV'\n"
             "assert list(m['node_ids']) == [1, 2, 3] and list(m['index_pointers']) == [0, 1, 2, 3]\n"
             "assert m['index_pointers'] == m['index_pointer'] and len(m['element_ids']) == 3\n"
             "start, stop, step = m['time']\n"
             "assert round((stop - start) / step) == 400 and m['time'].attrs['units'].decode() == 'ms'\n"
             "END\n", path.path, (int)spikes_until(200));
    assert_int_equal(system(command), 0);
}

/* ---- kill -9 -------------------------------------------------------------------------------------------------- */

enum { KILLS = 6, PACE_US = 1000 };

/* What a child says about its progress: the time simulated at each tick of the wall clock. */
typedef struct progress {
    volatile int    ticks;
    volatile double wall[20000], t_ms[20000];
} progress;

static rv_status tick(rv_net *net, double t_ms, void *user)
{
    (void)net;
    progress *p = user;
    p->wall[p->ticks] = wall_clock(), p->t_ms[p->ticks] = t_ms;
    p->ticks++;
    usleep(PACE_US);
    return RV_OK;
}

/* Runs until it is killed; with `restless`, in short runs, and every run records something new. Never returns into
 * the parent's tests. */
static void child_runs(rv_net *net, const char *path, progress *p, bool restless)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    rv_population   I = rv_population_new(net, "I", 3, "iaf_psc_delta");
    results_writer *writer;
    if (rv_record_state(net, rv_all(I), "V_m", 1, NULL) != RV_OK || rv_every(net, 1, tick, p) != RV_OK ||
        results_writer_open(net, path, NULL, &writer) != RV_OK)
        _exit(1);
    for (int i = 0; rv_run(net, restless ? 5 : 10000) == RV_OK; i++)
        if (i < 200 && rv_record_state(net, rv_all(I), "V_m", 1, NULL) != RV_OK) _exit(2);
    _exit(3);
}

static double known_until(const progress *p, double wall)
{
    double t_ms = 0;
    for (int i = 0; i < p->ticks && p->wall[i] <= wall; i++) t_ms = p->t_ms[i];
    return t_ms;
}

static void ensure_readable_by_h5dump(const char *path)
{
    char command[1200];
    if (system("command -v h5dump >/dev/null") != 0) return;
    snprintf(command, sizeof command, "h5dump -d '/spikes/E/timestamps' '%.900s' >/dev/null 2>&1", path);
    if (system(command) != 0) fail_msg("h5dump cannot read %s", path);
}

static void ensure_survived(const char *path, const progress *p, double killed_at)
{
    char   when[128];
    double due = known_until(p, killed_at - 1);
    snprintf(when, sizeof when, "killed after %.0f ms", known_until(p, killed_at));
    results *r = read_or_fail(path);
    assert_string_equal(results_attribute(r, "finished"), "0");
    if (due > 0) assert_int_equal(results_spikes_count(r), 1);
    if (results_spikes_count(r)) {
        ensure_prefix(results_spikes_at(r, 0), spikes_until(due), when);
        assert_true(atof(results_attribute(r, "simulated_ms")) >= due);
        ensure_readable_by_h5dump(path);
    }
    if (due > 0) assert_true(results_report_at(r, 0)->n_times >= (int64_t)due);
    results_free(r);
}

static void test_kill(void **state)
{
    (void)state;
    unsigned  seed = (unsigned)time(NULL) ^ (unsigned)getpid();
    pid_t     child[KILLS];
    progress *p = mmap(NULL, KILLS * sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double    begin = wall_clock(), end[KILLS];
    hdf5_path path[KILLS];
    rv_population E;
    rv_net   *net = make_net(15000, &E); /* a copy for every child */
    print_message("seed of the moments: %u\n", seed);
    for (int i = 0; i < KILLS; i++) {
        char name[32];
        snprintf(name, sizeof name, "killed_%d.h5", i);
        path[i] = in_folder(name);
        end[i] = begin + 0.6 + 0.35 * i + 0.3 * rand_r(&seed) / RAND_MAX;
        fflush(NULL);
        child[i] = fork();
        if (child[i] == 0) child_runs(net, path[i].path, &p[i], i % 3 == 2);
    }
    for (int i = 0; i < KILLS; i++) {
        while (wall_clock() < end[i]) usleep(500);
        double killed_at = wall_clock();
        int    how;
        kill(child[i], SIGKILL);
        waitpid(child[i], &how, 0);
        if (!WIFSIGNALED(how)) fail_msg("the child ended by itself, status %d", WEXITSTATUS(how));
        ensure_survived(path[i].path, &p[i], killed_at);
    }
    munmap(p, KILLS * sizeof *p);
    rv_net_free(net);
}

/* A reader in the same moment: the file is written to by this very process. */
static rv_status read_while_running(rv_net *net, double t_ms, void *path)
{
    results *r;
    rv_error error = {0};
    (void)t_ms;
    if (results_read(path, &r, &error) != RV_OK) return rv_fail(net, RV_FILE_ERROR, "%s", error.text);
    if (results_spikes_count(r)) ensure_prefix(results_spikes_at(r, 0), 0, "while it is written");
    results_free(r);
    return RV_OK;
}

static void test_reading_while_written(void **state)
{
    (void)state;
    rv_population   E;
    rv_net         *net = make_net(100, &E);
    hdf5_path       path = in_folder("live.h5");
    results_writer *writer;
    ENSURE_OK(net, results_writer_open(net, path.path, NULL, &writer));
    ENSURE_OK(net, rv_every(net, 10, read_while_running, path.path));
    for (int i = 0; i < 5; i++) ENSURE_OK(net, rv_run(net, 20));
    pid_t child = fork(); /* and by another process */
    if (child == 0) {
        results *r;
        _exit(results_read(path.path, &r, NULL) == RV_OK && results_spikes_at(r, 0)->n == spikes_until(100) ? 0 : 1);
    }
    int how;
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    ENSURE_OK(net, results_writer_close(writer));
    rv_net_free(net);
    ensure_all_spikes(path.path, 100);
}

/* ---- full disk, bad paths -------------------------------------------------------------------------------------- */

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

/* The disk is full in the second run; with `room_later`, there is room again when the file is closed. */
static void fill_disk(const char *path, bool room_later)
{
    rv_population   E;
    rv_net         *net = make_net(40000, &E);
    results_writer *writer;
    ENSURE_OK(net, results_writer_open(net, path, NULL, &writer));
    ENSURE_OK(net, rv_run(net, 200));
    limit_file_size(1 << 20);
    rv_status status = RV_OK;
    for (int i = 0; i < 39 && status == RV_OK; i++) status = rv_run(net, 1000);
    rv_error error = *rv_net_error(net);
    if (room_later) limit_file_size(RLIM_INFINITY);
    rv_status at_close = results_writer_close(writer);
    double    t_ms = rv_time(net);
    limit_file_size(RLIM_INFINITY);
    rv_net_free(net);

    assert_int_equal(status, RV_FILE_ERROR);
    print_message("%s\n", error.text);
    assert_non_null(strstr(error.text, path));
    assert_non_null(strstr(error.text, "larger than allowed"));
    assert_int_equal(at_close, room_later ? RV_OK : RV_FILE_ERROR);
    if (room_later) ensure_all_spikes(path, t_ms);
}

static void test_full_disk(void **state)
{
    (void)state;
    hdf5_path path = in_folder("full.h5");
    fill_disk(path.path, false);
    results *r = read_or_fail(path.path);
    ensure_prefix(results_spikes_at(r, 0), spikes_until(200), "on a full disk");
    assert_string_equal(results_attribute(r, "finished"), "0");
    results_free(r);
}

static void test_room_again(void **state)
{
    (void)state;
    fill_disk(in_folder("room_again.h5").path, true);
}

/* No room from the beginning: what was at the path stays. */
static void test_full_disk_at_once(void **state)
{
    (void)state;
    rv_population   E;
    hdf5_path       path = in_folder("full_at_once.h5");
    rv_net         *net = make_net(200, &E);
    results_writer *writer;
    ENSURE_OK(net, results_writer_open(net, path.path, NULL, &writer));
    ENSURE_OK(net, rv_run(net, 200));
    ENSURE_OK(net, results_writer_close(writer));
    for (int bytes = 0; bytes < 4000; bytes += 500) {
        limit_file_size((rlim_t)bytes);
        rv_status status = results_writer_open(net, path.path, NULL, &writer);
        limit_file_size(RLIM_INFINITY);
        assert_int_equal(status, RV_FILE_ERROR);
        assert_null(writer);
    }
    rv_net_free(net);
    ensure_all_spikes(path.path, 200);
    assert_int_equal(access(in_folder("full_at_once.h5.part").path, F_OK), -1);
}

static void ensure_refused(rv_net *net, const char *path, const char *reason)
{
    results_writer *writer;
    assert_int_equal(results_writer_open(net, path, NULL, &writer), RV_FILE_ERROR);
    assert_null(writer);
    const char *text = rv_net_error(net)->text;
    if (!strstr(text, path) || !strstr(text, reason)) fail_msg("expected %s and \"%s\" in: %s", path, reason, text);
}

static void test_bad_paths(void **state)
{
    (void)state;
    rv_population E;
    rv_net       *net = make_net(10, &E);
    ensure_refused(net, folder, "is a folder");
    ensure_refused(net, "/no/such/folder/x.h5", "its folder does not exist");
    ensure_refused(net, "/dev/null", "is not an ordinary file");
    ensure_refused(net, "", "has no name");
    if (geteuid() != 0) ensure_refused(net, "/x.h5", "no permission");
    rv_net_free(net);
}

/* The older file stays until the new one has begun, a link stays a link. */
static void test_replaces_an_older_file(void **state)
{
    (void)state;
    hdf5_path path = in_folder("older.h5"), link = in_folder("link.h5");
    FILE     *older = fopen(path.path, "w");
    fputs("something else", older);
    fclose(older);
    assert_int_equal(symlink(path.path, link.path), 0);
    rv_population   E;
    rv_net         *net = make_net(30, &E);
    results_writer *writer;
    struct stat     about;
    ENSURE_OK(net, results_writer_open(net, link.path, NULL, &writer));
    ENSURE_OK(net, rv_run(net, 30));
    ENSURE_OK(net, results_writer_close(writer));
    rv_net_free(net);
    assert_int_equal(results_writer_close(NULL), RV_OK);
    assert_true(lstat(link.path, &about) == 0 && S_ISLNK(about.st_mode));
    ensure_all_spikes(path.path, 30);
}

/* ---- other people's files -------------------------------------------------------------------------------------- */

static void begin_file(const char *path, hdf5_file *f)
{
    if (hdf5_create(path, f) != RV_OK) fail_msg("%s", f->error.text);
}

#define ENSURE(f, call)                                                     \
    do {                                                                    \
        if ((call) != RV_OK) fail_msg("%s: %s", #call, (f)->error.text);    \
    } while (0)

/* gids, no population, seconds, unsorted: equal times keep the file's order. */
static void test_old_spikes(void **state)
{
    (void)state;
    hdf5_file     f = {0};
    hdf5_path     path = in_folder("old.h5");
    const double  t[] = { 0.003, 0.001, 0.002, 0.001 };
    const int32_t gid[] = { 4, 9, 5, 2 };
    begin_file(path.path, &f);
    ENSURE(&f, hdf5_write(&f, "/spikes/timestamps", HDF5_F64, t, 4));
    ENSURE(&f, hdf5_set_text(&f, "/spikes/timestamps", "units", "s"));
    ENSURE(&f, hdf5_write(&f, "/spikes/gids", HDF5_I32, gid, 4));
    ENSURE(&f, hdf5_set_text(&f, "/spikes", "sorting", "time"));
    ENSURE(&f, hdf5_close(&f));
    results              *r = read_or_fail(path.path);
    const results_spikes *s = results_spikes_at(r, 0);
    const double          expected_ms[] = { 1, 1, 2, 3 };
    const int64_t         expected_gid[] = { 9, 2, 5, 4 };
    assert_int_equal(s->n, 4);
    assert_int_equal(s->size, 10);
    assert_string_equal(s->name, "spikes");
    for (int i = 0; i < 4; i++) assert_true(fabs(s->times_ms[i] - expected_ms[i]) < 1e-12);
    assert_memory_equal(s->neurons, expected_gid, sizeof expected_gid);
    results_free(r);
}

/* f64 data, index_pointer in the singular, a node with two columns. */
static void test_foreign_report(void **state)
{
    (void)state;
    hdf5_file     f = {0};
    hdf5_path     path = in_folder("report.h5");
    const double  data[] = { 1, 2, 3, 4, 5, 6 }, time[] = { 0, 0.2, 0.1 };
    const int64_t nodes[] = { 7, 3 }, pointers[] = { 0, 2, 3 };
    begin_file(path.path, &f);
    ENSURE(&f, hdf5_make_table(&f, "/report/v1/data", HDF5_F64, 3));
    ENSURE(&f, hdf5_append(&f, "/report/v1/data", HDF5_F64, data, 2));
    ENSURE(&f, hdf5_set_text(&f, "/report/v1/data", "variable", "v"));
    ENSURE(&f, hdf5_write(&f, "/report/v1/mapping/time", HDF5_F64, time, 3));
    ENSURE(&f, hdf5_write(&f, "/report/v1/mapping/gids", HDF5_I64, nodes, 2));
    ENSURE(&f, hdf5_write(&f, "/report/v1/mapping/index_pointer", HDF5_I64, pointers, 3));
    ENSURE(&f, hdf5_close(&f));
    results              *r = read_or_fail(path.path);
    const results_report *report = results_report_at(r, 0);
    const int64_t         expected[] = { 7, 7, 3 };
    assert_int_equal(report->n_times, 2);
    assert_int_equal(report->n_columns, 3);
    assert_memory_equal(report->columns, expected, sizeof expected);
    assert_string_equal(report->variable, "v");
    assert_string_equal(report->population, "v1");
    for (int i = 0; i < 6; i++) assert_true(report->values[i] == (float)data[i]);
    results_free(r);
}

static void ensure_sentence(const char *path, const char *reason)
{
    results *r;
    rv_error error = {0};
    assert_int_not_equal(results_read(path, &r, &error), RV_OK);
    assert_null(r);
    if (!strstr(error.text, path) || !strstr(error.text, reason))
        fail_msg("expected %s and \"%s\" in: %s", path, reason, error.text);
}

/* A pair of lists that is wrong in one way. */
static void ensure_spikes_refused(const char *name, const double *t, int64_t n_t, const int64_t *id, int64_t n_id,
                                  const char *units, const char *reason)
{
    hdf5_file f = {0};
    hdf5_path path = in_folder(name);
    begin_file(path.path, &f);
    ENSURE(&f, hdf5_write(&f, "/spikes/E/timestamps", HDF5_F64, t, n_t));
    ENSURE(&f, hdf5_set_text(&f, "/spikes/E/timestamps", "units", units));
    ENSURE(&f, hdf5_write(&f, "/spikes/E/node_ids", HDF5_I64, id, n_id));
    ENSURE(&f, hdf5_close(&f));
    ensure_sentence(path.path, reason);
}

static void test_wrong_contents(void **state)
{
    (void)state;
    const double  t[] = { 1, 2, 3 }, nan_t[] = { 1, NAN, 3 };
    const int64_t id[] = { 0, 1, 2 }, negative[] = { 0, -1, 2 }, huge[] = { 0, INT64_MAX, 2 };
    ensure_spikes_refused("lengths.h5", t, 3, id, 2, "ms", "3 times and 2 neurons");
    ensure_spikes_refused("nan.h5", nan_t, 3, id, 3, "ms", "spike 1 is not a number");
    ensure_spikes_refused("negative.h5", t, 3, negative, 3, "ms", "spike 1 is of neuron -1");
    ensure_spikes_refused("huge.h5", t, 3, huge, 3, "ms", "spike 1 is of neuron");
    ensure_spikes_refused("fortnights.h5", t, 3, id, 3, "fortnights", "known are ms and s");
    hdf5_file f = {0};
    begin_file(in_folder("nothing.h5").path, &f);
    ENSURE(&f, hdf5_close(&f));
    ensure_sentence(in_folder("nothing.h5").path, "no results");
    ensure_sentence(in_folder("missing.h5").path, "no such file");
    ensure_sentence(folder, "is a folder");
    ensure_sentence("/dev/null", "not an ordinary file");
    FILE *text = fopen(in_folder("text.h5").path, "w");
    for (int i = 0; i < 100; i++) fputs("something else ", text);
    fclose(text);
    ensure_sentence(in_folder("text.h5").path, "not an HDF5 file");
    assert_int_equal(truncate(in_folder("text.h5").path, 0), 0);
    ensure_sentence(in_folder("text.h5").path, "is empty");
}

static void ensure_population(const results *r, int index, const char *name, int64_t n)
{
    const results_spikes *s = results_spikes_at(r, index);
    assert_non_null(s);
    assert_string_equal(s->name, name);
    assert_int_equal(s->n, n);
    for (int64_t i = 1; i < n; i++) assert_true(s->times_ms[i - 1] <= s->times_ms[i]);
}

/* The files of the SONATA repositories, where the specification sheets are at hand. */
static void test_sonata_examples(void **state)
{
    (void)state;
    if (access(SHARED, F_OK) != 0) {
        print_message("%s is not there, skipped\n", SHARED);
        skip();
    }
    results *r = read_or_fail(SHARED "aibs/reader_tests/spike_files/spikes.multipop.h5");
    ensure_population(r, 0, "lgn", 123356);
    ensure_population(r, 1, "tw", 21078);
    results_free(r);
    r = read_or_fail(SHARED "aibs/reader_tests/spike_files/spikes.old.h5");
    ensure_population(r, 0, "spikes", 124);
    results_free(r);
    r = read_or_fail(SHARED "aibs/reader_tests/spike_files/spikes.one_pop.h5");
    ensure_population(r, 0, "v1", 124);
    results_free(r);
    r = read_or_fail(SHARED "aibs/examples/300_intfire/output/spikes.h5");
    ensure_population(r, 0, "v1", 4322);
    results_free(r);
    r = read_or_fail(SHARED "libsonata/tests_data/spikes.h5");
    assert_int_equal(results_spikes_count(r), 4);
    ensure_population(r, 1, "empty", 0);
    results_free(r);
    r = read_or_fail(SHARED "bmtk/reader_tests/report/spikes.h5");
    ensure_population(r, 0, "v1", 532);
    results_free(r);
    r = read_or_fail(SHARED "bmtk/reader_tests/report/membrane_potential.h5");
    assert_int_equal(results_report_at(r, 0)->n_times, 30000);
    assert_int_equal(results_report_at(r, 0)->n_columns, 1);
    results_free(r);
    r = read_or_fail(SHARED "libsonata/tests_data/elements.h5");
    assert_true(results_report_count(r) > 0);
    results_free(r);
}

/* ---- damage ---------------------------------------------------------------------------------------------------- */

enum { VARIANTS = 300 };

static uint8_t *load_bytes(const char *path, long *n)
{
    FILE *file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    *n = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc((size_t)*n);
    assert_int_equal(fread(bytes, 1, (size_t)*n, file), *n);
    fclose(file);
    return bytes;
}

static void store_bytes(const char *path, const uint8_t *bytes, long n)
{
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(bytes, 1, (size_t)n, file), n);
    fclose(file);
}

/* Whatever was damaged: results or a sentence that names the file. @return whether there were results */
static bool read_damaged(const char *path)
{
    results  *r;
    rv_error  error = {0};
    rv_status status = results_read(path, &r, &error);
    results_free(r);
    if (status != RV_OK) assert_true(strstr(error.text, "file \"") && strlen(error.text) > 20);
    return status == RV_OK;
}

static void test_damaged_files(void **state)
{
    (void)state;
    float     first_sample[3];
    long      n;
    unsigned  seed = (unsigned)time(NULL);
    int       read = 0;
    hdf5_path whole = in_folder("whole.h5"), damaged = in_folder("damaged.h5");
    print_message("seed of the damages: %u\n", seed);
    write_round_trip(whole.path, first_sample);
    uint8_t *bytes = load_bytes(whole.path, &n);
    for (int i = 0; i < VARIANTS; i++) {
        uint8_t *copy = malloc((size_t)n);
        memcpy(copy, bytes, (size_t)n);
        long length = i % 4 == 0 ? rand_r(&seed) % n : n;
        long reach = i % 4 == 1 ? n : 8192; /* most of the structure is at the beginning */
        for (int k = 0; i % 4 && k < 1 + i % 5; k++)
            copy[rand_r(&seed) % reach % n] ^= (uint8_t)(1 << rand_r(&seed) % 8);
        store_bytes(damaged.path, copy, length);
        free(copy);
        read += read_damaged(damaged.path);
    }
    free(bytes);
    print_message("%d of %d damaged files could still be read\n", read, VARIANTS);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_results_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_h5py_reads_it),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_reading_while_written),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_room_again),
        cmocka_unit_test(test_full_disk_at_once),
        cmocka_unit_test(test_bad_paths),
        cmocka_unit_test(test_replaces_an_older_file),
        cmocka_unit_test(test_old_spikes),
        cmocka_unit_test(test_foreign_report),
        cmocka_unit_test(test_wrong_contents),
        cmocka_unit_test(test_sonata_examples),
        cmocka_unit_test(test_damaged_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
