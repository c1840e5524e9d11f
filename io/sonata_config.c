/* Configs: JSON with a manifest of variables, several files that become one, paths relative to the file that says them.
 *
 * Variables are $NAME or ${NAME}, anywhere in any text; the manifest may use its own in any order. Known without a manifest are
 * ${configdir}, ${configfname} and ${workingdir}, as in bmtk. What is not known stays as it is. */
#define _GNU_SOURCE
#include "io/sonata_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

enum { MOST_DEPTH = 64, MOST_FILES = 8, LONGEST = 4096, LARGEST_FILE = 256 << 20 };

void sonata_warn(sonata_circuit *c, const char *format, ...)
{
    va_list arguments;
    char   *text = NULL, **longer = realloc(c->warning, (size_t)(c->n_warnings + 1) * sizeof *longer);
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0) text = NULL;
    va_end(arguments);
    if (longer) c->warning = longer;
    if (longer && text) c->warning[c->n_warnings++] = text;
    else free(text);
}

char *sonata_join(const char *parent, const char *name)
{
    char *path = NULL;
    if (name[0] == '/' || !parent[0]) return strdup(name);
    while (name[0] == '.' && name[1] == '/') name += 2;
    return asprintf(&path, "%s/%s", parent, name) < 0 ? NULL : path;
}

/* ---- members ----------------------------------------------------------------------------------------------------- */

const char *sonata_text(const json_t *object, const char *key) { return json_string_value(json_object_get(object, key)); }

rv_status sonata_number(const json_t *object, const char *where, const char *key, double alternative, double *number, rv_error *error)
{
    const json_t *value = json_object_get(object, key);
    *number = alternative;
    if (!value || json_is_null(value)) return RV_OK;
    if (json_is_number(value)) *number = json_number_value(value);
    else if (json_is_string(value)) {
        char *end;
        *number = strtod(json_string_value(value), &end);
        if (*end || end == json_string_value(value)) value = NULL;
    } else value = NULL;
    if (value && isfinite(*number)) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "%s: %s is not a number", where, key);
}

bool sonata_is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(*words, text) != 0) words++;
    return *words != NULL;
}

bool sonata_enabled(const json_t *object, const char *key) { return !json_is_false(json_object_get(object, key)); }

void sonata_known_keys(sonata_circuit *c, const json_t *object, const char *where, const char *const *keys)
{
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)object, key, value)
    {
        int k = 0;
        while (keys[k] && strcmp(keys[k], key) != 0) k++;
        const char *near = keys[k] ? NULL : rv_suggest(key, keys, k);
        if (!keys[k]) sonata_warn(c, "%s: \"%s\" is unknown here and has no effect%s%s%s", where, key, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    }
}

/* ---- one file ---------------------------------------------------------------------------------------------------- */

json_t *sonata_json_read(const char *path, rv_error *error)
{
    json_error_t wrong;
    FILE        *file = fopen(path, "rb");
    if (!file) return error_set(error, RV_FILE_ERROR, "cannot read \"%.300s\": %s", path, strerror(errno)), NULL;
    json_t *json = json_loadf(file, JSON_DISABLE_EOF_CHECK, &wrong);
    fclose(file);
    if (!json) error_set(error, RV_FILE_ERROR, "\"%.250s\", line %d: %.150s", path, wrong.line, wrong.text);
    return json;
}

/* ---- variables --------------------------------------------------------------------------------------------------- */

typedef struct variables {
    json_t     *value; /* name without $ -> JSON */
    const char *path;
    bool        again; /* something was replaced */
    rv_error   *error;
} variables;

/* The variable that begins at a $: the longest name that is known. @param length result: of all that stands for it */
static const json_t *find_variable(const variables *v, const char *at, size_t *length)
{
    char   name[128];
    size_t n = 0;
    if (at[1] == '{') {
        n = strcspn(at + 2, "}");
        if (!at[2 + n] || n >= sizeof name) return NULL;
        memcpy(name, at + 2, n), name[n] = 0;
        *length = n + 3;
        return json_object_get(v->value, name);
    }
    while (at[1 + n] && (strchr("_", at[1 + n]) || (at[1 + n] >= '0' && at[1 + n] <= '9') || (at[1 + n] >= 'A' && at[1 + n] <= 'Z') || (at[1 + n] >= 'a' && at[1 + n] <= 'z'))) n++;
    for (; n > 0; n--) {
        if (n >= sizeof name) continue;
        memcpy(name, at + 1, n), name[n] = 0;
        *length = n + 1;
        const json_t *found = json_object_get(v->value, name);
        if (found) return found;
    }
    return NULL;
}

/* A text with its variables replaced once. @return new reference; the value itself if the text is one variable */
static json_t *replace_once(variables *v, const char *text)
{
    char   out[LONGEST];
    size_t n = 0, length = 0;
    for (const char *at = text; *at;) {
        const json_t *value = *at == '$' ? find_variable(v, at, &length) : NULL;
        if (value && at == text && !at[length] && !json_is_string(value)) return v->again = true, json_deep_copy(value);
        const char *put = value && json_is_string(value) ? json_string_value(value) : NULL;
        char        number[40];
        if (value && json_is_integer(value)) snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value)), put = number;
        else if (value && json_is_real(value)) snprintf(number, sizeof number, "%.17g", json_real_value(value)), put = number;
        size_t put_length = put ? strlen(put) : 1;
        if (n + put_length >= sizeof out) return error_set(v->error, RV_FILE_ERROR, "\"%.200s\": \"%.60s\" becomes too long: a manifest that goes round in a circle?", v->path, text), NULL;
        memcpy(out + n, put ? put : at, put_length);
        n += put_length, at += put ? length : 1;
        v->again |= put != NULL;
    }
    out[n] = 0;
    json_t *replaced = json_string(out);
    return replaced ? replaced : (error_memory(v->error, v->path, (double)n), NULL);
}

/* Replaces the variables of a text until there are none. */
static json_t *replace(variables *v, const char *text)
{
    json_t *value = json_string(text);
    for (int round = 0; value && json_is_string(value); round++) {
        v->again = false;
        json_t *next = replace_once(v, json_string_value(value));
        json_decref(value);
        value = next;
        if (!v->again) break;
        if (round == MOST_DEPTH) {
            json_decref(value);
            return error_set(v->error, RV_CONFLICT, "\"%.200s\": \"%.80s\" uses variables of the manifest that go round in a circle", v->path, text), NULL;
        }
    }
    return value;
}

static rv_status replace_all(variables *v, json_t *json, int depth);

/* @return the value for a member, NULL after a sentence; a new reference */
static json_t *replaced_member(variables *v, json_t *value, int depth)
{
    if (json_is_string(value)) return strchr(json_string_value(value), '$') ? replace(v, json_string_value(value)) : json_incref(value);
    return replace_all(v, value, depth + 1) == RV_OK ? json_incref(value) : NULL;
}

static rv_status replace_all(variables *v, json_t *json, int depth)
{
    const char *key;
    json_t     *value;
    size_t      i;
    void       *next;
    if (depth > MOST_DEPTH) return error_set(v->error, RV_FILE_ERROR, "\"%.200s\": is nested deeper than %d", v->path, MOST_DEPTH);
    json_object_foreach_safe(json, next, key, value)
    {
        json_t *now = replaced_member(v, value, depth);
        if (!now) return v->error->status;
        json_object_set_new(json, key, now);
    }
    json_array_foreach(json, i, value)
    {
        json_t *now = replaced_member(v, value, depth);
        if (!now) return v->error->status;
        json_array_set_new(json, i, now);
    }
    return RV_OK;
}

static void define(json_t *values, const char *name, const char *text) { json_object_set_new(values, name, json_string(text)); }

static rv_status apply_manifest(json_t *config, const char *path, const char *folder, rv_error *error)
{
    char        here[PATH_MAX] = ".", there[PATH_MAX];
    const char *key, *slash = strrchr(path, '/');
    json_t     *value;
    variables   v = { .value = json_object(), .path = path, .error = error };
    define(v.value, "configdir", realpath(folder, there) ? there : folder);
    define(v.value, "configfname", slash ? slash + 1 : path);
    define(v.value, "workingdir", getcwd(here, sizeof here) ? here : ".");
    json_object_foreach(json_object_get(config, "manifest"), key, value) json_object_set(v.value, key[0] == '$' ? key + 1 : key, value);
    json_object_del(config, "manifest");
    rv_status status = replace_all(&v, config, 0);
    json_decref(v.value);
    return status;
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static bool is_path(const char *key)
{
    static const char *const keys[] = { "nodes_file", "node_types_file", "edges_file", "edge_types_file", "node_sets_file", "input_file", "spike_file", "file", "network", "simulation" };
    size_t                   n = strlen(key);
    for (int k = 0; k < COUNT(keys); k++)
        if (strcmp(keys[k], key) == 0) return true;
    return n > 4 && strcmp(key + n - 4, "_dir") == 0;
}

/* Relative to the folder of the config; if nothing is there, to where we are. */
static json_t *resolve(sonata_circuit *c, const char *folder, const char *key, const char *text)
{
    char   *path = sonata_join(folder, text);
    bool    here = path && text[0] != '/' && strcmp(key, "output_dir") != 0 && access(path, F_OK) != 0 && access(text, F_OK) == 0;
    json_t *value = path ? json_string(here ? text : path) : NULL;
    if (here) sonata_warn(c, "\"%s\" is not beside its config; the one in the working directory is taken", text);
    free(path);
    return value;
}

static rv_status resolve_paths(sonata_circuit *c, json_t *json, const char *folder, rv_error *error)
{
    const char *key;
    json_t     *value;
    size_t      i;
    void       *next;
    json_object_foreach_safe(json, next, key, value)
    {
        if (strcmp(key, "node_set") == 0 || strcmp(key, "cells") == 0) continue;
        if (json_is_string(value) && is_path(key)) {
            json_t *path = resolve(c, folder, key, json_string_value(value));
            if (!path) return error_memory(error, key, PATH_MAX);
            json_object_set_new(json, key, path);
        } else TRY(resolve_paths(c, value, folder, error));
    }
    json_array_foreach(json, i, value) TRY(resolve_paths(c, value, folder, error));
    return RV_OK;
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static rv_status add_file(sonata_circuit *c, const char *path, int depth, rv_error *error);

/* "network" and "simulation" of a config: a file, or what would be in it. What the config itself says wins. */
static rv_status add_children(sonata_circuit *c, json_t *config, const char *path, int depth, rv_error *error)
{
    static const char *const children[] = { "network", "simulation" };
    for (int k = 0; k < COUNT(children); k++) {
        json_t   *child = json_incref(json_object_get(config, children[k]));
        rv_status status = RV_OK;
        json_object_del(config, children[k]);
        if (json_is_string(child) && depth >= MOST_FILES)
            status = error_set(error, RV_CONFLICT, "\"%.200s\": \"%s\" leads to files that name each other in a circle", path, children[k]);
        else if (json_is_string(child)) status = add_file(c, json_string_value(child), depth + 1, error);
        else if (json_is_object(child)) json_object_update_recursive(c->config, child);
        json_decref(child);
        TRY(status);
    }
    return RV_OK;
}

static rv_status add_config(sonata_circuit *c, json_t *config, const char *path, const char *folder, int depth, rv_error *error)
{
    if (!json_is_object(config)) return error_set(error, RV_WRONG_SHAPE, "\"%.200s\": is not a JSON object { ... }", path);
    TRY(apply_manifest(config, path, folder, error));
    TRY(resolve_paths(c, config, folder, error));
    TRY(add_children(c, config, path, depth, error));
    return json_object_update_recursive(c->config, config) == 0 ? RV_OK : error_memory(error, path, 0);
}

static rv_status add_file(sonata_circuit *c, const char *path, int depth, rv_error *error)
{
    json_t *config = sonata_json_read(path, error);
    if (!config) return error->status;
    const char *slash = strrchr(path, '/');
    char       *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");
    if (folder && !folder[0]) free(folder), folder = strdup("/");
    rv_status status = folder ? add_config(c, config, path, folder, depth, error) : error_memory(error, path, 0);
    free(folder);
    json_decref(config);
    return status;
}

static void check_keys(sonata_circuit *c)
{
    static const char *const root[] = { "components", "networks", "run", "conditions", "inputs", "output", "reports", "node_sets_file", "node_sets", "target_simulator", "version", "metadata",
                                        "connection_overrides", "node_set", "beta_features", "simulation_name", "name", NULL };
    static const char *const run[] = { "tstop", "duration", "tstart", "dt", "dL", "spike_threshold", "nsteps_block", "overwrite_output_dir", "block_run", "block_size", "n_thread", "precise_times",
                                       "allow_offgrid_spikes", "print_time", "random_seed", "stimulus_seed", "synapse_seed", "minis_seed", "ionchannel_seed", "integration_method", "forward_skip",
                                       "electrodes_file", "timing", NULL };
    static const char *const output[] = { "output_dir", "log_file", "log_level", "log_format", "log_to_console", "overwrite_output_dir", "spikes_file", "spikes_file_csv", "spikes_file_nwb",
                                          "spikes_sort_order", "compression", "quiet_simulator", "spikes_file_sort_order", NULL };
    sonata_known_keys(c, c->config, c->path, root);
    sonata_known_keys(c, json_object_get(c->config, "run"), "run", run);
    sonata_known_keys(c, json_object_get(c->config, "output"), "output", output);
}

static rv_status read_run(sonata_circuit *c, rv_error *error)
{
    const json_t *run = json_object_get(c->config, "run");
    double        start;
    TRY(sonata_number(run, "run", "tstop", NAN, &c->tstop, error));
    if (isnan(c->tstop)) TRY(sonata_number(run, "run", "duration", NAN, &c->tstop, error));
    TRY(sonata_number(run, "run", "dt", NAN, &c->dt, error));
    TRY(sonata_number(run, "run", "tstart", 0, &start, error));
    if (start != 0) return error_set(error, RV_OUT_OF_RANGE, "run: tstart = %g ms, allowed is 0: simulations begin there", start);
    if (c->options.tstop > 0) c->tstop = c->options.tstop;
    if (c->options.dt > 0) c->dt = c->options.dt;
    if (c->tstop <= 0) return error_set(error, RV_OUT_OF_RANGE, "run: tstop = %g ms, allowed is more than 0", c->tstop);
    if (c->dt <= 0) return error_set(error, RV_OUT_OF_RANGE, "run: dt = %g ms, allowed is more than 0", c->dt);
    return RV_OK;
}

rv_status sonata_config_read(sonata_circuit *c, const char *const *paths, int n_paths, rv_error *error)
{
    c->config = json_object();
    c->path = strdup(paths[n_paths - 1]);
    if (!c->config || !c->path) return error_memory(error, paths[0], 0);
    for (int k = 0; k < n_paths; k++) TRY(add_file(c, paths[k], 0, error));
    check_keys(c);
    const char *sets = sonata_text(c->config, "node_sets_file");
    const json_t *own = json_object_get(c->config, "node_sets");
    if (sets && access(sets, F_OK) != 0) sonata_warn(c, "there is no \"%s\": node sets are unknown, names of populations serve", sets), sets = NULL;
    if (sets && !(c->node_sets = sonata_json_read(sets, error))) return error->status;
    if (!sets && json_is_object(own)) c->node_sets = json_incref((json_t *)own);
    if (c->node_sets && !json_is_object(c->node_sets)) return error_set(error, RV_WRONG_SHAPE, "\"%.200s\": is not an object of node sets", sets ? sets : c->path);
    return read_run(c, error);
}
