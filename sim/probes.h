/* Probes: what is recorded. Tiles write samples into rows of the window they run; between windows the rows, and the
 * spikes, go into spools, from which they can be read at any time. */
#ifndef RV_SIM_PROBES_H
#define RV_SIM_PROBES_H

#include "sim/state.h"

/** Prepares a probe that samples states for a network; its first sample is due after the present step. */
rv_status probe_open(probe *p, state *s, rv_error *error);
void      probe_close(probe *p, int n_tiles);

/** Grid timing: samples the probes of a tile at the end of a step. */
void probes_sample(state *s, int t, int64_t step);

/** Exact timing: samples a neuron's states at the times up to `until`, before it is carried there; and those of all neurons
 *  of a level at the end of a stretch, whether or not they had an event. */
void probes_sample_neuron(state *s, int t, int population, int i, double until);
void probes_sample_rest(state *s, int t, int level, int64_t to);

/** Moves the samples of the window that has just ended, from..to, into the spool. */
void probe_keep(probe *p, state *s, int parity, int64_t from, int64_t to);

/** Adds the spikes of a population in the window to a rate probe. */
void probe_count_spike(probe *p, const state *s, double time, uint32_t multiplicity);
void probe_keep_rates(probe *p, const state *s, int64_t to);

/** Keeps a sample of the synapses of a projection. */
rv_status probe_keep_weights(probe *p, const double *weights, double time_ms);

#endif
