/* From a file to a network in a chip's integers: what ranvier map and ranvier export have in common. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/netx.h"
#include "io/nir_input.h"
#include "io/script_command.h"
#include "io/script_nir.h"
#include "sim/error.h"

#define STANDARD_RATES_MS 200.0

void command_chip_options(command_chip *line, command_option *options)
{
    const command_option all[COMMAND_CHIP_OPTIONS] = {
        { "--chip", "NAME", "loihi2 if nothing is said; ranvier chips lists them, a file of one's own will do", &line->chip, NULL },
        { "--bits", "N", "of a weight, 1 to 9; 8 if nothing is said", &line->bits, NULL },
        { "--step", "MS", "what a step of the chip stands for; the network's resolution if nothing is said", &line->step, NULL },
        { "--prune", "PART", "leave out this part of the synapses, the weakest first", &line->prune, NULL },
        { "--rates", "MS", "run both networks so long to measure rates, as long as input=FILE or 200 if nothing is said; 0: estimate", &line->rates, NULL },
        { "--seed", "S", "of all random numbers, instead of the script's", &line->seed, NULL },
        { "--shared-tau", NULL, "one synaptic time constant where the network has two", NULL, &line->shared_tau },
        { "--freeze", NULL, "take weights that learn as they are", NULL, &line->freeze },
        { "--quiet", NULL, "print errors only", NULL, &line->quiet },
    };
    memcpy(options, all, sizeof all);
}

/* ---- numbers -------------------------------------------------------------------------------------------------- */

static bool read_numbers(command_chip *line)
{
    double bits = 8, rates = STANDARD_RATES_MS;
    if (!command_number("--bits", line->bits, 1, 9, &bits) || !command_number("--step", line->step, 1e-6, 1000, &line->quantise.step_ms) ||
        !command_number("--prune", line->prune, 0, 1, &line->quantise.prune) || !command_number("--rates", line->rates, 0, 1e9, &rates) || !command_seed("--seed", line->seed, &line->seed_number))
        return false;
    if (bits != rint(bits)) return command_fail(2, "--bits is \"%s\"; a whole number is needed", line->bits), false;
    line->quantise.chip = line->chip ? line->chip : "loihi2";
    line->quantise.bits = (int)bits, line->quantise.measure_ms = rates;
    line->quantise.shared_tau = line->shared_tau, line->quantise.freeze = line->freeze;
    return true;
}

/* ---- the network ---------------------------------------------------------------------------------------------- */

/* Runs it with every spike recorded, so that the mapper knows the rates. */
static rv_status measure(rv_net *net, double ms)
{
    rv_status status = RV_OK;
    double    h = rv_resolution(net), steps = rint(ms / h);
    for (int id = 1; id <= rv_population_count(net) && status == RV_OK; id++) status = rv_record_spikes(net, (rv_population){ id });
    return status == RV_OK && steps >= 1 ? rv_run(net, steps * h) : status;
}

/* The same, and weights that learn are then as they were before: they are not to be those of a run for the rates. */
static rv_status measure_and_forget(rv_net *net, double ms)
{
    int       n = rv_projection_count(net);
    double  **weights = calloc((size_t)n + 1, sizeof *weights);
    int64_t  *count = calloc((size_t)n + 1, sizeof *count);
    rv_status status = weights && count ? RV_OK : RV_OUT_OF_MEMORY;
    for (int id = 1; id <= n && status == RV_OK; id++) {
        if (!rv_projection_plasticity(net, (rv_projection){ id })) continue;
        status = rv_synapse_count(net, (rv_projection){ id }, &count[id]);
        if (status == RV_OK && !(weights[id] = malloc(((size_t)count[id] + 1) * sizeof(double)))) status = RV_OUT_OF_MEMORY;
        if (status == RV_OK) status = rv_synapses(net, (rv_projection){ id }, NULL, NULL, weights[id], NULL);
    }
    if (status == RV_OK) status = measure(net, ms);
    for (int id = 1; id <= n && weights; id++) {
        if (weights[id] && count[id] && status == RV_OK) status = rv_set_weights(net, (rv_projection){ id }, rv_list(weights[id], count[id]));
        free(weights[id]);
    }
    free(weights), free(count);
    return status;
}

static int use(command_chip *line, rv_net *net)
{
    rv_status status = line->quantise.measure_ms > 0 ? measure_and_forget(net, line->quantise.measure_ms) : RV_OK;
    if (status != RV_OK) return command_fail(1, "%s", status == RV_OUT_OF_MEMORY ? "no memory left" : rv_net_error(net)->text);
    return line->use(line, net, line->user);
}

static int quantise_and_use(command_chip *line, rv_net *net)
{
    rv_net            *quantised;
    hw_quantise_report report;
    rv_error           error = { 0 };
    if (hw_quantise(net, &line->quantise, &quantised, &report, &error) != RV_OK) return command_fail(1, "\"%s\": %s", line->path, error.text);
    rv_status status = hw_quantise_text(&report, &line->report);
    hw_quantise_report_free(&report);
    if (status == RV_OK && !line->quiet) printf("%s\n", line->report), fflush(stdout);
    int exit_status = status == RV_OK ? use(line, quantised) : command_fail(1, "no memory left");
    rv_net_free(quantised);
    return exit_status;
}

/* Those a script gave its populations. */
static bool note_script_shapes(command_chip *line, const rv_net *net)
{
    int64_t sides[3];
    line->shapes = calloc((size_t)rv_population_count(net) + 1, sizeof *line->shapes);
    for (int id = 1; line->shapes && id <= rv_population_count(net); id++)
        if (script_taken_shape(line->script, (rv_population){ id }, sides)) line->shapes[line->n_shapes++] = (netx_shape){ { id }, { sides[0], sides[1], sides[2] }, true };
    return line->shapes != NULL;
}

static void take(rv_net *net, void *user)
{
    command_chip *line = user;
    line->taken = true;
    if (line->script && !note_script_shapes(line, net)) {
        line->status = command_fail(1, "no memory left");
        return;
    }
    line->status = line->as_given || hw_is_quantised(net) ? use(line, net) : quantise_and_use(line, net);
}

static int from_script(const command *c, command_chip *line)
{
    const script_options options = { .path = line->path, .arguments = line->arguments, .n_arguments = line->n_arguments, .quiet = true,
                                     .seed = line->seed ? &line->seed_number : NULL, .take = take, .take_user = line };
    script              *s;
    rv_status            status = script_open(&options, &s);
    if (!s) return command_fail(1, "no memory left");
    line->script = s;
    if (c->watch) c->watch(script_interrupt, s);
    if (status == RV_OK) status = script_run(s);
    if (c->watch) c->watch(NULL, NULL);
    int exit_status = script_exit_status(s);
    if (status != RV_OK && !line->taken) fprintf(stderr, "%s\n", script_message(s));
    else if (!line->taken) exit_status = command_fail(1, "\"%s\" runs no network: the first one it runs is taken", line->path);
    else exit_status = line->status;
    script_close(s);
    return exit_status;
}

/* input=FILE plays spikes into the first layer, for the rates. */
static int from_netx(command_chip *line)
{
    netx        n;
    netx_input  input = { 0 };
    rv_error    error = { 0 };
    const char *file = NULL, *const names[] = { "input" };
    for (int i = 0; i < line->n_arguments; i++) {
        if (strcmp(line->arguments[i].name, names[0]) != 0) return command_unknown("argument of a netx network", line->arguments[i].name, names, 1);
        file = line->arguments[i].text;
    }
    if (netx_read(line->path, &(rv_net_def){ .seed = line->seed_number }, &(netx_options){ 0 }, &n, &error) != RV_OK) return command_fail(1, "%s", error.text);
    rv_status status = file ? netx_input_read(file, &n, &input, &error) : RV_OK;
    if (status == RV_OK && file) status = netx_play(&n, &input, &error);
    if (input.n_steps > 0 && !line->rates) line->quantise.measure_ms = (double)input.n_steps * rv_resolution(n.net);
    netx_input_free(&input);
    if (!file) line->quantise.measure_ms = 0; /* nothing would spike */
    if (status == RV_OK && !(line->shapes = calloc((size_t)n.n_layers + 1, sizeof *line->shapes))) status = error_memory(&error, "shapes", 0);
    if (status == RV_OK) line->n_shapes = netx_shapes(&n, line->shapes);
    if (status == RV_OK) take(n.net, line);
    else line->status = command_fail(1, "%s", error.text);
    netx_free(&n);
    return line->status;
}

/* NIR's shapes are channels, height, width. */
static rv_status note_shapes(command_chip *line, const nir_net *n, rv_error *error)
{
    line->shapes = calloc((size_t)n->n_parts + 1, sizeof *line->shapes);
    if (!line->shapes) return error_memory(error, "shapes", 0);
    for (int k = 0; k < n->n_parts; k++) {
        const nir_shape *s = &n->part[k].shape;
        if (s->known && s->rank == 3 && n->part[k].population.id) line->shapes[line->n_shapes++] = (netx_shape){ n->part[k].population, { s->n[2], s->n[1], s->n[0] }, true };
    }
    return RV_OK;
}

/* Plays input=FILE; without --rates the networks are run as long as that is. */
static rv_status play_nir(command_chip *line, const nir_line *words, nir_net *n, rv_error *error)
{
    double duration = 0;
    int    late = 0;
    if (!words->input) return line->quantise.measure_ms = 0, RV_OK; /* nothing would spike */
    TRY(nir_play(n, words->input, (int64_t)words->sample, &duration, error));
    for (int k = 0; k < n->n_parts; k++) late = n->part[k].level > late ? n->part[k].level : late;
    if (!line->rates) line->quantise.measure_ms = duration + late * rv_resolution(n->net);
    return RV_OK;
}

/* input=FILE and other words as for ranvier run. */
static int from_nir(command_chip *line)
{
    nir_graph graph;
    nir_net   n;
    nir_line  words = { 0 };
    rv_error  error = { 0 };
    if (!command_nir_words(line->arguments, line->n_arguments, &words)) return 2;
    if (nir_read(line->path, NULL, &graph, &error) != RV_OK) return command_fail(1, "%s", error.text);
    rv_status status = nir_complete(&graph, &error);
    if (status == RV_OK) status = nir_build(&graph, &(rv_net_def){ .seed = line->seed_number, .resolution = words.dt }, &words.build, &n, &error);
    nir_free(&graph);
    if (status != RV_OK) return command_fail(1, "\"%s\": %s", line->path, error.text);
    if (note_shapes(line, &n, &error) != RV_OK || play_nir(line, &words, &n, &error) != RV_OK) return nir_net_free(&n), command_fail(1, "%s", error.text);
    take(n.net, line);
    nir_net_free(&n);
    return line->status;
}

int command_chip_run(const command *c, command_chip *line, const char *const *words, int n)
{
    line->path = words[0];
    for (int i = 1; i < n; i++, line->n_arguments++)
        if (!command_argument(words[i], line->names[line->n_arguments], &line->arguments[line->n_arguments])) return 2;
    if (!read_numbers(line)) return 2;
    int status;
    if (command_ends_with(line->path, ".lua")) status = from_script(c, line);
    else if (command_ends_with(line->path, ".net")) status = from_netx(line);
    else if (command_ends_with(line->path, ".nir")) status = from_nir(line);
    else status = command_fail(1, "\"%s\" is not a kind of network that can go to a chip; scripts (.lua), netx networks (.net) and NIR graphs (.nir) are", line->path);
    free(line->report), free(line->shapes);
    line->report = NULL, line->shapes = NULL;
    return status;
}
