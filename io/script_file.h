/* Running a network that a file describes completely (.net, .nir): with or without a window beside it, with a results file,
 * stopped by a signal. A format's verb gives a body that reads the file, plays the input and calls script_file_simulate(). */
#ifndef RV_IO_SCRIPT_FILE_H
#define RV_IO_SCRIPT_FILE_H

#include "io/script_command.h"

typedef struct script_file script_file;

/** What name=value may say to a format: a text or a number, in 0..highest. */
typedef struct script_file_word {
    const char  *name;
    const char **text;   /* result, stays as it is if not given; NULL: a number   */
    double      *number; /* result                                                */
    double       highest;
    bool         whole;  /* no fractions                                          */
} script_file_word;

/** Reads the arguments of a file. @param kind "a netx network" @return false after printing a sentence */
bool script_file_words(const script_options *options, const char *kind, const script_file_word *words, int n);

/** The definition that the command line asks for. */
rv_net_def script_file_def(const script_options *options);

/** Runs body(file, user), in a thread of its own where a window is asked for. The body returns the exit status.
 *  @return the exit status */
int script_file_run(const command *c, const script_options *options, bool live, int (*body)(script_file *file, void *user), void *user);

/** For the body: runs the network, whose probes are set, for end_ms, with everything that the command line asked for; then
 *  prints a sentence unless all went well. The window goes on showing the network until it is closed. @return the exit status */
int script_file_simulate(script_file *file, rv_net *net, double end_ms);

/** record=V_m,I_syn: states of all neurons at every step. @param list NULL: none */
rv_status script_file_record(rv_net *net, rv_population population, const char *list);

#endif
