#include "io/nir_run.h"

#include <stdio.h>
#include <string.h>

#include "io/nir_input.h"
#include "io/results.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

bool command_nir_words(const script_argument *arguments, int n, nir_line *line)
{
    static const char *const names[] = { "input", "record", "check", "discretisation", "reset", "spikes", "time", "dt", "sample" };
    const char **const       texts[] = { &line->input, &line->record, &line->check, &line->build.discretisation, &line->build.reset, &line->build.spikes };
    double *const            numbers[] = { &line->time, &line->dt, &line->sample };
    static const double      highest[] = { 1e15, 1e6, 1e9 };
    for (int i = 0; i < n; i++) {
        const char *text = arguments[i].text;
        int         k = 0;
        while (k < COUNT(names) && strcmp(names[k], arguments[i].name) != 0) k++;
        if (k == COUNT(names)) return command_unknown("argument of a NIR graph", arguments[i].name, names, COUNT(names)), false;
        if (k < COUNT(texts)) *texts[k] = text;
        else if (!command_number(names[k], text, 0, highest[k - COUNT(texts)], numbers[k - COUNT(texts)])) return false;
    }
    if (!line->check || strcmp(line->check, "off") == 0 || strcmp(line->check, "on") == 0) return true;
    return command_fail(2, "check is \"%s\", allowed are on and off", line->check), false;
}

/* ---- what is kept ------------------------------------------------------------------------------------------------ */

/* record=V_m,I_syn: states of all neurons at every step. */
static rv_status record_states(rv_net *net, rv_population population, const char *list)
{
    char name[32];
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1), at);
        rv_status status = rv_record_state(net, rv_all(population), name, 0, NULL);
        if (status != RV_OK) return status;
        at += length + (at[length] == ',');
    }
    return RV_OK;
}

/* Spikes of all that spikes, and V_m of what does not: it is what an Output gives. Populations with two names are recorded once. */
static rv_status record_all(nir_net *n, const char *states)
{
    rv_status status = RV_OK;
    for (int k = 0; k < n->n_parts && status == RV_OK; k++) {
        const nir_part *p = &n->part[k];
        if (p->role == NIR_IS_OUTPUT && p->spikes) continue;
        status = p->spikes ? rv_record_spikes(n->net, p->population) : p->role == NIR_IS_OUTPUT ? rv_record_state(n->net, rv_all(p->population), "V_m", 0, NULL) : RV_OK;
        if (status == RV_OK && p->role == NIR_IS_NEURONS) status = record_states(n->net, p->population, states);
    }
    return status;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static void print_summary(nir_net *n, double time)
{
    static const char *const roles[] = { "Input", "neurons", "Output" };
    rv_profile               profile = rv_profile_get(n->net);
    printf("%.10g ms in steps of %.10g ms: %.3g s, built in %.3g s; %lld neurons, %lld synapses\n", time, rv_resolution(n->net), profile.run_seconds, profile.compile_seconds,
           (long long)profile.n_neurons, (long long)profile.n_synapses);
    if (n->largest_rounding > 1e-9) printf("  delays were rounded to steps, by up to %.3g ms\n", n->largest_rounding);
    for (int k = 0; k < n->n_parts; k++) {
        const nir_part *p = &n->part[k];
        printf("  %-16s %-8s %8lld", p->name, roles[p->role], (long long)nir_size(&p->shape));
        if (p->spikes) printf(" %12lld spikes", (long long)rv_spike_count(n->net, p->population));
        if (p->level) printf(", %d step%s late", p->level, p->level > 1 ? "s" : "");
        if (p->role == NIR_IS_OUTPUT) printf("  (%s of %s)", p->spikes ? "spikes" : "V_m", rv_population_name(n->net, p->population));
        putchar('\n');
    }
}

static rv_status run_and_write(nir_net *n, const script_options *o, const nir_line *line)
{
    results_writer    *writer = NULL;
    results_provenance from = { .command_line = o->command_line, .script_path = o->path };
    rv_status          status = record_all(n, line->record), closed = RV_OK;
    if (status == RV_OK && o->out) status = results_writer_open(n->net, o->out, &from, &writer);
    if (status == RV_OK) status = rv_run(n->net, line->time);
    closed = results_writer_close(writer);
    return status == RV_OK ? closed : status;
}

/* Without time= as long as the input, and until the last population has heard of it. */
static int run_net(nir_net *n, const script_options *o, nir_line *line)
{
    rv_error error = { 0 };
    double   duration = 0;
    int      late = 0;
    if (line->input && nir_play(n, line->input, (int64_t)line->sample, &duration, &error) != RV_OK) return command_fail(1, "%s", error.text);
    for (int k = 0; k < n->n_parts; k++) late = n->part[k].level > late ? n->part[k].level : late;
    if (line->time == 0 && duration == 0) return command_fail(1, "\"%s\" needs input=FILE (HDF5, .nird, or lines of step,neuron) or time=MS", o->path);
    if (line->time == 0) line->time = duration + late * rv_resolution(n->net);
    if (run_and_write(n, o, line) != RV_OK) return command_fail(1, "%s", rv_net_error(n->net)->text);
    if (!o->quiet) print_summary(n, line->time);
    return 0;
}

int command_run_nir(const script_options *o)
{
    nir_line  line = { 0 };
    nir_graph graph;
    nir_net   n;
    rv_error  error = { 0 };
    if (!command_nir_words(o->arguments, o->n_arguments, &line)) return 2;
    rv_net_def  def = { .resolution = line.dt, .seed = o->seed ? *o->seed : 0, .timing = o->timing ? *o->timing : RV_GRID, .threads = o->threads };
    nir_options options = { .unchecked = line.check && strcmp(line.check, "off") == 0 };
    if (nir_read(o->path, &options, &graph, &error) != RV_OK) return command_fail(1, "%s", error.text);
    rv_status status = nir_build(&graph, &def, &line.build, &n, &error);
    nir_free(&graph);
    if (status != RV_OK) return command_fail(1, "\"%s\": %s", o->path, error.text);
    int exit_status = run_net(&n, o, &line);
    nir_net_free(&n);
    return exit_status;
}
