/* iaf_psc_exp_htum, mat2_psc_exp, izhikevich_2007 and ignore_and_fire: on the grid against plain twins of their update, swept and jumped
 * over, in exact timing against the equations integrated by GSL. */
#include <math.h>
#include <string.h>

#include "tests/support/ode_twin.h"
#include "tests/support/reference.h"

enum { N_STEPS = 5000, MOST = 500 };
static const double h = 0.1;

/* Excitatory and inhibitory spikes at the ends of steps; a current step from 150 to 350 ms. */
static bool   excites(int at) { return at > 20 && at % 37 == 0; }
static bool   inhibits(int at) { return at > 20 && at % 91 == 5; }
static bool   current_on(int at) { return at >= 1500 && at < 3500; }

typedef struct subject {
    const char *model;
    double      w_ex, w_in, amplitude; /* pA */
    const char *watched;               /* a state that the twin has too */
    void (*set)(rv_net *net, rv_population neuron);
    ode_twin equations;
} subject;

static rv_net *build(const subject *x, rv_net_def def, rv_population *neuron)
{
    rv_net *net = reference_net(def);
    *neuron = reference_population(net, "neuron", 1, x->model);
    x->set(net, *neuron);
    for (int k = 0; k < 2; k++) {
        double times[N_STEPS];
        int    n = 0;
        for (int at = 2; at <= N_STEPS; at++)
            if (k == 0 ? excites(at) : inhibits(at)) times[n++] = (at - 1) * h;
        reference_play(net, k == 0 ? "ex" : "in", *neuron, (reference_list){ n, times }, k == 0 ? x->w_ex : x->w_in, h);
    }
    const double     times[] = { 150, 350 }, amplitudes[] = { x->amplitude, 0 };
    const rv_setting current[] = { { "times", rv_list(times, 2) }, { "amplitudes", rv_list(amplitudes, 2) } };
    ENSURE_OK(net, rv_input_new(net, rv_all(*neuron), "step", current, 2, NULL));
    ENSURE_OK(net, rv_record_spikes(net, *neuron));
    return net;
}

/* ---- parameters ---------------------------------------------------------------------------------------------------- */

static const double C_m = 210, tau_m = 12, E_L = -68, V_th = -52, V_reset = -61, tau_ex = 1.7, tau_in = 4.1, t_abs = 1.5, t_tot = 6, /* htum */
    omega = -50, alpha_1 = 12, alpha_2 = 3, tau_1 = 10, tau_2 = 200, t_ref = 2;                                                       /* mat2 */

static void set_htum(rv_net *net, rv_population neuron)
{
    reference_set_all(net, neuron, "C_m", C_m, "tau_m", tau_m, "E_L", E_L, "V_m", E_L, "V_th", V_th, "V_reset", V_reset, "tau_syn_ex", tau_ex, "tau_syn_in", tau_in,
                      "t_ref_abs", t_abs, "t_ref_tot", t_tot, NULL);
}

static void set_mat2(rv_net *net, rv_population neuron)
{
    reference_set_all(net, neuron, "C_m", C_m, "tau_m", tau_m, "E_L", E_L, "V_m", E_L, "omega", omega, "tau_syn_ex", tau_ex, "tau_syn_in", tau_in, "t_ref", t_ref,
                      "alpha_1", alpha_1, "alpha_2", alpha_2, NULL);
}

static void set_defaults(rv_net *net, rv_population neuron) { (void)net, (void)neuron; }

/* ---- equations ----------------------------------------------------------------------------------------------------- */

enum { Y_V, Y_EX, Y_IN, Y_CURRENT, Y_FAST, Y_SLOW, Y_SINCE = Y_FAST };

static const subject *now; /* whose inputs come */
static double         input_times[N_STEPS];

static void input(double *y, int k, const void *p)
{
    (void)p;
    int at = (int)rint(input_times[k] / h);
    y[Y_EX] += excites(at) ? now->w_ex : 0;
    y[Y_IN] += inhibits(at) ? now->w_in : 0;
    y[Y_CURRENT] = current_on(at) ? now->amplitude : 0;
}

static double leak_and_synapses(const double *y, double *dydt)
{
    dydt[Y_EX] = -y[Y_EX] / tau_ex, dydt[Y_IN] = -y[Y_IN] / tau_in, dydt[Y_CURRENT] = 0;
    return (E_L - y[Y_V]) / tau_m + (y[Y_EX] + y[Y_IN] + y[Y_CURRENT]) / C_m;
}

/* The twin's refractory period is the absolute one; the time since the spike is a variable. */
static void slope_htum(const double *y, double *dydt, bool refractory, const void *p)
{
    (void)p;
    double dV = leak_and_synapses(y, dydt);
    dydt[Y_V] = refractory ? 0 : dV, dydt[Y_SINCE] = 1;
}

/* Both must be reached: V_th, and the end of the total period. */
static double above_htum(const double *y, const void *p)
{
    (void)p;
    return fmin(y[Y_V] - V_th, y[Y_SINCE] - t_tot);
}

static void spike_htum(double *y, const void *p)
{
    (void)p;
    y[Y_V] = V_reset, y[Y_SINCE] = 0;
}

static void slope_mat2(const double *y, double *dydt, bool refractory, const void *p)
{
    (void)p, (void)refractory;
    dydt[Y_V] = leak_and_synapses(y, dydt), dydt[Y_FAST] = -y[Y_FAST] / tau_1, dydt[Y_SLOW] = -y[Y_SLOW] / tau_2;
}

static double above_mat2(const double *y, const void *p)
{
    (void)p;
    return y[Y_V] - omega - y[Y_FAST] - y[Y_SLOW];
}

static void spike_mat2(double *y, const void *p)
{
    (void)p;
    y[Y_FAST] += alpha_1, y[Y_SLOW] += alpha_2;
}

static void slope_izhikevich(const double *y, double *dydt, bool refractory, const void *p)
{
    (void)p, (void)refractory;
    double V = y[Y_V], U = y[Y_SLOW];
    dydt[Y_EX] = -y[Y_EX] / 2, dydt[Y_IN] = -y[Y_IN] / 2, dydt[Y_CURRENT] = 0, dydt[Y_FAST] = 0;
    dydt[Y_V] = (0.7 * (V + 60) * (V + 40) - U + y[Y_EX] + y[Y_IN] + y[Y_CURRENT]) / 100, dydt[Y_SLOW] = 0.03 * (-2 * (V + 60) - U);
}

static double above_izhikevich(const double *y, const void *p)
{
    (void)p;
    return y[Y_V] - 35;
}

static void spike_izhikevich(double *y, const void *p)
{
    (void)p;
    y[Y_V] = -50, y[Y_SLOW] += 100;
}

static const subject subjects[] = {
    { "iaf_psc_exp_htum", 700, -200, 380, "V_m", set_htum, { .n = 5, .slope = slope_htum, .above = above_htum, .spike = spike_htum, .t_ref = 1.5, .y = { E_L, 0, 0, 0, 1e9 } } },
    { "mat2_psc_exp", 900, -200, 600, "V_th", set_mat2, { .n = 6, .slope = slope_mat2, .above = above_mat2, .spike = spike_mat2, .t_ref = 2, .y = { E_L } } },
    { "izhikevich_2007", 300, -60, 200, "V_m", set_defaults, { .n = 6, .slope = slope_izhikevich, .above = above_izhikevich, .spike = spike_izhikevich, .y = { -60 } } },
};

static int run_equations(const subject *x, double *spikes)
{
    ode_twin twin = x->equations;
    int      n = 0;
    now = x;
    for (int at = 2; at <= N_STEPS; at++)
        if (excites(at) || inhibits(at) || at == 1500 || at == 3500) input_times[n++] = at * h;
    twin.input = input, twin.times = input_times, twin.n_times = n;
    return ode_twin_run(&twin, N_STEPS * h, spikes, MOST);
}

static void test_exact(void **state)
{
    (void)state;
    for (int m = 0; m < 3; m++) {
        const subject *x = &subjects[m];
        double         expected[MOST], worst = 0;
        int            n = run_equations(x, expected);
        rv_population  neuron;
        rv_net        *net = build(x, (rv_net_def){ .timing = RV_EXACT }, &neuron);
        ENSURE_OK(net, rv_run(net, N_STEPS * h));
        reference_spikes got = reference_spikes_of(net, neuron);
        assert_int_equal(got.n, n);
        for (int k = 0; k < n; k++) {
            ENSURE_NEAR_IN(got.time_ms[k], expected[k], 2e-9, "ms", "%s, exact spike %d", x->model, k + 1);
            worst = reference_worse(worst, got.time_ms[k], expected[k]);
        }
        print_message("%s, exact timing: %d spikes, largest deviation %.2g ms\n", x->model, n, worst);
        assert_true(n > 15);
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

/* ---- the grid ------------------------------------------------------------------------------------------------------ */

typedef struct twin {
    double V, ex, in, fast, slow;
    int    held, refractory;
} twin;

/* One step in the order of NEST 3.10; V is relative to E_L. */
static bool twin_step(twin *n, bool mat2, double w_ex, double w_in, double amplitude, int step)
{
    double P22 = exp(-h / tau_m), a = 1 / tau_m, I = current_on(step) ? amplitude : 0;
    double P21_ex = (exp(-h / tau_ex) - P22) / (C_m * (a - 1 / tau_ex)), P21_in = (exp(-h / tau_in) - P22) / (C_m * (a - 1 / tau_in));
    if (mat2 || n->held == 0) n->V = P22 * n->V + P21_ex * n->ex + P21_in * n->in + tau_m / C_m * (1 - P22) * I;
    else n->held--;
    n->fast *= exp(-h / tau_1), n->slow *= exp(-h / tau_2);
    n->ex = n->ex * exp(-h / tau_ex) + (excites(step + 1) ? w_ex : 0);
    n->in = n->in * exp(-h / tau_in) + (inhibits(step + 1) ? w_in : 0);
    if (n->refractory > 0) {
        n->refractory--;
        return false;
    }
    if (n->V < (mat2 ? omega + n->fast + n->slow : V_th) - E_L) return false;
    n->refractory = (int)rint((mat2 ? t_ref : t_tot) / h), n->held = (int)rint(t_abs / h);
    if (mat2) n->fast += alpha_1, n->slow += alpha_2;
    else n->V = V_reset - E_L;
    return true;
}

static void compare_with_twin(const subject *x, rv_advance advance)
{
    bool          mat2 = strcmp(x->model, "mat2_psc_exp") == 0;
    rv_population neuron;
    rv_net       *net = build(x, (rv_net_def){ .advance = advance }, &neuron);
    rv_probe      V = reference_record(net, neuron, "V_m", 0), watched = reference_record(net, neuron, x->watched, 0);
    ENSURE_OK(net, rv_run(net, N_STEPS * h));
    reference_list   got_V = reference_samples(net, V), got_watched = reference_samples(net, watched);
    reference_spikes got = reference_spikes_of(net, neuron);
    twin             n = { 0 };
    int64_t          spikes = 0;
    double           worst = 0;
    for (int step = 0; step < N_STEPS; step++) {
        if (twin_step(&n, mat2, x->w_ex, x->w_in, x->amplitude, step)) {
            ENSURE_NEAR_IN(spikes < got.n ? got.time_ms[spikes] : -1, (step + 1) * h, 1e-9, "ms", "%s, spike %d", x->model, (int)spikes);
            spikes++;
        }
        ENSURE_NEAR_IN(got_V.x[step], n.V + E_L, 1e-9, "mV", "%s: V_m at %g ms", x->model, (step + 1) * h);
        ENSURE_NEAR_IN(got_watched.x[step], mat2 ? omega + n.fast + n.slow : n.V + E_L, 1e-9, "mV", "%s: %s at %g ms", x->model, x->watched, (step + 1) * h);
        worst = reference_worse(worst, got_V.x[step], n.V + E_L);
    }
    assert_int_equal(got.n, spikes);
    print_message("%s, %s: %d spikes, V_m differs by %.2g mV\n", x->model, advance == RV_SWEEP ? "swept" : "jumped over", (int)spikes, worst);
    reference_list_free(&got_V), reference_list_free(&got_watched);
    reference_spikes_free(&got);
    rv_net_free(net);
}

static void test_on_the_grid(void **state)
{
    (void)state;
    for (int m = 0; m < 2; m++) {
        compare_with_twin(&subjects[m], RV_SWEEP);
        compare_with_twin(&subjects[m], RV_JUMP);
    }
}

/* On the grid a spike counts at the end of its step, which delays the next: first order in the resolution. */
static void test_izhikevich_converges(void **state)
{
    (void)state;
    double expected[MOST], before = INFINITY;
    int    n = run_equations(&subjects[2], expected);
    for (double resolution = 0.1; resolution > 0.01; resolution /= 4) {
        rv_population neuron;
        rv_net       *net = build(&subjects[2], (rv_net_def){ .resolution = resolution }, &neuron);
        ENSURE_OK(net, rv_run(net, N_STEPS * h));
        reference_spikes got = reference_spikes_of(net, neuron);
        double           worst = 0;
        assert_int_equal(got.n, n);
        for (int k = 0; k < n; k++) worst = reference_worse(worst, got.time_ms[k], expected[k]);
        print_message("izhikevich_2007 at %g ms: spikes differ from the exact ones by %.2g ms\n", resolution, worst);
        assert_true(worst < 0.6 * before && worst < 60 * resolution);
        before = worst;
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

/* ---- ignore_and_fire ----------------------------------------------------------------------------------------------- */

/* 12.5 Hz is 80 ms: 800 steps. Phase 0.25: the first spike after 20 ms. */
static void test_ignore_and_fire(void **state)
{
    (void)state;
    static const struct { rv_timing timing; rv_advance advance; double rate, period; } ways[] = {
        { RV_GRID, RV_SWEEP, 12.5, 80 }, { RV_GRID, RV_JUMP, 12.5, 80 }, { RV_EXACT, RV_ADAPTIVE, 12.5, 80 },
        { RV_GRID, RV_SWEEP, 70, 14.3 }, { RV_GRID, RV_JUMP, 70, 14.3 }, { RV_EXACT, RV_ADAPTIVE, 70, 1000 / 70.0 },
    };
    for (int w = 0; w < 6; w++) {
        rv_net       *net = reference_net((rv_net_def){ .timing = ways[w].timing, .advance = ways[w].advance });
        rv_population p = reference_population(net, "p", 1, "ignore_and_fire");
        reference_set_all(net, p, "rate", ways[w].rate, "phase", 0.25, NULL);
        reference_input(net, p, "poisson", "rate", 5000.0, "weight", 100.0, NULL);
        ENSURE_OK(net, rv_record_spikes(net, p));
        ENSURE_OK(net, rv_run(net, 2000));
        reference_spikes got = reference_spikes_of(net, p);
        assert_int_equal(got.n, (int)floor((2000 - 0.25 * ways[w].period) / ways[w].period) + 1);
        double first = ways[w].timing == RV_EXACT ? 0.25 * ways[w].period : rint(0.25 * ways[w].period / 0.1 - 0.1) * 0.1;
        for (int64_t k = 0; k < got.n; k++) ENSURE_NEAR_IN(got.time_ms[k], first + (double)k * ways[w].period, 1e-9, "ms", "way %d, spike %d", w, (int)k + 1);
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_on_the_grid), cmocka_unit_test(test_exact), cmocka_unit_test(test_izhikevich_converges),
                                        cmocka_unit_test(test_ignore_and_fire) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
