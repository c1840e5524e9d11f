/* Checkpoints, in memory: random networks of everything there is are cut at random times, saved, loaded and continued on other
 * numbers of threads. What is compared is all that a second checkpoint says: every state, weight, trace, event and sample, bit
 * for bit; and the spikes with those of a run that was never cut. To see one network again:
 *
 *   RV_CHECKPOINT_SEED=1234 RV_CHECKPOINT_N=1 RV_CHECKPOINT_TEST='*continued*' build/tests/sim/test_checkpoint
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/net.h"
#include "sim/random.h"
#include "sim/statistics.h"
#include "tests/support/any_net.h"
#include "tests/support/memory_port.h"

enum { N_NETWORKS = 120, FIRST_SEED = 100 };

static int from_environment(const char *name, int standard)
{
    const char *text = getenv(name);
    return text ? atoi(text) : standard;
}

static uint64_t now; /* the seed, for sentences */

static void must(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("network %llu: %s", (unsigned long long)now, rv_net_error(net)->text);
}

static void save(rv_net *net, memory_file *file)
{
    checkpoint_port port = memory_port(file);
    must(net, checkpoint_write(net, &port));
}

static rv_net *load(memory_file *file, int threads)
{
    rv_net         *net;
    rv_error        error;
    checkpoint_port port = memory_port(file);
    if (checkpoint_read(&port, threads, &net, &error) != RV_OK) fail_msg("network %llu: %s", (unsigned long long)now, error.text);
    return net;
}

static uint64_t hash_of(rv_net *net, int64_t *n_spikes)
{
    uint64_t hash = 0;
    *n_spikes = 0;
    for (int p = 1; p <= rv_population_count(net); p++) {
        rv_population population = { p };
        int64_t       n = rv_spike_count(net, population), *neurons = malloc(((size_t)n + 1) * sizeof *neurons);
        double       *times = malloc(((size_t)n + 1) * sizeof *times);
        must(net, rv_spike_read(net, population, 0, n, times, neurons));
        hash += rv_spike_hash(rv_population_name(net, population), times, neurons, n);
        *n_spikes += n;
        free(times), free(neurons);
    }
    return hash;
}

/* ---- cut and continued -------------------------------------------------------------------------------------------- */

typedef struct piece {
    double ms;
    int    threads; /* on which the network is loaded before it; 0: it goes on as it is */
} piece;

enum { MOST_PIECES = 5 };

/* Runs in pieces and saves at the end. */
static rv_net *run_pieces(uint64_t seed, int threads, const piece *pieces, int n, bool cut, memory_file *last)
{
    double  duration;
    rv_net *net = any_net(seed, threads, &duration);
    for (int k = 0; k < n; k++) {
        memory_file file = { 0 };
        if (cut) {
            save(net, &file);
            rv_net_free(net);
            net = load(&file, pieces[k].threads);
            memory_close(&file);
        }
        must(net, rv_run(net, pieces[k].ms));
    }
    save(net, last);
    return net;
}

static int draw_pieces(uint64_t seed, piece *pieces)
{
    double    duration;
    rv_random random = random_stream(seed, RANDOM_USER, 8, 0);
    rv_net   *net = any_net(seed, 1, &duration);
    int64_t   steps = llrint(duration / rv_resolution(net));
    int       n = 2 + (int)random_below(&random, MOST_PIECES - 1);
    for (int k = 0; k < n; k++) {
        int64_t some = k == n - 1 ? steps : (int64_t)random_below(&random, (uint64_t)steps + 1);
        pieces[k] = (piece){ (double)some * rv_resolution(net), 1 + (int)random_below(&random, 4) };
        steps -= some;
    }
    rv_net_free(net);
    return n;
}

static void test_continued_runs_are_the_same(void **state)
{
    (void)state;
    int     n_networks = from_environment("RV_CHECKPOINT_N", N_NETWORKS), first = from_environment("RV_CHECKPOINT_SEED", FIRST_SEED), silent = 0;
    int64_t all_spikes = 0, n_spikes, n_uncut;
    for (int k = 0; k < n_networks; k++) {
        piece       pieces[MOST_PIECES];
        memory_file straight = { 0 }, cut = { 0 };
        now = (uint64_t)(first + k);
        int     n = draw_pieces(now, pieces), threads = 1 + (int)(now % 3);
        rv_net *a = run_pieces(now, threads, pieces, n, false, &straight), *b = run_pieces(now, threads, pieces, n, true, &cut);
        const char *differs = memory_difference(&straight, &cut);
        if (differs) fail_msg("network %llu, cut %d times: %s is not what it is without cuts", (unsigned long long)now, n, differs);
        double  duration;
        rv_net *uncut = any_net(now, 1 + (int)(now % 4), &duration);
        must(uncut, rv_run(uncut, duration));
        if (hash_of(b, &n_spikes) != hash_of(uncut, &n_uncut))
            fail_msg("network %llu, cut %d times: %lld spikes are not the %lld of an uncut run", (unsigned long long)now, n, (long long)n_spikes, (long long)n_uncut);
        all_spikes += n_spikes, silent += n_spikes == 0;
        rv_net_free(a), rv_net_free(b), rv_net_free(uncut);
        memory_close(&straight), memory_close(&cut);
    }
    printf("%d networks, %lld spikes, %d silent\n", n_networks, (long long)all_spikes, silent);
    if (n_networks >= N_NETWORKS) assert_true(silent < n_networks / 3);
    static const char *const also[] = { "rewards", "receptors", "normalise", "scale", "rewire", "learn_delays", "set_delays", "histogram", "chosen synapses" };
    for (size_t k = 0; k < sizeof also / sizeof *also && n_networks >= N_NETWORKS; k++)
        if (!any_net_has_used(also[k])) fail_msg("%s: in none of the networks", also[k]);
    for (int kind = RV_NEURONS; kind <= RV_SYNAPSES && n_networks >= N_NETWORKS; kind++) {
        rv_table table;
        for (int i = 0; rv_table_at((rv_table_kind)kind, i, &table); i++)
            if (!any_net_has_used(table.name)) fail_msg("%s was in none of the networks", table.name);
    }
}

/* ---- saving changes nothing ---------------------------------------------------------------------------------------- */

static rv_status save_now(rv_net *net, double t_ms, void *user)
{
    (void)t_ms;
    memory_close(user);
    save(net, user);
    return RV_OK;
}

static rv_status save_at_spike(rv_net *net, rv_population population, int64_t neuron, double t_ms, void *user)
{
    (void)population;
    return neuron % 7 == 3 && (int64_t)t_ms % 5 == 0 ? save_now(net, t_ms, user) : RV_OK;
}

/* Saved in callbacks: the run goes on as if nothing had been, and what was saved continues to the same end. */
static void test_saving_in_callbacks(void **state)
{
    (void)state;
    for (now = 500; now < 540; now++) {
        double      duration;
        int64_t     n;
        memory_file timed = { 0 }, at_spike = { 0 };
        rv_net     *plain = any_net(now, 2, &duration), *saving = any_net(now, 2, &duration);
        must(plain, rv_run(plain, duration));
        must(saving, rv_every(saving, rv_resolution(saving) * floor(duration / rv_resolution(saving) / 3), save_now, &timed));
        if (now % 2) must(saving, rv_on_spike(saving, (rv_population){ 1 }, save_at_spike, &at_spike));
        must(saving, rv_run(saving, duration));
        uint64_t     expected = hash_of(plain, &n);
        memory_file *files[] = { &timed, &at_spike };
        if (hash_of(saving, &n) != expected) fail_msg("network %llu: saving changed its spikes", (unsigned long long)now);
        for (int k = 0; k < 2; k++) {
            if (files[k]->n == 0) continue;
            rv_net *loaded = load(files[k], 3);
            must(loaded, rv_run(loaded, duration - rv_time(loaded)));
            if (hash_of(loaded, &n) != expected) fail_msg("network %llu: saved in a callback, it goes on differently", (unsigned long long)now);
            rv_net_free(loaded), memory_close(files[k]);
        }
        rv_net_free(plain), rv_net_free(saving);
    }
}

/* Everything is the same again after it has been changed between runs. */
static void test_after_changes(void **state)
{
    (void)state;
    for (now = 600; now < 640; now++) {
        double      duration;
        memory_file first = { 0 }, second = { 0 }, third = { 0 };
        rv_net     *net = any_net(now, 2, &duration);
        double      half = rv_resolution(net) * floor(duration / rv_resolution(net) / 2);
        must(net, rv_run(net, half));
        for (int p = 1; p <= rv_projection_count(net); p++) {
            int64_t n;
            must(net, rv_synapse_count(net, (rv_projection){ p }, &n));
            if (n > 0 && now % 2) rv_set_weights(net, (rv_projection){ p }, rv_uniform(1, 2));
            if (now % 3 == 0) rv_set_delays(net, (rv_projection){ p }, rv_number((double)(1 + p) * rv_resolution(net))); /* shorter than what is under way */
            rv_reward(net, (rv_projection){ p }, 2);
        }
        for (int p = 1; p <= rv_population_count(net); p++) {
            double times[] = { rv_time(net) + 2 * rv_resolution(net), rv_time(net) + 5 * rv_resolution(net) };
            rv_add_spikes(net, (rv_population){ p }, (const int64_t[]){ 1, 0 }, times, 2);
            rv_set(net, (rv_population){ p }, "V_m", rv_uniform(-70, -60));
            rv_input_new(net, (rv_slice){ { p }, 1, -1, 1 }, "dc", (rv_setting[]){ { "amplitude", rv_number(3) } }, 1, NULL);
            rv_input_new(net, rv_all((rv_population){ p }), "poisson", (rv_setting[]){ { "rate", rv_number(20) }, { "weight", rv_number(5) } }, 2, NULL);
            rv_poke(net, (rv_population){ p }, 0);
        }
        save(net, &first);
        rv_net *loaded = load(&first, 1);
        must(net, rv_run(net, half)), must(loaded, rv_run(loaded, half));
        save(net, &second), save(loaded, &third);
        const char *differs = memory_difference(&second, &third);
        if (differs) fail_msg("network %llu, changed between runs: %s differs", (unsigned long long)now, differs);
        rv_net_free(net), rv_net_free(loaded);
        memory_close(&first), memory_close(&second), memory_close(&third);
    }
}

/* ---- damaged checkpoints ------------------------------------------------------------------------------------------- */

/* What comes of it must be a sentence, or a network that runs. */
static void try_damaged(memory_file *file, const memory_item *item, const char *how, int *refused)
{
    rv_net         *net;
    rv_error        error = { 0 };
    checkpoint_port port = memory_port(file);
    rv_status       status = checkpoint_read(&port, 1, &net, &error);
    *refused += status != RV_OK;
    if (status != RV_OK && (!error.text[0] || error.status != status || net)) fail_msg("network %llu, %s %s: refused with status %d, error %d \"%s\"", (unsigned long long)now, item->path, how, status, error.status, error.text);
    if (status == RV_OK) rv_run(net, 3 * rv_resolution(net));
    rv_net_free(net);
}

static void damage_item(memory_file *file, memory_item *item, rv_random *random, int *refused)
{
    memory_item whole = *item;
    size_t      width = item->text ? 1 : memory_width(item->type), bytes = (size_t)item->n * width;
    item->path = "nowhere";
    try_damaged(file, &whole, "is missing", refused);
    item->path = whole.path;
    if (item->text) {
        item->text = "nonsense";
        try_damaged(file, &whole, "is nonsense", refused);
        item->text = whole.text;
        return;
    }
    item->values = malloc(bytes + 2 * width);
    memset(item->values, 0x11, bytes + 2 * width);
    memcpy(item->values, whole.values, bytes);
    item->n = whole.n + 1;
    try_damaged(file, &whole, "is longer", refused);
    item->n = whole.n > 0 ? whole.n - 1 : 0;
    try_damaged(file, &whole, "is shorter", refused);
    item->n = whole.n;
    for (int k = 0; k < 6 && bytes > 0; k++) {
        static const uint64_t nasty[] = { 0, 1, UINT64_MAX, 0x7ff8000000000000, 0x7fffffffffffffff, 0x8000000000000000 };
        uint64_t              x = k < 3 ? nasty[random_below(random, 6)] : k == 3 ? random_u32(random) : (uint64_t)1 << random_below(random, 8 * width);
        char                 *at = item->values + random_below(random, (uint64_t)item->n) * width;
        uint64_t              old = 0;
        memcpy(&old, at, width);
        if (k > 3) x ^= old;
        memcpy(at, &x, width);
        try_damaged(file, &whole, "has a wrong value", refused);
        memcpy(at, &old, width);
    }
    free(item->values);
    *item = whole;
}

/* Every array and text: missing, too long, too short, with wrong values. */
static void test_damaged(void **state)
{
    (void)state;
    int refused = 0, tried = 0, n = from_environment("RV_CHECKPOINT_DAMAGE", 12);
    for (now = 700; now < 700 + (uint64_t)n; now++) {
        double      duration;
        memory_file file = { 0 };
        rv_random   random = random_stream(now, RANDOM_USER, 9, 0);
        rv_net     *net = any_net(now, 2, &duration);
        must(net, rv_run(net, rv_resolution(net) * floor(duration / rv_resolution(net) / 2)));
        save(net, &file);
        for (int k = 0; k < 40; k++, tried++) damage_item(&file, &file.item[random_below(&random, (uint64_t)file.n)], &random, &refused);
        rv_net_free(load(&file, 2)); /* everything is as it was */
        rv_net_free(net);
        memory_close(&file);
    }
    printf("%d items damaged, %d of the outcomes refused\n", tried, refused);
    assert_true(refused > tried);
}

static void test_other_version(void **state)
{
    (void)state;
    double          duration;
    rv_error        error;
    memory_file     file = { 0 };
    checkpoint_port port = memory_port(&file);
    rv_net         *net = any_net(1, 1, &duration), *loaded;
    save(net, &file);
    *(int64_t *)memory_find(&file, "version")->values = CHECKPOINT_VERSION + 1;
    assert_int_equal(checkpoint_read(&port, 1, &loaded, &error), RV_FILE_ERROR);
    assert_string_equal(error.text, "it is a checkpoint of version 3, this version of Ranvier (" RV_VERSION ") reads version 2");
    rv_net_free(net);
    memory_close(&file);
}

/* ---- functions are not in it --------------------------------------------------------------------------------------- */

static double half(double d, void *user)
{
    (void)user;
    return 0.5 + 0 * d;
}

/* What came from a plug-in is not here without it. */
static void test_without_its_plugin(void **state)
{
    (void)state;
    static const char *const paths[] = { "definition/populations/0/model", "definition/projections/0/plasticity" };
    static const char *const sentences[] = { "definition/populations/0/model is \"my_own\", a neuron model that there is not here; if it came from a plug-in, that is loaded first",
                                             "definition/projections/0/plasticity is \"my_own\", a learning rule that there is not here; if it came from a plug-in, that is loaded first" };
    rv_net         *net, *loaded;
    rv_error        error;
    memory_file     file = { 0 };
    checkpoint_port port = memory_port(&file);
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 3 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "E", 10, "iaf_psc_delta");
    must(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "all_to_all", .plasticity = "stdp" }, NULL));
    save(net, &file);
    for (int k = 0; k < 2; k++) {
        memory_item *item = memory_find(&file, paths[k]);
        char        *before = item->text;
        item->text = "my_own";
        assert_int_not_equal(checkpoint_read(&port, 1, &loaded, &error), RV_OK);
        item->text = before;
        assert_string_equal(error.text, sentences[k]);
    }
    rv_net_free(net);
    memory_close(&file);
}

static void test_function_of_distance(void **state)
{
    (void)state;
    double      xyz[30] = { 0 };
    rv_net     *net;
    memory_file file = { 0 };
    int64_t     n, again;
    assert_int_equal(rv_net_new(&(rv_net_def){ .seed = 3 }, &net, NULL), RV_OK);
    rv_population p = rv_population_new(net, "E", 10, "iaf_psc_delta");
    must(net, rv_set_positions(net, p, xyz, NULL));
    must(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "pairwise_bernoulli", .p = { .kind = RV_FUNCTION, .function = half } }, NULL));
    save(net, &file);
    rv_net *loaded = load(&file, 1);
    must(net, rv_synapse_count(net, (rv_projection){ 1 }, &n)), must(loaded, rv_synapse_count(loaded, (rv_projection){ 1 }, &again));
    assert_int_equal(n, again);
    network *drawn;
    rv_error error;
    assert_int_equal(network_compile(&loaded->def, 1, &drawn, &error), RV_CONFLICT);
    assert_string_equal(error.text, "projection \"E\" -> \"E\": it was drawn by a function of the script, which a checkpoint does not hold: its synapses are there, but cannot be drawn again");
    rv_net_free(net), rv_net_free(loaded);
    memory_close(&file);
}

/* ---- nothing is forgotten ------------------------------------------------------------------------------------------- */

/* Whoever changes one of these structures looks at the function that saves it, then here. Sizes are those of x86-64. */
static void test_structures_are_those_that_are_saved(void **state)
{
    (void)state;
#ifdef __x86_64__
    static const struct {
        const char *name, *function;
        size_t      size, known;
    } structures[] = {
        { "definition", "visit_definition()", sizeof(definition), 72 },
        { "population_def", "visit_population() of checkpoint_definition.c", sizeof(population_def), 992 },
        { "projection_def", "visit_draft()", sizeof(projection_def), 800 },
        { "input_def", "visit_input()", sizeof(input_def), 128 },
        { "rv_value", "visit_value()", sizeof(rv_value), 96 },
        { "network", "visit_network()", sizeof(network), 104 },
        { "population_net", "visit_network()", sizeof(population_net), 648 },
        { "bundle", "visit_bundle()", sizeof(bundle), 304 },
        { "rows", "array_of() of checkpoint_network.c", sizeof(rows), 72 },
        { "segment", "array_of() of checkpoint_network.c", sizeof(segment), 12 },
        { "state", "visit_state()", sizeof(struct state), 96 },
        { "tile_state", "visit_tile()", sizeof(tile_state), 400 },
        { "part_state", "visit_population() of checkpoint_state.c", sizeof(part_state), 840 },
        { "rv_part", "visit_population() of checkpoint_state.c", sizeof(rv_part), 768 },
        { "event_queue", "visit_queue()", sizeof(event_queue), 104 },
        { "far_event", "take_words()", sizeof(far_event), 24 },
        { "arrivals", "visit_arrivals()", sizeof(arrivals), 16 },
        { "input_state", "visit_arrivals()", sizeof(input_state), 24 },
        { "plastic", "visit_rule()", sizeof(plastic), 192 },
        { "reward", "visit_rewards()", sizeof(reward), 16 },
        { "voltage", "visit_voltage()", sizeof(voltage), 64 },
        { "structure_task", "visit_task()", sizeof(structure_task), 448 },
        { "turnover", "visit_turnover()", sizeof(turnover), 16 },
        { "source_trace", "visit_traces()", sizeof(source_trace), 48 },
        { "target_trace", "visit_traces()", sizeof(target_trace), 40 },
        { "history", "visit_history()", sizeof(history), 16 },
        { "epoch", "visit_epoch()", sizeof(epoch), 200 },
        { "probe", "visit_probe()", sizeof(probe), 280 },
        { "spike_probe", "visit_spikes()", sizeof(spike_probe), 64 },
        { "rv_net", "checkpoint_write()", sizeof(struct rv_net), 776 },
    };
    int changed = 0;
    for (size_t k = 0; k < sizeof structures / sizeof *structures; k++) {
        if (structures[k].size == structures[k].known) continue;
        printf("struct %s has %zu bytes, not %zu: look at %s, whether checkpoints hold what is new, and at CHECKPOINT_VERSION\n", structures[k].name,
               structures[k].size, structures[k].known, structures[k].function);
        changed++;
    }
    assert_int_equal(changed, 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_continued_runs_are_the_same), cmocka_unit_test(test_saving_in_callbacks),
        cmocka_unit_test(test_after_changes),               cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_other_version),               cmocka_unit_test(test_function_of_distance),
        cmocka_unit_test(test_without_its_plugin),
        cmocka_unit_test(test_structures_are_those_that_are_saved),
    };
    if (getenv("RV_CHECKPOINT_TEST")) cmocka_set_test_filter(getenv("RV_CHECKPOINT_TEST"));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
