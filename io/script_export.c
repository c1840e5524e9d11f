#include "io/script_export.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_header.h"
#include "hw/mapping_file.h"
#include "hw/netx_write.h"
#include "hw/sanafe.h"
#include "io/nir_build.h"
#include "sim/error.h"
#include "sim/net.h"

/* One network on its way into a file and back. */
typedef struct job {
    rv_net     *net;
    const char *chip, *path;
    int64_t     steps; /* recorded, 0: nothing to compare with */
    hw_map     *map;
    netx_options with;
    char       *note;
    rv_error   *error;
} job;

static rv_status net_failed(const job *j, rv_net *net) { return error_set(j->error, rv_net_error(net)->status, "\"%s\", read back: %s", j->path, rv_net_error(net)->text); }

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

/* Spikes of a population in steps, by time, then neuron. */
typedef struct train {
    int64_t  n;
    int64_t *step, *neuron;
} train;

static void free_train(train *t) { free(t->step), free(t->neuron), *t = (train){ 0 }; }

static rv_status read_train(const job *j, rv_net *net, rv_population population, train *t)
{
    *t = (train){ .n = rv_spike_count(net, population) };
    double *times = malloc(((size_t)t->n + 1) * sizeof *times);
    t->step = malloc(((size_t)t->n + 1) * sizeof *t->step), t->neuron = malloc(((size_t)t->n + 1) * sizeof *t->neuron);
    rv_status status = times && t->step && t->neuron ? RV_OK : error_memory(j->error, "spikes", 24.0 * (double)t->n);
    if (status == RV_OK && rv_spike_read(net, population, 0, t->n, times, t->neuron) != RV_OK) status = net_failed(j, net);
    for (int64_t k = 0; k < t->n && status == RV_OK; k++) t->step[k] = (int64_t)rint(times[k] / rv_resolution(net));
    free(times);
    if (status != RV_OK) free_train(t);
    return status;
}

static rv_status differ(const job *j, const char *name, const train *a, const train *b, int64_t k)
{
    char want[80] = "none", got[80] = "none";
    if (k < a->n) snprintf(want, sizeof want, "of neuron %lld at step %lld", (long long)a->neuron[k], (long long)a->step[k]);
    if (k < b->n) snprintf(got, sizeof got, "of neuron %lld at step %lld", (long long)b->neuron[k], (long long)b->step[k]);
    return error_set(j->error, RV_CONFLICT, "\"%s\", read back and run, gives other spikes: spike %lld of \"%s\" should be %s, and is %s", j->path, (long long)k, name, want, got);
}

static rv_status compare_trains(const job *j, const char *name, const train *a, const train *b)
{
    int64_t k = 0;
    while (k < a->n && k < b->n && a->step[k] == b->step[k] && a->neuron[k] == b->neuron[k]) k++;
    return k < a->n || k < b->n ? differ(j, name, a, b, k) : RV_OK;
}

static rv_status compare_populations(const job *j, rv_population a, rv_net *net, rv_population b)
{
    train     given, got;
    rv_status status = read_train(j, j->net, a, &given);
    if (status != RV_OK) return status;
    status = read_train(j, net, b, &got);
    if (status == RV_OK) status = compare_trains(j, rv_population_name(j->net, a), &given, &got), free_train(&got);
    free_train(&given);
    return status;
}

static rv_status run_recorded(const job *j, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++)
        if (rv_record_spikes(net, (rv_population){ id }) != RV_OK) return net_failed(j, net);
    return rv_run(net, (double)j->steps * rv_resolution(net)) == RV_OK ? RV_OK : net_failed(j, net);
}

static int64_t all_spikes(rv_net *net)
{
    int64_t n = 0;
    for (int id = 1; id <= rv_population_count(net); id++) n += rv_spike_count(net, (rv_population){ id });
    return n;
}

static void note_equal(const job *j)
{
    snprintf(j->note, EXPORT_NOTE, "\"%s\" was read back and run for %lld steps: the same %lld spikes", j->path, (long long)j->steps, (long long)all_spikes(j->net));
}

/* ---- Ranvier's mapping file ------------------------------------------------------------------------------------- */

static rv_status write_mapping(job *j) { return hw_mapping_write(j->path, j->net, j->map, j->error); }

static rv_status verify_mapping(job *j)
{
    hw_mapping m;
    TRY(hw_mapping_read(j->path, &m, j->error));
    rv_status status = run_recorded(j, m.net);
    for (int id = 1; id <= rv_population_count(j->net) && status == RV_OK; id++) status = compare_populations(j, (rv_population){ id }, m.net, (rv_population){ id });
    hw_mapping_free(&m);
    if (status == RV_OK) note_equal(j);
    return status;
}

/* ---- C header --------------------------------------------------------------------------------------------------- */

static rv_status write_header(job *j) { return hw_header_write(j->path, j->net, j->map, j->error); }

/* ---- netx ------------------------------------------------------------------------------------------------------- */

static rv_status write_netx(job *j) { return netx_write(j->path, j->net, NULL, 0, &j->with, j->error); }

/* The population that hears another but not itself: writing made sure that there is one at most. */
static rv_population next_of(rv_net *net, rv_population p)
{
    for (int id = 1; id <= rv_projection_count(net); id++) {
        rv_population source = rv_projection_source(net, (rv_projection){ id }), target = rv_projection_target(net, (rv_projection){ id });
        if (source.id == p.id && target.id != p.id) return target;
    }
    return (rv_population){ 0 };
}

static rv_population first_of(rv_net *net)
{
    for (int id = 1; id <= rv_population_count(net); id++) {
        bool heard = false;
        for (int k = 1; k <= rv_projection_count(net); k++) {
            rv_population source = rv_projection_source(net, (rv_projection){ k }), target = rv_projection_target(net, (rv_projection){ k });
            heard |= target.id == id && source.id != id;
        }
        if (!heard) return (rv_population){ id };
    }
    return (rv_population){ 0 };
}

static int by_neuron(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
    return (x[1] > y[1]) - (x[1] < y[1]);
}

/* What the generator gave goes in. */
static rv_status play(const job *j, rv_population from, netx *n)
{
    train given;
    TRY(read_train(j, j->net, from, &given));
    int64_t  (*pair)[2] = malloc(((size_t)given.n + 1) * sizeof *pair);
    double    *payload = malloc(((size_t)given.n + 1) * sizeof *payload);
    rv_status  status = pair && payload ? RV_OK : error_memory(j->error, "spikes", 24.0 * (double)given.n);
    for (int64_t k = 0; k < given.n && status == RV_OK; k++) pair[k][0] = given.neuron[k], pair[k][1] = given.step[k], payload[k] = 1;
    if (status == RV_OK) qsort(pair, (size_t)given.n, sizeof *pair, by_neuron);
    for (int64_t k = 0; k < given.n && status == RV_OK; k++) given.neuron[k] = pair[k][0], given.step[k] = pair[k][1];
    netx_input input = { .n_steps = j->steps, .n_events = given.n, .step = given.step, .neuron = given.neuron, .payload = payload };
    if (status == RV_OK) status = netx_play(n, &input, j->error);
    free(pair), free(payload), free_train(&given);
    return status;
}

static rv_status compare_layers(const job *j, netx *n)
{
    rv_population p = first_of(j->net);
    if (n->input.id) p = next_of(j->net, p);
    for (int k = 0; k < n->n_layers; k++) {
        if (!n->layer[k].neurons.id) continue;
        TRY(compare_populations(j, p, n->net, n->layer[k].neurons));
        p = next_of(j->net, p);
    }
    return RV_OK;
}

static rv_status verify_netx(job *j)
{
    netx n;
    TRY(netx_read(j->path, &(rv_net_def){ 0 }, &j->with, &n, j->error));
    rv_status status = n.input.id ? play(j, first_of(j->net), &n) : RV_OK;
    if (status == RV_OK) status = run_recorded(j, n.net);
    if (status == RV_OK) status = compare_layers(j, &n);
    netx_free(&n);
    if (status == RV_OK) note_equal(j);
    return status;
}

/* ---- SANA-FE ---------------------------------------------------------------------------------------------------- */

/* net.yaml has its architecture beside it: net.arch.yaml. */
static void architecture_path(const char *path, char text[4096])
{
    const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
    size_t      length = dot && (!slash || dot > slash) ? (size_t)(dot - path) : strlen(path);
    snprintf(text, 4096, "%.*s.arch.yaml", (int)length, path);
}

static rv_status write_sanafe(job *j)
{
    enum { STEPS_WITHOUT_RUN = 1000 };
    sanafe_net s;
    char       architecture[4096];
    TRY(sanafe_from_net(j->net, j->map, j->steps ? j->steps : STEPS_WITHOUT_RUN, &s, j->error));
    rv_status status = sanafe_write(&s, j->path, j->error);
    sanafe_free(&s);
    architecture_path(j->path, architecture);
    return status == RV_OK ? sanafe_write_architecture(j->map, architecture, j->error) : status;
}

/* What SANA-FE's arithmetic makes of the file, as trains of all populations numbered through. */
typedef struct heard {
    int64_t n_neurons, n, room;
    int64_t *step, *neuron;
    bool     failed;
} heard;

static void hear(void *user, int64_t step, const bool *fired, const bool *updated)
{
    heard *h = user;
    (void)updated;
    for (int64_t i = 0; i < h->n_neurons && !h->failed; i++) {
        if (!fired[i]) continue;
        if (h->n == h->room) {
            h->room = 2 * h->room + 1024;
            int64_t *steps = realloc(h->step, (size_t)h->room * sizeof *steps), *neurons = NULL;
            if (steps) h->step = steps, neurons = realloc(h->neuron, (size_t)h->room * sizeof *neurons);
            if (neurons) h->neuron = neurons;
            else h->failed = true;
        }
        if (!h->failed) h->step[h->n] = step, h->neuron[h->n++] = i;
    }
}

/* The spikes of one population out of all. */
static rv_status part_of(const job *j, const heard *h, int64_t first, int64_t n, train *t)
{
    *t = (train){ .step = malloc(((size_t)h->n + 1) * sizeof *t->step), .neuron = malloc(((size_t)h->n + 1) * sizeof *t->neuron) };
    if (!t->step || !t->neuron) return free_train(t), error_memory(j->error, "spikes", 16.0 * (double)h->n);
    for (int64_t k = 0; k < h->n; k++)
        if (h->neuron[k] >= first && h->neuron[k] < first + n) t->step[t->n] = h->step[k], t->neuron[t->n++] = h->neuron[k] - first;
    return RV_OK;
}

static rv_status compare_heard(const job *j, const heard *h)
{
    int64_t   first = 0;
    rv_status status = RV_OK;
    for (int id = 1; id <= rv_population_count(j->net) && status == RV_OK; id++) {
        train   given = { 0 }, got = { 0 };
        int64_t n = rv_population_size(j->net, (rv_population){ id });
        status = read_train(j, j->net, (rv_population){ id }, &given);
        if (status == RV_OK) status = part_of(j, h, first, n, &got);
        if (status == RV_OK) status = compare_trains(j, rv_population_name(j->net, (rv_population){ id }), &given, &got);
        free_train(&given), free_train(&got);
        first += n;
    }
    return status;
}

static rv_status verify_sanafe(job *j)
{
    sanafe_net s;
    rv_error   why = { 0 };
    bool       exact = sanafe_exact(j->net, &why);
    TRY(sanafe_read(j->path, &s, j->error));
    heard     h = { .n_neurons = s.n_neurons };
    rv_status status = sanafe_run(&s, j->steps, hear, &h, j->error);
    if (status == RV_OK && h.failed) status = error_memory(j->error, "spikes", 16.0 * (double)h.n);
    if (status == RV_OK && exact) status = compare_heard(j, &h);
    if (status == RV_OK && exact) note_equal(j);
    else if (status == RV_OK)
        snprintf(j->note, EXPORT_NOTE, "\"%s\" was read back and run for %lld steps: %lld spikes in SANA-FE's arithmetic, %lld on the chip, because %.200s", j->path, (long long)j->steps,
                 (long long)h.n, (long long)all_spikes(j->net), why.text);
    free(h.step), free(h.neuron);
    sanafe_free(&s);
    return status;
}

/* ---- NIR -------------------------------------------------------------------------------------------------------- */

static rv_status write_nir(job *j)
{
    nir_graph graph;
    TRY(nir_from_net(j->net, NULL, &graph, j->error));
    rv_status status = nir_write(j->path, NULL, &graph, j->error);
    nir_free(&graph);
    return status;
}

static rv_status read_nir(const job *j, nir_net *n)
{
    nir_graph graph;
    TRY(nir_read(j->path, NULL, &graph, j->error));
    rv_status status = nir_complete(&graph, j->error);
    if (status == RV_OK) status = nir_build(&graph, &(rv_net_def){ .resolution = rv_resolution(j->net) }, NULL, n, j->error);
    nir_free(&graph);
    return status;
}

static bool is_generator(const job *j, int id) { return j->net->def.population[id - 1].model->emit != NULL; }

/* What a generator gave, given by its Input. */
static rv_status play_input(const job *j, int id, rv_net *net, rv_population input)
{
    train     given;
    rv_status status = RV_OK;
    TRY(read_train(j, j->net, (rv_population){ id }, &given));
    double *times = malloc(((size_t)given.n + 1) * sizeof *times);
    if (!times) status = error_memory(j->error, "spikes", 8.0 * (double)given.n);
    for (int64_t i = 0; i < rv_population_size(net, input) && status == RV_OK; i++) {
        int64_t n = 0;
        for (int64_t k = 0; k < given.n; k++)
            if (given.neuron[k] == i) times[n++] = (double)given.step[k] * rv_resolution(net);
        if (n > 0 && rv_set_spike_times(net, input, i, times, n) != RV_OK) status = net_failed(j, net);
    }
    free(times), free_train(&given);
    return status;
}

static rv_status lost_population(const job *j, int id)
{
    return error_set(j->error, RV_CONFLICT, "\"%s\", read back, has no \"%s\"", j->path, rv_population_name(j->net, (rv_population){ id }));
}

static rv_status compare_nir(const job *j, rv_net *net)
{
    for (int id = 1; id <= rv_population_count(j->net); id++) {
        rv_population p = rv_population_find(net, rv_population_name(j->net, (rv_population){ id }));
        if (!p.id) return lost_population(j, id);
        if (is_generator(j, id)) TRY(play_input(j, id, net, p));
    }
    TRY(run_recorded(j, net));
    for (int id = 1; id <= rv_population_count(j->net); id++)
        TRY(compare_populations(j, (rv_population){ id }, net, rv_population_find(net, rv_population_name(j->net, (rv_population){ id }))));
    return RV_OK;
}

static rv_status verify_nir(job *j)
{
    nir_net n;
    TRY(read_nir(j, &n));
    rv_status status = compare_nir(j, n.net);
    nir_net_free(&n);
    if (status == RV_OK) note_equal(j);
    return status;
}

/* ---- all formats ------------------------------------------------------------------------------------------------ */

typedef struct entry {
    export_format format;
    rv_status (*write)(job *j);
    rv_status (*verify)(job *j);
} entry;

static const entry entries[] = {
    { { "netx", ".net", "lava-dl's network file, for Loihi 2: a chain of layers", false, false, true, "loihi2" }, write_netx, verify_netx },
    { { "ranvier", ".h5", "Ranvier's own mapping file: cores, axons, synaptic memory, routes", true, false, true, "loihi2" }, write_mapping, verify_mapping },
    { { "sanafe", ".yaml or .net", "SANA-FE's mapped network, and beside it the chip, NAME.arch.yaml", true, false, true, "loihi1" }, write_sanafe, verify_sanafe },
    { { "header", ".h", "constant arrays in C, core by core, for firmware", true, false, false, "loihi2" }, write_header, NULL },
    { { "nir", ".nir", "the Neuromorphic Intermediate Representation, of the network as it is, in real numbers", false, true, true, NULL }, write_nir, verify_nir },
};
enum { N_ENTRIES = sizeof entries / sizeof *entries };

const export_format *export_format_at(int index) { return index < N_ENTRIES ? &entries[index].format : NULL; }

rv_status export_format_find(const char *name, const export_format **format, rv_error *error)
{
    const char *names[N_ENTRIES];
    for (int k = 0; k < N_ENTRIES; k++) {
        names[k] = entries[k].format.name, *format = &entries[k].format;
        if (strcmp(names[k], name) == 0) return RV_OK;
    }
    return error_unknown(error, NULL, "format", name, names, N_ENTRIES);
}

/* @param graph result, borrowed by the map */
static rv_status map_network(job *j, hw_graph **graph)
{
    hw_chip chip;
    TRY(hw_chip_open(j->chip, &chip, j->error));
    TRY(hw_graph_from_net(j->net, NULL, graph, j->error));
    return hw_map_network(&chip, *graph, NULL, &j->map, j->error);
}

rv_status export_write(const export_format *format, rv_net *net, const char *chip, const char *path, int64_t steps, char note[EXPORT_NOTE], rv_error *error)
{
    job          j = { .net = net, .chip = chip, .path = path, .steps = steps, .note = note, .error = error };
    const entry *e = (const entry *)format; /* its first member */
    hw_graph    *graph = NULL;
    snprintf(note, EXPORT_NOTE, "\"%s\" was written, and not verified%s", path, format->read_back ? "" : ": it would have to be compiled");
    rv_status status = format->mapped ? map_network(&j, &graph) : RV_OK;
    if (status == RV_OK) status = e->write(&j);
    if (status == RV_OK && steps > 0 && format->read_back) status = e->verify(&j);
    hw_map_free(j.map);
    hw_graph_free(graph);
    return status;
}
