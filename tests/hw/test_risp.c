/* TENNLab's networks: read, run in the engine, and every firing and charge compared with what RISP itself gave; written and read again; made
 * from networks of the engine; refused. Data: TENNLab framework-open, commit 2219d02. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hw/tennlab.h"
#include "sim/random.h"
#include "tests/support/fixture.h"

static tennlab_net open_file(const char *path)
{
    tennlab_net t;
    rv_error    error = { 0 };
    if (tennlab_read(path, &t, &error) != RV_OK) fail_msg("%s", error.text);
    return t;
}

static rv_net *build(const tennlab_net *t, int threads)
{
    rv_net  *net;
    rv_error error = { 0 };
    if (tennlab_build(t, &(rv_net_def){ .threads = threads }, &net, &error) != RV_OK) fail_msg("%s", error.text);
    return net;
}

/* ---- RISP's own runs -------------------------------------------------------------------------------------------------- */

static int64_t place_of(const tennlab_net *t, double id)
{
    for (int64_t k = 0; k < t->n_nodes; k++)
        if ((double)t->node[k].id == id) return k;
    fail_msg("no node %g", id);
    return -1;
}

static void apply(const tennlab_net *t, rv_net *net, const fixture_table *in)
{
    rv_population inputs = rv_population_find(net, "inputs");
    for (int64_t k = 0; k < t->n_inputs; k++) {
        double times[200];
        int    n = 0;
        for (int row = 0; row < in->n_rows; row++)
            if (fixture_number(in, row, "node") == (double)t->node[t->input[k]].id) times[n++] = fixture_number(in, row, "time") + 1;
        ENSURE_OK(net, rv_set_spike_times(net, inputs, k, times, n));
    }
}

/* With fire_like_ravens a firing is told of one step later, and in the last step of none. */
static int compare_firings(const char *name, const tennlab_net *t, rv_net *net, const fixture_table *raster, int steps)
{
    reference_spikes got = reference_spikes_of(net, rv_population_find(net, "neurons"));
    int              n = 0, late = t->fire_like_ravens;
    for (int64_t k = 0; k < got.n; k++) {
        int  time = (int)got.time_ms[k] - TENNLAB_FIRST_STEP + late;
        bool found = false;
        if (time >= steps) continue;
        for (int row = 0; row < raster->n_rows && !found; row++)
            found = fixture_number(raster, row, "time") == time && place_of(t, fixture_number(raster, row, "node")) == got.neuron[k];
        if (!found) fail_msg("%s: node %d fires at %d, but not in RISP", name, (int)t->node[got.neuron[k]].id, time);
        n++;
    }
    assert_int_equal(n, raster->n_rows);
    reference_spikes_free(&got);
    return n;
}

static bool fired_last(const tennlab_net *t, rv_net *net, int64_t neuron, int steps)
{
    reference_spikes got = reference_spikes_of(net, rv_population_find(net, "neurons"));
    bool             found = false;
    for (int64_t k = 0; k < got.n; k++) found |= got.neuron[k] == neuron && (int)got.time_ms[k] == steps - 1 + TENNLAB_FIRST_STEP;
    reference_spikes_free(&got);
    return found && t->fire_like_ravens;
}

/* At its end RISP lets all neurons leak and raises their charges; those that would fire late have theirs still. */
static void compare_charges(const char *name, const tennlab_net *t, rv_net *net, const fixture_table *charges, int steps)
{
    double *got = malloc((size_t)t->n_nodes * sizeof *got);
    ENSURE_OK(net, rv_get(net, rv_all(rv_population_find(net, "neurons")), "charge", got));
    for (int row = 0; row < charges->n_rows; row++) {
        int64_t k = place_of(t, fixture_number(charges, row, "node"));
        double  charge = fmax(t->node[k].leak ? 0 : got[k], t->min_potential);
        if (!fired_last(t, net, k, steps)) ENSURE_NEAR_IN(charge, fixture_number(charges, row, "final_charge"), t->discrete ? 0 : 1e-6, "", "%s: charge of node %d", name, (int)t->node[k].id);
    }
    free(got);
}

static void run_case(const fixture_table *index, int row, int threads)
{
    const char *name = fixture_text(index, row, "network");
    int         steps = (int)fixture_number(index, row, "n_steps");
    const char *found = fixture_path(reference_text("risp/%s", name));
    if (!found) return;
    tennlab_net   t = open_file(found);
    rv_net       *net = build(&t, threads);
    fixture_table in = fixture_open_table(fixture_path(reference_text("risp/%s", fixture_text(index, row, "applied_spikes"))));
    fixture_table raster = fixture_open_table(fixture_path(reference_text("risp/%s", fixture_text(index, row, "raster"))));
    fixture_table charges = fixture_open_table(fixture_path(reference_text("risp/%s", fixture_text(index, row, "charges"))));
    apply(&t, net, &in);
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "neurons")));
    ENSURE_OK(net, rv_run(net, steps - 1 + TENNLAB_FIRST_STEP));
    int n = compare_firings(name, &t, net, &raster, steps);
    compare_charges(name, &t, net, &charges, steps);
    if (threads == 1) print_message("%s: %d firings equal\n", name, n);
    fixture_close_table(&in), fixture_close_table(&raster), fixture_close_table(&charges);
    rv_net_free(net), tennlab_free(&t);
}

static void test_runs(void **state)
{
    (void)state;
    fixture_table index = fixture_open_table(fixture_or_skip("risp/risp_index.csv"));
    for (int row = 0; row < index.n_rows; row++)
        for (int threads = 1; threads <= 2; threads++) run_case(&index, row, threads);
    fixture_close_table(&index);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void compare_files(const char *what, const tennlab_net *a, const tennlab_net *b)
{
    if (a->n_nodes != b->n_nodes || a->n_edges != b->n_edges || a->n_inputs != b->n_inputs || a->n_outputs != b->n_outputs) fail_msg("%s: numbers differ", what);
    for (int64_t k = 0; k < a->n_nodes; k++)
        if (a->node[k].id != b->node[k].id || a->node[k].threshold != b->node[k].threshold || a->node[k].leak != b->node[k].leak) fail_msg("%s: node %d differs", what, (int)k);
    for (int64_t k = 0; k < a->n_edges; k++)
        if (a->edge[k].from != b->edge[k].from || a->edge[k].to != b->edge[k].to || a->edge[k].weight != b->edge[k].weight || a->edge[k].delay != b->edge[k].delay)
            fail_msg("%s: edge %d differs", what, (int)k);
    assert_memory_equal(a->input, b->input, (size_t)a->n_inputs * sizeof *a->input);
    assert_memory_equal(a->output, b->output, (size_t)a->n_outputs * sizeof *a->output);
    assert_true(a->discrete == b->discrete && a->threshold_inclusive == b->threshold_inclusive && a->fire_like_ravens == b->fire_like_ravens && a->run_time_inclusive == b->run_time_inclusive);
    assert_true(a->leak_mode == b->leak_mode && a->min_potential == b->min_potential && a->spike_value_factor == b->spike_value_factor && a->max_delay == b->max_delay);
    assert_true(a->min_weight == b->min_weight && a->max_weight == b->max_weight && a->min_threshold == b->min_threshold && a->max_threshold == b->max_threshold);
}

static tennlab_net write_and_read(const tennlab_net *t)
{
    rv_error error = { 0 };
    if (tennlab_write(t, reference_file(), &error) != RV_OK) fail_msg("%s", error.text);
    return open_file(reference_file());
}

static void test_round_trips(void **state)
{
    (void)state;
    fixture_table index = fixture_open_table(fixture_or_skip("risp/risp_index.csv"));
    for (int row = 0; row < index.n_rows; row++) {
        const char *found = fixture_path(reference_text("risp/%s", fixture_text(&index, row, "network")));
        if (!found) continue;
        tennlab_net t = open_file(found), again = write_and_read(&t);
        compare_files(fixture_text(&index, row, "network"), &t, &again);
        tennlab_free(&t), tennlab_free(&again);
    }
    fixture_close_table(&index);
}

/* A network of the engine, written, read and built: the same spikes. */
static rv_net *random_net(uint64_t seed)
{
    rv_random     stream = random_stream(seed, RANDOM_USER, 19, 0);
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .seed = seed });
    rv_population a = reference_population(net, "a", 20, "risp"), in = reference_population(net, "in", 5, "spike_generator"), b = reference_population(net, "b", 10, "risp");
    reference_set_all(net, a, "threshold", 6.0, "min_potential", -9.0, "margin", 1.0, NULL);
    reference_set_all(net, b, "threshold", 4.0, "min_potential", -9.0, "leak", seed % 2 ? 1.0 : 0.0, "margin", 1.0, NULL);
    for (int64_t i = 0; i < 5; i++) {
        double  times[60];
        int64_t n = 0;
        for (int t = 1; t <= 60; t++)
            if (random_below(&stream, 3) == 0) times[n++] = t;
        ENSURE_OK(net, rv_set_spike_times(net, in, i, times, n));
    }
    rv_slice       first = { .population = a, .first = 2, .count = 5, .stride = 3 };
    rv_connect_def plain = { .rule = "pairwise_bernoulli", .p = rv_number(0.4), .delay = rv_uniform(1, 6) };
    const double   weights[] = { -4, -3, -2, -1, 1, 2, 3, 4, 5, 6 };
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = first, .rule = "one_to_one", .weight = rv_number(8) }, NULL));
    for (int k = 0; k < 10; k++) { /* whole weights: one projection for each */
        plain.weight = rv_number(weights[k]), plain.p = rv_number(0.06);
        plain.source = rv_all(a), plain.target = rv_all(k % 2 ? a : b);
        ENSURE_OK(net, rv_connect(net, &plain, NULL));
    }
    return net;
}

static int64_t compare_runs(rv_net *net, rv_net *again)
{
    static const char *const names[] = { "a", "b" };
    for (int k = 0; k < 2; k++) ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, names[k])));
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "in")));
    ENSURE_OK(again, rv_record_spikes(again, rv_population_find(again, "neurons")));
    ENSURE_OK(net, rv_run(net, 80));
    reference_copy_spikes(net, rv_population_find(net, "in"), again, rv_population_find(again, "inputs"));
    ENSURE_OK(again, rv_run(again, 80));
    bool            fired[81][30] = { { false } };
    reference_spikes all = reference_spikes_of(again, rv_population_find(again, "neurons"));
    int64_t          n = 0;
    for (int64_t i = 0; i < all.n; i++) fired[(int)all.time_ms[i]][all.neuron[i]] = true;
    for (int k = 0; k < 2; k++) {
        reference_spikes s = reference_spikes_of(net, rv_population_find(net, names[k]));
        for (int64_t i = 0; i < s.n; i++) assert_true(fired[(int)s.time_ms[i]][s.neuron[i] + 20 * k]);
        n += s.n;
        reference_spikes_free(&s);
    }
    assert_int_equal(n, all.n);
    reference_spikes_free(&all);
    return n;
}

static void test_from_engine(void **state)
{
    (void)state;
    int64_t spikes = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        tennlab_net t;
        rv_error    error = { 0 };
        rv_net     *net = random_net(seed);
        if (tennlab_from_net(net, &t, &error) != RV_OK) fail_msg("%s", error.text);
        tennlab_net read = write_and_read(&t);
        compare_files("from the engine", &t, &read);
        assert_true(read.discrete && !read.threshold_inclusive && read.leak_mode == (seed % 2 ? 'c' : 'n') && read.spike_value_factor == 8);
        rv_net *again = build(&read, 1);
        spikes += compare_runs(net, again);
        rv_net_free(net), rv_net_free(again), tennlab_free(&t), tennlab_free(&read);
    }
    print_message("10 networks, written, read and run: %lld spikes equal\n", (long long)spikes);
    assert_true(spikes > 1000);
}

/* ---- by hand --------------------------------------------------------------------------------------------------------------- */

static const char good[] = "{\"Properties\": {\"node_properties\": [{\"name\": \"Threshold\", \"index\": 0}], \"edge_properties\": [{\"name\": \"Weight\", \"index\": 0}, {\"name\": \"Delay\", \"index\": 1}]},\n"
                           "\"Nodes\": [{\"id\": 3, \"values\": [0]}, {\"id\": 1, \"values\": [5]}],\n"
                           "\"Edges\": [{\"from\": 1, \"to\": 3, \"values\": [2, 1]}, {\"from\": 1, \"to\": 3, \"values\": [-2, 1]}],\n"
                           "\"Inputs\": [1], \"Outputs\": [3],\n"
                           "\"Associated_Data\": {\"other\": {\"proc_name\": \"risp\"}, \"proc_params\": {\"discrete\": true, \"min_potential\": 0, \"max_weight\": 7, \"min_threshold\": 0,\n"
                           "\"max_threshold\": 7, \"max_delay\": 9, \"leak_mode\": \"none\"}}}\n";

static void write_text(const char *text)
{
    FILE *f = fopen(reference_file(), "w");
    fputs(text, f);
    fclose(f);
}

/* A threshold of 0 is reached by charges that cancel, but not by silence. */
static void test_threshold_zero(void **state)
{
    (void)state;
    write_text(good);
    tennlab_net t = open_file(reference_file());
    rv_net     *net = build(&t, 1);
    ENSURE_OK(net, rv_set_spike_times(net, rv_population_find(net, "inputs"), 0, (const double[]){ 1, 5 }, 2));
    ENSURE_OK(net, rv_record_spikes(net, rv_population_find(net, "neurons")));
    ENSURE_OK(net, rv_run(net, 10));
    reference_spikes s = reference_spikes_of(net, rv_population_find(net, "neurons"));
    const double     times[] = { 2, 3, 6, 7 };
    assert_int_equal(s.n, 4);
    for (int k = 0; k < 4; k++) {
        ENSURE_NEAR(s.time_ms[k], times[k], 0, "ms");
        assert_int_equal(s.neuron[k], k % 2); /* node 1 is the first */
    }
    reference_spikes_free(&s), rv_net_free(net), tennlab_free(&t);
}

/* ---- refusals ---------------------------------------------------------------------------------------------------------------- */

/* The good file with a piece of text replaced. */
static void expect_refused(const char *piece, const char *with, const char *sentence)
{
    char        text[sizeof good + 200];
    const char *at = strstr(good, piece);
    tennlab_net t;
    rv_error    error = { 0 };
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - good), good, with, at + strlen(piece));
    write_text(text);
    if (tennlab_read(reference_file(), &t, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
}

static void test_refused_files(void **state)
{
    (void)state;
    expect_refused("\"Nodes\"", "Nodes", "line 2: ");
    expect_refused("\"proc_params\"", "\"params\"", "has no Associated_Data.proc_params: it is not a network of TENNLab's RISP");
    expect_refused("\"risp\"", "\"caspian\"", "is for the processor \"caspian\", allowed is risp");
    expect_refused("\"min_potential\": 0,", "", "proc_params must have a number min_potential");
    expect_refused("\"min_potential\": 0", "\"min_potential\": 3", "min_potential = 3 in proc_params, allowed is 0 or less");
    expect_refused("\"max_delay\": 9", "\"max_delay\": 0", "max_delay = 0 in proc_params, allowed 1 to 1000000");
    expect_refused("\"none\"", "\"some\"", "leak_mode in proc_params must be \"none\", \"all\" or \"configurable\"");
    expect_refused("\"none\"", "\"configurable\"", "leak_mode is \"configurable\", but Properties have no Leak of nodes");
    expect_refused("\"discrete\": true", "\"discrete\": 1", "discrete in proc_params must be true or false");
    expect_refused("\"discrete\": true", "\"weights\": [1, 2]", "weights in proc_params is not emulated: let the edges hold the weights themselves");
    expect_refused("\"discrete\": true", "\"noisy_stddev\": 0.5", "noisy_stddev = 0.5, but noise is not emulated: set it to 0");
    expect_refused("\"Weight\"", "\"W\"", "Properties must have Threshold of nodes and Weight and Delay of edges");
    expect_refused("\"id\": 3", "\"id\": 1", "two nodes have the id 1");
    expect_refused("[5]", "[]", "node 1 has no value at place 0");
    expect_refused("[5]", "[5.5]", "node 1 has a threshold of 5.5, but discrete is true: allowed are whole numbers");
    expect_refused("[2, 1]", "[2.5, 1]", "edge 0 has a weight of 2.5, but discrete is true: allowed are whole numbers");
    expect_refused("[2, 1]", "[2, 0]", "edge 0 has a delay of 0, allowed are whole numbers from 1 to 1000000");
    expect_refused("\"to\": 3", "\"to\": 2", "edge 0 begins or ends at a node that is not there");
    expect_refused("\"Inputs\": [1]", "\"Inputs\": [7]", "Inputs names a node that is not there at place 0");
}

static void expect_not_made(rv_net *net, const char *sentence)
{
    tennlab_net t;
    rv_error    error = { 0 };
    if (tennlab_from_net(net, &t, &error) == RV_OK) fail_msg("accepted, but expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, error.text);
    rv_net_free(net);
}

static void test_refused_networks(void **state)
{
    (void)state;
    rv_net     *net = random_net(1);
    tennlab_net t;
    rv_error    error = { 0 };
    reference_population(net, "c", 2, "loihi_lif");
    expect_not_made(net, "population \"c\": its model is loihi_lif, but TENNLab's files are for risp");
    net = random_net(1);
    reference_set(net, rv_population_find(net, "b"), "min_potential", -3);
    expect_not_made(net, "population \"b\": min_potential is -3 for neuron 0, -9 elsewhere, but RISP has one for all");
    net = random_net(1);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(rv_population_find(net, "in")), .target = rv_all(rv_population_find(net, "b")), .rule = "all_to_all", .weight = rv_number(8) }, NULL));
    expect_not_made(net, "projection \"in\" -> \"b\": generator 0 reaches two neurons, but an input of RISP is one neuron: use a generator for each");
    net = random_net(1);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(rv_population_find(net, "in")), .target = rv_all(rv_population_find(net, "b")), .rule = "all_to_all", .weight = rv_number(3) }, NULL));
    expect_not_made(net, "inputs of RISP all have one weight and reach their neuron in the next step; found a weight of 3 and a delay of 1 steps");
    net = reference_net((rv_net_def){ .resolution = 1 });
    expect_not_made(net, "the network has no neurons of the model risp, which TENNLab's files are for");
    write_text(good);
    t = open_file(reference_file());
    t.edge[0].weight = 0;
    assert_int_equal(tennlab_build(&t, &(rv_net_def){ 0 }, &net, &error), RV_CONFLICT);
    assert_string_equal(error.text, "edge 0 of weight 0 would make node 3 fire, whose threshold is 0; allowed are thresholds above 0 where such edges end");
    tennlab_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs),           cmocka_unit_test(test_round_trips),   cmocka_unit_test(test_from_engine),
        cmocka_unit_test(test_threshold_zero), cmocka_unit_test(test_refused_files), cmocka_unit_test(test_refused_networks),
    };
    return cmocka_run_group_tests(tests, reference_make_file, reference_remove_file);
}
