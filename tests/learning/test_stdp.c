/* STDP: the weights of NEST 3.10.0's stdp_synapse; and a plain twin of quadratic time, which sums over all pairs of
 * spikes instead of keeping traces, over random trains with simultaneous spikes, all exponents, both signs, delays on
 * the dendrite, on the axon and on both, on the grid and in exact timing. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>

#include "sim/random.h"

#define DATA "tests/reference/stdp.txt"
#define RELATIVE 1e-12 /* of a weight against NEST and the twin */

typedef struct stdp {
    double tau_plus, tau_minus, lambda, alpha, mu_plus, mu_minus, Wmax; /* ms, ms, 1, 1, 1, 1, weight */
    double w0, delay, dendritic_fraction;                               /* weight, ms, 1              */
} stdp;

/* ---- a network whose neurons spike when they are told to -------------------------------------------------------- */

enum { MAX_PRE = 3, MAX_POST = 4 };

typedef struct trains {
    double         h; /* ms */
    rv_timing      timing;
    int            n_pre, n_post;
    reference_list pre[MAX_PRE], post[MAX_POST]; /* ms */
} trains;

typedef struct told {
    rv_net       *net;
    rv_population pre, post;
    rv_projection projection;
} told;

/* The postsynaptic membrane forgets within a step, so that V_m is the weight just delivered; the drive is far above. */
static rv_population add_post(rv_net *net, const trains *t)
{
    rv_population post = reference_population(net, "post", t->n_post, "iaf_psc_delta");
    rv_population drive = reference_population(net, "drive", t->n_post, "spike_generator");
    reference_set_all(net, post, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 5000.0, "t_ref", 0.0, "tau_m", 0.001,
                      NULL);
    for (int i = 0; i < t->n_post; i++) {
        reference_list at = { t->post[i].n, malloc((size_t)t->post[i].n * sizeof(double)) };
        for (int64_t k = 0; k < at.n; k++) at.x[k] = t->post[i].x[k] - t->h;
        ENSURE_OK(net, rv_set_spike_times(net, drive, i, at.x, at.n));
        reference_list_free(&at);
    }
    ENSURE_OK(net, rv_connect(net,
                              &(rv_connect_def){ .source = rv_all(drive),
                                                 .target = rv_all(post),
                                                 .rule = "one_to_one",
                                                 .weight = rv_number(1e6),
                                                 .delay = rv_number(t->h) },
                              NULL));
    return post;
}

static told new_told(const trains *t, const stdp *p)
{
    told n = { .net = reference_net((rv_net_def){ .resolution = t->h, .timing = t->timing }) };
    n.pre = reference_population(n.net, "pre", t->n_pre, "spike_generator");
    for (int j = 0; j < t->n_pre; j++) ENSURE_OK(n.net, rv_set_spike_times(n.net, n.pre, j, t->pre[j].x, t->pre[j].n));
    n.post = add_post(n.net, t);
    const rv_setting settings[] = {
        { "tau_plus", rv_number(p->tau_plus) }, { "tau_minus", rv_number(p->tau_minus) },
        { "lambda", rv_number(p->lambda) },     { "alpha", rv_number(p->alpha) },
        { "mu_plus", rv_number(p->mu_plus) },   { "mu_minus", rv_number(p->mu_minus) },
        { "Wmax", rv_number(p->Wmax) },         { "dendritic_fraction", rv_number(p->dendritic_fraction) },
    };
    ENSURE_OK(n.net, rv_connect(n.net,
                                &(rv_connect_def){ .source = rv_all(n.pre),
                                                   .target = rv_all(n.post),
                                                   .rule = "all_to_all",
                                                   .weight = rv_number(p->w0),
                                                   .delay = rv_number(p->delay),
                                                   .plasticity = "stdp",
                                                   .settings = settings,
                                                   .n_settings = 8 },
                                &n.projection));
    return n;
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

/* The weight when each presynaptic spike arrives. @param weights result [number of presynaptic spikes] */
static void weights_on_arrival(const trains *t, const stdp *p, double duration_ms, double *weights)
{
    told     n = new_told(t, p);
    rv_probe probe;
    ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, t->h, &probe));
    ENSURE_OK(n.net, rv_run(n.net, duration_ms));
    reference_list samples = reference_samples(n.net, probe);
    for (int64_t k = 0; k < t->pre[0].n; k++)
        weights[k] = samples.x[(int64_t)rint((t->pre[0].x[k] + p->delay) / t->h) - 1];
    reference_list_free(&samples);
    rv_net_free(n.net);
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
            weights_on_arrival(&t, &p, 2000, weights);
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
            weights_on_arrival(&t, &p, 510, weight);
            ENSURE_NEAR_IN(weight[1], expected.x[k], RELATIVE * expected.x[k], "(weight)", "%s, post - pre = %g ms",
                           nest_rules[r], lag.x[k]);
            worst = reference_worse(worst, weight[1] / expected.x[k], 1);
        }
        reference_list_free(&lag), reference_list_free(&expected);
    }
    print_message("largest relative deviation from NEST, window: %.2g\n", worst);
}

/* ---- the twin --------------------------------------------------------------------------------------------------- */

/* One synapse, its spikes in the time of the synapse: those of the source come after the axonal, those of the target
 * after the dendritic part of the delay. All times are multiples of 1/1024 ms, so that equal times are equal. */
typedef struct twin {
    const stdp    *p;
    double         axonal, dendritic; /* ms */
    reference_list pre, post;         /* ms, as emitted */
    int64_t        n_pre, n_post;     /* so far */
    double         w;
} twin;

static double pre_time(const twin *s, int64_t k) { return s->pre.x[k] + s->axonal; }
static double post_time(const twin *s, int64_t k) { return s->post.x[k] + s->dendritic; }

static void potentiate(twin *s)
{
    double sum = 0, x = s->w / s->p->Wmax, now = post_time(s, s->n_post++);
    for (int64_t k = 0; k < s->n_pre; k++) sum += exp((pre_time(s, k) - now) / s->p->tau_plus);
    s->w = fmin(1, x + s->p->lambda * pow(1 - x, s->p->mu_plus) * sum) * s->p->Wmax;
}

static void depress(twin *s)
{
    double sum = 0, x = s->w / s->p->Wmax, now = pre_time(s, s->n_pre++);
    for (int64_t k = 0; k < s->n_post; k++)
        if (post_time(s, k) < now) sum += exp((post_time(s, k) - now) / s->p->tau_minus);
    if (sum > 0) s->w = fmax(0, x - s->p->alpha * s->p->lambda * pow(x, s->p->mu_minus) * sum) * s->p->Wmax;
}

/* Lives until `now`, a time at the synapse. At equal times the postsynaptic spike comes first, unless it has no way to
 * go. In exact timing an arrival at `now` is still to come. */
static double live(twin *s, double now, rv_timing timing)
{
    for (;;) {
        double pre = s->n_pre < s->pre.n ? pre_time(s, s->n_pre) : INFINITY,
               post = s->n_post < s->post.n ? post_time(s, s->n_post) : INFINITY;
        if (post > now && (timing == RV_EXACT ? pre >= now : pre > now)) return s->w;
        if (post < pre || (post == pre && s->dendritic > 0)) potentiate(s);
        else depress(s);
    }
}

static twin new_twin(const stdp *p, reference_list pre, reference_list post)
{
    double dendritic = p->dendritic_fraction * p->delay;
    return (
        twin){ .p = p, .axonal = p->delay - dendritic, .dendritic = dendritic, .pre = pre, .post = post, .w = p->w0 };
}

/* ---- random trains ---------------------------------------------------------------------------------------------- */

enum { DURATION = 320 /* ms */ };

/* On average one spike each 6 ms, half of them on whole ms so that many coincide; the others on the grid of `unit` ms.
 */
static reference_list random_train(rv_random *random, double unit, bool twice)
{
    reference_list list = { 0, malloc(2 * DURATION * sizeof(double)) };
    for (int ms = 1; ms < DURATION - 1; ms++) {
        if (random_below(random, 6) != 0) continue;
        double offset = random_below(random, 2) ? unit * (double)random_below(random, (uint64_t)(1 / unit)) : 0;
        list.x[list.n++] = ms + offset;
        if (twice && random_below(random, 10) == 0) list.x[list.n] = list.x[list.n - 1], list.n++;
    }
    return list;
}

static trains random_trains(rv_timing timing)
{
    trains    t = { .h = 0.125, .timing = timing, .n_pre = MAX_PRE, .n_post = MAX_POST };
    double    unit = timing == RV_GRID ? t.h : 1.0 / 1024;
    rv_random random = random_stream(7, RANDOM_USER, (uint32_t)timing, 0);
    for (int j = 0; j < MAX_PRE; j++) t.pre[j] = random_train(&random, unit, true);
    for (int i = 0; i < MAX_POST; i++) t.post[i] = random_train(&random, unit, false);
    return t;
}

static void free_trains(trains *t)
{
    for (int j = 0; j < t->n_pre; j++) reference_list_free(&t->pre[j]);
    for (int i = 0; i < t->n_post; i++) reference_list_free(&t->post[i]);
}

static const char *describe(const trains *t, const stdp *p)
{
    return reference_text("%s, mu %g %g, Wmax %g, delay %g ms, dendritic %g", t->timing == RV_GRID ? "grid" : "exact",
                          p->mu_plus, p->mu_minus, p->Wmax, p->delay, p->dendritic_fraction);
}

/* Every weight each ms, and at the end. A sample at t knows what has reached a synapse at t - dendritic. */
static double compare_weights(const trains *t, const stdp *p)
{
    told     n = new_told(t, p);
    rv_probe probe;
    double   final[MAX_PRE * MAX_POST], worst = 0;
    ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, 1, &probe));
    ENSURE_OK(n.net, rv_run(n.net, DURATION));
    ENSURE_OK(n.net, rv_synapses(n.net, n.projection, NULL, NULL, final, NULL));
    reference_list samples = reference_samples(n.net, probe);
    const char    *name = describe(t, p);
    int            columns = t->n_pre * t->n_post;
    for (int c = 0; c < columns; c++) {
        twin s = new_twin(p, t->pre[c / t->n_post], t->post[c % t->n_post]);
        for (int64_t k = 0; k < samples.n / columns; k++) {
            double now = (double)(k + 1), expected = live(&s, now - s.dendritic, t->timing);
            ENSURE_NEAR_IN(samples.x[k * columns + c], expected, RELATIVE * fabs(p->Wmax), "(weight)",
                           "%s: synapse %d at %g ms", name, c, now);
            worst = reference_worse(worst, samples.x[k * columns + c] / p->Wmax, expected / p->Wmax);
        }
        ENSURE_NEAR_IN(final[c], s.w, RELATIVE * fabs(p->Wmax), "(weight)", "%s: synapse %d at the end", name, c);
    }
    reference_list_free(&samples);
    rv_net_free(n.net);
    return worst;
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
    told   n = new_told(&t, &p);
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
        told     n = new_told(&t, &p);
        rv_probe probe = reference_record(n.net, n.post, "V_m", 0);
        twin     s = new_twin(&p, t.pre[0], t.post[0]);
        ENSURE_OK(n.net, rv_run(n.net, DURATION));
        reference_list V = reference_samples(n.net, probe);
        for (int64_t k = 0; k < t.pre[0].n && t.pre[0].x[k] + p.delay <= DURATION; k++) {
            double arrival = t.pre[0].x[k] + p.delay, expected = live(&s, arrival - s.dendritic, RV_GRID);
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
