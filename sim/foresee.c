#include "sim/foresee.h"

#include <math.h>

#include "sim/inputs.h"
#include "sim/neuron.h"

/* ---- crossings ---------------------------------------------------------------------------------------------- */

/* On the grid the first step's end at which V_m might be above threshold: rounding must not make it late, and a step too
 * early only costs a visit. In exact timing the crossing itself, if the search came as far. */
void foresee_crossing(state *s, int t, int population, int i, const double *states, const double *constants, double until)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    bool            found;
    if (!m->crossing) return; /* a parrot, or a model that is integrated */
    double when = m->crossing(constants, states, neuron_current(ps, i), larger(until - ps->last[i], 0), &found);
    ps->wake[i] = ps->last[i] + (is_exact(s) ? when : larger(1, ceil(when - 1e-6)));
    if (is_exact(s)) ps->certain[i] = found;
}

void foresee_queue(state *s, int t, int population, int i)
{
    double wake = s->tile[t].part[population].wake[i];
    if (!(wake < 9e15)) return;
    int64_t due = (int64_t)(is_exact(s) ? floor(wake) : ceil(wake));
    event_queue_push(&s->tile[t].queue, due, event_word(EVENT_WAKE, 1, (uint32_t)population, (uint32_t)i));
}

/* ---- emissions ---------------------------------------------------------------------------------------------- */

void foresee_emission(state *s, int t, int population, int i, bool restart)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    int64_t         neuron = s->net->tile[t].part[population].first + i;
    const int64_t  *begin = s->times_begin[population];
    double          states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS], now = (double)s->step;
    const double   *payloads = s->payloads[population];
    rv_emission     emission = { .times = begin ? s->times[population] + begin[neuron] : NULL,
                                 .payloads = payloads ? payloads + begin[neuron] : NULL,
                                 .n = begin ? begin[neuron + 1] - begin[neuron] : 0,
                                 .random = random_stream(s->net->def->seed, RANDOM_EMISSION, (uint32_t)population, (uint64_t)neuron),
                                 .restart = restart,
                                 .after = is_exact(s) ? nextafter(now, -INFINITY) : now };
    neuron_load(ps, m, i, states, constants);
    ps->wake[i] = m->emit(constants, states, &emission);
    neuron_store(ps, m, i, states);
}

/* ---- settling ----------------------------------------------------------------------------------------------- */

void foresee_settle_part(state *s, int t, int population, int64_t step)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    if (!m->carry || (!is_exact(s) && !ps->jumping)) return;
    for (int i = 0; i < ps->view.n; i++) {
        double states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS];
        if (ps->last[i] >= (double)step) continue;
        neuron_load(ps, m, i, states, constants);
        m->carry(constants, states, neuron_current(ps, i), (double)step - ps->last[i]);
        neuron_store(ps, m, i, states);
        ps->last[i] = (double)step;
    }
}

static void foresee_neuron(state *s, int t, int population, int i)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    double          states[RV_MAX_STATES], constants[RV_MAX_CONSTANTS];
    neuron_load(ps, m, i, states, constants);
    if (m->emit) foresee_emission(s, t, population, i, true);
    else foresee_crossing(s, t, population, i, states, constants, ps->last[i] + FORESEE_STEPS);
    foresee_queue(s, t, population, i);
}

void foresee_part(state *s, int t, int population)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    if (!ps->wake || (!is_exact(s) && !ps->jumping) || (!m->emit && !m->crossing)) return;
    for (int i = 0; i < ps->view.n; i++) foresee_neuron(s, t, population, i);
}

void foresee_settle(state *s, int population)
{
    for (int t = 0; t < s->net->n_tiles; t++) foresee_settle_part(s, t, population, s->step);
}

void foresee_population(state *s, int population)
{
    for (int t = 0; t < s->net->n_tiles; t++) foresee_part(s, t, population);
}

/* ---- the choice between sweep and jump ---------------------------------------------------------------------- */

/* Events per neuron and step, if the next steps are like those since the last decision. */
static double expected_events(const state *s, int t, int population)
{
    int    n = s->net->def->n_populations;
    double events = 0;
    for (int p = 0; p < n; p++) events += (double)s->tile[t].n_spikes[p] * s->fan_out[p * n + population];
    return events / ((double)s->net->def->population[population].n * DECISION_STEPS) + inputs_mean_arrivals(s, population);
}

static void choose_part(state *s, int t, int population, int64_t step)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    if (s->advance != RV_ADAPTIVE || m->emit || m->counts_spikes || !s->net->population[population].closed_form) return;
    double activity = inputs_vary_each_step(s, population) ? 1 : expected_events(s, t, population);
    if (ps->jumping && activity > SWEEP_ABOVE) {
        foresee_settle_part(s, t, population, step);
        state_set_jumping(s, t, population, false);
        for (int i = 0; i < ps->view.n; i++) ps->wake[i] = INFINITY;
    } else if (!ps->jumping && activity < JUMP_BELOW) {
        state_set_jumping(s, t, population, true);
        for (int i = 0; i < ps->view.n; i++) ps->last[i] = (double)step;
        foresee_part(s, t, population);
    }
}

void foresee_choose(state *s, int t, int64_t step)
{
    for (int p = 0; p < s->net->def->n_populations; p++) choose_part(s, t, p, step);
    for (int p = 0; p < s->net->def->n_populations; p++) s->tile[t].n_spikes[p] = 0;
    state_note_touches(s, t);
}
