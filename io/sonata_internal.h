/* What the files of io/sonata*.c share. */
#ifndef RV_IO_SONATA_INTERNAL_H
#define RV_IO_SONATA_INTERNAL_H

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/hdf5_file.h"
#include "io/sonata.h"
#include "sim/error.h"

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

enum { SONATA_BLOCK = 1 << 18, SONATA_TEXT = 512 }; /* edges read at once */

/** Keeps a warning. */
void sonata_warn(sonata_circuit *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- configs (sonata_config.c) ---------------------------------------------------------------------------------- */

rv_status sonata_config_read(sonata_circuit *c, const char *const *paths, int n_paths, rv_error *error);

/** Any JSON file. @return NULL after a sentence */
json_t *sonata_json_read(const char *path, rv_error *error);

/** A member that is a number or a text; NULL or the alternative if it is absent or null. */
const char *sonata_text(const json_t *object, const char *key);
rv_status   sonata_number(const json_t *object, const char *where, const char *key, double alternative, double *number, rv_error *error);

/** Whether a text is in a list of words (NULL at the end). */
bool sonata_is_one_of(const char *text, const char *const *words);

/** Whether a member says false; true is its default. */
bool sonata_enabled(const json_t *object, const char *key);

/** Warns of members that are not in the list (NULL at the end). */
void sonata_known_keys(sonata_circuit *c, const json_t *object, const char *where, const char *const *keys);

/** parent/name in new memory, or name alone if it is absolute. */
char *sonata_join(const char *parent, const char *name);

/* ---- tables (sonata_table.c) ------------------------------------------------------------------------------------ */

/** The rows of a table of types by their ids, in the order of the ids. */
typedef struct sonata_id_row {
    int64_t id;
    int     row;
} sonata_id_row;

typedef struct sonata_ids {
    sonata_id_row *of; /* [n] */
    int            n;
} sonata_ids;

/** @param population rows that say they are of another one are left out @param ids result; its list is the caller's to free, always */
rv_status sonata_ids_read(const sonata_table *table, const char *column, const char *population, sonata_ids *ids, rv_error *error);
int       sonata_ids_find(const sonata_ids *ids, int64_t id); /* @return the row, -1: none */

/* ---- HDF5 (sonata_hdf5.c) --------------------------------------------------------------------------------------- */

/** Opens a circuit file and checks its magic number, which may be missing but not wrong. */
rv_status sonata_file_open(const char *path, hdf5_file *file, rv_error *error);

/** Passes on the sentence of a file. */
rv_status sonata_file_failed(const hdf5_file *file, rv_error *error);

/** `file "x.h5", /nodes/v1/node_id: sentence` */
rv_status sonata_refuse(const hdf5_file *file, const char *object, rv_error *error, const char *format, ...) __attribute__((format(printf, 4, 5)));

/** The number of values of a list. */
rv_status sonata_length(hdf5_file *file, const char *dataset, int64_t *n, rv_error *error);

/** A list of n values in new memory. */
rv_status sonata_load(hdf5_file *file, const char *dataset, hdf5_type type, int64_t n, void **values, rv_error *error);

/* ---- columns (sonata_columns.c) --------------------------------------------------------------------------------- */

/** An attribute of all nodes of a population: numbers (NAN: none) or texts (NULL: none). */
typedef struct sonata_column {
    double *number; /* [n] */
    char  **text;   /* [n] */
    char  **pool;   /* [n_pool] what text points to, if it is owned */
    int64_t n_pool;
    bool    found;
} sonata_column;

/** Looks in the groups of the HDF5 file, then among the types' columns. @param name may be "dynamics_params/tau_m" */
rv_status sonata_column_read(const sonata_nodes *nodes, const char *name, sonata_column *column, rv_error *error);
void      sonata_column_free(sonata_column *column);

/** The names of all columns that groups of the file have under `inside` ("" or "dynamics_params"). */
rv_status sonata_column_names(const sonata_nodes *nodes, const char *inside, hdf5_names *names, rv_error *error);

/* ---- node sets (sonata_sets.c) ---------------------------------------------------------------------------------- */

/** Which nodes an expression selects. @param selected result: [n_nodes][n of each] 0 or 1; freed by sonata_selection_free() */
rv_status sonata_select(sonata_circuit *c, const json_t *expression, const char *what, uint8_t ***selected, rv_error *error);
void      sonata_selection_free(const sonata_circuit *c, uint8_t **selected);

/** Calls f for stretches of the selected neurons of a part, first + k stride, until one fails. */
typedef rv_status (*sonata_stretch_fn)(void *user, rv_slice slice);
rv_status sonata_stretches(const sonata_nodes *nodes, const uint8_t *selected, int part, sonata_stretch_fn f, void *user);

/* ---- models (sonata_models.c) ----------------------------------------------------------------------------------- */

typedef struct sonata_model sonata_model;

/** What a template ("nest:iaf_psc_alpha") is here. @param native result: the name of the model */
rv_status sonata_model_find(const char *template, const sonata_model **model, const char **native, rv_error *error);

/** Parameters of one neuron. */
typedef struct sonata_values {
    rv_table table;
    double   x[64];  /* [n_params + n_states] in the order of the table; NAN: not given */
    double   tau_m;  /* ms, of templates that give it instead of g_L; else NAN          */
} sonata_values;

/** What the template itself says: PyNN's cells have other defaults than the models they are here. */
void sonata_model_defaults(const sonata_model *model, const char *native, sonata_values *values);

/** Sets a parameter or initial state as the template calls it. @return whether there is such a one */
bool sonata_model_set(const sonata_model *model, sonata_values *values, const char *name, double x);

/** Whether a column of this name is meant for the model: parameters, and V_m, but no other state. */
bool sonata_model_is_param(const sonata_model *model, const sonata_values *values, const char *name);

/** What depends on several of the parameters, once all are set. */
void sonata_model_finish(const sonata_model *model, sonata_values *values);

/** Weights of edges to such neurons are multiplied with this; currents with the other. */
double sonata_model_weight_scale(const sonata_model *model);
double sonata_model_current_scale(const sonata_model *model);
bool   sonata_model_is_event_driven(const sonata_model *model); /* artificial cells of NEURON */

/* ---- steps of building ------------------------------------------------------------------------------------------ */

rv_status sonata_nodes_open(sonata_circuit *c, rv_error *error);         /* sonata_nodes.c   */
void      sonata_nodes_free(sonata_nodes *nodes);
int       sonata_nodes_find(const sonata_circuit *c, const char *name);
rv_status sonata_edges_open(sonata_circuit *c, rv_error *error);         /* sonata_edges.c   */
void      sonata_edges_free(sonata_edges *edges);
rv_status sonata_split(sonata_circuit *c, rv_error *error);              /* sonata_neurons.c: the parts */
rv_status sonata_make_neurons(sonata_circuit *c, rv_error *error);
rv_status sonata_connect(sonata_circuit *c, rv_error *error);            /* sonata_connect.c */
rv_status sonata_give_inputs(sonata_circuit *c, rv_error *error);        /* sonata_inputs.c  */
rv_status sonata_plan_reports(sonata_circuit *c, rv_error *error);       /* sonata_output.c  */
void      sonata_reports_free(sonata_circuit *c);

/** Passes on the sentence of the network. */
rv_status sonata_net_failed(const sonata_circuit *c, rv_error *error);

/** A parameter file of a types table's row: dir/file, {} if there is none. @param params result: new reference */
rv_status sonata_params_read(const sonata_circuit *c, const char *component, const sonata_table *types, int row, json_t **params, rv_error *error);

#endif
