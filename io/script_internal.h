/* What the files of the script share: its state, its objects, its errors.
 *
 * Lua leaves a function that fails by longjmp. So nothing here holds memory across a call that can raise: buffers
 * are Lua userdata on the stack, which the collector frees, or they are freed before the error is raised. */
#ifndef RV_IO_SCRIPT_INTERNAL_H
#define RV_IO_SCRIPT_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>

#include "io/results.h"
#include "io/script.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- state ---------------------------------------------------------------------------------------------------- */

enum { SCRIPT_GOING, SCRIPT_INTERRUPTED, SCRIPT_EXITING }; /* script.leaving */

/** A results file of a network: begun at its first run, so that a script that fails before leaves an old file be. */
typedef struct script_output {
    char                 *path;
    results_writer       *writer; /* NULL before the first run */
    struct script_output *next;
} script_output;

/** What the script knows of a population beyond the engine. */
typedef struct script_population {
    double record_start_ms; /* when its spikes began to be recorded; NAN: they are not          */
    int    inhibitory;      /* the script's word: 1 yes, 0 no, -1 none                          */
    double outgoing;        /* sum of the signs of its projections' weights                     */
    results_shape shape;    /* of a sheet of pixels, or of a layer: then polarities are channels */
} script_population;

/** A slider the script declared, and the function it calls. */
typedef struct script_knob {
    char   label[64];
    double low, high, value;
    int    function; /* anchor */
} script_knob;

enum { SCRIPT_MOST_KNOBS = 32 };

typedef struct script_link script_link; /* script_link.c */

/** A network of the script: the userdata behind `net`. Its user value is the table of its anchors: functions and
 *  structs the engine points to, alive as long as the network. */
typedef struct script_net {
    rv_net            *net;
    script            *owner;
    lua_State         *L;       /* the Lua thread that runs it, for callbacks; valid while running  */
    bool               running; /* inside net:run()                                                 */
    bool               drawing; /* inside a function of distance, while the engine makes synapses   */
    bool               failed;  /* a callback raised an error, kept in the anchors until run() ends */
    script_output     *outputs;
    script_population *populations; /* [n_populations], by id - 1                                       */
    int                n_populations;
    double             run_begin_ms, run_end_ms, wall_begin; /* of the run in progress                  */
    script_knob        knobs[SCRIPT_MOST_KNOBS];
    int                n_knobs;
    results_touch     *touches; /* [n_touches] what the user did so far                                 */
    int64_t            n_touches, touches_room;
    bool               begun;   /* its first run has begun                                              */
    bool               loaded;  /* from a checkpoint: results files begin there                         */
    struct script_keeper *keeper; /* writes checkpoints while it runs; NULL: nobody does                  */
    script_link       *links;   /* to the world outside                                                 */
    double             pace;    /* how much faster than the clock, 0: as fast as it can                 */
    double             pace_wall, pace_ms, pace_behind; /* seconds, ms, seconds: where both were in step; the most it was behind */
    int64_t            pace_stalls;
    struct script_net *next;
} script_net;

struct script {
    lua_State            *L;
    script_options        options;
    char                 *text; /* as read from the file */
    size_t                text_length;
    char                 *directory; /* of the script, resolved: where require looks */
    volatile sig_atomic_t leaving;
    rv_net *volatile running; /* what an interruption stops */
    int64_t     memory_used, memory_limit;
    char        memory_position[128]; /* of the line that asked for too much */
    char        message[1024];
    int         exit_status;
    int         n_checks, n_failed_checks;
    script_net *nets;                       /* alive, newest first */
    int         n_nets, summary_net;        /* summary_net: reference that keeps a lone network until the summary */
    rv_profile  gone;                       /* of the networks already gone: times only */
    bool        out_used, kept; /* --out and --checkpoint-every have their network */
    struct live *live;   /* the watched network, the first one that ran; NULL: none                            */
    script_net  *live_net;
    script_net  *taken;  /* while options.take has it */
    struct film *film;
    results     *replay;
    bool        bar; /* a progress bar is on the terminal */
};

script *script_of(lua_State *L);

/* ---- errors --------------------------------------------------------------------------------------------------- */

/** Raises an error: "file:line: sentence", of the innermost line of Lua. Never returns. */
int script_fail(lua_State *L, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/** Raises what the engine said unless status is RV_OK. */
void script_check(lua_State *L, script_net *net, rv_status status);

/** Raises the error that cannot be caught, once the script is interrupted or exits. */
int script_leave(lua_State *L, int leaving) __attribute__((noreturn));

/** Pushes "file:line: " of the innermost line of Lua, or an empty string. */
void script_where(lua_State *L);

/** Message handler for lua_pcall(): makes a sentence with file and line of whatever was thrown. */
int script_handler(lua_State *L);

/** Describes the value at index for an error message: `the string "x"`, `nil`, `population "E"`; pushes it. */
const char *script_describe(lua_State *L, int index);

/* ---- objects (script_objects.c) ------------------------------------------------------------------------------- */

#define TYPE_NETWORK "ranvier.network"
#define TYPE_POPULATION "ranvier.population"
#define TYPE_PROJECTION "ranvier.projection"
#define TYPE_INPUT "ranvier.input"
#define TYPE_PROBE "ranvier.probe"
#define TYPE_VALUE "ranvier.value"

/** A population or some of its neurons. Its user value is the network. */
typedef struct script_slice {
    script_net *net;
    rv_slice    slice; /* count is never -1 */
} script_slice;

/** One or several projections, inputs or probes made by one call. Its user value is the network. */
typedef struct script_group {
    script_net *net;
    int         n;
    int32_t     ids[]; /* [n] */
} script_group;

/** Makes a type known: methods are called object:name(...), fields are functions read as object.name. A field
 *  named "[]" answers integer keys; "__len", "__gc", "__tostring" among the methods go to the metatable. */
void script_type(lua_State *L, const char *type, const luaL_Reg *methods, const luaL_Reg *fields);

/** The object a method was called on (argument 1). Says "write object:method()" if it is something else. */
void *script_self(lua_State *L, const char *type);

/** Pushes a new group with room for n ids, belonging to the network at stack index `net_index`. */
script_group *script_group_new(lua_State *L, const char *type, int net_index, int n);

/** Pushes a network without what is behind it, net->net; when that is there, script_net_adopt() takes it up. In between
 *  it is the caller's to free. The network is on top of the stack in both. */
script_net *script_net_new(lua_State *L);
void        script_net_adopt(lua_State *L, script_net *net);

/** Makes the network on top of the stack known under its address, with an empty table of anchors. */
void script_register_net(lua_State *L, script_net *net);

void script_push_slice(lua_State *L, script_net *net, rv_slice slice);

void script_push_anchor(lua_State *L, script_net *net, int anchor);

/** A Lua function the engine calls. */
typedef struct script_callback {
    script_net *net;
    int         function; /* anchor */
} script_callback;
script_callback *script_callback_new(lua_State *L, script_net *net, int function_index);

/** Calls the function that was pushed below its n arguments. An error ends the run: it is kept for net:run(). */
rv_status script_callback_call(lua_State *L, script_net *net, int n_arguments, int n_results);

/** Raises the error a callback left behind, if there is one. */
void script_rethrow(lua_State *L, script_net *net);

/** Reads a population, a slice, or a list of them; pushes one value that owns the result. @return [n] */
rv_slice *script_slices(lua_State *L, script_net *net, int index, const char *what, int *n);

/* ---- values and options (script_values.c) --------------------------------------------------------------------- */

/** Text without zero bytes inside; `what` names it in the error. */
const char *script_text(lua_State *L, int index, const char *what);
double      script_number(lua_State *L, int index, const char *what);
int64_t     script_integer(lua_State *L, int index, const char *what, int64_t low, int64_t high);
double      script_number_or(lua_State *L, int index, const char *what, double standard);
bool        script_boolean(lua_State *L, int index, const char *what);

/** A path a script may write: text with one of the endings, " .h5 .hdf5 " for example. */
const char *script_path(lua_State *L, int index, const char *what, const char *endings);

/** Refuses keys of the table at index (nil is allowed) that are not among those given, with a suggestion. */
void script_keys(lua_State *L, int index, const char *what, const char *const *keys, int n);

/** Reads one key of a table (or nil); `what` and the key name it in errors. */
double      option_number(lua_State *L, int index, const char *what, const char *key, double standard);
int64_t     option_integer(lua_State *L, int index, const char *what, const char *key, int64_t standard);
bool        option_boolean(lua_State *L, int index, const char *what, const char *key, bool standard);
const char *option_text(lua_State *L, int index, const char *what, const char *key, const char *standard);

/** The place of text in a list of words; raises "timing is "x", allowed are ..." if it is not there. */
int script_word(lua_State *L, const char *text, const char *what, const char *const *words, int n);

/** Reads a list of numbers; pushes the userdata that owns it. @return [n] */
double *script_list(lua_State *L, int index, const char *what, int64_t *n);

/** Pushes a list of numbers. */
void script_push_list(lua_State *L, const double *x, int64_t n);

/** Reads a number, a list, a distribution or, where net is not NULL, a function of distance. Pushes one value that
 *  owns what the result borrows. */
rv_value script_value(lua_State *L, script_net *net, int index, const char *what);

/** Pushes the string keys of the table at index as a sorted list, so that no result depends on Lua's hash seed.
 *  @return their number */
int script_sorted_keys(lua_State *L, int index, const char *what);

/** The mean of what a value draws, for the sign of a weight; 0 if unknown. */
double script_value_mean(const rv_value *value);

/* ---- parts of the library, one function per file that adds its names ------------------------------------------ */

void script_open_sandbox(lua_State *L); /* script_sandbox.c: the globals                       */
void script_seed_random(lua_State *L, uint64_t seed);
void script_open_module(lua_State *L); /* script_module.c: pushes what require "ranvier" returns */
void script_open_values(lua_State *L); /* the others add to the module on top of the stack    */
void script_open_network(lua_State *L);
void script_open_population(lua_State *L);
void script_open_groups(lua_State *L);
void script_open_figures(lua_State *L);
void script_open_hw(lua_State *L);
void script_open_files(lua_State *L);
void script_open_link(lua_State *L);
void script_arguments(lua_State *L); /* adds rv.arg                                         */
void script_warn_unused(script *s);  /* arguments nobody asked for                          */

int network_run(lua_State *L); /* script_running.c */
int network_knob(lua_State *L); /* script_live.c    */
int network_at(lua_State *L);
int network_every(lua_State *L);
int network_output(lua_State *L);
int network_save(lua_State *L);        /* script_checkpoint.c */
int network_profile(lua_State *L);
int network_plot(lua_State *L);        /* script_figures.c */
int network_listen(lua_State *L);      /* script_link.c */
int network_send(lua_State *L);
int network_pace(lua_State *L);
int network_hash(lua_State *L);        /* script_population.c */
int network_find(lua_State *L);        /* script_hw.c */
int network_quantize(lua_State *L);
int network_map(lua_State *L);
int network_export(lua_State *L);
int network_connect(lua_State *L);     /* script_connect.c */
void script_compile(lua_State *L, script_group *projections); /* script_groups.c; may call functions of distance */
int projection_normalise(lua_State *L); /* script_structure.c */
int projection_scale(lua_State *L);
int projection_rewire(lua_State *L);
int projection_rewired(lua_State *L);
int projection_learn_delays(lua_State *L);
int population_on_spike(lua_State *L); /* script_running.c */
int population_set(lua_State *L);      /* script_network.c */

/** What is known of a population beyond the engine; grows as populations come. NULL without memory. */
script_population *script_population_of(script_net *net, rv_population population);
bool               script_is_inhibitory(script_net *net, rv_population population);

/** Refuses a call that changes the definition from inside a callback. */
void script_defining(lua_State *L, script_net *net, const char *call);

/* ---- checkpoints (script_checkpoint.c) ------------------------------------------------------------------------ */

void script_open_checkpoint(lua_State *L);

/** Before each run: lets the first network be saved at the intervals that the command line asks for. */
rv_status script_keeper_begin(script_net *net);
void      script_keeper_free(script_net *net);

/* ---- the live view, and what users do through it (script_live.c) ----------------------------------------------- */

/** Before each run of a network: the first one opens the view and sets up what is replayed. */
rv_status script_live_begin(script_net *net);

/** All a user did to the network so far, and the labels of its knobs, one a line. */
const results_touch *script_touches(void *net, int64_t *n);
void                 script_knob_labels(const script_net *net, char *text, size_t room);

/** Before a network is freed, and before the script is. */
void script_live_forget(script_net *net);
void script_live_free(script *s);

/* ---- links to the world outside (script_link.c) ---------------------------------------------------------------- */

void script_links_print(const script_net *net);
void script_links_end_run(script_net *net);
void script_links_free(script_net *net);

/* ---- running (script_running.c) ------------------------------------------------------------------------------- */

void   script_bar_erase(script *s);
/** Why the file cannot be written (errno), 0 if it can: it need not exist, but its folder must. */
int script_unwritable(const char *path);

/** The functions of the script that the network calls, as a list for people; they are not in checkpoints. Empty: none. */
void script_functions(const script_net *net, char *text, size_t size);

/** Adds the times of a network's runs to a sum. */
void script_add_times(rv_profile *sum, const rv_net *net);

/** Closes the results files of a network. @return the first failure; the sentence goes to the script's message */
rv_status script_outputs_close(script_net *net);
/** What a new network needs: wall clock, profile, --out. It is on top of the stack. */
void script_net_begin(lua_State *L, script_net *net);
void script_summary(script *s);

#endif
