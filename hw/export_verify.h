/* Proving files for chips: what was written is read back and run on the same input, and must give the spikes that the network gave.
 *
 *   hw_export_verify("netx", "net.net", net, NULL, note, &error);      with random input
 *
 * or, for a network that has run with the spikes of all populations recorded since its beginning,
 *
 *   verify v = { .path = "net.net", .net = net, .steps = 200, .note = note, .error = &error };
 *   verify_format("netx")->verify(&v);
 *
 * Formats, by the names of `ranvier export --formats`: netx, ranvier (mapping files), sanafe, header, tennlab. */
#ifndef RV_HW_EXPORT_VERIFY_H
#define RV_HW_EXPORT_VERIFY_H

#include "hw/netx_write.h"

enum { VERIFY_NOTE = 400 };

typedef struct hw_verify_options {
    int64_t      steps; /* 0: 100                                                          */
    double       rate;  /* spikes in each step from each generator, 0 to 1; 0: 0.1         */
    uint64_t     seed;  /* of the input                                                    */
    netx_options netx;  /* what netx_write() says the file is to be loaded with, and the shapes it was given; netx only */
    const netx_shape *shapes; /* [n_shapes] or NULL                                        */
    int          n_shapes;
} hw_verify_options;

/** Runs a copy of the network on random input, and the file on the same.
 *  @param net the network that was written; it does not run @param options NULL: all as said above
 *  @param note result, [VERIFY_NOTE]: what was done, a sentence; may be NULL
 *  @return RV_OK; RV_CONFLICT with the first spike that differs; RV_UNKNOWN_NAME for a format that is none; or why the file cannot be read */
rv_status hw_export_verify(const char *format, const char *path, rv_net *net, const hw_verify_options *options, char *note, rv_error *error);

/* ---- step by step ------------------------------------------------------------------------------------------------ */

/** A file and the network it was written from. */
typedef struct verify {
    const char  *path;
    rv_net      *net;   /* has run so many steps, recorded from the beginning                       */
    int64_t      steps;
    bool         play;  /* the spikes of its generators replace those that stand in the file        */
    netx_options netx;
    const netx_shape *shapes; /* [n_shapes] that netx_write() was given                             */
    int          n_shapes;
    char        *note;  /* [VERIFY_NOTE] result; may be NULL                                        */
    rv_error    *error;
} verify;

typedef struct verify_kind {
    const char *format;
    rv_status (*verify)(const verify *v);
} verify_kind;

/** NULL: there is none of this name. */
const verify_kind *verify_format(const char *format);

/** For formats that are read elsewhere: gives a generator of another network what a generator of ours gave; runs the other network,
 *  recorded; compares the spikes of two populations; and says that they are equal. */
rv_status verify_play(const verify *v, rv_population from, rv_net *net, rv_population generator);
rv_status verify_run(const verify *v, rv_net *net);
rv_status verify_compare(const verify *v, rv_population ours, rv_net *net, rv_population theirs);
void      verify_note_equal(const verify *v);

#endif
