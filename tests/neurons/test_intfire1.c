/* IntFire1 against its closed form: a list of events, worked off in order (NEURON's intfire1.mod: m decays, an event adds its
 * weight, m > 1 fires at once, events during the refractory period are lost). */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N_EVENTS = 4000, N_SOURCES = 3 };
static const double TAU = 24, REFRAC = 3, WEIGHT[N_SOURCES] = { 0.31, 0.17, -0.2 }, DELAY[N_SOURCES] = { 0, 0.75, 2 };

typedef struct event {
    double ms, weight;
} event;

static int by_time(const void *pa, const void *pb) { return ((const event *)pa)->ms < ((const event *)pb)->ms ? -1 : 1; }

/* Spike times of the twin. @param lost whether events at the very end of the refractory period are lost, as on the grid */
static int twin(event *events, int n, bool lost, double *spikes)
{
    double m = 0, last = 0, ready = 0;
    int    n_spikes = 0;
    qsort(events, (size_t)n, sizeof *events, by_time);
    for (int k = 0; k < n; k++) {
        while (k + 1 < n && events[k + 1].ms == events[k].ms) events[k + 1].weight += events[k].weight, k++; /* one input */
        if (events[k].ms < ready || (lost && events[k].ms == ready && ready > 0)) continue;
        m *= exp(-(events[k].ms - fmax(last, ready)) / TAU);
        last = events[k].ms;
        m += events[k].weight;
        if (m <= 1) continue;
        spikes[n_spikes++] = last;
        m = 0, ready = last + REFRAC;
    }
    return n_spikes;
}

static void compare(rv_timing timing, double h, double tolerance)
{
    static event  events[N_EVENTS];
    static double times[N_SOURCES][N_EVENTS], spikes[N_EVENTS];
    int           n[N_SOURCES] = { 0 };
    double        t = 1;
    srand(5);
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population sources = reference_population(net, "sources", N_SOURCES, "spike_generator"), cell = reference_population(net, "cell", 1, "intfire1");
    reference_set_all(net, cell, "tau", TAU, "refrac", REFRAC, NULL);
    for (int k = 0; k < N_EVENTS; k++) {
        int source = rand() % N_SOURCES;
        t += timing == RV_EXACT ? 0.01 + 1.3 * rand() / RAND_MAX : h * (1 + rand() % 12);
        times[source][n[source]++] = t;
        events[k] = (event){ t + DELAY[source] + (timing == RV_GRID && DELAY[source] == 0 ? h : 0), WEIGHT[source] };
    }
    for (int64_t source = 0; source < N_SOURCES; source++) {
        rv_slice       one = { sources, source, 1, 1 };
        double         delay = DELAY[source] == 0 && timing == RV_GRID ? h : DELAY[source];
        rv_connect_def def = { .source = one, .target = rv_all(cell), .rule = "all_to_all", .weight = rv_number(WEIGHT[source]), .delay = rv_number(delay) };
        ENSURE_OK(net, rv_set_spike_times(net, sources, source, times[source], n[source]));
        ENSURE_OK(net, rv_connect(net, &def, NULL));
    }
    ENSURE_OK(net, rv_record_spikes(net, cell));
    ENSURE_OK(net, rv_run(net, ceil(t) + 3));
    int              expected = twin(events, N_EVENTS, timing == RV_GRID, spikes);
    reference_spikes got = reference_spikes_of(net, cell);
    assert_true(expected > 100);
    assert_int_equal(got.n, expected);
    for (int k = 0; k < expected; k++) ENSURE_NEAR_IN(got.time_ms[k], spikes[k], tolerance, "ms", "spike %d", k);
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_exact(void **state)
{
    (void)state;
    compare(RV_EXACT, 0.1, 1e-9);
}

/* Steps of a power of two, so that sums of times are exact. */
static void test_grid(void **state)
{
    (void)state;
    compare(RV_GRID, 0.0625, 1e-6);
}

static void test_no_currents(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ 0 });
    rv_population cell = reference_population(net, "cell", 1, "intfire1");
    rv_setting    amplitude = { "amplitude", rv_number(100) };
    assert_int_equal(rv_input_new(net, rv_all(cell), "dc", &amplitude, 1, NULL), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "intfire1 takes spikes only, no currents"));
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_exact), cmocka_unit_test(test_grid), cmocka_unit_test(test_no_currents) };
    return cmocka_run_group_tests_name("intfire1", tests, NULL, NULL);
}
