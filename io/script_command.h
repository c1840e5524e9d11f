/* The verbs of the command `ranvier`: each prints what it has to say and returns the exit status: 0, 1 for a user's
 * error, 2 for a wrong command line, 130 if interrupted. */
#ifndef RV_IO_SCRIPT_COMMAND_H
#define RV_IO_SCRIPT_COMMAND_H

#include "io/script.h"

typedef struct command {
    int    argc; /* of what follows the verb */
    char **argv;
    void (*watch)(void (*stop)(void *what), void *what); /* told what runs, so that a signal can stop it; NULL: nothing
                                                            runs any more. `stop` touches only flags */
} command;

int command_run(const command *c);
int command_view(const command *c);
int command_run_netx(const command *c, const script_options *options, bool live); /* a lava-dl network; script_verb_netx.c */
int command_plot(const command *c);
int command_stats(const command *c);
int command_compare(const command *c);
int command_info(const command *c);
int command_models(const command *c);

/* ---- for the verbs: reading the command line (script_options.c) ----------------------------------------------- */

/** One option, given as --name value, --name=value, or --name alone. */
typedef struct command_option {
    const char  *name;  /* "--out", "-o"                          */
    const char  *value; /* what --help calls its value; NULL: none */
    const char  *meaning;
    const char **text; /* result; stays as it is if not given    */
    bool        *flag; /* result, where there is no value        */
} command_option;

/** What a verb takes. */
typedef struct command_usage {
    const char           *verb, *arguments, *summary;
    const command_option *options; /* [n_options] */
    int                   n_options;
    int                   least, most; /* arguments that are no options */
} command_usage;

/** Reads the command line. @param arguments [usage->most] result, n_arguments of them
 *  @return -1 to go on, or the exit status: 0 after --help, 2 after a sentence about what is wrong */
int command_read(const command *c, const command_usage *usage, const char **arguments, int *n_arguments);

/** The number an option was given, in low..high. @return false after printing a sentence; true if text is NULL */
bool command_number(const char *option, const char *text, double low, double high, double *number);

/** Prints "ranvier: sentence" to stderr. @return status */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints `ranvier: no KIND "name"` with a suggestion or the list of names. @return 2 */
int command_unknown(const char *kind, const char *name, const char *const *names, int n);

/** Which panels a comma-separated list names. @return false after printing a sentence */
bool command_panels(const char *list, unsigned *panels);

#endif
