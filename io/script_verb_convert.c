/* ranvier convert IN OUT: between formats, of spikes or of networks. What IN is, is told from its content; what OUT is to be, from
 * its ending. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/aer.h"
#include "io/results.h"
#include "io/script_command.h"
#include "io/script_export.h"
#include "sim/error.h"

typedef struct converting {
    const command *command;
    const char    *in, *out, *population, *shape;
    bool           quiet;
} converting;

/* ---- what there is ---------------------------------------------------------------------------------------------- */

/* Networks: what ranvier export writes, a line each, and what it reads. */
static const char *const networks[][2] = { { ".net", "netx" }, { ".nir", "nir" }, { ".yaml", "sanafe" }, { ".h", "header" } };
static const char *const sources[] = { ".lua", ".net", ".nir" };

static const struct {
    const char *ending;
    aer_format  format;
} cameras[] = { { ".aedat", AER_AEDAT_3 }, { ".aedat4", AER_AEDAT_4_ZSTD }, { ".es", AER_EVENT_STREAM }, { ".bin", AER_N_MNIST } };

static const char spikes_to[] = ".h5, .npz, .csv, .txt, .dat and .gdf, and those of a sheet of pixels also .aedat, .aedat4, .es and .bin";
static const char networks_to[] = ".net (netx), .nir, .yaml (SANA-FE) and .h (C header)";

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

static bool is_network(const char *path)
{
    for (int k = 0; k < COUNT(sources); k++)
        if (command_ends_with(path, sources[k])) return true;
    return false;
}

/* ---- networks --------------------------------------------------------------------------------------------------- */

static int convert_network(const converting *c)
{
    char *words[8], **w = words;
    for (int k = 0; k < COUNT(networks); k++) {
        if (!command_ends_with(c->out, networks[k][0])) continue;
        *w++ = (char *)c->in, *w++ = "--format", *w++ = (char *)networks[k][1], *w++ = "-o", *w++ = (char *)c->out;
        if (c->quiet) *w++ = "--quiet";
        return command_export(&(command){ (int)(w - words), words, c->command->watch });
    }
    return command_fail(1, "\"%s\" is a network, which cannot become \"%s\"; networks go to %s", c->in, c->out, networks_to);
}

/* ---- spikes ----------------------------------------------------------------------------------------------------- */

/* @return 0, or the exit status after a sentence */
static int read_shape(const converting *c, const results_spikes *s, results_shape *shape)
{
    char rest;
    *shape = s->shape;
    if (!c->shape && shape->columns > 0) return 0;
    if (!c->shape) return command_fail(1, "population \"%s\" is no sheet of pixels; --shape COLUMNSxROWS says what it is", s->name);
    if (sscanf(c->shape, "%dx%d%c", &shape->columns, &shape->rows, &rest) != 2 || shape->columns < 1 || shape->rows < 1 || shape->columns > 32767 || shape->rows > 32767)
        return command_fail(2, "--shape is \"%s\"; COLUMNSxROWS, each 1 to 32767, is needed", c->shape);
    int64_t pixels = (int64_t)shape->columns * shape->rows;
    shape->polarities = s->size > pixels ? 2 : 1;
    if (s->size <= 2 * pixels) return 0;
    return command_fail(1, "population \"%s\" has %" PRId64 " neurons, %dx%d pixels are at most %" PRId64, s->name, s->size, shape->columns, shape->rows, 2 * pixels);
}

/* The spikes of a sheet of pixels as a camera's events. @return false without memory */
static bool take_events(const results_spikes *s, const results_shape *shape, aer_events *e)
{
    *e = (aer_events){ .width = shape->columns, .height = shape->rows, .n = s->n };
    size_t n = (size_t)s->n + 1;
    e->t_us = malloc(n * sizeof *e->t_us), e->x = malloc(n * sizeof *e->x), e->y = malloc(n * sizeof *e->y), e->polarity = malloc(n);
    if (!e->t_us || !e->x || !e->y || !e->polarity) return false;
    for (int64_t k = 0; k < s->n; k++) {
        int64_t pixel = s->neurons[k] % ((int64_t)shape->columns * shape->rows);
        e->t_us[k] = llround(1000 * s->times_ms[k]);
        e->x[k] = (uint16_t)(pixel % shape->columns), e->y[k] = (uint16_t)(pixel / shape->columns);
        e->polarity[k] = s->neurons[k] == pixel; /* ON first */
    }
    e->begin_us = s->n ? e->t_us[0] : 0;
    return true;
}

static int write_events(const converting *c, const results *r, aer_format format)
{
    results_shape shape;
    aer_events    e = { 0 };
    rv_error      error = { 0 };
    if (results_spikes_count(r) != 1) return command_fail(1, "\"%s\" has %d populations, a recording is of one camera; --population NAME chooses it", c->in, results_spikes_count(r));
    const results_spikes *s = results_spikes_at(r, 0);
    int exit_status = read_shape(c, s, &shape);
    if (exit_status) return exit_status;
    rv_status status = s->n > 0 && fabs(s->times_ms[s->n - 1]) > 1e14 ? error_set(&error, RV_OUT_OF_RANGE, "a recording cannot have times of %g ms", s->times_ms[s->n - 1])
                       : take_events(s, &shape, &e) ? aer_write(c->out, format, &e, &error) : error_set(&error, RV_OUT_OF_MEMORY, "no memory left");
    free(e.t_us), free(e.x), free(e.y), free(e.polarity);
    return status == RV_OK ? 0 : command_fail(1, "%s", error.text);
}

static int write_spikes(const converting *c, const results *r)
{
    rv_error error = { 0 };
    for (int k = 0; k < COUNT(cameras); k++)
        if (command_ends_with(c->out, cameras[k].ending)) return write_events(c, r, cameras[k].format);
    for (int k = 0; k < COUNT(networks); k++)
        if (command_ends_with(c->out, networks[k][0])) return command_fail(1, "\"%s\" holds spikes, which cannot become a network; they go to %s", c->in, spikes_to);
    if (results_write(r, c->out, &error) == RV_OK) return 0;
    return error.status == RV_UNKNOWN_NAME ? command_fail(1, "\"%s\" is no format that is written; spikes go to %s", c->out, spikes_to) : command_fail(1, "%s", error.text);
}

static void print_what(const converting *c, const results *r)
{
    const char *detected = results_attribute(r, "recording"), *warning = results_attribute(r, "warning");
    int64_t     n = 0;
    for (int i = 0; i < results_spikes_count(r); i++) n += results_spikes_at(r, i)->n;
    if (detected) printf("\"%s\": %s\n", c->in, detected);
    if (warning) printf("\"%s\": %s\n", c->in, warning);
    printf("\"%s\": %" PRId64 " spikes of %d population%s", c->out, n, results_spikes_count(r), results_spikes_count(r) == 1 ? "" : "s");
    if (results_report_count(r)) printf("; %d report%s left behind", results_report_count(r), results_report_count(r) == 1 ? "" : "s");
    putchar('\n');
}

static int convert_spikes(const converting *c)
{
    rv_error error = { 0 };
    results *r = command_results(c->in);
    if (!r) return 1;
    int status = results_spikes_count(r) ? 0 : command_fail(1, "\"%s\" holds no spikes", c->in);
    if (!status && c->population && results_select(r, c->population, &error) != RV_OK) status = command_fail(1, "%s", error.text);
    if (!status) status = write_spikes(c, r);
    if (!status && !c->quiet) print_what(c, r);
    results_free(r);
    return status;
}

int command_convert(const command *c)
{
    converting           line = { .command = c };
    const char          *words[2];
    const command_option options[] = {
        { "--population", "NAME", "of the spikes, only those of this one", &line.population, NULL },
        { "--shape", "CxR", "for recordings of cameras: columns and rows of a population that is no sheet of pixels", &line.shape, NULL },
        { "--quiet", NULL, "print errors only", NULL, &line.quiet },
    };
    const command_usage usage = { "convert", "IN OUT [options]",
                                  "Writes what IN holds in the format that the ending of OUT names.\n"
                                  "Spikes: from results and SONATA (.h5), .npz, text, and recordings of event cameras, to .h5 .npz .csv .txt\n"
                                  ".dat .gdf .aedat (3.1) .aedat4 .es .bin. Networks: from .lua, .nir and .net, to .net (netx), .nir, .yaml\n"
                                  "(SANA-FE) and .h, as ranvier export does, which has more to say.",
                                  options, COUNT(options), 2, 2 };
    int n, status = command_read(c, &usage, words, &n);
    if (status >= 0) return status;
    line.in = words[0], line.out = words[1];
    if (strcmp(line.in, line.out) == 0) return command_fail(2, "\"%s\" is both what is read and what is written", line.in);
    return is_network(line.in) ? convert_network(&line) : convert_spikes(&line);
}
