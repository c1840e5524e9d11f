/* Reading lava-dl's network files. */
#include "tests/fuzz/fuzz.h"

#include "hw/netx.h"

static void fuzz_file(const char *path)
{
    netx      n;
    rv_error  error = { 0 };
    rv_status status = netx_read(path, &(rv_net_def){ .threads = 1 }, &(netx_options){ 0 }, &n, &error);
    fuzz_refused(status, &error);
    if (status == RV_OK) netx_free(&n);
}
