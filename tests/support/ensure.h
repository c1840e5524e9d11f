/* Checks of tests that have no network to ask what went wrong (tests/support/reference.h has those that do); cmocka comes first. */
#ifndef RV_TESTS_ENSURE_H
#define RV_TESTS_ENSURE_H

#include <math.h>

#define ENSURE_OK(call) assert_int_equal(call, RV_OK)

/** Prints what was expected, what came, and the unit. */
#define ENSURE_NEAR(got, expected, tolerance, unit)                                                                    \
    do {                                                                                                               \
        double got_ = (got), expected_ = (expected);                                                                   \
        if (!(fabs(got_ - expected_) <= (tolerance)))                                                                  \
            fail_msg("%s = %.10g %s, expected %.10g +- %g", #got, got_, unit, expected_, (double)(tolerance));         \
    } while (0)

/** For a suite that draws: fontconfig hides pointers from the leak checker in its cache of patterns, about 1 kB in all,
 *  however many figures; Xlib forgets the name of the input method, 18 bytes, with every display that is opened. */
#define DRAWING_LEAKS                                                                                                  \
    __attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\nleak:libX11\n"; }

#endif
