/* Networks in the script: rv.network{}, net:population(), net:connect(), inputs and probes. */
#include "io/script_internal.h"
#include "io/sonata.h"
#include "io/script_window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the network ---------------------------------------------------------------------------------------------- */

static const char *const timing_words[] = { [RV_GRID] = "grid", [RV_EXACT] = "exact" };
static const char *const advance_words[] = { [RV_ADAPTIVE] = "adaptive", [RV_SWEEP] = "sweep", [RV_JUMP] = "jump" };

static rv_net_def read_definition(lua_State *L, int index)
{
    static const char *const keys[] = { "resolution", "seed", "timing", "threads", "advance" };
    const char              *what = "rv.network";
    const script_options    *command = &script_of(L)->options;
    script_keys(L, index, what, keys, COUNT(keys));
    rv_net_def def = { .resolution = option_number(L, index, what, "resolution", 0.1) };
    if (def.resolution == 0) script_fail(L, "%s: resolution = 0 ms, allowed is more than 0", what);
    def.seed = (uint64_t)option_integer(L, index, what, "seed", 0);
    int64_t threads = option_integer(L, index, what, "threads", 0);
    if (threads > 4096)
        script_fail(L, "%s: threads = %lld, allowed are 0 (all cores) to 4096", what, (long long)threads);
    def.threads = (int)threads;
    const char *timing = option_text(L, index, what, "timing", "grid");
    def.timing = script_word(L, timing, "rv.network: timing", timing_words, COUNT(timing_words));
    const char *advance = option_text(L, index, what, "advance", "adaptive");
    def.advance = script_word(L, advance, "rv.network: advance", advance_words, COUNT(advance_words));
    if (command->seed) def.seed = *command->seed;
    if (command->timing) def.timing = *command->timing;
    if (command->threads) def.threads = command->threads;
    if (def.threads == 0 && command->show) def.threads = window_stage_threads();
    return def;
}

script_net *script_net_new(lua_State *L)
{
    script_net *net = lua_newuserdatauv(L, sizeof *net, 1);
    *net = (script_net){ .owner = script_of(L) };
    script_register_net(L, net);
    return net;
}

void script_net_adopt(lua_State *L, script_net *net)
{
    script *s = net->owner;
    luaL_setmetatable(L, TYPE_NETWORK); /* from here on the collector frees it */
    net->next = s->nets, s->nets = net;
    script_net_begin(L, net);
}

/* rv.network{resolution =, seed =, timing =, threads =} */
static int make_network(lua_State *L)
{
    lua_settop(L, 1);
    rv_net_def  def = read_definition(L, 1);
    script_net *net = script_net_new(L);
    rv_error    error = { 0 };
    if (rv_net_new(&def, &net->net, &error) != RV_OK) script_fail(L, "rv.network: %s", error.text);
    script_net_adopt(L, net);
    script_seed_random(L, def.seed);
    return 1;
}

static int free_network(lua_State *L)
{
    script_net *net = lua_touserdata(L, 1);
    script     *s = net->owner;
    if (!net->net) return 0;
    script_live_forget(net);
    script_outputs_close(net);
    script_keeper_free(net);
    script_links_free(net);
    for (script_net **link = &s->nets; *link; link = &(*link)->next) {
        if (*link != net) continue;
        *link = net->next;
        break;
    }
    script_add_times(&s->gone, net->net);
    rv_net_free(net->net);
    free(net->populations), free(net->touches);
    net->net = NULL;
    return 0;
}

static int network_tostring(lua_State *L)
{
    script_self(L, TYPE_NETWORK);
    lua_pushliteral(L, "network");
    return 1;
}

static int network_time(lua_State *L)
{
    lua_pushnumber(L, rv_time(((script_net *)script_self(L, TYPE_NETWORK))->net));
    return 1;
}

static int network_stop(lua_State *L)
{
    rv_stop(((script_net *)script_self(L, TYPE_NETWORK))->net);
    return 0;
}

static int network_resolution(lua_State *L)
{
    lua_pushnumber(L, rv_resolution(((script_net *)script_self(L, TYPE_NETWORK))->net));
    return 1;
}

static int network_seed(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)rv_seed(((script_net *)script_self(L, TYPE_NETWORK))->net));
    return 1;
}

static int network_threads(lua_State *L)
{
    lua_pushinteger(L, rv_threads(((script_net *)script_self(L, TYPE_NETWORK))->net));
    return 1;
}

static int network_timing(lua_State *L)
{
    lua_pushstring(L, timing_words[rv_net_timing(((script_net *)script_self(L, TYPE_NETWORK))->net)]);
    return 1;
}

/* ---- what is known of populations ----------------------------------------------------------------------------- */

script_population *script_population_of(script_net *net, rv_population population)
{
    if (population.id > net->n_populations) {
        int                n = population.id + 16;
        script_population *grown = realloc(net->populations, n * sizeof *grown);
        if (!grown) return NULL;
        for (int i = net->n_populations; i < n; i++)
            grown[i] = (script_population){ .record_start_ms = NAN, .inhibitory = -1 };
        net->populations = grown, net->n_populations = n;
    }
    return &net->populations[population.id - 1];
}

/* The script's word decides, then the sign of the outgoing weights, then the name. */
bool script_is_inhibitory(script_net *net, rv_population population)
{
    const script_population *p = script_population_of(net, population);
    const char              *name = rv_population_name(net->net, population);
    if (p && p->inhibitory >= 0) return p->inhibitory;
    if (p && p->outgoing != 0) return p->outgoing < 0;
    return name[0] == 'I' || strncmp(name, "inh", 3) == 0;
}

/* ---- populations ---------------------------------------------------------------------------------------------- */

/* positions = {{x, y[, z]}, ...}, periodic = {Lx, Ly[, Lz]}, of the options table at index */
static void read_positions(lua_State *L, script_net *net, rv_population population, int index, const char *what)
{
    int64_t n = rv_population_size(net->net, population), n_given, dimensions;
    double  period[3] = { 0 };
    if (lua_getfield(L, index, "periodic") != LUA_TNIL) {
        const double *given = script_list(L, -1, "options: periodic", &dimensions);
        if (dimensions > 3)
            script_fail(L, "%s: periodic has %lld numbers, allowed are 1 to 3", what, (long long)dimensions);
        memcpy(period, given, dimensions * sizeof *given);
        if (lua_getfield(L, index, "positions") == LUA_TNIL) script_fail(L, "%s: periodic needs positions", what);
    } else if (lua_getfield(L, index, "positions") == LUA_TNIL) {
        return;
    }
    if (!lua_istable(L, -1))
        script_fail(L, "%s: positions is %s; a list {{x, y}, ...} is needed", what, script_describe(L, -1));
    n_given = (int64_t)lua_rawlen(L, -1);
    if (n_given != n)
        script_fail(L, "%s: positions has %lld entries for %lld neurons", what, (long long)n_given, (long long)n);
    int     positions = lua_gettop(L);
    double *xyz = lua_newuserdatauv(L, 3 * n * sizeof *xyz, 0);
    for (int64_t i = 0; i < n; i++) {
        lua_rawgeti(L, positions, i + 1);
        const char   *name = lua_pushfstring(L, "%s: positions[%I]", what, (lua_Integer)i + 1);
        const double *point = script_list(L, -2, name, &dimensions);
        if (dimensions < 1 || dimensions > 3)
            script_fail(L, "%s: positions[%lld] has %lld numbers, allowed are 1 to 3", what, (long long)i + 1,
                        (long long)dimensions);
        for (int k = 0; k < 3; k++) xyz[3 * i + k] = k < dimensions ? point[k] : 0;
        lua_settop(L, positions + 1);
    }
    script_check(L, net, rv_set_positions(net->net, population, xyz, period));
}

typedef rv_status (*set_list_fn)(rv_net *net, rv_population population, int64_t neuron, const double *list, int64_t n);

/* spike_times = {t, ...} for one neuron, {{t, ...}, ...} for several; payloads likewise */
static void set_lists(lua_State *L, script_net *net, rv_slice slice, int index, const char *what, const char *items, set_list_fn set)
{
    if (!lua_istable(L, index)) script_fail(L, "%s is %s; a list of %s is needed", what, script_describe(L, index), items);
    int     top = lua_gettop(L);
    bool    nested = lua_rawgeti(L, index, 1) == LUA_TTABLE;
    int64_t n_given = nested ? (int64_t)lua_rawlen(L, index) : 1, n_times;
    if (n_given != slice.count)
        script_fail(L, "population \"%s\": %s has lists for %lld neurons, there are %lld; it takes {{t, ...}, ...}",
                    rv_population_name(net->net, slice.population), what, (long long)n_given, (long long)slice.count);
    for (int64_t i = 0; i < n_given; i++) {
        lua_settop(L, top);
        if (nested) lua_rawgeti(L, index, i + 1);
        else lua_pushvalue(L, index);
        const double *times = script_list(L, -1, what, &n_times);
        script_check(L, net, set(net->net, slice.population, slice.first + i * slice.stride, times, n_times));
    }
    lua_settop(L, top);
}

/* Sets one parameter or state variable to the value at index. */
static void set_variable(lua_State *L, script_net *net, rv_slice slice, const char *name, int index)
{
    int top = lua_gettop(L);
    index = lua_absindex(L, index);
    if (strcmp(name, "spike_times") == 0) {
        set_lists(L, net, slice, index, name, "times", rv_set_spike_times);
    } else if (strcmp(name, "payloads") == 0) {
        set_lists(L, net, slice, index, name, "whole numbers", rv_set_payloads);
    } else {
        const char *what =
            lua_pushfstring(L, "population \"%s\": %s", rv_population_name(net->net, slice.population), name);
        rv_value value = script_value(L, NULL, index, what);
        script_check(L, net, rv_set_slice(net->net, slice, name, value));
    }
    lua_settop(L, top);
}

int population_set(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    lua_settop(L, 3);
    set_variable(L, p->net, p->slice, script_text(L, 2, "population:set: the name"), 3);
    lua_settop(L, 1);
    return 1;
}

/* The number of neurons, or the shape of a sheet of pixels or of a layer: {columns, rows[, polarities or channels]}. */
static int64_t read_size(lua_State *L, int index, results_shape *shape)
{
    const char *what = "net:population: the number of neurons (second argument)";
    if (!lua_istable(L, index)) return script_integer(L, index, what, 1, INT64_MAX);
    int     sides[3] = { 0, 0, 1 };
    int64_t n = (int64_t)lua_rawlen(L, index);
    if (n < 2 || n > 3) script_fail(L, "net:population: the shape (second argument) has %lld numbers; {columns, rows[, channels]} is needed", (long long)n);
    for (int k = 0; k < n; k++) {
        lua_rawgeti(L, index, k + 1);
        sides[k] = (int)script_integer(L, -1, "net:population: the shape (second argument)", 1, 32768);
        lua_pop(L, 1);
    }
    *shape = (results_shape){ sides[0], sides[1], sides[2] };
    return (int64_t)sides[0] * sides[1] * sides[2];
}

/* net:population(name, n, model[, params[, options]]) */
static int network_population(lua_State *L)
{
    static const char *const keys[] = { "positions", "periodic", "inhibitory" };
    script_net              *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 6);
    script_defining(L, net, "net:population");
    const char *name = script_text(L, 2, "net:population: the name (first argument)");
    results_shape shape = { 0 };
    int64_t       n = read_size(L, 3, &shape);
    const char *model = script_text(L, 4, "net:population: the model (third argument)");
    const char *what = lua_pushfstring(L, "population \"%s\"", name);
    script_keys(L, 6, what, keys, COUNT(keys));
    if (!lua_isnil(L, 5) && !lua_istable(L, 5))
        script_fail(L, "%s: the parameters are %s; a table { name = value } is needed", what, script_describe(L, 5));
    rv_population population = rv_population_new(net->net, name, n, model);
    if (population.id == 0) script_check(L, net, rv_net_error(net->net)->status);
    rv_slice slice = { population, 0, n, 1 };
    int      n_params = lua_istable(L, 5) ? script_sorted_keys(L, 5, what) : 0, sorted = lua_gettop(L);
    for (int i = 1; i <= n_params; i++) {
        lua_rawgeti(L, sorted, i);
        lua_getfield(L, 5, lua_tostring(L, -1));
        if (strcmp(lua_tostring(L, -2), "payloads") != 0) set_variable(L, net, slice, lua_tostring(L, -2), -1);
        lua_pop(L, 2);
    }
    if (n_params > 0 && lua_getfield(L, 5, "payloads") != LUA_TNIL) set_variable(L, net, slice, "payloads", -1); /* of those spike_times */
    script_population *known = script_population_of(net, population);
    if (!known) script_fail(L, "%s: no memory left", what);
    known->shape = shape;
    if (lua_istable(L, 6)) {
        if (lua_getfield(L, 6, "inhibitory") != LUA_TNIL)
            known->inhibitory = script_boolean(L, -1, "options: inhibitory");
        read_positions(L, net, population, 6, what);
    }
    script_push_slice(L, net, slice);
    return 1;
}

/* ---- inputs --------------------------------------------------------------------------------------------------- */

/* Reads the table at index as settings, sorted by name; pushes what owns them. @return [n] */
static rv_setting *read_settings(lua_State *L, int index, const char *what, int *n)
{
    index = lua_absindex(L, index);
    if (!lua_isnoneornil(L, index) && !lua_istable(L, index))
        script_fail(L, "%s: the parameters are %s; a table { name = value } is needed", what,
                    script_describe(L, index));
    *n = lua_istable(L, index) ? script_sorted_keys(L, index, what) : (lua_newtable(L), 0);
    int         sorted = lua_gettop(L);
    rv_setting *settings = lua_newuserdatauv(L, (*n + 1) * sizeof *settings, 0);
    luaL_checkstack(L, 4 * *n + 8, "too many parameters");
    for (int i = 0; i < *n; i++) {
        lua_rawgeti(L, sorted, i + 1);
        settings[i].name = lua_tostring(L, -1);
        lua_getfield(L, index, settings[i].name);
        const char *name = lua_pushfstring(L, "%s: %s", what, settings[i].name);
        settings[i].value = script_value(L, NULL, -2, name); /* its owner stays on the stack */
    }
    return settings;
}

/* net:poisson(targets, settings), net:dc(...), ...: one method for each kind of input there is; upvalue: its name */
static int network_input(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 3);
    const char *kind = lua_tostring(L, lua_upvalueindex(1)), *what = lua_pushfstring(L, "net:%s", kind);
    script_defining(L, net, what);
    int           n, n_settings;
    rv_slice     *targets = script_slices(L, net, 2, lua_pushfstring(L, "%s: the target (first argument)", what), &n);
    rv_setting   *settings = read_settings(L, 3, what, &n_settings);
    script_group *inputs = script_group_new(L, TYPE_INPUT, 1, n);
    for (int i = 0; i < n; i++) {
        rv_input input = { 0 };
        script_check(L, net, rv_input_new(net->net, targets[i], kind, settings, n_settings, &input));
        inputs->ids[i] = input.id;
    }
    return 1;
}

/* ---- probes --------------------------------------------------------------------------------------------------- */

static int record_spikes(lua_State *L, script_net *net)
{
    int       n;
    rv_slice *slices = script_slices(L, net, 2, "net:record: what is recorded from (first argument)", &n);
    for (int i = 0; i < n; i++) {
        rv_population      population = slices[i].population;
        script_population *known = script_population_of(net, population);
        bool               recorded = rv_spikes_recorded(net->net, population);
        script_check(L, net, rv_record_spikes(net->net, population));
        if (known && !recorded) known->record_start_ms = rv_time(net->net);
    }
    return 0;
}

/* The fields of the options that choose synapses. What it borrows stays on the stack. */
static void read_sample(lua_State *L, const char *what, rv_synapse_sample *sample)
{
    if (lua_type(L, 4) != LUA_TTABLE) return;
    if (lua_getfield(L, 4, "synapses") != LUA_TNIL) {
        const char *name = lua_pushfstring(L, "%s: synapses", what);
        rv_value    list = script_value(L, NULL, -2, name);
        if (list.kind != RV_LIST) script_fail(L, "%s: synapses is a list of numbers, as J:synapses() counts them", what);
        int64_t *synapses = lua_newuserdatauv(L, (size_t)(list.n + 1) * sizeof *synapses, 0);
        for (int64_t k = 0; k < list.n; k++) {
            if (!(list.list[k] >= 1 && list.list[k] < 1e15) || list.list[k] != floor(list.list[k])) script_fail(L, "%s: synapses[%lld] is not a number of a synapse", what, (long long)k + 1);
            synapses[k] = (int64_t)list.list[k] - 1;
        }
        sample->synapses = synapses, sample->n_synapses = list.n;
    }
    if (lua_getfield(L, 4, "histogram") == LUA_TNIL) return;
    const char *name = lua_pushfstring(L, "%s: histogram", what);
    rv_value    bins = script_value(L, NULL, -2, name);
    if (bins.kind != RV_LIST || bins.n != 3 || !(bins.list[2] >= 1 && bins.list[2] <= 1e6)) script_fail(L, "%s: histogram = { low, high, number of bins }", what);
    sample->low = bins.list[0], sample->high = bins.list[1], sample->bins = (int)bins.list[2];
}

static int record_synapses(lua_State *L, script_net *net, const char *what, const char *variable, double interval)
{
    rv_synapse_sample sample = { .variable = variable, .interval_ms = interval };
    script_group *projections = luaL_testudata(L, 2, TYPE_PROJECTION);
    if (!projections || projections->net != net)
        script_fail(L, "net:record: weights are recorded from a projection of this network, not from %s",
                    script_describe(L, 2));
    read_sample(L, what, &sample);
    script_group *probes = script_group_new(L, TYPE_PROBE, 1, projections->n);
    for (int i = 0; i < projections->n; i++) {
        rv_probe probe = { 0 };
        script_check(L, net, rv_record_synapses(net->net, (rv_projection){ projections->ids[i] }, &sample, &probe));
        probes->ids[i] = probe.id;
    }
    return 1;
}

static int record_samples(lua_State *L, script_net *net, const char *variable, double interval)
{
    int           n;
    bool          rate = strcmp(variable, "rate") == 0;
    rv_slice     *slices = script_slices(L, net, 2, "net:record: what is recorded from (first argument)", &n);
    script_group *probes = script_group_new(L, TYPE_PROBE, 1, n);
    for (int i = 0; i < n; i++) {
        rv_probe probe = { 0 };
        script_check(L, net,
                     rate ? rv_record_rate(net->net, slices[i].population, interval, &probe)
                          : rv_record_state(net->net, slices[i], variable, interval, &probe));
        probes->ids[i] = probe.id;
    }
    return 1;
}

/* net:record(targets, "spikes" | "rate" | "weights" | variable[, {interval =, synapses =, histogram =} or {bin =}]) */
static int network_record(lua_State *L)
{
    static const char *const no_keys[] = { "" }, *const rate_keys[] = { "bin" }, *const keys[] = { "interval" }, *const synapse_keys[] = { "interval", "synapses", "histogram" };
    script_net *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 4);
    script_defining(L, net, "net:record");
    const char *variable = script_text(L, 3, "net:record: what is recorded (second argument)");
    const char *what = lua_pushfstring(L, "net:record(..., \"%s\")", variable);
    if (strcmp(variable, "spikes") == 0) {
        script_keys(L, 4, what, no_keys, 0);
        return record_spikes(L, net);
    }
    bool rate = strcmp(variable, "rate") == 0, weights = strcmp(variable, "weights") == 0, synapses = weights || luaL_testudata(L, 2, TYPE_PROJECTION);
    script_keys(L, 4, what, rate ? rate_keys : synapses ? synapse_keys : keys, synapses ? COUNT(synapse_keys) : 1);
    double interval = rate ? option_number(L, 4, what, "bin", 10) : option_number(L, 4, what, "interval", 0);
    if (!synapses) return record_samples(L, net, variable, interval);
    if (interval == 0) script_fail(L, "%s: interval (ms) is needed", what);
    return record_synapses(L, net, what, weights ? "weight" : variable, interval);
}

/* ---- saving --------------------------------------------------------------------------------------------------- */

/* net:save_sonata(folder[, {time =}]): a circuit with its configs, for this program and others */
static int network_save_sonata(lua_State *L)
{
    static const char *const keys[] = { "time" };
    script_net              *net = script_self(L, TYPE_NETWORK);
    rv_error                 error = { 0 };
    lua_settop(L, 3);
    script_defining(L, net, "net:save_sonata");
    const char *folder = script_text(L, 2, "net:save_sonata: the folder (first argument)");
    script_keys(L, 3, "net:save_sonata", keys, COUNT(keys));
    double time = option_number(L, 3, "net:save_sonata", "time", 1000);
    if (!(time > 0)) script_fail(L, "net:save_sonata: time = %g ms, allowed is more than 0", time);
    net->L = L; /* functions of distance may be called */
    rv_status status = sonata_save(net->net, folder, time, &error);
    script_rethrow(L, net);
    if (status != RV_OK) script_fail(L, "net:save_sonata: %s", error.text);
    return 0;
}

/* ---- module --------------------------------------------------------------------------------------------------- */

/* One method for every kind of input in the engine's table. */
static void add_input_methods(lua_State *L)
{
    rv_table table;
    luaL_getmetatable(L, TYPE_NETWORK);
    lua_getfield(L, -1, "__index");
    lua_getupvalue(L, -1, 1);
    for (int i = 0; rv_table_at(RV_INPUTS, i, &table); i++) {
        lua_pushstring(L, table.name);
        lua_pushcclosure(L, network_input, 1);
        lua_setfield(L, -2, table.name);
    }
    lua_pop(L, 3);
}

void script_open_network(lua_State *L)
{
    static const luaL_Reg methods[] = {
        { "__gc", free_network },       { "__tostring", network_tostring }, { "population", network_population },
        { "connect", network_connect }, { "record", network_record },       { "run", network_run },
        { "time", network_time },       { "stop", network_stop },           { "at", network_at },
        { "knob", network_knob },
        { "every", network_every },     { "output", network_output },       { "plot", network_plot },
        { "save", network_save },
        { "profile", network_profile }, { "hash", network_hash },           { "find", network_find },
        { "quantize", network_quantize }, { "map", network_map },           { "export", network_export },
        { "save_sonata", network_save_sonata },
        { "listen", network_listen },   { "send", network_send },           { "pace", network_pace },
        { NULL, NULL },
    };
    static const luaL_Reg fields[] = {
        { "resolution", network_resolution }, { "seed", network_seed }, { "threads", network_threads },
        { "timing", network_timing },         { NULL, NULL },
    };
    script_type(L, TYPE_NETWORK, methods, fields);
    add_input_methods(L);
    lua_pushcfunction(L, make_network);
    lua_setfield(L, -2, "network");
}
