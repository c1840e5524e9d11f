/* Where neurons live: no tile holds more than its targets can number, whatever lives there already. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "sim/net.h"

static void check(rv_net *net, rv_status status)
{
    if (status != RV_OK) fail_msg("%s", rv_net_error(net)->text);
}

/* A population of several tiles beside others; every source keeps its targets. */
static void expect_room(int threads, int64_t few, int64_t many)
{
    enum { OUTDEGREE = 10 };
    rv_net       *net;
    rv_projection p;
    int64_t       n;
    check(NULL, rv_net_new(&(rv_net_def){ .resolution = 1, .seed = 5, .threads = threads }, &net, NULL));
    rv_population a = rv_population_new(net, "a", few, "poisson_generator"), b = rv_population_new(net, "b", many, "iaf_psc_delta"), c = rv_population_new(net, "c", few, "iaf_psc_delta");
    check(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(b), .rule = "fixed_outdegree", .degree = OUTDEGREE, .weight = rv_uniform(1, 2) }, &p));
    check(net, rv_connect(net, &(rv_connect_def){ .source = rv_all(a), .target = rv_all(c), .rule = "one_to_one" }, NULL));
    check(net, rv_compile(net));
    for (int t = 0; t < net->net->n_tiles; t++)
        if (net->net->tile[t].n > MAX_TILE) fail_msg("%d threads, %lld and %lld neurons: tile %d has %d", threads, (long long)few, (long long)many, t, net->net->tile[t].n);
    check(net, rv_synapse_count(net, p, &n));
    int64_t *source = calloc((size_t)n, sizeof *source), *count = calloc((size_t)few, sizeof *count);
    check(net, rv_synapses(net, p, source, NULL, NULL, NULL));
    for (int64_t k = 0; k < n; k++) count[source[k]]++;
    for (int64_t i = 0; i < few; i++) assert_int_equal(count[i], OUTDEGREE);
    free(source), free(count);
    rv_net_free(net);
}

static void test_no_tile_overflows(void **state)
{
    (void)state;
    static const int64_t few[] = { 1, 1000, 40000, 65536 }, many[] = { 65536, 65537, 131072, 200000 };
    for (int threads = 1; threads <= 3; threads++)
        for (int i = 0; i < 4; i++)
            for (int k = 0; k < 4; k++) expect_room(threads, few[i], many[k]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_tile_overflows) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
