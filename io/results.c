/* Writing results. The file is SONATA's (AllenInstitute/sonata, SONATA_DEVELOPER_GUIDE, version 0.1) and a little more:
 *
 *   /                            magic 0x0A7A, version (0, 1)
 *   /spikes/<population>         sorting (enum, by_time); population, size (neurons), model, inhibitory if known
 *       timestamps   f64 [S]     units "ms"; ascending
 *       node_ids     u64 [S]     from 0
 *   /report/<report>             states; population
 *       data         f32 [T,V]   units, variable; a row is a sample, a column a neuron
 *       mapping/     node_ids, index_pointers (= index_pointer), element_ids, element_pos, time (start, stop, step)
 *   /rate/<population>           data f64 [T] in Hz, time; ours
 *   /weights/<source>_to_<target>    data f64 [T,synapses], source, target, time; ours
 *   /synapses/<..>_<variable>        the same of a state of the learning rule; ours
 *   /histogram/<source>_to_<target>  data f64 [T,bins], edges, time; ours
 *   /touches                     what the user did while it ran (results.h): timestamps f64 in ms, kind, index, neuron
 *                                i64, value f64; knobs: their labels, one a line; ours
 *   /provenance                  what made it: version, seed, ..., script
 *
 * The first state probe of a population has the population's name, as SONATA wants it, which knows one report per
 * file; the others are called <population>.<variable>, and .2, .3 ... is added where that is taken too. The
 * attribute `population` says whose they are.
 *
 * The file is readable at every moment, also after kill -9 (see hdf5_file.c), because nothing is ever changed in
 * place except by appending:
 *   - it is begun as <path>.part and then renamed to <path>, so that an older file stays until that moment;
 *   - data are appended in batches, node_ids before timestamps, samples before the stop time that promises them:
 *     after a kill one list may be longer, and the shorter one counts;
 *   - when something new is recorded, the structure changes; that happens in a copy, <path>.part, which then takes the
 *     place of the file. Usually there is little to copy: what a script records it says before the first run.
 * What is written is what the network has and the file has not, so an update that failed (full disk) is made up for by
 * the next that succeeds. */
#define _GNU_SOURCE
#include "io/results.h"
#include "io/hdf5_file.h"
#include "io/report_file.h"
#include "sim/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 1 << 15 };               /* records pulled from the network at once */
static const double UPDATE_SECONDS = 0.5; /* of wall time between updates            */

/* One thing that is recorded, and where it goes. */
typedef struct stream {
    bool          spikes; /* of population; else samples of probe                                             */
    rv_population population;
    rv_probe      probe;
    hdf5_path     group;
    int64_t       first;  /* what the network had recorded before stays out of the file                      */
    int64_t       rows;   /* timestamps or samples of the network that are done with: in the file, or before first */
    int64_t       ids;    /* node_ids likewise: more than rows if a full disk came between the two           */
} stream;

struct results_writer {
    rv_net            *net;
    char              *path, *part;
    results_provenance provenance; /* of it only the functions and user, once the file has begun */
    hdf5_file          file;
    stream            *streams;    /* [n_streams] what the file has */
    int                n_streams;
    int64_t            n_touches;  /* in the file */
    double            *times;      /* [BATCH] */
    int64_t           *neurons;    /* [BATCH] */
};

/* Hands the sentence of the file to the network, where the user looks for it. */
static rv_status file_failed(results_writer *w)
{
    return rv_fail(w->net, w->file.error.status, "%s", w->file.error.text);
}

/* Like TRY, for calls that leave their sentence in the file. */
#define CHECK(w, call)                                  \
    do {                                                \
        if ((call) != RV_OK) return file_failed(w);     \
    } while (0)

/* ---- names --------------------------------------------------------------------------------------------------- */

/* parent/name if it is free; else the first that is of name.variable, name.variable.2, name.variable.3, ... */
static hdf5_path free_group(results_writer *w, const char *parent, const char *name, const char *variable)
{
    char      stem[512], numbered[544];
    hdf5_path group = hdf5_at(parent, name);
    if (hdf5_kind_of(&w->file, group.path) == HDF5_NOTHING) return group;
    snprintf(stem, sizeof stem, "%.400s%s%.100s", name, variable ? "." : "", variable ? variable : "");
    group = hdf5_at(parent, stem);
    for (int i = 2; hdf5_kind_of(&w->file, group.path) != HDF5_NOTHING; i++) {
        snprintf(numbered, sizeof numbered, "%s.%d", stem, i);
        group = hdf5_at(parent, numbered);
    }
    return group;
}

/* ---- structure ----------------------------------------------------------------------------------------------- */

/* Makes the group of a stream, which says what it is of, whatever it is called. */
static rv_status make_group(results_writer *w, stream *s, const char *parent, const char *name, const char *variable,
                            rv_population population)
{
    CHECK(w, hdf5_make_group(&w->file, parent));
    s->group = free_group(w, parent, name, variable);
    CHECK(w, hdf5_make_group(&w->file, s->group.path));
    CHECK(w, hdf5_set_text(&w->file, s->group.path, "population", rv_population_name(w->net, population)));
    return RV_OK;
}

static rv_status write_shape(results_writer *w, const stream *s)
{
    results_shape shape = w->provenance.shape ? w->provenance.shape(w->provenance.user, s->population) : (results_shape){ 0 };
    const int32_t numbers[3] = { shape.columns, shape.rows, shape.polarities };
    if (shape.columns > 0) CHECK(w, hdf5_set_numbers(&w->file, s->group.path, "shape", HDF5_I32, numbers, 3));
    return RV_OK;
}

static rv_status add_spikes(results_writer *w, stream *s)
{
    static const char *const sortings[] = { "none", "by_id", "by_time" };
    hdf5_file               *f = &w->file;
    TRY(make_group(w, s, "/spikes", rv_population_name(w->net, s->population), NULL, s->population));
    CHECK(w, hdf5_set_enum(f, s->group.path, "sorting", sortings, 3, 2));
    CHECK(w, hdf5_set_int(f, s->group.path, "size", rv_population_size(w->net, s->population)));
    CHECK(w, hdf5_set_text(f, s->group.path, "model", rv_population_model(w->net, s->population)));
    if (w->provenance.inhibitory) {
        uint8_t inhibitory = w->provenance.inhibitory(w->provenance.user, s->population);
        CHECK(w, hdf5_set_numbers(f, s->group.path, "inhibitory", HDF5_U8, &inhibitory, 0));
    }
    TRY(write_shape(w, s));
    CHECK(w, hdf5_make_series(f, hdf5_at(s->group.path, "timestamps").path, HDF5_F64));
    CHECK(w, hdf5_set_text(f, hdf5_at(s->group.path, "timestamps").path, "units", "ms"));
    CHECK(w, hdf5_make_series(f, hdf5_at(s->group.path, "node_ids").path, HDF5_U64));
    return RV_OK;
}

/* Start, stop and step of samples in ms; there are none yet. */
static rv_status add_time(results_writer *w, const char *dataset, double interval_ms)
{
    const double time[3] = { 0, 0, interval_ms };
    CHECK(w, hdf5_write(&w->file, dataset, HDF5_F64, time, 3));
    CHECK(w, hdf5_set_text(&w->file, dataset, "units", "ms"));
    return RV_OK;
}

static rv_status describe_data(results_writer *w, const char *group, const rv_probe_info *info)
{
    hdf5_path data = hdf5_at(group, "data");
    CHECK(w, hdf5_set_text(&w->file, data.path, "units", info->unit ? info->unit : "1"));
    CHECK(w, hdf5_set_text(&w->file, data.path, "variable", info->variable ? info->variable : ""));
    return RV_OK;
}

static rv_status no_memory(results_writer *w, const char *what, int64_t n)
{
    return rv_fail(w->net, RV_OUT_OF_MEMORY, "no memory to write %lld %s to \"%s\"", (long long)n, what, w->path);
}

static rv_status add_mapping(results_writer *w, const char *mapping, const rv_slice *slice, int64_t n)
{
    int64_t *ids = malloc((size_t)(n + 1) * sizeof *ids), stride = slice->stride ? slice->stride : 1;
    if (!ids) return no_memory(w, "neuron ids", n);
    for (int64_t i = 0; i < n; i++) ids[i] = slice->first + i * stride;
    rv_status status = report_file_mapping(&w->file, mapping, ids, n);
    free(ids);
    return status == RV_OK ? RV_OK : file_failed(w);
}

static rv_status add_report(results_writer *w, stream *s, const rv_probe_info *info)
{
    const char *name = rv_population_name(w->net, info->population);
    TRY(make_group(w, s, "/report", name, info->variable, info->population));
    CHECK(w, hdf5_make_table(&w->file, hdf5_at(s->group.path, "data").path, HDF5_F32, info->n_columns));
    TRY(describe_data(w, s->group.path, info));
    TRY(add_mapping(w, hdf5_at(s->group.path, "mapping").path, &info->slice, info->n_columns));
    return add_time(w, hdf5_at(s->group.path, "mapping/time").path, info->interval_ms);
}

static rv_status add_rate(results_writer *w, stream *s, const rv_probe_info *info)
{
    TRY(make_group(w, s, "/rate", rv_population_name(w->net, info->population), NULL, info->population));
    CHECK(w, hdf5_make_series(&w->file, hdf5_at(s->group.path, "data").path, HDF5_F64));
    TRY(describe_data(w, s->group.path, info));
    return add_time(w, hdf5_at(s->group.path, "time").path, info->interval_ms);
}

static rv_status add_synapses(results_writer *w, const stream *s, const rv_probe_info *info)
{
    int64_t n = info->n_columns, all;
    TRY(rv_synapse_count(w->net, info->projection, &all));
    int64_t  *ends = malloc((size_t)(2 * n + 2 * all + 1) * sizeof *ends), *sources = ends + 2 * n, *targets = sources + all;
    rv_status status = ends ? RV_OK : no_memory(w, "synapses", n + all);
    if (status == RV_OK) status = rv_synapses(w->net, info->projection, sources, targets, NULL, NULL);
    for (int64_t k = 0; k < n && status == RV_OK; k++) {
        int64_t synapse = info->synapses ? info->synapses[k] : k;
        ends[k] = sources[synapse], ends[n + k] = targets[synapse];
    }
    hdf5_path source = hdf5_at(s->group.path, "source"), target = hdf5_at(s->group.path, "target");
    if (status == RV_OK && (hdf5_write(&w->file, source.path, HDF5_U64, ends, n) != RV_OK ||
                            hdf5_write(&w->file, target.path, HDF5_U64, ends + n, n) != RV_OK))
        status = file_failed(w);
    free(ends);
    return status;
}

static rv_status add_edges(results_writer *w, const stream *s, const rv_probe_info *info)
{
    double *edge = malloc((size_t)(info->n_columns + 1) * sizeof *edge);
    if (!edge) return no_memory(w, "bins", info->n_columns);
    for (int64_t k = 0; k <= info->n_columns; k++) edge[k] = info->low + (info->high - info->low) * (double)k / (double)info->n_columns;
    rv_status status = hdf5_write(&w->file, hdf5_at(s->group.path, "edges").path, HDF5_F64, edge, info->n_columns + 1) == RV_OK ? RV_OK : file_failed(w);
    free(edge);
    return status;
}

/* Weights, or states of the learning rule, or histograms of them */
static rv_status add_weights(results_writer *w, stream *s, const rv_probe_info *info)
{
    const char *source = rv_population_name(w->net, rv_projection_source(w->net, info->projection));
    const char *target = rv_population_name(w->net, rv_projection_target(w->net, info->projection));
    const char *learning = rv_projection_plasticity(w->net, info->projection);
    bool        histogram = info->kind == RV_PROBE_HISTOGRAM, weight = strcmp(info->variable, "weight") == 0;
    char        name[512];
    snprintf(name, sizeof name, "%.200s_to_%.200s%s%.60s", source, target, weight ? "" : "_", weight ? "" : info->variable);
    TRY(make_group(w, s, histogram ? "/histogram" : weight ? "/weights" : "/synapses", name, NULL, info->population));
    CHECK(w, hdf5_set_text(&w->file, s->group.path, "source_population", source));
    if (learning) CHECK(w, hdf5_set_text(&w->file, s->group.path, "plasticity", learning));
    CHECK(w, hdf5_make_table(&w->file, hdf5_at(s->group.path, "data").path, HDF5_F64, info->n_columns));
    TRY(describe_data(w, s->group.path, info));
    if (histogram) TRY(add_edges(w, s, info));
    else TRY(add_synapses(w, s, info));
    return add_time(w, hdf5_at(s->group.path, "time").path, info->interval_ms);
}

static rv_status add_stream(results_writer *w, stream *s)
{
    rv_probe_info info;
    if (s->spikes) return add_spikes(w, s);
    TRY(rv_probe_describe(w->net, s->probe, &info));
    switch (info.kind) {
    case RV_PROBE_STATE: return add_report(w, s, &info);
    case RV_PROBE_RATE: return add_rate(w, s, &info);
    case RV_PROBE_WEIGHTS:
    case RV_PROBE_HISTOGRAM: return add_weights(w, s, &info);
    }
    return RV_OK;
}

/* ---- what is new --------------------------------------------------------------------------------------------- */

static bool has_spikes_of(const results_writer *w, rv_population population)
{
    for (int i = 0; i < w->n_streams; i++)
        if (w->streams[i].spikes && w->streams[i].population.id == population.id) return true;
    return false;
}

static bool has_probe(const results_writer *w, rv_probe probe)
{
    for (int i = 0; i < w->n_streams; i++)
        if (!w->streams[i].spikes && w->streams[i].probe.id == probe.id) return true;
    return false;
}

static rv_status note_stream(results_writer *w, stream s)
{
    stream *longer = realloc(w->streams, (size_t)(w->n_streams + 1) * sizeof *longer);
    if (!longer) return no_memory(w, "things that are recorded", w->n_streams + 1);
    w->streams = longer;
    w->streams[w->n_streams++] = s;
    return RV_OK;
}

/* Lists what is recorded and has no place in the file yet, behind what has. */
static rv_status note_new_streams(results_writer *w)
{
    for (int32_t id = 1; id <= rv_population_count(w->net); id++) {
        rv_population population = {id};
        if (rv_spikes_recorded(w->net, population) && !has_spikes_of(w, population))
            TRY(note_stream(w, (stream){ .spikes = true, .population = population }));
    }
    for (int32_t id = 1; id <= rv_probe_count(w->net); id++)
        if (!has_probe(w, (rv_probe){id})) TRY(note_stream(w, (stream){ .probe = {id} }));
    return RV_OK;
}

/* Leaves out what the network has recorded so far. */
static rv_status skip_past(results_writer *w)
{
    for (int i = 0; i < w->n_streams; i++) {
        stream       *s = &w->streams[i];
        rv_probe_info info;
        if (s->spikes) s->first = rv_spike_count(w->net, s->population);
        else {
            TRY(rv_probe_describe(w->net, s->probe, &info));
            s->first = info.n_samples;
        }
        s->rows = s->ids = s->first;
    }
    return RV_OK;
}

/* ---- a copy with more in it ---------------------------------------------------------------------------------- */

/* Lets the file that was prepared as <path>.part take its place, and goes on with it. */
static rv_status take_place(results_writer *w)
{
    CHECK(w, hdf5_open_live(w->part, &w->file));
    CHECK(w, hdf5_rename(&w->file, w->path));
    return RV_OK;
}

/* Adds the streams from `first` on to the copy at <path>.part, which then takes the place of the file. */
static rv_status extend_copy(results_writer *w, int first)
{
    CHECK(w, hdf5_edit(w->part, &w->file));
    for (int i = first; i < w->n_streams; i++) TRY(add_stream(w, &w->streams[i]));
    CHECK(w, hdf5_close(&w->file));
    return take_place(w);
}

static rv_status extend_structure(results_writer *w)
{
    int first = w->n_streams;
    TRY(note_new_streams(w));
    if (w->n_streams == first) return RV_OK;
    hdf5_file former = w->file;
    rv_status status = hdf5_copy(&former, w->part);
    w->file = (hdf5_file){ .error = former.error };
    if (status == RV_OK) status = extend_copy(w, first);
    else status = file_failed(w);
    if (status == RV_OK) {
        hdf5_close(&former); /* it has no name any more; nothing it could say matters */
        return RV_OK;
    }
    hdf5_close(&w->file);
    unlink(w->part);
    w->file = former;
    w->n_streams = first;
    return status;
}

/* ---- data ---------------------------------------------------------------------------------------------------- */

static rv_status write_spikes(results_writer *w, stream *s)
{
    hdf5_path times = hdf5_at(s->group.path, "timestamps"), ids = hdf5_at(s->group.path, "node_ids");
    int64_t   n = rv_spike_count(w->net, s->population);
    while (s->rows < n) {
        int64_t batch = n - s->rows < BATCH ? n - s->rows : BATCH, end = s->rows + batch, there = s->ids - s->rows;
        TRY(rv_spike_read(w->net, s->population, s->rows, batch, w->times, w->neurons));
        CHECK(w, hdf5_append(&w->file, ids.path, HDF5_I64, w->neurons + there, batch - there));
        s->ids = end;
        CHECK(w, hdf5_append(&w->file, times.path, HDF5_F64, w->times, batch));
        s->rows = end;
    }
    return RV_OK;
}

static rv_status write_rows(results_writer *w, stream *s, const rv_probe_info *info, int64_t batch, double *values)
{
    while (s->rows < info->n_samples) {
        int64_t n = info->n_samples - s->rows < batch ? info->n_samples - s->rows : batch;
        TRY(rv_probe_read(w->net, s->probe, s->rows, n, NULL, values));
        CHECK(w, hdf5_append(&w->file, hdf5_at(s->group.path, "data").path, HDF5_F64, values, n));
        s->rows += n;
    }
    return RV_OK;
}

static rv_status write_time(results_writer *w, const stream *s, const rv_probe_info *info)
{
    double time[3] = { [2] = info->interval_ms };
    TRY(rv_probe_read(w->net, s->probe, s->first, 1, &time[0], NULL));
    time[1] = time[0] + (double)(info->n_samples - s->first) * info->interval_ms;
    const char *name = info->kind == RV_PROBE_STATE ? "mapping/time" : "time";
    CHECK(w, hdf5_write(&w->file, hdf5_at(s->group.path, name).path, HDF5_F64, time, 3));
    return RV_OK;
}

static rv_status write_samples(results_writer *w, stream *s)
{
    rv_probe_info info;
    TRY(rv_probe_describe(w->net, s->probe, &info));
    if (s->rows >= info.n_samples) return RV_OK;
    int64_t   width = info.n_columns > 0 ? info.n_columns : 1, batch = width < BATCH ? BATCH / width : 1;
    double   *values = malloc((size_t)(batch * width) * sizeof *values);
    rv_status status = values ? write_rows(w, s, &info, batch, values) : no_memory(w, "samples", width);
    free(values);
    return status == RV_OK ? write_time(w, s, &info) : status;
}

/* ---- touches ------------------------------------------------------------------------------------------------- */

static const char *const touch_columns[] = { "kind", "index", "neuron" };

/* Made before the run, as nothing can be made in a live file. */
static rv_status make_touches(results_writer *w, const results_provenance *p)
{
    if (!p->touches) return RV_OK;
    for (int k = 0; k < 3; k++) CHECK(w, hdf5_make_series(&w->file, hdf5_at("/touches", touch_columns[k]).path, HDF5_I64));
    CHECK(w, hdf5_make_series(&w->file, "/touches/value", HDF5_F64));
    CHECK(w, hdf5_make_series(&w->file, "/touches/timestamps", HDF5_F64));
    CHECK(w, hdf5_set_text(&w->file, "/touches/timestamps", "units", "ms"));
    CHECK(w, hdf5_write_text(&w->file, "/touches/knobs", p->knobs ? p->knobs : ""));
    return RV_OK;
}

/* The time comes last: a touch is there when its time is. */
static rv_status write_touches(results_writer *w)
{
    int64_t              n = 0;
    const results_touch *touch = w->provenance.touches ? w->provenance.touches(w->provenance.user, &n) : NULL;
    for (; w->n_touches < n; w->n_touches++) {
        const results_touch *t = &touch[w->n_touches];
        const int64_t        numbers[3] = { t->kind, t->index, t->neuron };
        for (int k = 0; k < 3; k++) CHECK(w, hdf5_append(&w->file, hdf5_at("/touches", touch_columns[k]).path, HDF5_I64, &numbers[k], 1));
        CHECK(w, hdf5_append(&w->file, "/touches/value", HDF5_F64, &t->value, 1));
        CHECK(w, hdf5_append(&w->file, "/touches/timestamps", HDF5_F64, &t->t_ms, 1));
    }
    return RV_OK;
}

/* Brings the file up to date with the network. */
static rv_status update(results_writer *w)
{
    TRY(extend_structure(w));
    TRY(write_touches(w));
    for (int i = 0; i < w->n_streams; i++)
        TRY(w->streams[i].spikes ? write_spikes(w, &w->streams[i]) : write_samples(w, &w->streams[i]));
    CHECK(w, hdf5_set_double(&w->file, "/provenance", "simulated_ms", rv_time(w->net)));
    return RV_OK;
}

static rv_status on_wall_clock(rv_net *net, double t_ms, void *user)
{
    (void)net, (void)t_ms;
    return update(user);
}

/* ---- beginning and end --------------------------------------------------------------------------------------- */

/* What is known before anything runs. Long texts are datasets, as attributes end at 64 KB. */
static rv_status write_provenance(results_writer *w, const results_provenance *p)
{
    static const char *const group = "/provenance";
    const uint64_t           seed = rv_seed(w->net);
    hdf5_file               *f = &w->file;
    char                     created[32];
    time_t                   now = time(NULL);
    struct tm                utc;
    strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    CHECK(w, report_file_begin(f));
    CHECK(w, hdf5_make_group(f, group));
    CHECK(w, hdf5_set_text(f, group, "program", "ranvier"));
    CHECK(w, hdf5_set_text(f, group, "version", RV_VERSION));
    CHECK(w, hdf5_set_text(f, group, "created", created));
    CHECK(w, hdf5_set_numbers(f, group, "seed", HDF5_U64, &seed, 0));
    CHECK(w, hdf5_set_double(f, group, "resolution", rv_resolution(w->net)));
    CHECK(w, hdf5_set_text(f, group, "timing", rv_net_timing(w->net) == RV_EXACT ? "exact" : "grid"));
    CHECK(w, hdf5_set_int(f, group, "threads", rv_threads(w->net)));
    CHECK(w, hdf5_set_double(f, group, "simulated_ms", rv_time(w->net)));
    CHECK(w, hdf5_set_int(f, group, "finished", 0)); /* 1 once the file was closed with everything in it */
    if (p->command_line) CHECK(w, hdf5_write_text(f, "/provenance/command_line", p->command_line));
    if (p->script_path) CHECK(w, hdf5_write_text(f, "/provenance/script_path", p->script_path));
    if (p->script_text) CHECK(w, hdf5_write_text(f, "/provenance/script", p->script_text));
    return RV_OK;
}

static rv_status refuse_path(results_writer *w, const char *path, const char *reason)
{
    return rv_fail(w->net, RV_FILE_ERROR, "results file \"%.200s\": %s", path, reason);
}

/* Refuses at once what nobody wants to be replaced by a file. */
static rv_status check_target(results_writer *w, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) return RV_OK;
    if (S_ISDIR(about.st_mode)) return refuse_path(w, path, "is a folder");
    if (!S_ISREG(about.st_mode)) return refuse_path(w, path, "is not an ordinary file");
    return access(path, W_OK) == 0 ? RV_OK : refuse_path(w, path, "no permission to replace it");
}

static rv_status check_folder(results_writer *w, const char *path)
{
    struct stat about;
    char       *folder = strdup(path), *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) slash[slash == folder] = 0; /* "/x.h5" is in "/" */
    const char *where = slash ? folder : ".";
    bool        there = stat(where, &about) == 0 && S_ISDIR(about.st_mode), allowed = access(where, W_OK | X_OK) == 0;
    free(folder);
    if (!there) return refuse_path(w, path, "its folder does not exist");
    return allowed ? RV_OK : refuse_path(w, path, "no permission to write in its folder");
}

/* Behind a symbolic link it is the file that is replaced, not the link. */
static rv_status set_path(results_writer *w, const char *path)
{
    if (*path == 0) return refuse_path(w, path, "has no name");
    TRY(check_target(w, path));
    TRY(check_folder(w, path));
    w->path = realpath(path, NULL);
    if (!w->path) w->path = strdup(path);
    if (!w->path || asprintf(&w->part, "%s.part", w->path) < 0) return no_memory(w, "bytes", (int64_t)strlen(path));
    return RV_OK;
}

static rv_status begin(results_writer *w, const char *path, const results_provenance *provenance)
{
    TRY(set_path(w, path));
    w->times = malloc(BATCH * sizeof *w->times);
    w->neurons = malloc(BATCH * sizeof *w->neurons);
    if (!w->times || !w->neurons) return no_memory(w, "records", BATCH);
    CHECK(w, hdf5_create(w->part, &w->file));
    TRY(write_provenance(w, provenance));
    TRY(make_touches(w, provenance));
    CHECK(w, hdf5_close(&w->file));
    TRY(take_place(w));
    if (provenance->from_now) TRY(extend_structure(w));
    if (provenance->from_now) TRY(skip_past(w));
    return rv_on_wall_clock(w->net, UPDATE_SECONDS, on_wall_clock, w);
}

static void writer_free(results_writer *w)
{
    hdf5_close(&w->file);
    free(w->path), free(w->part);
    free(w->streams), free(w->times), free(w->neurons);
    free(w);
}

rv_status results_writer_open(rv_net *net, const char *path, const results_provenance *provenance,
                              results_writer **writer)
{
    static const results_provenance nothing = {0};
    *writer = NULL;
    results_writer *w = calloc(1, sizeof *w);
    if (!w) return rv_fail(net, RV_OUT_OF_MEMORY, "no memory for a results file");
    w->net = net;
    if (!provenance) provenance = &nothing;
    w->provenance = (results_provenance){ .inhibitory = provenance->inhibitory, .shape = provenance->shape,
                                          .touches = provenance->touches, .user = provenance->user };
    rv_status status = begin(w, path, provenance);
    if (status == RV_OK) {
        *writer = w;
        return RV_OK;
    }
    if (w->part) unlink(w->part);
    writer_free(w);
    return status;
}

rv_status results_writer_close(results_writer *writer)
{
    if (!writer) return RV_OK;
    rv_off_wall_clock(writer->net, on_wall_clock, writer);
    rv_status status = update(writer);
    if (status == RV_OK && hdf5_set_int(&writer->file, "/provenance", "finished", 1) != RV_OK)
        status = file_failed(writer);
    if (hdf5_close(&writer->file) != RV_OK && status == RV_OK) status = file_failed(writer);
    writer_free(writer);
    return status;
}
