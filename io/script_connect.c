/* net:connect(source, target, { rule = ... }, { weight =, delay =, plasticity =, synapse =, ... }) */
#include "io/script_internal.h"

#include <math.h>
#include <string.h>

/* Which of the options of the third table belong to which rule. */
typedef struct rule_options {
    const char *rule;
    const char *needed[2]; /* NULL: nothing needed */
} rule_options;

static const rule_options rules[] = {
    { "all_to_all", { NULL, NULL } },           { "one_to_one", { NULL, NULL } },
    { "fixed_indegree", { "indegree", NULL } }, { "fixed_outdegree", { "outdegree", NULL } },
    { "fixed_total_number", { "n", NULL } },    { "pairwise_bernoulli", { "p", NULL } },
    { "pairwise_poisson", { "p", NULL } },      { "list", { "sources", "targets" } },
    { "convolution", { "shape", "kernel" } },
};

static const char *const owned[] = { "indegree", "outdegree", "n", "p", "sources", "targets", "shape", "kernel" };
static const char *const rule_keys[] = { "rule",    "indegree",       "outdegree",       "n",     "p",      "sources", "targets",  "allow_autapses", "allow_multapses",
                                         "shape",   "kernel",         "stride",          "padding", "dilation", "groups", "layout", "compact" };

static const rule_options *find_rule(lua_State *L, const char *name)
{
    const char *names[COUNT(rules)];
    for (int i = 0; i < COUNT(rules); i++) names[i] = rules[i].rule;
    return &rules[script_word(L, name, "net:connect: rule", names, COUNT(rules))];
}

/* Each rule has its own options: those it needs are there, those of other rules are not. */
static void check_rule_options(lua_State *L, int index, const rule_options *rule)
{
    for (int i = 0; i < COUNT(owned); i++) {
        bool needed = false, given = false;
        for (int k = 0; k < 2; k++) needed = needed || (rule->needed[k] && strcmp(rule->needed[k], owned[i]) == 0);
        if (lua_istable(L, index)) given = lua_getfield(L, index, owned[i]) != LUA_TNIL, lua_pop(L, 1);
        if (needed && !given) script_fail(L, "net:connect: rule \"%s\" needs %s", rule->rule, owned[i]);
        if (given && !needed)
            script_fail(L, "net:connect: rule \"%s\" has no option %s%s%s", rule->rule, owned[i],
                        rule->needed[0] ? "; it takes " : "", rule->needed[0] ? rule->needed[0] : "");
    }
}

/* A list of neurons, 1-based in Lua and 0-based in the engine; pushes what owns it. */
static int64_t *read_neurons(lua_State *L, int index, const char *key, int64_t *n)
{
    const char *what = lua_pushfstring(L, "net:connect: %s", key);
    lua_getfield(L, index, key);
    double  *given = script_list(L, -1, what, n);
    int64_t *neurons = lua_newuserdatauv(L, (*n + 1) * sizeof *neurons, 0);
    for (int64_t i = 0; i < *n; i++) {
        if (!(given[i] >= 1 && given[i] < 1e15) || given[i] != floor(given[i]))
            script_fail(L, "%s[%lld] = %g; neurons are numbered 1, 2, ...", what, (long long)i + 1, given[i]);
        neurons[i] = (int64_t)given[i] - 1;
    }
    return neurons;
}

/* Whole numbers: one, or a list of up to `most`. @return how many */
static int read_integers(lua_State *L, int index, const char *key, int64_t *numbers, int most)
{
    const char *what = lua_pushfstring(L, "net:connect: %s", key);
    double      one;
    int64_t     n = 1;
    if (lua_getfield(L, index, key) == LUA_TNIL) return 0;
    const double *given = lua_type(L, -1) == LUA_TNUMBER ? (one = lua_tonumber(L, -1), &one) : script_list(L, -1, what, &n);
    if (n < 1 || n > most) script_fail(L, "%s has %lld numbers; allowed are 1 to %d", what, (long long)n, most);
    for (int64_t k = 0; k < n; k++) {
        if (!(fabs(given[k]) < 1e15) || given[k] != floor(given[k])) script_fail(L, "%s: %g is not a whole number", what, given[k]);
        numbers[k] = (int64_t)given[k];
    }
    return (int)n;
}

/* One for height and width, or both; in one dimension there is the width alone. */
static int read_pair(lua_State *L, int index, const char *key, bool one_dimension, int64_t *pair)
{
    int64_t x[4] = { 0 };
    int     n = read_integers(L, index, key, x, strcmp(key, "padding") == 0 && !one_dimension ? 4 : 2);
    if (n == 3) script_fail(L, "net:connect: %s has 3 numbers; allowed are 1, 2 (height, width) or 4 (top, left, bottom, right)", key);
    if (n > 0 && n < 4 && !one_dimension) pair[0] = x[0], pair[1] = n == 1 ? x[0] : x[1];
    if (n > 0 && one_dimension && n == 2 && strcmp(key, "padding") != 0) script_fail(L, "net:connect: %s has 2 numbers; in one dimension there is one", key);
    if (n > 0 && one_dimension) pair[1] = x[0];
    if (n > 0 && strcmp(key, "padding") == 0) {
        int64_t *end = pair + 2;
        if (n == 4) pair[0] = x[0], pair[1] = x[1], end[0] = x[2], end[1] = x[3];
        else if (one_dimension) end[1] = n == 2 ? x[1] : x[0];
        else end[0] = pair[0], end[1] = pair[1];
    }
    return n;
}

/* shape = { channels, height, width } or { channels, width }, with the kernel accordingly. */
static void read_convolution(lua_State *L, int index, rv_connect_def *def)
{
    static const char *const layouts[] = { "channels_first", "channels_last" };
    rv_convolution          *g = lua_newuserdatauv(L, sizeof *g, 0);
    int64_t                  shape[3], kernel[4], padding[4] = { 0 };
    *g = (rv_convolution){ .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
    int  rank = read_integers(L, index, "shape", shape, 3), n_kernel = read_integers(L, index, "kernel", kernel, 4);
    bool line = rank == 2;
    if (rank < 2) script_fail(L, "net:connect: shape has %d numbers; allowed are 3 (channels, height, width) or 2 (channels, width)", rank);
    if (n_kernel != rank + 1)
        script_fail(L, "net:connect: kernel has %d numbers; for a shape of %d it has %d (output channels, input channels / groups, %s)", n_kernel, rank, rank + 1,
                    line ? "width" : "height, width");
    g->shape[0] = shape[0], g->shape[1] = line ? 1 : shape[1], g->shape[2] = shape[rank - 1];
    g->kernel[0] = kernel[0], g->kernel[1] = kernel[1], g->kernel[2] = line ? 1 : kernel[2], g->kernel[3] = kernel[n_kernel - 1];
    read_pair(L, index, "stride", line, g->stride);
    read_pair(L, index, "dilation", line, g->dilation);
    read_pair(L, index, "padding", line, padding);
    for (int k = 0; k < 2; k++) g->padding[k] = padding[k], g->padding_end[k] = padding[2 + k];
    for (int k = 0; k < 2; k++)
        if (g->stride[k] < 1 || g->dilation[k] < 1) script_fail(L, "net:connect: %s = %lld, allowed are 1 and more", g->stride[k] < 1 ? "stride" : "dilation", (long long)(g->stride[k] < 1 ? g->stride[k] : g->dilation[k]));
    g->groups = option_integer(L, index, "net:connect", "groups", 1);
    if (g->groups < 1) script_fail(L, "net:connect: groups = %lld, allowed are 1 and more", (long long)g->groups);
    g->channels_last = script_word(L, option_text(L, index, "net:connect", "layout", layouts[0]), "net:connect: layout", layouts, COUNT(layouts)) == 1;
    g->unrolled = !option_boolean(L, index, "net:connect", "compact", true);
    def->convolution = g;
}

/* What only a convolution has, and may leave out. */
static void refuse_geometry(lua_State *L, int index, const char *rule)
{
    static const char *const keys[] = { "stride", "padding", "dilation", "groups", "layout", "compact" };
    for (int k = 0; k < COUNT(keys); k++) {
        if (lua_getfield(L, index, keys[k]) != LUA_TNIL) script_fail(L, "net:connect: rule \"%s\" has no option %s; convolution has", rule, keys[k]);
        lua_pop(L, 1);
    }
}

/* The third argument: a table, or just the name of a rule; nothing means all_to_all. */
static void read_rule(lua_State *L, script_net *net, int index, rv_connect_def *def)
{
    const char *what = "net:connect", *name = "all_to_all";
    if (lua_type(L, index) == LUA_TSTRING) {
        name = script_text(L, index, "net:connect: rule");
        lua_newtable(L);
        lua_pushvalue(L, index);
        lua_setfield(L, -2, "rule");
        lua_replace(L, index);
    }
    script_keys(L, index, what, rule_keys, COUNT(rule_keys));
    const rule_options *rule = find_rule(L, option_text(L, index, what, "rule", name));
    check_rule_options(L, index, rule);
    def->rule = rule->rule;
    def->degree = option_integer(L, index, what, "indegree", option_integer(L, index, what, "outdegree", 0));
    def->total = option_integer(L, index, what, "n", 0);
    def->no_autapses = !option_boolean(L, index, what, "allow_autapses", true);
    def->no_multapses = !option_boolean(L, index, what, "allow_multapses", true);
    if (strcmp(rule->rule, "convolution") == 0) read_convolution(L, index, def);
    else if (lua_istable(L, index)) refuse_geometry(L, index, rule->rule);
    if (rule->needed[0] && strcmp(rule->needed[0], "p") == 0) {
        lua_getfield(L, index, "p");
        def->p = script_value(L, net, -1, "net:connect: p");
    }
    if (strcmp(rule->rule, "list") == 0) {
        int64_t n_targets;
        def->sources = read_neurons(L, index, "sources", &def->n_list);
        def->targets = read_neurons(L, index, "targets", &n_targets);
        if (n_targets != def->n_list)
            script_fail(L, "net:connect: %lld sources and %lld targets; the lists must have the same length",
                        (long long)def->n_list, (long long)n_targets);
    }
}

static const char *const known_keys[] = { "weight", "delay", "plasticity", "synapse", "receptor_type" };

static bool is_known(const char *key)
{
    for (int k = 0; k < COUNT(known_keys); k++)
        if (strcmp(known_keys[k], key) == 0) return true;
    return false;
}

/* The table of a learning rule or a kind of synapse; an empty one if none is named. */
static rv_table table_named(lua_State *L, rv_table_kind kind, const char *name, const char *what)
{
    rv_table    table = { 0 };
    const char *names[64];
    int         n = 0;
    if (!name) return table;
    for (; n < COUNT(names) && rv_table_at(kind, n, &table); n++) names[n] = table.name;
    script_word(L, name, what, names, n);
    rv_table_find(kind, name, &table);
    return table;
}

/* Whatever stands in the table beside the known keys is a parameter of the learning rule or of the kind of synapse. */
static void check_synapse_keys(lua_State *L, int index, const rv_table *rule, const rv_table *synapse)
{
    const char *keys[COUNT(known_keys) + 64], *name = rule->name ? rule->name : synapse->name;
    int         n = 0;
    for (; n < COUNT(known_keys); n++) keys[n] = known_keys[n];
    for (int i = 0; i < rule->n_texts && n < COUNT(keys); i++) keys[n++] = rule->texts[i].name;
    for (int i = 0; i < rule->n_params && n < COUNT(keys); i++) keys[n++] = rule->params[i].name;
    for (int i = 0; i < synapse->n_params && n < COUNT(keys); i++) keys[n++] = synapse->params[i].name;
    script_keys(L, index, name ? lua_pushfstring(L, "net:connect: %s", name) : "net:connect", keys, n);
}

static const rv_words *words_of(const rv_table *table, const char *param)
{
    for (int k = 0; k < table->n_words; k++)
        if (strcmp(table->words[k].param, param) == 0) return &table->words[k];
    return NULL;
}

/* A parameter that has words takes one of them, some of rules take a text; pushes what the value
 * borrows. */
static rv_value read_setting(lua_State *L, int index, const rv_table *rule, const rv_table *synapse, const char *name)
{
    const char *what = lua_pushfstring(L, "net:connect: %s", name);
    lua_getfield(L, index, name);
    for (int k = 0; k < rule->n_texts; k++)
        if (strcmp(rule->texts[k].name, name) == 0) return rv_text(script_text(L, -1, what));
    const rv_words *words = words_of(rule, name) ? words_of(rule, name) : words_of(synapse, name);
    if (words) return rv_number(script_word(L, script_text(L, -1, what), what, words->word, words->n));
    return script_value(L, NULL, -1, what);
}

/* The fourth argument. Everything it borrows stays on the stack. */
static void read_synapse(lua_State *L, script_net *net, int index, rv_connect_def *def)
{
    def->weight = rv_number(1), def->delay = rv_number(fmax(1, rv_resolution(net->net)));
    if (lua_isnil(L, index)) return;
    if (lua_type(L, index) != LUA_TTABLE)
        script_fail(L, "net:connect: the synapses are %s; a table { weight =, delay = } is needed",
                    script_describe(L, index));
    def->plasticity = option_text(L, index, "net:connect", "plasticity", NULL);
    def->synapse = option_text(L, index, "net:connect", "synapse", NULL);
    int64_t receptor = option_integer(L, index, "net:connect", "receptor_type", 0);
    def->receptor_type = (int)(receptor < -1 ? -1 : receptor > 1000 ? 1000 : receptor);
    rv_table rule = table_named(L, RV_LEARNING, def->plasticity, "net:connect: plasticity");
    rv_table synapse = table_named(L, RV_SYNAPSES, def->synapse, "net:connect: synapse");
    check_synapse_keys(L, index, &rule, &synapse);
    if (lua_getfield(L, index, "weight") != LUA_TNIL)
        def->weight = script_value(L, net, -1, "net:connect: weight");
    if (lua_getfield(L, index, "delay") != LUA_TNIL) def->delay = script_value(L, net, -1, "net:connect: delay");
    int         n = script_sorted_keys(L, index, "net:connect"), sorted = lua_gettop(L);
    rv_setting *settings = lua_newuserdatauv(L, (n + 1) * sizeof *settings, 0);
    luaL_checkstack(L, 4 * n + 8, "too many parameters");
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, sorted, i);
        const char *name = lua_tostring(L, -1);
        if (!is_known(name)) settings[def->n_settings++] = (rv_setting){ name, read_setting(L, index, &rule, &synapse, name) };
    }
    def->settings = settings;
}

/* The engine numbers from 0: said here in the script's numbers. */
static void check_neurons(lua_State *L, const char *key, const int64_t *neurons, int64_t n, const rv_slice *slice)
{
    for (int64_t k = 0; neurons && k < n; k++)
        if (neurons[k] >= slice->count)
            script_fail(L, "net:connect: %s[%lld] = %lld, allowed are 1 to %lld", key, (long long)k + 1,
                        (long long)neurons[k] + 1, (long long)slice->count);
}

/* Every pair of a source and a target is a projection of its own. */
int network_connect(lua_State *L)
{
    script_net *net = script_self(L, TYPE_NETWORK);
    lua_settop(L, 5);
    script_defining(L, net, "net:connect");
    int            n_sources, n_targets;
    rv_slice      *sources = script_slices(L, net, 2, "net:connect: the source (first argument)", &n_sources);
    rv_slice      *targets = script_slices(L, net, 3, "net:connect: the target (second argument)", &n_targets);
    rv_connect_def def = { 0 };
    read_rule(L, net, 4, &def);
    read_synapse(L, net, 5, &def);
    double        mean = script_value_mean(&def.weight);
    script_group *projections = script_group_new(L, TYPE_PROJECTION, 1, n_sources * n_targets);
    for (int i = 0; i < n_sources * n_targets; i++) {
        rv_projection projection = { 0 };
        def.source = sources[i / n_targets], def.target = targets[i % n_targets];
        check_neurons(L, "sources", def.sources, def.n_list, &def.source);
        check_neurons(L, "targets", def.targets, def.n_list, &def.target);
        script_check(L, net, rv_connect(net->net, &def, &projection));
        projections->ids[i] = projection.id;
        script_population *known = script_population_of(net, def.source.population);
        if (known) known->outgoing += (mean > 0) - (mean < 0);
    }
    return 1;
}
