#include "tests/support/integrated_twin.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_odeiv2.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef enum family { IAF, AEIF, HH, TRAUB } family;
enum { V, W, M = 1, H, N, G, DG = G + 2, N_Y = DG + 2 }; /* G, DG: excitatory, inhibitory */

typedef struct neuron {
    family family;
    bool   conductances, alpha; /* alpha or beta: a weight goes to DG */
    double V_th, V_reset, t_ref, C_m, g_L, E_L, E[2], I_e, rise[2], decay[2], V_peak, Delta_T, a, b, tau_w;
    double g_Na, g_K, E_Na, E_K, V_T;
    bool   held;
} neuron;

static double number(rv_net *net, rv_population p, const char *name)
{
    double   x = NAN;
    rv_table table;
    rv_table_find(RV_NEURONS, rv_population_model(net, p), &table);
    for (int k = 0; k < table.n_params; k++)
        if (strcmp(table.params[k].name, name) == 0) rv_get(net, (rv_slice){ p, 0, 1, 1 }, name, &x);
    for (int k = 0; k < table.n_states; k++)
        if (strcmp(table.states[k].name, name) == 0) rv_get(net, (rv_slice){ p, 0, 1, 1 }, name, &x);
    return x;
}

static neuron read_neuron(rv_net *net, rv_population p, double *y)
{
    const char *model = rv_population_model(net, p);
    neuron      n = { .family = strncmp(model, "iaf", 3) == 0 ? IAF : strncmp(model, "aeif", 4) == 0 ? AEIF : strstr(model, "traub") ? TRAUB : HH,
                      .conductances = strstr(model, "cond"), .alpha = strstr(model, "alpha") || strstr(model, "beta") };
#define READ(name) n.name = number(net, p, #name)
    READ(V_th), READ(V_reset), READ(t_ref), READ(C_m), READ(g_L), READ(E_L), READ(I_e), READ(V_peak), READ(Delta_T), READ(a), READ(b),
        READ(tau_w), READ(g_Na), READ(g_K), READ(E_Na), READ(E_K), READ(V_T);
#undef READ
    n.E[0] = number(net, p, "E_ex"), n.E[1] = number(net, p, "E_in");
    bool beta = strstr(model, "beta");
    n.rise[0] = number(net, p, beta ? "tau_rise_ex" : "tau_syn_ex"), n.rise[1] = number(net, p, beta ? "tau_rise_in" : "tau_syn_in");
    n.decay[0] = number(net, p, beta ? "tau_decay_ex" : "tau_syn_ex"), n.decay[1] = number(net, p, beta ? "tau_decay_in" : "tau_syn_in");
    if (n.family == AEIF && n.Delta_T == 0) n.V_peak = n.V_th;
    y[V] = number(net, p, "V_m");
    if (n.family >= HH) y[M] = number(net, p, "Act_m"), y[H] = number(net, p, "Inact_h"), y[N] = number(net, p, "Act_n");
    return n;
}

static void channels(const neuron *n, const double *y, double *dy)
{
    double v = y[V], am, bm, ah, bh, an, bn;
    if (n->family == HH) {
        an = 0.01 * (v + 55) / (1 - exp(-(v + 55) / 10)), bn = 0.125 * exp(-(v + 65) / 80);
        am = 0.1 * (v + 40) / (1 - exp(-(v + 40) / 10)), bm = 4 * exp(-(v + 65) / 18);
        ah = 0.07 * exp(-(v + 65) / 20), bh = 1 / (1 + exp(-(v + 35) / 10));
    } else {
        v -= n->V_T;
        an = 0.032 * (15 - v) / (exp((15 - v) / 5) - 1), bn = 0.5 * exp((10 - v) / 40);
        am = 0.32 * (13 - v) / (exp((13 - v) / 4) - 1), bm = 0.28 * (v - 40) / (exp((v - 40) / 5) - 1);
        ah = 0.128 * exp((17 - v) / 18), bh = 4 / (1 + exp((40 - v) / 5));
    }
    dy[M] = am * (1 - y[M]) - bm * y[M];
    dy[H] = ah * (1 - y[H]) - bh * y[H];
    dy[N] = an * (1 - y[N]) - bn * y[N];
}

static int equations(double t, const double *y, double *dy, void *parameters)
{
    (void)t;
    const neuron *n = parameters;
    double        v = y[V], I;
    if (n->family == IAF) v = fmin(v, n->V_th);
    if (n->family == AEIF && n->Delta_T > 0) v = fmin(v, n->V_peak);
    if (n->held) v = n->V_reset;
    memset(dy, 0, N_Y * sizeof *dy);
    I = n->I_e - n->g_L * (v - n->E_L);
    for (int k = 0; k < 2; k++) {
        if (n->conductances) I -= y[G + k] * (v - n->E[k]);
        else I += k == 1 && n->family == AEIF ? -y[G + k] : y[G + k];
        dy[G + k] = y[DG + k] - y[G + k] / n->rise[k];
        dy[DG + k] = -y[DG + k] / n->decay[k];
    }
    if (n->family == AEIF) {
        I -= y[W];
        if (n->Delta_T > 0) I += n->g_L * n->Delta_T * exp((v - n->V_th) / n->Delta_T);
        dy[W] = (n->a * (v - n->E_L) - y[W]) / n->tau_w;
    }
    if (n->family >= HH) {
        I -= n->g_Na * pow(y[M], 3) * y[H] * (v - n->E_Na) + n->g_K * pow(y[N], 4) * (v - n->E_K);
        channels(n, y, dy);
    }
    dy[V] = n->held ? 0 : I / n->C_m;
    return GSL_SUCCESS;
}

static void pass(neuron *n, double *y, double length)
{
    gsl_odeiv2_system  system = { equations, NULL, N_Y, n };
    gsl_odeiv2_driver *driver = gsl_odeiv2_driver_alloc_y_new(&system, gsl_odeiv2_step_rk8pd, length / 4, 1e-12, 1e-12);
    double             t = 0;
    if (length > 0) gsl_odeiv2_driver_apply(driver, &t, length, y);
    gsl_odeiv2_driver_free(driver);
}

static double slope(neuron *n, const double *y)
{
    double dy[N_Y];
    equations(0, y, dy, n);
    return dy[V];
}

/* The spike condition between steps. */
static bool spikes(neuron *n, const double *y)
{
    if (n->held) return false;
    if (n->family < HH) return y[V] >= (n->family == IAF ? n->V_th : n->V_peak);
    return y[V] >= (n->family == HH ? 0 : n->V_T + 30) && slope(n, y) <= 0;
}

/* Over `length` ms or to a spike. @return ms passed */
static double pass_until_spike(neuron *n, double *y, double length, bool *found)
{
    const double slice = 0.02;
    *found = false;
    for (double t = 0; t < length; t += slice) {
        double from[N_Y], low = 0, high = fmin(slice, length - t);
        memcpy(from, y, sizeof from);
        pass(n, y, high);
        if (!spikes(n, y) || spikes(n, from)) continue;
        for (int i = 0; i < 45; i++) {
            double middle = (low + high) / 2;
            memcpy(y, from, sizeof from);
            pass(n, y, middle);
            *(spikes(n, y) ? &high : &low) = middle;
        }
        *found = true;
        return t + high;
    }
    return length;
}

/* What a unit of weight adds to DG, so that the peak in G is one: Roth & van Rossum 2010. */
static double unit_peak(const neuron *n, int k)
{
    double r = n->rise[k], d = n->decay[k], at = r * d / (d - r) * log(d / r);
    return r == d ? M_E / r : (1 / r - 1 / d) / (exp(-at / d) - exp(-at / r));
}

static void receive(const neuron *n, double *y, double weight, const double *unit)
{
    int    k = weight < 0;
    double w = n->family == HH ? weight : fabs(weight);
    if (n->alpha) y[DG + k] += w * unit[k];
    else y[G + k] += w;
}

static void reset(neuron *n, double *y)
{
    if (n->family < HH) y[V] = n->V_reset;
    if (n->family == AEIF) y[W] += n->b;
}

/* One step of the grid. */
static bool grid_step(neuron *n, double *y, double h, int *refractory)
{
    bool   found = false, was = *refractory > 0, held = was && n->family < HH;
    double before = y[V];
    n->held = held;
    if (n->family == AEIF && n->Delta_T > 0 && !was) {
        double t = pass_until_spike(n, y, h, &found);
        if (found) {
            reset(n, y);
            n->held = n->t_ref > 0;
            pass(n, y, h - t);
        }
    } else {
        pass(n, y, h);
        n->held = false;
        if (n->family < HH) found = !was && y[V] >= (n->family == IAF ? n->V_th : n->V_peak);
        else found = !was && y[V] >= (n->family == HH ? 0 : n->V_T + 30) && y[V] < before;
        if (found) reset(n, y);
    }
    if (found) *refractory = (int)rint(n->t_ref / h);
    else if (was) --*refractory;
    return found;
}

static void note_spike(integrated_twin *twin, double t)
{
    twin->spike = realloc(twin->spike, (size_t)(twin->n_spikes + 1) * sizeof(double));
    twin->spike[twin->n_spikes++] = t;
}

static int by_time(const void *a, const void *b)
{
    double x = ((const twin_arrival *)a)->time, y = ((const twin_arrival *)b)->time;
    return (x > y) - (x < y);
}

/* Exact timing, from one event to the next. */
static void go_to(neuron *n, double *y, double *now, double time, double *free_at, integrated_twin *twin)
{
    while (*now < time) {
        bool found = false, refractory = *free_at > *now;
        double until = refractory ? fmin(time, *free_at) : time;
        if (refractory && n->family < HH) {
            n->held = true;
            pass(n, y, until - *now);
            n->held = false;
            *now = until;
        } else if (refractory) {
            pass(n, y, until - *now);
            *now = until;
        } else {
            double passed = pass_until_spike(n, y, until - *now, &found);
            *now = found ? *now + passed : until;
        }
        if (!found) continue;
        note_spike(twin, *now);
        reset(n, y);
        *free_at = *now + n->t_ref;
    }
}

integrated_twin *integrated_twin_run(rv_net *net, rv_population population, const twin_arrival *given, int n_given, double duration)
{
    integrated_twin *twin = calloc(1, sizeof *twin);
    double           y[N_Y] = { 0 }, h = rv_resolution(net), now = 0, free_at = 0;
    neuron           n = read_neuron(net, population, y);
    double           unit[2] = { unit_peak(&n, 0), unit_peak(&n, 1) };
    int              refractory = 0, next = 0;
    twin_arrival    *a = malloc((size_t)n_given * sizeof *a + 1);
    memcpy(a, given, (size_t)n_given * sizeof *a);
    qsort(a, (size_t)n_given, sizeof *a, by_time);
    twin->n_samples = (int)rint(duration / h);
    twin->V = calloc((size_t)twin->n_samples, sizeof(double)), twin->slope = calloc((size_t)twin->n_samples, sizeof(double));
    for (int k = 0; k < twin->n_samples; k++) {
        double end = (k + 1) * h;
        if (rv_net_timing(net) == RV_EXACT) {
            for (; next < n_given && a[next].time <= end; next++) {
                go_to(&n, y, &now, a[next].time, &free_at, twin);
                receive(&n, y, a[next].weight, unit);
            }
            go_to(&n, y, &now, end, &free_at, twin);
        } else {
            if (grid_step(&n, y, h, &refractory)) note_spike(twin, end);
            for (; next < n_given && a[next].time < end + 1e-6; next++) receive(&n, y, a[next].weight, unit);
        }
        twin->V[k] = y[V];
        n.held = false;
        twin->slope[k] = slope(&n, y);
    }
    free(a);
    return twin;
}

void integrated_twin_free(integrated_twin *twin)
{
    free(twin->spike), free(twin->V), free(twin->slope), free(twin);
}
