/* Legal values far outside physiology: no crash and no hang, in any model and timing. What comes out is not judged, but for
 * neurons that had no such input. Neurons that would fire without end in exact timing end the run with a sentence. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <cmocka.h>

#include "sim/ranvier.h"

static const double      weights[] = { 10, 1e6, -1e6, -1e8, 1e30, -1e30, 1e150, -1e150, 1e300, -1e300 };
static const double      drives[] = { 0, 300, 1e6, -1e6 };

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

/* Ends the program after so many seconds of its own time, whatever else the machine does; 0: no longer. */
static void expect_end_within(int seconds) { setitimer(ITIMER_PROF, &(struct itimerval){ .it_value = { .tv_sec = seconds } }, NULL); }

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
                    expect_end_within(20);
                    int64_t beside = run_pair(table.name, ways[way].timing, ways[way].advance, weights[w], drives[d]);
                    if (beside != alone)
                        fail_msg("%s, way %d, I_e = %g: expected %lld spikes of the other neuron, got %lld beside a weight of %g", table.name, way, drives[d],
                                 (long long)alone, (long long)beside, weights[w]);
                }
            }
    expect_end_within(0);
}

/* ---- without end --------------------------------------------------------------------------------------------- */

typedef struct setting {
    const char *name;
    double      value;
} setting;

/* A population in exact timing, in which neuron 2 and the last five have the drive; a parrot repeats the first ones. */
static rv_net *driven_net(const char *model, const setting *settings, double drive, double resolution, int threads)
{
    enum { N = 600 };
    static double each[N];
    rv_net       *net;
    for (int i = 0; i < N; i++) each[i] = i == 2 || i > 594 ? drive : 0;
    assert_int_equal(rv_net_new(&(rv_net_def){ .timing = RV_EXACT, .threads = threads, .resolution = resolution }, &net, NULL), RV_OK);
    rv_population parrot = rv_population_new(net, "parrot", 1, "parrot_neuron"), p = rv_population_new(net, "p", N, model);
    for (; settings->name; settings++) accept(net, rv_set(net, p, settings->name, rv_number(settings->value)));
    accept(net, rv_set(net, p, "I_e", rv_list(each, N)));
    accept(net, rv_connect(net, &(rv_connect_def){ .source = { p, 0, 5, 1 }, .target = rv_all(parrot), .rule = "all_to_all", .weight = rv_number(1), .delay = rv_number(2 * resolution) }, NULL));
    accept(net, rv_record_spikes(net, p));
    return net;
}

/* The run ends, with the same sentence for any number of threads. */
static void ends(const char *model, const setting *settings, double drive, const char *expected)
{
    char first[512] = "";
    for (int threads = 1; threads <= 4; threads++) {
        rv_net *net = driven_net(model, settings, drive, 0.1, threads);
        expect_end_within(60);
        rv_status status = rv_run(net, 1000);
        expect_end_within(0);
        const char *text = rv_net_error(net)->text;
        if (status != RV_CONFLICT || !strstr(text, expected) || !strstr(text, "population \"p\": neuron 2 "))
            fail_msg("%s, %d threads: expected \"neuron 2 ... %s\", got status %d: %s", model, threads, expected, status, text);
        if (threads == 1) snprintf(first, sizeof first, "%s", text);
        assert_string_equal(text, first);
        assert_int_equal(rv_run(net, 1), RV_CONFLICT); /* the state is lost, and that is said again */
        rv_net_free(net);
    }
}

static void firing_without_end_ends_the_run(void **state)
{
    (void)state;
    ends("izhikevich", (const setting[]){ { "d", -1000 }, { 0 } }, 10, "give its izhikevich a larger d");
    ends("izhikevich_2007", (const setting[]){ { "d", -1e5 }, { 0 } }, 100, "a larger d");
    ends("iaf_psc_exp", (const setting[]){ { "t_ref", 0 }, { "V_reset", -55 - 1e-9 }, { 0 } }, 1e6, "fires more than 10000 times in 0.1 ms at 0 ms");
    ends("iaf_psc_delta", (const setting[]){ { "t_ref", 0 }, { 0 } }, 1e9, "give its iaf_psc_delta a larger t_ref");
}

/* What is only fast is run, at any resolution: an interval of t_ref and the rise, C_m (V_th - V_reset) / I_e. */
static void firing_fast_is_run(void **state)
{
    (void)state;
    const double resolutions[] = { 0.1, 0.25, 2 }; /* ms */
    for (int k = 0; k < 3; k++) {
        const setting settings[] = { { "t_ref", 1e-5 }, { "C_m", 250 }, { "V_th", -55 }, { "V_reset", -70 }, { "V_m", -70 }, { 0 } };
        rv_net       *net = driven_net("iaf_psc_delta", settings, 1e9, resolutions[k], 2);
        accept(net, rv_run(net, 2));
        double n = (double)rv_spike_count(net, (rv_population){ 2 }), expected = 6 * 2 / (1e-5 + 250 * 15 / 1e9);
        if (fabs(n / expected - 1) > 1e-3) fail_msg("resolution %g ms: expected %.0f spikes, got %.0f", resolutions[k], expected, n);
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(extremes_neither_crash_nor_hang), cmocka_unit_test(firing_without_end_ends_the_run),
                                        cmocka_unit_test(firing_fast_is_run) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
