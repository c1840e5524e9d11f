/* What cannot be mapped, and the sentences that say so. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/map_build.h"
#include "sim/error.h"

/* ---- what a neuron needs by itself ------------------------------------------------------------------------------ */

/* `population "E": neuron 12` */
enum { NEURON_TEXT = 128 };
static const char *neuron_text(const hw_graph *g, int64_t neuron, char text[NEURON_TEXT])
{
    const hw_group *group = hw_graph_group(g, neuron);
    snprintf(text, NEURON_TEXT, "population \"%s\": neuron %lld", group->name, (long long)(neuron - group->first));
    return text;
}
#define NEURON_TEXT_OF(g, neuron) neuron_text(g, neuron, (char[NEURON_TEXT]){ 0 })

typedef struct need {
    int64_t synapses, axons, sources, memory;
} need;

static need need_of(const map_problem *w, int32_t v)
{
    const hypergraph *h = &w->h;
    need              n = { .synapses = h->begin[v + 1] - h->begin[v], .memory = w->limits.vertex_memory };
    int32_t           last = -1;
    for (int64_t k = h->begin[v], end; k < h->begin[v + 1]; k = end) {
        for (end = k + 1; end < h->begin[v + 1] && h->net[end] == h->net[k] && h->net_format[end] == h->net_format[k];) end++;
        n.memory += hw_synapse_bits(&w->encoding[h->net_format[k]], end - k);
        n.axons += (h->net[k] != last) + (w->graph->format[h->net_format[k]].learning ? w->limits.learning_axons - 1 : 0);
        n.sources += h->net[k] != last;
        last = h->net[k];
    }
    return n;
}

rv_status map_check_targets(const map_problem *w, rv_error *error)
{
    for (int32_t v = 0; v < w->h.n_vertices; v++)
        if (w->outside[v] && w->h.begin[v + 1] > w->h.begin[v])
            return error_set(error, RV_CONFLICT, "%s is an input and cannot be the target of synapses", NEURON_TEXT_OF(w->graph, v));
    return RV_OK;
}

static rv_status check_neuron(const map_problem *w, int32_t v, rv_error *error)
{
    const char *chip = w->chip->name, *who = "";
    char        text[NEURON_TEXT];
    need        n = need_of(w, v);
    int64_t     fan_in = hw_limit(w->chip, HW_FAN_IN), axons = w->limits.most[HW_USE_INPUT_AXONS], memory = w->limits.most[HW_USE_MEMORY];
    if (n.synapses <= fan_in && n.axons <= axons && n.memory <= memory) return RV_OK;
    who = neuron_text(w->graph, v, text);
    if (n.synapses > fan_in)
        return error_set(error, RV_OUT_OF_RANGE, "%s has %lld synapses, a neuron of %s can have %lld: lower its fan-in", who, (long long)n.synapses,
                         chip, (long long)fan_in);
    if (n.axons > axons)
        return error_set(error, RV_OUT_OF_RANGE, "%s hears %lld neurons and takes %lld input axons, a core of %s has %lld: lower its fan-in, or gather sources in relay neurons",
                         who, (long long)n.sources, (long long)n.axons, chip, (long long)axons);
    return error_set(error, RV_OUT_OF_RANGE, "%s needs %lld bits of synaptic memory for %lld synapses, a core of %s has %lld: lower its fan-in, the bits of its weights, or its delays",
                     who, (long long)n.memory, (long long)n.synapses, chip, (long long)memory);
}

/* Whether any neuron might be, without looking closely. */
static bool may_be_large(const hw_chip *chip, const hw_graph *g)
{
    int64_t *fan_in = calloc((size_t)g->n_neurons + 1, sizeof *fan_in), most = 0, one = 0;
    if (!fan_in) return true;
    for (int64_t k = 0; k < g->n_synapses; k++) most = ++fan_in[g->target[k]] > most ? fan_in[g->target[k]] : most;
    free(fan_in);
    for (int f = 0; f < g->n_formats; f++) {
        hw_encoding e = hw_encoding_of(chip, &g->format[f]);
        one = hw_synapse_bits(&e, 1) > one ? hw_synapse_bits(&e, 1) : one;
    }
    int64_t delays = 0;
    for (int64_t k = 0; k < g->n_synapses; k++) delays = g->delay[k] > delays ? g->delay[k] : delays;
    double memory = hw_value(chip, HW_NEURON_MEMORY) + hw_value(chip, HW_DELAY_MEMORY) * (double)delays + (double)most * (double)one;
    return (double)most > hw_value(chip, HW_FAN_IN) || (double)most * hw_value(chip, HW_LEARNING_AXONS) > hw_value(chip, HW_INPUT_AXONS) || memory > hw_value(chip, HW_MEMORY);
}

rv_status hw_map_large(const hw_chip *chip, const hw_graph *graph, bool **large, int64_t *n, rv_error *why, rv_error *error)
{
    map_problem w;
    rv_error    sentence = { 0 };
    *large = NULL, *n = 0;
    if (!may_be_large(chip, graph)) return RV_OK;
    if (!(*large = calloc((size_t)graph->n_neurons + 1, sizeof **large))) return error_memory(error, "mapping", (double)graph->n_neurons);
    rv_status status = map_problem_open(&w, chip, graph, error);
    for (int32_t v = 0; status == RV_OK && v < w.h.n_vertices; v++) {
        (*large)[v] = !w.outside[v] && check_neuron(&w, v, &sentence) != RV_OK;
        if ((*large)[v] && (*n)++ == 0) *why = sentence;
    }
    map_problem_close(&w);
    return status;
}

/* ---- ranges ----------------------------------------------------------------------------------------------------- */

static rv_status check_delays(const map_problem *w, rv_error *error)
{
    const hw_graph *g = w->graph;
    int64_t         most = hw_limit(w->chip, HW_DELAY_MAX);
    for (int64_t j = 0; j < g->n_neurons; j++)
        for (int64_t k = g->row[j]; k < g->row[j + 1]; k++)
            if (g->delay[k] > most)
                return error_set(error, RV_OUT_OF_RANGE, "%s: delay = %d steps to neuron %d of \"%s\", %s allows 1 to %lld: shorten it, or use a longer time step",
                                 NEURON_TEXT_OF(g, j), g->delay[k], (int)(g->target[k] - hw_graph_group(g, g->target[k])->first),
                                 hw_graph_group(g, g->target[k])->name, w->chip->name, (long long)most);
    return RV_OK;
}

static const char *first_of_format(const hw_graph *g, int format, char text[NEURON_TEXT])
{
    for (int64_t j = 0; j < g->n_neurons; j++)
        for (int64_t k = g->row[j]; k < g->row[j + 1]; k++)
            if (g->format_of[k] == format) return neuron_text(g, j, text);
    return "synapse format";
}

static rv_status check_weights(const map_problem *w, rv_error *error)
{
    int  bits = (int)hw_value(w->chip, HW_WEIGHT_BITS);
    char text[NEURON_TEXT];
    for (int f = 0; f < w->graph->n_formats; f++) /* weights of both signs that learn have a bit more, -256 to 255 (Lava) */
        if (w->graph->format[f].weight_bits > bits + (w->graph->format[f].learning && w->graph->format[f].sign == 0))
            return error_set(error, RV_OUT_OF_RANGE, "%s: its weights take %d bits, %s stores up to %d: quantise the network first",
                             first_of_format(w->graph, f, text), w->graph->format[f].weight_bits, w->chip->name, bits);
    return RV_OK;
}

static rv_status check_inputs(const map_problem *w, rv_error *error)
{
    int64_t n = 0, most = hw_limit(w->chip, HW_INPUTS);
    for (int32_t v = 0; v < w->h.n_vertices; v++) n += w->outside[v];
    if (n <= most) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "the network has %lld input neurons, %s hears %lld", (long long)n, w->chip->name, (long long)most);
}

rv_status map_check(const map_problem *w, rv_error *error)
{
    if (hw_value(w->chip, HW_SINGLE_SYNAPSES) == 0)
        return error_set(error, RV_CONFLICT, "%s computes convolutions and cannot store single synapses; loihi1, loihi2, spinnaker2 can", w->chip->name);
    TRY(check_inputs(w, error));
    TRY(check_delays(w, error));
    TRY(check_weights(w, error));
    for (int32_t v = 0; v < w->h.n_vertices; v++)
        if (!w->outside[v]) TRY(check_neuron(w, v, error));
    return RV_OK;
}

/* ---- what to change --------------------------------------------------------------------------------------------- */

static const char *const advice[HW_N_RESOURCES] = {
    [HW_USE_NEURONS] = "use more cores, or a chip whose cores hold more",
    [HW_USE_INPUT_AXONS] = "neurons of a core should hear the same neurons: connect locally, or lower the fan-in",
    [HW_USE_OUTPUT_AXONS] = "its neurons reach too many cores: connect locally, or lower the fan-out",
    [HW_USE_MEMORY] = "use fewer weight bits or shorter delays, prune, or spread the neurons over more cores",
    [HW_USE_PROFILES] = "let neurons share decays and refractory periods",
    [HW_USE_THRESHOLDS] = "let neurons share thresholds",
    [HW_USE_FORMATS] = "let projections share weight bits and delay ranges",
    [HW_USE_TRACES] = "let projections that learn share impulses and time constants",
    [HW_USE_SETTINGS] = "let neurons share the lowest potential",
};

/* The population with most neurons on a core. @param neurons [n] ascending */
static const hw_group *main_group(const hw_graph *g, const int32_t *neurons, int32_t n, int32_t *share)
{
    const hw_group *best = NULL;
    *share = 0;
    for (int k = 0; k < g->n_groups; k++) {
        int32_t in = 0;
        for (int32_t i = 0; i < n; i++) in += neurons[i] >= g->group[k].first && neurons[i] < g->group[k].first + g->group[k].n;
        if (in > *share) *share = in, best = &g->group[k];
    }
    return best;
}

typedef struct crowd {
    const hw_graph *graph;
    const int32_t  *neurons;
    int32_t         n;
    double          fan_in; /* mean */
} crowd;

/* "1310 of 1024 neurons: population "exc" (1200 of 1310), mean fan-in 42; use more cores ..." */
static void explain(const crowd *c, hw_resource r, int64_t use, int64_t most, char *text, size_t size)
{
    int32_t         share;
    const hw_group *group = main_group(c->graph, c->neurons, c->n, &share);
    snprintf(text, size, "%lld of %lld %s: population \"%.40s\" (%d of %d neurons), mean fan-in %.0f; %s", (long long)use, (long long)most,
             hw_resource_name[r], group ? group->name : "", share, c->n, c->fan_in, advice[r]);
}

static rv_status explain_fan_out(const map_problem *w, const partition *p, rv_error *error)
{
    for (int32_t j = 0; j < w->h.n_nets; j++)
        if (p->fan_out[j] > w->limits.fan_out)
            return error_set(error, RV_OUT_OF_RANGE, "%s reaches %d cores, a neuron of %s can reach %lld: lower its fan-out, or pass its spikes on by relay neurons",
                             NEURON_TEXT_OF(w->graph, j), p->fan_out[j], w->chip->name, (long long)w->limits.fan_out);
    return error_set(error, RV_CONFLICT, "the network does not fit on %s", w->chip->name);
}

static double fan_in_of(const map_problem *w, const int32_t *neurons, int32_t n)
{
    double sum = 0;
    for (int32_t i = 0; i < n; i++) sum += (double)(w->h.begin[neurons[i] + 1] - w->h.begin[neurons[i]]);
    return n ? sum / n : 0;
}

rv_status map_explain_excess(const map_problem *w, const partition *p, rv_error *error)
{
    char text[400];
    for (int32_t c = 0; c < p->n_parts; c++)
        for (int r = 0; r < HW_N_RESOURCES; r++) {
            const part_state *s = &p->state[c];
            if (s->use[r] <= w->limits.most[r]) continue;
            crowd crowd = { w->graph, s->member, s->n_members, fan_in_of(w, s->member, s->n_members) };
            explain(&crowd, (hw_resource)r, s->use[r], w->limits.most[r], text, sizeof text);
            if (w->limits.fan_out == INT64_MAX) return error_set(error, RV_OUT_OF_RANGE, "a core of %s would have %s", w->chip->name, text);
            return error_set(error, RV_OUT_OF_RANGE, "a neuron of %s can reach %lld cores, and to hold that a core would have %s; or lower the fan-out, "
                             "or pass spikes on by relay neurons", w->chip->name, (long long)w->limits.fan_out, text);
        }
    return explain_fan_out(w, p, error);
}

/* Which resource is the fullest on most cores. */
static hw_resource tightest_of(const map_problem *w, const partition *p)
{
    int64_t n[HW_N_RESOURCES] = { 0 };
    int     tightest = 0;
    for (int32_t c = 0; c < p->n_parts; c++) {
        int fullest = 0;
        for (int r = 1; r < HW_N_RESOURCES; r++)
            if (hw_part_used((hw_resource)r, p->state[c].use[r], (double)w->limits.most[r]) > hw_part_used((hw_resource)fullest, p->state[c].use[fullest], (double)w->limits.most[fullest])) fullest = r;
        n[fullest]++;
    }
    for (int r = 1; r < HW_N_RESOURCES; r++)
        if (n[r] > n[tightest]) tightest = r;
    return (hw_resource)tightest;
}

rv_status map_explain_cores(const map_problem *w, const partition *p, int64_t cores, rv_error *error)
{
    hw_resource r = tightest_of(w, p);
    int64_t     of_chip = hw_limit(w->chip, HW_CORES), chips = (p->n_parts + of_chip - 1) / of_chip;
    double      neurons = 0, use = 0;
    for (int32_t c = 0; c < p->n_parts; c++) neurons += p->state[c].n_members, use += (double)p->state[c].use[r];
    return error_set(error, RV_OUT_OF_RANGE,
                     "the network takes %d cores (%lld chips) of %s, allowed are %lld: a core holds %.1f neurons and then has %.0f of %lld %s; %s",
                     p->n_parts, (long long)chips, w->chip->name, (long long)cores, neurons / p->n_parts, use / p->n_parts,
                     (long long)w->limits.most[r], hw_resource_name[r], advice[r]);
}

/* ---- of a finished map ------------------------------------------------------------------------------------------ */

double hw_map_fullness(const hw_map *map, int32_t core, hw_resource *tightest)
{
    double full = 0;
    if (tightest) *tightest = HW_USE_NEURONS;
    for (int r = 0; r < HW_N_RESOURCES; r++) {
        double part = hw_part_used((hw_resource)r, map->core[core].use[r], hw_value(&map->chip, hw_resource_limit[r]));
        if (part > full) {
            full = part;
            if (tightest) *tightest = (hw_resource)r;
        }
    }
    return full;
}

static double fan_in_on(const hw_map *map, int32_t core)
{
    double sum = 0;
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        for (int64_t a = map->axon_begin[j]; a < map->axon_begin[j + 1]; a++)
            if (map->axon[a].core == core) sum += map->axon[a].n;
    return map->core[core].n_neurons ? sum / map->core[core].n_neurons : 0;
}

static void list_violations(const hw_map *map, FILE *out)
{
    char text[400];
    for (int32_t c = 0; c < map->n_cores; c++)
        for (int r = 0; r < HW_N_RESOURCES; r++) {
            int64_t most = hw_limit(&map->chip, hw_resource_limit[r]), use = map->core[c].use[r];
            if (use <= most) continue;
            crowd crowd = { map->graph, map->neuron + map->core[c].first_neuron, map->core[c].n_neurons, fan_in_on(map, c) };
            explain(&crowd, (hw_resource)r, use, most, text, sizeof text);
            fprintf(out, "core %d: %s\n", c, text);
        }
    int64_t fan_out = hw_limit(&map->chip, HW_FAN_OUT);
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        if (map->axon_begin[j + 1] - map->axon_begin[j] > fan_out)
            fprintf(out, "%s reaches %lld of %lld cores; lower its fan-out, or pass its spikes on by relay neurons\n", NEURON_TEXT_OF(map->graph, j),
                    (long long)(map->axon_begin[j + 1] - map->axon_begin[j]), (long long)fan_out);
}

rv_status hw_map_violations(const hw_map *map, char **text)
{
    size_t size;
    FILE  *out = open_memstream(text, &size);
    if (!out) return RV_OUT_OF_MEMORY;
    list_violations(map, out);
    return fclose(out) == 0 ? RV_OK : RV_OUT_OF_MEMORY;
}

const char *hw_map_advice(hw_resource r) { return advice[r]; }
