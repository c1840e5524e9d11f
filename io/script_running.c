/* net:run(), what happens while it runs (callbacks, progress bar, results files), and the summary after it.
 *
 * The engine calls back on the thread that runs, between two steps. A function of the script that fails there ends
 * the run: its error waits until rv_run() has returned, and is then raised from net:run() with its own file and
 * line. */
#include "io/script_internal.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/clock.h"
#include "sim/net.h"

/* ---- progress ------------------------------------------------------------------------------------------------- */

static void draw_bar(script_net *net, double now_ms)
{
    double span = net->run_end_ms - net->run_begin_ms, done = (now_ms - net->run_begin_ms) / span;
    double wall = clock_seconds() - net->wall_begin;
    if (!(span > 0) || !(done > 0)) return;
    int  filled = (int)(20 * done + 0.5);
    char bar[21];
    for (int i = 0; i < 20; i++) bar[i] = i < filled ? '=' : ' ';
    bar[20] = 0;
    fprintf(stderr, "\r[%s] %.0f of %.0f ms, real-time factor %.3g, %.0f s left \033[K", bar, now_ms, net->run_end_ms,
            wall / (1e-3 * span * done), wall * (1 - done) / done);
    fflush(stderr);
    net->owner->bar = true;
}

void script_bar_erase(script *s)
{
    if (!s->bar) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    s->bar = false;
}

/* Every tenth of a second of wall time, and at the end of each run. Also catches an interruption that came just
 * before the run began, when there was nothing to stop yet. */
static rv_status on_wall_clock(rv_net *rv, double t_ms, void *user)
{
    script_net *net = user;
    script     *s = net->owner;
    if (s->leaving) return rv_fail(rv, RV_STOPPED, "stopped");
    bool visible = !s->options.quiet && isatty(STDERR_FILENO);
    if (visible && t_ms < net->run_end_ms && clock_seconds() - net->wall_begin > 0.3) draw_bar(net, t_ms);
    return RV_OK;
}

/* ---- results files -------------------------------------------------------------------------------------------- */

int script_unwritable(const char *path)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    return access(access(path, F_OK) == 0 ? path : dirname(copy), W_OK) == 0 ? 0 : errno;
}

static void add_output(lua_State *L, script_net *net, const char *path)
{
    script_output *output = calloc(1, sizeof *output);
    if (output) output->path = strdup(path);
    if (!output || !output->path) {
        free(output);
        script_fail(L, "net:output: no memory left");
    }
    output->next = net->outputs, net->outputs = output;
}

static bool is_inhibitory(void *user, rv_population population) { return script_is_inhibitory(user, population); }

/* Of a sheet of pixels: more than two layers are no camera. */
static results_shape shape_of(void *user, rv_population population)
{
    const script_population *p = script_population_of(user, population);
    return p && p->shape.polarities <= 2 ? p->shape : (results_shape){ 0 };
}

static rv_status open_outputs(script_net *net)
{
    script                  *s = net->owner;
    char                     labels[SCRIPT_MOST_KNOBS * 65];
    const results_provenance made_by = { .command_line = s->options.command_line,
                                         .script_path = s->options.path,
                                         .script_text = s->text,
                                         .knobs = labels,
                                         .inhibitory = is_inhibitory,
                                         .shape = shape_of,
                                         .touches = net->n_knobs > 0 || s->options.show || s->options.replay ? script_touches : NULL,
                                         .from_now = net->loaded,
                                         .user = net };
    script_knob_labels(net, labels, sizeof labels);
    for (script_output *output = net->outputs; output; output = output->next) {
        rv_status status =
            output->writer ? RV_OK : results_writer_open(net->net, output->path, &made_by, &output->writer);
        if (status != RV_OK) return status;
    }
    return RV_OK;
}

/* net:output(path): a results file, begun at the next run */
int network_output(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    const char *path = script_path(L, 2, "net:output: the file", " .h5 .hdf5 ");
    int         why = script_unwritable(path); /* asked before hours of simulation, not after */
    if (why) script_fail(L, "net:output: cannot write \"%s\": %s", path, strerror(why));
    add_output(L, net, path);
    if (rv_time(net->net) > 0 && !net->running) script_check(L, net, open_outputs(net));
    return 0;
}

rv_status script_outputs_close(script_net *net)
{
    script   *s = net->owner;
    rv_status first = RV_OK;
    while (net->outputs) {
        script_output *output = net->outputs;
        rv_status      status = results_writer_close(output->writer);
        if (status != RV_OK && first == RV_OK) {
            first = status;
            if (!s->message[0]) snprintf(s->message, sizeof s->message, "ranvier: %s", rv_net_error(net->net)->text);
            s->exit_status = 1;
        }
        net->outputs = output->next;
        free(output->path);
        free(output);
    }
    return first;
}

/* A lone network stays alive for the summary, several do not. A second one would need a second file: --out is the
 * first's. The network is on top of the stack. */
void script_net_begin(lua_State *L, script_net *net)
{
    script *s = net->owner;
    rv_profile_enable(net->net, s->options.profile);
    script_check(L, net, rv_on_wall_clock(net->net, 0.1, on_wall_clock, net));
    s->n_nets++;
    if (s->n_nets == 1) lua_pushvalue(L, -1), s->summary_net = luaL_ref(L, LUA_REGISTRYINDEX);
    if (s->n_nets == 2) luaL_unref(L, LUA_REGISTRYINDEX, s->summary_net);
    if (!s->options.out) return;
    if (s->out_used && s->n_nets == 2 && !s->options.quiet)
        fprintf(stderr, "ranvier: the script makes several networks; %s has the first one\n", s->options.out);
    if (!s->out_used) add_output(L, net, s->options.out);
    s->out_used = true;
}

/* ---- running -------------------------------------------------------------------------------------------------- */

/* Compiles before the files are begun, so that a network that is refused leaves an old file be. */
static rv_status run_whole(script_net *net, double duration_ms)
{
    rv_status status = rv_compile(net->net);
    if (status == RV_OK) status = open_outputs(net);
    net->run_begin_ms = rv_time(net->net), net->run_end_ms = net->run_begin_ms + duration_ms;
    if (status == RV_OK) status = script_live_begin(net);
    if (status == RV_OK) status = script_keeper_begin(net);
    net->wall_begin = clock_seconds();
    if (status == RV_OK) status = rv_run(net->net, duration_ms);
    script_links_end_run(net);
    return status;
}

bool script_taken_shape(const script *s, rv_population population, int64_t sides[3])
{
    const script_population *p = script_population_of(s->taken, population);
    if (!p || p->shape.columns == 0) return false;
    sides[0] = p->shape.columns, sides[1] = p->shape.rows, sides[2] = p->shape.polarities;
    return true;
}

/* Whoever takes the network may have it compiled, which calls functions of distance. */
static void give_away(lua_State *L, script_net *net)
{
    script *s = net->owner;
    net->L = L, s->taken = net;
    s->options.take(net->net, s->options.take_user);
    script_rethrow(L, net);
    script_leave(L, SCRIPT_EXITING);
}

/* net:run(ms) -> true, or false if net:stop() ended it early */
int network_run(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    script     *s = net->owner;
    script_defining(L, net, "net:run");
    double duration_ms = script_number(L, 2, "net:run: the duration (ms)");
    lua_settop(L, 1);
    luaL_checkstack(L, 32, NULL); /* for the callbacks */
    if (s->options.take) give_away(L, net);
    rv_net *outer = s->running;   /* a callback of one network may run another */
    net->L = L, net->running = true, s->running = net->net;
    rv_status status = run_whole(net, duration_ms);
    s->running = outer, net->running = false, net->L = NULL;
    script_bar_erase(s);
    script_rethrow(L, net);
    if (status != RV_STOPPED) script_check(L, net, status);
    lua_pushboolean(L, status == RV_OK);
    return 1;
}

/* ---- callbacks ------------------------------------------------------------------------------------------------ */

static rv_status on_time(rv_net *rv, double t_ms, void *user)
{
    script_callback *callback = user;
    script_net      *net = callback->net;
    lua_State       *L = net->L;
    if (net->owner->leaving) return rv_fail(rv, RV_STOPPED, "stopped");
    script_push_anchor(L, net, callback->function);
    lua_pushnumber(L, t_ms);
    return script_callback_call(L, net, 1, 0);
}

static rv_status on_spike(rv_net *rv, rv_population population, int64_t neuron, double t_ms, void *user)
{
    script_callback *callback = user;
    script_net      *net = callback->net;
    lua_State       *L = net->L;
    (void)population;
    if (net->owner->leaving) return rv_fail(rv, RV_STOPPED, "stopped");
    script_push_anchor(L, net, callback->function);
    lua_pushinteger(L, neuron + 1);
    lua_pushnumber(L, t_ms);
    return script_callback_call(L, net, 2, 0);
}

static script_callback *read_function(lua_State *L, script_net *net, int index, const char *what)
{
    if (!lua_isfunction(L, index)) script_fail(L, "%s is %s; a function is needed", what, script_describe(L, index));
    return script_callback_new(L, net, index);
}

/* net:at(t, f): f(t) at time t */
int network_at(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    double      t_ms = script_number(L, 2, "net:at: the time (ms)");
    script_check(L, net, rv_at(net->net, t_ms, on_time, read_function(L, net, 3, "net:at: the second argument")));
    return 0;
}

/* net:every(dt, f): f(t) at every multiple of dt */
int network_every(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    double      dt_ms = script_number(L, 2, "net:every: the interval (ms)");
    script_check(L, net,
                 rv_every(net->net, dt_ms, on_time, read_function(L, net, 3, "net:every: the second argument")));
    return 0;
}

/* population:on_spike(f): f(neuron, t) for every spike */
int population_on_spike(lua_State *L)
{
    script_slice *p = script_self(L, TYPE_POPULATION);
    if (p->slice.count != rv_population_size(p->net->net, p->slice.population))
        script_fail(L, "%s: on_spike listens to whole populations", luaL_tolstring(L, 1, NULL));
    script_callback *callback = read_function(L, p->net, 2, "population:on_spike: the argument");
    script_check(L, p->net, rv_on_spike(p->net->net, p->slice.population, on_spike, callback));
    return 0;
}

void script_functions(const script_net *net, char *text, size_t size)
{
    const rv_net *rv = net->net;
    size_t        n = 0;
    text[0] = 0;
    for (int k = 0; k < rv->n_timers && n < size; k++)
        if (rv->timer[k].f == on_time)
            n += (size_t)snprintf(text + n, size - n, "%snet:%s(%.10g)", n ? ", " : "", rv->timer[k].interval ? "every" : "at",
                                  (double)(rv->timer[k].interval ? rv->timer[k].interval : rv->timer[k].next) * rv_resolution(rv));
    for (int k = 0; k < rv->n_spike_listeners && n < size; k++)
        if (rv->spike_listener[k].f == on_spike)
            n += (size_t)snprintf(text + n, size - n, "%s%s:on_spike", n ? ", " : "", rv_population_name(rv, (rv_population){ rv->spike_listener[k].population + 1 }));
    for (int k = 0; k < net->n_knobs && n < size; k++) n += (size_t)snprintf(text + n, size - n, "%snet:knob(\"%s\")", n ? ", " : "", net->knobs[k].label);
    if (net->links && n < size) snprintf(text + n, size - n, "%snet:listen or net:send", n ? ", " : "");
}

/* ---- profile and summary -------------------------------------------------------------------------------------- */

typedef struct profile_line {
    const char *name, *meaning;
    size_t      offset;
} profile_line;

#define LINE(field, meaning)                                                                                           \
    {                                                                                                                  \
#field, meaning, offsetof(rv_profile, field)                                                                   \
    }
static const profile_line stages[] = {
    LINE(deliver_seconds, "delivering spikes"),
    LINE(advance_seconds, "advancing neurons"),
    LINE(input_seconds, "drawing inputs"),
    LINE(exchange_seconds, "exchanging spikes"),
    LINE(record_seconds, "recording"),
    LINE(compile_seconds, "making synapses, compiling"),
    LINE(run_seconds, "running"),
};
enum { N_RUN_STAGES = 5 }; /* the first ones are parts of the run */
static const profile_line counts[] = {
    LINE(spikes, "spikes"),
    LINE(synaptic_events, "synaptic events"),
    LINE(neuron_updates, "neuron updates"),
    LINE(n_neurons, "neurons"),
    LINE(n_synapses, "synapses"),
    LINE(bytes_synapses, "bytes of synapses"),
    LINE(bytes_states, "bytes of states"),
    LINE(bytes_queue, "bytes of the event queue"),
};

/* net:profile() -> a table with the fields of rv_profile */
int network_profile(lua_State *L)
{
    rv_profile profile = rv_profile_get(((script_net *)script_self(L, TYPE_NETWORK))->net);
    lua_newtable(L);
    for (int i = 0; i < COUNT(stages); i++) {
        lua_pushnumber(L, *(double *)((char *)&profile + stages[i].offset));
        lua_setfield(L, -2, stages[i].name);
    }
    for (int i = 0; i < COUNT(counts); i++) {
        lua_pushinteger(L, *(int64_t *)((char *)&profile + counts[i].offset));
        lua_setfield(L, -2, counts[i].name);
    }
    lua_pushnumber(L, profile.simulated_ms);
    lua_setfield(L, -2, "simulated_ms");
    return 1;
}

static void print_profile(const rv_net *net)
{
    rv_profile profile = rv_profile_get(net);
    for (int i = 0; i < COUNT(stages); i++) {
        double seconds = *(double *)((char *)&profile + stages[i].offset);
        printf("  %-28s %10.3f s", stages[i].meaning, seconds);
        if (i < N_RUN_STAGES && profile.run_seconds > 0) printf("  %5.1f %%", 100 * seconds / profile.run_seconds);
        putchar('\n');
    }
    for (int i = 0; i < COUNT(counts); i++)
        printf("  %-28s %10lld\n", counts[i].meaning, (long long)*(int64_t *)((char *)&profile + counts[i].offset));
}

static void print_populations(script_net *net)
{
    for (int id = 1; id <= rv_population_count(net->net); id++) {
        rv_population population = { id };
        const char   *name = rv_population_name(net->net, population);
        int64_t       size = rv_population_size(net->net, population), n = rv_spike_count(net->net, population);
        double        start = script_population_of(net, population)->record_start_ms;
        double        duration_ms = rv_time(net->net) - start;
        if (!rv_spikes_recorded(net->net, population))
            printf("  %-12s %8lld neuron%s, spikes not recorded\n", name, (long long)size, size == 1 ? "" : "s");
        else
            printf("  %-12s %8lld neuron%s %12lld spikes %10.2f Hz\n", name, (long long)size, size == 1 ? " " : "s",
                   (long long)n, duration_ms > 0 ? 1e3 * (double)n / (double)size / duration_ms : 0.0);
    }
}

void script_add_times(rv_profile *sum, const rv_net *net)
{
    rv_profile profile = rv_profile_get(net);
    sum->simulated_ms += rv_time(net);
    sum->run_seconds += profile.run_seconds;
    sum->compile_seconds += profile.compile_seconds;
}

void script_summary(script *s)
{
    rv_profile sum = s->gone;
    for (script_net *net = s->nets; net; net = net->next) script_add_times(&sum, net->net);
    if (s->options.quiet || sum.simulated_ms == 0) return;
    if (s->n_nets > 1) printf("%d networks, ", s->n_nets);
    printf("%.10g ms simulated in %.3g s (real-time factor %.3g), built in %.3g s\n", sum.simulated_ms, sum.run_seconds,
           1e3 * sum.run_seconds / sum.simulated_ms, sum.compile_seconds);
    if (s->n_nets == 1 && s->nets) print_populations(s->nets), script_links_print(s->nets);
    if (s->options.profile)
        for (script_net *net = s->nets; net; net = net->next) print_profile(net->net);
}
