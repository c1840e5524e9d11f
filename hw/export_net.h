/* A network of a chip's integer models as those who write files for chips see it: populations as the definition has them, every
 * projection as a list of synapses with the weights in effect and delays in steps. And the way back: a network made from such
 * lists, to run what a file says.
 *
 *   export_net e;
 *   if (export_net_open(net, "netx", &e, &error) == RV_OK) ... e.projection[k].weight[i] ...
 *   export_net_close(&e); */
#ifndef RV_HW_EXPORT_NET_H
#define RV_HW_EXPORT_NET_H

#include "sim/definition.h"

/** A learning rule with its numbers and texts, as the definition or a file has it. */
typedef struct export_rule {
    const rv_rule *rule;                /* of epochs                        */
    double         param[RV_MAX_PARAMS];
    char          *text[RV_MAX_TEXTS];  /* borrowed from the definition; NULL: not given */
} export_rule;

/** The synapses of one projection, by source, then delay, then target. */
typedef struct export_synapses {
    int               source, target; /* populations, from 0                                                */
    const rv_synapse *kind;           /* NULL: plain                                                        */
    double            param[RV_MAX_SYNAPSE_PARAMS]; /* completed by the weights                             */
    double            factor;         /* of a weight in effect to what the engine adds, if not summed       */
    bool              summed;         /* the sum of one step and delay loses bits when it is finished       */
    bool              graded;         /* a weight is multiplied with what its spike carries                 */
    const export_rule *learning;      /* NULL: weights stay                                                 */
    int64_t           n;
    int64_t          *from, *to;      /* [n] neurons within their populations                               */
    double           *weight;         /* [n] in effect                                                      */
    int64_t          *delay;          /* [n] steps; 1: arrives in the next                                  */
} export_synapses;

typedef struct export_net {
    rv_net           *net; /* borrowed */
    const definition *def;
    int               n_projections;
    export_synapses  *projection; /* [n_projections] */
    export_rule      *rule;       /* [n_projections] of those that learn */
} export_net;

/** Reads a network; compiles it if need be. Refuses exact timing, inputs that are no spikes, and learning.
 *  @param format for the sentences; NULL: it is for no file, and inputs are allowed */
rv_status export_net_open(rv_net *net, const char *format, export_net *e, rv_error *error);
void      export_net_close(export_net *e);

/** The same for files that hold learning rules of epochs (sim/rule.h) in the chip's integers; others are refused. Weights are those of now. */
rv_status export_net_open_learning(rv_net *net, const char *format, export_net *e, rv_error *error);

/** Whether any projection learns. */
bool export_learns(const rv_net *net);

enum { EXPORT_MOST_SETTINGS = RV_MAX_SYNAPSE_PARAMS + RV_MAX_PARAMS + RV_MAX_TEXTS };

/** Parameters and texts of a rule behind n settings. @return how many there are now */
int export_rule_settings(const rv_rule *rule, const double *param, char *const *text, rv_setting *settings, int n);

/** `population "E"` and `projection "E" -> "I"`, as sentences call them; the text lives until the fourth call. */
const char *export_population_name(const export_net *e, int population);
const char *export_projection_name(const export_net *e, const export_synapses *s);

static inline const population_def *export_population(const export_net *e, int population) { return &e->def->population[population]; }

/** Whether the population is a source of spikes outside the chip: a generator. */
static inline bool export_is_input(const population_def *p) { return p->model->emit != NULL; }

/** A parameter or an initial state of a neuron by its name, which the model must have. */
double export_param(const population_def *p, const char *name, int64_t neuron);
double export_initial(const population_def *p, const char *name, int64_t neuron);

/** The first neuron whose parameter differs from that of neuron 0, -1 if all agree. */
int64_t export_differs(const population_def *p, const char *name);

/** A parameter of the kind of synapse, `standard` if the kind does not have it. */
double export_synapse_param(const export_synapses *s, const char *name, double standard);

/** A neuron with a constant input of so much in units of v: bias_mant 2^bias_exp, rounded down. */
double export_bias(const population_def *p, int64_t neuron);

/** Adds a projection with these synapses to a network whose populations are numbered as here. */
rv_status export_connect(rv_net *net, const export_synapses *s, rv_projection *projection);

/** Adds the populations, with parameters and initial states, to a network that has none: the first half of the next. */
rv_status export_net_copy_populations(const export_net *e, rv_net *net);

/** A second network, at its beginning, on one thread: generators give nothing unless they draw at random.
 *  @param copy result */
rv_status export_net_copy(const export_net *e, rv_net **copy, rv_error *error);

#endif
