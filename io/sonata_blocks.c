#include "io/sonata_blocks.h"

const char *const sonata_edge_columns[N_EDGE_COLUMNS] = { [EDGE_WEIGHT] = "syn_weight", [EDGE_DELAY] = "delay", [EDGE_NSYNS] = "nsyns" };

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static hdf5_path column_path(const sonata_blocks *b, const sonata_edge_group *g, int column)
{
    char number[32];
    snprintf(number, sizeof number, "%lld", (long long)g->number);
    return hdf5_at(hdf5_at(b->group.path, number).path, sonata_edge_columns[column]);
}

static rv_status add_group(sonata_blocks *b, const char *name)
{
    sonata_edge_group *longer = realloc(b->groups, (size_t)(b->n_groups + 1) * sizeof *longer);
    if (!longer) return error_memory(b->error, b->edges->name, sizeof *longer);
    b->groups = longer;
    sonata_edge_group *g = &b->groups[b->n_groups++];
    *g = (sonata_edge_group){ .number = strtoll(name, NULL, 10), .n = -1 };
    for (int k = 0; k < N_EDGE_COLUMNS; k++) {
        hdf5_path at = column_path(b, g, k);
        int64_t   n;
        if (hdf5_kind_of(&b->file, at.path) != HDF5_DATASET) continue;
        TRY(sonata_length(&b->file, at.path, &n, b->error));
        if (n == 0 && b->edges->n > 0) continue; /* a dataset without values */
        if (g->n >= 0 && g->n != n) return sonata_refuse(&b->file, at.path, b->error, "has %lld values, its neighbours %lld", (long long)n, (long long)g->n);
        g->there[k] = true, g->n = n;
    }
    return RV_OK;
}

static rv_status open_groups(sonata_blocks *b)
{
    hdf5_names names;
    if (hdf5_list(&b->file, b->group.path, &names) != RV_OK) return sonata_file_failed(&b->file, b->error);
    rv_status status = RV_OK;
    for (int k = 0; k < names.n && status == RV_OK; k++)
        if (names.name[k][0] && strspn(names.name[k], "0123456789") == strlen(names.name[k])) status = add_group(b, names.name[k]);
    hdf5_names_free(&names);
    b->member = hdf5_kind_of(&b->file, hdf5_at(b->group.path, "edge_group_id").path) == HDF5_DATASET && hdf5_kind_of(&b->file, hdf5_at(b->group.path, "edge_group_index").path) == HDF5_DATASET;
    return status;
}

rv_status sonata_blocks_open(const sonata_edges *edges, sonata_blocks *b, rv_error *error)
{
    *b = (sonata_blocks){ .edges = edges, .group = hdf5_at("/edges", edges->name), .error = error };
    TRY(sonata_file_open(edges->path, &b->file, error));
    TRY(open_groups(b));
    int64_t n = edges->n < SONATA_BLOCK ? edges->n + 1 : SONATA_BLOCK, **lists[] = { &b->source, &b->target, &b->type, &b->id, &b->index };
    for (int k = 0; k < COUNT(lists); k++)
        if (!(*lists[k] = malloc((size_t)n * sizeof(int64_t)))) return error_memory(error, edges->name, (double)n * 8);
    for (int k = 0; k < N_EDGE_COLUMNS; k++) {
        bool wanted = false;
        for (int g = 0; g < b->n_groups; g++) wanted |= b->groups[g].there[k];
        if (wanted && !(b->value[k] = malloc((size_t)n * sizeof(double)))) return error_memory(error, edges->name, (double)n * 8);
    }
    return RV_OK;
}

void sonata_blocks_close(sonata_blocks *b)
{
    for (int g = 0; g < b->n_groups; g++)
        for (int k = 0; k < N_EDGE_COLUMNS; k++) free(b->groups[g].column[k]);
    for (int k = 0; k < N_EDGE_COLUMNS; k++) free(b->value[k]);
    free(b->groups), free(b->source), free(b->target), free(b->type), free(b->id), free(b->index);
    hdf5_close(&b->file);
    *b = (sonata_blocks){ 0 };
}

/* ---- blocks ------------------------------------------------------------------------------------------------------ */

/* Numbers as they are in the file: unsigned ones unconverted, those above 2^63 come out negative and are refused as ids. */
static rv_status read_numbers(sonata_blocks *b, const char *name, int64_t *to)
{
    hdf5_path at = hdf5_at(b->group.path, name);
    bool      texts = false;
    hdf5_type type = HDF5_I64;
    if (hdf5_type_of(&b->file, at.path, &texts, &type) != RV_OK) return sonata_file_failed(&b->file, b->error);
    if (texts) return sonata_refuse(&b->file, at.path, b->error, "holds texts, allowed are numbers");
    if (hdf5_read_rows(&b->file, at.path, type == HDF5_U64 ? HDF5_U64 : HDF5_I64, b->first, b->n, to) == RV_OK) return RV_OK;
    return sonata_file_failed(&b->file, b->error);
}

/* Whether this block's edges are those of the only group, in its order: then its columns are read like the edges. */
static bool in_order(const sonata_blocks *b)
{
    if (b->n_groups != 1 || b->groups[0].n != b->edges->n) return false;
    for (int64_t k = 0; k < b->n && b->member; k++)
        if (b->id[k] != b->groups[0].number || b->index[k] != b->first + k) return false;
    return true;
}

static rv_status read_in_order(sonata_blocks *b)
{
    for (int k = 0; k < N_EDGE_COLUMNS; k++)
        if (b->value[k] && hdf5_read_rows(&b->file, column_path(b, &b->groups[0], k).path, HDF5_F64, b->first, b->n, b->value[k]) != RV_OK) return sonata_file_failed(&b->file, b->error);
    return RV_OK;
}

static const sonata_edge_group *group_of(const sonata_blocks *b, int64_t number)
{
    for (int g = 0; g < b->n_groups; g++)
        if (b->groups[g].number == number) return &b->groups[g];
    return NULL;
}

static rv_status pick(sonata_blocks *b, int column)
{
    for (int64_t k = 0; k < b->n; k++) {
        const sonata_edge_group *g = group_of(b, b->member ? b->id[k] : 0);
        int64_t                  place = b->member ? b->index[k] : b->first + k;
        b->value[column][k] = NAN;
        if (!g) return sonata_refuse(&b->file, b->group.path, b->error, "edge %lld is in group %lld, which there is not", (long long)(b->first + k), (long long)(b->member ? b->id[k] : 0));
        if (!g->there[column]) continue;
        if (place < 0 || place >= g->n)
            return sonata_refuse(&b->file, b->group.path, b->error, "edge %lld has place %lld of group %lld, allowed 0 to %lld", (long long)(b->first + k), (long long)place, (long long)g->number, (long long)g->n - 1);
        b->value[column][k] = g->column[column][place];
    }
    return RV_OK;
}

static rv_status read_picked(sonata_blocks *b)
{
    for (int k = 0; k < N_EDGE_COLUMNS; k++) {
        if (!b->value[k]) continue;
        for (int g = 0; g < b->n_groups; g++)
            if (b->groups[g].there[k] && !b->groups[g].column[k])
                TRY(sonata_load(&b->file, column_path(b, &b->groups[g], k).path, HDF5_F64, b->groups[g].n, (void **)&b->groups[g].column[k], b->error));
        TRY(pick(b, k));
    }
    return RV_OK;
}

rv_status sonata_blocks_next(sonata_blocks *b, bool again, bool columns)
{
    b->first = again ? 0 : b->first + b->n;
    b->n = b->edges->n - b->first < SONATA_BLOCK ? b->edges->n - b->first : SONATA_BLOCK;
    if (b->n == 0) return RV_OK;
    TRY(read_numbers(b, "source_node_id", b->source));
    TRY(read_numbers(b, "target_node_id", b->target));
    if (b->edges->types.n_rows) TRY(read_numbers(b, "edge_type_id", b->type));
    if (!columns || b->n_groups == 0) return RV_OK;
    if (b->member) TRY(read_numbers(b, "edge_group_id", b->id));
    if (b->member) TRY(read_numbers(b, "edge_group_index", b->index));
    return in_order(b) ? read_in_order(b) : read_picked(b);
}
