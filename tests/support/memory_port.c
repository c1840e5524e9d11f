#include "tests/support/memory_port.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

size_t memory_width(checkpoint_type type)
{
    static const size_t bytes[N_CHECKPOINT_TYPES] = { 1, 2, 4, 4, 8, 8, 4, 8 };
    return bytes[type];
}

/* Items are asked for in nearly the order in which they were made. */
memory_item *memory_find(memory_file *file, const char *path)
{
    for (int k = 0; k < file->n; k++) {
        memory_item *item = &file->item[(file->at + k) % file->n];
        if (strcmp(item->path, path) != 0) continue;
        file->at = (file->at + k) % file->n;
        return item;
    }
    return NULL;
}

static memory_item *add_item(memory_file *file, const char *path)
{
    if (memory_find(file, path)) fail_msg("%s is written twice", path);
    file->item = realloc(file->item, (size_t)(file->n + 1) * sizeof *file->item);
    file->item[file->n] = (memory_item){ .path = strdup(path) };
    return &file->item[file->n++];
}

static rv_status write_values(void *user, const char *path, checkpoint_type type, int64_t total, int64_t first, int64_t n, const void *values, rv_error *error)
{
    (void)error;
    memory_item *item = first == 0 ? add_item(user, path) : memory_find(user, path);
    size_t       width = memory_width(type);
    if (first == 0) item->type = type, item->n = total, item->values = calloc((size_t)total + 1, width);
    if (!item || item->written != first || first + n > item->n || item->type != type) fail_msg("%s: values %lld to %lld of %lld", path, (long long)first, (long long)(first + n), (long long)total);
    if (n > 0) memcpy(item->values + (size_t)first * width, values, (size_t)n * width);
    item->written += n;
    return RV_OK;
}

static rv_status count_values(void *user, const char *path, int64_t *n, rv_error *error)
{
    (void)error;
    memory_item *item = memory_find(user, path);
    *n = item && !item->text ? item->n : -1;
    return RV_OK;
}

static rv_status read_values(void *user, const char *path, checkpoint_type type, int64_t first, int64_t n, void *values, rv_error *error)
{
    memory_item *item = memory_find(user, path);
    size_t       width = memory_width(type);
    if (!item || item->text || item->type != type || first < 0 || n < 0 || first + n > item->n) return error_set(error, RV_FILE_ERROR, "%s cannot be read", path);
    memcpy(values, item->values + (size_t)first * width, (size_t)n * width);
    return RV_OK;
}

static rv_status write_text(void *user, const char *path, const char *text, rv_error *error)
{
    (void)error;
    add_item(user, path)->text = strdup(text);
    return RV_OK;
}

static rv_status read_text(void *user, const char *path, char **text, rv_error *error)
{
    memory_item *item = memory_find(user, path);
    *text = NULL;
    if (!item || !item->text) return error_set(error, RV_FILE_ERROR, "%s: there is no such text", path);
    *text = strdup(item->text);
    return RV_OK;
}

checkpoint_port memory_port(memory_file *file)
{
    return (checkpoint_port){ .user = file, .write = write_values, .read = read_values, .count = count_values, .write_text = write_text, .read_text = read_text };
}

void memory_close(memory_file *file)
{
    for (int k = 0; k < file->n; k++) free(file->item[k].path), free(file->item[k].text), free(file->item[k].values);
    free(file->item);
    *file = (memory_file){ 0 };
}

const char *memory_difference(const memory_file *a, const memory_file *b)
{
    for (int k = 0; k < a->n && k < b->n; k++) {
        const memory_item *x = &a->item[k], *y = &b->item[k];
        bool               same = strcmp(x->path, y->path) == 0 && !x->text == !y->text && x->n == y->n && x->type == y->type;
        if (same && x->text) same = strcmp(x->text, y->text) == 0;
        else if (same) same = memcmp(x->values, y->values, (size_t)x->n * memory_width(x->type)) == 0;
        if (!same) return x->path;
    }
    return a->n == b->n ? NULL : "the number of arrays";
}
