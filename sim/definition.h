/* The definition: what the user asked for, checked field by field as it is given, and nothing else. Compiling it makes
 * the network (sim/network.h); quantising, mapping and saving read it. Indices, not pointers, between its objects. */
#ifndef RV_SIM_DEFINITION_H
#define RV_SIM_DEFINITION_H

#include "sim/model.h"
#include "sim/ranvier.h"
#include "sim/rule.h"
#include "sim/synapse.h"

enum { MAX_NEURONS = INT32_MAX }; /* of a network: neurons are numbered in 31 bits */

#define GRID_TOLERANCE  1e-9   /* relative: how near to a multiple of the resolution a given time must be */
#define MAX_DELAY_STEPS 0x1p31
#define MAX_PAIR_MEAN   1e6    /* mean number of synapses of a pair, pairwise_poisson                     */

/** A parameter or an initial state of a population: one number, or one for every neuron. */
typedef struct neuron_values {
    double  value; /* if list is NULL */
    double *list;  /* [n] or NULL     */
} neuron_values;

typedef struct population_def {
    char           *name;
    const rv_model *model;
    int64_t         n;
    int64_t         first_id;                /* of neuron 0 in the numbering of the whole network    */
    neuron_values   param[RV_MAX_PARAMS];    /* in the order of the model's table                    */
    neuron_values   initial[RV_MAX_STATES];
    double         *xyz;                     /* [n][3] or NULL; malloc'ed, as the two below          */
    double          period[3];               /* 0: not periodic                                      */
    double        **spike_times;             /* [n] ms, ascending; NULL unless it is a generator     */
    int64_t        *n_spike_times;           /* [n]                                                  */
    double        **payloads;                /* [n][n_spike_times] what the spikes carry; NULL: nothing */
    bool            graded;                  /* spikes carry a number                                */
} population_def;

/** A slice with its defaults filled in. */
typedef struct neuron_range {
    int     population; /* index, from 0 */
    int64_t first, count, stride;
} neuron_range;

typedef enum connect_rule {
    CONNECT_ALL_TO_ALL, CONNECT_ONE_TO_ONE, CONNECT_FIXED_INDEGREE, CONNECT_FIXED_OUTDEGREE, CONNECT_FIXED_TOTAL,
    CONNECT_BERNOULLI, CONNECT_POISSON, CONNECT_LIST, CONNECT_CONVOLUTION, N_CONNECT_RULES
} connect_rule;

extern const char *const connect_rule_names[N_CONNECT_RULES];

typedef struct projection_def {
    neuron_range   source, target;
    connect_rule   rule;
    int64_t        degree, total;
    rv_value       p, weight, delay;  /* lists are owned copies         */
    bool           autapses, multapses;
    int32_t       *sources, *targets; /* [n_list], within the slices; by source if they came in blocks */
    int64_t        n_list;
    rv_convolution convolution;       /* completed                      */
    const rv_rule *plasticity;        /* NULL: static                   */
    double         param[RV_MAX_PARAMS];
    char          *text[RV_MAX_TEXTS]; /* of the learning rule; owned; NULL: not given */
    int            receptor_type;     /* 0: by the sign of the weight   */
    const rv_synapse *synapse;        /* NULL: plain                    */
    double         synapse_param[RV_MAX_SYNAPSE_PARAMS];
    double         max_delay;         /* steps                          */
    int            rewarding;         /* population whose spikes are rewards, from 1; 0: none */
    double         reward_delay;      /* steps                          */
} projection_def;

enum { MAX_INPUT_PARAMS = 8 };

typedef enum input_kind {
    INPUT_POISSON, INPUT_DC, INPUT_STEP, INPUT_SINE, INPUT_NOISE, INPUT_INHOMOGENEOUS, INPUT_RENEWAL, N_INPUT_KINDS
} input_kind;

/** Whether an input brings spikes; else it is a current. */
static inline bool input_is_spikes(input_kind kind) { return kind == INPUT_POISSON || kind == INPUT_INHOMOGENEOUS || kind == INPUT_RENEWAL; }

/** Where input_def.param has what; start and stop are the first two of every kind, and those that bring spikes have their weight in
 *  one place. The times and amplitudes of a step current and the times and values of a rate are lists: their places in param are
 *  unused. */
enum { INPUT_START, INPUT_STOP, INPUT_FIRST_OWN };
enum { POISSON_RATE = INPUT_FIRST_OWN, POISSON_WEIGHT };
enum { DC_AMPLITUDE = INPUT_FIRST_OWN };
enum { STEP_TIMES = INPUT_FIRST_OWN, STEP_AMPLITUDES };
enum { SINE_AMPLITUDE = INPUT_FIRST_OWN, SINE_OFFSET, SINE_FREQUENCY, SINE_PHASE };
enum { RATE_VALUES = POISSON_RATE, RATE_TIMES = POISSON_WEIGHT + 1 };
enum { RENEWAL_SHAPE = POISSON_WEIGHT + 1, RENEWAL_DEAD_TIME };
enum { NOISE_MEAN = INPUT_FIRST_OWN, NOISE_STD, NOISE_DT };

extern const rv_table input_tables[N_INPUT_KINDS];

typedef struct input_def {
    neuron_range target;
    input_kind   kind;
    double       param[MAX_INPUT_PARAMS]; /* in the order of the kind's table           */
    double      *times, *amplitudes;      /* [n_steps] of a step current: ms, pA; of a rate: ms, Hz; owned */
    int64_t      n_steps;
} input_def;

typedef struct definition {
    double          resolution; /* ms */
    uint64_t        seed;
    rv_timing       timing;
    population_def *population; /* [n_populations] */
    projection_def *projection; /* [n_projections] */
    input_def      *input;      /* [n_inputs]      */
    int             n_populations, n_projections, n_inputs;
    int64_t         n_neurons;
} definition;

/** Frees what the definition holds, not the struct itself; it is empty afterwards. */
void definition_free(definition *d);
void definition_projection_free(projection_def *p);

/** A parameter or initial state of one neuron. */
static inline double neuron_value(const neuron_values *v, int64_t i) { return v->list ? v->list[i] : v->value; }

/** The parameters of one neuron, in the order of the model's table. @param p result, [RV_MAX_PARAMS] */
void definition_neuron_params(const population_def *population, int64_t neuron, double *p);

/** The i-th neuron of a range, and the place of a neuron in it, -1 if it is not in it. */
static inline int64_t range_neuron(const neuron_range *r, int64_t i) { return r->first + i * r->stride; }
static inline int64_t range_index(const neuron_range *r, int64_t neuron)
{
    int64_t offset = neuron - r->first;
    if (r->stride == 1) return offset >= 0 && offset < r->count ? offset : -1;
    if (offset < 0 || offset % r->stride != 0 || offset / r->stride >= r->count) return -1;
    return offset / r->stride;
}

/** Whether its synapses are kept as kernel and geometry. */
static inline bool projection_is_compact(const projection_def *p) { return p->rule == CONNECT_CONVOLUTION && !p->convolution.unrolled; }

/** Whether the rule leaves out synapses of a neuron with itself and there could be some. */
static inline bool projection_excludes_autapses(const projection_def *p)
{
    return !p->autapses && p->source.population == p->target.population;
}

/** `projection "E" -> "I"`, as sentences call it. @param text filled and returned */
enum { OBJECT_TEXT = 240 };
const char *definition_projection_label(const definition *d, const projection_def *p, char text[OBJECT_TEXT]);

/** Fills in the defaults of a slice. @return RV_OK, or a status with its sentence in error */
rv_status definition_range(const definition *d, rv_slice slice, neuron_range *range, rv_error *error);

/** Each adds one object behind those there are, or leaves the definition as it is and says why. Pointers to objects of
 *  the same kind become stale. Everything given is checked here; what is left for connector_open() are the positions
 *  that functions of distance need. */
rv_status definition_add_population(definition *d, const char *name, int64_t n, const char *model, rv_error *error);
rv_status definition_add_projection(definition *d, const rv_connect_def *def, rv_error *error);
rv_status definition_add_input(definition *d, const neuron_range *target, const char *kind, const rv_setting *settings,
                               int n_settings, rv_error *error);

/** Takes the pairs of rule list from def->pairs: sources, targets, and weights and delays as lists if the blocks have them,
 *  sorted by source. Nothing is held twice meanwhile. @param object for sentences */
rv_status definition_take_pairs(const rv_connect_def *def, projection_def *p, const char *object, rv_error *error);

/** The other way: the pairs of a projection of rule list as an rv_pairs_fn, its user being one of these. */
enum { PAIRS_AT_ONCE = 1024 };
typedef struct definition_pairs {
    const projection_def *of;
    int64_t               next, source[PAIRS_AT_ONCE], target[PAIRS_AT_ONCE];
} definition_pairs;
rv_status definition_next_pairs(void *definition_pairs, bool first, rv_pairs *pairs);

/** Sets one parameter; a list of a step current must keep its length. */
rv_status definition_set_input(definition *d, int input, const char *name, rv_value value, rv_error *error);

/** Where the values of a parameter of an input are if it is a list: [n_steps]; NULL if it is one number. */
double **definition_input_list(input_def *input, int param);

/** Draws or copies values for a range of neurons into v, checked against the field; v stays as it was if they are
 *  refused. @param stream index of the field, to draw from streams of its own @param v one of that population's */
rv_status definition_set_values(const definition *d, const neuron_range *range, const rv_field *field, uint32_t stream,
                                rv_value value, neuron_values *v, rv_error *error);

#endif
