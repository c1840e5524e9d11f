/* Blocks to chips: the graphs of tests/reference/hw/mapping, allocated by nengo-loihi 1.1.0 and annealed; and what holds of
 * a partition whatever it is of: gains are what moves change, and the books are right after any number of moves. */
#include "tests/support/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/partition.h"
#include "sim/random.h"

#define FOLDER "tests/reference/hw/mapping/"

/* ---- the block graphs ------------------------------------------------------------------------------------------- */

enum { MOST_CONNECTIONS = 4096 };

/* Each connection is a net: block a sends, block b hears it, on n axons. */
typedef struct blocks {
    int32_t n_blocks, n_nets;
    int64_t row[MOST_CONNECTIONS + 1], weight[MOST_CONNECTIONS];
    int32_t pin[MOST_CONNECTIONS], source[MOST_CONNECTIONS];
} blocks;

static void read_blocks(int graph, blocks *b)
{
    FILE *file = fopen(reference_text(FOLDER "alloc_graph_%d.csv", graph), "r");
    char  line[128];
    int   from, to, n;
    assert_non_null(file);
    *b = (blocks){ 0 };
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "block,", 6) == 0) b->n_blocks++;
        if (sscanf(line, "conn,%d,%d,%d", &from, &to, &n) != 3 || from == to) continue; /* never leaves its chip */
        b->source[b->n_nets] = from, b->pin[b->n_nets] = to, b->weight[b->n_nets] = n;
        b->n_nets++, b->row[b->n_nets] = b->n_nets;
    }
    fclose(file);
}

static int64_t crossing(const blocks *b, const int32_t *chip)
{
    int64_t sum = 0;
    for (int32_t j = 0; j < b->n_nets; j++)
        if (chip[b->source[j]] != chip[b->pin[j]]) sum += b->weight[j];
    return sum;
}

static int64_t allocate(const blocks *b, int32_t n_chips, int64_t cores, uint64_t seed)
{
    rv_error    error = { 0 };
    partition   p;
    hypergraph  h = { .n_vertices = b->n_blocks, .n_nets = b->n_nets, .row = b->row, .pin = b->pin, .source = b->source, .weight = b->weight };
    part_limits limits = { .fan_out = INT64_MAX, .learning_axons = 1, .own_part_is_free = true };
    for (int r = 0; r < HW_N_RESOURCES; r++) limits.most[r] = INT64_MAX;
    limits.most[HW_USE_NEURONS] = cores;
    if (hypergraph_transpose(&h, &error) != RV_OK || partition_start(&p, &h, &limits, n_chips, seed, &error) != RV_OK ||
        partition_refine(&p, false, seed, &error) != RV_OK)
        fail_msg("%s", error.text);
    int64_t on_chip[64] = { 0 }, result = crossing(b, p.part);
    for (int32_t v = 0; v < b->n_blocks; v++) on_chip[p.part[v]]++;
    for (int32_t c = 0; c < n_chips; c++) assert_in_range(on_chip[c], 0, cores);
    assert_int_equal(result, p.cost);
    partition_close(&p);
    hypergraph_free(&h);
    return result;
}

/* Of the table of allocators: chips, cores of each, and the fewest axons that cross. */
static void read_index(int graph, int *n_chips, int *cores, double *best)
{
    FILE *file = fopen(FOLDER "alloc_index.csv", "r");
    char  line[256];
    assert_non_null(file);
    for (*best = 1e9; fgets(line, sizeof line, file);) {
        int    g, n_blocks, chips, per_chip;
        double inter;
        if (sscanf(line, "%d,%d,%d,%d,%*[^,],%lf", &g, &n_blocks, &chips, &per_chip, &inter) != 5 || g != graph) continue;
        *n_chips = chips, *cores = per_chip;
        if (inter < *best) *best = inter;
    }
    fclose(file);
}

static void test_block_graphs(void **state)
{
    (void)state;
    for (int graph = 0; graph < 4; graph++) {
        static blocks b;
        int           n_chips = 0, cores = 0, g;
        double        allocator, optimum = 0, value;
        char          line[128];
        read_blocks(graph, &b);
        read_index(graph, &n_chips, &cores, &allocator);
        FILE *file = fopen(FOLDER "alloc_best.csv", "r");
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "%d,%lf", &g, &value) == 2 && g == graph) optimum = value;
        fclose(file);
        for (uint64_t seed = 1; seed <= 5; seed++) {
            double got = (double)allocate(&b, n_chips, cores, seed);
            print_message("graph %d: %g axons cross; annealed %g, best allocator %g\n", graph, got, optimum, allocator);
            assert_true(got <= 1.03 * optimum);
            assert_true(got <= 0.91 * allocator);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_graphs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
