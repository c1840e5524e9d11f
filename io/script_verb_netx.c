/* ranvier run net.net input=FILE: a lava-dl network on the emulated chip. A step is a step of the chip and counts as 1 ms. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/netx.h"
#include "io/results.h"
#include "io/script_command.h"
#include "io/script_window.h"
#include "viz/live.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

/* What name=value may say. */
typedef struct netx_line {
    const char *input, *record;
    double      time, reset_interval, reset_offset, input_message_bits;
} netx_line;

static bool whole_number(const char *name, const char *text, double high, double *number)
{
    if (!command_number(name, text, 0, high, number)) return false;
    if (*number == (double)(int64_t)*number) return true;
    command_fail(2, "%s is \"%s\"; a whole number is needed", name, text);
    return false;
}

static bool read_words(const script_options *o, netx_line *line)
{
    static const char *const names[] = { "input", "record", "time", "reset_interval", "reset_offset", "input_message_bits" };
    double *const            numbers[] = { NULL, NULL, &line->time, &line->reset_interval, &line->reset_offset, &line->input_message_bits };
    static const double      highest[] = { 0, 0, 1e12, 1e9, 9e8, 32 };
    for (int i = 0; i < o->n_arguments; i++) {
        int k = 0;
        while (k < COUNT(names) && strcmp(names[k], o->arguments[i].name) != 0) k++;
        if (k == COUNT(names)) return command_unknown("argument of a netx network", o->arguments[i].name, names, COUNT(names)), false;
        if (numbers[k] && !whole_number(names[k], o->arguments[i].text, highest[k], numbers[k])) return false;
        if (k == 0) line->input = o->arguments[i].text;
        if (k == 1) line->record = o->arguments[i].text;
    }
    return true;
}

/* ---- what is kept ----------------------------------------------------------------------------------------------- */

static const char *label(const netx *n, int k, char text[64])
{
    const netx_layer *l = &n->layer[k];
    if (l->rank == 3) snprintf(text, 64, "%s %lldx%lldx%lld", netx_kinds[l->kind], (long long)l->shape[0], (long long)l->shape[1], (long long)l->shape[2]);
    else snprintf(text, 64, "%s", netx_kinds[l->kind]);
    return text;
}

/* record=u,v: states of all neurons at every step. */
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

static rv_status record_all(netx *n, const char *states)
{
    rv_status status = n->input.id ? rv_record_spikes(n->net, n->input) : RV_OK;
    for (int k = 0; k < n->n_layers && status == RV_OK; k++) {
        if (!n->layer[k].neurons.id) continue;
        status = rv_record_spikes(n->net, n->layer[k].neurons);
        if (status == RV_OK) status = record_states(n->net, n->layer[k].neurons, states);
    }
    return status;
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

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

/* One run, with or without a window beside it. */
typedef struct netx_run {
    const command        *command;
    const script_options *options;
    netx_line             line;
    netx                  n;
    live                 *live; /* NULL: no window */
    window_stage         *stage;
    int                   status;
} netx_run;

static void stop_net(void *net) { rv_stop(net); }

static rv_status open_view(netx_run *r, double end_ms)
{
    const char *slash = strrchr(r->options->path, '/');
    rv_status   status = live_open(r->n.net, &(live_options){ .title = slash ? slash + 1 : r->options->path, .paused = r->options->paused }, &r->live);
    if (status != RV_OK) return status;
    window_stage_show(r->stage, live_feed(r->live));
    live_expect(r->live, end_ms);
    return RV_OK;
}

static rv_status run_and_write(netx_run *r)
{
    const script_options *o = r->options;
    rv_net               *net = r->n.net;
    results_writer       *writer = NULL;
    results_provenance    from = { .command_line = o->command_line, .script_path = o->path };
    double                end_ms = r->line.time * rv_resolution(net);
    rv_status             status = record_all(&r->n, r->line.record), closed = RV_OK;
    if (status == RV_OK && o->out) status = results_writer_open(net, o->out, &from, &writer);
    if (r->command->watch) r->command->watch(stop_net, net);
    if (status == RV_OK && r->stage) status = open_view(r, end_ms);
    if (status == RV_OK) status = rv_run(net, end_ms);
    if (r->command->watch) r->command->watch(NULL, NULL);
    closed = results_writer_close(writer);
    return status == RV_OK ? closed : status;
}

/* Without time= as long as the input: an array has its length, events go on until the last layer has heard of the last. */
static double steps_of(const netx *n, const netx_input *input)
{
    double steps = (double)input->n_steps;
    for (int k = 0; k < n->n_layers && input->ends_with_event && input->n_steps > 0; k++) steps += n->layer[k].neurons.id != 0;
    return steps;
}

static int run_net(netx_run *r)
{
    netx_input            input = { 0 };
    rv_error              error = { 0 };
    netx                 *n = &r->n;
    netx_line            *line = &r->line;
    const script_options *o = r->options;
    if (!line->input && n->input.id) return command_fail(1, "\"%s\" needs input=FILE: HDF5 with a dataset input (steps, ...), or lines of step,neuron,payload", o->path);
    rv_status status = line->input ? netx_input_read(line->input, n, &input, &error) : RV_OK;
    if (status == RV_OK) status = netx_play(n, &input, &error);
    if (line->time == 0) line->time = steps_of(n, &input);
    netx_input_free(&input);
    if (status != RV_OK) return command_fail(1, "%s", error.text);
    if (line->time == 0) return command_fail(1, "\"%s\" needs time=STEPS: the input does not say how long to run", o->path);
    status = run_and_write(r);
    if (status != RV_OK) return command_fail(status == RV_STOPPED ? 130 : 1, "%s", rv_net_error(n->net)->text);
    if (!o->quiet) print_summary(n, line->time);
    return 0;
}

static void run_file(netx_run *r)
{
    const script_options *o = r->options;
    rv_error              error = { 0 };
    rv_net_def            def = { .seed = o->seed ? *o->seed : 0, .timing = o->timing ? *o->timing : RV_GRID, .threads = o->threads };
    netx_options          options = { (int64_t)r->line.reset_interval, (int64_t)r->line.reset_offset, (int)r->line.input_message_bits };
    if (netx_read(o->path, &def, &options, &r->n, &error) != RV_OK) {
        r->status = command_fail(1, "%s", error.text);
        return;
    }
    r->status = run_net(r);
    if (r->live && r->status != 130) live_linger(r->live, r->status ? rv_net_error(r->n.net)->text : NULL);
    if (r->live) live_close(r->live);
    netx_free(&r->n);
}

static void run_beside(void *user, window_stage *stage)
{
    netx_run *r = user;
    r->stage = stage;
    run_file(r);
}

int command_run_netx(const command *c, const script_options *o, bool live)
{
    netx_run r = { .command = c, .options = o };
    rv_error error = { 0 };
    if (!read_words(o, &r.line)) return 2;
    if (!live) run_file(&r);
    else if (window_stage_run(run_beside, &r, true, &error) != RV_OK) return command_fail(1, "%s", error.text);
    live_free(r.live);
    return r.status;
}
