/* ranvier run model.nir input=FILE: a NIR graph in the engine. */
#include <stdio.h>
#include <string.h>

#include "io/nir_input.h"
#include "io/script_file.h"
#include "io/script_nir.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

typedef struct nir_run {
    const script_options *options;
    nir_line              line;
    nir_net               n;
} nir_run;

bool command_nir_words(const script_argument *arguments, int n, nir_line *line)
{
    const script_options   given = { .arguments = arguments, .n_arguments = n };
    const script_file_word words[] = {
        { "input", .text = &line->input },
        { "record", .text = &line->record },
        { "check", .text = &line->check },
        { "discretisation", .text = &line->build.discretisation },
        { "reset", .text = &line->build.reset },
        { "spikes", .text = &line->build.spikes },
        { "time", .number = &line->time, .highest = 1e15 },
        { "dt", .number = &line->dt, .highest = 1e6 },
        { "sample", .number = &line->sample, .highest = 1e9, .whole = true },
    };
    if (!script_file_words(&given, "a NIR graph", words, COUNT(words))) return false;
    if (!line->check || strcmp(line->check, "off") == 0 || strcmp(line->check, "on") == 0) return true;
    return command_fail(2, "check is \"%s\", allowed are on and off", line->check), false;
}

/* Spikes of all that spikes, and V_m of what does not: it is what an Output gives. Populations with two names are recorded once. */
static rv_status record_all(nir_run *r)
{
    nir_net  *n = &r->n;
    rv_status status = RV_OK;
    for (int k = 0; k < n->n_parts && status == RV_OK; k++) {
        const nir_part *p = &n->part[k];
        if (p->role == NIR_IS_OUTPUT && p->spikes) continue;
        status = p->spikes ? rv_record_spikes(n->net, p->population) : p->role == NIR_IS_OUTPUT ? script_file_record(n->net, p->population, "V_m") : RV_OK;
        if (status == RV_OK && p->role == NIR_IS_NEURONS) status = script_file_record(n->net, p->population, r->line.record);
    }
    return status;
}

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

/* Without time= as long as the input, and until the last population has heard of it. */
static int play_and_run(nir_run *r, script_file *file)
{
    nir_net *n = &r->n;
    rv_error error = { 0 };
    double   duration = 0;
    int      late = 0;
    if (r->line.input && nir_play(n, r->line.input, (int64_t)r->line.sample, &duration, &error) != RV_OK) return command_fail(1, "%s", error.text);
    for (int k = 0; k < n->n_parts; k++) late = n->part[k].level > late ? n->part[k].level : late;
    if (r->line.time == 0 && duration == 0) return command_fail(1, "\"%s\" needs input=FILE (HDF5, .nird, or lines of step,neuron) or time=MS", r->options->path);
    if (r->line.time == 0) r->line.time = duration + late * rv_resolution(n->net);
    if (record_all(r) != RV_OK) return command_fail(1, "%s", rv_net_error(n->net)->text);
    int exit_status = script_file_simulate(file, n->net, r->line.time);
    if (!exit_status && !r->options->quiet) print_summary(n, r->line.time);
    return exit_status;
}

static int read_and_run(script_file *file, void *user)
{
    nir_run    *r = user;
    nir_graph   graph;
    rv_error    error = { 0 };
    rv_net_def  def = script_file_def(r->options);
    nir_options options = { .unchecked = r->line.check && strcmp(r->line.check, "off") == 0 };
    def.resolution = r->line.dt;
    if (nir_read(r->options->path, &options, &graph, &error) != RV_OK) return command_fail(1, "%s", error.text);
    rv_status status = nir_build(&graph, &def, &r->line.build, &r->n, &error);
    nir_free(&graph);
    if (status != RV_OK) return command_fail(1, "\"%s\": %s", r->options->path, error.text);
    int exit_status = play_and_run(r, file);
    nir_net_free(&r->n);
    return exit_status;
}

int command_run_nir(const command *c, const script_options *o, bool live)
{
    nir_run r = { .options = o };
    return command_nir_words(o->arguments, o->n_arguments, &r.line) ? script_file_run(c, o, live, read_and_run, &r) : 2;
}
