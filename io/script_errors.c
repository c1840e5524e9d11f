/* Errors of the script: one sentence, with the file and line of the innermost Lua code. */
#include "io/script_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

script *script_of(lua_State *L) { return *(script **)lua_getextraspace(L); }

void script_where(lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline > 0) {
            lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

int script_fail(lua_State *L, const char *format, ...)
{
    char    text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    luaL_checkstack(L, 4, NULL);
    script_where(L);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    lua_error(L);
    __builtin_unreachable();
}

void script_check(lua_State *L, script_net *net, rv_status status)
{
    if (status == RV_OK) return;
    const rv_error *error = rv_net_error(net->net);
    script_fail(L, "%s", error->text[0] ? error->text : "the simulator refused this without saying why");
}

static bool has_position(const char *message)
{
    const char *colon = strchr(message, ':');
    if (!colon) return false;
    size_t digits = strspn(colon + 1, "0123456789");
    return digits > 0 && colon[1 + digits] == ':';
}

int script_handler(lua_State *L)
{
    if (script_of(L)->leaving) return 1;
    const char *message = lua_type(L, 1) == LUA_TSTRING ? lua_tostring(L, 1) : NULL;
    if (message && has_position(message)) return 1;
    luaL_checkstack(L, 8, NULL);
    script_where(L);
    if (message) lua_pushvalue(L, 1);
    else if (luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL) luaL_tolstring(L, 1, NULL), lua_remove(L, -2);
    else lua_pushfstring(L, "error raised with %s instead of a text", luaL_typename(L, 1));
    lua_concat(L, 2);
    return 1;
}

const char *script_describe(lua_State *L, int index)
{
    char number[64];
    switch (lua_type(L, index)) {
    case LUA_TNONE:
    case LUA_TNIL:
        return lua_pushliteral(L, "nil");
    case LUA_TBOOLEAN:
        return lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) return lua_pushfstring(L, "%I", lua_tointeger(L, index));
        snprintf(number, sizeof number, "%.10g", lua_tonumber(L, index));
        return lua_pushstring(L, number);
    case LUA_TSTRING: {
        const char *text = lua_tostring(L, index);
        return lua_pushfstring(L, strlen(text) > 60 ? "a long text" : "the text \"%s\"", text);
    }
    case LUA_TUSERDATA:
        return luaL_tolstring(L, index, NULL);
    default:
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

void script_defining(lua_State *L, script_net *net, const char *call)
{
    if (net->running) script_fail(L, "%s: not possible while the network runs, in a function called by it", call);
}
