/* The exponential of the sweeps against the C library's in long double: over the whole range, at its ends, and the same
 * bits from vectors as from single calls. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "neurons/exp.h"
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_within_one_ulp), cmocka_unit_test(test_ends) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
