#include "neurons/dynamics.h"

#include <string.h>

/* Divisions are halves of halves, so that they meet the end of the stretch exactly; the finest is below 2^-14 ms. */
static int finest_of(double length)
{
    int exponent;
    frexp(length, &exponent);
    return exponent + 14 > 12 ? exponent + 14 : 12;
}

static void divide(stretch *s, double division)
{
    s->division = division;
    synapses_prepare_quarter(s->c, division / 4);
}

double dynamics_pass(stretch *s, double length, bool held, double stop)
{
    if (length <= 0) return 0;
    int     level = 0, finest = finest_of(length);
    int64_t at = 0, end = (int64_t)1 << finest;
    divide(s, length);
    while (at < end && s->x[0] < stop) {
        memcpy(s->before, s->x, sizeof s->x), s->y_before = s->y;
        double error = dynamics_step(s->m, s->c, s->division, s->current, held, s->x, &s->y);
        if (!dynamics_accurate(error, s->before[0], s->m->divided) && level < finest) {
            memcpy(s->x, s->before, sizeof s->x), s->y = s->y_before;
            divide(s, ldexp(length, -++level));
            continue;
        }
        at += end >> level;
        if (level > 0 && error < s->m->divided / 32 && at < end && at % (end >> (level - 1)) == 0) divide(s, ldexp(length, -(--level)));
    }
    return ldexp(length * (double)at, -finest);
}

/* V_m at the end of a shorter division than the last. */
static double at_end_of(stretch *s, double division)
{
    memcpy(s->x, s->before, sizeof s->x), s->y = s->y_before;
    divide(s, division);
    dynamics_step(s->m, s->c, division, s->current, false, s->x, &s->y);
    return s->x[0];
}

/* Regula falsi, in its Illinois form: the crossing stays between `low` and `high`. */
double dynamics_step_back(stretch *s, double stop)
{
    double whole = s->division, low = 0, high = whole, below = s->before[0] - stop, above = s->x[0] - stop, found = whole;
    for (int i = 0; i < 60 && above > 0 && high - low > 1e-14 * whole; i++) {
        found = low + (high - low) * larger(0, smaller(1, -below / (above - below)));
        double off = at_end_of(s, found) - stop;
        if (fabs(off) < 1e-10) break;
        if (off < 0) low = found, below = off, above *= 0.5;
        else high = found, above = off, below *= 0.5;
    }
    return whole - found;
}

stretch dynamics_stretch(const dynamics *m, const double *c, int n_constants, const double *s, double current)
{
    stretch made = { .m = m, .current = current, .y = synapses_load(m, s) };
    memcpy(made.c, c, (size_t)n_constants * sizeof *c);
    memcpy(made.x, s, (size_t)m->n * sizeof *s);
    synapses_limit(c, &made.y);
    return made;
}

/* The synapses go their way in four quarters, as in undivided steps: what they hold does not depend on divisions. */
void dynamics_finish(const stretch *s, const double *c, double *states, double ex, double in)
{
    synapses y = synapses_load(s->m, states);
    synapses_limit(c, &y);
    for (int k = 0; k < 4; k++) synapses_pass_quarter(s->m, c, &y);
    synapses_receive(s->m, c, &y, ex, in);
    memcpy(states, s->x, (size_t)s->m->n * sizeof *states);
    synapses_store(s->m, states, &y);
}

static void flow_of(const flow *f, const double *y, double *dydt)
{
    const dynamics *m = f->model;
    synapses        now = synapses_load(m, y), slope = { 0 };
    dynamics_slope(m, f->c, y, &now, f->current, f->held, dydt);
    for (int k = 0; k < 2; k++) {
        slope.x[k] = now.dx[k] - f->c[RISE_EX + k] * now.x[k];
        slope.dx[k] = -f->c[DECAY_EX + k] * now.dx[k];
    }
    synapses_store(m, dydt, &slope);
}

bool dynamics_advance(const dynamics *m, double (*above)(const flow *, const double *), const double *c, double *s,
                      double current, double k, double *when, void *work)
{
    flow     f = { .n = REFRACTORY_OF(m), .slope = flow_of, .above = above, .c = c, .current = current, .model = m };
    double  *refractory = &s[REFRACTORY_OF(m)], held = smaller(fabs(*refractory), k), elapsed = 0;
    synapses y = synapses_load(m, s);
    synapses_limit(c, &y);
    synapses_store(m, s, &y);
    if (held > 0) {
        f.silent = true, f.held = *refractory > 0;
        integrate(&f, s, held * c[STEP], &elapsed, work);
        *refractory -= copysign(held, *refractory);
        f.silent = f.held = false;
    }
    bool spikes = k > held && integrate(&f, s, (k - held) * c[STEP], &elapsed, work);
    *when = spikes ? held + elapsed / c[STEP] : k;
    return spikes;
}
