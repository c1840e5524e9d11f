#include "io/nir_input.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/file_bytes.h"
#include "io/nir_data.h"
#include "io/nir_internal.h"
#include "io/results.h"
#include "sim/error.h"
#include "sim/memory.h"

/* ---- collecting -------------------------------------------------------------------------------------------------- */

typedef struct spike {
    int     part;
    int64_t neuron;
    double  ms;
} spike;

typedef struct playing {
    nir_net    *n;
    const char *path;
    spike      *spike; /* [n_spikes] */
    int64_t     n_spikes, capacity, sample;
    double      h, duration; /* ms */
    rv_error   *error;
} playing;

static rv_status add_spike(playing *p, int part, int64_t neuron, double ms)
{
    if (!memory_reserve((void **)&p->spike, &p->capacity, p->n_spikes + 1, sizeof *p->spike)) return error_memory(p->error, "input spikes", (double)p->n_spikes * sizeof *p->spike);
    p->spike[p->n_spikes++] = (spike){ part, neuron, ms };
    p->duration = fmax(p->duration, ms);
    return RV_OK;
}

static rv_status check_neuron(const playing *p, int part, double neuron)
{
    int64_t size = nir_size(&p->n->part[part].shape);
    if (neuron >= 0 && neuron < (double)size && neuron == rint(neuron)) return RV_OK;
    return error_set(p->error, RV_OUT_OF_RANGE, "\"%.150s\": neuron %.10g of Input \"%.80s\", allowed 0 to %lld", p->path, neuron, p->n->part[part].name, (long long)size - 1);
}

/* The Input of this name; without a name the only one. @return -1 after a sentence */
static int find_input(const playing *p, const char *name)
{
    int found = -1, count = 0;
    for (int k = 0; k < p->n->n_parts; k++) {
        const nir_part *part = &p->n->part[k];
        if (part->role != NIR_IS_INPUT || (name && strcmp(part->name, name) != 0)) continue;
        found = k, count++;
    }
    if (count == 1) return found;
    if (count > 1) error_set(p->error, RV_CONFLICT, "\"%.150s\": the graph has %d Inputs, a third column has to name one", p->path, count);
    else error_set(p->error, RV_UNKNOWN_NAME, "\"%.150s\": the graph has no Input%s%.80s", p->path, name ? " " : "", name ? name : "");
    return -1;
}

/* ---- HDF5 -------------------------------------------------------------------------------------------------------- */

/* So many spikes of an element in a step. */
static rv_status add_count(playing *p, int part, int64_t neuron, int64_t step, double count)
{
    enum { MOST = 1000 };
    if (!(count >= 0 && count <= MOST) || count != rint(count))
        return error_set(p->error, RV_OUT_OF_RANGE, "\"%.150s\": %.10g at step %lld, element %lld of Input \"%.80s\": allowed are numbers of spikes, 0 to %d; NIR's currents are no spikes", p->path,
                         count, (long long)step + 1, (long long)neuron, p->n->part[part].name, MOST);
    for (; count > 0; count--) TRY(add_spike(p, part, neuron, (double)(step + 1) * p->h));
    return RV_OK;
}

static rv_status load_rows(playing *p, hdf5_file *file, int part, const char *dataset)
{
    hdf5_shape shape;
    int64_t    size = nir_size(&p->n->part[part].shape);
    rv_status  status = hdf5_shape_of(file, dataset, &shape);
    if (status != RV_OK) return error_set(p->error, status, "%s", file->error.text);
    int64_t steps = shape.rank ? shape.n[0] : 0;
    if (steps == 0 || shape.count / steps != size)
        return error_set(p->error, RV_WRONG_SHAPE, "\"%.150s\", %.80s: an array (steps, ...) with %lld elements in a step is needed", p->path, dataset, (long long)size);
    double *row = malloc((size_t)size * sizeof *row);
    if (!row) return error_memory(p->error, "input spikes", (double)size * 8);
    for (int64_t t = 0; t < steps && status == RV_OK; t++) {
        status = hdf5_read_rows(file, dataset, HDF5_F64, t, 1, row);
        if (status != RV_OK) status = error_set(p->error, status, "%s", file->error.text);
        for (int64_t i = 0; i < size && status == RV_OK; i++) status = add_count(p, part, i, t, row[i]);
    }
    free(row);
    p->duration = fmax(p->duration, (double)steps * p->h);
    return status;
}

static rv_status load_datasets(playing *p, hdf5_file *file)
{
    int inputs = 0, found = 0;
    for (int k = 0; k < p->n->n_parts; k++) inputs += p->n->part[k].role == NIR_IS_INPUT;
    for (int k = 0; k < p->n->n_parts; k++) {
        if (p->n->part[k].role != NIR_IS_INPUT) continue;
        hdf5_path own = hdf5_at("/", p->n->part[k].name);
        bool      named = hdf5_kind_of(file, own.path) == HDF5_DATASET, common = inputs == 1 && hdf5_kind_of(file, "/input") == HDF5_DATASET;
        if (named || common) TRY(load_rows(p, file, k, named ? own.path : "/input"));
        found += named || common;
    }
    return found ? RV_OK : error_set(p->error, RV_UNKNOWN_NAME, "\"%.150s\": has no dataset with the name of an Input", p->path);
}

/* ---- NIRData ------------------------------------------------------------------------------------------------------ */

static rv_status load_observable(playing *p, int part, const nir_observable *o)
{
    int64_t first = p->sample * (o->kind == NIR_GRIDDED ? o->n_steps * o->n_neurons : o->n_events);
    if (p->sample >= o->n_samples)
        return error_set(p->error, RV_OUT_OF_RANGE, "\"%.150s\": sample %lld, allowed 0 to %lld", p->path, (long long)p->sample, (long long)o->n_samples - 1);
    TRY(check_neuron(p, part, (double)o->n_neurons - 1));
    p->duration = fmax(p->duration, 1e3 * o->t_max);
    for (int64_t k = 0; o->kind == NIR_GRIDDED && k < o->n_steps * o->n_neurons; k++)
        TRY(add_count(p, part, k % o->n_neurons, (int64_t)floor((double)(k / o->n_neurons) * o->dt * 1e3 / p->h + 1e-9), o->values[first + k]));
    for (int64_t k = 0; o->kind != NIR_GRIDDED && k < o->n_events; k++)
        if (o->neuron[first + k] >= 0) TRY(add_spike(p, part, o->neuron[first + k], (floor(o->time[first + k] * 1e3 / p->h + 1e-9) + 1) * p->h));
    return RV_OK;
}

/* An event at time t lies in step floor(t / dt), as NIR's documentation has it. */
static rv_status load_recording(playing *p)
{
    nir_data data;
    int      found = 0;
    TRY(nir_data_read(p->path, &data, p->error));
    rv_status status = RV_OK;
    for (int k = 0; k < p->n->n_parts && status == RV_OK; k++) {
        const nir_observable *o = p->n->part[k].role == NIR_IS_INPUT ? nir_data_find(&data, p->n->part[k].name, "spikes") : NULL;
        if (o) status = load_observable(p, k, o), found++;
    }
    nir_data_free(&data);
    if (status == RV_OK && !found) status = error_set(p->error, RV_UNKNOWN_NAME, "\"%.150s\": has no observable \"spikes\" of an Input", p->path);
    return status;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

static rv_status load_line(playing *p, int number, const char *line, bool in_ms)
{
    double when = 0, neuron = 0;
    char   name[NIR_PATH] = "";
    int    given = sscanf(line, " %lf , %lf , %255[^\r\n]", &when, &neuron, name);
    if (given < 2 || !(when > 0 && when <= 1e15) || (!in_ms && when != rint(when)))
        return error_set(p->error, RV_FILE_ERROR, "\"%.150s\", line %d: \"%.40s\" is not %s,neuron with %s", p->path, number, line, in_ms ? "ms" : "step", in_ms ? "times above 0" : "steps from 1");
    int part = find_input(p, given == 3 ? name : NULL);
    if (part < 0) return p->error->status;
    TRY(check_neuron(p, part, neuron));
    return add_spike(p, part, (int64_t)neuron, in_ms ? when : when * p->h);
}

static rv_status load_lines(playing *p)
{
    char  line[512];
    bool  in_ms = false;
    FILE *file = fopen(p->path, "r");
    if (!file) return error_set(p->error, RV_FILE_ERROR, "cannot read \"%.150s\": %s", p->path, strerror(errno));
    rv_status status = RV_OK;
    for (int k = 1; status == RV_OK && fgets(line, sizeof line, file); k++) {
        line[strcspn(line, "\r\n")] = 0;
        bool names = k == 1 && line[0] && strchr("0123456789.+-# ", line[0]) == NULL;
        if (names) in_ms = strncmp(line, "ms", 2) == 0;
        else if (line[0] && line[0] != '#') status = load_line(p, k, line, in_ms);
    }
    fclose(file);
    return status;
}

/* ---- recorded spikes ---------------------------------------------------------------------------------------------- */

static rv_status load_population(playing *p, const results_spikes *s, bool only)
{
    int part = 0;
    while (part < p->n->n_parts && (p->n->part[part].role != NIR_IS_INPUT || strcmp(p->n->part[part].name, s->name) != 0)) part++;
    if (part == p->n->n_parts) part = only ? find_input(p, NULL) : -1;
    if (part < 0) return only ? p->error->status : RV_OK; /* of other populations */
    for (int64_t k = 0; k < s->n; k++) {
        TRY(check_neuron(p, part, (double)s->neurons[k]));
        TRY(add_spike(p, part, s->neurons[k], fmax(s->times_ms[k], p->h))); /* what is there at once comes in the first step */
    }
    return RV_OK;
}

/* Populations with the names of Inputs; a single one needs no name. */
static rv_status load_spikes(playing *p)
{
    results *r;
    TRY(results_read(p->path, &r, p->error));
    int64_t   before = p->n_spikes;
    rv_status status = RV_OK;
    for (int i = 0; i < results_spikes_count(r) && status == RV_OK; i++) status = load_population(p, results_spikes_at(r, i), results_spikes_count(r) == 1);
    if (status == RV_OK && p->n_spikes == before) status = error_set(p->error, RV_UNKNOWN_NAME, "\"%.150s\": has no spikes of a population with the name of an Input", p->path);
    results_free(r);
    return status;
}

/* ---- playing ------------------------------------------------------------------------------------------------------ */

static int by_neuron_and_time(const void *pa, const void *pb)
{
    const spike *a = pa, *b = pb;
    if (a->part != b->part) return a->part - b->part;
    if (a->neuron != b->neuron) return a->neuron < b->neuron ? -1 : 1;
    return a->ms < b->ms ? -1 : a->ms > b->ms;
}

static rv_status play_all(playing *p)
{
    double *times = malloc(((size_t)p->n_spikes + 1) * sizeof *times);
    if (!times) return error_memory(p->error, "input spikes", (double)p->n_spikes * 8);
    qsort(p->spike, (size_t)p->n_spikes, sizeof *p->spike, by_neuron_and_time);
    rv_status status = RV_OK;
    for (int64_t k = 0, end; k < p->n_spikes && status == RV_OK; k = end) {
        for (end = k; end < p->n_spikes && p->spike[end].part == p->spike[k].part && p->spike[end].neuron == p->spike[k].neuron; end++) times[end - k] = p->spike[end].ms;
        status = rv_set_spike_times(p->n->net, p->n->part[p->spike[k].part].population, p->spike[k].neuron, times, end - k);
    }
    free(times);
    return status == RV_OK ? RV_OK : error_set(p->error, status, "%s", rv_net_error(p->n->net)->text);
}

static rv_status load_hdf5(playing *p)
{
    hdf5_file file = { 0 };
    rv_status status = hdf5_open(p->path, &file);
    if (status != RV_OK) return error_set(p->error, status, "%s", file.error.text);
    bool recording = hdf5_has_attribute(&file, "/", "__type__"), spikes = hdf5_kind_of(&file, "/spikes") == HDF5_GROUP;
    status = recording || spikes ? RV_OK : load_datasets(p, &file);
    hdf5_close(&file);
    return recording ? load_recording(p) : spikes ? load_spikes(p) : status;
}

/* Lines of the format above are told from spikes in columns by the first line: the latter have a time in it. */
static rv_status load(playing *p)
{
    uint8_t begin[128] = { 0 };
    size_t  n = file_bytes_begin(p->path, begin, sizeof begin - 1);
    begin[strcspn((char *)begin, "\r\n")] = 0;
    if (n >= 4 && memcmp(begin, "\211HDF", 4) == 0) return load_hdf5(p);
    bool spikes = memcmp(begin, "PK", 2) == 0 || memcmp(begin, "#!AER", 5) == 0 || memcmp(begin, "Event Stream", 12) == 0 || strstr((char *)begin, "time");
    return spikes ? load_spikes(p) : load_lines(p);
}

rv_status nir_play(nir_net *n, const char *path, int64_t sample, double *duration_ms, rv_error *error)
{
    playing   p = { .n = n, .path = path, .sample = sample, .h = rv_resolution(n->net), .error = error };
    rv_status status = load(&p);
    if (status == RV_OK) status = play_all(&p);
    free(p.spike);
    *duration_ms = ceil(p.duration / p.h - 1e-9) * p.h;
    return status;
}
