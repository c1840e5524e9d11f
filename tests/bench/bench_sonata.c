/* Reading a large SONATA circuit: seconds from the files to a network that runs, beside reading the same bytes alone, and the
 * highest memory on the way beside what the network takes in the end.
 *
 *     bench_sonata [edges [folder]]      4 million edges below /tmp if not given; 100 million take 3.2 GB on the disk */
#define _GNU_SOURCE
#include <ftw.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/hdf5_file.h"
#include "io/sonata.h"
#include "sim/random.h"
#include "tests/bench/measure.h"

enum { BLOCK = 1 << 20, FAN_OUT = 1000 };

static void give_up(const char *sentence)
{
    printf("%s\n", sentence);
    exit(1);
}

static void check(hdf5_file *file, rv_status status)
{
    if (status != RV_OK) give_up(file->error.text);
}

/* ---- a circuit ---------------------------------------------------------------------------------------------------- */

static void write_text(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0) give_up(path);
}

static void write_nodes(const char *folder, int64_t n)
{
    hdf5_file file = { 0 };
    char      path[512];
    int64_t  *type = malloc((size_t)n * sizeof *type);
    for (int64_t i = 0; i < n; i++) type[i] = 100;
    snprintf(path, sizeof path, "%s/nodes.h5", folder);
    check(&file, hdf5_create(path, &file));
    check(&file, hdf5_write(&file, "/nodes/cells/node_type_id", HDF5_U64, type, n));
    check(&file, hdf5_close(&file));
    free(type);
}

/* Sorted by target, as the AIBS builder writes them, with random sources. Edges of one target are in no order. */
static void write_edges(const char *folder, int64_t n_nodes, int64_t n)
{
    static const char *const names[] = { "/edges/e/source_node_id", "/edges/e/target_node_id", "/edges/e/edge_type_id" };
    hdf5_file                file = { 0 };
    char                     path[512];
    uint64_t                *x = malloc(BLOCK * sizeof *x);
    double                  *weight = malloc(BLOCK * sizeof *weight);
    rv_random                r = random_stream(1, RANDOM_USER, 0, 0);
    snprintf(path, sizeof path, "%s/edges.h5", folder);
    check(&file, hdf5_create(path, &file));
    for (int k = 0; k < 3; k++) check(&file, hdf5_make_series(&file, names[k], HDF5_U64));
    check(&file, hdf5_make_series(&file, "/edges/e/0/syn_weight", HDF5_F64));
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t m = n - first < BLOCK ? n - first : BLOCK;
        for (int64_t k = 0; k < m; k++) x[k] = random_below(&r, (uint64_t)n_nodes), weight[k] = 0.01 * random_uniform(&r);
        check(&file, hdf5_append(&file, names[0], HDF5_U64, x, m));
        for (int64_t k = 0; k < m; k++) x[k] = (uint64_t)((double)(first + k) / (double)n * (double)n_nodes);
        check(&file, hdf5_append(&file, names[1], HDF5_U64, x, m));
        for (int64_t k = 0; k < m; k++) x[k] = 100;
        check(&file, hdf5_append(&file, names[2], HDF5_U64, x, m));
        check(&file, hdf5_append(&file, "/edges/e/0/syn_weight", HDF5_F64, weight, m));
    }
    check(&file, hdf5_set_text(&file, names[0], "node_population", "cells"));
    check(&file, hdf5_set_text(&file, names[1], "node_population", "cells"));
    check(&file, hdf5_close(&file));
    free(x), free(weight);
}

static void write_circuit(const char *folder, int64_t n_nodes, int64_t n_edges)
{
    write_nodes(folder, n_nodes);
    write_edges(folder, n_nodes, n_edges);
    write_text(folder, "node_types.csv", "node_type_id model_type model_template\n100 point_neuron nest:iaf_psc_delta\n");
    write_text(folder, "edge_types.csv", "edge_type_id model_template delay\n100 static_synapse 1.5\n");
    write_text(folder, "config.json", "{ \"networks\": { \"nodes\": [ { \"nodes_file\": \"nodes.h5\", \"node_types_file\": \"node_types.csv\" } ], \"edges\": [ { \"edges_file\": \"edges.h5\", \"edge_types_file\": \"edge_types.csv\" } ] }, \"run\": { \"tstop\": 10, \"dt\": 0.1 } }");
}

/* ---- measuring ---------------------------------------------------------------------------------------------------- */

/* VmHWM or VmRSS of this process, bytes. */
static double memory_of(const char *name)
{
    char   line[256];
    double kB = 0;
    FILE  *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) sscanf(strchr(line, ':') + 1, "%lf", &kB);
    if (file) fclose(file);
    return 1024 * kB;
}

/* The bytes of the file twice, as edges are read: once to count, once to place. */
static double read_alone(const char *folder)
{
    char   path[512];
    char  *buffer = malloc(BLOCK);
    double began = wall_seconds();
    snprintf(path, sizeof path, "%s/edges.h5", folder);
    for (int k = 0; k < 2; k++) {
        FILE *file = fopen(path, "rb");
        while (file && fread(buffer, 1, BLOCK, file) > 0) continue;
        if (file) fclose(file);
    }
    free(buffer);
    return wall_seconds() - began;
}

static void measure(const char *folder, int64_t n_edges)
{
    sonata_circuit c;
    rv_error       error = { 0 };
    char           path[512];
    const char    *paths[] = { path };
    snprintf(path, sizeof path, "%s/config.json", folder);
    double alone = read_alone(folder), before = memory_of("VmRSS"), began = wall_seconds(), cpu = cpu_seconds();
    if (sonata_open(paths, 1, &(sonata_options){ 0 }, &c, &error) != RV_OK || sonata_build(&c, &error) != RV_OK) give_up(error.text);
    double read = wall_seconds() - began;
    if (rv_compile(c.net) != RV_OK) give_up(rv_net_error(c.net)->text);
    double all = wall_seconds() - began, peak = memory_of("VmHWM") - before, end = memory_of("VmRSS") - before;
    printf("%.4g million edges: read in %.2f s (their file alone, twice: %.2f s), connected in %.2f s; %.2f s of processor time in all\n", (double)n_edges * 1e-6, read, alone, all - read, cpu_seconds() - cpu);
    printf("memory: %.1f bytes an edge in the end, %.1f at the most: %.2f times\n", end / (double)n_edges, peak / (double)n_edges, peak / end);
    note("sonata", "edges", rv_threads(c.net), "read", "edges/s", (double)n_edges / read);
    note("sonata", "edges", rv_threads(c.net), "read and connected", "edges/s", (double)n_edges / all);
    note("sonata", "edges", rv_threads(c.net), "peak memory", "of the final", peak / end);
    sonata_close(&c);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about, (void)kind, (void)walk;
    return remove(path);
}

int main(int argc, char **argv)
{
    int64_t n_edges = argc > 1 ? (int64_t)atof(argv[1]) : 4000000, n_nodes = n_edges / FAN_OUT + 1;
    char    folder[256];
    snprintf(folder, sizeof folder, "%.200s/ranvier-sonata-bench-XXXXXX", argc > 2 ? argv[2] : "/tmp");
    if (!mkdtemp(folder)) give_up("cannot make a folder");
    pid_t child = fork(); /* writing has its own memory, so that it is not measured */
    if (child == 0) write_circuit(folder, n_nodes, n_edges), _exit(0);
    int status = 1;
    if (child > 0) waitpid(child, &status, 0);
    if (status == 0) measure(folder, n_edges);
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return status != 0;
}
