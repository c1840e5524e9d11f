/* Axes after the custom of the field: two lines, ticks outwards, no box, no grid. */
#include "viz/axes.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const canvas_pen  line = { .colour = AXIS_INK, .width = AXIS_LINE };
static const double      beyond = 1e300; /* doubled it is still finite */
static const double      tiny = 1e-290;  /* its steps are still normal numbers */

bool axis_usable(double value) { return fabs(value) < beyond; } /* false for NaN */

double axis_at(const axis *a, double value)
{
    return a->from + (value - a->low) / (a->high - a->low) * (a->to - a->from);
}

double axis_nice_step(double range, double most)
{
    double wanted = range / fmax(most, 1), power = pow(10, floor(log10(wanted)));
    static const double steps[] = { 1, 2, 5 };
    for (int i = 0; i < 3; i++)
        if (steps[i] * power >= wanted * (1 - 1e-9)) return steps[i] * power;
    return 10 * power;
}

void axis_open(double *low, double *high)
{
    if (!(*low <= *high)) *low = 0, *high = 1;
    double size = fmax(fabs(*low), fabs(*high));
    if (*high - *low > fmax(1e-9 * size, tiny)) return;
    double room = size > tiny ? 0.1 * size : 1;
    *low -= room;
    *high += room;
}

void axis_widen(double *low, double *high, double most)
{
    axis_open(low, high);
    double step = axis_nice_step(*high - *low, most);
    *low = step * floor(*low / step + 1e-9);
    *high = step * ceil(*high / step - 1e-9);
}

static double unit_of(const axis *a) { return a->unit > 0 ? a->unit : 1; }

/* The step between numbers, in data units. */
static double tick_step(const axis *a, double spacing)
{
    double most = fmin(fmax(fabs(a->to - a->from) / spacing, 1), AXIS_MAX_TICKS - 2);
    double step = axis_nice_step((a->high - a->low) / unit_of(a), most);
    return unit_of(a) * (a->whole ? fmax(step, 1) : step);
}

int axis_ticks(const axis *a, double spacing, double ticks[AXIS_MAX_TICKS])
{
    double step = tick_step(a, spacing), slack = 1e-6 * step;
    double first = ceil((a->low - slack) / step);
    int    n = 0;
    for (; n < AXIS_MAX_TICKS && (first + n) * step <= a->high + slack; n++) ticks[n] = (first + n) * step;
    return n;
}

/* ---------------------------------------------------------------------------------------------- numbers --- */

/* Numbers of 10^7 and more or below 10^-2 are written with a common power of ten, a multiple of three, that goes
 * into the label; unless they differ so little that all their digits are needed. */
static int common_power(const axis *a)
{
    double largest = fmax(fabs(a->low), fabs(a->high)) / unit_of(a);
    if (largest == 0 || (largest < 1e7 && largest >= 1e-2)) return 0;
    if (largest < 1e15 && (a->high - a->low) / unit_of(a) < 1e-4 * largest) return 0;
    return 3 * (int)floor(log10(largest) / 3 + 1e-9);
}

/* Thin spaces between thousands, from five digits on. @param digits is what printf wrote, without a sign */
static void group_thousands(char *result, size_t room, const char *digits)
{
    size_t whole = strcspn(digits, "."), n = 0;
    for (size_t i = 0; digits[i] && n + 4 < room; i++) {
        if (whole >= 5 && i > 0 && i < whole && (whole - i) % 3 == 0) n += (size_t)sprintf(result + n, "\u2009");
        result[n++] = digits[i];
    }
    result[n] = 0;
}

void axis_write_count(int64_t count, char text[AXIS_NUMBER_BYTES])
{
    char digits[32];
    snprintf(digits, sizeof digits, "%lld", (long long)count);
    group_thousands(text, AXIS_NUMBER_BYTES, digits);
}

static void write_number(const axis *a, double step, double value, char *text, size_t room)
{
    double scale = unit_of(a) * pow(10, common_power(a));
    int    decimals = (int)fmin(fmax(0, -floor(log10(step / scale) + 1e-9)), 9);
    char   digits[400], grouped[600]; /* %f of 1e300 is long, though such a number has its common power */
    snprintf(digits, sizeof digits, "%.*f", decimals, fabs(value / scale));
    group_thousands(grouped, sizeof grouped, digits);
    bool negative = value < 0 && strpbrk(digits, "123456789");
    snprintf(text, room, "%s%.60s", negative ? "\u2212" : "", grouped);
}

bool axis_has_unit(const char *unit_name) { return unit_name && unit_name[0] && strcmp(unit_name, "1") != 0; }

/* "time (ms)", "current (A) ×10⁻¹²" */
static void write_label(const axis *a, char *text, size_t room)
{
    static const char *raised[] = { "⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹" };
    bool               unit = axis_has_unit(a->unit_name);
    int                power = common_power(a);
    int n = snprintf(text, room, "%.150s%s%.40s%s", a->name ? a->name : "", unit ? " (" : "", unit ? a->unit_name : "",
                     unit ? ")" : "");
    char digits[16];
    if (power == 0) return;
    n += snprintf(text + n, room - (size_t)n, " ×10%s", power < 0 ? "⁻" : "");
    snprintf(digits, sizeof digits, "%d", power < 0 ? -power : power);
    for (int i = 0; digits[i]; i++) n += snprintf(text + n, room - (size_t)n, "%s", raised[digits[i] - '0']);
}

/* ---------------------------------------------------------------------------------------------- drawing --- */

static const canvas_font numbers = { .size = AXIS_DIGIT, .colour = AXIS_INK };
static const canvas_font names = { .size = AXIS_LABEL, .colour = AXIS_INK, .align = CANVAS_CENTRE };

/* Numbers need room: first with a guess, then with the width of the widest of them. */
static double x_spacing(canvas *c, const axis *a)
{
    double ticks[AXIS_MAX_TICKS], spacing = 36;
    for (int round = 0; round < 3; round++) {
        double step = tick_step(a, spacing), widest = 0;
        int    n = axis_ticks(a, spacing, ticks);
        for (int i = 0; i < n; i++) {
            char text[AXIS_NUMBER_BYTES];
            write_number(a, step, ticks[i], text, sizeof text);
            widest = fmax(widest, canvas_text_width(c, numbers, text));
        }
        if (widest + 8 <= spacing) break;
        spacing = widest + 8;
    }
    return spacing;
}

static double y_spacing(const axis *a)
{
    double length = fabs(a->to - a->from);
    return length < 28 ? 9 : length < 60 ? 14 : 20;
}

void axis_draw_x(canvas *c, const axis *a, double y, bool labelled)
{
    double      ticks[AXIS_MAX_TICKS], spacing = x_spacing(c, a), step = tick_step(a, spacing);
    int         n = axis_ticks(a, spacing, ticks);
    char        text[256];
    canvas_font font = numbers;
    font.align = CANVAS_CENTRE;
    canvas_line(c, line, a->from, y, a->to, y);
    for (int i = 0; i < n; i++) {
        double x = axis_at(a, ticks[i]);
        canvas_line(c, line, x, y, x, y + AXIS_TICK);
        write_number(a, step, ticks[i], text, sizeof text);
        double half = canvas_text_width(c, font, text) / 2 + 1; /* long numbers stay on the page */
        canvas_text(c, font, fmin(fmax(x, half), canvas_width(c) - half), y + AXIS_TICK + 2 + 0.75 * AXIS_DIGIT, text);
    }
    if (!labelled) return;
    write_label(a, text, sizeof text);
    canvas_font name = names;
    name.longest = fabs(a->to - a->from) + 20;
    canvas_text(c, name, (a->from + a->to) / 2, y + AXIS_FOOT - 0.28 * AXIS_LABEL, text);
}

void axis_draw_y(canvas *c, const axis *a, double x, double label_x)
{
    double      ticks[AXIS_MAX_TICKS], step = tick_step(a, y_spacing(a));
    int         n = axis_ticks(a, y_spacing(a), ticks);
    char        text[256];
    canvas_font font = numbers;
    font.align = CANVAS_RIGHT;
    canvas_line(c, line, x, a->from, x, a->to);
    for (int i = 0; i < n; i++) {
        double y = axis_at(a, ticks[i]);
        canvas_line(c, line, x - AXIS_TICK, y, x, y);
        write_number(a, step, ticks[i], text, sizeof text);
        canvas_text(c, font, x - AXIS_TICK - 2, y + 0.36 * AXIS_DIGIT, text);
    }
    if (isnan(label_x)) return;
    write_label(a, text, sizeof text);
    canvas_font name = names;
    name.upwards = true;
    name.longest = fabs(a->to - a->from) + 9;
    axis unit = { .low = a->low, .high = a->high, .unit = a->unit, .name = a->unit_name };
    bool too_long = 0.8 * canvas_text_width(c, names, text) > name.longest;
    if (too_long && axis_has_unit(a->unit_name)) write_label(&unit, text, sizeof text);
    canvas_text(c, name, label_x, (a->from + a->to) / 2, text);
}

double axis_numbers_width(canvas *c, const axis *a)
{
    double ticks[AXIS_MAX_TICKS], step = tick_step(a, y_spacing(a)), widest = 0;
    int    n = axis_ticks(a, y_spacing(a), ticks);
    for (int i = 0; i < n; i++) {
        char text[AXIS_NUMBER_BYTES];
        write_number(a, step, ticks[i], text, sizeof text);
        widest = fmax(widest, canvas_text_width(c, numbers, text));
    }
    return AXIS_TICK + 2 + widest;
}

void axis_frame(canvas *c, axis_rect outer, axis *x, axis *y)
{
    y->from = canvas_snap(c, outer.y + fmax(outer.height - AXIS_FOOT, 4));
    y->to = outer.y + AXIS_DIGIT / 2;
    double left = fmax(AXIS_LABEL + 5 + axis_numbers_width(c, y), outer.inset);
    x->from = canvas_snap(c, outer.x + left);
    x->to = fmax(outer.x + outer.width - 7, x->from + 4);
    axis_draw_x(c, x, y->from, true);
    axis_draw_y(c, y, x->from, outer.x + 0.8 * AXIS_LABEL);
}

double axis_legend(canvas *c, double x, double baseline, uint32_t colour, const char *name, double longest)
{
    canvas_font font = { .size = AXIS_DIGIT, .colour = colour, .align = CANVAS_RIGHT, .longest = longest };
    if (!name || !name[0]) return baseline;
    canvas_text(c, font, x, baseline, name);
    return baseline + 1.3 * AXIS_DIGIT;
}
