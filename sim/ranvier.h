/* Ranvier: simulation of spiking neural networks, from event to event.
 *
 *   A definition (populations, projections, inputs, probes) is compiled into a constant network; a state is
 *   advanced from event to event; spikes come out and are recorded.
 *
 * This header is the whole of it for a C program; a Lua script has the same calls. In the order of use:
 *
 *   rv_net *net;
 *   rv_net_new(&(rv_net_def){ .resolution = 0.1, .seed = 1 }, &net, NULL);
 *   rv_population exc = rv_population_new(net, "E", 800, "iaf_psc_delta");
 *   rv_set(net, exc, "V_th", rv_number(-50));
 *   rv_connect(net, &(rv_connect_def){ .source = rv_all(exc), .target = rv_all(exc), .rule = "fixed_indegree",
 *                                      .degree = 80, .weight = rv_number(0.1), .delay = rv_number(1.5) }, NULL);
 *   rv_record_spikes(net, exc);
 *   if (rv_run(net, 1000) != RV_OK) puts(rv_net_error(net)->text);
 *   rv_net_free(net);
 *
 * Conventions. Times are in ms, rates in Hz; weights, potentials and currents are in the units of the model
 * (mV, pA, pF). Neurons are numbered from 0 within their population. Every function that can fail returns an
 * rv_status and leaves one sentence in rv_net_error(): object, field, value, and what is allowed. The library never
 * prints and never ends the process. It has no globals: any number of networks live side by side. */
#ifndef RV_RANVIER_H
#define RV_RANVIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RV_VERSION "0.1.0"

/* ---------------------------------------------------------------------------------------------- status --- */

/** What can go wrong. The sentence that explains it is in rv_error. */
typedef enum rv_status {
    RV_OK = 0,
    RV_UNKNOWN_NAME,  /* no such model, parameter, rule, population, ...                                     */
    RV_OUT_OF_RANGE,  /* a number outside what is allowed, NaN included                                      */
    RV_WRONG_SHAPE,   /* a list of the wrong length, a slice outside its population                          */
    RV_CONFLICT,      /* each value is legal, together they are not                                          */
    RV_OUT_OF_MEMORY, /* needs more memory than there is                                                     */
    RV_FILE_ERROR,    /* a file cannot be read or written                                                    */
    RV_STOPPED,       /* rv_stop() was called, or a callback asked for the end; the state is whole           */
} rv_status;

/** One error: its kind and one sentence, without a full stop or a line end. */
typedef struct rv_error {
    rv_status status;
    char      text[512];
} rv_error;

/* --------------------------------------------------------------------------------------------- network --- */

typedef struct rv_net rv_net;

/** Handles. A null handle (id 0) is "none"; ids count from 1 in order of creation. */
typedef struct rv_population { int32_t id; } rv_population;
typedef struct rv_projection { int32_t id; } rv_projection;
typedef struct rv_input      { int32_t id; } rv_input;
typedef struct rv_probe      { int32_t id; } rv_probe;

/** How time is resolved. On the grid every spike lies on a multiple of the resolution. In exact timing spikes
 *  have the time at which V_m crosses the threshold, to floating-point precision, and none is missed
 *  (Morrison et al. 2007, doi:10.1162/neco.2007.19.1.47; Krishnan et al. 2018, doi:10.3389/fninf.2017.00075). */
typedef enum rv_timing { RV_GRID, RV_EXACT } rv_timing;

/** Which way the neurons are advanced in grid timing. RV_ADAPTIVE chooses per population from its activity, never
 *  from the clock; the other two are for tests and measurements. The spikes are the same. */
typedef enum rv_advance { RV_ADAPTIVE, RV_SWEEP, RV_JUMP } rv_advance;

typedef struct rv_net_def {
    double     resolution; /* ms, 0 means 0.1; length of a step                                              */
    uint64_t   seed;       /* of all random numbers; same definition and seed, same spikes                   */
    rv_timing  timing;     /* RV_GRID by default                                                             */
    int        threads;    /* 0 means all cores; the spikes do not depend on it                              */
    rv_advance advance;    /* RV_ADAPTIVE by default                                                         */
} rv_net_def;

/** Makes an empty network. @param error may be NULL; filled if the definition is refused */
rv_status rv_net_new(const rv_net_def *def, rv_net **net, rv_error *error);
void      rv_net_free(rv_net *net);

/** The last error of this network (status RV_OK and an empty text if there was none). */
const rv_error *rv_net_error(const rv_net *net);

double     rv_time(const rv_net *net);       /* ms simulated so far */
double     rv_resolution(const rv_net *net); /* ms                  */
uint64_t   rv_seed(const rv_net *net);
rv_timing  rv_net_timing(const rv_net *net);
int        rv_threads(const rv_net *net);

/* ---------------------------------------------------------------------------------------------- values --- */

/** A number, a list, or a recipe for drawing one number per neuron or synapse. Lists are borrowed until the call
 *  they are given to returns. Distributions are drawn by counter-based random numbers: the i-th neuron gets the
 *  same value whatever else is drawn. */
typedef enum rv_value_kind {
    RV_UNSET, /* the null value: what it is given to keeps its default */
    RV_NUMBER, RV_LIST, RV_UNIFORM, RV_NORMAL, RV_LOGNORMAL, RV_EXPONENTIAL,
    RV_DISTANCE_LINEAR,      /* a + b d                     d: distance of source and target */
    RV_DISTANCE_EXPONENTIAL, /* a + b exp(-d / c)                                            */
    RV_DISTANCE_GAUSSIAN,    /* a + b exp(-d^2 / (2 c^2))                                    */
    RV_FUNCTION,             /* function(d, user); called on one thread, in a defined order  */
    RV_TEXT,                 /* what some parameters of learning rules take                  */
} rv_value_kind;

typedef enum rv_bounds { RV_UNBOUNDED, RV_CLIP, RV_REDRAW } rv_bounds;

typedef struct rv_value {
    rv_value_kind kind;
    double        a, b, c;   /* number: a; uniform: a..b; normal: mean a, sd b; lognormal: of the logarithm;   */
                             /* exponential: mean a                                                            */
    rv_bounds     bounds;    /* what happens to a value outside low..high                                      */
    double        low, high;
    const double *list;      /* [n] */
    int64_t       n;
    double      (*function)(double distance, void *user);
    void         *user;
    const char   *text;
} rv_value;

static inline rv_value rv_number(double x) { return (rv_value){ .kind = RV_NUMBER, .a = x }; }
static inline rv_value rv_list(const double *list, int64_t n)
{
    return (rv_value){ .kind = RV_LIST, .list = list, .n = n };
}
static inline rv_value rv_text(const char *text) { return (rv_value){ .kind = RV_TEXT, .text = text }; }
static inline rv_value rv_uniform(double low, double high)
{
    return (rv_value){ .kind = RV_UNIFORM, .a = low, .b = high };
}
static inline rv_value rv_normal(double mean, double sd)
{
    return (rv_value){ .kind = RV_NORMAL, .a = mean, .b = sd };
}
static inline rv_value rv_lognormal(double mu, double sigma)
{
    return (rv_value){ .kind = RV_LOGNORMAL, .a = mu, .b = sigma };
}
static inline rv_value rv_exponential(double mean)
{
    return (rv_value){ .kind = RV_EXPONENTIAL, .a = mean };
}
/** Values outside low..high are set to the nearer bound. */
static inline rv_value rv_clip(rv_value value, double low, double high)
{
    value.bounds = RV_CLIP, value.low = low, value.high = high;
    return value;
}
/** Values outside low..high are drawn again (at most 1000 times, then clipped). */
static inline rv_value rv_redraw(rv_value value, double low, double high)
{
    value.bounds = RV_REDRAW, value.low = low, value.high = high;
    return value;
}

/** A name and a value: a parameter of a rule or an input. */
typedef struct rv_setting {
    const char *name;
    rv_value    value;
} rv_setting;

/* ----------------------------------------------------------------------------------------- populations --- */

/** Adds n neurons of a model (rv_model_find lists them). @return the null handle if refused, see rv_net_error() */
rv_population rv_population_new(rv_net *net, const char *name, int64_t n, const char *model);

rv_population rv_population_find(const rv_net *net, const char *name); /* null if there is none */
int           rv_population_count(const rv_net *net);                  /* handles are 1..count  */
const char   *rv_population_name(const rv_net *net, rv_population population);
const char   *rv_population_model(const rv_net *net, rv_population population);
int64_t       rv_population_size(const rv_net *net, rv_population population);

/** Some neurons of a population: first, first + stride, ... (count of them). */
typedef struct rv_slice {
    rv_population population;
    int64_t       first, count, stride; /* count -1: to the end; stride 0 means 1 */
} rv_slice;

static inline rv_slice rv_all(rv_population population)
{
    return (rv_slice){ .population = population, .first = 0, .count = -1, .stride = 1 };
}

/** Sets a parameter or a state variable, before or between runs: one number for all, a list [slice.count], or a
 *  distribution. State variables set before the first run are initial values. */
rv_status rv_set(rv_net *net, rv_population population, const char *name, rv_value value);
rv_status rv_set_slice(rv_net *net, rv_slice slice, const char *name, rv_value value);

/** Reads a parameter or a state variable as it is now. @param values result, [slice.count] */
rv_status rv_get(const rv_net *net, rv_slice slice, const char *name, double *values);

/** Gives a spike_generator's neuron its spike times in ms, ascending. In grid timing they are moved up to the next
 *  step's end. Before or between runs; times that have passed are dropped. */
rv_status rv_set_spike_times(rv_net *net, rv_population population, int64_t neuron, const double *times_ms, int64_t n);

/** Adds spikes to those that the neurons of a spike_generator are still to emit: in any order, of any neurons, at times after
 *  rv_time(). Before and between runs, and in callbacks of a run: what arrives from outside. Not where spikes carry payloads.
 *  @param neurons, times_ms [n] */
rv_status rv_add_spikes(rv_net *net, rv_population population, const int64_t *neurons, const double *times_ms, int64_t n);

/** Gives the spikes of rv_set_spike_times(), in their order, the whole numbers they carry (graded spikes): not 0, up to 31 bits
 *  and a sign. Only synapses that say so multiply their weight with it. Grid timing. */
rv_status rv_set_payloads(rv_net *net, rv_population population, int64_t neuron, const double *payloads, int64_t n);

/** Places the neurons in space, for distance-dependent connections. @param xyz [n][3], in the user's unit of length
 *  @param period [3] the extent of a periodic space in each direction, 0 where it is not periodic; may be NULL */
rv_status rv_set_positions(rv_net *net, rv_population population, const double *xyz, const double *period);

/* ----------------------------------------------------------------------------------------- projections --- */

/** Connection rules have NEST's names and meaning:
 *    all_to_all          every source to every target
 *    one_to_one          source i to target i; both slices have the same size
 *    fixed_indegree      `degree` random sources for every target
 *    fixed_outdegree     `degree` random targets for every source
 *    fixed_total_number  `total` random pairs
 *    pairwise_bernoulli  every pair with probability p (a number or a function of distance)
 *    pairwise_poisson    every pair has a Poisson number of synapses with mean p
 *    list                the given pairs, numbered within the slices
 *    convolution         a kernel that slides over the source, see rv_convolution
 *  Weight and delay: a number, a list [number of synapses] (rules list, one_to_one, and all_to_all with the targets
 *  running faster), a distribution, or a function of distance. Constant delays must be multiples of the resolution
 *  in grid timing, drawn ones are rounded to it; the shortest is one step. In exact timing delays are kept to 2^-32 steps
 *  and may be shorter than a step, even zero, but not all around a loop. */
/** Some of the pairs of rule list, where they are too many to be listed in memory: they are asked for block by block. */
typedef struct rv_pairs {
    int64_t        n;                 /* 0: there are no more                                              */
    const int64_t *sources, *targets; /* [n] numbered within the slices                                    */
    const double  *weights, *delays;  /* [n] or NULL, in all blocks alike: then those of the rv_connect_def */
} rv_pairs;

/** Gives the next block, borrowed until the next call. @param first begin at the beginning: all is asked for twice, and has
 *  to be the same @return a status other than RV_OK to refuse the projection; its sentence is the caller's to keep */
typedef rv_status (*rv_pairs_fn)(void *user, bool first, rv_pairs *pairs);

/** Rule convolution: every target sees a window of the source through one kernel, as Conv1d and Conv2d of PyTorch do: a
 *  cross-correlation; beyond the edges is nothing. Target channel o at (y, x) gets
 *
 *    kernel[o][i][ky][kx]   from channel i of its group at (y stride - padding + ky dilation, x stride - padding + kx dilation)
 *
 *  The weight is the list of the kernel's weights, [out channels][in channels / groups][height][width], or one number for all. Sum
 *  and average pools are convolutions with groups = channels, stride = kernel and one weight.
 *
 *  Only the kernel and the geometry are kept, the synapses are worked out when spikes arrive; the spikes are the same as with
 *  every synapse in memory. So weights are shared, and static, and the delay is one number. Asked for unrolled, it is a
 *  projection like others: its synapses can learn, be set one by one, be pruned. Weights of 0 are synapses too. */
typedef struct rv_convolution {
    int64_t shape[3];                   /* channels, height, width of the source slice, which has so many neurons; height 1: one dimension */
    int64_t kernel[4];                  /* channels of the target, channels of the source / groups, height, width      */
    int64_t stride[2], dilation[2];     /* height, width; 0 means 1                                                    */
    int64_t padding[2], padding_end[2]; /* height, width: places of nothing before the first, behind the last          */
    int64_t groups;                     /* 0 means 1                                                                   */
    bool    channels_last;              /* neurons are numbered (y width + x) channels + c; else (c height + y) width + x */
    bool    unrolled;
} rv_convolution;

/** Channels, height and width of what a convolution makes. @param error may be NULL */
rv_status rv_convolution_result(const rv_convolution *convolution, int64_t shape[3], rv_error *error);

typedef struct rv_connect_def {
    rv_slice          source, target;
    const char       *rule;
    int64_t           degree, total;
    rv_value          p;
    bool              no_autapses;  /* no synapse of a neuron with itself; allowed by default          */
    bool              no_multapses; /* at most one synapse per pair; allowed by default where possible */
    const int64_t    *sources, *targets; /* [n_list], rule list                                        */
    int64_t           n_list;
    rv_pairs_fn       pairs;             /* instead of the three above; NULL: not                      */
    void             *pairs_user;
    const rv_convolution *convolution;   /* rule convolution                                           */
    rv_value          weight, delay;     /* the null value means weight 1, delay 1 ms                  */
    const char       *plasticity;        /* learning rule; NULL for static synapses                    */
    int               receptor_type;     /* of models with several receptors (glif_psc): 1, 2, ...; 0: the first, or by sign */
    const char       *synapse;           /* kind of synapse (RV_SYNAPSES), of a chip; NULL: weights are added as they are */
    const rv_setting *settings;          /* [n_settings] parameters of the learning rule and the kind of synapse */
    int               n_settings;
} rv_connect_def;

/** Adds a projection. @param projection result; may be NULL. The synapses are made at the first run. */
rv_status rv_connect(rv_net *net, const rv_connect_def *def, rv_projection *projection);

int           rv_projection_count(const rv_net *net);
rv_population rv_projection_source(const rv_net *net, rv_projection projection);
rv_population rv_projection_target(const rv_net *net, rv_projection projection);
const char   *rv_projection_rule(const rv_net *net, rv_projection projection);       /* connection rule     */
const char   *rv_projection_plasticity(const rv_net *net, rv_projection projection); /* NULL: static        */
const char   *rv_projection_synapse(const rv_net *net, rv_projection projection);    /* NULL: plain         */

/** A parameter of a projection's kind of synapse; after compilation as completed by the weights (a sign mode "auto"). */
rv_status rv_synapse_param(rv_net *net, rv_projection projection, const char *name, double *value);

/** The synapses of a projection in their fixed order: by source, then delay, then target. Compiles the network if
 *  need be. Weights that learn are caught up to now; of a chip's synapses they are those in effect, not those given. Any
 *  result may be NULL. @param n_synapses result */
rv_status rv_synapse_count(rv_net *net, rv_projection projection, int64_t *n_synapses);
rv_status rv_synapses(rv_net *net, rv_projection projection, int64_t *sources, int64_t *targets, double *weights,
                      double *delays_ms);

/** Sets all weights: a number, a list [n_synapses] in the order of rv_synapses(), or a distribution. Between runs. */
rv_status rv_set_weights(rv_net *net, rv_projection projection, rv_value weights);

/** More reward from now on, by `amount`, for the synapses of a projection whose rule has one (stdp_reward). Between runs and
 *  in callbacks. */
rv_status rv_reward(rv_net *net, rv_projection projection, double amount);

/** Makes every spike of a population a reward, felt after a delay of one step or more (a volume transmitter). Before the
 *  first run. */
rv_status rv_reward_from(rv_net *net, rv_projection projection, rv_population source, double delay_ms);

/** What a rule keeps beside the weights, as it is now. Of other rules than the next the states of the rule's table, for
 *  every synapse, in the order of rv_synapses().
 *  What rules that learn in epochs (loihi_rule and its kin) keep: "w", "t" and "d" of every synapse, in the
 *  order of rv_synapses(); the traces "x1" and "x2" of every neuron of the source population, "y1", "y2" and "y3" of every one
 *  of the target population. @param values result, [n]; NULL to ask for n alone */
rv_status rv_get_learning(rv_net *net, rv_projection projection, const char *variable, double *values, int64_t *n);

/** Sets it, between runs: a number, or a list [n]. A trace y that has been set is delivered from then on, like a reward: it
 *  stays as set until it is set again, and spikes leave it alone. */
rv_status rv_set_learning(rv_net *net, rv_projection projection, const char *variable, rv_value value);

/* ----------------------------------------------------------------- homeostasis and structural plasticity --- */

/* What follows changes the synapses of a projection between two steps, whatever learning rule it has: at once (an interval
 * of 0), or at every multiple of an interval from now on. What is asked for again replaces what was asked for before; an
 * interval of INFINITY ends it. The result is the same for any number of threads. Not for synapses of a chip. */

/** Sets all delays, as rv_set_weights() sets weights: a number, a list [n_synapses] in the order of rv_synapses(), or a
 *  distribution (rounded to the grid in grid timing). A delay holds for the spikes sent from now on: those under way arrive
 *  when they were due. The order of rv_synapses() follows the new delays. In exact timing delays of a step or more must
 *  stay so, and the dendritic part of those that learn half a step. Refused while the projection's weights are recorded. */
rv_status rv_set_delays(rv_net *net, rv_projection projection, rv_value delays);

/** Multiplies the weights of each target so that the sum of their absolute values is `total`, within the bounds of the
 *  learning rule; a target whose weights are all 0 stays as it is. */
rv_status rv_normalise(rv_net *net, rv_projection projection, double total, double interval_ms);

/** Synaptic scaling (Turrigiano et al. 1998, doi:10.1038/36103) as van Rossum, Bi & Turrigiano 2000,
 *  doi:10.1523/JNEUROSCI.20-23-08812.2000, have it: each target has a sensor of its activity, tau da/dt = -a + sum of its
 *  spikes, and at each interval dt its weights w change by w dt (beta (rate - a) + gamma I), I the sum of (rate - a) dt.
 *  The sensors begin at `rate`. */
typedef struct rv_scaling {
    double interval_ms; /* above 0                       */
    double rate;        /* Hz, aimed at                  */
    double tau;         /* ms, of the sensor             */
    double beta;        /* 1/(s Hz)                      */
    double gamma;       /* 1/(s^2 Hz); 0: no integral    */
} rv_scaling;
rv_status rv_scale(rv_net *net, rv_projection projection, const rv_scaling *scaling);

/** Structural plasticity: removes the synapses with |weight| below prune_below, then gives every target that has fewer than
 *  `indegree` synapses of the projection new ones, from sources drawn at random under the autapse and multapse rules of the
 *  projection. A spike under way on a synapse that is removed is lost with it; a new one gets the spikes sent after it was
 *  made. Weights and delays of new synapses are numbers or distributions; null: those given to rv_connect(). Refused while
 *  the projection's weights are recorded. */
typedef struct rv_rewiring {
    double   interval_ms;
    double   prune_below; /* 0: nothing is removed                                        */
    int64_t  indegree;    /* 0, and no density: nothing grows                             */
    double   density;     /* the same as a part of the sources, 0 to 1; instead of indegree */
    rv_value weight, delay;
} rv_rewiring;
rv_status rv_rewire(rv_net *net, rv_projection projection, const rv_rewiring *rewiring);

/** How many synapses rv_rewire() has removed and made so far. */
rv_status rv_rewired(rv_net *net, rv_projection projection, int64_t *pruned, int64_t *grown);

/** Delays that learn: every spike of a target shifts the delays of its synapses by rate lag/tau exp(1 - |lag|/tau) for each
 *  spike that arrived lag = t_post - t_arrival before (after: lag < 0) it, |lag| <= window: arrivals are drawn towards the
 *  target's spikes (after Huening et al. 1998, doi:10.1162/089976698300017665; Eurich et al. 1999,
 *  doi:10.1103/PhysRevLett.82.1594). The shifts of an interval take effect at its end; in grid timing they are rounded to
 *  whole steps at random, right on average. Refused while the projection's weights are recorded. */
typedef struct rv_delay_rule {
    double interval_ms; /* above 0              */
    double rate;        /* ms, the largest shift of a pair, at a lag of tau */
    double tau;         /* ms                   */
    double window;      /* ms; 0: 5 tau         */
    double delay_min, delay_max; /* ms          */
} rv_delay_rule;
rv_status rv_learn_delays(rv_net *net, rv_projection projection, const rv_delay_rule *rule);

/* ---------------------------------------------------------------------------------------------- inputs --- */

/** Kinds of input, each a property of the neurons it is given to:
 *    poisson  independent spikes for every neuron   rate (Hz), weight
 *    dc       a constant current                    amplitude (pA)
 *    step     a current that changes in steps       times (ms), amplitudes (pA): lists of equal length
 *    sine     a sinusoidal current                  amplitude, offset (pA), frequency (Hz), phase (degrees)
 *    noise    independent Gaussian currents         mean, std (pA), dt (ms): redrawn every dt
 *    inhomogeneous_poisson  rate_times (ms), rate_values (Hz): lists of equal length; weight
 *    renewal  gamma distributed intervals           rate (Hz), shape, dead_time (ms), weight
 *  All have start and stop (ms). Currents are constant during a step: that of its beginning. Before or between runs. */
rv_status rv_input_new(rv_net *net, rv_slice target, const char *kind, const rv_setting *settings, int n_settings,
                       rv_input *input);

/** Changes a parameter of an input between runs. */
rv_status rv_input_set(rv_net *net, rv_input input, const char *name, rv_value value);

/* ---------------------------------------------------------------------------------------------- probes --- */

/** Records the spikes of a population from now on. */
rv_status rv_record_spikes(rv_net *net, rv_population population);

/** Samples a state variable at every multiple of interval_ms (0 means the resolution), from now on; the first sample comes
 *  after one interval. What arrives at the very time of a sample is in it on the grid, and not yet in exact timing. */
rv_status rv_record_state(rv_net *net, rv_slice slice, const char *variable, double interval_ms, rv_probe *probe);

/** Counts the spikes of the population in bins of bin_ms; a sample is the mean rate per neuron in Hz. */
rv_status rv_record_rate(rv_net *net, rv_population population, double bin_ms, rv_probe *probe);

/** Samples all weights of a projection every interval_ms, caught up to that time. */
rv_status rv_record_weights(rv_net *net, rv_projection projection, double interval_ms, rv_probe *probe);

/** What a probe samples of the synapses of a projection. */
typedef struct rv_synapse_sample {
    const char    *variable;    /* "weight" or a state of the learning rule ("c", "x"); NULL: "weight"     */
    double         interval_ms;
    const int64_t *synapses;    /* [n_synapses] numbered as by rv_synapses(); NULL: all                     */
    int64_t        n_synapses;
    double         low, high;   /* if bins > 0: not the values are kept, but how many of them lie in each   */
    int            bins;        /* of so many bins from low to high; those beyond count in the first, last  */
} rv_synapse_sample;
rv_status rv_record_synapses(rv_net *net, rv_projection projection, const rv_synapse_sample *sample, rv_probe *probe);

/** Recorded spikes of a population, in the order of time, then neuron. Read any part at any time between runs.
 *  Memory stays bounded: what exceeds it waits in an unnamed temporary file. */
bool      rv_spikes_recorded(const rv_net *net, rv_population population);
int64_t   rv_spike_count(const rv_net *net, rv_population population);
rv_status rv_spike_read(rv_net *net, rv_population population, int64_t first, int64_t n, double *times_ms,
                        int64_t *neurons);

typedef enum rv_probe_kind { RV_PROBE_STATE, RV_PROBE_RATE, RV_PROBE_WEIGHTS, RV_PROBE_HISTOGRAM } rv_probe_kind;

typedef struct rv_probe_info {
    rv_probe_kind kind;
    rv_population population; /* of the neurons; the target's for weights        */
    rv_projection projection; /* of the weights                                  */
    rv_slice      slice;
    const char   *variable;   /* "V_m", "rate", "weight", "c"                    */
    const char   *unit;
    double        interval_ms;
    int64_t       n_columns;  /* neurons, synapses or bins of a sample           */
    const int64_t *synapses;  /* [n_columns] of weights; NULL: all; borrowed     */
    double        low, high;  /* of a histogram                                  */
    int64_t       n_samples;  /* rows so far                                     */
} rv_probe_info;

int       rv_probe_count(const rv_net *net);
rv_status rv_probe_describe(rv_net *net, rv_probe probe, rv_probe_info *info);

/** Reads recorded samples. @param times_ms [n] or NULL @param values [n][n_columns] or NULL */
rv_status rv_probe_read(rv_net *net, rv_probe probe, int64_t first, int64_t n, double *times_ms, double *values);

/* --------------------------------------------------------------------------------------------- running --- */

/** Compiles the definition if it changed: checks it completely, allocates, makes the synapses. Done by rv_run(). */
rv_status rv_compile(rv_net *net);

/** Advances the network by duration_ms, a multiple of the resolution. */
rv_status rv_run(rv_net *net, double duration_ms);

/** Ends the run at the next exchange of spikes; rv_run() returns RV_STOPPED. May be called from a signal handler. */
void rv_stop(rv_net *net);

/** Calls f at time t, or at every multiple of dt: between two steps, with everything up to then recorded. A status
 *  other than RV_OK ends the run with it. f may read and set; it may not add populations or run. */
typedef rv_status (*rv_timer_fn)(rv_net *net, double t_ms, void *user);
rv_status rv_at(rv_net *net, double t_ms, rv_timer_fn f, void *user);
rv_status rv_every(rv_net *net, double dt_ms, rv_timer_fn f, void *user);

/** Calls f for every spike of the population, in order, after the window of the shortest delay it fell into. */
typedef rv_status (*rv_spike_fn)(rv_net *net, rv_population population, int64_t neuron, double t_ms, void *user);
rv_status rv_on_spike(rv_net *net, rv_population population, rv_spike_fn f, void *user);

/** Called from the running thread about every interval of wall time, and once at the end of each run, with
 *  everything recorded up to rv_time() readable: to show progress, to write results. A status other than RV_OK
 *  ends the run with it. */
rv_status rv_on_wall_clock(rv_net *net, double interval_seconds, rv_timer_fn f, void *user);
void      rv_off_wall_clock(rv_net *net, rv_timer_fn f, void *user); /* not from within f */

/* What displays listen to. The functions are called on the running thread, while others may already be computing what
 * comes next: they must be quick, and may not call the network. Nothing is recorded, and no result depends on them. */

typedef struct rv_seen_spike {
    double        t_ms;
    rv_population population;
    int64_t       neuron;
} rv_seen_spike;

/** Hands over every spike of every population in the order of time, then neuron. The spikes up to up_to_ms are then
 *  complete, unless more follow with the same up_to_ms. n may be 0. */
typedef void (*rv_watch_fn)(void *user, const rv_seen_spike *spikes, int n, double up_to_ms);

/** One at a time; NULL ends it. */
void rv_watch_spikes(rv_net *net, rv_watch_fn f, void *user);

/** Hands over a state variable of one neuron at every step, until rv_unwatch_state() with the same f and user; not from
 *  within f. */
typedef void (*rv_sample_fn)(void *user, double t_ms, double value);
rv_status rv_watch_state(rv_net *net, rv_population population, int64_t neuron, const char *variable, rv_sample_fn f, void *user);
void      rv_unwatch_state(rv_net *net, rv_sample_fn f, void *user);

/** Visits the weights of a projection that learns, caught up to now, in no special order: without the lists that
 *  rv_synapses() makes. Between runs and in callbacks. */
typedef void (*rv_weight_fn)(void *user, int64_t source, int64_t target, double weight);
rv_status rv_visit_weights(rv_net *net, rv_projection projection, rv_weight_fn f, void *user);

/** Makes a neuron spike: lifts V_m far above the threshold, so that it fires in the next step (exact timing: at once) unless
 *  it is refractory. Before or between runs, and in callbacks. Refused where the model has no V_m. */
rv_status rv_poke(rv_net *net, rv_population population, int64_t neuron);

/** Lets a callback explain a status other than RV_OK it returns. */
rv_status rv_fail(rv_net *net, rv_status status, const char *format, ...) __attribute__((format(printf, 3, 4)));

/** Where the time of the runs went, and what they did. Wall seconds of the slowest thread per stage. */
typedef struct rv_profile {
    double  compile_seconds, run_seconds;
    double  deliver_seconds, advance_seconds, input_seconds, exchange_seconds, record_seconds; /* if profiling */
    int64_t spikes, synaptic_events, neuron_updates;
    int64_t n_neurons, n_synapses;
    int64_t bytes_synapses, bytes_states, bytes_queue;
    int64_t pending_events; /* in the queues: row segments under way, wake-ups, inputs */
    double  simulated_ms;
} rv_profile;
void rv_profile_enable(rv_net *net, bool on);
rv_profile rv_profile_get(const rv_net *net);

/* ---------------------------------------------------------------------------- models and rules as data --- */

/** One line of a table: a parameter or a state variable. Everything that names it reads this. */
typedef struct rv_field {
    const char *name;
    const char *unit; /* "mV", "ms", ...; "1" if it has none */
    double      standard, low, high;
    const char *meaning;
} rv_field;

typedef struct rv_model rv_model; /* sim/model.h */
typedef struct rv_rule  rv_rule;  /* sim/rule.h  */

/** What there is: kind 0, 1, 2, 3 lists neuron models, learning rules, kinds of input, kinds of synapse. */
typedef enum rv_table_kind { RV_NEURONS, RV_LEARNING, RV_INPUTS, RV_SYNAPSES } rv_table_kind;

/** A parameter that people give as a word: its numbers 0 .. n - 1 have names. */
typedef struct rv_words {
    const char        *param;
    const char *const *word; /* [n] */
    int                n;
} rv_words;

/** A parameter that is a text. */
typedef struct rv_text_field {
    const char *name, *meaning;
} rv_text_field;

typedef struct rv_table {
    rv_table_kind   kind;
    const char     *name, *summary, *equations, *reference;
    const rv_field *params; /* [n_params] */
    int             n_params;
    const rv_field *states; /* [n_states] */
    int             n_states;
    const rv_words *words;  /* [n_words]  */
    int             n_words;
    const rv_text_field *texts; /* [n_texts] */
    int             n_texts;
} rv_table;

int  rv_table_count(rv_table_kind kind);
bool rv_table_at(rv_table_kind kind, int index, rv_table *table);
bool rv_table_find(rv_table_kind kind, const char *name, rv_table *table);

/** The name of the list nearest to a misspelt one, NULL if none is near. @param names [n] */
const char *rv_suggest(const char *name, const char *const *names, int n);

#ifdef __cplusplus
}
#endif
#endif
