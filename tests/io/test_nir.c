/* NIR files against what NIR's library reads in them: every field of every node and every edge of the fixtures (nir_nodes.csv,
 * nir_edges.csv), and again after writing. Then what is refused. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/nir.h"
#include "sim/error.h"
#include "tests/support/fixture.h"

static char folder[64], written[80];

/* A copy: texts of fixture_path() live until the fourth call. */
static const char *fixture_copy(const char *name, char path[256])
{
    const char *found = fixture_path(name);
    return found ? strcpy(path, found) : NULL;
}

static void read_graph(const char *path, nir_graph *graph)
{
    rv_error error = { 0 };
    if (nir_read(path, NULL, graph, &error) != RV_OK) fail_msg("%s", error.text);
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* "/rnn/lif" of a graph. */
static const nir_node *node_at(const nir_graph *graph, const char *path)
{
    char name[200];
    const nir_node *node = NULL;
    while (*path) {
        size_t length = strcspn(path + 1, "/");
        snprintf(name, sizeof name, "%.*s", (int)length, path + 1);
        node = nir_find(node ? node->graph : graph, name);
        if (!node) fail_msg("no node %s", path);
        path += 1 + length;
    }
    return node;
}

static const char *lengths(const hdf5_shape *shape)
{
    char   text[100] = "";
    size_t at = 0;
    for (int k = 0; k < shape->rank; k++) at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", k ? "x" : "", (long long)shape->n[k]);
    return reference_text("%s", text);
}

static const char *type_name(const nir_value *v)
{
    static const char *const names[] = { [HDF5_U8] = "uint8", [HDF5_U16] = "uint16", [HDF5_I32] = "int32", [HDF5_U32] = "uint32", [HDF5_I64] = "int64",
                                         [HDF5_U64] = "uint64", [HDF5_F32] = "float32", [HDF5_F64] = "float64" };
    return v->text ? "str" : names[v->type];
}

/* numpy adds float32 in double here, pairwise: not in our order. */
static void compare_sums(const nir_value *v, const fixture_table *t, int row, const char *what)
{
    double sum = 0, weighted = 0, magnitude = 1;
    for (int64_t i = 0; i < v->shape.count; i++) {
        double x = nir_number(v, i);
        sum += x, weighted += x * (double)(i + 1), magnitude += fabs(x) * (double)(i + 1);
    }
    ENSURE_NEAR_IN(sum, fixture_number(t, row, "sum_or_value"), 1e-14 * magnitude, "", "%s: sum", what);
    ENSURE_NEAR_IN(weighted, fixture_number(t, row, "index_weighted_sum"), 1e-14 * magnitude, "", "%s: index-weighted sum", what);
}

static void compare_type(const nir_shape *shape, const char *expected, const char *what)
{
    char   text[100];
    size_t at = 0;
    for (int k = 0; k < shape->rank; k++) at += (size_t)snprintf(text + at, sizeof text - at, "%s%lld", k ? ", " : "[", (long long)shape->n[k]);
    snprintf(text + at, sizeof text - at, "]");
    if (!strstr(expected, text)) fail_msg("%s: shape %s, expected %s", what, text, expected);
}

static void compare_row(const nir_graph *graph, const fixture_table *t, int row)
{
    const char     *path = fixture_text(t, row, "node"), *field = fixture_text(t, row, "field");
    const nir_node *node = node_at(graph, path);
    char            what[200];
    snprintf(what, sizeof what, "%s %s %s", fixture_text(t, row, "file"), path, field);
    assert_string_equal(nir_kind_names[node->kind], fixture_text(t, row, "type"));
    compare_type(&node->input, fixture_text(t, row, "input_type"), what);
    compare_type(&node->output, fixture_text(t, row, "output_type"), what);
    if (!*field) return;
    const nir_value *v = nir_get(node, field);
    if (!v) fail_msg("%s: is missing", what);
    if (strcmp(type_name(v), fixture_text(t, row, "dtype")) != 0) fail_msg("%s: type %s, expected %s", what, type_name(v), fixture_text(t, row, "dtype"));
    if (strcmp(lengths(&v->shape), fixture_text(t, row, "shape")) != 0) fail_msg("%s: shape %s, expected %s", what, lengths(&v->shape), fixture_text(t, row, "shape"));
    if (v->text) assert_string_equal(nir_text(v), fixture_text(t, row, "sum_or_value"));
    else compare_sums(v, t, row, what);
}

static int count_fields(const nir_graph *graph)
{
    int n = 0;
    for (int k = 0; k < graph->n_nodes; k++) n += graph->node[k].graph ? 1 + count_fields(graph->node[k].graph) : graph->node[k].fields.n_values;
    return n;
}

static const nir_graph *graph_at(const nir_graph *graph, const char *path) { return *path ? node_at(graph, path)->graph : graph; }

static int count_edges(const nir_graph *graph)
{
    int n = graph->n_edges;
    for (int k = 0; k < graph->n_nodes; k++) n += graph->node[k].graph ? count_edges(graph->node[k].graph) : 0;
    return n;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void compare_file(const char *path, const char *file, const fixture_table *nodes, const fixture_table *edges)
{
    nir_graph graph;
    int       n_fields = 0, n_edges = 0;
    char      last[100] = "";
    read_graph(path, &graph);
    for (int row = 0; row < nodes->n_rows; row++)
        if (strcmp(fixture_text(nodes, row, "file"), file) == 0) compare_row(&graph, nodes, row), n_fields++;
    int k = 0; /* edges of a graph come in the order of the file */
    for (int row = 0; row < edges->n_rows; row++) {
        if (strcmp(fixture_text(edges, row, "file"), file) != 0) continue;
        const char      *where = fixture_text(edges, row, "graph");
        const nir_graph *g = graph_at(&graph, where);
        if (strcmp(where, last) != 0) snprintf(last, sizeof last, "%s", where), k = 0;
        assert_true(k < g->n_edges);
        assert_string_equal(g->edge[k].from, fixture_text(edges, row, "src"));
        assert_string_equal(g->edge[k].to, fixture_text(edges, row, "dst"));
        k++, n_edges++;
    }
    assert_int_equal(count_fields(&graph), n_fields);
    assert_int_equal(count_edges(&graph), n_edges);
    assert_string_equal(graph.version, NIR_VERSION);
    nir_free(&graph);
}

static void write_again(const char *path)
{
    nir_graph graph;
    rv_error  error = { 0 };
    read_graph(path, &graph);
    if (nir_write(written, NULL, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    nir_free(&graph);
}

static void test_fixtures(void **state)
{
    (void)state;
    fixture_table nodes = fixture_open_table(fixture_or_skip("nir/nir_nodes.csv"));
    fixture_table edges = fixture_open_table(fixture_or_skip("nir/nir_edges.csv"));
    char          path[256], last[100] = "";
    int           n = 0;
    for (int row = 0; row < nodes.n_rows; row++) {
        const char *file = fixture_text(&nodes, row, "file");
        if (strcmp(file, last) == 0 || !fixture_copy(reference_text("nir/%s", file), path)) continue;
        snprintf(last, sizeof last, "%s", file);
        compare_file(path, file, &nodes, &edges);
        write_again(path);
        compare_file(written, file, &nodes, &edges);
        n++;
    }
    print_message("%d files, %d fields, %d edges\n", n, nodes.n_rows, edges.n_rows);
    assert_true(n >= 4);
    fixture_close_table(&nodes), fixture_close_table(&edges);
}

/* ---- metadata ---------------------------------------------------------------------------------------------------- */

static void check_metadata(const char *path)
{
    nir_graph graph;
    read_graph(path, &graph);
    assert_string_equal(nir_text(nir_group_get(&graph.metadata, "author")), "fixture");
    assert_int_equal(graph.metadata.n_groups, 1);
    assert_string_equal(graph.metadata.group[0].name, "nested");
    ENSURE_NEAR(nir_number(nir_group_get(&graph.metadata.group[0], "dt"), 0), 1e-4, 0, "s");
    const nir_node *node = nir_find(&graph, "node");
    assert_string_equal(nir_text(nir_group_get(&node->metadata, "label")), "hidden");
    const nir_value *axes = nir_group_get(&node->metadata, "axes");
    assert_int_equal(axes->shape.count, 2);
    ENSURE_NEAR(nir_number(axes, 1), 1, 0, "");
    nir_free(&graph);
}

static void test_metadata(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s", fixture_or_skip("nir/nir_24_metadata.nir"));
    check_metadata(path);
    write_again(path);
    check_metadata(written);
}

/* ---- the files of the paper -------------------------------------------------------------------------------------- */

static void expect_refused(const char *path, const nir_options *options, const char *sentence)
{
    nir_graph graph;
    rv_error  error = { 0 };
    if (nir_read(path, options, &graph, &error) == RV_OK) fail_msg("%s: is read, expected: %s", path, sentence);
    if (!strstr(error.text, sentence)) fail_msg("%s\nexpected: ... %s", error.text, sentence);
    nir_free(&graph);
}

static void test_paper(void **state)
{
    (void)state;
    const char *whole[] = { "lif_norse", "cnn_sinabs", "braille_noDelay_bias_zero", "braille_noDelay_noBias_subtract" };
    char        path[256];
    nir_graph   graph;
    fixture_or_skip("nir_paper/lif_norse.nir");
    for (int k = 0; k < 4; k++) {
        read_graph(fixture_path(reference_text("nir_paper/%s.nir", whole[k])), &graph);
        assert_non_null(nir_find(&graph, "input"));
        nir_free(&graph);
    }
    fixture_copy("nir_paper/lif_rockpool.nir", path);
    expect_refused(path, NULL, "edge \"1_LIFNeuronTorch\" -> \"output\": gives 1, 1x1x1 is taken");
    rv_error error = { 0 };
    if (nir_read(path, &(nir_options){ .unchecked = true }, &graph, &error) != RV_OK) fail_msg("%s", error.text);
    assert_int_equal(graph.n_nodes, 4);
    nir_free(&graph);
    /* NIR's library fails on these too: KeyError 'lif' */
    expect_refused(fixture_copy("nir_paper/braille_noDelay_bias_zero_subgraph.nir", path), NULL, "edge \"input\" -> \"lif\" of lif1: there is no node \"lif\"");
}

/* ---- refusals ---------------------------------------------------------------------------------------------------- */

static nir_graph g; /* each case starts with Input(4) -> Affine -> LIF(3) -> Output(3) */

static void put(const char *node, const char *field, int rank, int64_t a, int64_t b, double x)
{
    hdf5_shape shape = { .rank = rank, .n = { a, b }, .count = (rank > 0 ? a : 1) * (rank > 1 ? b : 1) };
    double    *values = malloc((size_t)(shape.count + 1) * sizeof *values);
    assert_non_null(values);
    for (int64_t k = 0; k < shape.count; k++) values[k] = x;
    assert_int_equal(nir_set(&nir_find(&g, node)->fields, field, HDF5_F64, &shape, values, NULL), RV_OK);
    free(values);
}

static void put_shape(const char *node, const char *field, int rank, const int64_t *n)
{
    hdf5_shape shape = nir_vector_shape(rank);
    assert_int_equal(nir_set(&nir_find(&g, node)->fields, field, HDF5_I64, &shape, n, NULL), RV_OK);
}

static void add(const char *name, nir_kind kind) { assert_int_equal(nir_add(&g, name, kind, NULL, NULL), RV_OK); }
static void wire(const char *from, const char *to) { assert_int_equal(nir_connect(&g, from, to, NULL), RV_OK); }

static void start(void)
{
    static const char *const params[] = { "tau", "r", "v_leak", "v_threshold", "v_reset" };
    nir_free(&g);
    add("in", NIR_INPUT), add("fc", NIR_AFFINE), add("lif", NIR_LIF), add("out", NIR_OUTPUT);
    put("fc", "weight", 2, 3, 4, 1), put("fc", "bias", 1, 3, 0, 0);
    for (int k = 0; k < 5; k++) put("lif", params[k], 1, 3, 0, 1);
    put_shape("in", "shape", 1, (int64_t[]){ 4 }), put_shape("out", "shape", 1, (int64_t[]){ 3 });
    wire("in", "fc"), wire("fc", "lif"), wire("lif", "out");
}

static void refuse(const char *sentence)
{
    rv_error error = { 0 };
    if (nir_check(&g, &error) == RV_OK) fail_msg("accepted; expected: %s", sentence);
    if (strcmp(error.text, sentence) != 0) fail_msg("%s\nexpected: %s", error.text, sentence);
    start();
}

static void accept(void)
{
    rv_error error = { 0 };
    if (nir_check(&g, &error) != RV_OK) fail_msg("%s", error.text);
    start();
}

static void test_refusals(void **state)
{
    (void)state;
    start();
    accept();
    put("lif", "tau", 1, 2, 0, 1), refuse("node \"lif\": r has the shape 3, tau has 2; all parameters of a node have the same");
    put("lif", "tua", 1, 3, 0, 1), refuse("node \"lif\": no field \"tua\" of LIF; did you mean \"tau\"?");
    put("fc", "weight", 1, 12, 0, 1), refuse("node \"fc\": weight has 1 axes, at least 2 are needed");
    put("fc", "bias", 1, 2, 0, 1), refuse("node \"fc\": bias has 2 numbers, weight gives 3");
    put("in", "shape", 1, 1, 0, 2.5), refuse("node \"in\": shape = 2.5, a whole number of 32 bits is needed");
    put("in", "shape", 1, 1, 0, 5), refuse("edge \"in\" -> \"fc\": gives 5, 4 is taken");
    put_shape("in", "shape", 2, (int64_t[]){ 4, 0 }), refuse("node \"in\": a shape of 4x0, allowed are lengths from 1 and 2147483647 elements in all");
    put_shape("in", "shape", 2, (int64_t[]){ 65536, 65536 }), refuse("node \"in\": a shape of 65536x65536, allowed are lengths from 1 and 2147483647 elements in all");
    wire("lif", "nowhere"), refuse("edge \"lif\" -> \"nowhere\": there is no node \"nowhere\"");
    add("scale", NIR_SCALE), refuse("node \"scale\": has no field \"scale\", which a Scale needs");
    nir_set_text(&nir_find(&g, "fc")->fields, "bias", "none", NULL), refuse("node \"fc\": bias is a text, numbers are needed");
    add("pool", NIR_SUMPOOL2D), put("pool", "kernel_size", 0, 0, 0, 2), put("pool", "stride", 0, 0, 0, 2), put("pool", "padding", 0, 0, 0, 0);
    refuse("node \"pool\": its shape follows neither from its fields nor from what is before it");
    rv_error error = { 0 };
    assert_int_equal(nir_add(&g, "lif", NIR_LIF, NULL, &error), RV_CONFLICT);
    assert_string_equal(error.text, "node \"lif\": there is one of this name already");
    assert_int_equal(nir_add(&g, "a/b", NIR_LIF, NULL, &error), RV_OUT_OF_RANGE);
    assert_string_equal(error.text, "node \"a/b\": a name has up to 200 characters and no slash");
    nir_free(&g);
    add("a", NIR_SCALE), put("a", "scale", 1, 2, 0, 1), wire("a", "a");
    refuse("graph \"\": nothing enters it: all nodes lie on cycles; an Input node is needed");
    add("inner", NIR_GRAPH), refuse("node \"inner\": its shape follows neither from its fields nor from what is before it");
    nir_free(&g);
}

static void start_conv(void)
{
    int64_t    n[] = { 6, 2, 3, 2 };
    hdf5_shape shape = { .rank = 4, .n = { n[0], n[1], n[2], n[3] }, .count = 72 };
    float      weight[72] = { 0 };
    nir_free(&g);
    add("in", NIR_INPUT), add("conv", NIR_CONV2D);
    put_shape("in", "shape", 3, (int64_t[]){ 4, 6, 8 });
    assert_int_equal(nir_set(&nir_find(&g, "conv")->fields, "weight", HDF5_F32, &shape, weight, NULL), RV_OK);
    put("conv", "bias", 1, 6, 0, 0), put("conv", "stride", 0, 0, 0, 1), put("conv", "padding", 0, 0, 0, 0), put("conv", "dilation", 0, 0, 0, 1), put("conv", "groups", 0, 0, 0, 2);
    wire("in", "conv");
}

static void refuse_conv(const char *sentence)
{
    rv_error error = { 0 };
    if (nir_check(&g, &error) == RV_OK) fail_msg("accepted; expected: %s", sentence);
    if (strcmp(error.text, sentence) != 0) fail_msg("%s\nexpected: %s", error.text, sentence);
    start_conv();
}

/* Two groups and a kernel of 3 by 2, which NIR's library gets wrong. */
static void test_convolutions(void **state)
{
    (void)state;
    start_conv();
    rv_error error = { 0 };
    if (nir_check(&g, &error) != RV_OK) fail_msg("%s", error.text);
    const nir_shape *out = &nir_find(&g, "conv")->output;
    assert_true(out->rank == 3 && out->n[0] == 6 && out->n[1] == 4 && out->n[2] == 7);
    put("conv", "groups", 0, 0, 0, 1), refuse_conv("node \"conv\": weight is for 2 channels to 6 in 1 groups, its input has 4 channels");
    put("conv", "stride", 0, 0, 0, 0), refuse_conv("node \"conv\": stride = 0, allowed 1 to 16777216");
    put("conv", "dilation", 0, 0, 0, 4), refuse_conv("node \"conv\": a window of 9 in 6 leaves nothing");
    put("conv", "padding", 1, 3, 0, 0), refuse_conv("node \"conv\": padding has 3 numbers, allowed are one or two");
    put("conv", "bias", 1, 3, 0, 0), refuse_conv("node \"conv\": bias has 3 numbers for 6 channels");
    nir_set_text(&nir_find(&g, "conv")->fields, "padding", "full", NULL), refuse_conv("node \"conv\": padding is the text \"full\", allowed are \"same\", \"valid\" and numbers");
    nir_set_text(&nir_find(&g, "conv")->fields, "padding", "same", NULL), put("conv", "stride", 0, 0, 0, 2);
    refuse_conv("node \"conv\": padding = \"same\" with stride = 2, allowed is 1");
    put_shape("in", "shape", 2, (int64_t[]){ 4, 6 }), refuse_conv("node \"conv\": a Conv2d takes an input of 3 axes, not 4x6");
    add("flat", NIR_FLATTEN), put("flat", "start_dim", 0, 0, 0, 3), wire("conv", "flat");
    refuse_conv("node \"flat\": start_dim = 3 and end_dim = -1 of an input of 3 axes");
    nir_free(&g);
}

/* A graph without Input and Output gets them; a convolution gets its shape in the file. */
static void test_completion(void **state)
{
    (void)state;
    rv_error error = { 0 };
    start();
    nir_graph lone = { 0 };
    assert_int_equal(nir_add(&lone, "lif", NIR_LIF, NULL, &error), RV_OK);
    static const char *const params[] = { "tau", "r", "v_leak", "v_threshold" };
    for (int k = 0; k < 4; k++) assert_int_equal(nir_set_vector(&lone.node[0].fields, params[k], (double[]){ 1, 1 }, 2, &error), RV_OK);
    assert_int_equal(nir_complete(&lone, &error), RV_OK);
    assert_int_equal(lone.n_nodes, 3);
    assert_int_equal(lone.n_edges, 2);
    assert_int_equal(nir_find(&lone, "input_lif")->input.n[0], 2);
    assert_int_equal(nir_find(&lone, "output_lif")->kind, NIR_OUTPUT);
    nir_free(&lone);
    start_conv();
    if (nir_write(written, NULL, &g, &error) != RV_OK) fail_msg("%s", error.text);
    read_graph(written, &lone);
    ENSURE_NEAR(nir_number(nir_get(nir_find(&lone, "conv"), "input_shape"), 1), 8, 0, "");
    nir_free(&lone), nir_free(&g);
}

/* ---- files that are no graphs ------------------------------------------------------------------------------------- */

static void write_number(const char *path)
{
    hdf5_file file = { 0 };
    if (hdf5_edit(written, &file) != RV_OK || hdf5_write_array(&file, path, HDF5_F64, &(double){ 1 }, 0, NULL) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
}

static void write_type(const char *path, const char *type)
{
    hdf5_file file = { 0 };
    if (hdf5_edit(written, &file) != RV_OK || hdf5_write_text(&file, path, type) != RV_OK) fail_msg("%s", file.error.text);
    hdf5_close(&file);
}

static void start_file(void)
{
    rv_error error = { 0 };
    start();
    if (nir_write(written, NULL, &g, &error) != RV_OK) fail_msg("%s", error.text);
    nir_free(&g);
}

static void test_files(void **state)
{
    (void)state;
    hdf5_file file = { 0 };
    expect_refused("/nowhere/a.nir", NULL, "there is no such file or folder");
    assert_int_equal(hdf5_create(written, &file), RV_OK);
    hdf5_close(&file);
    expect_refused(written, NULL, "is not a NIR file: it has no group \"node\"");
    write_type("/node/type", "LIF");
    expect_refused(written, NULL, "its root is a LIF, a NIRGraph is needed");
    start_file(), write_type("/node/nodes/x/type", "Liff");
    expect_refused(written, NULL, "/node/nodes/x: no node type \"Liff\"; did you mean \"LIF\"?");
    start_file(), write_number("/node/nodes/lif/extra/x");
    expect_refused(written, NULL, "/node/nodes/lif/extra: is not a field: fields of nodes are datasets");
    start_file(), write_number("/node/nodes/lif/t_ref");
    expect_refused(written, NULL, "node \"lif\": no field \"t_ref\" of LIF");
    start_file(), write_number("/node/nodes/x");
    expect_refused(written, NULL, "/node/nodes/x/type");
    start_file(), write_number("/other/x"); /* unknown groups beside the graph are nobody's business */
    nir_graph graph;
    read_graph(written, &graph);
    nir_free(&graph);
    rv_error error = { 0 };
    start();
    assert_int_equal(nir_write("/nowhere/a.nir", NULL, &g, &error), RV_FILE_ERROR);
    nir_free(&g);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_nir_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(written, sizeof written, "%s/a.nir", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(written);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixtures),    cmocka_unit_test(test_metadata),   cmocka_unit_test(test_paper), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_convolutions), cmocka_unit_test(test_completion), cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
