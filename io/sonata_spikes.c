/* Files of spikes: SONATA's HDF5 in the dialects that occur (io/results_read.c knows them), bmtk's csv, and NWB. Old files do not
 * say whose spikes they are: then it is the population of the input's node set. */
#include "io/sonata_inputs.h"

#include <errno.h>
#include <strings.h>

#include "io/results.h"
#include "sim/memory.h"

typedef struct source {
    const sonata_input *in;
    const char         *path;
    sonata_spikes      *spikes;
    double              from_ms, to_ms;
    int64_t            *unknown; /* spikes of nodes that there are not: files are shared between circuits */
} source;

static rv_status add(const source *s, int population, int64_t id, double ms)
{
    const sonata_nodes *nodes = &s->in->c->nodes[population];
    int64_t             row = sonata_row(nodes, id), place;
    rv_error           *error = s->in->error;
    if (row < 0) return ++*s->unknown, RV_OK;
    if (!s->in->selected[population][row] || ms > s->to_ms || ms < s->from_ms) return RV_OK;
    if (!(ms > 0)) return error_set(error, RV_OUT_OF_RANGE, "%s: \"%.200s\" has a spike of node %lld at %g ms, allowed are times above 0", s->in->name, s->path, (long long)id, ms);
    int part = sonata_place(nodes, row, &place);
    if (!nodes->part[part].is_virtual)
        return error_set(error, RV_CONFLICT, "%s: node %lld of \"%.80s\" is simulated; spikes can be given to virtual nodes", s->in->name, (long long)id, nodes->name);
    if (!memory_reserve((void **)&s->spikes->spike, &s->spikes->capacity, s->spikes->n + 1, sizeof *s->spikes->spike)) return error_memory(error, s->path, (double)s->spikes->n * sizeof *s->spikes->spike);
    s->spikes->spike[s->spikes->n++] = (sonata_spike){ population, part, (int32_t)place, ms };
    return RV_OK;
}

/* The only population with nodes in the node set. @return -1 after a sentence */
static int only_population(const source *s)
{
    int found = -1, count = 0;
    for (int p = 0; p < s->in->c->n_nodes; p++)
        if (memchr(s->in->selected[p], 1, (size_t)s->in->c->nodes[p].n)) found = p, count++;
    if (count == 1) return found;
    error_set(s->in->error, RV_CONFLICT, "%s: \"%.200s\" does not say whose spikes it has, and node_set has nodes of %d populations", s->in->name, s->path, count);
    return -1;
}

/* ---- HDF5 -------------------------------------------------------------------------------------------------------- */

static rv_status add_list(const source *s, int population, const results_spikes *list)
{
    for (int64_t k = 0; k < list->n; k++) TRY(add(s, population, list->neurons[k], list->times_ms[k]));
    return RV_OK;
}

static rv_status add_all(const source *s, const results *r)
{
    int n = results_spikes_count(r), used = 0;
    for (int k = 0; k < n; k++) {
        const results_spikes *list = results_spikes_at(r, k);
        int                   population = sonata_nodes_find(s->in->c, list->name);
        bool                  nameless = population < 0 && n == 1 && strcmp(list->name, "spikes") == 0;
        if (nameless && (population = only_population(s)) < 0) return s->in->error->status;
        if (population < 0 || !memchr(s->in->selected[population], 1, (size_t)s->in->c->nodes[population].n)) continue;
        used++;
        TRY(add_list(s, population, list));
    }
    if (used || n == 0) return RV_OK;
    return error_set(s->in->error, RV_CONFLICT, "%s: \"%.200s\" has spikes of \"%.80s\", which is not in the node set", s->in->name, s->path, results_spikes_at(r, 0)->name);
}

static rv_status read_hdf5(const source *s)
{
    results  *r;
    rv_error  why = { 0 };
    rv_status status = results_read(s->path, &r, &why);
    if (status != RV_OK) return error_set(s->in->error, status, "%.100s: %.400s", s->in->name, why.text);
    status = add_all(s, r);
    results_free(r);
    return status;
}

/* ---- csv: timestamps population node_ids, or time and node, with or without names on top ------------------------------ */

static rv_status add_line(const source *s, int number, char *line, int *nobody)
{
    char *cell[4], *rest = line, *end;
    int   n = 0;
    for (char *c; n < COUNT(cell) && (c = strtok_r(NULL, " ,;\t", &rest));) cell[n++] = c;
    if (n == 0) return RV_OK;
    double ms = strtod(cell[0], &end);
    if (*end && number == 1) return RV_OK; /* the names */
    if (*end || n < 2 || n > 3) return error_set(s->in->error, RV_FILE_ERROR, "%s: \"%.200s\", line %d is not a time, a population and a node", s->in->name, s->path, number);
    int64_t id = strtoll(cell[n - 1], &end, 10);
    if (*end) return error_set(s->in->error, RV_FILE_ERROR, "%s: \"%.200s\", line %d: \"%.40s\" is not a node id", s->in->name, s->path, number, cell[n - 1]);
    if (n == 2 && *nobody < 0 && (*nobody = only_population(s)) < 0) return s->in->error->status;
    int population = n == 2 ? *nobody : sonata_nodes_find(s->in->c, cell[1]);
    return population < 0 ? RV_OK : add(s, population, id, ms); /* of a population that this circuit has not */
}

static rv_status read_csv(const source *s)
{
    FILE *file = fopen(s->path, "r");
    if (!file) return error_set(s->in->error, RV_FILE_ERROR, "%s: cannot read \"%.250s\": %s", s->in->name, s->path, strerror(errno));
    char     *line = NULL;
    size_t    room = 0;
    int       nobody = -1;
    rv_status status = RV_OK;
    for (int k = 1; status == RV_OK && getline(&line, &room, file) >= 0; k++) {
        line[strcspn(line, "\r\n")] = 0;
        status = add_line(s, k, line, &nobody);
    }
    free(line);
    fclose(file);
    return status;
}

/* ---- NWB --------------------------------------------------------------------------------------------------------- */

static rv_status add_times(const source *s, hdf5_file *file, const char *dataset, int64_t id)
{
    double   *times = NULL;
    int64_t   n, population = only_population(s);
    char      unit[32] = "";
    if (population < 0) return s->in->error->status;
    TRY(sonata_length(file, dataset, &n, s->in->error));
    TRY(sonata_load(file, dataset, HDF5_F64, n, (void **)&times, s->in->error));
    if (hdf5_has_attribute(file, dataset, "unit")) hdf5_get_text(file, dataset, "unit", unit, sizeof unit);
    double    ms = strncmp(unit, "sec", 3) == 0 || strcmp(unit, "s") == 0 ? 1000 : 1;
    rv_status status = RV_OK;
    for (int64_t k = 0; k < n && status == RV_OK; k++) status = add(s, (int)population, id, ms * times[k]);
    free(times);
    return status;
}

/* NWB 1: /processing/<trial>/spike_train/<node>/data */
static rv_status read_trial(const source *s, hdf5_file *file)
{
    const char *trial = sonata_text(s->in->entry, "trial");
    hdf5_names  names;
    hdf5_path   group = hdf5_at(hdf5_at("/processing", trial ? trial : "trial_0").path, "spike_train");
    if (hdf5_list(file, group.path, &names) != RV_OK) return sonata_file_failed(file, s->in->error);
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++) {
        char   *end;
        int64_t id = strtoll(names.name[k], &end, 10);
        if (*end) status = sonata_refuse(file, group.path, s->in->error, "\"%.60s\" is not a node id", names.name[k]);
        else status = add_times(s, file, hdf5_at(hdf5_at(group.path, names.name[k]).path, "data").path, id);
    }
    hdf5_names_free(&names);
    return status;
}

/* NWB 2: the table /units; row k has the times index[k - 1] .. index[k] - 1. Seconds, but bmtk writes ms and says so. */
static rv_status read_units(const source *s, hdf5_file *file)
{
    int64_t   n_units, n, *end = NULL, *id = NULL, population = only_population(s);
    double   *times = NULL;
    char      unit[32] = "";
    rv_error *error = s->in->error;
    if (population < 0) return error->status;
    TRY(sonata_length(file, "/units/spike_times_index", &n_units, error));
    TRY(sonata_length(file, "/units/spike_times", &n, error));
    if (hdf5_has_attribute(file, "/units/spike_times", "unit")) hdf5_get_text(file, "/units/spike_times", "unit", unit, sizeof unit);
    double    ms = strncmp(unit, "ms", 2) == 0 || strncmp(unit, "millisec", 8) == 0 ? 1 : 1000;
    rv_status status = sonata_load(file, "/units/spike_times_index", HDF5_I64, n_units, (void **)&end, error);
    if (status == RV_OK) status = sonata_load(file, "/units/spike_times", HDF5_F64, n, (void **)&times, error);
    if (status == RV_OK) status = sonata_load(file, "/units/id", HDF5_I64, n_units, (void **)&id, error);
    for (int64_t u = 0, k = 0; u < n_units && status == RV_OK; u++) {
        if (end[u] < k || end[u] > n) status = sonata_refuse(file, "/units/spike_times_index", error, "row %lld ends at %lld of %lld times", (long long)u, (long long)end[u], (long long)n);
        for (; k < end[u] && status == RV_OK; k++) status = add(s, (int)population, id[u], ms * times[k]);
    }
    free(end), free(times), free(id);
    return status;
}

static rv_status read_nwb(const source *s)
{
    hdf5_file file = { 0 };
    if (hdf5_open(s->path, &file) != RV_OK) return sonata_file_failed(&file, s->in->error);
    rv_status status = hdf5_kind_of(&file, "/units/spike_times") == HDF5_DATASET ? read_units(s, &file) : read_trial(s, &file);
    hdf5_close(&file);
    return status;
}

/* ---- which of them ----------------------------------------------------------------------------------------------- */

static rv_status read_module(const source *s, const char *module)
{
    static const char *const hdf5[] = { "h5", "hdf5", "sonata", "synapse_replay" };
    for (int k = 0; k < COUNT(hdf5); k++)
        if (strcmp(module, hdf5[k]) == 0) return read_hdf5(s);
    if (strcmp(module, "csv") == 0) return read_csv(s);
    if (strcmp(module, "nwb") == 0) return read_nwb(s);
    return error_set(s->in->error, RV_UNKNOWN_NAME, "%s: spikes from module \"%.60s\"; known are h5, hdf5, sonata, csv, nwb and synapse_replay", s->in->name, module);
}

rv_status sonata_spikes_read(const sonata_input *in, sonata_spikes *spikes)
{
    const char *module = sonata_text(in->entry, "module"), *path = sonata_text(in->entry, "input_file");
    int64_t     unknown = 0;
    source      s = { .in = in, .spikes = spikes, .unknown = &unknown };
    double      duration;
    if (!path) path = sonata_text(in->entry, "spike_file");
    if (!module) return error_set(in->error, RV_WRONG_SHAPE, "%s: has no module", in->name);
    if (!path) return error_set(in->error, RV_WRONG_SHAPE, "%s: has no input_file", in->name);
    s.path = path;
    TRY(sonata_number(in->entry, in->name, "delay", -INFINITY, &s.from_ms, in->error));
    TRY(sonata_number(in->entry, in->name, "duration", INFINITY, &duration, in->error));
    s.to_ms = fmin(isinf(s.from_ms) ? duration : s.from_ms + duration, isnan(in->c->tstop) ? INFINITY : in->c->tstop);
    rv_status status = read_module(&s, module);
    if (status == RV_OK && unknown) sonata_warn(in->c, "%s: \"%s\" has %lld spikes of nodes that the circuit does not have; they are left out", in->name, path, (long long)unknown);
    return status;
}

static int by_neuron_and_time(const void *pa, const void *pb)
{
    const sonata_spike *a = pa, *b = pb;
    if (a->population != b->population) return a->population - b->population;
    if (a->part != b->part) return a->part - b->part;
    if (a->place != b->place) return a->place < b->place ? -1 : 1;
    return a->ms < b->ms ? -1 : a->ms > b->ms;
}

/* On the grid a spike is at the end of its step. NEST counts time in units of 1 us, and what is no more than half of that behind the
 * end of a step belongs to it: published spike counts depend on that. With steps of 1 us bmtk's generator always goes up. */
static double on_grid(const sonata_circuit *c, double ms)
{
    double h = rv_resolution(c->net), step = floor(ms / h), behind = ms - step * h;
    if (rv_net_timing(c->net) == RV_EXACT) return ms;
    return h * (step >= 1 && behind <= fmax(h > 0.0015 ? 0.0005 : 0, 1e-7 * h) ? step : step + 1);
}

rv_status sonata_spikes_play(sonata_circuit *c, sonata_spikes *spikes, rv_error *error)
{
    double *times = malloc(((size_t)spikes->n + 1) * sizeof *times);
    if (!times) return error_memory(error, "input spikes", (double)spikes->n * 8);
    if (spikes->n) qsort(spikes->spike, (size_t)spikes->n, sizeof *spikes->spike, by_neuron_and_time);
    rv_status status = RV_OK;
    for (int64_t k = 0, end; k < spikes->n && status == RV_OK; k = end) {
        const sonata_spike *s = &spikes->spike[k];
        for (end = k; end < spikes->n && spikes->spike[end].population == s->population && spikes->spike[end].part == s->part && spikes->spike[end].place == s->place; end++) times[end - k] = on_grid(c, spikes->spike[end].ms);
        if (rv_set_spike_times(c->net, c->nodes[s->population].part[s->part].population, s->place, times, end - k) != RV_OK) status = sonata_net_failed(c, error);
    }
    free(times);
    return status;
}
