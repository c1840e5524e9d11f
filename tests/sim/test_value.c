/* Values (numbers, lists, recipes), sentences, suggestions, and the random numbers under them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <gsl/gsl_cdf.h>

#include "sim/error.h"
#include "sim/random.h"
#include "sim/value.h"

enum { SEED = 20240521, DRAWS = 200000, BINS = 20 };
#define LEAST_P 1e-6 /* of a chi-square test; a false alarm in a million */

static void expect_text(const rv_error *error, const char *expected)
{
    if (strcmp(error->text, expected) != 0) fail_msg("expected: %s\n     got: %s", expected, error->text);
}

/* Counts that should be equally likely. */
static void expect_uniform(const int64_t *count, int n, const char *what)
{
    double total = 0, chi2 = 0;
    for (int k = 0; k < n; k++) total += (double)count[k];
    for (int k = 0; k < n; k++) chi2 += (count[k] - total / n) * (count[k] - total / n) / (total / n);
    double p = gsl_cdf_chisq_Q(chi2, n - 1);
    if (!(p > LEAST_P)) fail_msg("%s: chi-square %g of %d bins, p = %g (seed %d)", what, chi2, n, p, SEED);
}

static rv_random stream(uint64_t index) { return random_stream(SEED, RANDOM_USER, 0, index); }

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static void test_numbers_in_range(void **state)
{
    (void)state;
    rv_error e = { 0 };
    rv_value good[] = { rv_number(1), rv_number(0.001), rv_number(10000), rv_clip(rv_number(-5), 1, 2) };
    for (size_t k = 0; k < sizeof good / sizeof *good; k++)
        assert_int_equal(value_check(&good[k], 0.001, 1e4, "x", "ms", &e), RV_OK);
    double bad[] = { 0, -2, 10000.001, NAN, INFINITY, -INFINITY };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        rv_value v = rv_number(bad[k]);
        assert_int_equal(value_check(&v, 0.001, 1e4, "x", "ms", &e), RV_OUT_OF_RANGE);
    }
    rv_value v = rv_number(-2);
    assert_int_equal(value_check(&v, 0.001, 1e4, "population \"E\": tau_m", "ms", &e), RV_OUT_OF_RANGE);
    assert_int_equal(e.status, RV_OUT_OF_RANGE);
    expect_text(&e, "population \"E\": tau_m = -2 ms, allowed 0.001 to 10000 ms");
}

static void test_infinity_only_where_allowed(void **state)
{
    (void)state;
    rv_error e = { 0 };
    rv_value up = rv_number(INFINITY), nan = rv_number(NAN);
    assert_int_equal(value_check(&up, 0, INFINITY, "stop", "ms", &e), RV_OK);
    assert_int_equal(value_check(&up, 0, DBL_MAX, "x", "1", &e), RV_OUT_OF_RANGE);
    expect_text(&e, "x = inf, allowed 0 or more");
    assert_int_equal(value_check(&up, -DBL_MAX, DBL_MAX, "weight", "", &e), RV_OUT_OF_RANGE);
    expect_text(&e, "weight = inf, allowed any finite number");
    assert_int_equal(value_check(&nan, -INFINITY, INFINITY, "x", NULL, &e), RV_OUT_OF_RANGE);
    expect_text(&e, "x = nan, allowed any number");
}

static void test_lists_element_by_element(void **state)
{
    (void)state;
    rv_error     e = { 0 };
    const double good[] = { 1, 2, 3 }, bad[] = { 1, 2, NAN, 4 };
    rv_value     v = rv_list(good, 3);
    assert_int_equal(value_check(&v, 0, 3, "x", "mV", &e), RV_OK);
    v = rv_list(bad, 4);
    assert_int_equal(value_check(&v, 0, 3, "x", "mV", &e), RV_OUT_OF_RANGE);
    expect_text(&e, "x[2] = nan mV, allowed 0 to 3 mV");
    v = rv_clip(rv_list(good, 3), 0, 2.5);
    assert_int_equal(value_check(&v, 0, 2.5, "x", "mV", &e), RV_OK);
    v = rv_list(NULL, 3);
    assert_int_equal(value_check(&v, 0, 3, "x", "mV", &e), RV_WRONG_SHAPE);
    v = rv_list(good, -1);
    assert_int_equal(value_check(&v, 0, 3, "x", "mV", &e), RV_WRONG_SHAPE);
    v = rv_list(NULL, 0);
    assert_int_equal(value_check(&v, 0, 3, "x", "mV", &e), RV_OK);
}

static rv_value kernel(rv_value_kind kind, double a, double b, double c)
{
    return (rv_value){ .kind = kind, .a = a, .b = b, .c = c };
}

static void test_recipes(void **state)
{
    (void)state;
    struct {
        rv_value    value;
        const char *text; /* NULL: legal */
    } cases[] = {
        { rv_uniform(0, 1), NULL },
        { rv_normal(5, 100), NULL }, /* unbounded: checked when drawn */
        { rv_redraw(rv_normal(5, 1), 0, INFINITY), NULL },
        { rv_redraw(rv_uniform(-5, 5), 0, 10), NULL },
        { rv_clip(rv_uniform(-5, 50), 0, 10), NULL },
        { rv_lognormal(0, 0), NULL },
        { rv_exponential(-3), NULL },
        { kernel(RV_DISTANCE_LINEAR, 1, -1, 0), NULL },
        { kernel(RV_DISTANCE_GAUSSIAN, 0, 1, 0.1), NULL },
        { rv_uniform(-1, 1), "x = -1, allowed 0 to 10" },
        { rv_uniform(1, 11), "x = 11, allowed 0 to 10" },
        { rv_uniform(2, 1), "x: uniform distribution from 2 to 1, allowed is low to high" },
        { rv_uniform(NAN, 1), "x: low end of a uniform distribution = nan, allowed any finite number" },
        { rv_normal(INFINITY, 1), "x: mean of a normal distribution = inf, allowed any finite number" },
        { rv_normal(1, -1), "x: sd of a normal distribution = -1, allowed 0 or more" },
        { rv_normal(1, NAN), "x: sd of a normal distribution = nan, allowed 0 or more" },
        { rv_lognormal(1, -1), "x: sigma of a lognormal distribution = -1, allowed 0 or more" },
        { rv_exponential(NAN), "x: mean of an exponential distribution = nan, allowed any finite number" },
        { rv_clip(rv_normal(1, 1), 2, 1), "x: bounded by 2 to 1, allowed is low to high" },
        { rv_clip(rv_normal(1, 1), NAN, 1), "x: bounded by nan to 1, allowed is low to high" },
        { rv_clip(rv_normal(1, 1), 20, 30), "x = 20, allowed 0 to 10" },
        { rv_clip(rv_normal(1, 1), -3, -2), "x = -2, allowed 0 to 10" },
        { kernel(RV_DISTANCE_LINEAR, NAN, 1, 0),
          "x: offset of a function of distance = nan, allowed any finite number" },
        { kernel(RV_DISTANCE_GAUSSIAN, 0, INFINITY, 1),
          "x: factor of a function of distance = inf, allowed any finite number" },
        { kernel(RV_FUNCTION, 0, 0, 0), "x: a function of distance without function" },
        { kernel((rv_value_kind)99, 0, 0, 0), "x: a value of kind 99, allowed 0 to 10" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        rv_error  e = { 0 };
        rv_status status = value_check(&cases[k].value, 0, 10, "x", "", &e);
        if (cases[k].text) expect_text(&e, cases[k].text);
        else if (status != RV_OK) fail_msg("case %zu refused: %s", k, e.text);
    }
    rv_error e = { 0 };
    rv_value flat = kernel(RV_DISTANCE_EXPONENTIAL, 0, 1, 0);
    assert_int_equal(value_check(&flat, 0, 1, "x", "", &e), RV_OUT_OF_RANGE);
    assert_int_equal(value_check(&flat, 0, 1, "x", "", NULL), RV_OUT_OF_RANGE); /* error may be NULL */
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */

static double cdf(const rv_value *v, double x)
{
    switch (v->kind) {
    case RV_UNIFORM: return gsl_cdf_flat_P(x, v->a, v->b);
    case RV_NORMAL: return gsl_cdf_gaussian_P(x - v->a, v->b);
    case RV_LOGNORMAL: return gsl_cdf_lognormal_P(x, v->a, v->b);
    default: return gsl_cdf_exponential_P(x, v->a);
    }
}

/* What is drawn, put through the distribution function, is uniform. */
static void test_distributions(void **state)
{
    (void)state;
    const rv_value v[] = { rv_uniform(-2, 3), rv_normal(1.5, 0.75), rv_lognormal(0.3, 1.2), rv_exponential(4) };
    for (int k = 0; k < 4; k++) {
        rv_random r = stream((uint64_t)k);
        gsl_rng   rng = random_gsl(&r);
        int64_t   count[BINS] = { 0 };
        for (int i = 0; i < DRAWS; i++) count[(int)fmin(BINS - 1, BINS * cdf(&v[k], value_draw(&v[k], &rng, 0)))]++;
        char what[40];
        snprintf(what, sizeof what, "distribution %d", v[k].kind);
        expect_uniform(count, BINS, what);
        assert_true(value_is_random(&v[k]) && !value_needs_distance(&v[k]));
    }
}

static void test_bounds(void **state)
{
    (void)state;
    rv_random r = stream(7);
    gsl_rng   rng = random_gsl(&r);
    rv_value  redrawn = rv_redraw(rv_normal(0, 1), 0, INFINITY), clipped = rv_clip(rv_normal(0, 1), -0.5, 0.5);
    rv_value  hopeless = rv_redraw(rv_normal(0, 1), 100, 200), number = rv_redraw(rv_number(3), 0, 2);
    int64_t   count[BINS] = { 0 };
    int       at_bound = 0;
    for (int i = 0; i < DRAWS; i++) {
        double x = value_draw(&redrawn, &rng, 0), y = value_draw(&clipped, &rng, 0);
        assert_true(x >= 0 && y >= -0.5 && y <= 0.5);
        count[(int)fmin(BINS - 1, BINS * (2 * gsl_cdf_ugaussian_P(x) - 1))]++; /* half normal */
        at_bound += fabs(y) == 0.5;
    }
    expect_uniform(count, BINS, "redrawn normal");
    double expected = 2 * gsl_cdf_ugaussian_Q(0.5) * DRAWS;
    assert_true(fabs(at_bound - expected) < 6 * sqrt(expected));
    assert_true(value_draw(&hopeless, &rng, 0) == 100); /* after 1000 attempts: clipped */
    assert_true(value_draw(&number, NULL, 0) == 2);
}

static double square(double d, void *user) { return d * d * *(double *)user; }

static void test_functions_of_distance(void **state)
{
    (void)state;
    double   factor = 3, tolerance = 1e-15;
    rv_value linear = kernel(RV_DISTANCE_LINEAR, 1, 2, 0), exponential = kernel(RV_DISTANCE_EXPONENTIAL, 0.1, 2, 0.5);
    rv_value gaussian = kernel(RV_DISTANCE_GAUSSIAN, 0.1, 2, 0.5);
    rv_value function = { .kind = RV_FUNCTION, .function = square, .user = &factor };
    assert_true(fabs(value_draw(&linear, NULL, 0.7) - 2.4) < tolerance);
    assert_true(fabs(value_draw(&exponential, NULL, 0.7) - (0.1 + 2 * exp(-1.4))) < tolerance);
    assert_true(fabs(value_draw(&gaussian, NULL, 0.7) - (0.1 + 2 * exp(-0.98))) < tolerance);
    assert_true(value_draw(&function, NULL, 2) == 12);
    function = rv_clip(function, 0, 10);
    assert_true(value_draw(&function, NULL, 2) == 10);
    assert_true(value_needs_distance(&function) && !value_is_random(&function));
}

static void test_copies_own_their_list(void **state)
{
    (void)state;
    double   list[] = { 1, 2, 3 };
    rv_value v = rv_list(list, 3), copy;
    assert_int_equal(value_copy(&v, &copy, NULL), RV_OK);
    list[1] = 99;
    assert_true(copy.list != list && copy.n == 3 && copy.list[1] == 2);
    value_free(&copy);
    assert_null(copy.list);
    v = rv_list(NULL, 0);
    assert_int_equal(value_copy(&v, &copy, NULL), RV_OK);
    value_free(&copy);
}

/* ---- sentences ------------------------------------------------------------------------------------------------- */

static void test_suggestions(void **state)
{
    (void)state;
    const char *const names[] = { "tau_m", "C_m", "E_L", "V_th", "V_reset", "t_ref", "tau_syn_ex", "tau_syn_in", "" };
    const struct { const char *typed, *near; } cases[] = {
        { "tau_M", "tau_m" }, { "TAU_M", "tau_m" }, { "tua_m", "tau_m" }, { "taum", "tau_m" }, { "tau_mm", "tau_m" },
        { "c_m", "C_m" }, { "vreset", "V_reset" }, { "Vreste", "V_reset" }, { "tau_syn_xe", "tau_syn_ex" },
        { "tau_synin", "tau_syn_in" }, { "frequency", NULL }, { "", NULL }, { "x", NULL }, { NULL, NULL },
        { "V", NULL }, { "tau", NULL }, /* two letters are missing of three */
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const char *near = rv_suggest(cases[k].typed, names, 9);
        if (!near != !cases[k].near || (near && strcmp(near, cases[k].near) != 0))
            fail_msg("\"%s\": expected %s, got %s", cases[k].typed, cases[k].near, near);
    }
    char longest[300];
    memset(longest, 'x', sizeof longest - 1), longest[299] = 0;
    assert_null(rv_suggest(longest, names, 9));
    assert_null(rv_suggest("tau_m", NULL, 0));
}

static void test_unknown_names(void **state)
{
    (void)state;
    const char *const names[] = { "tau_m", "C_m" };
    rv_error          e = { 0 };
    assert_int_equal(error_unknown(&e, "population \"E\"", "parameter of lif", "tau_M", names, 2), RV_UNKNOWN_NAME);
    expect_text(&e, "population \"E\": no parameter \"tau_M\" of lif; did you mean \"tau_m\"?");
    error_unknown(&e, NULL, "neuron model", "whatever", names, 2);
    expect_text(&e, "no neuron model \"whatever\"; there is: tau_m, C_m");
    error_unknown(&e, "x", "rule", NULL, names, 2);
    expect_text(&e, "x: no rule given; there is: tau_m, C_m");
    error_unknown(&e, "x", "population", "E", NULL, 0);
    expect_text(&e, "x: no population \"E\"; there is none");
    const char *many[100];
    for (int k = 0; k < 100; k++) many[k] = "a_rather_long_name";
    error_unknown(&e, "x", "rule", "y", many, 100);
    assert_true(strlen(e.text) < sizeof e.text && strcmp(e.text + strlen(e.text) - 5, ", ...") == 0);
    assert_int_equal(error_memory(&e, "synapses", 3e9), RV_OUT_OF_MEMORY);
    expect_text(&e, "no memory for synapses (3000.0 MB)");
    assert_int_equal(error_set(NULL, RV_STOPPED, "x"), RV_STOPPED);
}

/* ---- random numbers -------------------------------------------------------------------------------------------- */

/* The known answers published with Random123 (tests/kat_vectors, philox4x32 10). */
static void test_philox_known_answers(void **state)
{
    (void)state;
    const struct { uint32_t counter[4], key[2], answer[4]; } cases[] = {
        { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
        { { ~0u, ~0u, ~0u, ~0u }, { ~0u, ~0u }, { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
        { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 }, { 0xa4093822, 0x299f31d0 },
          { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
    };
    for (int k = 0; k < 3; k++) {
        rv_random r = { 0 };
        memcpy(r.counter, cases[k].counter, sizeof r.counter);
        memcpy(r.key, cases[k].key, sizeof r.key);
        for (int w = 0; w < 4; w++) assert_int_equal(random_u32(&r), cases[k].answer[w]);
    }
}

static void test_vectorised_words_equal_the_streams(void **state)
{
    (void)state;
    enum { N = 1000, ROUNDED = 1024 };
    const uint64_t steps[] = { 0, 1, 0x123456789abcull };
    for (int k = 0; k < 3; k++)
        for (int64_t first = 0; first <= 640; first += 640) {
            uint32_t words[ROUNDED];
            random_words(SEED, RANDOM_BACKGROUND, 5, steps[k], first, N, words);
            for (int64_t i = first; i < first + N; i++) {
                rv_random r = random_stream(SEED, RANDOM_BACKGROUND, 5, steps[k]);
                random_seek(&r, (uint32_t)(i / 64 * 16 + i % 16));
                for (int skip = 0; skip < i % 64 / 16; skip++) random_u32(&r);
                assert_int_equal(random_u32(&r), words[i - first]);
            }
        }
}

static void test_vectorised_halves_equal_the_streams(void **state)
{
    (void)state;
    enum { N = 1000, ROUNDED = 1024 };
    for (int64_t first = 0; first <= 192; first += 64) {
        uint16_t halves[ROUNDED];
        random_halves(SEED, RANDOM_BACKGROUND, 5, 0x123456789abcull, first, N, halves);
        for (int64_t i = first; i < first + N; i++) {
            rv_random r = random_stream(SEED, RANDOM_BACKGROUND, 5, 0x123456789abcull);
            random_seek(&r, (uint32_t)(i / 64 * 8 + i % 16 / 2));
            for (int skip = 0; skip < i % 64 / 16; skip++) random_u32(&r);
            uint32_t word = random_u32(&r);
            assert_int_equal(i % 2 ? word >> 16 : word & 0xffff, halves[i - first]);
        }
    }
}

static void test_below_is_unbiased(void **state)
{
    (void)state;
    /* 3 2^30 is the worst case for 32 bits: without rejection one third would come twice as often */
    const uint64_t limits[] = { 1, 2, 3, 10, 1000003, 3ull << 30, UINT32_MAX, 1ull << 32, 3ull << 62 };
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        uint64_t  n = limits[k], bins = n < 12 ? n : 12;
        int64_t   count[12] = { 0 };
        rv_random r = stream(100 + k);
        for (int i = 0; i < DRAWS; i++) {
            uint64_t x = random_below(&r, n);
            assert_true(x < n);
            count[n < 12 ? x : (uint64_t)((double)x / ((double)n / 12))]++;
        }
        if (bins > 1) expect_uniform(count, (int)bins, "random_below");
    }
}

static void test_uniform_and_exponential(void **state)
{
    (void)state;
    rv_random r = stream(200);
    int64_t   uniform[BINS] = { 0 }, exponential[BINS] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        double x = random_uniform(&r), y = random_exponential(&r);
        assert_true(x > 0 && x < 1 && y > 0);
        uniform[(int)(x * BINS)]++;
        exponential[(int)(exp(-y) * BINS)]++;
    }
    expect_uniform(uniform, BINS, "random_uniform");
    expect_uniform(exponential, BINS, "random_exponential");
}

static void test_gsl_generator(void **state)
{
    (void)state;
    rv_random r = stream(300), twin = r;
    gsl_rng   rng = random_gsl(&r);
    assert_int_equal(gsl_rng_max(&rng), UINT32_MAX);
    assert_int_equal(gsl_rng_min(&rng), 0);
    for (int i = 0; i < 100; i++) assert_int_equal(gsl_rng_get(&rng), random_u32(&twin));
    int64_t count[BINS] = { 0 };
    for (int i = 0; i < DRAWS; i++) {
        double x = gsl_rng_uniform(&rng);
        assert_true(x >= 0 && x < 1);
        count[(int)(x * BINS)]++;
    }
    expect_uniform(count, BINS, "gsl_rng_uniform");
    gsl_rng *own = gsl_rng_alloc(rv_gsl_rng_type); /* as any other of GSL's */
    gsl_rng_set(own, 5);
    unsigned long first = gsl_rng_get(own);
    gsl_rng_set(own, 5);
    assert_int_equal(gsl_rng_get(own), first);
    gsl_rng_free(own);
}

static void test_streams_do_not_meet(void **state)
{
    (void)state;
    rv_random streams[] = { random_stream(1, RANDOM_USER, 0, 0), random_stream(2, RANDOM_USER, 0, 0),
                            random_stream(1, RANDOM_NOISE, 0, 0), random_stream(1, RANDOM_USER, 1, 0),
                            random_stream(1, RANDOM_USER, 0, 1), random_stream(1, RANDOM_USER, 0, 1ull << 40),
                            random_stream(1ull << 32 | 1, RANDOM_USER, 0, 0) };
    enum { N = sizeof streams / sizeof *streams };
    uint64_t first[N];
    for (int k = 0; k < N; k++) first[k] = (uint64_t)random_u32(&streams[k]) << 32 | random_u32(&streams[k]);
    for (int j = 0; j < N; j++)
        for (int k = 0; k < j; k++) assert_true(first[j] != first[k]);
}

int main(void)
{
    printf("seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_in_range),
        cmocka_unit_test(test_infinity_only_where_allowed),
        cmocka_unit_test(test_lists_element_by_element),
        cmocka_unit_test(test_recipes),
        cmocka_unit_test(test_distributions),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_functions_of_distance),
        cmocka_unit_test(test_copies_own_their_list),
        cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_vectorised_words_equal_the_streams),
        cmocka_unit_test(test_vectorised_halves_equal_the_streams),
        cmocka_unit_test(test_below_is_unbiased),
        cmocka_unit_test(test_uniform_and_exponential),
        cmocka_unit_test(test_gsl_generator),
        cmocka_unit_test(test_streams_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
