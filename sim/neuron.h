/* One neuron at a time: its states and constants in local arrays, as the hooks of a model want them. */
#ifndef RV_SIM_NEURON_H
#define RV_SIM_NEURON_H

#include "sim/state.h"

static inline const rv_model *model_of(const state *s, int population) { return s->net->def->population[population].model; }

static inline bool is_exact(const state *s) { return s->net->def->timing == RV_EXACT; }

/** The external current of neuron i of a part. */
static inline double neuron_current(const part_state *ps, int i)
{
    return ps->view.current + (ps->view.currents ? ps->view.currents[i] : 0);
}

/** Copies a neuron's states and constants; their numbers are the model's. */
static inline void neuron_load(const part_state *ps, const rv_model *m, int i, double *states, double *constants)
{
    for (int k = 0; k < m->table.n_states; k++) states[k] = ps->view.state[k][i];
    for (int k = 0; k < m->n_constants; k++) constants[k] = ps->view.constant[k][ps->view.shared[k] ? 0 : i];
}

static inline void neuron_store(part_state *ps, const rv_model *m, int i, const double *states)
{
    for (int k = 0; k < m->table.n_states; k++) ps->view.state[k][i] = states[k];
}

/** Draws what a stochastic neuron needs until its next spike. */
static inline void neuron_draw(const state *s, int t, int population, int i, const double *constants, double *states)
{
    const rv_model *m = model_of(s, population);
    uint64_t        neuron = (uint64_t)(s->net->tile[t].part[population].first + i);
    rv_random       random = random_stream(s->net->def->seed, RANDOM_ESCAPE, (uint32_t)population, neuron);
    if (m->draw) m->draw(constants, states, &random);
}

/** The same where the states are in memory. */
static inline void neuron_draw_in_place(const state *s, int t, int population, int i)
{
    part_state *ps = &s->tile[t].part[population];
    double      states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS];
    if (!model_of(s, population)->draw) return;
    neuron_load(ps, model_of(s, population), i, states, constants);
    neuron_draw(s, t, population, i, constants, states);
    neuron_store(ps, model_of(s, population), i, states);
}

/** Lists the spikes of neuron i of a part, and tells the synapses that learn from them. @param number how many, or what the
 *  spike of a graded population carries */
static inline void neuron_spikes(state *s, int t, int level, int population, int i, double time, uint32_t number)
{
    tile_state           *tile = &s->tile[t];
    const population_net *p = &s->net->population[population];
    const population_def *def = &s->net->def->population[population];
    spike                 sp = { time, (uint32_t)(def->first_id + s->net->tile[t].part[population].first + i), number };
    spike_list_push(&tile->out[tile->parity][level], sp);
    for (int k = 0; k < p->n_learning; k++) {
        epoch *in_epochs = &tile->epoch[p->learning[k]];
        if (in_epochs->rule) epoch_target_spike(in_epochs, i, (int64_t)time);
        else
            for (uint32_t m = spike_count(def, &sp); m > 0; m--) plastic_post_spike(&tile->learning[p->learning[k]], i, time);
    }
}

/** What a spike of neuron i of a graded population carries now. */
static inline uint32_t neuron_payload(const state *s, const part_state *ps, int population, int i)
{
    return (uint32_t)(int32_t)ps->view.state[model_of(s, population)->carries - 1][i];
}

#endif
