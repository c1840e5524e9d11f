/* Checkpoints in the script: net:save(path), rv.load(path), and those that the command line asks for while a network runs. */
#include "io/script_internal.h"
#include "io/script_window.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/checkpoint.h"
#include "sim/clock.h"

enum { FUNCTIONS_TEXT = 600 };

/* ---- what only the script knows ----------------------------------------------------------------------------------- */

/* NULL without memory. */
static checkpoint_note *notes_of(script_net *net)
{
    int              n = rv_population_count(net->net);
    checkpoint_note *notes = calloc((size_t)n + 1, sizeof *notes);
    for (int p = 0; p < n && notes; p++) {
        const script_population *known = script_population_of(net, (rv_population){ p + 1 });
        if (known) notes[p] = (checkpoint_note){ known->record_start_ms, known->inhibitory, known->outgoing, known->shape };
    }
    return notes;
}

static bool take_notes(script_net *net, const checkpoint_notes *notes)
{
    for (int p = 0; p < notes->n_populations; p++) {
        script_population     *known = script_population_of(net, (rv_population){ p + 1 });
        const checkpoint_note *note = &notes->population[p];
        if (!known) return false;
        known->record_start_ms = note->record_start_ms, known->inhibitory = note->inhibitory, known->outgoing = note->outgoing, known->shape = note->shape;
        if (rv_spikes_recorded(net->net, (rv_population){ p + 1 }) && isnan(known->record_start_ms)) known->record_start_ms = 0; /* saved by a C program */
    }
    return true;
}

static rv_status save(script_net *net, const char *path, const char *functions)
{
    script          *s = net->owner;
    checkpoint_notes notes = { .command_line = (char *)s->options.command_line, .script_path = (char *)s->options.path, .script = s->text,
                               .left_out = functions[0] ? (char *)functions : NULL, .population = notes_of(net), .n_populations = rv_population_count(net->net) };
    if (!notes.population) return rv_fail(net->net, RV_OUT_OF_MEMORY, "net:save: no memory left");
    rv_status status = checkpoint_save(net->net, path, &notes);
    free(notes.population);
    return status;
}

static void warn(const script_net *net, const char *path, const char *functions)
{
    if (!functions[0] || net->owner->options.quiet) return;
    script_bar_erase(net->owner);
    fprintf(stderr, "ranvier: \"%s\" holds the network, but not functions of the script: %s\n", path, functions);
}

/* ---- net:save(path), rv.load(path) -------------------------------------------------------------------------------- */

/* net:save(path): the network as it is now; between runs, and in what net:at, net:every and on_spike call. Making synapses may
 * call functions of distance. */
int network_save(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    const char *path = script_path(L, 2, "net:save: the file", " .h5 .hdf5 ");
    char        functions[FUNCTIONS_TEXT];
    luaL_checkstack(L, 32, NULL);
    if (!net->running) net->L = L;
    script_functions(net, functions, sizeof functions);
    rv_status status = save(net, path, functions);
    script_rethrow(L, net);
    script_check(L, net, status);
    warn(net, path, functions);
    lua_settop(L, 1);
    return 1;
}

/* rv.load(path[, {threads =}]): a network that goes on where net:save() was called */
static int load_network(lua_State *L)
{
    static const char *const keys[] = { "threads" };
    script                  *s = script_of(L);
    const char              *path = script_text(L, 1, "rv.load: the file");
    lua_settop(L, 2);
    script_keys(L, 2, "rv.load", keys, COUNT(keys));
    int64_t threads = option_integer(L, 2, "rv.load", "threads", 0);
    if (threads > 256) script_fail(L, "rv.load: threads = %lld, allowed are 0 (all cores) to 256", (long long)threads);
    if (s->options.threads) threads = s->options.threads;
    if (threads == 0 && s->options.show) threads = window_stage_threads();
    script_net      *net = script_net_new(L);
    checkpoint_notes notes;
    rv_error         error = { 0 };
    if (checkpoint_load(path, (int)threads, &net->net, &notes, &error) != RV_OK) script_fail(L, "rv.load: %s", error.text);
    if (notes.left_out && !s->options.quiet)
        fprintf(stderr, "ranvier: \"%s\" goes on without functions of the script that saved it: %s\n", path, notes.left_out);
    net->loaded = true;
    bool taken = take_notes(net, &notes);
    checkpoint_notes_free(&notes);
    script_net_adopt(L, net);
    if (!taken) script_fail(L, "rv.load: no memory left");
    script_seed_random(L, rv_seed(net->net));
    return 1;
}

/* ---- while it runs ------------------------------------------------------------------------------------------------ */

/* Saves a network at intervals. */
typedef struct script_keeper {
    script_net *net;
    double      seconds, next; /* of the clock; 0: at simulated intervals */
    bool        warned;
    char        path[PATH_MAX];
} script_keeper;

/* A checkpoint that cannot be written does not end the run: the one before it is still there. */
static rv_status keep(rv_net *rv, double t_ms, void *user)
{
    script_keeper *k = user;
    char           functions[FUNCTIONS_TEXT];
    (void)rv, (void)t_ms;
    if (k->seconds > 0 && clock_seconds() < k->next) return RV_OK; /* the end of a run, not of an interval */
    script_functions(k->net, functions, sizeof functions);
    if (save(k->net, k->path, functions) != RV_OK) {
        script_bar_erase(k->net->owner);
        fprintf(stderr, "ranvier: no checkpoint at %.10g ms: %s\n", t_ms, rv_net_error(k->net->net)->text);
    } else if (!k->warned) warn(k->net, k->path, functions), k->warned = true;
    k->next = clock_seconds() + k->seconds;
    return RV_OK;
}

rv_status script_keeper_begin(script_net *net)
{
    const script_options *o = &net->owner->options;
    if ((o->keep_seconds == 0 && o->keep_ms == 0) || net->keeper || net->owner->kept) return RV_OK;
    script_keeper *k = net->keeper = calloc(1, sizeof *k);
    if (!k) return rv_fail(net->net, RV_OUT_OF_MEMORY, "no memory for checkpoints");
    net->owner->kept = true;
    k->net = net, k->seconds = o->keep_seconds, k->next = clock_seconds() + k->seconds;
    checkpoint_name(o->out ? o->out : o->path, k->path, sizeof k->path);
    return o->keep_ms > 0 ? rv_every(net->net, o->keep_ms, keep, k) : rv_on_wall_clock(net->net, k->seconds, keep, k);
}

void script_keeper_free(script_net *net)
{
    free(net->keeper);
    net->keeper = NULL;
}

/* ---- module ------------------------------------------------------------------------------------------------------- */

void script_open_checkpoint(lua_State *L)
{
    lua_pushcfunction(L, load_network);
    lua_setfield(L, -2, "load");
}
