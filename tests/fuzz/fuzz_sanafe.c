/* Reading SANA-FE's networks. */
#include "tests/fuzz/fuzz.h"

#include "hw/sanafe.h"

static void fuzz_file(const char *path)
{
    sanafe_net s;
    rv_error   error = { 0 };
    rv_status  status = sanafe_read(path, &s, &error);
    fuzz_refused(status, &error);
    if (status == RV_OK) sanafe_free(&s);
}
