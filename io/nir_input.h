/* Spikes for the Inputs of a network made of a NIR graph, from a file. */
#ifndef RV_IO_NIR_INPUT_H
#define RV_IO_NIR_INPUT_H

#include "io/nir_build.h"

/** Reads spikes and gives them to the network, once, before it runs:
 *    HDF5   a dataset for each Input, named as it is, or "input" for all if there is one; (steps, ...) with the number of spikes
 *           of each element in each step
 *    .nird  NIRData: observable "spikes" of each Input
 *    spikes of populations with the names of Inputs, or of one population: whatever io/results.h reads, as results files (.h5), .npz,
 *           text with a line of names (time_ms,neuron,population), recordings of event cameras
 *    text   lines of step,neuron (from 1, from 0), or of ms,neuron if the first line says so; a third column names the Input
 *  @param sample of NIRData, from 0 @param duration_ms result: how long the input is */
rv_status nir_play(nir_net *n, const char *path, int64_t sample, double *duration_ms, rv_error *error);

#endif
