/* Numbers, lists, distributions and options tables, read from Lua with sentences for what does not fit. */
#include "io/script_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- single values -------------------------------------------------------------------------------------------- */

const char *script_text(lua_State *L, int index, const char *what)
{
    if (lua_type(L, index) != LUA_TSTRING)
        script_fail(L, "%s is %s; a text is needed", what, script_describe(L, index));
    size_t      length;
    const char *text = lua_tolstring(L, index, &length);
    /* C would read only the part before a zero byte: "x\0.h5" must not pass for a path that ends with .h5 */
    if (strlen(text) != length) script_fail(L, "%s contains a zero byte", what);
    return text;
}

double script_number(lua_State *L, int index, const char *what)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        script_fail(L, "%s is %s; a number is needed", what, script_describe(L, index));
    return lua_tonumber(L, index);
}

int64_t script_integer(lua_State *L, int index, const char *what, int64_t low, int64_t high)
{
    int         exact = 0;
    lua_Integer x = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &exact) : 0;
    if (!exact) script_fail(L, "%s is %s; a whole number is needed", what, script_describe(L, index));
    if (x < low || x > high) {
        char above[64] = "";
        if (high < INT32_MAX) snprintf(above, sizeof above, " to %lld", (long long)high);
        script_fail(L, "%s = %lld, allowed are whole numbers from %lld%s", what, (long long)x, (long long)low, above);
    }
    return x;
}

double script_number_or(lua_State *L, int index, const char *what, double standard)
{
    return lua_isnoneornil(L, index) ? standard : script_number(L, index, what);
}

bool script_boolean(lua_State *L, int index, const char *what)
{
    if (!lua_isboolean(L, index)) script_fail(L, "%s is %s; true or false is needed", what, script_describe(L, index));
    return lua_toboolean(L, index);
}

const char *script_path(lua_State *L, int index, const char *what, const char *endings)
{
    const char *path = script_text(L, index, what), *dot = strrchr(path, '.');
    char        ending[16];
    snprintf(ending, sizeof ending, " %s ", dot ? dot : "");
    if (!dot || !strstr(endings, ending))
        script_fail(L, "%s is \"%s\"; a file name ending in one of%sis needed", what, path, endings);
    return path;
}

/* ---- tables of options ---------------------------------------------------------------------------------------- */

void script_keys(lua_State *L, int index, const char *what, const char *const *keys, int n)
{
    if (lua_isnoneornil(L, index)) return;
    if (!lua_istable(L, index))
        script_fail(L, "%s: the options are %s; a table is needed", what, script_describe(L, index));
    int n_given = script_sorted_keys(L, index, what), sorted = lua_gettop(L);
    for (int i = 1; i <= n_given; i++) {
        lua_rawgeti(L, sorted, i);
        const char *key = lua_tostring(L, -1);
        bool        known = false;
        for (int k = 0; k < n; k++) known = known || strcmp(key, keys[k]) == 0;
        if (!known) {
            const char *near = rv_suggest(key, keys, n);
            if (near) script_fail(L, "%s: no option %s; did you mean %s?", what, key, near);
            luaL_Buffer all;
            luaL_buffinit(L, &all);
            for (int k = 0; k < n; k++) luaL_addstring(&all, k ? ", " : ""), luaL_addstring(&all, keys[k]);
            luaL_pushresult(&all);
            script_fail(L, "%s: no option %s; there are %s", what, key, lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static int compare_texts(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

int script_sorted_keys(lua_State *L, int index, const char *what)
{
    index = lua_absindex(L, index);
    int n = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), n++) {
        if (lua_type(L, -2) != LUA_TSTRING)
            script_fail(L, "%s: the table has an entry without a name, [%s]; it takes name = value", what,
                        script_describe(L, -2));
        lua_pushvalue(L, -2);
        script_text(L, -1, what);
        lua_pop(L, 1);
    }
    const char **keys = lua_newuserdatauv(L, (n + 1) * sizeof *keys, 0);
    int          i = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) keys[i++] = lua_tostring(L, -2);
    qsort(keys, n, sizeof *keys, compare_texts);
    lua_createtable(L, n, 0);
    for (i = 0; i < n; i++) {
        lua_pushstring(L, keys[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_remove(L, -2);
    return n;
}

/* Pushes "what: key" and the key's value (nil where there is no table). @return the name, for errors */
static const char *push_option(lua_State *L, int index, const char *what, const char *key)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, NULL);
    const char *name = lua_pushfstring(L, "%s: %s", what, key);
    if (lua_istable(L, index)) lua_getfield(L, index, key);
    else lua_pushnil(L);
    return name;
}

double option_number(lua_State *L, int index, const char *what, const char *key, double standard)
{
    const char *name = push_option(L, index, what, key);
    double      x = script_number_or(L, -1, name, standard);
    lua_pop(L, 2);
    return x;
}

int64_t option_integer(lua_State *L, int index, const char *what, const char *key, int64_t standard)
{
    const char *name = push_option(L, index, what, key);
    int64_t     x = lua_isnil(L, -1) ? standard : script_integer(L, -1, name, 0, INT64_MAX);
    lua_pop(L, 2);
    return x;
}

bool option_boolean(lua_State *L, int index, const char *what, const char *key, bool standard)
{
    const char *name = push_option(L, index, what, key);
    bool        x = lua_isnil(L, -1) ? standard : script_boolean(L, -1, name);
    lua_pop(L, 2);
    return x;
}

/* The text stays valid as long as the table holds it. */
const char *option_text(lua_State *L, int index, const char *what, const char *key, const char *standard)
{
    const char *name = push_option(L, index, what, key);
    const char *x = lua_isnil(L, -1) ? standard : script_text(L, -1, name);
    lua_pop(L, 2);
    return x;
}

int script_word(lua_State *L, const char *text, const char *what, const char *const *words, int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(text, words[i]) == 0) return i;
    const char *near = rv_suggest(text, words, n);
    if (near) script_fail(L, "%s is \"%s\"; did you mean \"%s\"?", what, text, near);
    luaL_Buffer all;
    luaL_buffinit(L, &all);
    for (int i = 0; i < n; i++) luaL_addstring(&all, i ? ", " : ""), luaL_addstring(&all, words[i]);
    luaL_pushresult(&all);
    script_fail(L, "%s is \"%s\"; allowed are %s", what, text, lua_tostring(L, -1));
}

/* ---- lists ---------------------------------------------------------------------------------------------------- */

double *script_list(lua_State *L, int index, const char *what, int64_t *n)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 8, NULL);
    if (!lua_istable(L, index))
        script_fail(L, "%s is %s; a list of numbers is needed", what, script_describe(L, index));
    *n = (int64_t)lua_rawlen(L, index);
    double *x = lua_newuserdatauv(L, (*n + 1) * sizeof *x, 0);
    for (int64_t i = 0; i < *n; i++) {
        if (lua_rawgeti(L, index, i + 1) == LUA_TNUMBER) x[i] = lua_tonumber(L, -1);
        else if (lua_isboolean(L, -1)) x[i] = lua_toboolean(L, -1);
        else
            script_fail(L, "%s[%lld] is %s; a list of numbers is needed", what, (long long)i + 1,
                        script_describe(L, -1));
        lua_pop(L, 1);
    }
    return x;
}

void script_push_list(lua_State *L, const double *x, int64_t n)
{
    if (n > INT32_MAX) script_fail(L, "a list of %lld numbers is more than Lua can hold", (long long)n);
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, (int)n, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_pushnumber(L, x[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

/* ---- distributions -------------------------------------------------------------------------------------------- */

static const char *const value_names[] = {
    [RV_NUMBER] = "number",
    [RV_LIST] = "list",
    [RV_UNIFORM] = "uniform",
    [RV_NORMAL] = "normal",
    [RV_LOGNORMAL] = "lognormal",
    [RV_EXPONENTIAL] = "exponential",
    [RV_DISTANCE_LINEAR] = "distance.linear",
    [RV_DISTANCE_EXPONENTIAL] = "distance.exponential",
    [RV_DISTANCE_GAUSSIAN] = "distance.gaussian",
    [RV_FUNCTION] = "function",
};

static rv_value *push_value(lua_State *L, rv_value value)
{
    rv_value *v = lua_newuserdatauv(L, sizeof *v, 0);
    *v = value;
    luaL_setmetatable(L, TYPE_VALUE);
    return v;
}

/* Reads min, max and redraw of the table at index into the value. */
static void read_bounds(lua_State *L, int index, const char *what, rv_value *value)
{
    double low = option_number(L, index, what, "min", -INFINITY);
    double high = option_number(L, index, what, "max", INFINITY);
    bool   redraw = option_boolean(L, index, what, "redraw", false);
    if (!(low <= high)) script_fail(L, "%s: min = %g is above max = %g", what, low, high);
    if (low == -INFINITY && high == INFINITY) {
        if (redraw) script_fail(L, "%s: redraw = true needs min or max", what);
        return;
    }
    *value = redraw ? rv_redraw(*value, low, high) : rv_clip(*value, low, high);
}

typedef struct distribution {
    rv_value_kind kind;
    const char   *a, *b;        /* names of its numbers; b NULL: it has one          */
    double        low_a, low_b; /* the smallest that makes sense                     */
} distribution;

static const distribution distributions[] = {
    { RV_UNIFORM, "low", "high", -INFINITY, -INFINITY },
    { RV_NORMAL, "mean", "sd", -INFINITY, 0 },
    { RV_LOGNORMAL, "mu", "sigma", -INFINITY, 0 },
    { RV_EXPONENTIAL, "mean", NULL, 0, 0 },
};

static double distribution_number(lua_State *L, int index, const distribution *d, const char *name, double low)
{
    const char *what = lua_pushfstring(L, "rv.%s: %s", value_names[d->kind], name);
    double      x = script_number(L, index, what);
    if (!isfinite(x)) script_fail(L, "%s = %g; a finite number is needed", what, x);
    if (x < low) script_fail(L, "%s = %g, allowed is %g or more", what, x, low);
    lua_pop(L, 1);
    return x;
}

/* rv.normal(mean, sd[, {min =, max =, redraw =}]) and the others; upvalue: which distribution */
static int make_distribution(lua_State *L)
{
    static const char *const keys[] = { "min", "max", "redraw" };
    const distribution      *d = &distributions[lua_tointeger(L, lua_upvalueindex(1))];
    int                      options = d->b ? 4 : 3; /* with the name below the arguments */
    lua_settop(L, options - 1);
    const char *what = lua_pushfstring(L, "rv.%s", value_names[d->kind]);
    lua_insert(L, 1);
    rv_value value = { .kind = d->kind, .a = distribution_number(L, 2, d, d->a, d->low_a) };
    if (d->b) value.b = distribution_number(L, 3, d, d->b, d->low_b);
    if (d->kind == RV_UNIFORM && value.b < value.a)
        script_fail(L, "%s: low = %g is above high = %g", what, value.a, value.b);
    script_keys(L, options, what, keys, COUNT(keys));
    if (lua_istable(L, options)) read_bounds(L, options, what, &value);
    push_value(L, value);
    return 1;
}

typedef struct kernel {
    rv_value_kind kind;
    const char   *b, *c; /* names of its numbers beside "offset" */
} kernel;

static const kernel kernels[] = {
    { RV_DISTANCE_LINEAR, "slope", NULL },           /* offset + slope d                     */
    { RV_DISTANCE_EXPONENTIAL, "factor", "length" }, /* offset + factor exp(-d / length)     */
    { RV_DISTANCE_GAUSSIAN, "factor", "sigma" },     /* offset + factor exp(-d^2 / 2 sigma^2) */
};

/* rv.distance.gaussian{factor =, sigma =, offset =, min =, max =} and the others; upvalue: which kernel */
static int make_kernel(lua_State *L)
{
    const kernel     *k = &kernels[lua_tointeger(L, lua_upvalueindex(1))];
    const char       *what = lua_pushfstring(L, "rv.%s", value_names[k->kind]);
    const char *const keys[] = { "offset", "min", "max", k->b, k->c };
    lua_insert(L, 1);
    lua_settop(L, 2);
    script_keys(L, 2, what, keys, k->c ? 5 : 4);
    rv_value value = { .kind = k->kind, .a = option_number(L, 2, what, "offset", 0) };
    value.b = option_number(L, 2, what, k->b, k->c ? 1 : NAN);
    if (isnan(value.b)) script_fail(L, "%s: %s is needed", what, k->b);
    if (k->c) {
        value.c = option_number(L, 2, what, k->c, NAN);
        if (isnan(value.c)) script_fail(L, "%s: %s is needed", what, k->c);
        if (value.c <= 0) script_fail(L, "%s: %s = %g, allowed is more than 0", what, k->c, value.c);
    }
    if (lua_istable(L, 2)) read_bounds(L, 2, what, &value);
    push_value(L, value);
    return 1;
}

static int value_tostring(lua_State *L)
{
    const rv_value *v = script_self(L, TYPE_VALUE);
    char            text[160];
    int             n = snprintf(text, sizeof text, "rv.%s(%g", value_names[v->kind], v->a);
    if (v->kind != RV_EXPONENTIAL) n += snprintf(text + n, sizeof text - n, ", %g", v->b);
    if (v->kind >= RV_DISTANCE_EXPONENTIAL) n += snprintf(text + n, sizeof text - n, ", %g", v->c);
    snprintf(text + n, sizeof text - n, v->bounds ? ", { min = %g, max = %g })" : ")", v->low, v->high);
    lua_pushstring(L, text);
    return 1;
}

/* ---- functions of distance ------------------------------------------------------------------------------------ */

/* Called by the engine while it makes synapses. After an error it is not called again; the error ends net:run(). */
static double call_distance(double distance, void *user)
{
    script_callback *callback = user;
    script_net      *net = callback->net;
    lua_State       *L = net->L;
    if (net->failed || net->owner->leaving || !L) return NAN;
    script_push_anchor(L, net, callback->function);
    lua_pushnumber(L, distance);
    net->drawing = true;
    rv_status status = script_callback_call(L, net, 1, 1);
    net->drawing = false;
    if (status != RV_OK) return NAN;
    double x = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : NAN;
    lua_pop(L, 1);
    return x;
}

rv_value script_value(lua_State *L, script_net *net, int index, const char *what)
{
    index = lua_absindex(L, index);
    rv_value *v;
    rv_value  value;
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        value = rv_number(lua_tonumber(L, index));
        break;
    case LUA_TBOOLEAN:
        value = rv_number(lua_toboolean(L, index));
        break;
    case LUA_TTABLE:
        value = (rv_value){ .kind = RV_LIST };
        value.list = script_list(L, index, what, &value.n);
        return value;
    case LUA_TFUNCTION:
        if (!net) script_fail(L, "%s is a function; a number, a list or a distribution is needed", what);
        value = (rv_value){ .kind = RV_FUNCTION, .function = call_distance };
        value.user = script_callback_new(L, net, index);
        break;
    default:
        v = luaL_testudata(L, index, TYPE_VALUE);
        if (!v)
            script_fail(L, "%s is %s; a number, a list or a distribution such as rv.normal(mean, sd) is needed", what,
                        script_describe(L, index));
        value = *v;
    }
    lua_pushnil(L);
    return value;
}

double script_value_mean(const rv_value *value)
{
    double sum = 0;
    switch (value->kind) {
    case RV_UNIFORM:
        return (value->a + value->b) / 2;
    case RV_LIST:
        for (int64_t i = 0; i < value->n; i++) sum += value->list[i];
        return value->n ? sum / (double)value->n : 0;
    case RV_LOGNORMAL:
        return exp(value->a + value->b * value->b / 2);
    case RV_DISTANCE_EXPONENTIAL:
    case RV_DISTANCE_GAUSSIAN:
        return value->a + value->b;
    case RV_FUNCTION:
        return 0;
    default:
        return value->a;
    }
}

/* ---- module --------------------------------------------------------------------------------------------------- */

void script_open_values(lua_State *L)
{
    static const luaL_Reg methods[] = { { "__tostring", value_tostring }, { NULL, NULL } };
    script_type(L, TYPE_VALUE, methods, NULL);
    for (int i = 0; i < COUNT(distributions); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, make_distribution, 1);
        lua_setfield(L, -2, value_names[distributions[i].kind]);
    }
    lua_newtable(L);
    for (int i = 0; i < COUNT(kernels); i++) {
        lua_pushinteger(L, i);
        lua_pushcclosure(L, make_kernel, 1);
        lua_setfield(L, -2, strchr(value_names[kernels[i].kind], '.') + 1);
    }
    lua_setfield(L, -2, "distance");
}
