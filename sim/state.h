/* The state: everything that changes during a run. One thread at a time works on a tile; what tiles tell each other goes
 * through their lists of spikes, which are read only after all tiles have finished the window. */
#ifndef RV_SIM_STATE_H
#define RV_SIM_STATE_H

#include "sim/epoch.h"
#include "sim/event_queue.h"
#include "sim/memory.h"
#include "sim/network.h"
#include "sim/plasticity.h"
#include "sim/spool.h"

/** A spike, or several of one neuron in one step. Grid times are whole steps. */
typedef struct spike {
    double   time;   /* steps                                                                 */
    uint32_t neuron; /* numbered in the whole network                                         */
    uint32_t number; /* how many; of a graded population: what this one carries, with its sign */
} spike;

static inline uint32_t spike_count(const population_def *source, const spike *sp) { return source->graded ? 1 : sp->number; }

typedef struct spike_list {
    spike  *spike; /* [n] by time, then neuron */
    int64_t n, capacity;
    bool    out_of_memory;
    spike   endless; /* by which the first neuron was found out that fires without end; number 0: none */
} spike_list;

static inline void spike_list_push(spike_list *list, spike item)
{
    if (list->n == list->capacity && !memory_reserve((void **)&list->spike, &list->capacity, list->n + 1, sizeof item))
        list->out_of_memory = true;
    else list->spike[list->n++] = item;
}

/* ---- events ------------------------------------------------------------------------------------------------- */

/* What the words of the tiles' queues mean:  kind (2 bits), multiplicity (14), number (16), index (32). In exact timing
 * the word of a segment is followed by the time of its arrival; in a graded bundle it follows the word of its payload. */
typedef enum event_kind {
    EVENT_SEGMENT, /* number: bundle, index: segment                          */
    EVENT_WAKE,    /* number: population, index: neuron of the part           */
    EVENT_ARRIVAL, /* number: input, index: neuron of the part                */
    EVENT_PAYLOAD, /* index: what the spike of the next segment carries       */
} event_kind;

enum { MAX_MULTIPLICITY = (1 << 14) - 1, MAX_NUMBER = (1 << 16) - 1 };

static inline uint64_t event_word(event_kind kind, uint32_t multiplicity, uint32_t number, uint32_t index)
{
    return (uint64_t)kind << 62 | (uint64_t)multiplicity << 48 | (uint64_t)number << 32 | index;
}
static inline event_kind event_kind_of(uint64_t word) { return (event_kind)(word >> 62); }
static inline uint32_t   event_multiplicity(uint64_t word) { return word >> 48 & 0x3fff; }
static inline uint32_t   event_number(uint64_t word) { return word >> 32 & 0xffff; }
static inline uint32_t   event_index(uint64_t word) { return (uint32_t)word; }

/* ---- inputs ------------------------------------------------------------------------------------------------- */

/** How Poisson input is run. */
typedef enum poisson_way {
    POISSON_TABLE,  /* grid timing: a number of spikes drawn for every neuron and step                       */
    POISSON_EVENTS, /* few spikes: each is an event in the queue                                             */
    POISSON_STREAM, /* exact timing, many spikes: each neuron draws its own when it comes to it               */
} poisson_way;

/** Poisson input with a time for each spike, in one part. */
typedef struct arrivals {
    double   *next;  /* [n] time of the next one, steps; INFINITY: none */
    uint32_t *drawn; /* [n] intervals drawn                             */
} arrivals;

/** Poisson input with many spikes: the cumulative distribution of their number in a step, scaled to 2^32. The number is
 *  how many thresholds a random word reaches. */
typedef struct poisson_table {
    uint32_t *threshold; /* [n] ascending                          */
    int       n, least;  /* numbers below `least` do not occur     */
} poisson_table;

typedef struct input_state {
    poisson_way   way;
    poisson_table table;
} input_state;

/* ---- parts and tiles ---------------------------------------------------------------------------------------- */

typedef struct part_state {
    rv_part  view;                /* what the model works on                                              */
    double  *last;                /* [n] steps: the state is that of this time, where it is not swept     */
    double  *wake;                /* [n] steps: next threshold crossing or emission, or a time before it  */
    bool    *certain;             /* [n] whether wake is that event itself (exact timing)                 */
    bool     jumping;             /* visited at events only; else swept: state_set_jumping()              */
    double  *own_state[2];        /* [n] or NULL: where the states that take input live while the part jumps; while it is */
                                  /* swept they are the tile's input arrays, and what is delivered is in its place */
    bool     has_current;         /* whether external currents are given to the population                */
    double  *currents;            /* [n] or NULL: that part of it which differs between neurons           */
    void    *work;                /* of the model's integrator                                            */
    uint8_t *probed;              /* [n] or NULL: whether a probe samples the neuron                      */
} part_state;

/** An input that reaches a neuron at one time, in exact timing. */
typedef struct arrival {
    double time; /* steps */
    double weight;
} arrival;

typedef struct arrival_at {
    arrival  input;
    uint32_t neuron; /* numbered in the tile */
} arrival_at;

/** Where the weights of a bundle are summed that its kind of synapse finishes before they are added to the input. At any
 *  moment the sum is that of one delay: events of one step come in the order of their spikes' times. */
typedef struct open_sum {
    double  *value; /* [n] of the tile; all zero unless open; NULL where nothing is finished */
    uint32_t steps; /* the delay */
    bool     open;
} open_sum;

/** Where time goes, for the profile. */
typedef enum stage { STAGE_INPUT, STAGE_DELIVER, STAGE_ADVANCE, STAGE_EXCHANGE, STAGE_RECORD, N_STAGES } stage;

typedef struct tile_state {
    event_queue queue;
    part_state *part;      /* [n_populations]                                     */
    plastic    *learning;  /* [n_bundles]; empty where nothing learns at spikes   */
    epoch      *epoch;     /* [n_bundles]; empty where nothing learns in epochs   */
    open_sum   *sum;       /* [n_bundles]                                         */
    int         n_open;    /* of them                                             */
    arrivals   *arrivals;  /* [n_inputs]                                          */
    double     *input_ex;  /* [n] weights that arrive at the end of the step      */
    double     *input_in;  /* [n]                                                 */
    uint8_t    *fired;     /* [n] scratch                                         */
    bool       *touches;   /* [n_bundles] whether its targets are listed: some of them jump */
    uint8_t    *touched;   /* [n] whether a neuron is listed                      */
    uint16_t   *list;      /* [n_list] neurons with an event in this step         */
    int32_t     n_list;
    uint16_t   *list_scratch;
    uint32_t   *words;     /* [n] random words of a part                          */
    uint16_t   *halves;    /* [n] half words of a part                            */
    double     *counts;    /* [n] Poisson spikes of a part, times their weight    */
    spike_list *out[2];    /* [n_levels] spikes of this window and of the last    */
    int         parity;    /* which of the two is this window's                   */
    int64_t     window_begin; /* step                                             */
    /* exact timing */
    arrival_at *arrival;   /* [n_arrivals] as they come                             */
    arrival    *sorted;    /* [n_arrivals] by neuron                                */
    int64_t     n_arrivals, arrival_capacity, sorted_capacity;
    uint32_t   *n_arriving; /* [n] of the neurons at work, zero between windows   */
    uint16_t   *level_of;   /* [n] level of the neuron's population               */
    double      endless_from; /* step in which a neuron fires without end; INFINITY */
    int64_t    *n_spikes;  /* [n_populations] since the last choice between sweep and jump */
    /* for the profile */
    int64_t     n_events, n_updates;
    double      seconds[N_STAGES];
} tile_state;

/* ---- probes ------------------------------------------------------------------------------------------------- */

/** One sampled neuron as a tile sees it. */
typedef struct probe_column {
    int32_t neuron; /* of the part               */
    int64_t column; /* in the rows of the probe  */
    double  next;   /* exact timing: next sample */
} probe_column;

typedef struct probe {
    rv_probe_kind  kind;
    neuron_range   range;
    int            projection; /* weights and histograms                      */
    int            variable;   /* index of the state; -1: the weight          */
    int64_t       *synapses;   /* [n_columns] of them; NULL: all              */
    double         low, high;  /* of a histogram                              */
    int64_t        interval;   /* steps                                       */
    int64_t        first;      /* step of the first sample                    */
    int64_t        n_columns;
    spool          times;      /* of double: ms                               */
    spool          values;     /* of double [n_columns]                       */
    double        *rows[2];    /* the samples of this window and of the last  */
    int64_t        n_rows;     /* room                                        */
    probe_column **column;     /* [n_tiles][n_column]                         */
    int64_t       *n_column;   /* [n_tiles]                                   */
    int64_t        count;      /* spikes in the open bin of a rate probe      */
    int64_t        bin_end;    /* step                                        */
    rv_sample_fn   watch;      /* the sample is not kept but handed over to   */
    void          *watch_user;
} probe;

/** Spikes kept for the user: time in steps. */
typedef struct spike_record {
    double  time;
    int64_t neuron; /* of the population */
} spike_record;

typedef struct spike_probe {
    bool  on;
    spool spool; /* of spike_record */
} spike_probe;

/* ---- the whole ---------------------------------------------------------------------------------------------- */

typedef struct state {
    const network *net;
    int64_t        step;       /* every neuron has been advanced up to this step     */
    tile_state    *tile;       /* [n_tiles]  */
    input_state   *input;      /* [n_inputs] */
    double        *fan_out;    /* [n_populations][n_populations] mean synapses of a neuron of the first onto the second */
    double       **times;      /* [n_populations] spike times of generators in steps, all neurons in one */
    double       **payloads;    /* [n_populations] what they carry, in the same order; NULL: nothing */
    int64_t      **times_begin; /* [n_populations][n + 1]                            */
    rv_advance     advance;
    bool           profiling;
    probe        **probe;       /* [n_probes] borrowed: those that sample states, watched ones too */
    int            n_probes;
    int64_t        bytes;
} state;

rv_status state_new(const network *net, rv_advance advance, int threads, state **s, rv_error *error);
void      state_free(state *s);

/** Reads one neuron's states as they are now. @param values result, [n_states] */
void state_read(const state *s, int population, int64_t neuron, double *values);

/** Sets one state of one neuron; to be enclosed in foresee_settle() and foresee_population(). */
void state_write(state *s, int population, int64_t neuron, int variable, double value);

/** Whether input of a population goes into its states as it is delivered, wherever the population is swept. */
bool state_takes_directly(const state *s, int population);

/** Makes a part jump or be swept; its states are those of now. */
void state_set_jumping(state *s, int t, int population, bool jumping);

/** Points the parts of a population at its constants after they have been computed anew. */
void state_relink(state *s, int population);

/** Notes for every bundle whether some of its targets jump. */
void state_note_touches(state *s, int t);

/** Makes room for the input that was added to the definition last. */
rv_status state_add_input(state *s, rv_error *error);

/** Takes the spike times of a generator from its definition anew. */
rv_status state_load_times(state *s, int population, rv_error *error);


#endif
