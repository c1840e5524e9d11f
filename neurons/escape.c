#include "neurons/escape.h"

#include <math.h>

#include "sim/vector.h"

enum { MOST_HALVINGS = 20 };

typedef struct search {
    escape_hazard hazard;
    const void   *neuron;
} search;

/* Gauss and Legendre's rule with five points, Abramowitz & Stegun 25.4.29 */
static double integral(const search *s, double from, double to)
{
    static const double at[] = { 0, 0.538469310105683091, 0.906179845938663993 },
                        weight[] = { 0.568888888888888889, 0.478628670499366468, 0.236926885056189088 };
    double middle = (from + to) / 2, half = (to - from) / 2, sum = weight[0] * s->hazard(s->neuron, middle);
    for (int k = 1; k < 3; k++)
        sum += weight[k] * (s->hazard(s->neuron, middle - half * at[k]) + s->hazard(s->neuron, middle + half * at[k]));
    return sum * half;
}

/* Newton's method on the integral, kept between the ends: the hazard is its slope. */
static double locate(const search *s, double from, double to, double left)
{
    double low = from, high = to, t = from + (to - from) / 2;
    for (int k = 0; k < 100 && high - low > 1e-13 * (to - from); k++) {
        double off = integral(s, from, t) - left, next = t - off / s->hazard(s->neuron, t);
        if (off < 0) low = t;
        else high = t;
        if (fabs(next - t) < 1e-14 * (to - from)) break;
        t = next > low && next < high ? next : low + (high - low) / 2;
    }
    return t;
}

/* Halves agree with the whole, or are looked at one by one. */
static bool reach(const search *s, double from, double to, double whole, int halvings, double *left, double *when)
{
    double middle = (from + to) / 2, first = integral(s, from, middle), second = integral(s, middle, to), sum = first + second;
    if (fabs(sum - whole) > 1e-13 * larger(sum, 1e-3) && halvings < MOST_HALVINGS)
        return reach(s, from, middle, first, halvings + 1, left, when) || reach(s, middle, to, second, halvings + 1, left, when);
    bool here = first >= *left;
    if (sum < *left) {
        *left -= sum;
        return false;
    }
    *when = here ? locate(s, from, middle, *left) : locate(s, middle, to, *left - first);
    *left = 0;
    return true;
}

bool escape(escape_hazard hazard, const void *neuron, double length, double *left, double *when)
{
    search s = { hazard, neuron };
    *when = length;
    return reach(&s, 0, length, integral(&s, 0, length), 0, left, when);
}
