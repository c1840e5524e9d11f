/* What displays see and touch: every spike, in order; states step by step; a poked neuron fires. And that none of it
 * changes a run. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/ranvier.h"

enum { N = 200, MOST = 200000 };

static void done(const rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

/* A noisy recurrent network in which two populations take part. */
static rv_net *make_net(rv_timing timing, int threads, rv_population *exc, rv_population *inh)
{
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 5, .timing = timing, .threads = threads }, &net, NULL), RV_OK);
    *exc = rv_population_new(net, "E", N, "iaf_psc_exp"), *inh = rv_population_new(net, "I", N / 4, "iaf_psc_exp");
    rv_population all[2] = { *exc, *inh };
    for (int k = 0; k < 4; k++)
        done(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(all[k / 2]), .target = rv_all(all[k % 2]), .rule = "fixed_indegree", .degree = 20,
                                                     .weight = rv_number(k / 2 ? -250 : 50), .delay = rv_uniform(0.5, 3) }, NULL));
    for (int k = 0; k < 2; k++) {
        const rv_setting poisson[] = { { "rate", rv_number(8000) }, { "weight", rv_number(60) } };
        done(net, rv_input_new(net, rv_all(all[k]), "poisson", poisson, 2, NULL));
        done(net, rv_record_spikes(net, all[k]));
    }
    return net;
}

typedef struct seen {
    int64_t       n;
    rv_seen_spike spike[MOST];
    double        up_to_ms;
} seen;

static void on_spikes(void *user, const rv_seen_spike *spikes, int n, double up_to_ms)
{
    seen *s = user;
    assert_true(up_to_ms >= s->up_to_ms);
    for (int k = 0; k < n; k++) {
        assert_true(spikes[k].t_ms <= up_to_ms + 1e-9);
        assert_true(s->n < MOST);
        s->spike[s->n++] = spikes[k];
    }
    s->up_to_ms = up_to_ms;
}

/* What was seen of a population is what was recorded of it. */
static void compare(rv_net *net, const seen *s, rv_population population)
{
    int64_t  n = rv_spike_count(net, population), found = 0, neuron;
    double   t_ms;
    for (int64_t k = 0; k < s->n; k++) {
        if (s->spike[k].population.id != population.id) continue;
        done(net, rv_spike_read(net, population, found++, 1, &t_ms, &neuron));
        assert_true(t_ms == s->spike[k].t_ms);
        assert_int_equal(neuron, s->spike[k].neuron);
    }
    printf("%s: %lld spikes recorded, %lld seen\n", rv_population_name(net, population), (long long)n, (long long)found);
    assert_int_equal(found, n);
    assert_true(n > 100);
}

static void run_and_compare(rv_timing timing, int threads)
{
    rv_population exc, inh;
    rv_net       *net = make_net(timing, threads, &exc, &inh);
    seen         *s = calloc(1, sizeof *s);
    rv_watch_spikes(net, on_spikes, s);
    done(net, rv_run(net, 300));
    done(net, rv_run(net, 200));
    compare(net, s, exc);
    compare(net, s, inh);
    assert_true(fabs(s->up_to_ms - 500) < 1e-9);
    for (int64_t k = 1; k < s->n; k++) assert_true(s->spike[k - 1].t_ms <= s->spike[k].t_ms);
    rv_watch_spikes(net, NULL, NULL);
    int64_t before = s->n;
    done(net, rv_run(net, 50));
    assert_int_equal(s->n, before);
    free(s);
    rv_net_free(net);
}

static void every_spike_is_seen_in_order(void **state)
{
    (void)state;
    run_and_compare(RV_GRID, 1);
    run_and_compare(RV_GRID, 2);
    run_and_compare(RV_EXACT, 1);
}

/* ---- states ---------------------------------------------------------------------------------------------------- */

typedef struct trace {
    int    n;
    double t_ms[8192], value[8192];
} trace;

static void on_sample(void *user, double t_ms, double value)
{
    trace *t = user;
    t->t_ms[t->n] = t_ms, t->value[t->n++] = value;
}

static rv_status begin_watching(rv_net *net, double t_ms, void *user)
{
    (void)t_ms;
    return rv_watch_state(net, rv_population_find(net, "E"), 17, "V_m", on_sample, user);
}

static rv_status end_watching(rv_net *net, double t_ms, void *user)
{
    (void)t_ms;
    rv_unwatch_state(net, on_sample, user);
    return RV_OK;
}

/* From a callback at 50 ms to one at 150 ms, the samples are those that a probe of the same neuron records. */
static void watched_states_are_those_a_probe_records(void **state)
{
    (void)state;
    for (int timing = RV_GRID; timing <= RV_EXACT; timing++) {
        rv_population exc, inh;
        rv_probe      probe;
        rv_net       *net = make_net((rv_timing)timing, 1, &exc, &inh);
        trace        *t = calloc(1, sizeof *t);
        double        times[2000], values[2000];
        done(net, rv_record_state(net, (rv_slice){ exc, 17, 1, 1 }, "V_m", 0, &probe));
        done(net, rv_at(net, 50, begin_watching, t));
        done(net, rv_at(net, 150, end_watching, t));
        done(net, rv_run(net, 200));
        done(net, rv_probe_read(net, probe, 0, 2000, times, values));
        assert_int_equal(t->n, 1000);
        for (int k = 0; k < t->n; k++) {
            assert_true(t->t_ms[k] == times[500 + k]);
            assert_true(t->value[k] == values[500 + k]);
        }
        assert_int_equal(rv_probe_count(net), 1); /* it is not recorded, so no file will have it */
        rv_net_free(net);
        free(t);
    }
}

static int64_t spikes_of_run(bool watched, double *sum)
{
    rv_population exc, inh;
    rv_net       *net = make_net(RV_GRID, 2, &exc, &inh);
    seen         *s = calloc(1, sizeof *s);
    trace        *t = calloc(1, sizeof *t);
    if (watched) {
        rv_watch_spikes(net, on_spikes, s);
        done(net, begin_watching(net, 0, t));
    }
    done(net, rv_run(net, 400));
    int64_t n = rv_spike_count(net, exc), neuron;
    *sum = 0;
    for (int64_t k = 0; k < n; k++) {
        double t_ms;
        done(net, rv_spike_read(net, exc, k, 1, &t_ms, &neuron));
        *sum += t_ms * (double)(neuron + 1);
    }
    rv_net_free(net);
    free(s), free(t);
    return n;
}

static void watching_changes_nothing(void **state)
{
    (void)state;
    double  sum, watched_sum;
    int64_t n = spikes_of_run(false, &sum), watched = spikes_of_run(true, &watched_sum);
    assert_int_equal(n, watched);
    assert_true(sum == watched_sum);
}

/* ---- pokes ----------------------------------------------------------------------------------------------------- */

static rv_status poke(rv_net *net, double t_ms, void *user)
{
    (void)t_ms, (void)user;
    return rv_poke(net, rv_population_find(net, "P"), 1);
}

static void check_poke(const char *model, rv_timing timing, rv_advance advance)
{
    rv_net *net;
    double  t_ms = NAN;
    int64_t neuron = -1;
    assert_int_equal(rv_net_new(&(rv_net_def){ .timing = timing, .advance = advance, .threads = 1 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "P", 3, model);
    done(net, rv_record_spikes(net, p));
    done(net, rv_at(net, 5, poke, NULL));
    done(net, rv_run(net, 10));
    if (rv_spike_count(net, p) == 1) done(net, rv_spike_read(net, p, 0, 1, &t_ms, &neuron));
    printf("%-14s %s: %lld spikes, the poked neuron at %g ms\n", model, timing == RV_EXACT ? "exact" : advance == RV_SWEEP ? "sweep" : "jump",
           (long long)rv_spike_count(net, p), t_ms);
    assert_int_equal(rv_spike_count(net, p), 1);
    assert_int_equal(neuron, 1);
    assert_true(t_ms >= 5 && t_ms <= 5.1 + 1e-9);
    rv_net_free(net);
}

static void a_poked_neuron_spikes(void **state)
{
    (void)state;
    static const char *const models[] = { "iaf_psc_delta", "iaf_psc_exp", "iaf_psc_alpha", "izhikevich" };
    for (int m = 0; m < 4; m++) {
        check_poke(models[m], RV_GRID, RV_SWEEP);
        check_poke(models[m], RV_GRID, RV_JUMP);
        check_poke(models[m], RV_EXACT, RV_ADAPTIVE);
    }
}

static void what_cannot_be_poked_or_watched_is_said(void **state)
{
    (void)state;
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 1 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "relay", 2, "parrot_neuron");
    assert_int_equal(rv_poke(net, p, 0), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "\"relay\": a parrot_neuron has no membrane potential"));
    assert_int_equal(rv_poke(net, p, 2), RV_WRONG_SHAPE);
    assert_int_equal(rv_watch_state(net, p, 0, "V_m", on_sample, NULL), RV_UNKNOWN_NAME);
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spike_is_seen_in_order),
        cmocka_unit_test(watched_states_are_those_a_probe_records),
        cmocka_unit_test(watching_changes_nothing),
        cmocka_unit_test(a_poked_neuron_spikes),
        cmocka_unit_test(what_cannot_be_poked_or_watched_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
