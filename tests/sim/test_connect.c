/* Connection rules: degrees and totals, what is excluded, that every choice is equally likely, and that the same
 * synapses come out however they are asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "sim/connect.h"

enum { SEED = 97531, N_E = 40, N_I = 25 };
#define LEAST_P 1e-6 /* of a chi-square test; a false alarm in a million */

static const rv_population E = { 1 }, I = { 2 };
#define ALL(population) { population, 0, -1, 1 }
#define ONE_STEP        ((delay_key)1 << 32)

static void expect_text(const rv_error *error, const char *expected)
{
    if (strcmp(error->text, expected) != 0) fail_msg("expected: %s\n     got: %s", expected, error->text);
}

static void expect_chi2(double chi2, int degrees, const char *what)
{
    double p = gsl_cdf_chisq_Q(chi2, degrees);
    if (!(p > LEAST_P))
        fail_msg("%s: chi-square %g with %d degrees of freedom, p = %g (seed %d)", what, chi2, degrees, p, SEED);
}

/* Counts that should have these expectations, of n independent choices. */
static double chi2_of(const int64_t *count, int n, double expected)
{
    double chi2 = 0;
    for (int k = 0; k < n; k++) chi2 += (count[k] - expected) * (count[k] - expected) / expected;
    return chi2;
}

/* E (40 neurons on a 8 x 5 sheet of unit spacing) and I (25 on a line). */
static definition new_definition(uint64_t seed)
{
    definition d = { .resolution = 0.1, .seed = seed };
    assert_int_equal(definition_add_population(&d, "E", N_E, "iaf_psc_delta", NULL), RV_OK);
    assert_int_equal(definition_add_population(&d, "I", N_I, "iaf_psc_delta", NULL), RV_OK);
    for (int p = 0; p < 2; p++) {
        double *xyz = d.population[p].xyz = calloc((size_t)d.population[p].n * 3, sizeof *xyz);
        for (int i = 0; i < d.population[p].n; i++) xyz[3 * i] = p ? i : i % 8, xyz[3 * i + 1] = p ? 0 : i / 8;
    }
    return d;
}

/* All synapses of a projection. */
typedef struct synapses {
    int64_t    n, source[20000], target[20000];
    double     weight[20000];
    delay_key  delay[20000];
    int64_t    pair[N_E][N_E]; /* [source][target] */
} synapses;

static void draw_all(const definition *d, int projection, bool values, synapses *s)
{
    connector    c;
    synapse_list list = { 0 };
    rv_error     e = { 0 };
    memset(s, 0, sizeof *s);
    if (connector_open(d, projection, &c, &e) != RV_OK) fail_msg("%s", e.text);
    for (int64_t i = 0; i < connector_n_drivers(&c); i++) {
        if (connector_draw(&c, i, values, &list, &e) != RV_OK) fail_msg("%s", e.text);
        int64_t driver = connector_driver(&c, i);
        for (int64_t k = 0; k < list.n; k++, s->n++) {
            assert_true(s->n < 20000);
            s->source[s->n] = c.by_target ? list.partner[k] : driver;
            s->target[s->n] = c.by_target ? driver : list.partner[k];
            if (values) s->weight[s->n] = list.weight[k], s->delay[s->n] = list.delay[k];
            s->pair[s->source[s->n]][s->target[s->n]]++;
        }
    }
    synapse_list_free(&list);
    connector_close(&c);
}

static synapses all_synapses; /* the tests' own scratch: too large for the stack */

/* A projection of a fresh definition, drawn. */
static const synapses *make(const rv_connect_def *def, uint64_t seed)
{
    definition d = new_definition(seed);
    rv_error   e = { 0 };
    if (definition_add_projection(&d, def, &e) != RV_OK) fail_msg("%s", e.text);
    draw_all(&d, 0, true, &all_synapses);
    definition_free(&d);
    return &all_synapses;
}

static int64_t in_degree(const synapses *s, int64_t target)
{
    int64_t n = 0;
    for (int j = 0; j < N_E; j++) n += s->pair[j][target];
    return n;
}

static int64_t out_degree(const synapses *s, int64_t source)
{
    int64_t n = 0;
    for (int i = 0; i < N_E; i++) n += s->pair[source][i];
    return n;
}

/* Every rule with every combination of exclusions, within E and from slice to slice. */
enum { N_CASES = 8 };

static rv_connect_def rule_case(int k)
{
    const rv_connect_def cases[N_CASES] = {
        { .rule = "all_to_all" },
        { .rule = "one_to_one" },
        { .rule = "fixed_indegree", .degree = 12 },
        { .rule = "fixed_outdegree", .degree = 12 },
        { .rule = "fixed_total_number", .total = 150 },
        { .rule = "pairwise_bernoulli", .p = rv_number(0.3) },
        { .rule = "pairwise_poisson", .p = rv_number(0.7) },
        { .rule = "pairwise_bernoulli", .p = { .kind = RV_DISTANCE_GAUSSIAN, .b = 0.8, .c = 2 } },
    };
    return cases[k];
}

/* ---- each rule ------------------------------------------------------------------------------------------------- */

static void test_all_to_all(void **state)
{
    (void)state;
    rv_connect_def def = { .source = ALL(E), .target = ALL(E), .rule = "all_to_all" };
    const synapses *s = make(&def, SEED);
    assert_int_equal(s->n, N_E * N_E);
    for (int j = 0; j < N_E; j++)
        for (int i = 0; i < N_E; i++) assert_int_equal(s->pair[j][i], 1);
    def.no_autapses = true;
    s = make(&def, SEED);
    assert_int_equal(s->n, N_E * (N_E - 1));
    for (int j = 0; j < N_E; j++) assert_int_equal(s->pair[j][j], 0);
}

static void test_one_to_one(void **state)
{
    (void)state;
    rv_connect_def  def = { .source = { E, 2, 10, 3 }, .target = { I, 5, 10, 1 }, .rule = "one_to_one" };
    const synapses *s = make(&def, SEED);
    assert_int_equal(s->n, 10);
    for (int k = 0; k < 10; k++) assert_int_equal(s->pair[2 + 3 * k][5 + k], 1);
    def = (rv_connect_def){
        .source = { E, 0, 5, 2 }, .target = { E, 4, 5, 1 }, .rule = "one_to_one", .no_autapses = true
    };
    s = make(&def, SEED); /* 0 2 4 6 8 -> 4 5 6 7 8: the last pair is an autapse */
    assert_int_equal(s->n, 4);
}

static void test_fixed_degrees(void **state)
{
    (void)state;
    for (int k = 0; k < 8; k++) {
        rv_connect_def def = { .source = ALL(E), .target = ALL(E), .degree = k & 4 ? 39 : 7, .no_autapses = k & 1,
                               .no_multapses = k & 2 };
        for (int out = 0; out < 2; out++) {
            def.rule = out ? "fixed_outdegree" : "fixed_indegree";
            const synapses *s = make(&def, SEED + (uint64_t)k);
            int64_t         most = 0, autapses = 0;
            for (int i = 0; i < N_E; i++) {
                assert_int_equal(out ? out_degree(s, i) : in_degree(s, i), def.degree);
                autapses += s->pair[i][i];
                for (int j = 0; j < N_E; j++) most = s->pair[j][i] > most ? s->pair[j][i] : most;
            }
            assert_true(def.no_autapses ? autapses == 0 : autapses > 0);
            assert_true(def.no_multapses ? most == 1 : most > 1);
        }
    }
}

static void test_fixed_total(void **state)
{
    (void)state;
    const int64_t totals[] = { 0, 1, 5, 150, 700, 900, 959, 960 }; /* of 40 x 25 - 0 or of 40 x 24 pairs */
    for (size_t t = 0; t < sizeof totals / sizeof *totals; t++)
        for (int k = 0; k < 4; k++) {
            rv_connect_def def = { .source = ALL(E), .target = { E, 3, 24, 1 }, .rule = "fixed_total_number",
                                   .total = k == 3 && totals[t] > 936 ? 936 : totals[t], .no_autapses = k & 1,
                                   .no_multapses = k & 2 };
            const synapses *s = make(&def, SEED + 10 * t + (uint64_t)k);
            assert_int_equal(s->n, def.total);
            for (int j = 0; j < N_E; j++) {
                assert_true(!def.no_autapses || s->pair[j][j] == 0);
                for (int i = 0; i < N_E; i++) assert_true(!def.no_multapses || s->pair[j][i] <= 1);
            }
        }
}

static void test_list_keeps_its_order(void **state)
{
    (void)state;
    const int64_t sources[] = { 2, 0, 2, 1, 0, 2 }, targets[] = { 4, 3, 2, 1, 0, 4 };
    const double  weights[] = { 1, 2, 3, 4, 5, 6 }, delays[] = { 1, 2, 3, 4, 5, 6 };
    rv_connect_def def = { .source = { E, 10, 3, 2 }, .target = { I, 0, 5, 3 }, .rule = "list", .sources = sources,
                           .targets = targets, .n_list = 6, .weight = rv_list(weights, 6),
                           .delay = rv_list(delays, 6) };
    const synapses *s = make(&def, SEED);
    const int       order[] = { 1, 4, 3, 0, 2, 5 }; /* by source, otherwise as given */
    assert_int_equal(s->n, 6);
    for (int k = 0; k < 6; k++) {
        assert_int_equal(s->source[k], 10 + 2 * sources[order[k]]);
        assert_int_equal(s->target[k], 3 * targets[order[k]]);
        assert_true(s->weight[k] == weights[order[k]]);
        assert_int_equal(s->delay[k], (uint64_t)(10 * delays[order[k]]) << 32);
    }
}

/* Lists of all_to_all have the targets running faster; what is left out as an autapse has no element. */
static void test_listed_values(void **state)
{
    (void)state;
    double weights[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
    rv_connect_def def = {
        .source = { E, 0, 3, 1 }, .target = { E, 1, 3, 1 }, .rule = "all_to_all", .weight = rv_list(weights, 9)
    };
    const synapses *s = make(&def, SEED);
    for (int k = 0; k < 9; k++)
        assert_true(s->source[k] == k / 3 && s->target[k] == 1 + k % 3 && s->weight[k] == k);
    def.no_autapses = true, def.weight.n = 7;
    s = make(&def, SEED);
    const int source[] = { 0, 0, 0, 1, 1, 2, 2 }, target[] = { 1, 2, 3, 2, 3, 1, 3 };
    for (int k = 0; k < 7; k++)
        assert_true(s->source[k] == source[k] && s->target[k] == target[k] && s->weight[k] == k);
}

/* ---- distributions --------------------------------------------------------------------------------------------- */

enum { UNIFORM_REPEAT = 400, N_ODD = 15 };

/* How often each pair of E with the odd neurons 1 to 29 was connected. */
static void count_pairs(const rv_connect_def *def, int64_t count[N_E][N_ODD])
{
    memset(count, 0, sizeof(int64_t[N_E][N_ODD]));
    for (uint64_t r = 0; r < UNIFORM_REPEAT; r++) {
        const synapses *s = make(def, SEED + 1000 * r);
        for (int64_t x = 0; x < s->n; x++) count[s->source[x]][(s->target[x] - 1) / 2]++;
    }
}

/* Every pair a source may have is equally likely, for every rule that chooses, with and without exclusions. */
static void test_pairs_are_uniform(void **state)
{
    (void)state;
    for (int rule = 2; rule < 7; rule++)
        for (int k = 0; k < 4; k++) {
            rv_connect_def def = rule_case(rule);
            if (rule == 6 && (k & 2)) continue; /* pairwise_poisson makes multapses */
            def.source = (rv_slice)ALL(E), def.target = (rv_slice){ E, 1, N_ODD, 2 };
            def.no_autapses = k & 1, def.no_multapses = k & 2;
            int64_t count[N_E][N_ODD], total = 0;
            count_pairs(&def, count);
            for (int j = 0; j < N_E; j++)
                for (int i = 0; i < N_ODD; i++) total += count[j][i];
            double chi2 = 0, pairs = N_E * N_ODD - (def.no_autapses ? N_ODD : 0);
            for (int j = 0; j < N_E; j++) {
                bool   inside = def.no_autapses && j % 2 == 1 && j < 2 * N_ODD; /* one partner less */
                double mean = rule == 3 ? UNIFORM_REPEAT * 12.0 / (N_ODD - inside) : (double)total / pairs;
                /* without multapses a pair is hit at most once a draw: less variance than chi-square expects */
                double hit = def.no_multapses || rule == 5 ? mean / UNIFORM_REPEAT : 0;
                for (int i = 0; i < N_ODD; i++)
                    if (inside && j == 2 * i + 1) assert_int_equal(count[j][i], 0);
                    else chi2 += (count[j][i] - mean) * (count[j][i] - mean) / mean / (1 - hit);
            }
            char what[100];
            snprintf(what, sizeof what, "%s, exclusions %d", def.rule, k);
            expect_chi2(chi2, (int)pairs, what);
        }
}

/* The number of synapses of a source has the binomial variance, and so has the split of a total number. */
static void test_degree_distributions(void **state)
{
    (void)state;
    enum { REPEAT = 500, MAX = 60 };
    const struct { rv_connect_def def; double p; int n; bool targets; } cases[] = {
        { { .rule = "pairwise_bernoulli", .p = rv_number(0.3) }, 0.3, N_I, false },
        { { .rule = "pairwise_bernoulli", .p = rv_number(0.9) }, 0.9, N_I, false },
        { { .rule = "fixed_indegree", .degree = 12 }, 1.0 / N_E, 12 * N_I, false },
        { { .rule = "fixed_outdegree", .degree = 12 }, 1.0 / N_I, 12 * N_E, true },
        { { .rule = "fixed_total_number", .total = 300 }, 1.0 / N_I, 300, true },
        { { .rule = "fixed_total_number", .total = 300 }, 1.0 / N_E, 300, false },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rv_connect_def def = cases[k].def;
        def.source = (rv_slice)ALL(E), def.target = (rv_slice)ALL(I);
        int64_t count[MAX] = { 0 };
        for (uint64_t r = 0; r < REPEAT; r++) { /* one neuron of each draw: others are not independent of it */
            const synapses *s = make(&def, SEED + r);
            int64_t         degree = cases[k].targets ? in_degree(s, 7) : out_degree(s, 7);
            count[degree < MAX ? degree : MAX - 1]++;
        }
        double chi2 = 0, rest = REPEAT, rest_expected = REPEAT;
        int    bins = 0;
        for (int x = 0; x < MAX; x++) {
            double expected = REPEAT * gsl_ran_binomial_pdf((unsigned)x, cases[k].p, (unsigned)cases[k].n);
            if (expected < 5) continue;
            chi2 += (count[x] - expected) * (count[x] - expected) / expected, bins++;
            rest -= (double)count[x], rest_expected -= expected;
        }
        if (rest_expected > 1) chi2 += (rest - rest_expected) * (rest - rest_expected) / rest_expected, bins++;
        char what[60];
        snprintf(what, sizeof what, "degrees of %s %zu", def.rule, k);
        expect_chi2(chi2, bins - 1, what);
    }
}

/* Without multapses the split is multivariate hypergeometric, below and above half of all pairs. */
static void test_split_without_multapses(void **state)
{
    (void)state;
    enum { REPEAT = 2000 };
    const int64_t totals[] = { 3, 30, 75 }; /* of 20 x 5 pairs */
    for (int t = 0; t < 3; t++) {
        rv_connect_def def = { .source = { E, 0, 20, 1 }, .target = { I, 0, 5, 1 }, .rule = "fixed_total_number",
                               .total = totals[t], .no_multapses = true };
        int64_t count[21] = { 0 };
        for (uint64_t r = 0; r < REPEAT; r++) count[in_degree(make(&def, SEED + r), 2)]++;
        double chi2 = 0;
        int    bins = 0;
        for (unsigned x = 0; x <= 20; x++) {
            double expected = REPEAT * gsl_ran_hypergeometric_pdf(x, 20, 80, (unsigned)totals[t]);
            if (expected < 5) continue;
            chi2 += (count[x] - expected) * (count[x] - expected) / expected, bins++;
        }
        expect_chi2(chi2, bins, "hypergeometric split");
    }
}

/* Mean number of synapses of each pair against the kernel, thinned or not. */
static void test_p_of_distance(void **state)
{
    (void)state;
    enum { REPEAT = 1500 };
    const rv_value kernels[] = {
        { .kind = RV_DISTANCE_GAUSSIAN, .a = 0.05, .b = 0.8, .c = 2 },
        { .kind = RV_DISTANCE_EXPONENTIAL, .a = 0, .b = 1.5, .c = 2 }, /* above 1 nearby: counts as 1 */
        { .kind = RV_DISTANCE_LINEAR, .a = 0.7, .b = -0.1 },           /* below 0 far away: counts as 0 */
        { .kind = RV_DISTANCE_LINEAR, .a = 0.1, .b = 0.05 },           /* no bound for pairwise_poisson */
        { .kind = RV_DISTANCE_GAUSSIAN, .a = 0.9, .b = -0.8, .c = 3 },
    };
    for (int rule = 0; rule < 2; rule++)
        for (size_t k = 0; k < sizeof kernels / sizeof *kernels; k++) {
            rv_connect_def def = { .source = ALL(E), .target = { E, 0, 10, 1 }, .p = kernels[k],
                                   .rule = rule ? "pairwise_poisson" : "pairwise_bernoulli" };
            static int64_t sum[N_E][N_E];
            memset(sum, 0, sizeof sum);
            for (uint64_t r = 0; r < REPEAT; r++) {
                const synapses *s = make(&def, SEED + 7 * r);
                for (int j = 0; j < N_E; j++)
                    for (int i = 0; i < 10; i++) sum[j][i] += s->pair[j][i];
            }
            double chi2 = 0;
            int    cells = 0;
            for (int j = 0; j < N_E; j++)
                for (int i = 0; i < 10; i++) {
                    double x = j % 8 - i % 8, y = j / 8 - i / 8, d = sqrt(x * x + y * y),
                           p = kernels[k].a + kernels[k].b * d;
                    if (kernels[k].kind == RV_DISTANCE_GAUSSIAN)
                        p = kernels[k].a + kernels[k].b * exp(-d * d / (2 * kernels[k].c * kernels[k].c));
                    if (kernels[k].kind == RV_DISTANCE_EXPONENTIAL)
                        p = kernels[k].a + kernels[k].b * exp(-d / kernels[k].c);
                    p = fmax(p, 0);
                    if (!rule) p = fmin(p, 1);
                    if (p == 0 || (!rule && p == 1)) {
                        assert_int_equal(sum[j][i], p * REPEAT);
                        continue;
                    }
                    double expected = p * REPEAT, variance = expected * (rule ? 1 : 1 - p);
                    chi2 += (sum[j][i] - expected) * (sum[j][i] - expected) / variance, cells++;
                }
            expect_chi2(chi2, cells, def.rule);
        }
}

static void test_extreme_p(void **state)
{
    (void)state;
    rv_connect_def def = { .source = ALL(E), .target = ALL(E), .rule = "pairwise_bernoulli", .p = rv_number(1) };
    assert_int_equal(make(&def, SEED)->n, N_E * N_E);
    def.no_autapses = true;
    assert_int_equal(make(&def, SEED)->n, N_E * (N_E - 1));
    def.p = rv_number(0);
    assert_int_equal(make(&def, SEED)->n, 0);
    def.rule = "pairwise_poisson";
    assert_int_equal(make(&def, SEED)->n, 0);
    def.p = rv_number(10);
    int64_t n = make(&def, SEED)->n;
    assert_true(fabs(n - 10.0 * N_E * (N_E - 1)) < 6 * sqrt(10.0 * N_E * (N_E - 1)));
}

static void test_empty_slices(void **state)
{
    (void)state;
    for (int rule = 0; rule < N_CASES; rule++)
        for (int k = 1; k < 4; k++) {
            rv_connect_def def = rule_case(rule);
            def.source = (rv_slice){ E, 0, k & 1 ? 0 : 10, 1 }, def.target = (rv_slice){ E, 0, k & 2 ? 0 : 10, 1 };
            if (rule == 1 && k != 3) continue;
            if (rule == 2) def.degree = k & 1 ? 0 : 5;
            if (rule == 3) def.degree = k & 2 ? 0 : 5;
            if (rule == 4) def.total = 0;
            assert_int_equal(make(&def, SEED)->n, 0);
        }
}

/* ---- the same synapses each time ------------------------------------------------------------------------------- */

static void test_drawing_is_repeatable(void **state)
{
    (void)state;
    for (int rule = 0; rule < N_CASES; rule++) {
        definition     d = new_definition(SEED);
        rv_connect_def def = rule_case(rule);
        def.source = (rv_slice){ E, 3, 20, 1 }, def.target = (rv_slice){ E, 0, 20, 2 };
        def.no_autapses = true, def.no_multapses = rule == 3 || rule == 4;
        def.weight = rv_normal(1, 0.2), def.delay = rv_uniform(0.1, 5);
        assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
        connector    c;
        synapse_list once = { 0 }, again = { 0 };
        assert_int_equal(connector_open(&d, 0, &c, NULL), RV_OK);
        for (int64_t i = connector_n_drivers(&c) - 1; i >= 0; i--) {
            assert_int_equal(connector_draw(&c, i, true, &once, NULL), RV_OK);
            for (int values = 0; values < 2; values++) {
                assert_int_equal(connector_draw(&c, i, values, &again, NULL), RV_OK);
                assert_int_equal(again.n, once.n);
                if (once.n == 0) continue;
                assert_memory_equal(again.partner, once.partner, (size_t)once.n * sizeof *once.partner);
            }
            if (once.n == 0) continue;
            assert_memory_equal(again.weight, once.weight, (size_t)once.n * sizeof *once.weight);
            assert_memory_equal(again.delay, once.delay, (size_t)once.n * sizeof *once.delay);
        }
        synapse_list_free(&once);
        synapse_list_free(&again);
        connector_close(&c);
        definition_free(&d);
    }
}

/* Delays do not depend on how the weights are drawn, nor partners on either; another seed or projection is another
 * draw. */
static void test_draws_are_independent(void **state)
{
    (void)state;
    static synapses a, b;
    rv_connect_def  def = { .source = ALL(E), .target = ALL(I), .rule = "fixed_indegree", .degree = 8,
                            .weight = rv_normal(1, 0.2), .delay = rv_redraw(rv_normal(1.5, 0.75), 0.1, 100) };
    definition d = new_definition(SEED);
    assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
    assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
    draw_all(&d, 0, true, &a);
    draw_all(&d, 1, true, &b);
    assert_memory_not_equal(a.source, b.source, sizeof a.source);
    assert_memory_not_equal(a.weight, b.weight, sizeof a.weight);
    definition_free(&d);
    def.weight = rv_number(3);
    b = *make(&def, SEED);
    assert_memory_equal(a.source, b.source, sizeof a.source);
    assert_memory_equal(a.delay, b.delay, sizeof a.delay);
    b = *make(&def, SEED + 1);
    assert_memory_not_equal(a.source, b.source, sizeof a.source);
    assert_memory_not_equal(a.delay, b.delay, sizeof a.delay);
}

/* ---- weights and delays ---------------------------------------------------------------------------------------- */

static void test_constant_values(void **state)
{
    (void)state;
    rv_connect_def  def = { .source = ALL(E), .target = ALL(I), .rule = "fixed_outdegree", .degree = 5,
                            .weight = rv_number(-0.5), .delay = rv_number(1.5) };
    const synapses *s = make(&def, SEED);
    for (int64_t k = 0; k < s->n; k++) assert_true(s->weight[k] == -0.5 && s->delay[k] == 15 * ONE_STEP);
}

static void test_drawn_values(void **state)
{
    (void)state;
    enum { BINS = 20 };
    rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = "fixed_indegree", .degree = 400,
                           .weight = rv_normal(1, 0.2), .delay = rv_uniform(0, 2) };
    const synapses *s = make(&def, SEED);
    int64_t         weights[BINS] = { 0 }, delays[BINS + 1] = { 0 };
    for (int64_t k = 0; k < s->n; k++) {
        weights[(int)(BINS * gsl_cdf_gaussian_P(s->weight[k] - 1, 0.2))]++;
        assert_true(s->delay[k] % ONE_STEP == 0 && s->delay[k] >= ONE_STEP && s->delay[k] <= 20 * ONE_STEP);
        delays[s->delay[k] >> 32]++;
    }
    expect_chi2(chi2_of(weights, BINS, (double)s->n / BINS), BINS - 1, "weights");
    /* rounded to steps: step 1 has what is below 1.5 steps, step 20 the upper half of its interval */
    double chi2 = 0;
    for (int k = 1; k <= 20; k++) {
        double expected = (double)s->n / 20 * (k == 1 ? 1.5 : k == 20 ? 0.5 : 1);
        chi2 += (delays[k] - expected) * (delays[k] - expected) / expected;
    }
    expect_chi2(chi2, 19, "delays");
}

static void test_exact_delays(void **state)
{
    (void)state;
    definition d = new_definition(SEED);
    d.timing = RV_EXACT;
    static synapses s;
    rv_connect_def  def = { .source = ALL(E), .target = ALL(I), .rule = "all_to_all", .delay = rv_number(1.5321) };
    assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
    def.delay = rv_uniform(0, 1);
    assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
    draw_all(&d, 0, true, &s);
    for (int64_t k = 0; k < s.n; k++) assert_true(fabs((double)s.delay[k] * 0x1p-32 - 15.321) <= 0x1p-33 + 1e-12);
    draw_all(&d, 1, true, &s);
    int below_a_step = 0;
    for (int64_t k = 0; k < s.n; k++) below_a_step += s.delay[k] < ONE_STEP;
    assert_true(below_a_step > 50 && below_a_step < 200); /* a tenth of 1000 */
    definition_free(&d);
}

static void test_values_of_distance(void **state)
{
    (void)state;
    const char *rules[] = { "fixed_indegree", "fixed_outdegree" }; /* by target and by source */
    for (int k = 0; k < 2; k++) {
        rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = rules[k], .degree = 9,
                               .weight = { .kind = RV_DISTANCE_GAUSSIAN, .a = 0.5, .b = 2, .c = 3 },
                               .delay = { .kind = RV_DISTANCE_LINEAR, .a = 0.1, .b = 0.2 } };
        const synapses *s = make(&def, SEED);
        for (int64_t x = 0; x < s->n; x++) {
            double dx = (double)(s->source[x] % 8 - s->target[x]), dy = (double)(s->source[x] / 8),
                   r2 = dx * dx + dy * dy;
            assert_true(fabs(s->weight[x] - (0.5 + 2 * exp(-r2 / 18))) < 1e-14);
            assert_int_equal(s->delay[x] >> 32, (uint64_t)(10 * (0.1 + 0.2 * sqrt(r2)) + 0.5));
        }
    }
}

static void test_periodic_space(void **state)
{
    (void)state;
    definition d = new_definition(SEED);
    assert_true(fabs(connect_distance(&d, 0, 0, 0, 7) - 7) < 1e-15);
    d.population[0].period[0] = 8, d.population[0].period[1] = 5;
    const struct { int64_t a, b; double distance; } cases[] = {
        { 0, 7, 1 }, { 0, 4, 4 }, { 0, 5, 3 }, { 0, 32, 1 }, { 0, 39, sqrt(2) }, { 0, 20, sqrt(20) }, { 3, 3, 0 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_true(fabs(connect_distance(&d, 0, cases[k].a, 0, cases[k].b) - cases[k].distance) < 1e-15);
        assert_true(fabs(connect_distance(&d, 0, cases[k].b, 0, cases[k].a) - cases[k].distance) < 1e-15);
    }
    d.population[0].xyz[0] = -81, d.population[0].xyz[3 * 4] = 83; /* ten periods away: 7 and 3 */
    assert_true(fabs(connect_distance(&d, 0, 0, 0, 4) - 4) < 1e-13);
    definition_free(&d);
}

/* ---- functions of the user ------------------------------------------------------------------------------------- */

typedef struct asked {
    int64_t calls;
    double  distance[4000];
} asked;

/* Not a function at all: gives another number each time. What was drawn must hold together all the same. */
static double moody(double d, void *user)
{
    asked *a = user;
    a->distance[a->calls % 4000] = d;
    return (a->calls++ * 7 % 10) / 10.0;
}

static void test_functions_are_called_once_and_in_order(void **state)
{
    (void)state;
    static asked   asked_p, asked_w;
    static synapses a, b;
    memset(&asked_p, 0, sizeof asked_p), memset(&asked_w, 0, sizeof asked_w);
    definition     d = new_definition(SEED);
    rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = "pairwise_bernoulli",
                           .p = { .kind = RV_FUNCTION, .function = moody, .user = &asked_p },
                           .weight = { .kind = RV_FUNCTION, .function = moody, .user = &asked_w } };
    assert_int_equal(definition_add_projection(&d, &def, NULL), RV_OK);
    connector    c;
    synapse_list list = { 0 };
    assert_int_equal(connector_open(&d, 0, &c, NULL), RV_OK);
    assert_int_equal(asked_p.calls, N_E * N_I);
    for (int k = 0; k < N_E * N_I; k++) /* sources in order, for each the targets in order */
        assert_true(asked_p.distance[k] == connect_distance(&d, 0, k / N_I, 1, k % N_I));
    int64_t n = 0, w_calls = asked_w.calls;
    for (int pass = 0; pass < 2; pass++, n = pass ? n : 0)
        for (int64_t i = 0; i < connector_n_drivers(&c); i++) {
            assert_int_equal(connector_draw(&c, i, pass, &list, NULL), RV_OK);
            n += pass ? 0 : list.n;
            for (int64_t k = 1; k < list.n; k++) assert_true(list.partner[k] > list.partner[k - 1]);
        }
    assert_true(n > 300 && n < 600); /* 0.45 of 1000 pairs */
    assert_int_equal(asked_w.calls, w_calls);
    assert_int_equal(n, w_calls);
    synapse_list_free(&list);
    connector_close(&c);
    asked_p.calls = asked_w.calls = 0;
    draw_all(&d, 0, true, &a);
    asked_p.calls = asked_w.calls = 0;
    draw_all(&d, 0, true, &b);
    assert_memory_equal(&a, &b, sizeof a);
    definition_free(&d);
}

/* A function may stand beside lists: the elements keep their places. */
static void test_function_and_list(void **state)
{
    (void)state;
    static asked  a;
    double        weights[6] = { 10, 11, 12, 13, 14, 15 };
    const int64_t sources[] = { 2, 0, 2, 1, 0, 2 }, targets[] = { 4, 3, 2, 1, 0, 4 };
    const int     order[] = { 1, 4, 3, 0, 2, 5 };
    rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = "list", .sources = sources, .targets = targets,
                           .n_list = 6, .weight = rv_list(weights, 6),
                           .delay = { .kind = RV_FUNCTION, .function = moody, .user = &a } };
    memset(&a, 0, sizeof a);
    const synapses *s = make(&def, SEED);
    assert_int_equal(s->n, 6);
    for (int k = 0; k < 6; k++) assert_true(s->weight[k] == weights[order[k]]);
    def.rule = "one_to_one", def.source.count = def.target.count = 6;
    s = make(&def, SEED);
    for (int k = 0; k < 6; k++) assert_true(s->weight[k] == 10 + k && s->source[k] == k && s->target[k] == k);
}

/* ---- errors ---------------------------------------------------------------------------------------------------- */

static rv_status draw_until_error(const definition *d, rv_error *e)
{
    connector    c;
    synapse_list list = { 0 };
    rv_status    status = connector_open(d, 0, &c, e);
    for (int64_t i = 0; status == RV_OK && i < connector_n_drivers(&c); i++)
        status = connector_draw(&c, i, true, &list, e);
    synapse_list_free(&list);
    connector_close(&c);
    return status;
}

static double nothing(double d, void *user)
{
    (void)user;
    return d > 3 ? NAN : 0.5;
}

static void test_errors_while_drawing(void **state)
{
    (void)state;
    const rv_value function = { .kind = RV_FUNCTION, .function = nothing },
                   far = { .kind = RV_DISTANCE_LINEAR, .b = 1e300 };
    const struct { rv_connect_def def; const char *begin, *end; } cases[] = {
        { { .weight = rv_lognormal(1000, 1) },
          "weight drawn for 0 -> 0 (clip or redraw it) = inf",
          ", allowed any finite number" },
        { { .weight = function }, "weight drawn for 0 -> 4 (clip or redraw it) = nan", ", allowed any finite number" },
        { { .weight = rv_number(1), .delay = rv_normal(0, 1) },
          "delay drawn for 0 -> ",
          " ms, allowed 0 to 214748364.8 ms" },
        { { .weight = rv_number(1), .delay = far }, "delay drawn for 0 -> 1 (clip or redraw it) = 1e+300 ms", " ms" },
        { { .weight = rv_normal(0, 1), .plasticity = "stdp" }, "weight drawn for 0 -> ", ", allowed 0 to 100" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        definition     d = new_definition(SEED);
        rv_connect_def def = cases[k].def;
        rv_error       e = { 0 };
        char           begin[200];
        def.source = (rv_slice)ALL(E), def.target = (rv_slice)ALL(I), def.rule = "all_to_all";
        if (definition_add_projection(&d, &def, &e) != RV_OK) fail_msg("%s", e.text);
        assert_int_equal(draw_until_error(&d, &e), RV_OUT_OF_RANGE);
        snprintf(begin, sizeof begin, "projection \"E\" -> \"I\": %s", cases[k].begin);
        size_t length = strlen(e.text), tail = strlen(cases[k].end);
        if (strncmp(e.text, begin, strlen(begin)) != 0 || strcmp(e.text + length - tail, cases[k].end) != 0)
            fail_msg("expected: %s ... %s\n     got: %s", begin, cases[k].end, e.text);
        definition_free(&d);
    }
    definition     d = new_definition(SEED);
    rv_error       e = { 0 };
    rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = "pairwise_bernoulli", .p = function };
    assert_int_equal(definition_add_projection(&d, &def, &e), RV_OK);
    assert_int_equal(draw_until_error(&d, &e), RV_OUT_OF_RANGE);
    expect_text(&e, "projection \"E\" -> \"I\": p = nan at distance 4, allowed 0 to 1");
    definition_free(&d);
}

static void test_positions_are_needed(void **state)
{
    (void)state;
    definition     d = new_definition(SEED);
    rv_error       e = { 0 };
    rv_connect_def def = { .source = ALL(E), .target = ALL(I), .rule = "all_to_all",
                           .weight = { .kind = RV_DISTANCE_LINEAR, .a = 1 } };
    assert_int_equal(definition_add_projection(&d, &def, &e), RV_OK);
    d.population[0].period[1] = 5;
    assert_int_equal(draw_until_error(&d, &e), RV_CONFLICT);
    expect_text(
        &e,
        "projection \"E\" -> \"I\": a function of distance needs one space, the periods of the two populations differ");
    free(d.population[1].xyz);
    d.population[1].xyz = NULL;
    assert_int_equal(draw_until_error(&d, &e), RV_CONFLICT);
    expect_text(&e, "projection \"E\" -> \"I\": a function of distance needs positions, population \"I\" has none");
    definition_free(&d);
}

int main(void)
{
    printf("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_to_all),
        cmocka_unit_test(test_one_to_one),
        cmocka_unit_test(test_fixed_degrees),
        cmocka_unit_test(test_fixed_total),
        cmocka_unit_test(test_list_keeps_its_order),
        cmocka_unit_test(test_listed_values),
        cmocka_unit_test(test_pairs_are_uniform),
        cmocka_unit_test(test_degree_distributions),
        cmocka_unit_test(test_split_without_multapses),
        cmocka_unit_test(test_p_of_distance),
        cmocka_unit_test(test_extreme_p),
        cmocka_unit_test(test_empty_slices),
        cmocka_unit_test(test_drawing_is_repeatable),
        cmocka_unit_test(test_draws_are_independent),
        cmocka_unit_test(test_constant_values),
        cmocka_unit_test(test_drawn_values),
        cmocka_unit_test(test_exact_delays),
        cmocka_unit_test(test_values_of_distance),
        cmocka_unit_test(test_periodic_space),
        cmocka_unit_test(test_functions_are_called_once_and_in_order),
        cmocka_unit_test(test_function_and_list),
        cmocka_unit_test(test_errors_while_drawing),
        cmocka_unit_test(test_positions_are_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
