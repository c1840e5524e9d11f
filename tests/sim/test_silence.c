/* Silence costs nothing: what the engine does is counted, not timed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/ranvier.h"

typedef struct work {
    int64_t updates, events, spikes;
} work;

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

/* 2 000 neurons of which 20 fire at about 10 Hz, each with 100 synapses too weak for more, and `silent` others. */
static work work_of_a_second(rv_timing timing, int64_t silent, int threads)
{
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 5, .timing = timing, .threads = threads }, &net, NULL), RV_OK);
    rv_population all = rv_population_new(net, "all", 2000, "iaf_psc_exp");
    accept(net, rv_set(net, all, "tau_m", rv_number(20)));
    accept(net, rv_set_slice(net, (rv_slice){ all, 0, 20, 1 }, "I_e", rv_number(250 * 15 / 20.0 * 1.008))); /* just above rheobase */
    if (silent > 0) rv_population_new(net, "silent", silent, "iaf_psc_exp");
    accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(all), .target = rv_all(all), .rule = "fixed_indegree", .degree = 100,
                                                   .weight = rv_number(0.01), .delay = rv_number(1.5) }, NULL));
    accept(net, rv_run(net, 100));
    rv_profile before = rv_profile_get(net);
    accept(net, rv_run(net, 1000));
    rv_profile after = rv_profile_get(net);
    rv_net_free(net);
    return (work){ after.neuron_updates - before.neuron_updates, after.synaptic_events - before.synaptic_events, after.spikes - before.spikes };
}

static void silent_neurons_are_not_visited(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (int threads = 1; threads <= 2; threads++) {
            work alone = work_of_a_second((rv_timing)timing, 0, threads), beside = work_of_a_second((rv_timing)timing, 300000, threads);
            assert_true(alone.spikes > 100);
            assert_int_equal(beside.spikes, alone.spikes);
            assert_int_equal(beside.events, alone.events);
            if (beside.updates != alone.updates)
                fail_msg("timing %d: expected %lld visits of neurons as without the silent ones, got %lld", timing, (long long)alone.updates, (long long)beside.updates);
        }
}

/* A neuron is visited once per event, and now and then where it might cross: far less than once a step. */
static void visits_go_with_events(void **state)
{
    (void)state;
    work grid = work_of_a_second(RV_GRID, 0, 1);
    printf("2 000 neurons, 10 000 steps: %lld spikes, %lld synaptic events, %lld visits\n", (long long)grid.spikes, (long long)grid.events, (long long)grid.updates);
    assert_true(grid.updates < 2 * grid.events);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(silent_neurons_are_not_visited), cmocka_unit_test(visits_go_with_events) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
