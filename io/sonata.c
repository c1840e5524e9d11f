#include "io/sonata_internal.h"

rv_status sonata_net_failed(const sonata_circuit *c, rv_error *error)
{
    const rv_error *why = rv_net_error(c->net);
    return error_set(error, why->status ? why->status : RV_CONFLICT, "%s", why->text);
}

rv_status sonata_open(const char *const *paths, int n_paths, const sonata_options *options, sonata_circuit *c, rv_error *error)
{
    rv_error ignored;
    error = error ? error : &ignored;
    *error = (rv_error){ 0 };
    *c = (sonata_circuit){ .options = *options, .tstop = NAN, .dt = NAN };
    TRY(sonata_config_read(c, paths, n_paths, error));
    TRY(sonata_nodes_open(c, error));
    return sonata_edges_open(c, error);
}

/* NEURON's artificial cells have no grid; everything else runs on the one of the config. */
static rv_timing timing_of(const sonata_circuit *c)
{
    const char *given = json_string_value(json_object_get(json_object_get(c->config, "run"), "timing")); /* of a saved network */
    bool        any = false, all = true;
    if (given) return strcmp(given, "exact") == 0 ? RV_EXACT : RV_GRID;
    for (int p = 0; p < c->n_nodes; p++)
        for (int k = 0; k < c->nodes[p].n_parts; k++) {
            const sonata_part *part = &c->nodes[p].part[k];
            if (part->is_virtual) continue;
            any = true, all &= sonata_model_is_event_driven(part->kind);
        }
    return any && all ? RV_EXACT : RV_GRID;
}

static rv_status make_net(sonata_circuit *c, rv_error *error)
{
    double     seed = 0;
    rv_net_def def = { .resolution = isnan(c->dt) ? 0 : c->dt, .threads = c->options.threads };
    TRY(sonata_number(json_object_get(c->config, "run"), "run", "random_seed", 0, &seed, error));
    def.seed = c->options.seed ? *c->options.seed : seed >= 0 ? (uint64_t)seed : 0;
    def.timing = c->options.timing ? *c->options.timing : timing_of(c);
    return rv_net_new(&def, &c->net, error);
}

static rv_status record_spikes(sonata_circuit *c, rv_error *error)
{
    for (int p = 0; p < c->n_nodes; p++)
        for (int k = 0; k < c->nodes[p].n_parts; k++)
            if (!c->nodes[p].part[k].is_virtual && rv_record_spikes(c->net, c->nodes[p].part[k].population) != RV_OK) return sonata_net_failed(c, error);
    return RV_OK;
}

rv_status sonata_build(sonata_circuit *c, rv_error *error)
{
    rv_error ignored;
    error = error ? error : &ignored;
    *error = (rv_error){ 0 };
    TRY(sonata_split(c, error));
    TRY(make_net(c, error));
    TRY(sonata_make_neurons(c, error));
    TRY(sonata_give_inputs(c, error)); /* before the edges: what is missing is said before the long work */
    TRY(record_spikes(c, error));
    TRY(sonata_plan_reports(c, error));
    return sonata_connect(c, error);
}

void sonata_close(sonata_circuit *c)
{
    for (int k = 0; k < c->n_nodes; k++) sonata_nodes_free(&c->nodes[k]);
    for (int k = 0; k < c->n_edges; k++) sonata_edges_free(&c->edges[k]);
    for (int k = 0; k < c->n_warnings; k++) free(c->warning[k]);
    sonata_reports_free(c);
    if (c->net) rv_net_free(c->net);
    json_decref(c->config), json_decref(c->node_sets);
    free(c->nodes), free(c->edges), free(c->warning), free(c->path);
    *c = (sonata_circuit){ 0 };
}
