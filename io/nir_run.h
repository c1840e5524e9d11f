/* ranvier run model.nir input=FILE: a NIR graph in the engine. For the verb (io/script_verb_run.c). */
#ifndef RV_IO_NIR_RUN_H
#define RV_IO_NIR_RUN_H

#include "io/nir_build.h"
#include "io/script_command.h"

/** What name=value may say of a graph, see below. */
typedef struct nir_line {
    const char       *input, *record, *check;
    double            time, dt, sample;
    nir_build_options build;
} nir_line;

/** @return false after a sentence about what is wrong; exit status 2 */
bool command_nir_words(const script_argument *arguments, int n, nir_line *line);

/** Reads, builds, plays the input, runs, prints a summary and writes results (--out). Takes the arguments
 *    input=FILE  spikes of the Inputs, see io/nir_input.h       sample=K        of a NIRData recording, from 0
 *    time=MS     how long; else as long as the input            dt=MS           length of a step
 *    record=V_m,I_syn  states of all neurons at every step      check=off       files whose shapes do not fit
 *    discretisation=euler|exponential|impulse   reset=value|subtract   spikes=step|impulse, see io/nir_build.h
 *  @return the exit status: 0, 1 after a sentence about the file, 2 about the command line */
int command_run_nir(const script_options *options);

#endif
