/* The exponential and the power of loops against the C library's in long double: over the whole range, at its ends, and the
 * same bits from vectors as from single calls. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "sim/exp.h"
#include "sim/random.h"
#include "sim/vector.h"

enum { STRIP = 1024 };

RV_VECTORISED static void exponentials(const double *restrict x, double *restrict y)
{
    for (int i = 0; i < STRIP; i++) y[i] = exponential(x[i]);
}

/* The distance from the true value in units of the last place of the result. */
static double ulps_off(double x, double y)
{
    long double expected = expl((long double)x);
    double      ulp = nextafter(y, INFINITY) - y;
    return (double)(fabsl((long double)y - expected) / (long double)ulp);
}

static double worst_between(double low, double high, int strips)
{
    rv_random stream = random_stream(1, RANDOM_NOISE, 0, (uint64_t)(high - low));
    double    x[STRIP], y[STRIP], worst = 0;
    for (int s = 0; s < strips; s++) {
        for (int i = 0; i < STRIP; i++) x[i] = low + (high - low) * random_uniform(&stream);
        exponentials(x, y);
        for (int i = 0; i < STRIP; i++) {
            double alone = exponential(x[i]), off = ulps_off(x[i], y[i]);
            if (memcmp(&alone, &y[i], sizeof alone) != 0) fail_msg("exp(%a): %a alone, %a in a vector", x[i], alone, y[i]);
            if (off > worst) worst = off;
        }
    }
    return worst;
}

static void test_within_one_ulp(void **state)
{
    (void)state;
    static const double range[][2] = { { -708.39, 709.78 }, { -40, 40 }, { -1, 1 }, { -1e-3, 1e-3 }, { -1e-300, 1e-300 } };
    for (size_t k = 0; k < sizeof range / sizeof *range; k++) {
        double worst = worst_between(range[k][0], range[k][1], 1000);
        print_message("exp from %g to %g: %.3f ulp\n", range[k][0], range[k][1], worst);
        if (!(worst < 1.1)) fail_msg("exp from %g to %g: expected within 1.1 ulp, got %g", range[k][0], range[k][1], worst);
    }
    double subnormal = worst_between(-745.1, -708.4, 200); /* rounded twice */
    if (!(subnormal <= 1)) fail_msg("subnormal results: expected within 1 ulp, got %g", subnormal);
}

static void test_ends(void **state)
{
    (void)state;
    static const struct { double x, y; } at[] = {
        { 0, 1 }, { -0.0, 1 }, { 709.8, INFINITY }, { 1e10, INFINITY }, { INFINITY, INFINITY }, { 1e300, INFINITY },
        { -745.2, 0 }, { -1e10, 0 }, { -INFINITY, 0 }, { 0x1p-1074, 1 },
    };
    for (size_t k = 0; k < sizeof at / sizeof *at; k++)
        if (exponential(at[k].x) != at[k].y) fail_msg("exp(%g): expected %g, got %g", at[k].x, at[k].y, exponential(at[k].x));
    assert_true(isnan(exponential(NAN)));
    assert_true(isfinite(exponential(709.782)));
    assert_true(exponential(-745.13) > 0);
}

RV_VECTORISED static void powers(const double *restrict x, double mu, double *restrict y)
{
    for (int i = 0; i < STRIP; i++) y[i] = power(x[i], mu);
}

/* The largest relative error of x^mu for x spread evenly in the logarithm, in units of 1e-16. */
static double worst_power(double low, double high, double mu, int strips)
{
    rv_random stream = random_stream(2, RANDOM_NOISE, 0, (uint64_t)(1e6 * mu));
    double    x[STRIP], y[STRIP], worst = 0;
    for (int s = 0; s < strips; s++) {
        for (int i = 0; i < STRIP; i++) x[i] = exp(log(low) + (log(high) - log(low)) * random_uniform(&stream));
        powers(x, mu, y);
        for (int i = 0; i < STRIP; i++) {
            double alone = power(x[i], mu), off = (double)fabsl((long double)y[i] / powl((long double)x[i], (long double)mu) - 1) * 1e16;
            if (memcmp(&alone, &y[i], sizeof alone) != 0) fail_msg("(%a)^%g: %a alone, %a in a vector", x[i], mu, alone, y[i]);
            if (off > worst) worst = off;
        }
    }
    return worst;
}

static void test_powers(void **state)
{
    (void)state;
    static const double range[][2] = { { 1e-3, 1e3 }, { 1e-300, 1e300 }, { 0.999, 1.001 }, { 0.5, 2 }, { 0x1p-1074, 0x1p-1020 } };
    static const double exponent[] = { 0, 1e-3, 0.02, 0.1, 0.4, 0.5, 1.0 / 3, 0.77, 1, 1.7, 2, 3, 5.5, 10 };
    for (size_t r = 0; r < sizeof range / sizeof *range; r++)
        for (size_t k = 0; k < sizeof exponent / sizeof *exponent; k++) {
            double mu = exponent[k], allowed = mu <= 1 ? 4 : 10;
            if (mu > 1 && range[r][0] < 1e-100) continue; /* infinite, or subnormal */
            double worst = worst_power(range[r][0], range[r][1], mu, 100);
            if (r < 2) print_message("x^%g, x from %g to %g: %.2fe-16\n", mu, range[r][0], range[r][1], worst);
            if (!(worst <= allowed)) fail_msg("x^%g, x from %g to %g: expected within %ge-16, got %.3ge-16", mu, range[r][0], range[r][1], allowed, worst);
        }
}

static void test_ends_of_powers(void **state)
{
    (void)state;
    static const struct { double x, mu, y; } at[] = {
        { 0, 0, 1 }, { 0, 0.4, 0 }, { 0, 10, 0 }, { 1, 0, 1 }, { 1, 0.4, 1 }, { 1, 10, 1 }, { 4, 0.5, 2 }, { 2, 10, 1024 }, { 1e300, 10, INFINITY }, { 1e-300, 10, 0 },
        { 0x1p-1074, 0, 1 }, { 0x1p-1074, 0.5, 0x1p-537 }, { 0x1p-1074, 1, 0x1p-1074 }, { 0x1p1023, 1, 0x1p1023 },
    };
    for (size_t k = 0; k < sizeof at / sizeof *at; k++)
        if (power(at[k].x, at[k].mu) != at[k].y) fail_msg("(%g)^%g: expected %a, got %a", at[k].x, at[k].mu, at[k].y, power(at[k].x, at[k].mu));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_within_one_ulp), cmocka_unit_test(test_ends), cmocka_unit_test(test_powers), cmocka_unit_test(test_ends_of_powers) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
