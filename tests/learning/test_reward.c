/* stdp_reward against a plain twin of quadratic time: eligibility and reward are sums over all pairs and all rewards, the
 * weight their integral from event to event. Rewards come from a population with its delay, and from outside. */
#include "tests/support/told.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RELATIVE 1e-12 /* of a weight */

enum { MOST = 4096 };

/* A change of the eligibility, or a reward, at a time of the synapse. */
typedef struct jump {
    double time, size;
} jump;

typedef struct gated {
    double tau_plus, tau_minus, A_plus, A_minus, tau_c, tau_n, b, Wmin, Wmax;
    jump   reward[MOST]; /* ascending */
    int    n_rewards;
} gated;

/* Of one synapse; told_compare() takes one after the other, from the beginning. */
static struct {
    jump   jump[MOST];
    int    n;
    double time;
} life;

static double sum_of(const jump *list, int n, double now, double tau)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        if (list[k].time <= now) sum += list[k].size * exp((list[k].time - now) / tau);
    return sum;
}

/* Without a reward or a pair in between */
static void integrate(twin_synapse *s, const gated *p, double from, double to)
{
    double c = sum_of(life.jump, life.n, from, p->tau_c), n = sum_of(p->reward, p->n_rewards, from, p->tau_n), both = 1 / p->tau_c + 1 / p->tau_n, T = to - from;
    s->w += c * n * (1 - exp(-T * both)) / both - c * p->b * p->tau_c * (1 - exp(-T / p->tau_c));
    s->w = fmax(p->Wmin, fmin(p->Wmax, s->w));
}

static void until(twin_synapse *s, double now)
{
    const gated *p = s->rule;
    if (s->n_pre == 0 && s->n_post == 0) life.n = 0, life.time = 0;
    for (int k = 0; k < p->n_rewards; k++)
        if (p->reward[k].time > life.time && p->reward[k].time <= now) integrate(s, p, life.time, p->reward[k].time), life.time = p->reward[k].time;
    if (now > life.time) integrate(s, p, life.time, now), life.time = now;
}

static void on_post(twin_synapse *s, double now)
{
    const gated *p = s->rule;
    double       sum = 0;
    for (int64_t k = 0; k < s->n_pre; k++) sum += exp((twin_pre(s, k) - now) / p->tau_plus);
    life.jump[life.n++] = (jump){ now, p->A_plus * sum };
}

static void on_pre(twin_synapse *s, double now)
{
    const gated *p = s->rule;
    double       sum = 0;
    for (int64_t k = 0; k < s->n_post; k++)
        if (twin_post(s, k) < now) sum += exp((twin_post(s, k) - now) / p->tau_minus);
    life.jump[life.n++] = (jump){ now, -p->A_minus * sum };
}

/* ---- giving rewards ---------------------------------------------------------------------------------------------- */

enum { N_SPIKES = 30, N_GIVEN = 12 };
static const double spike_delay = 1.25; /* ms */
static double       spikes[N_SPIKES], given[N_GIVEN][2];
static told        *rewarded;

static int by_time(const void *a, const void *b) { return ((const jump *)a)->time < ((const jump *)b)->time ? -1 : ((const jump *)a)->time > ((const jump *)b)->time; }

/* Two dopamine neurons with the same spikes, and rewards and punishments from outside, some at the same time. */
static void choose_rewards(gated *p)
{
    p->n_rewards = 0;
    for (int k = 0; k < N_SPIKES; k++) {
        spikes[k] = 7 + 10 * k + 0.125 * (k % 5);
        p->reward[p->n_rewards++] = (jump){ spikes[k] + spike_delay, 2 / p->tau_n };
    }
    for (int k = 0; k < N_GIVEN; k++) {
        given[k][0] = 11 + 23 * k + (k % 3 ? 0 : spike_delay), given[k][1] = k % 4 == 3 ? -0.05 : 0.08;
        p->reward[p->n_rewards++] = (jump){ given[k][0], given[k][1] };
    }
    qsort(p->reward, (size_t)p->n_rewards, sizeof *p->reward, by_time);
}

static rv_status give(rv_net *net, double t_ms, void *user)
{
    (void)t_ms;
    return rv_reward(net, rewarded->projection, ((const double *)user)[1]);
}

static void add_rewards(told *n)
{
    rv_population dopamine = reference_population(n->net, "dopamine", 2, "spike_generator");
    rewarded = n;
    for (int i = 0; i < 2; i++) ENSURE_OK(n->net, rv_set_spike_times(n->net, dopamine, i, spikes, N_SPIKES));
    ENSURE_OK(n->net, rv_reward_from(n->net, n->projection, dopamine, spike_delay));
    for (int k = 0; k < N_GIVEN; k++) ENSURE_OK(n->net, rv_at(n->net, given[k][0], give, given[k]));
}

/* ---- the comparison ---------------------------------------------------------------------------------------------- */

static gated parameters(double b, bool tight)
{
    gated p = { .tau_plus = 16.8, .tau_minus = 33.7, .A_plus = 1, .A_minus = 1.5, .tau_c = 150, .tau_n = 40, .b = b, .Wmin = tight ? 20 : -1e6, .Wmax = tight ? 45 : 1e6 };
    choose_rewards(&p);
    return p;
}

enum { N_SETTINGS = 9 };
static void settings_of(const gated *p, rv_setting settings[N_SETTINGS])
{
    static const char *const names[N_SETTINGS] = { "tau_plus", "tau_minus", "A_plus", "A_minus", "tau_c", "tau_n", "b", "Wmin", "Wmax" };
    for (int k = 0; k < N_SETTINGS; k++) settings[k] = (rv_setting){ names[k], rv_number((&p->tau_plus)[k]) };
}

static void test_twin(void **state)
{
    (void)state;
    static const struct {
        rv_timing timing;
        double    delay, fraction;
    } places[] = { { RV_GRID, 2, 1 }, { RV_GRID, 2, 0 }, { RV_GRID, 5, 0.5 }, { RV_GRID, 0.125, 1 }, { RV_EXACT, 2, 1 }, { RV_EXACT, 2, 0.25 } };
    double worst = 0;
    for (int k = 0; k < 3 * 6; k++) {
        gated      p = parameters(k % 3 == 1 ? 0.02 : 0, k % 3 == 2);
        trains     t = random_trains(places[k / 3].timing);
        rv_setting settings[N_SETTINGS];
        settings_of(&p, settings);
        synapse s = { "stdp_reward", settings, N_SETTINGS, 30, places[k / 3].delay, places[k / 3].fraction };
        for (t.threads = 1; t.threads <= 3; t.threads += 2)
            worst = fmax(worst, told_compare(&t, &s, &(twin_synapse){ .rule = &p, .on_pre = on_pre, .on_post = on_post, .until = until }, RELATIVE * 100, add_rewards,
                                             reference_text("b = %g, Wmax = %g", p.b, p.Wmax)));
        free_trains(&t);
    }
    print_message("largest deviation from the twin %.2g, allowed %.2g\n", worst, RELATIVE * 100);
}

/* Looking at weights, or cutting a run into pieces, changes no bit; nor does the number of threads. Many rewards, so that they
 * are forgotten on the way. */
static void run_watched(int threads, double interval, double *weights)
{
    gated      p = parameters(0.01, false);
    trains     t = random_trains(RV_GRID);
    rv_setting settings[N_SETTINGS];
    rv_probe   probe;
    double     many[6000];
    settings_of(&p, settings);
    t.threads = threads;
    told          n = told_new(&t, &(synapse){ "stdp_reward", settings, N_SETTINGS, 30, 2, 1 });
    rv_population dopamine = reference_population(n.net, "dopamine", 1, "spike_generator");
    for (int k = 0; k < 6000; k++) many[k] = 0.125 * (1 + k * 0.4);
    ENSURE_OK(n.net, rv_set_spike_times(n.net, dopamine, 0, many, 6000));
    ENSURE_OK(n.net, rv_reward_from(n.net, n.projection, dopamine, 1));
    if (interval > 0) ENSURE_OK(n.net, rv_record_weights(n.net, n.projection, interval, &probe));
    ENSURE_OK(n.net, rv_run(n.net, TOLD_DURATION));
    ENSURE_OK(n.net, rv_synapses(n.net, n.projection, NULL, NULL, weights, NULL));
    rv_net_free(n.net);
    free_trains(&t);
}

static void test_looking_changes_nothing(void **state)
{
    (void)state;
    double unseen[MAX_PRE * MAX_POST], seen[MAX_PRE * MAX_POST], parallel[MAX_PRE * MAX_POST];
    run_watched(1, 0, unseen), run_watched(1, 0.125, seen), run_watched(3, 7, parallel);
    assert_memory_equal(unseen, seen, sizeof unseen);
    assert_memory_equal(unseen, parallel, sizeof unseen);
}

/* One pair, one reward: the closed form of the change of the weight; the states read on the way; weights set in between. */
static void test_states_and_setting(void **state)
{
    (void)state;
    double     pre[] = { 100 }, post[] = { 110 }, c, n, w, times[] = { 100, 110 };
    trains     t = { .h = 0.1, .n_pre = 1, .n_post = 1, .pre = { { 1, pre } }, .post = { { 1, post } } };
    rv_setting settings[] = { { "Wmax", rv_number(1000) } };
    told       net = told_new(&t, &(synapse){ "stdp_reward", settings, 1, 30, 1, 1 });
    int64_t    count;
    (void)times;
    ENSURE_OK(net.net, rv_run(net.net, 201));
    ENSURE_OK(net.net, rv_reward(net.net, net.projection, 0.5));
    ENSURE_OK(net.net, rv_run(net.net, 1000));
    ENSURE_OK(net.net, rv_get_learning(net.net, net.projection, "c", &c, &count));
    ENSURE_OK(net.net, rv_get_learning(net.net, net.projection, "n", &n, &count));
    ENSURE_OK(net.net, rv_synapses(net.net, net.projection, NULL, NULL, &w, NULL));
    double both = 1.0 / 1000 + 1.0 / 200, pair = exp(-11.0 / 20); /* at the synapse: 100 and 111; the reward at 201, now is 1200 */
    ENSURE_NEAR(c, pair * exp(-(1200 - 111) / 1000.0), 1e-13, "1");
    ENSURE_NEAR(n, 0.5 * exp(-1000.0 / 200), 1e-13, "1");
    ENSURE_NEAR(w, 30 + pair * exp(-(201 - 111) / 1000.0) * 0.5 / both * (1 - exp(-999 * both)), 1e-11, "(weight)");
    ENSURE_OK(net.net, rv_set_weights(net.net, net.projection, rv_number(50)));
    ENSURE_OK(net.net, rv_synapses(net.net, net.projection, NULL, NULL, &w, NULL));
    ENSURE_NEAR(w, 50, 0, "(weight)");
    assert_int_not_equal(rv_get_learning(net.net, net.projection, "x1", &c, &count), RV_OK);
    print_message("%s\n", rv_net_error(net.net)->text);
    assert_int_not_equal(rv_reward_from(net.net, net.projection, net.pre, 1), RV_OK);
    print_message("%s\n", rv_net_error(net.net)->text);
    assert_int_not_equal(rv_reward(net.net, net.projection, NAN), RV_OK);
    print_message("%s\n", rv_net_error(net.net)->text);
    rv_net_free(net.net);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_twin), cmocka_unit_test(test_looking_changes_nothing), cmocka_unit_test(test_states_and_setting) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
