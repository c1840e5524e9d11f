/* The JSON. Values of nodes and edges stand in lists; the properties say at which place, and whether they are whole (73), real (68) or
 * true and false (66). */
#include "hw/tennlab.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

enum { WHOLE = 73, REAL = 68, TRUTH = 66, MOST_DELAY = 1000000 };

typedef struct reader {
    const char  *path;
    json_t      *root, *params;
    int          threshold, leak, weight, delay; /* places of values; -1: none */
    tennlab_net *t;
    rv_error    *error;
} reader;

#define refuse(r, ...) error_in_file((r)->error, (r)->path, 0, __VA_ARGS__)

/* ---- parameters of the processor -------------------------------------------------------------------------------------- */

static rv_status number(const reader *r, const char *name, double standard, double *x)
{
    json_t *value = json_object_get(r->params, name);
    *x = standard;
    if (!value && !isnan(standard)) return RV_OK;
    if (!json_is_number(value)) return refuse(r, "proc_params must have a number %s", name);
    *x = json_number_value(value);
    return RV_OK;
}

static rv_status truth(const reader *r, const char *name, bool standard, bool *x)
{
    json_t *value = json_object_get(r->params, name);
    *x = value ? json_is_true(value) : standard;
    return !value || json_is_boolean(value) ? RV_OK : refuse(r, "%s in proc_params must be true or false", name);
}

static rv_status read_leak_mode(const reader *r)
{
    json_t     *value = json_object_get(r->params, "leak_mode");
    const char *mode = value ? json_string_value(value) : "none";
    if (!mode || (strcmp(mode, "none") != 0 && strcmp(mode, "all") != 0 && strcmp(mode, "configurable") != 0))
        return refuse(r, "leak_mode in proc_params must be \"none\", \"all\" or \"configurable\"");
    r->t->leak_mode = mode[0];
    return RV_OK;
}

static rv_status check_processor(const reader *r)
{
    static const char *const unknown[] = { "weights", "stds", "inputs_from_weights" };
    const char              *name = json_string_value(json_object_get(json_object_get(json_object_get(r->root, "Associated_Data"), "other"), "proc_name"));
    double                   noise;
    if (!json_is_object(r->params)) return refuse(r, "has no Associated_Data.proc_params: it is not a network of TENNLab's RISP");
    if (name && strcmp(name, "risp") != 0) return refuse(r, "is for the processor \"%.40s\", allowed is risp", name);
    for (size_t k = 0; k < sizeof unknown / sizeof *unknown; k++)
        if (json_array_size(json_object_get(r->params, unknown[k])) || json_is_true(json_object_get(r->params, unknown[k])))
            return refuse(r, "%s in proc_params is not emulated: let the edges hold the weights themselves", unknown[k]);
    TRY(number(r, "noisy_stddev", 0, &noise));
    return noise == 0 ? RV_OK : refuse(r, "noisy_stddev = %g, but noise is not emulated: set it to 0", noise);
}

static rv_status read_params(reader *r)
{
    tennlab_net *t = r->t;
    double       max_delay;
    r->params = json_object_get(json_object_get(r->root, "Associated_Data"), "proc_params");
    TRY(check_processor(r));
    TRY(truth(r, "discrete", true, &t->discrete));
    TRY(truth(r, "threshold_inclusive", true, &t->threshold_inclusive));
    TRY(truth(r, "fire_like_ravens", false, &t->fire_like_ravens));
    TRY(truth(r, "run_time_inclusive", false, &t->run_time_inclusive));
    TRY(read_leak_mode(r));
    TRY(number(r, "min_potential", NAN, &t->min_potential));
    TRY(number(r, "min_weight", -1, &t->min_weight));
    TRY(number(r, "max_weight", 1, &t->max_weight));
    TRY(number(r, "min_threshold", NAN, &t->min_threshold));
    TRY(number(r, "max_threshold", NAN, &t->max_threshold));
    TRY(number(r, "spike_value_factor", t->max_weight, &t->spike_value_factor));
    TRY(number(r, "max_delay", NAN, &max_delay));
    if (!(max_delay >= 1 && max_delay <= MOST_DELAY)) return refuse(r, "max_delay = %g in proc_params, allowed 1 to %d", max_delay, MOST_DELAY);
    t->max_delay = (int64_t)max_delay;
    return t->min_potential <= 0 ? RV_OK : refuse(r, "min_potential = %g in proc_params, allowed is 0 or less", t->min_potential);
}

/* ---- nodes and edges ----------------------------------------------------------------------------------------------------- */

static int place_of(const reader *r, const char *kind, const char *name)
{
    json_t *list = json_object_get(json_object_get(r->root, "Properties"), kind), *property;
    size_t  k;
    json_array_foreach(list, k, property)
    {
        const char *other = json_string_value(json_object_get(property, "name"));
        if (other && strcmp(other, name) == 0) return (int)json_integer_value(json_object_get(property, "index"));
    }
    return -1;
}

static rv_status find_places(reader *r)
{
    r->threshold = place_of(r, "node_properties", "Threshold"), r->leak = place_of(r, "node_properties", "Leak");
    r->weight = place_of(r, "edge_properties", "Weight"), r->delay = place_of(r, "edge_properties", "Delay");
    if (r->threshold < 0 || r->weight < 0 || r->delay < 0) return refuse(r, "Properties must have Threshold of nodes and Weight and Delay of edges");
    if (r->t->leak_mode == 'c' && r->leak < 0) return refuse(r, "leak_mode is \"configurable\", but Properties have no Leak of nodes");
    return RV_OK;
}

/* A value of a node or an edge. */
static rv_status value(const reader *r, json_t *object, const char *what, size_t k, int place, double *x)
{
    json_t *v = json_array_get(json_object_get(object, "values"), (size_t)place);
    if (!json_is_number(v)) return refuse(r, "%s %zu has no value at place %d", what, k, place);
    *x = json_number_value(v);
    return RV_OK;
}

static int by_id(const void *a, const void *b)
{
    const tennlab_node *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

/* The place of the node with an id, -1 if there is none. */
static int64_t node_of(const tennlab_net *t, const json_t *id)
{
    tennlab_node key = { .id = json_integer_value(id) }, *found = json_is_integer(id) && t->n_nodes ? bsearch(&key, t->node, (size_t)t->n_nodes, sizeof *t->node, by_id) : NULL;
    return found ? found - t->node : -1;
}

static rv_status read_node(const reader *r, size_t k, json_t *object)
{
    tennlab_node *n = &r->t->node[k];
    double        leak = r->t->leak_mode == 'a';
    if (!json_is_integer(json_object_get(object, "id"))) return refuse(r, "node %zu has no id", k);
    n->id = json_integer_value(json_object_get(object, "id"));
    TRY(value(r, object, "node", k, r->threshold, &n->threshold));
    if (r->t->leak_mode == 'c') TRY(value(r, object, "node", k, r->leak, &leak));
    n->leak = leak != 0;
    return RV_OK;
}

static rv_status read_nodes(const reader *r)
{
    json_t *list = json_object_get(r->root, "Nodes"), *object;
    size_t  k;
    if (!json_array_size(list)) return refuse(r, "has no Nodes");
    r->t->node = calloc(json_array_size(list), sizeof *r->t->node);
    if (!r->t->node) return error_memory(r->error, "nodes", 0);
    json_array_foreach(list, k, object) TRY(read_node(r, k, object));
    r->t->n_nodes = (int64_t)json_array_size(list);
    qsort(r->t->node, (size_t)r->t->n_nodes, sizeof *r->t->node, by_id);
    for (int64_t i = 1; i < r->t->n_nodes; i++)
        if (r->t->node[i].id == r->t->node[i - 1].id) return refuse(r, "two nodes have the id %lld", (long long)r->t->node[i].id);
    return RV_OK;
}

static rv_status read_edge(const reader *r, size_t k, json_t *object)
{
    tennlab_edge *e = &r->t->edge[k];
    double        delay = 0;
    e->from = node_of(r->t, json_object_get(object, "from")), e->to = node_of(r->t, json_object_get(object, "to"));
    if (e->from < 0 || e->to < 0) return refuse(r, "edge %zu begins or ends at a node that is not there", k);
    TRY(value(r, object, "edge", k, r->weight, &e->weight));
    TRY(value(r, object, "edge", k, r->delay, &delay));
    if (!(delay >= 1 && delay <= MOST_DELAY) || delay != rint(delay)) return refuse(r, "edge %zu has a delay of %g, allowed are whole numbers from 1 to %d", k, delay, MOST_DELAY);
    e->delay = (int64_t)delay;
    return RV_OK;
}

static rv_status read_edges(const reader *r)
{
    json_t *list = json_object_get(r->root, "Edges"), *object;
    size_t  k;
    r->t->edge = calloc(json_array_size(list) + 1, sizeof *r->t->edge);
    if (!r->t->edge) return error_memory(r->error, "edges", 0);
    json_array_foreach(list, k, object) TRY(read_edge(r, k, object));
    r->t->n_edges = (int64_t)json_array_size(list);
    return RV_OK;
}

static rv_status read_ids(const reader *r, const char *name, int64_t **places, int64_t *n)
{
    json_t *list = json_object_get(r->root, name), *id;
    size_t  k;
    *places = calloc(json_array_size(list) + 1, sizeof **places);
    if (!*places) return error_memory(r->error, name, 0);
    json_array_foreach(list, k, id)
    {
        (*places)[k] = node_of(r->t, id);
        if ((*places)[k] < 0) return refuse(r, "%s names a node that is not there at place %zu", name, k);
    }
    *n = (int64_t)json_array_size(list);
    return RV_OK;
}

/* Whole numbers, where the processor is said to work in them. */
static rv_status check_numbers(const reader *r)
{
    for (int64_t k = 0; k < r->t->n_nodes && r->t->discrete; k++)
        if (r->t->node[k].threshold != rint(r->t->node[k].threshold))
            return refuse(r, "node %lld has a threshold of %g, but discrete is true: allowed are whole numbers", (long long)r->t->node[k].id, r->t->node[k].threshold);
    for (int64_t k = 0; k < r->t->n_edges && r->t->discrete; k++)
        if (r->t->edge[k].weight != rint(r->t->edge[k].weight))
            return refuse(r, "edge %lld has a weight of %g, but discrete is true: allowed are whole numbers", (long long)k, r->t->edge[k].weight);
    return RV_OK;
}

static rv_status read_all(reader *r)
{
    TRY(read_params(r));
    TRY(find_places(r));
    TRY(read_nodes(r));
    TRY(read_edges(r));
    TRY(read_ids(r, "Inputs", &r->t->input, &r->t->n_inputs));
    TRY(read_ids(r, "Outputs", &r->t->output, &r->t->n_outputs));
    return check_numbers(r);
}

rv_status tennlab_read(const char *path, tennlab_net *t, rv_error *error)
{
    json_error_t why;
    reader       r = { .path = path, .root = json_load_file(path, JSON_REJECT_DUPLICATES, &why), .t = t, .error = error };
    *t = (tennlab_net){ 0 };
    if (!r.root) return error_set(error, RV_FILE_ERROR, "\"%s\", line %d: %.200s", path, why.line, why.text);
    rv_status status = read_all(&r);
    json_decref(r.root);
    if (status != RV_OK) tennlab_free(t);
    return status;
}

void tennlab_free(tennlab_net *t)
{
    free(t->node), free(t->edge), free(t->input), free(t->output);
    *t = (tennlab_net){ 0 };
}

double tennlab_margin(const tennlab_net *t) { return t->threshold_inclusive ? 0 : t->discrete ? 1 : 1e-7; }

/* ---- writing ------------------------------------------------------------------------------------------------------------- */

static json_t *property(const char *name, int index, int type, double low, double high)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:f, s:f}", "name", name, "type", type, "index", index, "size", 1, "min_value", low, "max_value", high);
}

static json_t *properties(const tennlab_net *t)
{
    int     type = t->discrete ? WHOLE : REAL;
    json_t *node = json_pack("[o]", property("Threshold", 0, type, t->min_threshold, t->max_threshold));
    if (t->leak_mode == 'c') json_array_append_new(node, property("Leak", 1, TRUTH, 0, 1));
    json_t *edge = json_pack("[o, o]", property("Weight", 0, type, t->min_weight, t->max_weight), property("Delay", 1, WHOLE, 1, (double)t->max_delay));
    return json_pack("{s:o, s:o, s:[]}", "node_properties", node, "edge_properties", edge, "network_properties");
}

static json_t *processor(const tennlab_net *t)
{
    const char *mode = t->leak_mode == 'a' ? "all" : t->leak_mode == 'c' ? "configurable" : "none";
    json_t     *params = json_pack("{s:b, s:b, s:b, s:b, s:s, s:I}", "discrete", t->discrete, "threshold_inclusive", t->threshold_inclusive, "fire_like_ravens", t->fire_like_ravens,
                                   "run_time_inclusive", t->run_time_inclusive, "leak_mode", mode, "max_delay", (json_int_t)t->max_delay);
    json_t     *numbers = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "min_potential", t->min_potential, "spike_value_factor", t->spike_value_factor, "min_weight", t->min_weight,
                                    "max_weight", t->max_weight, "min_threshold", t->min_threshold, "max_threshold", t->max_threshold);
    json_object_update(params, numbers);
    json_decref(numbers);
    return json_pack("{s:o, s:{s:s}}", "proc_params", params, "other", "proc_name", "risp");
}

static json_t *ids(const tennlab_net *t, const int64_t *places, int64_t n)
{
    json_t *list = json_array();
    for (int64_t k = 0; k < n; k++) json_array_append_new(list, json_integer(t->node[places[k]].id));
    return list;
}

static json_t *nodes(const tennlab_net *t)
{
    json_t *list = json_array();
    for (int64_t k = 0; k < t->n_nodes; k++) {
        json_t *values = json_pack("[f]", t->node[k].threshold);
        if (t->leak_mode == 'c') json_array_append_new(values, json_real(t->node[k].leak));
        json_array_append_new(list, json_pack("{s:I, s:o}", "id", (json_int_t)t->node[k].id, "values", values));
    }
    return list;
}

static json_t *edges(const tennlab_net *t)
{
    json_t *list = json_array();
    for (int64_t k = 0; k < t->n_edges; k++) {
        const tennlab_edge *e = &t->edge[k];
        json_array_append_new(list, json_pack("{s:I, s:I, s:[f, f]}", "from", (json_int_t)t->node[e->from].id, "to", (json_int_t)t->node[e->to].id, "values", e->weight, (double)e->delay));
    }
    return list;
}

rv_status tennlab_write(const tennlab_net *t, const char *path, rv_error *error)
{
    json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:[]}", "Properties", properties(t), "Nodes", nodes(t), "Edges", edges(t), "Inputs", ids(t, t->input, t->n_inputs), "Outputs",
                             ids(t, t->output, t->n_outputs), "Associated_Data", processor(t), "Network_Values");
    if (!root) return error_memory(error, "the network", (double)t->n_edges * 200);
    int failed = json_dump_file(root, path, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(root);
    return failed ? error_set(error, RV_FILE_ERROR, "file \"%s\" cannot be written", path) : RV_OK;
}
