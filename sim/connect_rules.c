/* The connection rules: which partners a driving neuron has. Names and meaning are NEST's; how they are drawn is not,
 * only the distribution:
 *
 *   with multapses     a fixed number of partners is that many independent draws from the candidates
 *   without            Floyd's algorithm (Bentley & Floyd 1987, doi:10.1145/30401.315746): as many draws as partners
 *   bernoulli          a binomial number of partners without multapses; where p depends on distance, drawn with an
 *                      upper bound of p and thinned. The cost is that of the synapses, not of the pairs
 *   poisson            a Poisson number of partners with multapses, thinned likewise
 *   fixed total        is split over the drivers first, see connect_split_total() */
#include <math.h>
#include <stdlib.h>
#include <gsl/gsl_randist.h>

#include "sim/connect.h"
#include "sim/convolution.h"
#include "sim/error.h"
#include "sim/value.h"

/* Whom a driver can choose from: its partners' range, without itself if autapses are excluded. */
typedef struct candidates {
    int64_t first, stride, n;
    int64_t own; /* place of the driver in the range if it is left out, else behind all */
} candidates;

static candidates candidates_of(const connector *c, int64_t i)
{
    const neuron_range *r = &c->partners;
    int64_t             own = -1;
    if (projection_excludes_autapses(c->projection)) own = range_index(r, connector_driver(c, i));
    return (candidates){ r->first, r->stride, r->count - (own >= 0), own >= 0 ? own : INT64_MAX };
}

static inline uint32_t candidate(const candidates *from, int64_t k)
{
    return (uint32_t)(from->first + (k + (k >= from->own)) * from->stride);
}

static rv_random driver_stream(const connector *c, int64_t i)
{
    return random_stream(c->definition->seed, RANDOM_CONNECT, (uint32_t)c->index, (uint64_t)connector_driver(c, i));
}

/* ---- a fixed number of partners -------------------------------------------------------------------------------- */

static void draw_repeating(const candidates *from, int64_t k, rv_random *random, synapse_list *list)
{
    for (int64_t j = 0; j < k; j++)
        list->partner[j] = candidate(from, (int64_t)random_below(random, (uint64_t)from->n));
    list->n = k;
}

static bool test_and_set(uint64_t *bits, uint64_t k)
{
    uint64_t bit = 1ull << (k & 63), was = bits[k >> 6] & bit;
    bits[k >> 6] |= bit;
    return was != 0;
}

/* Floyd: the j-th draw is from the first j candidates; one drawn before is replaced by the j-th, which cannot have
 * been. Places are kept in list->partner until the bits are cleared. */
static void draw_distinct(const candidates *from, int64_t k, rv_random *random, synapse_list *list)
{
    uint32_t *place = list->partner;
    int64_t   m = 0;
    for (int64_t j = from->n - k; j < from->n; j++) {
        uint64_t draw = random_below(random, (uint64_t)j + 1);
        if (test_and_set(list->taken, draw)) draw = (uint64_t)j, test_and_set(list->taken, draw);
        place[m++] = (uint32_t)draw;
    }
    for (m = 0; m < k; m++) {
        list->taken[place[m] >> 6] = 0;
        place[m] = candidate(from, place[m]);
    }
    list->n = k;
}

static rv_status reserve_bits(synapse_list *list, int64_t n, rv_error *error)
{
    int64_t words = n / 64 + 1;
    if (words <= list->taken_words) return RV_OK;
    uint64_t *bits = calloc((size_t)words, sizeof *bits);
    if (!bits) return error_memory(error, "drawing without multapses", (double)words * sizeof *bits);
    free(list->taken);
    list->taken = bits;
    list->taken_words = words;
    return RV_OK;
}

static rv_status draw_number(const candidates *from, int64_t k, bool multapses, rv_random *random, synapse_list *list,
                             rv_error *error)
{
    TRY(synapse_list_reserve(list, k, error));
    if (multapses) {
        draw_repeating(from, k, random, list);
        return RV_OK;
    }
    TRY(reserve_bits(list, from->n, error));
    draw_distinct(from, k, random, list);
    return RV_OK;
}

static rv_status draw_fixed(const connector *c, int64_t i, int64_t k, synapse_list *list, rv_error *error)
{
    candidates from = candidates_of(c, i);
    rv_random  random = driver_stream(c, i);
    return draw_number(&from, k, c->projection->multapses, &random, list, error);
}

/* Binomial numbers beyond the 31 bits that GSL counts in. */
static int64_t draw_binomial(gsl_rng *rng, double p, int64_t n)
{
    const int64_t most = 1 << 30;
    int64_t       successes = 0;
    for (; n > most; n -= most) successes += gsl_ran_binomial(rng, p, (unsigned)most);
    return successes + gsl_ran_binomial(rng, p, (unsigned)n);
}

/* ---- pairwise rules -------------------------------------------------------------------------------------------- */

double connect_p_bound(const projection_def *p)
{
    const rv_value *v = &p->p;
    double          highest = p->rule == CONNECT_POISSON ? INFINITY : 1, bound = highest;
    if (v->kind == RV_NUMBER) bound = v->a;
    if (v->kind == RV_DISTANCE_LINEAR && v->b <= 0) bound = v->a;
    if (v->kind == RV_DISTANCE_EXPONENTIAL || v->kind == RV_DISTANCE_GAUSSIAN) bound = v->a + fmax(v->b, 0);
    return fmin(highest, fmax(0, value_bounded(v, bound)));
}

/* p of one pair. What a function of distance gives is clipped to what p may be; only NaN cannot be. */
static rv_status pair_p(const connector *c, int64_t i, uint32_t partner, double *p, rv_error *error)
{
    double distance = connector_distance(c, i, partner);
    double highest = c->projection->rule == CONNECT_POISSON ? MAX_PAIR_MEAN : 1;
    *p = value_draw(&c->projection->p, NULL, distance);
    if (*p >= 0 && *p <= highest) return RV_OK;
    char text[OBJECT_TEXT];
    if (isnan(*p))
        return error_set(error, RV_OUT_OF_RANGE, "%s: p = nan at distance %s, allowed 0 to %s",
                         definition_projection_label(c->definition, c->projection, text), NUMBER_TEXT(distance),
                         NUMBER_TEXT(highest));
    *p = *p < 0 ? 0 : highest;
    return RV_OK;
}

/* Keeps each of the partners drawn with the bound of p with probability p / bound. */
static rv_status thin(const connector *c, int64_t i, rv_random *random, synapse_list *list, rv_error *error)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < list->n; k++) {
        double p;
        TRY(pair_p(c, i, list->partner[k], &p, error));
        list->partner[kept] = list->partner[k];
        kept += random_uniform(random) * c->p_bound < p;
    }
    list->n = kept;
    return RV_OK;
}

static rv_status draw_bernoulli(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    candidates from = candidates_of(c, i);
    rv_random  random = driver_stream(c, i);
    gsl_rng    rng = random_gsl(&random);
    TRY(draw_number(&from, draw_binomial(&rng, c->p_bound, from.n), false, &random, list, error));
    return c->projection->p.kind == RV_NUMBER ? RV_OK : thin(c, i, &random, list, error);
}

static rv_status push(synapse_list *list, uint32_t partner, rv_error *error)
{
    if (list->n == list->capacity) TRY(synapse_list_reserve(list, list->n + 1, error));
    list->partner[list->n++] = partner;
    return RV_OK;
}

/* Without a bound every pair is asked. */
static rv_status draw_poisson_pairs(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    candidates from = candidates_of(c, i);
    rv_random  random = driver_stream(c, i);
    gsl_rng    rng = random_gsl(&random);
    for (int64_t k = 0; k < from.n; k++) {
        double   mean;
        uint32_t partner = candidate(&from, k);
        TRY(pair_p(c, i, partner, &mean, error));
        for (unsigned synapses = gsl_ran_poisson(&rng, mean); synapses > 0; synapses--) TRY(push(list, partner, error));
    }
    return RV_OK;
}

static rv_status draw_poisson(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    candidates from = candidates_of(c, i);
    double     mean = c->p_bound * (double)from.n;
    if (!(mean <= INT32_MAX)) return draw_poisson_pairs(c, i, list, error);
    rv_random random = driver_stream(c, i);
    gsl_rng   rng = random_gsl(&random);
    TRY(draw_number(&from, gsl_ran_poisson(&rng, mean), true, &random, list, error));
    return c->projection->p.kind == RV_NUMBER ? RV_OK : thin(c, i, &random, list, error);
}

/* ---- rules without chance -------------------------------------------------------------------------------------- */

static rv_status take_all(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    candidates from = candidates_of(c, i);
    TRY(synapse_list_reserve(list, from.n, error));
    for (int64_t k = 0; k < from.n; k++) list->partner[k] = candidate(&from, k);
    list->n = from.n;
    return RV_OK;
}

static rv_status take_same_place(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    int64_t partner = range_neuron(&c->partners, i);
    if (projection_excludes_autapses(c->projection) && partner == connector_driver(c, i)) return RV_OK;
    return push(list, (uint32_t)partner, error);
}

static rv_status take_listed(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    int64_t n = c->begin[i + 1] - c->begin[i];
    TRY(synapse_list_reserve(list, n, error));
    for (int64_t k = 0; k < n; k++) {
        int64_t place = c->begin[i] + k;
        list->partner[k] = (uint32_t)range_neuron(&c->partners, c->projection->targets[c->entry ? c->entry[place] : place]);
    }
    list->n = n;
    return RV_OK;
}

/* And their weights, which the kernel has. */
static rv_status take_window(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    convolution_walk  w;
    convolution_block b;
    convolution_begin(c->convolution, connector_driver(c, i), 0, MAX_NEURONS, 0, &w);
    while (convolution_next(&w, &b)) {
        TRY(synapse_list_reserve(list, list->n + b.n[0] * b.n[1], error));
        for (int64_t row = 0; row < b.n[0]; row++)
            for (int64_t k = 0; k < b.n[1]; k++, list->n++)
                list->partner[list->n] = (uint32_t)convolution_target(&b, row, k), list->weight[list->n] = *convolution_weight(&b, row, k);
    }
    return RV_OK;
}

rv_status connect_partners(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    list->n = 0;
    switch (c->projection->rule) {
    case CONNECT_ALL_TO_ALL: return take_all(c, i, list, error);
    case CONNECT_ONE_TO_ONE: return take_same_place(c, i, list, error);
    case CONNECT_FIXED_INDEGREE:
    case CONNECT_FIXED_OUTDEGREE: return draw_fixed(c, i, c->projection->degree, list, error);
    case CONNECT_FIXED_TOTAL: return draw_fixed(c, i, c->count[i], list, error);
    case CONNECT_BERNOULLI: return draw_bernoulli(c, i, list, error);
    case CONNECT_POISSON: return draw_poisson(c, i, list, error);
    case CONNECT_LIST: return take_listed(c, i, list, error);
    case CONNECT_CONVOLUTION: return take_window(c, i, list, error);
    case N_CONNECT_RULES: break;
    }
    return RV_OK;
}

/* ---- splitting a total number over the drivers ----------------------------------------------------------------- */

/* With multapses the counts are multinomial: one binomial after the other, each of what is left. */
static void split_repeating(connector *c, gsl_rng *rng, int64_t total, int64_t pairs)
{
    for (int64_t i = 0; i < c->drivers.count; i++) {
        int64_t n = candidates_of(c, i).n;
        c->count[i] = pairs == n ? total : draw_binomial(rng, (double)n / (double)pairs, total);
        total -= c->count[i];
        pairs -= n;
    }
}

/* A driver at random with probability proportional to the synapses it has (or to the candidates it has left). */
static int64_t pick_driver(const connector *c, rv_random *random, bool by_rest, int64_t highest)
{
    for (;;) {
        int64_t i = (int64_t)random_below(random, (uint64_t)c->drivers.count);
        int64_t share = by_rest ? candidates_of(c, i).n - c->count[i] : c->count[i];
        if ((int64_t)random_below(random, (uint64_t)highest) < share) return i;
    }
}

/* Without multapses every set of `total` pairs is equally likely. So is, whatever its size, every set in which each
 * pair is with the same probability (binomial counts); and it stays so when pairs picked at random are added or removed
 * until the size is right. More than half of all pairs are drawn as what is left out: then picking never takes long. */
static void split_distinct(connector *c, rv_random *random, int64_t total, int64_t pairs)
{
    gsl_rng rng = random_gsl(random);
    bool    left_out = total > pairs / 2;
    int64_t wanted = left_out ? pairs - total : total, sum = 0, highest = 0;
    for (int64_t i = 0; i < c->drivers.count; i++) {
        c->count[i] = draw_binomial(&rng, (double)wanted / (double)pairs, candidates_of(c, i).n);
        sum += c->count[i];
        if (c->count[i] > highest) highest = c->count[i];
    }
    for (; sum > wanted; sum--) c->count[pick_driver(c, random, false, highest)]--;
    for (; sum < wanted; sum++) c->count[pick_driver(c, random, true, c->partners.count)]++;
    for (int64_t i = 0; left_out && i < c->drivers.count; i++) c->count[i] = candidates_of(c, i).n - c->count[i];
}

void connect_split_total(connector *c)
{
    int64_t pairs = 0;
    for (int64_t i = 0; i < c->drivers.count; i++) pairs += candidates_of(c, i).n;
    rv_random random = random_stream(c->definition->seed, RANDOM_TOTAL, (uint32_t)c->index, 0);
    gsl_rng   rng = random_gsl(&random);
    if (pairs == 0) return; /* and the total is 0 */
    if (c->projection->multapses) split_repeating(c, &rng, c->projection->total, pairs);
    else split_distinct(c, &random, c->projection->total, pairs);
}
