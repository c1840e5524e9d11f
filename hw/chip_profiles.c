/* The chips, number by number. Sources, in short:
 *   NL     nengo-loihi 1.1.0 (github.com/nengo/nengo-loihi)
 *   Lava   lava-nc/lava 0.10.0
 *   D18    Davies et al. 2018, doi:10.1109/MM.2018.112130359
 *   SANA   SANA-FE 2.2.1, arch/loihi.yaml, fitted to the chip (Boyle et al. 2025, doi:10.1109/TCAD.2025.3537971)
 * UNSURE marks what is inferred or second-hand; whoever knows better gives a file of his own (hw/chip.h). */
#include "hw/chip_profiles.h"

#define STATED HW_STATED
#define UNSURE HW_UNSURE
#define END    { 0, 0, NULL, HW_NOT_STATED }

static const chip_profile loihi1 = { "loihi1", "Intel Loihi (2018), 128 cores", (const chip_line[]){
    { HW_CORES, 128, "NL hardware/allocators.py; D18", STATED },
    { HW_CHIPS, 32, "Lava magma/core/resources.py: one Nahuku board", STATED },
    { HW_MESH_X, 8, "SANA: 32 tiles, tile / 4 is x", STATED },
    { HW_MESH_Y, 4, "SANA: tile % 4 is y", STATED },
    { HW_TILE_CORES, 4, "SANA", STATED },
    { HW_NEURONS, 1024, "NL block.py", STATED },
    { HW_INPUT_AXONS, 4096, "NL block.py", STATED },
    { HW_OUTPUT_AXONS, 4096, "NL block.py: slots; 32-bit population axons, which are not used here, take 2", STATED },
    { HW_NEURON_PROFILES, 31, "NL hardware/validate.py: 32, of which index 0 is not used", STATED },
    { HW_THRESHOLD_PROFILES, 7, "NL hardware/nxsdk_objects.py: 8, of which index 0 is not used; another check allows 16", UNSURE },
    { HW_SYNAPSE_FORMATS, 7, "NL hardware/nxsdk_objects.py: 8, of which index 0 is not used; another check allows 16", UNSURE },
    { HW_LEARNING_AXONS, 2, "NL block.py, idxs_per_synapse", STATED },
    { HW_TRACE_PROFILES, 3, "NL hardware/validate.py: of traces of sources", STATED },
    { HW_CORE_SETTINGS, 1, "NL hardware/builder.py: vmin, vmax and noise are registers of the core", STATED },
    { HW_MEMORY, 16384 * 64, "NL block.py: 16384 words", STATED },
    { HW_MEMORY_WORD, 64, "NL block.py, bits_per_axon", STATED },
    { HW_BLOCK, 64, "NL block.py, bits_per_axon: the field says 63", STATED },
    { HW_BLOCK_HEADER, 10, "NL block.py, bits_per_axon: 4 for the format, 6 for the count", STATED },
    { HW_INDEX_BITS, 10, "NL block.py: the field that reaches 1024 compartments", STATED },
    { HW_DELAY_MAX, 63, "Brian2Loihi loihi_synapses.py: 0 to 62, besides the step every spike takes", STATED },
    { HW_WEIGHT_BITS, 8, "NL block.py; of mixed sign: -256 to 254, even", STATED },
    { HW_WEIGHT_EXP_MIN, -8, "Brian2Loihi, Lava; NL -7", STATED },
    { HW_WEIGHT_EXP_MAX, 7, "NL builder/validate.py", STATED },
    { HW_DECAY_BITS, 12, "NL hardware/nxsdk_objects.py", STATED },
    { HW_THRESHOLD_BITS, 17, "NL builder/discretize.py; the exponent is 6", STATED },
    { HW_BIAS_BITS, 12, "NL builder/discretize.py: +-4095", STATED },
    { HW_BIAS_EXP_MAX, 7, "NL builder/discretize.py", STATED },
    { HW_REFRACTORY_MAX, 63, "NL hardware/nxsdk_objects.py; Brian2Loihi 64", STATED },
    { HW_STATE_BITS, 24, "NL builder/discretize.py: 23 bits and a sign", STATED },
    { HW_ENERGY_SYNAPSE, 35.5, "SANA loihi_dense_synapse (sparse 33.6, conv 24.0); D18 table 2: 23.6 at the least", STATED },
    { HW_ENERGY_NEURON, 51.2, "SANA loihi_lif access; D18 table 2: 52 for an inactive neuron", STATED },
    { HW_ENERGY_UPDATE, 21.6, "SANA loihi_lif update; D18 table 2: 81 in all for an active one", STATED },
    { HW_ENERGY_SPIKE, 69.3, "SANA loihi_lif spike", STATED },
    { HW_ENERGY_MESSAGE, 111, "SANA output axon; the input axon costs nothing", STATED },
    { HW_ENERGY_HOP_X, 3.0, "SANA; D18 table 2", STATED },
    { HW_ENERGY_HOP_Y, 4.2, "SANA; D18 table 2: 4.0", STATED },
    { HW_TIME_SYNAPSE, 3.8, "SANA loihi_dense_synapse; D18 table 2: 3.5 at the least", STATED },
    { HW_TIME_NEURON, 6.0, "SANA loihi_lif access; D18 table 2: 5.3", STATED },
    { HW_TIME_UPDATE, 3.7, "SANA loihi_lif update", STATED },
    { HW_TIME_SPIKE, 30, "SANA loihi_lif spike", STATED },
    { HW_TIME_MESSAGE_OUT, 5.1, "SANA output axon", STATED },
    { HW_TIME_MESSAGE_IN, 16, "SANA input axon", STATED },
    { HW_BARRIER_1, 600, "SANA; D18: 113 to 465 for 1 to 32 tiles", STATED },
    { HW_BARRIER_2, 1000, "SANA", STATED },
    { HW_BARRIER_4, 1400, "SANA", STATED },
    { HW_BARRIER_29, 1800, "SANA", STATED },
    END } };

static const chip_profile loihi2 = { "loihi2", "Intel Loihi 2 (2021), 120 usable cores; register limits are not public", (const chip_line[]){
    { HW_CORES, 120, "Lava magma/compiler/subcompilers/constants.py", STATED },
    { HW_CHIPS, 8, "Kapoho Point as announced by Intel; the text of Lava's class says 4", UNSURE },
    { HW_MESH_X, 8, "taken from Loihi: 32 tiles", UNSURE },
    { HW_MESH_Y, 4, "taken from Loihi: 32 tiles", UNSURE },
    { HW_TILE_CORES, 4, "taken from Loihi", UNSURE },
    { HW_NEURONS, 4096, "percentages in the notebooks of lava-dl netx; up to 8192 with simple models (Loihi 2 technology brief)", UNSURE },
    { HW_INPUT_AXONS, 16000, "percentages in the notebooks of lava-dl netx: AxonIn", UNSURE },
    { HW_OUTPUT_AXONS, 16000, "percentages in the notebooks of lava-dl netx: AxonMap", UNSURE },
    { HW_NEURON_PROFILES, 8, "percentages in the notebooks of lava-dl netx: NeuronGroups", UNSURE },
    { HW_MEMORY, 12000 * 64, "percentages in the notebooks of lava-dl netx: SynMem, words of 64 bit", UNSURE },
    { HW_MEMORY_WORD, 64, "the same notebooks", UNSURE },
    { HW_BLOCK_HEADER, 10, "fits 784 to 50 neurons in 12 words an axon, 64 to 10 in 3 (the same notebooks)", UNSURE },
    { HW_INDEX_BITS, 7, "the same: 15 bits a synapse with a weight of 8", UNSURE },
    { HW_DELAY_MAX, 63, "lava-dl netx: clamped to 62 besides the step every spike takes", STATED },
    { HW_WEIGHT_BITS, 8, "Lava utils/weightutils.py; of mixed sign: -256 to 254, even", STATED },
    { HW_WEIGHT_EXP_MIN, -8, "Lava proc/dense/process.py", STATED },
    { HW_WEIGHT_EXP_MAX, 7, "Lava proc/dense/process.py", STATED },
    { HW_DECAY_BITS, 12, "Lava proc/lif/process.py", STATED },
    { HW_THRESHOLD_BITS, 17, "Lava proc/lif/process.py", STATED },
    { HW_BIAS_BITS, 12, "Lava proc/lif/process.py: 13 with the sign", STATED },
    { HW_BIAS_EXP_MAX, 7, "taken from Loihi", UNSURE },
    { HW_STATE_BITS, 24, "Lava proc/lif/models.py", STATED },
    { HW_PAYLOAD_BITS, 32, "Intel Loihi 2 technology brief: graded spikes", STATED },
    END } };

static const chip_profile spinnaker2 = { "spinnaker2", "SpiNNaker 2 (2021), 152 ARM cores; limits are those of its programs", (const chip_line[]){
    { HW_CORES, 152, "chip data sheet", UNSURE },
    { HW_CHIPS, 48, "one board of the Dresden machine", UNSURE },
    { HW_MESH_X, 8, "38 groups of four cores in a grid", UNSURE },
    { HW_MESH_Y, 5, "38 groups of four cores in a grid", UNSURE },
    { HW_TILE_CORES, 4, "four processing elements share a router (Mayr et al. 2019, arXiv:1911.02385)", STATED },
    { HW_NEURONS, 250, "py-spinnaker2, LIF application", UNSURE },
    { HW_FAN_OUT, 152, "16384 entries of the routing table are shared by all", UNSURE },
    { HW_MEMORY, 96 * 1024 * 8, "128 KiB of SRAM (chip data sheet), of which a quarter is assumed for the program", UNSURE },
    { HW_MEMORY_WORD, 32, "assumed: words of the processor", UNSURE },
    { HW_BLOCK_HEADER, 64, "assumed: key and address of a row", UNSURE },
    { HW_INDEX_BITS, 24, "assumed: a word for a synapse, with a weight of 8 bits", UNSURE },
    { HW_NEURON_MEMORY, 512, "assumed: 16 words for state and parameters", UNSURE },
    { HW_DELAY_MEMORY, 32, "assumed: two sums of 16 bits", UNSURE },
    { HW_DELAY_MAX, 16, "taken from SpiNNaker 1", UNSURE },
    { HW_WEIGHT_BITS, 8, "py-spinnaker2, LIF application", UNSURE },
    END } };

static const chip_profile truenorth = { "truenorth", "IBM TrueNorth (2014), 4096 cores", (const chip_line[]){
    { HW_CORES, 4096, "Merolla et al. 2014, doi:10.1126/science.1254642", STATED },
    { HW_CHIPS, 16, "NS16e board (Sawada et al. 2016, doi:10.1109/SC.2016.11)", UNSURE },
    { HW_MESH_X, 64, "Merolla et al. 2014", STATED },
    { HW_MESH_Y, 64, "Merolla et al. 2014", STATED },
    { HW_NEURONS, 256, "Merolla et al. 2014", STATED },
    { HW_INPUT_AXONS, 256, "Merolla et al. 2014", STATED },
    { HW_FAN_OUT, 1, "SANA arch/truenorth.yaml: a neuron has one destination axon", STATED },
    { HW_MEMORY, 65536, "Merolla et al. 2014: a crossbar of 256 axons and 256 neurons", STATED },
    { HW_DELAY_MAX, 15, "Akopyan et al. 2015, doi:10.1109/TCAD.2015.2474396: 1 to 15", UNSURE },
    { HW_WEIGHT_BITS, 9, "Akopyan et al. 2015: each neuron has four weights, chosen by the type of the axon", STATED },
    { HW_ENERGY_SYNAPSE, 26, "Merolla et al. 2014: energy of everything, per synaptic event", UNSURE },
    END } };

static const chip_profile xylo = { "xylo", "SynSense Xylo Audio, one core", (const chip_line[]){
    { HW_INPUTS, 16, "rockpool devices/xylo", STATED },
    { HW_NEURONS, 1008, "rockpool devices/xylo: 1000 hidden and 8 outputs", STATED },
    { HW_WEIGHT_BITS, 8, "rockpool devices/xylo", STATED },
    { HW_DECAY_BITS, 4, "rockpool devices/xylo: a bit shift, log2(tau / dt)", STATED },
    { HW_THRESHOLD_BITS, 16, "rockpool devices/xylo", STATED },
    { HW_STATE_BITS, 16, "rockpool devices/xylo", UNSURE },
    END } };

static const chip_profile speck = { "speck", "SynSense Speck (DYNAP-CNN), 9 cores of one convolution each", (const chip_line[]){
    { HW_CORES, 9, "sinabs docs/speck/overview.md", STATED },
    { HW_SINGLE_SYNAPSES, 0, "sinabs docs/speck/overview.md: convolution, integrate and fire, sum pooling", STATED },
    { HW_NEURONS, 65536, "sinabs docs/speck/overview.md: of the three largest cores; the others 32768 and 16384", STATED },
    { HW_FAN_OUT, 2, "sinabs docs/speck/overview.md: layers that a layer feeds", STATED },
    { HW_MEMORY, 64 * 1024 * 8, "sinabs docs/speck/overview.md: 64 Ki weights on the two largest cores; the others 32 and 16", STATED },
    { HW_WEIGHT_BITS, 8, "sinabs docs/speck/overview.md", STATED },
    { HW_STATE_BITS, 16, "sinabs docs/speck/overview.md", STATED },
    END } };

static const chip_profile brainscales2 = { "brainscales2", "BrainScaleS-2 (HICANN-X), analog, 1000 times faster than life", (const chip_line[]){
    { HW_NEURONS, 512, "Pehle et al. 2022, doi:10.3389/fnins.2022.795876", STATED },
    { HW_FAN_IN, 256, "Pehle et al. 2022: synapse rows of a neuron, unless neurons are joined", STATED },
    { HW_WEIGHT_BITS, 6, "Pehle et al. 2022; the sign belongs to the row", STATED },
    { HW_DELAY_MAX, 1, "no delays in the synapse array", UNSURE },
    END } };

static const chip_profile fpga = { "fpga", "a design of one's own on a large FPGA: 64 cores, start for a file", (const chip_line[]){
    { HW_CORES, 64, "a choice", UNSURE },
    { HW_MESH_X, 8, "a choice", UNSURE },
    { HW_MESH_Y, 8, "a choice", UNSURE },
    { HW_NEURONS, 1024, "a choice", UNSURE },
    { HW_INPUT_AXONS, 8192, "a choice", UNSURE },
    { HW_OUTPUT_AXONS, 8192, "a choice", UNSURE },
    { HW_MEMORY, 8 * 4096 * 72, "a choice: 8 UltraRAM blocks of 4096 words of 72 bit (Xilinx UG573)", UNSURE },
    { HW_MEMORY_WORD, 72, "a choice: the word of UltraRAM", UNSURE },
    { HW_BLOCK_HEADER, 16, "a choice", UNSURE },
    { HW_INDEX_BITS, 10, "a choice: reaches 1024 neurons", UNSURE },
    { HW_DELAY_MAX, 16, "a choice", UNSURE },
    { HW_WEIGHT_BITS, 8, "a choice", UNSURE },
    { HW_DECAY_BITS, 12, "a choice", UNSURE },
    { HW_THRESHOLD_BITS, 16, "a choice", UNSURE },
    { HW_BIAS_BITS, 12, "a choice", UNSURE },
    { HW_STATE_BITS, 24, "a choice", UNSURE },
    END } };

const chip_profile *const chip_profiles[] = { &loihi1,    &loihi2, &spinnaker2,   &truenorth,
                                              &xylo,      &speck,  &brainscales2, &fpga };
const int                 chip_n_profiles = sizeof chip_profiles / sizeof *chip_profiles;
