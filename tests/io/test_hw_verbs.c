/* Chips from the script and the command line: net:quantize, net:find, net:map, net:export; ranvier map and export. Runs $RANVIER (build/ranvier). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/script_run.h"

static char command[PATH_MAX], folder[] = "/tmp/ranvier_hw_XXXXXX";
static char output[1 << 16]; /* of the last command, both streams */

/* ---- scripts ---------------------------------------------------------------------------------------------------- */

#define NETWORK                                                                                                                                       \
    "local rv = require 'ranvier' local net = rv.network{ resolution = 1, seed = 1 }\n"                                                             \
    "local E = net:population('E', 40, 'iaf_psc_exp', { tau_syn_ex = 5, tau_syn_in = 5, V_m = rv.uniform(-70, -55), I_e = 450 })\n"                \
    "net:connect(E, E, { rule = 'fixed_indegree', indegree = 8 }, { weight = rv.normal(-20, 30), delay = 3 })\n"

static void succeeds(const char *text)
{
    char all[4096];
    snprintf(all, sizeof all, NETWORK "%s", text);
    script_outcome o = script_run_text(all, strlen(all), NULL);
    if (o.status != RV_OK || o.exit_status != 0) fail_msg("%s\n  %s", text, o.message);
}

static void fails(const char *text, const char *sentence)
{
    char all[4096];
    snprintf(all, sizeof all, NETWORK "%s", text);
    script_outcome o = script_run_text(all, strlen(all), NULL);
    if (!strstr(o.message, sentence)) fail_msg("%s\n  expected: %s\n       got: %s", text, sentence, o.message);
}

static void test_quantize(void **state)
{
    (void)state;
    succeeds("local q, report = net:quantize('loihi2', { bits = 6, step = 1, prune = 0.1, measure = 100 })\n"
             "local e = q:find('E') assert(e.model == 'loihi_lif' and #e == 40)\n"
             "q:record(e, 'spikes') q:run(100) assert(e:count() > 20)\n"
             "local p = report.populations.E assert(p.from == 'iaf_psc_exp' and p.to == 'loihi_lif')\n"
             "assert(math.abs(p.rate - e:rate()) < 1e-9 and p.rate_given > 0)\n" /* the measurement is a run of the same network */
             "assert(report.pruned == 32 and report.synapses == 288 and report.bits == 6 and report.step == 1)\n"
             "assert(report.projections[1].weight > 0 and report.projections[1].weight_max >= report.projections[1].weight)\n"
             "assert(report.text:find('weights of 6 bits') and tostring(report) == report.text and report.memory > 0)\n");
    succeeds("net:run(10) local q = net:quantize() assert(q:time() == 0 and net:time() == 10)");
    succeeds("local q = net:quantize('loihi1') local h = {} for i = 1, 2 do local n = net:quantize('loihi1') n:record(n:find('E'), 'spikes') n:run(50) h[i] = n:hash() end assert(h[1] == h[2])");
}

static void test_quantize_refused(void **state)
{
    (void)state;
    fails("net:quantize('loihi2', { bits = 10 })", "model.lua:4: quantise: bits = 10, allowed 1 to 9");
    fails("net:quantize('loihi2', { bits = 0 })", "net:quantize: bits = 0, allowed 1 to 9");
    fails("net:quantize('loihi2', { bist = 8 })", "net:quantize: no option bist; did you mean bits?");
    fails("net:quantize('loihi7')", "loihi7");
    fails("local x = net:population('X', 1, 'izhikevich') net:quantize()", "population \"X\": izhikevich cannot be quantised");
    fails("net:at(5, function() net:quantize() end) net:run(10)", "net:quantize");
    fails("net:find('e')", "net:find: no population \"e\"; did you mean \"E\"?");
    fails("net:find('nothing')", "net:find: no population \"nothing\"");
}

static void test_map(void **state)
{
    (void)state;
    succeeds("local q = net:quantize() local m = q:map('loihi2') assert(m.cores >= 1 and m.chips == 1 and m.messages > 0 and m.hops >= 0)\n"
             "assert(m:report():find('loihi2: 40 neurons') and m.energy == nil)\n");
    succeeds("local m = net:map('loihi1', { rate = 50, bits = 4 }) assert(m.energy > 0 and m.time > 0 and m:report(5))");
    fails("net:map('loihi9')", "net:map: ");
    fails("net:map('loihi1', { chips = 1, core = 1 })", "net:map: no option core");
    fails("net:map('loihi1'):svg('x.txt')", "placement:svg: the file");
    fails("net:map('loihi1'):svg('/nowhere/x.svg')", "/nowhere/x.svg");
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *format, ...)
{
    char    arguments[2048], line[PATH_MAX + 2200];
    va_list list;
    va_start(list, format);
    vsnprintf(arguments, sizeof arguments, format, list);
    va_end(list);
    snprintf(line, sizeof line, "cd %s && %s %s 2>&1", folder, command, arguments);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = 0;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void expect(int status, const char *arguments, const char *sentence)
{
    int got = run("%s", arguments);
    if (got != status || !strstr(output, sentence)) fail_msg("ranvier %s: exit status %d, expected %d and \"%s\"; it said:\n%s", arguments, got, status, sentence, output);
}

static void write_file(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_map_verb(void **state)
{
    (void)state;
    write_file("net.lua", NETWORK "net:run(rv.arg.time or 1e9) error('not reached')\n");
    expect(0, "map net.lua --chip loihi1 --rates 100 --svg chip.svg --report report.txt", "loihi1: 40 neurons and 320 synapses on 1 core");
    assert_non_null(strstr(output, "quantised for loihi1: weights of 8 bits"));
    assert_non_null(strstr(output, "Hz given"));
    expect(0, "map net.lua --rates 0 --bits 3 --step 1 --prune 0.5 --quiet", "");
    assert_int_equal(output[0], 0);
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/chip.svg", folder);
    assert_int_equal(access(path, R_OK), 0);
    snprintf(path, sizeof path, "%s/report.txt", folder);
    assert_int_equal(access(path, R_OK), 0);
    write_file("chip.lua", "local rv = require 'ranvier' local net = rv.network{ resolution = 1 } net:population('a', 3, 'loihi_lif') net:run(5)\n");
    expect(0, "map chip.lua --cores 1", "loihi2: 3 neurons and 0 synapses");
    assert_null(strstr(output, "quantised"));
}

static void test_map_verb_refused(void **state)
{
    (void)state;
    write_file("net.lua", NETWORK "net:run(rv.arg.time or 1e9)\n");
    write_file("idle.lua", NETWORK);
    write_file("wrong.lua", "\nnonsense()\n");
    write_file("alpha.lua", "local rv = require 'ranvier' local net = rv.network{} net:population('a', 3, 'iaf_psc_alpha') net:run(5)\n");
    write_file("n.txt", "");
    expect(2, "map", "ranvier: map needs more: ranvier map FILE");
    expect(2, "map net.lua --bits 12", "ranvier: --bits = 12, allowed 1 to 9");
    expect(2, "map net.lua --bits 2.5", "ranvier: --bits is \"2.5\"; a whole number is needed");
    expect(2, "map net.lua --seed x", "ranvier: --seed is \"x\"");
    expect(2, "map net.lua --prune 2", "ranvier: --prune = 2, allowed 0 to 1");
    expect(2, "map net.lua --chp x", "did you mean --chip?");
    expect(2, "map net.lua word", "ranvier: \"word\" is neither an option nor name=value");
    expect(1, "map net.lua --chip loihi7", "loihi7");
    expect(1, "map net.lua --svg /nowhere/x.svg --rates 0", "/nowhere/x.svg");
    expect(1, "map net.lua --report /nowhere/x --rates 0", "ranvier: cannot write \"/nowhere/x\": No such file or directory");
    expect(1, "map idle.lua", "ranvier: \"idle.lua\" runs no network: the first one it runs is taken");
    expect(1, "map wrong.lua", "wrong.lua:2: ");
    expect(1, "map alpha.lua", "ranvier: \"alpha.lua\": population \"a\": iaf_psc_alpha cannot be quantised");
    expect(1, "map missing.lua", "cannot read \"missing.lua\"");
    expect(1, "map missing.net", "missing.net");
    expect(1, "map missing.nir", "missing.nir");
    expect(2, "map missing.nir a=1", "no argument of a NIR graph \"a\"; there are input, ");
    expect(1, "map n.txt", "is not a kind of network that can go to a chip");
}

#define LAYERS                                                                                                                                        \
    "local rv = require 'ranvier' local net = rv.network { resolution = 1, seed = 1 }\n"                                                            \
    "local input = net:population('input', 40, 'poisson_generator', { rate = 60 })\n"                                                               \
    "local a = net:population('a', 30, 'iaf_psc_exp', { tau_syn_ex = 5, tau_syn_in = 5, tau_m = 20, t_ref = 0, I_e = 40 })\n"                       \
    "local b = net:population('b', 10, 'iaf_psc_delta', { tau_m = 20, t_ref = 0 })\n"                                                               \
    "net:connect(input, a, { rule = 'all_to_all' }, { weight = rv.normal(20, 10), delay = 1 })\n"                                                   \
    "net:connect(a, b, { rule = 'all_to_all' }, { weight = rv.uniform(0, 2), delay = 2 })\n"

#define RISP                                                                                                                                          \
    "local rv = require 'ranvier' local net = rv.network { resolution = 1, seed = 1 }\n"                                                            \
    "local input = net:population('input', 5, 'poisson_generator', { rate = 200 })\n"                                                               \
    "local a = net:population('a', 5, 'risp', { threshold = 3 })\n"                                                                                 \
    "net:connect(input, a, { rule = 'one_to_one' }, { weight = 2, delay = 1 })\n"                                                                   \
    "net:connect(a, a, { rule = 'all_to_all' }, { weight = 1, delay = 3 })\n"                                                                       \
    "net:run(100)\n"

static void test_export_verb(void **state)
{
    (void)state;
    write_file("layers.lua", LAYERS "net:run(100)\n");
    expect(0, "export layers.lua --format netx -o l.net", "\"l.net\" was read back and run for 200 steps: the same ");
    expect(0, "export layers.lua --format ranvier -o l.h5 --rates 0", "\"l.h5\" was read back and run for 100 steps: the same ");
    expect(0, "export layers.lua --format ranvier -o l.h5 --chip loihi1 --bits 4", "the same ");
    expect(0, "export layers.lua --format sanafe -o l.yaml", "in SANA-FE's arithmetic");
    expect(0, "export layers.lua --format netx -o m.net --no-verify --rates 0", "\"m.net\" was written, and not verified");
    expect(0, "export layers.lua --format nir -o l.nir", "\"l.nir\" was read back and run for 200 steps: the same ");
    expect(0, "map l.nir --cores 0", "loihi2: 40 neurons and 1500 synapses");
    expect(0, "map l.net --cores 0", "40 neurons and 1500 synapses");
    expect(0, "export l.net --format ranvier -o again.h5", "spikes, on random input");
    expect(0, "export layers.lua --format header -o l.h", "\"l.h\" was read back and run for 200 steps: the same ");
    expect(0, "export layers.lua --format header -o l.h --no-verify", "\"l.h\" was written, and not verified");
    write_file("risp.lua", RISP);
    expect(0, "export risp.lua --format tennlab -o r.json", "\"r.json\" was read back and run for 200 steps: the same ");
    expect(1, "export layers.lua --format tennlab -o r.json", "its model is iaf_psc_exp, but TENNLab's files are for risp");
    char image[PATH_MAX], line[2 * PATH_MAX]; /* the command is run elsewhere */
    assert_non_null(realpath("tests/reference/hw/nir/nir_31_cnn.nir", image));
    snprintf(line, sizeof line, "export %s --format netx -o c.net", image);
    expect(0, line, "spikes, on random input");
    write_file("events.txt", "1,0\n2,5\n3,7\n4,2\n5,60\n6,61\n");
    snprintf(line, sizeof line, "map %s --cores 0", image);
    expect(0, line, "rates estimated: 10 Hz for every neuron, since no run was recorded");
    snprintf(line, sizeof line, "map %s input=events.txt --cores 0", image);
    expect(0, line, "rates measured in a run of ");
    snprintf(line, sizeof line, "export %s input=events.txt --format netx -o c.net --rates 3", image);
    expect(0, line, "was read back and run for ");
    snprintf(line, sizeof line, "map %s inputs=events.txt", image);
    expect(2, line, "inputs");
    expect(0, "export c.net --format netx -o again.net", "spikes, on random input"); /* convolutions again */
    expect(0, "export --formats", "netx");
    expect(2, "export layers.lua", "ranvier: export needs more: ranvier export FILE --format NAME -o OUT");
    expect(2, "export layers.lua --format nxet -o x", "ranvier: no format \"nxet\"");
    expect(1, "export layers.lua --format netx -o /nowhere/x.net", "/nowhere/x.net");
    expect(1, "export layers.lua --format netx -o x.net --chip loihi1", "ranvier: \"layers.lua\": quantise: netx files are for Loihi 2, not for loihi1");
    write_file("net.lua", NETWORK "net:run(10)\n");
    expect(1, "export net.lua --format netx -o x.net", "\"E\"");
}

/* A layer whose synapses are those of a kernel, between populations that have shapes. */
#define KERNEL                                                                                                                                        \
    "local rv = require 'ranvier' local net = rv.network { resolution = 1, seed = 3 }\n"                                                            \
    "local spikes, from, to, w = {}, {}, {}, {}\n"                                                                                                  \
    "for i = 1, 128 do spikes[i] = { 1 + i % 7, 9 + i % 5, 16 + i % 11 } end\n"                                                                     \
    "local A = net:population('in', { 8, 8, 2 }, 'spike_generator', { spike_times = spikes })\n"                                                    \
    "local B = net:population('conv', { 6, 6, 3 }, 'loihi_lif', { du = 4095, dv = 300, vth = 30 })\n"                                               \
    "local C = net:population('out', 5, 'loihi_lif', { du = 4095, dv = 300, vth = 90 })\n"                                                          \
    "for c = 0, 2 do for y = 0, 5 do for x = 0, 5 do for k = 0, 1 do for dy = 0, 2 do for dx = 0, 2 do\n"                                           \
    "  from[#from + 1], to[#to + 1], w[#w + 1] = (k * 8 + y + dy) * 8 + x + dx + 1, (c * 6 + y) * 6 + x + 1, 2 * ((c * 7 + k * 5 + dy * 3 + dx * 2) % 13 - 5)\n"  \
    "end end end end end end\n"                                                                                                                     \
    "net:connect(A, B, { rule = 'list', sources = from, targets = to }, { weight = w, delay = 1, synapse = 'loihi' })\n"                            \
    "net:connect(B, C, { rule = 'all_to_all' }, { weight = rv.uniform(-60, 80), delay = 1, synapse = 'loihi' })\n"                                  \
    "net:record({ A, B, C }, 'spikes') net:run(40)\n"                                                                                               \
    "local verified, note = net:export('netx', 'script.net') assert(verified and note:find('the same'))\n"

static void test_shapes(void **state)
{
    (void)state;
    write_file("kernel.lua", KERNEL);
    write_file("kernel.csv", "1,3,1\n2,5,1\n3,100,1\n");
    expect(0, "export kernel.lua --format netx -o verb.net", "\"verb.net\" was read back and run for 200 steps: the same ");
    expect(0, "run verb.net input=kernel.csv", "conv 6x6x3");
    expect(0, "run kernel.lua", "conv");
    expect(0, "run script.net input=kernel.csv", "conv 6x6x3");
}

/* A neuron that hears more than a core can: the verbs split it, and the script gets the network that was mapped. */
static void test_split(void **state)
{
    (void)state;
    write_file("small.chip", "like = loihi2\ninput_axons = 50 # to see what happens\n");
    write_file("fan.lua", "local rv = require 'ranvier' local net = rv.network { resolution = 1, seed = 1 }\n"
                          "local input, a = net:population('input', 120, 'poisson_generator', { rate = 40 }), net:population('a', 3, 'loihi_lif', { du = 500, dv = 200, vth = 500 })\n"
                          "net:connect(input, a, { rule = 'all_to_all' }, { weight = rv.uniform(0, 90), delay = 2, synapse = 'loihi' })\n"
                          "if rv.arg.split then\n"
                          "  local placement, split = net:map('./small.chip') net:record(a, 'spikes') split:record(split:find('a'), 'spikes')\n"
                          "  net:run(100) split:run(100) rv.check(net:hash() == split:hash() and a:count() > 10, 'the same spikes')\n"
                          "else net:run(100) end\n");
    expect(0, "run fan.lua split=1", "");
    expect(0, "map fan.lua --chip ./small.chip", "360 of their synapses are gathered by 30 neurons more, of the model loihi_graded");
    expect(0, "export fan.lua --chip ./small.chip --format ranvier -o fan.h5", "\"fan.h5\" was read back and run for 200 steps: the same ");
    expect(1, "export fan.lua --chip ./small.chip --format header -o fan.h", "population \"input to a sums\": its model is loihi_graded, but headers hold neurons of one kind: the nearest is loihi_lif");
}

static void test_learning(void **state)
{
    (void)state;
    write_file("stdp.lua", "local rv = require 'ranvier' local net = rv.network { resolution = 1, seed = 1 }\n"
                           "local input, a = net:population('input', 30, 'poisson_generator', { rate = 60 }), net:population('a', 8, 'loihi_lif', { du = 500, dv = 200, vth = 300 })\n"
                           "net:connect(input, a, { rule = 'all_to_all' }, { weight = rv.uniform(10, 60), delay = 1, synapse = 'loihi', plasticity = 'stdp_loihi', learning_rate = 0.25 })\n"
                           "net:run(100)\n");
    expect(0, "export stdp.lua --format ranvier -o stdp.h5", "spikes and the same weights learnt, on random input");
    expect(1, "export stdp.lua --format netx -o stdp.net", "netx files hold no learning rule (stdp_loihi)");
}

static void test_export(void **state)
{
    (void)state;
    char path[PATH_MAX], script[4 * PATH_MAX];
    snprintf(path, sizeof path, "%s/script.h5", folder);
    snprintf(script, sizeof script,
             LAYERS "local q = net:quantize('loihi2', { bits = 5 })\n"
                    "assert(q:export('ranvier', '%s') == false)\n"
                    "for _, name in ipairs { 'input', 'a', 'b' } do q:record(q:find(name), 'spikes') end q:run(80)\n"
                    "local verified, note = q:export('ranvier', '%s', { chip = 'loihi1' }) assert(verified and note:find('for 80 steps'))\n"
                    "assert(q:export('ranvier', '%s', { verify = false }) == false)\n"
                    "for format, path in pairs { netx = 'x.h5', nxet = 'x.h5', ranvier = 'x.txt' } do assert(not pcall(q.export, q, format, path)) end\n",
             path, path, path);
    script_outcome o = script_run_text(script, strlen(script), NULL);
    if (o.status != RV_OK || o.exit_status != 0) fail_msg("%s", o.message);
}

static int set_up(void **state)
{
    (void)state;
    const char *name = getenv("RANVIER");
    if (!realpath(name ? name : "build/ranvier", command) || !mkdtemp(folder)) return 1;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char line[PATH_MAX];
    snprintf(line, sizeof line, "rm -r %s", folder);
    return system(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantize), cmocka_unit_test(test_quantize_refused), cmocka_unit_test(test_map), cmocka_unit_test(test_map_verb),
        cmocka_unit_test(test_map_verb_refused), cmocka_unit_test(test_export_verb), cmocka_unit_test(test_export), cmocka_unit_test(test_shapes), cmocka_unit_test(test_split), cmocka_unit_test(test_learning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
