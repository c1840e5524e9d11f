#include "hw/metis_divide.h"

#include <signal.h>

#include "sim/error.h"

rv_status metis_divide(const metis_graph *g, idx_t n_parts, uint64_t seed, idx_t *part, rv_error *error)
{
    idx_t            n = g->n, constraints = 1, cut, options[METIS_NOPTIONS];
    struct sigaction terminate, give_up;
    METIS_SetDefaultOptions(options);
    options[METIS_OPTION_SEED] = (idx_t)(seed % 1000000);
    sigaction(SIGTERM, NULL, &terminate), sigaction(SIGABRT, NULL, &give_up);
    int done = METIS_PartGraphRecursive(&n, &constraints, g->xadj, g->adjncy, g->size, NULL, g->weight, &n_parts, NULL, NULL, options, &cut, part);
    sigaction(SIGTERM, &terminate, NULL), sigaction(SIGABRT, &give_up, NULL);
    if (done == METIS_OK) return RV_OK;
    if (done == METIS_ERROR_MEMORY) return error_memory(error, "METIS", (double)g->xadj[g->n] * 16);
    return error_set(error, RV_STOPPED, "METIS did not finish: it was terminated, or failed on a graph of %lld vertices", (long long)g->n);
}
