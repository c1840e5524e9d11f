/* Fixtures of the chips' tools: all of them beside the project where it is developed (../shared/reference/data/hw), a small
 * part of them in tests/reference/hw. Tables with a line of column names; arrays of HDF5 files. Whatever is wrong fails the test. */
#ifndef RV_TESTS_FIXTURE_H
#define RV_TESTS_FIXTURE_H

#include "tests/support/reference.h"

/** Where a fixture is, as in "lif/lif_params.csv"; NULL if it is in neither place. The text lives until the fourth call. */
const char *fixture_path(const char *name);

/** The same; without the file the test is skipped with a message. */
const char *fixture_or_skip(const char *name);

/** A CSV table; cells are text. A quoted cell may hold commas. */
typedef struct fixture_table {
    int    n_rows, n_columns;
    char **name; /* [n_columns]         */
    char **cell; /* [n_rows][n_columns] */
    char  *text;
} fixture_table;

fixture_table fixture_open_table(const char *path);
void          fixture_close_table(fixture_table *table);
bool          fixture_has(const fixture_table *table, const char *column);
const char   *fixture_text(const fixture_table *table, int row, const char *column);
double        fixture_number(const fixture_table *table, int row, const char *column); /* an empty cell is 0 */

/** Numbers separated by blanks. */
reference_list fixture_list(const char *text);

/** An array of an HDF5 file. */
typedef struct fixture_array {
    double *x;         /* [n[0]][...] */
    int64_t n[4], count;
    int     rank;
} fixture_array;

bool          fixture_has_array(const char *path, const char *dataset);
fixture_array fixture_open_array(const char *path, const char *dataset);
void          fixture_close_array(fixture_array *array);

/** Attributes of HDF5 objects. */
double      fixture_attribute(const char *path, const char *object, const char *name);
const char *fixture_attribute_text(const char *path, const char *object, const char *name);

/** The names in a group, sorted. @return their number; [n] texts in names */
int fixture_names(const char *path, const char *group, char names[][64], int most);

#endif
