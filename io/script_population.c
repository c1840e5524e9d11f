/* Populations in the script: slices, parameters, and the statistics of their recorded spikes.
 *
 * Statistics take an optional window (from, to] in ms; without it, everything recorded. */
#include "io/script_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/statistics.h"

/* ---- slices, parameters --------------------------------------------------------------------------------------- */

/* population:slice(first, last[, stride]), numbered from 1, the last included */
static int population_slice(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    int64_t       first = script_integer(L, 2, "population:slice: first", 1, p->slice.count);
    int64_t       last =
        lua_isnoneornil(L, 3) ? p->slice.count : script_integer(L, 3, "population:slice: last", 1, p->slice.count);
    int64_t stride = lua_isnoneornil(L, 4) ? 1 : script_integer(L, 4, "population:slice: stride", 1, INT64_MAX);
    if (last < first)
        script_fail(L, "population:slice: last = %lld is before first = %lld", (long long)last, (long long)first);
    int64_t  count = (last - first) / stride + 1;
    rv_slice slice = { p->slice.population, p->slice.first + (first - 1) * p->slice.stride, count,
                       count > 1 ? p->slice.stride * stride : 1 };
    script_push_slice(L, p->net, slice);
    return 1;
}

/* population:get(name) -> one number per neuron, always a list */
static int population_get(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    const char   *name = script_text(L, 2, "population:get: the name");
    double       *values = lua_newuserdatauv(L, (p->slice.count + 1) * sizeof *values, 0);
    script_check(L, p->net, rv_get(p->net->net, p->slice, name, values));
    script_push_list(L, values, p->slice.count);
    return 1;
}

static bool is_whole(const script_slice *p)
{
    return p->slice.count == rv_population_size(p->net->net, p->slice.population);
}

static int population_tostring(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    const char   *name = rv_population_name(p->net->net, p->slice.population);
    lua_Integer   first = p->slice.first + 1, last = p->slice.first + (p->slice.count - 1) * p->slice.stride + 1;
    if (is_whole(p)) lua_pushfstring(L, "population \"%s\"", name);
    else lua_pushfstring(L, "population \"%s\"[%I..%I]", name, first, last);
    return 1;
}

static int population_len(lua_State *L)
{
    lua_pushinteger(L, ((script_slice *)script_self(L, TYPE_POPULATION))->slice.count);
    return 1;
}

static int population_name(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    lua_pushstring(L, rv_population_name(p->net->net, p->slice.population));
    return 1;
}

static int population_model(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    lua_pushstring(L, rv_population_model(p->net->net, p->slice.population));
    return 1;
}

/* ---- recorded spikes ------------------------------------------------------------------------------------------ */

/* Spikes of a slice, numbered within it. The arrays are userdata on the Lua stack. */
typedef struct spike_list {
    int64_t  n;
    double  *times_ms; /* [n] */
    int64_t *neurons;  /* [n] */
} spike_list;

/* The place of a neuron within a slice, -1 if it is not part of it. */
static int64_t place_in(const rv_slice *slice, int64_t neuron)
{
    int64_t offset = neuron - slice->first, place = offset / slice->stride;
    return offset < 0 || offset % slice->stride != 0 || place >= slice->count ? -1 : place;
}

static script_slice *recorded(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    const char   *name = rv_population_name(p->net->net, p->slice.population);
    if (!rv_spikes_recorded(p->net->net, p->slice.population))
        script_fail(
            L, "population \"%s\": its spikes are not recorded; net:record(%s, \"spikes\") before net:run() does that",
            name, name);
    return p;
}

/* Pushes two values. */
static spike_list read_spikes(lua_State *L, const script_slice *p)
{
    spike_list spikes = { .n = rv_spike_count(p->net->net, p->slice.population) };
    spikes.times_ms = lua_newuserdatauv(L, (spikes.n + 1) * sizeof *spikes.times_ms, 0);
    spikes.neurons = lua_newuserdatauv(L, (spikes.n + 1) * sizeof *spikes.neurons, 0);
    script_check(L, p->net,
                 rv_spike_read(p->net->net, p->slice.population, 0, spikes.n, spikes.times_ms, spikes.neurons));
    if (is_whole(p)) return spikes;
    int64_t kept = 0;
    for (int64_t k = 0; k < spikes.n; k++) {
        int64_t place = place_in(&p->slice, spikes.neurons[k]);
        if (place < 0) continue;
        spikes.times_ms[kept] = spikes.times_ms[k], spikes.neurons[kept++] = place;
    }
    spikes.n = kept;
    return spikes;
}

typedef struct window {
    double from_ms, to_ms;
} window;

/* The optional arguments from, to at index; by default what was recorded so far. */
static window read_window(lua_State *L, const script_slice *p, int index)
{
    double start = script_population_of(p->net, p->slice.population)->record_start_ms;
    window w = { script_number_or(L, index, "from (ms)", isnan(start) ? 0 : start),
                 script_number_or(L, index + 1, "to (ms)", rv_time(p->net->net)) };
    if (!(w.from_ms <= w.to_ms)) script_fail(L, "from = %g ms is after to = %g ms", w.from_ms, w.to_ms);
    return w;
}

/* Sorted by neuron. The trains live in C memory: the caller frees them before anything can raise an error. */
static rv_trains read_trains(lua_State *L, const script_slice *p, int index)
{
    window     w = read_window(L, p, index);
    spike_list spikes = read_spikes(L, p);
    rv_trains  trains;
    if (rv_trains_new(spikes.times_ms, spikes.neurons, spikes.n, p->slice.count, w.from_ms, w.to_ms, &trains) != RV_OK)
        script_fail(L, "no memory left for the spikes of %s", luaL_tolstring(L, 1, NULL));
    return trains;
}

static int push_statistic(lua_State *L, double (*statistic)(const rv_trains *))
{
    rv_trains trains = read_trains(L, recorded(L), 2);
    double    x = statistic(&trains);
    rv_trains_free(&trains);
    lua_pushnumber(L, x);
    return 1;
}

static int population_rate(lua_State *L) { return push_statistic(L, rv_mean_rate); }
static int population_cv(lua_State *L) { return push_statistic(L, rv_mean_isi_cv); }

/* The statistics over bins take (bin, from, to). */
static int push_binned(lua_State *L, const char *what, double standard, double (*statistic)(const rv_trains *, double))
{
    script_slice *p = recorded(L);
    double        bin = script_number_or(L, 2, what, standard);
    if (!(bin > 0)) script_fail(L, "%s = %g, allowed is more than 0", what, bin);
    rv_trains trains = read_trains(L, p, 3);
    double    x = statistic(&trains, bin);
    rv_trains_free(&trains);
    lua_pushnumber(L, x);
    return 1;
}

static int population_fano(lua_State *L)
{
    return push_binned(L, "population:fano: the window (ms)", 100, rv_fano_factor);
}
static int population_synchrony(lua_State *L)
{
    return push_binned(L, "population:synchrony: the bin (ms)", 2, rv_synchrony);
}
static int population_correlation(lua_State *L)
{
    return push_binned(L, "population:correlation: the bin (ms)", 2, rv_mean_correlation);
}

/* population:rates([from, to]) -> one rate per neuron */
static int population_rates(lua_State *L)
{
    script_slice *p = recorded(L);
    double       *rates = lua_newuserdatauv(L, (p->slice.count + 1) * sizeof *rates, 0);
    lua_insert(L, 2);
    rv_trains trains = read_trains(L, p, 3);
    rv_rates(&trains, rates);
    rv_trains_free(&trains);
    script_push_list(L, rates, p->slice.count);
    return 1;
}

/* population:isi([from, to]) -> all inter-spike intervals, neuron by neuron */
static int population_isi(lua_State *L)
{
    script_slice *p = recorded(L);
    double       *isi = lua_newuserdatauv(L, (rv_spike_count(p->net->net, p->slice.population) + 1) * sizeof *isi, 0);
    lua_insert(L, 2);
    rv_trains trains = read_trains(L, p, 3);
    int64_t   n = rv_isi(&trains, isi);
    rv_trains_free(&trains);
    script_push_list(L, isi, n);
    return 1;
}

/* population:spikes([from, to]) -> times, neurons */
static int population_spikes(lua_State *L)
{
    script_slice *p = recorded(L);
    double        from_ms = script_number_or(L, 2, "from (ms)", -INFINITY),
           to_ms = script_number_or(L, 3, "to (ms)", INFINITY);
    spike_list spikes = read_spikes(L, p);
    int64_t    n = 0;
    lua_newtable(L);
    lua_newtable(L);
    for (int64_t k = 0; k < spikes.n; k++) {
        if (!(spikes.times_ms[k] > from_ms && spikes.times_ms[k] <= to_ms)) continue;
        lua_pushnumber(L, spikes.times_ms[k]);
        lua_rawseti(L, -3, ++n);
        lua_pushinteger(L, spikes.neurons[k] + 1);
        lua_rawseti(L, -2, n);
    }
    return 2;
}

static int population_count(lua_State *L)
{
    script_slice *p = recorded(L);
    lua_pushinteger(L, is_whole(p) ? rv_spike_count(p->net->net, p->slice.population) : read_spikes(L, p).n);
    return 1;
}

/* net:hash() -> one hash of all recorded spikes, the same as `ranvier stats FILE --hash` */
int network_hash(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    uint64_t    hash = 0;
    for (int id = 1; id <= rv_population_count(net->net); id++) {
        rv_population population = { id };
        if (!rv_spikes_recorded(net->net, population)) continue;
        script_slice p = { net, { population, 0, rv_population_size(net->net, population), 1 } };
        spike_list   spikes = read_spikes(L, &p);
        hash += rv_spike_hash(rv_population_name(net->net, population), spikes.times_ms, spikes.neurons, spikes.n);
        lua_settop(L, 1);
    }
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    lua_pushstring(L, text);
    return 1;
}

/* ---- lists of numbers: rv.stats ------------------------------------------------------------------------------- */

static int push_of_list(lua_State *L, const char *what, double (*statistic)(const double *, int64_t))
{
    int64_t n;
    double *x = script_list(L, 1, what, &n);
    lua_pushnumber(L, statistic(x, n));
    return 1;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int stats_mean(lua_State *L) { return push_of_list(L, "rv.stats.mean: the list", rv_mean); }
static int stats_sd(lua_State *L) { return push_of_list(L, "rv.stats.sd: the list", rv_sd); }

static int stats_median(lua_State *L)
{
    int64_t n;
    double *x = script_list(L, 1, "rv.stats.median: the list", &n);
    qsort(x, n, sizeof *x, compare_numbers);
    lua_pushnumber(L, n ? (x[(n - 1) / 2] + x[n / 2]) / 2 : NAN);
    return 1;
}

/* rv.stats.histogram(list, low, high, bins) -> counts, centres */
static int stats_histogram(lua_State *L)
{
    int64_t n, n_bins = script_integer(L, 4, "rv.stats.histogram: the number of bins", 1, 1 << 24);
    double low = script_number(L, 2, "rv.stats.histogram: low"), high = script_number(L, 3, "rv.stats.histogram: high");
    if (!(low < high)) script_fail(L, "rv.stats.histogram: low = %g is not below high = %g", low, high);
    double *x = script_list(L, 1, "rv.stats.histogram: the list", &n);
    double *counts = lua_newuserdatauv(L, n_bins * sizeof *counts, 0),
           *centres = lua_newuserdatauv(L, n_bins * sizeof *centres, 0);
    for (int64_t k = 0; k < n_bins; k++)
        counts[k] = 0, centres[k] = low + ((double)k + 0.5) * (high - low) / (double)n_bins;
    for (int64_t i = 0; i < n; i++)
        if (x[i] >= low && x[i] < high) counts[(int64_t)((x[i] - low) / (high - low) * (double)n_bins)]++;
    script_push_list(L, counts, n_bins);
    script_push_list(L, centres, n_bins);
    return 2;
}

/* ---- module --------------------------------------------------------------------------------------------------- */

void script_open_population(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "__tostring", population_tostring },
        { "__len", population_len },
        { "slice", population_slice },
        { "set", population_set },
        { "get", population_get },
        { "on_spike", population_on_spike },
        { "rate", population_rate },
        { "rates", population_rates },
        { "cv", population_cv },
        { "isi", population_isi },
        { "fano", population_fano },
        { "synchrony", population_synchrony },
        { "spikes", population_spikes },
        { "count", population_count },
        { "correlation", population_correlation },
        { NULL, NULL },
    };
    static const luaL_Reg fields[] = {
        { "name", population_name },
        { "size", population_len },
        { "model", population_model },
        { NULL, NULL },
    };
    static const luaL_Reg of_lists[] = {
        { "mean", stats_mean },           { "sd", stats_sd }, { "median", stats_median },
        { "histogram", stats_histogram }, { NULL, NULL },
    };
    script_type(L, TYPE_POPULATION, methods, fields);
    luaL_newlib(L, of_lists);
    lua_setfield(L, -2, "stats");
}
