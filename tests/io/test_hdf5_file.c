/* The door to HDF5: what is written comes back, what is wrong gives a sentence. */
#include "io/hdf5_file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[64]; /* of this run of the tests */

#define ENSURE(f, call)                                                     \
    do {                                                                    \
        if ((call) != RV_OK) fail_msg("%s: %s", #call, (f)->error.text);    \
    } while (0)

/* The call fails, and its sentence has both words in it. */
#define ENSURE_FAILS(f, call, word, other)                                                              \
    do {                                                                                                \
        assert_int_not_equal(call, RV_OK);                                                              \
        if (!strstr((f)->error.text, word) || !strstr((f)->error.text, other))                          \
            fail_msg("expected \"%s\" and \"%s\" in: %s", word, other, (f)->error.text);                \
    } while (0)

static hdf5_path in_folder(const char *name) { return hdf5_at(folder, name); }

static void test_attributes(void **state)
{
    (void)state;
    hdf5_file         f = {0};
    const char *const sortings[] = { "none", "by_id", "by_time" };
    const uint32_t    version[] = { 0, 1 };
    const uint64_t    seed = UINT64_MAX;
    char              text[64];
    int64_t           i;
    double            x;
    ENSURE(&f, hdf5_create(in_folder("attributes.h5").path, &f));
    ENSURE(&f, hdf5_set_text(&f, "/", "name", "Grüße"));
    ENSURE(&f, hdf5_set_text(&f, "/", "name", "another text"));
    ENSURE(&f, hdf5_set_text(&f, "/", "nothing", ""));
    ENSURE(&f, hdf5_set_int(&f, "/", "n", -3));
    ENSURE(&f, hdf5_set_double(&f, "/", "dt", 0.1));
    ENSURE(&f, hdf5_set_numbers(&f, "/", "version", HDF5_U32, version, 2));
    ENSURE(&f, hdf5_set_numbers(&f, "/", "seed", HDF5_U64, &seed, 0));
    ENSURE(&f, hdf5_set_enum(&f, "/", "sorting", sortings, 3, 2));
    ENSURE(&f, hdf5_close(&f));

    ENSURE(&f, hdf5_open(in_folder("attributes.h5").path, &f));
    static const char *const expected[][2] = { { "name", "another text" }, { "nothing", "" }, { "n", "-3" },
                                               { "dt", "0.1" }, { "version", "0 1" },
                                               { "seed", "18446744073709551615" }, { "sorting", "by_time" } };
    for (int k = 0; k < 7; k++) {
        ENSURE(&f, hdf5_get_text(&f, "/", expected[k][0], text, sizeof text));
        assert_string_equal(text, expected[k][1]);
    }
    ENSURE(&f, hdf5_get_int(&f, "/", "n", &i));
    ENSURE(&f, hdf5_get_double(&f, "/", "dt", &x));
    assert_true(i == -3 && x == 0.1);
    assert_true(hdf5_has_attribute(&f, "/", "n"));
    assert_false(hdf5_has_attribute(&f, "/", "m"));
    assert_int_equal(hdf5_get_text(&f, "/", "m", text, sizeof text), RV_UNKNOWN_NAME);
    assert_string_equal(text, "");
    ENSURE_FAILS(&f, hdf5_get_int(&f, "/", "version", &i), "version", "not a number");
    hdf5_names names;
    ENSURE(&f, hdf5_list_attributes(&f, "/", &names));
    assert_int_equal(names.n, 7);
    hdf5_names_free(&names);
    hdf5_close(&f);
}

static void test_long_texts(void **state)
{
    (void)state;
    enum { LONG = 300000 };
    hdf5_file f = {0};
    char     *text = malloc(LONG + 1), *back;
    memset(text, 'x', LONG), text[LONG] = 0;
    ENSURE(&f, hdf5_create(in_folder("texts.h5").path, &f));
    ENSURE_FAILS(&f, hdf5_set_text(&f, "/", "script", text), "script", "64000");
    ENSURE(&f, hdf5_write_text(&f, "/provenance/script", text));
    ENSURE(&f, hdf5_write_text(&f, "/provenance/empty", ""));
    ENSURE(&f, hdf5_load_text(&f, "/provenance/script", &back));
    assert_string_equal(back, text);
    free(back);
    ENSURE(&f, hdf5_load_text(&f, "/provenance/empty", &back));
    assert_string_equal(back, "");
    free(back);
    free(text);
    ENSURE(&f, hdf5_close(&f));
}

/* Names come in the order they were made in a group that was made for it. */
static void test_structure(void **state)
{
    (void)state;
    hdf5_file  f = {0};
    hdf5_names names;
    ENSURE(&f, hdf5_create(in_folder("structure.h5").path, &f));
    ENSURE(&f, hdf5_make_group(&f, "/spikes"));
    ENSURE(&f, hdf5_make_group(&f, "/spikes"));
    for (char name[] = "/spikes/z"; name[8] > 'a'; name[8]--) ENSURE(&f, hdf5_make_group(&f, name));
    ENSURE(&f, hdf5_make_series(&f, "/a/b/c", HDF5_F32));
    ENSURE(&f, hdf5_link(&f, "/a/b/c", "/a/d"));
    ENSURE_FAILS(&f, hdf5_link(&f, "/nowhere", "/a/e"), "/a/e", "cannot be made");
    assert_int_equal(hdf5_kind_of(&f, "/"), HDF5_GROUP);
    assert_int_equal(hdf5_kind_of(&f, "/a/b"), HDF5_GROUP);
    assert_int_equal(hdf5_kind_of(&f, "/a/d"), HDF5_DATASET);
    assert_int_equal(hdf5_kind_of(&f, "/a/x/c"), HDF5_NOTHING);
    ENSURE(&f, hdf5_list(&f, "/spikes", &names));
    assert_int_equal(names.n, 25);
    for (int k = 0; k < names.n; k++) assert_int_equal(names.name[k][0], 'z' - k);
    hdf5_names_free(&names);
    ENSURE_FAILS(&f, hdf5_list(&f, "/a/x", &names), "structure.h5", "/a/x");
    ENSURE(&f, hdf5_close(&f));
    ENSURE(&f, hdf5_close(&f));
}

/* Rows of every width: none, few, and more than a piece holds. */
static void test_tables(void **state)
{
    (void)state;
    static const int64_t widths[] = { 0, 1, 7, 70001 };
    hdf5_file            f = {0};
    ENSURE(&f, hdf5_create(in_folder("tables.h5").path, &f));
    for (int k = 0; k < 4; k++) {
        int64_t    width = widths[k], rows = 5;
        double    *values = malloc((size_t)(width * rows + 1) * sizeof *values);
        float     *back, row[1];
        hdf5_shape shape;
        for (int64_t i = 0; i < width * rows; i++) values[i] = (double)i;
        char name[16];
        snprintf(name, sizeof name, "/t%d", k);
        ENSURE(&f, hdf5_make_table(&f, name, HDF5_F32, width));
        ENSURE(&f, hdf5_append(&f, name, HDF5_F64, values, 2));
        ENSURE(&f, hdf5_append(&f, name, HDF5_F64, values, 0));
        ENSURE(&f, hdf5_append(&f, name, HDF5_F64, values + 2 * width, 3));
        ENSURE(&f, hdf5_load(&f, name, HDF5_F32, (void **)&back, &shape));
        assert_true(shape.rank == 2 && shape.n[0] == rows && shape.n[1] == width && shape.count == rows * width);
        for (int64_t i = 0; i < width * rows; i++) assert_true(back[i] == (float)values[i]);
        if (width == 1) {
            ENSURE(&f, hdf5_read_rows(&f, name, HDF5_F32, 4, 1, row));
            assert_true(row[0] == 4);
        }
        ENSURE_FAILS(&f, hdf5_read_rows(&f, name, HDF5_F32, 4, 2, row), name, "no rows 4 to 5");
        free(back), free(values);
    }
    ENSURE(&f, hdf5_close(&f));
}

static void test_live(void **state)
{
    (void)state;
    hdf5_file   f = {0}, reader = {0};
    double      x[3] = { 1, 2, 3 }, simulated;
    void       *back;
    hdf5_shape  shape;
    struct stat about;
    hdf5_path   path = in_folder("live.h5"), copy = in_folder("copy.h5"), renamed = in_folder("renamed.h5");
    ENSURE(&f, hdf5_create(path.path, &f));
    ENSURE(&f, hdf5_make_series(&f, "/x", HDF5_F64));
    ENSURE(&f, hdf5_write(&f, "/three", HDF5_F64, x, 3));
    ENSURE(&f, hdf5_set_double(&f, "/", "simulated_ms", 0));
    ENSURE(&f, hdf5_close(&f));
    assert_int_equal(stat(path.path, &about), 0);
    assert_true(about.st_size < 4096); /* the room that was reserved is given back */

    ENSURE(&f, hdf5_open_live(path.path, &f));
    for (int k = 0; k < 100; k++) {
        ENSURE(&f, hdf5_append(&f, "/x", HDF5_F64, x, 3));
        ENSURE(&f, hdf5_set_double(&f, "/", "simulated_ms", k));
        ENSURE(&reader, hdf5_open(path.path, &reader));
        ENSURE(&reader, hdf5_load(&reader, "/x", HDF5_F64, &back, &shape));
        ENSURE(&reader, hdf5_get_double(&reader, "/", "simulated_ms", &simulated));
        assert_true(shape.count == 3 * (k + 1) && simulated == k);
        hdf5_close(&reader);
        free(back);
    }
    ENSURE_FAILS(&f, hdf5_write(&f, "/three", HDF5_F64, x, 2), "/three", "has 3 values, not 2");
    ENSURE(&f, hdf5_copy(&f, copy.path));
    ENSURE(&f, hdf5_rename(&f, renamed.path));
    ENSURE_FAILS(&f, hdf5_rename(&f, "/no/such/folder/x.h5"), "renamed.h5", "no such file or folder");
    ENSURE(&f, hdf5_close(&f));

    ENSURE(&f, hdf5_edit(copy.path, &f)); /* what a live file cannot do */
    ENSURE(&f, hdf5_make_series(&f, "/y", HDF5_U8));
    ENSURE(&f, hdf5_append(&f, "/x", HDF5_F64, x, 3));
    ENSURE(&f, hdf5_close(&f));
    ENSURE(&f, hdf5_open(copy.path, &f));
    ENSURE(&f, hdf5_shape_of(&f, "/x", &shape));
    assert_int_equal(shape.count, 303);
    ENSURE(&f, hdf5_close(&f));
    assert_int_equal(access(path.path, F_OK), -1);
}

/* Numbers are converted, or it is said that they cannot be. */
static void test_conversion(void **state)
{
    (void)state;
    hdf5_file     f = {0};
    const int64_t ids[] = { 0, 7, 1LL << 40 };
    double        x[3];
    ENSURE(&f, hdf5_create(in_folder("conversion.h5").path, &f));
    ENSURE(&f, hdf5_write(&f, "/ids", HDF5_I64, ids, 3));
    ENSURE(&f, hdf5_write_text(&f, "/text", "abc"));
    ENSURE(&f, hdf5_read_rows(&f, "/ids", HDF5_F64, 0, 3, x));
    for (int i = 0; i < 3; i++) assert_true(x[i] == (double)ids[i]);
    ENSURE_FAILS(&f, hdf5_read_rows(&f, "/text", HDF5_F64, 0, 1, x), "/text", "cannot be read");
    void *values;
    char *text;
    ENSURE_FAILS(&f, hdf5_load(&f, "/nothing", HDF5_F64, &values, NULL), "/nothing", "no such dataset");
    assert_null(values);
    ENSURE_FAILS(&f, hdf5_load_text(&f, "/ids", &text), "/ids", "not a text");
    ENSURE(&f, hdf5_close(&f));
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/ranvier_hdf5_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_long_texts), cmocka_unit_test(test_structure),
        cmocka_unit_test(test_tables),     cmocka_unit_test(test_live),       cmocka_unit_test(test_conversion),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
