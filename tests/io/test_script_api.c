/* What scripts can do: each test is a script that asserts what should come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/script_run.h"

/* fontconfig and HDF5 keep caches that the leak checker takes for leaks */
__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libhdf5\n"; }

static char folder[] = "/tmp/ranvier_test_XXXXXX";

/* The script must end well; the lines of its message count from the first line of the text. */
static void good(const char *text, const script_options *options)
{
    script_outcome outcome = script_run_text(text, strlen(text), options);
    if (outcome.status != RV_OK || outcome.exit_status != 0)
        fail_msg("%s (exit status %d) in\n%s", outcome.message, outcome.exit_status, text);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* ---- section 5 of the design, word for word; only the run is shorter -------------------------------------------- */

static const char design[] =
    "local rv  = require \"ranvier\"\n"
    "local net = rv.network { resolution = 0.1, seed = 1 }          -- ms; timing = \"grid\" (default) or \"exact\"\n"
    "\n"
    "local lif = { C_m = 1, tau_m = 20, E_L = 0, V_th = 20, V_reset = 10, t_ref = 2, V_m = 0 }\n"
    "local E = net:population(\"E\", 8000, \"iaf_psc_delta\", lif)      -- a value, a list, rv.normal(m, s), rv.uniform(a, b), …\n"
    "local I = net:population(\"I\", 2000, \"iaf_psc_delta\", lif)\n"
    "\n"
    "net:connect(E, {E, I}, { rule = \"fixed_indegree\", indegree = 800 }, { weight =  0.1, delay = 1.5 })\n"
    "net:connect(I, {E, I}, { rule = \"fixed_indegree\", indegree = 200 }, { weight = -0.5, delay = 1.5 })\n"
    "net:poisson({E, I}, { rate = 20000, weight = 0.1 })            -- Hz, independent for every neuron\n"
    "\n"
    "net:record({E, I}, \"spikes\")                                   -- or net:record(E:slice(1, 10), \"V_m\", { interval = 0.1 })\n"
    "net:run(25)                                                    -- ms; progress bar on a terminal\n"
    "\n"
    "print(E:rate(), I:rate(), E:cv())\n"
    "net:plot(\"brunel.png\")                                         -- raster and rates; .svg and .pdf too\n";

static void design_script(void **state)
{
    (void)state;
    char text[sizeof design + 200];
    snprintf(text, sizeof text, "%sassert(E:rate() > 1 and I:rate() > 1)\n", design);
    good(text, &(script_options){ .quiet = true });
    assert_int_equal(access("brunel.png", R_OK), 0);
    assert_int_equal(remove("brunel.png"), 0);
}

/* ---- populations --------------------------------------------------------------------------------------------------
 */

#define HEAD                                                                                                            \
    "local rv = require 'ranvier' local net = rv.network{ seed = 5 }\n"                                                 \
    "local function same(a, b, text) assert(a == b, string.format('%s: expected %s, got %s', text or '', b, a)) end\n"  \
    "local function near(a, b, e) assert(math.abs(a - b) <= e, string.format('expected %.12g, got %.12g', b, a)) end\n" \
    "local function list(a) return table.concat(a, ' ') end\n"

static void parameters(void **state)
{
    (void)state;
    good(
        HEAD
        "local E = net:population('E', 4, 'iaf_psc_exp', { tau_m = 12, V_m = { -70, -69, -68, -67 }, I_e = rv.uniform(1, 2) })\n"
        "same(E.name, 'E') same(E.size, 4) same(#E, 4) same(E.model, 'iaf_psc_exp') same(tostring(E), 'population \"E\"')\n"
        "same(list(E:get('tau_m')), '12.0 12.0 12.0 12.0')\n"
        "same(list(E:get('V_m')), '-70.0 -69.0 -68.0 -67.0')\n"
        "for _, x in ipairs(E:get('I_e')) do assert(x >= 1 and x <= 2) end\n"
        "local odd = E:slice(1, 4, 2) same(#odd, 2) same(list(odd:get('V_m')), '-70.0 -68.0')\n"
        "odd:set('V_m', { -50, -40 }) same(list(E:get('V_m')), '-50.0 -69.0 -40.0 -67.0')\n"
        "same(list(odd:slice(2, 2):get('V_m')), '-40.0') same(tostring(odd:slice(2, 2)), 'population \"E\"[3..3]')\n"
        "assert(odd:slice(2):set('tau_m', 20) ~= nil) same(list(E:get('tau_m')), '12.0 12.0 20.0 12.0')\n"
        "local V = E:get('V_m') net:run(10) same(#E:get('V_m'), 4) assert(E:get('V_m')[1] ~= V[1])\n",
        NULL);
}

static void distributions(void **state)
{
    (void)state;
    good(
        HEAD
        "local n = 20000 local E = net:population('E', n, 'iaf_psc_exp')\n"
        "local function moments(v) E:set('I_e', v) local x = E:get('I_e') return rv.stats.mean(x), rv.stats.sd(x), x end\n"
        "local m, s = moments(rv.normal(10, 2)) near(m, 10, 0.1) near(s, 2, 0.1)\n"
        "m, s = moments(rv.uniform(2, 4)) near(m, 3, 0.05) near(s, 2 / math.sqrt(12), 0.05)\n"
        "m, s = moments(rv.exponential(3)) near(m, 3, 0.1) near(s, 3, 0.1)\n"
        "m, s = moments(rv.lognormal(1, 0.5)) near(m, math.exp(1.125), 0.1)\n"
        "local _, _, x = moments(rv.normal(0, 1, { min = 0 })) local zeros = 0\n"
        "for _, y in ipairs(x) do assert(y >= 0) if y == 0 then zeros = zeros + 1 end end near(zeros / n, 0.5, 0.02)\n"
        "_, _, x = moments(rv.normal(0, 1, { min = 0, max = 1, redraw = true }))\n"
        "for _, y in ipairs(x) do assert(y > 0 and y < 1) end\n"
        "same(tostring(rv.normal(1, 2, { min = 0, max = 3 })), 'rv.normal(1, 2, { min = 0, max = 3 })')\n"
        "same(tostring(rv.exponential(4)), 'rv.exponential(4)')\n",
        NULL);
}

/* ---- connections --------------------------------------------------------------------------------------------------
 */

static void rules(void **state)
{
    (void)state;
    good(
        HEAD
        "local A = net:population('A', 10, 'iaf_psc_delta') local B = net:population('B', 20, 'iaf_psc_delta')\n"
        "local expected, made = {}, {}\n"
        "local function expect(n, projection) made[#made + 1] = projection expected[#made] = n end\n"
        "expect(200, net:connect(A, B)) expect(200, net:connect(A, B, 'all_to_all'))\n"
        "expect(10, net:connect(A, B:slice(11, 20), { rule = 'one_to_one' }))\n"
        "expect(60, net:connect(A, B, { rule = 'fixed_indegree', indegree = 3 }))\n"
        "expect(30, net:connect(A, B, { rule = 'fixed_outdegree', outdegree = 3 }))\n"
        "expect(7, net:connect(A, B, { rule = 'fixed_total_number', n = 7 }))\n"
        "expect(200, net:connect(A, B, { rule = 'pairwise_bernoulli', p = 1 }))\n"
        "expect(90, net:connect(A, A, { rule = 'all_to_all', allow_autapses = false }))\n"
        "local pair = net:connect({ A, B }, { A, B }, { rule = 'fixed_indegree', indegree = 2 }, { weight = 0.5 })\n"
        "local listed = net:connect(A, B, { rule = 'list', sources = { 1, 10, 1 }, targets = { 20, 1, 2 } },\n"
        "                           { weight = { 1, 2, 3 }, delay = { 1, 2, 1 } })\n"
        "local none = net:connect(A, B, 'all_to_all', { weight = 0 })\n"
        "for k = 1, #made do same(#made[k], expected[k], k) end\n"
        "same(pair.count, 4) same(#pair, 120) same(#pair[2], 40) same(pair[5], nil) same(pair[2].source.name, 'A')\n"
        "same(pair[2].target.name, 'B') same(pair.rule, 'fixed_indegree') same(pair.plasticity, nil)\n"
        "local s, t, w, d = listed:synapses()\n"
        "same(list(s), '1 1 10') same(list(t), '2 20 1') same(list(w), '3.0 1.0 2.0') same(list(d), '1.0 1.0 2.0')\n"
        "listed:set_weights{ 7, 8, 9 } same(list(listed:weights()), '7.0 8.0 9.0')\n"
        "listed:set_weights(4) same(list(listed:weights()), '4.0 4.0 4.0')\n"
        "same(none:weights()[1], 0.0)\n"
        "local by = {} for i = 1, 40 do by[i] = i end pair:set_weights(2) pair[2]:set_weights(by)\n"
        "same(pair:weights()[20], 2.0) same(pair:weights()[21], 1.0) same(pair:weights()[60], 40.0) same(pair:weights()[61], 2.0)\n",
        NULL);
}

static void changing_synapses(void **state)
{
    (void)state;
    good(
        HEAD
        "local A = net:population('A', 10, 'iaf_psc_delta') local B = net:population('B', 20, 'iaf_psc_delta')\n"
        "local listed = net:connect(A, B, { rule = 'list', sources = { 1, 10, 1 }, targets = { 20, 1, 2 } },\n"
        "                           { weight = { 1, 2, 3 }, delay = { 1, 2, 1 } })\n"
        "local both = net:connect({ A, B }, B, { rule = 'fixed_indegree', indegree = 4 })\n"
        "listed:set_delays{ 3, 2, 1 } same(list(listed:delays()), '2.0 3.0 1.0') same(list(listed:weights()), '1.0 3.0 2.0')\n"
        "listed:set_delays(4) same(list(listed:delays()), '4.0 4.0 4.0')\n"
        "listed:normalise{ total = 5 } same(list(listed:weights()), '5.0 5.0 5.0')\n"
        "same(listed:rewire{ prune_below = 6 }, listed) same(#listed, 0) same(listed:rewired(), 3)\n"
        "listed:rewire{ indegree = 2, weight = 1, delay = 1 } same(#listed, 40) same(select(2, listed:rewired()), 40)\n"
        "both:rewire{ density = 0.3 } same(#both, 20 * (4 + 6)) both:set_delays(2) same(both:delays()[200], 2.0)\n",
        NULL);
    good(
        HEAD
        "local A = net:population('A', 10, 'iaf_psc_delta') local J = net:connect(A, A, { rule = 'fixed_indegree', indegree = 4 }, { weight = 2 })\n"
        "J:normalise{ total = 4, interval = 5 } J:scale{ rate = 5, interval = 10, beta = 0.1 } J:rewire{ prune_below = 0.1, indegree = 5, interval = 5 }\n"
        "J:learn_delays{ interval = 10, rate = 0.1, tau = 5, delay_min = 1, delay_max = 3 }\n"
        "net:run(20) same(#J, 50) J:rewire{ interval = math.huge } J:normalise{ total = 1, interval = math.huge } net:run(20)\n",
        NULL);
}

static void distances(void **state)
{
    (void)state;
    good(
        HEAD
        "local where = {} for i = 1, 10 do where[i] = { i - 1, 0 } end\n"
        "local A = net:population('A', 10, 'iaf_psc_delta', {}, { positions = where, periodic = { 10, 0 } })\n"
        "local c = net:connect(A, A, 'all_to_all', { weight = function(d) return 10 * d end, delay = rv.distance.linear{ offset = 1, slope = 0.5 } })\n"
        "local g = net:connect(A, A, { rule = 'pairwise_bernoulli', p = function(d) return d <= 2 and 1 or 0 end },\n"
        "                      { weight = rv.distance.gaussian{ factor = 2, sigma = 1 } })\n"
        "local s, t, w, d = c:synapses() same(#s, 100) same(#g, 50)\n"
        "for k = 1, 100 do local r = math.abs(s[k] - t[k]) r = math.min(r, 10 - r) near(w[k], 10 * r, 1e-4) near(d[k], 1 + 0.5 * r, 1e-9) end\n"
        "local s, t, w = g:synapses()\n"
        "for k = 1, 50 do local r = math.abs(s[k] - t[k]) r = math.min(r, 10 - r) near(w[k], 2 * math.exp(-r * r / 2), 1e-6) end\n",
        NULL);
}

/* ---- inputs, probes, running ------------------------------------------------------------------------------------ */

static void inputs(void **state)
{
    (void)state;
    good(
        HEAD
        "local E = net:population('E', 100, 'iaf_psc_exp', { E_L = 0, V_m = 0, V_th = 1000, V_reset = 0, C_m = 100, tau_m = 10 })\n"
        "local dc = net:dc(E:slice(1, 50), { amplitude = 100 }) net:step(E:slice(51, 60), { times = { 100, 200 }, amplitudes = { 50, -50 } })\n"
        "net:sine(E:slice(61, 70), { amplitude = 10, frequency = 10 }) net:noise(E:slice(71, 80), { mean = 0, std = 10 })\n"
        "net:poisson(E:slice(81, 100), { rate = 1000, weight = 1 })\n"
        "local probe = net:record(E, 'V_m', { interval = 1 }) net:run(200)\n"
        "local V = probe:values() same(#V, 100) same(#V[1], 200) same(#probe:times(), 200) near(probe:times()[200], 200, 1e-9)\n"
        "near(V[1][200], 100 * 10 / 100, 1e-6) near(V[51][100], 0, 1e-12) near(V[51][200], 50 * 10 / 100, 1e-2)\n"
        "same(probe.variable, 'V_m') same(probe.unit, 'mV') same(probe.interval, 1.0) same(#probe:values(7), 200)\n"
        "dc:set('amplitude', 0) net:run(200) near(probe:values(1)[400], 0, 1e-6)\n",
        NULL);
}

static void statistics(void **state)
{
    (void)state;
    good(
        HEAD
        "local G = net:population('G', 2, 'spike_generator', { spike_times = { { 10, 20, 30, 40 }, { 15, 45 } } })\n"
        "net:record(G, 'spikes') local r = net:record(G, 'rate', { bin = 10 }) net:run(50)\n"
        "local t, i = G:spikes() same(#t, 6) near(t[1], 10, 1e-9) same(list(i), '1 2 1 1 1 2')\n"
        "t, i = G:spikes(10, 30) same(#t, 3) near(t[3], 30, 1e-9)\n"
        "t, i = G:slice(2, 2):spikes() same(#t, 2) same(i[1], 1)\n"
        "near(G:rate(), 6 / 2 / 0.05, 1e-9) near(G:rate(10, 30), 3 / 2 / 0.02, 1e-9) near(G:slice(2):rate(), 40, 1e-9)\n"
        "near(G:rates()[1], 80, 1e-9) near(G:rates()[2], 40, 1e-9) same(G:count(), 6) same(#G:isi(), 4) near(G:isi()[4], 30, 1e-9)\n"
        "near(G:cv(), 0, 1e-9) assert(G:fano(10) > 0) assert(G:synchrony(10) <= 1) assert(G:correlation(10) <= 1)\n"
        "near(list(r:values(1)):match('%S+'), 50, 1e-9) same(#net:hash(), 16)\n"
        "G:slice(1, 1):set('spike_times', { 60 }) net:run(50) same(G:count(), 7)\n"
        "near(rv.stats.mean{ 1, 2, 3 }, 2, 0) near(rv.stats.sd{ 1, 2, 3 }, 1, 1e-12) same(rv.stats.median{ 3, 1, 2 }, 2.0)\n"
        "local counts, centres = rv.stats.histogram({ 0.1, 0.2, 0.7 }, 0, 1, 2) same(list(counts), '2.0 1.0') same(list(centres), '0.25 0.75')\n",
        NULL);
}

static void callbacks(void **state)
{
    (void)state;
    good(
        HEAD
        "local E = net:population('E', 3, 'iaf_psc_delta', { E_L = 0, V_m = 0, V_th = 20, V_reset = 0, C_m = 1, tau_m = 20, I_e = 2 })\n"
        "net:record(E, 'spikes') local heard, at, every = {}, {}, {}\n"
        "E:on_spike(function(neuron, t) heard[#heard + 1] = neuron .. '@' .. t end)\n"
        "net:at(50, function(t) at[#at + 1] = t E:slice(3, 3):set('I_e', 0) same(net:time(), t) end)\n"
        "net:every(30, function(t) every[#every + 1] = t end)\n"
        "same(net:run(60), true) same(net:run(60), true) same(list(at), '50.0') same(list(every), '30.0 60.0 90.0 120.0')\n"
        "local t, i = E:spikes() same(#heard, #t) for k = 1, #t do same(heard[k], i[k] .. '@' .. t[k]) end\n"
        "assert(#t > 3) same(net:time(), 120.0)\n"
        "net:at(150, function() net:stop() end) same(net:run(100), false) assert(net:time() < 200) same(net:run(10), true)\n"
        "local co = coroutine.create(function() net:run(10) coroutine.yield(net:time()) net:run(10) end)\n"
        "local before = net:time() local _, now = coroutine.resume(co) near(now, before + 10, 1e-9) assert(coroutine.resume(co))\n"
        "near(net:time(), before + 20, 1e-9) assert(net:profile().spikes >= #t)\n",
        NULL);
}

static void two_networks(void **state)
{
    (void)state;
    good(
        HEAD
        "local function build(seed, timing)\n"
        "  local net = rv.network{ seed = seed, timing = timing }\n"
        "  local E = net:population('E', 50, 'iaf_psc_delta', { E_L = 0, V_m = rv.uniform(0, 20), V_th = 20, V_reset = 0, C_m = 1, tau_m = 20 })\n"
        "  net:poisson(E, { rate = 15000, weight = 0.1 }) net:record(E, 'spikes') return net, E end\n"
        "local a, A = build(1) local b = build(1) local c = build(2) a:run(100) b:run(50) c:run(100) b:run(50)\n"
        "same(a:hash(), b:hash()) assert(a:hash() ~= c:hash()) assert(A:count() > 0)\n"
        "same(build(1, 'exact').timing, 'exact') same(a.seed, 1) same(a.resolution, 0.1) assert(a.threads >= 1)\n"
        "a, b, c, A = nil collectgarbage() for i = 1, 20 do build(i):run(1) end collectgarbage()\n",
        NULL);
}

static void figures_and_files(void **state)
{
    (void)state;
    good(
        HEAD
        "local E = net:population('E', 20, 'iaf_psc_delta', { E_L = 0, V_m = rv.uniform(0, 20), V_th = 20, V_reset = 0, C_m = 1, tau_m = 20, I_e = 2 })\n"
        "net:record(E, 'spikes') local v = net:record(E:slice(1, 2), 'V_m') net:output('own.h5') net:run(100)\n"
        "net:plot('a.svg') net:plot('b.pdf', { from = 10, to = 90, title = 'T', panels = 'raster', bin = 1 })\n"
        "net:plot('c.png', { panels = { 'raster', 'rate', 'traces', 'isi', 'rates' }, traces = { v } })\n"
        "rv.plot('d.svg', { title = 'x', curves = { { x = { 1, 2 }, y = { 3, 4 }, label = 'a', x_label = 'I', y_label = 'f', points = true } } })\n"
        "rv.write_csv('e.csv', { { 't', { 1, 2 } }, { 'x', { 0.5 } } })\n",
        &(script_options){ .quiet = true, .out = "out.h5", .command_line = "test" });
    static const char *const files[] = { "own.h5", "out.h5", "a.svg", "b.pdf", "c.png", "d.svg" };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        assert_int_equal(access(files[i], R_OK), 0);
        assert_int_equal(remove(files[i]), 0);
    }
    char  text[64] = { 0 };
    FILE *csv = fopen("e.csv", "r");
    assert_true(csv && fread(text, 1, sizeof text - 1, csv) > 0);
    fclose(csv);
    assert_string_equal(text, "t,x\n1,0.5\n2,\n");
    assert_int_equal(remove("e.csv"), 0);
}

/* ---- command line and environment ------------------------------------------------------------------------------- */

static void arguments_and_overrides(void **state)
{
    (void)state;
    const uint64_t        seed = 77;
    const rv_timing       timing = RV_EXACT;
    const script_argument arguments[] = { { "time", "250" }, { "name", "AI" }, { "hex", "0x10" }, { "rate", "1e3" } };
    const script_options  options = {
         .quiet = true, .seed = &seed, .timing = &timing, .threads = 1, .arguments = arguments, .n_arguments = 4
    };
    good(
        "local rv = require 'ranvier' local net = rv.network{ seed = 1, timing = 'grid', threads = 2 }\n"
        "assert(net.seed == 77 and net.timing == 'exact' and net.threads == 1)\n"
        "assert(rv.arg.time == 250 and math.type(rv.arg.time) == 'integer' and rv.arg.name == 'AI' and rv.arg.hex == 16 and rv.arg.rate == 1000.0)\n"
        "assert(rv.arg.nothing == nil) local n = 0 for k, v in pairs(rv.arg) do n = n + 1 end assert(n == 4)\n",
        &options);
}

static void reproducible(void **state)
{
    (void)state;
    static const char *script =
        "local rv = require 'ranvier' local t = {}\n"
        "for i = 1, 100 do t['key' .. i] = i end for i = 1, 5 do t[i] = i end t[2.5] = 1\n"
        "local order = {} for k in pairs(t) do order[#order + 1] = tostring(k) end\n"
        "assert(#order == 106 and order[1] == '1' and order[3] == '2.5' and order[7] == 'key1' and order[8] == 'key10')\n"
        "local a = math.random(1 << 40) math.randomseed() assert(math.random(1 << 40) == a)\n"
        "rv.network{ seed = 4 } local b = math.random(1 << 40) assert(b ~= a)\n"
        "rv.network{ seed = 4 } assert(math.random(1 << 40) == b) math.randomseed(9) assert(math.random(1 << 40) ~= b)\n"
        "local seen = 0 for k, v in pairs{ a = 1, b = 2, c = 3 } do seen = seen + v end assert(seen == 6)\n"
        "local p = setmetatable({}, { __pairs = function() return function(_, k) if not k then return 1, 2 end end end })\n"
        "for k, v in pairs(p) do assert(k == 1 and v == 2) end\n"
        "local r = { 1, 2, 3, x = 1 } for k in pairs(r) do r[k] = nil end assert(next(r) == nil)\n";
    good(script, NULL);
}

static void modules_beside_the_script(void **state)
{
    (void)state;
    write_file("helper.lua", "local M = {} function M.twice(x) return 2 * x end M.name = ... return M");
    write_file("broken.lua", "return 1 +");
    write_file("failing.lua", "\nerror 'inside'");
    assert_int_equal(symlink("/etc/passwd", "outside.lua"), 0);
    good("local h = require 'helper' assert(h.twice(4) == 8 and h.name == 'helper' and require 'helper' == h)", NULL);
    script_outcome outcome = script_run_text("require 'broken'", 16, NULL);
    assert_non_null(strstr(outcome.message, "broken.lua:1: unexpected symbol near <eof>"));
    outcome = script_run_text("require 'failing'", 17, NULL);
    assert_non_null(strstr(outcome.message, "failing.lua:2: inside"));
    outcome = script_run_text("require 'outside'", 17, NULL);
    assert_non_null(strstr(outcome.message, "is not a file in the script's folder"));
    static const char *const files[] = { "helper.lua", "broken.lua", "failing.lua", "outside.lua" };
    for (int i = 0; i < 4; i++) assert_int_equal(remove(files[i]), 0);
}

static void exits_and_checks(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int         exit_status;
    } table[] = {
        { "require 'ranvier'.exit()", 0 },
        { "require 'ranvier'.exit(7) error 'not reached'", 7 },
        { "require 'ranvier'.exit(true)", 0 },
        { "require 'ranvier'.exit(false)", 1 },
        { "pcall(require 'ranvier'.exit, 3) error 'not reached'", 3 },
        { "local rv = require 'ranvier' while true do pcall(function() rv.exit(4) end) end", 4 },
        { "local rv = require 'ranvier' coroutine.wrap(function() pcall(rv.exit, 5) error 'x' end)() error 'y'", 5 },
        { "local rv = require 'ranvier' local net = rv.network{} net:population('E', 1, 'iaf_psc_delta')"
          " net:at(1, function() rv.exit(6) end) pcall(net.run, net, 10) error 'not reached'",
          6 },
        { "local rv = require 'ranvier' assert(rv.check(true, 'fine'))", 0 },
        { "local rv = require 'ranvier' assert(not rv.check(1 > 2, 'wrong on purpose')) rv.check(true)", 1 },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        script_outcome outcome = script_run_text(table[i].text, strlen(table[i].text), NULL);
        if (outcome.status != RV_OK || outcome.exit_status != table[i].exit_status)
            fail_msg("%s\nexpected exit status %d, got %d %s", table[i].text, table[i].exit_status, outcome.exit_status,
                     outcome.message);
    }
}

static void unsafe_lifts_it(void **state)
{
    (void)state;
    good("assert(os.getenv and io.open and debug.getinfo and package.path and dofile and load('return 1'))\n"
         "assert(require 'ranvier'.network{}.seed == 0 and package.loaded.ranvier)",
         &(script_options){ .quiet = true, .unsafe = true });
}

int main(void)
{
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(design_script),
        cmocka_unit_test(parameters),
        cmocka_unit_test(distributions),
        cmocka_unit_test(rules),
        cmocka_unit_test(changing_synapses),
        cmocka_unit_test(distances),
        cmocka_unit_test(inputs),
        cmocka_unit_test(statistics),
        cmocka_unit_test(callbacks),
        cmocka_unit_test(two_networks),
        cmocka_unit_test(figures_and_files),
        cmocka_unit_test(arguments_and_overrides),
        cmocka_unit_test(reproducible),
        cmocka_unit_test(modules_beside_the_script),
        cmocka_unit_test(exits_and_checks),
        cmocka_unit_test(unsafe_lifts_it),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
