#include "sim/rule.h"

#include <math.h>

enum { U, TAU_REC, TAU_FAC, TAU_PSC, N_PARAMS };
static const rv_field params[] = {
    [U] = { "U", "1", 0.5, 0, 1, "part of what is available that a spike uses, at rest" },
    [TAU_REC] = { "tau_rec", "ms", 800, 1e-3, 1e9, "time constant of recovery from depression" },
    [TAU_FAC] = { "tau_fac", "ms", 0, 0, 1e9, "time constant of facilitation; 0: none" },
    [TAU_PSC] = { "tau_psc", "ms", 0, 0, 1e9, "how long what was used stays active before it recovers: tau_syn of the target; 0: no time (tsodyks2_synapse)" },
};

/* The traces are 0 at rest: what is not available, 1 - x; what is active; and the facilitation left by earlier spikes. */
enum { GONE, Y, UTILISATION, N_TRACES };
enum { X, STATE_Y, STATE_U, N_STATES };
static const rv_field states[] = {
    [X] = { "x", "1", 1, 0, 1, "part of the resources that is available" },
    [STATE_Y] = { "y", "1", 0, 0, 1, "part that is active; stays 0 if tau_psc is 0" },
    [STATE_U] = { "u", "1", 0, 0, 1, "utilisation left by earlier spikes; the next one adds U (1 - u) before it uses u x" },
};

enum { K_U, K_TAU_REC, K_TAU_FAC, K_TAU_PSC, N_CONSTANTS };

static void prepare(const double *p, double *c) { c[K_U] = p[U], c[K_TAU_REC] = p[TAU_REC], c[K_TAU_FAC] = p[TAU_FAC], c[K_TAU_PSC] = p[TAU_PSC]; }

static void bounds(const double *p, double *low, double *high) { (void)p, *low = -1e9, *high = 1e9; }

/* y decays into z, z into x; what y gives to x in this time. Where tau_psc = tau_rec the quotient has a limit. */
static double recovered(const double *c, double since, double y)
{
    double tau_psc = c[K_TAU_PSC], tau_rec = c[K_TAU_REC], Pyy = exp(-since / tau_psc), Pzz = exp(-since / tau_rec);
    if (fabs(tau_psc - tau_rec) < 1e-9 * tau_rec) return y * (1 - Pzz - since / tau_rec * Pzz);
    return y * ((Pzz - 1) * tau_rec - (Pyy - 1) * tau_psc) / (tau_psc - tau_rec);
}

static void decay(const double *c, double since, double *trace)
{
    double y = trace[Y], z = trace[GONE] - y;
    trace[GONE] -= (y > 0 ? recovered(c, since, y) : 0) - z * expm1(-since / c[K_TAU_REC]);
    trace[Y] = y > 0 ? y * exp(-since / c[K_TAU_PSC]) : 0;
    trace[UTILISATION] *= c[K_TAU_FAC] > 0 ? exp(-since / c[K_TAU_FAC]) : 0;
}

static double release(const double *c, double *trace)
{
    trace[UTILISATION] += c[K_U] * (1 - trace[UTILISATION]);
    double part = trace[UTILISATION] * (1 - trace[GONE]);
    trace[GONE] += part;
    if (c[K_TAU_PSC] > 0) trace[Y] += part;
    return part;
}

static double state(const double *c, int k, const double *trace, const double *own, double n)
{
    (void)c, (void)own, (void)n;
    return k == X ? 1 - trace[GONE] : k == STATE_Y ? trace[Y] : trace[UTILISATION];
}

const rv_rule rv_rule_tsodyks = {
    .table = { .kind = RV_LEARNING, .name = "tsodyks", .summary = "short-term depression and facilitation; the weights themselves stay",
               .equations = "dx/dt = z / tau_rec - u x at a spike,  dy/dt = -y / tau_psc + u x at a spike,  z = 1 - x - y\n"
                            "du/dt = -u / tau_fac + U (1 - u) at a spike, which then uses the new u\n"
                            "a spike delivers w u x;  at rest x = 1, y = u = 0;  tau_psc = 0: y = 0, dx/dt = (1 - x) / tau_rec (tsodyks2_synapse)\n"
                            "x, y, u are kept once for all synapses of a neuron with one delay, exact between spikes",
               .reference = "Tsodyks & Markram 1997, doi:10.1073/pnas.94.2.719; Tsodyks, Pawelzik & Markram 1998, doi:10.1162/089976698300017502; "
                            "with y: Tsodyks, Uziel & Markram 2000, doi:10.1523/JNEUROSCI.20-01-j0003.2000; tsodyks2_synapse, tsodyks_synapse in NEST",
               .params = params, .n_params = N_PARAMS, .states = states, .n_states = N_STATES },
    .n_constants = N_CONSTANTS, .n_source_traces = N_TRACES, .prepare = prepare, .bounds = bounds, .source_decay = decay, .release = release, .state = state,
};
