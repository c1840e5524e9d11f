/* Mapping random networks on random chips, and a verifier that shares nothing with the mapper: it goes through the arrays
 * of the result and counts again. Every synapse once, with its weight and delay; every limit; messages, hops. */
#include "tests/support/reference.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/map.h"
#include "sim/random.h"

/* ---- random networks -------------------------------------------------------------------------------------------- */

typedef struct random_net {
    rv_random   random;
    int         n_groups, n_formats;
    hw_group    group[6];
    hw_format   format[4];
    int64_t     n_neurons, n_synapses;
    hw_synapse *synapse; /* [n_synapses] */
} random_net;

static int64_t below(random_net *r, int64_t n) { return (int64_t)random_below(&r->random, (uint64_t)n); }

/* Half of the synapses are near on a ring, so that there is something to find. */
static int64_t draw_target(random_net *r, int64_t source)
{
    int64_t first = r->group[0].input ? r->group[0].n : 0, n = r->n_neurons - first;
    if (below(r, 2)) return first + below(r, n);
    return first + (source + below(r, 1 + n / 8)) % n;
}

static void draw_net(random_net *r, uint64_t seed)
{
    *r = (random_net){ .random = random_stream(seed, RANDOM_USER, 7, 0) };
    r->n_groups = 1 + (int)below(r, 5), r->n_formats = 1 + (int)below(r, 4);
    for (int k = 0; k < r->n_groups; k++) {
        r->group[k] = (hw_group){ .n = 1 + below(r, 40), .input = k == 0 && r->n_groups > 1 && below(r, 2) };
        snprintf(r->group[k].name, sizeof r->group[k].name, "group %d", k);
        r->n_neurons += r->group[k].n;
    }
    for (int k = 0; k < r->n_formats; k++)
        r->format[k] = (hw_format){ .weight_bits = 1 + (int)below(r, 8), .delay_bits = (int)below(r, 4), .learning = below(r, 4) == 0, .trace = (int)below(r, 3) };
    r->n_synapses = below(r, 12 * r->n_neurons);
    r->synapse = malloc((size_t)(r->n_synapses + 1) * sizeof *r->synapse);
    for (int64_t k = 0; k < r->n_synapses; k++) {
        int64_t source = below(r, r->n_neurons);
        r->synapse[k] = (hw_synapse){ source, draw_target(r, source), (double)(below(r, 511) - 256), 1 + below(r, 8), (int)below(r, r->n_formats) };
    }
}

static rv_status visit(void *user, hw_synapse_fn take, void *sink)
{
    const random_net *r = user;
    for (int64_t k = 0; k < r->n_synapses; k++) take(sink, &r->synapse[k]);
    return RV_OK;
}

static hw_graph *graph_of(random_net *r)
{
    hw_graph *g;
    rv_error  error = { 0 };
    if (hw_graph_new(r->group, r->n_groups, r->format, r->n_formats, &g, &error) != RV_OK) fail_msg("%s", error.text);
    if (hw_graph_fill(g, visit, r, &error) != RV_OK) fail_msg("%s", error.text);
    for (int64_t j = 0; j < g->n_neurons; j++) {
        g->rate[j] = below(r, 5) * 0.02;
        g->profile[j] = (int32_t)below(r, 5), g->threshold[j] = (int32_t)below(r, 3), g->setting[j] = (int32_t)below(r, 2);
    }
    return g;
}

/* A chip so small that the network needs many cores, and yet each neuron fits. */
static hw_chip chip_for(random_net *r, const hw_graph *g)
{
    hw_chip  chip;
    rv_error error;
    assert_int_equal(hw_chip_find("loihi1", &chip, &error), RV_OK);
    int64_t *fan_in = calloc((size_t)g->n_neurons, sizeof *fan_in), most = 1;
    for (int64_t k = 0; k < g->n_synapses; k++)
        if (++fan_in[g->target[k]] > most) most = fan_in[g->target[k]];
    free(fan_in);
    chip.entry[HW_NEURONS].value = 1 + (double)below(r, 20);
    chip.entry[HW_INPUT_AXONS].value = 2.0 * (double)most + (double)below(r, 200);
    chip.entry[HW_OUTPUT_AXONS].value = 400 + (double)below(r, 4000);
    chip.entry[HW_MEMORY].value = 64 * ((double)most + (double)below(r, 200));
    chip.entry[HW_BLOCK].value = 1 + (double)below(r, 10);
    chip.entry[HW_NEURON_PROFILES].value = 2 + (double)below(r, 4);
    chip.entry[HW_THRESHOLD_PROFILES].value = 1 + (double)below(r, 3);
    chip.entry[HW_SYNAPSE_FORMATS].value = 4;
    chip.entry[HW_TRACE_PROFILES].value = 2 + (double)below(r, 2);
    chip.entry[HW_CORES].value = 128, chip.entry[HW_CHIPS].value = 4;
    return chip;
}

/* ---- the verifier ----------------------------------------------------------------------------------------------- */

static void verify_neurons(const hw_map *map)
{
    const hw_graph *g = map->graph;
    int64_t         n = 0, n_inputs = 0;
    for (int32_t c = 0; c < map->n_cores; c++)
        for (int32_t i = 0; i < map->core[c].n_neurons; i++, n++) {
            int32_t neuron = map->neuron[map->core[c].first_neuron + i];
            assert_int_equal(map->core_of[neuron], c);
            assert_int_equal(map->compartment[neuron], i);
        }
    for (int k = 0; k < g->n_groups; k++)
        for (int64_t j = g->group[k].first; g->group[k].input && j < g->group[k].first + g->group[k].n; j++, n_inputs++)
            assert_int_equal(map->compartment[j], -1);
    assert_int_equal(n + n_inputs, g->n_neurons);
}

static int by_content(const void *a, const void *b)
{
    const hw_synapse *x = a, *y = b;
    if (x->source != y->source) return x->source < y->source ? -1 : 1;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    if (x->format != y->format) return x->format < y->format ? -1 : 1;
    if (x->delay != y->delay) return x->delay < y->delay ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

/* Reads the synapses off the cores, as a chip would, and compares them with what was drawn. */
static void verify_synapses(const hw_map *map, const random_net *r)
{
    const hw_graph *g = map->graph;
    hw_synapse     *found = calloc((size_t)g->n_synapses + 1, sizeof *found), *drawn = calloc((size_t)g->n_synapses + 1, sizeof *drawn);
    int64_t         n = 0;
    for (int64_t j = 0; j < g->n_neurons; j++)
        for (int64_t a = map->axon_begin[j]; a < map->axon_begin[j + 1]; a++) {
            const hw_axon *axon = &map->axon[a];
            if (a > map->axon_begin[j]) assert_true(axon->core > axon[-1].core);
            assert_true(axon->n > 0);
            for (int64_t k = axon->first; k < axon->first + axon->n; k++, n++) {
                int64_t s = g->row[j] + map->synapse[k];
                assert_true(s < g->row[j + 1] && n < g->n_synapses);
                int32_t there = map->neuron[map->core[axon->core].first_neuron + map->compartment[g->target[s]]];
                found[n] = (hw_synapse){ j, there, (double)g->weight[s], g->delay[s], g->format_of[s] };
                assert_int_equal(map->core_of[there], axon->core);
            }
        }
    assert_int_equal(n, r->n_synapses);
    memcpy(drawn, r->synapse, (size_t)n * sizeof *drawn);
    qsort(found, (size_t)n, sizeof *found, by_content);
    qsort(drawn, (size_t)n, sizeof *drawn, by_content);
    for (int64_t k = 0; k < n; k++) assert_int_equal(by_content(&found[k], &drawn[k]), 0);
    free(found);
    free(drawn);
}

/* How many different numbers below `most` the neurons of a core have. */
static int64_t distinct(const hw_map *map, int32_t core, const int32_t *number, int most)
{
    int64_t n = 0;
    for (int k = 0; k < most; k++)
        for (int32_t i = 0; i < map->core[core].n_neurons; i++)
            if (number[map->neuron[map->core[core].first_neuron + i]] == k) {
                n++;
                break;
            }
    return n;
}

/* Counts from the drawn synapses what a core uses: plainly, core by core, source by source. */
static void count_use(const hw_map *map, const random_net *r, int32_t core, int64_t *use)
{
    const hw_graph *g = map->graph;
    int64_t       (*of)[4] = calloc((size_t)g->n_neurons, sizeof *of);
    bool           *reached = calloc((size_t)g->n_neurons * (size_t)map->n_cores, sizeof *reached), formats[4] = { 0 }, traces[3] = { 0 };
    memset(use, 0, HW_N_RESOURCES * sizeof *use);
    for (int64_t k = 0; k < r->n_synapses; k++) {
        const hw_synapse *s = &r->synapse[k];
        if (map->core_of[s->target] == core) of[s->source][s->format]++;
        if (map->core_of[s->source] == core && map->compartment[s->source] >= 0)
            reached[s->source * map->n_cores + map->core_of[s->target]] = true;
    }
    for (int64_t j = 0; j < g->n_neurons; j++) {
        int64_t n = 0;
        for (int f = 0; f < r->n_formats; f++) {
            int64_t each = r->format[f].weight_bits + r->format[f].delay_bits + 10, block = (int64_t)hw_value(&map->chip, HW_BLOCK);
            n += of[j][f];
            formats[f] |= of[j][f] > 0;
            traces[r->format[f].trace] |= of[j][f] > 0 && r->format[f].learning;
            if (of[j][f] > 0 && r->format[f].learning) use[HW_USE_INPUT_AXONS]++;
            for (int64_t left = of[j][f]; left > 0; left -= block)
                use[HW_USE_MEMORY] += (int64_t)ceil((double)((left < block ? left : block) * each + 10) / 64) * 64;
        }
        use[HW_USE_INPUT_AXONS] += n > 0;
        for (int32_t c = 0; c < map->n_cores; c++) use[HW_USE_OUTPUT_AXONS] += reached[j * map->n_cores + c];
    }
    for (int f = 0; f < r->n_formats; f++) use[HW_USE_FORMATS] += formats[f];
    for (int t = 0; t < 3; t++) use[HW_USE_TRACES] += traces[t];
    use[HW_USE_SETTINGS] = distinct(map, core, g->setting, 2);
    use[HW_USE_NEURONS] = map->core[core].n_neurons;
    use[HW_USE_PROFILES] = distinct(map, core, g->profile, 5);
    use[HW_USE_THRESHOLDS] = distinct(map, core, g->threshold, 3);
    free(of);
    free(reached);
}

static void verify_limits(const hw_map *map, const random_net *r)
{
    int64_t use[HW_N_RESOURCES];
    for (int32_t c = 0; c < map->n_cores; c++) {
        count_use(map, r, c, use);
        for (int k = 0; k < HW_N_RESOURCES; k++) {
            if (use[k] != map->core[c].use[k]) fail_msg("core %d, %s: counted %lld, the map says %lld", c, hw_resource_name[k], (long long)use[k], (long long)map->core[c].use[k]);
            if ((double)use[k] > hw_value(&map->chip, hw_resource_limit[k])) fail_msg("core %d has %lld %s", c, (long long)use[k], hw_resource_name[k]);
        }
    }
}

static void verify_places(const hw_map *map)
{
    for (int32_t c = 0; c < map->n_cores; c++) {
        const hw_core *core = &map->core[c];
        assert_in_range(core->place, 0, 127);
        assert_in_range(core->chip, 0, map->n_chips - 1);
        if (c > 0) assert_true(core->chip * 128 + core->place > core[-1].chip * 128 + core[-1].place);
        assert_int_equal(core->x % 8, core->place / 4 / 4); /* SANA-FE's numbering of tiles on Loihi */
        assert_int_equal(core->y % 4, core->place / 4 % 4);
    }
}

static void verify_messages(const hw_map *map, const random_net *r)
{
    const hw_graph *g = map->graph;
    bool           *reached = calloc((size_t)g->n_neurons * (size_t)map->n_cores + 1, sizeof *reached);
    double          messages = 0, hops = 0;
    for (int64_t k = 0; k < r->n_synapses; k++) {
        bool *at = &reached[r->synapse[k].source * map->n_cores + map->core_of[r->synapse[k].target]];
        if (*at) continue;
        *at = true;
        const hw_core *from = &map->core[map->core_of[r->synapse[k].source]], *to = &map->core[map->core_of[r->synapse[k].target]];
        messages += g->rate[r->synapse[k].source];
        hops += g->rate[r->synapse[k].source] * (abs(from->x - to->x) + abs(from->y - to->y));
    }
    free(reached);
    ENSURE_NEAR(map->messages, messages, 1e-9 * (1 + messages), "messages");
    ENSURE_NEAR(map->hops, hops, 1e-9 * (1 + hops), "hops");
}

static void verify(const hw_map *map, const random_net *r)
{
    char *violations;
    verify_neurons(map);
    verify_synapses(map, r);
    verify_limits(map, r);
    verify_places(map);
    verify_messages(map, r);
    assert_int_equal(hw_map_violations(map, &violations), RV_OK);
    assert_string_equal(violations, "");
    free(violations);
}

/* ---- the property ----------------------------------------------------------------------------------------------- */

static void test_random_networks(void **state)
{
    (void)state;
    int n_mapped = 0, n_refused = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        random_net net;
        hw_map    *map;
        rv_error   error = { 0 };
        draw_net(&net, seed);
        hw_graph *graph = graph_of(&net);
        hw_chip   chip = chip_for(&net, graph);
        if (hw_map_network(&chip, graph, &(hw_map_options){ .seed = seed }, &map, &error) == RV_OK) verify(map, &net), n_mapped++;
        else n_refused++, print_message("network %d: %s\n", (int)seed, error.text);
        hw_map_free(map);
        hw_graph_free(graph);
        free(net.synapse);
    }
    print_message("%d networks mapped, %d refused\n", n_mapped, n_refused);
    assert_true(n_mapped >= 55);
}

static void test_same_for_any_threads(void **state)
{
    (void)state;
    extern void omp_set_num_threads(int);
    random_net  net;
    hw_map     *map[2];
    rv_error    error = { 0 };
    draw_net(&net, 17);
    hw_graph *graph[2];
    for (int k = 0; k < 2; k++) {
        random_net same = net;
        omp_set_num_threads(1 + 2 * k);
        graph[k] = graph_of(&same);
        hw_chip chip = chip_for(&same, graph[k]);
        assert_int_equal(hw_map_network(&chip, graph[k], NULL, &map[k], &error), RV_OK);
    }
    assert_memory_equal(map[0]->core_of, map[1]->core_of, (size_t)net.n_neurons * sizeof(int32_t));
    assert_memory_equal(map[0]->synapse, map[1]->synapse, (size_t)net.n_synapses * sizeof(uint32_t));
    for (int k = 0; k < 2; k++) hw_map_free(map[k]), hw_graph_free(graph[k]);
    free(net.synapse);
}

/* ---- signals ------------------------------------------------------------------------------------------------------ */

static void heard(int signal) { (void)signal; }

/* METIS traps SIGTERM and SIGABRT; after mapping they are whose they were. */
static void test_signals(void **state)
{
    (void)state;
    random_net       net;
    hw_map          *map;
    rv_error         error = { 0 };
    struct sigaction mine = { .sa_handler = heard, .sa_flags = SA_RESTART }, before[2], after;
    const int        signals[2] = { SIGTERM, SIGABRT };
    for (int k = 0; k < 2; k++) sigaction(signals[k], &mine, &before[k]);
    draw_net(&net, 17);
    hw_graph *graph = graph_of(&net);
    hw_chip   chip = chip_for(&net, graph);
    assert_int_equal(hw_map_network(&chip, graph, NULL, &map, &error), RV_OK);
    assert_true(map->n_cores > 1);
    for (int k = 0; k < 2; k++) {
        sigaction(signals[k], &before[k], &after);
        assert_ptr_equal(after.sa_handler, heard);
        assert_true(after.sa_flags & SA_RESTART);
    }
    hw_map_free(map), hw_graph_free(graph), free(net.synapse);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_networks),
        cmocka_unit_test(test_same_for_any_threads),
        cmocka_unit_test(test_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
