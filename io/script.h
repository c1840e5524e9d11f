/* Scripts: a network described and run in Lua (`ranvier run model.lua`).
 *
 * The script sees `require "ranvier"`, whose calls are those of sim/ranvier.h. It runs in a sandbox unless told
 * otherwise: no processes, no C modules, no files except those Ranvier's own calls write (.h5, .png, .svg, .pdf,
 * .csv) or read as spikes, no other machine, a seeded math.random, a limit on memory, and it can be interrupted at any time.
 *
 * This and the other io/script*.c are the roof of the house: they reach every room, and only main.c includes them. */
#ifndef RV_IO_SCRIPT_H
#define RV_IO_SCRIPT_H

#include "sim/ranvier.h"

typedef struct script script;
struct feed; /* viz/feed.h */

/** A `name=value` of the command line; the script reads it as rv.arg.name, as a number if it looks like one. */
typedef struct script_argument {
    const char *name, *text;
} script_argument;

/** How a script is run. Everything is borrowed until script_close(). */
typedef struct script_options {
    const char            *path; /* of the script, as error messages name it                          */
    const char            *text; /* [text_length] the script itself; NULL: read it from path          */
    size_t                 text_length;
    const script_argument *arguments; /* [n_arguments] */
    int                    n_arguments;
    const char            *command_line; /* kept in results files; may be NULL                                */
    const char            *out;          /* results file of the first network; NULL: none                     */
    const uint64_t        *seed;         /* these three override the script where they are not NULL or 0      */
    const rv_timing       *timing;
    int                    threads;
    double                 keep_seconds, keep_ms; /* a checkpoint of the first network at these intervals: of wall time, or
                                            simulated; 0: none                                                */
    bool                   quiet;        /* no progress bar, no summary, no warnings                          */
    bool                   unsafe;       /* the full Lua libraries, no limit on memory, all hosts             */
    bool                   network;      /* net:listen and net:send reach other machines                      */
    bool                   profile;      /* measure where the time goes, and print it in the summary          */
    int64_t                memory_limit; /* bytes the script may use; 0: 2 GiB                                */
    const char            *replay;       /* results file: what a user did to that run is done to this one     */
    const char            *frames;       /* folder for pictures of the live view; NULL: none                  */
    double                 frame_ms;     /* simulated time between two of them                                */
    bool                   paused;       /* the live view begins paused                                       */
    void                 (*show)(void *user, struct feed *f); /* told when the first network is about to run,
                                            so that another thread opens a window; NULL: not live             */
    void                  *show_user;

    /** Takes the network over at the script's first net:run(), which then runs nothing but ends the script; NULL: scripts run. */
    void (*take)(rv_net *net, void *user);
    void *take_user;
} script_options;

/** For options.take: the shape that the script gave a population of the network, columns, rows and channels. @return whether it did */
bool script_taken_shape(const script *s, rv_population population, int64_t sides[3]);

/** Prepares a script for running: reads its text, opens the libraries. @param s result, for script_close() even if
 *  refused, because it holds the message; NULL only when there is no memory at all */
rv_status script_open(const script_options *options, script **s);

/** Runs it to its end, an error, rv.exit() or an interruption; results files are complete and closed afterwards.
 *  @return RV_OK (also after rv.exit), RV_STOPPED if interrupted, or what went wrong, see script_message() */
rv_status script_run(script *s);

/** Where there is a window, waits until it is closed, with the network as the script left it. */
void script_linger(script *s);

/** Why script_open() or script_run() failed: one sentence, beginning with file and line if the script is at fault;
 *  after an interruption, what was saved. Empty if all went well. */
const char *script_message(const script *s);

/** What the process should exit with: that of rv.exit(), 1 after an error or a failed rv.check(), 130 if
 *  interrupted. */
int script_exit_status(const script *s);

/** Ends the script soon: the run in progress at the next exchange of spikes, Lua code at its next instruction. For
 *  signal handlers: touches only flags. @param s the script */
void script_interrupt(void *s);

/** NULL is allowed. */
void script_close(script *s);

#endif
