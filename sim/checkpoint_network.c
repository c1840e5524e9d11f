/* The network in a checkpoint: its rows as they are stored, so that nothing need be drawn or sorted again. What else a network
 * consists of follows from the definition and from the number of threads it was laid out for. */
#include <stdlib.h>
#include <string.h>

#include "sim/checkpoint_visit.h"
#include "sim/connect.h"
#include "sim/convolution.h"
#include "sim/memory.h"
#include "sim/value.h"

/* ---- rows --------------------------------------------------------------------------------------------------------- */

static rv_status allocate_rows(visitor *v, const network *net, const bundle *b, rows *r)
{
    size_t sources = (size_t)net->def->population[b->source].n, n = (size_t)r->n_synapses;
    r->row = memory_new((sources + 1) * sizeof *r->row);
    r->segment = memory_new((size_t)(r->n_segments + 1) * sizeof *r->segment);
    r->target = memory_new(n * sizeof *r->target);
    if (b->kind == WEIGHT_FLOAT) r->weight_float = memory_new(n * sizeof *r->weight_float);
    if (b->kind == WEIGHT_DOUBLE) r->weight_double = memory_new(n * sizeof *r->weight_double);
    bool weights = b->kind == WEIGHT_CONSTANT || r->weight_float || r->weight_double;
    return r->row && r->segment && r->target && weights ? RV_OK : error_memory(v->error, "synapses", (double)n * 10);
}

/* How many segments and synapses each tile has. */
static rv_status visit_sizes(visitor *v, const network *net, int i)
{
    bundle   *b = &net->bundle[i];
    visit_at  at = visit_path("bundles/%d/n_synapses", i);
    int64_t  *size = calloc(2 * (size_t)net->n_tiles, sizeof *size), *segments = size ? size + net->n_tiles : NULL;
    rv_status status = size ? RV_OK : error_memory(v->error, "synapses", 0);
    for (int t = 0; t < net->n_tiles && size; t++) size[t] = b->rows[t].n_synapses, segments[t] = b->rows[t].n_segments;
    if (status == RV_OK) status = visit_values(v, at.path, CHECKPOINT_I64, size, net->n_tiles);
    if (status == RV_OK) status = visit_values(v, AT("bundles/%d/n_segments", i), CHECKPOINT_I64, segments, net->n_tiles);
    for (int t = 0; v->loading && t < net->n_tiles && status == RV_OK; t++) {
        rows *r = &b->rows[t];
        if (size[t] < 0 || size[t] >= UINT32_MAX || segments[t] < 0 || segments[t] > size[t])
            status = visit_damaged(v, at.path, "holds %lld synapses in %lld segments", (long long)size[t], (long long)segments[t]);
        else r->n_synapses = size[t], r->n_segments = segments[t], b->n_synapses += size[t];
        if (status == RV_OK) status = allocate_rows(v, net, b, r);
    }
    free(size);
    return status;
}

/* What one tile's part of an array is. */
typedef enum rows_array { ROWS_ROW, ROWS_SEGMENT, ROWS_TARGET, ROWS_WEIGHT, N_ROWS_ARRAYS } rows_array;

static void *array_of(const network *net, const bundle *b, int t, rows_array which, int64_t *n)
{
    const rows *r = &b->rows[t];
    switch (which) {
    case ROWS_ROW: *n = net->def->population[b->source].n + 1; return r->row;
    case ROWS_SEGMENT: *n = (r->n_segments + 1) * (int64_t)(sizeof *r->segment / sizeof(uint32_t)); return r->segment;
    case ROWS_TARGET: *n = r->n_synapses; return r->target;
    default: *n = r->n_synapses; return r->weight_float ? (void *)r->weight_float : r->weight_double;
    }
}

static rv_status visit_array(visitor *v, const network *net, int i, rows_array which, const char *name, checkpoint_type type)
{
    int64_t total = 0, n;
    for (int t = 0; t < net->n_tiles; t++) array_of(net, &net->bundle[i], t, which, &n), total += n;
    TRY(visit_begin(v, AT("bundles/%d/%s", i, name), type, &total));
    for (int t = 0; t < net->n_tiles; t++) {
        void *values = array_of(net, &net->bundle[i], t, which, &n);
        TRY(visit_next(v, values, n));
    }
    return visit_end(v);
}

/* ---- checks ------------------------------------------------------------------------------------------------------- */

static rv_status check_segments(const visitor *v, const network *net, int i, int t)
{
    const bundle *b = &net->bundle[i];
    const rows   *r = &b->rows[t];
    int64_t       sources = net->def->population[b->source].n;
    bool          grid = net->def->timing == RV_GRID, good = r->row[0] == 0 && r->row[sources] == r->n_segments;
    for (int64_t s = 0; s < sources; s++) good &= r->row[s] <= r->row[s + 1];
    if (!good) return visit_damaged(v, AT("bundles/%d/row", i), "does not count up to %lld segments in tile %d", (long long)r->n_segments, t);
    good = r->segment[0].first == 0 && r->segment[r->n_segments].first == r->n_synapses;
    for (int64_t k = 0; k < r->n_segments; k++) {
        const segment *s = &r->segment[k];
        good &= s[0].first <= s[1].first && s->steps <= MAX_DELAY_STEPS && (!grid || (s->steps >= 1 && s->fraction == 0));
    }
    return good ? RV_OK : visit_damaged(v, AT("bundles/%d/segment", i), "does not count up to %lld synapses of possible delays in tile %d", (long long)r->n_synapses, t);
}

/* Targets are numbers in the tile, and must be neurons of the populations that the bundle goes to. */
static rv_status check_targets(const visitor *v, const network *net, int i, int t)
{
    const bundle *b = &net->bundle[i];
    const rows   *r = &b->rows[t];
    uint8_t      *is_target = calloc(MAX_TILE, 1), good = 1;
    if (!is_target) return error_memory(v->error, "synapses", MAX_TILE);
    for (int k = 0; k < b->n_projections; k++) {
        const part *own = &net->tile[t].part[net->def->projection[b->projection[k]].target.population];
        if (own->n > 0) memset(is_target + own->base, 1, (size_t)own->n);
    }
    for (int64_t k = 0; k < r->n_synapses; k++) good &= is_target[r->target[k]];
    free(is_target);
    return good ? RV_OK : visit_damaged(v, AT("bundles/%d/target", i), "names a neuron that there is not in tile %d", t);
}

static rv_status check_delays(const visitor *v, const network *net, int i)
{
    const bundle *b = &net->bundle[i];
    uint64_t      there = UINT64_MAX, said = UINT64_MAX;
    for (int t = 0; t < net->n_tiles; t++)
        for (int64_t k = 0; k < b->rows[t].n_segments; k++) {
            const segment *s = &b->rows[t].segment[k];
            uint64_t       delay = (uint64_t)s->steps << 32 | s->fraction;
            if (s[0].first < s[1].first && delay < there) there = delay;
        }
    for (int k = 0; k < b->n_projections; k++)
        if (net->min_delay[b->projection[k]] < said) said = net->min_delay[b->projection[k]];
    return there == said ? RV_OK : visit_damaged(v, "min_delay", "is not that of bundle %d", i);
}

/* ---- bundles ------------------------------------------------------------------------------------------------------ */

/* A weight that was one for all may have been given to each synapse since (rv_set_weights). */
static rv_status visit_kind(visitor *v, const network *net, int i)
{
    bundle     *b = &net->bundle[i];
    int         kind = (int)b->kind;
    weight_kind expanded = net->def->timing == RV_EXACT ? WEIGHT_DOUBLE : WEIGHT_FLOAT;
    TRY(visit_int(v, AT("bundles/%d/kind", i), &kind, WEIGHT_CONSTANT, WEIGHT_DOUBLE));
    if (kind != (int)b->kind && !(b->kind == WEIGHT_CONSTANT && kind == (int)expanded)) return visit_damaged(v, AT("bundles/%d/kind", i), "is %d", kind);
    b->kind = (weight_kind)kind;
    TRY(visit_double(v, AT("bundles/%d/constant_weight", i), &b->weight));
    TRY(visit_int(v, AT("bundles/%d/sign", i), &b->sign, -1, 1));
    return visit_values(v, AT("bundles/%d/synapse_parameters", i), CHECKPOINT_F64, b->synapse_param, RV_MAX_SYNAPSE_PARAMS);
}

static rv_status check_synapse(const visitor *v, const bundle *b, int i)
{
    const rv_table *table = &b->synapse->table;
    for (int k = 0; k < table->n_params; k++)
        if (!(b->synapse_param[k] >= table->params[k].low && b->synapse_param[k] <= table->params[k].high))
            return visit_damaged(v, AT("bundles/%d/synapse_parameters", i), "has %s = %g", table->params[k].name, b->synapse_param[k]);
    return RV_OK;
}

/* The kernel and the geometry are in the definition, and all follows from them. */
static rv_status restore_convolution(visitor *v, network *net, int i)
{
    bundle  *b = &net->bundle[i];
    int      p = b->projection[0];
    uint64_t said = net->min_delay[p];
    const rv_value *delay = &net->def->projection[p].delay;
    if (b->synapse) convolution_take_effect(b);
    TRY(convolution_lay_out(net, b, connect_delay_key(net->def, value_bounded(delay, delay->a)), net->layout, v->error));
    rows_note_size(net, b);
    return net->min_delay[p] == said ? RV_OK : visit_damaged(v, "min_delay", "is not that of bundle %d", i);
}

static rv_status visit_bundle(visitor *v, network *net, int i)
{
    bundle *b = &net->bundle[i];
    TRY(visit_kind(v, net, i));
    if (v->loading && b->synapse) TRY(check_synapse(v, b, i));
    if (v->loading) rows_prepare_synapse(b);
    if (b->convolution) return v->loading ? restore_convolution(v, net, i) : RV_OK;
    TRY(visit_sizes(v, net, i));
    TRY(visit_array(v, net, i, ROWS_ROW, "row", CHECKPOINT_U32));
    TRY(visit_array(v, net, i, ROWS_SEGMENT, "segment", CHECKPOINT_U32));
    TRY(visit_array(v, net, i, ROWS_TARGET, "target", CHECKPOINT_U16));
    if (b->kind != WEIGHT_CONSTANT) TRY(visit_array(v, net, i, ROWS_WEIGHT, "weight", b->kind == WEIGHT_FLOAT ? CHECKPOINT_F32 : CHECKPOINT_F64));
    if (!v->loading) return RV_OK;
    for (int t = 0; t < net->n_tiles; t++) TRY(check_segments(v, net, i, t));
    for (int t = 0; t < net->n_tiles; t++) TRY(check_targets(v, net, i, t));
    TRY(check_delays(v, net, i));
    rows_note_size(net, b);
    return RV_OK;
}

/* ---- all together ------------------------------------------------------------------------------------------------- */

rv_status visit_network(visitor *v, network *net)
{
    int n_tiles = net->n_tiles, n_bundles = net->n_bundles;
    TRY(visit_int(v, "n_tiles", &n_tiles, net->n_tiles, net->n_tiles));
    TRY(visit_int(v, "n_bundles", &n_bundles, net->n_bundles, net->n_bundles));
    TRY(visit_values(v, "min_delay", CHECKPOINT_U64, net->min_delay, net->def->n_projections));
    TRY(visit_int64(v, "longest_window", &net->longest_window, 1, LONGEST_WINDOW));
    for (int p = 0; p < net->def->n_populations; p++) {
        TRY(visit_int(v, AT("populations/%d/level", p), &net->population[p].level, 0, net->def->n_populations - 1)); /* settled by the first delays */
        bool closed_form = net->population[p].closed_form; /* lost for good when parameters without it are set */
        TRY(visit_bool(v, AT("populations/%d/closed_form", p), &closed_form));
        net->population[p].closed_form &= closed_form;
    }
    for (int i = 0; i < net->n_bundles; i++) TRY(visit_bundle(v, net, i));
    return RV_OK;
}
