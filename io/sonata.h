/* SONATA circuits: networks and simulations of point neurons as bmtk, NEST, PyNN and libsonata exchange them
 * (AllenInstitute/sonata, SONATA_DEVELOPER_GUIDE 0.1; Dai et al. 2020, doi:10.1371/journal.pcbi.1007696). Read, run and written.
 *
 *   sonata_circuit c;
 *   rv_status status = sonata_open(paths, 1, &(sonata_options){ 0 }, &c, &error);      configs, nodes, what edges there are
 *   if (status == RV_OK) status = sonata_build(&c, &error);                            the network: c.net
 *   if (status == RV_OK) status = rv_run(c.net, c.tstop);
 *   if (status == RV_OK) status = sonata_write_output(&c, &error);                     spikes and reports, as the config wants
 *   sonata_close(&c);
 *
 * A population of nodes becomes one population of the network for each model it has (a "part"); virtual nodes are
 * spike_generators. Identities are (population, node id) in files and (part, place) in the network; sonata_place() and
 * sonata_node() convert.
 *
 * Every failure is one sentence with file, object and value. What a config says and nobody can honour is refused by name;
 * what has no influence (colours, log files, an unknown key) is a warning. */
#ifndef RV_IO_SONATA_H
#define RV_IO_SONATA_H

#include "sim/ranvier.h"

struct json_t; /* jansson */

/* ---- tables of types -------------------------------------------------------------------------------------------- */

/** A csv of node or edge types: columns between blanks, "quotes", NULL and NONE for what is missing. */
typedef struct sonata_table {
    int    n_rows, n_columns;
    char **column; /* [n_columns]                             */
    char **cell;   /* [n_rows][n_columns], NULL where missing */
    char  *path;
} sonata_table;

rv_status   sonata_table_read(const char *path, sonata_table *table, rv_error *error);
void        sonata_table_free(sonata_table *table);
int         sonata_table_column(const sonata_table *table, const char *name); /* -1: none */
const char *sonata_table_cell(const sonata_table *table, int row, const char *column); /* NULL: missing, or row is -1 */

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/** Nodes of one model. */
typedef struct sonata_part {
    rv_population population; /* null before sonata_build()                                        */
    char         *model;      /* of the network: "iaf_psc_alpha"; "spike_generator" if virtual       */
    bool          is_virtual;
    const struct sonata_model *kind; /* how its parameters are called; NULL: it has none, as spike_generators */
    double        tau_minus;  /* ms, for learning rules; NAN: not given, INFINITY: neurons differ  */
    int64_t       n;
    int32_t      *row;        /* [n] rows of the node population, ascending; NULL: all of them     */
} sonata_part;

typedef struct sonata_nodes {
    char        *name, *path;
    int64_t      n;
    int64_t     *id;          /* [n] node ids; NULL: the id is the row                             */
    int64_t     *by_id;       /* [n] rows in the order of their ids; NULL likewise                 */
    int32_t     *type;        /* [n] row in types, -1: none                                        */
    sonata_table types;
    sonata_part *part;        /* [n_parts]; none before the models are known                       */
    int          n_parts;
    int32_t     *part_of, *place; /* [n] of each row; NULL: one part, the place is the row         */
} sonata_nodes;

/** The row of a node id, -1 if there is no such node. */
int64_t        sonata_row(const sonata_nodes *nodes, int64_t id);
static inline int64_t sonata_id(const sonata_nodes *nodes, int64_t row) { return nodes->id ? nodes->id[row] : row; }

/** Where a row is in the network. @param place result @return the part */
static inline int sonata_place(const sonata_nodes *nodes, int64_t row, int64_t *place)
{
    *place = nodes->place ? nodes->place[row] : row;
    return nodes->part_of ? nodes->part_of[row] : 0;
}

/** The node id of a neuron of a part. */
static inline int64_t sonata_node(const sonata_nodes *nodes, int part, int64_t place)
{
    const int32_t *row = nodes->part[part].row;
    return sonata_id(nodes, row ? row[place] : place);
}

/* ---- edges ------------------------------------------------------------------------------------------------------ */

typedef struct sonata_edges {
    char        *name, *path;
    int          source, target; /* populations of nodes */
    int64_t      n;
    sonata_table types;
} sonata_edges;

/* ---- the circuit ------------------------------------------------------------------------------------------------ */

/** What the command line may say instead of the config. */
typedef struct sonata_options {
    const uint64_t  *seed;
    const rv_timing *timing;     /* NULL: exact where all neurons are IntFire1, which have no grid in NEURON; else on the grid */
    int              threads;
    double           tstop, dt;  /* ms; 0: as the config says                */
    const char      *output_dir; /* NULL: as the config says                 */
} sonata_options;

typedef struct sonata_circuit {
    char           *path;        /* of the (last) config                     */
    struct json_t  *config;      /* all configs in one, variables and relative paths resolved */
    struct json_t  *node_sets;
    sonata_options  options;
    sonata_nodes   *nodes;       /* [n_nodes] */
    sonata_edges   *edges;       /* [n_edges] */
    int             n_nodes, n_edges;
    rv_net         *net;         /* after sonata_build() */
    double          tstop, dt;   /* ms; NAN: the config has no `run`         */
    double          largest_rounding; /* ms by which delays were moved to the grid */
    char          **warning;     /* [n_warnings] sentences                   */
    int             n_warnings;
    struct sonata_report *report; /* [n_reports] */
    int             n_reports;
} sonata_circuit;

/** Reads configs (one or more files, later ones win), node sets, nodes, and what edges there are. */
rv_status sonata_open(const char *const *paths, int n_paths, const sonata_options *options, sonata_circuit *c, rv_error *error);

/** Makes the network: neurons with their parameters, synapses, inputs; records all spikes and what the reports want. */
rv_status sonata_build(sonata_circuit *c, rv_error *error);

/** Where the spikes file will be, NULL if none is wanted. The text is the caller's to free. */
char *sonata_spikes_path(const sonata_circuit *c);

/** Makes the output folder, and refuses what cannot be written or must not be overwritten: before a long run, not after. */
rv_status sonata_prepare_output(sonata_circuit *c, rv_error *error);

/** Writes spikes (HDF5, csv) and reports. */
rv_status sonata_write_output(sonata_circuit *c, rv_error *error);

/** Safe on {0}, and after a failure. */
void sonata_close(sonata_circuit *c);

/* ---- writing ---------------------------------------------------------------------------------------------------- */

/** Writes a network as a circuit: nodes, edges with indices, types, configs, node sets, and generators' spikes as inputs.
 *  @param dir a folder, made if need be @param tstop ms, for simulation_config.json */
rv_status sonata_save(rv_net *net, const char *dir, double tstop, rv_error *error);

#endif
