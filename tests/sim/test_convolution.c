/* Convolutions against a twin that writes every synapse down from the definition of a cross-correlation: the same synapses, the
 * same potentials and spikes to the last bit, kept compact or unrolled, for any number of threads, in both kinds of timing. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/random.h"
#include "sim/ranvier.h"

enum { MOST = 400000, SEED = 20240611 };

/* ---- geometries ----------------------------------------------------------------------------------------------------- */

static int64_t below(rv_random *r, int64_t n) { return (int64_t)random_below(r, (uint64_t)n); }

static int64_t size_of(const int64_t shape[3]) { return shape[0] * shape[1] * shape[2]; }

static int64_t kernel_size(const rv_convolution *g) { return g->kernel[0] * g->kernel[1] * g->kernel[2] * g->kernel[3]; }

/* Strides, dilations and paddings of every kind, kernels that are not square, one dimension and two, groups and depthwise. */
static rv_convolution random_geometry(rv_random *r, int64_t scale)
{
    rv_convolution g = { .groups = 1 + below(r, 3), .channels_last = below(r, 2) };
    bool           one = below(r, 4) == 0;
    g.shape[0] = g.groups * (1 + below(r, 3)), g.shape[1] = one ? 1 : 1 + below(r, scale), g.shape[2] = 1 + below(r, scale);
    g.kernel[0] = g.groups * (1 + below(r, 4)), g.kernel[1] = g.shape[0] / g.groups;
    for (int k = 0; k < 2; k++) {
        bool flat = one && k == 0;
        g.stride[k] = flat ? 1 : 1 + below(r, 4), g.dilation[k] = flat ? 1 : 1 + below(r, 4);
        g.padding[k] = flat ? 0 : below(r, 5), g.padding_end[k] = flat ? 0 : below(r, 5);
        int64_t room = g.shape[1 + k] + g.padding[k] + g.padding_end[k], most = (room - 1) / g.dilation[k] + 1;
        g.kernel[2 + k] = flat ? 1 : 1 + below(r, most < 6 ? most : 6);
    }
    return g;
}

static int64_t number(const rv_convolution *g, const int64_t shape[3], int64_t c, int64_t y, int64_t x)
{
    return g->channels_last ? (y * shape[2] + x) * shape[0] + c : (c * shape[1] + y) * shape[2] + x;
}

typedef struct synapses {
    int64_t  n, source[MOST], target[MOST];
    double   weight[MOST];
} synapses;

/* Target by target, as it is defined. */
static void unroll(const rv_convolution *g, const double *kernel, synapses *s)
{
    int64_t out[3], group_out = g->kernel[0] / g->groups;
    assert_int_equal(rv_convolution_result(g, out, NULL), RV_OK);
    s->n = 0;
    for (int64_t o = 0; o < out[0]; o++)
        for (int64_t y = 0; y < out[1]; y++)
            for (int64_t x = 0; x < out[2]; x++)
                for (int64_t i = 0; i < g->kernel[1]; i++)
                    for (int64_t ky = 0; ky < g->kernel[2]; ky++)
                        for (int64_t kx = 0; kx < g->kernel[3]; kx++) {
                            int64_t sy = y * g->stride[0] - g->padding[0] + ky * g->dilation[0], sx = x * g->stride[1] - g->padding[1] + kx * g->dilation[1];
                            if (sy < 0 || sx < 0 || sy >= g->shape[1] || sx >= g->shape[2]) continue;
                            assert_true(s->n < MOST);
                            s->source[s->n] = number(g, g->shape, o / group_out * g->kernel[1] + i, sy, sx);
                            s->target[s->n] = number(g, out, o, y, x);
                            s->weight[s->n++] = kernel[((o * g->kernel[1] + i) * g->kernel[2] + ky) * g->kernel[3] + kx];
                        }
}

/* ---- networks ------------------------------------------------------------------------------------------------------- */

typedef enum way { COMPACT, UNROLLED, LISTED } way;

typedef struct setup {
    rv_convolution g;
    const double  *kernel; /* NULL: one weight of 0.3 */
    rv_timing      timing;
    rv_advance     advance;
    int            threads;
    const char    *model;
    const char    *synapse;
    double         delay;
    int            receptor;
} setup;

static rv_net *open_net(const setup *u)
{
    rv_net  *net;
    rv_error e;
    if (rv_net_new(&(rv_net_def){ .resolution = 0.5, .seed = SEED, .timing = u->timing, .threads = u->threads, .advance = u->advance }, &net, &e) != RV_OK) fail_msg("%s", e.text);
    return net;
}

static void check(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

/* About a tenth of the sources in every millisecond. */
static void play(rv_net *net, rv_population from, int64_t n, double until)
{
    rv_random r = random_stream(SEED, RANDOM_CONNECT, 77, 0);
    double    times[40];
    for (int64_t i = 0; i < n; i++) {
        int k = 0;
        for (int t = 1; t <= until && k < 40; t++)
            if (below(&r, 10) == 0) times[k++] = t - (rv_net_timing(net) == RV_EXACT ? 0.5 * random_uniform(&r) : 0);
        check(net, rv_set_spike_times(net, from, i, times, k));
    }
}

static rv_net *build(const setup *u, way how, synapses *scratch, rv_projection *projection)
{
    rv_net        *net = open_net(u);
    int64_t        out[3], n = size_of(u->g.shape);
    rv_convolution g = u->g;
    assert_int_equal(rv_convolution_result(&g, out, NULL), RV_OK);
    rv_population  from = rv_population_new(net, "from", n, "spike_generator"), to = rv_population_new(net, "to", size_of(out), u->model);
    assert_true(from.id && to.id);
    if (strcmp(u->model, "iaf_psc_exp") == 0) check(net, rv_set(net, to, "E_L", rv_number(-60)));
    play(net, from, n, 30);
    g.unrolled = how == UNROLLED;
    rv_setting     bits = { "num_message_bits", rv_number(8) };
    rv_value       weight = u->kernel ? rv_list(u->kernel, kernel_size(&g)) : rv_number(0.3);
    rv_connect_def def = { .source = rv_all(from), .target = rv_all(to), .rule = "convolution", .convolution = &g, .weight = weight,
                           .delay = rv_number(u->delay), .synapse = u->synapse, .settings = &bits, .n_settings = u->synapse ? 1 : 0, .receptor_type = u->receptor };
    if (how == LISTED) {
        double *each = calloc((size_t)kernel_size(&g), sizeof *each);
        for (int64_t k = 0; k < kernel_size(&g); k++) each[k] = u->kernel ? u->kernel[k] : 0.3;
        unroll(&g, each, scratch);
        free(each);
        def.rule = "list", def.convolution = NULL, def.sources = scratch->source, def.targets = scratch->target, def.n_list = scratch->n;
        if (u->kernel) def.weight = rv_list(scratch->weight, scratch->n);
    }
    check(net, rv_connect(net, &def, projection));
    return net;
}

/* ---- the same synapses ------------------------------------------------------------------------------------------------ */

static synapses *read_synapses(rv_net *net, rv_projection p)
{
    synapses *s = calloc(1, sizeof *s);
    double   *delays = calloc(MOST, sizeof *delays);
    check(net, rv_synapse_count(net, p, &s->n));
    assert_true(s->n <= MOST);
    check(net, rv_synapses(net, p, s->source, s->target, s->weight, delays));
    for (int64_t k = 1; k < s->n; k++) assert_true(delays[k] == delays[0]);
    free(delays);
    return s;
}

static void expect_same_synapses(const setup *u, synapses *scratch)
{
    synapses *s[3];
    for (int how = COMPACT; how <= LISTED; how++) {
        rv_projection p;
        rv_net       *net = build(u, (way)how, scratch, &p);
        s[how] = read_synapses(net, p);
        rv_net_free(net);
        assert_int_equal(s[how]->n, s[0]->n);
        assert_memory_equal(s[how]->source, s[0]->source, (size_t)s[0]->n * 8);
        assert_memory_equal(s[how]->target, s[0]->target, (size_t)s[0]->n * 8);
        assert_memory_equal(s[how]->weight, s[0]->weight, (size_t)s[0]->n * 8);
    }
    for (int how = COMPACT; how <= LISTED; how++) free(s[how]);
}

/* ---- the same runs ---------------------------------------------------------------------------------------------------- */

typedef struct outcome {
    int64_t n_spikes, n_values, events;
    double *times, *values;
    int64_t *neurons;
} outcome;

static void free_outcome(outcome *o) { free(o->times), free(o->values), free(o->neurons); }

static const char *state_of(const char *model) { return strcmp(model, "loihi_lif") == 0 ? "u" : strcmp(model, "parrot_neuron") == 0 ? NULL : "V_m"; }

static outcome run(const setup *u, way how, synapses *scratch)
{
    rv_net       *net = build(u, how, scratch, NULL);
    rv_population to = rv_population_find(net, "to");
    outcome       o = { .n_values = rv_population_size(net, to) };
    check(net, rv_record_spikes(net, to));
    check(net, rv_run(net, 34));
    o.n_spikes = rv_spike_count(net, to);
    o.times = calloc((size_t)o.n_spikes + 1, 8), o.neurons = calloc((size_t)o.n_spikes + 1, 8), o.values = calloc((size_t)o.n_values + 1, 8);
    check(net, rv_spike_read(net, to, 0, o.n_spikes, o.times, o.neurons));
    if (state_of(u->model)) check(net, rv_get(net, rv_all(to), state_of(u->model), o.values));
    o.events = rv_profile_get(net).synaptic_events;
    rv_net_free(net);
    return o;
}

static void expect_same(const outcome *a, const outcome *b)
{
    assert_int_equal(a->n_spikes, b->n_spikes);
    assert_int_equal(a->events, b->events);
    assert_memory_equal(a->times, b->times, (size_t)a->n_spikes * 8);
    assert_memory_equal(a->neurons, b->neurons, (size_t)a->n_spikes * 8);
    assert_memory_equal(a->values, b->values, (size_t)a->n_values * 8);
}

/* @return spikes of the listed network */
static int64_t expect_same_runs(setup *u, synapses *scratch)
{
    outcome listed = run(u, LISTED, scratch);
    for (int threads = 1; threads <= 4; threads++) {
        u->threads = threads;
        outcome compact = run(u, COMPACT, scratch);
        expect_same(&listed, &compact);
        free_outcome(&compact);
    }
    u->threads = 2;
    outcome unrolled = run(u, UNROLLED, scratch);
    expect_same(&listed, &unrolled);
    free_outcome(&unrolled), free_outcome(&listed);
    return listed.n_spikes;
}

static double *random_kernel(rv_random *r, const rv_convolution *g, double low, double high, bool whole)
{
    double *kernel = calloc((size_t)kernel_size(g), sizeof *kernel);
    for (int64_t k = 0; k < kernel_size(g); k++) kernel[k] = low + (high - low) * random_uniform(r);
    for (int64_t k = 0; k < kernel_size(g) && whole; k++) kernel[k] = trunc(kernel[k]);
    return kernel;
}

static void test_random_geometries(void **unused)
{
    (void)unused;
    synapses *scratch = calloc(1, sizeof *scratch);
    rv_random r = random_stream(SEED, RANDOM_CONNECT, 1, 0);
    int64_t   spikes = 0;
    for (int k = 0; k < 40; k++) {
        setup   u = { .g = random_geometry(&r, 14), .threads = 1, .model = "iaf_psc_delta", .delay = 1.5, .timing = k % 3 == 2 ? RV_EXACT : RV_GRID,
                      .advance = k % 2 ? RV_SWEEP : RV_JUMP };
        double *kernel = random_kernel(&r, &u.g, k % 5 == 0 ? 1 : -4, k % 5 == 1 ? -1 : 9, false);
        u.kernel = k % 7 == 6 ? NULL : kernel;
        expect_same_synapses(&u, scratch);
        spikes += expect_same_runs(&u, scratch);
        free(kernel);
    }
    assert_true(spikes > 1000);
    free(scratch);
}

/* What is larger than a tile, or a block of neurons in a tile: parts that end within a channel, a row, between channels. */
static void test_many_tiles(void **unused)
{
    (void)unused;
    synapses      *scratch = calloc(1, sizeof *scratch);
    rv_random      r = random_stream(SEED, RANDOM_CONNECT, 2, 0);
    rv_convolution large = { .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 }, .shape = { 1, 30, 301 }, .kernel = { 9, 1, 2, 2 } };
    for (int last = 0; last < 2; last++) {
        large.channels_last = last;
        setup   u = { .g = large, .threads = 1, .model = "iaf_psc_exp", .delay = 0.5 };
        double *kernel = random_kernel(&r, &u.g, -200, 900, false);
        u.kernel = kernel;
        expect_same_synapses(&u, scratch);
        assert_true(expect_same_runs(&u, scratch) > 100);
        free(kernel);
    }
    free(scratch);
}

/* Whole weights, sums that are finished, spikes that carry numbers; receptors; targets that count. */
static void test_kinds_of_targets(void **unused)
{
    (void)unused;
    synapses *scratch = calloc(1, sizeof *scratch);
    rv_random r = random_stream(SEED, RANDOM_CONNECT, 3, 0);
    const struct { const char *model, *synapse; int receptor; double high; } kind[] = {
        { "loihi_lif", "loihi", 0, 100 }, { "loihi_lif", "loihi_conv", 0, 100 }, { "loihi_lif", NULL, 0, 100 }, { "parrot_neuron", NULL, 0, 100 },
        { "iaf_psc_exp", NULL, 0, 900 },  { "iaf_psc_exp", NULL, 0, -900 },
    };
    for (size_t k = 0; k < 2 * (sizeof kind / sizeof *kind); k++) {
        size_t  which = k / 2;
        setup   u = { .g = random_geometry(&r, 12), .threads = 1, .model = kind[which].model, .synapse = kind[which].synapse, .delay = 0.5, .receptor = kind[which].receptor };
        double *kernel = random_kernel(&r, &u.g, k % 2 ? -kind[which].high / 3 : 0, kind[which].high, true);
        u.kernel = kernel;
        expect_same_runs(&u, scratch);
        free(kernel);
    }
    free(scratch);
}

/* A slice of every other neuron to a slice of every third. */
static void test_slices(void **unused)
{
    (void)unused;
    rv_convolution g = { .groups = 1, .stride = { 1, 1 }, .dilation = { 1, 1 }, .shape = { 2, 4, 5 }, .kernel = { 3, 2, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 } };
    rv_random      r = random_stream(SEED, RANDOM_CONNECT, 4, 0);
    double        *kernel = random_kernel(&r, &g, -1, 1, false);
    synapses      *expected = calloc(1, sizeof *expected);
    unroll(&g, kernel, expected);
    for (int last = 0; last < 2; last++) {
        g.channels_last = last;
        unroll(&g, kernel, expected);
        rv_net       *net = open_net(&(setup){ .threads = 3 });
        rv_population a = rv_population_new(net, "a", 90, "spike_generator"), b = rv_population_new(net, "b", 200, "iaf_psc_delta");
        rv_projection p;
        check(net, rv_connect(net, &(rv_connect_def){ .source = { a, 3, 40, 2 }, .target = { b, 5, 60, 3 }, .rule = "convolution", .convolution = &g,
                                                      .weight = rv_list(kernel, kernel_size(&g)) }, &p));
        synapses *s = read_synapses(net, p);
        assert_int_equal(s->n, expected->n);
        double sum[2][200] = { { 0 } };
        for (int64_t k = 0; k < s->n; k++) {
            sum[0][s->target[k]] += (double)(s->source[k] + 1) * s->weight[k];
            sum[1][5 + 3 * expected->target[k]] += (double)(3 + 2 * expected->source[k] + 1) * (double)(float)expected->weight[k];
        }
        for (int i = 0; i < 200; i++)
            if (fabs(sum[0][i] - sum[1][i]) > 1e-9) fail_msg("target %d: expected a weighted sum of %g, got %g", i, sum[1][i], sum[0][i]);
        free(s);
        rv_net_free(net);
    }
    free(kernel), free(expected);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------- */

/* 18.9 million synapses, which unrolled take 113 MB. */
static void test_memory(void **unused)
{
    (void)unused;
    rv_convolution g = { .shape = { 2, 128, 128 }, .kernel = { 64, 2, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 } };
    rv_net        *net = open_net(&(setup){ .threads = 2 });
    rv_population  a = rv_population_new(net, "a", 2 * 128 * 128, "spike_generator"), b = rv_population_new(net, "b", 64 * 128 * 128, "iaf_psc_delta");
    int64_t        n;
    rv_projection  p;
    check(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "convolution", .convolution = &g }, &p));
    check(net, rv_synapse_count(net, p, &n));
    assert_int_equal(n, 2 * 64 * (3 * 128 - 2) * (3 * 128 - 2));
    double bytes = (double)rv_profile_get(net).bytes_synapses;
    if (bytes > 16e6) fail_msg("%.3g bytes for the synapses, expected below 16 MB", bytes);
    rv_net_free(net);
}

/* ---- errors ------------------------------------------------------------------------------------------------------------- */

static void expect_error(rv_net *net, const rv_connect_def *def, const char *expected)
{
    assert_int_not_equal(rv_connect(net, def, NULL), RV_OK);
    if (!strstr(rv_net_error(net)->text, expected)) fail_msg("expected: ... %s ...\n     got: %s", expected, rv_net_error(net)->text);
}

#define REFUSED(change, sentence)                                                                                                    \
    do {                                                                                                                             \
        rv_convolution g = good;                                                                                                     \
        rv_connect_def def = { .source = rv_all(a), .target = rv_all(b), .rule = "convolution", .convolution = &g, .weight = rv_list(kernel, 54) }; \
        change;                                                                                                                      \
        expect_error(net, &def, sentence);                                                                                           \
    } while (0)

static void test_errors(void **unused)
{
    (void)unused;
    rv_net        *net = open_net(&(setup){ .threads = 1 });
    rv_population  a = rv_population_new(net, "a", 40, "spike_generator"), b = rv_population_new(net, "b", 60, "iaf_psc_delta");
    rv_convolution good = { .shape = { 2, 4, 5 }, .kernel = { 3, 2, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 } };
    double         kernel[54] = { 0 };
    rv_projection  p;
    REFUSED(def.convolution = NULL, "needs the shape of the source and a kernel");
    REFUSED(g.shape[0] = 0, "channels = 0, allowed 1 to");
    REFUSED(g.shape[1] = -4, "height = -4, allowed 1 to");
    REFUSED(g.shape[2] = INT64_MAX, "width = 9223372036854775807, allowed 1 to");
    REFUSED(g.kernel[2] = 0, "kernel in height = 0, allowed 1 to 1000000");
    REFUSED(g.kernel[0] = -1, "output channels of the kernel = -1");
    REFUSED(g.stride[1] = -1, "stride in width = -1, allowed 1 to 1000000");
    REFUSED(g.dilation[0] = 2000000, "dilation in height = 2000000");
    REFUSED(g.padding[0] = -1, "padding before the first place in height = -1, allowed 0 to");
    REFUSED(g.padding_end[1] = 1000001, "padding behind the last place in width = 1000001");
    REFUSED(g.groups = 3, "groups = 3, allowed are divisors of the 2 input and the 3 output channels");
    REFUSED(g.kernel[1] = 1, "the kernel has 1 input channels, allowed are the 2 of the source / groups");
    REFUSED(g.kernel[3] = 8, "the kernel reaches over 8 places in width, which with padding has 7");
    REFUSED(g.shape[1] = 5, "a shape of 2 x 5 x 5 for 40 source neurons");
    REFUSED(g.stride[0] = 2, "its result is of 3 x 2 x 5 (channels, height, width), the target has 60 neurons");
    REFUSED(g.shape[0] = g.shape[1] = g.shape[2] = g.kernel[1] = 2000000000, "a shape of 2000000000 x 2000000000 x 2000000000 for 40 source neurons");
    REFUSED(def.weight = rv_list(kernel, 53), "53 values of weight for a kernel of 3 x 2 x 3 x 3");
    REFUSED(def.weight = rv_normal(0, 1), "weight is a number or the list of the kernel's weights");
    REFUSED(kernel[3] = NAN, "weight");
    kernel[3] = 0;
    REFUSED(def.no_autapses = true, "autapses cannot be excluded");
    REFUSED(def.plasticity = "stdp", "plasticity \"stdp\": the synapses of a convolution share their weights");
    REFUSED(def.delay = rv_uniform(1, 2), "delay: a convolution has one");
    rv_connect_def def = { .source = rv_all(a), .target = rv_all(b), .rule = "convolution", .convolution = &good, .weight = rv_list(kernel, 54) };
    check(net, rv_connect(net, &def, &p));
    assert_int_equal(rv_set_weights(net, p, rv_number(1)), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "share their weights"));
    assert_int_equal(rv_set_delays(net, p, rv_number(1)), RV_CONFLICT);
    assert_int_equal(rv_normalise(net, p, 1, 0), RV_CONFLICT);
    assert_int_equal(rv_rewire(net, p, &(rv_rewiring){ .prune_below = 1 }), RV_CONFLICT);
    rv_net_free(net);
}

/* Unrolled its synapses are like any others. */
static void test_unrolled_learns(void **unused)
{
    (void)unused;
    rv_net        *net = open_net(&(setup){ .threads = 2 });
    rv_population  a = rv_population_new(net, "a", 20, "spike_generator"), b = rv_population_new(net, "b", 20, "iaf_psc_delta");
    rv_convolution g = { .shape = { 1, 4, 5 }, .kernel = { 1, 1, 3, 3 }, .padding = { 1, 1 }, .padding_end = { 1, 1 }, .unrolled = true };
    rv_projection  p;
    play(net, a, 20, 30);
    check(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "convolution", .convolution = &g, .weight = rv_number(8),
                                                  .plasticity = "stdp", .settings = (rv_setting[]){ { "Wmax", rv_number(20) } }, .n_settings = 1 }, &p));
    check(net, rv_run(net, 34));
    synapses *s = read_synapses(net, p);
    int64_t   changed = 0;
    for (int64_t k = 0; k < s->n; k++) changed += s->weight[k] != 8;
    assert_int_equal(s->n, (3 * 4 - 2) * (3 * 5 - 2));
    assert_true(changed > 20);
    free(s);
    check(net, rv_set_weights(net, p, rv_number(1)));
    rv_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_geometries), cmocka_unit_test(test_many_tiles), cmocka_unit_test(test_kinds_of_targets), cmocka_unit_test(test_slices),
        cmocka_unit_test(test_memory),            cmocka_unit_test(test_errors),     cmocka_unit_test(test_unrolled_learns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
