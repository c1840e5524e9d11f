#include "sim/tables.h"

#include <string.h>

#include "sim/definition.h"
#include "sim/error.h"
#include "sim/model.h"
#include "sim/plugin.h"
#include "sim/rule.h"

enum { MAX_NAMES = 128 }; /* of what a sentence could suggest */

static int length_of(const void *const *list)
{
    int n = 0;
    while (list[n]) n++;
    return n;
}

/* What plug-ins have brought comes behind what is built in; NULL behind the last one. */
static const rv_model *model_at(int index)
{
    int built_in = length_of((const void *const *)rv_models);
    return index < built_in ? rv_models[index] : plugin_model(index - built_in);
}

static const rv_rule *rule_at(int index)
{
    int built_in = length_of((const void *const *)rv_rules);
    return index < built_in ? rv_rules[index] : plugin_rule(index - built_in);
}

/* The table behind an index, NULL behind the last one: the lists of models and rules end with NULL. */
static const rv_table *table_of(rv_table_kind kind, int index)
{
    switch (kind) {
    case RV_NEURONS: return model_at(index) ? &model_at(index)->table : NULL;
    case RV_LEARNING: return rule_at(index) ? &rule_at(index)->table : NULL;
    case RV_INPUTS: return index < N_INPUT_KINDS ? &input_tables[index] : NULL;
    case RV_SYNAPSES: return rv_synapse_kinds[index] ? &rv_synapse_kinds[index]->table : NULL;
    }
    return NULL;
}

/* The model's own name for a plain one, as lif for iaf_psc_exp. */
static const char *own_name(rv_table_kind kind, const char *name)
{
    for (const rv_model_alias *alias = rv_model_aliases; kind == RV_NEURONS && name && alias->name; alias++)
        if (strcmp(alias->name, name) == 0) return alias->model->table.name;
    return name;
}

static int index_of(rv_table_kind kind, const char *name)
{
    const rv_table *table;
    name = own_name(kind, name);
    for (int k = 0; name && (table = table_of(kind, k)); k++)
        if (strcmp(table->name, name) == 0) return k;
    return -1;
}

int rv_table_count(rv_table_kind kind)
{
    int n = 0;
    while (table_of(kind, n)) n++;
    return n;
}

bool rv_table_at(rv_table_kind kind, int index, rv_table *table)
{
    if (index < 0 || index >= rv_table_count(kind)) return false;
    *table = *table_of(kind, index);
    return true;
}

bool rv_table_find(rv_table_kind kind, const char *name, rv_table *table)
{
    return rv_table_at(kind, index_of(kind, name), table);
}

const rv_model *rv_model_find(const char *name)
{
    int k = index_of(RV_NEURONS, name);
    return k < 0 ? NULL : model_at(k);
}

const rv_rule *rv_rule_find(const char *name)
{
    int k = index_of(RV_LEARNING, name);
    return k < 0 ? NULL : rule_at(k);
}

const rv_synapse *rv_synapse_find(const char *name)
{
    int k = index_of(RV_SYNAPSES, name);
    return k < 0 ? NULL : rv_synapse_kinds[k];
}

static int field_index(const rv_field *fields, int n, const char *name)
{
    for (int k = 0; name && k < n; k++)
        if (strcmp(fields[k].name, name) == 0) return k;
    return -1;
}

int table_param(const rv_table *table, const char *name) { return field_index(table->params, table->n_params, name); }
int table_state(const rv_table *table, const char *name) { return field_index(table->states, table->n_states, name); }

int table_text(const rv_table *table, const char *name)
{
    for (int k = 0; name && k < table->n_texts; k++)
        if (strcmp(table->texts[k].name, name) == 0) return k;
    return -1;
}

static rv_status unknown_in(const rv_table *table, const char *what, int n_states, const char *object, const char *name,
                            rv_error *error)
{
    const char *names[MAX_NAMES];
    int         n = 0;
    for (int k = 0; k < table->n_params && n < MAX_NAMES; k++) names[n++] = table->params[k].name;
    for (int k = 0; k < n_states && n < MAX_NAMES; k++) names[n++] = table->states[k].name;
    for (int k = 0; k < table->n_texts && n < MAX_NAMES; k++) names[n++] = table->texts[k].name;
    char kind[100] = "";
    strcat(kind, what);
    strncat(kind, table->name, 60);
    return error_unknown(error, object, kind, name, names, n);
}

rv_status table_unknown_param(const rv_table *table, const char *object, const char *name, rv_error *error)
{
    return unknown_in(table, "parameter of ", 0, object, name, error);
}

rv_status table_unknown_field(const rv_table *table, const char *object, const char *name, rv_error *error)
{
    return unknown_in(table, "parameter or state of ", table->n_states, object, name, error);
}

rv_status table_unknown(rv_table_kind kind, const char *object, const char *name, rv_error *error)
{
    static const char *const kinds[] = { "neuron model", "learning rule", "input kind", "synapse kind" };
    const char              *names[MAX_NAMES];
    int                      n = 0;
    for (const rv_table *table; n < MAX_NAMES && (table = table_of(kind, n)); n++) names[n] = table->name;
    return error_unknown(error, object, kinds[kind], name, names, n);
}
