/* A script from its file to its end: the Lua state, its memory, running it, and what is left to do afterwards. */
#include "io/script_internal.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LONGEST_SCRIPT = 64 << 20 };

static rv_status refuse(script *s, rv_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));
static rv_status refuse(script *s, rv_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->message, sizeof s->message, format, arguments);
    va_end(arguments);
    s->exit_status = 1;
    return status;
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

/* The line that runs, for the message, without touching the state: it is in the middle of an allocation. */
static void note_position(script *s)
{
    lua_Debug frame;
    s->memory_position[0] = 0;
    for (int level = 0; s->L && lua_getstack(s->L, level, &frame); level++) {
        lua_getinfo(s->L, "Sl", &frame);
        if (frame.currentline <= 0) continue;
        snprintf(s->memory_position, sizeof s->memory_position, "%s:%d: ", frame.short_src, frame.currentline);
        return;
    }
}

static void *allocate(void *user, void *block, size_t old_size, size_t new_size)
{
    script *s = user;
    int64_t growth = (int64_t)new_size - (block ? (int64_t)old_size : 0);
    if (new_size == 0) {
        free(block);
        s->memory_used += growth;
        return NULL;
    }
    if (growth > 0 && s->memory_used + growth > s->memory_limit) return note_position(s), NULL;
    void *moved = realloc(block, new_size);
    if (moved) s->memory_used += growth;
    else note_position(s);
    return moved;
}

/* ---- opening -------------------------------------------------------------------------------------------------- */

static rv_status read_text(script *s)
{
    const char *path = s->options.path;
    struct stat about;
    FILE       *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &about) != 0) {
        if (file) fclose(file);
        return refuse(s, RV_FILE_ERROR, "ranvier: cannot read \"%s\": %s", path, strerror(errno));
    }
    rv_status status = RV_OK;
    if (S_ISDIR(about.st_mode))
        status = refuse(s, RV_FILE_ERROR, "ranvier: \"%s\" is a folder; a script is needed", path);
    else if (!(s->text = malloc(LONGEST_SCRIPT + 1))) status = refuse(s, RV_OUT_OF_MEMORY, "ranvier: no memory left");
    else s->text_length = fread(s->text, 1, LONGEST_SCRIPT, file), s->text[s->text_length] = 0;
    if (status == RV_OK && ferror(file))
        status = refuse(s, RV_FILE_ERROR, "ranvier: cannot read \"%s\": %s", path, strerror(errno));
    if (status == RV_OK && s->text_length == LONGEST_SCRIPT)
        status = refuse(s, RV_FILE_ERROR, "ranvier: \"%s\" is longer than 64 MiB; that is no script", path);
    fclose(file);
    return status;
}

static rv_status copy_text(script *s)
{
    s->text_length = s->options.text_length;
    s->text = malloc(s->text_length + 1);
    if (!s->text) return refuse(s, RV_OUT_OF_MEMORY, "ranvier: no memory left");
    memcpy(s->text, s->options.text, s->text_length);
    s->text[s->text_length] = 0;
    return RV_OK;
}

static rv_status find_directory(script *s)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", s->options.path);
    s->directory = realpath(dirname(copy), NULL);
    return s->directory ? RV_OK : refuse(s, RV_FILE_ERROR, "ranvier: \"%s\": %s", s->options.path, strerror(errno));
}

static int open_libraries(lua_State *L)
{
    script_open_sandbox(L);
    return 0;
}

static rv_status open_state(script *s)
{
    lua_State *L = lua_newstate(allocate, s);
    if (!L) return refuse(s, RV_OUT_OF_MEMORY, "ranvier: no memory left for Lua");
    *(script **)lua_getextraspace(L) = s;
    s->L = L;
    lua_pushcfunction(L, open_libraries);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK) return RV_OK;
    return refuse(s, RV_CONFLICT, "ranvier: %s", lua_tostring(L, -1));
}

rv_status script_open(const script_options *options, script **result)
{
    script *s = *result = calloc(1, sizeof *s);
    if (!s) return RV_OUT_OF_MEMORY;
    s->options = *options;
    s->memory_limit = options->memory_limit ? options->memory_limit : (int64_t)2 << 30;
    if (options->unsafe && !options->memory_limit) s->memory_limit = INT64_MAX / 2;
    rv_status status = options->text ? copy_text(s) : read_text(s);
    int       why = options->out ? script_unwritable(options->out) : 0;
    if (status == RV_OK && why)
        status = refuse(s, RV_FILE_ERROR, "ranvier: cannot write \"%s\": %s", options->out, strerror(why));
    if (status == RV_OK) status = find_directory(s);
    if (status == RV_OK) status = open_state(s);
    return status;
}

void script_close(script *s)
{
    if (!s) return;
    lua_State *L = s->L;
    if (L) {
        lua_sethook(L, NULL, 0, 0); /* so that networks are closed even after an interruption */
        s->L = NULL;
        lua_close(L);
    }
    script_live_free(s);
    free(s->text);
    free(s->directory);
    free(s);
}

/* ---- running -------------------------------------------------------------------------------------------------- */

/* The text without byte order mark and first line of a Unix script, whose line end stays, so that lines count right. */
static const char *skip_first_line(const script *s, size_t *length)
{
    const char *text = s->text, *end = s->text + s->text_length;
    if (s->text_length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) text += 3;
    if (text < end && *text == '#')
        while (text < end && *text != '\n') text++;
    *length = (size_t)(end - text);
    return text;
}

static rv_status load(script *s)
{
    size_t      length;
    const char *text = skip_first_line(s, &length);
    if (length > 0 && text[0] == LUA_SIGNATURE[0])
        return refuse(s, RV_FILE_ERROR, "%s:1: this is compiled Lua; Ranvier runs the text of scripts",
                      s->options.path);
    lua_pushfstring(s->L, "@%s", s->options.path);
    int status = luaL_loadbufferx(s->L, text, length, lua_tostring(s->L, -1), "t");
    lua_remove(s->L, -2);
    if (status == LUA_OK) return RV_OK;
    return refuse(s, RV_CONFLICT, "%s", lua_tostring(s->L, -1));
}

static rv_status out_of_memory(script *s)
{
    return refuse(s, RV_OUT_OF_MEMORY, "%sthe script needs more than %.3g GiB of memory, which is its limit",
                  s->memory_position, (double)s->memory_limit / (1 << 30));
}

/* What became of the results files when a run was stopped. */
static rv_status describe_stop(script *s)
{
    int n = snprintf(s->message, sizeof s->message, "ranvier: stopped");
    for (script_net *net = s->nets; net; net = net->next) {
        if (rv_time(net->net) == 0) continue;
        n += snprintf(s->message + n, sizeof s->message - n, " at %.10g ms", rv_time(net->net));
        for (script_output *output = net->outputs; output; output = output->next)
            if (n < (int)sizeof s->message && output->writer)
                n += snprintf(s->message + n, sizeof s->message - n, "; %s has everything up to there", output->path);
        break;
    }
    s->exit_status = 130;
    return RV_STOPPED;
}

static rv_status run(script *s)
{
    lua_State *L = s->L;
    lua_pushcfunction(L, script_handler);
    rv_status status = load(s);
    if (status != RV_OK) return status;
    int error = lua_pcall(L, 0, 0, 1);
    script_bar_erase(s);
    lua_sethook(L, NULL, 0, 0);
    if (s->leaving == SCRIPT_INTERRUPTED) return describe_stop(s);
    if (s->leaving == SCRIPT_EXITING || error == LUA_OK) return RV_OK;
    if (error == LUA_ERRMEM) return out_of_memory(s);
    const char *message = lua_tostring(L, -1);
    return refuse(s, RV_CONFLICT, "%s", message ? message : "the script failed with an error that is not a text");
}

static void report_checks(script *s)
{
    if (s->n_failed_checks) s->exit_status = s->exit_status ? s->exit_status : 1;
    if (s->n_checks == 0 || s->options.quiet) return;
    if (s->n_failed_checks) printf("%d of %d checks failed\n", s->n_failed_checks, s->n_checks);
    else printf("%d checks passed\n", s->n_checks);
}

rv_status script_run(script *s)
{
    rv_status status = run(s);
    for (script_net *net = s->nets; net; net = net->next) {
        rv_status closed = script_outputs_close(net);
        if (status == RV_OK) status = closed;
    }
    if (status == RV_OK) report_checks(s);
    if (status == RV_OK || status == RV_STOPPED) script_summary(s);
    if (status == RV_OK && !s->options.quiet) script_warn_unused(s);
    fflush(stdout);
    return status;
}

const char *script_message(const script *s) { return s->message; }
int         script_exit_status(const script *s) { return s->exit_status; }
