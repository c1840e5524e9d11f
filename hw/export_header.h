/* A mapped network as a C header, for people who write firmware: constant arrays, core by core, in plain C11 with nothing but <stdint.h>.
 *
 *   hw_header_write("net.h", net, map, &error);
 *
 * The header says in its own comments what the arrays mean and how a step is computed; tests/hw/export_loop.c is a program of a hundred lines
 * that does it. Populations must be of loihi_lif and generators. */
#ifndef RV_HW_EXPORT_HEADER_H
#define RV_HW_EXPORT_HEADER_H

#include "hw/map.h"

rv_status hw_header_write(const char *path, rv_net *net, const hw_map *map, rv_error *error);

/** Makes a network of the arrays of a header that was written here, to prove that it says what it should: populations by their names, inputs
 *  as spike_generators. @param def its resolution is 1 ms if 0 @return RV_OK, or RV_FILE_ERROR with a sentence that begins with the path */
rv_status hw_header_read(const char *path, const rv_net_def *def, rv_net **net, rv_error *error);

#endif
