/* Rules of epochs in floating point: their texts, Lava's recordings, when what is learnt acts, reading and setting, threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/products.h"
#include "tests/support/learning_fixture.h"
#include "tests/support/script_run.h"

/* The decay exp(-1 / tau), applied step by step, is numpy's in the tool and may differ from ours in its last bit. */
#define RELATIVE 1e-12

/* ---- texts -------------------------------------------------------------------------------------------------------- */

/* A rule as this test writes it: when:mantissa*2^exponent,factors;... */
static const char *written(const rule_products *p)
{
    static const char *const when[] = { "x0", "y0", "u" }, *const names[] = { "x0", "y0", "x1", "x2", "y1", "y2", "y3", "w", "t", "d" };
    static char              text[1024];
    int                      n = 0;
    text[0] = 0;
    for (int i = 0; i < p->n; i++) {
        const rule_product *q = &p->product[i];
        n += sprintf(text + n, "%s%s", i ? ";" : "", when[q->when]);
        if (q->when == WHEN_U) n += sprintf(text + n, "%d", q->k);
        n += sprintf(text + n, ":%g*2^%d", q->mantissa, q->exponent);
        for (int k = 0; k < q->n_factors; k++)
            n += sprintf(text + n, q->factor[k].sign ? ",sgn(%s%+g)" : q->factor[k].constant != 0 ? ",(%s%+g)" : ",%s", names[q->factor[k].symbol],
                         q->factor[k].constant);
    }
    return text;
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        { "x0*y1", "x0:1*2^0,y1" },
        { "2^-2*x1*y0 - 2^-2*y1*x0", "y0:1*2^-2,x1;x0:-1*2^-2,y1" },
        { "(1) * (-1) * x0 * y1 +(1) * (1) * y0 * x1", "x0:-1*2^0,y1;y0:1*2^0,x1" }, /* as Lava writes STDPLoihi */
        { "-2^-4*x0*y1*w*2^-3 - 2*y0*x2 + y0*x1*(y2+3)*2^-3 - u1*w*2^-4", "x0:-1*2^-7,y1,w;y0:-2*2^0,x2;y0:1*2^-3,x1,(y2+3);u1:-1*2^-4,w" },
        { "(1) * (-2) * x0 * y1 + (1) * (2) * y0 * x1 - u0 * t * (1) * 2 ^ -1", "x0:-2*2^0,y1;y0:2*2^0,x1;u0:-1*2^-1,t" },
        { " u0 * t * y2 ", "u0:1*2^0,t,y2" },
        { "u3*(3 - y2)", "u3:-1*2^0,(y2-3)" },
        { "u3*(3*2^2 - 1 + y2 + 0.5)", "u3:1*2^0,(y2+11.5)" },
        { "-(-w)*x0", "x0:1*2^0,w" },
        { "x0*sgn(w - 4)*sgn(-d)", "x0:-1*2^0,sgn(w-4),sgn(d+0)" },
        { "x0*y0*(x0 - 1)*d", "x0:1*2^0,y0,(x0-1),d" },
        { "0.05*y0*x1 + x0*-3", "y0:0.05*2^0,x1;x0:-3*2^0" },
        { "6*2^3*x0*2^+1*t", "x0:6*2^4,t" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        rule_products p;
        rv_error      error = { 0 };
        if (products_parse(table[i][0], "dw", &p, &error) != RV_OK) fail_msg("%s: %s", table[i][0], error.text);
        if (strcmp(written(&p), table[i][1]) != 0) fail_msg("%s: expected %s, got %s", table[i][0], table[i][1], written(&p));
        products_free(&p);
    }
}

static void test_wrong_texts(void **state)
{
    (void)state;
    static const char *const table[][2] = {
        { "", "dw, character 1 (\"\"): something is missing at the end" },
        { "x0*", "dw, character 4 (\"\"): something is missing at the end" },
        { "x0*y1 + ", "dw, character 9 (\"\"): something is missing at the end" },
        { "x1*y1", "dw, character 1 (\"x1*y1\"): this product has no dependency" },
        { "x0*y1 - 2*w", "dw, character 7 (\"- 2*w\"): this product has no dependency" },
        { "x0*y4", "character 4 (\"y4\"): allowed are x0, y0, u0 to u9, x1" },
        { "x0*x12*w", "character 4 (\"x12*w\"): allowed are" },
        { "x0 y1", "character 4 (\"y1\"): expected is *, + or -" },
        { "x0/2", "character 3 (\"/2\"): expected is *, + or -" },
        { "x0*(w", "character 6 (\"\"): the bracket is not closed" },
        { "x0*w)", "character 5 (\")\"): there is no ( before this )" },
        { "x0*(w*t)", "character 6 (\"*t)\"): the bracket is not closed" },
        { "x0*(w + t)", "character 9 (\"t)\"): a bracket holds one variable" },
        { "x0*()", "character 5 (\")\"): allowed are" },
        { "x0*sgn(y1)", "sgn() is for w, t and d" },
        { "x0*sgn(3)", "sgn() needs w, t or d" },
        { "x0*sgn w", "behind sgn comes (" },
        { "x0*u1", "character 4 (\"u1\"): a product has one dependency" },
        { "u1*u1*w", "a product has one dependency" },
        { "u10*w", "allowed are u0 to u9" },
        { "3^2*x0", "character 1 (\"3^2*x0\"): only 2 can be raised" },
        { "2^x0", "the exponent is a whole number" },
        { "2^900*2^900*x0", "out of range" },
        { "1.2.3*x0", "this is not a number" },
        { "2x0", "behind a number comes" },
        { "0x1*w", "behind a number comes" },
        { "x0*w*t*d*x1*x2*y1*y2", "character 16 (\"y1*y2\"): a product has at most 5 factors" },
        { "x0*aVeryLongNameOfNothing", "(\"aVeryLongNameOfN...\")" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        rule_products p;
        rv_error      error = { 0 };
        rv_status     status = products_parse(table[i][0], "dw", &p, &error);
        if (status == RV_OK || !strstr(error.text, table[i][1])) fail_msg("%s: expected ... %s ..., got %s", table[i][0], table[i][1], error.text);
        products_free(&p);
    }
}

/* ---- the tool ----------------------------------------------------------------------------------------------------- */

static void test_recordings(void **state)
{
    (void)state;
    learning_fixture_play_all("floating_pt", RELATIVE);
}

/* ---- small networks ----------------------------------------------------------------------------------------------- */

enum { MOST_SETTINGS = 12 };

typedef struct pair {
    rv_net       *net;
    rv_population source, target;
    rv_projection learning;
} pair;

/* Sources that spike at the steps 1, 2, ... up to n_spikes, and neurons that show their input as u = 64 input. */
static pair new_pair(int n_sources, int n_targets, int n_spikes, rv_connect_def def)
{
    pair   p = { .net = reference_net((rv_net_def){ .resolution = 1 }) };
    double times[64];
    p.source = reference_population(p.net, "source", n_sources, "spike_generator");
    p.target = reference_population(p.net, "target", n_targets, "loihi_lif");
    reference_set_all(p.net, p.target, "du", 4095.0, "dv", 4096.0, "vth", 131072.0, NULL);
    for (int k = 0; k < n_spikes; k++) times[k] = k + 1;
    for (int i = 0; i < n_sources; i++) ENSURE_OK(p.net, rv_set_spike_times(p.net, p.source, i, times, n_spikes));
    def.source = rv_all(p.source), def.target = rv_all(p.target), def.rule = "all_to_all";
    if (!def.plasticity) def.plasticity = "loihi_rule";
    ENSURE_OK(p.net, rv_connect(p.net, &def, &p.learning));
    return p;
}

static double weight_of(const pair *p)
{
    double w[64];
    ENSURE_OK(p->net, rv_synapses(p->net, p->learning, NULL, NULL, w, NULL));
    return w[0];
}

/* With "u0" the weight grows by 1 every step: at step t it is 10 + t. A spike that arrives at t is weighed by what was learnt
 * up to t - 2: with a delay of 1, before it was emitted. Reading and recording in between change nothing. */
static void test_when_it_acts(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("u0") } };
    for (int delay = 1; delay <= 4; delay += 3)
        for (int reading = 0; reading < 2; reading++) {
            pair     p = new_pair(1, 1, 20, (rv_connect_def){ .weight = rv_number(10), .delay = rv_number(delay), .settings = rule, .n_settings = 1 });
            rv_probe u = reference_record(p.net, p.target, "u", 0), w;
            if (reading) ENSURE_OK(p.net, rv_record_weights(p.net, p.learning, 1, &w));
            for (int t = 1; t <= 20; t++) {
                ENSURE_OK(p.net, rv_run(p.net, 1));
                if (reading) ENSURE_NEAR_IN(weight_of(&p), 10 + t, 0, "", "weight after step %d", t);
            }
            reference_list got = reference_samples(p.net, u);
            for (int t = 1; t <= 20; t++)
                ENSURE_NEAR_IN(got.x[t - 1], t > delay ? 64 * (10 + t - 2) : 0, 0, "", "input at step %d, delay %d", t, delay);
            reference_list_free(&got);
            if (reading) got = reference_samples(p.net, w);
            for (int t = 1; t <= 20 && reading; t++) ENSURE_NEAR_IN(got.x[t - 1], 10 + t, 0, "", "recorded weight at step %d", t);
            if (reading) reference_list_free(&got);
            rv_net_free(p.net);
        }
}

static void test_bounds_and_epochs(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("2.5*u1") }, { "dt", rv_text("u1*(w + 1)") }, { "dd", rv_text("-3*u1") }, { "t_epoch", rv_number(3) },
                                { "w_min", rv_number(-1) }, { "w_max", rv_number(4) } };
    pair             p = new_pair(1, 1, 0, (rv_connect_def){ .weight = rv_number(0), .settings = rule, .n_settings = 6 });
    double           t, d;
    ENSURE_OK(p.net, rv_run(p.net, 5)); /* u1: every second epoch, the first time at step 6 */
    ENSURE_NEAR(weight_of(&p), 0, 0, "");
    ENSURE_OK(p.net, rv_run(p.net, 1));
    ENSURE_NEAR(weight_of(&p), 2.5, 0, "");
    ENSURE_OK(p.net, rv_run(p.net, 6));
    ENSURE_NEAR(weight_of(&p), 4, 0, "");
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "t", &t, NULL));
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "d", &d, NULL));
    ENSURE_NEAR(t, 1 + 3.5, 0, ""); /* of w before each epoch */
    ENSURE_NEAR(d, 0, 0, "");
    rv_net_free(p.net);
}

/* A trace over epochs of 4 steps: spikes at 1, 2, 3 in the first. The earlier two are added at the epoch's beginning. */
static void test_repeated_spikes(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("x0*x1 + y0*y2") }, { "x1_impulse", rv_number(8) }, { "x1_tau", rv_number(5) }, { "t_epoch", rv_number(4) } };
    pair             p = new_pair(1, 1, 3, (rv_connect_def){ .weight = rv_number(1), .settings = rule, .n_settings = 4 });
    double           x1, k = exp(-1.0 / 5), at_3 = 16 * k * k * k + 8;
    ENSURE_OK(p.net, rv_run(p.net, 3));
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "x1", &x1, NULL));
    ENSURE_NEAR(x1, 16, 0, "");
    ENSURE_OK(p.net, rv_run(p.net, 1));
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "x1", &x1, NULL));
    ENSURE_NEAR(x1, at_3 * k, 1e-13, "");
    ENSURE_NEAR(weight_of(&p), 1 + at_3, 1e-13, "");
    rv_net_free(p.net);
}

/* ---- reading and setting ------------------------------------------------------------------------------------------- */

static void test_setting(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("u0*t*y2") }, { "dt", rv_text("-u0*t*2^-1") }, { "y2_tau", rv_number(0) } };
    pair             p = new_pair(2, 3, 0, (rv_connect_def){ .weight = rv_number(1), .settings = rule, .n_settings = 3 });
    double           tags[6] = { 2, 4, 6, 8, 10, 12 }, reward[3] = { 1, 0, -1 }, w[6], t[6], y[3], zero[2] = { 7, 7 };
    int64_t          n;
    ENSURE_OK(p.net, rv_set_learning(p.net, p.learning, "t", rv_list(tags, 6)));
    ENSURE_OK(p.net, rv_set_learning(p.net, p.learning, "y2", rv_list(reward, 3)));
    ENSURE_OK(p.net, rv_run(p.net, 2));
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "w", w, &n));
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "t", t, NULL));
    assert_int_equal(n, 6);
    for (int k = 0; k < 6; k++) {
        ENSURE_NEAR_IN(w[k], 1 + reward[k % 3] * (tags[k] + tags[k] / 2), 0, "", "weight %d", k);
        ENSURE_NEAR_IN(t[k], tags[k] / 4, 0, "", "tag %d", k);
    }
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "y2", y, &n));
    assert_int_equal(n, 3);
    assert_memory_equal(y, reward, sizeof y); /* a reward stays until it is set again */
    ENSURE_OK(p.net, rv_set_learning(p.net, p.learning, "w", rv_number(5)));
    ENSURE_NEAR(weight_of(&p), 5, 0, "");
    ENSURE_OK(p.net, rv_get_learning(p.net, p.learning, "x1", zero, &n));
    assert_int_equal(n, 2);
    ENSURE_NEAR(zero[1], 0, 0, "");
    rv_net_free(p.net);
}

static void refuse(const pair *p, rv_status status, const char *sentence)
{
    if (status == RV_OK || !strstr(rv_net_error(p->net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(p->net)->text);
}

static void test_setting_is_checked(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("u0*y2") }, { "w_min", rv_number(0) } };
    pair             p = new_pair(2, 3, 0, (rv_connect_def){ .settings = rule, .n_settings = 2 }), s = new_pair(1, 1, 0, (rv_connect_def){ .plasticity = "stdp" });
    double           two[2] = { 1, 2 };
    refuse(&p, rv_set_learning(p.net, p.learning, "y2", rv_list(two, 2)), "\"source\" -> \"target\": y2: a list of 2 values, 3 are needed");
    refuse(&p, rv_set_learning(p.net, p.learning, "y2", rv_number(NAN)), "y2 = nan");
    refuse(&p, rv_set_learning(p.net, p.learning, "y2", rv_uniform(0, 1)), "y2 takes a number or a list");
    refuse(&p, rv_set_learning(p.net, p.learning, "y2", rv_text("x")), "y2 takes a number or a list");
    refuse(&p, rv_set_learning(p.net, p.learning, "w", rv_number(-1)), "w = -1, allowed 0");
    refuse(&p, rv_set_learning(p.net, p.learning, "t", rv_number(1)), "t: the rule does not know it");
    refuse(&p, rv_get_learning(p.net, p.learning, "y5", NULL, NULL), "no variable \"y5\" of a learning rule");
    refuse(&p, rv_get_learning(p.net, (rv_projection){ 9 }, "w", NULL, NULL), "not a projection");
    refuse(&s, rv_get_learning(s.net, s.learning, "w", NULL, NULL), "only rules that learn in epochs");
    rv_net_free(p.net), rv_net_free(s.net);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------ */

static void refuse_rule(rv_timing timing, const char *plasticity, const rv_setting *settings, int n, const char *sentence)
{
    rv_net        *net = reference_net((rv_net_def){ .resolution = 1, .timing = timing });
    rv_population  a = reference_population(net, "a", 2, "iaf_psc_delta");
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .plasticity = plasticity, .settings = settings, .n_settings = n };
    rv_status      status = rv_connect(net, &def, NULL);
    if (status == RV_OK || !strstr(rv_net_error(net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refusals(void **state)
{
    (void)state;
    const rv_setting good = { "dw", rv_text("u1*w") };
    refuse_rule(RV_GRID, "loihi_rule", NULL, 0, "projection \"a\" -> \"a\": nothing is learnt: dw, dt or dd is needed");
    refuse_rule(RV_EXACT, "loihi_rule", &good, 1, "projection \"a\" -> \"a\": exact timing: plasticity \"loihi_rule\" works in steps");
    refuse_rule(RV_GRID, "loihi_rule", &(rv_setting){ "dw", rv_text("x0*z") }, 1, "projection \"a\" -> \"a\": dw, character 4 (\"z\"): allowed are");
    refuse_rule(RV_GRID, "loihi_rule", &(rv_setting){ "dw", rv_number(3) }, 1, "dw takes a text");
    refuse_rule(RV_GRID, "loihi_rule", &(rv_setting){ "t_epoch", rv_text("x0") }, 1, "t_epoch takes one number");
    refuse_rule(RV_GRID, "loihi_rule", &(rv_setting){ "dv", rv_text("x0") }, 1, "no parameter \"dv\" of loihi_rule");
    refuse_rule(RV_GRID, "stdp", &(rv_setting){ "dw", rv_text("x0") }, 1, "no parameter \"dw\" of stdp");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "dt", rv_text("u2*t") } }, 2, "dt, character 1: u2 beside u1: all products of a rule have the same");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "t_epoch", rv_number(64) } }, 2, "t_epoch = 64 steps, allowed 1 to 63 steps");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "t_epoch", rv_number(1.5) } }, 2, "t_epoch must be a whole number");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "x1_tau", rv_number(-1) } }, 2, "x1_tau = -1 steps, allowed 0");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "w_min", rv_number(2) }, { "w_max", rv_number(1) } }, 3, "w_min must not be above w_max");
    refuse_rule(RV_GRID, "loihi_rule", (rv_setting[]){ good, { "w_min", rv_number(2) } }, 2, "weight = 1, allowed 2");
}

/* ---- rules with names ----------------------------------------------------------------------------------------------- */

/* A ring of neurons that drive themselves, on so many threads. @return weights after a while, [n] */
enum { RING = 150, RING_SYNAPSES = RING * 20 };

static double *learn_in_a_ring(const char *plasticity, const char *kind, const rv_setting *settings, int n_settings, int threads)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .threads = threads, .seed = 5 });
    rv_population a = reference_population(net, "a", RING, "loihi_lif");
    rv_projection j;
    double       *result = malloc((RING_SYNAPSES + 1) * sizeof *result);
    reference_set_all(net, a, "du", 2000.0, "dv", 400.0, "vth", 600.0, "bias_mant", 6000.0, NULL);
    ENSURE_OK(net, rv_set(net, a, "v", rv_uniform(0, 30000)));
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(a), .rule = "fixed_indegree", .degree = 20, .weight = rv_uniform(-20, 60), .delay = rv_uniform(1, 4),
                           .plasticity = plasticity, .synapse = kind, .settings = settings, .n_settings = n_settings };
    ENSURE_OK(net, rv_connect(net, &def, &j));
    ENSURE_OK(net, rv_record_spikes(net, a));
    if (strcmp(plasticity, "rstdp_loihi") == 0) ENSURE_OK(net, rv_set_learning(net, j, "y2", rv_number(1)));
    ENSURE_OK(net, rv_run(net, 200));
    ENSURE_OK(net, rv_synapses(net, j, NULL, NULL, result, NULL));
    result[RING_SYNAPSES] = (double)rv_spike_count(net, a);
    assert_true(result[RING_SYNAPSES] > 10 * RING);
    rv_net_free(net);
    return result;
}

static void expect_equal(double *a, double *b, bool equal)
{
    assert_int_equal(memcmp(a, b, (RING_SYNAPSES + 1) * sizeof *a) == 0, equal);
    free(a), free(b);
}

static void test_named_rules(void **state)
{
    (void)state;
    const rv_setting stdp[] = { { "learning_rate", rv_number(0.3) }, { "A_plus", rv_number(2.5) }, { "A_minus", rv_number(-1) }, { "tau_plus", rv_number(8) } };
    const rv_setting text[] = { { "dw", rv_text("-2^-2*x0*y1 + 2*2^-2*y0*x1") }, { "x1_impulse", rv_number(16) }, { "y1_impulse", rv_number(16) },
                                { "x1_tau", rv_number(8) }, { "y1_tau", rv_number(10) } };
    expect_equal(learn_in_a_ring("stdp_loihi", NULL, stdp, 4, 1), learn_in_a_ring("loihi_rule", NULL, text, 5, 1), true);
    expect_equal(learn_in_a_ring("stdp_loihi", "loihi", stdp, 4, 1), learn_in_a_ring("loihi_rule", "loihi", text, 5, 1), true);
    const rv_setting reward[] = { { "learning_rate", rv_number(0.01) }, { "tag_decay", rv_number(0.25) } };
    const rv_setting tag[] = { { "dw", rv_text("u0*t*y2") }, { "dt", rv_text("-2^-7*x0*y1 + 2^-7*y0*x1 - u0*t*2^-2") }, { "x1_impulse", rv_number(16) },
                               { "y1_impulse", rv_number(16) }, { "x1_tau", rv_number(10) }, { "y1_tau", rv_number(10) } };
    double          *with = learn_in_a_ring("rstdp_loihi", NULL, reward, 2, 1), *without = learn_in_a_ring("loihi_rule", NULL, tag, 6, 1);
    assert_true(with[0] != without[0]); /* no reward was given to the second */
    free(with), free(without);
}

/* ---- threads ------------------------------------------------------------------------------------------------------- */

static void test_threads(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "dw", rv_text("2^-3*y0*x1 - 2^-3*x0*y1 - u2*w*2^-6 + y0*sgn(w - 4)*t*2^-4") }, { "dt", rv_text("x0*y0*2 - u2*t*2^-1") },
                                { "x1_impulse", rv_number(16.3) }, { "x1_tau", rv_number(9) }, { "y1_impulse", rv_number(12.7) }, { "y1_tau", rv_number(11) },
                                { "t_epoch", rv_number(3) } };
    for (int chip = 0; chip < 2; chip++)
        for (int threads = 2; threads <= 3; threads++)
            expect_equal(learn_in_a_ring("loihi_rule", chip ? "loihi" : NULL, rule, 7, 1), learn_in_a_ring("loihi_rule", chip ? "loihi" : NULL, rule, 7, threads), true);
    expect_equal(learn_in_a_ring("loihi_rule", NULL, rule, 7, 1), learn_in_a_ring("loihi_rule", "loihi", rule, 7, 1), false);
}

/* ---- scripts ------------------------------------------------------------------------------------------------------- */

#define SCRIPT                                                                                                        \
    "local rv = require 'ranvier'; local net = rv.network{ resolution = 1 }\n"                                        \
    "local a = net:population('a', 1, 'spike_generator', { spike_times = { 2, 5 } }); local b = net:population('b', 2, 'loihi_lif')\n"

static void run_script(const char *text, const char *sentence)
{
    script_outcome outcome = script_run_text(text, strlen(text), NULL);
    if (!sentence && outcome.status != RV_OK) fail_msg("%s", outcome.message);
    if (sentence && (outcome.status == RV_OK || !strstr(outcome.message, sentence))) fail_msg("expected: %s\n     got: %s", sentence, outcome.message);
}

static void test_scripts(void **state)
{
    (void)state;
    run_script(SCRIPT "local j = net:connect(a, b, 'all_to_all', { weight = 2, plasticity = 'loihi_rule', dw = 'x0*(y2 + 1)', dt = 'x0*x1', x1_impulse = 3, t_epoch = 2 })\n"
                      "j:set('y2', { 4, 0 }):set('t', 1)\nnet:run(6)\n"
                      "local w, t, y = j:weights(), j:get('t'), j:get('y2')\n"
                      "assert(w[1] == 12 and w[2] == 4 and t[1] == 7 and #t == 2 and y[1] == 4, w[1] .. ' ' .. w[2] .. ' ' .. t[1])\n", NULL);
    run_script(SCRIPT "net:connect(a, b, 'all_to_all', { plasticity = 'loihi_rule', dw = 'x0*q' })", "model.lua:3: projection \"a\" -> \"b\": dw, character 4 (\"q\")");
    run_script(SCRIPT "net:connect(a, b, 'all_to_all', { plasticity = 'loihi_rule', dw = 3 })", "model.lua:3: net:connect: dw");
    run_script(SCRIPT "net:connect(a, b, 'all_to_all', { plasticity = 'loihi_rule', dv = 'x0' })", "model.lua:3: net:connect: loihi_rule");
    run_script(SCRIPT "net:connect(a, b, 'all_to_all', { plasticity = 'stdp' }):set('y2', 1)", "model.lua:3: projection \"a\" -> \"b\": only rules that learn in epochs");
    run_script(SCRIPT "net:connect(a, b, 'all_to_all', { plasticity = 'loihi_rule', dw = 'x0' }):get('z')", "no variable \"z\" of a learning rule");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),           cmocka_unit_test(test_wrong_texts),     cmocka_unit_test(test_recordings),
        cmocka_unit_test(test_when_it_acts),    cmocka_unit_test(test_bounds_and_epochs), cmocka_unit_test(test_repeated_spikes),
        cmocka_unit_test(test_setting),         cmocka_unit_test(test_setting_is_checked), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_named_rules),     cmocka_unit_test(test_threads),         cmocka_unit_test(test_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
