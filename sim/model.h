/* A neuron model is a table and a few functions. One file in neurons/, one line in neurons/registry.c; the engine owns
 * all memory and calls the hooks in the order below. Time is counted in steps of the resolution h, as real numbers where
 * it need not be whole, so that the same closed form serves the sweep, the jump and exact timing. */
#ifndef RV_SIM_MODEL_H
#define RV_SIM_MODEL_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sim/random.h"
#include "sim/ranvier.h"
#include "sim/vector.h"

enum { RV_MAX_PARAMS = 32, RV_MAX_STATES = 24, RV_MAX_CONSTANTS = 64 };

/** A stretch of a population in memory: arrays of variables, not of neurons. */
typedef struct rv_part {
    int           n;
    double       *state[RV_MAX_STATES];       /* [n] each                                                        */
    const double *constant[RV_MAX_CONSTANTS]; /* [n] each if per_neuron, else [1]                                */
    bool          per_neuron;                 /* whether neurons differ in their constants ...                   */
    const bool   *shared;                     /* ... but not in these                                            */
    double       *input_ex, *input_in;        /* [n] summed weights that arrive at the end of this step; zeroed  */
                                              /* by the sweep, or the states that take them: see input_state     */
    double        current;                    /* pA during this step, for all neurons ...                        */
    const double *currents;                   /* [n] ... plus one for each, or NULL                              */
    uint8_t      *fired;                      /* [n rounded up to 8] result: 1 where the neuron spiked           */
} rv_part;

/** What a generator emits from. */
typedef struct rv_emission {
    const double *times; /* [n] spike times in steps, ascending: spike_generator   */
    const double *payloads; /* [n] what the spikes carry, or NULL                  */
    int64_t       n;
    rv_random     random; /* the neuron's own stream: poisson_generator            */
    bool          restart; /* forget what was foreseen and emit what comes ...      */
    double        after;   /* ... after this time, steps                           */
} rv_emission;

struct rv_model {
    rv_table table; /* name, equations, reference, parameters, states                                            */
    int      n_constants;
    bool     counts_spikes; /* input is a number of spikes, whatever their weights: parrot_neuron                */
    bool     adds_inputs;   /* a step only takes the sum of what excites and inhibits: where sums are exact, all of it may come as ex */
    bool     spikes_only;   /* takes no current from outside: intfire1                                            */
    int      n_receptors; /* 0: input goes by its sign; else synapses name one of receptors 1 ... (receptor_type), 1 if    */
                          /* they name none: grid timing puts what arrives at 1 into ex and in, at 2, 3, ... into ...       */
    int      receptor_state; /* ... this state and those behind it, which the step takes and sets back to 0               */
    int      input_state[2]; /* 1 + the states to which what excites and what inhibits is added, in pA, after the step in grid    */
                             /* timing; 0: the step takes it. Then a sweep sees no input at all, as it arrives in the states     */
    int      carries; /* 1 + the state whose value, a whole number, a spike carries; 0: spikes carry nothing      */

    /** A sentence if the parameters contradict each other (V_reset above V_th), else NULL. */
    const char *(*check)(const double *p);

    /** Constants of one neuron from its parameters at a resolution of h ms. */
    void (*prepare)(const double *p, double h, double *c);

    /** Exact timing: what is different in the constants then; may be NULL. */
    void (*prepare_exact)(const double *p, double h, double *c);

    /** A reason why neurons with these parameters have no closed form between events: then they are not jumped over
     *  in grid timing, and refused in exact timing. NULL: they have one. */
    const char *(*no_closed_form)(const double *p);

    /** Grid timing, all neurons of a part, one step: state(t) -> state(t + h), input is consumed, `fired` is set. */
    void (*sweep)(const rv_part *part);

    /** Grid timing, one neuron, one step: the body of the sweep. @return whether it spikes at the end of the step */
    bool (*step)(const double *c, double *s, double current, double ex, double in);

    /** Carries one neuron over k steps (real, >= 0) without input and without a threshold crossing. */
    void (*carry)(const double *c, double *s, double current, double k);

    /** Finds the first time in (0, k] (k may be INFINITY) at which V_m reaches V_th without further input. The result
     *  may not depend on k, which only cuts the search short.
     *  @param found whether there is one @return its time in steps; else a time before which there is none */
    double (*crossing)(const double *c, const double *s, double current, double k, bool *found);

    /** Instead of the two above where there is no closed form: integrates up to k steps and stops at a crossing.
     *  @param work what open_work() returned @return whether it stopped at a crossing; elapsed steps in *when */
    bool (*advance)(const double *c, double *s, double current, double k, double *when, void *work);
    void *(*open_work)(void);
    void (*close_work)(void *work);

    /** Exact timing, and models that count spikes in both: takes input that arrives now.
     *  @return the number of spikes emitted at once */
    int (*receive)(const double *c, double *s, double ex, double in);

    /** Exact timing: what a spike does to the state (reset, refractory period). */
    void (*fire)(const double *c, double *s);

    /** Stochastic neurons: takes the random numbers of the next interval between spikes, at the beginning and after each
     *  spike. @param random the neuron's own stream; each call sees numbers of its own */
    void (*draw)(const double *c, double *s, rv_random *random);

    /** Generators: the time in steps of the next emission, later than all before; INFINITY if there is none. */
    double (*emit)(const double *c, double *s, rv_emission *emission);
};

/** All models, NULL at the end; the list is in neurons/registry.c. */
extern const rv_model *const rv_models[];

/** Plain names for models, { NULL } at the end. */
typedef struct rv_model_alias {
    const char     *name;
    const rv_model *model;
} rv_model_alias;
extern const rv_model_alias rv_model_aliases[];

const rv_model *rv_model_find(const char *name);

/** The sweep of a model from its step: loads each neuron, calls the step, stores. With a step whose branches are
 *  selections the compiler vectorises the loop; homogeneous populations keep their constants in registers. */
#define RV_SWEEP(sweep, step, N_STATES, N_CONSTANTS)                                                                  \
    RV_SWEEP_OF(sweep, step(c, s, I, ex[i], in[i]) ? 1 : 0, true, false, (rv_step *)NULL, N_STATES, N_CONSTANTS)

/** The same for a model whose input arrives in its states: see input_state. */
#define RV_SWEEP_WITHOUT_INPUT(sweep, step, N_STATES, N_CONSTANTS)                                                    \
    RV_SWEEP_OF(sweep, step(c, s, I) ? 1 : 0, false, false, (rv_step *)NULL, N_STATES, N_CONSTANTS)

/** The same where the vectorised step cannot serve every neuron: quick() takes what a step takes and returns 0,
 *  1 where the neuron fires, or 2 where it has left the states as they were: then careful() steps that neuron. */
#define RV_SWEEP_CHECKED(sweep, quick, careful, N_STATES, N_CONSTANTS)                                                \
    RV_SWEEP_OF(sweep, quick(c, s, I, ex[i], in[i]), true, true, careful, N_STATES, N_CONSTANTS)

typedef bool rv_step(const double *c, double *s, double current, double ex, double in);

/** One neuron of a part by a step of its own. */
static inline bool rv_part_step(const rv_part *part, rv_step *step, int i, int n_states, int n_constants)
{
    double s[RV_MAX_STATES], c[RV_MAX_CONSTANTS];
    for (int k = 0; k < n_states; k++) s[k] = part->state[k][i];
    for (int k = 0; k < n_constants; k++) c[k] = part->constant[k][part->per_neuron ? i : 0];
    bool fired = step(c, s, part->current + (part->currents ? part->currents[i] : 0), part->input_ex[i], part->input_in[i]);
    for (int k = 0; k < n_states; k++) part->state[k][i] = s[k];
    part->input_ex[i] = part->input_in[i] = 0;
    return fired;
}

enum { SWEEP_STRIP = 64 };
#define RV_SWEEP_OF(sweep, result, takes_input, checked, again, N_STATES, N_CONSTANTS)                                \
    static inline __attribute__((always_inline)) void sweep##_loop(const rv_part *part, const bool per_neuron,        \
                                                                 const bool currents)                                 \
    {                                                                                                                 \
        const int n = part->n;                                                                                        \
        double   *restrict ex = (takes_input) ? part->input_ex : NULL, *restrict in = (takes_input) ? part->input_in : NULL;\
        uint8_t  *restrict fired = part->fired;                                                                       \
        const double *each = part->currents;                                                                          \
        const double  all = part->current;                                                                            \
        double       *state[N_STATES];                                                                                \
        const double *constant[N_CONSTANTS];                                                                          \
        double        shared[N_CONSTANTS];                                                                            \
        for (int k = 0; k < N_STATES; k++) state[k] = part->state[k];                                                 \
        for (int k = 0; k < N_CONSTANTS; k++) constant[k] = part->constant[k], shared[k] = part->constant[k][0];      \
        for (int begin = 0; begin < n; begin += SWEEP_STRIP) {                                                        \
            int64_t   fired_strip[SWEEP_STRIP]; /* as wide as the states, so that the loop is vectorised as a whole */\
            int64_t   any = 0;                                                                                        \
            const int end = n - begin < SWEEP_STRIP ? n - begin : SWEEP_STRIP;                                        \
            _Pragma("GCC ivdep") for (int j = 0; j < end; j++)                                                        \
            {                                                                                                         \
                const int    i = begin + j;                                                                           \
                const double I = currents ? all + each[i] : all;                                                      \
                double       s[N_STATES], c[N_CONSTANTS];                                                             \
                _Pragma("GCC unroll 24") for (int k = 0; k < N_STATES; k++) s[k] = state[k][i];                       \
                _Pragma("GCC unroll 64") for (int k = 0; k < N_CONSTANTS; k++)                                        \
                    c[k] = per_neuron ? constant[k][i] : shared[k];                                                   \
                const int64_t outcome = result;                                                                       \
                fired_strip[j] = outcome;                                                                             \
                any |= outcome;                                                                                       \
                _Pragma("GCC unroll 24") for (int k = 0; k < N_STATES; k++) state[k][i] = s[k];                       \
                if (takes_input) ex[i] = (checked) && outcome > 1 ? ex[i] : 0;                                        \
                if (takes_input) in[i] = (checked) && outcome > 1 ? in[i] : 0;                                        \
            }                                                                                                         \
            if (any == 0) memset(fired + begin, 0, (size_t)end);                                                      \
            for (int j = 0; any && j < end; j++) fired[begin + j] = (uint8_t)fired_strip[j];                          \
            for (int j = 0; (checked) && any > 1 && j < end; j++)                                                     \
                if (fired[begin + j] > 1) fired[begin + j] = rv_part_step(part, again, begin + j, N_STATES, N_CONSTANTS);\
        }                                                                                                             \
    }                                                                                                                 \
    RV_VECTORISED static void sweep(const rv_part *part)                                                              \
    {                                                                                                                 \
        if (!part->per_neuron && !part->currents) sweep##_loop(part, false, false);                                   \
        else if (!part->per_neuron) sweep##_loop(part, false, true);                                                  \
        else if (!part->currents) sweep##_loop(part, true, false);                                                    \
        else sweep##_loop(part, true, true);                                                                          \
    }

#endif
