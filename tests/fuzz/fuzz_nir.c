/* Reading NIR graphs, checking them, and making networks of them. */
#include "tests/fuzz/fuzz.h"

#include "io/nir_build.h"

static void fuzz_file(const char *path)
{
    nir_graph graph;
    nir_net   n;
    rv_error  error = { 0 };
    rv_status status = nir_read(path, NULL, &graph, &error);
    fuzz_refused(status, &error);
    if (status != RV_OK) return;
    status = nir_build(&graph, &(rv_net_def){ .threads = 1 }, NULL, &n, &error);
    fuzz_refused(status, &error);
    nir_free(&graph);
    if (status == RV_OK) nir_net_free(&n);
}
