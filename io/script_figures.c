/* Figures and tables from the script: net:plot(), rv.plot(), rv.write_csv(). */
#include "io/script_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/script_command.h"
#include "viz/figure.h"
#include "viz/multiples.h"

enum { MOST_TRACES = 10, MOST_CURVES = 64, MOST_PANELS = 200 };

static const char *const panel_words[] = { "raster", "rate", "traces", "isi", "rates" };
static const unsigned    panel_bits[] = { FIGURE_RASTER, FIGURE_RATE, FIGURE_TRACES, FIGURE_ISI, FIGURE_RATES };

bool command_panels(const char *list, unsigned *panels)
{
    for (*panels = 0; list && *list;) {
        char name[32];
        int  k = 0, length = (int)strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", length, list);
        while (k < COUNT(panel_words) && strcmp(panel_words[k], name) != 0) k++;
        if (k == COUNT(panel_words)) return command_unknown("panel", name, panel_words, COUNT(panel_words)), false;
        *panels |= panel_bits[k];
        list += length + (list[length] == ',');
    }
    return true;
}

/* panels = { "raster", "rate" }, or one of them */
static unsigned read_panels(lua_State *L, int index, const char *what)
{
    unsigned panels = 0;
    lua_getfield(L, index, "panels");
    if (lua_isnil(L, -1)) return lua_pop(L, 1), 0;
    const char *name = lua_pushfstring(L, "%s: panels", what);
    lua_insert(L, -2);
    bool one = lua_type(L, -1) == LUA_TSTRING;
    if (!one && !lua_istable(L, -1))
        script_fail(L, "%s is %s; a list of names is needed", name, script_describe(L, -1));
    for (int i = 1, n = one ? 1 : (int)lua_rawlen(L, -1); i <= n; i++) {
        if (one) lua_pushvalue(L, -1);
        else lua_rawgeti(L, -1, i);
        panels |= panel_bits[script_word(L, script_text(L, -1, name), name, panel_words, COUNT(panel_words))];
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return panels;
}

static void save(lua_State *L, const char *what, const figure *f, const char *path)
{
    rv_error error = { 0 };
    if (figure_save(f, path, &error) != RV_OK) script_fail(L, "%s: %s", what, error.text);
}

/* ---- net:plot ------------------------------------------------------------------------------------------------- */

/* The recorded populations; their arrays stay on the Lua stack. */
static figure_spikes *read_all_spikes(lua_State *L, script_net *net, int *n_spikes)
{
    int            n = rv_population_count(net->net);
    figure_spikes *spikes = lua_newuserdatauv(L, (n + 1) * sizeof *spikes, 0);
    luaL_checkstack(L, 2 * n + 8, "too many populations");
    *n_spikes = 0;
    for (int id = 1; id <= n; id++) {
        rv_population population = { id };
        if (!rv_spikes_recorded(net->net, population)) continue;
        int64_t  count = rv_spike_count(net->net, population);
        double  *times = lua_newuserdatauv(L, (count + 1) * sizeof *times, 0);
        int64_t *neurons = lua_newuserdatauv(L, (count + 1) * sizeof *neurons, 0);
        script_check(L, net, rv_spike_read(net->net, population, 0, count, times, neurons));
        spikes[(*n_spikes)++] = (figure_spikes){
            .name = rv_population_name(net->net, population),
            .size = rv_population_size(net->net, population),
            .inhibitory = script_is_inhibitory(net, population),
            .n = count,
            .times_ms = times,
            .neurons = neurons,
        };
    }
    return spikes;
}

/* V_th of a neuron, for the dashed line through its membrane trace; NAN where there is none. */
static double threshold_of(script_net *net, const rv_probe_info *info, int64_t column)
{
    double   threshold = NAN;
    rv_slice one = { info->population, info->slice.first + column * (info->slice.stride ? info->slice.stride : 1), 1,
                     1 };
    rv_table table;
    if (strcmp(info->variable, "V_m") != 0) return NAN;
    if (!rv_table_find(RV_NEURONS, rv_population_model(net->net, info->population), &table)) return NAN;
    for (int i = 0; i < table.n_params; i++)
        if (strcmp(table.params[i].name, "V_th") == 0 && rv_get(net->net, one, "V_th", &threshold) != RV_OK)
            threshold = NAN;
    return threshold;
}

static const char *trace_label(lua_State *L, script_net *net, const rv_probe_info *info, int64_t column)
{
    if (info->kind != RV_PROBE_STATE) return lua_pushstring(L, info->variable);
    lua_Integer neuron = info->slice.first + column * (info->slice.stride ? info->slice.stride : 1) + 1;
    return lua_pushfstring(L, "%s of %s %I", info->variable, rv_population_name(net->net, info->population), neuron);
}

/* The spikes of one neuron among those of its population, if they are recorded: strokes on its trace. */
static const double *neuron_spikes(lua_State *L, const figure *f, const char *population, int64_t neuron, int64_t *n)
{
    *n = 0;
    for (int i = 0; i < f->n_spikes; i++) {
        const figure_spikes *spikes = &f->spikes[i];
        if (strcmp(spikes->name, population) != 0) continue;
        for (int64_t k = 0; k < spikes->n; k++) *n += spikes->neurons[k] == neuron;
        double *times = lua_newuserdatauv(L, (*n + 1) * sizeof *times, 0), *next = times;
        for (int64_t k = 0; k < spikes->n; k++)
            if (spikes->neurons[k] == neuron) *next++ = spikes->times_ms[k];
        return times;
    }
    return NULL;
}

static figure_trace make_trace(lua_State *L, script_net *net, const figure *f, const rv_probe_info *info,
                               int64_t column)
{
    figure_trace trace = { .label = trace_label(L, net, info, column), .unit = info->unit, .n = info->n_samples };
    trace.threshold = threshold_of(net, info, column);
    if (info->kind == RV_PROBE_STATE && strcmp(info->variable, "V_m") == 0)
        trace.spikes_ms =
            neuron_spikes(L, f, rv_population_name(net->net, info->population),
                          info->slice.first + column * (info->slice.stride ? info->slice.stride : 1), &trace.n_spikes);
    return trace;
}

/* Adds the columns of a probe as traces, as far as there is room; what they borrow stays on the stack. */
static void add_traces(lua_State *L, script_net *net, rv_probe probe, const figure *f, figure_trace *traces,
                       int *n_traces)
{
    rv_probe_info info;
    script_check(L, net, rv_probe_describe(net->net, probe, &info));
    int64_t n = info.n_samples, n_columns = info.n_columns, piece = 1 + (1 << 20) / (n_columns + 1);
    int     n_here = (int)fmin((double)n_columns, MOST_TRACES - *n_traces);
    if (n_here <= 0) return;
    luaL_checkstack(L, 16 + 2 * n_here, NULL);
    double *times = lua_newuserdatauv(L, (n + 1) * sizeof *times, 0);
    double *columns = lua_newuserdatauv(L, (n + 1) * n_here * sizeof *columns, 0);
    double *rows = lua_newuserdatauv(L, piece * (n_columns + 1) * sizeof *rows, 0);
    for (int64_t first = 0; first < n; first += piece) {
        int64_t n_rows = first + piece <= n ? piece : n - first;
        script_check(L, net, rv_probe_read(net->net, probe, first, n_rows, times + first, rows));
        for (int64_t k = 0; k < n_rows; k++)
            for (int c = 0; c < n_here; c++) columns[c * n + first + k] = rows[k * n_columns + c];
    }
    for (int c = 0; c < n_here; c++) {
        figure_trace *trace = &traces[(*n_traces)++];
        *trace = make_trace(L, net, f, &info, c);
        trace->times_ms = times, trace->values = columns + c * n;
    }
}

static void add_probe_object(lua_State *L, script_net *net, int index, const figure *f, figure_trace *traces,
                             int *n_traces)
{
    script_group *probes = luaL_testudata(L, index, TYPE_PROBE);
    if (!probes || probes->net != net)
        script_fail(L, "net:plot: traces is %s; a probe of this network or a list of them is needed",
                    script_describe(L, index));
    for (int i = 0; i < probes->n; i++) add_traces(L, net, (rv_probe){ probes->ids[i] }, f, traces, n_traces);
}

/* traces = probe or list of probes; without it, all samples of state variables. */
static figure_trace *read_traces(lua_State *L, script_net *net, int index, const figure *f, int *n_traces)
{
    figure_trace *traces = lua_newuserdatauv(L, MOST_TRACES * sizeof *traces, 0);
    *n_traces = 0;
    lua_getfield(L, index, "traces");
    int given = lua_gettop(L);
    if (lua_istable(L, given)) {
        for (int i = 1; lua_rawgeti(L, given, i) != LUA_TNIL; i++)
            add_probe_object(L, net, lua_gettop(L), f, traces, n_traces);
    } else if (!lua_isnil(L, given)) {
        add_probe_object(L, net, given, f, traces, n_traces);
    } else {
        for (int id = 1; id <= rv_probe_count(net->net); id++) {
            rv_probe_info info;
            script_check(L, net, rv_probe_describe(net->net, (rv_probe){ id }, &info));
            if (info.kind == RV_PROBE_STATE) add_traces(L, net, (rv_probe){ id }, f, traces, n_traces);
        }
    }
    return traces;
}

/* net:plot(path[, { from =, to =, title =, panels =, bin =, traces = }]) */
int network_plot(lua_State *L)
{
    static const char *const keys[] = { "from", "to", "title", "panels", "bin", "traces", "width", "height", "dpi" };
    script_net              *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 3);
    const char *path = script_path(L, 2, "net:plot: the file", " .png .svg .pdf ");
    script_keys(L, 3, "net:plot", keys, COUNT(keys));
    if (lua_isnil(L, 3)) lua_newtable(L), lua_replace(L, 3);
    figure f = {
        .title = option_text(L, 3, "net:plot", "title", NULL),
        .panels = read_panels(L, 3, "net:plot"),
        .from_ms = option_number(L, 3, "net:plot", "from", 0),
        .to_ms = option_number(L, 3, "net:plot", "to", 0),
        .bin_ms = option_number(L, 3, "net:plot", "bin", 0),
        .width = option_number(L, 3, "net:plot", "width", 0),
        .height = option_number(L, 3, "net:plot", "height", 0),
        .dpi = option_number(L, 3, "net:plot", "dpi", 0),
    };
    if (f.from_ms != 0 && f.to_ms == 0) f.to_ms = rv_time(net->net);
    f.spikes = read_all_spikes(L, net, &f.n_spikes);
    f.traces = read_traces(L, net, 3, &f, &f.n_traces);
    if (f.n_spikes == 0 && f.n_traces == 0)
        script_fail(L, "net:plot: nothing is recorded; net:record(population, \"spikes\") before net:run() does that");
    save(L, "net:plot", &f, path);
    return 0;
}

/* ---- rv.plot -------------------------------------------------------------------------------------------------- */

/* One entry of curves = { { x =, y =, label = }, ... }; what it borrows stays on the stack. */
static figure_curve read_curve(lua_State *L, int index)
{
    static const char *const keys[] = { "x", "y", "label", "x_label", "y_label", "points" };
    const char              *what = "rv.plot: curve";
    int64_t                  n_y;
    script_keys(L, index, what, keys, COUNT(keys));
    if (!lua_istable(L, index)) script_fail(L, "%s is missing; a table { x =, y = } is needed", what);
    figure_curve curve = {
        .label = option_text(L, index, what, "label", NULL),
        .x_label = option_text(L, index, what, "x_label", NULL),
        .y_label = option_text(L, index, what, "y_label", NULL),
        .points = option_boolean(L, index, what, "points", false),
    };
    lua_getfield(L, index, "x");
    curve.x = script_list(L, -1, "rv.plot: curve: x", &curve.n);
    lua_getfield(L, index, "y");
    curve.y = script_list(L, -1, "rv.plot: curve: y", &n_y);
    if (n_y != curve.n) script_fail(L, "%s: x has %lld numbers, y has %lld", what, (long long)curve.n, (long long)n_y);
    return curve;
}

/* curves = {...} of the table at index; what it borrows stays on the stack. */
static figure_curve *read_curves(lua_State *L, int index, int *n)
{
    if (!lua_istable(L, index) || lua_getfield(L, index, "curves") != LUA_TTABLE)
        script_fail(L, "rv.plot: curves is needed, a list of { x =, y = }");
    int curves_at = lua_gettop(L);
    *n = (int)lua_rawlen(L, curves_at);
    if (*n < 1 || *n > MOST_CURVES) script_fail(L, "rv.plot: curves has %d entries, allowed are 1 to %d", *n, MOST_CURVES);
    luaL_checkstack(L, 8 * *n + 16, NULL);
    figure_curve *curves = lua_newuserdatauv(L, *n * sizeof *curves, 0);
    for (int i = 0; i < *n; i++) {
        lua_rawgeti(L, curves_at, i + 1);
        curves[i] = read_curve(L, lua_gettop(L));
    }
    return curves;
}

/* rv.plot(path, { panels = { { curves = {...}, title =, bar =, bar_label = }, ... }, columns =, title =, note = }): small multiples */
static int plot_panels(lua_State *L, const char *path)
{
    static const char *const keys[] = { "panels", "columns", "title", "note", "width", "height", "dpi" }, *const panel_keys[] = { "curves", "title", "bar", "bar_label" };
    script_keys(L, 2, "rv.plot", keys, COUNT(keys));
    int panels_at = lua_gettop(L), n = (int)lua_rawlen(L, panels_at);
    if (n < 1 || n > MOST_PANELS) script_fail(L, "rv.plot: panels has %d entries, allowed are 1 to %d", n, MOST_PANELS);
    multiple *panel = lua_newuserdatauv(L, n * sizeof *panel, 0);
    for (int i = 0; i < n; i++) {
        luaL_checkstack(L, 16, NULL);
        lua_rawgeti(L, panels_at, i + 1);
        int at = lua_gettop(L);
        script_keys(L, at, "rv.plot: panel", panel_keys, COUNT(panel_keys));
        panel[i] = (multiple){ .title = NULL };
        panel[i].curves = read_curves(L, at, &panel[i].n_curves);
        panel[i].title = option_text(L, at, "rv.plot: panel", "title", NULL);
        panel[i].bar = option_number(L, at, "rv.plot: panel", "bar", 0);
        panel[i].bar_label = option_text(L, at, "rv.plot: panel", "bar_label", NULL);
    }
    multiples m = {
        .title = option_text(L, 2, "rv.plot", "title", NULL),
        .note = option_text(L, 2, "rv.plot", "note", NULL),
        .panel = panel,
        .n_panels = n,
        .columns = (int)option_integer(L, 2, "rv.plot", "columns", 4),
        .width = option_number(L, 2, "rv.plot", "width", 0),
        .height = option_number(L, 2, "rv.plot", "height", 0),
        .dpi = option_number(L, 2, "rv.plot", "dpi", 0),
    };
    if (m.columns < 1 || m.columns > MOST_PANELS) script_fail(L, "rv.plot: columns = %d, allowed are 1 to %d", m.columns, MOST_PANELS);
    rv_error error = { 0 };
    if (multiples_save(&m, path, &error) != RV_OK) script_fail(L, "rv.plot: %s", error.text);
    return 0;
}

/* rv.plot(path, { curves = {...}, title = }) */
static int plot_curves(lua_State *L)
{
    static const char *const keys[] = { "curves", "title", "width", "height", "dpi" };
    int                      n;
    lua_settop(L, 2);
    const char *path = script_path(L, 1, "rv.plot: the file", " .png .svg .pdf ");
    if (lua_istable(L, 2) && lua_getfield(L, 2, "panels") == LUA_TTABLE) return plot_panels(L, path);
    script_keys(L, 2, "rv.plot", keys, COUNT(keys));
    figure_curve *curves = read_curves(L, 2, &n);
    figure f = {
        .title = option_text(L, 2, "rv.plot", "title", NULL),
        .curves = curves,
        .n_curves = n,
        .width = option_number(L, 2, "rv.plot", "width", 0),
        .height = option_number(L, 2, "rv.plot", "height", 0),
        .dpi = option_number(L, 2, "rv.plot", "dpi", 0),
    };
    save(L, "rv.plot", &f, path);
    return 0;
}

/* ---- rv.write_csv --------------------------------------------------------------------------------------------- */

/* rv.write_csv(path, { { "time (ms)", times }, { "V_m (mV)", values } }): columns side by side */
static int write_csv(lua_State *L)
{
    lua_settop(L, 2);
    const char *path = script_path(L, 1, "rv.write_csv: the file", " .csv ");
    if (!lua_istable(L, 2))
        script_fail(L, "rv.write_csv: the columns are %s; a list { { name, list }, ... } is needed",
                    script_describe(L, 2));
    int          n = (int)lua_rawlen(L, 2);
    int64_t      n_rows = 0, *lengths = lua_newuserdatauv(L, (n + 1) * sizeof *lengths, 0);
    double     **columns = lua_newuserdatauv(L, (n + 1) * sizeof *columns, 0);
    const char **names = lua_newuserdatauv(L, (n + 1) * sizeof *names, 0);
    luaL_checkstack(L, 4 * n + 16, "too many columns");
    for (int i = 0; i < n; i++) {
        if (lua_rawgeti(L, 2, i + 1) != LUA_TTABLE)
            script_fail(L, "rv.write_csv: column %d is not { name, list }", i + 1);
        lua_rawgeti(L, -1, 1);
        names[i] = script_text(L, -1, "rv.write_csv: the name of a column");
        if (strpbrk(names[i], "\n\r\","))
            script_fail(L, "rv.write_csv: the name of column %d has a comma, quote or line end", i + 1);
        lua_rawgeti(L, -2, 2);
        columns[i] = script_list(L, -1, "rv.write_csv: a column", &lengths[i]);
        if (lengths[i] > n_rows) n_rows = lengths[i];
    }
    FILE *file = fopen(path, "w");
    if (!file) script_fail(L, "rv.write_csv: cannot write \"%s\": %s", path, strerror(errno));
    for (int i = 0; i < n; i++) fprintf(file, "%s%s", i ? "," : "", names[i]);
    for (int64_t row = 0; row < n_rows; row++)
        for (int i = 0; i < n; i++) {
            fputs(i ? "," : "\n", file);
            if (row < lengths[i]) fprintf(file, "%.17g", columns[i][row]);
        }
    fputc('\n', file);
    bool written = !ferror(file);
    if (fclose(file) != 0 || !written)
        script_fail(L, "rv.write_csv: cannot write all of \"%s\": %s", path, strerror(errno));
    return 0;
}

void script_open_figures(lua_State *L)
{
    lua_pushcfunction(L, plot_curves);
    lua_setfield(L, -2, "plot");
    lua_pushcfunction(L, write_csv);
    lua_setfield(L, -2, "write_csv");
}
