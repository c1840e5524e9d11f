#include "hw/split.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_net.h"
#include "hw/fixed_point.h"
#include "sim/net.h"

/* A sum of so many weights of up to 256 fits into the 24 bits of Lava's graded spikes. */
enum { MOST_SUMMED = 32767, CHUNKS_OF_A_CORE = 4, MESSAGE_BITS = 24 };

/* Who gathers what: a part of the sources of a projection, for one target; of one delay where sums of delays are rounded. */
typedef struct gather {
    int64_t part, delay, target;
} gather;

typedef struct splitting {
    const hw_chip  *chip;
    const hw_graph *graph;
    bool           *large;  /* [n_neurons] */
    int64_t         n_large, part; /* of so many sources each */
    rv_error        sentence;                   /* why the first does not fit */
    export_net      e;
    rv_net         *net;    /* being made */
    int64_t         n_gathers, n_moved, n_kept;
    rv_error       *error;
} splitting;

/* ---- what can be gathered --------------------------------------------------------------------------------------- */

static rv_status refuse(const splitting *s, const char *why)
{
    return error_set(s->error, s->sentence.status, "%s; its input cannot be gathered by further neurons, because %s", s->sentence.text, why);
}

/* How many sources are gathered together. A neuron takes a part of a core only, so that several with the same sources share axons. */
static int64_t part_size(const splitting *s)
{
    int64_t     n = MOST_SUMMED, axons = hw_limit(s->chip, HW_INPUT_AXONS), fan_in = hw_limit(s->chip, HW_FAN_IN), memory = hw_limit(s->chip, HW_MEMORY);
    hw_encoding e = hw_encoding_of(s->chip, &(hw_format){ .weight_bits = (int)hw_value(s->chip, HW_WEIGHT_BITS), .delay_bits = 6 });
    if (axons < INT64_MAX && axons / CHUNKS_OF_A_CORE < n) n = axons / CHUNKS_OF_A_CORE;
    if (memory < INT64_MAX && memory / hw_synapse_bits(&e, 1) / CHUNKS_OF_A_CORE < n) n = memory / hw_synapse_bits(&e, 1) / CHUNKS_OF_A_CORE;
    if (fan_in < n) n = fan_in;
    return n > 1 ? n : 1;
}

static bool is_large(const splitting *s, const export_synapses *p, int64_t k) { return s->large[s->graph->group[p->target].first + p->to[k]]; }

static bool can_be_gathered(const splitting *s, const export_synapses *p)
{
    return p->kind && strcmp(p->kind->table.name, "loihi") == 0 && !p->graded && s->e.def->population[p->target].model->adds_inputs;
}

static bool is_moved(const splitting *s, const export_synapses *p, int64_t k) { return is_large(s, p, k) && can_be_gathered(s, p) && p->delay[k] >= 2; }

static rv_status count_moved(splitting *s)
{
    int64_t n_others = 0;
    for (int j = 0; j < s->e.n_projections; j++)
        for (int64_t k = 0; k < s->e.projection[j].n; k++) {
            const export_synapses *p = &s->e.projection[j];
            if (is_moved(s, p, k)) s->n_moved++;
            else if (is_large(s, p, k)) s->n_kept++, n_others += !can_be_gathered(s, p);
        }
    if (s->n_moved > 0) return RV_OK;
    if (n_others > 0) return refuse(s, "that takes synapses of the kind loihi, in whole numbers: quantise the network first");
    return refuse(s, "that takes a step, and its synapses have delays of one step: delays of 2 steps and more can be gathered");
}

static rv_status check_possible(const splitting *s, rv_net *net)
{
    for (int k = 0; k < net->def.n_projections; k++)
        if (net->def.projection[k].plasticity) return refuse(s, "the network learns: freeze its weights first");
    if (hw_value(s->chip, HW_PAYLOAD_BITS) >= MESSAGE_BITS) return RV_OK;
    char why[200];
    snprintf(why, sizeof why, "that takes spikes that carry sums of %d bits, and those of %s carry %.0f: loihi2's can", MESSAGE_BITS, s->chip->name, hw_value(s->chip, HW_PAYLOAD_BITS));
    return refuse(s, why);
}

/* ---- the network as it was -------------------------------------------------------------------------------------- */

static rv_status checked(const splitting *s, rv_status status) { return status == RV_OK ? RV_OK : error_set(s->error, status, "%s", rv_net_error(s->net)->text); }

static rv_status copy_spikes(const splitting *s, int population)
{
    const population_def *def = &s->e.def->population[population];
    rv_population         p = { population + 1 };
    for (int64_t i = 0; def->spike_times && i < def->n; i++) {
        if (def->n_spike_times[i] == 0) continue;
        TRY(checked(s, rv_set_spike_times(s->net, p, i, def->spike_times[i], def->n_spike_times[i])));
        if (def->payloads && def->payloads[i]) TRY(checked(s, rv_set_payloads(s->net, p, i, def->payloads[i], def->n_spike_times[i])));
    }
    return RV_OK;
}

static rv_status copy_inputs(const splitting *s)
{
    for (int k = 0; k < s->e.def->n_inputs; k++) {
        const input_def *in = &s->e.def->input[k];
        const rv_table  *table = &input_tables[in->kind];
        rv_setting       settings[MAX_INPUT_PARAMS];
        for (int f = 0; f < table->n_params; f++) settings[f] = (rv_setting){ table->params[f].name, rv_number(in->param[f]) };
        if (in->kind == INPUT_STEP) settings[STEP_TIMES].value = rv_list(in->times, in->n_steps), settings[STEP_AMPLITUDES].value = rv_list(in->amplitudes, in->n_steps);
        if (in->kind == INPUT_INHOMOGENEOUS) settings[RATE_TIMES].value = rv_list(in->times, in->n_steps), settings[RATE_VALUES].value = rv_list(in->amplitudes, in->n_steps);
        TRY(checked(s, rv_input_new(s->net, (rv_slice){ { in->target.population + 1 }, in->target.first, in->target.count, in->target.stride }, table->name, settings, table->n_params, NULL)));
    }
    return RV_OK;
}

static rv_status copy_rest(const splitting *s)
{
    TRY(checked(s, export_net_copy_populations(&s->e, s->net)));
    for (int k = 0; k < s->e.def->n_populations; k++) {
        const population_def *def = &s->e.def->population[k];
        if (def->xyz) TRY(checked(s, rv_set_positions(s->net, (rv_population){ k + 1 }, def->xyz, def->period)));
        TRY(copy_spikes(s, k));
    }
    return copy_inputs(s);
}

/* ---- gathering -------------------------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const gather *x = a, *y = b;
    if (x->part != y->part) return x->part < y->part ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    return (x->target > y->target) - (x->target < y->target);
}

static gather gather_of(const splitting *s, const export_synapses *p, int64_t k) { return (gather){ p->from[k] / s->part, p->summed ? p->delay[k] : 0, p->to[k] }; }

/* @param list result, sorted, each once */
static int64_t list_gathers(const splitting *s, const export_synapses *p, gather *list)
{
    int64_t n = 0, kept = 0;
    for (int64_t k = 0; k < p->n; k++)
        if (is_moved(s, p, k)) list[n++] = gather_of(s, p, k);
    qsort(list, (size_t)n, sizeof *list, by_place);
    for (int64_t k = 0; k < n; k++)
        if (k == 0 || by_place(&list[k], &list[kept - 1]) != 0) list[kept++] = list[k];
    return kept;
}

static void set_param(export_synapses *p, const char *name, double value)
{
    for (int k = 0; k < p->kind->table.n_params; k++)
        if (strcmp(p->kind->table.params[k].name, name) == 0) p->param[k] = value;
}

/* The population that gathers a projection. @return its number, -1 with a sentence */
static int new_gatherers(const splitting *s, const export_synapses *p, int64_t n)
{
    const char *source = s->e.def->population[p->source].name, *target = s->e.def->population[p->target].name;
    char        name[OBJECT_TEXT];
    snprintf(name, sizeof name, "%.80s to %.80s sums", source, target);
    for (int k = 2; rv_population_find(s->net, name).id; k++) snprintf(name, sizeof name, "%.80s to %.80s sums %d", source, target, k);
    rv_population made = rv_population_new(s->net, name, n, "loihi_graded");
    if (!made.id || rv_set(s->net, made, "vth", rv_number(0)) != RV_OK) return error_set(s->error, rv_net_error(s->net)->status, "%s", rv_net_error(s->net)->text), -1;
    return made.id - 1;
}

typedef struct synapse_lists {
    int64_t *from, *to, *delay;
    double  *weight;
} synapse_lists;

static bool lists_open(synapse_lists *l, int64_t n)
{
    size_t size = ((size_t)n + 1) * 8;
    *l = (synapse_lists){ malloc(size), malloc(size), malloc(size), malloc(size) };
    return l->from && l->to && l->delay && l->weight;
}

static void lists_free(synapse_lists *l) { free(l->from), free(l->to), free(l->delay), free(l->weight); }

static rv_status connect(const splitting *s, const export_synapses *like, int source, int target, const synapse_lists *l, int64_t n)
{
    export_synapses p = *like;
    p.source = source, p.target = target, p.from = l->from, p.to = l->to, p.weight = l->weight, p.delay = l->delay, p.n = n;
    return n > 0 ? checked(s, export_connect(s->net, &p, NULL)) : RV_OK;
}

/* What is not gathered stays as it is. */
static rv_status connect_rest(const splitting *s, const export_synapses *p, synapse_lists *l)
{
    int64_t n = 0;
    for (int64_t k = 0; k < p->n; k++)
        if (!is_moved(s, p, k)) l->from[n] = p->from[k], l->to[n] = p->to[k], l->weight[n] = p->weight[k], l->delay[n++] = p->delay[k];
    return connect(s, p, p->source, p->target, l, n);
}

static rv_status connect_sources(const splitting *s, const export_synapses *p, int population, const gather *list, int64_t n_list, synapse_lists *l)
{
    export_synapses plain = *p;
    int64_t         n = 0;
    set_param(&plain, "weight_exp", 0);
    for (int64_t k = 0; k < p->n; k++) {
        if (!is_moved(s, p, k)) continue;
        gather        key = gather_of(s, p, k);
        const gather *found = bsearch(&key, list, (size_t)n_list, sizeof *list, by_place);
        l->from[n] = p->from[k], l->to[n] = found - list, l->weight[n] = p->weight[k], l->delay[n++] = p->delay[k] - 1;
    }
    return connect(s, &plain, p->source, population, l, n);
}

/* Sums of one delay end in a projection of their own, because they are rounded by themselves. */
static rv_status connect_sums(const splitting *s, const export_synapses *p, int population, const gather *list, int64_t n_list, synapse_lists *l)
{
    export_synapses sums = *p;
    set_param(&sums, "num_weight_bits", 8), set_param(&sums, "sign_mode", FIXED_EXCITATORY), set_param(&sums, "num_message_bits", MESSAGE_BITS);
    for (int64_t delay = 0, left = n_list; left > 0; delay++) {
        int64_t n = 0;
        for (int64_t i = 0; i < n_list; i++)
            if (list[i].delay == delay) l->from[n] = i, l->to[n] = list[i].target, l->weight[n] = 1, l->delay[n++] = 1;
        TRY(connect(s, &sums, population, p->target, l, n));
        left -= n;
    }
    return RV_OK;
}

static rv_status split_projection(splitting *s, const export_synapses *p)
{
    gather       *list = malloc(((size_t)p->n + 1) * sizeof *list);
    synapse_lists l = { 0 };
    if (!list || !lists_open(&l, p->n)) return free(list), lists_free(&l), error_memory(s->error, "synapses", 56.0 * (double)p->n);
    int64_t   n = list_gathers(s, p, list);
    int       population = n > 0 ? new_gatherers(s, p, n) : 0;
    rv_status status = population < 0 ? s->error->status : connect_rest(s, p, &l);
    if (status == RV_OK && n > 0) status = connect_sources(s, p, population, list, n, &l);
    if (status == RV_OK && n > 0) status = connect_sums(s, p, population, list, n, &l);
    s->n_gathers += n;
    free(list), lists_free(&l);
    return status;
}

static rv_status make_net(splitting *s)
{
    const rv_net *from = s->e.net;
    TRY(count_moved(s));
    TRY(rv_net_new(&(rv_net_def){ .resolution = rv_resolution(from), .seed = rv_seed(from), .threads = rv_threads(from) }, &s->net, s->error));
    TRY(copy_rest(s));
    s->part = part_size(s);
    for (int k = 0; k < s->e.n_projections; k++) TRY(split_projection(s, &s->e.projection[k]));
    return RV_OK;
}

/* ---- the graph of it -------------------------------------------------------------------------------------------- */

/* Neurons keep their rates; one that gathers spikes when any of its sources does. */
static rv_status take_rates(const splitting *s, hw_graph *g)
{
    int     n_given = s->e.def->n_populations, n_made = rv_population_count(s->net) - n_given;
    double *silent = calloc((size_t)g->n_neurons + 1, sizeof *silent); /* log of the probability that no source spikes */
    if (!silent) return error_memory(s->error, "rates", (double)g->n_neurons * 8);
    for (int k = 0; k < s->graph->n_groups; k++) {
        const hw_group *given = &s->graph->group[k], *now = &g->group[k < n_given ? k : k + n_made];
        memcpy(g->rate + now->first, s->graph->rate + given->first, (size_t)given->n * sizeof *g->rate);
    }
    for (int64_t j = 0; j < g->n_neurons; j++)
        for (int64_t k = g->row[j]; k < g->row[j + 1]; k++) silent[g->target[k]] += log1p(-fmin(g->rate[j], 1));
    for (int k = n_given; k < n_given + n_made; k++)
        for (int64_t i = 0; i < g->group[k].n; i++) g->rate[g->group[k].first + i] = -expm1(silent[g->group[k].first + i]);
    free(silent);
    return RV_OK;
}

static rv_status take_notes(const splitting *s, hw_graph *g)
{
    size_t size;
    char  *text;
    FILE  *out = open_memstream(&text, &size);
    if (!out) return error_memory(s->error, "notes", 0);
    if (s->graph->notes) fputs(s->graph->notes, out);
    const char *advice = strstr(s->sentence.text, ": lower");
    int         length = advice ? (int)(advice - s->sentence.text) : (int)strlen(s->sentence.text);
    fprintf(out, "  %lld neuron%s that a core of %s cannot hold (the first: %.*s):\n", (long long)s->n_large, s->n_large == 1 ? "" : "s", s->chip->name, length, s->sentence.text);
    fprintf(out, "  %lld of their synapses are gathered by %lld neurons more, of the model loihi_graded, which send sums on. The spikes are the same; a sum costs a neuron, a synapse,\n"
                 "  a message in every step in which it is not 0, and one step of the delays gathered, all of which have 2 and more\n\n",
            (long long)s->n_moved, (long long)s->n_gathers);
    if (fclose(out) != 0) return free(text), error_memory(s->error, "notes", 0);
    free(g->notes);
    g->notes = text;
    return RV_OK;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status split(splitting *s, rv_net *net, const hw_graph_options *reading, hw_placement *p)
{
    TRY(check_possible(s, net));
    TRY(export_net_open(net, NULL, &s->e, s->error));
    rv_status status = make_net(s);
    hw_graph *graph = NULL;
    if (status == RV_OK) status = hw_graph_from_net(s->net, reading, &graph, s->error);
    if (status == RV_OK) status = take_rates(s, graph);
    if (status == RV_OK) status = take_notes(s, graph);
    export_net_close(&s->e);
    p->net = s->net;
    hw_graph_free(p->graph);
    p->graph = graph;
    return status;
}

rv_status hw_place(const hw_chip *chip, rv_net *net, const hw_graph_options *reading, const hw_map_options *mapping, hw_placement *p, rv_error *error)
{
    *p = (hw_placement){ 0 };
    TRY(hw_graph_from_net(net, reading, &p->graph, error));
    splitting s = { .chip = chip, .graph = p->graph, .error = error };
    rv_status status = hw_map_large(chip, p->graph, &s.large, &s.n_large, &s.sentence, error);
    if (status == RV_OK && s.n_large > 0) status = split(&s, net, reading, p);
    free(s.large);
    if (status == RV_OK) status = hw_map_network(chip, p->graph, mapping, &p->map, error);
    if (status == RV_OUT_OF_RANGE && s.n_moved > 0 && s.n_kept > 0) {
        rv_error why = *error;
        error_set(error, status, "%s; %lld synapses were gathered by further neurons, %lld were not, because that takes a step of their delay, which must be 2 steps and more", why.text,
                  (long long)s.n_moved, (long long)s.n_kept);
    }
    return status;
}

void hw_placement_free(hw_placement *p)
{
    hw_map_free(p->map);
    hw_graph_free(p->graph);
    rv_net_free(p->net);
    *p = (hw_placement){ 0 };
}
