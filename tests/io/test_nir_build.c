/* Networks made of NIR graphs against an independent simulation of the same graph, of the plainest kind (every node, every step, in
 * double precision, spikes within a step reach the next layer as in the tools); against the traces of one neuron on the platforms of
 * NIR's paper; and what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir_build.h"
#include "tests/support/fixture.h"

/* ---- the plain twin ---------------------------------------------------------------------------------------------- */

enum { TWIN_NODES = 24, TWIN_SIZE = 256, TWIN_STEPS = 400 };

typedef struct twin_node {
    const nir_node *node;
    double          v[TWIN_SIZE], current[TWIN_SIZE], out[TWIN_SIZE], before[TWIN_SIZE];
    double          past[TWIN_STEPS][TWIN_SIZE]; /* what entered a Delay */
    int             stage;                       /* of this step: 0 not yet, 1 at it, 2 done */
} twin_node;

typedef struct twin {
    const nir_graph *graph;
    twin_node       *node; /* [n_nodes] */
    double           h;    /* seconds   */
    int              step, discretisation, reset;
} twin;

static double number(const nir_node *node, const char *field, int64_t i)
{
    const nir_value *v = nir_get(node, field);
    return v ? nir_number(v, i) : 0;
}

static void twin_evaluate(twin *t, int k);

/* The sum of what arrives. A neuron that is being evaluated already closes a cycle: its output of the step before. */
static void twin_gather(twin *t, int k, double *in)
{
    for (int i = 0; i < TWIN_SIZE; i++) in[i] = 0;
    for (int e = 0; e < t->graph->n_edges; e++) {
        if (strcmp(t->graph->edge[e].to, t->graph->node[k].name) != 0) continue;
        int from = (int)(nir_find(t->graph, t->graph->edge[e].from) - t->graph->node);
        if (t->node[from].stage == 0) twin_evaluate(t, from);
        const double *x = t->node[from].stage == 1 ? t->node[from].before : t->node[from].out;
        for (int i = 0; i < TWIN_SIZE; i++) in[i] += x[i];
    }
}

/* From the inputs' point of view: each adds to the outputs its window reaches. */
static void twin_window(const nir_node *node, const double *in, double *out)
{
    bool    pool = node->kind == NIR_SUMPOOL2D || node->kind == NIR_AVGPOOL2D, flat = node->kind == NIR_CONV1D;
    int64_t H = flat ? 1 : node->input.n[1], W = node->input.n[flat ? 1 : 2], h = flat ? 1 : node->output.n[1], w = node->output.n[flat ? 1 : 2];
    int64_t channels = node->input.n[0], outputs = node->output.n[0], groups = pool ? channels : (int64_t)number(node, "groups", 0);
    const nir_value *weight = nir_get(node, "weight");
    int64_t kh = pool ? (int64_t)number(node, "kernel_size", 0) : flat ? 1 : weight->shape.n[2], kw = pool ? (int64_t)number(node, "kernel_size", 1) : weight->shape.n[flat ? 2 : 3];
    const char *same = nir_text(nir_get(node, "padding"));
    bool        is_same = same && strcmp(same, "same") == 0;
    int64_t     sh = flat ? 1 : (int64_t)number(node, "stride", 0), sw = (int64_t)number(node, "stride", flat ? 0 : 1);
    int64_t     dh = pool || flat ? 1 : (int64_t)number(node, "dilation", 0), dw = pool ? 1 : (int64_t)number(node, "dilation", flat ? 0 : 1);
    int64_t     ph = is_same ? dh * (kh - 1) / 2 : same || flat ? 0 : (int64_t)number(node, "padding", 0), pw = is_same ? dw * (kw - 1) / 2 : same ? 0 : (int64_t)number(node, "padding", flat ? 0 : 1);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t y = 0; y < H; y++)
            for (int64_t x = 0; x < W; x++)
                for (int64_t o = 0; o < outputs; o++) {
                    if (o / (outputs / groups) != c / (channels / groups)) continue;
                    for (int64_t a = 0; a < kh; a++)
                        for (int64_t b = 0; b < kw; b++) {
                            int64_t oy = y + ph - a * dh, ox = x + pw - b * dw;
                            if (oy < 0 || ox < 0 || oy % sh || ox % sw || oy / sh >= h || ox / sw >= w) continue;
                            double factor = !pool ? nir_number(weight, ((o * (channels / groups) + c % (channels / groups)) * kh + a) * kw + b) : node->kind == NIR_AVGPOOL2D ? 1.0 / (double)(kh * kw) : 1;
                            out[(o * h + oy / sh) * w + ox / sw] += factor * in[(c * H + y) * W + x];
                        }
                }
    for (int64_t i = 0; !pool && i < outputs * h * w; i++) out[i] += number(node, "bias", i / (h * w));
}

static void twin_neurons(const twin *t, twin_node *n, const double *in, int64_t size)
{
    nir_kind kind = n->node->kind;
    bool     synapse = kind == NIR_CUBALIF || kind == NIR_CUBALI, leak = kind != NIR_IF && kind != NIR_I, fires = kind == NIR_IF || kind == NIR_LIF || kind == NIR_CUBALIF;
    for (int64_t i = 0; i < size; i++) {
        double tau = number(n->node, synapse ? "tau_mem" : "tau", i), rest = number(n->node, "v_leak", i), r = number(n->node, "r", i), x = in[i];
        double fade = t->h / number(n->node, "tau_syn", i), forget = t->h / tau, jump = fade;
        if (t->discretisation > 0) fade = 1 - exp(-fade), forget = 1 - exp(-forget);
        if (t->discretisation != 2) jump = fade;
        if (synapse) n->current[i] += jump * number(n->node, "w_in", i) * x - fade * n->current[i], x = n->current[i];
        if (leak) n->v[i] += forget * (rest - n->v[i]) + (t->discretisation == 2 && !synapse ? t->h / tau : forget) * r * x;
        else n->v[i] += r * x;
        n->out[i] = fires ? n->v[i] > number(n->node, "v_threshold", i) : n->v[i];
        if (fires && n->out[i]) n->v[i] = t->reset ? n->v[i] - number(n->node, "v_threshold", i) : number(n->node, "v_reset", i);
    }
}

static void twin_evaluate(twin *t, int k)
{
    twin_node      *n = &t->node[k];
    const nir_node *node = n->node;
    double          in[TWIN_SIZE], out[TWIN_SIZE] = { 0 };
    int64_t         size = nir_size(&node->output), width = nir_size(&node->input);
    if (node->kind == NIR_INPUT) { n->stage = 2; return; }
    n->stage = 1;
    twin_gather(t, k, in);
    memcpy(n->past[t->step], in, sizeof in);
    switch (node->kind) {
    case NIR_AFFINE:
    case NIR_LINEAR:
        for (int64_t i = 0; i < size; i++) {
            for (int64_t j = 0; j < width; j++) out[i] += number(node, "weight", i * width + j) * in[j];
            out[i] += number(node, "bias", i);
        }
        memcpy(n->out, out, sizeof out);
        break;
    case NIR_SCALE: for (int64_t i = 0; i < size; i++) n->out[i] = in[i] * number(node, "scale", i); break;
    case NIR_THRESHOLD: for (int64_t i = 0; i < size; i++) n->out[i] = in[i] > number(node, "threshold", i); break;
    case NIR_DELAY:
        for (int64_t i = 0; i < size; i++) {
            int steps = (int)rint(number(node, "delay", i) / t->h);
            n->out[i] = t->step >= steps ? n->past[t->step - steps][i] : 0;
        }
        break;
    case NIR_CONV1D:
    case NIR_CONV2D:
    case NIR_SUMPOOL2D:
    case NIR_AVGPOOL2D:
        twin_window(node, in, out);
        memcpy(n->out, out, sizeof out);
        break;
    case NIR_FLATTEN:
    case NIR_OUTPUT: memcpy(n->out, in, sizeof in); break;
    default: twin_neurons(t, n, in, size);
    }
    n->stage = 2;
}

/* Neurons first: a cycle is cut at them. */
static void twin_step(twin *t)
{
    for (int k = 0; k < t->graph->n_nodes; k++) t->node[k].stage = 0, memcpy(t->node[k].before, t->node[k].out, sizeof t->node[k].out);
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < t->graph->n_nodes; k++)
            if (t->node[k].stage == 0 && (pass == 1 || (t->node[k].node->kind >= NIR_I && t->node[k].node->kind <= NIR_CUBALIF))) twin_evaluate(t, k);
}

static twin twin_open(const nir_graph *graph, double h, int discretisation, int reset)
{
    twin t = { .graph = graph, .h = h, .discretisation = discretisation, .reset = reset, .node = calloc((size_t)graph->n_nodes, sizeof(twin_node)) };
    assert_non_null(t.node);
    for (int k = 0; k < graph->n_nodes; k++) {
        t.node[k].node = &graph->node[k];
        for (int64_t i = 0; i < nir_size(&graph->node[k].output) && nir_get(&graph->node[k], "v_leak"); i++) t.node[k].v[i] = number(&graph->node[k], "v_leak", i);
    }
    return t;
}

/* ---- both side by side ------------------------------------------------------------------------------------------- */

static uint64_t random_state;

static double draw(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_state >> 33) / 2147483648.0;
}

/* Random spikes of every Input, to the network and the twin. @param spikes [n_parts][STEPS][SIZE] */
static void play(nir_net *n, double rate, uint8_t (*spikes)[TWIN_STEPS][TWIN_SIZE])
{
    double h = rv_resolution(n->net), times[TWIN_STEPS];
    for (int k = 0; k < n->n_parts; k++) {
        const nir_part *p = &n->part[k];
        if (p->role != NIR_IS_INPUT) continue;
        for (int64_t i = 0; i < nir_size(&p->shape); i++) {
            int count = 0;
            for (int t = 0; t < TWIN_STEPS; t++)
                if ((spikes[k][t][i] = draw() < rate)) times[count++] = (t + 1) * h;
            ENSURE_OK(n->net, rv_set_spike_times(n->net, p->population, i, times, count));
        }
    }
}

typedef struct watched {
    rv_probe probe;
    int64_t  n_spikes;
} watched;

/* Compares every neuron and every Output at every step: V_m within the rounding of weights to float32, spikes exactly. */
static int64_t compare(nir_graph *graph, nir_net *n, const nir_build_options *options, double rate, double tolerance)
{
    static uint8_t spikes[TWIN_NODES][TWIN_STEPS][TWIN_SIZE];
    static uint8_t got[TWIN_NODES][TWIN_STEPS][TWIN_SIZE];
    int64_t        total = 0;
    rv_probe       probe[TWIN_NODES] = { { 0 } };
    double         h = rv_resolution(n->net);
    int            method = !options || !options->discretisation || options->discretisation[0] == 'e' ? 0 : 2;
    if (options && options->discretisation && strcmp(options->discretisation, "exponential") == 0) method = 1;
    assert_true(n->n_parts <= TWIN_NODES);
    memset(spikes, 0, sizeof spikes), memset(got, 0, sizeof got);
    play(n, rate, spikes);
    for (int k = 0; k < n->n_parts; k++) {
        if (n->part[k].role == NIR_IS_INPUT) continue;
        ENSURE_OK(n->net, rv_record_spikes(n->net, n->part[k].population));
        if (n->part[k].role == NIR_IS_NEURONS || !n->part[k].spikes) probe[k] = reference_record(n->net, n->part[k].population, "V_m", 0);
    }
    ENSURE_OK(n->net, rv_run(n->net, (TWIN_STEPS + 20) * h));
    for (int k = 0; k < n->n_parts; k++) {
        if (n->part[k].role == NIR_IS_INPUT) continue;
        reference_spikes s = reference_spikes_of(n->net, n->part[k].population);
        for (int64_t j = 0; j < s.n; j++) {
            int t = (int)rint(s.time_ms[j] / h) - n->part[k].level - 1;
            if (t < 0) fail_msg("%s: neuron %d spikes at %g ms", n->part[k].name, (int)s.neuron[j], s.time_ms[j]);
            if (t < TWIN_STEPS) got[k][t][s.neuron[j]] = 1, total++;
        }
        reference_spikes_free(&s);
    }
    twin t = twin_open(graph, h * 1e-3, method, options && options->reset && strcmp(options->reset, "subtract") == 0);
    reference_list samples[TWIN_NODES] = { { 0 } };
    for (int k = 0; k < n->n_parts; k++)
        if (probe[k].id) samples[k] = reference_samples(n->net, probe[k]);
    for (t.step = 0; t.step < TWIN_STEPS; t.step++) {
        for (int k = 0; k < n->n_parts; k++)
            if (n->part[k].role == NIR_IS_INPUT)
                for (int i = 0; i < TWIN_SIZE; i++) t.node[nir_find(graph, n->part[k].name) - graph->node].out[i] = spikes[k][t.step][i];
        twin_step(&t);
        for (int k = 0; k < n->n_parts; k++) {
            const nir_part  *p = &n->part[k];
            const twin_node *w = &t.node[nir_find(graph, p->name) - graph->node];
            int64_t          size = nir_size(&p->shape);
            for (int64_t i = 0; i < size && p->role != NIR_IS_INPUT; i++) {
                double V = samples[k].x ? samples[k].x[(t.step + p->level) * size + i] : 0;
                if (p->spikes && got[k][t.step][i] != (w->out[i] != 0)) fail_msg("%s: neuron %d, step %d: %d spikes, expected %g", p->name, (int)i, t.step, got[k][t.step][i], w->out[i]);
                double allowed = tolerance * (1 + fabs(V));
                if (!p->spikes) ENSURE_NEAR_IN(V, w->out[i], allowed, "", "%s: element %d, step %d", p->name, (int)i, t.step);
                else if (p->role == NIR_IS_NEURONS && w->node->kind != NIR_THRESHOLD) ENSURE_NEAR_IN(V, w->v[i], allowed, "", "%s: V_m of neuron %d, step %d", p->name, (int)i, t.step);
            }
        }
    }
    for (int k = 0; k < n->n_parts; k++) reference_list_free(&samples[k]);
    free(t.node);
    return total;
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

static void add(nir_graph *g, const char *name, nir_kind kind) { assert_int_equal(nir_add(g, name, kind, NULL, NULL), RV_OK); }
static void wire(nir_graph *g, const char *from, const char *to) { assert_int_equal(nir_connect(g, from, to, NULL), RV_OK); }

/* A field of values low .. high, all drawn. */
static void put(nir_graph *g, const char *node, const char *field, int rank, const int64_t *n, double low, double high)
{
    hdf5_shape shape = { .rank = rank, .count = 1 };
    for (int k = 0; k < rank; k++) shape.n[k] = n[k], shape.count *= n[k];
    double *values = malloc((size_t)(shape.count + 1) * sizeof *values);
    assert_non_null(values);
    for (int64_t k = 0; k < shape.count; k++) values[k] = low + (high - low) * draw();
    assert_int_equal(nir_set(&nir_find(g, node)->fields, field, HDF5_F64, &shape, values, NULL), RV_OK);
    free(values);
}

static void put_one(nir_graph *g, const char *node, const char *field, double x) { put(g, node, field, 0, NULL, x, x); }

static void put_shape(nir_graph *g, const char *node, int rank, const int64_t *n)
{
    hdf5_shape shape = nir_vector_shape(rank);
    assert_int_equal(nir_set(&nir_find(g, node)->fields, "shape", HDF5_I64, &shape, n, NULL), RV_OK);
}

static void add_linear(nir_graph *g, const char *name, int64_t out, int64_t in, double low, double high, bool bias)
{
    add(g, name, bias ? NIR_AFFINE : NIR_LINEAR);
    put(g, name, "weight", 2, (int64_t[]){ out, in }, low, high);
    if (bias) put(g, name, "bias", 1, &out, -0.1 * high, 0.3 * high);
}

static void add_neurons(nir_graph *g, const char *name, nir_kind kind, int rank, const int64_t *n)
{
    bool synapse = kind == NIR_CUBALI || kind == NIR_CUBALIF, leak = kind != NIR_IF && kind != NIR_I;
    add(g, name, kind);
    put(g, name, "r", rank, n, leak ? 4 : 0.5, leak ? 8 : 1);
    if (leak) put(g, name, synapse ? "tau_mem" : "tau", rank, n, 5e-4, 3e-3), put(g, name, "v_leak", rank, n, -0.1, 0.1);
    if (synapse) put(g, name, "tau_syn", rank, n, 3e-4, 1e-3), put(g, name, "w_in", rank, n, 2, 4);
    if (kind == NIR_IF || kind == NIR_LIF || kind == NIR_CUBALIF) put(g, name, "v_threshold", rank, n, 0.8, 1.2), put(g, name, "v_reset", rank, n, -0.2, 0.2);
}

static void build(nir_graph *g, const nir_build_options *options, nir_net *n)
{
    rv_error error = { 0 };
    if (nir_build(g, &(rv_net_def){ .threads = 1 }, options, n, &error) != RV_OK) fail_msg("%s", error.text);
}

static const nir_build_options all_options[] = {
    { "euler", "value", NULL }, { "exponential", "value", NULL }, { "impulse", "value", NULL }, { "euler", "subtract", NULL }, { "impulse", "subtract", NULL },
};

/* A skip connection, delays, a bias, two inputs, recurrence, read-outs. */
/* @param bias without: beside impulses a bias is a current, which the twin does not tell from spikes */
static void make_branches(nir_graph *g, nir_kind kind, bool bias)
{
    const int64_t n[] = { 5, 7, 4 };
    *g = (nir_graph){ 0 };
    add(g, "x", NIR_INPUT), add(g, "y", NIR_INPUT), add(g, "out", NIR_OUTPUT), add(g, "sum", NIR_OUTPUT);
    put_shape(g, "x", 1, &n[0]), put_shape(g, "y", 1, &n[1]), put_shape(g, "out", 1, &n[2]), put_shape(g, "sum", 1, &n[0]);
    add_linear(g, "wx", n[1], n[0], -1, 3, bias), add_linear(g, "wy", n[2], n[1], -1, 2, false), add_linear(g, "w2", n[2], n[1], -1, 3, false);
    add_linear(g, "rec", n[2], n[2], -2, 1, bias), add_linear(g, "read", n[0], n[2], -1, 1, true);
    add_neurons(g, "a", kind, 1, &n[1]), add_neurons(g, "b", kind, 1, &n[2]);
    add(g, "d", NIR_DELAY), put(g, "d", "delay", 1, &n[1], 0, 8e-4);
    add(g, "s", NIR_SCALE), put(g, "s", "scale", 1, &n[2], 0.5, 1.5);
    wire(g, "x", "wx"), wire(g, "wx", "a"), wire(g, "a", "w2"), wire(g, "w2", "b"), wire(g, "y", "d"), wire(g, "d", "wy"), wire(g, "wy", "s"), wire(g, "s", "b");
    wire(g, "b", "rec"), wire(g, "rec", "b"), wire(g, "b", "out"), wire(g, "b", "read"), wire(g, "read", "sum");
}

static void test_branches(void **state)
{
    (void)state;
    static const nir_kind kinds[] = { NIR_LIF, NIR_IF, NIR_CUBALIF };
    for (int k = 0; k < 3; k++)
        for (int o = 0; o < 5; o++) {
            if (kinds[k] == NIR_CUBALIF && o == 2) continue; /* its closed form: test_impulses */
            nir_graph graph;
            nir_net   n;
            random_state = (uint64_t)(10 * k + o + 1);
            make_branches(&graph, kinds[k], all_options[o].discretisation[0] != 'i');
            build(&graph, &all_options[o], &n);
            int64_t spikes = compare(&graph, &n, &all_options[o], 0.1, 1e-5);
            print_message("%s %s %s: %lld spikes\n", nir_kind_names[kinds[k]], all_options[o].discretisation, all_options[o].reset, (long long)spikes);
            assert_true(spikes > 200);
            nir_net_free(&n), nir_free(&graph);
        }
}

static void put_window(nir_graph *g, const char *name, int64_t kernel, int64_t stride, int64_t padding)
{
    bool pool = nir_find(g, name)->kind == NIR_SUMPOOL2D || nir_find(g, name)->kind == NIR_AVGPOOL2D;
    put_one(g, name, "stride", (double)stride), put_one(g, name, "padding", (double)padding);
    if (pool) put_one(g, name, "kernel_size", (double)kernel);
    else put_one(g, name, "dilation", 1);
}

/* Conv2d in groups with a kernel that is not square, pools, Flatten, Threshold, LI at the end. */
static void test_images(void **state)
{
    (void)state;
    nir_graph g = { 0 };
    nir_net   n;
    int64_t   image[] = { 2, 7, 6 }, after[] = { 4, 5, 6 }, flat = 4 * 3 * 4, three = 3;
    random_state = 77;
    add(&g, "in", NIR_INPUT), put_shape(&g, "in", 3, image), add(&g, "out", NIR_OUTPUT), put_shape(&g, "out", 1, &three);
    add(&g, "conv", NIR_CONV2D), put(&g, "conv", "weight", 4, (int64_t[]){ 4, 1, 3, 2 }, -0.3, 1), put(&g, "conv", "bias", 1, (int64_t[]){ 4 }, 0, 0.2);
    put_window(&g, "conv", 0, 1, 0), put_one(&g, "conv", "groups", 2);
    put(&g, "conv", "padding", 1, (int64_t[]){ 2 }, 0, 0);
    assert_int_equal(nir_set_vector(&nir_find(&g, "conv")->fields, "padding", (double[]){ 0, 1 }, 2, NULL), RV_OK);
    after[2] = 7;
    add_neurons(&g, "if", NIR_IF, 3, after);
    add(&g, "pool", NIR_AVGPOOL2D), put_window(&g, "pool", 2, 2, 1);
    add(&g, "flat", NIR_FLATTEN), put_one(&g, "flat", "start_dim", 0);
    add_linear(&g, "fc", 6, flat, -1, 2, false);
    add(&g, "step", NIR_THRESHOLD), put(&g, "step", "threshold", 1, (int64_t[]){ 6 }, 0, 0.2);
    add_linear(&g, "read", 3, 6, -1, 1, false), add_neurons(&g, "li", NIR_LI, 1, &three);
    static const char *const chain[] = { "in", "conv", "if", "pool", "flat", "fc", "step", "read", "li", "out" };
    for (int k = 0; k + 1 < 10; k++) wire(&g, chain[k], chain[k + 1]);
    build(&g, NULL, &n);
    assert_int_equal(nir_part_find(&n, "if")->level, 1);
    assert_int_equal(nir_part_find(&n, "li")->level, 3);
    assert_false(nir_part_find(&n, "out")->spikes);
    int64_t spikes = compare(&g, &n, NULL, 0.2, 1e-5);
    print_message("%lld spikes\n", (long long)spikes);
    assert_true(spikes > 1000);
    nir_net_free(&n), nir_free(&g);
}

/* Every fixture that can be run without nested graphs, and those of NIR's paper. */
static void compare_file(const char *path, double rate)
{
    nir_graph graph;
    nir_net   n;
    rv_error  error = { 0 };
    random_state = 5;
    if (nir_read(path, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    build(&graph, NULL, &n);
    bool fits = n.n_parts <= TWIN_NODES && graph.n_nodes <= TWIN_NODES;
    for (int k = 0; k < graph.n_nodes; k++) fits &= graph.node[k].kind != NIR_GRAPH && nir_size(&graph.node[k].input) <= TWIN_SIZE;
    if (fits) print_message("%s: %lld spikes\n", path, (long long)compare(&graph, &n, NULL, rate, 1e-4));
    nir_net_free(&n), nir_free(&graph);
}

static void test_fixtures(void **state)
{
    (void)state;
    fixture_table t = fixture_open_table(fixture_or_skip("nir/nir_nodes.csv"));
    char          last[100] = "";
    for (int row = 0; row < t.n_rows; row++) {
        const char *file = fixture_text(&t, row, "file"), *path = fixture_path(reference_text("nir/%s", file));
        if (strcmp(file, last) == 0 || !path) continue;
        snprintf(last, sizeof last, "%s", file);
        char copy[256];
        snprintf(copy, sizeof copy, "%s", path);
        compare_file(copy, 0.3);
    }
    fixture_close_table(&t);
}

/* A graph within a graph runs as it does without. */
static int64_t run_rings(nir_graph *g, uint64_t *hash)
{
    static uint8_t spikes[TWIN_NODES][TWIN_STEPS][TWIN_SIZE];
    nir_net        n;
    build(g, NULL, &n);
    random_state = 9;
    play(&n, 0.2, spikes);
    const nir_part *out = nir_part_find(&n, "out");
    ENSURE_OK(n.net, rv_record_spikes(n.net, out->population));
    ENSURE_OK(n.net, rv_run(n.net, TWIN_STEPS * 0.1));
    reference_spikes s = reference_spikes_of(n.net, out->population);
    *hash = 0;
    for (int64_t k = 0; k < s.n; k++) *hash = *hash * 31 + (uint64_t)s.neuron[k] + 100 * (uint64_t)rint(s.time_ms[k] * 10);
    int64_t count = s.n;
    reference_spikes_free(&s);
    nir_net_free(&n);
    return count;
}

static void make_ring(nir_graph *g, const char *in, const char *out)
{
    int64_t n = 6;
    random_state = 3;
    add(g, in, NIR_INPUT), add(g, out, NIR_OUTPUT), put_shape(g, in, 1, &n), put_shape(g, out, 1, &n);
    add_neurons(g, "lif", NIR_CUBALIF, 1, &n);
    add_linear(g, "rec", n, n, -2, 1, false);
    wire(g, in, "lif"), wire(g, "lif", "rec"), wire(g, "rec", "lif"), wire(g, "lif", out);
}

static void test_nested(void **state)
{
    (void)state;
    nir_graph flat = { 0 }, nested = { 0 };
    int64_t   n = 6;
    uint64_t  hash[2];
    make_ring(&flat, "in", "out");
    add(&nested, "in", NIR_INPUT), add(&nested, "rnn", NIR_GRAPH), add(&nested, "out", NIR_OUTPUT), put_shape(&nested, "in", 1, &n), put_shape(&nested, "out", 1, &n);
    make_ring(nir_find(&nested, "rnn")->graph, "input", "output");
    wire(&nested, "in", "rnn"), wire(&nested, "rnn", "out");
    int64_t spikes = run_rings(&flat, &hash[0]);
    assert_int_equal(run_rings(&nested, &hash[1]), spikes);
    assert_true(hash[0] == hash[1] && spikes > 100);
    nir_free(&flat), nir_free(&nested);
}

/* ---- closed forms ------------------------------------------------------------------------------------------------ */

/* CubaLIF with impulses: I and V_m as the solution of the equations after one spike of weight 1. */
static void test_impulses(void **state)
{
    (void)state;
    nir_graph g = { 0 };
    nir_net   n;
    int64_t   one = 1;
    double    tau_syn = 2, tau_mem = 10, r = 3, w_in = 5, h = 0.1; /* ms */
    add(&g, "in", NIR_INPUT), put_shape(&g, "in", 1, &one), add(&g, "lif", NIR_CUBALIF);
    const char  *names[] = { "tau_syn", "tau_mem", "r", "w_in", "v_leak", "v_threshold" };
    const double values[] = { tau_syn * 1e-3, tau_mem * 1e-3, r, w_in, 0.5, 100 };
    for (int k = 0; k < 6; k++) put(&g, "lif", names[k], 1, &one, values[k], values[k]);
    wire(&g, "in", "lif");
    build(&g, &(nir_build_options){ .discretisation = "impulse" }, &n);
    const nir_part *lif = nir_part_find(&n, "lif");
    assert_string_equal(rv_population_model(n.net, lif->population), "iaf_psc_exp");
    ENSURE_OK(n.net, rv_set_spike_times(n.net, nir_part_find(&n, "in")->population, 0, (double[]){ 1 }, 1));
    rv_probe probe = reference_record(n.net, lif->population, "V_m", 0);
    ENSURE_OK(n.net, rv_run(n.net, 30));
    reference_list got = reference_samples(n.net, probe);
    for (int64_t k = 0; k < got.n; k++) {
        double t = (double)(k + 1) * h - 1.1; /* ms since it arrived */
        double V = t <= 0 ? 0.5 : 0.5 + r * w_in * (h / tau_syn) * tau_syn / (tau_syn - tau_mem) * (exp(-t / tau_syn) - exp(-t / tau_mem));
        ENSURE_NEAR_IN(got.x[k], V, 1e-8, "", "V_m %g ms after the spike", t);
    }
    reference_list_free(&got);
    nir_net_free(&n), nir_free(&g);
}

/* Spikes as impulses of area 1 second: the equations word for word. */
static void test_units(void **state)
{
    (void)state;
    static const nir_kind kinds[] = { NIR_LIF, NIR_IF };
    for (int k = 0; k < 2; k++) {
        nir_graph g = { 0 };
        nir_net   n;
        int64_t   one = 1;
        add(&g, "in", NIR_INPUT), put_shape(&g, "in", 1, &one), add(&g, "w", NIR_AFFINE), add(&g, "lif", kinds[k]);
        put(&g, "w", "weight", 2, (int64_t[]){ 1, 1 }, 0.25, 0.25), put(&g, "w", "bias", 1, &one, 8, 8);
        const char  *names[] = { "r", "v_threshold", "tau", "v_leak" };
        const double values[] = { 2, 1000, 0.01, 0 };
        for (int i = 0; i < (k ? 2 : 4); i++) put(&g, "lif", names[i], 1, &one, values[i], values[i]);
        wire(&g, "in", "w"), wire(&g, "w", "lif");
        build(&g, &(nir_build_options){ .spikes = "impulse", .discretisation = "impulse" }, &n);
        ENSURE_OK(n.net, rv_set_spike_times(n.net, nir_part_find(&n, "in")->population, 0, (double[]){ 5 }, 1));
        rv_probe probe = reference_record(n.net, nir_part_find(&n, "lif")->population, "V_m", 0);
        ENSURE_OK(n.net, rv_run(n.net, 20));
        reference_list got = reference_samples(n.net, probe);
        for (int64_t i = 0; i < got.n; i++) {
            double t = (double)i * 1e-4, since = t - 5e-3; /* s; the population's clock is a step late */
            double V = k ? 2 * 8 * t + (since > -1e-9 ? 2 * 0.25 : 0) : 2 * 8 * (1 - exp(-t / 0.01)) + (since > -1e-9 ? 2 * 0.25 / 0.01 * exp(-since / 0.01) : 0);
            ENSURE_NEAR_IN(got.x[i], V, 1e-5, "", "%s: V_m at %g s", nir_kind_names[kinds[k]], t);
        }
        reference_list_free(&got);
        nir_net_free(&n), nir_free(&g);
    }
}

/* ---- one neuron on many platforms -------------------------------------------------------------------------------- */

typedef struct platform {
    const char       *file;
    nir_build_options options;
    double            scale;     /* the platform's voltage for one of ours */
    int               late;      /* rows                                   */
    int               until;     /* rows that are compared: from the first spike on some report V_m before the reset */
    double            tolerance;
} platform;

static const platform platforms[] = {
    { "lif_norse.csv", { "euler", "value", NULL }, 1, 0, 1000, 1e-7 },
    { "lif_exact.csv", { "exponential", "value", NULL }, 1, 0, 460, 1e-7 },
    { "lif_nengo.csv", { "exponential", "value", NULL }, 10, 0, 460, 1e-6 },
    { "lif_snntorch.csv", { "euler", "value", NULL }, 25, 0, 1000, 1e-5 },
    { "lif_sinabs.csv", { "impulse", "subtract", NULL }, 1, 0, 1000, 1e-7 },
    { "lif_rockpool.csv", { "impulse", "subtract", NULL }, 1, 0, 1000, 1e-7 },
    { "lif_spyx.csv", { "euler", "value", NULL }, 1, 0, 460, 1e-7 },
    { "lif_lava_cpu_float.csv", { "euler", "value", NULL }, 1, 1, 1000, 1e-7 },
};

static void compare_platform(const platform *p)
{
    nir_graph graph;
    nir_net   n;
    rv_error  error = { 0 };
    double    times[1000];
    int64_t   count = 0, at = 0;
    if (nir_read(fixture_path("nir_paper/lif_norse.nir"), NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    build(&graph, &p->options, &n);
    reference_list rows = reference_table(fixture_path(reference_text("nir_paper/%s", p->file)), 3);
    for (int t = 0; t < 1000; t++)
        if (rows.x[3 * t] > 0) times[count++] = (t + 1) * 0.1;
    const nir_part *lif = nir_part_find(&n, "1");
    ENSURE_OK(n.net, rv_set_spike_times(n.net, nir_part_find(&n, "input")->population, 0, times, count));
    ENSURE_OK(n.net, rv_record_spikes(n.net, lif->population));
    rv_probe probe = reference_record(n.net, lif->population, "V_m", 0);
    ENSURE_OK(n.net, rv_run(n.net, 101));
    reference_list   V = reference_samples(n.net, probe);
    reference_spikes s = reference_spikes_of(n.net, lif->population);
    for (int t = 0; t + p->late < p->until; t++)
        ENSURE_NEAR_IN(p->scale * V.x[t + lif->level], rows.x[3 * (t + p->late) + 1], p->tolerance, "", "%s, row %d", p->file, t + p->late + 1);
    bool reports_late = strcmp(p->file, "lif_spyx.csv") == 0; /* the spike of a step in the next row */
    for (int t = 0; t < 1000; t++)
        if (rows.x[3 * t + 2] != 0) {
            assert_true(at < s.n);
            ENSURE_NEAR_IN(s.time_ms[at], (t + 1 - p->late - reports_late + lif->level) * 0.1, 1e-9, "ms", "%s: spike %d", p->file, (int)at);
            at++;
        }
    assert_int_equal(at, s.n);
    reference_list_free(&rows), reference_list_free(&V), reference_spikes_free(&s);
    nir_net_free(&n), nir_free(&graph);
}

static void test_platforms(void **state)
{
    (void)state;
    fixture_or_skip("nir_paper/lif_norse.nir");
    for (size_t k = 0; k < sizeof platforms / sizeof *platforms; k++) compare_platform(&platforms[k]);
}

static void test_paper(void **state)
{
    (void)state;
    fixture_or_skip("nir_paper/lif_norse.nir");
    static const char *const files[] = { "braille_noDelay_bias_zero", "braille_noDelay_noBias_subtract", "cnn_sinabs" };
    for (int k = 0; k < 3; k++) {
        char path[256];
        snprintf(path, sizeof path, "%s", fixture_path(reference_text("nir_paper/%s.nir", files[k])));
        compare_file(path, 0.1);
    }
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static void refuse(nir_graph *g, const rv_net_def *def, const nir_build_options *options, const char *sentence)
{
    nir_net  n;
    rv_error error = { 0 };
    if (nir_build(g, def, options, &n, &error) == RV_OK) fail_msg("is built; expected: %s", sentence);
    if (strcmp(error.text, sentence) != 0) fail_msg("%s\nexpected: %s", error.text, sentence);
    nir_net_free(&n);
    nir_free(g);
}

static nir_graph chain(nir_kind first, nir_kind second)
{
    nir_graph g = { 0 };
    int64_t   two = 2;
    random_state = 1;
    add(&g, "in", NIR_INPUT), put_shape(&g, "in", 1, &two);
    add_neurons(&g, "a", first, 1, &two), add_neurons(&g, "b", second, 1, &two);
    wire(&g, "in", "a"), wire(&g, "a", "b");
    return g;
}

static void test_refusals(void **state)
{
    (void)state;
    rv_net_def def = { .threads = 1 };
    int64_t    two = 2;
    nir_graph  g = chain(NIR_LI, NIR_LIF);
    refuse(&g, &def, NULL, "node \"b\": takes the continuous output of the LI \"a\"; only an Output can, directly: between neurons go spikes");
    g = chain(NIR_LIF, NIR_LIF), put(&g, "a", "tau", 1, &two, 0, 0);
    refuse(&g, &def, NULL, "node \"a\": tau of neuron 0 = 0, allowed are times above 0");
    g = chain(NIR_LIF, NIR_LIF), put(&g, "a", "r", 1, &two, 1e13, 1e13);
    refuse(&g, &def, NULL, "node \"a\": r of neuron 0 = 1e+13, allowed -1e12 to 1e12");
    g = chain(NIR_LIF, NIR_LIF), put(&g, "a", "tau", 1, &two, 1e-5, 1e-5);
    refuse(&g, &def, NULL,
           "node \"a\": tau of neuron 0 = 0.01 ms is shorter than the step of 0.1 ms, which Euler's method does not bear; take a shorter dt or discretisation = \"exponential\"");
    g = chain(NIR_LIF, NIR_LIF);
    refuse(&g, &def, &(nir_build_options){ .reset = "subtraction" }, "node \"a\": no reset \"subtraction\"; did you mean \"subtract\"?");
    g = chain(NIR_LIF, NIR_LIF);
    refuse(&g, &(rv_net_def){ .timing = RV_EXACT }, NULL, "a NIR graph runs in steps; use timing = \"grid\"");
    g = chain(NIR_LIF, NIR_LIF), add(&g, "d", NIR_DELAY), put(&g, "d", "delay", 1, &two, -1, -1), wire(&g, "a", "d");
    refuse(&g, &def, NULL, "node \"d\": delay = -1 s, allowed 0 to 100 s (1e+06 steps)");
    g = chain(NIR_LIF, NIR_LIF), add(&g, "s", NIR_SCALE), put(&g, "s", "scale", 1, &two, 1, 1), wire(&g, "s", "s"), wire(&g, "s", "b");
    refuse(&g, &def, NULL, "node \"s\": lies on or behind a cycle without a neuron; every cycle needs one");
    g = chain(NIR_IF, NIR_LIF);
    assert_int_equal(nir_set_number(&nir_find(&g, "a")->metadata, "t_ref", 1e-3, NULL), RV_OK);
    refuse(&g, &def, NULL, "node \"a\": a refractory period (metadata t_ref) goes with an LIF that is reset to a value, or a CubaLIF with impulses");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_branches), cmocka_unit_test(test_images), cmocka_unit_test(test_fixtures),  cmocka_unit_test(test_nested),   cmocka_unit_test(test_impulses),
        cmocka_unit_test(test_units),    cmocka_unit_test(test_platforms), cmocka_unit_test(test_paper), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
