#include "neurons/integrate.h"
#include "sim/model.h"

enum { A, B, C, D, V_TH, V_MIN, I_E, CONSISTENT, N_PARAMS };
static const rv_field params[] = {
    [A] = { "a", "1/ms", 0.02, -1e3, 1e3, "rate of the recovery variable; negative: it runs away (grid timing)" },
    [B] = { "b", "1/ms", 0.2, -1e3, 1e3, "sensitivity of U_m to V_m" },
    [C] = { "c", "mV", -65, -1e4, 1e4, "V_m after a spike, below V_th" },
    [D] = { "d", "mV/ms", 8, -1e4, 1e4, "added to U_m by a spike" },
    [V_TH] = { "V_th", "mV", 30, -1e4, 1e4, "spike cut-off" },
    [V_MIN] = { "V_min", "mV", -INFINITY, -INFINITY, 1e4, "lowest V_m" },
    [I_E] = { "I_e", "mV/ms", 0, -1e6, 1e6, "constant input (pA in NEST; one unit is 1 mV/ms)" },
    [CONSISTENT] = { "consistent_integration", "1", 1, 0, 1, "grid timing: 1: forward Euler, input is a jump of V_m; "
                                                             "0: as published: two half steps of V_m, input is a current of one step" },
};

enum { V_M, U_M, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -65, -1e6, 1e6, "membrane potential" },
    [U_M] = { "U_m", "mV/ms", -13, -1e6, 1e6, "recovery variable" },
};

enum { K_A, K_B, K_C, K_D, THETA, FLOOR, DC, STEP, EULER, N_CONSTANTS };

static const char *check(const double *p)
{
    if (p[C] >= p[V_TH]) return "c must be below V_th";
    return p[V_MIN] > p[C] ? "V_min must not be above c" : NULL;
}

static const char *no_closed_form(const double *p)
{
    if (p[A] < 0) return "a below 0 lets U_m run away; allowed is grid timing";
    return p[V_MIN] > -INFINITY ? "a lower bound V_min is not defined between events" : NULL;
}

static void prepare(const double *p, double h, double *c)
{
    c[K_A] = p[A], c[K_B] = p[B], c[K_C] = p[C], c[K_D] = p[D], c[THETA] = p[V_TH], c[FLOOR] = p[V_MIN];
    c[DC] = p[I_E], c[STEP] = h, c[EULER] = p[CONSISTENT] != 0;
}

static inline double slope_V(double V, double U, double I) { return 0.04 * V * V + 5 * V + 140 - U + I; }

static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    double h = c[STEP], V = s[V_M], U = s[U_M], I = c[DC] + current, input = ex + in;
    double V_euler = V + h * slope_V(V, U, I) + input, U_euler = U + h * c[K_A] * (c[K_B] * V - U);
    double V_half = V + 0.5 * h * slope_V(V, U, I + input);
    double V_published = V_half + 0.5 * h * slope_V(V_half, U, I + input);
    double U_published = U + h * c[K_A] * (c[K_B] * V_published - U);
    bool   euler = c[EULER] != 0;
    V = euler ? V_euler : V_published, U = euler ? U_euler : U_published;
    V = V < c[FLOOR] ? c[FLOOR] : V;
    bool fired = V >= c[THETA];
    s[V_M] = fired ? c[K_C] : V;
    s[U_M] = fired ? U + c[K_D] : U;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

static void slope(const flow *f, const double *y, double *dydt)
{
    dydt[V_M] = slope_V(y[V_M], y[U_M], f->c[DC] + f->current);
    dydt[U_M] = f->c[K_A] * (f->c[K_B] * y[V_M] - y[U_M]);
}

static double above(const flow *f, const double *y) { return y[V_M] - f->c[THETA]; }

static bool advance(const double *c, double *s, double current, double k, double *when, void *work)
{
    flow   f = { .n = N_STATES, .slope = slope, .above = above, .c = c, .current = current };
    double elapsed;
    bool   spikes = integrate(&f, s, k * c[STEP], &elapsed, work);
    *when = spikes ? elapsed / c[STEP] : k;
    return spikes;
}

static void *open_work(void) { return integrate_open(N_STATES); }

/* Where the flow is faster than time resolves: from anywhere below, V_m is back here within 2.5e-9 ms. */
static const double lowest = -1e10; /* mV */

static int receive(const double *c, double *s, double ex, double in)
{
    s[V_M] = larger(lowest, s[V_M] + ex + in);
    return s[V_M] >= c[THETA];
}

static void fire(const double *c, double *s) { s[V_M] = c[K_C], s[U_M] += c[K_D]; }

const rv_model rv_model_izhikevich = {
    .table = { .kind = RV_NEURONS, .name = "izhikevich", .summary = "two-variable spiking neuron with many firing patterns",
               .equations = "dV_m/dt = 0.04 V_m^2 + 5 V_m + 140 - U_m + I_e + I;  a spike of weight w adds w (mV) to V_m\n"
                            "dU_m/dt = a (b V_m - U_m)\n"
                            "V_m >= V_th:  spike; V_m = c, U_m = U_m + d",
               .reference = "Izhikevich 2003, doi:10.1109/TNN.2003.820440; the model of this name in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .no_closed_form = no_closed_form, .prepare = prepare, .sweep = sweep,
    .step = step, .advance = advance, .open_work = open_work, .close_work = integrate_close, .receive = receive, .fire = fire,
};
