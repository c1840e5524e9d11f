/* ranvier stats and plot: the verbs that read a results file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/results.h"
#include "io/script_command.h"
#include "sim/statistics.h"
#include "viz/figure.h"

enum { MOST_TRACES = 10, LABEL = 240 };
static const double bin_ms = 2, window_ms = 100; /* of correlation and synchrony; of the Fano factor */

static double attribute_number(const results *r, const char *name, double standard)
{
    const char *text = results_attribute(r, name);
    return text ? atof(text) : standard;
}

/* How long the recording is: what the file says, else up to its last spike. */
static double duration_ms(const results *r)
{
    double end = attribute_number(r, "simulated_ms", 0);
    for (int i = 0; i < results_spikes_count(r) && end == 0; i++) {
        const results_spikes *spikes = results_spikes_at(r, i);
        if (spikes->n) end = fmax(end, spikes->times_ms[spikes->n - 1]);
    }
    return end;
}

/* ---- stats ---------------------------------------------------------------------------------------------------- */

static void print_hash(const results *r)
{
    uint64_t hash = 0;
    for (int i = 0; i < results_spikes_count(r); i++) {
        const results_spikes *spikes = results_spikes_at(r, i);
        hash += rv_spike_hash(spikes->name, spikes->times_ms, spikes->neurons, spikes->n);
    }
    printf("%016" PRIx64 "\n", hash);
}

static bool print_statistics(const results_spikes *spikes, double from_ms, double to_ms)
{
    rv_trains trains;
    if (rv_trains_new(spikes->times_ms, spikes->neurons, spikes->n, spikes->size, from_ms, to_ms, &trains) != RV_OK)
        return false;
    printf("%-14s %9" PRId64 " %12" PRId64, spikes->name, spikes->size, trains.begin[trains.n_neurons]);
    command_print(rv_mean_rate(&trains), 11, "%.3f");
    command_print(rv_mean_isi_cv(&trains), 8, "%.3f");
    command_print(rv_fano_factor(&trains, window_ms), 8, "%.3f");
    command_print(rv_mean_correlation(&trains, bin_ms), 12, "%.4f");
    command_print(rv_synchrony(&trains, bin_ms), 10, "%.4f");
    putchar('\n');
    rv_trains_free(&trains);
    return true;
}

int command_stats(const command *c)
{
    bool                 hash = false;
    const char          *path[1], *from = NULL, *to = NULL;
    const command_option options[] = {
        { "--hash", NULL, "print only one hash of all spikes", NULL, &hash },
        { "--from", "MS", "leave out spikes up to this time", &from, NULL },
        { "--to", "MS", "leave out spikes after this time", &to, NULL },
    };
    const command_usage usage = {
        "stats",
        "FILE.h5 [options]",
        "Prints per population: rate, CV of the inter-spike intervals, Fano factor (100 ms), and\n"
        "mean correlation of all pairs and synchrony (2 ms).",
        options,
        3,
        1,
        1
    };
    int n, status = command_read(c, &usage, path, &n);
    if (status >= 0) return status;
    double from_ms = 0, to_ms = NAN;
    if (!command_number("--from", from, -1e15, 1e15, &from_ms) || !command_number("--to", to, -1e15, 1e15, &to_ms))
        return 2;
    results *r = command_results(path[0]);
    if (!r) return 1;
    if (isnan(to_ms)) to_ms = duration_ms(r);
    if (hash) print_hash(r);
    else
        printf("%-14s %9s %12s %11s %8s %8s %12s %10s\n", "population", "neurons", "spikes", "rate (Hz)", "CV", "Fano",
               "correlation", "synchrony");
    status = 0;
    for (int i = 0; i < results_spikes_count(r) && !hash; i++)
        if (!print_statistics(results_spikes_at(r, i), from_ms, to_ms))
            status = command_fail(1, "\"%s\": population \"%s\" has spikes out of order, or needs too much memory",
                                  path[0], results_spikes_at(r, i)->name);
    results_free(r);
    return status;
}

/* ---- plot ----------------------------------------------------------------------------------------------------- */

static int take_spikes(const results *r, figure_spikes *spikes)
{
    int n = results_spikes_count(r);
    for (int i = 0; i < n; i++) {
        const results_spikes *s = results_spikes_at(r, i);
        spikes[i] = (figure_spikes){ s->name, s->size, s->inhibitory, s->n, s->times_ms, s->neurons };
    }
    return n;
}

/* A column of a report as a trace; the arrays are the caller's to free. */
static bool take_column(const results_report *report, int64_t column, figure_trace *trace)
{
    double *times = malloc(((size_t)report->n_times + 1) * 2 * sizeof *times), *values = times + report->n_times;
    if (!times) return false;
    for (int64_t k = 0; k < report->n_times; k++) {
        times[k] = report->start_ms + (double)k * report->interval_ms;
        values[k] = report->values[k * report->n_columns + column];
    }
    *trace = (figure_trace){ .label = report->variable,
                             .unit = report->unit,
                             .n = report->n_times,
                             .times_ms = times,
                             .values = values,
                             .threshold = NAN };
    return true;
}

static int take_traces(const results *r, figure_trace *traces, char (*labels)[LABEL])
{
    int n = 0;
    for (int i = 0; i < results_report_count(r); i++) {
        const results_report *report = results_report_at(r, i);
        for (int64_t column = 0; report->kind == RV_PROBE_STATE && column < report->n_columns && n < MOST_TRACES;
             column++)
            if (take_column(report, column, &traces[n])) {
                snprintf(labels[n], LABEL, "%s of %s %" PRId64, report->variable, report->population,
                         report->columns[column] + 1); /* numbered as in scripts */
                traces[n].label = labels[n];
                n++;
            }
    }
    return n;
}

static int draw(const results *r, figure *f, const char *path, const char *out)
{
    figure_spikes *spikes = calloc((size_t)results_spikes_count(r) + 1, sizeof *spikes);
    figure_trace   traces[MOST_TRACES];
    char           labels[MOST_TRACES][LABEL];
    rv_error       error = { 0 };
    if (!spikes) return command_fail(1, "no memory left");
    f->spikes = spikes, f->n_spikes = take_spikes(r, spikes);
    f->traces = traces, f->n_traces = take_traces(r, traces, labels);
    if (f->from_ms != 0 && f->to_ms == 0) f->to_ms = duration_ms(r);
    int status = 0;
    if (f->n_spikes == 0 && f->n_traces == 0)
        status = command_fail(1, "\"%s\" holds neither spikes nor samples to draw", path);
    else if (figure_save(f, out, &error) != RV_OK) status = command_fail(1, "%s", error.text);
    for (int i = 0; i < f->n_traces; i++) free((double *)traces[i].times_ms);
    free(spikes);
    return status;
}

int command_plot(const command *c)
{
    const char          *path[1], *out = NULL, *from = NULL, *to = NULL, *bin = NULL, *panels = NULL, *title = NULL;
    const command_option options[] = {
        { "-o", "FIG", "the figure: a file ending in .png, .svg or .pdf", &out, NULL },
        { "--from", "MS", "where the time axis begins", &from, NULL },
        { "--to", "MS", "where it ends", &to, NULL },
        { "--panels", "LIST", "some of raster,rate,traces,isi,rates", &panels, NULL },
        { "--bin", "MS", "of the rate", &bin, NULL },
        { "--title", "TEXT", "above the figure", &title, NULL },
    };
    const command_usage usage = {
        "plot", "FILE.h5 -o FIG [options]", "Draws a figure of a results file, without a window.", options, 6, 1, 1
    };
    int n, status = command_read(c, &usage, path, &n);
    if (status >= 0) return status;
    figure f = { .title = title };
    if (!out) return command_fail(2, "plot needs the figure's name: ranvier plot %s -o FIG.png", path[0]);
    if (!command_number("--from", from, -1e15, 1e15, &f.from_ms) || !command_number("--to", to, -1e15, 1e15, &f.to_ms))
        return 2;
    if (!command_number("--bin", bin, 1e-9, 1e15, &f.bin_ms) || !command_panels(panels, &f.panels)) return 2;
    results *r = command_results(path[0]);
    if (!r) return 1;
    status = draw(r, &f, path[0], out);
    results_free(r);
    return status;
}
