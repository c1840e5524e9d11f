/* A chip is a list of numbers: what fits on a core, what a message costs, how many bits a weight has. Each number has a
 * name, a unit, and where it is from; whoever maps, quantises or estimates reads them here and nowhere else.
 *
 *   hw_chip chip;
 *   hw_chip_find("loihi2", &chip, &error);               a built-in profile (hw/chip_profiles.c) ...
 *   hw_chip_read("board.chip", &chip, &error);           ... or a file of one's own (hw/chip_file.c)
 *   if (spikes > hw_value(&chip, HW_OUTPUT_AXONS)) ...
 *
 * What a profile does not state has the standard of the list below: limits are infinite, overheads 0, costs unknown (NAN). */
#ifndef RV_HW_CHIP_H
#define RV_HW_CHIP_H

#include "sim/ranvier.h"

typedef enum hw_quantity {
    /* the system */
    HW_CORES, HW_CHIPS, HW_MESH_X, HW_MESH_Y, HW_TILE_CORES, HW_INPUTS, HW_SINGLE_SYNAPSES,
    /* what fits on a core */
    HW_NEURONS, HW_INPUT_AXONS, HW_OUTPUT_AXONS, HW_FAN_IN, HW_FAN_OUT, HW_NEURON_PROFILES, HW_THRESHOLD_PROFILES,
    HW_SYNAPSE_FORMATS, HW_LEARNING_AXONS, HW_TRACE_PROFILES, HW_CORE_SETTINGS,
    /* its synaptic memory */
    HW_MEMORY, HW_MEMORY_WORD, HW_BLOCK, HW_BLOCK_HEADER, HW_INDEX_BITS, HW_NEURON_MEMORY, HW_DELAY_MEMORY,
    /* ranges */
    HW_DELAY_MAX, HW_WEIGHT_BITS, HW_WEIGHT_EXP_MIN, HW_WEIGHT_EXP_MAX, HW_DECAY_BITS, HW_THRESHOLD_BITS, HW_BIAS_BITS,
    HW_BIAS_EXP_MAX, HW_REFRACTORY_MAX, HW_STATE_BITS, HW_PAYLOAD_BITS,
    /* what it costs */
    HW_ENERGY_SYNAPSE, HW_ENERGY_NEURON, HW_ENERGY_UPDATE, HW_ENERGY_SPIKE, HW_ENERGY_MESSAGE, HW_ENERGY_HOP_X,
    HW_ENERGY_HOP_Y, HW_TIME_SYNAPSE, HW_TIME_NEURON, HW_TIME_UPDATE, HW_TIME_SPIKE, HW_TIME_MESSAGE_OUT,
    HW_TIME_MESSAGE_IN, HW_BARRIER_1, HW_BARRIER_2, HW_BARRIER_4, HW_BARRIER_29,
    HW_N_QUANTITIES
} hw_quantity;

/** Name, unit, standard, allowed range and meaning of every quantity, in the order of the enum. */
extern const rv_field hw_quantities[HW_N_QUANTITIES];

/** How far a number can be trusted. */
typedef enum hw_trust {
    HW_NOT_STATED, /* the standard                                              */
    HW_STATED,     /* the source says it                                        */
    HW_UNSURE,     /* inferred from what the source says, or quoted second-hand */
} hw_trust;

enum { HW_NAME_TEXT = 64, HW_SOURCE_TEXT = 160 };

typedef struct hw_entry {
    double   value;
    hw_trust trust;
    char     source[HW_SOURCE_TEXT]; /* paper, program or file; "" if not stated */
} hw_entry;

/** A profile; a plain value, copied freely. */
typedef struct hw_chip {
    char     name[HW_NAME_TEXT], title[HW_SOURCE_TEXT];
    hw_entry entry[HW_N_QUANTITIES];
} hw_chip;

static inline double hw_value(const hw_chip *chip, hw_quantity q) { return chip->entry[q].value; }

/** A limit as a whole number; INT64_MAX if there is none. */
int64_t hw_limit(const hw_chip *chip, hw_quantity q);

/** What a core has a limited number of. */
typedef enum hw_resource {
    HW_USE_NEURONS, HW_USE_INPUT_AXONS, HW_USE_OUTPUT_AXONS, HW_USE_MEMORY, HW_USE_PROFILES, HW_USE_THRESHOLDS,
    HW_USE_FORMATS, HW_USE_TRACES, HW_USE_SETTINGS,
    HW_N_RESOURCES
} hw_resource;

/** The quantity that limits each resource, and what people call it ("input axons"). */
extern const hw_quantity hw_resource_limit[HW_N_RESOURCES];
extern const char *const hw_resource_name[HW_N_RESOURCES];

/** What part of a limit is used. Settings of a core can only be the right number or too many: 0, or above 1. */
double hw_part_used(hw_resource resource, int64_t use, double most);

/** The built-in profiles in order. @return false behind the last */
bool hw_chip_at(int index, hw_chip *chip);

/** A built-in profile by its name. */
rv_status hw_chip_find(const char *name, hw_chip *chip, rv_error *error);

/** A profile from a text file, one quantity a line; what is not in it comes from the profile it is like:
 *
 *     like  = loihi2                        # first, if at all; a built-in profile
 *     title = Our board, revision C
 *     neurons_per_core = 2048               # data sheet, page 7
 *     energy_synapse   = 11.5 pJ            # measured, 2024-05-02
 *
 *  The unit must be that of hw_quantities or be left out; the comment behind a number is its source. Sentences begin with
 *  FILE:LINE. The name of the profile is that of the file without folder and ending. */
rv_status hw_chip_read(const char *path, hw_chip *chip, rv_error *error);

/** A name or a path: what has a "/" or a "." in it is a file. */
rv_status hw_chip_open(const char *name_or_path, hw_chip *chip, rv_error *error);

#endif
