/* Neurons that fire at random, gif_psc_exp and pp_psc_delta: by the time rescaling theorem (Brown et al. 2002,
 * doi:10.1162/08997660252741149) the integrals of the hazard between their spikes are exponentially distributed. Here the hazard is
 * computed from the spikes alone, in closed form. Rates and CVs against closed forms; the same spikes for any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"
#include "tests/support/reference.h"

enum { N = 100, DURATION = 5000 /* ms */ };
static const double h = 0.1, fine = 0.2;

/* ---- statistics ---------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance from the exponential distribution of mean 1, times the root of n: above 2 once in 1500 times. */
static double distance_from_exponential(double *x, int n)
{
    double worst = 0;
    qsort(x, (size_t)n, sizeof *x, ascending);
    for (int k = 0; k < n; k++) {
        double F = -expm1(-x[k]);
        worst = fmax(worst, fmax((k + 1.0) / n - F, F - (double)k / n));
    }
    return worst * sqrt(n);
}

/* ---- integrals of the hazard --------------------------------------------------------------------------------------- */

typedef struct history { /* of one neuron */
    double stc[2], sfa[2];
    double spike; /* ms: the last one */
} history;

typedef struct subject {
    const char *model;
    double      dead; /* ms */
    /** The hazard (1/ms) t ms after the end of the dead time. */
    double (*hazard)(const history *y, double t);
    void (*set)(rv_net *net, rv_population p);
} subject;

static const double C_m = 83, g_L = 8.1, E_L = -68, V_reset = -58, I_e = 230, lambda_0 = 12, Delta_V = 2.2, V_T = -44, t_ref = 3, q_stc[] = { 40, 9 },
                    tau_stc[] = { 25, 170 }, q_sfa[] = { 5, 1.5 }, tau_sfa[] = { 15, 120 };

static double gif_hazard(const history *y, double t)
{
    double m = g_L / C_m, V_end = E_L + I_e / g_L, V = V_end + (V_reset - V_end) * exp(-m * t), threshold = V_T;
    for (int k = 0; k < 2; k++) {
        V -= y->stc[k] * exp(-t_ref / tau_stc[k]) / C_m * (exp(-t / tau_stc[k]) - exp(-m * t)) / (m - 1 / tau_stc[k]);
        threshold += y->sfa[k] * exp(-(t + t_ref) / tau_sfa[k]);
    }
    return lambda_0 / 1000 * exp((V - threshold) / Delta_V);
}

static void set_gif(rv_net *net, rv_population p)
{
    reference_set_all(net, p, "C_m", C_m, "g_L", g_L, "E_L", E_L, "V_reset", V_reset, "I_e", I_e, "lambda_0", lambda_0, "Delta_V", Delta_V, "V_T_star", V_T, "t_ref",
                      t_ref, "q_stc_1", q_stc[0], "q_stc_2", q_stc[1], "tau_stc_1", tau_stc[0], "tau_stc_2", tau_stc[1], "q_sfa_1", q_sfa[0], "q_sfa_2", q_sfa[1],
                      "tau_sfa_1", tau_sfa[0], "tau_sfa_2", tau_sfa[1], NULL);
}

/* tau_m = 10 ms and I_e = 500 pA: V_m goes from 0 to 20 mV, also during the dead time of 1.5 ms. */
static double pp_hazard(const history *y, double t)
{
    double V = 20 * -expm1(-(t + 1.5) / 10);
    for (int k = 0; k < 2; k++) V -= y->sfa[k] * exp(-(t + 1.5) / tau_sfa[k]);
    double rate = 0.8 * V + 1.238 * exp(0.25 * V);
    return rate > 0 ? rate / 1000 : 0;
}

static void set_pp(rv_net *net, rv_population p)
{
    reference_set_all(net, p, "I_e", 500.0, "dead_time", 1.5, "c_1", 0.8, "q_sfa_1", q_sfa[0], "q_sfa_2", q_sfa[1], "tau_sfa_1", tau_sfa[0], "tau_sfa_2", tau_sfa[1], NULL);
}

static const subject subjects[] = { { "gif_psc_exp", 3, gif_hazard, set_gif }, { "pp_psc_delta", 1.5, pp_hazard, set_pp } };

/* On the grid the hazard acts at the ends of steps, and the last step's is gone through in part: the part is drawn (Haslinger,
 * Pipa & Brown 2010, doi:10.1162/neco.2010.12-09-1078). In exact timing: Simpson's rule. */
static double integral(const subject *x, const history *y, double length, bool exact, rv_random *random)
{
    double sum = 0;
    if (!exact) {
        int steps = (int)rint(length / h);
        for (int k = 1; k < steps; k++) sum += x->hazard(y, k * h) * h;
        return sum - log1p(random_uniform(random) * expm1(-x->hazard(y, steps * h) * h));
    }
    int    pieces = 1 + (int)(length / fine);
    double piece = length / pieces;
    for (int k = 0; k < pieces; k++)
        sum += piece / 6 * (x->hazard(y, k * piece) + 4 * x->hazard(y, (k + 0.5) * piece) + x->hazard(y, (k + 1) * piece));
    return sum;
}

static void note_spike(history *y, double time)
{
    for (int k = 0; k < 2; k++) {
        y->stc[k] = y->stc[k] * exp(-(time - y->spike) / tau_stc[k]) + q_stc[k];
        y->sfa[k] = y->sfa[k] * exp(-(time - y->spike) / tau_sfa[k]) + q_sfa[k];
    }
    y->spike = time;
}

static reference_spikes run(const subject *x, rv_timing timing, int threads, double duration)
{
    rv_net       *net = reference_net((rv_net_def){ .timing = timing, .threads = threads, .seed = 3 });
    rv_population p = reference_population(net, "p", N, x->model);
    x->set(net, p);
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_run(net, duration));
    reference_spikes spikes = reference_spikes_of(net, p);
    rv_net_free(net);
    return spikes;
}

static void check_rescaled(const subject *x, bool exact)
{
    reference_spikes got = run(x, exact ? RV_EXACT : RV_GRID, 1, DURATION);
    static history   y[N];
    double          *rescaled = malloc((size_t)got.n * sizeof *rescaled);
    rv_random        random = random_stream(1, RANDOM_USER, 0, 0);
    int              n = 0;
    memset(y, 0, sizeof y);
    for (int64_t k = 0; k < got.n; k++) {
        history *own = &y[got.neuron[k]];
        if (own->spike > 0) rescaled[n++] = integral(x, own, got.time_ms[k] - own->spike - x->dead, exact, &random);
        note_spike(own, got.time_ms[k]);
    }
    double distance = distance_from_exponential(rescaled, n);
    print_message("%s, %s: %d intervals, %.3g Hz, distance %.2f (2 is rare)\n", x->model, exact ? "exact" : "grid", n, (double)got.n / N / DURATION * 1000, distance);
    assert_true(n > 4000);
    ENSURE_NEAR_IN(distance, 0, 2, "1", "%s, %s: distance from the exponential distribution", x->model, exact ? "exact" : "grid");
    free(rescaled);
    reference_spikes_free(&got);
}

static void test_time_rescaling(void **state)
{
    (void)state;
    for (int m = 0; m < 2; m++) {
        check_rescaled(&subjects[m], false);
        check_rescaled(&subjects[m], true);
    }
}

/* ---- a constant rate and random dead times ------------------------------------------------------------------------- */

/* Intervals are a gamma distributed dead time (mean 8 ms, shape 4) and an exponential one (mean 20 ms). */
static void test_dead_times(void **state)
{
    (void)state;
    for (int exact = 0; exact < 2; exact++) {
        rv_net       *net = reference_net((rv_net_def){ .timing = exact ? RV_EXACT : RV_GRID });
        rv_population p = reference_population(net, "p", N, "pp_psc_delta");
        double        last[N] = { 0 }, sum = 0, squares = 0, mean = 28, variance = 8 * 8 / 4.0 + 20 * 20;
        int           n = 0;
        reference_set_all(net, p, "c_2", 50.0, "c_3", 0.0, "dead_time", 8.0, "dead_time_random", 1.0, "dead_time_shape", 4.0, NULL);
        ENSURE_OK(net, rv_record_spikes(net, p));
        ENSURE_OK(net, rv_run(net, DURATION));
        reference_spikes got = reference_spikes_of(net, p);
        for (int64_t k = 0; k < got.n; k++) {
            double *before = &last[got.neuron[k]], interval = got.time_ms[k] - *before;
            if (*before > 0) sum += interval, squares += (interval - mean) * (interval - mean), n++;
            *before = got.time_ms[k];
        }
        print_message("%s: %d intervals, mean %.3f ms (28), CV %.4f (%.4f)\n", exact ? "exact" : "grid", n, sum / n, sqrt(squares / n) / (sum / n), sqrt(variance) / mean);
        ENSURE_NEAR(sum / n, mean + (exact ? 0 : 0.05), 4 * sqrt(variance / n), "ms");
        ENSURE_NEAR(squares / n / variance, 1, 4 * sqrt(8.0 / n), "1");
        reference_spikes_free(&got);
        rv_net_free(net);
    }
}

/* ---- determinism --------------------------------------------------------------------------------------------------- */

static void test_threads(void **state)
{
    (void)state;
    for (int m = 0; m < 4; m++) {
        reference_spikes one = run(&subjects[m / 2], m % 2 ? RV_EXACT : RV_GRID, 1, 500), three = run(&subjects[m / 2], m % 2 ? RV_EXACT : RV_GRID, 3, 500);
        assert_int_equal(one.n, three.n);
        for (int64_t k = 0; k < one.n; k++) assert_true(one.neuron[k] == three.neuron[k] && one.time_ms[k] == three.time_ms[k]);
        reference_spikes_free(&one), reference_spikes_free(&three);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_time_rescaling), cmocka_unit_test(test_dead_times), cmocka_unit_test(test_threads) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
