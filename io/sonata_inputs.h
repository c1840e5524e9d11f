/* Inputs of a simulation config: the spikes of virtual nodes, and currents. */
#ifndef RV_IO_SONATA_INPUTS_H
#define RV_IO_SONATA_INPUTS_H

#include "io/sonata_internal.h"

/** One entry of "inputs". */
typedef struct sonata_input {
    sonata_circuit *c;
    const char     *name;     /* for sentences: input "lgn" */
    const json_t   *entry;
    uint8_t       **selected; /* [n_nodes][n]               */
    rv_error       *error;
} sonata_input;

/** Spikes of virtual nodes, collected over all inputs. */
typedef struct sonata_spike {
    int32_t population, part, place;
    double  ms;
} sonata_spike;

typedef struct sonata_spikes {
    sonata_spike *spike; /* [n] */
    int64_t       n, capacity;
} sonata_spikes;

/** Reads a file of spikes: HDF5 in all dialects, csv, NWB 1 and 2 (sonata_spikes.c). */
rv_status sonata_spikes_read(const sonata_input *in, sonata_spikes *spikes);

/** Gives the collected spikes to the generators. */
rv_status sonata_spikes_play(sonata_circuit *c, sonata_spikes *spikes, rv_error *error);

/** A current (sonata_currents.c). */
rv_status sonata_current_give(const sonata_input *in);

#endif
