#include "hw/chip.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hw/chip_profiles.h"
#include "sim/error.h"

enum { MOST_PROFILES = 64 };

#define LIMIT INFINITY, 0, 1e15
#define COST  NAN, 0, 1e15

const rv_field hw_quantities[HW_N_QUANTITIES] = {
    [HW_CORES] = { "cores", "1", 1, 1, 1e6, "cores of a chip that a network can use" },
    [HW_CHIPS] = { "chips", "1", 1, 1, 1e6, "chips of the largest system" },
    [HW_MESH_X] = { "mesh_x", "1", 1, 1, 1e4, "tiles of a chip from west to east" },
    [HW_MESH_Y] = { "mesh_y", "1", 1, 1, 1e4, "tiles of a chip from north to south" },
    [HW_TILE_CORES] = { "tile_cores", "1", 1, 1, 1e4, "cores that share a router" },
    [HW_INPUTS] = { "inputs", "1", LIMIT, "neurons outside the chip that it can hear" },
    [HW_SINGLE_SYNAPSES] = { "single_synapses", "1", 1, 0, 1, "1: any two neurons can be connected; 0: kernels only" },

    [HW_NEURONS] = { "neurons_per_core", "1", LIMIT, "neurons (compartments) of a core" },
    [HW_INPUT_AXONS] = { "input_axons", "1", LIMIT, "neurons a core can hear" },
    [HW_OUTPUT_AXONS] = { "output_axons", "1", LIMIT, "pairs of a neuron and a core it reaches, of one core" },
    [HW_FAN_IN] = { "fan_in", "1", LIMIT, "synapses that can end at a neuron" },
    [HW_FAN_OUT] = { "fan_out", "1", LIMIT, "cores a neuron can reach" },
    [HW_NEURON_PROFILES] = { "neuron_profiles", "1", LIMIT, "sets of decays and refractory period on a core" },
    [HW_THRESHOLD_PROFILES] = { "threshold_profiles", "1", LIMIT, "thresholds on a core" },
    [HW_SYNAPSE_FORMATS] = { "synapse_formats", "1", LIMIT, "ways of storing synapses on a core" },
    [HW_LEARNING_AXONS] = { "learning_axons", "1", 1, 1, 8, "input axons that a neuron's learning synapses take on a core" },

    [HW_TRACE_PROFILES] = { "trace_profiles", "1", LIMIT, "sets of impulses and decays of traces of sources, on a core" },
    [HW_CORE_SETTINGS] = { "core_settings", "1", LIMIT, "sets of lowest and highest potential and noise on a core" },

    [HW_MEMORY] = { "synapse_memory", "bit", LIMIT, "memory of a core for synapses" },
    [HW_MEMORY_WORD] = { "memory_word", "bit", 1, 1, 4096, "what a block of synapses is rounded up to" },
    [HW_BLOCK] = { "block_synapses", "1", LIMIT, "synapses of a block" },
    [HW_BLOCK_HEADER] = { "block_header", "bit", 0, 0, 4096, "what a block of synapses has before them" },
    [HW_INDEX_BITS] = { "index_bits", "bit", 0, 0, 64, "the target of a synapse, unless the row is dense" },
    [HW_NEURON_MEMORY] = { "neuron_memory", "bit", 0, 0, 1e9, "what a neuron takes of the memory" },
    [HW_DELAY_MEMORY] = { "delay_memory", "bit", 0, 0, 1e6, "and for each step of the longest delay" },

    [HW_DELAY_MAX] = { "delay_max", "steps", INFINITY, 1, 1e9, "longest delay; with 1 a spike arrives in the next step" },
    [HW_WEIGHT_BITS] = { "weight_bits", "bit", 32, 1, 64, "of a weight as it is stored" },
    [HW_WEIGHT_EXP_MIN] = { "weight_exp_min", "1", 0, -64, 64, "smallest exponent that weights share" },
    [HW_WEIGHT_EXP_MAX] = { "weight_exp_max", "1", 0, -64, 64, "largest" },
    [HW_DECAY_BITS] = { "decay_bits", "bit", 32, 0, 64, "of the decay of current and potential" },
    [HW_THRESHOLD_BITS] = { "threshold_bits", "bit", 32, 1, 64, "of the mantissa of a threshold" },
    [HW_BIAS_BITS] = { "bias_bits", "bit", 32, 0, 64, "of the mantissa of a bias, without its sign" },
    [HW_BIAS_EXP_MAX] = { "bias_exp_max", "1", 0, 0, 64, "largest exponent of a bias" },
    [HW_REFRACTORY_MAX] = { "refractory_max", "steps", INFINITY, 0, 1e9, "longest refractory period; 1: no dead step" },
    [HW_STATE_BITS] = { "state_bits", "bit", 64, 1, 64, "of the membrane potential" },
    [HW_PAYLOAD_BITS] = { "payload_bits", "bit", 0, 0, 64, "of a graded spike; 0: spikes are binary" },

    [HW_ENERGY_SYNAPSE] = { "energy_synapse", "pJ", COST, "synaptic event" },
    [HW_ENERGY_NEURON] = { "energy_neuron", "pJ", COST, "neuron, each step" },
    [HW_ENERGY_UPDATE] = { "energy_update", "pJ", COST, "more, if it has input, bias or a potential" },
    [HW_ENERGY_SPIKE] = { "energy_spike", "pJ", COST, "more, if it spikes" },
    [HW_ENERGY_MESSAGE] = { "energy_message", "pJ", COST, "message of a spike to a core" },
    [HW_ENERGY_HOP_X] = { "energy_hop_x", "pJ", COST, "message from a tile to its east or west" },
    [HW_ENERGY_HOP_Y] = { "energy_hop_y", "pJ", COST, "message from a tile to its north or south" },
    [HW_TIME_SYNAPSE] = { "time_synapse", "ns", COST, "synaptic event" },
    [HW_TIME_NEURON] = { "time_neuron", "ns", COST, "neuron, each step" },
    [HW_TIME_UPDATE] = { "time_update", "ns", COST, "more, if it has input, bias or a potential" },
    [HW_TIME_SPIKE] = { "time_spike", "ns", COST, "more, if it spikes" },
    [HW_TIME_MESSAGE_OUT] = { "time_message_out", "ns", COST, "message, for the core that sends it" },
    [HW_TIME_MESSAGE_IN] = { "time_message_in", "ns", COST, "message, for the core that gets it" },
    [HW_BARRIER_1] = { "barrier_1", "ns", COST, "synchronising a step on one tile" },
    [HW_BARRIER_2] = { "barrier_2", "ns", COST, "on 2 or 3 tiles" },
    [HW_BARRIER_4] = { "barrier_4", "ns", COST, "on 4 to 28 tiles" },
    [HW_BARRIER_29] = { "barrier_29", "ns", COST, "on 29 tiles and more" },
};

const hw_quantity hw_resource_limit[HW_N_RESOURCES] = {
    [HW_USE_NEURONS] = HW_NEURONS,           [HW_USE_INPUT_AXONS] = HW_INPUT_AXONS,
    [HW_USE_OUTPUT_AXONS] = HW_OUTPUT_AXONS, [HW_USE_MEMORY] = HW_MEMORY,
    [HW_USE_PROFILES] = HW_NEURON_PROFILES,  [HW_USE_THRESHOLDS] = HW_THRESHOLD_PROFILES,
    [HW_USE_FORMATS] = HW_SYNAPSE_FORMATS,   [HW_USE_TRACES] = HW_TRACE_PROFILES,
    [HW_USE_SETTINGS] = HW_CORE_SETTINGS,
};

const char *const hw_resource_name[HW_N_RESOURCES] = {
    [HW_USE_NEURONS] = "neurons",           [HW_USE_INPUT_AXONS] = "input axons",
    [HW_USE_OUTPUT_AXONS] = "output axons", [HW_USE_MEMORY] = "bits of synaptic memory",
    [HW_USE_PROFILES] = "neuron profiles",  [HW_USE_THRESHOLDS] = "thresholds",
    [HW_USE_FORMATS] = "synapse formats",   [HW_USE_TRACES] = "trace profiles",
    [HW_USE_SETTINGS] = "core-wide settings",
};

double hw_part_used(hw_resource r, int64_t use, double most)
{
    if (r == HW_USE_SETTINGS && (double)use <= most) return 0;
    return (double)use / most;
}

int64_t hw_limit(const hw_chip *chip, hw_quantity q)
{
    double value = hw_value(chip, q);
    return value < 1e15 ? (int64_t)value : INT64_MAX;
}

static void fill(const chip_profile *profile, hw_chip *chip)
{
    memset(chip, 0, sizeof *chip);
    snprintf(chip->name, sizeof chip->name, "%s", profile->name);
    snprintf(chip->title, sizeof chip->title, "%s", profile->title);
    for (int q = 0; q < HW_N_QUANTITIES; q++) chip->entry[q].value = hw_quantities[q].standard;
    for (const chip_line *line = profile->line; line->source; line++) {
        hw_entry *entry = &chip->entry[line->quantity];
        entry->value = line->value, entry->trust = line->trust;
        snprintf(entry->source, sizeof entry->source, "%s", line->source);
    }
}

bool hw_chip_at(int index, hw_chip *chip)
{
    if (index < 0 || index >= chip_n_profiles) return false;
    fill(chip_profiles[index], chip);
    return true;
}

rv_status hw_chip_find(const char *name, hw_chip *chip, rv_error *error)
{
    const char *names[MOST_PROFILES];
    for (int k = 0; k < chip_n_profiles; k++) {
        names[k] = chip_profiles[k]->name;
        if (strcmp(name, names[k]) == 0) return hw_chip_at(k, chip), RV_OK;
    }
    return error_unknown(error, NULL, "chip", name, names, chip_n_profiles);
}

rv_status hw_chip_open(const char *name_or_path, hw_chip *chip, rv_error *error)
{
    return strpbrk(name_or_path, "/.") ? hw_chip_read(name_or_path, chip, error) : hw_chip_find(name_or_path, chip, error);
}
