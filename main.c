/* ranvier: one verb, one call. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io/script_command.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static const struct verb {
    const char *name, *arguments, *meaning;
    int (*call)(const command *);
} verbs[] = {
    { "run", "FILE.lua [name=value ...]", "run a script, or go on with a checkpoint", command_run },
    { "view", "FILE.h5 [--follow]", "the window on a recording, also one still being written", command_view },
    { "plot", "FILE.h5 -o FIG.png", "draw a figure of a results file (.png, .svg, .pdf)", command_plot },
    { "stats", "FILE.h5", "rates, CV, correlations per population", command_stats },
    { "compare", "A.h5 B.h5 [-o FIG.png]", "two recordings: distances, coincident spikes, where they part", command_compare },
    { "info", "FILE", "what is in a file: results, checkpoints, spikes, networks, mappings", command_info },
    { "convert", "IN OUT", "spikes or a network into another format, by the endings", command_convert },
    { "map", "FILE.lua --chip loihi2", "quantise a network for a chip and place it on cores, with a report", command_map },
    { "export", "FILE --format netx -o FILE", "write a network for a chip's tools, and prove it by its spikes", command_export },
    { "chips", "[NAME]", "the chips a network can be mapped to; the numbers of one", command_chips },
    { "models", "[NAME]", "models, rules and inputs; equations and parameters of one", command_models },
};

/* ---- interruption --------------------------------------------------------------------------------------------- */

/* Globals, as few things are (another is the list of plug-ins, sim/plugin.c): a signal handler gets nothing else. */
static void (*volatile interrupt)(void *what);
static void *volatile running;
static volatile sig_atomic_t interrupted;

/* The first signal ends the run and saves its results, a second one quits at once. */
static void on_signal(int signal)
{
    (void)signal;
    if (interrupted++) _exit(130);
    if (running) interrupt(running);
    else _exit(130);
}

static void watch(void (*stop)(void *what), void *what)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    interrupt = stop, running = what;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- verbs ---------------------------------------------------------------------------------------------------- */

static const struct verb *find_verb(const char *name)
{
    const char *names[COUNT(verbs) + 1] = { [COUNT(verbs)] = "help" };
    for (int i = 0; i < COUNT(verbs); i++) {
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
        names[i] = verbs[i].name;
    }
    command_unknown(name[0] == '-' ? "option" : "verb", name, names, COUNT(names));
    return NULL;
}

static int print_help(void)
{
    puts("Ranvier simulates spiking neural networks.\n");
    for (int i = 0; i < COUNT(verbs); i++)
        printf("  ranvier %-7s %-26s %s\n", verbs[i].name, verbs[i].arguments, verbs[i].meaning);
    puts("\n  ranvier help VERB                   the options of a verb\n  ranvier --version");
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    command     c = { argc - 2, argv + 2, watch };
    char       *help[] = { "--help" };
    if (argc < 2) return print_help(), 2;
    if (strcmp(name, "--version") == 0) return puts("ranvier " RV_VERSION), 0;
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || (strcmp(name, "help") == 0 && argc == 2))
        return print_help();
    if (strcmp(name, "help") == 0) name = argv[2], c = (command){ 1, help, watch };
    const struct verb *verb = find_verb(name);
    return verb ? verb->call(&c) : 2;
}
