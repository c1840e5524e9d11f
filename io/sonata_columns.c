/* Attributes of nodes. In the HDF5 file each group of a population has its own columns, and node_group_id and
 * node_group_index say in which group, and where in it, a node is; texts may be numbers into @library/<attribute>. What is in no
 * group may be a column of the types. */
#include "io/sonata_internal.h"

enum { MOST_TEXT = 256 << 20 }; /* bytes of one column of texts */

typedef struct reader {
    const sonata_nodes *nodes;
    hdf5_file           file;
    hdf5_path           group;        /* /nodes/<population> */
    int64_t            *member, *index; /* [n] the group of each node, and its place in it; NULL: group 0, in order */
    rv_error           *error;
} reader;

static bool is_number(const char *name) { return name[0] && strspn(name, "0123456789") == strlen(name); }

static rv_status open_reader(reader *r)
{
    const sonata_nodes *nodes = r->nodes;
    r->group = hdf5_at("/nodes", nodes->name);
    TRY(sonata_file_open(nodes->path, &r->file, r->error));
    hdf5_path id = hdf5_at(r->group.path, "node_group_id"), index = hdf5_at(r->group.path, "node_group_index");
    if (hdf5_kind_of(&r->file, id.path) != HDF5_DATASET || hdf5_kind_of(&r->file, index.path) != HDF5_DATASET) return RV_OK;
    TRY(sonata_load(&r->file, id.path, HDF5_I64, nodes->n, (void **)&r->member, r->error));
    return sonata_load(&r->file, index.path, HDF5_I64, nodes->n, (void **)&r->index, r->error);
}

static void close_reader(reader *r)
{
    free(r->member), free(r->index);
    hdf5_close(&r->file);
}

/* Where a node of a group is in its columns, -1 if it is in another group. */
static int64_t place_in(const reader *r, int64_t row, int64_t group) { return r->member ? (r->member[row] == group ? r->index[row] : -1) : group == 0 ? row : -1; }

static rv_status check_place(reader *r, const char *dataset, int64_t row, int64_t place, int64_t count)
{
    if (place >= 0 && place < count) return RV_OK;
    return sonata_refuse(&r->file, dataset, r->error, "node in row %lld has place %lld, allowed 0 to %lld", (long long)row, (long long)place, (long long)count - 1);
}

/* ---- numbers and texts ------------------------------------------------------------------------------------------- */

static rv_status take_numbers(reader *r, const char *dataset, int64_t group, sonata_column *column)
{
    double    *values = NULL;
    hdf5_shape shape;
    if (!column->number) {
        column->number = malloc(((size_t)r->nodes->n + 1) * sizeof *column->number);
        if (!column->number) return error_memory(r->error, "a column of nodes", (double)r->nodes->n * 8);
        for (int64_t i = 0; i < r->nodes->n; i++) column->number[i] = NAN;
    }
    if (hdf5_load(&r->file, dataset, HDF5_F64, (void **)&values, &shape) != RV_OK) return sonata_file_failed(&r->file, r->error);
    rv_status status = RV_OK;
    for (int64_t i = 0; i < r->nodes->n && status == RV_OK; i++) {
        int64_t place = place_in(r, i, group);
        if (place == -1 && !(r->member && r->member[i] == group)) continue;
        status = check_place(r, dataset, i, place, shape.rank == 1 ? shape.count : 0);
        if (status == RV_OK) column->number[i] = values[place];
    }
    free(values);
    return status;
}

static rv_status make_texts(reader *r, sonata_column *column)
{
    if (!column->text) column->text = calloc((size_t)r->nodes->n + 1, sizeof *column->text);
    return column->text ? RV_OK : error_memory(r->error, "a column of nodes", (double)r->nodes->n * 8);
}

/* What a child process does first: libhdf5 can crash or loop on damaged heaps of texts. */
static void try_texts(const char *path, void *dataset)
{
    hdf5_file  file = { 0 };
    char     **texts = NULL;
    hdf5_shape shape = { 0 };
    if (hdf5_open(path, &file) == RV_OK && hdf5_load_texts(&file, dataset, MOST_TEXT, &texts, &shape) == RV_OK)
        for (int64_t k = 0; k < shape.count; k++) free(texts[k]);
    free(texts);
    hdf5_close(&file);
}

/* Texts of a dataset go to the pool. @param first result: where they begin there */
static rv_status pool_texts(reader *r, const char *dataset, sonata_column *column, int64_t *first, int64_t *count)
{
    char     **texts = NULL;
    hdf5_shape shape;
    TRY(hdf5_try(r->nodes->path, try_texts, (void *)dataset, r->error));
    if (hdf5_load_texts(&r->file, dataset, MOST_TEXT, &texts, &shape) != RV_OK) return sonata_file_failed(&r->file, r->error);
    char **longer = realloc(column->pool, (size_t)(column->n_pool + shape.count + 1) * sizeof *longer);
    if (longer) {
        column->pool = longer;
        memcpy(longer + column->n_pool, texts, (size_t)shape.count * sizeof *texts);
        *first = column->n_pool, *count = shape.rank <= 1 ? shape.count : 0;
        column->n_pool += shape.count;
    } else
        for (int64_t k = 0; k < shape.count; k++) free(texts[k]);
    free(texts);
    return longer ? RV_OK : error_memory(r->error, dataset, (double)shape.count * 8);
}

static rv_status take_texts(reader *r, const char *dataset, int64_t group, sonata_column *column)
{
    int64_t first = 0, count = 0;
    TRY(make_texts(r, column));
    TRY(pool_texts(r, dataset, column, &first, &count));
    for (int64_t i = 0; i < r->nodes->n; i++) {
        int64_t place = place_in(r, i, group);
        if (place == -1 && !(r->member && r->member[i] == group)) continue;
        TRY(check_place(r, dataset, i, place, count));
        column->text[i] = column->pool[first + place];
    }
    return RV_OK;
}

/* Numbers of texts: each has to be that of one. */
static rv_status take_library(reader *r, const char *dataset, const char *library, int64_t group, sonata_column *column)
{
    sonata_column number = { 0 };
    int64_t       first = 0, count = 0;
    rv_status     status = take_numbers(r, dataset, group, &number);
    if (status == RV_OK) status = make_texts(r, column);
    if (status == RV_OK) status = pool_texts(r, library, column, &first, &count);
    for (int64_t i = 0; i < r->nodes->n && status == RV_OK; i++) {
        if (isnan(number.number[i])) continue;
        if (number.number[i] >= 0 && number.number[i] < (double)count) column->text[i] = column->pool[first + (int64_t)number.number[i]];
        else status = sonata_refuse(&r->file, dataset, r->error, "row %lld is %g, its @library has %lld texts", (long long)i, number.number[i], (long long)count);
    }
    sonata_column_free(&number);
    return status;
}

/* @param name of a column in a group; nothing happens if the group has none, or one without values */
static rv_status take_group(reader *r, const char *group, const char *name, sonata_column *column)
{
    hdf5_path  at = hdf5_at(r->group.path, group), dataset = hdf5_at(at.path, name), library = hdf5_at(hdf5_at(at.path, "@library").path, name);
    hdf5_shape shape;
    hdf5_type  type;
    bool       texts;
    if (hdf5_kind_of(&r->file, dataset.path) != HDF5_DATASET) return RV_OK;
    if (hdf5_shape_of(&r->file, dataset.path, &shape) != RV_OK || hdf5_type_of(&r->file, dataset.path, &texts, &type) != RV_OK) return sonata_file_failed(&r->file, r->error);
    if (shape.count == 0) return RV_OK;
    column->found = true;
    int64_t number = strtoll(group, NULL, 10);
    if (texts) return take_texts(r, dataset.path, number, column);
    if (hdf5_kind_of(&r->file, library.path) == HDF5_DATASET) return take_library(r, dataset.path, library.path, number, column);
    return take_numbers(r, dataset.path, number, column);
}

/* ---- types ------------------------------------------------------------------------------------------------------- */

static rv_status take_types(reader *r, const char *name, sonata_column *column)
{
    if (column->found || sonata_table_column(&r->nodes->types, name) < 0) return RV_OK;
    TRY(make_texts(r, column));
    column->found = true;
    for (int64_t i = 0; i < r->nodes->n; i++) column->text[i] = (char *)sonata_table_cell(&r->nodes->types, r->nodes->type[i], name);
    return RV_OK;
}

rv_status sonata_column_read(const sonata_nodes *nodes, const char *name, sonata_column *column, rv_error *error)
{
    reader     r = { .nodes = nodes, .error = error };
    hdf5_names groups = { 0 };
    *column = (sonata_column){ 0 };
    rv_status status = open_reader(&r);
    if (status == RV_OK && hdf5_list(&r.file, r.group.path, &groups) != RV_OK) status = sonata_file_failed(&r.file, error);
    for (int k = 0; k < groups.n && status == RV_OK; k++)
        if (is_number(groups.name[k])) status = take_group(&r, groups.name[k], name, column);
    if (status == RV_OK) status = take_types(&r, name, column);
    hdf5_names_free(&groups);
    close_reader(&r);
    if (status != RV_OK) sonata_column_free(column);
    return status;
}

void sonata_column_free(sonata_column *column)
{
    for (int64_t k = 0; k < column->n_pool; k++) free(column->pool[k]);
    free(column->number), free(column->text), free(column->pool);
    *column = (sonata_column){ 0 };
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

static rv_status add_names(reader *r, const char *group, const char *inside, hdf5_names *names)
{
    hdf5_names own;
    hdf5_path  at = hdf5_at(r->group.path, group);
    if (inside[0]) at = hdf5_at(at.path, inside);
    if (hdf5_kind_of(&r->file, at.path) != HDF5_GROUP) return RV_OK;
    if (hdf5_list(&r->file, at.path, &own) != RV_OK) return sonata_file_failed(&r->file, r->error);
    char **longer = realloc(names->name, (size_t)(names->n + own.n + 1) * sizeof *longer);
    if (longer) names->name = longer;
    for (int k = 0; k < own.n && longer; k++) {
        int there = 0;
        while (there < names->n && strcmp(names->name[there], own.name[k]) != 0) there++;
        bool data = hdf5_kind_of(&r->file, hdf5_at(at.path, own.name[k]).path) == HDF5_DATASET;
        if (there == names->n && data) names->name[names->n++] = own.name[k], own.name[k] = NULL;
    }
    hdf5_names_free(&own);
    return longer ? RV_OK : error_memory(r->error, "names of columns", 0);
}

rv_status sonata_column_names(const sonata_nodes *nodes, const char *inside, hdf5_names *names, rv_error *error)
{
    reader     r = { .nodes = nodes, .error = error, .group = hdf5_at("/nodes", nodes->name) };
    hdf5_names groups = { 0 };
    *names = (hdf5_names){ 0 };
    rv_status status = sonata_file_open(nodes->path, &r.file, error);
    if (status == RV_OK && hdf5_list(&r.file, r.group.path, &groups) != RV_OK) status = sonata_file_failed(&r.file, error);
    for (int k = 0; k < groups.n && status == RV_OK; k++)
        if (is_number(groups.name[k])) status = add_names(&r, groups.name[k], inside, names);
    hdf5_names_free(&groups);
    close_reader(&r);
    if (status != RV_OK) hdf5_names_free(names);
    return status;
}
