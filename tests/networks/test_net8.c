/* A recurrent network of 200 neurons (160 excitatory) in which everything is given, spike for spike against
 * NEST 3.10.0: exact timing (its models iaf_psc_exp_ps_lossless, iaf_psc_exp_ps, iaf_psc_delta_ps, iaf_psc_alpha_ps)
 * and grid timing. Every neuron has an input train of its own through a delay of 1 ms.
 *
 * The project has the first 250 ms; the whole second is compared where ../shared is beside the project. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 200 };
#define SHARED "../shared/reference/data/nest"

typedef struct net8_case {
    const char *name, *model;
    double      w_rec, w_in; /* weight = rel_weight w_rec; of the input (pA; mV for delta) */
    double      tau_syn_in;  /* ms, 0: the model has none; tau_syn_ex is 2 ms              */
    rv_timing   timing;
    double      tolerance; /* ms; NEST at 0.1 ms against itself at 0.05 and 0.01 ms      */
} net8_case;

/* NEST agrees with itself to 1.6e-12 to 3.3e-12 ms (exp), 2.3e-13 (delta), 1.6e-11 (alpha). */
static const net8_case cases[] = {
    { "exp_ps_lossless_weak", "iaf_psc_exp", 5, 300, 2, RV_EXACT, 1e-11 },
    { "exp_ps_lossless_strong", "iaf_psc_exp", 60, 300, 2, RV_EXACT, 1e-11 },
    { "exp_ps_two_taus", "iaf_psc_exp", 30, 300, 5, RV_EXACT, 1e-11 },
    { "delta_ps_weak", "iaf_psc_delta", 0.05, 2.4, 0, RV_EXACT, 1e-11 },
    { "delta_ps_strong", "iaf_psc_delta", 0.6, 2.4, 0, RV_EXACT, 1e-11 },
    { "alpha_ps", "iaf_psc_alpha", 15, 110, 5, RV_EXACT, 3e-11 },
    { "exp_grid", "iaf_psc_exp", 30, 300, 5, RV_GRID, 1e-9 },
    { "alpha_grid", "iaf_psc_alpha", 15, 110, 5, RV_GRID, 1e-9 },
    { "delta_grid", "iaf_psc_delta", 0.4, 2.4, 0, RV_GRID, 1e-9 },
};
enum { N_CASES = sizeof cases / sizeof *cases };

static const char *path_of(const char *folder, const char *file) { return reference_text("%s/%s", folder, file); }

static rv_population add_neurons(rv_net *net, const net8_case *c, const char *folder)
{
    rv_population  neurons = reference_population(net, "neurons", N, c->model);
    reference_list V = reference_table(path_of(folder, "net8_v0.csv"), 1);
    reference_set_all(net, neurons, "C_m", 250.0, "E_L", -65.0, "V_reset", -65.0, "V_th", -50.0, "t_ref", 2.0, "tau_m",
                      10.0, NULL);
    if (c->tau_syn_in > 0) reference_set_all(net, neurons, "tau_syn_ex", 2.0, "tau_syn_in", c->tau_syn_in, NULL);
    ENSURE_OK(net, rv_set(net, neurons, "V_m", rv_list(V.x, V.n)));
    reference_list_free(&V);
    return neurons;
}

/* The synapses of neurons `first` .. `end` - 1, which have one sign. */
static void connect_sources(rv_net *net, const net8_case *c, const char *folder, rv_population neurons, double first,
                            double end)
{
    reference_list table = reference_table(path_of(folder, "net8_connections.csv"), 4);
    int64_t        n = 0, *source = malloc((size_t)table.n * sizeof *source),
            *target = malloc((size_t)table.n * sizeof *target);
    double *weight = malloc((size_t)table.n * sizeof *weight), *delay = malloc((size_t)table.n * sizeof *delay);
    for (int64_t k = 0; k < table.n; k += 4) {
        const double *row = table.x + k;
        if (row[0] < first || row[0] >= end) continue;
        source[n] = (int64_t)row[0], target[n] = (int64_t)row[1], weight[n] = row[2] * c->w_rec, delay[n++] = row[3];
    }
    ENSURE_OK(net, rv_connect(net,
                              &(rv_connect_def){ .source = rv_all(neurons),
                                                 .target = rv_all(neurons),
                                                 .rule = "list",
                                                 .sources = source,
                                                 .targets = target,
                                                 .n_list = n,
                                                 .weight = rv_list(weight, n),
                                                 .delay = rv_list(delay, n) },
                              NULL));
    free(source), free(target), free(weight), free(delay);
    reference_list_free(&table);
}

/* On the grid the input is the same rounded to 0.1 ms, with at most one spike a step. */
static int64_t round_to_grid(double *times, int64_t n)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < n; k++) {
        double rounded = rint(times[k] * 10) / 10;
        if (kept == 0 || rounded > times[kept - 1]) times[kept++] = rounded;
    }
    return kept;
}

static void add_input(rv_net *net, const net8_case *c, const char *folder, rv_population neurons)
{
    reference_list table = reference_table(path_of(folder, "net8_input_offgrid.csv"), 2);
    rv_population  input = reference_population(net, "input", N, "spike_generator");
    double        *times = malloc((size_t)table.n * sizeof *times);
    for (int64_t i = 0, k = 0; i < N; i++) { /* the table is sorted by neuron, then time */
        int64_t n = 0;
        for (; 2 * k < table.n && table.x[2 * k] == (double)i; k++) times[n++] = table.x[2 * k + 1];
        if (c->timing == RV_GRID) n = round_to_grid(times, n);
        ENSURE_OK(net, rv_set_spike_times(net, input, i, times, n));
    }
    ENSURE_OK(net, rv_connect(net,
                              &(rv_connect_def){ .source = rv_all(input),
                                                 .target = rv_all(neurons),
                                                 .rule = "one_to_one",
                                                 .weight = rv_number(c->w_in),
                                                 .delay = rv_number(1.0) },
                              NULL));
    free(times);
    reference_list_free(&table);
}

static reference_spikes simulate(const net8_case *c, const char *folder, double resolution, rv_advance advance,
                                 double duration_ms)
{
    rv_net *net = reference_net((rv_net_def){ .resolution = resolution, .timing = c->timing, .advance = advance });
    rv_population neurons = add_neurons(net, c, folder);
    connect_sources(net, c, folder, neurons, 0, 160);
    connect_sources(net, c, folder, neurons, 160, N);
    add_input(net, c, folder, neurons);
    ENSURE_OK(net, rv_record_spikes(net, neurons));
    ENSURE_OK(net, rv_run(net, duration_ms));
    reference_spikes spikes = reference_spikes_of(net, neurons);
    rv_net_free(net);
    return spikes;
}

static int by_neuron_and_time(const void *pa, const void *pb)
{
    const double *a = pa, *b = pb;
    if (a[0] != b[0]) return a[0] < b[0] ? -1 : 1;
    return (a[1] > b[1]) - (a[1] < b[1]);
}

/* Both as rows of neuron, time by neuron, so that spikes closer than the rounding of their times keep their partners.
 */
static void compare(const net8_case *c, const reference_spikes *got, reference_list expected, double tolerance)
{
    double *rows = malloc((size_t)got->n * 2 * sizeof *rows), worst = 0;
    for (int64_t k = 0; k < got->n; k++) rows[2 * k] = (double)got->neuron[k], rows[2 * k + 1] = got->time_ms[k];
    ENSURE_NEAR_IN((double)got->n, (double)(expected.n / 2), 0, "spikes", "%s", c->name);
    qsort(rows, (size_t)got->n, 2 * sizeof *rows, by_neuron_and_time);
    qsort(expected.x, (size_t)got->n, 2 * sizeof *rows, by_neuron_and_time);
    for (int64_t k = 0; k < got->n; k++) {
        const double *e = expected.x + 2 * k, *g = rows + 2 * k;
        ENSURE_NEAR_IN(g[0], e[0], 0, "(neuron)", "%s: spike %d", c->name, (int)k);
        ENSURE_NEAR_IN(g[1], e[1], tolerance, "ms", "%s: spike %d, neuron %d", c->name, (int)k, (int)e[0]);
        worst = reference_worse(worst, g[1], e[1]);
    }
    print_message("%-24s %5d spikes, largest deviation %.2g ms\n", c->name, (int)got->n, worst);
    free(rows);
}

/* A delay is kept to 2^-32 of a step: at 0.5 ms those that are no multiple of it are off by up to 6e-11 ms. */
static double tolerance_at(const net8_case *c, double resolution) { return resolution > 0.1 ? 1e-9 : c->tolerance; }

static void check(const net8_case *c, const char *folder, double resolution, rv_advance advance, double duration_ms)
{
    reference_list   expected = reference_table(reference_text("%s/net8_spikes_%s.csv", folder, c->name), 2);
    reference_spikes got = simulate(c, folder, resolution, advance, duration_ms);
    compare(c, &got, expected, tolerance_at(c, resolution));
    reference_spikes_free(&got);
    reference_list_free(&expected);
}

static void check_all(const char *folder, rv_timing timing, double resolution, rv_advance advance, double duration_ms)
{
    for (int k = 0; k < N_CASES; k++)
        if (cases[k].timing == timing) check(&cases[k], folder, resolution, advance, duration_ms);
}

static void test_grid(void **state)
{
    (void)state;
    for (rv_advance advance = RV_ADAPTIVE; advance <= RV_JUMP; advance++)
        check_all("tests/reference", RV_GRID, 0.1, advance, 250);
}

static void test_exact(void **state)
{
    (void)state;
    check_all("tests/reference", RV_EXACT, 0.1, RV_ADAPTIVE, 250);
}

/* In exact timing the resolution only decides how many steps a window has. */
static void test_exact_at_other_resolutions(void **state)
{
    (void)state;
    check_all("tests/reference", RV_EXACT, 0.025, RV_ADAPTIVE, 250);
    check_all("tests/reference", RV_EXACT, 0.5, RV_ADAPTIVE, 250);
}

static void test_whole_second(void **state)
{
    (void)state;
    if (!reference_exists(SHARED "/net8_v0.csv")) {
        print_message("skipped: the whole second is in " SHARED ", which is not here\n");
        skip();
    }
    check_all(SHARED, RV_GRID, 0.1, RV_ADAPTIVE, 1000);
    check_all(SHARED, RV_EXACT, 0.1, RV_ADAPTIVE, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_exact),
        cmocka_unit_test(test_exact_at_other_resolutions),
        cmocka_unit_test(test_whole_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
