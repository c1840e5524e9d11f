/* ranvier convert and ranvier info: every way between the formats, what they say, and what is refused with a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/command_run.h"

static outcome run_ok(const char *format, ...) __attribute__((format(printf, 1, 2)));
static outcome run_ok(const char *format, ...)
{
    char    line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    outcome o = run(line);
    if (o.status != 0) fail_msg("ranvier %s: status %d, %s", line, o.status, o.err);
    return o;
}

static void ensure_in(const char *text, const char *expected)
{
    if (!strstr(text, expected)) fail_msg("\"%s\", expected in it \"%s\"", text, expected);
}

static void ensure_refused(const char *line, int status, const char *sentence)
{
    outcome o = run(line);
    if (o.status != status) fail_msg("ranvier %s: status %d, expected %d: %s", line, o.status, status, o.err);
    ensure_in(o.err, sentence);
    if (strchr(o.err, '\n') != o.err + strlen(o.err) - 1) fail_msg("ranvier %s: more than a sentence: %s", line, o.err);
}

static const char network[] =
    "local rv = require 'ranvier' local net = rv.network { seed = 1, threads = 1 }\n"
    "local a = net:population('a', 30, 'poisson_generator', { rate = 100 })\n"
    "local b = net:population('b', 30, 'iaf_psc_delta', { tau_m = 10, C_m = 10, E_L = 0, V_th = 1, V_reset = 0, V_m = 0, t_ref = 0 })\n"
    "local cam = net:population('cam', { 8, 4, 2 }, 'poisson_generator', { rate = 300 })\n"
    "net:connect(a, b, 'all_to_all', { weight = 0.2, delay = 0.1 })\n"
    "net:record({ a, b, cam }, 'spikes') net:record(b, 'rate', { bin = 10 }) net:run(100)\n";

static const char to_chip[] =
    "local rv = require 'ranvier' local net = rv.network { seed = 1, threads = 1 }\n"
    "local input = net:population('input', 4, 'spike_generator', { spike_times = { { 1, 3 }, { 2 }, { 2, 4 }, { 5 } } })\n"
    "local layer = net:population('layer', 3, 'iaf_psc_delta', { tau_m = 10, C_m = 10, E_L = 0, V_th = 1, V_reset = 0, V_m = 0, t_ref = 0 })\n"
    "net:connect(input, layer, { rule = 'all_to_all' }, { weight = 0.7, delay = 0.1 }) net:run(6)\n";

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

static void spikes_go_everywhere_and_back(void **state)
{
    static const char *const endings[] = { "h5", "hdf5", "npz", "csv", "txt" };
    (void)state;
    outcome before = run_ok("stats --hash run.h5");
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        outcome o = run_ok("convert run.h5 there.%s", endings[k]);
        ensure_in(o.out, "spikes of 3 populations; 1 report left behind");
        run_ok("convert there.%s back.h5 --quiet", endings[k]);
        assert_string_equal(run_ok("stats --hash there.%s", endings[k]).out, before.out); /* the other verbs read them as they are */
        assert_string_equal(run_ok("stats --hash back.h5").out, before.out);
    }
    run_ok("convert run.h5 b.dat --population b");
    ensure_in(run_ok("info b.dat").out, "columns of text, named: time (ms), neuron");
    run_ok("convert run.h5 b.h5 --population b");
    run_ok("plot b.dat -o b.png");
}

/* The spikes of a sheet of pixels are a recording: times to the us, places and polarities as they were. */
static void a_sheet_of_pixels_becomes_a_recording(void **state)
{
    static const char *const endings[] = { "aedat", "aedat4", "es", "bin" };
    (void)state;
    run_ok("convert run.h5 cam.csv --population cam --quiet");
    run_ok("convert run.h5 cam.es --population cam --quiet");
    run_ok("convert cam.es first.csv --quiet");
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++) {
        run_ok("convert run.h5 cam.%s --population cam --quiet", endings[k]);
        ensure_in(run_ok("info cam.%s", endings[k]).out, "recording");
        run_ok("convert cam.%s cam2.csv --quiet", endings[k]);
        if (k < 3) { /* N-MNIST has no size */
            static char one[1 << 16], two[1 << 16];
            read_file("first.csv", one, sizeof one), read_file("cam2.csv", two, sizeof two);
            assert_true(strlen(one) > 5000);
            assert_string_equal(one, two);
        }
    }
    ensure_refused("convert run.h5 all.es", 1, "has 3 populations, a recording is of one camera");
    ensure_refused("convert run.h5 b.es --population b", 1, "population \"b\" is no sheet of pixels; --shape COLUMNSxROWS");
    ensure_refused("convert run.h5 b.es --population b --shape 3by4", 2, "--shape is \"3by4\"");
    ensure_refused("convert run.h5 b.es --population b --shape 3x4", 1, "population \"b\" has 30 neurons, 3x4 pixels are at most 24");
    run_ok("convert run.h5 b.es --population b --shape 6x5 --quiet");
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static void networks_become_other_networks(void **state)
{
    (void)state;
    ensure_in(run_ok("convert chip.lua chip.nir").out, "was read back and run for");
    ensure_in(run_ok("info chip.nir").out, "NIR graph, version 1.0.7");
    ensure_in(run_ok("convert chip.nir chip.net").out, "the same");
    ensure_in(run_ok("info chip.net").out, "netx of lava-dl");
    run_ok("convert chip.net again.net --quiet");
    run_ok("convert chip.net chip.yaml --quiet");
    ensure_in(run_ok("info chip.yaml").out, "SANA-FE: 7 neurons");
    run_ok("export chip.lua --format ranvier -o chip.h5 --quiet");
    ensure_in(run_ok("info chip.h5").out, "Ranvier's mapping file: 1 cores on 1 chip");
    ensure_in(run_ok("info chip.h5").out, "layer: 3 loihi_lif");
}

/* ---- info ------------------------------------------------------------------------------------------------------- */

static void files_of_others_are_told_apart(void **state)
{
    (void)state;
    write_file("plain.txt", "3\t0.5\n4\t0.25\n");
    ensure_in(run_ok("info plain.txt").out, "neuron, time (ms) (times have fractions)");
    ensure_in(run_ok("info run.h5").out, "a: 30 neurons, ");
    write_file("board.chip", "like = loihi2\ntitle = a board\n");
    ensure_in(run_ok("info board.chip").out, "a board");
    ensure_in(run_ok("info %s/tests/reference/hw/risp/risp_0_risp7.json", project).out, "TENNLab: ");
    ensure_in(run_ok("info %s/tests/reference/hw/nir/nirdata_0.nird", project).out, "NIRData: 3 observables");
    ensure_in(run_ok("info %s/tests/reference/aer/bar.aedat4", project).out, "AEDAT 4.0, 346 x 260, 240 events");
}

/* ---- what makes no sense ---------------------------------------------------------------------------------------- */

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    write_file("bad.csv", "hello,world\n");
    write_file("bad.npz", "PK\3\4 nothing");
    write_file("empty.csv", "");
    ensure_refused("convert run.h5", 2, "convert needs more");
    ensure_refused("convert run.h5 run.h5", 2, "both what is read and what is written");
    ensure_refused("convert run.h5 x.nir", 1, "holds spikes, which cannot become a network; they go to .h5, .npz");
    ensure_refused("convert run.h5 x.what", 1, "is no format that is written; spikes go to .h5, .npz");
    ensure_refused("convert run.h5 x.dat", 1, "--population NAME chooses it");
    ensure_refused("convert run.h5 x.csv --population c", 1, "has no spikes of a population \"c\"; it has a, b, cam");
    ensure_refused("convert chip.lua x.npz", 1, "is a network, which cannot become \"x.npz\"; networks go to .net (netx), .nir");
    ensure_refused("convert bad.csv x.npz", 1, "line 1: no column is named time");
    ensure_refused("convert bad.npz x.csv", 1, "it is no ZIP archive, or one that was cut off");
    ensure_refused("convert empty.csv x.npz", 1, "is empty");
    ensure_refused("convert none.csv x.npz", 1, "no such file");
    ensure_refused("info chip.lua", 1, "is a script");
    ensure_refused("info run.npz --script", 1, "holds no script");
    assert_int_not_equal(access("x.csv", F_OK), 0);
    assert_int_not_equal(access("x.dat.part", F_OK), 0);
}

static int prepare(void **state)
{
    (void)state;
    write_file("net.lua", network), write_file("chip.lua", to_chip);
    return run("run net.lua --quiet --out run.h5").status || run("convert run.h5 run.npz --quiet").status;
}

int main(void)
{
    if (!enter_folder()) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spikes_go_everywhere_and_back),
        cmocka_unit_test(a_sheet_of_pixels_becomes_a_recording),
        cmocka_unit_test(networks_become_other_networks),
        cmocka_unit_test(files_of_others_are_told_apart),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    int failed = cmocka_run_group_tests_name("convert", tests, prepare, NULL);
    return leave_folder() ? failed : 1;
}
