/* A neuron model of your own, from which to start: leaky integrate-and-fire, inputs are jumps of V_m.
 *
 *   cc $(pkg-config --variable=plugin ranvier) my_lif.c -o my_lif.so
 *   ranvier models --plugin ./my_lif.so my_lif
 *   ranvier run --plugin ./my_lif.so model.lua        where model.lua has net:population("E", 100, "my_lif", { tau_m = 20 })
 *
 * The hooks and the order in which they are called: sim/model.h. */
#include "sim/plugin.h"

enum { TAU_M, E_L, V_TH, V_RESET, T_REF, N_PARAMS };
static const rv_field params[] = { /* name, unit, default, lowest, highest, meaning */
    [TAU_M] = { "tau_m", "ms", 10, 1e-3, 1e5, "membrane time constant" },
    [E_L] = { "E_L", "mV", -70, -1e4, 1e4, "leak (resting) potential" },
    [V_TH] = { "V_th", "mV", -55, -1e4, 1e4, "spike threshold" },
    [V_RESET] = { "V_reset", "mV", -70, -1e4, 1e4, "potential after a spike, below V_th" },
    [T_REF] = { "t_ref", "ms", 2, 0, 1e4, "refractory period; in grid timing rounded to steps" },
};

enum { V_M, REFRACTORY, N_STATES };
static const rv_field states[] = {
    [V_M] = { "V_m", "mV", -70, -1e4, 1e4, "membrane potential" },
    [REFRACTORY] = { "refractory", "steps", 0, 0, 1e9, "what is left of the refractory period" },
};

/* What is computed once for each neuron, or once for all if they are alike */
enum { RATE, DECAY, REST, THETA, RESET, HOLD, N_CONSTANTS };

static const char *check(const double *p) { return p[V_RESET] >= p[V_TH] ? "V_reset must be below V_th" : NULL; }

static void prepare(const double *p, double h, double *c) /* h: the resolution in ms */
{
    c[RATE] = h / p[TAU_M], c[DECAY] = exp(-c[RATE]);
    c[REST] = p[E_L], c[THETA] = p[V_TH], c[RESET] = p[V_RESET], c[HOLD] = p[T_REF] / h;
}

/* One step on the grid. Selections instead of branches: so the sweep over all neurons is vectorised. */
static inline bool step(const double *c, double *s, double current, double ex, double in)
{
    bool   refractory = s[REFRACTORY] > 0;
    double V = c[REST] + c[DECAY] * (s[V_M] - c[REST]) + (1 - c[DECAY]) * current + (ex + in); /* one pA lifts V_m by one mV */
    V = refractory ? s[V_M] : V;
    bool fired = V >= c[THETA];
    s[REFRACTORY] = fired ? rint(c[HOLD]) : refractory ? s[REFRACTORY] - 1 : 0;
    s[V_M] = fired ? c[RESET] : V;
    return fired;
}
RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)

/* The closed form between events: silent neurons cost nothing, and spikes have exact times. Leave out carry, crossing, receive
 * and fire where there is none; then the model is for grid timing. */
static void carry(const double *c, double *s, double current, double k)
{
    double held = smaller(s[REFRACTORY], k), end = c[REST] + current;
    s[REFRACTORY] -= held;
    s[V_M] = end + (s[V_M] - end) * exp(-c[RATE] * (k - held));
}

static double crossing(const double *c, const double *s, double current, double k, bool *found)
{
    (void)k;
    double end = c[REST] + current, way = c[THETA] - s[V_M];
    *found = end > c[THETA] || way <= 0;
    return *found ? s[REFRACTORY] + (way > 0 ? log1p(way / (end - c[THETA])) / c[RATE] : 0) : INFINITY;
}

static int receive(const double *c, double *s, double ex, double in)
{
    if (s[REFRACTORY] > 0) return 0;
    s[V_M] += ex + in;
    return s[V_M] >= c[THETA];
}

static void fire(const double *c, double *s) { s[V_M] = c[RESET], s[REFRACTORY] = c[HOLD]; }

static const rv_model my_lif = {
    .table = { .kind = RV_NEURONS, .name = "my_lif", .summary = "a leaky integrate-and-fire neuron of my own",
               .equations = "tau_m dV_m/dt = E_L - V_m + I;  a spike of weight w adds w (mV) to V_m\n"
                            "V_m >= V_th:  spike; V_m = V_reset for t_ref",
               .reference = "Stein 1965, doi:10.1016/S0006-3495(65)86709-1",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .check = check, .prepare = prepare, .sweep = sweep, .step = step, .carry = carry,
    .crossing = crossing, .receive = receive, .fire = fire,
};

RV_PLUGIN(RV_LIST(&my_lif), RV_LIST())
