/* The event queue against a plain list: every event comes out at its step, in the order of pushing, however far away it
 * was when it was pushed; and the spool against an array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "sim/event_queue.h"
#include "sim/random.h"
#include "sim/spool.h"

enum { SEED = 20261123, HORIZON = 40, STEPS = 6000, FARTHEST = 3000, MOST = 200000 };

typedef struct expected {
    int64_t  step;
    uint64_t item;
    bool     taken;
} expected;

static void push_some(event_queue *q, rv_random *random, int64_t now, expected *list, int *n, uint64_t *item)
{
    for (uint64_t k = random_below(random, 8); k > 0 && *n < MOST; k--) {
        bool    far = random_below(random, 4) == 0;
        int64_t step = now + 1 + (int64_t)random_below(random, far ? FARTHEST : HORIZON);
        list[(*n)++] = (expected){ step, *item, false };
        event_queue_push(q, step, (*item)++);
    }
}

/* Events of a step must be all that were pushed for it; near ones among themselves in the order of pushing. */
static void take_due(event_queue *q, int64_t now, expected *list, int *n_taken)
{
    for (uint32_t i = event_queue_due(q, now); i; i = q->chunk[i].next)
        for (uint32_t k = 0; k < q->chunk[i].n; k++) {
            expected *e = &list[q->chunk[i].item[k]];
            if (e->step != now || e->taken)
                fail_msg("event %llu: expected at step %lld, got it at %lld%s", (unsigned long long)e->item, (long long)e->step, (long long)now,
                         e->taken ? " for the second time" : "");
            e->taken = true;
            ++*n_taken;
        }
    event_queue_done(q);
}

static void every_event_comes_out_once(void **state)
{
    (void)state;
    event_queue q;
    rv_random   random = random_stream(SEED, RANDOM_USER, 0, 0);
    expected   *list = calloc(MOST, sizeof *list);
    int         n = 0, n_taken = 0;
    uint64_t    item = 0;
    assert_true(event_queue_open(&q, HORIZON, 0));
    for (int64_t now = 0; now < STEPS + FARTHEST + 1; now++) {
        take_due(&q, now, list, &n_taken);
        if (now < STEPS) push_some(&q, &random, now, list, &n, &item);
        assert_int_equal(q.pending, n - n_taken);
    }
    assert_int_equal(n_taken, n);
    assert_true(n > STEPS);
    event_queue_close(&q);
    free(list);
}

static void order_is_that_of_pushing(void **state)
{
    (void)state;
    event_queue q;
    assert_true(event_queue_open(&q, HORIZON, 0));
    for (uint64_t k = 0; k < 500; k++) event_queue_push(&q, 7, k); /* more than a chunk */
    uint64_t next = 0;
    for (uint32_t i = event_queue_due(&q, 7); i; i = q.chunk[i].next)
        for (uint32_t k = 0; k < q.chunk[i].n; k++) assert_int_equal(q.chunk[i].item[k], next++);
    assert_int_equal(next, 500);
    event_queue_done(&q);
    assert_int_equal(event_queue_due(&q, 7), 0);
    event_queue_close(&q);
}

/* Pairs are never torn, whatever single events lie between them. */
static void pairs_stay_together(void **state)
{
    (void)state;
    event_queue q;
    assert_true(event_queue_open(&q, HORIZON, 0));
    for (uint64_t k = 0; k < 300; k++) {
        if (k % 3 == 0) event_queue_push(&q, 5, 1000000);
        event_queue_push_pair(&q, 5, k, k + 5000);
    }
    uint64_t next = 0;
    for (uint32_t i = event_queue_due(&q, 5); i; i = q.chunk[i].next)
        for (uint32_t k = 0; k < q.chunk[i].n; k++) {
            if (q.chunk[i].item[k] == 1000000) continue;
            assert_int_equal(q.chunk[i].item[k], next);
            assert_int_equal(q.chunk[i].item[++k], next + 5000);
            next++;
        }
    assert_int_equal(next, 300);
    event_queue_close(&q);
}

/* The same steps walked twice: what was pushed for far ahead in the first walk does not surface in the second. */
static void present_can_go_back(void **state)
{
    (void)state;
    enum { BACK = 15 };
    event_queue q;
    assert_true(event_queue_open(&q, HORIZON, BACK));
    for (int64_t step = 0; step < BACK; step++) {
        assert_int_equal(event_queue_due(&q, step), 0);
        event_queue_done(&q);
    }
    for (int64_t ahead = 1; ahead < 4 * q.n_buckets; ahead++) event_queue_push(&q, BACK - 1 + ahead, (uint64_t)(BACK - 1 + ahead));
    for (int64_t step = 0; step < BACK; step++) assert_int_equal(event_queue_due(&q, step), 0);
    for (int64_t step = BACK; step < BACK - 1 + 4 * q.n_buckets; step++) {
        uint32_t i = event_queue_due(&q, step);
        assert_int_not_equal(i, 0);
        assert_int_equal(q.chunk[i].n, 1);
        assert_int_equal(q.chunk[i].item[0], step);
        event_queue_done(&q);
    }
    event_queue_close(&q);
}

static void skipping_stops_at_events(void **state)
{
    (void)state;
    event_queue q;
    assert_true(event_queue_open(&q, HORIZON, 0));
    event_queue_push(&q, 12, 1);
    event_queue_push(&q, 5000, 2); /* in the heap */
    assert_int_equal(event_queue_skip(&q, 0, 10), 10);
    assert_int_equal(event_queue_skip(&q, 10, 100), 12);
    event_queue_done(&q);
    assert_int_equal(event_queue_skip(&q, 13, 100000), 5000);
    event_queue_close(&q);
}

/* More than stays in memory, read back in pieces across the border between file and memory. */
static void spool_gives_back_what_it_took(void **state)
{
    (void)state;
    enum { N = 9000000 / 16 * 10, PIECE = 100003 };
    spool    s;
    int64_t *piece = malloc(PIECE * 2 * sizeof *piece);
    spool_open(&s, 2 * sizeof *piece);
    for (int64_t k = 0; k < N; k++) spool_append(&s, (const int64_t[]){ k, -k }, 1);
    assert_false(s.failed);
    assert_non_null(s.file);
    for (int64_t first = 0; first < N; first += PIECE) {
        int64_t n = N - first < PIECE ? N - first : PIECE;
        assert_true(spool_read(&s, first, n, piece));
        for (int64_t k = 0; k < n; k++)
            if (piece[2 * k] != first + k || piece[2 * k + 1] != -first - k)
                fail_msg("record %lld: expected %lld, got %lld", (long long)(first + k), (long long)(first + k), (long long)piece[2 * k]);
    }
    assert_false(spool_read(&s, N - 1, 2, piece));
    spool_close(&s);
    free(piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_out_once), cmocka_unit_test(order_is_that_of_pushing), cmocka_unit_test(pairs_stay_together),
        cmocka_unit_test(present_can_go_back), cmocka_unit_test(skipping_stops_at_events), cmocka_unit_test(spool_gives_back_what_it_took),
    };
    printf("seed %d\n", SEED);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
