/* Long rows learn in blocks (sim/plasticity_loop.h), short ones synapse by synapse, as in the comparisons with twins: here the
 * same synapses, spread over few sources and over many that spike together, must end with the same weights, bit for bit. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

enum { N_PRE = 2, N_POST = 300, COPIES = 200, HEAVY = 137 /* this target */, DURATION = 250 /* ms */ };

typedef struct learned {
    double before, after; /* weight */
} learned;

typedef struct rule_case {
    const char *name;
    rv_setting  settings[5];
    int         n;
} rule_case;

static const rule_case cases[] = {
    { "stdp", { { "mu_plus", { .kind = RV_NUMBER, .a = 0 } }, { "mu_minus", { .kind = RV_NUMBER, .a = 1 } }, { "lambda", { .kind = RV_NUMBER, .a = 0.02 } } }, 3 },
    { "stdp", { { "mu_plus", { .kind = RV_NUMBER, .a = 0.4 } }, { "mu_minus", { .kind = RV_NUMBER, .a = 0.4 } }, { "lambda", { .kind = RV_NUMBER, .a = 0.02 } } }, 3 },
    { "stdp", { { "mu_plus", { .kind = RV_NUMBER, .a = 0.4 } }, { "mu_minus", { .kind = RV_NUMBER, .a = 0 } }, { "Wmax", { .kind = RV_NUMBER, .a = 60 } } }, 3 },
    { "stdp", { { "pairing", { .kind = RV_NUMBER, .a = 1 } }, { "mu_plus", { .kind = RV_NUMBER, .a = 1 } }, { "mu_minus", { .kind = RV_NUMBER, .a = 0.02 } } }, 3 },
    { "stdp", { { "pairing", { .kind = RV_NUMBER, .a = 2 } } }, 1 },
    { "stdp", { { "pairing", { .kind = RV_NUMBER, .a = 3 } } }, 1 },
    { "stdp_pl", { { "mu", { .kind = RV_NUMBER, .a = 0.4 } }, { "lambda", { .kind = RV_NUMBER, .a = 0.1 } }, { "alpha", { .kind = RV_NUMBER, .a = 0.2 } } }, 3 },
    { "stdp_triplet", { { "Aplus", { .kind = RV_NUMBER, .a = 0.5 } }, { "Aplus_triplet", { .kind = RV_NUMBER, .a = 0.4 } }, { "Aminus_triplet", { .kind = RV_NUMBER, .a = 0.3 } } }, 3 },
    { "stdp_inhibitory", { { "eta", { .kind = RV_NUMBER, .a = 0.7 } }, { "Wmax", { .kind = RV_NUMBER, .a = 80 } } }, 2 },
};

/* On average a spike each `every` ms, on multiples of the unit; sometimes two at once. */
static int64_t random_train(uint32_t number, int every, double unit, double *times)
{
    rv_random random = random_stream(11, RANDOM_USER, number, 0);
    int64_t   n = 0;
    for (int ms = 2; ms < DURATION - 10; ms++) {
        if (random_below(&random, (uint64_t)every) != 0) continue;
        times[n++] = ms + unit * (double)random_below(&random, (uint64_t)(1 / unit));
        if (number < N_PRE && random_below(&random, 8) == 0) times[n] = times[n - 1], n++;
    }
    return n;
}

static rv_population told_neurons(rv_net *net, double h, double unit)
{
    rv_population post = reference_population(net, "post", N_POST, "iaf_psc_delta"), drive = reference_population(net, "drive", N_POST, "spike_generator");
    double        times[2 * DURATION];
    reference_set_all(net, post, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 1e4, "t_ref", 0.0, "tau_m", 0.001, NULL);
    for (int i = 0; i < N_POST; i++) { /* some of them often, so that there is much to catch up with, one of them never */
        int64_t n = i == 5 ? 0 : random_train((uint32_t)(N_PRE + i), i % 10 == 0 ? 2 : i % 3 == 0 ? 40 : 15, unit, times);
        ENSURE_OK(net, rv_set_spike_times(net, drive, i, times, n));
    }
    rv_connect_def def = { .source = rv_all(drive), .target = rv_all(post), .rule = "one_to_one", .weight = rv_number(1e9), .delay = rv_number(h) };
    ENSURE_OK(net, rv_connect(net, &def, NULL));
    return post;
}

static int by_weight_before(const void *a, const void *b)
{
    double x = ((const learned *)a)->before, y = ((const learned *)b)->before;
    return (x > y) - (x < y);
}

/* 1 to 4 synapses of each source onto each target, and more than a block onto one of them; each begins with a weight of its own. */
static int64_t list_synapses(int copies, int64_t **sources, int64_t **targets, double **weights)
{
    int64_t most = N_PRE * (4 * N_POST + 1200), n = 0;
    *sources = malloc((size_t)most * sizeof **sources), *targets = malloc((size_t)most * sizeof **targets), *weights = malloc((size_t)most * sizeof **weights);
    for (int j = 0; j < N_PRE; j++)
        for (int i = 0; i < N_POST; i++)
            for (int k = 0; k < (i == HEAVY ? 1200 : 1 + i % 4); k++, n++) {
                (*sources)[n] = j * copies + n % copies, (*targets)[n] = i;
                (*weights)[n] = 1 + 0.001 * (double)n;
            }
    return n;
}

static learned *learn(const rule_case *rule, rv_timing timing, double delay, double fraction, int threads, int copies, int64_t *n)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 0.125, .timing = timing, .threads = threads });
    double        unit = timing == RV_GRID ? 0.125 : 1.0 / 1024, times[2 * DURATION], *weights;
    rv_population pre = reference_population(net, "pre", N_PRE * copies, "spike_generator"), post = told_neurons(net, 0.125, unit);
    rv_setting    settings[6];
    rv_projection projection;
    int64_t      *sources, *targets;
    for (int j = 0; j < N_PRE * copies; j++) {
        int64_t n_times = random_train((uint32_t)(j / copies), 12, unit, times);
        ENSURE_OK(net, rv_set_spike_times(net, pre, j, times, n_times));
    }
    *n = list_synapses(copies, &sources, &targets, &weights);
    memcpy(settings, rule->settings, sizeof rule->settings);
    settings[rule->n] = (rv_setting){ "dendritic_fraction", rv_number(fraction) };
    rv_connect_def def = { .source = rv_all(pre), .target = rv_all(post), .rule = "list", .sources = sources, .targets = targets, .n_list = *n, .weight = rv_list(weights, *n),
                           .delay = rv_number(delay), .plasticity = rule->name, .settings = settings, .n_settings = rule->n + 1 };
    ENSURE_OK(net, rv_connect(net, &def, &projection));
    learned *all = malloc((size_t)*n * sizeof *all);
    for (int end = 0; end < 2; end++) {
        ENSURE_OK(net, rv_synapses(net, projection, NULL, NULL, weights, NULL));
        for (int64_t k = 0; k < *n; k++) *(end ? &all[k].after : &all[k].before) = weights[k];
        if (!end) ENSURE_OK(net, rv_run(net, DURATION));
    }
    qsort(all, (size_t)*n, sizeof *all, by_weight_before);
    free(sources), free(targets), free(weights);
    rv_net_free(net);
    return all;
}

static void compare(const rule_case *rule, rv_timing timing, double delay, double fraction)
{
    int64_t  n, m, changed = 0;
    learned *alone = learn(rule, timing, delay, fraction, 1, COPIES, &n);
    for (int threads = 1; threads <= 3; threads += 2) {
        learned *together = learn(rule, timing, delay, fraction, threads, 1, &m);
        assert_int_equal(n, m);
        for (int64_t k = 0; k < n; k++) {
            changed += alone[k].after != alone[k].before;
            if (memcmp(&alone[k], &together[k], sizeof *alone) != 0)
                fail_msg("%s, %s, delay %g ms, dendritic %g, %d threads: weight %g becomes %.17g alone, %.17g in a block", rule->name, timing == RV_GRID ? "grid" : "exact", delay,
                         fraction, threads, alone[k].before, alone[k].after, together[k].after);
        }
        free(together);
    }
    free(alone);
    if (changed < n) fail_msg("%s: %lld of %lld weights change, expected nearly all", rule->name, (long long)changed, 2 * (long long)n);
}

static void test_blocks_are_synapses(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        compare(&cases[k], RV_GRID, 2, 1);
        compare(&cases[k], RV_GRID, 0.125, 1);
        compare(&cases[k], RV_GRID, 2, 0);
        compare(&cases[k], RV_EXACT, 2, 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_blocks_are_synapses) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
