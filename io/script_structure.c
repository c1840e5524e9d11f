/* Homeostasis and structural plasticity in the script: methods of projections. Each is given to every projection of the object. */
#include "io/script_internal.h"

#include <math.h>

static rv_projection projection_at(const script_group *group, int i) { return (rv_projection){ group->ids[i] }; }

/* The object, compiled, with its table of options in place 2. */
static script_group *begin(lua_State *L, const char *what, const char *const *keys, int n)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    lua_settop(L, 2);
    if (!lua_istable(L, 2)) script_fail(L, "%s: a table of options is needed, not %s", what, script_describe(L, 2));
    script_keys(L, 2, what, keys, n);
    script_compile(L, group);
    return group;
}

static double needed(lua_State *L, const char *what, const char *key)
{
    double x = option_number(L, 2, what, key, NAN);
    if (isnan(x)) script_fail(L, "%s: %s is needed", what, key);
    return x;
}

static int end(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

/* projection:normalise{ total =, interval = } */
int projection_normalise(lua_State *L)
{
    static const char *const keys[] = { "total", "interval" };
    const char              *what = "projection:normalise";
    script_group            *group = begin(L, what, keys, COUNT(keys));
    double                   total = needed(L, what, "total"), interval = option_number(L, 2, what, "interval", 0);
    for (int i = 0; i < group->n; i++) script_check(L, group->net, rv_normalise(group->net->net, projection_at(group, i), total, interval));
    return end(L);
}

/* projection:scale{ rate =, interval =, tau =, beta =, gamma = } */
int projection_scale(lua_State *L)
{
    static const char *const keys[] = { "rate", "interval", "tau", "beta", "gamma" };
    const char              *what = "projection:scale";
    script_group            *group = begin(L, what, keys, COUNT(keys));
    rv_scaling               how = { .interval_ms = needed(L, what, "interval"), .rate = needed(L, what, "rate"), .tau = option_number(L, 2, what, "tau", 1e4),
                                     .beta = needed(L, what, "beta"), .gamma = option_number(L, 2, what, "gamma", 0) };
    for (int i = 0; i < group->n; i++) script_check(L, group->net, rv_scale(group->net->net, projection_at(group, i), &how));
    return end(L);
}

static rv_value option_value(lua_State *L, const char *what, const char *key)
{
    const char *field = lua_pushfstring(L, "%s: %s", what, key);
    if (lua_getfield(L, 2, key) == LUA_TNIL) return (rv_value){ 0 };
    return script_value(L, NULL, -1, field); /* what it borrows stays on the stack */
}

/* projection:rewire{ prune_below =, indegree =, density =, weight =, delay =, interval = } */
int projection_rewire(lua_State *L)
{
    static const char *const keys[] = { "prune_below", "indegree", "density", "weight", "delay", "interval" };
    const char              *what = "projection:rewire";
    script_group            *group = begin(L, what, keys, COUNT(keys));
    rv_rewiring              how = { .interval_ms = option_number(L, 2, what, "interval", 0), .prune_below = option_number(L, 2, what, "prune_below", 0),
                                     .indegree = option_integer(L, 2, what, "indegree", 0), .density = option_number(L, 2, what, "density", 0) };
    how.weight = option_value(L, what, "weight"), how.delay = option_value(L, what, "delay");
    for (int i = 0; i < group->n; i++) script_check(L, group->net, rv_rewire(group->net->net, projection_at(group, i), &how));
    return end(L);
}

/* projection:rewired() -> synapses removed, synapses made, so far */
int projection_rewired(lua_State *L)
{
    script_group *group = script_self(L, TYPE_PROJECTION);
    int64_t       pruned = 0, grown = 0;
    for (int i = 0; i < group->n; i++) {
        int64_t gone, come;
        script_check(L, group->net, rv_rewired(group->net->net, projection_at(group, i), &gone, &come));
        pruned += gone, grown += come;
    }
    lua_pushinteger(L, pruned);
    lua_pushinteger(L, grown);
    return 2;
}

/* projection:learn_delays{ interval =, rate =, tau =, window =, delay_min =, delay_max = } */
int projection_learn_delays(lua_State *L)
{
    static const char *const keys[] = { "interval", "rate", "tau", "window", "delay_min", "delay_max" };
    const char              *what = "projection:learn_delays";
    script_group            *group = begin(L, what, keys, COUNT(keys));
    rv_delay_rule            rule = { .interval_ms = needed(L, what, "interval"), .rate = needed(L, what, "rate"), .tau = needed(L, what, "tau"),
                                      .window = option_number(L, 2, what, "window", 0), .delay_min = needed(L, what, "delay_min"),
                                      .delay_max = needed(L, what, "delay_max") };
    for (int i = 0; i < group->n; i++) script_check(L, group->net, rv_learn_delays(group->net->net, projection_at(group, i), &rule));
    return end(L);
}
