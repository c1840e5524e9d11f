/* Spikes from files in the script: rv.read_spikes() and rv.read_events() give lists for a spike_generator's spike_times. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/aer.h"
#include "io/results.h"
#include "io/script_internal.h"

/* Spikes of one population, by neuron. */
typedef struct trains {
    int64_t  n_neurons, n;
    int64_t *begin;    /* [n_neurons + 1] in times */
    double  *times_ms; /* [n]                      */
} trains;

enum { MOST_NEURONS = 1 << 26 }; /* that a table of tables may have */

/* Counts, then places; ascending times stay ascending. The arrays are userdata on the Lua stack: two values are pushed.
 * @param neurons, times_ms [n]; a neuron below 0 is left out */
static trains sort_out(lua_State *L, int64_t n_neurons, int64_t n, const int64_t *neurons, const double *times_ms)
{
    trains t = { .n_neurons = n_neurons };
    t.begin = lua_newuserdatauv(L, (size_t)(n_neurons + 2) * sizeof *t.begin, 0);
    t.times_ms = lua_newuserdatauv(L, (size_t)(n + 1) * sizeof *t.times_ms, 0);
    memset(t.begin, 0, (size_t)(n_neurons + 2) * sizeof *t.begin);
    for (int64_t k = 0; k < n; k++)
        if (neurons[k] >= 0) t.begin[neurons[k] + 2]++, t.n++;
    for (int64_t i = 0; i < n_neurons; i++) t.begin[i + 2] += t.begin[i + 1];
    for (int64_t k = 0; k < n; k++)
        if (neurons[k] >= 0) t.times_ms[t.begin[neurons[k] + 1]++] = times_ms[k];
    return t;
}

/* Pushes {{t, ...}, ...}. */
static void push_trains(lua_State *L, const trains *t)
{
    lua_createtable(L, (int)t->n_neurons, 0);
    for (int64_t i = 0; i < t->n_neurons; i++) {
        script_push_list(L, t->times_ms + t->begin[i], t->begin[i + 1] - t->begin[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void set_number(lua_State *L, const char *key, double value)
{
    if (value == rint(value) && fabs(value) < 0x1p53) lua_pushinteger(L, (lua_Integer)value);
    else lua_pushnumber(L, value);
    lua_setfield(L, -2, key);
}

static void set_text(lua_State *L, const char *key, const char *text)
{
    if (text && text[0]) lua_pushstring(L, text), lua_setfield(L, -2, key);
}

/* The shape as net:population() takes it: {columns, rows, polarities}. */
static void set_shape(lua_State *L, const results_shape *shape)
{
    const double sides[] = { shape->columns, shape->rows, shape->polarities };
    lua_createtable(L, 3, 0);
    for (int k = 0; k < 3; k++) lua_pushinteger(L, (lua_Integer)sides[k]), lua_rawseti(L, -2, k + 1);
    lua_setfield(L, -2, "shape");
}

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

/* What a collector frees if reading raises. */
static int free_results(lua_State *L)
{
    results **r = lua_touserdata(L, 1);
    results_free(*r);
    *r = NULL;
    return 0;
}

static int free_events(lua_State *L)
{
    aer_events **e = lua_touserdata(L, 1);
    aer_free(*e);
    *e = NULL;
    return 0;
}

/* Pushes a pointer that is freed with it. */
static void *push_owner(lua_State *L, lua_CFunction free)
{
    void **owner = lua_newuserdatauv(L, sizeof *owner, 0);
    *owner = NULL;
    lua_newtable(L);
    lua_pushcfunction(L, free);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return owner;
}

static const results_spikes *choose_population(lua_State *L, results *r, const char *path, const char *name)
{
    rv_error error = { 0 };
    if (results_spikes_count(r) == 0) script_fail(L, "rv.read_spikes: \"%s\" holds no spikes", path);
    if (!name && results_spikes_count(r) == 1) return results_spikes_at(r, 0);
    if (results_select(r, name ? name : "", &error) == RV_OK) return results_spikes_at(r, 0);
    if (name) script_fail(L, "rv.read_spikes: %s", error.text);
    script_fail(L, "rv.read_spikes: \"%s\" has %d populations; population = \"...\" chooses one, %s and others are there", path, results_spikes_count(r), results_spikes_at(r, 0)->name);
}

/* rv.read_spikes(path[, population or { population =, size =, from =, to =, start = }]) -> {{t, ...}, ...}, about */
static int read_spikes(lua_State *L)
{
    static const char *const keys[] = { "population", "size", "from", "to", "start" };
    const char              *what = "rv.read_spikes", *path = script_text(L, 1, "rv.read_spikes: the file"), *name = NULL;
    rv_error                 error = { 0 };
    lua_settop(L, 2);
    bool named = lua_type(L, 2) == LUA_TSTRING;
    if (named) name = lua_tostring(L, 2);
    else script_keys(L, 2, what, keys, COUNT(keys)), name = option_text(L, 2, what, "population", NULL);
    double    from = named ? 0 : option_number(L, 2, what, "from", -INFINITY), to = named ? INFINITY : option_number(L, 2, what, "to", INFINITY);
    if (named) from = -INFINITY;
    int64_t   size = named ? 0 : option_integer(L, 2, what, "size", 0);
    double    shift = named ? 0 : option_number(L, 2, what, "start", 0);
    results **r = push_owner(L, free_results);
    if (results_read(path, r, &error) != RV_OK) script_fail(L, "rv.read_spikes: %s", error.text);
    const results_spikes *s = choose_population(L, *r, path, name);
    if (size == 0) size = s->size;
    if (size > MOST_NEURONS) script_fail(L, "rv.read_spikes: \"%s\" has %lld neurons, allowed are %d", path, (long long)size, MOST_NEURONS);
    int64_t *neurons = lua_newuserdatauv(L, (size_t)(s->n + 1) * sizeof *neurons, 0);
    double  *times = lua_newuserdatauv(L, (size_t)(s->n + 1) * sizeof *times, 0);
    for (int64_t k = 0; k < s->n; k++) {
        if (s->neurons[k] >= size) script_fail(L, "rv.read_spikes: \"%s\" has a spike of neuron %lld (counted from 0), size = %lld", path, (long long)s->neurons[k], (long long)size);
        neurons[k] = s->times_ms[k] > from && s->times_ms[k] <= to ? s->neurons[k] : -1;
        times[k] = s->times_ms[k] - (isfinite(from) ? from : 0) + shift;
    }
    trains t = sort_out(L, size, s->n, neurons, times);
    push_trains(L, &t);
    lua_newtable(L);
    set_text(L, "population", s->name), set_text(L, "summary", results_attribute(*r, "recording"));
    set_number(L, "size", (double)size), set_number(L, "count", (double)t.n);
    if (s->shape.columns > 0) set_shape(L, &s->shape);
    results_free(*r), *r = NULL;
    return 2;
}

/* ---- event cameras ---------------------------------------------------------------------------------------------- */

/* A recording begins with its first event, and a network with no spike at 0: what happened at once is given after a tick of the camera. */
#define FIRST_MS 0.001

static aer_options read_options(lua_State *L, const char *what, double *shift)
{
    static const char *const keys[] = { "from", "to", "columns", "rows", "polarity", "crop", "every", "max", "start" };
    static const char *const words[] = { [AER_BOTH] = "both", [AER_ON] = "on", [AER_OFF] = "off", [AER_MERGED] = "merged" };
    aer_options              o = { 0 };
    int64_t                  n;
    script_keys(L, 2, what, keys, COUNT(keys));
    o.from_ms = option_number(L, 2, what, "from", 0), o.to_ms = option_number(L, 2, what, "to", 0);
    o.columns = (int)fmin(option_integer(L, 2, what, "columns", 0), INT32_MAX), o.rows = (int)fmin(option_integer(L, 2, what, "rows", 0), INT32_MAX);
    o.every = (int)fmin(option_integer(L, 2, what, "every", 1), INT32_MAX), o.max_events = option_integer(L, 2, what, "max", 0);
    o.polarity = (aer_polarity)script_word(L, option_text(L, 2, what, "polarity", "both"), "rv.read_events: polarity", words, COUNT(words));
    *shift = option_number(L, 2, what, "start", 0);
    if (!lua_istable(L, 2) || lua_getfield(L, 2, "crop") == LUA_TNIL) return o;
    const double *crop = script_list(L, -1, "rv.read_events: crop", &n);
    if (n != 4) script_fail(L, "rv.read_events: crop has %lld numbers, needed are {x, y, width, height}", (long long)n);
    for (int k = 0; k < 4; k++)
        if (!(crop[k] >= 0 && crop[k] <= 65535)) script_fail(L, "rv.read_events: crop[%d] = %g, allowed 0 to 65535", k + 1, crop[k]);
    o.crop_x = (int)crop[0], o.crop_y = (int)crop[1], o.crop_width = (int)crop[2], o.crop_height = (int)crop[3];
    return o;
}

/* rv.read_events(path[, { from =, to =, columns =, rows =, polarity =, crop =, every =, max =, start = }]) -> a table: times, shape, ... */
static int read_events(lua_State *L)
{
    const char *what = "rv.read_events", *path = script_text(L, 1, "rv.read_events: the file");
    rv_error    error = { 0 };
    double      shift;
    lua_settop(L, 2);
    aer_options  options = read_options(L, what, &shift);
    aer_events **owner = push_owner(L, free_events);
    if (aer_read(path, &options, owner, &error) != RV_OK) script_fail(L, "rv.read_events: %s", error.text);
    const aer_events   *e = *owner;
    bool                one = options.polarity != AER_BOTH; /* of one polarity, the sheet has one layer */
    const results_shape shape = { e->width, e->height, one ? 1 : 2 };
    int64_t             pixels = (int64_t)e->width * e->height, size = pixels * shape.polarities;
    if (size > MOST_NEURONS) script_fail(L, "rv.read_events: \"%s\" has %lld pixels, allowed are %d; columns and rows make them fewer", path, (long long)size, MOST_NEURONS);
    int64_t *neurons = lua_newuserdatauv(L, (size_t)(e->n + 1) * sizeof *neurons, 0);
    double  *times = lua_newuserdatauv(L, (size_t)(e->n + 1) * sizeof *times, 0);
    for (int64_t k = 0; k < e->n; k++) {
        neurons[k] = (one || e->polarity[k] ? 0 : pixels) + (int64_t)e->y[k] * e->width + e->x[k];
        times[k] = fmax((double)(e->t_us[k] - e->begin_us) / 1000 - options.from_ms + shift, shift + FIRST_MS);
    }
    trains t = sort_out(L, size, e->n, neurons, times);
    lua_newtable(L);
    push_trains(L, &t), lua_setfield(L, -2, "times");
    set_shape(L, &shape);
    set_number(L, "columns", shape.columns), set_number(L, "rows", shape.rows), set_number(L, "polarities", shape.polarities);
    set_number(L, "count", (double)e->n), set_text(L, "summary", e->summary), set_text(L, "format", e->format), set_text(L, "warning", e->warning);
    set_number(L, "duration", e->n ? times[e->n - 1] : 0);
    aer_free(*owner), *owner = NULL;
    return 1;
}

void script_open_files(lua_State *L)
{
    lua_pushcfunction(L, read_spikes);
    lua_setfield(L, -2, "read_spikes");
    lua_pushcfunction(L, read_events);
    lua_setfield(L, -2, "read_events");
}
