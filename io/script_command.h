/* The verbs of the command `ranvier`: each prints what it has to say and returns the exit status: 0, 1 for a user's
 * error, 2 for a wrong command line, 130 if interrupted. */
#ifndef RV_IO_SCRIPT_COMMAND_H
#define RV_IO_SCRIPT_COMMAND_H

#include "hw/netx_write.h"
#include "hw/quantise.h"
#include "io/results.h"
#include "io/script.h"

typedef struct command {
    int    argc; /* of what follows the verb */
    char **argv;
    void (*watch)(void (*stop)(void *what), void *what); /* told what runs, so that a signal can stop it; NULL: nothing
                                                            runs any more. `stop` touches only flags */
} command;

int command_run(const command *c);
int command_view(const command *c);
int command_run_netx(const command *c, const script_options *options, bool live); /* a lava-dl network */
int command_run_nir(const command *c, const script_options *options, bool live);  /* a NIR graph       */
int command_run_sonata(const command *c, const script_options *options, const char *const *paths, int n_paths, bool live); /* script_verb_sonata.c */
bool command_is_sonata(const char *path);       /* a config */
int  command_info_sonata(const char *path);
bool command_is_sonata_file(const char *path);  /* nodes and edges */
int  command_info_sonata_file(const char *path);
int command_plot(const command *c);
int command_stats(const command *c);
int command_compare(const command *c);
int command_info(const command *c);
int command_convert(const command *c);
int command_models(const command *c);
int command_chips(const command *c);
int command_map(const command *c);
int command_export(const command *c);

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

/** Reads a seed. @return false after printing a sentence; true if text is NULL */
bool command_seed(const char *option, const char *text, uint64_t *seed);

/** Reads name=value. @param name room for the name @return false after printing a sentence */
enum { COMMAND_NAME = 64 };
bool command_argument(const char *text, char name[COMMAND_NAME], script_argument *argument);

bool command_ends_with(const char *path, const char *ending);
bool command_is_hdf5(const char *path);

/** Reads spikes and reports of any kind of file. @return NULL after printing what is wrong with it */
results *command_results(const char *path);

/** Prints "ranvier: sentence" to stderr. @return status */
int command_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Prints a number of a table, right-aligned behind a space; "-" if it is NAN. */
void command_print(double x, int width, const char *format);

/** Prints `ranvier: no KIND "name"` with a suggestion or the list of names. @return 2 */
int command_unknown(const char *kind, const char *name, const char *const *names, int n);

/* ---- for the verbs that take a network to a chip (script_chip.c) ---------------------------------------------- */

enum { COMMAND_CHIP_OPTIONS = 9, COMMAND_MOST_ARGUMENTS = 256 };

/** What their command line says of the network and the chip. */
typedef struct command_chip {
    const char         *path;
    const char         *chip, *bits, *step, *prune, *rates, *seed; /* as given          */
    bool                shared_tau, freeze, quiet;
    bool                as_given; /* the network is handed over as it is        */
    script_argument     arguments[COMMAND_MOST_ARGUMENTS];
    char                names[COMMAND_MOST_ARGUMENTS][COMMAND_NAME];
    int                 n_arguments;
    uint64_t            seed_number;
    hw_quantise_options quantise;
    netx_shape         *shapes; /* [n_shapes] of populations, as far as the file says them */
    int                 n_shapes;
    const script       *script; /* that has the network, while it runs */
    char               *report; /* of quantising, as text; NULL if the network was in integers already */

    /** Gets the network in integers, its spikes recorded for the time of --rates. @return the exit status */
    int (*use)(struct command_chip *line, rv_net *net, void *user);
    void *user;
    int   status;
    bool  taken;
} command_chip;

/** The options that all these verbs have. @param options result, [COMMAND_CHIP_OPTIONS] */
void command_chip_options(command_chip *line, command_option *options);

/** Reads words = FILE [name=value ...], gets the network of FILE (of a script: at its first net:run), quantises it unless it is in
 *  integers already, prints what that does, and hands it to use(). @return the exit status */
int command_chip_run(const command *c, command_chip *line, const char *const *words, int n);

/** Which panels a comma-separated list names. @return false after printing a sentence */
bool command_panels(const char *list, unsigned *panels);

#endif
