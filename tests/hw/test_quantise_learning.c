/* Learning through the quantiser: what a network learns in real numbers and in the chip's integers, side by side, with the spikes of
 * both imposed by teachers; what the report says of it; what is refused, and the way out. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/quantise.h"
#include "tests/support/reference.h"

enum { SOURCES = 60, TARGETS = 20, SYNAPSES = SOURCES * TARGETS, MS = 3000, RUNS = 6 };

/* Weights that learn are too weak to make a target spike; teachers, one for each, are strong enough. */
static rv_net *taught(rv_connect_def def, double weight, int run)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = (uint64_t)run });
    rv_population a = reference_population(net, "a", SOURCES, "poisson_generator"), teacher = reference_population(net, "teacher", TARGETS, "poisson_generator"),
                  b = reference_population(net, "b", TARGETS, "iaf_psc_delta");
    rv_connect_def teach = { .source = rv_all(teacher), .target = rv_all(b), .rule = "one_to_one", .weight = rv_number(21), .delay = rv_number(1) };
    reference_set(net, a, "rate", 15), reference_set(net, teacher, "rate", 12);
    reference_set_all(net, b, "tau_m", 10.0, "t_ref", 0.0, "E_L", 0.0, "V_reset", 0.0, "V_th", 20.0, "V_m", 0.0, NULL);
    def.source = rv_all(a), def.target = rv_all(b), def.rule = "all_to_all", def.weight = rv_number(weight);
    if (def.delay.kind == RV_UNSET) def.delay = rv_number(1);
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    ENSURE_OK(net, rv_connect(net, &teach, NULL));
    return net;
}

/* How far what was learnt in integers is from what was learnt in real numbers, in parts of the range of weights. */
typedef struct distance {
    double mean, rms, change; /* mean difference; its rms; rms change by learning */
    double lag, scale, bound, impulse[5];
    char   text[240];
} distance;

static void run_and_read(rv_net *net, double *w, double reward)
{
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "b")));
    if (reward != 0) ENSURE_OK(net, rv_set_learning(net, (rv_projection){ 1 }, "y2", rv_number(reward)));
    ENSURE_OK(net, rv_run(net, MS));
    ENSURE_OK(net, rv_synapses(net, (rv_projection){ 1 }, NULL, NULL, w, NULL));
}

static distance compare_run(rv_net *net, double weight, double range, double reward)
{
    static double      given[SYNAPSES], learnt[SYNAPSES];
    distance           d = { 0 };
    rv_net            *q;
    hw_quantise_report report;
    rv_error           error = { 0 };
    if (hw_quantise(net, NULL, &q, &report, &error) != RV_OK) fail_msg("hw_quantise: %s", error.text);
    const hw_learning_report *learning = &report.projection[0].learning;
    d.lag = learning->lag, d.scale = learning->scale.max, d.bound = learning->chip_high;
    memcpy(d.impulse, learning->chip_impulse, sizeof d.impulse), snprintf(d.text, sizeof d.text, "%s", learning->text[0]);
    assert_string_equal(rv_projection_plasticity(q, (rv_projection){ 1 }), "loihi_rule");
    run_and_read(net, given, reward), run_and_read(q, learnt, reward);
    assert_int_equal(rv_spike_count(net, rv_population_find(net, "b")), rv_spike_count(q, rv_population_find(q, "b")));
    assert_true(rv_spike_count(q, rv_population_find(q, "b")) > 10 * TARGETS);
    for (int k = 0; k < SYNAPSES; k++) {
        double e = (learnt[k] / learning->unit - given[k]) / range, change = (given[k] - weight) / range;
        d.mean += e / SYNAPSES, d.rms += e * e / SYNAPSES, d.change += change * change / SYNAPSES;
    }
    d.rms = sqrt(d.rms), d.change = sqrt(d.change);
    hw_quantise_report_free(&report), rv_net_free(q), rv_net_free(net);
    return d;
}

/* A rule as given, and how it is tried: begun with all weights alike, which then range over so much. */
typedef struct trial {
    rv_connect_def def;
    double         weight, range, reward;
} trial;

static distance compare(trial t)
{
    distance d = { 0 };
    for (int run = 1; run <= RUNS; run++) {
        distance one = compare_run(taught(t.def, t.weight, run), t.weight, t.range, t.reward);
        d.mean += one.mean / RUNS, d.rms += one.rms / RUNS, d.change += one.change / RUNS, one.mean = d.mean, one.rms = d.rms, one.change = d.change, d = one;
    }
    return d;
}

/* Each of some hundred events is rounded at random to whole numbers, of 255, which alone makes a few percent; all synapses share the
 * random numbers, so the mean over them differs, too, from run to run. */
static void expect_near(const char *what, distance d, double mean, double rms)
{
    print_message("%s: weights change by %.1f %% of their range; in integers they differ by %+.2f %% on average, %.1f %% rms\n", what, 100 * d.change, 100 * d.mean, 100 * d.rms);
    print_message("    %s; scales %.2g %% off, bound %.4g, impulses %g %g\n", d.text, 100 * d.scale, d.bound, d.impulse[0], d.impulse[2]);
    assert_true(d.change > 2 * d.rms);
    ENSURE_NEAR_IN(d.mean, 0, mean, "of the range", "%s: mean", what);
    ENSURE_NEAR_IN(d.rms, 0, rms, "of the range", "%s: rms", what);
}

/* ---- stdp ------------------------------------------------------------------------------------------------------- */

enum { N_STDP = 8 };
static trial stdp(double mu_plus, double mu_minus, double fraction, double delay, double weight, double highest)
{
    static rv_setting settings[N_STDP];
    rv_setting        given[N_STDP] = { { "lambda", rv_number(0.03) }, { "alpha", rv_number(0.9) }, { "tau_plus", rv_number(20) }, { "tau_minus", rv_number(25) }, { "mu_plus", rv_number(mu_plus) },
                                    { "mu_minus", rv_number(mu_minus) }, { "Wmax", rv_number(highest) }, { "dendritic_fraction", rv_number(fraction) } };
    memcpy(settings, given, sizeof given);
    return (trial){ { .plasticity = "stdp", .delay = rv_number(delay), .settings = settings, .n_settings = N_STDP }, weight, fabs(highest), 0 };
}

static void test_stdp(void **state)
{
    (void)state;
    expect_near("additive", compare(stdp(0, 0, 0.5, 2, 0.05, 0.1)), 0.01, 0.05);
    expect_near("multiplicative", compare(stdp(1, 1, 0.5, 2, 0.02, 0.1)), 0.01, 0.05);
    expect_near("van Rossum", compare(stdp(0, 1, 0.5, 2, 0.01, 0.1)), 0.01, 0.05);
    expect_near("inhibitory", compare(stdp(0, 0, 0.5, 2, -0.05, -0.1)), 0.01, 0.05);
    distance lag = compare(stdp(0, 0, 1, 1, 0.05, 0.1));
    ENSURE_NEAR(lag.lag, 1, 1e-9, "ms");
    expect_near("with a delay", lag, 0.05, 0.06);
}

/* What the report says of it. */
static void test_report(void **state)
{
    (void)state;
    rv_net            *net = taught(stdp(0, 0, 0.5, 2, 0.05, 0.1).def, 0.05, 1), *q;
    hw_quantise_report report;
    rv_error           error = { 0 };
    char              *text;
    assert_int_equal(hw_quantise(net, NULL, &q, &report, &error), RV_OK);
    const hw_learning_report *r = &report.projection[0].learning;
    assert_string_equal(r->rule, "stdp");
    ENSURE_NEAR(r->chip_high, 0.1, 0.002, "");
    ENSURE_NEAR(r->chip_low, 0, 0, "");
    ENSURE_NEAR(r->tau[0], 20, 1e-9, "steps");
    assert_true(r->scale.max < 0.02 && r->chip_impulse[0] >= 8 && r->chip_impulse[0] <= 127 && r->chip_impulse[0] == rint(r->chip_impulse[0]));
    ENSURE_NEAR(r->lost, 0, 0, "");
    assert_null(report.projection[1].learning.rule);
    assert_int_equal(hw_quantise_text(&report, &text), RV_OK);
    assert_non_null(strstr(text, "learns by \"stdp\", in epochs of 1 step:\n      dw = ("));
    assert_non_null(strstr(text, "x1: impulse 1 -> "));
    free(text), hw_quantise_report_free(&report), rv_net_free(q), rv_net_free(net);
}

/* ---- rules of epochs -------------------------------------------------------------------------------------------- */

enum { MOST_SETTINGS = 12 };
static trial epochs(const char *rule, double weight, double range, double reward, const rv_setting *settings)
{
    int n = 0;
    while (settings[n].name) n++;
    return (trial){ { .plasticity = rule, .settings = settings, .n_settings = n }, weight, range, reward };
}

static void test_sums(void **state)
{
    (void)state;
    for (int length = 1; length <= 4; length += 3) /* within an epoch all steps of a trace are rounded by one random number, so that they decay too slowly */
        expect_near("a rule of traces", compare(epochs("loihi_rule", 0.05, 0.1, 0, (rv_setting[]){ { "dw", rv_text("0.001*y0*x1 - 0.0012*x0*y1") }, { "x1_impulse", rv_number(1) }, { "x1_tau", rv_number(15) },
                    { "y1_impulse", rv_number(2) }, { "y1_tau", rv_number(30) }, { "t_epoch", rv_number(length) }, { "w_min", rv_number(0) }, { "w_max", rv_number(0.1) }, { 0 } })), length == 1 ? 0.01 : 0.03, 0.06);
    expect_near("with constants", compare(epochs("loihi_rule", 0.02, 0.1, 0, (rv_setting[]){ { "dw", rv_text("-0.03*y0*(x1 + 0.5)*(w - 0.1)") }, { "x1_impulse", rv_number(1) }, { "x1_tau", rv_number(15) },
                { "w_min", rv_number(0) }, { "w_max", rv_number(0.1) }, { 0 } })), 0.02, 0.06);
    expect_near("of both signs", compare(epochs("loihi_rule", 0.01, 0.2, 0, (rv_setting[]){ { "dw", rv_text("0.002*y0*x1 - 0.002*x0*y1 + 2^-6*u6*w") }, { "x1_impulse", rv_number(1) }, { "x1_tau", rv_number(15) },
                { "y1_impulse", rv_number(1) }, { "y1_tau", rv_number(15) }, { "w_min", rv_number(-0.1) }, { "w_max", rv_number(0.1) }, { 0 } })), 0.02, 0.06);
    expect_near("reward", compare(epochs("rstdp_loihi", 0.05, 0.1, 64, (rv_setting[]){ { "learning_rate", rv_number(1) }, { "A_plus", rv_number(1.0 / 128) }, { "A_minus", rv_number(-1.0 / 256) },
                { "x1_impulse", rv_number(0.02) }, { "y1_impulse", rv_number(0.02) }, { "tag_decay", rv_number(0.25) }, { "w_min", rv_number(0) }, { "w_max", rv_number(0.1) }, { 0 } })), 0.02, 0.06);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static void expect_refused(trial t, hw_quantise_options options, const char *sentence)
{
    rv_net  *net = taught(t.def, t.weight, 1), *q;
    rv_error error = { 0 };
    if (hw_quantise(net, &options, &q, NULL, &error) == RV_OK || !strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    assert_null(q);
    rv_net_free(net);
}

#define HERE "projection \"a\" -> \"b\": plasticity \"stdp\""

static void test_refused(void **state)
{
    (void)state;
    expect_refused(stdp(0, 0.4, 0.5, 2, 0.05, 0.1), (hw_quantise_options){ 0 }, HERE " with mu_minus = 0.4: the chip's rules are sums of products, without powers; allowed are 0 (additive) "
                   "and 1 (multiplicative), the nearer is 0; or the option freeze, which takes the weights as they are now");
    expect_refused(stdp(0, 0, 0.5, 2, 0.05, 0.1), (hw_quantise_options){ .chip = "loihi1" }, HERE " on loihi1: how it learns is known here for loihi2 only");
    expect_refused(stdp(0, 0, 0.5, 2, 0.05, 0.1), (hw_quantise_options){ .netx = true }, "netx files hold no learning");
    trial slow = epochs("loihi_rule", 0.05, 0.1, 0, (rv_setting[]){ { "dw", rv_text("2^-30*y0*x1") }, { "x1_impulse", rv_number(1) }, { "w_max", rv_number(0.1) }, { 0 } });
    expect_refused(slow, (hw_quantise_options){ 0 }, "product 1 of dw would need a scale of");
    expect_refused(slow, (hw_quantise_options){ 0 }, "a higher learning rate would do");
    expect_refused(slow, (hw_quantise_options){ .step_ms = 2 }, "is defined in steps, here of 1 ms; allowed is step = 1, not 2");
    trial graded = epochs("loihi_rule", 0.05, 0.1, 0, (rv_setting[]){ { "dw", rv_text("0.001*y0*x1") }, { "graded_spike_cfg", rv_number(2) }, { "w_max", rv_number(0.1) }, { 0 } });
    expect_refused(graded, (hw_quantise_options){ 0 }, "adds numbers that spikes carry to x1 (graded_spike_cfg), and neurons of the chip that are quantised send none");
    trial far = epochs("loihi_rule", 0.05, 0.1, 0, (rv_setting[]){ { "dw", rv_text("0.001*y0*(x1 - 900)") }, { "x1_impulse", rv_number(1) }, { "w_max", rv_number(0.1) }, { 0 } });
    expect_refused(far, (hw_quantise_options){ 0 }, "a constant beside a trace or a weight is larger than the chip's range of it");
}

/* Targets that differ would learn at different rates. */
static void test_targets_differ(void **state)
{
    (void)state;
    rv_net  *net = reference_net((rv_net_def){ .resolution = 1 }), *q;
    rv_error error = { 0 };
    double   tau[2] = { 10, 20 }, c[2] = { 100, 200 };
    rv_population b = reference_population(net, "b", 2, "iaf_psc_exp");
    ENSURE_OK(net, rv_set(net, b, "tau_m", rv_list(tau, 2)));
    ENSURE_OK(net, rv_set(net, b, "C_m", rv_list(c, 2)));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(b), .target = rv_all(b), .rule = "all_to_all", .plasticity = "stdp", .settings = (rv_setting[]){ { "mu_plus", rv_number(0) }, { "mu_minus", rv_number(0) } },
                                                      .n_settings = 2 }, NULL));
    assert_int_equal(hw_quantise(net, NULL, &q, NULL, &error), RV_CONFLICT);
    assert_non_null(strstr(error.text, "one rule cannot learn them alike"));
    assert_int_equal(hw_quantise(net, &(hw_quantise_options){ .freeze = true }, &q, NULL, &error), RV_OK);
    assert_null(rv_projection_plasticity(q, (rv_projection){ 1 }));
    rv_net_free(q), rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_stdp), cmocka_unit_test(test_report), cmocka_unit_test(test_sums), cmocka_unit_test(test_refused), cmocka_unit_test(test_targets_differ) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
