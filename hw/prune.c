#include "hw/prune.h"

#include <math.h>
#include <stdlib.h>

#include "sim/random.h"

typedef struct ranked {
    double   strength;
    uint32_t lot;
    int64_t  synapse;
} ranked;

static int by_strength(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->strength != y->strength) return x->strength < y->strength ? -1 : 1;
    if (x->lot != y->lot) return x->lot < y->lot ? -1 : 1;
    return (x->synapse > y->synapse) - (x->synapse < y->synapse);
}

int64_t prune_select(const double *weights, int64_t n, double fraction, double below, uint64_t seed, bool *keep)
{
    int64_t least = (int64_t)rint(fraction * (double)n), pruned = 0;
    ranked *rank = malloc(((size_t)n + 1) * sizeof *rank);
    if (!rank) return -1;
    rv_random random = random_stream(seed, RANDOM_USER, 0, 0);
    for (int64_t k = 0; k < n; k++) rank[k] = (ranked){ fabs(weights[k]), random_u32(&random), k };
    if (least > 0 || below > 0) qsort(rank, (size_t)n, sizeof *rank, by_strength);
    for (int64_t k = 0; k < n; k++) {
        bool leave_out = k < least || rank[k].strength < below;
        keep[rank[k].synapse] = !leave_out;
        pruned += leave_out;
    }
    free(rank);
    return pruned;
}
