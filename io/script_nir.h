/* What name=value may say of a NIR graph: to `ranvier run`, and to the verbs for chips. */
#ifndef RV_IO_SCRIPT_NIR_H
#define RV_IO_SCRIPT_NIR_H

#include "io/nir_build.h"
#include "io/script_command.h"

/**    input=FILE  spikes of the Inputs, see io/nir_input.h       sample=K        of a NIRData recording, from 0
 *     time=MS     how long; else as long as the input            dt=MS           length of a step
 *     record=V_m,I_syn  states of all neurons at every step      check=off       files whose shapes do not fit
 *     discretisation=euler|exponential|impulse   reset=value|subtract   spikes=step|impulse, see io/nir_build.h */
typedef struct nir_line {
    const char       *input, *record, *check;
    double            time, dt, sample;
    nir_build_options build;
} nir_line;

/** @return false after a sentence about what is wrong; exit status 2 */
bool command_nir_words(const script_argument *arguments, int n, nir_line *line);

#endif
