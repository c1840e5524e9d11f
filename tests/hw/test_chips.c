/* Chip profiles: what is built in, what a file may say and how it is refused; synaptic memory as nengo-loihi 1.1.0 counts it. */
#include "tests/support/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/graph.h"

#define FOLDER "tests/reference/hw/mapping/"

/* ---- built in --------------------------------------------------------------------------------------------------- */

static void test_every_number_has_a_source(void **state)
{
    (void)state;
    hw_chip chip;
    int     n = 0;
    for (; hw_chip_at(n, &chip); n++)
        for (int q = 0; q < HW_N_QUANTITIES; q++) {
            const hw_entry *entry = &chip.entry[q];
            const rv_field *field = &hw_quantities[q];
            assert_non_null(field->name);
            if (entry->trust == HW_NOT_STATED) {
                assert_true(entry->value == field->standard || isnan(field->standard));
                continue;
            }
            if (!*entry->source) fail_msg("%s: %s has no source", chip.name, field->name);
            if (!(entry->value >= field->low && entry->value <= field->high)) fail_msg("%s: %s = %g", chip.name, field->name, entry->value);
        }
    assert_true(n >= 8);
}

static void test_loihi(void **state)
{
    (void)state;
    hw_chip chip;
    assert_int_equal(hw_chip_find("loihi1", &chip, NULL), RV_OK);
    assert_int_equal(hw_limit(&chip, HW_NEURONS), 1024);
    assert_int_equal(hw_limit(&chip, HW_MEMORY), 128 * 1024 * 8);
    assert_int_equal(hw_limit(&chip, HW_FAN_IN), INT64_MAX);
    rv_error error = { 0 };
    assert_int_equal(hw_chip_find("loihi3", &chip, &error), RV_UNKNOWN_NAME);
    assert_string_equal(error.text, "no chip \"loihi3\"; did you mean \"loihi1\"?");
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static const char *const file_path = "build_chip_test.chip";

static rv_status read_text(const char *text, hw_chip *chip, rv_error *error)
{
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    rv_status status = hw_chip_open(file_path, chip, error);
    remove(file_path);
    return status;
}

static void test_a_file(void **state)
{
    (void)state;
    hw_chip  chip;
    rv_error error = { 0 };
    if (read_text("# our board\nlike = loihi1\ntitle = Board C\n\nneurons_per_core = 2048   # data sheet, page 7\n"
                  "energy_synapse=11.5 pJ\r\n",
                  &chip, &error) != RV_OK)
        fail_msg("%s", error.text);
    assert_string_equal(chip.name, "build_chip_test");
    assert_string_equal(chip.title, "Board C");
    assert_int_equal(hw_limit(&chip, HW_NEURONS), 2048);
    assert_string_equal(chip.entry[HW_NEURONS].source, "data sheet, page 7");
    ENSURE_NEAR(hw_value(&chip, HW_ENERGY_SYNAPSE), 11.5, 0, "pJ");
    assert_string_equal(chip.entry[HW_ENERGY_SYNAPSE].source, "build_chip_test.chip:6");
    assert_int_equal(hw_limit(&chip, HW_INPUT_AXONS), 4096); /* as loihi1 */
}

static void test_file_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } refusals[] = {
        { "neurons_per_cor = 3\n", ":1: no quantity \"neurons_per_cor\" of a chip; did you mean \"neurons_per_core\"?" },
        { "cores = many\n", ":1: cores = \"many\" is not a number" },
        { "\nenergy_synapse = 3 nJ\n", ":2: energy_synapse is in pJ, not in \"nJ\"" },
        { "cores = 4 pJ\n", ":1: cores is a count and has no unit, not \"pJ\"" },
        { "cores = 0\n", ":1: cores = 0, allowed 1 to 1000000" },
        { "cores = 1.5\n", ":1: cores = 1.5, must be a whole number" },
        { "neurons_per_core = nan\n", ":1: neurons_per_core = nan, allowed" },
        { "mesh_x = 4\nmesh_x = 5\n", ":2: mesh_x was already given in line 1" },
        { "mesh_x = 4\nlike = loihi2\n", ":2: \"like\" must be the first line" },
        { "like = loihy2\n", ":1: no chip \"loihy2\"; did you mean \"loihi2\"?" },
        { "cores\n", ":1: expected: name = value unit  # source" },
        { "cores = 9\n", "cores = 9, but mesh_x * mesh_y * tile_cores have 1 places" },
    };
    hw_chip chip;
    for (size_t k = 0; k < sizeof refusals / sizeof *refusals; k++) {
        rv_error error = { 0 };
        if (read_text(refusals[k].text, &chip, &error) == RV_OK) fail_msg("not refused: %s", refusals[k].text);
        if (!strstr(error.text, refusals[k].sentence)) fail_msg("%sgives: %s\nexpected: %s", refusals[k].text, error.text, refusals[k].sentence);
    }
    rv_error error = { 0 };
    assert_int_equal(hw_chip_open("no/such.chip", &chip, &error), RV_FILE_ERROR);
    assert_string_equal(error.text, "chip file \"no/such.chip\" cannot be read");
}

/* ---- synaptic memory -------------------------------------------------------------------------------------------- */

/* Codes of Loihi's fields, loihi.md section 1.3. */
static const int weight_bits[] = { 0, 1, 2, 3, 4, 5, 6, 8 }, index_bits[] = { 0, 6, 7, 8, 9, 10, 11, 12 };

static void test_synapse_bits(void **state)
{
    (void)state;
    hw_chip chip;
    assert_int_equal(hw_chip_find("loihi1", &chip, NULL), RV_OK);
    reference_list t = reference_table(FOLDER "synapse_bits.csv", 8);
    for (int64_t k = 0; k < t.n; k += 8) {
        const double *row = t.x + k;
        hw_format     format = { .weight_bits = weight_bits[(int)row[3]] + (int)row[5], .delay_bits = (int)row[4], .dense = row[1] == 3 };
        chip.entry[HW_INDEX_BITS].value = index_bits[(int)row[2]], chip.entry[HW_BLOCK].value = row[6] + 1;
        hw_encoding encoding = hw_encoding_of(&chip, &format);
        ENSURE_NEAR_IN((double)hw_synapse_bits(&encoding, (int64_t)row[0]), row[7], 0, "bit", "row %d, %g synapses", (int)(k / 8), row[0]);
    }
    print_message("%d encodings\n", (int)(t.n / 8));
    reference_list_free(&t);
}

/* Every connection of the block graphs is a dense row of 8-bit weights for each of its axons. */
static void test_block_memory(void **state)
{
    (void)state;
    hw_chip chip;
    assert_int_equal(hw_chip_find("loihi1", &chip, NULL), RV_OK);
    hw_format   format = { .weight_bits = 8, .dense = true };
    hw_encoding encoding = hw_encoding_of(&chip, &format);
    for (int graph = 0; graph < 4; graph++) {
        FILE *file = fopen(reference_text(FOLDER "alloc_util_%d.csv", graph), "r");
        char  line[512];
        int   block, compartments, in_axons, out_axons, bits, n = 0;
        assert_non_null(file);
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "%d,%d,%d,%d,%d", &block, &compartments, &in_axons, &out_axons, &bits) == 5) {
                assert_int_equal(in_axons * hw_synapse_bits(&encoding, compartments), bits);
                n++;
            }
        fclose(file);
        assert_true(n > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_number_has_a_source), cmocka_unit_test(test_loihi),        cmocka_unit_test(test_a_file),
        cmocka_unit_test(test_file_refusals),             cmocka_unit_test(test_synapse_bits), cmocka_unit_test(test_block_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
