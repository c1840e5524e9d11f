/* The examples as their readers run them: through the command, with check=1, and hello.c through a compiler.
 *
 * The command is $RANVIER (build/ranvier). One thread each: the machine may be busy with other tests. The longest of them
 * is skipped under a sanitizer, which makes it ten times slower. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED "-fsanitize=address,undefined "
#else
#define SANITIZED ""
#endif

static char command[512], build[512], root[512], folder[] = "/tmp/ranvier_examples_XXXXXX";
static char output[1 << 16]; /* of the last run, both streams */

/* ---- running -------------------------------------------------------------------------------------------------- */

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char    line[2048], both[2100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(both, sizeof both, "{ %s; } 2>&1", line);
    FILE *pipe = popen(both, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = 0;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Runs an example from an empty folder; its exit status must be the one given. */
static void run(const char *arguments, int expected)
{
    int status = shell("cd %s && %s run %s/examples/%s --threads 1", folder, command, root, arguments);
    if (status != expected) fail_msg("examples/%s: exit status %d, expected %d; it said:\n%s", arguments, status, expected, output);
}

static void expect_output(const char *text)
{
    if (!strstr(output, text)) fail_msg("expected \"%s\" in:\n%s", text, output);
}

/* Passes its own checks, and says so. */
static void passes(const char *arguments)
{
    run(arguments, 0);
    expect_output("passed");
}

/* A check fails: its sentence and exit status 1. */
static void fails(const char *arguments)
{
    run(arguments, 1);
    expect_output("check failed");
}

/* Stops at the time it was given, whichever way, and writes no file unasked. */
static void honours_time(const char *name)
{
    char line[256];
    snprintf(line, sizeof line, "%s.lua --time 25", name);
    run(line, 0);
    if (!strstr(output, "25 ms simulated") && !strstr(output, "2 networks, 50 ms simulated")) fail_msg("--time 25, got:\n%s", output);
    snprintf(line, sizeof line, "%s.lua time=20", name);
    run(line, 0);
    if (!strstr(output, "20 ms simulated") && !strstr(output, "2 networks, 40 ms simulated")) fail_msg("time=20, got:\n%s", output);
}

static void draws(const char *arguments)
{
    static const unsigned char signature[8] = { 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n' };
    unsigned char              begin[8] = { 0 };
    char                       line[512], path[256];
    snprintf(path, sizeof path, "%s/figure.png", folder);
    remove(path);
    snprintf(line, sizeof line, "%s figure=%s", arguments, path);
    run(line, 0);
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("examples/%s wrote no figure; it said:\n%s", arguments, output);
    assert_int_equal(fread(begin, 1, 8, file), 8);
    fclose(file);
    assert_memory_equal(begin, signature, 8);
}

/* ---- the examples --------------------------------------------------------------------------------------------- */

static void test_hello(void **state)
{
    (void)state;
    passes("hello.lua check=1");
    passes("hello.lua check=1 time=100");
    fails("hello.lua check=1 current=600");
    fails("hello.lua check=1 time=60"); /* nothing to check yet */
    honours_time("hello");
    draws("hello.lua");
}

static void test_stdp_window(void **state)
{
    (void)state;
    passes("stdp_window.lua check=1");
    fails("stdp_window.lua check=1 tau_plus=19");
    fails("stdp_window.lua check=1 time=100"); /* before the pairs are complete */
    honours_time("stdp_window");
    draws("stdp_window.lua");
}

static void test_tsodyks_1998(void **state)
{
    (void)state;
    passes("tsodyks_1998.lua check=1");
    fails("tsodyks_1998.lua check=1 time=1000"); /* not stationary yet */
    honours_time("tsodyks_1998");
    draws("tsodyks_1998.lua time=1500");
}

static void test_morrison_2007(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    passes("morrison_2007.lua check=1 time=300");
    fails("morrison_2007.lua check=1 time=100");
    draws("morrison_2007.lua time=30 inputs=900");
}

/* The circuit that is shipped, and one that the script writes anew, give the spikes of the script. */
static void test_sonata(void **state)
{
    (void)state;
    char line[512];
    snprintf(line, sizeof line, "sonata.lua check=1 folder=%s/circuit", folder);
    passes(line);
    honours_time("sonata");
    draws("sonata.lua");
    const char *circuits[] = { folder, root };
    for (int k = 0; k < 2; k++) {
        int status = shell("cd %s && %s run %s/%s/config.json --threads 1 output_dir=%s/circuit", folder, command, circuits[k], k ? "examples/sonata" : "circuit", folder);
        if (status) fail_msg("exit status %d:\n%s", status, output);
        expect_output("80 neurons         1083 spikes");
        expect_output("20 neurons          259 spikes");
    }
    shell("rm -r %s/circuit", folder);
}

static void test_fi_curve(void **state)
{
    (void)state;
    passes("fi_curve.lua check=1");
    passes("fi_curve.lua check=1 resolution=0.1 time=100");
    fails("fi_curve.lua check=1 --timing grid");
    honours_time("fi_curve");
    draws("fi_curve.lua");
}

static void test_brunel_2000(void **state)
{
    (void)state;
    passes("brunel_2000.lua check=1 time=400");
    fails("brunel_2000.lua check=1 time=50");
    honours_time("brunel_2000");
    draws("brunel_2000.lua time=50");
    run("brunel_2000.lua regime=XX", 1);
    expect_output("SR, SIfast, AI and SIslow");
}

/* What tells the regimes apart: with the parameters of one, the checks of another fail. */
static void test_regimes_of_brunel_2000(void **state)
{
    (void)state;
    if (SANITIZED[0]) skip();
    passes("brunel_2000.lua check=1 regime=SR time=400");
    passes("brunel_2000.lua check=1 regime=SIfast time=600");
    passes("brunel_2000.lua check=1 regime=SIslow time=1000");
    fails("brunel_2000.lua check=1 regime=AI g=4.5 time=400");
    fails("brunel_2000.lua check=1 regime=SIfast g=5 time=400");
}

static void test_quantise(void **state)
{
    (void)state;
    passes("quantise.lua check=1 time=50");
    draws("quantise.lua time=10");
}

static void test_vogels_abbott_2005(void **state)
{
    (void)state;
    passes("vogels_abbott_2005.lua check=1");
    fails("vogels_abbott_2005.lua check=1 time=500 scale=2");
    honours_time("vogels_abbott_2005");
    draws("vogels_abbott_2005.lua time=50");
    run("vogels_abbott_2005.lua benchmark=5", 1);
    expect_output("there are 1 to 4");
}

static void test_benchmark_1(void **state)
{
    (void)state;
    passes("vogels_abbott_2005.lua benchmark=1 check=1");
    fails("vogels_abbott_2005.lua benchmark=1 check=1 time=300 scale=0.5"); /* falls silent */
}

static void test_aeif_patterns(void **state)
{
    (void)state;
    passes("aeif_patterns.lua check=1");
    passes("aeif_patterns.lua check=1 --timing exact");
    fails("aeif_patterns.lua check=1 scale=0.7");
    honours_time("aeif_patterns");
    draws("aeif_patterns.lua time=100");
}

static void test_benchmark_4(void **state)
{
    (void)state;
    passes("vogels_abbott_2005.lua benchmark=4 check=1 time=600");
    expect_output("0 of ");
    passes("vogels_abbott_2005.lua benchmark=4 check=1 time=600 --timing grid");
    fails("vogels_abbott_2005.lua benchmark=4 check=1 time=300 scale=2");
}

static void test_izhikevich_2003(void **state)
{
    (void)state;
    passes("izhikevich_2003.lua check=1");
    fails("izhikevich_2003.lua check=1 scale=2");
    fails("izhikevich_2003.lua check=1 time=100");
    honours_time("izhikevich_2003");
    draws("izhikevich_2003.lua time=100");
}

static void test_vogels_2011(void **state)
{
    (void)state;
    if (SANITIZED[0]) skip();
    passes("vogels_2011.lua check=1 time=20000");
    fails("vogels_2011.lua check=1 time=10000 eta=0.01"); /* the weights have not grown yet */
    honours_time("vogels_2011");
    draws("vogels_2011.lua time=200");
}

static void test_song_2000(void **state)
{
    (void)state;
    honours_time("song_2000");
    draws("song_2000.lua time=1000");
    if (SANITIZED[0]) skip();
    passes("song_2000.lua check=1 resolution=1");
    fails("song_2000.lua check=1 learning=20 time=30000 resolution=1"); /* chance moves the weights, too */
}

/* Its check takes ten minutes of the network's time: here the example only has to run. */
static void test_izhikevich_2007(void **state)
{
    (void)state;
    fails("izhikevich_2007.lua check=1 time=2000");
    expect_output("rewards");
    honours_time("izhikevich_2007");
    draws("izhikevich_2007.lua time=3000");
}

static void test_izhikevich_2006(void **state)
{
    (void)state;
    if (SANITIZED[0]) skip();
    passes("izhikevich_2006.lua check=1");
    fails("izhikevich_2006.lua check=1 time=2000");
    honours_time("izhikevich_2006");
    draws("izhikevich_2006.lua time=1000");
}

static void test_clopath_2010(void **state)
{
    (void)state;
    passes("clopath_2010.lua check=1");
    fails("clopath_2010.lua check=1 time=500");
    honours_time("clopath_2010");
    draws("clopath_2010.lua");
}

static void test_jeffress_1948(void **state)
{
    (void)state;
    passes("jeffress_1948.lua check=1");
    fails("jeffress_1948.lua check=1 time=100");
    honours_time("jeffress_1948");
    draws("jeffress_1948.lua time=1300");
}

static void test_potjans_diesmann_2014(void **state)
{
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    passes("potjans_diesmann_2014.lua scale=0.2 check=1");
    fails("potjans_diesmann_2014.lua scale=0.2 check=1 time=300 g=-6");
    draws("potjans_diesmann_2014.lua scale=0.05 time=50");
}

/* ---- in C ----------------------------------------------------------------------------------------------------- */

/* Compiles examples/hello.c with the flags given. */
static void compile(const char *flags)
{
    const char *cc = getenv("CC");
    int status = shell("%s " SANITIZED "-Wall -Wextra -Werror examples/hello.c -o %s/hello %s", cc ? cc : "gcc", folder, flags);
    if (status) fail_msg("hello.c does not compile:\n%s", output);
}

static void test_izhikevich_2004(void **state)
{
    (void)state;
    passes("izhikevich_2004.lua check=1");
    fails("izhikevich_2004.lua check=1 time=100"); /* nothing to check yet */
    draws("izhikevich_2004.lua time=50");
}

static void test_receptive_fields(void **state)
{
    (void)state;
    passes("receptive_fields.lua check=1");
    passes("receptive_fields.lua check=1 seed=2");
    fails("receptive_fields.lua check=1 time=20000"); /* too early */
    honours_time("receptive_fields");
    draws("receptive_fields.lua time=3000");
}

static void test_edges(void **state)
{
    (void)state;
    passes("edges.lua check=1");
    fails("edges.lua check=1 time=20"); /* faster than the cells can follow */
    honours_time("edges");
    draws("edges.lua time=100 size=16");
}

static void test_event_camera(void **state)
{
    (void)state;
    passes("event_camera.lua check=1 time=300");
    char recording[600];
    snprintf(recording, sizeof recording, "event_camera.lua check=1 time=50 recording=%s/tests/reference/aer/bar.aedat4", root);
    passes(recording);
    expect_output("240 events");
    honours_time("event_camera");
    draws("event_camera.lua time=100 size=16");
}

static void run_hello(const char *duration, int expected)
{
    int status = shell("LD_LIBRARY_PATH=%s OMP_NUM_THREADS=1 %s/hello %s", build, folder, duration);
    if (status != expected) fail_msg("hello %s: exit status %d, expected %d; it said:\n%s", duration, status, expected, output);
}

static void test_hello_c(void **state)
{
    (void)state;
    char   flags[1200];
    double rate = 0;
    snprintf(flags, sizeof flags, "-I. -L%s -lranvier", build);
    compile(flags);
    run_hello("500", 0);
    const char *E = strstr(output, "\nE: ");
    assert_true(E && sscanf(E, "\nE: %lf Hz", &rate) == 1);
    if (!(rate > 43 && rate < 49)) fail_msg("hello.c: rate %g Hz, expected 46 +- 3 Hz", rate);
    run_hello("200", 0);
    expect_output("200 ms: ");
    assert_null(strstr(output, "300 ms: "));
    run_hello("0.05", 1);
    expect_output("0.05 ms");
}

/* With the flags of pkg-config, of the library where it stands. */
static void test_hello_c_by_pkg_config(void **state)
{
    (void)state;
    if (shell("command -v pkg-config") != 0) skip();
    char flags[1200];
    snprintf(flags, sizeof flags, "$(PKG_CONFIG_PATH=%s pkg-config --define-variable=includedir=. --define-variable=libdir=%s --cflags --libs ranvier)",
             build, build);
    compile(flags);
    run_hello("20", 0);
}

/* ---- the suite ------------------------------------------------------------------------------------------------ */

static int open_suite(void **state)
{
    (void)state;
    const char *given = getenv("RANVIER");
    if (!getcwd(root, sizeof root)) return -1;
    if (!realpath(given ? given : "build/ranvier", command) || !mkdtemp(folder)) return -1;
    snprintf(build, sizeof build, "%s", command);
    *strrchr(build, '/') = 0;
    return 0;
}

static int close_suite(void **state)
{
    (void)state;
    char path[256];
    const char *const made[] = { "figure.png", "hello" };
    for (int i = 0; i < 2; i++) snprintf(path, sizeof path, "%s/%s", folder, made[i]), remove(path);
    return rmdir(folder); /* fails if an example wrote what nobody asked for */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hello),
        cmocka_unit_test(test_stdp_window),
        cmocka_unit_test(test_tsodyks_1998),
        cmocka_unit_test(test_morrison_2007),
        cmocka_unit_test(test_fi_curve),
        cmocka_unit_test(test_sonata),
        cmocka_unit_test(test_brunel_2000),
        cmocka_unit_test(test_regimes_of_brunel_2000),
        cmocka_unit_test(test_quantise), cmocka_unit_test(test_vogels_abbott_2005),
        cmocka_unit_test(test_benchmark_1),
        cmocka_unit_test(test_benchmark_4),
        cmocka_unit_test(test_aeif_patterns), cmocka_unit_test(test_vogels_2011), cmocka_unit_test(test_song_2000), cmocka_unit_test(test_izhikevich_2007),
        cmocka_unit_test(test_izhikevich_2003), cmocka_unit_test(test_izhikevich_2006), cmocka_unit_test(test_clopath_2010), cmocka_unit_test(test_jeffress_1948),
        cmocka_unit_test(test_potjans_diesmann_2014),
        cmocka_unit_test(test_izhikevich_2004), cmocka_unit_test(test_receptive_fields),
        cmocka_unit_test(test_event_camera),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_hello_c),
        cmocka_unit_test(test_hello_c_by_pkg_config),
    };
    return cmocka_run_group_tests_name("examples", tests, open_suite, close_suite);
}
