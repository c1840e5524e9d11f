/* Spikes over UDP: the format byte for byte, what the numbers of packets tell, loops through this machine, and runs that are repeated
 * from what they received. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/results.h"
#include "io/udp.h"
#include "tests/support/ensure.h"
#include "tests/support/random_number.h"
#include "tests/support/script_run.h"
#include "tests/support/wait.h"

__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static char folder[] = "/tmp/ranvier_udp_XXXXXX";

/* ---- the format ------------------------------------------------------------------------------------------------- */

static void a_packet_byte_for_byte(void **state)
{
    static const uint8_t bytes[] = { 'R', 'V', 'E', 'V', 1, 0, 2, 0, 0x78, 0x56, 0x34, 0x12, 7, 0, 0, 0,
                                     0xe8, 3, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 1, 0, 0x80 };
    const udp_packet p = { .stream = 0x12345678, .sequence = 7, .n = 2, .event = { { 1000, 5 }, { -1, 0x80000100 } } };
    uint8_t          packed[UDP_MOST_BYTES];
    udp_packet       q;
    (void)state;
    assert_int_equal(udp_pack(&p, packed), sizeof bytes);
    assert_memory_equal(packed, bytes, sizeof bytes);
    assert_true(udp_unpack(bytes, sizeof bytes, &q));
    assert_int_equal(q.n, 2);
    assert_int_equal(q.event[1].t_us, -1);
    assert_int_equal(q.event[1].address, 0x80000100);
    for (size_t n = 0; n < sizeof bytes; n++) assert_false(udp_unpack(bytes, n, &q));
    for (int at = 0; at < 8; at++) { /* magic, version, flags, n */
        memcpy(packed, bytes, sizeof bytes), packed[at] ^= 0x10;
        assert_false(udp_unpack(packed, sizeof bytes, &q));
    }
}

static void random_bytes_are_survived(void **state)
{
    uint8_t       bytes[UDP_MOST_BYTES];
    udp_packet    packet = { 0 };
    udp_receiver *r = udp_receiver_new();
    (void)state;
    for (int k = 0; k < 200000; k++) {
        size_t n = (size_t)random_index(UDP_MOST_BYTES);
        for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)random_bits();
        if (k % 2) { /* nearly right */
            packet.n = random_index(UDP_MOST_EVENTS + 1), packet.stream = (uint32_t)random_index(40), packet.sequence = (uint32_t)random_bits();
            n = udp_pack(&packet, bytes);
            if (k % 4 == 3) bytes[random_index(UDP_HEADER)] ^= (uint8_t)random_bits();
        }
        if (udp_take(r, bytes, n, &packet)) assert_in_range(packet.n, 0, UDP_MOST_EVENTS);
    }
    udp_counts c = udp_received(r);
    assert_true(c.packets > 1000 && c.malformed > 100000 && c.lost >= 0 && c.packets + c.duplicates + c.malformed == 200000);
    udp_receiver_free(r);
}

/* ---- numbers of packets ----------------------------------------------------------------------------------------- */

static bool take(udp_receiver *r, uint32_t stream, uint32_t sequence)
{
    uint8_t    bytes[UDP_MOST_BYTES];
    udp_packet packet = { .stream = stream, .sequence = sequence, .n = 1 };
    return udp_take(r, bytes, udp_pack(&packet, bytes), &packet);
}

static void ensure_counts(const udp_receiver *r, int64_t packets, int64_t lost, int64_t reordered, int64_t duplicates)
{
    udp_counts c = udp_received(r);
    if (c.packets != packets || c.lost != lost || c.reordered != reordered || c.duplicates != duplicates)
        fail_msg("%lld packets, %lld lost, %lld reordered, %lld double; expected %lld, %lld, %lld, %lld", (long long)c.packets, (long long)c.lost, (long long)c.reordered, (long long)c.duplicates,
                 (long long)packets, (long long)lost, (long long)reordered, (long long)duplicates);
}

static void numbers_tell_what_is_missing(void **state)
{
    udp_receiver *r = udp_receiver_new();
    (void)state;
    for (uint32_t k = 10; k < 20; k++) assert_true(take(r, 1, k));
    ensure_counts(r, 10, 0, 0, 0);
    assert_true(take(r, 1, 23)); /* 20, 21, 22 are missing */
    ensure_counts(r, 11, 3, 0, 0);
    assert_true(take(r, 1, 21)); /* which was only late */
    ensure_counts(r, 12, 2, 1, 0);
    assert_false(take(r, 1, 21));
    assert_false(take(r, 1, 23));
    ensure_counts(r, 12, 2, 1, 2);
    assert_true(take(r, 1, 9)); /* from before we listened */
    ensure_counts(r, 13, 2, 2, 2);
    assert_true(take(r, 2, 500)); /* another sender */
    assert_true(take(r, 2, 501));
    assert_true(take(r, 1, 24));
    ensure_counts(r, 16, 2, 2, 2);
    assert_true(take(r, 1, 1024)); /* a gap of 999, then one from before the memory of 64 */
    assert_false(take(r, 1, 900));
    ensure_counts(r, 17, 1001, 2, 3);
    udp_receiver_free(r);
}

static void numbers_go_round(void **state)
{
    udp_receiver *r = udp_receiver_new();
    (void)state;
    for (uint32_t k = UINT32_MAX - 2; k != 3; k++) assert_true(take(r, 1, k));
    assert_true(take(r, 1, 4));
    assert_true(take(r, 1, 3));
    ensure_counts(r, 8, 0, 1, 0);
    udp_receiver_free(r);
}

static void more_senders_than_are_remembered(void **state)
{
    udp_receiver *r = udp_receiver_new();
    (void)state;
    for (uint32_t k = 0; k < 100; k++) assert_true(take(r, k, k));
    for (uint32_t k = 84; k < 100; k++) assert_false(take(r, k, k)); /* the last 16 are */
    ensure_counts(r, 100, 0, 0, 16);
    udp_receiver_free(r);
}

/* ---- sockets ---------------------------------------------------------------------------------------------------- */

static udp_receiver *listen_somewhere(void)
{
    udp_receiver *r;
    rv_error      error = { 0 };
    if (udp_listen("127.0.0.1", 0, &r, &error) != RV_OK) fail_msg("%s", error.text);
    return r;
}

static void events_go_through_this_machine(void **state)
{
    enum { N = 5000 };
    udp_receiver *r = listen_somewhere();
    udp_sender   *s;
    udp_packet    packet;
    int           n = 0;
    (void)state;
    assert_false(udp_receive(r, &packet)); /* and does not wait */
    ENSURE_OK(udp_connect("localhost", udp_port(r), &s, NULL));
    udp_sender_free(s);
    ENSURE_OK(udp_connect("127.0.0.1", udp_port(r), &s, NULL));
    for (int k = 0; k < N; k++) {
        udp_send(s, (udp_event){ 100 * k, (uint32_t)k });
        if (k % 1000 == 999) udp_flush(s);
        for (; udp_receive(r, &packet); n += packet.n)
            for (int i = 0; i < packet.n; i++) assert_int_equal(packet.event[i].address * 100, packet.event[i].t_us);
    }
    udp_flush(s);
    WAIT_FOR(udp_receive(r, &packet) ? (n += packet.n, false) : n == N);
    assert_int_equal(udp_sent(s).events, N);
    assert_int_equal(udp_sent(s).packets, udp_received(r).packets);
    assert_int_equal(udp_received(r).lost, 0);
    udp_sender_free(s), udp_receiver_free(r);
}

static void nobody_listens(void **state)
{
    udp_receiver *r = listen_somewhere();
    udp_sender   *s;
    int           port = udp_port(r);
    (void)state;
    udp_receiver_free(r);
    ENSURE_OK(udp_connect("127.0.0.1", port, &s, NULL));
    for (int k = 0; k < 1000; k++) udp_send(s, (udp_event){ k, 0 }); /* goes nowhere, and nothing waits or fails */
    udp_sender_free(s);
}

static void wrong_ports_and_hosts_are_sentences(void **state)
{
    udp_receiver *r = listen_somewhere(), *second;
    udp_sender   *s;
    rv_error      error = { 0 };
    char          expected[64];
    (void)state;
    assert_int_equal(udp_listen("127.0.0.1", udp_port(r), &second, &error), RV_FILE_ERROR);
    snprintf(expected, sizeof expected, "port %d of \"127.0.0.1\" cannot be listened to: it is in use", udp_port(r));
    assert_string_equal(error.text, expected);
    assert_null(second);
    assert_int_equal(udp_connect("no such host", 4000, &s, &error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, "host \"no such host\", port 4000: "));
    assert_null(s);
    udp_receiver_free(r);
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static script_outcome run(const char *text, const script_options *more)
{
    script_options o = more ? *more : (script_options){ 0 };
    o.quiet = true, o.path = "loop.lua";
    script_outcome outcome = script_run_text(text, strlen(text), &o);
    return outcome;
}

static void ensure_runs(const char *text, const script_options *more)
{
    script_outcome o = run(text, more);
    if (o.status != RV_OK || o.exit_status) fail_msg("%s", o.message[0] ? o.message : "a check of the script failed");
}

#define LOOP                                                                                                           \
    "local rv = require 'ranvier'\n"                                                                                   \
    "local net = rv.network { seed = 1, threads = 1 }\n"                                                               \
    "local source = net:population('source', 20, 'poisson_generator', { rate = 200 })\n"                               \
    "local sensor = net:population('sensor', 20, 'spike_generator')\n"                                                 \
    "local out = net:population('out', 20, 'parrot_neuron')\n"                                                         \
    "net:connect(sensor, out, { rule = 'one_to_one' }, { weight = 1, delay = 1 })\n"                                   \
    "net:record({ source, out }, 'spikes')\n"

/* With a delay of the loop that is longer than the way takes, every spike comes in at its stamp and the delay. */
static void stamps_and_a_delay_make_the_loop_exact(void **state)
{
    (void)state;
    ensure_runs(LOOP
                "local ear = net:listen(sensor, { port = 0, delay = 5 })\n"
                "net:send(source, { port = ear:port() })\n"
                "net:run(200)\n"
                "local t, n = source:spikes()\n"
                "local u, m = sensor:spikes()\n"
                "local late = ear:counts()\n"
                "rv.check(late.late == 0 and late.lost == 0 and late.outside == 0, 'late, lost or outside')\n"
                "rv.check(#u > 600, #u .. ' spikes came in')\n"
                "local k = 0\n"
                "for i = 1, #t do if t[i] + 5 <= 200 and i <= #u then\n"
                "  k = k + 1; if math.abs(u[i] - t[i] - 5) > 1e-6 or m[i] ~= n[i] then rv.check(false, 'spike ' .. i .. ' at ' .. u[i] .. ' ms, expected ' .. t[i] + 5) break end\n"
                "end end\n"
                "rv.check(k == #u, k .. ' compared, of ' .. #u)\n",
                NULL);
}

static uint64_t hash_of(const char *path, int *n)
{
    results *r;
    rv_error error = { 0 };
    uint64_t hash = 0;
    if (results_read(path, &r, &error) != RV_OK) fail_msg("%s", error.text);
    for (int i = *n = 0; i < results_spikes_count(r); i++) {
        const results_spikes *s = results_spikes_at(r, i);
        *n += (int)s->n;
        for (int64_t k = 0; k < s->n; k++) hash += random_mixed((uint64_t)llround(1e6 * s->times_ms[k]) * 1000 + (uint64_t)s->neurons[k] + (uint64_t)i * 100);
    }
    results_free(r);
    return hash;
}

/* What came in is recorded, and given again to the same network: the same spikes everywhere. */
static void a_run_is_repeated_from_what_it_received(void **state)
{
    static const char text[] = LOOP
        "local ear = net:listen(sensor, { port = 0 })\n"
        "if not rv.arg.again then net:send(source, { port = ear:port() }) net:pace(2) end\n"
        "net:run(100)\n"
        "local c = ear:counts()\n"
        "rv.check(c.spikes > 250, c.spikes .. ' spikes came in')\n";
    const script_argument again = { "again", "1" };
    char                  first[300], second[300];
    int                   n, m;
    (void)state;
    snprintf(first, sizeof first, "%s/first.h5", folder), snprintf(second, sizeof second, "%s/second.h5", folder);
    ensure_runs(text, &(script_options){ .out = first });
    ensure_runs(text, &(script_options){ .out = second, .replay = first, .arguments = &again, .n_arguments = 1 });
    assert_int_equal(hash_of(first, &n), hash_of(second, &m));
    assert_int_equal(n, m);
    assert_true(n > 900); /* source, sensor and out */
}

static void what_is_late_or_nowhere_is_counted(void **state)
{
    (void)state;
    ensure_runs(LOOP
                "local few = net:population('few', 5, 'spike_generator')\n"
                "local ear = net:listen(few, { port = 0, delay = -1000 })\n"
                "net:send(source, { port = ear:port() })\n"
                "net:run(100)\n"
                "local c = ear:counts()\n"
                "rv.check(c.late == c.spikes and c.spikes > 30, c.late .. ' late of ' .. c.spikes)\n"
                "rv.check(c.outside + c.late == c.events and c.outside > 200, c.outside .. ' outside')\n"
                "rv.check(few:count() == c.spikes or few:count() > 0, 'late ones are given all the same')\n",
                NULL);
}

static void pace_keeps_step_with_the_clock(void **state)
{
    (void)state;
    double began = clock_seconds();
    ensure_runs(LOOP "net:pace(2) net:run(400) net:run(200)", NULL);
    double seconds = clock_seconds() - began;
    if (seconds < 0.295) fail_msg("600 ms at speed 2 took %.3f s, expected 0.3", seconds);
}

static void ensure_refused(const char *line, const char *sentence)
{
    char text[2000];
    snprintf(text, sizeof text, "%s%s", LOOP, line);
    script_outcome o = run(text, NULL);
    if (o.status == RV_OK) fail_msg("%s: accepted", line);
    if (!strstr(o.message, sentence)) fail_msg("\"%s\", expected in it \"%s\"", o.message, sentence);
}

static void wrong_links_are_sentences(void **state)
{
    (void)state;
    ensure_refused("net:listen(out, { port = 0 })", "loop.lua:8: net:listen: population \"out\" is of the model parrot_neuron; a spike_generator is needed");
    ensure_refused("net:listen(sensor)", "net:listen: port is missing");
    ensure_refused("net:listen(sensor, { port = 70000 })", "a number from 0 to 65535 is needed");
    ensure_refused("net:listen(sensor:slice(1, 2), { port = 0 })", "a whole population is needed");
    ensure_refused("net:listen(sensor, { prt = 0 })", "did you mean port");
    ensure_refused("net:send(source, { port = 0 })", "a number from 1 to 65535 is needed");
    ensure_refused("net:send(source, { port = 1, host = '192.0.2.1' })", "host \"192.0.2.1\" is beyond this machine; ranvier run --network allows it");
    ensure_refused("net:listen(sensor, { port = 0, host = '0.0.0.0' })", "is beyond this machine");
    assert_int_equal(run(LOOP "net:listen(sensor, { port = 0, host = '0.0.0.0' }) net:run(1)", &(script_options){ .network = true }).status, RV_OK);
    ensure_refused("local l = net:listen(sensor, { port = 0 }) net:listen(sensor, { port = l:port() })", "it is in use");
    ensure_refused("net:pace(0)", "allowed is more than 0");
    ensure_refused("net:listen(sensor, { port = 0, interval = 0.25 })", "0.25");
}

/* ---- group ------------------------------------------------------------------------------------------------------ */

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
        cmocka_unit_test(a_packet_byte_for_byte),
        cmocka_unit_test(random_bytes_are_survived),
        cmocka_unit_test(numbers_tell_what_is_missing),
        cmocka_unit_test(numbers_go_round),
        cmocka_unit_test(more_senders_than_are_remembered),
        cmocka_unit_test(events_go_through_this_machine),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(wrong_ports_and_hosts_are_sentences),
        cmocka_unit_test(stamps_and_a_delay_make_the_loop_exact),
        cmocka_unit_test(a_run_is_repeated_from_what_it_received),
        cmocka_unit_test(what_is_late_or_nowhere_is_counted),
        cmocka_unit_test(pace_keeps_step_with_the_clock),
        cmocka_unit_test(wrong_links_are_sentences),
    };
    return cmocka_run_group_tests_name("UDP", tests, make_folder, remove_folder);
}
