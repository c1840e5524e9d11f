/* The globals of a script: what of Lua's libraries is safe to hand to a stranger, and reproducible.
 *
 * Reproducible means two things beside the seeded math.random: math.randomseed() without a number does not ask the
 * clock, and pairs() visits keys in a fixed order. Lua's own order depends on a hash seed taken from the clock and
 * from addresses, so a script that draws random numbers in a pairs() loop would give other spikes every time. */
#include "io/script_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Moves the global or field `name` of the table on top of the stack behind a C function that gets it as upvalue. */
static void wrap(lua_State *L, const char *name, lua_CFunction wrapper)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, wrapper, 1);
    lua_setfield(L, -2, name);
}

/* Calls the wrapped function with all arguments. */
static int pass_on(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* ---- printing, loading ---------------------------------------------------------------------------------------- */

static int print_below_bar(lua_State *L)
{
    script_bar_erase(script_of(L));
    return pass_on(L);
}

/* load() of text only: compiled Lua can crash the process. */
static int load_text(lua_State *L)
{
    if (lua_gettop(L) < 3) lua_settop(L, 3);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    return pass_on(L);
}

/* setmetatable() without finalizers: Lua runs them with hooks off, so an endless one could not be interrupted. */
static int set_metatable(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            script_fail(
                L, "setmetatable: finalizers (__gc) are not available to scripts; ranvier run --unsafe allows them");
        lua_pop(L, 1);
    }
    return pass_on(L);
}

/* Loads and runs dir/name.lua. The file must lie in the directory itself, also after following links. */
static int run_beside(lua_State *L, const char *name)
{
    script *s = script_of(L);
    char    path[PATH_MAX], resolved[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.lua", s->directory, name);
    struct stat about;
    if (!realpath(path, resolved) || stat(resolved, &about) != 0)
        script_fail(L, "require: there is no %s.lua beside the script (%s)", name, strerror(errno));
    size_t length = strlen(s->directory);
    bool   inside = strncmp(resolved, s->directory, length) == 0 && (resolved[length] == '/' || length == 1);
    if (!inside || !S_ISREG(about.st_mode))
        script_fail(L, "require: %s.lua is not a file in the script's folder", name);
    if (luaL_loadfilex(L, resolved, "t") != LUA_OK) lua_error(L);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return 1;
}

/* require(name): "ranvier", or a .lua file beside the script; upvalue: the table of what is loaded */
static int require_beside(lua_State *L)
{
    const char *name = script_text(L, 1, "require: the name");
    lua_settop(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL) return 1;
    size_t plain = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
    if (plain == 0 || name[plain] || plain > 100)
        script_fail(L,
                    "require: \"%s\" is not \"ranvier\" or the plain name of a .lua file beside the script; "
                    "--unsafe allows others",
                    name);
    lua_pushboolean(L, true);
    lua_setfield(L, lua_upvalueindex(1), name); /* a file that requires itself gets true, as in Lua */
    run_beside(L, name);
    if (lua_isnil(L, -1)) lua_pushboolean(L, true), lua_replace(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, lua_upvalueindex(1), name);
    return 1;
}

/* ---- random numbers ------------------------------------------------------------------------------------------- */

static const char random_seed_key; /* its address: Lua's math.randomseed, and the seed, in the registry */

void script_seed_random(lua_State *L, uint64_t seed)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_seed_key);
    lua_getfield(L, -1, "seed");
    lua_pushinteger(L, (lua_Integer)seed);
    lua_pushvalue(L, -1);
    lua_setfield(L, -4, "last");
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

/* Without a number it begins again with the network's seed instead of asking the clock. */
static int reseed(lua_State *L)
{
    if (lua_gettop(L) > 0) return pass_on(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_seed_key);
    lua_getfield(L, -1, "last");
    script_seed_random(L, (uint64_t)lua_tointeger(L, -1));
    return 0;
}

static void open_random(lua_State *L)
{
    const uint64_t *seed = script_of(L)->options.seed;
    lua_getglobal(L, "math");
    lua_newtable(L);
    lua_getfield(L, -2, "randomseed");
    lua_setfield(L, -2, "seed");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &random_seed_key);
    wrap(L, "randomseed", reseed);
    lua_pop(L, 1);
    script_seed_random(L, seed ? *seed : 0);
}

/* ---- pairs in a fixed order ----------------------------------------------------------------------------------- */

typedef struct pairs_key {
    int         type;
    lua_Number  number;
    const char *text; /* of length bytes */
    size_t      length;
    int         place; /* as Lua found it */
} pairs_key;

/* Numbers, then texts, then the rest as it comes. */
static int compare_keys(const void *a, const void *b)
{
    const pairs_key *x = a, *y = b;
    if (x->type != y->type) return x->type - y->type;
    if (x->type == LUA_TNUMBER && x->number != y->number) return x->number < y->number ? -1 : 1;
    if (x->type == LUA_TSTRING) {
        int order = memcmp(x->text, y->text, x->length < y->length ? x->length : y->length);
        if (order != 0) return order;
        if (x->length != y->length) return x->length < y->length ? -1 : 1;
    }
    return x->place - y->place;
}

static pairs_key read_key(lua_State *L, int place)
{
    pairs_key key = { .type = lua_type(L, -1), .place = place };
    if (key.type == LUA_TNUMBER) key.number = lua_tonumber(L, -1);
    if (key.type == LUA_TSTRING) key.text = lua_tolstring(L, -1, &key.length);
    return key;
}

/* upvalues: sorted list of keys, position; arguments: table, ignored */
static int next_in_order(lua_State *L)
{
    lua_Integer position = lua_tointeger(L, lua_upvalueindex(2));
    for (;;) {
        position++;
        lua_settop(L, 1);
        if (lua_rawgeti(L, lua_upvalueindex(1), position) == LUA_TNIL) return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) break; /* else it was removed meanwhile */
    }
    lua_pushinteger(L, position);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

/* How many keys; *in_order: they are 1, 2, 3, ... as Lua visits them already. */
static int count_keys(lua_State *L, bool *in_order)
{
    int n = 0;
    *in_order = true;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        n++;
        *in_order = *in_order && lua_isinteger(L, -2) && lua_tointeger(L, -2) == n;
    }
    return n;
}

static int pairs_in_order(lua_State *L)
{
    bool in_order;
    if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) return lua_settop(L, 1), pass_on(L);
    if (lua_type(L, 1) != LUA_TTABLE)
        return script_fail(L, "pairs: the argument is %s; a table is needed", script_describe(L, 1));
    int n = count_keys(L, &in_order);
    if (in_order) return pass_on(L);
    pairs_key *keys = lua_newuserdatauv(L, n * sizeof *keys, 0);
    lua_createtable(L, n, 0); /* as found */
    int found = lua_gettop(L), i = 0;
    for (lua_pushnil(L); lua_next(L, 1);) {
        lua_pop(L, 1);
        keys[i] = read_key(L, i), i++;
        lua_pushvalue(L, -1);
        lua_rawseti(L, found, i);
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    lua_createtable(L, n, 0);
    for (i = 0; i < n; i++) {
        lua_rawgeti(L, found, keys[i].place + 1);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_in_order, 2);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
}

/* ---- interruption --------------------------------------------------------------------------------------------- */

static void leave_if_told(lua_State *L, lua_Debug *frame)
{
    script *s = script_of(L);
    (void)frame;
    if (s->leaving) script_leave(L, s->leaving);
}

/* From now on every instruction raises the error, so that a pcall() of the script cannot catch it. */
int script_leave(lua_State *L, int leaving)
{
    script   *s = script_of(L);
    const int all = LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT;
    s->leaving = leaving;
    lua_sethook(s->L, leave_if_told, all, 1);
    lua_sethook(L, leave_if_told, all, 1);
    lua_pushlightuserdata(L, s);
    lua_error(L);
    __builtin_unreachable();
}

void script_interrupt(void *interrupted)
{
    script *s = interrupted;
    s->leaving = SCRIPT_INTERRUPTED;
    if (s->running) rv_stop(s->running);
    if (s->L) lua_sethook(s->L, leave_if_told, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

/* A coroutine has its own hook, which a signal handler cannot reach: it looks every thousand instructions. New
 * threads inherit the hook of the one that makes them. */
static int coroutine_that_looks(lua_State *L)
{
    if (!lua_gethook(L)) lua_sethook(L, leave_if_told, LUA_MASKCOUNT, 1000);
    int n = pass_on(L);
    if (L == script_of(L)->L && !script_of(L)->leaving) lua_sethook(L, NULL, 0, 0);
    return n;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

/* io.open and the like say that they are missing on purpose; upvalue: name of the library */
static int missing(lua_State *L)
{
    script_fail(L, "%s.%s is not available to scripts; ranvier run --unsafe allows it",
                lua_tostring(L, lua_upvalueindex(1)), luaL_tolstring(L, 2, NULL));
}

/* Makes the table on top of the stack the global `name` that explains what it lacks. */
static void set_library(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_pushcclosure(L, missing, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setglobal(L, name);
}

/* Replaces the library on top of the stack by a copy with only the named functions. */
static void keep_only(lua_State *L, const char *library, const char *const *names)
{
    lua_newtable(L);
    for (; *names; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    set_library(L, library);
    lua_pop(L, 1);
}

static void open_safe_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        { LUA_GNAME, luaopen_base },
        { LUA_STRLIBNAME, luaopen_string },
        { LUA_TABLIBNAME, luaopen_table },
        { LUA_MATHLIBNAME, luaopen_math },
        { LUA_UTF8LIBNAME, luaopen_utf8 },
        { LUA_COLIBNAME, luaopen_coroutine },
        { NULL, NULL },
    };
    static const char *const time_only[] = { "clock", "date", "difftime", "time", NULL }, *const none[] = { NULL };
    static const char *const removed[] = { "dofile", "loadfile", NULL };
    for (const luaL_Reg *library = libraries; library->name; library++) {
        luaL_requiref(L, library->name, library->func, 1);
        lua_pop(L, 1);
    }
    luaL_requiref(L, LUA_OSLIBNAME, luaopen_os, 0);
    keep_only(L, LUA_OSLIBNAME, time_only);
    lua_newtable(L);
    keep_only(L, LUA_IOLIBNAME, none);
    lua_newtable(L);
    keep_only(L, "debug", none);
    lua_newtable(L);
    keep_only(L, "package", none);
    for (const char *const *name = removed; *name; name++) lua_pushnil(L), lua_setglobal(L, *name);
    lua_getglobal(L, "string");
    lua_pushnil(L);
    lua_setfield(L, -2, "dump");
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable"); /* all texts share it */
    lua_pop(L, 3);
}

static void open_safe(lua_State *L)
{
    open_safe_libraries(L);
    lua_pushglobaltable(L);
    wrap(L, "load", load_text);
    wrap(L, "setmetatable", set_metatable);
    lua_newtable(L);
    script_open_module(L);
    lua_setfield(L, -2, "ranvier");
    lua_pushcclosure(L, require_beside, 1);
    lua_setfield(L, -2, "require");
    lua_pop(L, 1);
}

static void open_unsafe(lua_State *L)
{
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_getfield(L, -1, "loaded");
    script_open_module(L);
    lua_setfield(L, -2, "ranvier");
    lua_pop(L, 1);
    lua_pushfstring(L, "%s/?.lua;", script_of(L)->directory);
    lua_getfield(L, -2, "path");
    lua_concat(L, 2);
    lua_setfield(L, -2, "path");
    lua_pop(L, 1);
}

void script_open_sandbox(lua_State *L)
{
    if (script_of(L)->options.unsafe) open_unsafe(L);
    else open_safe(L);
    lua_pushglobaltable(L);
    wrap(L, "print", print_below_bar);
    wrap(L, "pairs", pairs_in_order);
    lua_getfield(L, -1, "coroutine");
    wrap(L, "create", coroutine_that_looks);
    wrap(L, "wrap", coroutine_that_looks);
    lua_pop(L, 2);
    open_random(L);
}
