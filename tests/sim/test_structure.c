/* Synapses that change while the network runs. A plain twin delivers every spike to every synapse that was there when it was
 * sent and is still there when it arrives, with the delay of the moment it was sent; synapses are told apart by their
 * ends and weights, no two of which are equal. The twin of pairs does the same for STDP, and for delays that learn. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"

#define RELATIVE 1e-12

enum { N_PRE = 130, N_POST = 150, N_SPIKES = 25, N_PHASES = 9, INDEGREE = 12 };
static const double tau_m = 20, phase_ms = 7; /* delays are up to 15 ms: spikes live through several changes */

static double random_between(rv_random *r, double low, double high) { return low + (high - low) * random_uniform(r); }

/* ---- the synapses of each phase ----------------------------------------------------------------------------------- */

typedef struct table {
    int64_t  n, *source, *target;
    double  *weight, *delay;
} table;

static table read_table(rv_net *net, rv_projection j)
{
    table t;
    ENSURE_OK(net, rv_synapse_count(net, j, &t.n));
    size_t bytes = (size_t)(t.n + 1) * 8;
    t.source = malloc(bytes), t.target = malloc(bytes), t.weight = malloc(bytes), t.delay = malloc(bytes);
    ENSURE_OK(net, rv_synapses(net, j, t.source, t.target, t.weight, t.delay));
    return t;
}

static void free_table(table *t) { free(t->source), free(t->target), free(t->weight), free(t->delay); }

/* The place of the k-th synapse of one table in another, -1 if it is not there. */
static int64_t find(const table *t, const table *of, int64_t k)
{
    for (int64_t i = 0; i < t->n; i++)
        if (t->weight[i] == of->weight[k] && t->source[i] == of->source[k] && t->target[i] == of->target[k]) return i;
    return -1;
}

/* ---- the network ---------------------------------------------------------------------------------------------------- */

typedef struct trial {
    rv_net       *net;
    rv_population pre, post;
    rv_projection j, other; /* the other lies in the same rows, to another population */
    rv_timing     timing;
    double        spike[N_PRE][N_SPIKES]; /* ms */
    table         phase[N_PHASES + 1], beside;
} trial;

static int compare(const void *a, const void *b) { return *(const double *)a < *(const double *)b ? -1 : 1; }

static void draw_spikes(trial *t, rv_random *r, double until)
{
    for (int j = 0; j < N_PRE; j++) {
        for (int k = 0; k < N_SPIKES; k++) {
            t->spike[j][k] = random_between(r, 0.1, until);
            if (t->timing == RV_GRID) t->spike[j][k] = fmax(1, rint(t->spike[j][k] / 0.1)) * 0.1;
        }
        qsort(t->spike[j], N_SPIKES, sizeof(double), compare);
        ENSURE_OK(t->net, rv_set_spike_times(t->net, t->pre, j, t->spike[j], N_SPIKES));
    }
}

static rv_population add_targets(rv_net *net, const char *name, int n)
{
    rv_population p = reference_population(net, name, n, "iaf_psc_delta");
    reference_set_all(net, p, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 1e4, "tau_m", tau_m, NULL);
    return p;
}

static void open_trial(trial *t, rv_timing timing, int threads, uint64_t seed, bool once)
{
    rv_random r = random_stream(seed, RANDOM_USER, 1, 0);
    *t = (trial){ .net = reference_net((rv_net_def){ .timing = timing, .threads = threads, .seed = seed }), .timing = timing };
    t->pre = reference_population(t->net, "pre", N_PRE, "spike_generator");
    t->post = add_targets(t->net, "post", N_POST);
    rv_population beside = add_targets(t->net, "beside", 90);
    rv_connect_def def = { .source = rv_all(t->pre), .target = rv_all(t->post), .rule = "fixed_indegree", .degree = INDEGREE, .no_multapses = once,
                           .weight = rv_uniform(0.5, 1.5), .delay = rv_uniform(1, 15) };
    ENSURE_OK(t->net, rv_connect(t->net, &def, &t->j));
    def.target = rv_all(beside);
    ENSURE_OK(t->net, rv_connect(t->net, &def, &t->other));
    draw_spikes(t, &r, N_PHASES * phase_ms);
    t->phase[0] = read_table(t->net, t->j);
    t->beside = read_table(t->net, t->other);
}

static void close_trial(trial *t)
{
    for (int k = 0; k <= N_PHASES; k++) free_table(&t->phase[k]);
    free_table(&t->beside);
    rv_net_free(t->net);
}

/* ---- what every change keeps ---------------------------------------------------------------------------------------- */

static void expect_the_same_synapses(const table *before, const table *after)
{
    assert_int_equal(after->n, before->n);
    for (int64_t k = 0; k < before->n; k++) {
        int64_t at = find(after, before, k);
        assert_true(at >= 0);
    }
}

static void expect_rewired(const table *before, const table *after, double prune_below, int64_t indegree, bool once, int64_t pruned, int64_t grown)
{
    int64_t gone = 0, come = 0, fan_in[N_POST] = { 0 }, kept[N_POST] = { 0 };
    assert_int_equal(after->n, before->n - pruned + grown);
    for (int64_t k = 0; k < before->n; k++) {
        int64_t at = find(after, before, k);
        assert_true((at < 0) == (fabs(before->weight[k]) < prune_below));
        if (at < 0) gone++;
        else assert_true(after->delay[at] == before->delay[k]);
        kept[before->target[k]] += at >= 0;
    }
    for (int64_t k = 0; k < after->n; k++) {
        come += find(before, after, k) < 0, fan_in[after->target[k]]++;
        for (int64_t i = k + 1; i < after->n && once; i++) assert_false(after->source[i] == after->source[k] && after->target[i] == after->target[k]);
    }
    assert_int_equal(gone, pruned), assert_int_equal(come, grown);
    for (int i = 0; i < N_POST; i++) assert_int_equal(fan_in[i], kept[i] > indegree ? kept[i] : indegree);
}

/* ---- the twin ------------------------------------------------------------------------------------------------------- */

/* The membrane potential of a target at the end of phase `last`. */
static double twin_of(const trial *t, int64_t target, int last)
{
    double sum = 0, now = (last + 1) * phase_ms;
    for (int j = 0; j < N_PRE; j++)
        for (int k = 0; k < N_SPIKES; k++) {
            double time = t->spike[j][k];
            int    sent = (int)ceil(time / phase_ms - 1e-9) - 1; /* at the very end of a phase: sent in it */
            if (sent > last) continue;
            const table *then = &t->phase[sent];
            for (int64_t s = 0; s < then->n; s++) {
                if (then->source[s] != j || then->target[s] != target) continue;
                double arrival = time + then->delay[s];
                bool   there = arrival <= now + 1e-9;
                for (int p = sent + 1; p <= last && there; p++)
                    if (arrival > p * phase_ms + 1e-9) there = find(&t->phase[p], then, s) >= 0;
                if (there) sum += then->weight[s] * exp(-(now - arrival) / tau_m);
            }
        }
    return sum;
}

static double compare_with_twin(trial *t, int last)
{
    double v[N_POST], worst = 0;
    ENSURE_OK(t->net, rv_get(t->net, rv_all(t->post), "V_m", v));
    for (int i = last % 15; i < N_POST; i += 15) {
        double expected = twin_of(t, i, last);
        ENSURE_NEAR_IN(v[i], expected, RELATIVE * fmax(1, expected), "mV", "target %d after phase %d", i, last);
        worst = reference_worse(worst, v[i], expected);
    }
    return worst;
}

/* One change between two phases. */
static void change(trial *t, int phase, bool once)
{
    int64_t pruned[2], grown[2];
    table  *before = &t->phase[phase - 1], *after = &t->phase[phase];
    rv_rewiring how = { .prune_below = 0.7, .indegree = INDEGREE + phase % 2, .weight = rv_uniform(0.4, 1.6), .delay = rv_uniform(1, 15) };
    ENSURE_OK(t->net, rv_rewired(t->net, t->j, &pruned[0], &grown[0]));
    if (phase % 3 == 0) ENSURE_OK(t->net, rv_set_delays(t->net, t->j, rv_uniform(1, 15)));
    if (phase % 3 == 1) ENSURE_OK(t->net, rv_rewire(t->net, t->j, &how));
    if (phase % 3 == 2) { /* a list, in the order of rv_synapses(): later ones get shorter delays */
        double *list = malloc((size_t)before->n * sizeof *list);
        for (int64_t k = 0; k < before->n; k++) list[k] = 0.1 * (double)(150 - k % 140);
        ENSURE_OK(t->net, rv_set_delays(t->net, t->j, rv_list(list, before->n)));
        *after = read_table(t->net, t->j);
        for (int64_t k = 0; k < before->n; k++) ENSURE_NEAR(after->delay[find(after, before, k)], list[k], 1e-9, "ms");
        free_table(after), free(list);
    }
    *after = read_table(t->net, t->j);
    ENSURE_OK(t->net, rv_rewired(t->net, t->j, &pruned[1], &grown[1]));
    if (phase % 3 == 1) expect_rewired(before, after, how.prune_below, how.indegree, once, pruned[1] - pruned[0], grown[1] - grown[0]);
    else expect_the_same_synapses(before, after);
    table beside = read_table(t->net, t->other);
    expect_the_same_synapses(&t->beside, &beside);
    assert_memory_equal(beside.delay, t->beside.delay, (size_t)beside.n * sizeof(double));
    free_table(&beside);
}

static void every_spike_arrives_once(void **state)
{
    (void)state;
    double  worst = 0;
    trial  *t = malloc(sizeof *t);
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            open_trial(t, (rv_timing)timing, 1 + (int)seed, seed, seed != 2);
            for (int phase = 0; phase < N_PHASES; phase++) {
                if (phase > 0) change(t, phase, seed != 2);
                ENSURE_OK(t->net, rv_run(t->net, phase_ms));
                worst = fmax(worst, compare_with_twin(t, phase));
            }
            t->phase[N_PHASES] = read_table(t->net, t->j);
            close_trial(t);
        }
    free(t);
    print_message("largest relative deviation from the twin: %.2g\n", worst);
}

static void memory_is_that_of_new_rows(void **state)
{
    (void)state;
    trial *t = malloc(sizeof *t);
    open_trial(t, RV_GRID, 1, 5, true);
    rv_profile before = rv_profile_get(t->net);
    ENSURE_OK(t->net, rv_run(t->net, 20));
    ENSURE_OK(t->net, rv_set_delays(t->net, t->j, rv_number(30))); /* one delay: fewer segments; far beyond the longest so far */
    ENSURE_OK(t->net, rv_run(t->net, 50));
    ENSURE_OK(t->net, rv_set_delays(t->net, t->j, rv_number(2))); /* spikes under way are gone: one segment per source */
    rv_profile after = rv_profile_get(t->net);
    assert_int_equal(after.n_synapses, before.n_synapses);
    assert_true(after.bytes_synapses < before.bytes_synapses);
    for (int k = 0; k <= N_PHASES; k++)
        if (k > 0) t->phase[k] = (table){ 0 };
    close_trial(t);
    free(t);
}

/* ---- learning: the twin of pairs ------------------------------------------------------------------------------------ */

enum { PAIRS_PRE = 70, PAIRS_SPIKES = 12 };

/* Additive STDP far from its bounds is a sum over pairs; the lag counts the delay of the moment of the later spike. */
static double pair_sum(const double *pre, const double *post, int n, double change_ms, const double delay[2], double tau, double up, double down)
{
    double sum = 0;
    for (int a = 0; a < n; a++)
        for (int b = 0; b < n; b++) {
            double lag = post[b] - pre[a] + delay[fmax(post[b], pre[a]) > change_ms];
            if (fabs(lag) < 1e-7) continue;
            sum += lag > 0 ? up * exp(-lag / tau) : -down * exp(lag / tau);
        }
    return sum;
}

static void draw_pair_train(rv_random *r, double *time)
{
    for (int k = 0; k < PAIRS_SPIKES; k++) time[k] = 0.1 * rint(10 * (random_between(r, 5, 60) + (k % 2) * 100)); /* silence around the change */
    qsort(time, PAIRS_SPIKES, sizeof *time, compare);
    for (int k = 1; k < PAIRS_SPIKES; k++)
        if (time[k] <= time[k - 1] + 0.05) time[k] = time[k - 1] + 0.1;
}

static void learning_goes_on(void **state)
{
    (void)state;
    const rv_setting rule[] = { { "Wmax", rv_number(1e3) }, { "lambda", rv_number(1e-4) }, { "alpha", rv_number(0.8) }, { "mu_plus", rv_number(0) }, { "mu_minus", rv_number(0) } };
    double           worst = 0;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++)
        for (int threads = 1; threads <= 3; threads += 2) {
            rv_random     r = random_stream(7, RANDOM_USER, 2, (uint64_t)threads);
            rv_net       *net = reference_net((rv_net_def){ .timing = (rv_timing)timing, .threads = threads, .seed = 7 });
            rv_population pre = reference_population(net, "pre", PAIRS_PRE, "spike_generator"), drive = reference_population(net, "drive", PAIRS_PRE, "spike_generator");
            rv_population post = add_targets(net, "post", PAIRS_PRE);
            rv_projection j;
            double        a[PAIRS_PRE][PAIRS_SPIKES], b[PAIRS_PRE][PAIRS_SPIKES], told[PAIRS_SPIKES], delays[PAIRS_PRE * 3];
            int64_t       sources[PAIRS_PRE * 3], targets[PAIRS_PRE * 3];
            reference_set_all(net, post, "tau_m", 0.001, "t_ref", 0.0, NULL);
            for (int i = 0; i < PAIRS_PRE; i++) {
                draw_pair_train(&r, a[i]), draw_pair_train(&r, b[i]);
                for (int k = 0; k < PAIRS_SPIKES; k++) told[k] = b[i][k] - 0.1;
                ENSURE_OK(net, rv_set_spike_times(net, pre, i, a[i], PAIRS_SPIKES));
                ENSURE_OK(net, rv_set_spike_times(net, drive, i, told, PAIRS_SPIKES));
                for (int k = 0; k < 3; k++)
                    sources[3 * i + k] = i, targets[3 * i + k] = (i + 11 * k) % PAIRS_PRE, delays[3 * i + k] = 0.1 * (double)(10 + random_below(&r, 40));
            }
            ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(drive), .target = rv_all(post), .rule = "one_to_one", .weight = rv_number(1e7), .delay = rv_number(0.1) }, NULL));
            ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(post), .rule = "list", .sources = sources, .targets = targets, .n_list = PAIRS_PRE * 3,
                                                              .weight = rv_number(500), .delay = rv_list(delays, PAIRS_PRE * 3), .plasticity = "stdp", .settings = rule, .n_settings = 5 }, &j));
            ENSURE_OK(net, rv_run(net, 82));
            table before = read_table(net, j);
            ENSURE_OK(net, rv_set_delays(net, j, rv_uniform(1, 6)));
            table changed = read_table(net, j);
            ENSURE_OK(net, rv_run(net, 118));
            table after = read_table(net, j);
            for (int64_t k = 0; k < after.n; k++) {
                int64_t old = 0; /* no two synapses have the same source and target */
                while (before.source[old] != after.source[k] || before.target[old] != after.target[k]) old++;
                double both[2] = { before.delay[old], after.delay[k] };
                double expected = 500 + pair_sum(a[after.source[k]], b[after.target[k]], PAIRS_SPIKES, 82, both, 20, 0.1, 0.08);
                ENSURE_NEAR_IN(after.weight[k], expected, RELATIVE * expected, "(weight)", "synapse %d -> %d", (int)after.source[k], (int)after.target[k]);
                worst = reference_worse(worst, after.weight[k], expected);
            }
            free_table(&before), free_table(&changed), free_table(&after);
            rv_net_free(net);
        }
    print_message("largest relative deviation from the twin: %.2g\n", worst);
}

/* Delays set to what they are: every rule keeps its traces and what its synapses own. */
static table run_with_rule(const char *rule, bool set, int threads, int64_t *n_spikes)
{
    rv_net       *net = reference_net((rv_net_def){ .seed = 13, .threads = threads });
    rv_population p = reference_population(net, "n", 150, "iaf_psc_delta");
    rv_projection j;
    const rv_setting settings[] = { { strcmp(rule, "stdp_reward") == 0 ? "b" : "dendritic_fraction", rv_number(strcmp(rule, "stdp_reward") == 0 ? -0.01 : 0.5) } };
    reference_set_all(net, p, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 10.0, NULL);
    reference_input(net, p, "poisson", "rate", 8000.0, "weight", 0.15, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "fixed_indegree", .degree = 10, .weight = rv_uniform(0.1, 0.3), .delay = rv_uniform(1, 6),
                                                      .plasticity = rule, .settings = settings, .n_settings = strcmp(rule, "tsodyks") != 0 }, &j));
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_run(net, 60));
    table now = read_table(net, j);
    if (set) ENSURE_OK(net, rv_set_delays(net, j, rv_list(now.delay, now.n)));
    free_table(&now);
    ENSURE_OK(net, rv_run(net, 60));
    now = read_table(net, j);
    *n_spikes = rv_spike_count(net, p);
    rv_net_free(net);
    return now;
}

static void what_is_set_to_what_it_is_goes_on(void **state)
{
    (void)state;
    static const char *const rules[] = { "stdp", "stdp_triplet", "stdp_inhibitory", "stdp_reward", "tsodyks", "stdp_voltage" };
    for (int k = 0; k < 6; k++) {
        int64_t n[2];
        table   as_it_was = run_with_rule(rules[k], false, 1, &n[0]), set = run_with_rule(rules[k], true, 2, &n[1]);
        assert_true(n[0] > 300);
        assert_int_equal(n[1], n[0]);
        assert_int_equal(set.n, as_it_was.n);
        for (int64_t i = 0; i < set.n; i++) {
            assert_true(set.source[i] == as_it_was.source[i] && set.target[i] == as_it_was.target[i] && set.delay[i] == as_it_was.delay[i]);
            ENSURE_NEAR_IN(set.weight[i], as_it_was.weight[i], RELATIVE * fabs(as_it_was.weight[i]), "(weight)", "%s, synapse %d", rules[k], (int)i);
        }
        free_table(&set), free_table(&as_it_was);
    }
}

/* ---- delays that learn ---------------------------------------------------------------------------------------------- */

/* All pairs whose later spike lies in an interval, with the delays of that interval. */
static double delay_shift(const double *pre, int n_pre, const double *post, int n_post, double delay, double from, double to, const rv_delay_rule *rule)
{
    double sum = 0;
    for (int a = 0; a < n_pre; a++)
        for (int b = 0; b < n_post; b++) {
            double lag = post[b] - (pre[a] + delay), later = fmax(post[b], pre[a] + delay);
            if (fabs(lag) <= rule->window && later > from && later <= to) sum += rule->rate * lag / rule->tau * exp(1 - fabs(lag) / rule->tau);
        }
    return sum;
}

static void delays_learn_from_pairs(void **state)
{
    (void)state;
    const rv_delay_rule rule = { .interval_ms = 10, .rate = 0.2, .tau = 2, .window = 6, .delay_min = 0.5, .delay_max = 12 };
    enum { N = 70, FAN = 3 };
    double worst = 0;
    for (int threads = 1; threads <= 3; threads += 2) {
        rv_random     r = random_stream(9, RANDOM_USER, 3, 0);
        rv_net       *net = reference_net((rv_net_def){ .timing = RV_EXACT, .threads = threads });
        rv_population pre = reference_population(net, "pre", N, "spike_generator"), drive = reference_population(net, "drive", N, "spike_generator");
        rv_population post = add_targets(net, "post", N);
        double        a[N][PAIRS_SPIKES], b[N][PAIRS_SPIKES], delay[N * FAN];
        int64_t       sources[N * FAN], targets[N * FAN];
        rv_projection j;
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < PAIRS_SPIKES; k++) a[i][k] = random_between(&r, 1, 90), b[i][k] = random_between(&r, 1, 90);
            qsort(a[i], PAIRS_SPIKES, sizeof(double), compare), qsort(b[i], PAIRS_SPIKES, sizeof(double), compare);
            ENSURE_OK(net, rv_set_spike_times(net, pre, i, a[i], PAIRS_SPIKES));
            ENSURE_OK(net, rv_set_spike_times(net, drive, i, b[i], PAIRS_SPIKES));
            for (int k = 0; k < FAN; k++) sources[FAN * i + k] = i, targets[FAN * i + k] = (i + 17 * k) % N, delay[FAN * i + k] = random_between(&r, 2, 10);
        }
        reference_set_all(net, post, "tau_m", 0.001, "t_ref", 0.0, NULL);
        ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(drive), .target = rv_all(post), .rule = "one_to_one", .weight = rv_number(1e7), .delay = rv_number(1) }, NULL));
        ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(post), .rule = "list", .sources = sources, .targets = targets, .n_list = N * FAN,
                                                          .weight = rv_number(1), .delay = rv_list(delay, N * FAN) }, &j));
        ENSURE_OK(net, rv_record_spikes(net, post));
        ENSURE_OK(net, rv_learn_delays(net, j, &rule));
        ENSURE_OK(net, rv_run(net, 100));
        reference_spikes heard = reference_spikes_of(net, post);
        table            after = read_table(net, j);
        for (int64_t k = 0; k < after.n; k++) {
            int64_t at = 0;
            while (sources[at] != after.source[k] || targets[at] != after.target[k]) at++;
            double post_time[PAIRS_SPIKES * 2], d = delay[at];
            int    n = 0;
            for (int64_t i = 0; i < heard.n; i++)
                if (heard.neuron[i] == after.target[k]) post_time[n++] = heard.time_ms[i];
            for (double from = 0; from < 99; from += 10)
                d = fmin(fmax(d + delay_shift(a[after.source[k]], PAIRS_SPIKES, post_time, n, d, from, from + 10, &rule), rule.delay_min), rule.delay_max);
            ENSURE_NEAR_IN(after.delay[k], d, 1e-8, "ms", "synapse %d -> %d", (int)after.source[k], (int)after.target[k]);
            worst = fmax(worst, fabs(after.delay[k] - d));
        }
        reference_spikes_free(&heard), free_table(&after);
        rv_net_free(net);
    }
    print_message("largest deviation from the twin: %.2g ms\n", worst);
}

/* On the grid the shift of a pair, a third of a step, is made a step once in three times. */
static void rounding_is_right_on_average(void **state)
{
    (void)state;
    enum { N = 4000 };
    const rv_delay_rule rule = { .interval_ms = 20, .rate = 0.1 / 3, .tau = 2, .delay_min = 1, .delay_max = 12 };
    const double        pre_time = 5, post_time = 11; /* the target fires at 12 ms */
    rv_net             *net = reference_net((rv_net_def){ .seed = 4, .threads = 2 });
    rv_population       pre = reference_population(net, "pre", 1, "spike_generator"), drive = reference_population(net, "drive", 1, "spike_generator"), post = add_targets(net, "post", N);
    rv_projection       j;
    ENSURE_OK(net, rv_set_spike_times(net, pre, 0, &pre_time, 1));
    ENSURE_OK(net, rv_set_spike_times(net, drive, 0, &post_time, 1));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(drive), .target = rv_all(post), .rule = "all_to_all", .weight = rv_number(1e7), .delay = rv_number(1) }, NULL));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(pre), .target = rv_all(post), .rule = "all_to_all", .weight = rv_number(0), .delay = rv_number(5) }, &j));
    ENSURE_OK(net, rv_learn_delays(net, j, &rule)); /* lag = 12 - 10 = tau */
    ENSURE_OK(net, rv_run(net, 40));
    table  after = read_table(net, j);
    double sum = 0;
    for (int64_t k = 0; k < after.n; k++) {
        double steps = (after.delay[k] - 5) / 0.1;
        assert_true(fabs(steps) < 1e-6 || fabs(steps - 1) < 1e-6);
        sum += steps;
    }
    ENSURE_NEAR(sum / N, 1.0 / 3, 4 * sqrt(2.0 / 9 / N), "steps");
    free_table(&after);
    rv_net_free(net);
}

/* ---- homeostasis ---------------------------------------------------------------------------------------------------- */

static void totals_are_kept(void **state)
{
    (void)state;
    for (int plastic = 0; plastic < 2; plastic++) {
        rv_net       *net = reference_net((rv_net_def){ .seed = 2, .threads = 2 });
        rv_population p = reference_population(net, "n", 200, "iaf_psc_delta");
        rv_projection j;
        const rv_setting rule[] = { { "Wmax", rv_number(5) }, { "lambda", rv_number(0.02) } };
        reference_set_all(net, p, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 10.0, NULL);
        reference_input(net, p, "poisson", "rate", 8000.0, "weight", 0.15, NULL);
        ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "pairwise_bernoulli", .p = rv_number(0.1), .weight = rv_uniform(0.05, 0.3),
                                                          .delay = rv_uniform(1, 4), .plasticity = plastic ? "stdp" : NULL, .settings = rule, .n_settings = plastic ? 2 : 0 }, &j));
        ENSURE_OK(net, rv_normalise(net, j, 4, 25));
        for (int k = 1; k <= 4; k++) {
            ENSURE_OK(net, rv_run(net, 25));
            table  t = read_table(net, j);
            double sum[200] = { 0 };
            int    fan_in[200] = { 0 };
            for (int64_t i = 0; i < t.n; i++) sum[t.target[i]] += t.weight[i], fan_in[t.target[i]]++;
            for (int i = 0; i < 200; i++)
                if (fan_in[i] > 0) ENSURE_NEAR_IN(sum[i], 4, plastic ? 1e-12 : 1e-6, "mV", "target %d at %d ms", i, 25 * k);
            free_table(&t);
        }
        ENSURE_OK(net, rv_normalise(net, j, 4, INFINITY)); /* ends it */
        ENSURE_OK(net, rv_set_weights(net, j, rv_number(0.1)));
        ENSURE_OK(net, rv_run(net, 25));
        table t = read_table(net, j);
        if (!plastic) ENSURE_NEAR(t.weight[0], 0.1, 1e-8, "mV");
        free_table(&t);
        rv_net_free(net);
    }
}

/* The sensor and the factor from recorded spikes. */
static void scaling_follows_its_equation(void **state)
{
    (void)state;
    enum { N = 80 };
    const rv_scaling how = { .interval_ms = 50, .rate = 20, .tau = 300, .beta = 0.05, .gamma = 0.02 };
    rv_net          *net = reference_net((rv_net_def){ .seed = 6, .timing = RV_EXACT, .threads = 3 });
    rv_population    p = reference_population(net, "n", N, "iaf_psc_delta"), noise = reference_population(net, "noise", N, "poisson_generator");
    rv_projection    j;
    double           factor[N], integral[N] = { 0 }, worst = 0;
    reference_set_all(net, p, "E_L", 0.0, "V_m", 0.0, "V_reset", 0.0, "V_th", 5.0, NULL);
    ENSURE_OK(net, rv_set(net, noise, "rate", rv_uniform(100, 4000)));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(noise), .target = rv_all(p), .rule = "one_to_one", .weight = rv_number(0.5), .delay = rv_number(1) }, &j));
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_scale(net, j, &how));
    ENSURE_OK(net, rv_run(net, 1000));
    reference_spikes s = reference_spikes_of(net, p);
    table            t = read_table(net, j);
    for (int i = 0; i < N; i++) factor[i] = 1;
    for (int k = 1; k <= 20; k++)
        for (int i = 0; i < N; i++) {
            double now = 50 * k, a = how.rate * exp(-now / how.tau);
            for (int64_t m = 0; m < s.n; m++)
                if (s.neuron[m] == i && s.time_ms[m] < now) a += 1000 / how.tau * exp(-(now - s.time_ms[m]) / how.tau);
            integral[i] += (how.rate - a) * 0.05;
            factor[i] *= fmax(0, 1 + 0.05 * (how.beta * (how.rate - a) + how.gamma * integral[i]));
        }
    for (int64_t k = 0; k < t.n; k++) {
        ENSURE_NEAR_IN(t.weight[k], 0.5 * factor[t.target[k]], 1e-11, "mV", "target %d", (int)t.target[k]);
        worst = reference_worse(worst, t.weight[k], 0.5 * factor[t.target[k]]);
    }
    print_message("largest relative deviation from the twin: %.2g\n", worst);
    reference_spikes_free(&s), free_table(&t);
    rv_net_free(net);
}

/* ---- threads -------------------------------------------------------------------------------------------------------- */

/* Spikes and synapses of a recurrent network in which everything changes at once. */
static reference_spikes run_recurrent(rv_timing timing, int threads, table *after)
{
    rv_net          *net = reference_net((rv_net_def){ .seed = 11, .timing = timing, .threads = threads });
    rv_population    p = reference_population(net, "n", 320, "iaf_psc_delta");
    rv_projection    j;
    const rv_setting rule[] = { { "Wmax", rv_number(2) }, { "lambda", rv_number(0.05) } };
    const rv_scaling scaling = { .interval_ms = 35, .rate = 30, .tau = 200, .beta = 0.1 };
    const rv_rewiring rewiring = { .interval_ms = 20, .prune_below = 0.2, .indegree = 15, .weight = rv_uniform(0.2, 0.6), .delay = rv_uniform(1, 9) };
    const rv_delay_rule delays = { .interval_ms = 15, .rate = 0.4, .tau = 3, .delay_min = 0.5, .delay_max = 11 };
    reference_set_all(net, p, "E_L", 0.0, "V_reset", 0.0, "V_th", 10.0, NULL);
    ENSURE_OK(net, rv_set(net, p, "V_m", rv_uniform(0, 10)));
    reference_input(net, p, "poisson", "rate", 8000.0, "weight", 0.15, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "fixed_indegree", .degree = 14, .no_autapses = true, .weight = rv_uniform(0.1, 0.6),
                                                      .delay = rv_uniform(1, 5), .plasticity = "stdp", .settings = rule, .n_settings = 2 }, &j));
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_rewire(net, j, &rewiring));
    ENSURE_OK(net, rv_learn_delays(net, j, &delays));
    ENSURE_OK(net, rv_normalise(net, j, 5, 45));
    ENSURE_OK(net, rv_scale(net, j, &scaling));
    ENSURE_OK(net, rv_run(net, 150));
    ENSURE_OK(net, rv_set_delays(net, j, rv_uniform(1, 4)));
    ENSURE_OK(net, rv_run(net, 50));
    reference_spikes s = reference_spikes_of(net, p);
    *after = read_table(net, j);
    rv_net_free(net);
    return s;
}

static void threads_make_no_difference(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        table            one, some;
        reference_spikes s = run_recurrent((rv_timing)timing, 1, &one);
        assert_true(s.n > 1000);
        for (int threads = 2; threads <= 4; threads++) {
            reference_spikes other = run_recurrent((rv_timing)timing, threads, &some);
            assert_int_equal(other.n, s.n), assert_int_equal(some.n, one.n);
            assert_memory_equal(other.time_ms, s.time_ms, (size_t)s.n * 8), assert_memory_equal(other.neuron, s.neuron, (size_t)s.n * 8);
            assert_memory_equal(some.source, one.source, (size_t)one.n * 8), assert_memory_equal(some.target, one.target, (size_t)one.n * 8);
            assert_memory_equal(some.weight, one.weight, (size_t)one.n * 8), assert_memory_equal(some.delay, one.delay, (size_t)one.n * 8);
            reference_spikes_free(&other), free_table(&some);
        }
        reference_spikes_free(&s), free_table(&one);
    }
}

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

static void expect_refused(rv_net *net, rv_status status, const char *part)
{
    assert_true(status != RV_OK);
    if (!strstr(rv_net_error(net)->text, part)) fail_msg("expected \"%s\" in: %s", part, rv_net_error(net)->text);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ 0 });
    rv_population p = reference_population(net, "n", 10, "iaf_psc_delta");
    rv_projection j, chip, epochs, all;
    double        list[3] = { 1, 2, 3 };
    const rv_connect_def def = { .source = rv_all(p), .target = rv_all(p), .rule = "fixed_indegree", .degree = 2, .delay = rv_number(1) };
    rv_connect_def       other = def;
    ENSURE_OK(net, rv_connect(net, &def, &j));
    other.synapse = "loihi";
    ENSURE_OK(net, rv_connect(net, &other, &chip));
    other.synapse = NULL, other.plasticity = "stdp_loihi";
    ENSURE_OK(net, rv_connect(net, &other, &epochs));
    ENSURE_OK(net, rv_connect(net, &def, &all));
    expect_refused(net, rv_set_delays(net, j, rv_number(0)), "delay = 0 ms, allowed 0.1 to");
    expect_refused(net, rv_set_delays(net, j, rv_number(0.25)), "multiples of the resolution");
    expect_refused(net, rv_set_delays(net, j, rv_number(NAN)), "delay");
    expect_refused(net, rv_set_delays(net, j, rv_list(list, 3)), "a list of 3 values for 20 synapses");
    expect_refused(net, rv_set_delays(net, (rv_projection){ 99 }, rv_number(1)), "not a projection");
    expect_refused(net, rv_set_delays(net, chip, rv_number(1)), "of a chip");
    expect_refused(net, rv_set_delays(net, epochs, rv_number(1)), "learns in epochs");
    expect_refused(net, rv_normalise(net, j, 0, 0), "total = 0");
    expect_refused(net, rv_normalise(net, j, 1, 0.25), "interval = 0.25 ms, allowed are multiples");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .prune_below = -1 }), "prune_below = -1");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .density = 1.5 }), "density = 1.5, allowed 0 to 1");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .density = 0.5, .indegree = 3 }), "one of them");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .indegree = 3, .weight = rv_list(list, 3) }), "a number or a distribution");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .indegree = 3, .delay = rv_normal(-5, 0.001) }), "delay = -");
    expect_refused(net, rv_rewire(net, j, &(rv_rewiring){ .indegree = INT32_MAX }), "synapses need");
    expect_refused(net, rv_scale(net, j, &(rv_scaling){ .interval_ms = 10, .rate = 5, .tau = 0 }), "tau = 0 ms");
    expect_refused(net, rv_scale(net, j, &(rv_scaling){ .rate = 5, .tau = 10 }), "interval = 0 ms");
    expect_refused(net, rv_learn_delays(net, j, &(rv_delay_rule){ .interval_ms = 10, .rate = 1, .tau = 1, .delay_min = 0, .delay_max = 5 }), "delay_min = 0 ms, allowed 0.1");
    expect_refused(net, rv_learn_delays(net, j, &(rv_delay_rule){ .interval_ms = 10, .rate = 1, .tau = 1, .delay_min = 3, .delay_max = 2 }), "delay_max = 2 ms, allowed 3");
    ENSURE_OK(net, rv_rewire(net, j, &(rv_rewiring){ .interval_ms = 10, .indegree = 3 }));
    expect_refused(net, rv_record_weights(net, j, 1, NULL), "cannot be recorded one by one");
    ENSURE_OK(net, rv_record_weights(net, all, 1, NULL));
    expect_refused(net, rv_rewire(net, all, &(rv_rewiring){ .indegree = 3 }), "being recorded");
    ENSURE_OK(net, rv_normalise(net, all, 1, 1)); /* which may be seen in the recording */
    ENSURE_OK(net, rv_run(net, 30));
    rv_net_free(net);
    /* exact timing: what was a step must stay so; a population without sources cannot grow */
    net = reference_net((rv_net_def){ .timing = RV_EXACT });
    p = reference_population(net, "n", 10, "iaf_psc_delta");
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "one_to_one", .no_multapses = true, .no_autapses = true, .delay = rv_number(1) }, &j));
    ENSURE_OK(net, rv_rewire(net, j, &(rv_rewiring){ .indegree = 100 })); /* nine each, however many are wanted */
    int64_t n;
    ENSURE_OK(net, rv_synapse_count(net, j, &n));
    assert_int_equal(n, 90);
    expect_refused(net, rv_set_delays(net, j, rv_number(0.05)), "delay = 0.05 ms, allowed 0.1");
    expect_refused(net, rv_set_delays(net, j, rv_normal(0.05, 1e-6)), "delay = 0.0");
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spike_arrives_once),       cmocka_unit_test(memory_is_that_of_new_rows),   cmocka_unit_test(learning_goes_on),
        cmocka_unit_test(what_is_set_to_what_it_is_goes_on),
        cmocka_unit_test(delays_learn_from_pairs),        cmocka_unit_test(rounding_is_right_on_average), cmocka_unit_test(totals_are_kept),
        cmocka_unit_test(scaling_follows_its_equation),   cmocka_unit_test(threads_make_no_difference),   cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
