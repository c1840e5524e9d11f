/* Scripts that are wrong: every entry says which sentence, and on which line, the user gets to read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/script_run.h"

typedef struct wrong {
    const char *script;
    int         line;     /* of the error */
    const char *sentence; /* part of the message */
} wrong;

/* Line 1 of every script; the entries begin on line 2. */
#define HEAD                                                                                                           \
    "local rv = require 'ranvier'; local net = rv.network{}; local E = net:population('E', 10, 'iaf_psc_delta'); "     \
    "local I = net:population('I', 5, 'iaf_psc_delta'); local G = net:population('G', 2, 'spike_generator')\n"

static void check_table(const wrong *table, int n, const char *head)
{
    char text[4096], where[64];
    int  failures = 0;
    for (int i = 0; i < n; i++) {
        snprintf(text, sizeof text, "%s%s", head, table[i].script);
        snprintf(where, sizeof where, "model.lua:%d: ", table[i].line);
        script_outcome outcome = script_run_text(text, strlen(text), NULL);
        bool           at = strncmp(outcome.message, where, strlen(where)) == 0,
             said = strstr(outcome.message, table[i].sentence) != NULL;
        bool one_line = strchr(outcome.message, '\n') == NULL;
        if (at && said && one_line && outcome.exit_status == 1 && outcome.status != RV_OK) continue;
        print_error("script    %s\nexpected  %s ... %s\ngot       %s (exit status %d)\n", table[i].script, where,
                    table[i].sentence, outcome.message, outcome.exit_status);
        failures++;
    }
    assert_int_equal(failures, 0);
}
#define CHECK(table) check_table(table, sizeof table / sizeof *table, HEAD)

static void lua_itself(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "local x = ", 2, "unexpected symbol near <eof>" },
        { "x = = 1", 2, "unexpected symbol near '='" },
        { "\n\nfoo.bar = 1", 4, "attempt to index a nil value (global 'foo')" },
        { "error('my words')", 2, "my words" },
        { "error('no place', 0)", 2, "no place" },
        { "error({})", 2, "error raised with table instead of a text" },
        { "error()", 2, "error raised with nil" },
        { "error(setmetatable({}, { __tostring = function() return 'speaks' end }))", 2, "speaks" },
        { "local function f()\n  return f() + 1\nend f()", 3, "stack overflow" },
        { "string.rep()", 2, "bad argument #1 to 'rep'" },
        { "pairs(nil)", 2, "pairs: the argument is nil; a table is needed" },
        { "local t = setmetatable({}, { __index = function() error('inside') end }) return t.x", 2, "inside" },
        { "coroutine.wrap(function()\n error('in a coroutine') end)()", 2, "model.lua:3: in a coroutine" },
    };
    CHECK(table);
}

static void names_of_the_module(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "rv.netwrok{}", 2, "there is no rv.netwrok; did you mean rv.network?" },
        { "rv.normla(1, 2)", 2, "did you mean rv.normal?" },
        { "rv.distance.gausian{}", 2, "there is no rv.distance.gausian; did you mean rv.distance.gaussian?" },
        { "rv.stats.maen{}", 2, "did you mean rv.stats.mean?" },
        { "rv.load('x')", 2, "rv.load: cannot read \"x\"" },
        { "rv.arg.time = 5", 2, "rv.arg.time: arguments come from the command line" },
        { "rv.exit(300)", 2, "rv.exit: the code = 300, allowed are whole numbers from 0 to 255" },
        { "require 'ranveir'", 2, "there is no ranveir.lua beside the script" },
    };
    CHECK(table);
}

static void network_options(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "rv.network{ resolutoin = 0.1 }", 2, "rv.network: no option resolutoin; did you mean resolution?" },
        { "rv.network{ zzz = 1 }", 2, "there are resolution, seed, timing, threads, advance" },
        { "rv.network(5)", 2, "rv.network: the options are 5; a table is needed" },
        { "rv.network{ 1 }", 2, "entry without a name, [1]" },
        { "rv.network{ resolution = 'fine' }", 2, "rv.network: resolution is the text \"fine\"; a number is needed" },
        { "rv.network{ resolution = -1 }", 2, "resolution = -1" },
        { "rv.network{ resolution = 0 }", 2, "resolution = 0" },
        { "rv.network{ resolution = 0/0 }", 2, "resolution" },
        { "rv.network{ resolution = 1/0 }", 2, "resolution" },
        { "rv.network{ seed = -1 }", 2, "rv.network: seed = -1" },
        { "rv.network{ seed = 1.5 }", 2, "rv.network: seed is 1.5; a whole number is needed" },
        { "rv.network{ timing = 'exakt' }", 2, "rv.network: timing is \"exakt\"; did you mean \"exact\"?" },
        { "rv.network{ timing = 'x' }", 2, "allowed are grid, exact" },
        { "rv.network{ timing = 1 }", 2, "rv.network: timing is 1; a text is needed" },
        { "rv.network{ threads = -2 }", 2, "threads = -2" },
        { "rv.network{ threads = 100000 }", 2, "threads = 100000" },
        { "rv.network{ advance = 'sweeep' }", 2, "did you mean \"sweep\"?" },
    };
    CHECK(table);
}

static void methods_and_fields(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:conect(E, I)", 2, "network has no method or field conect; did you mean connect?" },
        { "net:posson(E, {})", 2, "did you mean poisson?" },
        { "E:rtae()", 2, "population \"E\" has no method or field rtae; did you mean rate" },
        { "print(E.V_m)", 2, "population \"E\": V_m is read with :get(\"V_m\")" },
        { "E.V_m = 3", 2, "population \"E\": a value is changed with :set(\"V_m\", value)" },
        { "net.seed = 3", 2, "network: its fields cannot be changed (seed)" },
        { "net.run(100)", 2, "is it called with a colon, as in network:run(...)?" },
        { "E.rate()", 2, "is it called with a colon, as in population:rate(...)?" },
        { "local p = net:connect(E, I) p:wieghts()", 2,
          "projection has no method or field wieghts; did you mean weights?" },
        { "net:poisson(E, { rate = 1 }):gett()", 2, "input has no method or field gett" },
        { "net:record(E, 'V_m'):vlues()", 2, "probe has no method or field vlues; did you mean values?" },
        { "rv.normal(0, 1).mean = 1", 2, "cannot be changed" },
        { "net:save('x')", 2, "net:save: the file" },
        {
            "getmetatable(net).__gc = nil",
            2,
            "attempt to index a string value",
        },
        { "setmetatable(net, {})", 2, "bad argument #1 to" },
    };
    CHECK(table);
}

static void populations(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:population()", 2, "net:population: the name (first argument) is nil; a text is needed" },
        { "net:population('X', '10', 'iaf_psc_delta')", 2,
          "the number of neurons (second argument) is the text \"10\"" },
        { "net:population('X', 0, 'iaf_psc_delta')", 2, "= 0, allowed are whole numbers from 1" },
        { "net:population('X', 1.5, 'iaf_psc_delta')", 2, "is 1.5; a whole number is needed" },
        { "net:population('X', 1e18 // 1 | 0, 'iaf_psc_delta')", 2, "X" },
        { "net:population('X', 10)", 2, "the model (third argument) is nil" },
        { "net:population('X', 10, 'iaf_psc_delt')", 2, "did you mean \"iaf_psc_delta\"?" },
        { "net:population('E', 10, 'iaf_psc_delta')", 2, "\"E\"" },
        { "net:population('', 10, 'iaf_psc_delta')", 2, "name" },
        { "net:population('X\\0Y', 10, 'iaf_psc_delta')", 2, "contains a zero byte" },
        { "net:population('X', 10, 'iaf_psc_delta', 5)", 2, "population \"X\": the parameters are 5" },
        { "net:population('X', 10, 'iaf_psc_delta', { tau_M = 5 })", 2, "did you mean \"tau_m\"?" },
        { "net:population('X', 10, 'iaf_psc_delta', { tau_m = 'x' })", 2,
          "population \"X\": tau_m is the text \"x\"; a number, a list or a distribution such as rv.normal(mean, sd) is needed" },
        { "net:population('X', 10, 'iaf_psc_delta', { tau_m = -5 })", 2, "population \"X\": tau_m = -5 ms" },
        { "net:population('X', 10, 'iaf_psc_delta', { tau_m = 0/0 })", 2, "tau_m" },
        { "net:population('X', 10, 'iaf_psc_delta', { tau_m = { 1, 2 } })", 2, "tau_m" },
        { "net:population('X', 2, 'iaf_psc_delta', { tau_m = { 1, 'a' } })", 2,
          "tau_m[2] is the text \"a\"; a list of numbers is needed" },
        { "net:population('X', 3, 'iaf_psc_delta', { tau_m = { 1, nil, 3 } })", 2, "tau_m[2] is nil" },
        { "net:population('X', 2, 'iaf_psc_delta', { tau_m = math.sin })", 2,
          "tau_m is a function; a number, a list or a distribution" },
        { "net:population('X', 2, 'iaf_psc_delta', { tau_m = E })", 2, "tau_m is population \"E\"; a number" },
        { "net:population('X', 2, 'iaf_psc_delta', { [1] = 3 })", 2, "entry without a name, [1]" },
        { "net:population('X', 2, 'iaf_psc_delta', {}, { positoins = {} })", 2,
          "no option positoins; did you mean positions?" },
        { "net:population('X', 2, 'iaf_psc_delta', {}, { positions = { { 0, 0 } } })", 2,
          "positions has 1 entries for 2 neurons" },
        { "net:population('X', 1, 'iaf_psc_delta', {}, { positions = { 0 } })", 2,
          "population \"X\": positions[1] is 0; a list of numbers" },
        { "net:population('X', 1, 'iaf_psc_delta', {}, { positions = { { 1, 2, 3, 4 } } })", 2,
          "positions[1] has 4 numbers" },
        { "net:population('X', 1, 'iaf_psc_delta', {}, { periodic = { 1, 1 } })", 2, "periodic needs positions" },
        { "net:population('X', 1, 'iaf_psc_delta', {}, { inhibitory = 1 })", 2, "inhibitory is 1; true or false" },
        { "E:set('tau_M', 5)", 2, "did you mean \"tau_m\"?" },
        { "E:set('tau_m')", 2, "tau_m is nil" },
        { "E:set(5, 5)", 2, "population:set: the name is 5; a text is needed" },
        { "E:get('v_m')", 2, "did you mean \"V_m\"?" },
        { "E:slice(0, 5)", 2, "population:slice: first = 0, allowed are whole numbers from 1 to 10" },
        { "E:slice(5, 11)", 2, "population:slice: last = 11, allowed are whole numbers from 1 to 10" },
        { "E:slice(5, 3)", 2, "last = 3 is before first = 5" },
        { "E:slice(1, 3, 0)", 2, "stride = 0" },
        { "E:slice(1, 3):slice(1, 4)", 2, "allowed are whole numbers from 1 to 3" },
        { "G:set('spike_times', { 1, 2 })", 2, "spike_times has lists for 1 neurons, there are 2" },
        { "G:set('spike_times', { { 1 }, { 'x' } })", 2, "spike_times[1] is the text \"x\"" },
        { "G:set('spike_times', 5)", 2, "spike_times is 5; a list of times is needed" },
        { "G:slice(1, 1):set('spike_times', { 3, 2 })", 2, "2" },
        { "E:set('spike_times', { { 1 } })", 2, "spike_times" },
    };
    CHECK(table);
}

static void distributions(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "rv.normal(1)", 2, "rv.normal: sd is nil; a number is needed" },
        { "rv.normal(1, -1)", 2, "rv.normal: sd = -1, allowed is 0 or more" },
        { "rv.normal(1, 0/0)", 2, "a finite number is needed" },
        { "rv.normal('a', 1)", 2, "rv.normal: mean is the text \"a\"" },
        { "rv.normal(1, 1, { mim = 0 })", 2, "rv.normal: no option mim; did you mean min?" },
        { "rv.normal(1, 1, { min = 2, max = 1 })", 2, "rv.normal: min = 2 is above max = 1" },
        { "rv.normal(1, 1, { redraw = true })", 2, "redraw = true needs min or max" },
        { "rv.normal(1, 1, { min = 0, redraw = 'yes' })", 2, "redraw is the text \"yes\"; true or false" },
        { "rv.uniform(2, 1)", 2, "rv.uniform: low = 2 is above high = 1" },
        { "rv.lognormal(0, -0.1)", 2, "rv.lognormal: sigma = -0.1" },
        { "rv.exponential(-3)", 2, "rv.exponential: mean = -3, allowed is 0 or more" },
        { "rv.distance.linear{}", 2, "rv.distance.linear: slope is needed" },
        { "rv.distance.exponential{}", 2, "rv.distance.exponential: length is needed" },
        { "rv.distance.gaussian{ sigma = 0 }", 2, "rv.distance.gaussian: sigma = 0, allowed is more than 0" },
        { "rv.distance.gaussian{ sgima = 1 }", 2, "did you mean sigma?" },
        { "rv.distance.gaussian(3)", 2, "the options are 3; a table is needed" },
    };
    CHECK(table);
}

static void connections(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:connect()", 2,
          "net:connect: the source (first argument) is nil; a population, a slice of one, or a list" },
        { "net:connect(E)", 2, "net:connect: the target (second argument) is nil" },
        { "net:connect('E', I)", 2, "is the text \"E\"; a population" },
        { "net:connect({}, I)", 2, "is an empty list" },
        { "net:connect({ E, 5 }, I)", 2, "is 5; a population" },
        { "net:connect(rv.network{}:population('E', 1, 'iaf_psc_delta'), I)", 2, "belongs to another network" },
        { "net:connect(E, I, { rule = 'fixed_indegre', indegree = 1 })", 2, "did you mean \"fixed_indegree\"?" },
        { "net:connect(E, I, 'x')", 2, "allowed are all_to_all, one_to_one, fixed_indegree" },
        { "net:connect(E, I, { rule = 'fixed_indegree' })", 2, "rule \"fixed_indegree\" needs indegree" },
        { "net:connect(E, I, { rule = 'fixed_indegree', outdegree = 3 })", 2, "\"fixed_indegree\" needs indegree" },
        { "net:connect(E, I, { rule = 'fixed_indegree', indegree = 3, p = 1 })", 2,
          "has no option p; it takes indegree" },
        { "net:connect(E, I, { rule = 'all_to_all', indegree = 3 })", 2, "rule \"all_to_all\" has no option indegree" },
        { "net:connect(E, I, { rule = 'fixed_indegree', indegre = 3 })", 2,
          "no option indegre; did you mean indegree?" },
        { "net:connect(E, I, { rule = 'fixed_indegree', indegree = 1.5 })", 2,
          "indegree is 1.5; a whole number is needed" },
        { "net:connect(E, I, { rule = 'fixed_indegree', indegree = -1 })", 2, "indegree = -1" },
        { "net:connect(E, I, { rule = 'pairwise_bernoulli', p = 2 })", 2, "p = 2" },
        { "net:connect(E, I, { rule = 'pairwise_bernoulli', p = 'x' })", 2, "net:connect: p is the text \"x\"" },
        { "net:connect(E, I, { rule = 'one_to_one' })", 2, "one_to_one" },
        { "net:connect(E, I, { rule = 'list', sources = { 1 } })", 2, "rule \"list\" needs targets" },
        { "net:connect(E, I, { rule = 'list', sources = { 1, 2 }, targets = { 1 } })", 2, "2 sources and 1 targets" },
        { "net:connect(E, I, { rule = 'list', sources = { 0 }, targets = { 1 } })", 2,
          "sources[1] = 0; neurons are numbered 1, 2" },
        { "net:connect(E, I, { rule = 'list', sources = { 1.5 }, targets = { 1 } })", 2, "sources[1] = 1.5" },
        { "net:connect(E, I, { rule = 'list', sources = { 11 }, targets = { 1 } })", 2,
          "sources[1] = 11, allowed are 1 to 10" },
        { "net:connect(E, I, { rule = 'list', sources = { 1 }, targets = { 6 } })", 2,
          "targets[1] = 6, allowed are 1 to 5" },
        { "net:connect(E, I, { allow_autapses = 'no' })", 2, "allow_autapses is the text \"no\"; true or false" },
        { "net:connect(E, I, {}, 5)", 2, "the synapses are 5; a table { weight =, delay = } is needed" },
        { "net:connect(E, I, {}, { wieght = 1 })", 2, "no option wieght; did you mean weight?" },
        { "net:connect(E, I, {}, { weight = 'heavy' })", 2, "net:connect: weight is the text \"heavy\"" },
        { "net:connect(E, I, {}, { weight = 0/0 })", 2, "weight" },
        { "net:connect(E, I, {}, { delay = 0.15 })", 2, "0.15" },
        { "net:connect(E, I, {}, { delay = -1 })", 2, "-1" },
        { "net:connect(E, I, {}, { plasticity = 'sdtp' })", 2, "plasticity is \"sdtp\"; did you mean \"stdp\"?" },
        { "net:connect(E, I, {}, { plasticity = 5 })", 2, "plasticity is 5; a text is needed" },
        { "net:connect(E, I, {}, { plasticity = 'stdp', tau_plsu = 5 })", 2,
          "net:connect: stdp: no option tau_plsu; did you mean tau_plus?" },
        { "net:connect(E, I, {}, { plasticity = 'stdp', tau_plus = {} })", 2, "tau_plus" },
        { "net:connect(E, I, {}, { plasticity = 'stdp', tau_plus = -20 })", 2, "tau_plus = -20" },
        { "net:connect(E, I, {}, { tau_plus = 20 })", 2, "no option tau_plus" },
        { "net:connect(E, I):set_weights('x')", 2, "projection:set_weights: the weights is the text \"x\"" },
        { "net:connect(E, I):set_weights{ 1, 2 }", 2, "the list has 2 weights for 50 synapses" },
        { "net:connect(E, I):set_delays{ 1, 2 }", 2, "the list has 2 delays for 50 synapses" },
        { "net:connect(E, I):set_delays(0.05)", 2, "delay = 0.05 ms, allowed 0.1" },
        { "net:connect(E, I):normalise()", 2, "projection:normalise: a table of options is needed, not nil" },
        { "net:connect(E, I):normalise{}", 2, "projection:normalise: total is needed" },
        { "net:connect(E, I):scale{ rate = 5, interval = 10 }", 2, "projection:scale: beta is needed" },
        { "net:connect(E, I):rewire{ prune_belw = 1 }", 2, "no option prune_belw; did you mean prune_below?" },
        { "net:connect(E, I):rewire{ indegree = 3, weight = { 1, 2 } }", 2, "a number or a distribution is needed" },
        { "net:connect(E, I):learn_delays{ interval = 10, rate = 1, tau = 1, delay_min = 1 }", 2, "projection:learn_delays: delay_max is needed" },
    };
    CHECK(table);
}

static void inputs_and_probes(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:poisson(nil, {})", 2, "net:poisson: the target (first argument) is nil" },
        { "net:poisson(E, 5)", 2, "net:poisson: the parameters are 5" },
        { "net:poisson(E, { rat = 5 })", 2, "rate" },
        { "net:poisson(E, { rate = -5 })", 2, "rate = -5" },
        { "net:poisson(E, { rate = 'fast' })", 2, "net:poisson: rate is the text \"fast\"" },
        { "net:dc(E, { amplitude = 0/0 })", 2, "amplitude" },
        { "net:step(E, { times = { 1, 2 }, amplitudes = { 1 } })", 2, "amplitudes" },
        { "net:sine(E, { frequency = -1 })", 2, "frequency = -1" },
        { "net:noise(E, { std = -1 })", 2, "std = -1" },
        { "net:poisson(E, { start = 5, stop = 1 })", 2, "stop" },
        { "net:poisson(E, { rate = 1 }):set('raet', 5)", 2, "rate" },
        { "net:poisson(E, { rate = 1 }):set('rate', -5)", 2, "rate = -5" },
        { "net:record(E)", 2, "net:record: what is recorded (second argument) is nil" },
        { "net:record(nil, 'spikes')", 2, "net:record: what is recorded from (first argument) is nil" },
        { "net:record(E, 'v_m')", 2, "V_m" },
        { "net:record(E, 'V_m', { intervall = 1 })", 2, "no option intervall; did you mean interval?" },
        { "net:record(E, 'spikes', { interval = 1 })", 2, "no option interval" },
        { "net:record(E, 'rate', { interval = 1 })", 2, "no option interval; there are bin" },
        { "net:record(E, 'V_m', { interval = -1 })", 2, "interval" },
        { "net:record(E, 'V_m', { interval = 0.15 })", 2, "interval" },
        { "net:record(E, 'weights', { interval = 1 })", 2,
          "weights are recorded from a projection of this network, not from population \"E\"" },
        { "net:record(net:connect(E, I), 'weights')", 2, "interval (ms) is needed" },
        { "net:record(E, 'V_m'):values(11)", 2, "probe:values: the column = 11" },
    };
    CHECK(table);
}

static void running_and_results(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:run()", 2, "net:run: the duration (ms) is nil; a number is needed" },
        { "net:run('100')", 2, "is the text \"100\"; a number is needed" },
        { "net:run(-1)", 2, "-1" },
        { "net:run(0/0)", 2, "nan" },
        { "net:run(1/0)", 2, "inf" },
        { "net:run(0.05)", 2, "0.05" },
        { "net:at(5)", 2, "net:at: the second argument is nil; a function is needed" },
        { "net:at('x', print)", 2, "net:at: the time (ms) is the text \"x\"" },
        { "net:every(0, print)", 2, "0" },
        { "net:every(0.15, print)", 2, "0.15" },
        { "E:on_spike()", 2, "population:on_spike: the argument is nil; a function is needed" },
        { "E:slice(1, 2):on_spike(print)", 2, "on_spike listens to whole populations" },
        { "E:rate()", 2,
          "population \"E\": its spikes are not recorded; net:record(E, \"spikes\") before net:run() does that" },
        { "net:record(E, 'spikes') net:run(1) E:rate('a')", 2, "from (ms) is the text \"a\"" },
        { "net:record(E, 'spikes') net:run(1) E:rate(5, 1)", 2, "from = 5 ms is after to = 1 ms" },
        { "net:record(E, 'spikes') net:run(1) E:fano(0)", 2, "population:fano: the window (ms) = 0" },
        { "net:output('x.txt')", 2,
          "net:output: the file is \"x.txt\"; a file name ending in one of .h5 .hdf5 is needed" },
        { "net:output('/nowhere/x.h5')", 2, "net:output: cannot write \"/nowhere/x.h5\": No such file or directory" },
        { "net:output('x.txt\\0.h5')", 2, "zero byte" },
        { "net:plot('x.jpg')", 2, "ending in one of .png .svg .pdf is needed" },
        { "net:plot('x.png')", 2, "net:plot: nothing is recorded" },
        { "net:record(E, 'spikes') net:run(1) net:plot('x.png', { panles = {} })", 2,
          "no option panles; did you mean panels?" },
        { "net:record(E, 'spikes') net:run(1) net:plot('x.png', { panels = { 'rastre' } })", 2,
          "did you mean \"raster\"?" },
        { "net:record(E, 'spikes') net:run(1) net:plot('x.png', { traces = 5 })", 2,
          "traces is 5; a probe of this network" },
        { "rv.plot('x.png')", 2, "rv.plot: curves is needed" },
        { "rv.plot('x.png', { curves = {} })", 2, "curves has 0 entries" },
        { "rv.plot('x.png', { curves = { { x = { 1 }, y = { 1, 2 } } } })", 2, "x has 1 numbers, y has 2" },
        { "rv.plot('x.png', { curves = { { x = { 1 } } } })", 2, "rv.plot: curve: y is nil" },
        { "rv.plot('x.png', { curves = { { xx = { 1 } } } })", 2, "no option xx" },
        { "rv.write_csv('x.sh', {})", 2, "ending in one of .csv is needed" },
        { "rv.write_csv('/nowhere/x.csv', {})", 2, "cannot write \"/nowhere/x.csv\"" },
        { "rv.write_csv('x.csv', { { 'a,b', { 1 } } })", 2, "has a comma" },
    };
    CHECK(table);
}

/* The line is that of the function the network calls, not that of net:run. */
static void callbacks(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "net:at(1, function()\n  error('at one')\nend)\nnet:run(5)", 3, "at one" },
        { "net:every(1, function(t)\n  if t >= 3 then local x = nil + 1 end\nend)\nnet:run(5)", 3,
          "attempt to perform arithmetic on a nil value" },
        { "net:at(1, function()\n  net:run(5)\nend)\nnet:run(5)", 3, "net:run: not possible while the network runs" },
        { "net:at(1, function()\n  net:population('Z', 1, 'iaf_psc_delta')\nend)\nnet:run(5)", 3,
          "net:population: not possible while" },
        { "net:at(1, function() net:connect(E, I) end)\nnet:run(5)", 2, "net:connect: not possible while" },
        { "net:at(1, function() net:dc(E, {}) end)\nnet:run(5)", 2, "net:dc: not possible while" },
        { "net:at(1, function() net:record(E, 'V_m') end)\nnet:run(5)", 2, "net:record: not possible while" },
        { "net:at(1, function() E:set('tau_M', 1) end)\nnet:run(5)", 2, "did you mean \"tau_m\"?" },
        { "net:at(1, function() coroutine.yield() end)\nnet:run(5)", 2, "attempt to yield" },
        { "net:connect(E, I, {}, { weight = function(d)\n  error('of distance') end })\nnet:run(1)", 3, "of distance" },
        { "net:connect(E, I, {}, { weight = function(d)\n  net:run(1) end })\nnet:run(1)", 3, "cannot use its network" },
        { "local c\nc = net:connect(E, I, {}, { weight = function(d)\n  return #c end })\nprint(#c)", 4,
          "cannot use its network" },
        { "net:connect(E, I, {}, { weight = function(d) return 'x' end })\nnet:run(1)", 3, "weight" },
    };
    static const char *head =
        "local rv = require 'ranvier'; local net = rv.network{}; local P = { { 0, 0 }, { 1, 0 } }; "
        "local E = net:population('E', 2, 'iaf_psc_delta', {}, { positions = P }); local I = net:population('I', 2, "
        "'iaf_psc_delta', {}, { positions = P })\n";
    check_table(table, sizeof table / sizeof *table, head);
}

static void out_of_reach(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "os.execute('true')", 2, "os.execute is not available to scripts; ranvier run --unsafe allows it" },
        { "os.remove('x')", 2, "os.remove is not available" },
        { "os.getenv('HOME')", 2, "os.getenv is not available" },
        { "os.exit(0)", 2, "os.exit is not available" },
        { "os.tmpname()", 2, "os.tmpname is not available" },
        { "io.open('/etc/passwd')", 2, "io.open is not available" },
        { "io.popen('true')", 2, "io.popen is not available" },
        { "package.loadlib('x', 'y')", 2, "package.loadlib is not available" },
        { "debug.getregistry()", 2, "debug.getregistry is not available" },
        { "dofile('x.lua')", 2, "global 'dofile'" },
        { "loadfile('x.lua')", 2, "global 'loadfile'" },
        { "string.dump(print)", 2, "field 'dump'" },
        { "require '../secret'", 2, "is not \"ranvier\" or the plain name" },
        { "require '/etc/passwd'", 2, "is not \"ranvier\" or the plain name" },
        { "require 'a.b'", 2, "is not \"ranvier\" or the plain name" },
        { "require ''", 2, "is not \"ranvier\" or the plain name" },
        { "require 'io'", 2, "there is no io.lua beside the script" },
        { "getmetatable('').__index = nil", 2, "attempt to index a boolean value" },
        { "setmetatable(os, nil)", 2, "cannot change a protected metatable" },
        { "setmetatable({}, { __gc = print })", 2, "finalizers (__gc) are not available to scripts" },
        { "assert(load('\\27Lua'))", 2, "attempt to load a binary chunk" },
        { "assert(load('\\27Lua', 'x', 'b'))", 2, "attempt to load a binary chunk" },
        { "assert(load(string.char(27) .. 'Lua', nil, 'bt', {}))", 2, "attempt to load a binary chunk" },
    };
    CHECK(table);
    assert_string_equal(script_run_text("\x1bLuaS", 5, NULL).message,
                        "model.lua:1: this is compiled Lua; Ranvier runs the text of scripts");
}

static void limits_of_memory(void **state)
{
    (void)state;
    static const wrong table[] = {
        { "local s = ('x'):rep(1 << 30)", 2, "the script needs more than 0.0625 GiB of memory, which is its limit" },
        { "local t = {}\nfor i = 1, 1e12 do t[i] = i end", 3, "needs more than" },
        { "local s = 'x'\nwhile true do\n  s = s .. s end", 4, "needs more than" },
        { "rv.network{}:population('E', 1 << 40, 'iaf_psc_delta'):get('V_m')", 2, "" },
    };
    char text[4096];
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        snprintf(text, sizeof text, "%s%s", HEAD, table[i].script);
        script_outcome outcome =
            script_run_text(text, strlen(text), &(script_options){ .quiet = true, .memory_limit = 64 << 20 });
        char where[64];
        snprintf(where, sizeof where, "model.lua:%d: ", table[i].line);
        if (strstr(outcome.message, where) != outcome.message || !strstr(outcome.message, table[i].sentence))
            fail_msg("expected %s... %s\ngot %s", where, table[i].sentence, outcome.message);
    }
}

/* A script can catch its own errors, and goes on whole. */
static void caught(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "assert(not pcall(net.run, net, -1)) net:run(1) assert(net:time() == 1)",
        "assert(not pcall(net.population, net, 'X', 1, 'nothing')) net:population('X', 1, 'iaf_psc_delta') net:run(1)",
        "local ok, why = pcall(net.run, 5) assert(why:find('^model.lua:2: '), why)",
        "net:at(1, function() error('x', 0) end) assert(not pcall(net.run, net, 5)) net:run(5)",
        "local ok, why = pcall(function() local t <close> = setmetatable({}, { __close = function() x = 1 end }) error({}) end) "
        "assert(not ok and type(why) == 'table' and x == 1)",
    };
    char text[4096];
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        snprintf(text, sizeof text, "%s%s", HEAD, scripts[i]);
        script_outcome outcome = script_run_text(text, strlen(text), NULL);
        if (outcome.status != RV_OK) fail_msg("%s\n%s", scripts[i], outcome.message);
    }
}

int main(void)
{
    char folder[] = "/tmp/ranvier_test_XXXXXX";
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1; /* nothing a script writes stays behind in the house */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lua_itself),
        cmocka_unit_test(names_of_the_module),
        cmocka_unit_test(network_options),
        cmocka_unit_test(methods_and_fields),
        cmocka_unit_test(populations),
        cmocka_unit_test(distributions),
        cmocka_unit_test(connections),
        cmocka_unit_test(inputs_and_probes),
        cmocka_unit_test(running_and_results),
        cmocka_unit_test(callbacks),
        cmocka_unit_test(out_of_reach),
        cmocka_unit_test(limits_of_memory),
        cmocka_unit_test(caught),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return chdir("/") != 0 || rmdir(folder) != 0 ? 1 : failed;
}
