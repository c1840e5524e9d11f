/* A learning rule is a table and a few functions. One file in learning/, one line in learning/registry.c. The engine
 * (sim/plasticity.c) keeps the traces and calls the hooks in the order of time as the synapse sees it: a presynaptic
 * spike after its axonal, a postsynaptic spike after the dendritic part of the delay.
 *
 *   source trace   once per row segment (one source, one delay)
 *   target trace   once per postsynaptic neuron
 *   weight         float64 for every synapse, and what the rule keeps for each of them beside it, its own
 *   reward         one number for all synapses of a projection
 *
 * All traces and all that is kept is 0 at the beginning. What a rule does not need it leaves out.
 *
 * Rules of another kind learn in epochs of some steps, as chips do: sums of products, see sim/products.h and sim/epoch.h.
 * They have the hook epochs() and an arithmetic instead. */
#ifndef RV_SIM_RULE_H
#define RV_SIM_RULE_H

#include "sim/products.h"
#include "sim/ranvier.h"

enum { RV_MAX_TRACES = 3, RV_MAX_OWN = 2, RV_MAX_RULE_CONSTANTS = 16, RV_MAX_TEXTS = 3, RV_MAX_FILTERED = 3 };

/* ---- rules of epochs --------------------------------------------------------------------------------------------- */

enum { EPOCH_W, EPOCH_T, EPOCH_D, N_EPOCH_VARIABLES };
enum { EPOCH_X1, EPOCH_X2, EPOCH_Y1, EPOCH_Y2, EPOCH_Y3, N_EPOCH_TRACES, N_EPOCH_X = EPOCH_Y1, N_EPOCH_Y = N_EPOCH_TRACES - N_EPOCH_X };
enum { MAX_EPOCH = 63 /* steps: Loihi's counter has 6 bits */, RULE_TEXT = 240, NO_WEIGHT_BOUND = 1000000000 };

/** What the number that a spike of the source carries does to x1, by Lava's numbers (GradedSpikeCfg): nothing, the impulse is added; half
 *  of it overwrites x1; is added, up to the highest trace; is added, and only where that is exceeded the rest is kept and the spike counts. */
typedef enum rv_graded_mode { GRADED_IMPULSE, GRADED_OVERWRITE, GRADED_ADD, GRADED_OVERFLOW, N_GRADED_MODES } rv_graded_mode;

/** What such a rule is made of. */
typedef struct rv_epochs {
    const char *text[N_EPOCH_VARIABLES];               /* dw, dt, dd; NULL or "": stays as it is        */
    char        written[N_EPOCH_VARIABLES][RULE_TEXT]; /* room for texts that the rule writes itself    */
    double      tau[N_EPOCH_TRACES];                   /* steps; 0: forgotten within a step             */
    double      impulse[N_EPOCH_TRACES];
    int         t_epoch;                               /* steps                                         */
    int         graded;                                /* what spikes that carry a number do to x1: an rv_graded_mode */
    double      w_min, w_max;                          /* -+NO_WEIGHT_BOUND: none                       */
} rv_epochs;

/** The arithmetic in which sums of products and traces are computed: floating point, or a chip's. Random numbers are
 *  uniform in [0, 1); that of an impulse is whole, 0 to 127. */
typedef struct rv_arithmetic {
    double low[N_EPOCH_VARIABLES], high[N_EPOCH_VARIABLES]; /* ranges of w, t, d                         */
    double lowest_trace, highest_trace;                     /* of those set from outside                 */
    bool   whole;                                           /* all of them are whole numbers             */

    /** A reason why this cannot be computed, else NULL; NULL: everything can. */
    const char *(*check)(const rv_epochs *e);
    const char *(*check_product)(const rule_product *p);

    /** [n] traces over one step. @param keep exp(-1 / tau) */
    void (*decay)(double keep, double random, double *trace, int n);

    /** A trace after a spike. */
    double (*add_impulse)(double impulse, double random, double trace);

    /** x1 after a spike that carries a payload, in the modes but the first. @param counts set to false where the spike is not one for x0 and x2 */
    double (*take_payload)(rv_graded_mode mode, double payload, double trace, bool *counts);

    /** [n] sums at the beginning; a product more, with [n] values of its factors; [n] variables at the end. */
    void (*begin)(const double *variable, double *sum, int n);
    void (*limit_factor)(rule_symbol symbol, double *value, int n); /* NULL: no limits */
    void (*add_product)(const rule_product *p, const double *value, double *sum, int n);
    void (*end)(const double *sum, double low, double high, double random, double *variable, int n);
} rv_arithmetic;

struct plastic;
struct presynaptic;

/* ---- all rules --------------------------------------------------------------------------------------------------- */

struct rv_rule {
    rv_table table; /* name, equations, reference, parameters */
    int      n_constants;
    int      n_source_traces, n_target_traces; /* up to RV_MAX_TRACES each */

    /** Rules of epochs: what it is made of, from its parameters and texts (in the order of the table); and the arithmetic
     *  unless the kind of synapse has its own. NULL: the hooks below are called at spikes. */
    void (*epochs)(const double *p, char *const *text, rv_epochs *e);
    const rv_arithmetic *arithmetic;

    /** A sentence if the parameters contradict each other, else NULL. */
    const char *(*check)(const double *p);
    void (*prepare)(const double *p, double *c);

    /** Lowest and highest weight the rule allows; NULL: any. */
    void (*bounds)(const double *p, double *low, double *high);

    /** Traces between spikes: what becomes of one in `since` ms (INFINITY before the first spike). */
    void (*source_decay)(const double *c, double since, double *trace);
    void (*target_decay)(const double *c, double since, double *trace);

    /** What a presynaptic (postsynaptic) spike does to its trace, after the decay. */
    void (*source_spike)(const double *c, double *trace);
    void (*target_spike)(const double *c, double *trace);

    /** The postsynaptic spike of a pair: weight before -> weight after. @param source trace at this moment
     *  @param target trace just after this spike @param own what the synapse keeps, changed in place */
    double (*on_post)(const double *c, double w, double *own, const double *source, const double *target);

    /** The presynaptic spike: weight before -> weight after, before it is delivered. @param target trace at this moment, of
     *  the spikes strictly before @param source trace just before this spike */
    double (*on_pre)(const double *c, double w, double *own, const double *target, const double *source);

    /** These two compiled into the kernel's loop (RV_LEARNING_LOOP); NULL: the loop calls them. */
    void (*arrive)(struct plastic *p, const struct presynaptic *spike);

    /** How many numbers a synapse keeps beside its weight, up to RV_MAX_OWN; NULL: none. */
    int (*n_own)(const double *p);

    /** Instead of source_spike, on_pre and on_post: what a presynaptic spike does to its trace, and which part of the weight
     *  it delivers; the weights stay as they are. */
    double (*release)(const double *c, double *trace);

    /** Rules with a reward n: what becomes of it in `since` ms, and what a spike of its population adds to it. */
    double (*reward_decay)(const double *c, double since, double n);
    double (*reward_spike)(const double *c);

    /** Weight and own over `since` ms without a spike of anyone. @param n the reward at the beginning @return the weight */
    double (*carry)(const double *c, double w, double *own, double n, double since);

    /** Rules that depend on the membrane potential of the target (grid timing), instead of target_decay and target_spike; NULL:
     *  it does not. Filtered values u of [n] neurons each: how late they count, in ms; what they are if V_m has always been
     *  the same; and what becomes of them in a step of h ms with this V_m. */
    double (*voltage_delay)(const double *c);
    void (*voltage_begin)(const double *c, int n, const double *V_m, double *const u[RV_MAX_FILTERED]);
    void (*voltage_filter)(const double *c, double h, int n, const double *V_m, double *const u[RV_MAX_FILTERED]);

    /** What the step does. @param V_m, now at its end @param late as they were voltage_delay() ago
     *  @param ltp [n] where not 0, the target trace that on_post() is called with, as at a spike of the target
     *  @param ltd [n] the target trace that on_pre() is called with for presynaptic spikes that meet this moment */
    void (*voltage_change)(const double *c, double h, int n, const double *V_m, double *const now[RV_MAX_FILTERED], double *const late[RV_MAX_FILTERED],
                           double *ltp, double *ltd);

    /** The k-th state of the table, as people read it. @param source, own, n at this moment */
    double (*state)(const double *c, int k, const double *source, const double *own, double n);
};

/** All rules, NULL at the end; the list is in learning/registry.c. */
extern const rv_rule *const rv_rules[];
const rv_rule              *rv_rule_find(const char *name);

#endif
