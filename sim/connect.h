/* Connection rules: which synapses a projection has. A connector draws them neuron by neuron, each from its own random
 * stream, so that any thread can draw any neuron's synapses at any time and as often as it likes: always the same. */
#ifndef RV_SIM_CONNECT_H
#define RV_SIM_CONNECT_H

#include "sim/definition.h"

/** Delays in fixed point: steps in the upper, a fraction of a step in the lower 32 bits (0 in grid timing). */
typedef uint64_t delay_key;

/** The synapses of one driving neuron, in the order in which they were drawn. Grows as needed; one per thread;
 *  starts as { 0 }. */
typedef struct synapse_list {
    int64_t    n, capacity;
    uint32_t  *partner; /* [n] number within its population (not within the slice)     */
    double    *weight;  /* [n] */
    delay_key *delay;   /* [n] */
    /* scratch of the rules that draw without repetition: a bit for each candidate, all zero between two draws */
    uint64_t  *taken;
    int64_t    taken_words;
} synapse_list;

/** The rules draw what is natural to them: fixed_indegree, fixed_total_number and pairwise_poisson target by target,
 *  all others source by source. */
typedef struct connector {
    const definition     *definition;
    const projection_def *projection;
    int                   index;     /* of the projection                                                    */
    bool                  by_target; /* the driving neurons are the targets and draw their sources, or the reverse */
    neuron_range          drivers, partners;
    double                p_bound;   /* no pair has a higher p; INFINITY if that is not known                */
    double                low, high; /* of weights, from the learning rule                                   */
    int64_t              *count;     /* [n_drivers] synapses of each driver: fixed_total_number              */
    int64_t              *begin;     /* [n_drivers + 1] first synapse of each driver where their order is    */
                                     /* fixed beforehand: listed pairs, listed values, functions             */
    int64_t              *entry;     /* [n_list] rule list: its entries by driver, in order; NULL: they are    */
    synapse_list          made;      /* of all drivers, if a function of the user was asked for them         */
    bool                  is_made;
    struct convolution   *convolution; /* rule convolution                                                   */
} connector;

/** Prepares drawing; checks that there are positions for functions of distance. Call it on one thread: functions of the
 *  user (RV_FUNCTION) are called here and nowhere else, source by source (target by target where the rule draws so),
 *  for each first for p, then for all weights, then for all delays; what they make is kept. Thus drawing never calls
 *  back, and a function that does not give the same twice does no harm. The definition is borrowed and must not change
 *  before connector_close(), which is safe after a failure too. */
rv_status connector_open(const definition *d, int projection, connector *c, rv_error *error);
void      connector_close(connector *c);

/** The number of driving neurons, and the number within its population of the i-th. */
static inline int64_t connector_n_drivers(const connector *c) { return c->drivers.count; }
static inline int64_t connector_driver(const connector *c, int64_t i) { return range_neuron(&c->drivers, i); }

/** Draws the partners of the i-th driving neuron, and with `values` their weights and delays. Delays are rounded to the
 *  grid in grid timing, at least one step (in exact timing: >= 0). A drawn weight that is not finite or outside the
 *  learning rule's bounds, and a delay that is negative or above 2^31 steps, is an error, not clipped: clipping changes
 *  the distribution, so it is for the user to ask for it. Functions of distance for p are clipped to what p may be.
 *  The same synapses come out each time, with or without values, on any thread. */
rv_status connector_draw(const connector *c, int64_t i, bool values, synapse_list *list, rv_error *error);

/** Whether all synapses have one delay, that need not be kept for each. */
bool connector_one_delay(const connector *c, delay_key *delay);

/** ms to fixed point; whole steps, at least one, on the grid. */
delay_key connect_delay_key(const definition *d, double ms);

void synapse_list_free(synapse_list *list);

/** Distance of two neurons; the shorter way round where the space is periodic. */
double connect_distance(const definition *d, int source_population, int64_t source, int target_population,
                        int64_t target);

/* ---- between connect.c and connect_rules.c --------------------------------------------------------------------- */

/** Distance of the i-th driving neuron and one of its partners. */
double connector_distance(const connector *c, int64_t i, uint32_t partner);

/** Draws the partners of the i-th driving neuron behind list->n = 0. */
rv_status connect_partners(const connector *c, int64_t i, synapse_list *list, rv_error *error);

/** Splits the total number over the driving neurons: fills c->count. */
void connect_split_total(connector *c);

/** The highest p of any pair, INFINITY if that is not known. */
double connect_p_bound(const projection_def *p);

/** Makes room for n synapses. */
rv_status synapse_list_reserve(synapse_list *list, int64_t n, rv_error *error);

#endif
