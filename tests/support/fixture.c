#include "tests/support/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_file.h"

/* ---- where they are ------------------------------------------------------------------------------------------ */

const char *fixture_path(const char *name)
{
    static const char *const folders[] = { "../shared/reference/data/hw", "tests/reference/hw" };
    for (int k = 0; k < 2; k++) {
        const char *path = reference_text("%s/%s", folders[k], name);
        if (reference_exists(path)) return path;
    }
    return NULL;
}

const char *fixture_or_skip(const char *name)
{
    const char *path = fixture_path(name);
    if (path) return path;
    print_message("%s is not here: skipped\n", name);
    skip();
    return NULL;
}

/* ---- tables ---------------------------------------------------------------------------------------------------- */

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    char  *text = malloc(size + 1);
    rewind(file);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, file), size);
    fclose(file);
    text[size] = 0;
    return text;
}

/* The next cell; its end becomes 0. @return what ended it */
static char next_cell(char **at, char **cell)
{
    bool  quoted = **at == '"';
    char *c = *at + quoted;
    *cell = c;
    if (quoted) {
        c = strchr(c, '"');
        assert_non_null(c);
        *c++ = 0;
    }
    while (*c && *c != ',' && *c != '\n' && *c != '\r') c++;
    char end = *c;
    if (end) *c++ = 0;
    if (end == '\r') end = *c++;
    *at = c;
    return end;
}

fixture_table fixture_open_table(const char *path)
{
    enum { MOST_COLUMNS = 64 };
    fixture_table t = { .text = read_text(path), .name = calloc(MOST_COLUMNS, sizeof *t.name) };
    char         *at = t.text;
    int           capacity = 0, n = 0;
    assert_non_null(t.name);
    for (char end = ','; end == ','; t.n_columns++) end = next_cell(&at, &t.name[t.n_columns]);
    while (*at) {
        if (n == capacity) t.cell = realloc(t.cell, (size_t)(capacity = 2 * capacity + 1024) * sizeof *t.cell);
        assert_non_null(t.cell);
        next_cell(&at, &t.cell[n++]);
    }
    if (n % t.n_columns) fail_msg("%s: %d cells in %d columns", path, n, t.n_columns);
    t.n_rows = n / t.n_columns;
    return t;
}

void fixture_close_table(fixture_table *t)
{
    free(t->cell), free(t->name), free(t->text);
    *t = (fixture_table){ 0 };
}

static int column_of(const fixture_table *t, const char *column)
{
    for (int k = 0; k < t->n_columns; k++)
        if (strcmp(t->name[k], column) == 0) return k;
    return -1;
}

bool fixture_has(const fixture_table *t, const char *column) { return column_of(t, column) >= 0; }

const char *fixture_text(const fixture_table *t, int row, const char *column)
{
    int k = column_of(t, column);
    if (k < 0) fail_msg("the table has no column %s", column);
    return t->cell[row * t->n_columns + k];
}

double fixture_number(const fixture_table *t, int row, const char *column) { return strtod(fixture_text(t, row, column), NULL); }

reference_list fixture_list(const char *text)
{
    reference_list list = { 0, malloc((strlen(text) + 1) * sizeof(double)) };
    assert_non_null(list.x);
    for (char *end; *text; text = end) {
        double x = strtod(text, &end);
        if (end == text) break;
        list.x[list.n++] = x;
    }
    return list;
}

/* ---- HDF5 ---------------------------------------------------------------------------------------------------- */

static hdf5_file open_file(const char *path)
{
    hdf5_file file = { 0 };
    if (hdf5_open(path, &file) != RV_OK) fail_msg("%s", file.error.text);
    return file;
}

bool fixture_has_array(const char *path, const char *dataset)
{
    hdf5_file file = open_file(path);
    bool      there = hdf5_kind_of(&file, dataset) == HDF5_DATASET;
    hdf5_close(&file);
    return there;
}

fixture_array fixture_open_array(const char *path, const char *dataset)
{
    hdf5_file     file = open_file(path);
    hdf5_shape    shape;
    fixture_array a = { 0 };
    void         *values = NULL;
    if (hdf5_load(&file, dataset, HDF5_F64, &values, &shape) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
    a.x = values, a.count = shape.count, a.rank = shape.rank;
    for (int k = 0; k < shape.rank && k < 4; k++) a.n[k] = shape.n[k];
    return a;
}

void fixture_close_array(fixture_array *a)
{
    free(a->x);
    *a = (fixture_array){ 0 };
}

double fixture_attribute(const char *path, const char *object, const char *name)
{
    hdf5_file file = open_file(path);
    double    x = 0;
    if (hdf5_get_double(&file, object, name, &x) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
    return x;
}

const char *fixture_attribute_text(const char *path, const char *object, const char *name)
{
    hdf5_file file = open_file(path);
    char      text[200];
    if (hdf5_get_text(&file, object, name, text, sizeof text) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
    return reference_text("%s", text);
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

int fixture_names(const char *path, const char *group, char names[][64], int most)
{
    hdf5_file  file = open_file(path);
    hdf5_names list = { 0 };
    if (hdf5_list(&file, group, &list) != RV_OK) fail_msg("%s", file.error.text);
    if (list.n > most) fail_msg("%s: %d names in %s, room for %d", path, list.n, group, most);
    for (int k = 0; k < list.n; k++) snprintf(names[k], 64, "%.63s", list.name[k]);
    int n = list.n;
    hdf5_names_free(&list);
    hdf5_close(&file);
    qsort(names, (size_t)n, 64, by_name);
    return n;
}
