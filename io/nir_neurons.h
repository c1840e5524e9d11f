/* A NIR neuron as a population of the engine: which model, its parameters, and what becomes of a weight. See io/nir_build.h. */
#ifndef RV_IO_NIR_NEURONS_H
#define RV_IO_NIR_NEURONS_H

#include "io/nir_build.h"

/** Words of the options, in the order of nir_lif's parameters of these names. */
enum { NIR_EULER, NIR_EXPONENTIAL, NIR_IMPULSE, N_NIR_DISCRETISATIONS };
enum { NIR_TO_VALUE, NIR_SUBTRACT, N_NIR_RESETS };
enum { NIR_AS_STEP, NIR_AS_IMPULSE, N_NIR_SPIKES };
extern const char *const nir_discretisation_words[N_NIR_DISCRETISATIONS];
extern const char *const nir_reset_words[N_NIR_RESETS];
extern const char *const nir_spikes_words[N_NIR_SPIKES];

typedef struct nir_conventions {
    int    discretisation, reset, spikes;
    double h; /* ms: a step */
} nir_conventions;

/** The number of a word: that of the option, else of the metadata of the node, else of the graph, else 0. @param node may be NULL */
rv_status nir_conventions_of(const nir_build_options *options, const nir_group *node, const nir_group *graph, const char *path, nir_conventions *c, rv_error *error);

/** One population to be. */
typedef struct nir_neurons {
    const nir_node *node;   /* a neuron, a Threshold, or an Output that sums what arrives */
    const char     *path;
    nir_conventions how;
    const double   *bias;   /* [n] or NULL                                            */
    int             level;
    int64_t         n;
} nir_neurons;

/** Makes the population. @param name its name @param gain result, new memory [n]: what weights to each neuron are multiplied with */
rv_status nir_neurons_make(rv_net *net, const char *name, const nir_neurons *neurons, rv_population *population, double **gain, rv_error *error);

#endif
