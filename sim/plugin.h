/* Neuron models and learning rules from outside: a shared library with one symbol that lists them.
 *
 *   #include "sim/plugin.h"
 *   static const rv_model my_lif = { ... };
 *   RV_PLUGIN(RV_LIST(&my_lif), RV_LIST())
 *
 *   cc $(pkg-config --variable=plugin ranvier) my_lif.c -o my_lif.so
 *   ranvier run --plugin ./my_lif.so model.lua
 *
 * What a plug-in brings is like what is built in: scripts, range checks, `ranvier models`, sweeps, exact timing, probes. The
 * complete example is examples/plugin/my_lif.c. A plug-in is native code and can do whatever the user can: only the command
 * line loads one, never a script. */
#ifndef RV_SIM_PLUGIN_H
#define RV_SIM_PLUGIN_H

#include "sim/model.h"
#include "sim/rule.h"

/** Of the structures a plug-in shares with the simulator; grows when one of them changes. */
enum { RV_PLUGIN_VERSION = 1 };

/** The one symbol of a plug-in: `ranvier_plugin`. */
typedef struct rv_plugin {
    uint32_t               version, model_bytes, rule_bytes; /* as the plug-in was compiled   */
    const char            *made_for;                         /* the version of Ranvier        */
    const rv_model *const *models;                           /* NULL at the end of both lists */
    const rv_rule *const  *rules;
} rv_plugin;

#define RV_LIST(...) { __VA_ARGS__ __VA_OPT__(,) NULL }
#define RV_PLUGIN(MODELS, RULES)                                                                                       \
    static const rv_model *const rv_plugin_models[] = MODELS;                                                          \
    static const rv_rule *const  rv_plugin_rules[] = RULES;                                                            \
    const rv_plugin              ranvier_plugin = { RV_PLUGIN_VERSION, sizeof(rv_model), sizeof(rv_rule), RV_VERSION,  \
                                                    rv_plugin_models, rv_plugin_rules };

/** Loads a plug-in for the rest of the process; from then on its models and rules are found by their names. Not while networks
 *  are made on other threads.
 *  @return RV_OK, or RV_FILE_ERROR or RV_CONFLICT with a sentence: no file, no plug-in, another version, a name that exists */
rv_status rv_plugin_load(const char *path, rv_error *error);

/** What was loaded, in order; NULL behind the last. */
const rv_model *plugin_model(int index);
const rv_rule  *plugin_rule(int index);

#endif
