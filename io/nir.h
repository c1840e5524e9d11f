/* NIR, the Neuromorphic Intermediate Representation: the HDF5 files (.nir) in which Norse, snnTorch, Sinabs, Rockpool, Lava,
 * SpiNNaker2 and others exchange trained networks, as a graph in memory.
 *
 *   nir_graph graph;
 *   if (nir_read("model.nir", NULL, &graph, &error) != RV_OK) puts(error.text);
 *   const nir_node *lif = nir_find(&graph, "lif1");
 *   for (int64_t i = 0; i < nir_get(lif, "tau")->shape.count; i++) printf("%g s\n", nir_number(nir_get(lif, "tau"), i));
 *   nir_free(&graph);
 *
 * Nodes compute, edges carry: inputs of a node are summed, outputs copied. The types of nodes, their fields and equations are
 * those of NIR 1.0.7 (github.com/neuromorphs/NIR; Pedersen et al. 2024, doi:10.1038/s41467-024-52259-9). Arrays keep the type and
 * shape they have in the file; time constants and delays are in seconds. io/nir_build.h makes a network of a graph.
 *
 * Every refusal is one sentence with the file, the node (by its path: "rnn/lif"), the field, its value and what is allowed. Files
 * may be damaged or hostile: what is read is bounded by what the file can hold. */
#ifndef RV_IO_NIR_H
#define RV_IO_NIR_H

#include "io/hdf5_file.h"

#define NIR_VERSION "1.0.7" /* of the format that is written */

/* What is refused as beyond all reason, and keeps hostile files from taking time. */
enum { NIR_MAX_NODES = 1 << 16, NIR_MAX_DEPTH = 32 };

typedef enum nir_kind {
    NIR_INPUT, NIR_OUTPUT,                                                          /* shape                                     */
    NIR_AFFINE, NIR_LINEAR, NIR_SCALE, NIR_THRESHOLD, NIR_DELAY,                    /* weight, bias; scale; threshold; delay     */
    NIR_I, NIR_IF, NIR_LI, NIR_LIF, NIR_CUBALI, NIR_CUBALIF,                        /* neurons                                   */
    NIR_CONV1D, NIR_CONV2D, NIR_SUMPOOL2D, NIR_AVGPOOL2D, NIR_FLATTEN,              /* geometry                                  */
    NIR_GRAPH,                                                                      /* a graph within the graph                  */
    N_NIR_KINDS
} nir_kind;

extern const char *const nir_kind_names[N_NIR_KINDS]; /* as files spell them: "LIF", "NIRGraph" */

/** A named array of numbers or texts. */
typedef struct nir_value {
    char      *name;
    hdf5_type  type;  /* of the numbers                             */
    hdf5_shape shape; /* rank 0: a single value                     */
    void      *data;  /* [shape.count] numbers; NULL: texts         */
    char     **text;  /* [shape.count] texts; NULL: numbers         */
} nir_value;

/** Named values and named groups of them: fields of a node, metadata. */
typedef struct nir_group {
    char             *name;
    nir_value        *value; /* [n_values] */
    struct nir_group *group; /* [n_groups] */
    int               n_values, n_groups;
} nir_group;

/** The shape of what enters or leaves a node; without batch and time. */
typedef struct nir_shape {
    bool    known;
    int     rank;
    int64_t n[HDF5_MAX_RANK];
} nir_shape;

typedef struct nir_graph nir_graph;

typedef struct nir_node {
    char      *name;
    nir_kind   kind;
    nir_group  fields;
    nir_group  metadata;
    nir_graph *graph;       /* of an NIR_GRAPH, owned; else NULL              */
    nir_shape  input, output; /* known after nir_check(); of a graph: of its Input and Output */
} nir_node;

typedef struct nir_edge {
    char *from, *to; /* names of nodes */
} nir_edge;

struct nir_graph {
    char     *version; /* of the outermost graph; NULL: none given */
    nir_node *node;    /* [n_nodes] in the order of their names: files keep no other */
    nir_edge *edge;    /* [n_edges]                                */
    int       n_nodes, n_edges;
    nir_group metadata;
    bool      loose;   /* shapes along edges need only agree in their number of elements */
};

/* ---- files --------------------------------------------------------------------------------------------------- */

typedef struct nir_options {
    bool unchecked; /* nir_check() is left out, and later done by numbers of elements only (nir_graph.loose): some files of early
                     * versions are wrong in a shape that nobody needs */
} nir_options;

/** Reads a file. Fields must be those of the node's type. @param options NULL: all defaults @param graph result, for nir_free() */
rv_status nir_read(const char *path, const nir_options *options, nir_graph *graph, rv_error *error);

/** Checks and writes. What NIR's library wants and the graph leaves to inference (input_shape, input_type) is filled in. */
rv_status nir_write(const char *path, const nir_options *options, nir_graph *graph, rv_error *error);

/** Checks a graph as NIR's library does: fields and their shapes, names in edges, shapes along edges; finds the shapes that follow
 *  from others. Better than the library (1.0.7) where that is wrong: kernels that are not square, groups. */
rv_status nir_check(nir_graph *graph, rv_error *error);

/** Puts an Input "input_NAME" before every node without one, and an Output "output_NAME" behind every node that leads nowhere, as
 *  the library does. Checks. */
rv_status nir_complete(nir_graph *graph, rv_error *error);

void nir_free(nir_graph *graph);

/* ---- looking ------------------------------------------------------------------------------------------------- */

nir_node        *nir_find(const nir_graph *graph, const char *name);       /* NULL: none */
const nir_value *nir_get(const nir_node *node, const char *field);         /* NULL: none */
const nir_value *nir_group_get(const nir_group *group, const char *name);  /* NULL: none */

/** The i-th number of a value; of a single number every one. 64-bit integers beyond 2^53 are rounded. NAN of texts */
double nir_number(const nir_value *value, int64_t i);

/** The text of a value that is one, else NULL. */
const char *nir_text(const nir_value *value);

/** Elements of a shape; 0 if it is not known. */
int64_t nir_size(const nir_shape *shape);

/* ---- making -------------------------------------------------------------------------------------------------- */

/** Adds a node without fields. Pointers to nodes of this graph become stale. @param node result, may be NULL
 *  @return RV_CONFLICT if there is one of this name, RV_OUT_OF_RANGE if the name is empty or has a slash */
rv_status nir_add(nir_graph *graph, const char *name, nir_kind kind, nir_node **node, rv_error *error);
rv_status nir_connect(nir_graph *graph, const char *from, const char *to, rv_error *error);

/** Sets a field or an entry of metadata; the values are copied. @param shape rank 0: a single value */
rv_status nir_set(nir_group *group, const char *name, hdf5_type type, const hdf5_shape *shape, const void *values, rv_error *error);
rv_status nir_set_text(nir_group *group, const char *name, const char *text, rv_error *error);

/** A vector or a single number of doubles. */
rv_status nir_set_vector(nir_group *group, const char *name, const double *values, int64_t n, rv_error *error);
rv_status nir_set_number(nir_group *group, const char *name, double value, rv_error *error);

/** A shape, as nir_set() takes it. */
static inline hdf5_shape nir_vector_shape(int64_t n) { return (hdf5_shape){ .rank = 1, .n = { n }, .count = n }; }
static inline hdf5_shape nir_matrix_shape(int64_t rows, int64_t columns)
{
    return (hdf5_shape){ .rank = 2, .n = { rows, columns }, .count = rows * columns };
}

#endif
