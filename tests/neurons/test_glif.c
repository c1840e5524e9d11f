/* glif_psc, its five kinds and four receptors, against an independent twin of NEST's update on the grid (swept and jumped over), and
 * in exact timing against the equations integrated by GSL. */
#include <math.h>
#include <string.h>

#include "tests/support/ode_twin.h"
#include "tests/support/reference.h"

enum { N_STEPS = 6000, N_KINDS = 5, MOST = 400 };

/* Mouse V1, Scnn1a (Allen Cell Types 593618144), with moving thresholds added; four time constants as in the V1 models. */
static const double V_th = -46.40370561385434, g = 5.875377136608159, E_L = -69.4755859375, C_m = 58.60769058316611, t_ref = 2.6,
                    asc_decay[] = { 0.03, 0.3 }, asc_amps[] = { -36.93387266, -65.30848816 }, asc_r[] = { 0.8, 1 }, tau_syn[] = { 5.5, 8.5, 2.8, 5.8 },
                    th_spike_add = 3.1, th_spike_decay = 0.02, fraction = 0.3, reset_add = 4.0, follow = 0.008, decay = 0.11, h = 0.1;
static const bool   with_spike[] = { 0, 1, 0, 1, 1 }, with_asc[] = { 0, 0, 1, 1, 1 }, with_voltage[] = { 0, 0, 0, 0, 1 };
static const double weight[] = { 95, -40, 60, -25 }; /* pA, of the receptors */

/* Arrivals at receptor k: every period of its own. */
static bool arrives(int k, int at)
{
    static const int period[] = { 83, 131, 59, 167 };
    return at > 20 && at % period[k] == 7 * k;
}

static double current_at(int at) { return at >= 2000 && at < 4000 ? 160 : 0; }

/* ---- the grid ----------------------------------------------------------------------------------------------------- */

typedef struct twin {
    double U, threshold_spike, threshold_voltage, asc[2], y1[4], y2[4];
    int    refractory;
} twin;

/* One step in the order of NEST 3.10's glif_psc; U is relative to E_L. @return whether it spikes */
static bool twin_step(twin *n, int kind, int step)
{
    double m = g / C_m, P33 = exp(-h * m), P30 = (1 - P33) / g, I = current_at(step), before = n->U;
    bool   fired = false;
    if (n->refractory == 0) {
        if (with_spike[kind]) n->threshold_spike *= exp(-th_spike_decay * h);
        for (int a = 0; a < 2 && with_asc[kind]; a++) {
            I += n->asc[a] * (1 - exp(-asc_decay[a] * h)) / (asc_decay[a] * h);
            n->asc[a] *= exp(-asc_decay[a] * h);
        }
        n->U = before * P33 + I * P30;
        for (int k = 0; k < 4; k++) {
            double s = 1 / tau_syn[k], P32 = (P33 - exp(-h * s)) / ((s - m) * C_m), P31 = (P33 - exp(-h * s) * (1 + h * (s - m))) / ((s - m) * (s - m) * C_m);
            n->U += P31 * n->y1[k] + P32 * n->y2[k];
        }
        if (with_voltage[kind]) {
            double beta = I / g, phi = follow / (decay - m), ratio = follow / decay;
            n->threshold_voltage = phi * (before - beta) * P33 + exp(-decay * h) * (n->threshold_voltage - phi * (before - beta) - ratio * beta) + ratio * beta;
        }
        if ((fired = n->U > V_th - E_L + n->threshold_spike + n->threshold_voltage)) {
            n->refractory = (int)rint(t_ref / h);
            for (int a = 0; a < 2 && with_asc[kind]; a++) n->asc[a] = asc_amps[a] + n->asc[a] * asc_r[a] * exp(-asc_decay[a] * t_ref);
            n->U = with_spike[kind] ? fraction * before + reset_add : 0;
            if (with_spike[kind]) n->threshold_spike = n->threshold_spike * exp(-th_spike_decay * t_ref) + th_spike_add;
        }
    } else n->refractory--;
    for (int k = 0; k < 4; k++) {
        double decay_syn = exp(-h / tau_syn[k]);
        n->y2[k] = decay_syn * (n->y2[k] + h * n->y1[k]);
        n->y1[k] = decay_syn * n->y1[k] + (arrives(k, step + 1) ? M_E / tau_syn[k] * weight[k] : 0);
    }
    return fired;
}

static rv_net *build(int kind, rv_net_def def, int receptors, rv_population *neuron)
{
    rv_net *net = reference_net(def);
    *neuron = reference_population(net, "glif", 3, "glif_psc"); /* the last two hear nothing but the current */
    reference_set_all(net, *neuron, "V_th", V_th, "g", g, "E_L", E_L, "V_m", E_L, "C_m", C_m, "t_ref", t_ref, "V_reset", E_L, NULL);
    reference_set_all(net, *neuron, "asc_decay_1", asc_decay[0], "asc_decay_2", asc_decay[1], "asc_amps_1", asc_amps[0], "asc_amps_2", asc_amps[1], "asc_r_1",
                      asc_r[0], "asc_r_2", asc_r[1], "tau_syn_1", tau_syn[0], "tau_syn_2", tau_syn[1], "tau_syn_3", tau_syn[2], "tau_syn_4", tau_syn[3], NULL);
    reference_set_all(net, *neuron, "th_spike_add", th_spike_add, "th_spike_decay", th_spike_decay, "voltage_reset_fraction", fraction, "voltage_reset_add",
                      reset_add, "th_voltage_index", follow, "th_voltage_decay", decay, NULL);
    reference_set_all(net, *neuron, "spike_dependent_threshold", (double)with_spike[kind], "after_spike_currents", (double)with_asc[kind], "adapting_threshold",
                      (double)with_voltage[kind], NULL);
    for (int k = 0; k < receptors; k++) {
        double times[N_STEPS];
        int    n = 0;
        for (int at = 2; at <= N_STEPS; at++)
            if (arrives(k, at)) times[n++] = (at - 1) * h;
        rv_population source = reference_population(net, reference_text("source %d", k + 1), 1, "spike_generator");
        ENSURE_OK(net, rv_set_spike_times(net, source, 0, times, n));
        rv_connect_def to = { .source = rv_all(source), .target = { *neuron, 0, 1, 1 }, .rule = "all_to_all", .weight = rv_number(weight[k]),
                              .delay = rv_number(h), .receptor_type = k + 1 };
        ENSURE_OK(net, rv_connect(net, &to, NULL));
    }
    const double     times[] = { 200, 400 }, amplitudes[] = { 160, 0 };
    const rv_setting current[] = { { "times", rv_list(times, 2) }, { "amplitudes", rv_list(amplitudes, 2) } };
    ENSURE_OK(net, rv_input_new(net, rv_all(*neuron), "step", current, 2, NULL));
    ENSURE_OK(net, rv_record_spikes(net, *neuron));
    return net;
}

static void compare_with_twin(int kind, rv_advance advance)
{
    rv_population neuron;
    rv_net       *net = build(kind, (rv_net_def){ .advance = advance }, 4, &neuron);
    rv_probe      V = reference_record(net, neuron, "V_m", 0), threshold = reference_record(net, neuron, "threshold", 0), asc = reference_record(net, neuron, "ASCurrents_1", 0);
    ENSURE_OK(net, rv_run(net, N_STEPS * h));
    reference_list   got_V = reference_samples(net, V), got_threshold = reference_samples(net, threshold), got_asc = reference_samples(net, asc);
    reference_spikes got = reference_spikes_of(net, neuron);
    twin             n = { 0 };
    int64_t          next = 0, spikes = 0;
    double           worst = 0;
    for (int step = 0; step < N_STEPS; step++) {
        bool fired = twin_step(&n, kind, step);
        spikes += fired;
        while (next < got.n && got.neuron[next] != 0) next++;
        if (fired) ENSURE_NEAR_IN(next < got.n ? got.time_ms[next++] : -1, (step + 1) * h, 1e-9, "ms", "GLIF%d, spike %d", kind + 1, (int)spikes);
        ENSURE_NEAR_IN(got_V.x[3 * step], n.U + E_L, 1e-9, "mV", "GLIF%d: V_m at %g ms", kind + 1, (step + 1) * h);
        ENSURE_NEAR_IN(got_threshold.x[3 * step], V_th + n.threshold_spike + n.threshold_voltage, 1e-9, "mV", "GLIF%d: threshold at %g ms", kind + 1, (step + 1) * h);
        ENSURE_NEAR_IN(got_asc.x[3 * step], n.asc[0], 1e-9, "pA", "GLIF%d: ASCurrents_1 at %g ms", kind + 1, (step + 1) * h);
        worst = reference_worse(worst, got_V.x[3 * step], n.U + E_L);
    }
    while (next < got.n && got.neuron[next] != 0) next++;
    assert_true(next == got.n);
    print_message("GLIF%d, %s: %d spikes, V_m differs by %.2g mV\n", kind + 1, advance == RV_SWEEP ? "swept" : "jumped over", (int)spikes, worst);
    assert_true(spikes > 15);
    reference_list_free(&got_V), reference_list_free(&got_threshold), reference_list_free(&got_asc);
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_against_a_twin(void **state)
{
    (void)state;
    for (int kind = 0; kind < N_KINDS; kind++) {
        compare_with_twin(kind, RV_SWEEP);
        compare_with_twin(kind, RV_JUMP);
    }
}

/* ---- exact timing ------------------------------------------------------------------------------------------------- */

enum { Y_V, Y_THETA, Y_ASC, Y_I = Y_ASC + 2, Y_DI, Y_CURRENT, Y_N };

static void slope(const double *y, double *dydt, bool refractory, const void *p)
{
    (void)p;
    double I = y[Y_I] + y[Y_ASC] + y[Y_ASC + 1] + y[Y_CURRENT];
    for (int a = 0; a < 2; a++) dydt[Y_ASC + a] = refractory ? 0 : -asc_decay[a] * y[Y_ASC + a];
    dydt[Y_V] = refractory ? 0 : (g * (E_L - y[Y_V]) + I) / C_m;
    dydt[Y_THETA] = refractory ? 0 : -th_spike_decay * y[Y_THETA];
    dydt[Y_I] = y[Y_DI] - y[Y_I] / tau_syn[0], dydt[Y_DI] = -y[Y_DI] / tau_syn[0], dydt[Y_CURRENT] = 0;
}

static double above(const double *y, const void *p)
{
    (void)p;
    return y[Y_V] - V_th - y[Y_THETA];
}

static void spike(double *y, const void *p)
{
    int kind = *(const int *)p;
    y[Y_V] = with_spike[kind] ? E_L + fraction * (y[Y_V] - E_L) + reset_add : E_L;
    if (with_spike[kind]) y[Y_THETA] = y[Y_THETA] * exp(-th_spike_decay * t_ref) + th_spike_add;
    for (int a = 0; a < 2 && with_asc[kind]; a++) y[Y_ASC + a] = asc_amps[a] + y[Y_ASC + a] * asc_r[a] * exp(-asc_decay[a] * t_ref);
}

static double input_times[N_STEPS];
static int    n_inputs;

static void input(double *y, int k, const void *p)
{
    (void)p;
    int at = (int)rint(input_times[k] / h);
    if (arrives(0, at)) y[Y_DI] += M_E / tau_syn[0] * weight[0];
    y[Y_CURRENT] = current_at(at);
}

static void check_exact(int kind)
{
    double expected[MOST], worst = 0;
    n_inputs = 0;
    for (int at = 2; at <= N_STEPS; at++)
        if (arrives(0, at) || at == 2000 || at == 4000) input_times[n_inputs++] = at * h;
    ode_twin equations = { .n = Y_N, .slope = slope, .above = above, .spike = spike, .input = input, .t_ref = t_ref, .p = &kind,
                           .times = input_times, .n_times = n_inputs, .y = { E_L } };
    int           n = ode_twin_run(&equations, N_STEPS * h, expected, MOST);
    rv_population neuron;
    rv_net       *net = build(kind, (rv_net_def){ .timing = RV_EXACT }, 1, &neuron);
    ENSURE_OK(net, rv_run(net, N_STEPS * h));
    reference_spikes got = reference_spikes_of(net, neuron);
    int              k = 0;
    for (int64_t i = 0; i < got.n; i++) {
        if (got.neuron[i] != 0) continue;
        ENSURE_NEAR_IN(got.time_ms[i], k < n ? expected[k] : -1, 1e-9, "ms", "GLIF%d, exact spike %d of %d", kind + 1, k, n);
        worst = reference_worse(worst, got.time_ms[i], expected[k++]);
    }
    assert_int_equal(k, n);
    print_message("GLIF%d, exact timing: %d spikes, largest deviation %.2g ms\n", kind + 1, n, worst);
    assert_true(n > 15);
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_exact(void **state)
{
    (void)state;
    for (int kind = 0; kind < 4; kind++) check_exact(kind);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static void test_sentences(void **state)
{
    (void)state;
    rv_population neuron;
    rv_net       *net = build(4, (rv_net_def){ .timing = RV_EXACT }, 0, &neuron);
    assert_int_equal(rv_compile(net), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "adapting_threshold"));
    rv_connect_def to = { .source = rv_all(neuron), .target = rv_all(neuron), .rule = "all_to_all", .receptor_type = 2 };
    assert_int_equal(rv_connect(net, &to, NULL), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "receptor 1 only"));
    to.receptor_type = 5;
    assert_int_equal(rv_connect(net, &to, NULL), RV_OUT_OF_RANGE);
    assert_non_null(strstr(rv_net_error(net)->text, "receptor_type = 5, allowed is 0 to 4 for glif_psc"));
    rv_population plain = reference_population(net, "plain", 1, "iaf_psc_exp");
    to.target = rv_all(plain), to.receptor_type = 1;
    assert_int_equal(rv_connect(net, &to, NULL), RV_OUT_OF_RANGE);
    assert_non_null(strstr(rv_net_error(net)->text, "receptor_type = 1, allowed is 0 for iaf_psc_exp"));
    rv_net_free(net);
    net = build(4, (rv_net_def){ 0 }, 0, &neuron);
    reference_set(net, neuron, "after_spike_currents", 0);
    assert_int_equal(rv_compile(net), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "adapting_threshold needs"));
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_a_twin), cmocka_unit_test(test_exact), cmocka_unit_test(test_sentences) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
