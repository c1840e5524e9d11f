/* The event queue alone, against a binary heap and a sorted array, by the hold model (Jones 1986,
 * doi:10.1145/5684.5686; Vaucher & Duval 1975): with n events pending, take the earliest and push one at its time plus
 * a random delay. Events of equal time come out in the order in which they were pushed, from all three; the first ones
 * taken are compared.
 *
 *   near   delays of 1 to 200 steps, all within the calendar
 *   far    one push in ten goes 1 to 50 calendars ahead, into the heap behind it; they stay so long that they are five
 *          in six of the pending events
 *
 * The events pending at the beginning are distributed as they are after many holds. */
#include <stdbool.h>
#include <stdint.h>

#include "sim/event_queue.h"
#include "tests/bench/measure.h"

enum { HORIZON = 200, FAR_HORIZONS = 50, N_DELAYS = 1 << 16, N_CHECKED = 1000, LIST_LIMIT = 1000000 };
static const double seconds_each = 0.25;

/* ---- what is held ------------------------------------------------------------------------------------------- */

/* The same delays in the same order for all contestants, drawn beforehand. */
typedef struct workload {
    int64_t  n_pending;
    int16_t  delay[N_DELAYS];    /* steps, used in turn                                   */
    int16_t  residual[N_DELAYS]; /* steps, what is left of them at a random moment between */
    uint64_t n_drawn;
} workload;

/* What came out. */
typedef struct tally {
    uint64_t n_held, hash; /* of the first N_CHECKED events taken */
    double   began, seconds;
} tally;

static uint64_t mixed(uint64_t x) /* the finaliser of splitmix64 (Steele et al. 2014, doi:10.1145/2660193.2660195) */
{
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

/* What is left of a delay at a random moment: delays drawn in proportion to their length, cut at a random place. */
static void draw_residuals(workload *w)
{
    uint64_t n = N_DELAYS, longest = HORIZON * FAR_HORIZONS;
    for (int k = 0; k < N_DELAYS;) {
        uint64_t random = mixed(++n), place = (random >> 32) % longest;
        if (place < (uint64_t)w->delay[random % N_DELAYS]) w->residual[k++] = (int16_t)(1 + place);
    }
}

static void draw_delays(workload *w, bool far)
{
    for (uint64_t k = 0; k < N_DELAYS; k++) {
        uint64_t random = mixed(k + 1), where = random >> 32;
        bool     is_far = far && random % 10 == 0;
        w->delay[k] = (int16_t)(is_far ? HORIZON + where % (HORIZON * (FAR_HORIZONS - 1)) : 1 + where % HORIZON);
    }
    draw_residuals(w);
}

static int64_t next_delay(workload *w) { return w->delay[w->n_drawn++ % N_DELAYS]; }

static int64_t first_delay(const workload *w, int64_t k) { return w->residual[k % N_DELAYS]; }

static void count(tally *t, int64_t step, uint64_t item)
{
    if (t->n_held++ < N_CHECKED) t->hash = mixed(t->hash ^ (uint64_t)step << 32 ^ item);
}

static bool time_is_up(tally *t)
{
    t->seconds = wall_seconds() - t->began;
    return t->seconds > seconds_each && t->n_held >= N_CHECKED;
}

/* ---- the calendar ------------------------------------------------------------------------------------------- */

static void hold_step(event_queue *q, workload *w, tally *t, int64_t step)
{
    for (uint32_t i = event_queue_due(q, step); i; i = q->chunk[i].next)
        for (uint32_t k = 0; k < q->chunk[i].n; k++) {
            uint64_t item = q->chunk[i].item[k];
            count(t, step, item);
            event_queue_push(q, step + next_delay(w), item);
        }
    event_queue_done(q);
}

static tally hold_calendar(workload *w)
{
    event_queue q;
    tally       t = { 0 };
    if (!event_queue_open(&q, HORIZON, 0)) return t;
    for (int64_t k = 0; k < w->n_pending; k++) event_queue_push(&q, first_delay(w, k), (uint64_t)k);
    t.began = wall_seconds();
    int64_t step = 0;
    do
        for (int k = 0; k < 64; k++) hold_step(&q, w, &t, step++);
    while (!time_is_up(&t));
    event_queue_close(&q);
    return t;
}

/* ---- the binary heap ---------------------------------------------------------------------------------------- */

typedef struct event {
    int64_t  step;
    uint64_t sequence, item;
} event;

typedef struct heap {
    event   *event; /* [n] */
    int64_t  n;
    uint64_t sequence;
} heap;

static bool before(const event *a, const event *b)
{
    return a->step != b->step ? a->step < b->step : a->sequence < b->sequence;
}

static void heap_push(heap *h, int64_t step, uint64_t item)
{
    event   e = { step, h->sequence++, item };
    int64_t i = h->n++;
    for (; i > 0 && before(&e, &h->event[(i - 1) / 2]); i = (i - 1) / 2) h->event[i] = h->event[(i - 1) / 2];
    h->event[i] = e;
}

static event heap_pop(heap *h)
{
    event   top = h->event[0], last = h->event[--h->n];
    int64_t i = 0;
    for (int64_t child = 1; child < h->n; child = 2 * i + 1) {
        if (child + 1 < h->n && before(&h->event[child + 1], &h->event[child])) child++;
        if (!before(&h->event[child], &last)) break;
        h->event[i] = h->event[child];
        i = child;
    }
    h->event[i] = last;
    return top;
}

static tally hold_heap(workload *w)
{
    heap  h = { .event = malloc((size_t)w->n_pending * sizeof(event)) };
    tally t = { 0 };
    if (!h.event) return t;
    for (int64_t k = 0; k < w->n_pending; k++) heap_push(&h, first_delay(w, k), (uint64_t)k);
    t.began = wall_seconds();
    do
        for (int k = 0; k < 1024; k++) {
            event e = heap_pop(&h);
            count(&t, e.step, e.item);
            heap_push(&h, e.step + next_delay(w), e.item);
        }
    while (!time_is_up(&t));
    free(h.event);
    return t;
}

/* ---- the sorted array: latest first, so that the earliest is taken from the end ------------------------------ */

typedef struct sorted {
    event  *event; /* [n] */
    int64_t n;
} sorted;

static int latest_first(const void *a, const void *b) { return before(a, b) ? 1 : -1; }

/* The new event goes before (will be taken after) all that are not later. */
static void sorted_push(sorted *s, int64_t step, uint64_t item)
{
    int64_t low = 0, high = s->n;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (s->event[middle].step > step) low = middle + 1;
        else high = middle;
    }
    memmove(s->event + low + 1, s->event + low, (size_t)(s->n++ - low) * sizeof(event));
    s->event[low] = (event){ step, 0, item };
}

static tally hold_sorted(workload *w)
{
    sorted s = { .event = malloc(((size_t)w->n_pending + 1) * sizeof(event)) };
    tally  t = { 0 };
    if (!s.event) return t;
    for (int64_t k = 0; k < w->n_pending; k++) s.event[s.n++] = (event){ first_delay(w, k), (uint64_t)k, (uint64_t)k };
    qsort(s.event, (size_t)s.n, sizeof(event), latest_first);
    t.began = wall_seconds();
    do
        for (int k = 0; k < 64; k++) {
            event e = s.event[--s.n];
            count(&t, e.step, e.item);
            sorted_push(&s, e.step + next_delay(w), e.item);
        }
    while (!time_is_up(&t));
    free(s.event);
    return t;
}

/* ---- the table ---------------------------------------------------------------------------------------------- */

static const struct contestant {
    const char *name;
    tally (*hold)(workload *);
    int64_t most; /* events pending; beyond it one hold takes milliseconds */
} contestants[] = { { "calendar", hold_calendar, INT64_MAX },
                    { "heap", hold_heap, INT64_MAX },
                    { "sorted", hold_sorted, LIST_LIMIT } };

enum { N_CONTESTANTS = sizeof contestants / sizeof *contestants };

static double ns_per_hold(const char *variant, const struct contestant *c, workload *w, uint64_t *hash)
{
    w->n_drawn = 0;
    tally t = c->hold(w);
    if (t.n_held == 0) return 0;
    if (*hash == 0) *hash = t.hash;
    if (*hash != t.hash) printf("the %s takes the events in another order\n", c->name), exit(1);
    char   name[64];
    double ns = 1e9 * t.seconds / (double)t.n_held;
    snprintf(name, sizeof name, "%s %s %lld", c->name, variant, (long long)w->n_pending);
    note("event_queue", name, 0, "hold", "ns", ns);
    return ns;
}

static void print_line(const char *variant, workload *w)
{
    double   ns[N_CONTESTANTS] = { 0 };
    uint64_t hash = 0;
    for (int k = 0; k < N_CONTESTANTS; k++)
        if (w->n_pending <= contestants[k].most) ns[k] = ns_per_hold(variant, &contestants[k], w, &hash);
    printf("%-5s %9lld %10.1f %10.1f", variant, (long long)w->n_pending, ns[0], ns[1]);
    if (ns[2] > 0) printf(" %11.0f %9.1f %9.0f\n", ns[2], ns[1] / ns[0], ns[2] / ns[0]);
    else printf(" %11s %9.1f %9s\n", "> 1e6", ns[1] / ns[0], "-");
}

int main(void)
{
    static workload w;
    printf("Event queue, hold model: ns for taking one event and pushing one (calendar of %d steps)\n\n", HORIZON);
    printf("%-5s %9s %10s %10s %11s %9s %9s\n", "", "pending", "calendar", "heap", "sorted", "heap/cal.", "sort/cal.");
    for (int far = 0; far < 2; far++) {
        draw_delays(&w, far);
        for (w.n_pending = 1000; w.n_pending <= 10000000; w.n_pending *= 10) print_line(far ? "far" : "near", &w);
    }
    printf("\nThe sorted array is not run beyond 10^6 events: there a hold moves megabytes.\n");
    return 0;
}
