/* A NIR graph from a network, see io/nir_build.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir_build.h"
#include "io/nir_from_shapes.h"
#include "io/nir_internal.h"
#include "io/nir_neurons.h"
#include "sim/error.h"
#include "sim/memory.h"
#include "sim/net.h"
#include "sim/value.h"

enum { MOST_DELAYS = 16 };

typedef struct exporting {
    rv_net                 *net;
    const nir_from_options *options;
    nir_graph              *graph;
    double                  h;      /* ms */
    double                **bias;   /* [n_populations][n] what an Affine still has to add, or NULL */
    bool                   *heard;  /* [n_populations] something arrives there                     */
    hdf5_shape             *shape;  /* [n_populations] channels, height, width; or one row         */
    rv_error               *error;
} exporting;

static const definition *def_of(const exporting *e) { return &e->net->def; }

static rv_status pass_error(exporting *e, rv_status status) { return status == RV_OK ? RV_OK : error_set(e->error, status, "%s", rv_net_error(e->net)->text); }

/* ---- neurons ---------------------------------------------------------------------------------------------------- */

/* One population on its way: values of parameters and states at the start, of all neurons. */
typedef struct neurons {
    exporting            *e;
    const population_def *from;
    nir_node             *node;
} neurons;

/* A parameter or initial state by its name; the caller frees it. */
static double *values_of(const neurons *p, const char *name)
{
    const rv_table      *table = &p->from->model->table;
    const neuron_values *found = NULL;
    double              *x = malloc(((size_t)p->from->n + 1) * sizeof *x);
    for (int k = 0; k < table->n_params; k++)
        if (strcmp(table->params[k].name, name) == 0) found = &p->from->param[k];
    for (int k = 0; k < table->n_states; k++)
        if (strcmp(table->states[k].name, name) == 0) found = &p->from->initial[k];
    for (int64_t i = 0; x && i < p->from->n; i++) x[i] = neuron_value(found, i);
    return x;
}

static rv_status refuse(const neurons *p, const char *reason)
{
    return error_set(p->e->error, RV_CONFLICT, "population \"%s\" (%s) to NIR: %s", p->from->name, p->from->model->table.name, reason);
}

static bool all_equal(const double *x, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++)
        if (x[i] != value) return false;
    return true;
}

/* What has to have this one value in all neurons. */
static rv_status demand(const neurons *p, const char *name, double value, const char *reason)
{
    double *x = values_of(p, name);
    if (!x) return error_memory(p->e->error, p->from->name, 0);
    bool fine = all_equal(x, p->from->n, value);
    free(x);
    return fine ? RV_OK : refuse(p, reason);
}

static const hdf5_shape *shape_of(const exporting *e, const population_def *p) { return &e->shape[p - def_of(e)->population]; }

static rv_status put(const neurons *p, nir_group *group, const char *name, const double *x)
{
    return nir_set(group, name, HDF5_F64, shape_of(p->e, p->from), x, p->e->error);
}

/* State at the start and steps of the refractory period, in the metadata where NIR has no place for them. */
static rv_status put_start(const neurons *p, const double *V_m, const double *rest, const double *refractory, const double *t_ref)
{
    int64_t n = p->from->n;
    double *seconds = calloc((size_t)n + 1, sizeof *seconds);
    bool    moved = false, held = false;
    if (!seconds) return error_memory(p->e->error, p->from->name, (double)n * 8);
    for (int64_t i = 0; i < n; i++) seconds[i] = t_ref ? 1e-3 * p->e->h * rint(t_ref[i] / p->e->h) : 0, moved |= V_m[i] != rest[i], held |= refractory[i] != 0;
    bool      rests = !all_equal(seconds, n, 0), refused = rests && !(p->e->options && p->e->options->refractory);
    rv_status status = refused ? refuse(p, "NIR's neurons have no refractory period; set t_ref = 0, or have it put into the metadata, which no other tool reads") : RV_OK;
    if (status == RV_OK && rests) status = put(p, &p->node->metadata, "t_ref", seconds);
    if (status == RV_OK && moved) status = put(p, &p->node->metadata, "V_m", V_m);
    if (status == RV_OK && held) status = put(p, &p->node->metadata, "refractory", refractory);
    free(seconds);
    return status;
}

static rv_status put_conventions(const neurons *p, int discretisation, int reset)
{
    TRY(nir_set_text(&p->node->metadata, "discretisation", nir_discretisation_words[discretisation], p->e->error));
    return nir_set_text(&p->node->metadata, "reset", nir_reset_words[reset], p->e->error);
}

/* ---- iaf_psc_delta and iaf_psc_exp -------------------------------------------------------------------------------- */

enum { TAU_M, C_M, E_L, V_TH, V_RESET, T_REF, I_E, V_M, REFRACTORY, N_MEMBRANE };
static const char *const membrane_names[N_MEMBRANE] = { "tau_m", "C_m", "E_L", "V_th", "V_reset", "t_ref", "I_e", "V_m", "refractory" };

/* What both have in common; x is in the end what goes into the file: C_m the resistance, scaled to a gain of 1 where
 * spikes move V_m itself. @param synapse whether they move a current */
static rv_status put_membrane(const neurons *p, double **x, bool synapse)
{
    nir_group *fields = &p->node->fields;
    double     h = p->e->h;
    for (int64_t i = 0; i < p->from->n; i++) {
        x[E_L][i] += x[TAU_M][i] / x[C_M][i] * x[I_E][i]; /* a constant current moves the potential of rest */
        x[V_TH][i] = nextafter(x[V_TH][i], -INFINITY);    /* V_m >= V_th is V_m > this */
        x[C_M][i] = synapse ? x[TAU_M][i] / x[C_M][i] : x[TAU_M][i] / h;
        x[TAU_M][i] *= 1e-3;
    }
    TRY(put(p, fields, synapse ? "tau_mem" : "tau", x[TAU_M]));
    TRY(put(p, fields, "r", x[C_M]));
    TRY(put(p, fields, "v_leak", x[E_L]));
    TRY(put(p, fields, "v_threshold", x[V_TH]));
    TRY(put(p, fields, "v_reset", x[V_RESET]));
    TRY(put_conventions(p, NIR_IMPULSE, NIR_TO_VALUE));
    return put_start(p, x[V_M], x[E_L], x[REFRACTORY], x[T_REF]);
}

static rv_status take_membrane(const neurons *p, bool synapse)
{
    double *x[N_MEMBRANE];
    bool    memory = true;
    for (int k = 0; k < N_MEMBRANE; k++) memory &= (x[k] = values_of(p, membrane_names[k])) != NULL;
    rv_status status = memory ? put_membrane(p, x, synapse) : error_memory(p->e->error, p->from->name, (double)p->from->n * 8);
    for (int k = 0; k < N_MEMBRANE; k++) free(x[k]);
    return status;
}

static rv_status take_delta(const neurons *p)
{
    TRY(demand(p, "V_min", -INFINITY, "NIR's neurons have no lower bound V_min; leave it at -inf"));
    TRY(demand(p, "kept_input", 0, "NIR holds no state; start with kept_input = 0"));
    return take_membrane(p, false);
}

static rv_status put_synapse(const neurons *p, double *ex, const double *in)
{
    if (memcmp(ex, in, (size_t)p->from->n * sizeof *ex) != 0) return refuse(p, "NIR's CubaLIF has one synaptic time constant; make tau_syn_ex and tau_syn_in equal");
    for (int64_t i = 0; i < p->from->n; i++) ex[i] *= 1e-3;
    TRY(put(p, &p->node->fields, "tau_syn", ex));
    for (int64_t i = 0; i < p->from->n; i++) ex[i] /= 1e-3 * p->e->h;
    return put(p, &p->node->fields, "w_in", ex);
}

static rv_status take_exp(const neurons *p)
{
    TRY(demand(p, "I_syn_ex", 0, "NIR holds no state; start with I_syn_ex = 0"));
    TRY(demand(p, "I_syn_in", 0, "NIR holds no state; start with I_syn_in = 0"));
    double   *ex = values_of(p, "tau_syn_ex"), *in = values_of(p, "tau_syn_in");
    rv_status status = ex && in ? put_synapse(p, ex, in) : error_memory(p->e->error, p->from->name, (double)p->from->n * 8);
    free(ex), free(in);
    return status == RV_OK ? take_membrane(p, true) : status;
}

/* ---- nir_lif ------------------------------------------------------------------------------------------------------ */

enum { TAU_MEM, TAU_SYN, R, V_LEAK, V_THRESHOLD, V_AFTER, W_IN, CONSTANT, DISCRETISATION, RESET, V_START, HELD, N_STEPS };
static const char *const steps_names[N_STEPS] = { "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in", "I_e", "discretisation", "reset", "V_m", "refractory" };

/* 1 if all are, 0 if none is, -1: mixed. */
static int how_many(const double *x, int64_t n, bool (*is)(double x))
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += is(x[i]);
    return count == n ? 1 : count == 0 ? 0 : -1;
}

static bool is_positive(double x) { return x > 0; }
static bool is_finite(double x) { return isfinite(x); }

static rv_status find_kind(const neurons *p, double **x, nir_kind *kind)
{
    int64_t n = p->from->n;
    int     leak = how_many(x[TAU_MEM], n, is_positive), synapse = how_many(x[TAU_SYN], n, is_positive), spikes = how_many(x[V_THRESHOLD], n, is_finite);
    if (leak < 0 || synapse < 0 || spikes < 0) return refuse(p, "neurons of a node are of one type; those with and without leak, synapse or threshold need populations of their own");
    if (!all_equal(x[DISCRETISATION], n, x[DISCRETISATION][0]) || !all_equal(x[RESET], n, x[RESET][0])) return refuse(p, "its neurons differ in discretisation or reset");
    if (synapse && !leak) return refuse(p, "NIR has no neuron with a synaptic current and without leak; a long tau_mem comes nearest");
    *kind = synapse ? (spikes ? NIR_CUBALIF : NIR_CUBALI) : leak ? (spikes ? NIR_LIF : NIR_LI) : spikes ? NIR_IF : NIR_I;
    return RV_OK;
}

/* Constant input moves the potential of rest, or is left for an Affine. */
static rv_status put_constant(const neurons *p, double **x)
{
    bool rest = p->node->kind == NIR_LIF || p->node->kind == NIR_LI;
    for (int64_t i = 0; i < p->from->n && rest; i++) x[V_LEAK][i] += x[R][i] * x[CONSTANT][i];
    if (rest || all_equal(x[CONSTANT], p->from->n, 0)) return RV_OK;
    p->e->bias[p->from - def_of(p->e)->population] = x[CONSTANT];
    x[CONSTANT] = NULL;
    return RV_OK;
}

static rv_status put_steps(const neurons *p, double **x)
{
    nir_kind   kind = p->node->kind;
    nir_group *fields = &p->node->fields;
    bool       leak = kind != NIR_IF && kind != NIR_I, synapse = kind == NIR_CUBALIF || kind == NIR_CUBALI, spikes = nir_spikes(kind);
    for (int64_t i = 0; i < p->from->n; i++) x[TAU_MEM][i] *= 1e-3, x[TAU_SYN][i] *= 1e-3, x[R][i] *= synapse ? 1 : x[W_IN][i];
    TRY(put_constant(p, x));
    TRY(put(p, fields, "r", x[R]));
    if (leak) TRY(put(p, fields, synapse ? "tau_mem" : "tau", x[TAU_MEM]));
    if (leak) TRY(put(p, fields, "v_leak", x[V_LEAK]));
    if (synapse) TRY(put(p, fields, "tau_syn", x[TAU_SYN]));
    if (synapse) TRY(put(p, fields, "w_in", x[W_IN]));
    if (spikes) TRY(put(p, fields, "v_threshold", x[V_THRESHOLD]));
    if (spikes) TRY(put(p, fields, "v_reset", x[V_AFTER]));
    TRY(put_conventions(p, (int)x[DISCRETISATION][0], (int)x[RESET][0]));
    if (!leak) memset(x[V_LEAK], 0, (size_t)p->from->n * sizeof **x); /* where IF and I start */
    return put_start(p, x[V_START], x[V_LEAK], x[HELD], NULL);
}

static rv_status take_steps(const neurons *p)
{
    double *x[N_STEPS];
    bool    memory = true;
    TRY(demand(p, "I_syn", 0, "NIR holds no state; start with I_syn = 0"));
    for (int k = 0; k < N_STEPS; k++) memory &= (x[k] = values_of(p, steps_names[k])) != NULL;
    rv_status status = memory ? find_kind(p, x, &p->node->kind) : error_memory(p->e->error, p->from->name, (double)p->from->n * 8);
    if (status == RV_OK) status = put_steps(p, x);
    for (int k = 0; k < N_STEPS; k++) free(x[k]);
    return status;
}

/* ---- populations -------------------------------------------------------------------------------------------------- */

typedef struct counterpart {
    const char *model;
    nir_kind    kind;
    rv_status (*take)(const neurons *p);
} counterpart;

static const counterpart counterparts[] = { { "iaf_psc_delta", NIR_LIF, take_delta }, { "iaf_psc_exp", NIR_CUBALIF, take_exp }, { "nir_lif", NIR_LIF, take_steps } };

/* The numbers of a shape as the field of an Input or Output. */
static rv_status put_shape(const exporting *e, nir_node *node, const hdf5_shape *shape)
{
    hdf5_shape axes = nir_vector_shape(shape->rank);
    return nir_set(&node->fields, "shape", HDF5_I64, &axes, shape->n, e->error);
}

static rv_status add_input(exporting *e, const char *name, const hdf5_shape *shape)
{
    nir_node *node;
    TRY(nir_add(e->graph, name, NIR_INPUT, &node, e->error));
    return put_shape(e, node, shape);
}

static rv_status add_population(exporting *e, const population_def *from)
{
    neurons p = { e, from, NULL };
    if (from->model->emit) return add_input(e, from->name, shape_of(e, from));
    for (size_t k = 0; k < sizeof counterparts / sizeof *counterparts; k++)
        if (strcmp(counterparts[k].model, from->model->table.name) == 0) {
            TRY(nir_add(e->graph, from->name, counterparts[k].kind, &p.node, e->error));
            return counterparts[k].take(&p);
        }
    return refuse(&p, strcmp(from->model->table.name, "iaf_psc_alpha") == 0 ? "NIR has no alpha-shaped currents; iaf_psc_exp (CubaLIF) comes nearest"
                                                                          : "NIR has no such neuron; iaf_psc_delta (LIF), iaf_psc_exp (CubaLIF) and nir_lif have a counterpart");
}

/* ---- projections -------------------------------------------------------------------------------------------------- */

/* The synapses of a projection, and the delays that occur, in steps. */
typedef struct synapses {
    int64_t *source, *target, n;
    double  *weight, *delay;
    int64_t *steps; /* [n_steps] ascending */
    int      n_steps;
} synapses;

static rv_status check_projection(exporting *e, const projection_def *p, const char *label)
{
    const char *reason = p->plasticity ? "NIR holds no learning; set its weights and leave the rule out" : p->synapse ? "NIR's weights are real numbers; leave the kind of synapse out" : NULL;
    return reason ? error_set(e->error, RV_CONFLICT, "%s to NIR: %s", label, reason) : RV_OK;
}

static rv_status note_delay(exporting *e, synapses *s, int64_t steps, const char *label)
{
    int most = e->options && e->options->most_delays ? e->options->most_delays : MOST_DELAYS, k = 0;
    while (k < s->n_steps && s->steps[k] < steps) k++;
    if (k < s->n_steps && s->steps[k] == steps) return RV_OK;
    if (s->n_steps == most)
        return error_set(e->error, RV_CONFLICT, "%s to NIR: it has more than %d different delays, and each takes a dense matrix of its own; make them equal, or round them to fewer", label, most);
    int64_t *grown = realloc(s->steps, (size_t)(s->n_steps + 1) * sizeof *grown);
    if (!grown) return error_memory(e->error, "delays", 0);
    s->steps = grown;
    memmove(grown + k + 1, grown + k, (size_t)(s->n_steps++ - k) * sizeof *grown);
    grown[k] = steps;
    return RV_OK;
}

static rv_status load_synapses(exporting *e, int projection, const char *label, synapses *s)
{
    rv_projection handle = { projection + 1 };
    TRY(pass_error(e, rv_synapse_count(e->net, handle, &s->n)));
    size_t bytes = ((size_t)s->n + 1) * sizeof(double);
    s->source = malloc(bytes), s->target = malloc(bytes), s->weight = malloc(bytes), s->delay = malloc(bytes);
    if (!s->source || !s->target || !s->weight || !s->delay) return error_memory(e->error, "synapses", (double)bytes * 4);
    TRY(pass_error(e, rv_synapses(e->net, handle, s->source, s->target, s->weight, s->delay)));
    for (int64_t k = 0; k < s->n; k++) TRY(note_delay(e, s, (int64_t)rint(s->delay[k] / e->h), label));
    return RV_OK;
}

/* A name with a number behind it if it is taken. */
static void free_name(const nir_graph *graph, const char *wanted, char name[NIR_PATH])
{
    snprintf(name, NIR_PATH, "%.180s", wanted);
    for (int k = 2; nir_find(graph, name); k++) snprintf(name, NIR_PATH, "%.180s_%d", wanted, k);
}

/* from -> Delay -> to */
static rv_status add_delay(exporting *e, const char *from, const char *to, const hdf5_shape *shape, int64_t steps, const char *wanted)
{
    int64_t   n = shape->count;
    char      name[NIR_PATH];
    nir_node *node;
    double   *delay = malloc(((size_t)n + 1) * sizeof *delay);
    if (!delay) return error_memory(e->error, "delays", (double)n * sizeof *delay);
    for (int64_t i = 0; i < n; i++) delay[i] = (double)steps * e->h * 1e-3;
    free_name(e->graph, wanted, name);
    rv_status status = nir_add(e->graph, name, NIR_DELAY, &node, e->error);
    if (status == RV_OK) status = nir_set(&node->fields, "delay", HDF5_F64, shape, delay, e->error);
    if (status == RV_OK) status = nir_connect(e->graph, from, name, e->error);
    if (status == RV_OK) status = nir_connect(e->graph, name, to, e->error);
    free(delay);
    return status;
}

/* float32 where that loses nothing, as is so for weights of the engine unless several synapses of a pair are added up. */
static rv_status put_weights(exporting *e, nir_node *node, const double *w, hdf5_shape shape)
{
    bool exact = true;
    for (int64_t k = 0; k < shape.count && exact; k++) exact = (double)(float)w[k] == w[k];
    float *narrow = exact ? malloc((size_t)shape.count * sizeof *narrow + 1) : NULL;
    if (!narrow) return nir_set(&node->fields, "weight", HDF5_F64, &shape, w, e->error);
    for (int64_t k = 0; k < shape.count; k++) narrow[k] = (float)w[k];
    rv_status status = nir_set(&node->fields, "weight", HDF5_F32, &shape, narrow, e->error);
    free(narrow);
    return status;
}

/* What a matrix takes from a population with a shape is put in a row: -> Flatten -> to. @param from the node's name; becomes that of the Flatten */
static rv_status add_flatten(exporting *e, const population_def *p, const char *to, char from[NIR_PATH])
{
    nir_node  *node;
    char       wanted[2 * NIR_PATH];
    hdf5_shape single = { .count = 1 };
    int64_t    first = 0, last = -1;
    snprintf(from, NIR_PATH, "%s", to);
    if (shape_of(e, p)->rank == 1) return RV_OK;
    snprintf(wanted, sizeof wanted, "%.180s.flatten", to);
    free_name(e->graph, wanted, from);
    TRY(nir_add(e->graph, from, NIR_FLATTEN, &node, e->error));
    TRY(nir_set(&node->fields, "start_dim", HDF5_I64, &single, &first, e->error));
    TRY(nir_set(&node->fields, "end_dim", HDF5_I64, &single, &last, e->error));
    return nir_connect(e->graph, from, to, e->error);
}

/* The synapses of one delay as a matrix (targets, sources). The first into a population brings its constant input along. */
static rv_status add_matrix(exporting *e, const projection_def *p, const synapses *s, int64_t steps)
{
    const population_def *from = &def_of(e)->population[p->source.population], *to = &def_of(e)->population[p->target.population];
    char      name[NIR_PATH], row[NIR_PATH], wanted[2 * NIR_PATH];
    nir_node *node;
    double  **bias = &e->bias[p->target.population], bytes = (double)from->n * (double)to->n * sizeof(double);
    if (bytes > memory_available() / 3)
        return error_set(e->error, RV_OUT_OF_MEMORY, "\"%.60s\" to \"%.60s\": NIR has no sparse matrices, and a dense one of %lld by %lld takes %.1f GB", from->name, to->name,
                         (long long)to->n, (long long)from->n, bytes * 1e-9);
    double *w = calloc((size_t)from->n * (size_t)to->n, sizeof *w);
    if (!w) return error_memory(e->error, "a matrix", bytes);
    for (int64_t k = 0; k < s->n; k++)
        if ((int64_t)rint(s->delay[k] / e->h) == steps) w[s->target[k] * from->n + s->source[k]] += s->weight[k];
    snprintf(wanted, sizeof wanted, "%.80s_to_%.80s", from->name, to->name);
    free_name(e->graph, wanted, name);
    rv_status status = nir_add(e->graph, name, *bias ? NIR_AFFINE : NIR_LINEAR, &node, e->error);
    if (status == RV_OK) status = put_weights(e, node, w, nir_matrix_shape(to->n, from->n));
    if (status == RV_OK && *bias) status = nir_set_vector(&node->fields, "bias", *bias, to->n, e->error);
    if (status == RV_OK) status = nir_connect(e->graph, name, to->name, e->error);
    snprintf(wanted, sizeof wanted, "%.180s.delay", name);
    if (status == RV_OK) status = add_flatten(e, from, name, row);
    if (status == RV_OK) status = add_delay(e, from->name, row, shape_of(e, from), steps, wanted);
    free(w), free(*bias);
    *bias = NULL, e->heard[p->target.population] = true;
    return status;
}

/* ---- convolutions ------------------------------------------------------------------------------------------------- */

static rv_status put_pair(exporting *e, nir_node *node, const char *name, const int64_t pair[2])
{
    hdf5_shape two = nir_vector_shape(2);
    return nir_set(&node->fields, name, HDF5_I64, &two, pair, e->error);
}

static rv_status put_conv2d(exporting *e, nir_node *node, const projection_def *p)
{
    const rv_convolution *g = &p->convolution;
    hdf5_shape            kernel = { .rank = 4, .n = { g->kernel[0], g->kernel[1], g->kernel[2], g->kernel[3] } }, single = { .count = 1 };
    double              **given = &e->bias[p->target.population];
    kernel.count = g->kernel[0] * g->kernel[1] * g->kernel[2] * g->kernel[3];
    double *w = malloc((size_t)kernel.count * sizeof *w), *bias = calloc((size_t)g->kernel[0], sizeof *bias);
    for (int64_t k = 0; w && k < kernel.count; k++) w[k] = p->weight.kind == RV_LIST ? (double)(float)p->weight.list[k] : p->weight.a;
    for (int64_t k = 0; bias && *given && k < g->kernel[0]; k++) bias[k] = (*given)[k * (p->target.count / g->kernel[0])];
    rv_status status = w && bias ? put_weights(e, node, w, kernel) : error_memory(e->error, "a kernel", (double)kernel.count * 8);
    if (status == RV_OK) status = nir_set_vector(&node->fields, "bias", bias, g->kernel[0], e->error);
    free(w), free(bias), free(*given);
    *given = NULL;
    TRY(status);
    TRY(put_pair(e, node, "input_shape", g->shape + 1));
    TRY(put_pair(e, node, "stride", g->stride));
    TRY(put_pair(e, node, "padding", g->padding));
    TRY(put_pair(e, node, "dilation", g->dilation));
    return nir_set(&node->fields, "groups", HDF5_I64, &single, &g->groups, e->error);
}

/* from -> Delay -> Conv2d -> to */
static rv_status add_conv2d(exporting *e, const projection_def *p)
{
    const population_def *from = &def_of(e)->population[p->source.population], *to = &def_of(e)->population[p->target.population];
    char      name[NIR_PATH], wanted[2 * NIR_PATH];
    nir_node *node;
    snprintf(wanted, sizeof wanted, "%.80s_to_%.80s", from->name, to->name);
    free_name(e->graph, wanted, name);
    TRY(nir_add(e->graph, name, NIR_CONV2D, &node, e->error));
    TRY(put_conv2d(e, node, p));
    TRY(nir_connect(e->graph, name, to->name, e->error));
    e->heard[p->target.population] = true;
    snprintf(wanted, sizeof wanted, "%.180s.delay", name);
    return add_delay(e, from->name, name, shape_of(e, from), (int64_t)rint(value_bounded(&p->delay, p->delay.a) / e->h), wanted);
}

/* ---- each projection ---------------------------------------------------------------------------------------------- */

static rv_status add_projection(exporting *e, int k)
{
    const projection_def *p = &def_of(e)->projection[k];
    char                  text[OBJECT_TEXT];
    const char           *label = definition_projection_label(def_of(e), p, text);
    synapses              s = { 0 };
    TRY(check_projection(e, p, label));
    if (nir_shapes_fit(def_of(e), p, e->shape)) return add_conv2d(e, p);
    rv_status status = load_synapses(e, k, label, &s);
    for (int d = 0; d < s.n_steps && status == RV_OK; d++) status = add_matrix(e, p, &s, s.steps[d]);
    free(s.source), free(s.target), free(s.weight), free(s.delay), free(s.steps);
    return status;
}

/* ---- ends --------------------------------------------------------------------------------------------------------- */

/* NIR's library would put an Input before neurons that nothing reaches; a silent one behind a delay of a step keeps their time. */
static rv_status add_silence(exporting *e, int k)
{
    const population_def *p = &def_of(e)->population[k];
    char                  wanted[NIR_PATH], name[NIR_PATH];
    if (p->model->emit || e->heard[k]) return RV_OK;
    if (e->bias[k])
        return error_set(e->error, RV_CONFLICT, "population \"%s\" (%s) to NIR: I_e is the bias of an Affine there, and no projection leads to it; give it one", p->name, p->model->table.name);
    snprintf(wanted, sizeof wanted, "input_%.180s", p->name);
    free_name(e->graph, wanted, name);
    TRY(add_input(e, name, shape_of(e, p)));
    snprintf(wanted, sizeof wanted, "%.180s.delay", name);
    return add_delay(e, name, p->name, shape_of(e, p), 1, wanted);
}

static rv_status add_output(exporting *e, const population_def *p)
{
    char       wanted[NIR_PATH], name[NIR_PATH];
    nir_node  *node;
    snprintf(wanted, sizeof wanted, "output_%.180s", p->name);
    free_name(e->graph, wanted, name);
    TRY(nir_add(e->graph, name, NIR_OUTPUT, &node, e->error));
    TRY(put_shape(e, node, shape_of(e, p)));
    return nir_connect(e->graph, p->name, name, e->error);
}

static rv_status add_outputs(exporting *e)
{
    const definition *d = def_of(e);
    bool              any = false;
    for (int k = 0; k < d->n_populations; k++) any |= !d->population[k].model->emit && rv_spikes_recorded(e->net, (rv_population){ k + 1 });
    for (int k = 0; k < d->n_populations; k++) {
        bool chosen = !any || rv_spikes_recorded(e->net, (rv_population){ k + 1 });
        if (!d->population[k].model->emit && chosen) TRY(add_output(e, &d->population[k]));
    }
    return RV_OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------------- */

static rv_status check_net(exporting *e)
{
    const definition *d = def_of(e);
    if (d->timing == RV_EXACT) return error_set(e->error, RV_CONFLICT, "a network in exact timing to NIR: its tools work in steps; use timing = \"grid\"");
    if (d->n_inputs > 0)
        return error_set(e->error, RV_CONFLICT, "population \"%s\" to NIR: NIR holds no inputs, and this has one of kind %s; record its spikes, or use a generator, which becomes an Input",
                         d->population[d->input[0].target.population].name, input_tables[d->input[0].kind].name);
    return pass_error(e, rv_compile(e->net));
}

static rv_status fill(exporting *e)
{
    const definition *d = def_of(e);
    nir_shapes_find(def_of(e), steps_names[CONSTANT], e->shape);
    TRY(nir_set_number(&e->graph->metadata, "dt", e->h * 1e-3, e->error));
    for (int k = 0; k < d->n_populations; k++) TRY(add_population(e, &d->population[k]));
    for (int k = 0; k < d->n_projections; k++) TRY(add_projection(e, k));
    for (int k = 0; k < d->n_populations; k++) TRY(add_silence(e, k));
    TRY(add_outputs(e));
    return nir_complete(e->graph, e->error);
}

rv_status nir_from_net(rv_net *net, const nir_from_options *options, nir_graph *graph, rv_error *error)
{
    size_t    n = (size_t)net->def.n_populations + 1;
    exporting e = { .net = net, .options = options, .graph = graph, .h = rv_resolution(net), .error = error, .bias = calloc(n, sizeof(double *)), .heard = calloc(n, sizeof(bool)), .shape = calloc(n, sizeof(hdf5_shape)) };
    *graph = (nir_graph){ 0 };
    rv_status status = e.bias && e.heard && e.shape ? check_net(&e) : error_memory(error, "a NIR graph", (double)n * 9);
    if (status == RV_OK) status = fill(&e);
    for (int k = 0; e.bias && k < net->def.n_populations; k++) free(e.bias[k]);
    free(e.bias), free(e.heard), free(e.shape);
    if (status != RV_OK) nir_free(graph);
    return status;
}
