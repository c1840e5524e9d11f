#include <gsl/gsl_randist.h>

#include "neurons/escape.h"
#include "sim/exp.h"
#include "sim/model.h"

/* What NEST gives as lists has a number: q_sfa_1 ... q_sfa_3. Those not needed stay at q = 0. */
enum { N_SFA = 3, BLOCKS = 64 /* of random numbers for each spike */ };
#define SHORTEST_DEAD_TIME 1e-3 /* ms, in exact timing: there a neuron whose rate has no bound would never get on */

enum { TAU_M, C_M, DEAD_TIME, DEAD_RANDOM, DEAD_SHAPE, WITH_RESET, Q_SFA, TAU_SFA = Q_SFA + N_SFA, C_1 = TAU_SFA + N_SFA, C_2, C_3, I_E, N_PARAMS };
static const rv_field params[] = {
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [C_M] = { "C_m", "pF", 250, 1e-3, 1e6, "membrane capacitance" },
    [DEAD_TIME] = { "dead_time", "ms", 1, 0, 1e4, "no spike for so long; in grid timing rounded to steps, in exact timing 0.001 at least" },
    [DEAD_RANDOM] = { "dead_time_random", "1", 0, 0, 1, "1: the dead time is drawn after each spike, from a gamma distribution of that mean" },
    [DEAD_SHAPE] = { "dead_time_shape", "1", 1, 1e-3, 1e6, "shape of that distribution" },
    [WITH_RESET] = { "with_reset", "1", 1, 0, 1, "1: a spike sets V_m to 0" },
    [Q_SFA] = { "q_sfa_1", "mV", 0, -1e6, 1e6, "added to the first part of the adaptive threshold by a spike" },
    { "q_sfa_2", "mV", 0, -1e6, 1e6, "to the second" },
    { "q_sfa_3", "mV", 0, -1e6, 1e6, "to the third" },
    [TAU_SFA] = { "tau_sfa_1", "ms", 34, 1e-3, 1e6, "time constant of the first part of the adaptive threshold" },
    { "tau_sfa_2", "ms", 100, 1e-3, 1e6, "of the second" },
    { "tau_sfa_3", "ms", 1000, 1e-3, 1e6, "of the third" },
    [C_1] = { "c_1", "Hz/mV", 0, -1e9, 1e9, "linear part of the rate" },
    [C_2] = { "c_2", "Hz", 1.238, -1e9, 1e9, "exponential part of the rate" },
    [C_3] = { "c_3", "1/mV", 0.25, -1e6, 1e6, "its steepness" },
    [I_E] = { "I_e", "pA", 0, -1e9, 1e9, "constant input current" },
};

enum { V_M, SFA, E_SFA = SFA + N_SFA, LEFT, NEXT_DEAD, DRAWN, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", 0, -1e6, 1e6, "membrane potential, relative to rest" },
    [SFA] = { "sfa_1", "mV", 0, -1e9, 1e9, "first part of the adaptive threshold" },
    { "sfa_2", "mV", 0, -1e9, 1e9, "second" },
    { "sfa_3", "mV", 0, -1e9, 1e9, "third" },
    [E_SFA] = { "E_sfa", "mV", 0, -1e9, 1e9, "adaptive threshold: their sum" },
    [LEFT] = { "hazard_left", "1", 1, 0, 100, "hazard to be gone through until the next spike" },
    [NEXT_DEAD] = { "next_dead_time", "steps", 0, 0, 1e9, "after the next spike" },
    [DRAWN] = { "drawn", "1", 0, 0, 6e7, "spikes drawn so far" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the dead time" },
};

enum { P33, P30, DECAY_SFA, RATE_SFA = DECAY_SFA + N_SFA, ADD_SFA = RATE_SFA + N_SFA, RATE_M = ADD_SFA + N_SFA, DC, GAIN, KEEP, DEAD, SHAPE, LEAST_DEAD,
       LINEAR, FACTOR, STEEPNESS, N_CONSTANTS };

static void prepare(const double *p, double h, double *c)
{
    c[RATE_M] = h / p[TAU_M], c[P33] = exp(-c[RATE_M]), c[P30] = -expm1(-c[RATE_M]) * p[TAU_M] / p[C_M], c[GAIN] = p[TAU_M] / p[C_M];
    for (int k = 0; k < N_SFA; k++)
        c[RATE_SFA + k] = h / p[TAU_SFA + k], c[DECAY_SFA + k] = exp(-c[RATE_SFA + k]), c[ADD_SFA + k] = p[Q_SFA + k];
    c[DC] = p[I_E], c[KEEP] = p[WITH_RESET] == 0, c[DEAD] = p[DEAD_TIME] / h, c[SHAPE] = p[DEAD_RANDOM] != 0 ? p[DEAD_SHAPE] : 0, c[LEAST_DEAD] = 0;
    c[LINEAR] = p[C_1] / 1000 * h, c[FACTOR] = p[C_2] / 1000 * h, c[STEEPNESS] = p[C_3];
}

static void prepare_exact(const double *p, double h, double *c)
{
    (void)p;
    c[LEAST_DEAD] = SHORTEST_DEAD_TIME / h;
}

/* Expected spikes per step. @param e exp(c_3 V_eff) */
static inline double rate_at(const double *c, double V_eff, double e)
{
    double rate = c[LINEAR] * V_eff + c[FACTOR] * e;
    return larger(smaller(rate, ESCAPE_CERTAIN), 0);
}

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0;
    double V = c[P33] * s[V_M] + c[P30] * (c[DC] + current) + ex + in;
    for (int k = 0; k < N_SFA; k++) s[SFA + k] *= c[DECAY_SFA + k];
    double V_eff = V - (s[SFA] + s[SFA + 1] + s[SFA + 2]);
    s[LEFT] -= refractory ? 0 : rate_at(c, V_eff, exponential(c[STEEPNESS] * V_eff));
    bool fired = s[LEFT] <= 0;
    s[V_M] = fired && c[KEEP] == 0 ? 0 : V;
    s[REFRACTORY] = fired ? rint(s[NEXT_DEAD]) : refractory ? s[REFRACTORY] - 1 : 0;
    for (int k = 0; k < N_SFA; k++) s[SFA + k] += fired ? c[ADD_SFA + k] : 0;
    s[E_SFA] = s[SFA] + s[SFA + 1] + s[SFA + 2];
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void draw(const double *c, double *s, rv_random *random)
{
    random_seek(random, (uint32_t)s[DRAWN] * BLOCKS);
    s[DRAWN] += 1;
    s[LEFT] = random_exponential(random);
    gsl_rng rng = random_gsl(random);
    double  dead = c[SHAPE] > 0 ? gsl_ran_gamma(&rng, c[SHAPE], c[DEAD] / c[SHAPE]) : c[DEAD];
    s[NEXT_DEAD] = larger(dead, c[LEAST_DEAD]);
}

/* ---- exact timing ----------------------------------------------------------------------------------------------- */

typedef struct course { /* of V_m and the adaptive threshold over the next steps */
    const double *c, *s;
    double        V_end; /* steady state, mV */
} course;

static double V_at(const course *x, double t) { return x->V_end + (x->s[V_M] - x->V_end) * exp(-x->c[RATE_M] * t); }

static double hazard_at(const void *neuron, double t)
{
    const course *x = neuron;
    double        V_eff = V_at(x, t);
    for (int k = 0; k < N_SFA; k++)
        if (x->s[SFA + k] != 0) V_eff -= x->s[SFA + k] * exp(-x->c[RATE_SFA + k] * t);
    return rate_at(x->c, V_eff, exp(x->c[STEEPNESS] * V_eff));
}

static void carry_over(const course *x, double *s, double t)
{
    s[V_M] = V_at(x, t);
    for (int k = 0; k < N_SFA; k++) s[SFA + k] *= exp(-x->c[RATE_SFA + k] * t);
    s[E_SFA] = s[SFA] + s[SFA + 1] + s[SFA + 2];
    s[REFRACTORY] = larger(0, s[REFRACTORY] - t);
}

static bool advance(const double *c, double *s, double current, double k, double *when, void *work)
{
    (void)work;
    course now = { c, s, c[GAIN] * (c[DC] + current) };
    double dead = smaller(s[REFRACTORY], k);
    if (dead > 0) carry_over(&now, s, dead);
    *when = k;
    if (dead >= k) return false;
    bool fires = escape(hazard_at, &now, k - dead, &s[LEFT], when);
    carry_over(&now, s, *when);
    *when += dead;
    return fires;
}

static int receive(const double *c, double *s, double ex, double in)
{
    (void)c;
    s[V_M] += ex + in;
    return 0;
}

static void fire(const double *c, double *s)
{
    for (int k = 0; k < N_SFA; k++) s[SFA + k] += c[ADD_SFA + k];
    s[E_SFA] = s[SFA] + s[SFA + 1] + s[SFA + 2];
    s[V_M] = c[KEEP] == 0 ? 0 : s[V_M], s[REFRACTORY] = s[NEXT_DEAD];
}

const rv_model rv_model_pp_psc_delta = {
    .table = { .kind = RV_NEURONS, .name = "pp_psc_delta",
               .summary = "point process neuron: leaky integrator with escape noise (spike response model, generalised linear model)",
               .equations = "tau_m dV_m/dt = -V_m + (tau_m / C_m) (I_e + I);  a spike of weight w adds w (mV) to V_m\n"
                            "fires at random, with the rate max(0, c_1 V' + c_2 exp(c_3 V')),  V' = V_m - E_sfa,  E_sfa = sum_k sfa_k;\n"
                            "on the grid with probability 1 - exp(-rate h) at the end of a step, so once in a step at most\n"
                            "spike:  V_m = 0 if with_reset; sfa_k = sfa_k + q_sfa_k; no other spike for dead_time\n"
                            "dsfa_k/dt = -sfa_k / tau_sfa_k",
               .reference = "Jolivet et al. 2006, doi:10.1007/s10827-006-7074-5; Gerstner et al. 2014, Neuronal Dynamics, chapter 9, "
                            "doi:10.1017/CBO9781107447615; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .prepare = prepare, .prepare_exact = prepare_exact, .sweep = sweep, .step = step, .draw = draw,
    .advance = advance, .receive = receive, .fire = fire,
};
