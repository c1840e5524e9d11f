/* Spikes that arrive while a network runs: added in any order by callbacks, they are emitted as if they had been known before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/ranvier.h"
#include "tests/support/random_number.h"
#include "tests/support/reference.h"

enum { N = 50, N_SPIKES = 2000 };
static const double duration_ms = 100;

/* What arrives, by time of arrival: each spike some ms before it is due. */
typedef struct post {
    rv_population population;
    int           next;
    double        arrival[N_SPIKES], due[N_SPIKES];
    int64_t       neuron[N_SPIKES];
} post;

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void make_post(post *p, rv_timing timing)
{
    memset(p, 0, sizeof *p);
    random_state = 5;
    for (int k = 0; k < N_SPIKES; k++) p->arrival[k] = 99 * random_number();
    qsort(p->arrival, N_SPIKES, sizeof *p->arrival, ascending);
    for (int k = 0; k < N_SPIKES; k++) {
        double due = p->arrival[k] + 1.05 + 5 * random_number();
        p->due[k] = timing == RV_GRID ? 0.1 * ceil(10 * due) : due;
        p->neuron[k] = random_index(N);
    }
}

static rv_net *new_net(post *p, rv_timing timing, int threads)
{
    rv_net *net;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 1, .timing = timing, .threads = threads }, &net, NULL), RV_OK);
    p->population = rv_population_new(net, "in", N, "spike_generator");
    rv_population out = rv_population_new(net, "out", N, timing == RV_GRID ? "iaf_psc_exp" : "iaf_psc_delta");
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p->population), .target = rv_all(out), .rule = "fixed_indegree", .degree = 10, .weight = rv_number(timing == RV_GRID ? 600 : 9), .delay = rv_number(1) }, NULL));
    ENSURE_OK(net, rv_record_spikes(net, p->population));
    ENSURE_OK(net, rv_record_spikes(net, out));
    return net;
}

static rv_status on_post(rv_net *net, double t_ms, void *user)
{
    post   *p = user;
    int64_t n = 0, neurons[N_SPIKES];
    double  times[N_SPIKES];
    for (; p->next < N_SPIKES && p->arrival[p->next] <= t_ms; p->next++) neurons[n] = p->neuron[p->next], times[n++] = p->due[p->next];
    return rv_add_spikes(net, p->population, neurons, times, n);
}

typedef struct outcome {
    int64_t n[2];
    double  times[2][8 * N_SPIKES];
    int64_t neurons[2][8 * N_SPIKES];
} outcome;

static outcome *run(post *p, rv_timing timing, int threads, bool known)
{
    rv_net  *net = new_net(p, timing, threads);
    outcome *o = calloc(1, sizeof *o);
    if (known) ENSURE_OK(net, rv_add_spikes(net, p->population, p->neuron, p->due, N_SPIKES));
    else ENSURE_OK(net, rv_every(net, 1, on_post, p));
    for (int k = 0; k < 4; k++) ENSURE_OK(net, rv_run(net, duration_ms / 4));
    for (int i = 0; i < 2; i++) {
        o->n[i] = rv_spike_count(net, (rv_population){ i + 1 });
        assert_true(o->n[i] <= 8 * N_SPIKES);
        ENSURE_OK(net, rv_spike_read(net, (rv_population){ i + 1 }, 0, o->n[i], o->times[i], o->neurons[i]));
    }
    rv_net_free(net);
    return o;
}

static void compare(rv_timing timing)
{
    post    *p = malloc(sizeof *p);
    int      due = 0;
    make_post(p, timing);
    for (int k = 0; k < N_SPIKES; k++) due += p->due[k] <= duration_ms + 1e-9;
    outcome *known = run(p, timing, 1, true);
    assert_int_equal(known->n[0], due);
    assert_true(known->n[1] > 100);
    for (int threads = 1; threads <= 2; threads++) {
        p->next = 0;
        outcome *posted = run(p, timing, threads, false);
        for (int i = 0; i < 2; i++) {
            assert_int_equal(posted->n[i], known->n[i]);
            assert_memory_equal(posted->times[i], known->times[i], (size_t)known->n[i] * sizeof(double));
            assert_memory_equal(posted->neurons[i], known->neurons[i], (size_t)known->n[i] * sizeof(int64_t));
        }
        free(posted);
    }
    free(known), free(p);
}

static void posted_spikes_are_as_if_known_on_the_grid(void **state) { (void)state; compare(RV_GRID); }
static void posted_spikes_are_as_if_known_in_exact_timing(void **state) { (void)state; compare(RV_EXACT); }

static void what_has_passed_is_refused(void **state)
{
    post          *p = calloc(1, sizeof *p);
    (void)state;
    rv_net        *net = new_net(p, RV_GRID, 1);
    const int64_t  neuron[] = { 3, N }, *far = neuron + 1;
    const double   t[] = { 5 };
    ENSURE_OK(net, rv_run(net, 5));
    assert_int_equal(rv_add_spikes(net, p->population, neuron, t, 1), RV_OUT_OF_RANGE);
    assert_non_null(strstr(rv_net_error(net)->text, "a spike of neuron 3 at 5 ms is added at 5 ms"));
    assert_int_equal(rv_add_spikes(net, p->population, far, (const double[]){ 9 }, 1), RV_OUT_OF_RANGE);
    assert_int_equal(rv_add_spikes(net, p->population, neuron, (const double[]){ NAN }, 1), RV_OUT_OF_RANGE);
    assert_int_equal(rv_add_spikes(net, (rv_population){ 2 }, neuron, (const double[]){ 9 }, 1), RV_CONFLICT);
    ENSURE_OK(net, rv_add_spikes(net, p->population, neuron, (const double[]){ 5.1 }, 1));
    ENSURE_OK(net, rv_run(net, 5));
    assert_int_equal(rv_spike_count(net, p->population), 1);
    rv_net_free(net);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posted_spikes_are_as_if_known_on_the_grid),
        cmocka_unit_test(posted_spikes_are_as_if_known_in_exact_timing),
        cmocka_unit_test(what_has_passed_is_refused),
    };
    return cmocka_run_group_tests_name("added spikes", tests, NULL, NULL);
}
