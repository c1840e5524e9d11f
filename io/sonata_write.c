/* Saving a network as a circuit:
 *
 *   config.json, circuit_config.json, simulation_config.json, node_sets.json
 *   network/<population>_nodes.h5, _node_types.csv; network/<source>_<target>_edges.h5, _edge_types.csv
 *   components/point_neuron_models/<population>.json, components/synaptic_models/<edges>.json
 *   inputs/<population>_spikes.h5
 *
 * A population has one type of nodes, a projection one type of edges. What bmtk and NEST cannot do, and SONATA has no word for, is
 * said in words of our own that they pass over: run.timing, and inputs of the type "ranvier". */
#include "io/sonata_write.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>

char *sonata_save_path(const char *folder, const char *stem, const char *ending)
{
    char     name[SONATA_TEXT];
    unsigned hash = 0; /* so that names that differ only in what is replaced stay apart */
    bool     replaced = false;
    size_t   n = (size_t)snprintf(name, 320, "%.300s", stem);
    for (char *at = name; *at; at++) {
        hash = hash * 31 + (unsigned char)*at;
        if (isalnum((unsigned char)*at) || strchr("_-.+", *at)) continue;
        *at = '_', replaced = true;
    }
    if (replaced) n += (size_t)snprintf(name + n, 16, "-%08x", hash);
    snprintf(name + n, sizeof name - n, "%.100s", ending);
    return sonata_join(folder, name);
}

rv_status sonata_save_json(const saver *s, const char *folder, const char *stem, const char *ending, const json_t *json)
{
    char *where = sonata_join(s->dir, folder), *path = where ? sonata_save_path(where, stem, ending) : NULL;
    bool  written = path && json_dump_file(json, path, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) == 0;
    rv_status status = written ? RV_OK : path ? error_set(s->error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno)) : error_memory(s->error, "a path", 0);
    free(where), free(path);
    return status;
}

/* ---- configs ----------------------------------------------------------------------------------------------------- */

static json_t *circuit_config(const saver *s)
{
    return json_pack("{s{ssssss},s{ssss},s{sOsO},ss}", "manifest", "$BASE_DIR", ".", "$NETWORK_DIR", "$BASE_DIR/network", "$COMPONENT_DIR", "$BASE_DIR/components", "components", "point_neuron_models_dir",
                     "$COMPONENT_DIR/point_neuron_models", "synaptic_models_dir", "$COMPONENT_DIR/synaptic_models", "networks", "nodes", s->nodes, "edges", s->edges, "target_simulator", "NEST");
}

static json_t *simulation_config(const saver *s, double tstop)
{
    json_t *run = json_pack("{sfsf}", "tstop", tstop, "dt", rv_resolution(s->net));
    json_object_set_new(run, "random_seed", json_integer((json_int_t)rv_seed(s->net)));
    if (rv_net_timing(s->net) == RV_EXACT) json_object_set_new(run, "timing", json_string("exact"));
    return json_pack("{s{ssssss},ss,ss,ss,so,sO,s{sssssssb}}", "manifest", "$BASE_DIR", ".", "$INPUT_DIR", "$BASE_DIR/inputs", "$OUTPUT_DIR", "$BASE_DIR/output", "network", "$BASE_DIR/circuit_config.json",
                     "target_simulator", "NEST", "node_sets_file", "$BASE_DIR/node_sets.json", "run", run, "inputs", s->inputs, "output", "output_dir", "$OUTPUT_DIR", "spikes_file", "spikes.h5",
                     "spikes_sort_order", "time", "overwrite_output_dir", 1);
}

static json_t *node_sets(const saver *s)
{
    json_t *sets = json_object();
    for (int p = 0; p < s->net->def.n_populations; p++) json_object_set_new(sets, s->net->def.population[p].name, json_pack("{ss}", "population", s->net->def.population[p].name));
    return sets;
}

static rv_status save_configs(const saver *s, double tstop)
{
    json_t     *configs[] = { circuit_config(s), simulation_config(s, tstop), node_sets(s), json_pack("{ssss}", "network", "./circuit_config.json", "simulation", "./simulation_config.json") };
    const char *names[] = { "circuit_config", "simulation_config", "node_sets", "config" };
    rv_status   status = RV_OK;
    for (int k = 0; k < COUNT(configs); k++) {
        if (status == RV_OK) status = configs[k] ? sonata_save_json(s, "", names[k], ".json", configs[k]) : error_memory(s->error, names[k], 0);
        json_decref(configs[k]);
    }
    return status;
}

/* ---- inputs ------------------------------------------------------------------------------------------------------ */

static json_t *nodes_of(const saver *s, const neuron_range *r)
{
    const population_def *p = &s->net->def.population[r->population];
    if (r->first == 0 && r->count == p->n) return json_string(p->name);
    json_t *ids = json_array();
    for (int64_t i = 0; i < r->count; i++) json_array_append_new(ids, json_integer(range_neuron(r, i)));
    return json_pack("{ssso}", "population", p->name, "node_id", ids);
}

/* A current that begins after the first step is an IClamp, one step earlier: see sonata_currents.c. */
static json_t *clamp(const saver *s, const input_def *in)
{
    double late = rv_net_timing(s->net) == RV_GRID ? rv_resolution(s->net) : 0, start = in->param[INPUT_START], stop = in->param[INPUT_STOP];
    if (in->kind != INPUT_DC || start < late || isinf(stop)) return NULL;
    return json_pack("{sssssosfsfsf}", "input_type", "current_clamp", "module", "IClamp", "node_set", nodes_of(s, &in->target), "amp", in->param[DC_AMPLITUDE], "delay", start - late, "duration", stop - start);
}

static json_t *list_of(const double *x, int64_t n)
{
    json_t *list = json_array();
    for (int64_t k = 0; k < n; k++) json_array_append_new(list, json_real(x[k]));
    return list;
}

/* In words of our own: the kind of input and its parameters. */
static json_t *own_input(const saver *s, const input_def *in)
{
    const rv_table *table = &input_tables[in->kind];
    json_t         *entry = json_pack("{sssssos{}}", "input_type", "ranvier", "module", table->name, "node_set", nodes_of(s, &in->target), "parameters"), *params = json_object_get(entry, "parameters");
    for (int k = 0; k < table->n_params; k++) {
        bool list = in->kind == INPUT_STEP && k >= STEP_TIMES;
        if (list) json_object_set_new(params, table->params[k].name, list_of(k == STEP_TIMES ? in->times : in->amplitudes, in->n_steps));
        else if (isfinite(in->param[k])) json_object_set_new(params, table->params[k].name, json_real(in->param[k]));
    }
    return entry;
}

rv_status sonata_save_inputs(saver *s)
{
    for (int k = 0; k < s->net->def.n_inputs; k++) {
        const input_def *in = &s->net->def.input[k];
        char             name[64];
        json_t          *entry = clamp(s, in);
        if (!entry) entry = own_input(s, in);
        snprintf(name, sizeof name, "%s_%d", input_tables[in->kind].name, k + 1);
        if (!entry || json_object_set_new(s->inputs, name, entry) != 0) return error_memory(s->error, "inputs", 0);
    }
    return RV_OK;
}

/* ---- all together ------------------------------------------------------------------------------------------------ */

static rv_status make_folders(const saver *s)
{
    static const char *const folders[] = { "", "network", "components", "components/point_neuron_models", "components/synaptic_models", "inputs" };
    for (int k = 0; k < COUNT(folders); k++) {
        char *path = sonata_join(s->dir, folders[k]);
        if (!path) return error_memory(s->error, s->dir, 0);
        bool failed = mkdir(path, 0777) != 0 && errno != EEXIST;
        if (failed) error_set(s->error, RV_FILE_ERROR, "cannot make the folder \"%.300s\": %s", path, strerror(errno));
        free(path);
        if (failed) return s->error->status;
    }
    return RV_OK;
}

static rv_status save(saver *s, double tstop)
{
    TRY(make_folders(s));
    for (int p = 0; p < s->net->def.n_populations; p++) TRY(sonata_save_nodes(s, p));
    for (int k = 0; k < s->net->def.n_projections; k++) TRY(sonata_save_edges(s, k));
    TRY(sonata_save_inputs(s));
    return save_configs(s, tstop);
}

rv_status sonata_save(rv_net *net, const char *dir, double tstop, rv_error *error)
{
    rv_error ignored;
    saver    s = { .net = net, .dir = dir, .nodes = json_array(), .edges = json_array(), .inputs = json_object(), .error = error ? error : &ignored };
    *s.error = (rv_error){ 0 };
    rv_status status = s.nodes && s.edges && s.inputs ? RV_OK : error_memory(s.error, dir, 0);
    if (status == RV_OK && rv_compile(net) != RV_OK) status = error_set(s.error, rv_net_error(net)->status, "%s", rv_net_error(net)->text);
    if (status == RV_OK) status = save(&s, tstop);
    json_decref(s.nodes), json_decref(s.edges), json_decref(s.inputs);
    return status;
}
