/* The C header: it is compiled without a warning, and a plain loop over its arrays (tests/hw/export_loop.c) gives the engine's spikes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/export_header.h"
#include "hw/export_verify.h"
#include "sim/random.h"
#include "tests/support/reference.h"

static char folder[] = "/tmp/ranvier_header_XXXXXX", header[64], program[64], input[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(header, sizeof header, "%s/network.h", folder);
    snprintf(program, sizeof program, "%s/loop", folder);
    snprintf(input, sizeof input, "%s/input", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(header), unlink(program), unlink(input);
    return rmdir(folder);
}

enum { STEPS = 150, N_IN = 15 };

static rv_random stream;
static int64_t   below(int64_t n) { return (int64_t)random_below(&stream, (uint64_t)n); }

/* Exponents from -5 to 1: some lose bits, so that sums are rounded by projection and delay. */
static void connect(rv_net *net, rv_population a, rv_population b)
{
    rv_setting     settings[] = { { "weight_exp", rv_number((double)below(7) - 5) }, { "num_weight_bits", rv_number(4 + (double)below(5)) } };
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(b), .rule = "pairwise_bernoulli", .p = rv_number(0.4), .weight = rv_uniform(-180, 255),
                           .delay = below(2) ? rv_number(1) : rv_uniform(1, 7), .synapse = "loihi", .settings = settings, .n_settings = 2 };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
}

static rv_population add_neurons(rv_net *net, const char *name, int64_t n)
{
    rv_population p = reference_population(net, name, n, "loihi_lif");
    double        vth[64], bias[64];
    for (int64_t i = 0; i < n; i++) vth[i] = 100 + (double)below(200), bias[i] = (double)below(300) - 150;
    ENSURE_OK(net, rv_set(net, p, "vth", rv_list(vth, n)));
    ENSURE_OK(net, rv_set(net, p, "bias_mant", rv_list(bias, n)));
    reference_set_all(net, p, "du", (double)below(4096), "dv", (double)below(2000), "bias_exp", 2.0, "v", -77.0, "u", 500.0, NULL);
    return p;
}

/* Inputs go to the engine and, by step, into a file for the loop. */
static rv_net *random_net(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    rv_population in = reference_population(net, "in ?\?(", N_IN, "spike_generator");
    static bool   spikes[STEPS + 1][N_IN];
    stream = random_stream(seed, RANDOM_USER, 17, 0);
    for (int i = 0; i < N_IN; i++) {
        double  times[STEPS];
        int64_t n = 0;
        for (int t = 1; t <= STEPS; t++)
            if ((spikes[t][i] = below(5) == 0)) times[n++] = t;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, n));
    }
    FILE *f = fopen(input, "w");
    for (int t = 1; t <= STEPS; t++)
        for (int i = 0; i < N_IN; i++)
            if (spikes[t][i]) fprintf(f, "%d %d\n", t, i);
    fclose(f);
    rv_population a = add_neurons(net, "a", 30), b = add_neurons(net, "b", 50);
    connect(net, in, a), connect(net, a, b), connect(net, b, a), connect(net, b, b), connect(net, a, a), connect(net, in, b);
    for (int p = 1; p <= 3; p++) ENSURE_OK(net, rv_record_spikes(net, (rv_population){ p }));
    return net;
}

static void write_header(rv_net *net, double neurons_per_core)
{
    hw_chip   chip;
    hw_graph *graph;
    hw_map   *map;
    rv_error  error = { 0 };
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    chip.entry[HW_NEURONS].value = neurons_per_core;
    chip.entry[HW_THRESHOLD_PROFILES].value = 1e9;
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK || hw_header_write(header, net, map, &error) != RV_OK)
        fail_msg("%s", error.text);
    hw_map_free(map), hw_graph_free(graph);
}

static void compile_loop(void)
{
    char command[400];
    snprintf(command, sizeof command, "cc -std=c11 -Wall -Wextra -Wpedantic -Werror -O1 -DNETWORK='\"%s\"' -DSTEPS=%d tests/hw/export_loop.c -o %s", header, STEPS, program);
    assert_int_equal(system(command), 0);
}

static int64_t compare_spikes(rv_net *net)
{
    static const int64_t first[] = { 0, N_IN, N_IN + 30 };
    static bool          fired[STEPS + 1][N_IN + 80];
    char                 command[200];
    int                  step, neuron;
    int64_t              n = 0, all = 0;
    memset(fired, 0, sizeof fired);
    snprintf(command, sizeof command, "%s < %s", program, input);
    FILE *f = popen(command, "r");
    for (; fscanf(f, "%d %d", &step, &neuron) == 2; n++) fired[step][neuron] = true;
    assert_int_equal(pclose(f), 0);
    for (int p = 1; p <= 3; p++) {
        reference_spikes s = reference_spikes_of(net, (rv_population){ p });
        for (int64_t k = 0; k < s.n; k++)
            if (!fired[(int)s.time_ms[k]][first[p - 1] + s.neuron[k]]) fail_msg("the loop has no spike of population %d, neuron %d at step %d", p, (int)s.neuron[k], (int)s.time_ms[k]);
        all += s.n;
        reference_spikes_free(&s);
    }
    assert_int_equal(n, all);
    return n;
}

static void test_loop(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        rv_net *net = random_net(seed);
        write_header(net, 7 + (double)(seed * 13 % 60));
        compile_loop();
        ENSURE_OK(net, rv_run(net, STEPS));
        print_message("header %d: %lld spikes equal\n", (int)seed, (long long)compare_spikes(net));
        rv_error error = { 0 };
        if (hw_export_verify("header", header, net, &(hw_verify_options){ .seed = seed, .rate = 0.2 }, NULL, &error) != RV_OK) fail_msg("%s", error.text); /* read without a compiler */
        rv_net_free(net);
    }
}

/* ---- refusals -------------------------------------------------------------------------------------------------------- */

static void expect_refused(rv_net *net, const char *sentence)
{
    hw_chip   chip;
    hw_graph *graph;
    hw_map   *map;
    rv_error  error = { 0 };
    assert_int_equal(hw_chip_find("fpga", &chip, &error), RV_OK);
    if (hw_graph_from_net(net, NULL, &graph, &error) != RV_OK || hw_map_network(&chip, graph, NULL, &map, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(hw_header_write(header, net, map, &error), RV_CONFLICT);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    hw_map_free(map), hw_graph_free(graph), rv_net_free(net);
}

static rv_net *small(const char *model, const char *synapse, double message_bits)
{
    rv_net        *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population  in = reference_population(net, "in", 2, "spike_generator"), a = reference_population(net, "a", 3, model);
    rv_setting     bits[] = { { "num_message_bits", rv_number(message_bits) } };
    rv_connect_def def = { .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(2), .synapse = synapse, .settings = bits, .n_settings = message_bits ? 1 : 0 };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    return net;
}

static void test_refused(void **state)
{
    (void)state;
    expect_refused(small("loihi_ternary", "loihi", 0), "population \"a\": its model is loihi_ternary, but headers hold neurons of one kind: the nearest is loihi_lif");
    expect_refused(small("loihi_lif", "loihi1", 0), "projection \"in\" -> \"a\": its synapses are loihi1, but headers hold those of Loihi 2: the nearest are synapse = \"loihi\"");
    expect_refused(small("loihi_lif", "loihi", 4), "projection \"in\" -> \"a\": num_message_bits is not 0, but the spikes of headers carry nothing");
    rv_net *net = small("loihi_lif", "loihi", 0);
    reference_set(net, (rv_population){ 2 }, "reset_interval", 8);
    expect_refused(net, "population \"a\": reset_interval = 8 for neuron 0, but the neurons of headers are not reset by the clock: set it to 0");
    net = small("loihi_lif", "loihi", 0);
    reference_set_all(net, (rv_population){ 2 }, "bias_mant", 4000.0, "bias_exp", 20.0, NULL);
    expect_refused(net, "population \"a\": the bias of neuron 0 is 4.1943e+09, allowed are +-2^30");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_loop), cmocka_unit_test(test_refused) };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
