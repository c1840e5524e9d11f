/* Projections, inputs and probes in the script. Each object stands for one or several: net:connect(E, {E, I}, ...)
 * gives one object with two projections, whose lists follow each other; object[i] is one of them. */
#include "io/script_internal.h"

#include <math.h>

static int push_member(lua_State *L, const char *type)
{
    script_group *group = script_self(L, type);
    lua_Integer   i = lua_tointeger(L, 2);
    if (i < 1 || i > group->n) return lua_pushnil(L), 1;
    lua_getiuservalue(L, 1, 1);
    script_group *member = script_group_new(L, type, -1, 1);
    member->ids[0] = group->ids[i - 1];
    return 1;
}

static int push_group_name(lua_State *L, const char *type, const char *one, const char *many)
{
    script_group *group = script_self(L, type);
    if (group->n == 1) lua_pushstring(L, one);
    else lua_pushfstring(L, "%d %s", group->n, many);
    return 1;
}

/* ---- projections ---------------------------------------------------------------------------------------------- */

static rv_projection projection_at(const script_group *group, int i) { return (rv_projection){ group->ids[i] }; }

/* May compile the network, which may call functions of distance. */
static int64_t synapse_count(lua_State *L, script_group *group, int i)
{
    int64_t n = 0;
    luaL_checkstack(L, 32, NULL); /* for the functions */
    group->net->L = L;
    rv_status status = rv_synapse_count(group->net->net, projection_at(group, i), &n);
    script_rethrow(L, group->net);
    script_check(L, group->net, status);
    return n;
}

static int64_t total_synapses(lua_State *L, script_group *group)
{
    int64_t n = 0;
    for (int i = 0; i < group->n; i++) n += synapse_count(L, group, i);
    return n;
}

void script_compile(lua_State *L, script_group *group) { synapse_count(L, group, 0); }

static int projection_len(lua_State *L)
{
    lua_pushinteger(L, total_synapses(L, script_self(L, TYPE_PROJECTION)));
    return 1;
}

static int push_synapses(lua_State *L, bool delays)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    int64_t       n = total_synapses(L, group), first = 0;
    double       *x = lua_newuserdatauv(L, (n + 1) * sizeof *x, 0);
    for (int i = 0; i < group->n; first += synapse_count(L, group, i), i++)
        script_check(L, group->net,
                     rv_synapses(group->net->net, projection_at(group, i), NULL, NULL, delays ? NULL : x + first, delays ? x + first : NULL));
    script_push_list(L, x, n);
    return 1;
}
static int projection_weights(lua_State *L) { return push_synapses(L, false); }
static int projection_delays(lua_State *L) { return push_synapses(L, true); }

static void push_neurons(lua_State *L, const int64_t *neurons, int64_t n)
{
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_pushinteger(L, neurons[i] + 1);
        lua_rawseti(L, -2, i + 1);
    }
}

/* projection:synapses() -> sources, targets, weights, delays */
static int projection_synapses(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    int64_t       n = total_synapses(L, group), first = 0;
    int64_t      *sources = lua_newuserdatauv(L, (n + 1) * sizeof *sources, 0);
    int64_t      *targets = lua_newuserdatauv(L, (n + 1) * sizeof *targets, 0);
    double       *weights = lua_newuserdatauv(L, (n + 1) * sizeof *weights, 0);
    double       *delays = lua_newuserdatauv(L, (n + 1) * sizeof *delays, 0);
    for (int i = 0; i < group->n; first += synapse_count(L, group, i), i++)
        script_check(L, group->net,
                     rv_synapses(group->net->net, projection_at(group, i), sources + first, targets + first,
                                 weights + first, delays + first));
    push_neurons(L, sources, n);
    push_neurons(L, targets, n);
    script_push_list(L, weights, n);
    script_push_list(L, delays, n);
    return 4;
}

/* A list runs through all projections of the object. @param what "weights" or "delays" */
static int set_synapses(lua_State *L, const char *what, rv_status set(rv_net *, rv_projection, rv_value))
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    rv_value      value = script_value(L, NULL, 2, lua_pushfstring(L, "projection:set_%s: the %s", what, what));
    int64_t       n = total_synapses(L, group);
    if (value.kind == RV_LIST && value.n != n)
        script_fail(L, "projection:set_%s: the list has %lld %s for %lld synapses", what, (long long)value.n, what, (long long)n);
    for (int i = 0; i < group->n; i++) {
        int64_t  n_here = synapse_count(L, group, i);
        rv_value here = value;
        if (here.kind == RV_LIST) here.n = n_here, value.list += n_here;
        script_check(L, group->net, set(group->net->net, projection_at(group, i), here));
    }
    lua_settop(L, 1);
    return 1;
}

/* projection:set_weights(number | list | distribution), projection:set_delays(...) */
static int projection_set_weights(lua_State *L) { return set_synapses(L, "weights", rv_set_weights); }
static int projection_set_delays(lua_State *L) { return set_synapses(L, "delays", rv_set_delays); }

static int64_t learning_count(lua_State *L, script_group *group, int i, const char *variable)
{
    int64_t n = 0;
    synapse_count(L, group, i); /* compiles */
    script_check(L, group->net, rv_get_learning(group->net->net, projection_at(group, i), variable, NULL, &n));
    return n;
}

/* projection:get("t") -> what a rule of epochs keeps, of all projections of the object */
static int projection_get(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    const char   *variable = script_text(L, 2, "projection:get: the name");
    int64_t       n = 0, first = 0;
    for (int i = 0; i < group->n; i++) n += learning_count(L, group, i, variable);
    double *values = lua_newuserdatauv(L, (n + 1) * sizeof *values, 0);
    for (int i = 0; i < group->n; first += n, i++)
        script_check(L, group->net, rv_get_learning(group->net->net, projection_at(group, i), variable, values + first, &n));
    script_push_list(L, values, first);
    return 1;
}

/* projection:set("y2", number | list); a list is given to every projection of the object */
static int projection_set(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    lua_settop(L, 3);
    const char *variable = script_text(L, 2, "projection:set: the name");
    rv_value    value = script_value(L, NULL, 3, lua_pushfstring(L, "projection:set: %s", variable));
    for (int i = 0; i < group->n; i++) {
        learning_count(L, group, i, variable);
        script_check(L, group->net, rv_set_learning(group->net->net, projection_at(group, i), variable, value));
    }
    lua_settop(L, 1);
    return 1;
}

/* projection:reward(x): now, to all projections of the object */
static int projection_reward(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    double        amount = script_number(L, 2, "projection:reward: the reward");
    for (int i = 0; i < group->n; i++) {
        synapse_count(L, group, i); /* compiles */
        script_check(L, group->net, rv_reward(group->net->net, projection_at(group, i), amount));
    }
    lua_settop(L, 1);
    return 1;
}

/* projection:reward_from(population[, delay]) */
static int projection_reward_from(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    lua_settop(L, 3);
    int       n;
    rv_slice *slices = script_slices(L, group->net, 2, "projection:reward_from: the population", &n);
    double    delay = lua_isnil(L, 3) ? fmax(1, rv_resolution(group->net->net)) : script_number(L, 3, "projection:reward_from: the delay");
    if (n != 1 || slices[0].first != 0 || slices[0].stride != 1 || slices[0].count != rv_population_size(group->net->net, slices[0].population))
        script_fail(L, "projection:reward_from: one whole population is needed");
    for (int i = 0; i < group->n; i++) script_check(L, group->net, rv_reward_from(group->net->net, projection_at(group, i), slices[0].population, delay));
    lua_settop(L, 1);
    return 1;
}

static int projection_member(lua_State *L) { return push_member(L, TYPE_PROJECTION); }
static int projection_tostring(lua_State *L)
{
    return push_group_name(L, TYPE_PROJECTION, "projection", "projections");
}

static int projection_count(lua_State *L)
{
    lua_pushinteger(L, ((script_group *)script_self(L, TYPE_PROJECTION))->n);
    return 1;
}

static int push_end(lua_State *L, bool source)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    rv_net       *net = group->net->net;
    rv_population end = source ? rv_projection_source(net, projection_at(group, 0))
                               : rv_projection_target(net, projection_at(group, 0));
    script_push_slice(L, group->net, rv_all(end));
    return 1;
}
static int projection_source(lua_State *L) { return push_end(L, true); }
static int projection_target(lua_State *L) { return push_end(L, false); }

static int projection_rule(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    lua_pushstring(L, rv_projection_rule(group->net->net, projection_at(group, 0)));
    return 1;
}

static int projection_plasticity(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    lua_pushstring(L, rv_projection_plasticity(group->net->net, projection_at(group, 0)));
    return 1;
}

/* ---- inputs --------------------------------------------------------------------------------------------------- */

static int input_set(lua_State *L)
{
    script_group *group = script_self(L, TYPE_INPUT);
    lua_settop(L, 3);
    const char *name = script_text(L, 2, "input:set: the name");
    rv_value    value = script_value(L, NULL, 3, lua_pushfstring(L, "input:set: %s", name));
    for (int i = 0; i < group->n; i++)
        script_check(L, group->net, rv_input_set(group->net->net, (rv_input){ group->ids[i] }, name, value));
    lua_settop(L, 1);
    return 1;
}

static int input_member(lua_State *L) { return push_member(L, TYPE_INPUT); }
static int input_tostring(lua_State *L) { return push_group_name(L, TYPE_INPUT, "input", "inputs"); }

/* ---- probes --------------------------------------------------------------------------------------------------- */

static rv_probe_info describe(lua_State *L, script_group *group, int i)
{
    rv_probe_info info;
    script_check(L, group->net, rv_probe_describe(group->net->net, (rv_probe){ group->ids[i] }, &info));
    return info;
}

static int probe_times(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROBE);
    rv_probe_info info = describe(L, group, 0);
    double       *times = lua_newuserdatauv(L, (info.n_samples + 1) * sizeof *times, 0);
    script_check(L, group->net,
                 rv_probe_read(group->net->net, (rv_probe){ group->ids[0] }, 0, info.n_samples, times, NULL));
    script_push_list(L, times, info.n_samples);
    return 1;
}

/* Appends the columns of one probe to the list on top of the stack, reading a bounded piece at a time. */
static int64_t append_columns(lua_State *L, script_group *group, int i, int64_t column)
{
    rv_probe_info info = describe(L, group, i);
    int64_t       piece = info.n_columns > 0 ? 1 + (1 << 20) / info.n_columns : 1;
    double       *values = lua_newuserdatauv(L, piece * (info.n_columns + 1) * sizeof *values, 0);
    lua_insert(L, -2);
    for (int64_t c = 0; c < info.n_columns; c++) {
        lua_createtable(L, (int)fmin((double)info.n_samples, 1 << 26), 0);
        lua_rawseti(L, -2, column + c + 1);
    }
    for (int64_t first = 0; first < info.n_samples; first += piece) {
        int64_t n = first + piece <= info.n_samples ? piece : info.n_samples - first;
        script_check(L, group->net,
                     rv_probe_read(group->net->net, (rv_probe){ group->ids[i] }, first, n, NULL, values));
        for (int64_t c = 0; c < info.n_columns; c++) {
            lua_rawgeti(L, -1, column + c + 1);
            for (int64_t k = 0; k < n; k++) {
                lua_pushnumber(L, values[k * info.n_columns + c]);
                lua_rawseti(L, -2, first + k + 1);
            }
            lua_pop(L, 1);
        }
    }
    lua_remove(L, -2);
    return column + info.n_columns;
}

/* probe:values() -> one list per neuron or synapse; probe:values(i) -> the i-th of them */
static int probe_values(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROBE);
    lua_settop(L, 2);
    int64_t n = 0;
    lua_newtable(L);
    for (int i = 0; i < group->n; i++) n = append_columns(L, group, i, n);
    if (lua_isnil(L, 2)) return 1;
    lua_rawgeti(L, -1, script_integer(L, 2, "probe:values: the column", 1, n));
    return 1;
}

static int probe_member(lua_State *L) { return push_member(L, TYPE_PROBE); }
static int probe_tostring(lua_State *L) { return push_group_name(L, TYPE_PROBE, "probe", "probes"); }

static int probe_variable(lua_State *L)
{
    lua_pushstring(L, describe(L, script_self(L, TYPE_PROBE), 0).variable);
    return 1;
}

static int probe_unit(lua_State *L)
{
    lua_pushstring(L, describe(L, script_self(L, TYPE_PROBE), 0).unit);
    return 1;
}

static int probe_interval(lua_State *L)
{
    lua_pushnumber(L, describe(L, script_self(L, TYPE_PROBE), 0).interval_ms);
    return 1;
}

/* ---- module --------------------------------------------------------------------------------------------------- */

void script_open_groups(lua_State *L)
{
    static const luaL_Reg projection_methods[] = {
        { "__len", projection_len },
        { "__tostring", projection_tostring },
        { "weights", projection_weights },
        { "synapses", projection_synapses },
        { "set_weights", projection_set_weights },
        { "delays", projection_delays },
        { "set_delays", projection_set_delays },
        { "normalise", projection_normalise },
        { "scale", projection_scale },
        { "rewire", projection_rewire },
        { "rewired", projection_rewired },
        { "learn_delays", projection_learn_delays },
        { "get", projection_get },
        { "set", projection_set },
        { "reward", projection_reward },
        { "reward_from", projection_reward_from },
        { NULL, NULL },
    };
    static const luaL_Reg projection_fields[] = {
        { "[]", projection_member },
        { "count", projection_count },
        { "source", projection_source },
        { "target", projection_target },
        { "rule", projection_rule },
        { "plasticity", projection_plasticity },
        { NULL, NULL },
    };
    static const luaL_Reg input_methods[] = { { "__tostring", input_tostring }, { "set", input_set }, { NULL, NULL } };
    static const luaL_Reg input_fields[] = { { "[]", input_member }, { NULL, NULL } };
    static const luaL_Reg probe_methods[] = {
        { "__tostring", probe_tostring },
        { "values", probe_values },
        { "times", probe_times },
        { NULL, NULL },
    };
    static const luaL_Reg probe_fields[] = {
        { "[]", probe_member }, { "variable", probe_variable }, { "unit", probe_unit }, { "interval", probe_interval },
        { NULL, NULL },
    };
    script_type(L, TYPE_PROJECTION, projection_methods, projection_fields);
    script_type(L, TYPE_INPUT, input_methods, input_fields);
    script_type(L, TYPE_PROBE, probe_methods, probe_fields);
}
