/* Reading NIRData. */
#include "tests/fuzz/fuzz.h"

#include "io/nir_data.h"

static void fuzz_file(const char *path)
{
    nir_data  data;
    rv_error  error = { 0 };
    rv_status status = nir_data_read(path, &data, &error);
    fuzz_refused(status, &error);
    if (status == RV_OK) nir_data_free(&data);
}
