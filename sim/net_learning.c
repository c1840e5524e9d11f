/* The public calls that read and set what rules keep beside the weights, and those that give rewards. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"
#include "sim/tables.h"
#include "sim/value.h"

/* ---- what there is ------------------------------------------------------------------------------------------------ */

enum { FIRST_TRACE = N_EPOCH_VARIABLES, N_NAMES = N_EPOCH_VARIABLES + N_EPOCH_TRACES, FIRST_Y = FIRST_TRACE + N_EPOCH_X, WHAT_TEXT = OBJECT_TEXT + 40 };
static const char *const names[N_NAMES] = { "w", "t", "d", "x1", "x2", "y1", "y2", "y3" };

/* One variable of one projection. */
typedef struct kept {
    rv_net *net;
    int     projection, bundle, variable;
    char    what[WHAT_TEXT]; /* projection "a" -> "b": t */
} kept;

static rv_status find_kept(rv_net *net, rv_projection projection, const char *variable, kept *k)
{
    char object[OBJECT_TEXT];
    *k = (kept){ .net = net, .projection = net_projection(net, projection) };
    if (k->projection < 0) return RV_UNKNOWN_NAME;
    const projection_def *p = &net->def.projection[k->projection];
    definition_projection_label(&net->def, p, object);
    if (!p->plasticity) return rv_fail(net, RV_CONFLICT, "%s: static synapses keep nothing that learns", object);
    if (!p->plasticity->epochs) return rv_fail(net, RV_CONFLICT, "%s: only rules that learn in epochs, like loihi_rule, keep tags and traces that can be set", object);
    while (k->variable < N_NAMES && strcmp(names[k->variable], variable) != 0) k->variable++;
    if (k->variable == N_NAMES) return error_unknown(&net->error, object, "variable of a learning rule", variable, names, N_NAMES);
    snprintf(k->what, sizeof k->what, "%s: %s", object, variable);
    TRY(rv_compile(net));
    k->bundle = network_bundle_of(net->net, k->projection);
    return RV_OK;
}

static int64_t size_of(const kept *k)
{
    const projection_def *p = &k->net->def.projection[k->projection];
    if (k->variable < FIRST_TRACE) return k->net->net->bundle[k->bundle].n_synapses;
    return k->net->def.population[k->variable < FIRST_Y ? p->source.population : p->target.population].n;
}

static epoch *epoch_of(const kept *k, int tile) { return &k->net->state->tile[tile].epoch[k->bundle]; }

/* ---- reading ------------------------------------------------------------------------------------------------------- */

static rv_status read_synapses(const kept *k, double *values)
{
    synapse_ref *list;
    int64_t      n;
    TRY(network_list_synapses(k->net->net, k->projection, &list, &n, &k->net->error));
    for (int64_t i = 0; i < n; i++) {
        const double *variable = epoch_of(k, list[i].tile)->variable[k->variable];
        values[i] = variable ? variable[list[i].index] : 0;
    }
    free(list);
    return RV_OK;
}

/* Every tile that has synapses of the bundle keeps the traces of all sources. */
static void read_sources(const kept *k, double *values)
{
    const bundle *b = &k->net->net->bundle[k->bundle];
    int           t = 0;
    while (t < k->net->net->n_tiles - 1 && b->rows[t].n_synapses == 0) t++;
    memcpy(values, epoch_of(k, t)->x[k->variable - FIRST_TRACE], (size_t)size_of(k) * sizeof *values);
}

static double *target_trace_of(const kept *k, int64_t neuron)
{
    int population = k->net->def.projection[k->projection].target.population, local;
    int t = network_locate(k->net->net, population, neuron, &local);
    return &epoch_of(k, t)->y[k->variable - FIRST_Y][local - k->net->net->tile[t].part[population].base];
}

/* ---- reading states of rules that learn at spikes ------------------------------------------------------------------- */

int net_state_of_rule(rv_net *net, int projection, const char *variable)
{
    const projection_def *p = &net->def.projection[projection];
    const rv_table       *table = p->plasticity ? &p->plasticity->table : NULL;
    const char           *states[RV_MAX_STATES];
    char                  object[OBJECT_TEXT];
    int                   k = table ? table_state(table, variable) : -1;
    if (k >= 0) return k;
    definition_projection_label(&net->def, p, object);
    for (int v = 0; table && v < table->n_states; v++) states[v] = table->states[v].name;
    if (!table || table->n_states == 0)
        rv_fail(net, RV_CONFLICT, "%s: only rules that learn in epochs, like loihi_rule, and those with states, like tsodyks, keep anything like \"%.60s\"", object, variable);
    else error_unknown(&net->error, object, "state", variable, states, table->n_states);
    return -1;
}

rv_status net_learning_state(rv_net *net, int projection, int k, double *values)
{
    synapse_ref *list;
    int64_t      n;
    int          b = network_bundle_of(net->net, projection);
    const bundle *own = &net->net->bundle[b];
    net_catch_up(net, b);
    TRY(network_list_synapses(net->net, projection, &list, &n, &net->error));
    for (int64_t i = 0; i < n; i++) {
        plastic_synapse s = plastic_read(&net->state->tile[list[i].tile].learning[b], list[i].segment, list[i].index, (double)net->state->step);
        values[i] = own->rule->state(own->rule_constant, k, s.trace, s.own, s.reward);
    }
    free(list);
    return RV_OK;
}

static bool learns_at_spikes(const rv_net *net, int projection)
{
    return projection >= 0 && net->def.projection[projection].plasticity && !net->def.projection[projection].plasticity->epochs;
}

rv_status rv_get_learning(rv_net *net, rv_projection projection, const char *variable, double *values, int64_t *n)
{
    kept k;
    int  p = net_projection(net, projection);
    if (learns_at_spikes(net, p)) {
        int state = net_state_of_rule(net, p, variable);
        if (state < 0) return net->error.status;
        if (n) TRY(rv_synapse_count(net, projection, n));
        else TRY(rv_compile(net));
        return values ? net_learning_state(net, p, state, values) : RV_OK;
    }
    TRY(find_kept(net, projection, variable, &k));
    if (n) *n = size_of(&k);
    if (!values) return RV_OK;
    if (k.variable < FIRST_TRACE) return read_synapses(&k, values);
    if (k.variable < FIRST_Y) read_sources(&k, values);
    else
        for (int64_t i = 0; i < size_of(&k); i++) values[i] = *target_trace_of(&k, i);
    return RV_OK;
}

/* ---- setting ------------------------------------------------------------------------------------------------------- */

static rv_status check_values(const kept *k, const rv_value *value)
{
    const epoch_rule *rule = k->net->net->bundle[k->bundle].epoch;
    bool              trace = k->variable >= FIRST_TRACE;
    double            low = trace ? rule->arithmetic->lowest_trace : rule->low[k->variable], high = trace ? rule->arithmetic->highest_trace : rule->high[k->variable];
    if (value->kind != RV_NUMBER && value->kind != RV_LIST) return rv_fail(k->net, RV_WRONG_SHAPE, "%s takes a number or a list", k->what);
    if (value->kind == RV_LIST && value->n != size_of(k))
        return rv_fail(k->net, RV_WRONG_SHAPE, "%s: a list of %lld values, %lld are needed", k->what, (long long)value->n, (long long)size_of(k));
    TRY(value_check(value, low, high, k->what, "", &k->net->error));
    return rule->arithmetic->whole ? value_check_whole(value, k->what, &k->net->error) : RV_OK;
}

static double element(const rv_value *value, int64_t i) { return value->kind == RV_LIST ? value->list[i] : value->a; }

static rv_status set_synapses(const kept *k, const rv_value *value)
{
    synapse_ref *list;
    int64_t      n;
    if (!epoch_of(k, 0)->variable[k->variable]) return rv_fail(k->net, RV_CONFLICT, "%s: the rule does not know it: no product reads or changes it", k->what);
    TRY(network_list_synapses(k->net->net, k->projection, &list, &n, &k->net->error));
    for (int64_t i = 0; i < n; i++) epoch_of(k, list[i].tile)->variable[k->variable][list[i].index] = element(value, i);
    free(list);
    return RV_OK;
}

static void set_sources(const kept *k, const rv_value *value)
{
    for (int t = 0; t < k->net->net->n_tiles; t++)
        for (int64_t i = 0; i < size_of(k); i++) epoch_of(k, t)->x[k->variable - FIRST_TRACE][i] = element(value, i);
}

static void set_targets(const kept *k, const rv_value *value)
{
    for (int t = 0; t < k->net->net->n_tiles; t++) epoch_of(k, t)->delivered[k->variable - FIRST_Y] = true;
    for (int64_t i = 0; i < size_of(k); i++) *target_trace_of(k, i) = element(value, i);
}

rv_status rv_set_learning(rv_net *net, rv_projection projection, const char *variable, rv_value value)
{
    kept k;
    TRY(find_kept(net, projection, variable, &k));
    TRY(check_values(&k, &value));
    if (k.variable == EPOCH_W) return rv_set_weights(net, projection, value);
    if (k.variable < FIRST_TRACE) return set_synapses(&k, &value);
    if (k.variable < FIRST_Y) set_sources(&k, &value);
    else set_targets(&k, &value);
    return RV_OK;
}

/* ---- rewards ------------------------------------------------------------------------------------------------------- */

static rv_status check_rewarded(rv_net *net, int projection, char object[OBJECT_TEXT])
{
    if (projection < 0) return RV_UNKNOWN_NAME;
    const projection_def *p = &net->def.projection[projection];
    definition_projection_label(&net->def, p, object);
    if (p->plasticity && p->plasticity->reward_decay) return RV_OK;
    return rv_fail(net, RV_CONFLICT, "%s: %s%s%s, only rules like stdp_reward have a reward", object, p->plasticity ? "plasticity \"" : "no plasticity",
                   p->plasticity ? p->plasticity->table.name : "", p->plasticity ? "\"" : "");
}

rv_status rv_reward(rv_net *net, rv_projection projection, double amount)
{
    char object[OBJECT_TEXT];
    int  p = net_projection(net, projection);
    TRY(check_rewarded(net, p, object));
    if (!(fabs(amount) <= 1e9)) return rv_fail(net, RV_OUT_OF_RANGE, "%s: reward = %g, allowed -1e9 to 1e9", object, amount);
    TRY(rv_compile(net));
    int b = network_bundle_of(net->net, p);
    for (int t = 0; t < net->net->n_tiles; t++) plastic_reward(&net->state->tile[t].learning[b], (double)net->state->step, amount);
    return RV_OK;
}

rv_status rv_reward_from(rv_net *net, rv_projection projection, rv_population source, double delay_ms)
{
    char   object[OBJECT_TEXT], what[WHAT_TEXT];
    int    p = net_projection(net, projection), population = net_population(net, source);
    double steps = delay_ms / net->def.resolution;
    TRY(check_rewarded(net, p, object));
    if (population < 0) return rv_fail(net, RV_UNKNOWN_NAME, "%s: what rewards it is not a population of this network", object);
    if (net->net) return rv_fail(net, RV_CONFLICT, "%s: the network has begun to run; what rewards it must be said before", object);
    if (!(steps >= 1 - 1e-9 && steps <= 1e9)) return rv_fail(net, RV_OUT_OF_RANGE, "%s: delay of the reward = %g ms, allowed are %g ms (the resolution) and more", object, delay_ms, net->def.resolution);
    if (net->def.timing == RV_GRID) {
        int64_t whole;
        snprintf(what, sizeof what, "%s: delay of the reward", object);
        TRY(net_steps(net, delay_ms, what, 1, &whole));
        steps = (double)whole;
    }
    net->def.projection[p].rewarding = population + 1, net->def.projection[p].reward_delay = steps;
    return RV_OK;
}

rv_status epoch_replay(rv_net *net, rv_projection projection, const epoch_draws *draws, int64_t n)
{
    kept k;
    TRY(find_kept(net, projection, "w", &k));
    net->net->bundle[k.bundle].epoch->replay = draws;
    net->net->bundle[k.bundle].epoch->n_replay = n;
    return RV_OK;
}
