/* Files as input of a network: rv.read_spikes() and rv.read_events() in scripts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "io/script_command.h"
#include "tests/support/script_run.h"

__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static char folder[] = "/tmp/ranvier_files_XXXXXX";

static script_outcome run(const char *text)
{
    char                  whole[8000], path[64];
    const script_argument arguments[] = { { "dir", folder } };
    snprintf(whole, sizeof whole, "local rv = require 'ranvier' local dir = rv.arg.dir\n%s", text);
    snprintf(path, sizeof path, "%s/files.lua", folder);
    return script_run_text(whole, strlen(whole), &(script_options){ .quiet = true, .path = path, .arguments = arguments, .n_arguments = 1 });
}

static void ensure_runs(const char *text)
{
    script_outcome o = run(text);
    if (o.status != RV_OK || o.exit_status) fail_msg("%s", o.message[0] ? o.message : "a check of the script failed");
}

static void ensure_refused(const char *text, const char *sentence)
{
    script_outcome o = run(text);
    if (o.status == RV_OK) fail_msg("%s: accepted", text);
    if (!strstr(o.message, sentence)) fail_msg("\"%s\", expected in it \"%s\"", o.message, sentence);
    if (!strstr(o.message, "files.lua:2: ")) fail_msg("\"%s\", expected the line", o.message);
}

static void write_text(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* What one network recorded is the input of the next, spike for spike. */
static void recorded_spikes_are_played(void **state)
{
    (void)state;
    ensure_runs("local a = rv.network { seed = 3 }\n"
                "local p = a:population('p', 40, 'poisson_generator', { rate = 50 })\n"
                "local q = a:population('q', 3, 'poisson_generator', { rate = 50 })\n"
                "a:record({ p, q }, 'spikes') a:output(dir .. '/spikes.h5') a:run(300)\n");
    ensure_runs("local lists, about = rv.read_spikes(dir .. '/spikes.h5', 'p')\n"
                "rv.check(#lists == 40 and about.size == 40 and about.population == 'p', 'the size')\n"
                "local net = rv.network { seed = 9 }\n"
                "local p = net:population('p', #lists, 'spike_generator', { spike_times = lists })\n"
                "net:record(p, 'spikes') net:run(300)\n"
                "local a = rv.network { seed = 3 }\n"
                "local o = a:population('p', 40, 'poisson_generator', { rate = 50 })\n"
                "a:record(o, 'spikes') a:run(300)\n"
                "local t, n = p:spikes() local u, m = o:spikes()\n"
                "rv.check(#t == #u and #t == about.count and #t > 400, #t .. ' spikes, expected ' .. #u)\n"
                "for i = 1, #t do if math.abs(t[i] - u[i]) > 1e-9 or n[i] ~= m[i] then rv.check(false, 'spike ' .. i) break end end\n");
}

static void windows_and_sizes(void **state)
{
    (void)state;
    write_text("two.csv", "time_ms,neuron,population\n1,0,a\n5,2,a\n5,0,b\n10,2,a\n20,1,a\n");
    ensure_runs("local lists, about = rv.read_spikes(dir .. '/two.csv', { population = 'a', from = 1, to = 10, start = 100, size = 7 })\n"
                "rv.check(#lists == 7 and about.count == 2, about.count .. ' spikes')\n"
                "rv.check(#lists[1] == 0 and #lists[3] == 2 and lists[3][1] == 104 and lists[3][2] == 109, 'times count from `from` on')\n"
                "rv.check(about.summary == 'columns of text, named: time (ms), neuron, population', about.summary)\n");
    ensure_refused("rv.read_spikes(dir .. '/two.csv')", "has 2 populations; population = \"...\" chooses one");
    ensure_refused("rv.read_spikes(dir .. '/two.csv', 'c')", "has no spikes of a population \"c\"; it has a, b");
    ensure_refused("rv.read_spikes(dir .. '/two.csv', { population = 'a', size = 2 })", "has a spike of neuron 2 (counted from 0), size = 2");
    ensure_refused("rv.read_spikes(dir .. '/two.csv', { populaton = 'a' })", "did you mean population");
    ensure_refused("rv.read_spikes(dir .. '/none.csv')", "no such file");
    write_text("bad.csv", "time_ms,neuron\n1,x\n");
    ensure_refused("rv.read_spikes(dir .. '/bad.csv')", "line 2: the neuron is \"x\"");
    write_text("far.csv", "time_ms,neuron\n1,900000000\n");
    ensure_refused("rv.read_spikes(dir .. '/far.csv')", "allowed are 67108864");
}

/* A camera with 16 x 8 pixels, written with Ranvier's own writer: one event in each corner and some between. */
static void make_recording(void)
{
    ensure_runs("local net = rv.network {}\n"
                "local lists = {} for i = 1, 16 * 8 * 2 do lists[i] = {} end\n"
                "local function event(t, x, y, off) local l = lists[(off and 128 or 0) + y * 16 + x + 1] l[#l + 1] = t end\n"
                "event(1, 0, 0) event(2, 15, 0) event(3, 0, 7, true) event(4, 15, 7, true) event(5, 3, 2) event(6, 3, 2) event(7, 3, 2) event(7, 4, 2)\n"
                "local cam = net:population('camera', { 16, 8, 2 }, 'spike_generator', { spike_times = lists })\n"
                "net:record(cam, 'spikes') net:output(dir .. '/cam.h5') net:run(10)\n");
}

static void recordings_become_input(void **state)
{
    char from[64], to[64], *words[] = { from, to, "--quiet" };
    (void)state;
    make_recording();
    snprintf(from, sizeof from, "%s/cam.h5", folder), snprintf(to, sizeof to, "%s/cam.aedat4", folder);
    assert_int_equal(command_convert(&(command){ .argc = 3, .argv = words }), 0);
    ensure_runs("local e = rv.read_events(dir .. '/cam.aedat4')\n"
                "rv.check(e.columns == 16 and e.rows == 8 and e.polarities == 2 and #e.times == 256, 'the shape')\n"
                "rv.check(e.count == 8 and e.format:find('AEDAT 4.0') == 1, e.format)\n"
                "rv.check(#e.times[1] == 1 and #e.times[16] == 1 and #e.times[128 + 7 * 16 + 1] == 1, 'the corners')\n"
                "rv.check(math.abs(e.times[16][1] - 1) < 1e-9 and e.times[1][1] == 0.001, 'times from the first event on, which is not at 0')\n"
                "local net = rv.network {}\n"
                "local cam = net:population('cam', e.shape, 'spike_generator', { spike_times = e.times })\n"
                "net:record(cam, 'spikes') net:run(10)\n"
                "rv.check(cam:count() == 8, cam:count() .. ' spikes')\n");
    ensure_runs("local e = rv.read_events(dir .. '/cam.aedat4', { columns = 4, rows = 4, polarity = 'merged', from = 1.5, to = 6.5, start = 20 })\n"
                "rv.check(e.columns == 4 and e.rows == 4 and e.polarities == 1 and #e.times == 16, 'the grid')\n"
                "rv.check(e.count == 6, e.count .. ' events')\n"
                "rv.check(#e.times[5] == 3 and #e.times[6] == 1, '(3, 2) is in column 0, (4, 2) in column 1, both of row 1')\n"
                "rv.check(math.abs(e.times[13][1] - 20.5) < 1e-9, e.times[13][1])\n");
    ensure_runs("local e = rv.read_events(dir .. '/cam.aedat4', { polarity = 'off', crop = { 8, 4, 8, 4 } })\n"
                "rv.check(e.count == 1 and e.columns == 8 and #e.times == 32 and #e.times[32] == 1, 'the crop')\n");
    ensure_refused("rv.read_events(dir .. '/cam.aedat4', { columns = 17, rows = 8 })", "a grid of 17 x 8 pixels, allowed up to the 16 x 8 of the crop");
    ensure_refused("rv.read_events(dir .. '/cam.aedat4', { columns = 4 })", "a grid of 4 columns and 0 rows");
    ensure_refused("rv.read_events(dir .. '/cam.aedat4', { polarity = 'up' })", "allowed are");
    ensure_refused("rv.read_events(dir .. '/cam.aedat4', { crop = { 1, 2 } })", "crop has 2 numbers");
    ensure_refused("rv.read_events(dir .. '/cam.h5')", "this begins no recording known here");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_spikes_are_played),
        cmocka_unit_test(windows_and_sizes),
        cmocka_unit_test(recordings_become_input),
    };
    return cmocka_run_group_tests_name("files of scripts", tests, make_folder, remove_folder);
}
