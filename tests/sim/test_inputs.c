/* Inputs that are added or changed between runs do what the same input given before with start and stop would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "sim/ranvier.h"

enum { N = 40, KINDS = 6 };

static void accept(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("expected to be accepted, got: %s", rv_net_error(net)->text);
}

static rv_net *new_net(rv_timing timing, rv_advance advance, rv_population *neurons)
{
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 9, .timing = timing, .threads = 2, .advance = advance }, &net, NULL), RV_OK);
    *neurons = rv_population_new(net, "n", N, "iaf_psc_exp");
    accept(net, rv_set(net, *neurons, "I_e", rv_uniform(320, 460)));
    accept(net, rv_record_spikes(net, *neurons));
    return net;
}

/* One of each kind, dense and sparse, into all neurons or a slice. */
static rv_status add_input(rv_net *net, rv_population neurons, int kind, double start)
{
    rv_slice all = rv_all(neurons), some = { neurons, 5, 10, 3 };
    rv_value begin = rv_number(start);
    switch (kind) {
    case 0: return rv_input_new(net, all, "poisson", (rv_setting[]){ { "rate", rv_number(3000) }, { "weight", rv_number(20) }, { "start", begin } }, 3, NULL);
    case 1: return rv_input_new(net, some, "poisson", (rv_setting[]){ { "rate", rv_number(60) }, { "weight", rv_number(200) }, { "start", begin } }, 3, NULL);
    case 2: return rv_input_new(net, all, "dc", (rv_setting[]){ { "amplitude", rv_number(80) }, { "start", begin } }, 2, NULL);
    case 3: return rv_input_new(net, some, "dc", (rv_setting[]){ { "amplitude", rv_number(120) }, { "start", begin } }, 2, NULL);
    case 4: return rv_input_new(net, all, "sine", (rv_setting[]){ { "amplitude", rv_number(90) }, { "frequency", rv_number(30) }, { "start", begin } }, 3, NULL);
    default: return rv_input_new(net, all, "noise", (rv_setting[]){ { "std", rv_number(150) }, { "dt", rv_number(0.5) }, { "start", begin } }, 3, NULL);
    }
}

static void expect_same_spikes(rv_net *a, rv_net *b, rv_population p, const char *what)
{
    int64_t n = rv_spike_count(a, p);
    if (rv_spike_count(b, p) != n) fail_msg("%s: expected %lld spikes, got %lld", what, (long long)n, (long long)rv_spike_count(b, p));
    double  *ta = malloc((size_t)(n + 1) * sizeof *ta), *tb = malloc((size_t)(n + 1) * sizeof *tb);
    int64_t *ia = malloc((size_t)(n + 1) * sizeof *ia), *ib = malloc((size_t)(n + 1) * sizeof *ib);
    accept(a, rv_spike_read(a, p, 0, n, ta, ia)), accept(b, rv_spike_read(b, p, 0, n, tb, ib));
    for (int64_t k = 0; k < n; k++)
        if (fabs(ta[k] - tb[k]) > 1e-9 || ia[k] != ib[k])
            fail_msg("%s: spike %lld: expected neuron %lld at %.10g ms, got %lld at %.10g ms", what, (long long)k, (long long)ia[k], ta[k], (long long)ib[k], tb[k]);
    free(ta), free(tb), free(ia), free(ib);
}

static void added_while_running(void **state)
{
    (void)state;
    static const struct { rv_timing timing; rv_advance advance; } ways[] = { { RV_GRID, RV_SWEEP }, { RV_GRID, RV_JUMP }, { RV_GRID, RV_ADAPTIVE }, { RV_EXACT, 0 } };
    for (int way = 0; way < 4; way++)
        for (int kind = 0; kind < KINDS; kind++) {
            rv_population p;
            rv_net       *before = new_net(ways[way].timing, ways[way].advance, &p), *later = new_net(ways[way].timing, ways[way].advance, &p);
            char          what[64];
            snprintf(what, sizeof what, "way %d, input %d", way, kind);
            accept(before, add_input(before, p, kind, 30));
            accept(before, rv_run(before, 100));
            accept(later, rv_run(later, 30));
            accept(later, add_input(later, p, kind, kind == 1 || kind == 5 ? 30 : 0));
            accept(later, rv_run(later, 70));
            assert_true(rv_spike_count(before, p) > 50);
            expect_same_spikes(before, later, p, what);
            rv_net_free(before), rv_net_free(later);
        }
}

/* dc 0 -> 100 pA at 30 ms -> 0 at 60 ms by rv_input_set() and as a step current. */
static void changed_while_running(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_population p;
        rv_input      input;
        rv_net       *given = new_net((rv_timing)timing, RV_ADAPTIVE, &p), *set = new_net((rv_timing)timing, RV_ADAPTIVE, &p);
        accept(given, rv_input_new(given, rv_all(p), "step", (rv_setting[]){ { "times", rv_list((const double[]){ 30, 60 }, 2) },
                                                                            { "amplitudes", rv_list((const double[]){ 100, 0 }, 2) } }, 2, NULL));
        accept(given, rv_run(given, 100));
        accept(set, rv_input_new(set, rv_all(p), "dc", NULL, 0, &input));
        accept(set, rv_run(set, 30));
        accept(set, rv_input_set(set, input, "amplitude", rv_number(100)));
        accept(set, rv_run(set, 30));
        accept(set, rv_input_set(set, input, "amplitude", rv_number(0)));
        accept(set, rv_run(set, 40));
        expect_same_spikes(given, set, p, "dc set between runs");
        rv_net_free(given), rv_net_free(set);
    }
}

/* A Poisson rate that goes from few to many spikes and to none, through all the ways it is run. */
static void rates_change_while_running(void **state)
{
    (void)state;
    static const double rates[] = { 20, 4000, 0, 100 }; /* Hz */
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_net *net;
        assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 4, .timing = (rv_timing)timing, .threads = 2 }, &net, NULL), RV_OK);
        rv_population parrots = rv_population_new(net, "parrots", 50, "parrot_neuron");
        rv_input      input;
        accept(net, rv_record_spikes(net, parrots));
        accept(net, rv_input_new(net, rv_all(parrots), "poisson", NULL, 0, &input));
        for (int k = 0; k < 4; k++) {
            int64_t before = rv_spike_count(net, parrots);
            accept(net, rv_input_set(net, input, "rate", rv_number(rates[k])));
            accept(net, rv_run(net, 1000));
            double n = (double)(rv_spike_count(net, parrots) - before), expected = 50 * rates[k];
            if (fabs(n - expected) > 5 * sqrt(expected)) fail_msg("rate %g Hz: expected %g spikes within 5 sd, got %g", rates[k], expected, n);
        }
        rv_net_free(net);
    }
}

/* A high rate in a long step: a mean of 1e8 spikes, whose table must not begin at zero. */
static void high_rates_in_long_steps(void **state)
{
    (void)state;
    rv_net *net;
    double  I_syn;
    assert_int_equal(rv_net_new(&(rv_net_def){ .resolution = 1000, .seed = 2, .threads = 1 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "n", 1, "iaf_psc_exp");
    accept(net, rv_input_new(net, rv_all(p), "poisson", (rv_setting[]){ { "rate", rv_number(1e8) }, { "weight", rv_number(-1e-3) } }, 2, NULL));
    accept(net, rv_run(net, 1000));
    accept(net, rv_get(net, rv_all(p), "I_syn_in", &I_syn));
    if (fabs(I_syn + 1e5) > 5 * 1e-3 * sqrt(1e8)) fail_msg("I_syn_in: expected -1e5 pA within 5 sd (50 pA), got %.10g pA", I_syn);
    rv_net_free(net);
}

/* More spikes of one neuron in one step than an event holds: 40 000 at 1 ms through two parrots, onto a neuron. */
static void crowds_of_spikes_are_not_lost(void **state)
{
    (void)state;
    enum { CROWD = 40000 };
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_net *net;
        assert_int_equal(rv_net_new(&(rv_net_def){ .timing = (rv_timing)timing, .threads = 2 }, &net, NULL), RV_OK);
        rv_population source = rv_population_new(net, "source", CROWD, "spike_generator"), chain[2] = { rv_population_new(net, "a", 1, "parrot_neuron"),
                                                                                                         rv_population_new(net, "b", 1, "parrot_neuron") };
        for (int i = 0; i < CROWD; i++) accept(net, rv_set_spike_times(net, source, i, (const double[]){ 1 }, 1));
        accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(source), .target = rv_all(chain[0]), .rule = "all_to_all" }, NULL));
        accept(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(chain[0]), .target = rv_all(chain[1]), .rule = "all_to_all" }, NULL));
        for (int k = 0; k < 2; k++) accept(net, rv_record_spikes(net, chain[k]));
        accept(net, rv_run(net, 5));
        for (int k = 0; k < 2; k++)
            if (rv_spike_count(net, chain[k]) != CROWD)
                fail_msg("timing %d, parrot %d: expected %d spikes, got %lld", timing, k, CROWD, (long long)rv_spike_count(net, chain[k]));
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(added_while_running), cmocka_unit_test(changed_while_running),
                                        cmocka_unit_test(rates_change_while_running), cmocka_unit_test(crowds_of_spikes_are_not_lost),
                                        cmocka_unit_test(high_rates_in_long_steps) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
