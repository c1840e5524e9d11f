/* ranvier compare: what it prints about two files, and its exit status. */
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

#include "io/hdf5_file.h"
#include "io/script_command.h"
#include "tests/support/ensure.h"

#define ENSURE(f, call)                                                                                                \
    do {                                                                                                               \
        if ((call) != RV_OK) fail_msg("%s: %s", #call, (f)->error.text);                                               \
    } while (0)

DRAWING_LEAKS

/* ---- files and runs --------------------------------------------------------------------------------------------- */

static char folder[] = "/tmp/ranvier_compare_XXXXXX";

static int enter_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
    char command[100];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return chdir("/") || system(command);
}

typedef struct population {
    const char    *name;
    int64_t        size, n;
    const double  *times_ms;
    const int64_t *neurons;
} population;

/* @param simulated_ms below 0: the file does not say */
static void write_recording(const char *path, const population *populations, int n, double simulated_ms)
{
    hdf5_file f;
    ENSURE(&f, hdf5_create(path, &f));
    for (int i = 0; i < n; i++) {
        const population *p = &populations[i];
        hdf5_path         group = hdf5_at("/spikes", p->name);
        ENSURE(&f, hdf5_write(&f, hdf5_at(group.path, "timestamps").path, HDF5_F64, p->times_ms, p->n));
        ENSURE(&f, hdf5_write(&f, hdf5_at(group.path, "node_ids").path, HDF5_I64, p->neurons, p->n));
        if (p->size) ENSURE(&f, hdf5_set_int(&f, group.path, "size", p->size));
    }
    if (simulated_ms >= 0) {
        ENSURE(&f, hdf5_make_group(&f, "/provenance"));
        ENSURE(&f, hdf5_set_double(&f, "/provenance", "simulated_ms", simulated_ms));
    }
    ENSURE(&f, hdf5_close(&f));
}

/* What the last run said, on both streams. */
static char   said[1 << 16];
static double written_ms[3]; /* room for times */

/* Runs the verb with words separated by blanks. @return the exit status */
static int compare(const char *line)
{
    char  text[1024], *words[32], *next = text;
    int   n = 0, streams[] = { dup(1), dup(2) };
    FILE *said_file = fopen("said", "w+");
    snprintf(text, sizeof text, "%s", line);
    for (char *word; (word = strsep(&next, " "));) words[n++] = word;
    fflush(stdout);
    for (int k = 0; k < 2; k++) dup2(fileno(said_file), k + 1);
    command c = { n, words, NULL };
    int     status = command_compare(&c);
    fflush(stdout);
    for (int k = 0; k < 2; k++) dup2(streams[k], k + 1), close(streams[k]);
    rewind(said_file);
    said[fread(said, 1, sizeof said - 1, said_file)] = 0;
    fclose(said_file);
    return status;
}

static void ensure(const char *line, int status, const char *sentence)
{
    int got = compare(line);
    if (got != status) fail_msg("compare %s: exit status %d, expected %d; it said:\n%s", line, got, status, said);
    if (!strstr(said, sentence)) fail_msg("compare %s: expected \"%s\", it said:\n%s", line, sentence, said);
}

static void ensure_said(const char *sentence)
{
    if (!strstr(said, sentence)) fail_msg("expected \"%s\", it said:\n%s", sentence, said);
}

/* The last line alone. */
static void ensure_verdict(const char *verdict)
{
    size_t n = strlen(said);
    assert_true(n > 0 && said[n - 1] == '\n');
    said[n - 1] = 0;
    const char *line = strrchr(said, '\n');
    assert_string_equal(line ? line + 1 : said, verdict);
}

/* ---- three recordings ------------------------------------------------------------------------------------------- */

static const double  E_ms[] = { 5, 12.3, 20, 40, 60, 60 }, I_ms[] = { 15, 30, 45 };
static const int64_t E_ids[] = { 0, 16, 3, 0, 16, 3 }, I_ids[] = { 0, 1, 0 };
static const double  E_later_ms[] = { 5, 12.4, 20, 40, 60 };

static const population E = { "E", 20, 6, E_ms, E_ids }, I = { "I", 2, 3, I_ms, I_ids };
static const population E_later = { "E", 20, 5, E_later_ms, E_ids };

static void the_same_recording(void **state)
{
    (void)state;
    const double  swapped_ms[] = { 5, 12.3, 20, 40, 60, 60 };
    const int64_t swapped[] = { 0, 16, 3, 0, 3, 16 };
    population    E_swapped = { "E", 20, 6, swapped_ms, swapped };
    write_recording("a.h5", (population[]){ E, I }, 2, 100);
    write_recording("b.h5", (population[]){ I, E_swapped }, 2, 100);
    ensure("a.h5 b.h5", 0, "A  a.h5\nB  b.h5\n0 to 100 ms; tau = 10 ms, cost = 0.1 per ms, coincident: at most 2 ms apart");
    ensure_said("\nE                     20          6          6     3.000     3.000        0        0        0        0"
                "     1.0000  none\n");
    ensure_verdict("the same spikes");
    ensure("a.h5 b.h5 --same", 0, "the same spikes");
    ensure("--same a.h5 a.h5", 0, "the same spikes");
}

/* E 17 is 0.1 ms late and E 4 lacks a spike: van Rossum's D^2 is 1 - e^(-0.01) and 1/2, Victor and Purpura's 0.01 and 1. */
static void recordings_that_part(void **state)
{
    (void)state;
    write_recording("a.h5", (population[]){ E, I }, 2, 100);
    write_recording("b.h5", (population[]){ E_later, I }, 2, 100);
    ensure("a.h5 b.h5", 0, "\nE                     20          6          5     3.000     2.500    0.216    0.577    0.112    0.333");
    ensure_said(" 0.9091  t = 12.3 ms: B lacks a spike of E 17\n");
    ensure_said("\nI                      2          3          3    15.000    15.000        0        0        0        0"
                "     1.0000  none\n");
    ensure_verdict("t = 12.3 ms: B lacks a spike of E 17; 94.12 % of the spikes coincide");
    ensure("b.h5 a.h5", 0, "t = 12.3 ms: A lacks a spike of E 17");
    ensure("a.h5 b.h5 --same", 1, "B lacks a spike of E 17");
    ensure("a.h5 b.h5 --to 12", 0, "the same spikes");
    ensure("a.h5 b.h5 --from 12.35 --to 30", 0, "t = 12.4 ms: A lacks a spike of E 17");
    ensure("a.h5 b.h5 --from 12.4 --to 59", 0, "the same spikes");
    ensure("a.h5 b.h5 --within 0.05 --tau 1e9 --cost 0", 0, " 0.7273  t = 12.3 ms");
    ensure_said("0.192    0.577    0.111    0.333"); /* only the numbers of spikes count */
}

static void populations_and_sizes_that_differ(void **state)
{
    (void)state;
    population E_large = E, J = I, E_unsaid = E;
    E_large.size = 30, J.name = "J", E_unsaid.size = 0;
    write_recording("a.h5", (population[]){ E, I }, 2, 100);
    write_recording("b.h5", (population[]){ E_large, J }, 2, 100);
    write_recording("c.h5", (population[]){ J }, 1, 100);
    write_recording("d.h5", (population[]){ E_unsaid, I }, 2, 100);
    ensure("a.h5 b.h5", 0, "E: 20 neurons in A, 30 in B\n");
    ensure_said("I: only in A, 2 neurons, 3 spikes\n");
    ensure_said("J: only in B, 2 neurons, 3 spikes\n");
    ensure_verdict("the same spikes in the populations that are in both");
    ensure("a.h5 b.h5 --same", 1, "only in A");
    ensure("a.h5 d.h5 --same", 0, "E: 20 neurons in A, 17 in B\n");
    ensure("a.h5 c.h5", 0, "J: only in B");
    ensure_verdict("no population is in both");
    ensure("a.h5 c.h5 --same", 1, "no population is in both");
    ensure("a.h5 c.h5 -o none.png", 1, "ranvier: no population is in both recordings; nothing to draw");
    assert_int_equal(access("none.png", F_OK), -1);
}

/* The shorter recording says how long it is; one that says nothing lasts to the last spike of both; spikes at 0 and before
 * count; times that were rounded when written are the same. */
static void windows_and_roundings(void **state)
{
    (void)state;
    population E_short = E, early = { "E", 20, 3, written_ms, E_ids };
    E_short.n = 4;
    write_recording("a.h5", &E, 1, 100);
    write_recording("b.h5", &E_short, 1, 50);
    write_recording("c.h5", &E_short, 1, -1);
    write_recording("d.h5", &E, 1, -1);
    ensure("a.h5 b.h5", 0, "0 to 50 ms");
    ensure_said("A goes on to 100 ms\n");
    ensure_verdict("the same spikes");
    ensure("a.h5 c.h5", 0, "0 to 100 ms");
    ensure_verdict("t = 60 ms: B lacks a spike of E 4; 80.00 % of the spikes coincide");
    ensure("d.h5 c.h5", 0, "0 to 60 ms");
    ensure("a.h5 a.h5 --to 50", 0, "0 to 50 ms");
    if (strstr(said, "goes on")) fail_msg("who asked for 50 ms is not told of more:\n%s", said);
    written_ms[0] = -3, written_ms[1] = 0, written_ms[2] = 1;
    write_recording("e.h5", &early, 1, 100);
    early.n = 2;
    write_recording("f.h5", &early, 1, 100);
    ensure("e.h5 f.h5", 0, "-3 to 100 ms");
    ensure_said("\nE                     20          3          2     1.456     0.971"); /* in 103 ms */
    ensure_verdict("t = 1 ms: B lacks a spike of E 4; 80.00 % of the spikes coincide");
    ensure("e.h5 f.h5 --from 0", 0, "\nE                     20          1          0     0.500     0.000");
    early.n = 3, written_ms[2] = 1 + 3e-9;
    write_recording("f.h5", &early, 1, 100);
    ensure("e.h5 f.h5 --same", 0, "the same spikes, at times that differ by up to 3e-09 ms");
    written_ms[0] = 0, written_ms[1] = 0, written_ms[2] = 1;
    write_recording("e.h5", &early, 1, 100);
    ensure("e.h5 e.h5", 0, "\n0 to 100 ms");
    ensure_said("\nE                     20          3          3");
}

static void silent_recordings(void **state)
{
    (void)state;
    population silent = { "E", 20, 0, E_ms, E_ids };
    write_recording("a.h5", &silent, 1, 100);
    write_recording("b.h5", &E, 1, 100);
    write_recording("c.h5", &silent, 1, -1);
    ensure("a.h5 a.h5 --same -o silent.png", 0, "        -        -        -        -          -  none");
    ensure_verdict("the same spikes");
    ensure("a.h5 b.h5", 0, "t = 5 ms: A lacks a spike of E 1; 0.00 % of the spikes coincide");
    ensure("c.h5 c.h5", 1, "ranvier: nothing to compare");
}

/* A neuron of so many spikes that too many pairs are in reach is left out of that distance, and said to be. */
static void too_many_pairs_are_said(void **state)
{
    (void)state;
    enum { N = 10100 };
    double  *times = malloc(N * sizeof *times);
    int64_t *neurons = calloc(N, sizeof *neurons);
    for (int k = 0; k < N; k++) times[k] = 0.1 * (k + 1);
    population busy = { "E", 2, N, times, neurons };
    write_recording("a.h5", &busy, 1, 2000);
    ensure("a.h5 a.h5 --cost 1e-6", 0, "E: Victor-Purpura without 1 neurons of too many spikes within 2e+06 ms of each other");
    ensure_said("E: distances are of 1 in 2 neurons, drawn evenly");
    ensure("a.h5 a.h5", 0, "       0        0        0        0     1.0000  none");
    free(times);
    free(neurons);
}

static void figures_are_written(void **state)
{
    (void)state;
    struct stat file;
    write_recording("a.h5", (population[]){ E, I }, 2, 100);
    write_recording("b.h5", (population[]){ E_later, I }, 2, 100);
    for (int i = 0; i < 3; i++) {
        char line[100], name[20];
        snprintf(name, sizeof name, "figure.%s", ((const char *[]){ "png", "svg", "pdf" })[i]);
        snprintf(line, sizeof line, "a.h5 b.h5 -o %s", name);
        ensure(line, 0, "t = 12.3 ms");
        assert_int_equal(stat(name, &file), 0);
        assert_true(file.st_size > 1000);
    }
    ensure("a.h5 b.h5 --same -o figure.png", 1, "t = 12.3 ms");
    ensure("a.h5 b.h5 -o figure.gif", 1, "ranvier: figure \"figure.gif\": the ending must be .png, .svg or .pdf");
    ensure("a.h5 b.h5 -o /nowhere/figure.png", 1, "No such file or directory");
}

static void what_is_wrong_is_said_in_a_sentence(void **state)
{
    (void)state;
    static const struct wrong {
        const char *line;
        int         status;
        const char *sentence;
    } table[] = {
        { "a.h5", 2, "ranvier: compare needs more: ranvier compare A.h5 B.h5 [-o FIG] [options]" },
        { "a.h5 a.h5 a.h5", 2, "ranvier: compare: \"a.h5\" is too much" },
        { "a.h5 missing.h5", 1, "missing.h5" },
        { "said a.h5", 1, "said" },
        { "a.h5 none.h5", 1, "ranvier: \"none.h5\" holds no spikes to compare" },
        { "a.h5 a.h5 --tau 0", 2, "ranvier: --tau = 0, allowed 1e-09 to 1e+15" },
        { "a.h5 a.h5 --cost -1", 2, "ranvier: --cost = -1, allowed 0 to 1e+15" },
        { "a.h5 a.h5 --within soon", 2, "ranvier: --within is \"soon\"; a number is needed" },
        { "a.h5 a.h5 --from 50 --to 20", 1, "ranvier: nothing to compare from 50 to 20 ms" },
        { "a.h5 a.h5 --smae", 2, "did you mean --same?" },
        { "--help", 0, "Usage: ranvier compare A.h5 B.h5" },
    };
    hdf5_file none;
    write_recording("a.h5", &E, 1, 100);
    ENSURE(&none, hdf5_create("none.h5", &none));
    ENSURE(&none, hdf5_make_group(&none, "/spikes"));
    ENSURE(&none, hdf5_close(&none));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        ensure(table[i].line, table[i].status, table[i].sentence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_recording),
        cmocka_unit_test(recordings_that_part),
        cmocka_unit_test(populations_and_sizes_that_differ),
        cmocka_unit_test(windows_and_roundings),
        cmocka_unit_test(silent_recordings),
        cmocka_unit_test(too_many_pairs_are_said),
        cmocka_unit_test(figures_are_written),
        cmocka_unit_test(what_is_wrong_is_said_in_a_sentence),
    };
    return cmocka_run_group_tests_name("compare", tests, enter_folder, remove_folder);
}
