/* Neurons without a closed form: iaf_cond_*, aeif_*, hh_*.
 *
 * 1. Against NEST 3.10.0: V_m and spikes under a current step and under a fixed train of spikes, at 0.1 and 0.001 ms. NEST's
 *    integrator has errors of its own: up to 1e-3 mV in a step for iaf_cond_exp and hh_psc_alpha (its settings there).
 * 2. Against tests/support/integrated_twin.c, an independent integration by GSL with errors below 1e-10: every step on the
 *    grid, spike times in exact timing. */
#include "tests/support/integrated_twin.h"
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPIKES "tests/reference/single_spikes.txt"

/* ---- 1. NEST ---------------------------------------------------------------------------------------------------- */

typedef struct trial {
    const char *model;
    double      h;                         /* ms */
    bool        spikes;                    /* input: spikes, else a current step */
    double      amplitude, w_ex, w_in;     /* pA, nS or pA */
    double      tolerance;                 /* mV, where V_m does not move; three times what was found */
} trial;

static const trial trials[] = {
    { "iaf_cond_exp", 0.1, false, 350, 100, -40, 1e-9 },   { "iaf_cond_exp", 0.1, true, 350, 100, -40, 3e-5 },
    { "iaf_cond_exp", 0.001, false, 350, 100, -40, 1e-9 }, { "iaf_cond_exp", 0.001, true, 350, 100, -40, 1e-9 },
    { "aeif_cond_exp", 0.1, false, 800, 130, -30, 1e-2 },  { "aeif_cond_exp", 0.1, true, 800, 130, -30, 1e-3 },
    { "aeif_cond_exp", 0.001, false, 800, 130, -30, 3e-3 }, { "aeif_cond_exp", 0.001, true, 800, 130, -30, 1e-5 },
    { "hh_psc_alpha", 0.1, false, 650, 250, -150, 2e-2 },  { "hh_psc_alpha", 0.1, true, 650, 250, -150, 3e-3 },
    { "hh_psc_alpha", 0.001, false, 650, 250, -150, 2e-9 }, { "hh_psc_alpha", 0.001, true, 650, 250, -150, 1e-9 },
};

static rv_net *new_trial(const trial *t, rv_population *neuron)
{
    rv_net *net = reference_net((rv_net_def){ .resolution = t->h });
    *neuron = reference_population(net, "neuron", 1, t->model);
    if (t->spikes) {
        reference_list ex = reference_row(SPIKES, "input excitatory"), in = reference_row(SPIKES, "input inhibitory");
        reference_play(net, "ex", *neuron, ex, t->w_ex, 1.0);
        reference_play(net, "in", *neuron, in, t->w_in, 1.0);
        reference_list_free(&ex), reference_list_free(&in);
    } else {
        const double     times[] = { 50, 450 }, amplitudes[] = { t->amplitude, 0 };
        const rv_setting step[] = { { "times", rv_list(times, 2) }, { "amplitudes", rv_list(amplitudes, 2) } };
        ENSURE_OK(net, rv_input_new(net, rv_all(*neuron), "step", step, 2, NULL));
    }
    ENSURE_OK(net, rv_record_spikes(net, *neuron));
    return net;
}

static void compare_spikes(rv_net *net, rv_population neuron, const char *label)
{
    reference_spikes got = reference_spikes_of(net, neuron);
    reference_list   expected = reference_row(SPIKES, label);
    ENSURE_NEAR_IN((double)got.n, (double)expected.n, 0, "spikes", "%s", label);
    for (int64_t k = 0; k < got.n; k++)
        ENSURE_NEAR_IN(got.time_ms[k], expected.x[k], 1e-9, "ms", "%s, spike %d", label, (int)k);
    reference_spikes_free(&got);
    reference_list_free(&expected);
}

static void compare_V(rv_net *net, rv_probe probe, const trial *t, const char *label)
{
    reference_list expected = reference_table(reference_text("tests/reference/single_%s.csv", t->model), 5),
                   got = reference_samples(net, probe);
    int    column = 1 + t->spikes + 2 * (t->h < 0.1);
    double worst = 0;
    assert_int_equal(got.n, expected.n / 5);
    for (int64_t k = 0; k < got.n; k++) {
        const double *row = expected.x + 5 * k;
        ENSURE_NEAR_IN(got.x[k], row[column], t->tolerance, "mV", "%s: V_m at %g ms", label, row[0]);
        worst = reference_worse(worst, got.x[k], row[column]);
    }
    print_message("%s: same spikes as NEST, V_m within %.2g mV\n", label, worst);
    reference_list_free(&expected);
    reference_list_free(&got);
}

static void test_against_nest(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof trials / sizeof *trials; k++) {
        const trial  *t = &trials[k];
        rv_population neuron;
        rv_net       *net = new_trial(t, &neuron);
        rv_probe      probe = reference_record(net, neuron, "V_m", 1.0);
        const char   *label = reference_text("%s %s %g", t->model, t->spikes ? "spk" : "step", t->h);
        ENSURE_OK(net, rv_run(net, 500));
        compare_spikes(net, neuron, label);
        compare_V(net, probe, t, label);
        rv_net_free(net);
    }
}

/* ---- 2. the twin -------------------------------------------------------------------------------------------------- */

/* Weights and a current that make each model spike now and then. */
typedef struct scene {
    const char *model;
    double      I_e, w_ex, w_in, t_ref, Delta_T; /* t_ref, Delta_T: NAN: the default */
    double      V_tolerance, t_tolerance;        /* mV where V_m moves by less than 1 mV/ms; ms */
} scene;

static const scene scenes[] = {
    { "iaf_cond_exp", 200, 40, -20, NAN, NAN, 1e-5, 1e-9 },
    { "iaf_cond_alpha", 200, 20, -10, NAN, NAN, 1e-5, 1e-9 },
    { "iaf_cond_beta", 200, 20, -10, NAN, NAN, 1e-5, 1e-9 },
    { "aeif_cond_exp", 600, 60, -30, NAN, NAN, 1e-3, 1e-9 },
    { "aeif_cond_exp", 600, 60, -30, 2, NAN, 1e-3, 1e-9 },
    { "aeif_cond_exp", 600, 60, -30, 1, 0, 1e-3, 1e-9 },
    { "aeif_cond_alpha", 600, 30, -10, NAN, NAN, 1e-3, 1e-9 },
    { "aeif_psc_exp", 600, 3000, -200, NAN, NAN, 1e-3, 1e-9 },
    { "aeif_psc_alpha", 600, 1500, -100, 2, NAN, 1e-3, 1e-9 },
    { "hh_psc_alpha", 500, 250, -150, NAN, NAN, 1e-3, 1e-9 },
    { "hh_cond_exp_traub", 100, 5, -10, NAN, NAN, 1e-3, 1e-9 },
};

static const double duration = 300; /* ms */

/* Excitatory and inhibitory trains; in exact timing off the grid. */
static twin_arrival *arrivals_of(const scene *s, rv_timing timing, int *n)
{
    reference_list ex = reference_row(SPIKES, "input excitatory"), in = reference_row(SPIKES, "input inhibitory");
    twin_arrival  *list = calloc((size_t)(ex.n + in.n), sizeof *list);
    double         shift = timing == RV_EXACT ? 0.0371 : 0;
    *n = 0;
    for (int64_t k = 0; k < ex.n; k++)
        if (ex.x[k] < duration - 2) list[(*n)++] = (twin_arrival){ ex.x[k] + shift + 1, s->w_ex };
    for (int64_t k = 0; k < in.n; k++)
        if (in.x[k] < duration - 2) list[(*n)++] = (twin_arrival){ in.x[k] + shift + 1, s->w_in };
    reference_list_free(&ex), reference_list_free(&in);
    return list;
}

static void play(rv_net *net, rv_population neuron, const twin_arrival *a, int n, double weight, const char *name)
{
    reference_list times = { 0, calloc((size_t)n + 1, sizeof(double)) };
    for (int k = 0; k < n; k++)
        if (a[k].weight == weight) times.x[times.n++] = a[k].time - 1;
    reference_play(net, name, neuron, times, weight, 1.0);
    reference_list_free(&times);
}

static rv_net *new_scene(const scene *s, rv_timing timing, double h, const twin_arrival *a, int n, rv_population *neuron)
{
    rv_net *net = reference_net((rv_net_def){ .resolution = h, .timing = timing });
    *neuron = reference_population(net, "neuron", 1, s->model);
    reference_set(net, *neuron, "I_e", s->I_e);
    if (!isnan(s->t_ref)) reference_set(net, *neuron, "t_ref", s->t_ref);
    if (!isnan(s->Delta_T)) reference_set(net, *neuron, "Delta_T", s->Delta_T);
    if (strcmp(s->model, "iaf_cond_beta") == 0)
        reference_set_all(net, *neuron, "tau_rise_ex", 0.3, "tau_decay_ex", 1.5, "tau_rise_in", 3.0, "tau_decay_in", 1.0, NULL);
    play(net, *neuron, a, n, s->w_ex, "ex");
    play(net, *neuron, a, n, s->w_in, "in");
    ENSURE_OK(net, rv_record_spikes(net, *neuron));
    return net;
}

static void compare(const scene *s, rv_timing timing, double h)
{
    int           n;
    twin_arrival *a = arrivals_of(s, timing, &n);
    rv_population neuron;
    rv_net       *net = new_scene(s, timing, h, a, n, &neuron);
    rv_probe      probe = reference_record(net, neuron, "V_m", h);
    integrated_twin *twin = integrated_twin_run(net, neuron, a, n, duration);
    ENSURE_OK(net, rv_run(net, duration));
    reference_spikes got = reference_spikes_of(net, neuron);
    reference_list   V = reference_samples(net, probe);
    const char      *label = reference_text("%s, %s timing, %g ms%s", s->model, timing == RV_EXACT ? "exact" : "grid", h,
                                            isnan(s->t_ref) ? "" : s->Delta_T == 0 ? ", Delta_T = 0" : ", refractory");
    double worst_t = 0, worst_V = 0;
    ENSURE_NEAR_IN((double)got.n, (double)twin->n_spikes, 0, "spikes", "%s", label);
    assert_true(got.n >= 3 && V.n == twin->n_samples);
    for (int64_t k = 0; k < got.n; k++) {
        ENSURE_NEAR_IN(got.time_ms[k], twin->spike[k], s->t_tolerance, "ms", "%s, spike %d", label, (int)k);
        worst_t = reference_worse(worst_t, got.time_ms[k], twin->spike[k]);
    }
    for (int64_t k = 0; k < V.n; k++) {
        double steep = fmax(1, fabs(twin->slope[k]));
        ENSURE_NEAR_IN(V.x[k], twin->V[k], (timing == RV_EXACT ? 1e-8 : s->V_tolerance) * steep, "mV", "%s: V_m at %g ms", label, (double)(k + 1) * h);
        worst_V = reference_worse(worst_V, V.x[k] / steep, twin->V[k] / steep);
    }
    print_message("%s: %d spikes, largest deviation %.2g ms; V_m %.2g mV\n", label, (int)got.n, worst_t, worst_V);
    reference_spikes_free(&got), reference_list_free(&V), integrated_twin_free(twin), free(a), rv_net_free(net);
}

static void test_grid_against_the_twin(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) compare(&scenes[k], RV_GRID, 0.1);
    compare(&scenes[0], RV_GRID, 0.5);
    compare(&scenes[3], RV_GRID, 0.5);
    compare(&scenes[9], RV_GRID, 0.5);
}

static void test_exact_against_the_twin(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) compare(&scenes[k], RV_EXACT, 0.1);
    compare(&scenes[0], RV_EXACT, 1);
    compare(&scenes[3], RV_EXACT, 1);
}

/* ---- 3. what does not depend on neighbours, threads and the way to advance ------------------------------------------- */

enum { N_CROWD = 131 };

/* V_m after 60 ms of n neurons, each under its own current, with Poisson input from generators they share. */
static void run_crowd(const scene *s, rv_net_def def, int first, int n, double *V)
{
    double        I_e[N_CROWD];
    rv_net       *net = reference_net(def);
    rv_population p = reference_population(net, "neurons", n, s->model);
    reference_list times = reference_row(SPIKES, "input excitatory");
    for (int i = 0; i < n; i++) I_e[i] = s->I_e * (0.5 + 0.01 * (first + i));
    ENSURE_OK(net, rv_set(net, p, "I_e", rv_list(I_e, n)));
    times.n = 20; /* the first 40 ms */
    reference_play(net, "ex", p, times, s->w_ex, 1.0);
    ENSURE_OK(net, rv_run(net, 60));
    ENSURE_OK(net, rv_get(net, rv_all(p), "V_m", V));
    reference_list_free(&times);
    rv_net_free(net);
}

/* One neuron alone takes the scalar end of the vectorised loop. */
static void test_same_bits(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof scenes / sizeof *scenes; k++) {
        double together[N_CROWD], again[N_CROWD];
        run_crowd(&scenes[k], (rv_net_def){ .resolution = 0.1 }, 0, N_CROWD, together);
        run_crowd(&scenes[k], (rv_net_def){ .resolution = 0.1, .threads = 2, .advance = RV_JUMP }, 0, N_CROWD, again);
        assert_memory_equal(together, again, sizeof together);
        for (int i = 0; i < N_CROWD; i += 13) {
            run_crowd(&scenes[k], (rv_net_def){ .resolution = 0.1 }, i, 1, again);
            if (together[i] != again[0]) fail_msg("%s: neuron %d: %a mV among others, %a mV alone", scenes[k].model, i, together[i], again[0]);
        }
    }
}

/* ---- 4. what is refused ----------------------------------------------------------------------------------------------- */

static void test_contradictions(void **state)
{
    (void)state;
    static const struct { const char *model, *name; double value; const char *sentence; } refused[] = {
        { "iaf_cond_exp", "V_reset", -50, "V_reset must be below V_th" },
        { "iaf_cond_alpha", "g_L", 1e6, "5000 C_m / ms" },
        { "aeif_cond_exp", "V_peak", -60, "V_peak must not be below V_th" },
        { "aeif_psc_exp", "V_reset", 10, "V_reset must be below V_peak" },
        { "aeif_psc_alpha", "Delta_T", 0.01, "(V_peak - V_th) / Delta_T" },
        { "hh_psc_alpha", "g_Na", 1e9, "g_Na, g_K and g_L" },
    };
    for (size_t k = 0; k < sizeof refused / sizeof *refused; k++) {
        rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1 });
        rv_population p = reference_population(net, "p", 1, refused[k].model);
        reference_set(net, p, refused[k].name, refused[k].value);
        if (strcmp(refused[k].name, "g_L") == 0) reference_set(net, p, "C_m", 1);
        assert_int_equal(rv_run(net, 1), RV_CONFLICT);
        if (!strstr(rv_net_error(net)->text, refused[k].sentence))
            fail_msg("%s: expected \"%s\" in: %s", refused[k].model, refused[k].sentence, rv_net_error(net)->text);
        rv_net_free(net);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_nest),
        cmocka_unit_test(test_grid_against_the_twin),
        cmocka_unit_test(test_exact_against_the_twin),
        cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_contradictions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
