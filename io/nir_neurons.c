#include "io/nir_neurons.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/nir_internal.h"
#include "sim/error.h"

const char *const nir_discretisation_words[N_NIR_DISCRETISATIONS] = { "euler", "exponential", "impulse" };
const char *const nir_reset_words[N_NIR_RESETS] = { "value", "subtract" };
const char *const nir_spikes_words[N_NIR_SPIKES] = { "step", "impulse" };

/* ---- conventions ------------------------------------------------------------------------------------------------ */

static rv_status choose(const char *name, const char *option, const nir_group *node, const nir_group *graph, const char *path, const char *const *words, int n, int *chosen,
                        rv_error *error)
{
    const char *said = option ? option : node && nir_group_get(node, name) ? nir_text(nir_group_get(node, name)) : nir_text(nir_group_get(graph, name));
    char        object[NIR_PATH + 20];
    for (*chosen = 0; said && *chosen < n && strcmp(said, words[*chosen]) != 0;) (*chosen)++;
    if (*chosen < n) return RV_OK;
    snprintf(object, sizeof object, "node \"%s\"", path);
    return error_unknown(error, object, name, said, words, n);
}

rv_status nir_conventions_of(const nir_build_options *options, const nir_group *node, const nir_group *graph, const char *path, nir_conventions *c, rv_error *error)
{
    const nir_build_options none = { 0 }, *o = options ? options : &none;
    TRY(choose("discretisation", o->discretisation, node, graph, path, nir_discretisation_words, N_NIR_DISCRETISATIONS, &c->discretisation, error));
    TRY(choose("reset", o->reset, node, graph, path, nir_reset_words, N_NIR_RESETS, &c->reset, error));
    return choose("spikes", o->spikes, node, graph, path, nir_spikes_words, N_NIR_SPIKES, &c->spikes, error);
}

/* ---- parameters ------------------------------------------------------------------------------------------------- */

/* A neuron in the terms of nir_lif: times in ms, 0 for those it has not. */
enum { TAU_MEM, TAU_SYN, R, V_LEAK, V_THRESHOLD, V_RESET, W_IN, INPUT, V_START, HELD, N_VALUES };
static const char *const value_names[N_VALUES] = { "tau_mem", "tau_syn", "r", "v_leak", "v_threshold", "v_reset", "w_in", "I_e", "V_m", "refractory" };

typedef struct reading {
    rv_net            *net;
    const nir_neurons *from;
    double            *value[N_VALUES]; /* [n] */
    double             weight;          /* of a spike of weight 1 in what a step's update takes as input */
    double             constant;        /* of a bias of 1                                                */
    rv_error          *error;
} reading;

static rv_status check_value(const reading *r, const char *field, int64_t i, double x, bool positive)
{
    if (isfinite(x) && fabs(x) <= 1e12 && (!positive || x > 0)) return RV_OK;
    return error_set(r->error, RV_OUT_OF_RANGE, "node \"%s\": %s of neuron %lld = %.10g, allowed %s", r->from->path, field, (long long)i, x,
                     positive ? "are times above 0" : "-1e12 to 1e12");
}

/* A field of the node, or what stands for it where it has none. @param scale from the file's unit */
static rv_status take(reading *r, int value, const char *field, double scale, double absent)
{
    const nir_value *v = nir_get(r->from->node, field);
    bool             time = value == TAU_MEM || value == TAU_SYN;
    for (int64_t i = 0; i < r->from->n; i++) {
        r->value[value][i] = v ? scale * nir_number(v, i) : absent;
        if (v) TRY(check_value(r, field, i, r->value[value][i], time));
    }
    return RV_OK;
}

/* Euler's method with a step longer than the time constant overshoots. */
static rv_status check_steps(const reading *r, const char *field, const double *tau)
{
    for (int64_t i = 0; r->from->how.discretisation == NIR_EULER && i < r->from->n; i++)
        if (tau[i] > 0 && tau[i] < r->from->how.h * (1 - 1e-9))
            return error_set(r->error, RV_CONFLICT,
                             "node \"%s\": %s of neuron %lld = %.10g ms is shorter than the step of %.10g ms, which Euler's method does not bear; take a shorter dt or "
                             "discretisation = \"exponential\"",
                             r->from->path, field, (long long)i, tau[i], r->from->how.h);
    return RV_OK;
}

/* The state at the beginning: at rest, unless the metadata say otherwise, and held until the clock of the population begins. */
static void take_start(reading *r)
{
    const nir_value *V_m = nir_group_get(&r->from->node->metadata, "V_m"), *held = nir_group_get(&r->from->node->metadata, "refractory");
    for (int64_t i = 0; i < r->from->n; i++) {
        double steps = held ? rint(nir_number(held, i)) : 0;
        r->value[V_START][i] = V_m && isfinite(nir_number(V_m, i)) ? nir_number(V_m, i) : r->value[V_LEAK][i];
        r->value[HELD][i] = r->from->level + (steps > 0 && steps < 1e8 ? steps : 0);
    }
}

/* A Threshold and an Output are neurons that forget within a step. */
static rv_status take_all(reading *r)
{
    nir_kind    kind = r->from->node->kind;
    bool        passing = kind == NIR_THRESHOLD || kind == NIR_OUTPUT, synapse = kind == NIR_CUBALI || kind == NIR_CUBALIF;
    double      forgetting = passing ? r->from->how.h : 0;
    const char *threshold = kind == NIR_THRESHOLD ? "threshold" : "v_threshold", *tau = synapse ? "tau_mem" : "tau";
    TRY(take(r, TAU_MEM, tau, 1e3, forgetting));
    TRY(take(r, TAU_SYN, "tau_syn", 1e3, 0));
    TRY(take(r, R, "r", 1, 1));
    TRY(take(r, V_LEAK, "v_leak", 1, 0));
    TRY(take(r, V_THRESHOLD, threshold, 1, INFINITY));
    TRY(take(r, V_RESET, "v_reset", 1, 0));
    TRY(take(r, W_IN, "w_in", 1, 1));
    TRY(check_steps(r, tau, r->value[TAU_MEM]));
    TRY(check_steps(r, "tau_syn", r->value[TAU_SYN]));
    bool leak = kind != NIR_I && kind != NIR_IF, impulse = r->from->how.spikes == NIR_AS_IMPULSE && kind != NIR_OUTPUT;
    r->weight = impulse && leak ? 1e3 / r->from->how.h : 1;
    r->constant = impulse && !leak ? 1e-3 * r->from->how.h : 1;
    for (int64_t i = 0; i < r->from->n; i++) r->value[INPUT][i] = r->from->bias ? r->constant * r->from->bias[i] : 0;
    take_start(r);
    return RV_OK;
}

/* ---- models ----------------------------------------------------------------------------------------------------- */

static rv_status pass_error(const reading *r, rv_status status) { return status == RV_OK ? RV_OK : error_set(r->error, status, "%s", rv_net_error(r->net)->text); }

/* One number if all are the same: such populations are swept faster. */
static rv_status set(const reading *r, rv_population p, const char *name, const double *values)
{
    bool same = true;
    for (int64_t i = 1; i < r->from->n && same; i++) same = values[i] == values[0];
    return pass_error(r, rv_set(r->net, p, name, same ? rv_number(values[0]) : rv_list(values, r->from->n)));
}

/* What stays of V_m in a step; and what a step moves it toward a current of 1. */
static double keeps(const nir_conventions *c, double tau) { return c->discretisation == NIR_EULER ? 1 - c->h / tau : exp(-c->h / tau); }
static double gains(const nir_conventions *c, double tau) { return c->discretisation == NIR_EXPONENTIAL ? -expm1(-c->h / tau) : c->h / tau; }

/* The time constant of a closed form that decays as the discretisation does. */
static double engine_tau(const nir_conventions *c, double tau) { return c->discretisation == NIR_EULER ? -c->h / log1p(-c->h / tau) : tau; }

static bool within(double x, double low, double high) { return x >= low && x <= high; }

/* Whether the engine's models allow these values; their ranges are narrower. */
static bool fits(const reading *r, bool synapse)
{
    const nir_conventions *c = &r->from->how;
    bool                   fits = c->reset == NIR_TO_VALUE && !(synapse && (c->discretisation != NIR_IMPULSE || r->from->bias));
    for (int64_t i = 0; i < r->from->n && fits; i++) {
        double tau = r->value[TAU_MEM][i];
        fits = keeps(c, tau) > 0 && within(engine_tau(c, tau), 1e-3, 1e5) && within(r->value[V_LEAK][i], -1e4, 1e4) && within(r->value[V_THRESHOLD][i], -9e3, 9e3) &&
               within(r->value[V_RESET][i], -1e4, r->value[V_THRESHOLD][i]) &&
               within(r->value[V_START][i], -1e4, r->from->level ? r->value[V_THRESHOLD][i] : 1e4) && /* else it would fire before it starts */
               within(fabs(r->value[R][i] * r->value[INPUT][i]), 0, 1e9);
        if (synapse) fits = fits && within(r->value[TAU_SYN][i], 1e-3, 1e5) && within(tau / r->value[R][i], 1e-3, 1e6);
    }
    return fits;
}

/* iaf_psc_delta and iaf_psc_exp share these. @param C_m [n] */
static rv_status set_membrane(reading *r, rv_population p, const double *C_m)
{
    const nir_value *t_ref = nir_group_get(&r->from->node->metadata, "t_ref");
    double          *v = r->value[V_THRESHOLD];
    for (int64_t i = 0; i < r->from->n; i++) v[i] = nextafter(v[i], INFINITY); /* V_m > v is V_m >= this */
    TRY(set(r, p, "C_m", C_m));
    TRY(set(r, p, "E_L", r->value[V_LEAK]));
    TRY(pass_error(r, rv_set(r->net, p, "V_reset", rv_number(-1e4)))); /* whatever the threshold was before */
    TRY(set(r, p, "V_th", v));
    TRY(set(r, p, "V_reset", r->value[V_RESET]));
    TRY(set(r, p, "V_m", r->value[V_START]));
    TRY(set(r, p, "refractory", r->value[HELD]));
    for (int64_t i = 0; i < r->from->n; i++) v[i] = t_ref ? 1e3 * nir_number(t_ref, i) : 0;
    return set(r, p, "t_ref", v);
}

/* V_m <- E_L + exp(-h / tau_m) (V_m - E_L) + (1 - exp(-h / tau_m)) r bias + gain r weight */
static rv_status make_delta(reading *r, rv_population p, double *gain)
{
    const nir_conventions *c = &r->from->how;
    for (int64_t i = 0; i < r->from->n; i++) {
        double tau = r->value[TAU_MEM][i], resistance = r->value[R][i];
        gain[i] = gains(c, tau) * resistance * r->weight;
        r->value[TAU_MEM][i] = engine_tau(c, tau);
        r->value[INPUT][i] *= resistance;
    }
    TRY(set(r, p, "tau_m", r->value[TAU_MEM]));
    TRY(set(r, p, "I_e", r->value[INPUT]));
    return set_membrane(r, p, r->value[TAU_MEM]);
}

/* tau_m / C_m = r; a spike adds w_in h / tau_syn to the current. */
static rv_status make_exp(reading *r, rv_population p, double *gain)
{
    for (int64_t i = 0; i < r->from->n; i++) {
        gain[i] = r->value[W_IN][i] * (r->from->how.h / r->value[TAU_SYN][i]) * r->weight;
        r->value[R][i] = r->value[TAU_MEM][i] / r->value[R][i];
    }
    TRY(set(r, p, "tau_m", r->value[TAU_MEM]));
    TRY(set(r, p, "tau_syn_ex", r->value[TAU_SYN]));
    TRY(set(r, p, "tau_syn_in", r->value[TAU_SYN]));
    return set_membrane(r, p, r->value[R]);
}

static rv_status make_steps(reading *r, rv_population p, double *gain)
{
    const nir_conventions *c = &r->from->how;
    bool                   passing = r->from->node->kind == NIR_OUTPUT || r->from->node->kind == NIR_THRESHOLD;
    if (nir_group_get(&r->from->node->metadata, "t_ref"))
        return error_set(r->error, RV_CONFLICT, "node \"%s\": a refractory period (metadata t_ref) goes with an LIF that is reset to a value, or a CubaLIF with impulses", r->from->path);
    for (int k = 0; k < N_VALUES; k++) TRY(set(r, p, value_names[k], r->value[k]));
    TRY(pass_error(r, rv_set(r->net, p, "discretisation", rv_number(passing ? NIR_EULER : c->discretisation))));
    TRY(pass_error(r, rv_set(r->net, p, "reset", rv_number(passing ? NIR_TO_VALUE : c->reset))));
    for (int64_t i = 0; i < r->from->n; i++) gain[i] = r->weight;
    return RV_OK;
}

static rv_status make(reading *r, const char *name, rv_population *population, double *gain)
{
    nir_kind    kind = r->from->node->kind;
    bool        delta = kind == NIR_LIF && fits(r, false), exponential = kind == NIR_CUBALIF && fits(r, true);
    const char *model = delta ? "iaf_psc_delta" : exponential ? "iaf_psc_exp" : "nir_lif";
    *population = rv_population_new(r->net, name, r->from->n, model);
    if (!population->id) return pass_error(r, rv_net_error(r->net)->status);
    return delta ? make_delta(r, *population, gain) : exponential ? make_exp(r, *population, gain) : make_steps(r, *population, gain);
}

rv_status nir_neurons_make(rv_net *net, const char *name, const nir_neurons *neurons, rv_population *population, double **gain, rv_error *error)
{
    reading r = { .net = net, .from = neurons, .error = error };
    size_t  bytes = ((size_t)neurons->n + 1) * sizeof(double);
    bool    memory = (*gain = malloc(bytes)) != NULL;
    for (int k = 0; k < N_VALUES; k++) memory &= (r.value[k] = malloc(bytes)) != NULL;
    rv_status status = memory ? take_all(&r) : error_memory(error, neurons->path, (double)bytes * N_VALUES);
    if (status == RV_OK) status = make(&r, name, population, *gain);
    for (int k = 0; k < N_VALUES; k++) free(r.value[k]);
    if (status != RV_OK) free(*gain), *gain = NULL;
    return status;
}
