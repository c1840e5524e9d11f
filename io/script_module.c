/* What `require "ranvier"` returns: the parts of the other files, arguments of the command line, exit and checks. */
#include "io/script_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names that do not exist ---------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* rv.netwrok: upvalue: what the table is called */
static int unknown_name(lua_State *L)
{
    const char *names[128], *table = lua_tostring(L, lua_upvalueindex(1)), *key = luaL_tolstring(L, 2, NULL);
    int         n = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING && n < COUNT(names)) names[n++] = lua_tostring(L, -2);
    qsort(names, n, sizeof *names, compare_names);
    const char *near = rv_suggest(key, names, n);
    if (near) script_fail(L, "there is no %s.%s; did you mean %s.%s?", table, key, table, near);
    script_fail(L, "there is no %s.%s", table, key);
}

static void explain_unknown(lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_pushcclosure(L, unknown_name, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
}

/* ---- arguments ------------------------------------------------------------------------------------------------ */

static const char asked_key; /* its address: the names the script asked for, in the registry */

/* rv.arg.name; upvalue: the values given */
static int get_argument(lua_State *L)
{
    const char *name = script_text(L, 2, "rv.arg: the name");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &asked_key);
    lua_pushboolean(L, true);
    lua_setfield(L, -2, name);
    lua_getfield(L, lua_upvalueindex(1), name);
    return 1;
}

static int refuse_argument(lua_State *L)
{
    const char *name = luaL_tolstring(L, 2, NULL);
    script_fail(L, "rv.arg.%s: arguments come from the command line; write local %s = rv.arg.%s or a value", name, name,
                name);
}

/* upvalue: the values given */
static int all_arguments(lua_State *L)
{
    lua_getglobal(L, "next");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushnil(L);
    return 3;
}

static void add_arguments(lua_State *L)
{
    const script_options *options = &script_of(L)->options;
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L); /* the values */
    for (int i = 0; i < options->n_arguments; i++) {
        if (!lua_stringtonumber(L, options->arguments[i].text)) lua_pushstring(L, options->arguments[i].text);
        lua_setfield(L, -2, options->arguments[i].name);
    }
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, all_arguments, 1);
    lua_setfield(L, -3, "__pairs");
    lua_pushcclosure(L, get_argument, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, refuse_argument);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "arg");
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &asked_key);
}

/* The names the script asked for, sorted; they stay valid as long as the state. @return their number */
static int asked_names(lua_State *L, const char **names, int most)
{
    int n = 0;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &asked_key);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
        if (n < most) names[n++] = lua_tostring(L, -2);
    lua_pop(L, 1);
    qsort(names, n, sizeof *names, compare_names);
    return n;
}

void script_warn_unused(script *s)
{
    const char *names[256];
    int         n = asked_names(s->L, names, COUNT(names));
    for (int i = 0; i < s->options.n_arguments; i++) {
        const script_argument *argument = &s->options.arguments[i];
        bool                   used = false;
        for (int k = 0; k < n; k++) used = used || strcmp(names[k], argument->name) == 0;
        if (used) continue;
        const char *near = rv_suggest(argument->name, names, n);
        fprintf(stderr, "ranvier: the script did not use %s=%s", argument->name, argument->text);
        if (near) fprintf(stderr, "; did you mean %s?", near);
        for (int k = 0; k < n && !near; k++) fprintf(stderr, "%s%s", k ? ", " : "; it reads ", names[k]);
        fputc('\n', stderr);
    }
}

/* ---- exit, checks --------------------------------------------------------------------------------------------- */

/* rv.exit([code]): ends the script; results are saved as at its end */
static int exit_script(lua_State *L)
{
    script *s = script_of(L);
    int     status = 0;
    if (lua_isboolean(L, 1)) status = !lua_toboolean(L, 1);
    else if (!lua_isnoneornil(L, 1)) status = (int)script_integer(L, 1, "rv.exit: the code", 0, 255);
    if (status) s->exit_status = status;
    script_leave(L, SCRIPT_EXITING);
}

/* rv.check(condition, message): a failed one prints a line and makes the exit status 1 at the end */
static int check(lua_State *L)
{
    script     *s = script_of(L);
    const char *message = lua_isnoneornil(L, 2) ? "no message" : luaL_tolstring(L, 2, NULL);
    s->n_checks++;
    if (!lua_toboolean(L, 1)) {
        script_bar_erase(s);
        script_where(L);
        fflush(stdout);
        fprintf(stderr, "%scheck failed: %s\n", lua_tostring(L, -1), message);
        s->n_failed_checks++;
    }
    lua_pushboolean(L, lua_toboolean(L, 1));
    return 1;
}

/* ---- module --------------------------------------------------------------------------------------------------- */

void script_open_module(lua_State *L)
{
    lua_newtable(L);
    script_open_values(L);
    script_open_network(L);
    script_open_population(L);
    script_open_groups(L);
    script_open_figures(L);
    script_open_hw(L);
    script_open_checkpoint(L);
    script_open_files(L);
    script_open_link(L);
    add_arguments(L);
    lua_pushcfunction(L, exit_script);
    lua_setfield(L, -2, "exit");
    lua_pushcfunction(L, check);
    lua_setfield(L, -2, "check");
    lua_pushliteral(L, RV_VERSION);
    lua_setfield(L, -2, "version");
    static const char *const parts[] = { "distance", "stats" };
    for (int i = 0; i < COUNT(parts); i++) {
        lua_getfield(L, -1, parts[i]);
        explain_unknown(L, i ? "rv.stats" : "rv.distance");
        lua_pop(L, 1);
    }
    explain_unknown(L, "rv");
}
