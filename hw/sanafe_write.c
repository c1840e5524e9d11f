#include <math.h>
#include <stdarg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/place.h"
#include "hw/sanafe.h"
#include "sim/error.h"

/* ---- the units of every neuron -------------------------------------------------------------------------------------- */

/* Which of the chip's units a neuron takes: each input has a soma of its own on its core, a neuron that hears delayed spikes the dendrite
 * that delays. */
typedef struct units {
    int32_t *soma;    /* [n_neurons] number of an input on its core */
    bool    *delayed; /* [n_neurons] */
} units;

static int compare_place(const sanafe_neuron *a, const sanafe_neuron *b) { return a->tile != b->tile ? (a->tile < b->tile ? -1 : 1) : (a->core > b->core) - (a->core < b->core); }

typedef struct placed {
    const sanafe_neuron *neuron;
    int32_t              number;
} placed;

static int by_core(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    int           c = compare_place(x->neuron, y->neuron);
    return c ? c : (x->number > y->number) - (x->number < y->number);
}

static void number_inputs(const sanafe_net *s, placed *list, int32_t *soma)
{
    int64_t n = 0;
    for (int64_t j = 0; j < s->n_neurons; j++)
        if (s->neuron[j].input) list[n++] = (placed){ &s->neuron[j], (int32_t)j };
    qsort(list, (size_t)n, sizeof *list, by_core);
    for (int64_t k = 0; k < n; k++) soma[list[k].number] = k > 0 && compare_place(list[k].neuron, list[k - 1].neuron) == 0 ? soma[list[k - 1].number] + 1 : 0;
}

static rv_status find_units(const sanafe_net *s, units *u, rv_error *error)
{
    placed *list = malloc((size_t)(s->n_neurons + 1) * sizeof *list);
    *u = (units){ calloc((size_t)s->n_neurons + 1, sizeof *u->soma), calloc((size_t)s->n_neurons + 1, sizeof *u->delayed) };
    if (!list || !u->soma || !u->delayed) return free(list), error_memory(error, "units", (double)s->n_neurons * 24);
    number_inputs(s, list, u->soma);
    for (int64_t k = 0; k < s->n_edges; k++) u->delayed[s->edge[k].target] |= s->edge[k].delay > 0;
    free(list);
    return RV_OK;
}

/* ---- numbers --------------------------------------------------------------------------------------------------------- */

/* As short as it can be read back. */
static const char *number(double x, char text[32])
{
    snprintf(text, 32, "%.15g", x + 0.0);
    if (strtod(text, NULL) != x) snprintf(text, 32, "%.17g", x);
    return text;
}
#define NUMBER(x) number(x, (char[32]){ 0 })

/* Zeros and ones up to the last spike, separated by a comma and `space`. */
static void print_spikes(FILE *f, const sanafe_net *s, const sanafe_neuron *n, const char *space)
{
    int64_t at = 0;
    fputc('[', f);
    for (int64_t t = 1; t <= s->n_steps; t++) {
        bool spike = at < n->n_spikes && s->spike[n->first_spike + at] == t;
        at += spike;
        fprintf(f, "%s%s%d", t > 1 ? "," : "", t > 1 ? space : "", spike);
    }
    fputc(']', f);
}

/* A file is made whole or not at all. */
static rv_status close_file(FILE *f, const char *path, rv_error *error)
{
    bool failed = ferror(f) != 0;
    if (fclose(f) != 0) failed = true;
    return failed ? error_set(error, RV_FILE_ERROR, "file \"%s\" cannot be written: %s", path, strerror(errno)) : RV_OK;
}

static rv_status open_file(const char *path, FILE **f, rv_error *error)
{
    *f = fopen(path, "w");
    return *f ? RV_OK : error_set(error, RV_FILE_ERROR, "file \"%s\" cannot be made: %s", path, strerror(errno));
}

/* ---- YAML -------------------------------------------------------------------------------------------------------------- */

/* What a neuron has beside the attributes of its group, which are those of the group's first. */
static void print_yaml_neuron(FILE *f, const sanafe_net *s, const sanafe_neuron *n, const sanafe_neuron *first)
{
    if (n->input) {
        fputs("spikes: ", f);
        print_spikes(f, s, n, " ");
        return;
    }
    fprintf(f, "bias: %s", NUMBER(n->bias));
    if (n->threshold != first->threshold) fprintf(f, ", threshold: %s", NUMBER(n->threshold));
    if (n->leak_decay != first->leak_decay) fprintf(f, ", leak_decay: %s", NUMBER(n->leak_decay));
    if (n->input_decay != first->input_decay) fprintf(f, ", input_decay: %s", NUMBER(n->input_decay));
}

static void print_yaml_group(FILE *f, const sanafe_net *s, const sanafe_group *g)
{
    const sanafe_neuron *first = &s->neuron[g->first];
    fprintf(f, "    - name: %s\n      attributes: {", g->name);
    if (!first->input)
        fprintf(f, "threshold: %s, reset: %s, leak_decay: %s, input_decay: %s, ", NUMBER(first->threshold), NUMBER(first->reset), NUMBER(first->leak_decay), NUMBER(first->input_decay));
    fputs("log_spikes: true}\n      neurons:\n", f);
    for (int64_t i = 0; i < g->n; i++) {
        fprintf(f, "        - %lld: {", (long long)i);
        print_yaml_neuron(f, s, first + i, first);
        fputs("}\n", f);
    }
}

static const sanafe_group *group_of(const sanafe_net *s, int64_t neuron)
{
    int k = 0;
    while (k + 1 < s->n_groups && s->group[k + 1].first <= neuron) k++;
    return &s->group[k];
}

static void print_yaml_mapping(FILE *f, const sanafe_net *s, const units *u, int64_t j)
{
    const sanafe_group  *g = group_of(s, j);
    const sanafe_neuron *n = &s->neuron[j];
    fprintf(f, "  - %s.%lld: {core: %d.%d, soma: ", g->name, (long long)(j - g->first), n->tile, n->core);
    if (n->input) fprintf(f, "\"loihi_inputs[%d]\"", u->soma[j]);
    else fputs("loihi_lif", f);
    fprintf(f, ", synapse: loihi_dense_synapse, dendrite: %s}\n", u->delayed[j] ? "loihi_dendrites_delay" : "loihi_dendrites");
}

static void print_yaml(FILE *f, const sanafe_net *s, const units *u)
{
    fputs("# written by Ranvier " RV_VERSION "\nnetwork:\n  name: ranvier\n  groups:\n", f);
    for (int k = 0; k < s->n_groups; k++) print_yaml_group(f, s, &s->group[k]);
    fputs("  edges:\n", f);
    for (int64_t k = 0; k < s->n_edges; k++) {
        const sanafe_edge  *e = &s->edge[k];
        const sanafe_group *a = group_of(s, e->source), *b = group_of(s, e->target);
        fprintf(f, "    - %s.%lld -> %s.%lld: {weight: %s", a->name, (long long)(e->source - a->first), b->name, (long long)(e->target - b->first), NUMBER(e->weight));
        if (e->delay) fprintf(f, ", delay: %d", e->delay);
        fputs("}\n", f);
    }
    fputs("mappings:\n", f);
    for (int64_t j = 0; j < s->n_neurons; j++) print_yaml_mapping(f, s, u, j);
}

/* ---- netlists ------------------------------------------------------------------------------------------------------------ */

/* In a netlist units belong to groups: every input is one, and a group is delayed as a whole. */
typedef struct netlist_name {
    int64_t group, neuron;
} netlist_name;

static netlist_name name_of(const sanafe_net *s, int64_t j)
{
    int64_t number = 0;
    for (int k = 0; k < s->n_groups; k++) {
        const sanafe_group *g = &s->group[k];
        bool                input = s->neuron[g->first].input;
        if (j < g->first + g->n) return input ? (netlist_name){ number + j - g->first, 0 } : (netlist_name){ number, j - g->first };
        number += input ? g->n : 1;
    }
    return (netlist_name){ 0 };
}

static bool is_delayed(const sanafe_group *g, const units *u)
{
    for (int64_t i = 0; i < g->n; i++)
        if (u->delayed[g->first + i]) return true;
    return false;
}

static void print_net_group(FILE *f, const sanafe_net *s, const units *u, const sanafe_group *g)
{
    const sanafe_neuron *first = &s->neuron[g->first];
    for (int64_t i = 0; i < g->n && first->input; i++)
        fprintf(f, "g 1 log_spikes=1 soma_hw_name=loihi_inputs[%d] synapse_hw_name=loihi_dense_synapse dendrite_hw_name=loihi_dendrites\n", u->soma[g->first + i]);
    if (first->input) return;
    fprintf(f, "g %lld threshold=%s reset=%s leak_decay=%s input_decay=%s log_spikes=1 soma_hw_name=loihi_lif synapse_hw_name=loihi_dense_synapse dendrite_hw_name=%s\n", (long long)g->n,
            NUMBER(first->threshold), NUMBER(first->reset), NUMBER(first->leak_decay), NUMBER(first->input_decay), is_delayed(g, u) ? "loihi_dendrites_delay" : "loihi_dendrites");
}

static void print_net_neuron(FILE *f, const sanafe_net *s, int64_t j)
{
    const sanafe_neuron *n = &s->neuron[j], *first = &s->neuron[group_of(s, j)->first];
    netlist_name         name = name_of(s, j);
    fprintf(f, "n %lld.%lld ", (long long)name.group, (long long)name.neuron);
    if (n->input) {
        fputs("[spikes: ", f);
        print_spikes(f, s, n, "");
        fputs("]\n", f);
        return;
    }
    fprintf(f, "bias=%s", NUMBER(n->bias));
    if (n->threshold != first->threshold) fprintf(f, " threshold=%s", NUMBER(n->threshold));
    if (n->leak_decay != first->leak_decay) fprintf(f, " leak_decay=%s", NUMBER(n->leak_decay));
    if (n->input_decay != first->input_decay) fprintf(f, " input_decay=%s", NUMBER(n->input_decay));
    fputc('\n', f);
}

static void print_netlist(FILE *f, const sanafe_net *s, const units *u)
{
    for (int k = 0; k < s->n_groups; k++) print_net_group(f, s, u, &s->group[k]);
    for (int64_t j = 0; j < s->n_neurons; j++) print_net_neuron(f, s, j);
    for (int64_t k = 0; k < s->n_edges; k++) {
        netlist_name a = name_of(s, s->edge[k].source), b = name_of(s, s->edge[k].target);
        fprintf(f, "e %lld.%lld->%lld.%lld weight=%s", (long long)a.group, (long long)a.neuron, (long long)b.group, (long long)b.neuron, NUMBER(s->edge[k].weight));
        if (s->edge[k].delay) fprintf(f, " delay=%d", s->edge[k].delay);
        fputc('\n', f);
    }
    for (int64_t j = 0; j < s->n_neurons; j++) {
        netlist_name name = name_of(s, j);
        fprintf(f, "& %lld.%lld@%d.%d\n", (long long)name.group, (long long)name.neuron, s->neuron[j].tile, s->neuron[j].core);
    }
}

rv_status sanafe_write(const sanafe_net *s, const char *path, rv_error *error)
{
    size_t    length = strlen(path);
    FILE     *f = NULL;
    units     u;
    rv_status status = find_units(s, &u, error);
    if (status == RV_OK) status = open_file(path, &f, error);
    if (status == RV_OK) {
        if (length > 4 && strcmp(path + length - 4, ".net") == 0) print_netlist(f, s, &u);
        else print_yaml(f, s, &u);
        status = close_file(f, path, error);
    }
    free(u.soma), free(u.delayed);
    return status;
}

/* ---- the architecture ------------------------------------------------------------------------------------------------------ */

static rv_status check_costs(const hw_chip *chip, rv_error *error)
{
    for (int q = HW_ENERGY_SYNAPSE; q <= HW_BARRIER_29; q++)
        if (isnan(hw_value(chip, (hw_quantity)q)))
            return error_set(error, RV_CONFLICT, "chip %s: %s is not known, without which SANA-FE cannot state costs: map to loihi1, or give it in a profile of your own", chip->name,
                             hw_quantities[q].name);
    return RV_OK;
}

/* Inputs take a soma each, and a place among the core's neurons. */
static void count_most(const hw_map *map, int64_t *inputs, int64_t *neurons)
{
    int64_t *n = calloc((size_t)map->n_cores + 1, sizeof *n);
    *inputs = 1, *neurons = 1;
    for (int64_t j = 0; j < map->graph->n_neurons && n; j++)
        if (map->compartment[j] < 0 && ++n[map->core_of[j]] > *inputs) *inputs = n[map->core_of[j]];
    for (int32_t c = 0; c < map->n_cores && n; c++)
        if (map->core[c].n_neurons + n[c] > *neurons) *neurons = map->core[c].n_neurons + n[c];
    free(n);
}

static double of(const hw_map *map, hw_quantity q) { return hw_value(&map->chip, q); }

static void print_tiles(FILE *f, const hw_map *map)
{
    mesh m = mesh_of(&map->chip, map->n_chips);
    int  rows = (m.n_chips + m.chips_x - 1) / m.chips_x, width = m.chips_x * m.x, height = rows * m.y;
    fprintf(f, "# %s, as Ranvier " RV_VERSION " knows it\narchitecture:\n  name: %s\n  attributes:\n    topology: mesh\n    width: %d\n    height: %d\n    link_buffer_size: 16\n", map->chip.title,
            map->chip.name, width, height);
    fprintf(f, "    sync_model: table\n    latency_sync: {1: %ge-9, 2: %ge-9, 4: %ge-9, 29: %ge-9}\n", of(map, HW_BARRIER_1), of(map, HW_BARRIER_2), of(map, HW_BARRIER_4), of(map, HW_BARRIER_29));
    fprintf(f, "  tile:\n    - name: loihi_tile[0..%d]\n      attributes:\n", width * height - 1);
    static const char *const sides[] = { "north", "south", "east", "west" };
    static const double      latency[] = { 6.5, 6.5, 4.1, 4.1 }; /* ns: SANA-FE's; only its detailed timing looks at them */
    for (int k = 0; k < 4; k++)
        fprintf(f, "        energy_%s_hop: %ge-12\n        latency_%s_hop: %ge-9\n", sides[k], of(map, k < 2 ? HW_ENERGY_HOP_Y : HW_ENERGY_HOP_X), sides[k], latency[k]);
}

static void print_unit(FILE *f, const char *kind, const char *name, int n, ...)
{
    va_list list;
    fprintf(f, "%s            - name: %s\n              attributes:\n", kind, name);
    va_start(list, n);
    for (int k = 0; k < n; k++) {
        const char *attribute = va_arg(list, const char *), *value = va_arg(list, const char *);
        fprintf(f, "                %s: %s\n", attribute, value);
    }
    va_end(list);
}

#define WITH_UNIT(x, unit) with_unit(x, unit, (char[40]){ 0 })
static const char *with_unit(double x, const char *unit, char text[40])
{
    snprintf(text, 40, "%.15g%s", x, unit);
    return text;
}
#define PJ(q) WITH_UNIT(of(map, q), "e-12")
#define NS(q) WITH_UNIT(of(map, q), "e-9")

static void print_core(FILE *f, const hw_map *map, int64_t inputs, int64_t neurons)
{
    char name[40];
    int64_t limit = hw_limit(&map->chip, HW_NEURONS);
    fprintf(f, "      core:\n        - name: loihi_core[0..%d]\n          attributes:\n            buffer_position: soma\n            buffer_inside_unit: false\n            max_neurons_supported: %lld\n",
            (int)of(map, HW_TILE_CORES) - 1, (long long)(limit == INT64_MAX || limit < neurons ? neurons : limit));
    snprintf(name, sizeof name, "loihi_inputs[0..%lld]", (long long)inputs - 1);
    print_unit(f, "          axon_in:\n", "loihi_in", 2, "energy_message_in", "0.0", "latency_message_in", NS(HW_TIME_MESSAGE_IN));
    print_unit(f, "          soma:\n", "loihi_lif", 7, "model", "leaky_integrate_fire", "energy_access_neuron", PJ(HW_ENERGY_NEURON), "latency_access_neuron", NS(HW_TIME_NEURON),
               "energy_update_neuron", PJ(HW_ENERGY_UPDATE), "latency_update_neuron", NS(HW_TIME_UPDATE), "energy_spike_out", PJ(HW_ENERGY_SPIKE), "latency_spike_out", NS(HW_TIME_SPIKE));
    print_unit(f, "", name, 7, "model", "input", "energy_access_neuron", "0.0", "latency_access_neuron", "0.0", "energy_update_neuron", "0.0", "latency_update_neuron", "0.0", "energy_spike_out", "0.0",
               "latency_spike_out", "0.0");
    print_unit(f, "          dendrite:\n", "loihi_dendrites", 3, "model", "accumulator", "energy_update", "0.0", "latency_update", "0.0");
    print_unit(f, "", "loihi_dendrites_delay", 3, "model", "accumulator_with_delay", "energy_update", "0.0", "latency_update", "0.0");
    print_unit(f, "          synapse:\n", "loihi_dense_synapse", 3, "model", "current_based", "energy_process_spike", PJ(HW_ENERGY_SYNAPSE), "latency_process_spike", NS(HW_TIME_SYNAPSE));
    print_unit(f, "          axon_out:\n", "loihi_out", 2, "energy_message_out", PJ(HW_ENERGY_MESSAGE), "latency_message_out", NS(HW_TIME_MESSAGE_OUT));
}

rv_status sanafe_write_architecture(const hw_map *map, const char *path, rv_error *error)
{
    FILE   *f;
    int64_t inputs, neurons;
    TRY(check_costs(&map->chip, error));
    TRY(open_file(path, &f, error));
    count_most(map, &inputs, &neurons);
    print_tiles(f, map);
    print_core(f, map, inputs, neurons);
    return close_file(f, path, error);
}
