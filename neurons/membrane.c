#include "neurons/membrane.h"

#include <math.h>

#include "sim/vector.h"

/* int_0^t exp(-rate_m (t - u)) exp(-rate_x u) du, written so that neither equal rates nor large t lose digits */
double membrane_response_I(double rate_m, double rate_x, double t)
{
    double slow = smaller(rate_m, rate_x), gap = fabs(rate_m - rate_x);
    double grown = gap * t < 1e-300 ? t : -expm1(-gap * t) / gap;
    return exp(-slow * t) * grown;
}

/* int_0^1 u exp(-x u) du by its series, for |x| < 1/2 */
static double first_moment(double x)
{
    double sum = 0, term = 1;
    for (int n = 0; n < 16; n++) {
        sum += term / (n + 2);
        term *= -x / (n + 1);
    }
    return sum;
}

/* int_0^t exp(-rate_m (t - u)) u exp(-rate_x u) du */
double membrane_response_dI(double rate_m, double rate_x, double t)
{
    double gap = rate_x - rate_m, x = gap * t;
    if (fabs(x) < 0.5) return exp(-rate_m * t) * t * t * first_moment(x);
    return (exp(-rate_m * t) - exp(-rate_x * t) * (1 + x)) / (gap * gap);
}

/* The response to unit I from decays that are known already. Their difference loses digits as the rates approach each
 * other, but never more than 1e-16 / gap of unit response; below that the stable formula takes over. */
static double response_from_decays(double rate_m, double rate_x, double decay_m, double decay_x, double t)
{
    double gap = rate_x - rate_m;
    return fabs(gap) > 1e-3 ? (decay_m - decay_x) / gap : membrane_response_I(rate_m, rate_x, t);
}

/* One current's part of V at t; a current of zero costs nothing. */
static double contribution(const membrane *m, const membrane_current *c, double decay_m, double decay_x, double t)
{
    double sum = c->I * response_from_decays(m->rate, c->rate, decay_m, decay_x, t);
    return m->gain * (c->dI == 0 ? sum : sum + c->dI * membrane_response_dI(m->rate, c->rate, t));
}

static bool is_silent(const membrane_current *c) { return c->I == 0 && c->dI == 0; }

double membrane_V(const membrane *m, double t)
{
    double decay = exp(-m->rate * t), V = m->E + (m->V - m->E) * decay;
    for (int x = 0; x < m->n; x++)
        if (!is_silent(&m->current[x])) V += contribution(m, &m->current[x], decay, exp(-m->current[x].rate * t), t);
    return V;
}

static void decay(membrane_current *c, double t, double factor)
{
    c->I = (c->I + c->dI * t) * factor;
    c->dI *= factor;
}

static void carry_freely(membrane *m, double t)
{
    double decay_m = exp(-m->rate * t), V = m->E + (m->V - m->E) * decay_m;
    for (int x = 0; x < m->n; x++) {
        membrane_current *c = &m->current[x];
        if (is_silent(c)) continue;
        double decay_x = exp(-c->rate * t);
        V += contribution(m, c, decay_m, decay_x, t);
        decay(c, t, decay_x);
    }
    m->V = V;
}

static void decay_all(membrane *m, double t)
{
    for (int x = 0; x < m->n; x++)
        if (!is_silent(&m->current[x])) decay(&m->current[x], t, exp(-m->current[x].rate * t));
}

void membrane_carry(membrane *m, double *refractory, double t)
{
    double held = smaller(*refractory, t);
    if (held > 0) decay_all(m, held);
    *refractory -= held;
    if (t > held) carry_freely(m, t - held);
}

static double current_at(const membrane_current *c, double t)
{
    return t == 0 ? c->I : (c->I + c->dI * t) * exp(-c->rate * t);
}

/* The largest value of a current in [from, from + length]: at an end, or where its slope vanishes. */
static double current_sup(const membrane_current *c, double from, double length)
{
    double at_end = isinf(length) ? 0 : current_at(c, from + length);
    double sup = larger(current_at(c, from), at_end);
    if (c->dI > 0) {
        double peak = 1 / c->rate - c->I / c->dI;
        if (peak > from && peak < from + length) sup = larger(sup, current_at(c, peak));
    }
    return sup;
}

static double drive_sup(const membrane *m, double from, double length)
{
    double sum = 0;
    for (int x = 0; x < m->n; x++)
        if (!is_silent(&m->current[x])) sum += current_sup(&m->current[x], from, length);
    return m->E + m->gain / m->rate * sum;
}

/* Time in which a constant drive D > V_th lifts V to V_th. */
static double rise_time(double V, double V_th, double D, double rate) { return log1p((V_th - V) / (D - V_th)) / rate; }

/* A time before which D cannot do it, without a logarithm: V rises fastest at the beginning. */
static double least_rise_time(double V, double V_th, double D, double rate) { return (V_th - V) / (rate * (D - V)); }

static double cross_freely(const membrane *m, double V_th, double t_end, bool *found)
{
    *found = false;
    double t = 0, V = m->V;
    for (int iteration = 0; iteration < 1000 && V < V_th; iteration++) {
        double D = drive_sup(m, t, INFINITY);
        if (D <= V_th) return INFINITY;
        double least = least_rise_time(V, V_th, D, m->rate);
        if (t + least > t_end) return t + least;
        double safe = rise_time(V, V_th, D, m->rate);
        if (m->n > 0) { /* a second look with the drive of a short stretch only: quadratic near the crossing */
            double stretch = 4 * safe, D_stretch = drive_sup(m, t, stretch);
            double longer = D_stretch > V_th ? rise_time(V, V_th, D_stretch, m->rate) : INFINITY;
            safe = larger(safe, smaller(stretch, longer));
        }
        if (t + safe == t) break; /* as close as floating point goes */
        t += safe;
        if (t > t_end) return t;
        if (m->n == 0) break; /* constant drive: the rise time is the solution */
        V = membrane_V(m, t);
    }
    *found = true;
    return t;
}

void membrane_decaying_threshold(membrane *m, double theta, double rate)
{
    m->V -= theta;
    m->current[m->n++] = (membrane_current){ .I = (rate - m->rate) * theta / m->gain, .rate = rate };
}

double membrane_crossing(const membrane *m, double refractory, double V_th, double t_end, bool *found)
{
    if (refractory <= 0) return cross_freely(m, V_th, t_end, found);
    membrane after = *m;
    decay_all(&after, refractory);
    return refractory + cross_freely(&after, V_th, t_end - refractory, found);
}
