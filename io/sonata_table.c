/* Tables of types: csv with blanks between the cells. SONATA's guide says one blank or more; cells may be "quoted", with ""
 * for a quote; NULL and NONE are cells without a value. Lines may end in \r\n, and the last one may end in nothing. */
#include "io/sonata_internal.h"

#include <errno.h>

enum { MOST_COLUMNS = 1000, MOST_BYTES = 1 << 30 };

/* The whole file and a zero. */
static char *read_all(const char *path, rv_error *error)
{
    FILE *file = fopen(path, "rb");
    if (!file) return error_set(error, RV_FILE_ERROR, "cannot read \"%.300s\": %s", path, strerror(errno)), NULL;
    size_t n = 0, room = 1 << 16;
    char  *text = malloc(room);
    for (size_t got = 1; text && got > 0 && n < MOST_BYTES; n += got) {
        char *longer = room - n < 2 ? realloc(text, room *= 2) : text;
        if (!longer) free(text);
        text = longer;
        got = text ? fread(text + n, 1, room - n - 1, file) : 0;
    }
    bool failed = ferror(file) || (text && memchr(text, 0, n));
    fclose(file);
    if (!text) return error_memory(error, path, (double)room), NULL;
    if (failed || n >= MOST_BYTES) {
        free(text);
        return error_set(error, RV_FILE_ERROR, "\"%.300s\": is not a table of text", path), NULL;
    }
    return text[n] = 0, text;
}

/* Takes the next cell of a line. @param at moves on; NULL at the end of the line @return the cell, cut off in place */
static char *next_cell(char **at, bool *unclosed)
{
    char *begin = *at + strspn(*at, " \t\r"), *to = begin, *from = begin;
    if (!*begin) return NULL;
    if (*begin != '"') {
        from += strcspn(begin, " \t\r");
        *at = *from ? from + 1 : from;
        return *from = 0, begin;
    }
    for (from++; *from; from++) {
        if (*from == '"' && from[1] != '"') break;
        from += *from == '"';
        *to++ = *from;
    }
    *unclosed = !*from;
    *at = *from ? from + 1 : from;
    return *to = 0, begin;
}

/* Splits a line. @return the number of cells, -1 if a quote has no end */
static int split(char *line, char *cell[MOST_COLUMNS])
{
    int  n = 0;
    bool unclosed = false;
    for (char *c; n < MOST_COLUMNS && (c = next_cell(&line, &unclosed));) cell[n++] = c;
    return unclosed ? -1 : n;
}

static bool is_missing(const char *cell) { return strcmp(cell, "NULL") == 0 || strcmp(cell, "NONE") == 0 || strcmp(cell, "None") == 0; }

static rv_status add_row(sonata_table *t, char *line, int number, int64_t *room, rv_error *error)
{
    char *cell[MOST_COLUMNS];
    int   n = split(line, cell);
    if (n == 0) return RV_OK;
    if (n < 0) return error_set(error, RV_FILE_ERROR, "\"%.200s\", line %d: a quote has no end", t->path, number);
    if (t->n_columns && n != t->n_columns) return error_set(error, RV_WRONG_SHAPE, "\"%.200s\", line %d: %d cells, the first line has %d", t->path, number, n, t->n_columns);
    bool    head = t->n_columns == 0;
    int64_t needed = head ? n : (int64_t)(t->n_rows + 1) * n;
    char ***list = head ? &t->column : &t->cell;
    if (head || needed > *room) {
        int64_t grown = head ? n : 2 * needed;
        char  **longer = realloc(*list, (size_t)grown * sizeof *longer);
        if (!longer) return error_memory(error, t->path, (double)grown * sizeof *longer);
        *list = longer;
        if (!head) *room = grown;
    }
    if (head) t->n_columns = n;
    else t->n_rows++;
    for (int k = 0; k < n; k++) {
        char **to = &(*list)[head ? k : needed - n + k];
        *to = !head && is_missing(cell[k]) ? NULL : strdup(cell[k]);
    }
    return RV_OK;
}

rv_status sonata_table_read(const char *path, sonata_table *t, rv_error *error)
{
    *t = (sonata_table){ .path = strdup(path) };
    char *text = t->path ? read_all(path, error) : NULL;
    if (!text) return t->path ? error->status : error_memory(error, path, 0);
    rv_status status = RV_OK;
    int64_t   room = 0;
    int       number = 1;
    for (char *line = text, *end; status == RV_OK && *line; line = end, number++) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = 0;
        status = add_row(t, line, number, &room, error);
    }
    free(text);
    if (status == RV_OK && t->n_columns == 0) status = error_set(error, RV_FILE_ERROR, "\"%.300s\": is empty", path);
    if (status != RV_OK) sonata_table_free(t);
    return status;
}

void sonata_table_free(sonata_table *t)
{
    for (int k = 0; k < t->n_columns; k++) free(t->column[k]);
    for (int64_t k = 0; k < (int64_t)t->n_rows * t->n_columns; k++) free(t->cell[k]);
    free(t->column), free(t->cell), free(t->path);
    *t = (sonata_table){ 0 };
}

int sonata_table_column(const sonata_table *t, const char *name)
{
    for (int k = 0; k < t->n_columns; k++)
        if (strcmp(t->column[k], name) == 0) return k;
    return -1;
}

const char *sonata_table_cell(const sonata_table *t, int row, const char *column)
{
    int k = sonata_table_column(t, column);
    return row < 0 || k < 0 ? NULL : t->cell[(int64_t)row * t->n_columns + k];
}

/* ---- ids --------------------------------------------------------------------------------------------------------- */

static int by_id(const void *pa, const void *pb)
{
    const sonata_id_row *a = pa, *b = pb;
    return a->id != b->id ? (a->id < b->id ? -1 : 1) : (a->row > b->row) - (a->row < b->row);
}

rv_status sonata_ids_read(const sonata_table *t, const char *column, const char *population, sonata_ids *ids, rv_error *error)
{
    int id = sonata_table_column(t, column), of = sonata_table_column(t, "population");
    *ids = (sonata_ids){ .of = malloc(((size_t)t->n_rows + 1) * sizeof *ids->of) };
    if (!ids->of) return error_memory(error, t->path, t->n_rows * 16.0);
    if (id < 0) return error_set(error, RV_FILE_ERROR, "\"%.300s\": has no column %s", t->path, column);
    for (int k = 0; k < t->n_rows; k++) {
        char      **row = t->cell + (int64_t)k * t->n_columns, *end = NULL;
        const char *cell = row[id] ? row[id] : "NULL";
        long long   number = strtoll(cell, &end, 10);
        if (*end || end == cell) return error_set(error, RV_FILE_ERROR, "\"%.300s\": %s \"%.40s\" is not a whole number", t->path, column, cell);
        if (of < 0 || !row[of] || strcmp(row[of], population) == 0) ids->of[ids->n++] = (sonata_id_row){ number, k };
    }
    qsort(ids->of, (size_t)ids->n, sizeof *ids->of, by_id);
    return RV_OK;
}

int sonata_ids_find(const sonata_ids *ids, int64_t id)
{
    int low = 0, high = ids->n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (ids->of[middle].id < id) low = middle + 1;
        else high = middle;
    }
    return low < ids->n && ids->of[low].id == id ? ids->of[low].row : -1;
}
