/* Random numbers as a function of (seed, purpose, object, index, counter): Philox4x32-10 of Random123 (Salmon et al.
 * 2011, doi:10.1145/2063384.2063405). No generator has a history, so nothing depends on the order of drawing, on
 * threads, or on what else is drawn.
 *
 *   key      = seed (64 bits)
 *   counter  = { running number, index (64 bits), purpose (8 bits) and object (24 bits) } */
#ifndef RV_SIM_RANDOM_H
#define RV_SIM_RANDOM_H

#include <stdint.h>
#include <gsl/gsl_rng.h>

/** What a stream is for; streams of different purpose never meet. */
typedef enum random_purpose {
    RANDOM_PARAMETER = 1, /* object: population; index: parameter or state and neuron          */
    RANDOM_CONNECT,       /* object: projection; index: the neuron that drives the rule        */
    RANDOM_SYNAPSE,       /* object: projection; index: driving neuron: weights and delays     */
    RANDOM_TOTAL,         /* object: projection: how a total number is split                   */
    RANDOM_BACKGROUND,    /* object: input; index: step: spike counts of 64 neurons a block    */
    RANDOM_ARRIVAL,       /* object: input; index: neuron: continuous arrival times            */
    RANDOM_NOISE,         /* object: input; index: step                                        */
    RANDOM_EMISSION,      /* object: population; index: neuron: spikes of a generator          */
    RANDOM_WEIGHTS,       /* object: projection; index: synapse: weights set by the user       */
    RANDOM_USER,          /* what scripts and tests draw                                       */
    RANDOM_LEARNING,      /* object: projection; index: step: rounding of traces and weights   */
    RANDOM_BACKGROUND_LOW, /* object: input; index: step: the lower digits of a spike count, see random_halves() */
    RANDOM_DELAYS,        /* object: projection; index: synapse: delays set by the user; step and neuron: rounding */
    RANDOM_REWIRE,        /* object: projection; index: step and neuron: its new synapses      */
    RANDOM_ESCAPE,        /* object: population; index: neuron: intervals of a stochastic neuron */
} random_purpose;

/** One stream; a plain value, copied freely. */
typedef struct rv_random {
    uint32_t key[2], counter[4];
    uint32_t word[4]; /* the last block drawn          */
    int      unused;  /* words of it not yet given out */
} rv_random;

rv_random random_stream(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t index);

/** Moves to the n-th block of four words of the stream. */
void random_seek(rv_random *stream, uint32_t block);

uint32_t random_u32(rv_random *stream);
double   random_uniform(rv_random *stream);                 /* in (0, 1), 53 bits           */
uint64_t random_below(rv_random *stream, uint64_t n);       /* 0 .. n-1, without bias       */
double   random_exponential(rv_random *stream);             /* mean 1                       */

/** A stream as a GSL generator, for all of GSL's distributions; borrows the stream. */
gsl_rng                    random_gsl(rv_random *stream);
extern const gsl_rng_type *const rv_gsl_rng_type;

/** One word for each of n neurons at one step, vectorised: neuron i gets word (i % 64) / 16 of the block whose counter
 *  is { (i / 64) 16 + i % 16, step, purpose and object }. @param first multiple of 64 @param words result, [n rounded up to 64] */
void random_words(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t step, int64_t first, int64_t n,
                  uint32_t *words);

/** Half a word for each of n neurons at one step: neuron i gets word (i % 64) / 16 of the block whose counter is
 *  { (i / 64) 8 + i % 16 / 2, step, purpose and object }, its lower half if i is even, else the upper.
 *  @param first multiple of 64 @param halves result, [n rounded up to 64] */
void random_halves(uint64_t seed, random_purpose purpose, uint32_t object, uint64_t step, int64_t first, int64_t n,
                   uint16_t *halves);

#endif
