/* Reading TENNLab's networks, and making networks of them. */
#include "tests/fuzz/fuzz.h"

#include "hw/tennlab.h"

static void fuzz_file(const char *path)
{
    tennlab_net t;
    rv_net     *net;
    rv_error    error = { 0 };
    rv_status   status = tennlab_read(path, &t, &error);
    fuzz_refused(status, &error);
    if (status != RV_OK) return;
    status = tennlab_build(&t, &(rv_net_def){ .threads = 1 }, &net, &error);
    fuzz_refused(status, &error);
    if (status == RV_OK) rv_net_free(net);
    tennlab_free(&t);
}
