/* Random and damaged scripts: whatever the text, the reader comes back with a sentence, within its limits of time and
 * memory. The seed is printed; RANVIER_SEED repeats a run, RANVIER_ROUNDS makes a longer one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/script_run.h"

static uint64_t seed;

/* splitmix64 */
static uint64_t random_below(uint64_t n)
{
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % n;
}

static int rounds(int standard)
{
    const char *text = getenv("RANVIER_ROUNDS");
    return text ? atoi(text) : standard;
}

/* ---- the time limit: an interruption, as from Ctrl-C --------------------------------------------------------------
 */

static script *volatile now_running;

static void on_alarm(int signal)
{
    (void)signal;
    if (now_running) script_interrupt(now_running);
}

/* What the scripts print goes nowhere. @return the true output, for speak() */
static int silence(void)
{
    fflush(stdout);
    int out = dup(STDOUT_FILENO), nowhere = open("/dev/null", O_WRONLY);
    dup2(nowhere, STDOUT_FILENO);
    close(nowhere);
    return out;
}

static void speak(int out)
{
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
}

static void survive(const char *text, size_t length)
{
    const script_options options = {
        .path = "fuzz.lua", .text = text, .text_length = length, .quiet = true, .memory_limit = 64 << 20
    };
    script          *s;
    struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
    sigaction(SIGALRM, &action, NULL);
    int       out = silence();
    rv_status status = script_open(&options, &s);
    now_running = s;
    setitimer(ITIMER_REAL, &(struct itimerval){ .it_value = { .tv_usec = 500000 } }, NULL);
    if (status == RV_OK) status = script_run(s);
    setitimer(ITIMER_REAL, &(struct itimerval){ 0 }, NULL);
    now_running = NULL;
    speak(out);
    bool said = script_message(s)[0] != 0;
    if ((status != RV_OK) != said)
        print_error("status %d but message \"%s\" for:\n%.*s\n", status, script_message(s), (int)length, text);
    assert_true((status != RV_OK) == said);
    script_close(s);
}

/* ---- what is fed --------------------------------------------------------------------------------------------------
 */

static void random_bytes(void **state)
{
    (void)state;
    char text[512];
    for (int round = 0; round < rounds(300); round++) {
        size_t length = random_below(sizeof text);
        for (size_t i = 0; i < length; i++) text[i] = (char)random_below(256);
        survive(text, length);
    }
}

/* Words a script is made of, in random order: gets past the reader more often than bytes do. */
static void random_words(void **state)
{
    (void)state;
    static const char *const words[] = {
        "local ",
        "x",
        "y",
        "=",
        " ",
        "\n",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "net",
        "E",
        ":",
        ".",
        "run",
        "population",
        "connect",
        "record",
        "rv",
        "require 'ranvier'",
        "network",
        "normal",
        "'V_m'",
        "'spikes'",
        "1",
        "0.1",
        "-5",
        "1e308",
        "0/0",
        "nil",
        "true",
        "end ",
        "function ",
        "if ",
        " then ",
        "for ",
        " do ",
        "while ",
        "return ",
        "..",
        "#",
        ",",
        "\"E\"",
        "'iaf_psc_delta'",
        "spikes",
        "get",
        "set",
        "slice",
        "weights",
        "pcall",
        "error",
        "setmetatable",
        "coroutine.wrap",
        "string.rep",
        "table.concat",
        "pairs",
        "tostring",
    };
    static const char head[] =
        "local rv = require 'ranvier' local net = rv.network{} local E = net:population('E', 3, 'iaf_psc_delta') ";
    char text[2048];
    for (int round = 0; round < rounds(300); round++) {
        size_t n = (size_t)snprintf(text, sizeof text, "%s", head);
        for (int i = 0; i < 60 && n < sizeof text - 40; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", words[random_below(sizeof words / sizeof *words)]);
        survive(text, n);
    }
}

static const char whole[] =
    "local rv = require 'ranvier'\n"
    "local net = rv.network{ seed = 3, timing = 'grid', resolution = 0.1 }\n"
    "local E = net:population('E', 20, 'iaf_psc_delta', { V_m = rv.uniform(0, 20), tau_m = 20 }, { positions = nil })\n"
    "local G = net:population('G', 2, 'spike_generator', { spike_times = { { 1, 2, 3 }, { 4 } } })\n"
    "local c = net:connect(G, E, { rule = 'fixed_indegree', indegree = 2 }, { weight = rv.normal(10, 1, { min = 0 }), delay = 1.5 })\n"
    "local p = net:connect({ E, G }, E:slice(1, 10, 2), { rule = 'pairwise_bernoulli', p = 0.5 }, { weight = 0.1, plasticity = 'stdp' })\n"
    "local i = net:poisson(E, { rate = 1000, weight = 0.1, start = 1 }) net:dc(E:slice(1, 3), { amplitude = 1 })\n"
    "net:record({ E, G }, 'spikes') local v = net:record(E:slice(1, 3), 'V_m', { interval = 0.5 }) net:record(c, 'weights', { interval = 2 })\n"
    "net:at(3, function(t) i:set('rate', 10) end) net:every(2, function(t) E:set('V_m', E:get('V_m')) end)\n"
    "E:on_spike(function(n, t) assert(n >= 1) end)\n"
    "net:run(5) net:run(5)\n"
    "local a = { E:rate(), E:cv(), E:fano(1), E:synchrony(1), E:correlation(1), E:isi(), E:rates(1, 9), E:spikes(2, 8), v:values(2), v:times() }\n"
    "c:set_weights(c:weights()) p:set_delays(rv.uniform(0.1, 9)) p[1]:rewire{ prune_below = 0.05, indegree = 3, weight = 0.1, interval = 2 }\n"
    "p:normalise{ total = 1 } p[2]:scale{ rate = 5, interval = 1, beta = 1 } p:learn_delays{ interval = 1, rate = 1, tau = 2, delay_min = 1, delay_max = 5 }\n"
    "net:run(5) local s, t, w, d = p:synapses() for k, x in pairs(a) do tostring(x) end\n";

static void damage(char *text, size_t *length)
{
    size_t at = random_below(*length), n = 1 + random_below(8);
    switch (random_below(5)) {
    case 0:
        text[at] = (char)random_below(256);
        break;
    case 1:
        text[at] = "0123456789.-(){}[]'\",:=\n"[random_below(24)];
        break;
    case 2: /* cut a piece out */
        if (at + n > *length) n = *length - at;
        memmove(text + at, text + at + n, *length - at - n);
        *length -= n;
        break;
    case 3: /* repeat a piece */
        if (at + n > *length) n = *length - at;
        memmove(text + at + n, text + at, *length - at);
        *length += n;
        break;
    default: /* swap two bytes */
        n = random_below(*length);
        char swapped = text[at];
        text[at] = text[n], text[n] = swapped;
    }
}

static void damaged_scripts(void **state)
{
    (void)state;
    char text[sizeof whole + 8 * 16];
    survive(whole, sizeof whole - 1);
    for (int round = 0; round < rounds(400); round++) {
        size_t length = sizeof whole - 1;
        memcpy(text, whole, length);
        for (uint64_t k = 1 + random_below(8); k > 0; k--) damage(text, &length);
        survive(text, length);
    }
}

/* What takes for ever or needs everything. */
static void hostile_scripts(void **state)
{
    (void)state;
    static const char *const scripts[] = {
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "local function f() pcall(f) end f()",
        "local f f = function() return f() end f()",
        "coroutine.wrap(function() while true do end end)()",
        "local function nest() coroutine.wrap(nest)() end nest()",
        "setmetatable({}, { __gc = function() while true do end end }) collectgarbage()",
        "local t = setmetatable({}, { __index = function(t, k) return t[k] end }) return t.x",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "string.rep('x', 1 << 62)",
        "string.format('%99999d', 1)",
        "load(string.rep('(', 1000))",
        "assert(load('return ' .. string.rep('{', 300) .. string.rep('}', 300)))",
        "load(function() return 'x = 1 ' end)",
        "error(setmetatable({}, { __tostring = function() error 'again' end }))",
        "error(setmetatable({}, { __tostring = function() return 1 end }))",
        "local rv = require 'ranvier' for i = 1, 1e9 do rv.network{} end",
        "local rv = require 'ranvier' local n = rv.network{} n:population('E', 1, 'iaf_psc_delta') n:run(1e12)",
        "local rv = require 'ranvier' local n = rv.network{} n:at(1, function() while true do end end) n:population('E', 1, 'iaf_psc_delta') n:run(5)",
        "for k, v in pairs(_G) do if type(v) == 'function' then pcall(v) pcall(v, {}) pcall(v, -1) pcall(v, 'x', 1 << 62) end end",
        "local rv = require 'ranvier' rv.exit(1, 2, 3)",
        "_G = nil _ENV = nil x = 1",
        "math = nil string = nil require 'ranvier'.network{ seed = 1 }",
        "print = nil pairs = nil setmetatable = nil tostring = nil next = nil require 'ranvier'.network{ a = 1 }",
    };
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) survive(scripts[i], strlen(scripts[i]));
}

int main(void)
{
    char        folder[] = "/tmp/ranvier_test_XXXXXX", clean[64];
    const char *given = getenv("RANVIER_SEED");
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("RANVIER_SEED=%llu\n", (unsigned long long)seed);
    if (!mkdtemp(folder) || chdir(folder) != 0) return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bytes),
        cmocka_unit_test(random_words),
        cmocka_unit_test(damaged_scripts),
        cmocka_unit_test(hostile_scripts),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(clean, sizeof clean, "rm -rf %s", folder); /* a damaged script may have written a figure */
    return chdir("/") != 0 || system(clean) != 0 ? 1 : failed;
}
