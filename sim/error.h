/* How a sentence is stored. The idiom: return error_set(error, RV_OUT_OF_RANGE, "population \"%s\": ...", ...); */
#ifndef RV_SIM_ERROR_H
#define RV_SIM_ERROR_H

#include "sim/ranvier.h"

/** Stores status and sentence; @param error may be NULL @return status */
rv_status error_set(rv_error *error, rv_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** RV_FILE_ERROR: `"path": sentence` or `"path", line 3: sentence`. @param line 0: none */
rv_status error_in_file(rv_error *error, const char *path, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));

/** RV_OUT_OF_MEMORY with what was wanted. */
rv_status error_memory(rv_error *error, const char *what, double bytes);

/** RV_UNKNOWN_NAME: `<object>: no <kind> "<name>"; did you mean ...?` or the list of what there is.
 *  @param object may be NULL
 *  @param kind   "population"; an owner behind " of " goes behind the name: "parameter of stdp" gives
 *                `no parameter "x" of stdp`
 *  @param name   NULL reads: none given
 *  @param names  [n] */
rv_status error_unknown(rv_error *error, const char *object, const char *kind, const char *name,
                        const char *const *names, int n);

/** Passes an error up where nothing is held. */
#define TRY(call)                                       \
    do {                                                \
        rv_status status_ = (call);                     \
        if (status_ != RV_OK) return status_;           \
    } while (0)

#endif
