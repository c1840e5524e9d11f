/* Neurons that fire at random with a rate (hazard) that depends on their state: escape noise. A spike comes when the integral of
 * the hazard since the last one reaches a number drawn from the exponential distribution of mean 1 (time rescaling: Brown et al.
 * 2002, doi:10.1162/08997660252741149), so one draw for each spike serves the grid and exact timing. */
#ifndef RV_NEURONS_ESCAPE_H
#define RV_NEURONS_ESCAPE_H

#include <stdbool.h>

/** The hazard of a neuron t steps from now, per step. */
typedef double (*escape_hazard)(const void *neuron, double t);

/** No hazard is larger: the neuron fires in a millionth of a step. Keeps integrals finite. */
#define ESCAPE_CERTAIN 1e6

/** Integrates the hazard over (0, length] and takes it off *left, up to where nothing is left.
 *  @return whether it got there; then at *when, in steps, to 1e-12 of the length */
bool escape(escape_hazard hazard, const void *neuron, double length, double *left, double *when);

#endif
