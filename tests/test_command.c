/* The command: exit statuses, sentences, and that a run can be stopped. Runs $RANVIER (default build/ranvier). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/command_run.h"

static const char network[] =
    "local rv = require 'ranvier' local net = rv.network{ seed = 1 }\n"
    "local E = net:population('E', 50, 'iaf_psc_delta', { E_L = 0, V_m = rv.uniform(0, 20), V_th = 20, V_reset = 0, C_m = 1, tau_m = 20 })\n"
    "local I = net:population('I', 10, 'iaf_psc_delta', { E_L = 0, V_m = rv.uniform(0, 20), V_th = 20, V_reset = 0, C_m = 1, tau_m = 20 })\n"
    "net:connect(I, E, 'all_to_all', { weight = -0.1 })\n"
    "net:poisson({ E, I }, { rate = 15000, weight = 0.1 }) net:record({ E, I }, 'spikes') net:record(E:slice(1, 2), 'V_m')\n"
    "net:run(rv.arg.time or 100) print(net:hash())\n";

/* ---- wrong command lines ------------------------------------------------------------------------------------------
 */

typedef struct wrong {
    const char *arguments;
    int         status;
    const char *sentence; /* in what goes to stderr */
} wrong;

static void wrong_command_lines(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "rnu x.lua", 2, "ranvier: no verb \"rnu\"; did you mean run?" },
        { "xyzzy", 2, "ranvier: no verb \"xyzzy\"; there are run, view, " },
        { "--hlep", 2, "ranvier: no option \"--hlep\"" },
        { "run", 2, "ranvier: run needs more: ranvier run FILE.lua" },
        { "run --tmie 5 n.lua", 2, "ranvier: no option of run \"--tmie\"; did you mean --time?" },
        { "run n.lua --time", 2, "ranvier: --time needs a value: --time MS" },
        { "run n.lua --time=", 2, "ranvier: --time needs a value" },
        { "run n.lua --time soon", 2, "ranvier: --time is \"soon\"; a number is needed" },
        { "run n.lua --time nan", 2, "ranvier: --time is \"nan\"; a number is needed" },
        { "run n.lua --time -5", 2, "ranvier: --time = -5, allowed 0 to 1e+15" },
        { "run n.lua --threads 0", 2, "ranvier: --threads = 0, allowed 1 to 4096" },
        { "run n.lua --threads 1.5", 2, "ranvier: --threads is \"1.5\"; a whole number is needed" },
        { "run n.lua --seed -1", 2,
          "ranvier: --seed is \"-1\"; a whole number from 0 to 18446744073709551615 is needed" },
        { "run n.lua --seed 99999999999999999999", 2, "ranvier: --seed is" },
        { "run n.lua --timing exakt", 2, "ranvier: no timing \"exakt\"; did you mean exact?" },
        { "run n.lua --quiet=yes", 2, "ranvier: --quiet takes no value, got \"yes\"" },
        { "run n.lua --out x.txt", 2, "ranvier: --out is \"x.txt\"; a file name ending in .h5 is needed" },
        { "run n.lua word", 2, "ranvier: \"word\" is neither an option nor name=value" },
        { "run n.lua 5=6", 2, "ranvier: \"5=6\" is neither an option nor name=value" },
        { "run n.lua =6", 2, "ranvier: \"=6\" is neither an option nor name=value" },
        { "run missing.lua", 1, "ranvier: cannot read \"missing.lua\": No such file or directory" },
        { "run missing.json", 1, "ranvier: cannot read \"missing.json\"" },
        { "run folder.lua", 1, "ranvier: \"folder.lua\" is a folder; a script is needed" },
        { "run n.txt", 1,
          "ranvier: \"n.txt\" is not a kind of file that can be run; this version runs Lua scripts, ending in .lua" },
        { "run n.json", 1, "ranvier: \"n.json\": names no networks with nodes" },
        { "run n.json tmie=5", 2, "ranvier: no argument of a SONATA simulation \"tmie\"; did you mean time?" },
        { "run n.nir", 1, "is empty" },
        { "run n.net", 1, "n.net" },
        { "run missing.net input=x", 1, "missing.net" },
        { "run signature.h5", 1, "is not a checkpoint, or one that was cut off: it does not end with the line that checkpoints end with; ranvier view, info, stats and plot read results" },
        { "run n.lua --checkpoint-every 5", 2, "ranvier: --checkpoint-every is \"5\"; allowed are times of the clock, as 60s, 10min or 2h, and simulated ones, as 1000ms" },
        { "run n.lua --checkpoint-every -5s", 2, "ranvier: --checkpoint-every is \"-5s\"" },
        { "run n.lua --checkpoint-every 1e-7ms", 1, "the interval of a call" },
        { "run n.lua --out /nowhere/x.h5", 1, "ranvier: cannot write \"/nowhere/x.h5\": No such file or directory" },
        { "run wrong.lua", 1, "wrong.lua:2: there is no rv.netwrok; did you mean rv.network?" },
        { "run n.lua --live", 1, "ranvier: window: no display, DISPLAY is not set; write pictures with --frames FOLDER" },
        { "run n.lua --live --frames f", 2, "ranvier: --live and --frames: pictures are for runs without a window" },
        { "run n.lua --frame-ms 0", 2, "ranvier: --frame-ms = 0" },
        { "run n.lua --frames f --replay missing.h5", 1, "replay: " },
        { "view", 2, "ranvier: view needs more" },
        { "view missing.h5", 1, "missing.h5" },
        { "view n.lua", 1, "n.lua" },
        { "plot", 2, "ranvier: plot needs more" },
        { "plot n.h5", 2, "ranvier: plot needs the figure's name: ranvier plot n.h5 -o FIG.png" },
        { "plot missing.h5 -o x.png", 1, "missing.h5" },
        { "plot missing.h5 -o x.png --panels raster,rat", 2, "ranvier: no panel \"rat\"; did you mean rate?" },
        { "plot missing.h5 -o x.png --bin 0", 2, "ranvier: --bin = 0" },
        { "plot a b -o x.png", 2, "ranvier: plot: \"b\" is too much" },
        { "stats", 2, "ranvier: stats needs more" },
        { "stats missing.h5", 1, "missing.h5" },
        { "stats n.lua", 1, "n.lua" },
        { "stats n.h5 --hahs", 2, "did you mean --hash?" },
        { "info n.lua", 1, "ranvier: \"n.lua\" is a script; ranvier run runs it" },
        { "info missing.h5", 1, "missing.h5" },
        { "models iaf_psc_epx", 1, "ranvier: no model, rule, input or synapse \"iaf_psc_epx\"; did you mean iaf_psc_exp?" },
        { "models fixed_indegre", 1, "did you mean fixed_indegree?" },
        { "models a b", 2, "ranvier: models: \"b\" is too much" },
        { "help rnu", 2, "did you mean run?" },
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        outcome     o = run(table[i].arguments);
        const char *end = strchr(o.err, '\n');
        if (o.status == table[i].status && strstr(o.err, table[i].sentence) && end && !end[1]) continue;
        print_error("ranvier %s\nexpected %d %s\ngot      %d %s\n", table[i].arguments, table[i].status,
                    table[i].sentence, o.status, o.err);
        failures++;
    }
    assert_int_equal(failures, 0);
}

static void help_and_lists(void **state)
{
    (void)state;
    static const wrong table[] = {
        /* the sentence is on stdout */
        { "--version", 0, "ranvier 0." },
        { "--help", 0, "ranvier run" },
        { "help", 0, "ranvier models" },
        { "help run", 0, "--threads N" },
        { "run --help", 0, "--timing grid|exact" },
        { "stats --help", 0, "--hash" },
        { "models", 0, "iaf_psc_exp" },
        { "models", 0, "pairwise_bernoulli" },
        { "models iaf_psc_exp", 0, "tau_syn_ex" },
        { "models iaf_psc_exp", 0, "doi:10.1007/s004220050570" },
        { "models stdp", 0, "tau_plus" },
        { "models poisson", 0, "Hz" },
        { "models fixed_indegree", 0, "rule = \"fixed_indegree\", indegree" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        outcome o = run(table[i].arguments);
        if (o.status == table[i].status && strstr(o.out, table[i].sentence) && !o.err[0]) continue;
        fail_msg("ranvier %s\nexpected %s\ngot %d %s%s", table[i].arguments, table[i].sentence, o.status, o.out, o.err);
    }
    outcome o = run("");
    assert_int_equal(o.status, 2);
    assert_non_null(strstr(o.out, "ranvier run"));
}

/* ---- runs ---------------------------------------------------------------------------------------------------------
 */

/* What was saved on the way goes on to the same end; on the command line too. */
static void from_checkpoint_on(void **state)
{
    (void)state;
    char    hash[17] = { 0 };
    outcome o = run("run n.lua --out k.h5 time=50 --checkpoint-every 20ms");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    memcpy(hash, o.out, 16);
    write_file("l.lua", "local net = require('ranvier').load('k.checkpoint.h5') assert(net:time() == 40) net:run(10) print(net:hash())");
    o = run("run l.lua --quiet");
    assert_int_equal(o.status, 0);
    assert_memory_equal(o.out, hash, 16);
    o = run("info k.checkpoint.h5");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "time           40 ms"));
    assert_non_null(strstr(o.out, "ranvier run n.lua --out k.h5 time=50 --checkpoint-every 20ms"));
    assert_string_equal(run("info k.checkpoint.h5 --script").out, network);
    o = run("run k.checkpoint.h5 --time 10 --out rest.h5 --threads 1");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "50 ms simulated in "));
    assert_int_equal(run("stats rest.h5 --from 40").status, 0);
    o = run("run k.checkpoint.h5");
    assert_int_equal(o.status, 2);
    assert_non_null(strstr(o.err, "\"k.checkpoint.h5\" is a checkpoint: --time MS says for how long it goes on"));
    o = run("run k.checkpoint.h5 --time 10 --seed 3");
    assert_non_null(strstr(o.err, "--seed: a checkpoint goes on with the random numbers it has"));
}

static void from_script_to_figure(void **state)
{
    (void)state;
    outcome o = run("run n.lua --out n.h5 time=50 --profile");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    assert_non_null(strstr(o.out, "50 ms simulated in "));
    assert_non_null(strstr(o.out, "real-time factor"));
    assert_non_null(strstr(o.out, "E                  50 neurons"));
    assert_non_null(strstr(o.out, "delivering spikes"));
    char hash[17] = { 0 };
    memcpy(hash, o.out, 16);
    o = run("stats n.h5 --hash");
    assert_int_equal(o.status, 0);
    assert_memory_equal(o.out, hash, 16);
    o = run("stats n.h5");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "rate (Hz)"));
    assert_non_null(strstr(o.out, "\nE "));
    o = run("info n.h5");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "ranvier run n.lua --out n.h5 time=50"));
    assert_non_null(strstr(o.out, "I: 10 neurons (inhibitory)"));
    assert_non_null(strstr(o.out, "V_m"));
    o = run("info n.h5 --script");
    assert_string_equal(o.out, network);
    assert_int_equal(run("plot n.h5 -o n.svg --from 10 --to 40 --panels raster,rate,traces --title T").status, 0);
    assert_int_equal(access("n.svg", R_OK), 0);
    o = run("run n.lua --time 50 --quiet --seed 1 --threads 1");
    assert_memory_equal(o.out, hash, 16);
    assert_int_equal(strlen(o.out), 17); /* nothing but what the script prints */
    o = run("run n.lua --time=50 --quiet --seed 2");
    assert_memory_not_equal(o.out, hash, 16);
}

/* A network saved by a script is a SONATA circuit that runs by itself. */
static void from_script_to_circuit(void **state)
{
    (void)state;
    char text[sizeof network + 128];
    snprintf(text, sizeof text, "%s", network);
    char *end = strstr(text, "net:run(");
    strcpy(end, "net:save_sonata('circuit', { time = 30 })\nnet:run(30) print(net:hash())\n");
    write_file("c.lua", text);
    outcome o = run("run c.lua --quiet");
    assert_int_equal(o.status, 0);
    char hash[17] = { 0 };
    memcpy(hash, o.out, 16);
    o = run("run circuit/config.json");
    assert_string_equal(o.err, "");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "30 ms in steps of 0.1 ms"));
    assert_non_null(strstr(o.out, "spikes are in circuit/output/spikes.h5"));
    o = run("stats circuit/output/spikes.h5 --hash");
    assert_memory_equal(o.out, hash, 16);
    o = run("run circuit/circuit_config.json circuit/simulation_config.json output_dir=elsewhere --out n2.h5 --quiet");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "");
    assert_memory_equal(run("stats elsewhere/spikes.h5 --hash").out, hash, 16);
    assert_memory_equal(run("stats n2.h5 --hash").out, hash, 16);
    o = run("info circuit/config.json");
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.out, "nodes      E                               50  50 iaf_psc_delta"));
    assert_non_null(strstr(o.out, "edges      I_to_E                         500  I -> E"));
    assert_non_null(strstr(run("info circuit/network/I_to_E_edges.h5").out, "500  I -> E"));
    assert_non_null(strstr(run("info circuit/network/E_nodes.h5").out, "group 0: dynamics_params"));
    o = run("run circuit/circuit_config.json");
    assert_int_equal(o.status, 1);
    assert_non_null(strstr(o.err, "has no run.tstop: give the simulation config too, or time=MS"));
}

static void unused_arguments(void **state)
{
    (void)state;
    outcome o = run("run n.lua tmie=50 --time 10");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "ranvier: the script did not use tmie=50; did you mean time?\n");
    o = run("run n.lua colour=red --time 10");
    assert_string_equal(o.err, "ranvier: the script did not use colour=red; it reads time\n");
    o = run("run n.lua tmie=50 --time 10 --quiet");
    assert_string_equal(o.err, "");
}

static void statuses(void **state)
{
    (void)state;
    assert_int_equal(run("run exit.lua code=0").status, 0);
    assert_int_equal(run("run exit.lua code=9").status, 9);
    outcome o = run("run check.lua");
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "check.lua:2: check failed: two is one\n");
    assert_non_null(strstr(o.out, "1 of 2 checks failed"));
    o = run("run n.lua --time 0.05");
    assert_int_equal(o.status, 1);
    assert_memory_equal(o.err, "n.lua:6: ", 9);
}

/* A script that fails before its first run leaves an old results file as it is. */
static void old_results_survive(void **state)
{
    (void)state;
    write_file("old.h5", "precious");
    outcome o = run("run wrong.lua --out old.h5");
    char    text[32];
    read_file("old.h5", text, sizeof text);
    assert_int_equal(o.status, 1);
    assert_string_equal(text, "precious");
}

static void wait_for(const char *name)
{
    for (int k = 0; k < 2000 && access(name, R_OK) != 0; k++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

/* One signal: the results are whole, the exit status is 130; the script does not go on. */
static void interrupted(void **state)
{
    (void)state;
    static const int signals[] = { SIGINT, SIGTERM };
    for (int k = 0; k < 2; k++) {
        remove("stopped.h5");
        pid_t child = start("run long.lua --out stopped.h5");
        wait_for("stopped.h5");
        nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
        kill(child, signals[k]);
        outcome o = finish(child);
        assert_int_equal(o.status, 130);
        assert_non_null(strstr(o.err, "ranvier: stopped at "));
        assert_non_null(strstr(o.err, "stopped.h5 has everything up to there"));
        assert_null(strstr(o.out, "not reached"));
        double at = atof(strstr(o.err, "stopped at ") + strlen("stopped at "));
        o = run("info stopped.h5");
        assert_int_equal(o.status, 0);
        assert_true(at > 0 && at == atof(strstr(o.out, "simulated_ms") + strlen("simulated_ms")));
    }
}

/* Networks of files stop like scripts, and want a display for a window. */
static void networks_of_files_are_stopped(void **state)
{
    static const char *const files[] = { "nir/nir_31_cnn.nir", "netx/netx_10_dense_reset.net" };
    (void)state;
    write_file("one.csv", "1,0\n");
    for (int k = 0; k < 2; k++) {
        char line[PATH_MAX + 100];
        snprintf(line, sizeof line, "run %s/tests/reference/hw/%s input=one.csv time=1000000000 --out file.h5", project, files[k]);
        remove("file.h5");
        pid_t child = start(line);
        wait_for("file.h5");
        nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
        kill(child, SIGINT);
        outcome o = finish(child);
        assert_int_equal(o.status, 130);
        assert_non_null(strstr(o.err, "ranvier: stopped at "));
        assert_int_equal(run("info file.h5").status, 0);
        snprintf(line, sizeof line, "run %s/tests/reference/hw/%s input=one.csv time=10 --live", project, files[k]);
        o = run(line);
        assert_int_equal(o.status, 1);
        assert_non_null(strstr(o.err, "ranvier: window: no display"));
    }
}

static void endless_loops_end(void **state)
{
    (void)state;
    static const char *const files[] = { "loop.lua", "thread.lua", "inside.lua" };
    for (int k = 0; k < 3; k++) {
        remove("out");
        char line[64];
        snprintf(line, sizeof line, "run %s", files[k]);
        pid_t child = start(line);
        nanosleep(&(struct timespec){ .tv_nsec = 700000000 }, NULL);
        kill(child, SIGINT);
        assert_int_equal(finish(child).status, 130);
    }
}

/* string.find() with a pattern that backtracks for ever never comes back to Lua: the second signal quits. */
static void second_signal(void **state)
{
    (void)state;
    pid_t child = start("run stuck.lua");
    nanosleep(&(struct timespec){ .tv_nsec = 700000000 }, NULL);
    kill(child, SIGINT);
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
    kill(child, SIGINT);
    assert_int_equal(finish(child).status, 130);
}

static int prepare(void **state)
{
    (void)state;
    const unsigned char signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };
    FILE               *file = fopen("signature.h5", "wb");
    if (!file) return 1;
    fwrite(signature, 1, sizeof signature, file);
    fclose(file);
    if (system("mkdir folder.lua") != 0) return 1;
    write_file("suppressions",
               "leak:libfontconfig\nleak:libhdf5\n"); /* caches that are theirs, under the leak checker */
    setenv("LSAN_OPTIONS", "suppressions=suppressions", 1);
    write_file("n.lua", network);
    write_file("n.txt", network);
    write_file("n.json", "{}");
    write_file("n.nir", "");
    write_file("n.net", "");
    write_file("wrong.lua", "local rv = require 'ranvier'\nrv.netwrok{}\n");
    write_file("exit.lua", "local rv = require 'ranvier'\nrv.exit(rv.arg.code)\n");
    write_file("check.lua", "local rv = require 'ranvier'\nrv.check(2 == 1, 'two is one')\nrv.check(true)\n");
    write_file("loop.lua", "while true do pcall(function() while true do end end) end");
    write_file("thread.lua",
               "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()");
    write_file("inside.lua",
               "local rv = require 'ranvier' local net = rv.network{} net:population('E', 1, 'iaf_psc_delta')\n"
               "net:at(1, function() while true do end end) net:run(10)");
    write_file("stuck.lua", "string.find(string.rep('a', 60), string.rep('a?', 60) .. string.rep('.*', 60) .. 'b')");
    write_file("long.lua",
               "local rv = require 'ranvier' local net = rv.network{}\n"
               "local E = net:population('E', 100, 'iaf_psc_delta', { I_e = 1000 }) net:record(E, 'spikes')\n"
               "pcall(net.run, net, 1e9) print 'not reached'");
    return 0;
}

int main(void)
{
    if (!enter_folder()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_command_lines),
        cmocka_unit_test(help_and_lists),
        cmocka_unit_test(from_checkpoint_on),
        cmocka_unit_test(from_script_to_figure),
        cmocka_unit_test(from_script_to_circuit),
        cmocka_unit_test(unused_arguments),
        cmocka_unit_test(statuses),
        cmocka_unit_test(old_results_survive),
        cmocka_unit_test(interrupted),
        cmocka_unit_test(networks_of_files_are_stopped),
        cmocka_unit_test(endless_loops_end),
        cmocka_unit_test(second_signal),
    };
    int failed = cmocka_run_group_tests(tests, prepare, NULL);
    return leave_folder() ? failed : 1;
}
