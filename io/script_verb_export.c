/* ranvier export FILE --format NAME -o OUT: the network in a chip's integers as a file for the chip's tools, proved by its spikes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/script_command.h"
#include "io/script_export.h"

enum { VERIFY_STEPS = 100 }; /* if no time is given for rates */

typedef struct export_line {
    const char          *name, *out, *chip;
    bool                 no_verify;
    const export_format *format;
} export_line;

/* Without a run for the rates there is one to compare with. */
static rv_status run_for_comparison(rv_net *net)
{
    rv_status status = RV_OK;
    for (int id = 1; id <= rv_population_count(net) && status == RV_OK; id++) status = rv_record_spikes(net, (rv_population){ id });
    return status == RV_OK ? rv_run(net, VERIFY_STEPS * rv_resolution(net)) : status;
}

static int write_out(command_chip *line, rv_net *net, void *user)
{
    const export_line *e = user;
    char               note[EXPORT_NOTE];
    rv_error           error = { 0 };
    if (!e->no_verify && rv_time(net) == 0 && run_for_comparison(net) != RV_OK) return command_fail(1, "%s", rv_net_error(net)->text);
    int64_t steps = e->no_verify ? 0 : (int64_t)rint(rv_time(net) / rv_resolution(net));
    if (export_write(e->format, net, e->chip, e->out, steps, line->shapes, line->n_shapes, note, &error) != RV_OK) return command_fail(1, "%s", error.text);
    if (!line->quiet) printf("%s\n", note);
    return 0;
}

static int list_formats(void)
{
    for (int k = 0; export_format_at(k); k++) printf("  %-9s %-14s %s\n", export_format_at(k)->name, export_format_at(k)->ending, export_format_at(k)->meaning);
    return 0;
}

static int read_line(const command *c, command_chip *line, export_line *e, const char **words, int *n)
{
    bool           formats = false;
    command_option options[COMMAND_CHIP_OPTIONS + 4] = {
        { "--format", "NAME", "what to write, see --formats", &e->name, NULL },
        { "-o", "FILE", "where to", &e->out, NULL },
        { "--no-verify", NULL, "do not read the file back and compare its spikes", NULL, &e->no_verify },
        { "--formats", NULL, "list the formats", NULL, &formats },
    };
    command_chip_options(line, options + 4);
    const command_usage usage = { "export", "FILE --format NAME -o OUT [name=value ...] [options]",
                                  "Writes a network for a chip's tools. FILE is as for ranvier map. The file is read back and run, and must give the same spikes.", options,
                                  COMMAND_CHIP_OPTIONS + 4, 0, COMMAND_MOST_ARGUMENTS };
    rv_error error = { 0 };
    int      status = command_read(c, &usage, words, n);
    if (status >= 0) return status;
    if (formats) return list_formats();
    if (*n == 0 || !e->name || !e->out) return command_fail(2, "export needs more: ranvier export %s", usage.arguments);
    if (export_format_find(e->name, &e->format, &error) != RV_OK) return command_fail(2, "%s", error.text);
    return -1;
}

/* SANA-FE knows the costs of Loihi 1, and its neuron is the one of Lava, which is Loihi 2's here. */
static void choose_chip(export_line *e, command_chip *line)
{
    e->chip = line->chip ? line->chip : e->format->chip;
    if (strcmp(e->format->name, "sanafe") == 0) line->chip = "loihi2";
    line->as_given = e->format->given;
    line->quantise.netx = strcmp(e->format->name, "netx") == 0;
}

int command_export(const command *c)
{
    const char   *words[COMMAND_MOST_ARGUMENTS];
    command_chip *line = calloc(1, sizeof *line);
    export_line   e = { 0 };
    int           n;
    if (!line) return command_fail(1, "no memory left");
    line->use = write_out, line->user = &e;
    int status = read_line(c, line, &e, words, &n);
    if (status < 0) {
        choose_chip(&e, line);
        status = command_chip_run(c, line, words, n);
    }
    free(line);
    return status;
}
