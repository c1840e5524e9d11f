/* Single neurons of the chip against traces of Lava (lif_*, lif_refr_float_*) and of nengo-loihi's emulator (nxcore_*): u, v and
 * spikes at every step, bit for bit. The input of a step enters as a current that is constant in it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fixture.h"

enum { MOST_NEURONS = 8, MOST_STEPS = 400 };

/* One file of traces and the network that must reproduce it; neuron after neuron, step after step. */
typedef struct trace {
    fixture_table t;
    const char   *input; /* its column */
    int           n_neurons, n_steps;
    rv_net       *net;
    rv_population neurons;
    rv_probe      u, v;
} trace;

static void open_trace(trace *tr, const char *file, const char *input, const char *model, int threads)
{
    tr->t = fixture_open_table(fixture_or_skip(reference_text("lif/%s", file)));
    tr->input = input, tr->n_neurons = 0, tr->n_steps = 0;
    for (int r = 0; r < tr->t.n_rows; r++) {
        tr->n_neurons = (int)fmax(tr->n_neurons, fixture_number(&tr->t, r, "neuron") + 1);
        tr->n_steps = (int)fmax(tr->n_steps, fixture_number(&tr->t, r, "step"));
    }
    assert_true(tr->n_neurons <= MOST_NEURONS && tr->n_steps <= MOST_STEPS);
    tr->net = reference_net((rv_net_def){ .resolution = 1, .threads = threads });
    tr->neurons = reference_population(tr->net, "a", tr->n_neurons, model);
}

static void close_trace(trace *tr)
{
    rv_net_free(tr->net);
    fixture_close_table(&tr->t);
}

static rv_slice neuron_of(const trace *tr, int neuron) { return (rv_slice){ tr->neurons, neuron, 1, 1 }; }

static void set_of(const trace *tr, int neuron, const char *name, double value)
{
    ENSURE_OK(tr->net, rv_set_slice(tr->net, neuron_of(tr, neuron), name, rv_number(value)));
}

/* Rows go by step, then neuron. */
static double expected(const trace *tr, const char *column, int neuron, int step)
{
    int row = (step - 1) * tr->n_neurons + neuron;
    assert_int_equal(fixture_number(&tr->t, row, "neuron"), neuron);
    assert_int_equal(fixture_number(&tr->t, row, "step"), step);
    return fixture_number(&tr->t, row, column);
}

static void inject(const trace *tr, int neuron)
{
    double times[MOST_STEPS], amplitudes[MOST_STEPS];
    for (int k = 0; k < tr->n_steps; k++) times[k] = k, amplitudes[k] = expected(tr, tr->input, neuron, k + 1);
    rv_setting settings[] = { { "times", rv_list(times, tr->n_steps) }, { "amplitudes", rv_list(amplitudes, tr->n_steps) } };
    ENSURE_OK(tr->net, rv_input_new(tr->net, neuron_of(tr, neuron), "step", settings, 2, NULL));
}

static void run_trace(trace *tr)
{
    for (int i = 0; i < tr->n_neurons; i++) inject(tr, i);
    tr->u = reference_record(tr->net, tr->neurons, "u", 0), tr->v = reference_record(tr->net, tr->neurons, "v", 0);
    ENSURE_OK(tr->net, rv_record_spikes(tr->net, tr->neurons));
    ENSURE_OK(tr->net, rv_run(tr->net, tr->n_steps));
}

static void compare_samples(const trace *tr, rv_probe probe, const char *column, const char *file)
{
    reference_list got = reference_samples(tr->net, probe);
    assert_int_equal(got.n, tr->n_neurons * tr->n_steps);
    for (int step = 1; step <= tr->n_steps; step++)
        for (int i = 0; i < tr->n_neurons; i++)
            ENSURE_NEAR_IN(got.x[(step - 1) * tr->n_neurons + i], expected(tr, column, i, step), 0, "", "%s: %s of neuron %d at step %d", file, column, i, step);
    reference_list_free(&got);
}

static void compare_spikes(const trace *tr, const char *file)
{
    reference_spikes got = reference_spikes_of(tr->net, tr->neurons);
    int64_t          k = 0;
    for (int step = 1; step <= tr->n_steps; step++)
        for (int i = 0; i < tr->n_neurons; i++) {
            bool fired = k < got.n && got.time_ms[k] == step && got.neuron[k] == i;
            if (fired != (expected(tr, "s", i, step) != 0)) fail_msg("%s: spike of neuron %d at step %d: expected %d", file, i, step, !fired);
            k += fired;
        }
    assert_int_equal(k, got.n);
    reference_spikes_free(&got);
}

static void compare_trace(trace *tr, const char *file)
{
    run_trace(tr);
    compare_samples(tr, tr->u, "u", file);
    compare_samples(tr, tr->v, "v", file);
    compare_spikes(tr, file);
}

/* ---- Lava -------------------------------------------------------------------------------------------------------- */

static void set_all_of(const trace *tr, const fixture_table *p, int row, const char *const *columns, const char *const *names)
{
    for (int k = 0; columns[k]; k++) set_of(tr, (int)fixture_number(p, row, "neuron"), names[k], fixture_number(p, row, columns[k]));
}

static void set_lava(const trace *tr, const fixture_table *p, int row)
{
    static const char *const lif[] = { "du", "dv", "vth", "bias_mant", "bias_exp", "u0", "v0", "reset_interval", "reset_offset", NULL };
    static const char *const lif_names[] = { "du", "dv", "vth", "bias_mant", "bias_exp", "u", "v", "reset_interval", "reset_offset" };
    static const char *const ternary[] = { "du", "dv", "vth", "vth_lo", "bias_mant", "bias_exp", "u0", "v0", NULL };
    static const char *const ternary_names[] = { "du", "dv", "vth_hi", "vth_lo", "bias_mant", "bias_exp", "u", "v" };
    bool                     is_ternary = strcmp(fixture_text(p, row, "model"), "TernaryLIF") == 0;
    set_all_of(tr, p, row, is_ternary ? ternary : lif, is_ternary ? ternary_names : lif_names);
}

static void run_lava_case(const fixture_table *p, int first, int threads)
{
    trace       tr;
    const char *file = fixture_text(p, first, "file");
    bool        is_ternary = strcmp(fixture_text(p, first, "model"), "TernaryLIF") == 0;
    if (!fixture_path(reference_text("lif/%s", file))) return;
    open_trace(&tr, file, "a_in", is_ternary ? "loihi_ternary" : "loihi_lif", threads);
    for (int row = first; row < first + tr.n_neurons; row++) set_lava(&tr, p, row);
    rv_probe s = is_ternary ? reference_record(tr.net, tr.neurons, "s", 0) : (rv_probe){ 0 };
    compare_trace(&tr, file);
    if (is_ternary) compare_samples(&tr, s, "s", file);
    close_trace(&tr);
}

static void test_lava(void **state)
{
    (void)state;
    fixture_table p = fixture_open_table(fixture_or_skip("lif/lif_params.csv"));
    for (int row = 0; row < p.n_rows; row += (int)fixture_number(&p, row, "n_neurons"))
        for (int threads = 1; threads <= 2; threads++) run_lava_case(&p, row, threads);
    fixture_close_table(&p);
}

static void test_lava_floating(void **state)
{
    (void)state;
    static const char *const columns[] = { "du", "dv", "vth", "bias", "refractory_period", NULL };
    fixture_table            p = fixture_open_table(fixture_or_skip("lif/lif_refr_float_params.csv"));
    for (int row = 0; row < p.n_rows; row++) {
        trace       tr;
        const char *file = fixture_text(&p, row, "file");
        if (!fixture_path(reference_text("lif/%s", file))) continue;
        open_trace(&tr, file, "a_in", "lava_lif", 1);
        for (int k = 0; columns[k]; k++) reference_set(tr.net, tr.neurons, columns[k], fixture_number(&p, row, columns[k]));
        compare_trace(&tr, file);
        close_trace(&tr);
    }
    fixture_close_table(&p);
}

/* ---- nengo-loihi --------------------------------------------------------------------------------------------------- */

static int rows_of_file(const fixture_table *p, int first)
{
    int n = 1;
    while (first + n < p->n_rows && strcmp(fixture_text(p, first + n, "file"), fixture_text(p, first, "file")) == 0) n++;
    return n;
}

static void test_loihi1(void **state)
{
    (void)state;
    static const char *const columns[] = { "decay_u", "decay_v", "vth", "bias", "vmin", "vmax", "refract_delay", NULL };
    static const char *const names[] = { "du", "dv", "vth", "bias", "vmin", "vmax", "refract_delay" };
    fixture_table            p = fixture_open_table(fixture_or_skip("lif/nxcore_params.csv"));
    for (int row = 0, n; row < p.n_rows; row += n) {
        trace       tr;
        const char *file = fixture_text(&p, row, "file");
        n = rows_of_file(&p, row);
        if (!fixture_path(reference_text("lif/%s", file))) continue;
        open_trace(&tr, file, "q_in", "loihi1_lif", 1);
        for (int k = 0; k < n; k++) set_all_of(&tr, &p, row + k, columns, names);
        compare_trace(&tr, file);
        close_trace(&tr);
    }
    fixture_close_table(&p);
}

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

static void expect_refusal(const char *model, const char *name, double value, rv_timing timing, const char *sentence)
{
    rv_net       *net = reference_net((rv_net_def){ .resolution = 1, .timing = timing });
    rv_population a = reference_population(net, "a", 2, model);
    rv_status     status = name ? rv_set(net, a, name, rv_number(value)) : RV_OK;
    if (status == RV_OK) status = rv_compile(net);
    if (status == RV_OK || !strstr(rv_net_error(net)->text, sentence)) fail_msg("expected: %s\n     got: %s", sentence, rv_net_error(net)->text);
    rv_net_free(net);
}

static void test_refusals(void **state)
{
    (void)state;
    expect_refusal("loihi_lif", "du", 4096, RV_GRID, "population \"a\": du = 4096, allowed -1 to 4095");
    expect_refusal("loihi_lif", "dv", -1, RV_GRID, "population \"a\": dv = -1, allowed 0 to 4096");
    expect_refusal("loihi_lif", "vth", 10.5, RV_GRID, "population \"a\": vth must be a whole number");
    expect_refusal("loihi_lif", "reset_offset", 0.5, RV_GRID, "population \"a\": reset_offset must be a whole number");
    expect_refusal("loihi_lif", NULL, 0, RV_EXACT, "population \"a\": exact timing: a chip works in steps");
    expect_refusal("loihi_ternary", "vth_lo", 11, RV_GRID, "population \"a\": vth_lo must not be above vth_hi");
    expect_refusal("loihi_ternary", "vth_hi", 1.5, RV_GRID, "population \"a\": vth_hi must be a whole number");
    expect_refusal("loihi_ternary", "du", 1.5, RV_GRID, "population \"a\": du must be a whole number");
    expect_refusal("loihi_ternary", NULL, 0, RV_EXACT, "population \"a\": exact timing: a chip works in steps");
    expect_refusal("loihi1_lif", "refract_delay", 65, RV_GRID, "population \"a\": refract_delay = 65 steps, allowed 1 to 64 steps");
    expect_refusal("loihi1_lif", "bias", 0.1, RV_GRID, "population \"a\": bias must be a whole number");
    expect_refusal("loihi1_lif", NULL, 0, RV_EXACT, "population \"a\": exact timing: a chip works in steps");
    expect_refusal("lava_lif", "refractory_period", 1.5, RV_GRID, "population \"a\": refractory_period must be a whole number");
    expect_refusal("lava_lif", NULL, 0, RV_EXACT, "population \"a\": exact timing: the model is defined in steps");
}

/* ---- the chip itself ------------------------------------------------------------------------------------------------------ */

enum { PAPER_ROWS = 1000, REFRACTORY_SHOWN = 128 };

/* One neuron of the NIR paper (doi:10.1038/s41467-024-52259-9): 1000 steps on Lava's CPU model, and on a Loihi 2 chip, whose voltage register
 * shows the refractory counter in the steps of its four spikes. */
static void compare_with_paper(const char *file, bool chip)
{
    const char    *path = fixture_or_skip(file);
    reference_list rows = reference_table(path, 3); /* input, voltage, spike */
    rv_net        *net = reference_net((rv_net_def){ .resolution = 1 });
    rv_population  in = reference_population(net, "in", 1, "spike_generator"), a = reference_population(net, "a", 1, "loihi_lif");
    double         times[PAPER_ROWS];
    int            n = 0, spikes = 0;
    assert_int_equal(rows.n, 3 * PAPER_ROWS);
    for (int t = 0; t < PAPER_ROWS; t++)
        if (rows.x[3 * t] != 0) times[n++] = t + 1;
    ENSURE_OK(net, rv_set_spike_times(net, in, 0, times, n));
    reference_set_all(net, a, "du", 4095.0, "dv", 163.0, "vth", 25.0, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(in), .target = rv_all(a), .rule = "one_to_one", .weight = rv_number(10), .delay = rv_number(1), .synapse = "loihi" }, NULL));
    ENSURE_OK(net, rv_record_spikes(net, a));
    rv_probe v = reference_record(net, a, "v", 0);
    ENSURE_OK(net, rv_run(net, PAPER_ROWS));
    reference_list   got = reference_samples(net, v);
    reference_spikes s = reference_spikes_of(net, a);
    for (int t = 0; t < PAPER_ROWS; t++) {
        bool spike = rows.x[3 * t + 2] != 0;
        ENSURE_NEAR_IN(got.x[t] + (chip && spike ? REFRACTORY_SHOWN : 0), rows.x[3 * t + 1], 0, "", "%s: v in row %d", file, t + 1);
        if (spike) assert_true(spikes < s.n && s.time_ms[spikes++] == t + 1);
    }
    assert_int_equal(spikes, s.n);
    assert_int_equal(spikes, 4);
    reference_spikes_free(&s), reference_list_free(&got), reference_list_free(&rows);
    rv_net_free(net);
}

static void test_lava_on_cpu(void **state)
{
    (void)state;
    compare_with_paper("nir_paper/lif_lava_cpu_fixed.csv", false);
}

static void test_loihi2_chip(void **state)
{
    (void)state;
    compare_with_paper("nir_paper/lif_lava_loihi_fixed.csv", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lava),
        cmocka_unit_test(test_lava_floating),
        cmocka_unit_test(test_loihi1),
        cmocka_unit_test(test_lava_on_cpu), cmocka_unit_test(test_loihi2_chip), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
