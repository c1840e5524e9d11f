/* Between TENNLab's networks and the engine's. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_net.h"
#include "hw/tennlab.h"
#include "sim/error.h"

/* ---- into the engine ------------------------------------------------------------------------------------------------ */

/* A number for every neuron: threshold or leak. */
static rv_status set_each(const tennlab_net *t, rv_net *net, rv_population p, const char *name)
{
    double *x = malloc((size_t)t->n_nodes * sizeof *x);
    if (!x) return rv_fail(net, RV_OUT_OF_MEMORY, "no memory for %lld neurons", (long long)t->n_nodes);
    for (int64_t k = 0; k < t->n_nodes; k++) x[k] = strcmp(name, "leak") == 0 ? t->node[k].leak : t->node[k].threshold;
    rv_status status = rv_set(net, p, name, rv_list(x, t->n_nodes));
    free(x);
    return status;
}

static rv_status add_neurons(const tennlab_net *t, rv_net *net, rv_population *neurons)
{
    *neurons = rv_population_new(net, "neurons", t->n_nodes, "risp");
    if (!neurons->id) return rv_net_error(net)->status;
    TRY(set_each(t, net, *neurons, "threshold"));
    TRY(set_each(t, net, *neurons, "leak"));
    TRY(rv_set(net, *neurons, "margin", rv_number(tennlab_margin(t))));
    return rv_set(net, *neurons, "min_potential", rv_number(t->min_potential));
}

static rv_status connect_list(rv_net *net, rv_population source, rv_population target, int64_t n, const int64_t *from, const int64_t *to, const double *weight, const double *delay)
{
    if (n == 0) return RV_OK;
    rv_connect_def def = { .source = rv_all(source), .target = rv_all(target), .rule = "list", .sources = from, .targets = to, .n_list = n, .weight = rv_list(weight, n), .delay = rv_list(delay, n) };
    return rv_connect(net, &def, NULL);
}

/* Lists of synapses: the edges, or what is applied to the inputs. */
typedef struct lists {
    int64_t *from, *to;
    double  *weight, *delay;
} lists;

static rv_status open_lists(lists *l, int64_t n, rv_net *net)
{
    size_t bytes = (size_t)(n + 1) * 8;
    *l = (lists){ malloc(bytes), malloc(bytes), malloc(bytes), malloc(bytes) };
    return l->from && l->to && l->weight && l->delay ? RV_OK : rv_fail(net, RV_OUT_OF_MEMORY, "no memory for %lld synapses", (long long)n);
}

static void close_lists(lists *l) { free(l->from), free(l->to), free(l->weight), free(l->delay); }

static rv_status add_edges(const tennlab_net *t, rv_net *net, rv_population neurons)
{
    lists     l;
    double    h = rv_resolution(net);
    rv_status status = open_lists(&l, t->n_edges, net);
    for (int64_t k = 0; k < t->n_edges && status == RV_OK; k++)
        l.from[k] = t->edge[k].from, l.to[k] = t->edge[k].to, l.weight[k] = t->edge[k].weight, l.delay[k] = (double)t->edge[k].delay * h;
    if (status == RV_OK) status = connect_list(net, neurons, neurons, t->n_edges, l.from, l.to, l.weight, l.delay);
    close_lists(&l);
    return status;
}

static rv_status add_inputs(const tennlab_net *t, rv_net *net, rv_population neurons)
{
    lists  l;
    double value = t->discrete ? floor(t->spike_value_factor) : t->spike_value_factor;
    if (t->n_inputs == 0) return RV_OK;
    rv_population inputs = rv_population_new(net, "inputs", t->n_inputs, "spike_generator");
    if (!inputs.id) return rv_net_error(net)->status;
    rv_status status = open_lists(&l, t->n_inputs, net);
    for (int64_t k = 0; k < t->n_inputs && status == RV_OK; k++) l.from[k] = k, l.to[k] = t->input[k], l.weight[k] = value, l.delay[k] = rv_resolution(net);
    if (status == RV_OK) status = connect_list(net, inputs, neurons, t->n_inputs, l.from, l.to, l.weight, l.delay);
    close_lists(&l);
    return status;
}

/* The engine does not see a spike of weight 0; it would only matter where a neuron fires at no charge. */
static rv_status check_empty_spikes(const tennlab_net *t, rv_error *error)
{
    for (int64_t k = 0; k < t->n_edges; k++) {
        const tennlab_node *n = &t->node[t->edge[k].to];
        if (t->edge[k].weight == 0 && n->threshold + tennlab_margin(t) <= 0)
            return error_set(error, RV_CONFLICT, "edge %lld of weight 0 would make node %lld fire, whose threshold is %g; allowed are thresholds above 0 where such edges end", (long long)k,
                             (long long)n->id, n->threshold);
    }
    return RV_OK;
}

rv_status tennlab_build(const tennlab_net *t, const rv_net_def *def, rv_net **net, rv_error *error)
{
    rv_net_def    with_steps = *def;
    rv_population neurons;
    *net = NULL;
    if (with_steps.resolution == 0) with_steps.resolution = 1;
    TRY(check_empty_spikes(t, error));
    TRY(rv_net_new(&with_steps, net, error));
    rv_status status = add_neurons(t, *net, &neurons);
    if (status == RV_OK) status = add_inputs(t, *net, neurons);
    if (status == RV_OK) status = add_edges(t, *net, neurons);
    if (status == RV_OK) return RV_OK;
    error_set(error, status, "%s", rv_net_error(*net)->text);
    rv_net_free(*net);
    *net = NULL;
    return status;
}

/* ---- out of the engine ------------------------------------------------------------------------------------------------ */

typedef struct making {
    const export_net *e;
    tennlab_net      *t;
    int64_t          *first; /* [n_populations] node of neuron 0; -1: generators */
    rv_error         *error;
} making;

static bool is_whole(double x) { return x == rint(x); }

/* What the processor has once must be the same for all. */
static rv_status check_same(const making *m, int k, int64_t i, const char *name, double expected)
{
    double x = export_param(export_population(m->e, k), name, i);
    if (x == expected) return RV_OK;
    return error_set(m->error, RV_CONFLICT, "%s: %s is %g for neuron %lld, %g elsewhere, but RISP has one for all", export_population_name(m->e, k), name, x, (long long)i, expected);
}

static rv_status add_population(making *m, int k, double min_potential, double margin)
{
    const population_def *p = export_population(m->e, k);
    m->first[k] = m->t->n_nodes;
    for (int64_t i = 0; i < p->n; i++) {
        tennlab_node *n = &m->t->node[m->t->n_nodes];
        TRY(check_same(m, k, i, "min_potential", min_potential));
        TRY(check_same(m, k, i, "margin", margin));
        *n = (tennlab_node){ m->t->n_nodes++, export_param(p, "threshold", i), export_param(p, "leak", i) != 0 };
        m->t->discrete &= is_whole(n->threshold);
        m->t->min_threshold = fmin(m->t->min_threshold, n->threshold), m->t->max_threshold = fmax(m->t->max_threshold, n->threshold);
    }
    return RV_OK;
}

static rv_status add_nodes(making *m)
{
    const population_def *first = NULL;
    m->t->node = calloc((size_t)m->e->def->n_neurons + 1, sizeof *m->t->node);
    if (!m->t->node) return error_memory(m->error, "nodes", (double)m->e->def->n_neurons * sizeof *m->t->node);
    for (int k = 0; k < m->e->def->n_populations; k++) {
        const population_def *p = export_population(m->e, k);
        m->first[k] = -1;
        if (export_is_input(p)) continue;
        if (strcmp(p->model->table.name, "risp") != 0)
            return error_set(m->error, RV_CONFLICT, "%s: its model is %s, but TENNLab's files are for risp", export_population_name(m->e, k), p->model->table.name);
        if (!first) first = p, m->t->min_potential = export_param(p, "min_potential", 0), m->t->min_threshold = m->t->max_threshold = export_param(p, "threshold", 0);
        TRY(add_population(m, k, m->t->min_potential, export_param(first, "margin", 0)));
    }
    if (!first) return error_set(m->error, RV_CONFLICT, "the network has no neurons of the model risp, which TENNLab's files are for");
    m->t->threshold_inclusive = export_param(first, "margin", 0) == 0;
    return RV_OK;
}

static void note_weight(tennlab_net *t, double weight)
{
    t->discrete &= is_whole(weight);
    t->min_weight = fmin(t->min_weight, weight), t->max_weight = fmax(t->max_weight, weight);
}

static rv_status add_synapses(making *m, const export_synapses *s)
{
    if (s->kind) return error_set(m->error, RV_CONFLICT, "%s: its synapses are %s, but RISP has plain ones", export_projection_name(m->e, s), s->kind->table.name);
    for (int64_t i = 0; i < s->n; i++) {
        note_weight(m->t, s->weight[i]);
        if (s->delay[i] > m->t->max_delay) m->t->max_delay = s->delay[i];
        m->t->edge[m->t->n_edges++] = (tennlab_edge){ m->first[s->source] + s->from[i], m->first[s->target] + s->to[i], s->weight[i], s->delay[i] };
    }
    return RV_OK;
}

/* A generator stands for an input: one neuron, always with the same weight, in the next step. */
static rv_status add_input(making *m, const export_synapses *s)
{
    for (int64_t i = 0; i < s->n; i++) {
        if (s->kind || s->delay[i] != 1 || (m->t->n_inputs > 0 && s->weight[i] != m->t->spike_value_factor))
            return error_set(m->error, RV_CONFLICT, "%s: inputs of RISP all have one weight and reach their neuron in the next step; found a weight of %g and a delay of %d steps",
                             export_projection_name(m->e, s), s->weight[i], (int)s->delay[i]);
        for (int64_t k = 0; k < i; k++)
            if (s->from[k] == s->from[i])
                return error_set(m->error, RV_CONFLICT, "%s: generator %lld reaches two neurons, but an input of RISP is one neuron: use a generator for each", export_projection_name(m->e, s),
                                 (long long)s->from[i]);
        m->t->spike_value_factor = s->weight[i];
        m->t->input[m->t->n_inputs++] = m->first[s->target] + s->to[i];
    }
    return RV_OK;
}

static rv_status add_projections(making *m)
{
    int64_t n = 0;
    for (int k = 0; k < m->e->n_projections; k++) n += m->e->projection[k].n;
    m->t->edge = calloc((size_t)n + 1, sizeof *m->t->edge), m->t->input = calloc((size_t)n + 1, sizeof *m->t->input);
    if (!m->t->edge || !m->t->input) return error_memory(m->error, "edges", (double)n * sizeof *m->t->edge);
    for (int k = 0; k < m->e->n_projections; k++) {
        const export_synapses *s = &m->e->projection[k];
        TRY(m->first[s->source] < 0 ? add_input(m, s) : add_synapses(m, s));
    }
    return RV_OK;
}

static rv_status add_outputs(making *m)
{
    tennlab_net *t = m->t;
    bool        *sends = calloc((size_t)t->n_nodes + 1, sizeof *sends);
    t->output = calloc((size_t)t->n_nodes + 1, sizeof *t->output);
    if (!sends || !t->output) return free(sends), error_memory(m->error, "outputs", (double)t->n_nodes * 8);
    for (int64_t k = 0; k < t->n_edges; k++) sends[t->edge[k].from] = true;
    for (int64_t k = 0; k < t->n_nodes; k++)
        if (!sends[k]) t->output[t->n_outputs++] = k;
    bool none = t->n_outputs == 0;
    for (int64_t k = 0; k < t->n_nodes && none; k++) t->output[t->n_outputs++] = k;
    free(sends);
    return RV_OK;
}

static void choose_leak_mode(tennlab_net *t)
{
    int64_t leaking = 0;
    for (int64_t k = 0; k < t->n_nodes; k++) leaking += t->node[k].leak;
    t->leak_mode = leaking == 0 ? 'n' : leaking == t->n_nodes ? 'a' : 'c';
}

rv_status tennlab_from_net(rv_net *net, tennlab_net *t, rv_error *error)
{
    export_net e;
    *t = (tennlab_net){ .discrete = true, .max_delay = 1, .spike_value_factor = 1 };
    TRY(export_net_open(net, "TENNLab", &e, error));
    making    m = { &e, t, calloc((size_t)e.def->n_populations + 1, sizeof *m.first), error };
    rv_status status = m.first ? add_nodes(&m) : error_memory(error, "nodes", 0);
    if (status == RV_OK) status = add_projections(&m);
    if (status == RV_OK) status = add_outputs(&m);
    if (status == RV_OK) choose_leak_mode(t), t->max_weight = fmax(t->max_weight, 1), t->discrete &= is_whole(t->spike_value_factor);
    free(m.first);
    export_net_close(&e);
    if (status != RV_OK) tennlab_free(t);
    return status;
}
