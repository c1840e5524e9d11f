/* Where an exponent loses no bit, weights are written as what they add, and all of them meet in sum 0. Where it does, Lava rounds what arrives
 * from one projection with one delay: such a pair has a sum of its own, which is shifted before it is added. */
#include "hw/export_header.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/export_rows.h"
#include "sim/error.h"

enum { PER_LINE = 16, MOST_DELAY = 65535 };

typedef struct writer {
    export_net    e;
    export_rows   rows;
    const hw_map *map;
    int          *first_sum; /* [n_projections] of its delay 1; 0: sum 0       */
    int          *own_sums;  /* [n_projections] how many, in that order        */
    int           n_sums, longest;
    FILE         *file;
    rv_error     *error;
} writer;

/* ---- what can be written ------------------------------------------------------------------------------------------- */

static rv_status check_population(const writer *w, int k)
{
    const population_def *p = export_population(&w->e, k);
    if (export_is_input(p)) return RV_OK;
    if (strcmp(p->model->table.name, "loihi_lif") != 0)
        return error_set(w->error, RV_CONFLICT, "%s: its model is %s, but headers hold neurons of one kind: the nearest is loihi_lif", export_population_name(&w->e, k), p->model->table.name);
    for (int64_t i = 0; i < p->n; i++) {
        if (export_param(p, "reset_interval", i) != 0)
            return error_set(w->error, RV_CONFLICT, "%s: reset_interval = %g for neuron %lld, but the neurons of headers are not reset by the clock: set it to 0", export_population_name(&w->e, k),
                             export_param(p, "reset_interval", i), (long long)i);
        if (fabs(export_bias(p, i)) > 0x1p30)
            return error_set(w->error, RV_CONFLICT, "%s: the bias of neuron %lld is %g, allowed are +-2^30", export_population_name(&w->e, k), (long long)i, export_bias(p, i));
    }
    return RV_OK;
}

static double effect(const export_synapses *s, double weight) { return s->summed ? weight : weight * ldexp(1, (int)export_synapse_param(s, "weight_exp", 0)); }

static rv_status check_projection(writer *w, int k)
{
    const export_synapses *s = &w->e.projection[k];
    const char            *kind = s->kind ? s->kind->table.name : "plain";
    if (strcmp(kind, "loihi") != 0 && s->kind)
        return error_set(w->error, RV_CONFLICT, "%s: its synapses are %s, but headers hold those of Loihi 2: the nearest are synapse = \"loihi\"", export_projection_name(&w->e, s), kind);
    if (s->graded) return error_set(w->error, RV_CONFLICT, "%s: num_message_bits is not 0, but the spikes of headers carry nothing", export_projection_name(&w->e, s));
    for (int64_t i = 0; i < s->n; i++) {
        double x = effect(s, s->weight[i]);
        if (x != rint(x) || fabs(x) > 0x1p30)
            return error_set(w->error, RV_CONFLICT, "%s has a weight that adds %g, but headers hold whole numbers up to 2^30: quantise the network first", export_projection_name(&w->e, s), x);
        if (s->delay[i] > w->longest) w->longest = (int)s->delay[i];
    }
    if (w->longest > MOST_DELAY) return error_set(w->error, RV_CONFLICT, "%s has a delay of %d steps, allowed are %d", export_projection_name(&w->e, s), w->longest, MOST_DELAY);
    return RV_OK;
}

static rv_status number_sums(writer *w)
{
    w->n_sums = 1, w->longest = 1;
    w->first_sum = calloc((size_t)w->e.n_projections + 1, sizeof *w->first_sum);
    w->own_sums = calloc((size_t)w->e.n_projections + 1, sizeof *w->own_sums);
    if (!w->first_sum || !w->own_sums) return error_memory(w->error, "sums", 0);
    for (int k = 0; k < w->e.def->n_populations; k++) TRY(check_population(w, k));
    for (int k = 0; k < w->e.n_projections; k++) {
        const export_synapses *s = &w->e.projection[k];
        TRY(check_projection(w, k));
        if (!s->summed) continue;
        for (int64_t i = 0; i < s->n; i++)
            if (s->delay[i] > w->own_sums[k]) w->own_sums[k] = (int)s->delay[i];
        w->first_sum[k] = w->n_sums, w->n_sums += w->own_sums[k];
    }
    return w->n_sums <= 65535 ? RV_OK : error_set(w->error, RV_CONFLICT, "%d projections and delays round what arrives, allowed are 65535: choose exponents that lose no bits", w->n_sums);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------------ */

/* Numbers of an array that are picked one by one. An array of C has one element at least. */
typedef double (*pick_fn)(const writer *w, int32_t core, int64_t k);

static void print_array(const writer *w, const char *type, int32_t core, const char *name, pick_fn pick, int64_t n, const char *meaning)
{
    fprintf(w->file, "static const %s core%d_%s[] = { /* %s */", type, core, name, meaning);
    for (int64_t k = 0; k < n; k++) fprintf(w->file, "%s%.0f,", k % PER_LINE ? " " : "\n    ", pick(w, core, k) + 0.0);
    fputs(n ? "\n};\n" : " 0 };\n", w->file);
}

/* A neuron of a core. */
typedef struct place {
    const population_def *p;
    int64_t               i;
} place;

static place neuron_at(const writer *w, int32_t core, int64_t k)
{
    int64_t j = w->map->neuron[w->map->core[core].first_neuron + k];
    int     g = 0;
    while (g + 1 < w->map->graph->n_groups && w->map->graph->group[g + 1].first <= j) g++;
    return (place){ export_population(&w->e, g), j - w->map->graph->group[g].first };
}

#define PICK_PARAM(name, expression)                                     \
    static double name(const writer *w, int32_t core, int64_t k)         \
    {                                                                    \
        place at = neuron_at(w, core, k);                                \
        return expression;                                               \
    }
PICK_PARAM(pick_du, export_param(at.p, "du", at.i))
PICK_PARAM(pick_dv, export_param(at.p, "dv", at.i))
PICK_PARAM(pick_vth, export_param(at.p, "vth", at.i) * 64)
PICK_PARAM(pick_bias, export_bias(at.p, at.i))
PICK_PARAM(pick_u, export_initial(at.p, "u", at.i))
PICK_PARAM(pick_v, export_initial(at.p, "v", at.i))

static double pick_neuron(const writer *w, int32_t core, int64_t k) { return w->map->neuron[w->map->core[core].first_neuron + k]; }

static void print_neurons(const writer *w, int32_t c)
{
    int64_t n = w->map->core[c].n_neurons;
    print_array(w, "int32_t", c, "neuron", pick_neuron, n, "their numbers in the network");
    print_array(w, "int16_t", c, "du", pick_du, n, "decays of u, in 4096ths");
    print_array(w, "int16_t", c, "dv", pick_dv, n, "decays of v, in 4096ths");
    print_array(w, "int32_t", c, "vth", pick_vth, n, "thresholds");
    print_array(w, "int32_t", c, "bias", pick_bias, n, "biases");
    print_array(w, "int32_t", c, "u", pick_u, n, "currents at the beginning");
    print_array(w, "int32_t", c, "v", pick_v, n, "voltages at the beginning");
}

/* ---- axons --------------------------------------------------------------------------------------------------------------- */

/* The axons of the core being written, one after the other. */
typedef struct axons {
    int64_t  n, n_synapses;
    int64_t *source, *first; /* [n], [n + 1]                           */
    int64_t *synapse;        /* [n_synapses] in the order of the graph */
} axons;

static rv_status list_axons(const writer *w, int32_t core, axons *a)
{
    const hw_map *map = w->map;
    *a = (axons){ 0 };
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        for (int64_t k = map->axon_begin[j]; k < map->axon_begin[j + 1]; k++)
            if (map->axon[k].core == core) a->n++, a->n_synapses += map->axon[k].n;
    a->source = malloc((size_t)(a->n + 1) * 8), a->first = malloc((size_t)(a->n + 2) * 8), a->synapse = malloc((size_t)(a->n_synapses + 1) * 8);
    if (!a->source || !a->first || !a->synapse) return error_memory(w->error, "axons", (double)a->n_synapses * 8);
    int64_t n = 0, s = 0;
    for (int64_t j = 0; j < map->graph->n_neurons; j++)
        for (int64_t k = map->axon_begin[j]; k < map->axon_begin[j + 1]; k++) {
            if (map->axon[k].core != core) continue;
            a->source[n] = j, a->first[n++] = s;
            for (int32_t i = 0; i < map->axon[k].n; i++) a->synapse[s++] = map->graph->row[j] + map->synapse[map->axon[k].first + i];
        }
    a->first[n] = s;
    return RV_OK;
}

static void print_list(const writer *w, const char *type, int32_t core, const char *name, const int64_t *x, int64_t n, const char *meaning)
{
    fprintf(w->file, "static const %s core%d_%s[] = { /* %s */", type, core, name, meaning);
    for (int64_t k = 0; k < n; k++) fprintf(w->file, "%s%lld,", k % PER_LINE ? " " : "\n    ", (long long)x[k]);
    fputs(n ? "\n};\n" : " 0 };\n", w->file);
}

typedef int64_t (*synapse_fn)(const writer *w, int64_t synapse);

static int64_t pick_index(const writer *w, int64_t k) { return w->map->compartment[w->map->graph->target[k]]; }
static int64_t pick_delay(const writer *w, int64_t k) { return w->map->graph->delay[k]; }
static int64_t pick_weight(const writer *w, int64_t k)
{
    return (int64_t)effect(&w->e.projection[w->rows.projection[k]], export_rows_weight(&w->e, w->map->graph, &w->rows, k));
}
static int64_t pick_sum(const writer *w, int64_t k)
{
    int first = w->first_sum[w->rows.projection[k]];
    return first ? first + w->map->graph->delay[k] - 1 : 0;
}

static void print_synapses(const writer *w, const char *type, int32_t core, const char *name, const axons *a, int64_t *x, synapse_fn pick, const char *meaning)
{
    for (int64_t k = 0; k < a->n_synapses; k++) x[k] = pick(w, a->synapse[k]);
    print_list(w, type, core, name, x, a->n_synapses, meaning);
}

static rv_status print_axons(const writer *w, int32_t c)
{
    axons     a;
    rv_status status = list_axons(w, c, &a);
    int64_t  *x = malloc((size_t)(a.n_synapses + 1) * sizeof *x);
    if (!x) status = error_memory(w->error, "synapses", (double)a.n_synapses * sizeof *x);
    if (status == RV_OK) {
        print_list(w, "int32_t", c, "source", a.source, a.n, "input axons: the neuron or input whose spike arrives");
        print_list(w, "int32_t", c, "first", a.first, a.n + 1, "first synapse of each axon, and their number");
        print_synapses(w, "uint16_t", c, "index", &a, x, pick_index, "synapses: the neuron on this core");
        print_synapses(w, "int32_t", c, "weight", &a, x, pick_weight, "weights");
        print_synapses(w, "uint16_t", c, "delay", &a, x, pick_delay, "delays in steps, 1: the next step");
        print_synapses(w, "uint16_t", c, "sum", &a, x, pick_sum, "the sum that a weight is added to");
        fprintf(w->file, "#define CORE%d_AXONS %lld\n\n", c, (long long)a.n);
    }
    free(a.source), free(a.first), free(a.synapse), free(x);
    return status;
}

static rv_status print_core(const writer *w, int32_t c)
{
    const hw_core *core = &w->map->core[c];
    fprintf(w->file, "/* ---- core %d: chip %d, place %d, tile at (%d, %d); %d neurons ---- */\n\n", c, core->chip, core->place, core->x, core->y, core->n_neurons);
    print_neurons(w, c);
    return print_axons(w, c);
}

/* ---- the text ---------------------------------------------------------------------------------------------------------------- */

static const char explanation[] =
    " * One step t = 1, 2, ... All numbers are whole; >> rounds down, also what is negative.\n"
    " *\n"
    " *   for every neuron i of every core:\n"
    " *     input = sum 0 due at t, plus every other sum due at t, each first shifted right by network_sum_shift[sum]\n"
    " *     u = u * (4095 - du) / 4096 (toward zero) + input * 64;  once: above 2^23 minus 2^24, at or below -2^23 plus 2^24\n"
    " *     v = v * (4096 - dv) / 4096 (toward zero) + u + bias;    at most +-(2^23 - 1)\n"
    " *     if v > vth: it spikes, and v = 0\n"
    " *   for every neuron or input that spikes, and every core with an axon of it: for the synapses of the axon\n"
    " *     add weight to sum[t + delay] of neuron index\n"
    " *\n"
    " * Neurons and inputs are numbered through, population after population. */\n";

static void print_head(const writer *w)
{
    FILE   *f = w->file;
    int32_t most = 1;
    for (int32_t c = 0; c < w->map->n_cores; c++)
        if (w->map->core[c].n_neurons > most) most = w->map->core[c].n_neurons;
    fprintf(f, "/* A network on %s, written by Ranvier " RV_VERSION ".\n *\n%s", w->map->chip.title, explanation);
    fputs("#ifndef RANVIER_NETWORK_H\n#define RANVIER_NETWORK_H\n\n#include <stdint.h>\n\n", f);
    fprintf(f, "#define NETWORK_NEURONS %lld /* and inputs */\n#define NETWORK_CORES %d\n#define NETWORK_MOST_NEURONS %d /* of a core */\n#define NETWORK_LONGEST_DELAY %d\n#define NETWORK_SUMS %d\n",
            (long long)w->map->graph->n_neurons, w->map->n_cores, most, w->longest, w->n_sums);
    fprintf(f, "#define NETWORK_POPULATIONS %d\n\n", w->map->graph->n_groups);
    fputs("typedef struct network_population {\n    const char *name;\n    int32_t     first, n, input; /* input: spikes come from outside */\n} network_population;\n\n", f);
    fputs("typedef struct network_core {\n    int32_t        n_neurons, n_axons;\n    const int32_t *neuron;\n    const int16_t *du, *dv;\n    const int32_t *vth, *bias, *u, *v;\n"
          "    const int32_t *source, *first;\n    const uint16_t *index;\n    const int32_t *weight;\n    const uint16_t *delay, *sum;\n} network_core;\n\n", f);
}

/* Names as C writes them. */
static void print_name(FILE *f, const char *name)
{
    fputc('"', f);
    for (; *name; name++)
        if (*name == '"' || *name == '\\') fprintf(f, "\\%c", *name);
        else if ((unsigned char)*name < ' ' || *name == '?') fprintf(f, "\\%03o", (unsigned char)*name);
        else fputc(*name, f);
    fputc('"', f);
}

static void print_populations(const writer *w)
{
    fputs("static const network_population network_populations[NETWORK_POPULATIONS] = {\n", w->file);
    for (int k = 0; k < w->map->graph->n_groups; k++) {
        const hw_group *g = &w->map->graph->group[k];
        fputs("    { ", w->file);
        print_name(w->file, g->name);
        fprintf(w->file, ", %lld, %lld, %d },\n", (long long)g->first, (long long)g->n, g->input);
    }
    fputs("};\n\n", w->file);
}

static void print_sums(const writer *w)
{
    fputs("static const uint8_t network_sum_shift[NETWORK_SUMS] = { 0,", w->file);
    for (int k = 0; k < w->e.n_projections; k++)
        for (int i = 0; i < w->own_sums[k]; i++) fprintf(w->file, " %d,", -(int)export_synapse_param(&w->e.projection[k], "weight_exp", 0));
    fputs(" };\n\n", w->file);
}

static void print_table(const writer *w)
{
    fputs("static const network_core network_cores[NETWORK_CORES] = {\n", w->file);
    for (int32_t c = 0; c < w->map->n_cores; c++) {
        static const char *const arrays[] = { "neuron", "du", "dv", "vth", "bias", "u", "v", "source", "first", "index", "weight", "delay", "sum" };
        fprintf(w->file, "    { %d, CORE%d_AXONS,", w->map->core[c].n_neurons, c);
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++) fprintf(w->file, " core%d_%s%s", c, arrays[k], k + 1 < sizeof arrays / sizeof *arrays ? "," : " },\n");
    }
    fputs("};\n\n#endif\n", w->file);
}

static rv_status print_all(const writer *w)
{
    print_head(w);
    print_populations(w);
    print_sums(w);
    for (int32_t c = 0; c < w->map->n_cores; c++) TRY(print_core(w, c));
    print_table(w);
    return RV_OK;
}

static rv_status write_file(writer *w, const char *path)
{
    w->file = fopen(path, "w");
    if (!w->file) return error_set(w->error, RV_FILE_ERROR, "file \"%s\" cannot be made: %s", path, strerror(errno));
    rv_status status = print_all(w);
    bool      failed = ferror(w->file) != 0;
    if (fclose(w->file) != 0) failed = true;
    return status == RV_OK && failed ? error_set(w->error, RV_FILE_ERROR, "file \"%s\" cannot be written: %s", path, strerror(errno)) : status;
}

rv_status hw_header_write(const char *path, rv_net *net, const hw_map *map, rv_error *error)
{
    writer w = { .map = map, .error = error };
    TRY(export_net_open(net, "header", &w.e, error));
    rv_status status = export_rows_open(&w.e, map->graph, &w.rows, error);
    if (status == RV_OK) status = number_sums(&w);
    if (status == RV_OK) status = write_file(&w, path);
    free(w.first_sum), free(w.own_sums);
    export_rows_close(&w.rows);
    export_net_close(&w.e);
    return status;
}
