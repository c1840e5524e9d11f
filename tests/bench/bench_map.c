/* Mapping a sheet of neurons to Loihi: 490 local targets each (a Gaussian, torus), 10
 * anywhere, lognormal rates, numbered line by line as a modeller would. Beside our mapper, under the same limits:
 *
 *   greedy       neurons in order, a new core when a limit is reached
 *   round robin  neuron i to core i mod n, with the smallest n (within 5 %) that holds all limits; gives up beyond 20 000
 *   plain METIS  the graph of synapses in as many parts as ours, then parts that are too full are halved in order
 *
 *     bench_map                     sheet: 10 000 neurons, 5 million synapses
 *     bench_map large_sheet         100 000 neurons, 50 million synapses; takes minutes and 3 GB
 *
 * As with the other benchmarks a part of a name is enough; BENCH_ONLY=large_sheet make bench. */
#include <math.h>
#include <metis.h>
#include <stdint.h>

#include "hw/map_build.h"
#include "hw/place.h"
#include "sim/random.h"
#include "tests/bench/measure.h"

enum { FAN_OUT = 500, FAR = 10, MOST_ROUND_ROBIN = 20000 };
static const double spread = 9; /* standard deviation of a local target's distance, neurons */

/* ---- the sheet -------------------------------------------------------------------------------------------------- */

typedef struct sheet {
    int64_t width, height;
} sheet;

static double gaussian(rv_random *r) { return spread * sqrt(-2 * log(random_uniform(r))) * cos(2 * M_PI * random_uniform(r)); }

static int64_t wrap(int64_t x, int64_t n) { return (x % n + n) % n; }

static int64_t draw_target(const sheet *s, int64_t source, int k, rv_random *r)
{
    if (k < FAR) return (int64_t)random_below(r, (uint64_t)(s->width * s->height));
    int64_t x = wrap(source % s->width + lround(gaussian(r)), s->width), y = wrap(source / s->width + lround(gaussian(r)), s->height);
    return y * s->width + x;
}

static rv_status visit_sheet(void *user, hw_synapse_fn take, void *sink)
{
    const sheet *s = user;
    for (int64_t j = 0; j < s->width * s->height; j++) {
        rv_random r = random_stream(1, RANDOM_USER, 0, (uint64_t)j);
        for (int k = 0; k < FAN_OUT; k++) take(sink, &(hw_synapse){ j, draw_target(s, j, k, &r), 1 + (double)random_below(&r, 255), 1, 0 });
    }
    return RV_OK;
}

static void give_up(const char *what, const rv_error *error)
{
    printf("%s: %s\n", what, error->text);
    exit(1);
}

static hw_graph *make_sheet(int64_t n)
{
    sheet     s = { .width = (int64_t)sqrt(2.5 * (double)n) };
    hw_format format = { .weight_bits = 8, .sign = 1 };
    hw_graph *g;
    rv_error  error = { 0 };
    while (n % s.width) s.width++;
    s.height = n / s.width;
    hw_group group = { .name = "sheet", .n = n };
    if (hw_graph_new(&group, 1, &format, 1, &g, &error) != RV_OK || hw_graph_fill(g, visit_sheet, &s, &error) != RV_OK) give_up("sheet", &error);
    rv_random r = random_stream(1, RANDOM_USER, 1, 0);
    for (int64_t j = 0; j < n; j++) g->rate[j] = 0.005 * exp(gaussian(&r) / spread - 0.5); /* 5 Hz in steps of 1 ms */
    return g;
}

/* ---- contestants: each says which part every neuron is in ------------------------------------------------------- */

static bool is_full(const partition *p, int32_t part)
{
    for (int r = 0; r < HW_N_RESOURCES; r++)
        if (p->state[part].use[r] > p->limits->most[r]) return true;
    return false;
}

static bool any_full(const partition *p)
{
    for (int32_t k = 0; k < p->n_parts; k++)
        if (is_full(p, k)) return true;
    return false;
}

/* Neurons in the order of `key` (NULL: their number) into cores, a new one when the last is full. */
static void fill_greedily(const map_problem *w, const int32_t *order, int32_t *part, int32_t *n_parts)
{
    partition p;
    rv_error  error = { 0 };
    for (int32_t v = 0; v < w->h.n_vertices; v++) part[v] = -1;
    if (partition_open(&p, &w->h, &w->limits, part, 1, &error) != RV_OK) give_up("greedy", &error);
    for (int32_t k = 0, last = 0; k < w->h.n_vertices; k++) {
        int32_t v = order ? order[k] : k;
        partition_move(&p, v, last);
        if (!is_full(&p, last)) continue;
        partition_move(&p, v, -1);
        partition_move(&p, v, last = partition_add(&p));
    }
    memcpy(part, p.part, (size_t)w->h.n_vertices * sizeof *part);
    *n_parts = p.n_parts;
    partition_close(&p);
}

static void greedy(const map_problem *w, int32_t *part, int32_t *n_parts) { fill_greedily(w, NULL, part, n_parts); }

static void round_robin(const map_problem *w, int32_t *part, int32_t *n_parts)
{
    rv_error error = { 0 };
    for (*n_parts = 16; *n_parts <= MOST_ROUND_ROBIN; *n_parts += 1 + *n_parts / 20) {
        partition p;
        for (int32_t v = 0; v < w->h.n_vertices; v++) part[v] = v % *n_parts;
        if (*n_parts < 4096 && w->h.n_vertices / *n_parts > 1024) continue; /* cannot fit */
        if (partition_open(&p, &w->h, &w->limits, part, *n_parts, &error) != RV_OK) give_up("round robin", &error);
        bool full = any_full(&p);
        partition_close(&p);
        if (!full) return;
        if (*n_parts > 1000) *n_parts += *n_parts / 4;
    }
    *n_parts = 0;
}

/* The undirected graph of synapses, each pair once. */
static void synapse_graph(const hypergraph *h, idx_t *xadj, idx_t *adjncy)
{
    idx_t to = 0;
    for (int32_t v = 0; v < h->n_vertices; v++) {
        int64_t a = h->row[v], b = h->begin[v];
        xadj[v] = to;
        while (a < h->row[v + 1] || b < h->begin[v + 1]) {
            int32_t x = a < h->row[v + 1] ? h->pin[a] : INT32_MAX, y = b < h->begin[v + 1] ? h->net[b] : INT32_MAX, next = x < y ? x : y;
            while (a < h->row[v + 1] && h->pin[a] == next) a++;
            while (b < h->begin[v + 1] && h->net[b] == next) b++;
            if (next != v) adjncy[to++] = next;
        }
    }
    xadj[h->n_vertices] = to;
}

typedef struct numbered {
    int32_t part, neuron;
} numbered;

static int by_part(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    return x->part != y->part ? (x->part > y->part) - (x->part < y->part) : (x->neuron > y->neuron) - (x->neuron < y->neuron);
}

static idx_t plain_parts; /* as many as ours */

static void plain_metis(const map_problem *w, int32_t *part, int32_t *n_parts)
{
    idx_t     n = w->h.n_vertices, constraints = 1, cut;
    idx_t    *xadj = malloc((size_t)(n + 1) * sizeof *xadj), *adjncy = malloc(2 * (size_t)w->h.row[n] * sizeof *adjncy);
    numbered *list = malloc((size_t)n * sizeof *list);
    int32_t  *order = malloc((size_t)n * sizeof *order);
    if (!xadj || !adjncy || !list || !order) exit(1);
    synapse_graph(&w->h, xadj, adjncy);
    if (METIS_PartGraphKway(&n, &constraints, xadj, adjncy, NULL, NULL, NULL, &plain_parts, NULL, NULL, NULL, &cut, part) != METIS_OK) exit(1);
    for (int32_t v = 0; v < n; v++) list[v] = (numbered){ part[v], v };
    qsort(list, (size_t)n, sizeof *list, by_part);
    for (int32_t v = 0; v < n; v++) order[v] = list[v].neuron;
    fill_greedily(w, order, part, n_parts);
    free(xadj), free(adjncy), free(list), free(order);
}

/* ---- the table -------------------------------------------------------------------------------------------------- */

static const char *sheet_name; /* of the table being printed */

static const char *case_of(const char *contestant)
{
    static char text[80];
    snprintf(text, sizeof text, "%s, %s", sheet_name, contestant);
    return text;
}

static void print_line(const char *name, const hw_map *map, double seconds, double cpu)
{
    printf("%-12s %7d %6d %14.1f %14.1f %10.1f %10.1f\n", name, map->n_cores, map->n_chips, map->messages, map->hops, seconds, cpu);
    note("map", case_of(name), 0, "messages", "1/step", map->messages);
    note("map", case_of(name), 0, "hops", "1/step", map->hops);
    note("map", case_of(name), 0, "cores", "1", map->n_cores);
    note("map", case_of(name), 0, "time", "s", seconds);
}

static void run(const char *name, void (*contestant)(const map_problem *, int32_t *, int32_t *), const map_problem *w)
{
    rv_error error = { 0 };
    int32_t  n_parts, n = w->h.n_vertices, *part = malloc((size_t)n * sizeof *part), cores = (int32_t)hw_value(w->chip, HW_CORES);
    double   began = wall_seconds(), cpu_began = cpu_seconds();
    contestant(w, part, &n_parts);
    if (n_parts == 0 || n_parts > cores * hw_value(w->chip, HW_CHIPS)) {
        if (n_parts) printf("%-12s %7d  more cores than there are\n", name, n_parts);
        else printf("%-12s  no number of cores up to %d holds\n", name, MOST_ROUND_ROBIN);
        free(part);
        return;
    }
    double  seconds = wall_seconds() - began, cpu = cpu_seconds() - cpu_began;
    hw_map *map;
    if (map_build(w, part, (n_parts + cores - 1) / cores, &map, &error) != RV_OK) give_up(name, &error); /* cores in order */
    print_line(name, map, seconds, cpu);
    hw_map_free(map);
    free(part);
}

static void map_sheet(const char *name, int64_t n)
{
    hw_chip     chip;
    rv_error    error = { 0 };
    hw_map     *map;
    map_problem w;
    if (hw_chip_find("loihi1", &chip, &error) != RV_OK) give_up("chip", &error);
    double    began = wall_seconds();
    sheet_name = name;
    hw_graph *g = make_sheet(n);
    printf("%s: mapping %lld neurons with %lld synapses to %s (the graph took %.1f s)\n\n", name, (long long)n, (long long)g->n_synapses, chip.name, wall_seconds() - began);
    printf("%-12s %7s %6s %14s %14s %10s %10s\n", "", "cores", "chips", "messages/step", "hops/step", "seconds", "CPU s");
    fflush(stdout);
    began = wall_seconds();
    double cpu_began = cpu_seconds();
    if (hw_map_network(&chip, g, NULL, &map, &error) != RV_OK) give_up("ranvier", &error);
    print_line("ranvier", map, wall_seconds() - began, cpu_seconds() - cpu_began);
    fflush(stdout);
    plain_parts = map->n_cores;
    if (map_problem_open(&w, &chip, g, &error) != RV_OK) give_up("limits", &error);
    run("greedy", greedy, &w);
    run("round robin", round_robin, &w);
    run("plain METIS", plain_metis, &w);
    map_problem_close(&w);
    hw_map_free(map);
    hw_graph_free(g);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; int64_t neurons; } sheets[] = { { "sheet", 10000 }, { "large_sheet", 100000 } };
    for (int k = 0; k < 2; k++)
        if (argc > 1 ? strstr(sheets[k].name, argv[1]) != NULL : k == 0) map_sheet(sheets[k].name, sheets[k].neurons);
    return 0;
}
