/* Networks written as files for chips' tools, and proved: what was written is read back and run, and must give the spikes that the
 * network gave. For net:export() and ranvier export. */
#ifndef RV_IO_SCRIPT_EXPORT_H
#define RV_IO_SCRIPT_EXPORT_H

#include "hw/export_verify.h"

typedef struct export_format {
    const char *name, *ending, *meaning;
    bool        mapped;     /* neurons are on cores                              */
    bool        given;      /* of the network as it is given, not of a chip's integers */
    const char *chip;       /* to which they are mapped if nothing else is said  */
} export_format;

/** All formats; NULL behind the last. */
const export_format *export_format_at(int index);

/** The format of a name, with a suggestion if there is none. */
rv_status export_format_find(const char *name, const export_format **format, rv_error *error);

enum { EXPORT_NOTE = VERIFY_NOTE };

/** Writes a network, of a chip's integers unless format->given.
 *  @param chip where to, if the format is mapped
 *  @param steps the network's spikes were recorded from its beginning for so many steps, and the file is verified against them; 0: it is
 *         not verified
 *  @param shapes [n_shapes] of populations, for convolutions in netx files; may be NULL
 *  @param note result: what was written and how it was verified, a sentence
 *  @return RV_OK, or a status with a sentence; if the spikes differ, which is the first. The file is there then, for inspection */
rv_status export_write(const export_format *format, rv_net *net, const char *chip, const char *path, int64_t steps, const netx_shape *shapes, int n_shapes,
                       char note[EXPORT_NOTE], rv_error *error);

#endif
