/* All learning rules: a new one is a file in this folder and a line here. */
#include "sim/rule.h"

#define LEARNING_RULES(X) \
    X(stdp)               \
    X(stdp_pl)            \
    X(stdp_triplet)       \
    X(stdp_voltage)       \
    X(stdp_inhibitory)    \
    X(stdp_reward)        \
    X(tsodyks)            \
    X(loihi_rule)         \
    X(stdp_loihi)         \
    X(rstdp_loihi)

#define DECLARE(name) extern const rv_rule rv_rule_##name;
LEARNING_RULES(DECLARE)

#define ADDRESS(name) &rv_rule_##name,
const rv_rule *const rv_rules[] = { LEARNING_RULES(ADDRESS) NULL };
