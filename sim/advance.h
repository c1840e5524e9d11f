/* The ways to advance neurons over a window: on the grid (sweep or jump) and in exact timing. One neuron at a time is
 * worked on in local arrays; sweeps work on whole parts. */
#ifndef RV_SIM_ADVANCE_H
#define RV_SIM_ADVANCE_H

#include "sim/state.h"

/** The thresholds of activity (events per neuron and step) below which a swept population is jumped over, and above which
 *  one that jumps is swept again; apart, so that it does not flutter. A visit costs some 60 sweeps of one neuron. */
#define JUMP_BELOW  (1.0 / 80)
#define SWEEP_ABOVE (1.0 / 40)

enum { DECISION_STEPS = 128 }; /* how often that is decided; windows end there */

/** Advances a tile over the steps from..to-1. */
void grid_advance(state *s, int t, int64_t from, int64_t to);

/** Advances the populations of one level of a tile over the window from..to. */
void exact_advance(state *s, int t, int level, int64_t from, int64_t to);

/** Visits one neuron's next event without input: on the grid the first step at whose end it might spike. */
void grid_foresee(state *s, int t, int population, int i);
void exact_foresee(state *s, int t, int population, int i, double until);

/** Samples the probes of a tile after a step, on the grid. */
void probes_sample(state *s, int t, int64_t step);

/** Exact timing: samples a neuron's states at the times up to `until`, before it is carried there. */
void probes_sample_neuron(state *s, int t, int population, int i, double until);

/** Exact timing: the same for all neurons of a level at the end of a stretch, whether or not they had an event. */
void probes_sample_rest(state *s, int t, int level, int64_t to);

/* ---- the profile --------------------------------------------------------------------------------------------- */

typedef struct stage_clock {
    double last; /* seconds */
} stage_clock;

double stage_now(void);

/** Nothing is measured, and nothing lost, unless profiling is on. */
static inline stage_clock stage_start(const state *s) { return (stage_clock){ s->profiling ? stage_now() : 0 }; }
static inline void        stage_end(state *s, int t, stage stage, stage_clock *clock)
{
    if (!s->profiling) return;
    double now = stage_now();
    s->tile[t].seconds[stage] += now - clock->last;
    clock->last = now;
}

/* ---- one neuron ---------------------------------------------------------------------------------------------- */

static inline const rv_model *model_of(const state *s, int population) { return s->net->def->population[population].model; }

static inline double part_current(const part_state *ps, int i)
{
    return ps->view.current + (ps->view.currents ? ps->view.currents[i] : 0);
}

/** Copies a neuron's states and constants; their numbers are the model's. */
static inline void load_neuron(const part_state *ps, const rv_model *m, int i, double *states, double *constants)
{
    for (int k = 0; k < m->table.n_states; k++) states[k] = ps->view.state[k][i];
    for (int k = 0; k < m->n_constants; k++) constants[k] = ps->view.constant[k][ps->view.per_neuron ? i : 0];
}

static inline void store_neuron(part_state *ps, const rv_model *m, int i, const double *states)
{
    for (int k = 0; k < m->table.n_states; k++) ps->view.state[k][i] = states[k];
}

static inline void add_spike(tile_state *tile, const state *s, int level, int population, const part *own, int i, double time,
                             uint32_t multiplicity)
{
    spike_list_push(&tile->out[tile->parity][level], (spike){ time, (uint32_t)(s->net->def->population[population].first_id + own->first + i), multiplicity });
}

/** What a generator's neuron emits from. */
static inline rv_emission emission_of(const state *s, int population, int64_t neuron)
{
    const int64_t *begin = s->times_begin[population];
    return (rv_emission){ .times = begin ? s->times[population] + begin[neuron] : NULL, .n = begin ? begin[neuron + 1] - begin[neuron] : 0,
                          .random = random_stream(s->net->def->seed, RANDOM_EMISSION, (uint32_t)population, (uint64_t)neuron) };
}

/** Lists a neuron that has an event in this step or window. */
static inline void touch_neuron(tile_state *tile, uint32_t local)
{
    tile->list[tile->n_list] = (uint16_t)local;
    tile->n_list += !tile->touched[local];
    tile->touched[local] = 1;
}

/** Puts the listed neurons into ascending order. */
void sort_touched(tile_state *tile);

#endif
