/* Which populations have channels, height and width in NIR: those between convolutions, see nir_from_net(). */
#ifndef RV_IO_NIR_FROM_SHAPES_H
#define RV_IO_NIR_FROM_SHAPES_H

#include "io/nir.h"
#include "sim/definition.h"

/** A population has a shape if all convolutions from and to it say the same, and nothing else leads to it: NIR has no way back from
 *  a row. And if its constant input is the bias of a Conv2d, one number for a channel.
 *  @param constant name of the parameter that is a constant input @param shape result, [n_populations]: of rank 3, or 1 */
void nir_shapes_find(const definition *d, const char *constant, hdf5_shape *shape);

/** Whether a projection can be a Conv2d between these shapes. */
bool nir_shapes_fit(const definition *d, const projection_def *p, const hdf5_shape *shape);

#endif
