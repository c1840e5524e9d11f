/* Inputs: independent Poisson spikes and external currents, as properties of the neurons they are given to. */
#ifndef RV_SIM_INPUTS_H
#define RV_SIM_INPUTS_H

#include "sim/state.h"

/** Poisson input with fewer spikes per neuron and step than this is run event by event. */
#define SPARSE_POISSON (1.0 / 64)

/** Prepares an input, or does it again after a parameter was changed. */
rv_status inputs_prepare(state *s, int input, rv_error *error);

/** Fills the tile's calendar with the first arrivals of sparse Poisson input. */
rv_status inputs_start(state *s, int t, rv_error *error);

/** The same for one input, from now on, after its rate was changed: exponential intervals have no memory. */
rv_status inputs_restart(state *s, int t, int input, rv_error *error);

/** Adds this step's spikes of dense Poisson input to what arrives at its end. */
void inputs_draw_poisson(state *s, int t, int64_t step);

/** Whether there is dense Poisson input. */
bool inputs_draw_each_step(const state *s);

/** The arrival a queued event stands for: its weight, after the next one has been drawn and queued.
 *  @return false if the input has changed since, and the event is void */
bool inputs_take_arrival(state *s, int t, uint64_t word, int64_t due, arrival_at *taken);

/** Exact timing: calls take() for every spike before step `to` of the input that the neurons of a part draw themselves. */
void inputs_draw_streams(state *s, int t, int population, double to, void (*take)(tile_state *, arrival_at));

/** Mean number of such spikes per step in a part. */
double inputs_stream_arrivals(const state *s, int t, int population);

/** Whether the external current of a population differs in this step from the step before. */
bool inputs_current_changes(const state *s, int population, int64_t step);

/** Computes the external current of the part in this step. */
void inputs_update_current(state *s, int t, int population, int64_t step);

/** Mean number of Poisson spikes per neuron and step that a population gets. */
double inputs_mean_arrivals(const state *s, int population);
bool   inputs_vary_each_step(const state *s, int population);

#endif
