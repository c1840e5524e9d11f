/* Reading results from HDF5: the files of results.c, and SONATA's spikes and reports in the dialects that occur
 * (AllenInstitute/sonata, bmtk, libsonata, PyNN, NEST):
 *
 *   spikes    /spikes/<population>/{timestamps, node_ids}, or of old files /spikes/{timestamps, gids};
 *             units ms (also if absent) or s; sorted in any way, whatever `sorting` says: we look and sort by time
 *   reports   /report/<name>/{data, mapping}, or of old files /{data, mapping}; index_pointers or index_pointer
 *             or none; node_ids or gids; data of any type
 *   ours      /rate, /weights, /touches, /provenance
 *
 * Numbers are converted by HDF5, never read as the file has them. A file of ours that was not finished may end with
 * some node ids more than timestamps (results.c says why): they are left out. In other files that is an error. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/results_internal.h"

enum { TEXT_BYTES = 1 << 16 }; /* of the longest attribute */

/* Also what is damaged is there; reading it gives the sentence. */
static bool has(results *r, const char *group, const char *name)
{
    return hdf5_kind_of(&r->file, hdf5_at(group, name).path) != HDF5_NOTHING;
}

/* A text attribute cut to what fits; the alternative if there is none. */
static void text_or(results *r, const char *object, const char *name, const char *alternative, char *text, size_t size)
{
    if (hdf5_get_text(&r->file, object, name, text, size) != RV_OK) snprintf(text, size, "%s", alternative);
}

/* How many ms the unit of times is. */
static rv_status unit_of_time(results *r, const char *dataset, double *ms)
{
    char unit[32];
    text_or(r, dataset, "units", "ms", unit, sizeof unit);
    *ms = 1;
    if (unit[0] == 0 || !strcmp(unit, "ms") || !strncmp(unit, "millisec", 8)) return RV_OK;
    *ms = 1000;
    if (!strcmp(unit, "s") || !strncmp(unit, "sec", 3)) return RV_OK;
    return results_damaged(r, dataset, "times in \"%s\"; known are ms and s", unit);
}

/* ---- spikes -------------------------------------------------------------------------------------------------- */

static rv_status count_spikes(results *r, const char *group, const char *times, const char *ids, int64_t *n)
{
    hdf5_shape t, i;
    TRY(hdf5_shape_of(&r->file, times, &t));
    TRY(hdf5_shape_of(&r->file, ids, &i));
    if (t.rank > 1 || i.rank > 1) return results_damaged(r, group, "the lists of spikes have several axes");
    if (t.count != i.count && !r->unfinished)
        return results_damaged(r, group, "%lld times and %lld neurons", (long long)t.count, (long long)i.count);
    *n = t.count < i.count ? t.count : i.count;
    return RV_OK;
}

/* Reads the spikes that the file has and the lists have not: all of them at first. */
static rv_status load_spikes(results *r, const char *group, results_spikes *s)
{
    hdf5_path times = hdf5_at(group, "timestamps"), ids = hdf5_at(group, "node_ids");
    double    unit_ms;
    int64_t   n = 0, first = s->n;
    if (!has(r, group, "node_ids") && has(r, group, "gids")) ids = hdf5_at(group, "gids");
    TRY(unit_of_time(r, times.path, &unit_ms));
    TRY(count_spikes(r, group, times.path, ids.path, &n));
    if (n < first) return results_damaged(r, group, "%lld spikes, there were %lld before", (long long)n, (long long)first);
    TRY(results_reserve(r, s, n));
    TRY(hdf5_read_rows(&r->file, times.path, HDF5_F64, first, n - first, s->times_ms + first));
    TRY(hdf5_read_rows(&r->file, ids.path, HDF5_I64, first, n - first, s->neurons + first));
    s->n = n;
    TRY(results_check(r, group, s, first, unit_ms));
    return results_sort(r, s);
}

static results_shape read_shape(results *r, const char *group)
{
    char          text[96];
    results_shape shape = { 0 };
    if (!hdf5_has_attribute(&r->file, group, "shape") || hdf5_get_text(&r->file, group, "shape", text, sizeof text) != RV_OK) return shape;
    bool whole = sscanf(text, "%d %d %d", &shape.columns, &shape.rows, &shape.polarities) == 3;
    return whole && shape.columns > 0 && shape.rows > 0 && shape.polarities > 0 ? shape : (results_shape){ 0 };
}

static rv_status read_population(results *r, const char *group, const char *name)
{
    int             n = r->n_spikes;
    hdf5_path      *where = results_one_more(&r->spike_groups, &n, sizeof *where);
    results_spikes *s = where ? results_one_more(&r->spikes, &r->n_spikes, sizeof *s) : NULL;
    if (!s) return results_no_memory(r, sizeof *s);
    *where = (hdf5_path){ 0 };
    snprintf(where->path, sizeof where->path, "%s", group);
    int64_t inhibitory = 0;
    text_or(r, group, "population", name, s->name, sizeof s->name);
    if (hdf5_get_int(&r->file, group, "size", &s->size) != RV_OK || s->size < 0 || s->size > RESULTS_MOST_NEURONS) s->size = 0;
    hdf5_get_int(&r->file, group, "inhibitory", &inhibitory);
    s->inhibitory = inhibitory != 0;
    s->shape = read_shape(r, group);
    return load_spikes(r, group, s);
}

/* ---- reports ------------------------------------------------------------------------------------------------- */

/* Start and step from {start, stop, step}. The stop follows from the samples that are there. */
static rv_status read_time(results *r, const char *dataset, results_report *report)
{
    void      *loaded;
    hdf5_shape shape;
    double     unit_ms;
    TRY(hdf5_load(&r->file, dataset, HDF5_F64, &loaded, &shape));
    double time[3] = {0};
    if (shape.count == 3) memcpy(time, loaded, sizeof time);
    free(loaded);
    if (shape.count != 3 || !isfinite(time[0]) || !(time[2] > 0) || !isfinite(time[2]))
        return results_damaged(r, dataset, "is not start, stop and step");
    TRY(unit_of_time(r, dataset, &unit_ms));
    report->start_ms = time[0] * unit_ms, report->interval_ms = time[2] * unit_ms;
    return RV_OK;
}

static rv_status read_data(results *r, const char *group, results_report *report)
{
    hdf5_path  data = hdf5_at(group, "data");
    hdf5_shape shape;
    TRY(hdf5_load(&r->file, data.path, HDF5_F32, (void **)&report->values, &shape));
    if (shape.rank < 1 || shape.rank > 2)
        return results_damaged(r, data.path, "has %d axes instead of time and element", shape.rank);
    report->n_times = shape.n[0];
    report->n_columns = shape.rank == 2 ? shape.n[1] : 1;
    text_or(r, data.path, "units", "", report->unit, sizeof report->unit);
    text_or(r, data.path, "variable", "", report->variable, sizeof report->variable);
    return RV_OK;
}

/* A list of node ids of known length. */
static rv_status read_ids(results *r, const char *dataset, int64_t **ids, int64_t n)
{
    hdf5_shape shape;
    TRY(hdf5_load(&r->file, dataset, HDF5_I64, (void **)ids, &shape));
    if (n >= 0 && shape.count != n)
        return results_damaged(r, dataset, "%lld numbers instead of %lld", (long long)shape.count, (long long)n);
    for (int64_t i = 0; i < shape.count; i++)
        if ((*ids)[i] < 0 || (*ids)[i] > RESULTS_MOST_NEURONS)
            return results_damaged(r, dataset, "number %lld is %lld", (long long)i, (long long)(*ids)[i]);
    return RV_OK;
}

/* Columns p[i] .. p[i + 1] - 1 belong to node i; the last end is missing if SONATA's guide is taken at its word. */
static rv_status spread_ids(results *r, const char *dataset, results_report *report, const int64_t *nodes, int64_t n,
                            const int64_t *pointers, int64_t n_pointers)
{
    if (n_pointers != n && n_pointers != n + 1)
        return results_damaged(r, dataset, "%lld numbers for %lld nodes", (long long)n_pointers, (long long)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t end = i + 1 < n_pointers ? pointers[i + 1] : report->n_columns;
        if (pointers[i] > end || end > report->n_columns)
            return results_damaged(r, dataset, "node %lld has columns %lld to %lld of %lld", (long long)i,
                           (long long)pointers[i], (long long)end, (long long)report->n_columns);
        for (int64_t c = pointers[i]; c < end; c++) report->columns[c] = nodes[i];
    }
    return RV_OK;
}

static rv_status assign_columns(results *r, const char *mapping, results_report *report, const int64_t *nodes,
                                int64_t n)
{
    bool       plural = has(r, mapping, "index_pointers");
    hdf5_path  at = hdf5_at(mapping, plural ? "index_pointers" : "index_pointer");
    int64_t   *pointers = NULL;
    hdf5_shape shape;
    if (!plural && !has(r, mapping, "index_pointer")) {
        if (n != report->n_columns)
            return results_damaged(r, mapping, "%lld nodes for %lld columns, and no index_pointers", (long long)n,
                           (long long)report->n_columns);
        memcpy(report->columns, nodes, (size_t)n * sizeof *nodes);
        return RV_OK;
    }
    rv_status status = hdf5_shape_of(&r->file, at.path, &shape);
    if (status == RV_OK) status = read_ids(r, at.path, &pointers, -1);
    if (status == RV_OK) status = spread_ids(r, at.path, report, nodes, n, pointers, shape.count);
    free(pointers);
    return status;
}

static rv_status read_mapping(results *r, const char *mapping, results_report *report)
{
    hdf5_path  at = hdf5_at(mapping, "node_ids");
    int64_t   *nodes = NULL;
    hdf5_shape shape;
    if (!has(r, mapping, "node_ids") && has(r, mapping, "gids")) at = hdf5_at(mapping, "gids");
    report->columns = calloc((size_t)report->n_columns + 1, sizeof *report->columns);
    if (!report->columns) return results_no_memory(r, (double)report->n_columns * 8);
    TRY(hdf5_shape_of(&r->file, at.path, &shape));
    rv_status status = read_ids(r, at.path, &nodes, shape.count);
    if (status == RV_OK) status = assign_columns(r, mapping, report, nodes, shape.count);
    free(nodes);
    return status;
}

static rv_status read_weights(results *r, const char *group, results_report *report)
{
    TRY(read_ids(r, hdf5_at(group, "source").path, &report->sources, report->n_columns));
    return read_ids(r, hdf5_at(group, "target").path, &report->columns, report->n_columns);
}

static rv_status read_rate(results *r, results_report *report)
{
    report->columns = calloc((size_t)report->n_columns + 1, sizeof *report->columns);
    return report->columns ? RV_OK : results_no_memory(r, (double)report->n_columns * 8);
}

/* @param mapping where the nodes are said, for states */
static rv_status read_report(results *r, rv_probe_kind kind, const char *group, const char *mapping, const char *name)
{
    int             n = r->n_reports;
    hdf5_path      *where = results_one_more(&r->report_groups, &n, sizeof *where);
    results_report *report = where ? results_one_more(&r->reports, &r->n_reports, sizeof *report) : NULL;
    if (!report) return results_no_memory(r, sizeof *report);
    snprintf(where->path, sizeof where->path, "%s", group);
    report->kind = kind;
    snprintf(report->name, sizeof report->name, "%s", name);
    text_or(r, group, "population", report->name, report->population, sizeof report->population);
    TRY(read_time(r, hdf5_at(kind == RV_PROBE_STATE ? mapping : group, "time").path, report));
    TRY(read_data(r, group, report));
    if (kind == RV_PROBE_WEIGHTS) return read_weights(r, group, report);
    return kind == RV_PROBE_RATE ? read_rate(r, report) : read_mapping(r, mapping, report);
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static rv_status read_spikes(results *r)
{
    if (!has(r, "/", "spikes")) return RV_OK;
    if (has(r, "/spikes", "timestamps")) return read_population(r, "/spikes", "spikes");
    hdf5_names names;
    TRY(hdf5_list(&r->file, "/spikes", &names));
    rv_status status = RV_OK;
    for (int i = 0; i < names.n && status == RV_OK; i++) {
        hdf5_path group = hdf5_at("/spikes", names.name[i]);
        if (has(r, group.path, "timestamps")) status = read_population(r, group.path, names.name[i]);
    }
    hdf5_names_free(&names);
    return status;
}

static rv_status read_reports(results *r, rv_probe_kind kind, const char *parent)
{
    hdf5_names names;
    if (hdf5_kind_of(&r->file, parent) == HDF5_NOTHING) return RV_OK;
    TRY(hdf5_list(&r->file, parent, &names));
    rv_status status = RV_OK;
    for (int i = 0; i < names.n && status == RV_OK; i++) {
        hdf5_path group = hdf5_at(parent, names.name[i]), mapping = hdf5_at(group.path, "mapping");
        if (has(r, group.path, "data")) status = read_report(r, kind, group.path, mapping.path, names.name[i]);
    }
    hdf5_names_free(&names);
    return status;
}

static rv_status read_attributes(results *r, const char *object)
{
    hdf5_names names = {0};
    char      *text = malloc(TEXT_BYTES);
    rv_status  status = text ? hdf5_list_attributes(&r->file, object, &names) : results_no_memory(r, TEXT_BYTES);
    for (int i = 0; status == RV_OK && i < names.n; i++)
        if (hdf5_get_text(&r->file, object, names.name[i], text, TEXT_BYTES) == RV_OK)
            status = results_note_text(r, names.name[i], text);
    hdf5_names_free(&names);
    free(text);
    return status;
}

/* The texts of /provenance that are datasets. */
static rv_status read_texts(results *r)
{
    static const char *const names[] = { "/provenance/command_line", "/provenance/script_path", "/provenance/script", "/touches/knobs" };
    for (int i = 0; i < 4; i++) {
        if (hdf5_kind_of(&r->file, names[i]) != HDF5_DATASET) continue;
        char *text;
        TRY(hdf5_load_text(&r->file, names[i], &text));
        rv_status status = results_note_text(r, strrchr(names[i], '/') + 1, text);
        free(text);
        TRY(status);
    }
    return RV_OK;
}

static rv_status read_provenance(results *r)
{
    int64_t finished = 1;
    if (has(r, "/", "provenance")) {
        TRY(read_attributes(r, "/provenance"));
        TRY(read_texts(r));
        hdf5_get_int(&r->file, "/provenance", "finished", &finished);
        r->unfinished = !finished;
    }
    return read_attributes(r, "/");
}

/* The lists of a touch; the times are the shortest one if the run was killed. */
static rv_status read_touches(results *r)
{
    static const char *const names[] = { "kind", "index", "neuron" };
    hdf5_shape               shape;
    if (!has(r, "/", "touches")) return RV_OK;
    TRY(hdf5_shape_of(&r->file, "/touches/timestamps", &shape));
    free(r->touches);
    r->touches = calloc((size_t)shape.count + 1, sizeof *r->touches);
    r->n_touches = r->touches ? shape.count : 0;
    if (!r->touches) return results_no_memory(r, (double)shape.count * sizeof *r->touches);
    for (int64_t i = 0; i < r->n_touches; i++) {
        int64_t numbers[3];
        for (int k = 0; k < 3; k++) TRY(hdf5_read_rows(&r->file, hdf5_at("/touches", names[k]).path, HDF5_I64, i, 1, &numbers[k]));
        TRY(hdf5_read_rows(&r->file, "/touches/value", HDF5_F64, i, 1, &r->touches[i].value));
        TRY(hdf5_read_rows(&r->file, "/touches/timestamps", HDF5_F64, i, 1, &r->touches[i].t_ms));
        if (numbers[0] < RESULTS_KNOB || numbers[0] > RESULTS_INJECT || !isfinite(r->touches[i].t_ms))
            return results_damaged(r, "/touches", "number %lld is of kind %lld at %g ms", (long long)i, (long long)numbers[0], r->touches[i].t_ms);
        r->touches[i].kind = (results_touch_kind)numbers[0], r->touches[i].index = numbers[1], r->touches[i].neuron = numbers[2];
    }
    return RV_OK;
}

static rv_status read_file(results *r)
{
    static const char *const known[] = { "/spikes", "/report", "/data", "/rate", "/weights", "/provenance" };
    bool                     any = false;
    for (int i = 0; i < 6; i++) any |= hdf5_kind_of(&r->file, known[i]) != HDF5_NOTHING;
    if (!any) return results_damaged(r, "/", "neither /spikes nor /report is there: no results");
    TRY(read_provenance(r));
    TRY(read_spikes(r));
    TRY(read_reports(r, RV_PROBE_STATE, "/report"));
    TRY(read_reports(r, RV_PROBE_RATE, "/rate"));
    TRY(read_reports(r, RV_PROBE_WEIGHTS, "/weights"));
    TRY(read_touches(r));
    if (has(r, "/", "data") && has(r, "/", "mapping"))
        return read_report(r, RV_PROBE_STATE, "/", "/mapping", "report");
    return RV_OK;
}

rv_status results_read_hdf5(results *r)
{
    rv_status status = hdf5_open(r->path, &r->file);
    if (status == RV_OK) status = read_file(r);
    hdf5_close(&r->file);
    return status;
}

/* ---- what was added ------------------------------------------------------------------------------------------ */

static rv_status follow_report(results *r, const char *group, results_report *report)
{
    hdf5_path  data = hdf5_at(group, "data");
    hdf5_shape shape;
    TRY(hdf5_shape_of(&r->file, data.path, &shape));
    int64_t width = report->n_columns;
    if (shape.rank < 1 || shape.n[0] <= report->n_times || shape.count != shape.n[0] * width) return RV_OK;
    float *values = realloc(report->values, (size_t)shape.count * sizeof *values);
    if (!values) return results_no_memory(r, (double)shape.count * sizeof *values);
    report->values = values;
    TRY(hdf5_read_rows(&r->file, data.path, HDF5_F32, report->n_times, shape.n[0] - report->n_times, values + report->n_times * width));
    if (report->n_times == 0) TRY(read_time(r, hdf5_at(group, report->kind == RV_PROBE_STATE ? "mapping/time" : "time").path, report));
    report->n_times = shape.n[0];
    return RV_OK;
}

static rv_status follow_file(results *r)
{
    for (int i = 0; i < r->n_attributes; i++) free(r->attributes[i].name), free(r->attributes[i].text);
    r->n_attributes = 0;
    TRY(read_provenance(r));
    for (int i = 0; i < r->n_spikes; i++) TRY(load_spikes(r, r->spike_groups[i].path, &r->spikes[i]));
    for (int i = 0; i < r->n_reports; i++) TRY(follow_report(r, r->report_groups[i].path, &r->reports[i]));
    return read_touches(r);
}

static int64_t rows_of(const results *r)
{
    int64_t rows = 0;
    for (int i = 0; i < r->n_spikes; i++) rows += r->spikes[i].n;
    for (int i = 0; i < r->n_reports; i++) rows += r->reports[i].n_times;
    return rows;
}

rv_status results_follow(results *r, bool *grown, rv_error *error)
{
    int64_t   before = rows_of(r);
    rv_status status = hdf5_open(r->path, &r->file);
    if (status == RV_OK) status = follow_file(r);
    hdf5_close(&r->file);
    *grown = rows_of(r) > before;
    return status == RV_OK ? RV_OK : error_set(error, status, "%s", r->file.error.text);
}
