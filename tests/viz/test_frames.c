/* Pictures for a film: every one in order while somebody waits for them, as many as can be written while nobody does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "viz/frames.h"

static char folder[] = "/tmp/ranvier_frames_XXXXXX";

static const char *in_folder(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool is_there(const char *name) { return access(in_folder(name), F_OK) == 0; }

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[200];
    (void)state;
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", folder, folder);
    return system(command);
}

/* A picture with a bar whose length is a number. */
static canvas *draw_number(int width, int height, int number)
{
    canvas *c;
    double  x[] = { 0, number, number, 0 }, y[] = { 0, 0, height, height };
    assert_int_equal(canvas_new(width, height, 1, &c, NULL), RV_OK);
    canvas_polygon(c, (canvas_pen){ .colour = 0xff }, x, y, 4);
    return c;
}

static void add_number(frames *f, int width, int height, int number)
{
    rv_error error = { 0 };
    canvas  *c = draw_number(width, height, number);
    if (frames_add(f, c, &error) != RV_OK) fail_msg("%s", error.text);
    canvas_free(c);
}

static uint8_t *read_file(const char *name, size_t *n)
{
    FILE    *file = fopen(in_folder(name), "rb");
    uint8_t *bytes = malloc(1 << 20);
    if (!file) fail_msg("%s is not there", name);
    *n = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static bool are_equal(const char *a, const char *b)
{
    size_t   n, m;
    uint8_t *x = read_file(a, &n), *y = read_file(b, &m);
    bool     equal = n == m && !memcmp(x, y, n);
    free(x);
    free(y);
    return equal;
}

/* Width and height of a PNG stand in its first chunk (W3C PNG specification, 11.2.2). */
static void ensure_size(const char *name, unsigned width, unsigned height)
{
    size_t   n;
    uint8_t *b = read_file(name, &n);
    assert_true(n > 24 && !memcmp(b, "\x89PNG\r\n\x1a\n", 8));
    assert_int_equal(b[16] << 24 | b[17] << 16 | b[18] << 8 | b[19], width);
    assert_int_equal(b[20] << 24 | b[21] << 16 | b[22] << 8 | b[23], height);
    free(b);
}

static void test_every_picture(void **state)
{
    frames  *f;
    rv_error error = { 0 };
    (void)state;
    assert_int_equal(frames_open(in_folder("film"), &f, &error), RV_OK);
    for (int k = 1; k <= 3; k++) {
        add_number(f, 60, 40, 10 * k);
        assert_int_equal(frames_added(f), k);
    }
    assert_true(is_there("film/frame-00003.png")); /* at once */
    add_number(f, 60, 40, 10);
    add_number(f, 61, 41, 10); /* a window that was resized */
    assert_int_equal(frames_left_out(f), 0);
    assert_string_equal(frames_folder(f), in_folder("film"));
    assert_int_equal(frames_close(f, &error), RV_OK);
    assert_false(is_there("film/frame-00006.png"));
    assert_true(are_equal("film/frame-00001.png", "film/frame-00004.png"));
    assert_false(are_equal("film/frame-00001.png", "film/frame-00002.png"));
    ensure_size("film/frame-00001.png", 60, 40);
    ensure_size("film/frame-00005.png", 61, 41);
}

/* The frames of two films would be mixed. */
static void test_used_folder(void **state)
{
    frames  *f;
    rv_error error = { 0 };
    (void)state;
    assert_int_equal(frames_open(in_folder("used"), &f, &error), RV_OK);
    assert_int_equal(frames_close(f, &error), RV_OK);
    assert_int_equal(frames_open(in_folder("used"), &f, &error), RV_OK); /* empty, it is welcome */
    add_number(f, 10, 10, 5);
    assert_int_equal(frames_close(f, &error), RV_OK);
    assert_int_equal(frames_open(in_folder("used"), &f, &error), RV_FILE_ERROR);
    assert_null(f);
    assert_non_null(strstr(error.text, "another film"));
}

static void test_unwritable(void **state)
{
    frames  *f;
    rv_error error = { 0 };
    (void)state;
    assert_int_equal(frames_open("/proc/no/such/folder", &f, &error), RV_FILE_ERROR);
    assert_non_null(strstr(error.text, "/proc/no/such/folder"));
    assert_int_equal(frames_record("/proc/no/such/folder", &f, &error), RV_FILE_ERROR);
    assert_null(f);
}

/* The folder vanishes while the film is shot: the sentence comes with a later picture, or at the end. */
static void test_folder_that_vanishes(void **state)
{
    (void)state;
    for (int recording = 0; recording < 2; recording++) {
        frames   *f;
        rv_error  error = { 0 };
        char      name[40];
        rv_status status = recording ? frames_record(folder, &f, &error) : frames_open(in_folder("gone"), &f, &error);
        assert_int_equal(status, RV_OK);
        snprintf(name, sizeof name, "%s", frames_folder(f) + strlen(folder) + 1);
        assert_int_equal(rmdir(in_folder(name)), 0);
        canvas *c = draw_number(20, 20, 3);
        status = frames_add(f, c, &error);
        assert_int_equal(status, recording ? status : RV_FILE_ERROR);
        canvas_free(c);
        error = (rv_error){ 0 };
        assert_int_equal(frames_close(f, &error), RV_FILE_ERROR);
        assert_non_null(strstr(error.text, "cannot be written"));
    }
}

/* Pictures that come much faster than they can be written: some are left out, the others have no gaps between them. */
static void test_recording(void **state)
{
    frames  *f;
    rv_error error = { 0 };
    char     name[60];
    (void)state;
    assert_int_equal(frames_record(folder, &f, &error), RV_OK);
    for (int k = 0; k < 100; k++) add_number(f, 600, 400, k);
    int64_t added = frames_added(f);
    assert_int_equal(added + frames_left_out(f), 100);
    assert_true(added >= 8);
    snprintf(name, sizeof name, "%s", frames_folder(f) + strlen(folder) + 1);
    assert_int_equal(frames_close(f, &error), RV_OK);
    for (int64_t k = 1; k <= added + 1; k++) {
        char frame[100];
        snprintf(frame, sizeof frame, "%s/frame-%05d.png", name, (int)k);
        assert_int_equal(is_there(frame), k <= added);
    }
}

/* Every film has a folder of its own. */
static void test_folders(void **state)
{
    frames  *f[2];
    rv_error error = { 0 };
    (void)state;
    for (int k = 0; k < 2; k++) assert_int_equal(frames_record(folder, &f[k], &error), RV_OK);
    assert_string_not_equal(frames_folder(f[0]), frames_folder(f[1]));
    for (int k = 0; k < 2; k++) assert_int_equal(frames_close(f[k], &error), RV_OK);
    assert_int_equal(frames_close(NULL, &error), RV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_picture), cmocka_unit_test(test_used_folder),
        cmocka_unit_test(test_unwritable),    cmocka_unit_test(test_folder_that_vanishes),
        cmocka_unit_test(test_recording),     cmocka_unit_test(test_folders),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
