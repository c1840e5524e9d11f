/* Checkpoints as files: what is loaded goes on as if nothing had been; whatever happened to a file, there is a sentence and no
 * crash; the old file stays until the new one is whole; and the script's calls. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/checkpoint.h"
#include "io/checkpoint_seal.h"
#include "sim/random.h"
#include "sim/statistics.h"
#include "tests/support/any_net.h"
#include "tests/support/script_run.h"

enum { SEAL = 64 };

static char folder[] = "/tmp/ranvier_checkpoint_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[4][128];
    static int  next;
    char       *text = path[next++ % 4];
    snprintf(text, sizeof path[0], "%s/%s", folder, name);
    return text;
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
    char command[160];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void must(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

static rv_net *load(const char *path, int threads)
{
    rv_net  *net;
    rv_error error;
    if (checkpoint_load(path, threads, &net, NULL, &error) != RV_OK) fail_msg("%s", error.text);
    return net;
}

static uint64_t hash_of(rv_net *net)
{
    uint64_t hash = 0;
    for (int p = 1; p <= rv_population_count(net); p++) {
        int64_t n = rv_spike_count(net, (rv_population){ p }), *neurons = malloc(((size_t)n + 1) * sizeof *neurons);
        double *times = malloc(((size_t)n + 1) * sizeof *times);
        must(net, rv_spike_read(net, (rv_population){ p }, 0, n, times, neurons));
        hash += rv_spike_hash(rv_population_name(net, (rv_population){ p }), times, neurons, n);
        free(times), free(neurons);
    }
    return hash;
}

static char *read_bytes(const char *path, size_t *n)
{
    struct stat about;
    FILE       *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &about) != 0) fail_msg("%s cannot be read", path);
    char *bytes = malloc((size_t)about.st_size + 1);
    *n = fread(bytes, 1, (size_t)about.st_size, file);
    fclose(file);
    return bytes;
}

static void write_bytes(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) fail_msg("%s cannot be written", path);
}

/* Refused with a sentence that names the file. @return the sentence */
static const char *must_refuse(const char *path)
{
    static rv_error error;
    rv_net         *net;
    error = (rv_error){ 0 };
    if (checkpoint_load(path, 1, &net, NULL, &error) == RV_OK) fail_msg("%s was loaded, expected it to be refused", path);
    if (net || !strstr(error.text, path)) fail_msg("refused with \"%s\", expected a sentence about %s", error.text, path);
    return error.text;
}

/* ---- there and back ------------------------------------------------------------------------------------------------- */

static void test_files_go_on(void **state)
{
    (void)state;
    for (uint64_t seed = 900; seed < 925; seed++) {
        double      duration;
        const char *path = in_folder("x.h5");
        rv_net     *net = any_net(seed, 2, &duration);
        double      some = rv_resolution(net) * (double)(int64_t)(duration / rv_resolution(net) / 3);
        must(net, rv_run(net, some));
        must(net, checkpoint_save(net, path, NULL));
        rv_net *loaded = load(path, 1 + (int)(seed % 3));
        must(net, rv_run(net, duration - some)), must(loaded, rv_run(loaded, duration - some));
        if (hash_of(net) != hash_of(loaded)) fail_msg("network %llu goes on differently", (unsigned long long)seed);
        rv_net_free(net), rv_net_free(loaded);
    }
}

static rv_net *small_net(void)
{
    double  duration;
    rv_net *net = any_net(907, 2, &duration);
    must(net, rv_run(net, rv_resolution(net) * 100));
    return net;
}

static void test_notes(void **state)
{
    (void)state;
    rv_net          *net = small_net(), *loaded;
    const char      *path = in_folder("notes.h5");
    int              n = rv_population_count(net);
    checkpoint_note  given[10] = { { 12.5, 1, -3, { 4, 3, 2 } } };
    checkpoint_notes notes = { .command_line = "ranvier run x.lua", .script = "-- a script", .left_out = "net:every(10)", .population = given, .n_populations = n }, found;
    char            *text;
    rv_error         error;
    must(net, checkpoint_save(net, path, &notes));
    assert_int_equal(checkpoint_load(path, 1, &loaded, &found, &error), RV_OK);
    assert_string_equal(found.command_line, notes.command_line);
    assert_string_equal(found.script, notes.script);
    assert_string_equal(found.left_out, notes.left_out);
    assert_null(found.script_path);
    assert_int_equal(found.n_populations, n);
    assert_memory_equal(&found.population[0], &given[0], sizeof given[0]);
    assert_int_equal(checkpoint_describe(path, false, &text, &error), RV_OK);
    assert_non_null(strstr(text, "population     P1: "));
    assert_non_null(strstr(text, "left out       net:every(10)"));
    free(text);
    assert_int_equal(checkpoint_describe(path, true, &text, &error), RV_OK);
    assert_string_equal(text, "-- a script");
    free(text);
    checkpoint_notes_free(&found);
    rv_net_free(net), rv_net_free(loaded);
}

static void test_names(void **state)
{
    (void)state;
    static const char *const table[][2] = { { "x.h5", "x.checkpoint.h5" }, { "a.b/model.lua", "a.b/model.checkpoint.h5" }, { "a.b/model", "a.b/model.checkpoint.h5" },
                                            { "x.checkpoint.h5", "x.checkpoint.h5" }, { ".h5", ".h5.checkpoint.h5" } };
    for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
        char text[100];
        assert_string_equal(checkpoint_name(table[k][0], text, sizeof text), table[k][1]);
    }
}

/* ---- what happens to files ------------------------------------------------------------------------------------------- */

static void test_cut_off(void **state)
{
    (void)state;
    rv_net     *net = small_net();
    const char *path = in_folder("whole.h5"), *cut = in_folder("cut.h5");
    size_t      n;
    must(net, checkpoint_save(net, path, NULL));
    char *bytes = read_bytes(path, &n);
    assert_true(checkpoint_is_file(path));
    for (size_t k = 0; k < n; k += k < 200 || n - k <= 200 ? 1 : n - k < 4296 ? n - k - 200 : 4096) {
        write_bytes(cut, bytes, k);
        must_refuse(cut);
        assert_false(checkpoint_is_file(cut));
    }
    free(bytes);
    rv_net_free(net);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    rv_net     *net = small_net();
    const char *path = in_folder("whole.h5"), *flipped = in_folder("flipped.h5");
    rv_random   random = random_stream(1, RANDOM_USER, 10, 0);
    size_t      n;
    must(net, checkpoint_save(net, path, NULL));
    char *bytes = read_bytes(path, &n);
    for (int k = 0; k < 500; k++) {
        size_t at = k < 64 ? n - SEAL + (size_t)k : random_below(&random, n);
        char   bit = (char)(1 << random_below(&random, 8));
        bytes[at] ^= bit;
        write_bytes(flipped, bytes, n);
        must_refuse(flipped);
        bytes[at] ^= bit;
    }
    free(bytes);
    rv_net_free(net);
}

/* Bits that somebody flipped and sealed: the file may be read as far as it makes sense, and may not crash. */
static void test_sealed_damage(void **state)
{
    (void)state;
    rv_net     *net = small_net();
    const char *path = in_folder("whole.h5"), *damaged = in_folder("damaged.h5");
    rv_random   random = random_stream(2, RANDOM_USER, 10, 0);
    int         refused = 0, n_tries = getenv("RV_CHECKPOINT_TRIES") ? atoi(getenv("RV_CHECKPOINT_TRIES")) : 150;
    size_t      n;
    must(net, checkpoint_save(net, path, NULL));
    char *bytes = read_bytes(path, &n);
    for (int k = 0; k < n_tries; k++) {
        size_t   at = random_below(&random, n - SEAL);
        char     bit = (char)(1 << random_below(&random, 8));
        rv_net  *loaded;
        rv_error error;
        bytes[at] ^= bit;
        write_bytes(damaged, bytes, n - SEAL);
        assert_int_equal(checkpoint_seal(damaged), 0);
        bytes[at] ^= bit;
        if (checkpoint_load(damaged, 1, &loaded, NULL, &error) != RV_OK) refused++;
        else rv_run(loaded, 3 * rv_resolution(loaded)), rv_net_free(loaded);
    }
    printf("%d of %d files with a wrong bit and a right checksum were refused\n", refused, n_tries);
    assert_true(refused > n_tries / 10);
    free(bytes);
    rv_net_free(net);
}

static void test_other_files(void **state)
{
    (void)state;
    const char *text = in_folder("text.h5"), *results = in_folder("results.h5");
    rv_net     *net = small_net();
    results_writer *writer;
    write_bytes(text, "no HDF5", 7);
    assert_non_null(strstr(must_refuse(text), "is not a checkpoint, or one that was cut off"));
    must(net, results_writer_open(net, results, NULL, &writer));
    must(net, results_writer_close(writer));
    assert_non_null(strstr(must_refuse(results), "is not a checkpoint, or one that was cut off"));
    assert_int_equal(checkpoint_seal(results), 0);
    assert_non_null(strstr(must_refuse(results), "is not a checkpoint"));
    assert_non_null(strstr(must_refuse(in_folder("nowhere.h5")), "No such file or directory"));
    assert_non_null(strstr(must_refuse(folder), "is not a checkpoint"));
    rv_net_free(net);
}

/* The old file stays when the disk is full, and nothing is left beside it. */
static void test_full_disk(void **state)
{
    (void)state;
    rv_net       *net = small_net();
    const char   *path = in_folder("full.h5");
    struct rlimit before, small;
    must(net, checkpoint_save(net, path, NULL));
    uint64_t hash = hash_of(net);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){ 100000, before.rlim_max };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    rv_status status = checkpoint_save(net, path, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(status, RV_FILE_ERROR);
    assert_non_null(strstr(rv_net_error(net)->text, "full.h5"));
    assert_int_equal(access(in_folder("full.h5.part"), F_OK), -1);
    rv_net *loaded = load(path, 1);
    assert_true(hash_of(loaded) == hash);
    assert_int_equal(checkpoint_save(net, in_folder("no/where.h5"), NULL), RV_FILE_ERROR);
    rv_net_free(net), rv_net_free(loaded);
}

/* ---- scripts --------------------------------------------------------------------------------------------------------- */

#define NETWORK                                                                                                                  \
    "local rv = require 'ranvier'\n"                                                                                             \
    "local function make()\n"                                                                                                    \
    "  local net = rv.network { seed = 4 }\n"                                                                                    \
    "  local E = net:population('E', 60, 'iaf_psc_delta', { V_m = rv.uniform(-70, -60) }, { inhibitory = true })\n"              \
    "  net:connect(E, E, { rule = 'fixed_indegree', indegree = 6 }, { weight = 2, delay = 1.5, plasticity = 'stdp', Wmax = 8 })\n" \
    "  net:poisson(E, { rate = 3000, weight = 1 })\n"                                                                            \
    "  net:run(10)\n"                                                                                                            \
    "  net:record(E, 'spikes')\n"                                                                                                \
    "  net:record(E, 'rate', { bin = 5 })\n"                                                                                     \
    "  return net, E\n"                                                                                                          \
    "end\n"

static script_outcome run_text(const char *text)
{
    char path[200], all[4000];
    snprintf(path, sizeof path, "local path = '%s'\n", in_folder("script.h5"));
    int n = snprintf(all, sizeof all, "%s%s%s", path, NETWORK, text);
    return script_run_text(all, (size_t)n, NULL);
}

static void test_script(void **state)
{
    (void)state;
    script_outcome o = run_text("local a, E = make()\n"
                                "a:run(100)\n"
                                "assert(a:save(path) == a)\n"
                                "a:run(100)\n"
                                "local b = rv.load(path, { threads = 1 })\n"
                                "assert(b:time() == 110 and b.seed == 4)\n"
                                "local F = b:find('E')\n"
                                "assert(#F == 60 and F.model == 'iaf_psc_delta')\n"
                                "b:run(100)\n"
                                "assert(a:hash() == b:hash() and E:count() > 50)\n"
                                "assert(E:rate() == F:rate() and E:cv() == F:cv())\n"
                                "local v, w = E:get('V_m'), F:get('V_m')\n"
                                "for i = 1, 60 do assert(v[i] == w[i]) end\n"
                                "v, w = a:find('E', 'E'):weights(), b:find('E', 'E'):weights()\n"
                                "assert(#v == 360 and #w == 360)\n"
                                "for i = 1, 360 do assert(v[i] == w[i]) end\n");
    if (o.status != RV_OK) fail_msg("%s", o.message);
}

/* Saved from a callback, which is not in the file; and what learning made of the weights. */
static void test_script_callbacks(void **state)
{
    (void)state;
    script_outcome o = run_text("local a, E = make()\n"
                                "local calls = 0\n"
                                "a:at(60, function() a:save(path) end)\n"
                                "a:every(20, function() calls = calls + 1 end)\n"
                                "a:run(100)\n"
                                "assert(calls == 5)\n"
                                "local b = rv.load(path)\n"
                                "assert(b:time() == 60)\n"
                                "b:run(50)\n"
                                "assert(a:hash() == b:hash() and calls == 5)\n");
    if (o.status != RV_OK) fail_msg("%s", o.message);
}

static void must_say(const char *text, const char *expected)
{
    script_outcome o = run_text(text);
    if (o.status == RV_OK || !strstr(o.message, expected)) fail_msg("expected \"%s\", got \"%s\"", expected, o.message);
}

static void test_script_errors(void **state)
{
    (void)state;
    must_say("rv.load('nowhere.h5')", "rv.load: cannot read \"nowhere.h5\": No such file or directory");
    must_say("rv.load(3)", "rv.load: the file");
    must_say("rv.load(path, { treads = 1 })", "threads");
    must_say("rv.load(path, { threads = -1 })", "threads = -1, allowed are whole numbers from 0");
    must_say("make():find('E', 'F')", "net:find: no population \"F\"");
    must_say("local a = make()\na:save(path)\nlocal b = rv.load(path)\nb:connect(b:find('E'), b:find('E'), { rule = 'one_to_one' })",
             "network: projections can be added before the first run only");
    must_say("make():save('x.txt')", ".h5");
    must_say("make():save('/nowhere/x.h5')", "/nowhere/x.h5");
}

/* ranvier run x.h5 --out y.h5: the results begin at the checkpoint. */
static void test_results_from_there_on(void **state)
{
    (void)state;
    script_outcome o = run_text("local a = make()\na:run(90)\na:save(path)\na:run(60)\n");
    if (o.status != RV_OK) fail_msg("%s", o.message);
    char text[300];
    int  n = snprintf(text, sizeof text, "require 'ranvier'.load('%s'):run(60)", in_folder("script.h5"));
    const script_options options = { .quiet = true, .out = in_folder("rest.h5") };
    o = script_run_text(text, (size_t)n, &options);
    if (o.status != RV_OK) fail_msg("%s", o.message);
    results *r;
    rv_error error;
    if (results_read(in_folder("rest.h5"), &r, &error) != RV_OK) fail_msg("%s", error.text);
    const results_spikes *spikes = results_spikes_at(r, 0);
    const results_report *rate = results_report_at(r, 0);
    assert_true(spikes->n > 20 && spikes->times_ms[0] > 100 && spikes->times_ms[spikes->n - 1] <= 160);
    assert_true(spikes->inhibitory);
    assert_true(rate->start_ms == 105 && rate->n_times == 12);
    results_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_go_on),   cmocka_unit_test(test_notes),       cmocka_unit_test(test_names),
        cmocka_unit_test(test_cut_off),       cmocka_unit_test(test_flipped_bits), cmocka_unit_test(test_sealed_damage),
        cmocka_unit_test(test_other_files),   cmocka_unit_test(test_full_disk),   cmocka_unit_test(test_script),
        cmocka_unit_test(test_script_callbacks), cmocka_unit_test(test_script_errors), cmocka_unit_test(test_results_from_there_on),
    };
    if (getenv("RV_CHECKPOINT_TEST")) cmocka_set_test_filter(getenv("RV_CHECKPOINT_TEST"));
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
