/* Networks and chips in the script: net:quantize(), net:map(). What they give are objects that own what is in C, so
 * that nothing is lost when Lua leaves by an error. */
#include "io/script_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/cost.h"
#include "hw/floorplan.h"
#include "hw/quantise.h"
#include "hw/split.h"
#include "io/script_export.h"

#define TYPE_REPORT "ranvier.report"
#define TYPE_PLACEMENT "ranvier.placement"

#define TYPE_TEXT "ranvier.text"

/* Pushes a place for a text that C will malloc. */
static char **new_text(lua_State *L)
{
    char **text = lua_newuserdatauv(L, sizeof *text, 0);
    *text = NULL;
    luaL_setmetatable(L, TYPE_TEXT);
    return text;
}

static int push_text(lua_State *L, rv_status status, char **text)
{
    if (status != RV_OK) script_fail(L, "no memory left for the report");
    lua_pushstring(L, *text);
    return 1;
}

static int free_text(lua_State *L)
{
    free(*(char **)lua_touserdata(L, 1));
    return 0;
}

static void set_number(lua_State *L, const char *name, double x)
{
    if (isnan(x)) return; /* what was not measured is nil */
    lua_pushnumber(L, x);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

/* name and name_max */
static void set_error(lua_State *L, const char *name, hw_error e)
{
    set_number(L, name, e.mean);
    if (isnan(e.max)) return;
    lua_pushfstring(L, "%s_max", name);
    lua_pushnumber(L, e.max);
    lua_settable(L, -3);
}

/* ---- the report of quantising --------------------------------------------------------------------------------- */

typedef struct script_report {
    script_net        *net;
    hw_quantise_report report;
} script_report;

static const hw_quantise_report *report_of(lua_State *L) { return &((script_report *)script_self(L, TYPE_REPORT))->report; }

static int report_free(lua_State *L)
{
    hw_quantise_report_free(&((script_report *)lua_touserdata(L, 1))->report);
    return 0;
}

static int report_text(lua_State *L)
{
    const hw_quantise_report *r = report_of(L);
    char                    **text = new_text(L);
    return push_text(L, hw_quantise_text(r, text), text);
}

static void push_population(lua_State *L, const hw_population_report *p)
{
    lua_newtable(L);
    set_text(L, "from", p->from), set_text(L, "to", p->to);
    set_number(L, "size", (double)p->n), set_number(L, "scale", p->scale), set_number(L, "vth", p->vth_mean);
    set_error(L, "tau_m", p->tau_m), set_error(L, "tau_syn", p->tau_syn), set_error(L, "threshold", p->threshold), set_error(L, "bias", p->bias);
    set_number(L, "psp_ex", p->psp[0]), set_number(L, "psp_in", p->psp[1]);
    set_number(L, "lost_refractory", (double)p->lost_refractory), set_number(L, "merged", (double)p->merged);
    set_number(L, "rate_given", p->rate[0]), set_number(L, "rate", p->rate[1]), set_number(L, "highest_u", p->highest_u);
}

static void push_learning(lua_State *L, const hw_learning_report *r)
{
    static const char *const texts[] = { "dw", "dt", "dd" }, *const traces[] = { "x1", "x2", "y1", "y2", "y3" };
    lua_newtable(L);
    set_text(L, "rule", r->rule);
    for (int k = 0; k < COUNT(texts); k++)
        if (r->text[k]) set_text(L, texts[k], r->text[k]);
    for (int k = 0; k < COUNT(traces); k++)
        if (r->impulse[k] > 0) set_number(L, traces[k], r->chip_impulse[k]);
    set_number(L, "t_epoch", r->t_epoch), set_number(L, "low", r->chip_low), set_number(L, "high", r->chip_high), set_number(L, "unit", r->unit), set_number(L, "lag", r->lag);
    set_error(L, "scale", r->scale);
}

static void push_projection(lua_State *L, const hw_projection_report *p)
{
    lua_newtable(L);
    set_text(L, "label", p->label), set_text(L, "sign", p->sign);
    set_number(L, "synapses", (double)p->n_synapses), set_number(L, "pruned", (double)p->pruned);
    set_number(L, "weight_exp", p->weight_exp), set_number(L, "drive", p->drive), set_error(L, "weight", p->weight);
    set_number(L, "saturated", (double)p->saturated), set_number(L, "zeroed", (double)p->zeroed);
    set_number(L, "delays_changed", (double)p->delays_changed), set_number(L, "delay_change", p->delay_change);
    if (!p->learning.rule) return;
    push_learning(L, &p->learning);
    lua_setfield(L, -2, "learning");
}

static int report_populations(lua_State *L)
{
    const hw_quantise_report *r = report_of(L);
    lua_newtable(L);
    for (int p = 0; p < r->n_populations; p++) {
        push_population(L, &r->population[p]);
        lua_setfield(L, -2, r->population[p].name);
    }
    return 1;
}

static int report_projections(lua_State *L)
{
    const hw_quantise_report *r = report_of(L);
    lua_newtable(L);
    for (int k = 0; k < r->n_projections; k++) {
        push_projection(L, &r->projection[k]);
        lua_rawseti(L, -2, k + 1);
    }
    return 1;
}

static int push_number(lua_State *L, double x)
{
    lua_pushnumber(L, x);
    return 1;
}

static int report_bits(lua_State *L) { return push_number(L, report_of(L)->bits); }
static int report_step(lua_State *L) { return push_number(L, report_of(L)->step_ms); }
static int report_synapses(lua_State *L) { return push_number(L, (double)report_of(L)->n_synapses); }
static int report_pruned(lua_State *L) { return push_number(L, (double)report_of(L)->pruned); }
static int report_saturated(lua_State *L) { return push_number(L, (double)report_of(L)->saturated); }
static int report_zeroed(lua_State *L) { return push_number(L, (double)report_of(L)->zeroed); }
static int report_delays(lua_State *L) { return push_number(L, (double)report_of(L)->delays_changed); }
static int report_memory(lua_State *L) { return push_number(L, report_of(L)->memory_bits / 8); }

/* ---- net:quantize(chip, options) ------------------------------------------------------------------------------ */

static hw_quantise_options read_options(lua_State *L, int index)
{
    static const char *const keys[] = { "bits", "step", "prune", "prune_below", "measure", "shared_tau", "freeze", "netx" };
    const char              *what = "net:quantize";
    script_keys(L, index, what, keys, COUNT(keys));
    return (hw_quantise_options){
        .bits = (int)fmin(fmax((double)option_integer(L, index, what, "bits", 8), -1), 99),
        .step_ms = option_number(L, index, what, "step", 0),
        .prune = option_number(L, index, what, "prune", 0),
        .prune_below = option_number(L, index, what, "prune_below", 0),
        .measure_ms = option_number(L, index, what, "measure", 0),
        .shared_tau = option_boolean(L, index, what, "shared_tau", false),
        .freeze = option_boolean(L, index, what, "freeze", false),
        .netx = option_boolean(L, index, what, "netx", false),
    };
}

/* Colours of figures and shapes stay the same. */
static void inherit(script_net *from, script_net *to)
{
    for (int id = 1; id <= rv_population_count(to->net); id++) {
        const script_population *old = script_population_of(from, (rv_population){ id });
        script_population       *new = script_population_of(to, (rv_population){ id });
        if (old && new) new->inhibitory = old->inhibitory, new->outgoing = old->outgoing, new->shape = old->shape;
    }
}

int network_quantize(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 3);
    script_defining(L, net, "net:quantize");
    hw_quantise_options options = read_options(L, 3);
    options.chip = lua_isnil(L, 2) ? "loihi2" : script_text(L, 2, "net:quantize: the chip (first argument)");
    if (options.bits == 0) script_fail(L, "net:quantize: bits = 0, allowed 1 to 9"); /* in C it is the standard */
    rv_error       error = { 0 };
    script_net    *made = script_net_new(L);
    script_report *report = lua_newuserdatauv(L, sizeof *report, 1);
    *report = (script_report){ .net = made };
    luaL_setmetatable(L, TYPE_REPORT);
    lua_pushvalue(L, -2);
    lua_setiuservalue(L, -2, 1);
    luaL_checkstack(L, 32, NULL); /* functions of distance may be called */
    net->L = L;
    rv_status status = hw_quantise(net->net, &options, &made->net, &report->report, &error);
    script_rethrow(L, net);
    if (status != RV_OK) script_fail(L, "%s", error.text);
    lua_insert(L, -2);
    script_net_adopt(L, made);
    inherit(net, made);
    lua_insert(L, -2);
    return 2;
}

static rv_population find_population(lua_State *L, script_net *net, int index, const char *what)
{
    const char   *name = script_text(L, index, what), *names[64];
    rv_population found = rv_population_find(net->net, name);
    int           n = 0;
    if (found.id) return found;
    for (; n < rv_population_count(net->net) && n < COUNT(names); n++) names[n] = rv_population_name(net->net, (rv_population){ n + 1 });
    const char *near = rv_suggest(name, names, n);
    script_fail(L, near ? "net:find: no population \"%s\"; did you mean \"%s\"?" : "net:find: no population \"%s\"", name, near);
}

static bool is_between(const rv_net *net, int id, rv_population source, rv_population target)
{
    return rv_projection_source(net, (rv_projection){ id }).id == source.id && rv_projection_target(net, (rv_projection){ id }).id == target.id;
}

/* All projections between two populations, in the order in which they were made. */
static int find_projections(lua_State *L, script_net *net, rv_population source, rv_population target)
{
    int n = 0, all = rv_projection_count(net->net);
    for (int id = 1; id <= all; id++) n += is_between(net->net, id, source, target);
    if (n == 0) script_fail(L, "net:find: no projection \"%s\" -> \"%s\"", rv_population_name(net->net, source), rv_population_name(net->net, target));
    script_group *group = script_group_new(L, TYPE_PROJECTION, 1, n);
    for (int id = all; id >= 1; id--)
        if (is_between(net->net, id, source, target)) group->ids[--n] = id;
    return 1;
}

/* net:find(name): a population; net:find(source, target): the projections from one to the other */
int network_find(lua_State *L)
{
    script_net   *net = script_self(L, TYPE_NETWORK);
    rv_population found = find_population(L, net, 2, "net:find: the name");
    if (!lua_isnoneornil(L, 3)) return find_projections(L, net, found, find_population(L, net, 3, "net:find: the name of the target"));
    script_push_slice(L, net, rv_all(found));
    return 1;
}

/* ---- net:map(chip, options) ----------------------------------------------------------------------------------- */

typedef struct script_placement {
    script_net  *net;
    hw_placement of;
} script_placement;

static script_placement *placement_of(lua_State *L) { return script_self(L, TYPE_PLACEMENT); }
static const hw_map     *map_of(lua_State *L) { return placement_of(L)->of.map; }

static int placement_free(lua_State *L)
{
    hw_placement_free(&((script_placement *)lua_touserdata(L, 1))->of);
    return 0;
}

/* -> the placement, and the network that was mapped if neurons had to be split */
int network_map(lua_State *L)
{
    static const char *const keys[] = { "chips", "seed", "rate", "bits" };
    const char              *what = "net:map";
    script_net              *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 3);
    script_defining(L, net, what);
    script_keys(L, 3, what, keys, COUNT(keys));
    hw_map_options   options = { .seed = (uint64_t)option_integer(L, 3, what, "seed", 0), .chips = (int)option_integer(L, 3, what, "chips", 0) };
    hw_graph_options reading = { .rate = option_number(L, 3, what, "rate", 0), .weight_bits = (int)option_integer(L, 3, what, "bits", 0) };
    hw_chip          chip;
    rv_error         error = { 0 };
    const char      *name = lua_isnil(L, 2) ? "loihi2" : script_text(L, 2, "net:map: the chip (first argument)");
    if (hw_chip_open(name, &chip, &error) != RV_OK) script_fail(L, "%s: %s", what, error.text);
    script_placement *p = lua_newuserdatauv(L, sizeof *p, 1);
    *p = (script_placement){ .net = net };
    luaL_setmetatable(L, TYPE_PLACEMENT);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_checkstack(L, 32, NULL);
    net->L = L;
    rv_status status = hw_place(&chip, net->net, &reading, &options, &p->of, &error);
    script_rethrow(L, net);
    if (status != RV_OK) script_fail(L, "%s: %s", what, error.text);
    if (!p->of.net) return 1;
    script_net *made = script_net_new(L);
    made->net = p->of.net, p->of.net = NULL;
    script_net_adopt(L, made);
    inherit(net, made);
    return 2;
}

static int placement_report(lua_State *L)
{
    const hw_map *map = map_of(L);
    int           most = (int)fmin(script_number_or(L, 2, "placement:report: how many cores", 20), 1e6);
    char        **text = new_text(L);
    return push_text(L, hw_map_report(map, most, text), text);
}

static int placement_svg(lua_State *L)
{
    const hw_map *map = map_of(L);
    const char   *path = script_path(L, 2, "placement:svg: the file", " .svg ");
    rv_error      error = { 0 };
    if (hw_floorplan_write(map, path, &error) != RV_OK) script_fail(L, "placement:svg: %s", error.text);
    return 0;
}

static hw_cost cost_of(const hw_map *map)
{
    hw_cost cost;
    if (hw_cost_estimate(map, &cost) != RV_OK) cost = (hw_cost){ .energy = NAN, .time = NAN };
    return cost;
}

/* What is not published for a chip is nil. */
static int push_known(lua_State *L, double x)
{
    if (isnan(x)) lua_pushnil(L);
    else lua_pushnumber(L, x);
    return 1;
}

static int placement_cores(lua_State *L) { return push_number(L, map_of(L)->n_cores); }
static int placement_chips(lua_State *L) { return push_number(L, map_of(L)->n_chips); }
static int placement_messages(lua_State *L) { return push_number(L, map_of(L)->messages); }
static int placement_hops(lua_State *L) { return push_number(L, map_of(L)->hops); }
static int placement_events(lua_State *L) { return push_number(L, map_of(L)->events); }
static int placement_energy(lua_State *L) { return push_known(L, cost_of(map_of(L)).energy); }
static int placement_time(lua_State *L) { return push_known(L, cost_of(map_of(L)).time); }

/* ---- net:export(format, path, options) ------------------------------------------------------------------------ */

/* How many steps were run with the spikes of every population recorded from the beginning; 0 if some were not. */
static int64_t recorded_steps(script_net *net)
{
    for (int id = 1; id <= rv_population_count(net->net); id++) {
        const script_population *p = script_population_of(net, (rv_population){ id });
        if (!p || p->record_start_ms != 0) return 0;
    }
    return (int64_t)rint(rv_time(net->net) / rv_resolution(net->net));
}

/* The shapes of the populations that have one. @return how many */
static int list_shapes(lua_State *L, script_net *net, const netx_shape **shapes)
{
    int         n = 0, all = rv_population_count(net->net);
    netx_shape *list = lua_newuserdatauv(L, ((size_t)all + 1) * sizeof *list, 0); /* Lua frees it */
    for (int id = 1; id <= all; id++) {
        const script_population *p = script_population_of(net, (rv_population){ id });
        if (p && p->shape.columns > 0) list[n++] = (netx_shape){ { id }, { p->shape.columns, p->shape.rows, p->shape.polarities }, true };
    }
    *shapes = list;
    return n;
}

/* -> whether it was verified, and what is to be said of it */
int network_export(lua_State *L)
{
    static const char *const keys[] = { "chip", "verify" };
    const char              *what = "net:export";
    script_net              *net = script_self(L, TYPE_NETWORK);
    const export_format     *format;
    rv_error                 error = { 0 };
    char                     note[EXPORT_NOTE];
    lua_settop(L, 4);
    script_defining(L, net, what);
    script_keys(L, 4, what, keys, COUNT(keys));
    if (export_format_find(script_text(L, 2, "net:export: the format (first argument)"), &format, &error) != RV_OK) script_fail(L, "%s: %s", what, error.text);
    const char *path = script_path(L, 3, "net:export: the file", " .net .h5 .hdf5 .yaml .nir .json .h "), *chip = option_text(L, 4, what, "chip", format->chip ? format->chip : "");
    int64_t     steps = option_boolean(L, 4, what, "verify", true) ? recorded_steps(net) : 0;
    const netx_shape *shapes;
    int               n_shapes = list_shapes(L, net, &shapes);
    if (export_write(format, net->net, chip, path, steps, shapes, n_shapes, note, &error) != RV_OK) script_fail(L, "%s: %s", what, error.text);
    lua_pushboolean(L, steps > 0);
    lua_pushstring(L, note);
    return 2;
}

/* ---- module --------------------------------------------------------------------------------------------------- */

void script_open_hw(lua_State *L)
{
    static const luaL_Reg report_methods[] = { { "__gc", report_free }, { "__tostring", report_text }, { NULL, NULL } };
    static const luaL_Reg report_fields[] = {
        { "text", report_text },         { "populations", report_populations }, { "projections", report_projections },
        { "bits", report_bits },         { "step", report_step },               { "synapses", report_synapses },
        { "pruned", report_pruned },     { "saturated", report_saturated },     { "zeroed", report_zeroed },
        { "memory", report_memory },     { "delays_changed", report_delays },   { NULL, NULL },
    };
    static const luaL_Reg placement_methods[] = { { "__gc", placement_free }, { "report", placement_report }, { "svg", placement_svg }, { NULL, NULL } };
    static const luaL_Reg placement_fields[] = {
        { "cores", placement_cores },   { "chips", placement_chips },   { "messages", placement_messages }, { "hops", placement_hops },
        { "events", placement_events }, { "energy", placement_energy }, { "time", placement_time },         { NULL, NULL },
    };
    luaL_newmetatable(L, TYPE_TEXT);
    lua_pushcfunction(L, free_text);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    script_type(L, TYPE_REPORT, report_methods, report_fields);
    script_type(L, TYPE_PLACEMENT, placement_methods, placement_fields);
}
