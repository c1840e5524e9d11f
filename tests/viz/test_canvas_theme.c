/* The two themes of the canvas: which colours a dark page has, and that a canvas can be used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "viz/canvas.h"

__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libfontconfig\n"; }

enum { SIDE = 40, DARK_PAPER = 0x14171c, DARK_INK = 0xd8dce2 };

/* As in viz/raster.c. */
static const uint32_t populations[] = { 0x0072b2, 0x56b4e9, 0x009e73, 0x332288, 0x44aa99, 0x117733,
                                        0xd55e00, 0xe69f00, 0xcc79a7, 0x882255, 0xaa4499, 0x999933 };
enum { N_POPULATIONS = sizeof populations / sizeof *populations };

static canvas *new_canvas(bool dark)
{
    canvas *c;
    assert_int_equal(canvas_new(SIDE, SIDE, 1, &c, NULL), RV_OK);
    canvas_dark(c, dark);
    return c;
}

static uint32_t pixel(canvas *c, int x, int y)
{
    int             width, height, stride;
    const uint32_t *pixels = canvas_pixels(c, &width, &height, &stride);
    return pixels[y * stride + x] & 0xffffff;
}

/* Luminance and contrast of WCAG 2.1: 1 .. 21, readable from 4.5 on, large marks from 3 on. */
static double luminance(uint32_t rgb)
{
    static const double parts[] = { 0.0722, 0.7152, 0.2126 };
    double              sum = 0;
    for (int i = 0; i < 3; i++) {
        double s = (rgb >> 8 * i & 255) / 255.0;
        sum += parts[i] * (s <= 0.04045 ? s / 12.92 : pow((s + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static double contrast(uint32_t a, uint32_t b)
{
    double la = luminance(a) + 0.05, lb = luminance(b) + 0.05;
    return la > lb ? la / lb : lb / la;
}

static void ensure_near(uint32_t got, uint32_t expected)
{
    for (int shift = 0; shift < 24; shift += 8)
        if (fabs((double)(got >> shift & 255) - (double)(expected >> shift & 255)) > 1)
            fail_msg("colour %06x, expected %06x", got, expected);
}

static void greys_change_places(void **state)
{
    (void)state;
    canvas *c = new_canvas(true);
    ensure_near(canvas_colour(c, 0xffffff), DARK_PAPER);
    ensure_near(canvas_colour(c, 0x262626), DARK_INK);
    for (uint32_t grey = 0; grey < 255; grey++) {
        double lighter = luminance(canvas_colour(c, grey * 0x010101)),
               darker = luminance(canvas_colour(c, (grey + 1) * 0x010101));
        if (lighter < darker) fail_msg("grey %u is darker than grey %u", grey, grey + 1);
    }
    if (contrast(canvas_colour(c, 0x8c8c8c), DARK_PAPER) < 3) fail_msg("faint text cannot be read");
    canvas_free(c);
}

static void populations_can_be_seen_on_both_pages(void **state)
{
    (void)state;
    canvas *c = new_canvas(true);
    for (int i = 0; i < N_POPULATIONS; i++) {
        uint32_t dark = canvas_colour(c, populations[i]);
        double   got = contrast(dark, canvas_colour(c, 0xffffff));
        if (got < 4.5) fail_msg("%06x is %06x on a dark page: contrast %.2f, expected 4.5", populations[i], dark, got);
        assert_true(luminance(dark) > luminance(populations[i]));
        for (int k = 0; k < i; k++) assert_true(dark != canvas_colour(c, populations[k]));
    }
    canvas_free(c);
}

static void a_white_page_is_as_it_was(void **state)
{
    (void)state;
    canvas *c = new_canvas(false);
    for (int i = 0; i < N_POPULATIONS; i++) assert_int_equal(canvas_colour(c, populations[i]), populations[i]);
    assert_int_equal(pixel(c, 3, 3), 0xffffff);
    canvas_dark(c, true);
    ensure_near(pixel(c, 3, 3), DARK_PAPER);
    canvas_dark(c, false);
    canvas_rectangle(c, (canvas_pen){ .colour = populations[0] }, 0, 0, SIDE, SIDE, 0, true);
    assert_int_equal(pixel(c, 3, 3), populations[0]); /* not a remembered dark one */
    canvas_free(c);
}

static void a_cleared_canvas_is_new(void **state)
{
    (void)state;
    const uint32_t patch = 0x123456;
    canvas        *c = new_canvas(true);
    canvas_clip(c, 0, 0, 5, 5);
    canvas_text(c, (canvas_font){ .size = 8, .colour = 0x262626 }, 0, 5, "text");
    canvas_clear(c);
    for (int i = 0; i < SIDE; i++) ensure_near(pixel(c, i, i), DARK_PAPER);
    canvas_line(c, (canvas_pen){ .colour = 0x262626, .width = 4 }, 0, 20, SIDE, 20); /* beyond the clip */
    ensure_near(pixel(c, 30, 20), DARK_INK);
    canvas_patch(c, 10, 30, 5, 5, &patch, 1, 1);
    assert_int_equal(pixel(c, 12, 32), patch); /* as it was given */
    canvas_free(c);
}

static void rectangles_have_round_corners(void **state)
{
    (void)state;
    canvas    *c = new_canvas(false);
    canvas_pen pen = { .colour = 0xd55e00, .width = 2 };
    canvas_rectangle(c, pen, 4, 4, 20, 12, 4, true);
    assert_int_equal(pixel(c, 14, 10), 0xd55e00);
    assert_int_equal(pixel(c, 4, 10), 0xd55e00);
    assert_int_equal(pixel(c, 4, 4), 0xffffff);
    assert_int_equal(pixel(c, 23, 15), 0xffffff);
    canvas_clear(c);
    canvas_rectangle(c, pen, 4, 4, 20, 12, 0, true);
    assert_int_equal(pixel(c, 4, 4), 0xd55e00);
    assert_int_equal(pixel(c, 24, 4), 0xffffff);
    canvas_clear(c);
    canvas_rectangle(c, pen, 4, 4, 20, 12, 100, false); /* a radius that does not fit is made to */
    assert_int_equal(pixel(c, 14, 3), 0xd55e00);
    assert_int_equal(pixel(c, 14, 10), 0xffffff);
    assert_int_equal(pixel(c, 4, 4), 0xffffff);
    canvas_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greys_change_places),           cmocka_unit_test(populations_can_be_seen_on_both_pages),
        cmocka_unit_test(a_white_page_is_as_it_was),     cmocka_unit_test(a_cleared_canvas_is_new),
        cmocka_unit_test(rectangles_have_round_corners),
    };
    return cmocka_run_group_tests_name("canvas theme", tests, NULL, NULL);
}
