#include "sim/value.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <gsl/gsl_randist.h>

#include "sim/error.h"

enum { MAX_REDRAWS = 1000, WHAT_TEXT = 300 };

/* ---- sentences ------------------------------------------------------------------------------------------------- */

const char *value_text(double x, char text[32])
{
    snprintf(text, 32, "%.10g", x);
    return text;
}

/* "0.001 to 10000 ms" */
static const char *range_text(double low, double high, const char *unit, char text[100])
{
    const char *space = unit[0] ? " " : "";
    if (low <= -DBL_MAX && high >= DBL_MAX) snprintf(text, 100, isinf(low) ? "any number" : "any finite number");
    else if (high == DBL_MAX) snprintf(text, 100, "%s%s%s or more", NUMBER_TEXT(low), space, unit);
    else if (low == -DBL_MAX) snprintf(text, 100, "%s%s%s or less", NUMBER_TEXT(high), space, unit);
    else snprintf(text, 100, "%s to %s%s%s", NUMBER_TEXT(low), NUMBER_TEXT(high), space, unit);
    return text;
}

/* What says nothing behind a number is left out: "1", and "weight" (the model's unit). */
static const char *unit_text(const char *unit)
{
    return !unit || strcmp(unit, "1") == 0 || strcmp(unit, "weight") == 0 ? "" : unit;
}

rv_status value_out_of_range(const char *what, double x, const char *unit, double low, double high, rv_error *error)
{
    unit = unit_text(unit);
    return error_set(error, RV_OUT_OF_RANGE, "%s = %s%s%s, allowed %s", what, NUMBER_TEXT(x), unit[0] ? " " : "", unit,
                     range_text(low, high, unit, (char[100]){ 0 }));
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

static bool within(double x, double low, double high) { return x >= low && x <= high; } /* NaN is not */

static rv_status check_list(const rv_value *v, double low, double high, const char *what, const char *unit,
                            rv_error *error)
{
    if (v->n < 0 || (v->n > 0 && !v->list))
        return error_set(error, RV_WRONG_SHAPE, "%s: a list of %lld values without values", what, (long long)v->n);
    for (int64_t k = 0; k < v->n; k++) {
        if (within(value_bounded(v, v->list[k]), low, high)) continue;
        char element[WHAT_TEXT];
        snprintf(element, sizeof element, "%s[%lld]", what, (long long)k);
        return value_out_of_range(element, v->list[k], unit, low, high, error);
    }
    return RV_OK;
}

/* One field of a recipe, as in `population "E": tau_m: sd of a normal distribution = -1, allowed 0 or more` */
static rv_status check_recipe(double x, double low, const char *what, const char *field, rv_error *error)
{
    if (within(x, low, DBL_MAX)) return RV_OK;
    char text[WHAT_TEXT];
    snprintf(text, sizeof text, "%s: %s", what, field);
    return value_out_of_range(text, x, "", low, DBL_MAX, error);
}

static rv_status check_uniform(const rv_value *v, double low, double high, const char *what, const char *unit,
                               rv_error *error)
{
    TRY(check_recipe(v->a, -DBL_MAX, what, "low end of a uniform distribution", error));
    TRY(check_recipe(v->b, -DBL_MAX, what, "high end of a uniform distribution", error));
    if (v->a > v->b)
        return error_set(error, RV_OUT_OF_RANGE, "%s: uniform distribution from %s to %s, allowed is low to high", what,
                         NUMBER_TEXT(v->a), NUMBER_TEXT(v->b));
    if (v->bounds == RV_REDRAW) return RV_OK; /* what falls outside the bounds is not what it gives */
    double ends[2] = { value_bounded(v, v->a), value_bounded(v, v->b) };
    for (int k = 0; k < 2; k++)
        if (!within(ends[k], low, high)) return value_out_of_range(what, ends[k], unit, low, high, error);
    return RV_OK;
}

static rv_status check_bounds(const rv_value *v, double low, double high, const char *what, const char *unit,
                              rv_error *error)
{
    if (v->bounds == RV_UNBOUNDED) return RV_OK;
    if (!(v->low <= v->high))
        return error_set(error, RV_OUT_OF_RANGE, "%s: bounded by %s to %s, allowed is low to high", what,
                         NUMBER_TEXT(v->low), NUMBER_TEXT(v->high));
    if (v->low > high) return value_out_of_range(what, v->low, unit, low, high, error);
    if (v->high < low) return value_out_of_range(what, v->high, unit, low, high, error);
    return RV_OK;
}

rv_status value_check(const rv_value *v, double low, double high, const char *what, const char *unit, rv_error *error)
{
    TRY(check_bounds(v, low, high, what, unit, error));
    switch (v->kind) {
    case RV_UNSET: return error_set(error, RV_WRONG_SHAPE, "%s: no value is given", what);
    case RV_NUMBER:
        if (!within(value_bounded(v, v->a), low, high)) return value_out_of_range(what, v->a, unit, low, high, error);
        return RV_OK;
    case RV_LIST: return check_list(v, low, high, what, unit, error);
    case RV_UNIFORM: return check_uniform(v, low, high, what, unit, error);
    case RV_NORMAL:
        TRY(check_recipe(v->a, -DBL_MAX, what, "mean of a normal distribution", error));
        return check_recipe(v->b, 0, what, "sd of a normal distribution", error);
    case RV_LOGNORMAL:
        TRY(check_recipe(v->a, -DBL_MAX, what, "mu of a lognormal distribution", error));
        return check_recipe(v->b, 0, what, "sigma of a lognormal distribution", error);
    case RV_EXPONENTIAL: return check_recipe(v->a, -DBL_MAX, what, "mean of an exponential distribution", error);
    case RV_DISTANCE_LINEAR:
    case RV_DISTANCE_EXPONENTIAL:
    case RV_DISTANCE_GAUSSIAN:
        TRY(check_recipe(v->a, -DBL_MAX, what, "offset of a function of distance", error));
        TRY(check_recipe(v->b, -DBL_MAX, what, "factor of a function of distance", error));
        if (v->kind == RV_DISTANCE_LINEAR) return RV_OK;
        return check_recipe(v->c, DBL_MIN, what, "length of a function of distance", error);
    case RV_FUNCTION:
        return v->function ? RV_OK
                           : error_set(error, RV_WRONG_SHAPE, "%s: a function of distance without function", what);
    case RV_TEXT: return error_set(error, RV_WRONG_SHAPE, "%s takes numbers, not a text", what);
    }
    return error_set(error, RV_OUT_OF_RANGE, "%s: a value of kind %d, allowed 0 to %d", what, (int)v->kind,
                     RV_FUNCTION);
}

rv_status value_check_whole(const rv_value *v, const char *what, rv_error *error)
{
    double x = v->kind == RV_NUMBER ? v->a : 0;
    for (int64_t k = 0; v->kind == RV_LIST && k < v->n && x == rint(x); k++) x = v->list[k];
    if (x == rint(x)) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "%s = %s, allowed are whole numbers", what, NUMBER_TEXT(x));
}

/* ---- drawing --------------------------------------------------------------------------------------------------- */

bool value_is_random(const rv_value *v) { return v->kind >= RV_UNIFORM && v->kind <= RV_EXPONENTIAL; }
bool value_needs_distance(const rv_value *v) { return v->kind >= RV_DISTANCE_LINEAR && v->kind <= RV_FUNCTION; }

bool value_is_null(const rv_value *v) { return v->kind == RV_UNSET; }

static double draw_once(const rv_value *v, gsl_rng *rng, double d)
{
    switch (v->kind) {
    case RV_UNSET: return 0;
    case RV_NUMBER: return v->a;
    case RV_LIST: return NAN; /* the caller's: it knows which element */
    case RV_TEXT: return NAN;
    case RV_UNIFORM: return gsl_ran_flat(rng, v->a, v->b);
    case RV_NORMAL: return v->a + gsl_ran_gaussian_ziggurat(rng, v->b);
    case RV_LOGNORMAL: return exp(v->a + gsl_ran_gaussian_ziggurat(rng, v->b));
    case RV_EXPONENTIAL: return gsl_ran_exponential(rng, v->a);
    case RV_DISTANCE_LINEAR: return v->a + v->b * d;
    case RV_DISTANCE_EXPONENTIAL: return v->a + v->b * exp(-d / v->c);
    case RV_DISTANCE_GAUSSIAN: return v->a + v->b * exp(-d * d / (2 * v->c * v->c));
    case RV_FUNCTION: return v->function(d, v->user);
    }
    return NAN;
}

double value_draw(const rv_value *v, gsl_rng *rng, double distance)
{
    double x = draw_once(v, rng, distance);
    if (v->bounds == RV_REDRAW && value_is_random(v))
        for (int k = 0; k < MAX_REDRAWS && !within(x, v->low, v->high); k++) x = draw_once(v, rng, distance);
    return value_bounded(v, x);
}

double value_lost_function(double distance, void *user)
{
    (void)distance, (void)user;
    return NAN;
}

/* ---- ownership ------------------------------------------------------------------------------------------------- */

rv_status value_copy(const rv_value *value, rv_value *copy, rv_error *error)
{
    *copy = *value;
    if (value->kind != RV_LIST) {
        copy->list = NULL;
        return RV_OK;
    }
    size_t  bytes = (size_t)value->n * sizeof(double);
    double *list = malloc(bytes ? bytes : 1);
    copy->list = list;
    if (!list) return error_memory(error, "a list of values", (double)bytes);
    if (bytes) memcpy(list, value->list, bytes);
    return RV_OK;
}

void value_free(rv_value *value)
{
    if (value->kind == RV_LIST) free((double *)value->list);
    *value = (rv_value){ 0 };
}
