#include "sim/state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/memory.h"
#include "sim/neuron.h"

/* ---- one neuron --------------------------------------------------------------------------------------------- */

void state_read(const state *s, int population, int64_t neuron, double *values)
{
    int               local, t = network_locate(s->net, population, neuron, &local);
    const part_state *ps = &s->tile[t].part[population];
    const rv_model   *m = model_of(s, population);
    int               i = local - s->net->tile[t].part[population].base;
    double            constants[RV_MAX_CONSTANTS];
    neuron_load(ps, m, i, values, constants);
    bool behind = (is_exact(s) || ps->jumping) && m->carry && ps->last[i] < (double)s->step;
    if (behind) m->carry(constants, values, neuron_current(ps, i), (double)s->step - ps->last[i]);
}

void state_write(state *s, int population, int64_t neuron, int variable, double value)
{
    int local, t = network_locate(s->net, population, neuron, &local);
    s->tile[t].part[population].view.state[variable][local - s->net->tile[t].part[population].base] = value;
}

/* ---- generators --------------------------------------------------------------------------------------------- */

/* Times within 1e-9 of a step's end are meant to be there. */
static double in_steps(double ms, double h)
{
    double steps = ms / h, whole = rint(steps);
    return fabs(steps - whole) <= 1e-9 * fmax(1, whole) ? whole : steps;
}

rv_status state_load_times(state *s, int population, rv_error *error)
{
    const population_def *def = &s->net->def->population[population];
    int64_t               total = 0;
    if (!def->spike_times) return RV_OK;
    for (int64_t i = 0; i < def->n; i++) total += def->n_spike_times[i];
    free(s->times[population]);
    free(s->payloads[population]);
    free(s->times_begin[population]);
    s->times[population] = malloc(((size_t)total + 1) * sizeof(double));
    s->payloads[population] = def->payloads ? malloc(((size_t)total + 1) * sizeof(double)) : NULL;
    s->times_begin[population] = malloc(((size_t)def->n + 1) * sizeof(int64_t));
    if (!s->times[population] || (def->payloads && !s->payloads[population]) || !s->times_begin[population])
        return error_memory(error, "spike times", (double)total * 8);
    int64_t k = 0;
    for (int64_t i = 0; i < def->n; i++) {
        s->times_begin[population][i] = k;
        for (int64_t j = 0; j < def->n_spike_times[i]; j++, k++) {
            s->times[population][k] = in_steps(def->spike_times[i][j], s->net->def->resolution);
            if (def->payloads) s->payloads[population][k] = def->payloads[i] ? def->payloads[i][j] : 1;
        }
    }
    s->times_begin[population][def->n] = k;
    return RV_OK;
}

/* ---- making it ---------------------------------------------------------------------------------------------- */

/* Steps that a calendar covers at least, so that what neurons foresee is seldom so far away as to need the heap. */
enum { NEAR_FUTURE = 1000 };

static void *need(state *s, int64_t n, size_t item, bool *failed)
{
    size_t bytes = ((size_t)n + NEURON_BLOCK) * item;
    void  *memory = memory_new(bytes);
    s->bytes += (int64_t)bytes;
    if (!memory) *failed = true;
    return memory;
}

/* A population with per-neuron currents: noise, or a current into a slice. */
static bool has_currents(const definition *d, int population, bool *each)
{
    bool any = *each = false;
    for (int i = 0; i < d->n_inputs; i++) {
        const input_def *in = &d->input[i];
        if (in->target.population != population || input_is_spikes(in->kind)) continue;
        any = true;
        *each |= in->kind == INPUT_NOISE || in->target.count != d->population[population].n;
    }
    return any;
}

static bool open_currents(state *s, int t, int population)
{
    part_state *ps = &s->tile[t].part[population];
    bool        failed = false, each;
    ps->has_current = has_currents(s->net->def, population, &each);
    if (each && !ps->currents) ps->view.currents = ps->currents = need(s, s->net->tile[t].part[population].n, sizeof(double), &failed);
    return !failed;
}

static void link_part(state *s, int t, int population)
{
    part_state           *ps = &s->tile[t].part[population];
    const population_net *p = &s->net->population[population];
    ps->view.per_neuron = p->per_neuron, ps->view.shared = p->shared;
    for (int k = 0; k < model_of(s, population)->n_constants; k++)
        ps->view.constant[k] = p->constant[k] + (p->per_neuron ? s->net->tile[t].part[population].first : 0);
}

bool state_takes_directly(const state *s, int population) { return !is_exact(s) && model_of(s, population)->input_state[0]; }

void state_set_jumping(state *s, int t, int population, bool jumping)
{
    part_state *ps = &s->tile[t].part[population];
    double     *input[2] = { ps->view.input_ex, ps->view.input_in };
    ps->jumping = jumping;
    for (int x = 0; x < 2 && state_takes_directly(s, population); x++) {
        double **place = &ps->view.state[model_of(s, population)->input_state[x] - 1], *from = *place;
        *place = jumping ? ps->own_state[x] : input[x];
        if (*place != from) memcpy(*place, from, (size_t)ps->view.n * sizeof(double));
        if (jumping) memset(input[x], 0, (size_t)ps->view.n * sizeof(double));
    }
}

static bool open_part(state *s, int t, int population)
{
    const part           *own = &s->net->tile[t].part[population];
    const population_def *def = &s->net->def->population[population];
    tile_state           *tile = &s->tile[t];
    part_state           *ps = &tile->part[population];
    bool                  failed = false;
    ps->view = (rv_part){ .n = own->n, .input_ex = tile->input_ex + own->base, .input_in = tile->input_in + own->base,
                          .fired = tile->fired + own->base };
    for (int k = 0; k < def->model->table.n_states && !failed; k++) {
        ps->view.state[k] = need(s, own->n, sizeof(double), &failed);
        for (int i = 0; i < own->n && !failed; i++) ps->view.state[k][i] = neuron_value(&def->initial[k], own->first + i);
    }
    link_part(s, t, population);
    for (int i = 0; i < own->n && !failed; i++) neuron_draw_in_place(s, t, population, i);
    if (is_exact(s) || s->net->population[population].closed_form) {
        ps->last = need(s, own->n, sizeof *ps->last, &failed);
        ps->wake = need(s, own->n, sizeof *ps->wake, &failed);
        for (int i = 0; i < own->n && !failed; i++) ps->wake[i] = INFINITY;
    }
    if (is_exact(s)) ps->certain = need(s, own->n, sizeof *ps->certain, &failed);
    failed |= !open_currents(s, t, population);
    if (is_exact(s) && def->model->open_work && !(ps->work = def->model->open_work())) failed = true;
    for (int i = 0; i < own->n; i++) tile->level_of[own->base + i] = (uint16_t)s->net->population[population].level;
    /* generators and parrots have no other way; others sweep until their activity is known, unless told to jump */
    bool jumping = def->model->emit || def->model->counts_spikes || (s->advance == RV_JUMP && s->net->population[population].closed_form);
    for (int x = 0; x < 2 && state_takes_directly(s, population); x++) ps->own_state[x] = ps->view.state[def->model->input_state[x] - 1];
    if (!failed) state_set_jumping(s, t, population, jumping);
    return !failed;
}

void state_note_touches(state *s, int t)
{
    for (int b = 0; b < s->net->n_bundles; b++) {
        const bundle *bundle = &s->net->bundle[b];
        s->tile[t].touches[b] = false;
        for (int k = 0; k < bundle->n_projections; k++)
            s->tile[t].touches[b] |= s->tile[t].part[s->net->def->projection[bundle->projection[k]].target.population].jumping;
    }
}

static bool open_tile(state *s, int t)
{
    const network *net = s->net;
    tile_state    *tile = &s->tile[t];
    bool           failed = false;
    int32_t        n = net->tile[t].n;
    tile->input_ex = need(s, n, sizeof(double), &failed), tile->input_in = need(s, n, sizeof(double), &failed);
    tile->fired = need(s, n, 1, &failed), tile->touched = need(s, n, 1, &failed);
    tile->list = need(s, n, sizeof *tile->list, &failed), tile->list_scratch = need(s, n, sizeof *tile->list, &failed);
    tile->words = need(s, n, sizeof *tile->words, &failed), tile->halves = need(s, n, sizeof *tile->halves, &failed);
    tile->counts = need(s, n, sizeof *tile->counts, &failed);
    tile->level_of = need(s, n, sizeof *tile->level_of, &failed);
    tile->n_arriving = need(s, n, sizeof *tile->n_arriving, &failed);
    tile->part = calloc((size_t)net->def->n_populations + 1, sizeof *tile->part);
    tile->learning = calloc((size_t)net->n_bundles + 1, sizeof *tile->learning);
    tile->epoch = calloc((size_t)net->n_bundles + 1, sizeof *tile->epoch);
    tile->n_spikes = calloc((size_t)net->def->n_populations + 1, sizeof *tile->n_spikes);
    tile->touches = calloc((size_t)net->n_bundles + 1, sizeof *tile->touches);
    tile->arrivals = calloc((size_t)net->def->n_inputs + 1, sizeof *tile->arrivals);
    for (int k = 0; k < 2; k++) tile->out[k] = calloc((size_t)net->n_levels, sizeof **tile->out);
    tile->sum = calloc((size_t)net->n_bundles + 1, sizeof *tile->sum);
    for (int b = 0; b < net->n_bundles && tile->sum; b++)
        if (net->bundle[b].summed) tile->sum[b].value = need(s, n, sizeof(double), &failed);
    if (failed || !tile->part || !tile->learning || !tile->epoch || !tile->sum || !tile->touches || !tile->n_spikes || !tile->arrivals || !tile->out[0] || !tile->out[1]) return false;
    int64_t horizon = net->max_delay + net->longest_window + 2;
    if (!event_queue_open(&tile->queue, horizon > NEAR_FUTURE ? horizon : NEAR_FUTURE, net->longest_window)) return false;
    for (int p = 0; p < net->def->n_populations; p++)
        if (!open_part(s, t, p)) return false;
    tile->endless_from = INFINITY;
    state_note_touches(s, t);
    return true;
}

void state_relink(state *s, int population)
{
    for (int t = 0; t < s->net->n_tiles; t++) {
        link_part(s, t, population);
        if (!s->net->population[population].closed_form) state_set_jumping(s, t, population, false);
        state_note_touches(s, t);
    }
}

/* Mean number of synapses from a neuron of one population onto another, from which activity is foreseen. */
static rv_status measure_fan_out(state *s, rv_error *error)
{
    int n = s->net->def->n_populations;
    s->fan_out = calloc((size_t)n * (size_t)n + 1, sizeof *s->fan_out);
    if (!s->fan_out) return error_memory(error, "the state", 0);
    for (int b = 0; b < s->net->n_bundles; b++) {
        const bundle *bundle = &s->net->bundle[b];
        double        targets = 0, per_source = (double)bundle->n_synapses / (double)(s->net->def->population[bundle->source].n + 1);
        for (int k = 0; k < bundle->n_projections; k++)
            targets += (double)s->net->def->projection[bundle->projection[k]].target.count;
        for (int k = 0; k < bundle->n_projections; k++) {
            const projection_def *p = &s->net->def->projection[bundle->projection[k]];
            s->fan_out[bundle->source * n + p->target.population] += per_source * (double)p->target.count / fmax(targets, 1);
        }
    }
    return RV_OK;
}

static rv_status open_learning(state *s, rv_error *error)
{
    for (int b = 0; b < s->net->n_bundles; b++)
        for (int t = 0; t < s->net->n_tiles && s->net->bundle[b].rule; t++) TRY(plastic_open(&s->tile[t].learning[b], s->net, b, t, error));
    for (int b = 0; b < s->net->n_bundles; b++)
        for (int t = 0; t < s->net->n_tiles && s->net->bundle[b].epoch; t++) {
            TRY(epoch_open(&s->tile[t].epoch[b], s->net, b, t, error));
            s->bytes += s->tile[t].epoch[b].bytes;
        }
    return RV_OK;
}

static rv_status check_numbers(const network *net, rv_error *error)
{
    int most = net->def->n_populations;
    if (net->n_bundles > most) most = net->n_bundles;
    if (net->def->n_inputs > most) most = net->def->n_inputs;
    if (most <= MAX_NUMBER) return RV_OK;
    return error_set(error, RV_OUT_OF_RANGE, "the network has %d populations, %d kinds of projections and %d inputs, allowed are up to %d of each",
                     net->def->n_populations, net->n_bundles, net->def->n_inputs, MAX_NUMBER);
}

static rv_status open_all(state *s, int threads, rv_error *error)
{
    bool failed = false;
    TRY(check_numbers(s->net, error));
    /* every tile's memory is first touched by the thread that will work on it */
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < s->net->n_tiles; t++)
        if (!open_tile(s, t)) {
#pragma omp atomic write
            failed = true;
        }
    if (failed) return error_memory(error, "the neurons", (double)s->bytes);
    TRY(measure_fan_out(s, error));
    TRY(open_learning(s, error));
    for (int p = 0; p < s->net->def->n_populations; p++) TRY(state_load_times(s, p, error));
    return RV_OK;
}

rv_status state_new(const network *net, rv_advance advance, int threads, state **result, rv_error *error)
{
    *result = NULL;
    state *s = calloc(1, sizeof *s);
    if (!s) return error_memory(error, "the state", sizeof *s);
    s->net = net, s->advance = advance;
    s->tile = calloc((unsigned)net->n_tiles, sizeof *s->tile);
    s->input = calloc((size_t)net->def->n_inputs + 1, sizeof *s->input);
    s->times = calloc((size_t)net->def->n_populations + 1, sizeof *s->times);
    s->payloads = calloc((size_t)net->def->n_populations + 1, sizeof *s->payloads);
    s->times_begin = calloc((size_t)net->def->n_populations + 1, sizeof *s->times_begin);
    rv_status status = s->tile && s->input && s->times && s->payloads && s->times_begin ? open_all(s, threads, error) : error_memory(error, "the state", 0);
    if (status == RV_OK) *result = s;
    else state_free(s);
    return status;
}

/* ---- an input more ------------------------------------------------------------------------------------------ */

/* An array of n items gets one more, zeroed. */
static bool grow(void *array, int n, size_t item)
{
    void **at = array;
    char  *grown = realloc(*at, ((size_t)n + 2) * item);
    if (!grown) return false;
    memset(grown + (size_t)n * item, 0, 2 * item);
    *at = grown;
    return true;
}

rv_status state_add_input(state *s, rv_error *error)
{
    int  i = s->net->def->n_inputs - 1, population = s->net->def->input[i].target.population;
    bool good = grow(&s->input, i, sizeof *s->input);
    for (int t = 0; t < s->net->n_tiles && good; t++)
        good = grow(&s->tile[t].arrivals, i, sizeof *s->tile[t].arrivals) && open_currents(s, t, population);
    return good ? check_numbers(s->net, error) : error_memory(error, "an input", 0);
}

/* ---- freeing it --------------------------------------------------------------------------------------------- */

static void give_back(void *memory, int64_t n, size_t item) { memory_free(memory, ((size_t)n + NEURON_BLOCK) * item); }

static void close_part(state *s, int t, int population)
{
    part_state     *ps = &s->tile[t].part[population];
    const rv_model *m = model_of(s, population);
    int32_t         n = s->net->tile[t].part[population].n;
    for (int k = 0; k < m->table.n_states; k++)
        if (ps->view.state[k] != ps->view.input_ex && ps->view.state[k] != ps->view.input_in) give_back(ps->view.state[k], n, sizeof(double));
    for (int x = 0; x < 2; x++)
        if (!ps->jumping) give_back(ps->own_state[x], n, sizeof(double));
    give_back(ps->last, n, sizeof *ps->last);
    give_back(ps->wake, n, sizeof *ps->wake);
    give_back(ps->certain, n, sizeof *ps->certain);
    give_back(ps->currents, n, sizeof *ps->currents);
    free(ps->probed);
    if (m->close_work) m->close_work(ps->work);
}

static void close_tile(state *s, int t)
{
    tile_state *tile = &s->tile[t];
    int32_t     n = s->net->tile[t].n;
    for (int p = 0; tile->part && p < s->net->def->n_populations; p++) close_part(s, t, p);
    for (int b = 0; tile->learning && b < s->net->n_bundles; b++) plastic_close(&tile->learning[b]);
    for (int b = 0; tile->epoch && b < s->net->n_bundles; b++) epoch_close(&tile->epoch[b]);
    for (int b = 0; tile->sum && b < s->net->n_bundles; b++) give_back(tile->sum[b].value, n, sizeof(double));
    for (int i = 0; tile->arrivals && i < s->net->def->n_inputs; i++) free(tile->arrivals[i].next), free(tile->arrivals[i].drawn);
    for (int k = 0; k < 2; k++) {
        for (int level = 0; tile->out[k] && level < s->net->n_levels; level++) free(tile->out[k][level].spike);
        free(tile->out[k]);
    }
    give_back(tile->input_ex, n, sizeof(double)), give_back(tile->input_in, n, sizeof(double));
    give_back(tile->fired, n, 1), give_back(tile->touched, n, 1);
    give_back(tile->list, n, sizeof *tile->list), give_back(tile->list_scratch, n, sizeof *tile->list);
    give_back(tile->words, n, sizeof *tile->words), give_back(tile->halves, n, sizeof *tile->halves);
    give_back(tile->counts, n, sizeof *tile->counts);
    give_back(tile->level_of, n, sizeof *tile->level_of), give_back(tile->n_arriving, n, sizeof *tile->n_arriving);
    event_queue_close(&tile->queue);
    free(tile->part), free(tile->learning), free(tile->epoch), free(tile->sum), free(tile->touches), free(tile->n_spikes), free(tile->arrivals);
    free(tile->arrival), free(tile->sorted);
}

void state_free(state *s)
{
    if (!s) return;
    for (int t = 0; s->tile && t < s->net->n_tiles; t++) close_tile(s, t);
    for (int i = 0; s->input && i < s->net->def->n_inputs; i++) free(s->input[i].table.threshold);
    for (int p = 0; p < s->net->def->n_populations; p++) {
        if (s->times) free(s->times[p]);
        if (s->payloads) free(s->payloads[p]);
        if (s->times_begin) free(s->times_begin[p]);
    }
    free(s->probe);
    free(s->tile), free(s->input), free(s->times), free(s->payloads), free(s->times_begin), free(s->fan_out);
    free(s);
}
