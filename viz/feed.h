/* The feed: what the thread that simulates (or plays a recording) and the window share. Nothing else is shared.
 *
 *   simulation                                   window
 *   ----------                                   ------
 *   spikes, samples      -> history ->           raster, rates, traces
 *   time, counts, state  -> atomics ->           status line
 *   weights              -> three buffers ->     weight panel
 *   obeys                <- atomics, commands <- pause, speed, step, poke, knobs
 *
 * No side ever waits for the other. What is constant is filled in before the window opens. */
#ifndef RV_VIZ_FEED_H
#define RV_VIZ_FEED_H

#include <stdatomic.h>

#include "viz/history.h"

enum {
    FEED_TRACES = 8,
    FEED_KNOBS = 32,
    FEED_LEARNING = 16,
    FEED_HISTOGRAM = 64,          /* bins of the weights                        */
    FEED_MATRIX = 128 * 128,      /* cells of the weight matrix, at most        */
    FEED_KEPT_SPIKES = 10000000,
    FEED_KEPT_SAMPLES = 1 << 18,  /* of a trace                                 */
};

/* ---- constant -------------------------------------------------------------------------------------------------- */

typedef struct feed_population {
    char    name[64], model[48];
    int64_t size, first_row;        /* neuron i is row first_row + i, the value in the spikes' history          */
    bool    inhibitory;
    int     columns, rows, polarities; /* of a camera: neuron = (polarity * rows + row) * columns + column, row 0 on top;
                                          columns 0: no camera; polarities 1 or 2, the second one is OFF        */
    char    variable[24], unit[16]; /* what a trace of its neurons shows: "V_m", "mV"; empty: nothing           */
} feed_population;

/** A slider a script declared. The window shows it, the simulation calls the script's function. */
typedef struct feed_knob {
    char           label[64];
    double         low, high;
    _Atomic double value; /* as the simulation last took it over */
} feed_knob;

typedef enum feed_state {
    FEED_BUILDING, /* the network is being made                  */
    FEED_RUNNING,
    FEED_PAUSED,
    FEED_ENDED,    /* the run is over, what was recorded is kept */
    FEED_FAILED,   /* ended by an error, see message             */
    FEED_STORED,   /* a recording: all of it is there, the window plays it    */
    FEED_GROWING,  /* a recording that is still being written                 */
} feed_state;

/* ---- weights ---------------------------------------------------------------------------------------------------- */

/** A snapshot of a projection that learns. The matrix has a row per target (or group of neighbouring targets) and a
 *  column per source, mean weights, NAN where there is no synapse. Where the sources are a camera, or were given a
 *  shape, it is a sheet of tiles instead: tile k is the receptive field of the k-th target shown, tile_columns wide. */
typedef struct feed_weights {
    int     learning;               /* which projection: index in feed.learning             */
    double  t_ms;
    int64_t n_synapses;
    double  low, high, mean;        /* limits of the histogram; low < high                  */
    double  histogram[FEED_HISTOGRAM]; /* fractions of the synapses                         */
    int     columns, rows;          /* of cells; 0 if there is no matrix                    */
    int     tile_columns, tile_rows; /* of one tile; 0 where the matrix is one              */
    int     tiles;                  /* tiles: how many, in rows of columns / tile_columns   */
    float   cells[FEED_MATRIX];     /* [rows][columns]                                      */
} feed_weights;

/* ---- commands ---------------------------------------------------------------------------------------------------- */

typedef enum feed_command_kind {
    FEED_KNOB,      /* index: knob, value                                                        */
    FEED_POKE,      /* population, neuron: make it spike                                         */
    FEED_INJECT,    /* population, neuron, value: pA for feed_inject_ms                          */
    FEED_TRACE_ON,  /* index: slot, population, neuron                                           */
    FEED_TRACE_OFF, /* index: slot                                                               */
    FEED_WEIGHTS,   /* index: projection whose weights are wanted; -1: none                      */
    FEED_FETCH,     /* from_ms, to_ms: spikes that are no longer kept, into feed.older           */
    FEED_FINISH,    /* end the run                                                               */
} feed_command_kind;

typedef struct feed_command {
    feed_command_kind kind;
    int               index, population;
    int64_t           neuron;
    double            value, from_ms, to_ms;
} feed_command;

static const double FEED_INJECT_MS = 100;

typedef struct feed feed;

/* ---- the whole --------------------------------------------------------------------------------------------------- */

typedef struct feed_trace {
    history       *samples;   /* (ms, value)                                                  */
    _Atomic double threshold; /* NAN: none                                                    */
} feed_trace;

struct feed {
    char             title[128];
    double           resolution_ms;
    bool             exact;           /* spike times off the grid                             */
    bool             live;            /* a simulation that can be touched; else a recording   */
    feed_population *population;      /* [n_populations]                                      */
    int              n_populations;
    int64_t          n_rows;          /* neurons of all populations                           */
    feed_knob        knob[FEED_KNOBS];
    int              n_knobs;
    char             learning[FEED_LEARNING][80]; /* projections that learn: "E to E, stdp"   */
    int              n_learning;
    double           inject_pA;       /* what Alt-click injects at first                      */

    /* written by the simulation */
    history         *spikes, *older;  /* (ms, row): the latest; and a stretch before them that was asked for */
    feed_trace       trace[FEED_TRACES];
    _Atomic int      state;           /* feed_state                                           */
    _Atomic double   t_ms;            /* everything up to then has been handed over           */
    _Atomic double   end_ms;          /* of the present run, or of the recording              */
    _Atomic double   begin_ms;        /* of the recording; 0 of a run                         */
    _Atomic int64_t  n_spikes, n_events, n_pending, n_bytes;
    _Atomic double   older_from_ms, older_to_ms; /* what `older` covers; equal: nothing       */
    char             message[512];    /* read once state is FEED_FAILED                       */

    /* written by the window */
    _Atomic bool     paused;
    _Atomic double   speed;           /* simulated over wall time wanted; INFINITY: as fast as it goes */
    _Atomic int64_t  steps;           /* single steps still to be done while paused           */
    _Atomic bool     closed;          /* the window has gone                                  */

    struct feed_private *private;
};

/** Makes an empty feed; populations are copied. @return RV_OK or RV_OUT_OF_MEMORY */
rv_status feed_new(const feed_population *population, int n_populations, feed **f);
void      feed_free(feed *f);

/** The population a row belongs to, and the neuron in it. */
int feed_population_of(const feed *f, int64_t row, int64_t *neuron);

/* ---- the window's side ------------------------------------------------------------------------------------------ */

/** Sends a command. @return false if the simulation has not taken the last 1000 (the window says so) */
bool feed_send(feed *f, feed_command command);

/** The latest snapshot, NULL if there is none yet; valid until the next call. */
const feed_weights *feed_weights_latest(feed *f);

/* ---- the simulation's side ---------------------------------------------------------------------------------------- */

/** Takes the oldest command. @return false if there is none */
bool feed_take(feed *f, feed_command *command);

/** A snapshot to fill in, and its publication. */
feed_weights *feed_weights_begin(feed *f);
void          feed_weights_end(feed *f);

/** Has the window taken the last snapshot? */
bool feed_weights_taken(const feed *f);

#endif
