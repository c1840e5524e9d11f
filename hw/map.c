#include "hw/map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "hw/map_build.h"
#include "hw/place.h"
#include "sim/error.h"

/* ---- the problem ------------------------------------------------------------------------------------------------ */

enum { MEAN_WEIGHT = 1000, MOST_WEIGHT = 1000000 };

/* A message costs its rate; silent neurons count a thousandth of the mean, for the axons they take. */
static void weigh(map_problem *w)
{
    const hw_graph *g = w->graph;
    double          sum = 0, n = 0;
    for (int64_t j = 0; j < g->n_neurons; j++)
        if (g->rate[j] > 0) sum += g->rate[j], n++;
    for (int64_t j = 0; j < g->n_neurons; j++) {
        double relative = g->rate[j] > 0 ? MEAN_WEIGHT * g->rate[j] * n / sum : 0;
        w->weight[j] = 1 + (int64_t)fmin(relative + 0.5, MOST_WEIGHT);
    }
}

static void note_inputs(map_problem *w)
{
    for (int k = 0; k < w->graph->n_groups; k++) {
        const hw_group *group = &w->graph->group[k];
        for (int64_t j = group->first; j < group->first + group->n; j++)
            w->outside[j] = group->input, w->source[j] = group->input ? -1 : (int32_t)j;
    }
}

static int64_t longest_delay(const hw_graph *g)
{
    int64_t longest = 1;
    for (int64_t k = 0; k < g->n_synapses; k++)
        if (g->delay[k] > longest) longest = g->delay[k];
    return longest;
}

static void set_limits(map_problem *w)
{
    for (int r = 0; r < HW_N_RESOURCES; r++) w->limits.most[r] = hw_limit(w->chip, hw_resource_limit[r]);
    w->limits.fan_out = hw_limit(w->chip, HW_FAN_OUT);
    w->limits.learning_axons = hw_limit(w->chip, HW_LEARNING_AXONS);
    w->limits.vertex_memory = (int64_t)(hw_value(w->chip, HW_NEURON_MEMORY) +
                                        hw_value(w->chip, HW_DELAY_MEMORY) * (double)longest_delay(w->graph));
    for (int f = 0; f < w->graph->n_formats; f++) w->encoding[f] = hw_encoding_of(w->chip, &w->graph->format[f]);
    w->limits.encoding = w->encoding, w->limits.formats = w->graph->format;
}

rv_status map_problem_open(map_problem *w, const hw_chip *chip, const hw_graph *g, rv_error *error)
{
    size_t n = (size_t)g->n_neurons + 1;
    *w = (map_problem){ .chip = chip, .graph = g };
    w->source = malloc(n * sizeof *w->source);
    w->weight = malloc(n * sizeof *w->weight);
    w->outside = malloc(n * sizeof *w->outside);
    if (!w->source || !w->weight || !w->outside) return error_memory(error, "mapping", (double)n * 13);
    weigh(w), note_inputs(w), set_limits(w);
    w->h = (hypergraph){ .n_vertices = (int32_t)g->n_neurons, .n_nets = (int32_t)g->n_neurons, .row = g->row, .pin = g->target,
                         .format = g->format_of, .source = w->source, .weight = w->weight, .outside = w->outside,
                         .profile = g->profile, .threshold = g->threshold, .setting = g->setting };
    TRY(hypergraph_transpose(&w->h, error));
    return map_check_targets(w, error);
}

void map_problem_close(map_problem *w)
{
    hypergraph_free(&w->h);
    free(w->source), free(w->weight), free(w->outside);
}

/* ---- cores to chips --------------------------------------------------------------------------------------------- */

/* The same network one level up: which other cores each neuron reaches. */
typedef struct core_graph {
    hypergraph h;
    int64_t   *row;
    int32_t   *pin, *source; /* the core of each neuron; -1: an input */
} core_graph;

static int64_t list_pins(const partition *p, core_graph *g, bool fill)
{
    int64_t n = 0;
    for (int32_t j = 0; j < p->h->n_nets; j++) {
        int32_t last = -1;
        for (int32_t k = 0; k < p->net[j].n; k++) {
            int32_t core = p->net[j].key[k] >> PARTITION_FORMAT_BITS;
            if (core == last || core == g->source[j]) continue;
            last = core;
            if (fill) g->pin[n] = core;
            n++;
        }
        g->row[j + 1] = n;
    }
    return n;
}

static rv_status core_graph_open(core_graph *g, const partition *p, rv_error *error)
{
    size_t n = (size_t)p->h->n_nets;
    *g = (core_graph){ .row = calloc(n + 2, sizeof *g->row), .source = malloc((n + 1) * sizeof *g->source) };
    if (!g->row || !g->source) return error_memory(error, "mapping", (double)n * 12);
    for (size_t j = 0; j < n; j++) g->source[j] = p->h->source[j] >= 0 ? p->part[p->h->source[j]] : -1;
    int64_t n_pins = list_pins(p, g, false);
    g->pin = malloc((size_t)(n_pins + 1) * sizeof *g->pin);
    if (!g->pin) return error_memory(error, "mapping", (double)n_pins * 4);
    list_pins(p, g, true);
    g->h = (hypergraph){ .n_vertices = p->n_parts, .n_nets = (int32_t)n, .row = g->row, .pin = g->pin, .source = g->source,
                         .weight = p->h->weight };
    return hypergraph_transpose(&g->h, error);
}

static void core_graph_close(core_graph *g)
{
    hypergraph_free(&g->h);
    free(g->row), free(g->pin), free(g->source);
}

static rv_status divide_cores(const core_graph *g, int64_t cores_of_chip, int32_t n_chips, uint64_t seed, int32_t *chip_of, rv_error *error)
{
    partition   p;
    part_limits limits = { .fan_out = INT64_MAX, .learning_axons = 1, .own_part_is_free = true };
    for (int r = 0; r < HW_N_RESOURCES; r++) limits.most[r] = INT64_MAX;
    limits.most[HW_USE_NEURONS] = cores_of_chip;
    memset(chip_of, 0, (size_t)g->h.n_vertices * sizeof *chip_of);
    if (n_chips < 2) return RV_OK;
    rv_status status = partition_start(&p, &g->h, &limits, n_chips, seed, error);
    while (status == RV_OK && p.n_parts < n_chips) partition_add(&p);
    if (status == RV_OK) status = partition_refine(&p, false, seed, error);
    if (status == RV_OK) memcpy(chip_of, p.part, (size_t)g->h.n_vertices * sizeof *chip_of);
    partition_close(&p);
    return status;
}

/* ---- cores to places -------------------------------------------------------------------------------------------- */

/* What core c sends to the others is summed in `sum`, zero between calls; the cores it reaches are listed. */
static int32_t gather_traffic(const core_graph *g, const double *rate, int32_t c, double *sum, int32_t *list)
{
    int32_t n = 0;
    for (int64_t s = g->h.sends[c]; s < g->h.sends[c + 1]; s++)
        for (int64_t k = g->row[g->h.sent[s]]; k < g->row[g->h.sent[s] + 1]; k++) {
            if (sum[g->pin[k]] == 0) list[n++] = g->pin[k];
            sum[g->pin[k]] += rate[g->h.sent[s]] + 1e-12; /* silent neurons count a little */
        }
    return n;
}

/* Each pair of cores is entered at both ends; a pair that talks in both directions has two entries. */
static rv_status sum_traffic(const core_graph *g, const double *rate, core_traffic *t, rv_error *error)
{
    size_t   n = (size_t)g->h.n_vertices;
    double  *sum = calloc(n + 1, sizeof *sum);
    int32_t *list = malloc((n + 1) * sizeof *list);
    int64_t *next = calloc(n + 2, sizeof *next);
    *t = (core_traffic){ .n = (int32_t)n, .begin = calloc(n + 2, sizeof(int64_t)) };
    bool have = sum && list && next && t->begin;
    for (int pass = 0; have && pass < 2; pass++) {
        for (int32_t c = 0; c < t->n; c++) {
            int32_t m = gather_traffic(g, rate, c, sum, list);
            for (int32_t k = 0; k < m; k++) {
                int32_t d = list[k];
                if (pass == 0) t->begin[c + 1]++, t->begin[d + 1]++;
                else {
                    t->other[next[c]] = d, t->rate[next[c]++] = sum[d];
                    t->other[next[d]] = c, t->rate[next[d]++] = sum[d];
                }
                sum[d] = 0;
            }
        }
        if (pass > 0) break;
        for (size_t c = 0; c < n; c++) t->begin[c + 1] += t->begin[c];
        memcpy(next, t->begin, n * sizeof *next);
        t->other = malloc((size_t)(t->begin[n] + 1) * sizeof *t->other);
        t->rate = malloc((size_t)(t->begin[n] + 1) * sizeof *t->rate);
        have = t->other && t->rate;
    }
    free(sum), free(list), free(next);
    return have ? RV_OK : error_memory(error, "mapping", (double)n * 32);
}

static void traffic_free(core_traffic *t) { free(t->begin), free(t->other), free(t->rate); }

/* From parts to places on chips. @param place result, [n_neurons] */
static rv_status place_parts(const map_problem *w, const partition *p, int32_t n_chips, uint64_t seed, int32_t *place, rv_error *error)
{
    core_graph   g = { 0 };
    core_traffic t = { 0 };
    mesh         m = mesh_of(w->chip, n_chips);
    int32_t     *chip_of = malloc((size_t)(p->n_parts + 1) * sizeof *chip_of), *core_place = malloc((size_t)(p->n_parts + 1) * sizeof *core_place);
    rv_status    status = chip_of && core_place ? core_graph_open(&g, p, error) : error_memory(error, "mapping", 0);
    if (status == RV_OK) status = divide_cores(&g, hw_limit(w->chip, HW_CORES), n_chips, seed, chip_of, error);
    if (status == RV_OK) status = sum_traffic(&g, w->graph->rate, &t, error);
    if (status == RV_OK) status = place_cores(&t, &m, chip_of, seed, core_place, error);
    for (int64_t j = 0; status == RV_OK && j < w->graph->n_neurons; j++) place[j] = p->part[j] < 0 ? -1 : core_place[p->part[j]];
    traffic_free(&t);
    core_graph_close(&g);
    free(chip_of);
    free(core_place);
    return status;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static rv_status count_chips(const map_problem *w, const partition *p, int chips, int32_t *n_chips, rv_error *error)
{
    int64_t cores = hw_limit(w->chip, HW_CORES), most = chips > 0 ? chips : hw_limit(w->chip, HW_CHIPS);
    *n_chips = (int32_t)((p->n_parts + cores - 1) / cores);
    if (*n_chips < 1) *n_chips = 1;
    return *n_chips <= most ? RV_OK : map_explain_cores(w, p, cores * most, error);
}

static rv_status map_problem_solve(const map_problem *w, const hw_map_options *options, hw_map **map, rv_error *error)
{
    partition p = { 0 };
    int32_t   n_chips, *place = malloc((size_t)(w->graph->n_neurons + 1) * sizeof *place);
    rv_status status = place ? map_check(w, error) : error_memory(error, "mapping", 0);
    if (status == RV_OK) status = partition_start(&p, &w->h, &w->limits, 0, options->seed, error);
    if (status == RV_OK) status = partition_refine(&p, true, options->seed, error);
    if (status == RV_OK && p.excess > 0) status = map_explain_excess(w, &p, error);
    if (status == RV_OK) status = count_chips(w, &p, options->chips, &n_chips, error);
    if (status == RV_OK) status = place_parts(w, &p, n_chips, options->seed, place, error);
    if (p.h) partition_close(&p);
    if (status == RV_OK) status = map_build(w, place, n_chips, map, error);
    free(place);
    return status;
}

rv_status hw_map_network(const hw_chip *chip, const hw_graph *graph, const hw_map_options *options, hw_map **map, rv_error *error)
{
    map_problem    w;
    hw_map_options standard = { 0 };
    *map = NULL;
    rv_status status = map_problem_open(&w, chip, graph, error);
    if (status == RV_OK) status = map_problem_solve(&w, options ? options : &standard, map, error);
    map_problem_close(&w);
    return status;
}

static rv_status check_places(const hw_chip *chip, const hw_graph *graph, const int32_t *place, int32_t *n_chips, rv_error *error)
{
    mesh    m = mesh_of(chip, 1);
    int64_t most = hw_limit(chip, HW_CHIPS) * mesh_places(&m);
    *n_chips = 1;
    for (int64_t j = 0; j < graph->n_neurons; j++) {
        const hw_group *group = hw_graph_group(graph, j);
        if (place[j] >= most || (place[j] < 0 && !group->input))
            return error_set(error, RV_OUT_OF_RANGE, "population \"%s\": neuron %lld is mapped to place %d, allowed 0 to %lld", group->name,
                             (long long)(j - group->first), place[j], (long long)most - 1);
        if (place[j] / mesh_places(&m) >= *n_chips) *n_chips = place[j] / mesh_places(&m) + 1;
    }
    return RV_OK;
}

rv_status hw_map_given(const hw_chip *chip, const hw_graph *graph, const int32_t *place, hw_map **map, rv_error *error)
{
    map_problem w;
    int32_t     n_chips;
    *map = NULL;
    TRY(check_places(chip, graph, place, &n_chips, error));
    rv_status status = map_problem_open(&w, chip, graph, error);
    if (status == RV_OK) status = map_build(&w, place, n_chips, map, error);
    map_problem_close(&w);
    return status;
}
