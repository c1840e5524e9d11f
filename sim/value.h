/* Values: numbers, lists, distributions and functions of distance (rv_value), checked, copied and drawn. */
#ifndef RV_SIM_VALUE_H
#define RV_SIM_VALUE_H

#include <gsl/gsl_rng.h>

#include "sim/ranvier.h"

/** Whether every number the value can give lies in low..high and its recipe makes sense (sd >= 0, low <= high, no NaN;
 *  an unbounded distribution or function of distance is legal here: what it gives is checked when drawn). Lists are
 *  checked element by element. Bounds (clip, redraw) hold for numbers and lists too, as a clip.
 *  @param what the object and field for the sentence, as in: population "E": tau_m
 *  @param unit printed behind the allowed range; "" or "1" for none */
rv_status value_check(const rv_value *value, double low, double high, const char *what, const char *unit,
                      rv_error *error);

/** Whether a number, or the numbers of a list, are whole; what will be drawn is not looked at. */
rv_status value_check_whole(const rv_value *value, const char *what, rv_error *error);

/** One number that is not from a list, within the value's bounds. @param rng NULL will do if it is not random
 *  @param distance of source and target, for functions of distance */
double value_draw(const rv_value *value, gsl_rng *rng, double distance);

/** x within the value's bounds, if it has any: what a number or an element of a list counts as. */
static inline double value_bounded(const rv_value *value, double x)
{
    if (value->bounds == RV_UNBOUNDED) return x;
    return x < value->low ? value->low : x > value->high ? value->high : x;
}

/** Whether the value is drawn at random, so that numbers cannot be taken from its fields. */
bool value_is_random(const rv_value *value);

/** Whether the value was left out: the null value. */
bool value_is_null(const rv_value *value);
bool value_needs_distance(const rv_value *value);

/** What stands for a function in a definition that was loaded from a checkpoint: functions are not in files. NAN. */
double value_lost_function(double distance, void *user);

/** An owned copy (its list is malloc'ed); freed by value_free(). */
rv_status value_copy(const rv_value *value, rv_value *copy, rv_error *error);
void      value_free(rv_value *value);

/** A number as sentences show it. @param text filled and returned */
const char *value_text(double x, char text[32]);
#define NUMBER_TEXT(x) value_text(x, (char[32]){ 0 })

/** The sentence for a number out of range: `<what> = <x> <unit>, allowed <low> to <high> <unit>`. Bounds of +-DBL_MAX
 *  read as: finite. */
rv_status value_out_of_range(const char *what, double x, const char *unit, double low, double high, rv_error *error);

#endif
