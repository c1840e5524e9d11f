/* The rules of pairs and triplets against plain twins of quadratic time, which sum over all spikes instead of keeping traces:
 * random trains with simultaneous spikes, delays of one step, on the dendrite, the axon and both, on the grid and in exact
 * timing, on one thread and on three. stdp_triplet also against the weights of NEST 3.10.0. */
#include "tests/support/told.h"

#include <math.h>

#define DATA "tests/reference/stdp_triplet.txt"
#define RELATIVE 1e-12 /* of a weight against NEST and the twins */

/* ---- sums over spikes ------------------------------------------------------------------------------------------- */

static double pre_sum(const twin_synapse *s, double now, double tau)
{
    double sum = 0;
    for (int64_t k = 0; k < s->n_pre; k++) sum += exp((twin_pre(s, k) - now) / tau);
    return sum;
}

/* Of the postsynaptic spikes before this moment, those at it left out. */
static double post_sum(const twin_synapse *s, double now, double tau)
{
    double sum = 0;
    for (int64_t k = 0; k < s->n_post; k++)
        if (twin_post(s, k) < now) sum += exp((twin_post(s, k) - now) / tau);
    return sum;
}

static double last_pre(const twin_synapse *s, double now, double tau) { return s->n_pre > 0 ? exp((twin_pre(s, s->n_pre - 1) - now) / tau) : 0; }

static double last_post(const twin_synapse *s, double now, double tau)
{
    for (int64_t k = s->n_post - 1; k >= 0; k--)
        if (twin_post(s, k) < now) return exp((twin_post(s, k) - now) / tau);
    return 0;
}

/* Whether the k-th presynaptic spike came after the last postsynaptic one; at equal times the latter is first if it has a
 * way to go. */
static bool is_news(const twin_synapse *s, int64_t k)
{
    double post = s->n_post > 0 ? twin_post(s, s->n_post - 1) : -INFINITY;
    return twin_pre(s, k) > post || (twin_pre(s, k) == post && s->dendritic > 0);
}

/* ---- pairings ---------------------------------------------------------------------------------------------------- */

enum { NN_SYMM = 1, NN_PRE_CENTERED, NN_RESTR };
typedef struct pairs {
    int    pairing;
    double tau_plus, tau_minus, lambda, alpha, mu, Wmax;
} pairs;

static double potentiating(const twin_synapse *s, const pairs *p, double now)
{
    if (p->pairing == NN_SYMM) return last_pre(s, now, p->tau_plus);
    if (p->pairing == NN_RESTR) return s->n_pre > 0 && is_news(s, s->n_pre - 1) ? last_pre(s, now, p->tau_plus) : 0;
    double sum = 0;
    for (int64_t k = 0; k < s->n_pre; k++)
        if (is_news(s, k)) sum += exp((twin_pre(s, k) - now) / p->tau_plus);
    return sum;
}

static void pairs_post(twin_synapse *s, double now)
{
    const pairs *p = s->rule;
    double       x = s->w / p->Wmax;
    s->w = fmin(1, x + p->lambda * pow(1 - x, p->mu) * potentiating(s, p, now)) * p->Wmax;
}

static void pairs_pre(twin_synapse *s, double now)
{
    const pairs *p = s->rule;
    double       x = s->w / p->Wmax;
    bool         neighbours = s->n_post > 0 && (s->n_pre == 0 || !is_news(s, s->n_pre - 1));
    if (p->pairing != NN_RESTR || neighbours) s->w = fmax(0, x - p->alpha * p->lambda * pow(x, p->mu) * last_post(s, now, p->tau_minus)) * p->Wmax;
}

static void test_pairings(void **state)
{
    (void)state;
    static const char *const names[] = { "", "nn_symm", "nn_pre_centered", "nn_restr" };
    for (int pairing = NN_SYMM; pairing <= NN_RESTR; pairing++)
        for (int sign = -1; sign <= 1; sign += 2) {
            pairs      p = { pairing, 16.8, 33.7, 0.05, 1.05, pairing == NN_SYMM ? 0.4 : 0, sign * 100.0 };
            rv_setting settings[] = { { "pairing", rv_number(pairing) }, { "tau_plus", rv_number(p.tau_plus) }, { "tau_minus", rv_number(p.tau_minus) }, { "lambda", rv_number(p.lambda) },
                                      { "alpha", rv_number(p.alpha) },   { "mu_plus", rv_number(p.mu) },        { "mu_minus", rv_number(p.mu) },         { "Wmax", rv_number(p.Wmax) } };
            told_compare_all((synapse){ .rule = "stdp", .settings = settings, .n_settings = 8, .w0 = 0.5 * p.Wmax },
                             &(twin_synapse){ .rule = &p, .on_pre = pairs_pre, .on_post = pairs_post }, RELATIVE * 100, names[pairing]);
        }
}

/* ---- power law --------------------------------------------------------------------------------------------------- */

typedef struct power_law {
    double tau_plus, tau_minus, lambda, alpha, mu;
} power_law;

static void power_post(twin_synapse *s, double now)
{
    const power_law *p = s->rule;
    s->w += p->lambda * pow(s->w, p->mu) * pre_sum(s, now, p->tau_plus);
}

static void power_pre(twin_synapse *s, double now)
{
    const power_law *p = s->rule;
    s->w = fmax(0, s->w - p->lambda * p->alpha * s->w * post_sum(s, now, p->tau_minus));
}

static void test_power_law(void **state)
{
    (void)state;
    for (int k = 0; k < 2; k++) {
        power_law  p = { 15, 30, k ? 0.9 : 0.1, k ? 1.5 : 0.0513, 0.4 }; /* the second comes to 0 */
        rv_setting settings[] = { { "tau_plus", rv_number(p.tau_plus) }, { "tau_minus", rv_number(p.tau_minus) }, { "lambda", rv_number(p.lambda) }, { "alpha", rv_number(p.alpha) }, { "mu", rv_number(p.mu) } };
        told_compare_all((synapse){ .rule = "stdp_pl", .settings = settings, .n_settings = 5, .w0 = 45.6 }, &(twin_synapse){ .rule = &p, .on_pre = power_pre, .on_post = power_post },
                         RELATIVE * 100, "stdp_pl");
    }
}

/* ---- triplets ---------------------------------------------------------------------------------------------------- */

typedef struct triplet {
    double tau_plus, tau_plus_triplet, tau_minus, tau_minus_triplet, Aplus, Aminus, Aplus_triplet, Aminus_triplet, Wmax, w0;
    bool   nearest;
} triplet;

static double size_of(const triplet *p, double size) { return copysign(fmax(0, fmin(fabs(p->Wmax), size)), p->Wmax); }

static void triplet_post(twin_synapse *s, double now)
{
    const triplet *p = s->rule;
    double         before = s->n_post > 0 ? exp((twin_post(s, s->n_post - 1) - now) / p->tau_minus_triplet) : 0, o2 = 0;
    for (int64_t k = 0; k < s->n_post; k++) o2 += exp((twin_post(s, k) - now) / p->tau_minus_triplet);
    double r1 = p->nearest ? last_pre(s, now, p->tau_plus) : pre_sum(s, now, p->tau_plus);
    s->w = size_of(p, fabs(s->w) + r1 * (p->Aplus + p->Aplus_triplet * (p->nearest ? before : o2)));
}

static void triplet_pre(twin_synapse *s, double now)
{
    const triplet *p = s->rule;
    double         o1 = p->nearest ? last_post(s, now, p->tau_minus) : post_sum(s, now, p->tau_minus);
    double         r2 = p->nearest ? last_pre(s, now, p->tau_plus_triplet) : pre_sum(s, now, p->tau_plus_triplet);
    s->w = size_of(p, fabs(s->w) - o1 * (p->Aminus + p->Aminus_triplet * r2));
}

enum { N_TRIPLET = 10 };
static void triplet_settings(const triplet *p, rv_setting settings[N_TRIPLET])
{
    const char *const names[] = { "tau_plus", "tau_plus_triplet", "tau_minus", "tau_minus_triplet", "Aplus", "Aminus", "Aplus_triplet", "Aminus_triplet", "Wmax" };
    for (int k = 0; k < 9; k++) settings[k] = (rv_setting){ names[k], rv_number((&p->tau_plus)[k]) };
    settings[9] = (rv_setting){ "pairing", rv_number(p->nearest) };
}

static void test_triplets(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        triplet    p = { 16.8, 101, 33.7, 125, 0.3, 0.4, 0.5, 0.2, k % 2 ? -100 : 100, 0, k / 2 };
        rv_setting settings[N_TRIPLET];
        triplet_settings(&p, settings);
        told_compare_all((synapse){ .rule = "stdp_triplet", .settings = settings, .n_settings = N_TRIPLET, .w0 = 0.5 * p.Wmax },
                         &(twin_synapse){ .rule = &p, .on_pre = triplet_pre, .on_post = triplet_post }, RELATIVE * 100, p.nearest ? "stdp_triplet, nearest" : "stdp_triplet");
    }
}

static triplet triplet_of_nest(const char *name)
{
    reference_list list = reference_row(DATA, reference_text("%s parameters", name));
    triplet        p = { .nearest = false };
    for (int k = 0; k < 10; k++) (&p.tau_plus)[k] = list.x[k];
    reference_list_free(&list);
    return p;
}

static void compare_with_nest(const trains *t, const triplet *p, double delay, double duration, double expected, int spike, const char *what, double *worst)
{
    rv_setting settings[N_TRIPLET];
    double     weights[100];
    triplet_settings(p, settings);
    told_weights_on_arrival(t, &(synapse){ "stdp_triplet", settings, N_TRIPLET, p->w0, delay, 1 }, duration, weights);
    ENSURE_NEAR_IN(weights[spike], expected, RELATIVE * expected, "(weight)", "%s", what);
    *worst = reference_worse(*worst, weights[spike] / expected, 1);
}

static void test_triplets_of_nest(void **state)
{
    (void)state;
    static const char *const names[] = { "vc", "hip" };
    double                   worst = 0, weights[100];
    trains                   t = { .h = 0.1, .n_pre = 1, .n_post = 1, .pre = { reference_row(DATA, "pre") }, .post = { reference_row(DATA, "post") } };
    for (int r = 0; r < 2; r++) {
        triplet    p = triplet_of_nest(names[r]);
        rv_setting settings[N_TRIPLET];
        triplet_settings(&p, settings);
        for (int delay = 1; delay <= 5; delay += 4) {
            reference_list expected = reference_row(DATA, reference_text("%s delay %d", names[r], delay));
            told_weights_on_arrival(&t, &(synapse){ "stdp_triplet", settings, N_TRIPLET, p.w0, delay, 1 }, 2000, weights);
            for (int64_t k = 0; k < expected.n; k++) {
                ENSURE_NEAR_IN(weights[k], expected.x[k], RELATIVE * expected.x[k], "(weight)", "%s, delay %d ms, presynaptic spike %d", names[r], delay, (int)k);
                worst = reference_worse(worst, weights[k] / expected.x[k], 1);
            }
            reference_list_free(&expected);
        }
        reference_list lag = reference_row(DATA, reference_text("%s window lag", names[r])), weight = reference_row(DATA, reference_text("%s window weight", names[r]));
        for (int64_t k = 0; k < lag.n; k++) {
            double pre[] = { 100, 500 }, post[] = { 100 + lag.x[k] };
            compare_with_nest(&(trains){ .h = 0.1, .n_pre = 1, .n_post = 1, .pre = { { 2, pre } }, .post = { { 1, post } } }, &p, 1, 510, weight.x[k], 1,
                              reference_text("%s, post - pre = %g ms", names[r], lag.x[k]), &worst);
        }
        reference_list_free(&lag), reference_list_free(&weight);
    }
    print_message("largest relative deviation from NEST: %.2g\n", worst);
    free_trains(&t);
}

/* ---- inhibitory -------------------------------------------------------------------------------------------------- */

typedef struct inhibitory {
    double tau, alpha, eta, Wmax;
} inhibitory;

static void inhibitory_post(twin_synapse *s, double now)
{
    const inhibitory *p = s->rule;
    s->w = copysign(fmin(fabs(p->Wmax), fabs(s->w) + p->eta * pre_sum(s, now, p->tau)), p->Wmax);
}

static void inhibitory_pre(twin_synapse *s, double now)
{
    const inhibitory *p = s->rule;
    double            up = fmin(fabs(p->Wmax), fabs(s->w) + p->eta * post_sum(s, now, p->tau));
    s->w = copysign(fmax(0, up - p->alpha * p->eta), p->Wmax);
}

static void test_inhibitory(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) {
        inhibitory p = { 20, k / 2 ? 8 : 2, 1, k % 2 ? -60 : 60 }; /* the first two rise to the bound, the others come to 0 */
        rv_setting settings[] = { { "tau", rv_number(p.tau) }, { "alpha", rv_number(p.alpha) }, { "eta", rv_number(p.eta) }, { "Wmax", rv_number(p.Wmax) } };
        told_compare_all((synapse){ .rule = "stdp_inhibitory", .settings = settings, .n_settings = 4, .w0 = 0.5 * p.Wmax },
                         &(twin_synapse){ .rule = &p, .on_pre = inhibitory_pre, .on_post = inhibitory_post }, RELATIVE * 100, "stdp_inhibitory");
    }
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static void refuse(const char *rule, const char *name, double value, double weight)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.1 });
    rv_population a = reference_population(net, "a", 1, "iaf_psc_delta");
    rv_setting    settings[] = { { name, rv_number(value) } };
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(weight), .plasticity = rule, .settings = settings, .n_settings = 1 };
    assert_int_not_equal(rv_connect(net, &def, NULL), RV_OK);
    print_message("%s\n", rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refused(void **state)
{
    (void)state;
    refuse("stdp", "pairing", 1.5, 1), refuse("stdp", "pairing", 4, 1), refuse("stdp", "Wmax", 0, 0);
    refuse("stdp_inhibitory", "Wmax", -1, 0.5), refuse("stdp_inhibitory", "tau", 0, 0.5), refuse("stdp_triplet", "Wmax", 10, 11);
    refuse("stdp_pl", "mu", -1, 1), refuse("stdp_pl", "mu", 0.4, -1), refuse("stdp_reward", "Wmin", 300, 250), refuse("tsodyks", "U", 1.5, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairings), cmocka_unit_test(test_power_law),  cmocka_unit_test(test_triplets), cmocka_unit_test(test_triplets_of_nest),
        cmocka_unit_test(test_inhibitory), cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
