#include "sim/inputs.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"
#include "sim/neuron.h"
#include "sim/renewal.h"
#include "sim/touched.h"

static const input_def *input_of(const state *s, int input) { return &s->net->def->input[input]; }

/* Times are compared with a tolerance of a millionth of a step: 0.3 ms is step 3 of 0.1 ms, whatever the rounding. */
static int64_t step_at_or_after(double ms, double h)
{
    double steps = ceil(ms / h - 1e-6);
    return steps < 9e15 ? (int64_t)steps : INT64_MAX / 2;
}

static bool is_on(const input_def *in, double h, int64_t step)
{
    return step >= step_at_or_after(in->param[INPUT_START], h) && step < step_at_or_after(in->param[INPUT_STOP], h);
}

/* The neurons of the slice that are in the part: *first, *first + stride, ... below the return value. */
static int64_t slice_in_part(const neuron_range *range, const part *own, int64_t *first)
{
    int64_t skip = own->first > range->first ? (own->first - range->first + range->stride - 1) / range->stride : 0;
    int64_t end = range->first + range->count * range->stride;
    *first = range->first + skip * range->stride - own->first;
    end -= own->first;
    return end < own->n ? end : own->n;
}

static double weight_of(const state *s, const input_def *in)
{
    return model_of(s, in->target.population)->counts_spikes ? 1 : in->param[POISSON_WEIGHT];
}

/* ---- Poisson, many spikes a step ---------------------------------------------------------------------------- */

static double mean_per_step(const state *s, const input_def *in)
{
    double rate = in->param[POISSON_RATE];
    if (in->kind == INPUT_INHOMOGENEOUS) {
        rate = 0;
        for (int64_t k = 0; k < in->n_steps; k++) rate += in->amplitudes[k] / (double)in->n_steps;
    }
    return rate * s->net->def->resolution / 1000;
}

/* Only numbers within 6.5 standard deviations of the mean (and 40, for small ones) are looked at: what is beyond has no
 * share in 2^32. */
static rv_status make_table(poisson_table *table, double mean, rv_error *error)
{
    double spread = 6.5 * sqrt(mean) + 40;
    int    first = (int)larger(0, floor(mean - spread)), room = (int)(2 * spread) + 2;
    free(table->threshold);
    *table = (poisson_table){ .threshold = malloc((size_t)room * sizeof(uint32_t)), .least = first };
    if (!table->threshold) return error_memory(error, "an input", (double)room * sizeof(uint32_t));
    for (int k = first; k < first + room; k++) {
        double scaled = floor(gsl_cdf_poisson_P((unsigned)k, mean) * 0x1p32);
        if (scaled >= 0x1p32) break;
        if (scaled < 1) table->least = k + 1;
        else table->threshold[table->n++] = (uint32_t)scaled;
    }
    return RV_OK;
}

/* The upper halves of the thresholds decide, but for one draw in some thousands: that one is drawn to 32 digits. */
static uint16_t upper(uint32_t threshold) { return (uint16_t)(threshold >> 16); }

/* Number of thresholds that each of a block of half words exceeds. @return whether some half is that of a threshold */
static inline bool count_exceeded(const poisson_table *table, const uint16_t *restrict halves, uint16_t *restrict exceeded)
{
    uint16_t largest = 0, ties = 0;
    for (int i = 0; i < NEURON_BLOCK; i++) exceeded[i] = 0, largest = halves[i] > largest ? halves[i] : largest;
    for (int k = 0; k < table->n && upper(table->threshold[k]) <= largest; k++) {
        uint16_t threshold = upper(table->threshold[k]);
        for (int i = 0; i < NEURON_BLOCK; i++) exceeded[i] += halves[i] > threshold, ties |= halves[i] == threshold;
    }
    return ties;
}

/* What a draw is made of beside the half words of a step */
typedef struct draw {
    const poisson_table *table;
    rv_random            low;   /* stream of the lower halves, a block for each neuron of the population */
    uint32_t             first; /* neuron of the population with which the half words begin              */
    double               weight;
} draw;

/* How many thresholds a word reaches, by bisection. */
static int32_t count_to_the_last_digit(const draw *d, uint16_t half, uint32_t neuron)
{
    rv_random low = d->low;
    random_seek(&low, neuron);
    uint32_t word = (uint32_t)half << 16 | (random_u32(&low) & UINT16_MAX);
    int32_t  reached = 0, end = d->table->n;
    while (reached < end) {
        int32_t middle = (reached + end) / 2;
        if (word >= d->table->threshold[middle]) reached = middle + 1;
        else end = middle;
    }
    return reached;
}

enum { MANY = 1000 /* thresholds are faster searched than counted */ };

static void add_counts_to_the_last_digit(const draw *d, const uint16_t *halves, int64_t n, double *to)
{
    for (int64_t i = 0; i < n; i++) to[i] += d->weight * (d->table->least + count_to_the_last_digit(d, halves[i], d->first + (uint32_t)i));
}

/* The neurons of a block whose half word is that of a threshold */
static void break_ties(const draw *d, const uint16_t *halves, int64_t begin, uint16_t *exceeded)
{
    for (int i = 0; i < NEURON_BLOCK; i++)
        if (exceeded[i] < d->table->n && upper(d->table->threshold[exceeded[i]]) == halves[begin + i])
            exceeded[i] = (uint16_t)count_to_the_last_digit(d, halves[begin + i], d->first + (uint32_t)(begin + i));
}

/* The numbers of spikes times the weight, added to the input. @param halves [n rounded up to NEURON_BLOCK] */
RV_VECTORISED
static void add_counts(const draw *d, const uint16_t *restrict halves, int64_t n, double *restrict to)
{
    uint16_t exceeded[NEURON_BLOCK];
    for (int64_t begin = 0; begin < n; begin += NEURON_BLOCK) {
        int end = n - begin < NEURON_BLOCK ? (int)(n - begin) : NEURON_BLOCK;
        if (count_exceeded(d->table, halves + begin, exceeded)) break_ties(d, halves, begin, exceeded);
        for (int i = 0; i < end; i++) to[begin + i] += d->weight * (exceeded[i] + d->table->least);
    }
}

/* Where not all neurons are meant, or some are visited only when they get something */
static void pick_counts(tile_state *tile, const part *own, int64_t first, int64_t end, int64_t stride, bool touch, double *restrict to)
{
    for (int64_t i = first; i < end; i += stride) {
        to[i] += tile->counts[i];
        if (touch && tile->counts[i] != 0) touch_neuron(tile, (uint32_t)(own->base + i));
    }
}

static void draw_dense(state *s, int t, int input, int64_t step)
{
    const input_def *in = input_of(s, input);
    int              p = in->target.population;
    const part      *own = &s->net->tile[t].part[p];
    tile_state      *tile = &s->tile[t];
    uint64_t         seed = s->net->def->seed;
    int64_t          first, end = slice_in_part(&in->target, own, &first);
    if (end <= first) return;
    draw    d = { &s->input[input].table, random_stream(seed, RANDOM_BACKGROUND_LOW, (uint32_t)input, (uint64_t)step), (uint32_t)own->first, weight_of(s, in) };
    double *to = (d.weight < 0 ? tile->input_in : tile->input_ex) + own->base;
    bool    all = first == 0 && end == own->n && in->target.stride == 1 && !tile->part[p].jumping;
    if (!all) memset(tile->counts, 0, (size_t)own->n * sizeof *tile->counts);
    random_halves(seed, RANDOM_BACKGROUND, (uint32_t)input, (uint64_t)step, own->first, own->n, tile->halves);
    (d.table->n > MANY ? add_counts_to_the_last_digit : add_counts)(&d, tile->halves, own->n, all ? to : tile->counts);
    if (!all) pick_counts(tile, own, first, end, in->target.stride, tile->part[p].jumping, to);
}

void inputs_draw_poisson(state *s, int t, int64_t step)
{
    for (int i = 0; i < s->net->def->n_inputs; i++) {
        const input_def *in = input_of(s, i);
        if (in->kind != INPUT_POISSON || s->input[i].way != POISSON_TABLE || in->param[POISSON_RATE] == 0) continue;
        if (is_on(in, s->net->def->resolution, step)) draw_dense(s, t, i, step);
    }
}

bool inputs_draw_each_step(const state *s)
{
    for (int i = 0; i < s->net->def->n_inputs; i++)
        if (input_of(s, i)->kind == INPUT_POISSON && s->input[i].way == POISSON_TABLE) return true;
    return false;
}

/* ---- a time for each spike ------------------------------------------------------------------------------------- */

/* The bucket an arrival belongs to: in grid timing the end of the step in which it falls. */
static int64_t due_step(const state *s, double time) { return (int64_t)(is_exact(s) ? floor(time) : ceil(time)); }

static void queue_arrival(state *s, int t, int input, int64_t i)
{
    double next = s->tile[t].arrivals[input].next[i];
    if (next < 9e15) event_queue_push(&s->tile[t].queue, due_step(s, next), event_word(EVENT_ARRIVAL, 1, (uint32_t)input, (uint32_t)i));
}

/* When the integral of a rate from a time on reaches an amount; in steps. */
static double time_of_integral(const input_def *in, double h, double from, double amount)
{
    for (int64_t k = 0; k < in->n_steps; k++) {
        double rate = in->amplitudes[k] * h / 1000, begin = fmax(from, in->times[k] / h), end = k + 1 < in->n_steps ? in->times[k + 1] / h : INFINITY;
        if (begin >= end) continue;
        if (rate > 0 && rate * (end - begin) >= amount) return begin + amount / rate;
        amount -= rate > 0 ? rate * (end - begin) : 0;
    }
    return INFINITY;
}

static double draw_time(const input_def *in, double h, double mean, double from, rv_random *random, uint32_t drawn, bool first)
{
    random_seek(random, in->kind == INPUT_RENEWAL ? drawn * RENEWAL_BLOCKS : drawn);
    if (!(mean > 0)) return INFINITY;
    if (in->kind == INPUT_RENEWAL) return from + renewal_interval(random, in->param[RENEWAL_DEAD_TIME] * in->param[POISSON_RATE] / 1000, in->param[RENEWAL_SHAPE], first) / mean;
    double amount = random_exponential(random);
    return in->kind == INPUT_POISSON ? from + amount / mean : time_of_integral(in, h, from, amount);
}

static void draw_next(state *s, int t, int input, int64_t i, double after, bool first)
{
    const input_def *in = input_of(s, input);
    arrivals        *a = &s->tile[t].arrivals[input];
    double           h = s->net->def->resolution, mean = mean_per_step(s, in);
    rv_random        random = random_stream(s->net->def->seed, RANDOM_ARRIVAL, (uint32_t)input,
                                            (uint64_t)(s->net->tile[t].part[in->target.population].first + i));
    a->next[i] = draw_time(in, h, mean, fmax(after, in->param[INPUT_START] / h), &random, a->drawn[i]++, first);
    if (a->next[i] > in->param[INPUT_STOP] / h) a->next[i] = INFINITY;
}

bool inputs_take_arrival(state *s, int t, uint64_t word, int64_t due, arrival_at *taken)
{
    int              input = (int)event_number(word);
    int64_t          i = event_index(word);
    const input_def *in = input_of(s, input);
    arrivals        *a = &s->tile[t].arrivals[input];
    if (!a->next || s->input[input].way != POISSON_EVENTS || !(a->next[i] < 9e15) || due_step(s, a->next[i]) != due) return false;
    *taken = (arrival_at){ { a->next[i], weight_of(s, in) }, (uint32_t)(s->net->tile[t].part[in->target.population].base + i) };
    draw_next(s, t, input, i, a->next[i], false);
    queue_arrival(s, t, input, i);
    return true;
}

rv_status inputs_restart(state *s, int t, int input, rv_error *error)
{
    const input_def *in = input_of(s, input);
    const part      *own = &s->net->tile[t].part[in->target.population];
    arrivals        *a = &s->tile[t].arrivals[input];
    int64_t          first, end = slice_in_part(&in->target, own, &first);
    if (!a->next) {
        a->next = malloc(((size_t)own->n + 1) * sizeof *a->next);
        a->drawn = calloc((size_t)own->n + 1, sizeof *a->drawn);
        if (!a->next || !a->drawn) return error_memory(error, "an input", (double)own->n * 12);
    }
    for (int64_t i = 0; i < own->n; i++) a->next[i] = INFINITY;
    for (int64_t i = first; i < end; i += in->target.stride) {
        draw_next(s, t, input, i, (double)s->step, true);
        if (s->input[input].way == POISSON_EVENTS) queue_arrival(s, t, input, i);
    }
    return RV_OK;
}

static bool is_stream(const state *s, int input, int population)
{
    return input_of(s, input)->kind == INPUT_POISSON && input_of(s, input)->target.population == population && s->input[input].way == POISSON_STREAM;
}

void inputs_draw_streams(state *s, int t, int population, double to, void (*take)(tile_state *, arrival_at))
{
    const part *own = &s->net->tile[t].part[population];
    for (int input = 0; input < s->net->def->n_inputs; input++) {
        if (!is_stream(s, input, population)) continue;
        const input_def *in = input_of(s, input);
        const arrivals  *a = &s->tile[t].arrivals[input];
        double           weight = weight_of(s, in);
        int64_t          first, end = slice_in_part(&in->target, own, &first);
        for (int64_t i = first; i < end; i += in->target.stride)
            while (a->next[i] < to) {
                take(&s->tile[t], (arrival_at){ { a->next[i], weight }, (uint32_t)(own->base + i) });
                draw_next(s, t, input, i, a->next[i], false);
            }
    }
}

double inputs_stream_arrivals(const state *s, int t, int population)
{
    double sum = 0;
    for (int input = 0; input < s->net->def->n_inputs; input++)
        if (is_stream(s, input, population)) sum += mean_per_step(s, input_of(s, input)) * s->net->tile[t].part[population].n;
    return sum;
}

rv_status inputs_start(state *s, int t, rv_error *error)
{
    for (int i = 0; i < s->net->def->n_inputs; i++)
        if (input_is_spikes(input_of(s, i)->kind) && s->input[i].way != POISSON_TABLE) TRY(inputs_restart(s, t, i, error));
    return RV_OK;
}

double inputs_mean_arrivals(const state *s, int population)
{
    double sum = 0;
    for (int i = 0; i < s->net->def->n_inputs; i++) {
        const input_def *in = input_of(s, i);
        if (input_is_spikes(in->kind) && in->target.population == population)
            sum += mean_per_step(s, in) * (double)in->target.count / (double)(s->net->def->population[population].n + 1);
    }
    return sum;
}

/* ---- currents ----------------------------------------------------------------------------------------------- */

static int64_t noise_steps(const input_def *in, double h) { return (int64_t)fmax(1, rint(in->param[NOISE_DT] / h)); }

/* How often a step current has changed up to a step; its times are ascending. */
static int64_t changes_until(const input_def *in, double h, int64_t step)
{
    int64_t low = 0, high = in->n_steps;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (step_at_or_after(in->times[middle], h) <= step) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The current in force during a step: that of its beginning. Noise: its mean. */
static double current_of(const input_def *in, double h, int64_t step)
{
    if (!is_on(in, h, step)) return 0;
    if (in->kind == INPUT_DC) return in->param[DC_AMPLITUDE];
    if (in->kind == INPUT_NOISE) return in->param[NOISE_MEAN];
    if (in->kind == INPUT_SINE) {
        double phase = 2 * M_PI * in->param[SINE_FREQUENCY] * (double)step * h / 1000 + in->param[SINE_PHASE] * M_PI / 180;
        return in->param[SINE_OFFSET] + in->param[SINE_AMPLITUDE] * sin(phase);
    }
    int64_t changes = in->kind == INPUT_STEP ? changes_until(in, h, step) : 0;
    return changes > 0 ? in->amplitudes[changes - 1] : 0;
}

static bool is_noise(const input_def *in, double h, int64_t step)
{
    return in->kind == INPUT_NOISE && in->param[NOISE_STD] > 0 && is_on(in, h, step);
}

static bool current_changes(const input_def *in, double h, int64_t step)
{
    int64_t start = step_at_or_after(in->param[INPUT_START], h);
    if (input_is_spikes(in->kind)) return false;
    if (is_noise(in, h, step) && (step - start) % noise_steps(in, h) == 0) return true;
    if (step == start || step == step_at_or_after(in->param[INPUT_STOP], h)) return true;
    return current_of(in, h, step) != (step > 0 ? current_of(in, h, step - 1) : 0);
}

bool inputs_current_changes(const state *s, int population, int64_t step)
{
    for (int i = 0; i < s->net->def->n_inputs; i++)
        if (input_of(s, i)->target.population == population && current_changes(input_of(s, i), s->net->def->resolution, step)) return true;
    return false;
}

bool inputs_vary_each_step(const state *s, int population)
{
    for (int i = 0; i < s->net->def->n_inputs; i++) {
        const input_def *in = input_of(s, i);
        if (in->target.population == population && (in->kind == INPUT_SINE || in->kind == INPUT_NOISE)) return true;
    }
    return false;
}

/* A standard normal number from one word; the words of a redraw are a function of its first step. */
static double normal_of(uint32_t word) { return gsl_cdf_ugaussian_Pinv((word + 0.5) * 0x1p-32); }

static void add_current(state *s, int t, int input, int64_t step)
{
    const input_def *in = input_of(s, input);
    int              p = in->target.population;
    const part      *own = &s->net->tile[t].part[p];
    part_state      *ps = &s->tile[t].part[p];
    double           h = s->net->def->resolution, mean = current_of(in, h, step);
    bool             noise = is_noise(in, h, step), all = in->target.count == s->net->def->population[p].n;
    if (all && !noise) {
        ps->view.current += mean;
        return;
    }
    int64_t first, end = slice_in_part(&in->target, own, &first), start = step_at_or_after(in->param[INPUT_START], h);
    if (noise) {
        uint64_t drawn_at = (uint64_t)(step - (step - start) % noise_steps(in, h));
        random_words(s->net->def->seed, RANDOM_NOISE, (uint32_t)input, drawn_at, own->first, own->n, s->tile[t].words);
    }
    for (int64_t i = first; i < end; i += in->target.stride)
        ps->currents[i] += mean + (noise ? in->param[NOISE_STD] * normal_of(s->tile[t].words[i]) : 0);
}

void inputs_update_current(state *s, int t, int population, int64_t step)
{
    part_state *ps = &s->tile[t].part[population];
    ps->view.current = 0;
    if (ps->currents) memset(ps->currents, 0, (size_t)ps->view.n * sizeof *ps->currents);
    for (int i = 0; i < s->net->def->n_inputs; i++)
        if (input_of(s, i)->target.population == population && !input_is_spikes(input_of(s, i)->kind)) add_current(s, t, i, step);
}

/* ---- both --------------------------------------------------------------------------------------------------- */

rv_status inputs_prepare(state *s, int input, rv_error *error)
{
    const input_def *in = input_of(s, input);
    if (!input_is_spikes(in->kind)) return RV_OK;
    s->input[input].way = POISSON_EVENTS;
    if (in->kind != INPUT_POISSON) return RV_OK;
    double mean = mean_per_step(s, in);
    s->input[input].way = mean < SPARSE_POISSON ? POISSON_EVENTS : is_exact(s) ? POISSON_STREAM : POISSON_TABLE;
    return s->input[input].way == POISSON_TABLE ? make_table(&s->input[input].table, mean, error) : RV_OK;
}
