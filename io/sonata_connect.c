/* Connecting: edges become projections of rule list, one for each pair of parts and class of synapse. They go from the file to the
 * network's definition block by block, so that a hundred million of them need no memory but their own.
 *
 *   weight = nsyns syn_weight sign, in the unit of the target's template        (bmtk and PyNN multiply with nsyns, NEST does not)
 *   gaussianLL: syn_weight exp(-(d / sigma)^2), d the distance of the two tuning angles, 0 to 90 degrees      (bmtk)
 *   delay: on the grid rounded to the nearest step, as NEST does; 1 ms if nobody says */
#include "io/sonata_blocks.h"
#include "io/sonata_synapses.h"

#include "sim/definition.h"

/* BBP's connection_overrides: applied in order to the edges between two node sets. */
typedef struct override {
    uint8_t **source, **target; /* [n_nodes][n] */
    double    weight, delay;    /* factor; ms, NAN: as it is */
} override;

typedef struct walk {
    sonata_circuit     *c;
    const sonata_edges *edges;
    const sonata_nodes *from, *to;
    sonata_blocks       blocks;
    sonata_synapses     synapses;
    sonata_ids          types;
    sonata_column       tuning[2];  /* of sources and targets, if a weight needs them        */
    override           *overrides;  /* [n_overrides]                                          */
    int                 n_overrides;
    int                 class, source_part, target_part, pass; /* of the projection in the making */
    bool                one_weight, one_delay;
    int64_t            *source, *target; /* [SONATA_BLOCK] */
    double             *weight, *delay;  /* [SONATA_BLOCK] */
    int64_t            *count;      /* [classes][source parts][target parts] */
    rv_error           *error;
} walk;

/* ---- one edge ---------------------------------------------------------------------------------------------------- */

typedef struct edge {
    int64_t               number, from, to; /* rows */
    int                   source_part, target_part;
    int64_t               source, target;   /* places */
    const sonata_synapse *synapse;
} edge;

static rv_status no_node(const walk *w, const char *which, int64_t k, int64_t id, const sonata_nodes *nodes)
{
    return sonata_refuse(&w->blocks.file, w->blocks.group.path, w->error, "edge %lld has %s node %lld, which population \"%.80s\" of %lld nodes does not have", (long long)(w->blocks.first + k), which, (long long)id,
                         nodes->name, (long long)nodes->n);
}

static rv_status find_edge(walk *w, int64_t k, edge *e)
{
    const sonata_blocks *b = &w->blocks;
    e->number = b->first + k;
    e->from = sonata_row(w->from, b->source[k]), e->to = sonata_row(w->to, b->target[k]);
    if (e->from < 0) return no_node(w, "source", k, b->source[k], w->from);
    if (e->to < 0) return no_node(w, "target", k, b->target[k], w->to);
    e->source_part = sonata_place(w->from, e->from, &e->source), e->target_part = sonata_place(w->to, e->to, &e->target);
    int row = w->edges->types.n_rows;
    if (row > 0 && (row = sonata_ids_find(&w->types, b->type[k])) < 0)
        return sonata_refuse(&b->file, b->group.path, w->error, "edge %lld has type %lld, which \"%.150s\" does not have", (long long)e->number, (long long)b->type[k], w->edges->types.path);
    e->synapse = &w->synapses.type[row];
    return RV_OK;
}

static double tuned(const walk *w, const edge *e, double weight)
{
    double difference = w->tuning[1].number[e->to] - w->tuning[0].number[e->from];
    double distance = fabs(fabs(fabs(180 - fmod(fabs(difference), 360)) - 90) - 90);
    return weight * exp(-(distance / e->synapse->sigma) * (distance / e->synapse->sigma));
}

static double given(const sonata_blocks *b, int column, int64_t k, double otherwise)
{
    return b->value[column] && !isnan(b->value[column][k]) ? b->value[column][k] : otherwise;
}

static rv_status weigh(const walk *w, int64_t k, const edge *e, double *weight)
{
    const sonata_synapse *s = e->synapse;
    double                each = given(&w->blocks, EDGE_WEIGHT, k, s->weight), nsyns = given(&w->blocks, EDGE_NSYNS, k, isnan(s->nsyns) ? 1 : s->nsyns);
    *weight = (s->tuned ? tuned(w, e, each) : each) * nsyns * s->sign * sonata_model_weight_scale(w->to->part[e->target_part].kind);
    for (int o = 0; o < w->n_overrides; o++)
        if (w->overrides[o].source[w->edges->source][e->from] && w->overrides[o].target[w->edges->target][e->to]) *weight *= w->overrides[o].weight;
    if (isfinite(*weight)) return RV_OK;
    bool column = w->blocks.value[EDGE_WEIGHT] != NULL;
    return sonata_refuse(&w->blocks.file, w->blocks.group.path, w->error, "edge %lld has no weight: syn_weight is %s%s", (long long)e->number, column ? "not a number in the file" : "neither a column of the file",
                         s->tuned ? ", or a node has no tuning_angle" : column ? ", nor in the table of types" : " nor of the table of types");
}

static rv_status postpone(walk *w, int64_t k, const edge *e, double *delay)
{
    double h = rv_resolution(w->c->net), ms = given(&w->blocks, EDGE_DELAY, k, isnan(e->synapse->delay) ? 1 : e->synapse->delay);
    for (int o = 0; o < w->n_overrides; o++)
        if (!isnan(w->overrides[o].delay) && w->overrides[o].source[w->edges->source][e->from] && w->overrides[o].target[w->edges->target][e->to]) ms = w->overrides[o].delay;
    bool   grid = rv_net_timing(w->c->net) == RV_GRID;
    double rounded = grid ? rint(ms / h) * h : ms;
    if (!(ms >= 0 && ms < h * MAX_DELAY_STEPS) || (grid && rounded <= 0))
        return sonata_refuse(&w->blocks.file, w->blocks.group.path, w->error, "edge %lld has a delay of %g ms, allowed is %s%g ms or more%s", (long long)e->number, ms, grid ? "dt = " : "", grid ? h : 0,
                             grid && ms >= 0 ? "; exact timing takes shorter ones" : "");
    w->c->largest_rounding = fmax(w->c->largest_rounding, fabs(rounded - ms));
    *delay = rounded;
    return RV_OK;
}

/* ---- a projection ------------------------------------------------------------------------------------------------ */

static bool belongs(const walk *w, const edge *e) { return e->synapse->class == w->class && e->source_part == w->source_part && e->target_part == w->target_part; }

static rv_status take_block(walk *w, int64_t *n)
{
    *n = 0;
    for (int64_t k = 0; k < w->blocks.n; k++) {
        edge e = { 0 };
        TRY(find_edge(w, k, &e));
        if (!belongs(w, &e)) continue;
        w->source[*n] = e.source, w->target[*n] = e.target;
        if (w->pass == 2 && !w->one_weight) TRY(weigh(w, k, &e, &w->weight[*n]));
        if (w->pass == 2 && !w->one_delay) TRY(postpone(w, k, &e, &w->delay[*n]));
        ++*n;
    }
    return RV_OK;
}

/* Edges for the network; counted in the first pass, so that weights are read in the second alone. */
static rv_status next_pairs(void *user, bool first, rv_pairs *pairs)
{
    walk   *w = user;
    int64_t n = 0;
    w->pass += first;
    for (bool again = first; n == 0; again = false) {
        TRY(sonata_blocks_next(&w->blocks, again, w->pass == 2 && !(w->one_weight && w->one_delay)));
        if (w->blocks.n == 0) break;
        TRY(take_block(w, &n));
    }
    *pairs = (rv_pairs){ .n = n, .sources = w->source, .targets = w->target, .weights = w->one_weight ? NULL : w->weight, .delays = w->one_delay ? NULL : w->delay };
    return RV_OK;
}

/* Whether all edges of the class have the weight, or the delay, of their types, and it is the same. */
static rv_status find_constants(walk *w, rv_value *weight, rv_value *delay)
{
    const sonata_synapse *one = NULL;
    bool                  weights = w->blocks.value[EDGE_WEIGHT] || w->blocks.value[EDGE_NSYNS] || w->n_overrides > 0, delays = w->blocks.value[EDGE_DELAY] || w->n_overrides > 0;
    for (int k = 0; k == 0 || k < w->edges->types.n_rows; k++) { /* without a table there is one type */
        const sonata_synapse *s = &w->synapses.type[k];
        if (s->class != w->class) continue;
        if (!one) one = s;
        weights |= s->tuned || s->weight != one->weight || s->sign != one->sign || !(s->nsyns == one->nsyns || (isnan(s->nsyns) && isnan(one->nsyns)));
        delays |= !(s->delay == one->delay || (isnan(s->delay) && isnan(one->delay)));
    }
    edge e = { .synapse = one, .target_part = w->target_part };
    w->one_weight = one && !weights, w->one_delay = one && !delays;
    if (w->one_weight) {
        weight->kind = RV_NUMBER;
        TRY(weigh(w, 0, &e, &weight->a));
    }
    if (!w->one_delay) return RV_OK;
    delay->kind = RV_NUMBER;
    TRY(postpone(w, 0, &e, &delay->a));
    return RV_OK;
}

/* The time constant of the post-synaptic trace is a parameter of the neuron in NEST, and of the rule here. */
static rv_status add_tau_minus(const walk *w, sonata_class *class)
{
    const sonata_part *part = &w->to->part[w->target_part];
    rv_table           table;
    if (isnan(part->tau_minus) || !class->plasticity || !rv_table_find(RV_LEARNING, class->plasticity, &table)) return RV_OK;
    for (int k = 0; k < class->n_settings; k++)
        if (strcmp(class->setting[k].name, "tau_minus") == 0) return RV_OK;
    for (int k = 0; k < table.n_params; k++) {
        if (strcmp(table.params[k].name, "tau_minus") != 0) continue;
        if (isinf(part->tau_minus)) return error_set(w->error, RV_CONFLICT, "edges \"%.100s\": the target neurons differ in tau_minus, allowed is one for all", w->edges->name);
        class->setting[class->n_settings++] = (rv_setting){ table.params[k].name, rv_number(part->tau_minus) };
    }
    return RV_OK;
}

static rv_status connect_class(walk *w)
{
    sonata_class   class = w->synapses.classes[w->class];
    rv_connect_def def = { .source = rv_all(w->from->part[w->source_part].population), .target = rv_all(w->to->part[w->target_part].population), .rule = "list", .pairs = next_pairs, .pairs_user = w };
    w->pass = 0;
    TRY(add_tau_minus(w, &class));
    TRY(find_constants(w, &def.weight, &def.delay));
    def.receptor_type = class.receptor, def.plasticity = class.plasticity, def.settings = class.setting, def.n_settings = class.n_settings;
    w->error->status = RV_OK;
    if (rv_connect(w->c->net, &def, NULL) == RV_OK) return RV_OK;
    return w->error->status != RV_OK ? w->error->status : sonata_net_failed(w->c, w->error);
}

/* ---- which projections there are --------------------------------------------------------------------------------- */

static int64_t *count_of(const walk *w, int class, int source, int target) { return &w->count[((int64_t)class * w->from->n_parts + source) * w->to->n_parts + target]; }

static rv_status count_edges(walk *w)
{
    int64_t n = (int64_t)w->synapses.n_classes * w->from->n_parts * w->to->n_parts;
    w->count = calloc((size_t)n + 1, sizeof *w->count);
    if (!w->count) return error_memory(w->error, w->edges->name, (double)n * 8);
    if (n == 1) return w->count[0] = w->edges->n, RV_OK;
    for (bool again = true;; again = false) {
        TRY(sonata_blocks_next(&w->blocks, again, false));
        if (w->blocks.n == 0) return RV_OK;
        for (int64_t k = 0; k < w->blocks.n; k++) {
            edge e = { 0 };
            TRY(find_edge(w, k, &e));
            ++*count_of(w, e.synapse->class, e.source_part, e.target_part);
        }
    }
}

static rv_status connect_all(walk *w)
{
    TRY(count_edges(w));
    for (w->class = 0; w->class < w->synapses.n_classes; w->class ++)
        for (w->source_part = 0; w->source_part < w->from->n_parts; w->source_part++)
            for (w->target_part = 0; w->target_part < w->to->n_parts; w->target_part++) {
                if (*count_of(w, w->class, w->source_part, w->target_part) == 0) continue;
                if (w->to->part[w->target_part].is_virtual) return error_set(w->error, RV_CONFLICT, "edges \"%.100s\" end at virtual nodes of \"%.100s\", which take no input", w->edges->name, w->to->name);
                TRY(connect_class(w));
            }
    return RV_OK;
}

/* ---- one population of edges ------------------------------------------------------------------------------------- */

static rv_status read_tuning(walk *w)
{
    bool tuned = false;
    for (int k = 0; k < w->edges->types.n_rows; k++) tuned |= w->synapses.type[k].tuned;
    for (int k = 0; k < 2 && tuned; k++) {
        const sonata_nodes *nodes = k ? w->to : w->from;
        TRY(sonata_column_read(nodes, "tuning_angle", &w->tuning[k], w->error));
        if (!w->tuning[k].number) return error_set(w->error, RV_CONFLICT, "edges \"%.80s\": weight_function gaussianLL needs a column tuning_angle of nodes \"%.80s\"", w->edges->name, nodes->name);
    }
    return RV_OK;
}

static rv_status open_walk(walk *w)
{
    int64_t n = w->edges->n < SONATA_BLOCK ? w->edges->n + 1 : SONATA_BLOCK;
    TRY(sonata_blocks_open(w->edges, &w->blocks, w->error));
    TRY(sonata_synapses_read(w->c, w->edges, &w->synapses, w->error));
    if (w->edges->types.n_rows) TRY(sonata_ids_read(&w->edges->types, "edge_type_id", w->edges->name, &w->types, w->error));
    TRY(read_tuning(w));
    w->source = malloc((size_t)n * 8), w->target = malloc((size_t)n * 8), w->weight = malloc((size_t)n * 8), w->delay = malloc((size_t)n * 8);
    return w->source && w->target && w->weight && w->delay ? RV_OK : error_memory(w->error, w->edges->name, (double)n * 32);
}

static void close_walk(walk *w)
{
    sonata_blocks_close(&w->blocks);
    sonata_synapses_free(&w->synapses);
    for (int k = 0; k < 2; k++) sonata_column_free(&w->tuning[k]);
    free(w->types.of), free(w->source), free(w->target), free(w->weight), free(w->delay), free(w->count);
}

/* ---- overrides --------------------------------------------------------------------------------------------------- */

static rv_status read_override(sonata_circuit *c, const json_t *entry, override *o, rv_error *error)
{
    static const char *const known[] = { "name", "source", "target", "weight", "synapse_delay_override", "delay", NULL };
    double                   from;
    sonata_known_keys(c, entry, "connection_overrides", known);
    TRY(sonata_number(entry, "connection_overrides", "weight", 1, &o->weight, error));
    TRY(sonata_number(entry, "connection_overrides", "synapse_delay_override", NAN, &o->delay, error));
    TRY(sonata_number(entry, "connection_overrides", "delay", 0, &from, error));
    if (from != 0) return error_set(error, RV_OUT_OF_RANGE, "connection_overrides: delay = %g ms, allowed is 0: weights hold from the beginning", from);
    TRY(sonata_select(c, json_object_get(entry, "source"), "connection_overrides: source", &o->source, error));
    return sonata_select(c, json_object_get(entry, "target"), "connection_overrides: target", &o->target, error);
}

static void free_overrides(const sonata_circuit *c, override *o, int n)
{
    for (int k = 0; k < n; k++) sonata_selection_free(c, o[k].source), sonata_selection_free(c, o[k].target);
    free(o);
}

rv_status sonata_connect(sonata_circuit *c, rv_error *error)
{
    const json_t *list = json_object_get(c->config, "connection_overrides");
    int           n = (int)json_array_size(list);
    override     *overrides = calloc((size_t)n + 1, sizeof *overrides);
    rv_status     status = overrides ? RV_OK : error_memory(error, "connection_overrides", 0);
    for (int k = 0; k < n && status == RV_OK; k++) status = read_override(c, json_array_get(list, (size_t)k), &overrides[k], error);
    for (int k = 0; k < c->n_edges && status == RV_OK; k++) {
        walk w = { .c = c, .edges = &c->edges[k], .from = &c->nodes[c->edges[k].source], .to = &c->nodes[c->edges[k].target], .overrides = overrides, .n_overrides = n, .error = error };
        if (c->edges[k].n == 0) continue;
        status = open_walk(&w);
        if (status == RV_OK) status = connect_all(&w);
        close_walk(&w);
    }
    if (overrides) free_overrides(c, overrides, n);
    return status;
}
