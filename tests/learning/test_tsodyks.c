/* tsodyks: what is delivered at each spike against the recursions of the papers, written as in NEST's tsodyks2_synapse and
 * tsodyks_synapse; the equations themselves, integrated in small steps; on the grid and in exact timing. */
#include "tests/support/told.h"

#include <math.h>

#include "sim/random.h"

#define RELATIVE 1e-12

typedef struct short_term {
    double U, tau_rec, tau_fac, tau_psc;
} short_term;

static const short_term kinds[] = { { 0.5, 800, 0, 0 }, { 0.05, 100, 1000, 0 }, { 0.67, 450, 1000, 0 }, { 0.5, 800, 0, 3 }, { 0.04, 100, 1000, 3 }, { 0.5, 30, 20, 30 } };
enum { N_KINDS = sizeof kinds / sizeof *kinds };

/* Tsodyks, Pawelzik & Markram 1998, Eqs. 2.1 to 2.5, from spike to spike; x and u at rest before the first. */
static void expect_without_psc(const short_term *p, const reference_list *spikes, double *part)
{
    double x = 1, u = p->U;
    for (int64_t k = 0; k < spikes->n; k++) {
        double h = k > 0 ? spikes->x[k] - spikes->x[k - 1] : 0;
        if (k > 0) x = 1 + (x - x * u - 1) * exp(-h / p->tau_rec), u = p->U + u * (1 - p->U) * (p->tau_fac > 0 ? exp(-h / p->tau_fac) : 0);
        part[k] = x * u;
    }
}

/* Tsodyks, Uziel & Markram 2000 in the form of NEST: the propagators of x, y, z; tau_psc is not tau_rec. */
static void expect_with_psc(const short_term *p, const reference_list *spikes, double *part)
{
    double x = 1, y = 0, u = 0;
    for (int64_t k = 0; k < spikes->n; k++) {
        double h = k > 0 ? spikes->x[k] - spikes->x[k - 1] : 0;
        double Puu = p->tau_fac > 0 ? exp(-h / p->tau_fac) : 0, Pyy = exp(-h / p->tau_psc), Pzz = exp(-h / p->tau_rec);
        double Pxy = ((Pzz - 1) * p->tau_rec - (Pyy - 1) * p->tau_psc) / (p->tau_psc - p->tau_rec), z = 1 - x - y;
        u *= Puu, x += Pxy * y + (1 - Pzz) * z, y *= Pyy;
        u += p->U * (1 - u);
        part[k] = u * x;
        x -= part[k], y += part[k];
    }
}

/* The equations by Runge and Kutta, 1000 steps between two spikes. */
static void expect_integrated(const short_term *p, const reference_list *spikes, double *part)
{
    double s[3] = { 1, 0, 0 };
    for (int64_t k = 0; k < spikes->n; k++) {
        double h = k > 0 ? (spikes->x[k] - spikes->x[k - 1]) / 1000 : 0;
        for (int i = 0; i < 1000 && k > 0; i++) {
            double slope[4][3], mid[3];
            for (int stage = 0; stage < 4; stage++) {
                for (int v = 0; v < 3; v++) mid[v] = s[v] + (stage == 0 ? 0 : (stage == 3 ? 1 : 0.5) * h * slope[stage - 1][v]);
                slope[stage][0] = (1 - mid[0] - mid[1]) / p->tau_rec;
                slope[stage][1] = -mid[1] / p->tau_psc;
                slope[stage][2] = p->tau_fac > 0 ? -mid[2] / p->tau_fac : 0;
            }
            for (int v = 0; v < 3; v++) s[v] += h / 6 * (slope[0][v] + 2 * slope[1][v] + 2 * slope[2][v] + slope[3][v]);
        }
        if (k > 0 && p->tau_fac == 0 && h > 0) s[2] = 0;
        s[2] += p->U * (1 - s[2]);
        part[k] = s[2] * s[0];
        s[0] -= part[k], s[1] += part[k];
    }
}

static reference_list spikes_of(rv_timing timing)
{
    static double x[400];
    rv_random     random = random_stream(3, RANDOM_USER, (uint32_t)timing, 0);
    int           n = 0;
    for (int ms = 5; n < 390 && ms < 1900; ms += 1 + (int)random_below(&random, 12)) x[n++] = ms + (timing == RV_EXACT ? random_uniform(&random) : 0.1 * (double)random_below(&random, 10));
    return (reference_list){ n, x };
}

/* The membrane forgets within a step on the grid: V_m is what was delivered. In exact timing it leaks slowly: V_m is the sum. */
static const double slow = 1e5; /* ms */

static void delivered(const short_term *p, rv_timing timing, const reference_list *spikes, double weight, double delay, bool drawn, double *part)
{
    rv_net        *net = reference_net((rv_net_def){ .resolution = 0.1, .timing = timing });
    rv_population  pre = reference_population(net, "pre", 1, "spike_generator"), post = reference_population(net, "post", 2, "iaf_psc_delta");
    rv_setting     settings[] = { { "U", rv_number(p->U) }, { "tau_rec", rv_number(p->tau_rec) }, { "tau_fac", rv_number(p->tau_fac) }, { "tau_psc", rv_number(p->tau_psc) } };
    rv_connect_def def = { .source = rv_all(pre), .target = rv_all(post), .rule = "all_to_all", .weight = drawn ? rv_uniform(weight, weight) : rv_number(weight), .delay = rv_number(delay),
                           .plasticity = "tsodyks", .settings = settings, .n_settings = 4 };
    reference_set_all(net, post, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 9000.0, "tau_m", timing == RV_GRID ? 0.001 : slow, NULL);
    ENSURE_OK(net, rv_set_spike_times(net, pre, 0, spikes->x, spikes->n));
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    rv_probe       probe = reference_record(net, post, "V_m", 0.1);
    ENSURE_OK(net, rv_run(net, 2000));
    reference_list V = reference_samples(net, probe);
    for (int64_t k = 0; k < spikes->n; k++) {
        int64_t at = (int64_t)ceil((spikes->x[k] + delay) / 0.1 - 1e-9), before = k > 0 ? (int64_t)ceil((spikes->x[k - 1] + delay) / 0.1 - 1e-9) : 0;
        part[k] = V.x[2 * (at - 1) + 1] / weight;
        if (timing == RV_GRID) continue;
        if (before > 0) part[k] -= V.x[2 * (before - 1) + 1] / weight * exp(-(double)(at - before) * 0.1 / slow);
        part[k] *= exp(((double)at * 0.1 - spikes->x[k] - delay) / slow);
    }
    reference_list_free(&V);
    rv_net_free(net);
}

static void test_delivered(void **state)
{
    (void)state;
    double got[400], expected[400], integrated[400], worst = 0;
    for (int k = 0; k < 2 * N_KINDS; k++) {
        const short_term *p = &kinds[k / 2];
        rv_timing         timing = k % 2 ? RV_EXACT : RV_GRID;
        reference_list    spikes = spikes_of(timing);
        bool              limit = p->tau_psc == p->tau_rec;
        delivered(p, timing, &spikes, k / 2 == 1 ? -8 : 8, k % 3 ? 0.1 : 2, k / 2 == 2, got);
        if (p->tau_psc == 0) expect_without_psc(p, &spikes, expected);
        else if (!limit) expect_with_psc(p, &spikes, expected);
        if (p->tau_psc > 0) expect_integrated(p, &spikes, integrated);
        for (int64_t i = 0; i < spikes.n; i++) {
            double tolerance = timing == RV_GRID ? RELATIVE : 1e-11 /* a difference of large sums */, other = limit ? integrated[i] : expected[i];
            if (limit) tolerance = fmax(tolerance, 1e-9);
            ENSURE_NEAR_IN(got[i], other, tolerance, "1", "kind %d, %s, spike %d", k / 2, timing == RV_GRID ? "grid" : "exact", (int)i);
            if (p->tau_psc > 0 && timing == RV_GRID) ENSURE_NEAR_IN(got[i], integrated[i], 1e-9, "1", "kind %d integrated, spike %d", k / 2, (int)i);
            if (timing == RV_GRID && !limit) worst = fmax(worst, fabs(got[i] - other));
        }
    }
    print_message("largest deviation on the grid %.2g\n", worst);
}

/* x, y and u read between spikes, and the weights, which stay. */
static void test_states(void **state)
{
    (void)state;
    double         at[] = { 100 }, x, y, u, w;
    int64_t        n;
    rv_net        *net = reference_net((rv_net_def){ .resolution = 0.1 });
    rv_population  pre = reference_population(net, "pre", 1, "spike_generator"), post = reference_population(net, "post", 1, "iaf_psc_delta");
    rv_setting     settings[] = { { "U", rv_number(0.4) }, { "tau_rec", rv_number(200) }, { "tau_fac", rv_number(50) }, { "tau_psc", rv_number(3) } };
    rv_connect_def def = { .source = rv_all(pre), .target = rv_all(post), .rule = "all_to_all", .weight = rv_number(2), .delay = rv_number(1), .plasticity = "tsodyks", .settings = settings, .n_settings = 4 };
    rv_projection  projection;
    ENSURE_OK(net, rv_set_spike_times(net, pre, 0, at, 1));
    ENSURE_OK(net, rv_connect(net, &def, &projection));
    for (int k = 0; k < 2; k++) {
        double since = k ? 30 : -INFINITY; /* the spike arrives at 101 ms */
        ENSURE_OK(net, rv_run(net, k ? 131 - 50 : 50));
        ENSURE_OK(net, rv_get_learning(net, projection, "x", &x, &n));
        ENSURE_OK(net, rv_get_learning(net, projection, "y", &y, &n));
        ENSURE_OK(net, rv_get_learning(net, projection, "u", &u, &n));
        ENSURE_OK(net, rv_synapses(net, projection, NULL, NULL, &w, NULL));
        double Pyy = exp(-since / 3), Pzz = exp(-since / 200);
        ENSURE_NEAR(y, k ? 0.4 * Pyy : 0, 1e-13, "1");
        ENSURE_NEAR(u, k ? 0.4 * exp(-since / 50) : 0, 1e-13, "1");
        ENSURE_NEAR(x, k ? 0.6 + 0.4 * ((Pzz - 1) * 200 - (Pyy - 1) * 3) / (3 - 200) : 1, 1e-13, "1");
        ENSURE_NEAR(w, 2, 0, "(weight)");
    }
    ENSURE_OK(net, rv_set_weights(net, projection, rv_number(3)));
    ENSURE_OK(net, rv_synapses(net, projection, NULL, NULL, &w, NULL));
    ENSURE_NEAR(w, 3, 0, "(weight)");
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_delivered), cmocka_unit_test(test_states) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
