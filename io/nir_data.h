/* NIRData: recordings that go with a NIR graph (.nird), observables by node. Time-gridded values and events, as the sections "Observable
 * data types" of NIR's documentation (1.0.7) define them; times in seconds.
 *
 *   nir_data data;
 *   if (nir_data_read("run.nird", &data, &error) == RV_OK) {
 *       const nir_observable *in = nir_data_find(&data, "in", "spikes");
 *       ...
 *   }
 *   nir_data_free(&data); */
#ifndef RV_IO_NIR_DATA_H
#define RV_IO_NIR_DATA_H

#include "io/hdf5_file.h"

typedef enum nir_observable_kind { NIR_GRIDDED, NIR_EVENTS, NIR_VALUED_EVENTS } nir_observable_kind;

typedef struct nir_observable {
    char               *node, *name; /* of a nested graph's node: "rnn/lif" */
    nir_observable_kind kind;
    int64_t             n_samples, n_neurons;
    int64_t             n_steps;     /* gridded                                                                */
    double              dt;          /* seconds; gridded                                                       */
    double             *values;      /* [n_samples][n_steps][n_neurons] gridded; [n_samples][n_events] of valued events */
    int64_t             n_events;    /* room for them in each sample                                           */
    int64_t            *neuron;      /* [n_samples][n_events] -1: no event                                     */
    double             *time;        /* [n_samples][n_events] seconds; INFINITY: no event                      */
    double              t_max;       /* seconds                                                                */
} nir_observable;

typedef struct nir_data {
    nir_observable *observable; /* [n_observables] */
    int             n_observables;
} nir_data;

/** @param data result, for nir_data_free() @return RV_OK, or a status with a sentence that names the file and the observable */
rv_status nir_data_read(const char *path, nir_data *data, rv_error *error);
void      nir_data_free(nir_data *data);

/** NULL: there is none. @param node NULL: the first observable of this name */
const nir_observable *nir_data_find(const nir_data *data, const char *node, const char *name);

#endif
