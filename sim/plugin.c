#include "sim/plugin.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "sim/error.h"

enum { MOST_LOADED = 256 };

/* Code is loaded into a process, not into a network: so these lists are global. */
static const rv_model *loaded_model[MOST_LOADED + 1];
static const rv_rule  *loaded_rule[MOST_LOADED + 1];
static int             n_models, n_rules;

const rv_model *plugin_model(int index) { return loaded_model[index < n_models ? index : n_models]; }
const rv_rule  *plugin_rule(int index) { return loaded_rule[index < n_rules ? index : n_rules]; }

/* ---- checks ------------------------------------------------------------------------------------------------------ */

static bool is_name(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return text && *text && strlen(text) < 64 && text[strspn(text, letters)] == 0;
}

static const char *wrong_fields(const rv_field *fields, int n, int most, const char *too_many, const char *unnamed)
{
    if (n < 0 || n > most || (n > 0 && !fields)) return too_many;
    for (int k = 0; k < n; k++)
        if (!is_name(fields[k].name) || !fields[k].unit || !fields[k].meaning) return unnamed;
    return NULL;
}

static const char *wrong_table(const rv_table *t, rv_table_kind kind)
{
    if (t->kind != kind) return "has a table of another kind: .kind is RV_NEURONS for models, RV_LEARNING for rules";
    if (!t->summary || !t->equations || !t->reference) return "has no summary, equations or reference";
    const char *wrong = wrong_fields(t->params, t->n_params, RV_MAX_PARAMS, "has more parameters than RV_MAX_PARAMS",
                                     "has a parameter without name, unit or meaning; is its enum longer than its list?");
    return wrong ? wrong : wrong_fields(t->states, t->n_states, RV_MAX_STATES, "has more states than RV_MAX_STATES",
                                        "has a state without name, unit or meaning; is its enum longer than its list?");
}

static const char *wrong_model(const rv_model *m)
{
    const char *wrong = wrong_table(&m->table, RV_NEURONS);
    if (wrong) return wrong;
    if (m->n_constants < 0 || m->n_constants > RV_MAX_CONSTANTS) return "has more constants than RV_MAX_CONSTANTS";
    if (m->n_constants > 0 && !m->prepare) return "has constants but no prepare()";
    if (m->n_receptors > 1 && (m->receptor_state < 0 || m->receptor_state + m->n_receptors - 1 > m->table.n_states))
        return "has receptors without a state each, see receptor_state";
    if (m->emit) return NULL;
    if (m->counts_spikes) return m->receive ? NULL : "counts spikes but has no receive()";
    if (!m->sweep || !m->step) return "has no sweep() or no step()";
    if (!m->crossing != !m->carry) return "has one of carry() and crossing(), allowed are both or none";
    return (m->crossing || m->advance) && !(m->receive && m->fire) ? "has exact timing without receive() and fire()" : NULL;
}

static const char *wrong_rule(const rv_rule *r)
{
    const char *wrong = wrong_table(&r->table, RV_LEARNING);
    if (wrong) return wrong;
    if (r->n_constants < 0 || r->n_constants > RV_MAX_RULE_CONSTANTS) return "has more constants than RV_MAX_RULE_CONSTANTS";
    if (r->n_source_traces > RV_MAX_TRACES || r->n_target_traces > RV_MAX_TRACES) return "has more traces than RV_MAX_TRACES";
    if (r->epochs) return NULL;
    bool traces = r->source_decay && r->target_decay && r->source_spike && r->target_spike;
    return r->prepare && traces && r->on_pre && r->on_post ? NULL : "needs prepare(), on_pre(), on_post(), and decay and spike of both traces";
}

static rv_status check_names(const char *path, const rv_table *t, bool exists, bool room, const char *wrong, rv_error *error)
{
    if (!is_name(t->name)) return error_set(error, RV_CONFLICT, "plug-in %s: a name is \"%.40s\", allowed are letters, digits and _", path, t->name ? t->name : "");
    if (wrong) return error_set(error, RV_CONFLICT, "plug-in %s: %s %s", path, t->name, wrong);
    if (exists) return error_set(error, RV_CONFLICT, "plug-in %s: %s exists already; allowed is another name", path, t->name);
    return room ? RV_OK : error_set(error, RV_CONFLICT, "plug-in %s: %s is one too many, allowed are %d", path, t->name, MOST_LOADED);
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static rv_status check_version(const char *path, const rv_plugin *p, rv_error *error)
{
    if (p->version == RV_PLUGIN_VERSION && p->model_bytes == sizeof(rv_model) && p->rule_bytes == sizeof(rv_rule)) return RV_OK;
    return error_set(error, RV_CONFLICT, "plug-in %s is of interface version %u, made for Ranvier %.20s; this is version %d, Ranvier %s: compile it anew", path,
                     p->version, p->version == RV_PLUGIN_VERSION && p->made_for ? p->made_for : "of another time", RV_PLUGIN_VERSION, RV_VERSION);
}

/* All or nothing: what the first of them brought goes again if the second is refused. */
static rv_status take(const char *path, const rv_plugin *p, rv_error *error)
{
    int       models = n_models, rules = n_rules;
    rv_status status = RV_OK;
    for (int k = 0; p->models && p->models[k] && status == RV_OK; k++) {
        const rv_model *m = p->models[k];
        status = check_names(path, &m->table, rv_model_find(m->table.name), n_models < MOST_LOADED, wrong_model(m), error);
        if (status == RV_OK) loaded_model[n_models++] = m;
    }
    for (int k = 0; p->rules && p->rules[k] && status == RV_OK; k++) {
        const rv_rule *r = p->rules[k];
        status = check_names(path, &r->table, rv_rule_find(r->table.name), n_rules < MOST_LOADED, wrong_rule(r), error);
        if (status == RV_OK) loaded_rule[n_rules++] = r;
    }
    if (status == RV_OK) return RV_OK;
    while (n_models > models) loaded_model[--n_models] = NULL;
    while (n_rules > rules) loaded_rule[--n_rules] = NULL;
    return status;
}

rv_status rv_plugin_load(const char *path, rv_error *error)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char *why = dlerror();
        return error_set(error, RV_FILE_ERROR, "plug-in %s cannot be loaded: %.300s%s", path, why ? why : "no reason given",
                         strchr(path, '/') ? "" : "; a file of this folder is ./name.so");
    }
    const rv_plugin *p = dlsym(library, "ranvier_plugin");
    rv_status status = p ? check_version(path, p, error) : error_set(error, RV_CONFLICT, "plug-in %s has no symbol ranvier_plugin; RV_PLUGIN() makes it", path);
    if (status == RV_OK) status = take(path, p, error);
    if (status != RV_OK) dlclose(library);
    return status;
}
