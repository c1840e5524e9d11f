/* The quantiser: what becomes of a network, parameter by parameter; how near the rates of three kinds of network stay; that what
 * comes out is what an independent program in integers computes; what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/prune.h"
#include "hw/quantise.h"
#include "tests/support/reference.h"

/* ---- helpers ---------------------------------------------------------------------------------------------------- */

typedef struct outcome {
    rv_net            *net;
    hw_quantise_report report;
} outcome;

static outcome quantise(rv_net *net, hw_quantise_options options)
{
    outcome  o;
    rv_error error = { 0 };
    if (hw_quantise(net, &options, &o.net, &o.report, &error) != RV_OK) fail_msg("hw_quantise: %s", error.text);
    return o;
}

static void discard(outcome *o)
{
    rv_net_free(o->net);
    hw_quantise_report_free(&o->report);
}

static double value_of(rv_net *net, const char *population, const char *name)
{
    double x;
    ENSURE_OK(net, rv_get(net, (rv_slice){ rv_population_find(net, population), 0, 1, 1 }, name, &x));
    return x;
}

static rv_projection connect(rv_net *net, rv_connect_def def)
{
    rv_projection j = { 0 };
    ENSURE_OK(net, rv_connect(net, &def, &j));
    return j;
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

static rv_net *one_neuron(const char *model, double h)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = h });
    rv_population a = reference_population(net, "a", 1, model), source = reference_population(net, "source", 1, "spike_generator");
    reference_set_all(net, a, "tau_m", 20.0, "C_m", 200.0, "E_L", -65.0, "V_m", -62.0, "V_th", -50.0, "V_reset", -60.0, "t_ref", 3.0, "I_e", 100.0, NULL);
    connect(net, (rv_connect_def){ .source = rv_all(source), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(2), .delay = rv_number(4) });
    return net;
}

static void test_parameters(void **state)
{
    (void)state;
    rv_net *net = one_neuron("iaf_psc_exp", 1);
    reference_input(net, rv_population_find(net, "a"), "dc", "amplitude", 20.0, NULL);
    outcome o = quantise(net, (hw_quantise_options){ .chip = "loihi1" });
    double  scale = o.report.population[0].scale;
    ENSURE_NEAR(value_of(o.net, "a", "du"), rint(4096 * (1 - exp(-1 / 2.0))) - 1, 0, "");
    ENSURE_NEAR(value_of(o.net, "a", "dv"), rint(4096 * (1 - exp(-1 / 20.0))), 0, "");
    ENSURE_NEAR(value_of(o.net, "a", "vth") / scale, 10, 32 / scale, "mV");
    ENSURE_NEAR(value_of(o.net, "a", "v") / scale, -2, 1 / scale, "mV");
    ENSURE_NEAR(value_of(o.net, "a", "bias") / scale, (-5 + 12) * (rint(4096 * (1 - exp(-1 / 20.0))) / 4096), 1e-3, "mV a step");
    ENSURE_NEAR(value_of(o.net, "a", "refract_delay"), 4, 0, "steps");
    double delay, weight;
    ENSURE_OK(o.net, rv_synapses(o.net, (rv_projection){ 1 }, NULL, NULL, &weight, &delay));
    ENSURE_NEAR(delay, 5, 0, "ms"); /* currents act a step later in iaf_psc_exp */
    double jump = 20.0 * 2.0 / (200 * (20 - 2.0)) * (exp(-1 / 20.0) - exp(-1 / 2.0)); /* mV in the first step, of 1 pA */
    ENSURE_NEAR(weight / scale / (2 * jump), 1, 5e-3, "");
    assert_string_equal(rv_population_model(o.net, (rv_population){ 1 }), "loihi1_lif");
    assert_string_equal(rv_population_model(o.net, (rv_population){ 2 }), "spike_generator");
    discard(&o), rv_net_free(net);
}

/* Loihi 2: the same in mantissas and exponents; a potential that jumps has no current, and no later delay. */
static void test_loihi2(void **state)
{
    (void)state;
    rv_net *net = one_neuron("iaf_psc_delta", 1);
    outcome o = quantise(net, (hw_quantise_options){ 0 });
    double  scale = o.report.population[0].scale, delay, weight, exponent;
    ENSURE_NEAR(value_of(o.net, "a", "du"), 4095, 0, "");
    ENSURE_NEAR(value_of(o.net, "a", "vth") * 64 / scale, 10, 32 / scale, "mV");
    assert_in_range((int)value_of(o.net, "a", "bias_mant"), 0, 4095);
    assert_in_range((int)value_of(o.net, "a", "bias_exp"), 0, 7);
    ENSURE_OK(o.net, rv_synapses(o.net, (rv_projection){ 1 }, NULL, NULL, &weight, &delay));
    ENSURE_OK(o.net, rv_synapse_param(o.net, (rv_projection){ 1 }, "weight_exp", &exponent));
    ENSURE_NEAR(delay, 4, 0, "ms");
    ENSURE_NEAR(ldexp(weight, 6 + (int)exponent) / scale, 2, 0.01, "mV");
    assert_int_equal(o.report.population[0].lost_refractory, 1);
    ENSURE_NEAR(o.report.population[0].refractory_ms, 3, 0, "ms");
    discard(&o), rv_net_free(net);
}

/* ---- three networks --------------------------------------------------------------------------------------------- */

/* Poisson trains through drawn weights to a layer, and on to another; a background as an input of the population. */
static rv_net *feed_forward(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.5, .seed = seed });
    rv_population in = reference_population(net, "in", 100, "poisson_generator"), a = reference_population(net, "a", 60, "iaf_psc_exp"),
                  b = reference_population(net, "b", 30, "iaf_psc_delta");
    reference_set(net, in, "rate", 40);
    reference_set_all(net, a, "tau_syn_ex", 5.0, "tau_syn_in", 5.0, "tau_m", 20.0, "t_ref", 0.0, NULL);
    reference_set_all(net, b, "tau_m", 30.0, "t_ref", 0.0, NULL);
    connect(net, (rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "all_to_all", .weight = rv_clip(rv_normal(13, 6), -10, 40), .delay = rv_number(1.5) });
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "fixed_indegree", .degree = 20, .weight = rv_lognormal(-0.5, 0.5), .delay = rv_uniform(0.5, 6) });
    reference_input(net, b, "poisson", "rate", 600.0, "weight", 0.4, NULL);
    reference_input(net, a, "dc", "amplitude", 40.0, NULL);
    return net;
}

/* Vogels & Abbott's irregular network, smaller, with one time constant for both currents. */
static rv_net *balanced(uint64_t seed)
{
    rv_net       *net = reference_net((rv_net_def){ .seed = seed, .threads = 2 });
    rv_population e = reference_population(net, "E", 1600, "iaf_psc_exp"), i = reference_population(net, "I", 400, "iaf_psc_exp");
    for (int k = 0; k < 2; k++) {
        rv_population p = k ? i : e;
        reference_set_all(net, p, "C_m", 200.0, "tau_m", 20.0, "E_L", -49.0, "V_th", -50.0, "V_reset", -60.0, "t_ref", 5.0, "tau_syn_ex", 5.0, "tau_syn_in", 5.0, NULL);
        ENSURE_OK(net, rv_set(net, p, "V_m", rv_uniform(-60, -50)));
        for (int j = 0; j < 2; j++)
            connect(net, (rv_connect_def){ .source = rv_all(p), .target = rv_all(j ? i : e), .rule = "pairwise_bernoulli", .p = rv_number(0.04),
                                           .weight = k ? rv_clip(rv_normal(-160, 30), -300, -20) : rv_clip(rv_normal(16.2, 4), 2, 40), .delay = rv_number(0.5) });
    }
    return net;
}

enum { LINKS = 12 };

/* Neuron k drives neuron k + 1 by one synapse, each after another delay. */
static rv_net *chain(double h)
{
    rv_net        *net = reference_net((rv_net_def){ .resolution = h });
    rv_population  source = reference_population(net, "source", 1, "spike_generator"), a = reference_population(net, "a", LINKS, "iaf_psc_exp");
    const double   times[] = { 5, 60, 115 };
    int64_t        from[LINKS - 1], to[LINKS - 1];
    double         delays[LINKS - 1], weights[LINKS - 1];
    for (int k = 0; k < LINKS - 1; k++) from[k] = k, to[k] = k + 1, delays[k] = 1 + 2 * k, weights[k] = 2500 + 60 * k;
    reference_set_all(net, a, "tau_syn_ex", 3.0, "t_ref", 2.0, NULL);
    ENSURE_OK(net, rv_set_spike_times(net, source, 0, times, 3));
    connect(net, (rv_connect_def){ .source = rv_all(source), .target = { a, 0, 1, 1 }, .rule = "all_to_all", .weight = rv_number(2800), .delay = rv_number(1) });
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "list", .sources = from, .targets = to, .n_list = LINKS - 1,
                                   .weight = rv_list(weights, LINKS - 1), .delay = rv_list(delays, LINKS - 1) });
    return net;
}

/* ---- rates ------------------------------------------------------------------------------------------------------ */

static void expect_rates(rv_net *net, hw_quantise_options options, double tolerance, const char *what)
{
    outcome o = quantise(net, options);
    for (int p = 0; p < o.report.n_populations; p++) {
        const hw_population_report *r = &o.report.population[p];
        if (strcmp(r->from, r->to) == 0) continue;
        print_message("%s, %s, %s: %.3f Hz given, %.3f Hz quantised (%+.2f %%)\n", what, options.chip, r->name, r->rate[0], r->rate[1], 100 * (r->rate[1] / r->rate[0] - 1));
        assert_true(r->rate[0] > 1);
        ENSURE_NEAR_IN(r->rate[1], r->rate[0], tolerance * r->rate[0], "Hz", "%s, %s: rate of %s", what, options.chip, r->name);
        assert_true(r->highest_u > 0 && r->highest_u < 0.9);
    }
    discard(&o), rv_net_free(net);
}

static void test_rates(void **state)
{
    (void)state;
    expect_rates(feed_forward(3), (hw_quantise_options){ .chip = "loihi1", .measure_ms = 2000 }, 0.02, "feed-forward");
    expect_rates(feed_forward(3), (hw_quantise_options){ .chip = "loihi2", .measure_ms = 2000 }, 0.02, "feed-forward");
    expect_rates(feed_forward(3), (hw_quantise_options){ .chip = "loihi2", .measure_ms = 2000, .step_ms = 1 }, 0.05, "feed-forward, steps of 1 ms");
    expect_rates(balanced(1), (hw_quantise_options){ .chip = "loihi1", .measure_ms = 400 }, 0.05, "balanced");
}

/* Every spike of the chain in the same step. */
static void test_chain(void **state)
{
    (void)state;
    for (int one = 0; one < 2; one++)
        for (int coarse = 0; coarse < 2; coarse++) {
            rv_net          *net = chain(coarse ? 1 : 0.5);
            outcome          o = quantise(net, (hw_quantise_options){ .chip = one ? "loihi1" : "loihi2" });
            rv_population    a = rv_population_find(net, "a");
            ENSURE_OK(net, rv_record_spikes(net, a));
            ENSURE_OK(o.net, rv_record_spikes(o.net, a));
            ENSURE_OK(net, rv_run(net, 400));
            ENSURE_OK(o.net, rv_run(o.net, 400));
            reference_spikes given = reference_spikes_of(net, a), got = reference_spikes_of(o.net, a);
            assert_int_equal(given.n, 3 * LINKS);
            assert_int_equal(got.n, given.n);
            for (int64_t k = 0; k < got.n; k++) {
                assert_int_equal(got.neuron[k], given.neuron[k]);
                ENSURE_NEAR_IN(got.time_ms[k], given.time_ms[k], 1e-9, "ms", "spike %d of the chain", (int)k);
            }
            assert_int_equal(o.report.delays_changed, 0);
            reference_spikes_free(&given), reference_spikes_free(&got);
            discard(&o), rv_net_free(net);
        }
}

/* ---- bits ------------------------------------------------------------------------------------------------------- */

static double weight_error(const hw_quantise_report *r)
{
    double sum = 0, n = 0;
    for (int k = 0; k < r->n_projections; k++)
        if (r->projection[k].chip) sum += r->projection[k].weight.mean, n++;
    return sum / n;
}

static void test_bits(void **state)
{
    (void)state;
    rv_net *nets[] = { feed_forward(3), balanced(1), chain(1) };
    double  last = INFINITY;
    for (int bits = 1; bits <= 9; bits++) {
        double mean = 0;
        int    n = 0;
        for (int k = bits == 1; k < 3; k++, n++) { /* the first network has weights of both signs */
            outcome o = quantise(nets[k], (hw_quantise_options){ .bits = bits });
            mean += weight_error(&o.report);
            discard(&o);
        }
        mean /= n;
        print_message("%d bits: mean error of weights %.4f %%\n", bits, 100 * mean);
        assert_true(bits == 2 || mean < last * (bits == 9 ? 1.001 : 0.75)); /* 2 bits: one network more than before */
        last = mean;
    }
    for (int k = 0; k < 3; k++) rv_net_free(nets[k]);
}

/* ---- an independent program in integers ------------------------------------------------------------------------- */

enum { TWIN_STEPS = 300, TWIN_N = 40, LONGEST = 64 };

/* One population of the twin: registers and parameters of every neuron. */
typedef struct twin {
    bool    loihi1;
    int64_t u[TWIN_N], v[TWIN_N], held[TWIN_N], du[TWIN_N], dv[TWIN_N], vth[TWIN_N], bias[TWIN_N], refract[TWIN_N];
    int64_t input[TWIN_STEPS + LONGEST + 1][TWIN_N];
} twin;

static void read_integers(rv_net *net, rv_population p, const char *name, int64_t *x)
{
    double y[TWIN_N];
    ENSURE_OK(net, rv_get(net, rv_all(p), name, y));
    for (int i = 0; i < TWIN_N; i++) x[i] = (int64_t)y[i];
}

static int64_t shifted(int64_t x, int64_t e) { return e >= 0 ? x * ((int64_t)1 << e) : x / ((int64_t)1 << -e); }

static void read_twin(rv_net *net, rv_population p, twin *t)
{
    int64_t exponent[TWIN_N];
    memset(t, 0, sizeof *t);
    t->loihi1 = strcmp(rv_population_model(net, p), "loihi1_lif") == 0;
    read_integers(net, p, "du", t->du), read_integers(net, p, "dv", t->dv), read_integers(net, p, "vth", t->vth);
    read_integers(net, p, "u", t->u), read_integers(net, p, "v", t->v);
    if (t->loihi1) {
        read_integers(net, p, "bias", t->bias), read_integers(net, p, "refract_delay", t->refract);
        return;
    }
    read_integers(net, p, "bias_mant", t->bias), read_integers(net, p, "bias_exp", exponent);
    for (int i = 0; i < TWIN_N; i++) t->bias[i] = shifted(t->bias[i], exponent[i]), t->vth[i] *= 64;
}

static int64_t decayed(int64_t x, int64_t keep) { return x < 0 ? -((-x * keep) >> 12) : (x * keep) >> 12; }

static bool twin_step(twin *t, int i, int step)
{
    t->u[i] = decayed(t->u[i], 4095 - t->du[i]) + t->input[step][i];
    t->v[i] = decayed(t->v[i], 4096 - t->dv[i]) + t->u[i] + t->bias[i];
    if (t->v[i] > 8388607) t->v[i] = 8388607;
    if (t->v[i] < -8388607) t->v[i] = -8388607;
    if (t->held[i] > 0) t->v[i] = 0, t->held[i]--;
    if (t->v[i] <= t->vth[i]) return false;
    t->v[i] = 0, t->held[i] = t->loihi1 ? t->refract[i] - 1 : 0;
    return true;
}

/* A spike at a step adds to the input of later ones. */
static void twin_send(rv_net *net, rv_projection j, twin *to, int64_t neuron, int step)
{
    int64_t n, *source, *target;
    double *weight, *delay, exponent;
    ENSURE_OK(net, rv_synapse_count(net, j, &n));
    source = malloc(n * 8), target = malloc(n * 8), weight = malloc(n * 8), delay = malloc(n * 8);
    ENSURE_OK(net, rv_synapses(net, j, source, target, weight, delay));
    ENSURE_OK(net, rv_synapse_param(net, j, "weight_exp", &exponent));
    for (int64_t k = 0; k < n; k++) {
        if (source[k] != neuron) continue;
        int64_t w = to->loihi1 ? (int64_t)weight[k] : 64 * shifted((int64_t)weight[k], (int64_t)exponent);
        to->input[step + (int)rint(delay[k] / rv_resolution(net))][target[k]] += w;
    }
    free(source), free(target), free(weight), free(delay);
}

/* A driven population with recurrence, inhibition, delays, different time constants and thresholds. */
static rv_net *mixed_net(void)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 5 });
    rv_population source = reference_population(net, "source", 20, "spike_generator"), a = reference_population(net, "a", TWIN_N, "iaf_psc_exp");
    double        times[40];
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < 40; k++) times[k] = 1 + 7 * k + (3 * i + k * k) % 7;
        ENSURE_OK(net, rv_set_spike_times(net, source, i, times, 40));
    }
    reference_set_all(net, a, "tau_syn_ex", 3.0, "tau_syn_in", 3.0, "t_ref", 4.0, NULL);
    ENSURE_OK(net, rv_set(net, a, "tau_m", rv_uniform(8, 25)));
    ENSURE_OK(net, rv_set(net, a, "V_th", rv_uniform(-56, -50)));
    ENSURE_OK(net, rv_set(net, a, "V_m", rv_uniform(-70, -56)));
    ENSURE_OK(net, rv_set(net, a, "I_e", rv_uniform(-50, 250)));
    connect(net, (rv_connect_def){ .source = rv_all(source), .target = rv_all(a), .rule = "pairwise_bernoulli", .p = rv_number(0.6), .weight = rv_normal(150, 60), .delay = rv_number(2) });
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "fixed_indegree", .degree = 10, .weight = rv_normal(-40, 120), .delay = rv_uniform(1, 30) });
    return net;
}

static void expect_twin(const char *chip, int bits)
{
    rv_net       *net = mixed_net();
    outcome       o = quantise(net, (hw_quantise_options){ .chip = chip, .bits = bits });
    rv_population source = { 1 }, a = { 2 };
    twin         *t = malloc(sizeof *t);
    ENSURE_OK(o.net, rv_compile(o.net));
    read_twin(o.net, a, t);
    ENSURE_OK(o.net, rv_record_spikes(o.net, a));
    ENSURE_OK(o.net, rv_record_spikes(o.net, source));
    ENSURE_OK(o.net, rv_run(o.net, TWIN_STEPS));
    reference_spikes driven = reference_spikes_of(o.net, source), got = reference_spikes_of(o.net, a);
    for (int64_t k = 0; k < driven.n; k++) twin_send(o.net, (rv_projection){ 1 }, t, driven.neuron[k], (int)rint(driven.time_ms[k]));
    int64_t n = 0;
    for (int step = 1; step <= TWIN_STEPS; step++)
        for (int i = 0; i < TWIN_N; i++) {
            if (!twin_step(t, i, step)) continue;
            if (n >= got.n || got.neuron[n] != i || rint(got.time_ms[n]) != step)
                fail_msg("%s, %d bits: spike %d of the twin: neuron %d at step %d; in the engine: neuron %d at step %g", chip, bits, (int)n, i, step,
                         n < got.n ? (int)got.neuron[n] : -1, n < got.n ? got.time_ms[n] : NAN);
            n++;
            twin_send(o.net, (rv_projection){ 2 }, t, i, step);
        }
    assert_int_equal(n, got.n);
    assert_true(n > 200);
    print_message("%s, %d bits: %d spikes are equal\n", chip, bits, (int)n);
    reference_spikes_free(&driven), reference_spikes_free(&got);
    free(t), discard(&o), rv_net_free(net);
}

static void test_twin(void **state)
{
    (void)state;
    expect_twin("loihi2", 8), expect_twin("loihi2", 4), expect_twin("loihi2", 9);
    expect_twin("loihi1", 8), expect_twin("loihi1", 3);
}

/* ---- synapses --------------------------------------------------------------------------------------------------- */

static int64_t count(rv_net *net, int projection)
{
    int64_t n;
    ENSURE_OK(net, rv_synapse_count(net, (rv_projection){ projection }, &n));
    return n;
}

/* What is drawn by a rule with one weight is drawn again: the same pairs, without a list. */
static void test_same_pairs(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = 9 });
    rv_population a = reference_population(net, "a", 50, "iaf_psc_delta");
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = { a, 10, 30, 1 }, .rule = "fixed_indegree", .degree = 7, .weight = rv_number(0.3), .delay = rv_number(2) });
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_uniform(-0.2, 0.4), .delay = rv_uniform(1, 9) });
    outcome o = quantise(net, (hw_quantise_options){ .bits = 9 });
    assert_string_equal(rv_projection_rule(o.net, (rv_projection){ 1 }), "fixed_indegree");
    assert_string_equal(rv_projection_rule(o.net, (rv_projection){ 2 }), "all_to_all");
    for (int j = 1; j <= 2; j++) {
        int64_t n = count(net, j), *x = malloc(4 * n * 8);
        double *y = malloc(4 * n * 8), exponent, scale = o.report.population[0].scale;
        assert_int_equal(count(o.net, j), n);
        ENSURE_OK(net, rv_synapses(net, (rv_projection){ j }, x, x + n, y, y + n));
        ENSURE_OK(o.net, rv_synapses(o.net, (rv_projection){ j }, x + 2 * n, x + 3 * n, y + 2 * n, y + 3 * n));
        ENSURE_OK(o.net, rv_synapse_param(o.net, (rv_projection){ j }, "weight_exp", &exponent));
        assert_memory_equal(x, x + 2 * n, 2 * n * 8);
        for (int64_t k = 0; k < n; k++) {
            ENSURE_NEAR_IN(ldexp(y[2 * n + k], 6 + (int)exponent) / scale, y[k], 0.002, "mV", "weight %d", (int)k);
            ENSURE_NEAR_IN(y[3 * n + k], y[n + k], 0, "ms", "delay %d", (int)k);
        }
        free(x), free(y);
    }
    discard(&o), rv_net_free(net);
}

/* Weights set since the network was made count, not those of its definition. */
static void test_weights_set(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 2, "iaf_psc_delta");
    double        given[] = { 0.1, 0.2, 0.3, 0.4 }, got[4], exponent;
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(0.5), .delay = rv_number(1) });
    ENSURE_OK(net, rv_set_weights(net, (rv_projection){ 1 }, rv_list(given, 4)));
    outcome o = quantise(net, (hw_quantise_options){ 0 });
    ENSURE_OK(o.net, rv_synapses(o.net, (rv_projection){ 1 }, NULL, NULL, got, NULL));
    ENSURE_OK(o.net, rv_synapse_param(o.net, (rv_projection){ 1 }, "weight_exp", &exponent));
    for (int k = 0; k < 4; k++) ENSURE_NEAR_IN(ldexp(got[k], 6 + (int)exponent) / o.report.population[0].scale, given[k], 0.002, "mV", "weight %d", k);
    discard(&o), rv_net_free(net);
}

static void test_prune(void **state)
{
    (void)state;
    const double w[] = { 3, -1, 0.5, 2, -4, 0.1, 1, 1, 1, 1 };
    bool         keep[10], again[10];
    assert_int_equal(prune_select(w, 10, 0.2, 0, 1, keep), 2);
    assert_true(!keep[2] && !keep[5] && keep[0] && keep[4]);
    assert_int_equal(prune_select(w, 10, 0, 1.5, 1, keep), 7);
    assert_true(keep[0] && keep[3] && keep[4]);
    assert_int_equal(prune_select(w, 10, 0.4, 0, 1, keep), 4); /* two of five that are alike */
    prune_select(w, 10, 0.4, 0, 1, again);
    assert_memory_equal(keep, again, sizeof keep);
    assert_int_equal(prune_select(w, 10, 1, 0, 1, keep), 10);
    rv_net *net = balanced(2);
    outcome o = quantise(net, (hw_quantise_options){ .chip = "loihi1", .prune = 0.25, .measure_ms = 200 });
    int64_t before = 0, after = 0;
    for (int j = 1; j <= 4; j++) before += count(net, j), after += count(o.net, j);
    assert_int_equal(o.report.pruned, before - after);
    assert_int_equal(o.report.n_synapses, after);
    ENSURE_NEAR((double)o.report.pruned / before, 0.25, 1e-4, "");
    print_message("a quarter of the synapses pruned: %.2f Hz instead of %.2f Hz\n", o.report.population[0].rate[1], o.report.population[0].rate[0]);
    discard(&o), rv_net_free(net);
}

static void expect_refused(rv_net *net, hw_quantise_options options, const char *sentence)
{
    rv_net            *q = (rv_net *)1;
    hw_quantise_report report;
    rv_error           error = { 0 };
    rv_status          status = hw_quantise(net, &options, &q, &report, &error);
    if (status == RV_OK || !strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    assert_null(q);
    rv_net_free(net);
}

/* What a netx file can hold: biases in units of 64, effects of weights of up to 255, zeros at the beginning. */
static void test_netx(void **state)
{
    (void)state;
    rv_net *net = one_neuron("iaf_psc_exp", 1);
    outcome o = quantise(net, (hw_quantise_options){ .netx = true });
    double  weight, exponent;
    ENSURE_NEAR(value_of(o.net, "a", "bias_exp"), 6, 0, "");
    ENSURE_NEAR(value_of(o.net, "a", "v"), 0, 0, "");
    ENSURE_OK(o.net, rv_synapses(o.net, (rv_projection){ 1 }, NULL, NULL, &weight, NULL));
    ENSURE_OK(o.net, rv_synapse_param(o.net, (rv_projection){ 1 }, "weight_exp", &exponent));
    assert_true(ldexp(weight, (int)exponent) <= 255 && weight > 64);
    discard(&o), rv_net_free(net);
}

/* Read-outs, which never spike: their v is what they give. */
static void test_readout(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population source = reference_population(net, "source", 1, "spike_generator"), a = reference_population(net, "a", 1, "nir_lif");
    double        v[2], times[] = { 2, 5, 6 };
    ENSURE_OK(net, rv_set_spike_times(net, source, 0, times, 3));
    ENSURE_OK(net, rv_set(net, a, "v_threshold", rv_number(INFINITY)));
    reference_set_all(net, a, "tau_mem", 20.0, "tau_syn", 0.0, NULL);
    connect(net, (rv_connect_def){ .source = rv_all(source), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(0.7), .delay = rv_number(1) });
    outcome o = quantise(net, (hw_quantise_options){ 0 });
    ENSURE_OK(net, rv_run(net, 10));
    ENSURE_OK(o.net, rv_run(o.net, 10));
    ENSURE_OK(net, rv_get(net, rv_all(a), "V_m", &v[0]));
    ENSURE_OK(o.net, rv_get(o.net, rv_all(a), "v", &v[1]));
    ENSURE_NEAR(value_of(o.net, "a", "vth"), 131072, 0, "");
    ENSURE_NEAR(v[1] / o.report.population[1].scale / v[0], 1, 0.01, "");
    discard(&o);
    expect_refused(net, (hw_quantise_options){ .chip = "loihi1" }, "a threshold that is never reached");
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static rv_net *net_of(const char *model, const char *name, double value)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 3, model);
    if (name) reference_set(net, a, name, value);
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(1), .delay = rv_number(1) });
    return net;
}

static void test_refused_models(void **state)
{
    (void)state;
    expect_refused(net_of("iaf_psc_alpha", NULL, 0), (hw_quantise_options){ 0 }, "population \"a\": iaf_psc_alpha cannot be quantised: alpha-shaped currents are of second order");
    expect_refused(net_of("izhikevich", NULL, 0), (hw_quantise_options){ 0 }, "izhikevich cannot be quantised: its membrane is quadratic");
    expect_refused(net_of("loihi_lif", NULL, 0), (hw_quantise_options){ 0 }, "is in the chip's integers already");
    expect_refused(net_of("iaf_psc_delta", "refractory_input", 1), (hw_quantise_options){ 0 }, "refractory_input = 1 keeps input");
    expect_refused(net_of("iaf_psc_delta", "V_min", -80), (hw_quantise_options){ 0 }, "V_min: Lava's neuron for Loihi 2 has no lowest potential");
    expect_refused(net_of("iaf_psc_delta", "t_ref", 100), (hw_quantise_options){ .chip = "loihi1" }, "t_ref of 100 steps, loihi1 allows 63; steps of 1.59 ms or more would do");
    expect_refused(net_of("lava_lif", NULL, 0), (hw_quantise_options){ .step_ms = 2 }, "lava_lif is defined in steps, here of 1 ms; allowed is step = 1, not 2");
    expect_refused(net_of("lava_lif", "vth", -1), (hw_quantise_options){ 0 }, "the threshold must be above the reset value");
    expect_refused(net_of("iaf_psc_delta", "I_e", 1e9), (hw_quantise_options){ 0 }, "its input is so large beside the threshold");
}

static void test_refused_synapses(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1 });
    rv_population a = reference_population(net, "a", 3, "iaf_psc_exp");
    reference_set_all(net, a, "tau_syn_ex", 5.0, "tau_syn_in", 10.0, NULL);
    connect(net, (rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_uniform(-1, 1), .delay = rv_number(1) });
    rv_error error = { 0 };
    rv_net  *q;
    assert_int_equal(hw_quantise(net, &(hw_quantise_options){ .shared_tau = true }, &q, NULL, &error), RV_OK);
    rv_net_free(q);
    assert_int_equal(hw_quantise(net, &(hw_quantise_options){ .bits = 1, .shared_tau = true }, &q, NULL, &error), RV_CONFLICT);
    assert_non_null(strstr(error.text, "projection \"a\" -> \"a\": weights of both signs, which 1 bit cannot hold"));
    expect_refused(net, (hw_quantise_options){ 0 }, "tau_syn_ex = 5 ms and tau_syn_in = 10 ms, a chip's neuron has one current; allowed are equal ones, or the option shared_tau");
    net = net_of("iaf_psc_delta", NULL, 0);
    connect(net, (rv_connect_def){ .source = rv_all((rv_population){ 1 }), .target = rv_all((rv_population){ 1 }), .rule = "one_to_one", .weight = rv_number(1), .delay = rv_number(100) });
    expect_refused(net, (hw_quantise_options){ 0 }, "projection \"a\" -> \"a\": delay = 100 ms takes 100 steps of 1 ms, loihi2 allows 63; steps of 1.59 ms or more would do");
    net = net_of("iaf_psc_delta", NULL, 0);
    connect(net, (rv_connect_def){ .source = rv_all((rv_population){ 1 }), .target = rv_all((rv_population){ 1 }), .rule = "one_to_one", .weight = rv_number(1), .delay = rv_number(1), .plasticity = "stdp" });
    assert_int_equal(hw_quantise(net, &(hw_quantise_options){ .freeze = true }, &q, NULL, &error), RV_OK);
    assert_null(rv_projection_plasticity(q, (rv_projection){ 2 }));
    rv_net_free(q);
    rv_net_free(net);
}

static void expect_refused_input(const char *kind, const char *name, double value, const char *sentence)
{
    rv_net *net = net_of("iaf_psc_delta", NULL, 0);
    reference_input(net, (rv_population){ 1 }, kind, name, value, NULL);
    expect_refused(net, (hw_quantise_options){ 0 }, sentence);
}

static void test_refused_inputs(void **state)
{
    (void)state;
    expect_refused_input("dc", "start", 10, "dc input to \"a\": a chip's bias is constant; allowed is a dc without start and stop");
    expect_refused_input("sine", "amplitude", 10, "sine input to \"a\": a chip's neurons take spikes and a constant bias, no currents that change");
    expect_refused_input("noise", "std", 10, "noise input to \"a\": a chip's neurons take spikes and a constant bias, no noisy currents");
}

static void test_refused_options(void **state)
{
    (void)state;
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .bits = 10 }, "quantise: bits = 10, allowed 1 to 9");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .bits = -1 }, "quantise: bits = -1, allowed 1 to 9");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .bits = 9, .chip = "loihi1" }, "quantise: bits = 9, allowed 1 to 8");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .step_ms = -1 }, "quantise: step = -1 ms");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .prune = 1.5 }, "quantise: prune = 1.5, allowed 0 to 1");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .prune_below = -1 }, "quantise: prune_below = -1");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .measure_ms = NAN }, "quantise: measure");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .chip = "loihi3" }, "loihi3");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .netx = true, .chip = "loihi1" }, "netx files are for Loihi 2, not for loihi1");
    expect_refused(net_of("iaf_psc_delta", NULL, 0), (hw_quantise_options){ .chip = "xylo" }, "chip \"xylo\": its arithmetic is not known here; allowed are loihi1, loihi2");
}

/* ---- report ----------------------------------------------------------------------------------------------------- */

static void test_report(void **state)
{
    (void)state;
    rv_net  *net = feed_forward(1);
    outcome  o = quantise(net, (hw_quantise_options){ .bits = 4, .measure_ms = 100 });
    char    *text = NULL;
    assert_int_equal(hw_quantise_text(&o.report, &text), RV_OK);
    assert_non_null(strstr(text, "quantised for loihi2: weights of 4 bits, steps of 0.5 ms"));
    assert_non_null(strstr(text, "population \"a\": 60 iaf_psc_exp -> loihi_lif"));
    assert_non_null(strstr(text, "population \"in\": 100 poisson_generator, as they are"));
    assert_non_null(strstr(text, "poisson input to \"b\""));
    assert_int_equal(o.report.n_projections, 3);
    assert_true(o.report.projection[0].zeroed > 0 || o.report.projection[0].weight.max > 0);
    assert_true(o.report.population[1].psp[0] < 0.1);
    free(text);
    discard(&o), rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters),     cmocka_unit_test(test_loihi2),           cmocka_unit_test(test_rates),          cmocka_unit_test(test_chain),
        cmocka_unit_test(test_bits),           cmocka_unit_test(test_twin),             cmocka_unit_test(test_same_pairs),     cmocka_unit_test(test_weights_set),
        cmocka_unit_test(test_prune),          cmocka_unit_test(test_refused_models),   cmocka_unit_test(test_refused_synapses), cmocka_unit_test(test_refused_inputs),
        cmocka_unit_test(test_refused_options), cmocka_unit_test(test_report),          cmocka_unit_test(test_netx),           cmocka_unit_test(test_readout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
