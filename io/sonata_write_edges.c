/* Edges, sorted by target, then source, as the AIBS builder has them, with indices both ways: node_id_to_ranges, as SONATA's guide
 * and libsonata call it, is node_id_to_range too, as NEST's documentation and bmtk do. */
#include "io/sonata_write.h"

#include <errno.h>

typedef struct edge {
    int64_t source, target, number; /* as rv_synapses() lists them */
    double  weight, delay;
} edge;

typedef struct writer {
    saver                *s;
    const projection_def *p;
    edge                 *edge; /* [n] */
    int64_t               n;
    hdf5_file             file;
    char                  name[SONATA_TEXT];
    hdf5_path             group; /* /edges/<name> */
    bool                  one_weight, one_delay;
} writer;

static rv_status failed(const writer *w) { return sonata_file_failed(&w->file, w->s->error); }

/* Equal ones stay in the order they have, which the network that is read back then has too. */
static int by_target(const void *pa, const void *pb)
{
    const edge *a = pa, *b = pb;
    if (a->target != b->target) return a->target < b->target ? -1 : 1;
    if (a->source != b->source) return a->source < b->source ? -1 : 1;
    return a->number < b->number ? -1 : 1;
}

static rv_status load(writer *w, int projection)
{
    rv_net *net = w->s->net;
    if (rv_synapse_count(net, (rv_projection){ projection + 1 }, &w->n) != RV_OK) return error_set(w->s->error, rv_net_error(net)->status, "%s", rv_net_error(net)->text);
    size_t   n = (size_t)w->n + 1;
    int64_t *ends = malloc(2 * n * sizeof *ends);
    double  *values = malloc(2 * n * sizeof *values);
    w->edge = malloc(n * sizeof *w->edge);
    rv_status status = ends && values && w->edge ? RV_OK : error_memory(w->s->error, w->name, 64.0 * (double)n);
    if (status == RV_OK && rv_synapses(net, (rv_projection){ projection + 1 }, ends, ends + n, values, values + n) != RV_OK) status = error_set(w->s->error, rv_net_error(net)->status, "%s", rv_net_error(net)->text);
    w->one_weight = w->one_delay = w->n > 0;
    for (int64_t k = 0; k < w->n && status == RV_OK; k++) {
        w->edge[k] = (edge){ ends[k], ends[(int64_t)n + k], k, values[k], values[(int64_t)n + k] };
        w->one_weight &= values[k] == values[0], w->one_delay &= values[(int64_t)n + k] == values[n];
    }
    free(ends), free(values);
    if (status == RV_OK && w->n) qsort(w->edge, (size_t)w->n, sizeof *w->edge, by_target);
    return status;
}

/* ---- indices ----------------------------------------------------------------------------------------------------- */

/* Ranges of edges for each node of one end. @param by_source else by target, in which edges are sorted */
static rv_status write_index(writer *w, const char *which, bool by_source, int64_t n_nodes)
{
    int64_t *begin = calloc((size_t)n_nodes + 2, sizeof *begin), *range = malloc(((size_t)w->n + 1) * 2 * sizeof *range), *node = malloc(((size_t)n_nodes + 1) * 2 * sizeof *node), n = 0;
    rv_status status = begin && range && node ? RV_OK : error_memory(w->s->error, w->name, 32.0 * (double)w->n);
    for (int64_t k = 0, last = -1; k < w->n && status == RV_OK; k++) { /* count: a range goes on while the end stays the same */
        int64_t end = by_source ? w->edge[k].source : w->edge[k].target;
        begin[end + 1] += end != last, last = end;
    }
    for (int64_t i = 0; i < n_nodes && status == RV_OK; i++) begin[i + 1] += begin[i], node[2 * i] = begin[i], node[2 * i + 1] = begin[i + 1];
    for (int64_t k = 0, last = -1, at = 0; k < w->n && status == RV_OK; k++) {
        int64_t end = by_source ? w->edge[k].source : w->edge[k].target;
        if (end != last) at = begin[end]++, range[2 * at] = k, n++;
        range[2 * at + 1] = k + 1, last = end;
    }
    hdf5_path group = hdf5_at(hdf5_at(w->group.path, "indices").path, which), nodes = hdf5_at(group.path, "node_id_to_ranges");
    if (status == RV_OK && (hdf5_write_array(&w->file, nodes.path, HDF5_U64, node, 2, (int64_t[]){ n_nodes, 2 }) != RV_OK || hdf5_link(&w->file, nodes.path, hdf5_at(group.path, "node_id_to_range").path) != RV_OK ||
                            hdf5_write_array(&w->file, hdf5_at(group.path, "range_to_edge_id").path, HDF5_U64, range, 2, (int64_t[]){ n, 2 }) != RV_OK))
        status = failed(w);
    free(begin), free(range), free(node);
    return status;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static rv_status write_ids(writer *w, const char *which, int64_t *x, const char *population)
{
    hdf5_path at = hdf5_at(w->group.path, which);
    if (hdf5_write(&w->file, at.path, HDF5_U64, x, w->n) != RV_OK) return failed(w);
    return !population || hdf5_set_text(&w->file, at.path, "node_population", population) == RV_OK ? RV_OK : failed(w);
}

static rv_status write_columns(writer *w, int64_t *x)
{
    const population_def *population = w->s->net->def.population;
    double               *y = (double *)x;
    hdf5_path             own = hdf5_at(w->group.path, "0");
    for (int64_t k = 0; k < w->n; k++) x[k] = w->edge[k].source;
    TRY(write_ids(w, "source_node_id", x, population[w->p->source.population].name));
    for (int64_t k = 0; k < w->n; k++) x[k] = w->edge[k].target;
    TRY(write_ids(w, "target_node_id", x, population[w->p->target.population].name));
    for (int64_t k = 0; k < w->n; k++) x[k] = k;
    TRY(write_ids(w, "edge_group_index", x, NULL));
    for (int64_t k = 0; k < w->n; k++) x[k] = 100;
    TRY(write_ids(w, "edge_type_id", x, NULL));
    memset(x, 0, (size_t)w->n * sizeof *x);
    TRY(write_ids(w, "edge_group_id", x, NULL));
    for (int64_t k = 0; k < w->n; k++) y[k] = w->edge[k].weight;
    if (!w->one_weight && hdf5_write(&w->file, hdf5_at(own.path, "syn_weight").path, HDF5_F64, y, w->n) != RV_OK) return failed(w);
    for (int64_t k = 0; k < w->n; k++) y[k] = w->edge[k].delay;
    if (!w->one_delay && hdf5_write(&w->file, hdf5_at(own.path, "delay").path, HDF5_F64, y, w->n) != RV_OK) return failed(w);
    return RV_OK;
}

static rv_status write_file(writer *w, const char *path)
{
    const population_def *population = w->s->net->def.population;
    int64_t              *scratch = malloc(((size_t)w->n + 1) * sizeof *scratch);
    rv_status             status = scratch ? RV_OK : error_memory(w->s->error, w->name, 8.0 * (double)w->n);
    if (status == RV_OK && (hdf5_create(path, &w->file) != RV_OK || report_file_begin(&w->file) != RV_OK || hdf5_make_group(&w->file, hdf5_at(w->group.path, "0").path) != RV_OK)) status = failed(w);
    if (status == RV_OK) status = write_columns(w, scratch);
    if (status == RV_OK) status = write_index(w, "source_to_target", true, population[w->p->source.population].n);
    if (status == RV_OK) status = write_index(w, "target_to_source", false, population[w->p->target.population].n);
    free(scratch);
    rv_status closed = hdf5_close(&w->file);
    return status == RV_OK && closed != RV_OK ? failed(w) : status;
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static json_t *parameters(const projection_def *p)
{
    json_t *params = json_object();
    for (int k = 0; p->plasticity && k < p->plasticity->table.n_params; k++) json_object_set_new(params, p->plasticity->table.params[k].name, json_real(p->param[k]));
    if (p->receptor_type) json_object_set_new(params, "receptor_type", json_integer(p->receptor_type));
    return params;
}

static rv_status write_types(const writer *w, const char *path)
{
    const projection_def *p = w->p;
    const char           *rule = p->plasticity ? p->plasticity->table.name : "static";
    size_t                length = strlen(rule);
    bool                  named = length > 8 && strcmp(rule + length - 8, "_synapse") == 0;
    FILE                 *file = fopen(path, "w");
    char                 *params = sonata_save_path("", w->name, ".json");
    if (!file || !params) {
        if (file) fclose(file);
        free(params);
        return error_set(w->s->error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
    }
    fprintf(file, "edge_type_id target_query source_query model_template%s%s dynamics_params\n100 * * %s%s", w->one_weight ? " syn_weight" : "", w->one_delay ? " delay" : "", rule, named ? "" : "_synapse");
    if (w->one_weight) fprintf(file, " %.17g", w->edge[0].weight);
    if (w->one_delay) fprintf(file, " %.17g", w->edge[0].delay);
    fprintf(file, " %s\n", params);
    free(params);
    return fclose(file) == 0 ? RV_OK : error_set(w->s->error, RV_FILE_ERROR, "cannot write \"%.300s\": %s", path, strerror(errno));
}

/* ---- one projection ---------------------------------------------------------------------------------------------- */

static rv_status check(const writer *w)
{
    const projection_def *p = w->p;
    if (p->synapse) return error_set(w->s->error, RV_CONFLICT, "edges \"%.200s\": synapse \"%s\" of a chip has no place in SONATA", w->name, p->synapse->table.name);
    for (int k = 0; k < RV_MAX_TEXTS; k++)
        if (p->text[k]) return error_set(w->s->error, RV_CONFLICT, "edges \"%.200s\": the formulas of \"%s\" have no place in SONATA", w->name, p->plasticity->table.name);
    return RV_OK;
}

/* <source>_to_<target>; with a number if there are several between the same two. */
static void name_edges(writer *w, int projection)
{
    const definition *d = &w->s->net->def;
    int               same = 1, n;
    for (int k = 0; k < projection; k++) same += d->projection[k].source.population == w->p->source.population && d->projection[k].target.population == w->p->target.population;
    n = snprintf(w->name, sizeof w->name, "%.200s_to_%.200s", d->population[w->p->source.population].name, d->population[w->p->target.population].name);
    if (same > 1) snprintf(w->name + n, sizeof w->name - (size_t)n, ".%d", same);
    w->group = hdf5_at("/edges", w->name);
}

rv_status sonata_save_edges(saver *s, int projection)
{
    writer w = { .s = s, .p = &s->net->def.projection[projection] };
    name_edges(&w, projection);
    char *folder = sonata_join(s->dir, "network"), *path = sonata_save_path(folder, w.name, "_edges.h5"), *types = sonata_save_path(folder, w.name, "_edge_types.csv");
    char *path_named = sonata_save_path("$NETWORK_DIR", w.name, "_edges.h5"), *types_named = sonata_save_path("$NETWORK_DIR", w.name, "_edge_types.csv");
    json_t   *params = parameters(w.p);
    rv_status status = check(&w);
    if (status == RV_OK) status = load(&w, projection);
    if (status == RV_OK) status = write_file(&w, path);
    if (status == RV_OK) status = write_types(&w, types);
    if (status == RV_OK) status = sonata_save_json(s, "components/synaptic_models", w.name, ".json", params);
    if (status == RV_OK) json_array_append_new(s->edges, json_pack("{ssss}", "edges_file", path_named, "edge_types_file", types_named));
    json_decref(params);
    free(w.edge), free(folder), free(path), free(types), free(path_named), free(types_named);
    return status;
}
