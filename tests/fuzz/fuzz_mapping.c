/* Reading Ranvier's mapping files. */
#include "tests/fuzz/fuzz.h"

#include "hw/mapping_file.h"

static void fuzz_file(const char *path)
{
    hw_mapping m;
    rv_error   error = { 0 };
    rv_status  status = hw_mapping_read(path, &m, &error);
    fuzz_refused(status, &error);
    if (status == RV_OK) hw_mapping_free(&m);
}
