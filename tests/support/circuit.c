#include "tests/support/circuit.h"

#include <math.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *circuit_shared(const char *path)
{
    const char *full = reference_text("../shared/reference/data/sonata/%s", path);
    return access(full, R_OK) == 0 ? full : NULL;
}

sonata_circuit circuit_run(const char *config, const char *more, sonata_options options)
{
    sonata_circuit c;
    rv_error       error = { 0 };
    const char    *paths[] = { config, more };
    options.output_dir = options.output_dir ? options.output_dir : folder_path("output");
    if (!options.threads) options.threads = 1;
    if (sonata_open(paths, more ? 2 : 1, &options, &c, &error) != RV_OK || sonata_build(&c, &error) != RV_OK || sonata_prepare_output(&c, &error) != RV_OK) fail_msg("%s: %s", config, error.text);
    if (rv_run(c.net, c.tstop) != RV_OK) fail_msg("%s: %s", config, rv_net_error(c.net)->text);
    if (sonata_write_output(&c, &error) != RV_OK) fail_msg("%s: %s", config, error.text);
    return c;
}

const char *circuit_refused(const char *config)
{
    static char    text[sizeof((rv_error){ 0 }.text)];
    sonata_circuit c;
    rv_error       error = { 0 };
    if (sonata_open(&config, 1, &(sonata_options){ .threads = 1 }, &c, &error) == RV_OK) sonata_build(&c, &error);
    snprintf(text, sizeof text, "%s", error.text);
    sonata_close(&c);
    return text;
}

results *circuit_spikes(const sonata_circuit *c)
{
    results *r;
    rv_error error = { 0 };
    char    *path = sonata_spikes_path(c);
    if (!path || results_read(path, &r, &error) != RV_OK) fail_msg("%s: %s", path ? path : "no spikes file", error.text);
    free(path);
    return r;
}

double circuit_sample(const char *file, const char *population, int64_t node, double ms)
{
    results *r;
    rv_error error = { 0 };
    double   value = NAN;
    if (results_read(folder_path("output/%s", file), &r, &error) != RV_OK) fail_msg("%s", error.text);
    for (int k = 0; k < results_report_count(r); k++) {
        const results_report *report = results_report_at(r, k);
        int64_t               row = llround((ms - report->start_ms) / report->interval_ms);
        if (strcmp(report->name, population) != 0 || row < 0 || row >= report->n_times) continue;
        for (int64_t column = 0; column < report->n_columns; column++)
            if (report->columns[column] == node) value = report->values[row * report->n_columns + column];
    }
    results_free(r);
    return value;
}

circuit_list circuit_read_list(const char *csv, const char *population, double until_ms)
{
    FILE        *file = fopen(csv, "r");
    char         line[256], name[64];
    circuit_list list = { 0 };
    if (!file) fail_msg("cannot read %s", csv);
    while (fgets(line, sizeof line, file)) {
        double    ms;
        long long node;
        if (sscanf(line, "%lf %63s %lld", &ms, name, &node) != 3 || strcmp(name, population) != 0 || ms > until_ms) continue;
        list.ms = realloc(list.ms, (size_t)(list.n + 1) * sizeof *list.ms), list.node = realloc(list.node, (size_t)(list.n + 1) * sizeof *list.node);
        list.ms[list.n] = ms, list.node[list.n++] = node;
    }
    fclose(file);
    return list;
}

void circuit_list_free(circuit_list *list)
{
    free(list->ms), free(list->node);
    *list = (circuit_list){ 0 };
}

/* The order of spikes that are equal to the tolerance. */
static int64_t find(const circuit_list *list, const bool *used, double ms, int64_t node, int64_t from, double tolerance)
{
    while (from > 0 && list->ms[from - 1] >= ms - tolerance) from--;
    for (int64_t k = from; k < list->n && list->ms[k] <= ms + tolerance; k++)
        if (!used[k] && list->node[k] == node && fabs(list->ms[k] - ms) <= tolerance) return k;
    return -1;
}

void circuit_compare(const results *r, const char *population, const circuit_list *expected, double until_ms, double tolerance_ms)
{
    int     found = 0;
    int64_t n = 0;
    bool   *used = calloc((size_t)expected->n + 1, sizeof *used);
    for (int k = 0; k < results_spikes_count(r); k++) {
        const results_spikes *s = results_spikes_at(r, k);
        if (strcmp(s->name, population) != 0) continue;
        for (found++; n < s->n && s->times_ms[n] <= until_ms + tolerance_ms; n++) {
            int64_t at = find(expected, used, s->times_ms[n], s->neurons[n], n < expected->n ? n : expected->n, tolerance_ms);
            if (at < 0) fail_msg("\"%s\": spike %lld, of node %lld at %.4f ms, is not expected", population, (long long)n, (long long)s->neurons[n], s->times_ms[n]);
            used[at] = true;
        }
    }
    free(used);
    assert_int_equal(found, 1);
    assert_int_equal(n, expected->n);
}
