/* Energy, time and messages against SANA-FE 2.2.1, step by step: tests/reference/hw/sanafe. The neurons are stepped by the
 * equations of sanafe.md, so that what each step costs is known before it is compared; the spikes are compared too. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/cost.h"

#define FOLDER "tests/reference/hw/sanafe/"
#define SHARED "../shared/reference/data/hw/sanafe/"

enum { N_INPUTS = 8, N_LIF = 32, N = N_INPUTS + N_LIF, STEPS = 50, MOST_EDGES = 512 };

static const char *const cases[] = { "0_one_core", "1_four_cores_one_tile", "2_spread_blocks", "3_corners" };

/* A mapped network of SANA-FE; inputs are neurons 0 to 7. */
typedef struct judged {
    bool       spikes[N_INPUTS][STEPS + 1]; /* [..][step], from 1 */
    double     bias[N], threshold, leak_decay, input_decay;
    int32_t    place[N];
    hw_synapse edge[MOST_EDGES];
    int64_t    n_edges;
} judged;

/* ---- both input formats ----------------------------------------------------------------------------------------- */

static double number_behind(const char *line, const char *key)
{
    const char *at = strstr(line, key);
    if (!at) fail_msg("no %s in: %s", key, line);
    return strtod(at + strlen(key), NULL);
}

static void read_train(const char *line, bool *spikes)
{
    const char *at = strchr(strstr(line, "spikes:"), '[');
    for (int step = 1; step <= STEPS && at; step++, at = strpbrk(at + 1, ",]")) spikes[step] = strtol(at + 1, NULL, 10) != 0;
}

static void add_edge(judged *j, int source, int target, double weight)
{
    assert_true(j->n_edges < MOST_EDGES);
    j->edge[j->n_edges++] = (hw_synapse){ source, target, weight, 1, 0 };
}

/* Netlist: the inputs are groups 0 to 7 of one neuron each, the others group 8. */
static int net_neuron(int group, int i) { return group < N_INPUTS ? group : N_INPUTS + i; }

static void read_net_line(judged *j, const char *line)
{
    int a, i, b, k, tile, core;
    if (sscanf(line, "g %d", &a) == 1 && a == N_LIF) {
        j->threshold = number_behind(line, "threshold="), j->leak_decay = number_behind(line, "leak_decay=");
        j->input_decay = number_behind(line, "input_decay=");
    } else if (sscanf(line, "n %d.%d", &a, &i) == 2) {
        if (a < N_INPUTS) read_train(line, j->spikes[a]);
        else j->bias[net_neuron(a, i)] = number_behind(line, "bias=");
    } else if (sscanf(line, "e %d.%d->%d.%d", &a, &i, &b, &k) == 4) add_edge(j, net_neuron(a, i), net_neuron(b, k), number_behind(line, "weight="));
    else if (sscanf(line, "& %d.%d@%d.%d", &a, &i, &tile, &core) == 4) j->place[net_neuron(a, i)] = 4 * tile + core;
}

static int yaml_neuron(const char *group, int i) { return strcmp(group, "in") == 0 ? i : N_INPUTS + i; }

static void read_yaml_line(judged *j, const char *line)
{
    char a[16], b[16];
    int  i, k, tile, core;
    if (sscanf(line, " - %15[a-z].%d -> %15[a-z].%d", a, &i, b, &k) == 4)
        add_edge(j, yaml_neuron(a, i), yaml_neuron(b, k), number_behind(line, "weight:"));
    else if (sscanf(line, " - %15[a-z].%d: {core: %d.%d", a, &i, &tile, &core) == 4) j->place[yaml_neuron(a, i)] = 4 * tile + core;
    else if (strstr(line, "threshold:")) {
        j->threshold = number_behind(line, "threshold:"), j->leak_decay = number_behind(line, "leak_decay:");
        j->input_decay = number_behind(line, "input_decay:");
    } else if (sscanf(line, " - %d: {%15[a-z]", &i, a) == 2) {
        if (strcmp(a, "spikes") == 0) read_train(line, j->spikes[i]);
        else j->bias[N_INPUTS + i] = number_behind(line, "bias:");
    }
}

static judged *read_judged(const char *path)
{
    static judged j;
    char          line[1024];
    FILE         *file = fopen(path, "r");
    bool          yaml = strstr(path, ".yaml") != NULL;
    if (!file) fail_msg("%s cannot be read", path);
    j = (judged){ 0 };
    while (fgets(line, sizeof line, file)) yaml ? read_yaml_line(&j, line) : read_net_line(&j, line);
    fclose(file);
    return &j;
}

/* ---- the neurons ------------------------------------------------------------------------------------------------ */

typedef struct neurons {
    double u[N], v[N], input[N];
    bool   heard[N], fired[N], updated[N]; /* heard: got input for this step */
} neurons;

/* Sheet, section 5: decay (not in the first step), v to multiples of 1/64 toward zero, bias and input, threshold. */
static void step_neuron(const judged *j, neurons *s, int i, int step)
{
    bool active = s->v[i] != 0 || s->heard[i] || j->bias[i] != 0;
    if (step > 1) s->u[i] *= j->input_decay, s->v[i] *= j->leak_decay;
    s->v[i] = trunc(s->v[i] * 64) / 64;
    s->u[i] += s->input[i];
    s->v[i] += j->bias[i];
    s->v[i] += s->u[i];
    s->fired[i] = s->v[i] > j->threshold;
    if (s->fired[i]) s->v[i] = 0;
    s->updated[i] = active || s->fired[i];
    s->input[i] = 0, s->heard[i] = false;
}

static void step_all(const judged *j, neurons *s, int step)
{
    for (int i = 0; i < N_INPUTS; i++) s->fired[i] = j->spikes[i][step];
    for (int i = N_INPUTS; i < N; i++) step_neuron(j, s, i, step);
    for (int64_t k = 0; k < j->n_edges; k++)
        if (s->fired[j->edge[k].source]) s->input[j->edge[k].target] += j->edge[k].weight, s->heard[j->edge[k].target] = true;
}

/* ---- comparing -------------------------------------------------------------------------------------------------- */

static rv_status visit(void *user, hw_synapse_fn take, void *sink)
{
    const judged *j = user;
    for (int64_t k = 0; k < j->n_edges; k++) take(sink, &j->edge[k]);
    return RV_OK;
}

static hw_map *map_judged(judged *j, hw_graph **graph)
{
    const hw_group  groups[] = { { .name = "in", .n = N_INPUTS, .input = true }, { .name = "pop", .n = N_LIF } };
    const hw_format format = { .weight_bits = 8 };
    hw_chip         chip;
    hw_map         *map;
    rv_error        error = { 0 };
    if (hw_chip_find("loihi1", &chip, &error) != RV_OK || hw_graph_new(groups, 2, &format, 1, graph, &error) != RV_OK ||
        hw_graph_fill(*graph, visit, j, &error) != RV_OK || hw_map_given(&chip, *graph, j->place, &map, &error) != RV_OK)
        fail_msg("%s", error.text);
    return map;
}

/* Printed with seven digits. */
static void same(double got, double expected, const char *unit, const char *what, int step)
{
    ENSURE_NEAR_IN(got, expected, 5.1e-7 * fabs(expected), unit, "step %d: %s", step, what);
}

static void compare_step(const hw_cost *c, const double *row, int step)
{
    assert_int_equal((int)row[0], step);
    same(c->fired, row[1], "neurons", "fired", step);
    same(c->updated, row[2], "neurons", "updated", step);
    same(c->messages, row[3], "messages", "packets", step);
    same(c->hops_x + c->hops_y, row[4], "hops", "hops", step);
    same(c->events, row[5], "events", "synaptic events", step);
    same(c->time * 1e-9, row[6], "s", "time", step);
    same(c->energy_synapses * 1e-12, row[7], "J", "synapses", step);
    same(c->energy_neurons * 1e-12, row[9], "J", "neurons", step);
    same(c->energy_network * 1e-12, row[10], "J", "network", step);
    same(c->energy * 1e-12, row[11], "J", "energy", step);
}

/* Rows of "in.3,7" or "pop.12,7". */
static void count_spikes(const char *path, int spikes[STEPS + 1][N])
{
    char  line[64], group[16];
    int   i, step;
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("%s cannot be read", path);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "%15[a-z].%d,%d", group, &i, &step) == 3) spikes[step][yaml_neuron(group, i)]++;
    fclose(file);
}

static void run_case(const char *name, const char *path)
{
    static neurons s;
    static int     spikes[STEPS + 1][N];
    hw_graph      *graph;
    judged        *j = read_judged(path);
    hw_map        *map = map_judged(j, &graph);
    reference_list perf = reference_table(reference_text(FOLDER "sanafe_%s_perf.csv", name), 12);
    memset(&s, 0, sizeof s), memset(spikes, 0, sizeof spikes);
    count_spikes(reference_text(FOLDER "sanafe_%s_spikes.csv", name), spikes);
    assert_int_equal(perf.n, 12 * STEPS);
    for (int step = 1; step <= STEPS; step++) {
        hw_cost cost;
        step_all(j, &s, step);
        for (int i = 0; i < N; i++) assert_int_equal(s.fired[i], spikes[step][i]);
        assert_int_equal(hw_cost_of_step(map, s.fired, s.updated, &cost), RV_OK);
        compare_step(&cost, perf.x + 12 * (step - 1), step);
    }
    print_message("%s: %d steps, %lld synapses on %d cores and %d tiles\n", path, STEPS, (long long)j->n_edges, map->n_cores, map->n_tiles);
    reference_list_free(&perf);
    hw_map_free(map);
    hw_graph_free(graph);
}

static void test_step_by_step(void **state)
{
    (void)state;
    for (int k = 0; k < 4; k++) run_case(cases[k], reference_text(FOLDER "sanafe_%s.net", cases[k]));
    run_case(cases[2], reference_text(FOLDER "sanafe_%s.yaml", cases[2]));
    for (int k = 0; k < 4; k++) {
        const char *path = reference_text(SHARED "sanafe_%s.yaml", cases[k]);
        if (reference_exists(path)) run_case(cases[k], path);
    }
}

/* Every message by itself, where the file is there: who, from where, to where, hops, events. */
static void test_messages(void **state)
{
    (void)state;
    const char *path = SHARED "sanafe_2_spread_blocks_messages.csv";
    char        line[512], group[16];
    int         step, i, tile, core, to_tile, to_core, hops, events, n = 0;
    if (!reference_exists(path)) {
        print_message("%s is not there\n", path);
        skip();
    }
    hw_graph *graph;
    hw_map   *map = map_judged(read_judged(FOLDER "sanafe_2_spread_blocks.net"), &graph);
    FILE     *file = fopen(path, "r");
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "%d,%*d,%15[a-z].%d,%d.%d,%d.%d,%d,%d", &step, group, &i, &tile, &core, &to_tile, &to_core, &hops, &events) != 9) continue;
        int     source = yaml_neuron(group, i);
        int64_t a = map->axon_begin[source];
        assert_int_equal(map->core[map->core_of[source]].place, 4 * tile + core);
        while (a < map->axon_begin[source + 1] && map->core[map->axon[a].core].place != 4 * to_tile + to_core) a++;
        assert_true(a < map->axon_begin[source + 1]);
        assert_int_equal(map->axon[a].n, events);
        assert_int_equal(hw_map_hops(map, map->core_of[source], map->axon[a].core), hops);
        n++;
    }
    fclose(file);
    print_message("%d messages\n", n);
    assert_int_equal(n, 1265);
    hw_map_free(map);
    hw_graph_free(graph);
}

/* The estimate from rates is the mean of the steps, when every neuron is updated in every step. */
static void test_estimate_is_the_mean(void **state)
{
    (void)state;
    hw_graph *graph;
    judged   *j = read_judged(FOLDER "sanafe_3_corners.net");
    hw_map   *map = map_judged(j, &graph);
    neurons   s = { 0 };
    hw_cost   cost, sum = { 0 }, estimate;
    for (int step = 1; step <= STEPS; step++) {
        step_all(j, &s, step);
        for (int i = 0; i < N; i++) s.updated[i] = true, graph->rate[i] += s.fired[i] / (double)STEPS;
        hw_cost_of_step(map, s.fired, s.updated, &cost);
        sum.messages += cost.messages / STEPS, sum.events += cost.events / STEPS, sum.energy += cost.energy / STEPS, sum.time += cost.time / STEPS;
    }
    hw_cost_estimate(map, &estimate);
    ENSURE_NEAR(estimate.messages, sum.messages, 1e-9, "messages");
    ENSURE_NEAR(estimate.events, sum.events, 1e-9, "events");
    ENSURE_NEAR(estimate.energy, sum.energy, 1e-6, "pJ");
    assert_true(estimate.time <= sum.time + 1e-9);
    hw_map_free(map);
    hw_graph_free(graph);
}

static void test_unknown_costs(void **state)
{
    (void)state;
    hw_graph *graph;
    hw_cost   cost;
    hw_map   *map = map_judged(read_judged(FOLDER "sanafe_0_one_core.net"), &graph);
    hw_chip_find("loihi2", &map->chip, NULL);
    hw_cost_estimate(map, &cost);
    assert_true(isnan(cost.energy) && isnan(cost.time));
    hw_map_free(map);
    hw_graph_free(graph);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_estimate_is_the_mean),
        cmocka_unit_test(test_unknown_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
