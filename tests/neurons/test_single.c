/* One neuron of each model against NEST 3.10.0: V_m under a current step and under a fixed train of excitatory and
 * inhibitory spikes, at 0.1 and 0.001 ms, and the spikes, on the grid and in exact timing. The data prints V_m and
 * exact times with ten decimals. */
#include "tests/support/reference.h"

#include <math.h>
#include <string.h>

#define SPIKES "tests/reference/single_spikes.txt"
#define PRINTED 5e-11                 /* mV or ms: half of the last decimal of the data         */
#define TOLERANCE_V (1e-9 + PRINTED)  /* mV: what rounding may differ, and how it is printed     */
#define TOLERANCE_T (1e-10 + PRINTED) /* ms                                                      */

typedef struct trial {
    const char *model;
    double      amplitude, w_ex, w_in; /* pA, pA and pA, or what the model's weights mean */
    double      h;                     /* ms */
    bool        spikes;                /* input: spikes, else the current step */
} trial;

static const trial models[] = {
    { .model = "iaf_psc_delta", .amplitude = 450, .w_ex = 3, .w_in = -2.5 },
    { .model = "iaf_psc_exp", .amplitude = 450, .w_ex = 420, .w_in = -150 },
    { .model = "iaf_psc_alpha", .amplitude = 450, .w_ex = 190, .w_in = -60 },
    { .model = "izhikevich", .amplitude = 10, .w_ex = 6, .w_in = -4 },
};

static bool is_izhikevich(const trial *t) { return strcmp(t->model, "izhikevich") == 0; }

static void set_parameters(rv_net *net, const trial *t, rv_population neuron)
{
    if (is_izhikevich(t)) return; /* the defaults */
    reference_set_all(net, neuron, "C_m", 250.0, "E_L", -65.0, "V_m", -70.0, "V_reset", -65.0, "V_th", -50.0, "t_ref",
                      2.0, "tau_m", 10.0, NULL);
    if (strcmp(t->model, "iaf_psc_delta") != 0)
        reference_set_all(net, neuron, "tau_syn_ex", 2.0, "tau_syn_in", 5.0, NULL);
}

static void add_input(rv_net *net, const trial *t, rv_population neuron)
{
    if (t->spikes) {
        reference_list ex = reference_row(SPIKES, "input excitatory"), in = reference_row(SPIKES, "input inhibitory");
        reference_play(net, "ex", neuron, ex, t->w_ex, 1.0);
        reference_play(net, "in", neuron, in, t->w_in, 1.0);
        reference_list_free(&ex), reference_list_free(&in);
    } else {
        const double     times[] = { 50, 450 }, amplitudes[] = { t->amplitude, 0 };
        const rv_setting step[] = { { "times", rv_list(times, 2) }, { "amplitudes", rv_list(amplitudes, 2) } };
        ENSURE_OK(net, rv_input_new(net, rv_all(neuron), "step", step, 2, NULL));
    }
}

static rv_net *new_trial(const trial *t, rv_timing timing, rv_population *neuron)
{
    rv_net *net = reference_net((rv_net_def){ .resolution = t->h, .timing = timing });
    *neuron = reference_population(net, "neuron", 1, t->model);
    set_parameters(net, t, *neuron);
    add_input(net, t, *neuron);
    ENSURE_OK(net, rv_record_spikes(net, *neuron));
    return net;
}

static void compare_spikes(rv_net *net, rv_population neuron, const char *label, double tolerance)
{
    reference_spikes got = reference_spikes_of(net, neuron);
    reference_list   expected = reference_row(SPIKES, label);
    double           worst = 0;
    ENSURE_NEAR_IN((double)got.n, (double)expected.n, 0, "spikes", "%s", label);
    for (int64_t k = 0; k < got.n; k++) {
        ENSURE_NEAR_IN(got.time_ms[k], expected.x[k], tolerance, "ms", "%s, spike %d", label, (int)k);
        worst = reference_worse(worst, got.time_ms[k], expected.x[k]);
    }
    print_message("%s: %d spikes, largest deviation %.2g ms\n", label, (int)got.n, worst);
    reference_spikes_free(&got);
    reference_list_free(&expected);
}

/* The data has every tenth sample of 0.1 ms: one each ms. Columns: t_ms, step and spikes at 0.1, step and spikes at
 * 0.001 ms. */
static void compare_V(rv_net *net, rv_probe probe, const trial *t, const char *label)
{
    reference_list expected = reference_table(reference_text("tests/reference/single_%s.csv", t->model), 5),
                   got = reference_samples(net, probe);
    int    column = 1 + t->spikes + 2 * (t->h < 0.1);
    double worst = 0;
    assert_int_equal(got.n, expected.n / 5);
    for (int64_t k = 0; k < got.n; k++) {
        const double *row = expected.x + 5 * k;
        ENSURE_NEAR_IN(got.x[k], row[column], TOLERANCE_V, "mV", "%s: V_m at %g ms", label, row[0]);
        worst = reference_worse(worst, got.x[k], row[column]);
    }
    print_message("%s: V_m, largest deviation %.2g mV\n", label, worst);
    reference_list_free(&expected);
    reference_list_free(&got);
}

static void run_on_grid(const trial *t)
{
    rv_population neuron;
    rv_net       *net = new_trial(t, RV_GRID, &neuron);
    rv_probe      probe = reference_record(net, neuron, "V_m", 1.0);
    const char   *label = reference_text("%s %s %g", t->model, t->spikes ? "spk" : "step", t->h);
    ENSURE_OK(net, rv_run(net, 500));
    compare_spikes(net, neuron, label, 1e-9 * t->h); /* the same step */
    compare_V(net, probe, t, label);
    rv_net_free(net);
}

static void test_on_the_grid(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        for (int k = 0; k < 4; k++) {
            trial t = models[m];
            t.h = k < 2 ? 0.1 : 0.001, t.spikes = k % 2;
            run_on_grid(&t);
        }
}

/* Exact timing at two resolutions, which must not matter; NEST's models of the same names with _ps. */
static void test_exact(void **state)
{
    (void)state;
    for (size_t m = 0; m < sizeof models / sizeof *models; m++)
        for (int k = 0; k < 4 && !is_izhikevich(&models[m]); k++) {
            trial t = models[m];
            t.h = k < 2 ? 0.1 : 1.0, t.spikes = k % 2;
            rv_population neuron;
            rv_net       *net = new_trial(&t, RV_EXACT, &neuron);
            ENSURE_OK(net, rv_run(net, 500));
            compare_spikes(net, neuron, reference_text("%s %s exact", t.model, t.spikes ? "spk" : "step"), TOLERANCE_T);
            rv_net_free(net);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_on_the_grid),
        cmocka_unit_test(test_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
