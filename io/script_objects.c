/* The script's objects: networks, slices of populations, groups of projections, inputs and probes.
 *
 * Every object but a network has its network as user value, so the collector frees a network after its objects. The
 * engine holds C pointers to callbacks; they live in the anchors of their network, found again through a weak table
 * in the registry, so that a callback that captures its own network does not keep it alive for ever. */
#include "io/script_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- types ---------------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The nearest of the names that are keys of the tables at the two indices; sorted, so that ties do not depend on
 * Lua's hash seed. */
static const char *nearest_key(lua_State *L, const char *name, int first, int second)
{
    const char *names[128];
    int         n = 0, tables[2] = { first, second };
    for (int i = 0; i < 2; i++) {
        for (lua_pushnil(L); lua_next(L, tables[i]); lua_pop(L, 1)) {
            const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "_";
            if (key[0] != '_' && key[0] != '[' && n < COUNT(names)) names[n++] = key;
        }
    }
    qsort(names, n, sizeof *names, compare_names);
    return rv_suggest(name, names, n);
}

static bool is_variable_of(lua_State *L, const char *name)
{
    const script_slice *s = luaL_testudata(L, 1, TYPE_POPULATION);
    rv_table            table;
    if (!s || !rv_table_find(RV_NEURONS, rv_population_model(s->net->net, s->slice.population), &table)) return false;
    for (int i = 0; i < table.n_params; i++)
        if (strcmp(table.params[i].name, name) == 0) return true;
    for (int i = 0; i < table.n_states; i++)
        if (strcmp(table.states[i].name, name) == 0) return true;
    return false;
}

static int unknown_field(lua_State *L)
{
    const char              *object = luaL_tolstring(L, 1, NULL), *key = script_describe(L, 2);
    if (lua_type(L, 2) != LUA_TSTRING) return script_fail(L, "%s has no field %s", object, key);
    key = lua_tostring(L, 2);
    if (is_variable_of(L, key))
        return script_fail(L, "%s: %s is read with :get(\"%s\") and changed with :set(\"%s\", value)", object, key, key,
                           key);
    const char *near = nearest_key(L, key, lua_upvalueindex(1), lua_upvalueindex(2));
    if (near) return script_fail(L, "%s has no method or field %s; did you mean %s?", object, key, near);
    return script_fail(L, "%s has no method or field %s", object, key);
}

/* upvalues: methods, fields */
static int index_object(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    if (lua_isinteger(L, 2)) lua_pushliteral(L, "[]");
    else lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) == LUA_TNIL) return unknown_field(L);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 1);
    return 1;
}

static int set_field(lua_State *L)
{
    const char *object = luaL_tolstring(L, 1, NULL), *key = luaL_tolstring(L, 2, NULL);
    bool        can_set = luaL_testudata(L, 1, TYPE_POPULATION) || luaL_testudata(L, 1, TYPE_INPUT);
    if (can_set) return script_fail(L, "%s: a value is changed with :set(\"%s\", value)", object, key);
    return script_fail(L, "%s: its fields cannot be changed (%s)", object, key);
}

static void push_named(lua_State *L, const luaL_Reg *functions)
{
    lua_newtable(L);
    for (; functions && functions->name; functions++) {
        lua_pushcfunction(L, functions->func);
        lua_setfield(L, -2, functions->name);
    }
}

void script_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *fields)
{
    luaL_newmetatable(L, type);
    lua_pushstring(L, strchr(type, '.') + 1);
    lua_setfield(L, -2, "__metatable"); /* scripts neither see nor change it */
    push_named(L, methods);
    push_named(L, fields);
    for (const luaL_Reg *method = methods; method->name; method++) {
        if (strncmp(method->name, "__", 2) != 0) continue;
        lua_getfield(L, -2, method->name);
        lua_setfield(L, -4, method->name);
        lua_pushnil(L);
        lua_setfield(L, -3, method->name);
    }
    lua_pushcclosure(L, index_object, 2);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, set_field);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
}

/* Every object but a value begins with its network. */
static script_net *network_of(void *object, const char *type)
{
    if (strcmp(type, TYPE_VALUE) == 0) return NULL;
    return strcmp(type, TYPE_NETWORK) == 0 ? object : *(script_net **)object;
}

void *script_self(lua_State *L, const char *type)
{
    void *object = luaL_testudata(L, 1, type);
    if (object) {
        script_net *net = network_of(object, type);
        if (net && net->drawing) script_fail(L, "a function of distance cannot use its network: it is being built");
        return object;
    }
    lua_Debug frame = { 0 };
    if (lua_getstack(L, 0, &frame)) lua_getinfo(L, "n", &frame);
    const char *name = frame.name ? frame.name : "method", *kind = strchr(type, '.') + 1;
    script_fail(L, "%s belongs to a %s and got %s; is it called with a colon, as in %s:%s(...)?", name, kind,
                script_describe(L, 1), kind, name);
}

/* ---- networks and what belongs to them ------------------------------------------------------------------------ */

static const char networks_key; /* its address: the weak table in the registry, C address to network */

static void push_networks(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &networks_key) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &networks_key);
}

void script_register_net(lua_State *L, script_net *net)
{
    push_networks(L);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, net);
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "error"); /* the place exists, so keeping an error needs no memory */
    lua_setiuservalue(L, -2, 1);
}

/* Pushes the network an object belongs to. */
static void push_net(lua_State *L, script_net *net)
{
    luaL_checkstack(L, 4, NULL);
    push_networks(L);
    lua_rawgetp(L, -1, net);
    lua_remove(L, -2);
}

void script_push_slice(lua_State *L, script_net *net, rv_slice slice)
{
    if (slice.stride == 0) slice.stride = 1;
    if (slice.count < 0) slice.count = rv_population_size(net->net, slice.population);
    script_slice *s = lua_newuserdatauv(L, sizeof *s, 1);
    *s = (script_slice){ .net = net, .slice = slice };
    push_net(L, net);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, TYPE_POPULATION);
}

script_group *script_group_new(lua_State *L, const char *type, int net_index, int n)
{
    net_index = lua_absindex(L, net_index);
    script_group *group = lua_newuserdatauv(L, sizeof *group + n * sizeof *group->ids, 1);
    group->net = lua_touserdata(L, net_index), group->n = n;
    memset(group->ids, 0, n * sizeof *group->ids);
    lua_pushvalue(L, net_index);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, type);
    return group;
}

/* Keeps the value at index alive as long as the network. @return where, for script_push_anchor() */
static int anchor(lua_State *L, script_net *net, int index)
{
    index = lua_absindex(L, index);
    push_net(L, net);
    lua_getiuservalue(L, -1, 1);
    int place = (int)lua_rawlen(L, -1) + 1;
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, place);
    lua_pop(L, 2);
    return place;
}

void script_push_anchor(lua_State *L, script_net *net, int anchor)
{
    push_net(L, net);
    lua_getiuservalue(L, -1, 1);
    lua_rawgeti(L, -1, anchor);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* ---- callbacks ------------------------------------------------------------------------------------------------ */

script_callback *script_callback_new(lua_State *L, script_net *net, int function_index)
{
    int              function = anchor(L, net, function_index);
    script_callback *callback = lua_newuserdatauv(L, sizeof *callback, 0);
    *callback = (script_callback){ net, function };
    anchor(L, net, -1);
    lua_pop(L, 1);
    return callback;
}

/* The error a callback raised waits in the anchors under this name. */
static void keep_error(lua_State *L, script_net *net)
{
    net->failed = true;
    push_net(L, net);
    lua_getiuservalue(L, -1, 1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "error");
    lua_pop(L, 3);
}

rv_status script_callback_call(lua_State *L, script_net *net, int n_arguments, int n_results)
{
    int function = lua_gettop(L) - n_arguments;
    lua_pushcfunction(L, script_handler);
    lua_insert(L, function);
    int status = lua_pcall(L, n_arguments, n_results, function);
    lua_remove(L, function);
    if (status == LUA_OK) return RV_OK;
    keep_error(L, net);
    return rv_fail(net->net, RV_CONFLICT, "a function of the script failed");
}

void script_rethrow(lua_State *L, script_net *net)
{
    script *s = script_of(L);
    if (s->leaving) script_leave(L, s->leaving);
    if (!net->failed) return;
    net->failed = false;
    push_net(L, net);
    lua_getiuservalue(L, -1, 1);
    lua_getfield(L, -1, "error");
    lua_pushboolean(L, false);
    lua_setfield(L, -3, "error");
    lua_error(L);
}

/* ---- reading populations -------------------------------------------------------------------------------------- */

static rv_slice one_slice(lua_State *L, script_net *net, int index, const char *what)
{
    const script_slice *s = luaL_testudata(L, index, TYPE_POPULATION);
    if (!s)
        script_fail(L, "%s is %s; a population, a slice of one, or a list of them is needed", what,
                    script_describe(L, index));
    if (s->net != net) script_fail(L, "%s: %s belongs to another network", what, script_describe(L, index));
    return s->slice;
}

rv_slice *script_slices(lua_State *L, script_net *net, int index, const char *what, int *n)
{
    index = lua_absindex(L, index);
    bool list = lua_istable(L, index);
    *n = list ? (int)lua_rawlen(L, index) : 1;
    if (*n == 0) script_fail(L, "%s is an empty list; it takes a population or a list of them", what);
    rv_slice *slices = lua_newuserdatauv(L, *n * sizeof *slices, 0);
    for (int i = 0; i < *n; i++) {
        if (list) lua_rawgeti(L, index, i + 1);
        else lua_pushvalue(L, index);
        slices[i] = one_slice(L, net, -1, what);
        lua_pop(L, 1);
    }
    return slices;
}
