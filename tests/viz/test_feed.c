/* The feed between two threads: commands arrive once, in order, and none is lost without word; snapshots of weights are
 * whole, and never older than one that was seen. To be run under the thread sanitizer too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "viz/feed.h"

enum { N_COMMANDS = 100000, N_SNAPSHOTS = 3000, WAITING = 1024 /* commands that may, about */ };

static feed *new_feed(void)
{
    static const feed_population populations[] = { { .name = "E", .size = 80 }, { .name = "none" },
                                                   { .name = "I", .size = 20, .inhibitory = true } };
    feed *f;
    ENSURE_OK(feed_new(populations, 3, &f));
    return f;
}

static void a_row_belongs_to_a_neuron(void **state)
{
    (void)state;
    static const struct {
        int64_t row;
        int     population;
        int64_t neuron;
    } cases[] = { { 0, 0, 0 }, { 79, 0, 79 }, { 80, 2, 0 }, { 99, 2, 19 } };
    feed   *f = new_feed();
    int64_t neuron;
    assert_int_equal(f->n_rows, 100);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(feed_population_of(f, cases[i].row, &neuron), cases[i].population);
        assert_int_equal(neuron, cases[i].neuron);
    }
    feed_free(f);
}

static void a_new_feed_is_empty(void **state)
{
    (void)state;
    feed        *f = new_feed();
    feed_command command;
    int64_t      first, end;
    assert_false(feed_take(f, &command));
    assert_null(feed_weights_latest(f));
    history_kept(f->spikes, &first, &end);
    assert_int_equal(first, end);
    assert_true(isinf(f->speed) && !f->paused && !f->closed);
    for (int k = 0; k < FEED_TRACES; k++) assert_true(isnan(f->trace[k].threshold));
    feed_free(f);
    feed_free(NULL);
}

/* ---------------------------------------------------------------------------------------------- commands --- */

/* The k-th command: all of its fields follow from k, so a mixture of two would be noticed. */
static feed_command command_number(int64_t k)
{
    return (feed_command){ .kind = (feed_command_kind)(k % 8), .index = (int)k, .population = (int)(k % 3), .neuron = 7 * k,
                           .value = 0.5 * (double)k, .from_ms = (double)k, .to_ms = -(double)k };
}

static bool same_command(const feed_command *a, const feed_command *b)
{
    return a->kind == b->kind && a->index == b->index && a->population == b->population && a->neuron == b->neuron &&
           a->value == b->value && a->from_ms == b->from_ms && a->to_ms == b->to_ms;
}

static void a_command_that_finds_no_room_is_refused(void **state)
{
    (void)state;
    feed        *f = new_feed();
    feed_command command, expected;
    int64_t      sent = 0, taken = 0;
    for (int round = 0; round < 3; round++) {
        while (feed_send(f, command_number(sent))) sent++;
        assert_in_range(sent - taken, 1000, WAITING);
        for (; taken < sent; taken++) {
            expected = command_number(taken);
            assert_true(feed_take(f, &command));
            assert_true(same_command(&command, &expected));
        }
        assert_false(feed_take(f, &command));
    }
    feed_free(f);
}

/* What the simulating thread saw. */
typedef struct taker {
    feed   *f;
    int64_t taken, wrong;
} taker;

static void *take_commands(void *user)
{
    taker       *t = user;
    feed_command command;
    while (t->taken < N_COMMANDS) {
        if (!feed_take(t->f, &command)) {
            sched_yield();
            continue;
        }
        feed_command expected = command_number(t->taken++);
        t->wrong += !same_command(&command, &expected);
    }
    return NULL;
}

static void commands_arrive_once_and_in_order(void **state)
{
    (void)state;
    taker     t = { .f = new_feed() };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_commands, &t), 0);
    for (int64_t k = 0; k < N_COMMANDS;) {
        if (feed_send(t.f, command_number(k))) k++;
        else sched_yield();
    }
    pthread_join(thread, NULL);
    assert_int_equal(t.taken, N_COMMANDS);
    assert_int_equal(t.wrong, 0);
    feed_free(t.f);
}

/* ----------------------------------------------------------------------------------------------- weights --- */

/* The k-th snapshot: k stands everywhere. */
static void write_snapshot(feed_weights *w, int k)
{
    w->learning = k % FEED_LEARNING, w->t_ms = k, w->n_synapses = k;
    w->low = -k, w->high = k + 1, w->mean = k;
    w->columns = w->rows = 1 + k % 128;
    for (int i = 0; i < FEED_HISTOGRAM; i++) w->histogram[i] = k;
    for (int i = 0; i < FEED_MATRIX; i++) w->cells[i] = (float)k;
}

/* @return its number, -1 if it is of several */
static int read_snapshot(const feed_weights *w)
{
    int  k = (int)w->t_ms;
    bool whole = w->learning == k % FEED_LEARNING && w->n_synapses == k && w->low == -k && w->high == k + 1 &&
                 w->mean == k && w->columns == 1 + k % 128 && w->rows == w->columns;
    for (int i = 0; i < FEED_HISTOGRAM; i++) whole &= w->histogram[i] == k;
    for (int i = 0; i < FEED_MATRIX; i++) whole &= w->cells[i] == (float)k;
    return whole ? k : -1;
}

static void the_latest_snapshot_is_seen_until_there_is_another(void **state)
{
    (void)state;
    feed *f = new_feed();
    write_snapshot(feed_weights_begin(f), 1);
    assert_null(feed_weights_latest(f)); /* it is not finished */
    feed_weights_end(f);
    const feed_weights *first = feed_weights_latest(f);
    assert_non_null(first);
    assert_int_equal(read_snapshot(first), 1);
    for (int k = 2; k < 10; k++) { /* as many as there are buffers, and more */
        write_snapshot(feed_weights_begin(f), k);
        assert_int_equal(read_snapshot(first), 1); /* what was handed out stays as it is */
        feed_weights_end(f);
    }
    assert_int_equal(read_snapshot(feed_weights_latest(f)), 9);
    assert_int_equal(read_snapshot(feed_weights_latest(f)), 9);
    feed_free(f);
}

static void *write_snapshots(void *user)
{
    feed *f = user;
    for (int k = 1; k <= N_SNAPSHOTS; k++) {
        write_snapshot(feed_weights_begin(f), k);
        feed_weights_end(f);
        if (k % 3 == 0) sched_yield();
    }
    return NULL;
}

static void snapshots_are_whole_and_in_order(void **state)
{
    (void)state;
    feed     *f = new_feed();
    pthread_t thread;
    int       last = 0, torn = 0, back = 0;
    assert_int_equal(pthread_create(&thread, NULL, write_snapshots, f), 0);
    while (last < N_SNAPSHOTS && torn + back == 0) {
        const feed_weights *w = feed_weights_latest(f);
        int                 k = w ? read_snapshot(w) : 0;
        torn += k < 0, back += k < last;
        last = k > last ? k : last;
    }
    pthread_join(thread, NULL);
    assert_int_equal(torn, 0);
    assert_int_equal(back, 0);
    assert_int_equal(read_snapshot(feed_weights_latest(f)), N_SNAPSHOTS); /* the last one is not lost */
    feed_free(f);
}

/* ---------------------------------------------------------------------------------------------- all of it --- */

/* A simulation that obeys: a spike for every poke, and what was counted is published after what it counts. */
static void *simulate(void *user)
{
    feed        *f = user;
    feed_command command;
    double       t_ms = 0;
    for (bool finish = false; !finish;) {
        while (feed_take(f, &command)) {
            finish |= command.kind == FEED_FINISH;
            if (command.kind == FEED_KNOB) f->knob[command.index].value = command.value;
            if (command.kind != FEED_POKE) continue;
            history_add(f->spikes, t_ms, (double)(f->population[command.population].first_row + command.neuron));
            f->n_spikes++;
        }
        t_ms += 0.1;
        f->t_ms = t_ms;
        if (f->paused) sched_yield();
    }
    f->state = FEED_ENDED;
    return NULL;
}

static void a_window_and_a_simulation(void **state)
{
    (void)state;
    enum { POKES = 5000 };
    feed     *f = new_feed();
    pthread_t thread;
    int64_t   first, end;
    double    t_ms[2], row[2], last_ms = 0;
    assert_int_equal(pthread_create(&thread, NULL, simulate, f), 0);
    for (int k = 0; k < POKES;) {
        k += feed_send(f, (feed_command){ .kind = FEED_POKE, .population = 2, .neuron = k % 20 });
        f->paused = k % 100 < 50;
        int64_t counted = f->n_spikes;
        history_kept(f->spikes, &first, &end);
        if (end < counted) fail_msg("%lld spikes are counted, %lld are there", (long long)counted, (long long)end);
        first = end - 1;
        if (end > 0 && history_read(f->spikes, &first, 1, t_ms, row) == 1) {
            assert_true(t_ms[0] >= last_ms);
            assert_in_range((int64_t)row[0], 80, 99);
            last_ms = t_ms[0];
        }
    }
    while (!feed_send(f, (feed_command){ .kind = FEED_KNOB, .index = 3, .value = 0.25 })) sched_yield();
    while (!feed_send(f, (feed_command){ .kind = FEED_FINISH })) sched_yield();
    while (f->state != FEED_ENDED) sched_yield();
    assert_true(f->knob[3].value == 0.25);
    assert_int_equal(f->n_spikes, POKES);
    pthread_join(thread, NULL);
    feed_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_belongs_to_a_neuron),
        cmocka_unit_test(a_new_feed_is_empty),
        cmocka_unit_test(a_command_that_finds_no_room_is_refused),
        cmocka_unit_test(commands_arrive_once_and_in_order),
        cmocka_unit_test(the_latest_snapshot_is_seen_until_there_is_another),
        cmocka_unit_test(snapshots_are_whole_and_in_order),
        cmocka_unit_test(a_window_and_a_simulation),
    };
    return cmocka_run_group_tests_name("feed", tests, NULL, NULL);
}
