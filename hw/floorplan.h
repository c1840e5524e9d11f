/* A picture of the chips: tiles and cores where they are, coloured by how full they are, as SVG. Written by hand and not on a
 * canvas, because hw/ does not include viz/ and rectangles need none; a core tells its load when it is pointed at. */
#ifndef RV_HW_FLOORPLAN_H
#define RV_HW_FLOORPLAN_H

#include "hw/map.h"

/** Writes the file. */
rv_status hw_floorplan_write(const hw_map *map, const char *path, rv_error *error);

#endif
