/* Types of edges: what synapses they are, and what weight and delay they give an edge that says nothing itself. */
#ifndef RV_IO_SONATA_SYNAPSES_H
#define RV_IO_SONATA_SYNAPSES_H

#include "io/sonata_internal.h"

enum { MOST_SYNAPSE_SETTINGS = 32 };

/** Edges that can be one projection: same learning rule, same parameters, same receptor. */
typedef struct sonata_class {
    const char *plasticity; /* NULL: static */
    rv_setting  setting[MOST_SYNAPSE_SETTINGS];
    int         n_settings, receptor;
} sonata_class;

typedef struct sonata_synapse {
    double weight, delay, nsyns; /* NAN: the edge has to say */
    double sign;
    bool   tuned;                /* weight_function gaussianLL of this sigma, degrees */
    double sigma;
    int    class;
} sonata_synapse;

typedef struct sonata_synapses {
    sonata_synapse *type;   /* [rows of the table; 1 if there is no table] */
    sonata_class   *classes; /* [n_classes] */
    int             n_classes;
} sonata_synapses;

/** @param synapses result, to be freed also after a failure */
rv_status sonata_synapses_read(sonata_circuit *c, const sonata_edges *edges, sonata_synapses *synapses, rv_error *error);
void      sonata_synapses_free(sonata_synapses *synapses);

#endif
