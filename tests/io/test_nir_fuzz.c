/* Damaged NIR files: bytes of small fixtures are changed, cut, doubled, and the reader has to refuse or to read, without crashing,
 * hanging, or claiming memory that no file of this size can hold. Then files that are whole but hostile: graphs within themselves,
 * shapes beyond reason. RANVIER_NIR_FUZZ sets the number of damaged files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/hdf5_file.h"
#include "io/nir.h"
#include "io/nir_data.h"
#include "tests/support/fixture.h"

static char folder[64], damaged[80];

static uint8_t *load(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) fail_msg("%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    uint8_t *bytes = malloc(*size + 1);
    rewind(file);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void save(const uint8_t *bytes, size_t size)
{
    FILE *file = fopen(damaged, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static uint64_t state_of = 88172645463325252u; /* xorshift64 */

static uint64_t draw(uint64_t n)
{
    state_of ^= state_of << 13, state_of ^= state_of >> 7, state_of ^= state_of << 17;
    return state_of % n;
}

/* Most of a file is the zeros of empty tables: places that hold something are damaged more often. */
static size_t place(const uint8_t *bytes, size_t size)
{
    size_t at = draw(size);
    for (int k = 0; k < 20 && bytes[at] == 0; k++) at = draw(size);
    return at;
}

static size_t mutate(uint8_t *bytes, size_t size)
{
    static const uint8_t telling[] = { 0, 1, 0x7f, 0x80, 0xff, 0xfe, '/', '.' };
    uint64_t             n = 1 + draw(6);
    for (uint64_t k = 0; k < n; k++) {
        size_t at = place(bytes, size), from = draw(size), length = 1 + draw(16);
        switch (draw(6)) {
        case 0: bytes[at] ^= (uint8_t)(1u << draw(8)); break;
        case 1: bytes[at] = telling[draw(sizeof telling)]; break;
        case 2: bytes[at] = (uint8_t)draw(256); break;
        case 3: for (size_t i = 0; i < length && at + i < size && from + i < size; i++) bytes[at + i] = bytes[from + i]; break;
        case 4: for (size_t i = 0; i < 8 && at + i < size; i++) bytes[at + i] = 0xff; break;
        default: if (draw(8) == 0) size = 1 + draw(size); break;
        }
    }
    return size;
}

/* What is read is also checked. */
static bool try_file(void)
{
    nir_graph graph;
    rv_error  error = { 0 };
    bool      read = nir_read(damaged, &(nir_options){ .unchecked = draw(2) }, &graph, &error) == RV_OK;
    if (read) nir_complete(&graph, &error);
    else if (!error.text[0]) fail_msg("refused without a sentence");
    nir_free(&graph);
    return read;
}

static void damage(const char *name, int n, bool (*attempt)(void))
{
    size_t   size;
    int      n_read = 0;
    uint8_t *bytes = load(fixture_path(name), &size), *copy = malloc(size + 1);
    assert_non_null(copy);
    for (int k = 0; k < n; k++) {
        memcpy(copy, bytes, size);
        save(copy, mutate(copy, size));
        n_read += attempt();
    }
    print_message("%s: %d damaged files, %d of them still read\n", name, n, n_read);
    free(bytes), free(copy);
}

static int attempts(void)
{
    const char *given = getenv("RANVIER_NIR_FUZZ");
    return given ? atoi(given) : 120;
}

static void test_damaged(void **state)
{
    (void)state;
    static const char *const files[] = { "nir/nir_15_conv1d_same.nir", "nir/nir_24_metadata.nir", "nir/nir_28_nested_twice.nir", "nir/nir_31_cnn.nir" };
    for (int k = 0; k < 4; k++) damage(files[k], attempts() / 4, try_file);
}

static bool try_recording(void)
{
    nir_data data;
    rv_error error = { 0 };
    bool     read = nir_data_read(damaged, &data, &error) == RV_OK;
    if (!read && !error.text[0]) fail_msg("refused without a sentence");
    nir_data_free(&data);
    return read;
}

static void test_damaged_recording(void **state)
{
    (void)state;
    damage("nir/nirdata_0.nird", attempts() / 4, try_recording);
}

/* ---- whole, but hostile -------------------------------------------------------------------------------------------- */

static void expect_refused(const char *sentence)
{
    nir_graph graph;
    rv_error  error = { 0 };
    if (nir_read(damaged, NULL, &graph, &error) == RV_OK) fail_msg("is read; expected: %s", sentence);
    if (!strstr(error.text, sentence)) fail_msg("%s\nexpected: ... %s", error.text, sentence);
    nir_free(&graph);
}

static void write_graph(hdf5_file *file, const char *group)
{
    hdf5_path type = hdf5_at(group, "type"), nodes = hdf5_at(group, "nodes"), edges = hdf5_at(group, "edges");
    assert_int_equal(hdf5_write_text(file, type.path, "NIRGraph"), RV_OK);
    assert_int_equal(hdf5_make_group(file, nodes.path), RV_OK);
    assert_int_equal(hdf5_write(file, edges.path, HDF5_F64, NULL, 0), RV_OK);
}

/* A graph that has itself as a node, twice: 2^depth nodes if depth were all that bounds them. */
static void test_graph_in_itself(void **state)
{
    (void)state;
    hdf5_file file = { 0 };
    assert_int_equal(hdf5_create(damaged, &file), RV_OK);
    write_graph(&file, "/node");
    assert_int_equal(hdf5_link(&file, "/node", "/node/nodes/a"), RV_OK);
    assert_int_equal(hdf5_link(&file, "/node", "/node/nodes/b"), RV_OK);
    hdf5_close(&file);
    expect_refused("graphs nested more than 32 times");
}

static void test_metadata_in_itself(void **state)
{
    (void)state;
    hdf5_file file = { 0 };
    assert_int_equal(hdf5_create(damaged, &file), RV_OK);
    write_graph(&file, "/node");
    assert_int_equal(hdf5_make_group(&file, "/node/metadata"), RV_OK);
    assert_int_equal(hdf5_link(&file, "/node/metadata", "/node/metadata/a"), RV_OK);
    assert_int_equal(hdf5_link(&file, "/node/metadata", "/node/metadata/b"), RV_OK);
    hdf5_close(&file);
    expect_refused("metadata nested more than 32 times");
}

/* One array under a thousand names: more values than the file could hold. */
static void test_one_array_many_names(void **state)
{
    (void)state;
    enum { N = 1 << 17 };
    hdf5_file file = { 0 };
    double   *values = calloc(N, sizeof *values);
    char      name[64];
    assert_non_null(values);
    assert_int_equal(hdf5_create(damaged, &file), RV_OK);
    write_graph(&file, "/node");
    assert_int_equal(hdf5_write(&file, "/node/metadata/x", HDF5_F64, values, N), RV_OK);
    for (int k = 0; k < 2500; k++) {
        snprintf(name, sizeof name, "/node/metadata/x%d", k);
        assert_int_equal(hdf5_link(&file, "/node/metadata/x", name), RV_OK);
    }
    hdf5_close(&file);
    free(values);
    expect_refused("more values than a file of this size can hold");
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_nir_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(damaged, sizeof damaged, "%s/a.nir", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(damaged);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_damaged),           cmocka_unit_test(test_damaged_recording),    cmocka_unit_test(test_graph_in_itself),
        cmocka_unit_test(test_metadata_in_itself), cmocka_unit_test(test_one_array_many_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
