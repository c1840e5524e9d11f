/* Node sets: which nodes an expression selects. An object is a list of conditions that all have to hold (population and node_id
 * are special, everything else is an attribute), its lists are alternatives; a list of names is a union; a name is that of a set,
 * or of a population. {"$gt": x}, "$gte", "$lt", "$lte" and {"$regex": "..."} are those of the BBP dialect. {} selects nothing. */
#include "io/sonata_internal.h"

#include <regex.h>
#include <strings.h>

enum { MOST_DEPTH = 10 }; /* of names in names, as in libsonata */

typedef struct chooser {
    sonata_circuit *c;
    const char     *what; /* for sentences */
    rv_error       *error;
} chooser;

/* ---- conditions -------------------------------------------------------------------------------------------------- */

/* An attribute of one node; text NULL and number NAN: it has none. */
typedef struct attribute {
    const char *text;
    double      number;
} attribute;

static attribute value_of(const sonata_column *column, int64_t row)
{
    attribute a = { column->text ? column->text[row] : NULL, column->number ? column->number[row] : NAN };
    char     *end;
    if (!a.text) return a;
    a.number = strtod(a.text, &end);
    if (*end || end == a.text) a.number = NAN;
    return a;
}

static bool equals(const attribute *a, const json_t *wanted)
{
    if (json_is_number(wanted)) return a->number == json_number_value(wanted);
    if (json_is_boolean(wanted)) return a->number == json_is_true(wanted) || (a->text && strcasecmp(a->text, json_is_true(wanted) ? "true" : "false") == 0);
    if (!json_is_string(wanted)) return false;
    char  *end;
    double x = strtod(json_string_value(wanted), &end);
    if (a->text) return strcmp(a->text, json_string_value(wanted)) == 0;
    return json_string_value(wanted)[0] && !*end && a->number == x;
}

static bool compares(const attribute *a, const char *operator, double x)
{
    if (strcmp(operator, "$gt") == 0) return a->number > x;
    if (strcmp(operator, "$gte") == 0) return a->number >= x;
    if (strcmp(operator, "$lt") == 0) return a->number < x;
    return a->number <= x;
}

/* A value, a list of them, or operators. @param expression compiled from "$regex", or NULL */
static bool satisfies(const attribute *a, const json_t *wanted, const regex_t *expression)
{
    const char *operator;
    json_t     *x;
    size_t      k;
    if (json_is_array(wanted)) {
        json_array_foreach(wanted, k, x) if (equals(a, x)) return true;
        return false;
    }
    if (!json_is_object(wanted)) return equals(a, wanted);
    json_object_foreach((json_t *)wanted, operator, x)
    {
        if (strcmp(operator, "$regex") == 0 && !(a->text && expression && regexec(expression, a->text, 0, NULL, 0) == 0)) return false;
        if (strcmp(operator, "$regex") != 0 && !compares(a, operator, json_number_value(x))) return false;
    }
    return true;
}

static rv_status check_operators(const chooser *s, const char *attribute, const json_t *wanted, regex_t *expression, bool *compiled)
{
    static const char *const known[] = { "$regex", "$gt", "$gte", "$lt", "$lte" };
    const char              *operator;
    json_t                  *x;
    json_object_foreach((json_t *)wanted, operator, x)
    {
        int k = 0;
        while (k < COUNT(known) && strcmp(known[k], operator) != 0) k++;
        if (k == COUNT(known)) return error_unknown(s->error, s->what, "operator", operator, known, COUNT(known));
        if (k == 0 ? !json_is_string(x) : !json_is_number(x)) return error_set(s->error, RV_OUT_OF_RANGE, "%s: %s %s needs a %s", s->what, attribute, operator, k ? "number" : "text");
        if (k == 0 && regcomp(expression, json_string_value(x), REG_EXTENDED | REG_NOSUB) != 0)
            return error_set(s->error, RV_OUT_OF_RANGE, "%s: \"%.80s\" is not a regular expression", s->what, json_string_value(x));
        *compiled |= k == 0;
    }
    return RV_OK;
}

static bool is_id(const char *name) { return strcmp(name, "node_id") == 0 || strcmp(name, "node_ids") == 0; }

/* Clears the nodes of a population that do not satisfy a condition. */
static rv_status keep(const chooser *s, int population, const char *name, const json_t *wanted, const regex_t *expression, uint8_t *chosen)
{
    const sonata_nodes *nodes = &s->c->nodes[population];
    sonata_column       column = { 0 };
    if (strcmp(name, "population") == 0) {
        attribute a = { nodes->name, NAN };
        if (!satisfies(&a, wanted, expression)) memset(chosen, 0, (size_t)nodes->n);
        return RV_OK;
    }
    if (!is_id(name)) TRY(sonata_column_read(nodes, name, &column, s->error));
    for (int64_t i = 0; i < nodes->n; i++) {
        attribute a = is_id(name) ? (attribute){ NULL, (double)sonata_id(nodes, i) } : value_of(&column, i);
        if (chosen[i] && !satisfies(&a, wanted, expression)) chosen[i] = 0;
    }
    sonata_column_free(&column);
    return RV_OK;
}

/* Long lists of ids: by the ids, not by the nodes. */
static rv_status keep_listed(const sonata_nodes *nodes, const json_t *list, uint8_t *chosen)
{
    json_t *x;
    size_t  k;
    json_array_foreach(list, k, x)
    {
        int64_t row = json_is_integer(x) ? sonata_row(nodes, json_integer_value(x)) : -1;
        if (row >= 0 && chosen[row]) chosen[row] = 2;
    }
    for (int64_t i = 0; i < nodes->n; i++) chosen[i] = chosen[i] == 2;
    return RV_OK;
}

/* ---- expressions ------------------------------------------------------------------------------------------------- */

static rv_status choose_object(const chooser *s, const json_t *object, uint8_t **selected)
{
    uint8_t **chosen = calloc((size_t)s->c->n_nodes + 1, sizeof *chosen);
    if (!chosen) return error_memory(s->error, s->what, 0);
    rv_status status = RV_OK;
    for (int p = 0; p < s->c->n_nodes && status == RV_OK; p++) {
        chosen[p] = malloc((size_t)s->c->nodes[p].n + 1);
        if (!chosen[p]) status = error_memory(s->error, s->what, (double)s->c->nodes[p].n);
        else memset(chosen[p], json_object_size(object) > 0, (size_t)s->c->nodes[p].n);
    }
    const char *name;
    json_t     *wanted;
    json_object_foreach((json_t *)object, name, wanted)
    {
        regex_t expression;
        bool    compiled = false;
        if (strcmp(name, "node_ids") == 0) sonata_warn(s->c, "%s: \"node_ids\" is taken for node_id", s->what);
        if (status == RV_OK) status = check_operators(s, name, wanted, &expression, &compiled);
        for (int p = 0; p < s->c->n_nodes && status == RV_OK; p++)
            status = is_id(name) && json_is_array(wanted) ? keep_listed(&s->c->nodes[p], wanted, chosen[p]) : keep(s, p, name, wanted, compiled ? &expression : NULL, chosen[p]);
        if (compiled) regfree(&expression);
    }
    for (int p = 0; p < s->c->n_nodes && status == RV_OK; p++)
        for (int64_t i = 0; i < s->c->nodes[p].n; i++) selected[p][i] |= chosen[p][i];
    sonata_selection_free(s->c, chosen);
    return status;
}

static rv_status unknown_set(const chooser *s, const char *name)
{
    int          n = 0;
    const char **names = calloc(json_object_size(s->c->node_sets) + (size_t)s->c->n_nodes + 1, sizeof *names), *key;
    json_t      *value;
    if (!names) return error_memory(s->error, s->what, 0);
    json_object_foreach(s->c->node_sets, key, value) names[n++] = key;
    for (int k = 0; k < s->c->n_nodes; k++) names[n++] = s->c->nodes[k].name;
    rv_status status = error_unknown(s->error, s->what, "node set or population", name, names, n);
    free(names);
    return status;
}

static rv_status choose(const chooser *s, const json_t *expression, int depth, uint8_t **selected);

static rv_status choose_name(const chooser *s, const char *name, int depth, uint8_t **selected)
{
    const json_t *set = json_object_get(s->c->node_sets, name);
    if (depth > MOST_DEPTH) return error_set(s->error, RV_CONFLICT, "%s: node set \"%.80s\": sets that name each other more than %d deep, or in a circle", s->what, name, MOST_DEPTH);
    if (set) return choose(s, set, depth + 1, selected);
    int population = sonata_nodes_find(s->c, name);
    if (population < 0) return unknown_set(s, name);
    memset(selected[population], 1, (size_t)s->c->nodes[population].n);
    return RV_OK;
}

/* Bare numbers are node ids where only one population is simulated. */
static rv_status choose_ids(const chooser *s, const json_t *list, uint8_t **selected)
{
    int found = -1, count = 0;
    for (int p = 0; p < s->c->n_nodes; p++) {
        bool simulated = false;
        for (int k = 0; k < s->c->nodes[p].n_parts; k++) simulated |= !s->c->nodes[p].part[k].is_virtual;
        if (simulated) found = p, count++;
    }
    if (count != 1) return error_set(s->error, RV_CONFLICT, "%s: a list of numbers, but %d populations are simulated: { \"population\": ..., \"node_id\": [...] } says which", s->what, count);
    memset(selected[found], 1, (size_t)s->c->nodes[found].n);
    return keep_listed(&s->c->nodes[found], list, selected[found]);
}

static rv_status choose(const chooser *s, const json_t *expression, int depth, uint8_t **selected)
{
    json_t *name;
    size_t  k;
    if (json_is_string(expression)) return choose_name(s, json_string_value(expression), depth, selected);
    if (json_is_object(expression)) return choose_object(s, expression, selected);
    if (!json_is_array(expression)) return error_set(s->error, RV_WRONG_SHAPE, "%s: no node set is given: a name, a list of names, or { attribute: value }", s->what);
    if (json_is_integer(json_array_get(expression, 0))) return choose_ids(s, expression, selected);
    json_array_foreach(expression, k, name)
    {
        if (!json_is_string(name)) return error_set(s->error, RV_WRONG_SHAPE, "%s: a list of node sets holds names", s->what);
        TRY(choose_name(s, json_string_value(name), depth, selected));
    }
    return RV_OK;
}

rv_status sonata_select(sonata_circuit *c, const json_t *expression, const char *what, uint8_t ***selected, rv_error *error)
{
    chooser s = { c, what, error };
    *selected = calloc((size_t)c->n_nodes + 1, sizeof **selected);
    if (!*selected) return error_memory(error, what, 0);
    for (int p = 0; p < c->n_nodes; p++)
        if (!((*selected)[p] = calloc((size_t)c->nodes[p].n + 1, 1))) return error_memory(error, what, (double)c->nodes[p].n);
    return choose(&s, expression, 0, *selected);
}

void sonata_selection_free(const sonata_circuit *c, uint8_t **selected)
{
    for (int p = 0; selected && p < c->n_nodes; p++) free(selected[p]);
    free(selected);
}

/* ---- stretches --------------------------------------------------------------------------------------------------- */

/* The places of the selected neurons of a part. @return their number */
static int64_t list_places(const sonata_nodes *nodes, const uint8_t *selected, int part, int64_t *place)
{
    const sonata_part *p = &nodes->part[part];
    int64_t            n = 0;
    for (int64_t i = 0; i < p->n; i++)
        if (selected[p->row ? p->row[i] : i]) place[n++] = i;
    return n;
}

/* Each stretch goes on as long as the distance stays the same. */
rv_status sonata_stretches(const sonata_nodes *nodes, const uint8_t *selected, int part, sonata_stretch_fn f, void *user)
{
    int64_t *place = malloc(((size_t)nodes->part[part].n + 1) * sizeof *place);
    if (!place) return RV_OUT_OF_MEMORY;
    int64_t   n = list_places(nodes, selected, part, place);
    rv_status status = RV_OK;
    for (int64_t k = 0, count; k < n && status == RV_OK; k += count) {
        int64_t stride = k + 1 < n ? place[k + 1] - place[k] : 1;
        for (count = 1; k + count < n && place[k + count] - place[k + count - 1] == stride;) count++;
        if (count == 1) stride = 1;
        status = f(user, (rv_slice){ nodes->part[part].population, place[k], count, stride });
    }
    free(place);
    return status;
}
