/* Legal values far outside physiology: no crash and no hang, in any model and timing. What comes out is not judged, but for
 * neurons that had no such input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "sim/ranvier.h"

static const double      weights[] = { 10, 1e6, -1e6, -1e8, 1e30, -1e30, 1e150, -1e150, 1e300, -1e300 };
static const double      drives[] = { 0, 300, 1e6, -1e6 };

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

/* Neuron 0 gets the weight, neuron 1 does not. @return spikes of neuron 1 */
static int64_t run_pair(const char *model, rv_timing timing, rv_advance advance, double weight, double drive)
{
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .timing = timing, .threads = 1, .advance = advance }, &net, NULL), RV_OK);
    rv_population g = rv_population_new(net, "g", 1, "spike_generator"), p = rv_population_new(net, "p", 2, model);
    accept(net, rv_set(net, p, "I_e", rv_number(drive)));
    accept(net, rv_set_spike_times(net, g, 0, (const double[]){ 1.03, 2, 2.01, 7.7 }, 4));
    accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(g), .target = { p, 0, 1, 1 }, .rule = "all_to_all", .weight = rv_number(weight) }, NULL));
    accept(net, rv_record_spikes(net, p));
    if (timing == RV_EXACT && rv_compile(net) == RV_CONFLICT) { /* a model that is defined in steps */
        rv_net_free(net);
        return 0;
    }
    accept(net, rv_run(net, 20));
    int64_t n = rv_spike_count(net, p), neurons[4096], others = 0;
    for (int64_t first = 0, some; first < n; first += some) {
        some = n - first < 4096 ? n - first : 4096;
        accept(net, rv_spike_read(net, p, first, some, NULL, neurons));
        for (int64_t k = 0; k < some; k++) others += neurons[k] == 1;
    }
    rv_net_free(net);
    return others;
}

/* Generators, chips' neurons and those that ignore what comes have no constant current. */
static bool has_current(const rv_table *table)
{
    for (int k = 0; k < table->n_params; k++)
        if (strcmp(table->params[k].name, "I_e") == 0) return true;
    return false;
}

static void extremes_neither_crash_nor_hang(void **state)
{
    (void)state;
    static const struct { rv_timing timing; rv_advance advance; } ways[] = { { RV_GRID, RV_SWEEP }, { RV_GRID, RV_JUMP }, { RV_EXACT, RV_ADAPTIVE } };
    rv_table table;
    for (int m = 0; rv_table_at(RV_NEURONS, m, &table); m++)
        for (int way = 0; way < 3 && has_current(&table); way++)
            for (int d = 0; d < 4; d++) {
                int64_t alone = run_pair(table.name, ways[way].timing, ways[way].advance, 0, drives[d]);
                for (unsigned w = 0; w < sizeof weights / sizeof *weights; w++) {
                    alarm(20); /* ends the program: a hang */
                    int64_t beside = run_pair(table.name, ways[way].timing, ways[way].advance, weights[w], drives[d]);
                    if (beside != alone)
                        fail_msg("%s, way %d, I_e = %g: expected %lld spikes of the other neuron, got %lld beside a weight of %g", table.name, way, drives[d],
                                 (long long)alone, (long long)beside, weights[w]);
                }
            }
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(extremes_neither_crash_nor_hang) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
