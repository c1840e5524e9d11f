/* The definition: what is accepted, what is refused, and with which sentence. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/definition.h"
#include "sim/tables.h"

enum { SEED = 654321, N = 10 };

static void expect_text(const rv_error *error, const char *expected)
{
    if (strcmp(error->text, expected) != 0) fail_msg("expected: %s\n     got: %s", expected, error->text);
}

static void expect_mention(const rv_error *error, const char *what)
{
    if (!strstr(error->text, what)) fail_msg("expected a mention of %s\n     got: %s", what, error->text);
}

/* Populations E (10 neurons) and I (5). */
static definition new_definition(rv_timing timing)
{
    definition d = { .resolution = 0.1, .seed = SEED, .timing = timing };
    assert_int_equal(definition_add_population(&d, "E", N, "iaf_psc_delta", NULL), RV_OK);
    assert_int_equal(definition_add_population(&d, "I", 5, "iaf_psc_exp", NULL), RV_OK);
    return d;
}

static const rv_population E = { 1 }, I = { 2 };

/* ---- populations ----------------------------------------------------------------------------------------------- */

static void test_populations_start_with_the_table(void **state)
{
    (void)state;
    definition d = new_definition(RV_GRID);
    assert_int_equal(d.n_neurons, 15);
    assert_int_equal(d.population[1].first_id, 10);
    for (int k = 0; k < 2; k++) {
        const population_def *p = &d.population[k];
        const rv_table       *t = &p->model->table;
        double                params[RV_MAX_PARAMS];
        definition_neuron_params(p, 3, params);
        for (int j = 0; j < t->n_params; j++) assert_true(params[j] == t->params[j].standard);
        for (int j = 0; j < t->n_states; j++)
            assert_true(p->initial[j].value == t->states[j].standard && !p->initial[j].list);
    }
    definition_free(&d);
    assert_int_equal(d.n_populations, 0);
}

static void test_bad_populations(void **state)
{
    (void)state;
    definition d = new_definition(RV_GRID);
    rv_error   e = { 0 };
    char       longest[102];
    memset(longest, 'x', 101), longest[101] = 0;
    const struct { const char *name; int64_t n; const char *model, *text; } cases[] = {
        { "", 1, "iaf_psc_delta", "population \"\": a name of 0 characters, allowed 1 to 100" },
        { NULL, 1, "iaf_psc_delta", "population \"\": a name of 0 characters, allowed 1 to 100" },
        { longest, 1, "iaf_psc_delta",
          "population \"xxxxxxxxxxxxxxxxxxxx...\": a name of 101 characters, allowed 1 to 100" },
        { "a/b", 1, "iaf_psc_delta",
          "population \"a/b\": a name must not contain slashes, quotes or control characters" },
        { ".", 1, "iaf_psc_delta", "population \".\": a name must not be a dot" },
        { "E", 1, "iaf_psc_delta", "population \"E\": there is one of this name already" },
        { "F", 1, "iaf_psc_delt",
          "population \"F\": no neuron model \"iaf_psc_delt\"; did you mean \"iaf_psc_delta\"?" },
        { "F", 0, "iaf_psc_delta", "population \"F\": n = 0 neurons, allowed 1 to 2147483632 beside those there are" },
        { "F", -1, "iaf_psc_delta",
          "population \"F\": n = -1 neurons, allowed 1 to 2147483632 beside those there are" },
        { "F", INT32_MAX, "iaf_psc_delta",
          "population \"F\": n = 2147483647 neurons, allowed 1 to 2147483632 beside those there are" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_int_not_equal(definition_add_population(&d, cases[k].name, cases[k].n, cases[k].model, &e), RV_OK);
        expect_text(&e, cases[k].text);
    }
    assert_int_equal(definition_add_population(&d, "F", 1, NULL, &e), RV_UNKNOWN_NAME);
    expect_mention(&e, "population \"F\": no neuron model given; there is: ");
    longest[100] = 0;
    assert_int_equal(definition_add_population(&d, longest, 1, "iaf_psc_delta", &e), RV_OK);
    assert_int_equal(d.n_populations, 3);
    definition_free(&d);
}

static void test_slices(void **state)
{
    (void)state;
    definition d = new_definition(RV_GRID);
    const struct { int64_t first, count, stride, got; } cases[] = { /* got: the count, -1 if refused */
        { 0, -1, 1, 10 }, { 0, -1, 0, 10 }, { 3, -1, 1, 7 }, { 0, -1, 3, 4 }, { 1, -1, 3, 3 }, { 9, -1, 5, 1 },
        { 10, -1, 1, 0 }, { 0, 0, 1, 0 }, { 2, 4, 2, 4 }, { 2, 5, 2, -1 }, { 0, 11, 1, -1 }, { 11, -1, 1, -1 },
        { -1, 1, 1, -1 }, { 0, -2, 1, -1 }, { 0, 1, -1, -1 }, { 5, INT64_MAX, INT64_MAX, -1 }, { 5, 1, INT64_MAX, 1 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        neuron_range r;
        rv_error     e = { 0 };
        rv_slice     s = { E, cases[k].first, cases[k].count, cases[k].stride };
        rv_status    status = definition_range(&d, s, &r, &e);
        if (cases[k].got < 0) expect_mention(&e, "slice of population \"E\": ");
        else if (status != RV_OK || r.count != cases[k].got) fail_msg("slice %zu: %s", k, e.text);
    }
    neuron_range r;
    rv_error     e = { 0 };
    assert_int_equal(definition_range(&d, (rv_slice){ E, 2, 5, 2 }, &r, &e), RV_WRONG_SHAPE);
    expect_text(&e, "slice of population \"E\": count = 5, allowed 0 to 4 from 2 on with this stride");
    assert_int_equal(definition_range(&d, rv_all((rv_population){ 3 }), &r, &e), RV_UNKNOWN_NAME);
    expect_text(&e, "no population with handle 3, there are 2");
    assert_int_equal(definition_range(&d, rv_all((rv_population){ 0 }), &r, &e), RV_UNKNOWN_NAME);
    r = (neuron_range){ 0, 1, 3, 4 }; /* 1, 5, 9 */
    for (int64_t i = -1; i < 15; i++) assert_int_equal(range_index(&r, i), i == 1 ? 0 : i == 5 ? 1 : i == 9 ? 2 : -1);
    definition_free(&d);
}

/* ---- values of neurons ----------------------------------------------------------------------------------------- */

static const rv_field field = { "tau_m", "ms", 10, 0.001, 10000, "" };

static neuron_range range_of(const definition *d, int64_t first, int64_t count, int64_t stride)
{
    neuron_range r;
    assert_int_equal(definition_range(d, (rv_slice){ E, first, count, stride }, &r, NULL), RV_OK);
    return r;
}

static void test_numbers_and_lists(void **state)
{
    (void)state;
    definition    d = new_definition(RV_GRID);
    neuron_range  all = range_of(&d, 0, -1, 1), odd = range_of(&d, 1, -1, 2);
    neuron_values v = { .value = 10 };
    const double  list[] = { 1, 3, 5, 7, 9 };
    assert_int_equal(definition_set_values(&d, &odd, &field, 0, rv_list(list, 5), &v, NULL), RV_OK);
    for (int i = 0; i < N; i++) assert_true(neuron_value(&v, i) == (i % 2 ? i : 10));
    assert_int_equal(definition_set_values(&d, &odd, &field, 0, rv_number(4), &v, NULL), RV_OK);
    for (int i = 0; i < N; i++) assert_true(neuron_value(&v, i) == (i % 2 ? 4 : 10));
    assert_int_equal(definition_set_values(&d, &all, &field, 0, rv_clip(rv_number(20), 1, 15), &v, NULL), RV_OK);
    assert_true(v.list == NULL && v.value == 15);
    definition_free(&d);
}

/* A neuron gets the same draw whatever is drawn for the others. */
static void test_draws_belong_to_the_neuron(void **state)
{
    (void)state;
    definition    d = new_definition(RV_GRID);
    neuron_range  all = range_of(&d, 0, -1, 1), three = range_of(&d, 2, 3, 3);
    neuron_values v = { .value = 10 }, w = { .value = 10 }, other = { .value = 10 };
    rv_value      normal = rv_normal(20, 2);
    assert_int_equal(definition_set_values(&d, &all, &field, 4, normal, &v, NULL), RV_OK);
    assert_int_equal(definition_set_values(&d, &three, &field, 4, normal, &w, NULL), RV_OK);
    assert_int_equal(definition_set_values(&d, &all, &field, 5, normal, &other, NULL), RV_OK);
    for (int i = 0; i < N; i++) {
        assert_true(neuron_value(&w, i) == (range_index(&three, i) >= 0 ? neuron_value(&v, i) : 10));
        assert_true(neuron_value(&v, i) != neuron_value(&other, i));
        assert_true(i == 0 || neuron_value(&v, i) != neuron_value(&v, i - 1));
    }
    free(v.list), free(w.list), free(other.list);
    definition_free(&d);
}

static double at_distance(double x, void *user)
{
    (void)user;
    return x;
}

static void test_bad_values_change_nothing(void **state)
{
    (void)state;
    definition    d = new_definition(RV_GRID);
    neuron_range  all = range_of(&d, 0, -1, 1);
    neuron_values v = { .value = 10 };
    const double  list[] = { 1, 2, 3 };
    rv_error      e = { 0 };
    const struct { rv_value value; const char *text; } cases[] = {
        { rv_number(-2), "population \"E\": tau_m = -2 ms, allowed 0.001 to 10000 ms" },
        { rv_list(list, 3), "population \"E\": tau_m: 3 values for 10 neurons" },
        { { .kind = RV_FUNCTION, .function = at_distance },
          "population \"E\": tau_m: functions of distance are for synapses, neurons have none" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        assert_int_not_equal(definition_set_values(&d, &all, &field, 0, cases[k].value, &v, &e), RV_OK);
        expect_text(&e, cases[k].text);
    }
    assert_int_equal(definition_set_values(&d, &all, &field, 0, rv_normal(0, 1), &v, &e), RV_OUT_OF_RANGE);
    expect_mention(&e, "population \"E\": tau_m drawn for neuron ");
    expect_mention(&e, " ms, allowed 0.001 to 10000 ms");
    assert_true(v.value == 10 && v.list == NULL);
    definition_free(&d);
}

/* ---- bad input for everything that has a table ----------------------------------------------------------------- */

enum { MAX_BAD = 5 };

/* What no field of this range takes. @return how many */
static int bad_numbers(const rv_field *f, double *bad)
{
    int n = 0;
    bad[n++] = NAN;
    if (f->low > -INFINITY) bad[n++] = -INFINITY, bad[n++] = f->low - fmax(1, fabs(f->low));
    if (f->high < INFINITY) bad[n++] = INFINITY, bad[n++] = f->high + fmax(1, fabs(f->high));
    return n;
}

static void expect_field(const rv_field *f, rv_status status, rv_status expected, const rv_error *e)
{
    if (status != expected) fail_msg("%s: status %d, expected %d (%s)", f->name, status, expected, e->text);
    expect_mention(e, f->name);
}

static void try_neuron_field(const definition *d, const rv_field *f, const neuron_values *before)
{
    neuron_range  all = range_of(d, 0, -1, 1);
    neuron_values v = *before;
    double        bad[MAX_BAD], list[N + 1];
    rv_error      e = { 0 };
    for (int k = 0, n = bad_numbers(f, bad); k < n; k++) {
        expect_field(f, definition_set_values(d, &all, f, 0, rv_number(bad[k]), &v, &e), RV_OUT_OF_RANGE, &e);
        for (int i = 0; i < N; i++) list[i] = i == 7 ? bad[k] : f->standard;
        expect_field(f, definition_set_values(d, &all, f, 0, rv_list(list, N), &v, &e), RV_OUT_OF_RANGE, &e);
        expect_mention(&e, "[7] = ");
        expect_mention(&e, "allowed");
    }
    for (int i = 0; i <= N; i++) list[i] = f->standard;
    for (int n = N - 1; n <= N + 1; n += 2)
        expect_field(f, definition_set_values(d, &all, f, 0, rv_list(list, n), &v, &e), RV_WRONG_SHAPE, &e);
    assert_true(v.list == NULL && (v.value == f->standard));
    assert_int_equal(definition_set_values(d, &all, f, 0, rv_list(list, N), &v, &e), RV_OK);
    free(v.list);
}

static void test_every_model_refuses_bad_values(void **state)
{
    (void)state;
    assert_true(rv_table_count(RV_NEURONS) > 0);
    for (int m = 0; m < rv_table_count(RV_NEURONS); m++) {
        definition d = { .resolution = 0.1 };
        rv_table   t;
        assert_true(rv_table_at(RV_NEURONS, m, &t));
        assert_int_equal(definition_add_population(&d, "E", N, t.name, NULL), RV_OK);
        for (int k = 0; k < t.n_params; k++) try_neuron_field(&d, &t.params[k], &d.population[0].param[k]);
        for (int k = 0; k < t.n_states; k++) try_neuron_field(&d, &t.states[k], &d.population[0].initial[k]);
        definition_free(&d);
    }
}

static rv_connect_def plain(void)
{
    return (rv_connect_def){ .source = rv_all(E), .target = rv_all(I), .rule = "all_to_all" };
}

static void test_every_rule_refuses_bad_values(void **state)
{
    (void)state;
    assert_true(rv_table_count(RV_LEARNING) > 0);
    definition d = new_definition(RV_GRID);
    for (int m = 0; m < rv_table_count(RV_LEARNING); m++) {
        rv_table t;
        assert_true(rv_table_at(RV_LEARNING, m, &t));
        for (int k = 0; k < t.n_params; k++) {
            const rv_field *f = &t.params[k];
            double          bad[MAX_BAD], pair[] = { f->standard, f->standard };
            rv_error        e = { 0 };
            rv_setting      s = { .name = f->name };
            rv_connect_def  def = plain();
            def.plasticity = t.name, def.settings = &s, def.n_settings = 1;
            for (int j = 0, n = bad_numbers(f, bad); j < n; j++) {
                s.value = rv_number(bad[j]);
                expect_field(f, definition_add_projection(&d, &def, &e), RV_OUT_OF_RANGE, &e);
                expect_mention(&e, "projection \"E\" -> \"I\": ");
            }
            s.value = rv_list(pair, 2);
            expect_field(f, definition_add_projection(&d, &def, &e), RV_WRONG_SHAPE, &e);
            s.value = rv_normal(f->standard, 1);
            expect_field(f, definition_add_projection(&d, &def, &e), RV_WRONG_SHAPE, &e);
        }
    }
    assert_int_equal(d.n_projections, 0);
    definition_free(&d);
}

static void test_every_input_refuses_bad_values(void **state)
{
    (void)state;
    assert_int_equal(rv_table_count(RV_INPUTS), N_INPUT_KINDS);
    definition   d = new_definition(RV_GRID);
    neuron_range all = range_of(&d, 0, -1, 1);
    for (int m = 0; m < N_INPUT_KINDS; m++) {
        rv_table t;
        assert_true(rv_table_at(RV_INPUTS, m, &t));
        assert_true(t.n_params <= MAX_INPUT_PARAMS);
        assert_int_equal(definition_add_input(&d, &all, t.name, NULL, 0, NULL), RV_OK);
        for (int k = 0; k < t.n_params; k++) {
            const rv_field *f = &t.params[k];
            double          bad[MAX_BAD], before = d.input[m].param[k];
            rv_error        e = { 0 };
            for (int j = 0, n = bad_numbers(f, bad); j < n; j++) {
                rv_setting s = { f->name, rv_number(bad[j]) };
                expect_field(f, definition_add_input(&d, &all, t.name, &s, 1, &e), RV_OUT_OF_RANGE, &e);
                expect_field(f, definition_set_input(&d, m, f->name, rv_number(bad[j]), &e), RV_OUT_OF_RANGE, &e);
                expect_mention(&e, " input to \"E\": ");
            }
            expect_field(f, definition_set_input(&d, m, f->name, rv_normal(1, 0), &e), RV_WRONG_SHAPE, &e);
            assert_true(d.input[m].param[k] == before);
        }
    }
    assert_int_equal(d.n_inputs, N_INPUT_KINDS);
    definition_free(&d);
}

/* ---- projections ----------------------------------------------------------------------------------------------- */

static rv_status connect(definition *d, rv_connect_def def, rv_error *e)
{
    *e = (rv_error){ 0 };
    return definition_add_projection(d, &def, e);
}

#define BASE .source = { E, 0, -1, 1 }, .target = { I, 0, -1, 1 }
#define SELF .source = { E, 0, -1, 1 }, .target = { E, 0, -1, 1 }
#define EI   "projection \"E\" -> \"I\": "
#define EE   "projection \"E\" -> \"E\": "

static void test_bad_projections(void **state)
{
    (void)state;
    static const double  five[] = { 1, 1, 1, 1, 1 }, bad[] = { 1, NAN };
    static const int64_t s[] = { 0, 9 }, t[] = { 4, 4 }, outside[] = { 0, 10 }, same[] = { 9, 9 };
    static const rv_setting tau = { "tau_pluss", { .kind = RV_NUMBER, .a = 1 } };
    const struct { rv_connect_def def; const char *text; } cases[] = {
        { { BASE, .rule = "fixed_in_degree" },
          EI "no connection rule \"fixed_in_degree\"; did you mean \"fixed_indegree\"?" },
        { { BASE },
          EI "no connection rule given; there is: all_to_all, one_to_one, fixed_indegree, fixed_outdegree, "
             "fixed_total_number, pairwise_bernoulli, pairwise_poisson, list, convolution" },
        { { .source = { { 3 }, 0, -1, 1 }, .target = { I, 0, -1, 1 } }, "no population with handle 3, there are 2" },
        { { .source = { E, 0, -1, 1 }, .target = { I, 0, 6, 1 } },
          "slice of population \"I\": count = 6, allowed 0 to 5 from 0 on" },
        { { BASE, .rule = "one_to_one" }, EI "one_to_one with 10 sources and 5 targets, allowed are equal numbers" },
        { { BASE, .rule = "fixed_indegree", .degree = -1 }, EI "indegree = -1, allowed 0 to 2147483647" },
        { { BASE, .rule = "fixed_indegree", .degree = 11, .no_multapses = true },
          EI "indegree = 11, allowed 0 to 10 without multapses" },
        { { SELF, .rule = "fixed_indegree", .degree = 10, .no_multapses = true, .no_autapses = true },
          EE "indegree = 10, allowed 0 to 9 without multapses" },
        { { .source = { E, 3, 1, 1 },
            .target = { E, 3, 1, 1 },
            .rule = "fixed_indegree",
            .degree = 1,
            .no_autapses = true },
          EE "indegree = 1, allowed 0 to 0: there are no partners" },
        { { .source = { E, 10, -1, 1 }, .target = { I, 0, -1, 1 }, .rule = "fixed_indegree", .degree = 1 },
          EI "indegree = 1, allowed 0 to 0: there are no partners" },
        { { BASE, .rule = "fixed_outdegree", .degree = 6, .no_multapses = true },
          EI "outdegree = 6, allowed 0 to 5 without multapses" },
        { { BASE, .rule = "fixed_total_number", .total = -5 }, EI "total = -5, allowed 0 to 1099511627776" },
        { { BASE, .rule = "fixed_total_number", .total = 51, .no_multapses = true },
          EI "total = 51, allowed 0 to 50 without multapses" },
        { { SELF, .rule = "fixed_total_number", .total = 91, .no_multapses = true, .no_autapses = true },
          EE "total = 91, allowed 0 to 90 without multapses" },
        { { BASE, .rule = "pairwise_bernoulli", .p = { .kind = RV_NUMBER, .a = 1.5 } }, EI "p = 1.5, allowed 0 to 1" },
        { { BASE, .rule = "pairwise_bernoulli", .p = { .kind = RV_NUMBER, .a = NAN } }, EI "p = nan, allowed 0 to 1" },
        { { BASE, .rule = "pairwise_bernoulli", .p = { .kind = RV_LIST, .list = five, .n = 5 } },
          EI "p takes a number or a function of distance" },
        { { BASE, .rule = "pairwise_poisson", .p = { .kind = RV_NUMBER, .a = -1 } }, EI "p = -1, allowed 0 to 1000000" },
        { { BASE, .rule = "pairwise_poisson", .p = { .kind = RV_NUMBER, .a = 1 }, .no_multapses = true },
          EI "pairwise_poisson makes multapses, they cannot be excluded" },
        { { BASE, .rule = "list", .n_list = 2 }, EI "a list of 2 pairs without sources or targets" },
        { { BASE, .rule = "list", .sources = outside, .targets = t, .n_list = 2 },
          EI "sources[1] = 10, allowed 0 to 9" },
        { { BASE, .rule = "list", .sources = s, .targets = s, .n_list = 2 }, EI "targets[1] = 9, allowed 0 to 4" },
        { { BASE, .rule = "list", .sources = same, .targets = t, .n_list = 2, .no_multapses = true },
          EI "the list has 9 -> 4 twice, multapses are excluded" },
        { { SELF, .rule = "list", .sources = s, .targets = same, .n_list = 2, .no_autapses = true },
          EE "entry 1 of the list is an autapse, which are excluded" },
        { { BASE, .rule = "all_to_all", .weight = { .kind = RV_LIST, .list = five, .n = 5 } },
          EI "5 values of weight for 50 synapses" },
        { { BASE, .rule = "fixed_indegree", .degree = 1, .weight = { .kind = RV_LIST, .list = five, .n = 5 } },
          EI "weight is a list, allowed with list, one_to_one and all_to_all" },
        { { BASE, .rule = "list", .sources = s, .targets = t, .n_list = 2,
            .weight = { .kind = RV_LIST, .list = bad, .n = 2 } },
          EI "weight[1] = nan, allowed any finite number" },
        { { BASE, .rule = "all_to_all", .weight = { .kind = RV_NUMBER, .a = INFINITY } }, EI "weight = inf, allowed any finite number" },
        { { BASE, .rule = "all_to_all", .weight = { .kind = RV_NORMAL, .a = 1, .b = -1 } },
          EI "weight: sd of a normal distribution = -1, allowed 0 or more" },
        { { BASE, .rule = "all_to_all", .plasticity = "sdtp" },
          EI "no learning rule \"sdtp\"; did you mean \"stdp\"?" },
        { { BASE, .rule = "all_to_all", .plasticity = "stdp", .settings = &tau, .n_settings = 1 },
          EI "no parameter \"tau_pluss\" of stdp; did you mean \"tau_plus\"?" },
        { { BASE, .rule = "all_to_all", .settings = &tau, .n_settings = 1 },
          EI "tau_pluss is given without plasticity; static synapses have no parameters" },
        { { BASE, .rule = "all_to_all", .plasticity = "stdp", .weight = { .kind = RV_NUMBER, .a = -1 } },
          EI "weight = -1, allowed 0 to 100" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_NUMBER, .a = -1 } }, EI "delay = -1 ms, allowed 0.1 to 214748364.8 ms" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_NUMBER, .a = 0.05 } }, EI "delay = 0.05 ms, allowed 0.1 to 214748364.8 ms" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_NUMBER, .a = NAN } }, EI "delay = nan ms, allowed 0.1 to 214748364.8 ms" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_NUMBER, .a = 1e300 } },
          EI "delay = 1e+300 ms, allowed 0.1 to 214748364.8 ms" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_NUMBER, .a = 1.25 } },
          EI "delay = 1.25 ms, allowed are multiples of the resolution, 0.1 ms: the nearest are 1.2 and 1.3 ms" },
        { { BASE, .rule = "list", .sources = s, .targets = t, .n_list = 2,
            .delay = { .kind = RV_LIST, .list = bad, .n = 2 } },
          EI "delay[1] = nan ms, allowed 0.1 to 214748364.8 ms" },
        { { BASE, .rule = "all_to_all", .delay = { .kind = RV_UNIFORM, .a = -1, .b = 1 } },
          EI "delay = -1 ms, allowed 0 to 214748364.8 ms" },
    };
    definition d = new_definition(RV_GRID);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rv_error e;
        if (connect(&d, cases[k].def, &e) == RV_OK) fail_msg("accepted, expected: %s", cases[k].text);
        expect_text(&e, cases[k].text);
    }
    assert_int_equal(d.n_projections, 0);
    definition_free(&d);
}

static void test_good_projections_are_copied(void **state)
{
    (void)state;
    definition d = new_definition(RV_GRID);
    rv_error   e;
    int64_t    s[] = { 0, 9, 9 }, t[] = { 4, 1, 1 };
    double     w[] = { 1, 2, 3 }, delays[] = { 0.1, 1.5, 0.3 };
    assert_int_equal(connect(&d, (rv_connect_def){ BASE, .rule = "list", .sources = s, .targets = t, .n_list = 3,
                                                   .weight = rv_list(w, 3), .delay = rv_list(delays, 3) }, &e), RV_OK);
    s[0] = 7, w[0] = 7;
    assert_true(d.projection[0].sources[0] == 0 && d.projection[0].weight.list[0] == 1);
    assert_int_equal(connect(&d, (rv_connect_def){ BASE, .rule = "all_to_all" }, &e), RV_OK);
    assert_true(d.projection[1].weight.a == 1 && d.projection[1].delay.a == 1 && d.projection[1].autapses);
    rv_setting settings[] = { { "Wmax", rv_number(5) }, { "tau_plus", rv_number(15) } };
    assert_int_equal(
        connect(&d,
                (rv_connect_def){ BASE, .rule = "pairwise_bernoulli", .p = rv_number(0.5), .plasticity = "stdp",
                                  .settings = settings, .n_settings = 2, .weight = rv_number(5) },
                &e),
        RV_OK);
    const rv_table *table = &d.projection[2].plasticity->table;
    assert_true(d.projection[2].param[table_param(table, "tau_plus")] == 15);
    int lambda = table_param(table, "lambda");
    assert_true(d.projection[2].param[lambda] == table->params[lambda].standard);
    settings[0].value = rv_number(0); /* in range, but the rule's own check refuses it */
    assert_int_equal(connect(&d,
                             (rv_connect_def){ BASE, .rule = "all_to_all", .plasticity = "stdp", .settings = settings,
                                               .n_settings = 2 },
                             &e),
                     RV_CONFLICT);
    expect_mention(&e, EI "Wmax");
    definition_free(&d);
}

/* Every multiple of the resolution is legal, however it was computed. */
static void test_delays_on_the_grid(void **state)
{
    (void)state;
    rv_error e;
    for (int k = 1; k <= 100000; k = k * 3 + 1) {
        definition d = new_definition(RV_GRID);
        double     ways[] = { k * 0.1, k / 10.0, k * 0.1 * (1 + 1e-13) };
        for (int j = 0; j < 3; j++)
            if (connect(&d, (rv_connect_def){ BASE, .rule = "all_to_all", .delay = rv_number(ways[j]) }, &e) != RV_OK)
                fail_msg("%s", e.text);
        assert_int_not_equal(
            connect(&d, (rv_connect_def){ BASE, .rule = "all_to_all", .delay = rv_number(k * 0.1 * (1 + 1e-8)) }, &e),
            RV_OK);
        definition_free(&d);
    }
    definition d = new_definition(RV_EXACT);
    assert_int_equal(connect(&d, (rv_connect_def){ BASE, .rule = "all_to_all", .delay = rv_number(0.0123) }, &e),
                     RV_OK);
    assert_int_not_equal(connect(&d, (rv_connect_def){ BASE, .rule = "all_to_all", .delay = rv_number(-0.1) }, &e),
                         RV_OK);
    expect_text(&e, EI "delay = -0.1 ms, allowed 0 to 214748364.8 ms");
    definition_free(&d);
}

/* ---- inputs ---------------------------------------------------------------------------------------------------- */

static void test_inputs(void **state)
{
    (void)state;
    definition   d = new_definition(RV_GRID);
    neuron_range all = range_of(&d, 0, -1, 1);
    rv_error     e = { 0 };
    rv_setting   rate[] = { { "rate", rv_number(20000) }, { "weight", rv_number(0.1) }, { "start", rv_number(5) } };
    assert_int_equal(definition_add_input(&d, &all, "poisson", rate, 3, &e), RV_OK);
    const double *p = d.input[0].param;
    assert_true(p[POISSON_RATE] == 20000 && p[POISSON_WEIGHT] == 0.1 && p[INPUT_START] == 5 && isinf(p[INPUT_STOP]));
    assert_int_equal(definition_add_input(&d, &all, "poison", NULL, 0, &e), RV_UNKNOWN_NAME);
    expect_text(&e, "input to \"E\": no input kind \"poison\"; did you mean \"poisson\"?");
    rate[0].name = "rates";
    assert_int_equal(definition_add_input(&d, &all, "poisson", rate, 1, &e), RV_UNKNOWN_NAME);
    expect_text(&e, "poisson input to \"E\": no parameter \"rates\" of poisson; did you mean \"rate\"?");
    assert_int_equal(definition_set_input(&d, 0, "stop", rv_number(4), &e), RV_CONFLICT);
    expect_text(&e, "poisson input to \"E\": stop = 4 ms, allowed not before start = 5 ms");
    assert_int_equal(definition_set_input(&d, 0, "rate", rv_number(-1), &e), RV_OUT_OF_RANGE);
    expect_text(&e, "poisson input to \"E\": rate = -1 Hz, allowed 0 to 1000000000 Hz");
    assert_int_equal(definition_set_input(&d, 0, "rate", rv_number(7), &e), RV_OK);
    assert_true(d.input[0].param[POISSON_RATE] == 7 && isinf(d.input[0].param[INPUT_STOP]));
    rv_setting dt = { "dt", rv_number(0.25) };
    assert_int_equal(definition_add_input(&d, &all, "noise", &dt, 1, &e), RV_OUT_OF_RANGE);
    expect_text(&e, "noise input to \"E\": dt = 0.25 ms, allowed are multiples of the resolution, 0.1 ms");
    assert_int_equal(d.n_inputs, 1);
    definition_free(&d);
}

static void test_step_currents(void **state)
{
    (void)state;
    definition   d = new_definition(RV_GRID);
    neuron_range all = range_of(&d, 0, -1, 1);
    rv_error     e = { 0 };
    const double times[] = { 1, 2, 5 }, descending[] = { 1, 5, 2 }, amplitudes[] = { 10, 20, -5 },
                 bad[] = { 1, INFINITY, 2 };
    rv_setting   s[] = { { "times", rv_list(times, 3) }, { "amplitudes", rv_list(amplitudes, 3) } };
    assert_int_equal(definition_add_input(&d, &all, "step", s, 2, &e), RV_OK);
    assert_true(d.input[0].n_steps == 3 && d.input[0].times[2] == 5 && d.input[0].amplitudes[2] == -5);
    assert_int_equal(definition_set_input(&d, 0, "times", rv_list(descending, 3), &e), RV_CONFLICT);
    expect_text(&e, "step input to \"E\": times[2] = 2 ms after 5 ms, allowed are ascending times");
    assert_int_equal(definition_set_input(&d, 0, "amplitudes", rv_list(bad, 3), &e), RV_OUT_OF_RANGE);
    expect_text(&e, "step input to \"E\": amplitudes[1] = inf pA, allowed -1e+12 to 1e+12 pA");
    assert_int_equal(definition_set_input(&d, 0, "times", rv_list(times, 2), &e), RV_WRONG_SHAPE);
    expect_text(&e, "step input to \"E\": times has 2 values, allowed 3 as before");
    assert_true(d.input[0].times[2] == 5);
    assert_int_equal(definition_set_input(&d, 0, "amplitudes", rv_list(times, 3), &e), RV_OK);
    assert_true(d.input[0].amplitudes[2] == 5);
    s[1].value = rv_number(3);
    assert_int_equal(definition_add_input(&d, &all, "step", s, 2, &e), RV_WRONG_SHAPE);
    expect_text(&e, "step input to \"E\": 3 times and 1 amplitudes, allowed are equal numbers");
    s[0].value = rv_number(2); /* one number is a list of one */
    assert_int_equal(definition_add_input(&d, &all, "step", s, 2, &e), RV_OK);
    assert_int_equal(d.n_inputs, 2);
    definition_free(&d);
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

static void test_tables(void **state)
{
    (void)state;
    rv_table t;
    assert_true(rv_table_find(RV_NEURONS, "iaf_psc_delta", &t) && strcmp(t.name, "iaf_psc_delta") == 0);
    assert_true(rv_table_find(RV_LEARNING, "stdp", &t) && rv_table_find(RV_INPUTS, "noise", &t));
    assert_false(rv_table_find(RV_INPUTS, "stdp", &t) || rv_table_find(RV_NEURONS, NULL, &t));
    assert_false(rv_table_at(RV_NEURONS, -1, &t) || rv_table_at(RV_NEURONS, rv_table_count(RV_NEURONS), &t));
    assert_non_null(rv_model_find("iaf_psc_exp"));
    assert_null(rv_model_find("stdp"));
    assert_null(rv_rule_find(NULL));
    for (int kind = RV_NEURONS; kind <= RV_INPUTS; kind++)
        for (int k = 0; rv_table_at((rv_table_kind)kind, k, &t); k++) { /* what every table must be */
            assert_true((int)t.kind == kind && t.name && t.summary && t.n_params <= RV_MAX_PARAMS &&
                        t.n_states <= RV_MAX_STATES);
            for (int j = 0; j < t.n_params + t.n_states; j++) {
                const rv_field *f = j < t.n_params ? &t.params[j] : &t.states[j - t.n_params];
                if (!(f->name && f->unit && f->meaning && f->low <= f->standard && f->standard <= f->high))
                    fail_msg("%s: field %d (%s) is incomplete", t.name, j, f->name ? f->name : "?");
            }
        }
    rv_error e = { 0 };
    rv_table_find(RV_NEURONS, "iaf_psc_delta", &t);
    assert_int_equal(table_unknown_field(&t, "population \"E\"", "v_M", &e), RV_UNKNOWN_NAME);
    expect_text(&e, "population \"E\": no parameter or state \"v_M\" of iaf_psc_delta; did you mean \"V_m\"?");
}

int main(void)
{
    printf("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_populations_start_with_the_table),
        cmocka_unit_test(test_bad_populations),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_numbers_and_lists),
        cmocka_unit_test(test_draws_belong_to_the_neuron),
        cmocka_unit_test(test_bad_values_change_nothing),
        cmocka_unit_test(test_every_model_refuses_bad_values),
        cmocka_unit_test(test_every_rule_refuses_bad_values),
        cmocka_unit_test(test_every_input_refuses_bad_values),
        cmocka_unit_test(test_bad_projections),
        cmocka_unit_test(test_good_projections_are_copied),
        cmocka_unit_test(test_delays_on_the_grid),
        cmocka_unit_test(test_inputs),
        cmocka_unit_test(test_step_currents),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
