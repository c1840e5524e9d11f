/* ranvier chips [NAME]: the chips a network can be mapped to, read from their profiles. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "hw/chip.h"
#include "io/script_command.h"

static void print_number(double value, const char *unit)
{
    char text[32];
    if (isnan(value)) snprintf(text, sizeof text, "unknown");
    else if (isinf(value)) snprintf(text, sizeof text, "no limit");
    else snprintf(text, sizeof text, "%.10g", value);
    printf("%12s %-5s", text, strcmp(unit, "1") == 0 || !isfinite(value) ? "" : unit);
}

static void list_all(void)
{
    hw_chip chip;
    printf("%-14s %6s %13s   %s\n", "chip", "cores", "neurons/core", "");
    for (int i = 0; hw_chip_at(i, &chip); i++)
        printf("  %-12s %6g %13g   %s\n", chip.name, hw_value(&chip, HW_CORES), hw_value(&chip, HW_NEURONS), chip.title);
    puts("\nranvier chips NAME prints every number with its source; NAME may be a file of your own:\n"
         "  like = loihi2                     # what is not in the file is as there\n"
         "  neurons_per_core = 2048           # where the number is from");
}

static void print_entry(const rv_field *field, const hw_entry *entry)
{
    printf("  %-18s", field->name);
    print_number(entry->value, field->unit);
    printf(" %c %s\n", entry->trust == HW_UNSURE ? '?' : ' ', field->meaning);
    if (*entry->source) printf("  %38s [%s]\n", "", entry->source);
}

static void print_chip(const hw_chip *chip)
{
    int n_unstated = 0;
    printf("%s: %s\n\n  %-18s%12s %-5s   %s\n", chip->name, chip->title, "quantity", "value", "unit", "meaning [source]");
    for (int q = 0; q < HW_N_QUANTITIES; q++)
        if (chip->entry[q].trust == HW_NOT_STATED) n_unstated++;
        else print_entry(&hw_quantities[q], &chip->entry[q]);
    puts("\n  ? inferred or second-hand");
    if (n_unstated) printf("\nNot stated, so taken as\n");
    for (int q = 0; q < HW_N_QUANTITIES; q++)
        if (chip->entry[q].trust == HW_NOT_STATED) print_entry(&hw_quantities[q], &chip->entry[q]);
}

int command_chips(const command *c)
{
    const command_usage usage = {
        "chips", "[NAME]", "Lists the chips a network can be mapped to, or prints the numbers of one, built in or from a file.",
        NULL,    0,        0,
        1
    };
    const char *name[1];
    int         n, status = command_read(c, &usage, name, &n);
    hw_chip     chip;
    rv_error    error = { 0 };
    if (status >= 0) return status;
    if (n == 0) return list_all(), 0;
    if (hw_chip_open(name[0], &chip, &error) != RV_OK) return command_fail(1, "%s", error.text);
    print_chip(&chip);
    return 0;
}
