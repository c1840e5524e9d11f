/* Drawing the synapses of a projection: partners by the rules (connect_rules.c), then weights, then delays. */
#include "sim/connect.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sim/convolution.h"
#include "sim/error.h"
#include "sim/value.h"

/* Weights are drawn from the first half of the driver's stream, delays from the second. */
#define DELAY_STREAM 0x80000000u

/* ---- distance -------------------------------------------------------------------------------------------------- */

double connect_distance(const definition *d, int source_population, int64_t source, int target_population,
                        int64_t target)
{
    const population_def *from = &d->population[source_population], *to = &d->population[target_population];
    const double         *a = from->xyz + 3 * source, *b = to->xyz + 3 * target;
    double                sum = 0;
    for (int k = 0; k < 3; k++) {
        double x = b[k] - a[k], period = from->period[k];
        if (period > 0) x -= period * rint(x / period);
        sum += x * x;
    }
    return sqrt(sum);
}

double connector_distance(const connector *c, int64_t i, uint32_t partner)
{
    const projection_def *p = c->projection;
    int64_t               driver = connector_driver(c, i);
    if (c->by_target)
        return connect_distance(c->definition, p->source.population, partner, p->target.population, driver);
    return connect_distance(c->definition, p->source.population, driver, p->target.population, partner);
}

static rv_status check_positions(const connector *c, rv_error *error)
{
    const projection_def *p = c->projection;
    if (!value_needs_distance(&p->p) && !value_needs_distance(&p->weight) && !value_needs_distance(&p->delay))
        return RV_OK;
    const population_def *ends[2] = { &c->definition->population[p->source.population],
                                      &c->definition->population[p->target.population] };
    char                  text[OBJECT_TEXT];
    definition_projection_label(c->definition, p, text);
    if (p->p.function == value_lost_function || p->weight.function == value_lost_function || p->delay.function == value_lost_function)
        return error_set(error, RV_CONFLICT, "%s: it was drawn by a function of the script, which a checkpoint does not hold: its synapses are there, but cannot be drawn again", text);
    for (int k = 0; k < 2; k++)
        if (!ends[k]->xyz)
            return error_set(error, RV_CONFLICT,
                             "%s: a function of distance needs positions, population \"%s\" has none", text,
                             ends[k]->name);
    if (memcmp(ends[0]->period, ends[1]->period, sizeof ends[0]->period) == 0) return RV_OK;
    return error_set(error, RV_CONFLICT,
                     "%s: a function of distance needs one space, the periods of the two populations differ", text);
}

/* ---- the list of a driver -------------------------------------------------------------------------------------- */

rv_status synapse_list_reserve(synapse_list *list, int64_t n, rv_error *error)
{
    if (n <= list->capacity) return RV_OK;
    int64_t capacity = n + list->capacity / 2 + 16;
    void   *partner = realloc(list->partner, (size_t)capacity * sizeof *list->partner);
    if (partner) list->partner = partner;
    void *weight = realloc(list->weight, (size_t)capacity * sizeof *list->weight);
    if (weight) list->weight = weight;
    void *delay = realloc(list->delay, (size_t)capacity * sizeof *list->delay);
    if (delay) list->delay = delay;
    if (!partner || !weight || !delay) return error_memory(error, "the synapses of a neuron", 20.0 * (double)capacity);
    list->capacity = capacity;
    return RV_OK;
}

void synapse_list_free(synapse_list *list)
{
    free(list->partner);
    free(list->weight);
    free(list->delay);
    free(list->taken);
    *list = (synapse_list){ 0 };
}

/* ---- weights and delays ---------------------------------------------------------------------------------------- */

/* Where the values of one driver's synapses come from. */
typedef struct value_source {
    const connector *c;
    const rv_value  *value;
    int64_t          i; /* the driver */
    random_flow      random;
    gsl_rng          rng;
} value_source;

static void open_source(value_source *s, const connector *c, const rv_value *value, int64_t i, uint32_t block)
{
    rv_random stream = random_stream(c->definition->seed, RANDOM_SYNAPSE, (uint32_t)c->index, (uint64_t)connector_driver(c, i));
    random_seek(&stream, block);
    s->c = c, s->value = value, s->i = i;
    s->rng = random_flow_gsl(&s->random, stream);
}

/* The value of the driver's k-th synapse. */
static double next_value(value_source *s, int64_t k, uint32_t partner)
{
    const connector *c = s->c;
    if (s->value->kind == RV_LIST) {
        int64_t place = c->begin[s->i] + k;
        return value_bounded(s->value, s->value->list[c->entry ? c->entry[place] : place]);
    }
    return value_draw(s->value, &s->rng, value_needs_distance(s->value) ? connector_distance(c, s->i, partner) : 0);
}

static rv_status refuse(const connector *c, int64_t i, uint32_t partner, const char *field, double x, const char *unit,
                        double low, double high, rv_error *error)
{
    char    what[OBJECT_TEXT + 100], text[OBJECT_TEXT];
    int64_t driver = connector_driver(c, i);
    int64_t source = c->by_target ? partner : driver, target = c->by_target ? driver : partner;
    snprintf(what, sizeof what, "%s: %s drawn for %lld -> %lld (clip or redraw it)",
             definition_projection_label(c->definition, c->projection, text), field, (long long)source,
             (long long)target);
    return value_out_of_range(what, x, unit, low, high, error);
}

static rv_status draw_weights(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    const rv_value *value = &c->projection->weight;
    double          number = value_bounded(value, value->a), *weight = list->weight;
    if (value->kind == RV_NUMBER) {
        for (int64_t k = 0; k < list->n; k++) weight[k] = number;
        return RV_OK;
    }
    value_source source;
    open_source(&source, c, value, i, 0);
    for (int64_t k = 0; k < list->n; k++) {
        double w = weight[k] = next_value(&source, k, list->partner[k]);
        if (!(w >= c->low && w <= c->high))
            return refuse(c, i, list->partner[k], "weight", w, "", c->low, c->high, error);
    }
    return RV_OK;
}

delay_key connect_delay_key(const definition *d, double ms)
{
    double steps = ms / d->resolution;
    if (d->timing == RV_EXACT) return (delay_key)(steps * 0x1p32 + 0.5);
    uint64_t whole = (uint64_t)(steps + 0.5);
    return (whole ? whole : 1) << 32;
}

bool connector_one_delay(const connector *c, delay_key *delay)
{
    const rv_value *value = &c->projection->delay;
    if (value->kind != RV_NUMBER || c->is_made) return false;
    *delay = connect_delay_key(c->definition, value_bounded(value, value->a));
    return true;
}

static rv_status draw_delays(const connector *c, int64_t i, synapse_list *list, rv_error *error)
{
    const definition *d = c->definition;
    const rv_value   *value = &c->projection->delay;
    double            high = c->projection->max_delay * d->resolution;
    if (value->kind == RV_NUMBER) {
        delay_key key = connect_delay_key(d, value_bounded(value, value->a));
        for (int64_t k = 0; k < list->n; k++) list->delay[k] = key;
        return RV_OK;
    }
    value_source source;
    open_source(&source, c, value, i, DELAY_STREAM);
    for (int64_t k = 0; k < list->n; k++) {
        double ms = next_value(&source, k, list->partner[k]);
        if (!(ms >= 0 && ms <= high)) return refuse(c, i, list->partner[k], "delay", ms, "ms", 0, high, error);
        list->delay[k] = connect_delay_key(d, ms);
    }
    return RV_OK;
}

static rv_status draw(const connector *c, int64_t i, bool values, synapse_list *list, rv_error *error)
{
    TRY(connect_partners(c, i, list, error));
    if (!values) return RV_OK;
    if (!c->convolution) TRY(draw_weights(c, i, list, error)); /* others come with the partners */
    return draw_delays(c, i, list, error);
}

static rv_status copy_made(const connector *c, int64_t i, bool values, synapse_list *list, rv_error *error)
{
    int64_t first = c->begin[i], n = c->begin[i + 1] - first;
    TRY(synapse_list_reserve(list, n, error));
    list->n = n;
    if (n == 0) return RV_OK;
    memcpy(list->partner, c->made.partner + first, (size_t)n * sizeof *list->partner);
    if (!values) return RV_OK;
    memcpy(list->weight, c->made.weight + first, (size_t)n * sizeof *list->weight);
    memcpy(list->delay, c->made.delay + first, (size_t)n * sizeof *list->delay);
    return RV_OK;
}

rv_status connector_draw(const connector *c, int64_t i, bool values, synapse_list *list, rv_error *error)
{
    return c->is_made ? copy_made(c, i, values, list, error) : draw(c, i, values, list, error);
}

/* ---- opening --------------------------------------------------------------------------------------------------- */

static rv_status allocate(int64_t **array, int64_t n, const connector *c, rv_error *error)
{
    char text[OBJECT_TEXT];
    *array = calloc((size_t)n + 1, sizeof **array);
    if (*array) return RV_OK;
    return error_memory(error, definition_projection_label(c->definition, c->projection, text),
                        (double)n * sizeof **array);
}

static bool is_sorted(const projection_def *p)
{
    int64_t e = 1;
    while (e < p->n_list && p->sources[e - 1] <= p->sources[e]) e++;
    return e >= p->n_list;
}

/* Counting sort: the entries of each source, in the order of the list. */
static rv_status sort_entries(connector *c, rv_error *error)
{
    const projection_def *p = c->projection;
    int64_t              *begin = c->begin;
    for (int64_t e = 0; e < p->n_list; e++) begin[p->sources[e] + 1]++;
    for (int64_t i = 0; i < c->drivers.count; i++) begin[i + 1] += begin[i];
    if (is_sorted(p)) return RV_OK;
    TRY(allocate(&c->entry, p->n_list, c, error));
    for (int64_t e = 0; e < p->n_list; e++) c->entry[begin[p->sources[e]]++] = e;
    for (int64_t i = c->drivers.count; i > 0; i--) begin[i] = begin[i - 1]; /* each was moved to its end */
    begin[0] = 0;
    return RV_OK;
}

/* Where the listed values of each driver begin. */
static rv_status number_synapses(connector *c, rv_error *error)
{
    synapse_list list = { 0 };
    rv_status    status = RV_OK;
    for (int64_t i = 0; i < c->drivers.count && status == RV_OK; i++) {
        status = connect_partners(c, i, &list, error);
        c->begin[i + 1] = c->begin[i] + list.n;
    }
    synapse_list_free(&list);
    return status;
}

static rv_status append(synapse_list *to, const synapse_list *from, rv_error *error)
{
    if (from->n == 0) return RV_OK;
    TRY(synapse_list_reserve(to, to->n + from->n, error));
    memcpy(to->partner + to->n, from->partner, (size_t)from->n * sizeof *to->partner);
    memcpy(to->weight + to->n, from->weight, (size_t)from->n * sizeof *to->weight);
    memcpy(to->delay + to->n, from->delay, (size_t)from->n * sizeof *to->delay);
    to->n += from->n;
    return RV_OK;
}

/* Draws all synapses at once; begin[] moves along, from listed values (if any) to the synapses, which are the same. */
static rv_status make_all(connector *c, rv_error *error)
{
    synapse_list list = { 0 };
    rv_status    status = RV_OK;
    for (int64_t i = 0; i < c->drivers.count && status == RV_OK; i++) {
        status = draw(c, i, true, &list, error);
        if (status == RV_OK) status = append(&c->made, &list, error);
        c->begin[i + 1] = c->made.n;
    }
    synapse_list_free(&list);
    c->is_made = true;
    return status;
}

static bool is_function(const rv_value *value) { return value->kind == RV_FUNCTION; }

static rv_status prepare(connector *c, rv_error *error)
{
    const projection_def *p = c->projection;
    TRY(check_positions(c, error));
    bool functions = is_function(&p->p) || is_function(&p->weight) || is_function(&p->delay);
    bool lists = p->weight.kind == RV_LIST || p->delay.kind == RV_LIST, listed = p->rule == CONNECT_LIST;
    if (p->rule == CONNECT_CONVOLUTION && p->convolution.unrolled) TRY(convolution_new(c->definition, p, &c->convolution, error));
    lists &= p->rule != CONNECT_CONVOLUTION;
    if (functions || lists || listed) TRY(allocate(&c->begin, c->drivers.count, c, error));
    if (listed) TRY(sort_entries(c, error));
    else if (lists) TRY(number_synapses(c, error));
    if (p->rule == CONNECT_FIXED_TOTAL) {
        TRY(allocate(&c->count, c->drivers.count, c, error));
        connect_split_total(c);
    }
    return functions ? make_all(c, error) : RV_OK;
}

rv_status connector_open(const definition *d, int projection, connector *c, rv_error *error)
{
    const projection_def *p = &d->projection[projection];
    bool by_target = p->rule == CONNECT_FIXED_INDEGREE || p->rule == CONNECT_FIXED_TOTAL || p->rule == CONNECT_POISSON;
    *c = (connector){ .definition = d, .projection = p, .index = projection, .by_target = by_target,
                      .drivers = by_target ? p->target : p->source, .partners = by_target ? p->source : p->target,
                      .p_bound = connect_p_bound(p), .low = -DBL_MAX, .high = DBL_MAX };
    if (p->plasticity && p->plasticity->bounds) p->plasticity->bounds(p->param, &c->low, &c->high);
    rv_status status = prepare(c, error);
    if (status != RV_OK) connector_close(c);
    return status;
}

void connector_close(connector *c)
{
    free(c->count);
    free(c->begin);
    free(c->entry);
    synapse_list_free(&c->made);
    convolution_free(c->convolution);
    *c = (connector){ 0 };
}
