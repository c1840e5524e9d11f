/* Spikes as .npz and as text: what is written comes back, what other programs write is understood and said, and what is wrong is
 * refused by a sentence that says where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "io/npy.h"
#include "io/results.h"
#include "io/zip.h"
#include "tests/support/ensure.h"
#include "tests/support/random_number.h"

static char folder[] = "/tmp/ranvier_spikes_XXXXXX";

__attribute__((weak)) const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static const char *in_folder(const char *name)
{
    static char paths[4][300];
    static int  next;
    char       *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void write_bytes(const char *name, const void *bytes, size_t n)
{
    FILE *file = fopen(in_folder(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, n, file), n);
    fclose(file);
}

static results *read_or_fail(const char *name)
{
    results *r;
    rv_error error = { 0 };
    if (results_read(in_folder(name), &r, &error) != RV_OK) fail_msg("%s", error.text);
    return r;
}

static results *read_text(const char *text)
{
    write_bytes("given.txt", text, strlen(text));
    return read_or_fail("given.txt");
}

static void ensure_refused(const char *name, const char *sentence)
{
    results *r;
    rv_error error = { 0 };
    if (results_read(in_folder(name), &r, &error) == RV_OK) fail_msg("accepted, expected a sentence with \"%s\"", sentence);
    if (!strstr(error.text, sentence)) fail_msg("\"%s\", expected in it \"%s\"", error.text, sentence);
}

static void ensure_text_refused(const char *text, const char *sentence)
{
    write_bytes("bad.txt", text, strlen(text));
    ensure_refused("bad.txt", sentence);
}

/* ---- there and back --------------------------------------------------------------------------------------------- */

static void ensure_equal(const results *a, const results *b, bool with_sizes)
{
    assert_int_equal(results_spikes_count(a), results_spikes_count(b));
    for (int i = 0; i < results_spikes_count(a); i++) {
        const results_spikes *x = results_spikes_at(a, i), *y = results_spikes_at(b, i);
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->n, y->n);
        if (with_sizes) assert_int_equal(x->size, y->size);
        for (int64_t k = 0; k < x->n; k++) {
            if (x->times_ms[k] != y->times_ms[k]) fail_msg("spike %lld at %.17g ms, expected %.17g", (long long)k, y->times_ms[k], x->times_ms[k]);
            assert_int_equal(x->neurons[k], y->neurons[k]);
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Times of every magnitude, in three populations, one of whose names wants quotes. */
static void make_random(const char *name, int n)
{
    static const char *const populations[] = { "E", "layer 2, inhibitory", "B\xc3\xb6" };
    double                  *times = malloc((size_t)n * sizeof *times);
    FILE                    *file = fopen(in_folder(name), "w");
    for (int k = 0; k < n; k++) times[k] = exp(30 * random_number() - 15);
    qsort(times, (size_t)n, sizeof *times, compare_times);
    fputs("time_ms,neuron,population\n", file);
    for (int k = 0; k < n; k++) fprintf(file, "%.17g,%d,\"%s\"\n", times[k], random_index(1000), populations[k % 3]);
    fclose(file);
    free(times);
}

static void every_format_gives_the_same_back(void **state)
{
    static const char *const endings[] = { ".h5", ".npz", ".csv", ".txt" };
    (void)state;
    make_random("source.csv", 3000);
    results *source = read_or_fail("source.csv");
    assert_int_equal(results_spikes_count(source), 3);
    for (int k = 0; k < 4; k++) {
        char     name[32];
        rv_error error = { 0 };
        snprintf(name, sizeof name, "back%s", endings[k]);
        if (results_write(source, in_folder(name), &error) != RV_OK) fail_msg("%s", error.text);
        results *back = read_or_fail(name);
        ensure_equal(source, back, true);
        results_free(back);
    }
    results_free(source);
}

static void a_selected_population_goes_to_two_columns(void **state)
{
    (void)state;
    rv_error error = { 0 };
    make_random("source.csv", 300);
    results *source = read_or_fail("source.csv");
    assert_int_equal(results_write(source, in_folder("all.dat"), &error), RV_CONFLICT);
    assert_non_null(strstr(error.text, "--population"));
    assert_int_not_equal(access(in_folder("all.dat"), F_OK), 0);
    assert_int_equal(results_select(source, "none", &error), RV_UNKNOWN_NAME);
    assert_non_null(strstr(error.text, "layer 2, inhibitory"));
    ENSURE_OK(results_select(source, "layer 2, inhibitory", &error));
    ENSURE_OK(results_write(source, in_folder("one.dat"), &error));
    results *back = read_or_fail("one.dat");
    assert_int_equal(results_spikes_at(back, 0)->n, 100);
    ENSURE_NEAR(results_spikes_at(back, 0)->times_ms[50], results_spikes_at(source, 0)->times_ms[50], 0, "ms");
    results_free(back), results_free(source);
}

static void populations_keep_what_text_cannot_say(void **state)
{
    (void)state;
    rv_error error = { 0 };
    results *source = read_text("time_ms,neuron\n1,2\n");
    results_spikes *s = (results_spikes *)results_spikes_at(source, 0);
    s->size = 12, s->inhibitory = true, s->shape = (results_shape){ 3, 2, 2 };
    ENSURE_OK(results_write(source, in_folder("kept.h5"), &error));
    results *back = read_or_fail("kept.h5");
    const results_spikes *b = results_spikes_at(back, 0);
    assert_int_equal(b->size, 12);
    assert_true(b->inhibitory);
    assert_int_equal(b->shape.columns * 100 + b->shape.rows * 10 + b->shape.polarities, 322);
    results_free(back), results_free(source);
}

static void files_of_no_spikes(void **state)
{
    (void)state;
    rv_error error = { 0 };
    results *source = read_text("time_ms,neuron\n");
    for (int k = 0; k < 4; k++) {
        static const char *const names[] = { "none.h5", "none.npz", "none.csv", "none.dat" };
        ENSURE_OK(results_write(source, in_folder(names[k]), &error));
        results *back = read_or_fail(names[k]);
        if (k < 2) assert_int_equal(results_spikes_count(back), 1);
        for (int i = 0; i < results_spikes_count(back); i++) assert_int_equal(results_spikes_at(back, i)->n, 0);
        results_free(back);
    }
    results_free(source);
}

/* ---- what others write ------------------------------------------------------------------------------------------ */

static void ensure_spike(const results *r, int population, int64_t k, double t_ms, int64_t neuron)
{
    const results_spikes *s = results_spikes_at(r, population);
    assert_non_null(s);
    assert_true(k < s->n);
    ENSURE_NEAR(s->times_ms[k], t_ms, 1e-12, "ms");
    assert_int_equal(s->neurons[k], neuron);
}

static void columns_are_detected_and_said(void **state)
{
    static const struct {
        const char *text, *said;
        double      t_ms;
        int64_t     neuron;
    } files[] = {
        { "# NEST version: 3.8\n# RecordingBackendASCII version: 2\nsender\ttime_ms\n7\t0.5\n", "named: time (ms), neuron", 0.5, 7 },
        { "7\t0.500\t\n", "two columns of text without names: neuron, time (ms) (times have fractions)", 0.5, 7 },
        { "0.5 7\r\n", "time (ms), neuron (times have fractions)", 0.5, 7 },
        { "9 1\n3 2\n5 7\n", "neuron, time (ms) (times ascend)", 1, 9 },
        { "1;9\n2;3\n7;5\n", "time (ms), neuron (times ascend)", 1, 9 },
        { "3 4\n", "as NEST has them", 4, 3 },
        { "\"t\";\"i\"\n0,5;7\n", NULL, 0, 0 }, /* a comma is no point */
        { "timestamps population node_ids\n0.5 \"a b\" 7\n", "time (ms), neuron, population", 0.5, 7 },
        { "id,t (s),x\n7,0.0005,12\n", "time (s)", 0.5, 7 },
        { "gid,time_us\n7,500\n", "time (us)", 0.5, 7 },
        { "\xef\xbb\xbf% from a sheet\nNeuron,Time_ms\n\n7,0.5\n", "named: time (ms), neuron", 0.5, 7 },
    };
    (void)state;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        if (!files[k].said) {
            ensure_text_refused(files[k].text, "line ");
            continue;
        }
        results *r = read_text(files[k].text);
        if (!strstr(results_attribute(r, "recording"), files[k].said)) fail_msg("\"%s\": expected \"%s\"", results_attribute(r, "recording"), files[k].said);
        ensure_spike(r, 0, 0, files[k].t_ms, files[k].neuron);
        results_free(r);
    }
}

static void text_that_is_wrong_is_refused(void **state)
{
    static const char *const files[][2] = {
        { "hello world\n", "line 1: no column is named time" },
        { "neuron,x\n1,2\n", "no column is named time" },
        { "time_ms,neuron\n1,2\n3\n", "line 3: 1 columns, there were 2" },
        { "time_ms,neuron\n1,-2\n", "line 2: the neuron is \"-2\"" },
        { "time_ms,neuron\n1,2.5\n", "line 2: the neuron is \"2.5\"" },
        { "time_ms,neuron\n1,1e300\n", "line 2: the neuron is" },
        { "time_ms,neuron\nnan,1\n", "line 2: the time is \"nan\"" },
        { "time_ms,neuron\n1e999,1\n", "line 2: the time is" },
        { "1,2,3\n", "line 1: 3 columns without names" },
        { "12\n", "line 1: one column" },
        { "# nothing\n", "no line of spikes" },
        { "sender\ttime_step\ttime_offset\n1\t2\t0\n", "times in steps" },
    };
    (void)state;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) ensure_text_refused(files[k][0], files[k][1]);
}

/* An .npz as numpy.savez writes it: stored, with ZIP64 numbers in the local header and streamed sizes. */
static void add_bytes(uint8_t **at, const void *bytes, size_t n) { memcpy(*at, bytes, n), *at += n; }
static void add_number(uint8_t **at, uint64_t x, int n)
{
    while (n-- > 0) *(*at)++ = (uint8_t)x, x >>= 8;
}

static size_t npy_of(uint8_t *npy, const char *type, const char *shape, const void *data, size_t n)
{
    int length = snprintf((char *)npy + 10, 118, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    memcpy(npy, "\x93NUMPY\1\0\x76\0", 10);
    memset(npy + 10 + length, ' ', (size_t)(117 - length)), npy[127] = '\n';
    memcpy(npy + 128, data, n);
    return 128 + n;
}

typedef struct member {
    const char *name, *type, *shape;
    const void *data;
    size_t      n;
} member;

static size_t savez(uint8_t *zip, const member *m, int n)
{
    uint8_t *at = zip, npy[1000];
    uint64_t offsets[8];
    for (int k = 0; k < n; k++) {
        size_t size = npy_of(npy, m[k].type, m[k].shape, m[k].data, m[k].n);
        offsets[k] = (uint64_t)(at - zip);
        add_bytes(&at, "PK\3\4\x2d\0\0\0\0\0\0\0\x21\0", 14);
        add_number(&at, crc32(0, npy, (uInt)size), 4), add_number(&at, UINT32_MAX, 4), add_number(&at, UINT32_MAX, 4);
        add_number(&at, strlen(m[k].name), 2), add_number(&at, 20, 2);
        add_bytes(&at, m[k].name, strlen(m[k].name));
        add_number(&at, 1, 2), add_number(&at, 16, 2), add_number(&at, size, 8), add_number(&at, size, 8);
        add_bytes(&at, npy, size);
    }
    uint64_t directory = (uint64_t)(at - zip);
    for (int k = 0; k < n; k++) {
        size_t size = npy_of(npy, m[k].type, m[k].shape, m[k].data, m[k].n);
        add_bytes(&at, "PK\1\2\x2d\3\x2d\0\0\0\0\0\0\0\x21\0", 16);
        add_number(&at, crc32(0, npy, (uInt)size), 4), add_number(&at, size, 4), add_number(&at, size, 4);
        add_number(&at, strlen(m[k].name), 2);
        add_number(&at, 0, 12), add_number(&at, offsets[k], 4);
        add_bytes(&at, m[k].name, strlen(m[k].name));
    }
    uint64_t length = (uint64_t)(at - zip) - directory;
    add_bytes(&at, "PK\5\6\0\0\0\0", 8), add_number(&at, (uint64_t)n, 2), add_number(&at, (uint64_t)n, 2);
    add_number(&at, length, 4), add_number(&at, directory, 4), add_number(&at, 0, 2);
    return (size_t)(at - zip);
}

static void numpy_arrays_of_many_types(void **state)
{
    static const float    t[] = { 3, 1, 2 };
    static const uint8_t  i[] = { 0, 1, 0, 2, 1, 44 }; /* big-endian 16 bits: 1, 2, 300 */
    static const uint32_t who[] = { 'a', 0, 'b', 0xf6, 'a', 0 };
    const member          arrays[] = { { "t.npy", "<f4", "(3,)", t, sizeof t }, { "i.npy", ">i2", "(3,)", i, sizeof i }, { "population.npy", "<U2", "(3,)", who, sizeof who }, { "other.npy", "|b1", "(2, 2)", "abcd", 4 } };
    uint8_t               zip[4000];
    (void)state;
    write_bytes("numpy.npz", zip, savez(zip, arrays, 4));
    results *r = read_or_fail("numpy.npz");
    assert_int_equal(results_spikes_count(r), 2);
    assert_string_equal(results_spikes_at(r, 1)->name, "b\xc3\xb6");
    ensure_spike(r, 0, 0, 2, 300);
    ensure_spike(r, 0, 1, 3, 1);
    ensure_spike(r, 1, 0, 1, 2);
    results_free(r);
}

static void numpy_arrays_that_are_wrong(void **state)
{
    static const double  t[] = { 1, 2 };
    static const double  half[] = { 1, 1.5 };
    static const int64_t i[] = { 1, -2 };
    static const struct {
        member      a, b;
        const char *sentence;
    } files[] = {
        { { "times.npy", "<f8", "(2,)", t, 16 }, { "x.npy", "<f8", "(2,)", t, 16 }, "senders: there is no such array" },
        { { "times.npy", "<f8", "(2,)", t, 16 }, { "senders.npy", "<i8", "(1,)", i, 8 }, "1 neurons for 2 times" },
        { { "times.npy", "<f8", "(2,)", t, 16 }, { "senders.npy", "<i8", "(2,)", i, 16 }, "spike 1 is of neuron -2" },
        { { "times.npy", "<f8", "(3,)", t, 16 }, { "senders.npy", "<i8", "(2,)", i, 16 }, "shorter than its shape" },
        { { "times.npy", "<f8", "(2, 2)", t, 16 }, { "senders.npy", "<i8", "(2,)", i, 16 }, "several axes" },
        { { "times.npy", "|O8", "(2,)", t, 16 }, { "senders.npy", "<i8", "(2,)", i, 16 }, "its type is none of" },
        { { "times.npy", "<f8", "(2,)", t, 16 }, { "senders.npy", "<f8", "(2,)", half, 16 }, "entry 1 is not a whole number" },
    };
    uint8_t zip[4000];
    (void)state;
    for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
        const member arrays[] = { files[k].a, files[k].b };
        write_bytes("wrong.npz", zip, savez(zip, arrays, 2));
        ensure_refused("wrong.npz", files[k].sentence);
    }
}

/* Every byte of an archive changed, and every length of it: a sentence or spikes, and a checksum for every array. */
static void damaged_archives_are_refused(void **state)
{
    uint8_t  bytes[4000];
    rv_error error = { 0 };
    results *source = read_text("time_ms,neuron\n1,2\n3,4\n"), *r;
    (void)state;
    ENSURE_OK(results_write(source, in_folder("whole.npz"), &error));
    results_free(source);
    FILE  *file = fopen(in_folder("whole.npz"), "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t k = 0; k < 2 * n; k++) {
        uint8_t kept = bytes[k % n];
        if (k < n) bytes[k] ^= (uint8_t)(1 + random_index(255));
        write_bytes("hurt.npz", bytes, k < n ? n : k - n);
        error = (rv_error){ 0 };
        if (results_read(in_folder("hurt.npz"), &r, &error) != RV_OK && !error.text[0]) fail_msg("byte %zu: no sentence", k);
        results_free(r);
        bytes[k % n] = kept;
    }
}

static void a_disk_that_is_full_leaves_the_old_file(void **state)
{
    (void)state;
    rv_error error = { 0 };
    results *source = read_text("time_ms,neuron\n1,2\n");
    assert_int_equal(results_write(source, "/no/such/folder/x.npz", &error), RV_FILE_ERROR);
    assert_int_equal(results_write(source, in_folder("x.what"), &error), RV_UNKNOWN_NAME);
    if (access("/dev/full", W_OK) == 0) {
        write_bytes("old.csv", "old", 3);
        unlink(in_folder("old.csv.part"));
        assert_int_equal(symlink("/dev/full", in_folder("old.csv.part")), 0);
        assert_int_equal(results_write(source, in_folder("old.csv"), &error), RV_FILE_ERROR);
        assert_non_null(strstr(error.text, "No space"));
        char  text[8] = "";
        FILE *file = fopen(in_folder("old.csv"), "r");
        assert_non_null(fgets(text, sizeof text, file));
        fclose(file);
        assert_string_equal(text, "old");
    }
    results_free(source);
}

/* ---- group ------------------------------------------------------------------------------------------------------ */

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_gives_the_same_back),
        cmocka_unit_test(a_selected_population_goes_to_two_columns),
        cmocka_unit_test(populations_keep_what_text_cannot_say),
        cmocka_unit_test(files_of_no_spikes),
        cmocka_unit_test(columns_are_detected_and_said),
        cmocka_unit_test(text_that_is_wrong_is_refused),
        cmocka_unit_test(numpy_arrays_of_many_types),
        cmocka_unit_test(numpy_arrays_that_are_wrong),
        cmocka_unit_test(damaged_archives_are_refused),
        cmocka_unit_test(a_disk_that_is_full_leaves_the_old_file),
    };
    return cmocka_run_group_tests_name("spike files", tests, make_folder, remove_folder);
}
