/* Published networks against the statistics of NEST 3.10.0's runs of them: rates, irregularity, synchrony. Other random
 * numbers make other spikes, so a statistic must lie within the spread between seeds: |ours - mean of the seeds| <= 4
 * times the larger of the difference between NEST's two seeds and the sampling error (tests/reference/README.md says
 * how it was estimated), the latter enlarged where our run is shorter. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>

#define DATA "tests/reference/networks.txt"
enum { SEED = 1, THREADS = 2, LONGEST_ISI = 500 /* ms */ };

typedef struct recording {
    double from, to; /* ms */
    double shorter;  /* NEST's duration / ours */
} recording;

/* ---- statistics ------------------------------------------------------------------------------------------------- */

static void compare(const char *network, const char *population, const char *statistic, double got, double shorter)
{
    reference_list row = reference_row(DATA, reference_text("%s %s %s", network, population, statistic));
    double         spread = row.x[0] * sqrt(shorter), mean = 0;
    for (int64_t k = 1; k < row.n; k++) mean += row.x[k] / (double)(row.n - 1);
    if (row.n == 3) spread = fmax(spread, fabs(row.x[1] - row.x[2]));
    print_message("%s %s %s: expected %.4g +- %.2g, got %.4g\n", network, population, statistic, mean, 4 * spread, got);
    ENSURE_NEAR_IN(got, mean, 4 * spread, statistic[0] == 'r' ? "Hz" : "(1)", "%s: %s of population %s (seed %d)",
                   network, statistic, population, SEED);
    reference_list_free(&row);
}

static double variance_over_mean(const double *x, int64_t n)
{
    double mean = 0, variance = 0;
    for (int64_t k = 0; k < n; k++) mean += x[k] / (double)n;
    for (int64_t k = 0; k < n; k++) variance += (x[k] - mean) * (x[k] - mean) / (double)n;
    return variance / mean;
}

/* Of all intervals of all neurons below 500 ms, each at the middle of its ms, as the reference has them. */
static double pooled_cv(const reference_spikes *s, int64_t neurons, const recording *r)
{
    double *last = malloc((size_t)neurons * sizeof *last), n = 0, sum = 0, squares = 0;
    for (int64_t i = 0; i < neurons; i++) last[i] = NAN;
    for (int64_t k = 0; k < s->n; k++) {
        if (s->time_ms[k] <= r->from) continue;
        double isi = floor(s->time_ms[k] - last[s->neuron[k]] + 1e-6) + 0.5;
        last[s->neuron[k]] = s->time_ms[k];
        if (isi < LONGEST_ISI) n++, sum += isi, squares += isi * isi; /* false for NAN */
    }
    free(last);
    return sqrt(squares / n - sum / n * (sum / n)) / (sum / n);
}

static void compare_population(rv_net *net, const char *network, rv_population population, const recording *r)
{
    reference_spikes s = reference_spikes_of(net, population);
    int64_t          neurons = rv_population_size(net, population), ms = (int64_t)(r->to - r->from);
    double          *count = calloc((size_t)ms, sizeof *count), spikes = 0;
    for (int64_t k = 0; k < s.n; k++) {
        int64_t bin = (int64_t)ceil(s.time_ms[k] - r->from - 1e-6) - 1;
        if (bin >= 0) count[bin]++, spikes++;
    }
    const char *name = rv_population_name(net, population);
    compare(network, name, "rate", spikes / (double)neurons / (r->to - r->from) * 1000, r->shorter);
    compare(network, name, "cv", pooled_cv(&s, neurons, r), 1);
    compare(network, name, "synchrony", variance_over_mean(count, ms), r->shorter);
    free(count);
    reference_spikes_free(&s);
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

typedef struct balanced {
    rv_net       *net;
    rv_population E, I;
} balanced;

static balanced new_balanced(const char *model, int64_t n_E, int64_t n_I)
{
    balanced b = { .net = reference_net((rv_net_def){ .resolution = 0.1, .seed = SEED, .threads = THREADS }) };
    b.E = reference_population(b.net, "E", n_E, model), b.I = reference_population(b.net, "I", n_I, model);
    ENSURE_OK(b.net, rv_record_spikes(b.net, b.E));
    ENSURE_OK(b.net, rv_record_spikes(b.net, b.I));
    return b;
}

/* To both populations. */
static void project(const balanced *b, rv_population source, rv_connect_def def)
{
    for (int k = 0; k < 2; k++) {
        def.source = rv_all(source), def.target = rv_all(k ? b->I : b->E);
        ENSURE_OK(b->net, rv_connect(b->net, &def, NULL));
    }
}

static void run_and_compare(balanced *b, const char *network, recording r)
{
    ENSURE_OK(b->net, rv_run(b->net, r.to));
    compare_population(b->net, network, b->E, &r);
    compare_population(b->net, network, b->I, &r);
    rv_net_free(b->net);
}

/* Brunel 2000, doi:10.1023/A:1008925309027: delta synapses, g = 5. */
static void test_brunel(void **state)
{
    (void)state;
    balanced b = new_balanced("iaf_psc_delta", 8000, 2000);
    for (int k = 0; k < 2; k++) {
        rv_population p = k ? b.I : b.E;
        reference_set_all(b.net, p, "C_m", 1.0, "tau_m", 20.0, "E_L", 0.0, "V_th", 20.0, "V_reset", 10.0, "t_ref", 2.0,
                          NULL);
        ENSURE_OK(b.net, rv_set(b.net, p, "V_m", rv_uniform(0, 20)));
        reference_input(b.net, p, "poisson", "rate", 20000.0, "weight", 0.1, NULL);
    }
    project(
        &b, b.E,
        (rv_connect_def){ .rule = "fixed_indegree", .degree = 800, .weight = rv_number(0.1), .delay = rv_number(1.5) });
    project(&b, b.I,
            (rv_connect_def){
                .rule = "fixed_indegree", .degree = 200, .weight = rv_number(-0.5), .delay = rv_number(1.5) });
    run_and_compare(&b, "brunel", (recording){ 300, 1300, 2 });
}

/* Vogels & Abbott 2005, doi:10.1523/JNEUROSCI.3508-05.2005: current synapses, no external input, delay of one step. */
static void test_cuba(void **state)
{
    (void)state;
    balanced b = new_balanced("iaf_psc_exp", 3200, 800);
    for (int k = 0; k < 2; k++) {
        rv_population p = k ? b.I : b.E;
        reference_set_all(b.net, p, "C_m", 200.0, "tau_m", 20.0, "E_L", -49.0, "V_th", -50.0, "V_reset", -60.0, "t_ref",
                          5.0, "tau_syn_ex", 5.0, "tau_syn_in", 10.0, NULL);
        ENSURE_OK(b.net, rv_set(b.net, p, "V_m", rv_uniform(-60, -50)));
    }
    project(
        &b, b.E,
        (rv_connect_def){
            .rule = "pairwise_bernoulli", .p = rv_number(0.02), .weight = rv_number(16.2), .delay = rv_number(0.1) });
    project(
        &b, b.I,
        (rv_connect_def){
            .rule = "pairwise_bernoulli", .p = rv_number(0.02), .weight = rv_number(-90), .delay = rv_number(0.1) });
    run_and_compare(&b, "cuba", (recording){ 0, 5000, 1 });
}

/* Regular and fast spiking neurons; 1000 outputs each, into both populations in proportion to their sizes. */
static balanced new_izhikevich(double strongest)
{
    balanced b = new_balanced("izhikevich", 8000, 2000);
    reference_set_all(b.net, b.E, "a", 0.02, "d", 8.0, NULL);
    reference_set_all(b.net, b.I, "a", 0.1, "d", 2.0, NULL);
    for (int k = 0; k < 2; k++) { /* drawn delays are rounded to steps, here not to whole ms as in NEST's run */
        rv_slice target = rv_all(k ? b.I : b.E);
        int64_t  degree = k ? 200 : 800;
        ENSURE_OK(b.net, rv_connect(b.net,
                                    &(rv_connect_def){ .source = rv_all(b.E),
                                                       .target = target,
                                                       .rule = "fixed_outdegree",
                                                       .degree = degree,
                                                       .weight = rv_uniform(0, strongest),
                                                       .delay = rv_uniform(0.5, 20.5) },
                                    NULL));
        ENSURE_OK(b.net, rv_connect(b.net,
                                    &(rv_connect_def){ .source = rv_all(b.I),
                                                       .target = target,
                                                       .rule = "fixed_outdegree",
                                                       .degree = degree,
                                                       .weight = rv_uniform(-1, 0),
                                                       .delay = rv_number(1) },
                                    NULL));
    }
    return b;
}

/* Random kicks of 20 mV at 7 Hz. */
static void test_izhikevich(void **state)
{
    (void)state;
    balanced b = new_izhikevich(1);
    reference_input(b.net, b.E, "poisson", "rate", 7.0, "weight", 20.0, NULL);
    reference_input(b.net, b.I, "poisson", "rate", 7.0, "weight", 20.0, NULL);
    run_and_compare(&b, "izhikevich", (recording){ 500, 2500, 1 });
}

/* Izhikevich 2003, doi:10.1109/TNN.2003.820440: Gaussian input of 5 (E) and 2 (I) mV/ms, redrawn each ms. */
static void test_izhikevich_gauss(void **state)
{
    (void)state;
    balanced b = new_izhikevich(0.5);
    reference_input(b.net, b.E, "noise", "std", 5.0, "dt", 1.0, NULL);
    reference_input(b.net, b.I, "noise", "std", 2.0, "dt", 1.0, NULL);
    run_and_compare(&b, "izhikevich_gauss", (recording){ 500, 1000, 1 });
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_brunel),
        cmocka_unit_test(test_cuba),
        cmocka_unit_test(test_izhikevich),
        cmocka_unit_test(test_izhikevich_gauss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
