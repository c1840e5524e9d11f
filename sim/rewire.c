/* Structural plasticity: weak synapses go, and targets that have too few get new ones. Each target's new synapses are drawn in its
 * tile, with random numbers of its own, so that the result depends on no thread. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/net.h"
#include "sim/value.h"

enum { WHAT_TEXT = OBJECT_TEXT + 60 };

static bool grows(const rv_rewiring *how) { return how->indegree > 0 || how->density > 0; }

static double indegree_of(const rv_rewiring *how, const projection_def *def)
{
    return how->density > 0 ? rint(how->density * (double)def->source.count) : (double)how->indegree;
}

/* One tile of a projection that is rewired. */
typedef struct rewirer {
    rv_net               *net;
    const projection_def *def;
    const rv_rewiring    *how;
    int                   projection, tile;
    int64_t               indegree;
    loose_synapses       *list;
    uint32_t             *count; /* [n] synapses of each target                        */
    uint64_t             *taken; /* sources that a target has, where multapses are not allowed */
    int64_t              *first; /* [n + 1] its synapses in `sources`                  */
    uint32_t             *sources;
    int64_t               pruned, grown;
    bool                  out_of_memory;
    rv_error              error;
} rewirer;

static void prune(rewirer *w)
{
    const part *own = &w->net->net->tile[w->tile].part[w->def->target.population];
    for (int64_t i = 0; i < w->list->n; i++) {
        loose_synapse *s = &w->list->synapse[i];
        if (!is_target_of(w->net->net, w->tile, w->def->target.population, s->target)) continue;
        s->dropped = fabs(s->weight) < w->how->prune_below;
        w->pruned += s->dropped;
        if (!s->dropped) w->count[s->target - own->base]++;
    }
}

/* Which sources every target has, where none may come twice. */
static bool list_sources(rewirer *w)
{
    const part *own = &w->net->net->tile[w->tile].part[w->def->target.population];
    w->first = calloc((size_t)own->n + 2, sizeof *w->first);
    w->sources = malloc(((size_t)w->list->n + 1) * sizeof *w->sources);
    w->taken = calloc((size_t)(w->net->def.population[w->def->source.population].n / 64 + 1), sizeof *w->taken);
    if (!w->first || !w->sources || !w->taken) return false;
    for (int i = 0; i < own->n; i++) w->first[i + 2] = w->first[i + 1] + w->count[i];
    for (int64_t k = 0; k < w->list->n; k++) {
        const loose_synapse *s = &w->list->synapse[k];
        if (!s->dropped && is_target_of(w->net->net, w->tile, w->def->target.population, s->target))
            w->sources[w->first[s->target - own->base + 1]++] = s->source;
    }
    return true;
}

static bool has(const uint64_t *set, int64_t i) { return set[i >> 6] >> (i & 63) & 1; }
static void mark(uint64_t *set, int64_t i, bool in) { set[i >> 6] = in ? set[i >> 6] | 1ull << (i & 63) : set[i >> 6] & ~(1ull << (i & 63)); }

static rv_status draw_synapse(rewirer *w, gsl_rng *rng, int64_t source, uint16_t target)
{
    char   object[OBJECT_TEXT], what[WHAT_TEXT];
    double low, high, least, most, h = w->net->def.resolution;
    double weight = value_draw(&w->how->weight, rng, 0), delay = value_draw(&w->how->delay, rng, 0);
    net_weight_bounds(w->net, w->projection, &low, &high);
    structure_delay_range(w->net, w->projection, &least, &most);
    definition_projection_label(&w->net->def, w->def, object);
    snprintf(what, sizeof what, "%s: rewire: weight", object);
    if (!(weight >= low && weight <= high)) return value_out_of_range(what, weight, "", low, high, &w->error);
    snprintf(what, sizeof what, "%s: rewire: delay", object);
    if (!structure_delay_fits(w->net, delay, least, most)) return value_out_of_range(what, delay, "ms", least * h, most * h, &w->error);
    loose_synapse item = { .delay = structure_delay_key(w->net, delay, least), .weight = weight, .source = (uint32_t)source, .segment = NO_SEGMENT, .target = target };
    w->out_of_memory |= !loose_add(w->list, item);
    w->grown++;
    return RV_OK;
}

/* Sources that may be drawn for a target: not itself where autapses are excluded, none twice where multapses are. */
static int64_t candidates(const rewirer *w, int64_t neuron, int64_t held)
{
    int64_t n = w->def->source.count;
    if (projection_excludes_autapses(w->def)) n -= range_index(&w->def->source, neuron) >= 0;
    return w->def->multapses ? (n > 0 ? INT64_MAX : 0) : n - held;
}

/* The new synapses of one target: their random numbers are a function of the seed, the projection, the target and the step. */
static rv_status grow_target(rewirer *w, int i)
{
    const part *own = &w->net->net->tile[w->tile].part[w->def->target.population];
    int64_t     neuron = own->first + i, missing = w->indegree - w->count[i], there = candidates(w, neuron, w->count[i]);
    rv_random   stream = random_stream(w->net->def.seed, RANDOM_REWIRE, (uint32_t)w->projection, (uint64_t)w->net->state->step << 31 | (uint64_t)neuron);
    gsl_rng     rng = random_gsl(&stream);
    rv_status   status = RV_OK;
    int64_t     begin = w->list->n;
    if (missing > there) missing = there;
    for (int64_t k = w->first[i]; k < w->first[i + 1]; k++) mark(w->taken, w->sources[k], true);
    while (missing > 0 && status == RV_OK && !w->out_of_memory) {
        int64_t source = range_neuron(&w->def->source, (int64_t)random_below(&stream, (uint64_t)w->def->source.count));
        if (projection_excludes_autapses(w->def) && source == neuron) continue;
        if (!w->def->multapses && has(w->taken, source)) continue;
        mark(w->taken, source, true);
        status = draw_synapse(w, &rng, source, (uint16_t)(own->base + i));
        missing--;
    }
    for (int64_t k = w->first[i]; k < w->first[i + 1]; k++) mark(w->taken, w->sources[k], false);
    for (int64_t k = begin; k < w->list->n; k++) mark(w->taken, w->list->synapse[k].source, false);
    return status;
}

static rv_status grow(rewirer *w)
{
    const part *own = &w->net->net->tile[w->tile].part[w->def->target.population];
    if (w->indegree == 0) return RV_OK;
    if (!list_sources(w)) return w->out_of_memory = true, RV_OUT_OF_MEMORY;
    for (int i = 0; i < own->n; i++)
        if (range_index(&w->def->target, own->first + i) >= 0) TRY(grow_target(w, i));
    return RV_OK;
}

static rv_status rewire_tile(rewirer *w)
{
    w->count = calloc((size_t)w->net->net->tile[w->tile].part[w->def->target.population].n + 1, sizeof *w->count);
    rv_status status = w->count ? RV_OK : RV_OUT_OF_MEMORY;
    if (status == RV_OK) {
        prune(w);
        status = grow(w);
    }
    free(w->count), free(w->taken), free(w->first), free(w->sources);
    if (status == RV_OUT_OF_MEMORY || w->out_of_memory) return error_memory(&w->error, "synapses that change", 0);
    return status;
}

static rv_status rewire_tiles(rv_net *net, int p, const rv_rewiring *how, loose_synapses *loose, turnover *sum)
{
    const projection_def *def = &net->def.projection[p];
    rv_status             status = RV_OK;
    int64_t               indegree = (int64_t)indegree_of(how, def);
#pragma omp parallel for num_threads(net->threads) schedule(dynamic, 1)
    for (int t = 0; t < net->net->n_tiles; t++) {
        rewirer   w = { .net = net, .def = def, .how = how, .projection = p, .tile = t, .indegree = indegree, .list = &loose[t] };
        rv_status here = rewire_tile(&w);
#pragma omp critical(rewire_tiles)
        {
            if (here != RV_OK && status == RV_OK) net->error = w.error, status = here;
            sum->pruned += w.pruned, sum->grown += w.grown;
        }
    }
    return status;
}

rv_status rewire_now(rv_net *net, int p, const rv_rewiring *how)
{
    loose_synapses *loose = NULL;
    turnover        sum = { 0 };
    int             b = network_bundle_of(net->net, p);
    bundle         *own = &net->net->bundle[b];
    if (!net->turnover && !(net->turnover = calloc((size_t)net->def.n_projections, sizeof *net->turnover))) return error_memory(&net->error, "synapses that change", 0);
    net_settle(net, b);
    if (grows(how) && own->kind == WEIGHT_CONSTANT && !(how->weight.kind == RV_NUMBER && how->weight.a == own->weight)) TRY(rows_expand_weights(net->net, own, &net->error));
    rv_status status = loose_take_all(net->net, b, &loose, &net->error);
    if (status == RV_OK) status = rewire_tiles(net, p, how, loose, &sum);
    if (status == RV_OK && sum.pruned + sum.grown > 0) status = rebuild_rows(net->net, net->state, b, loose, net->threads, &net->error);
    loose_free(loose, net->net->n_tiles);
    if (status == RV_OK) net->turnover[p].pruned += sum.pruned, net->turnover[p].grown += sum.grown;
    return status;
}

/* What is not said is as it was for rv_connect(), if that can be drawn for a synapse more. */
static rv_status take_value(rv_net *net, const rv_value *given, const rv_value *standard, const char *what, rv_value *value)
{
    *value = value_is_null(given) ? *standard : *given;
    if (value->kind == RV_NUMBER || value_is_random(value)) return RV_OK;
    return rv_fail(net, RV_CONFLICT, "%s of new synapses: a number or a distribution is needed%s", what,
                   value_is_null(given) ? ", since those of the projection are a list or a function of distance" : "");
}

static rv_status take_rewiring(rv_net *net, int p, const rv_rewiring *given, rv_rewiring *how)
{
    const projection_def *def = &net->def.projection[p];
    char                  object[OBJECT_TEXT], what[WHAT_TEXT];
    double                low, high;
    *how = *given;
    definition_projection_label(&net->def, def, object);
    snprintf(what, sizeof what, "%s: rewire: prune_below", object);
    if (!(given->prune_below >= 0 && given->prune_below < 1e300)) return value_out_of_range(what, given->prune_below, "", 0, 1e300, &net->error);
    snprintf(what, sizeof what, "%s: rewire: density", object);
    if (!(given->density >= 0 && given->density <= 1)) return value_out_of_range(what, given->density, "", 0, 1, &net->error);
    if (given->indegree < 0 || given->indegree > INT32_MAX) return rv_fail(net, RV_OUT_OF_RANGE, "%s: rewire: indegree = %lld, allowed 0 to %d", object, (long long)given->indegree, INT32_MAX);
    if (given->indegree > 0 && given->density > 0) return rv_fail(net, RV_CONFLICT, "%s: rewire: indegree and density are two words for one number; one of them is allowed", object);
    if (!grows(how)) return RV_OK;
    double synapses = indegree_of(how, def) * (double)def->target.count, needed = synapses * 2 * sizeof(loose_synapse), available = memory_available();
    if (needed > available)
        return rv_fail(net, RV_OUT_OF_MEMORY, "%s: rewire: %.4g synapses need %.2f GB to be made, %.2f GB are available", object, synapses, needed * 1e-9, available * 1e-9);
    net_weight_bounds(net, p, &low, &high);
    snprintf(what, sizeof what, "%s: rewire: weight", object);
    TRY(take_value(net, &given->weight, &def->weight, what, &how->weight));
    TRY(value_check(&how->weight, low, high, what, "", &net->error));
    snprintf(what, sizeof what, "%s: rewire: delay", object);
    TRY(take_value(net, &given->delay, &def->delay, what, &how->delay));
    return structure_check_delays(net, p, &how->delay, what);
}

rv_status rv_rewire(rv_net *net, rv_projection projection, const rv_rewiring *given)
{
    rv_rewiring how;
    int         p;
    TRY(structure_projection(net, projection, true, "rewire", &p));
    TRY(take_rewiring(net, p, given, &how));
    if (given->interval_ms == 0) return rewire_now(net, p, &how);
    structure_task task = { .kind = TASK_REWIRE, .projection = p, .rewiring = how };
    return structure_schedule(net, &task, given->interval_ms, "rewire");
}

rv_status rv_rewired(rv_net *net, rv_projection projection, int64_t *pruned, int64_t *grown)
{
    int p = net_projection(net, projection);
    if (p < 0) return RV_UNKNOWN_NAME;
    *pruned = net->turnover ? net->turnover[p].pruned : 0, *grown = net->turnover ? net->turnover[p].grown : 0;
    return RV_OK;
}
