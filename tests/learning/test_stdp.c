/* STDP: the weights of NEST 3.10.0's stdp_synapse; and a plain twin of quadratic time, which sums over all pairs of
 * spikes instead of keeping traces, over random trains with simultaneous spikes, all exponents, both signs, delays on
 * the dendrite, on the axon and on both, on the grid and in exact timing. */
#include "tests/support/told.h"

#include <math.h>
#include <string.h>

#define DATA "tests/reference/stdp.txt"
#define RELATIVE 1e-12 /* of a weight against NEST and the twin */

typedef struct stdp {
    double tau_plus, tau_minus, lambda, alpha, mu_plus, mu_minus, Wmax; /* ms, ms, 1, 1, 1, 1, weight */
    double w0, delay, dendritic_fraction;                               /* weight, ms, 1              */
} stdp;

static synapse synapse_of(const stdp *p)
{
    static rv_setting settings[7];
    const rv_setting  now[7] = { { "tau_plus", rv_number(p->tau_plus) }, { "tau_minus", rv_number(p->tau_minus) }, { "lambda", rv_number(p->lambda) }, { "alpha", rv_number(p->alpha) },
                                 { "mu_plus", rv_number(p->mu_plus) },   { "mu_minus", rv_number(p->mu_minus) },   { "Wmax", rv_number(p->Wmax) } };
    memcpy(settings, now, sizeof now);
    return (synapse){ "stdp", settings, 7, p->w0, p->delay, p->dendritic_fraction };
}

/* ---- NEST ------------------------------------------------------------------------------------------------------- */

static const char *const nest_rules[] = { "mult", "add", "guetig", "vanrossum" };

static stdp nest_parameters(const char *rule, double delay)
{
    reference_list p = reference_row(DATA, reference_text("%s parameters", rule));
    stdp           s = { p.x[0], p.x[1], p.x[2], p.x[3], p.x[4], p.x[5], p.x[6], p.x[7], delay, 1 };
    reference_list_free(&p);
    return s;
}

static void test_random_trains_of_nest(void **state)
{
    (void)state;
    trains t = { .h = 0.1,
                 .n_pre = 1,
                 .n_post = 1,
                 .pre = { reference_row(DATA, "pre") },
                 .post = { reference_row(DATA, "post") } };
    double weights[100], worst = 0;
    for (int r = 0; r < 4; r++)
        for (int delay = 1; delay <= 5; delay += 4) {
            stdp           p = nest_parameters(nest_rules[r], delay);
            reference_list expected = reference_row(DATA, reference_text("%s delay %d", nest_rules[r], delay));
            synapse own = synapse_of(&p);
            told_weights_on_arrival(&t, &own, 2000, weights);
            for (int64_t k = 0; k < expected.n; k++) {
                ENSURE_NEAR_IN(weights[k], expected.x[k], RELATIVE * expected.x[k], "(weight)",
                               "%s, delay %d ms, presynaptic spike %d at %g ms", nest_rules[r], delay, (int)k,
                               t.pre[0].x[k]);
                worst = reference_worse(worst, weights[k] / expected.x[k], 1);
            }
            reference_list_free(&expected);
        }
    print_message("largest relative deviation from NEST, random trains: %.2g\n", worst);
    reference_list_free(&t.pre[0]), reference_list_free(&t.post[0]);
}

/* Pre at 100 ms, post `lag` later, pre again at 500 ms to read the weight. Lag -1 ms: both at the synapse at once. */
static void test_window_of_nest(void **state)
{
    (void)state;
    double worst = 0;
    for (int r = 0; r < 4; r++) {
        stdp           p = nest_parameters(nest_rules[r], 1);
        reference_list lag = reference_row(DATA, reference_text("%s window lag", nest_rules[r]));
        reference_list expected = reference_row(DATA, reference_text("%s window weight", nest_rules[r]));
        for (int64_t k = 0; k < lag.n; k++) {
            double pre[] = { 100, 500 }, post[] = { 100 + lag.x[k] }, weight[2];
            trains t = { .h = 0.1, .n_pre = 1, .n_post = 1, .pre = { { 2, pre } }, .post = { { 1, post } } };
            synapse own = synapse_of(&p);
            told_weights_on_arrival(&t, &own, 510, weight);
            ENSURE_NEAR_IN(weight[1], expected.x[k], RELATIVE * expected.x[k], "(weight)", "%s, post - pre = %g ms",
                           nest_rules[r], lag.x[k]);
            worst = reference_worse(worst, weight[1] / expected.x[k], 1);
        }
        reference_list_free(&lag), reference_list_free(&expected);
    }
    print_message("largest relative deviation from NEST, window: %.2g\n", worst);
}

/* ---- the twin --------------------------------------------------------------------------------------------------- */

static void potentiate(twin_synapse *s, double now)
{
    const stdp *p = s->rule;
    double      sum = 0, x = s->w / p->Wmax;
    for (int64_t k = 0; k < s->n_pre; k++) sum += exp((twin_pre(s, k) - now) / p->tau_plus);
    s->w = fmin(1, x + p->lambda * pow(1 - x, p->mu_plus) * sum) * p->Wmax;
}

static void depress(twin_synapse *s, double now)
{
    const stdp *p = s->rule;
    double      sum = 0, x = s->w / p->Wmax;
    for (int64_t k = 0; k < s->n_post; k++)
        if (twin_post(s, k) < now) sum += exp((twin_post(s, k) - now) / p->tau_minus);
    if (sum > 0) s->w = fmax(0, x - p->alpha * p->lambda * pow(x, p->mu_minus) * sum) * p->Wmax;
}

static double compare_weights(const trains *t, const stdp *p)
{
    synapse      s = synapse_of(p);
    twin_synapse twin = { .rule = p, .on_pre = depress, .on_post = potentiate };
    return told_compare(t, &s, &twin, RELATIVE * fabs(p->Wmax), NULL, reference_text("mu %g %g, Wmax %g", p->mu_plus, p->mu_minus, p->Wmax)) / fabs(p->Wmax);
}

/* All exponents, both signs, and where the delay lies. */
static void compare_all(rv_timing timing, double delay, const double *fractions, int n_fractions)
{
    const double mu[] = { 0, 0.4, 1 };
    trains       t = random_trains(timing);
    double       worst = 0;
    for (int k = 0; k < 9 * 2 * n_fractions; k++) {
        double Wmax = k / 9 % 2 ? -80 : 100;
        stdp   p = { 16.8, 33.7, 0.02, 1.05, mu[k % 3], mu[k / 3 % 3], Wmax, 0.5 * Wmax, delay, fractions[k / 18] };
        worst = fmax(worst, compare_weights(&t, &p));
    }
    print_message("largest deviation from the twin, delay %g ms: %.2g Wmax\n", delay, worst);
    free_trains(&t);
}

static void test_twin_on_the_grid(void **state)
{
    (void)state;
    const double fractions[] = { 0, 0.5, 1 };
    compare_all(RV_GRID, 2, fractions, 3);
    compare_all(RV_GRID, 5, (double[]){ 0.1 }, 1);
    compare_all(RV_GRID, 0.125, (double[]){ 0, 1 }, 2); /* one step */
}

static void test_twin_in_exact_timing_dendritic(void **state)
{
    (void)state;
    compare_all(RV_EXACT, 2, (double[]){ 0.5, 1 }, 2);
    compare_all(RV_EXACT, 0.3125, (double[]){ 1 }, 1);
}

/* Postsynaptic spikes of the very window of an arrival act on what it delivers; without any dendritic part they could
 * not. */
static void test_twin_in_exact_timing_axonal(void **state)
{
    (void)state;
    compare_all(RV_EXACT, 2, (double[]){ 0.25, 0.03125 }, 2);
    trains t = random_trains(RV_EXACT);
    stdp   p = { 16.8, 33.7, 0.02, 1.05, 1, 1, 100, 50, 2, 0 };
    synapse s = synapse_of(&p);
    told    n = told_new(&t, &s);
    assert_int_equal(rv_compile(n.net), RV_CONFLICT);
    rv_net_free(n.net);
    free_trains(&t);
}

static bool contains(const reference_list *train, double time)
{
    for (int64_t k = 0; k < train->n; k++)
        if (train->x[k] == time) return true;
    return false;
}

static bool is_double(const reference_list *train, int64_t k)
{
    return (k > 0 && train->x[k - 1] == train->x[k]) || (k + 1 < train->n && train->x[k + 1] == train->x[k]);
}

/* What is delivered is the weight of the twin, whether or not anybody looks at the weights: on the grid, V_m of the
 * target. */
static void test_delivered_weights(void **state)
{
    (void)state;
    trains t = random_trains(RV_GRID);
    t.n_pre = t.n_post = 1;
    for (int fraction = 0; fraction <= 2; fraction++) {
        stdp     p = { 16.8, 33.7, 0.02, 1.05, 0.4, 0.4, 100, 50, 2, 0.5 * fraction };
        synapse  own = synapse_of(&p);
        told     n = told_new(&t, &own);
        rv_probe probe = reference_record(n.net, n.post, "V_m", 0);
        double   dendritic = p.dendritic_fraction * p.delay;
        twin_synapse s = { .rule = &p, .on_pre = depress, .on_post = potentiate, .axonal = p.delay - dendritic, .dendritic = dendritic, .pre = t.pre[0], .post = t.post[0], .w = p.w0 };
        ENSURE_OK(n.net, rv_run(n.net, TOLD_DURATION));
        reference_list V = reference_samples(n.net, probe);
        for (int64_t k = 0; k < t.pre[0].n && t.pre[0].x[k] + p.delay <= TOLD_DURATION; k++) {
            double arrival = t.pre[0].x[k] + p.delay, expected = twin_live(&s, arrival - s.dendritic, RV_GRID);
            if (contains(&t.post[0], arrival) || is_double(&t.pre[0], k))
                continue; /* V_m is reset, or is the sum of two */
            ENSURE_NEAR_IN(V.x[(int64_t)(arrival / t.h) - 1], expected, RELATIVE * p.Wmax, "mV",
                           "delivered at %g ms, dendritic %g", arrival, p.dendritic_fraction);
        }
        reference_list_free(&V);
        rv_net_free(n.net);
    }
    t.n_pre = MAX_PRE, t.n_post = MAX_POST;
    free_trains(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_trains_of_nest),
        cmocka_unit_test(test_window_of_nest),
        cmocka_unit_test(test_twin_on_the_grid),
        cmocka_unit_test(test_twin_in_exact_timing_dendritic),
        cmocka_unit_test(test_twin_in_exact_timing_axonal),
        cmocka_unit_test(test_delivered_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
