/* The built-in profiles as lines of a table. */
#ifndef RV_HW_CHIP_PROFILES_H
#define RV_HW_CHIP_PROFILES_H

#include "hw/chip.h"

typedef struct chip_line {
    hw_quantity quantity;
    double      value; /* in the unit of the quantity */
    const char *source;
    hw_trust    trust;
} chip_line;

typedef struct chip_profile {
    const char      *name, *title;
    const chip_line *line; /* ends with a line without source */
} chip_profile;

extern const chip_profile *const chip_profiles[];
extern const int                 chip_n_profiles;

#endif
