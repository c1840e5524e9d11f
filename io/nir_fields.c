/* The types of nodes as a table: which fields they have, and what each may be. */
#include <stdio.h>
#include <string.h>

#include "io/nir_internal.h"
#include "sim/error.h"

typedef enum field_rule {
    PARAMETER, /* an array; all of a node have the same shape                        */
    FACTOR,    /* the same, or a single number                                       */
    ARRAY,     /* numbers of any shape                                               */
    WHOLE,     /* whole numbers: a single one or a vector                            */
    PADDING,   /* the same, or "same" or "valid"                                     */
} field_rule;

typedef struct field_kind {
    const char *name;
    field_rule  rule;
    bool        may_lack; /* NIR's library fills it in */
} field_kind;

enum { MOST_FIELDS = 8 };
static const field_kind fields_of[N_NIR_KINDS][MOST_FIELDS] = {
    [NIR_INPUT] = { { "shape", WHOLE, false } },
    [NIR_OUTPUT] = { { "shape", WHOLE, false } },
    [NIR_AFFINE] = { { "weight", ARRAY, false }, { "bias", ARRAY, false } },
    [NIR_LINEAR] = { { "weight", ARRAY, false } },
    [NIR_SCALE] = { { "scale", PARAMETER, false } },
    [NIR_THRESHOLD] = { { "threshold", PARAMETER, false } },
    [NIR_DELAY] = { { "delay", PARAMETER, false } },
    [NIR_I] = { { "r", PARAMETER, false } },
    [NIR_IF] = { { "r", PARAMETER, false }, { "v_threshold", PARAMETER, false }, { "v_reset", PARAMETER, true } },
    [NIR_LI] = { { "tau", PARAMETER, false }, { "r", PARAMETER, false }, { "v_leak", PARAMETER, false } },
    [NIR_LIF] = { { "tau", PARAMETER, false }, { "r", PARAMETER, false }, { "v_leak", PARAMETER, false }, { "v_threshold", PARAMETER, false }, { "v_reset", PARAMETER, true } },
    [NIR_CUBALI] = { { "tau_syn", PARAMETER, false }, { "tau_mem", PARAMETER, false }, { "r", PARAMETER, false }, { "v_leak", PARAMETER, false }, { "w_in", FACTOR, true } },
    [NIR_CUBALIF] = { { "tau_syn", PARAMETER, false }, { "tau_mem", PARAMETER, false }, { "r", PARAMETER, false }, { "v_leak", PARAMETER, false },
                      { "v_threshold", PARAMETER, false }, { "v_reset", PARAMETER, true }, { "w_in", FACTOR, true } },
    [NIR_CONV1D] = { { "weight", ARRAY, false }, { "bias", ARRAY, false }, { "input_shape", WHOLE, true }, { "stride", WHOLE, false },
                     { "padding", PADDING, false }, { "dilation", WHOLE, false }, { "groups", WHOLE, false } },
    [NIR_CONV2D] = { { "weight", ARRAY, false }, { "bias", ARRAY, false }, { "input_shape", WHOLE, true }, { "stride", WHOLE, false },
                     { "padding", PADDING, false }, { "dilation", WHOLE, false }, { "groups", WHOLE, false } },
    [NIR_SUMPOOL2D] = { { "kernel_size", WHOLE, false }, { "stride", WHOLE, false }, { "padding", WHOLE, false } },
    [NIR_AVGPOOL2D] = { { "kernel_size", WHOLE, false }, { "stride", WHOLE, false }, { "padding", WHOLE, false } },
    [NIR_FLATTEN] = { { "start_dim", WHOLE, true }, { "end_dim", WHOLE, true }, { "input_type", WHOLE, true } },
};

/* ---- sentences -------------------------------------------------------------------------------------------------- */

const char *nir_path(char text[NIR_PATH], const char *parent, const char *name)
{
    snprintf(text, NIR_PATH, "%.127s%s%.127s", parent, *parent ? "/" : "", name);
    return text;
}

static const char *lengths_text(char text[NIR_PATH], int rank, const int64_t *n)
{
    size_t at = (size_t)snprintf(text, NIR_PATH, "%s", rank ? "" : "a single value");
    for (int k = 0; k < rank; k++) at += (size_t)snprintf(text + at, NIR_PATH - at, "%s%lld", k ? "x" : "", (long long)n[k]);
    return text;
}

const char *nir_shape_text(char text[NIR_PATH], const nir_shape *shape) { return lengths_text(text, shape->rank, shape->n); }

/* ---- one node --------------------------------------------------------------------------------------------------- */

typedef struct checking {
    const nir_node *node;
    char            object[2 * NIR_PATH]; /* file and node, as sentences begin */
    rv_error       *error;
} checking;

static const field_kind *kind_of(const nir_node *node, const char *name)
{
    for (const field_kind *f = fields_of[node->kind]; f < fields_of[node->kind] + MOST_FIELDS && f->name; f++)
        if (strcmp(f->name, name) == 0) return f;
    return NULL;
}

static rv_status check_known(const checking *c)
{
    const nir_node *node = c->node;
    const char     *names[MOST_FIELDS];
    char            kind[64];
    int             n = 0;
    while (n < MOST_FIELDS && fields_of[node->kind][n].name) names[n] = fields_of[node->kind][n].name, n++;
    snprintf(kind, sizeof kind, "field of %s", nir_kind_names[node->kind]);
    for (int k = 0; k < node->fields.n_values; k++)
        if (!kind_of(node, node->fields.value[k].name)) return error_unknown(c->error, c->object, kind, node->fields.value[k].name, names, n);
    for (int k = 0; k < n; k++)
        if (!fields_of[node->kind][k].may_lack && !nir_get(node, names[k]))
            return error_set(c->error, RV_FILE_ERROR, "%s: has no field \"%s\", which a %s needs", c->object, names[k], nir_kind_names[node->kind]);
    return RV_OK;
}

static rv_status check_whole(const checking *c, const nir_value *v)
{
    if (v->shape.rank > 1) return error_set(c->error, RV_WRONG_SHAPE, "%s: %s is an array of %d axes, a number or a vector is needed", c->object, v->name, v->shape.rank);
    for (int64_t k = 0; k < v->shape.count; k++) {
        double x = nir_number(v, k);
        if (!(x >= INT32_MIN && x <= INT32_MAX) || x != (double)(int64_t)x)
            return error_set(c->error, RV_OUT_OF_RANGE, "%s: %s = %.10g, a whole number of 32 bits is needed", c->object, v->name, x);
    }
    return RV_OK;
}

static rv_status check_text(const checking *c, const nir_value *v)
{
    const char *text = nir_text(v);
    if (text && (strcmp(text, "same") == 0 || strcmp(text, "valid") == 0)) return RV_OK;
    return error_set(c->error, RV_OUT_OF_RANGE, "%s: %s is the text \"%.40s\", allowed are \"same\", \"valid\" and numbers", c->object, v->name, text ? text : "...");
}

static bool same_lengths(const hdf5_shape *a, const hdf5_shape *b)
{
    bool same = a->rank == b->rank;
    for (int k = 0; same && k < a->rank; k++) same = a->n[k] == b->n[k];
    return same;
}

/* @param first the node's first parameter, NULL: this is it */
static rv_status check_value(const checking *c, const nir_value *v, field_rule rule, const nir_value *first)
{
    char own[NIR_PATH], other[NIR_PATH];
    if (v->text && rule == PADDING) return check_text(c, v);
    if (!v->data) return error_set(c->error, RV_WRONG_SHAPE, "%s: %s is a text, numbers are needed", c->object, v->name);
    if (rule == WHOLE || rule == PADDING) return check_whole(c, v);
    if (rule == ARRAY || (rule == FACTOR && v->shape.count == 1) || !first || same_lengths(&v->shape, &first->shape)) return RV_OK;
    return error_set(c->error, RV_WRONG_SHAPE, "%s: %s has the shape %s, %s has %s; all parameters of a node have the same", c->object, v->name,
                     lengths_text(own, v->shape.rank, v->shape.n), first->name, lengths_text(other, first->shape.rank, first->shape.n));
}

static rv_status check_node(const checking *c)
{
    const nir_value *first = NULL;
    TRY(check_known(c));
    for (int k = 0; k < MOST_FIELDS && fields_of[c->node->kind][k].name; k++) {
        const field_kind *f = &fields_of[c->node->kind][k];
        const nir_value  *v = nir_get(c->node, f->name);
        if (v) TRY(check_value(c, v, f->rule, first));
        if (v && !first && f->rule == PARAMETER) first = v;
    }
    const nir_value *weight = nir_get(c->node, "weight");
    if (!weight) return RV_OK;
    int least = c->node->kind == NIR_CONV1D ? 3 : c->node->kind == NIR_CONV2D ? 4 : 2, most = least > 2 ? least : HDF5_MAX_RANK;
    if (weight->shape.rank >= least && weight->shape.rank <= most) return RV_OK;
    return error_set(c->error, RV_WRONG_SHAPE, "%s: weight has %d axes, %s %d are needed", c->object, weight->shape.rank, least > 2 ? "exactly" : "at least", least);
}

rv_status nir_check_fields(const nir_graph *graph, const char *parent, const char *file, rv_error *error)
{
    for (int k = 0; k < graph->n_nodes; k++) {
        const nir_node *node = &graph->node[k];
        char            path[NIR_PATH];
        checking        c = { .node = node, .error = error };
        nir_path(path, parent, node->name);
        if (file) snprintf(c.object, sizeof c.object, "file \"%.120s\", node \"%s\"", file, path);
        else snprintf(c.object, sizeof c.object, "node \"%s\"", path);
        if (node->kind == NIR_GRAPH) TRY(nir_check_fields(node->graph, path, file, error));
        else TRY(check_node(&c));
    }
    return RV_OK;
}
