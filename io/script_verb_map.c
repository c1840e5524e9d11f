/* ranvier map FILE --chip NAME: what the network becomes in the chip's integers, which core every neuron goes to, what it costs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/floorplan.h"
#include "hw/split.h"
#include "io/script_command.h"

typedef struct map_line {
    const char *svg, *report, *cores;
    double      most_cores;
} map_line;

static int write_report(const map_line *m, const command_chip *line, const char *text)
{
    FILE *file = fopen(m->report, "w");
    if (!file) return command_fail(1, "cannot write \"%s\": %s", m->report, strerror(errno));
    fprintf(file, "%s\n%s", line->report ? line->report : "", text);
    return fclose(file) == 0 ? 0 : command_fail(1, "cannot write \"%s\": %s", m->report, strerror(errno));
}

static int show(const map_line *m, const command_chip *line, const hw_map *map)
{
    char    *text;
    rv_error error = { 0 };
    if (hw_map_report(map, (int)m->most_cores, &text) != RV_OK) return command_fail(1, "no memory left");
    if (!line->quiet) fputs(text, stdout), fflush(stdout);
    int status = m->report ? write_report(m, line, text) : 0;
    free(text);
    if (status == 0 && m->svg && hw_floorplan_write(map, m->svg, &error) != RV_OK) status = command_fail(1, "%s", error.text);
    return status;
}

static int place(command_chip *line, rv_net *net, void *user)
{
    hw_chip      chip;
    hw_placement p = { 0 };
    rv_error     error = { 0 };
    rv_status    status = hw_chip_open(line->quantise.chip, &chip, &error);
    if (status == RV_OK) status = hw_place(&chip, net, &(hw_graph_options){ .weight_bits = line->quantise.bits }, NULL, &p, &error);
    int exit_status = status == RV_OK ? show(user, line, p.map) : command_fail(1, "\"%s\": %s", line->path, error.text);
    hw_placement_free(&p);
    return exit_status;
}

static int read_line(const command *c, command_chip *line, map_line *m, const char **words, int *n)
{
    command_option options[COMMAND_CHIP_OPTIONS + 3] = {
        { "--svg", "FILE.svg", "the chip, its cores coloured by load", &m->svg, NULL },
        { "--report", "FILE", "the report as a file, too", &m->report, NULL },
        { "--cores", "N", "show so many cores, 20 if nothing is said", &m->cores, NULL },
    };
    command_chip_options(line, options + 3);
    const command_usage usage = { "map", "FILE [name=value ...] [options]",
                                  "Quantises a network for a chip and places it on cores: what it becomes, whether it fits, what it costs. FILE is a script (.lua), whose\n"
                                  "network is taken when it first runs, a lava-dl network (.net) or a NIR graph (.nir); these with input=FILE to measure rates, else they are estimated.",
                                  options, COMMAND_CHIP_OPTIONS + 3, 1, COMMAND_MOST_ARGUMENTS };
    int status = command_read(c, &usage, words, n);
    if (status >= 0) return status;
    return command_number("--cores", m->cores, 0, 1e6, &m->most_cores) ? -1 : 2;
}

int command_map(const command *c)
{
    const char   *words[COMMAND_MOST_ARGUMENTS];
    command_chip *line = calloc(1, sizeof *line);
    map_line      m = { .most_cores = 20 };
    int           n;
    if (!line) return command_fail(1, "no memory left");
    line->use = place, line->user = &m;
    int status = read_line(c, line, &m, words, &n);
    if (status < 0) status = command_chip_run(c, line, words, n);
    free(line);
    return status;
}
