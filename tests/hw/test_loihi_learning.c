/* Rules of epochs in the integers of the chip: Lava's recordings bit for bit with the random numbers it drew; the stochastic
 * rounding of a trace against 2000 copies of Brian2Loihi's; each step of the arithmetic by hand; what the chip refuses. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/loihi_learning.h"
#include "sim/random.h"
#include "tests/support/learning_fixture.h"

static void test_recordings(void **state)
{
    (void)state;
    learning_fixture_play_all("fixed_pt", 0);
}

/* ---- spikes that carry numbers for x1 ------------------------------------------------------------------------------- */

enum { N_PRE = 4, N_POST = 2, N_GRADED_STEPS = 60 };

static double graded_cell(const fixture_table *t, int row, const char *column, int k) { return fixture_number(t, row, reference_text("%s%d", column, k)); }

/* One mode and length of epochs: Lava's LearningDense with graded_spike_cfg. @param first row of the weights at the beginning */
static void play_graded(const fixture_table *t, int first, const char *kind_of_run, int threads)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .threads = threads });
    rv_population pre = reference_population(net, "pre", N_PRE, "spike_generator"), post = reference_population(net, "post", N_POST, "loihi_lif");
    rv_projection learning;
    double        w[N_PRE * N_POST], x1[N_PRE], x2[N_PRE], v[N_POST];
    reference_set_all(net, post, "du", 4095.0, "dv", 2048.0, "vth", 50000.0, NULL); /* spikes when v is lifted, and at no other time */
    for (int i = 0; i < N_PRE; i++) {
        double times[N_GRADED_STEPS], payloads[N_GRADED_STEPS];
        int    n = 0;
        for (int step = 1; step <= N_GRADED_STEPS; step++)
            if (graded_cell(t, first + step, "pre", i) != 0) times[n] = step, payloads[n++] = graded_cell(t, first + step, "pre", i);
        ENSURE_OK(net, rv_set_spike_times(net, pre, i, times, n));
        ENSURE_OK(net, rv_set_payloads(net, pre, i, payloads, n));
    }
    for (int k = 0; k < N_PRE * N_POST; k++) w[k % N_PRE * N_POST + k / N_PRE] = fixture_number(t, first, reference_text("w%d%d", k / N_PRE, k % N_PRE));
    const rv_setting settings[] = { { "dw", rv_text("x0*x1 - y0*x2") }, { "x1_tau", rv_number(1e9) }, { "x2_tau", rv_number(1e9) }, { "x2_impulse", rv_number(9) }, { "x1_impulse", rv_number(16) },
                                    { "t_epoch", rv_number(fixture_number(t, first, "t_epoch")) }, { "graded_spike_cfg", rv_number(fixture_number(t, first, "graded_spike_cfg")) },
                                    { "num_message_bits", rv_number(8) }, { "weight_exp", rv_number(-8) }, { "sign_mode", rv_number(1) } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(post), .rule = "all_to_all", .weight = rv_list(w, N_PRE * N_POST), .delay = rv_number(1), .plasticity = "loihi_rule",
                                                      .synapse = "loihi", .settings = settings, .n_settings = 10 }, &learning));
    for (int step = 1; step <= N_GRADED_STEPS; step++) {
        for (int i = 0; i < N_POST; i++) v[i] = graded_cell(t, first + step, "post", i) != 0 ? 8388607 : 0;
        ENSURE_OK(net, rv_set(net, post, "v", rv_list(v, N_POST)));
        ENSURE_OK(net, rv_run(net, 1));
        ENSURE_OK(net, rv_synapses(net, learning, NULL, NULL, w, NULL));
        ENSURE_OK(net, rv_get_learning(net, learning, "x1", x1, NULL));
        ENSURE_OK(net, rv_get_learning(net, learning, "x2", x2, NULL));
        for (int k = 0; k < N_PRE * N_POST; k++)
            ENSURE_NEAR_IN(w[k % N_PRE * N_POST + k / N_PRE], fixture_number(t, first + step, reference_text("w%d%d", k / N_PRE, k % N_PRE)), 0, "", "%s: weight %d after step %d", kind_of_run, k, step);
        for (int i = 0; i < N_PRE; i++) {
            ENSURE_NEAR_IN(x1[i], graded_cell(t, first + step, "x1_", i), 0, "", "%s: x1 of %d after step %d", kind_of_run, i, step);
            ENSURE_NEAR_IN(x2[i], graded_cell(t, first + step, "x2_", i), 0, "", "%s: x2 of %d after step %d", kind_of_run, i, step);
        }
    }
    rv_net_free(net);
}

static void test_graded_pre_spikes(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("learn/graded_pre_spikes.csv"));
    assert_int_equal(t.n_rows, 6 * (N_GRADED_STEPS + 1));
    for (int run = 0; run < 6; run++)
        for (int threads = 1; threads <= 2; threads++) play_graded(&t, run * (N_GRADED_STEPS + 1), reference_text("mode %d", run / 2 + 1), threads);
    fixture_close_table(&t);
}

/* Bytes wrap, halves go to the even number, and what exceeds 127 stays. */
static void test_payloads(void **state)
{
    (void)state;
    static const struct { rv_graded_mode mode; double payload, before, after; bool counts; } cases[] = {
        { GRADED_OVERWRITE, 100, 7, 50, true },  { GRADED_OVERWRITE, 5, 7, 2, true },    { GRADED_OVERWRITE, 7, 0, 4, true }, { GRADED_OVERWRITE, 255, 0, 128, true },
        { GRADED_ADD, 100, 7, 57, true },        { GRADED_ADD, 250, 120, 127, true },    { GRADED_ADD, 255, 127, 127, true }, { GRADED_ADD, 1, 9, 9, true },
        { GRADED_OVERFLOW, 100, 7, 57, false },  { GRADED_OVERFLOW, 100, 78, 1, true },  { GRADED_OVERFLOW, 100, 77, 127, false },
        { GRADED_OVERFLOW, 255, 127, 128, true }, { GRADED_ADD, 1000, 0, 127, true },    { GRADED_ADD, 512, 3, 3, true },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        bool counts = true;
        ENSURE_NEAR_IN(loihi_take_payload(cases[k].mode, cases[k].payload, cases[k].before, &counts), cases[k].after, 0, "", "case %d", (int)k);
        assert_int_equal(counts, cases[k].counts);
    }
}

/* ---- traces against another tool ------------------------------------------------------------------------------------ */

/* Copies of one trace with random numbers of their own. */
enum { COPIES = 2000, MOST_STEPS = 128 };

typedef struct moments { double mean[MOST_STEPS], variance[MOST_STEPS]; } moments;

static bool is_in(const reference_list *list, double x)
{
    for (int64_t k = 0; k < list->n; k++)
        if (list->x[k] == x) return true;
    return false;
}

/* The tool decays by 1 - 1 / tau. The step after a spike it rounds with the fraction of what was left of the trace before it. */
static void run_copy(double impulse, double tau, const reference_list *spikes, int n, int copy, moments *m)
{
    rv_random r = random_stream(1, RANDOM_USER, 7, (uint64_t)copy);
    double    keep = 1 - 1 / tau, x = 0, before = 0;
    for (int t = 0; t < n; t++) {
        double random = random_uniform(&r);
        bool   follows = t > 0 && is_in(spikes, t - 1);
        double fraction = before * keep - floor(before * keep);
        x = follows ? floor(x * keep) + (random < fraction) : loihi_decay_trace(keep, random, x);
        before = x;
        if (is_in(spikes, t)) x = loihi_add_impulse(impulse, 0, x);
        m->mean[t] += x / COPIES, m->variance[t] += x * x / COPIES;
    }
}

static void test_trace_statistics(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("b2l/b2l_trace_stats.csv"));
    double        worst = 0;
    for (int row = 0; row < t.n_rows;) {
        int            n = 0, number = (int)fixture_number(&t, row, "case");
        reference_list spikes = fixture_list(fixture_text(&t, row, "spike_times"));
        moments        m = { 0 };
        while (row + n < t.n_rows && (int)fixture_number(&t, row + n, "case") == number) n++;
        assert_true(n <= MOST_STEPS);
        for (int k = 0; k < COPIES; k++) run_copy(fixture_number(&t, row, "impulse"), fixture_number(&t, row, "tau"), &spikes, n, k, &m);
        for (int k = 0; k < n; k++) {
            double variance = m.variance[k] - m.mean[k] * m.mean[k], expected = fixture_number(&t, row + k, "variance");
            double error = sqrt((variance + expected + 1e-3) / COPIES); /* standard error of the difference of two means */
            double mean = fixture_number(&t, row + k, "mean");
            worst = fmax(worst, fabs(m.mean[k] - mean) / error);
            ENSURE_NEAR_IN(m.mean[k], mean, 5 * error, "", "case %d, step %d: mean", number, k);
            ENSURE_NEAR_IN(variance, expected, 0.2 * (expected + 0.05), "", "case %d, step %d: variance", number, k);
        }
        reference_list_free(&spikes);
        row += n;
    }
    print_message("means differ by up to %.1f standard errors\n", worst);
    fixture_close_table(&t);
}

/* ---- the arithmetic by hand ----------------------------------------------------------------------------------------- */

static void test_traces(void **state)
{
    (void)state;
    ENSURE_NEAR(loihi_decay_trace(0.5, 0.49, 5), 3, 0, "");
    ENSURE_NEAR(loihi_decay_trace(0.5, 0.50, 5), 2, 0, "");
    ENSURE_NEAR(loihi_decay_trace(0.5, 0, 0), 0, 0, "");
    ENSURE_NEAR(loihi_add_impulse(16, 0, 5), 21, 0, "");
    ENSURE_NEAR(loihi_add_impulse(16.25, 63, 5), 22, 0, ""); /* 64 of 256, but the random number has 7 bits */
    ENSURE_NEAR(loihi_add_impulse(16.25, 64, 5), 21, 0, "");
    ENSURE_NEAR(loihi_add_impulse(16.5, 127, 5), 22, 0, ""); /* so halves always round up */
    ENSURE_NEAR(loihi_add_impulse(100, 0, 50), 127, 0, "");
}

/* The weight or tag that one product makes of an old one with the factors given. */
static double evaluate(rule_product p, const double *factors, double old, int variable, double random)
{
    double value = 1, sum;
    for (int k = 0; k < p.n_factors; k++) {
        double x = factors[k];
        loihi_learning.limit_factor(p.factor[k].symbol, &x, 1);
        value *= x;
    }
    loihi_learning.begin(&old, &sum, 1);
    loihi_learning.add_product(&p, &value, &sum, 1);
    loihi_learning.end(&sum, loihi_learning.low[variable], loihi_learning.high[variable], random, &old, 1);
    return old;
}

static rule_product product_of(const char *text)
{
    rule_products p;
    rv_error      error;
    if (products_parse(text, "dw", &p, &error) != RV_OK) fail_msg("%s", error.text);
    rule_product first = p.product[0];
    products_free(&p);
    return first;
}

static void expect(const char *text, const double *factors, double old, double random, double expected)
{
    ENSURE_NEAR_IN(evaluate(product_of(text), factors, old, EPOCH_W, random), expected, 0, "", "%s, old %g, random %g", text, old, random);
}

static void test_products(void **state)
{
    (void)state;
    expect("x0*y1", (double[]){ 5 }, 3, 0.5, 8);                         /* 11 bits: no shift                               */
    expect("-2^-3*x0*y1", (double[]){ 5 }, 3, 0.37, 3);                  /* 3 - 5/8 = 2.375: up with probability 0.375      */
    expect("-2^-3*x0*y1", (double[]){ 5 }, 3, 0.38, 2);
    expect("x0*y1*x1", (double[]){ 7, 1 }, 0, 0.99, 0);                  /* 18 bits: 7 >> 3 = 0                             */
    expect("-1*x0*y1*x1", (double[]){ 7, 1 }, 0, 0.99, -1);              /* rounded down: -1, times 2^0                     */
    expect("8*x0*y1*x1", (double[]){ 8, 10 }, 0, 0.5, 80);               /* 4 2^1: (8 * 10 * 4 >> 3) * 2                    */
    expect("x0*w", (double[]){ 200 }, 200, 0.5, 255);                    /* clipped                                         */
    expect("-7*2^8*x0*y1", (double[]){ 127 }, -200, 0.5, -256);          /* the accumulator is full, then the weight        */
    expect("x0*(y1 + 100)", (double[]){ 200 }, 0, 0.5, 127);             /* a factor of 7 bits                              */
    expect("x0*(y1 - 200)", (double[]){ -180 }, 0, 0.5, -128);
    expect("3*2^-7*x0*w*t*x1*y1", (double[]){ 511, 255, 127, 127 }, 0, 0.5, 7); /* 6305068035 exceeds 32 bits: wraps, 24 otherwise */
}

static void test_scales(void **state)
{
    (void)state;
    static const struct { const char *text; int mantissa, exponent; } good[] = {
        { "x0*w", 1, 0 }, { "-8*x0", -4, 1 }, { "12*x0", 6, 1 }, { "7*2^8*x0", 7, 8 }, { "2^-7*x0", 1, -7 }, { "-8*2^8*x0", -8, 8 }, { "0.25*x0", 1, -2 },
        { "2.5*x0", 5, -1 }, { "224*2^3*x0", 7, 8 },
    };
    static const char *const bad[] = { "9*x0", "8*2^8*x0", "2^-8*x0", "2^9*x0", "0.3*x0", "2^-7*0.5*x0", "2.3*x0" };
    for (size_t k = 0; k < sizeof good / sizeof *good; k++) {
        int          mantissa = 0, exponent = 0;
        rule_product p = product_of(good[k].text);
        if (!loihi_scale(&p, &mantissa, &exponent) || mantissa != good[k].mantissa || exponent != good[k].exponent)
            fail_msg("%s: expected %d 2^%d, got %d 2^%d", good[k].text, good[k].mantissa, good[k].exponent, mantissa, exponent);
    }
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        int          mantissa, exponent;
        rule_product p = product_of(bad[k]);
        if (loihi_scale(&p, &mantissa, &exponent)) fail_msg("%s: expected to be refused, got %d 2^%d", bad[k], mantissa, exponent);
    }
}

/* ---- in a network ---------------------------------------------------------------------------------------------------- */

typedef struct pair {
    rv_net       *net;
    rv_population source, target;
    rv_projection learning;
} pair;

static rv_status new_pair(pair *p, const char *kind, double weight, const rv_setting *settings, int n)
{
    double times[3] = { 1, 2, 3 };
    p->net = reference_net((rv_net_def){ .resolution = 1 });
    p->source = reference_population(p->net, "a", 2, "spike_generator"), p->target = reference_population(p->net, "b", 1, "loihi_lif");
    reference_set_all(p->net, p->target, "du", 4095.0, "dv", 4096.0, "vth", 131072.0, NULL);
    for (int i = 0; i < 2; i++) ENSURE_OK(p->net, rv_set_spike_times(p->net, p->source, i, times, 3));
    rv_connect_def def = { .source = rv_all(p->source), .target = rv_all(p->target), .rule = "all_to_all", .weight = rv_number(weight), .delay = rv_number(1),
                           .plasticity = "loihi_rule", .synapse = kind, .settings = settings, .n_settings = n };
    return rv_connect(p->net, &def, &p->learning);
}

/* Weights given lose a bit, learnt ones do not: with a negative exponent their sum is shifted, not each of them. */
static void test_odd_weights(void **state)
{
    (void)state;
    const rv_setting settings[] = { { "dw", rv_text("u0") }, { "weight_exp", rv_number(-1) } };
    const double     inputs[] = { 0, 10, 11, 12, 0 }; /* 10 + 10 >> 1, 11 + 11 >> 1 ... */
    pair             p;
    double           w[2];
    ENSURE_OK(p.net, new_pair(&p, "loihi", 11, settings, 2));
    rv_probe u = reference_record(p.net, p.target, "u", 0);
    ENSURE_OK(p.net, rv_synapses(p.net, p.learning, NULL, NULL, w, NULL));
    ENSURE_NEAR(w[0], 10, 0, "");
    ENSURE_OK(p.net, rv_run(p.net, 5));
    reference_list got = reference_samples(p.net, u);
    for (int t = 0; t < 5; t++) ENSURE_NEAR_IN(got.x[t], 64 * inputs[t], 0, "", "u at step %d", t + 1);
    reference_list_free(&got);
    ENSURE_OK(p.net, rv_synapses(p.net, p.learning, NULL, NULL, w, NULL));
    ENSURE_NEAR(w[0], 15, 0, "");
    rv_net_free(p.net);
}

static void test_sign_modes(void **state)
{
    (void)state;
    static const double lowest[] = { -256, -256, 0, -255 }; /* auto is mixed: learning may turn a weight */
    for (int sign = 0; sign < 4; sign++) {
        const rv_setting settings[] = { { "dw", rv_text("-7*2^8*u0") }, { "sign_mode", rv_number(sign) } };
        pair             p;
        double           w[2];
        ENSURE_OK(p.net, new_pair(&p, "loihi", sign == 3 ? -10 : 10, settings, 2));
        ENSURE_OK(p.net, rv_run(p.net, 3));
        ENSURE_OK(p.net, rv_synapses(p.net, p.learning, NULL, NULL, w, NULL));
        ENSURE_NEAR_IN(w[0], lowest[sign], 0, "", "sign mode %d", sign);
        rv_net_free(p.net);
    }
}

/* Our own random numbers: the mean of many steps is right, and a seed is a seed. */
static double mean_growth(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    rv_population a = reference_population(net, "a", 1, "spike_generator"), b = reference_population(net, "b", 1, "loihi_lif");
    rv_projection j;
    double        t;
    rv_setting    rule[] = { { "dt", rv_text("3*2^-5*u0") } };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "all_to_all", .plasticity = "loihi_rule", .synapse = "loihi",
                                                      .settings = rule, .n_settings = 1 }, &j));
    ENSURE_OK(net, rv_run(net, 2000));
    ENSURE_OK(net, rv_get_learning(net, j, "t", &t, NULL));
    rv_net_free(net);
    return t;
}

static void test_rounding(void **state)
{
    (void)state;
    double a = mean_growth(1), b = mean_growth(1), c = mean_growth(2); /* 2000 * 3/32 = 187.5, sd sqrt(2000 3/32 29/32) = 13 */
    assert_true(a == b && a != c);
    ENSURE_NEAR(a, 187.5, 60, "");
    ENSURE_NEAR(c, 187.5, 60, "");
}

static void refuse(const char *kind, const rv_setting *settings, int n, const char *sentence)
{
    pair      p;
    rv_status status = new_pair(&p, kind, 10, settings, n);
    if (status == RV_OK || !strstr(rv_net_error(p.net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(p.net)->text);
    rv_net_free(p.net);
}

static void test_refusals(void **state)
{
    (void)state;
    const rv_setting good = { "dw", rv_text("u0*w") };
    refuse("loihi", &(rv_setting){ "dw", rv_text("u0*w + 0.3*x0") }, 1, "projection \"a\" -> \"b\": dw, product at character 6: its scale must be m 2^e");
    refuse("loihi", (rv_setting[]){ good, { "x1_impulse", rv_number(128) } }, 2, "impulses of traces are 0 to 127 on the chip");
    refuse("loihi", (rv_setting[]){ good, { "w_min", rv_number(0) } }, 2, "w_min and w_max: on the chip weights are bounded by the sign_mode");
    refuse("loihi", (rv_setting[]){ good, { "graded_spike_cfg", rv_number(1.5) } }, 2, "graded_spike_cfg must be 0, 1, 2 or 3");
    refuse("loihi", (rv_setting[]){ good, { "graded_spike_cfg", rv_number(4) } }, 2, "graded_spike_cfg = 4, allowed 0 to 3");
    refuse("loihi_conv", &good, 1, "plasticity \"loihi_rule\" does not know synapse \"loihi_conv\"");
    refuse("loihi1", &good, 1, "plasticity \"loihi_rule\" does not know synapse \"loihi1\"");
    pair p;
    ENSURE_OK(p.net, new_pair(&p, "loihi", 10, &good, 1));
    if (rv_set_learning(p.net, p.learning, "y1", rv_number(128)) == RV_OK || !strstr(rv_net_error(p.net)->text, "y1 = 128, allowed 0 to 127"))
        fail_msg("got: %s", rv_net_error(p.net)->text);
    if (rv_set_learning(p.net, p.learning, "y1", rv_number(1.5)) == RV_OK || !strstr(rv_net_error(p.net)->text, "whole numbers"))
        fail_msg("got: %s", rv_net_error(p.net)->text);
    rv_net_free(p.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recordings), cmocka_unit_test(test_trace_statistics), cmocka_unit_test(test_traces),     cmocka_unit_test(test_products),
        cmocka_unit_test(test_scales),     cmocka_unit_test(test_odd_weights),      cmocka_unit_test(test_sign_modes), cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_refusals),   cmocka_unit_test(test_graded_pre_spikes), cmocka_unit_test(test_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
