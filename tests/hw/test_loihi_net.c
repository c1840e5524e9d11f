/* Networks of the chip against Lava's (net/) and Brian2Loihi's (b2l/): weights in effect, u, v and spikes of every neuron at every
 * step, bit for bit, on one and on two threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fixture.h"

enum { MOST = 8 };

typedef struct chip_net {
    const char   *path;
    rv_net       *net;
    int           n_steps, idle; /* idle steps come before the first of the fixture */
    int           n_populations, n_projections;
    char          name[MOST][64], projection[MOST][64];
    rv_population population[MOST];
    rv_probe      u[MOST], v[MOST], s[MOST];
} chip_net;

typedef struct place { char path[128]; } place;

static place place_of(const char *group, const char *name)
{
    place p;
    snprintf(p.path, sizeof p.path, "%s/%s", group, name);
    return p;
}

static const char *object(const char *group, const char *name) { return reference_text("%s/%s", group, name); }

/* ---- building ---------------------------------------------------------------------------------------------------- */

/* The numbers a source sends become spikes that carry them; those that are all 1 need not. */
static void play(const chip_net *c, rv_population source, const fixture_array *a, int column, double shift)
{
    double *times = malloc((size_t)a->n[0] * sizeof *times), *payloads = malloc((size_t)a->n[0] * sizeof *payloads);
    int     n = 0;
    bool    graded = false;
    for (int64_t t = 0; t < a->n[0]; t++) {
        double x = a->x[t * a->n[1] + column];
        if (x == 0) continue;
        times[n] = (double)t + 1 + shift, payloads[n++] = x;
        graded |= x != 1;
    }
    ENSURE_OK(c->net, rv_set_spike_times(c->net, source, column, times, n));
    if (graded) ENSURE_OK(c->net, rv_set_payloads(c->net, source, column, payloads, n));
    free(times), free(payloads);
}

static void make_sources(chip_net *c, double shift)
{
    char names[MOST][64];
    int  n = fixture_names(c->path, "/input", names, MOST);
    for (int k = 0; k < n; k++) {
        fixture_array a = fixture_open_array(c->path, object("/input", names[k]));
        rv_population source = reference_population(c->net, names[k], a.n[1], "spike_generator");
        for (int i = 0; i < a.n[1]; i++) play(c, source, &a, i, shift);
        fixture_close_array(&a);
    }
}

static void set_array(const chip_net *c, rv_population p, const char *group, const char *dataset, const char *name)
{
    if (!fixture_has_array(c->path, object(group, dataset))) return;
    fixture_array a = fixture_open_array(c->path, object(group, dataset));
    ENSURE_OK(c->net, rv_set(c->net, p, name, rv_list(a.x, a.count)));
    fixture_close_array(&a);
}

static void set_attributes(const chip_net *c, rv_population p, const char *group, ...)
{
    va_list list;
    va_start(list, group);
    for (const char *attribute; (attribute = va_arg(list, const char *));) {
        const char *name = va_arg(list, const char *);
        reference_set(c->net, p, name, fixture_attribute(c->path, group, attribute) + va_arg(list, double));
    }
    va_end(list);
}

static void record(chip_net *c, int k)
{
    c->u[k] = reference_record(c->net, c->population[k], "u", 0);
    c->v[k] = reference_record(c->net, c->population[k], "v", 0);
    if (strcmp(rv_population_model(c->net, c->population[k]), "loihi_ternary") == 0) c->s[k] = reference_record(c->net, c->population[k], "s", 0);
    ENSURE_OK(c->net, rv_record_spikes(c->net, c->population[k]));
}

static void make_lava_population(chip_net *c, int k)
{
    const place at = place_of("/pop", c->name[k]);
    const char *group = at.path;
    bool        ternary = strcmp(fixture_attribute_text(c->path, group, "model"), "TernaryLIF") == 0;
    int64_t     n = (int64_t)fixture_attribute(c->path, group, "n");
    c->population[k] = reference_population(c->net, c->name[k], n, ternary ? "loihi_ternary" : "loihi_lif");
    set_attributes(c, c->population[k], group, "du", "du", 0.0, "dv", "dv", 0.0, NULL);
    if (ternary) set_attributes(c, c->population[k], group, "vth_hi", "vth_hi", 0.0, "vth_lo", "vth_lo", 0.0, NULL);
    else set_attributes(c, c->population[k], group, "vth", "vth", 0.0, NULL);
    set_array(c, c->population[k], group, "bias_mant", "bias_mant");
    set_array(c, c->population[k], group, "bias_exp", "bias_exp");
    set_array(c, c->population[k], group, "u0", "u");
    set_array(c, c->population[k], group, "v0", "v");
}

static void make_b2l_population(chip_net *c, int k)
{
    const place at = place_of("/pop", c->name[k]);
    const char *group = at.path;
    c->population[k] = reference_population(c->net, c->name[k], (int64_t)fixture_attribute(c->path, group, "n"), "loihi1");
    set_attributes(c, c->population[k], group, "decay_I", "du", -1.0, "decay_v", "dv", 0.0, "refractory", "refract_delay", 0.0, NULL);
    reference_set(c->net, c->population[k], "vmin", -2147483647); /* it does not clip */
    reference_set(c->net, c->population[k], "vth", 64 * fixture_attribute(c->path, group, "threshold_v_mant"));
}

/* A matrix (target, source) as a list with the targets running faster. */
static double *by_source(const fixture_array *a, double shift)
{
    double *list = malloc((size_t)a->count * sizeof *list);
    assert_non_null(list);
    for (int64_t target = 0; target < a->n[0]; target++)
        for (int64_t source = 0; source < a->n[1]; source++) list[source * a->n[0] + target] = a->x[target * a->n[1] + source] + shift;
    return list;
}

static rv_population population_named(const chip_net *c, const char *group, const char *end)
{
    rv_population p = rv_population_find(c->net, fixture_attribute_text(c->path, group, end));
    assert_true(p.id > 0);
    return p;
}

static double sign_number(const char *word)
{
    return strcmp(word, "MIXED") == 0 || strcmp(word, "mixed") == 0 ? 1 : strcmp(word, "EXCITATORY") == 0 || strcmp(word, "exc") == 0 ? 2 : strcmp(word, "auto") == 0 ? 0 : 3;
}

static void connect(const chip_net *c, const char *name, bool b2l)
{
    const place   at = place_of("/proj", name);
    const char   *group = at.path;
    rv_population source = population_named(c, group, "src");
    fixture_array weights = fixture_open_array(c->path, object(group, "weights"));
    double       *w = by_source(&weights, 0), *d = NULL, delay = 1;
    if (b2l) delay = fixture_attribute(c->path, group, "delay") + 1;
    else if (fixture_has_array(c->path, object(group, "delays"))) {
        fixture_array delays = fixture_open_array(c->path, object(group, "delays"));
        d = by_source(&delays, 1); /* a delay of d on the chip is one of d + 1 steps */
        fixture_close_array(&delays);
    }
    rv_setting settings[] = { { "weight_exp", rv_number(fixture_attribute(c->path, group, b2l ? "w_exp" : "weight_exp")) },
                              { "num_weight_bits", rv_number(fixture_attribute(c->path, group, "num_weight_bits")) },
                              { "sign_mode", rv_number(sign_number(fixture_attribute_text(c->path, group, b2l ? "sign_mode" : "sign_mode_requested"))) },
                              { "num_message_bits", rv_number(b2l ? 0 : fixture_attribute(c->path, group, "num_message_bits")) } };
    rv_connect_def def = { .source = rv_all(source), .target = rv_all(population_named(c, group, "dst")), .rule = "all_to_all", .weight = rv_list(w, weights.count),
                           .delay = d ? rv_list(d, weights.count) : rv_number(delay), .synapse = b2l ? "loihi1" : "loihi", .settings = settings, .n_settings = b2l ? 3 : 4 };
    ENSURE_OK(c->net, rv_connect(c->net, &def, NULL));
    fixture_close_array(&weights);
    free(w), free(d);
}

/* ---- comparing --------------------------------------------------------------------------------------------------- */

static void compare(const chip_net *c, int k, rv_probe probe, const char *variable)
{
    fixture_array  expected = fixture_open_array(c->path, reference_text("/expected/%s/%s", c->name[k], variable));
    reference_list got = reference_samples(c->net, probe);
    int64_t        n = expected.n[1], skipped = c->idle * n;
    assert_int_equal(got.n - skipped, expected.count);
    for (int64_t i = 0; i < expected.count; i++)
        ENSURE_NEAR_IN(got.x[skipped + i], expected.x[i], 0, "", "%s: %s of %s, neuron %d at step %d", c->path, variable, c->name[k], (int)(i % n), (int)(i / n) + 1);
    fixture_close_array(&expected);
    reference_list_free(&got);
}

static void compare_spikes(const chip_net *c, int k)
{
    fixture_array    expected = fixture_open_array(c->path, reference_text("/expected/%s/s", c->name[k]));
    reference_spikes got = reference_spikes_of(c->net, c->population[k]);
    int64_t          at = 0, n = expected.n[1];
    for (int64_t i = 0; i < expected.count; i++) {
        if (expected.x[i] == 0) continue;
        if (at >= got.n || got.time_ms[at] != (double)(i / n + 1 + c->idle) || got.neuron[at] != i % n)
            fail_msg("%s: no spike of %s, neuron %d at step %d", c->path, c->name[k], (int)(i % n), (int)(i / n) + 1);
        at++;
    }
    assert_int_equal(at, got.n);
    reference_spikes_free(&got);
    fixture_close_array(&expected);
}

/* Synapses come sorted by source, delay and target: looked up one by one. */
static void compare_weights(const chip_net *c, int k, const char *dataset)
{
    fixture_array expected = fixture_open_array(c->path, reference_text("/proj/%s/%s", c->projection[k], dataset));
    int64_t       n, *sources = malloc((size_t)expected.count * 8), *targets = malloc((size_t)expected.count * 8);
    double       *weights = malloc((size_t)expected.count * 8);
    ENSURE_OK(c->net, rv_synapse_count(c->net, (rv_projection){ k + 1 }, &n));
    assert_int_equal(n, expected.count);
    ENSURE_OK(c->net, rv_synapses(c->net, (rv_projection){ k + 1 }, sources, targets, weights, NULL));
    for (int64_t i = 0; i < n; i++)
        ENSURE_NEAR_IN(weights[i], expected.x[targets[i] * expected.n[1] + sources[i]], 0, "", "%s: projection %s, %d -> %d", c->path, c->projection[k],
                       (int)sources[i], (int)targets[i]);
    free(sources), free(targets), free(weights);
    fixture_close_array(&expected);
}

/* ---- the fixtures -------------------------------------------------------------------------------------------------- */

static void run_file(const char *path, bool b2l, int threads)
{
    chip_net c = { .path = path, .idle = b2l };
    c.net = reference_net((rv_net_def){ .resolution = 1, .threads = threads });
    c.n_steps = (int)fixture_attribute(path, "/", "n_steps");
    c.n_populations = fixture_names(path, "/pop", c.name, MOST);
    c.n_projections = fixture_names(path, "/proj", c.projection, MOST);
    make_sources(&c, b2l ? -1 + c.idle : 0); /* Brian2Loihi's generators act a step earlier */
    for (int k = 0; k < c.n_populations; k++) {
        if (b2l) make_b2l_population(&c, k);
        else make_lava_population(&c, k);
        record(&c, k);
    }
    for (int k = 0; k < c.n_projections; k++) connect(&c, c.projection[k], b2l);
    ENSURE_OK(c.net, rv_run(c.net, c.n_steps + c.idle));
    for (int k = 0; k < c.n_projections; k++) compare_weights(&c, k, b2l ? "weights_actual" : "weights_effective");
    for (int k = 0; k < c.n_populations; k++) {
        compare(&c, k, c.u[k], "u");
        compare(&c, k, c.v[k], "v");
        if (c.s[k].id) compare(&c, k, c.s[k], "s");
        compare_spikes(&c, k);
    }
    rv_net_free(c.net);
}

static void run_all(const char *folder, const char *index, bool b2l)
{
    fixture_table t = fixture_open_table(fixture_or_skip(reference_text("%s/%s", folder, index)));
    int           n = 0;
    for (int row = 0; row < t.n_rows; row++) {
        char        path[256];
        const char *found = fixture_path(reference_text("%s/%s", folder, fixture_text(&t, row, "file")));
        if (!found) continue;
        snprintf(path, sizeof path, "%s", found);
        for (int threads = 1; threads <= 2; threads++) run_file(path, b2l, threads);
        n++;
    }
    print_message("%d of %d files\n", n, t.n_rows);
    assert_true(n > 0);
    fixture_close_table(&t);
}

static void test_lava(void **state)
{
    (void)state;
    run_all("net", "net_index.csv", false);
}

static void test_brian2loihi(void **state)
{
    (void)state;
    run_all("b2l", "b2l_index.csv", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lava), cmocka_unit_test(test_brian2loihi) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
