/* What a simulation leaves: spikes (HDF5 and csv, in the order the config wants) and reports, with the names that nodes have in the
 * circuit, whatever parts they were split into. */
#define _GNU_SOURCE
#include "io/sonata_output.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static const json_t *output_of(const sonata_circuit *c) { return json_object_get(c->config, "output"); }

static const char *output_dir(const sonata_circuit *c)
{
    const char *dir = c->options.output_dir ? c->options.output_dir : sonata_text(output_of(c), "output_dir");
    return dir ? dir : ".";
}

char *sonata_output_path(const sonata_circuit *c, const char *name)
{
    const char *dir = output_dir(c), *slash = strrchr(name, '/');
    size_t      prefix = slash ? (size_t)(slash - name) : 0, length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') length--;
    bool prefixed = prefix > 0 && name[0] != '/' && (prefix == length || (prefix < length && dir[length - prefix - 1] == '/')) && strncmp(dir + length - prefix, name, prefix) == 0;
    return sonata_join(dir, prefixed ? slash + 1 : name);
}

/* NULL if the config wants none. @param standard what it is without the config saying so, NULL: nothing */
static char *file_of(const sonata_circuit *c, const char *key, const char *standard)
{
    const json_t *value = json_object_get(output_of(c), key);
    const char   *name = json_string_value(value);
    if (!output_of(c) && !c->options.output_dir) return NULL;
    if (!name && !value) name = standard;
    return name ? sonata_output_path(c, name) : NULL;
}

char *sonata_spikes_path(const sonata_circuit *c) { return file_of(c, "spikes_file", "spikes.h5"); }

/* mkdir -p of what comes before the last slash. */
static rv_status make_folder(char *path, rv_error *error)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool failed = mkdir(path, 0777) != 0 && errno != EEXIST && access(path, F_OK) != 0;
        if (failed) error_set(error, RV_FILE_ERROR, "cannot make the output folder \"%.300s\": %s", path, strerror(errno));
        *slash = '/';
        if (failed) return RV_FILE_ERROR;
    }
    return RV_OK;
}

/* @param path freed here; NULL: nothing to prepare */
static rv_status prepare(char *path, bool keep, rv_error *error)
{
    rv_status status = path ? make_folder(path, error) : RV_OK;
    if (status == RV_OK && path && keep && access(path, F_OK) == 0)
        status = error_set(error, RV_CONFLICT, "\"%.300s\" is there already, and overwrite_output_dir is false", path);
    if (status == RV_OK && path) {
        bool  there = access(path, F_OK) == 0;
        FILE *file = fopen(path, "ab");
        if (!file) status = error_set(error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
        else fclose(file);
        if (file && !there) unlink(path);
    }
    free(path);
    return status;
}

rv_status sonata_prepare_output(sonata_circuit *c, rv_error *error)
{
    bool keep = !sonata_enabled(output_of(c), "overwrite_output_dir") || !sonata_enabled(json_object_get(c->config, "run"), "overwrite_output_dir");
    if (sonata_text(output_of(c), "spikes_file_nwb")) sonata_warn(c, "output: spikes_file_nwb is not written; spikes_file and spikes_file_csv are");
    TRY(prepare(sonata_spikes_path(c), keep, error));
    TRY(prepare(file_of(c, "spikes_file_csv", NULL), keep, error));
    for (int k = 0; k < c->n_reports; k++) TRY(prepare(strdup(c->report[k].path), keep, error));
    return RV_OK;
}

/* ---- spikes ------------------------------------------------------------------------------------------------------ */

typedef struct spike {
    double  ms;
    int64_t id;
    int     population;
} spike;

static int by_time(const void *pa, const void *pb)
{
    const spike *a = pa, *b = pb;
    if (a->ms != b->ms) return a->ms < b->ms ? -1 : 1;
    return a->population != b->population ? a->population - b->population : (a->id > b->id) - (a->id < b->id);
}

static int by_id(const void *pa, const void *pb)
{
    const spike *a = pa, *b = pb;
    if (a->population != b->population) return a->population - b->population;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->ms > b->ms) - (a->ms < b->ms);
}

static rv_status collect_part(const sonata_circuit *c, int population, int part, spike *to, rv_error *error)
{
    const sonata_nodes *nodes = &c->nodes[population];
    int64_t             n = rv_spike_count(c->net, nodes->part[part].population), *neurons = malloc(((size_t)n + 1) * sizeof *neurons);
    double             *times = malloc(((size_t)n + 1) * sizeof *times);
    rv_status           status = times && neurons ? RV_OK : error_memory(error, "spikes", 16.0 * (double)n);
    if (status == RV_OK && rv_spike_read(c->net, nodes->part[part].population, 0, n, times, neurons) != RV_OK) status = sonata_net_failed(c, error);
    for (int64_t k = 0; k < n && status == RV_OK; k++) to[k] = (spike){ times[k], sonata_node(nodes, part, neurons[k]), population };
    free(times), free(neurons);
    return status;
}

/* All spikes of simulated neurons. @param spikes result, freed by the caller */
static rv_status collect(const sonata_circuit *c, spike **spikes, int64_t *n, rv_error *error)
{
    *n = 0;
    for (int p = 0; p < c->n_nodes; p++)
        for (int k = 0; k < c->nodes[p].n_parts; k++)
            if (!c->nodes[p].part[k].is_virtual) *n += rv_spike_count(c->net, c->nodes[p].part[k].population);
    *spikes = malloc(((size_t)*n + 1) * sizeof **spikes);
    if (!*spikes) return error_memory(error, "spikes", (double)*n * sizeof **spikes);
    int64_t at = 0;
    for (int p = 0; p < c->n_nodes; p++)
        for (int k = 0; k < c->nodes[p].n_parts; k++) {
            if (c->nodes[p].part[k].is_virtual) continue;
            TRY(collect_part(c, p, k, *spikes + at, error));
            at += rv_spike_count(c->net, c->nodes[p].part[k].population);
        }
    return RV_OK;
}

enum { SORTED_NOT, SORTED_BY_ID, SORTED_BY_TIME };

static int order_of(sonata_circuit *c)
{
    static const char *const words[][2] = { { "none", "" }, { "id", "by_id" }, { "gid", "node_id" }, { "time", "by_time" } };
    static const int         orders[] = { SORTED_NOT, SORTED_BY_ID, SORTED_BY_ID, SORTED_BY_TIME };
    const char              *order = sonata_text(output_of(c), "spikes_sort_order");
    for (int k = 0; k < COUNT(words) && order; k++)
        if (strcmp(order, words[k][0]) == 0 || strcmp(order, words[k][1]) == 0) return orders[k];
    if (order) sonata_warn(c, "output: spikes_sort_order is \"%s\", known are time, id and none; spikes are sorted by time", order);
    return SORTED_BY_TIME;
}

static rv_status write_group(hdf5_file *f, const char *name, const spike *spikes, int64_t n, int population, int order)
{
    static const char *const sortings[] = { "none", "by_id", "by_time" };
    hdf5_path                group = hdf5_at("/spikes", name), times = hdf5_at(group.path, "timestamps");
    int64_t                  m = 0, *ids = malloc(((size_t)n + 1) * sizeof *ids);
    double                  *ms = malloc(((size_t)n + 1) * sizeof *ms);
    for (int64_t k = 0; k < n && ids && ms; k++)
        if (spikes[k].population == population) ms[m] = spikes[k].ms, ids[m++] = spikes[k].id;
    rv_status status = ids && ms ? hdf5_make_group(f, group.path) : error_memory(&f->error, "spikes", 16.0 * (double)n);
    if (status == RV_OK) status = hdf5_set_enum(f, group.path, "sorting", sortings, 3, order);
    if (status == RV_OK) status = hdf5_write(f, times.path, HDF5_F64, ms, m);
    if (status == RV_OK) status = hdf5_set_text(f, times.path, "units", "ms");
    if (status == RV_OK) status = hdf5_write(f, hdf5_at(group.path, "node_ids").path, HDF5_U64, ids, m);
    free(ids), free(ms);
    return status;
}

static bool is_simulated(const sonata_nodes *nodes)
{
    bool simulated = false;
    for (int k = 0; k < nodes->n_parts; k++) simulated |= !nodes->part[k].is_virtual;
    return simulated;
}

static rv_status write_hdf5(const sonata_circuit *c, const char *path, const spike *spikes, int64_t n, int order, rv_error *error)
{
    hdf5_file file = { 0 };
    rv_status status = hdf5_create(path, &file);
    if (status == RV_OK) status = report_file_begin(&file);
    if (status == RV_OK) status = hdf5_make_group(&file, "/spikes");
    for (int p = 0; p < c->n_nodes && status == RV_OK; p++)
        if (is_simulated(&c->nodes[p])) status = write_group(&file, c->nodes[p].name, spikes, n, p, order);
    rv_status closed = hdf5_close(&file);
    return status == RV_OK && closed == RV_OK ? RV_OK : sonata_file_failed(&file, error);
}

static rv_status write_csv(const sonata_circuit *c, const char *path, const spike *spikes, int64_t n, rv_error *error)
{
    FILE *file = fopen(path, "w");
    if (!file) return error_set(error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
    fprintf(file, "timestamps population node_ids\n");
    for (int64_t k = 0; k < n; k++) fprintf(file, "%.12g %s %lld\n", spikes[k].ms, c->nodes[spikes[k].population].name, (long long)spikes[k].id);
    bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed) return error_set(error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
    return RV_OK;
}

rv_status sonata_write_output(sonata_circuit *c, rv_error *error)
{
    char     *hdf5 = sonata_spikes_path(c), *csv = file_of(c, "spikes_file_csv", NULL);
    spike    *spikes = NULL;
    int64_t   n = 0;
    int       order = order_of(c);
    rv_status status = hdf5 || csv ? collect(c, &spikes, &n, error) : RV_OK;
    if (status == RV_OK && n > 0 && order != SORTED_NOT) qsort(spikes, (size_t)n, sizeof *spikes, order == SORTED_BY_ID ? by_id : by_time);
    if (status == RV_OK && hdf5) status = write_hdf5(c, hdf5, spikes, n, order, error);
    if (status == RV_OK && csv) status = write_csv(c, csv, spikes, n, error);
    free(hdf5), free(csv), free(spikes);
    for (int k = 0; k < c->n_reports && status == RV_OK; k++) status = sonata_report_write(c, &c->report[k], error);
    return status;
}
