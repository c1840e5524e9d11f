/* The state in a checkpoint: neurons, queues, inputs. Arrays of neurons are stored whole, in the order of the neurons; queues and
 * what synapses learn as the tiles have them. Between windows the lists of spikes are empty, everything has been exchanged. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_visit.h"
#include "sim/inputs.h"
#include "sim/neuron.h"

/* ---- neurons ------------------------------------------------------------------------------------------------------ */

static double *states_of(const part_state *ps, int k) { return ps->view.state[k]; }

/* One array of doubles for each part: `which` counts the states; then come these. */
enum { PART_LAST = -1, PART_WAKE = -2, PART_CURRENTS = -3 };

static double *doubles_of(const part_state *ps, int which)
{
    return which >= 0 ? states_of(ps, which) : which == PART_LAST ? ps->last : which == PART_WAKE ? ps->wake : ps->currents;
}

static rv_status visit_doubles(visitor *v, state *s, int p, const char *path, int which)
{
    const part *own;
    int64_t     n = s->net->def->population[p].n;
    int         t;
    TRY(visit_begin(v, path, CHECKPOINT_F64, &n));
    EACH_PART(s->net, p, t, own) TRY(visit_next(v, doubles_of(&s->tile[t].part[p], which), own->n));
    return visit_end(v);
}

/* Whether the tiles that hold neurons of a population have an array; they all have it or none has. */
static bool has_doubles(const state *s, int p, int which)
{
    return doubles_of(&s->tile[visit_tile_of(s->net, p, 0)].part[p], which) != NULL;
}

static rv_status visit_times(visitor *v, state *s, int p)
{
    const part *own;
    int         t;
    for (int which = PART_LAST; which >= PART_WAKE; which--)
        if (has_doubles(s, p, which)) TRY(visit_doubles(v, s, p, AT("populations/%d/%s", p, which == PART_LAST ? "last" : "wake"), which));
    EACH_PART(s->net, p, t, own)
        for (int i = 0; v->loading && s->tile[t].part[p].last && i < own->n; i++)
            if (!(s->tile[t].part[p].last[i] >= 0 && s->tile[t].part[p].last[i] <= (double)s->step + MAX_DELAY_STEPS) || isnan(s->tile[t].part[p].wake[i]))
                return visit_damaged(v, AT("populations/%d/last", p), "and wake are %g and %g for neuron %lld", s->tile[t].part[p].last[i], s->tile[t].part[p].wake[i],
                                     (long long)(own->first + i));
    if (!is_exact(s)) return RV_OK;
    int64_t n = s->net->def->population[p].n;
    TRY(visit_begin(v, AT("populations/%d/certain", p), CHECKPOINT_U8, &n));
    EACH_PART(s->net, p, t, own)
    {
        bool *certain = s->tile[t].part[p].certain;
        TRY(visit_next(v, certain, own->n));
        for (int i = 0; v->loading && i < own->n; i++)
            if (((uint8_t *)certain)[i] > 1) return visit_damaged(v, AT("populations/%d/certain", p), "is neither 0 nor 1");
    }
    return visit_end(v);
}

/* The choice between sweep and jump, and the current, of every tile: also of those without neurons of the population. */
static rv_status visit_tiles_of(visitor *v, state *s, int p)
{
    const population_net *net = &s->net->population[p];
    const rv_model       *m = model_of(s, p);
    int64_t               n = s->net->n_tiles, also = n;
    TRY(visit_begin(v, AT("populations/%d/jumping", p), CHECKPOINT_U8, &n));
    for (int t = 0; t < s->net->n_tiles; t++) {
        uint8_t jumping = s->tile[t].part[p].jumping;
        TRY(visit_next(v, &jumping, 1));
        bool can_jump = net->closed_form || m->emit || m->counts_spikes;
        if (jumping > 1 || (jumping ? !can_jump : !m->sweep)) return visit_damaged(v, v->at.path, "is %d for neurons that cannot", jumping);
        if (v->loading) state_set_jumping(s, t, p, jumping);
    }
    TRY(visit_end(v));
    TRY(visit_begin(v, AT("populations/%d/current", p), CHECKPOINT_F64, &also));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_next(v, &s->tile[t].part[p].view.current, 1));
    return visit_end(v);
}

/* What generators keep are places in lists and counters; other neurons may be anywhere. */
static rv_status check_generator(const visitor *v, const state *s, int p)
{
    const rv_table *table = &model_of(s, p)->table;
    const part     *own;
    int             t;
    EACH_PART(s->net, p, t, own)
        for (int k = 0; k < table->n_states; k++)
            for (int i = 0; i < own->n; i++) {
                double x = states_of(&s->tile[t].part[p], k)[i];
                if (!(x >= table->states[k].low && x <= table->states[k].high))
                    return visit_damaged(v, AT("populations/%d/state/%s", p, table->states[k].name), "is %g for neuron %lld", x, (long long)(own->first + i));
            }
    return RV_OK;
}

static rv_status visit_population(visitor *v, state *s, int p)
{
    const rv_table *table = &model_of(s, p)->table;
    for (int k = 0; k < table->n_states; k++) TRY(visit_doubles(v, s, p, AT("populations/%d/state/%s", p, table->states[k].name), k));
    if (v->loading && model_of(s, p)->emit) TRY(check_generator(v, s, p));
    TRY(visit_tiles_of(v, s, p));
    TRY(visit_times(v, s, p));
    return has_doubles(s, p, PART_CURRENTS) ? visit_doubles(v, s, p, AT("populations/%d/currents", p), PART_CURRENTS) : RV_OK;
}

/* ---- tiles -------------------------------------------------------------------------------------------------------- */

static rv_status visit_tile(visitor *v, state *s, int t)
{
    tile_state *tile = &s->tile[t];
    int64_t     n = s->net->tile[t].n;
    assert(tile->n_arrivals == 0 && tile->n_open == 0 && tile->n_list == 0);
    TRY(visit_values(v, AT("tiles/%d/input_ex", t), CHECKPOINT_F64, tile->input_ex, n));
    TRY(visit_values(v, AT("tiles/%d/input_in", t), CHECKPOINT_F64, tile->input_in, n));
    TRY(visit_counts(v, AT("tiles/%d/n_spikes", t), tile->n_spikes, s->net->def->n_populations));
    TRY(visit_int64(v, AT("tiles/%d/n_events", t), &tile->n_events, 0, VISIT_MOST));
    TRY(visit_int64(v, AT("tiles/%d/n_updates", t), &tile->n_updates, 0, VISIT_MOST));
    return visit_queue(v, s, t);
}

/* ---- inputs ------------------------------------------------------------------------------------------------------- */

static rv_status open_arrivals(visitor *v, state *s, int i)
{
    int population = s->net->def->input[i].target.population;
    for (int t = 0; t < s->net->n_tiles; t++) {
        arrivals *a = &s->tile[t].arrivals[i];
        size_t    n = (size_t)s->net->tile[t].part[population].n;
        a->next = malloc((n + 1) * sizeof *a->next), a->drawn = calloc(n + 1, sizeof *a->drawn);
        if (!a->next || !a->drawn) return error_memory(v->error, "an input", (double)n * 12);
    }
    return RV_OK;
}

/* Input with a time for each spike: when the next ones come, and how many have been drawn. */
static rv_status visit_arrivals(visitor *v, state *s, int i)
{
    int         population = s->net->def->input[i].target.population, t;
    int64_t     n = s->net->def->population[population].n, also = n;
    const part *own;
    bool        drawn = s->tile[0].arrivals[i].next != NULL;
    TRY(visit_bool(v, AT("inputs/%d/drawn_one_by_one", i), &drawn));
    if (v->loading && !drawn && input_is_spikes(s->net->def->input[i].kind) && s->input[i].way != POISSON_TABLE)
        return visit_damaged(v, AT("inputs/%d/drawn_one_by_one", i), "is 0 for an input that is");
    if (!drawn) return RV_OK;
    if (v->loading) TRY(open_arrivals(v, s, i));
    TRY(visit_begin(v, AT("inputs/%d/next", i), CHECKPOINT_F64, &n));
    EACH_PART(s->net, population, t, own)
    {
        TRY(visit_next(v, s->tile[t].arrivals[i].next, own->n));
        for (int64_t k = 0; v->loading && k < own->n; k++)
            if (!(s->tile[t].arrivals[i].next[k] >= 0)) return visit_damaged(v, AT("inputs/%d/next", i), "is no time for neuron %lld", (long long)(own->first + k));
    }
    TRY(visit_end(v));
    TRY(visit_begin(v, AT("inputs/%d/drawn", i), CHECKPOINT_U32, &also));
    EACH_PART(s->net, population, t, own) TRY(visit_next(v, s->tile[t].arrivals[i].drawn, own->n));
    return visit_end(v);
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

rv_status visit_state(visitor *v, state *s)
{
    int64_t n = s->net->def->n_populations;
    TRY(visit_int64(v, "step", &s->step, 0, VISIT_LAST_STEP));
    TRY(visit_values(v, "fan_out", CHECKPOINT_F64, s->fan_out, n * n));
    for (int p = 0; p < n; p++) TRY(visit_population(v, s, p));
    for (int i = 0; i < s->net->def->n_inputs; i++) TRY(visit_arrivals(v, s, i));
    for (int t = 0; t < s->net->n_tiles; t++) TRY(visit_tile(v, s, t));
    for (int b = 0; b < s->net->n_bundles; b++) TRY(visit_learning(v, s, b));
    for (int t = 0; t < s->net->n_tiles && v->loading; t++) state_note_touches(s, t);
    return RV_OK;
}
