/* Reads SANA-FE's networks in the forms that sanafe_write() and its own examples have: netlists, and YAML with one item a line and its
 * attributes in braces. Attributes that have no meaning for Loihi's neurons (logging, units) are passed over. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/sanafe.h"
#include "sim/error.h"

typedef enum section { HEAD, GROUPS, EDGES, MAPPINGS } section;

typedef struct reader {
    const char *path;
    FILE       *file;
    char       *line;
    size_t      room;
    int         number; /* of the line */
    section     section;
    sanafe_net *s;
    rv_error   *error;
} reader;

#define refuse(r, ...) error_in_file((r)->error, (r)->path, (r)->number, __VA_ARGS__)

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

/* Whether the text goes on with a word; then it is passed. */
static bool pass(const char **at, const char *word)
{
    const char *from = skip_blanks(*at);
    size_t      n = strlen(word);
    if (strncmp(from, word, n) != 0) return false;
    *at = skip_blanks(from + n);
    return true;
}

static bool pass_number(const char **at, int64_t *x)
{
    char *end;
    errno = 0;
    *x = strtoll(*at, &end, 10);
    if (end == *at || errno || *x < 0 || *x > INT32_MAX) return false;
    *at = end;
    return true;
}

/* ---- what grows ------------------------------------------------------------------------------------------------------ */

/* Room for one more: doubled at every power of two. */
static void *grown(void *array, int64_t n, size_t item)
{
    if (n & (n - 1)) return array;
    return realloc(array, (size_t)(n ? 2 * n : 1) * item);
}

static rv_status add_neuron(reader *r)
{
    sanafe_net    *s = r->s;
    sanafe_neuron *n = grown(s->neuron, s->n_neurons, sizeof *n);
    if (!n) return error_memory(r->error, "neurons", (double)s->n_neurons * sizeof *n);
    s->neuron = n;
    n[s->n_neurons++] = (sanafe_neuron){ .leak_decay = 1, .tile = -1 };
    s->group[s->n_groups - 1].n++;
    return RV_OK;
}

static rv_status add_group(reader *r, const char *name, int length)
{
    sanafe_group *g = grown(r->s->group, r->s->n_groups, sizeof *g);
    if (!g) return error_memory(r->error, "groups", (double)r->s->n_groups * sizeof *g);
    r->s->group = g;
    g[r->s->n_groups] = (sanafe_group){ .first = r->s->n_neurons };
    snprintf(g[r->s->n_groups++].name, SANAFE_NAME, "%.*s", length, name);
    return RV_OK;
}

static rv_status add_edge(reader *r, int64_t source, int64_t target)
{
    sanafe_edge *e = grown(r->s->edge, r->s->n_edges, sizeof *e);
    if (!e) return error_memory(r->error, "edges", (double)r->s->n_edges * sizeof *e);
    r->s->edge = e;
    e[r->s->n_edges++] = (sanafe_edge){ .source = (int32_t)source, .target = (int32_t)target };
    return RV_OK;
}

static rv_status add_spike(reader *r, int64_t step)
{
    int64_t *x = grown(r->s->spike, r->s->n_spikes, sizeof *x);
    if (!x) return error_memory(r->error, "spikes", (double)r->s->n_spikes * sizeof *x);
    r->s->spike = x;
    x[r->s->n_spikes++] = step;
    return RV_OK;
}

/* ---- attributes --------------------------------------------------------------------------------------------------------- */

static rv_status read_spikes(reader *r, sanafe_neuron *n, const char *at)
{
    int64_t step = 0;
    n->first_spike = r->s->n_spikes, n->input = true;
    if (!pass(&at, "[")) return refuse(r, "spikes must be a list of 0 and 1: [0,1,...]");
    while (*at && *at != ']') {
        int64_t x;
        if (!pass_number(&at, &x) || x > 1) return refuse(r, "spikes must be a list of 0 and 1: [0,1,...]");
        step++;
        if (x) TRY(add_spike(r, step));
        if (!pass(&at, ",") && *at != ']') return refuse(r, "spikes must be a list of 0 and 1: [0,1,...]");
    }
    n->n_spikes = r->s->n_spikes - n->first_spike;
    if (step > r->s->n_steps) r->s->n_steps = step;
    return RV_OK;
}

/* One attribute of one neuron. */
static rv_status set_neuron(reader *r, sanafe_neuron *n, const char *key, const char *value)
{
    const struct { const char *name; double *x; } numbers[] = { { "threshold", &n->threshold },     { "reset", &n->reset }, { "leak_decay", &n->leak_decay },
                                                                { "input_decay", &n->input_decay }, { "bias", &n->bias } };
    static const char *const others[] = { "poisson", "rate", "refractory_delay", "reverse_threshold", "reverse_reset", "potential", "force_update" };
    if (strcmp(key, "spikes") == 0) return read_spikes(r, n, value);
    if (strcmp(key, "soma_hw_name") == 0 || strcmp(key, "soma") == 0) n->input |= strstr(value, "input") != NULL;
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
        if (strcmp(key, numbers[k].name) == 0) *numbers[k].x = strtod(value, NULL);
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        if (strcmp(key, others[k]) == 0) return refuse(r, "the attribute %s is not one of Ranvier's networks", key);
    return RV_OK;
}

static rv_status set_place(reader *r, sanafe_neuron *n, const char *at)
{
    int64_t tile, core;
    if (!pass_number(&at, &tile) || *at++ != '.' || !pass_number(&at, &core)) return refuse(r, "\"%.20s\" is not a core: tile.core", at);
    n->tile = (int32_t)tile, n->core = (int32_t)core;
    return RV_OK;
}

static rv_status set_edge(reader *r, sanafe_edge *e, const char *key, const char *value)
{
    double x = strtod(value, NULL);
    if (strcmp(key, "weight") == 0 || strcmp(key, "w") == 0) e->weight = x;
    if (strcmp(key, "delay") == 0 || strcmp(key, "d") == 0) {
        if (!(x >= 0 && x <= SANAFE_LONGEST_DELAY)) return refuse(r, "delay = %g, allowed 0 to %d", x, SANAFE_LONGEST_DELAY);
        e->delay = (int32_t)x;
    }
    return RV_OK;
}

/* Where the value that begins here ends: at a comma, a blank (netlists) or the closing bracket of what it is in. */
static const char *end_of_value(const char *at, bool netlist)
{
    int depth = 0;
    for (; *at && *at != '\n'; at++) {
        if (*at == '[' || *at == '{') depth++;
        if (depth == 0 && (*at == ']' || *at == '}' || *at == ',' || (netlist && *at == ' '))) break;
        if (*at == ']' || *at == '}') depth--;
    }
    return at;
}

/* Takes the next attribute, "key: value" or "key=value". @param value result; ends where the next begins @return whether there is one */
static bool next_attribute(char **at, char key[32], char **value, bool netlist)
{
    char *from = *at;
    while (*from == ' ' || *from == ',' || *from == '{' || *from == '[') from++;
    size_t n = strcspn(from, netlist ? "=:" : ":");
    if (!from[n] || n == 0 || n > 31) return false;
    snprintf(key, 32, "%.*s", (int)n, from);
    *value = (char *)skip_blanks(from + n + 1);
    char *end = (char *)end_of_value(*value, netlist);
    if (**value == '"') ++*value;
    *at = *end ? end + 1 : end;
    *end = 0;
    return true;
}

static rv_status set_range(reader *r, int64_t first, int64_t last, const char *key, const char *value)
{
    for (int64_t j = first; j <= last; j++) TRY(set_neuron(r, &r->s->neuron[j], key, value));
    return RV_OK;
}

/* ---- names ----------------------------------------------------------------------------------------------------------------- */

/* "group.number" or "group.a..b", by the group's name or, in netlists, its number. */
static rv_status pass_neurons(reader *r, const char **at, bool netlist, int64_t *first, int64_t *last)
{
    const char         *from = skip_blanks(*at), *dot = strchr(from, '.');
    const sanafe_group *g = NULL;
    int64_t             a, b, number;
    for (int k = 0; dot && k < r->s->n_groups && !netlist && !g; k++)
        if (strlen(r->s->group[k].name) == (size_t)(dot - from) && strncmp(r->s->group[k].name, from, (size_t)(dot - from)) == 0) g = &r->s->group[k];
    if (netlist && dot && pass_number(&from, &number) && number < r->s->n_groups) g = &r->s->group[number];
    if (!g) return refuse(r, "\"%.30s\" is not a neuron of a group that was given before", skip_blanks(*at));
    *at = dot + 1;
    if (!pass_number(at, &a)) return refuse(r, "\"%.30s\" is not the number of a neuron", *at);
    b = a;
    if (strncmp(*at, "..", 2) == 0 && (*at += 2, !pass_number(at, &b))) return refuse(r, "\"%.30s\" is not the number of a neuron", *at);
    if (a > b || b >= g->n) return refuse(r, "neuron %lld of %s, allowed 0 to %lld", (long long)b, g->name, (long long)g->n - 1);
    *first = g->first + a, *last = g->first + b;
    return RV_OK;
}

/* ---- netlists --------------------------------------------------------------------------------------------------------------- */

static rv_status read_net_group(reader *r, char *at)
{
    int64_t     n;
    const char *from = skip_blanks(at);
    char        key[32], name[24], *value;
    if (!pass_number(&from, &n) || n < 1) return refuse(r, "a group begins with its number of neurons");
    TRY(add_group(r, name, snprintf(name, sizeof name, "%d", r->s->n_groups)));
    for (int64_t i = 0; i < n; i++) TRY(add_neuron(r));
    at = (char *)from;
    while (next_attribute(&at, key, &value, true)) TRY(set_range(r, r->s->n_neurons - n, r->s->n_neurons - 1, key, value));
    return RV_OK;
}

static rv_status read_net_neuron(reader *r, char *at)
{
    const char *from = at;
    char        key[32], *value;
    int64_t     first, last;
    TRY(pass_neurons(r, &from, true, &first, &last));
    at = (char *)from;
    while (next_attribute(&at, key, &value, true)) TRY(set_range(r, first, last, key, value));
    return RV_OK;
}

static rv_status read_edge(reader *r, char *at, bool netlist)
{
    const char *from = at;
    char        key[32], *value;
    int64_t     source, target, last;
    TRY(pass_neurons(r, &from, netlist, &source, &last));
    if (!pass(&from, "->")) return refuse(r, "an edge is source -> target");
    TRY(pass_neurons(r, &from, netlist, &target, &last));
    TRY(add_edge(r, source, target));
    at = (char *)from + (*from == ':');
    while (next_attribute(&at, key, &value, netlist)) TRY(set_edge(r, &r->s->edge[r->s->n_edges - 1], key, value));
    return RV_OK;
}

static rv_status read_net_mapping(reader *r, char *at)
{
    const char *from = at;
    int64_t     first, last;
    TRY(pass_neurons(r, &from, true, &first, &last));
    if (!pass(&from, "@")) return refuse(r, "a mapping is group.neuron@tile.core");
    for (int64_t j = first; j <= last; j++) TRY(set_place(r, &r->s->neuron[j], from));
    return RV_OK;
}

static rv_status read_net_line(reader *r, char *at)
{
    switch (*at) {
    case 'g': return read_net_group(r, at + 1);
    case 'n': return read_net_neuron(r, at + 1);
    case 'e': return read_edge(r, at + 1, true);
    case '&': return read_net_mapping(r, at + 1);
    default: return refuse(r, "\"%.30s\" begins with none of g, n, e and &", at);
    }
}

/* ---- YAML --------------------------------------------------------------------------------------------------------------------- */

/* The attributes of a group are kept for the neurons that follow: as the line was. */
typedef struct defaults {
    char *text;
} defaults;

static rv_status apply(reader *r, const char *text, int64_t first, int64_t last)
{
    char      key[32], *value, *copy = strdup(text ? text : ""), *at = copy;
    rv_status status = copy ? RV_OK : error_memory(r->error, "attributes", 0);
    while (status == RV_OK && next_attribute(&at, key, &value, false)) status = set_range(r, first, last, key, value);
    free(copy);
    return status;
}

static rv_status read_yaml_neurons(reader *r, const char *at, const defaults *d)
{
    int64_t first, last, before = r->s->n_neurons;
    if (r->s->n_groups == 0 || !pass_number(&at, &first)) return refuse(r, "\"%.30s\" is not a neuron of a group", at);
    last = first;
    if (strncmp(at, "..", 2) == 0 && (at += 2, !pass_number(&at, &last))) return refuse(r, "\"%.30s\" is not the number of a neuron", at);
    if (!pass(&at, ":") || first != r->s->group[r->s->n_groups - 1].n || last < first) return refuse(r, "neurons are numbered from 0 without gaps");
    for (int64_t i = first; i <= last; i++) TRY(add_neuron(r));
    TRY(apply(r, d->text, before, r->s->n_neurons - 1));
    return apply(r, at, before, r->s->n_neurons - 1);
}

static rv_status read_yaml_mapping(reader *r, const char *from)
{
    char    key[32], *value, *at;
    int64_t first, last;
    TRY(pass_neurons(r, &from, false, &first, &last));
    if (!pass(&from, ":")) return refuse(r, "a mapping is group.neuron: {core: tile.core, ...}");
    at = (char *)from;
    while (next_attribute(&at, key, &value, false)) {
        if (strcmp(key, "soma") == 0) TRY(set_range(r, first, last, key, value));
        for (int64_t j = first; j <= last && strcmp(key, "core") == 0; j++) TRY(set_place(r, &r->s->neuron[j], value));
    }
    return RV_OK;
}

static rv_status keep_defaults(reader *r, const char *at, defaults *d)
{
    free(d->text);
    d->text = strdup(at);
    return d->text ? RV_OK : error_memory(r->error, "attributes", 0);
}

static rv_status read_yaml_line(reader *r, const char *at, defaults *d)
{
    if (pass(&at, "network:")) return RV_OK;
    if (pass(&at, "groups:")) return r->section = GROUPS, RV_OK;
    if (pass(&at, "edges:")) return r->section = EDGES, RV_OK;
    if (pass(&at, "mappings:")) return r->section = MAPPINGS, RV_OK;
    if (pass(&at, "name:") || pass(&at, "neurons:")) return RV_OK;
    if (pass(&at, "attributes:")) return keep_defaults(r, at, d);
    if (!pass(&at, "-")) return refuse(r, "\"%.30s\" is not of a form that is read", at);
    if (r->section == GROUPS && pass(&at, "name:")) {
        TRY(keep_defaults(r, "", d));
        return add_group(r, at, (int)strlen(at));
    }
    switch (r->section) {
    case GROUPS: return read_yaml_neurons(r, at, d);
    case EDGES: return read_edge(r, (char *)at, false);
    case MAPPINGS: return read_yaml_mapping(r, at);
    default: return refuse(r, "an item before groups, edges or mappings");
    }
}

/* ---- the file -------------------------------------------------------------------------------------------------------------------- */

static rv_status read_lines(reader *r, bool netlist)
{
    defaults  d = { 0 };
    rv_status status = RV_OK;
    while (status == RV_OK && getline(&r->line, &r->room, r->file) > 0) {
        r->line[strcspn(r->line, "\r\n")] = 0;
        r->number++;
        const char *at = skip_blanks(r->line);
        if (!*at || *at == '#') continue;
        status = netlist ? read_net_line(r, (char *)at) : read_yaml_line(r, at, &d);
    }
    free(d.text);
    return status;
}

static rv_status check(reader *r)
{
    if (r->s->n_neurons == 0) return error_set(r->error, RV_FILE_ERROR, "\"%s\" holds no neurons: it is not a network of SANA-FE", r->path);
    for (int64_t j = 0; j < r->s->n_neurons; j++)
        if (r->s->neuron[j].tile < 0) return error_set(r->error, RV_FILE_ERROR, "\"%s\": neuron %lld is not mapped to a core", r->path, (long long)j);
    for (int k = 0; k < r->s->n_groups; k++)
        if (r->s->group[k].n == 0) return error_set(r->error, RV_FILE_ERROR, "\"%s\": group \"%s\" has no neurons", r->path, r->s->group[k].name);
    sanafe_sort_edges(r->s);
    return RV_OK;
}

rv_status sanafe_read(const char *path, sanafe_net *s, rv_error *error)
{
    reader r = { .path = path, .s = s, .error = error };
    size_t length = strlen(path);
    *s = (sanafe_net){ 0 };
    if (!(r.file = fopen(path, "r"))) return error_set(error, RV_FILE_ERROR, "file \"%s\" cannot be opened: %s", path, strerror(errno));
    rv_status status = read_lines(&r, length > 4 && strcmp(path + length - 4, ".net") == 0);
    if (status == RV_OK) status = check(&r);
    fclose(r.file);
    free(r.line);
    if (status != RV_OK) sanafe_free(s);
    return status;
}
