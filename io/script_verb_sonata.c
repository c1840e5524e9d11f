/* ranvier run CONFIG.json: a SONATA circuit and its simulation; and what ranvier info says of circuits, nodes and edges. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_file.h"
#include "io/results.h"
#include "io/script_command.h"
#include "io/script_window.h"
#include "io/sonata.h"
#include "sim/error.h"
#include "viz/live.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static bool read_words(const script_options *o, sonata_options *line)
{
    static const char *const names[] = { "time", "dt", "output_dir" };
    double *const            numbers[] = { &line->tstop, &line->dt };
    for (int i = 0; i < o->n_arguments; i++) {
        int k = 0;
        while (k < COUNT(names) && strcmp(names[k], o->arguments[i].name) != 0) k++;
        if (k == COUNT(names)) return command_unknown("argument of a SONATA simulation", o->arguments[i].name, names, COUNT(names)), false;
        if (k == COUNT(numbers)) line->output_dir = o->arguments[i].text;
        else if (!command_number(names[k], o->arguments[i].text, 0, 1e15, numbers[k])) return false;
    }
    line->seed = o->seed, line->timing = o->timing, line->threads = o->threads;
    return true;
}

static void print_warnings(const sonata_circuit *c, int *printed)
{
    for (; *printed < c->n_warnings; ++*printed) fprintf(stderr, "ranvier: warning: %s\n", c->warning[*printed]);
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

typedef struct sonata_run {
    const command        *command;
    const script_options *options;
    const char *const    *paths;
    int                   n_paths, printed;
    sonata_options        line;
    sonata_circuit        c;
    live                 *live; /* NULL: no window */
    window_stage         *stage;
    int                   status;
} sonata_run;

static void stop_net(void *net) { rv_stop(net); }

static int64_t spikes_of(const sonata_circuit *c, const sonata_nodes *nodes)
{
    int64_t n = 0;
    for (int k = 0; k < nodes->n_parts; k++)
        if (!nodes->part[k].is_virtual) n += rv_spike_count(c->net, nodes->part[k].population);
    return n;
}

static void print_summary(const sonata_circuit *c)
{
    rv_profile profile = rv_profile_get(c->net);
    char      *path = sonata_spikes_path(c);
    printf("%.10g ms in steps of %.10g ms%s: %.3g s, built in %.3g s; %lld neurons, %lld synapses\n", c->tstop, rv_resolution(c->net), rv_net_timing(c->net) == RV_EXACT ? ", exact timing" : "",
           profile.run_seconds, profile.compile_seconds, (long long)profile.n_neurons, (long long)profile.n_synapses);
    if (c->largest_rounding > 1e-9) printf("  delays were rounded to steps, by up to %.3g ms\n", c->largest_rounding);
    for (int p = 0; p < c->n_nodes; p++) {
        const sonata_nodes *nodes = &c->nodes[p];
        bool                simulated = false;
        for (int k = 0; k < nodes->n_parts; k++) simulated |= !nodes->part[k].is_virtual;
        printf("  %-16s %9lld %s", nodes->name, (long long)nodes->n, simulated ? "neurons" : "virtual nodes");
        if (simulated) printf(" %12lld spikes", (long long)spikes_of(c, nodes));
        for (int k = 0; k < nodes->n_parts && simulated; k++) printf("%s%s", k ? ", " : "  ", nodes->part[k].model);
        putchar('\n');
    }
    if (path) printf("  spikes are in %s\n", path);
    free(path);
}

static rv_status open_view(sonata_run *r)
{
    const char *path = r->paths[r->n_paths - 1], *slash = strrchr(path, '/');
    rv_status   status = live_open(r->c.net, &(live_options){ .title = slash ? slash + 1 : path, .paused = r->options->paused }, &r->live);
    if (status != RV_OK) return status;
    window_stage_show(r->stage, live_feed(r->live));
    live_expect(r->live, r->c.tstop);
    return RV_OK;
}

static rv_status simulate(sonata_run *r)
{
    rv_net            *net = r->c.net;
    results_writer    *writer = NULL;
    results_provenance from = { .command_line = r->options->command_line, .script_path = r->paths[0] };
    rv_status          status = r->options->out ? results_writer_open(net, r->options->out, &from, &writer) : RV_OK;
    if (r->command->watch) r->command->watch(stop_net, net);
    if (status == RV_OK && r->stage) status = open_view(r);
    /* a whole number of steps, as other simulators take a tstop that is none */
    if (status == RV_OK) status = rv_run(net, rint(r->c.tstop / rv_resolution(net)) * rv_resolution(net));
    if (r->command->watch) r->command->watch(NULL, NULL);
    rv_status closed = results_writer_close(writer);
    return status == RV_OK ? closed : status;
}

static int run_circuit(sonata_run *r)
{
    rv_error error = { 0 };
    if (sonata_open(r->paths, r->n_paths, &r->line, &r->c, &error) != RV_OK) return command_fail(1, "%s", error.text);
    if (isnan(r->c.tstop)) return command_fail(1, "\"%s\" has no run.tstop: give the simulation config too, or time=MS", r->c.path);
    rv_status status = sonata_build(&r->c, &error);
    if (status == RV_OK) status = sonata_prepare_output(&r->c, &error);
    if (!r->options->quiet) print_warnings(&r->c, &r->printed);
    if (status != RV_OK) return command_fail(1, "%s", error.text);
    status = simulate(r);
    if (status != RV_OK && status != RV_STOPPED) return command_fail(1, "%s", rv_net_error(r->c.net)->text);
    if (sonata_write_output(&r->c, &error) != RV_OK) return command_fail(1, "%s", error.text);
    if (!r->options->quiet) print_warnings(&r->c, &r->printed), print_summary(&r->c);
    return status == RV_STOPPED ? 130 : 0;
}

static void run_beside(void *user, window_stage *stage)
{
    sonata_run *r = user;
    r->stage = stage;
    r->status = run_circuit(r);
    if (r->live && r->status != 130) live_linger(r->live, r->status ? rv_net_error(r->c.net)->text : NULL);
    if (r->live) live_close(r->live);
}

int command_run_sonata(const command *c, const script_options *o, const char *const *paths, int n_paths, bool show)
{
    sonata_run r = { .command = c, .options = o, .paths = paths, .n_paths = n_paths };
    rv_error   error = { 0 };
    if (!read_words(o, &r.line)) return 2;
    if (!show) r.status = run_circuit(&r);
    else if (window_stage_run(run_beside, &r, true, &error) != RV_OK) r.status = command_fail(1, "%s", error.text);
    live_free(r.live);
    sonata_close(&r.c);
    return r.status;
}

/* ---- info -------------------------------------------------------------------------------------------------------- */

static void print_parts(const sonata_nodes *nodes)
{
    for (int k = 0; k < nodes->n_parts; k++) printf("%s%lld %s", k ? ", " : "", (long long)nodes->part[k].n, nodes->part[k].is_virtual ? "virtual" : nodes->part[k].model);
}

static void print_keys(const json_t *object, const char *what)
{
    const char *key;
    json_t     *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *type = json_string_value(json_object_get(value, "input_type")), *module = json_string_value(json_object_get(value, "module"));
        printf("%-10s %-24s %s%s%s\n", what, key, type ? type : "", type ? " " : "", module ? module : "");
    }
}

static void print_circuit(const sonata_circuit *c, bool built, const rv_error *why)
{
    int64_t n_nodes = 0, n_edges = 0;
    for (int k = 0; k < c->n_nodes; k++) {
        printf("%-10s %-24s %9lld", "nodes", c->nodes[k].name, (long long)c->nodes[k].n);
        if (built) printf("  "), print_parts(&c->nodes[k]);
        putchar('\n');
        n_nodes += c->nodes[k].n;
    }
    for (int k = 0; k < c->n_edges; k++) {
        printf("%-10s %-24s %9lld  %s -> %s\n", "edges", c->edges[k].name, (long long)c->edges[k].n, c->nodes[c->edges[k].source].name, c->nodes[c->edges[k].target].name);
        n_edges += c->edges[k].n;
    }
    printf("%-10s %lld nodes, %lld edges\n", "in all", (long long)n_nodes, (long long)n_edges);
    if (!isnan(c->tstop)) printf("%-10s %g ms in steps of %g ms\n", "run", c->tstop, isnan(c->dt) ? 0.1 : c->dt);
    print_keys(json_object_get(c->config, "inputs"), "input");
    print_keys(json_object_get(c->config, "reports"), "report");
    if (!built) printf("%-10s %s\n", "refused", why->text);
}

/* Networks in JSON of other kinds have none of these at their root. */
bool command_is_sonata(const char *path)
{
    static const char *const keys[] = { "networks", "network", "simulation", "manifest" };
    json_t                  *json = json_load_file(path, 0, NULL);
    bool                     found = !json; /* what is damaged is told so by the reader */
    for (int k = 0; k < COUNT(keys); k++) found |= json_object_get(json, keys[k]) != NULL;
    json_decref(json);
    return found;
}

/* A circuit is built to say whether it can be simulated; nothing is run or written. */
int command_info_sonata(const char *path)
{
    sonata_circuit c;
    rv_error       error = { 0 };
    int            printed = 0, status = 0;
    if (sonata_open(&path, 1, &(sonata_options){ 0 }, &c, &error) != RV_OK) status = command_fail(1, "%s", error.text);
    else print_circuit(&c, sonata_build(&c, &error) == RV_OK, &error);
    print_warnings(&c, &printed);
    sonata_close(&c);
    return status;
}

static rv_status print_population(hdf5_file *file, const char *kind, const char *name)
{
    hdf5_path  group = hdf5_at(strcmp(kind, "nodes") == 0 ? "/nodes" : "/edges", name), count = hdf5_at(group.path, strcmp(kind, "nodes") == 0 ? "node_type_id" : "source_node_id");
    hdf5_names members;
    hdf5_shape shape;
    char       source[128] = "?", target[128] = "?";
    TRY(hdf5_shape_of(file, count.path, &shape));
    printf("%-10s %-24s %9lld", kind, name, (long long)shape.count);
    if (strcmp(kind, "edges") == 0) {
        hdf5_get_text(file, count.path, "node_population", source, sizeof source);
        hdf5_get_text(file, hdf5_at(group.path, "target_node_id").path, "node_population", target, sizeof target);
        printf("  %s -> %s", source, target);
    }
    putchar('\n');
    TRY(hdf5_list(file, group.path, &members));
    for (int k = 0; k < members.n; k++) {
        hdf5_path  at = hdf5_at(group.path, members.name[k]);
        hdf5_names columns;
        if (strspn(members.name[k], "0123456789") != strlen(members.name[k]) || hdf5_kind_of(file, at.path) != HDF5_GROUP || hdf5_list(file, at.path, &columns) != RV_OK) continue;
        printf("  group %s:", members.name[k]);
        for (int i = 0; i < columns.n; i++) printf(" %s", columns.name[i]);
        printf(columns.n ? "\n" : " no columns\n");
        hdf5_names_free(&columns);
    }
    hdf5_names_free(&members);
    return RV_OK;
}

bool command_is_sonata_file(const char *path)
{
    hdf5_file file = { 0 };
    bool      is = hdf5_open(path, &file) == RV_OK && (hdf5_kind_of(&file, "/nodes") == HDF5_GROUP || hdf5_kind_of(&file, "/edges") == HDF5_GROUP);
    hdf5_close(&file);
    return is;
}

int command_info_sonata_file(const char *path)
{
    static const char *const kinds[] = { "nodes", "edges" };
    hdf5_file                file = { 0 };
    rv_status                status = hdf5_open(path, &file);
    for (int g = 0; g < 2 && status == RV_OK; g++) {
        hdf5_path  root = hdf5_at("/", kinds[g]);
        hdf5_names names;
        if (hdf5_kind_of(&file, root.path) != HDF5_GROUP) continue;
        status = hdf5_list(&file, root.path, &names);
        for (int k = 0; status == RV_OK && k < names.n; k++) status = print_population(&file, kinds[g], names.name[k]);
        hdf5_names_free(&names);
    }
    if (status != RV_OK) command_fail(1, "%s", file.error.text);
    hdf5_close(&file);
    return status != RV_OK;
}
