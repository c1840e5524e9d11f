/* stdp_voltage: the published protocol of NEST's own test of clopath_synapse, and a plain twin of quadratic time, which sums
 * filtered membrane potentials over all steps before and traces over all spikes, from a recording of V_m. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

#define RELATIVE 1e-12

/* ---- NEST ------------------------------------------------------------------------------------------------------- */

/* Pairs 10 ms apart at 10, 30 and 50 Hz, post before pre and pre before post; weights normalised as there. From
 * testsuite/pytests/test_clopath_synapse.py of NEST 3, aeif_psc_delta_clopath. */
typedef struct pairing {
    int    n;
    double pre[6], post[6]; /* ms */
    double nest;            /* % */
} pairing;

static const pairing pairings[] = {
    { 5, { 29, 129, 229, 329, 429 }, { 19, 119, 219, 319, 419 }, 57.82638722 },
    { 5, { 29, 62.3, 95.7, 129, 162.3 }, { 19, 52.3, 85.7, 119, 152.3 }, 72.16730112 },
    { 5, { 29, 49, 69, 89, 109 }, { 19, 39, 59, 79, 99 }, 149.43359357 },
    { 6, { 129, 229, 329, 429, 529, 629 }, { 139, 239, 339, 439, 539, 639 }, 103.30408341 },
    { 6, { 62.3, 95.6, 129, 162.3, 195.6, 229 }, { 72.3, 105.6, 139, 172.3, 205.6, 239 }, 124.03640668 },
    { 6, { 49, 69, 89, 109, 129, 149 }, { 59, 79, 99, 119, 139, 159 }, 157.02882555 },
};

static double run_pairing(const pairing *p, double h)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = h });
    rv_population pre = reference_population(net, "pre", 1, "spike_generator"), told = reference_population(net, "told", 1, "spike_generator");
    rv_population n = reference_population(net, "n", 1, "aeif_psc_delta_clopath");
    rv_projection j;
    double        w, pre_times[6];
    const rv_setting rule[] = { { "delay_u_bars", rv_number(4) } };
    reference_set_all(net, n, "V_m", -70.6, "b", 0.0805, "V_reset", -70.6 + 21, NULL);
    for (int k = 0; k < p->n; k++) pre_times[k] = p->pre[k] + 0.1; /* through a parrot */
    ENSURE_OK(net, rv_set_spike_times(net, pre, 0, pre_times, p->n));
    ENSURE_OK(net, rv_set_spike_times(net, told, 0, p->post, p->n));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(told), .target = rv_all(n), .rule = "one_to_one", .weight = rv_number(80), .delay = rv_number(0.1) }, NULL));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(n), .rule = "one_to_one", .weight = rv_number(0.5), .delay = rv_number(0.1),
                                                      .plasticity = "stdp_voltage", .settings = rule, .n_settings = 1 }, &j));
    /* the recorder of weights saw the last presynaptic spike, and nothing after it */
    ENSURE_OK(net, rv_run(net, p->pre[p->n - 1] + 0.2));
    ENSURE_OK(net, rv_synapses(net, j, NULL, NULL, &w, NULL));
    rv_net_free(net);
    return 100 * 15 * (w - 0.5) / 0.5 + 100;
}

static void test_pairings_of_nest(void **state)
{
    (void)state;
    double worst = 0;
    for (int k = 0; k < 6; k++) {
        double got = run_pairing(&pairings[k], 0.1), fine = run_pairing(&pairings[k], 0.025);
        print_message("pairing %d: %.4f (0.1 ms), %.4f (0.025 ms), NEST %.4f %%\n", k + 1, got, fine, pairings[k].nest);
        ENSURE_NEAR_IN(got, pairings[k].nest, 0.5, "%", "pairing %d", k + 1);
        worst = fmax(worst, fabs(got - pairings[k].nest));
    }
    print_message("largest deviation from NEST: %.2g %% points\n", worst);
}

/* ---- the twin ----------------------------------------------------------------------------------------------------- */

enum { N = 70, PRE = 5, SPIKES = 14 };
static const double h = 0.1, duration = 80;

typedef struct rule {
    double A_LTP, A_LTD, theta_plus, theta_minus, plus, minus, bar, delay, constant, u_ref_squared, tau_x, fraction;
} rule;

/* A filtered value after step `at`, from every V_m before it: V[k] is that after k steps, V[0] that of the beginning. */
static double filtered(const double *V, int at, double tau)
{
    double keep = exp(-h / tau), sum = V[0] * pow(keep, fmax(at, 0));
    for (int k = 0; k < at; k++) sum += (1 - keep) * V[k] * pow(keep, at - 1 - k);
    return at <= 0 ? V[0] : sum;
}

static double mean_depolarisation(const double *V, int at, const rule *r)
{
    double keep = exp(-h / r->bar), sum = (V[0] - r->theta_minus) * pow(keep, at);
    for (int k = 0; k < at; k++) sum += (1 - keep) * (filtered(V, k, r->minus) - r->theta_minus) * pow(keep, at - 1 - k);
    return sum;
}

static double twin(const double *V, int n_steps, const double *pre, double delay, const rule *r)
{
    int    late = (int)rint(r->delay / h), dendritic = (int)rint(r->fraction * rint(delay / h)), axonal = (int)rint(delay / h) - dendritic;
    double w = 0, none = 1e-9;
    for (int s = 1; s <= n_steps; s++) { /* potentiation of every step that has reached the synapse */
        if (V[s] <= r->theta_plus || s > n_steps - 2 * dendritic) continue;
        double x = 0, change = h * r->A_LTP * (V[s] - r->theta_plus) * fmax(0, filtered(V, s - late, r->plus) - r->theta_minus);
        for (int k = 0; k < SPIKES; k++) {
            double since = (s + dendritic) * h - (pre[k] + axonal * h);
            bool   before = dendritic > 0 ? since > none : since > -none; /* without a dendrite the presynaptic spike comes first */
            if (before) x += exp(-since / r->tau_x) / r->tau_x;
        }
        w += change * x;
    }
    for (int k = 0; k < SPIKES; k++) {
        int moment = (int)rint(pre[k] / h) + axonal - dendritic, arrival = moment + 2 * dendritic;
        if (arrival > n_steps || moment <= 0) continue;
        if (dendritic == 0) moment--; /* V_m of the step in which it arrives is not known yet */
        double u_bar = mean_depolarisation(V, moment, r);
        double scale = r->constant == 1 ? 1 : u_bar * u_bar / r->u_ref_squared;
        w -= scale * r->A_LTD * fmax(0, filtered(V, moment - late, r->minus) - r->theta_minus);
    }
    return w;
}

static int compare(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static double check_twin(const rule *r, int threads, rv_advance advance)
{
    rv_random     random = random_stream(3, RANDOM_USER, 5, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = h, .threads = threads, .seed = 8, .advance = advance });
    rv_population pre = reference_population(net, "pre", PRE, "spike_generator"), n = reference_population(net, "n", N, "iaf_psc_exp");
    rv_projection j;
    double        times[PRE][SPIKES], worst = 0;
    const rv_setting set[] = { { "A_LTP", rv_number(r->A_LTP) }, { "A_LTD", rv_number(r->A_LTD) }, { "theta_plus", rv_number(r->theta_plus) }, { "theta_minus", rv_number(r->theta_minus) },
                               { "tau_u_bar_plus", rv_number(r->plus) }, { "tau_u_bar_minus", rv_number(r->minus) }, { "tau_u_bar_bar", rv_number(r->bar) },
                               { "delay_u_bars", rv_number(r->delay) }, { "A_LTD_const", rv_number(r->constant) }, { "u_ref_squared", rv_number(r->u_ref_squared) },
                               { "tau_x", rv_number(r->tau_x) }, { "dendritic_fraction", rv_number(r->fraction) }, { "Wmax", rv_number(1000) } };
    for (int k = 0; k < PRE; k++) {
        for (int i = 0; i < SPIKES; i++) times[k][i] = h * rint((1 + (duration - 12) * random_uniform(&random)) / h);
        qsort(times[k], SPIKES, sizeof(double), compare);
        for (int i = 1; i < SPIKES; i++)
            if (times[k][i] < times[k][i - 1] + 0.5 * h) times[k][i] = times[k][i - 1] + h;
        ENSURE_OK(net, rv_set_spike_times(net, pre, k, times[k], SPIKES));
    }
    ENSURE_OK(net, rv_set(net, n, "V_m", rv_uniform(-70, -60)));
    reference_input(net, n, "poisson", "rate", 6000.0, "weight", 60.0, NULL);
    rv_probe V_m = reference_record(net, n, "V_m", 0);
    ENSURE_OK(net, rv_record_spikes(net, n));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(n), .rule = "all_to_all", .weight = rv_number(500), .delay = rv_uniform(0.2, 6),
                                                      .plasticity = "stdp_voltage", .settings = set, .n_settings = 13 }, &j));
    ENSURE_OK(net, rv_run(net, duration));
    assert_true(rv_spike_count(net, n) > N);
    int            n_steps = (int)rint(duration / h), changed = 0, checked = 0;
    reference_list samples = reference_samples(net, V_m);
    int64_t        sources[PRE * N], targets[PRE * N];
    double         weights[PRE * N], delays[PRE * N], *V = malloc(((size_t)n_steps + 1) * sizeof *V);
    ENSURE_OK(net, rv_synapses(net, j, sources, targets, weights, delays));
    for (int k = 0; k < PRE * N; k += 7) {
        for (int s = 1; s <= n_steps; s++) V[s] = samples.x[(s - 1) * N + targets[k]];
        V[0] = V[1]; /* the first V_m the rule sees is that after the first step */
        double expected = 500 + twin(V, n_steps, times[sources[k]], delays[k], r);
        ENSURE_NEAR_IN(weights[k], expected, RELATIVE * expected, "(weight)", "%d -> %d, delay %g ms, dendritic %g", (int)sources[k], (int)targets[k], delays[k], r->fraction);
        changed += fabs(expected - 500) > 1e-3, checked++;
        worst = reference_worse(worst, weights[k], expected);
    }
    assert_true(changed > 0.9 * checked);
    free(V), reference_list_free(&samples);
    rv_net_free(net);
    return worst;
}

static void test_twin(void **state)
{
    (void)state;
    static const rule rules[] = {
        { 8e-3, 14e-3, -60, -70, 7, 10, 300, 5, 1, 60, 15, 1 },
        { 2e-2, 5e-3, -58, -66, 3, 30, 40, 0, 0, 60, 25, 0 },
        { 8e-3, 14e-3, -60, -69, 20, 5, 100, 1.3, 0, 20, 5, 0.5 },
    };
    double worst = 0;
    for (int k = 0; k < 3; k++)
        for (int threads = 1; threads <= 3; threads += 2) worst = fmax(worst, check_twin(&rules[k], threads, k == 0 ? RV_JUMP : RV_ADAPTIVE));
    print_message("largest relative deviation from the twin: %.2g\n", worst);
}

/* ---- what is refused ---------------------------------------------------------------------------------------------- */

static void expect_refused(rv_timing timing, const char *model, const char *part)
{
    rv_net       *net = reference_net((rv_net_def){ .timing = timing });
    rv_population pre = reference_population(net, "pre", 1, "spike_generator"), n = reference_population(net, "n", 1, model);
    rv_status     status = rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(n), .rule = "all_to_all", .plasticity = "stdp_voltage" }, NULL);
    assert_true(status != RV_OK);
    if (!strstr(rv_net_error(net)->text, part)) fail_msg("expected \"%s\" in: %s", part, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refused(RV_EXACT, "iaf_psc_exp", "exact timing: plasticity \"stdp_voltage\" needs the membrane potential at every step");
    expect_refused(RV_GRID, "parrot_neuron", "parrot_neuron has no V_m");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_pairings_of_nest), cmocka_unit_test(test_twin), cmocka_unit_test(test_refusals) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
