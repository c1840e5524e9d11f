/* Where on the mesh a core is put: cores that send each other many messages near each other. Messages cost much more
 * than hops, so this comes second (sanafe.md section 5). */
#ifndef RV_HW_PLACE_H
#define RV_HW_PLACE_H

#include "hw/chip.h"

/** Messages between cores, sparse and symmetric. */
typedef struct core_traffic {
    int32_t  n;       /* cores                                         */
    int64_t *begin;   /* [n + 1]                                       */
    int32_t *other;   /* the core at the other end                     */
    double  *rate;    /* messages per step, both directions together   */
} core_traffic;

/** The mesh of all chips: chips side by side in rows, as square as can be. */
typedef struct mesh {
    int32_t n_chips, chips_x;        /* chips in a row                 */
    int32_t x, y, tile_cores, cores; /* of a chip                      */
} mesh;

mesh mesh_of(const hw_chip *chip, int32_t n_chips);

/** Places of a chip, used or not. */
static inline int32_t mesh_places(const mesh *m) { return m->x * m->y * m->tile_cores; }

/** Coordinates of a place (chip * places + place) in the mesh of all chips; tile = x * height + y, as SANA-FE counts. */
void mesh_position(const mesh *m, int32_t place, int32_t *x, int32_t *y);

/** Puts the cores of every chip on places of it: along a Hilbert curve in the order of a recursive bisection by METIS, then
 *  pairs change places as long as that saves hops.
 *  @param chip_of [n] @param place result, [n] chip * places + place */
rv_status place_cores(const core_traffic *traffic, const mesh *m, const int32_t *chip_of, uint64_t seed, int32_t *place,
                      rv_error *error);

#endif
