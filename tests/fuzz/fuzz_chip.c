/* Reading chip profiles. */
#include "tests/fuzz/fuzz.h"

#include "hw/chip.h"

static void fuzz_file(const char *path)
{
    hw_chip  chip;
    rv_error error = { 0 };
    fuzz_refused(hw_chip_read(path, &chip, &error), &error);
}
