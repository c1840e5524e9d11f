/* ranvier run net.net input=FILE: a lava-dl network on the emulated chip. A step is a step of the chip and counts as 1 ms. */
#include <stdio.h>

#include "hw/netx.h"
#include "io/script_file.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* One run, and what name=value may say of it. */
typedef struct netx_run {
    const script_options *options;
    const char           *input, *record;
    double                time, reset_interval, reset_offset, input_message_bits;
    netx                  n;
} netx_run;

static bool read_words(netx_run *r)
{
    const script_file_word words[] = {
        { "input", .text = &r->input },
        { "record", .text = &r->record },
        { "time", .number = &r->time, .highest = 1e12, .whole = true },
        { "reset_interval", .number = &r->reset_interval, .highest = 1e9, .whole = true },
        { "reset_offset", .number = &r->reset_offset, .highest = 9e8, .whole = true },
        { "input_message_bits", .number = &r->input_message_bits, .highest = 32, .whole = true },
    };
    return script_file_words(r->options, "a netx network", words, COUNT(words));
}

static rv_status record_all(netx_run *r)
{
    netx     *n = &r->n;
    rv_status status = n->input.id ? rv_record_spikes(n->net, n->input) : RV_OK;
    for (int k = 0; k < n->n_layers && status == RV_OK; k++) {
        if (!n->layer[k].neurons.id) continue;
        status = rv_record_spikes(n->net, n->layer[k].neurons);
        if (status == RV_OK) status = script_file_record(n->net, n->layer[k].neurons, r->record);
    }
    return status;
}

static const char *label(const netx *n, int k, char text[64])
{
    const netx_layer *l = &n->layer[k];
    if (l->rank == 3) snprintf(text, 64, "%s %lldx%lldx%lld", netx_kinds[l->kind], (long long)l->shape[0], (long long)l->shape[1], (long long)l->shape[2]);
    else snprintf(text, 64, "%s", netx_kinds[l->kind]);
    return text;
}

static void print_summary(const netx *n, double steps)
{
    rv_profile profile = rv_profile_get(n->net);
    char       text[64];
    printf("%.10g steps in %.3g s, built in %.3g s\n", steps, profile.run_seconds, profile.compile_seconds);
    if (n->input.id) printf("  %-12s %8lld inputs  %12lld spikes\n", "input", (long long)n->n_input, (long long)rv_spike_count(n->net, n->input));
    for (int k = 0; k < n->n_layers; k++) {
        const netx_layer *l = &n->layer[k];
        if (!l->neurons.id) continue;
        printf("  %-12s %8lld neurons %12lld spikes  %s", rv_population_name(n->net, l->neurons), (long long)netx_size(l),
               (long long)rv_spike_count(n->net, l->neurons), label(n, k, text));
        if (l->clamped) printf(", %lld delays above 62 steps made 62", (long long)l->clamped);
        putchar('\n');
    }
}

/* Without time= as long as the input: an array has its length, events go on until the last layer has heard of the last. */
static double steps_of(const netx *n, const netx_input *input)
{
    double steps = (double)input->n_steps;
    for (int k = 0; k < n->n_layers && input->ends_with_event && input->n_steps > 0; k++) steps += n->layer[k].neurons.id != 0;
    return steps;
}

static int play_and_run(netx_run *r, script_file *file)
{
    netx_input  input = { 0 };
    rv_error    error = { 0 };
    netx       *n = &r->n;
    const char *path = r->options->path;
    if (!r->input && n->input.id) return command_fail(1, "\"%s\" needs input=FILE: HDF5 with a dataset input (steps, ...), or lines of step,neuron,payload", path);
    rv_status status = r->input ? netx_input_read(r->input, n, &input, &error) : RV_OK;
    if (status == RV_OK) status = netx_play(n, &input, &error);
    if (r->time == 0) r->time = steps_of(n, &input);
    netx_input_free(&input);
    if (status != RV_OK) return command_fail(1, "%s", error.text);
    if (r->time == 0) return command_fail(1, "\"%s\" needs time=STEPS: the input does not say how long to run", path);
    if (record_all(r) != RV_OK) return command_fail(1, "%s", rv_net_error(n->net)->text);
    int exit_status = script_file_simulate(file, n->net, r->time * rv_resolution(n->net));
    if (!exit_status && !r->options->quiet) print_summary(n, r->time);
    return exit_status;
}

static int read_and_run(script_file *file, void *user)
{
    netx_run    *r = user;
    rv_error     error = { 0 };
    rv_net_def   def = script_file_def(r->options);
    netx_options options = { (int64_t)r->reset_interval, (int64_t)r->reset_offset, (int)r->input_message_bits };
    if (netx_read(r->options->path, &def, &options, &r->n, &error) != RV_OK) return command_fail(1, "%s", error.text);
    int exit_status = play_and_run(r, file);
    netx_free(&r->n);
    return exit_status;
}

int command_run_netx(const command *c, const script_options *o, bool live)
{
    netx_run r = { .options = o };
    return read_words(&r) ? script_file_run(c, o, live, read_and_run, &r) : 2;
}
