/* What the tests against references share: comparisons that say what was expected, what came and in which unit; tables
 * of reference data; networks in few lines. Everything here fails the test that calls it when something is refused. */
#ifndef RV_TESTS_REFERENCE_H
#define RV_TESTS_REFERENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>

#include "sim/ranvier.h"

/* ---- comparing -------------------------------------------------------------------------------------------------- */

/** |got - expected| <= tolerance, all in the same unit. Prints all of them if not. */
#define ENSURE_NEAR(got, expected, tolerance, unit) ENSURE_NEAR_IN(got, expected, tolerance, unit, "%s", #got)
/** The same, naming the case: a printf format and its arguments come last. */
#define ENSURE_NEAR_IN(got, expected, tolerance, unit, ...)                                                            \
    ensure_near(got, expected, tolerance, unit, __FILE__, __LINE__, __VA_ARGS__)
#define ENSURE_OK(net, call)                                                                                           \
    do {                                                                                                               \
        if ((call) != RV_OK) fail_msg("%s: %s", #call, rv_net_error(net)->text);                                       \
    } while (0)

void ensure_near(double got, double expected, double tolerance, const char *unit, const char *file, int line,
                 const char *format, ...) __attribute__((format(printf, 7, 8)));

/** A text that lives until the fourth call after this one. */
const char *reference_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** A file that a suite writes to: made before its tests, removed behind them (the last two arguments of
 *  cmocka_run_group_tests), and where it is. */
int         reference_make_file(void **state);
int         reference_remove_file(void **state);
const char *reference_file(void);

/** The larger of two deviations; for the summary a test prints. */
double reference_worse(double worst, double got, double expected);

/* ---- reference data ---------------------------------------------------------------------------------------------- */

/* Text files. Lines that begin with # or a letter are skipped in tables. */

/** A list of numbers; freed by reference_list_free(). */
typedef struct reference_list {
    int64_t n;
    double *x;
} reference_list;

/** A table of numbers separated by commas or blanks. @return rows [n / columns][columns] */
reference_list reference_table(const char *path, int columns);

/** The numbers of the line `label: number ...` of a file. */
reference_list reference_row(const char *path, const char *label);
bool           reference_exists(const char *path);
void           reference_list_free(reference_list *list);

/* ---- networks --------------------------------------------------------------------------------------------------- */

/** One thread unless the definition says otherwise: small networks are faster on one. */
rv_net       *reference_net(rv_net_def def);
rv_population reference_population(rv_net *net, const char *name, int64_t n, const char *model);
void          reference_set(rv_net *net, rv_population population, const char *name, double value);

/** Several numbers at once: name, value, name, value, ..., NULL. */
void reference_set_all(rv_net *net, rv_population population, ...) __attribute__((sentinel));

/** A generator that plays the list to every neuron of the target through synapses of this weight and delay. */
rv_population reference_play(rv_net *net, const char *name, rv_population target, reference_list times, double weight,
                             double delay);

/** An input of a kind with numbers as parameters: name, value, ..., NULL. */
rv_input reference_input(rv_net *net, rv_population target, const char *kind, ...) __attribute__((sentinel));

/** Records a state variable of all neurons. @param interval_ms 0: every step */
rv_probe reference_record(rv_net *net, rv_population population, const char *variable, double interval_ms);

/** All samples of a probe, row after row. */
reference_list reference_samples(rv_net *net, rv_probe probe);

/** Recorded spikes. */
typedef struct reference_spikes {
    int64_t  n;
    double  *time_ms;
    int64_t *neuron;
} reference_spikes;

/** Gives a generator the spikes that were recorded of a population of another network. */
void reference_copy_spikes(rv_net *from, rv_population recorded, rv_net *to, rv_population generator);

reference_spikes reference_spikes_of(rv_net *net, rv_population population);
void             reference_spikes_free(reference_spikes *spikes);

#endif
