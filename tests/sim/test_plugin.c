/* Plug-ins: the template is compiled as its head says and gives the spikes of the built-in model; a rule from outside; what is refused.
 * The command is $RANVIER (build/ranvier), the compiler $CC (gcc). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/plugin.h"
#include "tests/support/reference.h"

static char folder[] = "/tmp/ranvier_plugin_XXXXXX", output[1 << 14];

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int shell(const char *format, ...)
{
    char    line[3000], both[3100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(both, sizeof both, "{ %s; } 2>&1", line);
    FILE *pipe = popen(both, "r");
    assert_non_null(pipe);
    output[fread(output, 1, sizeof output - 1, pipe)] = 0;
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static const char *command(void) { return getenv("RANVIER") ? getenv("RANVIER") : "build/ranvier"; }

/* Compiles a file with what pkg-config says, headers taken from here. @return the library's path */
static const char *compile(const char *source, const char *library)
{
    const char *path = reference_text("%s/%s", folder, library), *cc = getenv("CC");
    int status = shell("%s $(pkg-config --define-variable=includedir=. --variable=plugin %s.pc) -Wall -Wextra -Werror %s -o %s", cc ? cc : "gcc", command(), source, path);
    if (status) fail_msg("%s does not compile:\n%s", source, output);
    return path;
}

static const char *compile_text(const char *text, const char *library)
{
    const char *path = reference_text("%s/source.c", folder);
    FILE       *file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    return compile(path, library);
}

static void load(const char *path)
{
    rv_error error;
    if (rv_plugin_load(path, &error) != RV_OK) fail_msg("%s", error.text);
}

/* ---- a model ------------------------------------------------------------------------------------------------------- */

enum { N = 200 };

static reference_spikes run(const char *model, rv_timing timing, rv_advance advance, double rate)
{
    rv_net       *net = reference_net((rv_net_def){ .timing = timing, .advance = advance, .seed = 5, .threads = 2 });
    rv_population p = reference_population(net, "p", N, model);
    reference_set_all(net, p, "tau_m", 15.0, "E_L", -66.0, "V_th", -50.0, "V_reset", -60.0, "t_ref", 1.5, NULL);
    ENSURE_OK(net, rv_set(net, p, "V_m", rv_uniform(-66, -50)));
    reference_input(net, p, "poisson", "rate", rate, "weight", 0.5, NULL);
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "fixed_indegree", .degree = 20, .weight = rv_number(0.3), .delay = rv_number(1.5) }, NULL));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(p), .target = rv_all(p), .rule = "fixed_indegree", .degree = 20, .weight = rv_normal(-0.6, 0.1), .delay = rv_number(1) }, NULL));
    ENSURE_OK(net, rv_record_spikes(net, p));
    ENSURE_OK(net, rv_run(net, 400));
    reference_spikes spikes = reference_spikes_of(net, p);
    rv_net_free(net);
    return spikes;
}

static void compare(rv_timing timing, rv_advance advance, double rate, double tolerance)
{
    reference_spikes got = run("my_lif", timing, advance, rate), expected = run("iaf_psc_delta", timing, advance, rate);
    print_message("timing %d, way %d: %lld spikes\n", timing, advance, (long long)got.n);
    assert_true(got.n > 500);
    assert_int_equal(got.n, expected.n);
    for (int64_t k = 0; k < got.n; k++) {
        assert_int_equal(got.neuron[k], expected.neuron[k]);
        ENSURE_NEAR_IN(got.time_ms[k], expected.time_ms[k], tolerance, "ms", "spike %d", (int)k);
    }
    reference_spikes_free(&got), reference_spikes_free(&expected);
}

static void test_template(void **state)
{
    (void)state;
    load(compile("examples/plugin/my_lif.c", "my_lif.so"));
    rv_table table;
    assert_true(rv_table_find(RV_NEURONS, "my_lif", &table));
    assert_string_equal(table.params[0].name, "tau_m");
    compare(RV_GRID, RV_SWEEP, 3000, 0);
    compare(RV_GRID, RV_JUMP, 3000, 0);
    compare(RV_GRID, RV_ADAPTIVE, 2500, 0);
    compare(RV_EXACT, RV_ADAPTIVE, 3000, 1e-9);
}

/* The range check and the contradiction check know it. */
static void test_template_sentences(void **state)
{
    (void)state;
    rv_net       *net = reference_net((rv_net_def){ 0 });
    rv_population p = reference_population(net, "p", 1, "my_lif");
    assert_int_equal(rv_set(net, p, "tau_m", rv_number(-1)), RV_OUT_OF_RANGE);
    assert_int_equal(rv_set(net, p, "tau_M", rv_number(1)), RV_UNKNOWN_NAME);
    assert_non_null(strstr(rv_net_error(net)->text, "tau_m"));
    reference_set(net, p, "V_reset", -50);
    assert_int_equal(rv_compile(net), RV_CONFLICT);
    assert_non_null(strstr(rv_net_error(net)->text, "V_reset must be below V_th"));
    rv_net_free(net);
}

/* ---- a rule -------------------------------------------------------------------------------------------------------- */

static const char counting_rule[] =
    "#include \"sim/plugin.h\"\n"
    "static const rv_field params[] = { { \"step\", \"weight\", 0.5, 0, 10, \"added by each presynaptic spike\" } };\n"
    "static void prepare(const double *p, double *c) { c[0] = p[0]; }\n"
    "static void decay(const double *c, double since, double *trace) { (void)c, (void)since, (void)trace; }\n"
    "static void spike(const double *c, double *trace) { (void)c, (void)trace; }\n"
    "static double on_post(const double *c, double w, const double *x, const double *y) { (void)c, (void)x, (void)y; return w; }\n"
    "static double on_pre(const double *c, double w, const double *y, const double *x) { (void)x, (void)y; return w + c[0]; }\n"
    "static const rv_rule counting = {\n"
    "    .table = { .kind = RV_LEARNING, .name = \"counting\", .summary = \"s\", .equations = \"e\", .reference = \"r\", .params = params, .n_params = 1 },\n"
    "    .n_constants = 1, .prepare = prepare, .source_decay = decay, .target_decay = decay, .source_spike = spike, .target_spike = spike,\n"
    "    .on_post = on_post, .on_pre = on_pre };\n"
    "RV_PLUGIN(RV_LIST(), RV_LIST(&counting))\n";

static void test_rule(void **state)
{
    (void)state;
    load(compile_text(counting_rule, "counting.so"));
    rv_net          *net = reference_net((rv_net_def){ 0 });
    rv_population    g = reference_population(net, "g", 1, "spike_generator"), p = reference_population(net, "p", 1, "iaf_psc_exp");
    rv_projection    j;
    const rv_setting step = { "step", rv_number(0.25) };
    double           weight;
    ENSURE_OK(net, rv_set_spike_times(net, g, 0, (const double[]){ 1, 5, 9 }, 3));
    ENSURE_OK(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(g), .target = rv_all(p), .rule = "all_to_all", .weight = rv_number(2), .plasticity = "counting", .settings = &step, .n_settings = 1 }, &j));
    ENSURE_OK(net, rv_run(net, 20));
    ENSURE_OK(net, rv_synapses(net, j, NULL, NULL, &weight, NULL));
    ENSURE_NEAR(weight, 2.75, 0, "weight");
    rv_net_free(net);
}

/* ---- what is refused ----------------------------------------------------------------------------------------------- */

static void refused(const char *path, rv_status status, const char *sentence)
{
    rv_error error = { 0 };
    assert_int_equal(rv_plugin_load(path, &error), status);
    if (!strstr(error.text, sentence)) fail_msg("expected \"%s\" in: %s", sentence, error.text);
}

static void test_refused(void **state)
{
    (void)state;
    int before = rv_table_count(RV_NEURONS);
    refused("./no_such_file.so", RV_FILE_ERROR, "cannot be loaded");
    refused(compile_text("int nothing;\n", "nothing.so"), RV_CONFLICT, "has no symbol ranvier_plugin; RV_PLUGIN() makes it");
    refused(compile_text("#include \"sim/plugin.h\"\nconst rv_plugin ranvier_plugin = { .version = 77 };\n", "future.so"), RV_CONFLICT, "is of interface version 77");
    refused(compile_text("#include \"sim/plugin.h\"\nconst rv_plugin ranvier_plugin = { .version = RV_PLUGIN_VERSION, .model_bytes = 8, .made_for = \"0.0.1\" };\n", "old.so"),
            RV_CONFLICT, "made for Ranvier 0.0.1; this is version");
    refused(reference_text("%s/my_lif.so", folder), RV_CONFLICT, "my_lif exists already; allowed is another name");
    refused(compile_text("#include \"sim/plugin.h\"\nstatic const rv_model m = { .table = { .kind = RV_NEURONS, .name = \"half\", .summary = \"\", .equations = \"\", .reference = \"\" } };\n"
                         "RV_PLUGIN(RV_LIST(&m), RV_LIST())\n", "half.so"), RV_CONFLICT, "half has no sweep() or no step()");
    refused(compile_text("#include \"sim/plugin.h\"\nstatic const rv_field f[3] = { { \"a\", \"1\", 0, 0, 1, \"m\" } };\n"
                         "static const rv_model m = { .table = { .kind = RV_NEURONS, .name = \"holes\", .summary = \"\", .equations = \"\", .reference = \"\", .params = f, .n_params = 3 } };\n"
                         "RV_PLUGIN(RV_LIST(&m), RV_LIST())\n", "holes.so"), RV_CONFLICT, "holes has a parameter without name");
    refused(compile_text("#include \"sim/plugin.h\"\nstatic const rv_model m = { .table = { .name = \"a b\" } };\nRV_PLUGIN(RV_LIST(&m), RV_LIST())\n", "blank.so"), RV_CONFLICT,
            "a name is \"a b\", allowed are letters, digits and _");
    assert_int_equal(rv_table_count(RV_NEURONS), before);
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static void test_command(void **state)
{
    (void)state;
    assert_int_equal(shell("%s models --plugin %s/my_lif.so my_lif", command(), folder), 0);
    assert_non_null(strstr(output, "a leaky integrate-and-fire neuron of my own"));
    assert_int_equal(shell("printf 'local net = require(\"ranvier\").network {} net:population(\"E\", 3, \"my_lif\", { E_L = -40 }) net:run(50)' > %s/model.lua", folder), 0);
    assert_int_equal(shell("%s run --plugin %s/my_lif.so %s/model.lua", command(), folder, folder), 0);
    assert_non_null(strstr(output, "spikes"));
    assert_int_equal(shell("%s run %s/model.lua", command(), folder), 1);
    assert_non_null(strstr(output, "no neuron model \"my_lif\""));
    assert_int_equal(shell("%s run --plugin %s/nothing.so %s/model.lua", command(), folder, folder), 1);
    assert_non_null(strstr(output, "has no symbol ranvier_plugin"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return shell("rm -r %s", folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_template), cmocka_unit_test(test_template_sentences), cmocka_unit_test(test_rule),
                                        cmocka_unit_test(test_refused), cmocka_unit_test(test_command) };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
