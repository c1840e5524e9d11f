#include "sim/network.h"

#include <stdlib.h>
#include <string.h>

#include "sim/connect.h"
#include "sim/convolution.h"
#include "sim/epoch.h"
#include "sim/error.h"
#include "sim/memory.h"


/* ---- where neurons live ------------------------------------------------------------------------------------- */

static int64_t blocks_of(int64_t n) { return (n + NEURON_BLOCK - 1) / NEURON_BLOCK; }

/* Where a population lives: in `span` tiles from `first` on, its blocks dealt out evenly and in order. A population with
 * fewer blocks than tiles starts at a tile of its own number, so that small ones do not gather in the first. */
typedef struct lodging {
    int first, span;
} lodging;

static int tile_of(int64_t block, int64_t n_blocks, int population, lodging where)
{
    if (n_blocks < where.span) return where.first + (int)((block + population) % where.span);
    return where.first + (int)((block * where.span + where.span - 1) / n_blocks);
}

static bool has_room(const network *net, lodging where, int64_t share)
{
    for (int t = where.first; t < where.first + where.span && t < net->n_tiles; t++)
        if (net->tile[t].n + share > MAX_TILE) return false;
    return true;
}

static rv_status add_tiles(network *net, int n, rv_error *error)
{
    tile *grown = realloc(net->tile, (size_t)(net->n_tiles + n) * sizeof *grown);
    if (!grown) return error_memory(error, "tiles", (double)(net->n_tiles + n) * sizeof *grown);
    net->tile = grown;
    for (int k = 0; k < n; k++, net->n_tiles++) {
        net->tile[net->n_tiles] = (tile){ .part = calloc((size_t)net->def->n_populations + 1, sizeof(part)) };
        if (!net->tile[net->n_tiles].part) return error_memory(error, "tiles", 0);
    }
    return RV_OK;
}

/* As few tiles as hold the population, and a multiple of the threads; those that are there already if they have room. */
static rv_status find_lodging(network *net, int64_t n_blocks, int threads, lodging *where, rv_error *error)
{
    int span = threads;
    while ((n_blocks + span - 1) / span * NEURON_BLOCK > MAX_TILE) span += threads;
    int64_t share = (n_blocks + span - 1) / span * NEURON_BLOCK;
    *where = (lodging){ 0, span };
    while (where->first < net->n_tiles && !has_room(net, *where, share)) where->first += threads;
    int missing = where->first + span - net->n_tiles;
    return missing > 0 ? add_tiles(net, missing, error) : RV_OK;
}

static rv_status lay_out_population(network *net, int p, int threads, rv_error *error)
{
    int64_t   n = net->def->population[p].n, n_blocks = blocks_of(n);
    lodging   where;
    uint16_t *map = net->population[p].tile_of_block = calloc((size_t)n_blocks + 1, sizeof *map);
    if (!map) return error_memory(error, "tiles", 0);
    TRY(find_lodging(net, n_blocks, threads, &where, error));
    for (int64_t b = 0; b < n_blocks; b++) {
        map[b] = (uint16_t)tile_of(b, n_blocks, p, where);
        part   *own = &net->tile[map[b]].part[p];
        int64_t begin = b * NEURON_BLOCK, end = begin + NEURON_BLOCK < n ? begin + NEURON_BLOCK : n;
        if (own->n == 0) own->first = (int32_t)begin;
        own->n += (int32_t)(end - begin);
    }
    for (int t = where.first; t < where.first + where.span; t++) {
        net->tile[t].part[p].base = net->tile[t].n;
        net->tile[t].n += (int32_t)blocks_of(net->tile[t].part[p].n) * NEURON_BLOCK;
    }
    return RV_OK;
}

static rv_status lay_out_tiles(network *net, int threads, rv_error *error)
{
    TRY(add_tiles(net, threads, error));
    for (int p = 0; p < net->def->n_populations; p++) {
        TRY(lay_out_population(net, p, threads, error));
        if (net->n_tiles <= MAX_SPIKE_LISTS) continue;
        return error_set(error, RV_OUT_OF_RANGE, "the network needs more than %d tiles of %d neurons: use fewer threads", MAX_SPIKE_LISTS, MAX_TILE);
    }
    return RV_OK;
}

int network_locate(const network *net, int population, int64_t neuron, int *local)
{
    int         t = net->population[population].tile_of_block[neuron / NEURON_BLOCK];
    const part *own = &net->tile[t].part[population];
    *local = own->base + (int)(neuron - own->first);
    return t;
}

/* ---- constants of the neurons ------------------------------------------------------------------------------- */

static rv_status prepare_neuron(const network *net, const population_def *def, population_net *p, int64_t i, rv_error *error)
{
    double      params[RV_MAX_PARAMS], constants[RV_MAX_CONSTANTS];
    const char *reason = NULL;
    definition_neuron_params(def, i, params);
    if (def->model->check) reason = def->model->check(params);
    if (reason) return error_set(error, RV_CONFLICT, "population \"%s\": %s (neuron %lld)", def->name, reason, (long long)i);
    if (def->model->no_closed_form) reason = def->model->no_closed_form(params);
    bool any_time = def->model->crossing || def->model->advance || def->model->emit || def->model->counts_spikes;
    if (!reason && !any_time && net->def->timing == RV_EXACT) reason = "the model is defined in steps";
    if (reason && net->def->timing == RV_EXACT)
        return error_set(error, RV_CONFLICT, "population \"%s\": exact timing: %s", def->name, reason);
    p->closed_form = p->closed_form && !reason;
    if (def->model->prepare) def->model->prepare(params, net->def->resolution, constants);
    if (def->model->prepare_exact && net->def->timing == RV_EXACT) def->model->prepare_exact(params, net->def->resolution, constants);
    for (int k = 0; k < def->model->n_constants; k++) p->constant[k][i] = constants[k];
    return RV_OK;
}

static bool is_shared(const double *constant, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (constant[i] != constant[0]) return false;
    return true;
}

static bool differs_per_neuron(const population_def *def)
{
    for (int k = 0; k < def->model->table.n_params; k++)
        if (def->param[k].list) return true;
    return false;
}

rv_status network_prepare_population(network *net, int index, rv_error *error)
{
    const population_def *def = &net->def->population[index];
    population_net       *p = &net->population[index];
    if (differs_per_neuron(def) && !p->per_neuron && p->constant[0])
        for (int k = 0; k < def->model->n_constants; k++) free(p->constant[k]), p->constant[k] = NULL;
    p->per_neuron |= differs_per_neuron(def);
    bool first_time = def->model->n_constants > 0 && !p->constant[0];
    if (first_time || def->model->n_constants == 0) p->closed_form = def->model->crossing || def->model->emit || def->model->counts_spikes;
    int64_t n = p->per_neuron ? def->n : 1;
    for (int k = 0; k < def->model->n_constants; k++)
        if (!p->constant[k] && !(p->constant[k] = calloc((size_t)n, sizeof(double))))
            return error_memory(error, "the constants of the neurons", (double)n * sizeof(double));
    for (int64_t i = 0; i < n && i < def->n; i++) TRY(prepare_neuron(net, def, p, i, error));
    for (int k = 0; k < def->model->n_constants; k++) p->shared[k] = is_shared(p->constant[k], n);
    return RV_OK;
}

/* ---- bundles ------------------------------------------------------------------------------------------------ */

static bool counts_spikes(const network *net, const projection_def *p)
{
    return net->def->population[p->target.population].model->counts_spikes;
}

/* The first receptor is the ordinary input. */
static int receptor_of(const network *net, const projection_def *p)
{
    const rv_model *m = net->def->population[p->target.population].model;
    return p->receptor_type > 1 ? 1 + m->receptor_state + p->receptor_type - 2 : 0;
}

static weight_kind kind_of(const network *net, const projection_def *p)
{
    bool learns = p->plasticity && !p->plasticity->release;
    if (learns) return p->synapse ? WEIGHT_FLOAT : WEIGHT_DOUBLE; /* those of chips are whole and small */
    if (p->weight.kind == RV_NUMBER) return WEIGHT_CONSTANT;
    return net->def->timing == RV_EXACT ? WEIGHT_DOUBLE : WEIGHT_FLOAT;
}

/* Two projections of a bundle never share targets, so that the target tells them apart. */
static bool fits(const network *net, const bundle *b, const projection_def *p)
{
    if (b->convolution || projection_is_compact(p)) return false;
    if (b->rule || b->epoch || p->plasticity || b->synapse || p->synapse || b->source != p->source.population) return false;
    if (b->kind != kind_of(net, p) || b->counts != counts_spikes(net, p)) return false;
    if (b->kind == WEIGHT_CONSTANT && b->weight != p->weight.a) return false;
    if (b->receptor || receptor_of(net, p)) return false;
    for (int k = 0; k < b->n_projections; k++)
        if (net->def->projection[b->projection[k]].target.population == p->target.population) return false;
    return true;
}

static void prepare_rule(const projection_def *p, bundle *b)
{
    b->dendritic_fraction = 1;
    for (int k = 0; k < b->rule->table.n_params; k++)
        if (strcmp(b->rule->table.params[k].name, "dendritic_fraction") == 0) b->dendritic_fraction = p->param[k];
    b->rule->prepare(p->param, b->rule_constant);
}

static rv_status take_rule(network *net, const projection_def *p, bundle *b, rv_error *error)
{
    char object[OBJECT_TEXT];
    if (p->plasticity->epochs) {
        net->n_epochs++;
        return epoch_rule_new(p, definition_projection_label(net->def, p, object), &b->epoch, error);
    }
    b->rule = p->plasticity;
    prepare_rule(p, b);
    if (b->rule->voltage_change) { /* V_m of every step: nothing can be jumped over */
        net->n_voltage_rules++;
        net->population[p->target.population].closed_form = false;
    }
    return RV_OK;
}

static rv_status add_to_bundle(network *net, int index, rv_error *error)
{
    const projection_def *p = &net->def->projection[index];
    bundle               *b = net->bundle;
    while (b < net->bundle + net->n_bundles && !fits(net, b, p)) b++;
    if (b == net->bundle + net->n_bundles) {
        *b = (bundle){ .source = p->source.population, .kind = kind_of(net, p), .weight = p->weight.a,
                       .receptor = receptor_of(net, p), .counts = counts_spikes(net, p), .synapse = p->synapse, .factor = 1 };
        memcpy(b->synapse_param, p->synapse_param, sizeof b->synapse_param);
        b->projection = calloc((size_t)net->def->n_projections, sizeof(int));
        b->rows = calloc((unsigned)net->n_tiles, sizeof(rows));
        net->n_bundles++;
        if (!b->projection || !b->rows) return error_memory(error, "bundles", 0);
        if (projection_is_compact(p)) TRY(convolution_new(net->def, p, &b->convolution, error));
        if (p->plasticity) TRY(take_rule(net, p, b, error));
    }
    b->projection[b->n_projections++] = index;
    return RV_OK;
}

static rv_status make_bundles(network *net, rv_error *error)
{
    const definition *d = net->def;
    net->bundle = calloc((size_t)d->n_projections + 1, sizeof *net->bundle);
    if (!net->bundle) return error_memory(error, "bundles", 0);
    for (int i = 0; i < d->n_projections; i++) TRY(add_to_bundle(net, i, error));
    for (int k = 0; k < d->n_populations; k++) {
        net->population[k].bundle = calloc((size_t)net->n_bundles + 1, sizeof(int));
        net->population[k].learning = calloc((size_t)net->n_bundles + 1, sizeof(int));
        net->population[k].rewarded = calloc((size_t)net->n_bundles + 1, sizeof(int));
        if (!net->population[k].bundle || !net->population[k].learning || !net->population[k].rewarded) return error_memory(error, "bundles", 0);
    }
    for (int i = 0; i < net->n_bundles; i++) {
        bundle         *b = &net->bundle[i];
        population_net *source = &net->population[b->source];
        source->bundle[source->n_bundles++] = i;
        if ((!b->rule || !b->rule->on_post) && !b->epoch) continue;
        population_net *target = &net->population[d->projection[b->projection[0]].target.population];
        target->learning[target->n_learning++] = i;
        int rewarding = d->projection[b->projection[0]].rewarding;
        if (rewarding) net->population[rewarding - 1].rewarded[net->population[rewarding - 1].n_rewarded++] = i;
    }
    return RV_OK;
}

int network_bundle_of(const network *net, int projection)
{
    for (int i = 0; i < net->n_bundles; i++)
        for (int k = 0; k < net->bundle[i].n_projections; k++)
            if (net->bundle[i].projection[k] == projection) return i;
    return -1;
}

/* ---- windows and levels ------------------------------------------------------------------------------------- */

static bool is_short(const network *net, int projection)
{
    return net->def->timing == RV_EXACT && net->min_delay[projection] >> 32 == 0;
}

/* Longest path over the projections with delays below one step; a loop of them cannot be put in order. */
static rv_status assign_levels(network *net, rv_error *error)
{
    const definition *d = net->def;
    bool              changed = true;
    net->n_levels = 1; /* unless they have been assigned before */
    for (int p = 0; p < d->n_populations; p++)
        if (net->population[p].level >= net->n_levels) net->n_levels = net->population[p].level + 1;
    for (int round = 0; changed && round <= d->n_populations; round++) {
        changed = false;
        for (int i = 0; i < d->n_projections; i++) {
            int *source = &net->population[d->projection[i].source.population].level;
            int *target = &net->population[d->projection[i].target.population].level;
            if (!is_short(net, i) || *target > *source) continue;
            *target = *source + 1;
            if (*target + 1 > net->n_levels) net->n_levels = *target + 1;
            changed = true;
            if (*target > d->n_populations) break;
        }
    }
    for (int i = 0; i < d->n_projections && changed; i++) {
        const projection_def *p = &d->projection[i];
        if (is_short(net, i) && net->population[p->target.population].level > d->n_populations - 1)
            return error_set(error, RV_CONFLICT,
                             "projection \"%s\" -> \"%s\": delay = %g ms lies in a loop of populations whose delays are all shorter "
                             "than the resolution; within a loop at least one delay must be %g ms or more",
                             d->population[p->source.population].name, d->population[p->target.population].name,
                             (double)net->min_delay[i] * 0x1p-32 * d->resolution, d->resolution);
    }
    return RV_OK;
}

/* In exact timing a weight may only depend on postsynaptic spikes of earlier windows. */
static rv_status window_of_rule(network *net, const bundle *b, rv_error *error)
{
    uint64_t delay = net->min_delay[b->projection[0]];
    if (net->def->timing == RV_GRID || delay == UINT64_MAX) return RV_OK;
    double steps = 2 * b->dendritic_fraction * (double)delay * 0x1p-32;
    if (steps < 1) {
        const projection_def *p = &net->def->projection[b->projection[0]];
        return error_set(error, RV_CONFLICT,
                         "projection \"%s\" -> \"%s\": dendritic_fraction = %g: in exact timing the dendritic part of the shortest "
                         "delay (%g ms) must be half a step (%g ms) or more",
                         net->def->population[p->source.population].name, net->def->population[p->target.population].name,
                         b->dendritic_fraction, (double)delay * 0x1p-32 * net->def->resolution, net->def->resolution / 2);
    }
    if (steps < (double)net->window) net->window = (int64_t)steps;
    return RV_OK;
}

rv_status network_choose_window(network *net, rv_error *error)
{
    net->window = LONGEST_WINDOW;
    for (int i = 0; i < net->def->n_projections; i++) {
        int64_t steps = (int64_t)(net->min_delay[i] >> 32);
        if (!is_short(net, i) && steps < net->window) net->window = steps;
    }
    for (int i = 0; i < net->def->n_projections; i++) { /* rewards are known when they are felt */
        const projection_def *p = &net->def->projection[i];
        if (p->rewarding && p->reward_delay < (double)net->window) net->window = (int64_t)p->reward_delay;
    }
    for (int i = 0; i < net->n_bundles; i++)
        if (net->bundle[i].rule && net->bundle[i].rule->on_post) TRY(window_of_rule(net, &net->bundle[i], error));
    if (net->n_epochs > 0) net->window = 1; /* all tiles hear of a step's spikes before what is learnt from them acts */
    if (net->longest_window == 0) net->longest_window = net->window;
    if (net->window > net->longest_window) net->window = net->longest_window;
    return RV_OK;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static rv_status make_rows(network *net, void *threads, rv_error *error) { return rows_build(net, *(int *)threads, error); }

static rv_status compile(network *net, int threads, network_fill_fn fill, void *user, rv_error *error)
{
    net->layout = threads;
    TRY(lay_out_tiles(net, threads, error));
    for (int p = 0; p < net->def->n_populations; p++) TRY(network_prepare_population(net, p, error));
    TRY(make_bundles(net, error));
    TRY(fill(net, user, error));
    TRY(assign_levels(net, error));
    if ((int64_t)net->n_tiles * net->n_levels > MAX_SPIKE_LISTS)
        return error_set(error, RV_OUT_OF_RANGE, "the network needs %d tiles and %d levels of delays shorter than a step, allowed are %d together: use fewer threads",
                         net->n_tiles, net->n_levels, MAX_SPIKE_LISTS);
    return network_choose_window(net, error);
}

rv_status network_restore(const definition *d, int layout, network_fill_fn fill, void *user, network **result, rv_error *error)
{
    *result = NULL;
    network *net = calloc(1, sizeof *net);
    if (!net) return error_memory(error, "the network", sizeof *net);
    net->def = d;
    net->population = calloc((size_t)d->n_populations + 1, sizeof *net->population);
    net->min_delay = malloc(((size_t)d->n_projections + 1) * sizeof *net->min_delay);
    rv_status status = net->population && net->min_delay ? compile(net, layout, fill, user, error) : error_memory(error, "the network", 0);
    if (status == RV_OK) *result = net;
    else network_free(net);
    return status;
}

rv_status network_compile(const definition *d, int threads, network **net, rv_error *error) { return network_restore(d, threads, make_rows, &threads, net, error); }

static void bundle_free(const network *net, bundle *b)
{
    if (b->rows)
        for (int t = 0; t < net->n_tiles; t++) rows_free(&b->rows[t], net->def->population[b->source].n);
    free(b->rows);
    free(b->projection);
    epoch_rule_free(b->epoch);
    convolution_free(b->convolution);
}

void network_free(network *net)
{
    if (!net) return;
    for (int i = 0; i < net->n_bundles; i++) bundle_free(net, &net->bundle[i]);
    for (int t = 0; net->tile && t < net->n_tiles; t++) free(net->tile[t].part);
    for (int p = 0; net->population && p < net->def->n_populations; p++) {
        for (int k = 0; k < RV_MAX_CONSTANTS; k++) free(net->population[p].constant[k]);
        free(net->population[p].bundle);
        free(net->population[p].learning);
        free(net->population[p].rewarded);
        free(net->population[p].tile_of_block);
    }
    free(net->bundle);
    free(net->tile);
    free(net->population);
    free(net->min_delay);
    free(net);
}
