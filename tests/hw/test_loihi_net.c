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
    const char *model = rv_population_model(c->net, c->population[k]);
    bool        graded = strcmp(model, "loihi_graded") == 0;
    if (!graded) c->u[k] = reference_record(c->net, c->population[k], "u", 0), c->v[k] = reference_record(c->net, c->population[k], "v", 0);
    if (graded || strcmp(model, "loihi_ternary") == 0) c->s[k] = reference_record(c->net, c->population[k], "s", 0);
    ENSURE_OK(c->net, rv_record_spikes(c->net, c->population[k]));
}

static void make_lava_population(chip_net *c, int k)
{
    const place at = place_of("/pop", c->name[k]);
    const char *group = at.path;
    bool        ternary = strcmp(fixture_attribute_text(c->path, group, "model"), "TernaryLIF") == 0;
    bool        graded = strcmp(fixture_attribute_text(c->path, group, "model"), "GradedVec") == 0;
    int64_t     n = (int64_t)fixture_attribute(c->path, group, "n");
    c->population[k] = reference_population(c->net, c->name[k], n, graded ? "loihi_graded" : ternary ? "loihi_ternary" : "loihi_lif");
    if (graded) {
        set_attributes(c, c->population[k], group, "vth", "vth", 0.0, NULL);
        return;
    }
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
    c->population[k] = reference_population(c->net, c->name[k], (int64_t)fixture_attribute(c->path, group, "n"), "loihi1_lif");
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
        if (c.u[k].id) compare(&c, k, c.u[k], "u"), compare(&c, k, c.v[k], "v");
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

/* Neurons that send sums on. */
static void test_graded_vec(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", fixture_or_skip("net/net_graded_vec.h5"));
    for (int threads = 1; threads <= 2; threads++) run_file(path, false, threads);
}

/* ---- by hand --------------------------------------------------------------------------------------------------------- */

/* A generator that sends payloads at steps 1, 2, ... through one synapse to a neuron that shows its input: u = 64 input. */
typedef struct bench {
    rv_net       *net;
    rv_population source, neuron;
    rv_projection synapse;
    rv_probe      u;
} bench;

static bench new_bench(const char *kind, double weight, const rv_setting *settings, int n_settings, const double *payloads, int n)
{
    bench  b = { .net = reference_net((rv_net_def){ .resolution = 1 }) };
    double times[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    b.source = reference_population(b.net, "source", 1, "spike_generator");
    b.neuron = reference_population(b.net, "neuron", 1, "loihi_lif");
    reference_set_all(b.net, b.neuron, "du", 4095.0, "vth", 131072.0, NULL);
    ENSURE_OK(b.net, rv_set_spike_times(b.net, b.source, 0, times, n));
    ENSURE_OK(b.net, rv_set_payloads(b.net, b.source, 0, payloads, n));
    rv_connect_def def = { .source = rv_all(b.source), .target = rv_all(b.neuron), .rule = "all_to_all", .weight = rv_number(weight), .delay = rv_number(1),
                           .synapse = kind, .settings = settings, .n_settings = n_settings };
    ENSURE_OK(b.net, rv_connect(b.net, &def, &b.synapse));
    b.u = reference_record(b.net, b.neuron, "u", 0);
    return b;
}

static void expect_inputs(bench *b, const double *inputs, int n, const char *what)
{
    ENSURE_OK(b->net, rv_run(b->net, n + 1));
    reference_list got = reference_samples(b->net, b->u);
    for (int k = 0; k < n; k++) ENSURE_NEAR_IN(got.x[k + 1], 64 * inputs[k], 0, "", "%s: u after payload %d", what, k + 1);
    reference_list_free(&got);
    rv_net_free(b->net);
}

static void test_kinds(void **state)
{
    (void)state;
    const double payloads[] = { 1, 3, -1, -3 };
    rv_setting   shifted[] = { { "weight_exp", rv_number(-2) }, { "num_message_bits", rv_number(8) } };
    bench        b = new_bench("loihi", 3, shifted, 2, payloads, 4);
    expect_inputs(&b, (const double[]){ 0, 2, -1, -3 }, 4, "3 p >> 2, rounded down");
    b = new_bench("loihi", 3, shifted, 1, payloads, 4);
    expect_inputs(&b, (const double[]){ 0, 0, 0, 0 }, 4, "without message bits a spike is a spike");
    b = new_bench(NULL, 5, NULL, 0, payloads, 4);
    expect_inputs(&b, (const double[]){ 5, 5, 5, 5 }, 4, "plain synapses do not look at payloads");
}

/* The sum of a convolution has 24 bits; seen on a floating-point neuron, since u of the chip has no more. */
static void test_wrapped_sums(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population source = reference_population(net, "source", 1, "spike_generator"), neuron = reference_population(net, "neuron", 1, "lava_lif");
    rv_setting    bits = { "num_message_bits", rv_number(24) };
    reference_set_all(net, neuron, "du", 1.0, "vth", 1e9, NULL);
    ENSURE_OK(net, rv_set_spike_times(net, source, 0, (const double[]){ 1, 2, 3, 4 }, 4));
    ENSURE_OK(net, rv_set_payloads(net, source, 0, (const double[]){ 4194303, 4194304, -4194304, -4194305 }, 4));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(source), .target = rv_all(neuron), .rule = "all_to_all", .weight = rv_number(2),
                                                      .synapse = "loihi_conv", .settings = &bits, .n_settings = 1 }, NULL));
    rv_probe u = reference_record(net, neuron, "u", 0);
    ENSURE_OK(net, rv_run(net, 5));
    reference_list got = reference_samples(net, u);
    const double   expected[] = { 0, 8388606, -8388608, -8388608, 8388606 };
    for (int k = 0; k < 5; k++) ENSURE_NEAR_IN(got.x[k], expected[k], 0, "", "sum at step %d", k + 1);
    reference_list_free(&got);
    rv_net_free(net);
}

static void test_set_weights(void **state)
{
    (void)state;
    const double given[] = { 1000, -37, 3, -300 }, effective[] = { 248, -40, 0, -256 };
    double       got[4], sign;
    rv_net      *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population a = reference_population(net, "a", 2, "loihi_lif");
    rv_setting   settings[] = { { "num_weight_bits", rv_number(6) }, { "weight_exp", rv_number(3) } };
    rv_projection j;
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(a), .rule = "all_to_all", .weight = rv_list(given, 4), .synapse = "loihi",
                                                      .settings = settings, .n_settings = 2 }, &j));
    assert_string_equal(rv_projection_synapse(net, j), "loihi");
    ENSURE_OK(net, rv_synapses(net, j, NULL, NULL, got, NULL));
    for (int k = 0; k < 4; k++) ENSURE_NEAR_IN(got[k], effective[k], 0, "", "weight %d", k);
    ENSURE_OK(net, rv_synapse_param(net, j, "sign_mode", &sign));
    assert_int_equal((int)sign, 1); /* mixed, from the weights */
    ENSURE_OK(net, rv_set_weights(net, j, rv_number(100)));
    ENSURE_OK(net, rv_synapses(net, j, NULL, NULL, got, NULL));
    for (int k = 0; k < 4; k++) ENSURE_NEAR_IN(got[k], 96, 0, "", "weight %d, set to 100", k);
    assert_int_equal(rv_set_weights(net, j, rv_number(1.5)), RV_OUT_OF_RANGE);
    assert_non_null(strstr(rv_net_error(net)->text, "weight = 1.5, allowed are whole numbers"));
    assert_int_equal(rv_synapse_param(net, j, "sign", &sign), RV_UNKNOWN_NAME);
    rv_net_free(net);
}

/* A crowd of plain spikes of one neuron in one step is the sum of them, on graded synapses too. */
static void test_plain_spikes(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population source = reference_population(net, "source", 1, "spike_generator"), a = reference_population(net, "a", 1, "loihi_lif");
    rv_setting    bits = { "num_message_bits", rv_number(8) };
    reference_set_all(net, a, "du", 4095.0, "vth", 131072.0, NULL);
    ENSURE_OK(net, rv_set_spike_times(net, source, 0, (const double[]){ 1, 1, 1 }, 3));
    for (int k = 0; k < 2; k++)
        ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(source), .target = rv_all(a), .rule = "all_to_all", .weight = rv_number(k ? 7 : 10),
                                                          .synapse = "loihi", .settings = &bits, .n_settings = k }, NULL));
    rv_probe u = reference_record(net, a, "u", 0);
    ENSURE_OK(net, rv_record_spikes(net, source));
    ENSURE_OK(net, rv_run(net, 2));
    reference_list got = reference_samples(net, u);
    ENSURE_NEAR_IN(got.x[1], 64 * 3 * 17, 0, "", "three spikes through weights of 10 and 7");
    assert_int_equal(rv_spike_count(net, source), 3);
    reference_list_free(&got);
    rv_net_free(net);
}

/* ---- what is refused --------------------------------------------------------------------------------------------------- */

static void expect_refused_synapse(rv_timing timing, rv_connect_def def, const char *setting, double value, const char *sentence)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .timing = timing });
    rv_population a = reference_population(net, "a", 2, "iaf_psc_delta");
    rv_setting    one = { setting, rv_number(value) };
    def.source = def.target = rv_all(a), def.rule = "all_to_all", def.settings = &one, def.n_settings = setting != NULL;
    rv_status status = rv_connect(net, &def, NULL);
    if (status == RV_OK || !strstr(rv_net_error(net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refused_synapses(void **state)
{
    (void)state;
    const rv_connect_def loihi = { .synapse = "loihi" }, conv = { .synapse = "loihi_conv" }, one = { .synapse = "loihi1" }, plain = { 0 };
    rv_connect_def       def = loihi;
    expect_refused_synapse(RV_GRID, (rv_connect_def){ .synapse = "loihi2" }, NULL, 0, "projection \"a\" -> \"a\": no synapse kind \"loihi2\"; did you mean \"loihi\"");
    expect_refused_synapse(RV_GRID, loihi, "weight_exp", 8, "weight_exp = 8, allowed -8 to 7");
    expect_refused_synapse(RV_GRID, loihi, "weight_exp", 0.5, "weight_exp must be a whole number");
    expect_refused_synapse(RV_GRID, loihi, "num_weight_bits", 0, "num_weight_bits = 0, allowed 1 to 9");
    expect_refused_synapse(RV_GRID, loihi, "num_weight_bits", 2.5, "num_weight_bits must be a whole number");
    expect_refused_synapse(RV_GRID, loihi, "num_message_bits", 33, "num_message_bits = 33, allowed 0 to 32");
    expect_refused_synapse(RV_GRID, loihi, "num_message_bits", 0.5, "num_message_bits must be a whole number");
    expect_refused_synapse(RV_GRID, loihi, "sign_mode", 4, "sign_mode = 4, allowed 0 to 3");
    expect_refused_synapse(RV_GRID, loihi, "sign_mode", 0.5, "sign_mode must be mixed, excitatory, inhibitory or auto");
    expect_refused_synapse(RV_GRID, loihi, "weight_expo", 1, "no parameter \"weight_expo\" of loihi; did you mean \"weight_exp\"");
    expect_refused_synapse(RV_GRID, conv, "num_message_bits", 0.5, "num_message_bits must be a whole number");
    expect_refused_synapse(RV_GRID, one, "weight_exp", 0.5, "weight_exp must be a whole number");
    expect_refused_synapse(RV_GRID, one, "num_weight_bits", 0.5, "num_weight_bits = 0.5, allowed 1 to 8");
    expect_refused_synapse(RV_GRID, one, "sign_mode", 0.5, "sign_mode must be mixed, excitatory, inhibitory or auto");
    expect_refused_synapse(RV_GRID, plain, "weight_exp", 1, "weight_exp is given without plasticity; static synapses have no parameters");
    def.weight = rv_number(0.5);
    expect_refused_synapse(RV_GRID, def, NULL, 0, "weight = 0.5, allowed are whole numbers");
    def = loihi, def.delay = rv_number(65);
    expect_refused_synapse(RV_GRID, def, NULL, 0, "delay = 65 ms, allowed 1 to 64 ms");
    def = conv, def.delay = rv_number(2);
    expect_refused_synapse(RV_GRID, def, NULL, 0, "delay = 2 ms, allowed 1 to 1 ms");
    def = loihi, def.plasticity = "stdp";
    expect_refused_synapse(RV_GRID, def, NULL, 0, "plasticity \"stdp\" does not know synapse \"loihi\"");
    expect_refused_synapse(RV_EXACT, loihi, NULL, 0, "exact timing: synapse \"loihi\" is of a chip that works in steps");
}

static void expect_refused_payload(rv_timing timing, const char *model, double payload, int n, const char *sentence)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .timing = timing });
    rv_population a = reference_population(net, "a", 1, model);
    if (strcmp(model, "spike_generator") == 0) ENSURE_OK(net, rv_set_spike_times(net, a, 0, (const double[]){ 1 }, 1));
    rv_status status = rv_set_payloads(net, a, 0, (const double[]){ payload, payload }, n);
    if (status == RV_OK || !strstr(rv_net_error(net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refused_payloads(void **state)
{
    (void)state;
    expect_refused_payload(RV_GRID, "spike_generator", 0, 1, "payload 0 of neuron 0 = 0, allowed are whole numbers from -2^31 to 2^31 - 1, but not 0");
    expect_refused_payload(RV_GRID, "spike_generator", 1.5, 1, "payload 0 of neuron 0 = 1.5");
    expect_refused_payload(RV_GRID, "spike_generator", 3e9, 1, "payload 0 of neuron 0 = 3000000000");
    expect_refused_payload(RV_GRID, "spike_generator", 1, 2, "2 payloads for 1 spike times of neuron 0; the times are given first");
    expect_refused_payload(RV_EXACT, "spike_generator", 1, 1, "exact timing: payloads are for chips, which work in steps");
    expect_refused_payload(RV_GRID, "loihi_ternary", 1, 0, "payloads belong to a spike_generator, not to loihi_ternary");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lava),         cmocka_unit_test(test_graded_vec), cmocka_unit_test(test_brian2loihi),      cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_wrapped_sums), cmocka_unit_test(test_set_weights),      cmocka_unit_test(test_plain_spikes),
        cmocka_unit_test(test_refused_synapses), cmocka_unit_test(test_refused_payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
