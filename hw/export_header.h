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

#endif
