#include "sim/checkpoint_visit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER_BYTES = 1 << 20 };

size_t checkpoint_type_size(checkpoint_type type)
{
    static const uint8_t bytes[N_CHECKPOINT_TYPES] = { 1, 2, 4, 4, 8, 8, 4, 8 };
    return bytes[type];
}

visit_at visit_path(const char *format, ...)
{
    visit_at at;
    va_list  arguments;
    va_start(arguments, format);
    vsnprintf(at.path, sizeof at.path, format, arguments);
    va_end(arguments);
    return at;
}

rv_status visit_damaged(const visitor *v, const char *path, const char *format, ...)
{
    char    why[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    return error_set(v->error, RV_FILE_ERROR, "%s %s", path, why);
}

/* ---- arrays in pieces --------------------------------------------------------------------------------------------- */

rv_status visit_begin(visitor *v, const char *path, checkpoint_type type, int64_t *total)
{
    snprintf(v->at.path, sizeof v->at.path, "%s", path);
    v->type = type, v->moved = v->held = v->taken = 0;
    if (!v->buffer && !(v->buffer = malloc(BUFFER_BYTES))) return error_memory(v->error, "a checkpoint", BUFFER_BYTES);
    v->total = *total;
    if (!v->loading) return RV_OK;
    TRY(v->port->count(v->port->user, path, &v->total, v->error));
    if (v->total < 0) return visit_damaged(v, path, "is missing");
    if (*total >= 0 && v->total != *total)
        return visit_damaged(v, path, "has %lld values, %lld are needed", (long long)v->total, (long long)*total);
    *total = v->total;
    return RV_OK;
}

static rv_status write_some(visitor *v, const void *values, int64_t n)
{
    TRY(v->port->write(v->port->user, v->at.path, v->type, v->total, v->moved, n, values, v->error));
    v->moved += n;
    return RV_OK;
}

static rv_status read_some(visitor *v, void *values, int64_t n)
{
    TRY(v->port->read(v->port->user, v->at.path, v->type, v->moved, n, values, v->error));
    v->moved += n;
    return RV_OK;
}

static rv_status save_next(visitor *v, const void *values, int64_t n)
{
    size_t  width = checkpoint_type_size(v->type);
    int64_t room = (int64_t)(BUFFER_BYTES / width);
    if (v->held > 0 && v->held + n > room) {
        TRY(write_some(v, v->buffer, v->held));
        v->held = 0;
    }
    if (n > room) return write_some(v, values, n);
    memcpy(v->buffer + (size_t)v->held * width, values, (size_t)n * width);
    v->held += n;
    return RV_OK;
}

static rv_status load_next(visitor *v, char *values, int64_t n)
{
    size_t  width = checkpoint_type_size(v->type);
    int64_t room = (int64_t)(BUFFER_BYTES / width), some = v->held - v->taken < n ? v->held - v->taken : n;
    memcpy(values, v->buffer + (size_t)v->taken * width, (size_t)some * width);
    v->taken += some, values += (size_t)some * width, n -= some;
    if (n == 0) return RV_OK;
    if (v->moved + n > v->total) return visit_damaged(v, v->at.path, "is too short: it has %lld values", (long long)v->total);
    if (n > room) return read_some(v, values, n);
    v->held = v->total - v->moved < room ? v->total - v->moved : room, v->taken = n;
    TRY(read_some(v, v->buffer, v->held));
    memcpy(values, v->buffer, (size_t)n * width);
    return RV_OK;
}

rv_status visit_next(visitor *v, void *values, int64_t n)
{
    if (n == 0) return RV_OK;
    return v->loading ? load_next(v, values, n) : save_next(v, values, n);
}

rv_status visit_end(visitor *v)
{
    if (!v->loading) return v->held > 0 || v->total == 0 ? write_some(v, v->buffer, v->held) : RV_OK;
    if (v->moved - v->held + v->taken == v->total) return RV_OK;
    return visit_damaged(v, v->at.path, "has %lld values, more than are needed", (long long)v->total);
}

/* ---- whole arrays, numbers, texts --------------------------------------------------------------------------------- */

rv_status visit_values(visitor *v, const char *path, checkpoint_type type, void *values, int64_t n)
{
    int64_t total = n;
    TRY(visit_begin(v, path, type, &total));
    TRY(visit_next(v, values, n));
    return visit_end(v);
}

rv_status visit_list(visitor *v, const char *path, checkpoint_type type, void *values, int64_t *n, int64_t most)
{
    void **at = values;
    if (!v->loading) return visit_values(v, path, type, *at, *n);
    int64_t total = -1;
    TRY(visit_begin(v, path, type, &total));
    if (total > most) return visit_damaged(v, path, "has %lld values, allowed are %lld", (long long)total, (long long)most);
    *at = malloc(((size_t)total + 1) * checkpoint_type_size(type));
    if (!*at) return error_memory(v->error, path, (double)total * (double)checkpoint_type_size(type));
    *n = total;
    TRY(visit_next(v, *at, total));
    return visit_end(v);
}

rv_status visit_int64(visitor *v, const char *path, int64_t *x, int64_t low, int64_t high)
{
    TRY(visit_values(v, path, CHECKPOINT_I64, x, 1));
    if (v->loading && (*x < low || *x > high))
        return visit_damaged(v, path, "is %lld, allowed %lld to %lld", (long long)*x, (long long)low, (long long)high);
    return RV_OK;
}

rv_status visit_int(visitor *v, const char *path, int *x, int low, int high)
{
    int64_t wide = *x;
    TRY(visit_int64(v, path, &wide, low, high));
    *x = (int)wide;
    return RV_OK;
}

rv_status visit_counts(visitor *v, const char *path, int64_t *counts, int64_t n)
{
    TRY(visit_values(v, path, CHECKPOINT_I64, counts, n));
    for (int64_t k = 0; v->loading && k < n; k++)
        if (counts[k] < 0 || counts[k] > VISIT_MOST) return visit_damaged(v, path, "holds %lld", (long long)counts[k]);
    return RV_OK;
}

rv_status visit_bool(visitor *v, const char *path, bool *x)
{
    int64_t wide = *x;
    TRY(visit_int64(v, path, &wide, 0, 1));
    *x = wide != 0;
    return RV_OK;
}

rv_status visit_double(visitor *v, const char *path, double *x) { return visit_values(v, path, CHECKPOINT_F64, x, 1); }

rv_status visit_text(visitor *v, const char *path, char **text)
{
    if (v->loading) return v->port->read_text(v->port->user, path, text, v->error);
    return v->port->write_text(v->port->user, path, *text ? *text : "", v->error);
}

rv_status visit_has(visitor *v, const char *path, bool *has)
{
    int64_t n;
    TRY(v->port->count(v->port->user, path, &n, v->error));
    *has = n >= 0;
    return RV_OK;
}
