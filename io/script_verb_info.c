/* ranvier info FILE: what is in a file of any kind that Ranvier reads. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/chip.h"
#include "hw/mapping_file.h"
#include "hw/netx.h"
#include "hw/sanafe.h"
#include "hw/tennlab.h"
#include "io/checkpoint.h"
#include "io/nir.h"
#include "io/nir_data.h"
#include "io/results.h"
#include "io/script_command.h"

/* ---- recordings ------------------------------------------------------------------------------------------------- */

static void print_provenance(const results *r)
{
    static const char *const names[] = { "recording", "warning", "version",    "created", "command_line", "script_path",  "seed",
                                         "resolution", "timing",  "threads",      "simulated_ms", "finished" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = results_attribute(r, names[i]);
        if (text) printf("%-14s %s\n", names[i], text);
    }
}

static void print_contents(const results *r)
{
    for (int i = 0; i < results_spikes_count(r); i++) {
        const results_spikes *spikes = results_spikes_at(r, i);
        printf("%-14s %s: %" PRId64 " neurons%s, %" PRId64 " spikes\n", "spikes", spikes->name, spikes->size,
               spikes->inhibitory ? " (inhibitory)" : "", spikes->n);
    }
    for (int i = 0; i < results_report_count(r); i++) {
        const results_report *report = results_report_at(r, i);
        printf("%-14s %s: %s (%s) of %s, %" PRId64 " columns, %" PRId64 " samples every %g ms\n", "report",
               report->name, report->variable, report->unit, report->population, report->n_columns, report->n_times,
               report->interval_ms);
    }
}

static int describe_results(const char *path)
{
    results *r = command_results(path);
    if (!r) return 1;
    print_provenance(r), print_contents(r);
    results_free(r);
    return 0;
}

static int print_script(const char *path)
{
    results *r = command_results(path);
    if (!r) return 1;
    const char *text = results_attribute(r, "script");
    if (text) fputs(text, stdout);
    int status = text ? 0 : command_fail(1, "\"%s\" holds no script", path);
    results_free(r);
    return status;
}

static int describe_nir_data(const char *path)
{
    nir_data data;
    rv_error error = { 0 };
    if (nir_data_read(path, &data, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s NIRData: %d observables\n", "recording", data.n_observables);
    for (int k = 0; k < data.n_observables; k++) {
        const nir_observable *o = &data.observable[k];
        printf("%-14s %s of %s: %" PRId64 " samples of %" PRId64 " neurons, ", "observable", o->name, o->node, o->n_samples, o->n_neurons);
        if (o->kind == NIR_GRIDDED) printf("%" PRId64 " steps of %g ms\n", o->n_steps, 1e3 * o->dt);
        else printf("up to %" PRId64 " events in %g ms\n", o->n_events, 1e3 * o->t_max);
    }
    nir_data_free(&data);
    return 0;
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static void print_net(rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++) {
        rv_population p = { id };
        printf("%-14s %s: %" PRId64 " %s\n", "population", rv_population_name(net, p), rv_population_size(net, p), rv_population_model(net, p));
    }
    for (int id = 1; id <= rv_projection_count(net); id++) {
        rv_projection p = { id };
        int64_t       n = 0;
        rv_synapse_count(net, p, &n);
        printf("%-14s %s -> %s: %" PRId64 " synapses\n", "projection", rv_population_name(net, rv_projection_source(net, p)),
               rv_population_name(net, rv_projection_target(net, p)), n);
    }
}

static int64_t nodes_of(const nir_graph *graph, nir_kind kind)
{
    int64_t n = 0;
    for (int k = 0; k < graph->n_nodes; k++) n += (graph->node[k].kind == kind) + (graph->node[k].graph ? nodes_of(graph->node[k].graph, kind) : 0);
    return n;
}

static int describe_nir(const char *path)
{
    nir_graph graph;
    rv_error  error = { 0 };
    if (nir_read(path, &(nir_options){ .unchecked = true }, &graph, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s NIR graph, version %s; %d nodes, %d edges\n", "network", graph.version ? graph.version : "not said", graph.n_nodes, graph.n_edges);
    for (int k = 0; k < N_NIR_KINDS; k++) {
        int64_t n = nodes_of(&graph, k);
        if (n) printf("%-14s %" PRId64 " %s\n", "nodes", n, nir_kind_names[k]);
    }
    for (int k = 0; k < graph.n_nodes; k++) {
        const nir_node *node = &graph.node[k];
        if (node->input.known && (node->kind == NIR_INPUT || node->kind == NIR_OUTPUT)) printf("%-14s %s: %" PRId64 " elements\n", nir_kind_names[node->kind], node->name, nir_size(&node->input));
    }
    nir_free(&graph);
    return 0;
}

static int describe_netx(const char *path)
{
    netx     n;
    rv_error error = { 0 };
    if (netx_read(path, &(rv_net_def){ 0 }, &(netx_options){ 0 }, &n, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s netx of lava-dl, %d layers\n", "network", n.n_layers);
    for (int k = 0; k < n.n_layers; k++) {
        const netx_layer *l = &n.layer[k];
        printf("%-14s %s: %" PRId64 " neurons (%" PRId64 " x %" PRId64 " x %" PRId64 ")\n", "layer", netx_kinds[l->kind], netx_size(l), l->shape[0], l->shape[1], l->shape[2]);
    }
    print_net(n.net);
    netx_free(&n);
    return 0;
}

static int describe_mapping(const char *path)
{
    hw_mapping m;
    rv_error   error = { 0 };
    if (hw_mapping_read(path, &m, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s Ranvier's mapping file: %d cores on %d chip%s\n", "network", m.map->n_cores, m.map->n_chips, m.map->n_chips == 1 ? "" : "s");
    print_net(m.net);
    hw_mapping_free(&m);
    return 0;
}

static int describe_tennlab(const char *path)
{
    tennlab_net t;
    rv_error    error = { 0 };
    if (tennlab_read(path, &t, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s TENNLab: %" PRId64 " neurons, %" PRId64 " synapses, %" PRId64 " inputs, %" PRId64 " outputs; weights %s, delays up to %" PRId64 " steps\n", "network", t.n_nodes, t.n_edges,
           t.n_inputs, t.n_outputs, t.discrete ? "whole" : "real", t.max_delay);
    tennlab_free(&t);
    return 0;
}

static int describe_sanafe(const char *path)
{
    sanafe_net s;
    rv_error   error = { 0 };
    if (sanafe_read(path, &s, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s SANA-FE: %" PRId64 " neurons, %" PRId64 " synapses, %" PRId64 " input spikes in %" PRId64 " steps\n", "network", s.n_neurons, s.n_edges, s.n_spikes, s.n_steps);
    for (int k = 0; k < s.n_groups; k++) printf("%-14s %s: %" PRId64 " neurons\n", "group", s.group[k].name, s.group[k].n);
    sanafe_free(&s);
    return 0;
}

static int describe_chip(const char *path)
{
    hw_chip  chip;
    rv_error error = { 0 };
    if (hw_chip_read(path, &chip, &error) != RV_OK) return command_fail(1, "%s", error.text);
    printf("%-14s %s: %s\n", "chip", chip.name, chip.title);
    printf("%-14s ranvier chips %s\n", "its numbers", path);
    return 0;
}

static int describe_checkpoint(const char *path, bool script)
{
    rv_error error = { 0 };
    char    *text;
    if (checkpoint_describe(path, script, &text, &error) != RV_OK) return command_fail(1, "%s", error.text);
    if (!text) return command_fail(1, "\"%s\" holds no script", path);
    fputs(text, stdout);
    free(text);
    return 0;
}

/* ---- kinds of file ---------------------------------------------------------------------------------------------- */

static bool is_mapping(const char *path)
{
    char      content[32] = "";
    hdf5_file f = { 0 };
    if (hdf5_open(path, &f) == RV_OK && hdf5_has_attribute(&f, "/", "content")) hdf5_get_text(&f, "/", "content", content, sizeof content);
    hdf5_close(&f);
    return strcmp(content, "ranvier mapping") == 0;
}

static const struct {
    const char *ending;
    bool (*is)(const char *path); /* NULL: the ending says it all */
    int (*describe)(const char *path);
} kinds[] = {
    { ".nir", NULL, describe_nir },           { ".nird", NULL, describe_nir_data },   { ".net", command_is_hdf5, describe_netx },
    { ".net", NULL, describe_sanafe },        { ".yaml", NULL, describe_sanafe },     { ".json", command_is_sonata, command_info_sonata },
    { ".json", NULL, describe_tennlab },      { ".h5", command_is_sonata_file, command_info_sonata_file },
    { ".chip", NULL, describe_chip },         { ".h5", is_mapping, describe_mapping },
};

int command_info(const command *c)
{
    bool                 script = false;
    const char          *path[1];
    const command_option options[] = { { "--script", NULL, "print the script that made the file", NULL, &script } };
    const command_usage  usage = { "info", "FILE [--script]",
                                   "Prints what is in a file: results, checkpoints, and SONATA spikes or reports (.h5), spikes as .npz or text, recordings of event\n"
                                   "cameras, SONATA circuits (configs .json, nodes and edges .h5), NIR graphs (.nir) and their data (.nird), netx networks (.net), mapping files (.h5), SANA-FE (.yaml, .net) and\n"
                                   "TENNLab (.json) networks, chip profiles (.chip).",
                                   options, 1, 1, 1 };
    int n, status = command_read(c, &usage, path, &n);
    if (status >= 0) return status;
    if (command_ends_with(path[0], ".lua")) return command_fail(1, "\"%s\" is a script; ranvier run runs it, ranvier info reads what it writes", path[0]);
    if (checkpoint_is_file(path[0])) return describe_checkpoint(path[0], script);
    if (script) return print_script(path[0]);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        if (command_ends_with(path[0], kinds[k].ending) && (!kinds[k].is || kinds[k].is(path[0]))) return kinds[k].describe(path[0]);
    return describe_results(path[0]);
}
