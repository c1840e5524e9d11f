/* The models against their closed forms: firing rate and first passage of the leaky integrate-and-fire neuron, the time
 * course of postsynaptic potentials, the response to a sinusoidal current, refractoriness, lower bounds. */
#include "tests/support/reference.h"

#include <complex.h>
#include <math.h>
#include <string.h>
#include <gsl/gsl_integration.h>

static const char *const models[] = { "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha" };
enum { N_MODELS = 3 };
#define TAU_M 10.0      /* ms */
#define C_M 250.0       /* pF */
#define R (TAU_M / C_M) /* mV per pA */

/* A leaky integrate-and-fire neuron at rest at 0 mV, threshold 15 mV, reset 5 mV, with a constant current. */
static rv_population add_lif(rv_net *net, const char *model, double t_ref, double I_e)
{
    rv_population neuron = reference_population(net, "neuron", 1, model);
    reference_set_all(net, neuron, "E_L", 0.0, "V_m", 0.0, "V_th", 15.0, "V_reset", 5.0, "tau_m", TAU_M, "C_m", C_M,
                      "t_ref", t_ref, "I_e", I_e, NULL);
    ENSURE_OK(net, rv_record_spikes(net, neuron));
    return neuron;
}

/* Time from `from` to `to` under a current. */
static double passage(double from, double to, double I_e) { return TAU_M * log((R * I_e - from) / (R * I_e - to)); }

/* ---- f-I curve -------------------------------------------------------------------------------------------------- */

/* On the grid the spike lies at the end of the step of the crossing, so each interval is rounded up to whole steps. */
static double on_grid(double t, double h) { return ceil(t / h) * h; }

static double check_intervals(const char *model, rv_timing timing, double t_ref, double I_e)
{
    const double  h = 0.1;
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population neuron = add_lif(net, model, t_ref, I_e);
    ENSURE_OK(net, rv_run(net, 500));
    reference_spikes s = reference_spikes_of(net, neuron);
    double           first = passage(0, 15, I_e), interval = passage(5, 15, I_e), worst = 0;
    if (timing == RV_GRID) first = on_grid(first, h), interval = on_grid(interval, h);
    interval += t_ref;
    ENSURE_NEAR_IN((double)s.n, floor((500 - first) / interval + 1e-9) + 1, 0, "spikes", "%s, %g pA, t_ref %g ms",
                   model, I_e, t_ref);
    for (int64_t k = 0; k < s.n; k++) {
        double expected = first + (double)k * interval;
        ENSURE_NEAR_IN(s.time_ms[k], expected, 1e-9, "ms", "%s, %g pA, t_ref %g ms: spike %d", model, I_e, t_ref,
                       (int)k);
        worst = reference_worse(worst, s.time_ms[k], expected);
    }
    reference_spikes_free(&s);
    rv_net_free(net);
    return worst;
}

static void test_f_I_curve(void **state)
{
    (void)state;
    const double current[] = { 375.001, 376, 380, 401, 450, 523, 777, 1501, 10000, 100000 },
                 t_ref[] = { 0, 0.1, 2, 13.7 };
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        double worst = 0;
        for (int m = 0; m < N_MODELS; m++)
            for (int i = 0; i < 10; i++)
                for (int r = 0; r < 4; r++)
                    worst = fmax(worst, check_intervals(models[m], timing, t_ref[r], current[i]));
        print_message("f-I curve, %s: largest deviation of a spike %.2g ms\n", timing == RV_GRID ? "grid" : "exact",
                      worst);
    }
}

/* The steady state at the threshold is not above it: no spike in finite time. */
static void test_no_spike_at_rheobase(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (int m = 0; m < N_MODELS; m++) {
            rv_net       *net = reference_net((rv_net_def){ .timing = timing });
            rv_population neuron = add_lif(net, models[m], 2, 374.999);
            ENSURE_OK(net, rv_run(net, 2000));
            ENSURE_NEAR_IN((double)rv_spike_count(net, neuron), 0, 0, "spikes", "%s just below rheobase", models[m]);
            rv_net_free(net);
        }
}

/* A refractory period that is no multiple of the resolution is rounded on the grid and kept in exact timing. */
static void test_refractory_period_off_the_grid(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_net       *net = reference_net((rv_net_def){ .timing = timing });
        rv_population neuron = add_lif(net, "iaf_psc_delta", 1.96, 500);
        ENSURE_OK(net, rv_run(net, 100));
        reference_spikes s = reference_spikes_of(net, neuron);
        double expected = timing == RV_GRID ? 2.0 + on_grid(passage(5, 15, 500), 0.1) : 1.96 + passage(5, 15, 500);
        ENSURE_NEAR(s.time_ms[1] - s.time_ms[0], expected, 1e-9, "ms");
        reference_spikes_free(&s);
        rv_net_free(net);
    }
}

/* ---- first passage at 14 step sizes (as NEST's test_iaf_ps_dc_accuracy.py) -------------------------------------- */

static double first_spike(const char *model, rv_timing timing, double h, double I_e)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population neuron = add_lif(net, model, 2, I_e);
    double        time = NAN;
    ENSURE_OK(net, rv_run(net, 5));
    assert_true(rv_spike_count(net, neuron) > 0);
    ENSURE_OK(net, rv_spike_read(net, neuron, 0, 1, &time, NULL));
    rv_net_free(net);
    return time;
}

static double free_V(const char *model, rv_timing timing, double h, double I_e)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population neuron = add_lif(net, model, 2, I_e);
    reference_set(net, neuron, "V_th", 1e4);
    ENSURE_OK(net, rv_run(net, 5));
    double V;
    ENSURE_OK(net, rv_get(net, rv_all(neuron), "V_m", &V));
    rv_net_free(net);
    return V;
}

static void test_fourteen_step_sizes(void **state)
{
    (void)state;
    const double I_e = 1000, V = R * I_e * (1 - exp(-5 / TAU_M)), time = passage(0, 15, I_e);
    double       worst_V = 0, worst_time = 0;
    for (int m = 0; m < N_MODELS; m++)
        for (int k = 1; k <= 14; k++)
            for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
                double h = ldexp(1, -k), got_V = free_V(models[m], timing, h, I_e),
                       got = first_spike(models[m], timing, h, I_e);
                double expected = timing == RV_GRID ? on_grid(time, h) : time;
                ENSURE_NEAR_IN(got_V, V, 1e-11, "mV", "%s: V_m after 5 ms in steps of 2^-%d ms", models[m], k);
                ENSURE_NEAR_IN(got, expected, 1e-12, "ms", "%s: first spike in steps of 2^-%d ms", models[m], k);
                worst_V = reference_worse(worst_V, got_V, V), worst_time = reference_worse(worst_time, got, expected);
            }
    print_message("2^-1 to 2^-14 ms: largest deviation of V_m %.2g mV, of the first spike %.2g ms\n", worst_V,
                  worst_time);
}

/* Order 1 on the grid: over many currents a spike is late by half a step on average. */
static void test_grid_spikes_converge_with_order_one(void **state)
{
    (void)state;
    enum { CURRENTS = 400 };
    for (int k = 2; k <= 6; k++) {
        double h = ldexp(1, -k), late = 0;
        for (int i = 0; i < CURRENTS; i++) {
            double I_e = 1000 * exp(0.001 * i);
            late += (first_spike("iaf_psc_delta", RV_GRID, h, I_e) - passage(0, 15, I_e)) / CURRENTS;
        }
        ENSURE_NEAR_IN(late / h, 0.5, 3 / sqrt(12.0 * CURRENTS), "steps",
                       "mean delay of grid spikes, steps of 2^-%d ms", k);
    }
}

/* ---- postsynaptic potentials ------------------------------------------------------------------------------------ */

typedef struct psp {
    const char *model;
    double      tau_m, tau_syn, t; /* ms */
} psp;

/* What arrives at u has decayed for t - u; in units of w / C_m. */
static double integrand(double u, void *parameters)
{
    const psp *p = parameters;
    double     x = u / p->tau_syn, current = strcmp(p->model, "iaf_psc_exp") == 0 ? exp(-x) : M_E * x * exp(-x);
    return exp((u - p->t) / p->tau_m) * current;
}

/* The convolution of membrane and current, by quadrature: nothing is singular where tau_syn = tau_m. mV */
static double psp_V(psp p, double w, double t)
{
    static gsl_integration_workspace *work;
    if (!work) work = gsl_integration_workspace_alloc(1000);
    double       result, error;
    gsl_function f = { integrand, &p };
    p.t = t;
    double split = fmin(t, 10 * p.tau_syn), rest = 0; /* short currents live at the beginning */
    gsl_integration_qag(&f, 0, split, 0, 1e-13, 1000, GSL_INTEG_GAUSS61, work, &result, &error);
    if (t > split) gsl_integration_qag(&f, split, t, 1e-20, 1e-10, 1000, GSL_INTEG_GAUSS61, work, &rest, &error);
    return w / C_M * (result + rest);
}

static rv_net *new_psp(const psp *p, rv_timing timing, double h, double w, rv_population *neuron)
{
    rv_net *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    double  spike = 1;
    *neuron = reference_population(net, "neuron", 1, p->model);
    const char *tau_syn = w > 0 ? "tau_syn_ex" : "tau_syn_in";
    reference_set_all(net, *neuron, "E_L", 0.0, "V_m", 0.0, "V_th", 1000.0, "V_reset", 0.0, "tau_m", p->tau_m, "C_m",
                      C_M, tau_syn, p->tau_syn, NULL);
    reference_play(net, "source", *neuron, (reference_list){ 1, &spike }, w, 1.0);
    return net;
}

static double check_psp(const psp *p, rv_timing timing, double h, double w)
{
    rv_population neuron;
    rv_net       *net = new_psp(p, timing, h, w, &neuron);
    rv_probe      probe = reference_record(net, neuron, "V_m", 1.0);
    double        worst = 0;
    ENSURE_OK(net, rv_run(net, 60));
    reference_list V = reference_samples(net, probe);
    double         scale = 0;
    for (int64_t k = 2; k < V.n; k++) scale = fmax(scale, fabs(V.x[k]));
    for (int64_t k = 0; k < V.n; k++) { /* sample k is at k + 1 ms; the spike arrives at 2 ms */
        double t = (double)(k + 1) - 2, expected = t > 0 ? psp_V(*p, w, t) : 0;
        ENSURE_NEAR_IN(V.x[k], expected, 2e-12 * scale, "mV",
                       "%s, tau_m %.17g, tau_syn %.17g ms, %s, w %g pA, %g ms after arrival", p->model, p->tau_m,
                       p->tau_syn, timing == RV_GRID ? "grid" : "exact", w, t);
        worst = reference_worse(worst, V.x[k] / scale, expected / scale);
    }
    reference_list_free(&V);
    rv_net_free(net);
    return worst;
}

static void test_psp_time_course(void **state)
{
    (void)state;
    double worst = 0;
    for (int m = 1; m < N_MODELS; m++)
        for (int k = 0; k < 30; k++) {
            psp pairs[] = {
                { models[m], 10, 2, 0 }, { models[m], 10, 10, 0 }, { models[m], 1, 60, 0 }, { models[m], 60, 0.5, 0 }
            };
            psp p = k < 4 ? pairs[k]
                          : (psp){ models[m], 10, 10 * (1 + (k % 2 ? 1 : -1) * pow(10, -(k - 2) / 2)),
                                   0 }; /* nearly equal: 10^-1 .. */
            if (k >= 4 && p.tau_syn == p.tau_m) p.tau_syn = nextafter(10, k % 2 ? 0 : 20);
            for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
                worst = fmax(worst, check_psp(&p, timing, 0.1, 100));
                worst = fmax(worst, check_psp(&p, timing, 1, -100));
            }
        }
    print_message("PSP time course: largest deviation %.2g of the amplitude\n", worst);
}

/* The largest potential and its time. */
static double psp_peak(const psp *p, double w)
{
    double tau = p->tau_m, s = p->tau_syn;
    if (strcmp(p->model, "iaf_psc_alpha") == 0)
        return w * M_E / (C_M * tau) * 2 * tau * tau * exp(-2); /* tau_syn = tau_m, at 2 tau_m */
    if (s == tau) return w / C_M * tau * exp(-1);               /* at tau_m                 */
    double t = log(tau / s) / (1 / s - 1 / tau);
    return w / C_M * tau * s / (tau - s) * (exp(-t / tau) - exp(-t / s));
}

/* In exact timing a threshold a trifle below the peak is crossed, one a trifle above is not. */
static void test_threshold_at_the_peak(void **state)
{
    (void)state;
    const psp p[] = { { "iaf_psc_exp", 10, 2, 0 },
                      { "iaf_psc_exp", 10, 10, 0 },
                      { "iaf_psc_exp", 5, 20, 0 },
                      { "iaf_psc_alpha", 10, 10, 0 } };
    for (int k = 0; k < 4; k++)
        for (double off = 1e-13; off < 1e-2; off *= 10)
            for (int side = -1; side <= 1; side += 2)
                for (double h = 0.1; h <= 1; h += 0.9) {
                    rv_population neuron;
                    rv_net       *net = new_psp(&p[k], RV_EXACT, h, 100, &neuron);
                    reference_set_all(net, neuron, "V_th", psp_peak(&p[k], 100) * (1 + side * off), "V_reset", -1e3,
                                      NULL);
                    ENSURE_OK(net, rv_record_spikes(net, neuron));
                    ENSURE_OK(net, rv_run(net, 100));
                    ENSURE_NEAR_IN((double)rv_spike_count(net, neuron), side < 0, 0, "spikes",
                                   "%s, tau_m %g, tau_syn %g ms, threshold %+.0e of the peak", p[k].model, p[k].tau_m,
                                   p[k].tau_syn, side * off);
                    rv_net_free(net);
                }
}

/* ---- a sinusoidal current --------------------------------------------------------------------------------------- */

/* The current of a step is that of its beginning, so V_m[n + 1] = a V_m[n] + R (1 - a) I[n] with a = exp(-h / tau_m),
 * and the response to exp(i w t) is R (1 - a) / (exp(i w h) - a), which tends to R / (1 + i w tau_m). */
static complex double response(double omega, double h)
{
    double a = exp(-h / TAU_M);
    return R * (1 - a) / (cexp(I * omega * h) - a);
}

static void check_sine(const char *model, rv_timing timing, double frequency, double h)
{
    const double  amplitude = 100, offset = 50, phase = 30, from = 40 * TAU_M; /* pA, pA, degrees, ms */
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    rv_population neuron = add_lif(net, model, 2, 0);
    rv_probe      probe = reference_record(net, neuron, "V_m", 0);
    double        omega = 2 * M_PI * frequency / 1000;
    reference_input(net, neuron, "sine", "amplitude", amplitude, "offset", offset, "frequency", frequency, "phase",
                    phase, NULL);
    ENSURE_OK(net, rv_run(net, from + 20));
    reference_list V = reference_samples(net, probe);
    for (int64_t k = (int64_t)rint(from / h); k < V.n; k++) {
        double         t = (double)(k + 1) * h;
        complex double drive = amplitude * cexp(I * (omega * t + phase * M_PI / 180));
        double         exact = R * offset + cimag(response(omega, h) * drive),
               limit = R * offset + cimag(R / (1 + I * omega * TAU_M) * drive);
        ENSURE_NEAR_IN(V.x[k], exact, 1e-10, "mV", "%s, %g Hz: V_m at %g ms", model, frequency, t);
        ENSURE_NEAR_IN(exact, limit, R * amplitude * h / TAU_M, "mV", "%g Hz, %g ms: the limit of small steps at %g ms",
                       frequency, h, t);
    }
    reference_list_free(&V);
    rv_net_free(net);
}

static void test_sinusoidal_current(void **state)
{
    (void)state;
    const double frequency[] = { 1, 16, 100, 400 };
    for (int k = 0; k < 4; k++) {
        for (int m = 0; m < N_MODELS; m++)
            for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++)
                check_sine(models[m], timing, frequency[k], 0.1);
        check_sine("iaf_psc_exp", RV_GRID, frequency[k], 0.01);
    }
}

/* ---- the refractory period and bounds --------------------------------------------------------------------------- */

/* A spike at 2 ms (drive), refractory until 7 ms; arrivals of 3 mV at 3, 5.5 and 9 ms. */
static void check_refractory_input(rv_timing timing, rv_advance advance, bool kept)
{
    double        drive = 1, early[] = { 2, 4.5, 8 };
    rv_net       *net = reference_net((rv_net_def){ .timing = timing, .advance = advance });
    rv_population neuron = add_lif(net, "iaf_psc_delta", 5, 100);
    reference_set(net, neuron, "refractory_input", kept);
    reference_play(net, "drive", neuron, (reference_list){ 1, &drive }, 100, 1.0);
    reference_play(net, "early", neuron, (reference_list){ 3, early }, 3, 1.0);
    rv_probe probe = reference_record(net, neuron, "V_m", 0.1);
    ENSURE_OK(net, rv_run(net, 20));
    reference_list V = reference_samples(net, probe);
    for (int64_t k = 0; k < V.n; k++) {
        double t = (double)(k + 1) / 10, expected;
        if (k == 19 || k == 69 || k == 89)
            continue; /* a sample at the very time of an event: after it on the grid, before it in exact timing */
        if (t < 2 - 1e-9) expected = R * 100 * (1 - exp(-t / TAU_M));
        else if (t < 7) expected = 5;
        else expected = R * 100 + (5 - R * 100) * exp(-(t - 7) / TAU_M);
        for (int i = 0; t > 7 && i < 3; i++)
            if (t > early[i] + 1 && (kept || early[i] > 6)) expected += 3 * exp(-(t - early[i] - 1) / TAU_M);
        ENSURE_NEAR_IN(V.x[k], expected, 1e-11, "mV", "%s, refractory input %s: V_m at %g ms",
                       timing == RV_EXACT    ? "exact"
                       : advance == RV_SWEEP ? "sweep"
                                             : "jump",
                       kept ? "kept" : "lost", t);
    }
    reference_list_free(&V);
    rv_net_free(net);
}

static void test_refractory_input(void **state)
{
    (void)state;
    for (int kept = 0; kept < 2; kept++) {
        check_refractory_input(RV_EXACT, RV_ADAPTIVE, kept);
        check_refractory_input(RV_GRID, RV_SWEEP, kept);
        check_refractory_input(RV_GRID, RV_JUMP, kept);
    }
}

/* Kept input that lifts V_m above the threshold makes the neuron spike as soon as it may. */
static void test_kept_input_can_fire(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        double        times[] = { 1, 3 };
        rv_net       *net = reference_net((rv_net_def){ .timing = timing });
        rv_population neuron = add_lif(net, "iaf_psc_delta", 5, 0);
        reference_set(net, neuron, "refractory_input", 1);
        reference_play(net, "drive", neuron, (reference_list){ 2, times }, 100, 1.0);
        ENSURE_OK(net, rv_run(net, 20));
        reference_spikes s = reference_spikes_of(net, neuron);
        ENSURE_NEAR((double)s.n, 2, 0, "spikes");
        ENSURE_NEAR(s.time_ms[1], timing == RV_GRID ? 7.1 : 7.0, 1e-9,
                    "ms"); /* 2 + t_ref; on the grid at the end of the next step */
        reference_spikes_free(&s);
        rv_net_free(net);
    }
}

/* During the refractory period V_m is V_reset while the synaptic current decays on. */
static void test_current_decays_while_refractory(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        double        spike = 1;
        rv_net       *net = reference_net((rv_net_def){ .timing = timing });
        rv_population neuron = add_lif(net, "iaf_psc_exp", 3, 0);
        reference_set_all(net, neuron, "tau_syn_ex", 2.0, "V_reset", 0.0, NULL);
        reference_play(net, "drive", neuron, (reference_list){ 1, &spike }, 5000, 1.0);
        rv_probe V = reference_record(net, neuron, "V_m", 0.1), I_syn = reference_record(net, neuron, "I_syn_ex", 0.1);
        ENSURE_OK(net, rv_run(net, 20));
        reference_list   v = reference_samples(net, V), current = reference_samples(net, I_syn);
        reference_spikes s = reference_spikes_of(net, neuron);
        psp              p = { "iaf_psc_exp", TAU_M, 2, 0 };
        ENSURE_NEAR((double)s.n, 1, 0, "spikes");
        double end = s.time_ms[0] + 3;
        for (int64_t k = 0; k < v.n; k++) {
            double t = (double)(k + 1) / 10;
            if (t > 2.05) ENSURE_NEAR_IN(current.x[k], 5000 * exp(-(t - 2) / 2), 1e-10, "pA", "I_syn_ex at %g ms", t);
            if (t > s.time_ms[0] && t < end) ENSURE_NEAR_IN(v.x[k], 0, 0, "mV", "V_m while refractory, at %g ms", t);
            if (t > end + 1e-6)
                ENSURE_NEAR_IN(v.x[k], psp_V(p, 5000 * exp(-(end - 2) / 2), t - end), 1e-11, "mV",
                               "V_m after it, at %g ms", t);
        }
        reference_list_free(&v), reference_list_free(&current);
        reference_spikes_free(&s);
        rv_net_free(net);
    }
}

/* Inhibition of 50 mV at 2 ms takes V_m from 0 to V_min = -20 mV and no further; then it relaxes. */
static void test_lower_bound(void **state)
{
    (void)state;
    for (rv_timing timing = RV_GRID; timing <= RV_EXACT; timing++) {
        double        spike = 1;
        rv_net       *net = reference_net((rv_net_def){ .timing = timing });
        rv_population neuron = add_lif(net, "iaf_psc_delta", 2, 0);
        reference_set(net, neuron, "V_min", -20);
        reference_play(net, "inhibition", neuron, (reference_list){ 1, &spike }, -50, 1.0);
        rv_probe probe = reference_record(net, neuron, "V_m", 0.1);
        ENSURE_OK(net, rv_run(net, 20));
        reference_list V = reference_samples(net, probe);
        for (int64_t k = 0; k < V.n; k++) {
            double t = (double)(k + 1) / 10;
            if (k == 19) continue; /* 2 ms: on the grid just after, in exact timing just before */
            ENSURE_NEAR_IN(V.x[k], t < 2 ? 0 : -20 * exp(-(t - 2) / TAU_M), 1e-12, "mV", "V_m at %g ms", t);
        }
        reference_list_free(&V);
        rv_net_free(net);
    }
}

/* Where the bound has no closed form it holds at every step: alpha currents, and Izhikevich's neuron. */
static void test_lower_bound_on_the_grid(void **state)
{
    (void)state;
    const char *const bounded[] = { "iaf_psc_alpha", "izhikevich" };
    for (int m = 0; m < 2; m++) {
        double        spikes[] = { 1, 2, 3 }, lowest = INFINITY, low = m == 0 ? -90 : -75;
        rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1 });
        rv_population neuron = reference_population(net, "neuron", 1, bounded[m]);
        reference_set(net, neuron, "V_min", low);
        reference_play(net, "inhibition", neuron, (reference_list){ 3, spikes }, m == 0 ? -3000 : -30, 1.0);
        rv_probe probe = reference_record(net, neuron, "V_m", 0.1);
        ENSURE_OK(net, rv_run(net, 50));
        reference_list V = reference_samples(net, probe);
        for (int64_t k = 0; k < V.n; k++) lowest = fmin(lowest, V.x[k]);
        ENSURE_NEAR_IN(lowest, low, 0, "mV", "lowest V_m of %s", bounded[m]);
        reference_list_free(&V);
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_f_I_curve),
        cmocka_unit_test(test_no_spike_at_rheobase),
        cmocka_unit_test(test_refractory_period_off_the_grid),
        cmocka_unit_test(test_fourteen_step_sizes),
        cmocka_unit_test(test_grid_spikes_converge_with_order_one),
        cmocka_unit_test(test_psp_time_course),
        cmocka_unit_test(test_threshold_at_the_peak),
        cmocka_unit_test(test_sinusoidal_current),
        cmocka_unit_test(test_refractory_input),
        cmocka_unit_test(test_kept_input_can_fire),
        cmocka_unit_test(test_current_decays_while_refractory),
        cmocka_unit_test(test_lower_bound),
        cmocka_unit_test(test_lower_bound_on_the_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
