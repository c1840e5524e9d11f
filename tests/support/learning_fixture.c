#include "tests/support/learning_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/epoch.h"

typedef struct recording {
    const char   *path;
    bool          fixed, third_factor;
    double        relative, worst;
    int           n_pre, n_post, n_steps;
    rv_net       *net;
    rv_population pre, post;
    rv_projection learning;
    fixture_array post_spikes, weights, tag_1, tag_2, traces[N_EPOCH_TRACES], delivered[N_EPOCH_Y];
    epoch_draws  *draws; /* [n_steps] of the tool */
} recording;

static const char *const trace_names[N_EPOCH_TRACES] = { "x1", "x2", "y1", "y2", "y3" };

/* ---- the network --------------------------------------------------------------------------------------------------- */

static void play_sources(recording *r)
{
    fixture_array spikes = fixture_open_array(r->path, "/pre");
    double       *times = malloc((size_t)r->n_steps * sizeof *times);
    r->pre = reference_population(r->net, "pre", r->n_pre, "spike_generator");
    for (int i = 0; i < r->n_pre; i++) {
        int n = 0;
        for (int t = 0; t < r->n_steps; t++)
            if (spikes.x[t * r->n_pre + i] != 0) times[n++] = t + 1;
        ENSURE_OK(r->net, rv_set_spike_times(r->net, r->pre, i, times, n));
    }
    free(times);
    fixture_close_array(&spikes);
}

/* The targets spike when v is lifted and at no other time: the weights of the chip are too small, and the others, which
 * are not, arrive after the end. */
static void add_targets(recording *r)
{
    r->post = reference_population(r->net, "post", r->n_post, "loihi_lif");
    reference_set_all(r->net, r->post, "du", 4095.0, "dv", 2048.0, "vth", 50000.0, NULL);
}

static int add_texts(const recording *r, rv_setting *settings)
{
    static const char *const names[] = { "dw", "dt", "dd" };
    static char              texts[3][256];
    int                      n = 0;
    for (int k = 0; k < 3; k++) {
        snprintf(texts[k], sizeof texts[k], "%s", fixture_attribute_text(r->path, "/", names[k]));
        if (texts[k][0]) settings[n++] = (rv_setting){ names[k], rv_text(texts[k]) };
    }
    return n;
}

static int add_numbers(const recording *r, rv_setting *settings)
{
    static char names[2 * N_EPOCH_TRACES][16];
    int         n = 0;
    for (int k = 0; k < 2 * N_EPOCH_TRACES; k++) {
        snprintf(names[k], sizeof names[k], "%s_%s", trace_names[k / 2], k % 2 ? "tau" : "impulse");
        settings[n++] = (rv_setting){ names[k], rv_number(fixture_attribute(r->path, "/", names[k])) };
    }
    settings[n++] = (rv_setting){ "t_epoch", rv_number(fixture_attribute(r->path, "/", "t_epoch")) };
    bool excitatory = strcmp(fixture_attribute_text(r->path, "/", "sign_mode"), "EXCITATORY") == 0;
    if (r->fixed) settings[n++] = (rv_setting){ "sign_mode", rv_number(excitatory ? 2 : 1) };
    return n;
}

static void connect(recording *r)
{
    rv_setting    settings[16];
    fixture_array w0 = fixture_open_array(r->path, "/w0");
    double       *w = malloc((size_t)w0.count * sizeof *w);
    int           n = add_texts(r, settings);
    n += add_numbers(r, settings + n);
    for (int64_t k = 0; k < w0.count; k++) w[k % r->n_pre * r->n_post + k / r->n_pre] = w0.x[k];
    rv_connect_def def = { .source = rv_all(r->pre), .target = rv_all(r->post), .rule = "all_to_all", .weight = rv_list(w, w0.count), .delay = rv_number(r->fixed ? 1 : 1000),
                           .plasticity = "loihi_rule", .synapse = r->fixed ? "loihi" : NULL, .settings = settings, .n_settings = n };
    ENSURE_OK(r->net, rv_connect(r->net, &def, &r->learning));
    free(w);
    fixture_close_array(&w0);
}

/* ---- what the tool recorded ---------------------------------------------------------------------------------------- */

static void load_draws(recording *r)
{
    static const char *const names[] = { "x_decay", "x_impulse", "y_decay", "y_impulse", "y_impulse_repeat", "syn_round" };
    if (!r->fixed) return;
    r->draws = calloc((size_t)r->n_steps, sizeof *r->draws);
    for (int k = 0; k < 6; k++) {
        fixture_array a = fixture_open_array(r->path, reference_text("/random/%s", names[k]));
        for (int t = 0; t < r->n_steps; t++) ((double *)&r->draws[t])[k] = a.x[t];
        fixture_close_array(&a);
    }
    ENSURE_OK(r->net, epoch_replay(r->net, r->learning, r->draws, r->n_steps));
}

static void load_expected(recording *r)
{
    r->weights = fixture_open_array(r->path, "/expected/weights");
    r->tag_1 = fixture_open_array(r->path, "/expected/tag_1"), r->tag_2 = fixture_open_array(r->path, "/expected/tag_2");
    for (int k = 0; k < N_EPOCH_TRACES; k++) r->traces[k] = fixture_open_array(r->path, reference_text("/expected/%s", trace_names[k]));
    for (int k = 0; k < N_EPOCH_Y && r->third_factor; k++) r->delivered[k] = fixture_open_array(r->path, reference_text("/in_y%d", k + 1));
}

static recording open_recording(const char *path, double relative, int threads)
{
    recording r = { .path = path, .relative = relative };
    r.fixed = strcmp(fixture_attribute_text(path, "/", "arithmetic"), "fixed_pt") == 0;
    r.third_factor = fixture_has_array(path, "/in_y1");
    r.post_spikes = fixture_open_array(path, "/post");
    r.n_steps = (int)r.post_spikes.n[0], r.n_post = (int)r.post_spikes.n[1];
    fixture_array w0 = fixture_open_array(path, "/w0");
    r.n_pre = (int)w0.n[1];
    fixture_close_array(&w0);
    r.net = reference_net((rv_net_def){ .resolution = 1, .threads = threads });
    play_sources(&r);
    add_targets(&r);
    connect(&r);
    load_draws(&r);
    load_expected(&r);
    return r;
}

static void close_recording(recording *r)
{
    rv_net_free(r->net);
    fixture_close_array(&r->post_spikes), fixture_close_array(&r->weights), fixture_close_array(&r->tag_1), fixture_close_array(&r->tag_2);
    for (int k = 0; k < N_EPOCH_TRACES; k++) fixture_close_array(&r->traces[k]);
    for (int k = 0; k < N_EPOCH_Y && r->third_factor; k++) fixture_close_array(&r->delivered[k]);
    free(r->draws);
}

/* ---- comparing ----------------------------------------------------------------------------------------------------- */

static void compare(recording *r, double got, double expected, const char *variable, int step, int index)
{
    double tolerance = r->relative * fmax(1, fabs(expected));
    r->worst = fmax(r->worst, fabs(got - expected) / fmax(1, fabs(expected)));
    ENSURE_NEAR_IN(got, expected, tolerance, "", "%s: %s[%d] after step %d", r->path, variable, index, step + 1);
}

/* Synapses come by source, then target. */
static void compare_synapses(recording *r, const char *variable, const fixture_array *expected, int step)
{
    int64_t n;
    double  values[256];
    ENSURE_OK(r->net, rv_get_learning(r->net, r->learning, variable, values, &n));
    assert_int_equal(n, r->n_pre * r->n_post);
    for (int k = 0; k < n; k++) compare(r, values[k], expected->x[(step * r->n_post + k % r->n_post) * r->n_pre + k / r->n_post], variable, step, k);
}

/* In floating point the tool has no value for a trace without a time constant. */
static void compare_traces(recording *r, int trace, int step)
{
    int64_t n;
    double  values[64];
    ENSURE_OK(r->net, rv_get_learning(r->net, r->learning, trace_names[trace], values, &n));
    for (int k = 0; k < n; k++)
        if (!isnan(r->traces[trace].x[step * n + k])) compare(r, values[k], r->traces[trace].x[step * n + k], trace_names[trace], step, k);
}

static void compare_weights_read(recording *r, int step)
{
    double weights[256];
    ENSURE_OK(r->net, rv_synapses(r->net, r->learning, NULL, NULL, weights, NULL));
    for (int k = 0; k < r->n_pre * r->n_post; k++) compare(r, weights[k], r->weights.x[(step * r->n_post + k % r->n_post) * r->n_pre + k / r->n_post], "weight", step, k);
}

static void play_step(recording *r, int step)
{
    for (int i = 0; i < r->n_post; i++)
        if (r->post_spikes.x[step * r->n_post + i] != 0) ENSURE_OK(r->net, rv_set_slice(r->net, (rv_slice){ r->post, i, 1, 1 }, "v", rv_number(8388607)));
    for (int k = 0; k < N_EPOCH_Y && r->third_factor; k++)
        ENSURE_OK(r->net, rv_set_learning(r->net, r->learning, trace_names[N_EPOCH_X + k], rv_list(r->delivered[k].x + step * r->n_post, r->n_post)));
    ENSURE_OK(r->net, rv_run(r->net, 1));
    compare_synapses(r, "w", &r->weights, step);
    compare_synapses(r, "t", &r->tag_1, step);
    compare_synapses(r, "d", &r->tag_2, step);
    compare_weights_read(r, step);
    for (int k = 0; k < N_EPOCH_TRACES; k++) compare_traces(r, k, step);
}

void learning_fixture_play_all(const char *arithmetic, double relative)
{
    fixture_table index = fixture_open_table(fixture_or_skip("learn/learn_index.csv"));
    double        worst = 0;
    int           n = 0, there = 0;
    for (int row = 0; row < index.n_rows; row++) {
        char        path[256];
        const char *found = fixture_path(reference_text("learn/%s", fixture_text(&index, row, "file")));
        if (strcmp(fixture_text(&index, row, "arithmetic"), arithmetic) != 0) continue;
        there++;
        if (!found) continue;
        snprintf(path, sizeof path, "%s", found);
        for (int threads = 1; threads <= 2; threads++) {
            recording r = open_recording(path, relative, threads);
            for (int step = 0; step < r.n_steps; step++) play_step(&r, step);
            worst = fmax(worst, r.worst);
            close_recording(&r);
        }
        n++;
    }
    print_message("%d of %d recordings, largest relative deviation %g\n", n, there, worst);
    assert_true(n > 0);
    fixture_close_table(&index);
}
